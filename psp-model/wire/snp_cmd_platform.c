/* SPDX-License-Identifier: Apache-2.0 */
/* Command buffers without a guest. */
#include "snp_cmd.h"

#include "snp_cmd_rd.h"

#include <assert.h>

#define INIT_RMP          0x1u
#define LIST_PADDR_EN     0x2u
#define RAPL_DIS          0x4u
#define CIPHERTEXT_HIDING 0x8u

void snp_cmd_init_ex_encode(const struct snp_cmd_init_ex *cmd,
                            uint8_t out[SNP_CMD_INIT_EX_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_CMD_INIT_EX_SIZE);

    psp_wr_le32(&w, (cmd->init_rmp ? INIT_RMP : 0) |
                        (cmd->list_paddr_en ? LIST_PADDR_EN : 0) |
                        (cmd->rapl_dis ? RAPL_DIS : 0) |
                        (cmd->ciphertext_hiding_en ? CIPHERTEXT_HIDING : 0));
    psp_wr_zero(&w, 4);
    psp_wr_le64(&w, cmd->list_paddr);
    psp_wr_le16(&w, cmd->max_snp_asid);
    psp_wr_pad_to(&w, SNP_CMD_INIT_EX_SIZE);
}

bool snp_cmd_init_ex_decode(const uint8_t buf[SNP_CMD_INIT_EX_SIZE],
                            struct snp_cmd_init_ex *cmd)
{
    struct snp_cmd_rd c = snp_cmd_rd(buf, SNP_CMD_INIT_EX_SIZE);
    uint32_t flags = snp_cmd_rd_flags(&c, INIT_RMP | LIST_PADDR_EN | RAPL_DIS |
                                              CIPHERTEXT_HIDING);

    cmd->init_rmp = (flags & INIT_RMP) != 0;
    cmd->list_paddr_en = (flags & LIST_PADDR_EN) != 0;
    cmd->rapl_dis = (flags & RAPL_DIS) != 0;
    cmd->ciphertext_hiding_en = (flags & CIPHERTEXT_HIDING) != 0;
    snp_cmd_rd_mbz(&c, 4);
    cmd->list_paddr = psp_rd_le64(&c.r);
    cmd->max_snp_asid = psp_rd_le16(&c.r);
    snp_cmd_rd_mbz(&c, 0x2e);
    return snp_cmd_rd_ok(&c);
}

#define IOMMU_SNP_SHUTDOWN 0x1u
#define X86_SNP_SHUTDOWN   0x2u

void snp_cmd_shutdown_ex_encode(const struct snp_cmd_shutdown_ex *cmd,
                                uint8_t out[SNP_CMD_SHUTDOWN_EX_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_CMD_SHUTDOWN_EX_SIZE);

    psp_wr_le32(&w, cmd->len);
    psp_wr_le32(&w, (cmd->iommu_snp_shutdown ? IOMMU_SNP_SHUTDOWN : 0) |
                        (cmd->x86_snp_shutdown ? X86_SNP_SHUTDOWN : 0));
}

bool snp_cmd_shutdown_ex_decode(const uint8_t buf[SNP_CMD_SHUTDOWN_EX_SIZE],
                                struct snp_cmd_shutdown_ex *cmd)
{
    struct snp_cmd_rd c = snp_cmd_rd(buf, SNP_CMD_SHUTDOWN_EX_SIZE);
    uint32_t flags;

    cmd->len = psp_rd_le32(&c.r);
    flags = snp_cmd_rd_flags(&c, IOMMU_SNP_SHUTDOWN | X86_SNP_SHUTDOWN);
    cmd->iommu_snp_shutdown = (flags & IOMMU_SNP_SHUTDOWN) != 0;
    cmd->x86_snp_shutdown = (flags & X86_SNP_SHUTDOWN) != 0;
    return snp_cmd_rd_ok(&c);
}

void snp_cmd_status_encode(const struct snp_cmd_status *cmd,
                           uint8_t out[SNP_CMD_STATUS_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_CMD_STATUS_SIZE);

    psp_wr_le64(&w, cmd->status_paddr);
}

bool snp_cmd_status_decode(const uint8_t buf[SNP_CMD_STATUS_SIZE],
                           struct snp_cmd_status *cmd)
{
    struct snp_cmd_rd c = snp_cmd_rd(buf, SNP_CMD_STATUS_SIZE);

    cmd->status_paddr = psp_rd_le64(&c.r);
    return snp_cmd_rd_ok(&c);
}

