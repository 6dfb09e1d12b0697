/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing, linear probing, removal by shifting back: no tombstones, so
 * a platform that runs for ever does not slow down. */
#include "rmp_table.h"

#include "core.h"

#include <assert.h>
#include <string.h>

#define CAPACITY_MIN 64u

_Static_assert(sizeof(struct rmp_slot) == 32, "slots stay small");

/* Fibonacci hashing: neighbouring pages spread over the table. */
static size_t home_of(const struct rmp *rmp, uint64_t key)
{
    return (size_t)((key * 0x9e3779b97f4a7c15u) >> 20) & (rmp->capacity - 1);
}

static size_t next_of(const struct rmp *rmp, size_t i)
{
    return (i + 1) & (rmp->capacity - 1);
}

/* Where @key is, or the empty slot where it would go. */
static struct rmp_slot *probe(const struct rmp *rmp, uint64_t key)
{
    size_t i = home_of(rmp, key);

    while (rmp->slots[i].key != 0 && rmp->slots[i].key != key) {
        i = next_of(rmp, i);
    }
    return &rmp->slots[i];
}

struct rmp_slot *rmp_slot_find(const struct rmp *rmp, uint64_t page)
{
    struct rmp_slot *slot;

    if (rmp->used == 0) {
        return NULL;
    }
    slot = probe(rmp, page + 1);
    return slot->key == 0 ? NULL : slot;
}

static bool grow(struct rmp *rmp, size_t capacity)
{
    struct rmp old = *rmp;
    struct rmp_slot *slots;

    if (capacity > SIZE_MAX / sizeof(*slots)) {
        return false;
    }
    slots = core_alloc(capacity * sizeof(*slots));
    if (slots == NULL) {
        return false;
    }
    rmp->slots = slots;
    rmp->capacity = capacity;
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.slots[i].key != 0) {
            *probe(rmp, old.slots[i].key) = old.slots[i];
        }
    }
    core_free(old.slots, old.capacity * sizeof(*slots));
    return true;
}

/* At most three quarters full. */
static bool fits(size_t count, size_t capacity)
{
    return count <= capacity / 4 * 3;
}

bool rmp_slots_reserve(struct rmp *rmp, size_t more)
{
    size_t capacity = rmp->capacity == 0 ? CAPACITY_MIN : rmp->capacity;

    while (!fits(rmp->used + more, capacity)) {
        capacity *= 2;
    }
    return capacity == rmp->capacity || grow(rmp, capacity);
}

struct rmp_slot *rmp_slot_add(struct rmp *rmp, uint64_t page)
{
    struct rmp_slot *slot;

    assert(fits(rmp->used + 1, rmp->capacity));
    slot = probe(rmp, page + 1);
    assert(slot->key == 0);
    slot->key = page + 1;
    rmp->used++;
    return slot;
}

void rmp_slot_remove(struct rmp *rmp, struct rmp_slot *slot)
{
    size_t hole = (size_t)(slot - rmp->slots);
    size_t mask = rmp->capacity - 1;

    for (size_t i = next_of(rmp, hole); rmp->slots[i].key != 0;
         i = next_of(rmp, i)) {
        size_t home = home_of(rmp, rmp->slots[i].key);

        /* May move back if its home is not between the hole and it. */
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            rmp->slots[hole] = rmp->slots[i];
            hole = i;
        }
    }
    memset(&rmp->slots[hole], 0, sizeof(rmp->slots[hole]));
    rmp->used--;
}

void rmp_slots_clear(struct rmp *rmp)
{
    core_free(rmp->slots, rmp->capacity * sizeof(*rmp->slots));
    rmp->slots = NULL;
    rmp->capacity = 0;
    rmp->used = 0;
    memset(rmp->asid_pages, 0,
           ((size_t)rmp->asid_max + 1) * sizeof(*rmp->asid_pages));
}
