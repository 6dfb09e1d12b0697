/* SPDX-License-Identifier: Apache-2.0 */
/* Every way through the three ioctls of /dev/sev-guest: abi/linux.md §4.4,
 * §4.5, §4.7 and §4.8. Each row runs on memory that answers directly and on
 * memory that has to be asked for, and both must end alike, to the byte. */
#include "guest_fixture.h"

#include <errno.h>

/* What an ioctl may write. */
#define W_ENVELOPE 1u
#define W_REQ      2u /* certs_len */
#define W_CERTS    4u
#define W_RESP     8u

/* Counters and keys that a row does not look at: requests whose answer cannot
 * be delivered are noticed before or after the exit, depending on the
 * transport. */
#define DIRECT_ONLY 1u

struct row {
    const char *name;
    enum sev_guest_era era;
    uint32_t request;
    void (*arrange)(struct guest *g);
    int64_t result;
    unsigned int writes;
    uint64_t exitinfo2;   /* with W_ENVELOPE */
    uint32_t certs_len;   /* with W_REQ */
    unsigned int counted; /* how far the counter moved */
    size_t exits;
    bool key_gone;
    unsigned int flags;
};

#define NOW SEV_GUEST_6_13

/* --- arrangements ------------------------------------------------------- */

static void as_it_is(struct guest *g)
{
    (void)g;
}

static void bad_arg(struct guest *g)
{
    g->arg = 0x1000;
}

static void null_arg(struct guest *g)
{
    g->arg = 0;
}

static void kernel_arg(struct guest *g)
{
    g->arg = 0xffff888000000000;
}

static void version_0(struct guest *g)
{
    g->client.envelope[0] = 0;
}

/* Some clients declare 32 bits: only the low byte counts. */
static void version_0x100(struct guest *g)
{
    g->client.envelope[0] = 0;
    g->client.envelope[1] = 1;
}

static void version_0_unknown(struct guest *g)
{
    g->client.envelope[0] = 0;
    g->request = 0xc0205303;
}

static void version_2(struct guest *g)
{
    g->client.envelope[0] = 2;
}

static void version_3(struct guest *g)
{
    g->client.envelope[0] = 3;
}

static void unknown_request(struct guest *g)
{
    g->request = 0xc0205303;
    put64(g->client.envelope + 8, 0);
}

static void request_of_other_size(struct guest *g)
{
    g->request = 0xc0105300;
}

static void null_req(struct guest *g)
{
    put64(g->client.envelope + 8, 0);
}

static void null_resp(struct guest *g)
{
    put64(g->client.envelope + 16, 0);
}

static void null_resp_bad_req(struct guest *g)
{
    put64(g->client.envelope + 16, 0);
    put64(g->client.envelope + 8, 0x1000);
}

static void bad_req(struct guest *g)
{
    put64(g->client.envelope + 8, 0x1000);
}

/* One byte of the structure is not mapped. */
static void short_req(struct guest *g)
{
    size_t size = g->request == GET_EXT ? 112 : g->request == GET_KEY ? 32 : 96;

    put64(g->client.envelope + 8, REQ_ADDR + sizeof(g->client.req) - size + 1);
}

static void bad_resp(struct guest *g)
{
    put64(g->client.envelope + 16, 0x1000);
}

static void readonly_envelope_null_req(struct guest *g)
{
    g->ua.ranges[0].readonly = true;
    null_req(g);
}

static void key_gone(struct guest *g)
{
    guest_wipe_key(g, 0);
}

static void key_gone_bad_req(struct guest *g)
{
    guest_wipe_key(g, 0);
    bad_req(g);
}

static void key_gone_unknown_request(struct guest *g)
{
    guest_wipe_key(g, 0);
    unknown_request(g);
}

static void key_gone_version_0(struct guest *g)
{
    guest_wipe_key(g, 0);
    version_0(g);
}

static void counter_at_the_end(struct guest *g)
{
    guest_set_counter(g, 0, 0xfffffffe);
}

static void counter_past_the_end(struct guest *g)
{
    guest_set_counter(g, 0, 0xffffffff);
}

