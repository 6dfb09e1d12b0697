/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A client's memory made of plain arrays: for tests, fuzzers and vectors. It
 * answers directly, or asks for ranges first as CUSE does, so that one test can
 * show that a handler keeps to the plan rule of umem.h.
 */
#ifndef LINUX_UMEM_ARRAY_H
#define LINUX_UMEM_ARRAY_H

#include "chardev.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Mapped memory: @size bytes at user address @addr, held in @data. */
struct umem_range {
    uint64_t addr;
    uint8_t *data;
    size_t size;
    bool readonly;
};

enum umem_op { UMEM_READ, UMEM_PLAN, UMEM_WRITE };

struct umem_event {
    enum umem_op op;
    uint64_t addr;
    size_t size;
};

#define UMEM_ARRAY_RANGES 16u
#define UMEM_ARRAY_EVENTS 32u

struct umem_array {
    struct umem um;
    struct umem_range ranges[UMEM_ARRAY_RANGES];
    size_t range_count;
    /** Ask first: umem_read() and umem_commit() answer UMEM_RETRY until every
     * range is granted. */
    bool retry;
    /** What the handler's last run did, in order. */
    struct umem_event events[UMEM_ARRAY_EVENTS];
    size_t event_count;
    unsigned int rounds; /* runs of the handler in the last ioctl */
    bool committed;
    /** The handler broke the plan rule: it wrote before umem_commit(), wrote
     * what it had not planned, read after the commit, read a range twice, or
     * planned after the commit. */
    bool broke_plan;
    /* Granted in earlier rounds of this ioctl (retry). */
    struct umem_event granted[UMEM_ARRAY_EVENTS];
    size_t granted_count;
};

void umem_array_init(struct umem_array *ua);
/** Map @size bytes of @data (borrowed) at @addr. */
void umem_array_map(struct umem_array *ua, uint64_t addr, void *data,
                    size_t size, bool readonly);

/**
 * One ioctl on @dev as a transport performs it. In retry mode the handler runs
 * until it asks for nothing new; a range that it asks for and that is not
 * mapped (or read-only, for a write) ends the ioctl with -EFAULT, as in CUSE.
 */
int64_t umem_array_ioctl(struct umem_array *ua, const struct chardev *dev,
                         bool writable, uint32_t request, uint64_t arg);

/** Events of one kind in the last run, and their bytes. */
size_t umem_array_count(const struct umem_array *ua, enum umem_op op);
size_t umem_array_bytes(const struct umem_array *ua, enum umem_op op);

#endif
