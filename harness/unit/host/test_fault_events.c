/* SPDX-License-Identifier: Apache-2.0 */
/* Which events of which place are hit, and what chance decides. */
#include "tst.h"

#include "fault_plan.h"

#include <errno.h>
#include <pthread.h>

static struct fault_plan *plan_of(const char *json)
{
    char error[FAULT_ERROR_SIZE];
    struct fault_plan *plan = NULL;

    if (fault_plan_parse(json, strlen(json), &plan, error) != 0) {
        fail_msg("%s", error);
    }
    return plan;
}

static struct fault_seq *seq_of(struct fault_plan *plan, enum fault_place at,
                                const char *key)
{
    struct fault_seq *seq = NULL;

    assert_int_equal(fault_seq_new(plan, at, key, &seq), 0);
    return seq;
}

/* The numbers of the first nine events that are hit, as digits. */
static void nine(struct fault_seq *seq, const struct fault_event *event,
                 char out[10])
{
    struct fault_hit hit;

    out[0] = '\0';
    for (int i = 0; i < 9; i++) {
        if (fault_seq_event(seq, event, &hit)) {
            (void)sprintf(out + strlen(out), "%d", (int)hit.number);
        }
    }
}

static void expect(const char *json, enum fault_place at,
                   const struct fault_event *event, const char *hits)
{
    struct fault_plan *plan = plan_of(json);
    struct fault_seq *seq = seq_of(plan, at, "");
    char got[10];

    nine(seq, event, got);
    assert_string_equal(got, hits);
    fault_seq_free(seq);
    fault_plan_free(plan);
}

#define BROKER_EVERY(filter)                                                   \
    "{\"faults\": [{\"at\": \"broker\", \"when\": {\"every\": 1" filter        \
    "}, \"do\": \"drop\"}]}"

static const struct fault_event NOTHING = {0};

static void place__another__not_hit(void **state)
{
    (void)state;
    expect(BROKER_EVERY(""), FAULT_AT_BROKER, &NOTHING, "123456789");
    expect(BROKER_EVERY(""), FAULT_AT_KEY_SERVER, &NOTHING, "");
    expect(BROKER_EVERY(""), FAULT_AT_GUEST_REQUEST, &NOTHING, "");
}

static void handle__must_be_there_and_equal(void **state)
{
    const char *plan = BROKER_EVERY(", \"handle\": 0");
    const struct fault_event zero = {.has_handle = true};
    const struct fault_event one = {.has_handle = true, .handle = 1};

    (void)state;
    expect(plan, FAULT_AT_BROKER, &zero, "123456789");
    expect(plan, FAULT_AT_BROKER, &one, "");
    expect(plan, FAULT_AT_BROKER, &NOTHING, "");
}

static void method__must_be_there_and_equal(void **state)
{
    const char *plan = BROKER_EVERY(", \"method\": \"size\"");
    const struct fault_event size = {.is = {[FAULT_BY_METHOD] = "size"}};
    const struct fault_event other = {.is = {[FAULT_BY_METHOD] = "evidence"}};

    (void)state;
    expect(plan, FAULT_AT_BROKER, &size, "123456789");
    expect(plan, FAULT_AT_BROKER, &other, "");
    expect(plan, FAULT_AT_BROKER, &NOTHING, "");
}

static void path__its_beginning_fits(void **state)
{
    const char *plan =
        "{\"faults\": [{\"at\": \"key-server\", \"when\": "
        "{\"every\": 3, \"path\": \"/vcek\"}, \"do\": \"drop\"}]}";
    const struct fault_event longer = {.is = {[FAULT_BY_PATH] = "/vcek/v1"}};
    const struct fault_event shorter = {.is = {[FAULT_BY_PATH] = "/vce"}};

    (void)state;
    expect(plan, FAULT_AT_KEY_SERVER, &longer, "369");
    expect(plan, FAULT_AT_KEY_SERVER, &shorter, "");
}

static void first_that_is_due__wins_and_the_others_count_on(void **state)
{
    struct fault_plan *plan =
        plan_of("{\"faults\": ["
                "{\"at\": \"broker\", \"when\": {\"request\": 2}, \"do\": "
                "\"drop\"},"
                "{\"at\": \"broker\", \"when\": {\"every\": 2}, \"do\": "
                "\"strip\"}]}");
    struct fault_seq *seq = seq_of(plan, FAULT_AT_BROKER, "");
    struct fault_count count;
    struct fault_hit hit;

    (void)state;
    assert_false(fault_seq_event(seq, &NOTHING, &hit));
    assert_true(fault_seq_event(seq, &NOTHING, &hit));
    assert_int_equal(hit.fault.kind, FAULT_DROP);
    assert_false(fault_seq_event(seq, &NOTHING, &hit));
    assert_true(fault_seq_event(seq, &NOTHING, &hit));
    assert_int_equal(hit.fault.kind, FAULT_STRIP);
    assert_int_equal(hit.number, 4);

    assert_true(fault_plan_count(plan, 0, &count));
    assert_int_equal(count.fits, 4);
    assert_int_equal(count.hits, 1);
    assert_true(fault_plan_count(plan, 1, &count));
    assert_int_equal(count.kind, FAULT_STRIP);
    assert_int_equal(count.at, FAULT_AT_BROKER);
    assert_int_equal(count.hits, 1);
    assert_false(fault_plan_count(plan, 2, &count));
    fault_seq_free(seq);
    fault_plan_free(plan);
}

