/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

#include "wire.h"

/* Rate of the platform's TSC. No client can see the model's clock, so one value
 * serves every profile. [model] */
#define PLATFORM_TSC_KHZ 2000000ull

/* Mean = nominal - nominal * factor / 100000: 0.2 percent, as on hardware. */
#define TSC_FACTOR 200u

/* 8.32 fixed point, saturated; 0 kHz: the platform's own rate. */
static uint64_t tsc_scale(uint32_t desired_khz)
{
    const uint64_t max = (1ull << 40) - 1;
    uint64_t scale;

    if (desired_khz == 0) {
        return 1ull << 32;
    }
    scale = ((uint64_t)desired_khz << 32) / PLATFORM_TSC_KHZ;
    return scale < max ? scale : max;
}

enum psp_err snp_msg_tsc_info(struct snp_msg *msg)
{
    const struct snp_tsc_info_rsp rsp = {
        .status = SEV_SUCCESS,
        .guest_tsc_scale = tsc_scale(msg->guest->desired_tsc_freq),
        .guest_tsc_offset = msg->guest->psp_tsc_offset,
        .tsc_factor = TSC_FACTOR,
    };

    if (snp_tsc_info_req_check(msg->req) != PSP_OK) {
        snp_msg_refuse(msg, SEV_INVALID_PARAM);
        return PSP_OK;
    }
    snp_tsc_info_rsp_encode(&rsp, msg->rsp);
    return PSP_OK;
}
