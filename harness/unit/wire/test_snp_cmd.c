/* SPDX-License-Identifier: Apache-2.0 */
/* Codecs of SNP command buffers, launch and status structures: what is encoded
 * comes back, byte for byte, with every defined bit set and with none. */
#include "snp_cmd.h"
#include "snp_cpuid.h"
#include "snp_firmware.h"
#include "snp_id.h"
#include "snp_launch.h"
#include "snp_mdata.h"
#include "snp_status.h"
#include "tst.h"
#include "wire.h"

/* The buffer in @hex has every defined bit set: it must decode, and encode back
 * to itself; so must all zeros. */
#define ROUND_TRIP(name, SIZE, hex)                                            \
    do {                                                                       \
        uint8_t in_[SIZE], out_[SIZE];                                         \
        struct name s_;                                                        \
                                                                               \
        tst_hex(hex, in_, sizeof(in_));                                        \
        for (int zero_ = 0; zero_ < 2; zero_++) {                              \
            uint8_t *copy_ = tst_dup(in_, sizeof(in_));                        \
                                                                               \
            assert_true(name##_decode(copy_, &s_));                            \
            memset(out_, 0xee, sizeof(out_));                                  \
            name##_encode(&s_, out_);                                          \
            assert_memory_equal(out_, in_, sizeof(in_));                       \
            free(copy_);                                                       \
            memset(in_, 0, sizeof(in_));                                       \
        }                                                                      \
    } while (0)

#define Z4   "00000000"
#define Z8   Z4 Z4
#define Z16  Z8 Z8
#define F4   "ffffffff"
#define F8   F4 F4
#define F16  F8 F8
#define PAGE "00f0ffffffffffff"

static void platform_commands__every_bit__round_trip(void **state)
{
    (void)state;
    ROUND_TRIP(snp_cmd_init_ex, SNP_CMD_INIT_EX_SIZE,
               "0f000000" Z4 F8 "ffff000000000000" Z8 Z16 Z16);
    ROUND_TRIP(snp_cmd_shutdown_ex, SNP_CMD_SHUTDOWN_EX_SIZE, F4 "03000000");
    ROUND_TRIP(snp_cmd_status, SNP_CMD_STATUS_SIZE, F8);
    ROUND_TRIP(snp_cmd_feature_info, SNP_CMD_FEATURE_INFO_SIZE, F16);
    ROUND_TRIP(snp_cmd_config, SNP_CMD_CONFIG_SIZE,
               F8 "03000000" Z4 Z16 Z16 Z16);
    ROUND_TRIP(snp_cmd_commit, SNP_CMD_COMMIT_SIZE, F4);
    ROUND_TRIP(snp_cmd_vlek_load, SNP_CMD_VLEK_LOAD_SIZE, F4 "ff000000" F8);
    ROUND_TRIP(snp_cmd_download_firmware_ex, SNP_CMD_DOWNLOAD_FIRMWARE_EX_SIZE,
               F4 Z4 F8 F4 "01000000");
    ROUND_TRIP(snp_cmd_verify_mitigation, SNP_CMD_VERIFY_MITIGATION_SIZE,
               F4 "ffff0000" F8 "03000000" Z4 F16 Z16 Z8);
}

static void guest_commands__every_bit__round_trip(void **state)
{
    (void)state;
    ROUND_TRIP(snp_cmd_gctx, SNP_CMD_GCTX_SIZE, PAGE);
    ROUND_TRIP(snp_cmd_activate, SNP_CMD_ACTIVATE_SIZE, PAGE F4);
    ROUND_TRIP(snp_cmd_activate_ex, SNP_CMD_ACTIVATE_EX_SIZE, F4 Z4 PAGE F16);
    ROUND_TRIP(snp_cmd_guest_status, SNP_CMD_GUEST_STATUS_SIZE, PAGE F8);
    ROUND_TRIP(snp_cmd_guest_request, SNP_CMD_GUEST_REQUEST_SIZE, PAGE F16);
    ROUND_TRIP(snp_cmd_hv_report_req, SNP_CMD_HV_REPORT_REQ_SIZE,
               F4 "03000000" PAGE F8);
    ROUND_TRIP(snp_cmd_launch_start, SNP_CMD_LAUNCH_START_SIZE,
               PAGE F8 PAGE "03000000" F4 F16);
    ROUND_TRIP(snp_cmd_launch_update, SNP_CMD_LAUNCH_UPDATE_SIZE,
               PAGE "1f000000" Z4 PAGE "001f1f1f" Z4);
    ROUND_TRIP(snp_cmd_launch_finish, SNP_CMD_LAUNCH_FINISH_SIZE,
               PAGE F16 "0700000000000000" F16 F16);
    ROUND_TRIP(snp_cmd_dbg, SNP_CMD_DBG_SIZE, PAGE PAGE PAGE);
}

static void page_commands__every_bit__round_trip(void **state)
{
    (void)state;
    ROUND_TRIP(snp_cmd_page_swap, SNP_CMD_PAGE_SWAP_SIZE,
               PAGE PAGE PAGE F16 "1f00000000000000");
    ROUND_TRIP(snp_cmd_page_move, SNP_CMD_PAGE_MOVE_SIZE,
               PAGE "0100000000000000" PAGE PAGE);
    ROUND_TRIP(snp_cmd_page_md_init, SNP_CMD_PAGE_MD_INIT_SIZE, PAGE PAGE);
    ROUND_TRIP(snp_cmd_page_set_state, SNP_CMD_PAGE_SET_STATE_SIZE, F4 Z4 PAGE);
    ROUND_TRIP(snp_cmd_page_reclaim, SNP_CMD_PAGE_RECLAIM_SIZE,
               "01f0ffffffffffff");
    ROUND_TRIP(snp_cmd_page_unsmash, SNP_CMD_PAGE_UNSMASH_SIZE,
               "0000e0ffffffffff");
}

static void range_list__255_ranges__round_trip(void **state)
{
    struct snp_range in[SNP_RANGE_LIST_COUNT], out[SNP_RANGE_LIST_COUNT];
    uint8_t page[SNP_RANGE_LIST_SIZE];
    size_t count;

    (void)state;
    for (size_t i = 0; i < SNP_RANGE_LIST_COUNT; i++) {
        in[i] = (struct snp_range){i << 44 | i << 12, (uint32_t)(i * 77777)};
    }
    snp_range_list_encode(in, SNP_RANGE_LIST_COUNT, page);
    assert_true(snp_range_list_decode(page, out, &count));
    assert_int_equal(count, SNP_RANGE_LIST_COUNT);
    for (size_t i = 0; i < count; i++) {
        assert_true(out[i].base == in[i].base);
        assert_int_equal(out[i].page_count, in[i].page_count);
    }
}

#define ROUND_TRIP_VOID(name, SIZE, hex)                                       \
    do {                                                                       \
        uint8_t in_[SIZE], out_[SIZE];                                         \
        struct name s_;                                                        \
                                                                               \
        tst_hex(hex, in_, sizeof(in_));                                        \
        for (int zero_ = 0; zero_ < 2; zero_++) {                              \
            uint8_t *copy_ = tst_dup(in_, sizeof(in_));                        \
                                                                               \
            name##_decode(copy_, &s_);                                         \
            memset(out_, 0xee, sizeof(out_));                                  \
            name##_encode(&s_, out_);                                          \
            assert_memory_equal(out_, in_, sizeof(in_));                       \
            free(copy_);                                                       \
            memset(in_, 0, sizeof(in_));                                       \
        }                                                                      \
    } while (0)

static void structures__every_bit__round_trip(void **state)
{
    (void)state;
    ROUND_TRIP_VOID(snp_platform_status, SNP_PLATFORM_STATUS_SIZE,
                    "ffffff03" F4 "7f000000" F4 F16);
    ROUND_TRIP_VOID(snp_guest_status, SNP_GUEST_STATUS_SIZE,
                    F8 F4 "ff000000"
                          "01000000" Z4 Z8);
    ROUND_TRIP_VOID(snp_feature_info, SNP_FEATURE_INFO_SIZE, F16);
    ROUND_TRIP_VOID(snp_mdata, SNP_MDATA_SIZE,
                    F16 F16 "1ff0ffffffffffff" F4 Z4 Z16);
    ROUND_TRIP_VOID(snp_id_block, SNP_ID_BLOCK_SIZE, F16 F16 F16 F16 F16 F16);
}

/* Fields at the offsets of abi/snp.md §5.2, marked one by one. */
static void id_auth__fields__at_their_offsets(void **state)
{
    static const struct {
        size_t offset;
        size_t size;
        uint8_t mark;
    } fields[] = {
        {0x000, 4, 1},        {0x004, 4, 2},    {0x040, 0x90, 3},
        {0x240, 4 + 0x90, 4}, {0x680, 0x90, 5}, {0x880, 4 + 0x90, 6},
    };
    uint8_t in[SNP_ID_AUTH_SIZE] = {0}, out[SNP_ID_AUTH_SIZE];
    struct snp_id_auth a;

    (void)state;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        memset(in + fields[i].offset, fields[i].mark, fields[i].size);
    }
    snp_id_auth_decode(in, &a);
    assert_int_equal(a.id_key_algo, 0x01010101);
    assert_int_equal(a.auth_key_algo, 0x02020202);
    assert_int_equal(a.id_block_sig.r[0], 3);
    assert_int_equal(a.id_key.qx[71], 4);
    assert_int_equal(a.id_key_sig.s[71], 5);
    assert_int_equal(a.author_key.curve, 0x06060606);
    snp_id_auth_encode(&a, out);
    assert_memory_equal(out, in, sizeof(in));
}

