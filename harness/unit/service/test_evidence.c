/* SPDX-License-Identifier: Apache-2.0 */
/* The two encodings of evidence: the text as serde_json writes it (checked with
 * Python's json), and every row of abi/aeb.md §4.3. Bound nonces: §8.2. */
#include "aeb_evidence.h"
#include "aeb_nonce.h"
#include "tst.h"

static struct aeb_evidence sample(void)
{
    struct aeb_evidence ev = {.typed = true, .device = AEB_MILAN};

    for (size_t i = 0; i < sizeof(ev.report); i++) {
        ev.report[i] = (uint8_t)(i * 7);
    }
    memset(ev.report + 0x34, 0, 12);
    ev.report[0x34] = 2;
    ev.report[0x35] = 0x10;
    ev.report[0x38] = 2;
    for (size_t i = 0; i < SEV_CERT_SIZE; i++) {
        ev.cek[i] = (uint8_t)i;
        ev.pek[i] = (uint8_t)(i * 3);
        ev.oca[i] = (uint8_t)(255 - i);
    }
    memcpy(ev.cek, "\1\0\0\0", 4);
    memcpy(ev.pek, "\1\0\0\0", 4);
    memcpy(ev.oca, "\1\0\0\0", 4);
    return ev;
}

static char *json_of(const struct aeb_evidence *ev, size_t *size)
{
    char *text;

    *size = aeb_json_encode(ev, NULL, 0);
    text = malloc(*size + 1);
    assert_non_null(text);
    assert_int_equal(aeb_json_encode(ev, text, *size), *size);
    text[*size] = '\0';
    return text;
}

static bool same(const struct aeb_evidence *a, const struct aeb_evidence *b)
{
    return memcmp(a->report, b->report, sizeof(a->report)) == 0 &&
           memcmp(a->cek, b->cek, SEV_CERT_SIZE) == 0 &&
           memcmp(a->pek, b->pek, SEV_CERT_SIZE) == 0 &&
           memcmp(a->oca, b->oca, SEV_CERT_SIZE) == 0 && a->typed == b->typed &&
           a->device == b->device;
}

static enum psp_err read_json(const char *text, size_t size,
                              struct aeb_evidence *out)
{
    char *exact = tst_dup(text, size);
    char why[AEB_WHY_SIZE] = "";
    enum psp_err err = aeb_json_decode(exact, size, out, why);

    assert_int_equal(err == PSP_OK, why[0] == '\0');
    free(exact);
    return err;
}

static void packed__both_sizes__round_trip(void **state)
{
    struct aeb_evidence ev = sample(), back;
    uint8_t out[AEB_PACKED_TYPED_SIZE];

    (void)state;
    assert_int_equal(aeb_packed_encode(&ev, out), 6461);
    assert_int_equal(out[6460], 2);
    assert_memory_equal(out + 2292, ev.pek, 4);
    assert_int_equal(aeb_packed_decode(out, 6461, &back), PSP_OK);
    assert_true(same(&ev, &back));
    ev.typed = false;
    assert_int_equal(aeb_packed_encode(&ev, out), 6460);
    assert_int_equal(aeb_packed_decode(out, 6460, &back), PSP_OK);
    assert_false(back.typed);
    assert_int_equal(aeb_packed_decode(out, 6459, &back), PSP_E_FORMAT);
    assert_int_equal(aeb_packed_decode(out, 0, &back), PSP_E_FORMAT);
}

static void json__round_trip_and_begins_as_serde_json(void **state)
{
    static const char begin[] =
        "{\"report\":{\"monce\":[0,7,14,21,28,35,42,49,56,63,70,77,84,91,98,"
        "105],\"launch_digest\":[112,";
    struct aeb_evidence ev = sample(), back;
    size_t n;
    char *text = json_of(&ev, &n);

    (void)state;
    assert_memory_equal(text, begin, sizeof(begin) - 1);
    assert_non_null(strstr(
        text, ",\"sig_usage\":4098,\"sig_algo\":2,\"reserved\":0,\"sig1\":["));
    assert_non_null(strstr(text, "]},\"cek\":[1,0,0,0,4,5,"));
    assert_string_equal(text + n - 27, "],\"device_type\":\"AmdMilan\"}");
    assert_int_equal(read_json(text, n, &back), PSP_OK);
    assert_true(same(&ev, &back));
    free(text);
}

