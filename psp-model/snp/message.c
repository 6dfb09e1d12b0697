/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

#include "snp_cmd.h"
#include "snp_cpuid.h"

static const struct snp_msg_kind KINDS[] = {
    {SNP_MSG_CPUID_REQ, {SNP_CPUID_HEADER_SIZE}, 0, snp_msg_cpuid},
    {SNP_MSG_KEY_REQ,
     {SNP_KEY_REQ_V1_SIZE, SNP_KEY_REQ_V2_SIZE},
     SNP_KEY_RSP_SIZE,
     snp_msg_key},
    {SNP_MSG_REPORT_REQ,
     {SNP_REPORT_REQ_SIZE},
     SNP_REPORT_RSP_SIZE,
     snp_msg_report},
    {SNP_MSG_EXPORT_REQ,
     {SNP_EXPORT_REQ_SIZE},
     SNP_EXPORT_RSP_SIZE,
     snp_msg_export},
    {SNP_MSG_IMPORT_REQ,
     {SNP_IMPORT_REQ_SIZE},
     SNP_MIGRATE_RSP_SIZE,
     snp_msg_import},
    {SNP_MSG_ABSORB_REQ,
     {SNP_IMPORT_REQ_SIZE},
     SNP_MIGRATE_RSP_SIZE,
     snp_msg_absorb},
    {SNP_MSG_VMRK_REQ, {SNP_VMRK_REQ_SIZE}, SNP_MIGRATE_RSP_SIZE, snp_msg_vmrk},
    {SNP_MSG_ABSORB_NOMA_REQ,
     {SNP_IMPORT_REQ_SIZE},
     SNP_MIGRATE_RSP_SIZE,
     snp_msg_absorb_noma},
    {SNP_MSG_TSC_INFO_REQ,
     {SNP_TSC_INFO_REQ_SIZE},
     SNP_TSC_INFO_RSP_SIZE,
     snp_msg_tsc_info},
};

const struct snp_msg_kind *snp_msg_kind(const struct snp_msg_header *header)
{
    uint32_t index = header->version - 1u; /* version 0 falls out too */

    for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]); i++) {
        const struct snp_msg_kind *k = &KINDS[i];

        if (k->type == header->type) {
            return index < SNP_MSG_VERSION_COUNT && k->req_size[index] != 0 &&
                           header->size >= k->req_size[index]
                       ? k
                       : NULL;
        }
    }
    return NULL;
}

void snp_msg_refuse(struct snp_msg *msg, enum sev_status status)
{
    snp_msg_put_status(msg->rsp, status);
}

bool snp_msg_vmpl_ok(const struct snp_msg *msg, uint32_t vmpl)
{
    return vmpl >= msg->vmpck_id && vmpl <= SNP_MSG_VMPL_MAX;
}

static enum sev_status decommission(struct snp_platform *snp,
                                    const struct snp_guest *guest)
{
    const struct snp_cmd_gctx cmd = {.gctx_paddr = guest->gctx_paddr};
    uint8_t buf[SNP_CMD_GCTX_SIZE];

    snp_cmd_gctx_encode(&cmd, buf);
    return snp_cmd_decommission(snp, buf);
}

static void replace(struct snp_msg *msg)
{
    if (msg->target->state == SNP_GUEST_INIT) {
        msg->snp->started_guest_count++;
    }
    *msg->target = msg->next;
}

enum sev_status snp_msg_commit(struct snp_msg *msg)
{
    bool sender_ends =
        msg->effect == SNP_EFFECT_DECOMMISSION && msg->target == msg->guest;
    enum sev_status status = SEV_SUCCESS;

    if (msg->effect == SNP_EFFECT_DECOMMISSION) {
        status = decommission(msg->snp, msg->target);
    }
    if (status == SEV_SUCCESS && !sender_ends) {
        msg->guest->msg_count[msg->vmpck_id] = msg->seqno + 1;
    }
    /* After the counter: the sender itself may be what is replaced, and then
     * lives on with the counters that came with its new context. */
    if (msg->effect == SNP_EFFECT_REPLACE) {
        replace(msg);
    }
    return status;
}
