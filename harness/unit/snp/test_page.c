/* SPDX-License-Identifier: Apache-2.0 */
/* PAGE_RECLAIM, PAGE_SET_STATE, PAGE_UNSMASH, DBG_DECRYPT, DBG_ENCRYPT.
 * abi/snp.md §1.15, §1.17, §3 */
#include "snp_fixture.h"

#include "wire.h"

#define ASID 3u
#define LIST 0x20000ull

#define BREAK(name) static void name(struct fx_try *t)

BREAK(uninit)
{
    fx_core(t->fx)->snp_state = SNP_PLATFORM_UNINIT;
}

/* A page of @state; 2 MiB if asked and possible. */
static uint64_t page_in(struct snp_fx *fx, enum rmp_state state, bool size_2m)
{
    struct rmp *rmp = psp_rmp(fx->psp);
    uint64_t spa = size_2m ? fx_page_2m(fx) : fx_page(fx);
    struct rmp_entry e = {.state = state, .size_2m = size_2m};

    if (state == RMP_DEFAULT) {
        return FX_DEFAULT_PAGE;
    }
    if (state >= RMP_PRE_GUEST) {
        e.asid = ASID;
        e.gpa = 0x40000000;
        e.vmpl[0] = RMP_PERM_ALL;
    }
    for (uint64_t i = 0; i < (size_2m ? SNP_PAGES_2M : 1); i++) {
        assert_int_equal(rmp_set(rmp, spa + i * RMP_PAGE_SIZE, &e), PSP_OK);
        e.gpa += e.asid == 0 ? 0 : RMP_PAGE_SIZE;
    }
    return spa;
}

/* -- RECLAIM ----------------------------------------------------------------
 */

static const struct reclaim_case {
    const char *name;
    enum rmp_state from;
    bool size_2m;
    enum sev_status status;
    enum rmp_state to;
} RECLAIM_CASES[] = {
    {"reclaim__default__page_state", RMP_DEFAULT, false, SEV_INVALID_PAGE_STATE,
     RMP_DEFAULT},
    {"reclaim__hypervisor__success", RMP_HYPERVISOR, false, SEV_SUCCESS,
     RMP_HYPERVISOR},
    {"reclaim__hv_fixed__page_state", RMP_HV_FIXED, false,
     SEV_INVALID_PAGE_STATE, RMP_HV_FIXED},
    {"reclaim__reclaim__success", RMP_RECLAIM, false, SEV_SUCCESS, RMP_RECLAIM},
    {"reclaim__firmware__reclaim", RMP_FIRMWARE, false, SEV_SUCCESS,
     RMP_RECLAIM},
    {"reclaim__context__page_state", RMP_CONTEXT, false, SEV_INVALID_PAGE_STATE,
     RMP_CONTEXT},
    {"reclaim__metadata__reclaim", RMP_METADATA, false, SEV_SUCCESS,
     RMP_RECLAIM},
    {"reclaim__pre_guest__guest_invalid", RMP_PRE_GUEST, false, SEV_SUCCESS,
     RMP_GUEST_INVALID},
    {"reclaim__pre_swap__guest_valid", RMP_PRE_SWAP, false, SEV_SUCCESS,
     RMP_GUEST_VALID},
    {"reclaim__guest_invalid__success", RMP_GUEST_INVALID, false, SEV_SUCCESS,
     RMP_GUEST_INVALID},
    {"reclaim__guest_valid__success", RMP_GUEST_VALID, false, SEV_SUCCESS,
     RMP_GUEST_VALID},
    {"reclaim__firmware_2m__reclaim", RMP_FIRMWARE, true, SEV_SUCCESS,
     RMP_RECLAIM},
    {"reclaim__pre_guest_2m__guest_invalid", RMP_PRE_GUEST, true, SEV_SUCCESS,
     RMP_GUEST_INVALID},
    {"reclaim__pre_swap_2m__guest_valid", RMP_PRE_SWAP, true, SEV_SUCCESS,
     RMP_GUEST_VALID},
};

