/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded by test_words.py: instead of parsing options, print the table that
 * a command passes to getopt_long(), one "name has_arg" a line, and end. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

int getopt_long(int argc, char *const *argv, const char *shorts,
                const struct option *longs, int *at)
{
    (void)argc;
    (void)argv;
    (void)shorts;
    (void)at;
    for (; longs->name != NULL; longs++) {
        printf("%s %d\n", longs->name, longs->has_arg);
    }
    exit(0);
}
