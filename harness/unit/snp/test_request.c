/* SPDX-License-Identifier: Apache-2.0 */
/* SNP_GUEST_REQUEST and SNP_HV_REPORT_REQ: order of checks, sequence numbers,
 * what a refusal leaves behind. abi/snp.md §1.14, §6.1 to §6.4, §11.3, §11.5 */
#include "guest_message.h"

#define VCEK_RSP 0x4c0u

static struct gm_request report_request(const struct gm *gm, uint8_t vmpck)
{
    struct snp_report_req req = {.vmpl = vmpck};
    uint8_t payload[SNP_REPORT_REQ_SIZE];

    snp_report_req_encode(&req, payload);
    return gm_request(gm, vmpck, SNP_MSG_REPORT_REQ, payload, sizeof(payload));
}

static struct gm_request key_request(const struct gm *gm, uint8_t vmpck)
{
    struct snp_key_req req = {.vmpl = vmpck};
    uint8_t payload[SNP_KEY_REQ_V1_SIZE];

    snp_key_req_encode(&req, 1, payload);
    return gm_request(gm, vmpck, SNP_MSG_KEY_REQ, payload, sizeof(payload));
}

/* Order of checks: one fault per row, in the order of abi/snp.md §6.4. */

struct fault {
    const char *name;
    void (*inject)(struct gm *gm, struct gm_request *req);
    enum sev_status status;
};

#define FAULT(fn) static void fn(struct gm *gm, struct gm_request *req)

static void rmp_change(struct gm *gm, uint64_t spa, enum rmp_state state,
                       bool change_state, bool to_2m)
{
    struct rmp_entry e = rmp_get(gm->core.rmp, spa);

    e.state = change_state ? state : e.state;
    e.size_2m = e.size_2m || to_2m;
    assert_int_equal(rmp_set(gm->core.rmp, spa, &e), PSP_OK);
}

FAULT(gctx_low_bit)
{
    (void)gm;
    req->gctx |= 1;
}

FAULT(gctx_bit_11)
{
    (void)gm;
    req->gctx |= 0x800;
}

FAULT(platform_uninit)
{
    (void)req;
    gm->core.snp_state = SNP_PLATFORM_UNINIT;
}

FAULT(gctx_beyond_memory)
{
    (void)gm;
    req->gctx = GM_SIZE;
}

FAULT(gctx_wraps)
{
    (void)gm;
    req->gctx = UINT64_MAX - 0xfff;
}

FAULT(request_beyond_memory)
{
    (void)gm;
    req->request = GM_SIZE;
}

FAULT(response_beyond_memory)
{
    (void)gm;
    req->response = GM_SIZE + 0x80;
}

FAULT(gctx_hypervisor_page)
{
    (void)gm;
    req->gctx = 0x6000;
}

FAULT(gctx_firmware_page)
{
    (void)gm;
    req->gctx = GM_RESPONSE;
}

FAULT(gctx_of_earlier_init)
{
    gm_rmp(gm, 0x7000, RMP_CONTEXT, false);
    req->gctx = 0x7000;
}

FAULT(response_hypervisor_page)
{
    (void)req;
    rmp_change(gm, GM_RESPONSE, RMP_HYPERVISOR, true, false);
}

FAULT(response_context_page)
{
    (void)gm;
    req->response = GM_SELF;
}

FAULT(response_reclaim_page)
{
    (void)req;
    rmp_change(gm, GM_RESPONSE, RMP_RECLAIM, true, false);
}

FAULT(request_2m)
{
    (void)req;
    rmp_change(gm, GM_REQUEST, RMP_FIRMWARE, true, true);
}

FAULT(response_2m)
{
    (void)req;
    rmp_change(gm, GM_RESPONSE, RMP_FIRMWARE, false, true);
}

FAULT(guest_init)
{
    (void)req;
    gm->self->state = SNP_GUEST_INIT;
}

FAULT(guest_launch)
{
    (void)req;
    gm->self->state = SNP_GUEST_LAUNCH;
}

FAULT(header_crosses_page)
{
    (void)gm;
    req->request = GM_REQUEST + 0xfa1;
}

FAULT(hdr_version_0)
{
    (void)gm;
    req->header.hdr_version = 0;
}

FAULT(hdr_version_2)
{
    (void)gm;
    req->header.hdr_version = 2;
}

FAULT(hdr_size_5f)
{
    (void)gm;
    req->header.hdr_size = 0x5f;
}

FAULT(hdr_size_61)
{
    (void)gm;
    req->header.hdr_size = 0x61;
}

FAULT(algo_0)
{
    (void)gm;
    req->header.algo = 0;
}

FAULT(algo_2)
{
    (void)gm;
    req->header.algo = 2;
}

FAULT(size_0)
{
    (void)gm;
    req->header.size = 0;
}

FAULT(size_fa1)
{
    (void)gm;
    req->header.size = 0xfa1;
}

FAULT(size_ffff)
{
    (void)gm;
    req->header.size = 0xffff;
}

FAULT(vmpck_4)
{
    (void)gm;
    req->header.vmpck = 4;
}

FAULT(vmpck_255)
{
    (void)gm;
    req->header.vmpck = 255;
}

FAULT(tag_bit)
{
    (void)gm;
    req->tag_flip = 0x80;
}

FAULT(other_key)
{
    (void)gm;
    req->key[31] ^= 1;
}

FAULT(seqno_ahead)
{
    req->header.seqno = gm->self->msg_count[req->header.vmpck & 3] + 3;
}

FAULT(seqno_repeated)
{
    req->header.seqno = gm->self->msg_count[req->header.vmpck & 3] - 1;
}

FAULT(seqno_even)
{
    req->header.seqno = gm->self->msg_count[req->header.vmpck & 3];
}

FAULT(seqno_high_word)
{
    req->header.seqno ^= 1ull << 32;
    (void)gm;
}

FAULT(msg_version_0)
{
    (void)gm;
    req->header.version = 0;
}

FAULT(msg_version_2)
{
    (void)gm;
    req->header.version = 2;
}

FAULT(msg_version_3)
{
    (void)gm;
    req->header.version = 3;
}
FAULT(msg_version_255)
{
    (void)gm;
    req->header.version = 255;
}

