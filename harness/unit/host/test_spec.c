/* SPDX-License-Identifier: Apache-2.0 */
#include "tst.h"

#include "spec.h"

#include "vmsa.h"
#include "wire.h"

#include <errno.h>

struct spec_case {
    const char *name;
    const char *json;
    const char *error; /* how the line starts */
};

static const struct psp_profile *milan(void)
{
    return psp_profile_by_name("milan");
}

/* From an exact-size heap copy, so that a missing end shows. */
static int parse_in(const char *json, const char *dir, struct vm_spec *spec,
                    char *error)
{
    size_t size = strlen(json);
    char *copy = tst_dup(json, size);
    int err = vm_spec_parse(copy, size, dir, milan(), spec, error);

    free(copy);
    return err;
}

static struct vm_spec parse_ok(const char *json)
{
    char error[SPEC_ERROR_SIZE];
    struct vm_spec spec;

    if (parse_in(json, NULL, &spec, error) != 0) {
        fail_msg("%s", error);
    }
    return spec;
}

#define H32 "0123456789abcdef0123456789ABCDEF"

static const struct spec_case ERRORS[] = {
    {"empty_text", "", "line 1, column 0: "},
    {"no_json", "{\"name\"", "line 1, column "},
    {"trailing_text", "{} x", "line 1, column "},
    {"array", "[]", "must be a JSON object"},
    {"unknown", "{\"nmae\": \"x\"}", "nmae: unknown member"},
    {"unknown_control", "{\"a\\nb\": 1}", "a?b: unknown member"},
    {"duplicate", "{\"vmpl\": 1, \"vmpl\": 1}", "line 1, column "},
    {"name_number", "{\"name\": 1}", "name: must be a string"},
    {"name_empty", "{\"name\": \"\"}", "name: must be 1 to 63 bytes"},
    {"name_long", "{\"name\": \"" H32 H32 "\"}", "name: must be 1 to 63 bytes"},
    {"name_two_lines", "{\"name\": \"a\\nb\"}", "name: must be 1 to 63 bytes"},
    {"policy_real", "{\"policy\": 1.5}", "policy: must be an integer"},
    {"policy_negative", "{\"policy\": -1}", "policy: must not be negative"},
    {"policy_decimal", "{\"policy\": \"12\"}", "policy: must be an integer"},
    {"policy_no_digits", "{\"policy\": \"0x\"}", "policy: must be an integer"},
    {"policy_signed", "{\"policy\": \"0x-1\"}", "policy: must be an integer"},
    {"policy_garbage", "{\"policy\": \"0x1g\"}", "policy: must be an integer"},
    {"policy_65_bits", "{\"policy\": \"0x10000000000000000\"}",
     "policy: must be an integer"},
    {"policy_null", "{\"policy\": null}", "policy: must be an integer"},
    {"gosvw_short", "{\"gosvw\": \"00\"}", "gosvw: must be 32 hex digits"},
    {"host_data_long", "{\"host_data\": \"" H32 H32 "00\"}",
     "host_data: must be 64 hex digits"},
    {"host_data_digit",
     "{\"host_data\": \"" H32 "0123456789abcdef0123456789abcdeg\"}",
     "host_data: must be 64 hex digits"},
    {"vmpl_4", "{\"vmpl\": 4}", "vmpl: must be at most 0x3"},
    {"vcpus_many", "{\"vcpus\": 513}", "vcpus: must be at most 0x200"},
    {"vcek_number", "{\"vcek_disabled\": 1}",
     "vcek_disabled: must be true or false"},
    {"certs_object", "{\"certs\": {}}", "certs: must be a string"},
    {"certs_file", "{\"certs\": \"x\"}", "certs: files are not allowed here"},
    {"guest_svn_33_bits", "{\"guest_svn\": 4294967296}",
     "guest_svn: must be at most 0xffffffff"},
    {"family_short", "{\"family_id\": \"0\"}",
     "family_id: must be 32 hex digits"},
    {"image_type", "{\"image_id\": 1}", "image_id: must be a string"},
    {"id_key_file", "{\"id_key\": \"k\"}", "id_key: files are not allowed"},
    {"author_key_type", "{\"author_key\": true}",
     "author_key: must be a string"},
    {"author_enabled_alone", "{\"author_key_enabled\": true}",
     "author_key_enabled: goes with \"id_auth\" only"},
    {"block_alone", "{\"id_block\": {\"hex\": \"00\"}}", "id_auth: is missing"},
    {"auth_alone", "{\"id_auth\": {\"hex\": \"00\"}}", "id_block: is missing"},
    {"block_and_family",
     "{\"id_block\": {\"hex\": \"00\"}, \"id_auth\": {\"hex\": \"00\"}, "
     "\"family_id\": \"" H32 "\"}",
     "family_id: does not go with \"id_block\""},
    {"block_short",
     "{\"id_block\": {\"hex\": \"00\"}, \"id_auth\": {\"hex\": \"00\"}}",
     "id_block: must be 96 bytes, not 1"},
    {"block_odd",
     "{\"id_block\": {\"hex\": \"000\"}, \"id_auth\": {\"hex\": \"00\"}}",
     "id_block.hex: must be an even number of hex digits"},
    {"block_base64",
     "{\"id_block\": {\"base64\": \"A\"}, \"id_auth\": {\"hex\": \"00\"}}",
     "id_block.base64: is not base64"},
    {"block_both",
     "{\"id_block\": {\"base64\": \"AAAA\", \"hex\": \"00\"}, "
     "\"id_auth\": {\"hex\": \"00\"}}",
     "id_block: must have one of"},
    {"block_neither", "{\"id_block\": {}, \"id_auth\": {\"hex\": \"00\"}}",
     "id_block: must have one of"},
    {"block_other",
     "{\"id_block\": {\"oct\": \"00\"}, \"id_auth\": {\"hex\": \"00\"}}",
     "id_block.oct: unknown member"},
    {"block_number", "{\"id_block\": 1, \"id_auth\": {\"hex\": \"00\"}}",
     "id_block: must be a file name or"},
    {"pages_object", "{\"pages\": {}}", "pages: must be an array"},
    {"page_number", "{\"pages\": [1]}", "pages[0]: must be an object"},
    {"page_unknown",
     "{\"pages\": [{\"type\": \"zero\", \"gpa\": 0, \"x\": 0}]}",
     "pages[0].x: unknown member"},
    {"type_missing", "{\"pages\": [{\"gpa\": 0}]}", "pages[0].type: must be "},
    {"type_other", "{\"pages\": [{\"type\": \"Normal\", \"gpa\": 0}]}",
     "pages[0].type: must be "},
    {"type_number", "{\"pages\": [{\"type\": 1, \"gpa\": 0}]}",
     "pages[0].type: must be a string"},
    {"gpa_missing", "{\"pages\": [{\"type\": \"zero\"}]}",
     "pages[0].gpa: is missing"},
    {"gpa_unaligned",
     "{\"pages\": [{\"type\": \"zero\", \"gpa\": 0}, "
     "{\"type\": \"zero\", \"gpa\": \"0x1001\"}]}",
     "pages[1].gpa: must be a multiple of 0x1000"},
    {"gpa_shared",
     "{\"pages\": [{\"type\": \"zero\", \"gpa\": \"0x400000000000\"}]}",
     "pages[0].gpa: must be at most 0x3ffffffff000"},
    {"gpa_vmsa_high",
     "{\"pages\": [{\"type\": \"vmsa\", \"gpa\": \"0x10000000000000\"}]}",
     "pages[0].gpa: must be at most 0xffffffffff000"},
    {"perms_short",
     "{\"pages\": [{\"type\": \"zero\", \"gpa\": 0, \"vmpl_perms\": [1]}]}",
     "pages[0].vmpl_perms: must be an array of 3 numbers"},
    {"perms_large",
     "{\"pages\": [{\"type\": \"zero\", \"gpa\": 0, "
     "\"vmpl_perms\": [1, 256, 0]}]}",
     "pages[0].vmpl_perms: must be at most 0xff"},
    {"imi_type", "{\"pages\": [{\"type\": \"zero\", \"gpa\": 0, \"imi\": 1}]}",
     "pages[0].imi: must be true or false"},
    {"count_0", "{\"pages\": [{\"type\": \"zero\", \"gpa\": 0, \"count\": 0}]}",
     "pages[0].count: must not be 0"},
    {"count_large",
     "{\"pages\": [{\"type\": \"zero\", \"gpa\": 0, \"count\": 16385}]}",
     "pages[0].count: must be at most 0x4000"},
    {"count_in_all",
     "{\"pages\": [{\"type\": \"zero\", \"gpa\": 0, \"count\": 16384}, "
     "{\"type\": \"zero\", \"gpa\": \"0x10000000\"}]}",
     "pages[1].count: more than 16384 pages in all"},
    {"count_into_shared",
     "{\"pages\": [{\"type\": \"zero\", \"gpa\": \"0x3ffffffff000\", "
     "\"count\": 2}]}",
     "pages[0].count: pages end above 0x400000000000"},
    {"zero_content",
     "{\"pages\": [{\"type\": \"zero\", \"gpa\": 0, \"fill\": 1}]}",
     "pages[0].fill: pages of type \"zero\" have no content"},
    {"secrets_content",
     "{\"pages\": [{\"type\": \"secrets\", \"gpa\": 0, \"hex\": \"00\"}]}",
     "pages[0].hex: pages of type \"secrets\" have no content"},
    {"two_contents",
     "{\"pages\": [{\"type\": \"normal\", \"gpa\": 0, \"hex\": \"00\", "
     "\"fill\": 1}]}",
     "pages[0].hex: only one of"},
    {"offset_alone",
     "{\"pages\": [{\"type\": \"normal\", \"gpa\": 0, \"offset\": 0}]}",
     "pages[0].offset: goes with \"file\" only"},
    {"size_with_fill",
     "{\"pages\": [{\"type\": \"normal\", \"gpa\": 0, \"fill\": 1, "
     "\"size\": 1}]}",
     "pages[0].size: goes with \"file\" only"},
    {"fill_large",
     "{\"pages\": [{\"type\": \"normal\", \"gpa\": 0, \"fill\": 256}]}",
     "pages[0].fill: must be at most 0xff"},
    {"hex_odd",
     "{\"pages\": [{\"type\": \"normal\", \"gpa\": 0, \"hex\": \"0\"}]}",
     "pages[0].hex: must be an even number of hex digits"},
    {"page_file",
     "{\"pages\": [{\"type\": \"normal\", \"gpa\": 0, \"file\": \"f\"}]}",
     "pages[0].file: files are not allowed here"},
    {"file_and_count",
     "{\"pages\": [{\"type\": \"normal\", \"gpa\": 0, \"file\": \"f\", "
     "\"count\": 1}]}",
     "pages[0].count: does not go with \"file\""},
    {"overlap",
     "{\"pages\": [{\"type\": \"zero\", \"gpa\": 0, \"count\": 2}, "
     "{\"type\": \"normal\", \"gpa\": \"0x1000\"}]}",
     "pages: 0x1000 is described twice"},
};

