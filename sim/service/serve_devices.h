/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The daemon's devices for programs that know nothing of its socket: real
 * character devices (CUSE), files of FUSE file systems, and report entries of
 * configfs-tsm.
 *
 * "sev" is the host's. Each "sev-guest" and each tree of report entries belongs
 * to the guest of one name, whenever there is one: ioctls are answered ENODEV,
 * and entries know no provider (ENXIO), while there is none or it has no
 * sev-guest driver.
 */
#ifndef SERVICE_SERVE_DEVICES_H
#define SERVICE_SERVE_DEVICES_H

#include "serve.h"
#include "tsmfs_place.h"

/** Mounts of one kind. */
#define SERVE_MOUNTS_MAX 32u

struct serve_mount {
    const char *path;  /* a directory */
    const char *guest; /* whose it is */
};

/** The mounts that are asked for. */
struct serve_mounts {
    struct serve_mount fuse[SERVE_MOUNTS_MAX];
    size_t fuse_count;
    struct serve_mount tsm[SERVE_MOUNTS_MAX]; /* path NULL: TSMFS_REAL */
    size_t tsm_count;
};

/**
 * Make the mounts possible, while this process has one thread: room at
 * TSMFS_REAL; a mount namespace of its own if nothing else will do.
 *
 * @real   Out: the room at TSMFS_REAL, if that is asked for.
 * @alone  Out: a namespace was entered.
 *
 * 0 or a negative errno with @error (SERVE_ERROR_SIZE).
 */
int serve_devices_prepare(const struct serve_mounts *mounts, bool force,
                          struct tsmfs_place *real, bool *alone, char *error);

struct serve_devices_config {
    struct serve_guests *guests; /* borrowed, as all of these */
    const char *guest;           /* of the character devices */
    struct chardev sev;
    serve_ioctl traced;
    void *traced_ctx;
    bool cuse;
    struct serve_mounts mounts;
    struct tsmfs_place real; /* from serve_devices_prepare() */
    bool force;              /* hide what is there */
    /** Of the nodes. Who may write them may make report entries. */
    uint32_t mode;
    uint32_t uid, gid;
};

struct serve_devices;

/** All of them. 0 or a negative errno with @error (SERVE_ERROR_SIZE); nothing
 * is left then. */
int serve_devices_start(const struct serve_devices_config *config,
                        struct serve_devices **out, char *error);
/** Is /dev/<name> (sev, sev-guest) one of ours, mounted over what was there? To
 * unmount it takes the rights that it took to mount it. */
bool serve_devices_hides(const struct serve_devices *d, const char *name);
/** Waits for ioctls and reports under way. NULL is fine. */
void serve_devices_stop(struct serve_devices *d);

#endif
