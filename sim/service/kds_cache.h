/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Certificates by request, oldest out first.
 */
#ifndef SERVICE_KDS_CACHE_H
#define SERVICE_KDS_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KDS_CACHE_KEY_SIZE 80u

struct kds_cache;

/** NULL when out of memory. */
struct kds_cache *kds_cache_new(size_t limit);
void kds_cache_free(struct kds_cache *cache);

/** Copy of what is stored under @key, or NULL; free() ends it. */
uint8_t *kds_cache_get(const struct kds_cache *cache,
                       const uint8_t key[KDS_CACHE_KEY_SIZE], size_t *size);
/** Store a copy; silently not when out of memory. */
void kds_cache_put(struct kds_cache *cache,
                   const uint8_t key[KDS_CACHE_KEY_SIZE], const uint8_t *data,
                   size_t size);

#endif
