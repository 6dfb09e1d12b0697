/* SPDX-License-Identifier: Apache-2.0 */
/* SNP_LAUNCH_START. abi/snp.md §1.9 */
#include "snp.h"

#include "policy.h"
#include "snp_cmd.h"

#include <string.h>

/* Drawn at once, so that a failing random source changes nothing. */
struct secrets {
    uint8_t oek[SNP_KEY_SIZE];
    uint8_t vmpck[SNP_VMPCK_COUNT][SNP_KEY_SIZE];
    uint8_t vmrk[SNP_KEY_SIZE];
    uint8_t report_id[32];
};

_Static_assert(sizeof(struct secrets) == 7 * 32, "no padding");

static enum sev_status check(struct snp_platform *snp,
                             const struct snp_cmd_launch_start *cmd,
                             struct snp_guest **guest, struct snp_guest **agent)
{
    enum sev_status status;

    if (!snp_is_init(snp)) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    if (!snp_page_ok(snp, cmd->gctx_paddr) ||
        (cmd->ma_en && !snp_page_ok(snp, cmd->ma_gctx_paddr))) {
        return SEV_INVALID_ADDRESS;
    }
    status = snp_find_gctx(snp, cmd->gctx_paddr, guest);
    if (status != SEV_SUCCESS) {
        return status;
    }
    if ((*guest)->state != SNP_GUEST_INIT) {
        return SEV_INVALID_GUEST_STATE;
    }
    *agent = NULL;
    if (cmd->ma_en) {
        status = snp_find_gctx(snp, cmd->ma_gctx_paddr, agent);
        if (status != SEV_SUCCESS) {
            return status;
        }
    }
    return snp_policy_ok(snp, cmd->policy, *agent) ? SEV_SUCCESS
                                                   : SEV_POLICY_FAILURE;
}

static void launch(struct snp_guest *guest, const struct snp_guest *agent,
                   const struct snp_cmd_launch_start *cmd,
                   const struct secrets *secrets)
{
    guest->policy = cmd->policy;
    guest->imi_en = cmd->imi_en;
    guest->desired_tsc_freq = cmd->desired_tsc_freq;
    memcpy(guest->gosvw, cmd->gosvw, sizeof(guest->gosvw));
    memcpy(guest->oek, secrets->oek, sizeof(guest->oek));
    memcpy(guest->vmpck, secrets->vmpck, sizeof(guest->vmpck));
    memcpy(guest->vmrk, secrets->vmrk, sizeof(guest->vmrk));
    memcpy(guest->report_id, secrets->report_id, sizeof(guest->report_id));
    if (agent != NULL) {
        guest->ma_gctx_paddr = agent->gctx_paddr;
        memcpy(guest->report_id_ma, agent->report_id,
               sizeof(guest->report_id_ma));
    }
    guest->state = SNP_GUEST_LAUNCH;
}

enum sev_status snp_cmd_launch_start(struct snp_platform *snp,
                                     const uint8_t *buf)
{
    struct snp_cmd_launch_start cmd;
    struct snp_guest *guest;
    struct snp_guest *agent;
    struct secrets secrets;
    enum sev_status status;

    if (!snp_cmd_launch_start_decode(buf, &cmd)) {
        return SEV_INVALID_PARAM;
    }
    status = check(snp, &cmd, &guest, &agent);
    if (status != SEV_SUCCESS) {
        return status;
    }
    status = core_status(core_random(snp->core, &secrets, sizeof(secrets)));
    if (status == SEV_SUCCESS) {
        launch(guest, agent, &cmd, &secrets);
        snp->started_guest_count++;
    }
    psp_wipe(&secrets, sizeof(secrets));
    return status;
}
