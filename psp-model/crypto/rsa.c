/* SPDX-License-Identifier: Apache-2.0 */
#include "rsa.h"

#include "der.h"

#include <gmp.h>
#include <nettle/bignum.h>
#include <nettle/pss.h>
#include <nettle/rsa.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <stdlib.h>
#include <string.h>

#define PRIME_MAX (RSA_MAX_SIZE / 2u)

struct psp_rsa_key {
    struct psp_rsa_pub pub;
    uint8_t p[PRIME_MAX]; /* first pub.size / 2 bytes */
    uint8_t q[PRIME_MAX];
    EVP_PKEY *pkey;
};

/* All numbers of a private key, in the order of RSAPrivateKey. */
enum { N, E, D, P, Q, DP, DQ, QINV, NUMBER_COUNT };

struct numbers {
    mpz_t v[NUMBER_COUNT];
};

/* mpz_clear() frees without wiping. */
static void wipe_number(mpz_t n)
{
    size_t limbs = mpz_size(n);

    if (limbs > 0) {
        psp_wipe(mpz_limbs_modify(n, (mp_size_t)limbs),
                 limbs * sizeof(mp_limb_t));
        mpz_limbs_finish(n, 0);
    }
}

static void clear_secret(mpz_t n)
{
    wipe_number(n);
    mpz_clear(n);
}

static void numbers_clear(struct numbers *x)
{
    for (size_t i = 0; i < NUMBER_COUNT; i++) {
        clear_secret(x->v[i]);
    }
}

/* False when the primes give no key: equal, p - 1 or q - 1 not coprime to the
 * exponent, or the modulus a bit short. */
static bool numbers_from_primes(struct numbers *x, const uint8_t *p,
                                const uint8_t *q, size_t prime_size)
{
    mpz_t p1, q1, lcm;
    bool ok;

    for (size_t i = 0; i < NUMBER_COUNT; i++) {
        mpz_init(x->v[i]);
    }
    mpz_inits(p1, q1, lcm, NULL);
    nettle_mpz_set_str_256_u(x->v[P], prime_size, p);
    nettle_mpz_set_str_256_u(x->v[Q], prime_size, q);
    if (mpz_cmp(x->v[P], x->v[Q]) < 0) {
        mpz_swap(x->v[P], x->v[Q]);
    }
    mpz_mul(x->v[N], x->v[P], x->v[Q]);
    mpz_set_ui(x->v[E], RSA_EXPONENT);
    mpz_sub_ui(p1, x->v[P], 1);
    mpz_sub_ui(q1, x->v[Q], 1);
    mpz_lcm(lcm, p1, q1);
    ok = mpz_sizeinbase(x->v[N], 2) == 16 * prime_size &&
         mpz_invert(x->v[D], x->v[E], lcm) != 0 &&
         mpz_invert(x->v[QINV], x->v[Q], x->v[P]) != 0;
    if (ok) {
        mpz_mod(x->v[DP], x->v[D], p1);
        mpz_mod(x->v[DQ], x->v[D], q1);
    }
    clear_secret(p1);
    clear_secret(q1);
    clear_secret(lcm);
    return ok;
}

static EVP_PKEY *pkey_from_numbers(const struct numbers *x)
{
    static const char *const names[NUMBER_COUNT] = {
        OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
        OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
        OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
        OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
    };
    /* libcrypto takes numbers in the byte order of the machine. */
    const int order = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? -1 : 1;
    uint8_t bytes[NUMBER_COUNT][RSA_MAX_SIZE];
    OSSL_PARAM params[NUMBER_COUNT + 1];
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *pkey = NULL;

    for (size_t i = 0; i < NUMBER_COUNT; i++) {
        size_t n = 0;

        mpz_export(bytes[i], &n, order, 1, 0, 0, x->v[i]);
        params[i] = OSSL_PARAM_construct_BN(names[i], bytes[i], n);
    }
    params[NUMBER_COUNT] = OSSL_PARAM_construct_end();
    if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) != 1) {
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    psp_wipe(bytes, sizeof(bytes));
    return pkey;
}

static bool prime_shape(const uint8_t *p, size_t size)
{
    return (p[0] & 0x80) != 0 && (p[size - 1] & 1) != 0;
}

