/* SPDX-License-Identifier: Apache-2.0 */
/* Migration messages, abi/snp.md §6.9. Checks run in the order in which the
 * sheet lists them; what a message does to a guest is left to snp_msg_commit().
 */
#include "message.h"

#include "snp_mdata.h"

#include <string.h>

/* An exported context and the guest that it is meant for. */
struct incoming {
    uint64_t gctx_paddr;
    bool readable; /* size, version and reserved bytes are right */
    struct snp_gctx gctx;
};

static bool paddr_aligned(uint64_t paddr)
{
    return (paddr & (RMP_PAGE_SIZE - 1)) == 0;
}

static struct snp_guest *find(const struct snp_msg *msg, uint64_t gctx_paddr)
{
    struct snp_guest *guest = NULL;

    return snp_find_gctx(msg->snp, gctx_paddr, &guest) == SEV_SUCCESS ? guest
                                                                      : NULL;
}

static bool is_agent_of(const struct snp_guest *sender,
                        const struct snp_guest *target)
{
    return target->ma_gctx_paddr == sender->gctx_paddr &&
           memcmp(target->report_id_ma, sender->report_id,
                  sizeof(sender->report_id)) == 0;
}

static bool root_valid(const uint8_t root_md_entry[SNP_MDATA_SIZE])
{
    struct snp_mdata entry;

    snp_mdata_decode(root_md_entry, &entry);
    return entry.valid;
}

static void to_wire(const struct snp_guest *g, struct snp_gctx *c)
{
    memcpy(c->ld, g->ld, sizeof(c->ld));
    memcpy(c->imd, g->imd, sizeof(c->imd));
    memcpy(c->oek, g->oek, sizeof(c->oek));
    c->oek_iv_count = g->oek_iv_count;
    memcpy(c->vmpck, g->vmpck, sizeof(c->vmpck));
    memcpy(c->msg_count, g->msg_count, sizeof(c->msg_count));
    memcpy(c->vmrk, g->vmrk, sizeof(c->vmrk));
    memcpy(c->host_data, g->host_data, sizeof(c->host_data));
    memcpy(c->id_key_digest, g->id_key_digest, sizeof(c->id_key_digest));
    memcpy(c->author_key_digest, g->author_key_digest,
           sizeof(c->author_key_digest));
    memcpy(c->report_id, g->report_id, sizeof(c->report_id));
    memcpy(c->root_md_entry, g->root_md_entry, sizeof(c->root_md_entry));
    memcpy(c->id_block, g->id_block, sizeof(c->id_block));
    memcpy(c->gosvw, g->gosvw, sizeof(c->gosvw));
    c->author_key_en = g->author_key_en;
    c->id_block_en = g->id_block_en;
    c->vcek_dis = g->vcek_dis;
    c->policy = g->policy;
    c->state = (uint8_t)g->state;
    c->desired_tsc_freq = g->desired_tsc_freq;
    c->psp_tsc_offset = g->psp_tsc_offset;
    c->launch_tcb = g->launch_tcb;
}

/* @g takes the context over and runs. What belongs to this platform stays:
 * context page, ASID, memory key, REPORT_ID and agent; LaunchTcb is that of the
 * import. abi/snp.md §9.2 */
static void from_wire(const struct snp_platform *snp, const struct snp_gctx *c,
                      struct snp_guest *g)
{
    memcpy(g->ld, c->ld, sizeof(g->ld));
    memcpy(g->imd, c->imd, sizeof(g->imd));
    memcpy(g->oek, c->oek, sizeof(g->oek));
    g->oek_iv_count = c->oek_iv_count;
    memcpy(g->vmpck, c->vmpck, sizeof(g->vmpck));
    memcpy(g->msg_count, c->msg_count, sizeof(g->msg_count));
    memcpy(g->vmrk, c->vmrk, sizeof(g->vmrk));
    memcpy(g->host_data, c->host_data, sizeof(g->host_data));
    memcpy(g->id_key_digest, c->id_key_digest, sizeof(g->id_key_digest));
    memcpy(g->author_key_digest, c->author_key_digest,
           sizeof(g->author_key_digest));
    memcpy(g->root_md_entry, c->root_md_entry, sizeof(g->root_md_entry));
    memcpy(g->id_block, c->id_block, sizeof(g->id_block));
    memcpy(g->gosvw, c->gosvw, sizeof(g->gosvw));
    g->author_key_en = c->author_key_en;
    g->id_block_en = c->id_block_en;
    g->vcek_dis = c->vcek_dis;
    g->policy = c->policy;
    g->desired_tsc_freq = c->desired_tsc_freq;
    g->psp_tsc_offset = c->psp_tsc_offset;
    g->launch_tcb = snp->committed_tcb;
    g->launch_mit_vector = snp->current_mit_vector;
    g->imi_en = false;
    g->state = SNP_GUEST_RUNNING;
}

