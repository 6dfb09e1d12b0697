/* SPDX-License-Identifier: Apache-2.0 */
#include "ttrpc_addr.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/vm_sockets.h> /* takes <sys/socket.h> before it */

static bool refuse(char *why, const char *text)
{
    snprintf(why, TTRPC_ADDR_WHY, "%s", text);
    return false;
}

/* Decimal, the whole text. */
static bool take_u32(const char *text, size_t size, uint32_t *out)
{
    uint64_t v = 0;

    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        v = v * 10 + (uint64_t)(text[i] - '0');
        if (v > UINT32_MAX) {
            return false;
        }
    }
    *out = (uint32_t)v;
    return size > 0;
}

static bool parse_vsock(const char *text, struct ttrpc_addr *out, char *why)
{
    const char *colon = strrchr(text, ':');
    size_t n = colon != NULL ? (size_t)(colon - text) : 0;

    out->family = AF_VSOCK;
    out->cid = VMADDR_CID_ANY;
    if (colon == NULL || !take_u32(colon + 1, strlen(colon + 1), &out->port)) {
        return refuse(why, "need vsock://CID:PORT");
    }
    if (text[0] == '/') {
        out->cid_ignored = true;
        return true;
    }
    if (n == 2 && memcmp(text, "-1", 2) == 0) {
        return true;
    }
    return take_u32(text, n, &out->cid) ||
           refuse(why, "the CID must be a number or -1");
}

static bool parse_unix(const char *text, struct ttrpc_addr *out, char *why)
{
    out->family = AF_UNIX;
    out->abstract = text[0] == '@';
    text += out->abstract ? 1 : 0;
    out->name_size = strlen(text);
    if (out->name_size == 0) {
        return refuse(why, "the name of the socket is missing");
    }
    if (out->name_size >= sizeof(out->name)) {
        return refuse(why, "the name of the socket is too long");
    }
    memcpy(out->name, text, out->name_size + 1);
    return true;
}

bool ttrpc_addr_parse(const char *text, struct ttrpc_addr *out, char *why)
{
    memset(out, 0, sizeof(*out));
    if (strncmp(text, "vsock://", 8) == 0) {
        return parse_vsock(text + 8, out, why);
    }
    if (strncmp(text, "unix://", 7) == 0) {
        return parse_unix(text + 7, out, why);
    }
    return refuse(why, "need vsock://CID:PORT, unix://PATH or unix://@NAME");
}

void ttrpc_addr_print(const struct ttrpc_addr *addr, char *out)
{
    if (addr->family == AF_UNIX) {
        snprintf(out, TTRPC_ADDR_TEXT, "unix://%s%s", addr->abstract ? "@" : "",
                 addr->name);
    } else if (addr->cid == VMADDR_CID_ANY) {
        snprintf(out, TTRPC_ADDR_TEXT, "vsock://-1:%u", addr->port);
    } else {
        snprintf(out, TTRPC_ADDR_TEXT, "vsock://%u:%u", addr->cid, addr->port);
    }
}

union any_addr {
    struct sockaddr any;
    struct sockaddr_un un;
    struct sockaddr_vm vm;
};

static socklen_t fill(const struct ttrpc_addr *a, union any_addr *out)
{
    memset(out, 0, sizeof(*out));
    if (a->family == AF_VSOCK) {
        out->vm.svm_family = AF_VSOCK;
        out->vm.svm_cid = a->cid;
        out->vm.svm_port = a->port;
        return sizeof(out->vm);
    }
    out->un.sun_family = AF_UNIX;
    memcpy(out->un.sun_path + (a->abstract ? 1 : 0), a->name, a->name_size);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + a->name_size +
                       1);
}

/* A socket file that refuses connections was left behind. */
static bool is_stale(const struct ttrpc_addr *a, const union any_addr *to,
                     socklen_t size)
{
    struct stat st;
    int fd;
    int err;

    if (a->family != AF_UNIX || a->abstract || lstat(a->name, &st) != 0 ||
        !S_ISSOCK(st.st_mode)) {
        return false;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return false;
    }
    err = connect(fd, &to->any, size) == 0 ? 0 : errno;
    (void)close(fd);
    return err == ECONNREFUSED;
}

int ttrpc_addr_listen(const struct ttrpc_addr *addr, int backlog)
{
    union any_addr to;
    socklen_t size = fill(addr, &to);
    int fd =
        socket(addr->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int err;

    if (fd < 0) {
        return -errno;
    }
    err = bind(fd, &to.any, size) == 0 ? 0 : errno;
    if (err == EADDRINUSE && is_stale(addr, &to, size) &&
        unlink(addr->name) == 0) {
        err = bind(fd, &to.any, size) == 0 ? 0 : errno;
    }
    if (err == 0 && listen(fd, backlog) != 0) {
        err = errno;
    }
    if (err != 0) {
        (void)close(fd);
        return -err;
    }
    return fd;
}

/* Wait for a connect() that is under way. */
static int finish_connect(int fd, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int err = 0;
    socklen_t size = sizeof(err);
    int n;

    do {
        n = poll(&p, 1, timeout_ms);
    } while (n < 0 && errno == EINTR);
    if (n <= 0) {
        return n == 0 ? ETIMEDOUT : errno;
    }
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) == 0 ? err : errno;
}

/* How long a blocking connect() of a unix socket waits for room in the queue of
 * one who listens; a non-blocking one would not wait at all. */
static void set_patience(int fd, int timeout_ms)
{
    struct timeval t = {.tv_sec = timeout_ms / 1000,
                        .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000};

    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

static int connect_unix(int fd, const union any_addr *to, socklen_t size,
                        int timeout_ms)
{
    int err;

    set_patience(fd, timeout_ms);
    do {
        err = connect(fd, &to->any, size) == 0 ? 0 : errno;
    } while (err == EINTR);
    set_patience(fd, 0);
    return err == EAGAIN ? ETIMEDOUT : err;
}

static int connect_vsock(int fd, const union any_addr *to, socklen_t size,
                         int timeout_ms)
{
    int err = 0;

    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
        return errno;
    }
    err = connect(fd, &to->any, size) == 0 ? 0 : errno;
    if (err == EINPROGRESS) {
        err = finish_connect(fd, timeout_ms);
    }
    return err == 0 && fcntl(fd, F_SETFL, 0) != 0 ? errno : err;
}

int ttrpc_addr_connect(const struct ttrpc_addr *addr, int timeout_ms)
{
    struct ttrpc_addr host = *addr;
    union any_addr to;
    socklen_t size;
    int fd;
    int err;

    if (host.family == AF_VSOCK && host.cid == VMADDR_CID_ANY) {
        host.cid = VMADDR_CID_HOST;
    }
    size = fill(&host, &to);
    fd = socket(host.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    err = host.family == AF_UNIX ? connect_unix(fd, &to, size, timeout_ms)
                                 : connect_vsock(fd, &to, size, timeout_ms);
    if (err != 0) {
        (void)close(fd);
        return -err;
    }
    return fd;
}
