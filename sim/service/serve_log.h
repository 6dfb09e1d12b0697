/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The daemon's log: one line each on standard error, "swpsp serve: LEVEL: ...";
 * under systemd (JOURNAL_STREAM is set) with the journal's "<N>" prefix instead
 * of the level's name. Bytes that could break a line become '?'. Thread-safe.
 */
#ifndef SERVICE_SERVE_LOG_H
#define SERVICE_SERVE_LOG_H

#include <stdbool.h>

enum serve_level { SERVE_ERROR, SERVE_WARNING, SERVE_INFO, SERVE_DEBUG };

/** Lines above @most are dropped (default SERVE_INFO). */
void serve_log_level(enum serve_level most);
/** "error", "warning", "info", "debug"; -1: unknown. */
int serve_level_by_name(const char *name);

void serve_log(enum serve_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
