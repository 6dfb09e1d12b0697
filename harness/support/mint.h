/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Certificates, CRLs and signed reports for tests of relying parties, with
 * every field open to being wrong. Own DER writer and libcrypto signatures;
 * shares nothing with psp-model/pki, so that the two can judge each other.
 * Every function fails the running test when it cannot do its work.
 */
#ifndef MINT_H
#define MINT_H

#include "snp_report.h"

#include <openssl/evp.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MINT_MAX_SIZE  8192u
#define MINT_EXT_MAX   40u
#define MINT_VALUE_MAX 128u

struct mint_der {
    uint8_t b[MINT_MAX_SIZE];
    size_t n;
};

/** Signature AlgorithmIdentifier: AMD's two forms, and wrong ones. */
enum mint_alg {
    MINT_FORM_A,
    MINT_FORM_B,
    MINT_SALT_32, /* PSS with SHA-384 and salt 32 */
    MINT_SHA_256, /* PSS with SHA-256 and salt 32 */
    MINT_PKCS1,   /* sha384WithRSAEncryption */
};

struct mint_name {
    const char *o; /* NULL: "Advanced Micro Devices"; "": no such attribute */
    char cn[40];
    const char *description; /* NULL: no such attribute */
};

struct mint_ext {
    uint8_t oid[16]; /* DER content */
    size_t oid_size;
    bool critical;
    uint8_t value[MINT_VALUE_MAX]; /* content of the OCTET STRING */
    size_t value_size;
};

struct mint_cert {
    uint8_t version; /* 2: v3 */
    uint32_t serial;
    enum mint_alg alg;       /* inner and outer */
    enum mint_alg outer_alg; /* differs: only with outer_alg_set */
    bool outer_alg_set;
    struct mint_name subject, issuer;
    const char *not_before, *not_after; /* "YYMMDDhhmmssZ" */
    EVP_PKEY *key;                      /* subject's */
    EVP_PKEY *signer;
    struct mint_der spki; /* empty: as libcrypto writes key */
    struct mint_ext ext[MINT_EXT_MAX];
    size_t ext_count;
};

struct mint_crl {
    struct mint_name issuer;
    const char *this_update, *next_update; /* next NULL: absent */
    EVP_PKEY *signer;
    enum mint_alg alg;
    uint32_t revoked[4]; /* serials */
    size_t revoked_count;
    bool revoked_critical; /* each entry has a critical extension */
    struct mint_ext ext[4];
    size_t ext_count;
};

/** Good ones, as abi/certs-kds.md §1 describes them; @product "Milan", ... */
void mint_ark(struct mint_cert *c, const char *product, EVP_PKEY *key);
void mint_ask(struct mint_cert *c, const char *product, EVP_PKEY *key,
              EVP_PKEY *ark);
void mint_asvk(struct mint_cert *c, const char *product, EVP_PKEY *key,
               EVP_PKEY *ark);
void mint_vcek(struct mint_cert *c, enum psp_generation generation,
               const uint8_t chip_id[64], const struct psp_tcb *tcb,
               EVP_PKEY *key, EVP_PKEY *ask);
void mint_vlek(struct mint_cert *c, enum psp_generation generation,
               const char *csp_id, const struct psp_tcb *tcb, EVP_PKEY *key,
               EVP_PKEY *asvk);
void mint_crl(struct mint_crl *c, const char *product, EVP_PKEY *ark);

/** Extensions. AMD ones are named by the arcs behind 1.3.6.1.4.1.3704.1, the
 * second 0 if there is none. */
struct mint_ext *mint_ext_add(struct mint_cert *c, const char *oid_hex,
                              const char *value_hex);
struct mint_ext *mint_amd_ext(struct mint_cert *c, uint8_t arc1, uint8_t arc2);
void mint_ext_drop(struct mint_cert *c, struct mint_ext *ext);
void mint_ext_value(struct mint_ext *ext, const char *hex);
/** INTEGER in the fewest bytes. */
void mint_ext_integer(struct mint_ext *ext, uint8_t value);

void mint_cert_build(const struct mint_cert *c, struct mint_der *out);
void mint_crl_build(const struct mint_crl *c, struct mint_der *out);
/** PEM text of @der; free() ends it. */
char *mint_pem(const struct mint_der *der, const char *label);

EVP_PKEY *mint_key_file(const char *path);
EVP_PKEY *mint_ec_key(const char *group);

/** Sign the encoded report in place with @key (P-384). */
void mint_sign_report(uint8_t report[SNP_REPORT_SIZE], EVP_PKEY *key);

/** A report as the generation's firmware makes it, unsigned. */
void mint_report(struct snp_report *r, enum psp_generation generation);

#endif
