/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the commands that talk to a running platform share.
 */
#ifndef CLI_CONTROL_CLI_H
#define CLI_CONTROL_CLI_H

#include "control_client.h"

#include <getopt.h>
#include <stdbool.h>

struct control_options {
    const char *socket;
    bool json;
    bool help;
};

/** Values of struct option.val of the rows below; own ones stay under. */
#define CONTROL_OPT 900
/** Rows of getopt_long: --help, --socket, --json. */
#define CONTROL_OPTION_ROWS                                                    \
    {"help", no_argument, NULL, 'h'},                                          \
        {"socket", required_argument, NULL, CONTROL_OPT},                      \
    {                                                                          \
        "json", no_argument, NULL, CONTROL_OPT + 1                             \
    }

/** Take one of them; false: it is none, or '?'. */
bool control_options_take(struct control_options *o, int val, const char *arg);
/** Options of a command that has no others, and exactly no argument. Returns -1
 * to go on, else an exit status. */
int control_options_parse(struct control_options *o, const char *command,
                          const char *help, int argc, char **argv);

/** Connect, ask, disconnect. NULL after one line on stderr. @request is taken
 * over. */
json_t *control_ask(const struct control_options *o, const char *command,
                    json_t *request);

/** "name   value" lines for people, or JSON. */
void control_print(const struct control_options *o, const json_t *result);

#endif
