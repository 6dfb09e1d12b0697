/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the files of fault plans share.
 */
#ifndef HOST_FAULT_IMPL_H
#define HOST_FAULT_IMPL_H

#include "fault_plan.h"

#include <pthread.h>

#define FAULT_MAX      256u
#define FAULT_SEED_MAX 128u
#define FAULT_CERTAIN  1000000000u /* probability 1 */
#define FAULT_BACK_MAX 8u
#define FAULT_CERT_MAX 0x4000u /* largest certificate buffer of a driver */

enum fault_kind {
    FAULT_FLIP,
    FAULT_TRUNCATE,
    FAULT_REPLAY,
    FAULT_SUBSTITUTE,
    FAULT_SWAP_SEQNO,
    FAULT_ZERO_RESPONSE,
    FAULT_DROP,
    FAULT_REORDER,
    FAULT_DELAY,
    FAULT_BUSY,
    FAULT_VMM_ERROR,
    FAULT_FIRMWARE_ERROR,
    FAULT_CERTS_TOO_SMALL,
    FAULT_GHCB_ERROR,
};

enum fault_part { FAULT_REQUEST, FAULT_RESPONSE, FAULT_CERTS };

/** Conditions: exactly one of the first three is not zero. */
struct fault_when {
    uint64_t request;
    uint64_t every;
    uint64_t probability; /* of FAULT_CERTAIN */
    uint32_t exit_code;   /* 0: any */
    char guest[64];       /* "": any */
};

struct fault {
    struct fault_when when;
    enum fault_kind kind;
    enum fault_part part;
    bool place_given, bits_given, seqno_given;
    uint64_t place; /* offset of flip, size of truncate */
    uint64_t bits;
    uint64_t seqno;
    uint64_t back;
    uint64_t ms;
    uint64_t times;
    uint64_t pages;  /* 0: one more than offered */
    uint64_t code;   /* GHCB error */
    uint64_t answer; /* SW_EXITINFO2 */
    char from[64];   /* "": zeros */
};

struct fault_plan {
    char seed[FAULT_SEED_MAX + 1];
    struct fault *faults;
    size_t count;
    pthread_mutex_t lock;       /* guards the guests and all that is theirs */
    struct fault_guest *guests; /* list */
};

const char *fault_kind_name(enum fault_kind kind);

#endif
