/* SPDX-License-Identifier: Apache-2.0 */
/* PLATFORM_STATUS, GUEST_STATUS, FEATURE_INFO. abi/snp.md §1.12, §10 */
#include "snp_fixture.h"

#include "snp_status.h"
#include "wire.h"

#define OUT 0x6000ull

#define BREAK(name) static void name(struct fx_try *t)

static void read_hex(struct snp_fx *fx, uint64_t spa, const char *hex,
                     size_t size)
{
    uint8_t got[64];

    assert_true(size <= sizeof(got));
    fx_read(fx, spa, got, size);
    assert_hex_equal(got, hex, size);
}

/* -- content ----------------------------------------------------------------
 */

static void platform_status__power_on__sheet_layout(void **state)
{
    struct snp_fx *fx = snp_fx_new("milan", NULL);

    (void)state;
    assert_int_equal(FX(fx, PLATFORM_STATUS, status, .status_paddr = OUT),
                     SEV_SUCCESS);
    /* 1.55 UNINIT, alias check done, build 29, FEATURE_INFO, no guests. */
    read_hex(fx, OUT,
             "01370002 1d000000 08000000 00000000"
             "04000000 000018db 04000000 000018db",
             32);
    snp_fx_free(fx);
}

static void platform_status__milan_old__no_alias_check(void **state)
{
    struct snp_fx *fx = snp_fx_new("milan-old", NULL);

    (void)state;
    assert_int_equal(FX(fx, PLATFORM_STATUS, status, .status_paddr = OUT),
                     SEV_SUCCESS);
    read_hex(fx, OUT, "01340000 04000000", 8);
    snp_fx_free(fx);
}

static void all_features(struct psp_config *config)
{
    config->profile.feature_ecx = 0x3f;
}

static void platform_status__everything_on__every_bit(void **state)
{
    struct snp_fx *fx = snp_fx_new("genoa", all_features);

    (void)state;
    assert_int_equal(FX(fx, INIT_EX, init_ex, .init_rmp = true,
                        .rapl_dis = true, .ciphertext_hiding_en = true,
                        .max_snp_asid = 99),
                     SEV_SUCCESS);
    assert_int_equal(fx_command(fx, SNP_CMD_DF_FLUSH, NULL, 0), SEV_SUCCESS);
    (void)fx_guest_launch(fx, 1, FX_POLICY);
    (void)fx_guest_running(fx, 2, FX_POLICY);
    (void)fx_guest_init(fx); /* not counted */
    assert_int_equal(FX(fx, CONFIG, config,
                        .reported_tcb = {{9, 0, 0, 0, 0, 0, 0x17, 0x54}},
                        .mask_chip_id = true, .mask_chip_key = true),
                     SEV_SUCCESS);
    fx_firmware(fx, OUT);
    assert_int_equal(FX(fx, PLATFORM_STATUS, status, .status_paddr = OUT),
                     SEV_SUCCESS);
    read_hex(fx, OUT,
             "01370103 28000000 7b000000 02000000"
             "0a000000 00001754 09000000 00001754",
             32);
    snp_fx_free(fx);
}

