/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the files of configfs-tsm share.
 */
#ifndef LINUX_TSM_IMPL_H
#define LINUX_TSM_IMPL_H

#include "tsm.h"

#include <pthread.h>
#include <stdatomic.h>

#define TSM_BUCKETS 1024u

struct tsm_blob {
    uint8_t *data; /* owned */
    size_t size;
};

/** The inputs of a report. */
struct tsm_desc {
    uint8_t inblob[TSM_INBLOB_MAX];
    size_t inblob_size;
    unsigned int privlevel;
    char *service_provider; /* owned; NULL: none */
    uint8_t service_guid[16];
    unsigned int service_manifest_version;
};

/** Who provides, for the registry and for entries that outlive it. */
struct tsm_source {
    atomic_uint refs;
    pthread_rwlock_t lock; /* read: the provider is in use */
    bool registered;
    struct tsm_provider provider;
};

struct tsm_entry {
    atomic_uint refs;
    uint64_t id;
    uint32_t uid, gid;
    bool service; /* has the attributes for services */
    struct tsm_source *source;
    /* Under the registry's lock. */
    struct tsm_entry *prev, *next;
    struct tsm_entry *same_name, *same_id; /* in one bucket */
    /* Guards what follows; taken before source->lock. */
    pthread_mutex_t lock;
    bool dead; /* removed */
    struct tsm_desc desc;
    uint64_t write_generation;
    uint64_t read_generation;
    bool made; /* a report is there, of read_generation */
    struct tsm_blob outblob, auxblob, manifestblob;
    char name[];
};

struct tsm {
    pthread_mutex_t lock;
    uint64_t last_id;
    struct tsm_entry *first, *last; /* by id */
    struct tsm_entry *by_name[TSM_BUCKETS];
    struct tsm_entry *by_id[TSM_BUCKETS];
    struct tsm_source *source;
};

void tsm_get(struct tsm_entry *entry);

/** The provider, until tsm_provider_end(); NULL: none (and nothing to end). */
const struct tsm_provider *tsm_provider_begin(struct tsm_entry *entry);
void tsm_provider_end(struct tsm_entry *entry);

/** --- all below: entry->lock is held --- */

/** What a text attribute says, at most TSM_TEXT_MAX bytes. */
int tsm_show(struct tsm_entry *entry, enum tsm_attr attr,
             char text[TSM_TEXT_MAX + 1]);
/** @text ends at its first zero byte. 0 or a negative errno. */
int tsm_store(struct tsm_entry *entry, enum tsm_attr attr, const char *text);
int tsm_store_inblob(struct tsm_entry *entry, const uint8_t *data, size_t size);

/** Blob @attr of a report that fits the inputs as they are. Valid while the
 * lock is held. */
int tsm_blob(struct tsm_entry *entry, enum tsm_attr attr,
             const struct tsm_blob **out);

/** Make a report: outblob and auxblob, which are empty before and after any
 * error. */
int tsm_report_new(struct tsm_entry *entry,
                   const struct tsm_provider *provider);

#endif
