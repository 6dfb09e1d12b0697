/* SPDX-License-Identifier: Apache-2.0 */
/* Physical memory as host and guest see it, and who owns its pages. */
#include "machine_impl.h"

#include <assert.h>
#include <errno.h>

#define CMD_SNP_PAGE_RECLAIM 0xc7u

uint64_t machine_locked_pages_alloc(struct machine *m, size_t count)
{
    size_t page = page_map_take(&m->pages, count);

    return page == SIZE_MAX ? 0 : MACHINE_FIRST_PAGE + page * DRAM_PAGE_SIZE;
}

uint64_t machine_pages_alloc(struct machine *m, size_t count)
{
    uint64_t spa;

    pthread_mutex_lock(&m->lock);
    spa = machine_locked_pages_alloc(m, count);
    pthread_mutex_unlock(&m->lock);
    return spa;
}

uint64_t machine_page_alloc(struct machine *m)
{
    return machine_pages_alloc(m, 1);
}

static void locked_page_free(struct machine *m, uint64_t spa)
{
    assert(spa >= MACHINE_FIRST_PAGE && spa < m->memory_size);
    if (rmp_host_may_write(psp_rmp(m->psp), spa)) {
        dram_drop(m->dram, spa);
        page_map_give(&m->pages,
                      (size_t)((spa - MACHINE_FIRST_PAGE) / DRAM_PAGE_SIZE), 1);
    }
}

void machine_pages_free(struct machine *m, uint64_t spa, size_t count)
{
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < count; i++) {
        locked_page_free(m, spa + i * DRAM_PAGE_SIZE);
    }
    pthread_mutex_unlock(&m->lock);
}

void machine_page_free(struct machine *m, uint64_t spa)
{
    machine_pages_free(m, spa, 1);
}

int machine_locked_to_firmware(struct machine *m, uint64_t spa)
{
    static const struct rmp_update firmware = {.assigned = true,
                                               .immutable = true};

    if (!m->snp_initialized) {
        return 0;
    }
    return rmp_rmpupdate(psp_rmp(m->psp), spa, &firmware) == RMP_OK ? 0
                                                                    : -EFAULT;
}

int machine_page_to_firmware(struct machine *m, uint64_t spa)
{
    int err;

    pthread_mutex_lock(&m->lock);
    err = machine_locked_to_firmware(m, spa);
    pthread_mutex_unlock(&m->lock);
    return err;
}

static bool is_immutable(enum rmp_state state)
{
    return state == RMP_FIRMWARE || state == RMP_METADATA ||
           state == RMP_PRE_GUEST || state == RMP_PRE_SWAP ||
           state == RMP_CONTEXT;
}

static bool is_host(enum rmp_state state)
{
    return state == RMP_HYPERVISOR || state == RMP_DEFAULT ||
           state == RMP_HV_FIXED;
}

/* RMPUPDATE back to the hypervisor; a page that is still immutable fails. */
static int unassign(struct machine *m, uint64_t spa)
{
    static const struct rmp_update hypervisor = {.assigned = false};
    struct rmp *rmp = psp_rmp(m->psp);

    if (is_host(rmp_get(rmp, spa).state)) {
        return 0;
    }
    return rmp_rmpupdate(rmp, spa, &hypervisor) == RMP_OK ? 0 : -EFAULT;
}

int machine_page_reclaim(struct machine *m, uint64_t spa)
{
    uint8_t buf[8];
    int err;

    if (is_immutable(machine_rmp_get(m, spa).state)) {
        for (unsigned int i = 0; i < sizeof(buf); i++) {
            buf[i] = (uint8_t)(spa >> (8 * i));
        }
        if (machine_command(m, CMD_SNP_PAGE_RECLAIM, buf, sizeof(buf)) !=
            SEV_SUCCESS) {
            return -EFAULT;
        }
    }
    pthread_mutex_lock(&m->lock);
    err = unassign(m, spa);
    pthread_mutex_unlock(&m->lock);
    return err;
}

int machine_read(struct machine *m, uint64_t spa, void *buf, size_t size)
{
    int err;

    pthread_mutex_lock(&m->lock);
    err = dram_read(m->dram, spa, buf, size);
    pthread_mutex_unlock(&m->lock);
    return err;
}

