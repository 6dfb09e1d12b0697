/* SPDX-License-Identifier: Apache-2.0 */
/** FNV-1a, for the tables of the key server. What is hashed is no secret, and
 * the tables are bounded: who chooses collisions gains nothing. */
#ifndef SERVICE_KDS_HASH_H
#define SERVICE_KDS_HASH_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t kds_hash(const void *data, size_t size)
{
    const uint8_t *p = data;
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < size; i++) {
        h = (h ^ p[i]) * 0x100000001b3u;
    }
    return h;
}

#endif
