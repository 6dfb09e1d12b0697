/* SPDX-License-Identifier: Apache-2.0 */
/* SNP_ACTIVATE, SNP_ACTIVATE_EX. abi/snp.md §1.7 */
#include "snp.h"

#include "policy.h"
#include "snp_cmd.h"
#include "wire.h"

#define APIC_ID_SIZE 4u
#define APIC_CHUNK   256u

/* What the list of APIC IDs of SNP_ACTIVATE_EX amounts to. */
struct cores {
    bool valid;      /* at least one, and all exist */
    bool one_socket; /* all of those that exist */
};

static uint32_t socket_of(const struct psp_core *core, uint32_t apic_id)
{
    uint32_t sockets = core->profile.socket_count;
    uint32_t per_socket = (core->apic_id_count + sockets - 1) / sockets;

    return apic_id / per_socket;
}

static void judge_ids(const struct psp_core *core, const uint8_t *ids,
                      size_t size, uint32_t *socket, struct cores *cores)
{
    struct psp_rd r = psp_rd(ids, size);

    while (psp_rd_left(&r) > 0) {
        uint32_t id = psp_rd_le32(&r);

        if (id >= core->apic_id_count) {
            cores->valid = false;
            continue;
        }
        if (*socket != UINT32_MAX && *socket != socket_of(core, id)) {
            cores->one_socket = false;
        }
        *socket = socket_of(core, id);
    }
}

/* A list longer than there are APIC IDs cannot be right and is not read. */
static enum psp_err read_cores(const struct psp_core *core,
                               const struct snp_cmd_activate_ex *cmd,
                               struct cores *cores)
{
    uint8_t ids[APIC_CHUNK * APIC_ID_SIZE];
    uint32_t socket = UINT32_MAX;
    uint64_t spa = cmd->ids_paddr;
    size_t left = (size_t)cmd->num_ids * APIC_ID_SIZE;

    cores->valid = cmd->num_ids > 0 && cmd->num_ids <= core->apic_id_count;
    cores->one_socket = true;
    while (cores->valid && left > 0) {
        size_t n = left < sizeof(ids) ? left : sizeof(ids);
        enum psp_err err = core_read(core, spa, ids, n);

        if (err != PSP_OK) {
            return err;
        }
        judge_ids(core, ids, n, &socket, cores);
        spa += n;
        left -= n;
    }
    return PSP_OK;
}

/* The checks on an ASID that the guest does not have yet. */
static enum sev_status check_asid(const struct snp_platform *snp,
                                  const struct snp_guest *guest, uint32_t asid)
{
    const struct core_asid *slot = core_asid_at(snp->core, asid);

    if (slot == NULL || asid > snp->max_snp_asid) {
        return SEV_INVALID_ASID;
    }
    if (slot->user != CORE_ASID_FREE && slot->guest != guest) {
        return SEV_ASID_OWNED;
    }
    return guest->asid != 0 && guest->asid != asid ? SEV_ACTIVE : SEV_SUCCESS;
}

static bool asid_has_pages(const struct snp_platform *snp, uint32_t asid)
{
    return asid != 0 && rmp_asid_page_count(snp->core->rmp, asid) > 0;
}

static void bind(struct snp_platform *snp, struct snp_guest *guest,
                 uint32_t asid)
{
    guest->asid = asid;
    core_asid_bind(snp->core, asid, CORE_ASID_SNP, guest, guest->vek);
}

static bool may_launch(const struct snp_guest *guest)
{
    return guest->state == SNP_GUEST_LAUNCH ||
           guest->state == SNP_GUEST_RUNNING;
}

static bool multi_socket(const struct snp_platform *snp)
{
    return snp->core->profile.socket_count > 1;
}

static bool single_socket(const struct snp_guest *guest)
{
    return (guest->policy & SNP_POLICY_SINGLE_SOCKET) != 0;
}

static enum sev_status activate_check(struct snp_platform *snp,
                                      const struct snp_cmd_activate *cmd,
                                      struct snp_guest **guest)
{
    enum sev_status status = snp_find_gctx(snp, cmd->gctx_paddr, guest);

    if (status != SEV_SUCCESS) {
        return status;
    }
    if (!may_launch(*guest)) {
        return SEV_INVALID_GUEST_STATE;
    }
    if (asid_has_pages(snp, cmd->asid)) {
        return SEV_INVALID_CONFIG;
    }
    if (single_socket(*guest) && multi_socket(snp)) {
        return SEV_POLICY_FAILURE;
    }
    status = check_asid(snp, *guest, cmd->asid);
    if (status != SEV_SUCCESS) {
        return status;
    }
    if ((*guest)->asid != 0) {
        return SEV_ACTIVE;
    }
    return snp->core->asids[cmd->asid].dirty ? SEV_DF_FLUSH_REQUIRED
                                             : SEV_SUCCESS;
}

enum sev_status snp_cmd_activate(struct snp_platform *snp, const uint8_t *buf)
{
    struct snp_cmd_activate cmd;
    struct snp_guest *guest;
    enum sev_status status;

    if (!snp_cmd_activate_decode(buf, &cmd)) {
        return SEV_INVALID_PARAM;
    }
    if (!snp_is_init(snp)) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    status = activate_check(snp, &cmd, &guest);
    if (status == SEV_SUCCESS) {
        bind(snp, guest, cmd.asid);
    }
    return status;
}

/* A guest that is active already gets more cores under the same ASID. */
static enum sev_status activate_ex_check(struct snp_platform *snp,
                                         const struct snp_cmd_activate_ex *cmd,
                                         const struct snp_guest *guest)
{
    struct cores cores;
    enum sev_status status = core_status(read_cores(snp->core, cmd, &cores));

    if (status != SEV_SUCCESS) {
        return status;
    }
    if (guest->asid == 0 && asid_has_pages(snp, cmd->asid)) {
        return SEV_INVALID_CONFIG;
    }
    if (single_socket(guest) && !cores.one_socket) {
        return SEV_POLICY_FAILURE;
    }
    status = check_asid(snp, guest, cmd->asid);
    if (status != SEV_SUCCESS) {
        return status;
    }
    if (guest->asid == 0 && snp->core->asids[cmd->asid].dirty) {
        return SEV_DF_FLUSH_REQUIRED;
    }
    return cores.valid ? SEV_SUCCESS : SEV_INVALID_PARAM;
}

enum sev_status snp_cmd_activate_ex(struct snp_platform *snp,
                                    const uint8_t *buf)
{
    struct snp_cmd_activate_ex cmd;
    struct snp_guest *guest;
    enum sev_status status;

    if (!snp_cmd_activate_ex_decode(buf, &cmd) ||
        cmd.ex_len != SNP_CMD_ACTIVATE_EX_SIZE) {
        return SEV_INVALID_PARAM;
    }
    if (!snp_is_init(snp)) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    if (!core_range_ok(snp->core, cmd.ids_paddr,
                       (uint64_t)cmd.num_ids * APIC_ID_SIZE)) {
        return SEV_INVALID_ADDRESS;
    }
    status = snp_find_gctx(snp, cmd.gctx_paddr, &guest);
    if (status != SEV_SUCCESS) {
        return status;
    }
    if (!may_launch(guest)) {
        return SEV_INVALID_GUEST_STATE;
    }
    status = activate_ex_check(snp, &cmd, guest);
    if (status == SEV_SUCCESS && guest->asid == 0) {
        bind(snp, guest, cmd.asid);
    }
    return status;
}
