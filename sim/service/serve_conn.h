/* SPDX-License-Identifier: Apache-2.0 */
/** Inside of the daemon: its connections. See serve.h. */
#ifndef SERVICE_SERVE_CONN_H
#define SERVICE_SERVE_CONN_H

#include "control_io.h"
#include "serve.h"

#include <pthread.h>

enum serve_conn_state {
    CONN_FREE,
    CONN_ENDED,    /* nothing is left but a thread to be joined */
    CONN_IDLE,     /* waits for a request, or for the rest of one */
    CONN_BUSY,     /* a request is being executed */
    CONN_ATTACHED, /* to a device */
    CONN_TRACE,
};

struct serve_conn {
    struct serve *s;
    pthread_t thread;
    enum serve_conn_state state;
    int fd;
    uint64_t since; /* counts up with each change: the oldest is least */
    bool evicted;
    const struct serve_guest *guest; /* attached to, or NULL */
    pid_t pid;
    uid_t uid;
};

struct serve {
    struct serve_config config;
    pthread_mutex_t lock; /* connections */
    pthread_cond_t left;  /* one has ended */
    struct serve_conn conns[SERVE_CONNS_MAX];
    size_t conn_count;
    uint64_t clock;
    bool ending;
    int wake; /* eventfd: end the loop */
    int64_t started_ms;
    atomic_size_t budget;
};

/** Take an accepted connection; closes it when it is refused. */
void serve_conn_start(struct serve *s, int fd);
/** End connections attached to @guest (NULL: all connections). */
void serve_conn_shut(struct serve *s, const struct serve_guest *guest);
/** Wait until none is left. */
void serve_conn_join(struct serve *s);
/** False when the connection was told to go. */
bool serve_conn_state(struct serve_conn *c, enum serve_conn_state state,
                      const struct serve_guest *guest);

/** What happens after the answer to a request. */
enum serve_next {
    NEXT_REQUEST,
    NEXT_ATTACH,
    NEXT_TRACE,
    NEXT_SHUTDOWN,
    NEXT_CLOSE,
};

struct serve_attached {
    struct serve_guest *guest; /* in use; NULL: the host's device */
    struct chardev dev;
    bool follows; /* the trace, from this line on */
    uint64_t trace_at;
};

/** Execute one request line. Returns what comes next and the answer line
 * (free(), with its newline). serve_ops.c */
enum serve_next serve_request(struct serve *s, const char *line, size_t size,
                              char **answer, struct serve_attached *attached);
/** An answer to something that was no request. */
char *serve_refusal(const char *code, const char *text);

#endif
