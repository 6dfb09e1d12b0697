/* SPDX-License-Identifier: Apache-2.0 */
/**
 * How this process comes to mount a FUSE file system: as it is, by fusermount3,
 * or in a mount namespace of its own, which only its children see and those who
 * join it (nsenter).
 *
 * A throw-away child tries everything first, so that a refusal leaves this
 * process as it was. Call it before there are threads.
 */
#ifndef TRANSPORT_FUSEDEV_PLACE_H
#define TRANSPORT_FUSEDEV_PLACE_H

#include "fusedev.h"

/** In this order. */
enum fusedev_way {
    FUSEDEV_AS_IT_IS,
    FUSEDEV_HELPER,
    FUSEDEV_NAMESPACE,
    FUSEDEV_USER_NAMESPACE, /* the user keeps his id */
};

/** Enter the namespaces of @way, if it is one of those. 0 or a negative errno.
 */
int fusedev_enter(enum fusedev_way way);

/**
 * Find the first way from @way on in which @attempt works, and enter it.
 *
 * @attempt  Called in a child that has entered @way: 0 or a negative errno; it
 *           leaves nothing.
 * @alone    Out: a namespace was entered, others see nothing of it.
 *
 * Returns 0 or the negative errno of the last way.
 */
int fusedev_choose(enum fusedev_way way,
                   int (*attempt)(enum fusedev_way way, const void *ctx),
                   const void *ctx, bool *alone);

/**
 * fusedev_choose() for a mount over the directory @dir.
 *
 * @error  FUSEDEV_ERROR_SIZE bytes: one line on failure, without newline.
 *
 * Returns 0 or a negative errno: -ENOENT, -ENOTDIR, ... of @dir. Where no way
 * works it returns 0 as well, and what then mounts says why not.
 */
int fusedev_place(const char *dir, bool *alone, char *error);

#endif