#define ERROR_COUNT (sizeof(ERRORS) / sizeof(ERRORS[0]))

static void test_error(void **state)
{
    const struct spec_case *c = *state;
    char error[SPEC_ERROR_SIZE];
    struct vm_spec spec;

    memset(error, 'x', sizeof(error));
    assert_int_equal(parse_in(c->json, NULL, &spec, error), -EINVAL);
    assert_non_null(memchr(error, '\0', sizeof(error)));
    assert_null(strchr(error, '\n'));
    if (strncmp(error, c->error, strlen(c->error)) != 0) {
        fail_msg("\"%s\" does not start with \"%s\"", error, c->error);
    }
}

static void parse__empty_object__same_as_default(void **state)
{
    struct vm_spec spec = parse_ok("{}");
    struct vm_spec want;

    (void)state;
    assert_int_equal(vm_spec_default(&want, milan()), 0);
    assert_string_equal(spec.name, want.name);
    assert_true(spec.policy == want.policy && spec.policy == 0x30000);
    assert_int_equal(spec.vcpu_count, 1);
    assert_int_equal(spec.page_count, want.page_count);
    assert_false(spec.id_block_en || spec.identity.make || spec.no_certs);
    assert_null(spec.certs);
    for (size_t i = 0; i < want.page_count; i++) {
        assert_int_equal(spec.pages[i].type, want.pages[i].type);
        assert_true(spec.pages[i].gpa == want.pages[i].gpa);
        if (want.pages[i].data == NULL) {
            assert_null(spec.pages[i].data);
        } else {
            assert_memory_equal(spec.pages[i].data, want.pages[i].data,
                                RMP_PAGE_SIZE);
        }
    }
    vm_spec_clear(&spec);
    vm_spec_clear(&want);
}

