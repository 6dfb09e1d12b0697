/* SPDX-License-Identifier: Apache-2.0 */
/* RSA against the openssl command and genuine AMD keys. */
#include "pem.h"
#include "rsa.h"
#include "tst.h"

static struct psp_rsa_key *key_2048(void)
{
    static const uint8_t seed[32] = "rsa test";
    struct psp_rsa_key *key = NULL;
    struct psp_drbg drbg;

    assert_int_equal(psp_drbg_init(&drbg, seed, "test key"), PSP_OK);
    assert_int_equal(psp_rsa_generate(&drbg, 2048, &key), PSP_OK);
    return key;
}

struct ctx {
    struct psp_rsa_key *key;
    char *dir;
    char key_path[512], data_path[512], sig_path[512];
};

static int setup(void **state)
{
    struct ctx *c = calloc(1, sizeof(*c));
    uint8_t bytes[RSA_PRIV_DER_MAX];
    size_t size;

    assert_non_null(c);
    c->key = key_2048();
    c->dir = tst_mkdtemp();
    snprintf(c->key_path, sizeof(c->key_path), "%s/key.der", c->dir);
    snprintf(c->data_path, sizeof(c->data_path), "%s/data", c->dir);
    snprintf(c->sig_path, sizeof(c->sig_path), "%s/sig", c->dir);
    size = psp_rsa_to_der(c->key, bytes);
    assert_true(size > 0);
    tst_write_file(c->key_path, bytes, size);
    tst_write_file(c->data_path, "attested", 8);
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    struct ctx *c = *state;

    psp_rsa_free(c->key);
    tst_rmdir(c->dir);
    free(c);
    return 0;
}

static void generate__bits_not_offered__param(void **state)
{
    static const unsigned int bits[] = {0, 1024, 2047, 2049, 3072, 4095, 8192};
    struct psp_rsa_key *key = NULL;
    struct psp_drbg drbg = {{0}, {0}};

    (void)state;
    for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
        assert_int_equal(psp_rsa_generate(&drbg, bits[i], &key), PSP_E_PARAM);
        assert_null(key);
    }
}

static void generate__same_seed__same_key(void **state)
{
    struct ctx *c = *state;
    struct psp_rsa_key *again = key_2048();

    assert_memory_equal(psp_rsa_public(again)->n, psp_rsa_public(c->key)->n,
                        256);
    assert_int_equal(psp_rsa_public(again)->size, 256);
    assert_int_equal(psp_rsa_public(again)->e, 65537);
    psp_rsa_free(again);
}

static void to_der__openssl_check__key_ok(void **state)
{
    struct ctx *c = *state;
    const char *argv[] = {"openssl",   "pkey",   "-inform", "DER", "-in",
                          c->key_path, "-check", "-noout",  NULL};
    char *text = NULL;

    assert_int_equal(tst_run(&text, argv), 0);
    assert_non_null(strstr(text, "Key is valid"));
    free(text);
}

static void to_der__openssl_rewrites__same_bytes(void **state)
{
    struct ctx *c = *state;
    char path[600];
    const char *argv[] = {"openssl", "rsa",       "-inform",      "DER",
                          "-in",     c->key_path, "-traditional", "-outform",
                          "DER",     "-out",      path,           NULL};
    uint8_t *a, *b;
    size_t n, m;

    snprintf(path, sizeof(path), "%s/again.der", c->dir);
    assert_int_equal(tst_run(NULL, argv), 0);
    a = tst_file(c->key_path, &n);
    b = tst_file(path, &m);
    assert_int_equal(n, m);
    assert_memory_equal(a, b, n);
    free(a);
    free(b);
}

static void from_der__own_bytes__same_key(void **state)
{
    struct ctx *c = *state;
    struct psp_rsa_key *key = NULL;
    uint8_t a[128], b[128], p[128], q[128];
    size_t n;
    uint8_t *bytes = tst_file(c->key_path, &n);

    assert_int_equal(psp_rsa_from_der(bytes, n, &key), PSP_OK);
    psp_rsa_primes(c->key, a, b);
    psp_rsa_primes(key, p, q);
    assert_memory_equal(a, p, 128);
    assert_memory_equal(b, q, 128);
    assert_true(memcmp(p, q, 128) > 0);
    psp_rsa_free(key);
    free(bytes);
}

