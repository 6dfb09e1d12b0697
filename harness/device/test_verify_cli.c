/* SPDX-License-Identifier: Apache-2.0 */
/* swpsp verify, decode and is-simulated as programs: packings of evidence,
 * options, exit status, what stands on which stream. */
#include "bench_evidence.h"

#include <sys/stat.h>

static struct bench *B;
static char *dir;
static char swpsp[300];

/* ---- files ---- */

static const char *at(const char *name)
{
    static char path[8][400];
    static unsigned int turn;
    char *p = path[turn++ % 8];

    snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
    return p;
}

static void put(const char *name, const void *data, size_t size)
{
    tst_write_file(at(name), data, size);
}

static void put_pem(const char *name, const struct mint_der *der,
                    const char *label)
{
    char *text = mint_pem(der, label);

    put(name, text, strlen(text));
    free(text);
}

static void put_table(const char *name, bool with_report)
{
    struct cert_table_entry e[3] = {
        {.data = B->leaf_der.b, .size = B->leaf_der.n},
        {.data = B->ask_der.b, .size = B->ask_der.n},
        {.data = B->ark_der.b, .size = B->ark_der.n},
    };
    uint8_t *x = calloc(1, 20000);
    size_t head = with_report ? SNP_REPORT_SIZE : 0;
    size_t n;

    memcpy(e[0].guid, CERT_GUID_VCEK, 16);
    memcpy(e[1].guid, CERT_GUID_ASK, 16);
    memcpy(e[2].guid, CERT_GUID_ARK, 16);
    memcpy(x, B->bytes, head);
    n = cert_table_encode(e, 3, x + head, 20000 - head);
    put(name, x, head + n);
    free(x);
}

static void put_response(const char *name, size_t size, uint32_t status)
{
    uint8_t x[4000] = {(uint8_t)status};

    if (status == 0) {
        x[4] = 0xa0;
        x[5] = 0x04;
        memcpy(x + 0x20, B->bytes, SNP_REPORT_SIZE);
    }
    put(name, x, size);
}

static void put_all(void)
{
    put("report.bin", B->bytes, SNP_REPORT_SIZE);
    put("short.bin", B->bytes, SNP_REPORT_SIZE - 1);
    put("empty.bin", "", 0);
    put("vcek.der", B->leaf_der.b, B->leaf_der.n);
    put("ask.der", B->ask_der.b, B->ask_der.n);
    put("ark.der", B->ark_der.b, B->ark_der.n);
    put("crl.der", B->crl_der.b, B->crl_der.n);
    put_pem("vcek.pem", &B->leaf_der, "CERTIFICATE");
    put_pem("ask.pem", &B->ask_der, "CERTIFICATE");
    put_pem("ark.pem", &B->ark_der, "CERTIFICATE");
    put_table("table.bin", false);
    put_table("evidence.bin", true);
    put_response("response.bin", 0x4c0, 0);
    put_response("buffer.bin", 4000, 0);
    put_response("refused.bin", 0x4c0, 0x16);
    put("nonce.bin", B->report.report_data, 64);
    assert_int_equal(mkdir(at("certs"), 0700), 0);
    put_pem("certs/vcek.pem", &B->leaf_der, "CERTIFICATE");
    put("certs/ask.der", B->ask_der.b, B->ask_der.n);
    put_pem("certs/ark.pem", &B->ark_der, "CERTIFICATE");
    put("certs/crl.der", B->crl_der.b, B->crl_der.n);
    assert_int_equal(mkdir(at("guest"), 0700), 0);
    put_table("guest/cert_table.bin", false);
    assert_int_equal(mkdir(at("bad"), 0700), 0);
    put("bad/vcek.der", "no certificate", 14);
}

static void put_chain(void)
{
    char *ask = mint_pem(&B->ask_der, "CERTIFICATE");
    char *ark = mint_pem(&B->ark_der, "CERTIFICATE");
    char text[20000];

    snprintf(text, sizeof(text), "%s%s", ask, ark);
    put("chain.pem", text, strlen(text));
    free(ask);
    free(ark);
}

/* ---- running ---- */

#define ARGS_MAX 24u

/* Words of a command line; "%name" is that file in the test's folder. */
static int run(char **output, const char *line)
{
    const char *argv[ARGS_MAX] = {swpsp};
    char files[ARGS_MAX][400];
    char *copy = strdup(line);
    char *save = NULL;
    size_t n = 1;
    int status;

    for (char *w = strtok_r(copy, " ", &save); w != NULL && n < ARGS_MAX - 1;
         w = strtok_r(NULL, " ", &save)) {
        char *percent = strchr(w, '%');

        argv[n] = w;
        if (percent != NULL) {
            *percent = '\0';
            snprintf(files[n], sizeof(files[n]), "%s%s/%s", w, dir,
                     percent + 1);
            argv[n] = files[n];
        }
        n++;
    }
    status = tst_run(output, argv);
    free(copy);
    return status;
}