static void sequences__count_apart(void **state)
{
    struct fault_plan *plan =
        plan_of("{\"faults\": [{\"at\": \"hypercall\", \"when\": {\"request\": "
                "2}, \"do\": \"replay\"}]}");
    struct fault_seq *a = seq_of(plan, FAULT_AT_HYPERCALL, "a");
    struct fault_seq *b = seq_of(plan, FAULT_AT_HYPERCALL, "b");
    struct fault_hit hit;

    (void)state;
    assert_false(fault_seq_event(a, &NOTHING, &hit));
    assert_false(fault_seq_event(b, &NOTHING, &hit));
    assert_true(fault_seq_event(b, &NOTHING, &hit));
    assert_true(fault_seq_event(a, &NOTHING, &hit));
    fault_seq_free(a);
    fault_seq_free(b);
    fault_plan_free(plan);
}

static void chance_of(const char *seed, enum fault_place at, const char *key,
                      char out[10])
{
    char json[256];
    struct fault_plan *plan;
    struct fault_seq *seq;

    (void)snprintf(json, sizeof(json),
                   "{\"seed\": \"%s\", \"faults\": [{\"at\": \"%s\", \"when\": "
                   "{\"probability\": \"0.5\"}, \"do\": \"replay\"}]}",
                   seed, fault_place_name(at));
    plan = plan_of(json);
    seq = seq_of(plan, at, key);
    nine(seq, &NOTHING, out);
    fault_seq_free(seq);
    fault_plan_free(plan);
}

static void chance__depends_on_seed_place_and_key_alone(void **state)
{
    char first[10], other[10];

    (void)state;
    chance_of("s", FAULT_AT_BROKER, "a", first);
    chance_of("s", FAULT_AT_BROKER, "a", other);
    assert_string_equal(first, other);
    chance_of("t", FAULT_AT_BROKER, "a", other);
    assert_string_not_equal(first, other);
    chance_of("s", FAULT_AT_KEY_SERVER, "a", other);
    assert_string_not_equal(first, other);
    chance_of("s", FAULT_AT_BROKER, "b", other);
    assert_string_not_equal(first, other);
}

static void replace__counts_from_the_beginning(void **state)
{
    const char *later = "{\"faults\": [{\"at\": \"broker\", \"when\": "
                        "{\"request\": 1}, \"do\": \"delay\", \"ms\": 7}]}";
    struct fault_plan *plan = plan_of(BROKER_EVERY(""));
    struct fault_seq *seq = seq_of(plan, FAULT_AT_BROKER, "");
    char error[FAULT_ERROR_SIZE];
    struct fault_hit hit;

    (void)state;
    assert_true(fault_seq_event(seq, &NOTHING, &hit));
    assert_int_equal(fault_plan_replace(plan, "{", 1, error), -EINVAL);
    assert_true(fault_seq_event(seq, &NOTHING, &hit));
    assert_int_equal(hit.number, 2);
    assert_int_equal(fault_plan_replace(plan, later, strlen(later), error), 0);
    assert_true(fault_seq_event(seq, &NOTHING, &hit));
    assert_int_equal(hit.number, 1);
    assert_int_equal(hit.fault.ms, 7);
    assert_false(fault_seq_event(seq, &NOTHING, &hit));
    fault_seq_free(seq);
    fault_plan_free(plan);
}

static void clear__nothing_is_hit(void **state)
{
    struct fault_plan *plan = plan_of(BROKER_EVERY(", \"handle\": 0"));
    struct fault_seq *seq = seq_of(plan, FAULT_AT_BROKER, "");
    const struct fault_event zero = {.has_handle = true};
    struct fault_hit hit;

    (void)state;
    assert_true(fault_plan_has(plan, FAULT_AT_BROKER));
    assert_false(fault_plan_has(plan, FAULT_AT_KEY_SERVER));
    assert_true(fault_seq_event(seq, &zero, &hit));
    fault_plan_clear(plan);
    assert_false(fault_plan_has(plan, FAULT_AT_BROKER));
    assert_false(fault_seq_event(seq, &zero, &hit));
    assert_false(fault_plan_has(NULL, FAULT_AT_BROKER));
    fault_seq_free(seq);
    fault_plan_free(plan);
}

static void new_plan__has_no_faults(void **state)
{
    struct fault_plan *plan = NULL;
    struct fault_seq *seq;
    struct fault_hit hit;

    (void)state;
    assert_int_equal(fault_plan_new(&plan), 0);
    seq = seq_of(plan, FAULT_AT_BROKER, "");
    assert_false(fault_seq_event(seq, &NOTHING, &hit));
    fault_seq_free(seq);
    fault_plan_free(plan);
}

