/* SPDX-License-Identifier: Apache-2.0 */
#include "snp_id.h"

#include "wire.h"

void snp_id_block_encode(const struct snp_id_block *b,
                         uint8_t out[SNP_ID_BLOCK_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_ID_BLOCK_SIZE);

    psp_wr_bytes(&w, b->ld, sizeof(b->ld));
    psp_wr_bytes(&w, b->family_id, sizeof(b->family_id));
    psp_wr_bytes(&w, b->image_id, sizeof(b->image_id));
    psp_wr_le32(&w, b->version);
    psp_wr_le32(&w, b->guest_svn);
    psp_wr_le64(&w, b->policy);
}

void snp_id_block_decode(const uint8_t buf[SNP_ID_BLOCK_SIZE],
                         struct snp_id_block *b)
{
    struct psp_rd r = psp_rd(buf, SNP_ID_BLOCK_SIZE);

    psp_rd_bytes(&r, b->ld, sizeof(b->ld));
    psp_rd_bytes(&r, b->family_id, sizeof(b->family_id));
    psp_rd_bytes(&r, b->image_id, sizeof(b->image_id));
    b->version = psp_rd_le32(&r);
    b->guest_svn = psp_rd_le32(&r);
    b->policy = psp_rd_le64(&r);
}

static void wr_sig(struct psp_wr *w, const struct snp_id_sig *sig)
{
    size_t start = w->pos;

    psp_wr_bytes(w, sig->r, sizeof(sig->r));
    psp_wr_bytes(w, sig->s, sizeof(sig->s));
    psp_wr_pad_to(w, start + SNP_ID_SIG_SIZE);
}

static void rd_sig(struct psp_rd *r, struct snp_id_sig *sig)
{
    psp_rd_bytes(r, sig->r, sizeof(sig->r));
    psp_rd_bytes(r, sig->s, sizeof(sig->s));
    psp_rd_skip(r, SNP_ID_SIG_SIZE - 2 * SNP_ID_NUMBER_SIZE);
}

static void wr_key(struct psp_wr *w, const struct snp_id_key *key)
{
    size_t start = w->pos;

    psp_wr_le32(w, key->curve);
    psp_wr_bytes(w, key->qx, sizeof(key->qx));
    psp_wr_bytes(w, key->qy, sizeof(key->qy));
    psp_wr_pad_to(w, start + SNP_ID_KEY_SIZE);
}

static void rd_key(struct psp_rd *r, struct snp_id_key *key)
{
    key->curve = psp_rd_le32(r);
    psp_rd_bytes(r, key->qx, sizeof(key->qx));
    psp_rd_bytes(r, key->qy, sizeof(key->qy));
    psp_rd_skip(r, SNP_ID_KEY_SIZE - 4 - 2 * SNP_ID_NUMBER_SIZE);
}

void snp_id_sig_encode(const struct snp_id_sig *sig,
                       uint8_t out[SNP_ID_SIG_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_ID_SIG_SIZE);

    wr_sig(&w, sig);
}

void snp_id_sig_decode(const uint8_t buf[SNP_ID_SIG_SIZE],
                       struct snp_id_sig *sig)
{
    struct psp_rd r = psp_rd(buf, SNP_ID_SIG_SIZE);

    rd_sig(&r, sig);
}

void snp_id_key_encode(const struct snp_id_key *key,
                       uint8_t out[SNP_ID_KEY_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_ID_KEY_SIZE);

    wr_key(&w, key);
}

void snp_id_key_decode(const uint8_t buf[SNP_ID_KEY_SIZE],
                       struct snp_id_key *key)
{
    struct psp_rd r = psp_rd(buf, SNP_ID_KEY_SIZE);

    rd_key(&r, key);
}

void snp_id_auth_encode(const struct snp_id_auth *auth,
                        uint8_t out[SNP_ID_AUTH_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_ID_AUTH_SIZE);

    psp_wr_le32(&w, auth->id_key_algo);
    psp_wr_le32(&w, auth->auth_key_algo);
    psp_wr_pad_to(&w, SNP_ID_AUTH_BLOCK_SIG_OFFSET);
    wr_sig(&w, &auth->id_block_sig);
    wr_key(&w, &auth->id_key);
    psp_wr_pad_to(&w, SNP_ID_AUTH_KEY_SIG_OFFSET);
    wr_sig(&w, &auth->id_key_sig);
    wr_key(&w, &auth->author_key);
    psp_wr_pad_to(&w, SNP_ID_AUTH_SIZE);
}

void snp_id_auth_decode(const uint8_t buf[SNP_ID_AUTH_SIZE],
                        struct snp_id_auth *auth)
{
    struct psp_rd r = psp_rd(buf, SNP_ID_AUTH_SIZE);

    auth->id_key_algo = psp_rd_le32(&r);
    auth->auth_key_algo = psp_rd_le32(&r);
    psp_rd_skip(&r, SNP_ID_AUTH_BLOCK_SIG_OFFSET - r.pos);
    rd_sig(&r, &auth->id_block_sig);
    rd_key(&r, &auth->id_key);
    psp_rd_skip(&r, SNP_ID_AUTH_KEY_SIG_OFFSET - r.pos);
    rd_sig(&r, &auth->id_key_sig);
    rd_key(&r, &auth->author_key);
}
