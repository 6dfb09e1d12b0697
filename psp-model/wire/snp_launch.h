/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Launch structures: page types, PAGE_INFO (what a launch digest is made of)
 * and the secrets page. Spec: [56860 §8.17], abi/snp.md §4.2 to §4.5.
 */
#ifndef WIRE_SNP_LAUNCH_H
#define WIRE_SNP_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** PAGE_TYPE of SNP_LAUNCH_UPDATE; 0 and 7 are reserved. */
enum snp_page_type {
    SNP_PAGE_NORMAL = 1,
    SNP_PAGE_VMSA = 2,
    SNP_PAGE_ZERO = 3,
    SNP_PAGE_UNMEASURED = 4,
    SNP_PAGE_SECRETS = 5,
    SNP_PAGE_CPUID = 6,
};

#define SNP_PAGE_INFO_SIZE 0x70u

/** PAGE_INFO: the digest of its encoding is the new launch digest. */
struct snp_page_info {
    uint8_t digest_cur[48];
    uint8_t contents[48];
    uint8_t page_type;
    bool imi_page;
    uint8_t vmpl_perms[3]; /* VMPL1..3 */
    uint64_t gpa;          /* bytes */
};

void snp_page_info_encode(const struct snp_page_info *info,
                          uint8_t out[SNP_PAGE_INFO_SIZE]);

/* Fields of a VMSA that the firmware looks at or fills in. */
#define SNP_VMSA_TSC_SCALE_OFFSET    0x2f0u /* le64 */
#define SNP_VMSA_TSC_OFFSET_OFFSET   0x2f8u /* le64 */
#define SNP_VMSA_SEV_FEATURES_OFFSET 0x3b0u /* le64 */
#define SNP_SEV_FEATURE_SECURE_TSC   0x200u

#define SNP_SECRETS_SIZE 0x1000u

/* Offsets that guests use. */
#define SNP_SECRETS_VMPCK_OFFSET 0x20u /* VMPCK0..3, 32 bytes each */
#define SNP_SECRETS_SEQNO_OFFSET 0xa0u /* low halves, le32, of VMPCK0..3 */

/** What the firmware writes into a secrets page; the guest's areas are zero.
 * Holds keys: the caller wipes it. */
struct snp_secrets {
    uint32_t version; /* 2, or 3 with tsc_factor */
    bool imi_en;
    uint32_t fms; /* CPUID Fn0000_0001 EAX */
    uint8_t gosvw[16];
    uint8_t vmpck[4][32];
    uint32_t tsc_factor; /* percent decrease x 1000; version 3 */
};

void snp_secrets_encode(const struct snp_secrets *secrets,
                        uint8_t out[SNP_SECRETS_SIZE]);
/** Reads the firmware's fields; judges nothing. */
void snp_secrets_decode(const uint8_t buf[SNP_SECRETS_SIZE],
                        struct snp_secrets *secrets);

#endif
