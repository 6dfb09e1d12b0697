/* SPDX-License-Identifier: Apache-2.0 */
#include "aeb_verifier.h"

#include "wire.h"

#include <stdio.h>
#include <string.h>

#define RESERVED_AT   0x3cu
#define RESERVED_SIZE 4u

/* Which checks of legacy SEV make one of ours; SEV_CHECK_COUNT ends a list. */
#define PARTS_MAX 11u
static const struct {
    const char *name;
    enum sev_check part[PARTS_MAX];
} CHECKS[AEB_CHECK_COUNT] = {
    [AEB_CHECK_CHAIN] = {"chain",
                         {SEV_CHECK_ARK_FORMAT, SEV_CHECK_ARK_ROOT,
                          SEV_CHECK_ARK_SIGNATURE, SEV_CHECK_ASK_FORMAT,
                          SEV_CHECK_ASK_SIGNATURE, SEV_CHECK_CEK_SIGNATURE,
                          SEV_CHECK_OCA_SIGNATURE, SEV_CHECK_PEK_BY_CEK,
                          SEV_CHECK_PEK_BY_OCA, SEV_CHECK_OCA_PIN,
                          SEV_CHECK_COUNT}},
    [AEB_CHECK_PLATFORM] = {"platform",
                            {SEV_CHECK_PEK_PIN, SEV_CHECK_CEK_PIN,
                             SEV_CHECK_COUNT}},
    [AEB_CHECK_DIGEST] = {"launch-digest",
                          {SEV_CHECK_LAUNCH_DIGEST, SEV_CHECK_COUNT}},
    [AEB_CHECK_POLICY] = {"policy", {SEV_CHECK_POLICY, SEV_CHECK_COUNT}},
    [AEB_CHECK_MNONCE] = {"mnonce", {SEV_CHECK_MNONCE, SEV_CHECK_COUNT}},
    [AEB_CHECK_CHALLENGE] = {"challenge", {SEV_CHECK_COUNT}},
    [AEB_CHECK_SIGNER] = {"report-signer",
                          {SEV_CHECK_REPORT_SIGNER, SEV_CHECK_COUNT}},
    [AEB_CHECK_DEVICE] = {"device-type", {SEV_CHECK_COUNT}},
    [AEB_CHECK_FORMAT] = {"format",
                          {SEV_CHECK_CEK_FORMAT, SEV_CHECK_PEK_FORMAT,
                           SEV_CHECK_OCA_FORMAT, SEV_CHECK_REPORT_FORMAT,
                           SEV_CHECK_COUNT}},
    [AEB_CHECK_EMPTY] = {"report-empty",
                         {SEV_CHECK_REPORT_EMPTY, SEV_CHECK_COUNT}},
    [AEB_CHECK_SIGNATURE] = {"report-signature",
                             {SEV_CHECK_REPORT_SIGNATURE, SEV_CHECK_COUNT}},
};

const char *aeb_check_name(enum aeb_check check)
{
    return (unsigned int)check < AEB_CHECK_COUNT ? CHECKS[check].name
                                                 : "unknown";
}

static void set(struct aeb_verify_result *r, enum aeb_check check,
                enum verify_verdict verdict, const char *why)
{
    r->line[check].verdict = verdict;
    snprintf(r->line[check].reason, sizeof(r->line[check].reason), "%s", why);
}

/* "pek-cek-signature: ...", when the name adds something. */
static void set_from(struct verify_line *line, enum sev_check part,
                     const struct verify_line *from, bool several)
{
    line->verdict = from->verdict;
    snprintf(line->reason, sizeof(line->reason), "%s%s%.100s",
             several ? sev_check_name(part) : "", several ? ": " : "",
             from->reason);
}

static bool asked(const struct sev_verify_policy *p, enum sev_check part)
{
    switch (part) {
    case SEV_CHECK_OCA_PIN:
        return p->oca_pin.data != NULL;
    case SEV_CHECK_PEK_PIN:
        return p->pek_pin.data != NULL;
    case SEV_CHECK_CEK_PIN:
        return p->cek_pin.data != NULL;
    default:
        return true;
    }
}

/* A failure before what was skipped before what has passed. */
static void condense(enum aeb_check check, const struct sev_verify_policy *p,
                     const struct sev_verify_result *sev,
                     struct aeb_verify_result *r)
{
    const enum sev_check *part = CHECKS[check].part;
    bool several = part[0] != SEV_CHECK_COUNT && part[1] != SEV_CHECK_COUNT;
    bool skipped = false;
    bool any = false;

