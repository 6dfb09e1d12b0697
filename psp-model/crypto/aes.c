/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto.h"

#include <nettle/gcm.h>
#include <openssl/evp.h>

#include <assert.h>
#include <limits.h>
#include <string.h>

void psp_gcm_seal(const uint8_t key[GCM_KEY_SIZE],
                  const uint8_t iv[GCM_IV_SIZE], const void *aad,
                  size_t aad_size, const void *in, size_t size, void *out,
                  uint8_t tag[GCM_TAG_SIZE])
{
    struct gcm_aes256_ctx ctx;

    gcm_aes256_set_key(&ctx, key);
    gcm_aes256_set_iv(&ctx, GCM_IV_SIZE, iv);
    gcm_aes256_update(&ctx, aad_size, aad);
    gcm_aes256_encrypt(&ctx, size, out, in);
    gcm_aes256_digest(&ctx, GCM_TAG_SIZE, tag);
    psp_wipe(&ctx, sizeof(ctx));
}

bool psp_gcm_open(const uint8_t key[GCM_KEY_SIZE],
                  const uint8_t iv[GCM_IV_SIZE], const void *aad,
                  size_t aad_size, const void *in, size_t size,
                  const uint8_t tag[GCM_TAG_SIZE], void *out)
{
    struct gcm_aes256_ctx ctx;
    uint8_t want[GCM_TAG_SIZE];
    bool ok;

    gcm_aes256_set_key(&ctx, key);
    gcm_aes256_set_iv(&ctx, GCM_IV_SIZE, iv);
    gcm_aes256_update(&ctx, aad_size, aad);
    gcm_aes256_decrypt(&ctx, size, out, in);
    gcm_aes256_digest(&ctx, GCM_TAG_SIZE, want);
    ok = psp_ct_equal(want, tag, GCM_TAG_SIZE);
    if (!ok) {
        psp_wipe(out, size);
    }
    psp_wipe(&ctx, sizeof(ctx));
    psp_wipe(want, sizeof(want));
    return ok;
}

enum psp_err psp_xts(bool encrypt, const uint8_t key[32],
                     const uint8_t tweak[16], const void *in, size_t size,
                     void *out)
{
    EVP_CIPHER_CTX *ctx;
    enum psp_err err = PSP_E_CRYPTO;
    int n = 0;

    assert(size >= 16 && size % 16 == 0 && size <= INT_MAX);
    ctx = EVP_CIPHER_CTX_new();
    if (ctx == NULL) {
        return PSP_E_NOMEM;
    }
    if (EVP_CipherInit_ex(ctx, EVP_aes_128_xts(), NULL, key, tweak, encrypt) ==
            1 &&
        EVP_CipherUpdate(ctx, out, &n, in, (int)size) == 1 &&
        (size_t)n == size) {
        err = PSP_OK;
    }
    EVP_CIPHER_CTX_free(ctx);
    return err;
}

static void page_tweak(uint64_t page, uint8_t tweak[16])
{
    memset(tweak, 0, 16);
    for (unsigned int i = 0; i < 8; i++) {
        tweak[i] = (uint8_t)(page >> (8 * i));
    }
}

/* One key schedule for all pages: setting it up again would cost a third. */
enum psp_err psp_xts_pages(bool encrypt, const uint8_t key[32], uint64_t page,
                           const uint8_t *in, size_t size, uint8_t *out)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t tweak[16] = {0};
    int n = 0;
    bool ok;

    assert(size % XTS_PAGE_SIZE == 0);
    if (ctx == NULL) {
        return PSP_E_NOMEM;
    }
    ok = EVP_CipherInit_ex(ctx, EVP_aes_128_xts(), NULL, key, tweak, encrypt) ==
         1;
    for (size_t at = 0; ok && at < size; at += XTS_PAGE_SIZE) {
        page_tweak(page + at, tweak);
        ok = EVP_CipherInit_ex(ctx, NULL, NULL, NULL, tweak, -1) == 1 &&
             EVP_CipherUpdate(ctx, out + at, &n, in + at, XTS_PAGE_SIZE) == 1;
    }
    EVP_CIPHER_CTX_free(ctx);
    return ok ? PSP_OK : PSP_E_CRYPTO;
}