static void parse__every_scalar__in_the_spec(void **state)
{
    struct vm_spec spec =
        parse_ok("{\"name\": \"web\", \"policy\": \"0xb0000\", "
                 "\"gosvw\": \"" H32 "\", \"host_data\": \"" H32 H32 "\", "
                 "\"vmpl\": 2, \"vcpus\": \"0x10\", \"vcek_disabled\": true, "
                 "\"certs\": \"none\", \"family_id\": \"" H32 "\", "
                 "\"image_id\": \"" H32 "\", \"guest_svn\": 4294967295}");

    (void)state;
    assert_string_equal(spec.name, "web");
    assert_true(spec.policy == 0xb0000);
    assert_hex_equal(spec.gosvw, H32, 16);
    assert_hex_equal(spec.host_data, H32 H32, 32);
    assert_int_equal(spec.vmpl, 2);
    assert_int_equal(spec.vcpu_count, 16);
    assert_true(spec.vcek_dis);
    assert_true(spec.no_certs);
    assert_true(spec.identity.make);
    assert_false(spec.identity.id_key_en || spec.identity.author_key_en);
    assert_hex_equal(spec.identity.family_id, H32, 16);
    assert_hex_equal(spec.identity.image_id, H32, 16);
    assert_true(spec.identity.guest_svn == 0xffffffff);
    vm_spec_clear(&spec);
}

