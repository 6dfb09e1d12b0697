/* SPDX-License-Identifier: Apache-2.0 */
/* SNP_PAGE_MOVE, SNP_PAGE_MD_INIT. abi/snp.md §1.16 */
#include "swap.h"

struct move {
    struct snp_platform *snp;
    struct snp_cmd_page_move cmd;
    struct snp_guest *guest;
    size_t size;
    struct rmp_entry src; /* of the first 4 KiB page */
    struct rmp_entry dst;
};

static bool states_ok(const struct move *m)
{
    switch (m->src.state) {
    case RMP_PRE_GUEST:
    case RMP_PRE_SWAP:
        return m->dst.state == RMP_PRE_GUEST;
    case RMP_METADATA:
        return m->dst.state == RMP_FIRMWARE;
    default:
        return false;
    }
}

static bool owned(const struct move *m)
{
    if (m->src.state == RMP_METADATA) {
        return m->src.owner_gctx == m->cmd.gctx_paddr;
    }
    return m->src.asid == m->guest->asid && m->dst.asid == m->guest->asid;
}

static enum sev_status check_pages(const struct move *m)
{
    enum sev_status status;

    if (!states_ok(m)) {
        return SEV_INVALID_PAGE_STATE;
    }
    if (m->src.size_2m != m->cmd.size_2m || m->dst.size_2m != m->cmd.size_2m) {
        return SEV_INVALID_PAGE_SIZE;
    }
    if (m->cmd.src_paddr % m->size != 0 || m->cmd.dst_paddr % m->size != 0) {
        return SEV_INVALID_ADDRESS;
    }
    status = snp_swap_check_guest(m->guest);
    if (status != SEV_SUCCESS) {
        return status;
    }
    return owned(m) ? SEV_SUCCESS : SEV_INVALID_PAGE_OWNER;
}

static enum sev_status check(struct move *m, const uint8_t *buf)
{
    const struct psp_core *core = m->snp->core;
    enum sev_status status;

    if (!snp_cmd_page_move_decode(buf, &m->cmd) ||
        m->cmd.src_paddr == m->cmd.dst_paddr) {
        return SEV_INVALID_PARAM;
    }
    if (!snp_is_init(m->snp)) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    m->size = m->cmd.size_2m ? RMP_PAGE_2M_SIZE : RMP_PAGE_SIZE;
    if (!snp_page_ok(m->snp, m->cmd.gctx_paddr) ||
        !core_range_ok(core, m->cmd.src_paddr, m->size) ||
        !core_range_ok(core, m->cmd.dst_paddr, m->size)) {
        return SEV_INVALID_ADDRESS;
    }
    status = snp_find_gctx(m->snp, m->cmd.gctx_paddr, &m->guest);
    if (status != SEV_SUCCESS) {
        return status;
    }
    m->src = rmp_get(core->rmp, m->cmd.src_paddr);
    m->dst = rmp_get(core->rmp, m->cmd.dst_paddr);
    return check_pages(m);
}

/* The ciphertext of a page depends on where it lies. */
static enum psp_err copy(const struct move *m, uint8_t *page)
{
    const struct psp_core *core = m->snp->core;
    enum psp_err err = core_read(core, m->cmd.src_paddr, page, m->size);

    if (err == PSP_OK && m->src.state != RMP_METADATA) {
        err = core_mem_decrypt(m->guest->vek, m->cmd.src_paddr, page, page,
                               m->size);
        if (err == PSP_OK) {
            err = core_mem_encrypt(m->guest->vek, m->cmd.dst_paddr, page, page,
                                   m->size);
        }
    }
    return err != PSP_OK ? err
                         : core_write(core, m->cmd.dst_paddr, page, m->size);
}

static void update_rmp(const struct move *m)
{
    struct rmp *rmp = m->snp->core->rmp;

    for (uint64_t offset = 0; offset < m->size; offset += RMP_PAGE_SIZE) {
        struct rmp_entry src = rmp_get(rmp, m->cmd.src_paddr + offset);
        struct rmp_entry dst = src;

        if (src.state == RMP_METADATA) {
            src = (struct rmp_entry){.state = RMP_FIRMWARE};
        } else {
            dst.state =
                src.state == RMP_PRE_SWAP ? RMP_GUEST_VALID : RMP_GUEST_INVALID;
            src.state = RMP_GUEST_INVALID;
        }
        rmp_replace(rmp, m->cmd.src_paddr + offset, &src);
        rmp_replace(rmp, m->cmd.dst_paddr + offset, &dst);
    }
}

enum sev_status snp_cmd_page_move(struct snp_platform *snp, const uint8_t *buf)
{
    struct move m = {.snp = snp};
    uint8_t *page;
    enum sev_status status = check(&m, buf);

    if (status != SEV_SUCCESS) {
        return status;
    }
    page = core_alloc(m.size);
    status = page == NULL ? SEV_RESOURCE_LIMIT : core_status(copy(&m, page));
    if (status == SEV_SUCCESS) {
        update_rmp(&m);
    }
    core_free(page, m.size);
    return status;
}

static enum sev_status md_init_check(struct snp_platform *snp,
                                     const uint8_t *buf,
                                     struct snp_cmd_page_md_init *cmd)
{
    struct snp_guest *guest;
    struct rmp_entry page;
    enum sev_status status;

    if (!snp_cmd_page_md_init_decode(buf, cmd)) {
        return SEV_INVALID_PARAM;
    }
    if (!snp_is_init(snp)) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    if (!snp_page_ok(snp, cmd->gctx_paddr) ||
        !snp_page_ok(snp, cmd->page_paddr)) {
        return SEV_INVALID_ADDRESS;
    }
    status = snp_find_gctx(snp, cmd->gctx_paddr, &guest);
    if (status != SEV_SUCCESS) {
        return status;
    }
    page = rmp_get(snp->core->rmp, cmd->page_paddr);
    if (page.state != RMP_FIRMWARE) {
        return SEV_INVALID_PAGE_STATE;
    }
    if (page.size_2m) {
        return SEV_INVALID_PAGE_SIZE;
    }
    return guest->state == SNP_GUEST_INIT ? SEV_INVALID_GUEST_STATE
                                          : SEV_SUCCESS;
}

enum sev_status snp_cmd_page_md_init(struct snp_platform *snp,
                                     const uint8_t *buf)
{
    static const uint8_t zeros[RMP_PAGE_SIZE];
    struct snp_cmd_page_md_init cmd;
    enum sev_status status = md_init_check(snp, buf, &cmd);

    if (status == SEV_SUCCESS) {
        status = core_status(
            core_write(snp->core, cmd.page_paddr, zeros, sizeof(zeros)));
    }
    if (status == SEV_SUCCESS) {
        const struct rmp_entry metadata = {.state = RMP_METADATA,
                                           .owner_gctx = cmd.gctx_paddr};

        rmp_replace(snp->core->rmp, cmd.page_paddr, &metadata);
    }
    return status;
}
