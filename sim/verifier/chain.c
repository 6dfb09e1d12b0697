/* SPDX-License-Identifier: Apache-2.0 */
#include "blocks.h"
#include "check.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <string.h>

static bool self_issued(const X509 *x)
{
    return X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) ==
           0;
}

static bool same_cert(const uint8_t *der, size_t size, X509 *x)
{
    uint8_t *other = NULL;
    int n = i2d_X509(x, &other);
    bool same = n > 0 && (size_t)n == size && memcmp(other, der, size) == 0;

    OPENSSL_free(other);
    return same;
}

static enum verify_load load_cert(const struct verify_blob *blob, X509 **out)
{
    struct block_list list;
    enum verify_load load = LOAD_BAD;

    if (blob->data == NULL) {
        return LOAD_ABSENT;
    }
    if (blocks_read(blob->data, blob->size, &list) == PSP_OK &&
        list.count == 1 && list.item[0].kind == BLOCK_CERT) {
        *out = block_cert(list.item[0].der, list.item[0].size);
        load = *out != NULL ? LOAD_OK : LOAD_BAD;
    }
    blocks_clear(&list);
    return load;
}

static enum verify_load load_crl(const struct verify_blob *blob, X509_CRL **out)
{
    struct block_list list;
    enum verify_load load = LOAD_BAD;

    if (blob->data == NULL) {
        return LOAD_ABSENT;
    }
    if (blocks_read(blob->data, blob->size, &list) == PSP_OK &&
        list.count == 1 && list.item[0].kind == BLOCK_CRL) {
        *out = block_crl(list.item[0].der, list.item[0].size);
        load = *out != NULL ? LOAD_OK : LOAD_BAD;
    }
    blocks_clear(&list);
    return load;
}

/* How well a trusted root fits the evidence: the evidence chooses among what is
 * trusted, never beyond. */
static int fitness(const struct verify_ctx *ctx, const struct block *b, X509 *x)
{
    if (ctx->ark != NULL && same_cert(b->der, b->size, ctx->ark)) {
        return 3;
    }
    if (ctx->ask != NULL && X509_NAME_cmp(X509_get_issuer_name(ctx->ask),
                                          X509_get_subject_name(x)) == 0) {
        return 2;
    }
    return 1;
}

/* The trusted file may be a chain or a bundle; only self-issued certificates in
 * it are roots. */
static enum verify_load load_root(struct verify_ctx *ctx)
{
    const struct verify_blob *blob = &ctx->in->trusted_ark;
    struct block_list list;
    int best = 0;

    if (blob->data == NULL) {
        return LOAD_ABSENT;
    }
    if (blocks_read(blob->data, blob->size, &list) != PSP_OK) {
        blocks_clear(&list);
        return LOAD_BAD;
    }
    for (size_t i = 0; i < list.count; i++) {
        struct block *b = &list.item[i];
        X509 *x = b->kind == BLOCK_CERT ? block_cert(b->der, b->size) : NULL;
        int fit = x != NULL && self_issued(x) ? fitness(ctx, b, x) : 0;

        if (fit > best) {
            X509_free(ctx->root);
            ctx->root = x;
            x = NULL;
            best = fit;
        }
        X509_free(x);
    }
    blocks_clear(&list);
    return LOAD_OK;
}

void chain_load(struct verify_ctx *ctx)
{
    ctx->ark_load = load_cert(&ctx->in->ark, &ctx->ark);
    ctx->ask_load = load_cert(&ctx->in->ask, &ctx->ask);
    ctx->leaf_load = load_cert(&ctx->in->leaf, &ctx->leaf);
    ctx->crl_load = load_crl(&ctx->in->crl, &ctx->crl);
    ctx->root_load = load_root(ctx);
    ctx->have_info =
        ctx->leaf != NULL && leaf_read(ctx->leaf, &ctx->info, ctx->info_why);
}

