/* SPDX-License-Identifier: Apache-2.0 */
#include "cpuid_page.h"

#include "vmsa.h"
#include "wire.h"

#include <stdio.h>

#define BIT(n) (1u << (n))

struct function {
    uint32_t eax_in, ecx_in;
    uint64_t xcr0_in;
    uint32_t eax, ebx, ecx, edx;
};

/* "AuthenticAMD" in EBX, EDX, ECX. */
#define VENDOR_EBX 0x68747541u
#define VENDOR_ECX 0x444d4163u
#define VENDOR_EDX 0x69746e65u

/* Features that every EPYC since Milan has. */
#define ECX_1                                                                  \
    (BIT(0) | BIT(1) | BIT(9) | BIT(12) | BIT(13) | BIT(19) | BIT(20) |        \
     BIT(22) | BIT(23) | BIT(25) | BIT(26) | BIT(28) | BIT(29) | BIT(30))
#define EDX_1                                                                  \
    (BIT(0) | BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(7) |   \
     BIT(8) | BIT(9) | BIT(11) | BIT(12) | BIT(13) | BIT(14) | BIT(15) |       \
     BIT(16) | BIT(17) | BIT(19) | BIT(23) | BIT(24) | BIT(25) | BIT(26))
#define EBX_7                                                                  \
    (BIT(0) | BIT(3) | BIT(5) | BIT(7) | BIT(8) | BIT(18) | BIT(19) |          \
     BIT(20) | BIT(23) | BIT(24) | BIT(29))
#define ECX_8000_0001 (BIT(0) | BIT(5) | BIT(6) | BIT(7) | BIT(8))
#define EDX_8000_0001                                                          \
    (BIT(11) | BIT(20) | BIT(22) | BIT(25) | BIT(26) | BIT(27) | BIT(29))

/* EAX of leaves 1 and 8000_0001h is the profile's. XSAVE sizes are those of
 * XCR0 = 1, as QEMU sends them. */
static const struct function FUNCTIONS[] = {
    {0x0, 0, 0, 0xd, VENDOR_EBX, VENDOR_ECX, VENDOR_EDX},
    {0x1, 0, 0, 0, 0x00010800, ECX_1, EDX_1},
    {0x7, 0, 0, 0, EBX_7, 0, 0},
    {0xd, 0, 1, 0x7, 0x240, 0x340, 0},
    {0xd, 1, 1, 0x7, 0x240, 0, 0},
    {0x80000000, 0, 0, 0x8000001f, VENDOR_EBX, VENDOR_ECX, VENDOR_EDX},
    {0x80000001, 0, 0, 0, 0, ECX_8000_0001, EDX_8000_0001},
    /* 48 address bits each way. */
    {0x80000008, 0, 0, 0x3030, 0, 0, 0},
    /* SEV, SEV-ES, SNP; C-bit 51, 5 bits less, 4 VMPLs. */
    {0x8000001f, 0, 0, BIT(1) | BIT(3) | BIT(4), 51 | 5 << 6 | 4 << 12, 0, 0},
};

#define FUNCTION_COUNT (sizeof(FUNCTIONS) / sizeof(FUNCTIONS[0]))
#define BRAND_LEAVES   3u
#define BRAND_SIZE     48u

static void put_function(struct psp_wr *w, const struct function *f)
{
    psp_wr_le32(w, f->eax_in);
    psp_wr_le32(w, f->ecx_in);
    psp_wr_le64(w, f->xcr0_in);
    psp_wr_le64(w, 0);
    psp_wr_le32(w, f->eax);
    psp_wr_le32(w, f->ebx);
    psp_wr_le32(w, f->ecx);
    psp_wr_le32(w, f->edx);
    psp_wr_le64(w, 0);
}

static void put_brand(struct psp_wr *w, const struct psp_profile *profile)
{
    char text[BRAND_SIZE] = {0};
    struct psp_rd r = psp_rd(text, sizeof(text));

    (void)snprintf(text, sizeof(text), "swpsp simulated EPYC (%s)",
                   psp_generation_name(profile->generation));
    for (uint32_t i = 0; i < BRAND_LEAVES; i++) {
        struct function f = {.eax_in = 0x80000002u + i};

        f.eax = psp_rd_le32(&r);
        f.ebx = psp_rd_le32(&r);
        f.ecx = psp_rd_le32(&r);
        f.edx = psp_rd_le32(&r);
        put_function(w, &f);
    }
}

void cpuid_page_make(uint8_t page[CPUID_PAGE_SIZE],
                     const struct psp_profile *profile)
{
    struct psp_wr w = psp_wr(page, CPUID_PAGE_SIZE);

    psp_wr_le32(&w, FUNCTION_COUNT + BRAND_LEAVES);
    psp_wr_pad_to(&w, 0x10);
    for (size_t i = 0; i < FUNCTION_COUNT; i++) {
        struct function f = FUNCTIONS[i];

        if (f.eax_in == 0x1 || f.eax_in == 0x80000001) {
            f.eax = vmsa_fms(profile);
        }
        put_function(&w, &f);
    }
    put_brand(&w, profile);
    psp_wr_pad_to(&w, CPUID_PAGE_SIZE);
}
