/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The fault plan of a running platform, for the control socket.
 */
#ifndef SERVICE_SERVE_FAULTS_H
#define SERVICE_SERVE_FAULTS_H

#include "fault_plan.h"
#include "state_store.h"

#include <jansson.h>

/** {"faults": [{"at", "do", "fits", "applied"}...]} in the order of the plan.
 * New reference; NULL: out of memory. */
json_t *serve_faults_show(struct fault_plan *plan);

/** Put a plan (an object) in force. 0; -EINVAL or -ENOMEM with @error
 * (SERVE_ERROR_SIZE), and the old plan stays. */
int serve_faults_set(struct fault_plan *plan, const json_t *text, char *error);

#endif
