/* SPDX-License-Identifier: Apache-2.0 */
#include "inproc.h"

#include <errno.h>
#include <string.h>

#define FIRST_PAGE 0x1000u

static int inproc_read(struct umem *um, uint64_t addr, void *buf, size_t size)
{
    (void)um;
    if (addr < FIRST_PAGE) {
        return -EFAULT;
    }
    memcpy(buf, (const void *)(uintptr_t)addr, size);
    return 0;
}

static int inproc_write(struct umem *um, uint64_t addr, const void *buf,
                        size_t size)
{
    (void)um;
    if (addr < FIRST_PAGE) {
        return -EFAULT;
    }
    memcpy((void *)(uintptr_t)addr, buf, size);
    return 0;
}

static const struct umem_ops INPROC_OPS = {
    .read = inproc_read,
    .write = inproc_write,
};

int64_t inproc_ioctl(const struct chardev *dev, bool writable, uint32_t request,
                     void *arg)
{
    struct umem um = {.ops = &INPROC_OPS};

    return dev->ops->ioctl(dev->dev, writable, request, (uintptr_t)arg, &um);
}
