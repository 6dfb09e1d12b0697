/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of another process, both ways of reaching it: each row of the table
 * runs with process_vm_readv and with /proc/TID/mem. */
#include "run_mem.h"
#include "tst.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096u

/* read-write, read-only, PROT_NONE, unmapped, read-write */
static uint8_t *area;
static pid_t other;

static int make_other(void **state)
{
    (void)state;
    area = mmap(NULL, 5 * PAGE, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED) {
        return -1;
    }
    other = fork();
    if (other == 0) {
        for (size_t i = 0; i < 5 * PAGE; i++) {
            area[i] = (uint8_t)(i % 251 + 1);
        }
        mprotect(area + PAGE, PAGE, PROT_READ);
        mprotect(area + 2 * PAGE, PAGE, PROT_NONE);
        munmap(area + 3 * PAGE, PAGE);
        raise(SIGSTOP);
        _exit(0);
    }
    return waitpid(other, NULL, WUNTRACED) == other ? 0 : -1;
}

static int end_other(void **state)
{
    (void)state;
    kill(other, SIGKILL);
    waitpid(other, NULL, 0);
    munmap(area, 5 * PAGE);
    return 0;
}

static uint64_t at(size_t offset)
{
    return (uintptr_t)area + offset;
}

static struct run_mem mem_of(void **state)
{
    return (struct run_mem){.tid = other, .by_file = *(const bool *)*state};
}

static void read__mapped__copied(void **state)
{
    struct run_mem mem = mem_of(state);
    uint8_t buf[2 * PAGE];

    assert_int_equal(run_mem_read(&mem, at(0), buf, sizeof(buf)), 0);
    for (size_t i = 0; i < sizeof(buf); i++) {
        assert_int_equal(buf[i], i % 251 + 1);
    }
}

static void read__not_readable__efault(void **state)
{
    static const size_t offsets[] = {2 * PAGE, 2 * PAGE - 1, 3 * PAGE,
                                     4 * PAGE - 1};
    struct run_mem mem = mem_of(state);
    uint8_t buf[2];

    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        assert_int_equal(run_mem_read(&mem, at(offsets[i]), buf, 2), -EFAULT);
    }
    assert_int_equal(run_mem_read(&mem, 0, buf, 1), -EFAULT);
    assert_int_equal(run_mem_read(&mem, ~0ull - 1, buf, 1), -EFAULT);
}

static void write__mapped__copied(void **state)
{
    struct run_mem mem = mem_of(state);
    uint8_t buf[3];

    assert_int_equal(run_mem_write(&mem, at(4 * PAGE), "abc", 3), 0);
    assert_int_equal(run_mem_read(&mem, at(4 * PAGE), buf, 3), 0);
    assert_memory_equal(buf, "abc", 3);
}

static void write__read_only__efault(void **state)
{
    struct run_mem mem = mem_of(state);
    uint8_t byte;

    assert_int_equal(run_mem_write(&mem, at(PAGE), "x", 1), -EFAULT);
    assert_int_equal(run_mem_write(&mem, at(2 * PAGE), "x", 1), -EFAULT);
    assert_int_equal(run_mem_write(&mem, at(3 * PAGE), "x", 1), -EFAULT);
    assert_int_equal(run_mem_read(&mem, at(PAGE), &byte, 1), 0);
    assert_int_equal(byte, PAGE % 251 + 1);
}

/* As Linux's copy functions: what comes before the fault is written. */
static void write__into_read_only__first_part_written(void **state)
{
    struct run_mem mem = mem_of(state);
    uint8_t byte;

    assert_int_equal(run_mem_write(&mem, at(PAGE - 1), "xy", 2), -EFAULT);
    assert_int_equal(run_mem_read(&mem, at(PAGE - 1), &byte, 1), 0);
    assert_int_equal(byte, 'x');
}

static void size__beyond_reason__efault(void **state)
{
    struct run_mem mem = mem_of(state);
    uint8_t *buf = malloc(RUN_MEM_MAX + 1u);

    assert_non_null(buf);
    assert_int_equal(run_mem_read(&mem, at(0), buf, RUN_MEM_MAX + 1u), -EFAULT);
    free(buf);
}

static void string__up_to_the_last_byte__read(void **state)
{
    struct run_mem mem = mem_of(state);
    char buf[64];

    assert_int_equal(run_mem_write(&mem, at(5 * PAGE - 4), "end", 4), 0);
    assert_int_equal(run_mem_string(&mem, at(5 * PAGE - 4), buf, sizeof(buf)),
                     0);
    assert_string_equal(buf, "end");
    assert_int_equal(run_mem_string(&mem, at(5 * PAGE - 4), buf, 4), 0);
    assert_int_equal(run_mem_string(&mem, at(5 * PAGE - 4), buf, 3),
                     -ENAMETOOLONG);
}

static void string__runs_into_nothing__efault(void **state)
{
    struct run_mem mem = mem_of(state);
    char buf[64];

    assert_int_equal(run_mem_string(&mem, at(2 * PAGE - 8), buf, sizeof(buf)),
                     -EFAULT);
    assert_int_equal(run_mem_string(&mem, at(3 * PAGE), buf, sizeof(buf)),
                     -EFAULT);
}

static void process__gone__no_access(void **state)
{
    struct run_mem mem = {.tid = INT32_MAX, .by_file = *(const bool *)*state};
    uint8_t byte;

    assert_int_not_equal(run_mem_read(&mem, at(0), &byte, 1), 0);
}

int main(void)
{
    static bool by_call = false, by_file = true;
#define T(name)                                                                \
    {#name "[process_vm]", name, make_other, end_other, &by_call},             \
    {                                                                          \
#name "[mem file]", name, make_other, end_other, &by_file              \
    }
    const struct CMUnitTest tests[] = {
        T(read__mapped__copied),
        T(read__not_readable__efault),
        T(write__mapped__copied),
        T(write__read_only__efault),
        T(write__into_read_only__first_part_written),
        T(size__beyond_reason__efault),
        T(string__up_to_the_last_byte__read),
        T(string__runs_into_nothing__efault),
        T(process__gone__no_access),
    };
#undef T

    return cmocka_run_group_tests_name("run_mem", tests, NULL, NULL);
}