static void from_der__key_made_by_openssl__accepted(void **state)
{
    struct ctx *c = *state;
    char path[600];
    const char *argv[] = {"openssl", "genrsa", "-traditional", "-out", path,
                          "2048",    NULL};
    struct psp_rsa_key *key = NULL;
    uint8_t out[RSA_PRIV_DER_MAX];
    uint8_t *text;
    size_t n, size = 0;

    snprintf(path, sizeof(path), "%s/ossl.pem", c->dir);
    assert_int_equal(tst_run(NULL, argv), 0);
    text = tst_file(path, &n);
    assert_int_equal(
        pem_decode("RSA PRIVATE KEY", (char *)text, n, out, sizeof(out), &size),
        PSP_OK);
    assert_int_equal(psp_rsa_from_der(out, size, &key), PSP_OK);
    psp_rsa_free(key);
    free(text);
}

static void from_der__any_byte_changed__format(void **state)
{
    struct ctx *c = *state;
    size_t n;
    uint8_t *bytes = tst_file(c->key_path, &n);

    for (size_t i = 0; i < n; i++) {
        struct psp_rsa_key *key = NULL;

        bytes[i] ^= (uint8_t)(1u << (i % 8));
        assert_int_equal(psp_rsa_from_der(bytes, n, &key), PSP_E_FORMAT);
        assert_null(key);
        bytes[i] ^= (uint8_t)(1u << (i % 8));
    }
    free(bytes);
}

static void from_der__cut_or_followed__format(void **state)
{
    struct ctx *c = *state;
    struct psp_rsa_key *key = NULL;
    size_t n;
    uint8_t *bytes = tst_file(c->key_path, &n);

    for (size_t size = 0; size < n; size += 97) {
        uint8_t *part = tst_dup(bytes, size);

        assert_int_equal(psp_rsa_from_der(part, size, &key), PSP_E_FORMAT);
        free(part);
    }
    /* tst_file() keeps one more byte, a zero */
    assert_int_equal(psp_rsa_from_der(bytes, n + 1, &key), PSP_E_FORMAT);
    free(bytes);
}

static void from_primes__wrong_shape__format(void **state)
{
    struct ctx *c = *state;
    struct psp_rsa_key *key = NULL;
    uint8_t p[128], q[128], low[128];

    psp_rsa_primes(c->key, p, q);
    assert_int_equal(psp_rsa_from_primes(p, q, 127, &key), PSP_E_FORMAT);
    assert_int_equal(psp_rsa_from_primes(p, q, 0, &key), PSP_E_FORMAT);
    assert_int_equal(psp_rsa_from_primes(p, p, 128, &key), PSP_E_FORMAT);
    memcpy(low, p, 128);
    low[0] &= 0x7f;
    assert_int_equal(psp_rsa_from_primes(low, q, 128, &key), PSP_E_FORMAT);
    low[0] = 0x80; /* the product is a bit short */
    assert_int_equal(psp_rsa_from_primes(low, q, 128, &key), PSP_E_FORMAT);
    memcpy(low, q, 128);
    low[127] &= 0xfe;
    assert_int_equal(psp_rsa_from_primes(p, low, 128, &key), PSP_E_FORMAT);
    assert_null(key);
    /* the order does not matter */
    assert_int_equal(psp_rsa_from_primes(q, p, 128, &key), PSP_OK);
    assert_memory_equal(psp_rsa_public(key)->n, psp_rsa_public(c->key)->n, 256);
    psp_rsa_free(key);
}

static void digest_of(enum psp_rsa_hash hash, uint8_t digest[48])
{
    if (hash == PSP_RSA_SHA256) {
        psp_sha256("attested", 8, digest);
    } else {
        psp_sha384("attested", 8, digest);
    }
}

/* One row per hash. */
static enum psp_rsa_hash HASHES[] = {PSP_RSA_SHA256, PSP_RSA_SHA384};

