/* SPDX-License-Identifier: Apache-2.0 */
#include "verify_options.h"

#include "parse.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

const char VERIFY_HELP[] =
    "usage: swpsp verify --report FILE --root FILE [OPTION...]\n\n"
    "Judge an attestation report as a relying party. One line for each check,\n"
    "then the verdict. Exit status: 0 accepted, 1 rejected, 2 bad option or\n"
    "file.\n\n"
    "Legacy SEV: a 208-byte report, `--chain`, or --type sev; `swpsp verify "
    "--type\n"
    "sev --help` lists its options. Evidence of `swpsp aeb`: --type aeb.\n\n"
    "evidence (files in PEM, DER or as the devices give them):\n"
    "  --report FILE         report, report with certificate table behind it,\n"
    "                        or report response\n"
    "  --certs PATH          certificate table, certificates, or a folder "
    "with\n"
    "                        vcek|vlek, ask|asvk, ark, crl (.pem or .der)\n"
    "  --vcek FILE  --vlek FILE  --ask FILE  --asvk FILE  --ark FILE  --crl "
    "FILE\n"
    "                        single ones; they come before --certs\n"
    "trust:\n"
    "  --root FILE           the ARK to trust; may be a chain or a bundle\n"
    "  --time T              judge validity at T: 2026-01-31,\n"
    "                        2026-01-31T12:00:00Z, seconds since 1970, or "
    "none\n"
    "                        (default: now)\n"
    "expectations (checked when given):\n"
    "  --report-data HEX     64 bytes; @FILE: that file's bytes\n"
    "  --measurement HEX     48 bytes\n"
    "  --host-data HEX       32 bytes\n"
    "  --id-key-digest HEX  --author-key-digest HEX\n"
    "                        48 bytes each\n"
    "  --policy N            exact guest policy\n"
    "  --no-debug            guest policy must not allow debugging\n"
    "  --no-migration        nor a migration agent\n"
    "  --vmpl N              exact VMPL\n"
    "  --min-tcb TCB         least REPORTED_TCB: eight bytes of hex in memory\n"
    "                        order, or bl=N,tee=N,snp=N,ucode=N,fmc=N\n"
    "output:\n"
    "  --json                one JSON object\n";

enum {
    OPT_TYPE = 256,
    OPT_REPORT,
    OPT_CERTS,
    OPT_VCEK,
    OPT_ASK,
    OPT_ARK,
    OPT_ROOT,
    OPT_CRL,
    OPT_REPORT_DATA,
    OPT_MEASUREMENT,
    OPT_HOST_DATA,
    OPT_ID_KEY,
    OPT_AUTHOR_KEY,
    OPT_POLICY,
    OPT_VMPL,
    OPT_MIN_TCB,
    OPT_NO_DEBUG,
    OPT_NO_MIGRATION,
    OPT_TIME,
    OPT_JSON,
    OPT_HELP,
};

