/* SPDX-License-Identifier: Apache-2.0 */
/* Telling artefacts apart, taking them to pieces, and seeing the simulator's
 * marker in each of them. */
#include "bench_evidence.h"

#include "artefact.h"
#include "evidence.h"
#include "simulated.h"

#include <openssl/x509.h>

static struct bench *B; /* good Milan evidence, built once */

/* ---- makers of artefacts ---- */

struct bytes {
    uint8_t b[20000];
    size_t n;
};

static void add(struct bytes *out, const void *p, size_t n)
{
    assert_true(n <= sizeof(out->b) - out->n);
    memcpy(out->b + out->n, p, n);
    out->n += n;
}

static void report_of(struct bytes *out, const char *chip_id)
{
    struct snp_report r;
    uint8_t bytes[SNP_REPORT_SIZE];

    mint_report(&r, PSP_MILAN);
    memset(r.chip_id, 0, sizeof(r.chip_id));
    memcpy(r.chip_id, chip_id, strlen(chip_id));
    snp_report_encode(&r, bytes);
    add(out, bytes, sizeof(bytes));
}

static void response_of(struct bytes *out, size_t size, uint32_t status,
                        const uint8_t report[SNP_REPORT_SIZE])
{
    const uint8_t head[8] = {
        (uint8_t)status,          0, 0, 0, report != NULL ? 0xa0 : 0,
        report != NULL ? 0x04 : 0};

    out->n = size;
    memset(out->b, 0, size);
    memcpy(out->b, head, sizeof(head));
    if (report != NULL) {
        memcpy(out->b + 0x20, report, SNP_REPORT_SIZE);
    }
}

static void table_of(struct bytes *out, const struct mint_der *leaf,
                     const struct mint_der *ask, const struct mint_der *ark)
{
    struct cert_table_entry e[3] = {
        {.data = leaf->b, .size = leaf->n},
        {.data = ask->b, .size = ask->n},
        {.data = ark->b, .size = ark->n},
    };

    memcpy(e[0].guid, CERT_GUID_VCEK, 16);
    memcpy(e[1].guid, CERT_GUID_ASK, 16);
    memcpy(e[2].guid, CERT_GUID_ARK, 16);
    out->n += cert_table_encode(e, 3, out->b + out->n, sizeof(out->b) - out->n);
    assert_true(out->n <= sizeof(out->b));
}

static void amd_cert_of(struct bytes *out, const char *tail)
{
    uint8_t cert[1600] = {1};

    memcpy(cert + 4 + 8, tail, 8);
    cert[36] = 0x13;
    cert[0x39] = 0x10;
    cert[0x3d] = 0x10;
    add(out, cert, sizeof(cert));
}

/* ---- identify ---- */

static enum artefact identify(const struct bytes *in)
{
    uint8_t *exact = tst_dup(in->b, in->n);
    enum artefact type = artefact_identify(exact, in->n);

    free(exact);
    return type;
}

static void identify__each_format__told_apart(void **state)
{
    struct bytes *x = calloc(1, sizeof(*x));
    char *pem = mint_pem(&B->leaf_der, "CERTIFICATE");

    (void)state;
    add(x, B->bytes, SNP_REPORT_SIZE);
    assert_int_equal(identify(x), ARTEFACT_REPORT);
    table_of(x, &B->leaf_der, &B->ask_der, &B->ark_der);
    assert_int_equal(identify(x), ARTEFACT_EVIDENCE);
    x->n = 0;
    table_of(x, &B->leaf_der, &B->ask_der, &B->ark_der);
    assert_int_equal(identify(x), ARTEFACT_TABLE);
    response_of(x, RESPONSE_SIZE, 0, B->bytes);
    assert_int_equal(identify(x), ARTEFACT_RESPONSE);
    response_of(x, RESPONSE_BUFFER_SIZE, 0, B->bytes);
    assert_int_equal(identify(x), ARTEFACT_RESPONSE);
    response_of(x, RESPONSE_SIZE, 0x16, NULL);
    assert_int_equal(identify(x), ARTEFACT_RESPONSE);
    x->n = 0;
    add(x, B->leaf_der.b, B->leaf_der.n);
    assert_int_equal(identify(x), ARTEFACT_X509);
    x->n = 0;
    add(x, B->crl_der.b, B->crl_der.n);
    assert_int_equal(identify(x), ARTEFACT_X509);
    x->n = 0;
    add(x, "text before\n", 12);
    add(x, pem, strlen(pem));
    assert_int_equal(identify(x), ARTEFACT_X509);
    x->n = 0;
    amd_cert_of(x, "whatever");
    assert_int_equal(identify(x), ARTEFACT_AMD_CERT);
    free(pem);
    free(x);
}

