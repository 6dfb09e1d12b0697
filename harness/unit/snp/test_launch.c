/* SPDX-License-Identifier: Apache-2.0 */
/* SNP_LAUNCH_START and SNP_LAUNCH_UPDATE: policy, launch digest, page types,
 * order of checks. abi/snp.md §1.9, §1.10, §4, §5.5, §11.2 */
#include "snp_fixture.h"

#include "policy.h"
#include "wire.h"

#include <psp/cpuid.h>

#define ASID 5u

static struct snp_fx *launching(uint64_t *gctx)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);

    *gctx = fx_guest_launch(fx, ASID, FX_DEBUG);
    return fx;
}

static enum sev_status update(struct snp_fx *fx, uint64_t gctx, uint64_t spa,
                              enum snp_page_type type)
{
    return FX(fx, LAUNCH_UPDATE, launch_update, .gctx_paddr = gctx,
              .page_type = (uint8_t)type, .page_paddr = spa);
}

/* Plaintext of a guest page, through the memory controller. */
static void guest_read(struct snp_fx *fx, uint64_t spa, uint8_t *out)
{
    assert_int_equal(psp_guest_mem_read(fx->psp, ASID, spa, out, RMP_PAGE_SIZE),
                     PSP_OK);
}

/* -- launch digest ----------------------------------------------------------
 */

/* abi/snp.md §11.2, in order: each row continues the digest of the last. */
static const struct digest_row {
    enum snp_page_type type;
    uint8_t fill;
    uint64_t gpa;
    uint8_t perms[3];
    bool imi;
    const char *ld;
} DIGEST_ROWS[] = {
    {SNP_PAGE_NORMAL,
     0x00,
     0x1000,
     {0},
     false,
     "e6e4d78904d9d6b33c0cbfd121998fd2d11744dae606b3aee35e2a45d6869b60"
     "b35c63928a9232bef72d6be386f48ec6"},
    {SNP_PAGE_ZERO,
     0x77,
     0x2000,
     {0},
     false,
     "8233fbe1ec826b22907aa9397de357831970a96a08e3783a274d6349194edde8"
     "12a85313b0916402f33d069e71e1248d"},
    {SNP_PAGE_UNMEASURED,
     0x99,
     0x3000,
     {0},
     false,
     "e38aa6d01be592105dece52b841baab5f074b7680817c0db474561fc74b5aa89"
     "826cef755d515e57daaabe1f220f70d6"},
    {SNP_PAGE_SECRETS,
     0x77,
     0x4000,
     {0},
     false,
     "4ab99c5fb84fc4720a053aee17fc63d5ca6ba07716d1f97e2e899de0aa4610d5"
     "cfc20f60f19b161b1a7b6e8f245a4f6f"},
    {SNP_PAGE_CPUID,
     0x00,
     0x5000,
     {0},
     false,
     "adf702781cc8401038504a836700bf30b87124cea93ef7e2174454dd11b1b9b6"
     "d05e1d8e7f8b46ba81813eb777f3236c"},
    {SNP_PAGE_VMSA,
     0xaa,
     0xfffffffff000,
     {0},
     false,
     "66f4e9b464510298940142bcea544d98bf11ff6308494d37c0c1bca99a7858b0"
     "cba4d4f13650053e910b1df635d9e497"},
    {SNP_PAGE_NORMAL,
     0x55,
     0x6000,
     {0x0f, 0x07, 0x01},
     false,
     "9be7d0973ce603c5ca9bb9dca5ed450aca3f53a3f4aca481dca23f624fb8596a"
     "758b7357af059df3c601b5535f27517c"},
    {SNP_PAGE_NORMAL,
     0x11,
     0x7000,
     {0},
     true,
     "127953568086a012e03bbbc18c4aa73eedce28233d382b1484d0a8b8c2e25286"
     "ea65ae0c3d3ab8e165adb0c9cafa8156"},
};

#define IMD_AFTER_LAST                                                         \
    "5aceae5098f6ccefe84b67cd042c11c11ef5d9547aa3b75957ff211d033f9c06"         \
    "7ba46fa2a3490059b0d38fba562eebfc"

static uint64_t digest_step(struct snp_fx *fx, uint64_t gctx,
                            const struct digest_row *row)
{
    uint64_t spa = fx_page(fx);

    fx_fill(fx, spa, row->fill, RMP_PAGE_SIZE);
    fx_pre_guest(fx, spa, ASID, row->gpa);
    assert_int_equal(
        FX(fx, LAUNCH_UPDATE, launch_update, .gctx_paddr = gctx,
           .page_type = (uint8_t)row->type, .imi_page = row->imi,
           .page_paddr = spa,
           .vmpl_perms = {row->perms[0], row->perms[1], row->perms[2]}),
        SEV_SUCCESS);
    return spa;
}

