/* SPDX-License-Identifier: Apache-2.0 */
/* Command buffers, report, session and packet layouts. The offsets are those of
 * abi/sev.md, written down again here by hand; where Linux has the structure,
 * its header is asked too. */
#include "sev_cmd.h"
#include "sev_report.h"
#include "sev_session.h"
#include "tst.h"

#include <linux/psp-sev.h>
#include <openssl/sha.h>

static const uint8_t *pattern(void)
{
    static uint8_t bytes[0x100];

    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i + 1);
    }
    return bytes;
}

/* Value of @size little-endian bytes of the pattern at @offset. */
static uint64_t at(size_t offset, size_t size)
{
    uint64_t v = 0;

    for (size_t i = size; i-- > 0;) {
        v = v << 8 | (uint8_t)(offset + i + 1);
    }
    return v;
}

#define FIELD(c, field, offset)                                                \
    assert_int_equal((c).field, at(offset, sizeof((c).field)))

/* Decode the pattern from an exact-size heap copy, encode it again. */
#define ROUND_TRIP(name, type, size)                                           \
    struct type c;                                                             \
    uint8_t *in = tst_dup(pattern(), size);                                    \
    uint8_t *out = calloc(1, size);                                            \
    (void)state;                                                               \
    sev_cmd_##name##_decode(in, &c);                                           \
    sev_cmd_##name##_encode(&c, out);                                          \
    assert_memory_equal(in, out, size);                                        \
    free(in);                                                                  \
    free(out)

static void init__layout(void **state)
{
    ROUND_TRIP(init, sev_cmd_init, 0x14);
    FIELD(c, options, 0x00);
    FIELD(c, reserved, 0x04);
    FIELD(c, tmr_paddr, 0x08);
    FIELD(c, tmr_length, 0x10);
}

static void init_ex__layout(void **state)
{
    ROUND_TRIP(init_ex, sev_cmd_init_ex, 0x24);
    FIELD(c, length, 0x00);
    FIELD(c, options, 0x04);
    FIELD(c, tmr_paddr, 0x08);
    FIELD(c, tmr_length, 0x10);
    FIELD(c, reserved, 0x14);
    FIELD(c, nv_paddr, 0x18);
    FIELD(c, nv_length, 0x20);
}

static void status__layout(void **state)
{
    ROUND_TRIP(status, sev_cmd_status, 0x0c);
    FIELD(c, api_major, 0x00);
    FIELD(c, api_minor, 0x01);
    FIELD(c, state, 0x02);
    FIELD(c, owner, 0x03);
    FIELD(c, config, 0x04);
    FIELD(c, reserved, 0x06);
    FIELD(c, build, 0x07);
    FIELD(c, guest_count, 0x08);
    assert_int_equal(sizeof(struct sev_user_data_status), 0x0c);
    assert_int_equal(offsetof(struct sev_user_data_status, build), 0x07);
}

static void blob__layout(void **state)
{
    ROUND_TRIP(blob, sev_cmd_blob, 0x0c);
    FIELD(c, paddr, 0x00);
    FIELD(c, length, 0x08);
}

static void certs__layout(void **state)
{
    ROUND_TRIP(certs, sev_cmd_certs, 0x1c);
    FIELD(c, first_paddr, 0x00);
    FIELD(c, first_length, 0x08);
    FIELD(c, reserved, 0x0c);
    FIELD(c, second_paddr, 0x10);
    FIELD(c, second_length, 0x18);
}

static void ring_buffer__layout(void **state)
{
    ROUND_TRIP(ring_buffer, sev_cmd_ring_buffer, 0x28);
    FIELD(c, qlo_cmd_paddr, 0x00);
    FIELD(c, qlo_stat_paddr, 0x08);
    FIELD(c, qhi_cmd_paddr, 0x10);
    FIELD(c, qhi_stat_paddr, 0x18);
    FIELD(c, qlo_size, 0x20);
    FIELD(c, qhi_size, 0x21);
    FIELD(c, qlo_thresh, 0x22);
    FIELD(c, qhi_thresh, 0x24);
    FIELD(c, flags, 0x26);
}

static void handle__layout(void **state)
{
    ROUND_TRIP(handle, sev_cmd_handle, 0x04);
    FIELD(c, handle, 0x00);
}

