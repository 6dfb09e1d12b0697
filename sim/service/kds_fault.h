/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What a key server does wrong on purpose, so that clients can be tested: rate
 * limits, and the faults of plans (host/FAULTS.md, "key-server").
 * Spec: abi/certs-kds.md §2.3, §2.4.
 */
#ifndef SERVICE_KDS_FAULT_H
#define SERVICE_KDS_FAULT_H

#include "fault_plan.h"
#include "kds.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define KDS_SEQ_MAX 4u

/** All zero: nothing. */
struct kds_faults {
    unsigned int rate_seconds; /* one request in so many seconds for each URL,
                                * then 429 with Retry-After; 0: no limit */
    /** Events of FAULT_AT_KEY_SERVER, borrowed; the first NULL ends the list.
     * Each plan is asked about each request, so that one request may get a
     * fault of each. */
    struct fault_seq *seqs[KDS_SEQ_MAX];
    /** One line for each fault applied. From several threads. May be NULL. */
    void (*applied)(void *ctx, const char *line);
    void *ctx;
};

#define KDS_BUCKET_COUNT 1024u

/** One server's memory. */
struct kds_fault_state {
    struct kds_faults faults;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
    uint64_t answered;            /* requests */
    struct fault_history history; /* of answers, for replays */
    struct kds_bucket {
        uint64_t hash;
        int64_t next_ms; /* free again at this time */
    } buckets[KDS_BUCKET_COUNT];
};

void kds_fault_init(struct kds_fault_state *s, const struct kds_faults *faults);
/** End all waiting, now and later. */
void kds_fault_stop(struct kds_fault_state *s);
void kds_fault_clear(struct kds_fault_state *s);

/** Wait, unless stopped. */
void kds_fault_pause(struct kds_fault_state *s, unsigned int ms);

/** Seconds, rounded up, until @url may be asked for again at @now_ms (any
 * clock); 0: now, and it is counted. Two URLs that meet in the table free each
 * other: the limit never hits the wrong one. */
unsigned int kds_fault_throttle(struct kds_fault_state *s, const char *url,
                                int64_t now_ms);

/** The faults of one request; at most one of each plan. */
struct kds_harm {
    struct fault_hit hits[KDS_SEQ_MAX];
    size_t count;
    uint64_t seen; /* answered requests when this one came */
};

/** A request came: count it, and say what is to be done to it. */
void kds_fault_event(struct kds_fault_state *s, const struct kds_ask *ask,
                     struct kds_harm *harm);
/** The fault of that kind, or NULL. */
const struct fault_hit *kds_harm_has(const struct kds_harm *harm,
                                     enum fault_kind kind);

/**
 * Delay, and the answer that a fault puts in the place of what was asked for:
 * a status, an earlier answer, the answer to another question.
 *
 * @ask          Changed to what is to be asked instead.
 * @retry_after  Filled when the header is to be sent; else empty.
 *
 * True when @out is the answer; false: ask @ask.
 */
bool kds_fault_before(struct kds_fault_state *s, const struct kds_harm *harm,
                      struct kds_ask *ask, char retry_after[16],
                      struct kds_answer *out);
/** Remember an answer for replays, then spoil it (FLIP, HTML; of status 200
 * only), then hold it back (REORDER). */
void kds_fault_after(struct kds_fault_state *s, const struct kds_harm *harm,
                     bool honest, struct kds_answer *answer);
/** The request has been answered, or never will be. */
void kds_fault_done(struct kds_fault_state *s);

#endif
