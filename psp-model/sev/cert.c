/* SPDX-License-Identifier: Apache-2.0 */
/* Firmware's validation of certificates. Spec: abi/sev.md §5.4, §5.5. */
#include "sev_internal.h"

#include "pki.h"
#include "sev_amd_cert.h"
#include "sev_pki.h"

/* A key that signs certificates. */
struct sev_signer {
    uint32_t usage;
    uint32_t algo;
    struct psp_p384_pub ec;
    struct psp_rsa_pub rsa;
};

static bool usage_known(uint32_t usage)
{
    return usage == SEV_USAGE_OCA || usage == SEV_USAGE_PEK ||
           usage == SEV_USAGE_PDH || usage == SEV_USAGE_CEK;
}

static bool algo_is_rsa(uint32_t algo)
{
    return algo == SEV_ALGO_RSA_SHA256 || algo == SEV_ALGO_RSA_SHA384;
}

static bool algo_is_ecdh(uint32_t algo)
{
    return algo == SEV_ALGO_ECDH_SHA256 || algo == SEV_ALGO_ECDH_SHA384;
}

static bool algo_is_ec(uint32_t algo)
{
    return algo == SEV_ALGO_ECDSA_SHA256 || algo == SEV_ALGO_ECDSA_SHA384 ||
           algo_is_ecdh(algo);
}

/* A modulus of full length, an odd exponent of at most 32 bits. */
static bool rsa_sane(const struct sev_rsa *rsa, struct psp_rsa_pub *pub)
{
    size_t size = rsa->size;
    uint32_t e = 0;

    if ((size != 256 && size != 512) || (rsa->n[0] & 0x80) == 0 ||
        (rsa->n[size - 1] & 1) == 0 || !psp_all_zero(rsa->e, size - 4)) {
        return false;
    }
    for (size_t i = size - 4; i < size; i++) {
        e = e << 8 | rsa->e[i];
    }
    *pub = (struct psp_rsa_pub){.size = size, .e = e};
    memcpy(pub->n, rsa->n, size);
    return e >= 3 && (e & 1) != 0;
}

/* The key of a certificate, if it is well-formed. */
static bool key_of(const struct sev_cert *cert, struct sev_signer *key)
{
    struct sev_rsa rsa;
    uint32_t curve;

    *key = (struct sev_signer){.usage = cert->pubkey_usage,
                               .algo = cert->pubkey_algo};
    if (!usage_known(key->usage)) {
        return false;
    }
    if (algo_is_rsa(key->algo)) {
        return sev_cert_get_rsa(cert, &rsa) && rsa_sane(&rsa, &key->rsa);
    }
    return algo_is_ec(key->algo) &&
           sev_cert_get_ec(cert, &curve, key->ec.x, key->ec.y) &&
           curve == SEV_CURVE_P384 && psp_p384_on_curve(&key->ec);
}

static bool verify_ec(const struct sev_signer *key, const uint8_t *data,
                      size_t size, const struct sev_cert_slot *slot)
{
    struct psp_p384_sig sig;
    uint8_t digest[SHA384_SIZE];

    if (!sev_cert_slot_get_ecdsa(slot, sig.r, sig.s)) {
        return false;
    }
    if (key->algo == SEV_ALGO_ECDSA_SHA384) {
        psp_sha384(data, size, digest);
        return psp_p384_verify(&key->ec, digest, &sig);
    }
    psp_sha256(data, size, digest);
    return psp_p384_verify_sha256(&key->ec, digest, &sig);
}

static bool verify_rsa(const struct sev_signer *key, const uint8_t *data,
                       size_t size, const uint8_t *sig)
{
    uint8_t digest[SHA384_SIZE];

    if (key->algo == SEV_ALGO_RSA_SHA384) {
        psp_sha384(data, size, digest);
        return psp_rsa_pss_verify(&key->rsa, PSP_RSA_SHA384, digest, sig);
    }
    psp_sha256(data, size, digest);
    return psp_rsa_pss_verify(&key->rsa, PSP_RSA_SHA256, digest, sig);
}

