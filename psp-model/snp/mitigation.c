/* SPDX-License-Identifier: Apache-2.0 */
/* SNP_VERIFY_MITIGATION. abi/snp.md §1.18, §7.8 */
#include "snp.h"

#include "snp_cmd.h"
#include "snp_status.h"

/* No mitigation of the model needs data from the host, so SRC is only judged as
 * an address; and every mitigation that the firmware has succeeds. */
static enum sev_status check(const struct snp_platform *snp, const uint8_t *buf,
                             struct snp_cmd_verify_mitigation *cmd)
{
    const struct psp_core *core = snp->core;

    if (!snp_cmd_verify_mitigation_decode(buf, cmd) ||
        cmd->len != SNP_CMD_VERIFY_MITIGATION_SIZE ||
        cmd->subcommand > SNP_MITIGATION_VERIFY ||
        (cmd->subcommand == SNP_MITIGATION_VERIFY &&
         (cmd->vector & ~core->profile.mit_vector) != 0)) {
        return SEV_INVALID_PARAM;
    }
    if ((cmd->src_paddr_en &&
         !core_range_ok(core, cmd->src_paddr, RMP_PAGE_SIZE)) ||
        (cmd->dst_paddr_en &&
         !core_range_ok(core, cmd->dst_paddr, SNP_MITIGATION_RESULT_SIZE))) {
        return SEV_INVALID_ADDRESS;
    }
    if (cmd->dst_paddr_en &&
        !core_output_ok(core, cmd->dst_paddr, SNP_MITIGATION_RESULT_SIZE)) {
        return SEV_INVALID_PAGE_STATE;
    }
    return SEV_SUCCESS;
}

enum sev_status snp_cmd_verify_mitigation(struct snp_platform *snp,
                                          const uint8_t *buf)
{
    struct snp_cmd_verify_mitigation cmd;
    uint8_t out[SNP_MITIGATION_RESULT_SIZE];
    uint64_t verified = snp->current_mit_vector;
    enum sev_status status = check(snp, buf, &cmd);

    if (status != SEV_SUCCESS) {
        return status;
    }
    if (cmd.subcommand == SNP_MITIGATION_VERIFY) {
        verified |= cmd.vector;
    }
    if (cmd.dst_paddr_en) {
        const struct snp_mitigation_result result = {
            .verified_vector = verified,
            .supported_vector = snp->core->profile.mit_vector,
        };

        snp_mitigation_result_encode(&result, out);
        status =
            core_status(core_write(snp->core, cmd.dst_paddr, out, sizeof(out)));
    }
    if (status == SEV_SUCCESS) {
        snp->current_mit_vector = verified;
    }
    return status;
}