static void json__without_device__is_the_published_form(void **state)
{
    struct aeb_evidence ev = sample(), back;
    size_t n;
    char *text;

    (void)state;
    ev.typed = false;
    ev.device = 0;
    text = json_of(&ev, &n);
    assert_null(strstr(text, "device_type"));
    assert_string_equal(text + n - 2, "]}");
    assert_int_equal(read_json(text, n, &back), PSP_OK);
    assert_true(same(&ev, &back));
    free(text);
}

static void json__sizes__from_13012_to_25962(void **state)
{
    struct aeb_evidence ev;
    uint8_t *bytes[] = {ev.report, ev.cek, ev.pek, ev.oca};
    const size_t sizes[] = {SEV_REPORT_SIZE, SEV_CERT_SIZE, SEV_CERT_SIZE,
                            SEV_CERT_SIZE};

    (void)state;
    memset(&ev, 0, sizeof(ev));
    assert_int_equal(aeb_json_encode(&ev, NULL, 0), 13012);
    for (size_t i = 0; i < 4; i++) {
        memset(bytes[i], 0xff, sizes[i]);
    }
    ev.typed = true;
    ev.device = AEB_NAPLES;
    assert_int_equal(aeb_json_encode(&ev, NULL, 0), 25962);
}

/* Python's json reads the same members out of it, and writes the same text. */
static void json__python_writes_the_same(void **state)
{
    static const char script[] =
        "import json,sys\n"
        "t=open(sys.argv[1]).read()\n"
        "assert json.dumps(json.loads(t),separators=(',',':'))==t\n"
        "d=json.loads(t)\n"
        "assert list(d)==['report','cek','pek','oca','device_type']\n"
        "assert len(d['cek'])==len(d['pek'])==len(d['oca'])==2084\n"
        "print('same')\n";
    struct aeb_evidence ev = sample();
    char *dir = tst_mkdtemp();
    char path[256];
    const char *argv[] = {"/usr/bin/python3", "-c", script, path, NULL};
    char *output = NULL;
    size_t n;
    char *text = json_of(&ev, &n);

    (void)state;
    snprintf(path, sizeof(path), "%s/ev.json", dir);
    tst_write_file(path, text, n);
    assert_int_equal(tst_run(&output, argv), 0);
    assert_string_equal(output, "same\n");
    free(output);
    free(text);
    tst_rmdir(dir);
}

/* ---- rows of §4.3: the sample's text with one place replaced ---- */

struct row {
    const char *name;
    const char *from, *to; /* from NULL: to is put in front, or behind '$' */
    bool ok;
};

