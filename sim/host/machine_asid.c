/* SPDX-License-Identifier: Apache-2.0 */
/* ASIDs are handed out lowest first; returned ones are recycled together, by
 * one flush, when no other is left, as KVM does. */
#include "machine_impl.h"

#include <string.h>

struct range {
    uint32_t first;
    uint32_t last;
};

#define CMD_SEV_DF_FLUSH 0x0au
#define CMD_SNP_DF_FLUSH 0x84u

/* SEV-ES and SNP guests have the ASIDs below min_sev_asid, plain SEV guests
 * the others; without a boundary all guests share. */
static struct range range_of(const struct machine *m, enum machine_asid_kind k)
{
    const struct psp_profile *p = &m->profile;
    struct range r = {1, p->asid_count};

    if (p->min_sev_asid > 1) {
        if (k == MACHINE_ASID_SEV) {
            r.first = p->min_sev_asid;
        } else {
            r.last = p->min_sev_asid - 1;
        }
    }
    return r;
}

static uint32_t take_free(struct machine *m, enum machine_asid_kind kind)
{
    struct range r = range_of(m, kind);
    uint32_t asid =
        m->first_asid[kind] > r.first ? m->first_asid[kind] : r.first;

    while (asid <= r.last && m->asids[asid] != ASID_FREE) {
        asid++;
    }
    m->first_asid[kind] = asid;
    if (asid > r.last) {
        return 0;
    }
    m->asids[asid] = ASID_USED;
    return asid;
}

static void move_all(struct machine *m, enum machine_asid_state from,
                     enum machine_asid_state to)
{
    for (uint32_t asid = 1; asid <= m->profile.asid_count; asid++) {
        if (m->asids[asid] == from) {
            m->asids[asid] = (uint8_t)to;
        }
    }
}

static uint32_t take(struct machine *m, enum machine_asid_kind kind)
{
    uint32_t asid;

    pthread_mutex_lock(&m->lock);
    asid = take_free(m, kind);
    pthread_mutex_unlock(&m->lock);
    return asid;
}

/* ASIDs that come back while the flush runs must wait for the next one, so
 * those that it covers are set apart first. False: there are none. */
static bool set_apart(struct machine *m)
{
    bool any;

    pthread_mutex_lock(&m->lock);
    any = m->returned > 0;
    if (any) {
        move_all(m, ASID_RETURNED, ASID_FLUSHING);
        m->returned = 0;
    }
    pthread_mutex_unlock(&m->lock);
    return any;
}

static void put_back(struct machine *m, bool flushed)
{
    pthread_mutex_lock(&m->lock);
    for (uint32_t asid = 1; asid <= m->profile.asid_count; asid++) {
        m->returned += !flushed && m->asids[asid] == ASID_FLUSHING;
    }
    move_all(m, ASID_FLUSHING, flushed ? ASID_FREE : ASID_RETURNED);
    memset(m->first_asid, 0, sizeof(m->first_asid));
    pthread_mutex_unlock(&m->lock);
}

static void recycle(struct machine *m)
{
    if (set_apart(m)) {
        enum sev_status status = machine_command(
            m, machine_snp_initialized(m) ? CMD_SNP_DF_FLUSH : CMD_SEV_DF_FLUSH,
            NULL, 0);

        put_back(m, status == SEV_SUCCESS);
    }
}

uint32_t machine_asid_alloc(struct machine *m, enum machine_asid_kind kind)
{
    uint32_t asid = take(m, kind);

    if (asid != 0) {
        return asid;
    }
    /* One flush at a time: another one's end must not hand out what it did not
     * cover. */
    pthread_mutex_lock(&m->recycling);
    asid = take(m, kind);
    if (asid == 0) {
        recycle(m);
        asid = take(m, kind);
    }
    pthread_mutex_unlock(&m->recycling);
    return asid;
}

void machine_asid_free(struct machine *m, uint32_t asid)
{
    if (asid == 0 || asid > m->profile.asid_count) {
        return;
    }
    pthread_mutex_lock(&m->lock);
    m->returned += m->asids[asid] != ASID_RETURNED;
    m->asids[asid] = ASID_RETURNED;
    pthread_mutex_unlock(&m->lock);
}
