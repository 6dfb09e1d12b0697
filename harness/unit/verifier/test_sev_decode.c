/* SPDX-License-Identifier: Apache-2.0 */
/* Legacy artefacts: told apart, decoded as an independent reader in Python
 * reads them, and known as simulated when something in them says so. */
#include "tst.h"

#include "artefact.h"
#include "decode.h"
#include "sev_verifier.h"
#include "verifier.h"

#include <ctype.h>

#define CHAIN_SIZE (4u * SEV_CERT_SIZE)
#define WORK_SIZE  (CHAIN_SIZE + 2u * SEV_AMD_CERT_MAX_SIZE + 64u)

static char *dir;

static char *decode(const void *data, size_t size, enum artefact type,
                    enum decode_form form)
{
    uint8_t *exact = tst_dup(data, size);
    char why[DECODE_WHY_SIZE];
    char *text = NULL;

    if (decode_artefact(exact, size, type, form, &text, why) != PSP_OK) {
        fail_msg("decode: %s", why);
    }
    free(exact);
    return text;
}

/* JSON against check_sev_decode.py; text has only what may stand in it. */
static void agree(const void *data, size_t size, enum artefact type)
{
    char *json = decode(data, size, type, DECODE_JSON);
    char *text = decode(data, size, type, DECODE_TEXT);
    char json_path[300], data_path[300];
    const char *argv[] = {"/usr/bin/python3",
                          "harness/unit/verifier/check_sev_decode.py",
                          json_path, data_path, NULL};
    char *output;

    for (const char *p = text; *p != '\0'; p++) {
        assert_true(isprint((unsigned char)*p) || *p == '\n');
    }
    snprintf(json_path, sizeof(json_path), "%s/out.json", dir);
    snprintf(data_path, sizeof(data_path), "%s/in.bin", dir);
    tst_write_file(json_path, json, strlen(json));
    tst_write_file(data_path, data, size);
    if (tst_run(&output, argv) != 0) {
        fail_msg("check_sev_decode.py: %s", output);
    }
    free(output);
    free(json);
    free(text);
}

/* It is found out to be @type, and decodes as that. */
static void agree_found(const void *data, size_t size, enum artefact type)
{
    assert_string_equal(artefact_name(artefact_identify(data, size)),
                        artefact_name(type));
    agree(data, size, ARTEFACT_UNKNOWN);
}

/* PDH, PEK, OCA, CEK, ASK, ARK of a genuine chip; 0: no data. */
static size_t real_chain(const char *chip, uint8_t *out)
{
    static const char *const name[] = {"pdh", "pek", "oca",
                                       "cek", "ask", "ark"};
    size_t n = 0;

    for (size_t i = 0; i < 6; i++) {
        const char *full;
        char path[64];
        uint8_t *file;
        size_t size;

        snprintf(path, sizeof(path),
                 i < 4 ? "sev/%s/%s.cert" : "amd-ca/%s-%s.sevcert", chip,
                 name[i]);
        full = tst_shared(path);
        if (full == NULL) {
            return 0;
        }
        file = tst_file(full, &size);
        memcpy(out + n, file, size);
        n += size;
        free(file);
    }
    return n;
}

static void sev_decode__real_chain__agrees(void **state)
{
    uint8_t *x = calloc(1, WORK_SIZE);
    size_t n = real_chain(*state, x);

    if (n == 0) {
        free(x);
        skip();
        return;
    }
    agree_found(x, n, ARTEFACT_SEV_CHAIN);
    agree_found(x, CHAIN_SIZE, ARTEFACT_SEV_CHAIN);
    agree_found(x + SEV_CERT_SIZE, 3 * SEV_CERT_SIZE, ARTEFACT_SEV_CHAIN);
    agree_found(x, 2 * SEV_CERT_SIZE, ARTEFACT_SEV_CHAIN);
    for (size_t i = 0; i < 4; i++) {
        agree_found(x + i * SEV_CERT_SIZE, SEV_CERT_SIZE, ARTEFACT_SEV_CERT);
    }
    agree_found(x + CHAIN_SIZE, n - CHAIN_SIZE, ARTEFACT_AMD_CERT);
    agree_found(x + CHAIN_SIZE, (n - CHAIN_SIZE) / 2, ARTEFACT_AMD_CERT);
    free(x);
}

