/* SPDX-License-Identifier: Apache-2.0 */
/* Description files of legacy guests. */
#include "tst.h"

#include "legacy_vm_spec.h"

#include <errno.h>

/* --- what is refused, and the line that says so --- */

struct bad {
    const char *name;
    const char *json;
    const char *error;
};

static const struct bad BAD[] = {
    {"spec__not_json__line_and_column", "{\"name\": }",
     "line 1, column 10: unexpected token near '}'"},
    {"spec__empty__refused", "",
     "line 1, column 0: '[' or '{' expected near "
     "end of file"},
    {"spec__array__refused", "[]", "must be a JSON object"},
    {"spec__repeated_member__refused", "{\"policy\":1,\"policy\":2}",
     "line 1, column 20: duplicate object key near '\"policy\"'"},
    {"spec__unknown_member__refused", "{\"polic\": 1}",
     "polic: unknown member"},
    {"spec__unknown_member_with_control_byte__printable", "{\"a\\u0007b\": 1}",
     "a?b: unknown member"},
    {"spec__name_is_a_number__refused", "{\"name\": 1}",
     "name: must be a string"},
    {"spec__empty_name__refused", "{\"name\": \"\"}",
     "name: must be 1 to 63 bytes without control characters"},
    {"spec__name_of_64_bytes__refused",
     "{\"name\": \"0123456789abcdef0123456789abcdef0123456789abcdef0123456789a"
     "bcdef\"}",
     "name: must be 1 to 63 bytes without control characters"},
    {"spec__name_with_control_character__refused", "{\"name\": \"a\\u0001\"}",
     "name: must be 1 to 63 bytes without control characters"},
    {"spec__policy_is_text__refused", "{\"policy\": \"1\"}",
     "policy: must be an integer or a string \"0x...\""},
    {"spec__policy_of_33_bits__refused", "{\"policy\": \"0x100000000\"}",
     "policy: must be at most 0xffffffff"},
    {"spec__negative_policy__refused", "{\"policy\": -1}",
     "policy: must not be negative"},
    {"spec__finish_is_a_number__refused", "{\"finish\": 1}",
     "finish: must be true or false"},
    {"spec__session_is_text__refused", "{\"session\": \"x\"}",
     "session: must be an object"},
    {"spec__session_without_godh__refused", "{\"session\": {}}",
     "session.godh: is missing"},
    {"spec__session_with_unknown_member__refused",
     "{\"session\": {\"tek\": 1}}", "session.tek: unknown member"},
    {"spec__short_godh__refused",
     "{\"session\": {\"godh\": {\"hex\": \"00\"}}}",
     "session.godh: must be 2084 bytes, not 1"},
    {"spec__file_without_folder__refused",
     "{\"session\": {\"godh\": \"godh.cert\"}}",
     "session.godh: files are not allowed here"},
    {"spec__memory_is_an_object__refused", "{\"memory\": {}}",
     "memory: must be an array of at most 256"},
    {"spec__region_is_a_number__refused", "{\"memory\": [1]}",
     "memory[0]: must be an object"},
    {"spec__region_without_gpa__refused", "{\"memory\": [{\"size\": 16}]}",
     "memory[0].gpa: is missing"},
    {"spec__region_not_page_aligned__refused",
     "{\"memory\": [{\"gpa\": 16, \"size\": 16}]}",
     "memory[0].gpa: must be a multiple of 0x1000"},
    {"spec__region_above_52_bits__refused",
     "{\"memory\": [{\"gpa\": \"0x10000000000000\", \"size\": 16}]}",
     "memory[0].gpa: must be at most 0xffffffffff000"},
    {"spec__region_without_content_or_size__refused",
     "{\"memory\": [{\"gpa\": 0}]}", "memory[0].size: is missing"},
    {"spec__region_of_size_0__refused",
     "{\"memory\": [{\"gpa\": 0, \"size\": 0}]}",
     "memory[0].size: a region must not be empty"},
    {"spec__region_larger_than_64_mib__refused",
     "{\"memory\": [{\"gpa\": 0, \"size\": \"0x4000001\"}]}",
     "memory[0].size: must be at most 0x4000000"},
    {"spec__fill_without_size__refused",
     "{\"memory\": [{\"gpa\": 0, \"fill\": 1}]}", "memory[0].size: is missing"},
    {"spec__fill_above_255__refused",
     "{\"memory\": [{\"gpa\": 0, \"fill\": 256, \"size\": 16}]}",
     "memory[0].fill: must be at most 0xff"},
    {"spec__fill_of_17_bytes__refused",
     "{\"memory\": [{\"gpa\": 0, \"fill\": 1, \"size\": 17}]}",
     "memory[0].size: 17 bytes are no multiple of 16"},
    {"spec__hex_with_size__refused",
     "{\"memory\": [{\"gpa\": 0, \"hex\": \"00\", \"size\": 1}]}",
     "memory[0].size: goes with \"fill\" or alone"},
    {"spec__hex_and_fill__refused",
     "{\"memory\": [{\"gpa\": 0, \"hex\": \"00\", \"fill\": 1}]}",
     "memory[0].hex: only one of \"file\", \"hex\", \"fill\" is allowed"},
    {"spec__odd_hex__refused", "{\"memory\": [{\"gpa\": 0, \"hex\": \"000\"}]}",
     "memory[0].hex: must be an even number of hex digits"},
    {"spec__second_region_in_the_same_page__refused",
     "{\"memory\": [{\"gpa\": 4096, \"size\": 4097},"
     "{\"gpa\": 8192, \"size\": 16}]}",
     "memory[1].gpa: shares a page with memory[0]"},
    {"spec__vcpus_without_es__refused", "{\"vcpus\": 1}",
     "vcpus: only with SEV-ES (policy bit 2)"},
    {"spec__vmsas_without_es__refused", "{\"vmsas\": []}",
     "vmsas: only with SEV-ES (policy bit 2)"},
    {"spec__vcpus_0__refused", "{\"policy\": 4, \"vcpus\": 0}",
     "vcpus: must not be 0"},
    {"spec__vcpus_513__refused", "{\"policy\": 4, \"vcpus\": 513}",
     "vcpus: must be at most 0x200"},
    {"spec__vcpus_and_vmsas__refused",
     "{\"policy\": 4, \"vcpus\": 1, \"vmsas\": []}",
     "vmsas: does not go with \"vcpus\""},
    {"spec__short_vmsa__refused",
     "{\"policy\": 4, \"vmsas\": [{\"hex\": \"00\"}]}",
     "vmsas[0]: must be 4096 bytes, not 1"},
    {"spec__vmsas_is_a_number__refused", "{\"policy\": 4, \"vmsas\": 1}",
     "vmsas: must be an array of at most 512"},
    {"spec__secret_without_gpa__refused", "{\"secrets\": [{}]}",
     "secrets[0].gpa: is missing"},
    {"spec__secret_not_aligned__refused", "{\"secrets\": [{\"gpa\": 8}]}",
     "secrets[0].gpa: must be a multiple of 0x10"},
    {"spec__secret_without_header__refused", "{\"secrets\": [{\"gpa\": 16}]}",
     "secrets[0].header: is missing"},
    {"spec__secret_with_short_header__refused",
     "{\"secrets\": [{\"gpa\": 16, \"header\": {\"hex\": \"00\"}}]}",
     "secrets[0].header: must be 52 bytes, not 1"},
    {"spec__secret_without_payload__refused",
     "{\"secrets\": [{\"gpa\": 16, \"header\": {\"base64\": "
     "\"AAAAAAAAAAAAAAAAAA"
     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\"}}]}",
     "secrets[0].payload: is missing"},
    {"spec__secret_with_short_payload__refused",
     "{\"secrets\": [{\"gpa\": 16, \"header\": {\"base64\": "
     "\"AAAAAAAAAAAAAAAAAA"
     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\"},"
     "\"payload\": {\"hex\": \"00\"}}]}",
     "secrets[0].payload: must be 16 to 16384 bytes"},
    {"spec__secret_with_number_as_payload__refused",
     "{\"secrets\": [{\"gpa\": 16, \"header\": {\"base64\": "
     "\"AAAAAAAAAAAAAAAAAA"
     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\"},"
     "\"payload\": 1}]}",
     "secrets[0].payload: must be a file name or {\"hex\": \"...\"}"},
};

