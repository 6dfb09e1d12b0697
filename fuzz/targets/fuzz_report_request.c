/* SPDX-License-Identifier: Apache-2.0 */
/* A signed report for each input: what a guest asks, in a sealed message on a
 * platform that is kept, is what its report says. First byte: which VMPCK. */
#include "fz.h"
#include "raw_guest.h"
#include "snp_report.h"

#include <psp/status.h>

#include <string.h>

#define MSG_REPORT_REQ 5u
#define REQUEST_SIZE   0x60u
#define DATA_SIZE      64u
#define REPORT_AT      0x20u

static void check_report(const uint8_t payload[REQUEST_SIZE],
                         const uint8_t *plain, size_t size)
{
    struct snp_report report;

    fz_check(size == REPORT_AT + SNP_REPORT_SIZE);
    fz_check(snp_report_decode(plain + REPORT_AT, SNP_REPORT_SIZE, &report,
                               NULL) == PSP_OK);
    fz_check(memcmp(report.report_data, payload, DATA_SIZE) == 0);
    fz_check(report.vmpl == payload[DATA_SIZE]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct raw_guest g;
    struct fz_in in = {data, size};
    uint8_t payload[REQUEST_SIZE];
    uint8_t request[0x1000], response[0x1000], plain[0xfa0];
    uint8_t vmpck = fz_u8(&in) & 3;
    struct raw_message msg;
    size_t got = 0;

    if (g.m == NULL) {
        raw_guest_open(&g, "milan", NULL);
    }
    fz_bytes(&in, payload, sizeof(payload));
    msg = raw_next(&g, vmpck, MSG_REPORT_REQ, 1, payload, sizeof(payload));
    if (raw_send(&g, &msg, request, response, &got) != SEV_SUCCESS) {
        fz_check(false);
    }
    got = raw_open(&g, vmpck, response, plain);
    if (plain[0] == 0) {
        check_report(payload, plain, got);
    }
    return 0;
}
