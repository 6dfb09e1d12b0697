/* SPDX-License-Identifier: Apache-2.0 */
/* SNP_INIT(_EX), SNP_SHUTDOWN(_EX), SNP_DF_FLUSH. abi/snp.md §1.3 to §1.5 */
#include "snp_fixture.h"

#include "wire.h"

#define LIST 0x20000ull

static void all_features(struct psp_config *config)
{
    config->profile.feature_ecx = 0x3f;
}

static void no_features(struct psp_config *config)
{
    config->profile.feature_ecx = 0;
}

static void put_ranges(struct snp_fx *fx, const struct snp_range *ranges,
                       size_t count)
{
    uint8_t page[SNP_RANGE_LIST_SIZE];

    snp_range_list_encode(ranges, count, page);
    fx_write(fx, LIST, page, sizeof(page));
}

static enum sev_status command(struct snp_fx *fx, uint32_t id)
{
    return fx_command(fx, id, NULL, 0);
}

/* -- INIT -------------------------------------------------------------------
 */

static void init__power_on__platform_init_and_asids_dirty(void **state)
{
    struct snp_fx *fx = snp_fx_new("milan", NULL);
    uint64_t gctx;

    (void)state;
    assert_int_equal(command(fx, SNP_CMD_INIT), SEV_SUCCESS);
    assert_int_equal(fx_core(fx)->snp_state, SNP_PLATFORM_INIT);
    assert_true(fx_snp(fx)->rmp_initialized);
    assert_true(fx_snp(fx)->vcek_ready);
    gctx = fx_guest_init(fx);
    assert_int_equal(FX(fx, LAUNCH_START, launch_start, .gctx_paddr = gctx,
                        .policy = FX_POLICY),
                     SEV_SUCCESS);
    assert_int_equal(FX(fx, ACTIVATE, activate, .gctx_paddr = gctx, .asid = 1),
                     SEV_DF_FLUSH_REQUIRED);
    assert_int_equal(command(fx, SNP_CMD_DF_FLUSH), SEV_SUCCESS);
    assert_int_equal(FX(fx, ACTIVATE, activate, .gctx_paddr = gctx, .asid = 1),
                     SEV_SUCCESS);
    snp_fx_free(fx);
}

static void init__second__platform_state(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    struct fx_snapshot *before = fx_snapshot(fx);

    (void)state;
    assert_int_equal(command(fx, SNP_CMD_INIT), SEV_INVALID_PLATFORM_STATE);
    assert_int_equal(FX(fx, INIT_EX, init_ex, .init_rmp = true),
                     SEV_INVALID_PLATFORM_STATE);
    fx_assert_same(fx, before);
    snp_fx_free(fx);
}

static void init_ex__ranges__hv_fixed_and_the_rest_hypervisor(void **state)
{
    const struct snp_range ranges[] = {
        {0x100000, 2}, {0x300000, 0}, {0x101000, 4}, {FX_RMP_SIZE - 0x1000, 9}};
    struct snp_fx *fx = snp_fx_new("milan", NULL);

    (void)state;
    fx_firmware(fx, 0x200000);
    put_ranges(fx, ranges, 4);
    assert_int_equal(FX(fx, INIT_EX, init_ex, .init_rmp = true,
                        .list_paddr_en = true, .list_paddr = LIST),
                     SEV_SUCCESS);
    assert_int_equal(fx_state(fx, 0x0ff000), RMP_HYPERVISOR);
    assert_int_equal(fx_state(fx, 0x100000), RMP_HV_FIXED);
    assert_int_equal(fx_state(fx, 0x104000), RMP_HV_FIXED);
    assert_int_equal(fx_state(fx, 0x105000), RMP_HYPERVISOR);
    assert_int_equal(fx_state(fx, 0x200000), RMP_HYPERVISOR);
    assert_int_equal(fx_state(fx, 0x300000), RMP_HYPERVISOR);
    assert_int_equal(fx_state(fx, FX_RMP_SIZE - 1), RMP_HV_FIXED);
    assert_int_equal(fx_state(fx, FX_RMP_SIZE), RMP_DEFAULT);
    snp_fx_free(fx);
}

