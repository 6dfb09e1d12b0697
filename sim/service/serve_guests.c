/* SPDX-License-Identifier: Apache-2.0 */
#include "serve_guests.h"
#include "serve_guest_impl.h"

#include "crypto.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_MIN 64u
#define TRIM_MIN    64u

int serve_guests_new(const struct serve_platform *platform,
                     struct serve_guests **out)
{
    struct serve_guests *g = calloc(1, sizeof(*g));
    int err;

    *out = NULL;
    if (g == NULL) {
        return -ENOMEM;
    }
    g->platform = *platform;
    g->bucket_count = BUCKETS_MIN;
    g->buckets = calloc(g->bucket_count, sizeof(*g->buckets));
    err = g->buckets == NULL ? -ENOMEM
                             : legacy_vm_host_new(platform->m, &g->legacy);
    if (err != 0) {
        free(g->buckets);
        free(g);
        return err;
    }
    legacy_vm_host_set_handle_mode(g->legacy, platform->vm_handle);
    if (platform->faults != NULL) {
        fault_host_legacy(platform->faults, g->legacy);
    }
    (void)pthread_mutex_init(&g->lock, NULL);
    (void)pthread_mutex_init(&g->launching, NULL);
    (void)pthread_cond_init(&g->idle, NULL);
    *out = g;
    return 0;
}

void serve_guests_free(struct serve_guests *g)
{
    struct serve_guest *guest;

    if (g == NULL) {
        return;
    }
    while ((guest = g->first) != NULL) {
        g->first = guest->next;
        serve_guest_free(guest);
    }
    legacy_vm_host_free(g->legacy);
    (void)pthread_cond_destroy(&g->idle);
    (void)pthread_mutex_destroy(&g->launching);
    (void)pthread_mutex_destroy(&g->lock);
    free(g->certs);
    free(g->vcek.data);
    free(g->vlek.data);
    free(g->buckets);
    psp_wipe(g, sizeof(*g));
    free(g);
}

/* --- the table; callers hold the lock --- */

/* FNV-1a */
static struct serve_guest **bucket_of(const struct serve_guests *g,
                                      const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (; *name != '\0'; name++) {
        hash = (hash ^ (uint8_t)*name) * 0x100000001b3u;
    }
    return &g->buckets[(hash >> 16) & (g->bucket_count - 1)];
}

static struct serve_guest *find(const struct serve_guests *g, const char *name)
{
    struct serve_guest *guest = *bucket_of(g, name);

    while (guest != NULL && strcmp(guest->name, name) != 0) {
        guest = guest->chain;
    }
    return guest;
}

static void enter(struct serve_guests *g, struct serve_guest *guest)
{
    struct serve_guest **bucket = bucket_of(g, guest->name);

    guest->chain = *bucket;
    *bucket = guest;
}

/* Without memory the chains become longer. */
static void widen(struct serve_guests *g)
{
    size_t count = g->bucket_count * 2;
    struct serve_guest **more = NULL;

    if (g->count >= g->bucket_count) {
        more = calloc(count, sizeof(*more));
    }
    if (more != NULL) {
        free(g->buckets);
        g->buckets = more;
        g->bucket_count = count;
        for (struct serve_guest *q = g->first; q != NULL; q = q->next) {
            enter(g, q);
        }
    }
}

static void link_guest(struct serve_guests *g, struct serve_guest *guest)
{
    widen(g);
    enter(g, guest);
    guest->prev = g->last;
    *(g->last == NULL ? &g->first : &g->last->next) = guest;
    g->last = guest;
    g->count++;
}

static void unlink_guest(struct serve_guests *g, struct serve_guest *guest)
{
    struct serve_guest **at = bucket_of(g, guest->name);

    while (*at != guest) {
        at = &(*at)->chain;
    }
    *at = guest->chain;
    *(guest->prev == NULL ? &g->first : &guest->prev->next) = guest->next;
    *(guest->next == NULL ? &g->last : &guest->next->prev) = guest->prev;
    g->count--;
}

/* --- launch --- */

static void append(struct serve_guests *g, struct serve_guest *guest)
{
    (void)pthread_mutex_lock(&g->lock);
    link_guest(g, guest);
    if (g->certs_set && guest->vm != NULL) {
        (void)vm_set_certs(guest->vm, g->certs, g->certs_size);
    }
    (void)pthread_mutex_unlock(&g->lock);
}

