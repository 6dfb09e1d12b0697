/* SPDX-License-Identifier: Apache-2.0 */
/* Platform commands: each status in the sheet's order. A test starts with
 * everything wrong and mends one thing after the other. abi/sev.md §1.3, §6, §9
 */
#include "sev_host.h"

#include "firmware_key.h"

static void refuse_init(struct sh *h, const struct sev_cmd_init *c,
                        enum sev_status want)
{
    SH_REFUSE(h, SEV_CMD_INIT, init, c, want);
}

static void init__mended_step_by_step__statuses_in_order(void **state)
{
    struct sev_cmd_init c = {2, 1, SH_TMR + 0x1000, 0xfffff};
    struct sh *h = sh_new_off("milan", 1);

    (void)state;
    h->config.sev.smee_off = true;
    h->config.sev.snp_enabled = true;
    sh_power_on(h);
    h->core.sev_state = SEV_PLATFORM_INIT;
    refuse_init(h, &c, SEV_INVALID_PLATFORM_STATE);
    h->core.sev_state = SEV_PLATFORM_UNINIT;
    refuse_init(h, &c, SEV_HWERROR_PLATFORM);
    h->sev.config.smee_off = false;
    refuse_init(h, &c, SEV_INVALID_CONFIG);
    c.options = SEV_OPTION_ES;
    refuse_init(h, &c, SEV_INVALID_CONFIG);
    c.reserved = 0;
    refuse_init(h, &c, SEV_INVALID_PLATFORM_STATE);
    h->sev.config.snp_enabled = false;
    memset(h->nv, 0x5a, sizeof(h->nv));
    h->nv_present = true;
    assert_int_equal(SH_DO(h, SEV_CMD_INIT, init, &c), SEV_SECURE_DATA_INVALID);
    h->nv_stores = 0;
    assert_int_equal(SH_DO(h, SEV_CMD_INIT, init, &c), SEV_INVALID_ADDRESS);
    assert_int_equal(h->nv_stores, 1); /* the keys stay in the store */
    c.tmr_paddr = SH_MEMORY;
    refuse_init(h, &c, SEV_INVALID_LENGTH);
    c.tmr_length = 0x100001;
    refuse_init(h, &c, SEV_INVALID_LENGTH);
    c.tmr_length = 0x100000;
    refuse_init(h, &c, SEV_INVALID_ADDRESS);
    c.tmr_paddr = SH_TMR;
    assert_int_equal(SH_DO(h, SEV_CMD_INIT, init, &c), SEV_SUCCESS);
    assert_int_equal(sh_status(h).state, 1);
    assert_int_equal(h->nv_stores, 1);
    sh_free(h);
}

/* Each bit but the one that exists. */
static void init__reserved_option_bits__invalid_config(void **state)
{
    struct sh *h = sh_new("milan", 1);

    (void)state;
    for (unsigned int bit = 1; bit < 32; bit++) {
        struct sev_cmd_init c = {1u << bit, 0, 0, 0};

        refuse_init(h, &c, SEV_INVALID_CONFIG);
        c.options = 0;
        c.reserved = 1u << bit;
        refuse_init(h, &c, SEV_INVALID_CONFIG);
    }
    sh_free(h);
}

static void init__without_es__tmr_ignored(void **state)
{
    struct sev_cmd_init c = {0, 0, UINT64_MAX, 3};
    struct sh *h = sh_new("milan", 1);
    struct sev_cmd_status s;

    (void)state;
    assert_int_equal(SH_DO(h, SEV_CMD_INIT, init, &c), SEV_SUCCESS);
    s = sh_status(h);
    assert_int_equal(s.state, 1);
    assert_int_equal(s.config, 0);
    sh_free(h);
}

