/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The guest description that the options ask for: the file's members, replaced
 * by those of the flags.
 */
#ifndef CLI_GUEST_TEXT_H
#define CLI_GUEST_TEXT_H

#include "options.h"
#include "vm.h"

#include <jansson.h>

/** Fill @spec (vm_spec_clear() ends it). False after one line on stderr. */
bool guest_spec_make(const struct platform_options *o, const char *command,
                     struct vm_spec *spec);

/** Replace the members of a description that have an option of their own. */
void guest_text_replace(const struct platform_options *o, json_t *guest);

#endif
