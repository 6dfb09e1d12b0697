/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Typed wrappers over Nettle and libcrypto: the only folder that names them.
 * Big integers are big-endian byte arrays here; the little-endian encodings of
 * AMD's structures are made in wire/.
 */
#ifndef CRYPTO_H
#define CRYPTO_H

#include <psp/err.h>

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE  32u
#define SHA384_SIZE  48u
#define P384_SIZE    48u
#define GCM_KEY_SIZE 32u
#define GCM_IV_SIZE  12u
#define GCM_TAG_SIZE 16u

/** Wipe @n bytes; never optimised away. */
void psp_wipe(void *p, size_t n);
/** Constant-time comparison. */
bool psp_ct_equal(const void *a, const void *b, size_t n);

/** One piece of a message that is hashed without being joined. */
struct psp_part {
    const void *data;
    size_t size;
};

void psp_sha256(const void *data, size_t size, uint8_t out[SHA256_SIZE]);
void psp_sha384(const void *data, size_t size, uint8_t out[SHA384_SIZE]);
void psp_sha384_parts(const struct psp_part *parts, size_t count,
                      uint8_t out[SHA384_SIZE]);

/** Streaming SHA-256 (legacy launch digest). Copyable; no clean-up needed. */
struct psp_sha256_stream {
    alignas(16) uint8_t opaque[128];
};
void psp_sha256_init(struct psp_sha256_stream *s);
void psp_sha256_update(struct psp_sha256_stream *s, const void *data,
                       size_t size);
/** Digest so far; the stream itself goes on unchanged. */
void psp_sha256_peek(const struct psp_sha256_stream *s,
                     uint8_t out[SHA256_SIZE]);

void psp_hmac_sha256(const void *key, size_t key_size,
                     const struct psp_part *parts, size_t count,
                     uint8_t out[SHA256_SIZE]);
void psp_hmac_sha384(const void *key, size_t key_size,
                     const struct psp_part *parts, size_t count,
                     uint8_t out[SHA384_SIZE]);

/**
 * SP 800-108r1 KDF in counter mode, PRF HMAC-SHA-384:
 * K(i) = HMAC(root, BE32(i) || label || 00h || context || BE32(L)).
 * @label   NUL-terminated; the NUL is the separator.
 * @out     @size bytes; L = 8 * @size bits.
 * Spec: abi/snp.md §8.4.
 */
void psp_kdf_sha384(const void *root, size_t root_size, const char *label,
                    const void *context, size_t context_size, void *out,
                    size_t size);

/** AES-256-GCM. @in and @out may be the same. */
void psp_gcm_seal(const uint8_t key[GCM_KEY_SIZE],
                  const uint8_t iv[GCM_IV_SIZE], const void *aad,
                  size_t aad_size, const void *in, size_t size, void *out,
                  uint8_t tag[GCM_TAG_SIZE]);
/** Returns false, and wipes @out, if the tag does not verify. */
PSP_MUST_CHECK bool psp_gcm_open(const uint8_t key[GCM_KEY_SIZE],
                                 const uint8_t iv[GCM_IV_SIZE], const void *aad,
                                 size_t aad_size, const void *in, size_t size,
                                 const uint8_t tag[GCM_TAG_SIZE], void *out);

/** AES-128-XTS over one data unit, @size a multiple of 16 and at least 16.
 * @in and @out may be the same. */
PSP_MUST_CHECK enum psp_err psp_xts(bool encrypt, const uint8_t key[32],
                                    const uint8_t tweak[16], const void *in,
                                    size_t size, void *out);

/** The same over consecutive data units of 4 KiB, @size a multiple of that;
 * the tweak of each is its address, @page + its offset, little-endian. */
#define XTS_PAGE_SIZE 0x1000u
PSP_MUST_CHECK enum psp_err psp_xts_pages(bool encrypt, const uint8_t key[32],
                                          uint64_t page, const uint8_t *in,
                                          size_t size, uint8_t *out);

struct psp_p384_pub {
    uint8_t x[P384_SIZE]; /* big-endian */
    uint8_t y[P384_SIZE];
};

struct psp_p384_key {
    uint8_t d[P384_SIZE]; /* big-endian, 1 .. n-1 */
    struct psp_p384_pub pub;
};

struct psp_p384_sig {
    uint8_t r[P384_SIZE]; /* big-endian */
    uint8_t s[P384_SIZE];
};

/** d = 1 + (@bytes as big-endian integer mod (n - 1)), and its public point.
 * Spec: abi/snp.md §9.1. */
PSP_MUST_CHECK enum psp_err psp_p384_from_bytes(const uint8_t *bytes,
                                                size_t size,
                                                struct psp_p384_key *key);
/** True if the coordinates are below p and the point lies on the curve. */
bool psp_p384_on_curve(const struct psp_p384_pub *pub);
/** ECDSA with the nonce of RFC 6979 (HMAC-SHA-384): reproducible. */
PSP_MUST_CHECK enum psp_err psp_p384_sign(const struct psp_p384_key *key,
                                          const uint8_t digest[SHA384_SIZE],
                                          struct psp_p384_sig *sig);
/** Accepts every r, s in [1, n-1]. False also for a point off the curve. */
PSP_MUST_CHECK bool psp_p384_verify(const struct psp_p384_pub *pub,
                                    const uint8_t digest[SHA384_SIZE],
                                    const struct psp_p384_sig *sig);

#endif
