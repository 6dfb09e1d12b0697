/* SPDX-License-Identifier: Apache-2.0 */
/* The DER writer against encodings worked out by hand from X.690, and, for
 * times, against the C library. */
#include "der.h"
#include "tst.h"

#include <time.h>

struct int_case {
    const char *in; /* big-endian hex */
    const char *der;
};

static void test_integer(void **state)
{
    const struct int_case *c = *state;
    uint8_t in[16], out[32];
    struct der d = der(out, sizeof(out));
    size_t n = strlen(c->in) / 2;

    tst_hex(c->in, in, n);
    der_integer(&d, in, n);
    assert_true(der_done(&d));
    assert_int_equal(d.pos, strlen(c->der) / 2);
    assert_hex_equal(out, c->der, d.pos);
}

static struct int_case INT_CASES[] = {
    {"", "020100"},
    {"00", "020100"},
    {"0000", "020100"},
    {"01", "020101"},
    {"7f", "02017f"},
    {"80", "02020080"},
    {"ff", "020200ff"},
    {"0080", "02020080"},
    {"0100", "02020100"},
    {"53010000", "020453010000"},
    {"ff000000", "020500ff000000"},
};

static void uint__64_bits__minimal_bytes(void **state)
{
    uint8_t out[16];
    struct der d = der(out, sizeof(out));

    (void)state;
    der_uint(&d, 0xdb);
    der_uint(&d, UINT64_MAX);
    assert_true(der_done(&d));
    assert_int_equal(d.pos, 15);
    assert_hex_equal(out, "020200db 020900ffffffffffffffff", 15);
}

struct length_case {
    size_t size;
    const char *head;
};

/* Lengths on both sides of each change of form. */
static struct length_case LENGTH_CASES[] = {
    {0, "0400"},         {1, "0401"},           {127, "047f"},
    {128, "048180"},     {255, "0481ff"},       {256, "04820100"},
    {65535, "0482ffff"}, {65536, "0483010000"},
};

static void test_length(void **state)
{
    const struct length_case *c = *state;
    size_t head = strlen(c->head) / 2;
    uint8_t *in = malloc(c->size + 1);
    uint8_t *out = malloc(c->size + head);
    uint8_t *out2 = malloc(c->size + head);
    struct der d = der(out, c->size + head);
    struct der e = der(out2, c->size + head);
    size_t mark;

    assert_true(in != NULL && out != NULL && out2 != NULL);
    memset(in, 0x5a, c->size + 1);
    der_value(&d, DER_OCTET_STRING, in, c->size);
    assert_true(der_done(&d));
    assert_int_equal(d.pos, c->size + head);
    assert_hex_equal(out, c->head, head);
    assert_memory_equal(out + head, in, c->size);
    /* der_open() moves its content for a longer length: same bytes. */
    mark = der_open(&e, DER_OCTET_STRING);
    der_raw(&e, in, c->size);
    der_close(&e, mark);
    assert_true(der_done(&e));
    assert_int_equal(e.pos, d.pos);
    assert_memory_equal(out, out2, d.pos);
    free(in);
    free(out);
    free(out2);
}

static void nested__inner_grows_outer__lengths_right(void **state)
{
    uint8_t fill[126] = {0};
    uint8_t out[200];
    struct der d = der(out, sizeof(out));
    size_t a, b;

    (void)state;
    a = der_open(&d, DER_SEQUENCE);
    b = der_open(&d, DER_SET);
    der_value(&d, DER_OCTET_STRING, fill, sizeof(fill));
    der_close(&d, b);
    der_close(&d, a);
    assert_true(der_done(&d));
    assert_int_equal(d.pos, 134);
    assert_hex_equal(out, "308183 318180 047e", 8);
}

static void values__each_kind__hand_made_bytes(void **state)
{
    uint8_t out[64];
    struct der d = der(out, sizeof(out));

    (void)state;
    der_true(&d);
    der_value(&d, DER_NULL, NULL, 0);
    der_text(&d, DER_PRINTABLE_STRING, "US");
    der_text(&d, DER_IA5_STRING, "Milan-B0");
    der_bit_string(&d, "\x04\xff", 2);
    der_value(&d, DER_CONTEXT(0), "\x01", 1);
    der_close(&d, der_open(&d, DER_CONTEXT_CONSTRUCTED(3)));
    assert_true(der_done(&d));
    assert_hex_equal(out,
                     "0101ff 0500 13025553 16084d696c616e2d4230"
                     "03030004ff 800101 a300",
                     29);
    assert_int_equal(d.pos, 29);
}