FAULT(type_0)
{
    (void)gm;
    req->header.type = 0;
}

FAULT(type_is_a_response)
{
    (void)gm;
    req->header.type = 2;
}

FAULT(type_first_tio)
{
    (void)gm;
    req->header.type = 19;
}

FAULT(type_last_tio)
{
    (void)gm;
    req->header.type = 25;
}

FAULT(type_40)
{
    (void)gm;
    req->header.type = 40;
}

FAULT(type_255)
{
    (void)gm;
    req->header.type = 255;
}

FAULT(payload_too_small)
{
    (void)gm;
    req->header.size = SNP_REPORT_REQ_SIZE - 1;
}

FAULT(response_does_not_fit)
{
    (void)gm;
    req->response = GM_RESPONSE + 0x1000 - 0x520 + 1;
}

static const struct fault FAULTS[] = {
    {"gctx_low_bit", gctx_low_bit, SEV_INVALID_PARAM},
    {"gctx_bit_11", gctx_bit_11, SEV_INVALID_PARAM},
    {"platform_uninit", platform_uninit, SEV_INVALID_PLATFORM_STATE},
    {"gctx_beyond_memory", gctx_beyond_memory, SEV_INVALID_ADDRESS},
    {"gctx_wraps", gctx_wraps, SEV_INVALID_ADDRESS},
    {"request_beyond_memory", request_beyond_memory, SEV_INVALID_ADDRESS},
    {"response_beyond_memory", response_beyond_memory, SEV_INVALID_ADDRESS},
    {"gctx_hypervisor_page", gctx_hypervisor_page, SEV_INVALID_GUEST},
    {"gctx_firmware_page", gctx_firmware_page, SEV_INVALID_GUEST},
    {"gctx_of_earlier_init", gctx_of_earlier_init, SEV_INVALID_GUEST},
    {"response_hypervisor_page", response_hypervisor_page,
     SEV_INVALID_PAGE_STATE},
    {"response_reclaim_page", response_reclaim_page, SEV_INVALID_PAGE_STATE},
    {"response_context_page", response_context_page, SEV_INVALID_PAGE_STATE},
    {"request_2m", request_2m, SEV_INVALID_PAGE_SIZE},
    {"response_2m", response_2m, SEV_INVALID_PAGE_SIZE},
    {"guest_init", guest_init, SEV_INVALID_GUEST_STATE},
    {"guest_launch", guest_launch, SEV_INVALID_GUEST_STATE},
    {"header_crosses_page", header_crosses_page, SEV_INVALID_PARAM},
    {"hdr_version_0", hdr_version_0, SEV_INVALID_PARAM},
    {"hdr_version_2", hdr_version_2, SEV_INVALID_PARAM},
    {"hdr_size_5f", hdr_size_5f, SEV_INVALID_PARAM},
    {"hdr_size_61", hdr_size_61, SEV_INVALID_PARAM},
    {"algo_0", algo_0, SEV_INVALID_PARAM},
    {"algo_2", algo_2, SEV_INVALID_PARAM},
    {"size_0", size_0, SEV_INVALID_PARAM},
    {"size_fa1", size_fa1, SEV_INVALID_PARAM},
    {"size_ffff", size_ffff, SEV_INVALID_PARAM},
    {"vmpck_4", vmpck_4, SEV_INVALID_PARAM},
    {"vmpck_255", vmpck_255, SEV_INVALID_PARAM},
    {"tag_bit", tag_bit, SEV_BAD_MEASUREMENT},
    {"other_key", other_key, SEV_BAD_MEASUREMENT},
    {"seqno_ahead", seqno_ahead, SEV_AEAD_OFLOW},
    {"seqno_repeated", seqno_repeated, SEV_AEAD_OFLOW},
    {"seqno_even", seqno_even, SEV_AEAD_OFLOW},
    {"seqno_high_word", seqno_high_word, SEV_AEAD_OFLOW},
    {"msg_version_0", msg_version_0, SEV_INVALID_PARAM},
    {"msg_version_2", msg_version_2, SEV_INVALID_PARAM},
    {"msg_version_3", msg_version_3, SEV_INVALID_PARAM},
    {"msg_version_255", msg_version_255, SEV_INVALID_PARAM},
    {"type_0", type_0, SEV_INVALID_PARAM},
    {"type_is_a_response", type_is_a_response, SEV_INVALID_PARAM},
    {"type_first_tio", type_first_tio, SEV_INVALID_PARAM},
    {"type_last_tio", type_last_tio, SEV_INVALID_PARAM},
    {"type_40", type_40, SEV_INVALID_PARAM},
    {"type_255", type_255, SEV_INVALID_PARAM},
    {"payload_too_small", payload_too_small, SEV_INVALID_PARAM},
    {"response_does_not_fit", response_does_not_fit, SEV_INVALID_PARAM},
};

#define FAULT_COUNT (sizeof(FAULTS) / sizeof(FAULTS[0]))

/* @first decides, also where both touch the same field: it goes in last. */
static void refuse(const struct fault *first, const struct fault *second)
{
    struct gm *gm = gm_new("milan");
    struct gm_snapshot *before;
    struct gm_request req;
    enum sev_status status;

    gm->self->msg_count[0] = 6;
    req = report_request(gm, 0);
    if (second != NULL) {
        second->inject(gm, &req);
    }
    first->inject(gm, &req);
    gm_put(gm, &req);
    before = gm_snapshot(gm);
    status = gm_execute(gm, &req);
    if (status != first->status) {
        fail_msg("%s, then %s: %s", first->name,
                 second == NULL ? "nothing" : second->name,
                 sev_status_name(status));
    }
    gm_assert_unchanged(gm, before);
    gm_free(gm);
}

static void request__one_fault__its_status(void **state)
{
    refuse(*state, NULL);
}

static void request__fault_and_a_later_one__status_of_the_first(void **state)
{
    const struct fault *first = *state;

    for (const struct fault *f = first + 1; f < FAULTS + FAULT_COUNT; f++) {
        refuse(first, f);
    }
}

