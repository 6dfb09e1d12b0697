/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Threads that receive requests from the kernel and work on them. However many
 * are busy, one is receiving: a request may take long, and any look at a file
 * may block on a file system that another client serves.
 */
#ifndef TRANSPORT_POOL_H
#define TRANSPORT_POOL_H

#include <pthread.h>
#include <stdbool.h>

#define POOL_MAX 64u

struct pool {
    void *(*work)(void *pool); /* what each thread runs, until told to end */
    pthread_mutex_t lock;
    pthread_cond_t more;
    pthread_t threads[POOL_MAX];
    unsigned int count;     /* of threads */
    unsigned int receiving; /* threads that wait in the kernel */
    unsigned int receivers; /* how many of them at most */
    unsigned int parked;    /* threads that wait for a place among them */
    bool stop;
};

/** Start threads that run @work, whose argument is @pool; each begins as a
 * receiver. @receivers 0: a good default. 0 or a negative errno; then there are
 * no threads. */
int pool_start(struct pool *pool, unsigned int receivers,
               void *(*work)(void *pool));

/** Before work on a request: this thread receives no longer. */
void pool_leave(struct pool *pool);

/** After it: wait for a place among the receivers. False: the pool ends. */
bool pool_enter(struct pool *pool);

/** Nothing will be received any more: all threads are to end. False when that
 * was known. */
bool pool_end(struct pool *pool);

bool pool_ends(struct pool *pool);

/** End all threads; waits for those that work. SIGURG, for which the caller
 * has a handler, wakes receivers. */
void pool_stop(struct pool *pool);

#endif