void snp_cmd_feature_info_encode(const struct snp_cmd_feature_info *cmd,
                                 uint8_t out[SNP_CMD_FEATURE_INFO_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_CMD_FEATURE_INFO_SIZE);

    psp_wr_le32(&w, cmd->len);
    psp_wr_le32(&w, cmd->ecx_in);
    psp_wr_le64(&w, cmd->feature_info_paddr);
}

bool snp_cmd_feature_info_decode(const uint8_t buf[SNP_CMD_FEATURE_INFO_SIZE],
                                 struct snp_cmd_feature_info *cmd)
{
    struct snp_cmd_rd c = snp_cmd_rd(buf, SNP_CMD_FEATURE_INFO_SIZE);

    cmd->len = psp_rd_le32(&c.r);
    cmd->ecx_in = psp_rd_le32(&c.r);
    cmd->feature_info_paddr = psp_rd_le64(&c.r);
    return snp_cmd_rd_ok(&c);
}

#define MASK_CHIP_ID  0x1u
#define MASK_CHIP_KEY 0x2u

void snp_cmd_config_encode(const struct snp_cmd_config *cmd,
                           uint8_t out[SNP_CMD_CONFIG_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_CMD_CONFIG_SIZE);

    psp_wr_bytes(&w, cmd->reported_tcb.b, PSP_TCB_SIZE);
    psp_wr_le32(&w, (cmd->mask_chip_id ? MASK_CHIP_ID : 0) |
                        (cmd->mask_chip_key ? MASK_CHIP_KEY : 0));
    psp_wr_pad_to(&w, SNP_CMD_CONFIG_SIZE);
}

bool snp_cmd_config_decode(const uint8_t buf[SNP_CMD_CONFIG_SIZE],
                           struct snp_cmd_config *cmd)
{
    struct snp_cmd_rd c = snp_cmd_rd(buf, SNP_CMD_CONFIG_SIZE);
    uint32_t flags;

    psp_rd_bytes(&c.r, cmd->reported_tcb.b, PSP_TCB_SIZE);
    flags = snp_cmd_rd_flags(&c, MASK_CHIP_ID | MASK_CHIP_KEY);
    cmd->mask_chip_id = (flags & MASK_CHIP_ID) != 0;
    cmd->mask_chip_key = (flags & MASK_CHIP_KEY) != 0;
    snp_cmd_rd_mbz(&c, 0x34);
    return snp_cmd_rd_ok(&c);
}

void snp_cmd_commit_encode(const struct snp_cmd_commit *cmd,
                           uint8_t out[SNP_CMD_COMMIT_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_CMD_COMMIT_SIZE);

    psp_wr_le32(&w, cmd->len);
}

bool snp_cmd_commit_decode(const uint8_t buf[SNP_CMD_COMMIT_SIZE],
                           struct snp_cmd_commit *cmd)
{
    struct snp_cmd_rd c = snp_cmd_rd(buf, SNP_CMD_COMMIT_SIZE);

    cmd->len = psp_rd_le32(&c.r);
    return snp_cmd_rd_ok(&c);
}

void snp_cmd_vlek_load_encode(const struct snp_cmd_vlek_load *cmd,
                              uint8_t out[SNP_CMD_VLEK_LOAD_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_CMD_VLEK_LOAD_SIZE);

    psp_wr_le32(&w, cmd->len);
    psp_wr_u8(&w, cmd->vlek_wrapped_version);
    psp_wr_zero(&w, 3);
    psp_wr_le64(&w, cmd->vlek_wrapped_paddr);
}

bool snp_cmd_vlek_load_decode(const uint8_t buf[SNP_CMD_VLEK_LOAD_SIZE],
                              struct snp_cmd_vlek_load *cmd)
{
    struct snp_cmd_rd c = snp_cmd_rd(buf, SNP_CMD_VLEK_LOAD_SIZE);

    cmd->len = psp_rd_le32(&c.r);
    cmd->vlek_wrapped_version = psp_rd_u8(&c.r);
    snp_cmd_rd_mbz(&c, 3);
    cmd->vlek_wrapped_paddr = psp_rd_le64(&c.r);
    return snp_cmd_rd_ok(&c);
}

#define DOWNLOAD_COMMIT 0x1u

void snp_cmd_download_firmware_ex_encode(
    const struct snp_cmd_download_firmware_ex *cmd,
    uint8_t out[SNP_CMD_DOWNLOAD_FIRMWARE_EX_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_CMD_DOWNLOAD_FIRMWARE_EX_SIZE);

    psp_wr_le32(&w, cmd->len);
    psp_wr_zero(&w, 4);
    psp_wr_le64(&w, cmd->fw_paddr);
    psp_wr_le32(&w, cmd->fw_len);
    psp_wr_le32(&w, cmd->commit ? DOWNLOAD_COMMIT : 0);
}

