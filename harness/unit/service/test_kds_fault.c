/* SPDX-License-Identifier: Apache-2.0 */
/* What the key server does wrong on purpose, and how it makes room. */
#include "kds_conn.h"
#include "kds_fault.h"
#include "tst.h"

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

static void status__every_third__two_go_through(void **state)
{
    struct kds_fault_state s =
        state_of((struct kds_faults){.fail_status = 503, .fail_every = 3});

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(kds_fault_status(&s), 0);
        assert_int_equal(kds_fault_status(&s), 0);
        assert_int_equal(kds_fault_status(&s), 503);
    }
    kds_fault_clear(&s);
}

static void status__no_count__every_one(void **state)
{
    struct kds_fault_state s =
        state_of((struct kds_faults){.fail_status = 500});
    struct kds_fault_state none = state_of((struct kds_faults){0});

    (void)state;
    assert_int_equal(kds_fault_status(&s), 500);
    assert_int_equal(kds_fault_status(&s), 500);
    assert_int_equal(kds_fault_status(&none), 0);
    kds_fault_clear(&s);
    kds_fault_clear(&none);
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

static void spoil__flip__one_bit(void **state)
{
    struct kds_fault_state s =
        state_of((struct kds_faults){.hostile = KDS_FLIP});
    struct kds_answer a = answer_of(200, "abcde");

    (void)state;
    kds_fault_spoil(&s, &a);
    assert_memory_equal(a.body, "ab", 2);
    assert_int_equal(a.body[2] ^ 'c', 0x10);
    assert_memory_equal(a.body + 3, "de", 2);
    kds_answer_clear(&a);
    kds_fault_clear(&s);
}

static void spoil__html__status_stays(void **state)
{
    struct kds_fault_state s =
        state_of((struct kds_faults){.hostile = KDS_HTML});
    struct kds_answer a = answer_of(200, "certificate");

    (void)state;
    kds_fault_spoil(&s, &a);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.content_type, "text/html");
    assert_memory_equal(a.body, "<!DOCTYPE html>", 15);
    assert_int_equal(a.body[a.size - 1], '\n');
    kds_answer_clear(&a);
    kds_fault_clear(&s);
}

static void spoil__error_answer__left_alone(void **state)
{
    struct kds_fault_state s =
        state_of((struct kds_faults){.hostile = KDS_FLIP});
    struct kds_answer a = answer_of(404, "not found\n");

    (void)state;
    kds_fault_spoil(&s, &a);
    assert_memory_equal(a.body, "not found\n", a.size);
    kds_answer_clear(&a);
    kds_fault_clear(&s);
}

static void hostile__names__all_known(void **state)
{
    static const char *const names[KDS_HOSTILE_COUNT] = {
        "none", "truncate", "flip",    "drop",
        "html", "huge",     "trickle", "misdirect",
    };

    (void)state;
    for (int i = 0; i < KDS_HOSTILE_COUNT; i++) {
        assert_int_equal(kds_hostile_by_name(names[i]), i);
    }
    assert_int_equal(kds_hostile_by_name("Flip"), KDS_HOSTILE_COUNT);
    assert_int_equal(kds_hostile_by_name(""), KDS_HOSTILE_COUNT);
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
        cmocka_unit_test(status__every_third__two_go_through),
        cmocka_unit_test(status__no_count__every_one),
        cmocka_unit_test(spoil__flip__one_bit),
        cmocka_unit_test(spoil__html__status_stays),
        cmocka_unit_test(spoil__error_answer__left_alone),
        cmocka_unit_test(hostile__names__all_known),
        cmocka_unit_test(pause__stopped__returns_at_once),
        cmocka_unit_test(conns__crowd__oldest_idle_goes_busy_stays),
        cmocka_unit_test(conns__full__served_uncounted),
        cmocka_unit_test(conns__wait__ends_when_idle_or_late),
    };

    return cmocka_run_group_tests_name("kds_fault", tests, NULL, NULL);
}