static void parse__policy_of_64_bits__in_the_spec(void **state)
{
    struct vm_spec spec = parse_ok("{\"policy\": \"0xFFFFFFFFFFFFFFFF\"}");

    (void)state;
    assert_true(spec.policy == UINT64_MAX);
    vm_spec_clear(&spec);
}

static void parse__pages__in_order_with_content(void **state)
{
    struct vm_spec spec =
        parse_ok("{\"pages\": ["
                 "{\"type\": \"normal\", \"gpa\": \"0x2000\", \"fill\": 165, "
                 "\"count\": 2, \"vmpl_perms\": [15, 7, 1], \"imi\": true},"
                 "{\"type\": \"unmeasured\", \"gpa\": 0, \"hex\": \"c0FFee\"},"
                 "{\"type\": \"secrets\", \"gpa\": \"0x1000\"},"
                 "{\"type\": \"cpuid\", \"gpa\": \"0x5000\"},"
                 "{\"type\": \"zero\", \"gpa\": \"0x6000\", \"count\": 3},"
                 "{\"type\": \"vmsa\", \"count\": 2}]}");

    (void)state;
    assert_int_equal(spec.page_count, 10);
    assert_int_equal(spec.vcpu_count, 0); /* the VMSAs are listed */
    assert_true(spec.pages[0].gpa == 0x2000 && spec.pages[1].gpa == 0x3000);
    assert_int_equal(spec.pages[1].data[4095], 165);
    assert_true(spec.pages[1].imi);
    assert_memory_equal(spec.pages[1].vmpl_perms, "\x0f\x07\x01", 3);
    assert_int_equal(spec.pages[2].type, VM_PAGE_UNMEASURED);
    assert_hex_equal(spec.pages[2].data, "c0ffee0000", 5);
    assert_int_equal(spec.pages[3].type, VM_PAGE_SECRETS);
    assert_null(spec.pages[3].data);
    assert_non_null(spec.pages[4].data);
    assert_true(spec.pages[7].gpa == 0x8000 && spec.pages[7].data == NULL);
    for (size_t i = 8; i < 10; i++) {
        uint8_t area[VMSA_SIZE];

        vmsa_reset(area, 0xfffffff0, 0x00a00f11, 1);
        assert_int_equal(spec.pages[i].type, VM_PAGE_VMSA);
        assert_true(spec.pages[i].gpa == 0xfffffffff000);
        assert_memory_equal(spec.pages[i].data, area, sizeof(area));
    }
    vm_spec_clear(&spec);
}

static void parse__no_pages_wanted__none(void **state)
{
    struct vm_spec spec = parse_ok("{\"pages\": [], \"vcpus\": 0}");

    (void)state;
    assert_int_equal(spec.page_count, 0);
    assert_int_equal(spec.vcpu_count, 0);
    vm_spec_clear(&spec);
}

static void write_in(const char *dir, const char *name, const void *data,
                     size_t size)
{
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    tst_write_file(path, data, size);
}