static void activate__layout(void **state)
{
    ROUND_TRIP(activate, sev_cmd_activate, 0x08);
    FIELD(c, handle, 0x00);
    FIELD(c, asid, 0x04);
}

static void activate_ex__layout(void **state)
{
    ROUND_TRIP(activate_ex, sev_cmd_activate_ex, 0x18);
    FIELD(c, ex_len, 0x00);
    FIELD(c, handle, 0x04);
    FIELD(c, asid, 0x08);
    FIELD(c, num_ids, 0x0c);
    FIELD(c, ids_paddr, 0x10);
}

static void guest_status__layout(void **state)
{
    ROUND_TRIP(guest_status, sev_cmd_guest_status, 0x0d);
    FIELD(c, handle, 0x00);
    FIELD(c, policy, 0x04);
    FIELD(c, asid, 0x08);
    FIELD(c, state, 0x0c);
}

static void copy__layout(void **state)
{
    ROUND_TRIP(copy, sev_cmd_copy, 0x18);
    FIELD(c, handle, 0x00);
    FIELD(c, length, 0x04);
    FIELD(c, src_paddr, 0x08);
    FIELD(c, dst_paddr, 0x10);
}

static void start__layout(void **state)
{
    ROUND_TRIP(start, sev_cmd_start, 0x24);
    FIELD(c, handle, 0x00);
    FIELD(c, policy, 0x04);
    FIELD(c, cert_paddr, 0x08);
    FIELD(c, cert_length, 0x10);
    FIELD(c, reserved, 0x14);
    FIELD(c, session_paddr, 0x18);
    FIELD(c, session_length, 0x20);
}

static void range__layout(void **state)
{
    ROUND_TRIP(range, sev_cmd_range, 0x14);
    FIELD(c, handle, 0x00);
    FIELD(c, reserved, 0x04);
    FIELD(c, paddr, 0x08);
    FIELD(c, length, 0x10);
}

static void transport__layout(void **state)
{
    ROUND_TRIP(transport, sev_cmd_transport, 0x34);
    FIELD(c, handle, 0x00);
    FIELD(c, reserved0, 0x04);
    FIELD(c, hdr_paddr, 0x08);
    FIELD(c, hdr_length, 0x10);
    FIELD(c, reserved1, 0x14);
    FIELD(c, guest_paddr, 0x18);
    FIELD(c, guest_length, 0x20);
    FIELD(c, reserved2, 0x24);
    FIELD(c, trans_paddr, 0x28);
    FIELD(c, trans_length, 0x30);
}

static void attestation__layout(void **state)
{
    ROUND_TRIP(attestation, sev_cmd_attestation, 0x24);
    FIELD(c, handle, 0x00);
    FIELD(c, reserved, 0x04);
    FIELD(c, paddr, 0x08);
    assert_memory_equal(c.mnonce, pattern() + 0x10, 16);
    FIELD(c, length, 0x20);
}

static void send_start__layout(void **state)
{
    ROUND_TRIP(send_start, sev_cmd_send_start, 0x44);
    FIELD(c, handle, 0x00);
    FIELD(c, policy, 0x04);
    FIELD(c, pdh_paddr, 0x08);
    FIELD(c, pdh_length, 0x10);
    FIELD(c, reserved0, 0x14);
    FIELD(c, plat_paddr, 0x18);
    FIELD(c, plat_length, 0x20);
    FIELD(c, reserved1, 0x24);
    FIELD(c, amd_paddr, 0x28);
    FIELD(c, amd_length, 0x30);
    FIELD(c, reserved2, 0x34);
    FIELD(c, session_paddr, 0x38);
    FIELD(c, session_length, 0x40);
    assert_int_equal(SEV_CMD_MAX_SIZE, 0x44);
}

static void dbg__layout(void **state)
{
    ROUND_TRIP(dbg, sev_cmd_dbg, 0x1c);
    FIELD(c, handle, 0x00);
    FIELD(c, reserved, 0x04);
    FIELD(c, src_paddr, 0x08);
    FIELD(c, dst_paddr, 0x10);
    FIELD(c, length, 0x18);
}