void chain_unload(struct verify_ctx *ctx)
{
    X509_free(ctx->root);
    X509_free(ctx->ark);
    X509_free(ctx->ask);
    X509_free(ctx->leaf);
    X509_CRL_free(ctx->crl);
    ERR_clear_error();
}

static bool root_is_ark(struct verify_ctx *ctx, char *why)
{
    if (cert_kind(ctx->root, NULL) != CERT_ARK) {
        snprintf(why, WHY_SIZE, "common name is not ARK-<product>");
        return false;
    }
    return cert_is_ca(ctx->root, 1, why) &&
           cert_issued_by(ctx->root, ctx->root, why);
}

static bool same_as_root(struct verify_ctx *ctx)
{
    uint8_t *der = NULL;
    int n = i2d_X509(ctx->root, &der);
    bool same = n > 0 && same_cert(der, (size_t)n, ctx->ark);

    OPENSSL_free(der);
    return same;
}

void check_ark_root(struct verify_ctx *ctx)
{
    const enum verify_check me = VERIFY_ARK_ROOT;
    char why[WHY_SIZE];

    if (ctx->root_load == LOAD_ABSENT) {
        check_fail(ctx, me, "no root of trust was given");
    } else if (ctx->root_load == LOAD_BAD) {
        check_fail(ctx, me,
                   "the root of trust is no certificate in PEM or DER");
    } else if (ctx->root == NULL) {
        check_fail(ctx, me,
                   "the root of trust holds no self-signed certificate");
    } else if (!root_is_ark(ctx, why)) {
        check_fail(ctx, me, "trusted root: %s", why);
    } else if (ctx->ark_load == LOAD_BAD) {
        check_fail(ctx, me, "the ARK presented is no certificate");
    } else if (ctx->ark_load == LOAD_OK && !same_as_root(ctx)) {
        check_fail(ctx, me, "the ARK presented is not the trusted root");
    } else {
        check_pass(ctx, me);
    }
}

static bool ask_ok(struct verify_ctx *ctx, char *why)
{
    enum psp_generation product, root_product;
    enum cert_kind kind = cert_kind(ctx->ask, &product);

    if (kind != CERT_ASK && kind != CERT_ASVK) {
        snprintf(why, WHY_SIZE,
                 "common name is neither SEV-<product> nor SEV-VLEK-<product>");
        return false;
    }
    (void)cert_kind(ctx->root, &root_product);
    if (product != root_product) {
        snprintf(why, WHY_SIZE, "product is %s, the root's is %s",
                 psp_generation_name(product),
                 psp_generation_name(root_product));
        return false;
    }
    return cert_name_is_amds(X509_get_subject_name(ctx->ask), why) &&
           cert_is_ca(ctx->ask, 0, why) && cert_is_ca(ctx->root, 1, why) &&
           cert_issued_by(ctx->ask, ctx->root, why);
}

void check_ask_signature(struct verify_ctx *ctx)
{
    const enum verify_check me = VERIFY_ASK_SIGNATURE;
    char why[WHY_SIZE];

    if (ctx->ask_load == LOAD_ABSENT) {
        check_fail(ctx, me, "no ASK or ASVK was presented");
    } else if (ctx->ask_load == LOAD_BAD) {
        check_fail(ctx, me, "the ASK is no single certificate in PEM or DER");
    } else if (ctx->root == NULL) {
        check_skip(ctx, me, "there is no root to check it against");
    } else if (!ask_ok(ctx, why)) {
        check_fail(ctx, me, "%s", why);
    } else {
        check_pass(ctx, me);
    }
}

