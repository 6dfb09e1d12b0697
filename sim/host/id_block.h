/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What a guest's owner signs: ID block and ID authentication information.
 * Spec: abi/snp.md §5.1 to §5.3.
 */
#ifndef HOST_ID_BLOCK_H
#define HOST_ID_BLOCK_H

#include "vm.h"

#define ID_BLOCK_SIZE 0x60u
#define ID_AUTH_SIZE  0x1000u
#define ID_KEY_SIZE   48u

/** What the block says. */
struct id_block_input {
    const uint8_t *ld; /* 48 bytes */
    uint64_t policy;
    const uint8_t *family_id; /* 16 bytes each */
    const uint8_t *image_id;
    uint32_t guest_svn;
    const uint8_t *id_key;     /* private scalars, 48 bytes big-endian */
    const uint8_t *author_key; /* NULL: no author */
};

/** Write and sign. Returns 0, or -EINVAL when a private scalar is not in
 * 1 .. n - 1. */
int id_block_make(const struct id_block_input *in, uint8_t block[ID_BLOCK_SIZE],
                  uint8_t auth[ID_AUTH_SIZE]);

#endif
