/* SPDX-License-Identifier: Apache-2.0 */
#include "snp_msg.h"
#include "wire.h"

/* Offsets of abi/snp.md §6.1. */
#define HDR_SEQNO 0x20u
#define HDR_ALGO  0x30u

_Static_assert(HDR_ALGO == SNP_MSG_AAD_OFFSET &&
                   SNP_MSG_AAD_OFFSET + SNP_MSG_AAD_SIZE == SNP_MSG_HEADER_SIZE,
               "the authenticated part ends the header");

#define KEY_SEL_MASK 0x3u

void snp_msg_header_encode(const struct snp_msg_header *h,
                           uint8_t out[SNP_MSG_HEADER_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_MSG_HEADER_SIZE);

    psp_wr_bytes(&w, h->tag, sizeof(h->tag));
    psp_wr_pad_to(&w, HDR_SEQNO);
    psp_wr_le64(&w, h->seqno);
    psp_wr_pad_to(&w, HDR_ALGO);
    psp_wr_u8(&w, h->algo);
    psp_wr_u8(&w, h->hdr_version);
    psp_wr_le16(&w, h->hdr_size);
    psp_wr_u8(&w, h->type);
    psp_wr_u8(&w, h->version);
    psp_wr_le16(&w, h->size);
    psp_wr_zero(&w, 4);
    psp_wr_u8(&w, h->vmpck);
    psp_wr_pad_to(&w, SNP_MSG_HEADER_SIZE);
}

void snp_msg_header_decode(const uint8_t buf[SNP_MSG_HEADER_SIZE],
                           struct snp_msg_header *h)
{
    struct psp_rd r = psp_rd(buf, SNP_MSG_HEADER_SIZE);

    psp_rd_bytes(&r, h->tag, sizeof(h->tag));
    psp_rd_skip(&r, HDR_SEQNO - SNP_MSG_TAG_SIZE);
    h->seqno = psp_rd_le64(&r);
    psp_rd_skip(&r, 8);
    h->algo = psp_rd_u8(&r);
    h->hdr_version = psp_rd_u8(&r);
    h->hdr_size = psp_rd_le16(&r);
    h->type = psp_rd_u8(&r);
    h->version = psp_rd_u8(&r);
    h->size = psp_rd_le16(&r);
    psp_rd_skip(&r, 4);
    h->vmpck = psp_rd_u8(&r);
}

void snp_msg_iv(uint64_t seqno, uint8_t iv[SNP_MSG_IV_SIZE])
{
    struct psp_wr w = psp_wr(iv, SNP_MSG_IV_SIZE);

    psp_wr_le64(&w, seqno);
    psp_wr_pad_to(&w, SNP_MSG_IV_SIZE);
}

void snp_msg_put_status(uint8_t *rsp, uint32_t status)
{
    struct psp_wr w = psp_wr(rsp, 4);

    psp_wr_le32(&w, status);
}

uint32_t snp_msg_get_status(const uint8_t *rsp)
{
    struct psp_rd r = psp_rd(rsp, 4);

    return psp_rd_le32(&r);
}

/* The end of every decoder: a broken format leaves nothing behind. */
static enum psp_err finish(const struct psp_rd *r, void *out, size_t size)
{
    if (psp_rd_done(r)) {
        return PSP_OK;
    }
    memset(out, 0, size);
    return PSP_E_FORMAT;
}

/* A word of flags of which only @mask is defined. */
static uint32_t rd_flags(struct psp_rd *r, uint32_t mask)
{
    uint32_t v = psp_rd_le32(r);

    if ((v & ~mask) != 0) {
        r->bad = true;
    }
    return v & mask;
}

void snp_report_req_encode(const struct snp_report_req *req,
                           uint8_t out[SNP_REPORT_REQ_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_REPORT_REQ_SIZE);

    psp_wr_bytes(&w, req->report_data, sizeof(req->report_data));
    psp_wr_le32(&w, req->vmpl);
    psp_wr_le32(&w, req->key_sel & KEY_SEL_MASK);
    psp_wr_pad_to(&w, SNP_REPORT_REQ_SIZE);
}

