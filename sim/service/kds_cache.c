/* SPDX-License-Identifier: Apache-2.0 */
#include "kds_cache.h"

#include "kds_hash.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    uint8_t key[KDS_CACHE_KEY_SIZE];
    uint8_t *data; /* NULL: free slot */
    size_t size;
    size_t next; /* slot + 1 of the next in the bucket; 0: last */
};

struct kds_cache {
    size_t limit;
    size_t *buckets; /* slot + 1; 0: empty */
    struct entry *entries;
    size_t oldest; /* the slot to be used next */
};

static size_t bucket_of(const struct kds_cache *cache, const uint8_t *key)
{
    return (size_t)(kds_hash(key, KDS_CACHE_KEY_SIZE) % cache->limit);
}

struct kds_cache *kds_cache_new(size_t limit)
{
    struct kds_cache *cache = calloc(1, sizeof(*cache));

    if (cache == NULL) {
        return NULL;
    }
    cache->limit = limit;
    cache->buckets = calloc(limit, sizeof(*cache->buckets));
    cache->entries = calloc(limit, sizeof(*cache->entries));
    if (cache->buckets == NULL || cache->entries == NULL) {
        kds_cache_free(cache);
        return NULL;
    }
    return cache;
}

void kds_cache_free(struct kds_cache *cache)
{
    if (cache == NULL) {
        return;
    }
    for (size_t i = 0; cache->entries != NULL && i < cache->limit; i++) {
        free(cache->entries[i].data);
    }
    free(cache->entries);
    free(cache->buckets);
    free(cache);
}

static struct entry *find(const struct kds_cache *cache, const uint8_t *key)
{
    size_t slot = cache->buckets[bucket_of(cache, key)];

    while (slot != 0) {
        struct entry *e = &cache->entries[slot - 1];

        if (memcmp(e->key, key, KDS_CACHE_KEY_SIZE) == 0) {
            return e;
        }
        slot = e->next;
    }
    return NULL;
}

uint8_t *kds_cache_get(const struct kds_cache *cache,
                       const uint8_t key[KDS_CACHE_KEY_SIZE], size_t *size)
{
    const struct entry *e = find(cache, key);
    uint8_t *copy = e == NULL ? NULL : malloc(e->size > 0 ? e->size : 1);

    if (copy != NULL) {
        memcpy(copy, e->data, e->size);
        *size = e->size;
    }
    return copy;
}

static void unlink_slot(struct kds_cache *cache, size_t slot)
{
    struct entry *e = &cache->entries[slot];
    size_t *at = &cache->buckets[bucket_of(cache, e->key)];

    while (*at != slot + 1) {
        at = &cache->entries[*at - 1].next;
    }
    *at = e->next;
    free(e->data);
    e->data = NULL;
}

void kds_cache_put(struct kds_cache *cache,
                   const uint8_t key[KDS_CACHE_KEY_SIZE], const uint8_t *data,
                   size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    size_t slot = cache->oldest;
    struct entry *e = &cache->entries[slot];
    size_t bucket = bucket_of(cache, key);

    if (copy == NULL || find(cache, key) != NULL) {
        free(copy);
        return;
    }
    if (e->data != NULL) {
        unlink_slot(cache, slot);
    }
    memcpy(copy, data, size);
    memcpy(e->key, key, KDS_CACHE_KEY_SIZE);
    e->data = copy;
    e->size = size;
    e->next = cache->buckets[bucket];
    cache->buckets[bucket] = slot + 1;
    cache->oldest = (slot + 1) % cache->limit;
}
