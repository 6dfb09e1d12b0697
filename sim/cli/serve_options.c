/* SPDX-License-Identifier: Apache-2.0 */
#include "serve_options.h"

#include "commands.h"
#include "control_client.h"
#include "parse.h"
#include "serve_guests.h"
#include "serve_log.h"
#include "serve_places.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPT_HELP = 1,
    OPT_SOCKET,
    OPT_SOCKET_MODE,
    OPT_SOCKET_GROUP,
    OPT_PID_FILE,
    OPT_USER,
    OPT_GROUP,
    OPT_LOG_LEVEL,
    OPT_MAX_GUESTS,
    OPT_FORGET,
    OPT_CUSE,
    OPT_FUSE,
    OPT_TSM,
    OPT_DEVICE_GUEST,
    OPT_NODE_MODE,
    OPT_FORCE,
    OPT_FAULTS,
};

static const struct option OWN[] = {
    {"help", no_argument, NULL, OPT_HELP},
    {"socket", required_argument, NULL, OPT_SOCKET},
    {"socket-mode", required_argument, NULL, OPT_SOCKET_MODE},
    {"socket-group", required_argument, NULL, OPT_SOCKET_GROUP},
    {"pid-file", required_argument, NULL, OPT_PID_FILE},
    {"user", required_argument, NULL, OPT_USER},
    {"group", required_argument, NULL, OPT_GROUP},
    {"log-level", required_argument, NULL, OPT_LOG_LEVEL},
    {"max-guests", required_argument, NULL, OPT_MAX_GUESTS},
    {"forget-options", no_argument, NULL, OPT_FORGET},
    {"cuse", no_argument, NULL, OPT_CUSE},
    {"fuse", required_argument, NULL, OPT_FUSE},
    {"tsm", optional_argument, NULL, OPT_TSM},
    {"device-guest", required_argument, NULL, OPT_DEVICE_GUEST},
    {"node-mode", required_argument, NULL, OPT_NODE_MODE},
    {"force", no_argument, NULL, OPT_FORCE},
    {"faults", required_argument, NULL, OPT_FAULTS},
};
#define OWN_COUNT (sizeof(OWN) / sizeof(OWN[0]))

static const char HELP[] =
    "usage: swpsp serve [OPTION...]\n\n"
    "Keep one simulated platform running: its guests, its /dev/sev, its "
    "state.\n"
    "Programs use it through `swpsp run --connect SOCKET --as GUEST`.\n\n"
    "  --socket PATH         control socket (default /run/swpsp/control.sock,\n"
    "                        $XDG_RUNTIME_DIR/swpsp/control.sock for users)\n"
    "  --socket-mode OCTAL   its mode (default 0600; 0660 with a group)\n"
    "  --socket-group GROUP  who may use it besides root and this user\n"
    "  --pid-file FILE       written when ready, removed at the end\n"
    "  --user USER           become this user once everything is open\n"
    "  --group GROUP         and this group\n"
    "  --log-level LEVEL     error, warning, info (default), debug\n"
    "  --max-guests N        guests at once, at most (default 256)\n"
    "  --faults FILE         what a hostile host does (JSON); see `swpsp "
    "faults`\n"
    "  --forget-options      do not use the options that the state "
    "remembers\n\n"
    "devices for programs that know nothing of the socket:\n"
    "  --cuse                /dev/sev and /dev/sev-guest as real devices "
    "(root)\n"
    "  --fuse DIR[=GUEST]    DIR/sev and DIR/sev-guest as files\n"
    "  --tsm[=[DIR][=GUEST]] report entries of configfs-tsm, at DIR or at\n"
    "                        /sys/kernel/config/tsm/report\n"
    "  --device-guest NAME   whose they are where no GUEST is named\n"
    "                        (default guest); --fuse and --tsm may be given\n"
    "                        again, for more guests\n"
    "  --node-mode OCTAL     mode of these nodes (default 0600)\n"
    "  --force               hide what is there\n\n"
    "platform (remembered by the state, except for the first three):\n"
    "  --state DIR           installation and platform, kept across starts\n"
    "  --insecure-dev-seed   public seed instead, and nothing is kept\n"
    "  --seed-file FILE      32-byte seed\n"
    "  --profile NAME  --asids N  --min-sev-asid N  --chip N  --lookalike\n"
    "  --product-name NAME  --vlek  --mask-chip-id  --mask-chip-key\n"
    "  --reported-tcb HEX  --platform-info N  --sev-kernel ERA\n"
    "  --sev-abi NAME  --sev-auto-report  --sev-start-uninit\n"
    "  --vm-handle MODE      as for swpsp run\n";

