/* SPDX-License-Identifier: Apache-2.0 */
/* GCTX_CREATE, DECOMMISSION, ACTIVATE, ACTIVATE_EX.
 * abi/snp.md §1.6 to §1.8, §3.4 */
#include "snp_fixture.h"

#include "wire.h"

#define ASID 3u
#define IDS  0x7000ull

#define BREAK(name) static void name(struct fx_try *t)

/* Breaks that fit every command whose buffer starts with GCTX_PADDR. */
BREAK(gctx_bit_0)
{
    t->buf[0] |= 0x01;
}
BREAK(gctx_bit_11)
{
    t->buf[1] |= 0x08;
}
BREAK(uninit)
{
    fx_core(t->fx)->snp_state = SNP_PLATFORM_UNINIT;
}
BREAK(gctx_outside)
{
    fx_put64(t, 0, FX_MEMORY_SIZE);
}
BREAK(gctx_wraps)
{
    fx_put64(t, 0, UINT64_MAX - 0xfff);
}
BREAK(gctx_hypervisor)
{
    fx_put64(t, 0, fx_page(t->fx));
}
BREAK(gctx_default)
{
    fx_put64(t, 0, FX_DEFAULT_PAGE);
}
BREAK(gctx_firmware)
{
    fx_put64(t, 0, fx_firmware(t->fx, fx_page(t->fx)));
}
BREAK(reserved_and_uninit)
{
    gctx_bit_11(t);
    uninit(t);
}
BREAK(uninit_and_outside)
{
    uninit(t);
    gctx_outside(t);
}

/* -- GCTX_CREATE ------------------------------------------------------------
 */

BREAK(create)
{
    t->fx = snp_fx_up("milan", NULL);
    t->page = fx_firmware(t->fx, fx_page(t->fx));
    FX_SET(t, GCTX_CREATE, GCTX, gctx, .gctx_paddr = t->page);
}
BREAK(create_context)
{
    fx_put64(t, 0, fx_guest_init(t->fx));
}
BREAK(create_reclaim)
{
    assert_int_equal(
        FX(t->fx, PAGE_RECLAIM, page_reclaim, .page_paddr = t->page),
        SEV_SUCCESS);
}
BREAK(create_2m)
{
    uint64_t spa = fx_page_2m(t->fx);

    assert_int_equal(rmp_rmpupdate(psp_rmp(t->fx->psp), spa,
                                   &(struct rmp_update){.assigned = true,
                                                        .immutable = true,
                                                        .size_2m = true}),
                     RMP_OK);
    fx_put64(t, 0, spa);
}

static void gctx_create__success__context_page_without_secrets(void **state)
{
    struct fx_try t = {0};
    struct snp_guest *g;
    uint8_t page[RMP_PAGE_SIZE], ones[32];

    (void)state;
    create(&t);
    fx_fill(t.fx, t.page, 0x77, RMP_PAGE_SIZE);
    assert_int_equal(fx_execute(&t), SEV_SUCCESS);
    g = fx_guest(t.fx, t.page);
    memset(ones, 0xff, sizeof(ones));
    assert_int_equal(fx_state(t.fx, t.page), RMP_CONTEXT);
    assert_int_equal(g->state, SNP_GUEST_INIT);
    assert_int_equal(g->asid, 0);
    assert_int_equal(g->ma_gctx_paddr, UINT64_MAX);
    assert_memory_equal(g->report_id_ma, ones, 32);
    assert_false(psp_all_zero(g->vek, sizeof(g->vek)));
    assert_memory_equal(g->launch_tcb.b, t.fx->config.profile.tcb.b, 8);
    fx_read(t.fx, t.page, page, sizeof(page));
    for (size_t i = 0; i + 16 <= sizeof(page); i++) {
        assert_memory_not_equal(page + i, g->vek, 16);
        assert_memory_not_equal(page + i, g->vek + 16, 16);
    }
    assert_int_equal(page[5] == 0x77 && page[6] == 0x77 && page[7] == 0x77, 0);
    assert_int_equal(fx_snp(t.fx)->started_guest_count, 0);
    snp_fx_free(t.fx);
}

static void gctx_create__launch_mit_vector__captured(void **state)
{
    struct snp_fx *fx = snp_fx_up("turin", NULL);
    uint64_t gctx = fx_guest_init(fx);

    (void)state;
    assert_int_equal(fx_guest(fx, gctx)->launch_mit_vector, 0x3f);
    snp_fx_free(fx);
}

