/* SPDX-License-Identifier: Apache-2.0 */
/* Fault plans: what is accepted, and the one line for what is not. */
#include "tst.h"

#include "fault_plan.h"

#include <errno.h>

struct parse_case {
    const char *name;
    const char *json;
    const char *error; /* NULL: accepted */
};

#define NOW    "\"when\": {\"request\": 1}"
#define ONE(x) "{\"faults\": [" x "]}"
/* A fault with conditions, and one with members beside them. */
#define WHEN(x) ONE("{\"when\": {" x "}, \"do\": \"drop\"}")
#define DO(x)   ONE("{" NOW ", \"do\": " x "}")
/* The same at another place. */
#define AT(at, x) ONE("{\"at\": \"" at "\", " NOW ", \"do\": " x "}")
#define AT_WHEN(at, x)                                                         \
    ONE("{\"at\": \"" at "\", \"when\": {\"every\": 1, " x                     \
        "}, \"do\": \"replay\"}")

static const struct parse_case CASES[] = {
    {"flip__all_members__accepted",
     DO("\"flip\", \"part\": \"request\", \"offset\": 4095, \"bits\": 255"),
     NULL},
    {"flip__certs_last_byte__accepted",
     DO("\"flip\", \"part\": \"certs\", \"offset\": \"0x3fff\""), NULL},
    {"truncate__size__accepted", DO("\"truncate\", \"size\": 0"), NULL},
    {"replay__eight_back__accepted", DO("\"replay\", \"back\": 8"), NULL},
    {"substitute__from__accepted", DO("\"substitute\", \"from\": \"b\""), NULL},
    {"swap_seqno__number__accepted", DO("\"swap-seqno\", \"seqno\": 0"), NULL},
    {"zero_response__alone__accepted", DO("\"zero-response\""), NULL},
    {"drop__alone__accepted", DO("\"drop\""), NULL},
    {"reorder__alone__accepted", DO("\"reorder\""), NULL},
    {"delay__ten_seconds__accepted", DO("\"delay\", \"ms\": 10000"), NULL},
    {"busy__thousand__accepted", DO("\"busy\", \"times\": 1000"), NULL},
    {"vmm_error__name__accepted", DO("\"vmm-error\", \"error\": \"GENERIC\""),
     NULL},
    {"vmm_error__64_bits__accepted",
     DO("\"vmm-error\", \"error\": \"0xffffffffffffffff\""), NULL},
    {"firmware_error__name__accepted",
     DO("\"firmware-error\", \"status\": \"AEAD_OFLOW\""), NULL},
    {"firmware_error__number__accepted",
     DO("\"firmware-error\", \"status\": 65535"), NULL},
    {"certs_too_small__pages__accepted",
     DO("\"certs-too-small\", \"pages\": 65535"), NULL},
    {"when__every_exit_guest__accepted",
     WHEN("\"every\": 4294967295, \"exit\": \"any\", \"guest\": \"a\""), NULL},
    {"when__probability_nine_decimals__accepted",
     WHEN("\"probability\": \"0.000000001\""), NULL},
    {"when__probability_one__accepted", WHEN("\"probability\": \"1\""), NULL},
    {"when__probability_one_point_zero__accepted",
     WHEN("\"probability\": \"1.0\""), NULL},
    {"ghcb_error__code__accepted", DO("\"ghcb-error\", \"code\": 5"), NULL},
    {"ghcb_error__no_code__refused", DO("\"ghcb-error\""),
     "faults[0].code: is missing"},
    {"ghcb_error__zero__refused", DO("\"ghcb-error\", \"code\": 0"),
     "faults[0].code: must be at least 1"},
    {"ghcb_error__six__refused", DO("\"ghcb-error\", \"code\": 6"),
     "faults[0].code: must be at most 0x5"},
    {"seed__string__accepted",
     "{\"seed\": \"s\", \"faults\": [{" NOW ", \"do\": \"drop\"}]}", NULL},

    {"text__empty__line_and_column", "", "line 1, column 0: "},
    {"text__twice_the_same_member__refused",
     "{\"seed\": \"a\", \"seed\": \"b\"}", "line 1, column"},
    {"text__array__refused", "[]", "must be a JSON object"},
    {"plan__unknown_member__named", "{\"fault\": []}", "fault: unknown member"},
    {"plan__newline_in_a_name__one_line", "{\"a\\nb\": []}",
     "a?b: unknown member"},
    {"plan__no_faults__refused", "{}",
     "faults: must be an array of 1 to 256 faults"},
    {"plan__empty_faults__refused", ONE(""),
     "faults: must be an array of 1 to 256 faults"},
    {"plan__seed_number__refused", "{\"seed\": 1, \"faults\": [1]}",
     "seed: must be a string"},
    {"fault__no_object__refused", ONE("1"), "faults[0]: must be an object"},
    {"fault__no_do__refused", ONE("{" NOW "}"), "faults[0].do: is missing"},
    {"fault__unknown_do__named", DO("\"explode\""),
     "faults[0].do: explode is none of its values"},
    {"fault__do_number__refused", DO("1"), "faults[0].do: must be a string"},
    {"fault__no_when__refused", ONE("{\"do\": \"drop\"}"),
     "faults[0].when: must be an object"},
    {"fault__second_is_wrong__counted",
     ONE("{" NOW ", \"do\": \"drop\"}, {" NOW ", \"do\": \"delay\"}"),
     "faults[1].ms: is missing"},
    {"fault__member_of_another_kind__refused", DO("\"drop\", \"ms\": 1"),
     "faults[0].ms: unknown member"},
    {"when__nothing__refused", WHEN(""), "faults[0].when: needs one of "},
    {"when__two__refused", WHEN("\"request\": 1, \"every\": 1"),
     "faults[0].when: needs one of "},
    {"when__unknown_member__named", WHEN("\"request\": 1, \"vm\": 1"),
     "faults[0].when.vm: unknown member"},
    {"when__request_zero__refused", WHEN("\"request\": 0"),
     "faults[0].when.request: must be at least 1"},
    {"when__request_33_bits__refused", WHEN("\"request\": \"0x100000000\""),
     "faults[0].when.request: must be at most 0xffffffff"},
    {"when__every_zero__refused", WHEN("\"every\": 0"),
     "faults[0].when.every: must be at least 1"},
    {"when__every_negative__refused", WHEN("\"every\": -1"),
     "faults[0].when.every: must not be negative"},
    {"when__exit_unknown__refused", WHEN("\"every\": 1, \"exit\": \"x\""),
     "faults[0].when.exit: x is none of its values"},
    {"when__guest_empty__refused", WHEN("\"every\": 1, \"guest\": \"\""),
     "faults[0].when.guest: must be a guest's name, 1 to 63 bytes"},
    {"when__probability_number__refused", WHEN("\"probability\": 0.25"),
     "faults[0].when.probability: must be a string"},
    {"when__probability_zero__refused", WHEN("\"probability\": \"0.0\""),
     "faults[0].when.probability: must be a string like "},
    {"when__probability_above_one__refused",
     WHEN("\"probability\": \"1.000000001\""),
     "faults[0].when.probability: must be a string like "},
    {"when__probability_ten_decimals__refused",
     WHEN("\"probability\": \"0.0000000001\""),
     "faults[0].when.probability: must be a string like "},
    {"when__probability_point_alone__refused", WHEN("\"probability\": \"0.\""),
     "faults[0].when.probability: must be a string like "},
    {"when__probability_exponent__refused", WHEN("\"probability\": \"0.1e1\""),
     "faults[0].when.probability: must be a string like "},
    {"flip__offset_past_the_page__refused", DO("\"flip\", \"offset\": 4096"),
     "faults[0].offset: must be at most 0xfff"},
    {"flip__certs_offset_past_the_buffer__refused",
     DO("\"flip\", \"part\": \"certs\", \"offset\": 16384"),
     "faults[0].offset: must be at most 0x3fff"},
    {"flip__no_bits__refused", DO("\"flip\", \"bits\": 0"),
     "faults[0].bits: must be at least 1"},
    {"flip__nine_bits__refused", DO("\"flip\", \"bits\": 256"),
     "faults[0].bits: must be at most 0xff"},
    {"flip__unknown_part__refused", DO("\"flip\", \"part\": \"page\""),
     "faults[0].part: page is none of its values"},
    {"replay__certs__refused", DO("\"replay\", \"part\": \"certs\""),
     "faults[0].part: certs is none of its values"},
    {"truncate__no_size__refused", DO("\"truncate\""),
     "faults[0].size: is missing"},
    {"truncate__whole_page__refused", DO("\"truncate\", \"size\": 4096"),
     "faults[0].size: must be at most 0xfff"},
    {"replay__nine_back__refused", DO("\"replay\", \"back\": 9"),
     "faults[0].back: must be at most 0x8"},
    {"replay__this_very_one__refused", DO("\"replay\", \"back\": 0"),
     "faults[0].back: must be at least 1"},
    {"delay__no_ms__refused", DO("\"delay\""), "faults[0].ms: is missing"},
    {"delay__too_long__refused", DO("\"delay\", \"ms\": 10001"),
     "faults[0].ms: must be at most 0x2710"},
    {"busy__never__refused", DO("\"busy\", \"times\": 0"),
     "faults[0].times: must be at least 1"},
    {"busy__too_often__refused", DO("\"busy\", \"times\": 1001"),
     "faults[0].times: must be at most 0x3e8"},
    {"vmm_error__no_error__refused", DO("\"vmm-error\""),
     "faults[0].error: is missing"},
    {"vmm_error__zero__refused", DO("\"vmm-error\", \"error\": 0"),
     "faults[0].error: must be at least 1"},
    {"vmm_error__unknown__refused", DO("\"vmm-error\", \"error\": \"OOPS\""),
     "faults[0].error: must be INVALID_LEN, BUSY, GENERIC or a number"},
    {"vmm_error__array__refused", DO("\"vmm-error\", \"error\": []"),
     "faults[0].error: must be an integer or a string"},
    {"firmware_error__success__refused",
     DO("\"firmware-error\", \"status\": \"SUCCESS\""),
     "faults[0].status: SUCCESS is no status of the firmware"},
    {"firmware_error__the_word_for_none__refused",
     DO("\"firmware-error\", \"status\": \"UNKNOWN\""),
     "faults[0].status: UNKNOWN is no status of the firmware"},
    {"firmware_error__17_bits__refused",
     DO("\"firmware-error\", \"status\": 65536"),
     "faults[0].status: must be at most 0xffff"},
    {"certs_too_small__no_pages__refused",
     DO("\"certs-too-small\", \"pages\": 0"),
     "faults[0].pages: must be at least 1"},
    {"certs_too_small__plain_requests__refused",
     ONE("{\"when\": {\"every\": 1, \"exit\": \"guest-request\"}, \"do\": "
         "\"certs-too-small\"}"),
     "faults[0].when.exit: must be \"ext-guest-request\""},
    {"certs__any_exit__refused",
     ONE("{\"when\": {\"every\": 1, \"exit\": \"any\"}, \"do\": \"flip\", "
         "\"part\": \"certs\"}"),
     "faults[0].when.exit: must be \"ext-guest-request\""},

    /* Places. */
    {"at__guest_request__the_default", AT("guest-request", "\"drop\""), NULL},
    {"at__unknown__refused", AT("moon", "\"drop\""),
     "faults[0].at: moon is none of its values"},
    {"at__number__refused", ONE("{\"at\": 1, " NOW ", \"do\": \"drop\"}"),
     "faults[0].at: must be a string"},
    {"at__kind_of_another_place__said_so", AT("broker", "\"busy\""),
     "faults[0].do: \"broker\" has no fault busy"},
    {"at__kind_of_another_place__default_place_too", DO("\"crash\""),
     "faults[0].do: \"guest-request\" has no fault crash"},
    {"at__filter_of_another_place__said_so",
     AT_WHEN("broker", "\"exit\": \"any\""),
     "faults[0].when.exit: \"broker\" has no such filter"},
    {"at__handle_of_another_place__said_so",
     AT_WHEN("key-server", "\"handle\": 1"),
     "faults[0].when.handle: \"key-server\" has no such filter"},
    {"at__part_of_another_place__refused",
     AT("sev-command", "\"flip\", \"part\": \"certs\""),
     "faults[0].part: certs is none of its values"},

    {"sev_command__filters__accepted",
     AT_WHEN("sev-command", "\"command\": \"PDH_CERT_EXPORT\", \"guest\": "
                            "\"a\", \"handle\": 7"),
     NULL},
    {"sev_command__unknown_command__named",
     AT_WHEN("sev-command", "\"command\": \"MAKE_TEA\""),
     "faults[0].when.command: MAKE_TEA is no command of the firmware"},
    {"sev_command__flip_request__accepted",
     AT("sev-command",
        "\"flip\", \"part\": \"request\", \"offset\": 4095, \"bits\": 1"),
     NULL},
    {"sev_command__flip_request_past_the_page__refused",
     AT("sev-command", "\"flip\", \"part\": \"request\", \"offset\": 4096"),
     "faults[0].offset: must be at most 0xfff"},
    {"sev_command__truncate__accepted",
     AT("sev-command", "\"truncate\", \"size\": 16383"), NULL},
    {"sev_command__replay__accepted",
     AT("sev-command", "\"replay\", \"part\": \"response\", \"back\": 2"),
     NULL},
    {"sev_command__replay_request__refused",
     AT("sev-command", "\"replay\", \"part\": \"request\""),
     "faults[0].part: request is none of its values"},
    {"sev_command__substitute_name__accepted",
     AT("sev-command",
        "\"substitute\", \"part\": \"request\", \"from\": \"b\""),
     NULL},
    {"sev_command__substitute_handle__accepted",
     AT("sev-command", "\"substitute\", \"from\": 4294967295"), NULL},
    {"sev_command__substitute_by_nothing__refused",
     AT("sev-command", "\"substitute\""), "faults[0].from: is missing"},
    {"sev_command__substitute_33_bits__refused",
     AT("sev-command", "\"substitute\", \"from\": \"0x100000000\""),
     "faults[0].from: must be at most 0xffffffff"},
    {"sev_command__drop_request__accepted",
     AT("sev-command", "\"drop\", \"part\": \"request\""), NULL},
    {"sev_command__crash__accepted", AT("sev-command", "\"crash\""), NULL},
    {"sev_command__zero_response__accepted",
     AT("sev-command", "\"zero-response\""), NULL},
    {"sev_command__delay_a_minute__accepted",
     AT("sev-command", "\"delay\", \"ms\": 60000"), NULL},
    {"sev_command__delay_longer__refused",
     AT("sev-command", "\"delay\", \"ms\": 60001"),
     "faults[0].ms: must be at most 0xea60"},
    {"sev_command__firmware_error__accepted",
     AT("sev-command", "\"firmware-error\", \"status\": \"HWERROR_UNSAFE\""),
     NULL},

    {"hypercall__guest__accepted", AT_WHEN("hypercall", "\"guest\": \"a\""),
     NULL},
    {"hypercall__substitute__accepted",
     AT("hypercall", "\"substitute\", \"from\": \"b\""), NULL},
    {"hypercall__replay__accepted", AT("hypercall", "\"replay\", \"back\": 8"),
     NULL},
    {"hypercall__error_name__accepted",
     AT("hypercall", "\"error\", \"error\": \"ENOTTY\""), NULL},
    {"hypercall__error_number__accepted",
     AT("hypercall", "\"error\", \"error\": \"0x7fffffff\""), NULL},
    {"hypercall__error_too_large__refused",
     AT("hypercall", "\"error\", \"error\": \"0x80000000\""),
     "faults[0].error: must be at most 0x7fffffff"},
    {"hypercall__error_unknown__refused",
     AT("hypercall", "\"error\", \"error\": \"BUSY\""),
     "faults[0].error: must be EPERM, ENOTTY, ENOSYS or a number"},
    {"hypercall__drop__refused", AT("hypercall", "\"drop\""),
     "faults[0].do: \"hypercall\" has no fault drop"},

    {"broker__filters__accepted",
     AT_WHEN("broker", "\"method\": \"size\", \"handle\": \"0xffffffff\""),
     NULL},
    {"broker__any_method__accepted", AT_WHEN("broker", "\"method\": \"any\""),
     NULL},
    {"broker__unknown_method__refused",
     AT_WHEN("broker", "\"method\": \"Size\""),
     "faults[0].when.method: Size is none of its values"},
    {"broker__flip_report_last_byte__accepted",
     AT("broker", "\"flip\", \"part\": \"report\", \"offset\": 207"), NULL},
    {"broker__flip_past_the_report__refused",
     AT("broker", "\"flip\", \"part\": \"report\", \"offset\": 208"),
     "faults[0].offset: must be at most 0xcf"},
    {"broker__flip_past_the_certificate__refused",
     AT("broker", "\"flip\", \"part\": \"cek\", \"offset\": 2084"),
     "faults[0].offset: must be at most 0x823"},
    {"broker__flip_response__accepted",
     AT("broker", "\"flip\", \"offset\": 4194303"), NULL},
    {"broker__truncate_report__refused",
     AT("broker", "\"truncate\", \"part\": \"report\", \"size\": 1"),
     "faults[0].part: report is none of its values"},
    {"broker__truncate__accepted",
     AT("broker", "\"truncate\", \"part\": \"response\", \"size\": 0"), NULL},
    {"broker__substitute__accepted",
     AT("broker", "\"substitute\", \"from\": 2"), NULL},
    {"broker__substitute_name__refused",
     AT("broker", "\"substitute\", \"from\": \"b\""),
     "faults[0].from: must be an integer or a string \"0x...\""},
    {"broker__strip__accepted", AT("broker", "\"strip\""), NULL},
    {"broker__zero_report__accepted", AT("broker", "\"zero-report\""), NULL},
    {"broker__drop__accepted", AT("broker", "\"drop\""), NULL},
    {"broker__reorder__accepted", AT("broker", "\"reorder\""), NULL},
    {"broker__replay__accepted", AT("broker", "\"replay\", \"back\": 1"), NULL},
    {"broker__delay__accepted", AT("broker", "\"delay\", \"ms\": 1"), NULL},
    {"broker__error__accepted",
     AT("broker", "\"error\", \"code\": \"0x30008\""), NULL},
    {"broker__error_zero__refused", AT("broker", "\"error\", \"code\": 0"),
     "faults[0].code: must be at least 1"},
    {"broker__status__accepted", AT("broker", "\"status\", \"code\": 16"),
     NULL},
    {"broker__status_17__refused", AT("broker", "\"status\", \"code\": 17"),
     "faults[0].code: must be at most 0x10"},

    {"key_server__filters__accepted",
     AT_WHEN("key-server",
             "\"path\": \"/vcek/v1/Milan\", \"kind\": \"ask-ark\""),
     NULL},
    {"key_server__path_without_slash__refused",
     AT_WHEN("key-server", "\"path\": \"vcek\""),
     "faults[0].when.path: must be the beginning of a path"},
    {"key_server__unknown_kind__refused",
     AT_WHEN("key-server", "\"kind\": \"ark\""),
     "faults[0].when.kind: ark is none of its values"},
    {"key_server__status__accepted",
     AT("key-server", "\"status\", \"code\": 429, \"retry-after\": 0"), NULL},
    {"key_server__status_200__refused",
     AT("key-server", "\"status\", \"code\": 200"),
     "faults[0].code: must be at least 400"},
    {"key_server__status_600__refused",
     AT("key-server", "\"status\", \"code\": 600"),
     "faults[0].code: must be at most 0x257"},
    {"key_server__retry_too_late__refused",
     AT("key-server", "\"status\", \"code\": 503, \"retry-after\": 3601"),
     "faults[0].retry-after: must be at most 0xe10"},
    {"key_server__flip__accepted",
     AT("key-server", "\"flip\", \"offset\": 0, \"bits\": 1"), NULL},
    {"key_server__flip_part__refused",
     AT("key-server", "\"flip\", \"part\": \"response\""),
     "faults[0].part: unknown member"},
    {"key_server__truncate__accepted",
     AT("key-server", "\"truncate\", \"size\": 1048575"), NULL},
    {"key_server__substitute_path__accepted",
     AT("key-server",
        "\"substitute\", \"from\": \"/vcek/v1/Milan/cert_chain\""),
     NULL},
    {"key_server__substitute_other_chip__accepted",
     AT("key-server", "\"substitute\", \"from\": \"other-chip\""), NULL},
    {"key_server__substitute_else__refused",
     AT("key-server", "\"substitute\", \"from\": \"another-chip\""),
     "faults[0].from: must be a path"},
    {"key_server__from_other_tcb__accepted",
     AT("key-server", "\"substitute\", \"from\": \"other-tcb\""), NULL},
    {"key_server__from_reversed__accepted",
     AT("key-server", "\"substitute\", \"from\": \"reversed\""), NULL},
    {"key_server__truncate_in_the_middle__accepted",
     AT("key-server", "\"truncate\""), NULL},
    {"key_server__replay__accepted", AT("key-server", "\"replay\""), NULL},
    {"key_server__drop__accepted", AT("key-server", "\"drop\""), NULL},
    {"key_server__delay__accepted", AT("key-server", "\"delay\", \"ms\": 1"),
     NULL},
    {"key_server__reorder__accepted", AT("key-server", "\"reorder\""), NULL},
    {"key_server__html__accepted", AT("key-server", "\"html\""), NULL},
    {"key_server__huge__accepted", AT("key-server", "\"huge\""), NULL},
    {"key_server__trickle__accepted", AT("key-server", "\"trickle\""), NULL},
};
#define CASE_COUNT (sizeof(CASES) / sizeof(CASES[0]))

