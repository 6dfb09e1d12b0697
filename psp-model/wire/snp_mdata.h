/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Metadata entry of a swapped page. Spec: [56860 §2.1], abi/snp.md §1.16.
 */
#ifndef WIRE_SNP_MDATA_H
#define WIRE_SNP_MDATA_H

#include <stdbool.h>
#include <stdint.h>

#define SNP_MDATA_SIZE 0x40u

/** GPA of entries for metadata pages: all ones in bits 63:12. */
#define SNP_MDATA_GPA_NONE 0xfffffffffffff000ull

struct snp_mdata {
    uint64_t software_data;
    uint64_t iv;
    uint8_t auth_tag[16];
    bool valid;
    bool page_validated;
    bool vmsa;
    bool metadata;
    bool size_2m;
    uint64_t gpa; /* bytes, page aligned */
    uint8_t vmpl[4];
};

void snp_mdata_encode(const struct snp_mdata *entry,
                      uint8_t out[SNP_MDATA_SIZE]);
/** Reserved bits are not looked at: entries are written by firmware only. */
void snp_mdata_decode(const uint8_t buf[SNP_MDATA_SIZE],
                      struct snp_mdata *entry);

#endif