static struct ctx *group;

static void pss_sign__openssl_verifies(void **state)
{
    enum psp_rsa_hash hash = *(enum psp_rsa_hash *)*state;
    struct ctx *c = group;
    const char *argv[] = {"openssl",
                          "dgst",
                          hash == PSP_RSA_SHA256 ? "-sha256" : "-sha384",
                          "-keyform",
                          "DER",
                          "-prverify",
                          c->key_path,
                          "-sigopt",
                          "rsa_padding_mode:pss",
                          "-sigopt",
                          hash == PSP_RSA_SHA256 ? "rsa_pss_saltlen:32"
                                                 : "rsa_pss_saltlen:48",
                          "-signature",
                          c->sig_path,
                          c->data_path,
                          NULL};
    uint8_t digest[48], salt[48], sig[256], again[256];
    char *text = NULL;

    digest_of(hash, digest);
    memset(salt, 0x77, sizeof(salt));
    assert_int_equal(psp_rsa_pss_sign(c->key, hash, digest, salt, sig), PSP_OK);
    assert_int_equal(psp_rsa_pss_sign(c->key, hash, digest, salt, again),
                     PSP_OK);
    assert_memory_equal(sig, again, sizeof(sig));
    salt[0] ^= 1;
    assert_int_equal(psp_rsa_pss_sign(c->key, hash, digest, salt, again),
                     PSP_OK);
    assert_memory_not_equal(sig, again, sizeof(sig));
    tst_write_file(c->sig_path, sig, sizeof(sig));
    assert_int_equal(tst_run(&text, argv), 0);
    assert_non_null(strstr(text, "Verified OK"));
    free(text);
}

static void openssl_signs__pss_verify_accepts(void **state)
{
    enum psp_rsa_hash hash = *(enum psp_rsa_hash *)*state;
    struct ctx *c = group;
    const char *argv[] = {"openssl",
                          "dgst",
                          hash == PSP_RSA_SHA256 ? "-sha256" : "-sha384",
                          "-keyform",
                          "DER",
                          "-sign",
                          c->key_path,
                          "-sigopt",
                          "rsa_padding_mode:pss",
                          "-sigopt",
                          "rsa_pss_saltlen:digest",
                          "-out",
                          c->sig_path,
                          c->data_path,
                          NULL};
    const struct psp_rsa_pub *pub = psp_rsa_public(c->key);
    uint8_t digest[48];
    uint8_t *sig;
    size_t n;

    digest_of(hash, digest);
    assert_int_equal(tst_run(NULL, argv), 0);
    sig = tst_file(c->sig_path, &n);
    assert_int_equal(n, 256);
    assert_true(psp_rsa_pss_verify(pub, hash, digest, sig));
    for (size_t i = 0; i < n; i++) {
        sig[i] ^= 1;
        assert_false(psp_rsa_pss_verify(pub, hash, digest, sig));
        sig[i] ^= 1;
    }
    digest[0] ^= 1;
    assert_false(psp_rsa_pss_verify(pub, hash, digest, sig));
    free(sig);
}

static void pss_verify__other_salt_length__refused(void **state)
{
    struct ctx *c = group;
    const char *argv[] = {"openssl",
                          "dgst",
                          "-sha384",
                          "-keyform",
                          "DER",
                          "-sign",
                          c->key_path,
                          "-sigopt",
                          "rsa_padding_mode:pss",
                          "-sigopt",
                          "rsa_pss_saltlen:32",
                          "-out",
                          c->sig_path,
                          c->data_path,
                          NULL};
    uint8_t digest[48];
    uint8_t *sig;
    size_t n;

    (void)state;
    digest_of(PSP_RSA_SHA384, digest);
    assert_int_equal(tst_run(NULL, argv), 0);
    sig = tst_file(c->sig_path, &n);
    assert_false(psp_rsa_pss_verify(psp_rsa_public(c->key), PSP_RSA_SHA384,
                                    digest, sig));
    free(sig);
}

