/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the program is to see: nodes and probes, with the files that stand for
 * them. A node is a few sealed memfds, one for each kind of access; every open
 * of the node is a fresh open of one of them, so that the descriptor's inode
 * says which node it is and how it was opened, through dup, fork and exec. A
 * program cannot forge that: its own memfd of the same name is another inode.
 */
#ifndef TRANSPORT_RUN_TABLE_H
#define TRANSPORT_RUN_TABLE_H

#include "seccomp.h"

#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

enum run_access {
    RUN_ACCESS_READ,  /* ioctls see writable == false */
    RUN_ACCESS_WRITE, /* O_WRONLY or O_RDWR */
    RUN_ACCESS_PATH,  /* O_PATH: ioctls get EBADF */
    RUN_ACCESS_COUNT,
};

/** Names of our memfds in /proc/PID/fd start with this. */
#define RUN_MEMFD_LINK "/memfd:swpsp-"

struct run_object {
    const char *path;
    size_t dir_size;           /* of path, up to and with its last '/' */
    const struct chardev *dev; /* NULL: a probe */
    const char *source;        /* a probe's; may be NULL */
    uint32_t mode;             /* S_IF type and permission bits */
    uint32_t uid, gid;
    dev_t device; /* shown by stat; 0: none */
    ino_t number; /* inode number that stat shows */
    int fd[RUN_ACCESS_COUNT];
    dev_t fd_dev[RUN_ACCESS_COUNT];
    ino_t fd_ino[RUN_ACCESS_COUNT];
};

struct run_table {
    struct run_object *objects;
    size_t count;
    dev_t dev;           /* of the file system that nodes seem to be on */
    struct timespec now; /* time stamps that stat shows */
};

/**
 * Check the configuration and make the files. The strings and devices of
 * @config are borrowed. Returns 0 or an errno of seccomp_run() with one line in
 * @error; then nothing needs to be freed.
 */
int run_table_init(struct run_table *table, const struct run_config *config,
                   char *error);
void run_table_free(struct run_table *table);

/** Which node a file is, and its kind of access; NULL: none of ours. */
const struct run_object *run_table_by_file(const struct run_table *table,
                                           const struct stat *st,
                                           enum run_access *access);
const struct run_object *run_table_by_fd(const struct run_table *table,
                                         pid_t tid, int fd,
                                         enum run_access *access);

/** A new open of one of the object's files with O_ flags (access mode, O_PATH
 * and status flags); a descriptor, close-on-exec in this process, or a negative
 * errno. */
int run_object_open(const struct run_object *o, enum run_access access,
                    int flags);

/** What stat says of it. */
void run_object_stat(const struct run_table *table, const struct run_object *o,
                     struct stat *st);

#endif
