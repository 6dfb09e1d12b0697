/* SPDX-License-Identifier: Apache-2.0 */
#include "sev_guest_msg.h"

#include "crypto.h"
#include "wire.h"

#define ALGO_AES_256_GCM 1u
#define HDR_VERSION      1u
#define OFF_SEQNO        0x20u
#define OFF_AAD          0x30u
#define AAD_SIZE         (GUEST_MSG_HDR_SIZE - OFF_AAD)

static void make_iv(uint64_t seqno, uint8_t iv[GCM_IV_SIZE])
{
    struct psp_wr w = psp_wr(iv, GCM_IV_SIZE);

    psp_wr_le64(&w, seqno);
    psp_wr_le32(&w, 0);
}

void guest_msg_seal(const uint8_t key[GUEST_MSG_KEY_SIZE],
                    const struct guest_msg *msg, const void *payload,
                    size_t size, uint8_t *out)
{
    struct psp_wr w = psp_wr(out, GUEST_MSG_HDR_SIZE);
    uint8_t iv[GCM_IV_SIZE];

    psp_wr_pad_to(&w, OFF_SEQNO); /* the tag comes last */
    psp_wr_le64(&w, msg->seqno);
    psp_wr_pad_to(&w, OFF_AAD);
    psp_wr_u8(&w, ALGO_AES_256_GCM);
    psp_wr_u8(&w, HDR_VERSION);
    psp_wr_le16(&w, GUEST_MSG_HDR_SIZE);
    psp_wr_u8(&w, msg->type);
    psp_wr_u8(&w, msg->version);
    psp_wr_le16(&w, (uint16_t)size);
    psp_wr_le32(&w, 0);
    psp_wr_u8(&w, msg->vmpck_id);
    psp_wr_pad_to(&w, GUEST_MSG_HDR_SIZE);
    make_iv(msg->seqno, iv);
    psp_gcm_seal(key, iv, out + OFF_AAD, AAD_SIZE, payload, size,
                 out + GUEST_MSG_HDR_SIZE, out);
}

/* The fields that Linux compares before it decrypts. */
static bool header_fits(const struct guest_msg *request, const uint8_t *in,
                        size_t max, size_t *size)
{
    struct psp_rd r = psp_rd(in, GUEST_MSG_HDR_SIZE);
    uint8_t type, version;
    uint64_t seqno;

    psp_rd_skip(&r, OFF_SEQNO);
    seqno = psp_rd_le64(&r);
    psp_rd_skip(&r, OFF_AAD - OFF_SEQNO - 8 + 4);
    type = psp_rd_u8(&r);
    version = psp_rd_u8(&r);
    *size = psp_rd_le16(&r);
    return seqno == request->seqno + 1 && type == request->type + 1 &&
           version == request->version && *size <= max;
}

bool guest_msg_open(const uint8_t key[GUEST_MSG_KEY_SIZE],
                    const struct guest_msg *request,
                    const uint8_t in[GUEST_MSG_SIZE], uint8_t *out, size_t max)
{
    uint8_t iv[GCM_IV_SIZE];
    size_t size = 0;

    if (!header_fits(request, in, max, &size)) {
        memset(out, 0, max);
        return false;
    }
    memset(out + size, 0, max - size);
    make_iv(request->seqno + 1, iv);
    return psp_gcm_open(key, iv, in + OFF_AAD, AAD_SIZE,
                        in + GUEST_MSG_HDR_SIZE, size, in, out);
}
