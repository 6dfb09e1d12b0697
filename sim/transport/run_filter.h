/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Which system calls are trapped, what their arguments mean, and the BPF
 * program that says so to the kernel. libseccomp knows the numbers; the program
 * is built here, because "every ioctl but these types" cannot be said to it.
 */
#ifndef TRANSPORT_RUN_FILTER_H
#define TRANSPORT_RUN_FILTER_H

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum run_op {
    RUN_OP_OPEN,
    RUN_OP_OPENAT2,
    RUN_OP_STAT,
    RUN_OP_STAT64, /* 32-bit x86: struct stat64 */
    RUN_OP_STATX,
    RUN_OP_ACCESS,
    RUN_OP_READLINK,
    RUN_OP_GETXATTR,
    RUN_OP_LISTXATTR,
    RUN_OP_IOCTL,
};

/** Indices are of the system call's arguments; -1: it has no such argument. */
struct run_call {
    const char *name;
    enum run_op op;
    bool native, compat; /* for 64-bit callers, for 32-bit callers */
    int8_t fd;           /* directory descriptor; the descriptor itself */
    int8_t path;
    int8_t flags;     /* O_ or AT_ flags */
    int8_t arg;       /* first of the arguments that only this call has */
    uint32_t implied; /* flags that it always has */
};

#define RUN_ARCHS   2u /* native, then its 32-bit companion */
#define RUN_NUMBERS 512u

struct run_calls {
    uint32_t arch[RUN_ARCHS];            /* AUDIT_ARCH_ values; 0: none */
    uint8_t row[RUN_ARCHS][RUN_NUMBERS]; /* 1 + index in the table; 0: not */
};

/** Look up the numbers for this machine. */
void run_calls_init(struct run_calls *calls);

/** The call of a notification, or NULL. */
const struct run_call *run_calls_find(const struct run_calls *calls,
                                      const struct seccomp_data *data);

#define RUN_FILTER_MAX 256u

/** Write the BPF program; returns the number of instructions in @code
 * (RUN_FILTER_MAX at most). */
unsigned short run_filter_build(const struct run_calls *calls,
                                struct sock_filter *code);

#endif