/* Ranges of a real host name MMIO beyond its DRAM, terabytes of it. */
static void init_ex__huge_range__costs_nothing(void **state)
{
    const struct snp_range ranges[] = {{0x2000000, UINT32_MAX},
                                       {0xffffffff000, 1}};
    struct snp_fx *fx = snp_fx_new("milan", NULL);

    (void)state;
    put_ranges(fx, ranges, 2);
    assert_int_equal(FX(fx, INIT_EX, init_ex, .init_rmp = true,
                        .list_paddr_en = true, .list_paddr = LIST),
                     SEV_SUCCESS);
    assert_int_equal(fx_state(fx, 0x1fff000), RMP_HYPERVISOR);
    assert_int_equal(fx_state(fx, 0x2000000), RMP_HV_FIXED);
    snp_fx_free(fx);
}

static void init_ex__255_ranges__all(void **state)
{
    struct snp_range ranges[SNP_RANGE_LIST_COUNT];
    struct snp_fx *fx = snp_fx_new("milan", NULL);

    (void)state;
    for (size_t i = 0; i < SNP_RANGE_LIST_COUNT; i++) {
        ranges[SNP_RANGE_LIST_COUNT - 1 - i] =
            (struct snp_range){0x100000 + i * 0x2000, 1};
    }
    put_ranges(fx, ranges, SNP_RANGE_LIST_COUNT);
    assert_int_equal(FX(fx, INIT_EX, init_ex, .init_rmp = true,
                        .list_paddr_en = true, .list_paddr = LIST),
                     SEV_SUCCESS);
    for (size_t i = 0; i < SNP_RANGE_LIST_COUNT; i++) {
        assert_int_equal(fx_state(fx, 0x100000 + i * 0x2000), RMP_HV_FIXED);
        assert_int_equal(fx_state(fx, 0x101000 + i * 0x2000), RMP_HYPERVISOR);
    }
    snp_fx_free(fx);
}

/* An INIT_EX in UNINIT; a row breaks it. */
struct
try {
    struct snp_fx *fx;
    struct snp_cmd_init_ex cmd;
    uint8_t set[SNP_CMD_INIT_EX_SIZE];
};

#define BREAK(name) static void name(struct try *t)

BREAK(b_flag_4_tio)
{
    t->set[0] = 0x10;
}
BREAK(b_flag_31)
{
    t->set[3] = 0x80;
}
BREAK(b_reserved_04)
{
    t->set[4] = 1;
}
BREAK(b_reserved_12)
{
    t->set[0x12] = 1;
}
BREAK(b_reserved_3f)
{
    t->set[0x3f] = 0x80;
}
BREAK(b_legacy_init)
{
    fx_core(t->fx)->sev_state = SEV_PLATFORM_INIT;
}
BREAK(b_legacy_working)
{
    fx_core(t->fx)->sev_state = SEV_PLATFORM_WORKING;
}
BREAK(b_no_rmp)
{
    t->cmd.init_rmp = false;
}
BREAK(b_list)
{
    t->cmd.list_paddr_en = true;
    t->cmd.list_paddr = LIST;
}
BREAK(b_snp_disabled)
{
    t->fx->snp_disabled = true;
}
BREAK(b_list_outside)
{
    b_list(t);
    t->cmd.list_paddr = FX_MEMORY_SIZE;
}
BREAK(b_list_unaligned)
{
    b_list(t);
    t->cmd.list_paddr = LIST + 0x10;
}
static void poke(struct try *t, size_t offset, uint8_t byte)
{
    b_list(t);
    fx_write(t->fx, LIST + offset, &byte, 1);
}
BREAK(b_list_256)
{
    poke(t, 1, 1);
}
BREAK(b_list_reserved)
{
    poke(t, 4, 1);
}
BREAK(b_range_reserved)
{
    poke(t, 0, 1);
    poke(t, 0x14, 1);
}
BREAK(b_range_unaligned)
{
    poke(t, 0, 1);
    poke(t, 9, 8);
}
BREAK(b_range_beyond_52_bits)
{
    poke(t, 0, 1);
    poke(t, 8 + 6, 0x10);
    poke(t, 16, 1);
}
BREAK(b_rapl)
{
    t->cmd.rapl_dis = true;
}
BREAK(b_hiding)
{
    t->cmd.ciphertext_hiding_en = true;
    t->cmd.max_snp_asid = 5;
}
BREAK(b_reserved_and_state)
{
    b_reserved_04(t);
    b_legacy_init(t);
}
BREAK(b_state_and_rmp)
{
    b_legacy_init(t);
    b_no_rmp(t);
}
BREAK(b_rmp_and_list)
{
    b_no_rmp(t);
    b_list(t);
}
BREAK(b_config_and_list)
{
    b_snp_disabled(t);
    b_list_256(t);
}
BREAK(b_list_and_rapl)
{
    b_list_256(t);
    b_rapl(t);
}

