/* SPDX-License-Identifier: Apache-2.0 */
/**
 * --faults: what run and serve do with a fault plan.
 */
#ifndef CLI_FAULTS_H
#define CLI_FAULTS_H

#include "fault_host.h"
#include "trace.h"

/** Exit status of a platform that a plan made to crash. */
#define EXIT_CRASHED 70

/** A host that follows @plan; each fault applied is a line of @trace (may be
 * NULL), and a crash ends this process at once. 0 or -ENOMEM. */
int faults_host_new(struct fault_plan *plan, struct machine *m,
                    struct trace *trace, struct fault_host **out);

#endif
