/* SPDX-License-Identifier: Apache-2.0 */
#include "fusedev_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define FUSE_MAGIC 0x65735546

static int fail(char *error, const char *path, const char *why, int err)
{
    snprintf(error, FUSEDEV_ERROR_SIZE, "%.120s: %.130s", path, why);
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

bool fusedev_is_dead(const char *path)
{
    struct statfs fs;
    int err;

    do {
        err = statfs(path, &fs) == 0 ? 0 : errno;
    } while (err == ECONNABORTED || err == EINTR); /* it is just ending */
    return err == ENOTCONN;
}

/* stat, after whatever dead servers left there is gone. */
static int look(const char *path, struct stat *st)
{
    bool dead = fusedev_is_dead(path);

    while (dead && umount2(path, MNT_DETACH) == 0) {
        dead = fusedev_is_dead(path);
    }
    if (dead) {
        (void)fusedev_helper_clean(path);
    }
    return stat(path, st) == 0 ? 0 : -errno;
}

/* An empty directory of another server: configfs-tsm without entries. */
static bool is_served(const char *path, const struct stat *st)
{
    char above[PATH_MAX];
    struct statfs fs;
    struct stat up;

    snprintf(above, sizeof(above), "%.4000s/..", path);
    return statfs(path, &fs) == 0 && fs.f_type == FUSE_MAGIC &&
           stat(above, &up) == 0 && up.st_dev != st->st_dev;
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
    if (!config->force && is_served(config->path, &st)) {
        return fail(error, config->path, "is mounted, and not forced", -EEXIST);
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
                   ? fail(error, m->path, "not allowed to mount", -EPERM)
                   : fail_errno(error, m->path, errno);
    }
    m->mounted = true;
    return 0;
}

static void close_connection(struct fusedev_mount *m)
{
    if (m->fd >= 0) {
        close(m->fd);
        m->fd = -1;
    }
}

/* @error: why it was not possible without. */
static int ask_helper(struct fusedev_mount *m, char *error)
{
    char why[FUSEDEV_ERROR_SIZE] = "";
    int fd = fusedev_helper_mount(&m->helper, m->path, why);

    if (fd >= 0) {
        m->fd = fd;
        return 0;
    }
    if (why[0] != '\0') {
        return fail(error, m->path, why, fd);
    }
    snprintf(why, sizeof(why), "%s", error);
    snprintf(error, FUSEDEV_ERROR_SIZE,
             "%.160s; it takes root, fusermount3 (package fuse3) or "
             "unshare -Urm",
             why);
    return -EPERM;
}

static int mount_by(struct fusedev_mount *m,
                    const struct fusedev_config *config, enum fusedev_by by,
                    char *error)
{
    int err = by == FUSEDEV_BY_HELPER ? -EPERM : do_mount(m, config, error);

    if (by == FUSEDEV_BY_ITSELF || (err != -EPERM && err != -EACCES)) {
        return err;
    }
    close_connection(m);
    return ask_helper(m, error);
}

int fusedev_mount(struct fusedev_mount *m, const struct fusedev_config *config,
                  enum fusedev_by by, char *error)
{
    int err;

    *m = (struct fusedev_mount){.path = config->path, .fd = -1};
    err = config->file ? check_file(m, config, error)
                       : check_directory(config, error);
    if (err == 0) {
        err = mount_by(m, config, by, error);
    }
    if (err != 0) {
        fusedev_unmount(m);
        fusedev_mount_close(m);
    }
    return err;
}

void fusedev_mount_ended(struct fusedev_mount *m)
{
    m->mounted = m->mounted && fusedev_is_dead(m->path);
}

void fusedev_unmount(struct fusedev_mount *m)
{
    if (m->mounted) {
        umount2(m->path, MNT_DETACH);
    }
    m->mounted = false;
}

void fusedev_mount_close(struct fusedev_mount *m)
{
    close_connection(m);
    fusedev_helper_end(&m->helper);
    if (m->made) {
        unlink(m->path);
    }
    m->made = false;
}
