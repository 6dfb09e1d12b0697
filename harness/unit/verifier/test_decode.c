/* SPDX-License-Identifier: Apache-2.0 */
/* The decoder says what an independent reader finds, in JSON that Python reads;
 * and never shows a terminal anything but printable ASCII. */
#include "bench_evidence.h"

#include "decode.h"

#include <ctype.h>

#define WORK_SIZE 20000u

static struct bench *B;
static char *dir;

/* ---- helpers ---- */

static char *decode(const void *data, size_t size, enum artefact type,
                    enum decode_form form)
{
    uint8_t *exact = tst_dup(data, size);
    char why[DECODE_WHY_SIZE];
    char *text = NULL;

    if (decode_artefact(exact, size, type, form, &text, why) != PSP_OK) {
        fail_msg("decode: %s", why);
    }
    free(exact);
    return text;
}

static void expect_format(const void *data, size_t size, enum artefact type,
                          const char *reason)
{
    uint8_t *exact = tst_dup(data, size);
    char why[DECODE_WHY_SIZE];
    char *text = (char *)why;

    assert_int_equal(
        decode_artefact(exact, size, type, DECODE_JSON, &text, why),
        PSP_E_FORMAT);
    assert_null(text);
    if (strstr(why, reason) == NULL) {
        fail_msg("why: %s", why);
    }
    free(exact);
}

/* JSON against check_decode.py; text has only what may stand in it. */
static void agree(const void *data, size_t size)
{
    char *json = decode(data, size, ARTEFACT_UNKNOWN, DECODE_JSON);
    char *again = decode(data, size, ARTEFACT_UNKNOWN, DECODE_JSON);
    char *text = decode(data, size, ARTEFACT_UNKNOWN, DECODE_TEXT);
    char json_path[300], data_path[300];
    const char *argv[] = {"/usr/bin/python3",
                          "harness/unit/verifier/check_decode.py", json_path,
                          data_path, NULL};
    char *output;

    assert_string_equal(json, again);
    for (const char *p = text; *p != '\0'; p++) {
        assert_true(isprint((unsigned char)*p) || *p == '\n');
    }
    snprintf(json_path, sizeof(json_path), "%s/out.json", dir);
    snprintf(data_path, sizeof(data_path), "%s/in.bin", dir);
    tst_write_file(json_path, json, strlen(json));
    tst_write_file(data_path, data, size);
    if (tst_run(&output, argv) != 0) {
        fail_msg("check_decode.py: %s", output);
    }
    free(output);
    free(json);
    free(again);
    free(text);
}

static size_t table_of(uint8_t *out, size_t room)
{
    static const uint8_t extra[8] = {8};
    struct cert_table_entry e[4] = {
        {.data = B->leaf_der.b, .size = B->leaf_der.n},
        {.data = B->ask_der.b, .size = B->ask_der.n},
        {.data = B->ark_der.b, .size = B->ark_der.n},
        {.data = extra, .size = sizeof(extra)},
    };
    size_t n;

    memcpy(e[0].guid, CERT_GUID_VCEK, 16);
    memcpy(e[1].guid, CERT_GUID_ASK, 16);
    memcpy(e[2].guid, CERT_GUID_ARK, 16);
    memset(e[3].guid, 0x77, 16);
    n = cert_table_encode(e, 4, out, room);
    assert_true(n <= room);
    return n;
}

/* ---- agreement ---- */

static const struct report_case {
    const char *name;
    enum psp_generation generation;
    uint32_t version;
    bool masked;
    bool odd; /* every field full of bits */
} REPORTS[] = {
    {"decode__milan_v2__agrees", PSP_MILAN, 2, false, false},
    {"decode__milan_v3__agrees", PSP_MILAN, 3, false, false},
    {"decode__genoa_v4__agrees", PSP_GENOA, 4, false, false},
    {"decode__turin_v5__agrees", PSP_TURIN, 5, false, false},
    {"decode__turin_v2__agrees", PSP_TURIN, 2, false, false},
    {"decode__masked_v2__agrees", PSP_MILAN, 2, true, false},
    {"decode__masked_v3__agrees", PSP_MILAN, 3, true, false},
    {"decode__milan_v5_all_bits__agrees", PSP_MILAN, 5, false, true},
    {"decode__turin_v5_all_bits__agrees", PSP_TURIN, 5, false, true},
};

