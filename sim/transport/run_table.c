/* SPDX-License-Identifier: Apache-2.0 */
#include "run_table.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif

#define MISC_MAJOR 10u
/* Far from numbers that devtmpfs or sysfs hand out early. */
#define INODE_BASE 0x53570000u

static const char *const kind_names[RUN_ACCESS_COUNT] = {"ro", "rw", "path"};

static int check_path(const char *path, char *error)
{
    size_t n = path == NULL ? 0 : strlen(path);

    if (n < 2 || n >= PATH_MAX || path[0] != '/' || path[n - 1] == '/' ||
        strstr(path, "//") != NULL || strstr(path, "/./") != NULL ||
        strstr(path, "/../") != NULL || strcmp(path + n - 2, "/.") == 0 ||
        (n > 2 && strcmp(path + n - 3, "/..") == 0)) {
        snprintf(error, RUN_ERROR_SIZE, "%.200s: not a plain absolute path",
                 path == NULL ? "(null)" : path);
        return -EINVAL;
    }
    return 0;
}

static int check_object(const struct run_table *table,
                        const struct run_object *o, bool force, char *error)
{
    int err = check_path(o->path, error);
    struct stat st;

    if (err != 0) {
        return err;
    }
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->objects[i].path, o->path) == 0) {
            snprintf(error, RUN_ERROR_SIZE, "%.200s: given twice", o->path);
            return -EINVAL;
        }
    }
    if (!force && lstat(o->path, &st) == 0) {
        snprintf(error, RUN_ERROR_SIZE,
                 "%.150s really exists on this machine; shadowing it must be "
                 "forced",
                 o->path);
        return -EEXIST;
    }
    return 0;
}

static int new_memfd(const char *name)
{
    unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = memfd_create(name, flags | MFD_NOEXEC_SEAL);

    return fd < 0 && errno == EINVAL ? memfd_create(name, flags) : fd;
}

static int fill(int fd, const void *data, size_t size, uint64_t at)
{
    const char *p = data;

    while (size > 0) {
        ssize_t n = pwrite(fd, p, size, (off_t)at);

        if (n < 0) {
            return -errno;
        }
        p += n;
        at += (uint64_t)n;
        size -= (size_t)n;
    }
    return fcntl(fd, F_ADD_SEALS,
                 F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0
               ? 0
               : -errno;
}

static int make_file(struct run_object *o, enum run_access access,
                     const void *data, size_t size, uint64_t at)
{
    char name[64];
    struct stat st;
    int err;

    snprintf(name, sizeof(name), "%s%.32s:%s",
             &RUN_MEMFD_LINK[sizeof("/memfd:") - 1], strrchr(o->path, '/') + 1,
             kind_names[access]);
    o->fd[access] = new_memfd(name);
    if (o->fd[access] < 0) {
        return -errno;
    }
    err = fill(o->fd[access], data, size, at);
    if (err == 0 && fstat(o->fd[access], &st) != 0) {
        err = -errno;
    }
    if (err == 0) {
        o->fd_dev[access] = st.st_dev;
        o->fd_ino[access] = st.st_ino;
    }
    return err;
}

static struct run_object node_object(const struct run_node *n)
{
    return (struct run_object){
        .path = n->path,
        .dev = &n->dev,
        .mode = S_IFCHR | (n->mode & 07777),
        .uid = n->uid,
        .gid = n->gid,
        .device = makedev(MISC_MAJOR, n->minor),
        .fd = {-1, -1, -1},
    };
}

static struct run_object probe_object(const struct run_probe *p)
{
    /* Without a source a directory can be passed through, but not read. */
    uint32_t dir = S_IFDIR | (p->source != NULL ? 0555 : 0111);

    uint32_t file = p->device != 0 ? S_IFCHR | p->mode : S_IFREG | 0444;

    return (struct run_object){
        .path = p->path,
        .source = p->source,
        .mode = p->directory ? dir : file,
        .device = p->device,
        .fd = {-1, -1, -1},
    };
}

static int make_files(struct run_object *o, const struct run_probe *probe)
{
    int err = 0;

    if (probe != NULL) {
        return S_ISDIR(o->mode) || o->source != NULL
                   ? 0
                   : make_file(o, RUN_ACCESS_READ, probe->contents,
                               probe->contents_size, probe->contents_at);
    }
    for (int a = 0; a < RUN_ACCESS_COUNT && err == 0; a++) {
        err = make_file(o, (enum run_access)a, NULL, 0, 0);
    }
    return err;
}

static int add(struct run_table *table, struct run_object o,
               const struct run_probe *probe, bool force, char *error)
{
    int err = check_object(table, &o, force, error);

    if (err != 0) {
        return err;
    }
    o.dir_size = (size_t)(strrchr(o.path, '/') + 1 - o.path);
    o.number = INODE_BASE + table->count;
    err = make_files(&o, probe);
    table->objects[table->count++] = o; /* also a half-made one: to be freed */
    if (err != 0) {
        snprintf(error, RUN_ERROR_SIZE, "%.150s: cannot make its file: %s",
                 o.path, strerror(-err));
    }
    return err;
}

int run_table_init(struct run_table *table, const struct run_config *config,
                   char *error)
{
    size_t total = config->node_count + config->probe_count;
    struct stat st;
    int err = 0;

    *table = (struct run_table){0};
    clock_gettime(CLOCK_REALTIME, &table->now);
    if (stat("/dev", &st) == 0) {
        table->dev = st.st_dev;
    }
    table->objects = calloc(total + 1, sizeof(*table->objects));
    if (table->objects == NULL) {
        snprintf(error, RUN_ERROR_SIZE, "out of memory");
        return -ENOMEM;
    }
    for (size_t i = 0; i < config->node_count && err == 0; i++) {
        err = add(table, node_object(&config->nodes[i]), NULL, config->force,
                  error);
    }
    for (size_t i = 0; i < config->probe_count && err == 0; i++) {
        err = add(table, probe_object(&config->probes[i]), &config->probes[i],
                  config->force, error);
    }
    if (err != 0) {
        run_table_free(table);
    }
    return err;
}

void run_table_free(struct run_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        for (int a = 0; a < RUN_ACCESS_COUNT; a++) {
            if (table->objects[i].fd[a] >= 0) {
                close(table->objects[i].fd[a]);
            }
        }
    }
    free(table->objects);
    *table = (struct run_table){0};
}

