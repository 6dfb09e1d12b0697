/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "control_cli.h"

#include <stdio.h>

static const char HELP[] =
    "usage: swpsp trace [--socket PATH] [--json]\n\n"
    "Follow the ioctls and mailbox commands of a running `swpsp serve`.\n";

static void print_line(const struct control_options *o, const json_t *line)
{
    json_int_t lost = json_integer_value(json_object_get(line, "lost"));
    const char *text = json_string_value(json_object_get(line, "trace"));

    if (o->json) {
        (void)json_dumpf(line, stdout, JSON_COMPACT);
        putchar('\n');
    } else {
        if (lost > 0) {
            printf("... %lld lines lost\n", (long long)lost);
        }
        puts(text == NULL ? "?" : text);
    }
    fflush(stdout);
}

int cmd_trace(int argc, char **argv)
{
    struct control_options o = {0};
    int status = control_options_parse(&o, "trace", HELP, argc, argv);
    char error[CONTROL_ERROR_SIZE] = "";
    struct control_client c;
    json_t *json = NULL;
    int rc;

    if (status >= 0) {
        return status;
    }
    rc = control_connect(
        &c, o.socket == NULL ? control_default_socket() : o.socket, error);
    if (rc == 0) {
        rc = control_call(&c, json_pack("{s:s}", "op", "trace"), &json, error);
        json_decref(json);
        while (rc == 0 && control_next(&c, &json) > 0) {
            print_line(&o, json);
            json_decref(json);
        }
        control_disconnect(&c);
    }
    if (rc != 0) {
        fprintf(stderr, "swpsp trace: %s\n", error);
    }
    return rc == 0 ? EXIT_OK : EXIT_USAGE;
}