/* The firmware expects number 1. */
static void counter_out_of_step(struct guest *g)
{
    guest_set_counter(g, 0, 0xfffffffc);
}

static void vmpl_4(struct guest *g)
{
    put32(g->client.req + 64, 4);
}

static void key_field_select_bit_7(struct guest *g)
{
    put64(g->client.req + 8, 0x80);
}

static void answer(struct guest *g, uint64_t exitinfo2)
{
    g->script.answer[g->script.count++] = exitinfo2;
}

static void ghcb_error_4(struct guest *g)
{
    g->script.ghcb_error = 4;
}

static void firmware_0x13(struct guest *g)
{
    answer(g, SEV_HWERROR_PLATFORM);
}

static void busy_three_times(struct guest *g)
{
    for (int i = 0; i < 3; i++) {
        answer(g, VM_EXITINFO2_BUSY);
    }
}

static void busy_for_ever(struct guest *g)
{
    for (int i = 0; i < SCRIPT_MAX; i++) {
        answer(g, VM_EXITINFO2_BUSY);
    }
}

static void busy_then_firmware_0x16(struct guest *g)
{
    answer(g, VM_EXITINFO2_BUSY);
    answer(g, SEV_INVALID_PARAM);
}

static void invalid_len(struct guest *g)
{
    answer(g, VM_EXITINFO2_INVALID_LEN);
}

static void generic(struct guest *g)
{
    answer(g, VM_EXITINFO2_GENERIC);
}

static void unknown_code(struct guest *g)
{
    answer(g, 0x0000000700000005);
}

static void flip(struct guest *g, size_t offset, uint8_t bits)
{
    g->script.flip_offset = offset;
    g->script.flip_bits = bits;
}

static void wrong_seqno(struct guest *g)
{
    flip(g, 0x20, 1);
}

static void wrong_type(struct guest *g)
{
    flip(g, 0x34, 1);
}

static void wrong_version(struct guest *g)
{
    flip(g, 0x35, 2);
}

static void wrong_size(struct guest *g)
{
    flip(g, 0x37, 0x80);
}

static void wrong_algorithm(struct guest *g)
{
    flip(g, 0x30, 2);
}

static void wrong_tag(struct guest *g)
{
    flip(g, 0x0f, 0x80);
}

static void wrong_payload(struct guest *g)
{
    flip(g, 0x60 + 0x20 + 5, 0x10);
}

static void dropped_response(struct guest *g)
{
    g->script.drop_response = true;
}

/* Certificates: 5000 bytes need two pages. */
static void certs_wanted_not_offered(struct guest *g)
{
    guest_set_certs(g, 5000);
}

static void certs_query_all_ones(struct guest *g)
{
    guest_set_certs(g, 5000);
    guest_offer(g, UINT64_MAX, 0);
}

static void certs_length_without_address(struct guest *g)
{
    guest_set_certs(g, 5000);
    guest_offer(g, 0, 12345); /* not looked at */
}

static void certs_fit(struct guest *g)
{
    guest_set_certs(g, 5000);
    guest_offer(g, CERTS_ADDR, 0x2000);
}

static void certs_fit_with_room(struct guest *g)
{
    guest_set_certs(g, 5000);
    guest_offer(g, CERTS_ADDR, 0x4000);
}

static void certs_exactly_full(struct guest *g)
{
    guest_set_certs(g, 0x4000);
    guest_offer(g, CERTS_ADDR, 0x4000);
}

static void certs_too_large(struct guest *g)
{
    guest_set_certs(g, 5000);
    guest_offer(g, CERTS_ADDR, 0x1000);
}

static void certs_never_fit(struct guest *g)
{
    guest_set_certs(g, 0x4001);
    guest_offer(g, CERTS_ADDR, 0x4000);
}

static void no_certs_offered(struct guest *g)
{
    guest_offer(g, CERTS_ADDR, 0x1000);
}

static void certs_len_above_16k(struct guest *g)
{
    guest_offer(g, CERTS_ADDR, 0x5000);
}

