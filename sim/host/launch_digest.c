/* SPDX-License-Identifier: Apache-2.0 */
#include "launch_digest.h"

#include "crypto.h"
#include "vmsa.h"
#include "wire.h"

#define PAGE_INFO_SIZE 0x70u
/* GUEST_TSC_SCALE and GUEST_TSC_OFFSET read as zero in a measured VMSA. */
#define VMSA_TSC_OFFSET 0x2f0u
#define VMSA_TSC_SIZE   0x10u

static const uint8_t ZERO_PAGE[RMP_PAGE_SIZE];

static void hash_contents(const struct vm_page *page,
                          uint8_t contents[SHA384_SIZE])
{
    const uint8_t *data = page->data == NULL ? ZERO_PAGE : page->data;
    const struct psp_part vmsa[] = {
        {data, VMSA_TSC_OFFSET},
        {ZERO_PAGE, VMSA_TSC_SIZE},
        {data + VMSA_TSC_OFFSET + VMSA_TSC_SIZE,
         RMP_PAGE_SIZE - VMSA_TSC_OFFSET - VMSA_TSC_SIZE},
    };

    if (page->type == VM_PAGE_NORMAL) {
        psp_sha384(data, RMP_PAGE_SIZE, contents);
    } else if (page->type == VM_PAGE_VMSA) {
        psp_sha384_parts(vmsa, 3, contents);
    } else {
        memset(contents, 0, SHA384_SIZE);
    }
}

void launch_digest_page(uint8_t ld[LAUNCH_DIGEST_SIZE],
                        const struct vm_page *page)
{
    uint8_t contents[SHA384_SIZE];
    uint8_t info[PAGE_INFO_SIZE];
    struct psp_wr w = psp_wr(info, sizeof(info));

    hash_contents(page, contents);
    psp_wr_bytes(&w, ld, LAUNCH_DIGEST_SIZE);
    psp_wr_bytes(&w, contents, sizeof(contents));
    psp_wr_le16(&w, PAGE_INFO_SIZE);
    psp_wr_u8(&w, page->type);
    psp_wr_u8(&w, page->imi);
    psp_wr_u8(&w, 0);
    psp_wr_bytes(&w, page->vmpl_perms, sizeof(page->vmpl_perms));
    psp_wr_le64(&w, page->gpa);
    psp_sha384(info, sizeof(info), ld);
}

void launch_digest_spec(const struct vm_spec *spec,
                        const struct psp_profile *profile,
                        uint8_t ld[LAUNCH_DIGEST_SIZE])
{
    uint8_t area[VMSA_SIZE];
    const struct vm_page vmsa = {
        .type = VM_PAGE_VMSA, .gpa = VM_VMSA_GPA, .data = area};

    vmsa_reset(area, VMSA_RESET_EIP, vmsa_fms(profile), VMSA_SNP_ACTIVE);
    memset(ld, 0, LAUNCH_DIGEST_SIZE);
    for (size_t i = 0; i < spec->page_count; i++) {
        launch_digest_page(ld, &spec->pages[i]);
    }
    for (uint32_t i = 0; i < spec->vcpu_count; i++) {
        launch_digest_page(ld, &vmsa);
    }
}