/* Sequence numbers. */

static void request__answered__counter_moves_by_two(void **state)
{
    struct gm *gm = gm_new("milan");
    struct gm_request req = key_request(gm, 0);
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    assert_int_equal(req.header.seqno, 1);
    assert_int_equal(gm_answer(gm, &req, 0x40, rsp), SEV_SUCCESS);
    assert_int_equal(gm->self->msg_count[0], 2);
    req = report_request(gm, 0);
    assert_int_equal(req.header.seqno, 3);
    assert_int_equal(gm_answer(gm, &req, VCEK_RSP, rsp), SEV_SUCCESS);
    assert_int_equal(gm->self->msg_count[0], 4);
    gm_free(gm);
}

static void request__payload_refused__counter_moves_all_the_same(void **state)
{
    struct gm *gm = gm_new("milan");
    struct gm_request req = report_request(gm, 0);
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    req.payload[0x44] = 3;
    assert_int_equal(gm_answer(gm, &req, VCEK_RSP, rsp), SEV_INVALID_KEY);
    assert_true(psp_all_zero(rsp + 4, VCEK_RSP - 4));
    assert_int_equal(gm->self->msg_count[0], 2);
    gm_free(gm);
}

static void request__each_vmpck__has_its_own_counter(void **state)
{
    struct gm *gm = gm_new("milan");
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    for (uint8_t i = 0; i < SNP_VMPCK_COUNT; i++) {
        for (uint8_t n = 0; n <= i; n++) {
            struct gm_request req = key_request(gm, i);

            assert_int_equal(gm_answer(gm, &req, 0x40, rsp), SEV_SUCCESS);
        }
    }
    for (uint8_t i = 0; i < SNP_VMPCK_COUNT; i++) {
        assert_int_equal(gm->self->msg_count[i], 2 * (i + 1));
    }
    gm_free(gm);
}

static void request__sent_again_after_success__aead_oflow(void **state)
{
    struct gm *gm = gm_new("milan");
    struct gm_request req = report_request(gm, 0);
    struct gm_snapshot *before;

    (void)state;
    assert_int_equal(gm_call(gm, &req), SEV_SUCCESS);
    before = gm_snapshot(gm);
    assert_int_equal(gm_execute(gm, &req), SEV_AEAD_OFLOW);
    gm_assert_unchanged(gm, before);
    gm_free(gm);
}

static void request__sent_again_after_refusal__answered(void **state)
{
    struct gm *gm = gm_new("milan");
    struct gm_request req = report_request(gm, 0);

    (void)state;
    gm_rmp(gm, GM_RESPONSE, RMP_HYPERVISOR, false);
    assert_int_equal(gm_call(gm, &req), SEV_INVALID_PAGE_STATE);
    gm_rmp(gm, GM_RESPONSE, RMP_FIRMWARE, false);
    assert_int_equal(gm_execute(gm, &req), SEV_SUCCESS);
    gm_free(gm);
}

static void request__last_number__answered_then_aead_oflow(void **state)
{
    struct gm *gm = gm_new("milan");
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];
    struct gm_snapshot *before;
    struct gm_request req;

    (void)state;
    gm->self->msg_count[2] = UINT64_MAX - 3;
    req = key_request(gm, 2);
    assert_int_equal(gm_answer(gm, &req, 0x40, rsp), SEV_SUCCESS);
    assert_true(gm->self->msg_count[2] == UINT64_MAX - 1);
    req = key_request(gm, 2);
    assert_true(req.header.seqno == UINT64_MAX);
    gm_put(gm, &req);
    before = gm_snapshot(gm);
    assert_int_equal(gm_execute(gm, &req), SEV_AEAD_OFLOW);
    gm_assert_unchanged(gm, before);
    gm_free(gm);
}

static void request__counter_all_ones__number_0_is_aead_oflow(void **state)
{
    struct gm *gm = gm_new("milan");
    struct gm_request req;

    (void)state;
    gm->self->msg_count[0] = UINT64_MAX;
    req = key_request(gm, 0);
    assert_true(req.header.seqno == 0);
    assert_int_equal(gm_call(gm, &req), SEV_AEAD_OFLOW);
    gm_free(gm);
}

static void request__header_altered_on_the_way__bad_measurement(void **state)
{
    struct gm *gm = gm_new("milan");
    struct gm_request req = report_request(gm, 0);

    (void)state;
    gm_put(gm, &req);
    for (size_t i = 0x34; i < 0x60; i++) {
        if (i == 0x36 || i == 0x37 || i == 0x3c) {
            continue; /* MSG_SIZE and MSG_VMPCK have checks of their own */
        }
        gm->memory[GM_REQUEST + i] ^= 0x10;
        assert_int_equal(gm_execute(gm, &req), SEV_BAD_MEASUREMENT);
        gm->memory[GM_REQUEST + i] ^= 0x10;
    }
    gm->memory[GM_REQUEST + 0x20] ^= 0x10; /* MSG_SEQNO is in the IV */
    assert_int_equal(gm_execute(gm, &req), SEV_BAD_MEASUREMENT);
    gm->memory[GM_REQUEST + 0x20] ^= 0x10;
    gm->memory[GM_REQUEST + 0x10] ^= 0x10; /* not authenticated, not used */
    gm->memory[GM_REQUEST + 0x28] ^= 0x10;
    assert_int_equal(gm_execute(gm, &req), SEV_SUCCESS);
    gm_free(gm);
}

/* Pages. */

static void request__page__read_once(void **state)
{
    struct gm *gm = gm_new("milan");
    struct gm_request req = report_request(gm, 0);

    (void)state;
    assert_int_equal(gm_call(gm, &req), SEV_SUCCESS);
    assert_int_equal(gm->request_reads, 1);
    gm_free(gm);
}

static void request__request_page_in_any_state__answered(void **state)
{
    struct gm *gm = gm_new("milan");

    (void)state;
    for (int s = RMP_HYPERVISOR; s <= RMP_GUEST_VALID; s++) {
        struct gm_request req = key_request(gm, 0);

        gm_rmp(gm, GM_REQUEST, (enum rmp_state)s, false);
        assert_int_equal(gm_call(gm, &req), SEV_SUCCESS);
    }
    gm_free(gm);
}

