/* SPDX-License-Identifier: Apache-2.0 */
#include "ttrpc_server.h"

#include "ttrpc_conn.h"
#include "monotonic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/vm_sockets.h> /* takes <sys/socket.h> before it */

#define EVENTS      64
#define LISTEN_MAX  64u
#define MAX_INPUT   (64u << 20)
#define FREE_INPUT  (64u << 10) /* of each connection */
#define REFUSED_MAX 64u         /* beyond them nobody is told why */
#define RETRY_MS    100         /* accept() had no descriptor */

struct listener {
    enum ttrpc_source source;
    int fd;
    size_t tag;
};

struct fd_source {
    enum ttrpc_source source;
    int fd;
};

struct ttrpc_server {
    struct ttrpc_server_config config;
    int epoll;
    struct fd_source done, stop; /* eventfds */
    struct ttrpc_pool *pool;
    struct listener listeners[LISTEN_MAX];
    size_t listener_count;
    struct ttrpc_conn *conns; /* all */
    struct ttrpc_conn *awake; /* those that something happened to, or will */
    size_t conn_count, refused_count;
    size_t input;         /* as max_input counts it */
    int64_t accept_again; /* 0: accepting */
    int64_t end;          /* of the drain; 0: not stopping */
};

const struct ttrpc_server_config *
ttrpc_server_config(const struct ttrpc_server *s)
{
    return &s->config;
}

struct ttrpc_pool *ttrpc_server_pool(struct ttrpc_server *s)
{
    return s->pool;
}

static int watch(struct ttrpc_server *s, int op, int fd, uint32_t events,
                 void *source)
{
    struct epoll_event e = {.events = events, .data.ptr = source};

    return epoll_ctl(s->epoll, op, fd, &e) == 0 ? 0 : -errno;
}

static void set_defaults(struct ttrpc_server_config *c)
{
    c->max_connections =
        c->max_connections != 0 ? c->max_connections : TTRPC_CONNECTIONS;
    c->max_per_cid = c->max_per_cid != 0 ? c->max_per_cid : 4;
    c->workers = c->workers != 0 ? c->workers : 4;
    c->max_input = c->max_input != 0 ? c->max_input : MAX_INPUT;
    c->idle_ms = c->idle_ms != 0 ? c->idle_ms : 30000;
    c->drain_ms = c->drain_ms != 0 ? c->drain_ms : 5000;
}

static int open_fd(struct ttrpc_server *s, struct fd_source *f)
{
    f->source = TTRPC_FROM_FD;
    f->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return f->fd < 0 ? -errno : watch(s, EPOLL_CTL_ADD, f->fd, EPOLLIN, f);
}

int ttrpc_server_open(const struct ttrpc_server_config *config,
                      struct ttrpc_server **out)
{
    struct ttrpc_server *s = calloc(1, sizeof(*s));
    int err;

    if (s == NULL) {
        return -ENOMEM;
    }
    s->config = *config;
    set_defaults(&s->config);
    s->done.fd = -1;
    s->stop.fd = -1;
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    err = s->epoll < 0 ? -errno : open_fd(s, &s->done);
    if (err == 0) {
        err = open_fd(s, &s->stop);
    }
    if (err == 0) {
        err = ttrpc_pool_open(s->config.workers, s->done.fd, &s->pool);
    }
    if (err != 0) {
        ttrpc_server_close(s);
        return err;
    }
    *out = s;
    return 0;
}

int ttrpc_server_listen(struct ttrpc_server *s, int fd, size_t tag)
{
    struct listener *l = &s->listeners[s->listener_count];
    int err = s->listener_count == LISTEN_MAX ? -ENOSPC : 0;

    if (err == 0) {
        *l = (struct listener){TTRPC_FROM_LISTENER, fd, tag};
        err = watch(s, EPOLL_CTL_ADD, fd, EPOLLIN, l);
    }
    if (err != 0) {
        (void)close(fd);
        return err;
    }
    s->listener_count++;
    return 0;
}

/* ---- connections ---- */

static bool too_many(const struct ttrpc_server *s,
                     const struct ttrpc_peer *peer)
{
    size_t same = 0;

    for (const struct ttrpc_conn *c = s->conns; c != NULL; c = c->next) {
        same += !c->refused && peer->family == AF_VSOCK &&
                c->peer.family == AF_VSOCK && c->peer.cid == peer->cid;
    }
    return s->conn_count - s->refused_count >= s->config.max_connections ||
           same >= s->config.max_per_cid;
}

/* A thousand silent connections cost a turn nothing. */
static void wake(struct ttrpc_conn *c)
{
    if (!c->awake) {
        c->awake = true;
        c->next_awake = c->server->awake;
        c->server->awake = c;
    }
}

