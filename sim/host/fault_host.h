/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A fault plan at work on a whole host: mailbox, hypercalls, and the requests
 * of its SNP guests.
 */
#ifndef HOST_FAULT_HOST_H
#define HOST_FAULT_HOST_H

#include "fault_guest.h"
#include "legacy_vm.h"

#include <stdatomic.h>

struct fault_host;

/** Nothing happens yet but to guests that follow. @plan and @m are borrowed
 * until fault_host_free(), @config is copied. 0 or -ENOMEM. */
int fault_host_new(struct fault_plan *plan, struct machine *m,
                   const struct fault_config *config, struct fault_host **out);
/** Takes the plan off the machine; all of its guests have been forgotten, and
 * nothing is under way. NULL is fine. */
void fault_host_free(struct fault_host *host);

/** From now on the mailbox follows the plan: what brought the platform up is
 * over. No command may be under way. */
void fault_host_start(struct fault_host *host);
/** The hypervisor of legacy guests follows the plan. */
void fault_host_legacy(struct fault_host *host, struct legacy_vm_host *legacy);

/** As fault_guest_hook(); what the plan knows of the guest is in *slot (NULL at
 * first), which is made when the plan first has faults for guests. @host may be
 * NULL. */
bool fault_host_hook(struct fault_host *host,
                     _Atomic(struct fault_guest *) *slot, struct vm *vm,
                     struct vm_guest_request *req, bool after);
/** The guest ends: it has no exit under way. */
void fault_host_forget(_Atomic(struct fault_guest *) *slot);

#endif
