/* SPDX-License-Identifier: Apache-2.0 */
#include "sev_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <string.h>

#define RSA_EXPONENT_MAX_BITS 64

static EVP_PKEY *key_of(const char *type, OSSL_PARAM_BLD *build)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY *key = NULL;

    if (ctx != NULL && params != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        key = NULL;
    }
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return key;
}

EVP_PKEY *sev_key_ec(const uint8_t x[SEV_EC_SIZE], const uint8_t y[SEV_EC_SIZE])
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    uint8_t point[1 + 2 * SEV_EC_SIZE] = {POINT_CONVERSION_UNCOMPRESSED};
    EVP_PKEY *key = NULL;

    memcpy(point + 1, x, SEV_EC_SIZE);
    memcpy(point + 1 + SEV_EC_SIZE, y, SEV_EC_SIZE);
    if (build != NULL &&
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME,
                                        "P-384", 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
                                         sizeof(point)) == 1) {
        key = key_of("EC", build);
    }
    OSSL_PARAM_BLD_free(build);
    return key;
}

static bool rsa_numbers_ok(const BIGNUM *n, const BIGNUM *e, uint32_t size)
{
    return (size == 256 || size == 512) && BN_num_bits(n) == (int)(8 * size) &&
           BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e) &&
           BN_num_bits(e) <= RSA_EXPONENT_MAX_BITS;
}

EVP_PKEY *sev_key_rsa(const struct sev_rsa *rsa)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *n = BN_bin2bn(rsa->n, (int)rsa->size, NULL);
    BIGNUM *e = BN_bin2bn(rsa->e, (int)rsa->size, NULL);
    EVP_PKEY *key = NULL;

    if (build != NULL && n != NULL && e != NULL &&
        rsa_numbers_ok(n, e, rsa->size) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1) {
        key = key_of("RSA", build);
    }
    BN_free(n);
    BN_free(e);
    OSSL_PARAM_BLD_free(build);
    return key;
}

static const EVP_MD *digest_of(uint32_t algo, uint32_t sha256, uint32_t sha384)
{
    return algo == sha256 ? EVP_sha256() : algo == sha384 ? EVP_sha384() : NULL;
}

static int der_signature(const uint8_t r[SEV_EC_SIZE],
                         const uint8_t s[SEV_EC_SIZE], unsigned char **der)
{
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *rn = BN_bin2bn(r, SEV_EC_SIZE, NULL);
    BIGNUM *sn = BN_bin2bn(s, SEV_EC_SIZE, NULL);
    int size = -1;

    if (sig != NULL && rn != NULL && sn != NULL &&
        ECDSA_SIG_set0(sig, rn, sn) == 1) {
        rn = NULL;
        sn = NULL;
        size = i2d_ECDSA_SIG(sig, der);
    }
    BN_free(rn);
    BN_free(sn);
    ECDSA_SIG_free(sig);
    return size;
}

bool sev_key_verify_ecdsa(EVP_PKEY *key, uint32_t algo, const uint8_t *msg,
                          size_t size, const uint8_t r[SEV_EC_SIZE],
                          const uint8_t s[SEV_EC_SIZE])
{
    const EVP_MD *md =
        digest_of(algo, SEV_ALGO_ECDSA_SHA256, SEV_ALGO_ECDSA_SHA384);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char *der = NULL;
    int der_size = der_signature(r, s, &der);
    bool ok = false;

    if (md != NULL && ctx != NULL && der_size > 0 &&
        EVP_PKEY_is_a(key, "EC") == 1 &&
        EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1) {
        ok = EVP_DigestVerify(ctx, der, (size_t)der_size, msg, size) == 1;
    }
    OPENSSL_free(der);
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}

static bool set_pss(EVP_PKEY_CTX *ctx, const EVP_MD *md)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
}

bool sev_key_verify_pss(EVP_PKEY *key, uint32_t algo, const uint8_t *msg,
                        size_t size, const uint8_t *sig, size_t sig_size)
{
    const EVP_MD *md =
        digest_of(algo, SEV_ALGO_RSA_SHA256, SEV_ALGO_RSA_SHA384);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL; /* ctx owns it */
    bool ok = false;

    if (md != NULL && ctx != NULL && EVP_PKEY_is_a(key, "RSA") == 1 &&
        EVP_DigestVerifyInit(ctx, &pctx, md, NULL, key) == 1 &&
        set_pss(pctx, md)) {
        ok = EVP_DigestVerify(ctx, sig, sig_size, msg, size) == 1;
    }
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}

bool sev_key_hmac(const uint8_t key[16], const uint8_t *msg, size_t size,
                  uint8_t out[32])
{
    unsigned int out_size = 0;

    return HMAC(EVP_sha256(), key, 16, msg, size, out, &out_size) != NULL &&
           out_size == 32;
}
