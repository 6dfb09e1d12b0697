/* SPDX-License-Identifier: Apache-2.0 */
/* What the key server does wrong on purpose, and how it makes room. */
#include "kds_conn.h"
#include "kds_fault.h"
#include "tst.h"

#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct kds_fault_state state_of(struct kds_faults faults)
{
    struct kds_fault_state s;

    kds_fault_init(&s, &faults);
    return s;
}

static void throttle__off__never(void **state)
{
    struct kds_fault_state s = state_of((struct kds_faults){0});

    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(kds_fault_throttle(&s, "/a", 0), 0);
    }
    kds_fault_clear(&s);
}

static void throttle__same_url__whole_seconds_left(void **state)
{
    struct kds_fault_state s =
        state_of((struct kds_faults){.rate_seconds = 10});

    (void)state;
    assert_int_equal(kds_fault_throttle(&s, "/a?x=1", 5000), 0);
    assert_int_equal(kds_fault_throttle(&s, "/a?x=1", 5000), 10);
    assert_int_equal(kds_fault_throttle(&s, "/a?x=1", 5001), 10);
    assert_int_equal(kds_fault_throttle(&s, "/a?x=1", 6000), 9);
    assert_int_equal(kds_fault_throttle(&s, "/a?x=1", 14999), 1);
    assert_int_equal(kds_fault_throttle(&s, "/a?x=1", 15000), 0);
    assert_int_equal(kds_fault_throttle(&s, "/a?x=1", 15000), 10);
    kds_fault_clear(&s);
}

static void throttle__another_url__not_counted(void **state)
{
    struct kds_fault_state s =
        state_of((struct kds_faults){.rate_seconds = 10});

    (void)state;
    assert_int_equal(kds_fault_throttle(&s, "/a?x=1", 0), 0);
    assert_int_equal(kds_fault_throttle(&s, "/a?x=2", 0), 0);
    assert_int_equal(kds_fault_throttle(&s, "/a", 0), 0);
    kds_fault_clear(&s);
}

static void throttle__thousands_of_urls__none_hits_another(void **state)
{
    struct kds_fault_state s =
        state_of((struct kds_faults){.rate_seconds = 10});
    char url[32];

    (void)state;
    for (int i = 0; i < 5000; i++) {
        sprintf(url, "/vcek/%d", i);
        assert_int_equal(kds_fault_throttle(&s, url, 0), 0);
    }
    kds_fault_clear(&s);
}

/* A server's state with one plan; @faults is what is between the brackets. */
struct planned {
    struct fault_plan *plan;
    struct fault_seq *seq;
    struct kds_fault_state s;
};

#define AT(when, rest)                                                         \
    "{\"at\": \"key-server\", \"when\": {" when "}, \"do\": " rest "}"

static void plan_for(struct planned *p, const char *faults)
{
    struct kds_faults config = {.rate_seconds = 0};
    char error[FAULT_ERROR_SIZE] = "";
    char text[1024];

    snprintf(text, sizeof(text), "{\"seed\": \"t\", \"faults\": [%s]}", faults);
    assert_int_equal(fault_plan_parse(text, strlen(text), &p->plan, error), 0);
    assert_int_equal(fault_seq_new(p->plan, FAULT_AT_KEY_SERVER, "", &p->seq),
                     0);
    config.seqs[0] = p->seq;
    kds_fault_init(&p->s, &config);
}

static void unplan(struct planned *p)
{
    kds_fault_clear(&p->s);
    fault_seq_free(p->seq);
    fault_plan_free(p->plan);
}

#define D16  "5357505353575053"
#define D128 D16 D16 D16 D16 D16 D16 D16 D16

static struct kds_ask get(const char *path, const char *query)
{
    return (struct kds_ask){.method = "GET", .path = path, .query = query};
}

/* What is done to a request, as far as it is before the answer. */
static bool before(struct planned *p, const char *path, const char *query,
                   struct kds_ask *ask, struct kds_harm *harm,
                   struct kds_answer *out)
{
    char retry_after[16];

    *ask = get(path, query);
    kds_fault_event(&p->s, ask, harm);
    return kds_fault_before(&p->s, harm, ask, retry_after, out);
}

static void event__no_plan__no_harm(void **state)
{
    struct kds_fault_state s = state_of((struct kds_faults){0});
    struct kds_ask ask = get("/", NULL);
    struct kds_harm harm;

    (void)state;
    kds_fault_event(&s, &ask, &harm);
    assert_int_equal(harm.count, 0);
    kds_fault_clear(&s);
}

