/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Answer one notification: which call it is, whether it concerns an object of
 * ours, and what Linux would have answered.
 */
#ifndef TRANSPORT_RUN_SERVE_H
#define TRANSPORT_RUN_SERVE_H

#include "run_filter.h"
#include "run_table.h"

#include <stdatomic.h>

struct run_server {
    const struct run_config *config;
    const struct run_table *table;
    struct run_calls calls;
    int listener;
    /** Nodes were opened: until then no descriptor can be ours. */
    atomic_bool opened;
    atomic_bool warned;
};

/** Thread-safe. A client that is gone by the time of the answer is no error. */
void run_serve(struct run_server *s, const struct seccomp_notif *n);

#endif