static void init__snp_is_init__tmr_of_2_mib(void **state)
{
    struct sev_cmd_init c = {1, 0, SH_TMR, 0x100000};
    struct sh *h = sh_new_off("milan", 1);
    struct rmp_entry firmware = {.state = RMP_FIRMWARE};

    (void)state;
    h->config.sev.snp_enabled = true;
    h->config.rmp_size = SH_MEMORY;
    sh_power_on(h);
    refuse_init(h, &c, SEV_INVALID_PLATFORM_STATE);
    h->core.snp_state = SNP_PLATFORM_INIT;
    assert_int_equal(SH_DO(h, SEV_CMD_INIT, init, &c), SEV_INVALID_LENGTH);
    c.tmr_length = 0x200000;
    c.tmr_paddr = SH_TMR + 0x100000;
    refuse_init(h, &c, SEV_INVALID_ADDRESS);
    c.tmr_paddr = SH_TMR;
    refuse_init(h, &c, SEV_INVALID_PAGE_STATE);
    for (uint64_t p = 0; p < 0x200000; p += 0x1000) {
        assert_int_equal(rmp_set(h->core.rmp, SH_TMR + p, &firmware), PSP_OK);
    }
    assert_int_equal(SH_DO(h, SEV_CMD_INIT, init, &c), SEV_SUCCESS);
    sh_free(h);
}

static void init__any__every_asid_dirty(void **state)
{
    struct sev_cmd_init c = {0, 0, 0, 0};
    struct sh *h = sh_new("milan", 1);

    (void)state;
    assert_int_equal(SH_DO(h, SEV_CMD_INIT, init, &c), SEV_SUCCESS);
    for (uint32_t asid = 1; asid <= h->core.profile.asid_count; asid++) {
        assert_true(h->core.asids[asid].dirty);
    }
    sh_free(h);
}

static void refuse_init_ex(struct sh *h, const struct sev_cmd_init_ex *c,
                           enum sev_status want)
{
    SH_REFUSE(h, SEV_CMD_INIT_EX, init_ex, c, want);
}

static void init_ex__mended_step_by_step__statuses_in_order(void **state)
{
    struct sev_cmd_init_ex c = {.length = 0x20,
                                .options = 2,
                                .reserved = 1,
                                .tmr_paddr = SH_MEMORY,
                                .tmr_length = 0x200000,
                                .nv_paddr = SH_MEMORY + 1,
                                .nv_length = 0x7000};
    struct sh *h = sh_new("milan", 1);

    (void)state;
    h->core.sev_state = SEV_PLATFORM_INIT;
    refuse_init_ex(h, &c, SEV_INVALID_PLATFORM_STATE);
    h->core.sev_state = SEV_PLATFORM_UNINIT;
    h->sev.config.smee_off = true;
    refuse_init_ex(h, &c, SEV_HWERROR_PLATFORM);
    h->sev.config.smee_off = false;
    refuse_init_ex(h, &c, SEV_INVALID_CONFIG);
    c.options = SEV_OPTION_ES;
    refuse_init_ex(h, &c, SEV_INVALID_CONFIG);
    c.reserved = 0;
    h->sev.config.snp_enabled = true;
    refuse_init_ex(h, &c, SEV_INVALID_PLATFORM_STATE);
    h->sev.config.snp_enabled = false;
    refuse_init_ex(h, &c, SEV_INVALID_LENGTH);
    c.length = 0x24;
    refuse_init_ex(h, &c, SEV_INVALID_ADDRESS); /* alignment */
    c.nv_paddr = SH_MEMORY - 0x1000;
    refuse_init_ex(h, &c, SEV_INVALID_ADDRESS); /* range */
    c.nv_paddr = SH_NV;
    refuse_init_ex(h, &c, SEV_INVALID_LENGTH);
    c.nv_length = 0x8001;
    refuse_init_ex(h, &c, SEV_INVALID_LENGTH);
    c.nv_length = 0x8000;
    assert_int_equal(SH_DO(h, SEV_CMD_INIT_EX, init_ex, &c),
                     SEV_SECURE_DATA_INVALID);
    assert_int_equal(h->memory[SH_NV], 0xff);
    assert_int_equal(h->memory[SH_NV + 0x7fff], 0xff);
    assert_int_equal(h->memory[SH_NV + 0x8000], SH_UNTOUCHED);
    assert_int_equal(SH_DO(h, SEV_CMD_INIT_EX, init_ex, &c),
                     SEV_INVALID_ADDRESS); /* TMR range */
    assert_memory_equal(h->memory + SH_NV, "SWPSPNV1", 8);
    c.tmr_paddr = SH_NV - 0x1000;
    c.tmr_length = 0x1001;
    refuse_init_ex(h, &c, SEV_INVALID_ADDRESS); /* overlap below */
    c.tmr_paddr = SH_NV + 0x7fff;
    refuse_init_ex(h, &c, SEV_INVALID_ADDRESS); /* overlap above */
    c.tmr_paddr = SH_NV + 0x8000;
    refuse_init_ex(h, &c, SEV_INVALID_ADDRESS); /* TMR alignment */
    c.tmr_paddr = SH_TMR;
    refuse_init_ex(h, &c, SEV_INVALID_LENGTH);
    c.tmr_length = 0x100000;
    assert_int_equal(SH_DO(h, SEV_CMD_INIT_EX, init_ex, &c), SEV_SUCCESS);
    assert_int_equal(sh_status(h).config, 1);
    assert_false(h->nv_present); /* the built-in store was not used */
    sh_free(h);
}

