/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "snp_cmd.h"
#include "snp_status.h"

/* Platform states: bit 0 UNINIT, bit 1 INIT. */
#define UNINIT 0x1u
#define INIT   0x2u
#define ANY    (UNINIT | INIT)

/* Guest states: bit 0 INIT, bit 1 LAUNCH, bit 2 RUNNING; 0: no guest. */
#define G_NONE   0x0u
#define G_INIT   0x1u
#define G_LAUNCH 0x2u
#define G_RUN    0x4u
#define G_ACTIVE (G_LAUNCH | G_RUN)
#define G_ANY    (G_INIT | G_LAUNCH | G_RUN)

#define INFO(NAME, size, platform, guest)                                      \
    .info = {SNP_CMD_##NAME, "SNP_" #NAME, size, platform, guest}

static const struct snp_command COMMANDS[] = {
    {INFO(INIT, 0, UNINIT, G_NONE), .run = snp_cmd_init},
    {INFO(SHUTDOWN, 0, ANY, G_NONE), .run = snp_cmd_shutdown},
    {INFO(PLATFORM_STATUS, SNP_CMD_STATUS_SIZE, ANY, G_NONE),
     .run = snp_cmd_platform_status},
    {INFO(DF_FLUSH, 0, ANY, G_NONE), .run = snp_cmd_df_flush},
    {INFO(INIT_EX, SNP_CMD_INIT_EX_SIZE, UNINIT, G_NONE),
     .run = snp_cmd_init_ex},
    {INFO(SHUTDOWN_EX, SNP_CMD_SHUTDOWN_EX_SIZE, ANY, G_NONE),
     .run = snp_cmd_shutdown_ex},
    {INFO(DECOMMISSION, SNP_CMD_GCTX_SIZE, INIT, G_ANY),
     .run = snp_cmd_decommission},
    {INFO(ACTIVATE, SNP_CMD_ACTIVATE_SIZE, INIT, G_ACTIVE),
     .run = snp_cmd_activate},
    {INFO(GUEST_STATUS, SNP_CMD_GUEST_STATUS_SIZE, INIT, G_ANY),
     .run = snp_cmd_guest_status},
    {INFO(GCTX_CREATE, SNP_CMD_GCTX_SIZE, INIT, G_NONE),
     .run = snp_cmd_gctx_create},
    {INFO(GUEST_REQUEST, SNP_CMD_GUEST_REQUEST_SIZE, INIT, G_RUN),
     .begin = snp_guest_request_begin},
    {INFO(ACTIVATE_EX, SNP_CMD_ACTIVATE_EX_SIZE, INIT, G_ACTIVE),
     .run = snp_cmd_activate_ex},
    {INFO(HV_REPORT_REQ, SNP_CMD_HV_REPORT_REQ_SIZE, INIT, G_RUN),
     .begin = snp_hv_report_begin, .hv_report = true},
    {INFO(LAUNCH_START, SNP_CMD_LAUNCH_START_SIZE, INIT, G_INIT),
     .run = snp_cmd_launch_start},
    {INFO(LAUNCH_UPDATE, SNP_CMD_LAUNCH_UPDATE_SIZE, INIT, G_LAUNCH),
     .run = snp_cmd_launch_update},
    {INFO(LAUNCH_FINISH, SNP_CMD_LAUNCH_FINISH_SIZE, INIT, G_LAUNCH),
     .run = snp_cmd_launch_finish},
    {INFO(DBG_DECRYPT, SNP_CMD_DBG_SIZE, INIT, G_ACTIVE),
     .run = snp_cmd_dbg_decrypt},
    {INFO(DBG_ENCRYPT, SNP_CMD_DBG_SIZE, INIT, G_ACTIVE),
     .run = snp_cmd_dbg_encrypt},
    {INFO(VERIFY_MITIGATION, SNP_CMD_VERIFY_MITIGATION_SIZE, ANY, G_NONE),
     .run = snp_cmd_verify_mitigation,
     .feature = SNP_FEATURE_VERIFY_MITIGATION},
    {INFO(PAGE_SWAP_OUT, SNP_CMD_PAGE_SWAP_SIZE, INIT, G_ACTIVE),
     .run = snp_cmd_page_swap_out},
    {INFO(PAGE_SWAP_IN, SNP_CMD_PAGE_SWAP_SIZE, INIT, G_ACTIVE),
     .run = snp_cmd_page_swap_in},
    {INFO(PAGE_MOVE, SNP_CMD_PAGE_MOVE_SIZE, INIT, G_ACTIVE),
     .run = snp_cmd_page_move},
    {INFO(PAGE_MD_INIT, SNP_CMD_PAGE_MD_INIT_SIZE, INIT, G_ACTIVE),
     .run = snp_cmd_page_md_init},
    {INFO(PAGE_SET_STATE, SNP_CMD_PAGE_SET_STATE_SIZE, INIT, G_NONE),
     .run = snp_cmd_page_set_state},
    {INFO(PAGE_RECLAIM, SNP_CMD_PAGE_RECLAIM_SIZE, INIT, G_NONE),
     .run = snp_cmd_page_reclaim},
    {INFO(PAGE_UNSMASH, SNP_CMD_PAGE_UNSMASH_SIZE, INIT, G_NONE),
     .run = snp_cmd_page_unsmash},
    {INFO(CONFIG, SNP_CMD_CONFIG_SIZE, ANY, G_NONE), .run = snp_cmd_config},
    {INFO(DOWNLOAD_FIRMWARE_EX, SNP_CMD_DOWNLOAD_FIRMWARE_EX_SIZE, ANY, G_NONE),
     .run = snp_cmd_download_firmware_ex},
    {INFO(COMMIT, SNP_CMD_COMMIT_SIZE, ANY, G_NONE), .run = snp_cmd_commit},
    {INFO(VLEK_LOAD, SNP_CMD_VLEK_LOAD_SIZE, ANY, G_NONE),
     .run = snp_cmd_vlek_load, .feature = SNP_FEATURE_VLEK},
    {INFO(FEATURE_INFO, SNP_CMD_FEATURE_INFO_SIZE, ANY, G_NONE),
     .run = snp_cmd_feature_info},
};

#define COMMAND_COUNT (sizeof(COMMANDS) / sizeof(COMMANDS[0]))

const struct snp_command *snp_command(uint32_t id)
{
    size_t lo = 0;
    size_t hi = COMMAND_COUNT;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (COMMANDS[mid].info.id == id) {
            return &COMMANDS[mid];
        }
        if (COMMANDS[mid].info.id < id) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return NULL;
}

const struct snp_command *snp_command_at(size_t index)
{
    return index < COMMAND_COUNT ? &COMMANDS[index] : NULL;
}

bool snp_command_exists(const struct snp_command *row,
                        const struct psp_profile *profile)
{
    return profile->has_snp &&
           (profile->feature_ecx & row->feature) == row->feature &&
           (profile->has_hv_report || !row->hv_report);
}
