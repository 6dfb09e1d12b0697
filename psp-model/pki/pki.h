/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The factory: what AMD's key ceremony, chip fusing and KDS do, from one
 * 32-byte platform seed. Everything is a function of the seed.
 * Spec: abi/certs-kds.md §1 and §8, abi/snp.md §8.4, §9.1.
 */
#ifndef PKI_H
#define PKI_H

#include "crypto.h"
#include "rsa.h"

#include <psp/drbg.h>
#include <psp/psp.h>

/** The public development seed: the text "swpsp public development seed" and
 * three zero bytes. Its RSA keys are in the tree. INSECURE: everybody has the
 * private keys. */
extern const uint8_t PKI_DEV_SEED[PSP_SEED_SIZE];

/** Fuse chip number @index of a generation: CHIP_ID and chip secret. CHIP_ID is
 * ASCII "SWPSPSIM" and 56 derived bytes; for Turin "SWPS", 4 derived bytes and
 * 56 zeros. abi/certs-kds.md §5.11 item 7, §8.2 */
void pki_chip_make(const uint8_t seed[PSP_SEED_SIZE],
                   enum psp_generation generation, uint32_t index,
                   struct psp_chip *chip);

/** VCEK seed (48 bytes) of a chip at a TCB. abi/snp.md §8.4 */
void pki_vcek_seed(const uint8_t secret[PSP_CHIP_SECRET_SIZE],
                   const struct psp_tcb *tcb, uint8_t seed[48]);
/** VCEK: P-384 key pair of a VCEK seed. abi/snp.md §9.1 */
PSP_MUST_CHECK enum psp_err pki_vcek_from_seed(const uint8_t seed[48],
                                               struct psp_p384_key *key);
/** VLEK seed of a CSP at a TCB, and the key pair of a VLEK seed. */
void pki_vlek_seed(const uint8_t seed[PSP_SEED_SIZE],
                   enum psp_generation generation, const char *csp_id,
                   const struct psp_tcb *tcb, uint8_t vlek_seed[48]);
PSP_MUST_CHECK enum psp_err pki_vlek_from_seed(const uint8_t seed[48],
                                               struct psp_p384_key *key);

/** Wrap a VLEK seed for one chip: the 432-byte hashstick that SNP_VLEK_LOAD
 * takes. @iv: 12 fresh bytes. abi/snp.md §9.5 */
#define PKI_HASHSTICK_SIZE 0x1b0u
void pki_vlek_wrap(const uint8_t vcek_seed[48], const struct psp_tcb *tcb,
                   const uint8_t iv[GCM_IV_SIZE], const uint8_t vlek_seed[48],
                   uint8_t out[PKI_HASHSTICK_SIZE]);
/** TCB_VERSION of a hashstick, not authenticated; for the check that comes
 * before the tag. PSP_E_FORMAT: a reserved byte is set. */
PSP_MUST_CHECK enum psp_err
pki_vlek_stick_tcb(const uint8_t in[PKI_HASHSTICK_SIZE], struct psp_tcb *tcb);
/** Reverse. In this order: PSP_E_FORMAT (reserved bytes), PSP_E_VERIFY (tag),
 * PSP_E_FORMAT (padding inside). @vlek_seed is written on success only. */
PSP_MUST_CHECK enum psp_err
pki_vlek_unwrap(const uint8_t vcek_seed[48],
                const uint8_t in[PKI_HASHSTICK_SIZE], uint8_t vlek_seed[48]);

enum pki_role { PKI_ARK, PKI_ASK, PKI_ASVK, PKI_ROLE_COUNT };

/** "ARK", "ASK", "ASVK". Static storage. */
const char *pki_role_name(enum pki_role role);

/** Names in certificates. Simulated (default): the ARK's organisation is not
 * AMD. Lookalike: it is, for programs whose roots cannot be configured; unsafe.
 * Both carry the description "SIMULATED - NOT AN AMD CERTIFICATE" and serials
 * that begin with 53h. abi/certs-kds.md §8.1 */
enum pki_naming { PKI_SIMULATED, PKI_LOOKALIKE };

#define PKI_DESCRIPTION "SIMULATED - NOT AN AMD CERTIFICATE"

/** An X.509 certificate or CRL, DER. */
struct pki_cert {
    uint8_t *der;
    size_t size;
};
void pki_cert_clear(struct pki_cert *cert);

/** RSA keys and CA certificates of one generation. One thread at a time. */
struct pki_ca;

/** Where RSA keys of private seeds are kept between runs. @name is for example
 * "Milan-ARK". */
struct pki_key_store {
    /** Load the PKCS#1 DER of a key; 0, or 1 when there is none, or -1. The
     * caller of the callback wipes @der and frees it with free(). */
    int (*load)(void *ctx, const char *name, uint8_t **der, size_t *size);
    /** 0 or -1. */
    int (*save)(void *ctx, const char *name, const uint8_t *der, size_t size);
    /** Before a key is made (slow). May be NULL. */
    void (*progress)(void *ctx, const char *name);
    void *ctx;
};