static void init_ex__no_nv_buffer__same_as_init(void **state)
{
    struct sev_cmd_init_ex c = {.length = 0x24, .nv_length = 77};
    struct sh *h = sh_new("milan", 1);

    (void)state;
    assert_int_equal(SH_DO(h, SEV_CMD_INIT_EX, init_ex, &c), SEV_SUCCESS);
    assert_true(h->nv_present);
    sh_free(h);
}

static void init_ex__snp_is_init__nv_pages_firmware(void **state)
{
    struct sev_cmd_init_ex c = {
        .length = 0x24, .nv_paddr = SH_NV, .nv_length = 0x8000};
    struct rmp_entry firmware = {.state = RMP_FIRMWARE};
    struct sh *h = sh_new("milan", 1);

    (void)state;
    h->core.snp_state = SNP_PLATFORM_INIT;
    memset(h->memory + SH_NV, 0xff, 0x8000);
    refuse_init_ex(h, &c, SEV_INVALID_PAGE_STATE);
    for (uint64_t p = 0; p < 0x8000; p += 0x1000) {
        assert_int_equal(rmp_set(h->core.rmp, SH_NV + p, &firmware), PSP_OK);
    }
    assert_int_equal(SH_DO(h, SEV_CMD_INIT_EX, init_ex, &c), SEV_SUCCESS);
    sh_free(h);
}

static void status__uninit__nothing_of_the_store_shows(void **state)
{
    struct sh *h = sh_new("milan", 1);
    struct sev_cmd_status s = sh_status(h);

    (void)state;
    assert_int_equal(s.api_major, 1);
    assert_int_equal(s.api_minor, 55);
    assert_int_equal(s.build, 29);
    assert_int_equal(s.state, 0);
    assert_int_equal(s.owner, 0);
    assert_int_equal(s.config, 0);
    assert_int_equal(s.reserved, 0);
    assert_int_equal(s.guest_count, 0);
    sh_up(h);
    assert_int_equal(sh_status(h).config, 1);
    assert_int_equal(sh_plain(h, SEV_CMD_SHUTDOWN), SEV_SUCCESS);
    s = sh_status(h);
    assert_int_equal(s.state, 0);
    assert_int_equal(s.config, 0);
    sh_free(h);
}