static void swap_out__layout(void **state)
{
    ROUND_TRIP(swap_out, sev_cmd_swap, 0x28);
    FIELD(c, handle, 0x00);
    FIELD(c, bits, 0x04);
    FIELD(c, src_paddr, 0x08);
    FIELD(c, dst_paddr, 0x10);
    FIELD(c, mdata_paddr, 0x18);
    FIELD(c, software_data, 0x20);
}

static void swap_in__layout(void **state)
{
    ROUND_TRIP(swap_in, sev_cmd_swap, 0x20);
    FIELD(c, mdata_paddr, 0x18);
    assert_int_equal(c.software_data, 0);
}

static void report__layout_and_sizes(void **state)
{
    uint8_t *in = tst_dup(pattern(), SEV_REPORT_SIZE + 1);
    uint8_t out[SEV_REPORT_SIZE];
    struct sev_report r;

    (void)state;
    assert_int_equal(SEV_REPORT_SIZE, 0xd0);
    assert_int_equal(SEV_REPORT_SIGNED_SIZE, 0x34);
    assert_int_equal(sev_report_decode(in, 0xd1, &r), PSP_E_FORMAT);
    assert_int_equal(sev_report_decode(in, 0xcf, &r), PSP_E_FORMAT);
    assert_int_equal(sev_report_decode(in, 0xd0, &r), PSP_OK);
    assert_memory_equal(r.mnonce, in, 16);
    assert_memory_equal(r.launch_digest, in + 0x10, 32);
    FIELD(r, policy, 0x30);
    FIELD(r, sig_usage, 0x34);
    FIELD(r, sig_algo, 0x38);
    FIELD(r, reserved, 0x3c);
    assert_memory_equal(r.r, in + 0x40, 72);
    assert_memory_equal(r.s, in + 0x88, 72);
    sev_report_encode(&r, out);
    assert_memory_equal(in, out, sizeof(out));
    free(in);
}

/* The whole report of abi/sev.md §11.3, with its nonce k = 11. */
static void report__sheet_report__digest(void **state)
{
    struct sev_report r = {.policy = 1, .sig_usage = 0x1002, .sig_algo = 2};
    uint8_t n[48], digest[32], out[SEV_REPORT_SIZE];

    (void)state;
    for (uint8_t i = 0; i < 16; i++) {
        r.mnonce[i] = i;
    }
    tst_hex("630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd",
            r.launch_digest, 32);
    tst_hex("099056e27da7b998da1eeec2904816c57fe935ed5837c37456c9fd14892d3f8c"
            "4749b66e3afb81d626356f3b55b4ddd8",
            n, 48);
    sev_number_set(r.r, n);
    tst_hex("f08d5e5c3843694e83eac3595ec69e44846640d4a6b8a04c868d8aa2121fa5f2"
            "06d36a3ea757407d855938aeb124f1ec",
            n, 48);
    sev_number_set(r.s, n);
    sev_report_encode(&r, out);
    assert_hex_equal(out + 0x40, "d8ddb4553b6f3526", 8);
    assert_hex_equal(out + 0x88, "ecf124b1ae385985", 8);
    assert_true(sev_number_get(r.s, n));
    SHA256(out, sizeof(out), digest);
    assert_hex_equal(
        digest,
        "0daa632271194d519639a04dcf465b53bfc2521550daa0dede8026c34aa7423d", 32);
}

static void session__layout_and_sizes(void **state)
{
    uint8_t *in = tst_dup(pattern(), SEV_SESSION_SIZE + 1);
    uint8_t out[SEV_SESSION_SIZE];
    struct sev_session s;

    (void)state;
    assert_int_equal(SEV_SESSION_SIZE, 0x80);
    assert_int_equal(sev_session_decode(in, 0x81, &s), PSP_E_FORMAT);
    assert_int_equal(sev_session_decode(in, 0x7f, &s), PSP_E_FORMAT);
    assert_int_equal(sev_session_decode(in, 0x80, &s), PSP_OK);
    assert_memory_equal(s.nonce, in, 16);
    assert_memory_equal(s.wrap_tk, in + 0x10, 32);
    assert_memory_equal(s.wrap_iv, in + 0x30, 16);
    assert_memory_equal(s.wrap_mac, in + 0x40, 32);
    assert_memory_equal(s.policy_mac, in + 0x60, 32);
    sev_session_encode(&s, out);
    assert_memory_equal(in, out, sizeof(out));
    free(in);
}

