/* SPDX-License-Identifier: Apache-2.0 */
#include "cpuid.h"

#include <psp/cpuid.h>

#define SUBLEAF_ANY UINT32_MAX

/* How one output register is judged against the platform's. */
enum kind {
    FREE,    /* unchecked */
    ZERO,    /* must be zero */
    STRICT,  /* equal */
    MASK,    /* subset of the platform's bits */
    MASK_1C, /* the same, OSXSAVE and HYPERVISOR free */
    MASK_7C, /* the same, OSPKE free */
    LESS,    /* not greater */
    BYTES,   /* not greater, byte by byte */
    FMS,     /* family, model, stepping not newer */
    CLFLUSH, /* bits 15:8 are 8 */
    XCR0,    /* x87 and SSE on, the rest a subset */
    XSAVE,   /* size of the standard area for XCR0_IN */
    XSAVES,  /* size of the compacted area for XCR0_IN and XSS_IN */
    MEMENC,  /* C-bit position equal, VMPL count not greater */
};

#define OSXSAVE_HYPERVISOR 0x88000000u
#define OSPKE              0x00000010u

/* abi/snp.md §4.6. Rows for leaves that have subleaves name them. */
static const struct rule {
    uint32_t leaf;
    uint32_t subleaf;
    enum kind eax, ebx, ecx, edx;
} RULES[] = {
    {0x0, SUBLEAF_ANY, LESS, FREE, FREE, FREE},
    {0x1, SUBLEAF_ANY, FMS, CLFLUSH, MASK_1C, MASK},
    {0x2, SUBLEAF_ANY, FREE, FREE, FREE, FREE},
    {0x4, SUBLEAF_ANY, FREE, FREE, FREE, FREE},
    {0x5, SUBLEAF_ANY, FREE, FREE, FREE, FREE},
    {0x6, SUBLEAF_ANY, MASK, ZERO, MASK, ZERO},
    {0x7, 0, LESS, MASK, MASK_7C, MASK},
    {0x7, 1, MASK, ZERO, ZERO, ZERO},
    {0xb, SUBLEAF_ANY, FREE, FREE, FREE, FREE},
    {0xd, 0, XCR0, XSAVE, FREE, ZERO},
    {0xd, 1, MASK, XSAVES, MASK, ZERO},
    {0xd, SUBLEAF_ANY, STRICT, STRICT, MASK, ZERO},
    {0x80000000, SUBLEAF_ANY, LESS, FREE, FREE, FREE},
    {0x80000001, SUBLEAF_ANY, FMS, FREE, MASK, MASK},
    {0x80000002, SUBLEAF_ANY, FREE, FREE, FREE, FREE},
    {0x80000003, SUBLEAF_ANY, FREE, FREE, FREE, FREE},
    {0x80000004, SUBLEAF_ANY, FREE, FREE, FREE, FREE},
    {0x80000005, SUBLEAF_ANY, FREE, FREE, FREE, FREE},
    {0x80000006, SUBLEAF_ANY, FREE, FREE, FREE, FREE},
    {0x80000007, SUBLEAF_ANY, STRICT, MASK, FREE, MASK},
    {0x80000008, SUBLEAF_ANY, BYTES, MASK, FREE, LESS},
    {0x8000001d, SUBLEAF_ANY, FREE, FREE, FREE, FREE},
    {0x8000001e, SUBLEAF_ANY, FREE, FREE, FREE, FREE},
    {0x8000001f, SUBLEAF_ANY, MASK, MEMENC, FREE, FREE},
    {0x80000021, SUBLEAF_ANY, MASK, FREE, ZERO, ZERO},
    {0x80000026, SUBLEAF_ANY, FREE, FREE, FREE, FREE},
};

#define RULE_COUNT (sizeof(RULES) / sizeof(RULES[0]))

/* A leaf of the enforced ranges that no row lists. */
static const struct rule UNLISTED = {0, 0, ZERO, ZERO, ZERO, ZERO};

static bool enforced(uint32_t leaf)
{
    return leaf <= 0xffff || (leaf >= 0x80000000 && leaf <= 0x8000ffff);
}

static const struct rule *rule_of(const struct snp_cpuid_function *fn)
{
    for (size_t i = 0; i < RULE_COUNT; i++) {
        if (RULES[i].leaf == fn->eax_in && (RULES[i].subleaf == SUBLEAF_ANY ||
                                            RULES[i].subleaf == fn->ecx_in)) {
            return &RULES[i];
        }
    }
    return &UNLISTED;
}

/* Values of the platform: the subleaf counts only where the leaf has some. */
static void platform_of(const struct psp_profile *profile,
                        const struct snp_cpuid_function *fn,
                        struct psp_cpuid *out)
{
    bool has_subleaves = fn->eax_in == 0x7 || fn->eax_in == 0xd;

