/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Where report entries are looked for: /sys/kernel/config/tsm/report, in a
 * mount namespace of this process and its children. The machine itself is not
 * touched. sysfs takes no new directories, so a tmpfs covers the last folder
 * that exists, and all that was in it shows through.
 */
#ifndef TRANSPORT_TSMFS_PLACE_H
#define TRANSPORT_TSMFS_PLACE_H

#include "tsmfs.h"

#define TSMFS_REAL "/sys/kernel/config/tsm/report"

/** What tsmfs_start() needs to know. */
struct tsmfs_place {
    const char *path;
    unsigned int above;
};

/**
 * Enter a mount namespace of one's own (a user namespace as well where that is
 * needed; the user keeps his id) and make room at TSMFS_REAL; @place: there.
 * tsmfs_place_dir(): the same for a directory that exists; no namespace where
 * this process may mount as it is, or where it must be left to fusermount3.
 *
 * A throw-away child tries everything first, so that a refusal leaves this
 * process as it was. Call it before there are threads.
 *
 * @force  Cover a TSMFS_REAL that really exists.
 * @alone  Out: a namespace was entered, others see nothing of it.
 * @error  TSMFS_ERROR_SIZE bytes: one line on failure, without newline.
 *
 * Returns 0 or a negative errno: -EEXIST (without @force), -EPERM, -ENOSYS, ...
 */
int tsmfs_place_real(bool force, struct tsmfs_place *place, bool *alone,
                     char *error);
int tsmfs_place_dir(const char *dir, struct tsmfs_place *place, bool *alone,
                    char *error);

#endif