static void packet_header__layout_and_sizes(void **state)
{
    uint8_t *in = tst_dup(pattern(), SEV_PACKET_HEADER_SIZE + 1);
    uint8_t out[SEV_PACKET_HEADER_SIZE];
    struct sev_packet_header h;

    (void)state;
    assert_int_equal(SEV_PACKET_HEADER_SIZE, 0x34);
    assert_int_equal(sev_packet_header_decode(in, 0x35, &h), PSP_E_FORMAT);
    assert_int_equal(sev_packet_header_decode(in, 0x33, &h), PSP_E_FORMAT);
    assert_int_equal(sev_packet_header_decode(in, 0x34, &h), PSP_OK);
    FIELD(h, flags, 0x00);
    assert_memory_equal(h.iv, in + 0x04, 16);
    assert_memory_equal(h.mac, in + 0x14, 32);
    sev_packet_header_encode(&h, out);
    assert_memory_equal(in, out, sizeof(out));
    free(in);
}

static void swap_entry__layout_and_sizes(void **state)
{
    uint8_t *in = tst_dup(pattern(), SEV_SWAP_ENTRY_SIZE + 1);
    uint8_t out[SEV_SWAP_ENTRY_SIZE];
    struct sev_swap_entry e;

    (void)state;
    assert_int_equal(sev_swap_entry_decode(in, 0x41, &e), PSP_E_FORMAT);
    assert_int_equal(sev_swap_entry_decode(in, 0x3f, &e), PSP_E_FORMAT);
    assert_int_equal(sev_swap_entry_decode(in, 0x40, &e), PSP_OK);
    FIELD(e, software_data, 0x00);
    assert_memory_equal(e.iv, in + 0x08, 8);
    assert_memory_equal(e.auth_tag, in + 0x10, 16);
    assert_memory_equal(e.reserved, in + 0x20, 28);
    FIELD(e, bits, 0x3c);
    sev_swap_entry_encode(&e, out);
    assert_memory_equal(in, out, sizeof(out));
    free(in);
}

struct policy_case {
    uint32_t policy;
    uint8_t major, minor;
    bool ok;
};

static void policy__minimum_version__compared_major_first(void **state)
{
    static const struct policy_case cases[] = {
        {0x00000000, 0, 0, true},   {0x37010000, 1, 55, true},
        {0x38010000, 1, 55, false}, {0x36010000, 1, 55, true},
        {0xff000000, 1, 0, true},   {0x00020000, 1, 255, false},
        {0x00ff0000, 255, 0, true}, {0xffff0000, 255, 254, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(
            sev_policy_api_ok(cases[i].policy, cases[i].major, cases[i].minor),
            cases[i].ok);
    }
    assert_int_equal(SEV_POLICY_RESERVED, 0xffff & ~0x3f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init__layout),
        cmocka_unit_test(init_ex__layout),
        cmocka_unit_test(status__layout),
        cmocka_unit_test(blob__layout),
        cmocka_unit_test(certs__layout),
        cmocka_unit_test(ring_buffer__layout),
        cmocka_unit_test(handle__layout),
        cmocka_unit_test(activate__layout),
        cmocka_unit_test(activate_ex__layout),
        cmocka_unit_test(guest_status__layout),
        cmocka_unit_test(copy__layout),
        cmocka_unit_test(start__layout),
        cmocka_unit_test(range__layout),
        cmocka_unit_test(transport__layout),
        cmocka_unit_test(attestation__layout),
        cmocka_unit_test(send_start__layout),
        cmocka_unit_test(dbg__layout),
        cmocka_unit_test(swap_out__layout),
        cmocka_unit_test(swap_in__layout),
        cmocka_unit_test(report__layout_and_sizes),
        cmocka_unit_test(report__sheet_report__digest),
        cmocka_unit_test(session__layout_and_sizes),
        cmocka_unit_test(packet_header__layout_and_sizes),
        cmocka_unit_test(swap_entry__layout_and_sizes),
        cmocka_unit_test(policy__minimum_version__compared_major_first),
    };

    return cmocka_run_group_tests_name("wire/sev_cmd", tests, NULL, NULL);
}
