/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The relying party of the Attestation Evidence Broker: sev_verifier.h applied
 * to its evidence, condensed to one verdict for each row of abi/aeb.md §8.3.
 */
#ifndef VERIFIER_AEB_VERIFIER_H
#define VERIFIER_AEB_VERIFIER_H

#include "aeb_evidence.h"
#include "aeb_nonce.h"
#include "sev_verifier.h"

enum aeb_check {
    AEB_CHECK_CHAIN,     /* V1 trusted ARK, ASK, CEK, PEK; OCA; OCA pin */
    AEB_CHECK_PLATFORM,  /* V2 PEK and chip are those of the launch */
    AEB_CHECK_DIGEST,    /* V3 */
    AEB_CHECK_POLICY,    /* V4 */
    AEB_CHECK_MNONCE,    /* V5 the one asked for, or made from the launch nonce,
                            the challenge and the session's key */
    AEB_CHECK_CHALLENGE, /* V6 fresh and never used before */
    AEB_CHECK_SIGNER,    /* V7 SIG_USAGE, SIG_ALGO, reserved bytes */
    AEB_CHECK_DEVICE,    /* V8 device_type is the ARK's product */
    AEB_CHECK_FORMAT,    /* V9 of certificates and report */
    AEB_CHECK_EMPTY,     /* V10 a report of zeros is none */
    AEB_CHECK_SIGNATURE, /* the report is the PEK's */
    AEB_CHECK_COUNT,
};

/** "chain", "platform", ...: stable names. */
const char *aeb_check_name(enum aeb_check check);

struct aeb_verify_result {
    struct verify_line line[AEB_CHECK_COUNT];
    enum psp_generation product; /* by the ARK; COUNT: unknown */
    bool simulated;
    bool ok;
};

struct aeb_verify_policy {
    struct sev_verify_policy sev; /* mnonce: of a plain request. product and
                                     measure are not used */
    const uint8_t *launch_nonce;  /* NULL: no binding is asked for */
    const uint8_t *challenge;     /* NULL: the once form */
    const uint8_t *spki;          /* NULL: no channel */
    /* Is the challenge still to be answered? The first text that is not NULL
       is why not. May be NULL: not checked. */
    const char *(*challenge_bad)(void *ctx);
    void *ctx;
};

/** @trusted  ARKs, perhaps with ASKs, in AMD's format in a row. */
void aeb_verify(const struct aeb_evidence *ev, struct verify_blob trusted,
                const struct aeb_verify_policy *policy,
                struct aeb_verify_result *result);

#endif
