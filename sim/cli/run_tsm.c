/* SPDX-License-Identifier: Apache-2.0 */
#include "run_tsm.h"

#include "control_cli.h"
#include "fusedev_place.h"
#include "sev_guest_tsm.h"
#include "tsmfs_place.h"

#include <stdio.h>
#include <stdlib.h>

struct run_tsm {
    struct tsmfs_place place;
    bool force;
    struct tsm *tsm;
    struct tsmfs *fs;
};

static bool complain(const char *line)
{
    fprintf(stderr, "swpsp run: --tsm: %s\n", line);
    return false;
}

static bool place(struct run_tsm *t, const char *dir)
{
    char error[TSMFS_ERROR_SIZE] = "";
    bool alone = false;

    if (dir == NULL) {
        if (tsmfs_place_real(false, t->force, &t->place, &alone, error) == 0) {
            return true;
        }
        fprintf(stderr,
                "swpsp run: --tsm: %s; --tsm=DIR mounts over an empty "
                "directory of yours instead\n",
                error);
        return false;
    }
    t->place.path = dir;
    if (fusedev_place(dir, &alone, error) != 0) {
        return complain(error);
    }
    if (alone) {
        fprintf(stderr, "swpsp run: --tsm=%s: mounted for this program alone\n",
                dir);
    }
    return true;
}

bool run_tsm_prepare(const char *dir, bool force, struct run_tsm **out)
{
    struct run_tsm *t = calloc(1, sizeof(*t));

    *out = t;
    if (t == NULL) {
        return complain("out of memory");
    }
    t->force = force;
    return place(t, dir);
}

bool run_tsm_ask(const char *socket, const char *name,
                 struct serve_driver *guest)
{
    const struct control_options o = {.socket = socket};
    json_t *shown = control_ask(
        &o, "run", json_pack("{s:s, s:s}", "op", "guest.show", "guest", name));
    const char *kernel = NULL;
    json_int_t features = 0;
    int vmpl = 0, vmpck = 0, era = -1;
    bool ok;

    if (shown == NULL) {
        return false;
    }
    ok = json_unpack(shown, "{s:i, s:i, s:s, s:I}", "vmpl", &vmpl, "vmpck",
                     &vmpck, "kernel", &kernel, "sev_features",
                     &features) == 0 &&
         vmpl >= 0 && vmpck >= 0;
    if (ok) {
        era = sev_guest_era_by_name(kernel);
    }
    json_decref(shown);
    if (era < 0) {
        return complain("not an SEV-SNP guest");
    }
    *guest = (struct serve_driver){
        .era = (enum sev_guest_era)era,
        .vmpl = (unsigned int)vmpl,
        .vmpck = (unsigned int)vmpck,
        .sev_features = (uint64_t)features,
    };
    return true;
}

bool run_tsm_start(struct run_tsm *t, struct chardev dev,
                   const struct serve_driver *guest)
{
    struct tsm_provider provider;
    struct tsmfs_config config = {
        .path = t->place.path,
        .above = t->place.above,
        .force = t->force,
    };
    char error[TSMFS_ERROR_SIZE] = "";

    if (!sev_guest_tsm(&provider, dev, guest->era, guest->vmpl, guest->vmpck)) {
        return complain("needs a guest with --kernel 6.3 or 6.13: Linux has "
                        "configfs-tsm since 6.7");
    }
    t->tsm = tsm_new();
    if (t->tsm == NULL) {
        return complain("out of memory");
    }
    tsm_register(t->tsm, &provider);
    config.tsm = t->tsm;
    return tsmfs_start(&config, &t->fs, error) == 0 || complain(error);
}

void run_tsm_stop(struct run_tsm *t)
{
    if (t != NULL) {
        tsmfs_stop(t->fs);
        tsm_free(t->tsm);
        t->fs = NULL;
        t->tsm = NULL;
    }
}

void run_tsm_free(struct run_tsm *t)
{
    run_tsm_stop(t);
    free(t);
}