bool snp_cmd_download_firmware_ex_decode(
    const uint8_t buf[SNP_CMD_DOWNLOAD_FIRMWARE_EX_SIZE],
    struct snp_cmd_download_firmware_ex *cmd)
{
    struct snp_cmd_rd c = snp_cmd_rd(buf, SNP_CMD_DOWNLOAD_FIRMWARE_EX_SIZE);

    cmd->len = psp_rd_le32(&c.r);
    snp_cmd_rd_mbz(&c, 4);
    cmd->fw_paddr = psp_rd_le64(&c.r);
    cmd->fw_len = psp_rd_le32(&c.r);
    cmd->commit = snp_cmd_rd_flags(&c, DOWNLOAD_COMMIT) != 0;
    return snp_cmd_rd_ok(&c);
}

#define DST_PADDR_EN 0x1u
#define SRC_PADDR_EN 0x2u

void snp_cmd_verify_mitigation_encode(
    const struct snp_cmd_verify_mitigation *cmd,
    uint8_t out[SNP_CMD_VERIFY_MITIGATION_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_CMD_VERIFY_MITIGATION_SIZE);

    psp_wr_le32(&w, cmd->len);
    psp_wr_le16(&w, cmd->subcommand);
    psp_wr_zero(&w, 2);
    psp_wr_le64(&w, cmd->vector);
    psp_wr_le32(&w, (cmd->dst_paddr_en ? DST_PADDR_EN : 0) |
                        (cmd->src_paddr_en ? SRC_PADDR_EN : 0));
    psp_wr_zero(&w, 4);
    psp_wr_le64(&w, cmd->src_paddr);
    psp_wr_le64(&w, cmd->dst_paddr);
    psp_wr_pad_to(&w, SNP_CMD_VERIFY_MITIGATION_SIZE);
}

bool snp_cmd_verify_mitigation_decode(
    const uint8_t buf[SNP_CMD_VERIFY_MITIGATION_SIZE],
    struct snp_cmd_verify_mitigation *cmd)
{
    struct snp_cmd_rd c = snp_cmd_rd(buf, SNP_CMD_VERIFY_MITIGATION_SIZE);
    uint32_t flags;

    cmd->len = psp_rd_le32(&c.r);
    cmd->subcommand = psp_rd_le16(&c.r);
    snp_cmd_rd_mbz(&c, 2);
    cmd->vector = psp_rd_le64(&c.r);
    flags = snp_cmd_rd_flags(&c, DST_PADDR_EN | SRC_PADDR_EN);
    cmd->dst_paddr_en = (flags & DST_PADDR_EN) != 0;
    cmd->src_paddr_en = (flags & SRC_PADDR_EN) != 0;
    snp_cmd_rd_mbz(&c, 4);
    cmd->src_paddr = psp_rd_le64(&c.r);
    cmd->dst_paddr = psp_rd_le64(&c.r);
    snp_cmd_rd_mbz(&c, 0x18);
    return snp_cmd_rd_ok(&c);
}

#define RANGE_SIZE 0x10u

void snp_range_list_encode(const struct snp_range *ranges, size_t count,
                           uint8_t out[SNP_RANGE_LIST_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_RANGE_LIST_SIZE);

    assert(count <= SNP_RANGE_LIST_COUNT);
    psp_wr_le32(&w, (uint32_t)count);
    psp_wr_zero(&w, 4);
    for (size_t i = 0; i < count; i++) {
        psp_wr_le64(&w, ranges[i].base);
        psp_wr_le32(&w, ranges[i].page_count);
        psp_wr_zero(&w, 4);
    }
    psp_wr_pad_to(&w, SNP_RANGE_LIST_SIZE);
}

bool snp_range_list_decode(const uint8_t buf[SNP_RANGE_LIST_SIZE],
                           struct snp_range ranges[SNP_RANGE_LIST_COUNT],
                           size_t *count)
{
    struct snp_cmd_rd c = snp_cmd_rd(buf, SNP_RANGE_LIST_SIZE);
    uint32_t n = psp_rd_le32(&c.r);

    *count = 0;
    snp_cmd_rd_mbz(&c, 4);
    if (n > SNP_RANGE_LIST_COUNT) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        ranges[i].base = snp_cmd_rd_page(&c);
        ranges[i].page_count = psp_rd_le32(&c.r);
        snp_cmd_rd_mbz(&c, 4);
    }
    *count = n;
    return !c.reserved;
}