static void pss_verify__signature_not_below_n__refused(void **state)
{
    uint8_t digest[48] = {0};
    const struct psp_rsa_pub *pub = psp_rsa_public(group->key);

    (void)state;
    assert_false(psp_rsa_pss_verify(pub, PSP_RSA_SHA384, digest, pub->n));
}

static void pss_verify__key_of_another_shape__refused(void **state)
{
    struct psp_rsa_pub pub = *psp_rsa_public(group->key);
    uint8_t digest[48], salt[48] = {0}, sig[512] = {0};

    (void)state;
    digest_of(PSP_RSA_SHA384, digest);
    assert_int_equal(
        psp_rsa_pss_sign(group->key, PSP_RSA_SHA384, digest, salt, sig),
        PSP_OK);
    assert_true(psp_rsa_pss_verify(&pub, PSP_RSA_SHA384, digest, sig));
    pub.size = 255;
    assert_false(psp_rsa_pss_verify(&pub, PSP_RSA_SHA384, digest, sig));
    pub.size = 0;
    assert_false(psp_rsa_pss_verify(&pub, PSP_RSA_SHA384, digest, sig));
    pub.size = 256;
    pub.n[255] ^= 1; /* even */
    assert_false(psp_rsa_pss_verify(&pub, PSP_RSA_SHA384, digest, sig));
    pub.n[255] ^= 1;
    pub.n[0] = 0;
    assert_false(psp_rsa_pss_verify(&pub, PSP_RSA_SHA384, digest, sig));
}

/* Genuine Milan: ASK certificate of AMD's binary format, signed by the ARK. */
static void pss_verify__genuine_milan_ask__accepted(void **state)
{
    struct psp_rsa_pub pub = {.size = 512, .e = 65537};
    const char *path = tst_shared("amd-ca/milan-ark.sevcert");
    uint8_t *cert;
    uint8_t digest[48], sig[512];
    size_t n;

    (void)state;
    if (path == NULL) {
        skip();
    }
    cert = tst_file(path, &n);
    for (size_t i = 0; i < 512; i++) {
        pub.n[i] = cert[64 + 512 + 511 - i];
    }
    free(cert);
    cert = tst_file(tst_shared("amd-ca/milan-ask.sevcert"), &n);
    assert_int_equal(n, 1600);
    psp_sha384(cert, 64 + 1024, digest);
    for (size_t i = 0; i < 512; i++) {
        sig[i] = cert[64 + 1024 + 511 - i];
    }
    assert_true(psp_rsa_pss_verify(&pub, PSP_RSA_SHA384, digest, sig));
    assert_false(psp_rsa_pss_verify(&pub, PSP_RSA_SHA256, digest, sig));
    free(cert);
}

static void key_id__genuine_milan_ark__its_subject_key_identifier(void **state)
{
    struct psp_rsa_pub pub = {.size = 512, .e = 65537};
    const char *path = tst_shared("amd-ca/milan-ark.sevcert");
    uint8_t *cert;
    uint8_t id[20];
    size_t n;

    (void)state;
    if (path == NULL) {
        skip();
    }
    cert = tst_file(path, &n);
    for (size_t i = 0; i < 512; i++) {
        pub.n[i] = cert[64 + 512 + 511 - i];
    }
    psp_rsa_key_id(&pub, id);
    assert_hex_equal(id, "85ac1ad143f7c8ac55d4c51d4148abd5784ad453", 20);
    free(cert);
}

struct pem_case {
    const char *name;
    size_t size;
};

static struct pem_case PEM_SIZES[] = {
    {"1", 1},   {"2", 2},   {"3", 3},   {"47", 47},
    {"48", 48}, {"49", 49}, {"96", 96}, {"1300", 1300},
};

