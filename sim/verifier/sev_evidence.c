/* SPDX-License-Identifier: Apache-2.0 */
#include "sev_check.h"

#include "wire.h"

#include <openssl/crypto.h>

#include <inttypes.h>
#include <string.h>

#define NUM_TAIL (SEV_CERT_NUM_SIZE - SEV_EC_SIZE)

/* ---- report ---- */

static bool tails_zero(const struct sev_report *r)
{
    return psp_all_zero(r->r + SEV_EC_SIZE, NUM_TAIL) &&
           psp_all_zero(r->s + SEV_EC_SIZE, NUM_TAIL);
}

static void check_report_format(struct sev_ctx *ctx)
{
    const enum sev_check me = SEV_CHECK_REPORT_FORMAT;
    const struct verify_blob *blob = &ctx->in->report;
    const struct sev_report *r = &ctx->report;

    if (blob->data == NULL) {
        sev_skip(ctx, me, "no report was presented");
    } else if (blob->size != SEV_REPORT_SIZE) {
        sev_fail(ctx, me, "%zu bytes are not the %u of a report", blob->size,
                 SEV_REPORT_SIZE);
    } else if (r->reserved != 0) {
        sev_fail(ctx, me, "the reserved bytes at 0x3c are not zero");
    } else if ((r->policy & SEV_POLICY_RESERVED) != 0) {
        sev_fail(ctx, me, "POLICY 0x%" PRIx32 " has reserved bits set",
                 r->policy);
    } else if (!tails_zero(r)) {
        sev_fail(ctx, me, "bytes behind R or S are not zero");
    } else {
        sev_pass(ctx, me);
    }
}

static void check_report_empty(struct sev_ctx *ctx)
{
    const enum sev_check me = SEV_CHECK_REPORT_EMPTY;
    const struct verify_blob *blob = &ctx->in->report;

    if (blob->data == NULL || blob->size != SEV_REPORT_SIZE) {
        sev_skip(ctx, me, "there is no report to read");
    } else if (psp_all_zero(blob->data, blob->size)) {
        sev_fail(ctx, me, "all %u bytes are zero: no report was made",
                 SEV_REPORT_SIZE);
    } else {
        ctx->have_report = true;
        sev_pass(ctx, me);
    }
}

static void check_report_signer(struct sev_ctx *ctx)
{
    const enum sev_check me = SEV_CHECK_REPORT_SIGNER;
    const struct sev_report *r = &ctx->report;

    if (!ctx->have_report) {
        sev_skip(ctx, me, "there is no report to read");
    } else if (r->sig_usage != SEV_USAGE_PEK) {
        sev_fail(ctx, me, "SIG_USAGE is 0x%" PRIx32 " (%s), not the PEK's",
                 r->sig_usage, sev_usage_name(r->sig_usage));
    } else if (r->sig_algo != SEV_ALGO_ECDSA_SHA256) {
        sev_fail(ctx, me, "SIG_ALGO is 0x%" PRIx32 ", not ECDSA with SHA-256",
                 r->sig_algo);
    } else {
        sev_pass(ctx, me);
    }
}

static void check_report_signature(struct sev_ctx *ctx)
{
    const enum sev_check me = SEV_CHECK_REPORT_SIGNATURE;
    const struct sev_part *pek = &ctx->part[SEV_ROLE_PEK];
    uint8_t r[SEV_EC_SIZE];
    uint8_t s[SEV_EC_SIZE];

    if (!ctx->have_report) {
        sev_skip(ctx, me, "there is no report to read");
    } else if (!pek->usable) {
        sev_skip(ctx, me, "the PEK cannot be used");
    } else if (!sev_number_get(ctx->report.r, r) ||
               !sev_number_get(ctx->report.s, s) ||
               !sev_key_verify_ecdsa(pek->key, SEV_ALGO_ECDSA_SHA256,
                                     ctx->in->report.data,
                                     SEV_REPORT_SIGNED_SIZE, r, s)) {
        sev_fail(ctx, me, "the signature is not the PEK's");
    } else {
        sev_pass(ctx, me);
    }
}

void sev_check_report(struct sev_ctx *ctx)
{
    const struct verify_blob *blob = &ctx->in->report;

    if (blob->data != NULL &&
        sev_report_decode(blob->data, blob->size, &ctx->report) != PSP_OK) {
        memset(&ctx->report, 0, sizeof(ctx->report));
    }
    check_report_format(ctx);
    check_report_empty(ctx);
    check_report_signer(ctx);
    check_report_signature(ctx);
}

/* ---- expectations ---- */

/* True (and the line is set) if there is nothing to hold against it. */
static bool settled(struct sev_ctx *ctx, enum sev_check me, bool asked,
                    bool in_measurement)
{
    if (!asked) {
        sev_skip(ctx, me, "not asked for");
    } else if (ctx->in->report.data == NULL && in_measurement &&
               ctx->in->measurement.data != NULL) {
        sev_skip(ctx, me, "no report was presented; the measurement covers it");
    } else if (ctx->in->report.data == NULL) {
        sev_fail(ctx, me, "no report was presented");
    } else if (!ctx->have_report) {
        sev_skip(ctx, me, "there is no report to read");
    } else {
        return false;
    }
    return true;
}

