/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Who may sign firmware images of the model.
 */
#ifndef SNP_FIRMWARE_KEY_H
#define SNP_FIRMWARE_KEY_H

#include "pki.h"

/**
 * The key pair that signs firmware images, for tools and tests; the firmware
 * uses its public half. Derived from the public development seed, so everybody
 * has it: INSECURE, like the images, which hold no code. PSP_E_CRYPTO.
 */
PSP_MUST_CHECK enum psp_err snp_firmware_key(struct psp_p384_key *key);

#endif
