/* SPDX-License-Identifier: Apache-2.0 */
#include "sev_check.h"

#include "wire.h"

#include <string.h>

#define PRODUCT_ID_SIZE 8u
#define FILLED_SIZE     3200u

/* abi/sev.md §5.5; index = enum psp_generation */
static const uint8_t PRODUCT_ID[PSP_GENERATION_COUNT][PRODUCT_ID_SIZE] = {
    [PSP_NAPLES] = {0x1b, 0xb9, 0x87, 0xc3, 0x59, 0x49, 0x46, 0x06},
    [PSP_ROME] = {0xe6, 0x00, 0x21, 0x22, 0xfb, 0x58, 0x41, 0x93},
    [PSP_MILAN] = {0x94, 0xc3, 0x8e, 0x41, 0x77, 0xd0, 0x47, 0x92},
    [PSP_GENOA] = {0x9f, 0x9d, 0x4a, 0x8f, 0xe7, 0x61, 0x45, 0x65},
    [PSP_TURIN] = {0xd0, 0x5c, 0x3a, 0x8b, 0xde, 0x48, 0x49, 0x04},
};

enum psp_generation sev_product_of_ark(const uint8_t key_id[SEV_AMD_ID_SIZE])
{
    enum psp_generation g = 0;

    while (g < PSP_GENERATION_COUNT &&
           memcmp(PRODUCT_ID[g], key_id, PRODUCT_ID_SIZE) != 0) {
        g++;
    }
    return g;
}

/* ---- chains ---- */

static void take(struct verify_blob *slot, struct psp_rd *r, size_t size)
{
    const uint8_t *p = psp_rd_view(r, size);

    if (slot->data == NULL) {
        *slot = (struct verify_blob){.data = p, .size = size};
    }
}

bool sev_split_chain(const uint8_t *data, size_t size,
                     struct sev_verify_input *in)
{
    const size_t four = 4 * (size_t)SEV_CERT_SIZE;
    struct psp_rd r = psp_rd(data, size);
    size_t ca = 0;

    if (size == four + 2 * SEV_AMD_CERT_SIZE_2048) {
        ca = SEV_AMD_CERT_SIZE_2048;
    } else if (size == four + 2 * SEV_AMD_CERT_SIZE_4096) {
        ca = SEV_AMD_CERT_SIZE_4096;
    } else if (size != four && size != 3 * (size_t)SEV_CERT_SIZE) {
        return false;
    }
    if (size >= four) {
        take(&in->pdh, &r, SEV_CERT_SIZE);
    }
    take(&in->pek, &r, SEV_CERT_SIZE);
    take(&in->oca, &r, SEV_CERT_SIZE);
    take(&in->cek, &r, SEV_CERT_SIZE);
    if (ca != 0) {
        take(&in->ask, &r, ca);
        take(&in->ark, &r, ca);
    }
    return true;
}

static enum psp_generation product_of_device_type(uint8_t type)
{
    static const enum psp_generation product[] = {PSP_ROME, PSP_NAPLES,
                                                  PSP_MILAN};

    return type < sizeof(product) / sizeof(product[0]) ? product[type]
                                                       : PSP_GENERATION_COUNT;
}

bool sev_split_evidence(const uint8_t *data, size_t size,
                        struct sev_verify_input *in,
                        enum psp_generation *product)
{
    struct psp_rd r = psp_rd(data, size);

    *product = PSP_GENERATION_COUNT;
    if (size != SEV_EVIDENCE_SIZE && size != SEV_EVIDENCE_SIZE + 1) {
        return false;
    }
    take(&in->report, &r, SEV_REPORT_SIZE);
    take(&in->cek, &r, SEV_CERT_SIZE);
    take(&in->pek, &r, SEV_CERT_SIZE);
    take(&in->oca, &r, SEV_CERT_SIZE);
    if (psp_rd_left(&r) > 0) {
        *product = product_of_device_type(psp_rd_u8(&r));
    }
    return true;
}

/* ---- ARK and ASK ---- */

/* Relying parties that read 3200 bytes have Naples' two filled up to them. */
static bool is_fill(const struct verify_blob *blob, size_t at)
{
    return at > 0 && blob->size == FILLED_SIZE &&
           psp_all_zero(blob->data + at, blob->size - at);
}

/* AMD certificates in a row. False: something else, or too many. */
static bool read_row(const struct verify_blob *blob, struct sev_ca *out,
                     size_t max, size_t *count)
{
    size_t at = 0;

    *count = 0;
    while (at < blob->size && !is_fill(blob, at)) {
        struct sev_ca *ca = &out[*count];
        size_t used = 0;

        if (*count == max ||
            sev_amd_cert_decode(blob->data + at, blob->size - at, &ca->cert,
                                &used) != PSP_OK) {
            return false;
        }
        ca->data = blob->data + at;
        ca->size = used;
        ca->present = true;
        at += used;
        (*count)++;
    }
    return *count > 0;
}