/* What the sender may export: a guest whose agent it is, or itself when nobody
 * is its agent. */
static bool may_export(const struct snp_msg *msg,
                       const struct snp_guest *target)
{
    if (target == msg->guest && target->ma_gctx_paddr == SNP_NO_AGENT) {
        return msg->vmpck_id == 0;
    }
    return is_agent_of(msg->guest, target);
}

static enum sev_status check_export(const struct snp_msg *msg,
                                    struct snp_export_req *req,
                                    struct snp_guest **target)
{
    if (snp_export_req_decode(msg->req, req) != PSP_OK ||
        !paddr_aligned(req->gctx_paddr)) {
        return SEV_INVALID_PARAM;
    }
    *target = find(msg, req->gctx_paddr);
    if (*target == NULL) {
        return SEV_INVALID_GUEST;
    }
    if ((*target)->state != SNP_GUEST_RUNNING) {
        return SEV_INVALID_GUEST_STATE;
    }
    return may_export(msg, *target) ? SEV_SUCCESS : SEV_INVALID_GUEST;
}

enum psp_err snp_msg_export(struct snp_msg *msg)
{
    static const struct snp_export_rsp header = {
        .status = SEV_SUCCESS,
        .gctx_size = SNP_GCTX_SIZE,
        .gctx_version = SNP_GCTX_VERSION,
    };
    struct snp_export_req req;
    struct snp_guest *target;
    struct snp_gctx gctx;
    enum sev_status status = check_export(msg, &req, &target);

    if (status != SEV_SUCCESS) {
        snp_msg_refuse(msg, status);
        return PSP_OK;
    }
    to_wire(target, &gctx);
    if (target == msg->guest) {
        /* This very answer uses a number up: the copy must not use it again. */
        gctx.msg_count[msg->vmpck_id] = msg->seqno + 1;
    }
    if (req.imi_en) {
        memset(gctx.root_md_entry, 0, sizeof(gctx.root_md_entry));
    } else {
        msg->effect = SNP_EFFECT_DECOMMISSION;
        msg->target = target;
    }
    snp_export_rsp_encode(&header, msg->rsp);
    snp_gctx_encode(&gctx, msg->rsp + SNP_GCTX_OFFSET);
    psp_wipe(&gctx, sizeof(gctx));
    return PSP_OK;
}

/* The messages that bring a context in. Only reserved bytes are judged here. */
static enum sev_status read_incoming(const struct snp_msg *msg,
                                     struct incoming *in)
{
    struct snp_import_req req;

    if (snp_import_req_decode(msg->req, &req) != PSP_OK ||
        !paddr_aligned(req.gctx_paddr)) {
        return SEV_INVALID_PARAM;
    }
    in->gctx_paddr = req.gctx_paddr;
    in->readable = req.gctx_size == SNP_GCTX_SIZE &&
                   snp_gctx_decode(msg->req + SNP_GCTX_OFFSET, req.gctx_version,
                                   &in->gctx) == PSP_OK;
    return SEV_SUCCESS;
}

static enum sev_status check_import(struct snp_msg *msg, struct incoming *in)
{
    enum sev_status status = read_incoming(msg, in);

    if (status != SEV_SUCCESS || !in->readable) {
        return SEV_INVALID_PARAM;
    }
    msg->target = find(msg, in->gctx_paddr);
    if (msg->target == NULL) {
        return SEV_INVALID_GUEST;
    }
    if (msg->target->state != SNP_GUEST_INIT) {
        return SEV_INVALID_GUEST_STATE;
    }
    return root_valid(in->gctx.root_md_entry) ? SEV_SUCCESS
                                              : SEV_INVALID_MDATA_ENTRY;
}

enum psp_err snp_msg_import(struct snp_msg *msg)
{
    struct incoming in;
    enum sev_status status = check_import(msg, &in);
    enum psp_err err = PSP_OK;

    if (status != SEV_SUCCESS) {
        snp_msg_refuse(msg, status);
        goto out;
    }
    msg->effect = SNP_EFFECT_REPLACE;
    msg->next = *msg->target;
    from_wire(msg->snp, &in.gctx, &msg->next);
    msg->next.ma_gctx_paddr = msg->guest->gctx_paddr;
    memcpy(msg->next.report_id_ma, msg->guest->report_id,
           sizeof(msg->next.report_id_ma));
    err = core_random(msg->snp->core, msg->next.report_id,
                      sizeof(msg->next.report_id));
out:
    psp_wipe(&in, sizeof(in));
    return err;
}

