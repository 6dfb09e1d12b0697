/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The reverse map: one entry per 4 KiB page of system memory, kept sparsely.
 * On hardware it lives in DRAM and is written by firmware, by RMPUPDATE (host)
 * and by PVALIDATE (guest); here it is owned by the psp, and the machine calls
 * the two instructions below. Spec: abi/snp.md §3.
 */
#ifndef PSP_RMP_H
#define PSP_RMP_H

#include <psp/err.h>

#include <stdbool.h>
#include <stdint.h>

#define RMP_PAGE_SIZE    0x1000u
#define RMP_PAGE_2M_SIZE 0x200000u

enum rmp_state {
    RMP_DEFAULT,       /* outside the RMP's coverage */
    RMP_HYPERVISOR,    /* every covered page that has no entry */
    RMP_HV_FIXED,
    RMP_RECLAIM,
    RMP_FIRMWARE,
    RMP_CONTEXT,
    RMP_METADATA,
    RMP_PRE_GUEST,
    RMP_PRE_SWAP,
    RMP_GUEST_INVALID,
    RMP_GUEST_VALID,
};

struct rmp_entry {
    enum rmp_state state;
    bool size_2m;        /* the page is part of a 2 MiB RMP page */
    bool vmsa;
    uint32_t asid;
    uint64_t gpa;        /* bytes, page aligned */
    uint64_t owner_gctx; /* Metadata: address of the owning context page */
    uint8_t vmpl[4];     /* permission bytes of VMPL0..3 */
};

struct rmp;

/** Covers [0, @end). Returns NULL when out of memory. */
struct rmp *rmp_create(uint64_t end);
void rmp_destroy(struct rmp *rmp);

/** Entry of the page that contains @spa, by value. */
struct rmp_entry rmp_get(const struct rmp *rmp, uint64_t spa);

/** Store an entry (firmware side, no checks). @spa is page aligned.
 * PSP_E_NOMEM, PSP_E_PARAM outside coverage. */
PSP_MUST_CHECK enum psp_err rmp_set(struct rmp *rmp, uint64_t spa,
                                    const struct rmp_entry *entry);

/** All covered pages become Hypervisor, except HV-fixed ones unless @all. */
void rmp_reset(struct rmp *rmp, bool all);

/** Covered pages that carry @asid (> 0). Constant time. */
uint64_t rmp_asid_page_count(const struct rmp *rmp, uint32_t asid);

/** What RMPUPDATE asks for. */
struct rmp_update {
    bool assigned;
    bool immutable;
    bool size_2m;
    uint32_t asid;
    uint64_t gpa;
};

enum rmp_result { RMP_OK, RMP_FAIL_INPUT, RMP_FAIL_PERMISSION, RMP_FAIL_MEMORY };

/** RMPUPDATE by the host: moves a page between the states that are not
 * immutable; a page with Immutable = 1 is refused (FAIL_PERMISSION).
 * Spec: abi/snp.md §3.2. */
PSP_MUST_CHECK enum rmp_result rmp_rmpupdate(struct rmp *rmp, uint64_t spa,
                                             const struct rmp_update *update);

/** PVALIDATE by the guest with @asid that maps @spa at @gpa. */
PSP_MUST_CHECK enum rmp_result rmp_pvalidate(struct rmp *rmp, uint64_t spa,
                                             uint32_t asid, uint64_t gpa,
                                             bool validate);

/** May the host (hypervisor, its user space) write this page? Hypervisor,
 * HV-fixed, Default and Reclaim... no assigned page may be written. */
bool rmp_host_may_write(const struct rmp *rmp, uint64_t spa);

/** Name of a state for traces and tests, for example "Pre-Guest". */
const char *rmp_state_name(enum rmp_state state);

#endif
