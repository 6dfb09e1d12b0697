/* SPDX-License-Identifier: Apache-2.0 */
#include "sev_internal.h"

#define VMSA_STEP 8u /* entries by which the list of VMSA pages grows */

enum psp_err sev_init(struct sev_platform *sev, struct psp_core *core,
                      const struct psp_sev_config *config)
{
    memset(sev, 0, sizeof(*sev));
    sev->core = core;
    if (config != NULL) {
        sev->config = *config;
    }
    if (core->ops->nv_load == NULL || core->ops->nv_store == NULL) {
        sev->nv = core_alloc(PSP_NV_SIZE);
        if (sev->nv == NULL) {
            return PSP_E_NOMEM;
        }
        memset(sev->nv, 0xff, PSP_NV_SIZE);
    }
    core->sev_state = SEV_PLATFORM_UNINIT;
    return PSP_OK;
}

void sev_clear(struct sev_platform *sev)
{
    if (sev->core != NULL) {
        sev_guest_destroy_all(sev);
    }
    core_free(sev->nv, PSP_NV_SIZE);
    psp_wipe(sev, sizeof(*sev));
}

struct sev_guest *sev_guest_find(const struct sev_platform *sev,
                                 uint32_t handle)
{
    if (handle == 0 || handle > SEV_GUEST_LIMIT) {
        return NULL;
    }
    return sev->guests[handle - 1];
}

/* Index of the lowest free slot, or SEV_GUEST_LIMIT. */
static uint32_t free_slot(const struct sev_platform *sev)
{
    for (uint32_t i = 0; i < SEV_GUEST_LIMIT / 64; i++) {
        if (sev->used[i] != UINT64_MAX) {
            return i * 64 + (uint32_t)__builtin_ctzll(~sev->used[i]);
        }
    }
    return SEV_GUEST_LIMIT;
}

bool sev_guest_room(const struct sev_platform *sev)
{
    return sev->guest_count < SEV_GUEST_LIMIT;
}

static enum psp_err draw_keys(const struct sev_platform *sev,
                              const struct sev_guest *share,
                              struct sev_guest *guest)
{
    enum psp_err err = core_random(sev->core, guest->oek, sizeof(guest->oek));

    if (err != PSP_OK) {
        return err;
    }
    if (share != NULL) {
        memcpy(guest->vek, share->vek, sizeof(guest->vek));
        return PSP_OK;
    }
    return core_random(sev->core, guest->vek, sizeof(guest->vek));
}

enum sev_status sev_guest_create(struct sev_platform *sev,
                                 enum sev_guest_state state, uint32_t policy,
                                 const struct sev_guest *share,
                                 const struct sev_transport *transport,
                                 struct sev_guest **out)
{
    uint32_t slot = free_slot(sev);
    struct sev_guest *guest;
    enum psp_err err;

    if (slot == SEV_GUEST_LIMIT) {
        return SEV_RESOURCE_LIMIT;
    }
    guest = core_alloc(sizeof(*guest));
    if (guest == NULL) {
        return core_status(PSP_E_NOMEM);
    }
    err = draw_keys(sev, share, guest);
    if (err != PSP_OK) {
        core_free(guest, sizeof(*guest));
        return core_status(err);
    }
    guest->handle = slot + 1;
    guest->state = state;
    guest->policy = policy;
    guest->transport = *transport;
    psp_sha256_init(&guest->ld);
    sev->guests[slot] = guest;
    sev->used[slot / 64] |= 1ull << (slot % 64);
    sev->guest_count++;
    sev->core->sev_state = SEV_PLATFORM_WORKING;
    *out = guest;
    return SEV_SUCCESS;
}

void sev_guest_unbind(struct sev_platform *sev, struct sev_guest *guest)
{
    core_asid_unbind(sev->core, guest->asid);
    if (!guest->ran) {
        core_asid_at(sev->core, guest->asid)->dirty = false;
    }
    guest->asid = 0;
}

void sev_guest_destroy(struct sev_platform *sev, struct sev_guest *guest)
{
    uint32_t slot = guest->handle - 1;

    if (guest->asid != 0) {
        sev_guest_unbind(sev, guest);
    }
    core_free(guest->vmsa, guest->vmsa_room * sizeof(guest->vmsa[0]));
    core_free(guest, sizeof(*guest));
    sev->guests[slot] = NULL;
    sev->used[slot / 64] &= ~(1ull << (slot % 64));
    sev->guest_count--;
    if (sev->guest_count == 0) {
        sev->core->sev_state = SEV_PLATFORM_INIT;
    }
}

void sev_guest_destroy_all(struct sev_platform *sev)
{
    for (uint32_t i = 0; i < SEV_GUEST_LIMIT && sev->guest_count > 0; i++) {
        if (sev->guests[i] != NULL) {
            sev_guest_destroy(sev, sev->guests[i]);
        }
    }
}

enum sev_status sev_guest_active(const struct sev_guest *guest)
{
    return guest->asid != 0 ? SEV_SUCCESS : SEV_INACTIVE;
}

void sev_guest_forget_transport(struct sev_guest *guest)
{
    psp_wipe(&guest->transport, sizeof(guest->transport));
}

enum psp_err sev_vmsa_reserve(struct sev_guest *guest)
{
    size_t room = guest->vmsa_room == 0 ? VMSA_STEP : guest->vmsa_room * 2;
    struct sev_vmsa *list;

    if (guest->vmsa_count < guest->vmsa_room) {
        return PSP_OK;
    }
    if (guest->vmsa_count == SEV_VMSA_LIMIT) {
        return PSP_E_NOMEM;
    }
    list = core_alloc(room * sizeof(list[0]));
    if (list == NULL) {
        return PSP_E_NOMEM;
    }
    if (guest->vmsa_count > 0) {
        memcpy(list, guest->vmsa, guest->vmsa_count * sizeof(list[0]));
    }
    core_free(guest->vmsa, guest->vmsa_room * sizeof(list[0]));
    guest->vmsa = list;
    guest->vmsa_room = room;
    return PSP_OK;
}

void sev_vmsa_put(struct sev_guest *guest, uint64_t spa,
                  const uint8_t digest[SHA256_SIZE])
{
    struct sev_vmsa *vmsa = sev_vmsa_find(guest, spa);

    if (vmsa == NULL) {
        vmsa = &guest->vmsa[guest->vmsa_count++];
    }
    vmsa->spa = spa;
    memcpy(vmsa->digest, digest, SHA256_SIZE);
}

struct sev_vmsa *sev_vmsa_find(const struct sev_guest *guest, uint64_t spa)
{
    for (size_t i = 0; i < guest->vmsa_count; i++) {
        if (guest->vmsa[i].spa == spa) {
            return &guest->vmsa[i];
        }
    }
    return NULL;
}

void sev_vmsa_remove(struct sev_guest *guest, uint64_t spa)
{
    struct sev_vmsa *vmsa = sev_vmsa_find(guest, spa);

    if (vmsa != NULL) {
        *vmsa = guest->vmsa[--guest->vmsa_count];
    }
}
