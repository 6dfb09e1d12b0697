/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_inline.h"

#include "crypto.h"
#include "guest_text.h"
#include "json_base64.h"
#include "parse.h"
#include "spec.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX  (16u << 20)
#define PAGE_SIZE 0x1000u

/* One description on its way. */
struct inliner {
    const char *dir;   /* where its file names start */
    const char *where; /* the description, for messages */
};

static bool complain(const char *where, const char *what)
{
    fprintf(stderr, "swpsp guest: %s: %s\n", where, what);
    return false;
}

static uint8_t *read_named(const struct inliner *in, const char *name,
                           size_t *size)
{
    char path[PATH_MAX];
    uint8_t *data;

    if (name[0] == '/') {
        (void)snprintf(path, sizeof(path), "%s", name);
    } else {
        (void)snprintf(path, sizeof(path), "%s/%s", in->dir, name);
    }
    data = parse_file(path, FILE_MAX, size);
    if (data == NULL) {
        (void)complain(path, strerror(errno));
    }
    return data;
}

static json_t *hex_of(const uint8_t *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char *text = malloc(2 * size + 1);
    json_t *json;

    if (text == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[data[i] >> 4];
        text[2 * i + 1] = digits[data[i] & 15];
    }
    json = json_stringn(text, 2 * size);
    free(text);
    return json;
}

enum how { AS_HEX, AS_BASE64, AS_TEXT };

/* A file's bytes as {"hex": ...}, {"base64": ...} or {"pem": ...}. */
static json_t *bytes_of(const struct inliner *in, const char *name,
                        enum how how)
{
    static const char *const keys[] = {"hex", "base64", "pem"};
    size_t size = 0;
    uint8_t *data = read_named(in, name, &size);
    json_t *json = NULL;

    if (data == NULL) {
        return NULL;
    }
    if (how == AS_HEX) {
        json = hex_of(data, size);
    } else if (how == AS_BASE64) {
        json = json_base64(data, size);
    } else {
        json = json_stringn((const char *)data, size);
    }
    psp_wipe(data, size); /* it may be a private key */
    free(data);
    if (json == NULL) {
        (void)complain(name, "cannot be put into the description");
        return NULL;
    }
    return json_pack("{s:o}", keys[how], json);
}

/* Replace a member that names a file. */
static bool member(const struct inliner *in, json_t *object, const char *key,
                   enum how how)
{
    const json_t *value = json_object_get(object, key);
    json_t *bytes;

    if (!json_is_string(value)) {
        return true;
    }
    bytes = bytes_of(in, json_string_value(value), how);
    return bytes != NULL && json_object_set_new(object, key, bytes) == 0;
}

/* --- SNP: a page of a file becomes as many pages as it takes --- */

static bool number_of(const json_t *value, uint64_t *out)
{
    if (json_is_integer(value)) {
        *out = (uint64_t)json_integer_value(value);
        return json_integer_value(value) >= 0;
    }
    return json_is_string(value) &&
           parse_number(json_string_value(value), UINT64_MAX, out);
}

/* "offset" and "size" of a page's file. */
static bool file_part(const json_t *page, size_t whole, size_t *from,
                      size_t *size)
{
    const json_t *offset = json_object_get(page, "offset");
    const json_t *part = json_object_get(page, "size");
    uint64_t at = 0, n;

    if (offset != NULL && !number_of(offset, &at)) {
        return false;
    }
    if (at > whole) {
        return false;
    }
    n = whole - at;
    if (part != NULL && (!number_of(part, &n) || n > whole - at)) {
        return false;
    }
    *from = (size_t)at;
    *size = (size_t)n;
    return n > 0;
}

static bool append_page(const json_t *page, uint64_t gpa, const uint8_t *data,
                        size_t size, json_t *out)
{
    json_t *copy = json_copy((json_t *)(uintptr_t)page);

    (void)json_object_del(copy, "file");
    (void)json_object_del(copy, "offset");
    (void)json_object_del(copy, "size");
    (void)json_object_set_new(copy, "gpa",
                              json_sprintf("0x%llx", (unsigned long long)gpa));
    (void)json_object_set_new(copy, "hex", hex_of(data, size));
    return json_array_append_new(out, copy) == 0;
}

static bool cut_page(const struct inliner *in, const json_t *page, json_t *out)
{
    const char *name = json_string_value(json_object_get(page, "file"));
    size_t whole = 0, from = 0, size = 0;
    uint8_t *data;
    uint64_t gpa = 0;
    bool ok;

    if (!number_of(json_object_get(page, "gpa"), &gpa)) {
        return complain(in->where, "a page of a file needs a gpa");
    }
    data = read_named(in, name, &whole);
    if (data == NULL) {
        return false;
    }
    ok = file_part(page, whole, &from, &size) ||
         complain(name, "offset and size leave no bytes of the file");
    for (size_t at = 0; ok && at < size; at += PAGE_SIZE) {
        size_t n = size - at < PAGE_SIZE ? size - at : PAGE_SIZE;

        ok = append_page(page, gpa + at, data + from + at, n, out);
    }
    free(data);
    return ok;
}

static bool inline_pages(const struct inliner *in, json_t *guest)
{
    json_t *pages = json_object_get(guest, "pages");
    json_t *out, *page;
    size_t i;
    bool ok = true;

    if (!json_is_array(pages)) {
        return true;
    }
    out = json_array();
    json_array_foreach(pages, i, page)
    {
        if (ok && json_is_string(json_object_get(page, "file"))) {
            ok = cut_page(in, page, out);
        } else {
            ok = ok && json_array_append(out, page) == 0;
        }
    }
    return json_object_set_new(guest, "pages", out) == 0 && ok;
}