static const struct row ROWS[] = {
    {"space_after_tokens", "\"cek\":[1,0", " \"cek\" : [ 1\t,\r\n0", true},
    {"trailing_newline", NULL, "$\n", true},
    {"leading_space", NULL, " \n", true},
    {"unknown_key", "{\"report\":",
     "{\"x\":{\"y\":[1,-2.5e+3,null,true,\"\\n\"]}"
     ",\"report\":",
     true},
    {"unknown_key_in_report", "{\"monce\"", "{\"x\":false,\"monce\"", true},
    {"escaped_key", "\"monce\"", "\"mo\\u006Ece\"", true},
    {"key_with_utf8", "{\"report\":", "{\"\xc3\xa4\":1,\"report\":", true},
    {"mnonce_spelt_right", "\"monce\"", "\"mnonce\"", false},
    {"duplicate_key", "\"policy\":", "\"reserved\":0,\"policy\":", false},
    {"duplicate_top_key", ",\"device_type\"",
     ",\"device_type\":\"AmdRome\""
     ",\"device_type\"",
     false},
    {"missing_report_key", "\"sig_algo\":2,", "", false},
    {"missing_top_key", "\"oca\"", "\"oco\"", false},
    {"missing_device_type", ",\"device_type\":\"AmdMilan\"", "", true},
    {"monce_one_short", "\"monce\":[0,", "\"monce\":[", false},
    {"monce_one_long", "\"monce\":[0,", "\"monce\":[0,0,", false},
    {"digest_one_long", "\"launch_digest\":[", "\"launch_digest\":[1,", false},
    {"sig1_one_long", "\"sig1\":[", "\"sig1\":[1,", false},
    {"sig1_empty", "\"sig1\":[", "\"sig1\":[],\"x\":[", false},
    {"cek_one_long", "\"cek\":[1,0,0,0,", "\"cek\":[1,0,0,0,0,", false},
    {"cek_one_short", "\"cek\":[1,0,0,0,4,", "\"cek\":[1,0,0,0,", false},
    {"version_word_2", "\"cek\":[1,", "\"cek\":[2,", false},
    {"version_word_high", "\"oca\":[1,0,0,0", "\"oca\":[1,0,0,1", false},
    {"number_256", "\"monce\":[0,", "\"monce\":[256,", false},
    {"number_255", "\"monce\":[0,", "\"monce\":[255,", true},
    {"number_with_point", "\"monce\":[0,", "\"monce\":[1.0,", false},
    {"number_negative", "\"monce\":[0,", "\"monce\":[-1,", false},
    {"number_minus_zero", "\"monce\":[0,", "\"monce\":[-0,", false},
    {"number_exponent", "\"monce\":[0,", "\"monce\":[1e0,", false},
    {"number_leading_zero", "\"monce\":[0,", "\"monce\":[00,", false},
    {"number_as_text", "\"monce\":[0,", "\"monce\":[\"0\",", false},
    {"number_huge", "\"monce\":[0,", "\"monce\":[99999999999999999999999,",
     false},
    {"u32_largest", "\"reserved\":0", "\"reserved\":4294967295", true},
    {"u32_too_large", "\"reserved\":0", "\"reserved\":4294967296", false},
    {"cek_as_text", "\"cek\":[", "\"cek\":\"\\u0001\",\"x\":[", false},
    {"report_as_array", "\"report\":{\"monce\":", "\"report\":[", false},
    {"report_null", "\"report\":{", "\"report\":null,\"x\":{", false},
    {"top_array", NULL, "[", false},
    {"device_unknown", "AmdMilan", "AmdGenoa", false},
    {"device_wrong_case", "AmdMilan", "amdmilan", false},
    {"device_longer", "AmdMilan", "AmdMilanX", false},
    {"device_shorter", "AmdMilan", "AmdMila", false},
    {"device_number", "\"AmdMilan\"", "2", false},
    {"device_object", "\"AmdMilan\"", "{\"AmdMilan\":null}", false},
    {"device_named_unknown", "AmdMilan", "Unknown", true},
    {"device_rome", "AmdMilan", "AmdRome", true},
    {"bom", NULL, "\xef\xbb\xbf", false},
    {"trailing_text", NULL, "$x", false},
    {"trailing_comma", "\"AmdMilan\"}", "\"AmdMilan\",}", false},
    {"comma_in_array", "\"monce\":[0,", "\"monce\":[,0,", false},
    {"comment", "\"cek\"", "/**/\"cek\"", false},
    {"bad_escape", "{\"report\":", "{\"\\q\":1,\"report\":", false},
    {"half_surrogate", "{\"report\":", "{\"\\ud800\":1,\"report\":", false},
    {"surrogate_pair",
     "{\"report\":", "{\"\\ud83d\\ude00\":1,\"report\":", true},
    {"control_in_text", "{\"report\":", "{\"\t\":1,\"report\":", false},
    {"bad_utf8", "{\"report\":", "{\"\xc0\x80\":1,\"report\":", false},
    {"unknown_value_bad", "{\"report\":", "{\"x\":truth,\"report\":", false},
    {"unknown_number_bad", "{\"report\":", "{\"x\":01,\"report\":", false},
    {"depth_8", "{\"report\":", "{\"x\":[[[[[[[1]]]]]]],\"report\":", true},
    {"depth_9", "{\"report\":", "{\"x\":[[[[[[[[1]]]]]]]],\"report\":", false},
};
#define ROW_COUNT (sizeof(ROWS) / sizeof(ROWS[0]))

