/* SPDX-License-Identifier: Apache-2.0 */
/* SNP_DBG_DECRYPT, SNP_DBG_ENCRYPT. abi/snp.md §1.15 */
#include "snp.h"

#include "policy.h"
#include "snp_cmd.h"

static enum sev_status addresses_check(struct snp_platform *snp,
                                       const struct snp_cmd_dbg *cmd,
                                       struct snp_guest **guest)
{
    if (!snp_page_ok(snp, cmd->gctx_paddr) ||
        !snp_page_ok(snp, cmd->src_paddr) ||
        !snp_page_ok(snp, cmd->dst_paddr)) {
        return SEV_INVALID_ADDRESS;
    }
    return snp_find_gctx(snp, cmd->gctx_paddr, guest);
}

/* @page: the guest's page of the two. */
static enum sev_status guest_check(const struct snp_guest *guest,
                                   const struct rmp_entry *page)
{
    if (guest->state == SNP_GUEST_INIT) {
        return SEV_INVALID_GUEST_STATE;
    }
    if (page->asid != guest->asid) {
        return SEV_INVALID_PAGE_OWNER;
    }
    if ((guest->policy & SNP_POLICY_DEBUG) == 0) {
        return SEV_POLICY_FAILURE;
    }
    return guest->asid == 0 ? SEV_INACTIVE : SEV_SUCCESS;
}

static bool is_guest_page(enum rmp_state state)
{
    return state == RMP_PRE_GUEST || state == RMP_PRE_SWAP ||
           state == RMP_GUEST_INVALID || state == RMP_GUEST_VALID;
}

static enum sev_status decrypt_check(struct snp_platform *snp,
                                     const uint8_t *buf,
                                     struct snp_cmd_dbg *cmd,
                                     struct snp_guest **guest)
{
    struct rmp_entry src;
    enum sev_status status;

    if (!snp_cmd_dbg_decode(buf, cmd)) {
        return SEV_INVALID_PARAM;
    }
    if (!snp_is_init(snp)) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    status = addresses_check(snp, cmd, guest);
    if (status != SEV_SUCCESS) {
        return status;
    }
    src = rmp_get(snp->core->rmp, cmd->src_paddr);
    if (!is_guest_page(src.state) ||
        rmp_get(snp->core->rmp, cmd->dst_paddr).state != RMP_FIRMWARE) {
        return SEV_INVALID_PAGE_STATE;
    }
    return guest_check(*guest, &src);
}

static enum sev_status encrypt_check(struct snp_platform *snp,
                                     const uint8_t *buf,
                                     struct snp_cmd_dbg *cmd,
                                     struct snp_guest **guest)
{
    struct rmp_entry dst;
    enum sev_status status;

    if (!snp_is_init(snp)) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    if (!snp_cmd_dbg_decode(buf, cmd)) {
        return SEV_INVALID_PARAM;
    }
    status = addresses_check(snp, cmd, guest);
    if (status != SEV_SUCCESS) {
        return status;
    }
    dst = rmp_get(snp->core->rmp, cmd->dst_paddr);
    if (dst.state != RMP_PRE_GUEST && dst.state != RMP_PRE_SWAP) {
        return SEV_INVALID_PAGE_STATE;
    }
    return guest_check(*guest, &dst);
}

typedef enum psp_err mem_crypt(const uint8_t *vek, uint64_t spa,
                               const uint8_t *in, uint8_t *out, size_t size);

static enum sev_status copy(struct snp_platform *snp,
                            const struct snp_cmd_dbg *cmd,
                            const struct snp_guest *guest,
                            mem_crypt *crypt_page, uint64_t tweak_spa)
{
    uint8_t page[RMP_PAGE_SIZE];
    enum psp_err err = core_read(snp->core, cmd->src_paddr, page, sizeof(page));

    if (err == PSP_OK) {
        err = crypt_page(guest->vek, tweak_spa, page, page, sizeof(page));
    }
    if (err == PSP_OK) {
        err = core_write(snp->core, cmd->dst_paddr, page, sizeof(page));
    }
    psp_wipe(page, sizeof(page));
    return core_status(err);
}

enum sev_status snp_cmd_dbg_decrypt(struct snp_platform *snp,
                                    const uint8_t *buf)
{
    struct snp_cmd_dbg cmd;
    struct snp_guest *guest;
    enum sev_status status = decrypt_check(snp, buf, &cmd, &guest);

    return status != SEV_SUCCESS
               ? status
               : copy(snp, &cmd, guest, core_mem_decrypt, cmd.src_paddr);
}

enum sev_status snp_cmd_dbg_encrypt(struct snp_platform *snp,
                                    const uint8_t *buf)
{
    struct snp_cmd_dbg cmd;
    struct snp_guest *guest;
    enum sev_status status = encrypt_check(snp, buf, &cmd, &guest);

    return status != SEV_SUCCESS
               ? status
               : copy(snp, &cmd, guest, core_mem_encrypt, cmd.dst_paddr);
}
