/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The memory of a thread that waits for our answer, by process_vm_readv and
 * process_vm_writev, or by /proc/TID/mem where a container forbids those.
 */
#ifndef TRANSPORT_RUN_MEM_H
#define TRANSPORT_RUN_MEM_H

#include "umem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct run_mem {
    pid_t tid;
    bool by_file; /* go through /proc/TID/mem from the start */
};

/** Largest range in one call; more faults. Drivers cap theirs far below. */
#define RUN_MEM_MAX (16u << 20)

/** Each returns 0, -EFAULT (part may have been copied, as in Linux), or -EPERM
 * when that process may not be touched. */
int run_mem_read(const struct run_mem *mem, uint64_t addr, void *buf,
                 size_t size);
int run_mem_write(const struct run_mem *mem, uint64_t addr, const void *buf,
                  size_t size);

/** Read a NUL-terminated string; -ENAMETOOLONG when it does not fit. */
int run_mem_string(const struct run_mem *mem, uint64_t addr, char *buf,
                   size_t size);

/**
 * A client's memory for an ioctl handler. umem_commit() refuses with -EINTR
 * when the client has been killed meanwhile (its number may be another's by
 * then); nobody sees that errno.
 */
struct run_umem {
    struct umem um;
    struct run_mem mem;
    int listener;
    uint64_t id; /* of the notification */
};

void run_umem_init(struct run_umem *rum, pid_t tid, int listener, uint64_t id);

#endif
