/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_user.h"

#include "tst.h"

#include <errno.h>

static struct fake_user_range *find(const struct fake_user *u, uint64_t addr,
                                    size_t size)
{
    for (unsigned int i = 0; i < u->range_count; i++) {
        const struct fake_user_range *r = &u->range[i];

        if (addr >= r->addr && addr - r->addr <= r->size &&
            size <= r->size - (addr - r->addr)) {
            return (struct fake_user_range *)(uintptr_t)r;
        }
    }
    return NULL;
}

static int get(const struct fake_user *u, uint64_t addr, void *buf, size_t size)
{
    const struct fake_user_range *r = find(u, addr, size);

    if (r == NULL || !r->readable) {
        return -EFAULT;
    }
    memcpy(buf, r->bytes + (addr - r->addr), size);
    return 0;
}

static int set(const struct fake_user *u, uint64_t addr, const void *buf,
               size_t size)
{
    const struct fake_user_range *r = find(u, addr, size);

    if (r == NULL || !r->writable) {
        return -EFAULT;
    }
    memcpy(r->bytes + (addr - r->addr), buf, size);
    return 0;
}

static struct fake_user_plan *planned(struct fake_user_plan *list,
                                      unsigned int count, uint64_t addr,
                                      size_t size)
{
    for (unsigned int i = 0; i < count; i++) {
        if (list[i].addr == addr && size <= list[i].size) {
            return &list[i];
        }
    }
    return NULL;
}

static void plan_add(struct fake_user *u, struct fake_user_plan *list,
                     unsigned int *count, uint64_t addr, size_t size)
{
    assert_true(*count < FAKE_USER_PLANS);
    list[*count] = (struct fake_user_plan){
        .addr = addr, .size = size, .bytes = calloc(1, size)};
    assert_non_null(list[*count].bytes);
    (*count)++;
    u->grown = true;
}

/* --- umem --- */

static int op_read(struct umem *um, uint64_t addr, void *buf, size_t size)
{
    struct fake_user *u = (struct fake_user *)um;
    const struct fake_user_plan *p;

    assert_false(u->committed);
    if (!u->retry) {
        return get(u, addr, buf, size);
    }
    p = planned(u->in, u->in_count, addr, size);
    if (p == NULL) {
        plan_add(u, u->in, &u->in_count, addr, size);
        return UMEM_RETRY;
    }
    memcpy(buf, p->bytes, size);
    return 0;
}

static int op_plan_write(struct umem *um, uint64_t addr, size_t size)
{
    struct fake_user *u = (struct fake_user *)um;

    assert_false(u->committed);
    if (planned(u->out, u->out_count, addr, size) == NULL) {
        plan_add(u, u->out, &u->out_count, addr, size);
    }
    return 0;
}

static int op_commit(struct umem *um)
{
    struct fake_user *u = (struct fake_user *)um;

    assert_false(u->committed);
    if (u->retry && u->grown) {
        return UMEM_RETRY;
    }
    u->committed = true;
    return 0;
}

static int op_write(struct umem *um, uint64_t addr, const void *buf,
                    size_t size)
{
    struct fake_user *u = (struct fake_user *)um;
    struct fake_user_plan *p = planned(u->out, u->out_count, addr, size);

    assert_true(u->committed);
    assert_non_null(p);
    p->written = size;
    if (!u->retry) {
        return set(u, addr, buf, size);
    }
    memcpy(p->bytes, buf, size);
    return 0;
}

static const struct umem_ops OPS = {
    .read = op_read,
    .plan_write = op_plan_write,
    .commit = op_commit,
    .write = op_write,
};

/* --- the kernel's part of a retry --- */

static int gather(struct fake_user *u)
{
    for (unsigned int i = 0; i < u->in_count; i++) {
        if (get(u, u->in[i].addr, u->in[i].bytes, u->in[i].size) != 0) {
            return -EFAULT;
        }
    }
    return 0;
}

/* Reply bytes fill the ranges in order; what comes after a range that was not
 * filled to its end cannot be written. */