/* Callers hold launching. */
static void tell_launched(const struct serve_guests *g,
                          const struct serve_guest *guest)
{
    if (g->watch != NULL && guest->dev != NULL) {
        const struct serve_driver driver = {
            .era = guest->era,
            .vmpl = vm_vmpl(guest->vm),
            .vmpck = guest->vmpck,
            .sev_features = vm_sev_features(guest->vm),
        };

        g->watch(g->watch_ctx, guest->name, &driver);
    }
}

void serve_guests_watch(struct serve_guests *g,
                        void (*fn)(void *ctx, const char *name,
                                   const struct serve_driver *driver),
                        void *ctx)
{
    (void)pthread_mutex_lock(&g->launching);
    g->watch = fn;
    g->watch_ctx = ctx;
    for (struct serve_guest *q = g->first; q != NULL; q = q->next) {
        tell_launched(g, q); /* the list changes under launching alone */
    }
    (void)pthread_mutex_unlock(&g->launching);
}

static bool is_taken(struct serve_guests *g, const char *name)
{
    bool taken;

    (void)pthread_mutex_lock(&g->lock);
    taken = find(g, name) != NULL;
    (void)pthread_mutex_unlock(&g->lock);
    return taken;
}

static int store(struct serve_guests *g, const struct serve_guest *guest,
                 const json_t *request, char *error)
{
    json_t *file;
    char *text;
    int rc;

    if (g->platform.store == NULL) {
        return 0;
    }
    file = json_pack("{s:I, s:O}", "order", (json_int_t)guest->order, "guest",
                     request);
    text = file == NULL ? NULL : json_dumps(file, JSON_INDENT(1));
    json_decref(file);
    if (text == NULL) {
        return state_error(error, -ENOMEM, "out of memory");
    }
    rc = state_store_write(g->platform.store, STATE_GUEST, guest->name, text,
                           strlen(text), error);
    psp_wipe(text, strlen(text)); /* it may hold an id_key */
    free(text);
    return rc;
}

static int launch_locked(struct serve_guests *g, const json_t *request,
                         json_t **shown, char *error)
{
    struct serve_guest *guest = NULL;
    int rc = serve_guest_launch(g, request, &guest, error);

    if (rc != 0) {
        serve_guest_free(guest);
        return rc;
    }
    guest->order = ++g->last_order;
    *shown = serve_guest_summary(guest);
    serve_guest_detail(guest, *shown);
    rc = store(g, guest, request, error);
    if (rc != 0) {
        json_decref(*shown);
        *shown = NULL;
        serve_guest_free(guest);
        return rc;
    }
    append(g, guest);
    tell_launched(g, guest);
    return 0;
}

int serve_guests_launch(struct serve_guests *g, const json_t *request,
                        json_t **shown, char *error)
{
    const char *name = json_string_value(json_object_get(request, "name"));
    int rc;

    *shown = NULL;
    if (name == NULL || !state_name_ok(name) ||
        strcmp(name, SERVE_HOST_NAME) == 0) {
        return state_error(error, -EINVAL,
                           "name: must be 1 to 63 letters, digits, '-', '_', "
                           "and not \"" SERVE_HOST_NAME "\"");
    }
    (void)pthread_mutex_lock(&g->launching);
    if (is_taken(g, name)) {
        rc = state_error(error, -EEXIST, "there is a guest '%s' already", name);
    } else if (g->count >= serve_guests_max(g)) {
        rc = state_error(error, -ENOSPC,
                         "there are %zu guests already, and no more may be "
                         "(--max-guests)",
                         g->count);
    } else {
        rc = launch_locked(g, request, shown, error);
    }
    (void)pthread_mutex_unlock(&g->launching);
    return rc;
}

/* --- from the state --- */

struct stored {
    json_t *file;
    json_int_t order;
};

static int by_order(const void *a, const void *b)
{
    const struct stored *x = a, *y = b;

    return (x->order > y->order) - (x->order < y->order);
}

static int load_one(struct serve_guests *g, const char *name,
                    struct stored *out, char *error)
{
    uint8_t *text = NULL;
    const json_t *inner;
    const char *said;
    size_t size = 0;
    int rc = state_store_read(g->platform.store, STATE_GUEST, name, &text,
                              &size, error);

    if (rc != 0) {
        return rc;
    }
    out->file = json_loadb((const char *)text, size, 0, NULL);
    psp_wipe(text, size);
    free(text);
    inner = json_object_get(out->file, "guest");
    out->order = json_integer_value(json_object_get(out->file, "order"));
    said = json_string_value(json_object_get(inner, "name"));
    if (said == NULL || strcmp(said, name) != 0) {
        return state_error(error, -EBADMSG,
                           "the state of guest '%s' does not describe it",
                           name);
    }
    return 0;
}

