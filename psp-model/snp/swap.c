/* SPDX-License-Identifier: Apache-2.0 */
#include "swap.h"

#include "policy.h"
#include "wire.h"

#include <string.h>

static bool reserved_ok(struct snp_swap *s, const uint8_t *buf, bool in)
{
    struct snp_cmd_page_swap *cmd = &s->cmd;

    if (!snp_cmd_page_swap_decode(buf, cmd) || cmd->page_type > SNP_SWAP_VMSA) {
        return false;
    }
    if (!in) {
        return !cmd->in_place;
    }
    return cmd->software_data == 0 &&
           !(cmd->in_place && cmd->page_type == SNP_SWAP_METADATA);
}

static bool addresses_ok(const struct snp_swap *s)
{
    const struct psp_core *core = s->snp->core;

    return snp_page_ok(s->snp, s->cmd.gctx_paddr) &&
           core_range_ok(core, s->cmd.src_paddr, s->size) &&
           core_range_ok(core, s->cmd.dst_paddr, s->size) &&
           (s->cmd.root_mdata_en ||
            core_range_ok(core, s->cmd.mdata_paddr, SNP_MDATA_SIZE));
}

static bool inside(uint64_t spa, uint64_t start, uint64_t size)
{
    return spa >= start && spa - start < size;
}

static enum sev_status check_mdata(const struct snp_swap *s)
{
    uint64_t spa = s->cmd.mdata_paddr;
    struct rmp_entry e;

    if (s->cmd.root_mdata_en) {
        return SEV_SUCCESS;
    }
    if (spa % SNP_MDATA_SIZE != 0 || inside(spa, s->cmd.src_paddr, s->size) ||
        inside(spa, s->cmd.dst_paddr, s->size)) {
        return SEV_INVALID_PARAM;
    }
    e = rmp_get(s->snp->core->rmp, spa);
    if (e.state != RMP_METADATA) {
        return SEV_INVALID_PAGE_STATE;
    }
    return e.owner_gctx == s->cmd.gctx_paddr ? SEV_SUCCESS
                                             : SEV_INVALID_PAGE_OWNER;
}

enum sev_status snp_swap_check(struct snp_swap *s, const uint8_t *buf, bool in)
{
    enum sev_status status;

    if (!reserved_ok(s, buf, in)) {
        return SEV_INVALID_PARAM;
    }
    if (!snp_is_init(s->snp)) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    s->size = s->cmd.size_2m ? RMP_PAGE_2M_SIZE : RMP_PAGE_SIZE;
    if (!addresses_ok(s)) {
        return SEV_INVALID_ADDRESS;
    }
    status = snp_find_gctx(s->snp, s->cmd.gctx_paddr, &s->guest);
    return status == SEV_SUCCESS ? check_mdata(s) : status;
}

enum sev_status snp_swap_check_guest(const struct snp_guest *guest)
{
    if (guest->state == SNP_GUEST_INIT) {
        return SEV_INVALID_GUEST_STATE;
    }
    if ((guest->policy & SNP_POLICY_PAGE_SWAP_DISABLE) != 0) {
        return SEV_POLICY_FAILURE;
    }
    return guest->asid == 0 ? SEV_INACTIVE : SEV_SUCCESS;
}

bool snp_swap_size_ok(const struct snp_swap *s, uint64_t spa)
{
    struct rmp_entry e = rmp_get(s->snp->core->rmp, spa);

    if (s->cmd.size_2m && s->cmd.page_type != SNP_SWAP_DATA) {
        return false;
    }
    return e.state == RMP_DEFAULT || e.size_2m == s->cmd.size_2m;
}

bool snp_swap_aligned(const struct snp_swap *s, uint64_t spa)
{
    return spa % s->size == 0;
}

void snp_swap_iv(uint64_t iv, uint8_t out[GCM_IV_SIZE])
{
    struct psp_wr w = psp_wr(out, GCM_IV_SIZE);

    psp_wr_le64(&w, iv);
    psp_wr_pad_to(&w, GCM_IV_SIZE);
}

enum sev_status snp_swap_alloc(struct snp_swap *s)
{
    s->page = core_alloc(s->size);
    s->old = core_alloc(s->size);
    return s->page != NULL && s->old != NULL ? SEV_SUCCESS : SEV_RESOURCE_LIMIT;
}

void snp_swap_free(struct snp_swap *s)
{
    core_free(s->page, s->size);
    core_free(s->old, s->size);
}

enum psp_err snp_swap_entry_read(const struct snp_swap *s,
                                 struct snp_mdata *entry)
{
    uint8_t bytes[SNP_MDATA_SIZE];
    enum psp_err err = PSP_OK;

    if (s->cmd.root_mdata_en) {
        memcpy(bytes, s->guest->root_md_entry, sizeof(bytes));
    } else {
        err = core_read(s->snp->core, s->cmd.mdata_paddr, bytes, sizeof(bytes));
    }
    if (err == PSP_OK) {
        snp_mdata_decode(bytes, entry);
    }
    return err;
}

enum sev_status snp_swap_write(const struct snp_swap *s,
                               const struct snp_mdata *entry)
{
    const struct psp_core *core = s->snp->core;
    uint8_t bytes[SNP_MDATA_SIZE];

    snp_mdata_encode(entry, bytes);
    if (core_read(core, s->cmd.dst_paddr, s->old, s->size) != PSP_OK ||
        core_write(core, s->cmd.dst_paddr, s->page, s->size) != PSP_OK) {
        return SEV_HWERROR_PLATFORM;
    }
    if (s->cmd.root_mdata_en) {
        memcpy(s->guest->root_md_entry, bytes, sizeof(bytes));
        return SEV_SUCCESS;
    }
    if (core_write(core, s->cmd.mdata_paddr, bytes, sizeof(bytes)) == PSP_OK) {
        return SEV_SUCCESS;
    }
    return core_write(core, s->cmd.dst_paddr, s->old, s->size) == PSP_OK
               ? SEV_HWERROR_PLATFORM
               : SEV_HWERROR_UNSAFE;
}
