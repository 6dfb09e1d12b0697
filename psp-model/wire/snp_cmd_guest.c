/* SPDX-License-Identifier: Apache-2.0 */
/* Command buffers about a guest. */
#include "snp_cmd.h"

#include "snp_cmd_rd.h"

void snp_cmd_gctx_encode(const struct snp_cmd_gctx *cmd,
                         uint8_t out[SNP_CMD_GCTX_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_CMD_GCTX_SIZE);

    psp_wr_le64(&w, cmd->gctx_paddr);
}

bool snp_cmd_gctx_decode(const uint8_t buf[SNP_CMD_GCTX_SIZE],
                         struct snp_cmd_gctx *cmd)
{
    struct snp_cmd_rd c = snp_cmd_rd(buf, SNP_CMD_GCTX_SIZE);

    cmd->gctx_paddr = snp_cmd_rd_page(&c);
    return snp_cmd_rd_ok(&c);
}

void snp_cmd_activate_encode(const struct snp_cmd_activate *cmd,
                             uint8_t out[SNP_CMD_ACTIVATE_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_CMD_ACTIVATE_SIZE);

    psp_wr_le64(&w, cmd->gctx_paddr);
    psp_wr_le32(&w, cmd->asid);
}

bool snp_cmd_activate_decode(const uint8_t buf[SNP_CMD_ACTIVATE_SIZE],
                             struct snp_cmd_activate *cmd)
{
    struct snp_cmd_rd c = snp_cmd_rd(buf, SNP_CMD_ACTIVATE_SIZE);

    cmd->gctx_paddr = snp_cmd_rd_page(&c);
    cmd->asid = psp_rd_le32(&c.r);
    return snp_cmd_rd_ok(&c);
}

void snp_cmd_activate_ex_encode(const struct snp_cmd_activate_ex *cmd,
                                uint8_t out[SNP_CMD_ACTIVATE_EX_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_CMD_ACTIVATE_EX_SIZE);

    psp_wr_le32(&w, cmd->ex_len);
    psp_wr_zero(&w, 4);
    psp_wr_le64(&w, cmd->gctx_paddr);
    psp_wr_le32(&w, cmd->asid);
    psp_wr_le32(&w, cmd->num_ids);
    psp_wr_le64(&w, cmd->ids_paddr);
}

bool snp_cmd_activate_ex_decode(const uint8_t buf[SNP_CMD_ACTIVATE_EX_SIZE],
                                struct snp_cmd_activate_ex *cmd)
{
    struct snp_cmd_rd c = snp_cmd_rd(buf, SNP_CMD_ACTIVATE_EX_SIZE);

    cmd->ex_len = psp_rd_le32(&c.r);
    snp_cmd_rd_mbz(&c, 4);
    cmd->gctx_paddr = snp_cmd_rd_page(&c);
    cmd->asid = psp_rd_le32(&c.r);
    cmd->num_ids = psp_rd_le32(&c.r);
    cmd->ids_paddr = psp_rd_le64(&c.r);
    return snp_cmd_rd_ok(&c);
}

void snp_cmd_guest_status_encode(const struct snp_cmd_guest_status *cmd,
                                 uint8_t out[SNP_CMD_GUEST_STATUS_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_CMD_GUEST_STATUS_SIZE);

    psp_wr_le64(&w, cmd->gctx_paddr);
    psp_wr_le64(&w, cmd->status_paddr);
}

bool snp_cmd_guest_status_decode(const uint8_t buf[SNP_CMD_GUEST_STATUS_SIZE],
                                 struct snp_cmd_guest_status *cmd)
{
    struct snp_cmd_rd c = snp_cmd_rd(buf, SNP_CMD_GUEST_STATUS_SIZE);

    cmd->gctx_paddr = snp_cmd_rd_page(&c);
    cmd->status_paddr = psp_rd_le64(&c.r);
    return snp_cmd_rd_ok(&c);
}

void snp_cmd_guest_request_encode(const struct snp_cmd_guest_request *cmd,
                                  uint8_t out[SNP_CMD_GUEST_REQUEST_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_CMD_GUEST_REQUEST_SIZE);

    psp_wr_le64(&w, cmd->gctx_paddr);
    psp_wr_le64(&w, cmd->request_paddr);
    psp_wr_le64(&w, cmd->response_paddr);
}

bool snp_cmd_guest_request_decode(const uint8_t buf[SNP_CMD_GUEST_REQUEST_SIZE],
                                  struct snp_cmd_guest_request *cmd)
{
    struct snp_cmd_rd c = snp_cmd_rd(buf, SNP_CMD_GUEST_REQUEST_SIZE);

