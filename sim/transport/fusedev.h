/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Devices as regular files of a FUSE file system: one mounted over a directory
 * holds a file per device; one mounted over a single file is that device. Any
 * program that only opens the path and calls ioctl works; no seccomp, no
 * character device, other containers can have it by a bind mount.
 *
 * Who may: root; an ordinary user by fusermount3, where it is installed, over a
 * place of his own (fusedev_helper.h says who sees it); anybody in a user and
 * mount namespace (unshare -Urm) where the kernel allows it. Clients then live
 * in that namespace.
 *
 * What a client sees
 * - The ioctl's argument struct travels with the request, by the size that the
 *   request number encodes; what it points to is reached through the client's
 *   process number, so this process needs ptrace access to its clients (root,
 *   or the same user) and must see them in its PID namespace; else -EFAULT.
 * - 32-bit callers get ENOTTY; read and write EINVAL; lseek ESPIPE; poll is
 *   always ready. Opening for writing is remembered for each open.
 * - chmod and chown work, for the life of the mount; truncation is ignored, as
 *   on a device.
 * What differs from a real node: stat says regular file; a private mmap
 * succeeds (SIGBUS when touched); epoll takes the file; ENOSYS from a device
 * becomes ENOTTY.
 *
 * Spec: abi/linux.md §8.2, §8.4, §8.5.
 */
#ifndef TRANSPORT_FUSEDEV_H
#define TRANSPORT_FUSEDEV_H

#include "chardev.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One file. */
struct fusedev_node {
    const char *name;   /* in the directory; unused when mounted over a file */
    struct chardev dev; /* called from several threads at once */
    uint32_t mode;      /* permission bits, enforced by the kernel */
    uint32_t uid, gid;
};

struct fusedev_config {
    /** A directory; or, for one node, a file. A file that does not exist is
     * made, and removed at the end. What a server that was killed has left
     * mounted there is unmounted first. */
    const char *path;
    bool file; /* mount over a file, not a directory */
    const struct fusedev_node *nodes;
    size_t node_count;
    /** Hide what is there: a device, a file with contents, a directory with
     * entries. */
    bool force;
    unsigned int thread_count; /* that wait for requests; 0: a good default */
    /** Told once, from a thread that must not call fusedev_stop(), that
     * somebody has unmounted it. May be NULL. */
    void (*gone)(void *ctx);
    void *ctx;
};

struct fusedev;

#define FUSEDEV_ERROR_SIZE 256u

/**
 * Mount and serve until fusedev_stop(). Strings and devices are borrowed until
 * then, the nodes only during the call.
 *
 * @error  FUSEDEV_ERROR_SIZE bytes: one line on failure, without newline.
 *
 * Returns 0 or a negative errno:
 * -EEXIST  something is there and @force is false
 * -EINVAL  no node, more than one for a file, a name with '/' or given twice
 * -EPERM   not allowed to mount here
 * -ENOENT, -ENODEV (no FUSE), -ENOMEM, ... from setting up
 */
int fusedev_start(const struct fusedev_config *config, struct fusedev **out,
                  char *error);

/** Unmount and end; waits for ioctls that are under way. Files that clients
 * still have open answer ENOTCONN or ECONNABORTED afterwards. NULL: nothing. */
void fusedev_stop(struct fusedev *fd);

/** Is @path where a FUSE file system begins, whose server has ended without
 * unmounting it? (stat may still answer from the kernel's cache.) */
bool fusedev_is_dead(const char *path);

#endif