enum psp_err snp_report_req_decode(const uint8_t buf[SNP_REPORT_REQ_SIZE],
                                   struct snp_report_req *req)
{
    struct psp_rd r = psp_rd(buf, SNP_REPORT_REQ_SIZE);

    psp_rd_bytes(&r, req->report_data, sizeof(req->report_data));
    req->vmpl = psp_rd_le32(&r);
    req->key_sel = (uint8_t)rd_flags(&r, KEY_SEL_MASK);
    psp_rd_mbz(&r, 0x18);
    return finish(&r, req, sizeof(*req));
}

void snp_report_rsp_encode(const struct snp_report_rsp *rsp,
                           uint8_t out[SNP_REPORT_RSP_HEADER])
{
    struct psp_wr w = psp_wr(out, SNP_REPORT_RSP_HEADER);

    psp_wr_le32(&w, rsp->status);
    psp_wr_le32(&w, rsp->report_size);
    psp_wr_pad_to(&w, SNP_REPORT_RSP_HEADER);
}

enum psp_err snp_report_rsp_decode(const uint8_t buf[SNP_REPORT_RSP_HEADER],
                                   struct snp_report_rsp *rsp)
{
    struct psp_rd r = psp_rd(buf, SNP_REPORT_RSP_HEADER);

    rsp->status = psp_rd_le32(&r);
    rsp->report_size = psp_rd_le32(&r);
    psp_rd_mbz(&r, 0x18);
    return finish(&r, rsp, sizeof(*rsp));
}

#define KEY_REQ_ROOT_VMRK     0x1u
#define KEY_REQ_KEY_SEL_SHIFT 1u
#define KEY_REQ_FLAGS         (KEY_REQ_ROOT_VMRK | KEY_SEL_MASK << 1)

void snp_key_req_encode(const struct snp_key_req *req, uint8_t version,
                        uint8_t *out)
{
    struct psp_wr w = psp_wr(out, snp_key_req_size(version));

    psp_wr_le32(&w, (req->root_vmrk ? KEY_REQ_ROOT_VMRK : 0) |
                        (req->key_sel & KEY_SEL_MASK) << KEY_REQ_KEY_SEL_SHIFT);
    psp_wr_zero(&w, 4);
    psp_wr_le64(&w, req->guest_field_select);
    psp_wr_le32(&w, req->vmpl);
    psp_wr_le32(&w, req->guest_svn);
    psp_wr_bytes(&w, req->tcb.b, sizeof(req->tcb.b));
    psp_wr_le64(&w, req->launch_mit_vector); /* falls off a version 1 */
}

enum psp_err snp_key_req_decode(const uint8_t *buf, uint8_t version,
                                struct snp_key_req *req)
{
    struct psp_rd r = psp_rd(buf, snp_key_req_size(version));
    uint32_t flags = rd_flags(&r, KEY_REQ_FLAGS);

    req->root_vmrk = (flags & KEY_REQ_ROOT_VMRK) != 0;
    req->key_sel = (uint8_t)(flags >> KEY_REQ_KEY_SEL_SHIFT);
    psp_rd_mbz(&r, 4);
    req->guest_field_select = psp_rd_le64(&r);
    req->vmpl = psp_rd_le32(&r);
    req->guest_svn = psp_rd_le32(&r);
    psp_rd_bytes(&r, req->tcb.b, sizeof(req->tcb.b));
    req->launch_mit_vector = version >= 2 ? psp_rd_le64(&r) : 0;
    return finish(&r, req, sizeof(*req));
}

void snp_key_rsp_encode(const struct snp_key_rsp *rsp,
                        uint8_t out[SNP_KEY_RSP_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_KEY_RSP_SIZE);

    psp_wr_le32(&w, rsp->status);
    psp_wr_zero(&w, 0x1c);
    psp_wr_bytes(&w, rsp->key, sizeof(rsp->key));
}

