/* SPDX-License-Identifier: Apache-2.0 */
/* RSA keys of the CAs: the table in the tree, the store, AMD's own. */
#include "dev_keys.h"
#include "tst.h"

static const uint8_t PRIVATE_SEED[32] = "a private seed for tests";

static struct pki_ca *open_ca(const uint8_t seed[32], enum psp_generation g,
                              const struct pki_key_store *store)
{
    struct pki_ca *ca = NULL;

    assert_int_equal(pki_ca_open(seed, g, PKI_SIMULATED, store, &ca), PSP_OK);
    return ca;
}

/* The table was written by another implementation (tools/dev_keys.py). */
static void check_derivation(enum psp_generation g, enum pki_role role,
                             const char *label)
{
    struct pki_ca *ca = open_ca(PKI_DEV_SEED, g, NULL);
    const struct psp_rsa_key *built_in = NULL;
    struct psp_rsa_key *made = NULL;
    struct psp_drbg drbg;
    uint8_t a[256], b[256], p[256], q[256];
    size_t half;

    assert_int_equal(pki_ca_rsa(ca, role, &built_in), PSP_OK);
    half = psp_rsa_public(built_in)->size / 2;
    assert_int_equal(psp_drbg_init(&drbg, PKI_DEV_SEED, label), PSP_OK);
    assert_int_equal(psp_rsa_generate(&drbg, (unsigned int)half * 16, &made),
                     PSP_OK);
    psp_rsa_primes(built_in, a, b);
    psp_rsa_primes(made, p, q);
    assert_memory_equal(a, p, half);
    assert_memory_equal(b, q, half);
    psp_rsa_free(made);
    pki_ca_close(ca);
}

static void dev_key__naples_ark_derived__as_in_the_tree(void **state)
{
    (void)state;
    check_derivation(PSP_NAPLES, PKI_ARK, "RSA Naples ARK");
}

static void dev_key__milan_asvk_derived__as_in_the_tree(void **state)
{
    (void)state;
    check_derivation(PSP_MILAN, PKI_ASVK, "RSA Milan ASVK");
}

static void dev_keys__all_roles__there_and_different(void **state)
{
    uint8_t ids[PKI_DEV_KEY_COUNT][RSA_KEY_ID_SIZE];
    size_t n = 0;

    (void)state;
    for (int g = PSP_NAPLES; g < PSP_GENERATION_COUNT; g++) {
        struct pki_ca *ca = open_ca(PKI_DEV_SEED, (enum psp_generation)g, NULL);
        int roles = g < PSP_MILAN ? PKI_ASVK : PKI_ROLE_COUNT;

        for (int role = 0; role < roles; role++) {
            const struct psp_rsa_key *key = NULL;

            assert_int_equal(pki_ca_rsa(ca, (enum pki_role)role, &key), PSP_OK);
            assert_int_equal(psp_rsa_public(key)->size,
                             g == PSP_NAPLES ? 256 : 512);
            psp_rsa_key_id(psp_rsa_public(key), ids[n++]);
        }
        pki_ca_close(ca);
    }
    assert_int_equal(n, PKI_DEV_KEY_COUNT);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++) {
            assert_memory_not_equal(ids[i], ids[j], RSA_KEY_ID_SIZE);
        }
    }
}

/* A key store in memory that can be told to fail. */
struct fake_store {
    int load_result; /* 1: what was saved, if anything */
    int save_result;
    unsigned int loads, saves, progresses;
    char name[32];
    uint8_t der[RSA_PRIV_DER_MAX];
    size_t size;
};

static int fake_load(void *ctx, const char *name, uint8_t **der, size_t *size)
{
    struct fake_store *s = ctx;

    s->loads++;
    if (s->load_result < 0) {
        return s->load_result;
    }
    if (s->size == 0) {
        return 1;
    }
    assert_string_equal(name, s->name);
    *der = tst_dup(s->der, s->size);
    *size = s->size;
    return 0;
}

static int fake_save(void *ctx, const char *name, const uint8_t *der,
                     size_t size)
{
    struct fake_store *s = ctx;

    s->saves++;
    if (s->save_result != 0) {
        return s->save_result;
    }
    snprintf(s->name, sizeof(s->name), "%s", name);
    memcpy(s->der, der, size);
    s->size = size;
    return 0;
}

