/* SPDX-License-Identifier: Apache-2.0 */
#include "vmsa.h"

#include "wire.h"

#define OFF_ES    0x000u
#define OFF_GDTR  0x060u
#define OFF_LDTR  0x070u
#define OFF_IDTR  0x080u
#define OFF_TR    0x090u
#define OFF_EFER  0x0d0u
#define OFF_CR4   0x148u
#define OFF_CR0   0x158u
#define OFF_DR7   0x160u
#define OFF_DR6   0x168u
#define OFF_RFLAG 0x170u
#define OFF_RIP   0x178u
#define OFF_G_PAT 0x268u
#define OFF_RDX   0x310u
#define OFF_FEAT  0x3b0u
#define OFF_XCR0  0x3e8u
#define OFF_MXCSR 0x408u
#define OFF_FCW   0x410u

#define EFER_SVME 0x1000u
#define CR0_ET    0x10u
#define CR4_MCE   0x40u

/* Segment registers stand in the order ES CS SS DS FS GS. */
static void put_segment(struct psp_wr *w, uint16_t selector, uint16_t attrib,
                        uint64_t base)
{
    psp_wr_le16(w, selector);
    psp_wr_le16(w, attrib);
    psp_wr_le32(w, 0xffff);
    psp_wr_le64(w, base);
}

static void put_segments(struct psp_wr *w, uint32_t eip)
{
    const uint16_t data = 0x93;
    const uint16_t code = 0x9b;

    psp_wr_pad_to(w, OFF_ES);
    put_segment(w, 0, data, 0);
    put_segment(w, 0xf000, code, eip & 0xffff0000u);
    for (int i = 0; i < 4; i++) {
        put_segment(w, 0, data, 0);
    }
    psp_wr_pad_to(w, OFF_GDTR);
    put_segment(w, 0, 0, 0);
    psp_wr_pad_to(w, OFF_LDTR);
    put_segment(w, 0, 0x82, 0);
    psp_wr_pad_to(w, OFF_IDTR);
    put_segment(w, 0, 0, 0);
    psp_wr_pad_to(w, OFF_TR);
    put_segment(w, 0, 0x8b, 0);
}

static void put64(struct psp_wr *w, size_t offset, uint64_t value)
{
    psp_wr_pad_to(w, offset);
    psp_wr_le64(w, value);
}

void vmsa_reset(uint8_t page[VMSA_SIZE], uint32_t eip, uint32_t fms,
                uint64_t features)
{
    struct psp_wr w = psp_wr(page, VMSA_SIZE);

    put_segments(&w, eip);
    put64(&w, OFF_EFER, EFER_SVME);
    put64(&w, OFF_CR4, CR4_MCE);
    put64(&w, OFF_CR0, CR0_ET);
    put64(&w, OFF_DR7, 0x400);
    put64(&w, OFF_DR6, 0xffff0ff0);
    put64(&w, OFF_RFLAG, 0x2);
    put64(&w, OFF_RIP, eip & 0xffffu);
    put64(&w, OFF_G_PAT, 0x0007040600070406);
    put64(&w, OFF_RDX, fms);
    put64(&w, OFF_FEAT, features);
    put64(&w, OFF_XCR0, 0x1);
    psp_wr_pad_to(&w, OFF_MXCSR);
    psp_wr_le32(&w, 0x1f80);
    psp_wr_pad_to(&w, OFF_FCW);
    psp_wr_le16(&w, 0x37f);
    psp_wr_pad_to(&w, VMSA_SIZE);
}

uint32_t vmsa_fms(const struct psp_profile *profile)
{
    uint32_t family = profile->cpuid_family;
    uint32_t extended = family > 0xf ? family - 0xf : 0;
    uint32_t base = family - extended;
    uint32_t model = profile->cpuid_model;

    return extended << 20 | (model >> 4) << 16 | base << 8 |
           (model & 0xf) << 4 | profile->cpuid_stepping;
}

uint64_t vmsa_features(const uint8_t page[VMSA_SIZE])
{
    struct psp_rd r = psp_rd(page + OFF_FEAT, sizeof(uint64_t));

    return psp_rd_le64(&r);
}
