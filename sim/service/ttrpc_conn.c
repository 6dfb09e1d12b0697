/* SPDX-License-Identifier: Apache-2.0 */
#include "ttrpc_conn.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_SIZE    0x10000u
#define FRAME_MS     300000 /* a whole frame, however it drips */
#define REFUSED_MS   2000
#define HOLD_MS      10000 /* an answer that waits for another */
#define READS_A_TURN 4     /* then others have theirs */

struct ttrpc_conn *ttrpc_conn_new(struct ttrpc_server *s, int fd,
                                  const struct ttrpc_peer *peer, int64_t now)
{
    struct ttrpc_conn *c = calloc(1, sizeof(*c));

    if (c != NULL) {
        c->source = TTRPC_FROM_CONN;
        c->server = s;
        c->fd = fd;
        c->peer = *peer;
        c->in_since = now;
        c->frame_since = now;
    }
    return c;
}

/* The pool may still have it: it comes back without a connection. */
static void abandon(struct ttrpc_job *job)
{
    if (job->held) {
        ttrpc_job_free(job);
        return;
    }
    job->conn = NULL;
    atomic_store(&job->cancelled, true);
}

void ttrpc_conn_free(struct ttrpc_conn *c)
{
    for (size_t i = 0; i < c->job_count; i++) {
        abandon(c->jobs[i]);
    }
    ttrpc_reader_clear(&c->in);
    free(c->left);
    free(c->out);
    (void)close(c->fd);
    free(c);
}

static void forget(struct ttrpc_conn *c, const struct ttrpc_job *job)
{
    for (size_t i = 0; i < c->job_count; i++) {
        if (c->jobs[i] == job) {
            c->jobs[i] = c->jobs[--c->job_count];
            return;
        }
    }
}

bool ttrpc_conn_stalled(const struct ttrpc_conn *c)
{
    return c->job_count == TTRPC_MAX_IN_FLIGHT ||
           c->out_size - c->out_sent > TTRPC_OUTPUT_STALL;
}

bool ttrpc_conn_finished(const struct ttrpc_conn *c)
{
    bool quiet = c->out_sent == c->out_size;

    return c->dead || (c->closing && quiet) ||
           (c->eof && quiet && c->job_count == 0 && c->left_size == 0);
}

size_t ttrpc_conn_memory(const struct ttrpc_conn *c)
{
    size_t size = c->in.body_room + c->left_size;

    for (size_t i = 0; i < c->job_count; i++) {
        size += c->jobs[i]->size;
    }
    return size;
}

/* ---- output ---- */

static void queue(struct ttrpc_conn *c, const uint8_t *data, size_t size)
{
    size_t have = c->out_size - c->out_sent;
    uint8_t *out;

    if (have + size > TTRPC_OUTPUT_LIMIT) {
        c->dead = true;
        return;
    }
    if (c->out_sent > 0) {
        memmove(c->out, c->out + c->out_sent, have);
        c->out_size = have;
        c->out_sent = 0;
    }
    out = realloc(c->out, have + size);
    if (out == NULL) {
        c->dead = true;
        return;
    }
    memcpy(out + have, data, size);
    c->out = out;
    c->out_size = have + size;
}

static void respond(struct ttrpc_conn *c, uint32_t stream,
                    const struct ttrpc_response *resp)
{
    uint8_t *frame = NULL;
    size_t size = 0;

    if (ttrpc_response_frame(stream, resp, &frame, &size) != PSP_OK) {
        c->dead = true;
        return;
    }
    queue(c, frame, size);
    free(frame);
}

void ttrpc_conn_answer(struct ttrpc_conn *c, uint32_t stream,
                       const struct ttrpc_reply *reply)
{
    const struct ttrpc_response resp = {
        .code = (int32_t)reply->code,
        .message = {(const uint8_t *)reply->message, strlen(reply->message)},
        .payload = {reply->payload, reply->size},
    };

    respond(c, stream, &resp);
}

void ttrpc_conn_fail(struct ttrpc_conn *c, uint32_t stream,
                     enum ttrpc_code code, struct ttrpc_bytes text)
{
    const struct ttrpc_response resp = {.code = (int32_t)code, .message = text};

    respond(c, stream, &resp);
}

void ttrpc_conn_refuse(struct ttrpc_conn *c, uint32_t stream,
                       enum ttrpc_code code, const char *fmt, ...)
{
    char text[TTRPC_MESSAGE_SIZE];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    ttrpc_conn_fail(c, stream, code,
                    (struct ttrpc_bytes){(const uint8_t *)text, strlen(text)});
}

void ttrpc_conn_time_out(struct ttrpc_conn *c, uint32_t stream)
{
    ttrpc_conn_refuse(c, stream, TTRPC_DEADLINE_EXCEEDED, "timeout");
}

void ttrpc_conn_output(struct ttrpc_conn *c, int64_t now)
{
    while (!c->dead && c->out_sent < c->out_size) {
        ssize_t n = send(c->fd, c->out + c->out_sent, c->out_size - c->out_sent,
                         MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            c->dead = errno != EAGAIN;
            c->out_since = c->blocked ? c->out_since : now;
            c->blocked = true;
            return;
        }
        c->out_sent += (size_t)n;
        c->blocked = false; /* the silence begins anew */
    }
    free(c->out);
    c->out = NULL;
    c->out_size = 0;
    c->out_sent = 0;
    c->blocked = false;
}

/* ---- jobs ---- */

static void answer_job(struct ttrpc_conn *c, struct ttrpc_job *job)
{
    forget(c, job);
    ttrpc_conn_answer(c, job->stream, &job->reply);
    ttrpc_job_free(job);
}

