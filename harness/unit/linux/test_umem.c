/* SPDX-License-Identifier: Apache-2.0 */
/* The plan rule, and the memory that watches over it. */
#include "tst.h"

#include "umem_array.h"

#include <errno.h>

/* A handler of a few lines, changed by a test: reads 4 bytes at the argument,
 * plans and writes 8 bytes at 0x2000. */
struct toy {
    bool skip_plan;
    bool skip_commit;
    bool read_twice;
    bool read_late;
    bool plan_late;
    bool ask_for_ever;
    unsigned int runs;
    unsigned int executed;
};

static int64_t toy_ioctl(void *dev, bool writable, uint32_t request,
                         uint64_t arg, struct umem *um)
{
    struct toy *t = dev;
    uint8_t in[8], out[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    int err;

    (void)writable;
    (void)request;
    t->runs++;
    err = umem_read(um, t->ask_for_ever ? arg + t->runs : arg, in, 4);
    if (err == 0 && t->read_twice) {
        err = umem_read(um, arg + 1, in, 2);
    }
    if (err == 0 && !t->skip_plan) {
        err = umem_plan_write(um, 0x2000, sizeof(out));
    }
    if (err == 0 && !t->skip_commit) {
        err = umem_commit(um);
    }
    if (err != 0) {
        return err;
    }
    t->executed++;
    if (t->read_late) {
        (void)umem_read(um, 0x1004, in, 4);
    }
    if (t->plan_late) {
        (void)umem_plan_write(um, 0x2008, 1);
    }
    return umem_write(um, 0x2000, out, sizeof(out));
}

static const struct chardev_ops TOY_OPS = {.ioctl = toy_ioctl};

struct fixture {
    struct toy toy;
    struct chardev dev;
    struct umem_array ua;
    uint8_t in[64];
    uint8_t out[64];
};

static struct fixture *fixture(bool retry)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->dev = (struct chardev){"toy", &TOY_OPS, &f->toy};
    umem_array_init(&f->ua);
    umem_array_map(&f->ua, 0x1000, f->in, sizeof(f->in), true);
    umem_array_map(&f->ua, 0x2000, f->out, sizeof(f->out), false);
    f->ua.retry = retry;
    return f;
}

static int64_t run(struct fixture *f)
{
    return umem_array_ioctl(&f->ua, &f->dev, true, 0, 0x1000);
}

static void array__direct__one_run(void **state)
{
    struct fixture *f = fixture(false);

    (void)state;
    assert_int_equal(run(f), 0);
    assert_int_equal(f->ua.rounds, 1);
    assert_int_equal(f->out[7], 8);
    assert_int_equal(umem_array_count(&f->ua, UMEM_READ), 1);
    assert_int_equal(umem_array_bytes(&f->ua, UMEM_WRITE), 8);
    assert_false(f->ua.broke_plan);
    free(f);
}

static void array__retry__executed_once_after_asking(void **state)
{
    struct fixture *f = fixture(true);

    (void)state;
    assert_int_equal(run(f), 0);
    assert_int_equal(f->ua.rounds, 3); /* read; plan; go */
    assert_int_equal(f->toy.executed, 1);
    assert_int_equal(f->out[7], 8);
    assert_false(f->ua.broke_plan);
    assert_int_equal(run(f), 0); /* nothing is granted beforehand */
    assert_int_equal(f->ua.rounds, 3);
    free(f);
}

static void array__retry_of_bad_range__fault_before_execution(void **state)
{
    struct fixture *f = fixture(true);

    (void)state;
    f->ua.ranges[1].readonly = true;
    assert_int_equal(run(f), -EFAULT);
    assert_int_equal(f->toy.executed, 0);
    free(f);
}

static void array__retry_without_end__given_up(void **state)
{
    struct fixture *f = fixture(true);

    (void)state;
    f->toy.ask_for_ever = true;
    assert_int_equal(run(f), UMEM_RETRY);
    free(f);
}

static void array__handler_breaks_the_plan__noticed(void **state)
{
    (void)state;
    for (int rule = 0; rule < 5; rule++) {
        struct fixture *f = fixture(false);

        f->toy.skip_plan = rule == 0;
        f->toy.skip_commit = rule == 1;
        f->toy.read_twice = rule == 2;
        f->toy.read_late = rule == 3;
        f->toy.plan_late = rule == 4;
        assert_int_equal(run(f), 0);
        assert_true(f->ua.broke_plan);
        free(f);
    }
}

static void umem__range_leaves_user_space__fault_without_asking(void **state)
{
    struct fixture *f = fixture(false);
    struct umem *um = &f->ua.um;
    uint8_t b[8] = {0};

    (void)state;
    assert_int_equal(umem_read(um, UMEM_TASK_SIZE - 7, b, 8), -EFAULT);
    assert_int_equal(umem_read(um, UINT64_MAX - 3, b, 8), -EFAULT);
    assert_int_equal(umem_write(um, 0xffff800000000000, b, 8), -EFAULT);
    assert_int_equal(umem_read(um, 0, b, SIZE_MAX), -EFAULT);
    assert_int_equal(umem_plan_write(um, UMEM_TASK_SIZE, 1), 0);
    assert_int_equal(f->ua.event_count, 0);
    free(f);
}

static void umem__nothing_to_copy__success_anywhere(void **state)
{
    struct fixture *f = fixture(false);
    uint8_t b;

    (void)state;
    assert_int_equal(umem_read(&f->ua.um, UINT64_MAX, &b, 0), 0);
    assert_int_equal(umem_write(&f->ua.um, UINT64_MAX, &b, 0), 0);
    assert_int_equal(umem_plan_write(&f->ua.um, UINT64_MAX, 0), 0);
    assert_int_equal(f->ua.event_count, 0);
    free(f);
}

static void array__range_past_a_mapping__fault(void **state)
{
    struct fixture *f = fixture(false);
    uint8_t b[2];

    (void)state;
    assert_int_equal(umem_read(&f->ua.um, 0x1000 + 63, b, 2), -EFAULT);
    assert_int_equal(umem_read(&f->ua.um, 0xfff, b, 2), -EFAULT);
    assert_int_equal(umem_read(&f->ua.um, 0x1000 + 63, b, 1), 0);
    assert_int_equal(umem_write(&f->ua.um, 0x1000, b, 1), -EFAULT);
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(array__direct__one_run),
        cmocka_unit_test(array__retry__executed_once_after_asking),
        cmocka_unit_test(array__retry_of_bad_range__fault_before_execution),
        cmocka_unit_test(array__retry_without_end__given_up),
        cmocka_unit_test(array__handler_breaks_the_plan__noticed),
        cmocka_unit_test(umem__range_leaves_user_space__fault_without_asking),
        cmocka_unit_test(umem__nothing_to_copy__success_anywhere),
        cmocka_unit_test(array__range_past_a_mapping__fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
