/* SPDX-License-Identifier: Apache-2.0 */
#include "fusedev_place.h"

#include "fusedev_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t n;
    int err = 0;

    if (fd < 0) {
        return -errno;
    }
    n = write(fd, text, strlen(text));
    if (n != (ssize_t)strlen(text)) {
        err = n < 0 ? -errno : -EIO;
    }
    close(fd);
    return err;
}

static int map_id(const char *path, unsigned int id)
{
    char text[64];

    snprintf(text, sizeof(text), "%u %u 1", id, id);
    return write_text(path, text);
}

int fusedev_enter(enum fusedev_way way)
{
    const bool user = way == FUSEDEV_USER_NAMESPACE;
    unsigned int uid = (unsigned int)geteuid(), gid = (unsigned int)getegid();
    int err = 0;

    if (way < FUSEDEV_NAMESPACE) {
        return 0;
    }
    if (unshare((user ? CLONE_NEWUSER : 0) | CLONE_NEWNS) != 0) {
        return -errno;
    }
    if (user) {
        err = write_text("/proc/self/setgroups", "deny");
        err = err == 0 ? map_id("/proc/self/uid_map", uid) : err;
        err = err == 0 ? map_id("/proc/self/gid_map", gid) : err;
    }
    /* What is mounted outside later still shows; nothing goes the other way. */
    if (err == 0 && mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL) != 0) {
        err = -errno;
    }
    return err;
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