static void launch_digest__sheet_chain__every_value(void **state)
{
    uint64_t gctx;
    struct snp_fx *fx = launching(&gctx);
    struct snp_guest *guest = fx_guest(fx, gctx);

    (void)state;
    for (size_t i = 0; i < sizeof(DIGEST_ROWS) / sizeof(DIGEST_ROWS[0]); i++) {
        const struct digest_row *row = &DIGEST_ROWS[i];
        uint64_t spa = digest_step(fx, gctx, row);
        struct rmp_entry e = rmp_get(psp_rmp(fx->psp), spa);

        assert_hex_equal(guest->ld, row->ld, 48);
        assert_int_equal(e.state, RMP_GUEST_VALID);
        assert_int_equal(e.gpa, row->gpa);
        assert_int_equal(e.asid, ASID);
        assert_int_equal(e.vmsa, row->type == SNP_PAGE_VMSA);
        assert_memory_equal(e.vmpl + 1, row->perms, 3);
        assert_int_equal(psp_all_zero(guest->imd, 48), !row->imi);
    }
    assert_hex_equal(guest->imd, IMD_AFTER_LAST, 48);
    snp_fx_free(fx);
}

static void launch_digest__two_mib_page__as_512_small_ones(void **state)
{
    uint64_t gctx[2], spa;
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    uint8_t page[RMP_PAGE_SIZE];

    (void)state;
    gctx[0] = fx_guest_launch(fx, ASID, FX_POLICY);
    gctx[1] = fx_guest_launch(fx, ASID + 1, FX_POLICY);
    spa = fx_page_2m(fx);
    for (unsigned int i = 0; i < SNP_PAGES_2M; i++) {
        fx_fill(fx, spa + i * RMP_PAGE_SIZE, (uint8_t)(i * 7), RMP_PAGE_SIZE);
    }
    fx_pre_guest_2m(fx, spa, ASID, 0x40000000);
    assert_int_equal(FX(fx, LAUNCH_UPDATE, launch_update, .gctx_paddr = gctx[0],
                        .size_2m = true, .page_type = SNP_PAGE_NORMAL,
                        .page_paddr = spa),
                     SEV_SUCCESS);
    for (unsigned int i = 0; i < SNP_PAGES_2M; i++) {
        memset(page, (uint8_t)(i * 7), sizeof(page));
        (void)fx_launch_page(fx, gctx[1], SNP_PAGE_NORMAL,
                             0x40000000 + i * RMP_PAGE_SIZE, page);
        guest_read(fx, spa + i * RMP_PAGE_SIZE, page);
        assert_int_equal(page[0], (uint8_t)(i * 7));
        assert_int_equal(page[4095], (uint8_t)(i * 7));
        assert_int_equal(fx_state(fx, spa + i * RMP_PAGE_SIZE),
                         RMP_GUEST_VALID);
    }
    assert_memory_equal(fx_guest(fx, gctx[0])->ld, fx_guest(fx, gctx[1])->ld,
                        48);
    assert_true(rmp_get(psp_rmp(fx->psp), spa + RMP_PAGE_SIZE).size_2m);
    snp_fx_free(fx);
}

/* -- what the guest finds ---------------------------------------------------
 */

static void launch_update__normal__encrypted_in_place(void **state)
{
    uint64_t gctx, spa;
    struct snp_fx *fx = launching(&gctx);
    uint8_t given[RMP_PAGE_SIZE], raw[RMP_PAGE_SIZE], seen[RMP_PAGE_SIZE];

    (void)state;
    memset(given, 0x42, sizeof(given));
    spa = fx_launch_page(fx, gctx, SNP_PAGE_NORMAL, 0x1000, given);
    fx_read(fx, spa, raw, sizeof(raw));
    for (size_t i = 0; i < sizeof(raw); i += 16) {
        assert_memory_not_equal(raw + i, given + i, 16);
    }
    guest_read(fx, spa, seen);
    assert_memory_equal(seen, given, sizeof(seen));
    snp_fx_free(fx);
}

static void launch_update__zero__ignores_what_was_there(void **state)
{
    uint64_t gctx, spa;
    struct snp_fx *fx = launching(&gctx);
    uint8_t given[RMP_PAGE_SIZE], seen[RMP_PAGE_SIZE];

    (void)state;
    memset(given, 0x42, sizeof(given));
    spa = fx_launch_page(fx, gctx, SNP_PAGE_ZERO, 0x1000, given);
    guest_read(fx, spa, seen);
    assert_true(psp_all_zero(seen, sizeof(seen)));
    snp_fx_free(fx);
}

static void launch_update__unmeasured__bytes_given(void **state)
{
    uint64_t gctx, spa;
    struct snp_fx *fx = launching(&gctx);
    uint8_t given[RMP_PAGE_SIZE], seen[RMP_PAGE_SIZE];

    (void)state;
    memset(given, 0x42, sizeof(given));
    spa = fx_launch_page(fx, gctx, SNP_PAGE_UNMEASURED, 0x1000, given);
    guest_read(fx, spa, seen);
    assert_memory_equal(seen, given, sizeof(seen));
    snp_fx_free(fx);
}

static void secrets_page(const char *profile, uint8_t out[RMP_PAGE_SIZE],
                         struct snp_guest *guest)
{
    struct snp_fx *fx = snp_fx_up(profile, NULL);
    uint64_t gctx = fx_guest_init(fx);
    uint8_t dirt[RMP_PAGE_SIZE];
    uint64_t spa;

