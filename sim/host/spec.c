/* SPDX-License-Identifier: Apache-2.0 */
/* The guest that is launched when nobody describes another. */
#include "spec_impl.h"

#include "cpuid_page.h"
#include "crypto.h"
#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_POLICY     0x30000u
#define FIRMWARE_GPA       0xffffe000ull
#define FIRMWARE_COUNT     2u
#define RESET_VECTOR       0xff0u /* in the last page */
#define DEFAULT_PAGE_COUNT (FIRMWARE_COUNT + 2u)

/* Not a real firmware: hlt and jump back, and a text that says so. */
static const char FIRMWARE_TEXT[] = "swpsp simulated guest firmware";
static const uint8_t FIRMWARE_CODE[] = {0xf4, 0xeb, 0xfd};

static int make_firmware(struct vm_page *pages)
{
    for (size_t i = 0; i < FIRMWARE_COUNT; i++) {
        pages[i].type = VM_PAGE_NORMAL;
        pages[i].gpa = FIRMWARE_GPA + i * RMP_PAGE_SIZE;
        pages[i].data = calloc(1, RMP_PAGE_SIZE);
        if (pages[i].data == NULL) {
            return -ENOMEM;
        }
        memcpy(pages[i].data, FIRMWARE_TEXT, sizeof(FIRMWARE_TEXT));
    }
    memcpy(pages[FIRMWARE_COUNT - 1].data + RESET_VECTOR, FIRMWARE_CODE,
           sizeof(FIRMWARE_CODE));
    return 0;
}

static int make_cpuid(struct vm_page *page, const struct psp_profile *profile)
{
    page->type = VM_PAGE_CPUID;
    page->gpa = VM_DEFAULT_CPUID_GPA;
    page->data = malloc(RMP_PAGE_SIZE);
    if (page->data == NULL) {
        return -ENOMEM;
    }
    cpuid_page_make(page->data, profile);
    return 0;
}

int spec_default_pages(struct vm_spec *spec, const struct psp_profile *profile)
{
    struct vm_page *pages = calloc(DEFAULT_PAGE_COUNT, sizeof(*pages));
    int err;

    if (pages == NULL) {
        return -ENOMEM;
    }
    spec->pages = pages;
    spec->page_count = DEFAULT_PAGE_COUNT;
    err = make_firmware(pages);
    pages[FIRMWARE_COUNT].type = VM_PAGE_SECRETS;
    pages[FIRMWARE_COUNT].gpa = VM_DEFAULT_SECRETS_GPA;
    return err != 0 ? err : make_cpuid(&pages[FIRMWARE_COUNT + 1], profile);
}

void spec_default_scalars(struct vm_spec *spec)
{
    *spec = (struct vm_spec){
        .name = "guest",
        .policy = DEFAULT_POLICY,
        .vcpu_count = 1,
    };
}

int vm_spec_default(struct vm_spec *spec, const struct psp_profile *profile)
{
    int err;

    spec_default_scalars(spec);
    err = spec_default_pages(spec, profile);
    if (err != 0) {
        vm_spec_clear(spec);
    }
    return err;
}

void vm_spec_clear(struct vm_spec *spec)
{
    for (size_t i = 0; i < spec->page_count; i++) {
        free(spec->pages[i].data);
    }
    free(spec->pages);
    free(spec->id_auth);
    free(spec->certs);
    psp_wipe(spec, sizeof(*spec));
}
