/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A disk whose power can be cut. While it records, every call of this program
 * that changes files below a folder is noted (the linker wraps openat, write,
 * pwrite, ftruncate, fsync, renameat, unlinkat and mkdirat). Afterwards each
 * state that the folder could be in, had the power gone after any of the calls,
 * is built in another folder:
 *
 *   - what a file holds beyond its last fsync is lost, there, cut in half,
 *     zeros, or half garbage;
 *   - names that were made, moved or removed since the last fsync of their
 *     folder are so or are not, in every combination.
 */
#ifndef FAULT_DISK_H
#define FAULT_DISK_H

#include <stdbool.h>
#include <stddef.h>

/** Start to record below @root, whose present content is safe. */
void disk_record(const char *root);
/** Changing calls noted so far. */
size_t disk_calls(void);
void disk_stop(void);

/** While recording: the @nth changing call from now fails with EIO. */
void disk_fail(size_t nth);
/** Whether one has. */
bool disk_failed(void);

enum disk_moment {
    DISK_BEFORE, /* nothing has been done */
    DISK_WITHIN,
    DISK_AFTER,    /* everything has returned; the power went at once */
    DISK_FINISHED, /* everything has returned and reached the disk */
};

/** Told of a state that was built in folder @path. */
typedef void (*disk_check)(void *ctx, const char *path, enum disk_moment when);

/** Build each different state in @path (made; removed after each) and have it
 * checked, DISK_BEFORE and DISK_FINISHED first. Returns how many there are.
 * Fails the test when something cannot be built. */
size_t disk_each(const char *path, disk_check check, void *ctx);

#endif