    memset(dirt, 0xee, sizeof(dirt));
    assert_int_equal(
        FX(fx, LAUNCH_START, launch_start, .gctx_paddr = gctx,
           .policy = FX_POLICY,
           .gosvw = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}),
        SEV_SUCCESS);
    assert_int_equal(
        FX(fx, ACTIVATE, activate, .gctx_paddr = gctx, .asid = ASID),
        SEV_SUCCESS);
    spa = fx_launch_page(fx, gctx, SNP_PAGE_SECRETS, 0x80d000, dirt);
    guest_read(fx, spa, out);
    *guest = *fx_guest(fx, gctx);
    snp_fx_free(fx);
}

static void secrets_page__version_3__every_byte(void **state)
{
    uint8_t page[RMP_PAGE_SIZE];
    struct snp_guest guest;

    (void)state;
    secrets_page("genoa", page, &guest);
    assert_hex_equal(page, "03000000 00000000 110fa100 00000000", 16);
    assert_hex_equal(page + 0x10, "0102030405060708090a0b0c0d0e0f10", 16);
    for (size_t i = 0; i < 4; i++) {
        assert_memory_equal(page + 0x20 + i * 0x20, guest.vmpck[i], 32);
        assert_false(psp_all_zero(guest.vmpck[i], 32));
        for (size_t k = 0; k < i; k++) {
            assert_memory_not_equal(guest.vmpck[i], guest.vmpck[k], 32);
        }
    }
    assert_true(psp_all_zero(page + 0xa0, 0xc0));
    assert_hex_equal(page + 0x160, "c8000000", 4); /* 200: 0.2 percent */
    assert_true(psp_all_zero(page + 0x164, RMP_PAGE_SIZE - 0x164));
}

static void secrets_page__version_2__nothing_behind_the_keys(void **state)
{
    uint8_t page[RMP_PAGE_SIZE];
    struct snp_guest guest;

    (void)state;
    secrets_page("milan-old", page, &guest);
    assert_hex_equal(page, "02000000 00000000 110fa000 00000000", 16);
    assert_true(psp_all_zero(page + 0xa0, RMP_PAGE_SIZE - 0xa0));
}

static void secrets_page__imi_guest__imi_bit(void **state)
{
    struct snp_fx *fx = snp_fx_up("turin", NULL);
    uint64_t gctx = fx_guest_init(fx);
    uint64_t spa = fx_page(fx);
    uint8_t head[16];

    (void)state;
    assert_int_equal(FX(fx, LAUNCH_START, launch_start, .gctx_paddr = gctx,
                        .policy = FX_POLICY, .imi_en = true),
                     SEV_SUCCESS);
    assert_int_equal(
        FX(fx, ACTIVATE, activate, .gctx_paddr = gctx, .asid = ASID),
        SEV_SUCCESS);
    fx_pre_guest(fx, spa, ASID, 0x1000);
    assert_int_equal(FX(fx, LAUNCH_UPDATE, launch_update, .gctx_paddr = gctx,
                        .page_type = SNP_PAGE_SECRETS, .imi_page = true,
                        .page_paddr = spa),
                     SEV_SUCCESS);
    assert_int_equal(psp_guest_mem_read(fx->psp, ASID, spa, head, sizeof(head)),
                     PSP_OK);
    assert_hex_equal(head, "03000000 01000000 210fb000 00000000", 16);
    snp_fx_free(fx);
}

/* VMSA with the given SEV_FEATURES; all other bytes 5Ah. */
static void vmsa(uint64_t features, uint8_t page[RMP_PAGE_SIZE])
{
    struct psp_wr w = psp_wr(page + SNP_VMSA_SEV_FEATURES_OFFSET, 8);

    memset(page, 0x5a, RMP_PAGE_SIZE);
    psp_wr_le64(&w, features);
}

static void vmsa__secure_tsc_off__encrypted_as_given(void **state)
{
    uint64_t gctx, spa;
    struct snp_fx *fx = launching(&gctx);
    uint8_t given[RMP_PAGE_SIZE], seen[RMP_PAGE_SIZE];

    (void)state;
    vmsa(0x1, given);
    spa = fx_launch_page(fx, gctx, SNP_PAGE_VMSA, 0xfffffffff000, given);
    guest_read(fx, spa, seen);
    assert_memory_equal(seen, given, sizeof(seen));
    snp_fx_free(fx);
}

static void vmsa__secure_tsc_on__firmware_fills_scale_and_offset(void **state)
{
    uint64_t gctx, spa;
    struct snp_fx *fx = launching(&gctx);
    uint8_t given[RMP_PAGE_SIZE], seen[RMP_PAGE_SIZE];

    (void)state;
    vmsa(0x201, given);
    spa = fx_launch_page(fx, gctx, SNP_PAGE_VMSA, 0xfffffffff000, given);
    guest_read(fx, spa, seen);
    /* No desired frequency: scale 1.0 in 8.32 fixed point. */
    assert_hex_equal(seen + 0x2f0, "0000000001000000 0000000000000000", 16);
    memset(seen + 0x2f0, 0x5a, 16);
    assert_memory_equal(seen, given, sizeof(seen));
    snp_fx_free(fx);
}

