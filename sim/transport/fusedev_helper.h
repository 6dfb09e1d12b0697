/* SPDX-License-Identifier: Apache-2.0 */
/**
 * fusermount3, libfuse's set-user-ID helper (Debian's package fuse3): it mounts
 * for an ordinary user who may open /dev/fuse, over a place that is his own.
 * A process that waits for the end of this one has it unmount.
 *
 * Who sees the mount: the user alone; others too, as the modes say, where
 * /etc/fuse.conf has user_allow_other.
 */
#ifndef TRANSPORT_FUSEDEV_HELPER_H
#define TRANSPORT_FUSEDEV_HELPER_H

#include <stdbool.h>

struct fusedev_helper {
    bool watched;
    int life;  /* closed: unmount */
    int voice; /* hangs up when that is done */
};

/**
 * Mount. @why: FUSEDEV_ERROR_SIZE bytes, what it said against it, one line;
 * empty on entry, and so when it could not be started.
 *
 * Returns the descriptor of the FUSE connection, or a negative errno: -ENOENT
 * there is no fusermount3, -EPERM it has refused, ...
 */
int fusedev_helper_mount(struct fusedev_helper *h, const char *path, char *why);

/** Have it unmount, and wait until it has. To be called once the connection is
 * closed. Nothing without a helper. */
void fusedev_helper_end(struct fusedev_helper *h);

/** Have it unmount what a server that is gone has left. 0 or a negative errno.
 */
int fusedev_helper_clean(const char *path);

#endif
