/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence of genuine machines under AMD's roots, whole and damaged. */
#include "tst.h"

#include "blocks.h"
#include "check.h"
#include "verifier.h"

/* 2026-11-01: all genuine certificates at hand are valid. */
#define NOW 1793491200

static const struct real_case {
    const char *name;
    const char *report, *leaf, *ask, *ark;
} REAL[] = {
    {"real__milan_v2__accepted", "snp/milan/report-v2.bin",
     "snp/milan/vcek-v2.der", "amd-ca/milan-ask.pem", "amd-ca/milan-ark.pem"},
    {"real__milan_v3__accepted", "snp/milan/report-v3.bin",
     "snp/milan/vcek-v3.pem", "amd-ca/milan-ask.pem", "amd-ca/milan-ark.pem"},
    {"real__genoa_v3__accepted", "snp/genoa/report.bin", "snp/genoa/vcek.pem",
     "amd-ca/genoa-ask.pem", "amd-ca/genoa-ark.pem"},
};

struct loaded {
    struct verify_input in;
    uint8_t *file[4];
};

static uint8_t *load(const char *name, struct verify_blob *out)
{
    const char *path = tst_shared(name);
    uint8_t *data = path != NULL ? tst_file(path, &out->size) : NULL;

    out->data = data;
    return data;
}

/* False: the real data is not there. */
static bool load_all(const struct real_case *c, struct loaded *l)
{
    memset(l, 0, sizeof(*l));
    if (tst_shared(c->report) == NULL) {
        return false;
    }
    l->file[0] = load(c->report, &l->in.report);
    l->file[1] = load(c->leaf, &l->in.leaf);
    l->file[2] = load(c->ask, &l->in.ask);
    l->file[3] = load(c->ark, &l->in.trusted_ark);
    return true;
}

static void unload(struct loaded *l)
{
    for (size_t i = 0; i < 4; i++) {
        free(l->file[i]);
    }
}

static bool judge(const struct verify_input *in, struct verify_result *result)
{
    const struct verify_policy policy = {.now = NOW};

    verify_snp(in, &policy, result);
    return result->ok;
}

static void test_real(void **state)
{
    const struct real_case *c = *state;
    struct verify_result result;
    struct loaded l;

    if (!load_all(c, &l)) {
        skip();
        return;
    }
    assert_true(judge(&l.in, &result));
    assert_false(result.simulated);
    for (size_t i = 0; i <= VERIFY_REPORT_SIGNATURE; i++) {
        assert_int_equal(result.line[i].verdict,
                         i == VERIFY_REVOCATION ? VERIFY_SKIPPED : VERIFY_PASS);
    }
    /* The ARK presented as well. */
    l.in.ark = l.in.trusted_ark;
    assert_true(judge(&l.in, &result));
    unload(&l);
}

/* Every chain with one part taken from another machine. */
static void real__parts_of_two_machines__refused(void **state)
{
    struct verify_result result;
    struct loaded a, b;

    (void)state;
    if (!load_all(&REAL[1], &a) || !load_all(&REAL[2], &b)) {
        skip();
        return;
    }
    for (size_t part = 0; part < 4; part++) {
        struct verify_input in = a.in;

        in.report = part == 0 ? b.in.report : in.report;
        in.leaf = part == 1 ? b.in.leaf : in.leaf;
        in.ask = part == 2 ? b.in.ask : in.ask;
        in.trusted_ark = part == 3 ? b.in.trusted_ark : in.trusted_ark;
        assert_false(judge(&in, &result));
    }
    unload(&a);
    unload(&b);
}

/* Two Milan chips: same CA, different leaf. */
static void real__leaf_of_another_chip__refused(void **state)
{
    struct verify_result result;
    struct loaded a, b;

    (void)state;
    if (!load_all(&REAL[0], &a) || !load_all(&REAL[1], &b)) {
        skip();
        return;
    }
    a.in.leaf = b.in.leaf;
    assert_false(judge(&a.in, &result));
    assert_int_equal(result.line[VERIFY_LEAF_SIGNATURE].verdict, VERIFY_PASS);
    assert_int_equal(result.line[VERIFY_TCB].verdict, VERIFY_FAIL);
    assert_int_equal(result.line[VERIFY_CHIP_ID].verdict, VERIFY_FAIL);
    assert_int_equal(result.line[VERIFY_REPORT_SIGNATURE].verdict, VERIFY_FAIL);
    unload(&a);
    unload(&b);
}

static X509 *one_cert(const struct verify_blob *blob)
{
    struct block_list list;
    X509 *x;

    assert_int_equal(blocks_read(blob->data, blob->size, &list), PSP_OK);
    x = block_cert(list.item[0].der, list.item[0].size);
    blocks_clear(&list);
    assert_non_null(x);
    return x;
}

