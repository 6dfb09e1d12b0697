/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Signals that reach the supervisor while the program runs. A helper process in
 * the same process group, which blocks them all, tells those that were sent to
 * the whole group (the program has them already) from those that were sent to
 * the supervisor alone (to be forwarded).
 */
#ifndef TRANSPORT_RUN_SIGNAL_H
#define TRANSPORT_RUN_SIGNAL_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct run_signals {
    int fd;      /* readable when a signal or an ended child waits */
    int witness; /* socket to the helper */
    pid_t witness_pid;
    uint64_t seen; /* bit per signal: it came to the group, not yet to us */
    sigset_t old_mask;
    struct sigaction old_chld, old_urg;
};

/** Block the signals and start the helper. 0 or a negative errno. */
int run_signals_start(struct run_signals *s);

/** In the program, between fork and exec: as the caller had them. */
void run_signals_in_child(const struct run_signals *s);

/**
 * Take what waits on fd and pass it on: to @program while @program_lives, to
 * all children of this process afterwards.
 */
void run_signals_forward(struct run_signals *s, pid_t program,
                         bool program_lives);

/** Send @sig to every child of this process but the helper and those in process
 * group @except (0: none). */
void run_signals_to_children(const struct run_signals *s, int sig,
                             pid_t except);

/** End the helper, drop what still waits, restore. */
void run_signals_stop(struct run_signals *s);

#endif
