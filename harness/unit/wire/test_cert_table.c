/* SPDX-License-Identifier: Apache-2.0 */
/* GHCB certificate table, abi/certs-kds.md §3. */
#include "cert_table.h"
#include "tst.h"

/* Three entries of 3, 0 and 2 bytes, written by hand. */
#define HAND_MADE                                                              \
    "63da758de6644564adc5f4b93be8accd 60000000 03000000"                       \
    "4ab7b379bbac4fe4a02f05aef327c782 63000000 00000000"                       \
    "c0b406a4a803495297433fb6014cd0ae 63000000 02000000"                       \
    "000000000000000000000000000000000000000000000000"                         \
    "a1a2a3 b1b2"
#define HAND_MADE_SIZE 101u

static const uint8_t A[3] = {0xa1, 0xa2, 0xa3};
static const uint8_t B[2] = {0xb1, 0xb2};

static void three_entries(struct cert_table_entry e[3])
{
    memset(e, 0, 3 * sizeof(*e));
    memcpy(e[0].guid, CERT_GUID_VCEK, 16);
    e[0].data = A;
    e[0].size = 3;
    memcpy(e[1].guid, CERT_GUID_ASK, 16);
    e[1].data = A;
    memcpy(e[2].guid, CERT_GUID_ARK, 16);
    e[2].data = B;
    e[2].size = 2;
}

static void encode__three_entries__hand_made_bytes(void **state)
{
    struct cert_table_entry e[3];
    uint8_t *out = malloc(HAND_MADE_SIZE);

    (void)state;
    three_entries(e);
    assert_int_equal(cert_table_encode(e, 3, NULL, 0), HAND_MADE_SIZE);
    assert_int_equal(cert_table_encode(e, 3, out, HAND_MADE_SIZE),
                     HAND_MADE_SIZE);
    assert_hex_equal(out, HAND_MADE, HAND_MADE_SIZE);
    free(out);
}

static void encode__buffer_one_short__writes_nothing(void **state)
{
    struct cert_table_entry e[3];
    uint8_t out[HAND_MADE_SIZE];

    (void)state;
    three_entries(e);
    memset(out, 0x5a, sizeof(out));
    assert_int_equal(cert_table_encode(e, 3, out, HAND_MADE_SIZE - 1),
                     HAND_MADE_SIZE);
    for (size_t i = 0; i < sizeof(out); i++) {
        assert_int_equal(out[i], 0x5a);
    }
}

static void encode__no_entry__terminator_only(void **state)
{
    uint8_t out[24];

    (void)state;
    memset(out, 0x5a, sizeof(out));
    assert_int_equal(cert_table_encode(NULL, 0, out, sizeof(out)), 24);
    assert_hex_equal(out, "000000000000000000000000000000000000000000000000",
                     24);
}

static void decode__hand_made__borrows_blobs(void **state)
{
    struct cert_table_entry e[3];
    uint8_t hex[HAND_MADE_SIZE];
    uint8_t *buf;
    size_t count = 9;

    (void)state;
    tst_hex(HAND_MADE, hex, sizeof(hex));
    buf = tst_dup(hex, sizeof(hex));
    assert_int_equal(cert_table_decode(buf, sizeof(hex), e, 3, &count), PSP_OK);
    assert_int_equal(count, 3);
    assert_memory_equal(e[0].guid, CERT_GUID_VCEK, 16);
    assert_ptr_equal(e[0].data, buf + 96);
    assert_int_equal(e[0].size, 3);
    assert_int_equal(e[1].size, 0);
    assert_ptr_equal(e[2].data, buf + 99);
    assert_int_equal(e[2].size, 2);
    free(buf);
}

static void decode__padding_after_blobs__fine(void **state)
{
    struct cert_table_entry e[3];
    uint8_t buf[4096] = {0};
    size_t count = 0;

    (void)state;
    tst_hex(HAND_MADE, buf, HAND_MADE_SIZE);
    assert_int_equal(cert_table_decode(buf, sizeof(buf), e, 3, &count), PSP_OK);
    assert_int_equal(count, 3);
}

static void decode__empty_buffer__no_entry(void **state)
{
    size_t count = 9;

    (void)state;
    assert_int_equal(cert_table_decode(NULL, 0, NULL, 0, &count), PSP_OK);
    assert_int_equal(count, 0);
}

static void decode__terminator_only__no_entry(void **state)
{
    uint8_t *buf = calloc(1, 24);
    size_t count = 9;

    (void)state;
    assert_int_equal(cert_table_decode(buf, 24, NULL, 0, &count), PSP_OK);
    assert_int_equal(count, 0);
    free(buf);
}

/* One change to the hand-made table that must be refused. */
struct broken {
    const char *name;
    size_t size; /* of the buffer */
    size_t max;
    size_t at; /* 32-bit word changed */
    uint32_t value;
};

