/* SPDX-License-Identifier: Apache-2.0 */
#include "snp_status.h"

#include "wire.h"

/* Byte 3. */
#define IS_RMP_INITIALIZED   0x1u
#define ALIAS_CHECK_COMPLETE 0x2u
/* Word 8. */
#define MASK_CHIP_ID          0x01u
#define MASK_CHIP_KEY         0x02u
#define VLEK_EN               0x04u
#define FEATURE_INFO          0x08u
#define RAPL_DIS              0x10u
#define CIPHERTEXT_HIDING_CAP 0x20u
#define CIPHERTEXT_HIDING_EN  0x40u

static uint32_t status_flags(const struct snp_platform_status *s)
{
    return (s->mask_chip_id ? MASK_CHIP_ID : 0) |
           (s->mask_chip_key ? MASK_CHIP_KEY : 0) | (s->vlek_en ? VLEK_EN : 0) |
           (s->feature_info ? FEATURE_INFO : 0) | (s->rapl_dis ? RAPL_DIS : 0) |
           (s->ciphertext_hiding_cap ? CIPHERTEXT_HIDING_CAP : 0) |
           (s->ciphertext_hiding_en ? CIPHERTEXT_HIDING_EN : 0);
}

void snp_platform_status_encode(const struct snp_platform_status *s,
                                uint8_t out[SNP_PLATFORM_STATUS_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_PLATFORM_STATUS_SIZE);

    psp_wr_u8(&w, s->api_major);
    psp_wr_u8(&w, s->api_minor);
    psp_wr_u8(&w, s->state);
    psp_wr_u8(&w,
              (uint8_t)((s->is_rmp_initialized ? IS_RMP_INITIALIZED : 0) |
                        (s->alias_check_complete ? ALIAS_CHECK_COMPLETE : 0)));
    psp_wr_le32(&w, s->build_id);
    psp_wr_le32(&w, status_flags(s));
    psp_wr_le32(&w, s->guest_count);
    psp_wr_bytes(&w, s->current_tcb.b, PSP_TCB_SIZE);
    psp_wr_bytes(&w, s->reported_tcb.b, PSP_TCB_SIZE);
}

void snp_platform_status_decode(const uint8_t buf[SNP_PLATFORM_STATUS_SIZE],
                                struct snp_platform_status *s)
{
    struct psp_rd r = psp_rd(buf, SNP_PLATFORM_STATUS_SIZE);
    uint32_t flags;

    s->api_major = psp_rd_u8(&r);
    s->api_minor = psp_rd_u8(&r);
    s->state = psp_rd_u8(&r);
    flags = psp_rd_u8(&r);
    s->is_rmp_initialized = (flags & IS_RMP_INITIALIZED) != 0;
    s->alias_check_complete = (flags & ALIAS_CHECK_COMPLETE) != 0;
    s->build_id = psp_rd_le32(&r);
    flags = psp_rd_le32(&r);
    s->mask_chip_id = (flags & MASK_CHIP_ID) != 0;
    s->mask_chip_key = (flags & MASK_CHIP_KEY) != 0;
    s->vlek_en = (flags & VLEK_EN) != 0;
    s->feature_info = (flags & FEATURE_INFO) != 0;
    s->rapl_dis = (flags & RAPL_DIS) != 0;
    s->ciphertext_hiding_cap = (flags & CIPHERTEXT_HIDING_CAP) != 0;
    s->ciphertext_hiding_en = (flags & CIPHERTEXT_HIDING_EN) != 0;
    s->guest_count = psp_rd_le32(&r);
    psp_rd_bytes(&r, s->current_tcb.b, PSP_TCB_SIZE);
    psp_rd_bytes(&r, s->reported_tcb.b, PSP_TCB_SIZE);
}

void snp_guest_status_encode(const struct snp_guest_status *s,
                             uint8_t out[SNP_GUEST_STATUS_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_GUEST_STATUS_SIZE);

    psp_wr_le64(&w, s->policy);
    psp_wr_le32(&w, s->asid);
    psp_wr_u8(&w, s->state);
    psp_wr_zero(&w, 3);
    psp_wr_le32(&w, s->vcek_dis ? 1 : 0);
    psp_wr_pad_to(&w, SNP_GUEST_STATUS_SIZE);
}

void snp_guest_status_decode(const uint8_t buf[SNP_GUEST_STATUS_SIZE],
                             struct snp_guest_status *s)
{
    struct psp_rd r = psp_rd(buf, SNP_GUEST_STATUS_SIZE);

    s->policy = psp_rd_le64(&r);
    s->asid = psp_rd_le32(&r);
    s->state = psp_rd_u8(&r);
    psp_rd_skip(&r, 3);
    s->vcek_dis = (psp_rd_le32(&r) & 1) != 0;
}

void snp_feature_info_encode(const struct snp_feature_info *info,
                             uint8_t out[SNP_FEATURE_INFO_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_FEATURE_INFO_SIZE);

    psp_wr_le32(&w, info->eax);
    psp_wr_le32(&w, info->ebx);
    psp_wr_le32(&w, info->ecx);
    psp_wr_le32(&w, info->edx);
}

void snp_feature_info_decode(const uint8_t buf[SNP_FEATURE_INFO_SIZE],
                             struct snp_feature_info *info)
{
    struct psp_rd r = psp_rd(buf, SNP_FEATURE_INFO_SIZE);

    info->eax = psp_rd_le32(&r);
    info->ebx = psp_rd_le32(&r);
    info->ecx = psp_rd_le32(&r);
    info->edx = psp_rd_le32(&r);
}

void snp_mitigation_result_encode(const struct snp_mitigation_result *result,
                                  uint8_t out[SNP_MITIGATION_RESULT_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_MITIGATION_RESULT_SIZE);

    psp_wr_le64(&w, result->verified_vector);
    psp_wr_le64(&w, result->supported_vector);
    psp_wr_le32(&w, result->failure_status);
}
