/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The store below the reverse map: a hash table of the pages that are neither
 * Hypervisor nor in a fixed range, by page number. Private to rmp*.c.
 */
#ifndef CORE_RMP_TABLE_H
#define CORE_RMP_TABLE_H

#include <psp/rmp.h>

/** 32 bytes, so that a guest with a million pages stays affordable. */
struct rmp_slot {
    uint64_t key; /* page number + 1; 0: empty */
    uint64_t gpa;
    uint64_t owner_gctx;
    uint16_t asid;
    uint8_t state;
    uint8_t flags;
    uint8_t vmpl[4];
};

struct rmp {
    uint64_t end;
    struct rmp_slot *slots; /* capacity is 0 or a power of two */
    size_t capacity;
    size_t used;
    struct rmp_range *fixed; /* sorted by base, disjoint */
    size_t fixed_count;
    uint32_t asid_max;
    uint64_t *asid_pages; /* 0 .. asid_max */
};

/** Entry of page number @page, or NULL. */
struct rmp_slot *rmp_slot_find(const struct rmp *rmp, uint64_t page);
/** Room for @more entries, so that as many rmp_slot_add() succeed. */
PSP_MUST_CHECK bool rmp_slots_reserve(struct rmp *rmp, size_t more);
/** A new zeroed entry. The page has none, and room was reserved. */
struct rmp_slot *rmp_slot_add(struct rmp *rmp, uint64_t page);
void rmp_slot_remove(struct rmp *rmp, struct rmp_slot *slot);
void rmp_slots_clear(struct rmp *rmp);

#endif
