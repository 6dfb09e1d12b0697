/* SPDX-License-Identifier: Apache-2.0 */
/**
 * SNP_GUEST_REQUEST and SNP_HV_REPORT_REQ: the commands whose answer may need a
 * signature, split in three so that the signature is made outside the lock.
 * Spec: [56860 §8.26], abi/snp.md §6, §7, §8, §1.14.
 */
#ifndef SNP_REQUEST_H
#define SNP_REQUEST_H

#include "snp.h"

#include "snp_msg.h"

/** A prepared answer and everything its signature needs; no pointer into the
 * platform. Needs no initialisation. Private to request.c. */
struct snp_job {
    bool seal; /* a guest message; else a plaintext response */
    uint64_t gctx_paddr;
    uint64_t response_paddr;
    uint32_t vmpck_id;
    uint64_t seqno; /* of the response */
    uint8_t vmpck[SNP_KEY_SIZE];
    struct psp_p384_key key; /* signs the report inside @message */
    enum psp_err err;        /* of the long part */
    size_t message_size;     /* bytes of @message that mean something */
    uint8_t message[SNP_MSG_PAGE_SIZE]; /* the response, sealed in place */
    uint8_t request[SNP_MSG_PAGE_SIZE]; /* the request, opened in place */
};

/**
 * SNP_GUEST_REQUEST: checks of abi/snp.md §6.4, then the message's handler.
 *
 * @buf     Command buffer: GCTX_PADDR, REQUEST_PADDR, RESPONSE_PADDR. The two
 *          messages need no alignment but must not leave their pages.
 * @job     Overwritten. Holds secrets only while the result is true.
 * @status  Set when the result is false.
 *
 * Returns true when a report must be signed: the message counter has moved, and
 * snp_request_run() and snp_request_finish() must follow. Otherwise the command
 * is complete: SEV_SUCCESS means that a response was written (its payload may
 * carry a STATUS of its own) and the counter has moved; with every other status
 * nothing has changed.
 *
 * Statuses, in order: INVALID_PARAM (GCTX_PADDR bits), INVALID_PLATFORM_STATE,
 * INVALID_ADDRESS, INVALID_GUEST, INVALID_PAGE_STATE, INVALID_PAGE_SIZE,
 * INVALID_GUEST_STATE, INVALID_PARAM (header), BAD_MEASUREMENT (tag),
 * AEAD_OFLOW (sequence number), INVALID_PARAM (type, version, size, response
 * does not fit); HWERROR_PLATFORM when the host failed.
 */
bool snp_guest_request_begin(struct snp_platform *snp, const uint8_t *buf,
                             struct snp_job *job, enum sev_status *status);

/**
 * SNP_HV_REPORT_REQ: a plaintext MSG_REPORT_RSP for the hypervisor, VMPL
 * FFFFFFFFh, REPORT_DATA zero. No message counter moves. Result as above.
 * INVALID_COMMAND in profiles without it. An HV_REPORT_PADDR from which the
 * response would leave its page is INVALID_PARAM. [model]
 */
bool snp_hv_report_begin(struct snp_platform *snp, const uint8_t *buf,
                         struct snp_job *job, enum sev_status *status);

/** Sign and seal. Touches only @job. */
void snp_request_run(struct snp_job *job);

/**
 * Write the response and wipe @job. SEV_SUCCESS; INVALID_PLATFORM_STATE or
 * INVALID_PAGE_STATE when the platform was shut down, or the page is no longer
 * a Firmware page; HWERROR_PLATFORM when signing or writing failed. Without
 * success the message counter goes back, unless another message has moved it.
 */
enum sev_status snp_request_finish(struct snp_platform *snp,
                                   struct snp_job *job);

#endif
