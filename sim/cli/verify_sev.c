/* SPDX-License-Identifier: Apache-2.0 */
#include "verify_sev.h"

#include "artefact.h"
#include "blocks.h"
#include "commands.h"
#include "parse.h"
#include "sev_verifier.h"
#include "verify_print.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGEST_MAX 64u
#define FILES_MAX  32u

static const char HELP[] =
    "usage: swpsp verify [--type sev] --root FILE [OPTION...]\n\n"
    "Judge a legacy SEV platform's certificates and, if presented, an\n"
    "attestation report and a launch measurement. One line for each check,\n"
    "then the verdict. Exit status: 0 accepted, 1 rejected, 2 bad option or\n"
    "file.\n\n"
    "evidence (binary files as the firmware and the common tools write them):\n"
    "  --report FILE         report (208 bytes), or report, CEK, PEK, OCA and\n"
    "                        device type in one (6460, 6461 bytes)\n"
    "  --chain FILE          PEK OCA CEK, or PDH PEK OCA CEK, or that and ASK\n"
    "                        ARK\n"
    "  --certs DIR           a folder with {pdh,pek,oca,cek,ask,ark}.cert\n"
    "  --pek FILE  --oca FILE  --cek FILE  --pdh FILE  --ask FILE  --ark FILE\n"
    "                        single ones; they come before the others. ASK\n"
    "                        and ARK may be one ask_ark file\n"
    "trust:\n"
    "  --root FILE           the ARK to trust; an ask_ark file gives the ASK "
    "too\n"
    "expectations (checked when given):\n"
    "  --mnonce HEX          16 bytes; @FILE: that file's bytes\n"
    "  --launch-digest HEX   32 bytes; may be repeated: one of them\n"
    "  --policy N  --policy-mask N\n"
    "                        guest policy, in the bits of the mask\n"
    "  --product NAME        naples, rome, milan, genoa or turin\n"
    "  --pin-cek FILE  --pin-pek FILE  --pin-oca FILE\n"
    "                        certificate with the key that is expected\n"
    "launch measurement:\n"
    "  --measurement HEX     48 bytes; needs --launch-digest, --policy and\n"
    "  --tik FILE            the 16 bytes of the session's TIK\n"
    "  --api MAJOR.MINOR  --build N\n"
    "                        the firmware's version at launch\n"
    "output:\n"
    "  --json                one JSON object\n";

enum {
    OPT_TYPE = 256,
    OPT_REPORT,
    OPT_CHAIN,
    OPT_CERTS,
    OPT_PEK,
    OPT_OCA,
    OPT_CEK,
    OPT_PDH,
    OPT_ASK,
    OPT_ARK,
    OPT_ROOT,
    OPT_MNONCE,
    OPT_DIGEST,
    OPT_POLICY,
    OPT_POLICY_MASK,
    OPT_PRODUCT,
    OPT_PIN_CEK,
    OPT_PIN_PEK,
    OPT_PIN_OCA,
    OPT_MEASUREMENT,
    OPT_TIK,
    OPT_API,
    OPT_BUILD,
    OPT_JSON,
    OPT_HELP,
};

