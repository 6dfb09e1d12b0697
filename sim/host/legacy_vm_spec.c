/* SPDX-License-Identifier: Apache-2.0 */
/* A legacy guest's description from its JSON text. */
#include "legacy_vm_spec.h"

#include "spec_impl.h"
#include "vmsa.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_GPA      ((1ull << 52) - RMP_PAGE_SIZE)
#define MAX_REGIONS  256u
#define MAX_VCPUS    512u
#define MAX_SECRETS  64u
#define MAX_PAYLOAD  16384u
#define DEFAULT_GPA  0xffff0000ull
#define DEFAULT_SIZE 0x10000u

/* The parser of SNP descriptions lends its readers; it has no member for this
 * kind of description. */
struct reader {
    struct spec_parser parser;
    struct legacy_vm_spec *spec;
    const struct psp_profile *profile;
};

/* --- defaults --- */

static void default_scalars(struct legacy_vm_spec *spec)
{
    *spec = (struct legacy_vm_spec){.name = "guest",
                                    .policy = LEGACY_VM_POLICY_NODBG};
}

/* Halts at the reset vector: cli, hlt, jump back. */
static int default_memory(struct legacy_vm_spec *spec)
{
    static const uint8_t reset[] = {0xfa, 0xf4, 0xeb, 0xfd};
    struct legacy_vm_region *region = calloc(1, sizeof(*region));
    uint8_t *data = calloc(1, DEFAULT_SIZE);

    if (region == NULL || data == NULL) {
        free(region);
        free(data);
        return -ENOMEM;
    }
    memcpy(data + DEFAULT_SIZE - 16, reset, sizeof(reset));
    *region = (struct legacy_vm_region){
        .gpa = DEFAULT_GPA, .size = DEFAULT_SIZE, .data = data};
    spec->regions = region;
    spec->region_count = 1;
    return 0;
}

int legacy_vm_spec_default(struct legacy_vm_spec *spec)
{
    default_scalars(spec);
    return default_memory(spec);
}

void legacy_vm_spec_clear(struct legacy_vm_spec *spec)
{
    for (size_t i = 0; i < spec->region_count; i++) {
        free(spec->regions[i].data);
    }
    for (size_t i = 0; i < spec->secret_count; i++) {
        free(spec->secrets[i].payload);
    }
    free(spec->regions);
    free(spec->secrets);
    free(spec->vmsas);
    default_scalars(spec);
}

/* --- helpers --- */

static int need(const struct spec_object *o, const char *key)
{
    return spec_has(o, key) ? 0 : spec_fail(o, key, "is missing");
}

/* Bytes of exactly @want into a fixed field. */
static int read_fixed(const struct spec_object *o, const char *key,
                      uint8_t *out, size_t want)
{
    uint8_t *bytes = NULL;
    int err = need(o, key);

    if (err == 0) {
        err = spec_blob(o, key, want, &bytes);
    }
    if (err == 0) {
        memcpy(out, bytes, want);
    }
    free(bytes);
    return err;
}

/* Call @read for each object of the array @key, with its path. */
static int each(struct reader *r, const struct spec_object *o, const char *key,
                size_t max,
                int (*read)(struct reader *, const struct spec_object *))
{
    json_t *array = json_object_get(o->json, key);
    int err = 0;

    if (array == NULL) {
        return 0;
    }
    if (!json_is_array(array) || json_array_size(array) > max) {
        return spec_fail(o, key, "must be an array of at most %zu", max);
    }
    for (size_t i = 0; err == 0 && i < json_array_size(array); i++) {
        char path[32];
        struct spec_object item = {&r->parser, path, json_array_get(array, i)};

        (void)snprintf(path, sizeof(path), "%s[%zu]", key, i);
        if (!json_is_object(item.json)) {
            return spec_fail(&item, "", "must be an object");
        }
        (void)snprintf(path, sizeof(path), "%s[%zu].", key, i);
        err = read(r, &item);
    }
    return err;
}

/* --- regions --- */

static int read_gpa(const struct spec_object *o, uint64_t align, uint64_t *gpa)
{
    int err = need(o, "gpa");

    if (err == 0) {
        err = spec_number(o, "gpa", MAX_GPA, gpa);
    }
    if (err == 0 && *gpa % align != 0) {
        err = spec_fail(o, "gpa", "must be a multiple of 0x%llx",
                        (unsigned long long)align);
    }
    return err;
}