static void event__path_and_kind__as_the_filters_say(void **state)
{
    static const struct {
        const char *method, *path, *query, *kind;
    } asks[] = {
        {"GET", "/vcek/v1/Milan/cert_chain", NULL, "cert-chain"},
        {"HEAD", "/vlek/v1/Turin/cert_chain", NULL, "cert-chain"},
        {"GET", "/vcek/v1/Milan/crl", NULL, "crl"},
        {"GET", "/vcek/v1/Milan/" D128, "blSPL=1", "vcek"},
        {"GET", "/vlek/v1/Milan/cert", NULL, "vlek"},
        {"GET", "/cek/id/" D128, NULL, "cek"},
        {"GET", "/developer/eula/sev/ask_ark_rome.cert", NULL, "ask-ark"},
        {"POST", "/vlek/v1/Milan/hash_sticks", NULL, NULL},
        {"PUT", "/vcek/v1/Milan/crl", NULL, NULL},
        {"GET", "/vcek/v1/Milan/" D128, "blSPL=x", NULL},
        {"GET", "/nothing", NULL, NULL},
    };
    static const char *const kinds[] = {"vcek", "vlek", "cert-chain",
                                        "crl",  "cek",  "ask-ark"};

    (void)state;
    for (size_t k = 0; k < 6; k++) {
        char text[256];
        struct planned p;

        snprintf(text, sizeof(text),
                 AT("\"every\": 1, \"kind\": \"%s\"", "\"drop\""), kinds[k]);
        plan_for(&p, text);
        for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
            struct kds_ask ask = get(asks[i].path, asks[i].query);
            struct kds_harm harm;

            ask.method = asks[i].method;
            kds_fault_event(&p.s, &ask, &harm);
            assert_int_equal(harm.count,
                             asks[i].kind != NULL &&
                                 strcmp(asks[i].kind, kinds[k]) == 0);
        }
        unplan(&p);
    }
}

static void event__path_with_query__is_compared_as_a_whole(void **state)
{
    struct planned p;
    struct kds_ask a = get("/vcek/v1/Milan/x", "blSPL=12"),
                   b = get("/vcek/v1/Milan/x", "blSPL=2"),
                   c = get("/vcek/v1/Milan/x", NULL);
    struct kds_harm harm;

    (void)state;
    plan_for(&p, AT("\"every\": 1, \"path\": \"/vcek/v1/Milan/x?blSPL=1\"",
                    "\"drop\""));
    kds_fault_event(&p.s, &a, &harm);
    assert_int_equal(harm.count, 1);
    assert_non_null(kds_harm_has(&harm, FAULT_DROP));
    assert_null(kds_harm_has(&harm, FAULT_FLIP));
    kds_fault_event(&p.s, &b, &harm);
    assert_int_equal(harm.count, 0);
    kds_fault_event(&p.s, &c, &harm);
    assert_int_equal(harm.count, 0);
    unplan(&p);
}

static void event__two_plans__a_fault_of_each(void **state)
{
    struct planned a, b;
    struct kds_ask ask = get("/", NULL);
    struct kds_harm harm;

    (void)state;
    plan_for(&a, AT("\"every\": 2", "\"drop\""));
    plan_for(&b, AT("\"every\": 1", "\"html\""));
    a.s.faults.seqs[1] = b.seq;
    kds_fault_event(&a.s, &ask, &harm);
    assert_int_equal(harm.count, 1);
    kds_fault_event(&a.s, &ask, &harm);
    assert_int_equal(harm.count, 2);
    assert_non_null(kds_harm_has(&harm, FAULT_DROP));
    assert_non_null(kds_harm_has(&harm, FAULT_HTML));
    unplan(&a);
    unplan(&b);
}

static void status__every_third__two_go_through(void **state)
{
    struct planned p;

    (void)state;
    plan_for(&p, AT("\"every\": 3", "\"status\", \"code\": 503"));
    for (int i = 1; i <= 9; i++) {
        struct kds_answer a = {0};
        struct kds_harm harm;
        struct kds_ask ask;

        assert_int_equal(before(&p, "/", NULL, &ask, &harm, &a), i % 3 == 0);
        if (i % 3 == 0) {
            assert_int_equal(a.status, 503);
            assert_string_equal(a.content_type, "text/plain");
            assert_true(a.size > 0 && a.size < 27);
        }
        kds_answer_clear(&a);
    }
    unplan(&p);
}

