/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The SEV-SNP half of the firmware: state shared by its command handlers.
 */
#ifndef SNP_H
#define SNP_H

#include "core.h"
#include "pki.h"

#define SNP_VMPCK_COUNT 4u
#define SNP_KEY_SIZE    32u

/** ma_gctx_paddr of a guest without a migration agent. */
#define SNP_NO_AGENT UINT64_MAX
/** 4 KiB pages of a 2 MiB page. */
#define SNP_PAGES_2M (RMP_PAGE_2M_SIZE / RMP_PAGE_SIZE)

enum snp_guest_state {
    SNP_GUEST_INIT = 0,
    SNP_GUEST_LAUNCH = 1,
    SNP_GUEST_RUNNING = 2,
};

/** Guest context, kept in firmware-private memory and found by the address of
 * its context page. Field names are those of abi/snp.md §4.1. */
struct snp_guest {
    struct snp_guest *next; /* hash chain, by gctx_paddr */
    uint64_t gctx_paddr;    /* RMP state of that page: Context */
    enum snp_guest_state state;
    uint32_t asid; /* 0: not activated */
    uint64_t policy;
    uint64_t msg_count[SNP_VMPCK_COUNT];
    uint8_t ld[48];
    uint8_t imd[48];
    bool imi_en;
    uint64_t ma_gctx_paddr; /* SNP_NO_AGENT without one */
    uint8_t vek[32];
    uint8_t oek[SNP_KEY_SIZE];
    uint64_t oek_iv_count;
    uint8_t vmpck[SNP_VMPCK_COUNT][SNP_KEY_SIZE];
    uint8_t vmrk[SNP_KEY_SIZE];
    uint8_t report_id[32];
    uint8_t report_id_ma[32];
    uint8_t host_data[32];
    bool vcek_dis;
    bool id_block_en;
    bool author_key_en;
    uint8_t id_block[0x60];
    uint8_t id_key_digest[48];
    uint8_t author_key_digest[48];
    uint8_t root_md_entry[64];
    uint8_t gosvw[16];
    uint32_t desired_tsc_freq;
    uint64_t psp_tsc_offset;
    struct psp_tcb launch_tcb;
    uint64_t launch_mit_vector;
};

/* From id_block: family_id at 0x30, image_id at 0x40, guest_svn (le32) 0x54. */

struct snp_version3 {
    uint8_t major, minor, build;
};

struct snp_platform {
    struct psp_core *core;
    struct snp_guest **guests; /* hash table */
    size_t bucket_count;
    size_t guest_count;           /* contexts in the table */
    uint32_t started_guest_count; /* GUEST_COUNT: guests that left INIT */
    bool rmp_initialized;
    struct psp_tcb rmp_tcb; /* CurrentTcb when the RMP was built */
    bool rapl_dis;
    bool ciphertext_hiding_en;
    uint32_t max_snp_asid; /* highest ASID of SNP guests */
    /* TCB, abi/snp.md §9 */
    struct psp_tcb current_tcb;
    struct psp_tcb committed_tcb;
    struct snp_version3 current_version;
    struct snp_version3 committed_version;
    bool reported_set;           /* SNP_CONFIG gave a value */
    struct psp_tcb reported_tcb; /* effective ReportedTcb */
    uint64_t current_mit_vector;
    bool mask_chip_id;
    bool mask_chip_key;
    /* Keys of reported_tcb; refreshed by snp_keys_refresh(). */
    bool vcek_ready;
    uint8_t vcek_seed[48];
    struct psp_p384_key vcek;
    bool vlek_en;
    uint8_t vlek_seed[48];
    struct psp_p384_key vlek;
};

/** Power-on state: UNINIT, everything committed. PSP_E_NOMEM. */
PSP_MUST_CHECK enum psp_err snp_init(struct snp_platform *snp,
                                     struct psp_core *core);
/** current_version becomes core's: the legacy half has loaded an update. */
void snp_version_follow(struct snp_platform *snp);
/** Free all guests and wipe; harmless on a zeroed @snp. */
void snp_clear(struct snp_platform *snp);

