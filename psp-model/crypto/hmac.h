/* SPDX-License-Identifier: Apache-2.0 */
/**
 * HMAC with a key that is used more than once. Inside crypto/ only.
 */
#ifndef CRYPTO_HMAC_H
#define CRYPTO_HMAC_H

#include "crypto.h"

/** Nettle's HMAC over the two hashes, for the callers of its generic calls. */
struct nettle_hash;
extern const struct nettle_hash PSP_NETTLE_SHA256;
extern const struct nettle_hash PSP_NETTLE_SHA384;

struct psp_hmac {
    const struct nettle_hash *hash;
    alignas(16) uint8_t outer[224];
    alignas(16) uint8_t inner[224];
    alignas(16) uint8_t state[224];
};

/** @size: SHA256_SIZE or SHA384_SIZE; the key may be changed at any time. */
void psp_hmac_key(struct psp_hmac *h, size_t size, const void *key,
                  size_t key_size);
/** MAC of the parts, as many bytes as the hash; the key stays. @out may be one
 * of the parts. */
void psp_hmac_parts(struct psp_hmac *h, const struct psp_part *parts,
                    size_t count, uint8_t *out);

/** SP 800-108r1 KDF in counter mode over HMAC with either hash; counter and
 * length little- or big-endian. As psp_kdf_sha384() otherwise. */
void psp_kdf_counter(size_t hash_size, bool little_endian, const void *root,
                     size_t root_size, const char *label, const void *context,
                     size_t context_size, void *out, size_t size);

#endif
