/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Bookkeeping of ioctls that the kernel performs by asking again: the server
 * names ranges of the client's memory, the kernel calls it anew with the bytes
 * of the ones and room for the others, and nothing but the open file and the
 * thread says that two calls belong together. No libfuse in here.
 *
 * Each call is one run of the handler against a struct cuse_run. What the run
 * asks for beyond what was granted makes the plan of the next call. The bytes
 * come in one piece, so what the last run works on was gathered at once; when
 * another thread has changed an address or length in the meantime, the ranges
 * no longer match what was granted and the ioctl ends with -EFAULT, before
 * anything has changed.
 *
 * Ranges that are planned are filled in the order of their plan, each from its
 * start; a range that was also read keeps what was read when nothing is
 * written. A handler that leaves any other gap before something it writes gets
 * -EFAULT. abi/linux.md §8.3, §8.4.
 */
#ifndef TRANSPORT_CUSE_RETRY_H
#define TRANSPORT_CUSE_RETRY_H

#include "chardev.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/** The kernel's limits: ranges of both directions, bytes in each. */
#define CUSE_IOV_MAX  256u
#define CUSE_SIZE_MAX (128u * 1024)

/** Ranges in the order in which the handler named them; iov_base is an address
 * in the client. */
struct cuse_plan {
    size_t in_count, out_count;
    size_t in_size, out_size; /* their sums */
    struct iovec in[CUSE_IOV_MAX];
    struct iovec out[CUSE_IOV_MAX];
};

/** One run of a handler. */
struct cuse_run {
    struct umem um;
    const struct cuse_plan *granted; /* by the plan of the call before */
    const uint8_t *in;               /* granted->in_size bytes */
    uint8_t *out;                    /* granted->out_size bytes */
    size_t known[CUSE_IOV_MAX];      /* of each out range, from its start */
    struct cuse_plan plan;           /* what this run has named so far */
    int error;  /* set: the ioctl ends with it, whatever is said */
    bool moved; /* it named another range than was granted */
    bool asked; /* for more than was granted */
    bool committed;
    size_t reply; /* bytes of out to send */
};

/** Prepare the next run. Everything is borrowed; @in and @out have the sizes
 * that @granted sums up, NULL for none. */
void cuse_run_init(struct cuse_run *run, const struct cuse_plan *granted,
                   const void *in, void *out);

/**
 * What the handler's answer means. Returns true when the client is to be
 * answered with *result and run->reply bytes of run->out, false when the kernel
 * is to be asked for run->plan.
 */
bool cuse_run_finish(struct cuse_run *run, int64_t answer, int *result);

/* --- which calls belong together --- */

/** An ioctl that waits for what it asked for. */
struct cuse_chain;

/** Those of one open file. Thread-safe. */
struct cuse_chains {
    pthread_mutex_t lock;
    struct cuse_chain *first; /* newest first */
    size_t count;
};

/** More than the threads that share a file: the oldest are those of threads
 * that died. A chain that is dropped starts again from the beginning. */
#define CUSE_CHAINS_MAX 1024u

/** What all calls of one ioctl have in common. @tid is 0 for all clients of a
 * PID namespace that is not ours. */
struct cuse_key {
    pid_t tid;
    uint32_t request;
    uint64_t arg;
};

void cuse_chains_init(struct cuse_chains *chains);
void cuse_chains_clear(struct cuse_chains *chains);

/** A thread starts an ioctl: forget what it has not finished. */
void cuse_chains_begin(struct cuse_chains *chains, const struct cuse_key *key);

/** Remember @plan as asked for. 0 or -ENOMEM. */
int cuse_chains_put(struct cuse_chains *chains, const struct cuse_key *key,
                    const struct cuse_plan *plan);

/** Take a plan that a call with so many bytes answers to, after @skip others
 * that would do as well (only with tid 0 can there be any). False: there is
 * none. */
bool cuse_chains_take(struct cuse_chains *chains, const struct cuse_key *key,
                      size_t in_size, size_t out_size, size_t skip,
                      struct cuse_plan *plan);

/* --- one call of the kernel --- */

/** Large: not for a stack. */
struct cuse_call {
    struct cuse_plan granted;
    struct cuse_run run;
    uint8_t out[]; /* as many as the call has room for */
};

/**
 * Run the ioctl of a call that brings @in_size bytes and takes @out_size.
 *
 * Returns true when the client is to be answered with *result and
 * call->run.reply bytes of call->out, false when the kernel is to be asked for
 * call->run.plan, which is remembered in @chains.
 */
bool cuse_call(struct cuse_call *call, struct cuse_chains *chains,
               const struct cuse_key *key, const struct chardev *dev,
               bool writable, const void *in, size_t in_size, size_t out_size,
               int *result);

#endif
