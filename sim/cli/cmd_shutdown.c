/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "control_cli.h"

#include <stddef.h>
#include <stdio.h>

static const char HELP[] = "usage: swpsp shutdown [--socket PATH] [--json]\n\n"
                           "End a running `swpsp serve`.\n";

int cmd_shutdown(int argc, char **argv)
{
    struct control_options o = {0};
    int status = control_options_parse(&o, "shutdown", HELP, argc, argv);
    json_t *result;

    if (status >= 0) {
        return status;
    }
    result = control_ask(&o, "shutdown", json_pack("{s:s}", "op", "shutdown"));
    status = result == NULL ? EXIT_USAGE : EXIT_OK;
    if (result != NULL && o.json) {
        (void)json_dumpf(result, stdout, JSON_COMPACT);
        (void)putchar('\n');
    }
    json_decref(result);
    return status;
}
