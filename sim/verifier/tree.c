/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_WIDTH 20

struct tree tree_object(void)
{
    struct tree t = {.json = json_object()};

    t.bad = t.json == NULL;
    return t;
}

struct tree tree_array(void)
{
    struct tree t = {.json = json_array()};

    t.bad = t.json == NULL;
    return t;
}

void tree_free(struct tree *t)
{
    json_decref(t->json);
    t->json = NULL;
}

static void put(struct tree *t, const char *key, json_t *value)
{
    if (json_object_set_new(t->json, key, value) != 0) {
        t->bad = true;
    }
}

void tree_int(struct tree *t, const char *key, uint32_t value)
{
    put(t, key, json_integer((json_int_t)value));
}

void tree_bool(struct tree *t, const char *key, bool value)
{
    put(t, key, json_boolean(value));
}

void tree_null(struct tree *t, const char *key)
{
    put(t, key, json_null());
}

void tree_text(struct tree *t, const char *key, const char *value)
{
    put(t, key, json_string(value));
}

void tree_hex(struct tree *t, const char *key, const uint8_t *p, size_t n)
{
    static const char digit[] = "0123456789abcdef";
    char *text = malloc(2 * n + 1);

    if (text == NULL) {
        t->bad = true;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        text[2 * i] = digit[p[i] >> 4];
        text[2 * i + 1] = digit[p[i] & 0xf];
    }
    text[2 * n] = '\0';
    tree_text(t, key, text);
    free(text);
}

void tree_bits(struct tree *t, const char *key, uint64_t value)
{
    char text[20];

    snprintf(text, sizeof(text), "0x%" PRIx64, value);
    tree_text(t, key, text);
}

void tree_tree(struct tree *t, const char *key, struct tree *sub)
{
    t->bad = t->bad || sub->bad;
    put(t, key, sub->json);
    sub->json = NULL;
}

void tree_append(struct tree *array, struct tree *sub)
{
    array->bad = array->bad || sub->bad;
    if (json_array_append_new(array->json, sub->json) != 0) {
        array->bad = true;
    }
    sub->json = NULL;
}

char *tree_as_json(const struct tree *t)
{
    char *text =
        t->bad ? NULL : json_dumps(t->json, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    char *more = text != NULL ? realloc(text, strlen(text) + 2) : NULL;

    if (more == NULL) {
        free(text);
        return NULL;
    }
    strcat(more, "\n");
    return more;
}

/* ---- text ---- */

static void print_scalar(FILE *f, const json_t *v)
{
    if (json_is_integer(v)) {
        fprintf(f, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    } else if (json_is_string(v)) {
        fputs(json_string_value(v), f);
    } else {
        fputs(json_is_true(v) ? "yes" : json_is_false(v) ? "no" : "unknown", f);
    }
}

static bool is_scalar(const json_t *v)
{
    return !json_is_object(v) && !json_is_array(v);
}

static bool is_head(const char *key)
{
    return strcmp(key, "value") == 0 || strcmp(key, "oid") == 0;
}

/* An object that begins with its own encoding is one line: the encoding, then
 * the parts, of flags only those that are set. */
static bool has_head(json_t *v)
{
    void *first = json_object_iter(v);

    return first != NULL && is_head(json_object_iter_key(first));
}

static void print_line(FILE *f, json_t *v)
{
    const char *separator = "  ";
    const char *key;
    json_t *part;

    json_object_foreach(v, key, part)
    {
        if (is_head(key)) {
            print_scalar(f, part);
        } else if (json_is_true(part)) {
            fprintf(f, "%s%s", separator, key);
            separator = ", ";
        } else if (!json_is_false(part)) {
            fprintf(f, "%s%s ", separator, key);
            print_scalar(f, part);
            separator = ", ";
        }
    }
}

static void print_object(FILE *f, json_t *object, int indent);

static void print_member(FILE *f, const char *key, json_t *v, int indent)
{
    int width = KEY_WIDTH > indent ? KEY_WIDTH - indent : 0;

    fprintf(f, "%*s", indent, "");
    if (is_scalar(v)) {
        fprintf(f, "%-*s  ", width, key);
        print_scalar(f, v);
        fputc('\n', f);
    } else if (json_is_object(v) && has_head(v)) {
        fprintf(f, "%-*s  ", width, key);
        print_line(f, v);
        fputc('\n', f);
    } else {
        fprintf(f, "%s\n", key);
        print_object(f, v, indent + 2);
    }
}

/* Nesting is bounded by the decoders: table, certificate, extension. */
static void print_object(FILE *f, json_t *object, int indent)
{
    const char *key;
    json_t *v;
    size_t i;

    json_array_foreach(object, i, v)
    {
        char number[24];

        snprintf(number, sizeof(number), "[%zu]", i);
        print_member(f, number, v, indent);
    }
    json_object_foreach(object, key, v)
    {
        print_member(f, key, v, indent);
    }
}

char *tree_as_text(const struct tree *t)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = t->bad ? NULL : open_memstream(&text, &size);

    if (f == NULL) {
        return NULL;
    }
    print_object(f, t->json, 0);
    if (fclose(f) != 0) {
        free(text);
        text = NULL;
    }
    return text;
}
