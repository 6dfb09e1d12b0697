/* SPDX-License-Identifier: Apache-2.0 */
/* The registry: provider, and entries by name and by id. */
#include "tsm_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t bucket_of_name(const char *name)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (; *name != '\0'; name++) {
        hash = (hash ^ (uint8_t)*name) * 16777619u;
    }
    return hash % TSM_BUCKETS;
}

static size_t bucket_of_id(uint64_t id)
{
    return (size_t)(id % TSM_BUCKETS);
}

/* --- provider --- */

static struct tsm_source *source_new(void)
{
    struct tsm_source *source = calloc(1, sizeof(*source));

    if (source != NULL) {
        atomic_init(&source->refs, 1);
        pthread_rwlock_init(&source->lock, NULL);
    }
    return source;
}

static void source_put(struct tsm_source *source)
{
    if (atomic_fetch_sub(&source->refs, 1) == 1) {
        pthread_rwlock_destroy(&source->lock);
        free(source);
    }
}

void tsm_register(struct tsm *tsm, const struct tsm_provider *provider)
{
    struct tsm_source *source = tsm->source;

    pthread_rwlock_wrlock(&source->lock);
    source->registered = provider != NULL;
    if (provider != NULL) {
        source->provider = *provider;
    }
    pthread_rwlock_unlock(&source->lock);
}

const struct tsm_provider *tsm_provider_begin(struct tsm_entry *entry)
{
    struct tsm_source *source = entry->source;

    pthread_rwlock_rdlock(&source->lock);
    if (source->registered) {
        return &source->provider;
    }
    pthread_rwlock_unlock(&source->lock);
    return NULL;
}

void tsm_provider_end(struct tsm_entry *entry)
{
    pthread_rwlock_unlock(&entry->source->lock);
}

/* --- entries --- */

/* With a reference for the registry. @name is at most TSM_NAME_MAX bytes. */
static struct tsm_entry *entry_new(struct tsm_source *source, const char *name)
{
    size_t size = strlen(name) + 1;
    struct tsm_entry *entry = calloc(1, sizeof(*entry) + size);

    if (entry != NULL) {
        atomic_init(&entry->refs, 1);
        pthread_mutex_init(&entry->lock, NULL);
        memcpy(entry->name, name, size);
        atomic_fetch_add(&source->refs, 1);
        entry->source = source;
    }
    return entry;
}

void tsm_get(struct tsm_entry *entry)
{
    atomic_fetch_add(&entry->refs, 1);
}

void tsm_put(struct tsm_entry *entry)
{
    if (entry == NULL || atomic_fetch_sub(&entry->refs, 1) != 1) {
        return;
    }
    free(entry->desc.service_provider);
    free(entry->outblob.data);
    free(entry->auxblob.data);
    free(entry->manifestblob.data);
    pthread_mutex_destroy(&entry->lock);
    source_put(entry->source);
    free(entry);
}

/* Registry locked from here on. */
static struct tsm_entry *find(struct tsm *tsm, const char *name)
{
    struct tsm_entry *entry = tsm->by_name[bucket_of_name(name)];

    while (entry != NULL && strcmp(entry->name, name) != 0) {
        entry = entry->same_name;
    }
    return entry;
}

static void add(struct tsm *tsm, struct tsm_entry *entry)
{
    struct tsm_entry **by_name = &tsm->by_name[bucket_of_name(entry->name)];
    struct tsm_entry **by_id;

    entry->id = ++tsm->last_id;
    by_id = &tsm->by_id[bucket_of_id(entry->id)];
    entry->same_name = *by_name;
    *by_name = entry;
    entry->same_id = *by_id;
    *by_id = entry;
    entry->prev = tsm->last;
    *(tsm->last == NULL ? &tsm->first : &tsm->last->next) = entry;
    tsm->last = entry;
}

static void take_out(struct tsm *tsm, struct tsm_entry *entry)
{
    struct tsm_entry **at = &tsm->by_name[bucket_of_name(entry->name)];

    while (*at != entry) {
        at = &(*at)->same_name;
    }
    *at = entry->same_name;
    at = &tsm->by_id[bucket_of_id(entry->id)];
    while (*at != entry) {
        at = &(*at)->same_id;
    }
    *at = entry->same_id;
    *(entry->prev == NULL ? &tsm->first : &entry->prev->next) = entry->next;
    *(entry->next == NULL ? &tsm->last : &entry->next->prev) = entry->prev;
}

