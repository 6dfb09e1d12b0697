/* SPDX-License-Identifier: Apache-2.0 */
#include "cuse_retry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t addr_of(const struct iovec *iov)
{
    return (uintptr_t)iov->iov_base;
}

static bool is_range(const struct iovec *iov, uint64_t addr, size_t size)
{
    return addr_of(iov) == addr && iov->iov_len == size;
}

static int give_up(struct cuse_run *run, int error)
{
    run->error = error;
    return error;
}

/* Append to one direction of the plan, within the kernel's limits. */
static int add(struct cuse_plan *plan, bool out, uint64_t addr, size_t size)
{
    size_t *count = out ? &plan->out_count : &plan->in_count;
    size_t *sum = out ? &plan->out_size : &plan->in_size;

    if (plan->in_count + plan->out_count == CUSE_IOV_MAX ||
        size > CUSE_SIZE_MAX - *sum) {
        return -ENOMEM;
    }
    (out ? plan->out : plan->in)[*count] =
        (struct iovec){(void *)(uintptr_t)addr, size};
    *count += 1;
    *sum += size;
    return 0;
}

static int retry_read(struct umem *um, uint64_t addr, void *buf, size_t size)
{
    struct cuse_run *run = (struct cuse_run *)um;
    size_t index = run->plan.in_count;
    size_t offset = run->plan.in_size;
    int err;

    if (run->error != 0) {
        return run->error;
    }
    if (index < run->granted->in_count) {
        if (!is_range(&run->granted->in[index], addr, size)) {
            run->moved = true;
            return give_up(run, -EFAULT);
        }
        memcpy(buf, run->in + offset, size);
    }
    err = add(&run->plan, false, addr, size);
    if (err != 0) {
        return give_up(run, err);
    }
    if (index < run->granted->in_count) {
        return 0;
    }
    run->asked = true;
    return UMEM_RETRY;
}

static int retry_plan(struct umem *um, uint64_t addr, size_t size)
{
    struct cuse_run *run = (struct cuse_run *)um;
    size_t index = run->plan.out_count;
    int err = run->error;

    if (err == 0 && index < run->granted->out_count &&
        !is_range(&run->granted->out[index], addr, size)) {
        run->moved = true;
        err = -EFAULT;
    }
    if (err == 0) {
        err = add(&run->plan, true, addr, size);
    }
    if (err != 0) {
        return give_up(run, err);
    }
    run->asked |= index >= run->granted->out_count;
    return 0;
}

/* Ranges that were also read go back as they came. */
static void prefill(struct cuse_run *run)
{
    const struct cuse_plan *g = run->granted;
    size_t to = 0;

    for (size_t o = 0; o < run->plan.out_count; o++) {
        size_t from = 0;

        for (size_t i = 0; i < g->in_count; i++) {
            if (addr_of(&g->in[i]) == addr_of(&g->out[o]) &&
                g->in[i].iov_len >= g->out[o].iov_len) {
                memcpy(run->out + to, run->in + from, g->out[o].iov_len);
                run->known[o] = g->out[o].iov_len;
            }
            from += g->in[i].iov_len;
        }
        to += g->out[o].iov_len;
    }
}

static int retry_commit(struct umem *um)
{
    struct cuse_run *run = (struct cuse_run *)um;

    if (run->error != 0) {
        return run->error;
    }
    if (run->asked) {
        return UMEM_RETRY;
    }
    prefill(run);
    run->committed = true;
    return 0;
}

/* The planned range that holds it; one that starts there is the better. */
static size_t find_out(const struct cuse_run *run, uint64_t addr, size_t size)
{
    size_t found = run->plan.out_count;

    for (size_t o = run->plan.out_count; o-- > 0;) {
        const struct iovec *iov = &run->plan.out[o];

        if (addr >= addr_of(iov) && size <= iov->iov_len &&
            addr - addr_of(iov) <= iov->iov_len - size &&
            (found == run->plan.out_count || addr == addr_of(iov))) {
            found = o;
        }
    }
    return found;
}

