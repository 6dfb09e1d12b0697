/* SPDX-License-Identifier: Apache-2.0 */
/* Guest messages through the mailbox, on guests that were really launched: the
 * keys come from the secrets page as a guest reads it. */
#include "snp_fixture.h"
#include "snp_msg.h"
#include "snp_report.h"
#include "wire.h"

#define SECRETS_GPA 0x4000ull
#define ASID        3u
#define REPORT_RSP  0x4c0u

/* One guest and its mail. */
struct mail {
    struct snp_fx *fx;
    uint64_t gctx;
    uint64_t request;
    uint64_t response;
    struct snp_secrets secrets; /* what the guest read */
    uint64_t seqno;             /* next on VMPCK0 */
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];
};

/* Launch the guest, always the same one. */
static void launch(struct mail *m, uint32_t asid)
{
    uint8_t page[SNP_SECRETS_SIZE];
    uint64_t spa;

    m->gctx = fx_guest_launch(m->fx, asid, FX_POLICY);
    (void)fx_launch_page(m->fx, m->gctx, SNP_PAGE_NORMAL, 0x1000, NULL);
    spa = fx_launch_page(m->fx, m->gctx, SNP_PAGE_SECRETS, SECRETS_GPA, NULL);
    assert_int_equal(FX(m->fx, LAUNCH_FINISH, launch_finish,
                        .gctx_paddr = m->gctx, .host_data = {7}),
                     SEV_SUCCESS);
    assert_int_equal(
        psp_guest_mem_read(m->fx->psp, asid, spa, page, sizeof(page)), PSP_OK);
    snp_secrets_decode(page, &m->secrets);
    m->seqno = 1;
}

static struct mail mail_up(const char *profile)
{
    struct mail m = {.fx = snp_fx_up(profile, NULL)};

    launch(&m, ASID);
    m.request = fx_page(m.fx);
    m.response = fx_firmware(m.fx, fx_page(m.fx));
    return m;
}

static void seal_request(struct mail *m, uint8_t type, const void *payload,
                         size_t size)
{
    const struct snp_msg_header h = {.seqno = m->seqno,
                                     .algo = SNP_MSG_ALGO_GCM,
                                     .hdr_version = SNP_MSG_HDR_VERSION,
                                     .hdr_size = SNP_MSG_HEADER_SIZE,
                                     .type = type,
                                     .version = 1,
                                     .size = (uint16_t)size};
    uint8_t page[RMP_PAGE_SIZE] = {0}, iv[SNP_MSG_IV_SIZE];

    snp_msg_header_encode(&h, page);
    snp_msg_iv(m->seqno, iv);
    psp_gcm_seal(m->secrets.vmpck[0], iv, page + SNP_MSG_AAD_OFFSET,
                 SNP_MSG_AAD_SIZE, payload, size, page + SNP_MSG_HEADER_SIZE,
                 page);
    fx_write(m->fx, m->request, page, sizeof(page));
}

static void report_payload(uint8_t out[SNP_REPORT_REQ_SIZE])
{
    const struct snp_report_req req = {.report_data = {0xda}, .vmpl = 1};

    snp_report_req_encode(&req, out);
}

static enum sev_status execute(struct snp_fx *fx, void *ctx)
{
    struct mail *m = ctx;

    return FX(fx, GUEST_REQUEST, guest_request, .gctx_paddr = m->gctx,
              .request_paddr = m->request, .response_paddr = m->response);
}

/* The payload of the response, opened as the guest does; returns STATUS. */
static uint32_t open_response(struct mail *m)
{
    uint8_t page[RMP_PAGE_SIZE], iv[SNP_MSG_IV_SIZE];
    struct snp_msg_header h;

    fx_read(m->fx, m->response, page, sizeof(page));
    snp_msg_header_decode(page, &h);
    assert_true(h.seqno == m->seqno + 1);
    snp_msg_iv(h.seqno, iv);
    assert_in_range(h.size, 4, SNP_MSG_MAX_PAYLOAD);
    assert_true(psp_gcm_open(m->secrets.vmpck[0], iv, page + SNP_MSG_AAD_OFFSET,
                             SNP_MSG_AAD_SIZE, page + SNP_MSG_HEADER_SIZE,
                             h.size, h.tag, m->rsp));
    m->seqno += 2;
    return snp_msg_get_status(m->rsp);
}

