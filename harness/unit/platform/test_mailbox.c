/* SPDX-License-Identifier: Apache-2.0 */
/* The mailbox: where a command buffer may lie, the three steps of a long
 * command, instances that never meet. */
#include "snp_fixture.h"

#include "snp_msg.h"
#include "wire.h"

#define ASID 3u

static void put_status_command(struct snp_fx *fx, uint64_t spa, uint64_t out)
{
    uint8_t buf[SNP_CMD_STATUS_SIZE];

    snp_cmd_status_encode(&(struct snp_cmd_status){.status_paddr = out}, buf);
    fx_write(fx, spa, buf, sizeof(buf));
}

static void buffer__unaligned_across_pages__read(void **state)
{
    static const uint64_t where[] = {0x2001, 0x2ffc, 0x2fff, 0x0,
                                     FX_MEMORY_SIZE - 8};
    struct snp_fx *fx = snp_fx_new("milan", NULL);
    uint8_t major;

    (void)state;
    for (size_t i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
        fx_fill(fx, 0x6000, 0, 1);
        put_status_command(fx, where[i], 0x6000);
        assert_int_equal(
            psp_execute(fx->psp, SNP_CMD_PLATFORM_STATUS, where[i]),
            SEV_SUCCESS);
        fx_read(fx, 0x6000, &major, 1);
        assert_int_equal(major, 1);
    }
    snp_fx_free(fx);
}

static void buffer__not_in_memory__address(void **state)
{
    static const uint64_t where[] = {FX_MEMORY_SIZE, FX_MEMORY_SIZE - 7,
                                     UINT64_MAX, UINT64_MAX - 3, 1ull << 51};
    struct snp_fx *fx = snp_fx_new("milan", NULL);

    (void)state;
    for (size_t i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
        assert_int_equal(
            psp_execute(fx->psp, SNP_CMD_PLATFORM_STATUS, where[i]),
            SEV_INVALID_ADDRESS);
    }
    snp_fx_free(fx);
}

static void buffer__in_pages_of_any_state__read_and_left_alone(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    uint64_t gctx = fx_guest_launch(fx, ASID, FX_POLICY);
    uint64_t spa = fx_page(fx), out = fx_firmware(fx, fx_page(fx));

    (void)state;
    put_status_command(fx, spa, out);
    fx_pre_guest(fx, spa, ASID, 0x1000);
    assert_int_equal(psp_execute(fx->psp, SNP_CMD_PLATFORM_STATUS, spa),
                     SEV_SUCCESS);
    assert_int_equal(fx_state(fx, spa), RMP_PRE_GUEST);
    put_status_command(fx, gctx, out);
    assert_int_equal(psp_execute(fx->psp, SNP_CMD_PLATFORM_STATUS, gctx),
                     SEV_SUCCESS);
    snp_fx_free(fx);
}

static void no_buffer__address_ignored(void **state)
{
    struct snp_fx *fx = snp_fx_new("milan", NULL);

    (void)state;
    fx->calls = 0;
    assert_int_equal(psp_execute(fx->psp, SNP_CMD_INIT, UINT64_MAX),
                     SEV_SUCCESS);
    assert_int_equal(psp_execute(fx->psp, SNP_CMD_DF_FLUSH, UINT64_MAX),
                     SEV_SUCCESS);
    assert_int_equal(psp_execute(fx->psp, SNP_CMD_SHUTDOWN, UINT64_MAX),
                     SEV_SUCCESS);
    assert_int_equal(fx->calls, 0);
    snp_fx_free(fx);
}

static void buffer__read_once(void **state)
{
    struct snp_fx *fx = snp_fx_new("milan", NULL);

    (void)state;
    put_status_command(fx, FX_COMMAND, 0x6000);
    fx->calls = 0;
    assert_int_equal(psp_execute(fx->psp, SNP_CMD_PLATFORM_STATUS, FX_COMMAND),
                     SEV_SUCCESS);
    assert_int_equal(fx->calls, 2); /* the buffer, the output */
    snp_fx_free(fx);
}

/* -- long commands ----------------------------------------------------------
 */

/* A guest that asks for a report; everything comes from the fixture's seed. */
struct asking {
    struct snp_fx *fx;
    uint64_t gctx;
    uint64_t response;
};