static void vmsa__tsc_fields_differ__same_digest(void **state)
{
    uint64_t gctx[2];
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    uint8_t page[RMP_PAGE_SIZE];

    (void)state;
    vmsa(0x1, page);
    gctx[0] = fx_guest_launch(fx, ASID, FX_POLICY);
    gctx[1] = fx_guest_launch(fx, ASID + 1, FX_POLICY);
    (void)fx_launch_page(fx, gctx[0], SNP_PAGE_VMSA, 0xfffffffff000, page);
    memset(page + 0x2f0, 0x33, 16);
    (void)fx_launch_page(fx, gctx[1], SNP_PAGE_VMSA, 0xfffffffff000, page);
    assert_memory_equal(fx_guest(fx, gctx[0])->ld, fx_guest(fx, gctx[1])->ld,
                        48);
    snp_fx_free(fx);
}

/* -- order of checks --------------------------------------------------------
 */

/* A LAUNCH_UPDATE that would succeed; a row breaks it in one place. */
struct update_try {
    struct snp_fx *fx;
    uint64_t gctx;
    uint64_t spa;
    struct snp_cmd_launch_update cmd;
    uint8_t set[SNP_CMD_LAUNCH_UPDATE_SIZE]; /* bits added to the buffer */
};

#define BREAK(name) static void name(struct update_try *t)

BREAK(b_none)
{
    (void)t;
}
BREAK(b_flag_5)
{
    t->set[8] |= 0x20;
}
BREAK(b_reserved_0c)
{
    t->set[0x0f] = 1;
}
BREAK(b_reserved_18)
{
    t->set[0x18] = 1;
}
BREAK(b_reserved_1c)
{
    t->set[0x1c] = 1;
}
BREAK(b_perm_bit_5)
{
    t->set[0x1a] = 0x20;
}
BREAK(b_gctx_low)
{
    t->set[1] |= 0x08;
}
BREAK(b_page_low)
{
    t->set[0x10] |= 1;
}
BREAK(b_uninit)
{
    fx_core(t->fx)->snp_state = SNP_PLATFORM_UNINIT;
}
BREAK(b_gctx_outside)
{
    t->cmd.gctx_paddr = FX_MEMORY_SIZE;
}
BREAK(b_page_outside)
{
    t->cmd.page_paddr = UINT64_MAX - 0xfff;
}
BREAK(b_not_a_context)
{
    t->cmd.gctx_paddr = fx_firmware(t->fx, fx_page(t->fx));
}
BREAK(b_page_hypervisor)
{
    t->cmd.page_paddr = fx_page(t->fx);
}
BREAK(b_page_default)
{
    t->cmd.page_paddr = FX_DEFAULT_PAGE;
}
BREAK(b_page_valid)
{
    t->cmd.page_paddr =
        fx_launch_page(t->fx, t->gctx, SNP_PAGE_ZERO, 0x9000, NULL);
}
BREAK(b_page_is_context)
{
    t->cmd.page_paddr = t->gctx;
}
BREAK(b_2m_flag_on_4k)
{
    t->cmd.size_2m = true;
}
BREAK(b_4k_flag_on_2m)
{
    t->cmd.page_paddr =
        fx_pre_guest_2m(t->fx, fx_page_2m(t->fx), ASID, 0x200000);
}
BREAK(b_2m_misaligned)
{
    b_4k_flag_on_2m(t);
    t->cmd.size_2m = true;
    t->cmd.page_paddr += RMP_PAGE_SIZE;
}
BREAK(b_type_0)
{
    t->cmd.page_type = 0;
}
BREAK(b_type_7)
{
    t->cmd.page_type = 7;
}
static void two_mib(struct update_try *t, uint8_t type)
{
    b_4k_flag_on_2m(t);
    t->cmd.size_2m = true;
    t->cmd.page_type = type;
}
BREAK(b_vmsa_2m)
{
    two_mib(t, SNP_PAGE_VMSA);
}
BREAK(b_secrets_2m)
{
    two_mib(t, SNP_PAGE_SECRETS);
}
BREAK(b_cpuid_2m)
{
    two_mib(t, SNP_PAGE_CPUID);
}
BREAK(b_guest_init)
{
    t->cmd.gctx_paddr = fx_guest_init(t->fx);
}
BREAK(b_guest_running)
{
    t->cmd.gctx_paddr = fx_guest_running(t->fx, ASID + 1, FX_POLICY);
}
static uint64_t inactive(struct update_try *t)
{
    uint64_t gctx = fx_guest_init(t->fx);

    assert_int_equal(FX(t->fx, LAUNCH_START, launch_start, .gctx_paddr = gctx,
                        .policy = FX_POLICY),
                     SEV_SUCCESS);
    return gctx;
}
BREAK(b_inactive)
{
    t->cmd.gctx_paddr = inactive(t);
}
BREAK(b_other_asid)
{
    t->cmd.page_paddr = fx_pre_guest(t->fx, fx_page(t->fx), ASID + 1, 0x1000);
}
BREAK(b_imi_guest)
{
    fx_guest(t->fx, t->gctx)->imi_en = true;
}
BREAK(b_cpuid_count)
{
    uint8_t count = 65;

    t->cmd.page_type = SNP_PAGE_CPUID;
    fx_write(t->fx, t->spa, &count, 1);
}
/* Two faults: the earlier check wins. */
BREAK(b_reserved_and_uninit)
{
    b_flag_5(t);
    b_uninit(t);
}
BREAK(b_uninit_and_outside)
{
    b_uninit(t);
    b_page_outside(t);
}
BREAK(b_outside_and_no_context)
{
    b_page_outside(t);
    t->cmd.gctx_paddr = fx_page(t->fx);
}
BREAK(b_no_context_and_state)
{
    b_page_hypervisor(t);
    b_not_a_context(t);
}
BREAK(b_state_and_size)
{
    b_page_hypervisor(t);
    t->cmd.size_2m = true;
}
BREAK(b_size_and_type)
{
    b_4k_flag_on_2m(t);
    t->cmd.page_type = 0;
}
BREAK(b_alignment_and_type)
{
    b_2m_misaligned(t);
    t->cmd.page_type = 0;
}
BREAK(b_type_and_guest)
{
    b_guest_running(t);
    t->cmd.page_type = 7;
}
BREAK(b_vmsa_2m_and_guest)
{
    b_vmsa_2m(t);
    t->cmd.gctx_paddr = fx_guest_init(t->fx);
}
BREAK(b_guest_and_inactive)
{
    t->cmd.gctx_paddr = fx_guest_init(t->fx); /* neither LAUNCH nor active */
}
BREAK(b_inactive_and_owner)
{
    b_other_asid(t);
    b_inactive(t);
}
BREAK(b_owner_and_imi)
{
    b_other_asid(t);
    b_imi_guest(t);
}

