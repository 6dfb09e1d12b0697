/* SPDX-License-Identifier: Apache-2.0 */
/* Guest message codecs against the bytes of abi/snp.md §6 and §11.3, and bit by
 * bit: a reserved bit is refused, every other bit survives a round trip. */
#include "snp_msg.h"
#include "tst.h"
#include "wire.h"

/* Reserved bits of a layout: a mask that covers each byte of a range. */
struct reserved {
    uint16_t offset;
    uint16_t size;
    uint8_t mask;
};

struct codec {
    const char *name;
    uint16_t size;
    /* Decode, and encode again into @out. */
    enum psp_err (*turn)(const uint8_t *in, uint8_t *out);
    struct reserved reserved[8]; /* ends with size 0 */
};

#define TURN(fn, type)                                                         \
    static enum psp_err turn_##fn(const uint8_t *in, uint8_t *out)             \
    {                                                                          \
        struct type v;                                                         \
        enum psp_err err;                                                      \
                                                                               \
        memset(&v, 0xa5, sizeof(v));                                           \
        err = fn##_decode(in, &v);                                             \
        if (err == PSP_OK) {                                                   \
            fn##_encode(&v, out);                                              \
        } else {                                                               \
            assert_true(psp_all_zero(&v, sizeof(v)));                          \
        }                                                                      \
        return err;                                                            \
    }

TURN(snp_report_req, snp_report_req)
TURN(snp_report_rsp, snp_report_rsp)
TURN(snp_key_rsp, snp_key_rsp)
TURN(snp_tsc_info_rsp, snp_tsc_info_rsp)
TURN(snp_export_req, snp_export_req)
TURN(snp_export_rsp, snp_export_rsp)
TURN(snp_import_req, snp_import_req)
TURN(snp_vmrk_req, snp_vmrk_req)

#define TURN_VERSION(name, fn, type, ver)                                      \
    static enum psp_err turn_##name(const uint8_t *in, uint8_t *out)           \
    {                                                                          \
        struct type v;                                                         \
        enum psp_err err = fn##_decode(in, ver, &v);                           \
                                                                               \
        if (err == PSP_OK) {                                                   \
            fn##_encode(&v, ENCODE_VERSION_##fn(ver) out);                     \
        } else {                                                               \
            assert_true(psp_all_zero(&v, sizeof(v)));                          \
        }                                                                      \
        return err;                                                            \
    }
#define ENCODE_VERSION_snp_key_req(ver) ver,
#define ENCODE_VERSION_snp_gctx(ver)

TURN_VERSION(key_req_v1, snp_key_req, snp_key_req, 1)
TURN_VERSION(key_req_v2, snp_key_req, snp_key_req, 2)
TURN_VERSION(gctx_v2, snp_gctx, snp_gctx, 2)
TURN_VERSION(gctx_v3, snp_gctx, snp_gctx, 3)

static enum psp_err turn_tsc_info_req(const uint8_t *in, uint8_t *out)
{
    memcpy(out, in, SNP_TSC_INFO_REQ_SIZE);
    return snp_tsc_info_req_check(in);
}

