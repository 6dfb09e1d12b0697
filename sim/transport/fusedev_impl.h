/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Inside the FUSE transport: the mount, and one restricted ioctl.
 */
#ifndef TRANSPORT_FUSEDEV_IMPL_H
#define TRANSPORT_FUSEDEV_IMPL_H

#include "fusedev.h"
#include "fusedev_helper.h"
#include "run_mem.h"

/** Where it is mounted and what has to be undone. */
struct fusedev_mount {
    const char *path; /* borrowed */
    int fd;           /* /dev/fuse; whoever closes it sets it to -1 */
    bool mounted;
    bool made; /* the file is ours */
    struct fusedev_helper helper;
};

/** Who may be asked to mount. */
enum fusedev_by { FUSEDEV_BY_ITSELF, FUSEDEV_BY_HELPER, FUSEDEV_BY_EITHER };

/** Check the place and mount; either: mount(2) first. 0 or a negative errno
 * with a line in @error; then nothing has changed. */
int fusedev_mount(struct fusedev_mount *m, const struct fusedev_config *config,
                  enum fusedev_by by, char *error);
/** The kernel has ended the connection: when it was unmounted, what is mounted
 * there by now, if anything, is not ours. */
void fusedev_mount_ended(struct fusedev_mount *m);
/** Unmount, without waiting for open files; what is the helper's to unmount
 * stays. */
void fusedev_unmount(struct fusedev_mount *m);
/** The last step, once the session is closed: what is left of the above. */
void fusedev_mount_close(struct fusedev_mount *m);

/**
 * A client's memory during one restricted ioctl. The argument struct came with
 * the request and goes back with the reply; all else is reached directly.
 */
struct fusedev_umem {
    struct umem um;
    struct run_mem mem; /* tid 0: a client that we cannot see */
    uint64_t arg;
    const uint8_t *in; /* @in_size bytes at @arg */
    size_t in_size;
    uint8_t *out; /* room for @out_size bytes to go to @arg */
    size_t out_size;
    size_t known; /* bytes of out that may be sent */
    size_t reply; /* bytes of out that have to be sent */
};

/** @in and @out are borrowed; what both cover is copied. */
void fusedev_umem_init(struct fusedev_umem *fum, pid_t tid, uint64_t arg,
                       const void *in, size_t in_size, void *out,
                       size_t out_size);

#endif
