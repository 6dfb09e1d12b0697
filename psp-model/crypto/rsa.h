/* SPDX-License-Identifier: Apache-2.0 */
/**
 * RSA keys of the simulated AMD roots: made reproducibly from a DRBG, stored as
 * PKCS#1, used for RSASSA-PSS with a salt that the caller gives. Numbers are
 * big-endian byte arrays. The public exponent is always 65537.
 *
 * Private operation by libcrypto, everything else by GMP and Nettle: for one
 * signature per key in a fresh process both libraries take the same time
 * (about 12 ms for three RSA-4096 signatures), after that libcrypto is a
 * quarter faster, and it works in constant time.
 * Spec: [RFC 8017 §8.1, A.1], abi/certs-kds.md §1.2, §8.3, abi/sev.md §5.5.
 */
#ifndef CRYPTO_RSA_H
#define CRYPTO_RSA_H

#include "crypto.h"

#include <psp/drbg.h>

#define RSA_MAX_SIZE     512u /* bytes of the largest modulus */
#define RSA_EXPONENT     65537u
#define RSA_KEY_ID_SIZE  20u
#define RSA_PUB_DER_MAX  (RSA_MAX_SIZE + 16u)
#define RSA_PRIV_DER_MAX (RSA_MAX_SIZE * 9u / 2u + 64u)

struct psp_rsa_pub {
    size_t size;             /* bytes of the modulus: 256 or 512 */
    uint8_t n[RSA_MAX_SIZE]; /* first @size bytes */
    uint32_t e;
};

enum psp_rsa_hash { PSP_RSA_SHA256, PSP_RSA_SHA384 };

/** 32 or 48. */
size_t psp_rsa_hash_size(enum psp_rsa_hash hash);

/** A private key. psp_rsa_free() wipes it; NULL is fine there. */
struct psp_rsa_key;

/**
 * Make a key: two draws of @bits / 16 bytes from @drbg, in each the two top
 * bits and the low bit set, then the next prime p with gcd(p - 1, 65537) = 1.
 * Takes about a second for 4096 bits. The larger prime is P, the other Q.
 *
 * @bits  2048 or 4096.
 *
 * Returns PSP_OK, PSP_E_PARAM (@bits), PSP_E_NOMEM, PSP_E_CRYPTO.
 */
PSP_MUST_CHECK enum psp_err psp_rsa_generate(struct psp_drbg *drbg,
                                             unsigned int bits,
                                             struct psp_rsa_key **out);

/** The key of two primes of @prime_size (128 or 256) bytes each, top and low
 * bit set, whose product has all its bits; in any order. Whether they are prime
 * is not checked. PSP_E_FORMAT: not such numbers. */
PSP_MUST_CHECK enum psp_err psp_rsa_from_primes(const uint8_t *p,
                                                const uint8_t *q,
                                                size_t prime_size,
                                                struct psp_rsa_key **out);
/** Half the modulus size each. The caller wipes them. */
void psp_rsa_primes(const struct psp_rsa_key *key, uint8_t *p, uint8_t *q);
void psp_rsa_free(struct psp_rsa_key *key);

/** Borrowed from @key. */
const struct psp_rsa_pub *psp_rsa_public(const struct psp_rsa_key *key);

/** PKCS#1 RSAPrivateKey, version 0, d = e^-1 mod lcm(p - 1, q - 1). @out holds
 * RSA_PRIV_DER_MAX bytes. Returns the size; 0 when memory is short. */
size_t psp_rsa_to_der(const struct psp_rsa_key *key, uint8_t *out);
/**
 * Reverse; only bytes that psp_rsa_to_der() would write are accepted, so a
 * single damaged bit shows. PSP_E_FORMAT, PSP_E_NOMEM, PSP_E_CRYPTO.
 */
PSP_MUST_CHECK enum psp_err psp_rsa_from_der(const uint8_t *der, size_t size,
                                             struct psp_rsa_key **out);

/** PKCS#1 RSAPublicKey. @out holds RSA_PUB_DER_MAX bytes; returns the size. */
size_t psp_rsa_public_der(const struct psp_rsa_pub *pub, uint8_t *out);
/** SHA-1 of psp_rsa_public_der(): the SubjectKeyIdentifier. */
void psp_rsa_key_id(const struct psp_rsa_pub *pub, uint8_t id[RSA_KEY_ID_SIZE]);

/**
 * RSASSA-PSS, MGF1 with the same hash, salt as long as the digest.
 *
 * @digest, @salt  psp_rsa_hash_size(@hash) bytes each.
 * @sig            Modulus size, big-endian.
 *
 * Equal inputs give equal bytes. PSP_OK, PSP_E_NOMEM, PSP_E_CRYPTO.
 */
PSP_MUST_CHECK enum psp_err psp_rsa_pss_sign(const struct psp_rsa_key *key,
                                             enum psp_rsa_hash hash,
                                             const uint8_t *digest,
                                             const uint8_t *salt, uint8_t *sig);
/** True if @sig (@pub->size bytes) is one, with a salt as long as the digest.
 * False also for a @pub that is no RSA key of 256 or 512 bytes. */
PSP_MUST_CHECK bool psp_rsa_pss_verify(const struct psp_rsa_pub *pub,
                                       enum psp_rsa_hash hash,
                                       const uint8_t *digest,
                                       const uint8_t *sig);

#endif