/* The bytes of a real machine: abi/sev.md §9.1. */
static void status__api_1_51_build_3__real_bytes(void **state)
{
    struct sh *h = sh_new_off("milan", 1);
    uint8_t buf[12];

    (void)state;
    h->config.profile.api_minor = 51;
    h->config.profile.build = 3;
    sh_power_on(h);
    memset(buf, 0xee, sizeof(buf));
    assert_int_equal(sh_cmd(h, SEV_CMD_PLATFORM_STATUS, buf, 12), SEV_SUCCESS);
    assert_hex_equal(buf, "013300000000000300000000", 12);
    sh_free(h);
}

static void shutdown__guests_alive__all_gone(void **state)
{
    struct sh *h = sh_new("milan", 1);
    uint32_t handle;

    (void)state;
    sh_up(h);
    handle = sh_running(h, 0, SH_ASID);
    (void)sh_launch(h, 0);
    assert_int_equal(sh_status(h).guest_count, 2);
    assert_int_equal(sh_plain(h, SEV_CMD_SHUTDOWN), SEV_SUCCESS);
    assert_int_equal(sh_status(h).guest_count, 0);
    assert_int_equal(sh_status(h).state, 0);
    assert_null(sev_guest_find(&h->sev, handle));
    assert_int_equal(h->core.asids[SH_ASID].user, CORE_ASID_FREE);
    assert_true(psp_all_zero(h->core.asids[SH_ASID].vek, 32));
    assert_true(psp_all_zero(&h->sev.keys, sizeof(h->sev.keys)));
    assert_true(psp_all_zero(&h->sev.cek, sizeof(h->sev.cek)));
    assert_int_equal(sh_plain(h, SEV_CMD_SHUTDOWN), SEV_SUCCESS);
    sh_up(h);
    assert_int_equal(sh_launch(h, 0), 1);
    sh_free(h);
}

static void nop__any_state__nothing(void **state)
{
    struct sh *h = sh_new("milan", 1);
    struct sh_snapshot before = sh_snapshot(h);

    (void)state;
    assert_int_equal(sev_execute(&h->sev, SEV_CMD_NOP, UINT64_MAX),
                     SEV_SUCCESS);
    sh_unchanged(h, before);
    sh_free(h);
}

struct id_case {
    const char *name;
    const char *profile;
    uint32_t sockets;
    uint32_t length;
    enum sev_status status;
    uint32_t out_length;
    uint32_t written;
};

static const struct id_case ID_CASES[] = {
    {"query", "milan", 1, 0, SEV_INVALID_LENGTH, 64, 0},
    {"one short", "milan", 1, 63, SEV_INVALID_LENGTH, 64, 0},
    {"exact", "milan", 1, 64, SEV_SUCCESS, 64, 64},
    {"one long", "milan", 1, 65, SEV_SUCCESS, 64, 64},
    {"127", "milan", 1, 127, SEV_SUCCESS, 64, 64},
    {"128 on one socket", "milan", 1, 128, SEV_SUCCESS, 64, 64},
    {"more", "milan", 1, 4096, SEV_SUCCESS, 64, 64},
    {"query on two sockets", "milan", 2, 0, SEV_INVALID_LENGTH, 64, 0},
    {"64 on two sockets", "milan", 2, 64, SEV_SUCCESS, 64, 64},
    {"128 on two sockets", "milan", 2, 128, SEV_SUCCESS, 128, 128},
    {"129 on two sockets", "milan", 2, 129, SEV_SUCCESS, 64, 64},
    {"query on Turin", "turin", 1, 0, SEV_INVALID_LENGTH, 64, 0},
    {"8 on Turin", "turin", 1, 8, SEV_INVALID_LENGTH, 64, 0},
    {"64 on Turin", "turin", 1, 64, SEV_SUCCESS, 8, 8},
    {"128 on Turin", "turin", 1, 128, SEV_SUCCESS, 8, 8},
    {"64 on two sockets of Turin", "turin", 2, 64, SEV_SUCCESS, 8, 8},
    {"128 on two sockets of Turin", "turin", 2, 128, SEV_SUCCESS, 128, 128},
};

