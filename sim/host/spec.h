/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Guest description files (--guest guest.json). One JSON object; every member
 * is optional. GUEST.md beside this file has examples.
 *
 *   name          string, 1..63 bytes, no control characters   "guest"
 *   policy        number                                     "0x30000"
 *   gosvw         hex, 16 bytes                              zeros
 *   host_data     hex, 32 bytes                              zeros
 *   vmpl          0..3: the level that the guest's kernel runs at         0
 *   vcpus         0..512: vCPUs in reset state, a VMSA page each after "pages";
 *                 default 1, or 0 when "pages" has VMSA pages
 *   vcek_disabled true: reports of this guest need a VLEK     false
 *   certs         file with a certificate table, passed on as it is, or "none"
 *   pages         array of pages in launch order; default: the small guest of
 *                 vm_spec_default()
 *
 * Identity, either made elsewhere:
 *
 *   id_block      bytes, 96
 *   id_auth       bytes, 4096; exactly when there is an id_block
 *   author_key_enabled   true: the author key in id_auth counts        false
 *
 * or made and signed here, when at least one of these is present:
 *
 *   family_id     hex, 16 bytes                              zeros
 *   image_id      hex, 16 bytes                              zeros
 *   guest_svn     0..0xffffffff                              0
 *   id_key        PEM file, P-384 private key; default: random per launch
 *   author_key    PEM file, P-384 private key; default: no author
 *                 (both also as {"pem": "..."}, the text itself)
 *
 * A page:
 *
 *   type          "normal", "vmsa", "zero", "unmeasured", "secrets", "cpuid"
 *   gpa           number, page aligned, below 0x400000000000; a VMSA's may be
 *                 anything below 2^52 and defaults to 0xfffffffff000
 *   vmpl_perms    array of three numbers 0..255: VMPL1, VMPL2, VMPL3    [0,0,0]
 *   imi           true: part of the incoming-migration image          false
 *   count         pages with this content at adjoining GPAs                1
 *
 * and at most one content, for "normal", "vmsa", "unmeasured" and "cpuid":
 *
 *   file          cut into as many pages as it takes, the last one padded with
 *                 zeros; "offset" and "size" (numbers) select a part; not with
 *                 "count"
 *   hex           at most 4096 bytes, padded with zeros
 *   fill          0..255: every byte
 *
 * Without content: a vCPU in reset state for "vmsa", a table that fits the
 * profile for "cpuid", zeros for the others.
 *
 * Numbers are JSON integers or strings "0x..." (64 bits). Bytes are a file
 * name,
 * {"hex": "..."} or {"base64": "..."}. File names start from the description's
 * folder.
 */
#ifndef HOST_SPEC_H
#define HOST_SPEC_H

#include "vm.h"

#define SPEC_ERROR_SIZE 256u

/**
 * Parse a guest description. Unknown or repeated members, wrong types, wrong
 * lengths and values out of range are errors; nothing is guessed.
 *
 * @text, @size  JSON text; need not end in NUL.
 * @dir          Directory that relative file names start from; NULL: file names
 *               are refused (fuzzers, network).
 * @profile      For the defaults.
 * @spec         Filled on success; vm_spec_clear() ends it.
 * @error        SPEC_ERROR_SIZE bytes: one line that says what and where, for
 *               example "pages[3].gpa: must be a multiple of 0x1000".
 *
 * Returns 0, -EINVAL, -ENOMEM (both with @error set).
 */
int vm_spec_parse(const char *text, size_t size, const char *dir,
                  const struct psp_profile *profile, struct vm_spec *spec,
                  char *error);

#endif
