/* SPDX-License-Identifier: Apache-2.0 */
/**
 * configfs-tsm as a FUSE file system: the directory "report" of
 * /sys/kernel/config/tsm, mounted wherever it is asked for. The rules are
 * those of tsm.h; this is the way to them.
 *
 * Who may mount: as fusedev.h. Who may make entries: whom the report directory
 * lets; an entry is its maker's (in configfs it is root's, whoever makes it).
 *
 * What differs from configfs: statfs names FUSE; inblob is committed at each
 * close of a descriptor that has written, also when a duplicate is open still;
 * epoll takes the files; a write of 0 bytes succeeds; chmod and chown of an
 * entry and its files answer EPERM; the report directory of
 * a mount answers rmdir with EBUSY when it is where the mount begins.
 *
 * Spec: abi/linux.md §5.
 */
#ifndef TRANSPORT_TSMFS_H
#define TRANSPORT_TSMFS_H

#include "tsm.h"

/** Of the report directory; the permission bits only. */
struct tsmfs_owner {
    uint32_t mode, uid, gid;
};

struct tsmfs_config {
    const char *path; /* an empty directory */
    struct tsm *tsm;  /* borrowed */
    /** Directories above "report" that are shown as well: 0 (@path is report),
     * 1 (@path is tsm) or 2 (@path is /sys/kernel/config). */
    unsigned int above;
    bool force;                      /* hide what the directory holds */
    const struct tsmfs_owner *owner; /* NULL: 0755, the caller's user */
    /** Told once, from another thread, that somebody has unmounted it. May be
     * NULL. */
    void (*gone)(void *ctx);
    void *ctx;
};

struct tsmfs;

#define TSMFS_ERROR_SIZE 256u

/**
 * Mount and serve until tsmfs_stop().
 *
 * @error  TSMFS_ERROR_SIZE bytes: one line on failure, without newline.
 *
 * Returns 0, or a negative errno: -EEXIST (not empty and @force is false),
 * -EPERM, -ENOENT, -ENODEV, -ENOMEM, ... from setting up.
 */
int tsmfs_start(const struct tsmfs_config *config, struct tsmfs **out,
                char *error);

/** Unmount and end; waits for reports that are being made. Open files answer
 * ENOTCONN or ECONNABORTED afterwards. NULL: nothing. */
void tsmfs_stop(struct tsmfs *fs);

#endif
