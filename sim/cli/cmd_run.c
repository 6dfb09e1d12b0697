/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "control_client.h"
#include "faults.h"
#include "parse.h"
#include "plan_file.h"
#include "platform.h"
#include "run_facts.h"
#include "run_kds.h"
#include "run_tsm.h"
#include "seccomp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    OPT_HELP = 1,
    OPT_TRACE,
    OPT_FORCE,
    OPT_NODE_MODE,
    OPT_KDS,
    OPT_TSM,
    OPT_FAULTS,
    OPT_CONNECT,
    OPT_AS,
};

struct run_options {
    struct platform_options platform;
    bool trace;
    const char *trace_path;
    bool force;
    uint32_t node_mode;
    enum run_kds_way kds;
    bool tsm;
    const char *tsm_dir;     /* NULL: where Linux has it */
    const char *faults_path; /* NULL: the hypervisor is honest */
    struct fault_plan *faults;
    bool own_platform;   /* one of its options was given */
    const char *connect; /* control socket; NULL: a platform of its own */
    const char *as;      /* guest of that platform */
};

static const char HELP[] =
    "usage: swpsp run [OPTION...] -- PROGRAM [ARG...]\n\n"
    "Run a program that sees /dev/sev of a simulated host and /dev/sev-guest "
    "of its\nSEV-SNP guest.\n\n"
    "  --trace[=FILE]        one line for each ioctl and mailbox command\n"
    "  --force               shadow a device that really exists\n"
    "  --node-mode OCTAL     permission bits of the nodes (default 0666)\n"
    "  --kds[=WAY]           https://kdsintf.amd.com is answered by this "
    "installation;\n"
    "                        WAY: namespace, proxy, or auto (default)\n"
    "  --tsm[=DIR]           report entries of configfs-tsm, at\n"
    "                        /sys/kernel/config/tsm/report or at DIR\n"
    "  --faults FILE         what a hostile host does (JSON)\n"
    "  --connect SOCKET      use a running `swpsp serve` instead of a "
    "platform\n"
    "                        of its own, and no platform option\n"
    "  --as GUEST            as which of its guests; \"host\": /dev/sev\n\n";

static bool take_mode(struct run_options *o, const char *text)
{
    char *end = NULL;
    unsigned long mode = strtoul(text, &end, 8);

    if (text[0] < '0' || text[0] > '7' || *end != '\0' || mode > 0777) {
        fprintf(stderr,
                "swpsp run: --node-mode %s: need an octal number from 0 to "
                "777\n",
                text);
        return false;
    }
    o->node_mode = (uint32_t)mode;
    return true;
}

static bool take_kds(struct run_options *o, const char *text)
{
    o->kds = run_kds_way_by_name(text);
    if (o->kds == RUN_KDS_OFF) {
        fprintf(stderr,
                "swpsp run: --kds=%s: no such way; namespace, proxy, auto\n",
                text);
    }
    return o->kds != RUN_KDS_OFF;
}

/* All options of run in one table for getopt_long. */
static struct option *option_table(void)
{
    static const struct option own[] = {
        {"help", no_argument, NULL, OPT_HELP},
        {"trace", optional_argument, NULL, OPT_TRACE},
        {"force", no_argument, NULL, OPT_FORCE},
        {"node-mode", required_argument, NULL, OPT_NODE_MODE},
        {"kds", optional_argument, NULL, OPT_KDS},
        {"tsm", optional_argument, NULL, OPT_TSM},
        {"faults", required_argument, NULL, OPT_FAULTS},
        {"connect", required_argument, NULL, OPT_CONNECT},
        {"as", required_argument, NULL, OPT_AS},
    };
    size_t own_count = sizeof(own) / sizeof(own[0]);
    struct option *table =
        calloc(own_count + PLATFORM_OPTION_COUNT + 1, sizeof(*table));

    if (table != NULL) {
        memcpy(table, own, sizeof(own));
        memcpy(table + own_count, PLATFORM_OPTIONS,
               PLATFORM_OPTION_COUNT * sizeof(*table));
    }
    return table;
}

