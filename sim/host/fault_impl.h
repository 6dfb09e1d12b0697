/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the files of fault plans share.
 */
#ifndef HOST_FAULT_IMPL_H
#define HOST_FAULT_IMPL_H

#include "fault_plan.h"

#include <pthread.h>
#include <stdatomic.h>

#define FAULT_SEED_MAX 128u
#define FAULT_CERTAIN  1000000000u /* probability 1 */

/** Conditions: exactly one of the first three is not zero. */
struct fault_when {
    uint64_t request;
    uint64_t every;
    uint64_t probability;     /* of FAULT_CERTAIN */
    char *by[FAULT_BY_COUNT]; /* owned; NULL: whatever it is */
    bool by_handle;
    uint64_t handle;
};

struct fault_rule {
    struct fault_when when;
    struct fault fault;
    uint64_t fits, hits;
};

/** The faults of one text. */
struct fault_rules {
    char seed[FAULT_SEED_MAX + 1];
    struct fault_rule *rules;
    size_t count;
    unsigned int places; /* bit n: has faults of place n */
};

struct fault_plan {
    pthread_mutex_t lock; /* guards @rules, @generation and all sequences */
    struct fault_rules *rules;   /* never NULL */
    uint64_t generation;         /* changes with the rules */
    atomic_uint places;          /* as in the rules */
    pthread_mutex_t guests_lock; /* guards the guests and all that is theirs;
                                  * taken before @lock */
    struct fault_guest *guests;  /* list */
};

/** 0, -EINVAL, -ENOMEM, as fault_plan_parse(). */
int fault_rules_parse(const char *text, size_t size, struct fault_rules **out,
                      char *error);
/** Back to no faults at all. */
void fault_rules_clear(struct fault_rules *rules);
/** NULL is fine. */
void fault_rules_free(struct fault_rules *rules);

/* --- fault_table.c: what each place has --- */

/** Members of a fault; the order is that of fault_member_name(). */
enum fault_member {
    FAULT_HAS_PART,
    FAULT_HAS_OFFSET,
    FAULT_HAS_BITS,
    FAULT_HAS_SIZE,
    FAULT_HAS_BACK,
    FAULT_HAS_FROM,
    FAULT_HAS_SEQNO,
    FAULT_HAS_MS,
    FAULT_HAS_TIMES,
    FAULT_HAS_ERROR,
    FAULT_HAS_STATUS,
    FAULT_HAS_PAGES,
    FAULT_HAS_CODE,
    FAULT_HAS_RETRY_AFTER,
    FAULT_MEMBER_COUNT,
};

/** One kind at one place. */
struct fault_row {
    enum fault_place at;
    enum fault_kind kind;
    unsigned int members;  /* bits of enum fault_member */
    unsigned int required; /* likewise */
    unsigned int parts;    /* bits of enum fault_part */
    uint64_t code_min, code_max;
};

/** NULL: the place has no such fault. */
const struct fault_row *fault_row_find(enum fault_place at,
                                       enum fault_kind kind);
const char *fault_member_name(enum fault_member member);
/** Name of a filter, and its values (NULL-terminated), or NULL for free text.
 */
const char *fault_by_name(enum fault_by by);
const char *const *fault_by_values(enum fault_by by);
/** Does the place have that filter; the filter "handle"? */
bool fault_place_by(enum fault_place at, enum fault_by by);
bool fault_place_by_handle(enum fault_place at);
/** Largest offset, or size of a truncation, in that part. */
uint64_t fault_place_limit(enum fault_place at, enum fault_part part);

#endif