static void guest_status__each_state__sheet_layout(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    uint64_t init = fx_guest_init(fx);
    uint64_t launch = fx_guest_launch(fx, 7, FX_DEBUG);
    uint64_t running = fx_guest_launch(fx, 0x1fd, FX_POLICY);

    (void)state;
    assert_int_equal(FX(fx, LAUNCH_FINISH, launch_finish, .gctx_paddr = running,
                        .vcek_dis = true),
                     SEV_SUCCESS);
    fx_firmware(fx, OUT);
    assert_int_equal(FX(fx, GUEST_STATUS, guest_status, .gctx_paddr = init,
                        .status_paddr = OUT),
                     SEV_SUCCESS);
    read_hex(fx, OUT,
             "00000000 00000000 00000000 00000000"
             "00000000 00000000 00000000 00000000",
             32);
    assert_int_equal(FX(fx, GUEST_STATUS, guest_status, .gctx_paddr = launch,
                        .status_paddr = OUT + 0x20),
                     SEV_SUCCESS);
    read_hex(fx, OUT + 0x20,
             "00000b00 00000000 07000000 01000000"
             "00000000 00000000 00000000 00000000",
             32);
    assert_int_equal(FX(fx, GUEST_STATUS, guest_status, .gctx_paddr = running,
                        .status_paddr = OUT + 0xfe0),
                     SEV_SUCCESS);
    read_hex(fx, OUT + 0xfe0,
             "00000300 00000000 fd010000 02000000"
             "01000000 00000000 00000000 00000000",
             32);
    snp_fx_free(fx);
}

static void feature_info__both_sub_functions__sheet_values(void **state)
{
    struct snp_fx *fx = snp_fx_new("milan", NULL);

    (void)state;
    assert_int_equal(FX(fx, FEATURE_INFO, feature_info, .len = 0x10,
                        .feature_info_paddr = OUT),
                     SEV_SUCCESS);
    read_hex(fx, OUT, "01000000 01000000 03000000 00000000", 16);
    assert_int_equal(FX(fx, FEATURE_INFO, feature_info, .len = 0x10,
                        .ecx_in = 1, .feature_info_paddr = OUT + 4),
                     SEV_SUCCESS);
    read_hex(fx, OUT + 4, "ff010000 00000000 00000000 00000000", 16);
    snp_fx_free(fx);
}

/* -- refusals ---------------------------------------------------------------
 */

BREAK(status_uninit)
{
    t->fx = snp_fx_new("milan", NULL);
    FX_SET(t, PLATFORM_STATUS, STATUS, status, .status_paddr = OUT);
}
BREAK(status)
{
    t->fx = snp_fx_up("milan", NULL);
    fx_firmware(t->fx, OUT);
    FX_SET(t, PLATFORM_STATUS, STATUS, status, .status_paddr = OUT);
}
BREAK(out_crosses)
{
    fx_put64(t, 0, OUT + 0xfe1);
}
BREAK(out_last_fit)
{
    fx_put64(t, 0, OUT + 0xfe0);
}
BREAK(out_outside)
{
    fx_put64(t, 0, FX_MEMORY_SIZE);
}
BREAK(out_top)
{
    fx_put64(t, 0, UINT64_MAX - 0x3f);
}
BREAK(out_crosses_outside)
{
    fx_put64(t, 0, FX_MEMORY_SIZE - 8);
}
BREAK(out_hypervisor)
{
    fx_put64(t, 0, fx_page(t->fx));
}
BREAK(out_default)
{
    fx_put64(t, 0, FX_DEFAULT_PAGE);
}
BREAK(out_context)
{
    fx_put64(t, 0, fx_guest_init(t->fx));
}
BREAK(out_pre_guest)
{
    fx_put64(t, 0, fx_pre_guest(t->fx, fx_page(t->fx), 1, 0x1000));
}
BREAK(out_guest_valid)
{
    uint64_t gctx = fx_guest_launch(t->fx, 1, FX_POLICY);

    fx_put64(t, 0, fx_launch_page(t->fx, gctx, SNP_PAGE_ZERO, 0x1000, NULL));
}
BREAK(out_reclaim)
{
    assert_int_equal(FX(t->fx, PAGE_RECLAIM, page_reclaim, .page_paddr = OUT),
                     SEV_SUCCESS);
}

