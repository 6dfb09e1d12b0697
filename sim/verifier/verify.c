/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "simulated.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Skipped is enough where the relying party or the evidence may leave it out;
 * of the others each must have passed. */
static const struct {
    const char *name;
    bool mandatory;
} CHECKS[VERIFY_CHECK_COUNT] = {
    [VERIFY_REPORT_FORMAT] = {"report-format", true},
    [VERIFY_ARK_ROOT] = {"ark-root", true},
    [VERIFY_ASK_SIGNATURE] = {"ask-signature", true},
    [VERIFY_LEAF_SIGNATURE] = {"leaf-signature", true},
    [VERIFY_LEAF_PROFILE] = {"leaf-profile", true},
    [VERIFY_VALIDITY] = {"validity", false},
    [VERIFY_REVOCATION] = {"revocation", false},
    [VERIFY_SIGNING_KEY] = {"signing-key", true},
    [VERIFY_TCB] = {"tcb", true},
    [VERIFY_CHIP_ID] = {"chip-id", false},
    [VERIFY_REPORT_SIGNATURE] = {"report-signature", true},
    [VERIFY_REPORT_DATA] = {"report-data", false},
    [VERIFY_MEASUREMENT] = {"measurement", false},
    [VERIFY_HOST_DATA] = {"host-data", false},
    [VERIFY_POLICY] = {"policy", false},
    [VERIFY_VMPL] = {"vmpl", false},
    [VERIFY_MIN_TCB] = {"min-tcb", false},
    [VERIFY_ID_KEY] = {"id-key", false},
    [VERIFY_AUTHOR_KEY] = {"author-key", false},
};

const char *verify_check_name(enum verify_check check)
{
    return (unsigned int)check < VERIFY_CHECK_COUNT ? CHECKS[check].name
                                                    : "unknown";
}

const char *verify_verdict_name(enum verify_verdict verdict)
{
    static const char *const name[] = {
        [VERIFY_SKIPPED] = "SKIPPED",
        [VERIFY_PASS] = "PASS",
        [VERIFY_FAIL] = "FAIL",
    };

    return (unsigned int)verdict <= VERIFY_FAIL ? name[verdict] : "unknown";
}

void check_pass(struct verify_ctx *ctx, enum verify_check check)
{
    ctx->result->line[check].verdict = VERIFY_PASS;
}

static void set(struct verify_line *line, enum verify_verdict verdict,
                const char *fmt, va_list ap)
{
    line->verdict = verdict;
    vsnprintf(line->reason, sizeof(line->reason), fmt, ap);
}

void check_fail(struct verify_ctx *ctx, enum verify_check check,
                const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    set(&ctx->result->line[check], VERIFY_FAIL, fmt, ap);
    va_end(ap);
}

void check_skip(struct verify_ctx *ctx, enum verify_check check,
                const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    set(&ctx->result->line[check], VERIFY_SKIPPED, fmt, ap);
    va_end(ap);
}

static void load_report(struct verify_ctx *ctx)
{
    const struct verify_blob *blob = &ctx->in->report;

    ctx->have_report = blob->data != NULL &&
                       snp_report_decode(blob->data, blob->size, &ctx->report,
                                         &ctx->bad_offset) == PSP_OK;
}

static bool simulated(const struct verify_ctx *ctx)
{
    const X509 *cert[] = {ctx->root, ctx->ark, ctx->ask, ctx->leaf};

    for (size_t i = 0; i < sizeof(cert) / sizeof(cert[0]); i++) {
        if (cert[i] != NULL && simulated_cert(cert[i]) != NULL) {
            return true;
        }
    }
    return ctx->have_report && simulated_chip_id(ctx->report.chip_id) != NULL;
}

static bool accepted(const struct verify_result *result)
{
    for (size_t i = 0; i < VERIFY_CHECK_COUNT; i++) {
        enum verify_verdict v = result->line[i].verdict;

        if (v == VERIFY_FAIL || (v == VERIFY_SKIPPED && CHECKS[i].mandatory)) {
            return false;
        }
    }
    return true;
}

void verify_snp(const struct verify_input *in,
                const struct verify_policy *policy,
                struct verify_result *result)
{
    struct verify_ctx ctx = {.in = in, .policy = policy, .result = result};

    memset(result, 0, sizeof(*result));
    load_report(&ctx);
    chain_load(&ctx);
    check_report_format(&ctx);
    check_ark_root(&ctx);
    check_ask_signature(&ctx);
    check_leaf_signature(&ctx);
    check_leaf_profile(&ctx);
    check_validity(&ctx);
    check_revocation(&ctx);
    check_signing_key(&ctx);
    check_tcb(&ctx);
    check_chip_id(&ctx);
    check_report_signature(&ctx);
    check_expectations(&ctx);
    result->simulated = simulated(&ctx);
    result->ok = accepted(result);
    chain_unload(&ctx);
}
