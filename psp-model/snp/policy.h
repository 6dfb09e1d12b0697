/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Guest policy. Spec: abi/snp.md §5.5.
 */
#ifndef SNP_POLICY_H
#define SNP_POLICY_H

#include "snp.h"

#define SNP_POLICY_ABI_MINOR(p)      ((uint8_t)(p))
#define SNP_POLICY_ABI_MAJOR(p)      ((uint8_t)((p) >> 8))
#define SNP_POLICY_SMT               (1ull << 16)
#define SNP_POLICY_RESERVED_1        (1ull << 17) /* must be one */
#define SNP_POLICY_MIGRATE_MA        (1ull << 18)
#define SNP_POLICY_DEBUG             (1ull << 19)
#define SNP_POLICY_SINGLE_SOCKET     (1ull << 20)
#define SNP_POLICY_CXL_ALLOW         (1ull << 21)
#define SNP_POLICY_MEM_AES_256_XTS   (1ull << 22)
#define SNP_POLICY_RAPL_DIS          (1ull << 23)
#define SNP_POLICY_CIPHERTEXT_HIDING (1ull << 24)
#define SNP_POLICY_PAGE_SWAP_DISABLE (1ull << 25)

/** Does the platform meet @policy? @agent: the guest's migration agent, NULL
 * without one. The combined test of SNP_LAUNCH_START. */
bool snp_policy_ok(const struct snp_platform *snp, uint64_t policy,
                   const struct snp_guest *agent);

#endif
