/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

enum psp_err snp_msg_tsc_info(struct snp_msg *msg)
{
    const struct snp_tsc_info_rsp rsp = {
        .status = SEV_SUCCESS,
        .guest_tsc_scale = snp_tsc_scale(msg->guest),
        .guest_tsc_offset = msg->guest->psp_tsc_offset,
        .tsc_factor = SNP_TSC_FACTOR,
    };

    if (snp_tsc_info_req_check(msg->req) != PSP_OK) {
        snp_msg_refuse(msg, SEV_INVALID_PARAM);
        return PSP_OK;
    }
    snp_tsc_info_rsp_encode(&rsp, msg->rsp);
    return PSP_OK;
}