/* --connect and --as belong together, and leave no platform to describe. */
static bool connect_is_whole(const struct run_options *o)
{
    const char *why = NULL;

    if ((o->connect == NULL) != (o->as == NULL)) {
        why = "--connect and --as go together";
    } else if (o->connect != NULL && o->own_platform) {
        why = "with --connect the platform is the daemon's: no platform option "
              "applies";
    } else if (o->connect != NULL && o->kds != RUN_KDS_OFF) {
        why = "--kds needs a platform of its own, not --connect";
    } else if (o->connect != NULL && o->faults_path != NULL) {
        why = "--faults needs a platform of its own, not --connect";
    }
    if (why != NULL) {
        fprintf(stderr, "swpsp run: %s\n", why);
    }
    return why == NULL;
}

/* Report entries are those of a guest. */
static bool tsm_is_possible(const struct run_options *o)
{
    bool guest = o->connect == NULL ? o->platform.sev.node_sev_guest
                                    : strcmp(o->as, "host") != 0;

    if (o->tsm && !guest) {
        fprintf(stderr, "swpsp run: --tsm: there is no /dev/sev-guest\n");
    }
    return !o->tsm || guest;
}

/* Returns -1 to go on, else an exit status. */
static int parse(struct run_options *o, int argc, char **argv)
{
    struct option *table = option_table();
    int status = table == NULL ? EXIT_USAGE : -1;
    int val;

    opterr = 1;
    while (status < 0 &&
           (val = getopt_long(argc, argv, "+h", table, NULL)) != -1) {
        if (val == OPT_HELP || val == 'h') {
            printf("%s%s", HELP, PLATFORM_HELP);
            status = EXIT_OK;
        } else if (val == OPT_TRACE) {
            o->trace = true;
            o->trace_path = optarg;
        } else if (val == OPT_FORCE) {
            o->force = true;
        } else if (val == OPT_NODE_MODE) {
            status = take_mode(o, optarg) ? -1 : EXIT_USAGE;
        } else if (val == OPT_KDS) {
            status = take_kds(o, optarg) ? -1 : EXIT_USAGE;
        } else if (val == OPT_TSM) {
            o->tsm = true;
            o->tsm_dir = optarg;
        } else if (val == OPT_FAULTS) {
            o->faults_path = optarg;
        } else if (val == OPT_CONNECT) {
            o->connect = optarg;
        } else if (val == OPT_AS) {
            o->as = optarg;
        } else if (val == '?' ||
                   !options_take(&o->platform, "run", val, optarg)) {
            status = EXIT_USAGE;
        } else {
            o->own_platform = true;
        }
    }
    free(table);
    if (status < 0 && optind == argc) {
        fprintf(stderr, "swpsp run: no program given\n");
        status = EXIT_USAGE;
    }
    if (status < 0 && !(options_finish(&o->platform, "run") &&
                        connect_is_whole(o) && tsm_is_possible(o))) {
        status = EXIT_USAGE;
    }
    return status;
}

static void warn_line(void *ctx, const char *line)
{
    (void)ctx;
    fprintf(stderr, "swpsp run: %s\n", line);
}

#define MAX_NODES 2u

#define MINOR_SEV       124u
#define MINOR_SEV_GUEST 125u

struct shown {
    struct run_node nodes[MAX_NODES];
    size_t node_count;
    struct run_facts facts;
};

static void shown_init(struct shown *s, const struct run_options *o)
{
    s->node_count = 0;
    run_facts_init(&s->facts, o->force, o->node_mode);
}

static void show_node(struct shown *s, const struct run_options *o,
                      const char *path, struct chardev dev, uint32_t minor)
{
    s->nodes[s->node_count++] = (struct run_node){
        .path = path, .dev = dev, .mode = o->node_mode, .minor = minor};
}

