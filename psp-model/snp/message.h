/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Guest messages inside the firmware: which exist, and who answers them.
 * Spec: abi/snp.md §6.5 to §6.9.
 */
#ifndef SNP_MESSAGE_H
#define SNP_MESSAGE_H

#include "snp.h"

#include "snp_msg.h"

/** What a message does to guests beyond its answer. Takes place only after the
 * response was written, so that a failing host changes nothing. */
enum snp_effect {
    SNP_EFFECT_NONE,
    SNP_EFFECT_REPLACE,      /* @target becomes @next */
    SNP_EFFECT_DECOMMISSION, /* @target ends */
};

/** One authenticated request on its way through its handler. */
struct snp_msg {
    struct snp_platform *snp;
    struct snp_guest *guest; /* the sender; RUNNING */
    uint32_t vmpck_id;       /* key the request came with */
    uint64_t seqno;          /* of the request */
    uint8_t version;
    const uint8_t *req; /* plaintext; at least the size of the layout */
    size_t req_size;
    uint8_t *rsp; /* @rsp_size bytes, zero on entry: STATUS SUCCESS */
    size_t rsp_size;
    /* Outputs */
    const struct psp_p384_key *sign; /* signs the report in @rsp, or NULL */
    enum snp_effect effect;
    struct snp_guest *target;
    struct snp_guest next; /* set, and then wiped, only for REPLACE */
};

/**
 * Answers @msg: writes the response, whose first word is the payload STATUS.
 * Changes nothing but @msg. Anything but PSP_OK means that the model failed;
 * the message is then not answered.
 */
typedef enum psp_err snp_msg_handler(struct snp_msg *msg);
snp_msg_handler snp_msg_report, snp_msg_key, snp_msg_cpuid, snp_msg_tsc_info,
    snp_msg_export, snp_msg_import, snp_msg_absorb, snp_msg_absorb_noma,
    snp_msg_vmrk;

#define SNP_MSG_VERSION_COUNT 2u

struct snp_msg_kind {
    uint8_t type;
    /** Smallest payload of message version 1, 2; 0: no such version. */
    uint16_t req_size[SNP_MSG_VERSION_COUNT];
    uint16_t rsp_size; /* 0: as large as the request */
    snp_msg_handler *handler;
};

/** Row of a request, or NULL: type unknown (SEV-TIO included), version not
 * supported, or payload too small. */
const struct snp_msg_kind *snp_msg_kind(const struct snp_msg_header *header);

/**
 * The response was written: move the sender's message counter and let the
 * effect take place. SEV_SUCCESS; or, with nothing changed, what
 * SNP_DECOMMISSION answered.
 */
enum sev_status snp_msg_commit(struct snp_msg *msg);

/** The answer is @status and nothing else. Nothing was written before. */
void snp_msg_refuse(struct snp_msg *msg, enum sev_status status);

/** True if the request may ask for @vmpl: not more privileged than the key it
 * came with, and existing. abi/snp.md §7.3 item 3 */
bool snp_msg_vmpl_ok(const struct snp_msg *msg, uint32_t vmpl);

#endif
