/* SPDX-License-Identifier: Apache-2.0 */
/* Typed members of a guest description. */
#include "spec_impl.h"
#include "wire.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Member names come from the file: nothing that could break the line. */
static void make_printable(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            *text = '?';
        }
    }
}

int spec_fail(const struct spec_object *o, const char *key, const char *format,
              ...)
{
    char *error = o->parser->error;
    size_t left = SPEC_ERROR_SIZE;
    va_list args;
    int n;

    n = snprintf(error, left, "%s%.80s%s", o->path, key,
                 o->path[0] == '\0' && key[0] == '\0' ? "" : ": ");
    if (n >= 0 && (size_t)n < left) {
        va_start(args, format);
        (void)vsnprintf(error + n, left - (size_t)n, format, args);
        va_end(args);
    }
    make_printable(error);
    return -EINVAL;
}

static bool parse_hex_number(const char *text, uint64_t *out)
{
    char *end = NULL;

    if (strncmp(text, "0x", 2) != 0 || !isxdigit((unsigned char)text[2])) {
        return false;
    }
    errno = 0;
    *out = strtoull(text + 2, &end, 16);
    return errno == 0 && *end == '\0';
}

static int number_value(const struct spec_object *o, const char *key,
                        const json_t *value, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;

    if (json_is_string(value)) {
        if (!parse_hex_number(json_string_value(value), &v)) {
            return spec_fail(o, key,
                             "must be an integer or a string \"0x...\"");
        }
    } else if (!json_is_integer(value)) {
        return spec_fail(o, key, "must be an integer or a string \"0x...\"");
    } else if (json_integer_value(value) < 0) {
        return spec_fail(o, key, "must not be negative");
    } else {
        v = (uint64_t)json_integer_value(value);
    }
    if (v > max) {
        return spec_fail(o, key, "must be at most 0x%llx",
                         (unsigned long long)max);
    }
    *out = v;
    return 0;
}

int spec_number(const struct spec_object *o, const char *key, uint64_t max,
                uint64_t *out)
{
    const json_t *value = json_object_get(o->json, key);

    return value == NULL ? 0 : number_value(o, key, value, max, out);
}

int spec_numbers(const struct spec_object *o, const char *key, size_t count,
                 uint8_t *out)
{
    const json_t *array = json_object_get(o->json, key);

    if (array == NULL) {
        return 0;
    }
    if (!json_is_array(array) || json_array_size(array) != count) {
        return spec_fail(o, key, "must be an array of %zu numbers", count);
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t v = 0;
        int err = number_value(o, key, json_array_get(array, i), 0xff, &v);

        if (err != 0) {
            return err;
        }
        out[i] = (uint8_t)v;
    }
    return 0;
}

int spec_bool(const struct spec_object *o, const char *key, bool *out)
{
    const json_t *value = json_object_get(o->json, key);

    if (value == NULL) {
        return 0;
    }
    if (!json_is_boolean(value)) {
        return spec_fail(o, key, "must be true or false");
    }
    *out = json_is_true(value);
    return 0;
}

int spec_string(const struct spec_object *o, const char *key, const char **out)
{
    const json_t *value = json_object_get(o->json, key);

    if (value == NULL) {
        return 0;
    }
    if (!json_is_string(value)) {
        return spec_fail(o, key, "must be a string");
    }
    *out = json_string_value(value);
    return 0;
}

int spec_hex(const struct spec_object *o, const char *key, uint8_t *out,
             size_t size)
{
    const char *text = NULL;
    int err = spec_string(o, key, &text);

    if (err != 0 || text == NULL) {
        return err;
    }
    if (strlen(text) != 2 * size || !psp_hex_decode(text, out, size)) {
        return spec_fail(o, key, "must be %zu hex digits (%zu bytes)", 2 * size,
                         size);
    }
    return 0;
}

int spec_hex_any(const struct spec_object *o, const char *key, uint8_t **out,
                 size_t *size)
{
    const char *text = NULL;
    int err = spec_string(o, key, &text);

    if (err != 0 || text == NULL) {
        return err;
    }
    *size = strlen(text) / 2;
    *out = malloc(*size + 1);
    if (*out == NULL) {
        return -ENOMEM;
    }
    if (strlen(text) % 2 == 0 && psp_hex_decode(text, *out, *size)) {
        return 0;
    }
    free(*out);
    *out = NULL;
    return spec_fail(o, key, "must be an even number of hex digits");
}

int spec_known(const struct spec_object *o, const char *const *names)
{
    const char *key;
    json_t *value;

    json_object_foreach(o->json, key, value)
    {
        const char *const *name = names;

        while (*name != NULL && strcmp(*name, key) != 0) {
            name++;
        }
        if (*name == NULL) {
            return spec_fail(o, key, "unknown member");
        }
    }
    return 0;
}