/* The one of @usage in a file of one or two; a single one is taken whatever it
 * says, so that its format check names what is wrong. */
static void load_ca(const struct verify_blob *blob, uint32_t usage,
                    struct sev_ca *out)
{
    struct sev_ca row[2];
    size_t count = 0;

    memset(row, 0, sizeof(row));
    out->present = blob->data != NULL;
    if (!out->present || !read_row(blob, row, 2, &count)) {
        return;
    }
    if (count == 1) {
        *out = row[0];
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (row[i].cert.key_usage == usage) {
            *out = row[i];
            return;
        }
    }
}

bool sev_has_ark(const struct verify_blob *blob)
{
    struct sev_ca row[SEV_TRUSTED_MAX];
    size_t count = 0;

    if (blob->data == NULL || !read_row(blob, row, SEV_TRUSTED_MAX, &count)) {
        return false;
    }
    while (count > 0 && row[count - 1].cert.key_usage != SEV_USAGE_ARK) {
        count--;
    }
    return count > 0;
}

static bool same_id(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, SEV_AMD_ID_SIZE) == 0;
}

/* The ASK beside the trusted root whose key signed the CEK; only a search: the
 * checks judge what is found. */
static void choose_ask(struct sev_ctx *ctx)
{
    const struct sev_part *cek = &ctx->part[SEV_ROLE_CEK];
    char why[SEV_WHY_SIZE];
    bool found = false;

    for (size_t i = 0; i < ctx->trusted_count && !found; i++) {
        struct sev_ca ca = ctx->trusted[i];

        if (ca.cert.key_usage != SEV_USAGE_ASK) {
            continue;
        }
        ca.usable = sev_ca_check(&ca.cert, SEV_USAGE_ASK, &ca.key, why);
        if (ca.usable && cek->decoded) {
            struct sev_signer signer = sev_signer_ca(&ca);

            found = sev_signed_by(cek->blob->data, &cek->cert, &signer, why);
        }
        if (found || !ctx->ask.present) {
            ctx->ask = ctx->trusted[i];
        }
        EVP_PKEY_free(ca.key);
    }
}

/* The trusted root that the ASK names, else the first. */
static void choose_ark(struct sev_ctx *ctx)
{
    for (size_t i = 0; i < ctx->trusted_count; i++) {
        const struct sev_ca *ca = &ctx->trusted[i];

        if (ca->cert.key_usage != SEV_USAGE_ARK) {
            continue;
        }
        if (ctx->ask.data != NULL &&
            same_id(ca->cert.key_id, ctx->ask.cert.certifying_id)) {
            ctx->ark = *ca;
            return;
        }
        if (!ctx->ark.present) {
            ctx->ark = *ca;
        }
    }
}

static void load_part(struct sev_ctx *ctx, enum sev_role role,
                      const struct verify_blob *blob)
{
    struct sev_part *part = &ctx->part[role];

    part->blob = blob;
    part->decoded =
        blob->data != NULL &&
        sev_cert_decode(blob->data, blob->size, &part->cert) == PSP_OK;
}

void sev_load(struct sev_ctx *ctx)
{
    const struct sev_verify_input *in = ctx->in;

    load_part(ctx, SEV_ROLE_CEK, &in->cek);
    load_part(ctx, SEV_ROLE_OCA, &in->oca);
    load_part(ctx, SEV_ROLE_PEK, &in->pek);
    load_part(ctx, SEV_ROLE_PDH, &in->pdh);
    ctx->trusted_bad = in->trusted_ark.data == NULL ||
                       !read_row(&in->trusted_ark, ctx->trusted,
                                 SEV_TRUSTED_MAX, &ctx->trusted_count);
    if (ctx->trusted_bad) {
        ctx->trusted_count = 0;
    }
    load_ca(&in->ask, SEV_USAGE_ASK, &ctx->ask);
    if (!ctx->ask.present) {
        choose_ask(ctx);
    }
    load_ca(&in->ark, SEV_USAGE_ARK, &ctx->ark);
    if (!ctx->ark.present) {
        choose_ark(ctx);
    }
}

void sev_unload(struct sev_ctx *ctx)
{
    EVP_PKEY_free(ctx->ark.key);
    EVP_PKEY_free(ctx->ask.key);
    for (size_t i = 0; i < SEV_ROLE_COUNT; i++) {
        EVP_PKEY_free(ctx->part[i].key);
    }
}
