/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "simulated.h"
#include "wire.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>

#include <inttypes.h>

#define SIGNATURE_ALGO_P384  1u
#define POLICY_RESERVED_ONE  (UINT64_C(1) << 17)
#define POLICY_DEBUG         (UINT64_C(1) << 19)
#define POLICY_MIGRATE_MA    (UINT64_C(1) << 18)
#define POLICY_RESERVED_ZERO (~UINT64_C(0) << 26)
#define KEY_INFO_RESERVED    (~UINT32_C(0) << 5)
#define VMPL_MAX             3u
#define VMPL_HOST            UINT32_MAX
#define VERSION_WITH_CPUID   3u

static void fail_decode(struct verify_ctx *ctx)
{
    const enum verify_check me = VERIFY_REPORT_FORMAT;
    const struct verify_blob *blob = &ctx->in->report;

    if (blob->data == NULL) {
        check_fail(ctx, me, "no report was presented");
    } else if (blob->size != SNP_REPORT_SIZE) {
        check_fail(ctx, me, "%zu bytes are not the %u of a report", blob->size,
                   SNP_REPORT_SIZE);
    } else if (ctx->bad_offset == 0) {
        struct psp_rd r = psp_rd(blob->data, blob->size);

        check_fail(ctx, me, "report version %" PRIu32 " is unknown",
                   psp_rd_le32(&r));
    } else {
        check_fail(ctx, me, "reserved byte at 0x%zx is not zero",
                   ctx->bad_offset);
    }
}

void check_report_format(struct verify_ctx *ctx)
{
    const enum verify_check me = VERIFY_REPORT_FORMAT;
    const struct snp_report *r = &ctx->report;

    if (!ctx->have_report) {
        fail_decode(ctx);
    } else if (r->signature_algo != SIGNATURE_ALGO_P384) {
        check_fail(ctx, me, "SIGNATURE_ALGO %" PRIu32 " is unknown",
                   r->signature_algo);
    } else if ((r->policy & POLICY_RESERVED_ONE) == 0 ||
               (r->policy & POLICY_RESERVED_ZERO) != 0) {
        check_fail(ctx, me, "POLICY 0x%" PRIx64 " has wrong reserved bits",
                   r->policy);
    } else if (r->vmpl > VMPL_MAX && r->vmpl != VMPL_HOST) {
        check_fail(ctx, me, "VMPL %" PRIu32 " does not exist", r->vmpl);
    } else if ((r->key_info & KEY_INFO_RESERVED) != 0) {
        check_fail(ctx, me, "KEY_INFO 0x%" PRIx32 " has reserved bits set",
                   r->key_info);
    } else {
        check_pass(ctx, me);
    }
}

/* True (and the line is set) if a check that needs both cannot be made. */
static bool lacks(struct verify_ctx *ctx, enum verify_check me)
{
    if (!ctx->have_report) {
        check_skip(ctx, me, "the report cannot be read");
    } else if (ctx->leaf == NULL) {
        check_skip(ctx, me, "there is no leaf certificate");
    } else {
        return false;
    }
    return true;
}

static bool lacks_info(struct verify_ctx *ctx, enum verify_check me)
{
    if (lacks(ctx, me)) {
        return true;
    }
    if (!ctx->have_info) {
        check_skip(ctx, me, "the leaf's extensions cannot be read");
        return true;
    }
    return false;
}

void check_signing_key(struct verify_ctx *ctx)
{
    const enum verify_check me = VERIFY_SIGNING_KEY;
    uint32_t key = SNP_KEY_INFO_SIGNING_KEY(ctx->report.key_info);
    enum cert_kind kind;

    if (lacks(ctx, me)) {
        return;
    }
    kind = cert_kind(ctx->leaf, NULL);
    if (key == SNP_SIGNING_KEY_NONE) {
        check_fail(ctx, me, "KEY_INFO says that the report is not signed");
    } else if (key != SNP_SIGNING_KEY_VCEK && key != SNP_SIGNING_KEY_VLEK) {
        check_fail(ctx, me, "KEY_INFO names the unknown key %" PRIu32, key);
    } else if (kind != (key == SNP_SIGNING_KEY_VCEK ? CERT_VCEK : CERT_VLEK)) {
        check_fail(ctx, me, "the report is signed by a %s, the leaf is a %s",
                   key == SNP_SIGNING_KEY_VCEK ? "VCEK" : "VLEK",
                   cert_kind_name(kind));
    } else {
        check_pass(ctx, me);
    }
}

