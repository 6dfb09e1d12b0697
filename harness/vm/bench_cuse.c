/* SPDX-License-Identifier: Apache-2.0 */
/* usage: bench_cuse DEVICE NULL_DEVICE
 * A report by DEVICE above its parts, in turns: an ioctl of NULL_DEVICE (devd
 * null: the same calls and bytes, and nothing is done) and a bare P-384
 * signature of the library that the model uses. Prints the medians and that of
 * the ratio. */
#include <linux/sev-guest.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>
#include <nettle/ecdsa.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#define TURNS 21
#define EACH  10

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

static double median(double *values)
{
    qsort(values, TURNS, sizeof(*values), by_value);
    return values[TURNS / 2];
}

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
    double start = now_us();

    for (int i = 0; i < EACH; i++) {
        req.user_data[0] = (uint8_t)i;
        if (ioctl(fd, SNP_GET_REPORT, &io) != 0) {
            perror("SNP_GET_REPORT");
            exit(1);
        }
    }
    return (now_us() - start) / EACH;
}

/* A random source that costs nothing: the limit is the signature alone. */
static void counter_bytes(void *ctx, size_t size, uint8_t *out)
{
    uint64_t *counter = ctx;

    memset(out, 0x5a, size);
    (*counter)++;
    memcpy(out + 8, counter, sizeof(*counter));
}

static double sign(const struct ecc_scalar *key, uint64_t *counter)
{
    struct dsa_signature sig;
    uint8_t digest[48] = {1, 2, 3};
    double start = now_us();

    dsa_signature_init(&sig);
    for (int i = 0; i < EACH; i++) {
        digest[0] = (uint8_t)i;
        ecdsa_sign(key, counter, counter_bytes, sizeof(digest), digest, &sig);
    }
    dsa_signature_clear(&sig);
    return (now_us() - start) / EACH;
}

int main(int argc, char **argv)
{
    double report[TURNS], empty[TURNS], signature[TURNS], ratio[TURNS];
    struct ecc_scalar key;
    uint64_t counter = 0;
    int device, null;
    mpz_t d;

    if (argc != 3) {
        fprintf(stderr, "usage: bench_cuse DEVICE NULL_DEVICE\n");
        return 64;
    }
    device = open_device(argv[1]);
    null = open_device(argv[2]);
    mpz_init_set_str(d, "123456789abcdef123456789abcdef", 16);
    ecc_scalar_init(&key, nettle_get_secp_384r1());
    if (ecc_scalar_set(&key, d) != 1) {
        return 1;
    }
    mpz_clear(d);
    for (int i = -1; i < TURNS; i++) {
        int at = i < 0 ? 0 : i; /* the first is for the caches */

        report[at] = ask(device);
        empty[at] = ask(null);
        signature[at] = sign(&key, &counter);
        ratio[at] = report[at] / (empty[at] + signature[at]);
    }
    ecc_scalar_clear(&key);
    printf("cuse_report_us %.1f\ncuse_empty_us %.1f\ncuse_sign_us %.1f\n",
           median(report), median(empty), median(signature));
    printf("cuse_ratio %.3f\n", median(ratio));
    return 0;
}
