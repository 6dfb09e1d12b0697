/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Inside the legacy verifier: what the checks of one verdict share. Each
 * sev_check_...() sets its own lines of the result and nothing else.
 */
#ifndef VERIFIER_SEV_CHECK_H
#define VERIFIER_SEV_CHECK_H

#include "sev_key.h"
#include "sev_verifier.h"

#define SEV_WHY_SIZE    160u
#define SEV_TRUSTED_MAX 16u /* certificates in the trusted file */

/** ARK or ASK. */
struct sev_ca {
    const uint8_t *data; /* NULL: absent, or unreadable */
    size_t size;
    bool present;
    struct sev_amd_cert cert; /* if data */
    EVP_PKEY *key;            /* NULL: none that is sound */
    bool usable;              /* its format passed: may verify others */
};

enum sev_role { SEV_ROLE_CEK, SEV_ROLE_OCA, SEV_ROLE_PEK, SEV_ROLE_PDH };
#define SEV_ROLE_COUNT 4u

struct sev_part {
    const struct verify_blob *blob;
    bool decoded;
    struct sev_cert cert; /* if decoded */
    EVP_PKEY *key;
    uint32_t rsa_size; /* of an RSA key, else 0 */
    bool usable;
};

struct sev_ctx {
    const struct sev_verify_input *in;
    const struct sev_verify_policy *policy;
    struct sev_verify_result *result;
    struct sev_ca trusted[SEV_TRUSTED_MAX]; /* no keys */
    size_t trusted_count;
    bool trusted_bad; /* not AMD certificates in a row */
    struct sev_ca ark, ask;
    struct sev_part part[SEV_ROLE_COUNT];
    struct sev_report report;
    bool have_report; /* it decoded and is not all zeros */
};

void sev_pass(struct sev_ctx *ctx, enum sev_check check);
__attribute__((format(printf, 3, 4))) void
sev_fail(struct sev_ctx *ctx, enum sev_check check, const char *fmt, ...);
__attribute__((format(printf, 3, 4))) void
sev_skip(struct sev_ctx *ctx, enum sev_check check, const char *fmt, ...);

/** Find the certificates of ctx->in and read them. */
void sev_load(struct sev_ctx *ctx);
void sev_unload(struct sev_ctx *ctx);

/** Format, then key. On false one clause in @why (SEV_WHY_SIZE). @key: the
 * certificate's, whenever it is sound; EVP_PKEY_free() ends it. */
bool sev_ca_check(const struct sev_amd_cert *cert, uint32_t usage,
                  EVP_PKEY **key, char *why);
bool sev_part_check(const struct sev_cert *cert, enum sev_role role,
                    EVP_PKEY **key, uint32_t *rsa_size, char *why);
const char *sev_role_name(enum sev_role role);
uint32_t sev_role_usage(enum sev_role role);

/** A key that signs certificates or reports. */
struct sev_signer {
    EVP_PKEY *key;
    uint32_t usage;
    uint32_t algo;
    uint32_t rsa_size; /* 0: EC */
};
struct sev_signer sev_signer_ca(const struct sev_ca *ca);
struct sev_signer sev_signer_part(const struct sev_part *part);
/** True if a slot of @cert names @signer and holds its signature over @bytes,
 * the encoded certificate. */
bool sev_signed_by(const uint8_t bytes[SEV_CERT_SIZE],
                   const struct sev_cert *cert, const struct sev_signer *signer,
                   char *why);
/** The same for AMD's certificates; KEY_IDs are not looked at. */
bool sev_ca_signed_by(const uint8_t *bytes, const struct sev_amd_cert *cert,
                      const struct sev_signer *signer, char *why);

void sev_check_cas(struct sev_ctx *ctx);
void sev_check_parts(struct sev_ctx *ctx);
void sev_check_product(struct sev_ctx *ctx);
void sev_check_pins(struct sev_ctx *ctx);
void sev_check_report(struct sev_ctx *ctx);
void sev_check_expectations(struct sev_ctx *ctx);
void sev_check_measurement(struct sev_ctx *ctx);

#endif
