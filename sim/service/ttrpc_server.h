/* SPDX-License-Identifier: Apache-2.0 */
/**
 * ttrpc server for unary methods: one thread moves bytes for every connection
 * (epoll), a small pool runs what may block. A slow, silent or hostile peer
 * costs others nothing but its bounded share. Spec: abi/aeb.md §3.
 *
 * Answers to requests of one connection may come in any order. A deadline
 * (timeout_nano) is kept although the method is still at work; its answer is
 * dropped then.
 */
#ifndef SERVICE_TTRPC_SERVER_H
#define SERVICE_TTRPC_SERVER_H

#include "ttrpc_msg.h"

#include <stdatomic.h>
#include <sys/types.h>

/** Whose connection this is, as far as the kernel vouches for it. */
struct ttrpc_peer {
    int family;      /* AF_VSOCK, AF_UNIX */
    uint32_t cid;    /* AF_VSOCK */
    bool have_uid;   /* AF_UNIX */
    uid_t uid;       /* of the process that connected */
    size_t listener; /* tag of the socket that it came by */
};

struct ttrpc_job;
struct ttrpc_call {
    const struct ttrpc_peer *peer;
    struct ttrpc_bytes payload;
    const atomic_bool *cancelled; /* nobody waits for the answer any more */
    int64_t deadline;             /* CLOCK_MONOTONIC, ms; INT64_MAX: none */
    /* A slow method that waits for something outside needs no thread for that:
     * it leaves what it has in *kept, sets reply->parked and returns. After
     * ttrpc_unpark(job) it is run again, with *kept as it left it. */
    void **kept;
    struct ttrpc_job *job;
};

/** From any thread, once for each time that the method parked; may come before
 * the method has returned. */
void ttrpc_unpark(struct ttrpc_job *job);

#define TTRPC_MESSAGE_SIZE 256u
/** Zeros: success with an empty payload. */
struct ttrpc_reply {
    enum ttrpc_code code;
    char message[TTRPC_MESSAGE_SIZE]; /* only when code is not OK */
    uint8_t *payload;                 /* malloc(); the server frees it */
    size_t size;
    bool parked; /* no answer yet */
    /* Answers of a server that means it no good; of slow methods only. */
    bool drop;             /* none: the connection is closed */
    unsigned int later_ms; /* after that time */
    bool hold;             /* after the next one of this connection, or 10 s */
};

struct ttrpc_method {
    const char *name;
    bool slow; /* on the pool; else on the thread that serves everybody */
    void (*run)(void *ctx, const struct ttrpc_call *call,
                struct ttrpc_reply *reply);
    /* The method is not run again: free what it kept, and see to it that
     * nobody unparks it. Called when something is kept at the end. */
    void (*drop)(void *ctx, void *kept);
};

#define TTRPC_CONNECTIONS 1024u
struct ttrpc_server_config {
    const char *const *services; /* each has all methods */
    size_t service_count;
    const struct ttrpc_method *methods;
    size_t method_count;
    void *ctx;
    /* 0: the default */
    size_t max_connections; /* TTRPC_CONNECTIONS */
    size_t max_per_cid;     /* 4 */
    size_t workers;         /* 4 */
    size_t max_input;       /* 64 MiB: memory of all requests that are not whole
                             * or wait, beyond 64 KiB for each connection */
    int idle_ms;  /* 30 s: silence in a frame, or output nobody takes */
    int drain_ms; /* 5 s: from stop to the end */
};

struct ttrpc_server;

/** 0 or a negative errno. @config's strings, tables and ctx are borrowed. */
int ttrpc_server_open(const struct ttrpc_server_config *config,
                      struct ttrpc_server **out);
/** Serve a listening socket as well, which is the server's from now on, even on
 * failure. Before run. */
int ttrpc_server_listen(struct ttrpc_server *s, int fd, size_t tag);
/** Until stop: then no new connection or request is taken, those under way are
 * answered. 0 or a negative errno. */
int ttrpc_server_run(struct ttrpc_server *s);
/** From any thread or signal handler. */
void ttrpc_server_stop(struct ttrpc_server *s);
/** After run has returned. NULL is fine. */
void ttrpc_server_close(struct ttrpc_server *s);

#endif