static void check_mnonce(struct sev_ctx *ctx)
{
    const enum sev_check me = SEV_CHECK_MNONCE;
    const uint8_t *want = ctx->policy->mnonce;

    if (settled(ctx, me, want != NULL, false)) {
        return;
    }
    if (memcmp(want, ctx->report.mnonce, SEV_MNONCE_SIZE) != 0) {
        sev_fail(ctx, me, "MNONCE is not the expected one");
    } else {
        sev_pass(ctx, me);
    }
}

static void check_launch_digest(struct sev_ctx *ctx)
{
    const enum sev_check me = SEV_CHECK_LAUNCH_DIGEST;
    const struct sev_verify_policy *p = ctx->policy;

    if (settled(ctx, me, p->launch_digest_count > 0, true)) {
        return;
    }
    for (size_t i = 0; i < p->launch_digest_count; i++) {
        if (memcmp(p->launch_digest[i], ctx->report.launch_digest,
                   SEV_DIGEST_SIZE) == 0) {
            sev_pass(ctx, me);
            return;
        }
    }
    sev_fail(ctx, me, "LAUNCH_DIGEST is %s",
             psp_all_zero(ctx->report.launch_digest, SEV_DIGEST_SIZE)
                 ? "zero: the guest was received, not launched here"
                 : "none of those expected");
}

static void check_policy(struct sev_ctx *ctx)
{
    const enum sev_check me = SEV_CHECK_POLICY;
    const struct sev_verify_policy *p = ctx->policy;

    if (settled(ctx, me, p->policy != NULL, true)) {
        return;
    }
    if (((*p->policy ^ ctx->report.policy) & p->policy_mask) != 0) {
        sev_fail(ctx, me,
                 "POLICY is 0x%" PRIx32 ", not 0x%" PRIx32
                 " in the bits 0x%" PRIx32,
                 ctx->report.policy, *p->policy, p->policy_mask);
    } else {
        sev_pass(ctx, me);
    }
}

void sev_check_expectations(struct sev_ctx *ctx)
{
    check_mnonce(ctx);
    check_launch_digest(ctx);
    check_policy(ctx);
}

/* ---- launch measurement ---- */

/* From API 0.17 on the version is part of it. abi/sev.md §7.3 */
static bool has_version(const struct sev_measure_key *m)
{
    return m->api_major > 0 || m->api_minor >= 17;
}

static bool measure_is(const struct sev_ctx *ctx,
                       const uint8_t digest[SEV_DIGEST_SIZE])
{
    const struct sev_measure_key *m = ctx->policy->measure;
    const uint8_t *blob = ctx->in->measurement.data;
    uint8_t msg[4 + 4 + SEV_DIGEST_SIZE + SEV_MNONCE_SIZE];
    struct psp_wr w = psp_wr(msg, sizeof(msg));
    uint8_t mac[SEV_MAC_SIZE];

    if (has_version(m)) {
        psp_wr_u8(&w, SEV_MAC_MEASURE);
        psp_wr_u8(&w, m->api_major);
        psp_wr_u8(&w, m->api_minor);
        psp_wr_u8(&w, m->build);
    }
    psp_wr_le32(&w, *ctx->policy->policy);
    psp_wr_bytes(&w, digest, SEV_DIGEST_SIZE);
    psp_wr_bytes(&w, blob + SEV_MAC_SIZE, SEV_MNONCE_SIZE);
    return sev_key_hmac(m->tik, msg, w.pos, mac) &&
           CRYPTO_memcmp(mac, blob, sizeof(mac)) == 0;
}

void sev_check_measurement(struct sev_ctx *ctx)
{
    const enum sev_check me = SEV_CHECK_MEASUREMENT;
    const struct verify_blob *blob = &ctx->in->measurement;
    const struct sev_verify_policy *p = ctx->policy;

    if (blob->data == NULL && p->measure == NULL) {
        sev_skip(ctx, me, "not asked for");
        return;
    }
    if (blob->data == NULL) {
        sev_fail(ctx, me, "no launch measurement was presented");
        return;
    }
    if (blob->size != SEV_MEASURE_BLOB_SIZE) {
        sev_fail(ctx, me, "%zu bytes are not the %u of a launch measurement",
                 blob->size, SEV_MEASURE_BLOB_SIZE);
        return;
    }
    if (p->measure == NULL || p->policy == NULL ||
        p->launch_digest_count == 0) {
        sev_fail(ctx, me, "it cannot be judged without %s",
                 p->measure == NULL  ? "the TIK and the firmware's version"
                 : p->policy == NULL ? "the guest policy"
                                     : "a launch digest");
        return;
    }
    for (size_t i = 0; i < p->launch_digest_count; i++) {
        if (measure_is(ctx, p->launch_digest[i])) {
            sev_pass(ctx, me);
            return;
        }
    }
    sev_fail(ctx, me, "MEASURE is not the HMAC of what is expected");
}
