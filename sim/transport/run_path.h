/* SPDX-License-Identifier: Apache-2.0 */
/**
 * From a path that a program names to one of our objects. A name is ours by its
 * text, or by the directory that it leads to: only when its last component is
 * one of ours is the file system asked, so most names cost nothing here but one
 * readlink to see whether they are symbolic links.
 */
#ifndef TRANSPORT_RUN_PATH_H
#define TRANSPORT_RUN_PATH_H

#include "run_table.h"

struct run_name {
    pid_t tid; /* who says it */
    int dirfd; /* or AT_FDCWD */
    const char *path;
    bool follow; /* a symbolic link at the end is followed */
    bool plain;  /* only literally: no link, no directory to look at */
};

struct run_found {
    const struct run_object *object;
    bool slash; /* the name demands a directory: "x/", "x/." */
    bool by_fd; /* by a link below /proc/PID/fd to one of our files */
    int links;  /* symbolic links followed */
};

/**
 * Returns 1 with @found filled in, 0 (none of ours: the kernel's own answer is
 * right), or -ENOTDIR (the name goes on below an object that is no directory).
 */
int run_path_find(const struct run_table *table, const struct run_name *name,
                  struct run_found *found);

#endif
