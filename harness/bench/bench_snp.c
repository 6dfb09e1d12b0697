/* SPDX-License-Identifier: Apache-2.0 */
/* One SNP report in process, end to end, against one bare Nettle P-384
 * signature: measured in turns of a few milliseconds, so that both see the same
 * machine. Prints "name value" lines for bench.py. */
#include "crypto.h"
#include "inproc.h"
#include "machine.h"
#include "measure.h"
#include "pki.h"
#include "sev_guest.h"
#include "vm.h"

#include <linux/sev-guest.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TURNS 61
#define EACH  40

static void die(const char *what)
{
    fprintf(stderr, "bench_snp: %s failed\n", what);
    exit(1);
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
    double start = measure_now_us();

    for (int i = 0; i < EACH; i++) {
        req.user_data[0] = (uint8_t)i;
        if (inproc_ioctl(dev, false, (uint32_t)SNP_GET_REPORT, &envelope) !=
            0) {
            die("SNP_GET_REPORT");
        }
    }
    return (measure_now_us() - start) / EACH;
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
    struct measure_signer signer;
    enum sev_status status = SEV_SUCCESS;
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
    measure_signer_init(&signer);
    printf("idle_resident_kib %ld\n", resident_kib());
    (void)report_turn(&node);
    (void)measure_sign_us(&signer, EACH);
    for (int i = 0; i < TURNS; i++) {
        sign[i] = measure_sign_us(&signer, EACH);
        report[i] = report_turn(&node);
        ratio[i] = sign[i] / report[i];
    }
    printf("sign_us %.2f\n", measure_median(sign, TURNS));
    printf("report_us %.2f\n", measure_median(report, TURNS));
    printf("report_rate_ratio %.3f\n", measure_median(ratio, TURNS));
    measure_signer_clear(&signer);
    sev_guest_remove(dev);
    vm_destroy(vm);
    vm_spec_clear(&spec);
    machine_destroy(m);
    return 0;
}
