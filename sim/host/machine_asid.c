/* SPDX-License-Identifier: Apache-2.0 */
/* ASIDs are handed out lowest first; returned ones are recycled together, by
 * one flush, when no other is left, as KVM does. */
#include "machine_impl.h"

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

static uint32_t take_free(struct machine *m, struct range r)
{
    for (uint32_t asid = r.first; asid <= r.last; asid++) {
        if (m->asids[asid] == ASID_FREE) {
            m->asids[asid] = ASID_USED;
            return asid;
        }
    }
    return 0;
}

static bool move_all(struct machine *m, enum machine_asid_state from,
                     enum machine_asid_state to)
{
    bool any = false;

    for (uint32_t asid = 1; asid <= m->profile.asid_count; asid++) {
        if (m->asids[asid] == from) {
            m->asids[asid] = (uint8_t)to;
            any = true;
        }
    }
    return any;
}

/* ASIDs that come back while the flush runs must wait for the next one, so
 * those that it covers are set apart first. */
static void recycle(struct machine *m)
{
    enum sev_status status;

    if (!move_all(m, ASID_RETURNED, ASID_FLUSHING)) {
        return;
    }
    pthread_mutex_unlock(&m->lock);
    status = machine_command(
        m, machine_snp_initialized(m) ? CMD_SNP_DF_FLUSH : CMD_SEV_DF_FLUSH,
        NULL, 0);
    pthread_mutex_lock(&m->lock);
    move_all(m, ASID_FLUSHING,
             status == SEV_SUCCESS ? ASID_FREE : ASID_RETURNED);
}

uint32_t machine_asid_alloc(struct machine *m, enum machine_asid_kind kind)
{
    struct range r = range_of(m, kind);
    uint32_t asid;

    pthread_mutex_lock(&m->lock);
    asid = take_free(m, r);
    if (asid == 0) {
        recycle(m);
        asid = take_free(m, r);
    }
    pthread_mutex_unlock(&m->lock);
    return asid;
}

void machine_asid_free(struct machine *m, uint32_t asid)
{
    if (asid == 0 || asid > m->profile.asid_count) {
        return;
    }
    pthread_mutex_lock(&m->lock);
    m->asids[asid] = ASID_RETURNED;
    pthread_mutex_unlock(&m->lock);
}
