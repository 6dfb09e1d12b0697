/* SPDX-License-Identifier: Apache-2.0 */
#include "aeb_options.h"

#include "parse.h"
#include "state_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char AEB_HELP[] =
    "usage: swpsp aeb [OPTION...]\n\n"
    "Serve attestation evidence to SEV and SEV-ES guests, by ttrpc: an "
    "Attestation\nEvidence Broker. Needs /dev/sev: `swpsp run "
    "--legacy-guest ... -- swpsp aeb`. Runs\nuntil SIGTERM, SIGINT or "
    "SIGHUP.\n\n"
    "  --listen ADDRESS      vsock://-1:5577 (default), unix://PATH, "
    "unix://@NAME;\n"
    "                        may be repeated\n"
    "  --endpoint ADDRESS=GUEST\n"
    "                        listen there for one guest\n"
    "  --map cid:N=GUEST, uid:N=GUEST\n"
    "                        who is which guest: a firmware handle, or a name\n"
    "  --registry SOCKET     of swpsp serve, which knows the handles of names\n"
    "  --peer-policy HOW     open: any handle for anybody; check (default "
    "with\n"
    "                        a map): only one's own; bind: and 0 means it\n"
    "  --device FILE         default /dev/sev\n"
    "  --report-number HOW   auto (default), private, 9\n"
    "  --kds-url URL         https://HOST[:PORT], http://...; default: the\n"
    "                        installation's keys\n"
    "  --kds-ca FILE         trust these certificates, not the system's\n"
    "  --kds-timeout SECONDS nobody waits longer for it; default 30\n"
    "  --root FILE           ASK and ARK that evidence is checked with\n"
    "  --self-check WHAT     certificates (default); all: each report's\n"
    "                        signature too, which takes longer than the rest\n"
    "  --profile NAME        the platform (default milan)\n"
    "  --any-product         also one that has no device type\n"
    "  --evidence-layout L   typed (default, 6461 bytes), aeb (6460)\n"
    "  --error-style STYLE   inband (default), status\n"
    "  --extensions WHEN     asked (default), always, never\n"
    "  --alias-handle N=M    serve requests for N as for M\n"
    "  --rate N              evidence requests a second and peer\n"
    "  --max-connections N   default 1024\n"
    "  --max-per-cid N       default 4\n"
    "  --workers N           threads that wait for the device; default 4\n"
    "  --faults FILE         for tests of clients: what a hostile broker does "
    "(JSON)\n"
    "installation:\n"
    "  --state DIR, --insecure-dev-seed, --seed-file FILE, --lookalike\n"
    "                        as for swpsp run\n";

enum {
    OPT_HELP = 1,
    OPT_LISTEN,
    OPT_ENDPOINT,
    OPT_MAP,
    OPT_REGISTRY,
    OPT_POLICY,
    OPT_DEVICE,
    OPT_NUMBER,
    OPT_URL,
    OPT_CA,
    OPT_KDS_TIME,
    OPT_ROOT,
    OPT_SELF_CHECK,
    OPT_ANY,
    OPT_LAYOUT,
    OPT_STYLE,
    OPT_EXTENSIONS,
    OPT_ALIAS,
    OPT_RATE,
    OPT_WORKERS,
    OPT_CONNECTIONS,
    OPT_PER_CID,
    OPT_FAULTS,
};