void check_tcb(struct verify_ctx *ctx)
{
    const enum verify_check me = VERIFY_TCB;
    enum psp_generation g = snp_report_generation(&ctx->report);
    const struct psp_tcb *want = &ctx->info.tcb;
    const struct psp_tcb *got = &ctx->report.reported_tcb;

    if (lacks_info(ctx, me)) {
        return;
    }
    if (g == PSP_GENERATION_COUNT &&
        ctx->report.version >= VERSION_WITH_CPUID) {
        check_fail(ctx, me, "CPUID family 0x%x, model 0x%x is no known product",
                   ctx->report.cpuid_fam_id, ctx->report.cpuid_mod_id);
        return;
    }
    if (g != PSP_GENERATION_COUNT && g != ctx->info.generation) {
        check_fail(ctx, me, "the report is from %s, the leaf is for %s",
                   psp_generation_name(g),
                   psp_generation_name(ctx->info.generation));
        return;
    }
    for (size_t i = 0; i < PSP_TCB_SIZE; i++) {
        if (got->b[i] != want->b[i]) {
            check_fail(ctx, me,
                       "byte %zu of REPORTED_TCB is %u, the leaf's is %u", i,
                       got->b[i], want->b[i]);
            return;
        }
    }
    check_pass(ctx, me);
}

void check_chip_id(struct verify_ctx *ctx)
{
    const enum verify_check me = VERIFY_CHIP_ID;
    const uint8_t *id = ctx->report.chip_id;

    if (lacks_info(ctx, me)) {
        return;
    }
    if (ctx->info.kind == CERT_VLEK) {
        check_skip(ctx, me, "a VLEK names no chip");
    } else if (psp_all_zero(id, PSP_CHIP_ID_SIZE)) {
        check_skip(ctx, me, "the platform masks CHIP_ID");
    } else if (memcmp(id, ctx->info.hw_id, PSP_CHIP_ID_SIZE) != 0) {
        check_fail(ctx, me, "CHIP_ID is not the leaf's hwID");
    } else {
        check_pass(ctx, me);
    }
}

static EVP_PKEY *p384_key(X509 *leaf)
{
    char why[WHY_SIZE];

    return cert_is_end_entity(leaf, why) ? X509_get0_pubkey(leaf) : NULL;
}

/* R and S as DER. NULL: out of memory. All 72 bytes count, so that a number
 * above the field is seen and refused. */
