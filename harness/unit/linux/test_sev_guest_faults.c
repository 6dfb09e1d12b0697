/* SPDX-License-Identifier: Apache-2.0 */
/* What the driver makes of each fault of a plan: errno, exitinfo2, the fate of
 * its key. abi/linux.md §4.4, §4.5 */
#include "guest_fixture.h"

#include "fault_guest.h"
#include "spec.h"

#include <errno.h>
#include <pthread.h>

#define NOW SEV_GUEST_6_13

#define LINES_MAX 8192

struct rig {
    struct guest *g;
    struct fault_plan *plan;
    struct fault_guest *faults;
    char lines[LINES_MAX]; /* the faults applied, each with a newline */
    unsigned int host_slept_ms;
};

static void note(void *ctx, const char *line)
{
    struct rig *r = ctx;
    size_t n = strlen(r->lines);

    assert_true(n + strlen(line) + 2 < sizeof(r->lines));
    (void)sprintf(r->lines + n, "%s\n", line);
}

static void host_sleep(void *ctx, unsigned int ms)
{
    struct rig *r = ctx;

    r->host_slept_ms += ms;
}

static struct fault_plan *plan_of(const char *json)
{
    char error[FAULT_ERROR_SIZE];
    struct fault_plan *plan = NULL;

    if (fault_plan_parse(json, strlen(json), &plan, error) != 0) {
        fail_msg("%s", error);
    }
    return plan;
}

static void rig_follow(struct rig *r, struct guest *g, struct fault_plan *plan)
{
    const struct fault_config config = {
        .applied = note, .sleep_ms = host_sleep, .ctx = r};

    *r = (struct rig){.g = g, .plan = plan};
    assert_int_equal(fault_guest_new(plan, g->vm, &config, &r->faults), 0);
    vm_set_request_hook(g->vm, fault_guest_hook, r->faults);
}

static void rig_new(struct rig *r, enum sev_guest_era era, uint32_t request,
                    const char *json)
{
    rig_follow(r, guest_new(era, request), plan_of(json));
}

static void rig_free(struct rig *r)
{
    guest_free(r->g);
    fault_guest_free(r->faults);
    fault_plan_free(r->plan);
}

static uint64_t exitinfo2(const struct rig *r)
{
    return get64(r->g->client.envelope + 24);
}

static int64_t ask(struct rig *r, uint32_t request)
{
    guest_prepare(r->g, request);
    return guest_ioctl(r->g);
}

static size_t count_lines(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++) {
        n += *text == '\n';
    }
    return n;
}

/* --- the second report request is hit --- */

struct reaction {
    const char *name;
    const char *fault; /* beside "when" */
    int result;
    uint64_t exitinfo2; /* OLD_EXITINFO2: not written */
    bool key_gone;
    const char *line; /* after "request 2 of guest: " */
};