static struct asking ask(void)
{
    struct asking a = {.fx = snp_fx_up("genoa", NULL)};
    const struct snp_msg_header header = {
        .seqno = 1,
        .algo = SNP_MSG_ALGO_GCM,
        .hdr_version = SNP_MSG_HDR_VERSION,
        .hdr_size = SNP_MSG_HEADER_SIZE,
        .type = SNP_MSG_REPORT_REQ,
        .version = 1,
        .size = SNP_REPORT_REQ_SIZE,
    };
    const struct snp_report_req req = {.report_data = {1, 2, 3}};
    uint8_t page[SNP_MSG_HEADER_SIZE + SNP_REPORT_REQ_SIZE], iv[12];
    uint64_t request = fx_page(a.fx);
    uint8_t command[SNP_CMD_GUEST_REQUEST_SIZE];

    a.gctx = fx_guest_running(a.fx, ASID, FX_POLICY);
    a.response = fx_firmware(a.fx, fx_page(a.fx));
    snp_msg_header_encode(&header, page);
    snp_report_req_encode(&req, page + SNP_MSG_HEADER_SIZE);
    snp_msg_iv(1, iv);
    psp_gcm_seal(fx_guest(a.fx, a.gctx)->vmpck[0], iv,
                 page + SNP_MSG_AAD_OFFSET, SNP_MSG_AAD_SIZE,
                 page + SNP_MSG_HEADER_SIZE, SNP_REPORT_REQ_SIZE,
                 page + SNP_MSG_HEADER_SIZE, page);
    fx_write(a.fx, request, page, sizeof(page));
    snp_cmd_guest_request_encode(
        &(struct snp_cmd_guest_request){.gctx_paddr = a.gctx,
                                        .request_paddr = request,
                                        .response_paddr = a.response},
        command);
    fx_write(a.fx, FX_COMMAND, command, sizeof(command));
    return a;
}

static void steps__begin_run_finish__as_execute(void **state)
{
    struct asking one = ask(), three = ask();
    struct psp_job *job = psp_job_new();
    uint8_t a[RMP_PAGE_SIZE], b[RMP_PAGE_SIZE];
    enum sev_status status;

    (void)state;
    assert_non_null(job);
    assert_int_equal(
        psp_execute(one.fx->psp, SNP_CMD_GUEST_REQUEST, FX_COMMAND),
        SEV_SUCCESS);
    assert_true(psp_begin(three.fx->psp, SNP_CMD_GUEST_REQUEST, FX_COMMAND, job,
                          &status));
    psp_job_run(job);
    assert_int_equal(psp_finish(three.fx->psp, job), SEV_SUCCESS);
    fx_read(one.fx, one.response, a, sizeof(a));
    fx_read(three.fx, three.response, b, sizeof(b));
    assert_false(psp_all_zero(a, sizeof(a)));
    assert_memory_equal(a, b, sizeof(a));
    assert_int_equal(psp_finish(three.fx->psp, job), SEV_INVALID_COMMAND);
    psp_job_free(job);
    psp_job_free(NULL);
    snp_fx_free(one.fx);
    snp_fx_free(three.fx);
}

static void steps__other_commands_between__each_gets_its_answer(void **state)
{
    struct asking a = ask();
    struct psp_job *job = psp_job_new();
    enum sev_status status;
    uint64_t out = fx_firmware(a.fx, fx_page(a.fx));

    (void)state;
    assert_true(
        psp_begin(a.fx->psp, SNP_CMD_GUEST_REQUEST, FX_COMMAND, job, &status));
    put_status_command(a.fx, FX_COMMAND, out);
    assert_int_equal(
        psp_execute(a.fx->psp, SNP_CMD_PLATFORM_STATUS, FX_COMMAND),
        SEV_SUCCESS);
    psp_job_run(job);
    assert_int_equal(psp_finish(a.fx->psp, job), SEV_SUCCESS);
    psp_job_free(job);
    snp_fx_free(a.fx);
}

static void steps__guest_gone_between__no_trace_in_another(void **state)
{
    struct asking a = ask();
    struct psp_job *job = psp_job_new();
    enum sev_status status;
    uint64_t other;

    (void)state;
    assert_true(
        psp_begin(a.fx->psp, SNP_CMD_GUEST_REQUEST, FX_COMMAND, job, &status));
    assert_int_equal(FX(a.fx, DECOMMISSION, gctx, .gctx_paddr = a.gctx),
                     SEV_SUCCESS);
    assert_int_equal(FX(a.fx, GCTX_CREATE, gctx, .gctx_paddr = a.gctx),
                     SEV_SUCCESS);
    other = a.gctx;
    assert_int_equal(
        FX(a.fx, PAGE_RECLAIM, page_reclaim, .page_paddr = a.response),
        SEV_SUCCESS);
    psp_job_run(job);
    assert_int_equal(psp_finish(a.fx->psp, job), SEV_INVALID_PAGE_STATE);
    assert_true(fx_guest(a.fx, other)->msg_count[0] == 0);
    psp_job_free(job);
    snp_fx_free(a.fx);
}

