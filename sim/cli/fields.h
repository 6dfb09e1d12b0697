/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Names of the fields of ioctl structures and mailbox command buffers, for
 * traces. Spec: abi/linux.md §1.4, §1.5, §4.2, §4.3; abi/snp.md §1; abi/sev.md
 * §1.
 */
#ifndef CLI_FIELDS_H
#define CLI_FIELDS_H

#include "ccp.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** Little-endian number of 1, 2, 4 or 8 bytes, or (other sizes) bytes. A list
 * ends with size 0. */
struct field {
    const char *name;
    uint16_t offset;
    uint16_t size;
};

/** "{name=0x1, ...}" for the fields that lie within @size bytes. */
void fields_print(FILE *out, const struct field *fields, const uint8_t *bytes,
                  size_t size);

/** Envelope of an ioctl request number, or NULL. */
const struct field *fields_of_envelope(uint32_t request);

/**
 * Name of the request whose envelope was read ("SNP_GET_REPORT",
 * "SEV_PEK_CSR"), or NULL.
 * @sev           Says what the numbers of /dev/sev mean.
 * @inner, @addr  Fields and user address of the structure that the envelope
 *                points to; NULL when there is none.
 */
const char *fields_of_request(const struct ccp_config *sev, uint32_t request,
                              const uint8_t *envelope, size_t size,
                              const struct field **inner, uint64_t *addr);

/** Fields of a mailbox command's buffer, or NULL. */
const struct field *fields_of_command(uint32_t command);

#endif
