/* SPDX-License-Identifier: Apache-2.0 */
/* Who is who at the mailbox. */
#include "machine_impl.h"

#include <stdlib.h>
#include <string.h>

struct machine_guest {
    struct machine_guest *next;
    bool snp;
    uint64_t id;
    char name[64];
};

/* Handles count up; context pages are as far apart as guests are large. */
static struct machine_guest **bucket(struct machine *m, uint64_t id)
{
    return &m->guests[(id * 0x9e3779b97f4a7c15u >> 32) % MACHINE_GUEST_BUCKETS];
}

static struct machine_guest **find(struct machine *m, bool snp, uint64_t id)
{
    struct machine_guest **at = bucket(m, id);

    while (*at != NULL && !((*at)->snp == snp && (*at)->id == id)) {
        at = &(*at)->next;
    }
    return at;
}

static void locked_forget(struct machine *m, bool snp, uint64_t id)
{
    struct machine_guest **at = find(m, snp, id);
    struct machine_guest *gone = *at;

    if (gone != NULL) {
        *at = gone->next;
        free(gone);
    }
}

static void locked_add(struct machine *m, bool snp, uint64_t id,
                       const char *name)
{
    struct machine_guest **first = bucket(m, id);
    struct machine_guest *g = calloc(1, sizeof(*g));

    if (g != NULL) {
        g->next = *first;
        g->snp = snp;
        g->id = id;
        memcpy(g->name, name, strnlen(name, sizeof(g->name) - 1));
        *first = g;
    }
}

void machine_guest_is(struct machine *m, bool snp, uint64_t id,
                      const char *name)
{
    pthread_mutex_lock(&m->lock);
    locked_forget(m, snp, id);
    if (name != NULL) {
        locked_add(m, snp, id, name);
    }
    pthread_mutex_unlock(&m->lock);
}

bool machine_guest_name(struct machine *m, bool snp, uint64_t id, char *name)
{
    const struct machine_guest *g;

    pthread_mutex_lock(&m->lock);
    g = *find(m, snp, id);
    if (g != NULL) {
        memcpy(name, g->name, sizeof(g->name));
    }
    pthread_mutex_unlock(&m->lock);
    return g != NULL;
}

bool machine_guest_find(struct machine *m, bool snp, const char *name,
                        uint64_t *id)
{
    const struct machine_guest *g = NULL;

    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < MACHINE_GUEST_BUCKETS && g == NULL; i++) {
        g = m->guests[i];
        while (g != NULL && !(g->snp == snp && strcmp(g->name, name) == 0)) {
            g = g->next;
        }
    }
    if (g != NULL) {
        *id = g->id;
    }
    pthread_mutex_unlock(&m->lock);
    return g != NULL;
}

void machine_guests_clear(struct machine *m)
{
    for (size_t i = 0; i < MACHINE_GUEST_BUCKETS; i++) {
        while (m->guests[i] != NULL) {
            struct machine_guest *g = m->guests[i];

            m->guests[i] = g->next;
            free(g);
        }
    }
}
