/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A character device as a transport sees it. A transport knows nothing of SEV:
 * it opens, moves planned memory ranges, and returns an errno.
 */
#ifndef LINUX_CHARDEV_H
#define LINUX_CHARDEV_H

#include "umem.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>

struct chardev_ops {
    /**
     * One ioctl on an open file.
     *
     * @dev       The device.
     * @writable  The file was opened with write access.
     * @request   ioctl request number, 32 bits, unsigned.
     * @arg       ioctl argument as passed (often a user address).
     *
     * Returns >= 0 (the ioctl's result), a negative errno, or UMEM_RETRY.
     * Thread-safe. Never called for 32-bit callers; those get -ENOTTY from
     * the transport.
     */
    int64_t (*ioctl)(void *dev, bool writable, uint32_t request, uint64_t arg,
                     struct umem *um);
};

/** Does a file that was opened with these flags have the kernel's write mode?
 * Access mode 3, for ioctls alone, has neither that nor read mode. */
static inline bool chardev_writable(int flags)
{
    return (flags & O_ACCMODE) == O_WRONLY || (flags & O_ACCMODE) == O_RDWR;
}

struct chardev {
    const char *name; /* "sev" or "sev-guest": the node is /dev/<name> */
    const struct chardev_ops *ops;
    void *dev;
};

#endif
