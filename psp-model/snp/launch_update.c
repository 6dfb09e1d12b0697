/* SPDX-License-Identifier: Apache-2.0 */
/* SNP_LAUNCH_UPDATE. abi/snp.md §1.10 */
#include "snp.h"

#include "launch_page.h"
#include "snp_cmd.h"

#include <string.h>

/* The command on its way. */
struct update {
    struct snp_platform *snp;
    struct snp_cmd_launch_update cmd;
    struct snp_guest *guest;
    struct rmp_entry entry; /* of the first 4 KiB page */
    struct snp_digests digests;
    uint8_t *pages; /* @size bytes: plaintext, then ciphertext */
    size_t size;
};

static enum sev_status check_page(const struct snp_cmd_launch_update *cmd,
                                  const struct rmp_entry *entry)
{
    if (entry->state != RMP_PRE_GUEST) {
        return SEV_INVALID_PAGE_STATE;
    }
    if (entry->size_2m != cmd->size_2m) {
        return SEV_INVALID_PAGE_SIZE;
    }
    if (cmd->size_2m && cmd->page_paddr % RMP_PAGE_2M_SIZE != 0) {
        return SEV_INVALID_ADDRESS;
    }
    switch (cmd->page_type) {
    case SNP_PAGE_NORMAL:
    case SNP_PAGE_ZERO:
    case SNP_PAGE_UNMEASURED:
        return SEV_SUCCESS;
    case SNP_PAGE_VMSA:
    case SNP_PAGE_SECRETS:
    case SNP_PAGE_CPUID:
        return cmd->size_2m ? SEV_INVALID_PAGE_SIZE : SEV_SUCCESS;
    default:
        return SEV_INVALID_PARAM;
    }
}

static enum sev_status check_guest(const struct snp_cmd_launch_update *cmd,
                                   const struct snp_guest *guest,
                                   const struct rmp_entry *entry)
{
    if (guest->state != SNP_GUEST_LAUNCH) {
        return SEV_INVALID_GUEST_STATE;
    }
    if (guest->asid == 0) {
        return SEV_INACTIVE;
    }
    if (entry->asid != guest->asid) {
        return SEV_INVALID_PAGE_OWNER;
    }
    return guest->imi_en && !cmd->imi_page ? SEV_INVALID_PARAM : SEV_SUCCESS;
}

static enum sev_status check(struct update *u, const uint8_t *buf)
{
    struct snp_platform *snp = u->snp;
    enum sev_status status;

    if (!snp_cmd_launch_update_decode(buf, &u->cmd)) {
        return SEV_INVALID_PARAM;
    }
    if (!snp_is_init(snp)) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    if (!snp_page_ok(snp, u->cmd.gctx_paddr) ||
        !snp_page_ok(snp, u->cmd.page_paddr)) {
        return SEV_INVALID_ADDRESS;
    }
    status = snp_find_gctx(snp, u->cmd.gctx_paddr, &u->guest);
    if (status != SEV_SUCCESS) {
        return status;
    }
    u->entry = rmp_get(snp->core->rmp, u->cmd.page_paddr);
    status = check_page(&u->cmd, &u->entry);
    return status != SEV_SUCCESS ? status
                                 : check_guest(&u->cmd, u->guest, &u->entry);
}

static struct rmp_entry entry_of(const struct update *u, size_t offset)
{
    return rmp_get(u->snp->core->rmp, u->cmd.page_paddr + offset);
}

/* A refused CPUID page goes back to the hypervisor as plaintext, corrected, so
 * that it can see what was refused. */
static enum sev_status hand_back(const struct update *u)
{
    enum psp_err err =
        core_write(u->snp->core, u->cmd.page_paddr, u->pages, RMP_PAGE_SIZE);

    return err == PSP_OK ? SEV_INVALID_PARAM : core_status(err);
}

/* Make, measure and encrypt one 4 KiB unit. */
static enum sev_status unit(struct update *u, size_t offset)
{
    enum snp_page_type type = (enum snp_page_type)u->cmd.page_type;
    uint8_t *page = u->pages + offset;
    struct snp_page_info info = {
        .page_type = u->cmd.page_type,
        .imi_page = u->cmd.imi_page,
        .gpa = entry_of(u, offset).gpa,
    };
    bool corrected;
    enum sev_status status = snp_launch_page_make(u->snp, u->guest, type, page,
                                                  info.contents, &corrected);

    if (status != SEV_SUCCESS) {
        return corrected ? hand_back(u) : status;
    }
    memcpy(info.vmpl_perms, u->cmd.vmpl_perms, sizeof(info.vmpl_perms));
    snp_launch_extend(&u->digests, &info);
    return core_status(core_mem_encrypt(
        u->guest->vek, u->cmd.page_paddr + offset, page, page, RMP_PAGE_SIZE));
}

static enum sev_status units(struct update *u)
{
    enum sev_status status = SEV_SUCCESS;

    if (snp_launch_page_is_read((enum snp_page_type)u->cmd.page_type)) {
        status = core_status(
            core_read(u->snp->core, u->cmd.page_paddr, u->pages, u->size));
    }
    for (size_t offset = 0; status == SEV_SUCCESS && offset < u->size;
         offset += RMP_PAGE_SIZE) {
        status = unit(u, offset);
    }
    return status;
}

/* The only step that can fail comes first, and is one write. */
static enum sev_status commit(struct update *u)
{
    enum psp_err err =
        core_write(u->snp->core, u->cmd.page_paddr, u->pages, u->size);

    if (err != PSP_OK) {
        return core_status(err);
    }
    for (size_t offset = 0; offset < u->size; offset += RMP_PAGE_SIZE) {
        struct rmp_entry e = entry_of(u, offset);

        e.state = RMP_GUEST_VALID;
        e.vmsa = u->cmd.page_type == SNP_PAGE_VMSA;
        memcpy(e.vmpl + 1, u->cmd.vmpl_perms, sizeof(u->cmd.vmpl_perms));
        rmp_replace(u->snp->core->rmp, u->cmd.page_paddr + offset, &e);
    }
    memcpy(u->guest->ld, u->digests.ld, sizeof(u->guest->ld));
    memcpy(u->guest->imd, u->digests.imd, sizeof(u->guest->imd));
    return SEV_SUCCESS;
}

static enum sev_status run(struct update *u)
{
    enum sev_status status;

    memcpy(u->digests.ld, u->guest->ld, sizeof(u->digests.ld));
    memcpy(u->digests.imd, u->guest->imd, sizeof(u->digests.imd));
    status = units(u);
    return status == SEV_SUCCESS ? commit(u) : status;
}

enum sev_status snp_cmd_launch_update(struct snp_platform *snp,
                                      const uint8_t *buf)
{
    struct update u = {.snp = snp};
    uint8_t page[RMP_PAGE_SIZE];
    enum sev_status status = check(&u, buf);

    if (status != SEV_SUCCESS) {
        return status;
    }
    if (!u.cmd.size_2m) {
        u.pages = page;
        u.size = sizeof(page);
        status = run(&u);
        psp_wipe(page, sizeof(page));
        return status;
    }
    u.size = RMP_PAGE_2M_SIZE;
    u.pages = core_alloc(u.size);
    status = u.pages == NULL ? SEV_RESOURCE_LIMIT : run(&u);
    core_free(u.pages, u.size);
    return status;
}