static const struct codec CODECS[] = {
    {"report_req",
     0x60,
     turn_snp_report_req,
     {{0x44, 1, 0xfc}, {0x45, 3, 0xff}, {0x48, 0x18, 0xff}}},
    {"report_rsp", 0x20, turn_snp_report_rsp, {{0x08, 0x18, 0xff}}},
    {"key_req_v1",
     0x20,
     turn_key_req_v1,
     {{0x00, 1, 0xf8}, {0x01, 3, 0xff}, {0x04, 4, 0xff}}},
    {"key_req_v2",
     0x28,
     turn_key_req_v2,
     {{0x00, 1, 0xf8}, {0x01, 3, 0xff}, {0x04, 4, 0xff}}},
    {"key_rsp", 0x40, turn_snp_key_rsp, {{0x04, 0x1c, 0xff}}},
    {"tsc_info_req", 0x80, turn_tsc_info_req, {{0x00, 0x80, 0xff}}},
    {"tsc_info_rsp",
     0x80,
     turn_snp_tsc_info_rsp,
     {{0x04, 4, 0xff}, {0x1c, 0x64, 0xff}}},
    {"export_req",
     0x10,
     turn_snp_export_req,
     {{0x08, 1, 0xfe}, {0x09, 3, 0xff}, {0x0c, 4, 0xff}}},
    {"export_rsp", 0x20, turn_snp_export_rsp, {{0x0c, 0x14, 0xff}}},
    {"import_req", 0x20, turn_snp_import_req, {{0x10, 0x10, 0xff}}},
    {"vmrk_req", 0x40, turn_snp_vmrk_req, {{0x08, 0x18, 0xff}}},
    {"gctx_v2",
     0x300,
     turn_gctx_v2,
     {{0x220, 1, 0xfc},
      {0x221, 7, 0xff},
      {0x231, 7, 0xff},
      {0x2b0, 0x50, 0xff}}},
    {"gctx_v3",
     0x300,
     turn_gctx_v3,
     {{0x220, 1, 0xf8},
      {0x221, 7, 0xff},
      {0x231, 7, 0xff},
      {0x2b4, 4, 0xff},
      {0x2c8, 0x38, 0xff}}},
};

#define CODEC_COUNT (sizeof(CODECS) / sizeof(CODECS[0]))

static void reserved_map(const struct codec *c, uint8_t *map)
{
    memset(map, 0, c->size);
    for (const struct reserved *r = c->reserved; r->size != 0; r++) {
        memset(map + r->offset, r->mask, r->size);
    }
}

static void codec__each_bit__kept_or_refused(void **state)
{
    const struct codec *c = *state;
    uint8_t *map = malloc(c->size), *in = malloc(c->size),
            *out = malloc(c->size);

    assert_true(map != NULL && in != NULL && out != NULL);
    reserved_map(c, map);
    for (size_t i = 0; i < c->size; i++) {
        in[i] = (uint8_t)((0x35 + 7 * i) & ~(size_t)map[i]);
    }
    for (size_t bit = 0; bit < c->size * 8u; bit++) {
        uint8_t one = (uint8_t)(1u << bit % 8);
        bool reserved = (map[bit / 8] & one) != 0;
        enum psp_err err;

        in[bit / 8] ^= one;
        memset(out, 0xee, c->size);
        err = c->turn(in, out);
        if (err != (reserved ? PSP_E_FORMAT : PSP_OK)) {
            fail_msg("bit %zu of byte %zxh: %d", bit % 8, bit / 8, (int)err);
        }
        if (!reserved) {
            assert_memory_equal(out, in, c->size);
        }
        in[bit / 8] ^= one;
    }
    free(map);
    free(in);
    free(out);
}

static void header__report_request__sheet_bytes(void **state)
{
    const struct snp_msg_header h = {
        .tag = {0x0f, 0x35},
        .seqno = 1,
        .algo = SNP_MSG_ALGO_GCM,
        .hdr_version = SNP_MSG_HDR_VERSION,
        .hdr_size = SNP_MSG_HEADER_SIZE,
        .type = SNP_MSG_REPORT_REQ,
        .version = 1,
        .size = SNP_REPORT_REQ_SIZE,
    };
    uint8_t out[SNP_MSG_HEADER_SIZE];

    (void)state;
    memset(out, 0xee, sizeof(out));
    snp_msg_header_encode(&h, out);
    assert_hex_equal(out,
                     "0f350000000000000000000000000000"
                     "00000000000000000000000000000000"
                     "01000000000000000000000000000000"
                     "01016000050160000000000000000000"
                     "00000000000000000000000000000000"
                     "00000000000000000000000000000000",
                     sizeof(out));
}

