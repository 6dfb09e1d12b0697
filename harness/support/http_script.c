/* SPDX-License-Identifier: Apache-2.0 */
#include "http_script.h"

#include "tst.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct http_script {
    const struct http_step *steps;
    size_t step_count;
    int listener, stop;
    uint16_t port;
    atomic_uint count;
    char heard[4096];
    pthread_t thread;
};

/* False: told to stop. */
static bool readable(struct http_script *s, int fd)
{
    struct pollfd p[2] = {{.fd = fd, .events = POLLIN},
                          {.fd = s->stop, .events = POLLIN}};

    return poll(p, 2, -1) > 0 && p[1].revents == 0;
}

static void hear(struct http_script *s, int fd)
{
    size_t got = 0;

    while (got + 1 < sizeof(s->heard) && readable(s, fd)) {
        ssize_t n = recv(fd, s->heard + got, sizeof(s->heard) - 1 - got, 0);

        if (n <= 0) {
            return;
        }
        got += (size_t)n;
        s->heard[got] = '\0';
        if (strstr(s->heard, "\r\n\r\n") != NULL) {
            return;
        }
    }
}

static void serve(struct http_script *s, int fd)
{
    size_t i = atomic_load(&s->count);
    const struct http_step *step =
        &s->steps[i < s->step_count ? i : s->step_count - 1];
    size_t size = step->size > 0 ? step->size : strlen(step->say);
    char drop[256];

    atomic_fetch_add(&s->count, 1);
    if (!step->deaf) {
        hear(s, fd);
    }
    (void)!send(fd, step->say, size, MSG_NOSIGNAL);
    while (step->hang && readable(s, fd) &&
           recv(fd, drop, sizeof(drop), 0) > 0) {
    }
}

static void *run(void *arg)
{
    struct http_script *s = arg;

    while (readable(s, s->listener)) {
        int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd >= 0) {
            serve(s, fd);
            close(fd);
        }
    }
    return NULL;
}

struct http_script *http_script_start(const struct http_step *steps,
                                      size_t count)
{
    struct http_script *s = calloc(1, sizeof(*s));
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);

    assert_non_null(s);
    s->steps = steps;
    s->step_count = count;
    s->stop = eventfd(0, EFD_CLOEXEC);
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(s->listener, 16), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &size),
                     0);
    s->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, run, s), 0);
    return s;
}

uint16_t http_script_port(const struct http_script *s)
{
    return s->port;
}

unsigned int http_script_count(const struct http_script *s)
{
    return atomic_load(&s->count);
}

const char *http_script_heard(const struct http_script *s)
{
    return s->heard;
}

void http_script_stop(struct http_script *s)
{
    const uint64_t one = 1;

    (void)!write(s->stop, &one, sizeof(one));
    pthread_join(s->thread, NULL);
    close(s->listener);
    close(s->stop);
    free(s);
}