static void fake_progress(void *ctx, const char *name)
{
    struct fake_store *s = ctx;

    s->progresses++;
    assert_string_equal(name, "Naples-ARK");
}

static struct pki_key_store store_of(struct fake_store *s)
{
    return (struct pki_key_store){fake_load, fake_save, fake_progress, s};
}

static void store__empty__key_made_saved_and_found_again(void **state)
{
    struct fake_store s = {0};
    struct pki_key_store store = store_of(&s);
    struct pki_ca *ca = open_ca(PRIVATE_SEED, PSP_NAPLES, &store);
    const struct psp_rsa_key *key = NULL, *again = NULL;
    uint8_t n[256];

    (void)state;
    assert_int_equal(s.loads, 0); /* nothing before first use */
    assert_int_equal(pki_ca_rsa(ca, PKI_ARK, &key), PSP_OK);
    assert_int_equal(pki_ca_rsa(ca, PKI_ARK, &again), PSP_OK);
    assert_ptr_equal(key, again);
    assert_int_equal(s.loads, 1);
    assert_int_equal(s.saves, 1);
    assert_int_equal(s.progresses, 1);
    assert_string_equal(s.name, "Naples-ARK");
    memcpy(n, psp_rsa_public(key)->n, sizeof(n));
    pki_ca_close(ca);

    ca = open_ca(PRIVATE_SEED, PSP_NAPLES, &store);
    assert_int_equal(pki_ca_rsa(ca, PKI_ARK, &key), PSP_OK);
    assert_memory_equal(psp_rsa_public(key)->n, n, sizeof(n));
    assert_int_equal(s.saves, 1);
    assert_int_equal(s.progresses, 1);
    pki_ca_close(ca);

    /* No store at all: derived from the seed, the same key. */
    ca = open_ca(PRIVATE_SEED, PSP_NAPLES, NULL);
    assert_int_equal(pki_ca_rsa(ca, PKI_ARK, &key), PSP_OK);
    assert_memory_equal(psp_rsa_public(key)->n, n, sizeof(n));
    pki_ca_close(ca);
}

static void store__load_fails__host_and_nothing_made(void **state)
{
    struct fake_store s = {.load_result = -1};
    struct pki_key_store store = store_of(&s);
    struct pki_ca *ca = open_ca(PRIVATE_SEED, PSP_NAPLES, &store);
    const struct psp_rsa_key *key = NULL;

    (void)state;
    assert_int_equal(pki_ca_rsa(ca, PKI_ARK, &key), PSP_E_HOST);
    assert_null(key);
    assert_int_equal(s.progresses + s.saves, 0);
    pki_ca_close(ca);
}

static void store__save_fails__host_and_next_try_saves(void **state)
{
    struct fake_store s = {.save_result = -1};
    struct pki_key_store store = store_of(&s);
    struct pki_ca *ca = open_ca(PRIVATE_SEED, PSP_NAPLES, &store);
    const struct psp_rsa_key *key = NULL;

    (void)state;
    assert_int_equal(pki_ca_rsa(ca, PKI_ARK, &key), PSP_E_HOST);
    assert_null(key);
    s.save_result = 0;
    assert_int_equal(pki_ca_rsa(ca, PKI_ARK, &key), PSP_OK);
    assert_int_equal(s.saves, 2);
    pki_ca_close(ca);
}

static void store__key_damaged__format_and_not_replaced(void **state)
{
    struct fake_store s = {0};
    struct pki_key_store store = store_of(&s);
    struct pki_ca *ca = open_ca(PRIVATE_SEED, PSP_NAPLES, &store);
    const struct psp_rsa_key *key = NULL;

    (void)state;
    assert_int_equal(pki_ca_rsa(ca, PKI_ARK, &key), PSP_OK);
    pki_ca_close(ca);
    s.der[100] ^= 1;
    key = NULL;
    ca = open_ca(PRIVATE_SEED, PSP_NAPLES, &store);
    assert_int_equal(pki_ca_rsa(ca, PKI_ARK, &key), PSP_E_FORMAT);
    assert_null(key);
    assert_int_equal(s.saves, 1);
    pki_ca_close(ca);
}

