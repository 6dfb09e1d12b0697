/* SPDX-License-Identifier: Apache-2.0 */
#include <psp/cpuid.h>

#include <string.h>

enum { MILAN, GENOA, TURIN, COLUMNS };

/* "Auth", "cAMD", "enti" in EBX, ECX, EDX. */
#define VENDOR 0x68747541u, 0x444d4163u, 0x69746e65u

/* One value in all generations, or one for each. */
#define SAME(...)                                                              \
    {                                                                          \
        {__VA_ARGS__}, {__VA_ARGS__}, {__VA_ARGS__},                           \
    }

static const struct row {
    uint32_t leaf;
    uint32_t subleaf;
    struct psp_cpuid v[COLUMNS];
} ROWS[] = {
    {0x0, 0, SAME(0x10, VENDOR)},
    /* EAX is the profile's; EBX: CLFLUSH of 8 quadwords, one thread. */
    {0x1, 0, SAME(0, 0x00010800, 0x7efa320b, 0x178bfbff)},
    {0x5, 0, SAME(0x40, 0x40, 0x3, 0x11)},
    {0x6, 0, SAME(0x4, 0, 0x1, 0)},
    {0x7,
     0,
     {{0, 0x219c97a9, 0x0040069c, 0x00000010},
      {1, 0xf1bf97a9, 0x00415fde, 0x00000010},
      {1, 0xf1bf97a9, 0x18415fde, 0x00000110}}},
    {0x7, 1, {{0}, {0x20, 0, 0, 0}, {0x30, 0, 0, 0}}},
    {0xb, 0, SAME(0, 1, 0x100, 0)},
    {0xb, 1, SAME(0, 1, 0x201, 0)},
    {0xd,
     0,
     {{0x207, 0x240, 0x988, 0},
      {0x2e7, 0x240, 0x988, 0},
      {0x2e7, 0x240, 0x988, 0}}},
    {0xd, 1, SAME(0xf, 0x240, 0x1800, 0)},
    {0xd, 2, SAME(0x100, 0x240, 0, 0)},
    {0xd, 5, {{0}, {0x40, 0x340, 0, 0}, {0x40, 0x340, 0, 0}}},
    {0xd, 6, {{0}, {0x200, 0x380, 0, 0}, {0x200, 0x380, 0, 0}}},
    {0xd, 7, {{0}, {0x400, 0x580, 0, 0}, {0x400, 0x580, 0, 0}}},
    {0xd, 9, SAME(0x8, 0x980, 0, 0)},
    {0xd, 11, SAME(0x10, 0, 0x1, 0)},
    {0xd, 12, SAME(0x18, 0, 0x1, 0)},
    {0x80000000,
     0,
     {{0x80000023, VENDOR}, {0x80000028, VENDOR}, {0x80000028, VENDOR}}},
    {0x80000001, 0, SAME(0, 0x40000000, 0x75c237ff, 0x2fd3fbff)},
    /* "swpsp simulated AMD EPYC processor": no real part's name. */
    {0x80000002, 0, SAME(0x73707773, 0x69732070, 0x616c756d, 0x20646574)},
    {0x80000003, 0, SAME(0x20444d41, 0x43595045, 0x6f727020, 0x73736563)},
    {0x80000004, 0, SAME(0x0000726f, 0, 0, 0)},
    {0x80000005, 0, SAME(0xff48ff40, 0xff48ff40, 0x20080140, 0x20080140)},
    {0x80000006, 0, SAME(0x5c002200, 0x6c004200, 0x02006140, 0x01009140)},
    {0x80000007, 0, SAME(0, 0x3b, 0, 0x6799)},
    /* EAX: guest physical addresses as wide as physical ones, which is what 0
     * on hardware means; KVM hands guests a number. */
    {0x80000008,
     0,
     {{0x00303030, 0x1d3ef35f, 0, 0x00010007},
      {0x00343934, 0x7d3ef35f, 0, 0x00010007},
      {0x00343934, 0x7d3ef35f, 0, 0x00010007}}},
    {0x8000001d, 0, SAME(0x4121, 0x01c0003f, 0x3f, 0)},
    {0x8000001d, 1, SAME(0x4122, 0x01c0003f, 0x3f, 0)},
    {0x8000001d, 2, SAME(0x4143, 0x01c0003f, 0x3ff, 0x2)},
    {0x8000001d, 3, SAME(0x4163, 0x03c0003f, 0x7fff, 0x1)},
    {0x8000001e, 0, SAME(0, 0, 0, 0)},
    {0x8000001f,
     0,
     {{0x0001fd3f, 0x4173, 0x1fd, 0x80},
      {0x0301ff7f, 0x4173, 0x3ee, 0x3ef},
      {0x0301ff7f, 0x4173, 0x3ee, 0x3ef}}},
    {0x80000021,
     0,
     {{0x1800024f, 0, 0, 0}, {0x38062fcf, 0, 0, 0}, {0x78062fcf, 0, 0, 0}}},
    {0x80000026, 0, SAME(0, 1, 0x100, 0)},
};

#define ROW_COUNT (sizeof(ROWS) / sizeof(ROWS[0]))

uint32_t psp_cpuid_fms(const struct psp_profile *p)
{
    uint32_t family = p->cpuid_family;
    uint32_t base = family > 0xf ? 0xf : family;
    uint32_t model = p->cpuid_model;

    return (family - base) << 20 | (model >> 4) << 16 | base << 8 |
           (model & 0xf) << 4 | (p->cpuid_stepping & 0xfu);
}

bool psp_cpuid_get(const struct psp_profile *profile, uint32_t leaf,
                   uint32_t subleaf, struct psp_cpuid *out)
{
    memset(out, 0, sizeof(*out));
    if (profile->generation < PSP_MILAN ||
        profile->generation >= PSP_GENERATION_COUNT) {
        return false;
    }
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (ROWS[i].leaf != leaf || ROWS[i].subleaf != subleaf) {
            continue;
        }
        *out = ROWS[i].v[profile->generation - PSP_MILAN];
        if (leaf == 0x1 || leaf == 0x80000001) {
            out->eax = psp_cpuid_fms(profile);
        }
        return true;
    }
    return false;
}

bool psp_cpuid_at(size_t index, uint32_t *leaf, uint32_t *subleaf)
{
    if (index >= ROW_COUNT) {
        return false;
    }
    *leaf = ROWS[index].leaf;
    *subleaf = ROWS[index].subleaf;
    return true;
}
