/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "crypto.h"
#include "kds_http.h"
#include "kds_plans.h"
#include "kds_tls.h"
#include "parse.h"
#include "platform.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    OPT_HELP = 1,
    OPT_LISTEN,
    OPT_PORT,
    OPT_PORT_FILE,
    OPT_TLS,
    OPT_TLS_CA,
    OPT_CLIENT_CA,
    OPT_CLIENT_CERT,
    OPT_CHIPS,
    OPT_LOG,
    OPT_RATE,
    OPT_SLOW,
    OPT_FAIL,
    OPT_HOSTILE,
    OPT_FAULTS,
    OPT_REVOKE,
};

#define DEFAULT_CHIPS 1024u /* as many as --chip of run can name */
#define MAX_SECONDS   86400u
#define CLIENT_CA_MAX (1u << 20)

struct kds_options {
    struct platform_options platform;
    struct kds_http_config http;
    struct kds_plans plans;
    const char *port_file;
    bool tls;
    const char *tls_ca;      /* copy of the CA's certificate goes here */
    const char *client_ca;   /* file of the CAs of VLEK clients */
    const char *client_cert; /* a client's certificate and key go here */
    char *client_cas;        /* text of both, when VLEKs are not for all */
    uint32_t chips;
    bool revoke_ask;
};

static const char HELP[] =
    "usage: swpsp kds [OPTION...]\n\n"
    "Serve what AMD's Key Distribution Service serves, for the simulated "
    "chips of an\ninstallation. Prints the port on stdout, then runs until "
    "SIGTERM, SIGINT or SIGHUP.\n\n"
    "  --listen ADDRESS      numeric; default 127.0.0.1\n"
    "  --port N              default 0: any free one\n"
    "  --port-file FILE      write the port there when requests are taken\n"
    "  --tls                 HTTPS, for kdsintf.amd.com, download.amd.com,\n"
    "                        developer.amd.com and localhost; the CA to trust\n"
    "                        is tls-ca.pem in the state folder\n"
    "  --tls-ca FILE         write that CA's certificate there as well\n"
    "  --client-ca FILE      VLEKs and hash sticks only for clients with a\n"
    "                        certificate of these CAs (PEM), 403 for others\n"
    "  --client-cert FILE    write a client certificate and its key there, "
    "and\n"
    "                        give VLEKs and hash sticks to who shows it\n"
    "  --chips N             chips 0 to N-1 exist (default 1024)\n"
    "  --log                 one line on stderr for each request\n"
    "for tests of clients:\n"
    "  --rate SECONDS        one request in so long for each URL, then 429\n"
    "  --slow MS             wait before each answer\n"
    "  --fail STATUS[/N]     answer every (N-th) request with this status\n"
    "  --hostile HOW         truncate, flip, drop, html, huge, trickle, "
    "replay,\n"
    "                        other-chip or misdirect\n"
    "  --faults FILE         more, request by request: a fault plan\n"
    "  --revoke-ask          list the ASK on the revocation list\n"
    "installation:\n"
    "  --state DIR, --insecure-dev-seed, --seed-file FILE, --lookalike,\n"
    "  --product-name NAME   as for swpsp run\n";

static const struct option OWN[] = {
    {"help", no_argument, NULL, OPT_HELP},
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"port", required_argument, NULL, OPT_PORT},
    {"port-file", required_argument, NULL, OPT_PORT_FILE},
    {"tls", no_argument, NULL, OPT_TLS},
    {"tls-ca", required_argument, NULL, OPT_TLS_CA},
    {"client-ca", required_argument, NULL, OPT_CLIENT_CA},
    {"client-cert", required_argument, NULL, OPT_CLIENT_CERT},
    {"chips", required_argument, NULL, OPT_CHIPS},
    {"log", no_argument, NULL, OPT_LOG},
    {"rate", required_argument, NULL, OPT_RATE},
    {"slow", required_argument, NULL, OPT_SLOW},
    {"fail", required_argument, NULL, OPT_FAIL},
    {"hostile", required_argument, NULL, OPT_HOSTILE},
    {"faults", required_argument, NULL, OPT_FAULTS},
    {"revoke-ask", no_argument, NULL, OPT_REVOKE},
};
#define OWN_COUNT (sizeof(OWN) / sizeof(OWN[0]))

