/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Description files of legacy SEV and SEV-ES guests. One JSON object; every
 * member is optional.
 *
 *   name       string, 1..63 bytes, no control characters     "guest"
 *   policy     number, 32 bits                                1
 *   session    {"godh": bytes, 2084; "blob": bytes, 128}      none
 *   memory     array of regions in launch order; default: 64 KiB of reset code
 *              that end at 4 GiB
 *   vcpus      1..512: vCPUs in reset state, SEV-ES only      1 with SEV-ES
 *   vmsas      array of bytes, 4096 each, instead of "vcpus"
 *   secrets    array of packets, injected after the measurement
 *   finish     false: stop before LAUNCH_FINISH               true
 *
 * A region:
 *
 *   gpa        number, page aligned, below 2^52
 *   file       its bytes, or
 *   hex        hex digits, or
 *   fill       0..255, repeated "size" times; a multiple of 16 bytes in each
 *              case
 *   size       number: bytes of "fill"; alone: plain memory that is no part of
 *              the launch
 *
 * A packet:
 *
 *   gpa        number, 16-byte aligned
 *   header     bytes, 52
 *   payload    file name or {"hex": "..."}: 16 to 16384 bytes
 *
 * Numbers are JSON integers or strings "0x...". Bytes are a file name,
 * {"hex": "..."} or {"base64": "..."}. File names start from the description's
 * folder.
 */
#ifndef HOST_LEGACY_VM_SPEC_H
#define HOST_LEGACY_VM_SPEC_H

#include "legacy_vm.h"
#include "spec.h" /* SPEC_ERROR_SIZE */

/**
 * Parse a description. Unknown or repeated members, wrong types, wrong lengths
 * and values out of range are errors; nothing is guessed.
 *
 * @text, @size  JSON text; need not end in NUL.
 * @dir          Directory that relative file names start from; NULL: file names
 *               are refused (fuzzers, network).
 * @profile      For vCPUs in reset state.
 * @spec         Filled on success; legacy_vm_spec_clear() ends it.
 * @error        SPEC_ERROR_SIZE bytes: one line that says what and where.
 *
 * Returns 0, -EINVAL, -ENOMEM (both with @error set).
 */
int legacy_vm_spec_parse(const char *text, size_t size, const char *dir,
                         const struct psp_profile *profile,
                         struct legacy_vm_spec *spec, char *error);

#endif
