/* SPDX-License-Identifier: Apache-2.0 */
/* The generation chain of INIT. Spec: abi/sev.md §4.2. */
#include "sev_internal.h"

static enum psp_err new_key(const struct sev_platform *sev,
                            struct psp_p384_key *key)
{
    uint8_t wide[P384_SIZE + 8]; /* 64 bits more: no bias worth the name */
    enum psp_err err = core_random(sev->core, wide, sizeof(wide));

    if (err == PSP_OK) {
        err = psp_p384_from_bytes(wide, sizeof(wide), key);
    }
    psp_wipe(wide, sizeof(wide));
    return err;
}

static enum psp_err new_oca(const struct sev_platform *sev,
                            struct sev_keys *keys)
{
    enum psp_err err = new_key(sev, &keys->oca);

    if (err != PSP_OK) {
        return err;
    }
    sev_cert_body(sev, SEV_USAGE_OCA, &keys->oca.pub, &keys->oca_cert);
    return sev_cert_sign(&keys->oca_cert, 0, SEV_USAGE_OCA, &keys->oca);
}

static enum psp_err new_pek(const struct sev_platform *sev,
                            struct sev_keys *keys)
{
    enum psp_err err = new_key(sev, &keys->pek);

    if (err != PSP_OK) {
        return err;
    }
    sev_cert_body(sev, SEV_USAGE_PEK, &keys->pek.pub, &keys->pek_cert);
    err = sev_cert_sign(&keys->pek_cert, 0, SEV_USAGE_OCA, &keys->oca);
    if (err != PSP_OK) {
        return err;
    }
    return sev_cert_sign(&keys->pek_cert, 1, SEV_USAGE_CEK, &sev->cek);
}

static enum psp_err new_pdh(const struct sev_platform *sev,
                            struct sev_keys *keys)
{
    enum psp_err err = new_key(sev, &keys->pdh);

    if (err != PSP_OK) {
        return err;
    }
    sev_cert_body(sev, SEV_USAGE_PDH, &keys->pdh.pub, &keys->pdh_cert);
    return sev_cert_sign(&keys->pdh_cert, 0, SEV_USAGE_PEK, &keys->pek);
}

enum psp_err sev_keys_complete(const struct sev_platform *sev,
                               struct sev_keys *keys, bool *made)
{
    enum psp_err err = PSP_OK;

    *made = false;
    if (!keys->has_oca) {
        keys->external = false;
        keys->has_pek = false;
        err = new_oca(sev, keys);
        keys->has_oca = true;
        *made = true;
    }
    if (err == PSP_OK && !keys->has_pek) {
        keys->has_pdh = false;
        err = new_pek(sev, keys);
        keys->has_pek = true;
        *made = true;
    }
    if (err == PSP_OK && !keys->has_pdh) {
        err = new_pdh(sev, keys);
        keys->has_pdh = true;
        *made = true;
    }
    return err;
}