static const struct init_case {
    const char *name;
    void (*break_it)(struct try *t);
    enum sev_status status;
} CASES[] = {
    {"init_ex__tio__param", b_flag_4_tio, SEV_INVALID_PARAM},
    {"init_ex__flag_31__param", b_flag_31, SEV_INVALID_PARAM},
    {"init_ex__reserved_04__param", b_reserved_04, SEV_INVALID_PARAM},
    {"init_ex__reserved_12__param", b_reserved_12, SEV_INVALID_PARAM},
    {"init_ex__reserved_3f__param", b_reserved_3f, SEV_INVALID_PARAM},
    {"init_ex__legacy_init__platform_state", b_legacy_init,
     SEV_INVALID_PLATFORM_STATE},
    {"init_ex__legacy_working__platform_state", b_legacy_working,
     SEV_INVALID_PLATFORM_STATE},
    {"init_ex__no_rmp_yet__rmp_init_required", b_no_rmp, SEV_RMP_INIT_REQUIRED},
    {"init_ex__snp_not_on_all_cores__config", b_snp_disabled,
     SEV_INVALID_CONFIG},
    {"init_ex__list_outside__address", b_list_outside, SEV_INVALID_ADDRESS},
    {"init_ex__list_unaligned__rmp_failed", b_list_unaligned,
     SEV_RMP_INITIALIZATION_FAILED},
    {"init_ex__256_ranges__rmp_failed", b_list_256,
     SEV_RMP_INITIALIZATION_FAILED},
    {"init_ex__list_reserved__rmp_failed", b_list_reserved,
     SEV_RMP_INITIALIZATION_FAILED},
    {"init_ex__range_reserved__rmp_failed", b_range_reserved,
     SEV_RMP_INITIALIZATION_FAILED},
    {"init_ex__range_unaligned__rmp_failed", b_range_unaligned,
     SEV_RMP_INITIALIZATION_FAILED},
    {"init_ex__range_beyond_52_bits__rmp_failed", b_range_beyond_52_bits,
     SEV_RMP_INITIALIZATION_FAILED},
    {"init_ex__rapl_unsupported__param", b_rapl, SEV_INVALID_PARAM},
    {"init_ex__hiding_unsupported__param", b_hiding, SEV_INVALID_PARAM},
    {"init_ex__order_reserved_state", b_reserved_and_state, SEV_INVALID_PARAM},
    {"init_ex__order_state_rmp", b_state_and_rmp, SEV_INVALID_PLATFORM_STATE},
    {"init_ex__order_rmp_list", b_rmp_and_list, SEV_RMP_INIT_REQUIRED},
    {"init_ex__order_config_list", b_config_and_list, SEV_INVALID_CONFIG},
    {"init_ex__order_list_features", b_list_and_rapl,
     SEV_RMP_INITIALIZATION_FAILED},
};

static enum sev_status init_ex(struct try *t)
{
    uint8_t buf[SNP_CMD_INIT_EX_SIZE];

    snp_cmd_init_ex_encode(&t->cmd, buf);
    for (size_t i = 0; i < sizeof(buf); i++) {
        buf[i] |= t->set[i];
    }
    return fx_command(t->fx, SNP_CMD_INIT_EX, buf, sizeof(buf));
}

static void test_init_ex(void **state)
{
    const struct init_case *c = *state;
    struct try t = {.fx = snp_fx_new("milan", NULL), .cmd = {.init_rmp = true}};
    struct fx_snapshot *before;

    c->break_it(&t);
    before = fx_snapshot(t.fx);
    assert_int_equal(init_ex(&t), c->status);
    fx_assert_same(t.fx, before);
    snp_fx_free(t.fx);
}