/* Every field full of bits: nothing is lost and nothing overruns. */
static void sev_decode__odd_values__agree(void **state)
{
    static const uint32_t algo[] = {0, 1, 2, 3, 4, 0x101, 0x102, 0x103, ~0u};
    uint8_t x[SEV_CERT_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof(algo) / sizeof(algo[0]); i++) {
        for (size_t k = 0; k < sizeof(x); k++) {
            x[k] = (uint8_t)(7 * k + i);
        }
        for (size_t k = 0; k < 4; k++) {
            x[12 + k] = (uint8_t)(algo[i] >> (8 * k));
            x[0x418 + k] = x[12 + k];
            x[0x620 + k] = (uint8_t)(algo[8 - i] >> (8 * k));
        }
        agree(x, sizeof(x), ARTEFACT_SEV_CERT);
    }
    memset(x, 0xff, sizeof(x));
    agree(x, SEV_REPORT_SIZE, ARTEFACT_SEV_REPORT);
    agree(x, SEV_CERT_SIZE, ARTEFACT_SEV_CERT);
}

static void sev_decode__reports__agree(void **state)
{
    uint8_t x[SEV_REPORT_SIZE] = {0};

    (void)state;
    agree_found(x, sizeof(x), ARTEFACT_SEV_REPORT);
    for (size_t i = 0; i < sizeof(x); i++) {
        x[i] = (uint8_t)(i * 3 + 1);
    }
    agree_found(x, sizeof(x), ARTEFACT_SEV_REPORT);
    memcpy(x + 0x30, "\x05\0\x01\x37\x02\x10\0\0\x02\0\0\0\0\0\0\0", 16);
    agree_found(x, sizeof(x), ARTEFACT_SEV_REPORT);
}

static void sev_decode__evidence__agrees(void **state)
{
    uint8_t *x = calloc(1, WORK_SIZE);
    uint8_t *e = calloc(1, WORK_SIZE);

    (void)state;
    if (real_chain("rome", x) == 0) {
        free(x);
        free(e);
        skip();
        return;
    }
    memset(e, 0x5a, SEV_REPORT_SIZE);
    memcpy(e + SEV_REPORT_SIZE, x + 3 * SEV_CERT_SIZE, SEV_CERT_SIZE);
    memcpy(e + SEV_REPORT_SIZE + SEV_CERT_SIZE, x + SEV_CERT_SIZE,
           2 * SEV_CERT_SIZE);
    agree_found(e, SEV_EVIDENCE_SIZE, ARTEFACT_SEV_EVIDENCE);
    for (uint8_t type = 0; type < 4; type++) {
        e[SEV_EVIDENCE_SIZE] = type;
        agree_found(e, SEV_EVIDENCE_SIZE + 1, ARTEFACT_SEV_EVIDENCE);
    }
    free(x);
    free(e);
}

static void sev_decode__launch_data__agrees_and_is_never_guessed(void **state)
{
    uint8_t x[SEV_SESSION_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof(x); i++) {
        x[i] = (uint8_t)(i + 1);
    }
    agree(x, SEV_MEASURE_BLOB_SIZE, ARTEFACT_SEV_MEASUREMENT);
    agree(x, SEV_SESSION_SIZE, ARTEFACT_SEV_SESSION);
    agree(x, SEV_PACKET_HEADER_SIZE, ARTEFACT_SEV_PACKET);
    assert_int_equal(artefact_identify(x, SEV_MEASURE_BLOB_SIZE),
                     ARTEFACT_UNKNOWN);
    assert_int_equal(artefact_identify(x, SEV_SESSION_SIZE), ARTEFACT_UNKNOWN);
    assert_int_equal(artefact_identify(x, SEV_PACKET_HEADER_SIZE),
                     ARTEFACT_UNKNOWN);
}

