/* SPDX-License-Identifier: Apache-2.0 */
/* SNP_DOWNLOAD_FIRMWARE_EX. abi/snp.md §1.18, §9.3 */
#include "snp.h"

#include "firmware_key.h"
#include "snp_cmd.h"
#include "snp_firmware.h"

#define IMAGE_ALIGN 32u

static size_t svn_index(const struct snp_platform *snp)
{
    return psp_tcb_is_turin_layout(snp->core->profile.generation) ? 3 : 6;
}

static enum sev_status check_signature(const struct snp_firmware *fw,
                                       const uint8_t *image, size_t size)
{
    enum psp_err err = pki_firmware_check(fw, image, size);

    return err == PSP_E_VERIFY ? SEV_BAD_SIGNATURE : core_status(err);
}

static bool older(const struct snp_firmware *fw, const struct snp_version3 *v)
{
    return (fw->major << 16 | fw->minor << 8 | fw->build) <
           (v->major << 16 | v->minor << 8 | v->build);
}

/* @fw: filled when the image is one at all. */
static enum sev_status check_image(const struct snp_platform *snp,
                                   const uint8_t *image, size_t size,
                                   struct snp_firmware *fw)
{
    enum sev_status status;

    if (snp_firmware_decode(image, size, fw) != PSP_OK) {
        return SEV_BAD_SIGNATURE;
    }
    status = check_signature(fw, image, size);
    if (status != SEV_SUCCESS) {
        return status;
    }
    if (fw->svn < snp->committed_tcb.b[svn_index(snp)]) {
        return SEV_BAD_SVN;
    }
    if (fw->generation != snp->core->profile.generation ||
        older(fw, &snp->committed_version)) {
        return SEV_BAD_VERSION;
    }
    return snp_is_init(snp) && !fw->live ? SEV_SHUTDOWN_REQUIRED : SEV_SUCCESS;
}

static enum sev_status check_command(const struct snp_platform *snp,
                                     const uint8_t *buf,
                                     struct snp_cmd_download_firmware_ex *cmd)
{
    if (snp->core->sev_state != SEV_PLATFORM_UNINIT) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    if (!snp_cmd_download_firmware_ex_decode(buf, cmd) ||
        cmd->len != SNP_CMD_DOWNLOAD_FIRMWARE_EX_SIZE) {
        return SEV_INVALID_PARAM;
    }
    if (cmd->fw_paddr % IMAGE_ALIGN != 0 ||
        !core_range_ok(snp->core, cmd->fw_paddr, cmd->fw_len)) {
        return SEV_INVALID_ADDRESS;
    }
    return cmd->fw_len >= SNP_FIRMWARE_HEADER_SIZE &&
                   cmd->fw_len <= SNP_FIRMWARE_MAX_SIZE
               ? SEV_SUCCESS
               : SEV_INVALID_LENGTH;
}

static enum sev_status install(struct snp_platform *snp,
                               const struct snp_firmware *fw, bool commit)
{
    const struct psp_tcb old_tcb = snp->current_tcb;
    const struct snp_version3 old_version = snp->current_version;
    enum psp_err err = PSP_OK;

    snp->current_tcb.b[svn_index(snp)] = fw->svn;
    snp->current_version = (struct snp_version3){
        .major = fw->major,
        .minor = fw->minor,
        .build = fw->build,
    };
    if (commit) {
        err = snp_commit(snp);
    }
    if (err != PSP_OK) {
        snp->current_tcb = old_tcb;
        snp->current_version = old_version;
        return core_status(err);
    }
    snp->current_mit_vector = fw->mit_vector;
    snp->core->profile.mit_vector = fw->mit_vector;
    core_set_version(snp->core, fw->major, fw->minor, fw->build);
    return SEV_SUCCESS;
}

enum sev_status snp_cmd_download_firmware_ex(struct snp_platform *snp,
                                             const uint8_t *buf)
{
    struct snp_cmd_download_firmware_ex cmd;
    struct snp_firmware fw;
    uint8_t *image;
    enum sev_status status = check_command(snp, buf, &cmd);

    if (status != SEV_SUCCESS) {
        return status;
    }
    image = core_alloc(cmd.fw_len);
    if (image == NULL) {
        return SEV_RESOURCE_LIMIT;
    }
    status = core_status(core_read(snp->core, cmd.fw_paddr, image, cmd.fw_len));
    if (status == SEV_SUCCESS) {
        status = check_image(snp, image, cmd.fw_len, &fw);
    }
    if (status == SEV_SUCCESS) {
        status = install(snp, &fw, cmd.commit);
    }
    core_free(image, cmd.fw_len);
    return status;
}
