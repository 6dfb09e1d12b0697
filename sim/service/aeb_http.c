/* SPDX-License-Identifier: Apache-2.0 */
#include "aeb_http.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD_MAX   0x2000u
#define ANSWER_MAX (HEAD_MAX + AEB_HTTP_BODY_MAX)
#define STEP_MS    100

static bool copy(char *to, size_t room, const char *from, size_t n)
{
    if (n == 0 || n >= room) {
        return false;
    }
    memcpy(to, from, n);
    to[n] = '\0';
    return true;
}

static bool copy_port(char *to, size_t room, const char *from, size_t n)
{
    return strspn(from, "0123456789") == n && copy(to, room, from, n);
}

bool aeb_url_parse(const char *text, struct aeb_url *out)
{
    size_t n;

    memset(out, 0, sizeof(*out));
    memcpy(out->port, "80", 3);
    if (strncmp(text, "http://", 7) != 0 || strpbrk(text, " \r\n?#@") != NULL) {
        return false;
    }
    text += 7;
    if (*text == '[') {
        n = strcspn(++text, "]");
        if (text[n] != ']' || !copy(out->host, sizeof(out->host), text, n)) {
            return false;
        }
        text += n + 1;
    } else {
        n = strcspn(text, ":/");
        if (!copy(out->host, sizeof(out->host), text, n)) {
            return false;
        }
        text += n;
    }
    if (*text == ':') {
        n = strcspn(++text, "/");
        if (!copy_port(out->port, sizeof(out->port), text, n)) {
            return false;
        }
        text += n;
    }
    n = strlen(text);
    while (n > 0 && text[n - 1] == '/') {
        n--;
    }
    return n == 0 ||
           (*text == '/' && copy(out->base, sizeof(out->base), text, n));
}

/* ---- the answer ---- */

static const uint8_t *find_end(const uint8_t *data, size_t size)
{
    for (size_t i = 3; i < size && i < HEAD_MAX; i++) {
        if (memcmp(data + i - 3, "\r\n\r\n", 4) == 0) {
            return data + i + 1;
        }
    }
    return NULL;
}

/* Value of a header in a NUL-terminated head, or NULL. */
static const char *header(const char *head, const char *name)
{
    size_t n = strlen(name);
    const char *line = strstr(head, "\r\n");

    while (line != NULL) {
        line += 2;
        if (strncasecmp(line, name, n) == 0 && line[n] == ':') {
            line += n + 1;
            return line + strspn(line, " \t");
        }
        line = strstr(line, "\r\n");
    }
    return NULL;
}

static int take_status(const char *head)
{
    int status = 0;

    if (strncmp(head, "HTTP/1.", 7) != 0 || strlen(head) < 12 ||
        head[8] != ' ') {
        return -EPROTO;
    }
    for (int i = 9; i < 12; i++) {
        if (head[i] < '0' || head[i] > '9') {
            return -EPROTO;
        }
        status = status * 10 + (head[i] - '0');
    }
    return status >= 100 && status <= 599 ? status : -EPROTO;
}

static int take_length(const char *text, size_t *out)
{
    size_t v = 0;
    size_t n = strspn(text, "0123456789");

    for (size_t i = 0; i < n; i++) {
        v = v * 10 + (size_t)(text[i] - '0');
        if (v > AEB_HTTP_BODY_MAX) {
            return -EMSGSIZE;
        }
    }
    *out = v;
    return n > 0 ? 0 : -EPROTO;
}

int aeb_http_parse(const uint8_t *data, size_t size, const uint8_t **body,
                   size_t *body_size)
{
    char head[HEAD_MAX + 1];
    const uint8_t *end = find_end(data, size);
    const char *length;
    size_t want;
    int status;
    int err;

    if (end == NULL || memchr(data, '\0', (size_t)(end - data)) != NULL) {
        return -EPROTO;
    }
    memcpy(head, data, (size_t)(end - data));
    head[end - data] = '\0';
    status = take_status(head);
    if (status < 0 || header(head, "Transfer-Encoding") != NULL) {
        return status < 0 ? status : -EPROTO;
    }
    *body = end;
    *body_size = size - (size_t)(end - data);
    length = header(head, "Content-Length");
    if (length != NULL) {
        err = take_length(length, &want);
        if (err != 0 || want > *body_size) {
            return err != 0 ? err : -EPROTO;
        }
        *body_size = want;
    }
    return *body_size <= AEB_HTTP_BODY_MAX ? status : -EMSGSIZE;
}