static void test_broken(void **state)
{
    const struct broken *c = *state;
    struct cert_table_entry e[3];
    uint8_t all[HAND_MADE_SIZE];
    uint8_t *buf;
    size_t count = 9;

    tst_hex(HAND_MADE, all, sizeof(all));
    for (size_t i = 0; i < 4; i++) {
        all[c->at + i] = (uint8_t)(c->value >> (8 * i));
    }
    buf = tst_dup(all, c->size);
    assert_int_equal(cert_table_decode(buf, c->size, e, c->max, &count),
                     PSP_E_FORMAT);
    assert_int_equal(count, 0);
    free(buf);
}

static struct broken BROKEN[] = {
    {"one_byte", 1, 3, 16, 96},
    {"terminator_missing", 72, 3, 16, 96},
    {"terminator_cut", 95, 3, 16, 96},
    {"more_entries_than_room", 101, 2, 16, 96},
    {"last_blob_cut", 100, 3, 16, 96},
    {"offset_zero", 101, 3, 16, 0},
    {"offset_inside_entries", 101, 3, 16, 95},
    {"offset_past_end", 101, 3, 16, 102},
    {"offset_huge", 101, 3, 16, 0xffffffff},
    {"offset_plus_length_one_too_many", 101, 3, 16, 99},
    {"length_one_too_many", 101, 3, 20, 6},
    {"length_huge", 101, 3, 20, 0xffffffff},
    {"sum_wraps_32_bits", 101, 3, 20, 0xffffffa0},
    {"second_entry_inside_entries", 101, 3, 40, 24},
    {"terminator_with_offset", 101, 3, 88, 1},
    {"terminator_with_length", 101, 3, 92, 1},
};

static void decode__blob_ends_at_buffer_end__accepted(void **state)
{
    struct cert_table_entry e[3];
    uint8_t buf[HAND_MADE_SIZE];
    size_t count = 0;

    (void)state;
    tst_hex(HAND_MADE, buf, sizeof(buf));
    buf[20] = 5;
    assert_int_equal(cert_table_decode(buf, sizeof(buf), e, 3, &count), PSP_OK);
    assert_int_equal(e[0].size, 5);
    buf[16] = 101;
    buf[20] = 0;
    assert_int_equal(cert_table_decode(buf, sizeof(buf), e, 3, &count), PSP_OK);
}

static void guid_name__known_and_unknown(void **state)
{
    uint8_t other[16] = {0};

    (void)state;
    assert_string_equal(cert_guid_name(CERT_GUID_VCEK), "VCEK");
    assert_string_equal(cert_guid_name(CERT_GUID_VLEK), "VLEK");
    assert_string_equal(cert_guid_name(CERT_GUID_ASK), "ASK");
    assert_string_equal(cert_guid_name(CERT_GUID_ARK), "ARK");
    assert_string_equal(cert_guid_name(CERT_GUID_CRL), "CRL");
    assert_string_equal(cert_guid_name(CERT_GUID_EXTRA_INFO), "extra info");
    assert_null(cert_guid_name(other));
}

static void guids__all__sheet_bytes(void **state)
{
    (void)state;
    assert_hex_equal(CERT_GUID_VLEK, "a8074bc2a25a483eaae639c045a0b8a1", 16);
    assert_hex_equal(CERT_GUID_CRL, "92f81bc358114d3d97ffd19f88dc67ea", 16);
    assert_hex_equal(CERT_GUID_EXTRA_INFO, "ecae0c0f950243b1afa20ae2e0d565b6",
                     16);
}

int main(void)
{
    struct CMUnitTest tests[32] = {
        cmocka_unit_test(encode__three_entries__hand_made_bytes),
        cmocka_unit_test(encode__buffer_one_short__writes_nothing),
        cmocka_unit_test(encode__no_entry__terminator_only),
        cmocka_unit_test(decode__hand_made__borrows_blobs),
        cmocka_unit_test(decode__padding_after_blobs__fine),
        cmocka_unit_test(decode__empty_buffer__no_entry),
        cmocka_unit_test(decode__terminator_only__no_entry),
        cmocka_unit_test(decode__blob_ends_at_buffer_end__accepted),
        cmocka_unit_test(guid_name__known_and_unknown),
        cmocka_unit_test(guids__all__sheet_bytes),
    };
    static char names[32][64];
    size_t n = 10;

    for (size_t i = 0; i < sizeof(BROKEN) / sizeof(BROKEN[0]); i++) {
        snprintf(names[n], 64, "decode__%s__refused", BROKEN[i].name);
        tests[n] =
            (struct CMUnitTest){names[n], test_broken, NULL, NULL, &BROKEN[i]};
        n++;
    }
    return _cmocka_run_group_tests("cert_table", tests, n, NULL, NULL);
}
