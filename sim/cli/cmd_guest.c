/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "control_cli.h"
#include "guest_inline.h"
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char HELP[] =
    "usage: swpsp guest launch [OPTION...] NAME\n"
    "       swpsp guest list | show NAME | stop NAME\n"
    "       swpsp guest hypercall [--cpl N] NAME\n\n"
    "Guests of a running `swpsp serve`. They are launched again when it is\n"
    "started again, until they are stopped.\n\n"
    "  --socket PATH         control socket\n"
    "  --json                print JSON\n"
    "  --legacy              an SEV or SEV-ES guest\n"
    "  --guest FILE          guest description (JSON); its files are read "
    "here\n"
    "  --policy N  --host-data HEX  --vmpl N\n"
    "  --family-id HEX  --image-id HEX  --guest-svn N\n"
    "                        replace members of the guest description\n"
    "  --certs WHAT          vcek, vlek, none, or a table's file\n"
    "  --kernel ERA          5.19, 6.1, 6.3 or 6.13 (default)\n"
    "  --vmpck N             the guest driver's vmpck_id\n"
    "  --cpl N               hypercall 13 from this privilege level (default "
    "3)\n"
    "  --long-key-request    it reads LAUNCH_MIT_VECTOR, which Linux does "
    "not\n";

#define OPT_LEGACY 800
#define OPT_CPL    801

/* Platform options that are a guest's. */
static const char *const ROWS[] = {
    "guest",     "policy", "host-data", "vmpl",  "family-id",        "image-id",
    "guest-svn", "certs",  "kernel",    "vmpck", "long-key-request",
};
#define ROW_COUNT (sizeof(ROWS) / sizeof(ROWS[0]))

struct guest_options {
    struct control_options control;
    struct platform_options platform;
    bool legacy;
    int cpl;
};

static void make_table(struct option table[ROW_COUNT + 6])
{
    static const struct option own[] = {
        CONTROL_OPTION_ROWS,
        {"legacy", no_argument, NULL, OPT_LEGACY},
        {"cpl", required_argument, NULL, OPT_CPL}};
    size_t n = sizeof(own) / sizeof(own[0]);

    memcpy(table, own, sizeof(own));
    for (size_t i = 0; i < PLATFORM_OPTION_COUNT; i++) {
        for (size_t j = 0; j < ROW_COUNT; j++) {
            if (strcmp(PLATFORM_OPTIONS[i].name, ROWS[j]) == 0) {
                table[n++] = PLATFORM_OPTIONS[i];
            }
        }
    }
    table[n] = (struct option){0};
}

static bool take_cpl(struct guest_options *o, const char *arg)
{
    if (arg[0] < '0' || arg[0] > '3' || arg[1] != '\0') {
        fprintf(stderr, "swpsp guest: --cpl %s: need 0 to 3\n", arg);
        return false;
    }
    o->cpl = arg[0] - '0';
    return true;
}

/* Returns -1 to go on, else an exit status. */
static int parse(struct guest_options *o, int argc, char **argv)
{
    struct option table[ROW_COUNT + 6];
    int val;

    o->cpl = 3;
    options_init(&o->platform);
    make_table(table);
    while ((val = getopt_long(argc, argv, "h", table, NULL)) != -1) {
        bool ok = true;

        if (val == OPT_LEGACY) {
            o->legacy = true;
        } else if (val == OPT_CPL) {
            ok = take_cpl(o, optarg);
        } else if (val >= OPTION_PLATFORM) {
            ok = options_take(&o->platform, "guest", val, optarg);
        } else {
            ok = control_options_take(&o->control, val, optarg);
        }
        if (!ok) {
            return EXIT_USAGE;
        }
    }
    if (o->control.help) {
        fputs(HELP, stdout);
        return EXIT_OK;
    }
    return -1;
}

static int show(const struct guest_options *o, json_t *request)
{
    json_t *result =
        request == NULL ? NULL : control_ask(&o->control, "guest", request);

    if (result == NULL) {
        return EXIT_USAGE;
    }
    control_print(&o->control, result);
    json_decref(result);
    return EXIT_OK;
}

