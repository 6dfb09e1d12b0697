/* SPDX-License-Identifier: Apache-2.0 */
#include "sev_pki.h"

#include "sev_crypto.h"
#include "wire.h"

#include <string.h>

/* Firmware API version in AMD's CEK certificates of every generation. */
#define CEK_API_MAJOR 0u
#define CEK_API_MINOR 14u

/* First half of AMD's ARK KEY_IDs: rats-tls and sev-tool tell products by it
 * and compare no more. abi/sev.md §5.5 */
static const uint8_t ARK_ID_PREFIX[PSP_GENERATION_COUNT][8] = {
    [PSP_NAPLES] = {0x1b, 0xb9, 0x87, 0xc3, 0x59, 0x49, 0x46, 0x06},
    [PSP_ROME] = {0xe6, 0x00, 0x21, 0x22, 0xfb, 0x58, 0x41, 0x93},
    [PSP_MILAN] = {0x94, 0xc3, 0x8e, 0x41, 0x77, 0xd0, 0x47, 0x92},
    [PSP_GENOA] = {0x9f, 0x9d, 0x4a, 0x8f, 0xe7, 0x61, 0x45, 0x65},
    [PSP_TURIN] = {0xd0, 0x5c, 0x3a, 0x8b, 0xde, 0x48, 0x49, 0x04},
};
static const char ARK_ID_SUFFIX[] = "SIMULATE";

enum psp_err pki_cek_derive(const uint8_t secret[PSP_CHIP_SECRET_SIZE],
                            struct psp_p384_key *cek)
{
    uint8_t seed[SHA256_SIZE];
    uint8_t wide[56];
    enum psp_err err;

    psp_sha256(secret, PSP_CHIP_SECRET_SIZE, seed);
    psp_kdf_sha256_le(seed, sizeof(seed), "sev-chip-endorsement-key", NULL, 0,
                      wide, sizeof(wide));
    err = psp_p384_from_bytes(wide, sizeof(wide), cek);
    psp_wipe(seed, sizeof(seed));
    psp_wipe(wide, sizeof(wide));
    return err;
}

void pki_cek_unsigned(const struct psp_p384_key *cek, struct sev_cert *cert)
{
    sev_cert_init(cert);
    cert->api_major = CEK_API_MAJOR;
    cert->api_minor = CEK_API_MINOR;
    cert->pubkey_usage = SEV_USAGE_CEK;
    cert->pubkey_algo = SEV_ALGO_ECDSA_SHA256;
    sev_cert_set_ec(cert, SEV_CURVE_P384, cek->pub.x, cek->pub.y);
}

static uint32_t rsa_algo(size_t modulus_size)
{
    return modulus_size == 256 ? SEV_ALGO_RSA_SHA256 : SEV_ALGO_RSA_SHA384;
}

enum psp_err pki_cek_cert(struct pki_ca *ca, const struct psp_chip *chip,
                          uint8_t out[SEV_CERT_SIZE])
{
    struct psp_p384_key cek;
    struct sev_cert cert;
    uint8_t sig[RSA_MAX_SIZE];
    size_t sig_size;
    enum psp_err err;

    err = pki_cek_derive(chip->secret, &cek);
    if (err != PSP_OK) {
        goto out;
    }
    pki_cek_unsigned(&cek, &cert);
    sev_cert_encode(&cert, out);
    err = pki_ca_sign(ca, PKI_ASK, out, SEV_CERT_BODY_SIZE, sig, &sig_size);
    if (err != PSP_OK) {
        goto out;
    }
    cert.sig[0].usage = SEV_USAGE_ASK;
    cert.sig[0].algo = rsa_algo(sig_size);
    sev_cert_slot_set_rsa(&cert.sig[0], sig, (uint32_t)sig_size);
    sev_cert_encode(&cert, out);
out:
    psp_wipe(&cek, sizeof(cek));
    return err;
}