static void request__only_a_firmware_page__takes_the_response(void **state)
{
    struct gm *gm = gm_new("milan");

    (void)state;
    for (int s = RMP_HYPERVISOR; s <= RMP_GUEST_VALID; s++) {
        struct gm_request req = key_request(gm, 0);

        gm_rmp(gm, GM_RESPONSE, (enum rmp_state)s, false);
        assert_int_equal(gm_call(gm, &req), s == RMP_FIRMWARE
                                                ? SEV_SUCCESS
                                                : SEV_INVALID_PAGE_STATE);
        assert_int_equal(rmp_get(gm->core.rmp, GM_RESPONSE).state, s);
    }
    gm_free(gm);
}

static void request__messages_at_the_end_of_their_pages__answered(void **state)
{
    struct gm *gm = gm_new("milan");
    struct gm_request req = report_request(gm, 0);
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    req.request = GM_REQUEST + 0x1000 - 0x60 - 0x60;
    req.response = GM_RESPONSE + 0x1000 - 0x60 - VCEK_RSP;
    assert_int_equal(gm_answer(gm, &req, VCEK_RSP, rsp), SEV_SUCCESS);
    gm_free(gm);
}

static void request__payload_leaves_an_unaligned_page__refused(void **state)
{
    struct gm *gm = gm_new("milan");
    struct gm_request req = report_request(gm, 0);

    (void)state;
    req.request = GM_REQUEST + 0x1000 - 0x60 - 0x60 + 1;
    assert_int_equal(gm_call(gm, &req), SEV_INVALID_PARAM);
    gm_free(gm);
}

static void request__largest_payload__answered(void **state)
{
    struct gm *gm = gm_new("milan");
    struct gm_request req = report_request(gm, 0);
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    req.header.size = SNP_MSG_MAX_PAYLOAD;
    memset(req.payload + 0x60, 0xff, SNP_MSG_MAX_PAYLOAD - 0x60);
    assert_int_equal(gm_answer(gm, &req, VCEK_RSP, rsp), SEV_SUCCESS);
    gm_free(gm);
}

static void request__response__nothing_written_around_it(void **state)
{
    struct gm *gm = gm_new("milan");
    struct gm_request req = report_request(gm, 0);
    size_t start = GM_RESPONSE + 0x10, end = start + 0x60 + VCEK_RSP;

    (void)state;
    req.response = start;
    assert_int_equal(gm_call(gm, &req), SEV_SUCCESS);
    for (size_t i = 0; i < GM_SIZE; i++) {
        if (i / 0x1000 != GM_REQUEST / 0x1000 && (i < start || i >= end)) {
            assert_int_equal(gm->memory[i], GM_UNTOUCHED);
        }
    }
    gm_free(gm);
}

static void request__same_page_for_both_messages__answered(void **state)
{
    struct gm *gm = gm_new("milan");
    struct gm_request req = report_request(gm, 0);
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    req.request = req.response;
    assert_int_equal(gm_answer(gm, &req, VCEK_RSP, rsp), SEV_SUCCESS);
    gm_free(gm);
}

/* Two phases. */

static bool begin(struct gm *gm, const struct gm_request *req,
                  struct snp_job *job)
{
    uint8_t buf[SNP_CMD_GUEST_REQUEST_SIZE];
    enum sev_status status;
    bool pending;

    gm_put(gm, req);
    gm_command(req, buf);
    pending = snp_guest_request_begin(&gm->snp, buf, job, &status);
    if (!pending) {
        assert_int_equal(status, SEV_SUCCESS);
    }
    return pending;
}

static void begin__report__counter_moves_response_waits(void **state)
{
    struct gm *gm = gm_new("milan");
    struct gm_request req = report_request(gm, 0);

    (void)state;
    assert_true(begin(gm, &req, gm->job));
    assert_int_equal(gm->self->msg_count[0], 2);
    assert_int_equal(gm->memory[GM_RESPONSE], GM_UNTOUCHED);
    snp_request_run(gm->job);
    assert_int_equal(gm->memory[GM_RESPONSE], GM_UNTOUCHED);
    assert_int_equal(snp_request_finish(&gm->snp, gm->job), SEV_SUCCESS);
    assert_int_not_equal(gm->memory[GM_RESPONSE + 0x30], GM_UNTOUCHED);
    gm_free(gm);
}

static void begin__no_signature_needed__complete_at_once(void **state)
{
    struct gm *gm = gm_new("milan");
    struct gm_request req = key_request(gm, 0);
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    assert_false(begin(gm, &req, gm->job));
    assert_int_equal(gm_open(gm, &req, rsp), 0x40);
    req = report_request(gm, 0);
    gm->snp.mask_chip_key = true;
    assert_false(begin(gm, &req, gm->job));
    assert_int_equal(gm_open(gm, &req, rsp), VCEK_RSP);
    gm_free(gm);
}

static void jobs__two_at_once__both_answered(void **state)
{
    struct gm *gm = gm_new("milan");
    struct gm_request one = report_request(gm, 0);
    struct gm_request two = report_request(gm, 1);
    struct snp_job *job = malloc(sizeof(*job));
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    assert_non_null(job);
    two.response = GM_RESPONSE + 0x800;
    assert_true(begin(gm, &one, gm->job));
    assert_true(begin(gm, &two, job));
    snp_request_run(job);
    snp_request_run(gm->job);
    assert_int_equal(snp_request_finish(&gm->snp, job), SEV_SUCCESS);
    assert_int_equal(snp_request_finish(&gm->snp, gm->job), SEV_SUCCESS);
    assert_int_equal(gm_open(gm, &one, rsp), VCEK_RSP);
    assert_int_equal(gm_open(gm, &two, rsp), VCEK_RSP);
    free(job);
    gm_free(gm);
}