static const uint8_t *incoming_imd(const struct snp_msg *msg)
{
    return msg->req + SNP_GCTX_OFFSET + SNP_GCTX_IMD_OFFSET;
}

static bool same_digest(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, SHA384_SIZE) == 0;
}

static enum sev_status check_absorb(struct snp_msg *msg, struct incoming *in)
{
    const struct snp_guest *target;

    if (read_incoming(msg, in) != SEV_SUCCESS) {
        return SEV_INVALID_PARAM;
    }
    target = msg->target = find(msg, in->gctx_paddr);
    if (target == NULL) {
        return SEV_INVALID_GUEST;
    }
    if (target->state != SNP_GUEST_LAUNCH || !target->imi_en) {
        return SEV_INVALID_GUEST_STATE;
    }
    /* Not in the sheet's list of main checks; without it any guest could put
     * itself into another one. */
    if (!is_agent_of(msg->guest, target)) {
        return SEV_INVALID_GUEST;
    }
    if (root_valid(target->root_md_entry)) {
        return SEV_INVALID_MDATA_ENTRY;
    }
    if (!same_digest(incoming_imd(msg), target->ld)) {
        return SEV_BAD_MEASUREMENT;
    }
    return in->readable ? SEV_SUCCESS : SEV_INVALID_PARAM;
}

static enum sev_status check_absorb_noma(struct snp_msg *msg,
                                         struct incoming *in)
{
    const struct snp_guest *self = msg->target = msg->guest;

    if (read_incoming(msg, in) != SEV_SUCCESS || in->gctx_paddr != 0) {
        return SEV_INVALID_PARAM;
    }
    if (self->ma_gctx_paddr != SNP_NO_AGENT) {
        return SEV_INVALID_GUEST;
    }
    if (!same_digest(incoming_imd(msg), self->ld) ||
        !same_digest(self->imd, self->ld)) {
        return SEV_BAD_MEASUREMENT;
    }
    return in->readable ? SEV_SUCCESS : SEV_INVALID_PARAM;
}

/* The target takes the context over and keeps its own REPORT_ID and agent. */
static enum psp_err absorb(struct snp_msg *msg, enum sev_status status,
                           struct incoming *in)
{
    if (status == SEV_SUCCESS) {
        msg->effect = SNP_EFFECT_REPLACE;
        msg->next = *msg->target;
        from_wire(msg->snp, &in->gctx, &msg->next);
    } else {
        snp_msg_refuse(msg, status);
    }
    psp_wipe(in, sizeof(*in));
    return PSP_OK;
}

enum psp_err snp_msg_absorb(struct snp_msg *msg)
{
    struct incoming in;
    enum sev_status status = check_absorb(msg, &in);

    return absorb(msg, status, &in);
}

enum psp_err snp_msg_absorb_noma(struct snp_msg *msg)
{
    struct incoming in;
    enum sev_status status = check_absorb_noma(msg, &in);

    return absorb(msg, status, &in);
}

static enum sev_status check_vmrk(struct snp_msg *msg, struct snp_vmrk_req *req)
{
    if (snp_vmrk_req_decode(msg->req, req) != PSP_OK ||
        !paddr_aligned(req->gctx_paddr) || msg->vmpck_id != 0) {
        return SEV_INVALID_PARAM;
    }
    msg->target = find(msg, req->gctx_paddr);
    if (msg->target == NULL) {
        return SEV_INVALID_GUEST;
    }
    if (msg->target->state != SNP_GUEST_LAUNCH || msg->target->imi_en) {
        return SEV_INVALID_GUEST_STATE;
    }
    return is_agent_of(msg->guest, msg->target) ? SEV_SUCCESS
                                                : SEV_INVALID_GUEST;
}

enum psp_err snp_msg_vmrk(struct snp_msg *msg)
{
    struct snp_vmrk_req req;
    enum sev_status status = check_vmrk(msg, &req);

    if (status == SEV_SUCCESS) {
        msg->effect = SNP_EFFECT_REPLACE;
        msg->next = *msg->target;
        memcpy(msg->next.vmrk, req.vmrk, sizeof(msg->next.vmrk));
    } else {
        snp_msg_refuse(msg, status);
    }
    psp_wipe(&req, sizeof(req));
    return PSP_OK;
}
