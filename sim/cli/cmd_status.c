/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "control_cli.h"

#include <stddef.h>

static const char HELP[] = "usage: swpsp status [--socket PATH] [--json]\n\n"
                           "Show what a running `swpsp serve` is.\n";

int cmd_status(int argc, char **argv)
{
    struct control_options o = {0};
    int status = control_options_parse(&o, "status", HELP, argc, argv);
    json_t *result;

    if (status >= 0) {
        return status;
    }
    result = control_ask(&o, "status", json_pack("{s:s}", "op", "status"));
    if (result == NULL) {
        return EXIT_USAGE;
    }
    control_print(&o, result);
    json_decref(result);
    return EXIT_OK;
}