static bool verify(const struct sev_signer *key, const struct sev_cert *cert,
                   const struct sev_cert_slot *slot)
{
    uint8_t bytes[SEV_CERT_SIZE];
    uint8_t sig[SEV_RSA_SIZE];

    sev_cert_encode(cert, bytes);
    if (algo_is_rsa(key->algo)) {
        sev_cert_slot_get_rsa(slot, (uint32_t)key->rsa.size, sig);
        return verify_rsa(key, bytes, SEV_CERT_BODY_SIZE, sig);
    }
    return verify_ec(key, bytes, SEV_CERT_BODY_SIZE, slot);
}

/* Steps 2 and 3: some slot holds a good signature of @key. */
static enum sev_status check_slots(const struct sev_cert *cert,
                                   const struct sev_signer *key)
{
    enum sev_status status = SEV_INVALID_CERTIFICATE;

    for (size_t i = 0; i < 2; i++) {
        const struct sev_cert_slot *slot = &cert->sig[i];
        bool no_usage = slot->usage == SEV_USAGE_NONE;
        bool no_algo = slot->algo == SEV_ALGO_NONE;

        if (no_usage != no_algo) {
            return SEV_BAD_SIGNATURE;
        }
        if (slot->usage != key->usage || slot->algo != key->algo) {
            continue;
        }
        if (algo_is_ecdh(key->algo)) {
            return SEV_UNSUPPORTED;
        }
        if (verify(key, cert, slot)) {
            return SEV_SUCCESS;
        }
        status = SEV_BAD_SIGNATURE;
    }
    return status;
}

static bool relation_ok(uint32_t subject, uint32_t signer)
{
    switch (subject) {
    case SEV_USAGE_PDH:
        return signer == SEV_USAGE_PEK;
    case SEV_USAGE_PEK:
        return signer == SEV_USAGE_OCA || signer == SEV_USAGE_CEK;
    case SEV_USAGE_OCA:
        return signer == SEV_USAGE_OCA;
    case SEV_USAGE_CEK:
        return signer == SEV_USAGE_ASK;
    default:
        return false;
    }
}

/* Steps 2 to 5. */
static enum sev_status check_by(const struct sev_cert *cert,
                                const struct sev_signer *key)
{
    struct sev_signer own;
    enum sev_status status = check_slots(cert, key);

    if (status != SEV_SUCCESS) {
        return status;
    }
    if (cert->version != SEV_CERT_VERSION || !key_of(cert, &own) ||
        !relation_ok(cert->pubkey_usage, key->usage)) {
        return SEV_INVALID_CERTIFICATE;
    }
    return SEV_SUCCESS;
}

enum sev_status sev_cert_check(const struct sev_cert *cert,
                               const struct sev_cert *signer)
{
    struct sev_signer key;

    if (!key_of(signer, &key)) {
        return SEV_INVALID_CERTIFICATE;
    }
    return check_by(cert, &key);
}

enum sev_status sev_dh_check(const struct sev_cert *cert,
                             struct psp_p384_pub *pub)
{
    struct sev_signer key;

    if (cert->version != SEV_CERT_VERSION ||
        cert->pubkey_usage != SEV_USAGE_PDH ||
        cert->pubkey_algo != SEV_ALGO_ECDH_SHA256 || !key_of(cert, &key)) {
        return SEV_INVALID_CERTIFICATE;
    }
    *pub = key.ec;
    return SEV_SUCCESS;
}

static bool amd_key_of(const struct sev_amd_cert *cert, struct sev_signer *key)
{
    struct sev_rsa rsa;

    *key = (struct sev_signer){.usage = cert->key_usage,
                               .algo = sev_amd_cert_algo(cert)};
    return sev_amd_cert_get_rsa(cert, &rsa) && rsa_sane(&rsa, &key->rsa);
}

/* Signature, then VERSION and sizes, then usage and CERTIFYING_ID. A key that
 * cannot be one has signed nothing. */
