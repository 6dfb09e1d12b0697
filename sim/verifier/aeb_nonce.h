/* SPDX-License-Identifier: Apache-2.0 */
/**
 * MNONCE that is bound to a launch, to a challenge and to a TLS key. The guest
 * makes it, the relying party makes it again. Spec: abi/aeb.md §8.2.
 */
#ifndef VERIFIER_AEB_NONCE_H
#define VERIFIER_AEB_NONCE_H

#include "sev_report.h"

#define AEB_LAUNCH_NONCE_SIZE 32u
#define AEB_CHALLENGE_SIZE    32u
#define AEB_SPKI_SIZE         32u

/** @challenge  NULL: zeros, the "once" form. @spki: SHA-256 of the key's
 * SubjectPublicKeyInfo; NULL: zeros, no channel. PSP_E_NOMEM. */
PSP_MUST_CHECK enum psp_err
aeb_bound_mnonce(const uint8_t launch_nonce[AEB_LAUNCH_NONCE_SIZE],
                 const uint8_t *challenge, const uint8_t *spki,
                 uint8_t mnonce[SEV_MNONCE_SIZE]);

#endif
