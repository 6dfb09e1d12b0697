/* SPDX-License-Identifier: Apache-2.0 */
/* Sparse memory and the map of pages handed out. */
#include "tst.h"

#include "dram.h"
#include "page_map.h"

#include "wire.h"

#include <errno.h>

#define SIZE (1ull << 40)

static void dram__untouched__reads_zeros_without_store(void **state)
{
    struct dram *dram = dram_create(SIZE);
    uint8_t buf[100];

    (void)state;
    memset(buf, 0xff, sizeof(buf));
    assert_int_equal(dram_read(dram, SIZE - 100, buf, 100), 0);
    assert_true(psp_all_zero(buf, sizeof(buf)));
    assert_int_equal(dram_resident(dram), 0);
    dram_destroy(dram);
}

static void dram__write_over_pages__reads_back(void **state)
{
    struct dram *dram = dram_create(SIZE);
    uint8_t in[3 * DRAM_PAGE_SIZE], out[3 * DRAM_PAGE_SIZE];
    const uint64_t spa = 0x7fffffff123; /* crosses nodes on every level */

    (void)state;
    for (size_t i = 0; i < sizeof(in); i++) {
        in[i] = (uint8_t)(i % 251);
    }
    dram_destroy(dram);
    dram = dram_create(1ull << 44);
    assert_int_equal(dram_write(dram, spa, in, sizeof(in)), 0);
    assert_int_equal(dram_resident(dram), 4);
    assert_int_equal(dram_read(dram, spa, out, sizeof(out)), 0);
    assert_memory_equal(in, out, sizeof(in));
    assert_int_equal(dram_read(dram, spa + 5, out, 10), 0);
    assert_memory_equal(in + 5, out, 10);
    dram_destroy(dram);
}

static void dram__beyond_the_end__fault_and_nothing_done(void **state)
{
    struct dram *dram = dram_create(SIZE);
    uint8_t buf[16] = {1};

    (void)state;
    assert_int_equal(dram_write(dram, SIZE - 15, buf, 16), -EFAULT);
    assert_int_equal(dram_write(dram, UINT64_MAX - 3, buf, 16), -EFAULT);
    assert_int_equal(dram_read(dram, SIZE, buf, 1), -EFAULT);
    assert_int_equal(dram_read(dram, SIZE, buf, 0), 0);
    assert_int_equal(dram_resident(dram), 0);
    dram_destroy(dram);
}

static void dram__drop__zeros_and_no_store(void **state)
{
    struct dram *dram = dram_create(SIZE);
    uint8_t b = 7;

    (void)state;
    assert_int_equal(dram_write(dram, 0x5000, &b, 1), 0);
    dram_drop(dram, 0x5000);
    dram_drop(dram, 0x5000);
    dram_drop(dram, SIZE); /* not backed: nothing to do */
    assert_int_equal(dram_resident(dram), 0);
    assert_int_equal(dram_read(dram, 0x5000, &b, 1), 0);
    assert_int_equal(b, 0);
    dram_destroy(dram);
}

static void pages__take__lowest_first(void **state)
{
    struct page_map map;

    (void)state;
    page_map_init(&map, 1000);
    assert_int_equal(page_map_take(&map, 1), 0);
    assert_int_equal(page_map_take(&map, 1), 1);
    assert_int_equal(page_map_take(&map, 1), 2);
    page_map_give(&map, 1, 1);
    assert_int_equal(page_map_take(&map, 1), 1);
    assert_int_equal(page_map_take(&map, 1), 3);
    page_map_clear(&map);
}

static void pages__run__adjoining_and_aligned(void **state)
{
    struct page_map map;

    (void)state;
    page_map_init(&map, 1000);
    assert_int_equal(page_map_take(&map, 1), 0);
    assert_int_equal(page_map_take(&map, 3), 4);
    assert_int_equal(page_map_take(&map, 2), 2);
    assert_int_equal(page_map_take(&map, 1), 1);
    assert_int_equal(page_map_take(&map, 100), 128);
    assert_int_equal(page_map_take(&map, 1), 7);
    page_map_give(&map, 128, 100);
    assert_int_equal(page_map_take(&map, 128), 128);
    page_map_clear(&map);
}

static void pages__none_left__nothing(void **state)
{
    struct page_map map;

    (void)state;
    page_map_init(&map, 5);
    assert_int_equal(page_map_take(&map, 6), SIZE_MAX);
    assert_int_equal(page_map_take(&map, 4), 0);
    assert_int_equal(page_map_take(&map, 2), SIZE_MAX);
    assert_int_equal(page_map_take(&map, 1), 4);
    assert_int_equal(page_map_take(&map, 1), SIZE_MAX);
    page_map_give(&map, 3, 1);
    assert_int_equal(page_map_take(&map, 1), 3);
    page_map_clear(&map);
}

/* What is taken in between must not be looked at again by every later call. */
static void pages__taken_in_between__passed_over_once(void **state)
{
    struct page_map map;

    (void)state;
    page_map_init(&map, 10000);
    assert_int_equal(page_map_take(&map, 1), 0);
    assert_int_equal(page_map_take(&map, 512), 512);
    for (size_t page = 1; page < 512; page++) {
        assert_int_equal(page_map_take(&map, 1), page);
    }
    assert_int_equal(map.first_free, 1024);
    assert_int_equal(page_map_take(&map, 1), 1024);
    page_map_clear(&map);
}

static size_t plain_take(uint8_t *used, size_t limit, size_t count)
{
    size_t align = 1;

    while (align < count) {
        align *= 2;
    }
    for (size_t start = 0; start + count <= limit; start += align) {
        size_t n = 0;

        while (n < count && !used[start + n]) {
            n++;
        }
        if (n == count) {
            memset(used + start, 1, count);
            return start;
        }
    }
    return SIZE_MAX;
}

static void pages__random_walk__as_a_plain_array(void **state)
{
    enum { LIMIT = 1500, STEPS = 4000 };
    static uint8_t used[LIMIT];
    struct page_map map;
    uint32_t x = 77;

    (void)state;
    memset(used, 0, sizeof(used));
    page_map_init(&map, LIMIT);
    for (unsigned int step = 0; step < STEPS; step++) {
        size_t page, count;

        x = x * 1664525 + 1013904223;
        count = (x >> 28) == 0 ? 40 : (x >> 24 & 3) + 1;
        page = (x >> 8) % LIMIT;
        if ((x >> 20 & 1) == 0) {
            assert_true(page_map_take(&map, count) ==
                        plain_take(used, LIMIT, count));
        } else if (used[page]) {
            page_map_give(&map, page, 1);
            used[page] = 0;
        }
    }
    page_map_clear(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dram__untouched__reads_zeros_without_store),
        cmocka_unit_test(dram__write_over_pages__reads_back),
        cmocka_unit_test(dram__beyond_the_end__fault_and_nothing_done),
        cmocka_unit_test(dram__drop__zeros_and_no_store),
        cmocka_unit_test(pages__take__lowest_first),
        cmocka_unit_test(pages__run__adjoining_and_aligned),
        cmocka_unit_test(pages__none_left__nothing),
        cmocka_unit_test(pages__taken_in_between__passed_over_once),
        cmocka_unit_test(pages__random_walk__as_a_plain_array),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