enum psp_err snp_key_rsp_decode(const uint8_t buf[SNP_KEY_RSP_SIZE],
                                struct snp_key_rsp *rsp)
{
    struct psp_rd r = psp_rd(buf, SNP_KEY_RSP_SIZE);

    rsp->status = psp_rd_le32(&r);
    psp_rd_mbz(&r, 0x1c);
    psp_rd_bytes(&r, rsp->key, sizeof(rsp->key));
    return finish(&r, rsp, sizeof(*rsp));
}

enum psp_err snp_tsc_info_req_check(const uint8_t buf[SNP_TSC_INFO_REQ_SIZE])
{
    return psp_all_zero(buf, SNP_TSC_INFO_REQ_SIZE) ? PSP_OK : PSP_E_FORMAT;
}

void snp_tsc_info_rsp_encode(const struct snp_tsc_info_rsp *rsp,
                             uint8_t out[SNP_TSC_INFO_RSP_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_TSC_INFO_RSP_SIZE);

    psp_wr_le32(&w, rsp->status);
    psp_wr_zero(&w, 4);
    psp_wr_le64(&w, rsp->guest_tsc_scale);
    psp_wr_le64(&w, rsp->guest_tsc_offset);
    psp_wr_le32(&w, rsp->tsc_factor);
    psp_wr_pad_to(&w, SNP_TSC_INFO_RSP_SIZE);
}

enum psp_err snp_tsc_info_rsp_decode(const uint8_t buf[SNP_TSC_INFO_RSP_SIZE],
                                     struct snp_tsc_info_rsp *rsp)
{
    struct psp_rd r = psp_rd(buf, SNP_TSC_INFO_RSP_SIZE);

    rsp->status = psp_rd_le32(&r);
    psp_rd_mbz(&r, 4);
    rsp->guest_tsc_scale = psp_rd_le64(&r);
    rsp->guest_tsc_offset = psp_rd_le64(&r);
    rsp->tsc_factor = psp_rd_le32(&r);
    psp_rd_mbz(&r, 0x64);
    return finish(&r, rsp, sizeof(*rsp));
}

#define EXPORT_IMI_EN 0x1u

void snp_export_req_encode(const struct snp_export_req *req,
                           uint8_t out[SNP_EXPORT_REQ_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_EXPORT_REQ_SIZE);

    psp_wr_le64(&w, req->gctx_paddr);
    psp_wr_le32(&w, req->imi_en ? EXPORT_IMI_EN : 0);
    psp_wr_zero(&w, 4);
}

enum psp_err snp_export_req_decode(const uint8_t buf[SNP_EXPORT_REQ_SIZE],
                                   struct snp_export_req *req)
{
    struct psp_rd r = psp_rd(buf, SNP_EXPORT_REQ_SIZE);

    req->gctx_paddr = psp_rd_le64(&r);
    req->imi_en = rd_flags(&r, EXPORT_IMI_EN) != 0;
    psp_rd_mbz(&r, 4);
    return finish(&r, req, sizeof(*req));
}

void snp_export_rsp_encode(const struct snp_export_rsp *rsp,
                           uint8_t out[SNP_GCTX_OFFSET])
{
    struct psp_wr w = psp_wr(out, SNP_GCTX_OFFSET);

    psp_wr_le32(&w, rsp->status);
    psp_wr_le32(&w, rsp->gctx_size);
    psp_wr_le32(&w, rsp->gctx_version);
    psp_wr_zero(&w, 0x14);
}

enum psp_err snp_export_rsp_decode(const uint8_t buf[SNP_GCTX_OFFSET],
                                   struct snp_export_rsp *rsp)
{
    struct psp_rd r = psp_rd(buf, SNP_GCTX_OFFSET);

    rsp->status = psp_rd_le32(&r);
    rsp->gctx_size = psp_rd_le32(&r);
    rsp->gctx_version = psp_rd_le32(&r);
    psp_rd_mbz(&r, 0x14);
    return finish(&r, rsp, sizeof(*rsp));
}