static void identify__nothing_known__unknown(void **state)
{
    struct bytes *x = calloc(1, sizeof(*x));

    (void)state;
    assert_int_equal(identify(x), ARTEFACT_UNKNOWN);
    x->n = 24;
    assert_int_equal(identify(x), ARTEFACT_UNKNOWN); /* empty table */
    x->n = 4000;
    assert_int_equal(identify(x), ARTEFACT_UNKNOWN);
    memset(x->b, 'x', 100);
    x->n = 100;
    assert_int_equal(identify(x), ARTEFACT_UNKNOWN);
    x->n = 0;
    add(x, B->leaf_der.b, B->leaf_der.n - 1);
    assert_int_equal(identify(x), ARTEFACT_UNKNOWN);
    free(x);
}

static void names__of_types__both_ways(void **state)
{
    (void)state;
    for (enum artefact t = ARTEFACT_REPORT; t < ARTEFACT_COUNT; t++) {
        assert_int_equal(artefact_named(artefact_name(t)), t);
    }
    assert_int_equal(artefact_named("unknown"), ARTEFACT_UNKNOWN);
    assert_int_equal(artefact_named("Report"), ARTEFACT_UNKNOWN);
    assert_string_equal(artefact_name(ARTEFACT_COUNT), "unknown");
}

/* ---- response ---- */

static void response__with_report__found(void **state)
{
    struct bytes *x = calloc(1, sizeof(*x));
    struct response rsp;

    (void)state;
    response_of(x, RESPONSE_BUFFER_SIZE, 0, B->bytes);
    assert_int_equal(response_decode(x->b, x->n, &rsp), PSP_OK);
    assert_int_equal(rsp.report_size, SNP_REPORT_SIZE);
    assert_ptr_equal(rsp.report, x->b + 0x20);
    response_of(x, RESPONSE_SIZE, 0x27, NULL);
    assert_int_equal(response_decode(x->b, x->n, &rsp), PSP_OK);
    assert_int_equal(rsp.status, 0x27);
    assert_null(rsp.report);
    free(x);
}

static void response__damaged__format(void **state)
{
    static const struct {
        size_t size, at;
        uint8_t value;
    } c[] = {
        {RESPONSE_SIZE - 1, 0, 0},        {RESPONSE_SIZE + 1, 0, 0},
        {RESPONSE_BUFFER_SIZE - 1, 0, 0}, {RESPONSE_SIZE, 0x04, 0xa1},
        {RESPONSE_SIZE, 0x08, 1},         {RESPONSE_SIZE, 0x1f, 1},
        {RESPONSE_BUFFER_SIZE, 0x4c0, 1}, {RESPONSE_BUFFER_SIZE, 3999, 1},
        {RESPONSE_SIZE, 0x00, 0x16},
    };
    struct bytes *x = calloc(1, sizeof(*x));
    struct response rsp;

    (void)state;
    for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
        response_of(x, c[i].size, 0, B->bytes);
        if (c[i].value != 0) {
            x->b[c[i].at] = c[i].value;
        }
        assert_int_equal(response_decode(x->b, x->n, &rsp), PSP_E_FORMAT);
        assert_null(rsp.status == 0 ? NULL : rsp.report);
    }
    free(x);
}

/* ---- evidence ---- */

static void evidence__report_and_table__accepted(void **state)
{
    struct bytes *x = calloc(1, sizeof(*x));
    struct evidence ev = {0};
    struct verify_input in = {0};
    struct verify_policy policy = {.now = BENCH_NOW};
    struct verify_result result;

    (void)state;
    add(x, B->bytes, SNP_REPORT_SIZE);
    table_of(x, &B->leaf_der, &B->ask_der, &B->ark_der);
    assert_int_equal(evidence_add(&ev, x->b, x->n), PSP_OK);
    assert_int_equal(ev.blocks.count, 3);
    assert_int_equal(evidence_add(&ev, B->crl_der.b, B->crl_der.n), PSP_OK);
    evidence_choose(&ev, &in);
    assert_int_equal(in.crl.size, B->crl_der.n);
    in.trusted_ark = bench_blob(&B->ark_der);
    verify_snp(&in, &policy, &result);
    assert_true(result.ok);
    evidence_clear(&ev);
    free(x);
}