static void test_reclaim(void **state)
{
    const struct reclaim_case *c = *state;
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    uint64_t spa = page_in(fx, c->from, c->size_2m);
    uint64_t pages = c->size_2m ? SNP_PAGES_2M : 1;

    assert_int_equal(FX(fx, PAGE_RECLAIM, page_reclaim, .page_paddr = spa,
                        .size_2m = c->size_2m),
                     c->status);
    for (uint64_t i = 0; i < pages; i++) {
        assert_int_equal(fx_state(fx, spa + i * RMP_PAGE_SIZE), c->to);
    }
    if (c->from >= RMP_PRE_GUEST) {
        struct rmp_entry e = rmp_get(psp_rmp(fx->psp), spa);

        assert_int_equal(e.asid, ASID);
        assert_int_equal(e.gpa, 0x40000000);
        assert_int_equal(rmp_asid_page_count(psp_rmp(fx->psp), ASID), pages);
    }
    snp_fx_free(fx);
}

BREAK(reclaim)
{
    t->fx = snp_fx_up("milan", NULL);
    t->page = page_in(t->fx, RMP_FIRMWARE, false);
    t->other = page_in(t->fx, RMP_FIRMWARE, true);
    FX_SET(t, PAGE_RECLAIM, PAGE_RECLAIM, page_reclaim, .page_paddr = t->page);
}
BREAK(r_bit_1)
{
    t->buf[0] |= 2;
}
BREAK(r_bit_11)
{
    t->buf[1] |= 8;
}
BREAK(r_outside)
{
    fx_put64(t, 0, FX_MEMORY_SIZE);
}
BREAK(r_2m_flag)
{
    t->buf[0] |= 1;
}
BREAK(r_2m_page_4k_flag)
{
    fx_put64(t, 0, t->other);
}
BREAK(r_2m_misaligned)
{
    fx_put64(t, 0, (t->other + RMP_PAGE_SIZE) | 1);
}
BREAK(r_reserved_and_uninit)
{
    r_bit_1(t);
    uninit(t);
}
BREAK(r_uninit_and_outside)
{
    r_outside(t);
    uninit(t);
}
BREAK(r_size_and_state)
{
    fx_put64(t, 0, page_in(t->fx, RMP_HV_FIXED, false) | 1);
}

/* -- SET_STATE --------------------------------------------------------------
 */

static void put_list(struct fx_try *t, const struct snp_range *ranges,
                     size_t count)
{
    uint8_t page[SNP_RANGE_LIST_SIZE];

    snp_range_list_encode(ranges, count, page);
    fx_write(t->fx, LIST, page, sizeof(page));
}

BREAK(set_state)
{
    t->fx = snp_fx_up("milan", NULL);
    t->page = page_in(t->fx, RMP_FIRMWARE, false);
    (void)page_in(t->fx, RMP_FIRMWARE, false); /* its neighbour */
    t->other = page_in(t->fx, RMP_FIRMWARE, true);
    put_list(t,
             (struct snp_range[]){
                 {t->other, SNP_PAGES_2M}, {t->page, 2}, {t->page, 1}},
             3);
    FX_SET(t, PAGE_SET_STATE, PAGE_SET_STATE, page_set_state, .len = 0x10,
           .list_paddr = LIST);
}
BREAK(ss_len)
{
    fx_put32(t, 0, 0x18);
}
BREAK(ss_mbz)
{
    fx_put32(t, 4, 1);
}
BREAK(ss_unaligned)
{
    fx_put64(t, 8, LIST + 8);
}
BREAK(ss_list_outside)
{
    fx_put64(t, 8, FX_MEMORY_SIZE);
}
static void ss_poke(struct fx_try *t, uint64_t offset, uint8_t byte)
{
    fx_write(t->fx, LIST + offset, &byte, 1);
}
BREAK(ss_256_ranges)
{
    ss_poke(t, 1, 1);
}
BREAK(ss_list_reserved)
{
    ss_poke(t, 7, 1);
}
BREAK(ss_range_reserved)
{
    ss_poke(t, 8 + 15, 1);
}
BREAK(ss_base_unaligned)
{
    ss_poke(t, 8 + 16 + 1, 4);
}
BREAK(ss_range_outside)
{
    put_list(
        t, (struct snp_range[]){{t->page, 1}, {FX_MEMORY_SIZE - 0x1000, 2}}, 2);
}
BREAK(ss_one_hypervisor)
{
    put_list(t, (struct snp_range[]){{t->page, 2}, {fx_page(t->fx), 1}}, 2);
}
BREAK(ss_one_context)
{
    put_list(t, (struct snp_range[]){{t->page, 2}, {fx_guest_init(t->fx), 1}},
             2);
}
BREAK(ss_runs_out)
{
    put_list(t, (struct snp_range[]){{t->page, UINT32_MAX >> 20}}, 1);
}
BREAK(ss_part_of_2m)
{
    put_list(t, (struct snp_range[]){{t->other, SNP_PAGES_2M - 1}}, 1);
}
BREAK(ss_rest_of_2m)
{
    put_list(t, (struct snp_range[]){{t->other + 0x1000, SNP_PAGES_2M - 1}}, 1);
}
BREAK(ss_len_and_mbz)
{
    ss_len(t);
    ss_mbz(t);
}