void snp_import_req_encode(const struct snp_import_req *req,
                           uint8_t out[SNP_GCTX_OFFSET])
{
    struct psp_wr w = psp_wr(out, SNP_GCTX_OFFSET);

    psp_wr_le64(&w, req->gctx_paddr);
    psp_wr_le32(&w, req->gctx_size);
    psp_wr_le32(&w, req->gctx_version);
    psp_wr_zero(&w, 0x10);
}

enum psp_err snp_import_req_decode(const uint8_t buf[SNP_GCTX_OFFSET],
                                   struct snp_import_req *req)
{
    struct psp_rd r = psp_rd(buf, SNP_GCTX_OFFSET);

    req->gctx_paddr = psp_rd_le64(&r);
    req->gctx_size = psp_rd_le32(&r);
    req->gctx_version = psp_rd_le32(&r);
    psp_rd_mbz(&r, 0x10);
    return finish(&r, req, sizeof(*req));
}

void snp_vmrk_req_encode(const struct snp_vmrk_req *req,
                         uint8_t out[SNP_VMRK_REQ_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_VMRK_REQ_SIZE);

    psp_wr_le64(&w, req->gctx_paddr);
    psp_wr_zero(&w, 0x18);
    psp_wr_bytes(&w, req->vmrk, sizeof(req->vmrk));
}

enum psp_err snp_vmrk_req_decode(const uint8_t buf[SNP_VMRK_REQ_SIZE],
                                 struct snp_vmrk_req *req)
{
    struct psp_rd r = psp_rd(buf, SNP_VMRK_REQ_SIZE);

    req->gctx_paddr = psp_rd_le64(&r);
    psp_rd_mbz(&r, 0x18);
    psp_rd_bytes(&r, req->vmrk, sizeof(req->vmrk));
    return finish(&r, req, sizeof(*req));
}

#define GCTX_AUTHOR_KEY_EN 0x1u
#define GCTX_ID_BLOCK_EN   0x2u
#define GCTX_VCEK_DIS      0x4u /* version 3 */
#define GCTX_TSC           0x2b0u
#define GCTX_END           0x2c8u /* last field; zeros to SNP_GCTX_SIZE */

_Static_assert(SNP_GCTX_OFFSET + SNP_GCTX_SIZE == SNP_EXPORT_RSP_SIZE &&
                   SNP_EXPORT_RSP_SIZE == SNP_IMPORT_REQ_SIZE,
               "the exported context ends its messages");

static uint32_t gctx_flags(const struct snp_gctx *p)
{
    return (p->author_key_en ? GCTX_AUTHOR_KEY_EN : 0) |
           (p->id_block_en ? GCTX_ID_BLOCK_EN : 0) |
           (p->vcek_dis ? GCTX_VCEK_DIS : 0);
}

void snp_gctx_encode(const struct snp_gctx *p, uint8_t out[SNP_GCTX_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_GCTX_SIZE);

    psp_wr_bytes(&w, p->ld, sizeof(p->ld));
    psp_wr_bytes(&w, p->oek, sizeof(p->oek));
    psp_wr_bytes(&w, p->vmpck, sizeof(p->vmpck));
    psp_wr_bytes(&w, p->vmrk, sizeof(p->vmrk));
    psp_wr_bytes(&w, p->host_data, sizeof(p->host_data));
    psp_wr_bytes(&w, p->id_key_digest, sizeof(p->id_key_digest));
    psp_wr_bytes(&w, p->author_key_digest, sizeof(p->author_key_digest));
    psp_wr_bytes(&w, p->report_id, sizeof(p->report_id));
    psp_wr_bytes(&w, p->imd, sizeof(p->imd));
    for (size_t i = 0; i < SNP_MSG_VMPCK_COUNT; i++) {
        psp_wr_le64(&w, p->msg_count[i]);
    }
    psp_wr_bytes(&w, p->root_md_entry, sizeof(p->root_md_entry));
    psp_wr_le64(&w, gctx_flags(p));
    psp_wr_le64(&w, p->policy);
    psp_wr_u8(&w, p->state);
    psp_wr_zero(&w, 7);
    psp_wr_le64(&w, p->oek_iv_count);
    psp_wr_bytes(&w, p->id_block, sizeof(p->id_block));
    psp_wr_bytes(&w, p->gosvw, sizeof(p->gosvw));
    psp_wr_le32(&w, p->desired_tsc_freq);
    psp_wr_zero(&w, 4);
    psp_wr_le64(&w, p->psp_tsc_offset);
    psp_wr_bytes(&w, p->launch_tcb.b, sizeof(p->launch_tcb.b));
    psp_wr_pad_to(&w, SNP_GCTX_SIZE);
}