static void gctx_create__thousand_guests__all_found(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    uint64_t first = 0, last = 0;

    (void)state;
    for (unsigned int i = 0; i < 1000; i++) {
        last = fx_guest_init(fx);
        first = first == 0 ? last : first;
    }
    for (uint64_t gctx = first; gctx <= last; gctx += RMP_PAGE_SIZE) {
        assert_int_equal(fx_guest(fx, gctx)->gctx_paddr, gctx);
    }
    for (uint64_t gctx = first; gctx <= last; gctx += RMP_PAGE_SIZE) {
        assert_int_equal(FX(fx, DECOMMISSION, gctx, .gctx_paddr = gctx),
                         SEV_SUCCESS);
    }
    assert_int_equal(fx_snp(fx)->guest_count, 0);
    snp_fx_free(fx);
}

/* -- DECOMMISSION -----------------------------------------------------------
 */

BREAK(decommission)
{
    t->fx = snp_fx_up("milan", NULL);
    t->gctx = fx_guest_running(t->fx, ASID, FX_POLICY);
    FX_SET(t, DECOMMISSION, GCTX, gctx, .gctx_paddr = t->gctx);
}

static void decommission__running__page_erased_asid_dirty(void **state)
{
    struct fx_try t = {0};
    uint8_t page[RMP_PAGE_SIZE];

    (void)state;
    decommission(&t);
    assert_int_equal(fx_snp(t.fx)->started_guest_count, 1);
    assert_int_equal(fx_execute(&t), SEV_SUCCESS);
    assert_int_equal(fx_state(t.fx, t.gctx), RMP_FIRMWARE);
    fx_read(t.fx, t.gctx, page, sizeof(page));
    assert_true(psp_all_zero(page, sizeof(page)));
    assert_true(fx_core(t.fx)->asids[ASID].dirty);
    assert_int_equal(fx_core(t.fx)->asids[ASID].user, CORE_ASID_FREE);
    assert_true(psp_all_zero(fx_core(t.fx)->asids[ASID].vek, CORE_VEK_SIZE));
    assert_int_equal(fx_snp(t.fx)->started_guest_count, 0);
    assert_int_equal(fx_execute(&t), SEV_INVALID_GUEST);
    snp_fx_free(t.fx);
}

static void decommission__guest_in_init__count_stays(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    uint64_t running = fx_guest_running(fx, ASID, FX_POLICY);
    uint64_t fresh = fx_guest_init(fx);

    (void)state;
    assert_int_equal(FX(fx, DECOMMISSION, gctx, .gctx_paddr = fresh),
                     SEV_SUCCESS);
    assert_int_equal(fx_snp(fx)->started_guest_count, 1);
    assert_int_equal(fx_guest(fx, running)->state, SNP_GUEST_RUNNING);
    snp_fx_free(fx);
}

static void decommission__then_reclaim__hypervisor_page_again(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    uint64_t gctx = fx_guest_launch(fx, ASID, FX_POLICY);

    (void)state;
    assert_int_equal(FX(fx, PAGE_RECLAIM, page_reclaim, .page_paddr = gctx),
                     SEV_INVALID_PAGE_STATE);
    assert_int_equal(FX(fx, DECOMMISSION, gctx, .gctx_paddr = gctx),
                     SEV_SUCCESS);
    assert_int_equal(FX(fx, PAGE_RECLAIM, page_reclaim, .page_paddr = gctx),
                     SEV_SUCCESS);
    fx_unassign(fx, gctx);
    assert_int_equal(fx_state(fx, gctx), RMP_HYPERVISOR);
    snp_fx_free(fx);
}

/* -- ACTIVATE ---------------------------------------------------------------
 */

static uint64_t launched(struct snp_fx *fx, uint64_t policy)
{
    uint64_t gctx = fx_guest_init(fx);

    assert_int_equal(FX(fx, LAUNCH_START, launch_start, .gctx_paddr = gctx,
                        .policy = policy),
                     SEV_SUCCESS);
    return gctx;
}

