/* SPDX-License-Identifier: Apache-2.0 */
#include "run_mem.h"

#include <linux/seccomp.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096u

static int open_proc(pid_t tid, const char *name, int flags)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)tid, name);
    return open(path, flags | O_CLOEXEC);
}

/* How many of @size bytes at @addr the process itself could access: the mem
 * file ignores page protection, the kernel's copy functions do not. */
static size_t accessible(FILE *maps, uint64_t addr, size_t size, bool write)
{
    uint64_t at = addr;
    char line[512];

    while (at - addr < size && fgets(line, sizeof(line), maps) != NULL) {
        uint64_t start, end;
        char r, w;

        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %c%c", &start, &end, &r,
                   &w) != 4 ||
            end <= at) {
            continue;
        }
        if (start > at || (write ? w != 'w' : r != 'r')) {
            break;
        }
        at = end;
    }
    return at - addr < size ? (size_t)(at - addr) : size;
}

static ssize_t by_file(pid_t tid, uint64_t addr, void *buf, size_t size,
                       bool write)
{
    int mem = open_proc(tid, "mem", write ? O_RDWR : O_RDONLY);
    int fd = open_proc(tid, "maps", O_RDONLY);
    FILE *maps = fd < 0 ? NULL : fdopen(fd, "r");
    ssize_t done = -EPERM;

    if (mem >= 0 && maps != NULL) {
        size = accessible(maps, addr, size, write);
        done = write ? pwrite(mem, buf, size, (off_t)addr)
                     : pread(mem, buf, size, (off_t)addr);
        done = done < 0 ? -EFAULT : done;
    }
    if (maps != NULL) {
        fclose(maps);
    } else if (fd >= 0) {
        close(fd);
    }
    if (mem >= 0) {
        close(mem);
    }
    return done;
}

/* @buf is only read when @write. */
static int transfer(const struct run_mem *mem, uint64_t addr, void *buf,
                    size_t size, bool write)
{
    struct iovec here = {buf, size};
    struct iovec there = {(void *)(uintptr_t)addr, size};
    ssize_t n;

    if (size > RUN_MEM_MAX) {
        return -EFAULT;
    }
    if (mem->by_file) {
        n = by_file(mem->tid, addr, buf, size, write);
    } else {
        n = write ? process_vm_writev(mem->tid, &here, 1, &there, 1, 0)
                  : process_vm_readv(mem->tid, &here, 1, &there, 1, 0);
        n = n < 0 ? -errno : n;
        if (n == -EPERM || n == -ENOSYS) {
            n = by_file(mem->tid, addr, buf, size, write);
        }
    }
    if (n == -EPERM) {
        return -EPERM;
    }
    return n == (ssize_t)size ? 0 : -EFAULT;
}

int run_mem_read(const struct run_mem *mem, uint64_t addr, void *buf,
                 size_t size)
{
    return transfer(mem, addr, buf, size, false);
}

int run_mem_write(const struct run_mem *mem, uint64_t addr, const void *buf,
                  size_t size)
{
    void *from = (void *)(uintptr_t)buf; /* struct iovec has no const */

    return transfer(mem, addr, from, size, true);
}

int run_mem_string(const struct run_mem *mem, uint64_t addr, char *buf,
                   size_t size)
{
    size_t have = 0;

    /* Page by page: the next page need not exist. */
    while (have < size) {
        size_t part = PAGE - (size_t)((addr + have) % PAGE);
        int err;

        if (part > size - have) {
            part = size - have;
        }
        err = run_mem_read(mem, addr + have, buf + have, part);
        if (err != 0) {
            return err;
        }
        if (memchr(buf + have, 0, part) != NULL) {
            return 0;
        }
        have += part;
    }
    return -ENAMETOOLONG;
}

static int still_waits(const struct run_umem *rum)
{
    uint64_t id = rum->id;

    return ioctl(rum->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0
               ? 0
               : -EINTR;
}

static int um_read(struct umem *um, uint64_t addr, void *buf, size_t size)
{
    struct run_umem *rum = (struct run_umem *)um;

    return run_mem_read(&rum->mem, addr, buf, size) == 0 ? 0 : -EFAULT;
}

static int um_commit(struct umem *um)
{
    return still_waits((struct run_umem *)um);
}

static int um_write(struct umem *um, uint64_t addr, const void *buf,
                    size_t size)
{
    struct run_umem *rum = (struct run_umem *)um;

    /* Not into a process that has inherited a dead client's number. */
    if (still_waits(rum) != 0) {
        return -EFAULT;
    }
    return run_mem_write(&rum->mem, addr, buf, size) == 0 ? 0 : -EFAULT;
}

static const struct umem_ops ops = {
    .read = um_read,
    .commit = um_commit,
    .write = um_write,
};

void run_umem_init(struct run_umem *rum, pid_t tid, int listener, uint64_t id)
{
    *rum = (struct run_umem){
        .um = {.ops = &ops},
        .mem = {.tid = tid},
        .listener = listener,
        .id = id,
    };
}
