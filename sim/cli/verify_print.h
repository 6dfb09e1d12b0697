/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Verdicts on standard output, of either verifier in the same form.
 */
#ifndef CLI_VERIFY_PRINT_H
#define CLI_VERIFY_PRINT_H

#include "verifier.h"

#include <stdbool.h>
#include <stddef.h>

struct verdicts {
    const struct verify_line *line; /* of @count checks */
    size_t count;
    const char *(*name)(size_t check);
    bool ok;
    bool simulated;
    const char *product; /* NULL: not shown */
};

/** Print, in text or JSON. Returns the exit status of `swpsp verify`;
 * EXIT_USAGE and one line on stderr when standard output fails. */
int verdicts_print(const struct verdicts *v, bool json);

#endif
