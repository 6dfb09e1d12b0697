/* SPDX-License-Identifier: Apache-2.0 */
/**
 * --trace: one line for each ioctl and each mailbox command, decoded, with its
 * outcome, like strace. Prints what really crossed the boundary: nothing is
 * read a second time.
 */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H

#include "ccp.h"
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

/** One line of another kind: "@what @text". */
void trace_line(struct trace *trace, const char *what, const char *text);

/** What the numbers of /dev/sev mean; mainline's until this is called. */
void trace_sev(struct trace *trace, const struct ccp_config *config);

/** One ioctl on @dev, traced: for devices that come and go. */
int64_t trace_ioctl(struct trace *trace, const struct chardev *dev,
                    bool writable, uint32_t request, uint64_t arg,
                    struct umem *um);

/** Trace only while @wanted says so. */
void trace_when(struct trace *trace, bool (*wanted)(void *ctx), void *ctx);

/** For struct machine_config. */
struct machine_trace trace_machine(struct trace *trace);

#endif
