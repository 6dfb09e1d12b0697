/* SPDX-License-Identifier: Apache-2.0 */
/* One SNP report in process, end to end, against one bare Nettle P-384
 * signature: measured in turns of a few milliseconds, so that both see the same
 * machine. Prints "name value" lines for bench.py. */
#include "crypto.h"
#include "inproc.h"
#include "machine.h"
#include "pki.h"
#include "sev_guest.h"
#include "vm.h"

#include <linux/sev-guest.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>
#include <nettle/ecdsa.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define TURNS 61
#define EACH  40

static double now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void die(const char *what)
{
    fprintf(stderr, "bench_snp: %s failed\n", what);
    exit(1);
}

/* A random source that costs nothing: the limit is the signature alone. */
static void counter_bytes(void *ctx, size_t size, uint8_t *out)
{
    uint64_t *counter = ctx;

    memset(out, 0x5a, size);
    (*counter)++;
    memcpy(out + 8, counter, sizeof(*counter));
}

static double sign_turn(const struct ecc_scalar *key, uint64_t *counter)
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

static double report_turn(const struct chardev *dev)
{
    static struct snp_report_resp resp;
    struct snp_report_req req = {.vmpl = 0};
    struct snp_guest_request_ioctl envelope = {
        .msg_version = 1,
        .req_data = (uint64_t)(uintptr_t)&req,
        .resp_data = (uint64_t)(uintptr_t)&resp,
    };
    double start = now_us();

    for (int i = 0; i < EACH; i++) {
        req.user_data[0] = (uint8_t)i;
        if (inproc_ioctl(dev, false, (uint32_t)SNP_GET_REPORT, &envelope) !=
            0) {
            die("SNP_GET_REPORT");
        }
    }
    return (now_us() - start) / EACH;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static long resident_kib(void)
{
    long pages = 0, total = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (f == NULL || fscanf(f, "%ld %ld", &total, &pages) != 2) {
        die("/proc/self/statm");
    }
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void make_key(struct ecc_scalar *key)
{
    mpz_t d;

    mpz_init_set_str(d, "123456789abcdef123456789abcdef", 16);
    ecc_scalar_init(key, nettle_get_secp_384r1());
    if (ecc_scalar_set(key, d) != 1) {
        die("ecc_scalar_set");
    }
    mpz_clear(d);
}

int main(void)
{
    const struct psp_profile *profile = psp_profile_by_name("milan");
    struct machine_config config = {.profile = profile, .seed = PKI_DEV_SEED};
    struct sev_guest_config guest = {.era = SEV_GUEST_6_13, .vmpck_id = -1};
    double sign[TURNS], report[TURNS], ratio[TURNS];
    struct machine *m = NULL;
    struct sev_guest_dev *dev = NULL;
    struct vm_spec spec;
    struct vm *vm = NULL;
    struct ecc_scalar key;
    enum sev_status status = SEV_SUCCESS;
    uint64_t counter = 0;
    struct chardev node;

    pki_chip_make(PKI_DEV_SEED, profile->generation, 0, &config.chip);
    if (machine_create(&config, &m) != 0 ||
        machine_platform_init(m) != SEV_SUCCESS ||
        vm_spec_default(&spec, profile) != 0 ||
        vm_launch(m, &spec, &vm, &status) != 0 ||
        sev_guest_probe(vm, &guest, &dev) != 0) {
        die("bring-up");
    }
    node = sev_guest_chardev(dev);
    make_key(&key);
    printf("idle_resident_kib %ld\n", resident_kib());
    (void)report_turn(&node);
    (void)sign_turn(&key, &counter);
    for (int i = 0; i < TURNS; i++) {
        sign[i] = sign_turn(&key, &counter);
        report[i] = report_turn(&node);
        ratio[i] = sign[i] / report[i];
    }
    qsort(sign, TURNS, sizeof(sign[0]), by_value);
    qsort(report, TURNS, sizeof(report[0]), by_value);
    qsort(ratio, TURNS, sizeof(ratio[0]), by_value);
    printf("sign_us %.2f\n", sign[TURNS / 2]);
    printf("report_us %.2f\n", report[TURNS / 2]);
    printf("report_rate_ratio %.3f\n", ratio[TURNS / 2]);
    ecc_scalar_clear(&key);
    sev_guest_remove(dev);
    vm_destroy(vm);
    vm_spec_clear(&spec);
    machine_destroy(m);
    return 0;
}
