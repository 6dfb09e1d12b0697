/* SPDX-License-Identifier: Apache-2.0 */
#include "idblock.h"

#include "wire.h"

#include <string.h>

/* A 72-byte little-endian number as 48 big-endian bytes. */
static bool number(const uint8_t in[SNP_ID_NUMBER_SIZE], uint8_t out[P384_SIZE])
{
    psp_reverse(out, in, P384_SIZE);
    return psp_all_zero(in + P384_SIZE, SNP_ID_NUMBER_SIZE - P384_SIZE);
}

static bool key_ok(const struct snp_id_key *key, struct psp_p384_pub *pub)
{
    return key->curve == SNP_ID_CURVE_P384 && number(key->qx, pub->x) &&
           number(key->qy, pub->y) && psp_p384_on_curve(pub);
}

static bool sig_ok(const struct psp_p384_pub *pub, const uint8_t *data,
                   size_t size, const struct snp_id_sig *stored)
{
    uint8_t digest[SHA384_SIZE];
    struct psp_p384_sig sig;

    psp_sha384(data, size, digest);
    return number(stored->r, sig.r) && number(stored->s, sig.s) &&
           psp_p384_verify(pub, digest, &sig);
}

static bool signed_by(const struct snp_id_key *key, const uint8_t *data,
                      size_t size, const struct snp_id_sig *sig)
{
    struct psp_p384_pub pub;

    return key_ok(key, &pub) && sig_ok(&pub, data, size, sig);
}

static enum sev_status check_block(const struct snp_guest *guest,
                                   const struct snp_id_block *block)
{
    if (block->version != SNP_ID_BLOCK_VERSION) {
        return SEV_INVALID_PARAM;
    }
    if (memcmp(block->ld, guest->ld, sizeof(block->ld)) != 0) {
        return SEV_BAD_MEASUREMENT;
    }
    return block->policy == guest->policy ? SEV_SUCCESS : SEV_POLICY_FAILURE;
}

enum sev_status snp_idblock_check(const struct snp_guest *guest,
                                  const uint8_t *block, const uint8_t *auth,
                                  bool auth_key_en,
                                  struct snp_identity *identity)
{
    const uint8_t *id_key = auth + SNP_ID_AUTH_ID_KEY_OFFSET;
    struct snp_id_block b;
    struct snp_id_auth a;
    enum sev_status status;

    snp_id_block_decode(block, &b);
    snp_id_auth_decode(auth, &a);
    status = check_block(guest, &b);
    if (status != SEV_SUCCESS) {
        return status;
    }
    if (a.id_key_algo != SNP_ID_ALGO_P384 ||
        (auth_key_en && a.auth_key_algo != SNP_ID_ALGO_P384)) {
        return SEV_INVALID_PARAM;
    }
    if (!signed_by(&a.id_key, block, SNP_ID_BLOCK_SIZE, &a.id_block_sig) ||
        (auth_key_en &&
         !signed_by(&a.author_key, id_key, SNP_ID_KEY_SIZE, &a.id_key_sig))) {
        return SEV_BAD_SIGNATURE;
    }
    memset(identity, 0, sizeof(*identity));
    psp_sha384(id_key, SNP_ID_KEY_SIZE, identity->id_key_digest);
    if (auth_key_en) {
        psp_sha384(auth + SNP_ID_AUTH_AUTHOR_KEY_OFFSET, SNP_ID_KEY_SIZE,
                   identity->author_key_digest);
    }
    return SEV_SUCCESS;
}