static void test_get_id(void **state)
{
    const struct id_case *t = *state;
    struct sev_cmd_blob c = {SH_OUT, t->length};
    struct sh *h = sh_new_off(t->profile, 1);
    const uint8_t *out = h->memory + SH_OUT;

    h->config.profile.socket_count = t->sockets;
    sh_power_on(h);
    assert_int_equal(SH_DO(h, SEV_CMD_GET_ID, blob, &c), t->status);
    assert_int_equal(c.length, t->out_length);
    assert_int_equal(c.paddr, SH_OUT);
    assert_memory_equal(out, h->config.chip.id,
                        t->written < 64 ? t->written : 64);
    if (t->written == 128) {
        assert_memory_not_equal(out + 64, out, 64);
        assert_false(psp_all_zero(out + 64, 64));
    }
    for (uint32_t i = t->written; i < 256; i++) {
        assert_int_equal(out[i], SH_UNTOUCHED);
    }
    sh_free(h);
}

static void get_id__address_outside_memory__invalid_address(void **state)
{
    struct sev_cmd_blob c = {SH_MEMORY - 63, 64};
    struct sh *h = sh_new("milan", 1);

    (void)state;
    assert_int_equal(SH_DO(h, SEV_CMD_GET_ID, blob, &c), SEV_INVALID_ADDRESS);
    c.paddr = SH_MEMORY - 64;
    c.length = 128; /* only what is written must fit */
    assert_int_equal(SH_DO(h, SEV_CMD_GET_ID, blob, &c), SEV_SUCCESS);
    sh_free(h);
}

static void df_flush__wbinvd_owed__required(void **state)
{
    struct sev_cmd_init c = {0, 0, 0, 0};
    struct sh *h = sh_new("milan", 1);
    struct sh_snapshot before;

    (void)state;
    assert_int_equal(SH_DO(h, SEV_CMD_INIT, init, &c), SEV_SUCCESS);
    h->wbinvd_owed = true;
    before = sh_snapshot(h);
    assert_int_equal(sh_plain(h, SEV_CMD_DF_FLUSH), SEV_WBINVD_REQUIRED);
    sh_unchanged(h, before);
    h->wbinvd_owed = false;
    assert_int_equal(sh_plain(h, SEV_CMD_DF_FLUSH), SEV_SUCCESS);
    for (uint32_t asid = 1; asid <= h->core.profile.asid_count; asid++) {
        assert_false(h->core.asids[asid].dirty);
    }
    sh_free(h);
}

static void refuse_blob(struct sh *h, uint32_t id, uint64_t paddr,
                        uint32_t length, enum sev_status want)
{
    struct sev_cmd_blob c = {paddr, length};

    SH_REFUSE(h, id, blob, &c, want);
}

/* A signed image of the project's format. */
static size_t firmware_image(uint8_t *out, enum psp_generation generation)
{
    struct snp_firmware fw = {.body_size = 32,
                              .generation = generation,
                              .major = 1,
                              .minor = 58,
                              .build = 7};
    struct psp_p384_key key;
    struct psp_p384_sig sig;
    uint8_t digest[SHA384_SIZE];

    memset(out + SNP_FIRMWARE_HEADER_SIZE, 0x42, 32);
    psp_sha384(out + SNP_FIRMWARE_HEADER_SIZE, 32, fw.body_digest);
    snp_firmware_encode(&fw, out);
    psp_sha384(out, SNP_FIRMWARE_SIGNED_SIZE, digest);
    assert_int_equal(pki_firmware_key(&key), PSP_OK);
    assert_int_equal(psp_p384_sign(&key, digest, &sig), PSP_OK);
    sev_number_set(fw.r, sig.r);
    sev_number_set(fw.s, sig.s);
    snp_firmware_encode(&fw, out);
    return SNP_FIRMWARE_HEADER_SIZE + 32;
}

