/* SPDX-License-Identifier: Apache-2.0 */
/* The X.509 profile. The certificates are written to a folder; check_x509.py
 * and the openssl command judge them. abi/certs-kds.md §1, §2.7, §8.1. */
#include "pki.h"
#include "tst.h"

#include <sys/stat.h>

#define CHECK_MAX 256

static const struct psp_tcb TCB[PSP_GENERATION_COUNT] = {
    [PSP_MILAN] = {{4, 0, 0, 0, 0, 0, 0x18, 0x73}},
    [PSP_GENOA] = {{0x0a, 0, 0, 0, 0, 0, 0x17, 0x54}},
    [PSP_TURIN] = {{1, 2, 3, 4, 0, 0, 0, 0x51}},
};

static char *dir;
static char *verdicts; /* what check_x509.py printed */

static void put(const char *folder, const char *name, const void *data,
                size_t size)
{
    char path[600];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    tst_write_file(path, data, size);
}

static void put_cert(const char *folder, const char *name,
                     struct pki_cert *cert)
{
    put(folder, name, cert->der, cert->size);
    pki_cert_clear(cert);
}

static struct pki_ca *open_ca(enum psp_generation g, enum pki_naming naming)
{
    struct pki_ca *ca = NULL;

    assert_int_equal(pki_ca_open(PKI_DEV_SEED, g, naming, NULL, &ca), PSP_OK);
    assert_int_equal(pki_ca_generation(ca), g);
    return ca;
}

static struct pki_cert vcek(struct pki_ca *ca, uint8_t microcode)
{
    enum psp_generation g = pki_ca_generation(ca);
    struct psp_tcb tcb = TCB[g];
    struct pki_cert cert = {NULL, 0};
    struct psp_chip chip;

    if (microcode != 0) {
        tcb.b[7] = microcode;
    }
    pki_chip_make(PKI_DEV_SEED, g, 0, &chip);
    assert_int_equal(pki_vcek_cert(ca, &chip, &tcb, &cert), PSP_OK);
    return cert;
}

static void put_cas(struct pki_ca *ca, const char *folder)
{
    static const char *const names[] = {"ark.der", "ask.der", "asvk.der"};

    for (int role = PKI_ARK; role < PKI_ROLE_COUNT; role++) {
        const struct pki_cert *cert = NULL;

        assert_int_equal(pki_ca_cert(ca, (enum pki_role)role, &cert), PSP_OK);
        put(folder, names[role], cert->der, cert->size);
    }
}

static void put_pub(const char *folder, const char *name,
                    const struct psp_p384_pub *pub)
{
    uint8_t xy[96];

    memcpy(xy, pub->x, 48);
    memcpy(xy + 48, pub->y, 48);
    put(folder, name, xy, sizeof(xy));
}

static void put_keys(enum psp_generation g, const char *folder)
{
    struct psp_chip chip;
    struct psp_p384_key key;
    uint8_t seed[48];

    pki_chip_make(PKI_DEV_SEED, g, 0, &chip);
    put(folder, "hwid", chip.id, sizeof(chip.id));
    pki_vcek_seed(chip.secret, &TCB[g], seed);
    assert_int_equal(pki_vcek_from_seed(seed, &key), PSP_OK);
    put_pub(folder, "vcek.pub", &key.pub);
    pki_vlek_seed(PKI_DEV_SEED, g, PKI_CSP_ID, &TCB[g], seed);
    assert_int_equal(pki_vlek_from_seed(seed, &key), PSP_OK);
    put_pub(folder, "vlek.pub", &key.pub);
}