static void header__every_field__read_at_its_offset(void **state)
{
    uint8_t buf[SNP_MSG_HEADER_SIZE], *in;
    struct snp_msg_header h;

    (void)state;
    for (uint8_t i = 0; i < sizeof(buf); i++) {
        buf[i] = (uint8_t)(0x80 + i);
    }
    in = tst_dup(buf, sizeof(buf));
    snp_msg_header_decode(in, &h);
    assert_memory_equal(h.tag, buf, 16);
    assert_true(h.seqno == 0xa7a6a5a4a3a2a1a0ull);
    assert_int_equal(h.algo, 0xb0);
    assert_int_equal(h.hdr_version, 0xb1);
    assert_int_equal(h.hdr_size, 0xb3b2);
    assert_int_equal(h.type, 0xb4);
    assert_int_equal(h.version, 0xb5);
    assert_int_equal(h.size, 0xb7b6);
    assert_int_equal(h.vmpck, 0xbc);
    free(in);
}

static void iv__seqno__little_endian_then_zeros(void **state)
{
    uint8_t iv[SNP_MSG_IV_SIZE];

    (void)state;
    snp_msg_iv(0x1122334455667788ull, iv);
    assert_hex_equal(iv, "887766554433221100000000", sizeof(iv));
}

static void status__put__little_endian(void **state)
{
    uint8_t b[4];

    (void)state;
    snp_msg_put_status(b, 0x27);
    assert_hex_equal(b, "27000000", 4);
    assert_int_equal(snp_msg_get_status(b), 0x27);
}

static void report_req__fields__at_their_offsets(void **state)
{
    uint8_t b[SNP_REPORT_REQ_SIZE] = {
        [0] = 0xd0, [63] = 0xd1, [0x40] = 2, [0x43] = 0x80, [0x44] = 3};
    struct snp_report_req r;

    (void)state;
    assert_int_equal(snp_report_req_decode(b, &r), PSP_OK);
    assert_int_equal(r.report_data[0], 0xd0);
    assert_int_equal(r.report_data[63], 0xd1);
    assert_true(r.vmpl == 0x80000002u);
    assert_int_equal(r.key_sel, SNP_KEY_SEL_RESERVED);
}

static void key_req__fields__at_their_offsets(void **state)
{
    uint8_t b[SNP_KEY_REQ_V2_SIZE] = {
        [0x00] = 0x05, [0x08] = 0x7f, [0x10] = 1,    [0x14] = 9,
        [0x18] = 0xa0, [0x1f] = 0xa7, [0x20] = 0x3f,
    };
    struct snp_key_req r;

    (void)state;
    assert_int_equal(snp_key_req_decode(b, 2, &r), PSP_OK);
    assert_true(r.root_vmrk);
    assert_int_equal(r.key_sel, SNP_KEY_SEL_VLEK);
    assert_int_equal(r.guest_field_select, 0x7f);
    assert_int_equal(r.vmpl, 1);
    assert_int_equal(r.guest_svn, 9);
    assert_hex_equal(r.tcb.b, "a0000000000000a7", 8);
    assert_int_equal(r.launch_mit_vector, 0x3f);
}

static void key_req__version_1__has_no_vector(void **state)
{
    uint8_t b[SNP_KEY_REQ_V2_SIZE] = {[0x20] = 0x3f};
    uint8_t *exact = tst_dup(b, SNP_KEY_REQ_V1_SIZE);
    struct snp_key_req r = {.launch_mit_vector = 5};

    (void)state;
    assert_int_equal(snp_key_req_decode(exact, 1, &r), PSP_OK);
    assert_int_equal(r.launch_mit_vector, 0);
    r.launch_mit_vector = 5;
    memset(b, 0xee, sizeof(b));
    snp_key_req_encode(&r, 1, b);
    assert_int_equal(b[SNP_KEY_REQ_V1_SIZE], 0xee);
    free(exact);
}

static void gctx__unknown_version__refused(void **state)
{
    static const uint8_t zero[SNP_GCTX_SIZE];
    struct snp_gctx g;

    (void)state;
    assert_int_equal(snp_gctx_decode(zero, 1, &g), PSP_E_FORMAT);
    assert_int_equal(snp_gctx_decode(zero, 4, &g), PSP_E_FORMAT);
    assert_int_equal(snp_gctx_decode(zero, 0xffffffff, &g), PSP_E_FORMAT);
}

