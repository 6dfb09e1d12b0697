/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Attestation report of legacy SEV. Spec: [55766 §6.8], abi/sev.md §8.
 */
#ifndef WIRE_SEV_REPORT_H
#define WIRE_SEV_REPORT_H

#include "sev_cert.h"

#define SEV_REPORT_SIZE        0xd0u
#define SEV_REPORT_SIGNED_SIZE 0x34u /* MNONCE, LAUNCH_DIGEST, POLICY */
#define SEV_MNONCE_SIZE        16u
#define SEV_DIGEST_SIZE        32u

struct sev_report {
    uint8_t mnonce[SEV_MNONCE_SIZE];
    uint8_t launch_digest[SEV_DIGEST_SIZE];
    uint32_t policy;
    uint32_t sig_usage; /* SEV_USAGE_PEK */
    uint32_t sig_algo;  /* SEV_ALGO_ECDSA_SHA256 */
    uint32_t reserved;
    uint8_t r[SEV_CERT_NUM_SIZE]; /* as in the report: little-endian */
    uint8_t s[SEV_CERT_NUM_SIZE];
};

/** Every bit pattern survives. PSP_E_FORMAT: @size is not SEV_REPORT_SIZE. */
PSP_MUST_CHECK enum psp_err sev_report_decode(const uint8_t *buf, size_t size,
                                              struct sev_report *report);
void sev_report_encode(const struct sev_report *report,
                       uint8_t out[SEV_REPORT_SIZE]);

#endif
