/* SPDX-License-Identifier: Apache-2.0 */
/**
 * AMD's certificate extensions of a VCEK or VLEK.
 * Spec: abi/certs-kds.md §1.6, §1.7, §1.8.
 */
#ifndef VERIFIER_LEAF_H
#define VERIFIER_LEAF_H

#include "cert.h"

#include <psp/profile.h>

#include <openssl/x509.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEAF_TEXT_SIZE 128u

struct leaf_info {
    enum cert_kind kind;            /* CERT_VCEK or CERT_VLEK */
    enum psp_generation generation; /* by productName */
    uint8_t struct_version;         /* 0: Milan, Genoa; 1: Turin */
    char product_name[LEAF_TEXT_SIZE];
    struct psp_tcb tcb; /* in the byte order of its generation's reports */
    uint8_t hw_id[PSP_CHIP_ID_SIZE]; /* as CHIP_ID: zeros behind */
    size_t hw_id_size;               /* 64 or 8; 0 for a VLEK */
    char csp_id[LEAF_TEXT_SIZE];     /* "" for a VCEK */
};

/**
 * Read AMD's extensions of @x, a leaf by its common name. Every extension of
 * the generation's set must be there once, well-formed (minimal INTEGERs, IA5
 * strings, raw hwID), and none of another set. Extensions outside AMD's arc are
 * not looked at.
 * @why  WHY_SIZE bytes; one clause on false.
 */
bool leaf_read(const X509 *x, struct leaf_info *out, char *why);

/** The value of one extension of AMD's arc, whatever the certificate. */
struct leaf_value {
    const char *name; /* "blSPL", "hwID", ...; NULL: not AMD's, or unknown */
    enum { LEAF_INTEGER, LEAF_TEXT, LEAF_RAW } type;
    bool ok;                   /* well-formed */
    uint8_t number;            /* LEAF_INTEGER */
    char text[LEAF_TEXT_SIZE]; /* LEAF_TEXT */
    const uint8_t *raw;        /* content of the OCTET STRING; borrowed */
    size_t raw_size;
};
void leaf_value(X509_EXTENSION *extension, struct leaf_value *out);

#endif
