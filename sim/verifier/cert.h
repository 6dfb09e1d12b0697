/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What a relying party demands of every certificate of the SNP hierarchy.
 * Spec: abi/certs-kds.md §1.
 */
#ifndef VERIFIER_CERT_H
#define VERIFIER_CERT_H

#include <psp/profile.h>

#include <openssl/x509.h>

#include <stdbool.h>
#include <stddef.h>

#define WHY_SIZE       160u
#define CERT_NAME_SIZE 65u /* X.520 upper bound of a common name, and NUL */
#define CERT_EXT_MAX   32

enum cert_kind {
    CERT_UNKNOWN,
    CERT_ARK,
    CERT_ASK,
    CERT_ASVK,
    CERT_VCEK,
    CERT_VLEK,
};

/** Says by its common name what a certificate claims to be, and (CAs only) for
 * which product; *product is PSP_GENERATION_COUNT otherwise. May be NULL. */
enum cert_kind cert_kind_of_name(const X509_NAME *name,
                                 enum psp_generation *product);
enum cert_kind cert_kind(const X509 *x, enum psp_generation *product);

/** "ARK", "VCEK", ...; "certificate" for CERT_UNKNOWN. */
const char *cert_kind_name(enum cert_kind kind);

/** True if @name has attribute @nid exactly once; its text in @out when that
 * is shorter than @size, printable and without NUL. */
bool cert_name_text(const X509_NAME *name, int nid, char *out, size_t size);

/** Which of AMD's two encodings of RSASSA-PSS with SHA-384, MGF1-SHA-384 and
 * salt length 48 this is: 'A' (no trailerField), 'B' (explicit), or 0. */
char cert_pss_form(const X509_ALGOR *algor);

/** True if the signature algorithm is AMD's, inside and out. */
bool cert_signature_algorithm_ok(const X509 *x);

/**
 * A CA certificate: version 3, RSA-4096 with e 65537, AMD's PSS parameters,
 * CA flag, keyCertSign, room for @below further CAs, no extension twice, no
 * critical extension that this verifier does not evaluate.
 * @why  WHY_SIZE bytes; one clause on false.
 */
bool cert_is_ca(X509 *x, int below, char *why);

/** Leaf: version 3, key on P-384 (named curve, uncompressed point), and none of
 * a CA's rights. AMD's extensions are leaf.h's matter. */
bool cert_is_end_entity(X509 *x, char *why);

/** @child names @issuer, and the signature in it is @issuer's. */
bool cert_issued_by(X509 *child, X509 *issuer, char *why);

/** AMD's location attributes, each exactly once: OU, C, L, ST, O. */
bool cert_name_is_amds(const X509_NAME *name, char *why);

/** No extension occurs twice and there are not absurdly many. */
bool cert_extensions_unique(const X509 *x, char *why);

/** Is the object AMD's arc 1.3.6.1.4.1.3704.1? Then *@suffix points at the
 * DER bytes behind it, *@size of them. */
bool cert_oid_is_amds(const ASN1_OBJECT *oid, const unsigned char **suffix,
                      size_t *size);

#endif