static const struct reaction REACTIONS[] = {
    {"flip__payload_of_the_response__ebadmsg",
     "\"flip\", \"offset\": 96, \"bits\": 1", -EBADMSG, OLD_EXITINFO2, true,
     "flip response, byte 0x60, bits 0x01"},
    {"flip__tag_of_the_response__ebadmsg",
     "\"flip\", \"offset\": 0, \"bits\": 128", -EBADMSG, OLD_EXITINFO2, true,
     "flip response, byte 0x0, bits 0x80"},
    {"flip__last_byte_beyond_the_message__unnoticed",
     "\"flip\", \"offset\": 4095, \"bits\": 1", 0, OLD_EXITINFO2, false,
     "flip response, byte 0xfff, bits 0x01"},
    {"flip__by_chance__ebadmsg", "\"flip\"", -EBADMSG, OLD_EXITINFO2, true,
     "flip response, byte 0x"},
    {"flip__payload_of_the_request__bad_measurement",
     "\"flip\", \"part\": \"request\", \"offset\": 96, \"bits\": 1", -EIO,
     SEV_BAD_MEASUREMENT, true, "flip request, byte 0x60, bits 0x01"},
    {"truncate__header_alone__ebadmsg", "\"truncate\", \"size\": 96", -EBADMSG,
     OLD_EXITINFO2, true, "truncate response to 96 bytes"},
    {"truncate__nothing_left__ebadmsg", "\"truncate\", \"size\": 0", -EBADMSG,
     OLD_EXITINFO2, true, "truncate response to 0 bytes"},
    {"truncate__padding_alone__unnoticed", "\"truncate\", \"size\": 4000", 0,
     OLD_EXITINFO2, false, "truncate response to 4000 bytes"},
    {"replay__earlier_response__ebadmsg", "\"replay\"", -EBADMSG, OLD_EXITINFO2,
     true, "replay response, 1 back"},
    {"replay__earlier_request__aead_oflow", "\"replay\", \"part\": \"request\"",
     -EIO, SEV_AEAD_OFLOW, true, "replay request, 1 back"},
    {"replay__further_back_than_there_are__unchanged",
     "\"replay\", \"back\": 2", 0, OLD_EXITINFO2, false,
     "replay response: there is none yet"},
    {"substitute__zeros__ebadmsg", "\"substitute\"", -EBADMSG, OLD_EXITINFO2,
     true, "substitute response by zeros"},
    {"zero_response__ebadmsg", "\"zero-response\"", -EBADMSG, OLD_EXITINFO2,
     true, "zero-response"},
    {"swap_seqno__response__ebadmsg", "\"swap-seqno\"", -EBADMSG, OLD_EXITINFO2,
     true, "swap-seqno response, 0x3"},
    {"swap_seqno__request__bad_measurement",
     "\"swap-seqno\", \"part\": \"request\"", -EIO, SEV_BAD_MEASUREMENT, true,
     "swap-seqno request, 0x4"},
    {"drop__ebadmsg", "\"drop\"", -EBADMSG, OLD_EXITINFO2, true,
     "drop, exitinfo2 0x0"},
    {"reorder__nobody_after__ebadmsg", "\"reorder\"", -EBADMSG, OLD_EXITINFO2,
     true, "reorder, nothing instead"},
    {"vmm_error__generic__eio", "\"vmm-error\", \"error\": \"GENERIC\"", -EIO,
     VM_EXITINFO2_GENERIC, true, "vmm-error, exitinfo2 0x8000000000000000"},
    {"vmm_error__any_number__eio",
     "\"vmm-error\", \"error\": \"0xabc00000000\"", -EIO, 0xabc00000000, true,
     "vmm-error, exitinfo2 0xabc00000000"},
    {"vmm_error__invalid_len_on_a_plain_request__eio_key_kept",
     "\"vmm-error\", \"error\": \"INVALID_LEN\"", -EIO,
     VM_EXITINFO2_INVALID_LEN, false, "vmm-error, exitinfo2 0x100000000"},
    {"vmm_error__busy_once__answered", "\"vmm-error\", \"error\": \"BUSY\"", 0,
     OLD_EXITINFO2, false, "vmm-error, exitinfo2 0x200000000"},
    {"firmware_error__by_name__eio",
     "\"firmware-error\", \"status\": \"RESOURCE_LIMIT\"", -EIO,
     SEV_RESOURCE_LIMIT, true, "firmware-error, exitinfo2 0x17"},
    {"firmware_error__by_number__eio",
     "\"firmware-error\", \"status\": \"0xffff\"", -EIO, 0xffff, true,
     "firmware-error, exitinfo2 0xffff"},
    {"ghcb_error__positive_result", "\"ghcb-error\", \"code\": 2", 2,
     UINT64_MAX, true, "ghcb-error, 2"},
    {"substitute__request_by_zeros__invalid_param",
     "\"substitute\", \"part\": \"request\"", -EIO, SEV_INVALID_PARAM, true,
     "substitute request by zeros"},
    {"substitute__guest_that_is_not_there__zeros",
     "\"substitute\", \"from\": \"nobody\"", -EBADMSG, OLD_EXITINFO2, true,
     "substitute response by zeros"},
    {"truncate__request__bad_measurement",
     "\"truncate\", \"part\": \"request\", \"size\": 97", -EIO,
     SEV_BAD_MEASUREMENT, true, "truncate request to 97 bytes"},
    {"delay__answered", "\"delay\", \"ms\": 10000", 0, OLD_EXITINFO2, false,
     "delay, 10000 ms"},
    {"busy__three_times__answered", "\"busy\", \"times\": 3", 0, OLD_EXITINFO2,
     false, "busy, exitinfo2 0x200000000"},
    {"busy__longer_than_linux_waits__etimedout", "\"busy\", \"times\": 100",
     -ETIMEDOUT, VM_EXITINFO2_BUSY, true, "busy, exitinfo2 0x200000000"},
};
#define REACTION_COUNT (sizeof(REACTIONS) / sizeof(REACTIONS[0]))

