/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The transport that needs nothing: run a program with its opens and ioctls of
 * a few device paths answered by us, by seccomp user notification. No root, no
 * kernel module, any language, static binaries included.
 * Spec: abi/linux.md §8.1, §8.2.
 */
#ifndef TRANSPORT_SECCOMP_H
#define TRANSPORT_SECCOMP_H

#include "chardev.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One node that the program is to see. */
struct run_node {
    const char *path;    /* absolute, for example "/dev/sev-guest" */
    struct chardev dev;
    uint32_t mode;       /* permission bits shown by stat, for example 0666 */
    uint32_t minor;      /* of misc major 10, shown by stat */
};

/** A path that is only to exist, as a directory or an empty file. */
struct run_probe {
    const char *path;
    bool directory;
};

struct run_config {
    const struct run_node *nodes;
    size_t node_count;
    const struct run_probe *probes;
    size_t probe_count;
    char *const *argv;   /* program and arguments, NULL-terminated */
    bool force;          /* shadow a device that really exists */
    unsigned int worker_count; /* threads that answer; 0: a good default */
    /** Called once in the supervisor after the program was started. May be
     * NULL. */
    void (*started)(void *ctx, int pid);
    void *ctx;
};

#define RUN_ERROR_SIZE 256u

/**
 * Run the program to its end and serve it, its threads and all its children.
 *
 * @exit_status  Its exit status as a shell gives it (128 + signal).
 * @error        RUN_ERROR_SIZE bytes: one line on failure.
 *
 * Returns 0 when the program was started; a negative errno otherwise: -EEXIST
 * (a node really exists and @force is false), -ENOSYS (the kernel has no user
 * notification), -ENOENT and -EACCES (program not found, not executable).
 */
int seccomp_run(const struct run_config *config, int *exit_status, char *error);

#endif