static void set_state__success__hv_fixed_for_good(void **state)
{
    struct fx_try t = {0};

    (void)state;
    set_state(&t);
    assert_int_equal(fx_execute(&t), SEV_SUCCESS);
    assert_int_equal(fx_state(t.fx, t.page), RMP_HV_FIXED);
    assert_int_equal(fx_state(t.fx, t.page + 0x1000), RMP_HV_FIXED);
    assert_int_equal(fx_state(t.fx, t.other + 0x1ff000), RMP_HV_FIXED);
    assert_true(rmp_host_may_write(psp_rmp(t.fx->psp), t.page));
    assert_int_equal(fx_execute(&t), SEV_INVALID_PAGE_STATE);
    snp_fx_free(t.fx);
}

/* -- UNSMASH ----------------------------------------------------------------
 */

static void small_pages(struct fx_try *t, enum rmp_state state)
{
    struct rmp_entry e = {.state = state,
                          .asid = ASID,
                          .gpa = 0x40000000,
                          .vmpl = {0x0f, 0x07, 0, 0}};

    t->page = fx_page_2m(t->fx);
    for (uint64_t i = 0; i < SNP_PAGES_2M; i++) {
        assert_int_equal(
            rmp_set(psp_rmp(t->fx->psp), t->page + i * RMP_PAGE_SIZE, &e),
            PSP_OK);
        e.gpa += RMP_PAGE_SIZE;
    }
    fx_put64(t, 0, t->page);
}
BREAK(unsmash)
{
    t->fx = snp_fx_up("milan", NULL);
    FX_SET(t, PAGE_UNSMASH, PAGE_UNSMASH, page_unsmash, .page_paddr = 0);
    small_pages(t, RMP_PRE_GUEST);
}
BREAK(unsmash_pre_swap)
{
    unsmash(t);
    small_pages(t, RMP_PRE_SWAP);
}
/* Alter the entry of the 300th small page. */
#define EDIT(name, statement)                                                  \
    BREAK(name)                                                                \
    {                                                                          \
        uint64_t spa = t->page + 300 * RMP_PAGE_SIZE;                          \
        struct rmp_entry e = rmp_get(psp_rmp(t->fx->psp), spa);                \
                                                                               \
        statement;                                                             \
        rmp_replace(psp_rmp(t->fx->psp), spa, &e);                             \
    }