static void init_ex__list_without_init_rmp__param(void **state)
{
    struct try t = {.fx = snp_fx_up("milan", NULL)};

    (void)state;
    assert_int_equal(command(t.fx, SNP_CMD_SHUTDOWN), SEV_SUCCESS);
    b_list(&t);
    assert_int_equal(init_ex(&t), SEV_INVALID_PARAM);
    t.fx->snp_disabled = true; /* the list comes first */
    assert_int_equal(init_ex(&t), SEV_INVALID_PARAM);
    snp_fx_free(t.fx);
}

static void init_ex__features__asid_limit_and_status(void **state)
{
    struct snp_fx *fx = snp_fx_new("milan", all_features);
    struct snp_cmd_init_ex cmd = {.init_rmp = true,
                                  .rapl_dis = true,
                                  .ciphertext_hiding_en = true,
                                  .max_snp_asid = 510};
    uint64_t gctx;

    (void)state;
    assert_int_equal(fx_init_ex(fx, SNP_CMD_INIT_EX, &cmd), SEV_INVALID_PARAM);
    cmd.max_snp_asid = 0;
    assert_int_equal(fx_init_ex(fx, SNP_CMD_INIT_EX, &cmd), SEV_INVALID_PARAM);
    cmd.max_snp_asid = 4;
    assert_int_equal(fx_init_ex(fx, SNP_CMD_INIT_EX, &cmd), SEV_SUCCESS);
    assert_int_equal(command(fx, SNP_CMD_DF_FLUSH), SEV_SUCCESS);
    assert_int_equal(snp_platform_info(fx_snp(fx)), 0x25 | 0x18);
    gctx = fx_guest_launch(fx, 4, FX_POLICY);
    assert_int_equal(FX(fx, ACTIVATE, activate, .gctx_paddr = gctx, .asid = 5),
                     SEV_INVALID_ASID);
    snp_fx_free(fx);
}

static void init_ex__max_asid_without_hiding__ignored(void **state)
{
    struct snp_fx *fx = snp_fx_new("milan", NULL);

    (void)state;
    assert_int_equal(
        FX(fx, INIT_EX, init_ex, .init_rmp = true, .max_snp_asid = 1),
        SEV_SUCCESS);
    assert_int_equal(command(fx, SNP_CMD_DF_FLUSH), SEV_SUCCESS);
    (void)fx_guest_launch(fx, 509, FX_POLICY);
    snp_fx_free(fx);
}

static enum sev_status act_init_ex(struct snp_fx *fx, void *ctx)
{
    (void)ctx;
    return FX(fx, INIT_EX, init_ex, .init_rmp = true, .list_paddr_en = true,
              .list_paddr = LIST);
}

static void init_ex__callback_fails__nothing_changes(void **state)
{
    struct snp_fx *fx = snp_fx_new("milan", NULL);

    (void)state;
    assert_int_equal(fx_sweep(fx, act_init_ex, NULL), 2); /* buffer, list */
    snp_fx_free(fx);
}

/* -- SHUTDOWN ---------------------------------------------------------------
 */

static enum sev_status shutdown_ex(struct snp_fx *fx, uint32_t len,
                                   uint32_t flags)
{
    uint8_t buf[SNP_CMD_SHUTDOWN_EX_SIZE];
    struct psp_wr w = psp_wr(buf, sizeof(buf));

    psp_wr_le32(&w, len);
    psp_wr_le32(&w, flags);
    return fx_command(fx, SNP_CMD_SHUTDOWN_EX, buf, sizeof(buf));
}