    (void)psp_cpuid_get(profile, fn->eax_in, has_subleaves ? fn->ecx_in : 0,
                        out);
}

/* Ordered by family, then model, then stepping. */
static uint32_t fms_rank(uint32_t eax)
{
    uint32_t family = (eax >> 8 & 0xf) + (eax >> 20 & 0xff);
    uint32_t model = (eax >> 4 & 0xf) | (eax >> 12 & 0xf0);

    return family << 12 | model << 4 | (eax & 0xf);
}

static uint32_t least_bytes(uint32_t a, uint32_t b)
{
    uint32_t out = 0;

    for (uint32_t mask = 0xff; mask != 0; mask <<= 8) {
        out |= (a & mask) < (b & mask) ? a & mask : b & mask;
    }
    return out;
}

#define XSAVE_BASE 0x240u /* legacy region and header */

/* Extended components: standard offset and size. Supervisor ones (offset 0)
 * exist in the compacted format only. */
static const struct component {
    uint8_t bit;
    uint16_t offset;
    uint16_t size;
} COMPONENTS[] = {
    {2, 0x240, 0x100}, {5, 0x340, 0x40}, {6, 0x380, 0x200}, {7, 0x580, 0x400},
    {9, 0x980, 0x8},   {11, 0, 0x10},    {12, 0, 0x18},
};

static uint32_t xsave_size(uint64_t features, bool compacted)
{
    uint32_t size = XSAVE_BASE;

    for (size_t i = 0; i < sizeof(COMPONENTS) / sizeof(COMPONENTS[0]); i++) {
        const struct component *c = &COMPONENTS[i];

        if ((features >> c->bit & 1) == 0) {
            continue;
        }
        if (compacted) {
            size += c->size;
        } else if (c->offset != 0) {
            size = (uint32_t)c->offset + c->size;
        }
    }
    return size;
}

#define CBIT_MASK 0xffff003fu /* C-bit position and reserved bits */
#define VMPL_MASK 0x0000f000u

static uint32_t judge_memenc(uint32_t value, uint32_t platform)
{
    uint32_t vmpls = value & VMPL_MASK;

    if (vmpls > (platform & VMPL_MASK)) {
        vmpls = platform & VMPL_MASK;
    }
    return (value & ~(CBIT_MASK | VMPL_MASK)) | (platform & CBIT_MASK) | vmpls;
}

/* The acceptable value nearest to @value: @value itself when it is fine. */
static uint32_t accept(enum kind kind, const struct snp_cpuid_function *fn,
                       uint32_t value, uint32_t platform)
{
    switch (kind) {
    case FREE:
        return value;
    case ZERO:
        return 0;
    case STRICT:
        return platform;
    case MASK:
        return value & platform;
    case MASK_1C:
        return value & (platform | OSXSAVE_HYPERVISOR);
    case MASK_7C:
        return value & (platform | OSPKE);
    case LESS:
        return value <= platform ? value : platform;
    case BYTES:
        return least_bytes(value, platform);
    case FMS:
        return fms_rank(value) <= fms_rank(platform) ? value : platform;
    case CLFLUSH:
        return (value & ~0xff00u) | 0x0800u;
    case XCR0:
        return (value & platform) | 0x3u;
    case XSAVE:
        return xsave_size(fn->xcr0_in, false);
    case XSAVES:
        return xsave_size(fn->xcr0_in | fn->xss_in, true);
    case MEMENC:
        return judge_memenc(value, platform);
    }
    return 0;
}

static bool enforce(const struct psp_profile *profile,
                    struct snp_cpuid_function *fn)
{
    const struct rule *rule = rule_of(fn);
    const struct snp_cpuid_function given = *fn;
    struct psp_cpuid p;

    platform_of(profile, fn, &p);
    fn->eax = accept(rule->eax, &given, given.eax, p.eax);
    fn->ebx = accept(rule->ebx, &given, given.ebx, p.ebx);
    fn->ecx = accept(rule->ecx, &given, given.ecx, p.ecx);
    fn->edx = accept(rule->edx, &given, given.edx, p.edx);
    return fn->eax == given.eax && fn->ebx == given.ebx &&
           fn->ecx == given.ecx && fn->edx == given.edx;
}

bool snp_cpuid_enforce(const struct psp_profile *profile,
                       struct snp_cpuid_function *fn, size_t count)
{
    bool clean = true;

    for (size_t i = 0; i < count; i++) {
        if (enforced(fn[i].eax_in) && !enforce(profile, &fn[i])) {
            clean = false;
        }
    }
    return clean;
}
