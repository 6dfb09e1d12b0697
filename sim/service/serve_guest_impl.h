/* SPDX-License-Identifier: Apache-2.0 */
/** Inside of the guest table; see serve_guests.h. */
#ifndef SERVICE_SERVE_GUEST_IMPL_H
#define SERVICE_SERVE_GUEST_IMPL_H

#include "legacy_vm.h"
#include "serve_guests.h"
#include "vm.h"

#include <pthread.h>
#include <stdatomic.h>

enum serve_kind { SERVE_SNP, SERVE_LEGACY };

struct serve_guest {
    struct serve_guest *next, *prev; /* in the order of the launches */
    struct serve_guest *chain;       /* of the same bucket */
    const struct serve_guests *table;
    atomic_bool stopping; /* its requests are not held up any more */
    char name[STATE_NAME_MAX + 1];
    char dev_name[STATE_NAME_MAX + 16]; /* "sev-guest[NAME]", for traces */
    enum serve_kind kind;
    uint64_t order;      /* of the first launch */
    uint64_t generation; /* of this one */
    unsigned int users;
    struct vm *vm;
    _Atomic(struct fault_guest *) faults; /* what the fault plan knows of it */
    struct sev_guest_dev *dev;
    struct legacy_vm *legacy;
    enum sev_guest_era era;
    unsigned int vmpck;
    bool long_key_request;
    uint64_t policy;
    uint8_t measurement[48];
    uint8_t host_data[32];
    char *failure; /* why it is not running; NULL: it is */
};

struct serve_table {
    uint8_t *data; /* NULL: not made yet */
    size_t size;
};

struct serve_guests {
    struct serve_platform platform;
    struct legacy_vm_host *legacy;
    pthread_mutex_t launching; /* one launch, stop or use of the CA at a time;
                                * taken before lock */
    pthread_mutex_t lock;      /* the list and each guest's users */
    pthread_cond_t idle;
    struct serve_guest *first, *last;
    size_t count;
    struct serve_guest **buckets; /* by name; a power of two */
    size_t bucket_count;
    /* Under launching. Certificates are issued once: that is slow, and KDS
     * gives every guest of a platform the same ones. */
    uint64_t last_order, last_generation;
    struct serve_table vcek, vlek;
    void (*watch)(void *ctx, const char *name,
                  const struct serve_driver *driver);
    void *watch_ctx;
    size_t stopped; /* guests, since memory was given back to the system */
    uint8_t *certs; /* host-wide; NULL: each guest has its own */
    size_t certs_size;
    bool certs_set;
    atomic_bool paused;
};

/** Launch one. *out is set, even on failure, once the request is well-formed;
 * serve_guest_free() ends it. Callers hold launching. */
int serve_guest_launch(struct serve_guests *g, const json_t *request,
                       struct serve_guest **out, char *error);
void serve_guest_free(struct serve_guest *guest);
/** It is there, but does not run. */
void serve_guest_fail(struct serve_guest *guest, const char *why);

/** Callers hold lock, or @guest is not in the list yet. */
json_t *serve_guest_summary(const struct serve_guest *guest);
/** Add everything else to @o. Asks the firmware: callers do not hold lock, and
 * @guest is in use or not yet in the list. */
void serve_guest_detail(const struct serve_guest *guest, json_t *o);

#endif
