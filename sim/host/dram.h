/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Sparse physical memory: 4 KiB pages in a radix tree, made on first write.
 * Backed pages that nobody wrote read as zeros. Not thread-safe.
 */
#ifndef HOST_DRAM_H
#define HOST_DRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DRAM_PAGE_SIZE 0x1000u
/** The tree reaches this far. */
#define DRAM_MAX_SIZE (1ull << 48)

struct dram;

/** Memory [0, @size); @size is page aligned and at most DRAM_MAX_SIZE. NULL
 * when out of memory. */
struct dram *dram_create(uint64_t size);
/** Wipes every page. NULL is fine. */
void dram_destroy(struct dram *dram);

/** True if every byte of the range is backed. */
bool dram_range_ok(const struct dram *dram, uint64_t spa, uint64_t size);

/** 0 or -EFAULT (a byte is not backed; nothing was copied). */
int dram_read(const struct dram *dram, uint64_t spa, void *buf, size_t size);
/** 0, -EFAULT or -ENOMEM (nothing was changed). */
int dram_write(struct dram *dram, uint64_t spa, const void *buf, size_t size);

/** Wipe one page and give its store back; it reads as zeros again. */
void dram_drop(struct dram *dram, uint64_t spa);

/** Pages that take up store right now. */
size_t dram_resident(const struct dram *dram);

#endif
