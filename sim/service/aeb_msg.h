/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Messages of the Attestation Evidence Broker. Spec: abi/aeb.md §2, §8.2.
 */
#ifndef SERVICE_AEB_MSG_H
#define SERVICE_AEB_MSG_H

#include "sev_report.h"
#include "ttrpc_msg.h"

#define AEB_METHOD_SIZE     "RetrieveAttestationEvidenceSize"
#define AEB_METHOD_EVIDENCE "RetrieveAttestationEvidence"
/** Every name that a generator gives the service. The first is what Rust
 * clients send, the second what the .proto says. */
extern const char *const AEB_SERVICES[];
extern const size_t AEB_SERVICE_COUNT;
#define AEB_VSOCK_PORT 5577u

/** Extension: what a peer understands. */
#define AEB_FEATURE_MNONCE 1u
#define AEB_FEATURE_PACKED 2u
#define AEB_FEATURE_BOUND  4u /* handle bound to peer; 0 means "mine" */
#define AEB_FEATURE_INBAND 8u

#define AEB_ENCODING_JSON   0u
#define AEB_ENCODING_PACKED 1u

/** Either RPC's request; the size RPC has neither nonce nor encoding. */
struct aeb_request {
    uint32_t handle;
    uint32_t size;
    bool have_mnonce;
    struct ttrpc_bytes mnonce; /* of any length; points into impl or borrowed */
    uint32_t encoding;
    uint32_t features; /* not 0: the extension's fields are welcome */
    void *impl;        /* aeb_request_clear() */
};

/** Either RPC's response. */
struct aeb_response {
    uint32_t error;
    uint32_t size;
    struct ttrpc_bytes evidence;
    struct ttrpc_bytes mnonce;
    uint32_t encoding;
    uint32_t features;
    struct ttrpc_bytes detail;
    void *impl; /* aeb_response_clear() */
};

enum aeb_rpc { AEB_RPC_SIZE, AEB_RPC_EVIDENCE };
const char *aeb_rpc_name(enum aeb_rpc rpc);

/** PSP_E_FORMAT: undecodable, or absurdly many unknown fields. */
PSP_MUST_CHECK enum psp_err aeb_request_decode(enum aeb_rpc rpc,
                                               struct ttrpc_bytes in,
                                               struct aeb_request *out);
/** What only our extension has is as if it had not been there. */
void aeb_request_strip(struct aeb_request *req);
void aeb_request_clear(struct aeb_request *req);
PSP_MUST_CHECK enum psp_err aeb_response_decode(enum aeb_rpc rpc,
                                                struct ttrpc_bytes in,
                                                struct aeb_response *out);
void aeb_response_clear(struct aeb_response *resp);

/** *@out: free(). PSP_E_NOMEM. */
PSP_MUST_CHECK enum psp_err aeb_request_encode(enum aeb_rpc rpc,
                                               const struct aeb_request *req,
                                               uint8_t **out, size_t *size);
PSP_MUST_CHECK enum psp_err aeb_response_encode(enum aeb_rpc rpc,
                                                const struct aeb_response *resp,
                                                uint8_t **out, size_t *size);

/* ---- error_code: class above, detail below. abi/aeb.md §6.3 ---- */

#define AEB_ERROR_HOST   0x00010000u /* + errno */
#define AEB_ERROR_KDS    0x00020000u /* + HTTP status, or one of these: */
#define AEB_ERROR_BROKER 0x00030000u

#define AEB_KDS_TRANSPORT (AEB_ERROR_KDS + 0u)
#define AEB_KDS_TIMEOUT   (AEB_ERROR_KDS + 1u)
#define AEB_KDS_BODY      (AEB_ERROR_KDS + 2u) /* no CEK certificate */
#define AEB_KDS_OTHER_KEY (AEB_ERROR_KDS + 3u) /* not the exported CEK's */

#define AEB_BROKER_GENERATION (AEB_ERROR_BROKER + 1u)
#define AEB_BROKER_HANDLE     (AEB_ERROR_BROKER + 2u) /* another peer's */
#define AEB_BROKER_NO_PEER    (AEB_ERROR_BROKER + 3u)
#define AEB_BROKER_MNONCE     (AEB_ERROR_BROKER + 4u) /* length */
#define AEB_BROKER_ENCODING   (AEB_ERROR_BROKER + 5u)
#define AEB_BROKER_RATE       (AEB_ERROR_BROKER + 6u)
#define AEB_BROKER_SELF_CHECK (AEB_ERROR_BROKER + 7u)
#define AEB_BROKER_LIED       (AEB_ERROR_BROKER + 8u) /* the driver did */

/** One clause for people; static storage. */
const char *aeb_error_text(uint32_t error);

#endif
