/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A fault plan at work in the evidence broker (FAULT_AT_BROKER). What each
 * fault does stands in host/FAULTS.md. A broker without a plan has NULL, which
 * every function takes. Thread-safe.
 */
#ifndef SERVICE_AEB_FAULT_H
#define SERVICE_AEB_FAULT_H

#include "aeb_evidence.h"
#include "aeb_msg.h"
#include "fault_plan.h"
#include "ttrpc_server.h"

struct aeb_faults;

/** @plan is borrowed. @applied: one line for each fault applied; any thread;
 * may be NULL. 0 or -ENOMEM. */
int aeb_faults_new(struct fault_plan *plan,
                   void (*applied)(void *ctx, const char *line), void *ctx,
                   struct aeb_faults **out);
void aeb_faults_free(struct aeb_faults *f); /* NULL is fine */

/** What is to be done to one request. */
struct aeb_harm {
    bool due;
    struct fault_hit hit;
};

bool aeb_harm_is(const struct aeb_harm *harm, enum fault_kind kind);

/** A request has been understood. */
void aeb_fault_event(struct aeb_faults *f, enum aeb_rpc rpc, uint32_t handle,
                     struct aeb_harm *harm);
/** STRIP: fields of the extension go. */
void aeb_fault_request(const struct aeb_harm *harm, struct aeb_request *req);
/** SUBSTITUTE: the handle that the device is asked for instead of @handle. */
uint32_t aeb_fault_handle(const struct aeb_harm *harm, uint32_t handle);
/** ZERO_REPORT, and FLIP of one of its parts. */
void aeb_fault_evidence(struct aeb_faults *f, const struct aeb_harm *harm,
                        struct aeb_evidence *ev);
/** FLIP and TRUNCATE of the evidence as it is sent. */
void aeb_fault_bytes(struct aeb_faults *f, const struct aeb_harm *harm,
                     uint8_t *data, size_t *size);
/** REPLAY: @reply's payload, evidence for @handle, becomes an earlier one. All
 * are remembered. */
void aeb_fault_replay(struct aeb_faults *f, const struct aeb_harm *harm,
                      uint32_t handle, struct ttrpc_reply *reply);
/** STATUS, DROP, DELAY and REORDER of an answer. */
void aeb_fault_delivery(const struct aeb_harm *harm, struct ttrpc_reply *reply);

#endif