static void all_bits(struct snp_report *r)
{
    r->guest_svn = UINT32_MAX;
    r->policy = UINT64_MAX;
    r->vmpl = UINT32_MAX;
    r->signature_algo = UINT32_MAX;
    r->platform_info = UINT64_MAX;
    r->key_info = UINT32_MAX;
    memset(&r->current_tcb, 0xf1, 8);
    memset(&r->launch_tcb, 0xf2, 8);
    r->launch_mit_vector = UINT64_MAX;
    r->current_mit_vector = 0x8000000000000001;
    memset(r->r, 0xee, sizeof(r->r));
    memset(r->s, 0xdd, sizeof(r->s));
}

static void test_report(void **state)
{
    const struct report_case *c = *state;
    uint8_t bytes[SNP_REPORT_SIZE];
    struct snp_report r;

    mint_report(&r, c->generation);
    r.version = c->version;
    if (c->masked) {
        memset(r.chip_id, 0, sizeof(r.chip_id));
    }
    if (c->odd) {
        all_bits(&r);
    }
    snp_report_encode(&r, bytes);
    agree(bytes, sizeof(bytes));
}

static const struct file_case {
    const char *name;
    const char *path;
} FILES[] = {
    {"decode__real_milan_v2__agrees", "snp/milan/report-v2.bin"},
    {"decode__real_milan_v3__agrees", "snp/milan/report-v3.bin"},
    {"decode__real_genoa__agrees", "snp/genoa/report.bin"},
    {"decode__real_vcek_der__agrees", "snp/milan/vcek-v2.der"},
    {"decode__real_vcek_pem__agrees", "snp/genoa/vcek.pem"},
    {"decode__real_ark__agrees", "amd-ca/turin-ark.pem"},
    {"decode__real_ask__agrees", "amd-ca/milan-ask.pem"},
};

static void test_file(void **state)
{
    const struct file_case *c = *state;
    const char *path = tst_shared(c->path);
    uint8_t *data;
    size_t size;

    if (path == NULL) {
        skip();
        return;
    }
    data = tst_file(path, &size);
    agree(data, size);
    free(data);
}

static void decode__minted_certificates__agree(void **state)
{
    struct bench *v = calloc(1, sizeof(*v));

    (void)state;
    agree(B->leaf_der.b, B->leaf_der.n);
    agree(B->ask_der.b, B->ask_der.n);
    bench_init(v, PSP_TURIN, true);
    v->leaf.subject.description = "SIMULATED - NOT AN AMD CERTIFICATE";
    v->crl.revoked_count = 2;
    v->crl.revoked[0] = 0x53010001;
    bench_build(v);
    agree(v->leaf_der.b, v->leaf_der.n);
    agree(v->crl_der.b, v->crl_der.n);
    free(v);
}

static void decode__table_response_and_evidence__agree(void **state)
{
    uint8_t *x = calloc(1, WORK_SIZE);
    size_t n = table_of(x, WORK_SIZE);

    (void)state;
    agree(x, n);
    memcpy(x, B->bytes, SNP_REPORT_SIZE);
    n = SNP_REPORT_SIZE +
        table_of(x + SNP_REPORT_SIZE, WORK_SIZE - SNP_REPORT_SIZE);
    agree(x, n);
    memset(x, 0, 4000);
    x[4] = 0xa0;
    x[5] = 0x04;
    memcpy(x + 0x20, B->bytes, SNP_REPORT_SIZE);
    agree(x, 0x4c0);
    agree(x, 4000);
    memset(x, 0, 4000);
    x[0] = 0x16;
    agree(x, 0x4c0);
    free(x);
}

static void decode__pem_chain__agrees(void **state)
{
    char *leaf = mint_pem(&B->leaf_der, "CERTIFICATE");
    char *ask = mint_pem(&B->ask_der, "CERTIFICATE");
    char *crl = mint_pem(&B->crl_der, "X509 CRL");
    char *chain = calloc(1, WORK_SIZE);

    (void)state;
    strcat(strcat(strcat(chain, leaf), ask), crl);
    agree(chain, strlen(chain));
    free(leaf);
    free(ask);
    free(crl);
    free(chain);
}

/* ---- what it says ---- */

static void expect_in(const char *text, const char *line)
{
    if (strstr(text, line) == NULL) {
        fail_msg("no \"%s\" in:\n%s", line, text);
    }
}

