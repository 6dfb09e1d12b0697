/* SPDX-License-Identifier: Apache-2.0 */
/* Guest life cycle. Spec: abi/sev.md §1.4, §9.2. */
#include "sev_internal.h"

#define IDS_MAX 1024u

enum sev_status sev_run_decommission(struct sev_call *call)
{
    if (call->guest->asid != 0) {
        return SEV_ACTIVE;
    }
    sev_guest_destroy(call->sev, call->guest);
    return SEV_SUCCESS;
}

enum sev_status sev_run_deactivate(struct sev_call *call)
{
    if (call->guest->asid == 0) {
        return SEV_INACTIVE;
    }
    sev_guest_unbind(call->sev, call->guest);
    return SEV_SUCCESS;
}

/* SEV-ES guests run below MIN_SEV_ASID, others from it on. */
static enum sev_status check_split(const struct sev_platform *sev,
                                   const struct sev_guest *guest, uint32_t asid)
{
    uint32_t min = sev->core->profile.min_sev_asid;
    bool es = (guest->policy & SEV_POLICY_ES) != 0;

    return min != 0 && es != (asid < min) ? SEV_INVALID_ASID : SEV_SUCCESS;
}

static void bind(struct sev_platform *sev, struct sev_guest *guest,
                 uint32_t asid)
{
    core_asid_bind(sev->core, asid, CORE_ASID_SEV, guest, guest->vek);
    guest->asid = asid;
}

enum sev_status sev_args_activate(struct sev_call *call)
{
    const struct core_asid *slot;
    struct sev_cmd_activate c;

    sev_cmd_activate_decode(call->buf, &c);
    slot = core_asid_at(call->sev->core, c.asid);
    if (slot == NULL) {
        return SEV_INVALID_ASID;
    }
    if (slot->user != CORE_ASID_FREE) {
        return SEV_ASID_OWNED;
    }
    return call->guest->asid != 0 ? SEV_ACTIVE : SEV_SUCCESS;
}

enum sev_status sev_run_activate(struct sev_call *call)
{
    struct sev_cmd_activate c;
    enum sev_status status;

    sev_cmd_activate_decode(call->buf, &c);
    if (core_asid_at(call->sev->core, c.asid)->dirty) {
        return SEV_DF_FLUSH_REQUIRED;
    }
    status = check_split(call->sev, call->guest, c.asid);
    if (status == SEV_SUCCESS) {
        bind(call->sev, call->guest, c.asid);
    }
    return status;
}

enum sev_status sev_shape_activate_ex(struct sev_call *call)
{
    struct sev_cmd_activate_ex c;

    sev_cmd_activate_ex_decode(call->buf, &c);
    return c.ex_len == SEV_CMD_ACTIVATE_EX_SIZE ? SEV_SUCCESS
                                                : SEV_INVALID_PARAM;
}

static enum sev_status check_ids(const struct sev_platform *sev, uint64_t paddr,
                                 uint32_t count)
{
    uint8_t bytes[IDS_MAX * 4];
    struct psp_rd r = psp_rd(bytes, count * 4);
    enum psp_err err = sev_read(sev, paddr, bytes, count * 4);

    if (err != PSP_OK) {
        return core_status(err);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (psp_rd_le32(&r) >= sev->core->apic_id_count) {
            return SEV_INVALID_PARAM;
        }
    }
    return SEV_SUCCESS;
}

enum sev_status sev_args_activate_ex(struct sev_call *call)
{
    const struct sev_platform *sev = call->sev;
    struct sev_cmd_activate_ex c;
    enum sev_status status;

    sev_cmd_activate_ex_decode(call->buf, &c);
    if (core_asid_at(sev->core, c.asid) == NULL) {
        return SEV_INVALID_ASID;
    }
    if (c.num_ids == 0 || c.num_ids > IDS_MAX) {
        return SEV_INVALID_PARAM;
    }
    status = sev_addr(sev, c.ids_paddr, (uint64_t)c.num_ids * 4);
    return status != SEV_SUCCESS ? status
                                 : check_ids(sev, c.ids_paddr, c.num_ids);
}

/* The model has one memory controller: cores that are added later have
 * nothing to be told. */
enum sev_status sev_run_activate_ex(struct sev_call *call)
{
    struct sev_platform *sev = call->sev;
    struct sev_guest *guest = call->guest;
    const struct core_asid *slot;
    struct sev_cmd_activate_ex c;
    enum sev_status status;

    sev_cmd_activate_ex_decode(call->buf, &c);
    slot = core_asid_at(sev->core, c.asid);
    if (guest->asid != 0 && guest->asid != c.asid) {
        return SEV_ACTIVE;
    }
    if (guest->asid == 0 && slot->dirty) {
        return SEV_DF_FLUSH_REQUIRED;
    }
    if (guest->asid == 0 && slot->user != CORE_ASID_FREE) {
        return SEV_ASID_OWNED;
    }
    status = check_split(sev, guest, c.asid);
    if (status == SEV_SUCCESS && guest->asid == 0) {
        bind(sev, guest, c.asid);
    }
    return status;
}

enum sev_status sev_run_guest_status(struct sev_call *call)
{
    const struct sev_guest *guest;
    struct sev_cmd_guest_status c;

    sev_cmd_guest_status_decode(call->buf, &c);
    guest = sev_guest_find(call->sev, c.handle);
    c.state = guest == NULL ? SEV_GUEST_UNINIT : (uint8_t)guest->state;
    if (guest != NULL) {
        c.policy = guest->policy;
        c.asid = guest->asid;
    }
    sev_cmd_guest_status_encode(&c, call->buf);
    return SEV_SUCCESS;
}
