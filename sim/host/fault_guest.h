/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A fault plan at work on the guest requests of SNP guests
 * (FAULT_AT_GUEST_REQUEST). What each fault does stands in FAULTS.md.
 *
 * A request is counted when it first arrives. What the driver sends again
 * unchanged after BUSY or INVALID_LEN is the same request.
 */
#ifndef HOST_FAULT_GUEST_H
#define HOST_FAULT_GUEST_H

#include "fault_plan.h"
#include "vm.h"

struct fault_guest;

/** The plan's view of one guest, borrowed until fault_guest_free(). 0 or
 * -ENOMEM. Sets no hook: fault_guest_hook() with *@out as its context is one.
 */
int fault_guest_new(struct fault_plan *plan, struct vm *vm,
                    const struct fault_config *config,
                    struct fault_guest **out);
/** No VM exit of the guest may be under way. NULL is fine. */
void fault_guest_free(struct fault_guest *guest);

/** vm_request_hook that applies the plan; @guest is a struct fault_guest. Any
 * number of threads. */
bool fault_guest_hook(void *guest, struct vm *vm, struct vm_guest_request *req,
                      bool after);

#endif
