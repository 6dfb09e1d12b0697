/* SPDX-License-Identifier: Apache-2.0 */
#include "tsmfs_place.h"

#include "fusedev_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONFIG "/sys/kernel/config"

/* The deepest folder that exists decides where the mount begins. */
static const struct room {
    const char *folder; /* exists */
    const char *missing;
    struct tsmfs_place place;
} ROOMS[] = {
    {TSMFS_REAL, NULL, {TSMFS_REAL, 0}},
    {CONFIG "/tsm", "report", {TSMFS_REAL, 0}},
    {CONFIG, "tsm", {CONFIG "/tsm", 1}},
    {"/sys/kernel", "config", {CONFIG, 2}},
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
    err = mount("swpsp", room->folder, "tmpfs", flags, "mode=755") == 0
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

/* --- namespaces --- */

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

static int enter(bool user)
{
    unsigned int uid = (unsigned int)geteuid(), gid = (unsigned int)getegid();
    int err = 0;

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

enum way { AS_IT_IS, NAMESPACE, USER_NAMESPACE };

/* @dir NULL: the real place. */
static int take(enum way way, const char *dir, struct tsmfs_place *place)
{
    int err = way == AS_IT_IS ? 0 : enter(way == USER_NAMESPACE);

    if (err != 0) {
        return err;
    }
    if (dir != NULL) {
        *place = (struct tsmfs_place){dir, 0};
        return 0;
    }
    return make_room(place);
}

/* What take() and its user will do, in a child that ends at once. */
static int rehearse(enum way way, const char *dir)
{
    char error[FUSEDEV_ERROR_SIZE];
    struct tsmfs_place place;
    struct fusedev_mount m;
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        int err = take(way, dir, &place);

        if (err == 0) {
            const struct fusedev_config config = {.path = place.path,
                                                  .force = true};

            err = fusedev_mount(&m, &config, error);
        }
        if (err == 0) {
            fusedev_unmount(&m);
        }
        _exit(-err);
    }
    if (pid < 0) {
        return -errno;
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

static int choose(enum way first, const char *dir, struct tsmfs_place *place,
                  bool *alone)
{
    enum way way = first;
    int err = rehearse(way, dir);

    while (err != 0 && way < USER_NAMESPACE) {
        way++;
        err = rehearse(way, dir);
    }
    *alone = way != AS_IT_IS;
    return err == 0 ? take(way, dir, place) : err;
}

int tsmfs_place_real(bool force, struct tsmfs_place *place, bool *alone,
                     char *error)
{
    int err;

    if (!force && access(TSMFS_REAL, F_OK) == 0) {
        snprintf(error, TSMFS_ERROR_SIZE,
                 "%s really exists on this machine; covering it must be forced",
                 TSMFS_REAL);
        return -EEXIST;
    }
    err = choose(NAMESPACE, NULL, place, alone);
    if (err != 0 && access("/dev/fuse", R_OK | W_OK) != 0) {
        snprintf(error, TSMFS_ERROR_SIZE, "/dev/fuse: %s", strerror(errno));
    } else if (err != 0) {
        snprintf(error, TSMFS_ERROR_SIZE, "no mount namespace here: %s",
                 strerror(-err));
    }
    return err;
}

int tsmfs_place_dir(const char *dir, struct tsmfs_place *place, bool *alone,
                    char *error)
{
    struct stat st;
    int err = stat(dir, &st) == 0 ? 0 : -errno;

    if (err == 0 && !S_ISDIR(st.st_mode)) {
        err = -ENOTDIR;
    }
    /* What a dead server has left there is for tsmfs_start(). */
    if (err == 0 || err == -ENOTCONN) {
        err = choose(AS_IT_IS, dir, place, alone);
    }
    /* fusermount3 may still be able to; else tsmfs_start() says why not. */
    if (err != 0 && err != -ENOENT && err != -ENOTDIR) {
        *place = (struct tsmfs_place){dir, 0};
        *alone = false;
        err = 0;
    }
    if (err != 0) {
        snprintf(error, TSMFS_ERROR_SIZE, "%.160s: %s", dir, strerror(-err));
    }
    return err;
}