EDIT(u_other_state, e.state = RMP_PRE_SWAP)
EDIT(u_other_asid, e.asid = ASID + 1)
EDIT(u_no_asid, e.asid = 0)
EDIT(u_vmsa, e.vmsa = true)
EDIT(u_other_perms, e.vmpl[3] = 1)
EDIT(u_gpa_gap, e.gpa += RMP_PAGE_SIZE)
EDIT(u_one_hole, e.state = RMP_HYPERVISOR)
BREAK(u_gpa_unaligned)
{
    for (uint64_t i = 0; i < SNP_PAGES_2M; i++) {
        uint64_t spa = t->page + i * RMP_PAGE_SIZE;
        struct rmp_entry e = rmp_get(psp_rmp(t->fx->psp), spa);

        e.gpa += 0x1000;
        rmp_replace(psp_rmp(t->fx->psp), spa, &e);
    }
}
BREAK(u_guest_valid)
{
    small_pages(t, RMP_GUEST_VALID);
}
BREAK(u_already)
{
    assert_int_equal(fx_execute(t), SEV_SUCCESS);
}
BREAK(u_hypervisor)
{
    fx_put64(t, 0, fx_page_2m(t->fx));
}
BREAK(u_unaligned)
{
    fx_put64(t, 0, t->page + RMP_PAGE_SIZE);
}
BREAK(u_bit_0)
{
    t->buf[0] |= 1;
}
BREAK(u_outside)
{
    fx_put64(t, 0, FX_MEMORY_SIZE);
}

static void unsmash__success__one_2m_page(void **state)
{
    struct fx_try t = {0};

    (void)state;
    unsmash(&t);
    assert_int_equal(fx_execute(&t), SEV_SUCCESS);
    for (uint64_t i = 0; i < SNP_PAGES_2M; i++) {
        struct rmp_entry e =
            rmp_get(psp_rmp(t.fx->psp), t.page + i * RMP_PAGE_SIZE);

        assert_true(e.size_2m);
        assert_int_equal(e.gpa, 0x40000000 + i * RMP_PAGE_SIZE);
    }
    assert_int_equal(rmp_asid_page_count(psp_rmp(t.fx->psp), ASID), 512);
    snp_fx_free(t.fx);
}

/* -- DBG --------------------------------------------------------------------
 */

static void dbg_guest(struct fx_try *t, uint64_t policy)
{
    uint8_t data[RMP_PAGE_SIZE];

    memset(data, 0x3c, sizeof(data));
    t->fx = snp_fx_up("milan", NULL);
    t->gctx = fx_guest_launch(t->fx, ASID, policy);
    t->page = fx_launch_page(t->fx, t->gctx, SNP_PAGE_NORMAL, 0x1000, data);
}
BREAK(decrypt)
{
    dbg_guest(t, FX_DEBUG);
    t->other = fx_firmware(t->fx, fx_page(t->fx));
    FX_SET(t, DBG_DECRYPT, DBG, dbg, .gctx_paddr = t->gctx,
           .src_paddr = t->page, .dst_paddr = t->other);
}
BREAK(encrypt)
{
    dbg_guest(t, FX_DEBUG);
    t->other = fx_page(t->fx);
    fx_fill(t->fx, t->other, 0x99, RMP_PAGE_SIZE);
    fx_pre_guest(t->fx, t->page, ASID, 0x1000); /* Guest-Valid to Pre-Swap */
    FX_SET(t, DBG_ENCRYPT, DBG, dbg, .gctx_paddr = t->gctx,
           .src_paddr = t->other, .dst_paddr = t->page);
}
BREAK(encrypt_pre_guest)
{
    encrypt(t);
    fx_put64(t, 0x10, fx_pre_guest(t->fx, fx_page(t->fx), ASID, 0x2000));
}
BREAK(d_running)
{
    assert_int_equal(
        FX(t->fx, LAUNCH_FINISH, launch_finish, .gctx_paddr = t->gctx),
        SEV_SUCCESS);
}
BREAK(d_gctx_low)
{
    t->buf[0] = 1;
}
BREAK(d_src_low)
{
    t->buf[8] |= 0x10;
}
BREAK(d_dst_low)
{
    t->buf[0x11] |= 0x08;
}
BREAK(d_gctx_outside)
{
    fx_put64(t, 0, FX_MEMORY_SIZE);
}
BREAK(d_src_outside)
{
    fx_put64(t, 8, FX_MEMORY_SIZE);
}
BREAK(d_dst_outside)
{
    fx_put64(t, 0x10, UINT64_MAX - 0xfff);
}
BREAK(d_no_context)
{
    fx_put64(t, 0, fx_page(t->fx));
}
BREAK(d_src_hypervisor)
{
    fx_put64(t, 8, fx_page(t->fx));
}
BREAK(d_src_firmware)
{
    fx_put64(t, 8, fx_firmware(t->fx, fx_page(t->fx)));
}
BREAK(d_dst_hypervisor)
{
    fx_put64(t, 0x10, fx_page(t->fx));
}
BREAK(d_dst_default)
{
    fx_put64(t, 0x10, FX_DEFAULT_PAGE);
}
BREAK(d_dst_guest_valid)
{
    fx_put64(t, 0x10,
             fx_launch_page(t->fx, t->gctx, SNP_PAGE_ZERO, 0x9000, NULL));
}
BREAK(d_src_other_guest)
{
    uint64_t other = fx_guest_launch(t->fx, ASID + 1, FX_DEBUG);

    fx_put64(t, 8, fx_launch_page(t->fx, other, SNP_PAGE_ZERO, 0x1000, NULL));
}
BREAK(d_dst_other_guest)
{
    fx_put64(t, 0x10, fx_pre_guest(t->fx, fx_page(t->fx), ASID + 1, 0x1000));
}
BREAK(d_no_debug)
{
    fx_guest(t->fx, t->gctx)->policy = FX_POLICY;
}
BREAK(d_guest_init)
{
    fx_put64(t, 0, fx_guest_init(t->fx));
}
BREAK(d_inactive)
{
    uint64_t gctx = fx_guest_init(t->fx);

    assert_int_equal(FX(t->fx, LAUNCH_START, launch_start, .gctx_paddr = gctx,
                        .policy = FX_DEBUG),
                     SEV_SUCCESS);
    fx_put64(t, 0, gctx);
}
BREAK(d_reserved_and_uninit)
{
    d_src_low(t);
    uninit(t);
}
BREAK(d_guest_and_state)
{
    d_no_context(t);
    d_src_hypervisor(t);
}
BREAK(d_state_and_owner)
{
    d_src_other_guest(t);
    d_dst_hypervisor(t);
}
BREAK(d_owner_and_policy)
{
    d_src_other_guest(t);
    d_no_debug(t);
}
BREAK(e_owner_and_policy)
{
    d_dst_other_guest(t);
    d_no_debug(t);
}

