/* SPDX-License-Identifier: Apache-2.0 */
#include "page_map.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WORD_BITS 64u

void page_map_init(struct page_map *map, size_t limit)
{
    *map = (struct page_map){.limit = limit};
}

void page_map_clear(struct page_map *map)
{
    free(map->used);
    *map = (struct page_map){0};
}

static bool is_used(const struct page_map *map, size_t page)
{
    size_t word = page / WORD_BITS;

    return word < map->word_count &&
           (map->used[word] >> (page % WORD_BITS) & 1u) != 0;
}

static int cover(struct page_map *map, size_t end)
{
    size_t want = (end + WORD_BITS - 1) / WORD_BITS;
    size_t count = map->word_count == 0 ? 4 : map->word_count;
    uint64_t *used;

    if (want <= map->word_count) {
        return 0;
    }
    while (count < want) {
        count *= 2;
    }
    used = realloc(map->used, count * sizeof(*used));
    if (used == NULL) {
        return -1;
    }
    memset(used + map->word_count, 0,
           (count - map->word_count) * sizeof(*used));
    map->used = used;
    map->word_count = count;
    return 0;
}

static size_t align_up(size_t page, size_t count)
{
    size_t align = 1;

    while (align < count) {
        align *= 2;
    }
    return (page + align - 1) / align * align;
}

/* The first free page from @page on: whole words of taken ones are passed over
 * at once. */
static size_t next_free(const struct page_map *map, size_t page)
{
    size_t word = page / WORD_BITS;
    uint64_t unused;

    if (word >= map->word_count) {
        return page;
    }
    unused = ~map->used[word] & (UINT64_MAX << (page % WORD_BITS));
    while (unused == 0 && ++word < map->word_count) {
        unused = ~map->used[word];
    }
    return word * WORD_BITS +
           (unused == 0 ? 0 : (size_t)__builtin_ctzll(unused));
}

static size_t find_run(const struct page_map *map, size_t count)
{
    size_t start = align_up(map->first_free, count);
    size_t page = start;

    while (count <= map->limit && start <= map->limit - count) {
        if (is_used(map, page)) {
            start = align_up(next_free(map, page), count);
            page = start;
        } else if (++page == start + count) {
            return start;
        }
    }
    return SIZE_MAX;
}

size_t page_map_take(struct page_map *map, size_t count)
{
    size_t start = find_run(map, count);

    if (start == SIZE_MAX || cover(map, start + count) != 0) {
        return SIZE_MAX;
    }
    for (size_t page = start; page < start + count; page++) {
        map->used[page / WORD_BITS] |= 1ull << (page % WORD_BITS);
    }
    if (start == map->first_free) {
        map->first_free = next_free(map, start + count);
    }
    return start;
}

void page_map_give(struct page_map *map, size_t page, size_t count)
{
    for (size_t p = page; p < page + count; p++) {
        assert(is_used(map, p)); /* never given back twice */
        map->used[p / WORD_BITS] &= ~(1ull << (p % WORD_BITS));
    }
    if (page < map->first_free) {
        map->first_free = page;
    }
}
