/* SPDX-License-Identifier: Apache-2.0 */
#include "gen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *gen_hex(const void *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = data;
    char *text = malloc(2 * size + 1);
    json_t *out;

    raw_need(text != NULL, "malloc");
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[p[i] >> 4];
        text[2 * i + 1] = digits[p[i] & 15];
    }
    text[2 * size] = '\0';
    out = json_string(text);
    free(text);
    raw_need(out != NULL, "json");
    return out;
}

void gen_file_open(struct gen_file *f, const char *schema)
{
    f->groups = json_array();
    f->tests = NULL;
    f->next_id = 1;
    f->root = json_pack("{s:s, s:i, s:{}, s:o}", "schema", schema,
                        "numberOfTests", 0, "notes", "testGroups", f->groups);
    raw_need(f->root != NULL, "json");
}

void gen_group(struct gen_file *f, json_t *given)
{
    raw_need(given != NULL, "group");
    f->tests = json_array();
    raw_need(json_array_append_new(
                 f->groups, json_pack("{s:{s:s, s:s}, s:o, s:o}", "source",
                                      "name", "vectors/gen", "version", "1",
                                      "given", given, "tests", f->tests)) == 0,
             "json");
}

void gen_test(struct gen_file *f, json_t *test, const char *comment, bool valid,
              const char *flag)
{
    json_t *row =
        json_pack("{s:i, s:s, s:s, s:[]}", "tcId", f->next_id++, "comment",
                  comment, "result", valid ? "valid" : "invalid", "flags");

    raw_need(row != NULL && test != NULL, comment);
    if (flag != NULL) {
        json_array_append_new(json_object_get(row, "flags"), json_string(flag));
    }
    raw_need(json_object_update(row, test) == 0, "json");
    json_decref(test);
    raw_need(json_array_append_new(f->tests, row) == 0, "json");
}

void gen_note(struct gen_file *f, const char *flag, const char *description,
              const char *spec)
{
    raw_need(json_object_set_new(json_object_get(f->root, "notes"), flag,
                                 json_pack("{s:s, s:s}", "description",
                                           description, "spec", spec)) == 0,
             "json");
}

void gen_file_close(struct gen_file *f, const char *dir, const char *name)
{
    char path[4096];
    FILE *out;

    json_object_set_new(f->root, "numberOfTests", json_integer(f->next_id - 1));
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    out = fopen(path, "w");
    raw_need(out != NULL && json_dumpf(f->root, out, JSON_INDENT(1)) == 0 &&
                 fputc('\n', out) != EOF && fclose(out) == 0,
             path);
    json_decref(f->root);
}
