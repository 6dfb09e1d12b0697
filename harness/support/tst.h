/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Small helpers for cmocka tests. Include this instead of <cmocka.h>.
 */
#ifndef TST_H
#define TST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/** Heap copy of exactly @size bytes (so that ASan sees an overrun). Never NULL;
 * free() ends it. */
void *tst_dup(const void *data, size_t size);

/** Decode lower- or upper-case hex (spaces ignored) into @out of @size bytes;
 * fails the test when the text does not hold exactly that many. */
void tst_hex(const char *hex, void *out, size_t size);

/** Fails the test unless @size bytes at @got equal @hex. */
#define assert_hex_equal(got, hex, size)                                       \
    tst_assert_hex((got), (hex), (size), __FILE__, __LINE__)
void tst_assert_hex(const void *got, const char *hex, size_t size,
                    const char *file, int line);

/** Read a whole file; fails the test when it cannot. free() ends it. */
uint8_t *tst_file(const char *path, size_t *size);
void tst_write_file(const char *path, const void *data, size_t size);

/** Path of a file in ../shared/data, or NULL when that folder is absent (the
 * test then calls skip()). Static storage, overwritten by the next call. */
const char *tst_shared(const char *name);

/** A new private directory under $TMPDIR; removed by tst_rmdir(). */
char *tst_mkdtemp(void);
void tst_rmdir(char *dir);

/** Run a program given as NULL-terminated argv; returns its exit status, its
 * combined output in @output (free() it; may be NULL). */
int tst_run(char **output, const char *const argv[]);

#endif
