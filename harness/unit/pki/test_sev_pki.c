/* SPDX-License-Identifier: Apache-2.0 */
/* The legacy certificates that the factory and the key service make. Another
 * program verifies the chains (harness/unit/sev/sev_oracle.py). */
#include "sev_pki.h"
#include "tst.h"
#include "wire.h"

#include <sys/stat.h>

/* First half of AMD's ARK KEY_IDs: abi/certs-kds.md §4.2. */
static const char *const PREFIX[PSP_GENERATION_COUNT] = {
    "1bb987c359494606", "e6002122fb584193", "94c38e4177d04792",
    "9f9d4a8fe7614565", "d05c3a8bde484904",
};

static struct pki_ca *open_ca(enum psp_generation g)
{
    struct pki_ca *ca;

    assert_int_equal(pki_ca_open(PKI_DEV_SEED, g, PKI_SIMULATED, NULL, &ca),
                     PSP_OK);
    return ca;
}

static void put(const char *dir, const char *name, const void *data,
                size_t size)
{
    char path[600];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    tst_write_file(path, data, size);
}

static void put_chain(const char *dir, enum psp_generation g)
{
    uint8_t both[PKI_ASK_ARK_MAX_SIZE], cek[SEV_CERT_SIZE];
    struct pki_ca *ca = open_ca(g);
    struct psp_chip chip;
    size_t size;

    pki_chip_make(PKI_DEV_SEED, g, 0, &chip);
    assert_int_equal(pki_ask_ark(ca, both, &size), PSP_OK);
    assert_int_equal(size, g == PSP_NAPLES ? 1664 : 3200);
    put(dir, "ask.cert", both, size / 2);
    put(dir, "ark.cert", both + size / 2, size / 2);
    assert_int_equal(pki_cek_cert(ca, &chip, cek), PSP_OK);
    put(dir, "cek.cert", cek, sizeof(cek));
    pki_ca_close(ca);
}

static void chains__five_generations__verify_elsewhere(void **state)
{
    const char *argv[] = {"/usr/bin/python3",
                          "harness/unit/sev/sev_oracle.py",
                          "ca",
                          NULL,
                          NULL,
                          NULL,
                          NULL,
                          NULL,
                          NULL};
    char dirs[PSP_GENERATION_COUNT][600];
    char *dir = tst_mkdtemp(), *text;
    int rc;

    (void)state;
    for (unsigned int g = 0; g < PSP_GENERATION_COUNT; g++) {
        snprintf(dirs[g], sizeof(dirs[g]), "%s/%u", dir, g);
        assert_int_equal(mkdir(dirs[g], 0700), 0);
        put_chain(dirs[g], (enum psp_generation)g);
        argv[3 + g] = dirs[g];
    }
    rc = tst_run(&text, argv);
    if (rc != 0) {
        print_error("%s", text);
    }
    free(text);
    tst_rmdir(dir);
    assert_int_equal(rc, 0);
}

static void ark__each_generation__id_that_tools_know(void **state)
{
    struct sev_amd_cert ark, ask;

    (void)state;
    for (unsigned int g = 0; g < PSP_GENERATION_COUNT; g++) {
        struct pki_ca *ca = open_ca((enum psp_generation)g);

        assert_int_equal(pki_sev_amd_cert(ca, PKI_ARK, &ark), PSP_OK);
        assert_int_equal(pki_sev_amd_cert(ca, PKI_ASK, &ask), PSP_OK);
        assert_hex_equal(ark.key_id, PREFIX[g], 8);
        assert_memory_equal(ark.key_id + 8, "SIMULATE", 8);
        assert_memory_not_equal(ask.key_id, ark.key_id, 16);
        assert_true(psp_all_zero(ark.reserved, 16));
        assert_int_equal(ark.modulus_bits, g == PSP_NAPLES ? 2048 : 4096);
        pki_ca_close(ca);
    }
}

/* The same RSA keys back both formats: abi/certs-kds.md §4.2. */
static void ask__milan__modulus_of_the_x509_certificate(void **state)
{
    struct pki_ca *ca = open_ca(PSP_MILAN);
    const struct pki_cert *x509;
    struct sev_amd_cert ask;
    struct sev_rsa rsa;
    bool found = false;

    (void)state;
    assert_int_equal(pki_sev_amd_cert(ca, PKI_ASK, &ask), PSP_OK);
    assert_int_equal(pki_ca_cert(ca, PKI_ASK, &x509), PSP_OK);
    assert_true(sev_amd_cert_get_rsa(&ask, &rsa));
    for (size_t i = 0; i + 512 <= x509->size; i++) {
        found = found || memcmp(x509->der + i, rsa.n, 512) == 0;
    }
    assert_true(found);
    pki_ca_close(ca);
}

