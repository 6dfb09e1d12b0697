/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The state of one platform on disk: what its firmware keeps (NV), how it was
 * configured, and the guests that are to be launched again.
 *
 *   DIR/platform/serve.lock    held by the one process that owns the platform
 *   DIR/platform/config        JSON: {"options": those the platform was made
 *                              with, "nv": whether there is one}
 *   DIR/platform/nv            the firmware's non-volatile store
 *   DIR/platform/guests/NAME   JSON: the launch request of a guest
 *
 * Each file is a header of 128 bytes and a payload; numbers are little-endian:
 *
 *   0   8   "SWPSPST\n"
 *   8   4   format, 1
 *   12  4   kind: 1 config, 2 nv, 3 guest
 *   16  8   bytes of payload
 *   24  64  chip id of the platform that the file belongs to
 *   88  8   zero
 *   96  32  SHA-256 of bytes 0..95 and the payload
 *
 * A file that is cut, damaged, of a newer format, of another kind or another
 * platform's is refused with one line, and left as it is. Writes are atomic and
 * on disk when they return (state_file.h).
 *
 * Functions return 0 or a negative errno with one line in @error
 * (STATE_ERROR_SIZE bytes). Thread-safe after state_store_set_owner(), as long
 * as no file is written by two threads at once.
 */
#ifndef SERVICE_STATE_STORE_H
#define SERVICE_STATE_STORE_H

#include "state_file.h"

#include <psp/profile.h>
#include <psp/psp.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum state_kind { STATE_CONFIG = 1, STATE_NV = 2, STATE_GUEST = 3 };

#define STATE_HEADER_SIZE 128u
#define STATE_PAYLOAD_MAX (64u << 20)
#define STATE_NAME_MAX    63u
#define STATE_CONFIG_NAME "config"
#define STATE_NV_NAME     "nv"

struct state_store;

/** True for 1 to 63 letters, digits, '-' and '_' that start with a letter or
 * digit: what a guest may be called. */
bool state_name_ok(const char *name);

/** Open DIR/platform, made when missing, and take the lock. -EBUSY: another
 * process holds it (the text says which). */
int state_store_open(const char *dir, struct state_store **out, char *error);
/** Gives the lock back. NULL is fine. */
void state_store_close(struct state_store *s);

/** Whose files these are. -EBADMSG when one that was read before is another
 * platform's. */
int state_store_set_owner(struct state_store *s,
                          const uint8_t chip_id[PSP_CHIP_ID_SIZE], char *error);

/** @payload: free() ends it; a zero byte follows it. -ENOENT: no such file;
 * -EBADMSG: refused; errno of the file. Before the owner is set, any owner is
 * accepted, for state_store_set_owner() to compare. */
int state_store_read(struct state_store *s, enum state_kind kind,
                     const char *name, uint8_t **payload, size_t *size,
                     char *error);
/** The owner is set. */
int state_store_write(struct state_store *s, enum state_kind kind,
                      const char *name, const void *payload, size_t size,
                      char *error);
/** Gone for good when it returns 0. */
int state_store_remove(struct state_store *s, enum state_kind kind,
                       const char *name, char *error);

/** Names of all guests' files, sorted; state_names_free(). -EBADMSG: a file
 * that is none of ours. */
int state_store_guests(struct state_store *s, char ***names, size_t *count,
                       char *error);
void state_names_free(char **names, size_t count);

/** For struct machine_config; @store is a struct state_store. What went wrong
 * is kept for state_store_nv_error(). */
int state_store_nv_load(void *store, uint8_t *blob);
int state_store_nv_store(void *store, const uint8_t *blob);
/** One of the two has seen or made a store. */
bool state_store_has_nv(const struct state_store *s);
/** Last failure of the two, or "". */
const char *state_store_nv_error(const struct state_store *s);

/** The codec alone. @file: STATE_HEADER_SIZE + @size bytes; free() ends it;
 * NULL when out of memory. */
uint8_t *state_encode(enum state_kind kind,
                      const uint8_t owner[PSP_CHIP_ID_SIZE],
                      const void *payload, size_t size, size_t *file_size);
/** Check a file; @where starts the message. @owner: whose it is. Returns 0 with
 * *payload borrowed from @file, or -EBADMSG. */
int state_decode(const char *where, enum state_kind kind, const uint8_t *file,
                 size_t file_size, uint8_t owner[PSP_CHIP_ID_SIZE],
                 const uint8_t **payload, size_t *size, char *error);

#endif