static int make(struct tsm *tsm, const char *name, uint32_t uid, uint32_t gid,
                struct tsm_entry **out)
{
    const struct tsm_provider *provider;
    struct tsm_entry *entry;

    if (find(tsm, name) != NULL) {
        return -EEXIST;
    }
    entry = entry_new(tsm->source, name);
    if (entry == NULL) {
        return -ENOMEM;
    }
    provider = tsm_provider_begin(entry);
    if (provider == NULL) {
        tsm_put(entry);
        return -ENXIO;
    }
    entry->uid = uid;
    entry->gid = gid;
    entry->service = provider->service;
    tsm_provider_end(entry);
    add(tsm, entry);
    if (out != NULL) {
        tsm_get(entry);
        *out = entry;
    }
    return 0;
}

int tsm_mkdir_as(struct tsm *tsm, const char *name, uint32_t uid, uint32_t gid,
                 struct tsm_entry **out)
{
    int err;

    if (strlen(name) > TSM_NAME_MAX) {
        return -ENAMETOOLONG;
    }
    pthread_mutex_lock(&tsm->lock);
    err = make(tsm, name, uid, gid, out);
    pthread_mutex_unlock(&tsm->lock);
    return err;
}

int tsm_mkdir(struct tsm *tsm, const char *name, struct tsm_entry **out)
{
    return tsm_mkdir_as(tsm, name, 0, 0, out);
}

/* Waits for a report that is being made. */
static void end_entry(struct tsm_entry *entry)
{
    pthread_mutex_lock(&entry->lock);
    entry->dead = true;
    pthread_mutex_unlock(&entry->lock);
    tsm_put(entry);
}

int tsm_rmdir(struct tsm *tsm, const char *name)
{
    struct tsm_entry *entry;

    pthread_mutex_lock(&tsm->lock);
    entry = find(tsm, name);
    if (entry != NULL) {
        take_out(tsm, entry);
    }
    pthread_mutex_unlock(&tsm->lock);
    if (entry == NULL) {
        return -ENOENT;
    }
    end_entry(entry);
    return 0;
}

static struct tsm_entry *unlock_with(struct tsm *tsm, struct tsm_entry *entry)
{
    if (entry != NULL) {
        tsm_get(entry);
    }
    pthread_mutex_unlock(&tsm->lock);
    return entry;
}

struct tsm_entry *tsm_lookup(struct tsm *tsm, const char *name)
{
    pthread_mutex_lock(&tsm->lock);
    return unlock_with(tsm, find(tsm, name));
}

static struct tsm_entry *find_id(struct tsm *tsm, uint64_t id)
{
    struct tsm_entry *entry = tsm->by_id[bucket_of_id(id)];

    while (entry != NULL && entry->id != id) {
        entry = entry->same_id;
    }
    return entry;
}

struct tsm_entry *tsm_by_id(struct tsm *tsm, uint64_t id)
{
    pthread_mutex_lock(&tsm->lock);
    return unlock_with(tsm, find_id(tsm, id));
}

struct tsm_entry *tsm_next(struct tsm *tsm, uint64_t id)
{
    struct tsm_entry *entry;

    pthread_mutex_lock(&tsm->lock);
    entry = find_id(tsm, id); /* a long list is walked once */
    entry = entry == NULL ? tsm->first : entry->next;
    while (entry != NULL && entry->id <= id) {
        entry = entry->next;
    }
    return unlock_with(tsm, entry);
}

uint64_t tsm_entry_id(const struct tsm_entry *entry)
{
    return entry->id;
}

const char *tsm_entry_name(const struct tsm_entry *entry)
{
    return entry->name;
}

void tsm_entry_owner(const struct tsm_entry *entry, uint32_t *uid,
                     uint32_t *gid)
{
    *uid = entry->uid;
    *gid = entry->gid;
}

struct tsm *tsm_new(void)
{
    struct tsm *tsm = calloc(1, sizeof(*tsm));

    if (tsm == NULL) {
        return NULL;
    }
    tsm->source = source_new();
    if (tsm->source == NULL) {
        free(tsm);
        return NULL;
    }
    pthread_mutex_init(&tsm->lock, NULL);
    return tsm;
}

void tsm_free(struct tsm *tsm)
{
    if (tsm == NULL) {
        return;
    }
    tsm_register(tsm, NULL);
    while (tsm->first != NULL) {
        struct tsm_entry *entry = tsm->first;

        take_out(tsm, entry);
        end_entry(entry);
    }
    pthread_mutex_destroy(&tsm->lock);
    source_put(tsm->source);
    free(tsm);
}
