/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Identifiers and command buffers of the SEV-SNP mailbox commands. Packed,
 * little-endian.
 *
 * Each structure: its size, then encode and decode. Decoders take exactly that
 * many bytes and return false when something that must be zero is not: reserved
 * bits and bytes, and bits 11:0 of the address of a context page, guest page or
 * metadata target. The fields are filled in all the same. LEN fields are
 * returned, not judged: commands differ in the status and the place of that
 * check. Encoders write reserved bytes as zero.
 * Spec: [56860 §8], [psp-sev], [sev-tool], abi/snp.md §1.
 */
#ifndef WIRE_SNP_CMD_H
#define WIRE_SNP_CMD_H

#include <psp/err.h>
#include <psp/profile.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum snp_command_id {
    SNP_CMD_INIT = 0x81,
    SNP_CMD_SHUTDOWN = 0x82,
    SNP_CMD_PLATFORM_STATUS = 0x83,
    SNP_CMD_DF_FLUSH = 0x84,
    SNP_CMD_INIT_EX = 0x85,
    SNP_CMD_SHUTDOWN_EX = 0x86,
    SNP_CMD_DECOMMISSION = 0x90,
    SNP_CMD_ACTIVATE = 0x91,
    SNP_CMD_GUEST_STATUS = 0x92,
    SNP_CMD_GCTX_CREATE = 0x93,
    SNP_CMD_GUEST_REQUEST = 0x94,
    SNP_CMD_ACTIVATE_EX = 0x95,
    SNP_CMD_HV_REPORT_REQ = 0x96,
    SNP_CMD_LAUNCH_START = 0xa0,
    SNP_CMD_LAUNCH_UPDATE = 0xa1,
    SNP_CMD_LAUNCH_FINISH = 0xa2,
    SNP_CMD_DBG_DECRYPT = 0xb0,
    SNP_CMD_DBG_ENCRYPT = 0xb1,
    SNP_CMD_VERIFY_MITIGATION = 0xb2,
    SNP_CMD_PAGE_SWAP_OUT = 0xc0,
    SNP_CMD_PAGE_SWAP_IN = 0xc1,
    SNP_CMD_PAGE_MOVE = 0xc2,
    SNP_CMD_PAGE_MD_INIT = 0xc3,
    SNP_CMD_PAGE_SET_STATE = 0xc6,
    SNP_CMD_PAGE_RECLAIM = 0xc7,
    SNP_CMD_PAGE_UNSMASH = 0xc8,
    SNP_CMD_CONFIG = 0xc9,
    SNP_CMD_DOWNLOAD_FIRMWARE_EX = 0xca,
    SNP_CMD_COMMIT = 0xcb,
    SNP_CMD_VLEK_LOAD = 0xcd,
    SNP_CMD_FEATURE_INFO = 0xce,
};

/** Largest command buffer. */
#define SNP_CMD_MAX_SIZE 0x40u

#define SNP_CMD_CODEC(name, SIZE)                                              \
    void name##_encode(const struct name *cmd, uint8_t out[SIZE]);             \
    PSP_MUST_CHECK bool name##_decode(const uint8_t buf[SIZE], struct name *cmd)

/* Platform. abi/snp.md §1.3 to §1.5, §1.12, §1.18 */

#define SNP_CMD_INIT_EX_SIZE 0x40u
struct snp_cmd_init_ex {
    bool init_rmp;
    bool list_paddr_en;
    bool rapl_dis;
    bool ciphertext_hiding_en;
    uint64_t list_paddr;
    uint16_t max_snp_asid;
};
SNP_CMD_CODEC(snp_cmd_init_ex, SNP_CMD_INIT_EX_SIZE);

#define SNP_CMD_SHUTDOWN_EX_SIZE 0x8u
struct snp_cmd_shutdown_ex {
    uint32_t len; /* 8 */
    bool iommu_snp_shutdown;
    bool x86_snp_shutdown;
};
SNP_CMD_CODEC(snp_cmd_shutdown_ex, SNP_CMD_SHUTDOWN_EX_SIZE);

/** PLATFORM_STATUS: address of the output. No bit is reserved. */
#define SNP_CMD_STATUS_SIZE 0x8u
struct snp_cmd_status {
    uint64_t status_paddr;
};
SNP_CMD_CODEC(snp_cmd_status, SNP_CMD_STATUS_SIZE);

#define SNP_CMD_FEATURE_INFO_SIZE 0x10u
struct snp_cmd_feature_info {
    uint32_t len; /* 10h */
    uint32_t ecx_in;
    uint64_t feature_info_paddr;
};
SNP_CMD_CODEC(snp_cmd_feature_info, SNP_CMD_FEATURE_INFO_SIZE);

