/* SPDX-License-Identifier: Apache-2.0 */
#include "tst.h"

#include "inproc.h"

#include <errno.h>

/* Copies 4 bytes from the argument to the address 8 bytes on. */
static int64_t copy(void *dev, bool writable, uint32_t request, uint64_t arg,
                    struct umem *um)
{
    uint8_t bytes[4];
    int err = umem_read(um, arg, bytes, sizeof(bytes));

    *(uint32_t *)dev = request;
    if (err == 0) {
        err = umem_plan_write(um, arg + 8, sizeof(bytes));
    }
    if (err == 0) {
        err = umem_commit(um);
    }
    if (err == 0) {
        err = umem_write(um, arg + 8, bytes, sizeof(bytes));
    }
    return err != 0 ? err : writable;
}

static const struct chardev_ops OPS = {.ioctl = copy};

static void inproc__pointer__read_and_written(void **state)
{
    uint32_t seen = 0;
    const struct chardev dev = {"toy", &OPS, &seen};
    uint8_t memory[12] = {1, 2, 3, 4};

    (void)state;
    assert_int_equal(inproc_ioctl(&dev, true, 0xc0205300, memory), 1);
    assert_int_equal(seen, 0xc0205300);
    assert_memory_equal(memory + 8, "\1\2\3\4", 4);
    assert_int_equal(inproc_ioctl(&dev, false, 0, memory), 0);
}

static void inproc__null__efault(void **state)
{
    uint32_t seen = 0;
    const struct chardev dev = {"toy", &OPS, &seen};

    (void)state;
    assert_int_equal(inproc_ioctl(&dev, true, 0, NULL), -EFAULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inproc__pointer__read_and_written),
        cmocka_unit_test(inproc__null__efault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
