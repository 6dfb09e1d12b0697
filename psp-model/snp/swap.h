/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What SNP_PAGE_SWAP_OUT and SNP_PAGE_SWAP_IN share: their common checks, and
 * where metadata entries live. Spec: abi/snp.md §1.16.
 */
#ifndef SNP_SWAP_H
#define SNP_SWAP_H

#include "snp.h"

#include "snp_cmd.h"
#include "snp_mdata.h"

/** One swap command on its way. */
struct snp_swap {
    struct snp_platform *snp;
    struct snp_cmd_page_swap cmd;
    struct snp_guest *guest;
    size_t size;   /* bytes of the page */
    uint8_t *page; /* @size bytes */
    uint8_t *old;  /* @size bytes: what dst held, to be able to undo */
};

/** Decoded command, addresses, context and metadata page: everything before
 * the checks of the two commands differ. */
enum sev_status snp_swap_check(struct snp_swap *s, const uint8_t *buf, bool in);
/** Guest state, policy, ASID. */
enum sev_status snp_swap_check_guest(const struct snp_guest *guest);
/** True if the page may be handled in this size: VMSA and metadata pages are
 * 4 KiB only, and the RMP must agree (@spa is not a Default page). */
bool snp_swap_size_ok(const struct snp_swap *s, uint64_t spa);
/** True unless a 2 MiB page starts between two of them. */
bool snp_swap_aligned(const struct snp_swap *s, uint64_t spa);

/** GCM nonce of an IV counter. */
void snp_swap_iv(uint64_t iv, uint8_t out[GCM_IV_SIZE]);

/** Allocate s->page and s->old. RESOURCE_LIMIT. */
enum sev_status snp_swap_alloc(struct snp_swap *s);
void snp_swap_free(struct snp_swap *s);

PSP_MUST_CHECK enum psp_err snp_swap_entry_read(const struct snp_swap *s,
                                                struct snp_mdata *entry);
/** Write s->page to dst and @entry to its place; neither if one fails.
 * HWERROR_PLATFORM; HWERROR_UNSAFE when undoing failed too. */
enum sev_status snp_swap_write(const struct snp_swap *s,
                               const struct snp_mdata *entry);

#endif