static void link_conn(struct ttrpc_server *s, struct ttrpc_conn *c)
{
    c->next = s->conns;
    if (c->next != NULL) {
        c->next->prev = c;
    }
    s->conns = c;
    s->conn_count++;
    s->refused_count += c->refused ? 1 : 0;
}

/* No longer on the list of those awake. */
static void drop(struct ttrpc_server *s, struct ttrpc_conn *c)
{
    if (c->next != NULL) {
        c->next->prev = c->prev;
    }
    if (c->prev != NULL) {
        c->prev->next = c->next;
    } else {
        s->conns = c->next;
    }
    s->conn_count--;
    s->refused_count -= c->refused ? 1 : 0;
    s->input -= c->input;
    ttrpc_conn_free(c);
}

/* Memory that grew past all bounds is the last one's who made it grow. */
static void count_input(struct ttrpc_server *s, struct ttrpc_conn *c)
{
    size_t size = ttrpc_conn_memory(c);

    s->input -= c->input;
    c->input = size > FREE_INPUT ? size - FREE_INPUT : 0;
    s->input += c->input;
    if (s->input > s->config.max_input && c->input > 0) {
        c->dead = true;
    }
}

static void admit(struct ttrpc_server *s, int fd, const struct ttrpc_peer *peer)
{
    bool refused = too_many(s, peer);
    struct ttrpc_conn *c = refused && s->refused_count >= REFUSED_MAX
                               ? NULL
                               : ttrpc_conn_new(s, fd, peer, monotonic_ms());

    if (c == NULL) {
        (void)close(fd);
        return;
    }
    c->refused = refused;
    c->events = EPOLLIN;
    if (watch(s, EPOLL_CTL_ADD, fd, EPOLLIN, c) != 0) {
        ttrpc_conn_free(c);
        return;
    }
    link_conn(s, c);
    wake(c);
}

static struct ttrpc_peer peer_of(int fd, const struct sockaddr_storage *from,
                                 size_t tag)
{
    struct ttrpc_peer peer = {.family = from->ss_family, .listener = tag};
    struct sockaddr_vm vm;
    struct ucred cred;
    socklen_t size = sizeof(cred);

    if (from->ss_family == AF_VSOCK) {
        memcpy(&vm, from, sizeof(vm));
        peer.cid = vm.svm_cid;
    } else if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) == 0) {
        peer.have_uid = true;
        peer.uid = cred.uid;
    }
    return peer;
}

static void listen_for(struct ttrpc_server *s, uint32_t events)
{
    for (size_t i = 0; i < s->listener_count; i++) {
        (void)watch(s, EPOLL_CTL_MOD, s->listeners[i].fd, events,
                    &s->listeners[i]);
    }
}

static void accept_some(struct ttrpc_server *s, const struct listener *l)
{
    for (int i = 0; i < EVENTS && s->end == 0; i++) {
        struct sockaddr_storage from = {.ss_family = AF_UNIX};
        socklen_t size = sizeof(from);
        struct ttrpc_peer peer;
        int fd = accept4(l->fd, (struct sockaddr *)&from, &size,
                         SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0) {
            if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
                s->accept_again = monotonic_ms() + RETRY_MS;
                listen_for(s, 0);
            }
            return;
        }
        peer = peer_of(fd, &from, l->tag);
        admit(s, fd, &peer);
    }
}

static void conn_event(struct ttrpc_server *s, struct ttrpc_conn *c,
                       uint32_t events)
{
    int64_t now = monotonic_ms();

    wake(c);
    if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
        c->dead = true; /* nobody is there to be answered */
        return;
    }
    if ((events & EPOLLIN) != 0 && !c->eof) {
        ttrpc_conn_input(c, now);
        count_input(s, c);
    }
}

static void collect(struct ttrpc_server *s)
{
    struct ttrpc_job *job = ttrpc_pool_done(s->pool);

    while (job != NULL) {
        struct ttrpc_job *next = job->next;

        if (job->conn != NULL) {
            wake(job->conn);
        }
        ttrpc_conn_job_done(job, monotonic_ms());
        job = next;
    }
}

