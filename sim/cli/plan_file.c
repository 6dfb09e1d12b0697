/* SPDX-License-Identifier: Apache-2.0 */
#include "plan_file.h"

#include "parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool plan_file_load(const char *command, const char *path,
                    struct fault_plan **out)
{
    char error[FAULT_ERROR_SIZE] = "";
    size_t size = 0;
    uint8_t *text = parse_file(path, FAULT_FILE_MAX, &size);
    const char *why = NULL;

    *out = NULL;
    if (text == NULL) {
        why = strerror(errno);
    } else if (fault_plan_parse((const char *)text, size, out, error) != 0) {
        why = error;
    }
    free(text);
    if (why != NULL) {
        fprintf(stderr, "swpsp %s: --faults %s: %s\n", command, path, why);
    }
    return why == NULL;
}
