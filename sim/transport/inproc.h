/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The nearest transport: a device called in the caller's own process, user
 * addresses are pointers. For programs that embed the simulator, and for
 * measurements.
 */
#ifndef TRANSPORT_INPROC_H
#define TRANSPORT_INPROC_H

#include "chardev.h"

/**
 * ioctl(2) on @dev, opened for writing or not. As with a C library call, a
 * pointer (in @arg or inside the structures) that is not mapped ends the
 * process; only addresses in the first page give -EFAULT.
 *
 * Returns >= 0 or a negative errno.
 */
int64_t inproc_ioctl(const struct chardev *dev, bool writable, uint32_t request,
                     void *arg);

#endif
