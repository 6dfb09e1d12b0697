/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Threads that wait for notifications. However many are busy, one is waiting:
 * an ioctl may take long, and any look at a file may block on a file system
 * that another client serves.
 */
#ifndef TRANSPORT_RUN_POOL_H
#define TRANSPORT_RUN_POOL_H

#include "run_serve.h"

#include <pthread.h>

#define RUN_POOL_MAX 64u

struct run_pool {
    struct run_server *server;
    pthread_mutex_t lock;
    pthread_cond_t more;
    pthread_t threads[RUN_POOL_MAX];
    unsigned int count;     /* of threads */
    unsigned int receiving; /* threads that wait in the kernel */
    unsigned int receivers; /* how many of them at most */
    unsigned int parked;    /* threads that wait for a place among them */
    bool stop;
};

/** Start answering. 0 or a negative errno. */
int run_pool_start(struct run_pool *pool, struct run_server *server,
                   unsigned int receivers);

/** End all threads; waits for those that are in a chardev. */
void run_pool_stop(struct run_pool *pool);

#endif