static int scatter(struct fake_user *u)
{
    bool ended = false;

    for (unsigned int i = 0; i < u->out_count; i++) {
        const struct fake_user_plan *p = &u->out[i];

        assert_false(ended && p->written > 0);
        ended = p->written < p->size;
        if (p->written > 0 && set(u, p->addr, p->bytes, p->written) != 0) {
            return -EFAULT;
        }
    }
    return 0;
}

int64_t fake_user_ioctl(struct fake_user *u, const struct chardev *dev,
                        bool writable, uint32_t request, uint64_t arg)
{
    int64_t r;

    for (;;) {
        u->runs++;
        u->grown = false;
        u->committed = false;
        r = dev->ops->ioctl(dev->dev, writable, request, arg, &u->um);
        if (r != UMEM_RETRY) {
            break;
        }
        assert_true(u->retry);
        assert_true(u->runs < 8);
        if (gather(u) != 0) {
            return -EFAULT;
        }
    }
    if (u->retry && u->committed && scatter(u) != 0) {
        r = -EFAULT;
    }
    return r;
}

/* --- memory --- */

void fake_user_init(struct fake_user *u, bool retry)
{
    *u = (struct fake_user){.um = {.ops = &OPS}, .retry = retry};
}

void fake_user_forget(struct fake_user *u)
{
    for (unsigned int i = 0; i < FAKE_USER_PLANS; i++) {
        free(u->in[i].bytes);
        free(u->out[i].bytes);
        u->in[i] = (struct fake_user_plan){0};
        u->out[i] = (struct fake_user_plan){0};
    }
    u->in_count = 0;
    u->out_count = 0;
    u->runs = 0;
}

void fake_user_clear(struct fake_user *u)
{
    for (unsigned int i = 0; i < u->range_count; i++) {
        free(u->range[i].bytes);
        free(u->range[i].expected);
    }
    fake_user_forget(u);
    *u = (struct fake_user){0};
}

void fake_user_map(struct fake_user *u, uint64_t addr, size_t size,
                   bool readable, bool writable)
{
    struct fake_user_range *r = &u->range[u->range_count++];

    assert_true(u->range_count <= FAKE_USER_RANGES);
    *r = (struct fake_user_range){.addr = addr,
                                  .size = size,
                                  .readable = readable,
                                  .writable = writable,
                                  .bytes = malloc(size)};
    assert_non_null(r->bytes);
    for (size_t i = 0; i < size; i++) {
        r->bytes[i] = (uint8_t)(0xa5 ^ (addr >> 16) ^ i ^ (i >> 8));
    }
    r->expected = tst_dup(r->bytes, size);
}

void fake_user_put(struct fake_user *u, uint64_t addr, const void *bytes,
                   size_t size)
{
    struct fake_user_range *r = find(u, addr, size);

    assert_non_null(r);
    memcpy(r->bytes + (addr - r->addr), bytes, size);
    memcpy(r->expected + (addr - r->addr), bytes, size);
}

void fake_user_expect(struct fake_user *u, uint64_t addr, const void *bytes,
                      size_t size)
{
    struct fake_user_range *r = find(u, addr, size);

    assert_non_null(r);
    memcpy(r->expected + (addr - r->addr), bytes, size);
}

void fake_user_check(const struct fake_user *u)
{
    for (unsigned int i = 0; i < u->range_count; i++) {
        const struct fake_user_range *r = &u->range[i];

        for (size_t k = 0; k < r->size; k++) {
            if (r->bytes[k] != r->expected[k]) {
                fail_msg("user memory 0x%llx: 0x%02x, expected 0x%02x",
                         (unsigned long long)(r->addr + k), r->bytes[k],
                         r->expected[k]);
            }
        }
    }
}

const uint8_t *fake_user_at(const struct fake_user *u, uint64_t addr,
                            size_t size)
{
    const struct fake_user_range *r = find(u, addr, size);

    assert_non_null(r);
    return r->bytes + (addr - r->addr);
}
