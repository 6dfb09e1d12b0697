/* SPDX-License-Identifier: Apache-2.0 */
#include "snp_mdata.h"

#include "wire.h"

#define VALID          0x01u
#define PAGE_VALIDATED 0x02u
#define VMSA           0x04u
#define METADATA       0x08u
#define SIZE_2M        0x10u
#define GPA_MASK       0xfffffffffffff000ull

void snp_mdata_encode(const struct snp_mdata *e, uint8_t out[SNP_MDATA_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_MDATA_SIZE);

    psp_wr_le64(&w, e->software_data);
    psp_wr_le64(&w, e->iv);
    psp_wr_bytes(&w, e->auth_tag, sizeof(e->auth_tag));
    psp_wr_le64(&w, (e->valid ? VALID : 0) |
                        (e->page_validated ? PAGE_VALIDATED : 0) |
                        (e->vmsa ? VMSA : 0) | (e->metadata ? METADATA : 0) |
                        (e->size_2m ? SIZE_2M : 0) | (e->gpa & GPA_MASK));
    psp_wr_bytes(&w, e->vmpl, sizeof(e->vmpl));
    psp_wr_pad_to(&w, SNP_MDATA_SIZE);
}

void snp_mdata_decode(const uint8_t buf[SNP_MDATA_SIZE], struct snp_mdata *e)
{
    struct psp_rd r = psp_rd(buf, SNP_MDATA_SIZE);
    uint64_t word;

    e->software_data = psp_rd_le64(&r);
    e->iv = psp_rd_le64(&r);
    psp_rd_bytes(&r, e->auth_tag, sizeof(e->auth_tag));
    word = psp_rd_le64(&r);
    e->valid = (word & VALID) != 0;
    e->page_validated = (word & PAGE_VALIDATED) != 0;
    e->vmsa = (word & VMSA) != 0;
    e->metadata = (word & METADATA) != 0;
    e->size_2m = (word & SIZE_2M) != 0;
    e->gpa = word & GPA_MASK;
    psp_rd_bytes(&r, e->vmpl, sizeof(e->vmpl));
}
