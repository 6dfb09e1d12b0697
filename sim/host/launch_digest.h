/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The launch digest as the guest's owner computes it beforehand: written from
 * the specification, without the firmware model's code.
 * Spec: [56860 §8.17.2], abi/snp.md §4.2 to §4.4.
 */
#ifndef HOST_LAUNCH_DIGEST_H
#define HOST_LAUNCH_DIGEST_H

#include "vm.h"

#define LAUNCH_DIGEST_SIZE 48u

/** Extend @ld by one page; 48 zero bytes start a digest. */
void launch_digest_page(uint8_t ld[LAUNCH_DIGEST_SIZE],
                        const struct vm_page *page);

/** Digest of everything that vm_launch() will measure for @spec. */
void launch_digest_spec(const struct vm_spec *spec,
                        const struct psp_profile *profile,
                        uint8_t ld[LAUNCH_DIGEST_SIZE]);

#endif
