/* SPDX-License-Identifier: Apache-2.0 */
/* The instructions: RMPUPDATE and PSMASH of the host, PVALIDATE of the guest.
 */
#include "rmp_table.h"

#include <assert.h>

#define PAGES_2M (RMP_PAGE_2M_SIZE / RMP_PAGE_SIZE)

static bool covered(const struct rmp *rmp, uint64_t spa, uint64_t size)
{
    return spa < rmp->end && size <= rmp->end - spa;
}

static bool update_ok(const struct rmp *rmp, const struct rmp_update *u,
                      uint64_t size)
{
    if (!u->assigned) {
        return !u->immutable && u->asid == 0;
    }
    if (u->asid == 0) {
        return u->gpa == 0;
    }
    return u->asid <= rmp->asid_max && u->gpa % size == 0;
}

/* Every page of the range: immutable ones first, as the processor reports a
 * permission fault before an overlap. */
static enum rmp_result range_ok(const struct rmp *rmp, uint64_t spa,
                                size_t pages, bool size_2m)
{
    enum rmp_result result = RMP_OK;

    for (size_t i = 0; i < pages; i++) {
        struct rmp_entry e = rmp_get(rmp, spa + i * RMP_PAGE_SIZE);

        if (rmp_immutable(e.state)) {
            return RMP_FAIL_PERMISSION;
        }
        if (e.state != RMP_HYPERVISOR && e.size_2m != size_2m) {
            result = RMP_FAIL_OVERLAP;
        }
    }
    return result;
}

static enum rmp_state new_state(const struct rmp_update *u,
                                const struct rmp_entry *old, bool same)
{
    if (!u->assigned) {
        return RMP_HYPERVISOR;
    }
    if (u->asid == 0) {
        return u->immutable ? RMP_FIRMWARE : RMP_RECLAIM;
    }
    if (!u->immutable) {
        return RMP_GUEST_INVALID;
    }
    return same && old->state == RMP_GUEST_VALID ? RMP_PRE_SWAP : RMP_PRE_GUEST;
}

static struct rmp_entry updated(const struct rmp_update *u, uint64_t gpa,
                                const struct rmp_entry *old)
{
    bool same =
        u->assigned && u->asid != 0 && old->asid == u->asid && old->gpa == gpa;
    struct rmp_entry e = {
        .state = new_state(u, old, same),
        .size_2m = u->assigned && u->size_2m,
        .asid = u->assigned ? u->asid : 0,
        .gpa = gpa,
    };

    if (same) {
        e.vmsa = old->vmsa;
        for (size_t i = 0; i < sizeof(e.vmpl); i++) {
            e.vmpl[i] = old->vmpl[i];
        }
    } else if (e.asid != 0) {
        e.vmpl[0] = RMP_PERM_ALL;
    }
    return e;
}

enum rmp_result rmp_rmpupdate(struct rmp *rmp, uint64_t spa,
                              const struct rmp_update *u)
{
    uint64_t size = u->size_2m ? RMP_PAGE_2M_SIZE : RMP_PAGE_SIZE;
    size_t pages = (size_t)(size / RMP_PAGE_SIZE);
    enum rmp_result result;

    if (spa % size != 0 || !covered(rmp, spa, size) ||
        !update_ok(rmp, u, size)) {
        return RMP_FAIL_INPUT;
    }
    result = range_ok(rmp, spa, pages, u->size_2m);
    if (result != RMP_OK) {
        return result;
    }
    if (u->assigned && !rmp_slots_reserve(rmp, pages)) {
        return RMP_FAIL_MEMORY;
    }
    for (size_t i = 0; i < pages; i++) {
        uint64_t page = spa + i * RMP_PAGE_SIZE;
        struct rmp_entry old = rmp_get(rmp, page);
        struct rmp_entry e =
            updated(u, u->asid == 0 ? 0 : u->gpa + i * RMP_PAGE_SIZE, &old);
        enum psp_err err = rmp_set(rmp, page, &e);

        assert(err == PSP_OK); /* room was reserved */
        (void)err;
    }
    return RMP_OK;
}

enum rmp_result rmp_psmash(struct rmp *rmp, uint64_t spa)
{
    struct rmp_entry e = rmp_get(rmp, spa);

    if (spa % RMP_PAGE_2M_SIZE != 0 || !e.size_2m) {
        return RMP_FAIL_INPUT;
    }
    if (rmp_immutable(e.state)) {
        return RMP_FAIL_PERMISSION;
    }
    for (size_t i = 0; i < PAGES_2M; i++) {
        e = rmp_get(rmp, spa + i * RMP_PAGE_SIZE);
        e.size_2m = false;
        rmp_replace(rmp, spa + i * RMP_PAGE_SIZE, &e);
    }
    return RMP_OK;
}

enum rmp_result rmp_pvalidate(struct rmp *rmp, uint64_t spa, uint32_t asid,
                              uint64_t gpa, bool validate)
{
    struct rmp_entry e = rmp_get(rmp, spa);
    size_t pages = e.size_2m ? PAGES_2M : 1;

    if (spa % RMP_PAGE_SIZE != 0) {
        return RMP_FAIL_INPUT;
    }
    if ((e.state != RMP_GUEST_INVALID && e.state != RMP_GUEST_VALID) ||
        e.asid != asid || e.gpa != gpa) {
        return RMP_FAIL_PERMISSION;
    }
    if (e.size_2m && spa % RMP_PAGE_2M_SIZE != 0) {
        return RMP_FAIL_OVERLAP;
    }
    for (size_t i = 0; i < pages; i++) {
        e = rmp_get(rmp, spa + i * RMP_PAGE_SIZE);
        e.state = validate ? RMP_GUEST_VALID : RMP_GUEST_INVALID;
        rmp_replace(rmp, spa + i * RMP_PAGE_SIZE, &e);
    }
    return RMP_OK;
}
