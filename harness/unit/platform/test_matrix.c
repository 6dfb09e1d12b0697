/* SPDX-License-Identifier: Apache-2.0 */
/* Every SNP command in every platform state and guest state, against the table
 * of abi/snp.md §1.1 as it stands there; identifiers nobody assigned. */
#include "snp_fixture.h"

#include "wire.h"

#define ASID     3u
#define U        1u /* UNINIT */
#define I        2u /* INIT */
#define G_NONE   0u /* no guest in the command */
#define G_INIT   1u
#define G_LAUNCH 2u
#define G_RUN    4u

enum guest { NO_GUEST, GUEST_INIT, GUEST_LAUNCH, GUEST_RUNNING, GUESTS };

/* A context page in the wanted state; a Firmware page for NO_GUEST. */
static uint64_t make_guest(struct snp_fx *fx, enum guest guest)
{
    switch (guest) {
    case GUEST_INIT:
        return fx_guest_init(fx);
    case GUEST_LAUNCH:
        return fx_guest_launch(fx, ASID, FX_DEBUG);
    case GUEST_RUNNING:
        return fx_guest_running(fx, ASID, FX_DEBUG);
    default:
        return fx_firmware(fx, fx_page(fx));
    }
}

static uint64_t firmware(struct fx_try *t)
{
    return fx_firmware(t->fx, fx_page(t->fx));
}

static uint64_t pre_guest(struct fx_try *t)
{
    return fx_pre_guest(t->fx, fx_page(t->fx), ASID, 0x1000);
}

static uint64_t metadata(struct fx_try *t)
{
    uint64_t spa = firmware(t);
    struct rmp_entry e = {.state = RMP_METADATA, .owner_gctx = t->gctx};

    rmp_replace(psp_rmp(t->fx->psp), spa, &e);
    return spa;
}

#define BUILD(name) static void name(struct fx_try *t)

