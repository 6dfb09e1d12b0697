/* SPDX-License-Identifier: Apache-2.0 */
/* The fault plan of a running platform. */
#include "commands.h"

#include "control_cli.h"
#include "parse.h"
#include "plan_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char HELP[] =
    "usage: swpsp faults set FILE | clear | show [OPTION...]\n\n"
    "What a hostile host does to the guests and devices of a running `swpsp "
    "serve`.\nFILE is a fault plan (JSON, - for standard input). All counting "
    "starts again\nwith set; a restart of the daemon brings its own `--faults` "
    "back, or none.\n\n"
    "  --socket PATH         control socket\n"
    "  --json                print JSON\n";

static json_t *ask(const struct control_options *o, json_t *request)
{
    return request == NULL ? NULL : control_ask(o, "faults", request);
}

static int done(json_t *result)
{
    int status = result == NULL ? EXIT_USAGE : EXIT_OK;

    json_decref(result);
    return status;
}

/* Judged here first: where in the file it is wrong, the daemon cannot know. */
static json_t *read_plan(const char *path)
{
    char error[FAULT_ERROR_SIZE] = "";
    struct fault_plan *plan = NULL;
    json_t *json = NULL;
    size_t size = 0;
    uint8_t *text = parse_file(path, FAULT_FILE_MAX, &size);
    const char *why = NULL;

    if (text == NULL) {
        why = strerror(errno);
    } else if (fault_plan_parse((const char *)text, size, &plan, error) != 0) {
        why = error;
    } else {
        json = json_loadb((const char *)text, size, 0, NULL);
    }
    free(text);
    fault_plan_free(plan);
    if (why != NULL) {
        fprintf(stderr, "swpsp faults: %s: %s\n", path, why);
    }
    return json;
}

static int set(const struct control_options *o, const char *path)
{
    json_t *plan = read_plan(path);

    return done(plan == NULL ? NULL
                             : ask(o, json_pack("{s:s, s:o}", "op",
                                                "faults.set", "plan", plan)));
}

static int show(const struct control_options *o)
{
    json_t *result = ask(o, json_pack("{s:s}", "op", "faults.show"));
    size_t i;
    json_t *fault;

    if (result != NULL && o->json) {
        control_print(o, result);
    } else if (result != NULL) {
        printf("%-5s%-15s%-17s%-12s%s\n", "", "AT", "DO", "FITS", "APPLIED");
        json_array_foreach(json_object_get(result, "faults"), i, fault)
        {
            printf(
                "%-5zu%-15s%-17s%-12lld%lld\n", i,
                json_string_value(json_object_get(fault, "at")),
                json_string_value(json_object_get(fault, "do")),
                (long long)json_integer_value(json_object_get(fault, "fits")),
                (long long)json_integer_value(
                    json_object_get(fault, "applied")));
        }
    }
    return done(result);
}

int cmd_faults(int argc, char **argv)
{
    static const struct option table[] = {CONTROL_OPTION_ROWS, {0}};
    struct control_options o = {0};
    const char *verb;
    int val, left;

    while ((val = getopt_long(argc, argv, "h", table, NULL)) != -1) {
        if (!control_options_take(&o, val, optarg)) {
            return EXIT_USAGE;
        }
    }
    if (o.help) {
        fputs(HELP, stdout);
        return EXIT_OK;
    }
    left = argc - optind;
    verb = left > 0 ? argv[optind] : "";
    if (left == 2 && strcmp(verb, "set") == 0) {
        return set(&o, argv[optind + 1]);
    }
    if (left == 1 && strcmp(verb, "clear") == 0) {
        return done(ask(&o, json_pack("{s:s}", "op", "faults.clear")));
    }
    if (left == 1 && strcmp(verb, "show") == 0) {
        return show(&o);
    }
    fprintf(stderr,
            "swpsp faults: usage: swpsp faults set FILE, clear or show\n");
    return EXIT_USAGE;
}