static void begin__refused__no_job(void **state)
{
    struct asking a = ask();
    struct psp_job *job = psp_job_new();
    enum sev_status status = SEV_SUCCESS;

    (void)state;
    assert_false(psp_begin(a.fx->psp, 0x80, FX_COMMAND, job, &status));
    assert_int_equal(status, SEV_INVALID_COMMAND);
    assert_false(
        psp_begin(a.fx->psp, SNP_CMD_GUEST_REQUEST, UINT64_MAX, job, &status));
    assert_int_equal(status, SEV_INVALID_ADDRESS);
    assert_false(psp_begin(a.fx->psp, SNP_CMD_INIT, 0, job, &status));
    assert_int_equal(status, SEV_INVALID_PLATFORM_STATE);
    psp_job_free(job);
    snp_fx_free(a.fx);
}

/* -- instances --------------------------------------------------------------
 */

static void instances__same_seed__same_bytes_and_no_contact(void **state)
{
    struct snp_fx *a = snp_fx_up("milan", NULL), *b = snp_fx_up("milan", NULL);
    uint64_t ga = fx_guest_launch(a, ASID, FX_POLICY), gb, sa, sb;
    uint8_t pa[RMP_PAGE_SIZE], pb[RMP_PAGE_SIZE];

    (void)state;
    sa = fx_launch_page(a, ga, SNP_PAGE_SECRETS, 0x1000, NULL);
    assert_int_equal(fx_snp(b)->guest_count, 0);
    gb = fx_guest_launch(b, ASID, FX_POLICY);
    sb = fx_launch_page(b, gb, SNP_PAGE_SECRETS, 0x1000, NULL);
    fx_read(a, sa, pa, sizeof(pa));
    fx_read(b, sb, pb, sizeof(pb));
    assert_memory_equal(pa, pb, sizeof(pa));
    fx_read(a, ga, pa, sizeof(pa));
    fx_read(b, gb, pb, sizeof(pb));
    assert_memory_equal(pa, pb, sizeof(pa));
    assert_int_equal(fx_command(a, SNP_CMD_SHUTDOWN, NULL, 0), SEV_SUCCESS);
    assert_int_equal(fx_snp(b)->guest_count, 1);
    snp_fx_free(a);
    snp_fx_free(b);
}

static void guest_memory__through_the_public_functions(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    uint64_t gctx = fx_guest_launch(fx, ASID, FX_POLICY);
    uint64_t spa = fx_launch_page(fx, gctx, SNP_PAGE_ZERO, 0x1000, NULL);
    const uint8_t text[] = "seen through the key";
    uint8_t got[sizeof(text)], raw[sizeof(text)];

    (void)state;
    assert_int_equal(
        psp_guest_mem_write(fx->psp, ASID, spa + 0x123, text, sizeof(text)),
        PSP_OK);
    assert_int_equal(
        psp_guest_mem_read(fx->psp, ASID, spa + 0x123, got, sizeof(got)),
        PSP_OK);
    assert_memory_equal(got, text, sizeof(text));
    fx_read(fx, spa + 0x123, raw, sizeof(raw));
    assert_memory_not_equal(raw, text, sizeof(text));
    assert_int_equal(psp_guest_mem_read(fx->psp, ASID + 1, spa, got, 1),
                     PSP_E_PARAM);
    snp_fx_free(fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer__unaligned_across_pages__read),
        cmocka_unit_test(buffer__not_in_memory__address),
        cmocka_unit_test(buffer__in_pages_of_any_state__read_and_left_alone),
        cmocka_unit_test(no_buffer__address_ignored),
        cmocka_unit_test(buffer__read_once),
        cmocka_unit_test(steps__begin_run_finish__as_execute),
        cmocka_unit_test(steps__other_commands_between__each_gets_its_answer),
        cmocka_unit_test(steps__guest_gone_between__no_trace_in_another),
        cmocka_unit_test(begin__refused__no_job),
        cmocka_unit_test(instances__same_seed__same_bytes_and_no_contact),
        cmocka_unit_test(guest_memory__through_the_public_functions),
    };

    return cmocka_run_group_tests_name("platform/mailbox", tests, NULL, NULL);
}
