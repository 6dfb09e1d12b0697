/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What Linux does with an unrestricted ioctl of CUSE: asks, gathers what it was
 * told to, asks again, and at last scatters the reply. Memory is that of a
 * struct umem_array.
 */
#ifndef TEST_FUSE_KERNEL_H
#define TEST_FUSE_KERNEL_H

#include "tst.h"

#include "cuse_retry.h"
#include "umem_array.h"

#include <errno.h>

#define KERNEL_CALLS_MAX 16u

struct kernel {
    struct umem_array *memory;
    struct cuse_chains *chains;
    pid_t tid;
    bool writable;
    /** Between two calls: another thread of the client. May be NULL. */
    void (*between)(struct kernel *k, unsigned int calls);
    void *ctx;
    unsigned int calls;    /* of the last ioctl */
    size_t reply;          /* bytes of its last answer */
    struct cuse_plan last; /* what the server asked for last */
    uint32_t request;
    uint64_t arg;
    uint8_t *in;
};

static inline uint8_t *kernel_find(const struct kernel *k, uint64_t addr,
                                   size_t size, bool write)
{
    for (size_t i = 0; i < k->memory->range_count; i++) {
        const struct umem_range *r = &k->memory->ranges[i];

        if (addr >= r->addr && addr - r->addr <= r->size &&
            size <= r->size - (addr - r->addr) && !(write && r->readonly)) {
            return r->data + (addr - r->addr);
        }
    }
    return NULL;
}

static inline bool kernel_gather(struct kernel *k)
{
    size_t at = 0;

    free(k->in);
    k->in = malloc(k->last.in_size + 1);
    assert_non_null(k->in);
    for (size_t i = 0; i < k->last.in_count; i++) {
        size_t size = k->last.in[i].iov_len;
        const uint8_t *p =
            kernel_find(k, (uintptr_t)k->last.in[i].iov_base, size, false);

        if (p == NULL) {
            return false;
        }
        memcpy(k->in + at, p, size);
        at += size;
    }
    assert_int_equal(at, k->last.in_size);
    return true;
}

static inline bool kernel_scatter(struct kernel *k, const uint8_t *out)
{
    size_t left = k->reply;

    assert_true(left <= k->last.out_size); /* else EIO */
    for (size_t i = 0; left > 0; i++) {
        size_t size = k->last.out[i].iov_len;
        uint8_t *p;

        size = size < left ? size : left;
        p = kernel_find(k, (uintptr_t)k->last.out[i].iov_base, size, true);
        if (p == NULL) {
            return false;
        }
        memcpy(p, out, size);
        out += size;
        left -= size;
    }
    return true;
}

/** One call of the server. True when it has answered. */
static inline bool kernel_call(struct kernel *k, const struct chardev *dev,
                               int *result)
{
    const struct cuse_key key = {k->tid, k->request, k->arg};
    struct cuse_call *call = malloc(sizeof(*call) + k->last.out_size);
    bool done;

    assert_non_null(call);
    k->calls++;
    done = cuse_call(call, k->chains, &key, dev, k->writable, k->in,
                     k->last.in_size, k->last.out_size, result);
    if (done) {
        k->reply = call->run.reply;
        if (!kernel_scatter(k, call->out)) {
            *result = -EFAULT;
        }
    } else {
        k->last = call->run.plan;
        assert_true(k->last.in_count + k->last.out_count <= CUSE_IOV_MAX);
        assert_true(k->last.in_size <= CUSE_SIZE_MAX);
        assert_true(k->last.out_size <= CUSE_SIZE_MAX);
    }
    free(call);
    return done;
}

static inline void kernel_begin(struct kernel *k, uint32_t request,
                                uint64_t arg)
{
    k->calls = 0;
    k->reply = 0;
    k->last.in_count = k->last.out_count = 0;
    k->last.in_size = k->last.out_size = 0;
    k->request = request;
    k->arg = arg;
}

static inline void kernel_end(struct kernel *k)
{
    free(k->in);
    k->in = NULL;
}

/** The whole ioctl. */
static inline int kernel_ioctl(struct kernel *k, const struct chardev *dev,
                               uint32_t request, uint64_t arg)
{
    int result = 0;
    bool done;

    kernel_begin(k, request, arg);
    for (;;) {
        done = kernel_call(k, dev, &result);
        if (done) {
            break;
        }
        assert_true(k->calls < KERNEL_CALLS_MAX);
        if (k->between != NULL) {
            k->between(k, k->calls);
        }
        if (!kernel_gather(k)) {
            result = -EFAULT;
            break;
        }
    }
    kernel_end(k);
    return result;
}

#endif