struct run_case {
    const char *name;
    const char *line;
    int status;
    const char *text; /* occurs in the output */
};

static size_t lines(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++) {
        n += *text == '\n';
    }
    return n;
}

static void test_run_case(void **state)
{
    const struct run_case *c = *state;
    char *output = NULL;
    int status = run(&output, c->line);

    if (status != c->status || strstr(output, c->text) == NULL) {
        fail_msg("status %d:\n%s", status, output);
    }
    if (status == 2 && lines(output) != 1) {
        fail_msg("not one line:\n%s", output);
    }
    free(output);
}

#define V     "verify --time 2026-01-01 "
#define FILES "--vcek %vcek.der --ask %ask.der --root %ark.der "
#define NONCE                                                                  \
    "d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1"         \
    "d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1"
#define M48                                                                    \
    "3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e"     \
    "3e3e3e3e3e3e3e3e3e3e3e3e3e3e"
#define H32 "4040404040404040404040404040404040404040404040404040404040404040"
#define OK  "verdict: ACCEPTED\n"
#define NOK "verdict: REJECTED\n"

static const struct run_case CASES[] = {
    {"verify__single_files__accepted", V FILES "--report %report.bin", 0, OK},
    {"verify__passed_check__its_line", V FILES "--report %report.bin", 0,
     "PASS report-signature\n"},
    {"verify__skipped_check__its_reason", V FILES "--report %report.bin", 0,
     "SKIPPED revocation: no CRL was given\n"},
    {"verify__pem_files__accepted",
     V "--vcek %vcek.pem --ask %ask.pem --ark %ark.pem --root %ark.pem "
       "--report %report.bin",
     0, OK},
    {"verify__report_with_table__accepted",
     V "--report %evidence.bin --root %ark.pem", 0, OK},
    {"verify__response__accepted", V FILES "--report %response.bin", 0, OK},
    {"verify__response_buffer__accepted", V FILES "--report %buffer.bin", 0,
     OK},
    {"verify__table__accepted",
     V "--report %report.bin --certs %table.bin --root %ark.der", 0, OK},
    {"verify__folder__accepted",
     V "--report %report.bin --certs %certs --root %ark.der", 0,
     "PASS revocation\n"},
    {"verify__folder_with_table__accepted",
     V "--report %report.bin --certs %guest --root %ark.der", 0, OK},
    {"verify__root_is_a_chain__its_ask_is_used",
     V "--report %report.bin --vcek %vcek.der --root %chain.pem", 0, OK},
    {"verify__crl__checked", V FILES "--report %report.bin --crl %crl.der", 0,
     "PASS revocation\n"},
    {"verify__everything_expected__accepted",
     V FILES "--report %report.bin --report-data " NONCE "d1 --measurement " M48
             " --host-data " H32
             " --policy 0x30000 --vmpl 0 --no-debug --no-migration --min-tcb "
             "bl=4,snp=24,ucode=219",
     0, OK},
    {"verify__nonce_from_a_file__accepted",
     V FILES "--report %report.bin --report-data @%nonce.bin", 0,
     "PASS report-data\n"},
    {"verify__other_nonce__rejected",
     V FILES "--report %report.bin --report-data " NONCE "d2", 1,
     "FAIL report-data: REPORT_DATA differs from byte 63 on\n"},
    {"verify__other_nonce__verdict",
     V FILES "--report %report.bin --report-data " NONCE "d2", 1, NOK},
    {"verify__other_policy__rejected",
     V FILES "--report %report.bin --policy 196639", 1, "FAIL policy: "},
    {"verify__min_tcb_above__rejected",
     V FILES "--report %report.bin --min-tcb snp=25", 1,
     "FAIL min-tcb: byte 6"},
    {"verify__min_tcb_as_bytes__accepted",
     V FILES "--report %report.bin --min-tcb 04000000000018db", 0,
     "PASS min-tcb\n"},
    {"verify__min_tcb_with_fmc_on_milan__usage",
     V FILES "--report %report.bin --min-tcb fmc=1", 2, "Milan has no fmc"},
    {"verify__expired__rejected",
     "verify --time 2050-01-01 " FILES "--report %report.bin", 1,
     "FAIL validity: the ARK has expired\n"},
    {"verify__time_in_seconds__accepted",
     "verify --time 1767225600 " FILES "--report %report.bin", 0, OK},
    {"verify__date_and_time__accepted",
     "verify --time 2026-01-01T12:30:00Z " FILES "--report %report.bin", 0, OK},
    {"verify__no_time__skipped",
     "verify --time none " FILES "--report %report.bin", 0,
     "SKIPPED validity: no time"},
    {"verify__wrong_root__rejected",
     V "--vcek %vcek.der --ask %ask.der --root %other.der --report %report.bin",
     1, "FAIL ask-signature: "},
    {"verify__root_that_is_no_root__rejected",
     V "--vcek %vcek.der --ask %ask.der --root %ask.der --report %report.bin",
     1, "FAIL ark-root: "},
    {"verify__no_certificates__rejected",
     V "--report %report.bin --root %ark.der", 1,
     "FAIL leaf-signature: no VCEK or VLEK was presented\n"},
    {"verify__truncated_report__rejected", V FILES "--report %short.bin", 1,
     "FAIL report-format: 1183 bytes"},
    {"verify__empty_report__rejected", V FILES "--report %empty.bin", 1,
     "FAIL report-format: 0 bytes"},
    {"verify__no_report__usage", V "--root %ark.der", 2,
     "swpsp verify: --report is missing"},
    {"verify__no_root__usage", V "--report %report.bin", 2,
     "swpsp verify: --root is missing"},
    {"verify__no_such_file__usage", V FILES "--report %absent.bin", 2,
     "absent.bin: No such file or directory"},
    {"verify__certificate_as_report__usage", V FILES "--report %ask.der", 2,
     "ask.der: not an attestation report"},
    {"verify__response_without_report__usage", V FILES "--report %refused.bin",
     2, "refused.bin: a damaged response, or one without a report"},
    {"verify__garbage_as_root__usage",
     V "--report %report.bin --root %nonce.bin", 2,
     "nonce.bin: no certificate in PEM or DER"},
    {"verify__report_as_root__usage",
     V "--report %report.bin --root %report.bin", 2,
     "report.bin: no certificate in PEM or DER"},
    {"verify__garbage_as_certs__usage",
     V "--report %report.bin --root %ark.der --certs %nonce.bin", 2,
     "nonce.bin: no certificates"},
    {"verify__garbage_in_folder__usage",
     V "--report %report.bin --root %ark.der --certs %bad", 2,
     "bad/vcek.der: no certificates"},
    {"verify__short_nonce__usage",
     V FILES "--report %report.bin --report-data d1", 2,
     "--report-data d1: need 128 hex digits"},
    {"verify__bad_number__usage", V FILES "--report %report.bin --policy x", 2,
     "--policy x: need a 64-bit number"},
    {"verify__bad_time__usage",
     "verify --time yesterday --report %report.bin --root %ark.der", 2,
     "--time yesterday: need a date"},
    {"verify__bad_min_tcb__usage",
     V FILES "--report %report.bin --min-tcb snp=256", 2,
     "--min-tcb snp=256: need"},
    {"verify__unknown_option__usage", "verify --frob", 2,
     "swpsp verify: --frob: no such option"},
    {"verify__missing_argument__usage", "verify --report", 2,
     "swpsp verify: --report: no such option, or its argument is missing"},
    {"verify__stray_argument__usage", V FILES "--report %report.bin extra", 2,
     "swpsp verify: extra: unexpected argument"},
    {"verify__help__usage_text", "verify --help", 0, "--root FILE"},

    {"decode__report__text", "decode %report.bin", 0, "\nversion "},
    {"decode__json_option_behind_file__json", "decode %report.bin --json", 0,
     "\"version\": 3"},
    {"decode__type_given__taken", "decode --type table %table.bin", 0,
     "\nentries\n"},
    {"decode__chain__both", "decode %chain.pem", 0,
     "type                  "
     "chain"},
    {"decode__garbage__status_2", "decode %nonce.bin", 2,
     "nonce.bin: none of the known formats (64 bytes)"},
    {"decode__wrong_type__status_2", "decode --type report %ask.der", 2,
     "ask.der: report: "},
    {"decode__unknown_type__status_2", "decode --type foo %report.bin", 2,
     "swpsp decode: --type foo: no such type"},
    {"decode__no_file__status_2", "decode", 2,
     "swpsp decode: need exactly one FILE"},
    {"decode__absent_file__status_2", "decode %absent", 2,
     "absent: No such file or directory"},
    {"decode__help__usage_text", "decode --help", 0, "usage: swpsp decode"},

    {"is_simulated__marked_report__0", "is-simulated %marked.bin", 0,
     "marked.bin: simulated (CHIP_ID starts with the simulator's prefix)\n"},
    {"is_simulated__unmarked_report__1", "is-simulated %report.bin", 1,
     "report.bin: not simulated\n"},
    {"is_simulated__one_of_two_unmarked__1",
     "is-simulated %marked.bin %ask.der", 1, "ask.der: not simulated\n"},
    {"is_simulated__garbage__2", "is-simulated %nonce.bin", 2,
     "nonce.bin: cannot be told"},
    {"is_simulated__absent__2", "is-simulated %absent", 2,
     "absent: No such file or directory"},
    {"is_simulated__no_file__2", "is-simulated", 2, "need at least one FILE"},
    {"is_simulated__unknown_option__2", "is-simulated --x a", 2,
     "--x: no such option"},
    {"is_simulated__help__usage_text", "is-simulated --help", 0,
     "usage: swpsp is-simulated"},
};

