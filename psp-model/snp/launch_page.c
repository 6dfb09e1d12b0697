/* SPDX-License-Identifier: Apache-2.0 */
#include "launch_page.h"

#include "cpuid.h"
#include "wire.h"

#include <psp/cpuid.h>

#include <string.h>

#define TSC_FIELDS_SIZE 16u /* scale and offset, neighbours */

_Static_assert(SNP_VMSA_TSC_OFFSET_OFFSET == SNP_VMSA_TSC_SCALE_OFFSET + 8,
               "one run of bytes is left out of the digest");

bool snp_launch_page_is_read(enum snp_page_type type)
{
    return type != SNP_PAGE_ZERO && type != SNP_PAGE_SECRETS;
}

/* The TSC fields are filled in by firmware, so they are measured as zero. */
static void vmsa_measure(const uint8_t *page, uint8_t contents[SHA384_SIZE])
{
    static const uint8_t zeros[TSC_FIELDS_SIZE];
    const size_t behind = SNP_VMSA_TSC_SCALE_OFFSET + TSC_FIELDS_SIZE;
    const struct psp_part parts[] = {
        {page, SNP_VMSA_TSC_SCALE_OFFSET},
        {zeros, sizeof(zeros)},
        {page + behind, RMP_PAGE_SIZE - behind},
    };

    psp_sha384_parts(parts, 3, contents);
}

static void vmsa_fill(const struct snp_guest *guest, uint8_t *page)
{
    struct psp_rd r = psp_rd(page + SNP_VMSA_SEV_FEATURES_OFFSET, 8);
    struct psp_wr w = psp_wr(page + SNP_VMSA_TSC_SCALE_OFFSET, TSC_FIELDS_SIZE);

    if ((psp_rd_le64(&r) & SNP_SEV_FEATURE_SECURE_TSC) != 0) {
        psp_wr_le64(&w, snp_tsc_scale(guest));
        psp_wr_le64(&w, guest->psp_tsc_offset);
    }
}

static void secrets_fill(const struct snp_platform *snp,
                         const struct snp_guest *guest, uint8_t *page)
{
    const struct psp_profile *profile = &snp->core->profile;
    struct snp_secrets secrets = {
        .version = profile->secrets_version,
        .imi_en = guest->imi_en,
        .fms = psp_cpuid_fms(profile),
        .tsc_factor = SNP_TSC_FACTOR,
    };

    memcpy(secrets.gosvw, guest->gosvw, sizeof(secrets.gosvw));
    memcpy(secrets.vmpck, guest->vmpck, sizeof(secrets.vmpck));
    snp_secrets_encode(&secrets, page);
    psp_wipe(&secrets, sizeof(secrets));
}

static enum sev_status cpuid_check(const struct snp_platform *snp,
                                   uint8_t *page, bool *corrected)
{
    struct snp_cpuid_table table;

    if (snp_cpuid_table_decode(page, RMP_PAGE_SIZE, &table) != PSP_OK) {
        return SEV_INVALID_PARAM;
    }
    if (snp_cpuid_enforce(&snp->core->profile, table.fn, table.count)) {
        return SEV_SUCCESS;
    }
    snp_cpuid_table_encode(&table, page);
    *corrected = true;
    return SEV_INVALID_PARAM;
}

enum sev_status snp_launch_page_make(const struct snp_platform *snp,
                                     const struct snp_guest *guest,
                                     enum snp_page_type type,
                                     uint8_t page[RMP_PAGE_SIZE],
                                     uint8_t contents[SHA384_SIZE],
                                     bool *corrected)
{
    *corrected = false;
    memset(contents, 0, SHA384_SIZE);
    switch (type) {
    case SNP_PAGE_NORMAL:
        psp_sha384(page, RMP_PAGE_SIZE, contents);
        break;
    case SNP_PAGE_VMSA:
        vmsa_measure(page, contents);
        vmsa_fill(guest, page);
        break;
    case SNP_PAGE_ZERO:
        memset(page, 0, RMP_PAGE_SIZE);
        break;
    case SNP_PAGE_UNMEASURED:
        break;
    case SNP_PAGE_SECRETS:
        secrets_fill(snp, guest, page);
        break;
    case SNP_PAGE_CPUID:
        return cpuid_check(snp, page, corrected);
    }
    return SEV_SUCCESS;
}

static void extend(uint8_t digest[SHA384_SIZE], struct snp_page_info *info)
{
    uint8_t bytes[SNP_PAGE_INFO_SIZE];

    memcpy(info->digest_cur, digest, SHA384_SIZE);
    snp_page_info_encode(info, bytes);
    psp_sha384(bytes, sizeof(bytes), digest);
}

void snp_launch_extend(struct snp_digests *digests, struct snp_page_info *info)
{
    extend(digests->ld, info);
    if (info->imi_page) {
        extend(digests->imd, info);
    }
}
