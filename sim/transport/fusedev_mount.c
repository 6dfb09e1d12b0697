/* SPDX-License-Identifier: Apache-2.0 */
#include "fusedev_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(char *error, const char *path, const char *why, int err)
{
    snprintf(error, FUSEDEV_ERROR_SIZE, "%.160s: %s", path, why);
    return err;
}

static int fail_errno(char *error, const char *path, int err)
{
    return fail(error, path, strerror(err), -err);
}

static bool is_empty(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    bool empty = dir != NULL;

    while (empty && (entry = readdir(dir)) != NULL) {
        empty =
            strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return empty;
}

/* stat, after whatever a dead server left there is gone. */
static int look(const char *path, struct stat *st)
{
    if (stat(path, st) == 0) {
        return 0;
    }
    if (errno == ENOTCONN && umount2(path, MNT_DETACH) == 0 &&
        stat(path, st) == 0) {
        return 0;
    }
    return -errno;
}

static int check_directory(const struct fusedev_config *config, char *error)
{
    struct stat st;
    int err = look(config->path, &st);

    if (err != 0) {
        return fail_errno(error, config->path, -err);
    }
    if (!S_ISDIR(st.st_mode)) {
        return fail_errno(error, config->path, ENOTDIR);
    }
    if (!config->force && !is_empty(config->path)) {
        return fail(error, config->path, "not empty, and not forced", -EEXIST);
    }
    return 0;
}

static int check_file(struct fusedev_mount *m,
                      const struct fusedev_config *config, char *error)
{
    struct stat st;
    int err = look(config->path, &st);
    int fd;

    if (err == -ENOENT) {
        fd = open(config->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0) {
            return fail_errno(error, config->path, errno);
        }
        close(fd);
        m->made = true;
        return 0;
    }
    if (err != 0) {
        return fail_errno(error, config->path, -err);
    }
    if (S_ISDIR(st.st_mode)) {
        return fail_errno(error, config->path, EISDIR);
    }
    if (!config->force && (!S_ISREG(st.st_mode) || st.st_size != 0)) {
        return fail(error, config->path, "exists, and not forced", -EEXIST);
    }
    return 0;
}

static int do_mount(struct fusedev_mount *m,
                    const struct fusedev_config *config, char *error)
{
    char options[128];

    m->fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (m->fd < 0) {
        return fail_errno(error, "/dev/fuse", errno);
    }
    snprintf(options, sizeof(options),
             "fd=%d,rootmode=%o,user_id=%u,group_id=%u,allow_other,"
             "default_permissions",
             m->fd, config->file ? S_IFREG : S_IFDIR, (unsigned int)geteuid(),
             (unsigned int)getegid());
    if (mount("swpsp", m->path, "fuse.swpsp", MS_NOSUID | MS_NODEV, options) !=
        0) {
        return errno == EPERM
                   ? fail(error, m->path,
                          "not allowed to mount (root, or unshare -Urm)",
                          -EPERM)
                   : fail_errno(error, m->path, errno);
    }
    m->mounted = true;
    return 0;
}

int fusedev_mount(struct fusedev_mount *m, const struct fusedev_config *config,
                  char *error)
{
    int err;

    *m = (struct fusedev_mount){.path = config->path, .fd = -1};
    err = config->file ? check_file(m, config, error)
                       : check_directory(config, error);
    if (err == 0) {
        err = do_mount(m, config, error);
    }
    if (err != 0) {
        fusedev_unmount(m);
        if (m->fd >= 0) {
            close(m->fd);
            m->fd = -1;
        }
    }
    return err;
}

void fusedev_mount_ended(struct fusedev_mount *m)
{
    struct stat st;

    m->mounted = stat(m->path, &st) != 0 && errno == ENOTCONN;
}

void fusedev_unmount(struct fusedev_mount *m)
{
    if (m->mounted) {
        umount2(m->path, MNT_DETACH);
    }
    if (m->made) {
        unlink(m->path);
    }
    m->mounted = false;
    m->made = false;
}