static void download__mended_step_by_step__statuses_in_order(void **state)
{
    const uint32_t id = SEV_CMD_DOWNLOAD_FIRMWARE;
    struct sh *h = sh_new("milan", 1);
    struct sev_cmd_blob c = {SH_IN, 0};
    uint8_t *image = h->memory + SH_IN;

    (void)state;
    h->core.snp_state = SNP_PLATFORM_INIT;
    refuse_blob(h, id, 1, 0, SEV_INVALID_PLATFORM_STATE);
    h->core.snp_state = SNP_PLATFORM_UNINIT;
    refuse_blob(h, id, SH_MEMORY + 16, 0, SEV_INVALID_ADDRESS);
    refuse_blob(h, id, SH_MEMORY, 1, SEV_INVALID_ADDRESS);
    refuse_blob(h, id, SH_IN, 0, SEV_INVALID_LENGTH);
    refuse_blob(h, id, SH_IN, 0x20001, SEV_INVALID_LENGTH);
    refuse_blob(h, id, SH_IN, 0x20000, SEV_BAD_SIGNATURE);
    c.length = (uint32_t)firmware_image(image, PSP_GENOA);
    refuse_blob(h, id, SH_IN, c.length, SEV_UNSUPPORTED);
    c.length = (uint32_t)firmware_image(image, PSP_MILAN);
    refuse_blob(h, id, SH_IN, c.length - 1, SEV_BAD_SIGNATURE);
    image[0x11] ^= 1; /* minor */
    refuse_blob(h, id, SH_IN, c.length, SEV_BAD_SIGNATURE);
    image[0x11] ^= 1;
    image[c.length - 1] ^= 1;
    refuse_blob(h, id, SH_IN, c.length, SEV_BAD_SIGNATURE);
    image[c.length - 1] ^= 1;
    assert_int_equal(SH_DO(h, id, blob, &c), SEV_SUCCESS);
    assert_int_equal(sh_status(h).api_minor, 58);
    assert_int_equal(sh_status(h).build, 7);
    sh_power_off(h);
    sh_power_on(h);
    assert_int_equal(sh_status(h).api_minor, 55);
    sh_free(h);
    h = sh_new("rome", 1);
    refuse_blob(h, id, SH_IN, 0x10001, SEV_INVALID_LENGTH);
    refuse_blob(h, id, SH_IN, 0x10000, SEV_BAD_SIGNATURE);
    sh_free(h);
}

static void refuse_ring(struct sh *h, const struct sev_cmd_ring_buffer *c,
                        enum sev_status want)
{
    SH_REFUSE(h, SEV_CMD_RING_BUFFER, ring_buffer, c, want);
}

static void ring_buffer__mended_step_by_step__statuses_in_order(void **state)
{
    struct sev_cmd_ring_buffer c = {.qlo_cmd_paddr = 1,
                                    .qlo_stat_paddr = 1,
                                    .qhi_cmd_paddr = 1,
                                    .qhi_stat_paddr = SH_MEMORY,
                                    .qlo_size = 0,
                                    .qhi_size = 2};
    struct sh *h = sh_new("milan", 1);

    (void)state;
    refuse_ring(h, &c, SEV_INVALID_PLATFORM_STATE);
    h->core.snp_state = SNP_PLATFORM_INIT; /* as good as legacy INIT */
    refuse_ring(h, &c, SEV_INVALID_PARAM);
    h->core.snp_state = SNP_PLATFORM_UNINIT;
    sh_up(h);
    refuse_ring(h, &c, SEV_INVALID_PARAM);
    c.qlo_size = 1;
    refuse_ring(h, &c, SEV_INVALID_PARAM);
    c.qhi_size = 1;
    refuse_ring(h, &c, SEV_INVALID_ADDRESS);
    c.qlo_cmd_paddr = SH_IN;
    c.qlo_stat_paddr = SH_IN;
    refuse_ring(h, &c, SEV_INVALID_ADDRESS);
    c.qhi_cmd_paddr = SH_IN;
    refuse_ring(h, &c, SEV_INVALID_ADDRESS);
    c.qhi_stat_paddr = SH_IN;
    refuse_ring(h, &c, SEV_UNSUPPORTED);
    sh_free(h);
}