static void shutdown__plain__rmp_and_its_pages_stay(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    uint64_t gctx = fx_guest_running(fx, 1, FX_POLICY);
    uint64_t page = fx_firmware(fx, fx_page(fx));

    (void)state;
    assert_int_equal(command(fx, SNP_CMD_SHUTDOWN), SEV_SUCCESS);
    assert_int_equal(fx_core(fx)->snp_state, SNP_PLATFORM_UNINIT);
    assert_true(fx_snp(fx)->rmp_initialized);
    assert_int_equal(fx_snp(fx)->guest_count, 0);
    assert_int_equal(fx_snp(fx)->started_guest_count, 0);
    assert_int_equal(fx_state(fx, page), RMP_FIRMWARE);
    /* INIT_RMP = 0 is possible now, and the old context is of no use. */
    assert_int_equal(FX(fx, INIT_EX, init_ex, .init_rmp = false), SEV_SUCCESS);
    assert_int_equal(fx_state(fx, page), RMP_FIRMWARE);
    assert_int_equal(fx_state(fx, gctx), RMP_CONTEXT);
    assert_int_equal(FX(fx, DECOMMISSION, gctx, .gctx_paddr = gctx),
                     SEV_INVALID_GUEST);
    snp_fx_free(fx);
}

static void shutdown_ex__iommu__rmp_forgotten(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    uint64_t page = fx_firmware(fx, fx_page(fx));

    (void)state;
    assert_int_equal(shutdown_ex(fx, 8, 1), SEV_SUCCESS);
    assert_false(fx_snp(fx)->rmp_initialized);
    assert_int_equal(fx_state(fx, page), RMP_HYPERVISOR);
    assert_int_equal(FX(fx, INIT_EX, init_ex, .init_rmp = false),
                     SEV_RMP_INIT_REQUIRED);
    snp_fx_free(fx);
}

static void shutdown__uninit__success_whatever_the_buffer(void **state)
{
    struct snp_fx *fx = snp_fx_new("milan", NULL);
    struct fx_snapshot *before = fx_snapshot(fx);

    (void)state;
    assert_int_equal(command(fx, SNP_CMD_SHUTDOWN), SEV_SUCCESS);
    assert_int_equal(shutdown_ex(fx, 0, UINT32_MAX), SEV_SUCCESS);
    fx_assert_same(fx, before);
    snp_fx_free(fx);
}

static void shutdown__dirty_asid__df_flush_before_the_buffer(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    uint64_t gctx = fx_guest_running(fx, 1, FX_POLICY);
    struct fx_snapshot *before;

    (void)state;
    assert_int_equal(FX(fx, DECOMMISSION, gctx, .gctx_paddr = gctx),
                     SEV_SUCCESS);
    before = fx_snapshot(fx);
    assert_int_equal(command(fx, SNP_CMD_SHUTDOWN), SEV_DF_FLUSH_REQUIRED);
    assert_int_equal(shutdown_ex(fx, 9, 0), SEV_DF_FLUSH_REQUIRED);
    fx_assert_same(fx, before);
    assert_int_equal(command(fx, SNP_CMD_DF_FLUSH), SEV_SUCCESS);
    assert_int_equal(shutdown_ex(fx, 8, 0), SEV_SUCCESS);
    snp_fx_free(fx);
}

static void shutdown_ex__legacy_not_uninit__before_everything(void **state)
{
    struct snp_fx *fx = snp_fx_new("milan", NULL);

    (void)state;
    assert_int_equal(command(fx, SNP_CMD_INIT), SEV_SUCCESS); /* dirty */
    fx_core(fx)->sev_state = SEV_PLATFORM_INIT;
    assert_int_equal(shutdown_ex(fx, 0, 0), SEV_INVALID_PLATFORM_STATE);
    assert_int_equal(command(fx, SNP_CMD_SHUTDOWN), SEV_INVALID_PLATFORM_STATE);
    fx_core(fx)->sev_state = SEV_PLATFORM_UNINIT;
    snp_fx_free(fx);
}

static const struct shutdown_case {
    const char *name;
    uint32_t len;
    uint32_t flags;
    void (*adjust)(struct psp_config *config);
    enum sev_status status;
} SHUTDOWN_CASES[] = {
    {"shutdown_ex__len_7__param", 7, 0, NULL, SEV_INVALID_PARAM},
    {"shutdown_ex__len_9__param", 9, 0, NULL, SEV_INVALID_PARAM},
    {"shutdown_ex__flag_2__param", 8, 4, NULL, SEV_INVALID_PARAM},
    {"shutdown_ex__flag_31__param", 8, 0x80000000, NULL, SEV_INVALID_PARAM},
    {"shutdown_ex__x86_without_iommu__param", 8, 2, NULL, SEV_INVALID_PARAM},
    {"shutdown_ex__x86_without_feature__param", 8, 3, no_features,
     SEV_INVALID_PARAM},
    {"shutdown_ex__x86_with_iommu__success", 8, 3, NULL, SEV_SUCCESS},
};