BREAK(guest_status)
{
    t->fx = snp_fx_up("milan", NULL);
    fx_firmware(t->fx, OUT);
    t->gctx = fx_guest_init(t->fx);
    FX_SET(t, GUEST_STATUS, GUEST_STATUS, guest_status, .gctx_paddr = t->gctx,
           .status_paddr = OUT);
}
BREAK(gctx_low)
{
    t->buf[1] |= 1;
}
BREAK(uninit)
{
    fx_core(t->fx)->snp_state = SNP_PLATFORM_UNINIT;
}
BREAK(gctx_outside)
{
    fx_put64(t, 0, FX_MEMORY_SIZE);
}
BREAK(gctx_firmware)
{
    fx_put64(t, 0, OUT);
}
BREAK(gs_crosses)
{
    fx_put64(t, 8, OUT + 0xff0);
}
BREAK(gs_outside)
{
    fx_put64(t, 8, FX_MEMORY_SIZE);
}
BREAK(gs_hypervisor)
{
    fx_put64(t, 8, fx_page(t->fx));
}
BREAK(gs_default)
{
    fx_put64(t, 8, FX_DEFAULT_PAGE + 8);
}
BREAK(gs_crosses_and_uninit)
{
    gs_crosses(t);
    uninit(t);
}
BREAK(gs_uninit_and_outside)
{
    gs_outside(t);
    uninit(t);
}
BREAK(gs_outside_and_guest)
{
    gs_outside(t);
    gctx_firmware(t);
}
BREAK(gs_guest_and_state)
{
    gs_hypervisor(t);
    gctx_firmware(t);
}

BREAK(feature)
{
    t->fx = snp_fx_up("milan", NULL);
    fx_firmware(t->fx, OUT);
    FX_SET(t, FEATURE_INFO, FEATURE_INFO, feature_info, .len = 0x10,
           .feature_info_paddr = OUT);
}
BREAK(fi_len)
{
    fx_put32(t, 0, 0x11);
}
BREAK(fi_len_0)
{
    fx_put32(t, 0, 0);
}
BREAK(fi_ecx_2)
{
    fx_put32(t, 4, 2);
}
BREAK(fi_ecx_all)
{
    fx_put32(t, 4, UINT32_MAX);
}
BREAK(fi_unaligned)
{
    fx_put64(t, 8, OUT + 2);
}
BREAK(fi_crosses)
{
    fx_put64(t, 8, OUT + 0xff4);
}
BREAK(fi_outside)
{
    fx_put64(t, 8, FX_MEMORY_SIZE);
}
BREAK(fi_hypervisor)
{
    fx_put64(t, 8, fx_page(t->fx));
}
BREAK(fi_len_and_outside)
{
    fi_len(t);
    fi_outside(t);
}