#define BAD_COUNT (sizeof(BAD) / sizeof(BAD[0]))

static int parse(const char *json, const char *dir, struct legacy_vm_spec *spec,
                 char *error)
{
    const size_t size = strlen(json);
    char *exact = tst_dup(json, size); /* no NUL at the end */
    int r = legacy_vm_spec_parse(exact, size, dir, psp_profile_by_name("milan"),
                                 spec, error);

    free(exact);
    return r;
}

static void test_bad(void **state)
{
    const struct bad *b = *state;
    struct legacy_vm_spec spec;
    char error[SPEC_ERROR_SIZE];

    assert_int_equal(parse(b->json, NULL, &spec, error), -EINVAL);
    assert_string_equal(error, b->error);
    assert_int_equal(spec.region_count, 0);
    assert_null(spec.regions);
}

static struct legacy_vm_spec good(const char *json, const char *dir)
{
    struct legacy_vm_spec spec;
    char error[SPEC_ERROR_SIZE];

    if (parse(json, dir, &spec, error) != 0) {
        fail_msg("%s", error);
    }
    assert_string_equal(error, "");
    return spec;
}

static void spec__empty_object__defaults(void **state)
{
    struct legacy_vm_spec spec = good("{}", NULL);
    struct legacy_vm_spec expected;

    (void)state;
    assert_int_equal(legacy_vm_spec_default(&expected), 0);
    assert_string_equal(spec.name, "guest");
    assert_int_equal(spec.policy, 1);
    assert_false(spec.session);
    assert_false(spec.unfinished);
    assert_int_equal(spec.vmsa_count, 0);
    assert_int_equal(spec.region_count, 1);
    assert_int_equal(spec.regions[0].gpa + spec.regions[0].size, 1ull << 32);
    assert_memory_equal(spec.regions[0].data, expected.regions[0].data,
                        expected.regions[0].size);
    legacy_vm_spec_clear(&spec);
    legacy_vm_spec_clear(&expected);
}

