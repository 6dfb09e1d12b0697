/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What AMD's certificates and CRLs have in common, and the inside of a CA.
 * Spec: abi/certs-kds.md §1.2 to §1.6, §8.1.
 */
#ifndef PKI_X509_H
#define PKI_X509_H

#include "pki.h"

#include "der.h"

/** Largest TBS and largest certificate that is ever built. */
#define X509_TBS_MAX  4096u
#define X509_CERT_MAX (X509_TBS_MAX + 1024u)

/** Fixed dates, so that equal requests give equal certificates: CA 2024-01-01
 * to 2049-01-01, leaves 2026-01-01 to 2033-01-01 (seven years, as genuine
 * VCEKs have; VLEKs too, or a long-lived simulation would expire). */
#define X509_CA_NOT_BEFORE   1704067200u
#define X509_CA_NOT_AFTER    2493072000u
#define X509_LEAF_NOT_BEFORE 1767225600u
#define X509_LEAF_NOT_AFTER  1988150400u

struct pki_ca {
    uint8_t seed[PSP_SEED_SIZE];
    enum psp_generation generation;
    enum pki_naming naming;
    char vcek_product[PKI_PRODUCT_NAME_SIZE]; /* "": as AMD issues */
    struct pki_key_store store;               /* load NULL: none */
    struct psp_rsa_key *rsa[PKI_ROLE_COUNT];
    struct pki_cert cert[PKI_ROLE_COUNT];
};

/** True if the generation has X.509 certificates: Milan, Genoa, Turin. */
bool pki_x509_exists(enum psp_generation generation);

/** Number of the generation in serials: 1 Milan, 2 Genoa, 3 Turin. */
unsigned int pki_x509_product(enum psp_generation generation);

/** Serial of a CA certificate: 53 PP 00 00, 53 PP 00 01, 53 PP 01 01. */
uint32_t pki_x509_ca_serial(enum psp_generation generation, enum pki_role role);

/** AlgorithmIdentifier RSASSA-PSS, SHA-384, MGF1-SHA-384, salt 48, no trailer
 * field. */
void pki_x509_pss_sha384(struct der *d);

/** Name of a CA. */
void pki_x509_ca_name(struct der *d, const struct pki_ca *ca,
                      enum pki_role role);
/** Name of a leaf, @cn "SEV-VCEK" or "SEV-VLEK". */
void pki_x509_leaf_name(struct der *d, const char *cn);

void pki_x509_validity(struct der *d, uint64_t not_before, uint64_t not_after);

/** Extension of @oid (its content octets); fill the value, then close with
 * pki_x509_ext_close(). */
struct pki_x509_ext {
    size_t seq;
    size_t octets;
};
struct pki_x509_ext pki_x509_ext_open(struct der *d, const void *oid,
                                      size_t oid_size, bool critical);
void pki_x509_ext_close(struct der *d, const struct pki_x509_ext *ext);

/** authorityKeyIdentifier with the key id of @pub, not critical. */
void pki_x509_ext_aki(struct der *d, const struct psp_rsa_pub *pub);

/** SEQUENCE { @tbs, algorithm, signature by @signer }, allocated. */
PSP_MUST_CHECK enum psp_err pki_x509_sign(struct pki_ca *ca,
                                          enum pki_role signer,
                                          const struct der *tbs,
                                          struct pki_cert *out);

#endif