static const struct option OWN[] = {
    {"help", no_argument, NULL, OPT_HELP},
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"endpoint", required_argument, NULL, OPT_ENDPOINT},
    {"map", required_argument, NULL, OPT_MAP},
    {"registry", required_argument, NULL, OPT_REGISTRY},
    {"peer-policy", required_argument, NULL, OPT_POLICY},
    {"device", required_argument, NULL, OPT_DEVICE},
    {"report-number", required_argument, NULL, OPT_NUMBER},
    {"kds-url", required_argument, NULL, OPT_URL},
    {"kds-ca", required_argument, NULL, OPT_CA},
    {"kds-timeout", required_argument, NULL, OPT_KDS_TIME},
    {"root", required_argument, NULL, OPT_ROOT},
    {"self-check", required_argument, NULL, OPT_SELF_CHECK},
    {"any-product", no_argument, NULL, OPT_ANY},
    {"evidence-layout", required_argument, NULL, OPT_LAYOUT},
    {"error-style", required_argument, NULL, OPT_STYLE},
    {"extensions", required_argument, NULL, OPT_EXTENSIONS},
    {"alias-handle", required_argument, NULL, OPT_ALIAS},
    {"rate", required_argument, NULL, OPT_RATE},
    {"workers", required_argument, NULL, OPT_WORKERS},
    {"max-connections", required_argument, NULL, OPT_CONNECTIONS},
    {"max-per-cid", required_argument, NULL, OPT_PER_CID},
    {"faults", required_argument, NULL, OPT_FAULTS},
};
#define OWN_COUNT (sizeof(OWN) / sizeof(OWN[0]))

static bool is_shared(const char *name)
{
    return strcmp(name, "state") == 0 || strcmp(name, "seed-file") == 0 ||
           strcmp(name, "insecure-dev-seed") == 0 ||
           strcmp(name, "lookalike") == 0 || strcmp(name, "profile") == 0;
}

static bool bad(const char *option, const char *arg, const char *want)
{
    fprintf(stderr, "swpsp aeb: --%s %s: %s\n", option, arg, want);
    return false;
}

/* The place of @arg in a list of words; @count: none. */
static size_t word(const char *arg, const char *const *words, size_t count)
{
    size_t i = 0;

    while (i < count && strcmp(arg, words[i]) != 0) {
        i++;
    }
    return i;
}

static bool take_handle(const char *text, uint32_t *out)
{
    uint64_t n = 0;

    if (!parse_number(text, UINT32_MAX, &n)) {
        return false;
    }
    *out = (uint32_t)n;
    return true;
}

static bool take_listen(struct aeb_options *o, const char *arg)
{
    struct ttrpc_addr *a = &o->listen[o->listen_count];
    char why[TTRPC_ADDR_WHY] = "";

    if (o->listen_count == AEB_LISTEN_MAX) {
        return bad("listen", arg, "too many");
    }
    if (!ttrpc_addr_parse(arg, a, why)) {
        return bad("listen", arg, why);
    }
    if (a->cid_ignored) {
        fprintf(stderr, "swpsp aeb: --listen %s: the path is ignored\n", arg);
    }
    o->listen_count++;
    return true;
}

static bool add_row(struct aeb_options *o, const char *option, const char *arg,
                    struct aeb_peer_row row)
{
    if (o->row_count == AEB_ROWS_MAX) {
        return bad(option, arg, "too many");
    }
    o->rows[o->row_count++] = row;
    return true;
}

/* What stands before the last '=', in *left (free()). */
static bool split(const char *arg, char **left, uint32_t *handle)
{
    const char *equals = strrchr(arg, '=');

    if (equals == NULL || !take_handle(equals + 1, handle)) {
        return false;
    }
    *left = strndup(arg, (size_t)(equals - arg));
    return *left != NULL;
}

/* What stands behind the last '=': a handle, or a guest's name. What stands
 * before it in *left (free()). */
static bool split_guest(const char *arg, char **left, struct aeb_peer_row *row)
{
    const char *equals = strrchr(arg, '=');

    if (equals == NULL) {
        return false;
    }
    if (!take_handle(equals + 1, &row->handle)) {
        row->guest = equals + 1;
        if (!state_name_ok(row->guest)) {
            return false;
        }
    }
    *left = strndup(arg, (size_t)(equals - arg));
    return *left != NULL;
}

static bool take_endpoint(struct aeb_options *o, const char *arg)
{
    struct aeb_peer_row row = {.by = AEB_BY_LISTENER, .key = o->listen_count};
    char *left = NULL;
    bool ok = split_guest(arg, &left, &row);

    if (!ok) {
        return bad("endpoint", arg, "need ADDRESS=HANDLE or ADDRESS=NAME");
    }
    ok = take_listen(o, left) && add_row(o, "endpoint", arg, row);
    free(left);
    return ok;
}

