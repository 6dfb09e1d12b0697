/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Certificates and CRLs in a file of unknown packing: one DER object, or PEM
 * blocks in a row. Bounded: nothing larger or longer than the limits below is
 * looked at.
 */
#ifndef VERIFIER_BLOCKS_H
#define VERIFIER_BLOCKS_H

#include <psp/err.h>

#include <openssl/x509.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLOCK_MAX_SIZE  0x10000u  /* of one DER object */
#define BLOCKS_MAX_SIZE 0x100000u /* of a file */
#define BLOCKS_MAX      16u

enum block_kind { BLOCK_CERT, BLOCK_CRL };

struct block {
    enum block_kind kind;
    uint8_t *der; /* owned by the list */
    size_t size;
};

struct block_list {
    struct block item[BLOCKS_MAX];
    size_t count;
};

/**
 * Find the objects of @data, in order. PEM: text around the blocks is ignored;
 * blocks must be CERTIFICATE or X509 CRL, without PEM headers. DER: exactly one
 * object that fills @data.
 *
 * Returns PSP_OK with at least one object; PSP_E_FORMAT; PSP_E_NOMEM. The list
 * is valid in any case; blocks_clear() ends it.
 */
PSP_MUST_CHECK enum psp_err blocks_read(const uint8_t *data, size_t size,
                                        struct block_list *list);
void blocks_clear(struct block_list *list);

/** Move all of @from behind what @to holds; @from is empty then. PSP_E_FORMAT:
 * they do not fit, both are as they were. */
PSP_MUST_CHECK enum psp_err blocks_move(struct block_list *to,
                                        struct block_list *from);

/** True if @data looks like text with a PEM block in it. */
bool blocks_is_pem(const uint8_t *data, size_t size);

/** Parse an object that must be DER down to the last byte: no bytes left over,
 * and encoding it again gives the same bytes. NULL: it is not. */
X509 *block_cert(const uint8_t *der, size_t size);
X509_CRL *block_crl(const uint8_t *der, size_t size);

#endif