#define SNP_CMD_CONFIG_SIZE 0x40u
struct snp_cmd_config {
    struct psp_tcb reported_tcb; /* all zero: the default */
    bool mask_chip_id;
    bool mask_chip_key;
};
SNP_CMD_CODEC(snp_cmd_config, SNP_CMD_CONFIG_SIZE);

#define SNP_CMD_COMMIT_SIZE 0x4u
struct snp_cmd_commit {
    uint32_t len; /* 4 */
};
SNP_CMD_CODEC(snp_cmd_commit, SNP_CMD_COMMIT_SIZE);

#define SNP_CMD_VLEK_LOAD_SIZE 0x10u
struct snp_cmd_vlek_load {
    uint32_t len;                 /* 10h */
    uint8_t vlek_wrapped_version; /* 0 */
    uint64_t vlek_wrapped_paddr;
};
SNP_CMD_CODEC(snp_cmd_vlek_load, SNP_CMD_VLEK_LOAD_SIZE);

#define SNP_CMD_DOWNLOAD_FIRMWARE_EX_SIZE 0x18u
struct snp_cmd_download_firmware_ex {
    uint32_t len; /* 18h */
    uint64_t fw_paddr;
    uint32_t fw_len;
    bool commit;
};
SNP_CMD_CODEC(snp_cmd_download_firmware_ex, SNP_CMD_DOWNLOAD_FIRMWARE_EX_SIZE);

#define SNP_CMD_VERIFY_MITIGATION_SIZE 0x40u
#define SNP_MITIGATION_STATUS          0u
#define SNP_MITIGATION_VERIFY          1u
struct snp_cmd_verify_mitigation {
    uint32_t len; /* 40h */
    uint16_t subcommand;
    uint64_t vector;
    bool dst_paddr_en;
    bool src_paddr_en;
    uint64_t src_paddr;
    uint64_t dst_paddr;
};
SNP_CMD_CODEC(snp_cmd_verify_mitigation, SNP_CMD_VERIFY_MITIGATION_SIZE);

/* Guests. abi/snp.md §1.6 to §1.15 */

/** GCTX_CREATE, DECOMMISSION. */
#define SNP_CMD_GCTX_SIZE 0x8u
struct snp_cmd_gctx {
    uint64_t gctx_paddr;
};
SNP_CMD_CODEC(snp_cmd_gctx, SNP_CMD_GCTX_SIZE);

#define SNP_CMD_ACTIVATE_SIZE 0xcu
struct snp_cmd_activate {
    uint64_t gctx_paddr;
    uint32_t asid;
};
SNP_CMD_CODEC(snp_cmd_activate, SNP_CMD_ACTIVATE_SIZE);

#define SNP_CMD_ACTIVATE_EX_SIZE 0x20u
struct snp_cmd_activate_ex {
    uint32_t ex_len; /* 20h */
    uint64_t gctx_paddr;
    uint32_t asid;
    uint32_t num_ids;
    uint64_t ids_paddr;
};
SNP_CMD_CODEC(snp_cmd_activate_ex, SNP_CMD_ACTIVATE_EX_SIZE);

#define SNP_CMD_GUEST_STATUS_SIZE 0x10u
struct snp_cmd_guest_status {
    uint64_t gctx_paddr;
    uint64_t status_paddr;
};
SNP_CMD_CODEC(snp_cmd_guest_status, SNP_CMD_GUEST_STATUS_SIZE);

/** GUEST_REQUEST. The message addresses are judged by the command. */
#define SNP_CMD_GUEST_REQUEST_SIZE 0x18u
struct snp_cmd_guest_request {
    uint64_t gctx_paddr;
    uint64_t request_paddr;
    uint64_t response_paddr;
};
SNP_CMD_CODEC(snp_cmd_guest_request, SNP_CMD_GUEST_REQUEST_SIZE);

#define SNP_CMD_HV_REPORT_REQ_SIZE 0x18u
struct snp_cmd_hv_report_req {
    uint32_t len;    /* 18h */
    uint8_t key_sel; /* 0..3 */
    uint64_t gctx_paddr;
    uint64_t hv_report_paddr; /* judged by the command */
};
SNP_CMD_CODEC(snp_cmd_hv_report_req, SNP_CMD_HV_REPORT_REQ_SIZE);

#define SNP_CMD_LAUNCH_START_SIZE 0x30u
struct snp_cmd_launch_start {
    uint64_t gctx_paddr;
    uint64_t policy;
    uint64_t ma_gctx_paddr; /* bits 11:0 are judged only with ma_en */
    bool ma_en;
    bool imi_en;
    uint32_t desired_tsc_freq; /* kHz; 0: default */
    uint8_t gosvw[16];
};
SNP_CMD_CODEC(snp_cmd_launch_start, SNP_CMD_LAUNCH_START_SIZE);