static int read_size(const struct spec_object *o, size_t *size)
{
    uint64_t v = 0;
    int err = need(o, "size");

    if (err == 0) {
        err = spec_number(o, "size", SPEC_MAX_FILE, &v);
    }
    *size = (size_t)v;
    return err;
}

static int read_fill(const struct spec_object *o,
                     struct legacy_vm_region *region)
{
    uint64_t fill = 0;
    int err = read_size(o, &region->size);

    if (err == 0) {
        err = spec_number(o, "fill", 0xff, &fill);
    }
    if (err != 0) {
        return err;
    }
    region->data = malloc(region->size + 1);
    if (region->data == NULL) {
        return -ENOMEM;
    }
    memset(region->data, (int)fill, region->size);
    return 0;
}

static int read_file(const struct spec_object *o,
                     struct legacy_vm_region *region)
{
    const char *name = NULL;
    int err = spec_string(o, "file", &name);

    return err != 0 ? err
                    : spec_file(o, "file", name, &region->data, &region->size);
}

static int read_content(const struct spec_object *o,
                        struct legacy_vm_region *region)
{
    const bool file = spec_has(o, "file");
    const bool hex = spec_has(o, "hex");
    const bool fill = spec_has(o, "fill");

    if (file + hex + fill > 1) {
        return spec_fail(o, hex ? "hex" : "fill",
                         "only one of \"file\", \"hex\", \"fill\" is allowed");
    }
    if ((file || hex) && spec_has(o, "size")) {
        return spec_fail(o, "size", "goes with \"fill\" or alone");
    }
    if (file) {
        return read_file(o, region);
    }
    if (hex) {
        return spec_hex_any(o, "hex", &region->data, &region->size);
    }
    return fill ? read_fill(o, region) : read_size(o, &region->size);
}

static int check_region(const struct spec_object *o,
                        const struct legacy_vm_region *region)
{
    const char *key = spec_has(o, "file")  ? "file"
                      : spec_has(o, "hex") ? "hex"
                                           : "size";

    if (region->size == 0) {
        return spec_fail(o, key, "a region must not be empty");
    }
    if (region->data != NULL && region->size % 16 != 0) {
        return spec_fail(o, key, "%zu bytes are no multiple of 16",
                         region->size);
    }
    return 0;
}

static int append_region(struct legacy_vm_spec *spec,
                         const struct legacy_vm_region *region)
{
    struct legacy_vm_region *all = realloc(
        spec->regions, (spec->region_count + 1) * sizeof(*spec->regions));

    if (all == NULL) {
        return -ENOMEM;
    }
    spec->regions = all;
    all[spec->region_count++] = *region;
    return 0;
}

static uint64_t pages_end(const struct legacy_vm_region *r)
{
    return (r->gpa + r->size + RMP_PAGE_SIZE - 1) / RMP_PAGE_SIZE *
           RMP_PAGE_SIZE;
}

static int check_overlap(const struct reader *r, const struct spec_object *o,
                         const struct legacy_vm_region *region)
{
    for (size_t i = 0; i < r->spec->region_count; i++) {
        const struct legacy_vm_region *other = &r->spec->regions[i];

        if (region->gpa < pages_end(other) && other->gpa < pages_end(region)) {
            return spec_fail(o, "gpa", "shares a page with memory[%zu]", i);
        }
    }
    return 0;
}

static int read_region(struct reader *r, const struct spec_object *o)
{
    static const char *const members[] = {"gpa",  "file", "hex",
                                          "fill", "size", NULL};
    struct legacy_vm_region region = {0};
    int err = spec_known(o, members);

    if (err == 0) {
        err = read_gpa(o, RMP_PAGE_SIZE, &region.gpa);
    }
    if (err == 0) {
        err = read_content(o, &region);
    }
    if (err == 0) {
        err = check_region(o, &region);
    }
    if (err == 0) {
        err = check_overlap(r, o, &region);
    }
    if (err == 0) {
        err = append_region(r->spec, &region);
    }
    if (err != 0) {
        free(region.data);
    }
    return err;
}

static int read_memory(struct reader *r, const struct spec_object *o)
{
    return spec_has(o, "memory")
               ? each(r, o, "memory", MAX_REGIONS, read_region)
               : default_memory(r->spec);
}