static void test_pem(void **state)
{
    const struct pem_case *c = *state;
    uint8_t data[1300];
    char text[2048];
    uint8_t *back = malloc(c->size);
    size_t n, got = 0;

    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t)(i * 7);
    }
    n = pem_encode("TEST", data, c->size, NULL, 0);
    assert_int_equal(pem_encode("TEST", data, c->size, text, n - 1), n);
    assert_int_equal(pem_encode("TEST", data, c->size, text, n), n);
    assert_int_equal(pem_decode("TEST", text, n, back, c->size, &got), PSP_OK);
    assert_int_equal(got, c->size);
    assert_memory_equal(back, data, got);
    /* no room, a byte less, a byte more, another label */
    assert_int_equal(pem_decode("TEST", text, n, back, c->size - 1, &got),
                     PSP_E_FORMAT);
    assert_int_equal(pem_decode("TEST", text, n - 1, back, c->size, &got),
                     PSP_E_FORMAT);
    text[n] = '\n';
    assert_int_equal(pem_decode("TEST", text, n + 1, back, c->size, &got),
                     PSP_E_FORMAT);
    assert_int_equal(pem_decode("TESS", text, n, back, c->size, &got),
                     PSP_E_FORMAT);
    free(back);
}

static void pem__any_byte_changed__other_data_or_refused(void **state)
{
    uint8_t data[100], back[256];
    char text[256];
    size_t n, got;

    (void)state;
    memset(data, 0xa7, sizeof(data));
    n = pem_encode("TEST", data, sizeof(data), text, sizeof(text));
    for (size_t i = 0; i < n; i++) {
        char old = text[i];

        for (int b = 0; b < 8; b++) {
            text[i] = (char)(old ^ (1 << b));
            if (pem_decode("TEST", text, n, back, sizeof(back), &got) ==
                PSP_OK) {
                assert_true(got != sizeof(data) ||
                            memcmp(back, data, got) != 0);
            }
        }
        text[i] = old;
    }
}

static int group_setup(void **state)
{
    (void)state;
    return setup((void **)&group);
}

static int group_teardown(void **state)
{
    (void)state;
    return teardown((void **)&group);
}

static int use_group(void **state)
{
    *state = group;
    return 0;
}

#define WITH_KEY(f) cmocka_unit_test_setup(f, use_group)

int main(void)
{
    struct CMUnitTest tests[40] = {
        cmocka_unit_test(generate__bits_not_offered__param),
        WITH_KEY(generate__same_seed__same_key),
        WITH_KEY(to_der__openssl_check__key_ok),
        WITH_KEY(to_der__openssl_rewrites__same_bytes),
        WITH_KEY(from_der__own_bytes__same_key),
        WITH_KEY(from_der__key_made_by_openssl__accepted),
        WITH_KEY(from_der__any_byte_changed__format),
        WITH_KEY(from_der__cut_or_followed__format),
        WITH_KEY(from_primes__wrong_shape__format),
        cmocka_unit_test(pss_verify__other_salt_length__refused),
        cmocka_unit_test(pss_verify__signature_not_below_n__refused),
        cmocka_unit_test(pss_verify__key_of_another_shape__refused),
        cmocka_unit_test(pss_verify__genuine_milan_ask__accepted),
        cmocka_unit_test(key_id__genuine_milan_ark__its_subject_key_identifier),
        cmocka_unit_test(pem__any_byte_changed__other_data_or_refused),
        {"pss_sign__sha256__openssl_verifies", pss_sign__openssl_verifies, NULL,
         NULL, &HASHES[0]},
        {"pss_sign__sha384__openssl_verifies", pss_sign__openssl_verifies, NULL,
         NULL, &HASHES[1]},
        {"pss_verify__sha256_signed_by_openssl__accepted",
         openssl_signs__pss_verify_accepts, NULL, NULL, &HASHES[0]},
        {"pss_verify__sha384_signed_by_openssl__accepted",
         openssl_signs__pss_verify_accepts, NULL, NULL, &HASHES[1]},
    };
    static char names[8][40];
    size_t n = 19;

    for (size_t i = 0; i < sizeof(PEM_SIZES) / sizeof(PEM_SIZES[0]); i++) {
        snprintf(names[i], 40, "pem__%s_bytes__round_trip", PEM_SIZES[i].name);
        tests[n++] =
            (struct CMUnitTest){names[i], test_pem, NULL, NULL, &PEM_SIZES[i]};
    }
    return _cmocka_run_group_tests("rsa", tests, n, group_setup,
                                   group_teardown);
}
