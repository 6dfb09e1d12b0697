/* SPDX-License-Identifier: Apache-2.0 */
#include "control_cli.h"

#include "commands.h"

#include <stdio.h>
#include <stdlib.h>

bool control_options_take(struct control_options *o, int val, const char *arg)
{
    switch (val) {
    case 'h':
        o->help = true;
        return true;
    case CONTROL_OPT:
        o->socket = arg;
        return true;
    case CONTROL_OPT + 1:
        o->json = true;
        return true;
    default:
        return false;
    }
}

int control_options_parse(struct control_options *o, const char *command,
                          const char *help, int argc, char **argv)
{
    static const struct option table[] = {CONTROL_OPTION_ROWS, {0}};
    int val;

    while ((val = getopt_long(argc, argv, "h", table, NULL)) != -1) {
        if (!control_options_take(o, val, optarg)) {
            return EXIT_USAGE;
        }
    }
    if (o->help) {
        fputs(help, stdout);
        return EXIT_OK;
    }
    if (optind < argc) {
        fprintf(stderr, "swpsp %s: %s: no such argument\n", command,
                argv[optind]);
        return EXIT_USAGE;
    }
    return -1;
}

json_t *control_ask(const struct control_options *o, const char *command,
                    json_t *request)
{
    char error[CONTROL_ERROR_SIZE] = "";
    struct control_client c;
    json_t *result = NULL;

    if (control_connect(
            &c, o->socket == NULL ? control_default_socket() : o->socket,
            error) != 0) {
        json_decref(request);
    } else {
        if (control_call(&c, request, &result, error) != 0) {
            result = NULL;
        }
        control_disconnect(&c);
    }
    if (result == NULL) {
        fprintf(stderr, "swpsp %s: %s\n", command, error);
    }
    return result;
}

void control_print(const struct control_options *o, const json_t *result)
{
    const char *key;
    json_t *value;

    if (o->json) {
        (void)json_dumpf(result, stdout, JSON_INDENT(2));
        putchar('\n');
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)result, key, value)
    {
        char *text = json_is_string(value)
                         ? NULL
                         : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

        printf("%-22s%s\n", key,
               text == NULL ? json_string_value(value) : text);
        free(text);
    }
}
