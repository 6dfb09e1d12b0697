/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A fault plan at work on mailbox commands (FAULT_AT_SEV_COMMAND): between the
 * drivers of the host, its hypervisor's among them, and the secure processor.
 * What each fault does stands in FAULTS.md.
 */
#ifndef HOST_FAULT_COMMAND_H
#define HOST_FAULT_COMMAND_H

#include "fault_plan.h"
#include "machine.h"

struct fault_commands;

/**
 * The plan's view of a machine's mailbox. machine_set_faults() puts it there.
 *
 * @plan, @m  Borrowed until fault_commands_free().
 * @config    Copied. "crash" is called with no lock held.
 *
 * 0 or -ENOMEM.
 */
int fault_commands_new(struct fault_plan *plan, struct machine *m,
                       const struct fault_config *config,
                       struct fault_commands **out);
/** No command may be under way. NULL is fine. */
void fault_commands_free(struct fault_commands *faults);

/** One command on its way. */
struct fault_transit {
    uint32_t command;
    uint8_t *buffer; /* as in machine_command() */
    size_t size;
    enum sev_status status; /* the answer */
    bool counted;           /* by fault_command_before() */
    bool pending;           /* @hit waits for the answer */
    struct fault_hit hit;
};

/** Before the firmware is asked; may change the buffer. True: it is not to be
 * asked, transit->status is the answer. Any thread; @faults may be NULL. */
bool fault_command_before(struct fault_commands *faults,
                          struct fault_transit *transit);
/** With the firmware's answer in status and buffer; may change both and the
 * memory that the firmware wrote. */
void fault_command_after(struct fault_commands *faults,
                         struct fault_transit *transit);

#endif