static void write_product(enum psp_generation g)
{
    struct pki_ca *ca = open_ca(g, PKI_SIMULATED);
    struct pki_cert cert = {NULL, 0};
    char folder[512];

    snprintf(folder, sizeof(folder), "%s/%s", dir, psp_generation_name(g));
    assert_int_equal(mkdir(folder, 0700), 0);
    put_cas(ca, folder);
    put_keys(g, folder);
    cert = vcek(ca, 0);
    put_cert(folder, "vcek.der", &cert);
    cert = vcek(ca, 0xdb);
    put_cert(folder, "vcek-high.der", &cert);
    assert_int_equal(pki_vlek_cert(ca, PKI_CSP_ID, &TCB[g], &cert), PSP_OK);
    put_cert(folder, "vlek.der", &cert);
    /* 2026-08-19 14:09:00 */
    assert_int_equal(pki_crl(ca, 1787148540, 11, false, &cert), PSP_OK);
    put_cert(folder, "crl.der", &cert);
    assert_int_equal(pki_crl(ca, 1787148540, 11, true, &cert), PSP_OK);
    put_cert(folder, "crl-revoked.der", &cert);
    pki_ca_close(ca);
    ca = open_ca(g, PKI_LOOKALIKE);
    snprintf(folder, sizeof(folder), "%s/look/%s", dir, psp_generation_name(g));
    assert_int_equal(mkdir(folder, 0700), 0);
    put_cas(ca, folder);
    cert = vcek(ca, 0);
    put_cert(folder, "vcek.der", &cert);
    pki_ca_close(ca);
}

/* Before the tests, since what the script checks becomes the list of tests. */
static void prepare(void)
{
    const char *argv[] = {"/usr/bin/python3",
                          "-W",
                          "ignore",
                          "harness/unit/pki/check_x509.py",
                          NULL,
                          "../shared/data",
                          NULL};
    char path[512];

    dir = tst_mkdtemp();
    put(dir, "seed", PKI_DEV_SEED, PSP_SEED_SIZE);
    snprintf(path, sizeof(path), "%s/look", dir);
    assert_int_equal(mkdir(path, 0700), 0);
    write_product(PSP_MILAN);
    write_product(PSP_GENOA);
    write_product(PSP_TURIN);
    argv[4] = dir;
    assert_int_equal(tst_run(&verdicts, argv), 0);
}

static int group_teardown(void **state)
{
    (void)state;
    tst_rmdir(dir);
    free(verdicts);
    return 0;
}

/* Row: one line of check_x509.py. */
static void test_verdict(void **state)
{
    const char *line = *state;

    if (strncmp(line, "SKIP ", 5) == 0) {
        skip();
    }
    if (strncmp(line, "PASS ", 5) != 0) {
        fail_msg("%s", line);
    }
}

static void to_pem(const char *product, const char *name, char out[600])
{
    char in[600];
    const char *argv[] = {"openssl", "x509", "-inform", "DER", "-in",
                          in,        "-out", out,       NULL};

    snprintf(in, sizeof(in), "%s/%s/%s.der", dir, product, name);
    snprintf(out, 600, "%s/%s/%s.pem", dir, product, name);
    assert_int_equal(tst_run(NULL, argv), 0);
}

struct chain {
    const char *test;
    const char *product;
    const char *ca;
    const char *leaf;
};

static struct chain CHAINS[] = {
    {"openssl_verify__milan_vcek__ok", "Milan", "ask", "vcek"},
    {"openssl_verify__milan_vlek__ok", "Milan", "asvk", "vlek"},
    {"openssl_verify__genoa_vcek__ok", "Genoa", "ask", "vcek"},
    {"openssl_verify__genoa_vlek__ok", "Genoa", "asvk", "vlek"},
    {"openssl_verify__turin_vcek__ok", "Turin", "ask", "vcek"},
    {"openssl_verify__turin_vlek__ok", "Turin", "asvk", "vlek"},
};

static void test_openssl_verify(void **state)
{
    const struct chain *c = *state;
    char ark[600], ca[600], leaf[600];
    const char *argv[] = {"openssl",    "verify", "-CAfile", ark,
                          "-untrusted", ca,       leaf,      NULL};
    char *text = NULL;

    to_pem(c->product, "ark", ark);
    to_pem(c->product, c->ca, ca);
    to_pem(c->product, c->leaf, leaf);
    assert_int_equal(tst_run(&text, argv), 0);
    assert_non_null(strstr(text, ": OK"));
    free(text);
}

