/* SPDX-License-Identifier: Apache-2.0 */
/* RSA keys of the CAs: from the tree, from the store, or from the seed. */
#include "x509.h"

#include "dev_keys.h"
#include "wire.h"

#include <stdlib.h>
#include <string.h>

const char *pki_role_name(enum pki_role role)
{
    static const char *const text[PKI_ROLE_COUNT] = {
        [PKI_ARK] = "ARK", [PKI_ASK] = "ASK", [PKI_ASVK] = "ASVK"};

    return text[role];
}

enum psp_err pki_ca_open(const uint8_t seed[PSP_SEED_SIZE],
                         enum psp_generation generation, enum pki_naming naming,
                         const struct pki_key_store *store, struct pki_ca **out)
{
    struct pki_ca *ca;

    if ((unsigned int)generation >= PSP_GENERATION_COUNT) {
        return PSP_E_PARAM;
    }
    ca = calloc(1, sizeof(*ca));
    if (ca == NULL) {
        return PSP_E_NOMEM;
    }
    memcpy(ca->seed, seed, sizeof(ca->seed));
    ca->generation = generation;
    ca->naming = naming;
    if (store != NULL) {
        ca->store = *store;
    }
    *out = ca;
    return PSP_OK;
}

void pki_ca_close(struct pki_ca *ca)
{
    if (ca == NULL) {
        return;
    }
    for (size_t i = 0; i < PKI_ROLE_COUNT; i++) {
        psp_rsa_free(ca->rsa[i]);
        pki_cert_clear(&ca->cert[i]);
    }
    psp_wipe(ca, sizeof(*ca));
    free(ca);
}

enum psp_generation pki_ca_generation(const struct pki_ca *ca)
{
    return ca->generation;
}

/* "Milan-ARK" with @separator between. */
static void key_name(const struct pki_ca *ca, enum pki_role role,
                     const char *prefix, const char *separator, char out[32])
{
    const char *product = psp_generation_name(ca->generation);
    struct psp_wr w = psp_wr(out, 32);

    psp_wr_bytes(&w, prefix, strlen(prefix));
    psp_wr_bytes(&w, product, strlen(product));
    psp_wr_bytes(&w, separator, strlen(separator));
    psp_wr_bytes(&w, pki_role_name(role), strlen(pki_role_name(role)) + 1);
}

static unsigned int key_bits(const struct pki_ca *ca)
{
    return ca->generation == PSP_NAPLES ? 2048 : 4096;
}

static enum psp_err key_built_in(const struct pki_ca *ca, enum pki_role role,
                                 struct psp_rsa_key **out)
{
    for (size_t i = 0; i < PKI_DEV_KEY_COUNT; i++) {
        const struct pki_dev_key *k = &PKI_DEV_KEYS[i];

        if (k->generation == ca->generation && k->role == role) {
            return psp_rsa_from_primes(k->primes, k->primes + k->bits / 16,
                                       k->bits / 16, out);
        }
    }
    return PSP_E_PARAM;
}

static enum psp_err key_load(const struct pki_ca *ca, const char *name,
                             bool *found, struct psp_rsa_key **out)
{
    struct psp_rsa_key *key = NULL;
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum psp_err err;
    int rc = ca->store.load(ca->store.ctx, name, &bytes, &size);

    *found = rc == 0;
    if (rc != 0) {
        return rc == 1 ? PSP_OK : PSP_E_HOST;
    }
    err = psp_rsa_from_der(bytes, size, &key);
    psp_wipe(bytes, size);
    free(bytes);
    if (err == PSP_OK && psp_rsa_public(key)->size != key_bits(ca) / 8) {
        err = PSP_E_FORMAT;
    }
    if (err == PSP_OK && pki_is_amd_key(psp_rsa_public(key))) {
        err = PSP_E_VERIFY;
    }
    if (err != PSP_OK) {
        psp_rsa_free(key);
        return err;
    }
    *out = key;
    return PSP_OK;
}

