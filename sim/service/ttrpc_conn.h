/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Inside the ttrpc server: one connection.
 */
#ifndef SERVICE_TTRPC_CONN_H
#define SERVICE_TTRPC_CONN_H

#include "ttrpc_pool.h"

#define TTRPC_MAX_IN_FLIGHT 16u
/* Input stops at the first, so that the answers to what is at work still fit
 * below the second. */
#define TTRPC_OUTPUT_STALL (512u << 10)
#define TTRPC_OUTPUT_LIMIT (1u << 20)

/** What an epoll event points at; first member of each. */
enum ttrpc_source { TTRPC_FROM_LISTENER, TTRPC_FROM_CONN, TTRPC_FROM_FD };

struct ttrpc_conn {
    enum ttrpc_source source;
    /* The server's lists. */
    struct ttrpc_conn *next, *prev, *next_awake;
    bool awake;
    size_t input; /* of its memory, as the server has counted it */
    struct ttrpc_server *server;
    int fd;
    struct ttrpc_peer peer;
    struct ttrpc_reader in;
    uint8_t *left; /* read, but stalled before */
    size_t left_size;
    uint8_t *out;
    size_t out_size, out_sent;
    struct ttrpc_job *jobs[TTRPC_MAX_IN_FLIGHT];
    size_t job_count;
    uint32_t last_stream;
    uint32_t events;     /* epoll's */
    int64_t in_since;    /* last byte of the frame that is not complete */
    int64_t frame_since; /* its first */
    bool blocked;        /* the socket takes no more output */
    int64_t out_since;   /* since then, or since it last took some */
    bool refused;        /* one too many: told so, then closed */
    bool eof;            /* nothing more will come */
    bool closing;        /* when the output is out */
    bool dead;           /* now */
};

struct ttrpc_conn *ttrpc_conn_new(struct ttrpc_server *s, int fd,
                                  const struct ttrpc_peer *peer, int64_t now);
/** Cancels its jobs, closes, frees. */
void ttrpc_conn_free(struct ttrpc_conn *c);

/** Read what is there. */
void ttrpc_conn_input(struct ttrpc_conn *c, int64_t now);
/** Go on with what was left when it stalled. */
void ttrpc_conn_resume(struct ttrpc_conn *c, int64_t now);
/** Write what the socket takes. */
void ttrpc_conn_output(struct ttrpc_conn *c, int64_t now);

/** True when no more input may be looked at for now. */
bool ttrpc_conn_stalled(const struct ttrpc_conn *c);
bool ttrpc_conn_finished(const struct ttrpc_conn *c);
/** Of what it has received and not answered. */
size_t ttrpc_conn_memory(const struct ttrpc_conn *c);
/** Time at which something must happen; INT64_MAX: never. */
int64_t ttrpc_conn_due(const struct ttrpc_conn *c, int idle_ms);
/** Deadlines and silence. */
void ttrpc_conn_tick(struct ttrpc_conn *c, int64_t now, int idle_ms);

/** Queue an answer. */
void ttrpc_conn_answer(struct ttrpc_conn *c, uint32_t stream,
                       const struct ttrpc_reply *reply);
/** The same without a payload; a text of any bytes. */
void ttrpc_conn_fail(struct ttrpc_conn *c, uint32_t stream,
                     enum ttrpc_code code, struct ttrpc_bytes text);
/** The same, formatted, up to TTRPC_MESSAGE_SIZE. */
__attribute__((format(printf, 4, 5))) void
ttrpc_conn_refuse(struct ttrpc_conn *c, uint32_t stream, enum ttrpc_code code,
                  const char *fmt, ...);
/** The answer to a request whose deadline has passed. */
void ttrpc_conn_time_out(struct ttrpc_conn *c, uint32_t stream);
/** A job came back: answer and forget it, now or later. */
void ttrpc_conn_job_done(struct ttrpc_job *job, int64_t now);

/** A whole frame stands in c->in. In ttrpc_dispatch.c. */
void ttrpc_conn_frame(struct ttrpc_conn *c);
/** True when that time of CLOCK_MONOTONIC has come; INT64_MAX never does. */
bool ttrpc_is_late(int64_t until_ns);

/** What dispatch needs of the server. */
const struct ttrpc_server_config *
ttrpc_server_config(const struct ttrpc_server *s);
struct ttrpc_pool *ttrpc_server_pool(struct ttrpc_server *s);

#endif