static int launch(const struct guest_options *o, const char *name)
{
    json_t *guest = guest_inline(&o->platform, name, o->legacy);

    return show(o, guest == NULL ? NULL
                                 : json_pack("{s:s, s:o}", "op", "guest.launch",
                                             "guest", guest));
}

static void print_number(const json_t *guest, const char *key)
{
    const json_t *n = json_object_get(guest, key);

    if (n == NULL) {
        printf("%-6s", "-");
    } else {
        printf("%-6lld", (long long)json_integer_value(n));
    }
}

/* An answer has as many as fit; where the others begin is its "next". */
static json_t *all_guests(const struct guest_options *o)
{
    json_t *all = json_array();
    json_int_t next = 0;

    do {
        json_t *page = control_ask(
            &o->control, "guest",
            json_pack("{s:s, s:I}", "op", "guest.list", "after", next));

        if (page == NULL) {
            json_decref(all);
            return NULL;
        }
        (void)json_array_extend(all, json_object_get(page, "guests"));
        next = json_integer_value(json_object_get(page, "next"));
        json_decref(page);
    } while (next > 0);
    return json_pack("{s:o}", "guests", all);
}

static int list(const struct guest_options *o)
{
    json_t *result = all_guests(o);
    size_t i;
    json_t *guest;

    if (result == NULL) {
        return EXIT_USAGE;
    }
    if (o->control.json) {
        control_print(&o->control, result);
        json_decref(result);
        return EXIT_OK;
    }
    printf("%-24s%-8s%-9s%-6s%-6s%s\n", "NAME", "KIND", "STATE", "ASID", "VMPL",
           "USERS");
    json_array_foreach(json_object_get(result, "guests"), i, guest)
    {
        printf("%-24s%-8s%-9s",
               json_string_value(json_object_get(guest, "name")),
               json_string_value(json_object_get(guest, "kind")),
               json_string_value(json_object_get(guest, "state")));
        print_number(guest, "asid");
        print_number(guest, "vmpl");
        print_number(guest, "users");
        putchar('\n');
    }
    json_decref(result);
    return EXIT_OK;
}

static int ask_about(const struct guest_options *o, const char *op,
                     const char *name)
{
    return show(o, json_pack("{s:s, s:s}", "op", op, "guest", name));
}

/* The answer alone, for scripts. */
static int hypercall(const struct guest_options *o, const char *name)
{
    json_t *result =
        control_ask(&o->control, "guest",
                    json_pack("{s:s, s:s, s:i}", "op", "guest.hypercall",
                              "guest", name, "cpl", o->cpl));

    if (result == NULL) {
        return EXIT_USAGE;
    }
    if (o->control.json) {
        control_print(&o->control, result);
    } else {
        printf("%lld\n",
               (long long)json_integer_value(json_object_get(result, "rax")));
    }
    json_decref(result);
    return EXIT_OK;
}

int cmd_guest(int argc, char **argv)
{
    struct guest_options o = {0};
    int status = parse(&o, argc, argv);
    int left = argc - optind;
    const char *verb = left > 0 ? argv[optind] : "";

    if (status >= 0) {
        return status;
    }
    if (left == 1 && strcmp(verb, "list") == 0) {
        return list(&o);
    }
    if (left == 2 && strcmp(verb, "launch") == 0) {
        return launch(&o, argv[optind + 1]);
    }
    if (left == 2 && strcmp(verb, "show") == 0) {
        return ask_about(&o, "guest.show", argv[optind + 1]);
    }
    if (left == 2 && strcmp(verb, "stop") == 0) {
        return ask_about(&o, "guest.stop", argv[optind + 1]);
    }
    if (left == 2 && strcmp(verb, "hypercall") == 0) {
        return hypercall(&o, argv[optind + 1]);
    }
    fprintf(stderr,
            "swpsp guest: usage: swpsp guest launch|show|stop|hypercall "
            "NAME, or list\n");
    return EXIT_USAGE;
}
