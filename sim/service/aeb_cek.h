/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The chip's CEK with AMD's signature: from a key server, or from the keys of
 * this installation. Kept once it has been found to be this chip's.
 *
 * A thread of its own asks, one for each chip, and all who want that chip's
 * wait for it without one: a key server that hangs holds nobody else up. When
 * the server says to come back later (429, 503), those whose time allows wait,
 * at most three times; the others are told at once, and nobody asks before.
 * Thread-safe. Spec: abi/aeb.md §1.4.
 */
#ifndef SERVICE_AEB_CEK_H
#define SERVICE_AEB_CEK_H

#include "aeb_device.h"
#include "aeb_http.h"
#include "kds.h"

#include <stdatomic.h>

struct aeb_cek_config {
    const struct aeb_url *url; /* copied; NULL: ask @local */
    struct aeb_trust *trust;   /* borrowed; for https */
    struct kds *local;         /* borrowed */
    int connect_ms;            /* 0: 5 s */
    int request_ms;            /* one request and its answer; 0: 10 s */
    int total_ms;              /* nobody waits longer; 0: 30 s */
    /** One line for each request that failed; any thread. May be NULL. */
    void (*log)(void *ctx, const char *line);
    void *log_ctx;
};

struct aeb_cek;

/** 0 or -ENOMEM. */
int aeb_cek_open(const struct aeb_cek_config *config, struct aeb_cek **out);
/** Nobody waits any more; requests under way end. NULL is fine. */
void aeb_cek_close(struct aeb_cek *cek);

/** One who wants a certificate. */
struct aeb_cek_wait {
    uint8_t id[AEB_CHIP_ID_SIZE];
    uint8_t exported[SEV_CERT_SIZE]; /* the firmware's: the same key */
    const atomic_bool *cancelled;    /* no longer wanted */
    int64_t deadline;                /* monotonic_ms(); INT64_MAX: none */
    void (*wake)(void *ctx);         /* must not call back */
    void *ctx;
    /* The answer: */
    bool done;
    uint32_t error; /* 0, AEB_ERROR_KDS + an HTTP status, or AEB_KDS_* */
    uint8_t cert[SEV_CERT_SIZE];
    struct aeb_cek_wait *next; /* the cek's */
};

/** True: @w has its answer. False: wake() is called once it has, perhaps before
 * this returns. */
bool aeb_cek_ask(struct aeb_cek *cek, struct aeb_cek_wait *w);
/** It is not woken any more. */
void aeb_cek_forget(struct aeb_cek *cek, struct aeb_cek_wait *w);

#endif