enum psp_err psp_rsa_from_primes(const uint8_t *p, const uint8_t *q,
                                 size_t prime_size, struct psp_rsa_key **out)
{
    struct psp_rsa_key *key = NULL;
    struct numbers x;
    enum psp_err err = PSP_E_FORMAT;

    if ((prime_size != 128 && prime_size != 256) ||
        !prime_shape(p, prime_size) || !prime_shape(q, prime_size)) {
        return PSP_E_FORMAT;
    }
    if (!numbers_from_primes(&x, p, q, prime_size)) {
        goto out;
    }
    key = calloc(1, sizeof(*key));
    if (key == NULL) {
        err = PSP_E_NOMEM;
        goto out;
    }
    key->pub.size = 2 * prime_size;
    key->pub.e = RSA_EXPONENT;
    nettle_mpz_get_str_256(key->pub.size, key->pub.n, x.v[N]);
    nettle_mpz_get_str_256(prime_size, key->p, x.v[P]);
    nettle_mpz_get_str_256(prime_size, key->q, x.v[Q]);
    key->pkey = pkey_from_numbers(&x);
    if (key->pkey == NULL) {
        err = PSP_E_CRYPTO;
        goto out;
    }
    *out = key;
    key = NULL;
    err = PSP_OK;
out:
    psp_rsa_free(key);
    numbers_clear(&x);
    return err;
}

/* False when the DRBG fails. A candidate that runs over the top is drawn
 * anew; nobody will ever see that. */
static bool draw_prime(struct psp_drbg *drbg, uint8_t *out, size_t size)
{
    mpz_t c, g;
    bool ok;

    mpz_inits(c, g, NULL);
    do {
        ok = psp_drbg_bytes(drbg, out, size) == PSP_OK;
        out[0] |= 0xc0;
        out[size - 1] |= 1;
        nettle_mpz_set_str_256_u(c, size, out);
        mpz_sub_ui(c, c, 2); /* nextprime() is strictly above */
        do {
            mpz_nextprime(c, c);
            mpz_sub_ui(g, c, 1);
        } while (mpz_gcd_ui(NULL, g, RSA_EXPONENT) != 1);
    } while (ok && mpz_sizeinbase(c, 2) != 8 * size);
    nettle_mpz_get_str_256(size, out, c);
    clear_secret(c);
    clear_secret(g);
    return ok;
}

enum psp_err psp_rsa_generate(struct psp_drbg *drbg, unsigned int bits,
                              struct psp_rsa_key **out)
{
    uint8_t p[PRIME_MAX], q[PRIME_MAX];
    size_t size = bits / 16;
    enum psp_err err = PSP_E_CRYPTO;

    if (bits != 2048 && bits != 4096) {
        return PSP_E_PARAM;
    }
    if (draw_prime(drbg, p, size) && draw_prime(drbg, q, size)) {
        err = psp_rsa_from_primes(p, q, size, out);
    }
    psp_wipe(p, sizeof(p));
    psp_wipe(q, sizeof(q));
    return err;
}

void psp_rsa_primes(const struct psp_rsa_key *key, uint8_t *p, uint8_t *q)
{
    memcpy(p, key->p, key->pub.size / 2);
    memcpy(q, key->q, key->pub.size / 2);
}

void psp_rsa_free(struct psp_rsa_key *key)
{
    if (key == NULL) {
        return;
    }
    EVP_PKEY_free(key->pkey);
    psp_wipe(key, sizeof(*key));
    free(key);
}

const struct psp_rsa_pub *psp_rsa_public(const struct psp_rsa_key *key)
{
    return &key->pub;
}

size_t psp_rsa_to_der(const struct psp_rsa_key *key, uint8_t *out)
{
    struct der d = der(out, RSA_PRIV_DER_MAX);
    uint8_t bytes[RSA_MAX_SIZE];
    struct numbers x;
    size_t seq;

    (void)numbers_from_primes(&x, key->p, key->q, key->pub.size / 2);
    seq = der_open(&d, DER_SEQUENCE);
    der_uint(&d, 0);
    for (size_t i = 0; i < NUMBER_COUNT; i++) {
        nettle_mpz_get_str_256(key->pub.size, bytes, x.v[i]);
        der_integer(&d, bytes, key->pub.size);
    }
    der_close(&d, seq);
    psp_wipe(bytes, sizeof(bytes));
    numbers_clear(&x);
    return der_done(&d) ? d.pos : 0;
}

/* Primes of a PKCS#1 key as byte strings; their size, or 0. */
static size_t primes_from_der(const uint8_t *der_bytes, size_t size,
                              uint8_t p[PRIME_MAX], uint8_t q[PRIME_MAX])
{
    struct rsa_private_key key;
    struct rsa_public_key pub;
    size_t prime_size = 0;

    rsa_private_key_init(&key);
    rsa_public_key_init(&pub);
    if (rsa_keypair_from_der(&pub, &key, RSA_MAX_SIZE * 8, size, der_bytes) ==
        1) {
        prime_size = (mpz_sizeinbase(key.p, 2) + 7) / 8;
    }
    if ((prime_size == 128 || prime_size == 256) &&
        (mpz_sizeinbase(key.q, 2) + 7) / 8 == prime_size) {
        nettle_mpz_get_str_256(prime_size, p, key.p);
        nettle_mpz_get_str_256(prime_size, q, key.q);
    } else {
        prime_size = 0;
    }
    wipe_number(key.d);
    wipe_number(key.p);
    wipe_number(key.q);
    wipe_number(key.a);
    wipe_number(key.b);
    wipe_number(key.c);
    rsa_public_key_clear(&pub);
    rsa_private_key_clear(&key);
    return prime_size;
}