/* A guest that does not start is kept, so that its owner can see why. */
static int relaunch_one(struct serve_guests *g, const struct stored *s,
                        char *error)
{
    const json_t *request = json_object_get(s->file, "guest");
    struct serve_guest *guest = NULL;
    int rc = serve_guest_launch(g, request, &guest, error);

    if (guest == NULL) {
        return rc;
    }
    guest->order = (uint64_t)s->order;
    if (guest->order > g->last_order) {
        g->last_order = guest->order;
    }
    if (rc != 0) {
        serve_guest_fail(guest, error);
    }
    append(g, guest);
    return 0;
}

int serve_guests_relaunch(struct serve_guests *g, char *error)
{
    struct stored *all = NULL;
    char **names = NULL;
    size_t count = 0;
    int rc = 0;

    if (g->platform.store == NULL) {
        return 0;
    }
    rc = state_store_guests(g->platform.store, &names, &count, error);
    if (rc == 0 && count > 0) {
        all = calloc(count, sizeof(*all));
        rc = all == NULL ? state_error(error, -ENOMEM, "out of memory") : 0;
    }
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = load_one(g, names[i], &all[i], error);
    }
    if (rc == 0 && count > 0) {
        qsort(all, count, sizeof(*all), by_order);
    }
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = relaunch_one(g, &all[i], error);
        json_decref(all[i].file); /* thousands need not lie around */
        all[i].file = NULL;
    }
    for (size_t i = 0; i < count && all != NULL; i++) {
        json_decref(all[i].file);
    }
    free(all);
    state_names_free(names, count);
    return rc;
}

/* --- looking --- */

json_t *serve_guests_list(struct serve_guests *g, uint64_t *after, size_t limit)
{
    json_t *list = json_array();
    const struct serve_guest *q;
    uint64_t last = 0;

    (void)pthread_mutex_lock(&g->lock);
    q = g->first;
    while (q != NULL && q->order <= *after) {
        q = q->next;
    }
    for (size_t n = 0; q != NULL && n < limit; q = q->next, n++) {
        (void)json_array_append_new(list, serve_guest_summary(q));
        last = q->order;
    }
    *after = q == NULL ? 0 : last;
    (void)pthread_mutex_unlock(&g->lock);
    return list;
}

json_t *serve_guests_show(struct serve_guests *g, const char *name)
{
    struct serve_guest *guest;
    json_t *shown = NULL;

    (void)pthread_mutex_lock(&g->lock);
    guest = find(g, name);
    if (guest != NULL) {
        shown = serve_guest_summary(guest);
        guest->users++; /* the firmware is asked without the lock */
    }
    (void)pthread_mutex_unlock(&g->lock);
    if (guest != NULL) {
        serve_guest_detail(guest, shown);
        serve_guest_put(g, guest);
    }
    return shown;
}

size_t serve_guests_count(struct serve_guests *g)
{
    size_t n;

    (void)pthread_mutex_lock(&g->lock);
    n = g->count;
    (void)pthread_mutex_unlock(&g->lock);
    return n;
}

uint32_t serve_guests_max(const struct serve_guests *g)
{
    uint32_t max = g->platform.max_guests;

    return max == 0 ? SERVE_GUESTS_DEFAULT : max;
}

/* --- use and end --- */

int serve_guest_get(struct serve_guests *g, const char *name,
                    struct serve_guest **out, struct chardev *dev, char *error)
{
    struct serve_guest *guest;
    int rc = 0;

    (void)pthread_mutex_lock(&g->lock);
    guest = find(g, name);
    if (guest == NULL) {
        rc = state_error(error, -ENOENT, "there is no guest '%.80s'", name);
    } else if (guest->dev == NULL) {
        rc = state_error(error, -ENODEV, "guest '%s' %s", name,
                         guest->kind == SERVE_LEGACY
                             ? "is a legacy SEV guest: it has no "
                               "/dev/sev-guest"
                             : "has failed to start");
    } else {
        guest->users++;
        *dev = sev_guest_chardev(guest->dev);
        dev->name = guest->dev_name;
        *out = guest;
    }
    (void)pthread_mutex_unlock(&g->lock);
    return rc;
}

static int get_legacy(struct serve_guests *g, const char *name,
                      struct serve_guest **out, char *error)
{
    struct serve_guest *guest;
    int rc = 0;

    (void)pthread_mutex_lock(&g->lock);
    guest = find(g, name);
    if (guest == NULL) {
        rc = state_error(error, -ENOENT, "there is no guest '%.80s'", name);
    } else if (guest->legacy == NULL) {
        rc = state_error(error, -EINVAL,
                         "guest '%s' is no legacy guest that runs", name);
    } else {
        guest->users++;
        *out = guest;
    }
    (void)pthread_mutex_unlock(&g->lock);
    return rc;
}

