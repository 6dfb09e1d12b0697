/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The relying party: certificates + evidence -> verdicts. Shares only format
 * readers (psp-model/wire) with the model; every cryptographic check is made
 * with libcrypto, so a bug cannot agree with itself.
 *
 * Trust comes from verify_input.trusted_ark alone: nothing that the evidence
 * brings along is believed. Any input is answered with verdicts, in bounded
 * time and memory. Spec: abi/certs-kds.md §1 (profiles), §5.11; abi/snp.md §7.
 */
#ifndef VERIFIER_H
#define VERIFIER_H

#include "cert_table.h"
#include "snp_report.h"

#include <psp/profile.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/** One named check. Order = order of evaluation and of printing. */
enum verify_check {
    VERIFY_REPORT_FORMAT, /* decodes; reserved bytes zero; version known; a VMPL
                             that there is */
    VERIFY_ARK_ROOT,      /* ARK is the trusted root, and self-signed */
    VERIFY_ASK_SIGNATURE, /* ASK/ASVK signed by ARK; roles and names fit */
    VERIFY_LEAF_SIGNATURE,   /* VCEK/VLEK signed by ASK/ASVK */
    VERIFY_LEAF_PROFILE,     /* names, P-384, AMD extensions well-formed */
    VERIFY_VALIDITY,         /* all certificates valid at the given time */
    VERIFY_REVOCATION,       /* ASK not on the CRL, CRL signed by ARK */
    VERIFY_SIGNING_KEY,      /* KEY_INFO names the kind of leaf presented */
    VERIFY_TCB,              /* leaf SPLs equal REPORTED_TCB, its product is the
                                CPUID bytes' */
    VERIFY_CHIP_ID,          /* leaf HWID equals CHIP_ID */
    VERIFY_REPORT_SIGNATURE, /* ECDSA P-384 over bytes 0..0x29f */
    VERIFY_REPORT_DATA,      /* the nonce asked for */
    VERIFY_MEASUREMENT,
    VERIFY_HOST_DATA,
    VERIFY_POLICY, /* guest policy against the relying party's */
    VERIFY_VMPL,
    VERIFY_MIN_TCB,
    VERIFY_ID_KEY,
    VERIFY_AUTHOR_KEY,
    VERIFY_CHECK_COUNT,
};

enum verify_verdict { VERIFY_SKIPPED, VERIFY_PASS, VERIFY_FAIL };

struct verify_line {
    enum verify_verdict verdict;
    char reason[160]; /* for FAIL and SKIPPED: one clause that says why */
};

/**
 * A check is SKIPPED when the relying party did not ask for it, when what it
 * needs is missing or unreadable (another check has failed then), or when it
 * does not apply: CHIP_ID of a platform that masks it, or under a VLEK.
 */
struct verify_result {
    struct verify_line line[VERIFY_CHECK_COUNT];
    bool simulated; /* a certificate or CHIP_ID has the simulator's marker */
    bool ok;        /* no FAIL, and every mandatory check did PASS: all but
                       validity, revocation, chip-id and what is only checked
                       on request */
};

/** PEM or DER bytes of one object, borrowed for the call; data NULL: absent. */
struct verify_blob {
    const uint8_t *data;
    size_t size;
};

/** What the relying party expects; NULL members are not checked. */
struct verify_policy {
    const uint8_t *report_data;       /* 64 bytes */
    const uint8_t *measurement;       /* 48 */
    const uint8_t *host_data;         /* 32 */
    const uint8_t *id_key_digest;     /* 48 */
    const uint8_t *author_key_digest; /* 48 */
    const uint64_t *policy;           /* exact guest policy */
    bool require_no_debug;            /* guest policy must not allow DEBUG */
    bool require_no_migration;        /* nor MIGRATE_MA */
    const uint32_t *vmpl;             /* exact */
    const struct psp_tcb *min_tcb;    /* REPORTED_TCB at least, per component */
    time_t now;                       /* 0: do not check validity */
};

struct verify_input {
    struct verify_blob report; /* SNP_REPORT_SIZE bytes */
    struct verify_blob leaf;   /* VCEK or VLEK */
    struct verify_blob ask;    /* ASK or ASVK */
    struct verify_blob ark;    /* as presented, must equal the trusted root;
                                  absent: the trusted root */
    struct verify_blob crl;
    /* The root of trust. Mandatory. May be PEM with several certificates (a
       chain, a bundle): each self-issued one is trusted, others are ignored. */
    struct verify_blob trusted_ark;
};

/** Judge. Never fails: every problem is a verdict. @result needs no clean-up.
 */
void verify_snp(const struct verify_input *in,
                const struct verify_policy *policy,
                struct verify_result *result);

/** "report-signature", ...: stable names for people and scripts. */
const char *verify_check_name(enum verify_check check);
const char *verify_verdict_name(enum verify_verdict verdict);

/**
 * Does this artefact carry the simulator's marker? Every format of artefact.h.
 * Certificates and CRLs are told by their names (and hwID), reports by the
 * CHIP_ID prefix, AMD's binary certificates by their key ids; of several parts
 * one marked part is enough. Legacy reports, certificates and launch data have
 * no place for a marker: only a chain that ends in ASK and ARK can be told.
 *
 * @why  May be NULL. On 1: the marker, in static storage. Else NULL.
 *
 * Returns 1 yes, 0 no, -1 cannot be told (unknown or damaged format; a report
 * with a masked CHIP_ID and no certificates; legacy SEV without ASK and ARK).
 */
int verify_is_simulated(const uint8_t *data, size_t size, const char **why);

#endif
