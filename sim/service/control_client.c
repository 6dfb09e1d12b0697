/* SPDX-License-Identifier: Apache-2.0 */
#include "control_client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SEND_MS 30000
#define LINE_MS 60000

static int fail(char *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int fail(char *error, int code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(error, CONTROL_ERROR_SIZE, format, args);
    va_end(args);
    return code;
}

const char *control_default_socket(void)
{
    static char path[108];
    const char *dir = getenv("XDG_RUNTIME_DIR");

    if (geteuid() == 0 || dir == NULL || dir[0] != '/') {
        return "/run/swpsp/control.sock";
    }
    (void)snprintf(path, sizeof(path), "%s/swpsp/control.sock", dir);
    return path;
}

int control_connect(struct control_client *c, const char *path, char *error)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(addr.sun_path)) {
        return fail(error, -ENAMETOOLONG, "%.200s: too long for a socket",
                    path);
    }
    strcpy(addr.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return fail(error, -errno, "no socket: %s", strerror(errno));
    }
    if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0) {
        int code = -errno;

        (void)close(fd);
        return fail(error, code, "no swpsp serve at %s: %s", path,
                    strerror(-code));
    }
    control_io_init(&c->io, fd, NULL);
    c->next_id = 1;
    c->wait_ms = -1;
    return 0;
}

void control_disconnect(struct control_client *c)
{
    if (c->io.fd >= 0) {
        control_io_clear(&c->io);
        (void)close(c->io.fd);
        c->io.fd = -1;
    }
}

static int send_request(struct control_client *c, json_t *request, char *error)
{
    char *text = NULL;
    size_t size;
    int rc;

    (void)json_object_set_new(request, "v", json_integer(1));
    (void)json_object_set_new(request, "id", json_integer(c->next_id));
    text = json_dumps(request, JSON_COMPACT);
    json_decref(request);
    if (text == NULL) {
        return fail(error, -ENOMEM, "out of memory");
    }
    size = strlen(text);
    if (size >= CONTROL_LINE_MAX) {
        free(text);
        return fail(error, -EMSGSIZE, "the request is larger than %u MiB",
                    CONTROL_LINE_MAX >> 20);
    }
    text[size] = '\n';
    rc = control_write(c->io.fd, text, size + 1, SEND_MS);
    free(text);
    /* A daemon that refuses says why before it closes: the answer is read. */
    return rc == -EPIPE || rc == -ECONNRESET ? 0 : rc;
}

static int judge(struct control_client *c, json_t *answer, json_t **result,
                 char *error)
{
    const json_t *id = json_object_get(answer, "id");
    const json_t *e = json_object_get(answer, "error");
    const char *text = json_string_value(json_object_get(e, "text"));

    if (json_is_true(json_object_get(answer, "ok")) &&
        json_integer_value(id) == c->next_id) {
        c->next_id++;
        *result = json_incref(json_object_get(answer, "result"));
        return 0;
    }
    if (text == NULL) {
        return fail(error, -EPROTO, "the daemon's answer is none");
    }
    return fail(error, -EREMOTEIO, "%s", text);
}

int control_call(struct control_client *c, json_t *request, json_t **result,
                 char *error)
{
    int rc = send_request(c, request, error);
    char *line = NULL;
    json_t *answer;
    int64_t n;

    *result = NULL;
    if (rc != 0) {
        return fail(error, rc, "cannot send the request: %s", strerror(-rc));
    }
    n = control_read_line(&c->io, c->wait_ms, LINE_MS, &line);
    if (n < 0) {
        return fail(error, (int)n, "no answer from the daemon: %s",
                    n == -ENODATA ? "it closed the connection"
                                  : strerror((int)-n));
    }
    answer = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    free(line);
    rc = judge(c, answer, result, error);
    json_decref(answer);
    return rc;
}

int control_next(struct control_client *c, json_t **line)
{
    char *text = NULL;
    int64_t n = control_read_line(&c->io, -1, LINE_MS, &text);

    if (n < 0) {
        return n == -ENODATA ? 0 : (int)n;
    }
    *line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    free(text);
    return *line == NULL ? -EPROTO : 1;
}
