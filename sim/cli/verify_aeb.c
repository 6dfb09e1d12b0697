/* SPDX-License-Identifier: Apache-2.0 */
#include "verify_aeb.h"

#include "aeb_verifier.h"
#include "commands.h"
#include "parse.h"
#include "verify_print.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DIGEST_MAX 32u
#define FILE_MAX   0x100000u
#define TABLE_MAX  0x1000000u
#define PINS       3u
#define LINE_SIZE  80u
#define TABLE_BYTES                                                            \
    "0123456789abcdef"                                                         \
    "once \n"

static const char HELP[] =
    "usage: swpsp verify --type aeb --evidence FILE --root FILE [OPTION...]\n\n"
    "Judge evidence of the Attestation Evidence Broker. Exit status 0: "
    "accepted, 1:\nrejected, 2: it could not be judged.\n\n"
    "  --evidence FILE       JSON, or packed (6460 or 6461 bytes)\n"
    "  --root FILE           trusted ARK in AMD's format, with the ASK beside "
    "it\n"
    "  --launch-digest HEX   one of those expected; may be repeated\n"
    "  --policy N  --policy-mask N\n"
    "  --mnonce HEX          of a plain request; or, bound to a launch:\n"
    "  --launch-nonce HEX    32 bytes, or @FILE\n"
    "  --challenge HEX       32 bytes; absent: the once form\n"
    "  --spki HEX            SHA-256 of the session's public key\n"
    "  --challenge-table FILE\n"
    "                        challenges that were answered; each counts once,\n"
    "                        and what is accepted is added\n"
    "  --challenge-until N   seconds since the epoch when it expires\n"
    "  --pin-pek FILE  --pin-cek FILE  --pin-oca FILE\n"
    "                        certificate with the key that is expected\n"
    "  --json                one JSON object\n";

enum {
    OPT_TYPE = 256,
    OPT_EVIDENCE,
    OPT_ROOT,
    OPT_DIGEST,
    OPT_POLICY,
    OPT_MASK,
    OPT_MNONCE,
    OPT_LAUNCH_NONCE,
    OPT_CHALLENGE,
    OPT_SPKI,
    OPT_TABLE,
    OPT_UNTIL,
    OPT_PIN_PEK,
    OPT_PIN_CEK,
    OPT_PIN_OCA,
    OPT_JSON,
    OPT_HELP,
};

