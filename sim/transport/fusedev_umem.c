/* SPDX-License-Identifier: Apache-2.0 */
#include "fusedev_impl.h"

#include <errno.h>
#include <string.h>

/* Is it in the struct that travels with the request? */
static bool travels(const struct fusedev_umem *fum, uint64_t addr, size_t size,
                    size_t room)
{
    return addr >= fum->arg && size <= room && addr - fum->arg <= room - size;
}

static int fusedev_read(struct umem *um, uint64_t addr, void *buf, size_t size)
{
    struct fusedev_umem *fum = (struct fusedev_umem *)um;

    if (travels(fum, addr, size, fum->in_size)) {
        memcpy(buf, fum->in + (addr - fum->arg), size);
        return 0;
    }
    return fum->mem.tid != 0 && run_mem_read(&fum->mem, addr, buf, size) == 0
               ? 0
               : -EFAULT;
}

static int fusedev_write(struct umem *um, uint64_t addr, const void *buf,
                         size_t size)
{
    struct fusedev_umem *fum = (struct fusedev_umem *)um;

    /* The reply is written from its start: no gap may be in it. */
    if (travels(fum, addr, size, fum->out_size) &&
        addr - fum->arg <= fum->known) {
        size_t end = (size_t)(addr - fum->arg) + size;

        memcpy(fum->out + (end - size), buf, size);
        fum->known = end > fum->known ? end : fum->known;
        fum->reply = end > fum->reply ? end : fum->reply;
        return 0;
    }
    return fum->mem.tid != 0 && run_mem_write(&fum->mem, addr, buf, size) == 0
               ? 0
               : -EFAULT;
}

static const struct umem_ops OPS = {
    .read = fusedev_read,
    .write = fusedev_write,
};

void fusedev_umem_init(struct fusedev_umem *fum, pid_t tid, uint64_t arg,
                       const void *in, size_t in_size, void *out,
                       size_t out_size)
{
    *fum = (struct fusedev_umem){
        .um = {.ops = &OPS},
        .mem = {.tid = tid},
        .arg = arg,
        .in = in,
        .in_size = in_size,
        .out = out,
        .out_size = out_size,
        .known = in_size < out_size ? in_size : out_size,
    };
    if (fum->known > 0) {
        memcpy(fum->out, fum->in, fum->known);
    }
}