/* Where range @index starts in out. */
static size_t offset_of(const struct cuse_run *run, size_t index)
{
    size_t sum = 0;

    for (size_t o = 0; o < index; o++) {
        sum += run->plan.out[o].iov_len;
    }
    return sum;
}

static int retry_write(struct umem *um, uint64_t addr, const void *buf,
                       size_t size)
{
    struct cuse_run *run = (struct cuse_run *)um;
    size_t o = find_out(run, addr, size);
    size_t at;

    if (!run->committed || o == run->plan.out_count) {
        return -EFAULT;
    }
    at = (size_t)(addr - addr_of(&run->plan.out[o]));
    if (at > run->known[o]) {
        return -EFAULT;
    }
    memcpy(run->out + offset_of(run, o) + at, buf, size);
    if (run->known[o] < at + size) {
        run->known[o] = at + size;
    }
    if (run->reply < offset_of(run, o) + at + size) {
        run->reply = offset_of(run, o) + at + size;
    }
    return 0;
}

static const struct umem_ops OPS = {
    .read = retry_read,
    .plan_write = retry_plan,
    .commit = retry_commit,
    .write = retry_write,
};

void cuse_run_init(struct cuse_run *run, const struct cuse_plan *granted,
                   const void *in, void *out)
{
    *run = (struct cuse_run){
        .um = {.ops = &OPS},
        .granted = granted,
        .in = in,
        .out = out,
    };
}

/* Cut the reply before the first gap; false if there was one. */
static bool close_gaps(struct cuse_run *run)
{
    size_t sum = 0;

    for (size_t o = 0; o < run->plan.out_count && sum < run->reply; o++) {
        size_t size = run->plan.out[o].iov_len;

        if (run->known[o] < size && run->reply > sum + run->known[o]) {
            run->reply = sum + run->known[o];
            return false;
        }
        sum += size;
    }
    return true;
}

bool cuse_run_finish(struct cuse_run *run, int64_t answer, int *result)
{
    if (answer == UMEM_RETRY && run->error == 0 && run->asked) {
        return false;
    }
    *result = answer == UMEM_RETRY ? -EIO : (int)answer;
    if (run->error != 0) {
        *result = run->error;
    } else if (!close_gaps(run)) {
        *result = -EFAULT;
    }
    return true;
}

/* --- which calls belong together --- */

struct cuse_chain {
    struct cuse_chain *next;
    struct cuse_key key;
    size_t in_count, out_count;
    size_t in_size, out_size;
    struct iovec iov[]; /* in, then out */
};

static bool same_key(const struct cuse_key *a, const struct cuse_key *b)
{
    return a->tid == b->tid && a->request == b->request && a->arg == b->arg;
}

static void drop(struct cuse_chains *chains, struct cuse_chain **at)
{
    struct cuse_chain *c = *at;

    *at = c->next;
    chains->count--;
    free(c);
}

void cuse_chains_init(struct cuse_chains *chains)
{
    *chains = (struct cuse_chains){0};
    pthread_mutex_init(&chains->lock, NULL);
}

void cuse_chains_clear(struct cuse_chains *chains)
{
    while (chains->first != NULL) {
        drop(chains, &chains->first);
    }
    pthread_mutex_destroy(&chains->lock);
}

void cuse_chains_begin(struct cuse_chains *chains, const struct cuse_key *key)
{
    struct cuse_chain **at;

    if (key->tid == 0) {
        return; /* it may be another's */
    }
    pthread_mutex_lock(&chains->lock);
    at = &chains->first;
    while (*at != NULL) {
        if ((*at)->key.tid == key->tid) {
            drop(chains, at);
        } else {
            at = &(*at)->next;
        }
    }
    pthread_mutex_unlock(&chains->lock);
}

static struct cuse_chain *new_chain(const struct cuse_key *key,
                                    const struct cuse_plan *plan)
{
    const size_t iov = sizeof(plan->in[0]);
    struct cuse_chain *c =
        malloc(sizeof(*c) + (plan->in_count + plan->out_count) * iov);

    if (c != NULL) {
        *c = (struct cuse_chain){
            .key = *key,
            .in_count = plan->in_count,
            .out_count = plan->out_count,
            .in_size = plan->in_size,
            .out_size = plan->out_size,
        };
        memcpy(c->iov, plan->in, plan->in_count * iov);
        memcpy(c->iov + plan->in_count, plan->out, plan->out_count * iov);
    }
    return c;
}