static void dbg_decrypt__guest_page__plaintext(void **state)
{
    struct fx_try t = {0};
    uint8_t got[RMP_PAGE_SIZE], want[RMP_PAGE_SIZE];

    (void)state;
    decrypt(&t);
    assert_int_equal(fx_execute(&t), SEV_SUCCESS);
    memset(want, 0x3c, sizeof(want));
    fx_read(t.fx, t.other, got, sizeof(got));
    assert_memory_equal(got, want, sizeof(got));
    assert_int_equal(fx_state(t.fx, t.other), RMP_FIRMWARE);
    snp_fx_free(t.fx);
}

static void dbg_decrypt__piece_of_2m_page__that_piece(void **state)
{
    struct fx_try t = {0};
    uint64_t spa;
    uint8_t byte;

    (void)state;
    decrypt(&t);
    spa = fx_page_2m(t.fx);
    fx_fill(t.fx, spa + 5 * RMP_PAGE_SIZE, 0x5e, RMP_PAGE_SIZE);
    fx_pre_guest_2m(t.fx, spa, ASID, 0x200000);
    assert_int_equal(FX(t.fx, LAUNCH_UPDATE, launch_update,
                        .gctx_paddr = t.gctx, .size_2m = true,
                        .page_type = SNP_PAGE_NORMAL, .page_paddr = spa),
                     SEV_SUCCESS);
    fx_put64(&t, 8, spa + 5 * RMP_PAGE_SIZE);
    assert_int_equal(fx_execute(&t), SEV_SUCCESS);
    fx_read(t.fx, t.other + 77, &byte, 1);
    assert_int_equal(byte, 0x5e);
    snp_fx_free(t.fx);
}

