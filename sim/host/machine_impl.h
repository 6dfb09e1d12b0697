/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the files of the machine share. Everything but the configuration is
 * guarded by @lock.
 */
#ifndef HOST_MACHINE_IMPL_H
#define HOST_MACHINE_IMPL_H

#include "dram.h"
#include "machine.h"
#include "page_map.h"

#include <pthread.h>
#include <stdatomic.h>

/** Mailbox commands in flight have a page and a job each; both are kept for the
 * next command, so that a report needs no allocation. */
struct machine_slot {
    struct machine_slot *next;
    uint64_t spa;
    struct psp_job *job;
};

/** Who is who at the mailbox: by handle, or context page. */
#define MACHINE_GUEST_BUCKETS 1024u

enum machine_asid_state {
    ASID_FREE,
    ASID_USED,
    ASID_RETURNED, /* needs a flush */
    ASID_FLUSHING, /* a flush is under way */
};

struct machine {
    pthread_mutex_t lock;
    pthread_mutex_t recycling; /* of ASIDs; taken before lock */
    struct psp_profile profile;
    uint64_t memory_size;
    struct psp_host_ops ops;
    bool seeded;
    struct psp_drbg drbg;
    int (*nv_load)(void *ctx, uint8_t *blob);
    int (*nv_store)(void *ctx, const uint8_t *blob);
    void *nv_ctx;
    struct machine_trace trace;

    struct dram *dram;
    struct psp *psp;
    struct page_map pages;
    struct machine_slot *slots;
    bool snp_initialized;
    uint8_t *asids; /* enum machine_asid_state, index 0 unused */
    /* No free one of its kind is below. */
    uint32_t first_asid[MACHINE_ASID_KINDS];
    uint32_t returned; /* in state ASID_RETURNED */

    struct fault_commands *faults; /* NULL: an honest host */
    atomic_bool dead;              /* a command was never answered */
    struct machine_guest *guests[MACHINE_GUEST_BUCKETS]; /* lists */
};

/** Legacy SEV-ES keeps save areas here; pages are handed out from above. */
#define MACHINE_TMR_SPA    0x200000ull
#define MACHINE_TMR_SIZE   0x200000u
#define MACHINE_FIRST_PAGE 0x400000ull

/** Callers hold the lock. */
uint64_t machine_locked_pages_alloc(struct machine *m, size_t count);
/** Random bytes; 0 or -1. The firmware's entropy callback too. */
int machine_locked_random(void *machine, void *buf, size_t size);
int machine_locked_to_firmware(struct machine *m, uint64_t spa);
/** A command page and job for one command; NULL when out of memory. */
struct machine_slot *machine_slot_take(struct machine *m);
void machine_slot_give(struct machine *m, struct machine_slot *slot);
void machine_slots_clear(struct machine *m);
/** Forget all names. */
void machine_guests_clear(struct machine *m);

#endif
