/* SPDX-License-Identifier: Apache-2.0 */
#include "namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
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

int namespaces_enter(int more, bool user)
{
    unsigned int uid = (unsigned int)geteuid(), gid = (unsigned int)getegid();
    int err = 0;

    if (unshare((user ? CLONE_NEWUSER : 0) | CLONE_NEWNS | more) != 0) {
        return -errno;
    }
    if (user) {
        err = write_text("/proc/self/setgroups", "deny");
        err = err == 0 ? map_id("/proc/self/uid_map", uid) : err;
        err = err == 0 ? map_id("/proc/self/gid_map", gid) : err;
    }
    if (err == 0 && mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL) != 0) {
        err = -errno;
    }
    return err;
}
