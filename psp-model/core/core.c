/* SPDX-License-Identifier: Apache-2.0 */
#include "core.h"

#include "crypto.h"

#include <assert.h>
#include <string.h>

#define APIC_ID_COUNT_DEFAULT 256u

static bool config_ok(const struct psp_config *config,
                      const struct psp_host_ops *ops)
{
    const struct psp_profile *p = &config->profile;

    return ops->mem_read != NULL && ops->mem_write != NULL &&
           ops->entropy != NULL && config->memory_size >= RMP_PAGE_SIZE &&
           config->memory_size % RMP_PAGE_SIZE == 0 &&
           config->rmp_size % RMP_PAGE_SIZE == 0 && p->asid_count > 0 &&
           p->asid_count <= RMP_ASID_LIMIT && p->socket_count > 0 &&
           p->generation < PSP_GENERATION_COUNT;
}

/* An entry has as many bits as on hardware, or as this machine needs. */
static uint32_t asid_max(const struct psp_profile *profile)
{
    return profile->asid_count > RMP_ASID_MAX ? profile->asid_count
                                              : RMP_ASID_MAX;
}

static size_t asids_size(const struct psp_core *core)
{
    return ((size_t)core->profile.asid_count + 1) * sizeof(core->asids[0]);
}

enum psp_err core_init(struct psp_core *core, const struct psp_config *config,
                       const struct psp_host_ops *ops, void *host)
{
    memset(core, 0, sizeof(*core));
    if (!config_ok(config, ops)) {
        return PSP_E_PARAM;
    }
    core->ops = ops;
    core->host = host;
    core->profile = config->profile;
    core->chip = config->chip;
    core->memory_size = config->memory_size;
    core->rmp_size = config->rmp_size;
    if (core->rmp_size == 0 || core->rmp_size > core->memory_size) {
        core->rmp_size = core->memory_size;
    }
    core->apic_id_count = config->apic_id_count == 0 ? APIC_ID_COUNT_DEFAULT
                                                     : config->apic_id_count;
    core->rmp = rmp_create(core->rmp_size, asid_max(&core->profile));
    core->asids = core_alloc(asids_size(core));
    if (core->rmp == NULL || core->asids == NULL) {
        core_clear(core);
        return PSP_E_NOMEM;
    }
    return PSP_OK;
}

void core_clear(struct psp_core *core)
{
    rmp_destroy(core->rmp);
    core_free(core->asids, core->asids == NULL ? 0 : asids_size(core));
    psp_wipe(core, sizeof(*core));
}

bool core_range_ok(const struct psp_core *core, uint64_t spa, uint64_t size)
{
    return spa <= core->memory_size && size <= core->memory_size - spa;
}

bool core_within_page(uint64_t spa, uint64_t size)
{
    return size <= RMP_PAGE_SIZE - spa % RMP_PAGE_SIZE;
}

enum psp_err core_read(const struct psp_core *core, uint64_t spa, void *buf,
                       size_t size)
{
    if (!core_range_ok(core, spa, size) ||
        core->ops->mem_read(core->host, spa, buf, size) != 0) {
        return PSP_E_HOST;
    }
    return PSP_OK;
}

enum psp_err core_write(const struct psp_core *core, uint64_t spa,
                        const void *buf, size_t size)
{
    if (!core_range_ok(core, spa, size) ||
        core->ops->mem_write(core->host, spa, buf, size) != 0) {
        return PSP_E_HOST;
    }
    return PSP_OK;
}

bool core_output_ok(const struct psp_core *core, uint64_t spa, uint64_t size)
{
    uint64_t end = spa + size;

    if (core->snp_state != SNP_PLATFORM_INIT) {
        return true;
    }
    for (uint64_t page = spa - spa % RMP_PAGE_SIZE; page < end;
         page += RMP_PAGE_SIZE) {
        enum rmp_state state = rmp_get(core->rmp, page).state;

        if (state != RMP_FIRMWARE && state != RMP_DEFAULT) {
            return false;
        }
    }
    return true;
}

enum psp_err core_random(const struct psp_core *core, void *buf, size_t size)
{
    return core->ops->entropy(core->host, buf, size) == 0 ? PSP_OK : PSP_E_HOST;
}

struct core_asid *core_asid_at(const struct psp_core *core, uint32_t asid)
{
    if (asid == 0 || asid > core->profile.asid_count) {
        return NULL;
    }
    return &core->asids[asid];
}

void core_asid_bind(struct psp_core *core, uint32_t asid,
                    enum core_asid_user user, void *guest,
                    const uint8_t vek[CORE_VEK_SIZE])
{
    struct core_asid *slot = core_asid_at(core, asid);

    assert(slot != NULL);
    slot->user = user;
    slot->guest = guest;
    memcpy(slot->vek, vek, CORE_VEK_SIZE);
}

void core_asid_unbind(struct psp_core *core, uint32_t asid)
{
    struct core_asid *slot = core_asid_at(core, asid);

    assert(slot != NULL);
    psp_wipe(slot, sizeof(*slot));
    slot->dirty = true;
}

void core_set_version(struct psp_core *core, uint8_t major, uint8_t minor,
                      uint8_t build)
{
    core->profile.api_major = major;
    core->profile.api_minor = minor;
    core->profile.build = build;
}

enum sev_status core_status(enum psp_err err)
{
    switch (err) {
    case PSP_OK:
        return SEV_SUCCESS;
    case PSP_E_NOMEM:
        return SEV_RESOURCE_LIMIT;
    default:
        return SEV_HWERROR_PLATFORM;
    }
}
