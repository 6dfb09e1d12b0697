/* SPDX-License-Identifier: Apache-2.0 */
/* SNP_CONFIG, SNP_COMMIT. abi/snp.md §1.18, §9.3, §9.4 */
#include "snp.h"

#include "snp_cmd.h"
#include "wire.h"

enum sev_status snp_cmd_config(struct snp_platform *snp, const uint8_t *buf)
{
    struct snp_cmd_config cmd;
    bool set;
    enum psp_err err;

    if (!snp_cmd_config_decode(buf, &cmd) ||
        !psp_tcb_reserved_clear(snp->core->profile.generation,
                                &cmd.reported_tcb) ||
        !psp_tcb_le(&cmd.reported_tcb, &snp->committed_tcb)) {
        return SEV_INVALID_PARAM;
    }
    set = !psp_all_zero(cmd.reported_tcb.b, PSP_TCB_SIZE);
    err = snp_set_reported(snp, set ? &cmd.reported_tcb : &snp->committed_tcb);
    if (err != PSP_OK) {
        return core_status(err);
    }
    snp->reported_set = set;
    snp->mask_chip_id = cmd.mask_chip_id;
    snp->mask_chip_key = cmd.mask_chip_key;
    return SEV_SUCCESS;
}

enum sev_status snp_cmd_commit(struct snp_platform *snp, const uint8_t *buf)
{
    struct snp_cmd_commit cmd;

    if (!snp_cmd_commit_decode(buf, &cmd) || cmd.len != SNP_CMD_COMMIT_SIZE) {
        return SEV_INVALID_PARAM;
    }
    return core_status(snp_commit(snp));
}
