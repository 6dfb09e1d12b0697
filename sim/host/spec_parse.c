/* SPDX-License-Identifier: Apache-2.0 */
/* A guest description from its JSON text. */
#include "spec_impl.h"

#include "id_block.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const MEMBERS[] = {
    "name",       "policy",   "gosvw",     "host_data",
    "vmpl",       "vcpus",    "pages",     "vcek_disabled",
    "certs",      "id_block", "id_auth",   "author_key_enabled",
    "family_id",  "image_id", "guest_svn", "id_key",
    "author_key", NULL,
};

/* A name is printed in lines of its own. */
static bool has_control(const char *text)
{
    while (*text != '\0' && (unsigned char)*text >= 0x20 && *text != 0x7f) {
        text++;
    }
    return *text != '\0';
}

static int read_name(const struct spec_object *o)
{
    const char *name = NULL;
    int err = spec_string(o, "name", &name);
    char *out = o->parser->spec->name;

    if (err != 0 || name == NULL) {
        return err;
    }
    if (name[0] == '\0' || strlen(name) >= sizeof(o->parser->spec->name) ||
        has_control(name)) {
        return spec_fail(o, "name",
                         "must be 1 to %zu bytes without control characters",
                         sizeof(o->parser->spec->name) - 1);
    }
    memset(out, 0, sizeof(o->parser->spec->name));
    memcpy(out, name, strlen(name));
    return 0;
}

static int read_small(const struct spec_object *o, const char *key,
                      uint32_t max, uint32_t *out)
{
    uint64_t v = *out;
    int err = spec_number(o, key, max, &v);

    *out = (uint32_t)v;
    return err;
}

static int read_scalars(const struct spec_object *o)
{
    struct vm_spec *spec = o->parser->spec;
    int err = read_name(o);

    if (err == 0) {
        err = spec_number(o, "policy", UINT64_MAX, &spec->policy);
    }
    if (err == 0) {
        err = spec_hex(o, "gosvw", spec->gosvw, sizeof(spec->gosvw));
    }
    if (err == 0) {
        err =
            spec_hex(o, "host_data", spec->host_data, sizeof(spec->host_data));
    }
    if (err == 0) {
        err = read_small(o, "vmpl", 3, &spec->vmpl);
    }
    if (err == 0) {
        err = spec_bool(o, "vcek_disabled", &spec->vcek_dis);
    }
    return err;
}

static int read_certs(const struct spec_object *o)
{
    struct vm_spec *spec = o->parser->spec;
    const char *name = NULL;
    int err = spec_string(o, "certs", &name);

    if (err != 0 || name == NULL) {
        return err;
    }
    if (strcmp(name, "none") == 0) {
        spec->no_certs = true;
        return 0;
    }
    return spec_file(o, "certs", name, &spec->certs, &spec->certs_size);
}

static int read_foreign_identity(const struct spec_object *o)
{
    static const char *const own[] = {"family_id", "image_id",   "guest_svn",
                                      "id_key",    "author_key", NULL};
    struct vm_spec *spec = o->parser->spec;
    uint8_t *block = NULL;
    int err;

    for (const char *const *name = own; *name != NULL; name++) {
        if (spec_has(o, *name)) {
            return spec_fail(o, *name, "does not go with \"id_block\"");
        }
    }
    if (!spec_has(o, "id_block") || !spec_has(o, "id_auth")) {
        return spec_fail(o, spec_has(o, "id_block") ? "id_auth" : "id_block",
                         "is missing");
    }
    err = spec_blob(o, "id_block", ID_BLOCK_SIZE, &block);
    if (err == 0) {
        memcpy(spec->id_block, block, ID_BLOCK_SIZE);
        free(block);
        err = spec_blob(o, "id_auth", ID_AUTH_SIZE, &spec->id_auth);
    }
    spec->id_block_en = true;
    return err != 0 ? err
                    : spec_bool(o, "author_key_enabled", &spec->auth_key_en);
}

static int read_own_identity(const struct spec_object *o)
{
    struct vm_identity *identity = &o->parser->spec->identity;
    int err;

    if (spec_has(o, "author_key_enabled")) {
        return spec_fail(o, "author_key_enabled", "goes with \"id_auth\" only");
    }
    identity->make = spec_has(o, "family_id") || spec_has(o, "image_id") ||
                     spec_has(o, "guest_svn") || spec_has(o, "id_key") ||
                     spec_has(o, "author_key");
    err = spec_hex(o, "family_id", identity->family_id,
                   sizeof(identity->family_id));
    if (err == 0) {
        err = spec_hex(o, "image_id", identity->image_id,
                       sizeof(identity->image_id));
    }
    if (err == 0) {
        err = read_small(o, "guest_svn", UINT32_MAX, &identity->guest_svn);
    }
    if (err == 0) {
        err = spec_key(o, "id_key", identity->id_key, &identity->id_key_en);
    }
    if (err == 0) {
        err = spec_key(o, "author_key", identity->author_key,
                       &identity->author_key_en);
    }
    return err;
}

static int read_vcpus(const struct spec_object *o)
{
    struct vm_spec *spec = o->parser->spec;

    for (size_t i = 0; i < spec->page_count; i++) {
        if (spec->pages[i].type == VM_PAGE_VMSA) {
            spec->vcpu_count = 0;
        }
    }
    return read_small(o, "vcpus", VM_MAX_VCPUS, &spec->vcpu_count);
}

static int read_all(const struct spec_object *o)
{
    int err = spec_known(o, MEMBERS);

    if (err == 0) {
        err = read_scalars(o);
    }
    if (err == 0) {
        err = read_certs(o);
    }
    if (err == 0) {
        err = spec_has(o, "id_block") || spec_has(o, "id_auth")
                  ? read_foreign_identity(o)
                  : read_own_identity(o);
    }
    if (err == 0) {
        err = spec_pages(o);
    }
    return err != 0 ? err : read_vcpus(o);
}

static json_t *load_json(const struct spec_object *o, const char *text,
                         size_t size, int *err)
{
    json_error_t where;
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);

    if (json == NULL) {
        *err = spec_fail(o, "", "line %d, column %d: %s", where.line,
                         where.column, where.text);
    } else if (!json_is_object(json)) {
        *err = spec_fail(o, "", "must be a JSON object");
    }
    return json;
}

int vm_spec_parse(const char *text, size_t size, const char *dir,
                  const struct psp_profile *profile, struct vm_spec *spec,
                  char *error)
{
    struct spec_parser parser = {dir, profile, spec, error};
    struct spec_object top = {&parser, "", NULL};
    int err = 0;

    error[0] = '\0';
    spec_default_scalars(spec);
    top.json = load_json(&top, text, size, &err);
    if (err == 0) {
        err = read_all(&top);
    }
    json_decref(top.json);
    if (err != 0) {
        vm_spec_clear(spec);
    }
    if (err == -ENOMEM) {
        (void)snprintf(error, SPEC_ERROR_SIZE, "out of memory");
    }
    return err;
}