enum psp_err psp_rsa_from_der(const uint8_t *der_bytes, size_t size,
                              struct psp_rsa_key **out)
{
    uint8_t p[PRIME_MAX], q[PRIME_MAX];
    uint8_t again[RSA_PRIV_DER_MAX];
    struct psp_rsa_key *key = NULL;
    size_t prime_size = primes_from_der(der_bytes, size, p, q);
    enum psp_err err = PSP_E_FORMAT;

    if (prime_size > 0) {
        err = psp_rsa_from_primes(p, q, prime_size, &key);
    }
    if (err == PSP_OK && (psp_rsa_to_der(key, again) != size ||
                          !psp_ct_equal(again, der_bytes, size))) {
        err = PSP_E_FORMAT;
    }
    if (err == PSP_OK) {
        *out = key;
        key = NULL;
    }
    psp_rsa_free(key);
    psp_wipe(p, sizeof(p));
    psp_wipe(q, sizeof(q));
    psp_wipe(again, sizeof(again));
    return err;
}

size_t psp_rsa_public_der(const struct psp_rsa_pub *pub, uint8_t *out)
{
    struct der d = der(out, RSA_PUB_DER_MAX);
    size_t seq = der_open(&d, DER_SEQUENCE);

    der_integer(&d, pub->n, pub->size);
    der_uint(&d, pub->e);
    der_close(&d, seq);
    return der_done(&d) ? d.pos : 0;
}

void psp_rsa_key_id(const struct psp_rsa_pub *pub, uint8_t id[RSA_KEY_ID_SIZE])
{
    uint8_t bytes[RSA_PUB_DER_MAX];
    size_t size = psp_rsa_public_der(pub, bytes);
    struct sha1_ctx ctx;

    sha1_init(&ctx);
    sha1_update(&ctx, size, bytes);
    sha1_digest(&ctx, RSA_KEY_ID_SIZE, id);
}

size_t psp_rsa_hash_size(enum psp_rsa_hash hash)
{
    return hash == PSP_RSA_SHA256 ? SHA256_SIZE : SHA384_SIZE;
}

static const struct nettle_hash *nettle_of(enum psp_rsa_hash hash)
{
    return hash == PSP_RSA_SHA256 ? &nettle_sha256 : &nettle_sha384;
}

/* sig = in ^ d mod n, all of modulus size. */
static bool private_op(EVP_PKEY *pkey, const uint8_t *in, size_t size,
                       uint8_t *out)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
    size_t got = size;
    bool ok = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1 &&
              EVP_PKEY_sign(ctx, out, &got, in, size) == 1 && got == size;

    EVP_PKEY_CTX_free(ctx);
    return ok;
}

enum psp_err psp_rsa_pss_sign(const struct psp_rsa_key *key,
                              enum psp_rsa_hash hash, const uint8_t *digest,
                              const uint8_t *salt, uint8_t *sig)
{
    uint8_t encoded[RSA_MAX_SIZE];
    size_t size = key->pub.size;
    mpz_t m;
    bool ok;

    mpz_init(m);
    ok = pss_encode_mgf1(m, 8 * size - 1, nettle_of(hash),
                         psp_rsa_hash_size(hash), salt, digest) == 1;
    if (ok) {
        nettle_mpz_get_str_256(size, encoded, m);
        ok = private_op(key->pkey, encoded, size, sig);
    }
    mpz_clear(m);
    return ok ? PSP_OK : PSP_E_CRYPTO;
}

bool psp_rsa_pss_verify(const struct psp_rsa_pub *pub, enum psp_rsa_hash hash,
                        const uint8_t *digest, const uint8_t *sig)
{
    mpz_t n, s;
    bool ok;

    if ((pub->size != 256 && pub->size != 512) || (pub->n[0] & 0x80) == 0 ||
        (pub->n[pub->size - 1] & 1) == 0) {
        return false;
    }
    nettle_mpz_init_set_str_256_u(n, pub->size, pub->n);
    nettle_mpz_init_set_str_256_u(s, pub->size, sig);
    ok = mpz_cmp(s, n) < 0;
    if (ok) {
        mpz_powm_ui(s, s, pub->e, n);
        ok = pss_verify_mgf1(s, 8 * pub->size - 1, nettle_of(hash),
                             psp_rsa_hash_size(hash), digest) == 1;
    }
    mpz_clear(n);
    mpz_clear(s);
    return ok;
}