static void finish__page_no_longer_firmware__nothing_happened(void **state)
{
    struct gm *gm = gm_new("milan");
    struct gm_request req = report_request(gm, 0);
    struct gm_snapshot *before;

    (void)state;
    gm_put(gm, &req);
    before = gm_snapshot(gm);
    assert_true(begin(gm, &req, gm->job));
    snp_request_run(gm->job);
    gm_rmp(gm, GM_RESPONSE, RMP_RECLAIM, false);
    assert_int_equal(snp_request_finish(&gm->snp, gm->job),
                     SEV_INVALID_PAGE_STATE);
    gm_rmp(gm, GM_RESPONSE, RMP_FIRMWARE, false);
    gm_assert_unchanged(gm, before);
    gm_free(gm);
}

static void finish__without_run__nothing_happened(void **state)
{
    struct gm *gm = gm_new("milan");
    struct gm_request req = report_request(gm, 0);
    struct gm_snapshot *before;

    (void)state;
    gm_put(gm, &req);
    before = gm_snapshot(gm);
    assert_true(begin(gm, &req, gm->job));
    assert_int_equal(snp_request_finish(&gm->snp, gm->job),
                     SEV_HWERROR_PLATFORM);
    gm_assert_unchanged(gm, before);
    gm_free(gm);
}

static void finish__platform_shut_down__invalid_platform_state(void **state)
{
    struct gm *gm = gm_new("milan");
    struct gm_request req = report_request(gm, 0);

    (void)state;
    assert_true(begin(gm, &req, gm->job));
    snp_request_run(gm->job);
    snp_guest_remove_all(&gm->snp);
    gm->core.snp_state = SNP_PLATFORM_UNINIT;
    assert_int_equal(snp_request_finish(&gm->snp, gm->job),
                     SEV_INVALID_PLATFORM_STATE);
    assert_int_equal(gm->memory[GM_RESPONSE], GM_UNTOUCHED);
    gm_free(gm);
}

static void finish__fails_after_another_message__counter_stays(void **state)
{
    struct gm *gm = gm_new("milan");
    struct gm_request req = report_request(gm, 0);
    struct gm_request next;
    struct snp_job *job = malloc(sizeof(*job));

    (void)state;
    assert_non_null(job);
    assert_true(begin(gm, &req, gm->job));
    next = key_request(gm, 0);
    assert_int_equal(next.header.seqno, 3);
    assert_false(begin(gm, &next, job));
    snp_request_run(gm->job);
    gm->fail_at = gm->calls + 1;
    assert_int_equal(snp_request_finish(&gm->snp, gm->job),
                     SEV_HWERROR_PLATFORM);
    assert_int_equal(gm->self->msg_count[0], 4);
    free(job);
    gm_free(gm);
}

static void finish__fails_for_a_guest_that_ended__successor_kept(void **state)
{
    struct gm *gm = gm_new("milan");
    struct gm_request req = report_request(gm, 0);

    (void)state;
    assert_true(begin(gm, &req, gm->job));
    snp_request_run(gm->job);
    snp_guest_remove(&gm->snp, gm->self);
    gm->self = gm_guest(gm, GM_SELF, SNP_GUEST_RUNNING, 0x33);
    gm->self->msg_count[0] = 2;
    gm->fail_at = gm->calls + 1;
    assert_int_equal(snp_request_finish(&gm->snp, gm->job),
                     SEV_HWERROR_PLATFORM);
    assert_int_equal(gm->self->msg_count[0], 2);
    gm_free(gm);
}

/* Secrets. */

static bool job_holds(const struct snp_job *job, const void *secret, size_t n)
{
    const uint8_t *p = (const uint8_t *)job;

    for (size_t i = 0; i + n <= sizeof(*job); i++) {
        if (memcmp(p + i, secret, n) == 0) {
            return true;
        }
    }
    return false;
}

static void job__report_in_flight__holds_keys_until_finish(void **state)
{
    struct gm *gm = gm_new("milan");
    struct gm_request req = report_request(gm, 0);

    (void)state;
    assert_true(begin(gm, &req, gm->job));
    assert_true(job_holds(gm->job, gm->self->vmpck[0], 32));
    assert_true(job_holds(gm->job, gm->snp.vcek.d, 48));
    snp_request_run(gm->job);
    assert_int_equal(snp_request_finish(&gm->snp, gm->job), SEV_SUCCESS);
    assert_false(job_holds(gm->job, gm->self->vmpck[0], 32));
    assert_false(job_holds(gm->job, gm->snp.vcek.d, 48));
    gm_free(gm);
}

static void job__request_opened__plaintext_wiped(void **state)
{
    struct gm *gm = gm_new("milan");
    struct gm_request req = report_request(gm, 0);

    (void)state;
    gm_fill(req.payload, 0x40, 0x91);
    assert_true(begin(gm, &req, gm->job));
    memset(gm->job->message, 0, sizeof(gm->job->message)); /* the report */
    assert_false(job_holds(gm->job, req.payload, 16));
    gm_free(gm);
}

static void job__derived_key_answered__wiped(void **state)
{
    struct gm *gm = gm_new("milan");
    struct gm_request req = key_request(gm, 0);
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    assert_int_equal(gm_answer(gm, &req, 0x40, rsp), SEV_SUCCESS);
    assert_false(psp_all_zero(rsp + 0x20, 32));
    assert_false(job_holds(gm->job, rsp + 0x20, 32));
    assert_false(job_holds(gm->job, gm->self->vmpck[0], 32));
    gm_free(gm);
}

static void job__refused_after_opening__plaintext_wiped(void **state)
{
    struct gm *gm = gm_new("milan");
    struct gm_request req = report_request(gm, 0);

    (void)state;
    gm_fill(req.payload, 0x40, 0x91);
    req.header.type = 40;
    assert_int_equal(gm_call(gm, &req), SEV_INVALID_PARAM);
    assert_false(job_holds(gm->job, req.payload, 16));
    req = report_request(gm, 0);
    gm_fill(req.payload, 0x40, 0x91);
    req.tag_flip = 1;
    assert_int_equal(gm_call(gm, &req), SEV_BAD_MEASUREMENT);
    assert_false(job_holds(gm->job, req.payload, 16));
    gm_free(gm);
}

/* A failing host. */