/** Context at @gctx_paddr, or NULL. Does not look at the RMP. */
struct snp_guest *snp_guest_find(const struct snp_platform *snp,
                                 uint64_t gctx_paddr);
/** A new zeroed context for @gctx_paddr, which has none; NULL: out of memory.
 * The caller makes the page a Context page. */
struct snp_guest *snp_guest_add(struct snp_platform *snp, uint64_t gctx_paddr);
/** End a guest: its ASID becomes dirty, GUEST_COUNT is right again, the
 * context is wiped and freed. Its context page is the caller's. */
void snp_guest_remove(struct snp_platform *snp, struct snp_guest *guest);
/** The same for all guests. */
void snp_guest_remove_all(struct snp_platform *snp);

/** Derive VCEK seed and key of reported_tcb if they are not there yet. */
PSP_MUST_CHECK enum psp_err snp_keys_refresh(struct snp_platform *snp);
/** ReportedTcb becomes @tcb, with its keys; a VLEK of another TCB is dropped.
 * Nothing has changed on failure. */
PSP_MUST_CHECK enum psp_err snp_set_reported(struct snp_platform *snp,
                                             const struct psp_tcb *tcb);
/** The effects of SNP_COMMIT. Nothing has changed on failure. */
PSP_MUST_CHECK enum psp_err snp_commit(struct snp_platform *snp);
/** Forget the VLEK. */
void snp_vlek_drop(struct snp_platform *snp);

/** Rules that several commands share. */

/** SUCCESS; INVALID_ADDRESS; INVALID_GUEST (not a Context page, or the context
 * of an earlier INIT). @gctx_paddr is page aligned. */
enum sev_status snp_find_gctx(struct snp_platform *snp, uint64_t gctx_paddr,
                              struct snp_guest **guest);
/** True while the platform is INIT. */
bool snp_is_init(const struct snp_platform *snp);
/** True if the whole page at @spa (page aligned) is system memory. */
bool snp_page_ok(const struct snp_platform *snp, uint64_t spa);
/** True if the profile's SNP_FEATURE_INFO has the bit. */
bool snp_has_feature(const struct snp_platform *snp, uint32_t feature);

/** PLATFORM_INFO of reports: the profile's value, with RAPL_DIS and
 * CIPHERTEXT_HIDING_DRAM_EN from the platform's state. */
uint64_t snp_platform_info(const struct snp_platform *snp);

/** GUEST_TSC_SCALE of a guest: its DESIRED_TSC_FREQ over the platform's, 8.32
 * fixed point, saturated. abi/snp.md §6.7 */
uint64_t snp_tsc_scale(const struct snp_guest *guest);
/** TSC_FACTOR: percent decrease x 1000 of the mean rate. */
#define SNP_TSC_FACTOR 200u

/** Command handlers: @buf holds exactly the command buffer of the table.
 * Order of checks and status codes: abi/snp.md §1. */
typedef enum sev_status snp_handler(struct snp_platform *snp,
                                    const uint8_t *buf);
snp_handler snp_cmd_init, snp_cmd_init_ex, snp_cmd_shutdown,
    snp_cmd_shutdown_ex, snp_cmd_platform_status, snp_cmd_df_flush,
    snp_cmd_decommission, snp_cmd_activate, snp_cmd_activate_ex,
    snp_cmd_guest_status, snp_cmd_gctx_create, snp_cmd_launch_start,
    snp_cmd_launch_update, snp_cmd_launch_finish, snp_cmd_dbg_decrypt,
    snp_cmd_dbg_encrypt, snp_cmd_page_set_state, snp_cmd_page_reclaim,
    snp_cmd_page_unsmash, snp_cmd_config, snp_cmd_commit, snp_cmd_vlek_load,
    snp_cmd_feature_info, snp_cmd_page_swap_out, snp_cmd_page_swap_in,
    snp_cmd_page_move, snp_cmd_page_md_init, snp_cmd_download_firmware_ex,
    snp_cmd_verify_mitigation;

#endif