    for (; *part != SEV_CHECK_COUNT; part++) {
        const struct verify_line *from = &sev->line[*part];

        if (!asked(p, *part)) {
            continue;
        }
        any = true;
        if (from->verdict == VERIFY_FAIL ||
            (from->verdict == VERIFY_SKIPPED && !skipped)) {
            set_from(&r->line[check], *part, from, several);
            skipped = true;
        }
        if (from->verdict == VERIFY_FAIL) {
            return;
        }
    }
    if (!any) {
        set(r, check, VERIFY_SKIPPED, "not asked for");
    } else if (!skipped) {
        set(r, check, VERIFY_PASS, "");
    }
}

static void check_device(const struct aeb_evidence *ev,
                         struct aeb_verify_result *r)
{
    const enum aeb_check me = AEB_CHECK_DEVICE;

    if (!ev->typed) {
        set(r, me, VERIFY_SKIPPED, "the evidence has no device type");
    } else if (r->product == PSP_GENERATION_COUNT) {
        set(r, me, VERIFY_FAIL, "the ARK is of no product that is known");
    } else if (aeb_device_of(r->product) != (enum aeb_type)ev->device) {
        set(r, me, VERIFY_FAIL, "it names another product than the ARK");
    } else {
        set(r, me, VERIFY_PASS, "");
    }
}

/* Of V7 the part that is not the signer's names. */
static void check_reserved(const struct aeb_evidence *ev,
                           struct aeb_verify_result *r)
{
    if (!psp_all_zero(ev->report + RESERVED_AT, RESERVED_SIZE)) {
        set(r, AEB_CHECK_SIGNER, VERIFY_FAIL,
            "the reserved bytes at 0x3c are not zero");
    }
}

/* A report of zeros fails by that name and no other. */
static void name_empty(struct aeb_verify_result *r)
{
    static const enum aeb_check of_report[] = {
        AEB_CHECK_DIGEST, AEB_CHECK_POLICY, AEB_CHECK_MNONCE, AEB_CHECK_SIGNER,
        AEB_CHECK_SIGNATURE};

    if (r->line[AEB_CHECK_EMPTY].verdict != VERIFY_FAIL) {
        return;
    }
    for (size_t i = 0; i < sizeof(of_report) / sizeof(of_report[0]); i++) {
        if (r->line[of_report[i]].verdict != VERIFY_SKIPPED) {
            set(r, of_report[i], VERIFY_SKIPPED, "the report is all zeros");
        }
    }
}

static void check_challenge(const struct aeb_verify_policy *policy,
                            struct aeb_verify_result *r)
{
    const char *why;

    if (policy->challenge_bad == NULL) {
        set(r, AEB_CHECK_CHALLENGE, VERIFY_SKIPPED, "not asked for");
        return;
    }
    why = policy->challenge_bad(policy->ctx);
    set(r, AEB_CHECK_CHALLENGE, why == NULL ? VERIFY_PASS : VERIFY_FAIL,
        why == NULL ? "" : why);
}

void aeb_verify(const struct aeb_evidence *ev, struct verify_blob trusted,
                const struct aeb_verify_policy *policy,
                struct aeb_verify_result *result)
{
    struct sev_verify_policy p = policy->sev;
    uint8_t report[SEV_REPORT_SIZE];
    const struct sev_verify_input in = {
        .cek = {ev->cek, sizeof(ev->cek)},
        .oca = {ev->oca, sizeof(ev->oca)},
        .pek = {ev->pek, sizeof(ev->pek)},
        .report = {report, sizeof(report)},
        .trusted_ark = trusted,
    };
    uint8_t mnonce[SEV_MNONCE_SIZE];
    struct sev_verify_result sev;
    bool made = true;

    memset(result, 0, sizeof(*result));
    /* Nobody signs them; they are V7's, and V9 is not to fail with it. */
    memcpy(report, ev->report, sizeof(report));
    memset(report + RESERVED_AT, 0, RESERVED_SIZE);
    p.product = NULL;
    p.measure = NULL;
    if (policy->launch_nonce != NULL) {
        made = aeb_bound_mnonce(policy->launch_nonce, policy->challenge,
                                policy->spki, mnonce) == PSP_OK;
        p.mnonce = mnonce;
    }
    verify_sev(&in, &p, &sev);
    result->product = sev.product;
    result->simulated = sev.simulated;
    for (enum aeb_check c = 0; c < AEB_CHECK_COUNT; c++) {
        condense(c, &p, &sev, result);
    }
    if (!made) {
        set(result, AEB_CHECK_MNONCE, VERIFY_FAIL, "out of memory");
    }
    check_device(ev, result);
    check_reserved(ev, result);
    name_empty(result);
    check_challenge(policy, result);
    result->ok = sev.ok;
    for (size_t i = 0; i < AEB_CHECK_COUNT; i++) {
        result->ok = result->ok && result->line[i].verdict != VERIFY_FAIL;
    }
}
