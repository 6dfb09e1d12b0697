/* SPDX-License-Identifier: Apache-2.0 */
/* The "pages" of a guest description. */
#include "spec_impl.h"

#include "cpuid_page.h"
#include "vmsa.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_VMSA_GPA ((1ull << 52) - RMP_PAGE_SIZE)

static const char *const MEMBERS[] = {
    "type",   "gpa",  "vmpl_perms", "imi",  "count", "file",
    "offset", "size", "hex",        "fill", NULL,
};

static const char *const TYPES[] = {
    [VM_PAGE_NORMAL] = "normal",   [VM_PAGE_VMSA] = "vmsa",
    [VM_PAGE_ZERO] = "zero",       [VM_PAGE_UNMEASURED] = "unmeasured",
    [VM_PAGE_SECRETS] = "secrets", [VM_PAGE_CPUID] = "cpuid",
};

/* What one element of "pages" says: @count pages whose bytes are @data. */
struct element {
    struct vm_page page; /* the first one, without data */
    size_t count;
    uint8_t *data; /* NULL: default content */
    size_t size;
};

static int read_type(const struct spec_object *o, uint8_t *type)
{
    const char *text = NULL;
    int err = spec_string(o, "type", &text);

    if (err != 0) {
        return err;
    }
    for (uint8_t t = VM_PAGE_NORMAL; text != NULL && t <= VM_PAGE_CPUID; t++) {
        if (strcmp(TYPES[t], text) == 0) {
            *type = t;
            return 0;
        }
    }
    return spec_fail(o, "type",
                     "must be \"normal\", \"vmsa\", \"zero\", \"unmeasured\", "
                     "\"secrets\" or \"cpuid\"");
}

static int read_gpa(const struct spec_object *o, struct vm_page *page)
{
    bool vmsa = page->type == VM_PAGE_VMSA;
    int err;

    if (!spec_has(o, "gpa") && !vmsa) {
        return spec_fail(o, "gpa", "is missing");
    }
    page->gpa = VM_VMSA_GPA;
    err = spec_number(o, "gpa",
                      vmsa ? MAX_VMSA_GPA : VM_SHARED_GPA - RMP_PAGE_SIZE,
                      &page->gpa);
    if (err == 0 && page->gpa % RMP_PAGE_SIZE != 0) {
        err = spec_fail(o, "gpa", "must be a multiple of 0x1000");
    }
    return err;
}

static int read_count(const struct spec_object *o, struct element *e)
{
    uint64_t count = 1;
    int err = spec_number(o, "count", VM_MAX_PAGES, &count);

    if (err == 0 && count == 0) {
        err = spec_fail(o, "count", "must not be 0");
    }
    e->count = (size_t)count;
    return err;
}

/* Part of a file: [offset, offset + size), made the whole of e->data. */
static int cut(const struct spec_object *o, struct element *e)
{
    uint64_t offset = 0;
    uint64_t size;
    int err = spec_number(o, "offset", e->size, &offset);

    if (err != 0) {
        return err;
    }
    size = e->size - offset;
    err = spec_number(o, "size", e->size - offset, &size);
    if (err != 0) {
        return err;
    }
    if (size == 0) {
        return spec_fail(o, "file", "no bytes are left");
    }
    memmove(e->data, e->data + offset, (size_t)size);
    e->size = (size_t)size;
    return 0;
}

static int read_file_content(const struct spec_object *o, struct element *e)
{
    const char *name = NULL;
    int err = spec_string(o, "file", &name);

    if (err == 0 && spec_has(o, "count")) {
        err = spec_fail(o, "count", "does not go with \"file\"");
    }
    if (err == 0) {
        err = spec_file(o, "file", name, &e->data, &e->size);
    }
    if (err == 0) {
        err = cut(o, e);
    }
    e->count = (e->size + RMP_PAGE_SIZE - 1) / RMP_PAGE_SIZE;
    return err;
}

static int read_hex_content(const struct spec_object *o, struct element *e)
{
    int err = spec_hex_any(o, "hex", &e->data, &e->size);

    if (err == 0 && e->size > RMP_PAGE_SIZE) {
        err = spec_fail(o, "hex", "must be at most 4096 bytes");
    }
    return err;
}

static int read_fill_content(const struct spec_object *o, struct element *e)
{
    uint64_t fill = 0;
    int err = spec_number(o, "fill", 0xff, &fill);

    if (err != 0) {
        return err;
    }
    e->data = malloc(RMP_PAGE_SIZE);
    if (e->data == NULL) {
        return -ENOMEM;
    }
    e->size = RMP_PAGE_SIZE;
    memset(e->data, (int)fill, RMP_PAGE_SIZE);
    return 0;
}

/* The first member of @names that is there, or NULL. */
static const char *first_of(const struct spec_object *o,
                            const char *const *names)
{
    while (*names != NULL && !spec_has(o, *names)) {
        names++;
    }
    return *names;
}

static int default_content(const struct spec_object *o, struct element *e)
{
    const struct psp_profile *profile = o->parser->profile;

    if (e->page.type != VM_PAGE_VMSA && e->page.type != VM_PAGE_CPUID) {
        return 0;
    }
    e->data = malloc(RMP_PAGE_SIZE);
    if (e->data == NULL) {
        return -ENOMEM;
    }
    e->size = RMP_PAGE_SIZE;
    if (e->page.type == VM_PAGE_CPUID) {
        cpuid_page_make(e->data, profile);
    } else {
        vmsa_reset(e->data, VMSA_RESET_EIP, vmsa_fms(profile), VMSA_SNP_ACTIVE);
    }
    return 0;
}

