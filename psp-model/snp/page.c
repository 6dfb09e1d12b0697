/* SPDX-License-Identifier: Apache-2.0 */
/* SNP_PAGE_RECLAIM, SNP_PAGE_SET_STATE, SNP_PAGE_UNSMASH. abi/snp.md §1.17 */
#include "snp.h"

#include "snp_cmd.h"

#include <string.h>

static enum sev_status reclaim_check(const struct snp_platform *snp,
                                     const uint8_t *buf,
                                     struct snp_cmd_page_reclaim *cmd,
                                     struct rmp_entry *entry)
{
    if (!snp_cmd_page_reclaim_decode(buf, cmd)) {
        return SEV_INVALID_PARAM;
    }
    if (!snp_is_init(snp)) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    if (!snp_page_ok(snp, cmd->page_paddr)) {
        return SEV_INVALID_ADDRESS;
    }
    *entry = rmp_get(snp->core->rmp, cmd->page_paddr);
    if (entry->size_2m != cmd->size_2m) {
        return SEV_INVALID_PAGE_SIZE;
    }
    if (cmd->size_2m && cmd->page_paddr % RMP_PAGE_2M_SIZE != 0) {
        return SEV_INVALID_ADDRESS;
    }
    return SEV_SUCCESS;
}

/* What an immutable page becomes; HV_FIXED: it stays. */
static enum rmp_state reclaimed(enum rmp_state state)
{
    switch (state) {
    case RMP_METADATA:
    case RMP_FIRMWARE:
        return RMP_RECLAIM;
    case RMP_PRE_GUEST:
        return RMP_GUEST_INVALID;
    case RMP_PRE_SWAP:
        return RMP_GUEST_VALID;
    default:
        return RMP_HV_FIXED;
    }
}

enum sev_status snp_cmd_page_reclaim(struct snp_platform *snp,
                                     const uint8_t *buf)
{
    struct snp_cmd_page_reclaim cmd;
    struct rmp_entry entry;
    size_t size;
    enum sev_status status = reclaim_check(snp, buf, &cmd, &entry);

    if (status != SEV_SUCCESS) {
        return status;
    }
    /* A Default page has no entry, so no Immutable bit that could be 0. */
    if (!rmp_immutable(entry.state) && entry.state != RMP_DEFAULT) {
        return SEV_SUCCESS;
    }
    if (reclaimed(entry.state) == RMP_HV_FIXED) {
        return SEV_INVALID_PAGE_STATE;
    }
    size = cmd.size_2m ? RMP_PAGE_2M_SIZE : RMP_PAGE_SIZE;
    for (size_t offset = 0; offset < size; offset += RMP_PAGE_SIZE) {
        entry = rmp_get(snp->core->rmp, cmd.page_paddr + offset);
        entry.state = reclaimed(entry.state);
        entry.owner_gctx = 0;
        rmp_replace(snp->core->rmp, cmd.page_paddr + offset, &entry);
    }
    return SEV_SUCCESS;
}

/* A range of Firmware pages of which no 2 MiB page sticks out. */
static enum sev_status range_check(const struct snp_platform *snp,
                                   const struct snp_range *range)
{
    uint64_t size = (uint64_t)range->page_count * RMP_PAGE_SIZE;

    if (!core_range_ok(snp->core, range->base, size)) {
        return SEV_INVALID_ADDRESS;
    }
    for (uint64_t spa = range->base; spa < range->base + size;
         spa += RMP_PAGE_SIZE) {
        struct rmp_entry e = rmp_get(snp->core->rmp, spa);
        uint64_t head = spa - spa % RMP_PAGE_2M_SIZE;

        if (e.state != RMP_FIRMWARE) {
            return SEV_INVALID_PAGE_STATE;
        }
        if (e.size_2m && (head < range->base ||
                          head + RMP_PAGE_2M_SIZE > range->base + size)) {
            return SEV_INVALID_PAGE_SIZE;
        }
    }
    return SEV_SUCCESS;
}