static void reaction_row(void **state)
{
    const struct reaction *c = *state;
    char json[256], line[128];
    struct rig r;

    (void)snprintf(json, sizeof(json),
                   "{\"seed\": \"s\", \"faults\": [{\"when\": {\"request\": "
                   "2}, \"do\": %s}]}",
                   c->fault);
    (void)snprintf(line, sizeof(line), "request 2 of guest: %s", c->line);
    rig_new(&r, NOW, GET_REPORT, json);
    assert_int_equal(ask(&r, GET_REPORT), 0);
    assert_string_equal(r.lines, "");
    assert_int_equal(ask(&r, GET_REPORT), c->result);
    assert_true(exitinfo2(&r) == c->exitinfo2);
    if (strncmp(r.lines, line, strlen(line)) != 0) {
        fail_msg("%s", r.lines);
    }
    assert_int_equal(guest_key_gone(r.g, 0), c->key_gone);
    if (c->result != 0) { /* nothing came of it */
        assert_int_equal(r.g->client.resp[0], FILL);
    }
    /* A kept key helps no more when the driver counted and the firmware did
     * not. */
    assert_int_equal(ask(&r, GET_REPORT), c->key_gone         ? -ENOTTY
                                          : c->result == -EIO ? -EIO
                                                              : 0);
    rig_free(&r);
}

static void busy__three_times__slept_six_seconds(void **state)
{
    struct rig r;

    (void)state;
    rig_new(&r, NOW, GET_REPORT,
            "{\"faults\": [{\"when\": {\"every\": 2}, \"do\": \"busy\", "
            "\"times\": 3}]}");
    assert_int_equal(ask(&r, GET_REPORT), 0);
    assert_int_equal(r.g->slept_ms, 0);
    assert_int_equal(ask(&r, GET_REPORT), 0);
    assert_int_equal(r.g->slept_ms, 6000);
    assert_int_equal(guest_counter(r.g, 0), 4);
    assert_int_equal(ask(&r, GET_REPORT), 0); /* resends were not counted */
    assert_int_equal(r.g->slept_ms, 6000);
    assert_int_equal(ask(&r, GET_REPORT), 0);
    assert_int_equal(r.g->slept_ms, 12000);
    rig_free(&r);
}

static void delay__the_host_sleeps_not_the_driver(void **state)
{
    struct rig r;

    (void)state;
    rig_new(&r, NOW, GET_REPORT,
            "{\"faults\": [{\"when\": {\"every\": 1}, \"do\": \"delay\", "
            "\"ms\": 7}]}");
    assert_int_equal(ask(&r, GET_REPORT), 0);
    assert_int_equal(ask(&r, GET_KEY), 0);
    assert_int_equal(r.host_slept_ms, 14);
    assert_int_equal(r.g->sleeps, 0);
    rig_free(&r);
}

static void certs_too_small__first_of_two__asks_again(void **state)
{
    struct rig r;

    (void)state;
    rig_new(&r, NOW, GET_EXT,
            "{\"faults\": [{\"when\": {\"request\": 1}, \"do\": "
            "\"certs-too-small\", \"pages\": 3}]}");
    guest_set_certs(r.g, 4096);
    guest_prepare(r.g, GET_EXT);
    guest_offer(r.g, CERTS_ADDR, 4096);
    assert_int_equal(guest_ioctl(r.g), -EIO);
    assert_true(exitinfo2(&r) == VM_EXITINFO2_INVALID_LEN);
    assert_int_equal(get32(r.g->client.req + 104), 3 * 4096);
    assert_false(guest_key_gone(r.g, 0));
    assert_int_equal(guest_counter(r.g, 0), 2);
    guest_prepare(r.g, GET_EXT);
    guest_offer(r.g, CERTS_ADDR, 3 * 4096);
    assert_int_equal(guest_ioctl(r.g), 0);
    assert_int_equal(r.g->client.certs[0], 0x42);
    assert_string_equal(
        r.lines,
        "request 1 of guest: certs-too-small, exitinfo2 0x100000000\n");
    rig_free(&r);
}

