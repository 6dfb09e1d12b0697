/* SPDX-License-Identifier: Apache-2.0 */
#include "derive.h"

#include "snp_id.h"
#include "wire.h"

#define LAYOUT_VERSION 1u
#define LABEL          "SNP guest derived key"

enum identity_class { IDENTITY_NONE, IDENTITY_ID_KEY, IDENTITY_AUTHOR_KEY };

static enum identity_class identity(const struct snp_guest *guest,
                                    const uint8_t **digest)
{
    static const uint8_t none[SHA384_SIZE];

    if (guest->author_key_en) {
        *digest = guest->author_key_digest;
        return IDENTITY_AUTHOR_KEY;
    }
    if (guest->id_block_en) {
        *digest = guest->id_key_digest;
        return IDENTITY_ID_KEY;
    }
    *digest = none;
    return IDENTITY_NONE;
}

static void wr_if(struct psp_wr *w, bool selected, const void *in, size_t n)
{
    if (selected) {
        psp_wr_bytes(w, in, n);
    } else {
        psp_wr_zero(w, n);
    }
}

void snp_derive_context(const struct snp_guest *guest,
                        const struct snp_key_req *req,
                        enum snp_root_class root_class,
                        uint8_t out[SNP_DERIVE_CONTEXT_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_DERIVE_CONTEXT_SIZE);
    uint64_t gfs = req->guest_field_select;
    const uint8_t *digest;
    struct snp_id_block id;

    snp_id_block_decode(guest->id_block, &id);
    psp_wr_le32(&w, LAYOUT_VERSION);
    psp_wr_u8(&w, (uint8_t)root_class);
    psp_wr_u8(&w, (uint8_t)identity(guest, &digest));
    psp_wr_zero(&w, 2);
    psp_wr_le64(&w, gfs);
    psp_wr_le32(&w, req->vmpl);
    psp_wr_le32(&w, (gfs & SNP_GFS_GUEST_SVN) != 0 ? req->guest_svn : 0);
    wr_if(&w, (gfs & SNP_GFS_TCB_VERSION) != 0, req->tcb.b, PSP_TCB_SIZE);
    psp_wr_le64(&w, (gfs & SNP_GFS_LAUNCH_MIT_VECTOR) != 0
                        ? req->launch_mit_vector
                        : 0);
    psp_wr_le64(&w, (gfs & SNP_GFS_GUEST_POLICY) != 0 ? guest->policy : 0);
    wr_if(&w, (gfs & SNP_GFS_IMAGE_ID) != 0, id.image_id, sizeof(id.image_id));
    wr_if(&w, (gfs & SNP_GFS_FAMILY_ID) != 0, id.family_id,
          sizeof(id.family_id));
    wr_if(&w, (gfs & SNP_GFS_MEASUREMENT) != 0, guest->ld, sizeof(guest->ld));
    psp_wr_bytes(&w, guest->host_data, sizeof(guest->host_data));
    psp_wr_bytes(&w, digest, SHA384_SIZE);
}

void snp_derive_key(const uint8_t *root, size_t root_size,
                    const uint8_t context[SNP_DERIVE_CONTEXT_SIZE],
                    uint8_t key[SNP_DERIVED_KEY_SIZE])
{
    psp_kdf_sha384(root, root_size, LABEL, context, SNP_DERIVE_CONTEXT_SIZE,
                   key, SNP_DERIVED_KEY_SIZE);
}
