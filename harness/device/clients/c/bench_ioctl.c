/* SPDX-License-Identifier: Apache-2.0 */
/* Times two ioctls on /dev/sev-guest in turns: an empty one (msg_version 0 is
 * refused after the envelope was read) and a report. Prints the medians.
 * usage: bench_ioctl [DEVICE] */
#include <linux/sev-guest.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>

#define TURNS 61
#define EACH  20

static double now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    static struct snp_report_resp resp;
    struct snp_report_req req = {0};
    struct snp_guest_request_ioctl report = {
        .msg_version = 1,
        .req_data = (uint64_t)(uintptr_t)&req,
        .resp_data = (uint64_t)(uintptr_t)&resp,
    };
    struct snp_guest_request_ioctl empty = {0};
    double us[2][TURNS];
    const char *device = argc > 1 ? argv[1] : "/dev/sev-guest";
    int fd = open(device, O_RDWR);

    if (fd < 0) {
        perror(device);
        return 1;
    }
    for (int turn = 0; turn < TURNS; turn++) {
        for (int kind = 0; kind < 2; kind++) {
            double start = now_us();

            for (int i = 0; i < EACH; i++) {
                int r = ioctl(fd, SNP_GET_REPORT, kind ? &report : &empty);

                if ((kind == 1) != (r == 0)) {
                    perror("ioctl");
                    return 1;
                }
            }
            us[kind][turn] = (now_us() - start) / EACH;
        }
    }
    for (int kind = 0; kind < 2; kind++) {
        qsort(us[kind], TURNS, sizeof(double), by_value);
    }
    printf("trapped_empty_us %.2f\ntrapped_report_us %.2f\n", us[0][TURNS / 2],
           us[1][TURNS / 2]);
    return 0;
}
