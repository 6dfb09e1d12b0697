/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Guest description files (--guest spec.json).
 */
#ifndef HOST_SPEC_H
#define HOST_SPEC_H

#include "vm.h"

#define SPEC_ERROR_SIZE 256u

/**
 * Parse a guest description. Unknown members, wrong types, wrong lengths and
 * values out of range are errors; nothing is guessed.
 *
 * @text, @size  JSON text; need not end in NUL.
 * @dir          Directory that relative file names start from; NULL: file names
 *               are refused (fuzzers, network).
 * @profile      For the defaults.
 * @spec         Filled on success; vm_spec_clear() ends it.
 * @error        SPEC_ERROR_SIZE bytes: one line that says what and where.
 *
 * Returns 0, -EINVAL, -ENOMEM.
 */
int vm_spec_parse(const char *text, size_t size, const char *dir,
                  const struct psp_profile *profile, struct vm_spec *spec,
                  char *error);

#endif