/* ---- the connection ---- */

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int wait_for(const struct aeb_http *get, int fd, short events,
                    int64_t until)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        int64_t left = until - now_ms();
        int n;

        if (get->give_up != NULL && get->give_up(get->ctx)) {
            return -ECANCELED;
        }
        if (left <= 0) {
            return -ETIMEDOUT;
        }
        n = poll(&p, 1, left < STEP_MS ? (int)left : STEP_MS);
        if (n > 0) {
            return 0;
        }
        if (n < 0 && errno != EINTR) {
            return -errno;
        }
    }
}

static int connect_one(const struct aeb_http *get, const struct addrinfo *a,
                       int64_t until)
{
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                    a->ai_protocol);
    int err = 0;
    socklen_t size = sizeof(err);

    if (fd < 0) {
        return -errno;
    }
    if (connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
        err = errno == EINPROGRESS ? wait_for(get, fd, POLLOUT, until) : -errno;
        if (err == 0 &&
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) == 0) {
            err = -err;
        }
    }
    if (err != 0) {
        (void)close(fd);
        return err;
    }
    return fd;
}

static int connect_any(const struct aeb_http *get, int64_t until)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int fd = -EHOSTUNREACH;

    if (getaddrinfo(get->url->host, get->url->port, &hints, &list) != 0) {
        return -EHOSTUNREACH;
    }
    for (const struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next) {
        fd = connect_one(get, a, until);
        if (fd == -ETIMEDOUT || fd == -ECANCELED) {
            break;
        }
    }
    freeaddrinfo(list);
    return fd;
}

static int send_all(const struct aeb_http *get, int fd, const char *data,
                    size_t size, int64_t until)
{
    while (size > 0) {
        ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
        int err = 0;

        if (n < 0 && errno == EAGAIN) {
            err = wait_for(get, fd, POLLOUT, until);
            n = 0;
        } else if (n < 0) {
            err = -errno;
        }
        if (err != 0) {
            return err;
        }
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

static int receive_all(const struct aeb_http *get, int fd, uint8_t *data,
                       size_t *size, int64_t until)
{
    size_t room = ANSWER_MAX;

    *size = 0;
    for (;;) {
        int err = wait_for(get, fd, POLLIN, until);
        ssize_t n = err == 0 ? recv(fd, data + *size, room - *size, 0) : 0;

        if (err != 0 || (n < 0 && errno != EAGAIN)) {
            return err != 0 ? err : -errno;
        }
        if (n == 0) {
            return 0;
        }
        *size += n > 0 ? (size_t)n : 0;
        if (*size == room) {
            return -EMSGSIZE;
        }
    }
}

int aeb_http_get(const struct aeb_http *get, uint8_t body[AEB_HTTP_BODY_MAX],
                 size_t *size)
{
    uint8_t answer[ANSWER_MAX];
    char request[1536];
    const uint8_t *at = NULL;
    size_t got = 0;
    int64_t until = now_ms() + get->total_ms;
    int fd = connect_any(get, now_ms() + get->connect_ms);
    int status;
    int n;

    if (fd < 0) {
        return fd;
    }
    n = snprintf(
        request, sizeof(request),
        "GET %s%s HTTP/1.1\r\nHost: %s%s%s:%s\r\nAccept: */*\r\n"
        "User-Agent: swpsp/" SWPSP_VERSION "\r\nConnection: close\r\n\r\n",
        get->url->base, get->path,
        strchr(get->url->host, ':') != NULL ? "[" : "", get->url->host,
        strchr(get->url->host, ':') != NULL ? "]" : "", get->url->port);
    status = n < 0 || (size_t)n >= sizeof(request)
                 ? -EINVAL
                 : send_all(get, fd, request, (size_t)n, until);
    if (status == 0) {
        status = receive_all(get, fd, answer, &got, until);
    }
    (void)close(fd);
    if (status == 0) {
        status = aeb_http_parse(answer, got, &at, size);
    }
    if (status > 0) {
        memcpy(body, at, *size);
    }
    return status;
}