static uint32_t ask(struct mail *m, uint8_t type, const void *payload,
                    size_t size)
{
    seal_request(m, type, payload, size);
    assert_int_equal(execute(m->fx, m), SEV_SUCCESS);
    return open_response(m);
}

static struct snp_report ask_report(struct mail *m)
{
    uint8_t payload[SNP_REPORT_REQ_SIZE];
    struct snp_report report;

    report_payload(payload);
    assert_int_equal(ask(m, SNP_MSG_REPORT_REQ, payload, sizeof(payload)),
                     SEV_SUCCESS);
    assert_int_equal(
        snp_report_decode(m->rsp + 0x20, SNP_REPORT_SIZE, &report, NULL),
        PSP_OK);
    return report;
}

static bool signed_by(const struct mail *m, const struct psp_p384_key *key)
{
    const uint8_t *report = m->rsp + 0x20;
    struct psp_p384_sig sig;
    uint8_t digest[48];

    psp_sha384(report, 0x2a0, digest);
    psp_reverse(sig.r, report + 0x2a0, 48);
    psp_reverse(sig.s, report + 0x2e8, 48);
    return psp_p384_verify(&key->pub, digest, &sig);
}

/* VCEK as the KDS would certify it: from the chip and the reported TCB. */
static struct psp_p384_key vcek_of(const struct mail *m,
                                   const struct psp_tcb *tcb)
{
    struct psp_p384_key key;
    uint8_t seed[48];

    pki_vcek_seed(m->fx->config.chip.secret, tcb, seed);
    assert_int_equal(pki_vcek_from_seed(seed, &key), PSP_OK);
    return key;
}

static void mail__launched_guest__report_of_its_launch(void **state)
{
    struct mail m = mail_up("milan");
    struct snp_report r = ask_report(&m);
    const struct snp_guest *g = fx_guest(m.fx, m.gctx);
    struct psp_p384_key key = vcek_of(&m, &r.reported_tcb);

    (void)state;
    assert_true(signed_by(&m, &key));
    assert_memory_equal(r.measurement, g->ld, 48);
    assert_false(psp_all_zero(r.measurement, 48));
    assert_int_equal(r.host_data[0], 7);
    assert_int_equal(r.report_data[0], 0xda);
    assert_int_equal(r.vmpl, 1);
    assert_true(r.policy == FX_POLICY);
    assert_memory_equal(r.chip_id, m.fx->config.chip.id, 64);
    snp_fx_free(m.fx);
}

static void mail__snp_config__masks_and_reported_tcb_show(void **state)
{
    struct mail m = mail_up("genoa");
    struct psp_tcb tcb = m.fx->config.profile.tcb;
    struct psp_p384_key key;
    struct snp_report r;

    (void)state;
    tcb.b[7]--;
    key = vcek_of(&m, &tcb);
    assert_int_equal(
        FX(m.fx, CONFIG, config, .reported_tcb = tcb, .mask_chip_id = true),
        SEV_SUCCESS);
    r = ask_report(&m);
    assert_true(signed_by(&m, &key));
    assert_memory_equal(&r.reported_tcb, &tcb, 8);
    assert_true(psp_all_zero(r.chip_id, 64));
    assert_int_equal(
        FX(m.fx, CONFIG, config, .reported_tcb = tcb, .mask_chip_key = true),
        SEV_SUCCESS);
    r = ask_report(&m);
    assert_int_equal(r.key_info, 7 << 2 | 2);
    assert_true(psp_all_zero(r.r, 72) && psp_all_zero(r.s, 72));
    snp_fx_free(m.fx);
}

