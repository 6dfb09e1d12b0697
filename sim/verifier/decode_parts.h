/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Inside the decoder: one function for each kind of part. Each adds members to
 * @t, which is an object.
 */
#ifndef VERIFIER_DECODE_PARTS_H
#define VERIFIER_DECODE_PARTS_H

#include "snp_report.h"
#include "tree.h"

#include <openssl/x509.h>

void decode_report(const struct snp_report *report, struct tree *t);
void decode_cert(X509 *x, struct tree *t);
void decode_crl(X509_CRL *crl, struct tree *t);

/** TCB_VERSION under @key, split into components as @generation (COUNT: the
 * layout is unknown, whole only) lays them out. */
void decode_tcb(struct tree *t, const char *key, const struct psp_tcb *tcb,
                enum psp_generation generation);

#endif
