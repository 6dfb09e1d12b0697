/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include "message.h"
#include "report.h"

#include "snp_cmd.h"

#include <string.h>

#define PAGE_MASK ((uint64_t)RMP_PAGE_SIZE - 1)

_Static_assert(SNP_VMPCK_COUNT == SNP_MSG_VMPCK_COUNT &&
                   SNP_KEY_SIZE == GCM_KEY_SIZE &&
                   SNP_MSG_PAGE_SIZE == RMP_PAGE_SIZE,
               "messages and contexts agree");

/* Addresses of one command and what they led to. */
struct call {
    struct snp_cmd_guest_request cmd;
    struct snp_guest *guest;
    struct snp_msg_header header; /* of the request */
    const struct snp_msg_kind *kind;
};

static bool page_usable(const struct snp_platform *snp, uint64_t spa)
{
    return snp_page_ok(snp, spa & ~PAGE_MASK);
}

/* Bytes from @spa to the end of its page. */
static size_t room(uint64_t spa)
{
    return RMP_PAGE_SIZE - (size_t)(spa & PAGE_MASK);
}

/* The part of the prologue that both commands share, once the addresses are
 * known to be usable. */
static enum sev_status check_guest(struct snp_platform *snp, struct call *c,
                                   bool other_2m)
{
    struct rmp_entry response = rmp_get(snp->core->rmp, c->cmd.response_paddr);
    enum sev_status status = snp_find_gctx(snp, c->cmd.gctx_paddr, &c->guest);

    if (status != SEV_SUCCESS) {
        return status;
    }
    if (response.state != RMP_FIRMWARE) {
        return SEV_INVALID_PAGE_STATE;
    }
    if (response.size_2m || other_2m) {
        return SEV_INVALID_PAGE_SIZE;
    }
    return c->guest->state == SNP_GUEST_RUNNING ? SEV_SUCCESS
                                                : SEV_INVALID_GUEST_STATE;
}

/* Checks 1 to 7 of abi/snp.md §6.4. */
static enum sev_status check_command(struct snp_platform *snp,
                                     const uint8_t *buf, struct call *c)
{
    if (!snp_cmd_guest_request_decode(buf, &c->cmd)) {
        return SEV_INVALID_PARAM;
    }
    if (!snp_is_init(snp)) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    if (!page_usable(snp, c->cmd.gctx_paddr) ||
        !page_usable(snp, c->cmd.request_paddr) ||
        !page_usable(snp, c->cmd.response_paddr)) {
        return SEV_INVALID_ADDRESS;
    }
    return check_guest(snp, c,
                       rmp_get(snp->core->rmp, c->cmd.request_paddr).size_2m);
}

/* Checks 9 to 11: @left bytes were copied from the page. */
static bool header_ok(const struct snp_msg_header *h, size_t left)
{
    return h->hdr_version == SNP_MSG_HDR_VERSION &&
           h->hdr_size == SNP_MSG_HEADER_SIZE && h->algo == SNP_MSG_ALGO_GCM &&
           h->size > 0 && h->size <= left - SNP_MSG_HEADER_SIZE &&
           h->vmpck < SNP_VMPCK_COUNT;
}

/* Checks 8 to 13. The page is copied once, before anything in it is looked at:
 * the guest can change it at any moment. */
static enum sev_status open_request(struct snp_platform *snp, struct call *c,
                                    struct snp_job *job)
{
    size_t left = room(c->cmd.request_paddr);
    uint8_t *payload = job->request + SNP_MSG_HEADER_SIZE;
    uint8_t iv[SNP_MSG_IV_SIZE];
    uint64_t count;
    enum psp_err err;

    if (left < SNP_MSG_HEADER_SIZE) {
        return SEV_INVALID_PARAM;
    }
    err = core_read(snp->core, c->cmd.request_paddr, job->request, left);
    if (err != PSP_OK) {
        return core_status(err);
    }
    snp_msg_header_decode(job->request, &c->header);
    if (!header_ok(&c->header, left)) {
        c->header.size = 0; /* nothing was opened, nothing to wipe */
        return SEV_INVALID_PARAM;
    }
    snp_msg_iv(c->header.seqno, iv);
    if (!psp_gcm_open(c->guest->vmpck[c->header.vmpck], iv,
                      job->request + SNP_MSG_AAD_OFFSET, SNP_MSG_AAD_SIZE,
                      payload, c->header.size, c->header.tag, payload)) {
        return SEV_BAD_MEASUREMENT;
    }
    count = c->guest->msg_count[c->header.vmpck];
    return count < UINT64_MAX - 1 && c->header.seqno == count + 1
               ? SEV_SUCCESS
               : SEV_AEAD_OFLOW;
}