/* Commands that older firmware lacks: abi/sev.md §1.1. */
static void version__before_a_command_came__invalid_command(void **state)
{
    static const struct {
        uint32_t id;
        uint8_t minor;
    } gates[] = {{0x0b, 15}, {0x0c, 16}, {0x36, 23}};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (uint8_t d = 0; d < 2; d++) {
            struct sh *h = sh_new_off("naples", 1);
            uint8_t buf[SEV_CMD_MAX_SIZE] = {0};
            enum sev_status got;

            h->config.profile.api_minor = (uint8_t)(gates[i].minor - 1 + d);
            sh_power_on(h);
            got = sh_cmd(h, gates[i].id, buf,
                         sev_command(gates[i].id)->buffer_size);
            assert_int_equal(got == SEV_INVALID_COMMAND, d == 0);
            sh_free(h);
        }
    }
}

/* Hosts with memory encryption set the C-bit in addresses. */
static void address__with_the_c_bit__the_same_memory(void **state)
{
    static const struct {
        const char *profile;
        unsigned int bit;
    } cases[] = {{"naples", 47}, {"rome", 47}, {"milan", 51}, {"turin", 51}};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct sev_cmd_blob c = {SH_OUT | 1ull << cases[i].bit, 64};
        struct sh *h = sh_new(cases[i].profile, 1);

        assert_int_equal(SH_DO(h, SEV_CMD_GET_ID, blob, &c), SEV_SUCCESS);
        assert_int_equal(c.paddr, SH_OUT | 1ull << cases[i].bit);
        assert_memory_equal(h->memory + SH_OUT, h->config.chip.id, c.length);
        c = (struct sev_cmd_blob){SH_OUT | 1ull << 46, 64};
        assert_int_equal(SH_DO(h, SEV_CMD_GET_ID, blob, &c),
                         SEV_INVALID_ADDRESS);
        sh_free(h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init__mended_step_by_step__statuses_in_order),
        cmocka_unit_test(init__reserved_option_bits__invalid_config),
        cmocka_unit_test(init__without_es__tmr_ignored),
        cmocka_unit_test(init__snp_is_init__tmr_of_2_mib),
        cmocka_unit_test(init__any__every_asid_dirty),
        cmocka_unit_test(init_ex__mended_step_by_step__statuses_in_order),
        cmocka_unit_test(init_ex__no_nv_buffer__same_as_init),
        cmocka_unit_test(init_ex__snp_is_init__nv_pages_firmware),
        cmocka_unit_test(status__uninit__nothing_of_the_store_shows),
        cmocka_unit_test(status__api_1_51_build_3__real_bytes),
        cmocka_unit_test(shutdown__guests_alive__all_gone),
        cmocka_unit_test(nop__any_state__nothing),
        cmocka_unit_test(get_id__address_outside_memory__invalid_address),
        cmocka_unit_test(df_flush__wbinvd_owed__required),
        cmocka_unit_test(download__mended_step_by_step__statuses_in_order),
        cmocka_unit_test(ring_buffer__mended_step_by_step__statuses_in_order),
        cmocka_unit_test(version__before_a_command_came__invalid_command),
        cmocka_unit_test(address__with_the_c_bit__the_same_memory),
    };
    struct CMUnitTest ids[sizeof(ID_CASES) / sizeof(ID_CASES[0])];
    int failed;

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        ids[i] = sh_row(ID_CASES[i].name, test_get_id, &ID_CASES[i]);
    }
    failed = cmocka_run_group_tests_name("sev/platform", tests, NULL, NULL);
    failed += cmocka_run_group_tests_name("sev/get_id", ids, NULL, NULL);
    return failed;
}