static void status__retry_after__only_when_given(void **state)
{
    static const struct {
        const char *fault, *header;
    } cases[] = {
        {AT("\"every\": 1", "\"status\", \"code\": 429"), ""},
        {AT("\"every\": 1", "\"status\", \"code\": 429, \"retry-after\": 0"),
         "0"},
        {AT("\"every\": 1", "\"status\", \"code\": 503, \"retry-after\": 3600"),
         "3600"},
    };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct kds_ask ask = get("/", NULL);
        struct kds_answer a = {0};
        struct kds_harm harm;
        struct planned p;
        char header[16] = "x";

        plan_for(&p, cases[i].fault);
        kds_fault_event(&p.s, &ask, &harm);
        assert_true(kds_fault_before(&p.s, &harm, &ask, header, &a));
        assert_string_equal(header, cases[i].header);
        kds_answer_clear(&a);
        unplan(&p);
    }
}

static void substitute__each_form__another_question(void **state)
{
    struct planned p;
    struct kds_answer a;
    struct kds_harm harm;
    struct kds_ask ask;

    (void)state;
    plan_for(
        &p,
        AT("\"request\": 1",
           "\"substitute\", \"from\": "
           "\"other-chip\"") "," AT("\"request\": 2",
                                    "\"substitute\", \"from\": "
                                    "\"other-tcb\"") "," AT("\"request\":"
                                                            " 3",
                                                            "\"substitute"
                                                            "\", "
                                                            "\"from\": "
                                                            "\"reversed"
                                                            "\"") "," AT("\"req"
                                                                         "ues"
                                                                         "t\": "
                                                                         "4",
                                                                         "\"sub"
                                                                         "sti"
                                                                         "tute"
                                                                         "\", "
                                                                         "\"fro"
                                                                         "m\""
                                                                         ": "
                                                                         "\"/"
                                                                         "vcek/"
                                                                         "v1/"
                                                                         "Milan"
                                                                         "/"
                                                                         "crl"
                                                                         "\""));
    assert_false(before(&p, "/a", "b", &ask, &harm, &a));
    assert_int_equal(ask.twist, KDS_OTHER_CHIP);
    assert_string_equal(ask.path, "/a");
    assert_false(before(&p, "/a", "b", &ask, &harm, &a));
    assert_int_equal(ask.twist, KDS_OTHER_TCB);
    assert_false(before(&p, "/a", "b", &ask, &harm, &a));
    assert_int_equal(ask.twist, KDS_REVERSED);
    assert_false(before(&p, "/a", "b", &ask, &harm, &a));
    assert_string_equal(ask.path, "/vcek/v1/Milan/crl");
    assert_null(ask.query);
    assert_int_equal(ask.twist, KDS_STRAIGHT);
    unplan(&p);
}

static struct kds_answer answer_of(unsigned int status, const char *text)
{
    return (struct kds_answer){
        .status = status,
        .content_type = "application/pkix-cert",
        .body = tst_dup(text, strlen(text)),
        .size = strlen(text),
    };
}

/* One honest answer goes by. */
static void goes_by(struct planned *p, const char *text)
{
    struct kds_answer a = answer_of(200, text);
    struct kds_harm none = {.count = 0};

    kds_fault_after(&p->s, &none, true, &a);
    kds_answer_clear(&a);
    kds_fault_done(&p->s);
}

static void replay__earlier_answer__whatever_its_url_was(void **state)
{
    struct planned p;
    struct kds_answer a = {0};
    struct kds_harm harm;
    struct kds_ask ask;

    (void)state;
    plan_for(&p, AT("\"every\": 1", "\"replay\", \"back\": 2"));
    assert_false(before(&p, "/a", NULL, &ask, &harm, &a)); /* none yet */
    goes_by(&p, "first");
    assert_false(before(&p, "/a", NULL, &ask, &harm, &a));
    goes_by(&p, "second");
    assert_true(before(&p, "/b", NULL, &ask, &harm, &a));
    assert_int_equal(a.status, 200);
    assert_string_equal(a.content_type, "application/pkix-cert");
    assert_int_equal(a.size, 5);
    assert_memory_equal(a.body, "first", 5);
    kds_answer_clear(&a);
    unplan(&p);
}

/* @fault is applied to @a. */
static void spoil(const char *fault, struct kds_answer *a)
{
    struct kds_ask ask = get("/", NULL);
    struct kds_harm harm;
    struct planned p;

    plan_for(&p, fault);
    kds_fault_event(&p.s, &ask, &harm);
    kds_fault_after(&p.s, &harm, true, a);
    unplan(&p);
}