/**
 * Open the CA of a generation. With PKI_DEV_SEED the built-in keys are used;
 * otherwise keys come from @store, and are derived from the seed (about a
 * second each) and saved when the store has none. @store (copied) may be NULL:
 * derive every time. Keys and certificates are made on first use only.
 *
 * Naples and Rome have an ARK and an ASK but no X.509: they offer pki_ca_rsa()
 * and pki_ca_sign(), and every certificate is PSP_E_PARAM.
 *
 * Returns PSP_OK, PSP_E_PARAM (no such generation), PSP_E_NOMEM.
 *
 * The functions below that need an RSA key can also return PSP_E_HOST (the
 * store failed), PSP_E_FORMAT (the store's key is damaged or of another size),
 * PSP_E_VERIFY (it is the key of a known AMD root), PSP_E_NOMEM, PSP_E_CRYPTO.
 */
PSP_MUST_CHECK enum psp_err pki_ca_open(const uint8_t seed[PSP_SEED_SIZE],
                                        enum psp_generation generation,
                                        enum pki_naming naming,
                                        const struct pki_key_store *store,
                                        struct pki_ca **out);
/** Wipes the keys. NULL is fine. */
void pki_ca_close(struct pki_ca *ca);

enum psp_generation pki_ca_generation(const struct pki_ca *ca);

/** Longest product name in a certificate, with the NUL. */
#define PKI_PRODUCT_NAME_SIZE 16u
/** The generation that a product name says: "Milan", "Genoa" or "Turin",
 * perhaps followed by a stepping: "Milan-B1". False: it is none of these. */
bool pki_product_generation(const char *name, enum psp_generation *out);
/** The product name in the VCEKs of @ca, instead of those that AMD issues
 * ("Milan-B0", "Genoa", "Turin"). Copied; before the first certificate.
 * PSP_E_PARAM: pki_product_generation() says another generation or none.
 * abi/certs-kds.md §1.7, §9 U3, U4 */
PSP_MUST_CHECK enum psp_err pki_ca_set_product_name(struct pki_ca *ca,
                                                    const char *name);

/** RSA key of a role, for the legacy certificates as well: the same keys back
 * both formats. Borrowed until pki_ca_close(). Naples: 2048 bits, all others
 * 4096. PSP_E_PARAM: a role that the generation does not have.
 * abi/certs-kds.md §4.2 */
PSP_MUST_CHECK enum psp_err pki_ca_rsa(struct pki_ca *ca, enum pki_role role,
                                       const struct psp_rsa_key **out);

/**
 * RSASSA-PSS by a role's key: SHA-256 with 2048 bits, SHA-384 with 4096 bits,
 * salt as long as the digest and derived from seed and digest, so that equal
 * data gives equal bytes.
 * @sig  RSA_MAX_SIZE bytes, big-endian; the first *sig_size are the signature.
 */
PSP_MUST_CHECK enum psp_err pki_ca_sign(struct pki_ca *ca, enum pki_role role,
                                        const void *data, size_t size,
                                        uint8_t sig[RSA_MAX_SIZE],
                                        size_t *sig_size);

/** True if @pub is an ARK or ASK that AMD published (Naples to Turin). */
bool pki_is_amd_key(const struct psp_rsa_pub *pub);

/** CA certificate; borrowed until pki_ca_close(). */
PSP_MUST_CHECK enum psp_err pki_ca_cert(struct pki_ca *ca, enum pki_role role,
                                        const struct pki_cert **out);

/** Certificate of the VCEK of @chip at @tcb. @out: pki_cert_clear(). Equal
 * requests give equal bytes. PSP_E_PARAM: a TCB component above 127 (microcode:
 * 255), a reserved TCB byte set. */
PSP_MUST_CHECK enum psp_err pki_vcek_cert(struct pki_ca *ca,
                                          const struct psp_chip *chip,
                                          const struct psp_tcb *tcb,
                                          struct pki_cert *out);
/** The same for the VLEK of a CSP. Also PSP_E_PARAM: @csp_id is not 1 to
 * PKI_CSP_ID_MAX characters of printable ASCII. */
#define PKI_CSP_ID_MAX 128u
PSP_MUST_CHECK enum psp_err pki_vlek_cert(struct pki_ca *ca, const char *csp_id,
                                          const struct psp_tcb *tcb,
                                          struct pki_cert *out);

/** ARK-signed CRL of the day of @now (seconds since the epoch), valid for 45
 * days. @number: cRLNumber; @revoke_ask: list the ASK's serial.
 * PSP_E_PARAM: a date after 2049. abi/certs-kds.md §2.7 */
PSP_MUST_CHECK enum psp_err pki_crl(struct pki_ca *ca, uint64_t now,
                                    uint32_t number, bool revoke_ask,
                                    struct pki_cert *out);

/** Default CSP_ID of simulated VLEKs. */
#define PKI_CSP_ID "CN=simulated-csp.invalid"

#endif