BUILD(b_init)
{
    t->command = SNP_CMD_INIT;
}
BUILD(b_shutdown)
{
    t->command = SNP_CMD_SHUTDOWN;
}
BUILD(b_platform_status)
{
    FX_SET(t, PLATFORM_STATUS, STATUS, status, .status_paddr = firmware(t));
}
BUILD(b_df_flush)
{
    t->command = SNP_CMD_DF_FLUSH;
}
BUILD(b_init_ex)
{
    FX_SET(t, INIT_EX, INIT_EX, init_ex, .init_rmp = true);
}
BUILD(b_shutdown_ex)
{
    FX_SET(t, SHUTDOWN_EX, SHUTDOWN_EX, shutdown_ex, .len = 8);
}
BUILD(b_decommission)
{
    FX_SET(t, DECOMMISSION, GCTX, gctx, .gctx_paddr = t->gctx);
}
BUILD(b_activate)
{
    FX_SET(t, ACTIVATE, ACTIVATE, activate, .gctx_paddr = t->gctx, .asid = 9);
}
BUILD(b_guest_status)
{
    FX_SET(t, GUEST_STATUS, GUEST_STATUS, guest_status, .gctx_paddr = t->gctx,
           .status_paddr = firmware(t));
}
BUILD(b_gctx_create)
{
    FX_SET(t, GCTX_CREATE, GCTX, gctx, .gctx_paddr = firmware(t));
}
BUILD(b_guest_request)
{
    FX_SET(t, GUEST_REQUEST, GUEST_REQUEST, guest_request,
           .gctx_paddr = t->gctx, .request_paddr = fx_page(t->fx),
           .response_paddr = firmware(t));
}
BUILD(b_activate_ex)
{
    FX_SET(t, ACTIVATE_EX, ACTIVATE_EX, activate_ex, .ex_len = 0x20,
           .gctx_paddr = t->gctx, .asid = 9, .num_ids = 1,
           .ids_paddr = fx_page(t->fx));
}
BUILD(b_hv_report)
{
    FX_SET(t, HV_REPORT_REQ, HV_REPORT_REQ, hv_report_req, .len = 0x18,
           .gctx_paddr = t->gctx, .hv_report_paddr = firmware(t));
}
BUILD(b_launch_start)
{
    FX_SET(t, LAUNCH_START, LAUNCH_START, launch_start, .gctx_paddr = t->gctx,
           .policy = FX_POLICY);
}
BUILD(b_launch_update)
{
    FX_SET(t, LAUNCH_UPDATE, LAUNCH_UPDATE, launch_update,
           .gctx_paddr = t->gctx, .page_type = SNP_PAGE_ZERO,
           .page_paddr = pre_guest(t));
}
BUILD(b_launch_finish)
{
    FX_SET(t, LAUNCH_FINISH, LAUNCH_FINISH, launch_finish,
           .gctx_paddr = t->gctx);
}
BUILD(b_dbg_decrypt)
{
    FX_SET(t, DBG_DECRYPT, DBG, dbg, .gctx_paddr = t->gctx,
           .src_paddr = pre_guest(t), .dst_paddr = firmware(t));
}
BUILD(b_dbg_encrypt)
{
    FX_SET(t, DBG_ENCRYPT, DBG, dbg, .gctx_paddr = t->gctx,
           .src_paddr = fx_page(t->fx), .dst_paddr = pre_guest(t));
}
BUILD(b_verify_mitigation)
{
    FX_SET(t, VERIFY_MITIGATION, VERIFY_MITIGATION, verify_mitigation,
           .len = 0x40);
}
BUILD(b_swap_out)
{
    FX_SET(t, PAGE_SWAP_OUT, PAGE_SWAP, page_swap, .gctx_paddr = t->gctx,
           .src_paddr = pre_guest(t), .dst_paddr = firmware(t),
           .mdata_paddr = metadata(t));
}
BUILD(b_swap_in)
{
    FX_SET(t, PAGE_SWAP_IN, PAGE_SWAP, page_swap, .gctx_paddr = t->gctx,
           .src_paddr = firmware(t), .dst_paddr = pre_guest(t),
           .mdata_paddr = metadata(t));
}
BUILD(b_page_move)
{
    FX_SET(t, PAGE_MOVE, PAGE_MOVE, page_move, .gctx_paddr = t->gctx,
           .src_paddr = pre_guest(t), .dst_paddr = pre_guest(t));
}
BUILD(b_md_init)
{
    FX_SET(t, PAGE_MD_INIT, PAGE_MD_INIT, page_md_init, .gctx_paddr = t->gctx,
           .page_paddr = firmware(t));
}
BUILD(b_set_state)
{
    FX_SET(t, PAGE_SET_STATE, PAGE_SET_STATE, page_set_state, .len = 0x10,
           .list_paddr = fx_page(t->fx));
}
BUILD(b_reclaim)
{
    FX_SET(t, PAGE_RECLAIM, PAGE_RECLAIM, page_reclaim,
           .page_paddr = firmware(t));
}
BUILD(b_unsmash)
{
    FX_SET(t, PAGE_UNSMASH, PAGE_UNSMASH, page_unsmash,
           .page_paddr = fx_page_2m(t->fx));
}
BUILD(b_config)
{
    FX_SET(t, CONFIG, CONFIG, config, .mask_chip_id = false);
}
BUILD(b_download)
{
    FX_SET(t, DOWNLOAD_FIRMWARE_EX, DOWNLOAD_FIRMWARE_EX, download_firmware_ex,
           .len = 0x18, .fw_paddr = 0x40000, .fw_len = 0x100);
}
BUILD(b_commit)
{
    FX_SET(t, COMMIT, COMMIT, commit, .len = 4);
}
BUILD(b_vlek_load)
{
    FX_SET(t, VLEK_LOAD, VLEK_LOAD, vlek_load, .len = 0x10,
           .vlek_wrapped_paddr = fx_page(t->fx));
}
BUILD(b_feature_info)
{
    FX_SET(t, FEATURE_INFO, FEATURE_INFO, feature_info, .len = 0x10,
           .feature_info_paddr = firmware(t));
}

/* abi/snp.md §1.1, row by row. */
#define NAMED(name)                                                            \
    name "__every_state__as_in_the_sheet", name,                               \
        name "__each_reserved_bit__param"

