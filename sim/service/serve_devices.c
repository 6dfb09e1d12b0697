/* SPDX-License-Identifier: Apache-2.0 */
#include "serve_devices.h"

#include "cuse.h"
#include "fusedev.h"
#include "fusedev_place.h"
#include "serve_log.h"
#include "sev_guest_tsm.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A guest's device, and what shows it. */
struct place {
    struct serve_devices *d;
    const char *guest;
    struct fusedev *files;
    struct tsm *tsm;
    struct tsmfs *tree;
};

struct serve_devices {
    struct serve_devices_config config;
    struct place node;
    struct cuse *sev, *sev_guest;
    struct place fuse[SERVE_MOUNTS_MAX], tsm[SERVE_MOUNTS_MAX];
    bool watching;
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
    const struct place *place = ctx;
    const struct serve_devices *d = place->d;
    char error[SERVE_ERROR_SIZE];
    struct serve_guest *guest = NULL;
    struct chardev dev;
    int64_t result;

    if (serve_guest_get(d->config.guests, place->guest, &guest, &dev, error) !=
        0) {
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

static struct chardev sev_of(struct serve_devices *d)
{
    return (struct chardev){"sev", &SEV_OPS, d};
}

static struct chardev guest_of(struct place *place)
{
    return (struct chardev){"sev-guest", &GUEST_OPS, place};
}

static int start_fuse(struct serve_devices *d, const struct serve_mount *mount,
                      struct place *place, char *error)
{
    struct fusedev_node nodes[2];
    struct fusedev_config config = {
        .path = mount->path,
        .nodes = nodes,
        .node_count = 2,
        .force = d->config.force,
        .gone = gone,
        .ctx = d,
    };

    *place = (struct place){.d = d, .guest = mount->guest};
    nodes[0].dev = sev_of(d);
    nodes[1].dev = guest_of(place);
    for (size_t i = 0; i < 2; i++) {
        nodes[i].name = nodes[i].dev.name;
        nodes[i].mode = d->config.mode;
        nodes[i].uid = d->config.uid;
        nodes[i].gid = d->config.gid;
    }
    return fusedev_start(&config, &place->files, error);
}

/* Traces name the device themselves. */
static int start_tsm(struct serve_devices *d, const struct serve_mount *mount,
                     struct place *place, char *error)
{
    const struct tsmfs_owner owner = {
        .mode = 0755 | (d->config.mode & 0022),
        .uid = d->config.uid,
        .gid = d->config.gid,
    };
    const bool real = mount->path == NULL;
    struct tsmfs_config config = {
        .path = real ? d->config.real.path : mount->path,
        .above = real ? d->config.real.above : 0,
        .force = d->config.force,
        .owner = &owner,
        .gone = gone,
        .ctx = d,
    };

    *place = (struct place){.d = d, .guest = mount->guest, .tsm = tsm_new()};
    config.tsm = place->tsm;
    return place->tsm == NULL ? state_error(error, -ENOMEM, "out of memory")
                              : tsmfs_start(&config, &place->tree, error);
}

/* A guest's driver comes and goes. */
static void watch(void *ctx, const char *name,
                  const struct serve_driver *driver)
{
    struct serve_devices *d = ctx;

    for (size_t i = 0; i < d->config.mounts.tsm_count; i++) {
        struct place *place = &d->tsm[i];
        struct tsm_provider provider;

        if (strcmp(place->guest, name) != 0) {
            continue;
        }
        if (driver == NULL) {
            tsm_register(place->tsm, NULL);
        } else if (sev_guest_tsm(&provider, guest_of(place), driver->era,
                                 driver->vmpl, driver->vmpck)) {
            tsm_register(place->tsm, &provider);
        } else {
            serve_log(SERVE_WARNING,
                      "guest '%s' has a kernel older than configfs-tsm: no "
                      "report entries",
                      name);
        }
    }
}

static int start_mounts(struct serve_devices *d, char *error)
{
    const struct serve_mounts *m = &d->config.mounts;
    int err = 0;

    for (size_t i = 0; i < m->fuse_count && err == 0; i++) {
        err = start_fuse(d, &m->fuse[i], &d->fuse[i], error);
    }
    for (size_t i = 0; i < m->tsm_count && err == 0; i++) {
        err = start_tsm(d, &m->tsm[i], &d->tsm[i], error);
    }
    if (err == 0 && m->tsm_count > 0) {
        serve_guests_watch(d->config.guests, watch, d);
        d->watching = true;
    }
    return err;
}

int serve_devices_start(const struct serve_devices_config *config,
                        struct serve_devices **out, char *error)
{
    struct serve_devices *d = calloc(1, sizeof(*d));
    int err = 0;

    *out = NULL;
    if (d == NULL) {
        return state_error(error, -ENOMEM, "out of memory");
    }
    d->config = *config;
    d->node = (struct place){.d = d, .guest = config->guest};
    if (config->cuse) {
        err = start_cuse(d, sev_of(d), &d->sev, error);
        if (err == 0) {
            err = start_cuse(d, guest_of(&d->node), &d->sev_guest, error);
        }
    }
    if (err == 0) {
        err = start_mounts(d, error);
    }
    if (err != 0) {
        serve_devices_stop(d);
        return err;
    }
    *out = d;
    return 0;
}

int serve_devices_prepare(const struct serve_mounts *mounts, bool force,
                          struct tsmfs_place *real, bool *alone, char *error)
{
    int err = 0;

    *real = (struct tsmfs_place){NULL, 0, NULL};
    *alone = false;
    for (size_t i = 0; i < mounts->tsm_count && err == 0; i++) {
        if (mounts->tsm[i].path == NULL && real->path == NULL) {
            err = tsmfs_place_real(true, force, real, alone, error);
        }
    }
    /* Once in a namespace, all is possible; where one directory is, others
     * are. */
    if (err == 0 && !*alone && mounts->fuse_count > 0) {
        err = fusedev_place(mounts->fuse[0].path, alone, error);
    }
    for (size_t i = 0; i < mounts->tsm_count && err == 0 && !*alone; i++) {
        if (mounts->tsm[i].path != NULL) {
            err = fusedev_place(mounts->tsm[i].path, alone, error);
        }
    }
    return err;
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
    if (d->watching) {
        serve_guests_watch(d->config.guests, NULL, NULL);
    }
    for (size_t i = 0; i < SERVE_MOUNTS_MAX; i++) {
        tsmfs_stop(d->tsm[i].tree);
        tsm_free(d->tsm[i].tsm);
        fusedev_stop(d->fuse[i].files);
    }
    cuse_stop(d->sev_guest);
    cuse_stop(d->sev);
    free(d);
}
