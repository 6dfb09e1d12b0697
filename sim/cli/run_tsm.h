/* SPDX-License-Identifier: Apache-2.0 */
/**
 * `swpsp run --tsm`: report entries of configfs-tsm for the program, on the
 * guest's own device.
 */
#ifndef CLI_RUN_TSM_H
#define CLI_RUN_TSM_H

#include "serve_guests.h"

#include <stdbool.h>

struct run_tsm;

/**
 * Choose the place, and enter the namespaces that it takes. Before there are
 * threads, and before the namespaces of --kds.
 *
 * @dir    Where to mount; NULL: /sys/kernel/config/tsm/report.
 * @force  Cover what is there.
 *
 * Returns false after one line on stderr.
 */
bool run_tsm_prepare(const char *dir, bool force, struct run_tsm **out);

/** Ask a daemon for its guest @name. False after one line on stderr. */
bool run_tsm_ask(const char *socket, const char *name,
                 struct serve_driver *guest);

/** Mount, with reports from @dev. False after one line on stderr: the guest's
 * kernel is older than configfs-tsm, or it cannot be mounted. */
bool run_tsm_start(struct run_tsm *t, struct chardev dev,
                   const struct serve_driver *guest);

/** Unmount. After it the device may end. NULL is fine. */
void run_tsm_stop(struct run_tsm *t);
/** run_tsm_stop() and free. NULL is fine. */
void run_tsm_free(struct run_tsm *t);

#endif
