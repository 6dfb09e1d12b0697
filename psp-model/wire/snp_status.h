/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Information buffers of the SNP commands. Spec: abi/snp.md §10, §1.18.
 */
#ifndef WIRE_SNP_STATUS_H
#define WIRE_SNP_STATUS_H

#include <psp/profile.h>

#include <stdbool.h>
#include <stdint.h>

#define SNP_PLATFORM_STATUS_SIZE 0x20u

struct snp_platform_status {
    uint8_t api_major;
    uint8_t api_minor;
    uint8_t state; /* 0 UNINIT, 1 INIT */
    bool is_rmp_initialized;
    bool alias_check_complete;
    uint32_t build_id;
    bool mask_chip_id;
    bool mask_chip_key;
    bool vlek_en;
    bool feature_info; /* SNP_FEATURE_INFO exists */
    bool rapl_dis;
    bool ciphertext_hiding_cap;
    bool ciphertext_hiding_en;
    uint32_t guest_count;
    struct psp_tcb current_tcb;
    struct psp_tcb reported_tcb;
};

void snp_platform_status_encode(const struct snp_platform_status *status,
                                uint8_t out[SNP_PLATFORM_STATUS_SIZE]);
/** Unknown bits are not looked at: newer firmware may set them. */
void snp_platform_status_decode(const uint8_t buf[SNP_PLATFORM_STATUS_SIZE],
                                struct snp_platform_status *status);

#define SNP_GUEST_STATUS_SIZE 0x20u

struct snp_guest_status {
    uint64_t policy;
    uint32_t asid; /* 0: not activated */
    uint8_t state;
    bool vcek_dis;
};

void snp_guest_status_encode(const struct snp_guest_status *status,
                             uint8_t out[SNP_GUEST_STATUS_SIZE]);
void snp_guest_status_decode(const uint8_t buf[SNP_GUEST_STATUS_SIZE],
                             struct snp_guest_status *status);

#define SNP_FEATURE_INFO_SIZE 0x10u

/* ECX of sub-function 0. */
#define SNP_FEATURE_VLEK              0x0001u
#define SNP_FEATURE_X86_SNP_SHUTDOWN  0x0002u
#define SNP_FEATURE_RAPL_DIS          0x0004u
#define SNP_FEATURE_CIPHERTEXT_HIDING 0x0008u
#define SNP_FEATURE_AES_256_XTS       0x0010u
#define SNP_FEATURE_CXL_ALLOW         0x0020u
#define SNP_FEATURE_VERIFY_MITIGATION 0x2000u

struct snp_feature_info {
    uint32_t eax;
    uint32_t ebx;
    uint32_t ecx;
    uint32_t edx;
};

void snp_feature_info_encode(const struct snp_feature_info *info,
                             uint8_t out[SNP_FEATURE_INFO_SIZE]);
void snp_feature_info_decode(const uint8_t buf[SNP_FEATURE_INFO_SIZE],
                             struct snp_feature_info *info);

#define SNP_MITIGATION_RESULT_SIZE 0x14u

/** Output of SNP_VERIFY_MITIGATION. */
struct snp_mitigation_result {
    uint64_t verified_vector;
    uint64_t supported_vector;
    uint32_t failure_status;
};

void snp_mitigation_result_encode(const struct snp_mitigation_result *result,
                                  uint8_t out[SNP_MITIGATION_RESULT_SIZE]);

#endif