static void test_openssl_crl(void **state)
{
    const char *product = *state;
    char crl[600], ark[600];
    const char *argv[] = {"openssl", "crl",     "-inform", "DER",    "-in",
                          crl,       "-CAfile", ark,       "-noout", NULL};
    char *text = NULL;

    to_pem(product, "ark", ark);
    snprintf(crl, sizeof(crl), "%s/%s/crl.der", dir, product);
    assert_int_equal(tst_run(&text, argv), 0);
    assert_non_null(strstr(text, "verify OK"));
    free(text);
}

static void certs__issued_again__same_bytes(void **state)
{
    struct pki_ca *a = open_ca(PSP_MILAN, PKI_SIMULATED);
    struct pki_ca *b = open_ca(PSP_MILAN, PKI_SIMULATED);
    struct pki_cert x = vcek(a, 0);
    struct pki_cert y = vcek(a, 0);
    struct pki_cert z = vcek(b, 0);

    (void)state;
    assert_int_equal(x.size, z.size);
    assert_memory_equal(x.der, y.der, x.size);
    assert_memory_equal(x.der, z.der, x.size);
    pki_cert_clear(&x);
    pki_cert_clear(&y);
    pki_cert_clear(&z);
    pki_ca_close(a);
    pki_ca_close(b);
}

static void ca_cert__asked_twice__same_object(void **state)
{
    struct pki_ca *ca = open_ca(PSP_GENOA, PKI_SIMULATED);
    const struct pki_cert *a = NULL, *b = NULL;

    (void)state;
    assert_int_equal(pki_ca_cert(ca, PKI_ASVK, &a), PSP_OK);
    assert_int_equal(pki_ca_cert(ca, PKI_ASVK, &b), PSP_OK);
    assert_ptr_equal(a, b);
    assert_int_equal(pki_ca_cert(ca, PKI_ROLE_COUNT, &a), PSP_E_PARAM);
    pki_ca_close(ca);
}

/* Golden: whoever changes the bytes breaks every published vector. */
static void vcek__development_seed__known_digest(void **state)
{
    struct pki_ca *ca = open_ca(PSP_MILAN, PKI_SIMULATED);
    struct pki_cert cert = vcek(ca, 0);
    uint8_t digest[32];

    (void)state;
    psp_sha256(cert.der, cert.size, digest);
    assert_hex_equal(
        digest,
        "1039b4b33e35ad713e77e5cf43b77a65ee8aa3ad1f0f984f9b0ea230c5c1ad25", 32);
    pki_cert_clear(&cert);
    pki_ca_close(ca);
}

/* §1.7: a generation, perhaps with a stepping; §9 U3, U4: configurable. */
static struct name_case {
    const char *name;
    enum psp_generation want; /* PSP_GENERATION_COUNT: refused */
} NAME_CASES[] = {
    {"Milan", PSP_MILAN},
    {"Milan-B1", PSP_MILAN},
    {"Genoa-B2", PSP_GENOA},
    {"Turin-C0", PSP_TURIN},
    {"Turin", PSP_TURIN},
    {"", PSP_GENERATION_COUNT},
    {"milan", PSP_GENERATION_COUNT},
    {"Milan-", PSP_GENERATION_COUNT},
    {"Milan-B", PSP_GENERATION_COUNT},
    {"Milan-b0", PSP_GENERATION_COUNT},
    {"Milan-BB", PSP_GENERATION_COUNT},
    {"Milan-B10", PSP_GENERATION_COUNT},
    {"Milan B1", PSP_GENERATION_COUNT},
    {"Rome", PSP_GENERATION_COUNT},
    {"Bergamo", PSP_GENERATION_COUNT},
};

