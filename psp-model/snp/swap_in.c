/* SPDX-License-Identifier: Apache-2.0 */
/* SNP_PAGE_SWAP_IN. abi/snp.md §1.16 */
#include "swap.h"

#include <string.h>

static bool entry_ok(const struct snp_swap *s, const struct snp_mdata *entry)
{
    return entry->valid &&
           entry->metadata == (s->cmd.page_type == SNP_SWAP_METADATA) &&
           entry->vmsa == (s->cmd.page_type == SNP_SWAP_VMSA);
}

static enum sev_status check_entry(const struct snp_swap *s,
                                   const struct snp_mdata *entry)
{
    if (!entry_ok(s, entry)) {
        return SEV_INVALID_MDATA_ENTRY;
    }
    if (entry->size_2m != s->cmd.size_2m ||
        !snp_swap_size_ok(s, s->cmd.dst_paddr)) {
        return SEV_INVALID_PAGE_SIZE;
    }
    if (!snp_swap_aligned(s, s->cmd.dst_paddr) ||
        (s->cmd.in_place && s->cmd.src_paddr != s->cmd.dst_paddr)) {
        return SEV_INVALID_ADDRESS;
    }
    return SEV_SUCCESS;
}

static enum sev_status check_destination(const struct snp_swap *s)
{
    struct rmp_entry dst = rmp_get(s->snp->core->rmp, s->cmd.dst_paddr);

    if (s->cmd.page_type == SNP_SWAP_METADATA) {
        return dst.state == RMP_FIRMWARE ? SEV_SUCCESS : SEV_INVALID_PAGE_STATE;
    }
    if (dst.state != RMP_PRE_GUEST) {
        return SEV_INVALID_PAGE_STATE;
    }
    return dst.asid == s->guest->asid ? SEV_SUCCESS : SEV_INVALID_PAGE_OWNER;
}

static enum sev_status check(struct snp_swap *s, const uint8_t *buf,
                             struct snp_mdata *entry)
{
    enum sev_status status = snp_swap_check(s, buf, true);

    if (status == SEV_SUCCESS) {
        status = snp_swap_check_guest(s->guest);
    }
    if (status == SEV_SUCCESS) {
        status = core_status(snp_swap_entry_read(s, entry));
    }
    if (status == SEV_SUCCESS) {
        status = check_entry(s, entry);
    }
    return status == SEV_SUCCESS ? check_destination(s) : status;
}

static enum sev_status open_page(const struct snp_swap *s,
                                 const struct snp_mdata *entry)
{
    uint8_t iv[GCM_IV_SIZE];
    enum psp_err err =
        core_read(s->snp->core, s->cmd.src_paddr, s->page, s->size);

    if (err != PSP_OK) {
        return core_status(err);
    }
    snp_swap_iv(entry->iv, iv);
    if (!psp_gcm_open(s->guest->oek, iv, NULL, 0, s->page, s->size,
                      entry->auth_tag, s->page)) {
        return SEV_BAD_MEASUREMENT;
    }
    if (!entry->metadata) {
        err = core_mem_encrypt(s->guest->vek, s->cmd.dst_paddr, s->page,
                               s->page, s->size);
    }
    return core_status(err);
}

static void take_destination(const struct snp_swap *s,
                             const struct snp_mdata *entry)
{
    for (uint64_t offset = 0; offset < s->size; offset += RMP_PAGE_SIZE) {
        uint64_t spa = s->cmd.dst_paddr + offset;
        struct rmp_entry e = rmp_get(s->snp->core->rmp, spa);

        if (entry->metadata) {
            e = (struct rmp_entry){.state = RMP_METADATA,
                                   .owner_gctx = s->cmd.gctx_paddr};
        } else {
            e.state = entry->page_validated ? RMP_PRE_SWAP : RMP_PRE_GUEST;
            e.vmsa = entry->vmsa;
            e.gpa = entry->gpa + offset;
            memcpy(e.vmpl, entry->vmpl, sizeof(e.vmpl));
        }
        rmp_replace(s->snp->core->rmp, spa, &e);
    }
}

static enum sev_status run(struct snp_swap *s, struct snp_mdata *entry)
{
    enum sev_status status = snp_swap_alloc(s);

    if (status == SEV_SUCCESS) {
        status = open_page(s, entry);
    }
    if (status == SEV_SUCCESS) {
        entry->valid = false; /* a page comes back once */
        status = snp_swap_write(s, entry);
    }
    if (status == SEV_SUCCESS) {
        take_destination(s, entry);
    }
    return status;
}

enum sev_status snp_cmd_page_swap_in(struct snp_platform *snp,
                                     const uint8_t *buf)
{
    struct snp_swap s = {.snp = snp};
    struct snp_mdata entry;
    enum sev_status status = check(&s, buf, &entry);

    if (status == SEV_SUCCESS) {
        status = run(&s, &entry);
        snp_swap_free(&s);
    }
    return status;
}