static bool take_map(struct aeb_options *o, const char *arg)
{
    struct aeb_peer_row row = {.by = AEB_BY_CID};
    char *left = NULL;
    bool ok = split_guest(arg, &left, &row);

    if (ok) {
        row.by = strncmp(left, "uid:", 4) == 0 ? AEB_BY_UID : AEB_BY_CID;
        ok = (row.by == AEB_BY_UID || strncmp(left, "cid:", 4) == 0) &&
             parse_number(left + 4, UINT32_MAX, &row.key);
    }
    free(left);
    return ok ? add_row(o, "map", arg, row)
              : bad("map", arg, "need cid:N or uid:N, =HANDLE or =NAME");
}

static bool take_alias(struct aeb_options *o, const char *arg)
{
    struct aeb_broker_config *b = &o->broker;
    char *left = NULL;
    uint32_t to = 0;
    bool ok = b->alias_count < AEB_ALIAS_MAX && split(arg, &left, &to) &&
              take_handle(left, &b->alias[b->alias_count].from);

    free(left);
    if (!ok) {
        return bad("alias-handle", arg, "need HANDLE=HANDLE, at most 8");
    }
    b->alias[b->alias_count++].to = to;
    fprintf(stderr, "swpsp aeb: ALIAS %s: peers get another guest's report\n",
            arg);
    return true;
}

static bool take_word(struct aeb_options *o, int val, const char *arg)
{
    static const char *const policies[] = {"open", "check", "bind"};
    static const char *const numbers[] = {"auto", "private", "9"};
    static const char *const layouts[] = {"typed", "aeb"};
    static const char *const styles[] = {"inband", "status"};
    static const char *const checks[] = {"certificates", "all"};
    static const char *const times[] = {"asked", "always", "never"};
    struct aeb_broker_config *b = &o->broker;
    size_t i;

    switch (val) {
    case OPT_POLICY:
        i = word(arg, policies, 3);
        b->policy = (enum aeb_peer_policy)i;
        o->policy_set = true;
        return i < 3 || bad("peer-policy", arg, "need open, check or bind");
    case OPT_NUMBER:
        i = word(arg, numbers, 3);
        b->number = (enum aeb_report_number)i;
        return i < 3 || bad("report-number", arg, "need auto, private or 9");
    case OPT_SELF_CHECK:
        i = word(arg, checks, 2);
        b->check_reports = i == 1;
        return i < 2 || bad("self-check", arg, "need certificates or all");
    case OPT_LAYOUT:
        i = word(arg, layouts, 2);
        b->untyped = i == 1;
        return i < 2 || bad("evidence-layout", arg, "need typed or aeb");
    case OPT_STYLE:
        i = word(arg, styles, 2);
        b->status_style = i == 1;
        return i < 2 || bad("error-style", arg, "need inband or status");
    default:
        i = word(arg, times, 3);
        b->extension = (enum aeb_extension)i;
        return i < 3 || bad("extensions", arg, "need asked, always or never");
    }
}

static bool take_number(const char *option, const char *arg, uint64_t max,
                        uint64_t *out)
{
    char want[64];

    snprintf(want, sizeof(want), "need a number from 1 to %llu",
             (unsigned long long)max);
    return (parse_number(arg, max, out) && *out > 0) || bad(option, arg, want);
}

static bool take_limit(struct aeb_options *o, int val, const char *arg)
{
    uint64_t n = 0;
    bool ok;

    switch (val) {
    case OPT_RATE:
        ok = take_number("rate", arg, 1000000, &n);
        o->broker.rate = (unsigned int)n;
        break;
    case OPT_WORKERS:
        ok = take_number("workers", arg, 64, &n);
        o->server.workers = (size_t)n;
        break;
    case OPT_CONNECTIONS:
        ok = take_number("max-connections", arg, 65536, &n);
        o->server.max_connections = (size_t)n;
        break;
    case OPT_KDS_TIME:
        ok = take_number("kds-timeout", arg, 3600, &n);
        o->kds_secs = (unsigned int)n;
        break;
    default:
        ok = take_number("max-per-cid", arg, 4096, &n);
        o->server.max_per_cid = (size_t)n;
        break;
    }
    return ok;
}