static void certs_too_small__no_pages_given__one_more_than_offered(void **state)
{
    struct rig r;

    (void)state;
    rig_new(&r, NOW, GET_EXT,
            "{\"faults\": [{\"when\": {\"every\": 1}, \"do\": "
            "\"certs-too-small\"}]}");
    assert_int_equal(ask(&r, GET_REPORT), 0); /* has no certificates */
    guest_prepare(r.g, GET_EXT);
    guest_offer(r.g, CERTS_ADDR, 2 * 4096);
    assert_int_equal(guest_ioctl(r.g), -EIO);
    assert_int_equal(get32(r.g->client.req + 104), 3 * 4096);
    rig_free(&r);
}

/* Nothing authenticates certificates: the program gets them as they come. */
static void certs__flipped_and_truncated__delivered(void **state)
{
    struct rig r;

    (void)state;
    rig_new(&r, NOW, GET_EXT,
            "{\"faults\": [{\"when\": {\"request\": 1}, \"do\": \"flip\", "
            "\"part\": \"certs\", \"offset\": 4097, \"bits\": 1}, {\"when\": "
            "{\"request\": 2}, \"do\": \"truncate\", \"part\": \"certs\", "
            "\"size\": 100}]}");
    guest_set_certs(r.g, 2 * 4096);
    guest_offer(r.g, CERTS_ADDR, 2 * 4096);
    assert_int_equal(guest_ioctl(r.g), 0);
    assert_int_equal(r.g->client.certs[4096], 0x42);
    assert_int_equal(r.g->client.certs[4097], 0x43);
    guest_prepare(r.g, GET_EXT);
    guest_offer(r.g, CERTS_ADDR, 2 * 4096);
    assert_int_equal(guest_ioctl(r.g), 0);
    assert_int_equal(r.g->client.certs[99], 0x42);
    assert_true(psp_all_zero(r.g->client.certs + 100, 2 * 4096 - 100));
    assert_int_equal(r.g->client.certs[2 * 4096], FILL);
    rig_free(&r);
}

/* The fault waits for the response, which comes with the second exit. Linux 6.1
 * opens it; later kernels throw it away. */
static void flip__request_sent_twice__hits_the_response(void **state)
{
    static const enum sev_guest_era eras[] = {SEV_GUEST_6_1, NOW};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct rig r;

        rig_new(&r, eras[i], GET_EXT,
                "{\"faults\": [{\"when\": {\"request\": 1}, \"do\": "
                "\"flip\"}]}");
        guest_set_certs(r.g, 4096);
        assert_int_equal(ask(&r, GET_EXT), i == 0 ? -EBADMSG : -EIO);
        assert_non_null(strstr(r.lines, "request 1 of guest: flip response"));
        assert_int_equal(guest_key_gone(r.g, 0), i == 0);
        rig_free(&r);
    }
}

static void when__exit__others_pass_and_are_not_counted(void **state)
{
    struct rig r;

    (void)state;
    rig_new(&r, NOW, GET_REPORT,
            "{\"faults\": [{\"when\": {\"request\": 2, \"exit\": "
            "\"ext-guest-request\"}, \"do\": \"firmware-error\", \"status\": "
            "\"INVALID_PARAM\"}]}");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(&r, GET_REPORT), 0);
    }
    guest_prepare(r.g, GET_EXT);
    guest_offer(r.g, 0, 0);
    assert_int_equal(guest_ioctl(r.g), 0);
    assert_int_equal(ask(&r, GET_KEY), 0);
    guest_prepare(r.g, GET_EXT);
    guest_offer(r.g, 0, 0);
    assert_int_equal(guest_ioctl(r.g), -EIO);
    assert_true(exitinfo2(&r) == SEV_INVALID_PARAM);
    assert_string_equal(r.lines,
                        "request 6 of guest: firmware-error, exitinfo2 0x16\n");
    rig_free(&r);
}