static enum sev_status amd_check(const struct sev_amd_cert *cert,
                                 const struct sev_amd_cert *signer,
                                 uint32_t usage)
{
    uint8_t bytes[SEV_AMD_CERT_MAX_SIZE];
    uint8_t sig[SEV_RSA_SIZE];
    struct sev_signer key;

    (void)sev_amd_cert_encode(cert, bytes);
    sev_amd_cert_get_signature(cert, sig);
    if (!amd_key_of(signer, &key) ||
        cert->modulus_bits != signer->modulus_bits ||
        !verify_rsa(&key, bytes, sev_amd_cert_body_size(cert), sig)) {
        return SEV_BAD_SIGNATURE;
    }
    if (cert->version != SEV_CERT_VERSION ||
        cert->exponent_bits != cert->modulus_bits || cert->key_usage != usage ||
        memcmp(cert->certifying_id, signer->key_id, SEV_AMD_ID_SIZE) != 0) {
        return SEV_INVALID_CERTIFICATE;
    }
    return SEV_SUCCESS;
}

static bool trusted(const struct psp_sev_config *config,
                    const struct sev_amd_cert *ark)
{
    struct psp_sev_root root;

    pki_sev_root_of(ark, &root);
    for (uint32_t i = 0; i < config->root_count; i++) {
        if (memcmp(&config->roots[i], &root, sizeof(root)) == 0) {
            return true;
        }
    }
    return false;
}

enum sev_status sev_amd_chain_check(const struct psp_sev_config *config,
                                    const uint8_t *ask_ark, size_t size,
                                    const struct sev_cert *cek)
{
    struct sev_amd_cert ask, ark;
    struct sev_signer key;
    enum sev_status status;
    size_t ask_size, ark_size;

    if (sev_amd_cert_decode(ask_ark, size, &ask, &ask_size) != PSP_OK ||
        sev_amd_cert_decode(ask_ark + ask_size, size - ask_size, &ark,
                            &ark_size) != PSP_OK ||
        ask_size + ark_size != size) {
        return SEV_INVALID_CERTIFICATE;
    }
    status = amd_check(&ark, &ark, SEV_USAGE_ARK);
    if (status != SEV_SUCCESS) {
        return status;
    }
    if (!trusted(config, &ark)) {
        return SEV_INVALID_CERTIFICATE;
    }
    status = amd_check(&ask, &ark, SEV_USAGE_ASK);
    if (status != SEV_SUCCESS) {
        return status;
    }
    return amd_key_of(&ask, &key) ? check_by(cek, &key)
                                  : SEV_INVALID_CERTIFICATE;
}

void sev_cert_body(const struct sev_platform *sev, uint32_t usage,
                   const struct psp_p384_pub *pub, struct sev_cert *cert)
{
    sev_cert_init(cert);
    cert->api_major = sev->core->profile.api_major;
    cert->api_minor = sev->core->profile.api_minor;
    cert->pubkey_usage = usage;
    cert->pubkey_algo =
        usage == SEV_USAGE_PDH ? SEV_ALGO_ECDH_SHA256 : SEV_ALGO_ECDSA_SHA256;
    sev_cert_set_ec(cert, SEV_CURVE_P384, pub->x, pub->y);
}

enum psp_err sev_cert_sign(struct sev_cert *cert, size_t slot, uint32_t usage,
                           const struct psp_p384_key *key)
{
    uint8_t bytes[SEV_CERT_SIZE];
    uint8_t digest[SHA256_SIZE];
    struct psp_p384_sig sig;
    enum psp_err err;

    sev_cert_encode(cert, bytes);
    psp_sha256(bytes, SEV_CERT_BODY_SIZE, digest);
    err = psp_p384_sign_sha256(key, digest, &sig);
    if (err == PSP_OK) {
        cert->sig[slot].usage = usage;
        cert->sig[slot].algo = SEV_ALGO_ECDSA_SHA256;
        sev_cert_slot_set_ecdsa(&cert->sig[slot], sig.r, sig.s);
    }
    return err;
}

bool sev_cert_slot_empty(const struct sev_cert_slot *slot)
{
    return slot->usage == SEV_USAGE_NONE && slot->algo == SEV_ALGO_NONE;
}

bool sev_cert_same_body(const struct sev_cert *a, const struct sev_cert *b)
{
    uint8_t left[SEV_CERT_SIZE], right[SEV_CERT_SIZE];

    sev_cert_encode(a, left);
    sev_cert_encode(b, right);
    return memcmp(left, right, SEV_CERT_BODY_SIZE) == 0;
}
