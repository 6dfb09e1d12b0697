/* SPDX-License-Identifier: Apache-2.0 */
/* SNP_SHUTDOWN, SNP_SHUTDOWN_EX, SNP_DF_FLUSH. abi/snp.md §1.4, §1.5 */
#include "snp.h"

#include "snp_cmd.h"
#include "snp_status.h"

static bool all_clean(const struct psp_core *core)
{
    for (uint32_t asid = 1; asid <= core->profile.asid_count; asid++) {
        if (core->asids[asid].dirty) {
            return false;
        }
    }
    return true;
}

static bool ex_ok(const struct snp_platform *snp, const uint8_t *buf,
                  struct snp_cmd_shutdown_ex *cmd)
{
    if (!snp_cmd_shutdown_ex_decode(buf, cmd) ||
        cmd->len != SNP_CMD_SHUTDOWN_EX_SIZE) {
        return false;
    }
    return !cmd->x86_snp_shutdown ||
           (cmd->iommu_snp_shutdown &&
            snp_has_feature(snp, SNP_FEATURE_X86_SNP_SHUTDOWN));
}

/* @buf: NULL for SNP_SHUTDOWN. */
static enum sev_status shutdown(struct snp_platform *snp, const uint8_t *buf)
{
    struct snp_cmd_shutdown_ex cmd = {0};

    if (snp->core->sev_state != SEV_PLATFORM_UNINIT) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    if (!snp_is_init(snp)) {
        return SEV_SUCCESS;
    }
    if (!all_clean(snp->core)) {
        return SEV_DF_FLUSH_REQUIRED;
    }
    if (buf != NULL && !ex_ok(snp, buf, &cmd)) {
        return SEV_INVALID_PARAM;
    }
    snp_guest_remove_all(snp);
    snp->started_guest_count = 0;
    snp_vlek_drop(snp);
    snp->rapl_dis = false;
    snp->ciphertext_hiding_en = false;
    snp->max_snp_asid = snp->core->profile.asid_count;
    if (cmd.iommu_snp_shutdown) {
        rmp_reset(snp->core->rmp, true);
        snp->rmp_initialized = false;
    }
    snp->core->snp_state = SNP_PLATFORM_UNINIT;
    return SEV_SUCCESS;
}

enum sev_status snp_cmd_shutdown(struct snp_platform *snp, const uint8_t *buf)
{
    (void)buf;
    return shutdown(snp, NULL);
}

enum sev_status snp_cmd_shutdown_ex(struct snp_platform *snp,
                                    const uint8_t *buf)
{
    return shutdown(snp, buf);
}

enum sev_status snp_cmd_df_flush(struct snp_platform *snp, const uint8_t *buf)
{
    struct psp_core *core = snp->core;

    (void)buf;
    if (core->ops->wbinvd_owed != NULL && core->ops->wbinvd_owed(core->host)) {
        return SEV_WBINVD_REQUIRED;
    }
    for (uint32_t asid = 1; asid <= core->profile.asid_count; asid++) {
        core->asids[asid].dirty = false;
    }
    return SEV_SUCCESS;
}
