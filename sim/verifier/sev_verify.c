/* SPDX-License-Identifier: Apache-2.0 */
#include "sev_check.h"
#include "simulated.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What makes a check mandatory. */
enum need { NEED_ALWAYS, NEED_PDH, NEED_REPORT, NEED_MEASUREMENT, NEED_ASKED };

static const struct {
    const char *name;
    enum need need;
} CHECKS[SEV_CHECK_COUNT] = {
    [SEV_CHECK_ARK_FORMAT] = {"ark-format", NEED_ALWAYS},
    [SEV_CHECK_ARK_ROOT] = {"ark-root", NEED_ALWAYS},
    [SEV_CHECK_ARK_SIGNATURE] = {"ark-signature", NEED_ALWAYS},
    [SEV_CHECK_ASK_FORMAT] = {"ask-format", NEED_ALWAYS},
    [SEV_CHECK_ASK_SIGNATURE] = {"ask-signature", NEED_ALWAYS},
    [SEV_CHECK_PRODUCT] = {"product", NEED_ASKED},
    [SEV_CHECK_CEK_FORMAT] = {"cek-format", NEED_ALWAYS},
    [SEV_CHECK_CEK_SIGNATURE] = {"cek-signature", NEED_ALWAYS},
    [SEV_CHECK_OCA_FORMAT] = {"oca-format", NEED_ALWAYS},
    [SEV_CHECK_OCA_SIGNATURE] = {"oca-signature", NEED_ALWAYS},
    [SEV_CHECK_PEK_FORMAT] = {"pek-format", NEED_ALWAYS},
    [SEV_CHECK_PEK_BY_CEK] = {"pek-cek-signature", NEED_ALWAYS},
    [SEV_CHECK_PEK_BY_OCA] = {"pek-oca-signature", NEED_ALWAYS},
    [SEV_CHECK_PDH_FORMAT] = {"pdh-format", NEED_PDH},
    [SEV_CHECK_PDH_SIGNATURE] = {"pdh-signature", NEED_PDH},
    [SEV_CHECK_CEK_PIN] = {"cek-pin", NEED_ASKED},
    [SEV_CHECK_PEK_PIN] = {"pek-pin", NEED_ASKED},
    [SEV_CHECK_OCA_PIN] = {"oca-pin", NEED_ASKED},
    [SEV_CHECK_REPORT_FORMAT] = {"report-format", NEED_REPORT},
    [SEV_CHECK_REPORT_EMPTY] = {"report-empty", NEED_REPORT},
    [SEV_CHECK_REPORT_SIGNER] = {"report-signer", NEED_REPORT},
    [SEV_CHECK_REPORT_SIGNATURE] = {"report-signature", NEED_REPORT},
    [SEV_CHECK_MNONCE] = {"mnonce", NEED_ASKED},
    [SEV_CHECK_LAUNCH_DIGEST] = {"launch-digest", NEED_ASKED},
    [SEV_CHECK_POLICY] = {"policy", NEED_ASKED},
    [SEV_CHECK_MEASUREMENT] = {"measurement", NEED_MEASUREMENT},
};

const char *sev_check_name(enum sev_check check)
{
    return (unsigned int)check < SEV_CHECK_COUNT ? CHECKS[check].name
                                                 : "unknown";
}

void sev_pass(struct sev_ctx *ctx, enum sev_check check)
{
    ctx->result->line[check].verdict = VERIFY_PASS;
}

static void set(struct verify_line *line, enum verify_verdict verdict,
                const char *fmt, va_list ap)
{
    line->verdict = verdict;
    vsnprintf(line->reason, sizeof(line->reason), fmt, ap);
}

void sev_fail(struct sev_ctx *ctx, enum sev_check check, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    set(&ctx->result->line[check], VERIFY_FAIL, fmt, ap);
    va_end(ap);
}

void sev_skip(struct sev_ctx *ctx, enum sev_check check, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    set(&ctx->result->line[check], VERIFY_SKIPPED, fmt, ap);
    va_end(ap);
}

static bool needed(const struct sev_verify_input *in, enum need need)
{
    switch (need) {
    case NEED_ALWAYS:
        return true;
    case NEED_PDH:
        return in->pdh.data != NULL;
    case NEED_REPORT:
        return in->report.data != NULL;
    case NEED_MEASUREMENT:
        return in->measurement.data != NULL;
    default:
        return false; /* what was asked for passes, fails, or was skipped
                         because something needed has failed */
    }
}

static bool accepted(const struct sev_ctx *ctx)
{
    for (size_t i = 0; i < SEV_CHECK_COUNT; i++) {
        enum verify_verdict v = ctx->result->line[i].verdict;

        if (v == VERIFY_FAIL ||
            (v == VERIFY_SKIPPED && needed(ctx->in, CHECKS[i].need))) {
            return false;
        }
    }
    return true;
}

static bool simulated(const struct sev_ca *ca)
{
    return ca->data != NULL &&
           (simulated_key_id(ca->cert.key_id) != NULL ||
            simulated_key_id(ca->cert.certifying_id) != NULL);
}

/* What depends on neither report nor policy. */
static void judge_certs(struct sev_ctx *ctx)
{
    sev_load(ctx);
    sev_check_cas(ctx);
    sev_check_parts(ctx);
}

static void judge_rest(struct sev_ctx *ctx)
{
    sev_check_product(ctx);
    sev_check_pins(ctx);
    sev_check_report(ctx);
    sev_check_expectations(ctx);
    sev_check_measurement(ctx);
    ctx->result->simulated = simulated(&ctx->ark) || simulated(&ctx->ask);
    ctx->result->ok = accepted(ctx);
}

void verify_sev(const struct sev_verify_input *in,
                const struct sev_verify_policy *policy,
                struct sev_verify_result *result)
{
    struct sev_ctx ctx = {.in = in, .policy = policy, .result = result};

    memset(result, 0, sizeof(*result));
    judge_certs(&ctx);
    judge_rest(&ctx);
    sev_unload(&ctx);
}

struct sev_judged {
    struct sev_verify_input in;
    struct sev_verify_policy policy; /* of the certificates: none */
    struct sev_verify_result result;
    struct sev_ctx ctx;
};

struct sev_judged *sev_judge_certs(const struct sev_verify_input *in)
{
    struct sev_judged *j = calloc(1, sizeof(*j));

    if (j != NULL) {
        j->in = *in;
        j->ctx.in = &j->in;
        j->ctx.policy = &j->policy;
        j->ctx.result = &j->result;
        judge_certs(&j->ctx);
    }
    return j;
}

void verify_sev_report(const struct sev_judged *j,
                       const struct verify_blob *report,
                       const struct sev_verify_policy *policy,
                       struct sev_verify_result *result)
{
    struct sev_verify_input in = j->in;
    struct sev_ctx ctx = j->ctx;

    in.report = *report;
    ctx.in = &in;
    ctx.policy = policy;
    ctx.result = result;
    *result = j->result;
    judge_rest(&ctx);
}

void sev_judged_free(struct sev_judged *j)
{
    if (j != NULL) {
        sev_unload(&j->ctx);
        free(j);
    }
}
