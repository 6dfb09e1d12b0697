/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the vector generators share: JSON in the shape of vectors/schema.
 */
#ifndef GEN_H
#define GEN_H

#include "raw_guest.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** New string object with @size bytes in lower-case hex. */
json_t *gen_hex(const void *data, size_t size);

/** A file under construction. */
struct gen_file {
    json_t *root;
    json_t *groups;
    json_t *tests; /* of the current group */
    int next_id;
};
void gen_file_open(struct gen_file *f, const char *schema);
/** Start a group; takes the reference of @given. */
void gen_group(struct gen_file *f, json_t *given);
/** Add a test to the current group; takes the reference of @test, adds tcId,
 * comment and result ("valid" or "invalid"). */
void gen_test(struct gen_file *f, json_t *test, const char *comment, bool valid,
              const char *flag);
/** Explain a flag. */
void gen_note(struct gen_file *f, const char *flag, const char *description,
              const char *spec);
/** Write @dir/@name and free. */
void gen_file_close(struct gen_file *f, const char *dir, const char *name);

/** The families, one file each. */
void gen_reports(const char *dir);
void gen_messages(const char *dir);
void gen_keys(const char *dir);
void gen_sev_certs(const char *dir);
void gen_sev_launches(const char *dir);
void gen_sev_commands(const char *dir);

#endif
