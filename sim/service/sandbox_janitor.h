/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A helper process that stays root when the daemon gives root up, and whose
 * only business is to remove, when the daemon has ended (however it has), what
 * the daemon's user may not, or a killed daemon could not: its socket, its pid
 * file, its mounts. It reads a pipe and can do nothing but statfs(2), unlink(2)
 * and umount2(2).
 */
#ifndef SERVICE_SANDBOX_JANITOR_H
#define SERVICE_SANDBOX_JANITOR_H

#include <stddef.h>
#include <sys/types.h>

enum sandbox_kind {
    LEFTOVER_FILE,  /* is unlinked */
    LEFTOVER_FUSE,  /* is unmounted if its server is gone */
    LEFTOVER_MOUNT, /* is unmounted */
};

struct sandbox_leftover {
    enum sandbox_kind kind;
    const char *path;
};

/** Most of them. */
#define LEFTOVERS_MAX 120u

struct sandbox_janitor {
    pid_t pid; /* 0: none */
    int pipe;
};

/** Start it while the caller has one thread. @all: what may come to be ours, at
 * most LEFTOVERS_MAX, to be removed in this order; borrowed for the call. 0 or
 * a negative errno. */
int sandbox_janitor_start(struct sandbox_janitor *j,
                          const struct sandbox_leftover *all, size_t count);
/** That one is ours now; or is gone already. Without a janitor: nothing. */
void sandbox_janitor_owns(const struct sandbox_janitor *j, size_t i);
void sandbox_janitor_gone(const struct sandbox_janitor *j, size_t i);
/** Have it work, and wait for its end. */
void sandbox_janitor_finish(struct sandbox_janitor *j);

#endif
