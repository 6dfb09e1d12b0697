/* SPDX-License-Identifier: Apache-2.0 */
/* Guest contexts, kept in a hash table by the address of the context page. */
#include "snp.h"

#define BUCKETS_MIN 64u

static struct snp_guest **bucket_of(const struct snp_platform *snp,
                                    uint64_t gctx_paddr)
{
    uint64_t hash = gctx_paddr / RMP_PAGE_SIZE * 0x9e3779b97f4a7c15u;

    return &snp->guests[(hash >> 32) & (snp->bucket_count - 1)];
}

struct snp_guest *snp_guest_find(const struct snp_platform *snp,
                                 uint64_t gctx_paddr)
{
    struct snp_guest *guest;

    if (snp->guest_count == 0) {
        return NULL;
    }
    guest = *bucket_of(snp, gctx_paddr);
    while (guest != NULL && guest->gctx_paddr != gctx_paddr) {
        guest = guest->next;
    }
    return guest;
}

static void link_guest(struct snp_platform *snp, struct snp_guest *guest)
{
    struct snp_guest **bucket = bucket_of(snp, guest->gctx_paddr);

    guest->next = *bucket;
    *bucket = guest;
}

/* Keeps as many buckets as guests. */
static bool make_room(struct snp_platform *snp)
{
    struct snp_guest **old = snp->guests;
    size_t old_count = snp->bucket_count;
    size_t count = old_count == 0 ? BUCKETS_MIN : old_count * 2;
    struct snp_guest **buckets;

    if (snp->guest_count < old_count) {
        return true;
    }
    buckets = core_alloc(count * sizeof(struct snp_guest *));
    if (buckets == NULL) {
        return false;
    }
    snp->guests = buckets;
    snp->bucket_count = count;
    for (size_t i = 0; i < old_count; i++) {
        struct snp_guest *next;

        for (struct snp_guest *g = old[i]; g != NULL; g = next) {
            next = g->next;
            link_guest(snp, g);
        }
    }
    core_free(old, old_count * sizeof(struct snp_guest *));
    return true;
}

struct snp_guest *snp_guest_add(struct snp_platform *snp, uint64_t gctx_paddr)
{
    struct snp_guest *guest = core_alloc(sizeof(*guest));

    if (guest == NULL || !make_room(snp)) {
        core_free(guest, sizeof(*guest));
        return NULL;
    }
    guest->gctx_paddr = gctx_paddr;
    link_guest(snp, guest);
    snp->guest_count++;
    return guest;
}

void snp_guest_remove(struct snp_platform *snp, struct snp_guest *guest)
{
    struct snp_guest **p = bucket_of(snp, guest->gctx_paddr);

    while (*p != guest) {
        p = &(*p)->next;
    }
    *p = guest->next;
    snp->guest_count--;
    if (guest->state != SNP_GUEST_INIT) {
        snp->started_guest_count--;
    }
    if (guest->asid != 0) {
        core_asid_unbind(snp->core, guest->asid);
    }
    core_free(guest, sizeof(*guest));
}

void snp_guest_remove_all(struct snp_platform *snp)
{
    for (size_t i = 0; i < snp->bucket_count; i++) {
        while (snp->guests[i] != NULL) {
            snp_guest_remove(snp, snp->guests[i]);
        }
    }
}

enum sev_status snp_find_gctx(struct snp_platform *snp, uint64_t gctx_paddr,
                              struct snp_guest **guest)
{
    if (!snp_page_ok(snp, gctx_paddr)) {
        return SEV_INVALID_ADDRESS;
    }
    if (rmp_get(snp->core->rmp, gctx_paddr).state != RMP_CONTEXT) {
        return SEV_INVALID_GUEST;
    }
    *guest = snp_guest_find(snp, gctx_paddr);
    return *guest == NULL ? SEV_INVALID_GUEST : SEV_SUCCESS;
}
