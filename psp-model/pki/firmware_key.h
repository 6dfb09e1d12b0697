/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Who may sign firmware images of the model (wire/snp_firmware.h). Both
 * download commands take the same images.
 */
#ifndef PKI_FIRMWARE_KEY_H
#define PKI_FIRMWARE_KEY_H

#include "pki.h"

#include "snp_firmware.h"

/**
 * The key pair that signs firmware images, for tools and tests; the firmware
 * uses its public half. Derived from the public development seed, so everybody
 * has it: INSECURE, like the images, which hold no code. PSP_E_CRYPTO.
 */
PSP_MUST_CHECK enum psp_err pki_firmware_key(struct psp_p384_key *key);

/** Signature and body digest of @image, which decoded to @fw. PSP_E_VERIFY,
 * PSP_E_CRYPTO. */
PSP_MUST_CHECK enum psp_err pki_firmware_check(const struct snp_firmware *fw,
                                               const uint8_t *image,
                                               size_t size);

#endif