static void spec__everything__read(void **state)
{
    char *dir = tst_mkdtemp();
    char name[512];
    uint8_t godh[LEGACY_VM_CERT_SIZE];
    uint8_t blob[LEGACY_VM_SESSION_SIZE];
    uint8_t header[LEGACY_VM_HEADER_SIZE];
    struct legacy_vm_spec spec;

    (void)state;
    memset(godh, 1, sizeof(godh));
    memset(blob, 2, sizeof(blob));
    memset(header, 3, sizeof(header));
    (void)snprintf(name, sizeof(name), "%s/godh", dir);
    tst_write_file(name, godh, sizeof(godh));
    (void)snprintf(name, sizeof(name), "%s/blob", dir);
    tst_write_file(name, blob, sizeof(blob));
    (void)snprintf(name, sizeof(name), "%s/header", dir);
    tst_write_file(name, header, sizeof(header));
    (void)snprintf(name, sizeof(name), "%s/firmware", dir);
    tst_write_file(name, "0123456789abcdef", 16);
    spec = good("{\"name\": \"web\", \"policy\": \"0x5\", \"finish\": false,"
                "\"session\": {\"godh\": \"godh\", \"blob\": \"blob\"},"
                "\"memory\": [{\"gpa\": \"0x1000\", \"file\": \"firmware\"},"
                "{\"gpa\": 0, \"fill\": 9, \"size\": 32},"
                "{\"gpa\": \"0x2000\", \"size\": 5}],"
                "\"vcpus\": 2,"
                "\"secrets\": [{\"gpa\": 16, \"header\": \"header\","
                "\"payload\": {\"hex\":"
                "\"000102030405060708090a0b0c0d0e0f\"}}]}",
                dir);
    assert_string_equal(spec.name, "web");
    assert_int_equal(spec.policy, 5);
    assert_true(spec.unfinished);
    assert_true(spec.session);
    assert_memory_equal(spec.dh_cert, godh, sizeof(godh));
    assert_memory_equal(spec.session_blob, blob, sizeof(blob));
    assert_int_equal(spec.region_count, 3);
    assert_int_equal(spec.regions[0].gpa, 0x1000);
    assert_int_equal(spec.regions[0].size, 16);
    assert_memory_equal(spec.regions[0].data, "0123456789abcdef", 16);
    assert_int_equal(spec.regions[1].size, 32);
    assert_int_equal(spec.regions[1].data[31], 9);
    assert_null(spec.regions[2].data);
    assert_int_equal(spec.regions[2].size, 5);
    assert_int_equal(spec.vmsa_count, 2);
    assert_memory_equal(spec.vmsas, spec.vmsas + LEGACY_VM_VMSA_SIZE,
                        LEGACY_VM_VMSA_SIZE);
    assert_int_equal(spec.secret_count, 1);
    assert_int_equal(spec.secrets[0].gpa, 16);
    assert_memory_equal(spec.secrets[0].header, header, sizeof(header));
    assert_int_equal(spec.secrets[0].size, 16);
    assert_int_equal(spec.secrets[0].payload[15], 15);
    legacy_vm_spec_clear(&spec);
    tst_rmdir(dir);
}

