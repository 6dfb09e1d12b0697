/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware_key.h"

#include "wire.h"

enum psp_err pki_firmware_key(struct psp_p384_key *key)
{
    uint8_t wide[56];
    enum psp_err err;

    psp_kdf_sha384(PKI_DEV_SEED, PSP_SEED_SIZE, "firmware image signing key",
                   NULL, 0, wide, sizeof(wide));
    err = psp_p384_from_bytes(wide, sizeof(wide), key);
    psp_wipe(wide, sizeof(wide));
    return err;
}

static bool number(const uint8_t in[72], uint8_t out[P384_SIZE])
{
    psp_reverse(out, in, P384_SIZE);
    return psp_all_zero(in + P384_SIZE, 72 - P384_SIZE);
}

enum psp_err pki_firmware_check(const struct snp_firmware *fw,
                                const uint8_t *image, size_t size)
{
    uint8_t body[SHA384_SIZE];
    uint8_t header[SHA384_SIZE];
    struct psp_p384_sig sig;
    struct psp_p384_key key;
    enum psp_err err = pki_firmware_key(&key);
    bool ok;

    if (err != PSP_OK) {
        return err;
    }
    psp_sha384(image + SNP_FIRMWARE_HEADER_SIZE,
               size - SNP_FIRMWARE_HEADER_SIZE, body);
    psp_sha384(image, SNP_FIRMWARE_SIGNED_SIZE, header);
    ok = psp_ct_equal(body, fw->body_digest, sizeof(body)) &&
         number(fw->r, sig.r) && number(fw->s, sig.s) &&
         psp_p384_verify(&key.pub, header, &sig);
    psp_wipe(&key, sizeof(key));
    return ok ? PSP_OK : PSP_E_VERIFY;
}