static void host_fails(struct gm_request (*make)(const struct gm *, uint8_t))
{
    unsigned int calls = UINT32_MAX;

    for (unsigned int k = 1; k <= calls; k++) {
        struct gm *gm = gm_new("milan");
        struct gm_request req = make(gm, 0);
        struct gm_snapshot *before;
        enum sev_status status;

        gm_put(gm, &req);
        before = gm_snapshot(gm);
        gm->fail_at = k;
        status = gm_execute(gm, &req);
        if (status == SEV_SUCCESS) {
            calls = gm->calls;
            assert_int_equal(k, calls + 1);
            free(before);
        } else {
            assert_int_equal(status, SEV_HWERROR_PLATFORM);
            gm_assert_unchanged(gm, before);
        }
        gm_free(gm);
    }
}

static void host__kth_callback_fails_in_a_report__nothing_changes(void **state)
{
    (void)state;
    host_fails(report_request);
}

static void host__kth_callback_fails_in_a_key__nothing_changes(void **state)
{
    (void)state;
    host_fails(key_request);
}

/* Known answers. */

static void put_hex(struct gm *gm, size_t offset, const char *hex, size_t n)
{
    tst_hex(hex, gm->memory + GM_REQUEST + offset, n);
}

/* Requests 1, 3 and 5 of abi/snp.md §11.3, as their bytes stand there. */
static void request__sheet_messages__accepted_byte_by_byte(void **state)
{
    static const uint8_t zero[0x80];
    struct gm *gm = gm_new("milan");
    struct gm_request req = gm_request(gm, 0, SNP_MSG_REPORT_REQ, zero, 0x60);
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];
    uint8_t digest[48];

    (void)state;
    gm_fill(req.payload, 0x40, 0);
    memset(gm->memory + GM_REQUEST, 0, 0x1000);
    put_hex(gm, 0x00, "0f354f26b13f7433d3674d8eebcaf847", 16);
    put_hex(gm, 0x20, "01", 1);
    put_hex(gm, 0x30, "0101600005016000", 8);
    put_hex(gm, 0x60,
            "e22d803ca0aaea00420d0fc830cc86c4dc70dd3d68bd7d05560647e5013b996f"
            "ccddd2ea048788e8f0f437f862242ea7c0e4fcb7d1456ca0bbb1da492b891678"
            "bcafa49213c0f2445044cd48be94fd5eb5f3e8b761e80896f353185b4abd740d",
            0x60);
    assert_int_equal(gm_execute(gm, &req), SEV_SUCCESS);
    assert_int_equal(gm_open(gm, &req, rsp), VCEK_RSP);
    assert_memory_equal(rsp + 0x20 + 0x50, req.payload, 0x40);

    req = gm_request(gm, 0, SNP_MSG_TSC_INFO_REQ, zero, 0x80);
    gm_put(gm, &req);
    assert_hex_equal(gm->memory + GM_REQUEST,
                     "ac32ac84d9a8f728e64e99831e378e29", 16);
    psp_sha256(gm->memory + GM_REQUEST + 0x60, 0x80, digest);
    assert_hex_equal(
        digest,
        "f500dbdc7478dd98f9b8810219d503f8982f4d054aa500ed9e4085350c533727", 32);
    assert_int_equal(gm_execute(gm, &req), SEV_SUCCESS);
    assert_int_equal(gm_open(gm, &req, rsp), 0x80);

    req = gm_request(gm, 0, SNP_MSG_KEY_REQ, zero, 0x20);
    memset(gm->memory + GM_REQUEST, 0, 0x1000);
    put_hex(gm, 0x00, "353c69b7a47e689985c5c89111f17385", 16);
    put_hex(gm, 0x20, "05", 1);
    put_hex(gm, 0x30, "0101600003012000", 8);
    put_hex(gm, 0x60,
            "e66badc133a753d98b8a5d04097e24b225f5cbbe1d147d782ea91513b5c8400c",
            0x20);
    assert_int_equal(gm_execute(gm, &req), SEV_SUCCESS);
    assert_int_equal(gm_open(gm, &req, rsp), 0x40);
    assert_int_equal(snp_msg_get_status(rsp), SEV_SUCCESS);
    gm_free(gm);
}

static char *hex_of(const uint8_t *p, size_t n)
{
    char *s = malloc(2 * n + 1);

    assert_non_null(s);
    for (size_t i = 0; i < n; i++) {
        snprintf(s + 2 * i, 3, "%02x", p[i]);
    }
    return s;
}

static void response__opened_by_pyca__header_and_status(void **state)
{
    struct gm *gm = gm_new("milan");
    struct gm_request req = key_request(gm, 3);
    char *key = hex_of(gm->self->vmpck[3], 32);
    char *dir = tst_mkdtemp();
    char path[4096];
    const char *argv[] = {"/usr/bin/python3",
                          "harness/support/snp_oracle.py",
                          "open",
                          key,
                          path,
                          NULL};
    char *out;

    (void)state;
    assert_int_equal(gm_call(gm, &req), SEV_SUCCESS);
    snprintf(path, sizeof(path), "%s/message", dir);
    tst_write_file(path, gm->memory + GM_RESPONSE, 0x1000);
    if (tst_run(&out, argv) != 0) {
        fail_msg("%s", out);
    }
    assert_non_null(strstr(out, "seqno=2\nalgo=1\nhdr_version=1\nhdr_size=96\n"
                                "type=4\nversion=1\nsize=64\nvmpck=3\n"
                                "payload=00000000"));
    assert_non_null(strstr(out, "ok=1"));
    free(out);
    free(key);
    tst_rmdir(dir);
    gm_free(gm);
}

/* SNP_HV_REPORT_REQ. */

struct hv {
    struct gm *gm;
    struct snp_cmd_hv_report_req cmd;
    uint8_t flag_bit; /* mixed into byte 4 of the command */
};

struct hv_fault {
    const char *name;
    void (*inject)(struct hv *hv);
    enum sev_status status;
};

static void hv_old_firmware(struct hv *hv)
{
    hv->gm->core.profile.has_hv_report = false;
}

static void hv_len_17(struct hv *hv)
{
    hv->cmd.len = 0x17;
}

static void hv_len_0(struct hv *hv)
{
    hv->cmd.len = 0;
}