static void parse_row(void **state)
{
    const struct parse_case *c = *state;
    size_t size = strlen(c->json);
    char *text = tst_dup(c->json, size);
    char error[FAULT_ERROR_SIZE];
    struct fault_plan *plan = NULL;
    int err = fault_plan_parse(text, size, &plan, error);

    free(text);
    if (c->error == NULL) {
        assert_string_equal(error, "");
        assert_int_equal(err, 0);
        assert_non_null(plan);
    } else {
        assert_int_equal(err, -EINVAL);
        assert_null(plan);
        error[strnlen(c->error, sizeof(error) - 1)] = '\0';
        assert_string_equal(error, c->error);
    }
    fault_plan_free(plan);
}

static void faults__257__refused(void **state)
{
    char *text = malloc(64 * 257 + 64);
    char error[FAULT_ERROR_SIZE];
    struct fault_plan *plan = NULL;
    size_t n = (size_t)sprintf(text, "{\"faults\": [");

    (void)state;
    for (int i = 0; i < 257; i++) {
        n += (size_t)sprintf(text + n, "%s{" NOW ", \"do\": \"drop\"}",
                             i == 0 ? "" : ",");
        if (i == 255) {
            size_t end = n + (size_t)sprintf(text + n, "]}");

            assert_int_equal(fault_plan_parse(text, end, &plan, error), 0);
            fault_plan_free(plan);
        }
    }
    n += (size_t)sprintf(text + n, "]}");
    assert_int_equal(fault_plan_parse(text, n, &plan, error), -EINVAL);
    assert_string_equal(error, "faults: must be an array of 1 to 256 faults");
    free(text);
}

