/* SPDX-License-Identifier: Apache-2.0 */
/* Two clients on two guests of a platform against one, with two bare signers
 * against one as this machine's limit. Prints "name value" lines for bench.py.
 */
#include "crypto.h"
#include "inproc.h"
#include "machine.h"
#include "measure.h"
#include "pki.h"
#include "sev_guest.h"
#include "vm.h"

#include <linux/sev-guest.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define TURNS 41
#define EACH  100

static void die(const char *what)
{
    fprintf(stderr, "bench_serve: %s failed\n", what);
    exit(1);
}

static struct machine *power_on(void)
{
    struct machine_config config = {.profile = psp_profile_by_name("milan"),
                                    .seed = PKI_DEV_SEED};
    struct machine *m = NULL;

    pki_chip_make(PKI_DEV_SEED, config.profile->generation, 0, &config.chip);
    if (machine_create(&config, &m) != 0 ||
        machine_platform_init(m) != SEV_SUCCESS) {
        die("machine");
    }
    return m;
}

/* --- two at once --- */

struct guest {
    struct vm *vm;
    struct sev_guest_dev *dev;
    struct chardev node;
};

static void open_guest(struct machine *m, const struct vm_spec *spec,
                       struct guest *g)
{
    const struct sev_guest_config config = {.era = SEV_GUEST_6_13,
                                            .vmpck_id = -1};
    enum sev_status status;

    if (vm_launch(m, spec, &g->vm, &status) != 0 ||
        sev_guest_probe(g->vm, &config, &g->dev) != 0) {
        die("guest");
    }
    g->node = sev_guest_chardev(g->dev);
}

static void *ask(void *arg)
{
    const struct guest *g = arg;
    struct snp_report_resp resp;
    struct snp_report_req req = {.vmpl = 0};
    struct snp_guest_request_ioctl io = {
        .msg_version = 1,
        .req_data = (uint64_t)(uintptr_t)&req,
        .resp_data = (uint64_t)(uintptr_t)&resp,
    };

    for (int i = 0; i < EACH; i++) {
        if (inproc_ioctl(&g->node, false, (uint32_t)SNP_GET_REPORT, &io) != 0) {
            die("SNP_GET_REPORT");
        }
    }
    return NULL;
}

static void *sign(void *arg)
{
    const struct psp_p384_key *key = arg;
    uint8_t digest[48] = {1, 2, 3};
    struct psp_p384_sig sig;

    for (int i = 0; i < EACH; i++) {
        digest[0] = (uint8_t)i;
        if (psp_p384_sign(key, digest, &sig) != PSP_OK) {
            die("signature");
        }
    }
    return NULL;
}

static double turn(void *(*work)(void *), void *first, void *second)
{
    double start = measure_now_us();
    pthread_t thread;

    if (second != NULL && pthread_create(&thread, NULL, work, second) != 0) {
        die("thread");
    }
    work(first);
    if (second != NULL) {
        pthread_join(thread, NULL);
    }
    return measure_now_us() - start;
}

/* How many times the rate of one two have. */
static double two_to_one(void *(*work)(void *), void *first, void *second)
{
    double ratio[TURNS];

    turn(work, first, second);
    for (int i = 0; i < TURNS; i++) {
        double one = turn(work, first, NULL);

        ratio[i] = 2 * one / turn(work, first, second);
    }
    return measure_median(ratio, TURNS);
}

static void two(const struct vm_spec *spec)
{
    struct machine *m = power_on();
    static const uint8_t scalar[48] = {1, 2, 3};
    struct psp_p384_key key;
    struct guest g[2];

    if (psp_p384_from_bytes(scalar, sizeof(scalar), &key) != PSP_OK) {
        die("key");
    }
    for (int i = 0; i < 2; i++) {
        open_guest(m, spec, &g[i]);
    }
    printf("two_guests_ratio %.3f\n", two_to_one(ask, &g[0], &g[1]));
    printf("two_signers_ratio %.3f\n", two_to_one(sign, &key, &key));
    for (int i = 0; i < 2; i++) {
        sev_guest_remove(g[i].dev);
        vm_destroy(g[i].vm);
    }
    machine_destroy(m);
}

int main(void)
{
    struct vm_spec spec;

    if (vm_spec_default(&spec, psp_profile_by_name("milan")) != 0) {
        die("description");
    }
    two(&spec);
    vm_spec_clear(&spec);
    return 0;
}
