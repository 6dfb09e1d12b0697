/* SPDX-License-Identifier: Apache-2.0 */
/* SNP_LAUNCH_FINISH. abi/snp.md §1.11 */
#include "snp.h"

#include "idblock.h"
#include "snp_cmd.h"

#include <string.h>

static enum sev_status check(struct snp_platform *snp, const uint8_t *buf,
                             struct snp_cmd_launch_finish *cmd,
                             struct snp_guest **guest)
{
    enum sev_status status;

    if (!snp_cmd_launch_finish_decode(buf, cmd)) {
        return SEV_INVALID_PARAM;
    }
    if (!snp_is_init(snp)) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    if (cmd->id_block_en &&
        (!core_range_ok(snp->core, cmd->id_block_paddr, SNP_ID_BLOCK_SIZE) ||
         !core_range_ok(snp->core, cmd->id_auth_paddr, SNP_ID_AUTH_SIZE))) {
        return SEV_INVALID_ADDRESS;
    }
    status = snp_find_gctx(snp, cmd->gctx_paddr, guest);
    if (status != SEV_SUCCESS) {
        return status;
    }
    if ((*guest)->state != SNP_GUEST_LAUNCH || (*guest)->imi_en) {
        return SEV_INVALID_GUEST_STATE;
    }
    return (*guest)->asid == 0 ? SEV_INACTIVE : SEV_SUCCESS;
}

static enum sev_status take_id_block(const struct snp_platform *snp,
                                     const struct snp_cmd_launch_finish *cmd,
                                     struct snp_guest *guest)
{
    uint8_t block[SNP_ID_BLOCK_SIZE];
    uint8_t auth[SNP_ID_AUTH_SIZE];
    struct snp_identity identity;
    enum sev_status status;
    enum psp_err err =
        core_read(snp->core, cmd->id_block_paddr, block, sizeof(block));

    if (err == PSP_OK) {
        err = core_read(snp->core, cmd->id_auth_paddr, auth, sizeof(auth));
    }
    if (err != PSP_OK) {
        return core_status(err);
    }
    status = snp_idblock_check(guest, block, auth, cmd->auth_key_en, &identity);
    if (status == SEV_SUCCESS) {
        guest->id_block_en = true;
        guest->author_key_en = cmd->auth_key_en;
        memcpy(guest->id_block, block, sizeof(guest->id_block));
        memcpy(guest->id_key_digest, identity.id_key_digest,
               sizeof(guest->id_key_digest));
        memcpy(guest->author_key_digest, identity.author_key_digest,
               sizeof(guest->author_key_digest));
    }
    return status;
}

enum sev_status snp_cmd_launch_finish(struct snp_platform *snp,
                                      const uint8_t *buf)
{
    struct snp_cmd_launch_finish cmd;
    struct snp_guest *guest;
    enum sev_status status = check(snp, buf, &cmd, &guest);

    if (status == SEV_SUCCESS && cmd.id_block_en) {
        status = take_id_block(snp, &cmd, guest);
    }
    if (status == SEV_SUCCESS) {
        memcpy(guest->host_data, cmd.host_data, sizeof(guest->host_data));
        guest->vcek_dis = cmd.vcek_dis;
        guest->state = SNP_GUEST_RUNNING;
    }
    return status;
}
