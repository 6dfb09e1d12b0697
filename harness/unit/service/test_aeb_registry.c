/* SPDX-License-Identifier: Apache-2.0 */
/* The broker's view of who has which handle: a daemon that answers from a list,
 * also one that restarts, stalls and talks nonsense; and what the broker makes
 * of a handle that became another guest's. abi/aeb.md §8.2, T7. */
#include "aeb_broker.h"
#include "aeb_registry.h"
#include "control_script.h"
#include "tst.h"
#include "monotonic.h"

#include <errno.h>
#include <sys/socket.h>

static struct aeb_registry *open_registry(void)
{
    char error[AEB_REGISTRY_ERROR];
    struct aeb_registry *r = NULL;

    assert_int_equal(aeb_registry_open(control_script_path(), &r, error), 0);
    return r;
}

#define SHOWN CONTROL_SHOWN
#define NOBODY                                                                 \
    "\"ok\":false,\"error\":{\"code\":\"ENOENT\",\"text\":\"no guest\"}"

/* ---- asking ---- */

static void get__shown__handle_and_generation(void **state)
{
    static const char *const answers[] = {SHOWN("a", "7", "1700000000000000"),
                                          NOBODY,
                                          "\"ok\":true,\"result\":{\"name\":"
                                          "\"snp\",\"generation\":5}"};
    struct aeb_registry *r;
    struct aeb_guest g;

    (void)state;
    control_script_start(answers, 3);
    r = open_registry();
    assert_int_equal(aeb_registry_get(r, "a", &g), 0);
    assert_int_equal(g.handle, 7);
    assert_int_equal(g.generation, 1700000000000000);
    assert_int_equal(aeb_registry_get(r, "b", &g), -ENOENT);
    assert_int_equal(aeb_registry_get(r, "snp", &g), -ENOENT); /* no handle */
    aeb_registry_close(r);
    control_script_stop();
}

static void get__nonsense__refused(void **state)
{
    static const char *const answers[] = {
        SHOWN("a", "7", "0"),
        SHOWN("a", "7", "\"x\""),
        SHOWN("a", "4294967296", "1"),
        SHOWN("a", "-1", "1"),
        SHOWN("a", "0", "1"),
        "\"ok\":true",
        "\"ok\":true,\"result\":[]",
        "\"ok\":1,\"result\":{\"handle\":7,\"generation\":1}",
    };
    struct aeb_registry *r;
    struct aeb_guest g;

    (void)state;
    control_script_start(answers, sizeof(answers) / sizeof(answers[0]));
    r = open_registry();
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        assert_true(aeb_registry_get(r, "a", &g) < 0);
    }
    aeb_registry_close(r);
    control_script_stop();
}

static void get__connection_was_closed__asked_again(void **state)
{
    static const char *const answers[] = {SHOWN("a", "7", "1"), CONTROL_CLOSE,
                                          SHOWN("a", "8", "2"), CONTROL_CLOSE,
                                          CONTROL_CLOSE};
    struct aeb_registry *r;
    struct aeb_guest g;

    (void)state;
    control_script_start(answers, 5);
    r = open_registry();
    assert_int_equal(aeb_registry_get(r, "a", &g), 0);
    assert_int_equal(aeb_registry_get(r, "a", &g), 0);
    assert_int_equal(g.handle, 8);
    assert_true(aeb_registry_get(r, "a", &g) < 0); /* once, no more */
    assert_int_equal(control_script_asked(), 5);
    aeb_registry_close(r);
    control_script_stop();
}

static void get__daemon_stalls__bounded(void **state)
{
    static const char *const answers[] = {CONTROL_STALL};
    struct aeb_registry *r;
    struct aeb_guest g;
    int64_t begin = monotonic_ms();

    (void)state;
    control_script_start(answers, 1);
    r = open_registry();
    assert_true(aeb_registry_get(r, "a", &g) < 0);
    assert_in_range(monotonic_ms() - begin, 1900, 4000);
    aeb_registry_close(r);
    control_script_stop();
}

static void open__nobody__told(void **state)
{
    char error[AEB_REGISTRY_ERROR] = "";
    struct aeb_registry *r = NULL;

    (void)state;
    assert_int_equal(aeb_registry_open("/nowhere/s", &r, error), -ENOENT);
    assert_non_null(strstr(error, "/nowhere/s"));
}

static void find__over_pages__name_of_the_handle(void **state)
{
    static const char *const answers[] = {
        "\"ok\":true,\"result\":{\"guests\":[{\"name\":\"snp\"},{\"name\":"
        "\"a\",\"handle\":1,\"generation\":5}],\"next\":9}",
        "\"ok\":true,\"result\":{\"guests\":[{\"name\":\"b\",\"handle\":2,"
        "\"generation\":6}]}",
        "\"ok\":true,\"result\":{\"guests\":[]}"};
    char name[AEB_GUEST_NAME_SIZE] = "";
    struct aeb_registry *r;
    struct aeb_guest g;

    (void)state;
    control_script_start(answers, 3);
    r = open_registry();
    assert_int_equal(aeb_registry_find(r, 2, name, &g), 0);
    assert_string_equal(name, "b");
    assert_int_equal(g.generation, 6);
    assert_int_equal(aeb_registry_find(r, 2, name, &g), -ENOENT);
    aeb_registry_close(r);
    control_script_stop();
}

