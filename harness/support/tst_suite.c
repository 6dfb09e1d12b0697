/* SPDX-License-Identifier: Apache-2.0 */
#include "tst_suite.h"

void tst_add(struct tst_suite *suite, const struct CMUnitTest *tests,
             size_t count)
{
    suite->tests =
        realloc(suite->tests, (suite->count + count) * sizeof(*suite->tests));
    if (suite->tests == NULL) {
        abort();
    }
    memcpy(suite->tests + suite->count, tests, count * sizeof(*tests));
    suite->count += count;
}

void tst_add_rows(struct tst_suite *suite, const void *rows, size_t stride,
                  size_t count, CMUnitTestFunction test)
{
    for (size_t i = 0; i < count; i++) {
        union {
            const void *in;
            void *out;
        } row = {.in = (const uint8_t *)rows + i * stride};
        struct CMUnitTest t = {.test_func = test, .initial_state = row.out};

        memcpy(&t.name, row.out, sizeof(t.name));
        tst_add(suite, &t, 1);
    }
}

int tst_suite_run(struct tst_suite *suite, const char *name)
{
    int failures =
        _cmocka_run_group_tests(name, suite->tests, suite->count, NULL, NULL);

    free(suite->tests);
    return failures;
}
