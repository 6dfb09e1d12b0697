/* SPDX-License-Identifier: Apache-2.0 */
/* From a frame to a method. abi/aeb.md §3.2 */
#include "ttrpc_conn.h"

#include <stdlib.h>
#include <string.h>

#define NANO_PER_MS 1000000
#define SHOWN_MAX   80u

/* How much of a name is shown: no half character, which peers refuse. */
static int shown(struct ttrpc_bytes name)
{
    size_t n = name.size < SHOWN_MAX ? name.size : SHOWN_MAX;

    while (n < name.size && n > 0 && (name.data[n] & 0xc0) == 0x80) {
        n--;
    }
    return (int)n;
}

static const struct ttrpc_method *
find_method(const struct ttrpc_server_config *config,
            const struct ttrpc_request *req)
{
    bool served = false;

    for (size_t i = 0; i < config->service_count; i++) {
        served = served || ttrpc_bytes_are(req->service, config->services[i]);
    }
    for (size_t i = 0; served && i < config->method_count; i++) {
        if (ttrpc_bytes_are(req->method, config->methods[i].name)) {
            return &config->methods[i];
        }
    }
    return NULL;
}

static int64_t deadline(const struct ttrpc_request *req, int64_t now)
{
    if (req->timeout_nano <= 0) {
        return INT64_MAX; /* less than none is none */
    }
    /* Rounded up: never early. */
    return now + req->timeout_nano / NANO_PER_MS + 1;
}

static void run_at_once(struct ttrpc_conn *c, const struct ttrpc_method *m,
                        const struct ttrpc_request *req)
{
    const atomic_bool never = false;
    struct ttrpc_call call = {.peer = &c->peer,
                              .payload = req->payload,
                              .cancelled = &never,
                              .deadline = INT64_MAX};
    struct ttrpc_reply reply = {.code = TTRPC_OK};

    m->run(ttrpc_server_config(c->server)->ctx, &call, &reply);
    ttrpc_conn_answer(c, c->in.header.stream, &reply);
    free(reply.payload);
}

static struct ttrpc_job *job_new(struct ttrpc_conn *c,
                                 const struct ttrpc_method *m,
                                 const struct ttrpc_request *req, int64_t now)
{
    struct ttrpc_job *job = calloc(1, sizeof(*job));

    if (job == NULL) {
        return NULL;
    }
    job->payload = malloc(req->payload.size + 1);
    if (job->payload == NULL) {
        free(job);
        return NULL;
    }
    if (req->payload.size > 0) {
        memcpy(job->payload, req->payload.data, req->payload.size);
    }
    job->size = req->payload.size;
    job->method = m;
    job->ctx = ttrpc_server_config(c->server)->ctx;
    job->peer = c->peer;
    job->conn = c;
    job->stream = c->in.header.stream;
    job->deadline = deadline(req, now);
    return job;
}

static void run_later(struct ttrpc_conn *c, const struct ttrpc_method *m,
                      const struct ttrpc_request *req, int64_t now)
{
    struct ttrpc_job *job = job_new(c, m, req, now);

    if (job == NULL || !ttrpc_pool_put(ttrpc_server_pool(c->server), job)) {
        ttrpc_job_free(job);
        ttrpc_conn_refuse(c, c->in.header.stream, TTRPC_RESOURCE_EXHAUSTED,
                          "too many requests are waiting");
        return;
    }
    c->jobs[c->job_count++] = job;
}

static void request(struct ttrpc_conn *c, const struct ttrpc_request *req,
                    int64_t now)
{
    const struct ttrpc_method *m =
        find_method(ttrpc_server_config(c->server), req);

    if (m == NULL) {
        ttrpc_conn_refuse(c, c->in.header.stream, TTRPC_INVALID_ARGUMENT,
                          "/%.*s/%.*s does not exist", shown(req->service),
                          (const char *)req->service.data, shown(req->method),
                          (const char *)req->method.data);
    } else if (m->slow) {
        run_later(c, m, req, now);
    } else {
        run_at_once(c, m, req);
    }
}

/* True if a new request may have this number. */
static bool stream_ok(struct ttrpc_conn *c, uint32_t stream)
{
    if (stream % 2 == 0) {
        ttrpc_conn_refuse(c, stream, TTRPC_INVALID_ARGUMENT,
                          "stream id must be odd");
        return false;
    }
    if (stream <= c->last_stream) {
        ttrpc_conn_refuse(c, stream, TTRPC_INVALID_ARGUMENT,
                          "stream id is not above the previous one");
        return false;
    }
    c->last_stream = stream;
    return true;
}

void ttrpc_conn_frame(struct ttrpc_conn *c, int64_t now)
{
    const struct ttrpc_header *h = &c->in.header;
    struct ttrpc_request req;

    if (c->refused && h->type == TTRPC_REQUEST) {
        ttrpc_conn_refuse(c, h->stream, TTRPC_RESOURCE_EXHAUSTED,
                          "too many connections");
        c->closing = true;
    } else if (h->type == TTRPC_DATA) {
        ttrpc_conn_refuse(c, h->stream, TTRPC_INVALID_ARGUMENT,
                          "Stream is no longer active");
    } else if (h->type == TTRPC_REQUEST && stream_ok(c, h->stream)) {
        /* The published server's answer has no text. abi/aeb.md §A */
        if (ttrpc_request_decode(c->in.body, h->length, &req) != PSP_OK) {
            ttrpc_conn_refuse(c, h->stream, TTRPC_INVALID_ARGUMENT, "%s", "");
            return;
        }
        request(c, &req, now);
        ttrpc_request_clear(&req);
    }
}
