/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The daemon's devices for programs that know nothing of its socket: real
 * character devices (CUSE) or files of a FUSE file system. "sev" is the host's;
 * "sev-guest" belongs to the guest of one name, looked up at each ioctl: ENODEV
 * while there is none.
 */
#ifndef SERVICE_SERVE_DEVICES_H
#define SERVICE_SERVE_DEVICES_H

#include "serve.h"

struct serve_devices_config {
    struct serve_guests *guests; /* borrowed, as all of these */
    const char *guest;
    struct chardev sev;
    serve_ioctl traced;
    void *traced_ctx;
    bool cuse;
    const char *fuse; /* directory, or NULL */
    bool force;       /* hide what is there */
    uint32_t mode;
    uint32_t uid, gid;
};

struct serve_devices;

/** Both nodes, by CUSE, FUSE or both. 0 or a negative errno with @error
 * (SERVE_ERROR_SIZE); nothing is left then. */
int serve_devices_start(const struct serve_devices_config *config,
                        struct serve_devices **out, char *error);
/** Is /dev/<name> (sev, sev-guest) one of ours, mounted over what was there? To
 * unmount it takes the rights that it took to mount it. */
bool serve_devices_hides(const struct serve_devices *d, const char *name);
/** Waits for ioctls under way. NULL is fine. */
void serve_devices_stop(struct serve_devices *d);

#endif