static void when__two_faults_are_due__the_first_alone(void **state)
{
    struct rig r;

    (void)state;
    rig_new(&r, NOW, GET_REPORT,
            "{\"faults\": [{\"when\": {\"every\": 1}, \"do\": \"delay\", "
            "\"ms\": 1}, {\"when\": {\"every\": 1}, \"do\": \"drop\"}]}");
    assert_int_equal(ask(&r, GET_REPORT), 0);
    assert_string_equal(r.lines, "request 1 of guest: delay, 1 ms\n");
    rig_free(&r);
}

/* Linux 5.19: the key outlives what the host says, but not a bad response. */
static void era_5_19__errors_keep_the_key__bad_response_does_not(void **state)
{
    struct rig r;

    (void)state;
    rig_new(&r, SEV_GUEST_5_19, GET_REPORT,
            "{\"faults\": [{\"when\": {\"request\": 1}, \"do\": \"busy\"}, "
            "{\"when\": {\"request\": 2}, \"do\": \"vmm-error\", \"error\": "
            "\"GENERIC\"}, {\"when\": {\"request\": 3}, \"do\": \"drop\"}]}");
    assert_int_equal(ask(&r, GET_REPORT), -EIO);
    assert_true(exitinfo2(&r) == VM_EXITINFO2_BUSY);
    assert_int_equal(ask(&r, GET_REPORT), 0); /* same bytes: same request */
    assert_int_equal(ask(&r, GET_REPORT), -EIO);
    assert_int_equal(ask(&r, GET_REPORT), -EBADMSG);
    assert_int_equal(ask(&r, GET_REPORT), -ENOTTY);
    rig_free(&r);
}

/* --- more than one driver, more than one guest --- */

static void reorder__two_drivers__each_refuses_the_others(void **state)
{
    const struct sev_guest_config config = {.era = NOW, .vmpck_id = 1};
    struct sev_guest_dev *other = NULL;
    struct rig r;

    (void)state;
    rig_new(&r, NOW, GET_REPORT,
            "{\"faults\": [{\"when\": {\"request\": 1}, \"do\": "
            "\"reorder\"}]}");
    assert_int_equal(sev_guest_probe(r.g->vm, &config, &other), 0);
    assert_int_equal(ask(&r, GET_REPORT), -EBADMSG);
    r.g->node = sev_guest_chardev(other);
    assert_int_equal(ask(&r, GET_REPORT), -EBADMSG);
    assert_true(guest_key_gone(r.g, 0));
    assert_true(guest_key_gone(r.g, 1));
    assert_string_equal(
        r.lines, "request 1 of guest: reorder, nothing instead\n"
                 "request 2 of guest: reorder, the response held back instead "
                 "of its own\n");
    sev_guest_remove(other);
    rig_free(&r);
}

static struct guest *named(struct machine *m, const char *name)
{
    char json[64], error[SPEC_ERROR_SIZE];
    struct vm_spec spec;
    struct guest *g;

    (void)snprintf(json, sizeof(json), "{\"name\": \"%s\"}", name);
    assert_int_equal(vm_spec_parse(json, strlen(json), NULL, machine_profile(m),
                                   &spec, error),
                     0);
    g = guest_launch(m, &spec, NOW, GET_REPORT);
    vm_spec_clear(&spec);
    return g;
}

static void substitute__response_of_another_guest__ebadmsg(void **state)
{
    struct machine *m = guest_machine("milan", PKI_DEV_SEED);
    struct fault_plan *plan =
        plan_of("{\"faults\": [{\"when\": {\"every\": 1, \"guest\": \"a\"}, "
                "\"do\": \"substitute\", \"from\": \"b\"}]}");
    struct rig a, b;

    (void)state;
    rig_follow(&a, named(m, "a"), plan);
    rig_follow(&b, named(m, "b"), plan);
    assert_int_equal(ask(&b, GET_REPORT), 0);
    assert_int_equal(ask(&a, GET_REPORT), -EBADMSG);
    assert_string_equal(a.lines,
                        "request 1 of a: substitute response by one of b\n");
    assert_int_equal(ask(&b, GET_REPORT), 0);
    assert_string_equal(b.lines, "");
    guest_end(a.g);
    guest_end(b.g);
    fault_guest_free(a.faults);
    fault_guest_free(b.faults);
    fault_plan_free(plan);
    machine_destroy(m);
}

#define THREAD_REQUESTS 40

static void *many_requests(void *rig)
{
    for (int i = 0; i < THREAD_REQUESTS; i++) {
        if (ask(rig, GET_REPORT) != 0) {
            return rig;
        }
    }
    return NULL;
}

