/* SPDX-License-Identifier: Apache-2.0 */
#include "policy.h"

#include "snp_status.h"

#define INFO_SMT_EN 0x1u

/* Bits that all firmware knows. */
#define POLICY_BASE 0x1fffffull

/* First report version of the firmware that knows PAGE_SWAP_DISABLE: no public
 * feature bit announces it. [model] */
#define PAGE_SWAP_DISABLE_REPORT_VERSION 5u

/* Bits that this firmware knows; the others are reserved. */
static uint64_t known_bits(const struct snp_platform *snp)
{
    uint64_t known = POLICY_BASE;

    if (snp_has_feature(snp, SNP_FEATURE_CXL_ALLOW)) {
        known |= SNP_POLICY_CXL_ALLOW;
    }
    if (snp_has_feature(snp, SNP_FEATURE_AES_256_XTS)) {
        known |= SNP_POLICY_MEM_AES_256_XTS;
    }
    if (snp_has_feature(snp, SNP_FEATURE_RAPL_DIS)) {
        known |= SNP_POLICY_RAPL_DIS;
    }
    if (snp_has_feature(snp, SNP_FEATURE_CIPHERTEXT_HIDING)) {
        known |= SNP_POLICY_CIPHERTEXT_HIDING;
    }
    if (snp->core->profile.report_version >= PAGE_SWAP_DISABLE_REPORT_VERSION) {
        known |= SNP_POLICY_PAGE_SWAP_DISABLE;
    }
    return known;
}

static bool abi_ok(const struct snp_platform *snp, uint64_t policy)
{
    uint8_t major = SNP_POLICY_ABI_MAJOR(policy);

    if (snp->current_version.major != major) {
        return snp->current_version.major > major;
    }
    return snp->current_version.minor >= SNP_POLICY_ABI_MINOR(policy);
}

/* What the platform is must not contradict what the guest demands. The model
 * has no CXL devices and encrypts memory with AES-128 only. */
static bool platform_ok(const struct snp_platform *snp, uint64_t policy)
{
    bool smt = (snp_platform_info(snp) & INFO_SMT_EN) != 0;

    return (!smt || (policy & SNP_POLICY_SMT) != 0) &&
           (policy & SNP_POLICY_MEM_AES_256_XTS) == 0 &&
           ((policy & SNP_POLICY_RAPL_DIS) == 0 || snp->rapl_dis) &&
           ((policy & SNP_POLICY_CIPHERTEXT_HIDING) == 0 ||
            snp->ciphertext_hiding_en);
}

static bool agent_ok(uint64_t policy, const struct snp_guest *agent)
{
    return agent->ma_gctx_paddr == SNP_NO_AGENT &&
           (policy & SNP_POLICY_MIGRATE_MA) != 0 &&
           ((policy & SNP_POLICY_SINGLE_SOCKET) == 0 ||
            (agent->policy & SNP_POLICY_SINGLE_SOCKET) != 0);
}

bool snp_policy_ok(const struct snp_platform *snp, uint64_t policy,
                   const struct snp_guest *agent)
{
    return abi_ok(snp, policy) && (policy & SNP_POLICY_RESERVED_1) != 0 &&
           (policy & ~known_bits(snp)) == 0 && platform_ok(snp, policy) &&
           (agent == NULL || agent_ok(policy, agent));
}
