/* SPDX-License-Identifier: Apache-2.0 */
/* SNP_PLATFORM_STATUS, SNP_GUEST_STATUS, SNP_FEATURE_INFO.
 * abi/snp.md §1.12, §10 */
#include "snp_status.h"

#include "snp.h"

#include "message.h"
#include "snp_cmd.h"

#define INFO_ALIAS_CHECK_COMPLETE 0x20u
#define EBX_LEGACY_SEV            0x1u

static enum sev_status write_output(const struct snp_platform *snp,
                                    uint64_t spa, const uint8_t *buf,
                                    size_t size)
{
    if (!core_output_ok(snp->core, spa, size)) {
        return SEV_INVALID_PAGE_STATE;
    }
    return core_status(core_write(snp->core, spa, buf, size));
}

static struct snp_platform_status
platform_status(const struct snp_platform *snp)
{
    const struct psp_profile *p = &snp->core->profile;

    return (struct snp_platform_status){
        .api_major = snp->current_version.major,
        .api_minor = snp->current_version.minor,
        .state = (uint8_t)snp->core->snp_state,
        .is_rmp_initialized = snp->rmp_initialized,
        .alias_check_complete =
            (p->platform_info & INFO_ALIAS_CHECK_COMPLETE) != 0,
        .build_id = snp->current_version.build,
        .mask_chip_id = snp->mask_chip_id,
        .mask_chip_key = snp->mask_chip_key,
        .vlek_en = snp->vlek_en,
        .feature_info = true,
        .rapl_dis = snp->rapl_dis,
        .ciphertext_hiding_cap =
            snp_has_feature(snp, SNP_FEATURE_CIPHERTEXT_HIDING),
        .ciphertext_hiding_en = snp->ciphertext_hiding_en,
        .guest_count = snp->started_guest_count,
        .current_tcb = snp->current_tcb,
        .reported_tcb = snp->reported_tcb,
    };
}

enum sev_status snp_cmd_platform_status(struct snp_platform *snp,
                                        const uint8_t *buf)
{
    struct snp_platform_status status = platform_status(snp);
    uint8_t out[SNP_PLATFORM_STATUS_SIZE];
    struct snp_cmd_status cmd;

    if (!snp_cmd_status_decode(buf, &cmd) ||
        !core_within_page(cmd.status_paddr, sizeof(out))) {
        return SEV_INVALID_PARAM;
    }
    if (!core_range_ok(snp->core, cmd.status_paddr, sizeof(out))) {
        return SEV_INVALID_ADDRESS;
    }
    snp_platform_status_encode(&status, out);
    return write_output(snp, cmd.status_paddr, out, sizeof(out));
}

static enum sev_status guest_status_check(struct snp_platform *snp,
                                          const uint8_t *buf,
                                          struct snp_cmd_guest_status *cmd,
                                          struct snp_guest **guest)
{
    if (!snp_cmd_guest_status_decode(buf, cmd) ||
        !core_within_page(cmd->status_paddr, SNP_GUEST_STATUS_SIZE)) {
        return SEV_INVALID_PARAM;
    }
    if (!snp_is_init(snp)) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    if (!core_range_ok(snp->core, cmd->status_paddr, SNP_GUEST_STATUS_SIZE)) {
        return SEV_INVALID_ADDRESS;
    }
    return snp_find_gctx(snp, cmd->gctx_paddr, guest);
}

enum sev_status snp_cmd_guest_status(struct snp_platform *snp,
                                     const uint8_t *buf)
{
    struct snp_cmd_guest_status cmd;
    struct snp_guest *guest;
    uint8_t out[SNP_GUEST_STATUS_SIZE];
    enum sev_status status = guest_status_check(snp, buf, &cmd, &guest);

    if (status != SEV_SUCCESS) {
        return status;
    }
    snp_guest_status_encode(
        &(struct snp_guest_status){
            .policy = guest->policy,
            .asid = guest->asid,
            .state = (uint8_t)guest->state,
            .vcek_dis = guest->vcek_dis,
        },
        out);
    return write_output(snp, cmd.status_paddr, out, sizeof(out));
}

/* Sub-function 1, EAX: bit n for the request of type 2n + 1. */
static uint32_t supported_messages(void)
{
    uint32_t bits = 0;

    for (uint8_t n = 0; n < 32; n++) {
        const struct snp_msg_header header = {
            .type = (uint8_t)(2 * n + 1),
            .version = 1,
            .size = SNP_MSG_MAX_PAYLOAD,
        };

        if (snp_msg_kind(&header) != NULL) {
            bits |= 1u << n;
        }
    }
    return bits;
}

static bool feature_info(const struct snp_platform *snp, uint32_t ecx_in,
                         struct snp_feature_info *info)
{
    *info = (struct snp_feature_info){0};
    switch (ecx_in) {
    case 0:
        info->eax = 1; /* highest sub-function */
        info->ebx = EBX_LEGACY_SEV;
        info->ecx = snp->core->profile.feature_ecx;
        return true;
    case 1:
        info->eax = supported_messages();
        return true;
    default:
        return false;
    }
}

enum sev_status snp_cmd_feature_info(struct snp_platform *snp,
                                     const uint8_t *buf)
{
    struct snp_cmd_feature_info cmd;
    struct snp_feature_info info;
    uint8_t out[SNP_FEATURE_INFO_SIZE];

    if (!snp_cmd_feature_info_decode(buf, &cmd) ||
        cmd.len != SNP_CMD_FEATURE_INFO_SIZE ||
        !feature_info(snp, cmd.ecx_in, &info)) {
        return SEV_INVALID_PARAM;
    }
    if (cmd.feature_info_paddr % 4 != 0 ||
        !core_within_page(cmd.feature_info_paddr, sizeof(out)) ||
        !core_range_ok(snp->core, cmd.feature_info_paddr, sizeof(out))) {
        return SEV_INVALID_ADDRESS;
    }
    snp_feature_info_encode(&info, out);
    return write_output(snp, cmd.feature_info_paddr, out, sizeof(out));
}
