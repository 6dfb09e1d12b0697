/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Threads for methods that block. Jobs go in, and come back in any order; an
 * eventfd tells that some did. Those that are parked have no thread.
 */
#ifndef SERVICE_TTRPC_POOL_H
#define SERVICE_TTRPC_POOL_H

#include "ttrpc_server.h"

struct ttrpc_pool;

struct ttrpc_job {
    /* The pool's. */
    struct ttrpc_pool *pool;
    struct ttrpc_job *next, *prev;
    bool parked; /* on the list of those */
    bool woken;  /* before it was parked */
    void *kept;
    const struct ttrpc_method *method;
    void *ctx;
    struct ttrpc_peer peer;
    uint8_t *payload;
    size_t size;
    atomic_bool cancelled;
    struct ttrpc_reply reply;
    /* The server's: not looked at by the pool. */
    void *conn; /* NULL: gone, or answered already */
    uint32_t stream;
    int64_t until_ns; /* an answer that comes later is none; INT64_MAX */
    int64_t deadline; /* the same in ms, rounded up */
    bool held;        /* done, and answered at: */
    int64_t due;
};

/** Also what its method kept. */
void ttrpc_job_free(struct ttrpc_job *job);

/** @done_fd: eventfd to write to; borrowed. 0 or a negative errno. */
int ttrpc_pool_open(size_t threads, int done_fd, struct ttrpc_pool **out);
/** The job is the pool's until ttrpc_pool_done() returns it. False: too many
 * wait already; it stays the caller's. */
bool ttrpc_pool_put(struct ttrpc_pool *pool, struct ttrpc_job *job);
/** A list, by next, of what is done; NULL: nothing. */
struct ttrpc_job *ttrpc_pool_done(struct ttrpc_pool *pool);
/** Waits for jobs at work; drops those that wait or
 * are parked. NULL is fine. */
void ttrpc_pool_close(struct ttrpc_pool *pool);

#endif