/* After every turn: deadlines, output, what epoll shall tell; false: gone. */
static bool settle(struct ttrpc_server *s, struct ttrpc_conn *c, int64_t now)
{
    uint32_t events = 0;

    ttrpc_conn_tick(c, now, s->config.idle_ms);
    ttrpc_conn_output(c, now);
    while (s->end == 0 && c->left_size > 0 && !c->dead &&
           !ttrpc_conn_stalled(c)) {
        ttrpc_conn_resume(c, now);
        ttrpc_conn_output(c, now);
    }
    count_input(s, c);
    if (ttrpc_conn_finished(c) ||
        (s->end != 0 && c->job_count == 0 && c->out_sent == c->out_size)) {
        return false;
    }
    if (!c->eof && !c->closing && s->end == 0 && c->left_size == 0 &&
        !ttrpc_conn_stalled(c)) {
        events |= EPOLLIN;
    }
    if (c->out_sent < c->out_size) {
        events |= EPOLLOUT;
    }
    if (events != c->events) {
        c->events = events;
        return watch(s, EPOLL_CTL_MOD, c->fd, events, c) == 0;
    }
    return true;
}

/* Who waits for nothing but an event goes to sleep. */
static void settle_awake(struct ttrpc_server *s, int64_t now)
{
    struct ttrpc_conn *c = s->awake;

    s->awake = NULL;
    while (c != NULL) {
        struct ttrpc_conn *next = c->next_awake;

        c->awake = false;
        if (!settle(s, c, now)) {
            drop(s, c);
        } else if (ttrpc_conn_due(c, s->config.idle_ms) != INT64_MAX) {
            wake(c);
        }
        c = next;
    }
}

/* ---- loop ---- */

static void start_drain(struct ttrpc_server *s, int64_t now)
{
    s->end = now + s->config.drain_ms;
    for (struct ttrpc_conn *c = s->conns; c != NULL; c = c->next) {
        wake(c);
    }
    for (size_t i = 0; i < s->listener_count; i++) {
        (void)close(s->listeners[i].fd);
    }
    s->listener_count = 0;
}

static int wait_ms(const struct ttrpc_server *s, int64_t now)
{
    int64_t due = s->end != 0 ? s->end : INT64_MAX;

    if (s->accept_again != 0 && s->accept_again < due) {
        due = s->accept_again;
    }
    for (const struct ttrpc_conn *c = s->awake; c != NULL; c = c->next_awake) {
        int64_t d = ttrpc_conn_due(c, s->config.idle_ms);

        due = d < due ? d : due;
    }
    if (due == INT64_MAX) {
        return -1;
    }
    due = due > now ? due - now : 0;
    return due > 60000 ? 60000 : (int)due;
}

static void drain_counter(const struct fd_source *f)
{
    uint64_t n;

    (void)!read(f->fd, &n, sizeof(n));
}

static void handle(struct ttrpc_server *s, const struct epoll_event *e)
{
    enum ttrpc_source source = *(const enum ttrpc_source *)e->data.ptr;

    if (source == TTRPC_FROM_CONN) {
        conn_event(s, e->data.ptr, e->events);
    } else if (source == TTRPC_FROM_LISTENER) {
        accept_some(s, e->data.ptr);
    } else if (e->data.ptr == &s->done) {
        drain_counter(&s->done);
        collect(s);
    } else {
        drain_counter(&s->stop);
        if (s->end == 0) {
            start_drain(s, monotonic_ms());
        }
    }
}

int ttrpc_server_run(struct ttrpc_server *s)
{
    struct epoll_event events[EVENTS];

    for (;;) {
        int64_t now = monotonic_ms();
        int n;

        if (s->end != 0 && (s->conns == NULL || now >= s->end)) {
            return 0;
        }
        if (s->accept_again != 0 && now >= s->accept_again) {
            s->accept_again = 0;
            listen_for(s, EPOLLIN);
        }
        n = epoll_wait(s->epoll, events, EVENTS, wait_ms(s, now));
        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        /* Connections are freed only in settle_awake(): no event is stale. */
        for (int i = 0; i < n; i++) {
            handle(s, &events[i]);
        }
        settle_awake(s, monotonic_ms());
    }
}

void ttrpc_server_stop(struct ttrpc_server *s)
{
    const uint64_t one = 1;

    (void)!write(s->stop.fd, &one, sizeof(one));
}

void ttrpc_server_close(struct ttrpc_server *s)
{
    if (s == NULL) {
        return;
    }
    while (s->conns != NULL) {
        struct ttrpc_conn *next = s->conns->next;

        ttrpc_conn_free(s->conns);
        s->conns = next;
    }
    for (size_t i = 0; i < s->listener_count; i++) {
        (void)close(s->listeners[i].fd);
    }
    ttrpc_pool_close(s->pool);
    if (s->done.fd >= 0) {
        (void)close(s->done.fd);
    }
    if (s->stop.fd >= 0) {
        (void)close(s->stop.fd);
    }
    if (s->epoll >= 0) {
        (void)close(s->epoll);
    }
    free(s);
}