static void evidence__vcek_and_vlek__the_one_that_signed(void **state)
{
    struct bench *v = calloc(1, sizeof(*v));
    struct evidence ev = {0};
    struct verify_input in = {0};
    struct verify_policy policy = {.now = BENCH_NOW};
    struct verify_result result;

    (void)state;
    bench_init(v, PSP_MILAN, true);
    bench_build(v);
    /* The wrong leaf and CA come first. */
    assert_int_equal(evidence_add(&ev, B->leaf_der.b, B->leaf_der.n), PSP_OK);
    assert_int_equal(evidence_add(&ev, B->ask_der.b, B->ask_der.n), PSP_OK);
    assert_int_equal(evidence_add(&ev, v->leaf_der.b, v->leaf_der.n), PSP_OK);
    assert_int_equal(evidence_add(&ev, v->ask_der.b, v->ask_der.n), PSP_OK);
    assert_int_equal(evidence_add(&ev, v->bytes, SNP_REPORT_SIZE), PSP_OK);
    evidence_choose(&ev, &in);
    in.trusted_ark = bench_blob(&v->ark_der);
    verify_snp(&in, &policy, &result);
    assert_true(result.ok);
    evidence_clear(&ev);
    free(v);
}

static void evidence__entry_that_is_no_certificate__passed_over(void **state)
{
    static const uint8_t extra[8] = {8, 0, 0, 0, 0x11, 0x0f, 0xa0, 0};
    struct cert_table_entry e[2] = {
        {.data = extra, .size = sizeof(extra)},
        {.data = B->leaf_der.b, .size = B->leaf_der.n}};
    struct bytes *x = calloc(1, sizeof(*x));
    struct evidence ev = {0};

    (void)state;
    memcpy(e[0].guid, CERT_GUID_EXTRA_INFO, 16);
    memcpy(e[1].guid, CERT_GUID_VCEK, 16);
    x->n = cert_table_encode(e, 2, x->b, sizeof(x->b));
    assert_int_equal(evidence_add(&ev, x->b, x->n), PSP_OK);
    assert_int_equal(ev.blocks.count, 1);
    evidence_clear(&ev);
    free(x);
}

static void evidence__too_many_certificates__as_it_was(void **state)
{
    struct evidence ev = {0};

    (void)state;
    for (size_t i = 0; i < BLOCKS_MAX; i++) {
        assert_int_equal(evidence_add(&ev, B->leaf_der.b, B->leaf_der.n),
                         PSP_OK);
    }
    assert_int_equal(evidence_add(&ev, B->leaf_der.b, B->leaf_der.n),
                     PSP_E_FORMAT);
    assert_int_equal(ev.blocks.count, BLOCKS_MAX);
    evidence_clear(&ev);
}

static void evidence__nothing_in_it__format(void **state)
{
    struct bytes *x = calloc(1, sizeof(*x));
    struct evidence ev = {0};

    (void)state;
    assert_int_equal(evidence_add(&ev, x->b, 0), PSP_E_FORMAT);
    response_of(x, RESPONSE_SIZE, 0x16, NULL);
    assert_int_equal(evidence_add(&ev, x->b, x->n), PSP_E_FORMAT);
    response_of(x, RESPONSE_SIZE, 0, B->bytes);
    assert_int_equal(evidence_add(&ev, x->b, x->n), PSP_OK);
    assert_memory_equal(ev.report, B->bytes, SNP_REPORT_SIZE);
    evidence_clear(&ev);
    free(x);
}

static void evidence__two_reports__the_first(void **state)
{
    struct bytes *x = calloc(1, sizeof(*x));
    struct evidence ev = {0};

    (void)state;
    report_of(x, "another");
    assert_int_equal(evidence_add(&ev, B->bytes, SNP_REPORT_SIZE), PSP_OK);
    assert_int_equal(evidence_add(&ev, x->b, x->n), PSP_OK);
    assert_memory_equal(ev.report, B->bytes, SNP_REPORT_SIZE);
    evidence_clear(&ev);
    free(x);
}

static void evidence__generation__by_report_then_by_leaf(void **state)
{
    struct bench *v = calloc(1, sizeof(*v));

    (void)state;
    assert_int_equal(evidence_generation(&B->in), PSP_MILAN);
    bench_init(v, PSP_TURIN, true); /* v2 and masked: only the leaf knows */
    v->report.version = 2;
    bench_build(v);
    assert_int_equal(evidence_generation(&v->in), PSP_TURIN);
    v->in.leaf.data = NULL;
    assert_int_equal(evidence_generation(&v->in), PSP_GENERATION_COUNT);
    free(v);
}

