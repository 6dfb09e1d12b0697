/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Trace lines on their way to those who follow them. The last lines are kept in
 * a ring; a follower that is too slow loses lines and is told how many. Nobody
 * ever waits for a follower. Thread-safe.
 */
#ifndef SERVICE_SERVE_TRACE_H
#define SERVICE_SERVE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct serve_trace;

#define SERVE_TRACE_LINES 1024u

struct serve_trace *serve_trace_new(void);
void serve_trace_free(struct serve_trace *t);

/** True while somebody follows: otherwise nothing need be formatted. */
bool serve_trace_wanted(const struct serve_trace *t);
/** Add one line, without newline. */
void serve_trace_add(struct serve_trace *t, const char *line, size_t size);

/** Start and stop to follow; a follower sees what comes after its start. */
uint64_t serve_trace_follow(struct serve_trace *t);
void serve_trace_unfollow(struct serve_trace *t);
/** Wake all followers for good. */
void serve_trace_end(struct serve_trace *t);

/**
 * Wait for the line number *@at, at most @ms. Returns 1 with *line (free()) and
 * *lost (lines that were dropped before it), *at moved on; 0: none came; -1:
 * the end, or out of memory.
 */
int serve_trace_next(struct serve_trace *t, uint64_t *at, unsigned int ms,
                     char **line, uint64_t *lost);

#endif