static enum psp_err key_save(const struct pki_ca *ca, const char *name,
                             const struct psp_rsa_key *key)
{
    uint8_t bytes[RSA_PRIV_DER_MAX];
    size_t size = psp_rsa_to_der(key, bytes);
    enum psp_err err = size == 0 ? PSP_E_NOMEM : PSP_OK;

    if (err == PSP_OK &&
        ca->store.save(ca->store.ctx, name, bytes, size) != 0) {
        err = PSP_E_HOST;
    }
    psp_wipe(bytes, sizeof(bytes));
    return err;
}

static enum psp_err key_make(const struct pki_ca *ca, enum pki_role role,
                             const char *name, struct psp_rsa_key **out)
{
    struct psp_rsa_key *key = NULL;
    struct psp_drbg drbg;
    char label[32];
    enum psp_err err;

    if (ca->store.progress != NULL) {
        ca->store.progress(ca->store.ctx, name);
    }
    key_name(ca, role, "RSA ", " ", label);
    err = psp_drbg_init(&drbg, ca->seed, label);
    if (err == PSP_OK) {
        err = psp_rsa_generate(&drbg, key_bits(ca), &key);
    }
    psp_drbg_wipe(&drbg);
    if (err == PSP_OK && ca->store.save != NULL) {
        err = key_save(ca, name, key);
    }
    if (err != PSP_OK) {
        psp_rsa_free(key);
        return err;
    }
    *out = key;
    return PSP_OK;
}

static enum psp_err key_get(const struct pki_ca *ca, enum pki_role role,
                            struct psp_rsa_key **out)
{
    char name[32];
    bool found = false;
    enum psp_err err = PSP_OK;

    if (psp_ct_equal(ca->seed, PKI_DEV_SEED, PSP_SEED_SIZE)) {
        return key_built_in(ca, role, out);
    }
    key_name(ca, role, "", "-", name);
    if (ca->store.load != NULL) {
        err = key_load(ca, name, &found, out);
    }
    if (err != PSP_OK || found) {
        return err;
    }
    return key_make(ca, role, name, out);
}

enum psp_err pki_ca_rsa(struct pki_ca *ca, enum pki_role role,
                        const struct psp_rsa_key **out)
{
    enum psp_err err = PSP_OK;

    if ((unsigned int)role >= PKI_ROLE_COUNT ||
        (role == PKI_ASVK && !pki_x509_exists(ca->generation))) {
        return PSP_E_PARAM;
    }
    if (ca->rsa[role] == NULL) {
        err = key_get(ca, role, &ca->rsa[role]);
    }
    if (err == PSP_OK) {
        *out = ca->rsa[role];
    }
    return err;
}

static void digest_of(enum psp_rsa_hash hash, const void *data, size_t size,
                      uint8_t digest[SHA384_SIZE])
{
    if (hash == PSP_RSA_SHA256) {
        psp_sha256(data, size, digest);
    } else {
        psp_sha384(data, size, digest);
    }
}

/* abi/certs-kds.md §8.3; the longer of the two salts. */
static void salt_of(const struct pki_ca *ca, const uint8_t *digest,
                    size_t digest_size, uint8_t salt[SHA384_SIZE])
{
    const struct psp_part parts[] = {{"pss", 3}, {digest, digest_size}};

    psp_hmac_sha384(ca->seed, sizeof(ca->seed), parts, 2, salt);
}

enum psp_err pki_ca_sign(struct pki_ca *ca, enum pki_role role,
                         const void *data, size_t size,
                         uint8_t sig[RSA_MAX_SIZE], size_t *sig_size)
{
    const struct psp_rsa_key *key;
    enum psp_rsa_hash hash;
    uint8_t digest[SHA384_SIZE];
    uint8_t salt[SHA384_SIZE];
    enum psp_err err = pki_ca_rsa(ca, role, &key);

    if (err != PSP_OK) {
        return err;
    }
    *sig_size = psp_rsa_public(key)->size;
    hash = *sig_size == 256 ? PSP_RSA_SHA256 : PSP_RSA_SHA384;
    digest_of(hash, data, size, digest);
    salt_of(ca, digest, psp_rsa_hash_size(hash), salt);
    return psp_rsa_pss_sign(key, hash, digest, salt, sig);
}
