/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of clients/c/check_guest.c in this very process. The other
 * transports run the same text as a program: unit/transport/test_fuse.c,
 * vm/init, device/test_check_guest.sh. */
#include "tst.h"

#include "inproc.h"
#include "sim_devices.h"

#include <errno.h>

static const struct chardev *device;

static int dev_open(const char *path, int flags)
{
    (void)path;
    (void)flags;
    return 3;
}

static int dev_ioctl(int fd, unsigned long number, void *arg)
{
    int64_t r = inproc_ioctl(device, false, (uint32_t)number, arg);

    (void)fd;
    errno = r < 0 ? (int)-r : errno;
    return r < 0 ? -1 : (int)r;
}

#define CHECK_IN_PROCESS
#include "check_guest.c"

static void checks(const struct chardev *dev, bool certs)
{
    device = dev;
    check.certs = certs;
    check.count = check.failed = 0;
    assert_int_equal(run_checks(), 0);
    assert_true(check.count > 20);
}

static void inproc__host_without_certificates__every_check_holds(void **state)
{
    struct sim_devices d;

    (void)state;
    assert_int_equal(sim_devices_open(&d, "milan"), 0);
    checks(&d.guest, false);
    sim_devices_close(&d);
}

static void inproc__host_with_certificates__every_check_holds(void **state)
{
    struct sim_devices d;

    (void)state;
    assert_int_equal(sim_devices_open(&d, "genoa"), 0);
    checks(&d.guest_certs, true);
    sim_devices_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inproc__host_without_certificates__every_check_holds),
        cmocka_unit_test(inproc__host_with_certificates__every_check_holds),
    };

    return cmocka_run_group_tests_name("check_guest", tests, NULL, NULL);
}
