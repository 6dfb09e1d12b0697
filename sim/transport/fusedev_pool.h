/* SPDX-License-Identifier: Apache-2.0 */
/** Threads that answer a libfuse session (FUSE and CUSE alike). */
#ifndef TRANSPORT_FUSEDEV_POOL_H
#define TRANSPORT_FUSEDEV_POOL_H

#include "pool.h"

struct fuse_session;

struct fusedev_pool {
    struct pool pool; /* first: its threads know it by that */
    struct fuse_session *se;
    /** Called once, from one of the threads, when the kernel has ended the
     * session (unmounted, aborted) before fusedev_pool_stop(). May be NULL. */
    void (*gone)(void *ctx);
    void *ctx;
};

/** Start answering on @se, which has its descriptor, as pool_start(). */
int fusedev_pool_start(struct fusedev_pool *fuse, struct fuse_session *se,
                       unsigned int receivers, void (*gone)(void *ctx),
                       void *ctx);

/** End all threads; waits for those that are in a device. */
void fusedev_pool_stop(struct fusedev_pool *fuse);

#endif