/* The description's table becomes the request's. */
static bool inline_certs(const struct inliner *in, json_t *request,
                         json_t *guest)
{
    const char *name = json_string_value(json_object_get(guest, "certs"));
    json_t *table;

    if (name == NULL || strcmp(name, "none") == 0) {
        return true;
    }
    table = bytes_of(in, name, AS_BASE64);
    if (table == NULL) {
        return false;
    }
    (void)json_object_del(guest, "certs");
    return json_object_set_new(request, "certs", table) == 0;
}

static bool inline_snp(const struct inliner *in, json_t *request, json_t *guest)
{
    return member(in, guest, "id_block", AS_BASE64) &&
           member(in, guest, "id_auth", AS_BASE64) &&
           member(in, guest, "id_key", AS_TEXT) &&
           member(in, guest, "author_key", AS_TEXT) &&
           inline_pages(in, guest) && inline_certs(in, request, guest);
}

/* --- legacy --- */

static bool inline_region(const struct inliner *in, json_t *region)
{
    const char *name = json_string_value(json_object_get(region, "file"));
    json_t *bytes;

    if (name == NULL) {
        return true;
    }
    bytes = bytes_of(in, name, AS_HEX);
    if (bytes == NULL) {
        return false;
    }
    (void)json_object_del(region, "file");
    (void)json_object_update(region, bytes);
    json_decref(bytes);
    return true;
}

static bool inline_legacy(const struct inliner *in, json_t *guest)
{
    json_t *session = json_object_get(guest, "session");
    json_t *item;
    size_t i;
    bool ok = member(in, session, "godh", AS_BASE64) &&
              member(in, session, "blob", AS_BASE64);

    json_array_foreach(json_object_get(guest, "memory"), i, item)
    {
        ok = ok && inline_region(in, item);
    }
    json_array_foreach(json_object_get(guest, "secrets"), i, item)
    {
        ok = ok && member(in, item, "header", AS_BASE64) &&
             member(in, item, "payload", AS_HEX);
    }
    json_array_foreach(json_object_get(guest, "vmsas"), i, item)
    {
        json_t *bytes = !ok || !json_is_string(item)
                            ? NULL
                            : bytes_of(in, json_string_value(item), AS_BASE64);

        if (bytes != NULL) {
            (void)json_array_set_new(json_object_get(guest, "vmsas"), i, bytes);
        }
        ok = ok && (bytes != NULL || !json_is_string(item));
    }
    return ok;
}

/* --- the request --- */

static bool set_certs(const struct platform_options *o, json_t *request)
{
    static const char *const names[] = {
        [CERTS_VCEK] = "vcek",
        [CERTS_VLEK] = "vlek",
        [CERTS_NONE] = "none",
    };
    struct inliner in = {.dir = ".", .where = "--certs"};
    json_t *certs;

    if (o->certs == CERTS_DEFAULT) {
        return true;
    }
    certs = o->certs == CERTS_FILE ? bytes_of(&in, o->certs_path, AS_BASE64)
                                   : json_string(names[o->certs]);
    return certs != NULL && json_object_set_new(request, "certs", certs) == 0;
}

static bool set_driver(const struct platform_options *o, json_t *request)
{
    if (o->era != SEV_GUEST_6_13) {
        (void)json_object_set_new(request, "kernel",
                                  json_string(sev_guest_era_name(o->era)));
    }
    if (o->vmpck_id >= 0) {
        (void)json_object_set_new(request, "vmpck", json_integer(o->vmpck_id));
    }
    if (o->long_key_request) {
        (void)json_object_set_new(request, "long_key_request", json_true());
    }
    return set_certs(o, request);
}

static json_t *load_guest(const struct platform_options *o)
{
    json_error_t where;
    char line[300];
    size_t size = 0;
    uint8_t *text;
    json_t *guest;

    if (o->guest_path == NULL) {
        return json_object();
    }
    text = parse_file(o->guest_path, FILE_MAX, &size);
    if (text == NULL) {
        (void)complain(o->guest_path, strerror(errno));
        return NULL;
    }
    guest =
        json_loadb((const char *)text, size, JSON_REJECT_DUPLICATES, &where);
    free(text);
    if (!json_is_object(guest)) {
        (void)snprintf(line, sizeof(line), "line %d: %.200s", where.line,
                       guest == NULL ? where.text : "must be an object");
        (void)complain(o->guest_path, line);
        json_decref(guest);
        return NULL;
    }
    return guest;
}

json_t *guest_inline(const struct platform_options *o, const char *name,
                     bool legacy)
{
    json_t *guest = load_guest(o);
    char *path = strdup(o->guest_path == NULL ? "." : o->guest_path);
    json_t *request = json_pack("{s:s, s:s}", "name", name, "kind",
                                legacy ? "legacy" : "snp");
    struct inliner in = {.where = o->guest_path};
    bool ok = guest != NULL && request != NULL && path != NULL;

    if (ok) {
        in.dir = o->guest_path == NULL ? "." : dirname(path);
        guest_text_replace(o, guest);
        ok = (legacy ? inline_legacy(&in, guest)
                     : inline_snp(&in, request, guest)) &&
             set_driver(o, request);
        (void)json_object_set(request, "description", guest);
    }
    free(path);
    json_decref(guest);
    if (!ok) {
        json_decref(request);
        request = NULL;
    }
    return request;
}
