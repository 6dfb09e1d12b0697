/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The real place of report entries, /sys/kernel/config/tsm/report. sysfs takes
 * no new directories, so a tmpfs covers the last folder that exists, and all
 * that was in it shows through.
 */
#ifndef TRANSPORT_TSMFS_PLACE_H
#define TRANSPORT_TSMFS_PLACE_H

#include "tsmfs.h"

#define TSMFS_REAL "/sys/kernel/config/tsm/report"

/** What tsmfs_start() needs to know, and what was covered for it (NULL:
 * nothing). */
struct tsmfs_place {
    const char *path;
    unsigned int above;
    const char *cover;
};

/**
 * Make room at TSMFS_REAL, as fusedev_choose() says how.
 *
 * @machine  For the whole machine where this process may, after what a server
 *           that was killed has left there; else in a mount namespace of its
 *           own, and the machine is not touched.
 * @force    Cover a TSMFS_REAL that really exists.
 * @alone    Out: a namespace was entered, others see nothing of it.
 * @error    TSMFS_ERROR_SIZE bytes: one line on failure, without newline.
 *
 * Returns 0 or a negative errno: -EEXIST (without @force), -EPERM, -ENOSYS, ...
 */
int tsmfs_place_real(bool machine, bool force, struct tsmfs_place *place,
                     bool *alone, char *error);
/** Uncover what was covered, once tsmfs_stop() has unmounted. */
void tsmfs_place_leave(const struct tsmfs_place *place);

#endif
