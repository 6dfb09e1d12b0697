/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"
#include "report.h"

/* abi/snp.md §7.3, in its order. */
enum psp_err snp_msg_report(struct snp_msg *msg)
{
    enum snp_key_choice choice;
    struct snp_report_req req;

    if (snp_report_req_decode(msg->req, &req) != PSP_OK) {
        snp_msg_refuse(msg, SEV_INVALID_PARAM);
        return PSP_OK;
    }
    choice = snp_key_choose(msg->snp, msg->guest, req.key_sel);
    if (choice == SNP_CHOICE_NONE) {
        snp_msg_refuse(msg, SEV_INVALID_KEY);
        return PSP_OK;
    }
    if (!snp_msg_vmpl_ok(msg, req.vmpl)) {
        snp_msg_refuse(msg, SEV_INVALID_PARAM);
        return PSP_OK;
    }
    return snp_report_answer(msg->snp, msg->guest, &req, choice, msg->rsp,
                             &msg->sign);
}
