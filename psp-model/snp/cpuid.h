/* SPDX-License-Identifier: Apache-2.0 */
/**
 * CPUID policy of SNP guests: what the firmware lets a hypervisor tell a guest.
 * Spec: [ppr], abi/snp.md §4.6.
 */
#ifndef SNP_CPUID_POLICY_H
#define SNP_CPUID_POLICY_H

#include "snp_cpuid.h"

#include <psp/profile.h>

#include <stdbool.h>

/**
 * Check @count functions against the platform's values and overwrite each
 * output register that claims too much with an acceptable value.
 *
 * Returns true when nothing had to be corrected.
 */
bool snp_cpuid_enforce(const struct psp_profile *profile,
                       struct snp_cpuid_function *fn, size_t count);

#endif
