/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A client's memory for tests of ioctl handlers: pattern-filled ranges with
 * access rights behind struct umem, reached directly or by retries as CUSE
 * does. It checks the handler's discipline: nothing is read after the commit,
 * nothing written before it, and every write lies at the start of a range that
 * was planned. Retries also demand that the written bytes, in the order of the
 * plan, leave no hole.
 */
#ifndef FAKE_USER_H
#define FAKE_USER_H

#include "chardev.h"

#define FAKE_USER_RANGES 8u
#define FAKE_USER_PLANS  8u

struct fake_user_range {
    uint64_t addr;
    size_t size;
    bool readable;
    bool writable;
    uint8_t *bytes;
    uint8_t *expected;
};

struct fake_user_plan {
    uint64_t addr;
    size_t size;
    uint8_t *bytes; /* retry mode: what will be copied out */
    size_t written;
};

struct fake_user {
    struct umem um;
    bool retry;
    struct fake_user_range range[FAKE_USER_RANGES];
    unsigned int range_count;
    struct fake_user_plan in[FAKE_USER_PLANS];
    struct fake_user_plan out[FAKE_USER_PLANS];
    unsigned int in_count, out_count;
    bool grown; /* a range was added in this run */
    bool committed;
    unsigned int runs;
};

void fake_user_init(struct fake_user *u, bool retry);
void fake_user_clear(struct fake_user *u);

/** Map @size bytes at @addr, filled with a pattern that depends on the address;
 * the same is expected to be there in the end. */
void fake_user_map(struct fake_user *u, uint64_t addr, size_t size,
                   bool readable, bool writable);
/** The caller fills in memory before the ioctl (expected to stay). */
void fake_user_put(struct fake_user *u, uint64_t addr, const void *bytes,
                   size_t size);
/** Between two ioctls: forget the plans and the run count. */
void fake_user_forget(struct fake_user *u);
/** What the ioctl is expected to write. */
void fake_user_expect(struct fake_user *u, uint64_t addr, const void *bytes,
                      size_t size);
/** Fails the test unless all memory is as expected. */
void fake_user_check(const struct fake_user *u);
/** Present content. */
const uint8_t *fake_user_at(const struct fake_user *u, uint64_t addr,
                            size_t size);

/** One ioctl, with retries until it is answered; what the client sees: result
 * or negative errno. */
int64_t fake_user_ioctl(struct fake_user *u, const struct chardev *dev,
                        bool writable, uint32_t request, uint64_t arg);

#endif