static const struct option OPTIONS[] = {
    {"type", required_argument, NULL, OPT_TYPE},
    {"evidence", required_argument, NULL, OPT_EVIDENCE},
    {"root", required_argument, NULL, OPT_ROOT},
    {"launch-digest", required_argument, NULL, OPT_DIGEST},
    {"policy", required_argument, NULL, OPT_POLICY},
    {"policy-mask", required_argument, NULL, OPT_MASK},
    {"mnonce", required_argument, NULL, OPT_MNONCE},
    {"launch-nonce", required_argument, NULL, OPT_LAUNCH_NONCE},
    {"challenge", required_argument, NULL, OPT_CHALLENGE},
    {"spki", required_argument, NULL, OPT_SPKI},
    {"challenge-table", required_argument, NULL, OPT_TABLE},
    {"challenge-until", required_argument, NULL, OPT_UNTIL},
    {"pin-pek", required_argument, NULL, OPT_PIN_PEK},
    {"pin-cek", required_argument, NULL, OPT_PIN_CEK},
    {"pin-oca", required_argument, NULL, OPT_PIN_OCA},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

struct session {
    bool help, json, have_mask;
    uint8_t *evidence, *root, *pin[PINS];
    size_t evidence_size, root_size;
    struct aeb_verify_policy policy; /* points into this structure */
    uint8_t digest[DIGEST_MAX][SEV_DIGEST_SIZE];
    uint32_t guest_policy;
    uint8_t mnonce[SEV_MNONCE_SIZE];
    uint8_t launch_nonce[AEB_LAUNCH_NONCE_SIZE];
    uint8_t challenge[AEB_CHALLENGE_SIZE];
    uint8_t spki[AEB_SPKI_SIZE];
    const char *table_path;
    int table; /* open and locked; -1 */
    uint8_t *table_text;
    off_t table_size;
    char table_line[LINE_SIZE]; /* what stands there once it is used */
    uint64_t until;             /* 0: does not expire */
};

static bool complain(const char *what, const char *why)
{
    fprintf(stderr, "swpsp verify: %s: %s\n", what, why);
    return false;
}

static bool load(const char *path, uint8_t **data, size_t *size)
{
    free(*data);
    *data = parse_file(path, FILE_MAX, size);
    return *data != NULL || complain(path, strerror(errno));
}

static bool take_bytes(const char *option, const char *arg, uint8_t *out,
                       size_t size)
{
    char why[PARSE_WHY_SIZE];

    return parse_bytes(arg, out, size, why) || complain(option, why);
}

static bool take_u32(const char *option, const char *arg, uint32_t *out)
{
    uint64_t n = 0;

    if (!parse_number(arg, UINT32_MAX, &n)) {
        return complain(option, "need a 32-bit number");
    }
    *out = (uint32_t)n;
    return true;
}

static bool take_digest(struct session *s, const char *arg)
{
    struct sev_verify_policy *p = &s->policy.sev;

    if (p->launch_digest_count == DIGEST_MAX) {
        return complain("--launch-digest", "too many");
    }
    p->launch_digest = s->digest;
    return take_bytes("--launch-digest", arg,
                      s->digest[p->launch_digest_count++], SEV_DIGEST_SIZE);
}

static bool take_root(struct session *s, const char *arg)
{
    struct verify_blob root;

    if (!load(arg, &s->root, &s->root_size)) {
        return false;
    }
    root = (struct verify_blob){s->root, s->root_size};
    return sev_has_ark(&root) || complain(arg, "no ARK in AMD's binary format");
}

static bool take_pin(struct session *s, size_t i, const char *arg,
                     struct verify_blob *pin)
{
    if (!load(arg, &s->pin[i], &pin->size)) {
        return false;
    }
    pin->data = s->pin[i];
    return true;
}

static bool take_secret(struct session *s, int val, const char *arg)
{
    switch (val) {
    case OPT_MNONCE:
        s->policy.sev.mnonce = s->mnonce;
        return take_bytes("--mnonce", arg, s->mnonce, sizeof(s->mnonce));
    case OPT_LAUNCH_NONCE:
        s->policy.launch_nonce = s->launch_nonce;
        return take_bytes("--launch-nonce", arg, s->launch_nonce,
                          sizeof(s->launch_nonce));
    case OPT_CHALLENGE:
        s->policy.challenge = s->challenge;
        return take_bytes("--challenge", arg, s->challenge,
                          sizeof(s->challenge));
    default:
        s->policy.spki = s->spki;
        return take_bytes("--spki", arg, s->spki, sizeof(s->spki));
    }
}

static bool take(struct session *s, int val, const char *arg)
{
    switch (val) {
    case OPT_TYPE:
        return true; /* it brought us here */
    case OPT_EVIDENCE:
        return load(arg, &s->evidence, &s->evidence_size);
    case OPT_ROOT:
        return take_root(s, arg);
    case OPT_DIGEST:
        return take_digest(s, arg);
    case OPT_POLICY:
        s->policy.sev.policy = &s->guest_policy;
        return take_u32("--policy", arg, &s->guest_policy);
    case OPT_MASK:
        s->have_mask = true;
        return take_u32("--policy-mask", arg, &s->policy.sev.policy_mask);
    case OPT_TABLE:
        s->table_path = arg;
        return true;
    case OPT_UNTIL:
        return parse_number(arg, INT64_MAX, &s->until) ||
               complain("--challenge-until", "need seconds since the epoch");
    case OPT_PIN_PEK:
        return take_pin(s, 0, arg, &s->policy.sev.pek_pin);
    case OPT_PIN_CEK:
        return take_pin(s, 1, arg, &s->policy.sev.cek_pin);
    case OPT_PIN_OCA:
        return take_pin(s, 2, arg, &s->policy.sev.oca_pin);
    case OPT_JSON:
        s->json = true;
        return true;
    case OPT_HELP:
        s->help = true;
        return true;
    default:
        return take_secret(s, val, arg);
    }
}

static bool finish(const struct session *s)
{
    if (s->evidence == NULL || s->root == NULL) {
        return complain(s->evidence == NULL ? "--evidence" : "--root",
                        "is missing");
    }
    if (s->have_mask && s->policy.sev.policy == NULL) {
        return complain("--policy-mask", "needs --policy");
    }
    if (s->policy.sev.mnonce != NULL && s->policy.launch_nonce != NULL) {
        return complain("--mnonce", "not together with --launch-nonce");
    }
    if (s->policy.launch_nonce == NULL &&
        (s->policy.challenge != NULL || s->policy.spki != NULL ||
         s->table_path != NULL || s->until != 0)) {
        return complain(s->policy.challenge != NULL ? "--challenge"
                        : s->policy.spki != NULL    ? "--spki"
                        : s->table_path != NULL     ? "--challenge-table"
                                                    : "--challenge-until",
                        "needs --launch-nonce");
    }
    return true;
}

static bool parse(struct session *s, int argc, char **argv)
{
    int val;

    s->policy.sev.policy_mask = UINT32_MAX;
    opterr = 0;
    optind = 1;
    while ((val = getopt_long(argc, argv, "+h", OPTIONS, NULL)) != -1) {
        if (val == '?') {
            return complain(argv[optind - 1],
                            "no such option for evidence of the broker, or its "
                            "argument is missing");
        }
        if (!take(s, val == 'h' ? OPT_HELP : val, optarg)) {
            return false;
        }
    }
    if (optind < argc) {
        return complain(argv[optind], "unexpected argument");
    }
    return s->help || finish(s);
}

/* ---- V6 ---- */

/* A challenge counts once; without one, a launch does. */
static bool make_line(struct session *s)
{
    bool once = s->policy.challenge == NULL ||
                psp_all_zero(s->challenge, sizeof(s->challenge));
    const uint8_t *bytes = s->challenge;
    size_t size = once ? SEV_MNONCE_SIZE : sizeof(s->challenge);
    size_t n = once ? 5 : 0;
    uint8_t mnonce[SEV_MNONCE_SIZE];

    if (once) {
        if (aeb_bound_mnonce(s->launch_nonce, NULL, NULL, mnonce) != PSP_OK) {
            return complain("--launch-nonce", "out of memory");
        }
        bytes = mnonce;
        memcpy(s->table_line, "once ", n);
    }
    for (size_t i = 0; i < size; i++) {
        snprintf(s->table_line + n + 2 * i, LINE_SIZE - n - 2 * i, "%02x",
                 bytes[i]);
    }
    n += 2 * size;
    s->table_line[n] = '\n';
    s->table_line[n + 1] = '\0';
    return true;
}

/* Locked until the process ends: of two that ask at once one is second. */
static bool open_table(struct session *s)
{
    struct stat st;
    off_t size;

    if (s->table_path == NULL) {
        return true;
    }
    s->table =
        open(s->table_path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (s->table < 0 || flock(s->table, LOCK_EX) != 0 ||
        fstat(s->table, &st) != 0) {
        return complain(s->table_path, strerror(errno));
    }
    if (!S_ISREG(st.st_mode)) {
        return complain(s->table_path, "not a regular file");
    }
    size = st.st_size;
    s->table_text = size <= TABLE_MAX ? calloc(1, (size_t)size + 1) : NULL;
    if (s->table_text == NULL ||
        read(s->table, s->table_text, (size_t)size) != size) {
        return complain(s->table_path, "cannot be read");
    }
    /* A line behind other bytes would not be found: it would count again. */
    if (strspn((const char *)s->table_text, TABLE_BYTES) != (size_t)size) {
        return complain(s->table_path, "no table of challenges");
    }
    s->table_size = size;
    return make_line(s);
}

static const char *challenge_bad(void *ctx)
{
    const struct session *s = ctx;

    if (s->until != 0 && (uint64_t)time(NULL) > s->until) {
        return "it has expired";
    }
    return s->table_text != NULL &&
                   strstr((const char *)s->table_text, s->table_line) != NULL
               ? "it was answered before"
               : NULL;
}

static bool use_up(const struct session *s)
{
    size_t n = strlen(s->table_line);
    ssize_t put;

    if (s->table < 0) {
        return true;
    }
    put = write(s->table, s->table_line, n);
    if (put == (ssize_t)n && fsync(s->table) == 0) {
        return true;
    }
    if (put >= 0 && put < (ssize_t)n) {
        errno = ENOSPC;
    }
    (void)complain(s->table_path, strerror(errno));
    /* Nobody was told that it counts; half a line helps nobody. */
    if (ftruncate(s->table, s->table_size) != 0) {
        (void)complain(s->table_path, strerror(errno));
    }
    return false;
}

/* ---- verdict ---- */

static const char *name_of(size_t check)
{
    return aeb_check_name((enum aeb_check)check);
}

static int judge(struct session *s)
{
    struct verify_blob root = {s->root, s->root_size};
    struct aeb_verify_result result;
    struct verdicts v = {
        .line = result.line, .count = AEB_CHECK_COUNT, .name = name_of};
    struct aeb_evidence ev;
    char why[AEB_WHY_SIZE] = "";

    if (aeb_evidence_decode(s->evidence, s->evidence_size, &ev, why) !=
        PSP_OK) {
        /* What cannot be read is refused, by the check of its form. */
        memset(&result, 0, sizeof(result));
        result.product = PSP_GENERATION_COUNT;
        result.line[AEB_CHECK_FORMAT].verdict = VERIFY_FAIL;
        snprintf(result.line[AEB_CHECK_FORMAT].reason,
                 sizeof(result.line[0].reason), "%s", why);
    } else {
        aeb_verify(&ev, root, &s->policy, &result);
    }
    if (result.ok && !use_up(s)) {
        return EXIT_USAGE;
    }
    v.ok = result.ok;
    v.simulated = result.simulated;
    if (result.product < PSP_GENERATION_COUNT) {
        v.product = psp_generation_name(result.product);
    }
    return verdicts_print(&v, s->json);
}

int verify_aeb_run(int argc, char **argv)
{
    struct session *s = calloc(1, sizeof(*s));
    int status = EXIT_USAGE;

    if (s == NULL) {
        fprintf(stderr, "swpsp verify: out of memory\n");
        return EXIT_USAGE;
    }
    s->table = -1;
    if (!parse(s, argc, argv)) {
        goto out;
    }
    if (s->help) {
        fputs(HELP, stdout);
        status = EXIT_OK;
    } else if (open_table(s)) {
        if (s->table >= 0 || s->until != 0) {
            s->policy.challenge_bad = challenge_bad;
            s->policy.ctx = s;
        }
        status = judge(s);
    }
out:
    free(s->evidence);
    free(s->root);
    for (size_t i = 0; i < PINS; i++) {
        free(s->pin[i]);
    }
    free(s->table_text);
    if (s->table >= 0) {
        (void)close(s->table);
    }
    explicit_bzero(s, sizeof(*s));
    free(s);
    return status;
}

bool verify_aeb_asked(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--type=aeb") == 0 ||
            (strcmp(argv[i], "--type") == 0 && i + 1 < argc &&
             strcmp(argv[i + 1], "aeb") == 0)) {
            return true;
        }
    }
    return false;
}