static void certs_len_unaligned(struct guest *g)
{
    guest_offer(g, CERTS_ADDR, 0x1001);
}

static void certs_len_4095(struct guest *g)
{
    guest_offer(g, CERTS_ADDR, 0xfff);
}

static void certs_outside_user_space(struct guest *g)
{
    guest_offer(g, UMEM_TASK_SIZE - 0xfff, 0x1000);
}

static void certs_len_wrong_outside_user_space(struct guest *g)
{
    guest_offer(g, UINT64_MAX - 5, 0x1001);
}

static void certs_not_mapped(struct guest *g)
{
    guest_offer(g, 0x1000, 0x1000);
}

static void certs_readonly(struct guest *g)
{
    guest_offer(g, CERTS_ADDR, 0x1000);
    g->ua.ranges[3].readonly = true;
}

static void certs_short_req_readonly(struct guest *g)
{
    guest_set_certs(g, 5000);
    g->ua.ranges[1].readonly = true;
}

static void certs_short_then_firmware_0x16(struct guest *g)
{
    guest_set_certs(g, 5000);
    answer(g, PASS);
    answer(g, SEV_INVALID_PARAM);
}

static void certs_short_then_busy(struct guest *g)
{
    guest_set_certs(g, 5000);
    answer(g, VM_EXITINFO2_BUSY);
    answer(g, PASS);
    answer(g, VM_EXITINFO2_BUSY);
}

static void certs_short_then_busy_for_ever(struct guest *g)
{
    guest_set_certs(g, 5000);
    answer(g, PASS);
    for (int i = 1; i < SCRIPT_MAX; i++) {
        answer(g, VM_EXITINFO2_BUSY);
    }
}

static void certs_short_then_bad_answer(struct guest *g)
{
    guest_set_certs(g, 5000);
    wrong_tag(g);
}

/* --- rows --------------------------------------------------------------- */

#define NEVER_SENT 0xffull
#define UNANSWERED UINT64_MAX
#define TOO_SHORT  VM_EXITINFO2_INVALID_LEN

/* Shorthands for the columns above. */
#define UNTOUCHED  .writes = 0
#define REFUSED    .writes = W_ENVELOPE, .exitinfo2 = NEVER_SENT
#define SAYS(info) .writes = W_ENVELOPE, .exitinfo2 = (info)
#define SHORT(needed)                                                          \
    .writes = W_ENVELOPE | W_REQ, .exitinfo2 = TOO_SHORT, .certs_len = (needed)
#define ANSWERED .counted = 2, .exits = 1