/* One marked byte per field, at the offsets of abi/snp.md §6.8. */
static void gctx__fields__at_their_offsets(void **state)
{
    uint8_t b[SNP_GCTX_SIZE] = {
        [0x000] = 0x01,        [0x030] = 0x02, [0x050] = 0x03,
        [0x0b0] = 0x04,        [0x0d0] = 0x05, [0x0f0] = 0x06,
        [0x110] = 0x07,        [0x140] = 0x08, [0x170] = 0x09,
        [0x190] = 0x0a,        [0x1c0] = 0x0b, [0x1d8] = 0x0c,
        [0x1e0 + 0x20] = 0x01, [0x220] = 0x07, [0x228] = 0x0d,
        [0x230] = 0x02,        [0x238] = 0x0e, [0x240 + 0x54] = 0x0f,
        [0x2a0] = 0x10,        [0x2b0] = 0x11, [0x2b8] = 0x12,
        [0x2c0] = 0x13,
    };
    struct snp_gctx g;

    (void)state;
    assert_int_equal(snp_gctx_decode(b, 3, &g), PSP_OK);
    assert_int_equal(g.ld[0], 0x01);
    assert_int_equal(g.oek[0], 0x02);
    assert_int_equal(g.vmpck[0][0], 0x03);
    assert_int_equal(g.vmpck[3][0], 0x04);
    assert_int_equal(g.vmrk[0], 0x05);
    assert_int_equal(g.host_data[0], 0x06);
    assert_int_equal(g.id_key_digest[0], 0x07);
    assert_int_equal(g.author_key_digest[0], 0x08);
    assert_int_equal(g.report_id[0], 0x09);
    assert_int_equal(g.imd[0], 0x0a);
    assert_int_equal(g.msg_count[0], 0x0b);
    assert_int_equal(g.msg_count[3], 0x0c);
    assert_int_equal(g.root_md_entry[0x20], 0x01);
    assert_true(g.author_key_en && g.id_block_en && g.vcek_dis);
    assert_int_equal(g.policy, 0x0d);
    assert_int_equal(g.state, 0x02);
    assert_int_equal(g.oek_iv_count, 0x0e);
    assert_int_equal(g.id_block[0x54], 0x0f);
    assert_int_equal(g.gosvw[0], 0x10);
    assert_int_equal(g.desired_tsc_freq, 0x11);
    assert_int_equal(g.psp_tsc_offset, 0x12);
    assert_int_equal(g.launch_tcb.b[0], 0x13);
}

int main(void)
{
    static char names[CODEC_COUNT][64];
    struct CMUnitTest tests[CODEC_COUNT + 16] = {
        cmocka_unit_test(header__report_request__sheet_bytes),
        cmocka_unit_test(header__every_field__read_at_its_offset),
        cmocka_unit_test(iv__seqno__little_endian_then_zeros),
        cmocka_unit_test(status__put__little_endian),
        cmocka_unit_test(report_req__fields__at_their_offsets),
        cmocka_unit_test(key_req__fields__at_their_offsets),
        cmocka_unit_test(key_req__version_1__has_no_vector),
        cmocka_unit_test(gctx__unknown_version__refused),
        cmocka_unit_test(gctx__fields__at_their_offsets),
    };
    size_t n = 0;

    while (tests[n].name != NULL) {
        n++;
    }
    for (size_t i = 0; i < CODEC_COUNT; i++, n++) {
        union {
            const struct codec *in;
            void *out;
        } row = {.in = &CODECS[i]};

        snprintf(names[i], sizeof(names[i]),
                 "codec__%s_each_bit__kept_or_refused", CODECS[i].name);
        tests[n] =
            (struct CMUnitTest){.name = names[i],
                                .test_func = codec__each_bit__kept_or_refused,
                                .initial_state = row.out};
    }
    return _cmocka_run_group_tests("wire/snp_msg", tests, n, NULL, NULL);
}
