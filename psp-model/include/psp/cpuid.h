/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the CPUID instruction says on a bare processor of each generation, as
 * far as SNP cares: the firmware's policy compares with it, and a hypervisor
 * can build a CPUID page from it. Facts of AMD's APM volume 3 and processor
 * programming references; reduced to what a guest may be told.
 */
#ifndef PSP_CPUID_H
#define PSP_CPUID_H

#include <psp/profile.h>

struct psp_cpuid {
    uint32_t eax;
    uint32_t ebx;
    uint32_t ecx;
    uint32_t edx;
};

/**
 * Value of one leaf. Sizes of XSAVE areas (0Dh.0 EBX, 0Dh.1 EBX) are those of
 * x87 and SSE only (240h); topology leaves are of one core.
 *
 * Returns false (and zeros) for a leaf or subleaf that this table lacks.
 */
bool psp_cpuid_get(const struct psp_profile *profile, uint32_t leaf,
                   uint32_t subleaf, struct psp_cpuid *out);

/** Leaf and subleaf number @index in ascending order, or false past the last.
 * All generations list the same leaves. */
bool psp_cpuid_at(size_t index, uint32_t *leaf, uint32_t *subleaf);

/** Fn0000_0001 EAX: family, model and stepping of the profile. */
uint32_t psp_cpuid_fms(const struct psp_profile *profile);

#endif