static const struct row ROWS[] = {
    /* §4.4, step by step */
    {"step1__bad_argument__efault", NOW, GET_REPORT, bad_arg, -EFAULT,
     UNTOUCHED},
    {"step1__null_argument__efault", NOW, GET_REPORT, null_arg, -EFAULT,
     UNTOUCHED},
    {"step1__kernel_address__efault", NOW, GET_REPORT, kernel_arg, -EFAULT,
     UNTOUCHED},
    {"step3__version_0__einval", NOW, GET_REPORT, version_0, -EINVAL,
     UNTOUCHED},
    {"step3__version_0x100__einval", NOW, GET_REPORT, version_0x100, -EINVAL,
     UNTOUCHED},
    {"step3__before_step4__einval", NOW, GET_REPORT, version_0_unknown, -EINVAL,
     UNTOUCHED},
    {"step4__unknown_request__enotty", NOW, GET_REPORT, unknown_request,
     -ENOTTY, REFUSED},
    {"step4__other_size__enotty", NOW, GET_REPORT, request_of_other_size,
     -ENOTTY, REFUSED},
    {"step5__null_request__einval", NOW, GET_REPORT, null_req, -EINVAL,
     REFUSED},
    {"step5__null_response__einval", NOW, GET_REPORT, null_resp, -EINVAL,
     REFUSED},
    {"step5__null_request_of_key__einval", NOW, GET_KEY, null_req, -EINVAL,
     REFUSED},
    {"step5__null_response_of_ext__einval", NOW, GET_EXT, null_resp, -EINVAL,
     REFUSED},
    {"step5__before_step6__einval", NOW, GET_REPORT, null_resp_bad_req, -EINVAL,
     REFUSED},
    {"step6__bad_request__efault", NOW, GET_REPORT, bad_req, -EFAULT, REFUSED,
     .flags = DIRECT_ONLY},
    {"step6__short_report_request__efault", NOW, GET_REPORT, short_req, -EFAULT,
     REFUSED, .flags = DIRECT_ONLY},
    {"step6__short_key_request__efault", NOW, GET_KEY, short_req, -EFAULT,
     REFUSED, .flags = DIRECT_ONLY},
    {"step6__short_ext_request__efault", NOW, GET_EXT, short_req, -EFAULT,
     REFUSED, .flags = DIRECT_ONLY},
    {"step7__certs_len_above_16k__einval", NOW, GET_EXT, certs_len_above_16k,
     -EINVAL, REFUSED},
    {"step7__certs_len_unaligned__einval", NOW, GET_EXT, certs_len_unaligned,
     -EINVAL, REFUSED},
    {"step7__certs_len_4095__einval", NOW, GET_EXT, certs_len_4095, -EINVAL,
     REFUSED},
    {"step7__certs_outside_user_space__efault", NOW, GET_EXT,
     certs_outside_user_space, -EFAULT, REFUSED},
    {"step7__length_before_address__einval", NOW, GET_EXT,
     certs_len_wrong_outside_user_space, -EINVAL, REFUSED},
    {"step8__key_gone__enotty", NOW, GET_REPORT, key_gone, -ENOTTY, REFUSED,
     .key_gone = true},
    {"step8__after_step6__efault", NOW, GET_REPORT, key_gone_bad_req, -EFAULT,
     REFUSED, .key_gone = true, .flags = DIRECT_ONLY},
    {"step8__after_step3__einval", NOW, GET_REPORT, key_gone_version_0, -EINVAL,
     .key_gone = true},
    {"step9__counter_at_the_end__eio", NOW, GET_REPORT, counter_at_the_end,
     -EIO, REFUSED},
    {"step9__counter_past_the_end__eio", NOW, GET_KEY, counter_past_the_end,
     -EIO, REFUSED},
    {"step9__counter_out_of_step__firmware_status", NOW, GET_REPORT,
     counter_out_of_step, -EIO, SAYS(SEV_AEAD_OFLOW), ANSWERED,
     .key_gone = true},
    {"step11__ghcb_error__passed_through", NOW, GET_REPORT, ghcb_error_4, 4,
     SAYS(UNANSWERED), ANSWERED, .key_gone = true},
    {"step15__sequence_number__ebadmsg", NOW, GET_REPORT, wrong_seqno, -EBADMSG,
     ANSWERED, .key_gone = true},
    {"step15__type__ebadmsg", NOW, GET_REPORT, wrong_type, -EBADMSG, ANSWERED,
     .key_gone = true},
    {"step15__version__ebadmsg", NOW, GET_REPORT, wrong_version, -EBADMSG,
     ANSWERED, .key_gone = true},
    {"step15__size__ebadmsg", NOW, GET_REPORT, wrong_size, -EBADMSG, ANSWERED,
     .key_gone = true},
    {"step15__algorithm__ebadmsg", NOW, GET_REPORT, wrong_algorithm, -EBADMSG,
     ANSWERED, .key_gone = true},
    {"step15__tag__ebadmsg", NOW, GET_KEY, wrong_tag, -EBADMSG, ANSWERED,
     .key_gone = true},
    {"step15__payload__ebadmsg", NOW, GET_EXT, wrong_payload, -EBADMSG,
     ANSWERED, .key_gone = true},
    {"step15__nothing_came__ebadmsg", NOW, GET_REPORT, dropped_response,
     -EBADMSG, ANSWERED, .key_gone = true},
    {"step16__certs_not_mapped__efault", NOW, GET_EXT, certs_not_mapped,
     -EFAULT, ANSWERED, .flags = DIRECT_ONLY},
    {"step16__certs_readonly__efault", NOW, GET_EXT, certs_readonly, -EFAULT,
     ANSWERED, .flags = DIRECT_ONLY},
    {"step17__response_not_mapped__efault", NOW, GET_REPORT, bad_resp, -EFAULT,
     ANSWERED, .flags = DIRECT_ONLY},
    {"step17__key_response_not_mapped__efault", NOW, GET_KEY, bad_resp, -EFAULT,
     ANSWERED, .flags = DIRECT_ONLY},
    {"step18__envelope_readonly__efault_instead", NOW, GET_REPORT,
     readonly_envelope_null_req, -EFAULT, UNTOUCHED},
    {"step19__report__delivered", NOW, GET_REPORT, as_it_is, 0,
     .writes = W_RESP, ANSWERED},
    {"step19__key__delivered", NOW, GET_KEY, as_it_is, 0, .writes = W_RESP,
     ANSWERED},
    {"step19__ext_report__delivered", NOW, GET_EXT, as_it_is, 0,
     .writes = W_RESP, ANSWERED},
    {"message__version_2_of_report__firmware_status", NOW, GET_REPORT,
     version_2, -EIO, SAYS(SEV_INVALID_PARAM), ANSWERED, .key_gone = true},
    {"message__version_2_of_key__delivered", NOW, GET_KEY, version_2, 0,
     .writes = W_RESP, ANSWERED},
    {"message__version_3_of_key__firmware_status", NOW, GET_KEY, version_3,
     -EIO, SAYS(SEV_INVALID_PARAM), ANSWERED, .key_gone = true},
    {"message__vmpl_4__in_the_response", NOW, GET_REPORT, vmpl_4, 0,
     .writes = W_RESP, ANSWERED},
    {"message__key_field_select_bit_7__in_the_response", NOW, GET_KEY,
     key_field_select_bit_7, 0, .writes = W_RESP, ANSWERED},
    /* §4.5 */
    {"exit__busy_three_times__delivered", NOW, GET_REPORT, busy_three_times, 0,
     .writes = W_RESP, .counted = 2, .exits = 4},
    {"exit__busy_for_ever__etimedout", NOW, GET_REPORT, busy_for_ever,
     -ETIMEDOUT, SAYS(VM_EXITINFO2_BUSY), .counted = 2, .exits = 31,
     .key_gone = true},
    {"exit__busy_then_firmware_status__eio", NOW, GET_REPORT,
     busy_then_firmware_0x16, -EIO, SAYS(SEV_INVALID_PARAM), .counted = 2,
     .exits = 2, .key_gone = true},
    {"exit__firmware_status__eio", NOW, GET_REPORT, firmware_0x13, -EIO,
     SAYS(SEV_HWERROR_PLATFORM), ANSWERED, .key_gone = true},
    {"exit__firmware_status_of_ext__eio", NOW, GET_EXT, firmware_0x13, -EIO,
     SAYS(SEV_HWERROR_PLATFORM), ANSWERED, .key_gone = true},
    {"exit__invalid_len_of_plain__key_kept", NOW, GET_REPORT, invalid_len, -EIO,
     SAYS(TOO_SHORT), ANSWERED},
    {"exit__generic__eio", NOW, GET_REPORT, generic, -EIO,
     SAYS(VM_EXITINFO2_GENERIC), ANSWERED, .key_gone = true},
    {"exit__unknown_code__eio", NOW, GET_KEY, unknown_code, -EIO,
     SAYS(0x0000000700000005), ANSWERED, .key_gone = true},
    {"exit__short_then_firmware_status__key_kept", NOW, GET_EXT,
     certs_short_then_firmware_0x16, -EIO, SHORT(0x2000), .counted = 2,
     .exits = 2},
    {"exit__short_then_busy__eio", NOW, GET_EXT, certs_short_then_busy, -EIO,
     SHORT(0x2000), .counted = 2, .exits = 4},
    {"exit__short_then_busy_for_ever__etimedout", NOW, GET_EXT,
     certs_short_then_busy_for_ever, -ETIMEDOUT, SHORT(0x2000), .counted = 2,
     .exits = 32, .key_gone = true},
    /* §4.7 */
    {"certs__none_wanted_none_there__delivered", NOW, GET_EXT, as_it_is, 0,
     .writes = W_RESP, ANSWERED},
    {"certs__query__eio_and_length", NOW, GET_EXT, certs_wanted_not_offered,
     -EIO, SHORT(0x2000), .counted = 2, .exits = 2},
    {"certs__query_with_all_ones__eio_and_length", NOW, GET_EXT,
     certs_query_all_ones, -EIO, SHORT(0x2000), .counted = 2, .exits = 2},
    {"certs__length_without_address__eio_and_length", NOW, GET_EXT,
     certs_length_without_address, -EIO, SHORT(0x2000), .counted = 2,
     .exits = 2},
    {"certs__fit__delivered", NOW, GET_EXT, certs_fit, 0,
     .writes = W_RESP | W_CERTS, ANSWERED},
    {"certs__fit_with_room__delivered", NOW, GET_EXT, certs_fit_with_room, 0,
     .writes = W_RESP | W_CERTS, ANSWERED},
    {"certs__exactly_full__delivered", NOW, GET_EXT, certs_exactly_full, 0,
     .writes = W_RESP | W_CERTS, ANSWERED},
    {"certs__too_large__eio_and_length", NOW, GET_EXT, certs_too_large, -EIO,
     SHORT(0x2000), .counted = 2, .exits = 2},
    {"certs__never_fit__eio_and_length", NOW, GET_EXT, certs_never_fit, -EIO,
     SHORT(0x5000), .counted = 2, .exits = 2},
    {"certs__none_there__zeros", NOW, GET_EXT, no_certs_offered, 0,
     .writes = W_RESP | W_CERTS, ANSWERED},
    {"certs__request_readonly__efault", NOW, GET_EXT, certs_short_req_readonly,
     -EFAULT, SAYS(TOO_SHORT), .counted = 2, .exits = 2, .flags = DIRECT_ONLY},
    /* §4.8: up to 6.12 the key is looked at first */
    {"era6_3__key_gone__enotty_nothing_written", SEV_GUEST_6_3, GET_REPORT,
     key_gone, -ENOTTY, .key_gone = true},
    {"era6_3__key_gone_before_step4__enotty", SEV_GUEST_6_3, GET_REPORT,
     key_gone_unknown_request, -ENOTTY, .key_gone = true},
    {"era6_3__key_gone_before_step6__enotty", SEV_GUEST_6_3, GET_REPORT,
     key_gone_bad_req, -ENOTTY, .key_gone = true},
    {"era6_3__key_gone_after_step3__einval", SEV_GUEST_6_3, GET_REPORT,
     key_gone_version_0, -EINVAL, .key_gone = true},
    {"era6_3__unknown_request__enotty", SEV_GUEST_6_3, GET_REPORT,
     unknown_request, -ENOTTY, REFUSED},
    {"era6_3__query__eio_and_length", SEV_GUEST_6_3, GET_EXT,
     certs_wanted_not_offered, -EIO, SHORT(0x2000), .counted = 2, .exits = 2},
    {"era6_3__busy__waited_out", SEV_GUEST_6_3, GET_REPORT, busy_three_times, 0,
     .writes = W_RESP, .counted = 2, .exits = 4},
    {"era6_3__ghcb_error__passed_through", SEV_GUEST_6_3, GET_REPORT,
     ghcb_error_4, 4, SAYS(UNANSWERED), ANSWERED, .key_gone = true},
    {"era6_3__report__delivered", SEV_GUEST_6_3, GET_REPORT, as_it_is, 0,
     .writes = W_RESP, ANSWERED},
    /* 6.1: errors wipe the key, the query succeeds */
    {"era6_1__query__success_with_report", SEV_GUEST_6_1, GET_EXT,
     certs_wanted_not_offered, 0, .writes = W_ENVELOPE | W_REQ | W_RESP,
     .exitinfo2 = TOO_SHORT, .certs_len = 0x2000, .counted = 2, .exits = 2},
    {"era6_1__too_large__success_without_certs", SEV_GUEST_6_1, GET_EXT,
     certs_too_large, 0, .writes = W_ENVELOPE | W_REQ | W_RESP,
     .exitinfo2 = TOO_SHORT, .certs_len = 0x2000, .counted = 2, .exits = 2},
    {"era6_1__fit__delivered", SEV_GUEST_6_1, GET_EXT, certs_fit, 0,
     .writes = W_RESP | W_CERTS, ANSWERED},
    {"era6_1__short_then_firmware_status__key_wiped", SEV_GUEST_6_1, GET_EXT,
     certs_short_then_firmware_0x16, -EIO, SHORT(0x2000), .exits = 2,
     .key_gone = true},
    {"era6_1__short_then_bad_answer__ebadmsg", SEV_GUEST_6_1, GET_EXT,
     certs_short_then_bad_answer, -EBADMSG, SHORT(0x2000), .exits = 2,
     .key_gone = true},
    {"era6_1__busy__eio_and_key_wiped", SEV_GUEST_6_1, GET_REPORT,
     busy_three_times, -EIO, SAYS(VM_EXITINFO2_BUSY), .exits = 1,
     .key_gone = true},
    {"era6_1__firmware_status__key_wiped", SEV_GUEST_6_1, GET_REPORT,
     firmware_0x13, -EIO, SAYS(SEV_HWERROR_PLATFORM), .exits = 1,
     .key_gone = true},
    {"era6_1__invalid_len_of_plain__key_wiped", SEV_GUEST_6_1, GET_REPORT,
     invalid_len, -EIO, SAYS(TOO_SHORT), .exits = 1, .key_gone = true},
    {"era6_1__key_gone__nothing_written", SEV_GUEST_6_1, GET_KEY, key_gone,
     -ENOTTY, .key_gone = true},
    {"era6_1__bad_answer__ebadmsg", SEV_GUEST_6_1, GET_REPORT, wrong_tag,
     -EBADMSG, .exits = 1, .key_gone = true},
    {"era6_1__report__delivered", SEV_GUEST_6_1, GET_REPORT, as_it_is, 0,
     .writes = W_RESP, ANSWERED},
    /* 5.19: errors leave key and counter alone */
    {"era5_19__query__eio_and_length_no_resend", SEV_GUEST_5_19, GET_EXT,
     certs_wanted_not_offered, -EIO, SHORT(0x2000), .exits = 1},
    {"era5_19__firmware_status__key_and_counter_kept", SEV_GUEST_5_19,
     GET_REPORT, firmware_0x13, -EIO, SAYS(SEV_HWERROR_PLATFORM), .exits = 1},
    {"era5_19__busy__eio", SEV_GUEST_5_19, GET_REPORT, busy_three_times, -EIO,
     SAYS(VM_EXITINFO2_BUSY), .exits = 1},
    {"era5_19__ghcb_error__key_kept", SEV_GUEST_5_19, GET_REPORT, ghcb_error_4,
     4, REFUSED, .exits = 1},
    {"era5_19__bad_answer__key_wiped", SEV_GUEST_5_19, GET_REPORT, wrong_tag,
     -EBADMSG, .exits = 1, .key_gone = true},
    {"era5_19__counter_at_the_end__eio", SEV_GUEST_5_19, GET_REPORT,
     counter_at_the_end, -EIO, REFUSED},
    {"era5_19__key_gone__nothing_written", SEV_GUEST_5_19, GET_REPORT, key_gone,
     -ENOTTY, .key_gone = true},
    {"era5_19__fit__delivered", SEV_GUEST_5_19, GET_EXT, certs_fit, 0,
     .writes = W_RESP | W_CERTS, ANSWERED},
    {"era5_19__report__delivered", SEV_GUEST_5_19, GET_REPORT, as_it_is, 0,
     .writes = W_RESP, ANSWERED},
};

