/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What a key server does wrong on purpose, so that clients can be tested: rate
 * limits, slowness, failures, and answers that must not be believed.
 * Spec: abi/certs-kds.md §2.3, §2.4.
 */
#ifndef SERVICE_KDS_FAULT_H
#define SERVICE_KDS_FAULT_H

#include "kds.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum kds_hostile {
    KDS_HONEST,
    KDS_TRUNCATE,  /* announce the whole body, send half of it, hang up */
    KDS_FLIP,      /* one bit in the middle of the body */
    KDS_DROP,      /* hang up without an answer */
    KDS_HTML,      /* status 200 and a page for people, as captive portals do */
    KDS_HUGE,      /* 64 MiB of zeros after the body */
    KDS_TRICKLE,   /* a byte of the body every 50 ms */
    KDS_MISDIRECT, /* leaves of another TCB, chains reversed */
    KDS_HOSTILE_COUNT,
};

/** "truncate", "flip", ...; KDS_HOSTILE_COUNT when there is none. */
enum kds_hostile kds_hostile_by_name(const char *name);

/** All zero: nothing. KDS_MISDIRECT is struct kds_config's misdirect. */
struct kds_faults {
    unsigned int rate_seconds; /* one request in so many seconds for each URL,
                                * then 429 with Retry-After; 0: no limit */
    unsigned int slow_ms;      /* wait before each answer */
    unsigned int fail_status;  /* answer with this status ... */
    unsigned int fail_every;   /* ... each n-th request; 0: every one */
    enum kds_hostile hostile;  /* spoils answers of status 200 only */
};

#define KDS_BUCKET_COUNT 1024u

/** One server's counters. */
struct kds_fault_state {
    struct kds_faults faults;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
    unsigned int requests;
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

/** Count a request; the status to fail with, or 0. */
unsigned int kds_fault_status(struct kds_fault_state *s);

/** Spoil the body of an answer of status 200 where that takes no network:
 * KDS_FLIP, KDS_HTML. */
void kds_fault_spoil(const struct kds_fault_state *s,
                     struct kds_answer *answer);

#endif