static void verify__json__read_by_python(void **state)
{
    static const char script[] =
        "import json, subprocess, sys\n"
        "out = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE)\n"
        "d = json.loads(out.stdout)\n"
        "assert out.returncode == 1, out\n"
        "assert d['verdict'] == 'REJECTED' and d['simulated'] is False\n"
        "c = {x['check']: x for x in d['checks']}\n"
        "assert len(c) == 19\n"
        "assert c['report-signature'] == {'check': 'report-signature',"
        " 'verdict': 'PASS'}\n"
        "assert c['vmpl']['verdict'] == 'FAIL'\n"
        "assert c['vmpl']['reason'] == 'VMPL is 0, not 3'\n";
    const char *argv[] = {
        "/usr/bin/python3", "-c",          script,     swpsp,
        "verify",           "--json",      "--vmpl",   "3",
        "--time",           "2026-01-01",  "--report", at("evidence.bin"),
        "--root",           at("ark.pem"), NULL};
    char *output;

    (void)state;
    if (tst_run(&output, argv) != 0) {
        fail_msg("%s", output);
    }
    free(output);
}

static void decode__standard_input__read(void **state)
{
    char command[1000];
    const char *argv[] = {"sh", "-c", command, NULL};
    char *output;

    (void)state;
    snprintf(command, sizeof(command), "%s decode - <%s", swpsp,
             at("report.bin"));
    assert_int_equal(tst_run(&output, argv), 0);
    assert_non_null(strstr(output, "\nversion "));
    free(output);
}