/* --- save areas --- */

static int make_vmsas(struct reader *r, size_t count)
{
    r->spec->vmsas = calloc(count + 1, LEGACY_VM_VMSA_SIZE);
    if (r->spec->vmsas == NULL) {
        return -ENOMEM;
    }
    r->spec->vmsa_count = count;
    return 0;
}

static int reset_vcpus(struct reader *r, const struct spec_object *o)
{
    uint64_t count = 1;
    int err = spec_number(o, "vcpus", MAX_VCPUS, &count);

    if (err == 0 && count == 0) {
        err = spec_fail(o, "vcpus", "must not be 0");
    }
    if (err == 0) {
        err = make_vmsas(r, (size_t)count);
    }
    for (size_t i = 0; err == 0 && i < count; i++) {
        vmsa_reset(r->spec->vmsas + i * LEGACY_VM_VMSA_SIZE, VMSA_RESET_EIP,
                   vmsa_fms(r->profile), 0);
    }
    return err;
}

/* The elements are bytes, not objects: each is looked at as if it were the
 * member "vmsa" of one. */
static int one_vmsa(struct reader *r, json_t *value, size_t index)
{
    char path[32];
    struct spec_object item = {&r->parser, path, json_object()};
    uint8_t *bytes = NULL;
    int err;

    if (item.json == NULL) {
        return -ENOMEM;
    }
    (void)snprintf(path, sizeof(path), "vmsas[%zu]", index);
    err = json_object_set(item.json, "", value) != 0
              ? -ENOMEM
              : spec_blob(&item, "", LEGACY_VM_VMSA_SIZE, &bytes);
    if (err == 0) {
        memcpy(r->spec->vmsas + index * LEGACY_VM_VMSA_SIZE, bytes,
               LEGACY_VM_VMSA_SIZE);
    }
    free(bytes);
    json_decref(item.json);
    return err;
}

static int given_vmsas(struct reader *r, const struct spec_object *o)
{
    json_t *array = json_object_get(o->json, "vmsas");
    size_t count = json_array_size(array);
    int err;

    if (!json_is_array(array) || count > MAX_VCPUS) {
        return spec_fail(o, "vmsas", "must be an array of at most %u",
                         MAX_VCPUS);
    }
    err = make_vmsas(r, count);
    for (size_t i = 0; err == 0 && i < count; i++) {
        err = one_vmsa(r, json_array_get(array, i), i);
    }
    return err;
}

static int read_vcpus(struct reader *r, const struct spec_object *o)
{
    const bool es = (r->spec->policy & LEGACY_VM_POLICY_ES) != 0;
    const char *key = spec_has(o, "vcpus") ? "vcpus" : "vmsas";

    if (!es && spec_has(o, key)) {
        return spec_fail(o, key, "only with SEV-ES (policy bit 2)");
    }
    if (spec_has(o, "vcpus") && spec_has(o, "vmsas")) {
        return spec_fail(o, "vmsas", "does not go with \"vcpus\"");
    }
    if (spec_has(o, "vmsas")) {
        return given_vmsas(r, o);
    }
    return es ? reset_vcpus(r, o) : 0;
}

/* --- session and secrets --- */

static int read_session(struct reader *r, const struct spec_object *o)
{
    static const char *const members[] = {"godh", "blob", NULL};
    struct spec_object session = {&r->parser, "session.",
                                  json_object_get(o->json, "session")};
    int err;

    if (session.json == NULL) {
        return 0;
    }
    if (!json_is_object(session.json)) {
        return spec_fail(o, "session", "must be an object");
    }
    err = spec_known(&session, members);
    if (err == 0) {
        err = read_fixed(&session, "godh", r->spec->dh_cert,
                         sizeof(r->spec->dh_cert));
    }
    if (err == 0) {
        err = read_fixed(&session, "blob", r->spec->session_blob,
                         sizeof(r->spec->session_blob));
    }
    r->spec->session = err == 0;
    return err;
}

static int read_payload(const struct spec_object *o,
                        struct legacy_vm_secret *secret)
{
    json_t *value = json_object_get(o->json, "payload");
    struct spec_object inner = {o->parser, o->path, value};
    int err = need(o, "payload");

