/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What only the legacy firmware needs: ECDSA P-384 over SHA-256, ECDH, AES-CTR
 * and a key derivation whose counter and length are little-endian.
 * Spec: abi/sev.md §4.1, §7.2.
 */
#ifndef CRYPTO_SEV_CRYPTO_H
#define CRYPTO_SEV_CRYPTO_H

#include "crypto.h"

#define AES128_SIZE 16u

/** ECDSA with the nonce of RFC 6979 (HMAC-SHA-256): reproducible. The 32-byte
 * digest is the number e as it stands. */
PSP_MUST_CHECK enum psp_err
psp_p384_sign_sha256(const struct psp_p384_key *key,
                     const uint8_t digest[SHA256_SIZE],
                     struct psp_p384_sig *sig);
/** Accepts every r, s in [1, n-1]. False also for a point off the curve. */
PSP_MUST_CHECK bool psp_p384_verify_sha256(const struct psp_p384_pub *pub,
                                           const uint8_t digest[SHA256_SIZE],
                                           const struct psp_p384_sig *sig);

/** @z: x-coordinate of the shared point, big-endian. PSP_E_VERIFY: @peer is not
 * on the curve. */
PSP_MUST_CHECK enum psp_err psp_p384_ecdh(const struct psp_p384_key *key,
                                          const struct psp_p384_pub *peer,
                                          uint8_t z[P384_SIZE]);

/** AES-128 in counter mode, 128-bit big-endian counter that starts at @iv.
 * Encrypts and decrypts; @in and @out may be the same. */
void psp_aes128_ctr(const uint8_t key[AES128_SIZE],
                    const uint8_t iv[AES128_SIZE], const void *in, size_t size,
                    void *out);

/**
 * SP 800-108 KDF in counter mode, PRF HMAC-SHA-256, as legacy SEV uses it:
 * K(i) = HMAC(root, LE32(i) || label || 00h || context || LE32(L)).
 * @label  NUL-terminated; the NUL is the separator.
 * @out    @size bytes; L = 8 * @size bits.
 */
void psp_kdf_sha256_le(const void *root, size_t root_size, const char *label,
                       const void *context, size_t context_size, void *out,
                       size_t size);

#endif