static void ask_id(const struct psp_rsa_pub *pub, uint8_t id[SEV_AMD_ID_SIZE])
{
    psp_kdf_sha384(pub->n, pub->size, "SEV ASK KEY_ID", NULL, 0, id,
                   SEV_AMD_ID_SIZE);
}

static void ark_id(enum psp_generation generation, uint8_t id[SEV_AMD_ID_SIZE])
{
    memcpy(id, ARK_ID_PREFIX[generation], 8);
    memcpy(id + 8, ARK_ID_SUFFIX, 8);
}

/* Everything but the signature. */
static void fill(const struct pki_ca *ca, enum pki_role role,
                 const struct psp_rsa_pub *pub, struct sev_amd_cert *cert)
{
    struct sev_rsa rsa = {.size = (uint32_t)pub->size};
    enum psp_generation generation = pki_ca_generation(ca);

    memcpy(rsa.n, pub->n, pub->size);
    for (size_t i = 0; i < sizeof(pub->e); i++) {
        rsa.e[pub->size - 1 - i] = (uint8_t)(pub->e >> (8 * i));
    }
    *cert = (struct sev_amd_cert){.version = SEV_CERT_VERSION};
    cert->key_usage = role == PKI_ARK ? SEV_USAGE_ARK : SEV_USAGE_ASK;
    ark_id(generation, cert->certifying_id);
    if (role == PKI_ARK) {
        ark_id(generation, cert->key_id);
    } else {
        ask_id(pub, cert->key_id);
    }
    sev_amd_cert_set_rsa(cert, &rsa);
}

enum psp_err pki_sev_amd_cert(struct pki_ca *ca, enum pki_role role,
                              struct sev_amd_cert *cert)
{
    const struct psp_rsa_key *key;
    uint8_t bytes[SEV_AMD_CERT_MAX_SIZE];
    uint8_t sig[RSA_MAX_SIZE];
    size_t sig_size;
    enum psp_err err;

    if (role != PKI_ARK && role != PKI_ASK) {
        return PSP_E_PARAM;
    }
    err = pki_ca_rsa(ca, role, &key);
    if (err != PSP_OK) {
        return err;
    }
    fill(ca, role, psp_rsa_public(key), cert);
    (void)sev_amd_cert_encode(cert, bytes);
    err = pki_ca_sign(ca, PKI_ARK, bytes, sev_amd_cert_body_size(cert), sig,
                      &sig_size);
    if (err == PSP_OK) {
        sev_amd_cert_set_signature(cert, sig);
    }
    return err;
}

enum psp_err pki_ask_ark(struct pki_ca *ca, uint8_t out[PKI_ASK_ARK_MAX_SIZE],
                         size_t *size)
{
    struct sev_amd_cert cert;
    enum psp_err err = pki_sev_amd_cert(ca, PKI_ASK, &cert);

    if (err != PSP_OK) {
        return err;
    }
    *size = sev_amd_cert_encode(&cert, out);
    err = pki_sev_amd_cert(ca, PKI_ARK, &cert);
    if (err == PSP_OK) {
        *size += sev_amd_cert_encode(&cert, out + *size);
    }
    return err;
}

void pki_sev_root_of(const struct sev_amd_cert *ark, struct psp_sev_root *root)
{
    uint8_t bytes[SEV_AMD_CERT_MAX_SIZE];

    (void)sev_amd_cert_encode(ark, bytes);
    memcpy(root->key_id, ark->key_id, sizeof(root->key_id));
    psp_sha384(bytes, sev_amd_cert_body_size(ark), root->digest);
}

enum psp_err pki_sev_root(struct pki_ca *ca, struct psp_sev_root *root)
{
    const struct psp_rsa_key *key;
    struct sev_amd_cert ark;
    enum psp_err err = pki_ca_rsa(ca, PKI_ARK, &key);

    if (err == PSP_OK) {
        fill(ca, PKI_ARK, psp_rsa_public(key), &ark);
        pki_sev_root_of(&ark, root);
    }
    return err;
}
