/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

/* A critical extension can change what a list means (delta, indirect, partial);
 * AMD's have none. */
static bool no_critical(X509_CRL *crl, char *why)
{
    STACK_OF(X509_REVOKED) *list = X509_CRL_get_REVOKED(crl);

    for (int i = 0; i < X509_CRL_get_ext_count(crl); i++) {
        if (X509_EXTENSION_get_critical(X509_CRL_get_ext(crl, i))) {
            snprintf(why, WHY_SIZE,
                     "the CRL has an unknown critical extension");
            return false;
        }
    }
    for (int i = 0; i < sk_X509_REVOKED_num(list); i++) {
        const X509_REVOKED *entry = sk_X509_REVOKED_value(list, i);

        for (int k = 0; k < X509_REVOKED_get_ext_count(entry); k++) {
            if (X509_EXTENSION_get_critical(X509_REVOKED_get_ext(entry, k))) {
                snprintf(why, WHY_SIZE,
                         "a CRL entry has an unknown critical extension");
                return false;
            }
        }
    }
    return true;
}

static bool crl_signed(X509_CRL *crl, X509 *ark, char *why)
{
    const X509_ALGOR *outer = NULL;
    EVP_PKEY *key = X509_get0_pubkey(ark);
    bool ok;

    X509_CRL_get0_signature(crl, NULL, &outer);
    if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(ark)) !=
        0) {
        snprintf(why, WHY_SIZE, "the CRL is not the root's");
        return false;
    }
    if ((X509_get_key_usage(ark) & KU_CRL_SIGN) == 0) {
        snprintf(why, WHY_SIZE, "the root may not sign CRLs");
        return false;
    }
    if (cert_pss_form(outer) == 0) {
        snprintf(why, WHY_SIZE,
                 "the CRL's signature algorithm is not AMD's RSASSA-PSS");
        return false;
    }
    /* Compares the inner algorithm with the outer one, too. */
    ok = key != NULL && X509_CRL_verify(crl, key) == 1;
    ERR_clear_error();
    if (!ok) {
        snprintf(why, WHY_SIZE, "the CRL's signature does not verify");
    }
    return ok;
}

static bool crl_current(const X509_CRL *crl, time_t now, char *why)
{
    const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
    int begin, end;

    if (now == 0) {
        return true;
    }
    begin = ASN1_TIME_cmp_time_t(X509_CRL_get0_lastUpdate(crl), now);
    end = next != NULL ? ASN1_TIME_cmp_time_t(next, now) : 1;
    if (begin == -2 || end == -2 || begin > 0 || end < 0) {
        snprintf(why, WHY_SIZE, "the CRL is %s",
                 begin == -2 || end == -2 ? "malformed"
                 : end < 0                ? "out of date"
                                          : "from the future");
        return false;
    }
    return true;
}

static bool listed(X509_CRL *crl, X509 *x)
{
    X509_REVOKED *entry = NULL;

    return X509_CRL_get0_by_serial(crl, &entry, X509_get0_serialNumber(x)) != 0;
}

static bool revocation_ok(struct verify_ctx *ctx, char *why)
{
    if (!crl_signed(ctx->crl, ctx->root, why) || !no_critical(ctx->crl, why) ||
        !crl_current(ctx->crl, ctx->policy->now, why)) {
        return false;
    }
    if (listed(ctx->crl, ctx->ask)) {
        snprintf(why, WHY_SIZE, "the %s is revoked",
                 cert_kind_name(cert_kind(ctx->ask, NULL)));
        return false;
    }
    if (listed(ctx->crl, ctx->root)) {
        snprintf(why, WHY_SIZE, "the ARK is revoked");
        return false;
    }
    return true;
}

void check_revocation(struct verify_ctx *ctx)
{
    const enum verify_check me = VERIFY_REVOCATION;
    char why[WHY_SIZE];

    if (ctx->crl_load == LOAD_ABSENT) {
        check_skip(ctx, me, "no CRL was given");
    } else if (ctx->crl_load == LOAD_BAD) {
        check_fail(ctx, me, "the CRL is no single CRL in PEM or DER");
    } else if (ctx->root == NULL || ctx->ask == NULL) {
        check_skip(ctx, me, "the chain is incomplete");
    } else if (!revocation_ok(ctx, why)) {
        check_fail(ctx, me, "%s", why);
    } else {
        check_pass(ctx, me);
    }
}
