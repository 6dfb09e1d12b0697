/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Inside the verifier: what the checks of one verdict share. Each check_...()
 * sets its own line of the result, exactly once, and nothing else.
 */
#ifndef VERIFIER_CHECK_H
#define VERIFIER_CHECK_H

#include "leaf.h"
#include "verifier.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

/** What became of one input blob. */
enum verify_load { LOAD_ABSENT, LOAD_BAD, LOAD_OK };

struct verify_ctx {
    const struct verify_input *in;
    const struct verify_policy *policy;
    struct verify_result *result;

    struct snp_report report;
    bool have_report; /* it decoded */
    size_t bad_offset;

    enum verify_load root_load, ark_load, ask_load, leaf_load, crl_load;
    X509 *root; /* the trusted one that fits best; NULL unless LOAD_OK */
    X509 *ark;  /* as presented */
    X509 *ask;
    X509 *leaf;
    X509_CRL *crl;
    struct leaf_info info;
    bool have_info; /* leaf_read() succeeded */
    char info_why[WHY_SIZE];
};

void check_pass(struct verify_ctx *ctx, enum verify_check check);
__attribute__((format(printf, 3, 4))) void check_fail(struct verify_ctx *ctx,
                                                      enum verify_check check,
                                                      const char *fmt, ...);
__attribute__((format(printf, 3, 4))) void check_skip(struct verify_ctx *ctx,
                                                      enum verify_check check,
                                                      const char *fmt, ...);

/** Parse the certificates and the CRL of ctx->in. */
void chain_load(struct verify_ctx *ctx);
void chain_unload(struct verify_ctx *ctx);

void check_ark_root(struct verify_ctx *ctx);
void check_ask_signature(struct verify_ctx *ctx);
void check_leaf_signature(struct verify_ctx *ctx);
void check_leaf_profile(struct verify_ctx *ctx);
void check_validity(struct verify_ctx *ctx);
void check_revocation(struct verify_ctx *ctx);

void check_report_format(struct verify_ctx *ctx);
void check_signing_key(struct verify_ctx *ctx);
void check_tcb(struct verify_ctx *ctx);
void check_chip_id(struct verify_ctx *ctx);
void check_report_signature(struct verify_ctx *ctx);

/** Every check of what the relying party asked for. */
void check_expectations(struct verify_ctx *ctx);

/** ECDSA P-384 with SHA-384 over the signed bytes of a report. @signature: R
 * and S of that report. False also when libcrypto fails. */
bool report_signature_ok(const uint8_t signed_bytes[SNP_REPORT_SIGNED_SIZE],
                         const struct snp_report *signature, EVP_PKEY *key);

#endif