static void decode__report_as_text__lines_for_people(void **state)
{
    char *text =
        decode(B->bytes, SNP_REPORT_SIZE, ARTEFACT_UNKNOWN, DECODE_TEXT);

    (void)state;
    expect_in(text, "\nproduct               Milan\n");
    expect_in(text, "\nversion               3\n");
    expect_in(text, "\npolicy                0x30000  abi_major 0, abi_minor 0,"
                    " smt, reserved_17\n");
    expect_in(text, "\nreported_tcb          04000000000018db  boot_loader 4, "
                    "tee 0, snp 24, microcode 219\n");
    expect_in(text, "\ncurrent_version       1.55.29\n");
    assert_null(strstr(text, "mit_vector"));
    free(text);
}

static void decode__leaf__its_meaning(void **state)
{
    char *text =
        decode(B->leaf_der.b, B->leaf_der.n, ARTEFACT_UNKNOWN, DECODE_TEXT);

    (void)state;
    expect_in(text, "\nkind                  VCEK\n");
    expect_in(text, "\nproduct_name          Milan-B0\n");
    expect_in(text, "\ntcb                   04000000000018db  boot_loader 4");
    expect_in(text, "1.3.6.1.4.1.3704.1.3.8  name ucodeSPL, content 219\n");
    expect_in(text, "RSASSA-PSS SHA-384, form A\n");
    free(text);
}

static void decode__leaf_with_bad_extensions__still_shown(void **state)
{
    struct bench *v = calloc(1, sizeof(*v));
    char *text;

    (void)state;
    bench_init(v, PSP_MILAN, false);
    mint_ext_value(mint_amd_ext(&v->leaf, 3, 1), "02020004");
    v->leaf.alg = MINT_FORM_B;
    bench_build(v);
    text = decode(v->leaf_der.b, v->leaf_der.n, ARTEFACT_UNKNOWN, DECODE_TEXT);
    expect_in(text, "extensions_error      blSPL is malformed");
    expect_in(text, "name blSPL, content 02020004, malformed\n");
    expect_in(text, "form B\n");
    free(text);
    free(v);
}

/* Names are attacker's text: nothing of it reaches a terminal raw. */
static void decode__control_characters_in_a_name__escaped(void **state)
{
    struct bench *v = calloc(1, sizeof(*v));
    char *text, *json;

    (void)state;
    bench_init(v, PSP_MILAN, false);
    v->leaf.subject.description = "\033]0;owned\007\n\"\\ \xc3\xa9";
    bench_build(v);
    text = decode(v->leaf_der.b, v->leaf_der.n, ARTEFACT_UNKNOWN, DECODE_TEXT);
    for (const char *p = text; *p != '\0'; p++) {
        assert_true(isprint((unsigned char)*p) || *p == '\n');
    }
    json = decode(v->leaf_der.b, v->leaf_der.n, ARTEFACT_UNKNOWN, DECODE_JSON);
    for (const char *p = json; *p != '\0'; p++) {
        assert_true(isprint((unsigned char)*p) || *p == '\n');
    }
    free(text);
    free(json);
    free(v);
}

/* ---- refusals ---- */

static void decode__damaged_report__says_where(void **state)
{
    uint8_t bytes[SNP_REPORT_SIZE];

    (void)state;
    memcpy(bytes, B->bytes, sizeof(bytes));
    bytes[0x1ef] = 1;
    expect_format(bytes, sizeof(bytes), ARTEFACT_UNKNOWN,
                  "report: reserved byte at offset 0x1ef");
    bytes[0] = 9;
    expect_format(bytes, sizeof(bytes), ARTEFACT_UNKNOWN,
                  "report: version 9 is unknown");
    expect_format(bytes, 100, ARTEFACT_REPORT, "100 bytes instead of 1184");
}

static void decode__type_that_it_is_not__format(void **state)
{
    static const uint8_t junk[70] = {0x30, 0x44, 1, 2, 3};

    (void)state;
    expect_format(junk, sizeof(junk), ARTEFACT_UNKNOWN, "x509: not DER");
    for (enum artefact t = ARTEFACT_REPORT; t < ARTEFACT_COUNT; t++) {
        expect_format(junk, sizeof(junk), t, artefact_name(t));
        if (t != ARTEFACT_TABLE) { /* an empty table is one */
            expect_format(junk, 0, t, artefact_name(t));
        }
    }
    expect_format(junk + 2, 30, ARTEFACT_UNKNOWN, "none of the known formats");
    expect_format("", 0, ARTEFACT_UNKNOWN, "none of the known formats (0");
    expect_format(B->leaf_der.b, B->leaf_der.n, ARTEFACT_TABLE, "table:");
}