static void dbg_encrypt__pre_swap_page__guest_sees_it(void **state)
{
    struct fx_try t = {0};
    uint8_t got[RMP_PAGE_SIZE], want[RMP_PAGE_SIZE];

    (void)state;
    encrypt(&t);
    assert_int_equal(fx_state(t.fx, t.page), RMP_PRE_SWAP);
    assert_int_equal(fx_execute(&t), SEV_SUCCESS);
    memset(want, 0x99, sizeof(want));
    assert_int_equal(
        psp_guest_mem_read(t.fx->psp, ASID, t.page, got, sizeof(got)), PSP_OK);
    assert_memory_equal(got, want, sizeof(got));
    snp_fx_free(t.fx);
}

static enum sev_status act_execute(struct snp_fx *fx, void *ctx)
{
    (void)fx;
    return fx_execute(ctx);
}

static void page__callback_fails__nothing_changes(void **state)
{
    const struct {
        void (*prepare)(struct fx_try *);
        unsigned int callbacks;
    } rows[] = {
        {reclaim, 1}, {set_state, 2}, {unsmash, 1}, {decrypt, 3}, {encrypt, 3}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fx_try t = {0};

        rows[i].prepare(&t);
        assert_int_equal(fx_sweep(t.fx, act_execute, &t), rows[i].callbacks);
        snp_fx_free(t.fx);
    }
}