static void buffer__one_byte_short__bad_and_nothing_beyond(void **state)
{
    (void)state;
    for (size_t size = 0; size < 134; size++) {
        uint8_t *out = malloc(size + 1);
        struct der d = der(out, size);
        uint8_t fill[126] = {0};
        size_t a, b;

        assert_non_null(out);
        out[size] = 0xa5;
        a = der_open(&d, DER_SEQUENCE);
        b = der_open(&d, DER_SET);
        der_value(&d, DER_OCTET_STRING, fill, sizeof(fill));
        der_close(&d, b);
        der_close(&d, a);
        assert_false(der_done(&d));
        assert_int_equal(out[size], 0xa5);
        free(out);
    }
}

static void value__left_open__not_done(void **state)
{
    uint8_t out[8];
    struct der d = der(out, sizeof(out));
    size_t mark;

    (void)state;
    mark = der_open(&d, DER_SEQUENCE);
    assert_false(der_done(&d));
    der_close(&d, mark);
    assert_true(der_done(&d));
    der_close(&d, mark);
    assert_false(der_done(&d));
}

static void utc_time__every_day_to_2049__as_the_c_library(void **state)
{
    (void)state;
    for (uint64_t t = 0; t < 2524608000u; t += 86400u - 61u) {
        uint8_t out[16];
        struct der d = der(out, sizeof(out));
        time_t clock = (time_t)t;
        struct tm tm;
        char want[16];

        assert_non_null(gmtime_r(&clock, &tm));
        assert_int_equal(strftime(want, sizeof(want), "%y%m%d%H%M%SZ", &tm),
                         13);
        der_utc_time(&d, t);
        assert_true(der_done(&d));
        assert_int_equal(d.pos, 15);
        assert_hex_equal(out, "170d", 2);
        assert_memory_equal(out + 2, want, 13);
    }
}

static void utc_time__last_second_of_2049__then_refused(void **state)
{
    uint8_t out[32];
    struct der d = der(out, sizeof(out));

    (void)state;
    der_utc_time(&d, 2524607999u);
    assert_true(der_done(&d));
    assert_memory_equal(out + 2, "491231235959Z", 13);
    der_utc_time(&d, 2524608000u);
    assert_false(der_done(&d));
}

int main(void)
{
    struct CMUnitTest tests[64] = {
        cmocka_unit_test(uint__64_bits__minimal_bytes),
        cmocka_unit_test(nested__inner_grows_outer__lengths_right),
        cmocka_unit_test(values__each_kind__hand_made_bytes),
        cmocka_unit_test(buffer__one_byte_short__bad_and_nothing_beyond),
        cmocka_unit_test(value__left_open__not_done),
        cmocka_unit_test(utc_time__every_day_to_2049__as_the_c_library),
        cmocka_unit_test(utc_time__last_second_of_2049__then_refused),
    };
    static char names[64][64];
    size_t n = 7;

    for (size_t i = 0; i < sizeof(INT_CASES) / sizeof(INT_CASES[0]); i++) {
        snprintf(names[n], 64, "integer__%s__%s", INT_CASES[i].in,
                 INT_CASES[i].der);
        tests[n] = (struct CMUnitTest){names[n], test_integer, NULL, NULL,
                                       &INT_CASES[i]};
        n++;
    }
    for (size_t i = 0; i < sizeof(LENGTH_CASES) / sizeof(LENGTH_CASES[0]);
         i++) {
        snprintf(names[n], 64, "length__%zu__%s", LENGTH_CASES[i].size,
                 LENGTH_CASES[i].head);
        tests[n] = (struct CMUnitTest){names[n], test_length, NULL, NULL,
                                       &LENGTH_CASES[i]};
        n++;
    }
    return _cmocka_run_group_tests("der", tests, n, NULL, NULL);
}
