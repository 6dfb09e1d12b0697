/* SPDX-License-Identifier: Apache-2.0 */
#include "cpuid.h"
#include "message.h"

#include "wire.h"

/* The response's table begins with STATUS, where the request has COUNT. */
static void encode(const struct snp_cpuid_table *table, enum sev_status status,
                   uint8_t *rsp)
{
    struct psp_wr w = psp_wr(rsp, SNP_CPUID_HEADER_SIZE);

    psp_wr_le32(&w, status);
    psp_wr_le32(&w, table->count);
    psp_wr_zero(&w, 8);
    for (uint32_t i = 0; i < table->count; i++) {
        snp_cpuid_function_encode(&table->fn[i],
                                  rsp + SNP_CPUID_HEADER_SIZE +
                                      (size_t)i * SNP_CPUID_FUNCTION_SIZE);
    }
}

enum psp_err snp_msg_cpuid(struct snp_msg *msg)
{
    struct snp_cpuid_table table;
    bool clean;

    if (snp_cpuid_table_decode(msg->req, msg->req_size, &table) != PSP_OK) {
        snp_msg_refuse(msg, SEV_INVALID_PARAM);
        return PSP_OK;
    }
    clean = snp_cpuid_enforce(&msg->snp->core->profile, table.fn, table.count);
    encode(&table, clean ? SEV_SUCCESS : SEV_INVALID_PARAM, msg->rsp);
    return PSP_OK;
}
