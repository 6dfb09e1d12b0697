/* SPDX-License-Identifier: Apache-2.0 */
#include "kds_conn.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

void kds_conns_init(struct kds_conns *conns)
{
    memset(conns, 0, sizeof(*conns));
    pthread_mutex_init(&conns->lock, NULL);
    pthread_cond_init(&conns->idle, NULL);
}

void kds_conns_clear(struct kds_conns *conns)
{
    pthread_cond_destroy(&conns->idle);
    pthread_mutex_destroy(&conns->lock);
}

void kds_conns_wait(struct kds_conns *conns, unsigned int ms)
{
    struct timespec t;
    int err = 0;

    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += ms / 1000;
    pthread_mutex_lock(&conns->lock);
    while (err == 0 && conns->busy_count > 0) {
        err = pthread_cond_timedwait(&conns->idle, &conns->lock, &t);
    }
    pthread_mutex_unlock(&conns->lock);
}

/* Called with the lock. */
static void make_room(struct kds_conns *conns)
{
    struct kds_conn *oldest = NULL;
    unsigned int count = 0;

    for (size_t i = 0; i < KDS_CONN_LIMIT; i++) {
        struct kds_conn *c = &conns->slots[i];

        if (!c->used || c->evicted) {
            continue;
        }
        count++;
        if (!c->busy && (oldest == NULL || c->since_ms < oldest->since_ms)) {
            oldest = c;
        }
    }
    if (count >= KDS_CONN_CROWDED && oldest != NULL) {
        oldest->evicted = true;
        (void)shutdown(oldest->fd, SHUT_RDWR);
    }
}

struct kds_conn *kds_conn_add(struct kds_conns *conns, int fd, int64_t now_ms)
{
    struct kds_conn *conn = NULL;

    pthread_mutex_lock(&conns->lock);
    make_room(conns);
    for (size_t i = 0; conn == NULL && i < KDS_CONN_LIMIT; i++) {
        if (!conns->slots[i].used) {
            conn = &conns->slots[i];
            *conn =
                (struct kds_conn){.used = true, .fd = fd, .since_ms = now_ms};
        }
    }
    pthread_mutex_unlock(&conns->lock);
    return conn;
}

static void set_busy(struct kds_conns *conns, struct kds_conn *conn, bool busy)
{
    if (conn->busy != busy) {
        conn->busy = busy;
        conns->busy_count += busy ? 1u : -1u;
        if (conns->busy_count == 0) {
            pthread_cond_broadcast(&conns->idle);
        }
    }
}

void kds_conn_remove(struct kds_conns *conns, struct kds_conn *conn)
{
    if (conn == NULL) {
        return;
    }
    pthread_mutex_lock(&conns->lock);
    set_busy(conns, conn, false);
    conn->used = false;
    pthread_mutex_unlock(&conns->lock);
}

void kds_conn_busy(struct kds_conns *conns, struct kds_conn *conn, bool busy)
{
    if (conn == NULL) {
        return;
    }
    pthread_mutex_lock(&conns->lock);
    set_busy(conns, conn, busy);
    pthread_mutex_unlock(&conns->lock);
}
