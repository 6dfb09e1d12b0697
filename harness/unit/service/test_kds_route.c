/* SPDX-License-Identifier: Apache-2.0 */
/* URLs of the key server: every row of abi/certs-kds.md 2.1 to 2.3 and 4. */
#include "kds_route.h"
#include "tst.h"

#define D8   "53575053"
#define D16  D8 D8
#define D64  D16 D16 D16 D16
#define D128 D64 D64

struct route_case {
    const char *name;
    const char *method;
    const char *path;
    const char *query;
    unsigned int status;
    enum kds_kind kind;
    enum psp_generation generation;
    const char *tcb;
};

#define GET   "GET"
#define ZERO  "0000000000000000"
#define VCEK  "/vcek/v1/Milan/" D128
#define TVCEK "/vcek/v1/Turin/" D16

static const struct route_case CASES[] = {
    /* 2.1 */
    {"vcek_chain_milan", GET, "/vcek/v1/Milan/cert_chain", NULL, 200,
     KDS_CERT_CHAIN, PSP_MILAN, ZERO},
    {"vcek_chain_genoa", GET, "/vcek/v1/Genoa/cert_chain", NULL, 200,
     KDS_CERT_CHAIN, PSP_GENOA, ZERO},
    {"vcek_chain_turin", GET, "/vcek/v1/Turin/cert_chain", NULL, 200,
     KDS_CERT_CHAIN, PSP_TURIN, ZERO},
    {"vlek_chain", GET, "/vlek/v1/Genoa/cert_chain", NULL, 200,
     KDS_VLEK_CERT_CHAIN, PSP_GENOA, ZERO},
    {"vcek_crl", GET, "/vcek/v1/Turin/crl", NULL, 200, KDS_CRL, PSP_TURIN,
     ZERO},
    {"vlek_crl", GET, "/vlek/v1/Milan/crl", NULL, 200, KDS_CRL, PSP_MILAN,
     ZERO},
    {"vcek", GET, VCEK, "blSPL=4&teeSPL=0&snpSPL=24&ucodeSPL=219", 200,
     KDS_VCEK, PSP_MILAN, "04000000000018db"},
    {"vlek", GET, "/vlek/v1/Milan/cert", "blSPL=1&ucodeSPL=2", 200, KDS_VLEK,
     PSP_MILAN, "0100000000000002"},
    {"vlek_turin", GET, "/vlek/v1/Turin/cert", "fmcSPL=3", 200, KDS_VLEK,
     PSP_TURIN, "0300000000000000"},
    {"hash_sticks", "POST", "/vlek/v1/Milan/hash_sticks", "blSPL=1", 200,
     KDS_HASH_STICKS, PSP_MILAN, "0100000000000000"},
    {"cek", GET, "/cek/id/" D128, NULL, 200, KDS_CEK, 0, ZERO},
    {"cek_of_turin", GET, "/cek/id/" D16, NULL, 200, KDS_CEK, 0, ZERO},
    {"ask_ark_download", GET, "/developer/eula/sev/ask_ark_rome.cert", NULL,
     200, KDS_ASK_ARK, PSP_ROME, ZERO},
    {"ask_ark_wp_content", GET, "/wp-content/resources/ask_ark_naples.cert",
     NULL, 200, KDS_ASK_ARK, PSP_NAPLES, ZERO},
    {"ask_ark_turin", GET, "/wp-content/resources/ask_ark_turin.cert", NULL,
     200, KDS_ASK_ARK, PSP_TURIN, ZERO},
    {"head_is_a_get", "HEAD", "/vcek/v1/Milan/crl", NULL, 200, KDS_CRL,
     PSP_MILAN, ZERO},
    {"empty_query_is_none", GET, "/vcek/v1/Milan/crl", "", 200, KDS_CRL,
     PSP_MILAN, ZERO},
    /* 2.2 */
    {"upper_case_hwid", GET, "/vcek/v1/Turin/ABCDEF0123456789", NULL, 200,
     KDS_VCEK, PSP_TURIN, ZERO},
    {"no_parameters_are_zeros", GET, VCEK, NULL, 200, KDS_VCEK, PSP_MILAN,
     ZERO},
    {"any_order", GET, VCEK, "ucodeSPL=1&snpSPL=2&teeSPL=3&blSPL=4", 200,
     KDS_VCEK, PSP_MILAN, "0403000000000201"},
    {"padded_is_decimal_not_octal", GET, VCEK, "blSPL=010&teeSPL=04", 200,
     KDS_VCEK, PSP_MILAN, "0a04000000000000"},
    {"leading_zeros_of_any_number", GET, VCEK, "blSPL=000000000000007", 200,
     KDS_VCEK, PSP_MILAN, "0700000000000000"},
    {"fmc_first_on_turin", GET, TVCEK,
     "fmcSPL=1&blSPL=2&teeSPL=3&snpSPL=4&ucodeSPL=81", 200, KDS_VCEK, PSP_TURIN,
     "0102030400000051"},
    {"highest_values", GET, VCEK,
     "blSPL=127&teeSPL=127&snpSPL=127&ucodeSPL=255", 200, KDS_VCEK, PSP_MILAN,
     "7f7f000000007fff"},
    {"highest_fmc", GET, TVCEK, "fmcSPL=127", 200, KDS_VCEK, PSP_TURIN,
     "7f00000000000000"},
    /* 2.3: 400 */
    {"bl_128", GET, VCEK, "blSPL=128", 400, 0, 0, NULL},
    {"tee_128", GET, VCEK, "teeSPL=128", 400, 0, 0, NULL},
    {"snp_128", GET, VCEK, "snpSPL=128", 400, 0, 0, NULL},
    {"ucode_256", GET, VCEK, "ucodeSPL=256", 400, 0, 0, NULL},
    {"fmc_128", GET, TVCEK, "fmcSPL=128", 400, 0, 0, NULL},
    {"value_wraps_32_bits", GET, VCEK, "blSPL=4294967297", 400, 0, 0, NULL},
    {"value_wraps_64_bits", GET, VCEK, "blSPL=18446744073709551617", 400, 0, 0,
     NULL},
    {"negative", GET, VCEK, "blSPL=-1", 400, 0, 0, NULL},
    {"plus", GET, VCEK, "blSPL=+1", 400, 0, 0, NULL},
    {"hex_value", GET, VCEK, "blSPL=0x1", 400, 0, 0, NULL},
    {"letter_value", GET, VCEK, "blSPL=a", 400, 0, 0, NULL},
    {"space_value", GET, VCEK, "blSPL= 1", 400, 0, 0, NULL},
    {"empty_value", GET, VCEK, "blSPL=", 400, 0, 0, NULL},
    {"no_value", GET, VCEK, "blSPL", 400, 0, 0, NULL},
    {"no_name", GET, VCEK, "=1", 400, 0, 0, NULL},
    {"repeated", GET, VCEK, "blSPL=1&blSPL=1", 400, 0, 0, NULL},
    {"unknown_key", GET, VCEK, "blSPL=1&xSPL=1", 400, 0, 0, NULL},
    {"key_of_another_case", GET, VCEK, "blspl=1", 400, 0, 0, NULL},
    {"fmc_on_milan", GET, VCEK, "fmcSPL=0", 400, 0, 0, NULL},
    {"fmc_on_genoa", GET, "/vcek/v1/Genoa/" D128, "fmcSPL=0", 400, 0, 0, NULL},
    {"spl_4", GET, VCEK, "spl_4=0", 400, 0, 0, NULL},
    {"empty_parameter", GET, VCEK, "blSPL=1&&teeSPL=1", 400, 0, 0, NULL},
    {"trailing_ampersand", GET, VCEK, "blSPL=1&", 400, 0, 0, NULL},
    {"leading_ampersand", GET, VCEK, "&blSPL=1", 400, 0, 0, NULL},
    {"query_for_a_chain", GET, "/vcek/v1/Milan/cert_chain", "blSPL=1", 400, 0,
     0, NULL},
    {"query_for_a_crl", GET, "/vcek/v1/Milan/crl", "x", 400, 0, 0, NULL},
    {"query_for_a_cek", GET, "/cek/id/" D128, "x=1", 400, 0, 0, NULL},
    {"hwid_not_hex", GET, "/vcek/v1/Turin/535750530000000g", NULL, 400, 0, 0,
     NULL},
    {"cek_too_short", GET, "/cek/id/" D64, NULL, 400, 0, 0, NULL},
    {"cek_too_long", GET, "/cek/id/" D128 "00", NULL, 400, 0, 0, NULL},
    {"cek_of_turin_too_short", GET, "/cek/id/5357505353575", NULL, 400, 0, 0,
     NULL},
    {"cek_of_turin_not_hex", GET, "/cek/id/535750530000000g", NULL, 400, 0, 0,
     NULL},
    {"cek_odd", GET, "/cek/id/0", NULL, 400, 0, 0, NULL},
    {"cek_not_hex", GET, "/cek/id/xyz", NULL, 400, 0, 0, NULL},
    /* 2.3: 404 */
    {"root", GET, "/", NULL, 404, 0, 0, NULL},
    {"empty_path", GET, "", NULL, 404, 0, 0, NULL},
    {"star", GET, "*", NULL, 404, 0, 0, NULL},
    {"unknown_path", GET, "/vcek/v2/Milan/crl", NULL, 404, 0, 0, NULL},
    {"unknown_service", GET, "/xcek/v1/Milan/crl", NULL, 404, 0, 0, NULL},
    {"vlek_by_hwid", GET, "/vlek/v1/Milan/" D128, NULL, 404, 0, 0, NULL},
    {"no_resource", GET, "/vcek/v1/Milan", NULL, 404, 0, 0, NULL},
    {"empty_resource", GET, "/vcek/v1/Milan/", NULL, 404, 0, 0, NULL},
    {"trailing_slash", GET, "/vcek/v1/Milan/crl/", NULL, 404, 0, 0, NULL},
    {"one_segment_more", GET, "/vcek/v1/Milan/crl/x", NULL, 404, 0, 0, NULL},
    {"double_slash", GET, "/vcek//v1/Milan/crl", NULL, 404, 0, 0, NULL},
    {"no_leading_slash", GET, "vcek/v1/Milan/crl", NULL, 404, 0, 0, NULL},
    {"cek_trailing_slash", GET, "/cek/id/" D128 "/", NULL, 404, 0, 0, NULL},
    {"cek_without_id", GET, "/cek/id/", NULL, 404, 0, 0, NULL},
    {"product_bergamo", GET, "/vcek/v1/Bergamo/cert_chain", NULL, 404, 0, 0,
     NULL},
    {"product_siena", GET, "/vcek/v1/Siena/cert_chain", NULL, 404, 0, 0, NULL},
    {"product_unknown", GET, "/vcek/v1/Unknown/cert_chain", NULL, 404, 0, 0,
     NULL},
    {"product_lower_case", GET, "/vcek/v1/milan/cert_chain", NULL, 404, 0, 0,
     NULL},
    {"product_naples", GET, "/vcek/v1/Naples/cert_chain", NULL, 404, 0, 0,
     NULL},
    {"product_rome", GET, "/vcek/v1/Rome/cert_chain", NULL, 404, 0, 0, NULL},
    {"hwid_too_short", GET, "/vcek/v1/Milan/" D64, NULL, 404, 0, 0, NULL},
    {"hwid_too_long", GET, "/vcek/v1/Milan/" D128 "00", NULL, 404, 0, 0, NULL},
    {"long_hwid_on_turin", GET, "/vcek/v1/Turin/" D128, NULL, 404, 0, 0, NULL},
    {"short_hwid_on_genoa", GET, "/vcek/v1/Genoa/" D16, NULL, 404, 0, 0, NULL},
    {"ask_ark_elsewhere", GET, "/vcek/v1/ask_ark_milan.cert", NULL, 404, 0, 0,
     NULL},
    {"ask_ark_upper_case", GET, "/developer/eula/sev/ask_ark_Milan.cert", NULL,
     404, 0, 0, NULL},
    {"ask_ark_bergamo", GET, "/developer/eula/sev/ask_ark_bergamo.cert", NULL,
     404, 0, 0, NULL},
    {"post_to_nowhere", "POST", "/nowhere", NULL, 404, 0, 0, NULL},
    /* 2.3: 405 */
    {"post_vcek", "POST", VCEK, NULL, 405, 0, 0, NULL},
    {"post_crl", "POST", "/vcek/v1/Milan/crl", NULL, 405, 0, 0, NULL},
    {"post_chain", "POST", "/vlek/v1/Milan/cert_chain", NULL, 405, 0, 0, NULL},
    {"post_cek", "POST", "/cek/id/" D128, NULL, 405, 0, 0, NULL},
    {"post_wins_over_parameters", "POST", VCEK, "x=1", 405, 0, 0, NULL},
    {"get_hash_sticks", GET, "/vlek/v1/Milan/hash_sticks", NULL, 405, 0, 0,
     NULL},
    {"put", "PUT", "/vcek/v1/Milan/crl", NULL, 405, 0, 0, NULL},
    {"delete", "DELETE", "/vcek/v1/Milan/crl", NULL, 405, 0, 0, NULL},
    {"options_anywhere", "OPTIONS", "*", NULL, 405, 0, 0, NULL},
    {"lower_case_method", "get", "/vcek/v1/Milan/crl", NULL, 405, 0, 0, NULL},
};
#define CASE_COUNT (sizeof(CASES) / sizeof(CASES[0]))

