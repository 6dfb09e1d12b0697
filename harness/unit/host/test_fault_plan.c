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
