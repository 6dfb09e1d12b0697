/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A client's memory as an ioctl handler sees it: plan, then execute.
 *
 * A handler is written once, in the kernel's order, against these four calls:
 *
 *   1. umem_read() for each range it copies in, in order;
 *   2. umem_plan_write() for each range that it may copy out later; as soon as
 *      its address is known, also between reads, so that a transport that asks
 *      can ask for everything at once;
 *   3. umem_commit(), after the last read and plan and before anything changes;
 *   4. the work itself, then umem_write() for each range it copies out.
 *
 * A transport that reaches the client's memory directly (process_vm_readv, an
 * array in a test) answers at once and has nothing to do in 2 and 3. A
 * transport that must ask the kernel for ranges (CUSE retry) answers UMEM_RETRY
 * until it holds what the handler has asked for, and runs the handler again
 * from the start; so nothing before umem_commit() may change state. Each range
 * is read once per run: no double fetch.
 */
#ifndef LINUX_UMEM_H
#define LINUX_UMEM_H

#include <stddef.h>
#include <stdint.h>

/** Not an errno: the handler must return it at once, unchanged. */
#define UMEM_RETRY (-100000)

struct umem;

struct umem_ops {
    /** Copy in. 0, -EFAULT or UMEM_RETRY. */
    int (*read)(struct umem *um, uint64_t addr, void *buf, size_t size);
    /** Announce a later write of up to @size bytes. May be NULL. */
    int (*plan_write)(struct umem *um, uint64_t addr, size_t size);
    /** The point of no return. May be NULL. */
    int (*commit)(struct umem *um);
    /** Copy out. 0 or -EFAULT; partial writes are possible, as in Linux. */
    int (*write)(struct umem *um, uint64_t addr, const void *buf, size_t size);
};

/** First member of each transport's own structure. */
struct umem {
    const struct umem_ops *ops;
};

/** Highest user address on x86-64 with four-level paging, exclusive. */
#define UMEM_TASK_SIZE 0x00007ffffffff000ull

/** Each returns 0, a negative errno or UMEM_RETRY. Ranges that leave the user
 * half of the address space fault without asking the transport. A read or
 * write of 0 bytes succeeds. */
int umem_read(struct umem *um, uint64_t addr, void *buf, size_t size);
int umem_plan_write(struct umem *um, uint64_t addr, size_t size);
int umem_commit(struct umem *um);
int umem_write(struct umem *um, uint64_t addr, const void *buf, size_t size);

#endif