static void range_fix(struct snp_platform *snp, const struct snp_range *range)
{
    const struct rmp_entry fixed = {.state = RMP_HV_FIXED};

    for (uint32_t i = 0; i < range->page_count; i++) {
        rmp_replace(snp->core->rmp, range->base + (uint64_t)i * RMP_PAGE_SIZE,
                    &fixed);
    }
}

static enum sev_status set_state_check(const struct snp_platform *snp,
                                       const uint8_t *buf,
                                       struct snp_cmd_page_set_state *cmd)
{
    bool ok = snp_cmd_page_set_state_decode(buf, cmd);

    if (cmd->len != SNP_CMD_PAGE_SET_STATE_SIZE) {
        return SEV_INVALID_LENGTH;
    }
    if (!ok) {
        return SEV_INVALID_PARAM;
    }
    if (!snp_is_init(snp)) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    return snp_page_ok(snp, cmd->list_paddr) ? SEV_SUCCESS
                                             : SEV_INVALID_ADDRESS;
}

enum sev_status snp_cmd_page_set_state(struct snp_platform *snp,
                                       const uint8_t *buf)
{
    struct snp_range ranges[SNP_RANGE_LIST_COUNT];
    uint8_t list[SNP_RANGE_LIST_SIZE];
    struct snp_cmd_page_set_state cmd;
    size_t count;
    enum sev_status status = set_state_check(snp, buf, &cmd);

    if (status == SEV_SUCCESS) {
        status = core_status(
            core_read(snp->core, cmd.list_paddr, list, sizeof(list)));
    }
    if (status != SEV_SUCCESS) {
        return status;
    }
    if (!snp_range_list_decode(list, ranges, &count)) {
        return SEV_INVALID_PARAM;
    }
    for (size_t i = 0; i < count; i++) {
        status = range_check(snp, &ranges[i]);
        if (status != SEV_SUCCESS) {
            return status;
        }
    }
    for (size_t i = 0; i < count; i++) {
        range_fix(snp, &ranges[i]);
    }
    return SEV_SUCCESS;
}

static bool same_kind(const struct rmp_entry *a, const struct rmp_entry *b)
{
    return a->state == b->state && a->asid == b->asid &&
           memcmp(a->vmpl, b->vmpl, sizeof(a->vmpl)) == 0;
}

/* Immutable and with an ASID: Pre-Guest or Pre-Swap. */
static bool may_unsmash(const struct rmp *rmp, uint64_t spa)
{
    const struct rmp_entry first = rmp_get(rmp, spa);

    if (!rmp_immutable(first.state) || first.asid == 0 ||
        first.gpa % RMP_PAGE_2M_SIZE != 0) {
        return false;
    }
    for (uint64_t offset = 0; offset < RMP_PAGE_2M_SIZE;
         offset += RMP_PAGE_SIZE) {
        const struct rmp_entry e = rmp_get(rmp, spa + offset);

        if (e.size_2m || e.vmsa || !same_kind(&e, &first) ||
            e.gpa != first.gpa + offset) {
            return false;
        }
    }
    return true;
}

enum sev_status snp_cmd_page_unsmash(struct snp_platform *snp,
                                     const uint8_t *buf)
{
    struct rmp *rmp = snp->core->rmp;
    struct snp_cmd_page_unsmash cmd;

    if (!snp_cmd_page_unsmash_decode(buf, &cmd)) {
        return SEV_INVALID_PARAM;
    }
    if (!snp_is_init(snp)) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    if (!core_range_ok(snp->core, cmd.page_paddr, RMP_PAGE_2M_SIZE)) {
        return SEV_INVALID_ADDRESS;
    }
    if (!may_unsmash(rmp, cmd.page_paddr)) {
        return SEV_INVALID_PAGE_STATE;
    }
    for (uint64_t offset = 0; offset < RMP_PAGE_2M_SIZE;
         offset += RMP_PAGE_SIZE) {
        struct rmp_entry e = rmp_get(rmp, cmd.page_paddr + offset);

        e.size_2m = true;
        rmp_replace(rmp, cmd.page_paddr + offset, &e);
    }
    return SEV_SUCCESS;
}