static void members__are_resolved(void **state)
{
    struct fault_plan *plan =
        plan_of("{\"faults\": ["
                "{\"at\": \"key-server\", \"when\": {\"request\": 1}, \"do\": "
                "\"status\", \"code\": 503, \"retry-after\": 6},"
                "{\"at\": \"key-server\", \"when\": {\"request\": 2}, \"do\": "
                "\"replay\"},"
                "{\"at\": \"key-server\", \"when\": {\"request\": 3}, \"do\": "
                "\"substitute\", \"from\": \"other-chip\"}]}");
    struct fault_seq *seq = seq_of(plan, FAULT_AT_KEY_SERVER, "");
    struct fault_hit hit;

    (void)state;
    assert_true(fault_seq_event(seq, &NOTHING, &hit));
    assert_int_equal(hit.fault.code, 503);
    assert_true(hit.fault.retry_after_given);
    assert_int_equal(hit.fault.retry_after, 6);
    assert_true(fault_seq_event(seq, &NOTHING, &hit));
    assert_int_equal(hit.fault.back, 1);
    assert_true(fault_seq_event(seq, &NOTHING, &hit));
    assert_string_equal(hit.fault.from, "other-chip");
    assert_false(hit.fault.handle_given);
    fault_seq_free(seq);
    fault_plan_free(plan);
}

static void flip__given_place_and_bits__that_byte(void **state)
{
    struct fault_hit hit = {
        .fault = {
            .place_given = true, .place = 3, .bits_given = true, .bits = 0x81}};
    uint8_t data[4] = {0};

    (void)state;
    assert_true(fault_hit_flip(&hit, data, sizeof(data)));
    assert_int_equal(data[3], 0x81);
    assert_false(fault_hit_flip(&hit, data, 3));
    assert_false(fault_hit_flip(&hit, data, 0));
}

static void flip__by_chance__one_bit_within(void **state)
{
    struct fault_hit hit = {.place_chance = 13, .bits_chance = 15};
    uint8_t data[5] = {0};

    (void)state;
    assert_true(fault_hit_flip(&hit, data, sizeof(data)));
    assert_int_equal(data[3], 0x80);
}

static void history__keeps_the_last_eight(void **state)
{
    struct fault_history h = {.count = 0};
    size_t size = 0;

    (void)state;
    assert_null(fault_history_back(&h, 1, &size));
    for (uint8_t i = 1; i <= 9; i++) {
        uint8_t data[9] = {i};

        fault_history_add(&h, data, i);
    }
    assert_int_equal(fault_history_back(&h, 1, &size)[0], 9);
    assert_int_equal(size, 9);
    assert_int_equal(fault_history_back(&h, 8, &size)[0], 2);
    assert_int_equal(size, 2);
    assert_null(fault_history_back(&h, 9, &size));
    assert_null(fault_history_back(&h, 0, &size));
    fault_history_clear(&h);
    assert_null(fault_history_back(&h, 1, &size));
}

#define THREADS 4
#define EVENTS  500

static void *many(void *seq)
{
    struct fault_hit hit;
    size_t *hits = calloc(1, sizeof(*hits));

    for (int i = 0; i < EVENTS; i++) {
        *hits += fault_seq_event(seq, &NOTHING, &hit);
    }
    return hits;
}

static void events__of_many_threads__all_counted_once(void **state)
{
    struct fault_plan *plan =
        plan_of("{\"faults\": [{\"at\": \"broker\", \"when\": {\"every\": 5}, "
                "\"do\": \"drop\"}]}");
    struct fault_seq *seq = seq_of(plan, FAULT_AT_BROKER, "");
    pthread_t threads[THREADS];
    size_t hits = 0;

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, many, seq), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *mine = NULL;

        assert_int_equal(pthread_join(threads[i], &mine), 0);
        hits += *(size_t *)mine;
        free(mine);
    }
    assert_int_equal(hits, THREADS * EVENTS / 5);
    fault_seq_free(seq);
    fault_plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(place__another__not_hit),
        cmocka_unit_test(handle__must_be_there_and_equal),
        cmocka_unit_test(method__must_be_there_and_equal),
        cmocka_unit_test(path__its_beginning_fits),
        cmocka_unit_test(first_that_is_due__wins_and_the_others_count_on),
        cmocka_unit_test(sequences__count_apart),
        cmocka_unit_test(chance__depends_on_seed_place_and_key_alone),
        cmocka_unit_test(replace__counts_from_the_beginning),
        cmocka_unit_test(clear__nothing_is_hit),
        cmocka_unit_test(new_plan__has_no_faults),
        cmocka_unit_test(members__are_resolved),
        cmocka_unit_test(flip__given_place_and_bits__that_byte),
        cmocka_unit_test(flip__by_chance__one_bit_within),
        cmocka_unit_test(history__keeps_the_last_eight),
        cmocka_unit_test(events__of_many_threads__all_counted_once),
    };

    return cmocka_run_group_tests_name("fault_events", tests, NULL, NULL);
}