    cmd->gctx_paddr = snp_cmd_rd_page(&c);
    cmd->request_paddr = psp_rd_le64(&c.r);
    cmd->response_paddr = psp_rd_le64(&c.r);
    return snp_cmd_rd_ok(&c);
}

#define KEY_SEL_MASK 0x3u

void snp_cmd_hv_report_req_encode(const struct snp_cmd_hv_report_req *cmd,
                                  uint8_t out[SNP_CMD_HV_REPORT_REQ_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_CMD_HV_REPORT_REQ_SIZE);

    psp_wr_le32(&w, cmd->len);
    psp_wr_le32(&w, cmd->key_sel & KEY_SEL_MASK);
    psp_wr_le64(&w, cmd->gctx_paddr);
    psp_wr_le64(&w, cmd->hv_report_paddr);
}

bool snp_cmd_hv_report_req_decode(const uint8_t buf[SNP_CMD_HV_REPORT_REQ_SIZE],
                                  struct snp_cmd_hv_report_req *cmd)
{
    struct snp_cmd_rd c = snp_cmd_rd(buf, SNP_CMD_HV_REPORT_REQ_SIZE);

    cmd->len = psp_rd_le32(&c.r);
    cmd->key_sel = (uint8_t)(snp_cmd_rd_flags(&c, KEY_SEL_MASK) & KEY_SEL_MASK);
    cmd->gctx_paddr = snp_cmd_rd_page(&c);
    cmd->hv_report_paddr = psp_rd_le64(&c.r);
    return snp_cmd_rd_ok(&c);
}

#define MA_EN  0x1u
#define IMI_EN 0x2u

void snp_cmd_launch_start_encode(const struct snp_cmd_launch_start *cmd,
                                 uint8_t out[SNP_CMD_LAUNCH_START_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_CMD_LAUNCH_START_SIZE);

    psp_wr_le64(&w, cmd->gctx_paddr);
    psp_wr_le64(&w, cmd->policy);
    psp_wr_le64(&w, cmd->ma_gctx_paddr);
    psp_wr_le32(&w, (cmd->ma_en ? MA_EN : 0) | (cmd->imi_en ? IMI_EN : 0));
    psp_wr_le32(&w, cmd->desired_tsc_freq);
    psp_wr_bytes(&w, cmd->gosvw, sizeof(cmd->gosvw));
}

bool snp_cmd_launch_start_decode(const uint8_t buf[SNP_CMD_LAUNCH_START_SIZE],
                                 struct snp_cmd_launch_start *cmd)
{
    struct snp_cmd_rd c = snp_cmd_rd(buf, SNP_CMD_LAUNCH_START_SIZE);
    uint32_t flags;

    cmd->gctx_paddr = snp_cmd_rd_page(&c);
    cmd->policy = psp_rd_le64(&c.r);
    cmd->ma_gctx_paddr = psp_rd_le64(&c.r);
    flags = snp_cmd_rd_flags(&c, MA_EN | IMI_EN);
    cmd->ma_en = (flags & MA_EN) != 0;
    cmd->imi_en = (flags & IMI_EN) != 0;
    if (cmd->ma_en && cmd->ma_gctx_paddr % 0x1000 != 0) {
        c.reserved = true;
    }
    cmd->desired_tsc_freq = psp_rd_le32(&c.r);
    psp_rd_bytes(&c.r, cmd->gosvw, sizeof(cmd->gosvw));
    return snp_cmd_rd_ok(&c);
}

#define PAGE_SIZE_2M    0x01u
#define PAGE_TYPE_SHIFT 1u
#define PAGE_TYPE_MASK  0x7u
#define IMI_PAGE        0x10u
#define VMPL_PERMS      0x1fu

void snp_cmd_launch_update_encode(const struct snp_cmd_launch_update *cmd,
                                  uint8_t out[SNP_CMD_LAUNCH_UPDATE_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_CMD_LAUNCH_UPDATE_SIZE);
    uint32_t type = cmd->page_type & PAGE_TYPE_MASK;

    psp_wr_le64(&w, cmd->gctx_paddr);
    psp_wr_le32(&w, (cmd->size_2m ? PAGE_SIZE_2M : 0) |
                        type << PAGE_TYPE_SHIFT |
                        (cmd->imi_page ? IMI_PAGE : 0));
    psp_wr_zero(&w, 4);
    psp_wr_le64(&w, cmd->page_paddr);
    psp_wr_zero(&w, 1);
    psp_wr_bytes(&w, cmd->vmpl_perms, sizeof(cmd->vmpl_perms));
    psp_wr_zero(&w, 4);
}