/* ---- PEM and DER ---- */

static void blocks__pem_of_a_wrong_kind__format(void **state)
{
    static const char *const label[] = {"PRIVATE KEY", "X509 CRL",
                                        "TRUSTED CERTIFICATE"};
    struct block_list list;

    (void)state;
    for (size_t i = 0; i < sizeof(label) / sizeof(label[0]); i++) {
        char *pem = mint_pem(&B->leaf_der, label[i]);

        assert_int_equal(blocks_read((const uint8_t *)pem, strlen(pem), &list),
                         PSP_E_FORMAT);
        blocks_clear(&list);
        free(pem);
    }
}

static void blocks__pem_with_header__format(void **state)
{
    char *pem = mint_pem(&B->leaf_der, "CERTIFICATE");
    char text[8192];
    struct block_list list;
    char *body = strchr(pem, '\n');

    (void)state;
    snprintf(text, sizeof(text),
             "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n\n%s",
             body + 1);
    assert_int_equal(blocks_read((const uint8_t *)text, strlen(text), &list),
                     PSP_E_FORMAT);
    blocks_clear(&list);
    free(pem);
}

static void blocks__17_certificates__format(void **state)
{
    char *pem = mint_pem(&B->leaf_der, "CERTIFICATE");
    size_t n = strlen(pem);
    char *text = calloc(17, n + 1);
    struct block_list list;

    (void)state;
    for (size_t i = 0; i < 17; i++) {
        strcat(text, pem);
    }
    assert_int_equal(blocks_read((const uint8_t *)text, 17 * n, &list),
                     PSP_E_FORMAT);
    blocks_clear(&list);
    assert_int_equal(blocks_read((const uint8_t *)text, 16 * n, &list), PSP_OK);
    assert_int_equal(list.count, 16);
    blocks_clear(&list);
    free(text);
    free(pem);
}

static void blocks__second_block_damaged__format(void **state)
{
    char *pem = mint_pem(&B->leaf_der, "CERTIFICATE");
    size_t n = strlen(pem);
    char *text = calloc(2, n + 1);
    struct block_list list;

    (void)state;
    strcat(strcat(text, pem), pem);
    text[n + n / 2] = '!';
    assert_int_equal(blocks_read((const uint8_t *)text, 2 * n, &list),
                     PSP_E_FORMAT);
    blocks_clear(&list);
    free(text);
    free(pem);
}

/* Indefinite length, which libcrypto would read. */
static void blocks__ber__format(void **state)
{
    struct bytes *x = calloc(1, sizeof(*x));
    struct block_list list;
    const uint8_t *p;
    X509 *relaxed;

    (void)state;
    add(x, "\x30\x80", 2);
    add(x, B->leaf_der.b + 4, B->leaf_der.n - 4);
    add(x, "\0\0", 2);
    p = x->b;
    relaxed = d2i_X509(NULL, &p, (long)x->n);
    assert_non_null(relaxed);
    X509_free(relaxed);
    assert_int_equal(blocks_read(x->b, x->n, &list), PSP_E_FORMAT);
    blocks_clear(&list);
    x->n = 0;
    add(x, B->leaf_der.b, B->leaf_der.n);
    add(x, "", 1);
    assert_int_equal(blocks_read(x->b, x->n, &list), PSP_E_FORMAT);
    blocks_clear(&list);
    free(x);
}

/* ---- is it simulated ---- */

static int simulated(const struct bytes *x, const char **why)
{
    uint8_t *exact = tst_dup(x->b, x->n);
    int answer = verify_is_simulated(exact, x->n, why);

    assert_int_equal(verify_is_simulated(exact, x->n, NULL), answer);
    assert_true((*why != NULL) == (answer == 1));
    free(exact);
    return answer;
}

static const struct id_case {
    const char *name;
    const char *id;
    int answer;
} IDS[] = {
    {"is_simulated__milan_prefix__yes", "SWPSPSIM0123456789", 1},
    {"is_simulated__prefix_alone__yes", "SWPSPSIM", 1},
    {"is_simulated__turin_prefix__yes", "SWPSabcd", 1},
    {"is_simulated__turin_prefix_in_a_long_id__no", "SWPSabcd9", 0},
    {"is_simulated__other_id__no", "0123456789", 0},
    {"is_simulated__prefix_later__no", "xSWPSPSIM", 0},
    {"is_simulated__masked_id__cannot_tell", "", -1},
};