static const struct update_case {
    const char *name;
    void (*break_it)(struct update_try *t);
    enum sev_status status;
} UPDATE_CASES[] = {
    {"launch_update__as_it_should_be__success", b_none, SEV_SUCCESS},
    {"launch_update__flag_5__param", b_flag_5, SEV_INVALID_PARAM},
    {"launch_update__reserved_0c__param", b_reserved_0c, SEV_INVALID_PARAM},
    {"launch_update__reserved_18__param", b_reserved_18, SEV_INVALID_PARAM},
    {"launch_update__reserved_1c__param", b_reserved_1c, SEV_INVALID_PARAM},
    {"launch_update__perm_bit_5__param", b_perm_bit_5, SEV_INVALID_PARAM},
    {"launch_update__gctx_low_bits__param", b_gctx_low, SEV_INVALID_PARAM},
    {"launch_update__page_low_bits__param", b_page_low, SEV_INVALID_PARAM},
    {"launch_update__uninit__platform_state", b_uninit,
     SEV_INVALID_PLATFORM_STATE},
    {"launch_update__gctx_outside__address", b_gctx_outside,
     SEV_INVALID_ADDRESS},
    {"launch_update__page_outside__address", b_page_outside,
     SEV_INVALID_ADDRESS},
    {"launch_update__not_a_context__guest", b_not_a_context, SEV_INVALID_GUEST},
    {"launch_update__hypervisor_page__page_state", b_page_hypervisor,
     SEV_INVALID_PAGE_STATE},
    {"launch_update__default_page__page_state", b_page_default,
     SEV_INVALID_PAGE_STATE},
    {"launch_update__page_twice__page_state", b_page_valid,
     SEV_INVALID_PAGE_STATE},
    {"launch_update__context_page__page_state", b_page_is_context,
     SEV_INVALID_PAGE_STATE},
    {"launch_update__2m_flag_on_4k_page__page_size", b_2m_flag_on_4k,
     SEV_INVALID_PAGE_SIZE},
    {"launch_update__4k_flag_on_2m_page__page_size", b_4k_flag_on_2m,
     SEV_INVALID_PAGE_SIZE},
    {"launch_update__2m_misaligned__address", b_2m_misaligned,
     SEV_INVALID_ADDRESS},
    {"launch_update__type_0__param", b_type_0, SEV_INVALID_PARAM},
    {"launch_update__type_7__param", b_type_7, SEV_INVALID_PARAM},
    {"launch_update__vmsa_2m__page_size", b_vmsa_2m, SEV_INVALID_PAGE_SIZE},
    {"launch_update__secrets_2m__page_size", b_secrets_2m,
     SEV_INVALID_PAGE_SIZE},
    {"launch_update__cpuid_2m__page_size", b_cpuid_2m, SEV_INVALID_PAGE_SIZE},
    {"launch_update__guest_init__guest_state", b_guest_init,
     SEV_INVALID_GUEST_STATE},
    {"launch_update__guest_running__guest_state", b_guest_running,
     SEV_INVALID_GUEST_STATE},
    {"launch_update__before_activate__inactive", b_inactive, SEV_INACTIVE},
    {"launch_update__page_of_other_asid__page_owner", b_other_asid,
     SEV_INVALID_PAGE_OWNER},
    {"launch_update__imi_guest_plain_page__param", b_imi_guest,
     SEV_INVALID_PARAM},
    {"launch_update__cpuid_count_65__param", b_cpuid_count, SEV_INVALID_PARAM},
    {"launch_update__order_reserved_platform", b_reserved_and_uninit,
     SEV_INVALID_PARAM},
    {"launch_update__order_platform_address", b_uninit_and_outside,
     SEV_INVALID_PLATFORM_STATE},
    {"launch_update__order_address_gctx", b_outside_and_no_context,
     SEV_INVALID_ADDRESS},
    {"launch_update__order_gctx_page_state", b_no_context_and_state,
     SEV_INVALID_GUEST},
    {"launch_update__order_page_state_size", b_state_and_size,
     SEV_INVALID_PAGE_STATE},
    {"launch_update__order_size_type", b_size_and_type, SEV_INVALID_PAGE_SIZE},
    {"launch_update__order_alignment_type", b_alignment_and_type,
     SEV_INVALID_ADDRESS},
    {"launch_update__order_type_guest_state", b_type_and_guest,
     SEV_INVALID_PARAM},
    {"launch_update__order_2m_type_guest_state", b_vmsa_2m_and_guest,
     SEV_INVALID_PAGE_SIZE},
    {"launch_update__order_guest_state_inactive", b_guest_and_inactive,
     SEV_INVALID_GUEST_STATE},
    {"launch_update__order_inactive_owner", b_inactive_and_owner, SEV_INACTIVE},
    {"launch_update__order_owner_imi", b_owner_and_imi, SEV_INVALID_PAGE_OWNER},
};