static bool host_may_write(struct machine *m, uint64_t spa, size_t size)
{
    const struct rmp *rmp = psp_rmp(m->psp);
    uint64_t page = spa - spa % DRAM_PAGE_SIZE;

    if (!dram_range_ok(m->dram, spa, size)) {
        return false;
    }
    for (; page < spa + size; page += DRAM_PAGE_SIZE) {
        if (!rmp_host_may_write(rmp, page)) {
            return false;
        }
    }
    return true;
}

int machine_write(struct machine *m, uint64_t spa, const void *buf, size_t size)
{
    int err = -EFAULT;

    pthread_mutex_lock(&m->lock);
    if (host_may_write(m, spa, size)) {
        err = dram_write(m->dram, spa, buf, size);
    }
    pthread_mutex_unlock(&m->lock);
    return err;
}

enum rmp_result machine_rmpupdate(struct machine *m, uint64_t spa,
                                  const struct rmp_update *update)
{
    enum rmp_result result;

    pthread_mutex_lock(&m->lock);
    result = rmp_rmpupdate(psp_rmp(m->psp), spa, update);
    pthread_mutex_unlock(&m->lock);
    return result;
}

enum rmp_result machine_pvalidate(struct machine *m, uint64_t spa,
                                  uint32_t asid, uint64_t gpa, bool validate)
{
    enum rmp_result result;

    pthread_mutex_lock(&m->lock);
    result = rmp_pvalidate(psp_rmp(m->psp), spa, asid, gpa, validate);
    pthread_mutex_unlock(&m->lock);
    return result;
}

struct rmp_entry machine_rmp_get(struct machine *m, uint64_t spa)
{
    struct rmp_entry entry;

    pthread_mutex_lock(&m->lock);
    entry = rmp_get(psp_rmp(m->psp), spa);
    pthread_mutex_unlock(&m->lock);
    return entry;
}

static bool guest_may_access(struct machine *m, uint32_t asid, uint64_t spa,
                             uint64_t gpa)
{
    struct rmp_entry entry = rmp_get(psp_rmp(m->psp), spa);

    return entry.state == RMP_GUEST_VALID && entry.asid == asid &&
           entry.gpa == gpa - gpa % DRAM_PAGE_SIZE;
}

int machine_guest_read(struct machine *m, uint32_t asid, uint64_t spa,
                       uint64_t gpa, void *buf, size_t size)
{
    int err = -EFAULT;

    pthread_mutex_lock(&m->lock);
    if (guest_may_access(m, asid, spa, gpa) &&
        psp_guest_mem_read(m->psp, asid, spa, buf, size) == PSP_OK) {
        err = 0;
    }
    pthread_mutex_unlock(&m->lock);
    return err;
}

int machine_guest_write(struct machine *m, uint32_t asid, uint64_t spa,
                        uint64_t gpa, const void *buf, size_t size)
{
    int err = -EFAULT;

    pthread_mutex_lock(&m->lock);
    if (guest_may_access(m, asid, spa, gpa) &&
        psp_guest_mem_write(m->psp, asid, spa, buf, size) == PSP_OK) {
        err = 0;
    }
    pthread_mutex_unlock(&m->lock);
    return err;
}

int machine_sev_read(struct machine *m, uint32_t asid, uint64_t spa, void *buf,
                     size_t size)
{
    int err = -EFAULT;

    pthread_mutex_lock(&m->lock);
    if (is_host(rmp_get(psp_rmp(m->psp), spa).state) &&
        psp_guest_mem_read(m->psp, asid, spa, buf, size) == PSP_OK) {
        err = 0;
    }
    pthread_mutex_unlock(&m->lock);
    return err;
}

int machine_sev_write(struct machine *m, uint32_t asid, uint64_t spa,
                      const void *buf, size_t size)
{
    int err = -EFAULT;

    pthread_mutex_lock(&m->lock);
    if (is_host(rmp_get(psp_rmp(m->psp), spa).state) &&
        psp_guest_mem_write(m->psp, asid, spa, buf, size) == PSP_OK) {
        err = 0;
    }
    pthread_mutex_unlock(&m->lock);
    return err;
}

size_t machine_resident_pages(struct machine *m)
{
    size_t count;

    pthread_mutex_lock(&m->lock);
    count = dram_resident(m->dram);
    pthread_mutex_unlock(&m->lock);
    return count;
}