static void page_info__layout__of_the_sheet(void **state)
{
    struct snp_page_info info = {.page_type = 5,
                                 .imi_page = true,
                                 .vmpl_perms = {1, 2, 3},
                                 .gpa = 0x1122334455667000};
    uint8_t out[SNP_PAGE_INFO_SIZE];

    (void)state;
    memset(info.digest_cur, 0xd1, sizeof(info.digest_cur));
    memset(info.contents, 0xc0, sizeof(info.contents));
    snp_page_info_encode(&info, out);
    assert_int_equal(out[0x2f], 0xd1);
    assert_int_equal(out[0x30], 0xc0);
    assert_hex_equal(out + 0x60, "7000 05 01 00 010203 0070665544332211", 16);
}

static void secrets__firmware_fields__round_trip(void **state)
{
    struct snp_secrets in = {.version = 3,
                             .imi_en = true,
                             .fms = 0x00a10f11,
                             .gosvw = {1, 2},
                             .vmpck = {{3}, {4}, {5}, {6}},
                             .tsc_factor = 200},
                       out;
    uint8_t page[SNP_SECRETS_SIZE];

    (void)state;
    snp_secrets_encode(&in, page);
    snp_secrets_decode(page, &out);
    assert_int_equal(out.version, 3);
    assert_true(out.imi_en);
    assert_int_equal(out.fms, in.fms);
    assert_memory_equal(out.gosvw, in.gosvw, sizeof(in.gosvw));
    assert_memory_equal(out.vmpck, in.vmpck, sizeof(in.vmpck));
    assert_int_equal(out.tsc_factor, 200);
    assert_int_equal(page[SNP_SECRETS_VMPCK_OFFSET + 3 * 32], 6);
}

