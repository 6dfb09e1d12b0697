/* SPDX-License-Identifier: Apache-2.0 */
#include "sev_crypto.h"

#include "hmac.h"

#include <nettle/aes.h>
#include <nettle/ctr.h>

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

void psp_kdf_sha256_le(const void *root, size_t root_size, const char *label,
                       const void *context, size_t context_size, void *out,
                       size_t size)
{
    psp_kdf_counter(SHA256_SIZE, true, root, root_size, label, context,
                    context_size, out, size);
}