static bool take_url(struct aeb_options *o, const char *arg)
{
    o->have_url = aeb_url_parse(arg, &o->url);
    return o->have_url ||
           bad("kds-url", arg, "need https://HOST[:PORT][/PATH], or http://");
}

static bool take(struct aeb_options *o, int val, const char *arg)
{
    switch (val) {
    case OPT_HELP:
        o->help = true;
        return true;
    case OPT_LISTEN:
        return take_listen(o, arg);
    case OPT_ENDPOINT:
        return take_endpoint(o, arg);
    case OPT_MAP:
        return take_map(o, arg);
    case OPT_REGISTRY:
        o->registry = arg;
        return true;
    case OPT_DEVICE:
        o->device = arg;
        return true;
    case OPT_URL:
        return take_url(o, arg);
    case OPT_CA:
        o->ca_path = arg;
        return true;
    case OPT_ROOT:
        o->root_path = arg;
        return true;
    case OPT_ANY:
        o->broker.any_product = true;
        return true;
    case OPT_ALIAS:
        return take_alias(o, arg);
    case OPT_FAULTS:
        o->faults = arg;
        return true;
    case OPT_POLICY:
    case OPT_NUMBER:
    case OPT_SELF_CHECK:
    case OPT_LAYOUT:
    case OPT_STYLE:
    case OPT_EXTENSIONS:
        return take_word(o, val, arg);
    case OPT_RATE:
    case OPT_WORKERS:
    case OPT_CONNECTIONS:
    case OPT_PER_CID:
    case OPT_KDS_TIME:
        return take_limit(o, val, arg);
    default:
        return options_take(&o->platform, "aeb", val, arg);
    }
}

static bool finish(struct aeb_options *o, int argc, char **argv)
{
    if (optind < argc) {
        fprintf(stderr, "swpsp aeb: takes no argument: %s\n", argv[optind]);
        return false;
    }
    if (o->ca_path != NULL && !o->url.tls) {
        fprintf(stderr, "swpsp aeb: --kds-ca needs --kds-url https://...\n");
        return false;
    }
    if (o->broker.policy != AEB_PEER_OPEN && o->row_count == 0) {
        fprintf(stderr, "swpsp aeb: --peer-policy needs --map or --endpoint\n");
        return false;
    }
    if (!o->policy_set && o->row_count > 0) {
        o->broker.policy = AEB_PEER_CHECK;
    }
    for (size_t i = 0; i < o->row_count; i++) {
        if (o->rows[i].guest != NULL && o->registry == NULL) {
            return bad("map", o->rows[i].guest, "a name needs --registry");
        }
    }
    if (o->registry != NULL && o->row_count == 0) {
        fprintf(stderr, "swpsp aeb: --registry needs --map or --endpoint\n");
        return false;
    }
    o->broker.rows = o->rows;
    o->broker.row_count = o->row_count;
    o->broker.product = o->platform.profile->generation;
    return (o->listen_count > 0 || take_listen(o, "vsock://-1:5577")) &&
           options_finish(&o->platform, "aeb");
}

bool aeb_options_parse(struct aeb_options *o, int argc, char **argv)
{
    struct option *table =
        calloc(OWN_COUNT + PLATFORM_OPTION_COUNT + 1, sizeof(*table));
    size_t n = OWN_COUNT;
    bool ok = table != NULL;
    int val;

    options_init(&o->platform);
    if (table != NULL) {
        memcpy(table, OWN, sizeof(OWN));
        for (size_t i = 0; i < PLATFORM_OPTION_COUNT; i++) {
            if (is_shared(PLATFORM_OPTIONS[i].name)) {
                table[n++] = PLATFORM_OPTIONS[i];
            }
        }
    }
    while (ok && !o->help &&
           (val = getopt_long(argc, argv, "h", table, NULL)) != -1) {
        ok = val != '?' && take(o, val == 'h' ? OPT_HELP : val, optarg);
    }
    free(table);
    return ok && (o->help || finish(o, argc, argv));
}
