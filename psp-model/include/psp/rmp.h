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
#include <stddef.h>
#include <stdint.h>

#define RMP_PAGE_SIZE    0x1000u
#define RMP_PAGE_2M_SIZE 0x200000u

enum rmp_state {
    RMP_DEFAULT,    /* outside the RMP's coverage */
    RMP_HYPERVISOR, /* every covered page that has no entry */
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

/** Highest ASID an entry of a real part holds (10 bits). */
#define RMP_ASID_MAX 0x3ffu
/** Highest that a model's can hold: what MAX_SNP_ASID of SNP_INIT_EX can name.
 * No part has as many; RMPREAD's format has room for 32 bits. */
#define RMP_ASID_LIMIT 0xffffu

/** Permission bytes: bit 0 read, 1 write, 2 user execute, 3 supervisor
 * execute, 4 supervisor shadow stack. */
#define RMP_PERM_ALL 0x0fu

struct rmp_entry {
    enum rmp_state state;
    bool size_2m; /* the page is part of a 2 MiB RMP page */
    bool vmsa;
    uint32_t asid;
    uint64_t gpa;        /* bytes, page aligned; of this 4 KiB page */
    uint64_t owner_gctx; /* Metadata: address of the owning context page */
    uint8_t vmpl[4];     /* permission bytes of VMPL0..3 */
};

struct rmp;

/** Covers [0, @end); ASIDs 0 .. @asid_max, at most RMP_ASID_LIMIT. Returns NULL
 * when out of memory. */
struct rmp *rmp_create(uint64_t end, uint32_t asid_max);
void rmp_destroy(struct rmp *rmp);

/** Entry of the page that contains @spa, by value. */
struct rmp_entry rmp_get(const struct rmp *rmp, uint64_t spa);

/** Store an entry (firmware side, no checks). @spa is page aligned.
 * PSP_E_NOMEM, PSP_E_PARAM outside coverage or ASID out of range. */
PSP_MUST_CHECK enum psp_err rmp_set(struct rmp *rmp, uint64_t spa,
                                    const struct rmp_entry *entry);

/** rmp_set() on a page that has an entry of its own (any state but Hypervisor,
 * Default, and HV-fixed by rmp_rebuild()): cannot fail. */
void rmp_replace(struct rmp *rmp, uint64_t spa, const struct rmp_entry *entry);

/** All covered pages become Hypervisor, except HV-fixed ones unless @all. */
void rmp_reset(struct rmp *rmp, bool all);

/** Page-aligned range of physical memory, @size in bytes. */
struct rmp_range {
    uint64_t base;
    uint64_t size;
};

/** All covered pages become Hypervisor, except those in @ranges, which become
 * HV-fixed; ranges may overlap, be empty or pass the end of coverage. Costs
 * nothing per page. PSP_E_NOMEM: nothing has changed. */
PSP_MUST_CHECK enum psp_err
rmp_rebuild(struct rmp *rmp, const struct rmp_range *ranges, size_t count);

/** True if the entry's Immutable bit is set: RMPUPDATE may not touch it. */
bool rmp_immutable(enum rmp_state state);

/** Covered pages that carry @asid (> 0; 0 for one out of range). Constant
 * time. */
uint64_t rmp_asid_page_count(const struct rmp *rmp, uint32_t asid);

/** What RMPUPDATE asks for. */
struct rmp_update {
    bool assigned;
    bool immutable;
    bool size_2m;
    uint32_t asid;
    uint64_t gpa;
};

enum rmp_result {
    RMP_OK,
    RMP_FAIL_INPUT,
    RMP_FAIL_PERMISSION,
    RMP_FAIL_MEMORY,  /* the model is out of memory; nothing has changed */
    RMP_FAIL_OVERLAP, /* 4 KiB operation on a part of a 2 MiB page, or back */
};

/**
 * RMPUPDATE by the host: moves a page between the states that are not
 * immutable. A 2 MiB update covers 512 pages with consecutive GPAs.
 *
 * FAIL_INPUT: not aligned, not covered, ASID or GPA impossible, unassigned page
 * with attributes. FAIL_PERMISSION: a page has Immutable = 1. FAIL_OVERLAP: see
 * above. A page that stays with its guest (same ASID and GPA) keeps its VMSA
 * bit and permissions; Guest-Valid becomes Pre-Swap when made immutable, and
 * Guest-Invalid otherwise. Spec: abi/snp.md §3.2.
 */
PSP_MUST_CHECK enum rmp_result rmp_rmpupdate(struct rmp *rmp, uint64_t spa,
                                             const struct rmp_update *update);

/** PSMASH by the host: a 2 MiB guest page (not immutable) becomes 512 pages of
 * 4 KiB. FAIL_INPUT: not 2 MiB aligned or no 2 MiB page. FAIL_PERMISSION. */
PSP_MUST_CHECK enum rmp_result rmp_psmash(struct rmp *rmp, uint64_t spa);

/** PVALIDATE by the guest with @asid that maps @spa at @gpa. A 2 MiB page is
 * validated as a whole, by its first 4 KiB page (else FAIL_OVERLAP).
 * FAIL_PERMISSION: not a page of this guest at this GPA. */
PSP_MUST_CHECK enum rmp_result rmp_pvalidate(struct rmp *rmp, uint64_t spa,
                                             uint32_t asid, uint64_t gpa,
                                             bool validate);

/** May the host (hypervisor, its user space) write this page? True for
 * Hypervisor, HV-fixed and Default: no assigned page may be written, Reclaim
 * included. */
bool rmp_host_may_write(const struct rmp *rmp, uint64_t spa);

/** Name of a state for traces and tests, for example "Pre-Guest". */
const char *rmp_state_name(enum rmp_state state);

#endif
