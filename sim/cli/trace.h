/* SPDX-License-Identifier: Apache-2.0 */
/**
 * --trace: one line for each ioctl and each mailbox command, decoded, with its
 * outcome, like strace. Prints what really crossed the boundary: nothing is
 * read a second time.
 */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H

#include "chardev.h"
#include "machine.h"

#include <stdio.h>

struct trace;

/** Lines go to @out, which stays the caller's. NULL when out of memory. */
struct trace *trace_new(FILE *out);
void trace_free(struct trace *trace);

/** @dev with every ioctl traced; valid until trace_free(). At most 8 devices;
 * returns @dev itself beyond. */
struct chardev trace_chardev(struct trace *trace, struct chardev dev);

/** For struct machine_config. */
struct machine_trace trace_machine(struct trace *trace);

#endif