static void show_sev(struct shown *s, const struct run_options *o,
                     struct chardev dev, struct trace *trace, bool snp)
{
    if (trace != NULL) {
        trace_sev(trace, &o->platform.sev.driver);
        dev = trace_chardev(trace, dev);
    }
    show_node(s, o, "/dev/sev", dev, MINOR_SEV);
    run_facts_host(&s->facts, snp, MINOR_SEV);
}

static void show_sev_guest(struct shown *s, const struct run_options *o,
                           struct chardev dev, struct trace *trace,
                           const struct serve_driver *guest)
{
    if (trace != NULL) {
        dev = trace_chardev(trace, dev);
    }
    show_node(s, o, "/dev/sev-guest", dev, MINOR_SEV_GUEST);
    run_facts_guest(&s->facts, guest, MINOR_SEV_GUEST);
}

static int run_shown(const struct run_options *o, struct shown *shown,
                     char **argv)
{
    struct run_config config = {
        .nodes = shown->nodes,
        .node_count = shown->node_count,
        .probes = shown->facts.probes,
        .argv = argv,
        .force = o->force,
        .warn = warn_line,
    };
    char error[RUN_ERROR_SIZE] = "";
    int status = EXIT_USAGE;
    int err;

    run_facts_end(&shown->facts);
    config.probe_count = shown->facts.count;
    err = seccomp_run(&config, &status, error);

    if (err != 0) {
        fprintf(stderr, "swpsp run: %s\n", error);
        if (err == -EEXIST || err == -ENOSYS || err == -EBUSY) {
            status = EXIT_USAGE;
        }
    }
    return status;
}

static struct serve_driver guest_of(const struct run_options *o,
                                    const struct platform *p)
{
    return (struct serve_driver){
        .era = o->platform.era,
        .vmpl = vm_vmpl(p->vm),
        .vmpck = sev_guest_vmpck(p->sev_guest),
        .sev_features = vm_sev_features(p->vm),
    };
}

static bool start_tsm(struct run_tsm *tsm, struct chardev dev,
                      struct trace *trace, const struct serve_driver *guest)
{
    if (trace != NULL) {
        dev = trace_chardev(trace, dev);
    }
    return run_tsm_start(tsm, dev, guest);
}

static int run_program(const struct run_options *o, struct platform *p,
                       struct trace *trace, struct run_tsm *tsm, char **argv)
{
    struct shown shown;

    shown_init(&shown, o);
    if (o->platform.sev.node_sev) {
        show_sev(&shown, o, ccp_chardev(p->ccp), trace,
                 o->platform.profile->has_snp);
    }
    if (o->platform.sev.node_sev_guest) {
        const struct serve_driver guest = guest_of(o, p);
        struct chardev dev = sev_guest_chardev(p->sev_guest);

        show_sev_guest(&shown, o, dev, trace, &guest);
        if (tsm != NULL && !start_tsm(tsm, dev, trace, &guest)) {
            return EXIT_USAGE;
        }
    }
    return run_shown(o, &shown, argv);
}

static int run_on(const struct run_options *o, struct control_device *device,
                  struct trace *trace, struct run_tsm *tsm, char **argv)
{
    struct chardev dev = control_device_chardev(device);
    struct serve_driver guest;
    struct shown shown;

    shown_init(&shown, o);
    if (strcmp(o->as, "host") == 0) {
        show_sev(&shown, o, dev, trace, control_device_has_snp(device));
        return run_shown(o, &shown, argv);
    }
    if (!run_tsm_ask(o->connect, o->as, &guest)) {
        return EXIT_USAGE;
    }
    show_sev_guest(&shown, o, dev, trace, &guest);
    if (tsm != NULL && !start_tsm(tsm, dev, trace, &guest)) {
        return EXIT_USAGE;
    }
    return run_shown(o, &shown, argv);
}

/* What hypercall 13 tells the program, as user space of the first legacy guest;
 * its clients keep 32 bits. abi/linux.md §3 */