BREAK(activate)
{
    t->fx = snp_fx_up("milan", NULL);
    t->gctx = launched(t->fx, FX_POLICY);
    FX_SET(t, ACTIVATE, ACTIVATE, activate, .gctx_paddr = t->gctx,
           .asid = ASID);
}
static void two_sockets(struct psp_config *config)
{
    config->profile.socket_count = 2;
}
BREAK(activate_two_sockets)
{
    t->fx = snp_fx_up("milan", two_sockets);
    t->gctx = launched(t->fx, FX_POLICY | 0x100000);
    FX_SET(t, ACTIVATE, ACTIVATE, activate, .gctx_paddr = t->gctx,
           .asid = ASID);
}
BREAK(guest_init)
{
    fx_put64(t, 0, fx_guest_init(t->fx));
}
BREAK(asid_has_pages)
{
    fx_pre_guest(t->fx, fx_page(t->fx), ASID, 0x1000);
}
BREAK(asid_0)
{
    fx_put32(t, 8, 0);
}
BREAK(asid_max)
{
    fx_put32(t, 8, 509);
}
BREAK(asid_above)
{
    fx_put32(t, 8, 510);
}
BREAK(asid_all_ones)
{
    fx_put32(t, 8, UINT32_MAX);
}
BREAK(asid_of_other)
{
    (void)fx_guest_launch(t->fx, ASID, FX_POLICY);
}
BREAK(asid_of_legacy)
{
    static const uint8_t key[CORE_VEK_SIZE] = {1};

    core_asid_bind(fx_core(t->fx), ASID, CORE_ASID_SEV, t, key);
}
BREAK(already)
{
    assert_int_equal(
        FX(t->fx, ACTIVATE, activate, .gctx_paddr = t->gctx, .asid = ASID),
        SEV_SUCCESS);
}
BREAK(already_on_other)
{
    assert_int_equal(
        FX(t->fx, ACTIVATE, activate, .gctx_paddr = t->gctx, .asid = ASID + 1),
        SEV_SUCCESS);
}
BREAK(dirty)
{
    fx_core(t->fx)->asids[ASID].dirty = true;
}
BREAK(state_and_pages)
{
    guest_init(t);
    asid_has_pages(t);
}
BREAK(pages_and_policy)
{
    asid_has_pages(t);
}
BREAK(owned_and_active)
{
    already_on_other(t);
    asid_of_other(t);
}
BREAK(owned_and_dirty)
{
    asid_of_other(t);
    dirty(t);
}
BREAK(active_and_dirty)
{
    already_on_other(t);
    dirty(t);
}

static void activate__running_guest__allowed(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    uint64_t gctx = fx_guest_running(fx, ASID, FX_POLICY);

    (void)state;
    assert_int_equal(
        FX(fx, ACTIVATE, activate, .gctx_paddr = gctx, .asid = ASID),
        SEV_ACTIVE);
    snp_fx_free(fx);
}

static void activate__after_decommission__flush_first(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    uint64_t old = fx_guest_running(fx, ASID, FX_POLICY);
    uint64_t gctx = launched(fx, FX_POLICY);

    (void)state;
    assert_int_equal(FX(fx, DECOMMISSION, gctx, .gctx_paddr = old),
                     SEV_SUCCESS);
    assert_int_equal(
        FX(fx, ACTIVATE, activate, .gctx_paddr = gctx, .asid = ASID),
        SEV_DF_FLUSH_REQUIRED);
    assert_int_equal(fx_command(fx, SNP_CMD_DF_FLUSH, NULL, 0), SEV_SUCCESS);
    assert_int_equal(
        FX(fx, ACTIVATE, activate, .gctx_paddr = gctx, .asid = ASID),
        SEV_SUCCESS);
    snp_fx_free(fx);
}

/* Pages of an ended guest keep its ASID busy until they are given back. */
static void activate__pages_of_old_guest__config_until_reclaimed(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    uint64_t old = fx_guest_launch(fx, ASID, FX_POLICY);
    uint64_t page = fx_launch_page(fx, old, SNP_PAGE_ZERO, 0x1000, NULL);
    uint64_t gctx = launched(fx, FX_POLICY);

    (void)state;
    assert_int_equal(FX(fx, DECOMMISSION, gctx, .gctx_paddr = old),
                     SEV_SUCCESS);
    assert_int_equal(fx_command(fx, SNP_CMD_DF_FLUSH, NULL, 0), SEV_SUCCESS);
    assert_int_equal(
        FX(fx, ACTIVATE, activate, .gctx_paddr = gctx, .asid = ASID),
        SEV_INVALID_CONFIG);
    fx_unassign(fx, page);
    assert_int_equal(
        FX(fx, ACTIVATE, activate, .gctx_paddr = gctx, .asid = ASID),
        SEV_SUCCESS);
    snp_fx_free(fx);
}

