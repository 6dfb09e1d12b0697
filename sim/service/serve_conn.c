/* SPDX-License-Identifier: Apache-2.0 */
/* One thread for each connection. */
#include "serve_conn.h"

#include "serve_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define WRITE_MS   10000
#define TRACE_TICK 500
#define GROUPS_MAX 1024u

static int pick(int value, int otherwise)
{
    return value > 0 ? value : otherwise;
}

/* --- who it is --- */

static bool in_group(int fd, gid_t primary, gid_t group)
{
    gid_t groups[GROUPS_MAX];
    socklen_t size = sizeof(groups);

    if (primary == group) {
        return true;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) != 0) {
        return false;
    }
    for (size_t i = 0; i < size / sizeof(groups[0]); i++) {
        if (groups[i] == group) {
            return true;
        }
    }
    return false;
}

static bool may_connect(const struct serve_config *config, int fd,
                        struct serve_conn *c)
{
    struct ucred cred;
    socklen_t size = sizeof(cred);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) != 0) {
        return false;
    }
    c->pid = cred.pid;
    c->uid = cred.uid;
    return cred.uid == 0 || cred.uid == geteuid() ||
           cred.uid == config->owner || config->anybody ||
           (config->group_en && in_group(fd, cred.gid, config->group));
}

/* --- places; callers hold the lock --- */

/* A thread that has ended its connection takes no lock any more, but what the
 * libraries keep for it must be gone before they are. */
static void reap(struct serve *s)
{
    for (size_t i = 0; i < SERVE_CONNS_MAX; i++) {
        if (s->conns[i].state == CONN_ENDED) {
            (void)pthread_join(s->conns[i].thread, NULL);
            s->conns[i].state = CONN_FREE;
        }
    }
}

static bool is_there(const struct serve_conn *c)
{
    return c->state != CONN_FREE && c->state != CONN_ENDED;
}

static struct serve_conn *free_place(struct serve *s)
{
    reap(s);
    for (size_t i = 0; i < SERVE_CONNS_MAX; i++) {
        if (s->conns[i].state == CONN_FREE) {
            return &s->conns[i];
        }
    }
    return NULL;
}

static size_t count_of(const struct serve *s, uid_t uid)
{
    size_t n = 0;

    for (size_t i = 0; i < SERVE_CONNS_MAX; i++) {
        n += is_there(&s->conns[i]) && s->conns[i].uid == uid;
    }
    return n;
}

/* Who should go first: of the user with most connections; one that waits for a
 * request before a follower before an attached one (whose client comes back by
 * itself); the one that has been so for longest. */
static bool goes_before(const struct serve *s, const struct serve_conn *a,
                        const struct serve_conn *b)
{
    static const int rank[] = {
        [CONN_IDLE] = 0, [CONN_TRACE] = 1, [CONN_ATTACHED] = 2};
    size_t of_a = count_of(s, a->uid), of_b = count_of(s, b->uid);

    if (of_a != of_b) {
        return of_a > of_b;
    }
    if (rank[a->state] != rank[b->state]) {
        return rank[a->state] < rank[b->state];
    }
    return a->since < b->since;
}

/* The connection that has to make room, or NULL. */
static struct serve_conn *choose_victim(struct serve *s)
{
    struct serve_conn *victim = NULL;

    for (size_t i = 0; i < SERVE_CONNS_MAX; i++) {
        struct serve_conn *c = &s->conns[i];

        if (is_there(c) && c->state != CONN_BUSY && !c->evicted &&
            (victim == NULL || goes_before(s, c, victim))) {
            victim = c;
        }
    }
    return victim;
}

bool serve_conn_state(struct serve_conn *c, enum serve_conn_state state,
                      const struct serve_guest *guest)
{
    struct serve *s = c->s;
    bool stays;

    (void)pthread_mutex_lock(&s->lock);
    stays = !c->evicted && !s->ending;
    c->state = state;
    c->guest = guest;
    c->since = ++s->clock;
    (void)pthread_mutex_unlock(&s->lock);
    return stays;
}

static void leave(struct serve_conn *c)
{
    struct serve *s = c->s;

    (void)pthread_mutex_lock(&s->lock);
    (void)close(c->fd);
    c->state = CONN_ENDED;
    s->conn_count--;
    (void)pthread_cond_broadcast(&s->left);
    (void)pthread_mutex_unlock(&s->lock);
}