static void seed__129_bytes__refused(void **state)
{
    char text[256], error[FAULT_ERROR_SIZE];
    struct fault_plan *plan = NULL;

    (void)state;
    for (int size = 128; size <= 129; size++) {
        int n = sprintf(text,
                        "{\"seed\": \"%0*d\", \"faults\": [{" NOW
                        ", \"do\": \"drop\"}]}",
                        size, 0);
        int err = fault_plan_parse(text, (size_t)n, &plan, error);

        assert_int_equal(err, size == 128 ? 0 : -EINVAL);
        fault_plan_free(plan);
    }
    assert_string_equal(error, "seed: must be at most 128 bytes");
}

int main(void)
{
    struct CMUnitTest tests[CASE_COUNT + 2];

    for (size_t i = 0; i < CASE_COUNT; i++) {
        union {
            const struct parse_case *in;
            void *out;
        } row = {.in = &CASES[i]};

        tests[i] =
            (struct CMUnitTest){CASES[i].name, parse_row, NULL, NULL, row.out};
    }
    tests[CASE_COUNT] =
        (struct CMUnitTest)cmocka_unit_test(faults__257__refused);
    tests[CASE_COUNT + 1] =
        (struct CMUnitTest)cmocka_unit_test(seed__129_bytes__refused);
    return cmocka_run_group_tests_name("fault_plan", tests, NULL, NULL);
}
