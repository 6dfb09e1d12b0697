/* SPDX-License-Identifier: Apache-2.0 */
/* ASIDs are handed out lowest first; returned ones are recycled together, by
 * one flush, when no other is left, as KVM does. */
#include "machine_impl.h"

#define CMD_SEV_DF_FLUSH 0x0au
#define CMD_SNP_DF_FLUSH 0x84u

static uint32_t take_free(struct machine *m)
{
    for (uint32_t asid = 1; asid <= m->profile.asid_count; asid++) {
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

uint32_t machine_asid_alloc(struct machine *m)
{
    uint32_t asid;

    pthread_mutex_lock(&m->lock);
    asid = take_free(m);
    if (asid == 0) {
        recycle(m);
        asid = take_free(m);
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