/* -- ACTIVATE_EX ------------------------------------------------------------
 */

static void put_ids(struct fx_try *t, const uint32_t *ids, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint8_t le[4];
        struct psp_wr w = psp_wr(le, sizeof(le));

        psp_wr_le32(&w, ids[i]);
        fx_write(t->fx, IDS + 4ull * i, le, sizeof(le));
    }
    fx_put32(t, 0x14, count);
}

static void activate_ex_on(struct fx_try *t, struct snp_fx *fx, uint64_t policy)
{
    static const uint32_t ids[] = {0, 7};

    t->fx = fx;
    t->gctx = launched(fx, policy);
    FX_SET(t, ACTIVATE_EX, ACTIVATE_EX, activate_ex,
           .ex_len = SNP_CMD_ACTIVATE_EX_SIZE, .gctx_paddr = t->gctx,
           .asid = ASID, .ids_paddr = IDS);
    put_ids(t, ids, 2);
}
BREAK(activate_ex)
{
    activate_ex_on(t, snp_fx_up("milan", NULL), FX_POLICY);
}
BREAK(activate_ex_two_sockets)
{
    activate_ex_on(t, snp_fx_up("milan", two_sockets), FX_POLICY | 0x100000);
}
BREAK(ex_len)
{
    fx_put32(t, 0, 0x1f);
}
BREAK(ex_reserved)
{
    fx_put32(t, 4, 0x80000000);
}
BREAK(ex_gctx_low)
{
    t->buf[8] |= 1;
}
BREAK(ex_gctx_outside)
{
    fx_put64(t, 8, FX_MEMORY_SIZE);
}
BREAK(ex_gctx_firmware)
{
    fx_put64(t, 8, fx_firmware(t->fx, fx_page(t->fx)));
}
BREAK(ex_guest_init)
{
    fx_put64(t, 8, fx_guest_init(t->fx));
}
BREAK(ex_asid_0)
{
    fx_put32(t, 0x10, 0);
}
BREAK(ex_asid_above)
{
    fx_put32(t, 0x10, 510);
}
BREAK(ex_no_ids)
{
    fx_put32(t, 0x14, 0);
}
BREAK(ex_all_ids)
{
    uint32_t ids[FX_APIC_IDS];

    for (uint32_t i = 0; i < FX_APIC_IDS; i++) {
        ids[i] = FX_APIC_IDS - 1 - i;
    }
    put_ids(t, ids, FX_APIC_IDS);
}
BREAK(ex_unknown_id)
{
    const uint32_t ids[] = {0, FX_APIC_IDS};

    put_ids(t, ids, 2);
}
BREAK(ex_too_many_ids)
{
    fx_put32(t, 0x14, FX_APIC_IDS + 1);
}
BREAK(ex_ids_outside)
{
    fx_put64(t, 0x18, FX_MEMORY_SIZE - 7);
}
BREAK(ex_count_wraps)
{
    fx_put32(t, 0x14, UINT32_MAX);
    fx_put64(t, 0x18, UINT64_MAX - 0xfff);
}
BREAK(ex_both_sockets)
{
    const uint32_t ids[] = {0, 8};

    put_ids(t, ids, 2);
}
BREAK(ex_same_asid_again)
{
    assert_int_equal(fx_execute(t), SEV_SUCCESS);
}
BREAK(ex_again_with_pages)
{
    assert_int_equal(fx_execute(t), SEV_SUCCESS);
    (void)fx_launch_page(t->fx, t->gctx, SNP_PAGE_ZERO, 0x1000, NULL);
}
BREAK(ex_dirty_and_unknown_id)
{
    dirty(t);
    ex_unknown_id(t);
}

static enum sev_status act_execute(struct snp_fx *fx, void *ctx)
{
    (void)fx;
    return fx_execute(ctx);
}

static void sweep(void (*prepare)(struct fx_try *t), unsigned int callbacks)
{
    struct fx_try t = {0};

    prepare(&t);
    assert_int_equal(fx_sweep(t.fx, act_execute, &t), callbacks);
    snp_fx_free(t.fx);
}

static void life__callback_fails__nothing_changes(void **state)
{
    (void)state;
    sweep(create, 3);       /* buffer, VEK, page */
    sweep(decommission, 2); /* buffer, page */
    sweep(activate, 1);
    sweep(activate_ex, 2); /* buffer, APIC IDs */
}

