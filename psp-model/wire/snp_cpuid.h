/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The CPUID table of an SNP guest: the CPUID launch page and the tables inside
 * MSG_CPUID. Spec: [56860 §8.17.2.6], abi/snp.md §4.6, §6.7.
 */
#ifndef WIRE_SNP_CPUID_H
#define WIRE_SNP_CPUID_H

#include <psp/err.h>

#include <stddef.h>
#include <stdint.h>

#define SNP_CPUID_FUNCTION_SIZE 0x30u
#define SNP_CPUID_HEADER_SIZE   0x10u
#define SNP_CPUID_COUNT_MAX     64u
#define SNP_CPUID_TABLE_SIZE                                                   \
    (SNP_CPUID_HEADER_SIZE + SNP_CPUID_COUNT_MAX * SNP_CPUID_FUNCTION_SIZE)

/** One CPUID leaf: what is asked, and what the guest is told. */
struct snp_cpuid_function {
    uint32_t eax_in;
    uint32_t ecx_in;
    uint64_t xcr0_in;
    uint64_t xss_in;
    uint32_t eax;
    uint32_t ebx;
    uint32_t ecx;
    uint32_t edx;
};

struct snp_cpuid_table {
    uint32_t count;
    struct snp_cpuid_function fn[SNP_CPUID_COUNT_MAX];
};

void snp_cpuid_function_encode(const struct snp_cpuid_function *fn,
                               uint8_t out[SNP_CPUID_FUNCTION_SIZE]);

/**
 * Decode COUNT, eight and four zero bytes and COUNT functions from the first
 * bytes of @buf. What follows them is not looked at.
 *
 * PSP_E_FORMAT: reserved bytes set (of the header or of a listed function),
 * COUNT above 64, or the functions do not fit in @size. @table->count is 0
 * then.
 */
PSP_MUST_CHECK enum psp_err
snp_cpuid_table_decode(const uint8_t *buf, size_t size,
                       struct snp_cpuid_table *table);

/** Encode header and @table->count functions at the start of @out, which holds
 * SNP_CPUID_TABLE_SIZE bytes or more; the rest of it is left alone.
 * Returns the bytes written. */
size_t snp_cpuid_table_encode(const struct snp_cpuid_table *table,
                              uint8_t *out);

#endif