static void parse__page_files__cut_and_padded(void **state)
{
    char *dir = tst_mkdtemp();
    char error[SPEC_ERROR_SIZE];
    uint8_t bytes[10000];
    struct vm_spec spec;

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 7 + 1);
    }
    write_in(dir, "fw.bin", bytes, sizeof(bytes));
    assert_int_equal(
        parse_in("{\"pages\": ["
                 "{\"type\": \"normal\", \"gpa\": 0, \"file\": \"fw.bin\"},"
                 "{\"type\": \"normal\", \"gpa\": \"0x10000\", "
                 "\"file\": \"fw.bin\", \"offset\": 5000, \"size\": 4097}]}",
                 dir, &spec, error),
        0);
    assert_int_equal(spec.page_count, 5);
    assert_memory_equal(spec.pages[0].data, bytes, 4096);
    assert_memory_equal(spec.pages[2].data, bytes + 8192, 10000 - 8192);
    assert_true(
        psp_all_zero(spec.pages[2].data + 10000 - 8192, 4096 - (10000 - 8192)));
    assert_true(spec.pages[2].gpa == 0x2000);
    assert_memory_equal(spec.pages[3].data, bytes + 5000, 4096);
    assert_int_equal(spec.pages[4].data[0], bytes[5000 + 4096]);
    assert_true(psp_all_zero(spec.pages[4].data + 1, 4095));
    vm_spec_clear(&spec);
    tst_rmdir(dir);
}

struct file_case {
    const char *name;
    const char *json;
    const char *error;
};

static const struct file_case FILE_ERRORS[] = {
    {"missing", "{\"certs\": \"nothing\"}", "certs: cannot open "},
    {"folder", "{\"certs\": \".\"}", "certs: . is not a regular file"},
    {"offset_past_end",
     "{\"pages\": [{\"type\": \"normal\", \"gpa\": 0, \"file\": \"small\", "
     "\"offset\": 4}]}",
     "pages[0].offset: must be at most 0x3"},
    {"size_past_end",
     "{\"pages\": [{\"type\": \"normal\", \"gpa\": 0, \"file\": \"small\", "
     "\"offset\": 1, \"size\": 3}]}",
     "pages[0].size: must be at most 0x2"},
    {"nothing_left",
     "{\"pages\": [{\"type\": \"normal\", \"gpa\": 0, \"file\": \"small\", "
     "\"offset\": 3}]}",
     "pages[0].file: no bytes are left"},
    {"no_key", "{\"id_key\": \"small\"}",
     "id_key: small holds no P-384 private key in PEM"},
    {"other_curve", "{\"id_key\": \"p256.pem\"}",
     "id_key: p256.pem holds no P-384 private key in PEM"},
    {"encrypted_key", "{\"id_key\": \"locked.pem\"}",
     "id_key: locked.pem holds no P-384 private key in PEM"},
    {"public_key", "{\"author_key\": \"pub.pem\"}",
     "author_key: pub.pem holds no P-384 private key in PEM"},
    {"block_size", "{\"id_block\": \"small\", \"id_auth\": \"small\"}",
     "id_block: must be 96 bytes, not 3"},
};

#define FILE_ERROR_COUNT (sizeof(FILE_ERRORS) / sizeof(FILE_ERRORS[0]))

static char *files;

static void run_openssl(const char *command)
{
    char line[1024];
    char *output = NULL;
    const char *argv[] = {"/bin/sh", "-c", line, NULL};

    (void)snprintf(line, sizeof(line), "cd %s && %s", files, command);
    if (tst_run(&output, argv) != 0) {
        fail_msg("%s: %s", command, output);
    }
    free(output);
}

static int make_files(void **state)
{
    (void)state;
    files = tst_mkdtemp();
    write_in(files, "small", "abc", 3);
    run_openssl("openssl ecparam -name prime256v1 -genkey -noout -out p256.pem "
                "&& openssl ecparam -name secp384r1 -genkey -noout -out id.pem "
                "&& openssl pkcs8 -topk8 -in id.pem -nocrypt -out id8.pem "
                "&& openssl pkcs8 -topk8 -in id.pem -passout pass:x "
                "-out locked.pem "
                "&& openssl pkey -in id.pem -pubout -out pub.pem "
                "&& openssl pkey -in id.pem -text -noout >text");
    return 0;
}

static int drop_files(void **state)
{
    (void)state;
    tst_rmdir(files);
    return 0;
}

static void test_file_error(void **state)
{
    const struct file_case *c = *state;
    char error[SPEC_ERROR_SIZE];
    struct vm_spec spec;

    assert_int_equal(parse_in(c->json, files, &spec, error), -EINVAL);
    if (strncmp(error, c->error, strlen(c->error)) != 0) {
        fail_msg("\"%s\" does not start with \"%s\"", error, c->error);
    }
}

