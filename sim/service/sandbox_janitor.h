/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A helper process that stays root when the daemon gives root up, and whose
 * only business is to remove, when the daemon has ended (however it has), what
 * the daemon's user may not: its socket, its pid file, its mounts. It reads a
 * pipe and can do nothing but unlink(2) and umount2(2).
 */
#ifndef SERVICE_SANDBOX_JANITOR_H
#define SERVICE_SANDBOX_JANITOR_H

#include <sys/types.h>

enum sandbox_leftover {
    LEFTOVER_SOCKET,
    LEFTOVER_PID_FILE,
    LEFTOVER_MOUNT, /* this and what follows is unmounted, not unlinked */
    LEFTOVER_SEV,
    LEFTOVER_SEV_GUEST,
    LEFTOVER_COUNT,
};

struct sandbox_janitor {
    pid_t pid; /* 0: none */
    int pipe;
};

/** Start it while the caller has one thread. @paths: LEFTOVER_COUNT, borrowed
 * for the call; NULL where there is none. 0 or a negative errno. */
int sandbox_janitor_start(struct sandbox_janitor *j,
                          const char *const paths[LEFTOVER_COUNT]);
/** That path is ours now; or is gone already. Without a janitor: nothing. */
void sandbox_janitor_owns(const struct sandbox_janitor *j,
                          enum sandbox_leftover what);
void sandbox_janitor_gone(const struct sandbox_janitor *j,
                          enum sandbox_leftover what);
/** Have it work, and wait for its end. */
void sandbox_janitor_finish(struct sandbox_janitor *j);

#endif
