/* SPDX-License-Identifier: Apache-2.0 */
/* usage: bench_cuse DEVICE NULL_DEVICE
 * A report by DEVICE above its parts, in turns: an ioctl of NULL_DEVICE (devd
 * null: the same calls and bytes, and nothing is done) and a bare P-384
 * signature of the library that the model uses. Prints the medians and that of
 * the ratio. */
#include "measure.h"

#include <linux/sev-guest.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define TURNS 21
#define EACH  10

static int open_device(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        perror(path);
        exit(1);
    }
    return fd;
}

static double ask(int fd)
{
    static struct snp_report_resp resp;
    struct snp_report_req req = {0};
    struct snp_guest_request_ioctl io = {
        .msg_version = 1,
        .req_data = (uint64_t)(uintptr_t)&req,
        .resp_data = (uint64_t)(uintptr_t)&resp,
    };
    double start = measure_now_us();

    for (int i = 0; i < EACH; i++) {
        req.user_data[0] = (uint8_t)i;
        if (ioctl(fd, SNP_GET_REPORT, &io) != 0) {
            perror("SNP_GET_REPORT");
            exit(1);
        }
    }
    return (measure_now_us() - start) / EACH;
}

int main(int argc, char **argv)
{
    double report[TURNS], empty[TURNS], signature[TURNS], ratio[TURNS];
    struct measure_signer signer;
    int device, null;

    if (argc != 3) {
        fprintf(stderr, "usage: bench_cuse DEVICE NULL_DEVICE\n");
        return 64;
    }
    device = open_device(argv[1]);
    null = open_device(argv[2]);
    measure_signer_init(&signer);
    for (int i = -1; i < TURNS; i++) {
        int at = i < 0 ? 0 : i; /* the first is for the caches */

        report[at] = ask(device);
        empty[at] = ask(null);
        signature[at] = measure_sign_us(&signer, EACH);
        ratio[at] = report[at] / (empty[at] + signature[at]);
    }
    measure_signer_clear(&signer);
    printf("cuse_report_us %.1f\ncuse_empty_us %.1f\ncuse_sign_us %.1f\n",
           measure_median(report, TURNS), measure_median(empty, TURNS),
           measure_median(signature, TURNS));
    printf("cuse_ratio %.3f\n", measure_median(ratio, TURNS));
    return 0;
}