static void test_shutdown_ex(void **state)
{
    const struct shutdown_case *c = *state;
    struct snp_fx *fx = snp_fx_up("milan", c->adjust);
    struct fx_snapshot *before = fx_snapshot(fx);

    assert_int_equal(shutdown_ex(fx, c->len, c->flags), c->status);
    if (c->status == SEV_SUCCESS) {
        fx_snapshot_free(before);
    } else {
        fx_assert_same(fx, before);
    }
    snp_fx_free(fx);
}

static void
shutdown__running_guests__gone_and_their_keys_with_them(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    uint8_t byte;

    (void)state;
    for (uint32_t asid = 1; asid <= 100; asid++) {
        (void)fx_guest_running(fx, asid, FX_POLICY);
    }
    assert_int_equal(fx_snp(fx)->guest_count, 100);
    assert_int_equal(command(fx, SNP_CMD_SHUTDOWN), SEV_SUCCESS);
    assert_int_equal(psp_guest_mem_read(fx->psp, 1, 0x1000, &byte, 1),
                     PSP_E_PARAM);
    assert_true(psp_all_zero(fx_core(fx)->asids[1].vek, CORE_VEK_SIZE));
    snp_fx_free(fx);
}

/* -- DF_FLUSH ---------------------------------------------------------------
 */

static void df_flush__wbinvd_owed__wbinvd_required(void **state)
{
    struct snp_fx *fx = snp_fx_new("milan", NULL);
    struct fx_snapshot *before;

    (void)state;
    assert_int_equal(command(fx, SNP_CMD_INIT), SEV_SUCCESS);
    before = fx_snapshot(fx);
    fx->wbinvd_owed = true;
    assert_int_equal(command(fx, SNP_CMD_DF_FLUSH), SEV_WBINVD_REQUIRED);
    fx_assert_same(fx, before);
    fx->wbinvd_owed = false;
    assert_int_equal(command(fx, SNP_CMD_DF_FLUSH), SEV_SUCCESS);
    assert_false(fx_core(fx)->asids[1].dirty);
    assert_false(fx_core(fx)->asids[509].dirty);
    snp_fx_free(fx);
}

int main(void)
{
    const struct CMUnitTest plain[] = {
        cmocka_unit_test(init__power_on__platform_init_and_asids_dirty),
        cmocka_unit_test(init__second__platform_state),
        cmocka_unit_test(init_ex__ranges__hv_fixed_and_the_rest_hypervisor),
        cmocka_unit_test(init_ex__huge_range__costs_nothing),
        cmocka_unit_test(init_ex__255_ranges__all),
        cmocka_unit_test(init_ex__list_without_init_rmp__param),
        cmocka_unit_test(init_ex__features__asid_limit_and_status),
        cmocka_unit_test(init_ex__max_asid_without_hiding__ignored),
        cmocka_unit_test(init_ex__callback_fails__nothing_changes),
        cmocka_unit_test(shutdown__plain__rmp_and_its_pages_stay),
        cmocka_unit_test(shutdown_ex__iommu__rmp_forgotten),
        cmocka_unit_test(shutdown__uninit__success_whatever_the_buffer),
        cmocka_unit_test(shutdown__dirty_asid__df_flush_before_the_buffer),
        cmocka_unit_test(shutdown_ex__legacy_not_uninit__before_everything),
        cmocka_unit_test(
            shutdown__running_guests__gone_and_their_keys_with_them),
        cmocka_unit_test(df_flush__wbinvd_owed__wbinvd_required),
    };
    struct tst_suite suite = {0};

    TST_ADD(&suite, plain);
    TST_ADD_ROWS(&suite, CASES, test_init_ex);
    TST_ADD_ROWS(&suite, SHUTDOWN_CASES, test_shutdown_ex);
    return tst_suite_run(&suite, "snp/init");
}