static void test_update(void **state)
{
    const struct update_case *c = *state;
    struct update_try t = {0};
    uint8_t buf[SNP_CMD_LAUNCH_UPDATE_SIZE];
    struct fx_snapshot *before;

    t.fx = launching(&t.gctx);
    t.spa = fx_pre_guest(t.fx, fx_page(t.fx), ASID, 0x1000);
    t.cmd = (struct snp_cmd_launch_update){
        .gctx_paddr = t.gctx,
        .page_type = SNP_PAGE_NORMAL,
        .page_paddr = t.spa,
    };
    c->break_it(&t);
    snp_cmd_launch_update_encode(&t.cmd, buf);
    for (size_t i = 0; i < sizeof(buf); i++) {
        buf[i] |= t.set[i];
    }
    before = fx_snapshot(t.fx);
    assert_int_equal(fx_command(t.fx, SNP_CMD_LAUNCH_UPDATE, buf, sizeof(buf)),
                     c->status);
    if (c->status == SEV_SUCCESS) {
        assert_int_equal(fx_state(t.fx, t.spa), RMP_GUEST_VALID);
        fx_snapshot_free(before);
    } else {
        fx_assert_same(t.fx, before);
    }
    snp_fx_free(t.fx);
}

static enum sev_status act_update(struct snp_fx *fx, void *ctx)
{
    const uint64_t *at = ctx;

    return update(fx, at[0], at[1], SNP_PAGE_NORMAL);
}

static void launch_update__callback_fails__nothing_changes(void **state)
{
    uint64_t at[2];
    struct snp_fx *fx = launching(&at[0]);

    (void)state;
    at[1] = fx_pre_guest(fx, fx_page(fx), ASID, 0x1000);
    fx_fill(fx, at[1], 0x21, RMP_PAGE_SIZE);
    assert_int_equal(fx_sweep(fx, act_update, at), 3); /* buffer, page, page */
    snp_fx_free(fx);
}

static enum sev_status act_update_2m(struct snp_fx *fx, void *ctx)
{
    const uint64_t *at = ctx;

    return FX(fx, LAUNCH_UPDATE, launch_update, .gctx_paddr = at[0],
              .size_2m = true, .page_type = SNP_PAGE_UNMEASURED,
              .page_paddr = at[1]);
}

static void launch_update__callback_fails_2m__nothing_changes(void **state)
{
    uint64_t at[2];
    struct snp_fx *fx = launching(&at[0]);

    (void)state;
    at[1] = fx_pre_guest_2m(fx, fx_page_2m(fx), ASID, 0x200000);
    assert_int_equal(fx_sweep(fx, act_update_2m, at), 3);
    snp_fx_free(fx);
}

/* -- LAUNCH_START -----------------------------------------------------------
 */

static void all_features(struct psp_config *config)
{
    config->profile.feature_ecx = 0x3f;
}

static const struct policy_case {
    const char *name;
    const char *profile;
    void (*adjust)(struct psp_config *config);
    uint64_t policy;
    enum sev_status status;
} POLICY_CASES[] = {
    {"policy__smt__success", "milan", NULL, 0x30000, SEV_SUCCESS},
    {"policy__smt_off_while_smt_on__failure", "milan", NULL, 0x20000,
     SEV_POLICY_FAILURE},
    {"policy__bit_17_clear__failure", "milan", NULL, 0x10000,
     SEV_POLICY_FAILURE},
    {"policy__abi_minor_equal__success", "milan", NULL, 0x30137, SEV_SUCCESS},
    {"policy__abi_minor_above__failure", "milan", NULL, 0x30138,
     SEV_POLICY_FAILURE},
    {"policy__abi_major_above__failure", "milan", NULL, 0x30200,
     SEV_POLICY_FAILURE},
    {"policy__abi_major_below__minor_ignored", "milan", NULL, 0x300ff,
     SEV_SUCCESS},
    {"policy__azure_style__success", "milan", NULL, 0x3001f, SEV_SUCCESS},
    {"policy__debug__success", "milan", NULL, 0xb0000, SEV_SUCCESS},
    {"policy__migrate_ma_without_agent__success", "milan", NULL, 0x70000,
     SEV_SUCCESS},
    {"policy__single_socket__success", "milan", NULL, 0x130000, SEV_SUCCESS},
    {"policy__cxl_unknown__failure", "milan", NULL, 0x230000,
     SEV_POLICY_FAILURE},
    {"policy__cxl_known__success", "milan", all_features, 0x230000,
     SEV_SUCCESS},
    {"policy__aes_256_unknown__failure", "milan", NULL, 0x430000,
     SEV_POLICY_FAILURE},
    {"policy__aes_256_known_but_memory_is_128__failure", "milan", all_features,
     0x430000, SEV_POLICY_FAILURE},
    {"policy__rapl_dis_unknown__failure", "milan", NULL, 0x830000,
     SEV_POLICY_FAILURE},
    {"policy__rapl_dis_but_on__failure", "milan", all_features, 0x830000,
     SEV_POLICY_FAILURE},
    {"policy__ciphertext_hiding_unknown__failure", "milan", NULL, 0x1030000,
     SEV_POLICY_FAILURE},
    {"policy__ciphertext_hiding_off__failure", "milan", all_features, 0x1030000,
     SEV_POLICY_FAILURE},
    {"policy__page_swap_disable_unknown__failure", "milan", NULL, 0x2030000,
     SEV_POLICY_FAILURE},
    {"policy__page_swap_disable_on_turin__success", "turin", NULL, 0x2030000,
     SEV_SUCCESS},
    {"policy__bit_26__failure", "turin", all_features, 0x4030000,
     SEV_POLICY_FAILURE},
    {"policy__bit_63__failure", "turin", all_features, 0x8000000000030000,
     SEV_POLICY_FAILURE},
};