/* All 5376 bits, with the key parsed once: refused by format or signature. */
static void real__any_signed_bit_flipped__refused(void **state)
{
    struct snp_report report;
    struct loaded l;
    uint8_t bytes[SNP_REPORT_SIZE];
    X509 *leaf;

    (void)state;
    if (!load_all(&REAL[1], &l)) {
        skip();
        return;
    }
    leaf = one_cert(&l.in.leaf);
    memcpy(bytes, l.in.report.data, sizeof(bytes));
    for (size_t i = 0; i < SNP_REPORT_SIGNED_SIZE * 8; i++) {
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        if (snp_report_decode(bytes, sizeof(bytes), &report, NULL) == PSP_OK &&
            report_signature_ok(bytes, &report, X509_get0_pubkey(leaf))) {
            fail_msg("bit %zu of byte 0x%zx is not protected", i % 8, i / 8);
        }
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    assert_int_equal(snp_report_decode(bytes, sizeof(bytes), &report, NULL),
                     PSP_OK);
    assert_true(report_signature_ok(bytes, &report, X509_get0_pubkey(leaf)));
    X509_free(leaf);
    unload(&l);
}

/* The whole way, signature included; every fifth byte, of another report. */
static void real__report_byte_flipped__named_check_fails(void **state)
{
    struct verify_result result;
    struct loaded l;
    uint8_t bytes[SNP_REPORT_SIZE];

    (void)state;
    if (!load_all(&REAL[2], &l)) {
        skip();
        return;
    }
    memcpy(bytes, l.in.report.data, sizeof(bytes));
    l.in.report.data = bytes;
    for (size_t i = 0; i < sizeof(bytes); i += 5) {
        bytes[i] ^= (uint8_t)(1u << i % 8);
        assert_false(judge(&l.in, &result));
        if (result.line[VERIFY_REPORT_FORMAT].verdict != VERIFY_FAIL &&
            result.line[VERIFY_REPORT_SIGNATURE].verdict != VERIFY_FAIL) {
            fail_msg("byte 0x%zx", i);
        }
        bytes[i] ^= (uint8_t)(1u << i % 8);
    }
    unload(&l);
}

/* DER of a certificate with one bit of one byte flipped, at every @step-th. */
static void bytes_flipped(struct loaded *l, struct verify_blob *slot,
                          size_t step)
{
    struct verify_result result;
    struct block_list list;
    struct verify_blob whole = *slot;

    assert_int_equal(blocks_read(slot->data, slot->size, &list), PSP_OK);
    slot->data = list.item[0].der;
    slot->size = list.item[0].size;
    assert_true(judge(&l->in, &result));
    for (size_t i = 0; i < list.item[0].size; i += step) {
        list.item[0].der[i] ^= (uint8_t)(1u << i % 8);
        if (judge(&l->in, &result)) {
            fail_msg("byte 0x%zx is not protected", i);
        }
        list.item[0].der[i] ^= (uint8_t)(1u << i % 8);
    }
    blocks_clear(&list);
    *slot = whole;
}

static void real__any_byte_of_a_certificate_flipped__refused(void **state)
{
    struct loaded l;

    (void)state;
    if (!load_all(&REAL[0], &l)) {
        skip();
        return;
    }
    bytes_flipped(&l, &l.in.leaf, 3);
    bytes_flipped(&l, &l.in.ask, 11);
    l.in.ark = l.in.trusted_ark;
    bytes_flipped(&l, &l.in.ark, 11);
    unload(&l);
}

/* xorshift: the same bytes in every run. */
static uint32_t next(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

static void spoil(uint8_t *p, size_t size, uint32_t *seed)
{
    for (uint32_t n = 1 + next(seed) % 8; n > 0 && size > 0; n--) {
        p[next(seed) % size] = (uint8_t)next(seed);
    }
}

/* Cut and spoiled inputs of every kind: a verdict, never acceptance. */
static void real__cut_and_spoiled__always_a_verdict(void **state)
{
    struct verify_result result;
    uint32_t seed = 0x5eed;
    struct loaded l;

    (void)state;
    if (!load_all(&REAL[0], &l)) {
        skip();
        return;
    }
    for (size_t round = 0; round < 600; round++) {
        struct verify_input in = l.in;
        struct verify_blob *slot[] = {&in.report,      &in.leaf, &in.ask,
                                      &in.trusted_ark, &in.ark,  &in.crl};
        struct verify_blob *victim = slot[next(&seed) % 6];
        const struct verify_blob *source = slot[next(&seed) % 4];
        size_t size = source->size;
        uint8_t *copy = tst_dup(source->data, size);
        uint8_t *exact; /* for ASan */

        size = next(&seed) % 2 == 0 ? next(&seed) % (size + 1) : size;
        spoil(copy, size, &seed);
        exact = tst_dup(copy, size);
        *victim = (struct verify_blob){.data = exact, .size = size};
        (void)judge(&in, &result);
        for (size_t i = 0; i < VERIFY_CHECK_COUNT; i++) {
            assert_true(result.line[i].verdict == VERIFY_PASS ||
                        result.line[i].reason[0] != '\0');
        }
        free(copy);
        free(exact);
    }
    unload(&l);
}

int main(void)
{
    static const struct CMUnitTest plain[] = {
        cmocka_unit_test(real__parts_of_two_machines__refused),
        cmocka_unit_test(real__leaf_of_another_chip__refused),
        cmocka_unit_test(real__any_signed_bit_flipped__refused),
        cmocka_unit_test(real__report_byte_flipped__named_check_fails),
        cmocka_unit_test(real__any_byte_of_a_certificate_flipped__refused),
        cmocka_unit_test(real__cut_and_spoiled__always_a_verdict),
    };
    enum { ROWS = sizeof(REAL) / sizeof(REAL[0]) };
    struct CMUnitTest tests[ROWS + sizeof(plain) / sizeof(plain[0])];
    size_t n = 0;
    int failed;

    for (; n < ROWS; n++) {
        tests[n] = (struct CMUnitTest){REAL[n].name, test_real, NULL, NULL,
                                       tst_dup(&REAL[n], sizeof(REAL[n]))};
    }
    memcpy(tests + n, plain, sizeof(plain));
    n += sizeof(plain) / sizeof(plain[0]);
    failed = _cmocka_run_group_tests("verify_real", tests, n, NULL, NULL);
    for (size_t i = 0; i < ROWS; i++) {
        free(tests[i].initial_state);
    }
    return failed;
}