static const struct row {
    const char *states_test;
    const char *name;
    const char *reserved_test; /* this row's second test starts here */
    void (*build)(struct fx_try *t);
    uint32_t id;
    uint32_t size;
    uint8_t platform;
    uint8_t guest;
    const char *mbz; /* bits that must be zero, or exactly as built (LEN) */
} ROWS[] = {
    {NAMED("SNP_INIT"), b_init, 0x81, 0, U, G_NONE, ""},
    {NAMED("SNP_SHUTDOWN"), b_shutdown, 0x82, 0, U | I, G_NONE, ""},
    {NAMED("SNP_PLATFORM_STATUS"), b_platform_status, 0x83, 0x8, U | I, G_NONE,
     "0000000000000000"},
    {NAMED("SNP_DF_FLUSH"), b_df_flush, 0x84, 0, U | I, G_NONE, ""},
    {NAMED("SNP_INIT_EX"), b_init_ex, 0x85, 0x40, U, G_NONE,
     "f0ffffff"
     "ffffffff"
     "0000000000000000"
     "0000ffffffffffff"
     "ffffffffffffffffffffffffffffffff"
     "ffffffffffffffffffffffffffffffff"
     "ffffffffffffffff"},
    {NAMED("SNP_SHUTDOWN_EX"), b_shutdown_ex, 0x86, 0x8, U | I, G_NONE,
     "ffffffff"
     "feffffff"},
    {NAMED("SNP_DECOMMISSION"), b_decommission, 0x90, 0x8, I,
     G_INIT | G_LAUNCH | G_RUN, "ff0f000000000000"},
    {NAMED("SNP_ACTIVATE"), b_activate, 0x91, 0xc, I, G_LAUNCH | G_RUN,
     "ff0f000000000000"
     "00000000"},
    {NAMED("SNP_GUEST_STATUS"), b_guest_status, 0x92, 0x10, I,
     G_INIT | G_LAUNCH | G_RUN,
     "ff0f000000000000"
     "0000000000000000"},
    {NAMED("SNP_GCTX_CREATE"), b_gctx_create, 0x93, 0x8, I, G_NONE,
     "ff0f000000000000"},
    {NAMED("SNP_GUEST_REQUEST"), b_guest_request, 0x94, 0x18, I, G_RUN,
     "ff0f000000000000"
     "00000000000000000000000000000000"},
    {NAMED("SNP_ACTIVATE_EX"), b_activate_ex, 0x95, 0x20, I, G_LAUNCH | G_RUN,
     "ffffffffffffffff"
     "ff0f000000000000"
     "00000000000000000000000000000000"},
    {NAMED("SNP_HV_REPORT_REQ"), b_hv_report, 0x96, 0x18, I, G_RUN,
     "ffffffff"
     "fcffffff"
     "ff0f000000000000"
     "0000000000000000"},
    {NAMED("SNP_LAUNCH_START"), b_launch_start, 0xa0, 0x30, I, G_INIT,
     "ff0f000000000000"
     "00000000000000000000000000000000"
     "fcffffff"
     "0000000000000000000000000000000000000000"},
    {NAMED("SNP_LAUNCH_UPDATE"), b_launch_update, 0xa1, 0x20, I, G_LAUNCH,
     "ff0f000000000000"
     "e0ffffff"
     "ffffffff"
     "ff0f000000000000"
     "ffe0e0e0"
     "ffffffff"},
    {NAMED("SNP_LAUNCH_FINISH"), b_launch_finish, 0xa2, 0x40, I, G_LAUNCH,
     "ff0f000000000000"
     "00000000000000000000000000000000"
     "f8ffffffffffffff"
     "0000000000000000000000000000000000000000000000000000000000000000"},
    {NAMED("SNP_DBG_DECRYPT"), b_dbg_decrypt, 0xb0, 0x18, I, G_LAUNCH | G_RUN,
     "ff0f000000000000"
     "ff0f000000000000"
     "ff0f000000000000"},
    {NAMED("SNP_DBG_ENCRYPT"), b_dbg_encrypt, 0xb1, 0x18, I, G_LAUNCH | G_RUN,
     "ff0f000000000000"
     "ff0f000000000000"
     "ff0f000000000000"},
    {NAMED("SNP_VERIFY_MITIGATION"), b_verify_mitigation, 0xb2, 0x40, U | I,
     G_NONE,
     "ffffffff"
     "feffffff"
     "0000000000000000"
     "fcffffff"
     "ffffffff"
     "00000000000000000000000000000000"
     "ffffffffffffffffffffffffffffffff"
     "ffffffffffffffff"},
    {NAMED("SNP_PAGE_SWAP_OUT"), b_swap_out, 0xc0, 0x30, I, G_LAUNCH | G_RUN,
     "ff0f000000000000"
     "ff0f000000000000"
     "ff0f000000000000"
     "00000000000000000000000000000000"
     "e8ffffffffffffff"},
    {NAMED("SNP_PAGE_SWAP_IN"), b_swap_in, 0xc1, 0x30, I, G_LAUNCH | G_RUN,
     "ff0f000000000000"
     "ff0f000000000000"
     "ff0f000000000000"
     "0000000000000000"
     "ffffffffffffffff"
     "e0ffffffffffffff"},
    {NAMED("SNP_PAGE_MOVE"), b_page_move, 0xc2, 0x20, I, G_LAUNCH | G_RUN,
     "ff0f000000000000"
     "feffffffffffffff"
     "ff0f000000000000"
     "ff0f000000000000"},
    {NAMED("SNP_PAGE_MD_INIT"), b_md_init, 0xc3, 0x10, I, G_LAUNCH | G_RUN,
     "ff0f000000000000"
     "ff0f000000000000"},
    {NAMED("SNP_PAGE_SET_STATE"), b_set_state, 0xc6, 0x10, I, G_NONE,
     "00000000"
     "ffffffff"
     "ff0f000000000000"},
    {NAMED("SNP_PAGE_RECLAIM"), b_reclaim, 0xc7, 0x8, I, G_NONE,
     "fe0f000000000000"},
    {NAMED("SNP_PAGE_UNSMASH"), b_unsmash, 0xc8, 0x8, I, G_NONE,
     "ffff1f0000000000"},
    {NAMED("SNP_CONFIG"), b_config, 0xc9, 0x40, U | I, G_NONE,
     "0000000000000000"
     "fcffffff"
     "ffffffff"
     "ffffffffffffffffffffffffffffffff"
     "ffffffffffffffffffffffffffffffff"
     "ffffffffffffffffffffffffffffffff"},
    {NAMED("SNP_DOWNLOAD_FIRMWARE_EX"), b_download, 0xca, 0x18, U | I, G_NONE,
     "ffffffffffffffff"
     "000000000000000000000000"
     "feffffff"},
    {NAMED("SNP_COMMIT"), b_commit, 0xcb, 0x4, U | I, G_NONE, "ffffffff"},
    {NAMED("SNP_VLEK_LOAD"), b_vlek_load, 0xcd, 0x10, U | I, G_NONE,
     "ffffffffffffffff"
     "0000000000000000"},
    {NAMED("SNP_FEATURE_INFO"), b_feature_info, 0xce, 0x10, U | I, G_NONE,
     "ffffffff"
     "000000000000000000000000"},
};