static bool holds(const struct pki_cert *cert, const char *product)
{
    static const uint8_t oid[] = {0x2b, 0x06, 0x01, 0x04, 0x01,
                                  0x9c, 0x78, 0x01, 0x02};
    const uint8_t *p = memmem(cert->der, cert->size, oid, sizeof(oid));
    size_t n = strlen(product);

    /* OCTET STRING, size, IA5String, size, text */
    return p != NULL && p[sizeof(oid) + 2] == 0x16 && p[sizeof(oid) + 3] == n &&
           memcmp(p + sizeof(oid) + 4, product, n) == 0;
}

static void test_product_name(void **state)
{
    const struct name_case *c = *state;
    enum psp_generation said = PSP_GENERATION_COUNT;

    assert_int_equal(pki_product_generation(c->name, &said),
                     c->want != PSP_GENERATION_COUNT);
    assert_int_equal(said, c->want);
    for (int g = PSP_MILAN; g < PSP_GENERATION_COUNT; g++) {
        static const char *const usual[] = {
            [PSP_MILAN] = "Milan-B0",
            [PSP_GENOA] = "Genoa",
            [PSP_TURIN] = "Turin",
        };
        bool named = g == (int)c->want;
        struct pki_ca *ca = open_ca((enum psp_generation)g, PKI_SIMULATED);
        struct pki_cert cert;

        assert_int_equal(pki_ca_set_product_name(ca, c->name),
                         named ? PSP_OK : PSP_E_PARAM);
        cert = vcek(ca, 0);
        assert_true(holds(&cert, named ? c->name : usual[g]));
        pki_cert_clear(&cert);
        pki_ca_close(ca);
    }
}

/* TCB bytes that no certificate can carry. */
struct spl_case {
    const char *name;
    enum psp_generation generation;
    size_t at;
    uint8_t value;
    enum psp_err want;
};

static struct spl_case SPL_CASES[] = {
    {"milan_bl_127", PSP_MILAN, 0, 127, PSP_OK},
    {"milan_bl_128", PSP_MILAN, 0, 128, PSP_E_PARAM},
    {"milan_tee_127", PSP_MILAN, 1, 127, PSP_OK},
    {"milan_tee_255", PSP_MILAN, 1, 255, PSP_E_PARAM},
    {"milan_reserved_2", PSP_MILAN, 2, 1, PSP_E_PARAM},
    {"milan_reserved_3", PSP_MILAN, 3, 1, PSP_E_PARAM},
    {"milan_reserved_4", PSP_MILAN, 4, 1, PSP_E_PARAM},
    {"milan_reserved_5", PSP_MILAN, 5, 1, PSP_E_PARAM},
    {"milan_snp_127", PSP_MILAN, 6, 127, PSP_OK},
    {"milan_snp_128", PSP_MILAN, 6, 128, PSP_E_PARAM},
    {"milan_ucode_255", PSP_MILAN, 7, 255, PSP_OK},
    {"turin_fmc_128", PSP_TURIN, 0, 128, PSP_E_PARAM},
    {"turin_snp_127", PSP_TURIN, 3, 127, PSP_OK},
    {"turin_snp_128", PSP_TURIN, 3, 128, PSP_E_PARAM},
    {"turin_reserved_4", PSP_TURIN, 4, 1, PSP_E_PARAM},
    {"turin_reserved_6", PSP_TURIN, 6, 1, PSP_E_PARAM},
    {"turin_ucode_255", PSP_TURIN, 7, 255, PSP_OK},
};

static void test_spl(void **state)
{
    const struct spl_case *c = *state;
    struct pki_ca *ca = open_ca(c->generation, PKI_SIMULATED);
    struct pki_cert a = {NULL, 0}, b = {NULL, 0};
    struct psp_tcb tcb = TCB[c->generation];
    struct psp_chip chip;

    tcb.b[c->at] = c->value;
    pki_chip_make(PKI_DEV_SEED, c->generation, 0, &chip);
    assert_int_equal(pki_vcek_cert(ca, &chip, &tcb, &a), c->want);
    assert_int_equal(pki_vlek_cert(ca, PKI_CSP_ID, &tcb, &b), c->want);
    assert_int_equal(a.der != NULL, c->want == PSP_OK);
    assert_int_equal(b.der != NULL, c->want == PSP_OK);
    pki_cert_clear(&a);
    pki_cert_clear(&b);
    pki_ca_close(ca);
}

