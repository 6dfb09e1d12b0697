/* SPDX-License-Identifier: Apache-2.0 */
/**
 * SEV certificate: PDH, PEK, OCA, CEK and guest owners' Diffie-Hellman keys.
 * Numbers inside are little-endian, zero-extended; this codec hands them out
 * big-endian. Spec: [55766 App. C.1], abi/sev.md §5.1 to §5.3.
 */
#ifndef WIRE_SEV_CERT_H
#define WIRE_SEV_CERT_H

#include <psp/err.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEV_CERT_SIZE      0x824u
#define SEV_CERT_BODY_SIZE 0x414u /* VERSION to PUBKEY: the signed bytes */
#define SEV_CERT_KEY_SIZE  0x404u
#define SEV_CERT_SIG_SIZE  0x200u
#define SEV_CERT_NUM_SIZE  72u  /* coordinate, R or S */
#define SEV_EC_SIZE        48u  /* P-384 number */
#define SEV_RSA_SIZE       512u /* largest RSA number, bytes */

#define SEV_CERT_VERSION 1u

/* PUBKEY_USAGE and SIGn_USAGE. abi/sev.md §5.3 */
#define SEV_USAGE_ARK  0x0000u
#define SEV_USAGE_ASK  0x0013u
#define SEV_USAGE_NONE 0x1000u /* empty slot */
#define SEV_USAGE_OCA  0x1001u
#define SEV_USAGE_PEK  0x1002u
#define SEV_USAGE_PDH  0x1003u
#define SEV_USAGE_CEK  0x1004u

/* PUBKEY_ALGO and SIGn_ALGO. */
#define SEV_ALGO_NONE         0x000u
#define SEV_ALGO_RSA_SHA256   0x001u
#define SEV_ALGO_ECDSA_SHA256 0x002u
#define SEV_ALGO_ECDH_SHA256  0x003u
#define SEV_ALGO_RSA_SHA384   0x101u
#define SEV_ALGO_ECDSA_SHA384 0x102u
#define SEV_ALGO_ECDH_SHA384  0x103u

#define SEV_CURVE_P256 1u
#define SEV_CURVE_P384 2u

struct sev_cert_slot {
    uint32_t usage; /* of the key that signed */
    uint32_t algo;
    uint8_t data[SEV_CERT_SIG_SIZE]; /* as in the certificate */
};

struct sev_cert {
    uint32_t version;
    uint8_t api_major; /* of the firmware that made it */
    uint8_t api_minor;
    uint16_t reserved;
    uint32_t pubkey_usage;
    uint32_t pubkey_algo;
    uint8_t pubkey[SEV_CERT_KEY_SIZE]; /* as in the certificate */
    struct sev_cert_slot sig[2];
};

/** Every bit pattern survives decoding and encoding. PSP_E_FORMAT: @size is
 * not SEV_CERT_SIZE. Values are judged by the caller. */
PSP_MUST_CHECK enum psp_err sev_cert_decode(const uint8_t *buf, size_t size,
                                            struct sev_cert *cert);
void sev_cert_encode(const struct sev_cert *cert, uint8_t out[SEV_CERT_SIZE]);

/** VERSION 1, both slots empty, zeros elsewhere. */
void sev_cert_init(struct sev_cert *cert);
/** Usage 0x1000, algo 0, zeros. */
void sev_cert_slot_clear(struct sev_cert_slot *slot);

/** EC key, coordinates big-endian. Returns false when a coordinate has more
 * than SEV_EC_SIZE bytes; *curve may be any number. */
bool sev_cert_get_ec(const struct sev_cert *cert, uint32_t *curve,
                     uint8_t x[SEV_EC_SIZE], uint8_t y[SEV_EC_SIZE]);
void sev_cert_set_ec(struct sev_cert *cert, uint32_t curve,
                     const uint8_t x[SEV_EC_SIZE],
                     const uint8_t y[SEV_EC_SIZE]);

/** RSA public key: @size bytes each, big-endian. */
struct sev_rsa {
    uint32_t size; /* of the modulus, bytes: 1 .. SEV_RSA_SIZE */
    uint8_t n[SEV_RSA_SIZE];
    uint8_t e[SEV_RSA_SIZE];
};

/** Returns false unless MODULUS_SIZE is a multiple of 8 from 8 to 4096 and no
 * bit of modulus or exponent lies beyond it. */
bool sev_cert_get_rsa(const struct sev_cert *cert, struct sev_rsa *rsa);
void sev_cert_set_rsa(struct sev_cert *cert, const struct sev_rsa *rsa);

/** ECDSA signature, big-endian. Returns false when R or S has more than
 * SEV_EC_SIZE bytes. Bytes after S are not looked at. */
bool sev_cert_slot_get_ecdsa(const struct sev_cert_slot *slot,
                             uint8_t r[SEV_EC_SIZE], uint8_t s[SEV_EC_SIZE]);
void sev_cert_slot_set_ecdsa(struct sev_cert_slot *slot,
                             const uint8_t r[SEV_EC_SIZE],
                             const uint8_t s[SEV_EC_SIZE]);
/** RSA signature of @size bytes, big-endian. */
void sev_cert_slot_get_rsa(const struct sev_cert_slot *slot, uint32_t size,
                           uint8_t *out);
void sev_cert_slot_set_rsa(struct sev_cert_slot *slot, const uint8_t *in,
                           uint32_t size);

/** Little-endian 72-byte number to 48 big-endian bytes and back. False when
 * it does not fit. */
bool sev_number_get(const uint8_t in[SEV_CERT_NUM_SIZE],
                    uint8_t out[SEV_EC_SIZE]);
void sev_number_set(uint8_t out[SEV_CERT_NUM_SIZE],
                    const uint8_t in[SEV_EC_SIZE]);

/** "PEK", "OCA", ...; "unknown". */
const char *sev_usage_name(uint32_t usage);

#endif