#define ROW_COUNT (sizeof(ROWS) / sizeof(ROWS[0]))

/* --- what is checked ---------------------------------------------------- */

static void check_envelope(const struct row *row, const struct client *before,
                           const struct client *now)
{
    assert_memory_equal(now->envelope, before->envelope, 24);
    if ((row->writes & W_ENVELOPE) != 0) {
        assert_true(get64(now->envelope + 24) == row->exitinfo2);
    } else {
        assert_true(get64(now->envelope + 24) == OLD_EXITINFO2);
    }
}

static void check_req(const struct row *row, const struct client *before,
                      const struct client *now)
{
    assert_memory_equal(now->req, before->req, 104);
    assert_memory_equal(now->req + 108, before->req + 108, 4);
    assert_int_equal(get32(now->req + 104), (row->writes & W_REQ) != 0
                                                ? row->certs_len
                                                : get32(before->req + 104));
}

static bool is_fill(const uint8_t *p, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (p[i] != FILL) {
            return false;
        }
    }
    return true;
}

static void check_resp(const struct row *row, const struct client *now)
{
    size_t size = row->request == GET_KEY ? 64 : 4000;
    size_t used = row->request == GET_KEY ? 64 : 0x4c0;

    if ((row->writes & W_RESP) == 0) {
        size = 0;
    } else {
        assert_true(psp_all_zero(now->resp + used, size - used));
    }
    assert_true(is_fill(now->resp + size, sizeof(now->resp) - size));
}