static void vlek__csp_id_out_of_range__param(void **state)
{
    struct pki_ca *ca = open_ca(PSP_MILAN, PKI_SIMULATED);
    struct pki_cert cert = {NULL, 0};
    char id[PKI_CSP_ID_MAX + 2];

    (void)state;
    memset(id, 'x', sizeof(id));
    id[PKI_CSP_ID_MAX + 1] = '\0';
    assert_int_equal(pki_vlek_cert(ca, id, &TCB[PSP_MILAN], &cert),
                     PSP_E_PARAM);
    id[PKI_CSP_ID_MAX] = '\0';
    assert_int_equal(pki_vlek_cert(ca, id, &TCB[PSP_MILAN], &cert), PSP_OK);
    pki_cert_clear(&cert);
    assert_int_equal(pki_vlek_cert(ca, "", &TCB[PSP_MILAN], &cert),
                     PSP_E_PARAM);
    assert_int_equal(pki_vlek_cert(ca, "a\nb", &TCB[PSP_MILAN], &cert),
                     PSP_E_PARAM);
    assert_int_equal(pki_vlek_cert(ca, "\xc3\xa4", &TCB[PSP_MILAN], &cert),
                     PSP_E_PARAM);
    assert_null(cert.der);
    pki_ca_close(ca);
}

static void crl__after_2049__param(void **state)
{
    struct pki_ca *ca = open_ca(PSP_MILAN, PKI_SIMULATED);
    struct pki_cert cert = {NULL, 0};

    (void)state;
    /* 45 days before 2050-01-01, and the day before that */
    assert_int_equal(pki_crl(ca, 2520720000, 1, false, &cert), PSP_E_PARAM);
    assert_int_equal(pki_crl(ca, UINT64_MAX, 1, false, &cert), PSP_E_PARAM);
    assert_null(cert.der);
    assert_int_equal(pki_crl(ca, 2520719999, 1, false, &cert), PSP_OK);
    pki_cert_clear(&cert);
    pki_ca_close(ca);
}

static void legacy_generations__certificates__param(void **state)
{
    static const enum psp_generation g[] = {PSP_NAPLES, PSP_ROME};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct pki_ca *ca = open_ca(g[i], PKI_SIMULATED);
        const struct psp_rsa_key *key = NULL;
        const struct pki_cert *cert = NULL;
        struct pki_cert out = {NULL, 0};
        struct psp_chip chip;

        pki_chip_make(PKI_DEV_SEED, g[i], 0, &chip);
        assert_int_equal(pki_ca_cert(ca, PKI_ARK, &cert), PSP_E_PARAM);
        assert_int_equal(pki_vcek_cert(ca, &chip, &TCB[PSP_NAPLES], &out),
                         PSP_E_PARAM);
        assert_int_equal(pki_vlek_cert(ca, PKI_CSP_ID, &TCB[PSP_NAPLES], &out),
                         PSP_E_PARAM);
        assert_int_equal(pki_crl(ca, 0, 1, false, &out), PSP_E_PARAM);
        assert_int_equal(pki_ca_rsa(ca, PKI_ASVK, &key), PSP_E_PARAM);
        assert_int_equal(pki_ca_rsa(ca, PKI_ASK, &key), PSP_OK);
        assert_int_equal(psp_rsa_public(key)->size, i == 0 ? 256 : 512);
        pki_ca_close(ca);
    }
}

