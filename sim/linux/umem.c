/* SPDX-License-Identifier: Apache-2.0 */
#include "umem.h"

#include <errno.h>
#include <stdbool.h>

static bool in_user_space(uint64_t addr, size_t size)
{
    return size <= UMEM_TASK_SIZE && addr <= UMEM_TASK_SIZE - size;
}

int umem_read(struct umem *um, uint64_t addr, void *buf, size_t size)
{
    if (size == 0) {
        return 0;
    }
    if (!in_user_space(addr, size)) {
        return -EFAULT;
    }
    return um->ops->read(um, addr, buf, size);
}

int umem_plan_write(struct umem *um, uint64_t addr, size_t size)
{
    if (size == 0 || um->ops->plan_write == NULL ||
        !in_user_space(addr, size)) {
        return 0; /* an impossible range faults when it is written */
    }
    return um->ops->plan_write(um, addr, size);
}

int umem_commit(struct umem *um)
{
    return um->ops->commit == NULL ? 0 : um->ops->commit(um);
}

int umem_write(struct umem *um, uint64_t addr, const void *buf, size_t size)
{
    if (size == 0) {
        return 0;
    }
    if (!in_user_space(addr, size)) {
        return -EFAULT;
    }
    return um->ops->write(um, addr, buf, size);
}
