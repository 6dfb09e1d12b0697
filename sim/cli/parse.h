/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Values on the command line, and whole files. Strict: nothing is guessed.
 */
#ifndef CLI_PARSE_H
#define CLI_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Decimal or 0x-prefixed number up to @max; the whole text must be used. */
bool parse_number(const char *text, uint64_t max, uint64_t *out);

/** Exactly @size bytes of hex, either case, without prefix or separators. */
bool parse_hex(const char *text, uint8_t *out, size_t size);

/** As parse_hex(), or "@FILE": a file of exactly @size bytes. On false @why
 * says what is needed, or what is wrong with the file. */
#define PARSE_WHY_SIZE 160u
bool parse_bytes(const char *text, uint8_t *out, size_t size, char *why);

/** Whole file ("-": standard input) of at most @max bytes, NUL appended beyond
 * @size. free() ends it. NULL with errno set (EFBIG: larger than @max). */
uint8_t *parse_file(const char *path, size_t max, size_t *size);

#endif