static void decode__type_given__taken(void **state)
{
    static const uint8_t empty[24];
    char *json = decode(empty, sizeof(empty), ARTEFACT_TABLE, DECODE_JSON);

    (void)state;
    expect_in(json, "\"entries\": []");
    free(json);
    json = decode(empty, 0, ARTEFACT_TABLE, DECODE_JSON);
    expect_in(json, "\"entries\": []");
    free(json);
}

static uint32_t next(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

static void decode__cut_and_spoiled__text_or_reason(void **state)
{
    uint8_t *x = calloc(1, WORK_SIZE);
    uint32_t seed = 0xdec0de;

    (void)state;
    for (size_t round = 0; round < 1000; round++) {
        enum artefact type = (enum artefact)(next(&seed) % ARTEFACT_COUNT);
        char why[DECODE_WHY_SIZE] = "";
        char *text = NULL;
        uint8_t *exact;
        size_t n;

        memcpy(x, B->bytes, SNP_REPORT_SIZE);
        n = SNP_REPORT_SIZE +
            table_of(x + SNP_REPORT_SIZE, WORK_SIZE - SNP_REPORT_SIZE);
        if (next(&seed) % 2 == 0) {
            memmove(x, x + SNP_REPORT_SIZE, n - SNP_REPORT_SIZE);
            n -= SNP_REPORT_SIZE;
        }
        for (uint32_t k = next(&seed) % 6; k > 0; k--) {
            x[next(&seed) % (k % 2 == 0 ? n : 1400)] = (uint8_t)next(&seed);
        }
        n = next(&seed) % 4 == 0 ? next(&seed) % n : n;
        exact = tst_dup(x, n);
        if (decode_artefact(exact, n, type,
                            round % 2 == 0 ? DECODE_JSON : DECODE_TEXT, &text,
                            why) == PSP_OK) {
            assert_non_null(text);
        } else {
            assert_null(text);
            assert_int_not_equal(why[0], '\0');
        }
        free(text);
        free(exact);
    }
    free(x);
}

static int setup(void **state)
{
    (void)state;
    bench_keys_load();
    B = calloc(1, sizeof(*B));
    bench_init(B, PSP_MILAN, false);
    bench_build(B);
    dir = tst_mkdtemp();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(B);
    bench_keys_free();
    tst_rmdir(dir);
    return 0;
}

#define ADD(table, function)                                                   \
    for (size_t i = 0; i < sizeof(table) / sizeof((table)[0]); i++) {          \
        tests[n++] =                                                           \
            (struct CMUnitTest){(table)[i].name, (function), NULL, NULL,       \
                                tst_dup(&(table)[i], sizeof((table)[i]))};     \
    }

int main(void)
{
    static const struct CMUnitTest plain[] = {
        cmocka_unit_test(decode__minted_certificates__agree),
        cmocka_unit_test(decode__table_response_and_evidence__agree),
        cmocka_unit_test(decode__pem_chain__agrees),
        cmocka_unit_test(decode__report_as_text__lines_for_people),
        cmocka_unit_test(decode__leaf__its_meaning),
        cmocka_unit_test(decode__leaf_with_bad_extensions__still_shown),
        cmocka_unit_test(decode__control_characters_in_a_name__escaped),
        cmocka_unit_test(decode__damaged_report__says_where),
        cmocka_unit_test(decode__type_that_it_is_not__format),
        cmocka_unit_test(decode__type_given__taken),
        cmocka_unit_test(decode__cut_and_spoiled__text_or_reason),
    };
    static struct CMUnitTest tests[64];
    size_t n = 0;
    int failed;

    ADD(REPORTS, test_report)
    ADD(FILES, test_file)
    memcpy(tests + n, plain, sizeof(plain));
    n += sizeof(plain) / sizeof(plain[0]);
    failed = _cmocka_run_group_tests("decode", tests, n, setup, teardown);
    for (size_t i = 0; i < n; i++) {
        free(tests[i].initial_state);
    }
    return failed;
}
