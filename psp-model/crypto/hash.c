/* SPDX-License-Identifier: Apache-2.0 */
/* Nettle's HMAC over libcrypto's compression functions: these are a third
 * faster than Nettle's own, and EVP's look-up for each hash costs more than
 * hashing what is hashed here. Measured: a report was 2 us slower with either
 * alone. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "hmac.h"

#include <nettle/hmac.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <assert.h>
#include <string.h>

_Static_assert(sizeof(SHA512_CTX) <= sizeof(((struct psp_hmac *)0)->state),
               "contexts fit");
_Static_assert(sizeof(SHA256_CTX) <= sizeof(((struct psp_hmac *)0)->state),
               "contexts fit");

void psp_wipe(void *p, size_t n)
{
    explicit_bzero(p, n); /* libcrypto's own goes eight bytes at a time */
}

bool psp_ct_equal(const void *a, const void *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}

void psp_sha256(const void *data, size_t size, uint8_t out[SHA256_SIZE])
{
    SHA256_CTX ctx;

    SHA256_Init(&ctx);
    SHA256_Update(&ctx, data, size);
    SHA256_Final(out, &ctx);
}

void psp_sha384_parts(const struct psp_part *parts, size_t count,
                      uint8_t out[SHA384_SIZE])
{
    SHA512_CTX ctx;

    SHA384_Init(&ctx);
    for (size_t i = 0; i < count; i++) {
        SHA384_Update(&ctx, parts[i].data, parts[i].size);
    }
    SHA384_Final(out, &ctx);
}

void psp_sha384(const void *data, size_t size, uint8_t out[SHA384_SIZE])
{
    const struct psp_part part = {data, size};

    psp_sha384_parts(&part, 1, out);
}

static void sha256_start(void *ctx)
{
    SHA256_Init(ctx);
}

static void sha256_add(void *ctx, size_t size, const uint8_t *data)
{
    SHA256_Update(ctx, data, size);
}

/* Nettle's convention: the context starts anew. */
static void sha256_end(void *ctx, size_t size, uint8_t *out)
{
    (void)size; /* always the whole digest */
    SHA256_Final(out, ctx);
    SHA256_Init(ctx);
}

static void sha384_start(void *ctx)
{
    SHA384_Init(ctx);
}

static void sha384_add(void *ctx, size_t size, const uint8_t *data)
{
    SHA384_Update(ctx, data, size);
}

static void sha384_end(void *ctx, size_t size, uint8_t *out)
{
    (void)size; /* always the whole digest */
    SHA384_Final(out, ctx);
    SHA384_Init(ctx);
}

const struct nettle_hash PSP_NETTLE_SHA256 = {
    "sha256",     sizeof(SHA256_CTX), SHA256_SIZE, SHA256_CBLOCK,
    sha256_start, sha256_add,         sha256_end,
};

const struct nettle_hash PSP_NETTLE_SHA384 = {
    "sha384",     sizeof(SHA512_CTX), SHA384_SIZE, SHA512_CBLOCK,
    sha384_start, sha384_add,         sha384_end,
};

void psp_hmac_key(struct psp_hmac *h, size_t size, const void *key,
                  size_t key_size)
{
    assert(size == SHA256_SIZE || size == SHA384_SIZE);
    h->hash = size == SHA256_SIZE ? &PSP_NETTLE_SHA256 : &PSP_NETTLE_SHA384;
    hmac_set_key(h->outer, h->inner, h->state, h->hash, key_size, key);
}

void psp_hmac_parts(struct psp_hmac *h, const struct psp_part *parts,
                    size_t count, uint8_t *out)
{
    for (size_t i = 0; i < count; i++) {
        hmac_update(h->state, h->hash, parts[i].size, parts[i].data);
    }
    hmac_digest(h->outer, h->inner, h->state, h->hash, h->hash->digest_size,
                out);
}

void psp_hmac_sha256(const void *key, size_t key_size,
                     const struct psp_part *parts, size_t count,
                     uint8_t out[SHA256_SIZE])
{
    struct psp_hmac h;

    psp_hmac_key(&h, SHA256_SIZE, key, key_size);
    psp_hmac_parts(&h, parts, count, out);
    psp_wipe(&h, sizeof(h));
}

void psp_hmac_sha384(const void *key, size_t key_size,
                     const struct psp_part *parts, size_t count,
                     uint8_t out[SHA384_SIZE])
{
    struct psp_hmac h;

    psp_hmac_key(&h, SHA384_SIZE, key, key_size);
    psp_hmac_parts(&h, parts, count, out);
    psp_wipe(&h, sizeof(h));
}

static void put32(uint8_t out[4], uint32_t v, bool little_endian)
{
    for (unsigned int i = 0; i < 4; i++) {
        out[little_endian ? i : 3 - i] = (uint8_t)(v >> (8 * i));
    }
}

void psp_kdf_counter(size_t hash_size, bool little_endian, const void *root,
                     size_t root_size, const char *label, const void *context,
                     size_t context_size, void *out, size_t size)
{
    uint8_t counter[4];
    uint8_t bits[4];
    uint8_t block[SHA384_SIZE];
    const struct psp_part parts[] = {
        {counter, sizeof(counter)},
        {label, strlen(label) + 1},
        {context, context_size},
        {bits, sizeof(bits)},
    };
    struct psp_hmac h;
    uint8_t *p = out;
    uint32_t i = 1;

    assert(size <= UINT32_MAX / 8);
    psp_hmac_key(&h, hash_size, root, root_size);
    put32(bits, (uint32_t)(size * 8), little_endian);
    for (size_t left = size; left > 0; i++) {
        size_t n = left < hash_size ? left : hash_size;

        put32(counter, i, little_endian);
        psp_hmac_parts(&h, parts, 4, block);
        memcpy(p, block, n);
        p += n;
        left -= n;
    }
    psp_wipe(block, sizeof(block));
    psp_wipe(&h, sizeof(h));
}

void psp_kdf_sha384(const void *root, size_t root_size, const char *label,
                    const void *context, size_t context_size, void *out,
                    size_t size)
{
    psp_kdf_counter(SHA384_SIZE, false, root, root_size, label, context,
                    context_size, out, size);
}