/* The one that waits for another to be answered, or NULL. */
static struct ttrpc_job *find_held(const struct ttrpc_conn *c)
{
    for (size_t i = 0; i < c->job_count; i++) {
        if (c->jobs[i]->held && c->jobs[i]->reply.hold) {
            return c->jobs[i];
        }
    }
    return NULL;
}

static void hold(struct ttrpc_job *job, int64_t due)
{
    job->held = true;
    job->due = due;
}

void ttrpc_conn_job_done(struct ttrpc_job *job, int64_t now)
{
    struct ttrpc_conn *c = job->conn;
    struct ttrpc_job *before;

    if (c == NULL) {
        ttrpc_job_free(job);
        return;
    }
    before = find_held(c);
    if (ttrpc_is_late(job->until_ns)) {
        ttrpc_conn_time_out(c, job->stream);
        forget(c, job);
        ttrpc_job_free(job);
    } else if (job->reply.drop) {
        forget(c, job);
        ttrpc_job_free(job);
        c->dead = true;
    } else if (job->reply.later_ms > 0) {
        hold(job, now + job->reply.later_ms + 1); /* never early */
    } else if (job->reply.hold && before == NULL) {
        hold(job, now + HOLD_MS);
    } else {
        answer_job(c, job);
        if (before != NULL) {
            answer_job(c, before);
        }
    }
}

/* ---- input ---- */

static void told(struct ttrpc_conn *c, enum ttrpc_event event, int64_t now)
{
    const struct ttrpc_header *h = &c->in.header;

    if (event == TTRPC_FATAL || event == TTRPC_NOMEM) {
        c->dead = true;
        return;
    }
    if (event == TTRPC_FRAME) {
        ttrpc_conn_frame(c);
    } else if (h->type == TTRPC_REQUEST || h->type == TTRPC_DATA) {
        ttrpc_conn_refuse(c, h->stream, TTRPC_INVALID_ARGUMENT,
                          "message length %u exceed maximum message size of %u",
                          h->length, TTRPC_MAX_DATA);
    }
    ttrpc_reader_next(&c->in);
    c->frame_since = now;
}

/* Returns how many bytes were not taken. */
static size_t feed(struct ttrpc_conn *c, const uint8_t *data, size_t size,
                   int64_t now)
{
    while (size > 0 && !c->dead && !c->closing && !ttrpc_conn_stalled(c)) {
        enum ttrpc_event event = ttrpc_reader_take(&c->in, &data, &size);

        if (event != TTRPC_MORE) {
            told(c, event, now);
        }
    }
    return c->closing ? 0 : size;
}

void ttrpc_conn_resume(struct ttrpc_conn *c, int64_t now)
{
    size_t left;

    if (c->left_size == 0 || c->dead || ttrpc_conn_stalled(c)) {
        return;
    }
    left = feed(c, c->left, c->left_size, now);
    memmove(c->left, c->left + (c->left_size - left), left);
    c->left_size = left;
    c->in_since = now;
}

static void keep(struct ttrpc_conn *c, const uint8_t *data, size_t size)
{
    uint8_t *left = realloc(c->left, size);

    if (left == NULL) {
        c->dead = true;
        return;
    }
    memcpy(left, data, size);
    c->left = left;
    c->left_size = size;
}

void ttrpc_conn_input(struct ttrpc_conn *c, int64_t now)
{
    uint8_t buf[READ_SIZE];
    size_t left;

    for (int turn = 0; turn < READS_A_TURN && !c->dead && !c->closing &&
                       c->left_size == 0 && !ttrpc_conn_stalled(c);
         turn++) {
        ssize_t n = recv(c->fd, buf, sizeof(buf), 0);

        if (n <= 0) {
            c->eof = n == 0;
            c->dead = n < 0 && errno != EAGAIN && errno != EINTR;
            return;
        }
        if (!ttrpc_reader_busy(&c->in)) {
            c->frame_since = now;
        }
        c->in_since = now;
        left = feed(c, buf, (size_t)n, now);
        if (left > 0 && !c->dead) {
            keep(c, buf + ((size_t)n - left), left);
        }
        if ((size_t)n < sizeof(buf)) {
            return; /* that was all */
        }
    }
}

/* ---- time ---- */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t silence_ends(const struct ttrpc_conn *c, int idle_ms)
{
    int64_t due = INT64_MAX;

    /* While it stalls, the silence is ours. */
    if (ttrpc_reader_busy(&c->in) && !c->eof && !ttrpc_conn_stalled(c)) {
        due = least(c->in_since + idle_ms, c->frame_since + FRAME_MS);
    }
    if (c->blocked) {
        due = least(due, c->out_since + idle_ms);
    }
    return c->refused ? least(due, c->frame_since + REFUSED_MS) : due;
}

int64_t ttrpc_conn_due(const struct ttrpc_conn *c, int idle_ms)
{
    int64_t due = silence_ends(c, idle_ms);

    for (size_t i = 0; i < c->job_count; i++) {
        due = least(due, c->jobs[i]->deadline);
        if (c->jobs[i]->held) {
            due = least(due, c->jobs[i]->due);
        }
    }
    return due;
}

void ttrpc_conn_tick(struct ttrpc_conn *c, int64_t now, int idle_ms)
{
    for (size_t i = c->job_count; i > 0; i--) {
        struct ttrpc_job *job = c->jobs[i - 1];

        if (job->deadline <= now) {
            ttrpc_conn_time_out(c, job->stream);
            forget(c, job);
            abandon(job);
        } else if (job->held &&
                   (job->due <= now || (job->reply.hold && c->eof))) {
            answer_job(c, job);
        }
    }
    if (silence_ends(c, idle_ms) <= now) {
        c->dead = true;
    }
}
