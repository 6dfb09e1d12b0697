/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Threads that answer a libfuse session (FUSE and CUSE alike). However many are
 * busy in a device, one is waiting for the next request.
 */
#ifndef TRANSPORT_FUSEDEV_POOL_H
#define TRANSPORT_FUSEDEV_POOL_H

#include <pthread.h>
#include <stdbool.h>

#define FUSEDEV_POOL_MAX 64u

struct fuse_session;

struct fusedev_pool {
    struct fuse_session *se;
    /** Called once, from one of the threads, when the kernel has ended the
     * session (unmounted, aborted) before fusedev_pool_stop(). May be NULL. */
    void (*gone)(void *ctx);
    void *ctx;
    pthread_mutex_t lock;
    pthread_cond_t more;
    pthread_t threads[FUSEDEV_POOL_MAX];
    unsigned int count;     /* of threads */
    unsigned int receiving; /* threads that wait in the kernel */
    unsigned int receivers; /* how many of them at most */
    unsigned int parked;    /* threads that wait for a place among them */
    bool stop;
};

/** Start answering on @se, which has its descriptor. @receivers 0: a good
 * default. 0 or a negative errno; then there are no threads. */
int fusedev_pool_start(struct fusedev_pool *pool, struct fuse_session *se,
                       unsigned int receivers, void (*gone)(void *ctx),
                       void *ctx);

/** End all threads; waits for those that are in a device. SIGURG wakes them. */
void fusedev_pool_stop(struct fusedev_pool *pool);

#endif