static void test_policy(void **state)
{
    const struct policy_case *c = *state;
    struct snp_fx *fx = snp_fx_up(c->profile, c->adjust);
    uint64_t gctx = fx_guest_init(fx);
    struct fx_snapshot *before = fx_snapshot(fx);
    enum sev_status status = FX(fx, LAUNCH_START, launch_start,
                                .gctx_paddr = gctx, .policy = c->policy);

    assert_int_equal(status, c->status);
    if (status == SEV_SUCCESS) {
        assert_int_equal(fx_guest(fx, gctx)->policy, c->policy);
        assert_int_equal(fx_guest(fx, gctx)->state, SNP_GUEST_LAUNCH);
        fx_snapshot_free(before);
    } else {
        fx_assert_same(fx, before);
    }
    snp_fx_free(fx);
}

static void init_with_features(struct snp_fx *fx)
{
    assert_int_equal(FX(fx, INIT_EX, init_ex, .init_rmp = true,
                        .rapl_dis = true, .ciphertext_hiding_en = true,
                        .max_snp_asid = 9),
                     SEV_SUCCESS);
    assert_int_equal(fx_command(fx, SNP_CMD_DF_FLUSH, NULL, 0), SEV_SUCCESS);
}

static void policy__rapl_and_hiding_met__success(void **state)
{
    struct snp_fx *fx = snp_fx_new("milan", all_features);
    uint64_t gctx;

    (void)state;
    init_with_features(fx);
    gctx = fx_guest_init(fx);
    assert_int_equal(FX(fx, LAUNCH_START, launch_start, .gctx_paddr = gctx,
                        .policy = 0x1830000),
                     SEV_SUCCESS);
    snp_fx_free(fx);
}

static void smt_off(struct psp_config *config)
{
    config->profile.platform_info &= ~1ull;
}

static void policy__smt_forbidden_and_off__success(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", smt_off);
    uint64_t gctx = fx_guest_init(fx);

    (void)state;
    assert_int_equal(FX(fx, LAUNCH_START, launch_start, .gctx_paddr = gctx,
                        .policy = 0x20000),
                     SEV_SUCCESS);
    snp_fx_free(fx);
}

static void launch_start__success__fresh_secrets_and_count(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    uint64_t a = fx_guest_init(fx), b = fx_guest_init(fx);
    struct snp_guest *g = fx_guest(fx, a), *h = fx_guest(fx, b);
    uint8_t ones[32];

    (void)state;
    memset(ones, 0xff, sizeof(ones));
    assert_int_equal(fx_snp(fx)->started_guest_count, 0);
    assert_int_equal(FX(fx, LAUNCH_START, launch_start, .gctx_paddr = a,
                        .policy = FX_POLICY, .desired_tsc_freq = 1500000,
                        .gosvw = {7}),
                     SEV_SUCCESS);
    assert_int_equal(FX(fx, LAUNCH_START, launch_start, .gctx_paddr = b,
                        .policy = FX_POLICY),
                     SEV_SUCCESS);
    assert_int_equal(fx_snp(fx)->started_guest_count, 2);
    assert_int_equal(g->desired_tsc_freq, 1500000);
    assert_int_equal(g->gosvw[0], 7);
    assert_memory_equal(g->report_id_ma, ones, 32);
    assert_memory_not_equal(g->report_id, h->report_id, 32);
    assert_memory_not_equal(g->oek, h->oek, 32);
    assert_memory_not_equal(g->vmrk, h->vmrk, 32);
    assert_memory_not_equal(g->vek, h->vek, 32);
    assert_memory_not_equal(g->oek, g->vmrk, 32);
    snp_fx_free(fx);
}

static enum sev_status start_with_agent(struct snp_fx *fx, uint64_t gctx,
                                        uint64_t agent, uint64_t policy)
{
    return FX(fx, LAUNCH_START, launch_start, .gctx_paddr = gctx,
              .policy = policy, .ma_en = true, .ma_gctx_paddr = agent);
}

