/* SPDX-License-Identifier: Apache-2.0 */
#include "state_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TMP_MARK      ".tmp-"
#define STALE_SECONDS 600
#define OTHERS_WRITE  0022
#define OTHERS_ANY    0077

int state_error(char *error, int code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(error, STATE_ERROR_SIZE, format, args);
    va_end(args);
    return code;
}

/* errno as an error about @dir/@name. */
static int fail(const struct state_dir *dir, const char *name, const char *what,
                char *error)
{
    int code = -errno;

    return state_error(error, code, "cannot %s %s/%s: %s", what, dir->path,
                       name, strerror(-code));
}

static bool foreign(uid_t owner)
{
    return geteuid() != 0 && owner != geteuid();
}

static int check_dir(const struct state_dir *dir, mode_t mode, char *error)
{
    struct stat st;

    if (fstat(dir->fd, &st) != 0) {
        return fail(dir, ".", "examine", error);
    }
    if (mode != STATE_DIR_PRIVATE) {
        return 0;
    }
    if (foreign(st.st_uid)) {
        return state_error(error, -EPERM, "%s: belongs to another user",
                           dir->path);
    }
    if ((st.st_mode & OTHERS_WRITE) != 0) {
        return state_error(error, -EPERM,
                           "%s: mode %04o lets other users write here "
                           "(chmod 0700)",
                           dir->path, st.st_mode & 07777u);
    }
    return 0;
}

/* Some file systems cannot sync a folder and say EINVAL. */
static int sync_dir(int fd)
{
    return fsync(fd) == 0 || errno == EINVAL ? 0 : -1;
}

/* Make @path below @at and sync the name into its parent: what is written in a
 * folder that a power cut takes away is gone, however well it was synced. A
 * parent that we cannot read is left to the file system. */
static int make_one(int at, const char *path, mode_t mode)
{
    const char *slash = strrchr(path, '/');
    char *parent;
    int fd, rc = 0;

    if (mkdirat(at, path, mode) != 0) {
        return errno == EEXIST ? 0 : -1;
    }
    parent = slash == NULL   ? strdup(".")
             : slash == path ? strdup("/")
                             : strndup(path, (size_t)(slash - path));
    if (parent == NULL) {
        return -1;
    }
    fd = openat(at, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(parent);
    if (fd >= 0) {
        rc = sync_dir(fd);
        (void)close(fd);
    }
    return rc;
}

/* mkdir -p of @path below @at; @path is cut and mended in place. */
static int make_path(int at, char *path, mode_t mode)
{
    for (char *p = path + 1; *p != '\0'; p++) {
        int rc;

        if (*p != '/') {
            continue;
        }
        *p = '\0';
        rc = make_one(at, path, mode);
        *p = '/';
        if (rc != 0) {
            return -1;
        }
    }
    return make_one(at, path, mode);
}

/* Open @name below @at (its path for messages: @path, taken over). */
static int open_dir(int at, const char *name, char *path, mode_t mode,
                    struct state_dir *dir, char *error)
{
    struct state_dir d = {.fd = -1, .path = path};
    char *copy = path == NULL ? NULL : strdup(name);
    int rc = 0;

    if (copy == NULL) {
        free(path);
        return state_error(error, -ENOMEM, "out of memory");
    }
    if (name[0] == '\0') {
        rc = state_error(error, -EINVAL, "empty folder name");
        goto out;
    }
    if (make_path(at, copy, mode) != 0) {
        rc = state_error(error, -errno, "cannot create %s: %s", path,
                         strerror(errno));
        goto out;
    }
    d.fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d.fd < 0) {
        rc = state_error(error, -errno, "cannot open %s: %s", path,
                         strerror(errno));
        goto out;
    }
    rc = check_dir(&d, mode, error);
out:
    free(copy);
    if (rc != 0) {
        state_dir_close(&d);
        return rc;
    }
    *dir = d;
    return 0;
}

int state_dir_open(const char *path, mode_t mode, struct state_dir *dir,
                   char *error)
{
    return open_dir(AT_FDCWD, path, strdup(path), mode, dir, error);
}

int state_dir_sub(const struct state_dir *parent, const char *name, mode_t mode,
                  struct state_dir *dir, char *error)
{
    char *path = NULL;

    if (asprintf(&path, "%s/%s", parent->path, name) < 0) {
        path = NULL;
    }
    return open_dir(parent->fd, name, path, mode, dir, error);
}

void state_dir_close(struct state_dir *dir)
{
    if (dir->fd >= 0) {
        (void)close(dir->fd);
    }
    free(dir->path);
    dir->fd = -1;
    dir->path = NULL;
}

/* What a killed process has left behind. Young ones may be another thread's. */
static void sweep(const struct state_dir *dir)
{
    int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *e;
    struct stat st;

    if (list == NULL) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return;
    }
    while ((e = readdir(list)) != NULL) {
        if (strstr(e->d_name, TMP_MARK) != NULL &&
            fstatat(dir->fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(st.st_mode) && time(NULL) - st.st_mtime > STALE_SECONDS) {
            (void)unlinkat(dir->fd, e->d_name, 0);
        }
    }
    (void)closedir(list);
}