/* Certificates are 0x42 as far as they reach, then zeros to the offered end. */
static void check_certs(const struct row *row, const struct client *now)
{
    size_t size = 0, used = 0;

    if ((row->writes & W_CERTS) != 0) {
        size = get32(now->req + 104);
        while (used < size && now->certs[used] == 0x42) {
            used++;
        }
        assert_true(used == 0 || used == 5000 || used == 0x4000);
        assert_true(psp_all_zero(now->certs + used, size - used));
    }
    assert_true(is_fill(now->certs + size, sizeof(now->certs) - size));
}

static void check_row(const struct row *row, struct guest *g,
                      const struct client *before, uint32_t counter)
{
    check_envelope(row, before, &g->client);
    check_req(row, before, &g->client);
    check_resp(row, &g->client);
    check_certs(row, &g->client);
    assert_false(g->ua.broke_plan);
    if (g->ua.retry && (row->flags & DIRECT_ONLY) != 0) {
        return;
    }
    assert_int_equal(g->script.exits, row->exits);
    assert_int_equal(guest_counter(g, 0) - counter, row->counted);
    assert_int_equal(guest_key_gone(g, 0), row->key_gone);
}

/* Client memory after the row; the retry run of DIRECT_ONLY rows ends early,
 * with the same errno and without writing. */
static struct client run_row(const struct row *row, bool retry)
{
    struct guest *g = guest_new(row->era, row->request);
    struct row expect = *row;
    struct client before, after;
    uint32_t counter;

    row->arrange(g);
    g->ua.retry = retry;
    if (retry && (row->flags & DIRECT_ONLY) != 0) {
        expect.writes = 0;
    }
    before = g->client;
    counter = guest_counter(g, 0);
    assert_int_equal(guest_ioctl(g), row->result);
    check_row(&expect, g, &before, counter);
    after = g->client;
    guest_free(g);
    return after;
}

static void test_row(void **state)
{
    const struct row *row = *state;
    struct client direct = run_row(row, false);
    struct client retry = run_row(row, true);

    if ((row->flags & DIRECT_ONLY) == 0) {
        assert_memory_equal(&direct, &retry, sizeof(direct));
    }
}

int main(void)
{
    static struct CMUnitTest tests[ROW_COUNT];

    for (size_t i = 0; i < ROW_COUNT; i++) {
        const struct row *row = &ROWS[i];

        tests[i].name = row->name;
        tests[i].test_func = test_row;
        memcpy(&tests[i].initial_state, &row, sizeof(row));
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
