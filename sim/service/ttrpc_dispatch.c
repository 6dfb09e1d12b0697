/* SPDX-License-Identifier: Apache-2.0 */
/* From a frame to a method. abi/aeb.md §3.2 */
#include "ttrpc_conn.h"

#include "wire.h"
#include "monotonic.h"

#include <stdlib.h>
#include <string.h>

#define NANO_PER_MS 1000000
#define SHOWN_MAX   1024u

/* How much of a name is shown: no half character, which peers refuse. */
static struct ttrpc_bytes shown(struct ttrpc_bytes name)
{
    size_t n = name.size < SHOWN_MAX ? name.size : SHOWN_MAX;

    while (n < name.size && n > 0 && (name.data[n] & 0xc0) == 0x80) {
        n--;
    }
    return (struct ttrpc_bytes){name.data, n};
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

bool ttrpc_is_late(int64_t until_ns)
{
    return until_ns != INT64_MAX && monotonic_ns() >= until_ns;
}

static int64_t until_ns(const struct ttrpc_request *req)
{
    int64_t now = monotonic_ns();

    /* Less than none is none. */
    return req->timeout_nano <= 0 || req->timeout_nano > INT64_MAX - now
               ? INT64_MAX
               : now + req->timeout_nano;
}

/* In ms, rounded up: never early. */
static int64_t deadline(int64_t until)
{
    return until == INT64_MAX ? INT64_MAX : until / NANO_PER_MS + 1;
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
    int64_t until = until_ns(req);

    m->run(ttrpc_server_config(c->server)->ctx, &call, &reply);
    if (ttrpc_is_late(until)) {
        ttrpc_conn_time_out(c, c->in.header.stream);
    } else {
        ttrpc_conn_answer(c, c->in.header.stream, &reply);
    }
    free(reply.payload);
}

static struct ttrpc_job *job_new(struct ttrpc_conn *c,
                                 const struct ttrpc_method *m,
                                 const struct ttrpc_request *req)
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
    job->until_ns = until_ns(req);
    job->deadline = deadline(job->until_ns);
    return job;
}

static void run_later(struct ttrpc_conn *c, const struct ttrpc_method *m,
                      const struct ttrpc_request *req)
{
    struct ttrpc_job *job = job_new(c, m, req);

    if (job == NULL || !ttrpc_pool_put(ttrpc_server_pool(c->server), job)) {
        ttrpc_job_free(job);
        ttrpc_conn_refuse(c, c->in.header.stream, TTRPC_RESOURCE_EXHAUSTED,
                          "too many requests are waiting");
        return;
    }
    c->jobs[c->job_count++] = job;
}

static void put(struct psp_wr *w, struct ttrpc_bytes b)
{
    psp_wr_bytes(w, b.data, b.size);
}

/* A NUL in a name is a byte as any other. */
static void refuse_names(struct ttrpc_conn *c, const struct ttrpc_request *req)
{
    static const uint8_t slash[] = "/", end[] = " does not exist";
    uint8_t text[2 * SHOWN_MAX + sizeof(end) + 2];
    struct psp_wr w = psp_wr(text, sizeof(text));

    put(&w, (struct ttrpc_bytes){slash, 1});
    put(&w, shown(req->service));
    put(&w, (struct ttrpc_bytes){slash, 1});
    put(&w, shown(req->method));
    put(&w, (struct ttrpc_bytes){end, sizeof(end) - 1});
    ttrpc_conn_fail(c, c->in.header.stream, TTRPC_INVALID_ARGUMENT,
                    (struct ttrpc_bytes){text, w.pos});
}

static void request(struct ttrpc_conn *c, const struct ttrpc_request *req)
{
    const struct ttrpc_method *m =
        find_method(ttrpc_server_config(c->server), req);

    if (m == NULL) {
        refuse_names(c, req);
    } else if (m->slow) {
        run_later(c, m, req);
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

void ttrpc_conn_frame(struct ttrpc_conn *c)
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
        request(c, &req);
        ttrpc_request_clear(&req);
    }
}