static int read_content(const struct spec_object *o, struct element *e)
{
    static const char *const contents[] = {"file", "hex", "fill", NULL};
    static const char *const file_only[] = {"offset", "size", NULL};
    const char *content = first_of(o, contents);

    if (content != NULL &&
        (e->page.type == VM_PAGE_ZERO || e->page.type == VM_PAGE_SECRETS)) {
        return spec_fail(o, content, "pages of type \"%s\" have no content",
                         TYPES[e->page.type]);
    }
    if (spec_has(o, "file") + spec_has(o, "hex") + spec_has(o, "fill") > 1) {
        return spec_fail(o, content,
                         "only one of \"file\", \"hex\", \"fill\" is allowed");
    }
    if (!spec_has(o, "file") && first_of(o, file_only) != NULL) {
        return spec_fail(o, first_of(o, file_only), "goes with \"file\" only");
    }
    if (content == NULL) {
        return default_content(o, e);
    }
    if (strcmp(content, "file") == 0) {
        return read_file_content(o, e);
    }
    return strcmp(content, "hex") == 0 ? read_hex_content(o, e)
                                       : read_fill_content(o, e);
}

static int read_element(const struct spec_object *o, struct element *e)
{
    int err = spec_known(o, MEMBERS);

    if (err == 0) {
        err = read_type(o, &e->page.type);
    }
    if (err == 0) {
        err = read_gpa(o, &e->page);
    }
    if (err == 0) {
        err = spec_numbers(o, "vmpl_perms", sizeof(e->page.vmpl_perms),
                           e->page.vmpl_perms);
    }
    if (err == 0) {
        err = spec_bool(o, "imi", &e->page.imi);
    }
    if (err == 0) {
        err = read_count(o, e);
    }
    if (err == 0) {
        err = read_content(o, e);
    }
    return err;
}

/* A file is cut up; other content is repeated. */
static int page_data(const struct element *e, size_t index, bool from_file,
                     uint8_t **out)
{
    size_t offset = from_file ? index * RMP_PAGE_SIZE : 0;
    size_t left = e->size - offset;

    *out = NULL;
    if (e->data == NULL) {
        return 0;
    }
    *out = calloc(1, RMP_PAGE_SIZE);
    if (*out == NULL) {
        return -ENOMEM;
    }
    memcpy(*out, e->data + offset, left < RMP_PAGE_SIZE ? left : RMP_PAGE_SIZE);
    return 0;
}

static int check_room(const struct spec_object *o, const struct element *e)
{
    const char *key = spec_has(o, "file") ? "file" : "count";

    if (e->count > VM_MAX_PAGES - o->parser->spec->page_count) {
        return spec_fail(o, key, "more than %u pages in all", VM_MAX_PAGES);
    }
    /* VMSAs share one address: all of them are measured there. */
    if (e->page.type != VM_PAGE_VMSA &&
        e->count > (VM_SHARED_GPA - e->page.gpa) / RMP_PAGE_SIZE) {
        return spec_fail(o, key, "pages end above 0x%llx", VM_SHARED_GPA);
    }
    return 0;
}

static int append(const struct spec_object *o, const struct element *e)
{
    struct vm_spec *spec = o->parser->spec;
    bool from_file = spec_has(o, "file");
    struct vm_page *pages;
    int err = check_room(o, e);

    if (err != 0) {
        return err;
    }
    pages =
        realloc(spec->pages, (spec->page_count + e->count) * sizeof(*pages));
    if (pages == NULL) {
        return -ENOMEM;
    }
    spec->pages = pages;
    for (size_t i = 0; err == 0 && i < e->count; i++) {
        struct vm_page *page = &pages[spec->page_count];

        *page = e->page;
        if (e->page.type != VM_PAGE_VMSA) {
            page->gpa += i * RMP_PAGE_SIZE;
        }
        err = page_data(e, i, from_file, &page->data);
        spec->page_count++;
    }
    return err;
}

static int compare_gpa(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a;
    const uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static int check_overlap(const struct spec_object *o)
{
    const struct vm_spec *spec = o->parser->spec;
    uint64_t *gpas = calloc(spec->page_count + 1, sizeof(*gpas));
    size_t count = 0;
    int err = 0;

    if (gpas == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < spec->page_count; i++) {
        if (spec->pages[i].type != VM_PAGE_VMSA) {
            gpas[count++] = spec->pages[i].gpa;
        }
    }
    qsort(gpas, count, sizeof(*gpas), compare_gpa);
    for (size_t i = 1; err == 0 && i < count; i++) {
        if (gpas[i - 1] == gpas[i]) {
            err = spec_fail(o, "pages", "0x%llx is described twice",
                            (unsigned long long)gpas[i]);
        }
    }
    free(gpas);
    return err;
}

static int read_page(const struct spec_object *o, json_t *json, size_t index)
{
    char path[32];
    struct spec_object page = {o->parser, path, json};
    struct element e = {0};
    int err;

    (void)snprintf(path, sizeof(path), "pages[%zu]", index);
    if (!json_is_object(json)) {
        return spec_fail(&page, "", "must be an object");
    }
    (void)snprintf(path, sizeof(path), "pages[%zu].", index);
    err = read_element(&page, &e);
    if (err == 0) {
        err = append(&page, &e);
    }
    free(e.data);
    return err;
}

int spec_pages(const struct spec_object *o)
{
    json_t *array = json_object_get(o->json, "pages");
    int err = 0;

    if (array == NULL) {
        return spec_default_pages(o->parser->spec, o->parser->profile);
    }
    if (!json_is_array(array)) {
        return spec_fail(o, "pages", "must be an array");
    }
    for (size_t i = 0; err == 0 && i < json_array_size(array); i++) {
        err = read_page(o, json_array_get(array, i), i);
    }
    return err != 0 ? err : check_overlap(o);
}
