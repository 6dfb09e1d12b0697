/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A fault plan at work on KVM_HC_VM_HANDLE of legacy guests
 * (FAULT_AT_HYPERCALL). What each fault does stands in FAULTS.md.
 */
#ifndef HOST_FAULT_HYPERCALL_H
#define HOST_FAULT_HYPERCALL_H

#include "fault_plan.h"
#include "machine.h"

struct fault_hypercalls;

/** The plan's view of a machine's hypervisor. @plan and @m are borrowed until
 * fault_hypercalls_free(), @config is copied. 0 or -ENOMEM. */
int fault_hypercalls_new(struct fault_plan *plan, struct machine *m,
                         const struct fault_config *config,
                         struct fault_hypercalls **out);
/** NULL is fine. */
void fault_hypercalls_free(struct fault_hypercalls *faults);

/**
 * The guest called @guest asks for its handle; the hypervisor would answer
 * @result. Returns what it answers now. Any thread; @faults may be NULL.
 */
int64_t fault_hypercall(struct fault_hypercalls *faults, const char *guest,
                        int64_t result);

#endif
