/* SPDX-License-Identifier: Apache-2.0 */
/* Attestation reports as a relying party reads them. */
#include "fz.h"
#include "snp_report.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t again[SNP_REPORT_SIZE];
    struct snp_report report;
    size_t where = 0;

    if (snp_report_decode(data, size, &report, &where) != PSP_OK) {
        return 0;
    }
    fz_check(size == SNP_REPORT_SIZE);
    fz_check((unsigned int)snp_report_generation(&report) <=
             PSP_GENERATION_COUNT);
    snp_report_encode(&report, again);
    fz_check(memcmp(again, data, size) == 0);
    return 0;
}