/* Private scalar as the openssl command prints it. */
static void scalar_of_text(uint8_t scalar[48])
{
    char path[512];
    char hex[97] = "";
    size_t size = 0, n = 0;
    uint8_t *text;
    const char *p;

    (void)snprintf(path, sizeof(path), "%s/text", files);
    text = tst_file(path, &size);
    text = realloc(text, size + 1);
    text[size] = '\0';
    p = strstr((const char *)text, "priv:") + 5;
    while (strncmp(p, "pub:", 4) != 0) {
        if (strchr("0123456789abcdef", *p) != NULL && n < 96) {
            hex[n++] = *p;
        }
        p++;
    }
    free(text);
    hex[n] = '\0';
    tst_hex(hex, scalar, 48);
}

static void parse__private_keys__scalar_as_openssl_shows_it(void **state)
{
    char error[SPEC_ERROR_SIZE];
    uint8_t want[48];
    struct vm_spec spec;

    (void)state;
    scalar_of_text(want);
    assert_int_equal(parse_in("{\"id_key\": \"id.pem\", "
                              "\"author_key\": \"id8.pem\"}",
                              files, &spec, error),
                     0);
    assert_true(spec.identity.make && spec.identity.id_key_en &&
                spec.identity.author_key_en);
    assert_memory_equal(spec.identity.id_key, want, 48);
    assert_memory_equal(spec.identity.author_key, want, 48);
    vm_spec_clear(&spec);
    assert_true(psp_all_zero(&spec, sizeof(spec)));
}

static void parse__identity_made_elsewhere__file_hex_and_base64(void **state)
{
    char error[SPEC_ERROR_SIZE];
    uint8_t auth[0x1000], block[0x60];
    struct vm_spec spec;

    (void)state;
    memset(auth, 0x5a, sizeof(auth));
    memset(block, 0x41, sizeof(block));
    write_in(files, "auth", auth, sizeof(auth));
    assert_int_equal(
        parse_in(
            "{\"id_block\": {\"base64\": "
            "\"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"
            "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"
            "\"}, \"id_auth\": \"auth\", \"author_key_enabled\": true}",
            files, &spec, error),
        0);
    assert_true(spec.id_block_en && spec.auth_key_en);
    assert_false(spec.identity.make);
    assert_memory_equal(spec.id_block, block, sizeof(block));
    assert_memory_equal(spec.id_auth, auth, sizeof(auth));
    vm_spec_clear(&spec);
}

static void parse__certs_file__bytes_as_they_are(void **state)
{
    char error[SPEC_ERROR_SIZE];
    struct vm_spec spec;

    (void)state;
    assert_int_equal(parse_in("{\"certs\": \"small\"}", files, &spec, error),
                     0);
    assert_int_equal(spec.certs_size, 3);
    assert_memory_equal(spec.certs, "abc", 3);
    assert_false(spec.no_certs);
    vm_spec_clear(&spec);
}

static const struct CMUnitTest PLAIN[] = {
    cmocka_unit_test(parse__empty_object__same_as_default),
    cmocka_unit_test(parse__every_scalar__in_the_spec),
    cmocka_unit_test(parse__policy_of_64_bits__in_the_spec),
    cmocka_unit_test(parse__pages__in_order_with_content),
    cmocka_unit_test(parse__no_pages_wanted__none),
    cmocka_unit_test(parse__page_files__cut_and_padded),
    cmocka_unit_test(parse__private_keys__scalar_as_openssl_shows_it),
    cmocka_unit_test(parse__identity_made_elsewhere__file_hex_and_base64),
    cmocka_unit_test(parse__certs_file__bytes_as_they_are),
};

#define PLAIN_COUNT (sizeof(PLAIN) / sizeof(PLAIN[0]))

/* Table rows carry their own state, which cmocka hands over as void *. */
static struct CMUnitTest row(const char *name, CMUnitTestFunction test,
                             const void *state)
{
    struct CMUnitTest t = {.name = name, .test_func = test};

    memcpy(&t.initial_state, &state, sizeof(state));
    return t;
}

int main(void)
{
    static struct CMUnitTest
        tests[PLAIN_COUNT + ERROR_COUNT + FILE_ERROR_COUNT];
    size_t n = 0;

    for (size_t i = 0; i < PLAIN_COUNT; i++) {
        tests[n++] = PLAIN[i];
    }
    for (size_t i = 0; i < ERROR_COUNT; i++) {
        tests[n++] = row(ERRORS[i].name, test_error, &ERRORS[i]);
    }
    for (size_t i = 0; i < FILE_ERROR_COUNT; i++) {
        tests[n++] = row(FILE_ERRORS[i].name, test_file_error, &FILE_ERRORS[i]);
    }
    return cmocka_run_group_tests(tests, make_files, drop_files);
}
