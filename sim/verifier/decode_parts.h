/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Inside the decoder: one function for each kind of part. Each adds members to
 * @t, which is an object.
 */
#ifndef VERIFIER_DECODE_PARTS_H
#define VERIFIER_DECODE_PARTS_H

#include "snp_report.h"
#include "tree.h"

#include <psp/err.h>

#include <openssl/x509.h>

#include <stddef.h>
#include <stdint.h>

void decode_report(const struct snp_report *report, struct tree *t);
void decode_cert(X509 *x, struct tree *t);
void decode_crl(X509_CRL *crl, struct tree *t);

/** Legacy SEV, decode_sev.c. On PSP_E_FORMAT one clause in @why, of
 * DECODE_WHY_SIZE bytes. */
enum psp_err decode_sev_report(const uint8_t *data, size_t size, struct tree *t,
                               char *why);
enum psp_err decode_sev_cert(const uint8_t *data, size_t size, struct tree *t,
                             char *why);
enum psp_err decode_sev_chain(const uint8_t *data, size_t size, struct tree *t,
                              char *why);
enum psp_err decode_sev_evidence(const uint8_t *data, size_t size,
                                 struct tree *t, char *why);
enum psp_err decode_sev_measurement(const uint8_t *data, size_t size,
                                    struct tree *t, char *why);
enum psp_err decode_sev_session(const uint8_t *data, size_t size,
                                struct tree *t, char *why);
enum psp_err decode_sev_packet(const uint8_t *data, size_t size, struct tree *t,
                               char *why);
/** AMD certificates in a row: array "certificates". */
enum psp_err decode_amd_certs(const uint8_t *data, size_t size, struct tree *t,
                              char *why);

/** TCB_VERSION under @key, split into components as @generation (COUNT: the
 * layout is unknown, whole only) lays them out. */
void decode_tcb(struct tree *t, const char *key, const struct psp_tcb *tcb,
                enum psp_generation generation);

#endif