static void cpuid_table__exact_size_and_short__judged(void **state)
{
    struct snp_cpuid_table in = {.count = 2}, out;
    uint8_t full[SNP_CPUID_TABLE_SIZE] = {0}, *exact;
    size_t size;

    (void)state;
    in.fn[0] = (struct snp_cpuid_function){1, 2, 3, 4, 5, 6, 7, 8};
    in.fn[1] = (struct snp_cpuid_function){
        0x80000008, UINT32_MAX, UINT64_MAX, 1ull << 63, 9, 10, 11, 12};
    size = snp_cpuid_table_encode(&in, full);
    assert_int_equal(size, 0x10 + 2 * 0x30);
    exact = tst_dup(full, size);
    assert_int_equal(snp_cpuid_table_decode(exact, size, &out), PSP_OK);
    assert_memory_equal(&out, &in, sizeof(in));
    assert_int_equal(snp_cpuid_table_decode(exact, size - 1, &out),
                     PSP_E_FORMAT);
    assert_int_equal(out.count, 0);
    assert_int_equal(snp_cpuid_table_decode(exact, 0xf, &out), PSP_E_FORMAT);
    assert_int_equal(snp_cpuid_table_decode(exact, 0, &out), PSP_E_FORMAT);
    free(exact);
    in.count = 64;
    assert_int_equal(snp_cpuid_table_encode(&in, full), sizeof(full));
    assert_int_equal(snp_cpuid_table_decode(full, sizeof(full), &out), PSP_OK);
}

static void firmware__image__round_trip_and_refusals(void **state)
{
    struct snp_firmware in = {.body_size = 16,
                              .generation = PSP_TURIN,
                              .major = 1,
                              .minor = 2,
                              .build = 3,
                              .svn = 4,
                              .live = true,
                              .mit_vector = 0x123456789abcdef0,
                              .body_digest = {5},
                              .r = {6},
                              .s = {7}},
                        out;
    uint8_t image[SNP_FIRMWARE_HEADER_SIZE + 16] = {0}, *copy;
    static const size_t spoil[] = {0, 7, 0xf, 0x15, 0x20, 0x2f, 0xf0, 0xff};

    (void)state;
    snp_firmware_encode(&in, image);
    copy = tst_dup(image, sizeof(image));
    assert_int_equal(snp_firmware_decode(copy, sizeof(image), &out), PSP_OK);
    assert_int_equal(out.generation, PSP_TURIN);
    assert_true(out.live);
    assert_true(out.mit_vector == in.mit_vector);
    assert_int_equal(snp_firmware_decode(copy, sizeof(image) - 1, &out),
                     PSP_E_FORMAT);
    free(copy);
    for (size_t i = 0; i < sizeof(spoil) / sizeof(spoil[0]); i++) {
        image[spoil[i]] ^= 0x80;
        assert_int_equal(snp_firmware_decode(image, sizeof(image), &out),
                         PSP_E_FORMAT);
        image[spoil[i]] ^= 0x80;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(platform_commands__every_bit__round_trip),
        cmocka_unit_test(guest_commands__every_bit__round_trip),
        cmocka_unit_test(page_commands__every_bit__round_trip),
        cmocka_unit_test(range_list__255_ranges__round_trip),
        cmocka_unit_test(structures__every_bit__round_trip),
        cmocka_unit_test(id_auth__fields__at_their_offsets),
        cmocka_unit_test(page_info__layout__of_the_sheet),
        cmocka_unit_test(secrets__firmware_fields__round_trip),
        cmocka_unit_test(cpuid_table__exact_size_and_short__judged),
        cmocka_unit_test(firmware__image__round_trip_and_refusals),
    };

    return cmocka_run_group_tests_name("wire/snp_cmd", tests, NULL, NULL);
}