static void launch_start__agent__its_report_id(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    uint64_t agent = fx_guest_running(fx, 1, FX_POLICY);
    uint64_t gctx = fx_guest_init(fx);

    (void)state;
    assert_int_equal(start_with_agent(fx, gctx, agent, 0x70000), SEV_SUCCESS);
    assert_memory_equal(fx_guest(fx, gctx)->report_id_ma,
                        fx_guest(fx, agent)->report_id, 32);
    assert_int_equal(fx_guest(fx, gctx)->ma_gctx_paddr, agent);
    snp_fx_free(fx);
}

static void launch_start__agent_rules__each_refused(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    uint64_t agent = fx_guest_running(fx, 1, FX_POLICY);
    uint64_t one_socket = fx_guest_running(fx, 2, 0x130000);
    uint64_t led = fx_guest_init(fx), gctx = fx_guest_init(fx);
    struct fx_snapshot *before;

    (void)state;
    assert_int_equal(start_with_agent(fx, led, agent, 0x70000), SEV_SUCCESS);
    before = fx_snapshot(fx);
    assert_int_equal(start_with_agent(fx, gctx, agent, 0x30000),
                     SEV_POLICY_FAILURE); /* MIGRATE_MA missing */
    assert_int_equal(start_with_agent(fx, gctx, led, 0x70000),
                     SEV_POLICY_FAILURE); /* the agent has an agent */
    assert_int_equal(start_with_agent(fx, gctx, agent, 0x170000),
                     SEV_POLICY_FAILURE); /* agent not SINGLE_SOCKET */
    assert_int_equal(start_with_agent(fx, gctx, fx_page(fx), 0x70000),
                     SEV_INVALID_GUEST);
    assert_int_equal(start_with_agent(fx, gctx, FX_MEMORY_SIZE, 0x70000),
                     SEV_INVALID_ADDRESS);
    assert_int_equal(start_with_agent(fx, gctx, agent | 0x10, 0x70000),
                     SEV_INVALID_PARAM);
    assert_int_equal(start_with_agent(fx, agent, fx_page(fx), 0x70000),
                     SEV_INVALID_GUEST_STATE); /* before the agent's page */
    fx_assert_same(fx, before);
    assert_int_equal(start_with_agent(fx, gctx, one_socket, 0x170000),
                     SEV_SUCCESS);
    snp_fx_free(fx);
}

static void launch_start__ma_address_without_ma_en__ignored(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    uint64_t gctx = fx_guest_init(fx);

    (void)state;
    assert_int_equal(FX(fx, LAUNCH_START, launch_start, .gctx_paddr = gctx,
                        .policy = FX_POLICY, .ma_gctx_paddr = UINT64_MAX),
                     SEV_SUCCESS);
    snp_fx_free(fx);
}

static enum sev_status act_start(struct snp_fx *fx, void *ctx)
{
    return FX(fx, LAUNCH_START, launch_start,
              .gctx_paddr = *(const uint64_t *)ctx, .policy = FX_POLICY);
}

static void launch_start__callback_fails__nothing_changes(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    uint64_t gctx = fx_guest_init(fx);

    (void)state;
    assert_int_equal(fx_sweep(fx, act_start, &gctx), 2); /* buffer, entropy */
    snp_fx_free(fx);
}

int main(void)
{
    const struct CMUnitTest plain[] = {
        cmocka_unit_test(launch_digest__sheet_chain__every_value),
        cmocka_unit_test(launch_digest__two_mib_page__as_512_small_ones),
        cmocka_unit_test(launch_update__normal__encrypted_in_place),
        cmocka_unit_test(launch_update__zero__ignores_what_was_there),
        cmocka_unit_test(launch_update__unmeasured__bytes_given),
        cmocka_unit_test(secrets_page__version_3__every_byte),
        cmocka_unit_test(secrets_page__version_2__nothing_behind_the_keys),
        cmocka_unit_test(secrets_page__imi_guest__imi_bit),
        cmocka_unit_test(vmsa__secure_tsc_off__encrypted_as_given),
        cmocka_unit_test(vmsa__secure_tsc_on__firmware_fills_scale_and_offset),
        cmocka_unit_test(vmsa__tsc_fields_differ__same_digest),
        cmocka_unit_test(launch_update__callback_fails__nothing_changes),
        cmocka_unit_test(launch_update__callback_fails_2m__nothing_changes),
        cmocka_unit_test(policy__rapl_and_hiding_met__success),
        cmocka_unit_test(policy__smt_forbidden_and_off__success),
        cmocka_unit_test(launch_start__success__fresh_secrets_and_count),
        cmocka_unit_test(launch_start__agent__its_report_id),
        cmocka_unit_test(launch_start__agent_rules__each_refused),
        cmocka_unit_test(launch_start__ma_address_without_ma_en__ignored),
        cmocka_unit_test(launch_start__callback_fails__nothing_changes),
    };
    struct tst_suite suite = {0};

    TST_ADD(&suite, plain);
    TST_ADD_ROWS(&suite, UPDATE_CASES, test_update);
    TST_ADD_ROWS(&suite, POLICY_CASES, test_policy);
    return tst_suite_run(&suite, "snp/launch");
}