static bool tell_handle(const struct run_options *o, const struct platform *p)
{
    const struct legacy_vm_hypercall call = {
        .rax = LEGACY_VM_HC_VM_HANDLE, .cpl = 3, .long_mode = true};
    char text[16];

    if (!o->platform.sev.vm_handle_set || p->legacy == NULL) {
        return true;
    }
    (void)snprintf(
        text, sizeof(text), "%u",
        (uint32_t)legacy_vm_vmmcall(p->legacy, p->legacy_guest[0], &call));
    if (setenv("SWPSP_VM_HANDLE", text, 1) != 0) {
        fprintf(stderr, "swpsp run: --vm-handle: %s\n", strerror(errno));
        return false;
    }
    return true;
}

/* From now on, not while the platform was brought up. */
static bool start_faults(const struct run_options *o, struct platform *p,
                         struct trace *trace)
{
    if (o->faults == NULL) {
        return true;
    }
    if (faults_host_new(o->faults, p->m, trace, &p->faults) != 0) {
        fprintf(stderr, "swpsp run: --faults: %s\n", strerror(ENOMEM));
        return false;
    }
    if (p->legacy != NULL) {
        fault_host_legacy(p->faults, p->legacy);
    }
    fault_host_start(p->faults);
    return true;
}

/* On a platform that runs elsewhere. */
static int run_connected(const struct run_options *o, FILE *out,
                         struct run_tsm *tsm, char **argv)
{
    struct trace *trace = o->trace ? trace_new(out) : NULL;
    char error[CONTROL_ERROR_SIZE] = "";
    struct control_device *dev = NULL;
    int status = EXIT_USAGE;

    if (control_device_open(o->connect, o->as, &dev, error) != 0) {
        fprintf(stderr, "swpsp run: %s\n", error);
    } else {
        status = run_on(o, dev, trace, tsm, argv);
        run_tsm_stop(tsm);
        control_device_close(dev);
    }
    trace_free(trace);
    return status;
}

static int run_traced(const struct run_options *o, FILE *out,
                      struct run_tsm *tsm, char **argv)
{
    struct trace *trace = o->trace ? trace_new(out) : NULL;
    struct platform p;
    int status = EXIT_USAGE;

    if (platform_open(&p, &o->platform, "run", trace) &&
        start_faults(o, &p, trace) && tell_handle(o, &p)) {
        status = run_program(o, &p, trace, tsm, argv);
    }
    run_tsm_stop(tsm);
    platform_close(&p);
    trace_free(trace);
    return status;
}

int cmd_run(int argc, char **argv)
{
    struct run_options o = {.node_mode = 0666};
    struct run_kds *kds = NULL;
    struct run_tsm *tsm = NULL;
    FILE *out = stderr;
    int status;

    options_init(&o.platform);
    status = parse(&o, argc, argv);
    if (status >= 0) {
        return status;
    }
    if (o.trace_path != NULL) {
        out = fopen(o.trace_path, "we");
        if (out == NULL) {
            fprintf(stderr, "swpsp run: --trace=%s: %s\n", o.trace_path,
                    strerror(errno));
            return EXIT_USAGE;
        }
    }
    status = EXIT_USAGE;
    if (o.faults_path != NULL &&
        !plan_file_load("run", o.faults_path, &o.faults)) {
        status = EXIT_USAGE;
    } else if (o.tsm && !run_tsm_prepare(o.tsm_dir, o.force, &tsm)) {
        status = EXIT_USAGE;
    } else if (o.connect != NULL) {
        status = run_connected(&o, out, tsm, argv + optind);
    } else if (o.kds == RUN_KDS_OFF ||
               run_kds_start(o.kds, &o.platform, o.faults, &kds)) {
        status = run_traced(&o, out, tsm, argv + optind);
    }
    run_tsm_free(tsm);
    run_kds_stop(kds);
    fault_plan_free(o.faults); /* the key server has used it */
    if (out != stderr) {
        bool lost = ferror(out) != 0;

        /* The program has ended as it did; its trace is not whole. */
        if (fclose(out) != 0 || lost) {
            fprintf(stderr, "swpsp run: --trace=%s: %s\n", o.trace_path,
                    lost ? "lines could not be written" : strerror(errno));
        }
    }
    return status;
}
