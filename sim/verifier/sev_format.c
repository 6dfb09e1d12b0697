/* SPDX-License-Identifier: Apache-2.0 */
#include "sev_check.h"

#include "wire.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* Ends of the EC form inside PUBKEY, and of ECDSA inside a slot. */
#define EC_KEY_END (4u + 2u * SEV_CERT_NUM_SIZE)
#define ECDSA_END  (2u * SEV_CERT_NUM_SIZE)

static const struct {
    uint32_t usage;
    uint32_t signer[2]; /* usages that a slot may name; NONE: no second */
} ROLE[SEV_ROLE_COUNT] = {
    [SEV_ROLE_CEK] = {SEV_USAGE_CEK, {SEV_USAGE_ASK, SEV_USAGE_NONE}},
    [SEV_ROLE_OCA] = {SEV_USAGE_OCA, {SEV_USAGE_OCA, SEV_USAGE_NONE}},
    [SEV_ROLE_PEK] = {SEV_USAGE_PEK, {SEV_USAGE_OCA, SEV_USAGE_CEK}},
    [SEV_ROLE_PDH] = {SEV_USAGE_PDH, {SEV_USAGE_PEK, SEV_USAGE_NONE}},
};

__attribute__((format(printf, 2, 3))) static bool refuse(char *why,
                                                         const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, SEV_WHY_SIZE, fmt, ap);
    va_end(ap);
    return false;
}

uint32_t sev_role_usage(enum sev_role role)
{
    return ROLE[role].usage;
}

const char *sev_role_name(enum sev_role role)
{
    return sev_usage_name(ROLE[role].usage);
}

bool sev_ca_check(const struct sev_amd_cert *cert, uint32_t usage,
                  EVP_PKEY **key, char *why)
{
    struct sev_rsa rsa;

    *key = sev_amd_cert_get_rsa(cert, &rsa) ? sev_key_rsa(&rsa) : NULL;
    if (cert->version != SEV_CERT_VERSION) {
        return refuse(why, "VERSION is %" PRIu32, cert->version);
    }
    if (cert->key_usage != usage) {
        return refuse(why, "KEY_USAGE is 0x%" PRIx32 " (%s)", cert->key_usage,
                      sev_usage_name(cert->key_usage));
    }
    if (!psp_all_zero(cert->reserved, sizeof(cert->reserved))) {
        return refuse(why, "the reserved bytes are not zero");
    }
    if (cert->exponent_bits != cert->modulus_bits ||
        (cert->modulus_bits != 2048 && cert->modulus_bits != 4096)) {
        return refuse(why, "sizes are %" PRIu32 " and %" PRIu32 " bits",
                      cert->exponent_bits, cert->modulus_bits);
    }
    return *key != NULL || refuse(why, "the key is no sound RSA key");
}

/* ---- public keys ---- */

/* Owners' tools leave their own memory behind an OCA's key (sevctl does); its
 * own signature covers it. */
static bool check_ec(const struct sev_cert *cert, bool owner, EVP_PKEY **key,
                     char *why)
{
    uint8_t x[SEV_EC_SIZE];
    uint8_t y[SEV_EC_SIZE];
    uint32_t curve = 0;

    if (!sev_cert_get_ec(cert, &curve, x, y)) {
        return refuse(why, "a coordinate is longer than %u bytes", SEV_EC_SIZE);
    }
    if (curve != SEV_CURVE_P384) {
        return refuse(why, "CURVE is %" PRIu32 ", not P-384", curve);
    }
    if (!owner && !psp_all_zero(cert->pubkey + EC_KEY_END,
                                SEV_CERT_KEY_SIZE - EC_KEY_END)) {
        return refuse(why, "the bytes behind the key are not zero");
    }
    *key = sev_key_ec(x, y);
    return *key != NULL || refuse(why, "the key is no point of P-384");
}

static bool check_rsa(const struct sev_cert *cert, EVP_PKEY **key,
                      uint32_t *rsa_size, char *why)
{
    struct sev_rsa rsa;

    if (!sev_cert_get_rsa(cert, &rsa)) {
        return refuse(why, "the RSA key's sizes or padding are wrong");
    }
    *rsa_size = rsa.size;
    *key = sev_key_rsa(&rsa);
    return *key != NULL || refuse(why, "the key is no sound RSA key");
}

static bool check_key(const struct sev_cert *cert, enum sev_role role,
                      EVP_PKEY **key, uint32_t *rsa_size, char *why)
{
    uint32_t algo = cert->pubkey_algo;
    bool owner = role == SEV_ROLE_OCA;

    if (owner && (algo == SEV_ALGO_RSA_SHA256 || algo == SEV_ALGO_RSA_SHA384)) {
        return check_rsa(cert, key, rsa_size, why);
    }
    if ((owner && algo == SEV_ALGO_ECDSA_SHA384) ||
        algo == (role == SEV_ROLE_PDH ? SEV_ALGO_ECDH_SHA256
                                      : SEV_ALGO_ECDSA_SHA256)) {
        return check_ec(cert, owner, key, why);
    }
    return refuse(why, "PUBKEY_ALGO is 0x%" PRIx32, algo);
}

/* ---- signature slots ---- */

static bool algo_fits(uint32_t usage, uint32_t algo)
{
    bool rsa = algo == SEV_ALGO_RSA_SHA256 || algo == SEV_ALGO_RSA_SHA384;

    switch (usage) {
    case SEV_USAGE_ASK:
        return rsa;
    case SEV_USAGE_OCA:
        return rsa || algo == SEV_ALGO_ECDSA_SHA256 ||
               algo == SEV_ALGO_ECDSA_SHA384;
    default:
        return algo == SEV_ALGO_ECDSA_SHA256;
    }
}

