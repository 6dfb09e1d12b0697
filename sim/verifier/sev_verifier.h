/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The relying party of legacy SEV: certificates, attestation report and launch
 * measurement -> verdicts. The sister of verifier.h, with the same rules: trust
 * comes from trusted_ark alone, every cryptographic check is libcrypto's, any
 * input is answered with verdicts. Spec: abi/sev.md §5, §7.3, §8; rows V1 to
 * V10 of abi/aeb.md §8.3 (V6, freshness of a challenge, is its maker's matter).
 */
#ifndef VERIFIER_SEV_VERIFIER_H
#define VERIFIER_SEV_VERIFIER_H

#include "sev_amd_cert.h"
#include "sev_report.h"
#include "sev_session.h"
#include "verifier.h"

#include <psp/profile.h>

/** One named check. Order = order of evaluation and of printing. "Format" is
 * exact size, version 1, usage and algorithm of the role, a sound key, zero
 * where nothing stands (behind an OCA's EC key anything), and no signer that
 * the role cannot have. */
enum sev_check {
    SEV_CHECK_ARK_FORMAT,
    SEV_CHECK_ARK_ROOT,      /* it is a trusted root, byte for byte */
    SEV_CHECK_ARK_SIGNATURE, /* by itself */
    SEV_CHECK_ASK_FORMAT,
    SEV_CHECK_ASK_SIGNATURE, /* by the ARK, whose KEY_ID it names */
    SEV_CHECK_PRODUCT,       /* ARK's KEY_ID is the product's (V8) */
    SEV_CHECK_CEK_FORMAT,
    SEV_CHECK_CEK_SIGNATURE, /* by the ASK */
    SEV_CHECK_OCA_FORMAT,
    SEV_CHECK_OCA_SIGNATURE, /* by itself */
    SEV_CHECK_PEK_FORMAT,
    SEV_CHECK_PEK_BY_CEK,
    SEV_CHECK_PEK_BY_OCA,
    SEV_CHECK_PDH_FORMAT,
    SEV_CHECK_PDH_SIGNATURE,    /* by the PEK */
    SEV_CHECK_CEK_PIN,          /* the chip that is expected (V2) */
    SEV_CHECK_PEK_PIN,          /* the platform that is expected (V2) */
    SEV_CHECK_OCA_PIN,          /* the owner that is expected (V1) */
    SEV_CHECK_REPORT_FORMAT,    /* size; reserved bytes and bits; zero tails */
    SEV_CHECK_REPORT_EMPTY,     /* it is not all zeros (V10) */
    SEV_CHECK_REPORT_SIGNER,    /* SIG_USAGE and SIG_ALGO are the PEK's (V7) */
    SEV_CHECK_REPORT_SIGNATURE, /* ECDSA P-384, SHA-256 over 0..0x33 */
    SEV_CHECK_MNONCE,           /* V5 */
    SEV_CHECK_LAUNCH_DIGEST,    /* V3 */
    SEV_CHECK_POLICY,           /* V4 */
    SEV_CHECK_MEASUREMENT,      /* HMAC of LAUNCH_MEASURE under the TIK */
    SEV_CHECK_COUNT,
};

/** SKIPPED: not presented and not mandatory; not asked for; or what it needs is
 * missing or unusable (another check has failed then). */
struct sev_verify_result {
    struct verify_line line[SEV_CHECK_COUNT];
    enum psp_generation product; /* by the ARK's KEY_ID; COUNT: unknown */
    bool simulated;              /* ARK or ASK has the simulator's marker */
    /* No FAIL; and PASS in every check of ARK, ASK, CEK, OCA and PEK, and in
       every check of a PDH, a report and a measurement that were presented. */
    bool ok;
};

/** Binary certificates and evidence, borrowed for the call. */
struct sev_verify_input {
    /* AMD's format. Either may be an ask_ark file: the one of that usage
       counts. Absent ARK: the trusted root; absent ASK: one beside it. */
    struct verify_blob ark, ask;
    struct verify_blob cek, oca, pek; /* SEV_CERT_SIZE bytes each */
    struct verify_blob pdh;           /* optional */
    struct verify_blob report;        /* SEV_REPORT_SIZE; optional */
    struct verify_blob measurement;   /* SEV_MEASURE_BLOB_SIZE; optional */
    /* The root of trust. Mandatory. Certificates in AMD's format in a row; each
       ARK in it is trusted. Zeros may fill them up to 3200 bytes. */
    struct verify_blob trusted_ark;
};

/** What the owner knows of the launch, besides policy and digest. */
struct sev_measure_key {
    uint8_t tik[SEV_TK_SIZE];
    uint8_t api_major, api_minor, build; /* of PLATFORM_STATUS then */
};

/** What the relying party expects; NULL and absent members are not checked. An
 * expectation about a report without a report fails, except that digest and
 * policy are judged by the measurement if there is one. */
struct sev_verify_policy {
    const uint8_t *mnonce;                           /* SEV_MNONCE_SIZE */
    const uint8_t (*launch_digest)[SEV_DIGEST_SIZE]; /* one of these */
    size_t launch_digest_count;                      /* 0: not checked */
    const uint32_t *policy;
    uint32_t policy_mask; /* bits of a report's POLICY that are compared */
    const enum psp_generation *product; /* COUNT equals none */
    /* Certificates whose key is expected. */
    struct verify_blob cek_pin, pek_pin, oca_pin;
    const struct sev_measure_key *measure; /* measurement needs it, and policy
                                              and launch_digest */
};

/** Judge. Never fails: every problem is a verdict. @result needs no clean-up.
 */
void verify_sev(const struct sev_verify_input *in,
                const struct sev_verify_policy *policy,
                struct sev_verify_result *result);

/** Certificates that were judged once, for many reports. */
struct sev_judged;
/** NULL: out of memory. The bytes that @in names have to live as long; its
 * report is not looked at. */
struct sev_judged *sev_judge_certs(const struct sev_verify_input *in);
/** As verify_sev() of those certificates with this report; any thread. */
void verify_sev_report(const struct sev_judged *j,
                       const struct verify_blob *report,
                       const struct sev_verify_policy *policy,
                       struct sev_verify_result *result);
void sev_judged_free(struct sev_judged *j); /* NULL is fine */

/** "ark-format", "report-signature", ...: stable names. */
const char *sev_check_name(enum sev_check check);

/** Chains as tools write them, by their size: PEK OCA CEK (PDH_CERT_EXPORT);
 * PDH PEK OCA CEK (sevctl), and ASK ARK behind it (sevctl export --full); OCA
 * alone never. Points the members of @in at the parts; members that are set
 * already stay. False: another size. */
bool sev_split_chain(const uint8_t *data, size_t size,
                     struct sev_verify_input *in);

/** Report, CEK, PEK, OCA, and perhaps a device type byte, as rats-tls packs its
 * evidence. abi/sev.md §11.1 */
#define SEV_EVIDENCE_SIZE (SEV_REPORT_SIZE + 3u * SEV_CERT_SIZE)
/** As sev_split_chain(). @product: what the device type says; COUNT: none, or
 * an unknown one. */
bool sev_split_evidence(const uint8_t *data, size_t size,
                        struct sev_verify_input *in,
                        enum psp_generation *product);

/** Certificates in AMD's format in a row, of which one says that it is an ARK:
 * what may be a trusted_ark at all. */
bool sev_has_ark(const struct verify_blob *blob);

/** Product whose ARKs have a KEY_ID with these first 8 bytes; that is all that
 * simulated and genuine ones share. COUNT: none. abi/sev.md §5.5 */
enum psp_generation sev_product_of_ark(const uint8_t key_id[SEV_AMD_ID_SIZE]);

#endif
