/* SPDX-License-Identifier: Apache-2.0 */
#include "serve_faults.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

json_t *serve_faults_show(struct fault_plan *plan)
{
    json_t *list = json_array();
    struct fault_count c;

    for (size_t i = 0; fault_plan_count(plan, i, &c); i++) {
        (void)json_array_append_new(
            list,
            json_pack("{s:s, s:s, s:I, s:I}", "at", fault_place_name(c.at),
                      "do", fault_kind_name(c.kind), "fits", (json_int_t)c.fits,
                      "applied", (json_int_t)c.hits));
    }
    return json_pack("{s:o}", "faults", list);
}

int serve_faults_set(struct fault_plan *plan, const json_t *text, char *error)
{
    char why[FAULT_ERROR_SIZE] = "";
    char *copy = json_dumps(text, JSON_COMPACT);
    int rc = -ENOMEM;

    if (copy != NULL && strlen(copy) > FAULT_FILE_MAX) {
        rc = state_error(error, -EINVAL, "plan: more than %u bytes",
                         FAULT_FILE_MAX);
    } else if (copy != NULL) {
        rc = fault_plan_replace(plan, copy, strlen(copy), why);
    }
    free(copy);
    if (rc == -ENOMEM) {
        return state_error(error, rc, "out of memory");
    }
    return rc == 0 || why[0] == '\0' ? rc
                                     : state_error(error, rc, "plan: %s", why);
}