    if (err != 0) {
        return err;
    }
    if (json_is_string(value)) {
        err = spec_file(o, "payload", json_string_value(value),
                        &secret->payload, &secret->size);
    } else if (json_is_object(value) && json_object_size(value) == 1 &&
               spec_has(&inner, "hex")) {
        err = spec_hex_any(&inner, "hex", &secret->payload, &secret->size);
    } else {
        err = spec_fail(o, "payload",
                        "must be a file name or {\"hex\": \"...\"}");
    }
    if (err == 0 && (secret->size < 16 || secret->size > MAX_PAYLOAD)) {
        err = spec_fail(o, "payload", "must be 16 to %u bytes", MAX_PAYLOAD);
    }
    return err;
}

static int read_secret(struct reader *r, const struct spec_object *o)
{
    static const char *const members[] = {"gpa", "header", "payload", NULL};
    struct legacy_vm_spec *spec = r->spec;
    struct legacy_vm_secret *all;
    struct legacy_vm_secret *secret;
    int err = spec_known(o, members);

    if (err != 0) {
        return err;
    }
    all = realloc(spec->secrets, (spec->secret_count + 1) * sizeof(*all));
    if (all == NULL) {
        return -ENOMEM;
    }
    spec->secrets = all;
    secret = &all[spec->secret_count++];
    *secret = (struct legacy_vm_secret){0};
    err = read_gpa(o, 16, &secret->gpa);
    if (err == 0) {
        err = read_fixed(o, "header", secret->header, sizeof(secret->header));
    }
    return err != 0 ? err : read_payload(o, secret);
}

/* --- top --- */

static bool name_ok(const char *name)
{
    size_t n = 0;

    while ((unsigned char)name[n] >= 0x20 && name[n] != 0x7f) {
        n++;
    }
    return n > 0 && name[n] == '\0' &&
           n < sizeof(((struct legacy_vm_spec *)NULL)->name);
}

static int read_scalars(struct reader *r, const struct spec_object *o)
{
    const char *name = NULL;
    uint64_t policy = r->spec->policy;
    bool finish = true;
    int err = spec_string(o, "name", &name);

    if (err == 0 && name != NULL && !name_ok(name)) {
        err = spec_fail(o, "name",
                        "must be 1 to %zu bytes without control characters",
                        sizeof(r->spec->name) - 1);
    }
    if (err == 0) {
        err = spec_number(o, "policy", UINT32_MAX, &policy);
    }
    if (err == 0) {
        err = spec_bool(o, "finish", &finish);
    }
    if (err == 0 && name != NULL) {
        (void)snprintf(r->spec->name, sizeof(r->spec->name), "%s", name);
    }
    r->spec->policy = (uint32_t)policy;
    r->spec->unfinished = !finish;
    return err;
}

static int read_all(struct reader *r, const struct spec_object *o)
{
    static const char *const members[] = {"name",   "policy",  "session",
                                          "memory", "vcpus",   "vmsas",
                                          "finish", "secrets", NULL};
    int err = spec_known(o, members);

    if (err == 0) {
        err = read_scalars(r, o);
    }
    if (err == 0) {
        err = read_session(r, o);
    }
    if (err == 0) {
        err = read_memory(r, o);
    }
    if (err == 0) {
        err = read_vcpus(r, o);
    }
    return err != 0 ? err : each(r, o, "secrets", MAX_SECRETS, read_secret);
}

int legacy_vm_spec_parse(const char *text, size_t size, const char *dir,
                         const struct psp_profile *profile,
                         struct legacy_vm_spec *spec, char *error)
{
    struct reader r = {.parser = {.dir = dir, .error = error},
                       .spec = spec,
                       .profile = profile};
    struct spec_object top = {&r.parser, "", NULL};
    json_error_t where;
    int err;

    error[0] = '\0';
    default_scalars(spec);
    top.json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
    if (top.json == NULL) {
        err = spec_fail(&top, "", "line %d, column %d: %s", where.line,
                        where.column, where.text);
    } else if (!json_is_object(top.json)) {
        err = spec_fail(&top, "", "must be a JSON object");
    } else {
        err = read_all(&r, &top);
    }
    json_decref(top.json);
    if (err != 0) {
        legacy_vm_spec_clear(spec);
    }
    if (err == -ENOMEM) {
        (void)snprintf(error, SPEC_ERROR_SIZE, "out of memory");
    }
    return err;
}
