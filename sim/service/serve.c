/* SPDX-License-Identifier: Apache-2.0 */
#include "serve.h"

#include "serve_conn.h"
#include "serve_log.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG 4096 /* the kernel caps it */
/* What all connections together may hold of requests beyond 64 KiB each. */
#define BUDGET (64u << 20)

/* What goes wrong here, bind() will say. */
static void make_folder(const char *path, uid_t owner, gid_t group)
{
    char *copy = strdup(path);
    const char *folder = copy == NULL ? NULL : dirname(copy);

    if (folder != NULL && mkdir(folder, 0755) == 0 &&
        chown(folder, owner, group) != 0) {
        serve_log(SERVE_WARNING, "%s stays root's: %s", folder,
                  strerror(errno));
    }
    free(copy);
}

/* A socket file is left over when nobody answers on it. */
static int remove_leftover(const struct sockaddr_un *addr, char *error)
{
    struct stat st;
    int fd, rc = 0;

    if (lstat(addr->sun_path, &st) != 0) {
        return 0;
    }
    if (!S_ISSOCK(st.st_mode)) {
        return state_error(error, -EEXIST, "%s exists and is no socket",
                           addr->sun_path);
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return state_error(error, -errno, "no socket: %s", strerror(errno));
    }
    if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 ||
        errno != ECONNREFUSED) {
        rc = state_error(error, -EADDRINUSE, "%s is in use", addr->sun_path);
    } else {
        (void)unlink(addr->sun_path);
    }
    (void)close(fd);
    return rc;
}

static int bind_listen(int fd, const struct sockaddr_un *addr, mode_t mode,
                       uid_t owner, gid_t group, char *error)
{
    mode_t old = umask(0177); /* nobody gets in before the mode is set */
    int rc = bind(fd, (const struct sockaddr *)addr, sizeof(*addr));

    (void)umask(old);
    if (rc != 0) {
        return state_error(error, -errno, "cannot make %s: %s", addr->sun_path,
                           strerror(errno));
    }
    if (chown(addr->sun_path, owner, group) != 0 ||
        chmod(addr->sun_path, mode) != 0 || listen(fd, BACKLOG) != 0) {
        rc = state_error(error, -errno, "cannot set up %s: %s", addr->sun_path,
                         strerror(errno));
        (void)unlink(addr->sun_path);
    }
    return rc;
}

int serve_listen(const char *path, mode_t mode, uid_t owner, gid_t group,
                 char *error)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd, rc;

    if (strlen(path) >= sizeof(addr.sun_path)) {
        return state_error(error, -ENAMETOOLONG,
                           "%.200s: too long for a socket", path);
    }
    strcpy(addr.sun_path, path);
    make_folder(path, owner, group);
    rc = remove_leftover(&addr, error);
    if (rc != 0) {
        return rc;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return state_error(error, -errno, "no socket: %s", strerror(errno));
    }
    rc = bind_listen(fd, &addr, mode, owner, group, error);
    if (rc != 0) {
        (void)close(fd);
        return rc;
    }
    return fd;
}

int serve_signals(void)
{
    sigset_t set;
    int fd;

    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0) {
        return -EINVAL;
    }
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

/* True: the signal ends the loop. */
static bool take_signal(int signals)
{
    struct signalfd_siginfo info;

    if (read(signals, &info, sizeof(info)) != (ssize_t)sizeof(info)) {
        return false;
    }
    if (info.ssi_signo == SIGHUP) {
        serve_log(SERVE_INFO, "SIGHUP: there is nothing to reload");
        return false;
    }
    serve_log(SERVE_INFO, "ending: %s", strsignal((int)info.ssi_signo));
    return true;
}

static void take_connection(struct serve *s)
{
    static const struct timespec pause = {.tv_nsec = 50000000};
    int fd =
        accept4(s->config.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd >= 0) {
        serve_conn_start(s, fd);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
               errno == ENOBUFS) {
        serve_log(SERVE_WARNING, "no connection taken: %s", strerror(errno));
        (void)nanosleep(&pause, NULL); /* the peer stays in the backlog */
    }
}

static int loop(struct serve *s, int signals)
{
    struct pollfd p[3] = {
        {.fd = s->config.listener, .events = POLLIN},
        {.fd = signals, .events = POLLIN},
        {.fd = s->wake, .events = POLLIN},
    };

    for (;;) {
        if (poll(p, 3, -1) < 0) {
            if (errno != EINTR) {
                return -errno;
            }
            continue;
        }
        if (p[2].revents != 0 || (p[1].revents != 0 && take_signal(signals))) {
            return 0;
        }
        if ((p[0].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
            return -EBADF;
        }
        if (p[0].revents != 0) {
            take_connection(s);
        }
    }
}

int serve_run(const struct serve_config *config, int signals)
{
    struct serve *s = calloc(1, sizeof(*s));
    struct timespec t;
    int rc;

    if (s == NULL) {
        return -ENOMEM;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    s->config = *config;
    s->started_ms = (int64_t)t.tv_sec * 1000;
    atomic_init(&s->budget, BUDGET);
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)pthread_cond_init(&s->left, NULL);
    /* A peer that has left again must not make accept() wait. */
    (void)fcntl(config->listener, F_SETFL, O_NONBLOCK);
    s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->wake < 0) {
        rc = -errno;
    } else {
        if (config->ready != NULL) {
            config->ready(config->ctx);
        }
        rc = loop(s, signals);
        serve_trace_end(config->trace);
        serve_guests_paused(config->guests, false); /* nobody waits for that */
        serve_conn_shut(s, NULL);
        serve_conn_join(s);
        (void)close(s->wake);
    }
    (void)pthread_cond_destroy(&s->left);
    (void)pthread_mutex_destroy(&s->lock);
    explicit_bzero(s, sizeof(*s));
    free(s);
    return rc;
}