static void json_row(void **state)
{
    const struct row *row = *state;
    struct aeb_evidence ev = sample(), back;
    size_t n;
    char *text = json_of(&ev, &n);
    size_t room = n + strlen(row->to) + 1;
    char *changed = calloc(1, room);
    char *at = row->from != NULL   ? strstr(text, row->from)
               : row->to[0] == '$' ? text + n
                                   : text;
    const char *to =
        row->from == NULL && row->to[0] == '$' ? row->to + 1 : row->to;

    assert_non_null(at);
    assert_non_null(changed);
    snprintf(changed, room, "%.*s%s%s", (int)(at - text), text, to,
             at + (row->from != NULL ? strlen(row->from) : 0));
    assert_int_equal(read_json(changed, strlen(changed), &back),
                     row->ok ? PSP_OK : PSP_E_FORMAT);
    free(changed);
    free(text);
}

static void json__trailing_nul__refused(void **state)
{
    struct aeb_evidence ev = sample(), back;
    size_t n;
    char *text = json_of(&ev, &n);

    (void)state;
    assert_int_equal(read_json(text, n + 1, &back), PSP_E_FORMAT);
    free(text);
}

static void json__every_truncation__refused(void **state)
{
    struct aeb_evidence ev = sample(), back;
    size_t n;
    char *text = json_of(&ev, &n);

    (void)state;
    for (size_t i = 0; i < n; i += i < 400 || i > n - 400 ? 1 : 97) {
        assert_int_equal(read_json(text, i, &back), PSP_E_FORMAT);
    }
    free(text);
}

/* Padded with spaces to just the limit, and one beyond. */
static void json__64_kib__limit(void **state)
{
    struct aeb_evidence ev = sample(), back;
    size_t n;
    char *text = json_of(&ev, &n);
    char *wide = malloc(AEB_JSON_MAX + 1);

    (void)state;
    assert_non_null(wide);
    memset(wide, ' ', AEB_JSON_MAX + 1);
    memcpy(wide, text, n);
    assert_int_equal(read_json(wide, AEB_JSON_MAX, &back), PSP_OK);
    assert_int_equal(read_json(wide, AEB_JSON_MAX + 1, &back), PSP_E_FORMAT);
    free(wide);
    free(text);
}

static void check_keys(size_t extra, enum psp_err want)
{
    struct aeb_evidence ev = sample(), back;
    size_t n;
    char *text = json_of(&ev, &n);
    char *more = calloc(1, n + 16 * extra + 1);
    size_t at = 1;

    assert_non_null(more);
    more[0] = '{';
    for (size_t i = 0; i < extra; i++) {
        at += (size_t)sprintf(more + at, "\"k%zu\":%zu,", i, i);
    }
    memcpy(more + at, text + 1, n - 1);
    assert_int_equal(read_json(more, at + n - 1, &back), want);
    free(more);
    free(text);
}

static void json__64_keys__limit(void **state)
{
    (void)state;
    check_keys(59, PSP_OK);
    check_keys(60, PSP_E_FORMAT);
}