int cuse_chains_put(struct cuse_chains *chains, const struct cuse_key *key,
                    const struct cuse_plan *plan)
{
    struct cuse_chain *c = new_chain(key, plan);
    struct cuse_chain **at;

    if (c == NULL) {
        return -ENOMEM;
    }
    pthread_mutex_lock(&chains->lock);
    if (chains->count == CUSE_CHAINS_MAX) {
        for (at = &chains->first; (*at)->next != NULL; at = &(*at)->next) {
        }
        drop(chains, at);
    }
    c->next = chains->first;
    chains->first = c;
    chains->count++;
    pthread_mutex_unlock(&chains->lock);
    return 0;
}

static void unpack(const struct cuse_chain *c, struct cuse_plan *plan)
{
    plan->in_count = c->in_count;
    plan->out_count = c->out_count;
    plan->in_size = c->in_size;
    plan->out_size = c->out_size;
    memcpy(plan->in, c->iov, c->in_count * sizeof(c->iov[0]));
    memcpy(plan->out, c->iov + c->in_count, c->out_count * sizeof(c->iov[0]));
}

bool cuse_chains_take(struct cuse_chains *chains, const struct cuse_key *key,
                      size_t in_size, size_t out_size, size_t skip,
                      struct cuse_plan *plan)
{
    struct cuse_chain **at;
    bool found = false;

    pthread_mutex_lock(&chains->lock);
    at = &chains->first;
    while (*at != NULL && !found) {
        if (same_key(&(*at)->key, key) && (*at)->in_size == in_size &&
            (*at)->out_size == out_size && skip-- == 0) {
            unpack(*at, plan);
            drop(chains, at);
            found = true;
        } else {
            at = &(*at)->next;
        }
    }
    pthread_mutex_unlock(&chains->lock);
    return found;
}

/* --- one call of the kernel --- */

static int64_t run_once(struct cuse_call *call, const struct cuse_key *key,
                        const struct chardev *dev, bool writable,
                        const void *in)
{
    cuse_run_init(&call->run, &call->granted, in, call->out);
    return dev->ops->ioctl(dev->dev, writable, key->request, key->arg,
                           &call->run.um);
}

/* Run with a plan that this call may answer to. When it turns out to be that
 * of another client, nothing has happened yet: try the next. */
static bool run_granted(struct cuse_call *call, struct cuse_chains *chains,
                        const struct cuse_key *key, const struct chardev *dev,
                        bool writable, const void *in, size_t in_size,
                        size_t out_size, int64_t *answer)
{
    bool found = false;
    size_t skip = 0;

    while (cuse_chains_take(chains, key, in_size, out_size, skip,
                            &call->granted)) {
        found = true;
        *answer = run_once(call, key, dev, writable, in);
        if (!call->run.moved || key->tid != 0 ||
            cuse_chains_put(chains, key, &call->granted) != 0) {
            break;
        }
        skip++; /* it went back to the front */
    }
    return found;
}

bool cuse_call(struct cuse_call *call, struct cuse_chains *chains,
               const struct cuse_key *key, const struct chardev *dev,
               bool writable, const void *in, size_t in_size, size_t out_size,
               int *result)
{
    bool first = in_size == 0 && out_size == 0;
    int64_t answer;

    if (first) {
        cuse_chains_begin(chains, key);
    }
    if (first || !run_granted(call, chains, key, dev, writable, in, in_size,
                              out_size, &answer)) {
        call->granted.in_count = call->granted.out_count = 0;
        call->granted.in_size = call->granted.out_size = 0;
        answer = run_once(call, key, dev, writable, NULL);
    }
    if (cuse_run_finish(&call->run, answer, result)) {
        return true;
    }
    *result = cuse_chains_put(chains, key, &call->run.plan);
    return *result != 0;
}