#define ROW_COUNT (sizeof(ROWS) / sizeof(ROWS[0]))

static void every_feature(struct psp_config *config)
{
    config->profile.feature_ecx = 0x203f;
}

static enum sev_status expected(const struct row *row, bool init,
                                enum guest guest)
{
    if ((row->platform & (init ? I : U)) == 0) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    if (row->guest == G_NONE) {
        return SEV_SUCCESS;
    }
    if (guest == NO_GUEST) {
        return SEV_INVALID_GUEST;
    }
    return (row->guest & (1u << (guest - 1))) != 0 ? SEV_SUCCESS
                                                   : SEV_INVALID_GUEST_STATE;
}

static bool is_state_status(enum sev_status status)
{
    return status == SEV_INVALID_PLATFORM_STATE ||
           status == SEV_INVALID_GUEST || status == SEV_INVALID_GUEST_STATE;
}

static void cell(const struct row *row, bool init, enum guest guest)
{
    struct fx_try t = {.fx = snp_fx_up("turin", every_feature)};
    enum sev_status want = expected(row, init, guest), got;
    struct fx_snapshot *before;

    t.gctx = make_guest(t.fx, guest);
    row->build(&t);
    assert_int_equal(t.command, row->id);
    assert_int_equal(t.size, row->size);
    fx_core(t.fx)->snp_state = init ? SNP_PLATFORM_INIT : SNP_PLATFORM_UNINIT;
    before = fx_snapshot(t.fx);
    got = fx_execute(&t);
    if (want == SEV_SUCCESS ? is_state_status(got) : got != want) {
        print_error("%s, platform %s, guest %d: %s\n", row->name,
                    init ? "INIT" : "UNINIT", guest, sev_status_name(got));
        fail();
    }
    if (got == SEV_SUCCESS) {
        fx_snapshot_free(before);
    } else {
        fx_assert_same(t.fx, before);
    }
    snp_fx_free(t.fx);
}

static void test_row(void **state)
{
    const struct row *row = *state;
    struct psp_command_info info;

    for (int init = 0; init < 2; init++) {
        for (int guest = NO_GUEST; guest < GUESTS; guest++) {
            cell(row, init == 1, (enum guest)guest);
        }
    }
    assert_true(psp_command_info(row->id, &info));
    assert_string_equal(info.name, row->name);
    assert_int_equal(info.buffer_size, row->size);
    assert_int_equal(info.platform_states, row->platform);
    assert_int_equal(info.guest_states, row->guest);
}