static const struct fx_case CASES[] = {
    {"reclaim__success", reclaim, NULL, SEV_SUCCESS},
    {"reclaim__bit_1__param", reclaim, r_bit_1, SEV_INVALID_PARAM},
    {"reclaim__bit_11__param", reclaim, r_bit_11, SEV_INVALID_PARAM},
    {"reclaim__uninit__platform_state", reclaim, uninit,
     SEV_INVALID_PLATFORM_STATE},
    {"reclaim__outside__address", reclaim, r_outside, SEV_INVALID_ADDRESS},
    {"reclaim__2m_flag_on_4k__page_size", reclaim, r_2m_flag,
     SEV_INVALID_PAGE_SIZE},
    {"reclaim__4k_flag_on_2m__page_size", reclaim, r_2m_page_4k_flag,
     SEV_INVALID_PAGE_SIZE},
    {"reclaim__2m_misaligned__address", reclaim, r_2m_misaligned,
     SEV_INVALID_ADDRESS},
    {"reclaim__order_reserved_platform", reclaim, r_reserved_and_uninit,
     SEV_INVALID_PARAM},
    {"reclaim__order_platform_address", reclaim, r_uninit_and_outside,
     SEV_INVALID_PLATFORM_STATE},
    {"reclaim__order_size_state", reclaim, r_size_and_state,
     SEV_INVALID_PAGE_SIZE},

    {"set_state__success", set_state, NULL, SEV_SUCCESS},
    {"set_state__len__length", set_state, ss_len, SEV_INVALID_LENGTH},
    {"set_state__mbz__param", set_state, ss_mbz, SEV_INVALID_PARAM},
    {"set_state__list_unaligned__param", set_state, ss_unaligned,
     SEV_INVALID_PARAM},
    {"set_state__uninit__platform_state", set_state, uninit,
     SEV_INVALID_PLATFORM_STATE},
    {"set_state__list_outside__address", set_state, ss_list_outside,
     SEV_INVALID_ADDRESS},
    {"set_state__256_ranges__param", set_state, ss_256_ranges,
     SEV_INVALID_PARAM},
    {"set_state__list_reserved__param", set_state, ss_list_reserved,
     SEV_INVALID_PARAM},
    {"set_state__range_reserved__param", set_state, ss_range_reserved,
     SEV_INVALID_PARAM},
    {"set_state__base_unaligned__param", set_state, ss_base_unaligned,
     SEV_INVALID_PARAM},
    {"set_state__range_outside__address", set_state, ss_range_outside,
     SEV_INVALID_ADDRESS},
    {"set_state__one_hypervisor_page__page_state", set_state, ss_one_hypervisor,
     SEV_INVALID_PAGE_STATE},
    {"set_state__one_context_page__page_state", set_state, ss_one_context,
     SEV_INVALID_PAGE_STATE},
    {"set_state__longer_than_the_pages__page_state", set_state, ss_runs_out,
     SEV_INVALID_PAGE_STATE},
    {"set_state__first_part_of_2m__page_size", set_state, ss_part_of_2m,
     SEV_INVALID_PAGE_SIZE},
    {"set_state__rest_of_2m__page_size", set_state, ss_rest_of_2m,
     SEV_INVALID_PAGE_SIZE},
    {"set_state__order_length_param", set_state, ss_len_and_mbz,
     SEV_INVALID_LENGTH},

    {"unsmash__pre_guest__success", unsmash, NULL, SEV_SUCCESS},
    {"unsmash__pre_swap__success", unsmash_pre_swap, NULL, SEV_SUCCESS},
    {"unsmash__unaligned__param", unsmash, u_unaligned, SEV_INVALID_PARAM},
    {"unsmash__bit_0__param", unsmash, u_bit_0, SEV_INVALID_PARAM},
    {"unsmash__uninit__platform_state", unsmash, uninit,
     SEV_INVALID_PLATFORM_STATE},
    {"unsmash__outside__address", unsmash, u_outside, SEV_INVALID_ADDRESS},
    {"unsmash__other_state__page_state", unsmash, u_other_state,
     SEV_INVALID_PAGE_STATE},
    {"unsmash__other_asid__page_state", unsmash, u_other_asid,
     SEV_INVALID_PAGE_STATE},
    {"unsmash__no_asid__page_state", unsmash, u_no_asid,
     SEV_INVALID_PAGE_STATE},
    {"unsmash__vmsa__page_state", unsmash, u_vmsa, SEV_INVALID_PAGE_STATE},
    {"unsmash__other_permissions__page_state", unsmash, u_other_perms,
     SEV_INVALID_PAGE_STATE},
    {"unsmash__gap_in_gpa__page_state", unsmash, u_gpa_gap,
     SEV_INVALID_PAGE_STATE},
    {"unsmash__hole__page_state", unsmash, u_one_hole, SEV_INVALID_PAGE_STATE},
    {"unsmash__gpa_not_2m__page_state", unsmash, u_gpa_unaligned,
     SEV_INVALID_PAGE_STATE},
    {"unsmash__not_immutable__page_state", unsmash, u_guest_valid,
     SEV_INVALID_PAGE_STATE},
    {"unsmash__2m_already__page_state", unsmash, u_already,
     SEV_INVALID_PAGE_STATE},
    {"unsmash__hypervisor_pages__page_state", unsmash, u_hypervisor,
     SEV_INVALID_PAGE_STATE},

    {"dbg_decrypt__success", decrypt, NULL, SEV_SUCCESS},
    {"dbg_decrypt__running__success", decrypt, d_running, SEV_SUCCESS},
    {"dbg_decrypt__gctx_low__param", decrypt, d_gctx_low, SEV_INVALID_PARAM},
    {"dbg_decrypt__src_low__param", decrypt, d_src_low, SEV_INVALID_PARAM},
    {"dbg_decrypt__dst_low__param", decrypt, d_dst_low, SEV_INVALID_PARAM},
    {"dbg_decrypt__uninit__platform_state", decrypt, uninit,
     SEV_INVALID_PLATFORM_STATE},
    {"dbg_decrypt__gctx_outside__address", decrypt, d_gctx_outside,
     SEV_INVALID_ADDRESS},
    {"dbg_decrypt__src_outside__address", decrypt, d_src_outside,
     SEV_INVALID_ADDRESS},
    {"dbg_decrypt__dst_outside__address", decrypt, d_dst_outside,
     SEV_INVALID_ADDRESS},
    {"dbg_decrypt__no_context__guest", decrypt, d_no_context,
     SEV_INVALID_GUEST},
    {"dbg_decrypt__src_hypervisor__page_state", decrypt, d_src_hypervisor,
     SEV_INVALID_PAGE_STATE},
    {"dbg_decrypt__src_firmware__page_state", decrypt, d_src_firmware,
     SEV_INVALID_PAGE_STATE},
    {"dbg_decrypt__dst_hypervisor__page_state", decrypt, d_dst_hypervisor,
     SEV_INVALID_PAGE_STATE},
    {"dbg_decrypt__dst_default__page_state", decrypt, d_dst_default,
     SEV_INVALID_PAGE_STATE},
    {"dbg_decrypt__guest_init__guest_state", decrypt, d_guest_init,
     SEV_INVALID_GUEST_STATE},
    {"dbg_decrypt__other_guests_page__page_owner", decrypt, d_src_other_guest,
     SEV_INVALID_PAGE_OWNER},
    {"dbg_decrypt__no_debug__policy", decrypt, d_no_debug, SEV_POLICY_FAILURE},
    {"dbg_decrypt__inactive__page_owner", decrypt, d_inactive,
     SEV_INVALID_PAGE_OWNER},
    {"dbg_decrypt__order_reserved_platform", decrypt, d_reserved_and_uninit,
     SEV_INVALID_PARAM},
    {"dbg_decrypt__order_guest_page_state", decrypt, d_guest_and_state,
     SEV_INVALID_GUEST},
    {"dbg_decrypt__order_page_state_owner", decrypt, d_state_and_owner,
     SEV_INVALID_PAGE_STATE},
    {"dbg_decrypt__order_owner_policy", decrypt, d_owner_and_policy,
     SEV_INVALID_PAGE_OWNER},

    {"dbg_encrypt__pre_swap__success", encrypt, NULL, SEV_SUCCESS},
    {"dbg_encrypt__pre_guest__success", encrypt_pre_guest, NULL, SEV_SUCCESS},
    {"dbg_encrypt__running__success", encrypt, d_running, SEV_SUCCESS},
    {"dbg_encrypt__src_low__param", encrypt, d_src_low, SEV_INVALID_PARAM},
    {"dbg_encrypt__dst_low__param", encrypt, d_dst_low, SEV_INVALID_PARAM},
    {"dbg_encrypt__order_platform_reserved", encrypt, d_reserved_and_uninit,
     SEV_INVALID_PLATFORM_STATE},
    {"dbg_encrypt__src_outside__address", encrypt, d_src_outside,
     SEV_INVALID_ADDRESS},
    {"dbg_encrypt__dst_outside__address", encrypt, d_dst_outside,
     SEV_INVALID_ADDRESS},
    {"dbg_encrypt__no_context__guest", encrypt, d_no_context,
     SEV_INVALID_GUEST},
    {"dbg_encrypt__dst_hypervisor__page_state", encrypt, d_dst_hypervisor,
     SEV_INVALID_PAGE_STATE},
    {"dbg_encrypt__dst_guest_valid__page_state", encrypt, d_dst_guest_valid,
     SEV_INVALID_PAGE_STATE},
    {"dbg_encrypt__guest_init__guest_state", encrypt, d_guest_init,
     SEV_INVALID_GUEST_STATE},
    {"dbg_encrypt__other_guests_page__page_owner", encrypt, d_dst_other_guest,
     SEV_INVALID_PAGE_OWNER},
    {"dbg_encrypt__no_debug__policy", encrypt, d_no_debug, SEV_POLICY_FAILURE},
    {"dbg_encrypt__order_owner_policy", encrypt, e_owner_and_policy,
     SEV_INVALID_PAGE_OWNER},
};

int main(void)
{
    const struct CMUnitTest plain[] = {
        cmocka_unit_test(set_state__success__hv_fixed_for_good),
        cmocka_unit_test(unsmash__success__one_2m_page),
        cmocka_unit_test(dbg_decrypt__guest_page__plaintext),
        cmocka_unit_test(dbg_decrypt__piece_of_2m_page__that_piece),
        cmocka_unit_test(dbg_encrypt__pre_swap_page__guest_sees_it),
        cmocka_unit_test(page__callback_fails__nothing_changes),
    };
    struct tst_suite suite = {0};

    TST_ADD(&suite, plain);
    TST_ADD_ROWS(&suite, RECLAIM_CASES, test_reclaim);
    TST_ADD_ROWS(&suite, CASES, fx_test_case);
    return tst_suite_run(&suite, "snp/page");
}
