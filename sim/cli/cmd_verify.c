/* SPDX-License-Identifier: Apache-2.0 */
#include "artefact.h"
#include "commands.h"
#include "evidence.h"
#include "parse.h"
#include "verify_aeb.h"
#include "verify_options.h"
#include "verify_print.h"
#include "verify_sev.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SINGLES_MAX 4u

struct session {
    struct verify_options options;
    struct verify_input input;
    struct evidence evidence; /* --certs, then --report */
    struct evidence trusted;  /* --root: only its ASK is used from here */
    uint8_t *file[SINGLES_MAX + 2];
    size_t file_count;
};

static bool complain(const char *path, const char *what)
{
    fprintf(stderr, "swpsp verify: %s: %s\n", path, what);
    return false;
}

/* The file's bytes live as long as the session. */
static bool load(struct session *s, const char *path, struct verify_blob *out)
{
    uint8_t *data = parse_file(path, BLOCKS_MAX_SIZE, &out->size);

    if (data == NULL) {
        return complain(path, strerror(errno));
    }
    s->file[s->file_count++] = data;
    out->data = data;
    return true;
}

static const char *why_not(enum psp_err err)
{
    return err == PSP_E_FORMAT
               ? "no certificates, certificate table or CRL that can be read"
               : psp_err_text(err);
}

static bool add_certs_file(struct session *s, const char *path)
{
    size_t size = 0;
    uint8_t *data = parse_file(path, BLOCKS_MAX_SIZE, &size);
    enum psp_err err;

    if (data == NULL) {
        return complain(path, strerror(errno));
    }
    err = evidence_add(&s->evidence, data, size);
    free(data);
    return err == PSP_OK || complain(path, why_not(err));
}

/* The names that the common tools give their files; of one stem the first
 * ending that is there. */
static bool add_certs_stem(struct session *s, const char *dir, const char *stem)
{
    static const char *const ending[] = {".pem",  ".der", ".crt",
                                         ".cert", ".bin", ""};
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
        int n = snprintf(path, sizeof(path), "%s/%s%s", dir, stem, ending[i]);

        if (n > 0 && (size_t)n < sizeof(path) && access(path, F_OK) == 0) {
            return add_certs_file(s, path);
        }
    }
    return true;
}

static bool add_certs_dir(struct session *s, const char *dir)
{
    static const char *const stem[] = {"vcek", "vlek", "ask",       "asvk",
                                       "ark",  "crl",  "cert_chain"};

    for (size_t i = 0; i < sizeof(stem) / sizeof(stem[0]); i++) {
        if (!add_certs_stem(s, dir, stem[i])) {
            return false;
        }
    }
    return s->evidence.blocks.count > 0 || add_certs_stem(s, dir, "cert_table");
}

static bool add_certs(struct session *s)
{
    const char *path = s->options.certs;
    struct stat st;

    if (path == NULL) {
        return true;
    }
    if (strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        return add_certs_dir(s, path);
    }
    return add_certs_file(s, path);
}

/* A damaged report is for the verdict to refuse; another thing than a report
 * is a mistake on the command line. */
static bool add_report(struct session *s)
{
    const char *path = s->options.report;
    struct verify_blob file = {0};
    enum artefact type;
    enum psp_err err;

    if (!load(s, path, &file)) {
        return false;
    }
    type = artefact_identify(file.data, file.size);
    switch (type) {
    case ARTEFACT_UNKNOWN:
    case ARTEFACT_REPORT:
        s->input.report = file;
        return true;
    case ARTEFACT_EVIDENCE:
        err = evidence_add(&s->evidence, file.data, file.size);
        return err == PSP_OK ||
               complain(path, "the certificate table behind the report cannot "
                              "be read");
    case ARTEFACT_RESPONSE:
        err = evidence_add(&s->evidence, file.data, file.size);
        return err == PSP_OK ||
               complain(path, "a damaged response, or one without a report");
    default:
        return complain(path, "not an attestation report");
    }
}

static bool add_singles(struct session *s)
{
    const struct {
        const char *path;
        struct verify_blob *slot;
    } single[SINGLES_MAX] = {
        {s->options.vcek, &s->input.leaf},
        {s->options.ask, &s->input.ask},
        {s->options.ark, &s->input.ark},
        {s->options.crl, &s->input.crl},
    };

    for (size_t i = 0; i < SINGLES_MAX; i++) {
        if (single[i].path != NULL &&
            !load(s, single[i].path, single[i].slot)) {
            return false;
        }
    }
    return true;
}

static bool add_root(struct session *s)
{
    struct verify_blob *root = &s->input.trusted_ark;
    enum psp_err err;

    if (!load(s, s->options.root, root)) {
        return false;
    }
    err = evidence_add(&s->trusted, root->data, root->size);
    if (err == PSP_OK && s->trusted.report != NULL) {
        err = PSP_E_FORMAT;
    }
    return err == PSP_OK ||
           complain(s->options.root, "no certificate in PEM or DER");
}

static bool gather(struct session *s)
{
    if (!add_root(s) || !add_singles(s) || !add_certs(s) || !add_report(s)) {
        return false;
    }
    evidence_choose(&s->evidence, &s->input);
    evidence_choose_ask(&s->trusted, &s->input);
    return verify_options_place_tcb(&s->options,
                                    evidence_generation(&s->input));
}

static const char *name_of(size_t check)
{
    return verify_check_name((enum verify_check)check);
}

static int judge(struct session *s)
{
    struct verify_result result;
    struct verdicts v = {
        .line = result.line, .count = VERIFY_CHECK_COUNT, .name = name_of};

    verify_snp(&s->input, &s->options.policy, &result);
    v.ok = result.ok;
    v.simulated = result.simulated;
    return verdicts_print(&v, s->options.json);
}

static void session_clear(struct session *s)
{
    evidence_clear(&s->evidence);
    evidence_clear(&s->trusted);
    for (size_t i = 0; i < s->file_count; i++) {
        free(s->file[i]);
    }
}

int cmd_verify(int argc, char **argv)
{
    struct session s;
    int status = EXIT_USAGE;

    if (verify_aeb_asked(argc, argv)) {
        return verify_aeb_run(argc, argv);
    }
    if (verify_sev_asked(argc, argv)) {
        return verify_sev_run(argc, argv);
    }
    memset(&s, 0, sizeof(s));
    if (!verify_options_parse(&s.options, argc, argv)) {
        return EXIT_USAGE;
    }
    if (s.options.help) {
        fputs(VERIFY_HELP, stdout);
        return EXIT_OK;
    }
    if (gather(&s)) {
        status = judge(&s);
    }
    session_clear(&s);
    return status;
}
