/* SPDX-License-Identifier: Apache-2.0 */
/** --faults FILE of every command. */
#ifndef CLI_PLAN_FILE_H
#define CLI_PLAN_FILE_H

#include "fault_plan.h"

/** Read and parse the plan in @path ("-": standard input). @command: "run", for
 * the one line on stderr, after which it returns false. */
bool plan_file_load(const char *command, const char *path,
                    struct fault_plan **out);

#endif
