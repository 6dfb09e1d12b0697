/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A device as a real character device, /dev/NAME, by CUSE: for every program
 * of the machine, in any language, in any container that is given the node.
 * Needs root and a kernel with CUSE (/dev/cuse; modprobe cuse).
 *
 * What a client sees
 * - A character device; ioctl with the kernel's own copies of memory: bad
 *   addresses fault as they do with a driver in the kernel, no ptrace access is
 *   needed, and clients may live in another PID namespace.
 * - 32-bit callers get ENOTTY; read and write EINVAL; mmap ENODEV; poll is
 *   always ready. Opening for writing is remembered for each open.
 * What differs from a real node: its class is "cuse", not "misc"; lseek works;
 * epoll takes it; reading or writing nothing succeeds, and a bad buffer is
 * EFAULT; where a driver leaves a struct alone that it might have
 * written, the same bytes are written back (visible on read-only memory).
 *
 * One server is one device; start several for several.
 * Spec: abi/linux.md §1.1, §4.1, §8.2 to §8.4.
 */
#ifndef TRANSPORT_CUSE_H
#define TRANSPORT_CUSE_H

#include "chardev.h"

#include <stdbool.h>
#include <stdint.h>

struct cuse_config {
    struct chardev dev; /* the node is /dev/<name>; called from any thread */
    const char *name;   /* another name than the device's; NULL: that */
    uint32_t mode;      /* permission bits of the node */
    uint32_t uid, gid;
    /** When /dev/NAME exists: make /dev/swpsp-NAME and mount it over that. */
    bool force;
    unsigned int thread_count; /* that wait for requests; 0: a good default */
    /** Told once, from a thread that must not call cuse_stop(), that the kernel
     * has ended it. May be NULL. */
    void (*gone)(void *ctx);
    void *ctx;
};

struct cuse;

#define CUSE_ERROR_SIZE 256u

/**
 * Make the node and serve it until cuse_stop(). The device is borrowed until
 * then. When it returns 0, the node exists with its mode and owner.
 *
 * @error  CUSE_ERROR_SIZE bytes: one line on failure, without newline.
 *
 * Returns 0 or a negative errno:
 * -EEXIST  the node exists and @force is false
 * -ENOENT  no CUSE here; -EACCES not root
 * -EINVAL  a name that is no plain file name
 * -ETIMEDOUT, -ENOMEM, ... from setting up
 */
int cuse_start(const struct cuse_config *config, struct cuse **out,
               char *error);

/** Is its node mounted over one that was there (@force)? */
bool cuse_hides(const struct cuse *cuse);

/** Remove the node and end; waits for ioctls that are under way. Clients that
 * still have it open get ENOTCONN or ECONNABORTED. NULL: nothing. */
void cuse_stop(struct cuse *cuse);

#endif
