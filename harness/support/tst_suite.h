/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Tests from tables: each row of a table becomes one cmocka test.
 */
#ifndef TST_SUITE_H
#define TST_SUITE_H

#include "tst.h"

/** Tests of one program, plain ones and rows of tables. */
struct tst_suite {
    struct CMUnitTest *tests;
    size_t count;
};

/** Add an array of struct CMUnitTest. */
#define TST_ADD(suite, plain)                                                  \
    tst_add((suite), (plain), sizeof(plain) / sizeof((plain)[0]))
/** Add a test for each row of an array whose first member is its name; the test
 * finds its row in *state. */
#define TST_ADD_ROWS(suite, rows, test)                                        \
    tst_add_rows((suite), (rows), sizeof((rows)[0]),                           \
                 sizeof(rows) / sizeof((rows)[0]), (test))
void tst_add(struct tst_suite *suite, const struct CMUnitTest *tests,
             size_t count);
void tst_add_rows(struct tst_suite *suite, const void *rows, size_t stride,
                  size_t count, CMUnitTestFunction test);
/** Run all; returns the number of failures. Frees the suite. */
int tst_suite_run(struct tst_suite *suite, const char *name);

#endif
