/* SPDX-License-Identifier: Apache-2.0 */
/* SNP_GCTX_CREATE, SNP_DECOMMISSION. abi/snp.md §1.8, §1.6 */
#include "snp.h"

#include "snp_cmd.h"

#include <string.h>

static enum sev_status create_check(const struct snp_platform *snp,
                                    const uint8_t *buf,
                                    struct snp_cmd_gctx *cmd)
{
    struct rmp_entry page;

    if (!snp_cmd_gctx_decode(buf, cmd)) {
        return SEV_INVALID_PARAM;
    }
    if (!snp_is_init(snp)) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    if (!snp_page_ok(snp, cmd->gctx_paddr)) {
        return SEV_INVALID_ADDRESS;
    }
    page = rmp_get(snp->core->rmp, cmd->gctx_paddr);
    if (page.state != RMP_FIRMWARE) {
        return SEV_INVALID_PAGE_STATE;
    }
    return page.size_2m ? SEV_INVALID_PAGE_SIZE : SEV_SUCCESS;
}

/* The context itself never leaves the firmware: the page holds ciphertext of
 * nothing, so that nobody can come to depend on what is in it. */
static enum psp_err fill_page(const struct snp_platform *snp,
                              const struct snp_guest *guest)
{
    uint8_t page[RMP_PAGE_SIZE] = {0};
    enum psp_err err = core_mem_encrypt(guest->vek, guest->gctx_paddr, page,
                                        page, sizeof(page));

    return err != PSP_OK
               ? err
               : core_write(snp->core, guest->gctx_paddr, page, sizeof(page));
}

enum sev_status snp_cmd_gctx_create(struct snp_platform *snp,
                                    const uint8_t *buf)
{
    const struct rmp_entry context = {.state = RMP_CONTEXT};
    struct snp_cmd_gctx cmd;
    struct snp_guest *guest;
    enum psp_err err;
    enum sev_status status = create_check(snp, buf, &cmd);

    if (status != SEV_SUCCESS) {
        return status;
    }
    guest = snp_guest_add(snp, cmd.gctx_paddr);
    if (guest == NULL) {
        return SEV_RESOURCE_LIMIT;
    }
    guest->ma_gctx_paddr = SNP_NO_AGENT;
    memset(guest->report_id_ma, 0xff, sizeof(guest->report_id_ma));
    guest->launch_tcb = snp->committed_tcb;
    guest->launch_mit_vector = snp->current_mit_vector;
    err = core_random(snp->core, guest->vek, sizeof(guest->vek));
    if (err == PSP_OK) {
        err = fill_page(snp, guest);
    }
    if (err != PSP_OK) {
        snp_guest_remove(snp, guest);
        return core_status(err);
    }
    rmp_replace(snp->core->rmp, cmd.gctx_paddr, &context);
    return SEV_SUCCESS;
}

enum sev_status snp_cmd_decommission(struct snp_platform *snp,
                                     const uint8_t *buf)
{
    static const uint8_t erased[RMP_PAGE_SIZE];
    const struct rmp_entry firmware = {.state = RMP_FIRMWARE};
    struct snp_cmd_gctx cmd;
    struct snp_guest *guest;
    enum sev_status status;

    if (!snp_cmd_gctx_decode(buf, &cmd)) {
        return SEV_INVALID_PARAM;
    }
    if (!snp_is_init(snp)) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    status = snp_find_gctx(snp, cmd.gctx_paddr, &guest);
    if (status != SEV_SUCCESS) {
        return status;
    }
    status = core_status(
        core_write(snp->core, cmd.gctx_paddr, erased, sizeof(erased)));
    if (status == SEV_SUCCESS) {
        snp_guest_remove(snp, guest);
        rmp_replace(snp->core->rmp, cmd.gctx_paddr, &firmware);
    }
    return status;
}