static void json__keys_in_reverse__accepted(void **state)
{
    static const char script[] =
        "import json,sys\n"
        "d=json.load(open(sys.argv[1]))\n"
        "d['report']=dict(reversed(list(d['report'].items())))\n"
        "json.dump(dict(reversed(list(d.items()))),open(sys.argv[2],'w'),"
        "indent=1)\n";
    struct aeb_evidence ev = sample(), back;
    char *dir = tst_mkdtemp();
    char in[256], out[256];
    const char *argv[] = {"/usr/bin/python3", "-c", script, in, out, NULL};
    size_t n;
    char *text = json_of(&ev, &n);
    uint8_t *data;

    (void)state;
    snprintf(in, sizeof(in), "%s/in", dir);
    snprintf(out, sizeof(out), "%s/out", dir);
    tst_write_file(in, text, n);
    assert_int_equal(tst_run(NULL, argv), 0);
    data = tst_file(out, &n);
    assert_int_equal(read_json((const char *)data, n, &back), PSP_OK);
    assert_true(same(&ev, &back));
    free(data);
    free(text);
    tst_rmdir(dir);
}

static void devices__names_and_bytes(void **state)
{
    (void)state;
    assert_int_equal(aeb_device_of(PSP_ROME), 0);
    assert_int_equal(aeb_device_of(PSP_NAPLES), 1);
    assert_int_equal(aeb_device_of(PSP_MILAN), 2);
    assert_int_equal(aeb_device_of(PSP_GENOA), 3);
    assert_int_equal(aeb_device_of(PSP_TURIN), 3);
    assert_string_equal(aeb_device_name(AEB_NAPLES), "AmdNaples");
    assert_int_equal(aeb_device_generation(AEB_UNKNOWN), PSP_GENERATION_COUNT);
    assert_int_equal(aeb_device_generation((enum aeb_type)77),
                     PSP_GENERATION_COUNT);
}

static void bound_mnonce__known_answers(void **state)
{
    uint8_t ln[32], a5[32], spki[32], got[16];

    (void)state;
    for (size_t i = 0; i < 32; i++) {
        ln[i] = (uint8_t)i;
    }
    memset(a5, 0xa5, 32);
    memset(spki, 0x5a, 32);
    assert_int_equal(aeb_bound_mnonce(ln, NULL, NULL, got), PSP_OK);
    assert_hex_equal(got, "dde6d0013cfa8c68556b2d5092d5f0fa", 16);
    assert_int_equal(aeb_bound_mnonce(ln, a5, NULL, got), PSP_OK);
    assert_hex_equal(got, "fb80e978076e6ae9e7e6cebce15ec19d", 16);
    assert_int_equal(aeb_bound_mnonce(ln, a5, spki, got), PSP_OK);
    assert_hex_equal(got, "bd9fbef0622b9d689c963d8fdf03916a", 16);
}

int main(void)
{
    static const struct CMUnitTest fixed[] = {
        cmocka_unit_test(packed__both_sizes__round_trip),
        cmocka_unit_test(json__round_trip_and_begins_as_serde_json),
        cmocka_unit_test(json__without_device__is_the_published_form),
        cmocka_unit_test(json__sizes__from_13012_to_25962),
        cmocka_unit_test(json__python_writes_the_same),
        cmocka_unit_test(json__trailing_nul__refused),
        cmocka_unit_test(json__every_truncation__refused),
        cmocka_unit_test(json__64_kib__limit),
        cmocka_unit_test(json__64_keys__limit),
        cmocka_unit_test(json__keys_in_reverse__accepted),
        cmocka_unit_test(devices__names_and_bytes),
        cmocka_unit_test(bound_mnonce__known_answers),
    };
    static struct CMUnitTest rows[ROW_COUNT];
    int failed;

    for (size_t i = 0; i < ROW_COUNT; i++) {
        rows[i] = (struct CMUnitTest){
            .name = ROWS[i].name,
            .test_func = json_row,
            .initial_state = (void *)(uintptr_t)&ROWS[i],
        };
    }
    failed = cmocka_run_group_tests_name("evidence", fixed, NULL, NULL);
    return cmocka_run_group_tests_name("json rows", rows, NULL, NULL) + failed;
}