/* ---- the broker ---- */

static unsigned int reports;

/* A device that answers nothing but counts: the peer is what is looked at. */
static int command(void *ctx, uint32_t cmd, void *data, uint32_t *fw)
{
    (void)ctx;
    (void)cmd;
    (void)data;
    *fw = 0;
    reports++;
    return -ENODEV;
}

static uint32_t size_error(struct aeb_registry *r, struct aeb_peer_row row,
                           enum aeb_peer_policy policy, uint32_t handle)
{
    const struct ttrpc_peer peer = {.family = AF_VSOCK, .cid = 42};
    const atomic_bool never = false;
    struct aeb_broker_config config = {.device = {command, NULL},
                                       .product = PSP_MILAN,
                                       .policy = policy,
                                       .rows = &row,
                                       .row_count = 1,
                                       .registry = r};
    struct aeb_request req = {.handle = handle};
    struct ttrpc_call call = {.peer = &peer, .cancelled = &never};
    struct ttrpc_reply reply = {.code = TTRPC_OK};
    struct aeb_response resp;
    struct aeb_broker *b = NULL;
    uint8_t *payload = NULL;
    uint32_t error;
    size_t n;

    row.by = AEB_BY_CID;
    row.key = 42;
    assert_int_equal(aeb_broker_open(&config, &b), 0);
    assert_int_equal(aeb_request_encode(AEB_RPC_SIZE, &req, &payload, &n),
                     PSP_OK);
    call.payload = (struct ttrpc_bytes){payload, n};
    AEB_SLOW_METHODS[AEB_RPC_SIZE].run(b, &call, &reply);
    free(payload);
    assert_int_equal(
        aeb_response_decode(AEB_RPC_SIZE,
                            (struct ttrpc_bytes){reply.payload, reply.size},
                            &resp),
        PSP_OK);
    error = resp.error;
    aeb_response_clear(&resp);
    free(reply.payload);
    aeb_broker_close(b);
    return error;
}

static void broker__name_and_pinned_handle(void **state)
{
    static const struct {
        const char *answer;
        uint64_t generation; /* pinned; 0: not */
        enum aeb_peer_policy policy;
        uint32_t handle, error;
    } row[] = {
        {SHOWN("a", "7", "5"), 0, AEB_PEER_CHECK, 7, 0},
        {SHOWN("a", "7", "5"), 0, AEB_PEER_CHECK, 8, AEB_BROKER_HANDLE},
        {SHOWN("a", "7", "5"), 0, AEB_PEER_CHECK, 0, AEB_BROKER_HANDLE},
        {SHOWN("a", "8", "6"), 0, AEB_PEER_CHECK, 8, 0}, /* restarted */
        {SHOWN("a", "8", "6"), 0, AEB_PEER_CHECK, 7, AEB_BROKER_HANDLE},
        {SHOWN("a", "8", "6"), 0, AEB_PEER_BIND, 0, 0},
        {NOBODY, 0, AEB_PEER_CHECK, 7, AEB_BROKER_NO_PEER},
        {NOBODY, 0, AEB_PEER_BIND, 0, AEB_BROKER_NO_PEER},
        {CONTROL_CLOSE, 0, AEB_PEER_CHECK, 7, AEB_BROKER_NO_PEER},
        {SHOWN("a", "7", "5"), 5, AEB_PEER_CHECK, 7, 0},
        {SHOWN("a", "7", "6"), 5, AEB_PEER_CHECK, 7, AEB_BROKER_HANDLE},
        {SHOWN("a", "7", "6"), 5, AEB_PEER_BIND, 0, AEB_BROKER_HANDLE},
        {NOBODY, 5, AEB_PEER_CHECK, 7, AEB_BROKER_HANDLE},
        {CONTROL_CLOSE, 5, AEB_PEER_CHECK, 7, AEB_BROKER_NO_PEER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct aeb_registry *r;

        control_script_start(&row[i].answer, 1);
        r = open_registry();
        assert_int_equal(
            size_error(r,
                       (struct aeb_peer_row){.guest = "a",
                                             .generation = row[i].generation},
                       row[i].policy, row[i].handle),
            row[i].error);
        aeb_registry_close(r);
        control_script_stop();
    }
    assert_int_equal(reports, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get__shown__handle_and_generation),
        cmocka_unit_test(get__nonsense__refused),
        cmocka_unit_test(get__connection_was_closed__asked_again),
        cmocka_unit_test(get__daemon_stalls__bounded),
        cmocka_unit_test(open__nobody__told),
        cmocka_unit_test(find__over_pages__name_of_the_handle),
        cmocka_unit_test(broker__name_and_pinned_handle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
