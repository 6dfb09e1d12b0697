/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Start the program under the filter: fork, filter, hand the listener over,
 * exec.
 */
#ifndef TRANSPORT_RUN_CHILD_H
#define TRANSPORT_RUN_CHILD_H

#include "run_signal.h"

#include <linux/filter.h>

struct run_child {
    pid_t pid;
    int listener; /* owned by the caller after run_child_start() */
    int report;   /* used by run_child_started() */
};

/**
 * Fork; on success the child goes on to exec by itself and its trapped calls
 * wait on the listener. Returns 0, or a negative errno with one line in @error
 * (RUN_ERROR_SIZE); then there is no child.
 */
int run_child_start(struct run_child *child, const struct sock_fprog *filter,
                    const struct run_signals *signals, char *const *argv,
                    char *error);

/** Wait until exec has succeeded (0) or failed: a negative errno; the child has
 * then been waited for. */
int run_child_started(struct run_child *child);

#endif