static void ca_sign__each_key_size__verifies_with_its_hash(void **state)
{
    static const enum psp_generation g[] = {PSP_NAPLES, PSP_ROME, PSP_TURIN};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        enum psp_rsa_hash hash = i == 0 ? PSP_RSA_SHA256 : PSP_RSA_SHA384;
        struct pki_ca *ca = open_ca(g[i], PKI_SIMULATED);
        const struct psp_rsa_key *key = NULL;
        uint8_t sig[RSA_MAX_SIZE], again[RSA_MAX_SIZE], digest[48];
        size_t size = 0;

        assert_int_equal(pki_ca_sign(ca, PKI_ASK, "body", 4, sig, &size),
                         PSP_OK);
        assert_int_equal(size, i == 0 ? 256 : 512);
        assert_int_equal(pki_ca_sign(ca, PKI_ASK, "body", 4, again, &size),
                         PSP_OK);
        assert_memory_equal(sig, again, size);
        assert_int_equal(pki_ca_rsa(ca, PKI_ASK, &key), PSP_OK);
        if (i == 0) {
            psp_sha256("body", 4, digest);
        } else {
            psp_sha384("body", 4, digest);
        }
        assert_true(psp_rsa_pss_verify(psp_rsa_public(key), hash, digest, sig));
        pki_ca_close(ca);
    }
}

static void ca_open__no_such_generation__param(void **state)
{
    struct pki_ca *ca = NULL;

    (void)state;
    assert_int_equal(pki_ca_open(PKI_DEV_SEED, PSP_GENERATION_COUNT,
                                 PKI_SIMULATED, NULL, &ca),
                     PSP_E_PARAM);
    assert_null(ca);
    pki_ca_close(NULL);
}

/* Split the script's output into lines and make each a test. */
static size_t add_verdicts(struct CMUnitTest *tests)
{
    size_t n = 0;

    for (char *line = strtok(verdicts, "\n"); line != NULL;
         line = strtok(NULL, "\n")) {
        char *name = strdup(line + (strlen(line) > 5 ? 5 : 0));

        assert_true(n < CHECK_MAX && name != NULL);
        name[strcspn(name, ":")] = '\0';
        tests[n++] = (struct CMUnitTest){name, test_verdict, NULL, NULL, line};
    }
    return n;
}

int main(void)
{
    static struct CMUnitTest tests[CHECK_MAX + 64] = {
        cmocka_unit_test(certs__issued_again__same_bytes),
        cmocka_unit_test(ca_cert__asked_twice__same_object),
        cmocka_unit_test(vcek__development_seed__known_digest),
        cmocka_unit_test(vlek__csp_id_out_of_range__param),
        cmocka_unit_test(crl__after_2049__param),
        cmocka_unit_test(legacy_generations__certificates__param),
        cmocka_unit_test(ca_sign__each_key_size__verifies_with_its_hash),
        cmocka_unit_test(ca_open__no_such_generation__param),
    };
    static char products[3][8] = {"Milan", "Genoa", "Turin"};
    static char names[48][64];
    size_t n = 8;
    size_t k = 0;

    prepare();
    for (size_t i = 0; i < sizeof(SPL_CASES) / sizeof(SPL_CASES[0]); i++) {
        snprintf(names[k], 64, "spl__%s", SPL_CASES[i].name);
        tests[n++] = (struct CMUnitTest){names[k++], test_spl, NULL, NULL,
                                         &SPL_CASES[i]};
    }
    for (size_t i = 0; i < sizeof(NAME_CASES) / sizeof(NAME_CASES[0]); i++) {
        snprintf(names[k], 64, "product_name__%s", NAME_CASES[i].name);
        tests[n++] = (struct CMUnitTest){names[k++], test_product_name, NULL,
                                         NULL, &NAME_CASES[i]};
    }
    for (size_t i = 0; i < sizeof(CHAINS) / sizeof(CHAINS[0]); i++) {
        tests[n++] = (struct CMUnitTest){CHAINS[i].test, test_openssl_verify,
                                         NULL, NULL, &CHAINS[i]};
    }
    for (size_t i = 0; i < 3; i++) {
        snprintf(names[k], 64, "openssl_crl__%s__ok", products[i]);
        tests[n++] = (struct CMUnitTest){names[k++], test_openssl_crl, NULL,
                                         NULL, products[i]};
    }
    n += add_verdicts(tests + n);
    return _cmocka_run_group_tests("x509", tests, n, NULL, group_teardown);
}