static void hv_flag_bit_2(struct hv *hv)
{
    hv->flag_bit = 4;
}

static void hv_gctx_low_bit(struct hv *hv)
{
    hv->cmd.gctx_paddr |= 1;
}

static void hv_report_leaves_page(struct hv *hv)
{
    hv->cmd.hv_report_paddr += 0x1000 - 0x4c0 + 1;
}

static void hv_platform_uninit(struct hv *hv)
{
    hv->gm->core.snp_state = SNP_PLATFORM_UNINIT;
}

static void hv_gctx_beyond_memory(struct hv *hv)
{
    hv->cmd.gctx_paddr = GM_SIZE;
}

static void hv_report_beyond_memory(struct hv *hv)
{
    hv->cmd.hv_report_paddr = GM_SIZE;
}

static void hv_no_guest(struct hv *hv)
{
    hv->cmd.gctx_paddr = 0x6000;
}

static void hv_page_hypervisor(struct hv *hv)
{
    rmp_change(hv->gm, GM_RESPONSE, RMP_HYPERVISOR, true, false);
}

static void hv_page_2m(struct hv *hv)
{
    rmp_change(hv->gm, GM_RESPONSE, RMP_FIRMWARE, false, true);
}

static void hv_guest_launch(struct hv *hv)
{
    hv->gm->self->state = SNP_GUEST_LAUNCH;
}

static const struct hv_fault HV_FAULTS[] = {
    {"old_firmware", hv_old_firmware, SEV_INVALID_COMMAND},
    {"len_17", hv_len_17, SEV_INVALID_PARAM},
    {"len_0", hv_len_0, SEV_INVALID_PARAM},
    {"flag_bit_2", hv_flag_bit_2, SEV_INVALID_PARAM},
    {"gctx_low_bit", hv_gctx_low_bit, SEV_INVALID_PARAM},
    {"report_leaves_page", hv_report_leaves_page, SEV_INVALID_PARAM},
    {"platform_uninit", hv_platform_uninit, SEV_INVALID_PLATFORM_STATE},
    {"gctx_beyond_memory", hv_gctx_beyond_memory, SEV_INVALID_ADDRESS},
    {"report_beyond_memory", hv_report_beyond_memory, SEV_INVALID_ADDRESS},
    {"no_guest", hv_no_guest, SEV_INVALID_GUEST},
    {"page_hypervisor", hv_page_hypervisor, SEV_INVALID_PAGE_STATE},
    {"page_2m", hv_page_2m, SEV_INVALID_PAGE_SIZE},
    {"guest_launch", hv_guest_launch, SEV_INVALID_GUEST_STATE},
};

#define HV_FAULT_COUNT (sizeof(HV_FAULTS) / sizeof(HV_FAULTS[0]))

static struct hv hv_new(void)
{
    return (struct hv){
        .gm = gm_new("turin"),
        .cmd = {.len = 0x18,
                .gctx_paddr = GM_SELF,
                .hv_report_paddr = GM_RESPONSE},
    };
}

static enum sev_status hv_execute(struct hv *hv)
{
    uint8_t buf[SNP_CMD_HV_REPORT_REQ_SIZE];
    enum sev_status status;

    snp_cmd_hv_report_req_encode(&hv->cmd, buf);
    buf[4] ^= hv->flag_bit;
    memset(hv->gm->job, 0x5a, sizeof(*hv->gm->job));
    if (!snp_hv_report_begin(&hv->gm->snp, buf, hv->gm->job, &status)) {
        return status;
    }
    snp_request_run(hv->gm->job);
    return snp_request_finish(&hv->gm->snp, hv->gm->job);
}

static void hv_refuse(const struct hv_fault *first,
                      const struct hv_fault *second)
{
    struct hv hv = hv_new();
    struct gm_snapshot *before;

    if (second != NULL) {
        second->inject(&hv);
    }
    first->inject(&hv);
    before = gm_snapshot(hv.gm);
    assert_int_equal(hv_execute(&hv), first->status);
    gm_assert_unchanged(hv.gm, before);
    gm_free(hv.gm);
}

static void hv_report__fault__its_status_before_later_ones(void **state)
{
    const struct hv_fault *first = *state;

    hv_refuse(first, NULL);
    for (const struct hv_fault *f = first + 1; f < HV_FAULTS + HV_FAULT_COUNT;
         f++) {
        hv_refuse(first, f);
    }
}

static void hv_report__running_guest__plaintext_and_no_counter(void **state)
{
    struct hv hv = hv_new();
    const uint8_t *rsp = hv.gm->memory + GM_RESPONSE;

    (void)state;
    assert_int_equal(hv_execute(&hv), SEV_SUCCESS);
    assert_hex_equal(rsp, "00000000a0040000", 8);
    assert_true(psp_all_zero(rsp + 8, 0x18));
    assert_hex_equal(rsp + 0x20 + 0x30, "ffffffff", 4);
    assert_true(psp_all_zero(rsp + 0x20 + 0x50, 64));
    assert_memory_equal(rsp + 0x20 + 0x90, hv.gm->self->ld, 48);
    assert_false(psp_all_zero(rsp + 0x20 + 0x2a0, 0x90));
    assert_int_equal(rsp[VCEK_RSP], GM_UNTOUCHED);
    for (size_t i = 0; i < SNP_VMPCK_COUNT; i++) {
        assert_int_equal(hv.gm->self->msg_count[i], 0);
    }
    assert_false(job_holds(hv.gm->job, hv.gm->snp.vcek.d, 48));
    gm_free(hv.gm);
}

static void hv_report__key_not_available__status_in_the_page(void **state)
{
    struct hv hv = hv_new();
    const uint8_t *rsp = hv.gm->memory + GM_RESPONSE;

    (void)state;
    hv.cmd.key_sel = 2;
    assert_int_equal(hv_execute(&hv), SEV_SUCCESS);
    assert_hex_equal(rsp, "27000000", 4);
    assert_true(psp_all_zero(rsp + 4, VCEK_RSP - 4));
    hv.cmd.key_sel = 3;
    assert_int_equal(hv_execute(&hv), SEV_SUCCESS);
    assert_hex_equal(rsp, "27000000", 4);
    hv.cmd.key_sel = 1;
    hv.gm->self->vcek_dis = true;
    assert_int_equal(hv_execute(&hv), SEV_SUCCESS);
    assert_hex_equal(rsp, "27000000", 4);
    gm_free(hv.gm);
}

