/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The simulator's markers. Spec: abi/certs-kds.md §8.1, §8.2.
 */
#ifndef VERIFIER_SIMULATED_H
#define VERIFIER_SIMULATED_H

#include <psp/profile.h>

#include <openssl/x509.h>

#include <stdint.h>

#define SIMULATED_DESCRIPTION  "SIMULATED - NOT AN AMD CERTIFICATE"
#define SIMULATED_ORGANIZATION "SEV simulator - not AMD"
#define SIMULATED_CHIP_ID      "SWPSPSIM" /* 64-byte ids */
#define SIMULATED_CHIP_ID_8    "SWPS"     /* 8-byte ids, then zeros */
#define SIMULATED_KEY_ID       "SIMULATE" /* bytes 8..15 of binary key ids */

/** Which marker it carries, as one clause in static storage; NULL: none. */
const char *simulated_cert(const X509 *x);
const char *simulated_crl(const X509_CRL *crl);
const char *simulated_chip_id(const uint8_t id[PSP_CHIP_ID_SIZE]);
/** KEY_ID or CERTIFYING_ID of AMD's binary certificates, 16 bytes. */
const char *simulated_key_id(const uint8_t id[16]);

#endif
