/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Small files that must survive: written whole or not at all, read only when
 * nobody else could have written them.
 *
 * A file is written to a temporary name in the same folder, synced, renamed
 * over its name, and the folder is synced. A process that dies leaves at most a
 * temporary file (*.tmp-XXXXXXXX), which is swept by a later state_dir_lock().
 *
 * Functions return 0 or a negative errno; @error then holds one line that says
 * what and where (STATE_ERROR_SIZE bytes, always ends in NUL).
 */
#ifndef HOST_STATE_FILE_H
#define HOST_STATE_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define STATE_ERROR_SIZE 512u

/** Modes of folders and files: secret, or for everybody to read. */
#define STATE_DIR_PRIVATE  0700
#define STATE_FILE_PRIVATE 0600
#define STATE_DIR_PUBLIC   0755
#define STATE_FILE_PUBLIC  0644

/** An open folder. */
struct state_dir {
    int fd;
    char *path; /* for messages */
};

/**
 * Open @path, making it and its parents with @mode when they are missing (less
 * the umask). With STATE_DIR_PRIVATE, refuse (-EPERM) a folder that others can
 * write to or that another user owns (root may use anybody's).
 */
int state_dir_open(const char *path, mode_t mode, struct state_dir *dir,
                   char *error);
/** The same for @name, one or more components, below @parent. */
int state_dir_sub(const struct state_dir *parent, const char *name, mode_t mode,
                  struct state_dir *dir, char *error);
void state_dir_close(struct state_dir *dir);

/**
 * Wait for the folder's lock (file "lock") and take it: one process, one
 * holder. Sweeps temporary files that have been lying there for ten minutes.
 * Returns a descriptor whose close() releases the lock, or a negative errno.
 */
int state_dir_lock(const struct state_dir *dir, char *error);

/**
 * Read a file of at most @max bytes.
 *
 * @data  free() ends it; one byte more than *size is allocated, a zero.
 *
 * -ENOENT when there is none. With STATE_FILE_PRIVATE in @mode: -EPERM when
 * others can read or write it or another user owns it. -EFBIG, -ENOMEM;
 * -EINVAL: no regular file; -ELOOP: a symbolic link.
 */
int state_file_read(const struct state_dir *dir, const char *name, mode_t mode,
                    size_t max, uint8_t **data, size_t *size, char *error);

/** Write or replace a file. On failure the old content, if any, is as it was,
 * and no new file is left; except that a file may have its new content when
 * only the sync of the folder has failed. */
int state_file_write(const struct state_dir *dir, const char *name, mode_t mode,
                     const void *data, size_t size, char *error);

/** Write a line to @error; @code is returned. */
int state_error(char *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
