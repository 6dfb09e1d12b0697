/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Any artefact as text for people or as JSON. Both are made from one tree,
 * so they have the same fields under the same names: AMD's words in lower case.
 *
 * JSON: integers of up to 32 bits are numbers; wider bit fields are strings
 * "0x..."; byte strings are lower-case hex in memory order; R and S are
 * numbers, 96 hex digits, most significant first. The numbers of legacy
 * certificates are too: of RSA as many digits as the field has, but exponents
 * of up to 64 bits "0x...". Every object has "type" where more than one kind
 * can stand. Fields that a report version does not have are absent. Output is
 * ASCII, and a function of the input alone.
 */
#ifndef VERIFIER_DECODE_H
#define VERIFIER_DECODE_H

#include "artefact.h"

#include <psp/err.h>

#include <stddef.h>
#include <stdint.h>

#define DECODE_WHY_SIZE 160u

enum decode_form { DECODE_TEXT, DECODE_JSON };

/**
 * @type  ARTEFACT_UNKNOWN: tell by looking.
 * @out   On PSP_OK the text, ending in a newline and NUL; free() ends it.
 * @why   DECODE_WHY_SIZE bytes: on PSP_E_FORMAT one clause that says what is
 *        wrong and where.
 *
 * PSP_OK, PSP_E_FORMAT (whole artefact refused), PSP_E_NOMEM. Objects inside a
 * certificate table that are no certificate are shown by size only.
 */
PSP_MUST_CHECK enum psp_err decode_artefact(const uint8_t *data, size_t size,
                                            enum artefact type,
                                            enum decode_form form, char **out,
                                            char *why);

#endif