static void hv_report__mask_chip_key__unsigned(void **state)
{
    struct hv hv = hv_new();
    const uint8_t *rsp = hv.gm->memory + GM_RESPONSE;

    (void)state;
    hv.gm->snp.mask_chip_key = true;
    assert_int_equal(hv_execute(&hv), SEV_SUCCESS);
    assert_hex_equal(rsp + 0x20 + 0x48, "1e000000", 4);
    assert_true(psp_all_zero(rsp + 0x20 + 0x2a0, 0x200));
    gm_free(hv.gm);
}

static void hv_report__host_fails__nothing_changes(void **state)
{
    struct hv hv = hv_new();
    struct gm_snapshot *before = gm_snapshot(hv.gm);

    (void)state;
    hv.gm->fail_at = 1;
    assert_int_equal(hv_execute(&hv), SEV_HWERROR_PLATFORM);
    gm_assert_unchanged(hv.gm, before);
    gm_free(hv.gm);
}

static void hv_report__end_of_page__written(void **state)
{
    struct hv hv = hv_new();

    (void)state;
    hv.cmd.hv_report_paddr += 0x1000 - 0x4c0;
    assert_int_equal(hv_execute(&hv), SEV_SUCCESS);
    assert_int_equal(hv.gm->memory[GM_RESPONSE + 0xb3f], GM_UNTOUCHED);
    assert_int_equal(hv.gm->memory[GM_RESPONSE + 0x1000], GM_UNTOUCHED);
    gm_free(hv.gm);
}

static const struct CMUnitTest PLAIN[] = {
    cmocka_unit_test(request__answered__counter_moves_by_two),
    cmocka_unit_test(request__payload_refused__counter_moves_all_the_same),
    cmocka_unit_test(request__each_vmpck__has_its_own_counter),
    cmocka_unit_test(request__sent_again_after_success__aead_oflow),
    cmocka_unit_test(request__sent_again_after_refusal__answered),
    cmocka_unit_test(request__last_number__answered_then_aead_oflow),
    cmocka_unit_test(request__counter_all_ones__number_0_is_aead_oflow),
    cmocka_unit_test(request__header_altered_on_the_way__bad_measurement),
    cmocka_unit_test(request__page__read_once),
    cmocka_unit_test(request__request_page_in_any_state__answered),
    cmocka_unit_test(request__only_a_firmware_page__takes_the_response),
    cmocka_unit_test(request__messages_at_the_end_of_their_pages__answered),
    cmocka_unit_test(request__payload_leaves_an_unaligned_page__refused),
    cmocka_unit_test(request__largest_payload__answered),
    cmocka_unit_test(request__response__nothing_written_around_it),
    cmocka_unit_test(request__same_page_for_both_messages__answered),
    cmocka_unit_test(begin__report__counter_moves_response_waits),
    cmocka_unit_test(begin__no_signature_needed__complete_at_once),
    cmocka_unit_test(jobs__two_at_once__both_answered),
    cmocka_unit_test(finish__page_no_longer_firmware__nothing_happened),
    cmocka_unit_test(finish__without_run__nothing_happened),
    cmocka_unit_test(finish__platform_shut_down__invalid_platform_state),
    cmocka_unit_test(finish__fails_after_another_message__counter_stays),
    cmocka_unit_test(finish__fails_for_a_guest_that_ended__successor_kept),
    cmocka_unit_test(job__report_in_flight__holds_keys_until_finish),
    cmocka_unit_test(job__request_opened__plaintext_wiped),
    cmocka_unit_test(job__derived_key_answered__wiped),
    cmocka_unit_test(job__refused_after_opening__plaintext_wiped),
    cmocka_unit_test(host__kth_callback_fails_in_a_report__nothing_changes),
    cmocka_unit_test(host__kth_callback_fails_in_a_key__nothing_changes),
    cmocka_unit_test(request__sheet_messages__accepted_byte_by_byte),
    cmocka_unit_test(response__opened_by_pyca__header_and_status),
    cmocka_unit_test(hv_report__running_guest__plaintext_and_no_counter),
    cmocka_unit_test(hv_report__key_not_available__status_in_the_page),
    cmocka_unit_test(hv_report__mask_chip_key__unsigned),
    cmocka_unit_test(hv_report__host_fails__nothing_changes),
    cmocka_unit_test(hv_report__end_of_page__written),
};

#define PLAIN_COUNT (sizeof(PLAIN) / sizeof(PLAIN[0]))

int main(void)
{
    static char names[2 * FAULT_COUNT + HV_FAULT_COUNT][96];
    static struct CMUnitTest
        tests[PLAIN_COUNT + 2 * FAULT_COUNT + HV_FAULT_COUNT];
    size_t n = PLAIN_COUNT;
    char(*name)[96] = names;

    memcpy(tests, PLAIN, sizeof(PLAIN));
    for (const struct fault *f = FAULTS; f < FAULTS + FAULT_COUNT; f++) {
        snprintf(*name, sizeof(*name), "request__%s__%s", f->name,
                 sev_status_name(f->status));
        tests[n++] = gm_row(*name++, request__one_fault__its_status, f);
        snprintf(*name, sizeof(*name), "request__%s_and_a_later_fault__%s",
                 f->name, sev_status_name(f->status));
        tests[n++] = gm_row(
            *name++, request__fault_and_a_later_one__status_of_the_first, f);
    }
    for (const struct hv_fault *f = HV_FAULTS; f < HV_FAULTS + HV_FAULT_COUNT;
         f++) {
        snprintf(*name, sizeof(*name), "hv_report__%s__%s", f->name,
                 sev_status_name(f->status));
        tests[n++] =
            gm_row(*name++, hv_report__fault__its_status_before_later_ones, f);
    }
    return _cmocka_run_group_tests("snp/request", tests, n, NULL, NULL);
}
