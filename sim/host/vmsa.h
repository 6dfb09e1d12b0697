/* SPDX-License-Identifier: Apache-2.0 */
/**
 * VM save areas as KVM and QEMU make them: the state of a vCPU after reset.
 */
#ifndef HOST_VMSA_H
#define HOST_VMSA_H

#include <psp/profile.h>

#include <stdint.h>

#define VMSA_SIZE 0x1000u

/** Reset vector of the first vCPU. */
#define VMSA_RESET_EIP 0xfffffff0u
/** SEV_FEATURES: SNP is active. */
#define VMSA_SNP_ACTIVE 0x1ull

/**
 * The save area of one vCPU, launched at VMPL0.
 *
 * @eip       First instruction: CS base in its upper half, RIP in the lower.
 * @fms       CPUID Fn0000_0001 EAX, which a vCPU finds in EDX.
 * @features  SEV_FEATURES.
 * Spec: [APM volume 2, appendix B table B-4]; measured value: abi/snp.md §11.2.
 */
void vmsa_reset(uint8_t page[VMSA_SIZE], uint32_t eip, uint32_t fms,
                uint64_t features);

/** SEV_FEATURES of a save area. */
uint64_t vmsa_features(const uint8_t page[VMSA_SIZE]);

/** CPUID Fn0000_0001 EAX of a profile. */
uint32_t vmsa_fms(const struct psp_profile *profile);

#endif
