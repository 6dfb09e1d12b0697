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

/** For a process that this one traces: told, after each of its calls and before
 * it goes on, of what has come about. Paths are those by which this process
 * reaches the file; what is not below the root is passed over. */
void disk_note_made(const char *path);
void disk_note_data(const char *path);
void disk_note_sync(const char *path);
void disk_note_unlinked(const char *path);
void disk_note_renamed(const char *old, const char *path);
/** True if a name at @path is in a folder that is recorded. */
bool disk_covers(const char *path);

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

/** What the state in folder @path amounts to, as a line; asked once for each
 * different state. */
typedef void (*disk_look)(void *ctx, const char *path, char *line, size_t size);
/** Told what was found in a state after the first @calls calls. */
typedef void (*disk_judge)(void *ctx, size_t calls, const char *line);

/** The same for many commands in one recording: every cut is judged by what was
 * done before it. Returns the number of different states. */
size_t disk_each_cut(const char *path, disk_look look, disk_judge judge,
                     void *ctx);

#endif