static uint8_t *signature_der(const struct snp_report *report, int *size)
{
    BIGNUM *r = BN_lebin2bn(report->r, sizeof(report->r), NULL);
    BIGNUM *s = BN_lebin2bn(report->s, sizeof(report->s), NULL);
    ECDSA_SIG *sig = ECDSA_SIG_new();
    uint8_t *der = NULL;

    if (r != NULL && s != NULL && sig != NULL &&
        ECDSA_SIG_set0(sig, r, s) == 1) {
        r = NULL;
        s = NULL;
        *size = i2d_ECDSA_SIG(sig, &der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    return der;
}

bool report_signature_ok(const uint8_t signed_bytes[SNP_REPORT_SIGNED_SIZE],
                         const struct snp_report *signature, EVP_PKEY *key)
{
    int size = 0;
    uint8_t *der = signature_der(signature, &size);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool ok;

    ok = der != NULL && size > 0 && md != NULL &&
         EVP_DigestVerifyInit(md, NULL, EVP_sha384(), NULL, key) == 1 &&
         EVP_DigestVerify(md, der, (size_t)size, signed_bytes,
                          SNP_REPORT_SIGNED_SIZE) == 1;
    EVP_MD_CTX_free(md);
    OPENSSL_free(der);
    ERR_clear_error();
    return ok;
}

void check_report_signature(struct verify_ctx *ctx)
{
    const enum verify_check me = VERIFY_REPORT_SIGNATURE;
    EVP_PKEY *key;

    if (lacks(ctx, me)) {
        return;
    }
    key = p384_key(ctx->leaf);
    if (key == NULL) {
        check_skip(ctx, me, "the leaf has no usable key");
    } else if (!report_signature_ok(ctx->in->report.data, &ctx->report, key)) {
        check_fail(ctx, me, "the signature is not the leaf key's");
    } else {
        check_pass(ctx, me);
    }
}

static void expect_bytes(struct verify_ctx *ctx, enum verify_check me,
                         const char *name, const uint8_t *want,
                         const uint8_t *got, size_t size)
{
    if (want == NULL) {
        check_skip(ctx, me, "not asked for");
        return;
    }
    if (!ctx->have_report) {
        check_skip(ctx, me, "the report cannot be read");
        return;
    }
    for (size_t i = 0; i < size; i++) {
        if (want[i] != got[i]) {
            check_fail(ctx, me, "%s differs from byte %zu on", name, i);
            return;
        }
    }
    check_pass(ctx, me);
}

static void check_policy(struct verify_ctx *ctx)
{
    const enum verify_check me = VERIFY_POLICY;
    const struct verify_policy *p = ctx->policy;
    uint64_t policy = ctx->report.policy;

    if (p->policy == NULL && !p->require_no_debug && !p->require_no_migration) {
        check_skip(ctx, me, "not asked for");
    } else if (!ctx->have_report) {
        check_skip(ctx, me, "the report cannot be read");
    } else if (p->policy != NULL && *p->policy != policy) {
        check_fail(ctx, me, "POLICY is 0x%" PRIx64 ", not 0x%" PRIx64, policy,
                   *p->policy);
    } else if (p->require_no_debug && (policy & POLICY_DEBUG) != 0) {
        check_fail(ctx, me, "POLICY allows debugging");
    } else if (p->require_no_migration && (policy & POLICY_MIGRATE_MA) != 0) {
        check_fail(ctx, me, "POLICY allows a migration agent");
    } else {
        check_pass(ctx, me);
    }
}

static void check_vmpl(struct verify_ctx *ctx)
{
    const enum verify_check me = VERIFY_VMPL;
    const uint32_t *want = ctx->policy->vmpl;

    if (want == NULL) {
        check_skip(ctx, me, "not asked for");
    } else if (!ctx->have_report) {
        check_skip(ctx, me, "the report cannot be read");
    } else if (*want != ctx->report.vmpl) {
        check_fail(ctx, me, "VMPL is %" PRIu32 ", not %" PRIu32,
                   ctx->report.vmpl, *want);
    } else {
        check_pass(ctx, me);
    }
}

static void check_min_tcb(struct verify_ctx *ctx)
{
    const enum verify_check me = VERIFY_MIN_TCB;
    const struct psp_tcb *min = ctx->policy->min_tcb;
    const struct psp_tcb *got = &ctx->report.reported_tcb;

    if (min == NULL) {
        check_skip(ctx, me, "not asked for");
        return;
    }
    if (!ctx->have_report) {
        check_skip(ctx, me, "the report cannot be read");
        return;
    }
    for (size_t i = 0; i < PSP_TCB_SIZE; i++) {
        if (got->b[i] < min->b[i]) {
            check_fail(ctx, me,
                       "byte %zu of REPORTED_TCB is %u, at least %u is asked "
                       "for",
                       i, got->b[i], min->b[i]);
            return;
        }
    }
    check_pass(ctx, me);
}

static void check_author_key(struct verify_ctx *ctx)
{
    const enum verify_check me = VERIFY_AUTHOR_KEY;
    const struct snp_report *r = &ctx->report;

    if (ctx->policy->author_key_digest != NULL && ctx->have_report &&
        (r->key_info & SNP_KEY_INFO_AUTHOR_KEY_EN) == 0) {
        check_fail(ctx, me, "the guest was launched without an author key");
        return;
    }
    expect_bytes(ctx, me, "AUTHOR_KEY_DIGEST", ctx->policy->author_key_digest,
                 r->author_key_digest, sizeof(r->author_key_digest));
}

void check_expectations(struct verify_ctx *ctx)
{
    const struct verify_policy *p = ctx->policy;
    const struct snp_report *r = &ctx->report;

    expect_bytes(ctx, VERIFY_REPORT_DATA, "REPORT_DATA", p->report_data,
                 r->report_data, sizeof(r->report_data));
    expect_bytes(ctx, VERIFY_MEASUREMENT, "MEASUREMENT", p->measurement,
                 r->measurement, sizeof(r->measurement));
    expect_bytes(ctx, VERIFY_HOST_DATA, "HOST_DATA", p->host_data, r->host_data,
                 sizeof(r->host_data));
    check_policy(ctx);
    check_vmpl(ctx);
    check_min_tcb(ctx);
    expect_bytes(ctx, VERIFY_ID_KEY, "ID_KEY_DIGEST", p->id_key_digest,
                 r->id_key_digest, sizeof(r->id_key_digest));
    check_author_key(ctx);
}
