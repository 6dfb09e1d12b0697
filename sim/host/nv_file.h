/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The platform's non-volatile store as a file: what the firmware keeps of the
 * legacy half over a power cycle.
 *
 *   00  8   "SWPSPNVF"
 *   08  4   format, 1 (little-endian, as what follows)
 *   0C  4   bytes of the store, PSP_NV_SIZE
 *   10  32  SHA-256 of the chip id: whose store it is
 *   30  32  SHA-256 of bytes 00..2F and the store
 *   50  ..  the store, encrypted by the firmware
 *
 * A file that is damaged, of another format or of another chip is refused and
 * left as it is. Functions return 0 or a negative errno; @error then holds one
 * line (STATE_ERROR_SIZE bytes).
 */
#ifndef HOST_NV_FILE_H
#define HOST_NV_FILE_H

#include "state_file.h"

#include <psp/psp.h>

#define NV_FILE_HEADER_SIZE 0x50u

struct nv_file;

/**
 * Read the store, or prepare to make it.
 *
 * @dir    Copied; NULL: @name is a path (and its folder stays unlocked).
 * @name   The file, in @dir.
 * @chip   Borrowed for the call.
 *
 * With @dir, and no file yet, the folder's lock is held until
 * nv_file_started(), so that two platforms that start at once for the first
 * time get one store.
 *
 * -EBADMSG: damaged, another format, another chip; -EPERM: others can read or
 * write it; -ENOMEM; the errno of the file.
 */
int nv_file_open(const struct state_dir *dir, const char *name,
                 const struct psp_chip *chip, struct nv_file **out,
                 char *error);
/** The platform is initialised: gives the lock back. */
void nv_file_started(struct nv_file *nv);
/** NULL is fine. */
void nv_file_close(struct nv_file *nv);

/** For struct machine_config; the context is the nv_file. Storing fails when
 * another process has changed the file since: nothing of its is overwritten. */
int nv_file_load(void *nv, uint8_t *blob);
int nv_file_store(void *nv, const uint8_t *blob);

/** A seed for what is random after this start: @seed itself while nothing was
 * stored, else one that follows from @seed and the store; so a platform that is
 * made from a fixed seed does not draw the same keys after each start. */
void nv_file_mix(const struct nv_file *nv, const uint8_t seed[32],
                 uint8_t out[32]);

/** Told of each failure to store, before the firmware learns of it. */
void nv_file_on_error(struct nv_file *nv, void (*complain)(const char *line));

#endif