static void test_route(void **state)
{
    const struct route_case *c = *state;
    char *path = tst_dup(c->path, strlen(c->path) + 1);
    char *query =
        c->query == NULL ? NULL : tst_dup(c->query, strlen(c->query) + 1);
    struct kds_request out;
    const char *why = NULL;

    assert_int_equal(kds_route(c->method, path, query, &out, &why), c->status);
    if (c->status == 200) {
        assert_int_equal(out.kind, c->kind);
        assert_int_equal(out.generation, c->generation);
        assert_hex_equal(out.tcb.b, c->tcb, 8);
    } else {
        assert_non_null(why);
        assert_null(strstr(why, "BEGIN"));
    }
    free(path);
    free(query);
}

static void test_hwid(void **state)
{
    struct kds_request out;
    const char *why = NULL;

    (void)state;
    assert_int_equal(
        kds_route("GET", "/vcek/v1/Turin/AbCdEf0123456789", NULL, &out, &why),
        200);
    assert_hex_equal(out.hwid,
                     "abcdef0123456789" ZERO ZERO ZERO ZERO ZERO ZERO ZERO, 64);
    assert_int_equal(kds_route("GET", VCEK, NULL, &out, &why), 200);
    assert_hex_equal(out.hwid, D128, 64);
}

int main(void)
{
    struct CMUnitTest tests[CASE_COUNT + 1] = {0};
    struct route_case copies[CASE_COUNT];

    memcpy(copies, CASES, sizeof(CASES));
    for (size_t i = 0; i < CASE_COUNT; i++) {
        tests[i].name = copies[i].name;
        tests[i].test_func = test_route;
        tests[i].initial_state = &copies[i];
    }
    tests[CASE_COUNT] = (struct CMUnitTest)cmocka_unit_test(test_hwid);
    tests[CASE_COUNT].name = "hwid__any_case__zero_extended";
    return cmocka_run_group_tests_name("kds_route", tests, NULL, NULL);
}
