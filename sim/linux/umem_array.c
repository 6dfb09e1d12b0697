/* SPDX-License-Identifier: Apache-2.0 */
#include "umem_array.h"

#include <errno.h>
#include <string.h>

/* A handler that still asks after so many runs never ends. */
#define MAX_ROUNDS 16u

static struct umem_array *array_of(struct umem *um)
{
    return (struct umem_array *)um; /* first member */
}

/* Bytes at @addr, or NULL when they are not all in one mapping. */
static uint8_t *find(const struct umem_array *ua, uint64_t addr, size_t size,
                     bool for_write)
{
    for (size_t i = 0; i < ua->range_count; i++) {
        const struct umem_range *r = &ua->ranges[i];

        if (addr >= r->addr && size <= r->size &&
            addr - r->addr <= r->size - size && !(for_write && r->readonly)) {
            return r->data + (addr - r->addr);
        }
    }
    return NULL;
}

static bool contains(const struct umem_event *list, size_t count,
                     enum umem_op op, uint64_t addr, size_t size)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].op == op && list[i].addr <= addr && size <= list[i].size &&
            addr - list[i].addr <= list[i].size - size) {
            return true;
        }
    }
    return false;
}

static bool happened(const struct umem_array *ua, enum umem_op op,
                     uint64_t addr, size_t size)
{
    return contains(ua->events, ua->event_count, op, addr, size);
}

static void note(struct umem_array *ua, enum umem_op op, uint64_t addr,
                 size_t size)
{
    if (ua->event_count < UMEM_ARRAY_EVENTS) {
        ua->events[ua->event_count++] = (struct umem_event){op, addr, size};
    }
}

/* In retry mode: true if the range was granted, else ask for it. */
static bool is_granted(struct umem_array *ua, enum umem_op op, uint64_t addr,
                       size_t size)
{
    return !ua->retry ||
           contains(ua->granted, ua->granted_count, op, addr, size);
}

static int array_read(struct umem *um, uint64_t addr, void *buf, size_t size)
{
    struct umem_array *ua = array_of(um);
    const uint8_t *from = find(ua, addr, size, false);

    ua->broke_plan |= ua->committed || happened(ua, UMEM_READ, addr, size);
    note(ua, UMEM_READ, addr, size);
    if (!is_granted(ua, UMEM_READ, addr, size)) {
        return UMEM_RETRY;
    }
    if (from == NULL) {
        return -EFAULT;
    }
    memcpy(buf, from, size);
    return 0;
}

static int array_plan(struct umem *um, uint64_t addr, size_t size)
{
    struct umem_array *ua = array_of(um);

    ua->broke_plan |= ua->committed;
    note(ua, UMEM_PLAN, addr, size);
    return 0;
}

static int array_commit(struct umem *um)
{
    struct umem_array *ua = array_of(um);

    for (size_t i = 0; i < ua->event_count; i++) {
        const struct umem_event *e = &ua->events[i];

        if (e->op == UMEM_PLAN &&
            !is_granted(ua, UMEM_PLAN, e->addr, e->size)) {
            return UMEM_RETRY;
        }
    }
    ua->committed = true;
    return 0;
}

static int array_write(struct umem *um, uint64_t addr, const void *buf,
                       size_t size)
{
    struct umem_array *ua = array_of(um);
    uint8_t *to = find(ua, addr, size, true);

    ua->broke_plan |= !ua->committed || !happened(ua, UMEM_PLAN, addr, size);
    note(ua, UMEM_WRITE, addr, size);
    if (to == NULL) {
        return -EFAULT;
    }
    memcpy(to, buf, size);
    return 0;
}

static const struct umem_ops ARRAY_OPS = {
    .read = array_read,
    .plan_write = array_plan,
    .commit = array_commit,
    .write = array_write,
};

void umem_array_init(struct umem_array *ua)
{
    *ua = (struct umem_array){.um = {.ops = &ARRAY_OPS}};
}

void umem_array_map(struct umem_array *ua, uint64_t addr, void *data,
                    size_t size, bool readonly)
{
    if (ua->range_count < UMEM_ARRAY_RANGES) {
        ua->ranges[ua->range_count++] =
            (struct umem_range){addr, data, size, readonly};
    }
}

/* What the last run asked for becomes granted, as the kernel does it before it
 * calls the server again. */
static int grant(struct umem_array *ua)
{
    ua->granted_count = 0;
    for (size_t i = 0; i < ua->event_count; i++) {
        const struct umem_event *e = &ua->events[i];

        if (find(ua, e->addr, e->size, e->op == UMEM_PLAN) == NULL) {
            return -EFAULT;
        }
        ua->granted[ua->granted_count++] = *e;
    }
    return 0;
}

int64_t umem_array_ioctl(struct umem_array *ua, const struct chardev *dev,
                         bool writable, uint32_t request, uint64_t arg)
{
    int64_t result = UMEM_RETRY;

    ua->granted_count = 0;
    ua->broke_plan = false;
    for (ua->rounds = 0; result == UMEM_RETRY && ua->rounds < MAX_ROUNDS;) {
        ua->rounds++;
        ua->event_count = 0;
        ua->committed = false;
        result = dev->ops->ioctl(dev->dev, writable, request, arg, &ua->um);
        if (result == UMEM_RETRY && grant(ua) != 0) {
            return -EFAULT;
        }
    }
    return result;
}

size_t umem_array_count(const struct umem_array *ua, enum umem_op op)
{
    size_t count = 0;

    for (size_t i = 0; i < ua->event_count; i++) {
        count += ua->events[i].op == op;
    }
    return count;
}

size_t umem_array_bytes(const struct umem_array *ua, enum umem_op op)
{
    size_t bytes = 0;

    for (size_t i = 0; i < ua->event_count; i++) {
        bytes += ua->events[i].op == op ? ua->events[i].size : 0;
    }
    return bytes;
}