static size_t response_size(const struct call *c)
{
    return c->kind->rsp_size != 0 ? c->kind->rsp_size : c->header.size;
}

/* Checks 14, 15 and 17. The last comes before the handler, which cannot refuse
 * a command: so nothing has to be undone. */
static enum sev_status check_message(struct call *c)
{
    c->kind = snp_msg_kind(&c->header);
    if (c->kind == NULL) {
        return SEV_INVALID_PARAM;
    }
    return SNP_MSG_HEADER_SIZE + response_size(c) <= room(c->cmd.response_paddr)
               ? SEV_SUCCESS
               : SEV_INVALID_PARAM;
}

static enum sev_status accept_request(struct snp_platform *snp,
                                      const uint8_t *buf, struct call *c,
                                      struct snp_job *job)
{
    enum sev_status status = check_command(snp, buf, c);

    if (status == SEV_SUCCESS) {
        status = open_request(snp, c, job);
    }
    return status == SEV_SUCCESS ? check_message(c) : status;
}

/* An answer with a zero payload. */
static void start_message(const struct call *c, struct snp_job *job)
{
    const struct snp_msg_header rsp = {
        .seqno = c->header.seqno + 1,
        .algo = SNP_MSG_ALGO_GCM,
        .hdr_version = SNP_MSG_HDR_VERSION,
        .hdr_size = SNP_MSG_HEADER_SIZE,
        .type = (uint8_t)(c->header.type + 1),
        .version = c->header.version,
        .size = (uint16_t)response_size(c),
        .vmpck = c->header.vmpck,
    };

    job->seal = true;
    job->gctx_paddr = c->cmd.gctx_paddr;
    job->response_paddr = c->cmd.response_paddr;
    job->vmpck_id = rsp.vmpck;
    job->seqno = rsp.seqno;
    memcpy(job->vmpck, c->guest->vmpck[rsp.vmpck], sizeof(job->vmpck));
    job->message_size = SNP_MSG_HEADER_SIZE + rsp.size;
    snp_msg_header_encode(&rsp, job->message);
    memset(job->message + SNP_MSG_HEADER_SIZE, 0, rsp.size);
}

/* Encrypt the payload in place; the tag opens the header. */
static void seal(struct snp_job *job)
{
    uint8_t *payload = job->message + SNP_MSG_HEADER_SIZE;
    uint8_t iv[SNP_MSG_IV_SIZE];

    snp_msg_iv(job->seqno, iv);
    psp_gcm_seal(job->vmpck, iv, job->message + SNP_MSG_AAD_OFFSET,
                 SNP_MSG_AAD_SIZE, payload,
                 job->message_size - SNP_MSG_HEADER_SIZE, payload,
                 job->message);
}

static enum sev_status write_response(const struct snp_platform *snp,
                                      const struct snp_job *job)
{
    return core_status(core_write(snp->core, job->response_paddr, job->message,
                                  job->message_size));
}

static void wipe_job(struct snp_job *job)
{
    psp_wipe(job->vmpck, sizeof(job->vmpck));
    psp_wipe(&job->key, sizeof(job->key));
    psp_wipe(job->message, job->message_size);
    job->message_size = 0;
}

/* Until snp_request_run() has signed, finishing fails. */
static void await_signature(struct snp_job *job, const struct psp_p384_key *key)
{
    job->key = *key;
    job->err = PSP_E_PARAM;
}

/* The handler's answer: *@pending when a signature is missing, else the
 * command is completed here. */
static enum sev_status answer(struct snp_platform *snp, const struct call *c,
                              struct snp_job *job, bool *pending)
{
    struct snp_msg msg = {
        .snp = snp,
        .guest = c->guest,
        .vmpck_id = c->header.vmpck,
        .seqno = c->header.seqno,
        .version = c->header.version,
        .req = job->request + SNP_MSG_HEADER_SIZE,
        .req_size = c->header.size,
        .rsp = job->message + SNP_MSG_HEADER_SIZE,
        .rsp_size = response_size(c),
    };
    enum sev_status status = core_status(c->kind->handler(&msg));

    *pending = status == SEV_SUCCESS && msg.sign != NULL;
    if (*pending) {
        await_signature(job, msg.sign);
        c->guest->msg_count[c->header.vmpck] = job->seqno;
    } else if (status == SEV_SUCCESS) {
        seal(job);
        status = write_response(snp, job);
        if (status == SEV_SUCCESS) {
            status = snp_msg_commit(&msg);
        }
    }
    if (msg.effect == SNP_EFFECT_REPLACE) {
        psp_wipe(&msg.next, sizeof(msg.next));
    }
    return status;
}

bool snp_guest_request_begin(struct snp_platform *snp, const uint8_t *buf,
                             struct snp_job *job, enum sev_status *status)
{
    struct call c = {0};
    bool pending = false;

