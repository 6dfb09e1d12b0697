/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A CPUID page for a small guest that the firmware's checks accept on every
 * profile. Spec: abi/snp.md §4.6.
 */
#ifndef HOST_CPUID_PAGE_H
#define HOST_CPUID_PAGE_H

#include <psp/profile.h>

#include <stdint.h>

#define CPUID_PAGE_SIZE 0x1000u

void cpuid_page_make(uint8_t page[CPUID_PAGE_SIZE],
                     const struct psp_profile *profile);

#endif