static void threads__two_guests_one_plan__each_has_its_own_count(void **state)
{
    struct machine *m = guest_machine("milan", PKI_DEV_SEED);
    struct fault_plan *plan =
        plan_of("{\"faults\": [{\"when\": {\"every\": 4}, \"do\": \"busy\"}]}");
    static struct rig r[2];
    pthread_t threads[2];
    void *result;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        rig_follow(&r[i], named(m, i == 0 ? "a" : "b"), plan);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(
            pthread_create(&threads[i], NULL, many_requests, &r[i]), 0);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_null(result);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(count_lines(r[i].lines), THREAD_REQUESTS / 4);
        assert_int_equal(r[i].g->sleeps, THREAD_REQUESTS / 4);
        guest_end(r[i].g);
        fault_guest_free(r[i].faults);
    }
    fault_plan_free(plan);
    machine_destroy(m);
}

/* --- chance --- */

#define SESSION 64

/* Reports under a plan of chance that never costs the key: bytes and faults. */
static void session(struct rig *r, const char *seed,
                    uint8_t out[SESSION][RESP_ROOM])
{
    char json[256];

    (void)snprintf(json, sizeof(json),
                   "{\"seed\": \"%s\", \"faults\": [{\"when\": "
                   "{\"probability\": \"0.25\"}, \"do\": \"flip\", "
                   "\"offset\": 4095}, {\"when\": {\"probability\": "
                   "\"0.25\"}, \"do\": \"busy\"}]}",
                   seed);
    rig_new(r, NOW, GET_REPORT, json);
    for (size_t i = 0; i < SESSION; i++) {
        assert_int_equal(ask(r, GET_REPORT), 0);
        memcpy(out[i], r->g->client.resp, RESP_ROOM);
    }
}

static void chance__same_seed__same_faults_and_bytes(void **state)
{
    static uint8_t first[SESSION][RESP_ROOM], second[SESSION][RESP_ROOM];
    static struct rig a, b, c;

    (void)state;
    session(&a, "one", first);
    session(&b, "one", second);
    assert_string_equal(a.lines, b.lines);
    assert_memory_equal(first, second, sizeof(first));
    session(&c, "two", second);
    assert_string_not_equal(a.lines, c.lines);
    /* 64 requests, 1 - 0.75^2 of them hit: 28 and a wide margin. */
    assert_in_range(count_lines(a.lines), 12, 44);
    rig_free(&a);
    rig_free(&b);
    rig_free(&c);
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(busy__three_times__slept_six_seconds),
        cmocka_unit_test(delay__the_host_sleeps_not_the_driver),
        cmocka_unit_test(certs_too_small__first_of_two__asks_again),
        cmocka_unit_test(
            certs_too_small__no_pages_given__one_more_than_offered),
        cmocka_unit_test(certs__flipped_and_truncated__delivered),
        cmocka_unit_test(flip__request_sent_twice__hits_the_response),
        cmocka_unit_test(when__exit__others_pass_and_are_not_counted),
        cmocka_unit_test(when__two_faults_are_due__the_first_alone),
        cmocka_unit_test(era_5_19__errors_keep_the_key__bad_response_does_not),
        cmocka_unit_test(reorder__two_drivers__each_refuses_the_others),
        cmocka_unit_test(substitute__response_of_another_guest__ebadmsg),
        cmocka_unit_test(threads__two_guests_one_plan__each_has_its_own_count),
        cmocka_unit_test(chance__same_seed__same_faults_and_bytes),
    };
    size_t count = sizeof(others) / sizeof(others[0]);
    struct CMUnitTest
        tests[REACTION_COUNT + sizeof(others) / sizeof(others[0])];

    for (size_t i = 0; i < REACTION_COUNT; i++) {
        union {
            const struct reaction *in;
            void *out;
        } row = {.in = &REACTIONS[i]};

        tests[i] = (struct CMUnitTest){REACTIONS[i].name, reaction_row, NULL,
                                       NULL, row.out};
    }
    memcpy(tests + REACTION_COUNT, others, count * sizeof(others[0]));
    return cmocka_run_group_tests_name("sev_guest_faults", tests, NULL, NULL);
}
