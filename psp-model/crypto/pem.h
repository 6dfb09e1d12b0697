/* SPDX-License-Identifier: Apache-2.0 */
/**
 * PEM text of one DER value: lines of 64 characters, LF. [RFC 7468 §3]
 */
#ifndef CRYPTO_PEM_H
#define CRYPTO_PEM_H

#include <psp/err.h>

#include <stddef.h>
#include <stdint.h>

/** @label: "CERTIFICATE", "X509 CRL", "RSA PRIVATE KEY". Returns the bytes
 * needed (no NUL is written); writes only when @size is enough. @out may be
 * NULL with size 0. */
size_t pem_encode(const char *label, const uint8_t *der, size_t der_size,
                  char *out, size_t size);

/**
 * Strict reverse: exactly one block, as pem_encode() writes it, and nothing
 * else.
 *
 * @out, @size  Room for the DER; *der_size is what it took. A text of n bytes
 *              never holds more than n.
 *
 * PSP_E_FORMAT: anything else, or more than @size bytes.
 */
PSP_MUST_CHECK enum psp_err pem_decode(const char *label, const char *text,
                                       size_t text_size, uint8_t *out,
                                       size_t size, size_t *der_size);

#endif