/* Flip each bit that firmware fixes, one at a time. */
static void test_reserved(void **state)
{
    const struct row *row = (const void *)((const char *)*state -
                                           offsetof(struct row, reserved_test));
    struct fx_try t = {.fx = snp_fx_up("turin", every_feature)};
    uint8_t mbz[SNP_CMD_MAX_SIZE];
    struct fx_snapshot *before;

    t.gctx = make_guest(t.fx, (row->guest & G_LAUNCH) != 0 ? GUEST_LAUNCH
                              : (row->guest & G_RUN) != 0  ? GUEST_RUNNING
                              : (row->guest & G_INIT) != 0 ? GUEST_INIT
                                                           : NO_GUEST);
    row->build(&t);
    tst_hex(row->mbz, mbz, t.size);
    if ((row->platform & I) == 0) {
        fx_core(t.fx)->snp_state = SNP_PLATFORM_UNINIT;
    }
    before = fx_snapshot(t.fx);
    for (size_t bit = 0; bit < 8 * t.size; bit++) {
        uint8_t mask = (uint8_t)(1u << (bit % 8));

        if ((mbz[bit / 8] & mask) == 0) {
            continue;
        }
        t.buf[bit / 8] ^= mask;
        if (fx_execute(&t) != SEV_INVALID_PARAM) {
            print_error("%s: byte %zx mask %x\n", row->name, bit / 8, mask);
            fail();
        }
        t.buf[bit / 8] ^= mask;
    }
    fx_assert_same(t.fx, before);
    snp_fx_free(t.fx);
}

/* -- identifiers ------------------------------------------------------------
 */

static bool assigned(uint32_t id)
{
    struct psp_command_info info;

    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (ROWS[i].id == id) {
            return true;
        }
    }
    return id < 0x80 && psp_command_info(id, &info);
}

static void command__unassigned__invalid_and_nothing_touched(void **state)
{
    struct snp_fx *fx = snp_fx_up("turin", every_feature);

    (void)state;
    for (uint32_t id = 0; id < 0x400; id++) {
        struct psp_command_info info;

        if (assigned(id)) {
            continue;
        }
        fx->calls = 0;
        assert_int_equal(psp_execute(fx->psp, id, UINT64_MAX),
                         SEV_INVALID_COMMAND);
        assert_int_equal(fx->calls, 0);
        assert_false(psp_command_info(id, &info));
    }
    assert_int_equal(psp_execute(fx->psp, 0x80000081, 0), SEV_INVALID_COMMAND);
    snp_fx_free(fx);
}

static void snp_commands__no_snp__invalid(void **state)
{
    static const char *const names[] = {"naples", "rome"};

    (void)state;
    for (size_t n = 0; n < 2; n++) {
        struct snp_fx *fx = snp_fx_new(names[n], NULL);

        for (size_t i = 0; i < ROW_COUNT; i++) {
            assert_int_equal(psp_execute(fx->psp, ROWS[i].id, FX_COMMAND),
                             SEV_INVALID_COMMAND);
        }
        snp_fx_free(fx);
    }
}

static void hv_report__milan__invalid_command(void **state)
{
    struct fx_try t = {.fx = snp_fx_up("milan", NULL)};

    (void)state;
    t.gctx = make_guest(t.fx, GUEST_RUNNING);
    b_hv_report(&t);
    assert_int_equal(fx_execute(&t), SEV_INVALID_COMMAND);
    snp_fx_free(t.fx);
}

static void command_table__ascending__every_row_found_by_id(void **state)
{
    struct psp_command_info row, found;
    uint32_t last = 0;
    size_t count = 0;

    (void)state;
    for (; psp_command_at(count, &row); count++) {
        assert_true(row.id > last);
        last = row.id;
        assert_true(psp_command_info(row.id, &found));
        assert_string_equal(row.name, found.name);
        assert_true(row.platform_states != 0);
    }
    assert_int_equal(last, 0xce);
    assert_true(count > ROW_COUNT);
    assert_false(psp_command_at(count + 1, &row));
}

int main(void)
{
    const struct CMUnitTest plain[] = {
        cmocka_unit_test(command__unassigned__invalid_and_nothing_touched),
        cmocka_unit_test(snp_commands__no_snp__invalid),
        cmocka_unit_test(hv_report__milan__invalid_command),
        cmocka_unit_test(command_table__ascending__every_row_found_by_id),
    };
    struct tst_suite suite = {0};

    TST_ADD(&suite, plain);
    TST_ADD_ROWS(&suite, ROWS, test_row);
    tst_add_rows(&suite, &ROWS[0].reserved_test, sizeof(ROWS[0]), ROW_COUNT,
                 test_reserved);
    return tst_suite_run(&suite, "platform/matrix");
}
