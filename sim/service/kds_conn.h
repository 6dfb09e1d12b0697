/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The connections of a key server: room for new ones is made by closing the
 * oldest that waits for a request, so that no client can keep all others out.
 */
#ifndef SERVICE_KDS_CONN_H
#define SERVICE_KDS_CONN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define KDS_CONN_LIMIT 192u
/** Above so many, idle ones are closed. */
#define KDS_CONN_CROWDED 128u

/** One connection; a slot of struct kds_conns. */
struct kds_conn {
    bool used;
    bool busy;    /* its request is complete and being answered */
    bool evicted; /* shut down, not closed yet */
    int fd;       /* borrowed */
    int64_t since_ms;
};

struct kds_conns {
    pthread_mutex_t lock;
    pthread_cond_t idle;
    unsigned int busy_count;
    struct kds_conn slots[KDS_CONN_LIMIT];
};

void kds_conns_init(struct kds_conns *conns);
void kds_conns_clear(struct kds_conns *conns);
/** Wait until no connection is busy, at most @ms. */
void kds_conns_wait(struct kds_conns *conns, unsigned int ms);

/** A new connection. NULL when all slots are taken: it is served, but not
 * counted. */
struct kds_conn *kds_conn_add(struct kds_conns *conns, int fd, int64_t now_ms);
/** Before its descriptor is closed. @conn may be NULL, here and below. */
void kds_conn_remove(struct kds_conns *conns, struct kds_conn *conn);
void kds_conn_busy(struct kds_conns *conns, struct kds_conn *conn, bool busy);

#endif