/* Of the platform's options, those that say which installation. */
static bool is_shared(const char *name)
{
    return strcmp(name, "state") == 0 || strcmp(name, "seed-file") == 0 ||
           strcmp(name, "insecure-dev-seed") == 0 ||
           strcmp(name, "lookalike") == 0 || strcmp(name, "product-name") == 0;
}

static struct option *option_table(void)
{
    struct option *table =
        calloc(OWN_COUNT + PLATFORM_OPTION_COUNT + 1, sizeof(*table));
    size_t n = OWN_COUNT;

    if (table == NULL) {
        return NULL;
    }
    memcpy(table, OWN, sizeof(OWN));
    for (size_t i = 0; i < PLATFORM_OPTION_COUNT; i++) {
        if (is_shared(PLATFORM_OPTIONS[i].name)) {
            table[n++] = PLATFORM_OPTIONS[i];
        }
    }
    return table;
}

static bool bad(const char *option, const char *arg, const char *want)
{
    fprintf(stderr, "swpsp kds: --%s %s: %s\n", option, arg, want);
    return false;
}

static bool take_number(const char *option, const char *arg, uint64_t max,
                        uint64_t *out)
{
    char want[64];

    if (parse_number(arg, max, out)) {
        return true;
    }
    snprintf(want, sizeof(want), "need a number from 0 to %llu",
             (unsigned long long)max);
    return bad(option, arg, want);
}

static void log_line(void *ctx, const char *method, const char *url,
                     unsigned int status, size_t size)
{
    char line[1024];
    size_t n = 0;

    (void)ctx;
    for (const char *p = url; *p != '\0' && n < sizeof(line) - 1; p++) {
        line[n++] = *p >= 0x20 && *p < 0x7f ? *p : '?';
    }
    line[n] = '\0';
    fprintf(stderr, "swpsp kds: %u %zu %.16s %s\n", status, size, method, line);
}

static void fault_line(void *ctx, const char *line)
{
    (void)ctx;
    fprintf(stderr, "swpsp kds: fault %s\n", line);
}

static bool take_own(struct kds_options *o, int val, const char *arg)
{
    uint64_t n = 0;
    bool ok = true;

    switch (val) {
    case OPT_LISTEN:
        o->http.address = arg;
        break;
    case OPT_PORT:
        ok = take_number("port", arg, 65535, &n);
        o->http.port = (uint16_t)n;
        break;
    case OPT_PORT_FILE:
        o->port_file = arg;
        break;
    case OPT_TLS:
        o->tls = true;
        break;
    case OPT_TLS_CA:
        o->tls = true;
        o->tls_ca = arg;
        break;
    case OPT_CLIENT_CA:
        o->tls = true;
        o->client_ca = arg;
        break;
    case OPT_CLIENT_CERT:
        o->tls = true;
        o->client_cert = arg;
        break;
    case OPT_CHIPS:
        ok = take_number("chips", arg, KDS_CHIP_LIMIT, &n);
        o->chips = (uint32_t)n;
        break;
    case OPT_LOG:
        o->http.log = log_line;
        break;
    case OPT_RATE:
        ok = take_number("rate", arg, MAX_SECONDS, &n);
        o->http.faults.rate_seconds = (unsigned int)n;
        break;
    case OPT_SLOW:
        return kds_plans_slow(&o->plans, arg);
    case OPT_FAIL:
        return kds_plans_fail(&o->plans, arg);
    case OPT_HOSTILE:
        return kds_plans_hostile(&o->plans, arg);
    case OPT_FAULTS:
        return kds_plans_file(&o->plans, arg);
    case OPT_REVOKE:
        o->revoke_ask = true;
        break;
    default:
        return options_take(&o->platform, "kds", val, arg);
    }
    return ok;
}

