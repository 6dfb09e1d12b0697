/* SPDX-License-Identifier: Apache-2.0 */
#include "serve_places.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What there is of @path now, without links; the rest is still to be made. */
static bool resolve(const char *path, char out[PATH_MAX])
{
    char part[PATH_MAX];

    if (strlen(path) >= sizeof(part)) {
        return false;
    }
    strcpy(part, path);
    while (realpath(part, out) == NULL) {
        char *slash = strrchr(part, '/');

        if (slash == NULL || slash == part) {
            strcpy(part, slash == NULL ? "." : "/");
        } else {
            *slash = '\0';
        }
    }
    return true;
}

/* A mount would hide @path, or has no room for it. */
static bool hides(const struct serve_mount *mount, const char *path)
{
    char top[PATH_MAX], place[PATH_MAX];
    size_t n;

    if (mount->path == NULL || realpath(mount->path, top) == NULL ||
        !resolve(path, place)) {
        return false;
    }
    n = strlen(top);
    return strncmp(place, top, n) == 0 && (place[n] == '/' || place[n] == '\0');
}

static bool check_place(const struct serve_options *o, const char *option,
                        const char *path)
{
    const struct serve_mounts *m = &o->mounts;

    for (size_t i = 0; path != NULL && i < m->fuse_count + m->tsm_count; i++) {
        const struct serve_mount *mount =
            i < m->fuse_count ? &m->fuse[i] : &m->tsm[i - m->fuse_count];

        if (hides(mount, path)) {
            fprintf(stderr,
                    "swpsp serve: --%s %s: %s is to be a mount of this "
                    "daemon\n",
                    option, path, mount->path);
            return false;
        }
    }
    return true;
}

bool serve_places_check(const struct serve_options *o)
{
    return check_place(o, "socket", o->socket) &&
           check_place(o, "pid-file", o->pid_file) &&
           check_place(o, "state", o->platform.state_dir);
}
