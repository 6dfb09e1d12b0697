/* SPDX-License-Identifier: Apache-2.0 */
#include "serve_devices.h"

#include "cuse.h"
#include "fusedev.h"
#include "serve_log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct serve_devices {
    struct serve_devices_config config;
    struct cuse *sev, *sev_guest;
    struct fusedev *files;
    atomic_bool ending;
};

static int64_t traced(const struct serve_devices *d, const struct chardev *dev,
                      bool writable, uint32_t request, uint64_t arg,
                      struct umem *um)
{
    return d->config.traced != NULL
               ? d->config.traced(d->config.traced_ctx, dev, writable, request,
                                  arg, um)
               : dev->ops->ioctl(dev->dev, writable, request, arg, um);
}

static int64_t sev_ioctl(void *ctx, bool writable, uint32_t request,
                         uint64_t arg, struct umem *um)
{
    const struct serve_devices *d = ctx;

    return traced(d, &d->config.sev, writable, request, arg, um);
}

static int64_t guest_ioctl(void *ctx, bool writable, uint32_t request,
                           uint64_t arg, struct umem *um)
{
    const struct serve_devices *d = ctx;
    char error[SERVE_ERROR_SIZE];
    struct serve_guest *guest = NULL;
    struct chardev dev;
    int64_t result;

    if (serve_guest_get(d->config.guests, d->config.guest, &guest, &dev,
                        error) != 0) {
        return -ENODEV;
    }
    result = traced(d, &dev, writable, request, arg, um);
    serve_guest_put(d->config.guests, guest);
    return result;
}

static const struct chardev_ops SEV_OPS = {.ioctl = sev_ioctl};
static const struct chardev_ops GUEST_OPS = {.ioctl = guest_ioctl};

static void gone(void *ctx)
{
    const struct serve_devices *d = ctx;

    if (!atomic_load(&d->ending)) {
        serve_log(SERVE_WARNING, "somebody has taken a device away");
    }
}

static int start_cuse(struct serve_devices *d, struct chardev dev,
                      struct cuse **out, char *error)
{
    struct cuse_config config = {
        .dev = dev,
        .mode = d->config.mode,
        .uid = d->config.uid,
        .gid = d->config.gid,
        .force = d->config.force,
        .gone = gone,
        .ctx = d,
    };

    return cuse_start(&config, out, error);
}

static int start_fuse(struct serve_devices *d, const struct chardev dev[2],
                      char *error)
{
    struct fusedev_node nodes[2];
    struct fusedev_config config = {
        .path = d->config.fuse,
        .nodes = nodes,
        .node_count = 2,
        .force = d->config.force,
        .gone = gone,
        .ctx = d,
    };

    for (size_t i = 0; i < 2; i++) {
        nodes[i] = (struct fusedev_node){.name = dev[i].name,
                                         .dev = dev[i],
                                         .mode = d->config.mode,
                                         .uid = d->config.uid,
                                         .gid = d->config.gid};
    }
    return fusedev_start(&config, &d->files, error);
}

int serve_devices_start(const struct serve_devices_config *config,
                        struct serve_devices **out, char *error)
{
    struct serve_devices *d = calloc(1, sizeof(*d));
    const struct chardev dev[2] = {{"sev", &SEV_OPS, d},
                                   {"sev-guest", &GUEST_OPS, d}};
    int err = 0;

    *out = NULL;
    if (d == NULL) {
        return state_error(error, -ENOMEM, "out of memory");
    }
    d->config = *config;
    if (config->cuse) {
        err = start_cuse(d, dev[0], &d->sev, error);
        if (err == 0) {
            err = start_cuse(d, dev[1], &d->sev_guest, error);
        }
    }
    if (err == 0 && config->fuse != NULL) {
        err = start_fuse(d, dev, error);
    }
    if (err != 0) {
        serve_devices_stop(d);
        return err;
    }
    *out = d;
    return 0;
}

bool serve_devices_hides(const struct serve_devices *d, const char *name)
{
    const struct cuse *cuse = strcmp(name, "sev") == 0 ? d->sev : d->sev_guest;

    return cuse != NULL && cuse_hides(cuse);
}

void serve_devices_stop(struct serve_devices *d)
{
    if (d == NULL) {
        return;
    }
    atomic_store(&d->ending, true);
    fusedev_stop(d->files);
    cuse_stop(d->sev_guest);
    cuse_stop(d->sev);
    free(d);
}
