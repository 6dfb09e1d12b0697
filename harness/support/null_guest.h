/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A /dev/sev-guest that does nothing: SNP_GET_REPORT asks for the same ranges
 * in the same calls and writes as many bytes, but there is no guest. What is
 * left is the transport. The response starts with two numbers, 64 bits each,
 * little-endian: runs of the handler so far, and ioctls that got through.
 */
#ifndef NULL_GUEST_H
#define NULL_GUEST_H

#include "chardev.h"

#include <stdatomic.h>
#include <stdint.h>

struct null_guest {
    unsigned int delay_ms; /* of each run */
    _Atomic uint64_t runs, done;
};

/** "sev-null"; @n is borrowed. Any other request: -ENOTTY. */
struct chardev null_guest_chardev(struct null_guest *n);

#endif
