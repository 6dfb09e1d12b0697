/* SPDX-License-Identifier: Apache-2.0 */
/* SNP_PAGE_SWAP_OUT. abi/snp.md §1.16 */
#include "swap.h"

#include <string.h>

static struct rmp_entry source(const struct snp_swap *s)
{
    return rmp_get(s->snp->core->rmp, s->cmd.src_paddr);
}

static enum sev_status check_source(const struct snp_swap *s)
{
    struct rmp_entry src = source(s);

    if (s->cmd.page_type == SNP_SWAP_METADATA) {
        if (src.state != RMP_METADATA) {
            return SEV_INVALID_PAGE_STATE;
        }
        return src.owner_gctx == s->cmd.gctx_paddr ? SEV_SUCCESS
                                                   : SEV_INVALID_PAGE_OWNER;
    }
    if ((src.state != RMP_PRE_GUEST && src.state != RMP_PRE_SWAP) ||
        src.vmsa != (s->cmd.page_type == SNP_SWAP_VMSA)) {
        return SEV_INVALID_PAGE_STATE;
    }
    return src.asid == s->guest->asid ? SEV_SUCCESS : SEV_INVALID_PAGE_OWNER;
}

static enum sev_status check(struct snp_swap *s, const uint8_t *buf)
{
    enum sev_status status = snp_swap_check(s, buf, false);

    if (status != SEV_SUCCESS) {
        return status;
    }
    if (!snp_swap_size_ok(s, s->cmd.src_paddr) ||
        !snp_swap_size_ok(s, s->cmd.dst_paddr)) {
        return SEV_INVALID_PAGE_SIZE;
    }
    if (!snp_swap_aligned(s, s->cmd.src_paddr) ||
        !snp_swap_aligned(s, s->cmd.dst_paddr)) {
        return SEV_INVALID_ADDRESS;
    }
    status = snp_swap_check_guest(s->guest);
    if (status != SEV_SUCCESS) {
        return status;
    }
    if (!core_output_ok(s->snp->core, s->cmd.dst_paddr, s->size)) {
        return SEV_INVALID_PAGE_STATE;
    }
    status = check_source(s);
    if (status != SEV_SUCCESS) {
        return status;
    }
    return s->guest->oek_iv_count == UINT64_MAX ? SEV_AEAD_OFLOW : SEV_SUCCESS;
}

static struct snp_mdata new_entry(const struct snp_swap *s)
{
    struct rmp_entry src = source(s);
    bool metadata = s->cmd.page_type == SNP_SWAP_METADATA;
    struct snp_mdata entry = {
        .software_data = s->cmd.software_data,
        .iv = s->guest->oek_iv_count + 1,
        .valid = true,
        .page_validated = src.state == RMP_PRE_SWAP,
        .vmsa = src.vmsa,
        .metadata = metadata,
        .size_2m = s->cmd.size_2m,
        .gpa = metadata ? SNP_MDATA_GPA_NONE : src.gpa,
    };

    memcpy(entry.vmpl, src.vmpl, sizeof(entry.vmpl));
    return entry;
}

/* The page as the host may keep it; metadata pages are not encrypted in
 * memory. */
static enum psp_err seal(const struct snp_swap *s, struct snp_mdata *entry)
{
    uint8_t iv[GCM_IV_SIZE];
    enum psp_err err =
        core_read(s->snp->core, s->cmd.src_paddr, s->page, s->size);

    if (err == PSP_OK && !entry->metadata) {
        err = core_mem_decrypt(s->guest->vek, s->cmd.src_paddr, s->page,
                               s->page, s->size);
    }
    if (err == PSP_OK) {
        snp_swap_iv(entry->iv, iv);
        psp_gcm_seal(s->guest->oek, iv, NULL, 0, s->page, s->size, s->page,
                     entry->auth_tag);
    }
    return err;
}

static void release_source(const struct snp_swap *s)
{
    for (uint64_t offset = 0; offset < s->size; offset += RMP_PAGE_SIZE) {
        uint64_t spa = s->cmd.src_paddr + offset;
        struct rmp_entry e = rmp_get(s->snp->core->rmp, spa);

        if (e.state == RMP_METADATA) {
            e = (struct rmp_entry){.state = RMP_FIRMWARE};
        } else {
            e.state = RMP_PRE_GUEST;
        }
        rmp_replace(s->snp->core->rmp, spa, &e);
    }
}

static enum sev_status run(struct snp_swap *s)
{
    struct snp_mdata entry = new_entry(s);
    enum sev_status status = snp_swap_alloc(s);

    if (status == SEV_SUCCESS) {
        status = core_status(seal(s, &entry));
    }
    if (status == SEV_SUCCESS) {
        status = snp_swap_write(s, &entry);
    }
    /* Bytes sealed with this IV may be in the host's hands. */
    if (status == SEV_SUCCESS || status == SEV_HWERROR_UNSAFE) {
        s->guest->oek_iv_count = entry.iv;
    }
    if (status == SEV_SUCCESS) {
        release_source(s);
    }
    return status;
}

enum sev_status snp_cmd_page_swap_out(struct snp_platform *snp,
                                      const uint8_t *buf)
{
    struct snp_swap s = {.snp = snp};
    enum sev_status status = check(&s, buf);

    if (status == SEV_SUCCESS) {
        status = run(&s);
        snp_swap_free(&s);
    }
    return status;
}