static const struct option OPTIONS[] = {
    {"type", required_argument, NULL, OPT_TYPE},
    {"report", required_argument, NULL, OPT_REPORT},
    {"chain", required_argument, NULL, OPT_CHAIN},
    {"certs", required_argument, NULL, OPT_CERTS},
    {"pek", required_argument, NULL, OPT_PEK},
    {"oca", required_argument, NULL, OPT_OCA},
    {"cek", required_argument, NULL, OPT_CEK},
    {"pdh", required_argument, NULL, OPT_PDH},
    {"ask", required_argument, NULL, OPT_ASK},
    {"ark", required_argument, NULL, OPT_ARK},
    {"root", required_argument, NULL, OPT_ROOT},
    {"mnonce", required_argument, NULL, OPT_MNONCE},
    {"launch-digest", required_argument, NULL, OPT_DIGEST},
    {"policy", required_argument, NULL, OPT_POLICY},
    {"policy-mask", required_argument, NULL, OPT_POLICY_MASK},
    {"product", required_argument, NULL, OPT_PRODUCT},
    {"pin-cek", required_argument, NULL, OPT_PIN_CEK},
    {"pin-pek", required_argument, NULL, OPT_PIN_PEK},
    {"pin-oca", required_argument, NULL, OPT_PIN_OCA},
    {"measurement", required_argument, NULL, OPT_MEASUREMENT},
    {"tik", required_argument, NULL, OPT_TIK},
    {"api", required_argument, NULL, OPT_API},
    {"build", required_argument, NULL, OPT_BUILD},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

struct session {
    bool help, json;
    const char *report, *chain, *certs; /* paths */
    struct sev_verify_input in;
    struct sev_verify_policy policy; /* points into this structure */
    uint8_t mnonce[SEV_MNONCE_SIZE];
    uint8_t digest[DIGEST_MAX][SEV_DIGEST_SIZE];
    uint32_t guest_policy;
    enum psp_generation product;
    uint8_t measurement[SEV_MEASURE_BLOB_SIZE];
    struct sev_measure_key measure;
    bool have_tik, have_api, have_build, have_mask;
    uint8_t *file[FILES_MAX];
    size_t file_count;
};

static bool complain(const char *what, const char *why)
{
    fprintf(stderr, "swpsp verify: %s: %s\n", what, why);
    return false;
}

static bool complain_option(const char *option, const char *arg,
                            const char *want)
{
    fprintf(stderr, "swpsp verify: --%s %s: %s\n", option, arg, want);
    return false;
}

/* The file's bytes live as long as the session. */
static bool load(struct session *s, const char *path, struct verify_blob *out)
{
    uint8_t *data;

    if (s->file_count == FILES_MAX) {
        return complain(path, "too many files");
    }
    data = parse_file(path, BLOCKS_MAX_SIZE, &out->size);
    if (data == NULL) {
        return complain(path, strerror(errno));
    }
    s->file[s->file_count++] = data;
    out->data = data;
    return true;
}

/* ---- options ---- */

static bool take_bytes(const char *option, const char *arg, uint8_t *out,
                       size_t size)
{
    char why[PARSE_WHY_SIZE];

    return parse_bytes(arg, out, size, why) ||
           complain_option(option, arg, why);
}

static bool take_u32(const char *option, const char *arg, uint32_t *out)
{
    uint64_t n = 0;

    if (!parse_number(arg, UINT32_MAX, &n)) {
        return complain_option(option, arg, "need a 32-bit number");
    }
    *out = (uint32_t)n;
    return true;
}

static bool take_digest(struct session *s, const char *arg)
{
    struct sev_verify_policy *p = &s->policy;

    if (p->launch_digest_count == DIGEST_MAX) {
        return complain_option("launch-digest", arg, "too many");
    }
    p->launch_digest = s->digest;
    return take_bytes("launch-digest", arg, s->digest[p->launch_digest_count++],
                      SEV_DIGEST_SIZE);
}

static bool take_product(struct session *s, const char *arg)
{
    for (enum psp_generation g = 0; g < PSP_GENERATION_COUNT; g++) {
        if (strcasecmp(arg, psp_generation_name(g)) == 0) {
            s->product = g;
            s->policy.product = &s->product;
            return true;
        }
    }
    return complain_option("product", arg,
                           "need naples, rome, milan, genoa or turin");
}

static bool take_tik(struct session *s, const char *arg)
{
    size_t size = 0;
    uint8_t *data = parse_file(arg, SEV_TK_SIZE, &size);
    bool ok = data != NULL && size == SEV_TK_SIZE;

    if (ok) {
        memcpy(s->measure.tik, data, SEV_TK_SIZE);
        s->have_tik = true;
    }
    if (data != NULL) {
        explicit_bzero(data, size);
    }
    free(data);
    return ok || complain_option("tik", arg, "need a file of 16 bytes");
}

static bool take_byte(const char *text, uint8_t *out)
{
    uint64_t n = 0;

    if (!parse_number(text, UINT8_MAX, &n)) {
        return false;
    }
    *out = (uint8_t)n;
    return true;
}

static bool take_api(struct session *s, const char *arg)
{
    const char *dot = strchr(arg, '.');
    char major[4] = "";

    if (dot != NULL && (size_t)(dot - arg) < sizeof(major)) {
        memcpy(major, arg, (size_t)(dot - arg));
    }
    s->have_api = dot != NULL && take_byte(major, &s->measure.api_major) &&
                  take_byte(dot + 1, &s->measure.api_minor);
    return s->have_api ||
           complain_option("api", arg, "need MAJOR.MINOR, such as 1.55");
}

static bool take_build(struct session *s, const char *arg)
{
    s->have_build = take_byte(arg, &s->measure.build);
    return s->have_build ||
           complain_option("build", arg, "need a number up to 255");
}

static bool take_measurement(struct session *s, const char *arg)
{
    s->in.measurement = (struct verify_blob){.data = s->measurement,
                                             .size = sizeof(s->measurement)};
    return take_bytes("measurement", arg, s->measurement,
                      sizeof(s->measurement));
}

static struct verify_blob *file_slot(struct session *s, int val)
{
    switch (val) {
    case OPT_PEK:
        return &s->in.pek;
    case OPT_OCA:
        return &s->in.oca;
    case OPT_CEK:
        return &s->in.cek;
    case OPT_PDH:
        return &s->in.pdh;
    case OPT_ASK:
        return &s->in.ask;
    case OPT_ARK:
        return &s->in.ark;
    case OPT_ROOT:
        return &s->in.trusted_ark;
    case OPT_PIN_CEK:
        return &s->policy.cek_pin;
    case OPT_PIN_PEK:
        return &s->policy.pek_pin;
    case OPT_PIN_OCA:
        return &s->policy.oca_pin;
    default:
        return NULL;
    }
}

static bool take(struct session *s, int val, const char *arg)
{
    struct verify_blob *slot = file_slot(s, val);

    if (slot != NULL) {
        return load(s, arg, slot) &&
               (val != OPT_ROOT || sev_has_ark(slot) ||
                complain(arg, "no ARK in AMD's binary format"));
    }
    switch (val) {
    case OPT_TYPE:
        return strcmp(arg, "sev") == 0 ||
               complain_option("type", arg, "need snp, sev or aeb");
    case OPT_REPORT:
        s->report = arg;
        return true;
    case OPT_CHAIN:
        s->chain = arg;
        return true;
    case OPT_CERTS:
        s->certs = arg;
        return true;
    case OPT_MNONCE:
        s->policy.mnonce = s->mnonce;
        return take_bytes("mnonce", arg, s->mnonce, sizeof(s->mnonce));
    case OPT_DIGEST:
        return take_digest(s, arg);
    case OPT_POLICY:
        s->policy.policy = &s->guest_policy;
        return take_u32("policy", arg, &s->guest_policy);
    case OPT_POLICY_MASK:
        s->have_mask = true;
        return take_u32("policy-mask", arg, &s->policy.policy_mask);
    case OPT_PRODUCT:
        return take_product(s, arg);
    case OPT_MEASUREMENT:
        return take_measurement(s, arg);
    case OPT_TIK:
        return take_tik(s, arg);
    case OPT_API:
        return take_api(s, arg);
    case OPT_BUILD:
        return take_build(s, arg);
    case OPT_JSON:
        s->json = true;
        return true;
    default:
        s->help = true;
        return true;
    }
}

static bool finish(struct session *s)
{
    bool any = s->have_tik || s->have_api || s->have_build;

    if (s->in.trusted_ark.data == NULL) {
        fprintf(stderr, "swpsp verify: --root is missing\n");
        return false;
    }
    if (s->have_mask && s->policy.policy == NULL) {
        return complain("--policy-mask", "needs --policy");
    }
    if ((any || s->in.measurement.data != NULL) &&
        (!s->have_tik || !s->have_api || !s->have_build ||
         s->in.measurement.data == NULL)) {
        fprintf(stderr, "swpsp verify: --measurement, --tik, --api and --build "
                        "go together\n");
        return false;
    }
    if (any) {
        s->policy.measure = &s->measure;
    }
    return true;
}

static bool parse(struct session *s, int argc, char **argv)
{
    int val;

    s->policy.policy_mask = UINT32_MAX;
    opterr = 0;
    optind = 1;
    while ((val = getopt_long(argc, argv, "+h", OPTIONS, NULL)) != -1) {
        if (val == '?') {
            return complain(argv[optind - 1],
                            "no such option for legacy SEV, or its argument is "
                            "missing");
        }
        if (!take(s, val, optarg)) {
            return false;
        }
    }
    if (optind < argc) {
        return complain(argv[optind], "unexpected argument");
    }
    return s->help || finish(s);
}

/* ---- evidence ---- */

static bool add_report(struct session *s)
{
    struct verify_blob file = {0};
    enum psp_generation product;

    if (s->report == NULL) {
        return true;
    }
    if (!load(s, s->report, &file)) {
        return false;
    }
    if (!sev_split_evidence(file.data, file.size, &s->in, &product)) {
        s->in.report = file;
    } else if (file.size > SEV_EVIDENCE_SIZE && s->policy.product == NULL) {
        s->product = product;
        s->policy.product = &s->product;
    }
    return true;
}

static bool add_chain(struct session *s)
{
    struct verify_blob file = {0};

    if (s->chain == NULL) {
        return true;
    }
    if (!load(s, s->chain, &file)) {
        return false;
    }
    return sev_split_chain(file.data, file.size, &s->in) ||
           complain(s->chain, "no chain of three, four or six certificates");
}

static bool add_certs(struct session *s)
{
    const struct {
        const char *name;
        struct verify_blob *slot;
    } part[] = {
        {"pdh", &s->in.pdh}, {"pek", &s->in.pek}, {"oca", &s->in.oca},
        {"cek", &s->in.cek}, {"ask", &s->in.ask}, {"ark", &s->in.ark},
    };
    char path[PATH_MAX];

    for (size_t i = 0; s->certs != NULL && i < sizeof(part) / sizeof(part[0]);
         i++) {
        int n =
            snprintf(path, sizeof(path), "%s/%s.cert", s->certs, part[i].name);

        if (n < 0 || (size_t)n >= sizeof(path)) {
            return complain(s->certs, strerror(ENAMETOOLONG));
        }
        if (part[i].slot->data == NULL && access(path, F_OK) == 0 &&
            !load(s, path, part[i].slot)) {
            return false;
        }
    }
    return s->certs == NULL || access(s->certs, F_OK) == 0 ||
           complain(s->certs, strerror(errno));
}

static const char *name_of(size_t check)
{
    return sev_check_name((enum sev_check)check);
}

static int judge(const struct session *s)
{
    struct sev_verify_result result;
    struct verdicts v = {
        .line = result.line, .count = SEV_CHECK_COUNT, .name = name_of};

    verify_sev(&s->in, &s->policy, &result);
    v.ok = result.ok;
    v.simulated = result.simulated;
    if (result.product < PSP_GENERATION_COUNT) {
        v.product = psp_generation_name(result.product);
    }
    return verdicts_print(&v, s->json);
}

int verify_sev_run(int argc, char **argv)
{
    struct session *s = calloc(1, sizeof(*s));
    int status = EXIT_USAGE;

    if (s == NULL) {
        fprintf(stderr, "swpsp verify: out of memory\n");
        return EXIT_USAGE;
    }
    if (!parse(s, argc, argv)) {
        goto out;
    }
    if (s->help) {
        fputs(HELP, stdout);
        status = EXIT_OK;
    } else if (add_report(s) && add_chain(s) && add_certs(s)) {
        status = judge(s);
    }
out:
    for (size_t i = 0; i < s->file_count; i++) {
        free(s->file[i]);
    }
    explicit_bzero(s, sizeof(*s));
    free(s);
    return status;
}

/* ---- which verifier ---- */

/* The argument of --@name in argv[*i], written either way; NULL: another. */
static const char *value_of(int argc, char **argv, int i, const char *name)
{
    const char *arg = argv[i];
    size_t n = strlen(name);

    if (strncmp(arg, "--", 2) != 0 || strncmp(arg + 2, name, n) != 0) {
        return NULL;
    }
    if (arg[2 + n] == '=') {
        return arg + 3 + n;
    }
    return arg[2 + n] == '\0' && i + 1 < argc ? argv[i + 1] : NULL;
}

/* A pipe can be read but once: it is not looked into. */
static bool is_legacy_report(const char *path)
{
    enum artefact type = ARTEFACT_UNKNOWN;
    uint8_t *data = NULL;
    struct stat st;
    size_t size = 0;

    if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
        data = parse_file(path, BLOCKS_MAX_SIZE, &size);
    }
    if (data != NULL) {
        type = artefact_identify(data, size);
    }
    free(data);
    return type == ARTEFACT_SEV_REPORT || type == ARTEFACT_SEV_EVIDENCE;
}

static bool only_legacy_has(int argc, char **argv, int i)
{
    static const char *const name[] = {
        "chain",       "pek",     "oca",     "cek",     "pdh",
        "mnonce",      "product", "pin-cek", "pin-pek", "pin-oca",
        "policy-mask", "tik",     "api",     "build",   "launch-digest"};

    for (size_t k = 0; k < sizeof(name) / sizeof(name[0]); k++) {
        if (value_of(argc, argv, i, name[k]) != NULL) {
            return true;
        }
    }
    return false;
}

bool verify_sev_asked(int argc, char **argv)
{
    bool asked = false;

    for (int i = 1; i < argc; i++) {
        const char *type = value_of(argc, argv, i, "type");
        const char *report = value_of(argc, argv, i, "report");

        if (type != NULL) {
            return strcmp(type, "snp") != 0;
        }
        asked = asked || (report != NULL && is_legacy_report(report)) ||
                only_legacy_has(argc, argv, i);
    }
    return asked;
}
