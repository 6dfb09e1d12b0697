/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto.h"

#include <nettle/hmac.h>
#include <nettle/sha2.h>
#include <openssl/crypto.h>

#include <assert.h>
#include <string.h>

void psp_wipe(void *p, size_t n)
{
    OPENSSL_cleanse(p, n);
}

bool psp_ct_equal(const void *a, const void *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}

void psp_sha256(const void *data, size_t size, uint8_t out[SHA256_SIZE])
{
    struct sha256_ctx ctx;

    sha256_init(&ctx);
    sha256_update(&ctx, size, data);
    sha256_digest(&ctx, SHA256_SIZE, out);
}

void psp_sha384_parts(const struct psp_part *parts, size_t count,
                      uint8_t out[SHA384_SIZE])
{
    struct sha384_ctx ctx;

    sha384_init(&ctx);
    for (size_t i = 0; i < count; i++) {
        sha384_update(&ctx, parts[i].size, parts[i].data);
    }
    sha384_digest(&ctx, SHA384_SIZE, out);
}

void psp_sha384(const void *data, size_t size, uint8_t out[SHA384_SIZE])
{
    const struct psp_part part = {data, size};

    psp_sha384_parts(&part, 1, out);
}

void psp_hmac_sha256(const void *key, size_t key_size,
                     const struct psp_part *parts, size_t count,
                     uint8_t out[SHA256_SIZE])
{
    struct hmac_sha256_ctx ctx;

    hmac_sha256_set_key(&ctx, key_size, key);
    for (size_t i = 0; i < count; i++) {
        hmac_sha256_update(&ctx, parts[i].size, parts[i].data);
    }
    hmac_sha256_digest(&ctx, SHA256_SIZE, out);
    psp_wipe(&ctx, sizeof(ctx));
}

void psp_hmac_sha384(const void *key, size_t key_size,
                     const struct psp_part *parts, size_t count,
                     uint8_t out[SHA384_SIZE])
{
    struct hmac_sha384_ctx ctx;

    hmac_sha384_set_key(&ctx, key_size, key);
    for (size_t i = 0; i < count; i++) {
        hmac_sha384_update(&ctx, parts[i].size, parts[i].data);
    }
    hmac_sha384_digest(&ctx, SHA384_SIZE, out);
    psp_wipe(&ctx, sizeof(ctx));
}

static void be32(uint8_t out[4], uint32_t v)
{
    out[0] = (uint8_t)(v >> 24);
    out[1] = (uint8_t)(v >> 16);
    out[2] = (uint8_t)(v >> 8);
    out[3] = (uint8_t)v;
}

void psp_kdf_sha384(const void *root, size_t root_size, const char *label,
                    const void *context, size_t context_size, void *out,
                    size_t size)
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
    uint8_t *p = out;
    uint32_t i = 1;

    assert(size <= UINT32_MAX / 8);
    be32(bits, (uint32_t)(size * 8));
    for (size_t left = size; left > 0; i++) {
        size_t n = left < sizeof(block) ? left : sizeof(block);

        be32(counter, i);
        psp_hmac_sha384(root, root_size, parts, 4, block);
        memcpy(p, block, n);
        p += n;
        left -= n;
    }
    psp_wipe(block, sizeof(block));
}