static bool check_slot(const struct sev_cert_slot *slot, enum sev_role role,
                       unsigned int number, char *why)
{
    if (slot->usage == SEV_USAGE_NONE) {
        return (slot->algo == SEV_ALGO_NONE &&
                psp_all_zero(slot->data, sizeof(slot->data))) ||
               refuse(why, "signature slot %u is empty but not zero", number);
    }
    if (slot->usage != ROLE[role].signer[0] &&
        slot->usage != ROLE[role].signer[1]) {
        return refuse(why,
                      "signature slot %u names 0x%" PRIx32 " (%s) as signer",
                      number, slot->usage, sev_usage_name(slot->usage));
    }
    if (!algo_fits(slot->usage, slot->algo)) {
        return refuse(why, "signature slot %u has algorithm 0x%" PRIx32, number,
                      slot->algo);
    }
    /* How long an RSA signature is, its key says: sev_signed_by(). */
    if ((slot->algo == SEV_ALGO_ECDSA_SHA256 ||
         slot->algo == SEV_ALGO_ECDSA_SHA384) &&
        !psp_all_zero(slot->data + ECDSA_END, sizeof(slot->data) - ECDSA_END)) {
        return refuse(why, "bytes behind signature %u are not zero", number);
    }
    return true;
}

bool sev_part_check(const struct sev_cert *cert, enum sev_role role,
                    EVP_PKEY **key, uint32_t *rsa_size, char *why)
{
    *key = NULL;
    *rsa_size = 0;
    if (cert->version != SEV_CERT_VERSION) {
        return refuse(why, "VERSION is %" PRIu32, cert->version);
    }
    if (cert->reserved != 0) {
        return refuse(why, "the reserved bytes are not zero");
    }
    if (cert->pubkey_usage != ROLE[role].usage) {
        return refuse(why, "PUBKEY_USAGE is 0x%" PRIx32 " (%s)",
                      cert->pubkey_usage, sev_usage_name(cert->pubkey_usage));
    }
    if (!check_key(cert, role, key, rsa_size, why)) {
        return false;
    }
    if (cert->sig[0].usage == cert->sig[1].usage &&
        cert->sig[0].usage != SEV_USAGE_NONE) {
        return refuse(why, "both signature slots name the same signer");
    }
    return check_slot(&cert->sig[0], role, 1, why) &&
           check_slot(&cert->sig[1], role, 2, why);
}

/* ---- signatures ---- */

struct sev_signer sev_signer_ca(const struct sev_ca *ca)
{
    return (struct sev_signer){.key = ca->key,
                               .usage = ca->cert.key_usage,
                               .algo = sev_amd_cert_algo(&ca->cert),
                               .rsa_size = ca->cert.modulus_bits / 8};
}

struct sev_signer sev_signer_part(const struct sev_part *part)
{
    return (struct sev_signer){.key = part->key,
                               .usage = part->cert.pubkey_usage,
                               .algo = part->cert.pubkey_algo,
                               .rsa_size = part->rsa_size};
}

static bool verify_slot(const uint8_t bytes[SEV_CERT_SIZE],
                        const struct sev_cert_slot *slot,
                        const struct sev_signer *signer, char *why)
{
    uint8_t rsa[SEV_RSA_SIZE];
    uint8_t r[SEV_EC_SIZE];
    uint8_t s[SEV_EC_SIZE];
    bool ok;

    if (signer->rsa_size == 0) {
        ok = sev_cert_slot_get_ecdsa(slot, r, s) &&
             sev_key_verify_ecdsa(signer->key, signer->algo, bytes,
                                  SEV_CERT_BODY_SIZE, r, s);
    } else {
        if (!psp_all_zero(slot->data + signer->rsa_size,
                          sizeof(slot->data) - signer->rsa_size)) {
            return refuse(why, "bytes behind the signature are not zero");
        }
        sev_cert_slot_get_rsa(slot, signer->rsa_size, rsa);
        ok = sev_key_verify_pss(signer->key, signer->algo, bytes,
                                SEV_CERT_BODY_SIZE, rsa, signer->rsa_size);
    }
    return ok || refuse(why, "the signature is not the %s's",
                        sev_usage_name(signer->usage));
}

bool sev_signed_by(const uint8_t bytes[SEV_CERT_SIZE],
                   const struct sev_cert *cert, const struct sev_signer *signer,
                   char *why)
{
    const char *name = sev_usage_name(signer->usage);

    for (size_t i = 0; i < 2; i++) {
        const struct sev_cert_slot *slot = &cert->sig[i];

        if (slot->usage != signer->usage) {
            continue;
        }
        if (slot->algo != signer->algo) {
            return refuse(why,
                          "its algorithm is 0x%" PRIx32 ", the %s's 0x%" PRIx32,
                          slot->algo, name, signer->algo);
        }
        return verify_slot(bytes, slot, signer, why);
    }
    return refuse(why, "no signature slot names the %s", name);
}

bool sev_ca_signed_by(const uint8_t *bytes, const struct sev_amd_cert *cert,
                      const struct sev_signer *signer, char *why)
{
    uint8_t sig[SEV_RSA_SIZE];

    if (cert->modulus_bits / 8 != signer->rsa_size) {
        return refuse(why, "its key has %" PRIu32 " bits, the %s's %" PRIu32,
                      cert->modulus_bits, sev_usage_name(signer->usage),
                      8 * signer->rsa_size);
    }
    sev_amd_cert_get_signature(cert, sig);
    return sev_key_verify_pss(signer->key, signer->algo, bytes,
                              sev_amd_cert_body_size(cert), sig,
                              signer->rsa_size) ||
           refuse(why, "the signature is not the %s's",
                  sev_usage_name(signer->usage));
}
