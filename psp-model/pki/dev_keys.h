/* SPDX-License-Identifier: Apache-2.0 */
/**
 * RSA primes of the public development seed, so that a simulator with that seed
 * starts in milliseconds. PUBLIC AND INSECURE.
 */
#ifndef PKI_DEV_KEYS_H
#define PKI_DEV_KEYS_H

#include "pki.h"

struct pki_dev_key {
    enum psp_generation generation;
    enum pki_role role;
    unsigned int bits;
    const uint8_t *primes; /* the larger, then the smaller; bits / 8 bytes */
};

#define PKI_DEV_KEY_COUNT 13u
extern const struct pki_dev_key PKI_DEV_KEYS[PKI_DEV_KEY_COUNT];

#endif
