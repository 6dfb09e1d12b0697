/* SPDX-License-Identifier: Apache-2.0 */
#include "snp_firmware.h"

#include "wire.h"

static const uint8_t MAGIC[8] = {'S', 'W', 'P', 'S', 'P', 'F', 'W', '1'};

#define FLAG_LIVE 0x1u

void snp_firmware_encode(const struct snp_firmware *fw,
                         uint8_t out[SNP_FIRMWARE_HEADER_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_FIRMWARE_HEADER_SIZE);

    psp_wr_bytes(&w, MAGIC, sizeof(MAGIC));
    psp_wr_le32(&w, fw->body_size);
    psp_wr_le32(&w, (uint32_t)fw->generation);
    psp_wr_u8(&w, fw->major);
    psp_wr_u8(&w, fw->minor);
    psp_wr_u8(&w, fw->build);
    psp_wr_u8(&w, fw->svn);
    psp_wr_le32(&w, fw->live ? FLAG_LIVE : 0);
    psp_wr_le64(&w, fw->mit_vector);
    psp_wr_zero(&w, 16);
    psp_wr_bytes(&w, fw->body_digest, sizeof(fw->body_digest));
    psp_wr_bytes(&w, fw->r, sizeof(fw->r));
    psp_wr_bytes(&w, fw->s, sizeof(fw->s));
    psp_wr_pad_to(&w, SNP_FIRMWARE_HEADER_SIZE);
}

enum psp_err snp_firmware_decode(const uint8_t *buf, size_t size,
                                 struct snp_firmware *fw)
{
    struct psp_rd r = psp_rd(buf, size);
    uint8_t magic[8];
    uint32_t generation;
    uint32_t flags;

    psp_rd_bytes(&r, magic, sizeof(magic));
    fw->body_size = psp_rd_le32(&r);
    generation = psp_rd_le32(&r);
    fw->major = psp_rd_u8(&r);
    fw->minor = psp_rd_u8(&r);
    fw->build = psp_rd_u8(&r);
    fw->svn = psp_rd_u8(&r);
    flags = psp_rd_le32(&r);
    fw->mit_vector = psp_rd_le64(&r);
    psp_rd_mbz(&r, 16);
    psp_rd_bytes(&r, fw->body_digest, sizeof(fw->body_digest));
    psp_rd_bytes(&r, fw->r, sizeof(fw->r));
    psp_rd_bytes(&r, fw->s, sizeof(fw->s));
    psp_rd_mbz(&r, 16);
    psp_rd_skip(&r, fw->body_size);
    fw->live = (flags & FLAG_LIVE) != 0;
    fw->generation = (enum psp_generation)generation;
    return psp_rd_done(&r) && memcmp(magic, MAGIC, sizeof(magic)) == 0 &&
                   generation < PSP_GENERATION_COUNT &&
                   (flags & ~FLAG_LIVE) == 0
               ? PSP_OK
               : PSP_E_FORMAT;
}
