/* SPDX-License-Identifier: Apache-2.0 */
#include "rmp_table.h"

#include "core.h"

#include <assert.h>
#include <string.h>

#define FLAG_2M   0x1u
#define FLAG_VMSA 0x2u

static size_t asid_pages_size(const struct rmp *rmp)
{
    return ((size_t)rmp->asid_max + 1) * sizeof(*rmp->asid_pages);
}

struct rmp *rmp_create(uint64_t end, uint32_t asid_max)
{
    struct rmp *rmp = core_alloc(sizeof(*rmp));

    assert(asid_max <= RMP_ASID_LIMIT);
    if (rmp == NULL) {
        return NULL;
    }
    rmp->end = end;
    rmp->asid_max = asid_max;
    rmp->asid_pages = core_alloc(asid_pages_size(rmp));
    if (rmp->asid_pages == NULL) {
        core_free(rmp, sizeof(*rmp));
        return NULL;
    }
    return rmp;
}

static void fixed_clear(struct rmp *rmp)
{
    core_free(rmp->fixed, rmp->fixed_count * sizeof(*rmp->fixed));
    rmp->fixed = NULL;
    rmp->fixed_count = 0;
}

void rmp_destroy(struct rmp *rmp)
{
    if (rmp != NULL) {
        rmp_slots_clear(rmp);
        fixed_clear(rmp);
        core_free(rmp->asid_pages, asid_pages_size(rmp));
    }
    core_free(rmp, sizeof(*rmp));
}

static bool in_fixed(const struct rmp *rmp, uint64_t spa)
{
    size_t lo = 0;
    size_t hi = rmp->fixed_count;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct rmp_range *r = &rmp->fixed[mid];

        if (spa < r->base) {
            hi = mid;
        } else if (spa - r->base >= r->size) {
            lo = mid + 1;
        } else {
            return true;
        }
    }
    return false;
}

static struct rmp_entry load(const struct rmp_slot *slot)
{
    struct rmp_entry e = {
        .state = (enum rmp_state)slot->state,
        .size_2m = (slot->flags & FLAG_2M) != 0,
        .vmsa = (slot->flags & FLAG_VMSA) != 0,
        .asid = slot->asid,
        .gpa = slot->gpa,
        .owner_gctx = slot->owner_gctx,
    };

    memcpy(e.vmpl, slot->vmpl, sizeof(e.vmpl));
    return e;
}

struct rmp_entry rmp_get(const struct rmp *rmp, uint64_t spa)
{
    const struct rmp_slot *slot;

    if (spa >= rmp->end) {
        return (struct rmp_entry){.state = RMP_DEFAULT};
    }
    slot = rmp_slot_find(rmp, spa / RMP_PAGE_SIZE);
    if (slot != NULL) {
        return load(slot);
    }
    if (rmp->fixed_count > 0 && in_fixed(rmp, spa)) {
        return (struct rmp_entry){.state = RMP_HV_FIXED};
    }
    return (struct rmp_entry){.state = RMP_HYPERVISOR};
}

static void store(struct rmp *rmp, struct rmp_slot *slot,
                  const struct rmp_entry *e)
{
    rmp->asid_pages[slot->asid]--;
    rmp->asid_pages[e->asid]++;
    slot->state = (uint8_t)e->state;
    slot->flags =
        (uint8_t)((e->size_2m ? FLAG_2M : 0) | (e->vmsa ? FLAG_VMSA : 0));
    slot->asid = (uint16_t)e->asid;
    slot->gpa = e->gpa;
    slot->owner_gctx = e->owner_gctx;
    memcpy(slot->vmpl, e->vmpl, sizeof(slot->vmpl));
}

static void forget(struct rmp *rmp, struct rmp_slot *slot)
{
    rmp->asid_pages[slot->asid]--;
    rmp_slot_remove(rmp, slot);
}

void rmp_replace(struct rmp *rmp, uint64_t spa, const struct rmp_entry *entry)
{
    struct rmp_slot *slot = rmp_slot_find(rmp, spa / RMP_PAGE_SIZE);

    assert(slot != NULL && entry->asid <= rmp->asid_max);
    if (entry->state == RMP_HYPERVISOR) {
        forget(rmp, slot);
    } else {
        store(rmp, slot, entry);
    }
}

enum psp_err rmp_set(struct rmp *rmp, uint64_t spa,
                     const struct rmp_entry *entry)
{
    if (spa >= rmp->end || entry->asid > rmp->asid_max) {
        return PSP_E_PARAM;
    }
    if (rmp_slot_find(rmp, spa / RMP_PAGE_SIZE) == NULL) {
        struct rmp_slot *slot;

        if (entry->state == RMP_HYPERVISOR) {
            return PSP_OK;
        }
        if (!rmp_slots_reserve(rmp, 1)) {
            return PSP_E_NOMEM;
        }
        slot = rmp_slot_add(rmp, spa / RMP_PAGE_SIZE);
        rmp->asid_pages[slot->asid]++;
    }
    rmp_replace(rmp, spa, entry);
    return PSP_OK;
}

static void remove_not_fixed(struct rmp *rmp)
{
    for (size_t i = 0; i < rmp->capacity; i++) {
        while (rmp->slots[i].key != 0 && rmp->slots[i].state != RMP_HV_FIXED) {
            forget(rmp, &rmp->slots[i]); /* may shift another one here */
        }
    }
}

void rmp_reset(struct rmp *rmp, bool all)
{
    if (!all) {
        /* An entry that is shifted around the end of the table lands behind
         * the scan; the second pass meets it. */
        remove_not_fixed(rmp);
        remove_not_fixed(rmp);
        return;
    }
    rmp_slots_clear(rmp);
    fixed_clear(rmp);
}

/* Insertion by base, merging with what overlaps or touches: at most a few
 * hundred ranges. */
static size_t insert_range(struct rmp_range *sorted, size_t count,
                           struct rmp_range r)
{
    size_t i = 0;
    size_t k;

    while (i < count && sorted[i].base + sorted[i].size < r.base) {
        i++;
    }
    for (k = i; k < count && sorted[k].base <= r.base + r.size; k++) {
        uint64_t end = r.base + r.size;
        uint64_t other = sorted[k].base + sorted[k].size;

        r.base = sorted[k].base < r.base ? sorted[k].base : r.base;
        r.size = (other > end ? other : end) - r.base;
    }
    memmove(&sorted[i + 1], &sorted[k], (count - k) * sizeof(*sorted));
    sorted[i] = r;
    return count - (k - i) + 1;
}

enum psp_err rmp_rebuild(struct rmp *rmp, const struct rmp_range *ranges,
                         size_t count)
{
    struct rmp_range *fixed = NULL;
    size_t n = 0;

    if (count > 0) {
        fixed = core_alloc(count * sizeof(*fixed));
        if (fixed == NULL) {
            return PSP_E_NOMEM;
        }
    }
    for (size_t i = 0; i < count; i++) {
        struct rmp_range r = ranges[i];

        if (r.base >= rmp->end || r.size == 0) {
            continue;
        }
        if (r.size > rmp->end - r.base) {
            r.size = rmp->end - r.base;
        }
        n = insert_range(fixed, n, r);
    }
    rmp_reset(rmp, true);
    rmp->fixed = fixed;
    rmp->fixed_count = n;
    return PSP_OK;
}

uint64_t rmp_asid_page_count(const struct rmp *rmp, uint32_t asid)
{
    return asid > rmp->asid_max ? 0 : rmp->asid_pages[asid];
}