/* Platform options of this command; the first three are not remembered. */
static const char *const PLATFORM[] = {
    "state",
    "insecure-dev-seed",
    "seed-file",
    "profile",
    "asids",
    "min-sev-asid",
    "chip",
    "lookalike",
    "product-name",
    "vlek",
    "mask-chip-id",
    "mask-chip-key",
    "reported-tcb",
    "platform-info",
    "sev-kernel",
    "sev-abi",
    "sev-auto-report",
    "sev-start-uninit",
    "vm-handle",
};
#define PLATFORM_COUNT (sizeof(PLATFORM) / sizeof(PLATFORM[0]))
#define NOT_REMEMBERED 3u

static const struct option *platform_row(const char *name)
{
    for (size_t i = 0; i < PLATFORM_OPTION_COUNT; i++) {
        if (strcmp(PLATFORM_OPTIONS[i].name, name) == 0) {
            return &PLATFORM_OPTIONS[i];
        }
    }
    return NULL;
}

static void make_table(struct option table[OWN_COUNT + PLATFORM_COUNT + 1])
{
    size_t n = OWN_COUNT;

    memcpy(table, OWN, sizeof(OWN));
    for (size_t i = 0; i < PLATFORM_COUNT; i++) {
        const struct option *row = platform_row(PLATFORM[i]);

        if (row != NULL) {
            table[n++] = *row;
        }
    }
    table[n] = (struct option){0};
}

