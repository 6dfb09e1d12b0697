/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A program whose calls that change files are told to the disk (disk.h), by
 * ptrace: the real program, all its threads, and no library in between. A
 * changing call below the recorded folder that the disk does not know fails the
 * test.
 */
#ifndef FAULT_TRACER_H
#define FAULT_TRACER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tracer {
    const char *const *argv;
    pthread_t thread;
    atomic_size_t calls; /* that were recorded so far */
    atomic_int pid;      /* of the program; 0: not started yet */
    int status;          /* as waitpid(); after tracer_join() */
    char fault[256];     /* what went wrong, or "" */
};

/** Sandboxes may forbid ptrace. */
bool tracer_allowed(void);

/** Start @argv (NULL-terminated, borrowed; absolute path) below a thread that
 * traces it. disk_record() was called. */
void tracer_start(struct tracer *t, const char *const argv[]);
/** Wait for the end of the program. Returns its wait status; fails the test
 * when it could not be traced. */
int tracer_join(struct tracer *t);

#endif