static const struct fx_case CASES[] = {
    {"platform_status__success", status, NULL, SEV_SUCCESS},
    {"platform_status__end_of_page__success", status, out_last_fit,
     SEV_SUCCESS},
    {"platform_status__default_page__success", status, out_default,
     SEV_SUCCESS},
    {"platform_status__uninit_any_page__success", status_uninit, out_hypervisor,
     SEV_SUCCESS},
    {"platform_status__crosses__param", status, out_crosses, SEV_INVALID_PARAM},
    {"platform_status__crosses_uninit__param", status_uninit, out_crosses,
     SEV_INVALID_PARAM},
    {"platform_status__outside__address", status, out_outside,
     SEV_INVALID_ADDRESS},
    {"platform_status__top_of_address_space__address", status, out_top,
     SEV_INVALID_ADDRESS},
    {"platform_status__crosses_the_end__param", status, out_crosses_outside,
     SEV_INVALID_PARAM},
    {"platform_status__hypervisor_page__page_state", status, out_hypervisor,
     SEV_INVALID_PAGE_STATE},
    {"platform_status__context_page__page_state", status, out_context,
     SEV_INVALID_PAGE_STATE},
    {"platform_status__pre_guest_page__page_state", status, out_pre_guest,
     SEV_INVALID_PAGE_STATE},
    {"platform_status__guest_page__page_state", status, out_guest_valid,
     SEV_INVALID_PAGE_STATE},
    {"platform_status__reclaim_page__page_state", status, out_reclaim,
     SEV_INVALID_PAGE_STATE},

    {"guest_status__success", guest_status, NULL, SEV_SUCCESS},
    {"guest_status__default_page__success", guest_status, gs_default,
     SEV_SUCCESS},
    {"guest_status__gctx_low__param", guest_status, gctx_low,
     SEV_INVALID_PARAM},
    {"guest_status__crosses__param", guest_status, gs_crosses,
     SEV_INVALID_PARAM},
    {"guest_status__uninit__platform_state", guest_status, uninit,
     SEV_INVALID_PLATFORM_STATE},
    {"guest_status__gctx_outside__address", guest_status, gctx_outside,
     SEV_INVALID_ADDRESS},
    {"guest_status__out_outside__address", guest_status, gs_outside,
     SEV_INVALID_ADDRESS},
    {"guest_status__no_context__guest", guest_status, gctx_firmware,
     SEV_INVALID_GUEST},
    {"guest_status__hypervisor_page__page_state", guest_status, gs_hypervisor,
     SEV_INVALID_PAGE_STATE},
    {"guest_status__order_param_platform", guest_status, gs_crosses_and_uninit,
     SEV_INVALID_PARAM},
    {"guest_status__order_platform_address", guest_status,
     gs_uninit_and_outside, SEV_INVALID_PLATFORM_STATE},
    {"guest_status__order_address_guest", guest_status, gs_outside_and_guest,
     SEV_INVALID_ADDRESS},
    {"guest_status__order_guest_page_state", guest_status, gs_guest_and_state,
     SEV_INVALID_GUEST},

    {"feature_info__success", feature, NULL, SEV_SUCCESS},
    {"feature_info__len_11__param", feature, fi_len, SEV_INVALID_PARAM},
    {"feature_info__len_0__param", feature, fi_len_0, SEV_INVALID_PARAM},
    {"feature_info__sub_function_2__param", feature, fi_ecx_2,
     SEV_INVALID_PARAM},
    {"feature_info__sub_function_ffffffff__param", feature, fi_ecx_all,
     SEV_INVALID_PARAM},
    {"feature_info__unaligned__address", feature, fi_unaligned,
     SEV_INVALID_ADDRESS},
    {"feature_info__crosses__address", feature, fi_crosses,
     SEV_INVALID_ADDRESS},
    {"feature_info__outside__address", feature, fi_outside,
     SEV_INVALID_ADDRESS},
    {"feature_info__hypervisor_page__page_state", feature, fi_hypervisor,
     SEV_INVALID_PAGE_STATE},
    {"feature_info__order_param_address", feature, fi_len_and_outside,
     SEV_INVALID_PARAM},
};

static enum sev_status act_execute(struct snp_fx *fx, void *ctx)
{
    (void)fx;
    return fx_execute(ctx);
}

static void status__callback_fails__nothing_changes(void **state)
{
    void (*const prepare[])(struct fx_try *) = {status, guest_status, feature};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct fx_try t = {0};

        prepare[i](&t);
        assert_int_equal(fx_sweep(t.fx, act_execute, &t), 2);
        snp_fx_free(t.fx);
    }
}

int main(void)
{
    const struct CMUnitTest plain[] = {
        cmocka_unit_test(platform_status__power_on__sheet_layout),
        cmocka_unit_test(platform_status__milan_old__no_alias_check),
        cmocka_unit_test(platform_status__everything_on__every_bit),
        cmocka_unit_test(guest_status__each_state__sheet_layout),
        cmocka_unit_test(feature_info__both_sub_functions__sheet_values),
        cmocka_unit_test(status__callback_fails__nothing_changes),
    };
    struct tst_suite suite = {0};

    TST_ADD(&suite, plain);
    TST_ADD_ROWS(&suite, CASES, fx_test_case);
    return tst_suite_run(&suite, "snp/status");
}
