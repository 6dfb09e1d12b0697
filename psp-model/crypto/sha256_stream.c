/* SPDX-License-Identifier: Apache-2.0 */
/* Launch digests cover hundreds of megabytes, and libcrypto is an eighth faster
 * than Nettle here. Only its old interface has a context that is plain bytes,
 * which a copyable stream needs; EVP contexts are allocated. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto.h"

#include <openssl/sha.h>

#include <string.h>

_Static_assert(sizeof(SHA256_CTX) <=
                   sizeof(((struct psp_sha256_stream *)0)->opaque),
               "stream holds the library's context");

static void store(struct psp_sha256_stream *s, SHA256_CTX *ctx)
{
    memcpy(s->opaque, ctx, sizeof(*ctx));
    psp_wipe(ctx, sizeof(*ctx));
}

void psp_sha256_init(struct psp_sha256_stream *s)
{
    SHA256_CTX ctx;

    (void)SHA256_Init(&ctx);
    memset(s->opaque, 0, sizeof(s->opaque));
    store(s, &ctx);
}

void psp_sha256_update(struct psp_sha256_stream *s, const void *data,
                       size_t size)
{
    SHA256_CTX ctx;

    memcpy(&ctx, s->opaque, sizeof(ctx));
    (void)SHA256_Update(&ctx, data, size);
    store(s, &ctx);
}

void psp_sha256_peek(const struct psp_sha256_stream *s,
                     uint8_t out[SHA256_SIZE])
{
    SHA256_CTX ctx;

    memcpy(&ctx, s->opaque, sizeof(ctx));
    (void)SHA256_Final(out, &ctx);
    psp_wipe(&ctx, sizeof(ctx));
}
