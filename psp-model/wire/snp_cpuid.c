/* SPDX-License-Identifier: Apache-2.0 */
#include "snp_cpuid.h"

#include "wire.h"

_Static_assert(SNP_CPUID_TABLE_SIZE == 0xc10, "full table");

void snp_cpuid_function_encode(const struct snp_cpuid_function *fn,
                               uint8_t out[SNP_CPUID_FUNCTION_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_CPUID_FUNCTION_SIZE);

    psp_wr_le32(&w, fn->eax_in);
    psp_wr_le32(&w, fn->ecx_in);
    psp_wr_le64(&w, fn->xcr0_in);
    psp_wr_le64(&w, fn->xss_in);
    psp_wr_le32(&w, fn->eax);
    psp_wr_le32(&w, fn->ebx);
    psp_wr_le32(&w, fn->ecx);
    psp_wr_le32(&w, fn->edx);
    psp_wr_zero(&w, 8);
}

static void rd_function(struct psp_rd *r, struct snp_cpuid_function *fn)
{
    fn->eax_in = psp_rd_le32(r);
    fn->ecx_in = psp_rd_le32(r);
    fn->xcr0_in = psp_rd_le64(r);
    fn->xss_in = psp_rd_le64(r);
    fn->eax = psp_rd_le32(r);
    fn->ebx = psp_rd_le32(r);
    fn->ecx = psp_rd_le32(r);
    fn->edx = psp_rd_le32(r);
    psp_rd_mbz(r, 8);
}

enum psp_err snp_cpuid_table_decode(const uint8_t *buf, size_t size,
                                    struct snp_cpuid_table *table)
{
    struct psp_rd r = psp_rd(buf, size);
    uint32_t count = psp_rd_le32(&r);

    memset(table, 0, sizeof(*table));
    psp_rd_mbz(&r, SNP_CPUID_HEADER_SIZE - 4);
    if (r.bad || count > SNP_CPUID_COUNT_MAX) {
        return PSP_E_FORMAT;
    }
    for (uint32_t i = 0; i < count; i++) {
        rd_function(&r, &table->fn[i]);
    }
    if (r.bad) {
        return PSP_E_FORMAT;
    }
    table->count = count;
    return PSP_OK;
}

size_t snp_cpuid_table_encode(const struct snp_cpuid_table *table, uint8_t *out)
{
    struct psp_wr w = psp_wr(out, SNP_CPUID_TABLE_SIZE);

    psp_wr_le32(&w, table->count);
    psp_wr_pad_to(&w, SNP_CPUID_HEADER_SIZE);
    for (uint32_t i = 0; i < table->count; i++) {
        snp_cpuid_function_encode(&table->fn[i], out + w.pos);
        w.pos += SNP_CPUID_FUNCTION_SIZE;
    }
    return w.pos;
}
