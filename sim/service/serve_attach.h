/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The daemon's end of an attached connection: ioctls arrive, the memory that
 * they need is asked for, results leave. The device's handler never waits for
 * the peer: it is run as a retrying transport runs it (umem.h), so a peer that
 * stalls holds no lock of a driver, and one that dies before the handler has
 * everything changes nothing.
 */
#ifndef SERVICE_SERVE_ATTACH_H
#define SERVICE_SERVE_ATTACH_H

#include "chardev.h"
#include "control_io.h"

/** One ioctl with tracing; NULL: dev->ops->ioctl(). */
typedef int64_t (*serve_ioctl)(void *ctx, const struct chardev *dev,
                               bool writable, uint32_t request, uint64_t arg,
                               struct umem *um);

struct serve_attach {
    struct chardev dev;
    serve_ioctl ioctl;
    void *ctx;
    int stall_ms; /* how long the peer may take for each step of an ioctl */
};

/** Serve ioctls until the peer leaves or breaks the protocol. Returns 0 when it
 * left between two ioctls, else a negative errno. */
int serve_attach_run(const struct serve_attach *a, struct control_io *io);

#endif
