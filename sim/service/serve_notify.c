/* SPDX-License-Identifier: Apache-2.0 */
#include "serve_notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int serve_notify_open(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    size_t n = path == NULL ? 0 : strlen(path);
    int fd, err;

    if (n == 0) {
        return -1;
    }
    if ((path[0] != '/' && path[0] != '@') || n >= sizeof(addr.sun_path)) {
        return -EINVAL;
    }
    memcpy(addr.sun_path, path, n);
    if (path[0] == '@') {
        addr.sun_path[0] = '\0';
    }
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 ||
        connect(fd, (const struct sockaddr *)&addr,
                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) != 0) {
        err = -errno;
        if (fd >= 0) {
            (void)close(fd);
        }
        return err == -1 ? -EACCES : err;
    }
    (void)unsetenv("NOTIFY_SOCKET");
    return fd;
}

void serve_notify(int fd, const char *lines)
{
    if (fd >= 0) {
        (void)send(fd, lines, strlen(lines), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
}

static bool is_listener(int fd)
{
    int type = 0, listening = 0;
    struct sockaddr_storage addr;
    socklen_t n = sizeof(type);
    socklen_t addr_size = sizeof(addr);

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 &&
           type == SOCK_STREAM &&
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &n) == 0 &&
           listening != 0 &&
           getsockname(fd, (struct sockaddr *)&addr, &addr_size) == 0 &&
           addr.ss_family == AF_UNIX;
}

/* Decimal digits only: what the manager writes. */
static long number_of(const char *text)
{
    char *end = NULL;
    long n;

    if (text == NULL || text[0] < '0' || text[0] > '9') {
        return -1;
    }
    errno = 0;
    n = strtol(text, &end, 10);
    return errno == 0 && *end == '\0' ? n : -1;
}

int serve_listen_fd(void)
{
    long pid = number_of(getenv("LISTEN_PID"));
    long count = number_of(getenv("LISTEN_FDS"));

    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
    if (pid != (long)getpid() || count == 0) {
        return -ENOENT;
    }
    if (count != 1 || !is_listener(SERVE_LISTEN_FD) ||
        fcntl(SERVE_LISTEN_FD, F_SETFD, FD_CLOEXEC) != 0) {
        return -EINVAL;
    }
    return SERVE_LISTEN_FD;
}
