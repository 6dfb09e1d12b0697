/* SPDX-License-Identifier: Apache-2.0 */
/**
 * AMD's binary certificate of a CA key: ARK and ASK of every generation.
 * Spec: [55766 App. B.1], abi/sev.md §5.5.
 */
#ifndef WIRE_SEV_AMD_CERT_H
#define WIRE_SEV_AMD_CERT_H

#include "sev_cert.h"

#define SEV_AMD_ID_SIZE          16u
#define SEV_AMD_CERT_HEADER_SIZE 64u
#define SEV_AMD_CERT_SIZE_2048   832u
#define SEV_AMD_CERT_SIZE_4096   1600u
#define SEV_AMD_CERT_MAX_SIZE    SEV_AMD_CERT_SIZE_4096

struct sev_amd_cert {
    uint32_t version;
    uint8_t key_id[SEV_AMD_ID_SIZE];
    uint8_t certifying_id[SEV_AMD_ID_SIZE]; /* KEY_ID of the signer */
    uint32_t key_usage;                     /* SEV_USAGE_ARK, SEV_USAGE_ASK */
    uint8_t reserved[16];
    uint32_t exponent_bits;
    uint32_t modulus_bits;
    uint8_t exponent[SEV_RSA_SIZE];  /* little-endian, as in the file */
    uint8_t modulus[SEV_RSA_SIZE];   /* little-endian */
    uint8_t signature[SEV_RSA_SIZE]; /* little-endian, modulus-sized */
};

/**
 * Decode the certificate at the start of @buf; more may follow (an ask_ark
 * file is ASK, then ARK).
 *
 * @used  Bytes it takes.
 *
 * PSP_E_FORMAT: a size that is not a multiple of 8 from 8 to 4096 bits, or
 * @buf ends early. Other values are judged by the caller.
 */
PSP_MUST_CHECK enum psp_err sev_amd_cert_decode(const uint8_t *buf, size_t size,
                                                struct sev_amd_cert *cert,
                                                size_t *used);

/** Returns the bytes written: at most SEV_AMD_CERT_MAX_SIZE. */
size_t sev_amd_cert_encode(const struct sev_amd_cert *cert,
                           uint8_t out[SEV_AMD_CERT_MAX_SIZE]);

/** Bytes that the signature covers: from the start to the end of MODULUS. */
size_t sev_amd_cert_body_size(const struct sev_amd_cert *cert);

/** Its key, big-endian. False when the exponent does not fit the modulus. */
bool sev_amd_cert_get_rsa(const struct sev_amd_cert *cert, struct sev_rsa *rsa);
void sev_amd_cert_set_rsa(struct sev_amd_cert *cert, const struct sev_rsa *rsa);
/** Its signature, big-endian, modulus_bits / 8 bytes. */
void sev_amd_cert_get_signature(const struct sev_amd_cert *cert, uint8_t *out);
void sev_amd_cert_set_signature(struct sev_amd_cert *cert, const uint8_t *in);

/** Algorithm that such a key signs with: SEV_ALGO_RSA_SHA256 up to 2048 bits,
 * else SEV_ALGO_RSA_SHA384. */
uint32_t sev_amd_cert_algo(const struct sev_amd_cert *cert);

#endif
