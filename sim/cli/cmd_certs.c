/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "certs_connect.h"
#include "crypto.h"
#include "guest_text.h"
#include "kds_tls.h"
#include "platform.h"
#include "sev_export.h"
#include "sev_pki.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char HELP[] =
    "usage: swpsp certs export [OPTION...] DIR\n\n"
    "Write the platform's certificates below DIR, laid out for the common\n"
    "verifiers: pki/PRODUCT/, guest/, snpguest/, kds-store/, sev/.\n\n"
    "  --connect SOCKET      those of a running `swpsp serve`; pki/, guest/ "
    "and sev/\n\n";

#define OPT_CONNECT 1

static struct option *option_table(void)
{
    struct option *table = calloc(PLATFORM_OPTION_COUNT + 3, sizeof(*table));

    if (table != NULL) {
        table[0] = (struct option){"help", no_argument, NULL, 'h'};
        table[1] =
            (struct option){"connect", required_argument, NULL, OPT_CONNECT};
        memcpy(table + 2, PLATFORM_OPTIONS,
               PLATFORM_OPTION_COUNT * sizeof(*table));
    }
    return table;
}

/* Returns -1 to go on, else an exit status. */
static int parse(struct platform_options *o, const char **connect, int argc,
                 char **argv)
{
    struct option *table = option_table();
    int status = table == NULL ? EXIT_USAGE : -1;
    bool own = false;
    int val;

    while (status < 0 &&
           (val = getopt_long(argc, argv, "h", table, NULL)) != -1) {
        if (val == 'h') {
            printf("%s%s", HELP, PLATFORM_HELP);
            status = EXIT_OK;
        } else if (val == OPT_CONNECT) {
            *connect = optarg;
        } else if (val == '?' || !options_take(o, "certs", val, optarg)) {
            status = EXIT_USAGE;
        } else {
            own = true;
        }
    }
    free(table);
    if (status < 0 && own && *connect != NULL) {
        fprintf(stderr, "swpsp certs: with --connect the platform is the "
                        "daemon's: no platform option applies\n");
        status = EXIT_USAGE;
    }
    if (status < 0 && !options_finish(o, "certs")) {
        status = EXIT_USAGE;
    }
    return status;
}

/* sev/ of a platform that is powered on for it: the chain that the next run
 * has, for its keys are kept, or follow from the seed. */
static int export_platform(const struct platform_options *o,
                           struct install_export *what, const char *path,
                           char *error)
{
    struct platform_options host = *o;
    struct state_dir top = {.fd = -1}, dir = {.fd = -1};
    struct platform p = {0};
    uint8_t cek[SEV_CERT_SIZE];
    struct pki_ca *ca = NULL;
    struct chardev dev;
    int rc;

    host.sev.node_sev = true;
    host.sev.node_sev_guest = false;
    host.sev.legacy_guest_count = 0;
    if (!platform_open(&p, &host, "certs", NULL)) {
        platform_close(&p);
        return -ECANCELED; /* told */
    }
    dev = ccp_chardev(p.ccp);
    rc = install_ca(p.install, what->generation, &ca, error);
    if (rc == 0) {
        rc = install_pki_error(p.install, pki_cek_cert(ca, &what->chip, cek),
                               error);
    }
    if (rc == 0) {
        rc = state_dir_open(path, STATE_DIR_PUBLIC, &top, error);
    }
    if (rc == 0) {
        rc = state_dir_sub(&top, "sev", STATE_DIR_PUBLIC, &dir, error);
    }
    if (rc == 0) {
        rc = sev_export(&dev, cek, &dir, error);
    }
    state_dir_close(&dir);
    state_dir_close(&top);
    platform_close(&p);
    return rc;
}

/* With the table that the guest gets. */
static int export_guest(const struct platform_options *o, struct install *ins,
                        struct install_export *what, const char *dir,
                        char *error)
{
    struct vm_spec spec;
    int err = -ECANCELED;

    if (what->generation < PSP_MILAN) {
        return install_export(ins, dir, what, error);
    }
    if (!guest_spec_make(o, "certs", &spec)) {
        return err;
    }
    if (platform_guest_certs(ins, &what->chip, o, "certs", &spec)) {
        what->own_table = true;
        what->table = spec.certs;
        what->table_size = spec.certs_size;
        err = install_export(ins, dir, what, error);
    }
    vm_spec_clear(&spec);
    return err;
}

/* pki/tls-ca.pem: who vouches for the key server's https. Without a state
 * folder each start of it has a new one. */
static int export_tls(const struct install *ins, const char *path, uint64_t now,
                      char *error)
{
    const struct state_dir *kept = install_dir(ins);
    struct state_dir top = {.fd = -1}, dir = {.fd = -1};
    struct kds_tls tls = {0};
    int err;

    if (kept == NULL) {
        return 0;
    }
    err = kds_tls_open(kept, now, &tls, error);
    if (err == 0) {
        err = state_dir_open(path, STATE_DIR_PUBLIC, &top, error);
    }
    if (err == 0) {
        err = state_dir_sub(&top, "pki", STATE_DIR_PUBLIC, &dir, error);
    }
    if (err == 0) {
        err = state_file_write(&dir, KDS_TLS_CA_FILE, STATE_FILE_PUBLIC,
                               tls.ca_cert, strlen(tls.ca_cert), error);
    }
    kds_tls_clear(&tls);
    state_dir_close(&dir);
    state_dir_close(&top);
    return err;
}

static int export_to(const struct platform_options *o, const char *dir)
{
    struct install_export what = {
        .generation = o->profile->generation,
        .tcb = platform_reported_tcb(o),
        .kind = o->vlek || o->certs == CERTS_VLEK ? INSTALL_VLEK : INSTALL_VCEK,
        .now = (uint64_t)time(NULL),
    };
    char error[INSTALL_ERROR_SIZE] = "";
    struct install *install = NULL;
    int err;

    if (!platform_open_install(o, "certs", &install)) {
        return EXIT_USAGE;
    }
    install_chip(install, what.generation, o->chip_index, &what.chip);
    err = export_guest(o, install, &what, dir, error);
    if (err == 0) {
        err = export_tls(install, dir, what.now, error);
    }
    install_close(install);
    if (err == 0) {
        err = export_platform(o, &what, dir, error);
    }
    if (err != 0 && err != -ECANCELED) {
        fprintf(stderr, "swpsp certs: %s\n", error);
    }
    psp_wipe(&what, sizeof(what));
    return err == 0 ? EXIT_OK : EXIT_USAGE;
}

int cmd_certs(int argc, char **argv)
{
    const char *connect = NULL;
    struct platform_options o;
    int status;

    options_init(&o);
    status = parse(&o, &connect, argc, argv);
    if (status >= 0) {
        return status;
    }
    if (argc - optind != 2 || strcmp(argv[optind], "export") != 0) {
        fprintf(stderr, "swpsp certs: usage: swpsp certs export [OPTION...] "
                        "DIR\n");
        return EXIT_USAGE;
    }
    return connect == NULL ? export_to(&o, argv[optind + 1])
                           : certs_connect_export(connect, argv[optind + 1]);
}