static bool leaf_signed(struct verify_ctx *ctx, char *why)
{
    enum cert_kind issuer = cert_kind(ctx->ask, NULL);
    enum cert_kind kind = cert_kind(ctx->leaf, NULL);

    if ((kind == CERT_VCEK && issuer != CERT_ASK) ||
        (kind == CERT_VLEK && issuer != CERT_ASVK)) {
        snprintf(why, WHY_SIZE, "a %s must come from an %s, the issuer is: %s",
                 cert_kind_name(kind),
                 cert_kind_name(kind == CERT_VCEK ? CERT_ASK : CERT_ASVK),
                 cert_kind_name(issuer));
        return false;
    }
    return cert_is_ca(ctx->ask, 0, why) &&
           cert_issued_by(ctx->leaf, ctx->ask, why);
}

void check_leaf_signature(struct verify_ctx *ctx)
{
    const enum verify_check me = VERIFY_LEAF_SIGNATURE;
    char why[WHY_SIZE];

    if (ctx->leaf_load == LOAD_ABSENT) {
        check_fail(ctx, me, "no VCEK or VLEK was presented");
    } else if (ctx->leaf_load == LOAD_BAD) {
        check_fail(ctx, me, "the leaf is no single certificate in PEM or DER");
    } else if (ctx->ask == NULL) {
        check_skip(ctx, me, "there is no ASK to check it against");
    } else if (!leaf_signed(ctx, why)) {
        check_fail(ctx, me, "%s", why);
    } else {
        check_pass(ctx, me);
    }
}

static bool profile_ok(struct verify_ctx *ctx, char *why)
{
    enum psp_generation product;

    if (!cert_is_end_entity(ctx->leaf, why) ||
        !cert_name_is_amds(X509_get_subject_name(ctx->leaf), why)) {
        return false;
    }
    if (!ctx->have_info) {
        memcpy(why, ctx->info_why, WHY_SIZE);
        return false;
    }
    (void)cert_kind_of_name(X509_get_issuer_name(ctx->leaf), &product);
    if (product != ctx->info.generation) {
        snprintf(why, WHY_SIZE,
                 "productName is %.16s, but the issuer is for %s",
                 ctx->info.product_name, psp_generation_name(product));
        return false;
    }
    return true;
}

void check_leaf_profile(struct verify_ctx *ctx)
{
    const enum verify_check me = VERIFY_LEAF_PROFILE;
    char why[WHY_SIZE];

    if (ctx->leaf == NULL) {
        check_skip(ctx, me, "there is no leaf certificate");
    } else if (!profile_ok(ctx, why)) {
        check_fail(ctx, me, "%s", why);
    } else {
        check_pass(ctx, me);
    }
}

static bool valid_at(const X509 *x, time_t now, const char *name, char *why)
{
    int begin = ASN1_TIME_cmp_time_t(X509_get0_notBefore(x), now);
    int end = ASN1_TIME_cmp_time_t(X509_get0_notAfter(x), now);

    if (begin == -2 || end == -2) {
        snprintf(why, WHY_SIZE, "validity of the %s is malformed", name);
        return false;
    }
    if (begin > 0 || end < 0) {
        snprintf(why, WHY_SIZE, "the %s %s", name,
                 end < 0 ? "has expired" : "is not valid yet");
        return false;
    }
    return true;
}

void check_validity(struct verify_ctx *ctx)
{
    const enum verify_check me = VERIFY_VALIDITY;
    time_t now = ctx->policy->now;
    char why[WHY_SIZE];

    if (now == 0) {
        check_skip(ctx, me, "no time to judge it by");
    } else if (ctx->root == NULL || ctx->ask == NULL || ctx->leaf == NULL) {
        check_skip(ctx, me, "the chain is incomplete");
    } else if (!valid_at(ctx->root, now, "ARK", why) ||
               !valid_at(ctx->ask, now,
                         cert_kind_name(cert_kind(ctx->ask, NULL)), why) ||
               !valid_at(ctx->leaf, now,
                         cert_kind_name(cert_kind(ctx->leaf, NULL)), why)) {
        check_fail(ctx, me, "%s", why);
    } else {
        check_pass(ctx, me);
    }
}
