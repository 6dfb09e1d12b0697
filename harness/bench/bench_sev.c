/* SPDX-License-Identifier: Apache-2.0 */
/* Legacy commands through the mailbox, against the cryptography that they
 * cannot do without: measured in turns, so that both see the same machine.
 * Prints "name value" lines for bench.py. */
#include "measure.h"
#include "raw_guest.h"
#include "sev_rig.h"

#include <stdio.h>
#include <string.h>

#define TURNS  41
#define EACH   40
#define UPDATE 0x10000u /* bytes of one LAUNCH_UPDATE_DATA */
#define ASID   200u
#define GUESTS 1000u

static uint32_t measured_guest(struct sev_rig *r, uint32_t asid)
{
    uint32_t handle = 0;

    raw_need(rig_start(r, 1, NULL, NULL, asid, &handle) == SEV_SUCCESS &&
                 rig_range(r, SEV_CMD_LAUNCH_MEASURE, handle, RIG_OUT,
                           SEV_MEASURE_BLOB_SIZE) == SEV_SUCCESS,
             "launch");
    return handle;
}

static double attest_turn(struct sev_rig *r, uint32_t handle)
{
    uint8_t mnonce[16] = {0};
    double start = measure_now_us();

    for (int i = 0; i < EACH; i++) {
        mnonce[0] = (uint8_t)i;
        raw_need(rig_attest(r, handle, mnonce, SEV_REPORT_SIZE) == SEV_SUCCESS,
                 "ATTESTATION");
    }
    return (measure_now_us() - start) / EACH;
}

static void bench_attestation(void)
{
    double sign[TURNS], attest[TURNS], ratio[TURNS];
    struct measure_signer signer;
    struct sev_rig r;
    uint32_t handle;

    rig_open(&r, "milan", true);
    handle = measured_guest(&r, ASID);
    measure_signer_init(&signer);
    for (int i = 0; i < TURNS; i++) {
        sign[i] = measure_sign_us(&signer, EACH);
        attest[i] = attest_turn(&r, handle);
        ratio[i] = sign[i] / attest[i];
    }
    printf("attestation_us %.2f\n", measure_median(attest, TURNS));
    printf("attestation_rate_ratio %.3f\n", measure_median(ratio, TURNS));
    measure_signer_clear(&signer);
    rig_close(&r);
}

/* --- LAUNCH_UPDATE_DATA against encryption and hash --- */

static double limit_turn(const uint8_t key[32], uint8_t *data, uint8_t *out)
{
    struct psp_sha256_stream s;
    double start = measure_now_us();

    psp_sha256_init(&s);
    for (int i = 0; i < 4; i++) {
        psp_sha256_update(&s, data, UPDATE);
        raw_need(psp_xts_pages(true, key, RIG_GUEST, data, UPDATE, out) ==
                     PSP_OK,
                 "XTS");
    }
    return (measure_now_us() - start) / 4;
}

static double update_turn(struct sev_rig *r, uint32_t handle)
{
    double start = measure_now_us();

    for (int i = 0; i < 4; i++) {
        raw_need(rig_range(r, SEV_CMD_LAUNCH_UPDATE_DATA, handle,
                           RIG_GUEST + (uint32_t)i * UPDATE,
                           UPDATE) == SEV_SUCCESS,
                 "LAUNCH_UPDATE_DATA");
    }
    return (measure_now_us() - start) / 4;
}

static void bench_update(void)
{
    static uint8_t data[UPDATE], out[UPDATE];
    static const uint8_t key[32] = {1, [16] = 2};
    double limit[TURNS], update[TURNS], ratio[TURNS];
    uint32_t handle = 0;
    struct sev_rig r;

    rig_open(&r, "milan", true);
    raw_need(rig_start(&r, 1, NULL, NULL, ASID, &handle) == SEV_SUCCESS,
             "launch");
    for (int i = 0; i < TURNS; i++) {
        limit[i] = limit_turn(key, data, out);
        update[i] = update_turn(&r, handle);
        ratio[i] = limit[i] / update[i];
    }
    printf("launch_update_mib_s %.1f\n",
           UPDATE / measure_median(update, TURNS) / 1.048576);
    printf("launch_update_ratio %.3f\n", measure_median(ratio, TURNS));
    rig_close(&r);
}

/* --- INIT with a store --- */

static void bench_init(void)
{
    double init[TURNS];
    struct sev_rig r;

    rig_open(&r, "milan", true);
    for (int i = 0; i < TURNS; i++) {
        double start;

        raw_need(rig_run(&r, SEV_CMD_SHUTDOWN) == SEV_SUCCESS, "SHUTDOWN");
        start = measure_now_us();
        rig_init(&r);
        init[i] = measure_now_us() - start;
    }
    printf("init_nv_ms %.4f\n", measure_median(init, TURNS) / 1000);
    rig_close(&r);
}

/* --- the thousandth guest --- */

/* LAUNCH_START, GUEST_STATUS and DECOMMISSION of one guest more. */
static double life_turn(struct sev_rig *r)
{
    uint8_t start_buf[SEV_CMD_START_SIZE], buf[SEV_CMD_GUEST_STATUS_SIZE] = {0};
    struct sev_cmd_start cmd = {.policy = 1};
    double start;

    sev_cmd_start_encode(&cmd, start_buf);
    start = measure_now_us();
    for (int i = 0; i < EACH * 10; i++) {
        raw_need(rig_exec(r, SEV_CMD_LAUNCH_START, start_buf,
                          sizeof(start_buf)) == SEV_SUCCESS,
                 "LAUNCH_START");
        memcpy(buf, r->buffer, 4);
        raw_need(rig_exec(r, SEV_CMD_GUEST_STATUS, buf, sizeof(buf)) ==
                         SEV_SUCCESS &&
                     rig_exec(r, SEV_CMD_DECOMMISSION, buf, 4) == SEV_SUCCESS,
                 "DECOMMISSION");
    }
    return (measure_now_us() - start) / (EACH * 10 * 3);
}

static void crowd(struct sev_rig *r, uint32_t count)
{
    uint8_t buf[SEV_CMD_START_SIZE];
    struct sev_cmd_start cmd = {.policy = 1};

    sev_cmd_start_encode(&cmd, buf);
    while (count-- > 0) {
        raw_need(rig_exec(r, SEV_CMD_LAUNCH_START, buf, sizeof(buf)) ==
                     SEV_SUCCESS,
                 "LAUNCH_START");
    }
}

static void bench_crowd(void)
{
    double one[TURNS], many[TURNS], ratio[TURNS];
    struct sev_rig few, full;

    rig_open(&few, "milan", true);
    rig_open(&full, "milan", true);
    crowd(&full, GUESTS - 1);
    for (int i = 0; i < TURNS; i++) {
        one[i] = life_turn(&few);
        many[i] = life_turn(&full);
        ratio[i] = many[i] / one[i];
    }
    printf("guest_1_us %.3f\n", measure_median(one, TURNS));
    printf("guest_1000_us %.3f\n", measure_median(many, TURNS));
    printf("guest_1000_ratio %.3f\n", measure_median(ratio, TURNS));
    rig_close(&few);
    rig_close(&full);
}

int main(void)
{
    bench_attestation();
    bench_update();
    bench_init();
    bench_crowd();
    return 0;
}