static void store__key_of_another_size__format(void **state)
{
    struct fake_store s = {0};
    struct pki_key_store store = store_of(&s);
    struct pki_ca *naples = open_ca(PKI_DEV_SEED, PSP_NAPLES, NULL);
    struct pki_ca *rome = open_ca(PRIVATE_SEED, PSP_ROME, &store);
    const struct psp_rsa_key *key = NULL;

    (void)state;
    assert_int_equal(pki_ca_rsa(naples, PKI_ARK, &key), PSP_OK);
    s.size = psp_rsa_to_der(key, s.der);
    snprintf(s.name, sizeof(s.name), "Rome-ARK");
    assert_int_equal(pki_ca_rsa(rome, PKI_ARK, &key), PSP_E_FORMAT);
    pki_ca_close(naples);
    pki_ca_close(rome);
}

static void store__development_seed__never_asked(void **state)
{
    struct fake_store s = {.load_result = -1, .save_result = -1};
    struct pki_key_store store = store_of(&s);
    struct pki_ca *ca = open_ca(PKI_DEV_SEED, PSP_NAPLES, &store);
    const struct psp_rsa_key *key = NULL;

    (void)state;
    assert_int_equal(pki_ca_rsa(ca, PKI_ARK, &key), PSP_OK);
    assert_int_equal(s.loads + s.saves + s.progresses, 0);
    pki_ca_close(ca);
}

/* Row: generation and role of a genuine certificate. */
static char AMD_FILES[][16] = {
    "naples-ark", "naples-ask", "rome-ark",  "rome-ask",  "milan-ark",
    "milan-ask",  "genoa-ark",  "genoa-ask", "turin-ark", "turin-ask"};

static void test_amd_key(void **state)
{
    struct psp_rsa_pub pub = {.e = 65537};
    const char *path;
    char file[64];
    uint8_t *cert;
    size_t n;

    snprintf(file, sizeof(file), "amd-ca/%s.sevcert", (const char *)*state);
    path = tst_shared(file);
    if (path == NULL) {
        skip();
    }
    cert = tst_file(path, &n);
    pub.size = n == 832 ? 256 : 512;
    for (size_t i = 0; i < pub.size; i++) {
        pub.n[i] = cert[64 + 2 * pub.size - 1 - i];
    }
    assert_true(pki_is_amd_key(&pub));
    pub.n[17] ^= 1;
    assert_false(pki_is_amd_key(&pub));
    free(cert);
}

static void is_amd_key__own_keys__no(void **state)
{
    struct pki_ca *ca = open_ca(PKI_DEV_SEED, PSP_MILAN, NULL);
    const struct psp_rsa_key *key = NULL;

    (void)state;
    assert_int_equal(pki_ca_rsa(ca, PKI_ARK, &key), PSP_OK);
    assert_false(pki_is_amd_key(psp_rsa_public(key)));
    pki_ca_close(ca);
}

int main(void)
{
    struct CMUnitTest tests[32] = {
        cmocka_unit_test(dev_key__naples_ark_derived__as_in_the_tree),
        cmocka_unit_test(dev_key__milan_asvk_derived__as_in_the_tree),
        cmocka_unit_test(dev_keys__all_roles__there_and_different),
        cmocka_unit_test(store__empty__key_made_saved_and_found_again),
        cmocka_unit_test(store__load_fails__host_and_nothing_made),
        cmocka_unit_test(store__save_fails__host_and_next_try_saves),
        cmocka_unit_test(store__key_damaged__format_and_not_replaced),
        cmocka_unit_test(store__key_of_another_size__format),
        cmocka_unit_test(store__development_seed__never_asked),
        cmocka_unit_test(is_amd_key__own_keys__no),
    };
    static char names[10][48];
    size_t n = 10;

    for (size_t i = 0; i < sizeof(AMD_FILES) / sizeof(AMD_FILES[0]); i++) {
        snprintf(names[i], 48, "is_amd_key__genuine_%.15s__yes", AMD_FILES[i]);
        tests[n++] = (struct CMUnitTest){names[i], test_amd_key, NULL, NULL,
                                         AMD_FILES[i]};
    }
    return _cmocka_run_group_tests("ca_keys", tests, n, NULL, NULL);
}