bool snp_cmd_launch_update_decode(const uint8_t buf[SNP_CMD_LAUNCH_UPDATE_SIZE],
                                  struct snp_cmd_launch_update *cmd)
{
    struct snp_cmd_rd c = snp_cmd_rd(buf, SNP_CMD_LAUNCH_UPDATE_SIZE);
    uint32_t flags;

    cmd->gctx_paddr = snp_cmd_rd_page(&c);
    flags = snp_cmd_rd_flags(&c, PAGE_SIZE_2M | IMI_PAGE |
                                     PAGE_TYPE_MASK << PAGE_TYPE_SHIFT);
    cmd->size_2m = (flags & PAGE_SIZE_2M) != 0;
    cmd->page_type = (uint8_t)(flags >> PAGE_TYPE_SHIFT & PAGE_TYPE_MASK);
    cmd->imi_page = (flags & IMI_PAGE) != 0;
    snp_cmd_rd_mbz(&c, 4);
    cmd->page_paddr = snp_cmd_rd_page(&c);
    snp_cmd_rd_mbz(&c, 1);
    psp_rd_bytes(&c.r, cmd->vmpl_perms, sizeof(cmd->vmpl_perms));
    for (size_t i = 0; i < sizeof(cmd->vmpl_perms); i++) {
        if ((cmd->vmpl_perms[i] & ~VMPL_PERMS) != 0) {
            c.reserved = true;
        }
    }
    snp_cmd_rd_mbz(&c, 4);
    return snp_cmd_rd_ok(&c);
}

#define ID_BLOCK_EN 0x1u
#define AUTH_KEY_EN 0x2u
#define VCEK_DIS    0x4u

void snp_cmd_launch_finish_encode(const struct snp_cmd_launch_finish *cmd,
                                  uint8_t out[SNP_CMD_LAUNCH_FINISH_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_CMD_LAUNCH_FINISH_SIZE);

    psp_wr_le64(&w, cmd->gctx_paddr);
    psp_wr_le64(&w, cmd->id_block_paddr);
    psp_wr_le64(&w, cmd->id_auth_paddr);
    psp_wr_le32(&w, (cmd->id_block_en ? ID_BLOCK_EN : 0) |
                        (cmd->auth_key_en ? AUTH_KEY_EN : 0) |
                        (cmd->vcek_dis ? VCEK_DIS : 0));
    psp_wr_zero(&w, 4);
    psp_wr_bytes(&w, cmd->host_data, sizeof(cmd->host_data));
}

bool snp_cmd_launch_finish_decode(const uint8_t buf[SNP_CMD_LAUNCH_FINISH_SIZE],
                                  struct snp_cmd_launch_finish *cmd)
{
    struct snp_cmd_rd c = snp_cmd_rd(buf, SNP_CMD_LAUNCH_FINISH_SIZE);
    uint32_t flags;

    cmd->gctx_paddr = snp_cmd_rd_page(&c);
    cmd->id_block_paddr = psp_rd_le64(&c.r);
    cmd->id_auth_paddr = psp_rd_le64(&c.r);
    flags = snp_cmd_rd_flags(&c, ID_BLOCK_EN | AUTH_KEY_EN | VCEK_DIS);
    cmd->id_block_en = (flags & ID_BLOCK_EN) != 0;
    cmd->auth_key_en = (flags & AUTH_KEY_EN) != 0;
    cmd->vcek_dis = (flags & VCEK_DIS) != 0;
    snp_cmd_rd_mbz(&c, 4);
    psp_rd_bytes(&c.r, cmd->host_data, sizeof(cmd->host_data));
    return snp_cmd_rd_ok(&c);
}

void snp_cmd_dbg_encode(const struct snp_cmd_dbg *cmd,
                        uint8_t out[SNP_CMD_DBG_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_CMD_DBG_SIZE);

    psp_wr_le64(&w, cmd->gctx_paddr);
    psp_wr_le64(&w, cmd->src_paddr);
    psp_wr_le64(&w, cmd->dst_paddr);
}

bool snp_cmd_dbg_decode(const uint8_t buf[SNP_CMD_DBG_SIZE],
                        struct snp_cmd_dbg *cmd)
{
    struct snp_cmd_rd c = snp_cmd_rd(buf, SNP_CMD_DBG_SIZE);

    cmd->gctx_paddr = snp_cmd_rd_page(&c);
    cmd->src_paddr = snp_cmd_rd_page(&c);
    cmd->dst_paddr = snp_cmd_rd_page(&c);
    return snp_cmd_rd_ok(&c);
}