static const struct option OPTIONS[] = {
    {"type", required_argument, NULL, OPT_TYPE},
    {"report", required_argument, NULL, OPT_REPORT},
    {"certs", required_argument, NULL, OPT_CERTS},
    {"vcek", required_argument, NULL, OPT_VCEK},
    {"vlek", required_argument, NULL, OPT_VCEK},
    {"ask", required_argument, NULL, OPT_ASK},
    {"asvk", required_argument, NULL, OPT_ASK},
    {"ark", required_argument, NULL, OPT_ARK},
    {"root", required_argument, NULL, OPT_ROOT},
    {"crl", required_argument, NULL, OPT_CRL},
    {"report-data", required_argument, NULL, OPT_REPORT_DATA},
    {"measurement", required_argument, NULL, OPT_MEASUREMENT},
    {"host-data", required_argument, NULL, OPT_HOST_DATA},
    {"id-key-digest", required_argument, NULL, OPT_ID_KEY},
    {"author-key-digest", required_argument, NULL, OPT_AUTHOR_KEY},
    {"policy", required_argument, NULL, OPT_POLICY},
    {"vmpl", required_argument, NULL, OPT_VMPL},
    {"min-tcb", required_argument, NULL, OPT_MIN_TCB},
    {"no-debug", no_argument, NULL, OPT_NO_DEBUG},
    {"no-migration", no_argument, NULL, OPT_NO_MIGRATION},
    {"time", required_argument, NULL, OPT_TIME},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static bool complain(const char *option, const char *arg, const char *want)
{
    fprintf(stderr, "swpsp verify: --%s %s: %s\n", option, arg, want);
    return false;
}

static bool take_path(struct verify_options *o, int val, const char *arg)
{
    switch (val) {
    case OPT_REPORT:
        o->report = arg;
        return true;
    case OPT_CERTS:
        o->certs = arg;
        return true;
    case OPT_VCEK:
        o->vcek = arg;
        return true;
    case OPT_ASK:
        o->ask = arg;
        return true;
    case OPT_ARK:
        o->ark = arg;
        return true;
    case OPT_ROOT:
        o->root = arg;
        return true;
    case OPT_CRL:
        o->crl = arg;
        return true;
    default:
        return false;
    }
}

static bool take_bytes(const char *option, const char *arg, uint8_t *out,
                       size_t size, const uint8_t **expected)
{
    char why[PARSE_WHY_SIZE];

    *expected = out;
    return parse_bytes(arg, out, size, why) || complain(option, arg, why);
}

static bool take_policy(struct verify_options *o, const char *arg)
{
    o->policy.policy = &o->guest_policy;
    return parse_number(arg, UINT64_MAX, &o->guest_policy) ||
           complain("policy", arg, "need a 64-bit number");
}

static bool take_vmpl(struct verify_options *o, const char *arg)
{
    uint64_t n = 0;

    if (!parse_number(arg, UINT32_MAX, &n)) {
        return complain("vmpl", arg, "need a 32-bit number");
    }
    o->vmpl = (uint32_t)n;
    o->policy.vmpl = &o->vmpl;
    return true;
}

static bool take_time(struct verify_options *o, const char *arg)
{
    static const char *const format[] = {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"};
    uint64_t seconds = 0;

    if (strcmp(arg, "none") == 0) {
        o->policy.now = 0;
        return true;
    }
    for (size_t i = 0; i < sizeof(format) / sizeof(format[0]); i++) {
        struct tm tm = {0};
        const char *end = strptime(arg, format[i], &tm);

        if (end != NULL && *end == '\0') {
            o->policy.now = timegm(&tm);
            return o->policy.now > 0 ||
                   complain("time", arg, "before 1970-01-02");
        }
    }
    if (!parse_number(arg, INT32_MAX * UINT64_C(64), &seconds) ||
        seconds == 0) {
        return complain("time", arg,
                        "need a date, a date and time in UTC, seconds since "
                        "1970, or none");
    }
    o->policy.now = (time_t)seconds;
    return true;
}

static bool take_component(struct min_tcb *m, const char *text)
{
    const struct {
        const char *name;
        uint8_t *slot;
    } part[] = {
        {"bl=", &m->boot_loader},  {"tee=", &m->tee}, {"snp=", &m->snp},
        {"ucode=", &m->microcode}, {"fmc=", &m->fmc},
    };
    uint64_t n = 0;

    for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
        size_t skip = strlen(part[i].name);

        if (strncmp(text, part[i].name, skip) == 0) {
            *part[i].slot = 0;
            if (!parse_number(text + skip, UINT8_MAX, &n)) {
                return false;
            }
            *part[i].slot = (uint8_t)n;
            return true;
        }
    }
    return false;
}

static bool take_min_tcb(struct verify_options *o, const char *arg)
{
    struct min_tcb *m = &o->min_tcb;
    char copy[128];
    char *save = NULL;
    bool ok = true;

    memset(m, 0, sizeof(*m));
    m->set = true;
    if (parse_hex(arg, m->tcb.b, PSP_TCB_SIZE)) {
        m->raw = true;
        return true;
    }
    ok = strlen(arg) > 0 && strlen(arg) < sizeof(copy);
    snprintf(copy, sizeof(copy), "%s", arg);
    for (char *part = strtok_r(copy, ",", &save); part != NULL && ok;
         part = strtok_r(NULL, ",", &save)) {
        ok = take_component(m, part);
    }
    return ok || complain("min-tcb", arg,
                          "need 16 hex digits, or bl=N,tee=N,snp=N,ucode=N,"
                          "fmc=N with N from 0 to 255");
}

static bool take(struct verify_options *o, int val, const char *arg)
{
    struct verify_policy *p = &o->policy;

    switch (val) {
    case OPT_TYPE:
        return strcmp(arg, "snp") == 0 ||
               complain("type", arg, "need sev or snp");
    case OPT_REPORT_DATA:
        return take_bytes("report-data", arg, o->report_data,
                          sizeof(o->report_data), &p->report_data);
    case OPT_MEASUREMENT:
        return take_bytes("measurement", arg, o->measurement,
                          sizeof(o->measurement), &p->measurement);
    case OPT_HOST_DATA:
        return take_bytes("host-data", arg, o->host_data, sizeof(o->host_data),
                          &p->host_data);
    case OPT_ID_KEY:
        return take_bytes("id-key-digest", arg, o->id_key_digest,
                          sizeof(o->id_key_digest), &p->id_key_digest);
    case OPT_AUTHOR_KEY:
        return take_bytes("author-key-digest", arg, o->author_key_digest,
                          sizeof(o->author_key_digest), &p->author_key_digest);
    case OPT_POLICY:
        return take_policy(o, arg);
    case OPT_VMPL:
        return take_vmpl(o, arg);
    case OPT_MIN_TCB:
        return take_min_tcb(o, arg);
    case OPT_NO_DEBUG:
        p->require_no_debug = true;
        return true;
    case OPT_NO_MIGRATION:
        p->require_no_migration = true;
        return true;
    case OPT_TIME:
        return take_time(o, arg);
    case OPT_JSON:
        o->json = true;
        return true;
    case OPT_HELP:
        o->help = true;
        return true;
    default:
        return take_path(o, val, arg);
    }
}

bool verify_options_parse(struct verify_options *o, int argc, char **argv)
{
    int val;

    memset(o, 0, sizeof(*o));
    o->policy.now = time(NULL);
    opterr = 0;
    optind = 1;
    while ((val = getopt_long(argc, argv, "+h", OPTIONS, NULL)) != -1) {
        if (val == '?') {
            fprintf(stderr,
                    "swpsp verify: %s: no such option, or its argument is "
                    "missing\n",
                    argv[optind - 1]);
            return false;
        }
        if (!take(o, val == 'h' ? OPT_HELP : val, optarg)) {
            return false;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "swpsp verify: %s: unexpected argument\n",
                argv[optind]);
        return false;
    }
    if (!o->help && (o->report == NULL || o->root == NULL)) {
        fprintf(stderr, "swpsp verify: --%s is missing\n",
                o->report == NULL ? "report" : "root");
        return false;
    }
    return true;
}

bool verify_options_place_tcb(struct verify_options *o,
                              enum psp_generation generation)
{
    const struct min_tcb *m = &o->min_tcb;
    uint8_t *b = o->min_tcb_bytes.b;

    if (!m->set) {
        return true;
    }
    o->policy.min_tcb = &o->min_tcb_bytes;
    if (m->raw) {
        o->min_tcb_bytes = m->tcb;
        return true;
    }
    if (generation == PSP_GENERATION_COUNT) {
        fprintf(stderr, "swpsp verify: --min-tcb: the evidence names no "
                        "product; give the eight bytes\n");
        return false;
    }
    if (psp_tcb_is_turin_layout(generation)) {
        memcpy(b, (uint8_t[]){m->fmc, m->boot_loader, m->tee, m->snp, 0, 0, 0},
               7);
    } else if (m->fmc != 0) {
        fprintf(stderr, "swpsp verify: --min-tcb: %s has no fmc\n",
                psp_generation_name(generation));
        return false;
    } else {
        memcpy(b, (uint8_t[]){m->boot_loader, m->tee, 0, 0, 0, 0, m->snp}, 7);
    }
    b[7] = m->microcode;
    return true;
}