int serve_guest_hypercall(struct serve_guests *g, const char *name,
                          unsigned int cpl, uint64_t number, uint64_t *rax,
                          char *error)
{
    const struct legacy_vm_hypercall call = {
        .rax = number, .cpl = cpl, .long_mode = true};
    struct serve_guest *guest = NULL;
    int rc = get_legacy(g, name, &guest, error);

    if (rc == 0) {
        *rax = legacy_vm_vmmcall(g->legacy, guest->legacy, &call);
        serve_guest_put(g, guest);
    }
    return rc;
}

int serve_guest_write(struct serve_guests *g, const char *name, uint64_t gpa,
                      const uint8_t *data, uint8_t *was, size_t size,
                      char *error)
{
    struct serve_guest *guest = NULL;
    int rc = get_legacy(g, name, &guest, error);

    if (rc == 0) {
        rc = legacy_vm_read(guest->legacy, gpa, was, size);
        if (rc == 0) {
            rc = legacy_vm_write(guest->legacy, gpa, data, size);
        }
        if (rc != 0) {
            (void)state_error(error, rc, "gpa: the guest has no such memory");
        }
        serve_guest_put(g, guest);
    }
    return rc;
}

void serve_guest_put(struct serve_guests *g, struct serve_guest *guest)
{
    (void)pthread_mutex_lock(&g->lock);
    guest->users--;
    (void)pthread_cond_broadcast(&g->idle);
    (void)pthread_mutex_unlock(&g->lock);
}

static int forget(struct serve_guests *g, const char *name, char *error)
{
    if (!is_taken(g, name)) {
        return state_error(error, -ENOENT, "there is no guest '%.80s'", name);
    }
    return g->platform.store == NULL
               ? 0
               : state_store_remove(g->platform.store, STATE_GUEST, name,
                                    error);
}

/* The heap keeps the pages of guests that are gone. To give them back looks at
 * all of it, so half of the guests must have gone since the last time. */
static void give_back(struct serve_guests *g)
{
    if (++g->stopped > TRIM_MIN && g->stopped > serve_guests_count(g)) {
        g->stopped = 0;
        (void)malloc_trim(0);
    }
}

bool serve_guest_stops(const struct serve_guest *guest)
{
    return atomic_load(&guest->stopping);
}

int serve_guests_stop(struct serve_guests *g, const char *name,
                      void (*detach)(void *ctx, const struct serve_guest *),
                      void *ctx, char *error)
{
    struct serve_guest *guest = NULL;
    int rc;

    (void)pthread_mutex_lock(&g->launching);
    rc = forget(g, name, error);
    if (rc == 0) {
        (void)pthread_mutex_lock(&g->lock);
        guest = find(g, name);
        atomic_store(&guest->stopping, true);
        (void)pthread_mutex_unlock(&g->lock);
        if (g->watch != NULL && guest->dev != NULL) {
            g->watch(g->watch_ctx, guest->name, NULL);
        }
        (void)pthread_mutex_lock(&g->lock);
        unlink_guest(g, guest);
        (void)pthread_mutex_unlock(&g->lock);
        detach(ctx, guest);
        (void)pthread_mutex_lock(&g->lock);
        while (guest->users > 0) {
            (void)pthread_cond_wait(&g->idle, &g->lock);
        }
        (void)pthread_mutex_unlock(&g->lock);
        serve_guest_free(guest);
        give_back(g);
    }
    (void)pthread_mutex_unlock(&g->launching);
    return rc;
}

/* --- what the host's driver says to all guests --- */

void serve_guests_certs_changed(void *guests, const uint8_t *certs, size_t size)
{
    struct serve_guests *g = guests;
    uint8_t *copy = size == 0 ? NULL : malloc(size);

    if (copy == NULL && size > 0) {
        return; /* the guests keep what they have */
    }
    if (size > 0) {
        memcpy(copy, certs, size);
    }
    (void)pthread_mutex_lock(&g->lock);
    free(g->certs);
    g->certs = copy;
    g->certs_size = size;
    g->certs_set = true;
    for (struct serve_guest *q = g->first; q != NULL; q = q->next) {
        if (q->vm != NULL) {
            (void)vm_set_certs(q->vm, copy, size);
        }
    }
    (void)pthread_mutex_unlock(&g->lock);
}

void serve_guests_paused(void *guests, bool paused)
{
    struct serve_guests *g = guests;

    atomic_store(&g->paused, paused);
}
