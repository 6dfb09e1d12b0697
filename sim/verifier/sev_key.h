/* SPDX-License-Identifier: Apache-2.0 */
/**
 * libcrypto behind the checks of legacy SEV. Numbers are big-endian, as the
 * codecs hand them out.
 */
#ifndef VERIFIER_SEV_KEY_H
#define VERIFIER_SEV_KEY_H

#include "sev_amd_cert.h"
#include "sev_cert.h"

#include <openssl/evp.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** NULL: not a point of P-384 (or out of memory). */
EVP_PKEY *sev_key_ec(const uint8_t x[SEV_EC_SIZE],
                     const uint8_t y[SEV_EC_SIZE]);
/** RSA-2048 or RSA-4096 with an odd exponent from 3 to 64 bits and an odd
 * modulus of full length. NULL: it is not. */
EVP_PKEY *sev_key_rsa(const struct sev_rsa *rsa);

/** ECDSA. @algo: SEV_ALGO_ECDSA_*; false for others. */
bool sev_key_verify_ecdsa(EVP_PKEY *key, uint32_t algo, const uint8_t *msg,
                          size_t size, const uint8_t r[SEV_EC_SIZE],
                          const uint8_t s[SEV_EC_SIZE]);
/** RSASSA-PSS, MGF1 with the same hash, salt as long as the digest. @algo:
 * SEV_ALGO_RSA_*; false for others. */
bool sev_key_verify_pss(EVP_PKEY *key, uint32_t algo, const uint8_t *msg,
                        size_t size, const uint8_t *sig, size_t sig_size);

/** HMAC-SHA-256 with a 16-byte key; false: libcrypto failed. */
bool sev_key_hmac(const uint8_t key[16], const uint8_t *msg, size_t size,
                  uint8_t out[32]);

#endif
