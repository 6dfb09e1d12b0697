/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A reproducible stream of bytes from a 32-byte seed and a label, for hosts
 * that want every run to be the same. HMAC_DRBG (SP 800-90A) over SHA-384
 * without reseeding.
 */
#ifndef PSP_DRBG_H
#define PSP_DRBG_H

#include <psp/err.h>

#include <stddef.h>
#include <stdint.h>

#define PSP_SEED_SIZE 32u

struct psp_drbg {
    uint8_t key[48];
    uint8_t v[48];
};

/** @label: NUL-terminated purpose; never used twice with one seed. */
PSP_MUST_CHECK enum psp_err psp_drbg_init(struct psp_drbg *drbg,
                                          const uint8_t seed[PSP_SEED_SIZE],
                                          const char *label);
PSP_MUST_CHECK enum psp_err psp_drbg_bytes(struct psp_drbg *drbg, void *buf,
                                           size_t size);
void psp_drbg_wipe(struct psp_drbg *drbg);

#endif
