/* SPDX-License-Identifier: Apache-2.0 */
/* Command buffers about pages. */
#include "snp_cmd.h"

#include "snp_cmd_rd.h"

#define SIZE_2M         0x01u
#define SWAP_TYPE_SHIFT 1u
#define SWAP_TYPE_MASK  0x3u
#define SWAP_IN_PLACE   0x08u
#define ROOT_MDATA_EN   0x10u
#define SWAP_FLAGS      0x1fu

void snp_cmd_page_swap_encode(const struct snp_cmd_page_swap *cmd,
                              uint8_t out[SNP_CMD_PAGE_SWAP_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_CMD_PAGE_SWAP_SIZE);
    uint32_t type = cmd->page_type & SWAP_TYPE_MASK;

    psp_wr_le64(&w, cmd->gctx_paddr);
    psp_wr_le64(&w, cmd->src_paddr);
    psp_wr_le64(&w, cmd->dst_paddr);
    psp_wr_le64(&w, cmd->mdata_paddr);
    psp_wr_le64(&w, cmd->software_data);
    psp_wr_le32(&w, (cmd->size_2m ? SIZE_2M : 0) | type << SWAP_TYPE_SHIFT |
                        (cmd->in_place ? SWAP_IN_PLACE : 0) |
                        (cmd->root_mdata_en ? ROOT_MDATA_EN : 0));
    psp_wr_zero(&w, 4);
}

bool snp_cmd_page_swap_decode(const uint8_t buf[SNP_CMD_PAGE_SWAP_SIZE],
                              struct snp_cmd_page_swap *cmd)
{
    struct snp_cmd_rd c = snp_cmd_rd(buf, SNP_CMD_PAGE_SWAP_SIZE);
    uint32_t flags;

    cmd->gctx_paddr = snp_cmd_rd_page(&c);
    cmd->src_paddr = snp_cmd_rd_page(&c);
    cmd->dst_paddr = snp_cmd_rd_page(&c);
    cmd->mdata_paddr = psp_rd_le64(&c.r);
    cmd->software_data = psp_rd_le64(&c.r);
    flags = snp_cmd_rd_flags(&c, SWAP_FLAGS);
    cmd->size_2m = (flags & SIZE_2M) != 0;
    cmd->page_type = (uint8_t)(flags >> SWAP_TYPE_SHIFT & SWAP_TYPE_MASK);
    cmd->in_place = (flags & SWAP_IN_PLACE) != 0;
    cmd->root_mdata_en = (flags & ROOT_MDATA_EN) != 0;
    snp_cmd_rd_mbz(&c, 4);
    return snp_cmd_rd_ok(&c);
}

void snp_cmd_page_move_encode(const struct snp_cmd_page_move *cmd,
                              uint8_t out[SNP_CMD_PAGE_MOVE_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_CMD_PAGE_MOVE_SIZE);

    psp_wr_le64(&w, cmd->gctx_paddr);
    psp_wr_le32(&w, cmd->size_2m ? SIZE_2M : 0);
    psp_wr_zero(&w, 4);
    psp_wr_le64(&w, cmd->src_paddr);
    psp_wr_le64(&w, cmd->dst_paddr);
}

bool snp_cmd_page_move_decode(const uint8_t buf[SNP_CMD_PAGE_MOVE_SIZE],
                              struct snp_cmd_page_move *cmd)
{
    struct snp_cmd_rd c = snp_cmd_rd(buf, SNP_CMD_PAGE_MOVE_SIZE);

    cmd->gctx_paddr = snp_cmd_rd_page(&c);
    cmd->size_2m = (snp_cmd_rd_flags(&c, SIZE_2M) & SIZE_2M) != 0;
    snp_cmd_rd_mbz(&c, 4);
    cmd->src_paddr = snp_cmd_rd_page(&c);
    cmd->dst_paddr = snp_cmd_rd_page(&c);
    return snp_cmd_rd_ok(&c);
}

void snp_cmd_page_md_init_encode(const struct snp_cmd_page_md_init *cmd,
                                 uint8_t out[SNP_CMD_PAGE_MD_INIT_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_CMD_PAGE_MD_INIT_SIZE);

    psp_wr_le64(&w, cmd->gctx_paddr);
    psp_wr_le64(&w, cmd->page_paddr);
}

bool snp_cmd_page_md_init_decode(const uint8_t buf[SNP_CMD_PAGE_MD_INIT_SIZE],
                                 struct snp_cmd_page_md_init *cmd)
{
    struct snp_cmd_rd c = snp_cmd_rd(buf, SNP_CMD_PAGE_MD_INIT_SIZE);

    cmd->gctx_paddr = snp_cmd_rd_page(&c);
    cmd->page_paddr = snp_cmd_rd_page(&c);
    return snp_cmd_rd_ok(&c);
}

void snp_cmd_page_set_state_encode(const struct snp_cmd_page_set_state *cmd,
                                   uint8_t out[SNP_CMD_PAGE_SET_STATE_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_CMD_PAGE_SET_STATE_SIZE);

    psp_wr_le32(&w, cmd->len);
    psp_wr_zero(&w, 4);
    psp_wr_le64(&w, cmd->list_paddr);
}

bool snp_cmd_page_set_state_decode(
    const uint8_t buf[SNP_CMD_PAGE_SET_STATE_SIZE],
    struct snp_cmd_page_set_state *cmd)
{
    struct snp_cmd_rd c = snp_cmd_rd(buf, SNP_CMD_PAGE_SET_STATE_SIZE);

    cmd->len = psp_rd_le32(&c.r);
    snp_cmd_rd_mbz(&c, 4);
    cmd->list_paddr = snp_cmd_rd_page(&c);
    return snp_cmd_rd_ok(&c);
}

void snp_cmd_page_reclaim_encode(const struct snp_cmd_page_reclaim *cmd,
                                 uint8_t out[SNP_CMD_PAGE_RECLAIM_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_CMD_PAGE_RECLAIM_SIZE);

    psp_wr_le64(&w, cmd->page_paddr | (cmd->size_2m ? SIZE_2M : 0));
}

bool snp_cmd_page_reclaim_decode(const uint8_t buf[SNP_CMD_PAGE_RECLAIM_SIZE],
                                 struct snp_cmd_page_reclaim *cmd)
{
    struct psp_rd r = psp_rd(buf, SNP_CMD_PAGE_RECLAIM_SIZE);
    uint64_t word = psp_rd_le64(&r);

    cmd->size_2m = (word & SIZE_2M) != 0;
    cmd->page_paddr = word & ~(uint64_t)SIZE_2M;
    return cmd->page_paddr % 0x1000 == 0;
}

void snp_cmd_page_unsmash_encode(const struct snp_cmd_page_unsmash *cmd,
                                 uint8_t out[SNP_CMD_PAGE_UNSMASH_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_CMD_PAGE_UNSMASH_SIZE);

    psp_wr_le64(&w, cmd->page_paddr);
}

bool snp_cmd_page_unsmash_decode(const uint8_t buf[SNP_CMD_PAGE_UNSMASH_SIZE],
                                 struct snp_cmd_page_unsmash *cmd)
{
    struct snp_cmd_rd c = snp_cmd_rd(buf, SNP_CMD_PAGE_UNSMASH_SIZE);

    cmd->page_paddr = snp_cmd_rd_aligned(&c, 0x200000);
    return snp_cmd_rd_ok(&c);
}
