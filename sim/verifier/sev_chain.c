/* SPDX-License-Identifier: Apache-2.0 */
#include "sev_check.h"

#include <string.h>

/* ---- ARK and ASK ---- */

static void check_ca_format(struct sev_ctx *ctx, enum sev_check me,
                            struct sev_ca *ca, uint32_t usage)
{
    char why[SEV_WHY_SIZE];

    if (!ca->present) {
        sev_fail(ctx, me, "no %s certificate was presented",
                 sev_usage_name(usage));
    } else if (ca->data == NULL) {
        sev_fail(ctx, me,
                 "not a certificate in AMD's format, nor two in a row "
                 "of which one is of this usage");
    } else if (!sev_ca_check(&ca->cert, usage, &ca->key, why)) {
        sev_fail(ctx, me, "%s", why);
    } else {
        ca->usable = true;
        sev_pass(ctx, me);
    }
}

static bool is_trusted(const struct sev_ctx *ctx)
{
    const struct sev_ca *ark = &ctx->ark;

    for (size_t i = 0; i < ctx->trusted_count; i++) {
        const struct sev_ca *root = &ctx->trusted[i];

        if (root->cert.key_usage == SEV_USAGE_ARK && root->size == ark->size &&
            memcmp(root->data, ark->data, ark->size) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_root(const struct sev_ctx *ctx)
{
    for (size_t i = 0; i < ctx->trusted_count; i++) {
        if (ctx->trusted[i].cert.key_usage == SEV_USAGE_ARK) {
            return true;
        }
    }
    return false;
}

static void check_ark_root(struct sev_ctx *ctx)
{
    const enum sev_check me = SEV_CHECK_ARK_ROOT;

    if (ctx->in->trusted_ark.data == NULL) {
        sev_fail(ctx, me, "no root is trusted");
    } else if (ctx->trusted_bad) {
        sev_fail(ctx, me, "the trusted root is no certificate in AMD's format");
    } else if (!has_root(ctx)) {
        sev_fail(ctx, me, "the trusted file has no ARK");
    } else if (ctx->ark.data == NULL) {
        sev_skip(ctx, me, "the ARK cannot be read");
    } else if (!is_trusted(ctx)) {
        sev_fail(ctx, me, "the ARK is not the trusted one");
    } else {
        sev_pass(ctx, me);
    }
}

/* KEY_IDs first: they say better what was mixed up. */
static void check_ca_signature(struct sev_ctx *ctx, enum sev_check me,
                               const struct sev_ca *child)
{
    struct sev_signer signer = sev_signer_ca(&ctx->ark);
    char why[SEV_WHY_SIZE];

    if (child->data == NULL || !ctx->ark.usable) {
        sev_skip(ctx, me, "the %s cannot be used",
                 child->data == NULL ? "certificate" : "ARK");
    } else if (memcmp(child->cert.certifying_id, ctx->ark.cert.key_id,
                      SEV_AMD_ID_SIZE) != 0) {
        sev_fail(ctx, me, "CERTIFYING_ID is not the ARK's KEY_ID");
    } else if (!sev_ca_signed_by(child->data, &child->cert, &signer, why)) {
        sev_fail(ctx, me, "%s", why);
    } else {
        sev_pass(ctx, me);
    }
}

void sev_check_product(struct sev_ctx *ctx)
{
    const enum sev_check me = SEV_CHECK_PRODUCT;
    enum psp_generation got = PSP_GENERATION_COUNT;

    if (ctx->ark.data != NULL) {
        got = sev_product_of_ark(ctx->ark.cert.key_id);
    }
    ctx->result->product = got;
    if (ctx->policy->product == NULL) {
        sev_skip(ctx, me, "not asked for");
    } else if (ctx->ark.data == NULL) {
        sev_skip(ctx, me, "the ARK cannot be read");
    } else if (got != *ctx->policy->product || got == PSP_GENERATION_COUNT) {
        sev_fail(ctx, me, "the ARK is for %s, not for %s",
                 got < PSP_GENERATION_COUNT ? psp_generation_name(got)
                                            : "an unknown product",
                 *ctx->policy->product < PSP_GENERATION_COUNT
                     ? psp_generation_name(*ctx->policy->product)
                     : "an unknown product");
    } else {
        sev_pass(ctx, me);
    }
}

void sev_check_cas(struct sev_ctx *ctx)
{
    check_ca_format(ctx, SEV_CHECK_ARK_FORMAT, &ctx->ark, SEV_USAGE_ARK);
    check_ark_root(ctx);
    check_ca_signature(ctx, SEV_CHECK_ARK_SIGNATURE, &ctx->ark);
    check_ca_format(ctx, SEV_CHECK_ASK_FORMAT, &ctx->ask, SEV_USAGE_ASK);
    check_ca_signature(ctx, SEV_CHECK_ASK_SIGNATURE, &ctx->ask);
}

/* ---- CEK, OCA, PEK, PDH ---- */

static void check_part_format(struct sev_ctx *ctx, enum sev_check me,
                              enum sev_role role)
{
    struct sev_part *part = &ctx->part[role];
    char why[SEV_WHY_SIZE];

    if (part->blob->data == NULL && role == SEV_ROLE_PDH) {
        sev_skip(ctx, me, "no PDH certificate was presented");
    } else if (part->blob->data == NULL) {
        sev_fail(ctx, me, "no %s certificate was presented",
                 sev_role_name(role));
    } else if (!part->decoded) {
        sev_fail(ctx, me, "%zu bytes are not the %u of a certificate",
                 part->blob->size, SEV_CERT_SIZE);
    } else if (!sev_part_check(&part->cert, role, &part->key, &part->rsa_size,
                               why)) {
        sev_fail(ctx, me, "%s", why);
    } else {
        part->usable = true;
        sev_pass(ctx, me);
    }
}

static void check_part_signature(struct sev_ctx *ctx, enum sev_check me,
                                 enum sev_role role, bool usable,
                                 const struct sev_signer *signer,
                                 const char *signer_name)
{
    const struct sev_part *part = &ctx->part[role];
    char why[SEV_WHY_SIZE];

    if (!part->decoded) {
        sev_skip(ctx, me, "there is no %s to read", sev_role_name(role));
    } else if (!usable) {
        sev_skip(ctx, me, "the %s cannot be used", signer_name);
    } else if (!sev_signed_by(part->blob->data, &part->cert, signer, why)) {
        sev_fail(ctx, me, "%s", why);
    } else {
        sev_pass(ctx, me);
    }
}

static void check_by_part(struct sev_ctx *ctx, enum sev_check me,
                          enum sev_role role, enum sev_role by)
{
    const struct sev_part *part = &ctx->part[by];
    struct sev_signer signer = sev_signer_part(part);

    check_part_signature(ctx, me, role, part->usable, &signer,
                         sev_role_name(by));
}

void sev_check_parts(struct sev_ctx *ctx)
{
    struct sev_signer ask = sev_signer_ca(&ctx->ask);

    check_part_format(ctx, SEV_CHECK_CEK_FORMAT, SEV_ROLE_CEK);
    check_part_signature(ctx, SEV_CHECK_CEK_SIGNATURE, SEV_ROLE_CEK,
                         ctx->ask.usable, &ask, "ASK");
    check_part_format(ctx, SEV_CHECK_OCA_FORMAT, SEV_ROLE_OCA);
    check_by_part(ctx, SEV_CHECK_OCA_SIGNATURE, SEV_ROLE_OCA, SEV_ROLE_OCA);
    check_part_format(ctx, SEV_CHECK_PEK_FORMAT, SEV_ROLE_PEK);
    check_by_part(ctx, SEV_CHECK_PEK_BY_CEK, SEV_ROLE_PEK, SEV_ROLE_CEK);
    check_by_part(ctx, SEV_CHECK_PEK_BY_OCA, SEV_ROLE_PEK, SEV_ROLE_OCA);
    check_part_format(ctx, SEV_CHECK_PDH_FORMAT, SEV_ROLE_PDH);
    check_by_part(ctx, SEV_CHECK_PDH_SIGNATURE, SEV_ROLE_PDH, SEV_ROLE_PEK);
}

/* ---- pins ---- */

/* The key counts, not the certificate: firmware exports a CEK without the
 * signature that the key service adds, and an import signs a PEK anew. */
static bool same_key(const struct sev_cert *a, const struct sev_cert *b)
{
    return a->pubkey_usage == b->pubkey_usage &&
           a->pubkey_algo == b->pubkey_algo &&
           memcmp(a->pubkey, b->pubkey, sizeof(a->pubkey)) == 0;
}

static void check_pin(struct sev_ctx *ctx, enum sev_check me,
                      enum sev_role role, const struct verify_blob *pin)
{
    const struct sev_part *part = &ctx->part[role];
    struct sev_cert want;

    if (pin->data == NULL) {
        sev_skip(ctx, me, "not asked for");
    } else if (sev_cert_decode(pin->data, pin->size, &want) != PSP_OK ||
               want.pubkey_usage != sev_role_usage(role)) {
        sev_fail(ctx, me, "what is expected is no %s certificate",
                 sev_role_name(role));
    } else if (!part->decoded) {
        sev_skip(ctx, me, "there is no %s to read", sev_role_name(role));
    } else if (!same_key(&want, &part->cert)) {
        sev_fail(ctx, me, "the %s is not the expected one",
                 sev_role_name(role));
    } else {
        sev_pass(ctx, me);
    }
}

void sev_check_pins(struct sev_ctx *ctx)
{
    check_pin(ctx, SEV_CHECK_CEK_PIN, SEV_ROLE_CEK, &ctx->policy->cek_pin);
    check_pin(ctx, SEV_CHECK_PEK_PIN, SEV_ROLE_PEK, &ctx->policy->pek_pin);
    check_pin(ctx, SEV_CHECK_OCA_PIN, SEV_ROLE_OCA, &ctx->policy->oca_pin);
}
