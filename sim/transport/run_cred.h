/* SPDX-License-Identifier: Apache-2.0 */
/**
 * May a waiting thread do this to an object? Linux's rule for permission bits,
 * with the thread's credentials as /proc/TID/status shows them.
 */
#ifndef TRANSPORT_RUN_CRED_H
#define TRANSPORT_RUN_CRED_H

#include "run_table.h"

/**
 * @want  R_OK, W_OK, X_OK bits; 0 is always allowed.
 * @real  Judge by the real ids, as access(2) does, not by the file system ids.
 *
 * False as well when the credentials cannot be read.
 */
bool run_cred_allows(pid_t tid, const struct run_object *o, int want,
                     bool real);

/** Owner, or privileged over files of others (CAP_FOWNER). */
bool run_cred_owns(pid_t tid, const struct run_object *o);

#endif