static bool finish(struct kds_options *o, int argc, char **argv)
{
    if (optind < argc) {
        fprintf(stderr, "swpsp kds: takes no argument: %s\n", argv[optind]);
        return false;
    }
    if (o->tls && o->platform.dev_seed && o->tls_ca == NULL) {
        fprintf(stderr, "swpsp kds: --tls with --insecure-dev-seed needs "
                        "--tls-ca FILE: there is no state folder to keep the "
                        "CA in\n");
        return false;
    }
    return options_finish(&o->platform, "kds");
}

/* Returns -1 to go on, else an exit status. */
static int parse(struct kds_options *o, int argc, char **argv)
{
    struct option *table = option_table();
    int status = table == NULL ? EXIT_USAGE : -1;
    int val;

    while (status < 0 &&
           (val = getopt_long(argc, argv, "h", table, NULL)) != -1) {
        if (val == OPT_HELP || val == 'h') {
            fputs(HELP, stdout);
            status = EXIT_OK;
        } else if (val == '?' || !take_own(o, val, optarg)) {
            status = EXIT_USAGE;
        }
    }
    free(table);
    if (status < 0 && !finish(o, argc, argv)) {
        status = EXIT_USAGE;
    }
    return status;
}

/* Whole or not at all: others wait for it to appear. */
static bool write_whole(const char *path, const char *text, bool secret)
{
    size_t size = strlen(path) + 16;
    char *temporary = malloc(size);
    FILE *f = NULL;
    bool ok = false;
    int fd;

    if (temporary != NULL) {
        snprintf(temporary, size, "%s.%ld", path, (long)getpid());
        (void)unlink(temporary);
        fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                  secret ? 0600 : 0666);
        f = fd < 0 ? NULL : fdopen(fd, "w");
    }
    if (f != NULL) {
        ok = fputs(text, f) >= 0;
        ok = fclose(f) == 0 && ok && rename(temporary, path) == 0;
    }
    if (!ok) {
        fprintf(stderr, "swpsp kds: %s: %s\n", path, strerror(errno));
        if (f != NULL) {
            (void)unlink(temporary);
        }
    }
    free(temporary);
    return ok;
}

/* Those of --client-ca, and ours when it has made a certificate. */
static bool take_client_cas(struct kds_options *o, const struct kds_tls *tls)
{
    const char *ours = o->client_cert != NULL ? tls->ca_cert : "";
    uint8_t *theirs = NULL;
    size_t size = 0;

    if (o->client_ca == NULL && o->client_cert == NULL) {
        return true;
    }
    if (o->client_ca != NULL) {
        theirs = parse_file(o->client_ca, CLIENT_CA_MAX, &size);
        if (theirs == NULL || !kds_tls_are_certs(theirs, size)) {
            fprintf(stderr, "swpsp kds: --client-ca %s: %s\n", o->client_ca,
                    theirs == NULL ? strerror(errno) : "no PEM certificates");
            free(theirs);
            return false;
        }
    }
    if (asprintf(&o->client_cas, "%.*s\n%s", (int)size,
                 theirs != NULL ? (char *)theirs : "", ours) < 0) {
        o->client_cas = NULL;
        fprintf(stderr, "swpsp kds: out of memory\n");
    }
    free(theirs);
    return o->client_cas != NULL;
}

static bool open_tls(struct kds_options *o, const struct install *ins,
                     struct kds_tls *tls)
{
    char error[KDS_TLS_ERROR_SIZE] = "";

    if (!o->tls) {
        return true;
    }
    if (kds_tls_open(install_dir(ins), (uint64_t)time(NULL), tls, error) != 0) {
        fprintf(stderr, "swpsp kds: %s\n", error);
        return false;
    }
    return (o->tls_ca == NULL || write_whole(o->tls_ca, tls->ca_cert, false)) &&
           (o->client_cert == NULL ||
            write_whole(o->client_cert, tls->client, true)) &&
           take_client_cas(o, tls);
}