static void spoil__flip__the_bits_that_the_plan_says(void **state)
{
    struct kds_answer a = answer_of(200, "abcde");

    (void)state;
    spoil(AT("\"every\": 1", "\"flip\", \"offset\": 2, \"bits\": \"0x30\""),
          &a);
    assert_memory_equal(a.body, "ab", 2);
    assert_int_equal(a.body[2] ^ 'c', 0x30);
    assert_memory_equal(a.body + 3, "de", 2);
    spoil(AT("\"every\": 1", "\"flip\", \"offset\": 5"), &a); /* no such byte */
    assert_int_equal(a.body[2] ^ 'c', 0x30);
    kds_answer_clear(&a);
}

static void spoil__flip_by_chance__one_bit_and_the_same_one_again(void **state)
{
    struct kds_answer a = answer_of(200, "abcde"), b = answer_of(200, "abcde");
    unsigned int bits = 0;

    (void)state;
    spoil(AT("\"every\": 1", "\"flip\""), &a);
    spoil(AT("\"every\": 1", "\"flip\""), &b);
    for (size_t i = 0; i < 5; i++) {
        bits += (unsigned int)__builtin_popcount(
            (unsigned int)(a.body[i] ^ (uint8_t) "abcde"[i]));
    }
    assert_int_equal(bits, 1);
    assert_memory_equal(a.body, b.body, 5);
    kds_answer_clear(&a);
    kds_answer_clear(&b);
}

static void spoil__html__status_stays(void **state)
{
    struct kds_answer a = answer_of(200, "certificate");

    (void)state;
    spoil(AT("\"every\": 1", "\"html\""), &a);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.content_type, "text/html");
    assert_memory_equal(a.body, "<!DOCTYPE html>", 15);
    assert_int_equal(a.body[a.size - 1], '\n');
    kds_answer_clear(&a);
}

static void spoil__error_answer__left_alone(void **state)
{
    struct kds_answer a = answer_of(404, "not found\n");

    (void)state;
    spoil(AT("\"every\": 1", "\"flip\""), &a);
    spoil(AT("\"every\": 1", "\"html\""), &a);
    assert_memory_equal(a.body, "not found\n", a.size);
    kds_answer_clear(&a);
}

static void *another_is_answered(void *arg)
{
    const struct timespec rest = {.tv_nsec = 50000000};

    nanosleep(&rest, NULL);
    kds_fault_done(arg);
    return NULL;
}

static void reorder__a_later_answer__goes_first(void **state)
{
    struct kds_answer a = answer_of(200, "x");
    struct kds_ask ask = get("/", NULL);
    time_t begin = time(NULL);
    struct kds_harm harm;
    struct planned p;
    pthread_t thread;

    (void)state;
    plan_for(&p, AT("\"every\": 1", "\"reorder\""));
    kds_fault_done(&p.s); /* of the past: does not count */
    kds_fault_event(&p.s, &ask, &harm);
    assert_int_equal(pthread_create(&thread, NULL, another_is_answered, &p.s),
                     0);
    kds_fault_after(&p.s, &harm, true, &a);
    assert_int_equal(p.s.answered, 2);
    assert_true(time(NULL) - begin < 9); /* not because the time was over */
    pthread_join(thread, NULL);
    kds_answer_clear(&a);
    unplan(&p);
}

static void reorder__stopped__returns_at_once(void **state)
{
    struct kds_answer a = answer_of(200, "x");
    struct kds_ask ask = get("/", NULL);
    time_t begin = time(NULL);
    struct kds_harm harm;
    struct planned p;

    (void)state;
    plan_for(&p, AT("\"every\": 1", "\"reorder\""));
    kds_fault_event(&p.s, &ask, &harm);
    kds_fault_stop(&p.s);
    kds_fault_after(&p.s, &harm, true, &a);
    assert_true(time(NULL) - begin < 9);
    kds_answer_clear(&a);
    unplan(&p);
}

static void keep_line(void *ctx, const char *line)
{
    strcat(ctx, line);
    strcat(ctx, "\n");
}

static void applied__each_fault__one_line(void **state)
{
    struct kds_answer a = answer_of(200, "abc");
    struct kds_ask ask = get("/", NULL);
    char said[512] = "", header[16];
    struct kds_harm harm;
    struct planned p;

    (void)state;
    plan_for(
        &p, AT("\"request\": 1", "\"delay\", \"ms\": 1") "," AT(
                "\"request\": 1",
                "\"flip\", \"offset\": 1, \"bits\": 1") "," AT("\"request\": 3",
                                                               "\"truncate\""));
    p.s.faults.applied = keep_line;
    p.s.faults.ctx = said;
    for (int i = 0; i < 3; i++) {
        ask = get("/", NULL);
        kds_fault_event(&p.s, &ask, &harm);
        assert_false(kds_fault_before(&p.s, &harm, &ask, header, &a));
        kds_fault_after(&p.s, &harm, true, &a);
    }
    assert_string_equal(said, "request 1: delay 1 ms\n"
                              "request 3: truncate\n");
    kds_answer_clear(&a);
    unplan(&p);
}