static void test_id(void **state)
{
    const struct id_case *c = *state;
    struct bytes *x = calloc(1, sizeof(*x));
    struct bytes *rsp = calloc(1, sizeof(*rsp));
    const char *why;

    report_of(x, c->id);
    assert_int_equal(simulated(x, &why), c->answer);
    response_of(rsp, RESPONSE_BUFFER_SIZE, 0, x->b);
    assert_int_equal(simulated(rsp, &why), c->answer);
    /* Damaged: nothing is claimed. */
    x->b[0x4c] = 1;
    assert_int_equal(simulated(x, &why), -1);
    free(x);
    free(rsp);
}

static void is_simulated__certificate__by_its_names(void **state)
{
    struct bench *v = calloc(1, sizeof(*v));
    struct bytes *x = calloc(1, sizeof(*x));
    const char *why;
    char *pem;

    (void)state;
    bench_init(v, PSP_MILAN, false);
    v->ark.subject.o = SIMULATED_ORGANIZATION;
    v->ark.issuer.o = SIMULATED_ORGANIZATION;
    v->crl.issuer.o = SIMULATED_ORGANIZATION;
    v->leaf.subject.description = SIMULATED_DESCRIPTION;
    v->ask.issuer.description = SIMULATED_DESCRIPTION;
    bench_build(v);
    add(x, v->leaf_der.b, v->leaf_der.n);
    assert_int_equal(simulated(x, &why), 1);
    assert_non_null(strstr(why, "NOT AN AMD"));
    x->n = 0;
    add(x, v->ark_der.b, v->ark_der.n);
    assert_int_equal(simulated(x, &why), 1);
    assert_non_null(strstr(why, "SEV simulator"));
    x->n = 0;
    add(x, v->ask_der.b, v->ask_der.n);
    assert_int_equal(simulated(x, &why), 1);
    x->n = 0;
    add(x, v->crl_der.b, v->crl_der.n);
    assert_int_equal(simulated(x, &why), 1);
    /* One marked certificate in a chain is enough, wherever it stands. */
    x->n = 0;
    pem = mint_pem(&B->ark_der, "CERTIFICATE");
    add(x, pem, strlen(pem));
    free(pem);
    assert_int_equal(simulated(x, &why), 0);
    pem = mint_pem(&v->leaf_der, "CERTIFICATE");
    add(x, pem, strlen(pem));
    free(pem);
    assert_int_equal(simulated(x, &why), 1);
    free(x);
    free(v);
}

static void is_simulated__lookalike_leaf__by_its_hw_id(void **state)
{
    struct bench *v = calloc(1, sizeof(*v));
    struct bytes *x = calloc(1, sizeof(*x));
    const char *why;

    (void)state;
    bench_init(v, PSP_TURIN, false);
    memcpy(mint_amd_ext(&v->leaf, 4, 0)->value, "SWPS0001", 8);
    bench_build(v);
    add(x, v->leaf_der.b, v->leaf_der.n);
    assert_int_equal(simulated(x, &why), 1);
    assert_non_null(strstr(why, "hwID"));
    free(x);
    free(v);
}

static void is_simulated__tables__by_their_certificates(void **state)
{
    struct bench *v = calloc(1, sizeof(*v));
    struct bytes *x = calloc(1, sizeof(*x));
    const char *why;

    (void)state;
    bench_init(v, PSP_MILAN, false);
    v->ask.subject.description = SIMULATED_DESCRIPTION;
    bench_build(v);
    table_of(x, &B->leaf_der, &B->ask_der, &B->ark_der);
    assert_int_equal(simulated(x, &why), 0);
    x->n = 0;
    table_of(x, &B->leaf_der, &v->ask_der, &B->ark_der);
    assert_int_equal(simulated(x, &why), 1);
    /* A masked report with such a table; and one that is marked itself. */
    x->n = 0;
    report_of(x, "");
    table_of(x, &B->leaf_der, &v->ask_der, &B->ark_der);
    assert_int_equal(simulated(x, &why), 1);
    x->n = 0;
    report_of(x, "SWPSPSIM");
    table_of(x, &B->leaf_der, &B->ask_der, &B->ark_der);
    assert_int_equal(simulated(x, &why), 1);
    x->n = 0;
    report_of(x, "");
    table_of(x, &B->leaf_der, &B->ask_der, &B->ark_der);
    assert_int_equal(simulated(x, &why), 0);
    free(x);
    free(v);
}

