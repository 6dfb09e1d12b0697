/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "decode.h"
#include "parse.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX_SIZE 0x100000u

static const char HELP[] =
    "usage: swpsp decode [--json] [--type TYPE] FILE\n\n"
    "Print what is in FILE (-: standard input). TYPE: report, evidence (a "
    "report\n"
    "and its certificate table), response, table, x509 (certificates and "
    "CRLs,\n"
    "PEM or DER), amd-cert (ARK and ASK in AMD's format); of legacy SEV:\n"
    "sev-report, sev-cert, sev-chain, sev-evidence. Without --type it is "
    "found\n"
    "out, except sev-measurement, sev-session and sev-packet, which can be "
    "any\n"
    "bytes of their size.\n";

struct decode_options {
    bool help;
    enum decode_form form;
    enum artefact type;
    const char *path;
};

static bool take(struct decode_options *o, int val, const char *last)
{
    switch (val) {
    case 'j':
        o->form = DECODE_JSON;
        return true;
    case 't':
        o->type = artefact_named(optarg);
        if (o->type != ARTEFACT_UNKNOWN) {
            return true;
        }
        fprintf(stderr, "swpsp decode: --type %s: no such type\n", optarg);
        return false;
    case 'h':
        o->help = true;
        return true;
    default:
        fprintf(stderr,
                "swpsp decode: %s: no such option, or its argument is "
                "missing\n",
                last);
        return false;
    }
}

static bool parse(struct decode_options *o, int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},
        {"type", required_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int val;

    opterr = 0;
    optind = 1;
    while ((val = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (!take(o, val, argv[optind - 1])) {
            return false;
        }
    }
    if (o->help) {
        return true;
    }
    if (argc - optind != 1) {
        fprintf(stderr, "swpsp decode: need exactly one FILE\n");
        return false;
    }
    o->path = argv[optind];
    return true;
}

static int decode(const struct decode_options *o)
{
    char why[DECODE_WHY_SIZE] = "";
    size_t size = 0;
    uint8_t *data = parse_file(o->path, FILE_MAX_SIZE, &size);
    char *text = NULL;
    enum psp_err err;

    if (data == NULL) {
        fprintf(stderr, "swpsp decode: %s: %s\n", o->path, strerror(errno));
        return EXIT_USAGE;
    }
    err = decode_artefact(data, size, o->type, o->form, &text, why);
    if (err != PSP_OK) {
        fprintf(stderr, "swpsp decode: %s: %s\n", o->path,
                err == PSP_E_FORMAT ? why : psp_err_text(err));
    } else if (fputs(text, stdout) == EOF || fflush(stdout) != 0) {
        fprintf(stderr, "swpsp decode: standard output: %s\n", strerror(errno));
        err = PSP_E_HOST;
    }
    free(text);
    free(data);
    return err == PSP_OK ? EXIT_OK : EXIT_USAGE;
}

int cmd_decode(int argc, char **argv)
{
    struct decode_options o = {.form = DECODE_TEXT, .type = ARTEFACT_UNKNOWN};

    if (!parse(&o, argc, argv)) {
        return EXIT_USAGE;
    }
    if (o.help) {
        fputs(HELP, stdout);
        return EXIT_OK;
    }
    return decode(&o);
}