int state_dir_lock(const struct state_dir *dir, char *error)
{
    int fd = openat(dir->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                    0600);
    int rc;

    if (fd < 0) {
        return fail(dir, "lock", "open", error);
    }
    do {
        rc = flock(fd, LOCK_EX);
    } while (rc != 0 && errno == EINTR);
    if (rc != 0) {
        rc = fail(dir, "lock", "lock", error);
        (void)close(fd);
        return rc;
    }
    sweep(dir);
    return fd;
}

static int check_file(const struct state_dir *dir, const char *name, int fd,
                      mode_t mode, size_t max, size_t *size, char *error)
{
    struct stat st;

    if (fstat(fd, &st) != 0) {
        return fail(dir, name, "examine", error);
    }
    if (!S_ISREG(st.st_mode)) {
        return state_error(error, -EINVAL, "%s/%s: not a regular file",
                           dir->path, name);
    }
    if (mode == STATE_FILE_PRIVATE && foreign(st.st_uid)) {
        return state_error(error, -EPERM, "%s/%s: belongs to another user",
                           dir->path, name);
    }
    if (mode == STATE_FILE_PRIVATE && (st.st_mode & OTHERS_ANY) != 0) {
        return state_error(error, -EPERM,
                           "%s/%s: mode %04o is open to other users "
                           "(chmod 0600)",
                           dir->path, name, st.st_mode & 07777u);
    }
    if (st.st_size < 0 || (uintmax_t)st.st_size > max) {
        return state_error(error, -EFBIG, "%s/%s: larger than %zu bytes",
                           dir->path, name, max);
    }
    *size = (size_t)st.st_size;
    return 0;
}

/* Read exactly @size bytes. */
static int read_all(int fd, uint8_t *data, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = read(fd, data + done, size - done);

        if (n > 0) {
            done += (size_t)n;
        } else if (n == 0) {
            errno = EIO; /* it shrank under us */
            return -1;
        } else if (errno != EINTR) {
            return -1;
        }
    }
    return 0;
}

int state_file_read(const struct state_dir *dir, const char *name, mode_t mode,
                    size_t max, uint8_t **data, size_t *size, char *error)
{
    /* O_NONBLOCK: a FIFO must not make us wait */
    int fd =
        openat(dir->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    uint8_t *buf = NULL;
    size_t n = 0;
    int rc;

    if (fd < 0) {
        return fail(dir, name, "open", error);
    }
    rc = check_file(dir, name, fd, mode, max, &n, error);
    if (rc != 0) {
        goto out;
    }
    buf = calloc(1, n + 1);
    if (buf == NULL) {
        rc = state_error(error, -ENOMEM, "out of memory");
        goto out;
    }
    if (read_all(fd, buf, n) != 0) {
        rc = fail(dir, name, "read", error);
        goto out;
    }
    *data = buf;
    *size = n;
    buf = NULL;
out:
    if (buf != NULL) {
        explicit_bzero(buf, n); /* it may be half a secret */
    }
    free(buf);
    (void)close(fd);
    return rc;
}

static int write_all(int fd, const uint8_t *data, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = write(fd, data + done, size - done);

        if (n >= 0) {
            done += (size_t)n;
        } else if (errno != EINTR) {
            return -1;
        }
    }
    return 0;
}

static int tmp_name(const char *name, char out[NAME_MAX + 1])
{
    uint32_t r = 0;
    int n;

    if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r)) {
        return -1;
    }
    n = snprintf(out, NAME_MAX + 1, "%s" TMP_MARK "%08x", name, r);
    if (n < 0 || n > NAME_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return 0;
}

int state_file_write(const struct state_dir *dir, const char *name, mode_t mode,
                     const void *data, size_t size, char *error)
{
    char tmp[NAME_MAX + 1];
    bool fresh = false;
    int fd = -1;
    int rc = 0;

    if (tmp_name(name, tmp) == 0) {
        fresh = faccessat(dir->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
        fd = openat(dir->fd, tmp,
                    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    }
    if (fd < 0) {
        return fail(dir, name, "create", error);
    }
    if (write_all(fd, data, size) != 0 || fsync(fd) != 0) {
        rc = fail(dir, name, "write", error);
    }
    if (close(fd) != 0 && rc == 0) {
        rc = fail(dir, name, "write", error);
    }
    if (rc == 0 && renameat(dir->fd, tmp, dir->fd, name) != 0) {
        rc = fail(dir, name, "replace", error);
    }
    if (rc != 0) {
        (void)unlinkat(dir->fd, tmp, 0);
        return rc;
    }
    if (sync_dir(dir->fd) != 0) {
        rc = fail(dir, name, "sync", error);
        if (fresh) {
            (void)unlinkat(dir->fd, name, 0);
        }
    }
    return rc;
}
