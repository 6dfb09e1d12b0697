/* SPDX-License-Identifier: Apache-2.0 */
/**
 * --faults: the hypervisor of the guest follows a fault plan.
 */
#ifndef CLI_RUN_FAULTS_H
#define CLI_RUN_FAULTS_H

#include "fault_plan.h"
#include "platform.h"

struct run_faults;

/** Read and parse the plan in @path ("-": standard input). False after one line
 * on stderr; run_faults_free() in any case. */
bool run_faults_load(const char *path, struct run_faults **out);

/** The plan, for what else of the run applies faults; borrowed. NULL for NULL.
 */
struct fault_plan *run_faults_plan(const struct run_faults *f);

/** Apply it to the platform's guest from now on; each fault applied is a line
 * of @trace (may be NULL). False after one line on stderr. */
bool run_faults_start(struct run_faults *f, struct platform *p,
                      struct trace *trace);

/** After platform_close() and run_kds_stop(). NULL is fine. */
void run_faults_free(struct run_faults *f);

#endif