static bool start(struct kds_options *o, struct kds *kds,
                  const struct kds_tls *tls, struct kds_http **out)
{
    const char *address =
        o->http.address != NULL ? o->http.address : "127.0.0.1";
    int err;

    o->http.tls_cert = tls->cert;
    o->http.tls_key = tls->key;
    o->http.client_ca = o->client_cas;
    kds_plans_use(&o->plans, &o->http.faults);
    o->http.faults.applied = o->http.log != NULL ? fault_line : NULL;
    err = kds_http_start(kds, &o->http, out);
    if (err != 0) {
        fprintf(stderr, "swpsp kds: cannot listen on %s port %u: %s\n", address,
                (unsigned int)o->http.port,
                err == -EINVAL ? "no numeric address of this machine"
                               : strerror(-err));
        return false;
    }
    if (strncmp(address, "127.", 4) != 0 && strcmp(address, "::1") != 0) {
        fprintf(stderr, "swpsp kds: reachable from other machines at %s\n",
                address);
    }
    return true;
}

/* The signals are blocked: they wait for sigwait(). */
static int serve(const struct kds_options *o, const struct kds_http *http,
                 const sigset_t *until)
{
    char port[8];
    int sig = 0;

    snprintf(port, sizeof(port), "%u\n", (unsigned int)kds_http_port(http));
    if (o->port_file != NULL && !write_whole(o->port_file, port, false)) {
        return EXIT_USAGE;
    }
    if (fputs(port, stdout) < 0 || fflush(stdout) != 0) {
        fprintf(stderr, "swpsp kds: cannot print the port\n");
        return EXIT_USAGE;
    }
    (void)sigwait(until, &sig);
    if (o->port_file != NULL) {
        (void)unlink(o->port_file);
    }
    return EXIT_OK;
}

static void failed(void *ctx, enum psp_err err)
{
    char error[INSTALL_ERROR_SIZE] = "";

    (void)install_pki_error(ctx, err, error);
    fprintf(stderr, "swpsp kds: %s\n", error);
}

static enum psp_err open_kds(const struct kds_options *o, struct install *ins,
                             struct kds **out)
{
    struct kds_config config = {
        .seed = install_seed(ins),
        .naming = install_naming(ins),
        .store = install_key_store(ins),
        .chip_count = o->chips,
        .csp_id = install_csp_id(ins),
        .product_name = install_product_name(ins),
        .revoke_ask = o->revoke_ask,
        .failed = failed,
        .ctx = ins,
    };

    return kds_open(&config, out);
}

/* Not under nohup. */
static bool heeds_hangup(void)
{
    struct sigaction act;

    return sigaction(SIGHUP, NULL, &act) != 0 || act.sa_handler != SIG_IGN;
}

static int run(struct kds_options *o, struct install *ins)
{
    struct kds_tls tls = {0};
    struct kds_http *http = NULL;
    struct kds *kds = NULL;
    int status = EXIT_USAGE;
    sigset_t until, blocked, old;

    sigemptyset(&until);
    sigaddset(&until, SIGTERM);
    sigaddset(&until, SIGINT);
    if (heeds_hangup()) {
        sigaddset(&until, SIGHUP);
    }
    blocked = until;
    sigaddset(&blocked, SIGPIPE); /* a log that nobody reads any more */
    pthread_sigmask(SIG_BLOCK, &blocked, &old);
    if (install_is_insecure(ins)) {
        fprintf(stderr, "swpsp kds: INSECURE: everybody has the keys of the "
                        "development seed\n");
    }
    if (open_kds(o, ins, &kds) != PSP_OK) {
        fprintf(stderr, "swpsp kds: out of memory\n");
    } else if (open_tls(o, ins, &tls) && start(o, kds, &tls, &http)) {
        status = serve(o, http, &until);
    }
    kds_http_stop(http);
    kds_tls_clear(&tls);
    free(o->client_cas);
    kds_close(kds);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return status;
}

int cmd_kds(int argc, char **argv)
{
    struct kds_options o = {.chips = DEFAULT_CHIPS};
    struct install *install = NULL;
    int status;

    options_init(&o.platform);
    status = parse(&o, argc, argv);
    if (status < 0) {
        status = EXIT_USAGE;
        if (platform_open_install(&o.platform, "kds", &install)) {
            status = run(&o, install);
        }
        install_close(install);
    }
    kds_plans_clear(&o.plans);
    return status;
}
