/* SPDX-License-Identifier: Apache-2.0 */
#include "sev_crypto.h"

#include <nettle/aes.h>
#include <nettle/ctr.h>

#include <assert.h>
#include <string.h>

/* Of the type that Nettle's modes call. */
static void encrypt_blocks(const void *ctx, size_t size, uint8_t *out,
                           const uint8_t *in)
{
    aes128_encrypt(ctx, size, out, in);
}

void psp_aes128_ctr(const uint8_t key[AES128_SIZE],
                    const uint8_t iv[AES128_SIZE], const void *in, size_t size,
                    void *out)
{
    struct aes128_ctx ctx;
    uint8_t counter[AES128_SIZE];

    aes128_set_encrypt_key(&ctx, key);
    memcpy(counter, iv, sizeof(counter));
    ctr_crypt(&ctx, encrypt_blocks, AES_BLOCK_SIZE, counter, size, out, in);
    psp_wipe(&ctx, sizeof(ctx));
}

static void le32(uint8_t out[4], uint32_t v)
{
    for (unsigned int i = 0; i < 4; i++) {
        out[i] = (uint8_t)(v >> (8 * i));
    }
}

void psp_kdf_sha256_le(const void *root, size_t root_size, const char *label,
                       const void *context, size_t context_size, void *out,
                       size_t size)
{
    uint8_t counter[4];
    uint8_t bits[4];
    uint8_t block[SHA256_SIZE];
    const struct psp_part parts[] = {
        {counter, sizeof(counter)},
        {label, strlen(label) + 1},
        {context, context_size},
        {bits, sizeof(bits)},
    };
    uint8_t *p = out;
    uint32_t i = 1;

    assert(size <= UINT32_MAX / 8);
    le32(bits, (uint32_t)(size * 8));
    for (size_t left = size; left > 0; i++) {
        size_t n = left < sizeof(block) ? left : sizeof(block);

        le32(counter, i);
        psp_hmac_sha256(root, root_size, parts, 4, block);
        memcpy(p, block, n);
        p += n;
        left -= n;
    }
    psp_wipe(block, sizeof(block));
}
