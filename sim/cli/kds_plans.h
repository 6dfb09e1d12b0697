/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What a key server does wrong, from the command line: the plan of --faults,
 * and
 * --slow, --fail and --hostile, which are short for plans of one entry. They
 * apply side by side, each as if it were alone.
 */
#ifndef CLI_KDS_PLANS_H
#define CLI_KDS_PLANS_H

#include "kds_fault.h"

/** All zero: none. */
struct kds_plans {
    struct fault_plan *plans[KDS_SEQ_MAX]; /* owned, but for @shared */
    struct fault_seq *seqs[KDS_SEQ_MAX];
    size_t count;
    size_t shared; /* bit n: plan n is borrowed */
};

/** Each is true, or false after one line on stderr. An option that is given
 * twice counts twice; KDS_SEQ_MAX at most. */
bool kds_plans_file(struct kds_plans *p, const char *path);
/** A plan that is in use elsewhere too. NULL: none. */
bool kds_plans_share(struct kds_plans *p, struct fault_plan *plan);
bool kds_plans_slow(struct kds_plans *p, const char *ms);
/** "503", or "503/2": every second request. */
bool kds_plans_fail(struct kds_plans *p, const char *arg);
/** "flip", ... */
bool kds_plans_hostile(struct kds_plans *p, const char *how);

/** To the configuration of a server that ends before @p. */
void kds_plans_use(const struct kds_plans *p, struct kds_faults *faults);
void kds_plans_clear(struct kds_plans *p);

#endif