static void is_simulated__amd_binary_certificate__by_its_key_id(void **state)
{
    struct bytes *x = calloc(1, sizeof(*x));
    const char *why;

    (void)state;
    amd_cert_of(x, "whatever");
    assert_int_equal(simulated(x, &why), 0);
    amd_cert_of(x, "SIMULATE");
    assert_int_equal(simulated(x, &why), 1);
    x->n--;
    assert_int_equal(simulated(x, &why), -1);
    free(x);
}

static void is_simulated__unknown_format__cannot_tell(void **state)
{
    struct bytes *x = calloc(1, sizeof(*x));
    const char *why;

    (void)state;
    assert_int_equal(simulated(x, &why), -1);
    add(x, "SWPSPSIM", 8);
    assert_int_equal(simulated(x, &why), -1);
    free(x);
}

static void verify__simulated_marker__in_the_result(void **state)
{
    struct bench *v = calloc(1, sizeof(*v));

    (void)state;
    bench_init(v, PSP_MILAN, false);
    v->leaf.subject.description = SIMULATED_DESCRIPTION;
    bench_build(v);
    verify_snp(&v->in, &v->policy, &v->result);
    assert_true(v->result.ok);
    assert_true(v->result.simulated);
    bench_init(v, PSP_MILAN, false);
    memcpy(v->report.chip_id, "SWPSPSIM", 8);
    memcpy(mint_amd_ext(&v->leaf, 4, 0)->value, "SWPSPSIM", 8);
    bench_build(v);
    verify_snp(&v->in, &v->policy, &v->result);
    assert_true(v->result.ok);
    assert_true(v->result.simulated);
    verify_snp(&B->in, &B->policy, &B->result);
    assert_false(B->result.simulated);
    free(v);
}

static int setup(void **state)
{
    (void)state;
    bench_keys_load();
    B = calloc(1, sizeof(*B));
    bench_init(B, PSP_MILAN, false);
    bench_build(B);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(B);
    bench_keys_free();
    return 0;
}

int main(void)
{
    static const struct CMUnitTest plain[] = {
        cmocka_unit_test(identify__each_format__told_apart),
        cmocka_unit_test(identify__nothing_known__unknown),
        cmocka_unit_test(names__of_types__both_ways),
        cmocka_unit_test(response__with_report__found),
        cmocka_unit_test(response__damaged__format),
        cmocka_unit_test(evidence__report_and_table__accepted),
        cmocka_unit_test(evidence__vcek_and_vlek__the_one_that_signed),
        cmocka_unit_test(evidence__entry_that_is_no_certificate__passed_over),
        cmocka_unit_test(evidence__too_many_certificates__as_it_was),
        cmocka_unit_test(evidence__nothing_in_it__format),
        cmocka_unit_test(evidence__two_reports__the_first),
        cmocka_unit_test(evidence__generation__by_report_then_by_leaf),
        cmocka_unit_test(blocks__pem_of_a_wrong_kind__format),
        cmocka_unit_test(blocks__pem_with_header__format),
        cmocka_unit_test(blocks__17_certificates__format),
        cmocka_unit_test(blocks__second_block_damaged__format),
        cmocka_unit_test(blocks__ber__format),
        cmocka_unit_test(is_simulated__certificate__by_its_names),
        cmocka_unit_test(is_simulated__lookalike_leaf__by_its_hw_id),
        cmocka_unit_test(is_simulated__tables__by_their_certificates),
        cmocka_unit_test(is_simulated__amd_binary_certificate__by_its_key_id),
        cmocka_unit_test(is_simulated__unknown_format__cannot_tell),
        cmocka_unit_test(verify__simulated_marker__in_the_result),
    };
    enum { ROWS = sizeof(IDS) / sizeof(IDS[0]) };
    struct CMUnitTest tests[ROWS + sizeof(plain) / sizeof(plain[0])];
    size_t n = 0;
    int failed;

    for (; n < ROWS; n++) {
        tests[n] = (struct CMUnitTest){IDS[n].name, test_id, NULL, NULL,
                                       tst_dup(&IDS[n], sizeof(IDS[n]))};
    }
    memcpy(tests + n, plain, sizeof(plain));
    n += sizeof(plain) / sizeof(plain[0]);
    failed = _cmocka_run_group_tests("artefact", tests, n, setup, teardown);
    for (size_t i = 0; i < ROWS; i++) {
        free(tests[i].initial_state);
    }
    return failed;
}
