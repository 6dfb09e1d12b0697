/* SPDX-License-Identifier: Apache-2.0 */
#include "dram.h"

#include "crypto.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* 48 bits = 4 levels of 9 bits above the page offset. */
#define LEVELS     4u
#define LEVEL_BITS 9u
#define FANOUT     (1u << LEVEL_BITS)

struct node {
    void *slot[FANOUT]; /* nodes; pages on the last level */
};

struct dram {
    uint64_t size;
    size_t resident;
    struct node *root;
};

struct dram *dram_create(uint64_t size)
{
    struct dram *dram = calloc(1, sizeof(*dram));

    if (dram == NULL) {
        return NULL;
    }
    dram->size = size;
    dram->root = calloc(1, sizeof(*dram->root));
    if (dram->root == NULL) {
        free(dram);
        return NULL;
    }
    return dram;
}

static void free_node(struct node *node, unsigned int level)
{
    for (size_t i = 0; i < FANOUT; i++) {
        if (node->slot[i] == NULL) {
            continue;
        }
        if (level + 1 < LEVELS) {
            free_node(node->slot[i], level + 1);
        } else {
            psp_wipe(node->slot[i], DRAM_PAGE_SIZE);
            free(node->slot[i]);
        }
    }
    free(node);
}

void dram_destroy(struct dram *dram)
{
    if (dram != NULL) {
        free_node(dram->root, 0);
        free(dram);
    }
}

bool dram_range_ok(const struct dram *dram, uint64_t spa, uint64_t size)
{
    return size <= dram->size && spa <= dram->size - size;
}

static size_t slot_index(uint64_t spa, unsigned int level)
{
    unsigned int shift = 12 + LEVEL_BITS * (LEVELS - 1 - level);

    return (size_t)(spa >> shift) & (FANOUT - 1);
}

static void **find_slot(const struct dram *dram, uint64_t spa)
{
    struct node *node = dram->root;

    for (unsigned int level = 0; level + 1 < LEVELS; level++) {
        node = node->slot[slot_index(spa, level)];
        if (node == NULL) {
            return NULL;
        }
    }
    return &node->slot[slot_index(spa, LEVELS - 1)];
}

static uint8_t *find_page(const struct dram *dram, uint64_t spa)
{
    void **slot = find_slot(dram, spa);

    return slot == NULL ? NULL : *slot;
}

static uint8_t *make_page(struct dram *dram, uint64_t spa)
{
    struct node *node = dram->root;
    void **slot;

    for (unsigned int level = 0; level + 1 < LEVELS; level++) {
        slot = &node->slot[slot_index(spa, level)];
        if (*slot == NULL) {
            *slot = calloc(1, sizeof(*node));
        }
        if (*slot == NULL) {
            return NULL;
        }
        node = *slot;
    }
    slot = &node->slot[slot_index(spa, LEVELS - 1)];
    if (*slot == NULL) {
        *slot = calloc(1, DRAM_PAGE_SIZE);
        dram->resident += *slot != NULL;
    }
    return *slot;
}

/* Bytes of [spa, spa + left) that lie in the page of spa. */
static size_t in_page(uint64_t spa, size_t left)
{
    size_t room = DRAM_PAGE_SIZE - (size_t)(spa % DRAM_PAGE_SIZE);

    return left < room ? left : room;
}

int dram_read(const struct dram *dram, uint64_t spa, void *buf, size_t size)
{
    uint8_t *out = buf;

    if (!dram_range_ok(dram, spa, size)) {
        return -EFAULT;
    }
    while (size > 0) {
        size_t n = in_page(spa, size);
        const uint8_t *page = find_page(dram, spa);

        if (page == NULL) {
            memset(out, 0, n);
        } else {
            memcpy(out, page + spa % DRAM_PAGE_SIZE, n);
        }
        out += n;
        spa += n;
        size -= n;
    }
    return 0;
}

/* So that a write over several pages happens whole or not at all. */
static int make_pages(struct dram *dram, uint64_t spa, size_t size)
{
    while (size > 0) {
        size_t n = in_page(spa, size);

        if (make_page(dram, spa) == NULL) {
            return -ENOMEM;
        }
        spa += n;
        size -= n;
    }
    return 0;
}

int dram_write(struct dram *dram, uint64_t spa, const void *buf, size_t size)
{
    const uint8_t *in = buf;

    if (!dram_range_ok(dram, spa, size)) {
        return -EFAULT;
    }
    if (in_page(spa, size) != size && make_pages(dram, spa, size) != 0) {
        return -ENOMEM;
    }
    while (size > 0) {
        size_t n = in_page(spa, size);
        uint8_t *page = make_page(dram, spa);

        if (page == NULL) {
            return -ENOMEM;
        }
        memcpy(page + spa % DRAM_PAGE_SIZE, in, n);
        in += n;
        spa += n;
        size -= n;
    }
    return 0;
}

void dram_drop(struct dram *dram, uint64_t spa)
{
    void **slot;

    if (!dram_range_ok(dram, spa, 1)) {
        return;
    }
    slot = find_slot(dram, spa);
    if (slot != NULL && *slot != NULL) {
        psp_wipe(*slot, DRAM_PAGE_SIZE);
        free(*slot);
        *slot = NULL;
        dram->resident--;
    }
}

size_t dram_resident(const struct dram *dram)
{
    return dram->resident;
}
