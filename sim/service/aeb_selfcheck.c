/* SPDX-License-Identifier: Apache-2.0 */
#include "aeb_selfcheck.h"

#include "sev_verifier.h"

/* What can be judged without AMD's keys. */
static const enum sev_check BELOW[] = {
    SEV_CHECK_CEK_FORMAT,       SEV_CHECK_OCA_FORMAT,   SEV_CHECK_OCA_SIGNATURE,
    SEV_CHECK_PEK_FORMAT,       SEV_CHECK_PEK_BY_CEK,   SEV_CHECK_PEK_BY_OCA,
    SEV_CHECK_REPORT_FORMAT,    SEV_CHECK_REPORT_EMPTY, SEV_CHECK_REPORT_SIGNER,
    SEV_CHECK_REPORT_SIGNATURE,
};

bool aeb_self_check(const struct aeb_evidence *ev, const uint8_t *root,
                    size_t root_size)
{
    const struct sev_verify_policy nothing = {.policy_mask = 0};
    const struct sev_verify_input in = {
        .cek = {ev->cek, sizeof(ev->cek)},
        .oca = {ev->oca, sizeof(ev->oca)},
        .pek = {ev->pek, sizeof(ev->pek)},
        .report = {ev->report, sizeof(ev->report)},
        .trusted_ark = {root, root_size},
    };
    struct sev_verify_result result;

    verify_sev(&in, &nothing, &result);
    if (root != NULL) {
        return result.ok;
    }
    for (size_t i = 0; i < sizeof(BELOW) / sizeof(BELOW[0]); i++) {
        if (result.line[BELOW[i]].verdict != VERIFY_PASS) {
            return false;
        }
    }
    return true;
}