static void rd_gctx_flags(struct psp_rd *r, uint32_t version,
                          struct snp_gctx *p)
{
    uint32_t mask = GCTX_AUTHOR_KEY_EN | GCTX_ID_BLOCK_EN |
                    (version >= SNP_GCTX_VERSION ? GCTX_VCEK_DIS : 0);
    uint32_t flags = rd_flags(r, mask);

    psp_rd_mbz(r, 4);
    p->author_key_en = (flags & GCTX_AUTHOR_KEY_EN) != 0;
    p->id_block_en = (flags & GCTX_ID_BLOCK_EN) != 0;
    p->vcek_dis = (flags & GCTX_VCEK_DIS) != 0;
}

/* What version 3 added at the end. */
static void rd_gctx_tail(struct psp_rd *r, uint32_t version, struct snp_gctx *p)
{
    if (version < SNP_GCTX_VERSION) {
        p->desired_tsc_freq = 0;
        p->psp_tsc_offset = 0;
        memset(&p->launch_tcb, 0, sizeof(p->launch_tcb));
        psp_rd_mbz(r, GCTX_END - GCTX_TSC);
        return;
    }
    p->desired_tsc_freq = psp_rd_le32(r);
    psp_rd_mbz(r, 4);
    p->psp_tsc_offset = psp_rd_le64(r);
    psp_rd_bytes(r, p->launch_tcb.b, sizeof(p->launch_tcb.b));
}

enum psp_err snp_gctx_decode(const uint8_t buf[SNP_GCTX_SIZE], uint32_t version,
                             struct snp_gctx *p)
{
    struct psp_rd r = psp_rd(buf, SNP_GCTX_SIZE);

    r.bad = version < SNP_GCTX_VERSION_MIN || version > SNP_GCTX_VERSION;
    psp_rd_bytes(&r, p->ld, sizeof(p->ld));
    psp_rd_bytes(&r, p->oek, sizeof(p->oek));
    psp_rd_bytes(&r, p->vmpck, sizeof(p->vmpck));
    psp_rd_bytes(&r, p->vmrk, sizeof(p->vmrk));
    psp_rd_bytes(&r, p->host_data, sizeof(p->host_data));
    psp_rd_bytes(&r, p->id_key_digest, sizeof(p->id_key_digest));
    psp_rd_bytes(&r, p->author_key_digest, sizeof(p->author_key_digest));
    psp_rd_bytes(&r, p->report_id, sizeof(p->report_id));
    psp_rd_bytes(&r, p->imd, sizeof(p->imd));
    for (size_t i = 0; i < SNP_MSG_VMPCK_COUNT; i++) {
        p->msg_count[i] = psp_rd_le64(&r);
    }
    psp_rd_bytes(&r, p->root_md_entry, sizeof(p->root_md_entry));
    rd_gctx_flags(&r, version, p);
    p->policy = psp_rd_le64(&r);
    p->state = psp_rd_u8(&r);
    psp_rd_mbz(&r, 7);
    p->oek_iv_count = psp_rd_le64(&r);
    psp_rd_bytes(&r, p->id_block, sizeof(p->id_block));
    psp_rd_bytes(&r, p->gosvw, sizeof(p->gosvw));
    rd_gctx_tail(&r, version, p);
    psp_rd_mbz(&r, SNP_GCTX_SIZE - GCTX_END);
    return finish(&r, p, sizeof(*p));
}
