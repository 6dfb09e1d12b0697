/* SPDX-License-Identifier: Apache-2.0 */
/** Threads that answer seccomp notifications. */
#ifndef TRANSPORT_RUN_POOL_H
#define TRANSPORT_RUN_POOL_H

#include "pool.h"
#include "run_serve.h"

struct run_pool {
    struct pool pool; /* first: its threads know it by that */
    struct run_server *server;
};

/** Start answering, as pool_start(). */
int run_pool_start(struct run_pool *run, struct run_server *server,
                   unsigned int receivers);

#endif