static void amd_cert__equal_requests__equal_bytes(void **state)
{
    uint8_t a[PKI_ASK_ARK_MAX_SIZE], b[PKI_ASK_ARK_MAX_SIZE];
    struct pki_ca *one = open_ca(PSP_ROME), *two = open_ca(PSP_ROME);
    size_t size, size2;

    (void)state;
    assert_int_equal(pki_ask_ark(one, a, &size), PSP_OK);
    assert_int_equal(pki_ask_ark(two, b, &size2), PSP_OK);
    assert_int_equal(size, size2);
    assert_memory_equal(a, b, size);
    pki_ca_close(one);
    pki_ca_close(two);
}

static void amd_cert__role_without_the_format__param(void **state)
{
    struct pki_ca *ca = open_ca(PSP_MILAN);
    struct sev_amd_cert cert;

    (void)state;
    assert_int_equal(pki_sev_amd_cert(ca, PKI_ASVK, &cert), PSP_E_PARAM);
    pki_ca_close(ca);
}

/* Derivation of abi/sev.md §4.1, computed by another program for the secret
 * 00 01 .. 2f. */
static void cek__counting_secret__known_key(void **state)
{
    uint8_t secret[PSP_CHIP_SECRET_SIZE];
    struct psp_p384_key cek;

    (void)state;
    for (uint8_t i = 0; i < sizeof(secret); i++) {
        secret[i] = i;
    }
    assert_int_equal(pki_cek_derive(secret, &cek), PSP_OK);
    assert_hex_equal(cek.d,
                     "3af2566b83b4f55949c84296d8383f0b21be0f635df8332e634e0e665"
                     "948109e33b93ce0f13857b562ea790ffc0ace48",
                     48);
}

static void cek__other_chip__other_key_same_shape(void **state)
{
    struct psp_chip a, b;
    struct psp_p384_key ka, kb;
    struct sev_cert cert;

    (void)state;
    pki_chip_make(PKI_DEV_SEED, PSP_MILAN, 0, &a);
    pki_chip_make(PKI_DEV_SEED, PSP_MILAN, 1, &b);
    assert_int_equal(pki_cek_derive(a.secret, &ka), PSP_OK);
    assert_int_equal(pki_cek_derive(b.secret, &kb), PSP_OK);
    assert_memory_not_equal(ka.d, kb.d, 48);
    pki_cek_unsigned(&ka, &cert);
    assert_int_equal(cert.api_major, 0);
    assert_int_equal(cert.api_minor, 14);
    assert_int_equal(cert.pubkey_usage, 0x1004);
    assert_int_equal(cert.pubkey_algo, 0x2);
    assert_int_equal(cert.sig[0].usage, 0x1000);
    assert_int_equal(cert.sig[1].usage, 0x1000);
}

static void root__this_ca__digest_of_its_ark(void **state)
{
    uint8_t both[PKI_ASK_ARK_MAX_SIZE], digest[48];
    struct pki_ca *ca = open_ca(PSP_NAPLES);
    struct psp_sev_root root;
    size_t size;

    (void)state;
    assert_int_equal(pki_ask_ark(ca, both, &size), PSP_OK);
    assert_int_equal(pki_sev_root(ca, &root), PSP_OK);
    psp_sha384(both + 832, 576, digest);
    assert_memory_equal(root.digest, digest, 48);
    assert_memory_equal(root.key_id, both + 832 + 4, 16);
    pki_ca_close(ca);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains__five_generations__verify_elsewhere),
        cmocka_unit_test(ark__each_generation__id_that_tools_know),
        cmocka_unit_test(ask__milan__modulus_of_the_x509_certificate),
        cmocka_unit_test(amd_cert__equal_requests__equal_bytes),
        cmocka_unit_test(amd_cert__role_without_the_format__param),
        cmocka_unit_test(cek__counting_secret__known_key),
        cmocka_unit_test(cek__other_chip__other_key_same_shape),
        cmocka_unit_test(root__this_ca__digest_of_its_ark),
    };

    return cmocka_run_group_tests_name("pki/sev", tests, NULL, NULL);
}