const struct run_object *run_table_by_file(const struct run_table *table,
                                           const struct stat *st,
                                           enum run_access *access)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct run_object *o = &table->objects[i];

        for (int a = 0; a < RUN_ACCESS_COUNT && o->dev != NULL; a++) {
            if (o->fd_ino[a] == st->st_ino && o->fd_dev[a] == st->st_dev) {
                *access = (enum run_access)a;
                return o;
            }
        }
    }
    return NULL;
}

const struct run_object *run_table_by_fd(const struct run_table *table,
                                         pid_t tid, int fd,
                                         enum run_access *access)
{
    char path[64];
    struct stat st;

    snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)tid, fd);
    return stat(path, &st) == 0 ? run_table_by_file(table, &st, access) : NULL;
}

int run_object_open(const struct run_object *o, enum run_access access,
                    int flags)
{
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", o->fd[access]);
    fd = open(path, flags | O_CLOEXEC);
    if (fd < 0 && errno == EACCES) {
        /* The program may fchmod() what it was given. */
        (void)fchmod(o->fd[access], 0600);
        fd = open(path, flags | O_CLOEXEC);
    }
    return fd < 0 ? -errno : fd;
}

static void source_stat(const struct run_object *o, struct stat *st)
{
    struct stat real;
    bool known = o->source != NULL ? stat(o->source, &real) == 0
                 : o->fd[0] >= 0   ? fstat(o->fd[0], &real) == 0
                                   : false;

    if (known) {
        st->st_size = real.st_size;
        st->st_blocks = real.st_blocks;
    }
}

void run_object_stat(const struct run_table *table, const struct run_object *o,
                     struct stat *st)
{
    *st = (struct stat){
        .st_dev = table->dev,
        .st_ino = o->number,
        .st_mode = o->mode,
        .st_nlink = S_ISDIR(o->mode) ? 2 : 1,
        .st_uid = o->uid,
        .st_gid = o->gid,
        .st_blksize = 4096,
        .st_atim = table->now,
        .st_mtim = table->now,
        .st_ctim = table->now,
    };
    if (o->device != 0) {
        st->st_rdev = o->device;
    } else {
        source_stat(o, st);
    }
}