static void mail__vlek_loaded__signs(void **state)
{
    static const uint8_t iv[12] = {9};
    struct mail m = mail_up("milan");
    const struct psp_tcb *tcb = &m.fx->config.profile.tcb;
    uint8_t stick[PKI_HASHSTICK_SIZE], vcek_seed[48], vlek_seed[48];
    struct psp_p384_key key;
    struct snp_report r;
    uint64_t spa = fx_page(m.fx);

    (void)state;
    pki_vcek_seed(m.fx->config.chip.secret, tcb, vcek_seed);
    pki_vlek_seed(PKI_DEV_SEED, PSP_MILAN, PKI_CSP_ID, tcb, vlek_seed);
    assert_int_equal(pki_vlek_from_seed(vlek_seed, &key), PSP_OK);
    pki_vlek_wrap(vcek_seed, tcb, iv, vlek_seed, stick);
    fx_write(m.fx, spa, stick, sizeof(stick));
    assert_int_equal(
        FX(m.fx, VLEK_LOAD, vlek_load, .len = 0x10, .vlek_wrapped_paddr = spa),
        SEV_SUCCESS);
    r = ask_report(&m);
    assert_int_equal(SNP_KEY_INFO_SIGNING_KEY(r.key_info),
                     SNP_SIGNING_KEY_VLEK);
    assert_true(signed_by(&m, &key));
    snp_fx_free(m.fx);
}

static void mail__kth_callback_fails__no_trace(void **state)
{
    struct mail m = mail_up("milan");
    uint8_t payload[SNP_REPORT_REQ_SIZE];

    (void)state;
    report_payload(payload);
    seal_request(&m, SNP_MSG_REPORT_REQ, payload, sizeof(payload));
    /* command buffer, request page, response */
    assert_int_equal(fx_sweep(m.fx, execute, &m), 3);
    assert_int_equal(open_response(&m), SEV_SUCCESS);
    snp_fx_free(m.fx);
}

static bool begin_report(struct mail *m, struct psp_job *job)
{
    const struct snp_cmd_guest_request cmd = {.gctx_paddr = m->gctx,
                                              .request_paddr = m->request,
                                              .response_paddr = m->response};
    uint8_t payload[SNP_REPORT_REQ_SIZE], buf[SNP_CMD_GUEST_REQUEST_SIZE];
    enum sev_status status;

    report_payload(payload);
    seal_request(m, SNP_MSG_REPORT_REQ, payload, sizeof(payload));
    snp_cmd_guest_request_encode(&cmd, buf);
    fx_write(m->fx, FX_COMMAND, buf, sizeof(buf));
    return psp_begin(m->fx->psp, SNP_CMD_GUEST_REQUEST, FX_COMMAND, job,
                     &status);
}

static void mail__page_reclaimed_while_signing__may_ask_again(void **state)
{
    struct mail m = mail_up("milan");
    struct psp_job *job = psp_job_new();

    (void)state;
    assert_true(begin_report(&m, job));
    assert_int_equal(
        FX(m.fx, PAGE_RECLAIM, page_reclaim, .page_paddr = m.response),
        SEV_SUCCESS);
    psp_job_run(job);
    assert_int_equal(psp_finish(m.fx->psp, job), SEV_INVALID_PAGE_STATE);
    fx_unassign(m.fx, m.response);
    fx_firmware(m.fx, m.response);
    assert_int_equal(execute(m.fx, &m), SEV_SUCCESS);
    assert_int_equal(open_response(&m), SEV_SUCCESS);
    psp_job_free(job);
    snp_fx_free(m.fx);
}

static void mail__guest_decommissioned_while_signing__no_harm(void **state)
{
    struct mail m = mail_up("milan");
    struct psp_job *job = psp_job_new();

    (void)state;
    assert_true(begin_report(&m, job));
    assert_int_equal(FX(m.fx, DECOMMISSION, gctx, .gctx_paddr = m.gctx),
                     SEV_SUCCESS);
    psp_job_run(job);
    assert_int_equal(psp_finish(m.fx->psp, job), SEV_SUCCESS);
    assert_int_equal(execute(m.fx, &m), SEV_INVALID_GUEST);
    psp_job_free(job);
    snp_fx_free(m.fx);
}

static void mail__platform_shut_down_while_signing__refused(void **state)
{
    struct mail m = mail_up("milan");
    struct psp_job *job = psp_job_new();

    (void)state;
    assert_true(begin_report(&m, job));
    assert_int_equal(FX(m.fx, DECOMMISSION, gctx, .gctx_paddr = m.gctx),
                     SEV_SUCCESS);
    assert_int_equal(fx_command(m.fx, SNP_CMD_DF_FLUSH, NULL, 0), SEV_SUCCESS);
    assert_int_equal(fx_command(m.fx, SNP_CMD_SHUTDOWN, NULL, 0), SEV_SUCCESS);
    psp_job_run(job);
    assert_int_equal(psp_finish(m.fx->psp, job), SEV_INVALID_PLATFORM_STATE);
    psp_job_free(job);
    snp_fx_free(m.fx);
}