static void verify__simulated_evidence__said_behind_the_verdict(void **state)
{
    struct bench *v = calloc(1, sizeof(*v));
    char *output;

    (void)state;
    bench_init(v, PSP_MILAN, false);
    v->ark.subject.description = "SIMULATED - NOT AN AMD CERTIFICATE";
    v->ark.issuer = v->ark.subject;
    v->ask.issuer = v->ark.subject;
    bench_build(v);
    put("sim-ark.der", v->ark_der.b, v->ark_der.n);
    put("sim-ask.der", v->ask_der.b, v->ask_der.n);
    assert_int_equal(run(&output, V "--report %report.bin --vcek %vcek.der "
                                    "--ask %sim-ask.der --root %sim-ark.der"),
                     0);
    assert_non_null(strstr(output, OK "simulated evidence"));
    free(output);
    free(v);
}

static void put_variants(void)
{
    struct bench *v = calloc(1, sizeof(*v));

    bench_init(v, PSP_MILAN, false);
    mint_ark(&v->root, "Milan", KEY.other);
    memcpy(v->report.chip_id, "SWPSPSIM", 8);
    bench_build(v);
    put("other.der", v->root_der.b, v->root_der.n);
    put("marked.bin", v->bytes, SNP_REPORT_SIZE);
    free(v);
}

static int setup(void **state)
{
    const char *build = getenv("SWPSP_BUILD");

    (void)state;
    snprintf(swpsp, sizeof(swpsp), "%s/bin/swpsp",
             build != NULL ? build : "build/debug");
    bench_keys_load();
    B = calloc(1, sizeof(*B));
    bench_init(B, PSP_MILAN, false);
    bench_build(B);
    dir = tst_mkdtemp();
    put_all();
    put_chain();
    put_variants();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(B);
    bench_keys_free();
    tst_rmdir(dir);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest plain[] = {
        cmocka_unit_test(verify__json__read_by_python),
        cmocka_unit_test(decode__standard_input__read),
        cmocka_unit_test(verify__simulated_evidence__said_behind_the_verdict),
    };
    enum { ROWS = sizeof(CASES) / sizeof(CASES[0]) };
    static struct CMUnitTest tests[ROWS + sizeof(plain) / sizeof(plain[0])];
    size_t n = 0;
    int failed;

    for (; n < ROWS; n++) {
        tests[n] = (struct CMUnitTest){CASES[n].name, test_run_case, NULL, NULL,
                                       tst_dup(&CASES[n], sizeof(CASES[n]))};
    }
    memcpy(tests + n, plain, sizeof(plain));
    n += sizeof(plain) / sizeof(plain[0]);
    failed = _cmocka_run_group_tests("verify_cli", tests, n, setup, teardown);
    for (size_t i = 0; i < ROWS; i++) {
        free(tests[i].initial_state);
    }
    return failed;
}