void serve_conn_shut(struct serve *s, const struct serve_guest *guest)
{
    (void)pthread_mutex_lock(&s->lock);
    if (guest == NULL) {
        s->ending = true;
    }
    for (size_t i = 0; i < SERVE_CONNS_MAX; i++) {
        struct serve_conn *c = &s->conns[i];

        if (is_there(c) && (guest == NULL || c->guest == guest)) {
            c->evicted = true;
            /* an executed request's answer can still leave */
            (void)shutdown(c->fd, guest == NULL && c->state == CONN_BUSY
                                      ? SHUT_RD
                                      : SHUT_RDWR);
        }
    }
    (void)pthread_mutex_unlock(&s->lock);
}

void serve_conn_join(struct serve *s)
{
    (void)pthread_mutex_lock(&s->lock);
    while (s->conn_count > 0) {
        (void)pthread_cond_wait(&s->left, &s->lock);
    }
    reap(s);
    (void)pthread_mutex_unlock(&s->lock);
}

/* --- what it does --- */

static void attach(struct serve_conn *c, struct control_io *io,
                   const struct serve_attached *at)
{
    const struct serve_config *config = &c->s->config;
    struct serve_attach a = {
        .dev = at->dev,
        .ioctl = config->traced,
        .ctx = config->traced_ctx,
        .stall_ms = pick(config->stall_ms, 30000),
    };
    int err = serve_attach_run(&a, io);

    if (err != 0) {
        serve_log(SERVE_DEBUG, "process %d was detached from %s: %s",
                  (int)c->pid, at->dev.name, strerror(-err));
    }
}

static int send_trace(int fd, const char *line, uint64_t lost)
{
    json_t *o = json_pack("{s:i, s:s}", "v", 1, "trace", line);
    char *text;
    size_t size;
    int rc;

    if (o != NULL && lost > 0) {
        (void)json_object_set_new(o, "lost", json_integer((json_int_t)lost));
    }
    text = o == NULL ? NULL : json_dumps(o, JSON_COMPACT);
    json_decref(o);
    if (text == NULL) {
        return -ENOMEM;
    }
    size = strlen(text);
    text[size] = '\n'; /* over the NUL, which is not needed */
    rc = control_write(fd, text, size + 1, WRITE_MS);
    free(text);
    return rc;
}

/* True when the peer has left, or says something. */
static bool peer_stirs(int fd)
{
    char byte;

    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
           (errno != EAGAIN && errno != EINTR);
}

static void follow(struct serve_conn *c, uint64_t at)
{
    struct serve_trace *trace = c->s->config.trace;
    bool go_on = true;

    while (go_on) {
        uint64_t lost = 0;
        char *line = NULL;
        int got = serve_trace_next(trace, &at, TRACE_TICK, &line, &lost);

        go_on = got > 0 ? send_trace(c->fd, line, lost) == 0
                        : got == 0 && !peer_stirs(c->fd);
        free(line);
    }
}

static const char *line_fault(int64_t err)
{
    switch (err) {
    case -ETIMEDOUT:
        return "the request took too long to arrive";
    case -EMSGSIZE:
        return "the request is longer than 32 MiB";
    case -ENOBUFS:
        return "too many large requests at once; try again";
    default:
        return NULL;
    }
}

static void say_fault(struct serve_conn *c, struct control_io *io, int64_t err)
{
    const char *text = line_fault(err);
    char *line;

    if (text == NULL || (err == -ETIMEDOUT && io->have == 0)) {
        return; /* it left, or was only idle */
    }
    line = serve_refusal(strerrorname_np((int)-err), text);
    if (line != NULL) {
        (void)control_write(c->fd, line, strlen(line), 1000);
    }
    free(line);
}

/* A stop that has looked for connections of the guest before this one was noted
 * has left its mark on the guest before that. */
static bool enters(struct serve_conn *c, const struct serve_attached *at)
{
    return serve_conn_state(c, CONN_ATTACHED, at->guest) &&
           (at->guest == NULL || !serve_guest_stops(at->guest));
}