static void spec__es_without_vcpus__one_in_reset_state(void **state)
{
    struct legacy_vm_spec spec = good("{\"policy\": 4}", NULL);

    (void)state;
    assert_int_equal(spec.vmsa_count, 1);
    legacy_vm_spec_clear(&spec);
}

static void spec__given_save_areas__read(void **state)
{
    static char json[2 * LEGACY_VM_VMSA_SIZE + 64];
    struct legacy_vm_spec spec;
    size_t n;

    (void)state;
    (void)strcpy(json, "{\"policy\": 4, \"vmsas\": [{\"hex\": \"");
    n = strlen(json);
    memset(json + n, 'a', 2 * LEGACY_VM_VMSA_SIZE);
    (void)strcpy(json + n + 2 * LEGACY_VM_VMSA_SIZE, "\"}]}");
    spec = good(json, NULL);
    assert_int_equal(spec.vmsa_count, 1);
    assert_int_equal(spec.vmsas[LEGACY_VM_VMSA_SIZE - 1], 0xaa);
    legacy_vm_spec_clear(&spec);
}

static void spec__no_memory__no_region(void **state)
{
    struct legacy_vm_spec spec = good("{\"memory\": []}", NULL);

    (void)state;
    assert_int_equal(spec.region_count, 0);
    legacy_vm_spec_clear(&spec);
}

/* Any cut of a good description ends in an error, and leaks nothing. */
static void spec__cut_short__refused(void **state)
{
    static const char json[] =
        "{\"memory\": [{\"gpa\": 0, \"fill\": 1, \"size\": 16}],"
        "\"policy\": 4, \"vcpus\": 1, \"secrets\": []}";
    struct legacy_vm_spec spec;
    char error[SPEC_ERROR_SIZE];

    (void)state;
    for (size_t size = 0; size < sizeof(json) - 1; size++) {
        assert_int_equal(legacy_vm_spec_parse(json, size, NULL,
                                              psp_profile_by_name("milan"),
                                              &spec, error),
                         -EINVAL);
        assert_null(strchr(error, '\n'));
    }
}

/* The examples that people read are examples that parse. */
static void spec__examples_of_the_document__parse(void **state)
{
    char *dir = tst_mkdtemp();
    char name[512];
    size_t size;
    uint8_t *document = tst_file("sim/host/LEGACY_GUEST.md", &size);
    uint8_t zeros[LEGACY_VM_CERT_SIZE] = {0};
    char *text = malloc(size + 1);
    char *at = text;
    unsigned int count = 0;

    (void)state;
    assert_non_null(text);
    memcpy(text, document, size);
    text[size] = '\0';
    (void)snprintf(name, sizeof(name), "%s/godh.cert", dir);
    tst_write_file(name, zeros, LEGACY_VM_CERT_SIZE);
    (void)snprintf(name, sizeof(name), "%s/launch_blob.bin", dir);
    tst_write_file(name, zeros, LEGACY_VM_SESSION_SIZE);
    (void)snprintf(name, sizeof(name), "%s/OVMF.fd", dir);
    tst_write_file(name, zeros, 16);
    while ((at = strstr(at, "```json\n")) != NULL) {
        char *end;
        struct legacy_vm_spec spec;

        at += 8;
        end = strstr(at, "```");
        assert_non_null(end);
        *end = '\0';
        spec = good(at, dir);
        legacy_vm_spec_clear(&spec);
        at = end + 1;
        count++;
    }
    assert_int_equal(count, 2);
    free(text);
    free(document);
    tst_rmdir(dir);
}

int main(void)
{
    static const struct CMUnitTest plain[] = {
        cmocka_unit_test(spec__empty_object__defaults),
        cmocka_unit_test(spec__everything__read),
        cmocka_unit_test(spec__es_without_vcpus__one_in_reset_state),
        cmocka_unit_test(spec__given_save_areas__read),
        cmocka_unit_test(spec__no_memory__no_region),
        cmocka_unit_test(spec__cut_short__refused),
        cmocka_unit_test(spec__examples_of_the_document__parse),
    };
    struct CMUnitTest tests[sizeof(plain) / sizeof(plain[0]) + BAD_COUNT];

    for (size_t i = 0; i < BAD_COUNT; i++) {
        tests[i] =
            (struct CMUnitTest){.name = BAD[i].name,
                                .test_func = test_bad,
                                .initial_state = (void *)(uintptr_t)&BAD[i]};
    }
    memcpy(tests + BAD_COUNT, plain, sizeof(plain));
    return _cmocka_run_group_tests(
        "legacy_vm_spec", tests, sizeof(tests) / sizeof(tests[0]), NULL, NULL);
}