static void pause__stopped__returns_at_once(void **state)
{
    struct kds_fault_state s = state_of((struct kds_faults){0});
    time_t start = time(NULL);

    (void)state;
    kds_fault_stop(&s);
    kds_fault_pause(&s, 600000);
    assert_true(time(NULL) - start < 60);
    kds_fault_clear(&s);
}

/* True if the peer of a connection was shut down. */
static bool is_shut(int peer)
{
    char c;

    return recv(peer, &c, 1, MSG_DONTWAIT) == 0;
}

static void conns__crowd__oldest_idle_goes_busy_stays(void **state)
{
    static struct kds_conns conns;
    struct kds_conn *conn[KDS_CONN_CROWDED + 2];
    int pair[KDS_CONN_CROWDED + 2][2];

    (void)state;
    kds_conns_init(&conns);
    for (unsigned int i = 0; i < KDS_CONN_CROWDED + 2; i++) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair[i]), 0);
        conn[i] = kds_conn_add(&conns, pair[i][0], i);
        assert_non_null(conn[i]);
        kds_conn_busy(&conns, conn[i], i == 0); /* the very first is busy */
    }
    for (unsigned int i = 0; i < KDS_CONN_CROWDED + 2; i++) {
        assert_int_equal(is_shut(pair[i][1]), i == 1 || i == 2);
        kds_conn_remove(&conns, conn[i]);
        close(pair[i][0]);
        close(pair[i][1]);
    }
    assert_int_equal(conns.busy_count, 0);
    kds_conns_clear(&conns);
}

static void conns__full__served_uncounted(void **state)
{
    static struct kds_conns conns;

    (void)state;
    kds_conns_init(&conns);
    for (unsigned int i = 0; i < KDS_CONN_LIMIT; i++) {
        struct kds_conn *c = kds_conn_add(&conns, -1, i);

        assert_non_null(c);
        kds_conn_busy(&conns, c, true);
    }
    assert_null(kds_conn_add(&conns, -1, 0));
    kds_conn_busy(&conns, NULL, true);
    kds_conn_remove(&conns, NULL);
    kds_conns_clear(&conns);
}

static void conns__wait__ends_when_idle_or_late(void **state)
{
    static struct kds_conns conns;
    struct kds_conn *c;

    (void)state;
    kds_conns_init(&conns);
    kds_conns_wait(&conns, 60000); /* nobody is busy */
    c = kds_conn_add(&conns, -1, 0);
    kds_conn_busy(&conns, c, true);
    kds_conns_wait(&conns, 1); /* too late */
    assert_int_equal(conns.busy_count, 1);
    kds_conn_remove(&conns, c);
    kds_conns_wait(&conns, 60000);
    kds_conns_clear(&conns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(throttle__off__never),
        cmocka_unit_test(throttle__same_url__whole_seconds_left),
        cmocka_unit_test(throttle__another_url__not_counted),
        cmocka_unit_test(throttle__thousands_of_urls__none_hits_another),
        cmocka_unit_test(event__no_plan__no_harm),
        cmocka_unit_test(event__path_and_kind__as_the_filters_say),
        cmocka_unit_test(event__path_with_query__is_compared_as_a_whole),
        cmocka_unit_test(event__two_plans__a_fault_of_each),
        cmocka_unit_test(status__every_third__two_go_through),
        cmocka_unit_test(status__retry_after__only_when_given),
        cmocka_unit_test(substitute__each_form__another_question),
        cmocka_unit_test(replay__earlier_answer__whatever_its_url_was),
        cmocka_unit_test(spoil__flip__the_bits_that_the_plan_says),
        cmocka_unit_test(spoil__flip_by_chance__one_bit_and_the_same_one_again),
        cmocka_unit_test(spoil__html__status_stays),
        cmocka_unit_test(spoil__error_answer__left_alone),
        cmocka_unit_test(reorder__a_later_answer__goes_first),
        cmocka_unit_test(reorder__stopped__returns_at_once),
        cmocka_unit_test(applied__each_fault__one_line),
        cmocka_unit_test(pause__stopped__returns_at_once),
        cmocka_unit_test(conns__crowd__oldest_idle_goes_busy_stays),
        cmocka_unit_test(conns__full__served_uncounted),
        cmocka_unit_test(conns__wait__ends_when_idle_or_late),
    };

    return cmocka_run_group_tests_name("kds_fault", tests, NULL, NULL);
}
