/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What each page type of SNP_LAUNCH_UPDATE means for one 4 KiB unit, and the
 * launch digest. Spec: abi/snp.md §4.2 to §4.6.
 */
#ifndef SNP_LAUNCH_PAGE_H
#define SNP_LAUNCH_PAGE_H

#include "snp.h"

#include "snp_launch.h"

/** True if the type looks at what the hypervisor put into the page. */
bool snp_launch_page_is_read(enum snp_page_type type);

/**
 * Turn what the hypervisor gave into what the guest will find.
 *
 * @page      RMP_PAGE_SIZE bytes of plaintext, replaced in place.
 * @contents  CONTENTS of PAGE_INFO.
 *
 * Returns SUCCESS, or INVALID_PARAM for a CPUID page that claims too much. Then
 * *@corrected says whether @page now holds a corrected table; it is unchanged
 * otherwise.
 */
enum sev_status snp_launch_page_make(const struct snp_platform *snp,
                                     const struct snp_guest *guest,
                                     enum snp_page_type type,
                                     uint8_t page[RMP_PAGE_SIZE],
                                     uint8_t contents[SHA384_SIZE],
                                     bool *corrected);

/** LD and IMD of a guest while a command extends them. */
struct snp_digests {
    uint8_t ld[SHA384_SIZE];
    uint8_t imd[SHA384_SIZE];
};

/** Extend LD, and IMD for an IMI page. info->digest_cur is set here. */
void snp_launch_extend(struct snp_digests *digests, struct snp_page_info *info);

#endif