    job->message_size = 0;
    *status = accept_request(snp, buf, &c, job);
    if (*status == SEV_SUCCESS) {
        start_message(&c, job);
        *status = answer(snp, &c, job, &pending);
    }
    psp_wipe(job->request + SNP_MSG_HEADER_SIZE, c.header.size);
    if (!pending) {
        wipe_job(job);
    }
    return pending;
}

/* abi/snp.md §1.14 with the standard prologue of §1.2. */
static enum sev_status check_hv_command(struct snp_platform *snp,
                                        const uint8_t *buf, struct call *c,
                                        uint8_t *key_sel)
{
    struct snp_cmd_hv_report_req cmd;
    bool clean = snp_cmd_hv_report_req_decode(buf, &cmd);

    if (!snp->core->profile.has_hv_report) {
        return SEV_INVALID_COMMAND;
    }
    if (!clean || cmd.len != SNP_CMD_HV_REPORT_REQ_SIZE ||
        room(cmd.hv_report_paddr) < SNP_REPORT_RSP_SIZE) {
        return SEV_INVALID_PARAM;
    }
    if (!snp_is_init(snp)) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    if (!page_usable(snp, cmd.gctx_paddr) ||
        !page_usable(snp, cmd.hv_report_paddr)) {
        return SEV_INVALID_ADDRESS;
    }
    c->cmd.gctx_paddr = cmd.gctx_paddr;
    c->cmd.response_paddr = cmd.hv_report_paddr;
    *key_sel = cmd.key_sel;
    return check_guest(snp, c, false);
}

static enum sev_status hv_answer(struct snp_platform *snp, const struct call *c,
                                 uint8_t key_sel, struct snp_job *job,
                                 bool *pending)
{
    static const struct snp_report_req req = {.vmpl = SNP_MSG_VMPL_HV};
    enum snp_key_choice choice = snp_key_choose(snp, c->guest, key_sel);
    const struct psp_p384_key *key = NULL;
    enum psp_err err = PSP_OK;

    job->seal = false;
    job->response_paddr = c->cmd.response_paddr;
    job->message_size = SNP_REPORT_RSP_SIZE;
    if (choice == SNP_CHOICE_NONE) {
        memset(job->message, 0, SNP_REPORT_RSP_SIZE);
        snp_msg_put_status(job->message, SEV_INVALID_KEY);
    } else {
        err =
            snp_report_answer(snp, c->guest, &req, choice, job->message, &key);
    }
    if (err != PSP_OK) {
        return core_status(err);
    }
    if (key != NULL) {
        await_signature(job, key);
        *pending = true;
        return SEV_SUCCESS;
    }
    return write_response(snp, job);
}

bool snp_hv_report_begin(struct snp_platform *snp, const uint8_t *buf,
                         struct snp_job *job, enum sev_status *status)
{
    struct call c = {0};
    uint8_t key_sel;
    bool pending = false;

    job->message_size = 0;
    *status = check_hv_command(snp, buf, &c, &key_sel);
    if (*status == SEV_SUCCESS) {
        *status = hv_answer(snp, &c, key_sel, job, &pending);
    }
    if (!pending) {
        wipe_job(job);
    }
    return pending;
}

void snp_request_run(struct snp_job *job)
{
    uint8_t *rsp = job->message + (job->seal ? SNP_MSG_HEADER_SIZE : 0);

    job->err = snp_report_sign(&job->key, rsp);
    if (job->err == PSP_OK && job->seal) {
        seal(job);
    }
}

/* An answer that nobody got uses no sequence number up. The guest is known by
 * its key: another one may live in the same context page by now. */
static void take_back_count(struct snp_platform *snp, const struct snp_job *job)
{
    struct snp_guest *guest = snp_guest_find(snp, job->gctx_paddr);
    uint64_t *count;

    if (guest == NULL || !psp_ct_equal(guest->vmpck[job->vmpck_id], job->vmpck,
                                       sizeof(job->vmpck))) {
        return;
    }
    count = &guest->msg_count[job->vmpck_id];
    if (*count == job->seqno) {
        *count -= 2;
    }
}

static enum sev_status deliver(const struct snp_platform *snp,
                               const struct snp_job *job)
{
    if (!snp_is_init(snp)) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    if (rmp_get(snp->core->rmp, job->response_paddr).state != RMP_FIRMWARE) {
        return SEV_INVALID_PAGE_STATE;
    }
    return job->err == PSP_OK ? write_response(snp, job)
                              : core_status(job->err);
}

enum sev_status snp_request_finish(struct snp_platform *snp,
                                   struct snp_job *job)
{
    enum sev_status status = deliver(snp, job);

    if (status != SEV_SUCCESS && job->seal) {
        take_back_count(snp, job);
    }
    wipe_job(job);
    return status;
}