static void sev_decode__other_size__refused(void **state)
{
    static const struct {
        enum artefact type;
        size_t size;
    } row[] = {
        {ARTEFACT_SEV_REPORT, SEV_REPORT_SIZE},
        {ARTEFACT_SEV_CERT, SEV_CERT_SIZE},
        {ARTEFACT_SEV_CHAIN, 3 * SEV_CERT_SIZE},
        {ARTEFACT_SEV_EVIDENCE, SEV_EVIDENCE_SIZE},
        {ARTEFACT_SEV_MEASUREMENT, SEV_MEASURE_BLOB_SIZE},
        {ARTEFACT_SEV_SESSION, SEV_SESSION_SIZE},
        {ARTEFACT_SEV_PACKET, SEV_PACKET_HEADER_SIZE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        for (int change = -1; change <= 2; change += 3) {
            size_t size = row[i].size + (size_t)change;
            uint8_t *x = calloc(1, size);
            char why[DECODE_WHY_SIZE];
            char *text = NULL;

            assert_int_equal(
                decode_artefact(x, size, row[i].type, DECODE_TEXT, &text, why),
                PSP_E_FORMAT);
            assert_non_null(strstr(why, artefact_name(row[i].type)));
            assert_null(text);
            free(x);
        }
    }
}

static void sev_decode__damaged_cas_behind_a_chain__refused(void **state)
{
    uint8_t *x = calloc(1, WORK_SIZE);
    size_t n = real_chain("naples", x);
    char why[DECODE_WHY_SIZE];
    char *text = NULL;

    (void)state;
    if (n == 0) {
        free(x);
        skip();
        return;
    }
    x[CHAIN_SIZE] = 2;
    assert_int_equal(
        decode_artefact(x, n, ARTEFACT_UNKNOWN, DECODE_JSON, &text, why),
        PSP_E_FORMAT);
    assert_non_null(strstr(why, "offset 0x0"));
    free(x);
}

static void is_simulated__legacy__by_the_cas_only(void **state)
{
    uint8_t *x = calloc(1, WORK_SIZE);
    size_t n = real_chain("rome", x);
    const char *why = NULL;
    uint8_t *ark;

    (void)state;
    if (n == 0) {
        free(x);
        skip();
        return;
    }
    ark = x + n - SEV_AMD_CERT_SIZE_4096;
    assert_int_equal(verify_is_simulated(x, n, &why), 0);
    assert_int_equal(verify_is_simulated(x, CHAIN_SIZE, &why), -1);
    assert_int_equal(verify_is_simulated(x, SEV_CERT_SIZE, &why), -1);
    assert_int_equal(verify_is_simulated(x, SEV_REPORT_SIZE, &why), -1);
    memcpy(ark + 4 + 8, "SIMULATE", 8);
    assert_int_equal(verify_is_simulated(x, n, &why), 1);
    assert_non_null(strstr(why, "SIMULATE"));
    assert_int_equal(verify_is_simulated(x + CHAIN_SIZE, n - CHAIN_SIZE, &why),
                     1);
    free(x);
}

static int setup(void **state)
{
    (void)state;
    dir = tst_mkdtemp();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tst_rmdir(dir);
    return 0;
}

int main(void)
{
    static char naples[] = "naples", rome[] = "rome";
    const struct CMUnitTest tests[] = {
        {"sev_decode__real_naples_chain__agrees",
         sev_decode__real_chain__agrees, NULL, NULL, naples},
        {"sev_decode__real_rome_chain__agrees", sev_decode__real_chain__agrees,
         NULL, NULL, rome},
        cmocka_unit_test(sev_decode__odd_values__agree),
        cmocka_unit_test(sev_decode__reports__agree),
        cmocka_unit_test(sev_decode__evidence__agrees),
        cmocka_unit_test(sev_decode__launch_data__agrees_and_is_never_guessed),
        cmocka_unit_test(sev_decode__other_size__refused),
        cmocka_unit_test(sev_decode__damaged_cas_behind_a_chain__refused),
        cmocka_unit_test(is_simulated__legacy__by_the_cas_only),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
