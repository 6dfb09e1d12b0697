/* SPDX-License-Identifier: Apache-2.0 */
#include "tsmfs_place.h"

#include "fusedev_impl.h"
#include "fusedev_place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG     "/sys/kernel/config"
#define COVER_NAME "swpsp"

/* The deepest folder that exists decides where the mount begins. */
static const struct room {
    const char *folder; /* exists */
    const char *missing;
    struct tsmfs_place place;
} ROOMS[] = {
    {TSMFS_REAL, NULL, {TSMFS_REAL, 0, NULL}},
    {CONFIG "/tsm", "report", {TSMFS_REAL, 0, CONFIG "/tsm"}},
    {CONFIG, "tsm", {CONFIG "/tsm", 1, CONFIG}},
    {"/sys/kernel", "config", {CONFIG, 2, "/sys/kernel"}},
};
#define ROOM_COUNT (sizeof(ROOMS) / sizeof(ROOMS[0]))

/* --- a folder in which one more name can be made --- */

static int show_link(int folder, const char *name, const char *to)
{
    char target[PATH_MAX];
    ssize_t n = readlinkat(folder, name, target, sizeof(target) - 1);

    if (n < 0) {
        return -errno;
    }
    target[n] = '\0';
    return symlink(target, to) == 0 ? 0 : -errno;
}

static int make_target(const char *to, bool directory)
{
    int fd;

    if (directory) {
        return mkdir(to, 0755) == 0 ? 0 : -errno;
    }
    fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return -errno;
    }
    close(fd);
    return 0;
}

/* What cannot be shown is left out: it was out of our reach anyway. */
static void show(int folder, const char *name, const char *to)
{
    char from[PATH_MAX];
    struct stat st;

    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return;
    }
    if (S_ISLNK(st.st_mode)) {
        (void)show_link(folder, name, to);
        return;
    }
    snprintf(from, sizeof(from), "/proc/self/fd/%d/%s", folder, name);
    if (make_target(to, S_ISDIR(st.st_mode)) == 0 &&
        mount(from, to, NULL, MS_BIND | MS_REC, NULL) != 0) {
        (void)remove(to);
    }
}

static bool is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Everything below @folder, which is covered already, at @path. */
static int show_all(int folder, const char *path)
{
    int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = again < 0 ? NULL : fdopendir(again);
    const struct dirent *entry;
    char to[PATH_MAX];

    if (dir == NULL) {
        return -errno;
    }
    while ((entry = readdir(dir)) != NULL) {
        if (!is_dot(entry->d_name)) {
            snprintf(to, sizeof(to), "%s/%s", path, entry->d_name);
            show(folder, entry->d_name, to);
        }
    }
    closedir(dir);
    return 0;
}

static int cover(const struct room *room)
{
    const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    int folder = open(room->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    char path[PATH_MAX];
    int err;

    if (folder < 0) {
        return -errno;
    }
    err = mount(COVER_NAME, room->folder, "tmpfs", flags, "mode=755") == 0
              ? show_all(folder, room->folder)
              : -errno;
    close(folder);
    if (err != 0) {
        return err;
    }
    snprintf(path, sizeof(path), "%s/%s", room->folder, room->missing);
    if (mkdir(path, 0755) != 0) {
        return -errno;
    }
    /* As sysfs and configfs, it takes nothing new from others. */
    (void)mount(NULL, room->folder, NULL, MS_REMOUNT | MS_RDONLY | flags, NULL);
    return 0;
}

static int make_room(struct tsmfs_place *place)
{
    for (size_t i = 0; i < ROOM_COUNT; i++) {
        if (access(ROOMS[i].folder, F_OK) == 0) {
            *place = ROOMS[i].place;
            return ROOMS[i].missing == NULL ? 0 : cover(&ROOMS[i]);
        }
    }
    return -ENOENT;
}

void tsmfs_place_leave(const struct tsmfs_place *place)
{
    if (place->cover != NULL) {
        umount2(place->cover, MNT_DETACH);
    }
}

/* --- in which namespace --- */

static int attempt(enum fusedev_way way, const void *ctx)
{
    char error[FUSEDEV_ERROR_SIZE];
    struct fusedev_config config = {.force = true};
    struct tsmfs_place place;
    struct fusedev_mount m;
    int err = way == FUSEDEV_HELPER ? -EPERM : make_room(&place);

    (void)ctx;
    if (err == 0) {
        config.path = place.path;
        err = fusedev_mount(&m, &config, FUSEDEV_BY_ITSELF, error);
        if (err == 0) {
            fusedev_unmount(&m);
            fusedev_mount_close(&m);
        }
        tsmfs_place_leave(&place);
    }
    return err;
}

/* Is the last thing mounted there one of our covers? */
static bool is_our_cover(const char *folder)
{
    FILE *mounts = setmntent("/proc/self/mounts", "re");
    const struct mntent *m;
    bool ours = false;

    while (mounts != NULL && (m = getmntent(mounts)) != NULL) {
        if (strcmp(m->mnt_dir, folder) == 0) {
            ours = strcmp(m->mnt_fsname, COVER_NAME) == 0 &&
                   strcmp(m->mnt_type, "tmpfs") == 0;
        }
    }
    if (mounts != NULL) {
        endmntent(mounts);
    }
    return ours;
}

/* What a server that is gone has left of a place in this namespace. */
static void clean(void)
{
    if (access(TSMFS_REAL, F_OK) == 0 && !fusedev_is_dead(TSMFS_REAL)) {
        return;
    }
    for (size_t i = 0; i < ROOM_COUNT; i++) {
        const struct tsmfs_place *place = &ROOMS[i].place;

        if (fusedev_is_dead(place->path)) {
            (void)umount2(place->path, MNT_DETACH);
        }
        if (place->cover != NULL && is_our_cover(place->cover)) {
            tsmfs_place_leave(place);
        }
    }
}

static int refuse(char *error, int err)
{
    if (access("/dev/fuse", R_OK | W_OK) != 0) {
        snprintf(error, TSMFS_ERROR_SIZE, "/dev/fuse: %s", strerror(errno));
    } else {
        snprintf(error, TSMFS_ERROR_SIZE, "no mount namespace here: %s",
                 strerror(-err));
    }
    return err;
}

int tsmfs_place_real(bool machine, bool force, struct tsmfs_place *place,
                     bool *alone, char *error)
{
    const enum fusedev_way first =
        machine ? FUSEDEV_AS_IT_IS : FUSEDEV_NAMESPACE;
    int err;

    if (machine) {
        clean();
    }
    if (!force && access(TSMFS_REAL, F_OK) == 0) {
        snprintf(error, TSMFS_ERROR_SIZE,
                 "%s really exists on this machine; covering it must be forced",
                 TSMFS_REAL);
        return -EEXIST;
    }
    err = fusedev_choose(first, attempt, NULL, alone);
    if (err == 0) {
        err = make_room(place);
    }
    return err == 0 ? 0 : refuse(error, err);
}
