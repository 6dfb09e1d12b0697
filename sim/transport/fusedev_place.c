/* SPDX-License-Identifier: Apache-2.0 */
#include "fusedev_place.h"

#include "fusedev_impl.h"
#include "namespaces.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int fusedev_enter(enum fusedev_way way)
{
    return way < FUSEDEV_NAMESPACE
               ? 0
               : namespaces_enter(0, way == FUSEDEV_USER_NAMESPACE);
}

/* In a child that ends at once. */
static int rehearse(enum fusedev_way way,
                    int (*attempt)(enum fusedev_way way, const void *ctx),
                    const void *ctx)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        int err = fusedev_enter(way);

        err = err == 0 ? attempt(way, ctx) : err;
        _exit(-err);
    }
    if (pid < 0) {
        return -errno;
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

int fusedev_choose(enum fusedev_way way,
                   int (*attempt)(enum fusedev_way way, const void *ctx),
                   const void *ctx, bool *alone)
{
    int err = rehearse(way, attempt, ctx);

    while (err != 0 && way < FUSEDEV_USER_NAMESPACE) {
        way++;
        err = rehearse(way, attempt, ctx);
    }
    *alone = err == 0 && way >= FUSEDEV_NAMESPACE;
    return err == 0 ? fusedev_enter(way) : err;
}

static int attempt_dir(enum fusedev_way way, const void *ctx)
{
    const struct fusedev_config config = {.path = ctx, .force = true};
    char error[FUSEDEV_ERROR_SIZE];
    struct fusedev_mount m;
    int err = fusedev_mount(
        &m, &config,
        way == FUSEDEV_HELPER ? FUSEDEV_BY_HELPER : FUSEDEV_BY_ITSELF, error);

    if (err == 0) {
        fusedev_unmount(&m);
        fusedev_mount_close(&m);
    }
    return err;
}

int fusedev_place(const char *dir, bool *alone, char *error)
{
    struct stat st;
    int err = stat(dir, &st) == 0 ? 0 : -errno;

    *alone = false;
    if (err == 0 && !S_ISDIR(st.st_mode)) {
        err = -ENOTDIR;
    }
    /* What a dead server has left there is for fusedev_mount(). */
    if (err == 0 || err == -ENOTCONN) {
        (void)fusedev_choose(FUSEDEV_AS_IT_IS, attempt_dir, dir, alone);
        return 0;
    }
    snprintf(error, FUSEDEV_ERROR_SIZE, "%.160s: %s", dir, strerror(-err));
    return err;
}
