/* SPDX-License-Identifier: Apache-2.0 */
/* SNP_INIT, SNP_INIT_EX. abi/snp.md §1.3 */
#include "snp.h"

#include "snp_cmd.h"
#include "snp_status.h"

#include <string.h>

/* Physical addresses have 52 bits. */
#define SPA_END (1ull << 52)

static bool rmp_is_current(const struct snp_platform *snp)
{
    return snp->rmp_initialized &&
           memcmp(&snp->rmp_tcb, &snp->current_tcb, sizeof(snp->rmp_tcb)) == 0;
}

static bool snp_enabled(const struct psp_core *core)
{
    return core->ops->snp_enabled == NULL || core->ops->snp_enabled(core->host);
}

static enum sev_status read_ranges(const struct snp_platform *snp,
                                   const struct snp_cmd_init_ex *cmd,
                                   struct rmp_range *out, size_t *count)
{
    struct snp_range ranges[SNP_RANGE_LIST_COUNT];
    uint8_t page[SNP_RANGE_LIST_SIZE];
    enum psp_err err;

    *count = 0;
    if (!cmd->list_paddr_en) {
        return SEV_SUCCESS;
    }
    if (!core_range_ok(snp->core, cmd->list_paddr, sizeof(page))) {
        return SEV_INVALID_ADDRESS;
    }
    if (cmd->list_paddr % RMP_PAGE_SIZE != 0) {
        return SEV_RMP_INITIALIZATION_FAILED;
    }
    err = core_read(snp->core, cmd->list_paddr, page, sizeof(page));
    if (err != PSP_OK) {
        return core_status(err);
    }
    if (!snp_range_list_decode(page, ranges, count)) {
        return SEV_RMP_INITIALIZATION_FAILED;
    }
    for (size_t i = 0; i < *count; i++) {
        uint64_t size = (uint64_t)ranges[i].page_count * RMP_PAGE_SIZE;

        if (ranges[i].base > SPA_END || size > SPA_END - ranges[i].base) {
            return SEV_RMP_INITIALIZATION_FAILED;
        }
        out[i] = (struct rmp_range){.base = ranges[i].base, .size = size};
    }
    return SEV_SUCCESS;
}

static bool features_ok(const struct snp_platform *snp,
                        const struct snp_cmd_init_ex *cmd)
{
    if (cmd->rapl_dis && !snp_has_feature(snp, SNP_FEATURE_RAPL_DIS)) {
        return false;
    }
    return !cmd->ciphertext_hiding_en ||
           (snp_has_feature(snp, SNP_FEATURE_CIPHERTEXT_HIDING) &&
            core_asid_at(snp->core, cmd->max_snp_asid) != NULL);
}

static enum sev_status check(const struct snp_platform *snp,
                             const struct snp_cmd_init_ex *cmd)
{
    const struct psp_core *core = snp->core;

    if (snp_is_init(snp) || core->sev_state != SEV_PLATFORM_UNINIT) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    if (!cmd->init_rmp && !rmp_is_current(snp)) {
        return SEV_RMP_INIT_REQUIRED;
    }
    if (cmd->list_paddr_en && !cmd->init_rmp) {
        return SEV_INVALID_PARAM;
    }
    return snp_enabled(core) ? SEV_SUCCESS : SEV_INVALID_CONFIG;
}

static void become_init(struct snp_platform *snp,
                        const struct snp_cmd_init_ex *cmd)
{
    struct psp_core *core = snp->core;

    snp->started_guest_count = 0;
    snp->rapl_dis = cmd->rapl_dis;
    snp->ciphertext_hiding_en = cmd->ciphertext_hiding_en;
    snp->max_snp_asid = cmd->ciphertext_hiding_en ? cmd->max_snp_asid
                                                  : core->profile.asid_count;
    for (uint32_t asid = 1; asid <= core->profile.asid_count; asid++) {
        core->asids[asid].dirty = true;
    }
    core->snp_state = SNP_PLATFORM_INIT;
}

static enum sev_status init_platform(struct snp_platform *snp,
                                     const struct snp_cmd_init_ex *cmd)
{
    struct rmp_range ranges[SNP_RANGE_LIST_COUNT];
    size_t count = 0;
    enum sev_status status = check(snp, cmd);

    if (status == SEV_SUCCESS) {
        status = read_ranges(snp, cmd, ranges, &count);
    }
    if (status == SEV_SUCCESS && !features_ok(snp, cmd)) {
        status = SEV_INVALID_PARAM;
    }
    if (status == SEV_SUCCESS) {
        status = core_status(snp_keys_refresh(snp));
    }
    if (status != SEV_SUCCESS) {
        return status;
    }
    if (cmd->init_rmp) {
        if (rmp_rebuild(snp->core->rmp, ranges, count) != PSP_OK) {
            return SEV_RMP_INITIALIZATION_FAILED;
        }
        snp->rmp_initialized = true;
        snp->rmp_tcb = snp->current_tcb;
    }
    become_init(snp, cmd);
    return SEV_SUCCESS;
}

enum sev_status snp_cmd_init(struct snp_platform *snp, const uint8_t *buf)
{
    const struct snp_cmd_init_ex cmd = {.init_rmp = true};

    (void)buf;
    return init_platform(snp, &cmd);
}

enum sev_status snp_cmd_init_ex(struct snp_platform *snp, const uint8_t *buf)
{
    struct snp_cmd_init_ex cmd;

    return snp_cmd_init_ex_decode(buf, &cmd) ? init_platform(snp, &cmd)
                                             : SEV_INVALID_PARAM;
}
