/* SPDX-License-Identifier: Apache-2.0 */
#include "snp_launch.h"

#include "wire.h"

#include <assert.h>

void snp_page_info_encode(const struct snp_page_info *info,
                          uint8_t out[SNP_PAGE_INFO_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_PAGE_INFO_SIZE);

    psp_wr_bytes(&w, info->digest_cur, sizeof(info->digest_cur));
    psp_wr_bytes(&w, info->contents, sizeof(info->contents));
    psp_wr_le16(&w, SNP_PAGE_INFO_SIZE);
    psp_wr_u8(&w, info->page_type);
    psp_wr_u8(&w, info->imi_page ? 1 : 0);
    psp_wr_zero(&w, 1);
    psp_wr_bytes(&w, info->vmpl_perms, sizeof(info->vmpl_perms));
    psp_wr_le64(&w, info->gpa);
    assert(psp_wr_full(&w));
}

#define TSC_FACTOR_OFFSET  0x160u
#define TSC_FACTOR_VERSION 3u

void snp_secrets_encode(const struct snp_secrets *s,
                        uint8_t out[SNP_SECRETS_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_SECRETS_SIZE);

    psp_wr_le32(&w, s->version);
    psp_wr_le32(&w, s->imi_en ? 1 : 0);
    psp_wr_le32(&w, s->fms);
    psp_wr_zero(&w, 4);
    psp_wr_bytes(&w, s->gosvw, sizeof(s->gosvw));
    psp_wr_bytes(&w, s->vmpck, sizeof(s->vmpck));
    psp_wr_pad_to(&w, TSC_FACTOR_OFFSET);
    if (s->version >= TSC_FACTOR_VERSION) {
        psp_wr_le32(&w, s->tsc_factor);
    }
    psp_wr_pad_to(&w, SNP_SECRETS_SIZE);
}

void snp_secrets_decode(const uint8_t buf[SNP_SECRETS_SIZE],
                        struct snp_secrets *s)
{
    struct psp_rd r = psp_rd(buf, SNP_SECRETS_SIZE);

    s->version = psp_rd_le32(&r);
    s->imi_en = (psp_rd_le32(&r) & 1) != 0;
    s->fms = psp_rd_le32(&r);
    psp_rd_skip(&r, 4);
    psp_rd_bytes(&r, s->gosvw, sizeof(s->gosvw));
    psp_rd_bytes(&r, s->vmpck, sizeof(s->vmpck));
    psp_rd_skip(&r, TSC_FACTOR_OFFSET - r.pos);
    s->tsc_factor = s->version >= TSC_FACTOR_VERSION ? psp_rd_le32(&r) : 0;
}
