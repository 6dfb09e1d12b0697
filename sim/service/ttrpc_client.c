/* SPDX-License-Identifier: Apache-2.0 */
#include "ttrpc_client.h"
#include "monotonic.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define NANO_PER_MS 1000000

static int wait_for(int fd, short events, int64_t until)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        int64_t left = until - monotonic_ms();
        int n;

        if (until != INT64_MAX && left <= 0) {
            return -ETIMEDOUT;
        }
        n = poll(&p, 1, until == INT64_MAX ? -1 : (int)left);
        if (n > 0) {
            return 0;
        }
        if (n < 0 && errno != EINTR) {
            return -errno;
        }
    }
}

static int send_all(int fd, const uint8_t *data, size_t size, int64_t until)
{
    while (size > 0) {
        int err = wait_for(fd, POLLOUT, until);
        ssize_t n;

        if (err != 0) {
            return err;
        }
        n = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            return -errno;
        }
        data += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* One frame; nothing behind it is read, so nothing is lost between calls. */
static int receive(int fd, struct ttrpc_reader *r, int64_t until)
{
    enum ttrpc_event event = TTRPC_MORE;
    uint8_t buf[0x4000];

    while (event == TTRPC_MORE) {
        size_t want = r->head_have < TTRPC_HEADER_SIZE
                          ? TTRPC_HEADER_SIZE - r->head_have
                          : r->header.length - r->body_have;
        const uint8_t *at = buf;
        int err = wait_for(fd, POLLIN, until);
        ssize_t n;
        size_t size;

        if (err != 0) {
            return err;
        }
        n = recv(fd, buf, want < sizeof(buf) ? want : sizeof(buf), 0);
        if (n <= 0) {
            return n == 0 ? -ECONNRESET : -errno;
        }
        size = (size_t)n;
        event = ttrpc_reader_take(r, &at, &size);
        if (r->head_have == TTRPC_HEADER_SIZE &&
            r->header.length > TTRPC_MAX_DATA) {
            return -EMSGSIZE; /* not worth the wait for its end */
        }
    }
    return event == TTRPC_FRAME ? 0 : -EMSGSIZE;
}

static int receive_answer(struct ttrpc_client *c, int64_t until,
                          struct ttrpc_response *out)
{
    struct ttrpc_reader r = {.head_have = 0};
    int err;

    for (;;) {
        err = receive(c->fd, &r, until);
        if (err != 0) {
            break;
        }
        if (r.header.type != TTRPC_RESPONSE) {
            err = -EPROTO;
            break;
        }
        if (r.header.stream == c->stream) {
            err = ttrpc_response_decode(r.body, r.header.length, out) == PSP_OK
                      ? 0
                      : -EPROTO;
            break;
        }
        ttrpc_reader_next(&r); /* the late answer of an earlier call */
    }
    ttrpc_reader_clear(&r);
    return err;
}

int ttrpc_client_call(struct ttrpc_client *c, const char *service,
                      const char *method, struct ttrpc_bytes payload,
                      struct ttrpc_response *out)
{
    struct ttrpc_request req = {
        .service = {(const uint8_t *)service, strlen(service)},
        .method = {(const uint8_t *)method, strlen(method)},
        .payload = payload,
        .timeout_nano = (int64_t)c->timeout_ms * NANO_PER_MS,
    };
    int64_t until =
        c->timeout_ms > 0 ? monotonic_ms() + c->timeout_ms : INT64_MAX;
    uint8_t *frame = NULL;
    size_t size = 0;
    int err;

    memset(out, 0, sizeof(*out));
    c->stream = c->stream == 0 ? 1 : c->stream + 2;
    if (ttrpc_request_frame(c->stream, &req, &frame, &size) != PSP_OK) {
        return -ENOMEM;
    }
    err = send_all(c->fd, frame, size, until);
    free(frame);
    return err != 0 ? err : receive_answer(c, until, out);
}
