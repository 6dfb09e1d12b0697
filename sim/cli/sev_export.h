/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The certificates that a platform has of itself, from its /dev/sev, as files
 * with the names that sevtool and sevctl know.
 */
#ifndef CLI_SEV_EXPORT_H
#define CLI_SEV_EXPORT_H

#include "chardev.h"
#include "state_file.h"

/**
 * Write pdh.cert, pek.cert, oca.cert and chain.cert (PDH, PEK, OCA, CEK: what
 * `sevctl export` writes) into @dir.
 *
 * @dev  /dev/sev; SEV_PDH_CERT_EXPORT initialises the platform when nobody has.
 * @cek  SEV_CERT_SIZE bytes: the CEK as the key server signs it.
 *
 * 0 or a negative errno; then @error (STATE_ERROR_SIZE) holds one line.
 */
int sev_export(const struct chardev *dev, const uint8_t *cek,
               const struct state_dir *dir, char *error);

#endif
