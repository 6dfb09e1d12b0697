/* SPDX-License-Identifier: Apache-2.0 */
#include <psp/drbg.h>

#include "crypto.h"

#include <string.h>

static void advance(struct psp_drbg *d)
{
    const struct psp_part part = {d->v, sizeof(d->v)};

    psp_hmac_sha384(d->key, sizeof(d->key), &part, 1, d->v);
}

/* HMAC_DRBG_Update of SP 800-90A §10.1.2.2. */
static void update(struct psp_drbg *d, const uint8_t *seed, const char *label)
{
    for (uint8_t octet = 0; octet < 2; octet++) {
        const struct psp_part parts[] = {
            {d->v, sizeof(d->v)},
            {&octet, 1},
            {seed, seed == NULL ? 0 : PSP_SEED_SIZE},
            {label, label == NULL ? 0 : strlen(label)},
        };

        psp_hmac_sha384(d->key, sizeof(d->key), parts, 4, d->key);
        advance(d);
        if (seed == NULL) {
            return;
        }
    }
}

enum psp_err psp_drbg_init(struct psp_drbg *drbg,
                           const uint8_t seed[PSP_SEED_SIZE], const char *label)
{
    if (label[0] == '\0') {
        return PSP_E_PARAM;
    }
    memset(drbg->key, 0x00, sizeof(drbg->key));
    memset(drbg->v, 0x01, sizeof(drbg->v));
    update(drbg, seed, label);
    return PSP_OK;
}

enum psp_err psp_drbg_bytes(struct psp_drbg *drbg, void *buf, size_t size)
{
    uint8_t *p = buf;

    while (size > 0) {
        size_t n = size < sizeof(drbg->v) ? size : sizeof(drbg->v);

        advance(drbg);
        memcpy(p, drbg->v, n);
        p += n;
        size -= n;
    }
    update(drbg, NULL, NULL);
    return PSP_OK;
}

void psp_drbg_wipe(struct psp_drbg *drbg)
{
    psp_wipe(drbg, sizeof(*drbg));
}