static enum sev_status hv_report(struct mail *m)
{
    const struct snp_cmd_hv_report_req cmd = {
        .len = 0x18, .gctx_paddr = m->gctx, .hv_report_paddr = m->response};
    uint8_t buf[SNP_CMD_HV_REPORT_REQ_SIZE];

    snp_cmd_hv_report_req_encode(&cmd, buf);
    return fx_command(m->fx, SNP_CMD_HV_REPORT_REQ, buf, sizeof(buf));
}

static void mail__hv_report__only_where_the_profile_has_it(void **state)
{
    struct mail milan = mail_up("milan"), turin = mail_up("turin");
    struct psp_p384_key key;

    (void)state;
    assert_int_equal(hv_report(&milan), SEV_INVALID_COMMAND);
    assert_int_equal(hv_report(&turin), SEV_SUCCESS);
    fx_read(turin.fx, turin.response, turin.rsp, REPORT_RSP);
    key = vcek_of(&turin, &turin.fx->config.profile.tcb);
    assert_true(signed_by(&turin, &key));
    snp_fx_free(milan.fx);
    snp_fx_free(turin.fx);
}

static void ask_key(struct mail *m, bool root_vmrk, uint8_t key[32])
{
    const struct snp_key_req req = {.root_vmrk = root_vmrk,
                                    .guest_field_select = 0x0f};
    uint8_t payload[SNP_KEY_REQ_V1_SIZE];

    snp_key_req_encode(&req, 1, payload);
    assert_int_equal(ask(m, SNP_MSG_KEY_REQ, payload, sizeof(payload)),
                     SEV_SUCCESS);
    memcpy(key, m->rsp + 0x20, 32);
}

/* Launched again with the same inputs: the chip's key stays, that of the random
 * VMRK does not. abi/snp.md §8.4 */
static void mail__guest_relaunched__only_the_vcek_key_stays(void **state)
{
    struct mail m = mail_up("milan");
    uint8_t vcek[2][32], vmrk[2][32];

    (void)state;
    for (int i = 0; i < 2; i++) {
        ask_key(&m, false, vcek[i]);
        ask_key(&m, true, vmrk[i]);
        assert_int_equal(FX(m.fx, DECOMMISSION, gctx, .gctx_paddr = m.gctx),
                         SEV_SUCCESS);
        launch(&m, ASID + 1 + (uint32_t)i);
    }
    assert_memory_equal(vcek[0], vcek[1], 32);
    assert_memory_not_equal(vmrk[0], vmrk[1], 32);
    snp_fx_free(m.fx);
}

static void mail__self_export__context_page_may_be_reclaimed(void **state)
{
    struct mail m = mail_up("milan");
    const struct snp_export_req req = {.gctx_paddr = m.gctx};
    uint8_t payload[SNP_EXPORT_REQ_SIZE];

    (void)state;
    snp_export_req_encode(&req, payload);
    assert_int_equal(ask(&m, SNP_MSG_EXPORT_REQ, payload, sizeof(payload)),
                     SEV_SUCCESS);
    assert_int_equal(fx_state(m.fx, m.gctx), RMP_FIRMWARE);
    assert_int_equal(FX(m.fx, PAGE_RECLAIM, page_reclaim, .page_paddr = m.gctx),
                     SEV_SUCCESS);
    snp_fx_free(m.fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mail__launched_guest__report_of_its_launch),
        cmocka_unit_test(mail__snp_config__masks_and_reported_tcb_show),
        cmocka_unit_test(mail__vlek_loaded__signs),
        cmocka_unit_test(mail__kth_callback_fails__no_trace),
        cmocka_unit_test(mail__page_reclaimed_while_signing__may_ask_again),
        cmocka_unit_test(mail__guest_decommissioned_while_signing__no_harm),
        cmocka_unit_test(mail__platform_shut_down_while_signing__refused),
        cmocka_unit_test(mail__hv_report__only_where_the_profile_has_it),
        cmocka_unit_test(mail__guest_relaunched__only_the_vcek_key_stays),
        cmocka_unit_test(mail__self_export__context_page_may_be_reclaimed),
    };

    return cmocka_run_group_tests_name("snp/msg_mailbox", tests, NULL, NULL);
}