bool serve_option_remembered(const char *name)
{
    for (size_t i = NOT_REMEMBERED; i < PLATFORM_COUNT; i++) {
        if (strcmp(PLATFORM[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool take_mode(const char *option, const char *text, mode_t *out)
{
    char *end = NULL;
    unsigned long mode = strtoul(text, &end, 8);

    if (text[0] < '0' || text[0] > '7' || *end != '\0' || mode > 0777) {
        fprintf(stderr,
                "swpsp serve: --%s %s: need an octal number from 0 to 777\n",
                option, text);
        return false;
    }
    *out = (mode_t)mode;
    return true;
}

static bool take_level(struct serve_options *o, const char *text)
{
    o->log_level = serve_level_by_name(text);
    if (o->log_level < 0) {
        fprintf(stderr,
                "swpsp serve: --log-level %s: error, warning, info or debug\n",
                text);
    }
    return o->log_level >= 0;
}

static bool take_max_guests(struct serve_options *o, const char *text)
{
    uint64_t n = 0;

    if (!parse_number(text, SERVE_GUESTS_LIMIT, &n) || n == 0) {
        fprintf(stderr,
                "swpsp serve: --max-guests %s: need a number from 1 to %u\n",
                text, SERVE_GUESTS_LIMIT);
        return false;
    }
    o->max_guests = (uint32_t)n;
    return true;
}

/* The last '=' is before a guest, if what follows can be a guest's name. */
static const char *split_guest(char *text)
{
    char *last = strrchr(text, '=');

    if (last == NULL || !state_name_ok(last + 1)) {
        return NULL;
    }
    *last = '\0';
    return last + 1;
}

/* @arg NULL, or without a directory: the real place, for --tsm. */
static bool take_mount(struct serve_options *o, const char *option,
                       const char *arg, struct serve_mount *mounts,
                       size_t *count)
{
    struct serve_mount *mount = &mounts[*count];
    char *copy = arg == NULL ? NULL : strdup(arg);

    if (*count == SERVE_MOUNTS_MAX || (arg != NULL && copy == NULL)) {
        fprintf(stderr, "swpsp serve: --%s: %u of them at most\n", option,
                SERVE_MOUNTS_MAX);
        free(copy);
        return false;
    }
    *mount = (struct serve_mount){NULL, NULL};
    if (copy != NULL) {
        o->copies[o->copy_count++] = copy;
        mount->guest = split_guest(copy);
        mount->path = copy;
    }
    if (copy != NULL && copy[0] == '\0' && mount->guest != NULL &&
        mounts == o->mounts.tsm) {
        mount->path = NULL;
    }
    if (mount->path != NULL && mount->path[0] == '\0') {
        fprintf(stderr, "swpsp serve: --%s=%s: needs a directory\n", option,
                arg);
        return false;
    }
    if (mount->guest != NULL && strcmp(mount->guest, SERVE_HOST_NAME) == 0) {
        fprintf(stderr,
                "swpsp serve: --%s: \"" SERVE_HOST_NAME "\" is no "
                "guest\n",
                option);
        return false;
    }
    (*count)++;
    return true;
}

/* --device-guest may come after the mounts. */
static void name_guests(const struct serve_options *o,
                        struct serve_mount *mounts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (mounts[i].guest == NULL) {
            mounts[i].guest = o->device_guest;
        }
    }
}

static bool take_own(struct serve_options *o, int val, const char *arg)
{
    switch (val) {
    case OPT_SOCKET:
        o->socket = arg;
        return true;
    case OPT_SOCKET_MODE:
        o->socket_mode_set = true;
        return take_mode("socket-mode", arg, &o->socket_mode);
    case OPT_SOCKET_GROUP:
        o->socket_group = arg;
        return true;
    case OPT_PID_FILE:
        o->pid_file = arg;
        return true;
    case OPT_USER:
        o->user = arg;
        return true;
    case OPT_GROUP:
        o->group = arg;
        return true;
    case OPT_LOG_LEVEL:
        return take_level(o, arg);
    case OPT_MAX_GUESTS:
        return take_max_guests(o, arg);
    case OPT_FORGET:
        o->forget = true;
        return true;
    case OPT_CUSE:
        o->cuse = true;
        return true;
    case OPT_FUSE:
        return take_mount(o, "fuse", arg, o->mounts.fuse,
                          &o->mounts.fuse_count);
    case OPT_TSM:
        return take_mount(o, "tsm", arg, o->mounts.tsm, &o->mounts.tsm_count);
    case OPT_DEVICE_GUEST:
        o->device_guest = arg;
        return true;
    case OPT_NODE_MODE:
        return take_mode("node-mode", arg, &o->node_mode);
    case OPT_FORCE:
        o->force = true;
        return true;
    case OPT_FAULTS:
        o->faults = arg;
        return true;
    default:
        return false;
    }
}

/* Checked now, so that a mistake is the command line's; used later. */
static bool take_platform(struct serve_options *o, const struct option *row,
                          const char *arg)
{
    if (!options_take(&o->platform, "serve", row->val, arg)) {
        return false;
    }
    (void)json_object_set_new(o->given, row->name,
                              arg == NULL ? json_true() : json_string(arg));
    return true;
}

static int finish(const struct serve_options *o, int argc, char *const *argv)
{
    if (optind < argc) {
        fprintf(stderr, "swpsp serve: %s: no such argument\n", argv[optind]);
        return EXIT_USAGE;
    }
    if (o->platform.state_dir == NULL && !o->platform.dev_seed) {
        fprintf(stderr, "swpsp serve: --state DIR or --insecure-dev-seed is "
                        "needed\n");
        return EXIT_USAGE;
    }
    if (!serve_places_check(o)) {
        return EXIT_USAGE;
    }
    return -1;
}

int serve_options_parse(struct serve_options *o, int argc, char **argv)
{
    struct option table[OWN_COUNT + PLATFORM_COUNT + 1];
    int status = -1;
    int val, at = 0;

    *o = (struct serve_options){
        .log_level = SERVE_INFO, .device_guest = "guest", .node_mode = 0600};
    options_init(&o->platform);
    o->given = json_object();
    make_table(table);
    while (status < 0 &&
           (val = getopt_long(argc, argv, "h", table, &at)) != -1) {
        if (val == OPT_HELP || val == 'h') {
            fputs(HELP, stdout);
            return EXIT_OK;
        }
        if (val == '?' ||
            (val >= OPTION_PLATFORM ? !take_platform(o, &table[at], optarg)
                                    : !take_own(o, val, optarg))) {
            status = EXIT_USAGE;
        }
    }
    name_guests(o, o->mounts.fuse, o->mounts.fuse_count);
    name_guests(o, o->mounts.tsm, o->mounts.tsm_count);
    if (o->socket == NULL) {
        o->socket = control_default_socket();
    }
    if (!o->socket_mode_set) {
        o->socket_mode = o->socket_group == NULL ? 0600 : 0660;
    }
    return status >= 0 ? status : finish(o, argc, argv);
}

static bool apply(struct serve_options *o, const char *name,
                  const json_t *value)
{
    const struct option *row = platform_row(name);

    if (row == NULL || (!json_is_string(value) && !json_is_true(value)) ||
        json_is_true(value) != (row->has_arg == no_argument)) {
        fprintf(stderr,
                "swpsp serve: the state remembers an option that this "
                "swpsp does not know: %.40s\n",
                name);
        return false;
    }
    return options_take(&o->platform, "serve", row->val,
                        json_string_value(value));
}

bool serve_options_settle(struct serve_options *o, const json_t *remembered)
{
    json_t *all = json_object();
    const char *name;
    json_t *value;

    if (remembered != NULL && !o->forget) {
        (void)json_object_update(all, (json_t *)(uintptr_t)remembered);
    }
    (void)json_object_update(all, o->given);
    options_init(&o->platform);
    o->settled = json_object();
    json_object_foreach(all, name, value)
    {
        if (!apply(o, name, value)) {
            json_decref(all);
            return false;
        }
        (void)json_object_set(o->settled, name, value);
    }
    json_decref(all);
    return options_finish(&o->platform, "serve");
}

void serve_options_clear(struct serve_options *o)
{
    for (size_t i = 0; i < o->copy_count; i++) {
        free(o->copies[i]);
    }
    json_decref(o->given);
    json_decref(o->settled);
}
