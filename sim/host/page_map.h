/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Which physical pages the hypervisor has handed out: lowest free run first, so
 * that the same sequence of calls always gives the same addresses. Freeing
 * never allocates. Not thread-safe.
 */
#ifndef HOST_PAGE_MAP_H
#define HOST_PAGE_MAP_H

#include <stddef.h>
#include <stdint.h>

struct page_map {
    uint64_t *used; /* bit n: page n is taken */
    size_t word_count;
    size_t first_free; /* no page below is free */
    size_t limit;      /* pages in total */
};

void page_map_init(struct page_map *map, size_t limit);
void page_map_clear(struct page_map *map);

/** Take @count > 0 adjoining pages; the first one's number is a multiple of
 * @count rounded up to a power of two. Returns it, or SIZE_MAX when there is no
 * such run or no memory for the map. */
size_t page_map_take(struct page_map *map, size_t count);
/** Give back pages that were taken. */
void page_map_give(struct page_map *map, size_t page, size_t count);

#endif
