/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The daemon around one platform: a unix control socket, a thread for each
 * connection, and a loop that ends with SIGTERM, SIGINT or the "shutdown"
 * operation. The protocol is in CONTROL.md.
 *
 * Peers cannot hold each other up: every step of a request has a deadline, what
 * all of them together may send is bounded, and when all places are taken a
 * connection of the user who has most of them makes room.
 */
#ifndef SERVICE_SERVE_H
#define SERVICE_SERVE_H

#include "serve_attach.h"
#include "serve_guests.h"
#include "serve_trace.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** Connections at once. */
#define SERVE_CONNS_MAX 128u

struct serve_config {
    struct serve_platform platform;
    struct serve_guests *guests; /* borrowed, as all of these */
    struct chardev sev;          /* the host's /dev/sev; ops NULL: none */
    struct fault_plan *faults;   /* what the host follows */
    struct serve_trace *trace;
    serve_ioctl traced; /* used while somebody follows the trace */
    void *traced_ctx;
    int listener; /* borrowed */
    /** Who may connect besides root and this process's user. */
    uid_t owner; /* who started the daemon */
    bool group_en;
    gid_t group;
    bool anybody;   /* the socket's mode lets others in */
    bool insecure;  /* public seed, for "status" */
    int request_ms; /* how long a request may take to arrive; 0: 10 s */
    int idle_ms;    /* between requests; 0: 60 s */
    int stall_ms;   /* each step of an attached ioctl; 0: 30 s */
    /** The loop runs: tell the service manager. May be NULL. */
    void (*ready)(void *ctx);
    void *ctx;
};

/** Make the listening socket and, when it is missing, the folder it is in; both
 * become @owner's and @group's. A socket file that nobody listens on is
 * replaced; -EADDRINUSE when somebody does. @error: SERVE_ERROR_SIZE. Returns a
 * descriptor or a negative errno. */
int serve_listen(const char *path, mode_t mode, uid_t owner, gid_t group,
                 char *error);

/** Block the signals that the loop takes; before any thread is made. Returns
 * the signalfd or a negative errno. */
int serve_signals(void);

/** Serve until told to end; all connections are closed when it returns. 0 or a
 * negative errno. */
int serve_run(const struct serve_config *config, int signals);

#endif
