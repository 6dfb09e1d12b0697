/* SPDX-License-Identifier: Apache-2.0 */
/**
 * SNP_GUEST_REQUEST and SNP_HV_REPORT_REQ: the commands whose answer may need a
 * signature, split in three so that the signature is made outside the lock.
 * Spec: abi/snp.md §6, §7, §8, §1.14.
 */
#ifndef SNP_REQUEST_H
#define SNP_REQUEST_H

#include "snp.h"

#include "snp_report.h"

/** Everything the long part needs; no pointer into the platform. */
struct snp_job {
    bool sign;                 /* sign report inside @payload */
    bool seal;                 /* encrypt @payload into a message */
    uint64_t gctx_paddr;
    uint64_t response_paddr;
    uint32_t vmpck_id;
    uint64_t seqno;            /* of the response */
    uint8_t vmpck[SNP_KEY_SIZE];
    struct psp_p384_key key;   /* signing key, when @sign */
    uint8_t header[0x60];      /* response header without tag */
    size_t payload_size;
    uint8_t payload[0xfa0];
    uint8_t message[0x1000];   /* result */
    size_t message_size;
    enum psp_err err;          /* of the long part */
};

/**
 * Checks 1 to 16 of abi/snp.md §6.4. Returns true when @job is prepared: the
 * message counter has moved, and snp_request_run() and snp_request_finish() must
 * follow. Returns false with *status set otherwise; nothing has changed then.
 */
bool snp_guest_request_begin(struct snp_platform *snp, const uint8_t *buf,
                             struct snp_job *job, enum sev_status *status);
bool snp_hv_report_begin(struct snp_platform *snp, const uint8_t *buf,
                         struct snp_job *job, enum sev_status *status);
/** Sign and seal. Touches only @job. */
void snp_request_run(struct snp_job *job);
/** Write the response page (it must still be Firmware, else
 * INVALID_PAGE_STATE) and wipe @job. */
enum sev_status snp_request_finish(struct snp_platform *snp,
                                   struct snp_job *job);

#endif
