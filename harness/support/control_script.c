/* SPDX-License-Identifier: Apache-2.0 */
#include "control_script.h"

#include "tst.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct {
    const char *const *answers; /* one for each request; then CONTROL_CLOSE */
    size_t count;
    atomic_size_t asked;
    int listener, stop[2];
    pthread_t thread;
    char *dir;
    char path[108];
} d;

static bool readable(int fd)
{
    struct pollfd p[2] = {{.fd = fd, .events = POLLIN},
                          {.fd = d.stop[0], .events = POLLIN}};

    return poll(p, 2, -1) > 0 && p[1].revents == 0;
}

/* One line, byte by byte. False: closed. */
static bool hear(int fd, char *line, size_t size)
{
    size_t n = 0;

    while (n + 1 < size && readable(fd) && recv(fd, line + n, 1, 0) == 1) {
        if (line[n++] == '\n') {
            line[n] = '\0';
            return true;
        }
    }
    return false;
}

static void serve(int fd)
{
    char line[1024];
    char answer[2048];

    while (hear(fd, line, sizeof(line))) {
        size_t i = atomic_fetch_add(&d.asked, 1);
        const char *say = i < d.count ? d.answers[i] : CONTROL_CLOSE;
        const char *id = strstr(line, "\"id\":");

        if (say == CONTROL_CLOSE) {
            return;
        }
        if (say == CONTROL_STALL) {
            (void)readable(fd);
            return;
        }
        snprintf(answer, sizeof(answer), "{\"v\":1,\"id\":%d,%s}\n",
                 id != NULL ? atoi(id + 5) : 0, say);
        (void)!send(fd, answer, strlen(answer), MSG_NOSIGNAL);
    }
}

static void *run(void *arg)
{
    (void)arg;
    while (readable(d.listener)) {
        int fd = accept4(d.listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd >= 0) {
            serve(fd);
            close(fd);
        }
    }
    return NULL;
}

void control_script_start(const char *const *answers, size_t count)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    d.answers = answers;
    d.count = count;
    atomic_store(&d.asked, 0);
    d.dir = tst_mkdtemp();
    snprintf(d.path, sizeof(d.path), "%s/s", d.dir);
    snprintf(at.sun_path, sizeof(at.sun_path), "%s", d.path);
    d.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(d.listener, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(d.listener, 8), 0);
    assert_int_equal(pipe(d.stop), 0);
    assert_int_equal(pthread_create(&d.thread, NULL, run, NULL), 0);
}

void control_script_stop(void)
{
    assert_int_equal(write(d.stop[1], "", 1), 1);
    pthread_join(d.thread, NULL);
    close(d.listener);
    close(d.stop[0]);
    close(d.stop[1]);
    tst_rmdir(d.dir);
}

const char *control_script_path(void)
{
    return d.path;
}

size_t control_script_asked(void)
{
    return atomic_load(&d.asked);
}
