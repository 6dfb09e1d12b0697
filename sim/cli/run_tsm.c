/* SPDX-License-Identifier: Apache-2.0 */
#include "run_tsm.h"

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
        if (tsmfs_place_real(t->force, &t->place, &alone, error) == 0) {
            return true;
        }
        fprintf(stderr,
                "swpsp run: --tsm: %s; --tsm=DIR mounts over an empty "
                "directory of yours instead\n",
                error);
        return false;
    }
    if (tsmfs_place_dir(dir, &t->place, &alone, error) != 0) {
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

bool run_tsm_start(struct run_tsm *t, struct chardev dev,
                   unsigned int privlevel_floor, bool service)
{
    const struct tsm_provider provider = {
        .dev = dev,
        .privlevel_floor = privlevel_floor,
        .service = service,
    };
    struct tsmfs_config config = {
        .path = t->place.path,
        .above = t->place.above,
        .force = t->force,
    };
    char error[TSMFS_ERROR_SIZE] = "";

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