static const struct fx_case CASES[] = {
    {"gctx_create__success", create, NULL, SEV_SUCCESS},
    {"gctx_create__bit_0__param", create, gctx_bit_0, SEV_INVALID_PARAM},
    {"gctx_create__bit_11__param", create, gctx_bit_11, SEV_INVALID_PARAM},
    {"gctx_create__uninit__platform_state", create, uninit,
     SEV_INVALID_PLATFORM_STATE},
    {"gctx_create__outside__address", create, gctx_outside,
     SEV_INVALID_ADDRESS},
    {"gctx_create__wraps__address", create, gctx_wraps, SEV_INVALID_ADDRESS},
    {"gctx_create__hypervisor_page__page_state", create, gctx_hypervisor,
     SEV_INVALID_PAGE_STATE},
    {"gctx_create__default_page__page_state", create, gctx_default,
     SEV_INVALID_PAGE_STATE},
    {"gctx_create__context_page__page_state", create, create_context,
     SEV_INVALID_PAGE_STATE},
    {"gctx_create__reclaim_page__page_state", create, create_reclaim,
     SEV_INVALID_PAGE_STATE},
    {"gctx_create__2m_page__page_size", create, create_2m,
     SEV_INVALID_PAGE_SIZE},
    {"gctx_create__order_reserved_platform", create, reserved_and_uninit,
     SEV_INVALID_PARAM},
    {"gctx_create__order_platform_address", create, uninit_and_outside,
     SEV_INVALID_PLATFORM_STATE},

    {"decommission__success", decommission, NULL, SEV_SUCCESS},
    {"decommission__bit_11__param", decommission, gctx_bit_11,
     SEV_INVALID_PARAM},
    {"decommission__uninit__platform_state", decommission, uninit,
     SEV_INVALID_PLATFORM_STATE},
    {"decommission__outside__address", decommission, gctx_outside,
     SEV_INVALID_ADDRESS},
    {"decommission__hypervisor_page__guest", decommission, gctx_hypervisor,
     SEV_INVALID_GUEST},
    {"decommission__default_page__guest", decommission, gctx_default,
     SEV_INVALID_GUEST},
    {"decommission__firmware_page__guest", decommission, gctx_firmware,
     SEV_INVALID_GUEST},
    {"decommission__order_reserved_platform", decommission, reserved_and_uninit,
     SEV_INVALID_PARAM},
    {"decommission__order_platform_address", decommission, uninit_and_outside,
     SEV_INVALID_PLATFORM_STATE},

    {"activate__success", activate, NULL, SEV_SUCCESS},
    {"activate__highest_asid__success", activate, asid_max, SEV_SUCCESS},
    {"activate__bit_0__param", activate, gctx_bit_0, SEV_INVALID_PARAM},
    {"activate__uninit__platform_state", activate, uninit,
     SEV_INVALID_PLATFORM_STATE},
    {"activate__outside__address", activate, gctx_outside, SEV_INVALID_ADDRESS},
    {"activate__no_context__guest", activate, gctx_hypervisor,
     SEV_INVALID_GUEST},
    {"activate__guest_init__guest_state", activate, guest_init,
     SEV_INVALID_GUEST_STATE},
    {"activate__asid_has_pages__config", activate, asid_has_pages,
     SEV_INVALID_CONFIG},
    {"activate__single_socket_on_two__policy", activate_two_sockets, NULL,
     SEV_POLICY_FAILURE},
    {"activate__asid_0__asid", activate, asid_0, SEV_INVALID_ASID},
    {"activate__asid_510__asid", activate, asid_above, SEV_INVALID_ASID},
    {"activate__asid_ffffffff__asid", activate, asid_all_ones,
     SEV_INVALID_ASID},
    {"activate__asid_of_other_guest__owned", activate, asid_of_other,
     SEV_ASID_OWNED},
    {"activate__asid_of_legacy_guest__owned", activate, asid_of_legacy,
     SEV_ASID_OWNED},
    {"activate__same_asid_again__active", activate, already, SEV_ACTIVE},
    {"activate__second_asid__active", activate, already_on_other, SEV_ACTIVE},
    {"activate__dirty_asid__df_flush", activate, dirty, SEV_DF_FLUSH_REQUIRED},
    {"activate__order_state_config", activate, state_and_pages,
     SEV_INVALID_GUEST_STATE},
    {"activate__order_config_policy", activate_two_sockets, pages_and_policy,
     SEV_INVALID_CONFIG},
    {"activate__order_policy_asid", activate_two_sockets, asid_0,
     SEV_POLICY_FAILURE},
    {"activate__order_owned_active", activate, owned_and_active,
     SEV_ASID_OWNED},
    {"activate__order_owned_dirty", activate, owned_and_dirty, SEV_ASID_OWNED},
    {"activate__order_active_dirty", activate, active_and_dirty, SEV_ACTIVE},

    {"activate_ex__success", activate_ex, NULL, SEV_SUCCESS},
    {"activate_ex__len__param", activate_ex, ex_len, SEV_INVALID_PARAM},
    {"activate_ex__reserved__param", activate_ex, ex_reserved,
     SEV_INVALID_PARAM},
    {"activate_ex__gctx_low__param", activate_ex, ex_gctx_low,
     SEV_INVALID_PARAM},
    {"activate_ex__uninit__platform_state", activate_ex, uninit,
     SEV_INVALID_PLATFORM_STATE},
    {"activate_ex__gctx_outside__address", activate_ex, ex_gctx_outside,
     SEV_INVALID_ADDRESS},
    {"activate_ex__ids_outside__address", activate_ex, ex_ids_outside,
     SEV_INVALID_ADDRESS},
    {"activate_ex__ids_wrap__address", activate_ex, ex_count_wraps,
     SEV_INVALID_ADDRESS},
    {"activate_ex__no_context__guest", activate_ex, ex_gctx_firmware,
     SEV_INVALID_GUEST},
    {"activate_ex__guest_init__guest_state", activate_ex, ex_guest_init,
     SEV_INVALID_GUEST_STATE},
    {"activate_ex__asid_has_pages__config", activate_ex, asid_has_pages,
     SEV_INVALID_CONFIG},
    {"activate_ex__one_of_two_sockets__success", activate_ex_two_sockets, NULL,
     SEV_SUCCESS},
    {"activate_ex__both_sockets__policy", activate_ex_two_sockets,
     ex_both_sockets, SEV_POLICY_FAILURE},
    {"activate_ex__asid_0__asid", activate_ex, ex_asid_0, SEV_INVALID_ASID},
    {"activate_ex__asid_510__asid", activate_ex, ex_asid_above,
     SEV_INVALID_ASID},
    {"activate_ex__asid_of_other_guest__owned", activate_ex, asid_of_other,
     SEV_ASID_OWNED},
    {"activate_ex__second_asid__active", activate_ex, already_on_other,
     SEV_ACTIVE},
    {"activate_ex__same_asid_again__success", activate_ex, ex_same_asid_again,
     SEV_SUCCESS},
    {"activate_ex__again_with_pages__success", activate_ex, ex_again_with_pages,
     SEV_SUCCESS},
    {"activate_ex__dirty_asid__df_flush", activate_ex, dirty,
     SEV_DF_FLUSH_REQUIRED},
    {"activate_ex__no_ids__param", activate_ex, ex_no_ids, SEV_INVALID_PARAM},
    {"activate_ex__all_ids__success", activate_ex, ex_all_ids, SEV_SUCCESS},
    {"activate_ex__unknown_id__param", activate_ex, ex_unknown_id,
     SEV_INVALID_PARAM},
    {"activate_ex__more_ids_than_exist__param", activate_ex, ex_too_many_ids,
     SEV_INVALID_PARAM},
    {"activate_ex__order_dirty_ids", activate_ex, ex_dirty_and_unknown_id,
     SEV_DF_FLUSH_REQUIRED},
};

int main(void)
{
    const struct CMUnitTest plain[] = {
        cmocka_unit_test(gctx_create__success__context_page_without_secrets),
        cmocka_unit_test(gctx_create__launch_mit_vector__captured),
        cmocka_unit_test(gctx_create__thousand_guests__all_found),
        cmocka_unit_test(decommission__running__page_erased_asid_dirty),
        cmocka_unit_test(decommission__guest_in_init__count_stays),
        cmocka_unit_test(decommission__then_reclaim__hypervisor_page_again),
        cmocka_unit_test(activate__running_guest__allowed),
        cmocka_unit_test(activate__after_decommission__flush_first),
        cmocka_unit_test(activate__pages_of_old_guest__config_until_reclaimed),
        cmocka_unit_test(life__callback_fails__nothing_changes),
    };
    struct tst_suite suite = {0};

    TST_ADD(&suite, plain);
    TST_ADD_ROWS(&suite, CASES, fx_test_case);
    return tst_suite_run(&suite, "snp/life");
}