#define SNP_CMD_LAUNCH_UPDATE_SIZE 0x20u
struct snp_cmd_launch_update {
    uint64_t gctx_paddr;
    bool size_2m;
    uint8_t page_type; /* 0..7, enum snp_page_type */
    bool imi_page;
    uint64_t page_paddr;
    uint8_t vmpl_perms[3]; /* VMPL1..3 */
};
SNP_CMD_CODEC(snp_cmd_launch_update, SNP_CMD_LAUNCH_UPDATE_SIZE);

#define SNP_CMD_LAUNCH_FINISH_SIZE 0x40u
struct snp_cmd_launch_finish {
    uint64_t gctx_paddr;
    uint64_t id_block_paddr;
    uint64_t id_auth_paddr;
    bool id_block_en;
    bool auth_key_en;
    bool vcek_dis;
    uint8_t host_data[32];
};
SNP_CMD_CODEC(snp_cmd_launch_finish, SNP_CMD_LAUNCH_FINISH_SIZE);

/** DBG_DECRYPT, DBG_ENCRYPT. */
#define SNP_CMD_DBG_SIZE 0x18u
struct snp_cmd_dbg {
    uint64_t gctx_paddr;
    uint64_t src_paddr;
    uint64_t dst_paddr;
};
SNP_CMD_CODEC(snp_cmd_dbg, SNP_CMD_DBG_SIZE);

/* Pages. abi/snp.md §1.16, §1.17 */

enum snp_swap_type {
    SNP_SWAP_DATA = 0,
    SNP_SWAP_METADATA = 1,
    SNP_SWAP_VMSA = 2,
};

/** PAGE_SWAP_OUT, PAGE_SWAP_IN: what one reserves and the other does not is
 * judged by the command (software_data, in_place, page_type 3). */
#define SNP_CMD_PAGE_SWAP_SIZE 0x30u
struct snp_cmd_page_swap {
    uint64_t gctx_paddr;
    uint64_t src_paddr;
    uint64_t dst_paddr;
    uint64_t mdata_paddr;
    uint64_t software_data;
    bool size_2m;
    uint8_t page_type; /* 0..3 */
    bool in_place;
    bool root_mdata_en;
};
SNP_CMD_CODEC(snp_cmd_page_swap, SNP_CMD_PAGE_SWAP_SIZE);

#define SNP_CMD_PAGE_MOVE_SIZE 0x20u
struct snp_cmd_page_move {
    uint64_t gctx_paddr;
    bool size_2m;
    uint64_t src_paddr;
    uint64_t dst_paddr;
};
SNP_CMD_CODEC(snp_cmd_page_move, SNP_CMD_PAGE_MOVE_SIZE);

#define SNP_CMD_PAGE_MD_INIT_SIZE 0x10u
struct snp_cmd_page_md_init {
    uint64_t gctx_paddr;
    uint64_t page_paddr;
};
SNP_CMD_CODEC(snp_cmd_page_md_init, SNP_CMD_PAGE_MD_INIT_SIZE);

#define SNP_CMD_PAGE_SET_STATE_SIZE 0x10u
struct snp_cmd_page_set_state {
    uint32_t len; /* 10h */
    uint64_t list_paddr;
};
SNP_CMD_CODEC(snp_cmd_page_set_state, SNP_CMD_PAGE_SET_STATE_SIZE);

/** PAGE_RECLAIM: page size in bit 0 of the address. */
#define SNP_CMD_PAGE_RECLAIM_SIZE 0x8u
struct snp_cmd_page_reclaim {
    uint64_t page_paddr;
    bool size_2m;
};
SNP_CMD_CODEC(snp_cmd_page_reclaim, SNP_CMD_PAGE_RECLAIM_SIZE);

/** PAGE_UNSMASH: bits 20:0 of the address must be zero. */
#define SNP_CMD_PAGE_UNSMASH_SIZE 0x8u
struct snp_cmd_page_unsmash {
    uint64_t page_paddr;
};
SNP_CMD_CODEC(snp_cmd_page_unsmash, SNP_CMD_PAGE_UNSMASH_SIZE);

/* RANGE_LIST of SNP_INIT_EX and SNP_PAGE_SET_STATE. abi/snp.md §1.3 */

#define SNP_RANGE_LIST_SIZE  0x1000u
#define SNP_RANGE_LIST_COUNT 255u /* as many as fit in the page */

struct snp_range {
    uint64_t base;
    uint32_t page_count; /* 4 KiB pages */
};

/** @count at most SNP_RANGE_LIST_COUNT; the rest of the page is zero. */
void snp_range_list_encode(const struct snp_range *ranges, size_t count,
                           uint8_t out[SNP_RANGE_LIST_SIZE]);
/** False: more ranges than fit, reserved fields set (of the header or of a
 * listed range), or a base that is not page aligned. */
PSP_MUST_CHECK bool
snp_range_list_decode(const uint8_t buf[SNP_RANGE_LIST_SIZE],
                      struct snp_range ranges[SNP_RANGE_LIST_COUNT],
                      size_t *count);

#endif