static enum serve_next one_request(struct serve_conn *c, struct control_io *io,
                                   struct serve_attached *at)
{
    const struct serve_config *config = &c->s->config;
    enum serve_next next;
    char *line = NULL, *answer = NULL;
    int64_t size = control_read_line(io, pick(config->idle_ms, 60000),
                                     pick(config->request_ms, 10000), &line);

    if (size < 0) {
        say_fault(c, io, size);
        return NEXT_CLOSE;
    }
    if (!serve_conn_state(c, CONN_BUSY, NULL)) {
        free(line);
        return NEXT_CLOSE;
    }
    next = serve_request(c->s, line, (size_t)size, &answer, at);
    explicit_bzero(line, (size_t)size);
    free(line);
    control_line_done(io);
    if (next == NEXT_ATTACH && !enters(c, at)) {
        next = NEXT_CLOSE;
    } else if (next == NEXT_TRACE && !serve_conn_state(c, CONN_TRACE, NULL)) {
        next = NEXT_CLOSE;
    }
    if (answer != NULL &&
        control_write(c->fd, answer, strlen(answer), WRITE_MS) != 0 &&
        next != NEXT_SHUTDOWN) {
        next = NEXT_CLOSE;
    }
    free(answer);
    return next;
}

static void end_loop(struct serve *s)
{
    (void)eventfd_write(s->wake, 1);
}

static void *serve_conn_thread(void *arg)
{
    struct serve_conn *c = arg;
    struct serve_attached at = {0};
    struct control_io io;
    enum serve_next next = NEXT_REQUEST;

    control_io_init(&io, c->fd, &c->s->budget);
    while (next == NEXT_REQUEST && serve_conn_state(c, CONN_IDLE, NULL)) {
        next = one_request(c, &io, &at);
    }
    if (next == NEXT_ATTACH) {
        attach(c, &io, &at);
    } else if (next == NEXT_TRACE) {
        follow(c, at.trace_at);
    } else if (next == NEXT_SHUTDOWN) {
        serve_log(SERVE_INFO, "process %d (user %u) asks to shut down",
                  (int)c->pid, (unsigned int)c->uid);
        end_loop(c->s);
    }
    control_io_clear(&io);
    (void)serve_conn_state(c, CONN_BUSY, NULL);
    if (at.follows) {
        serve_trace_unfollow(c->s->config.trace);
    }
    if (at.guest != NULL) {
        serve_guest_put(c->s->config.guests, at.guest);
    }
    leave(c);
    return NULL;
}

static void refuse(int fd, const char *code, const char *text)
{
    char *line = serve_refusal(code, text);

    if (line != NULL) {
        (void)send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    free(line);
    (void)close(fd);
}

/* A place for the connection; another one is told to go when there is none, and
 * its thread given a moment to do so. */
static struct serve_conn *take_place(struct serve *s)
{
    struct serve_conn *c = free_place(s);
    struct serve_conn *victim;
    struct timespec until;

    if (c != NULL) {
        return c;
    }
    victim = choose_victim(s);
    if (victim == NULL) {
        return NULL;
    }
    victim->evicted = true;
    (void)shutdown(victim->fd, SHUT_RDWR);
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec++;
    while ((c = free_place(s)) == NULL) {
        if (pthread_cond_timedwait(&s->left, &s->lock, &until) != 0) {
            break;
        }
    }
    return c;
}

void serve_conn_start(struct serve *s, int fd)
{
    struct serve_conn who = {.s = s, .fd = fd, .state = CONN_IDLE};
    struct serve_conn *c;
    int err = 0;

    if (!may_connect(&s->config, fd, &who)) {
        serve_log(SERVE_WARNING, "refused process %d of user %u", (int)who.pid,
                  (unsigned int)who.uid);
        refuse(fd, "EPERM", "this user may not use the platform");
        return;
    }
    (void)pthread_mutex_lock(&s->lock);
    c = take_place(s);
    if (c != NULL) {
        *c = who;
        c->since = ++s->clock;
        s->conn_count++;
        err = pthread_create(&c->thread, NULL, serve_conn_thread, c);
        if (err != 0) {
            c->state = CONN_FREE;
            s->conn_count--;
            c = NULL;
        }
    }
    (void)pthread_mutex_unlock(&s->lock);
    if (c == NULL) {
        refuse(fd, "EBUSY", "too many connections");
    }
}
