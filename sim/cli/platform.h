/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A platform as the options describe it: installation, machine, one guest with
 * its driver.
 */
#ifndef CLI_PLATFORM_H
#define CLI_PLATFORM_H

#include "install.h"
#include "options.h"
#include "trace.h"

struct platform {
    struct install *install;
    struct psp_chip chip;
    struct machine *m;
    struct vm *vm;
    struct sev_guest_dev *sev_guest;
};

/** The installation alone, for commands that need no machine. False after one
 * line on stderr. */
bool platform_open_install(const struct platform_options *o,
                           const char *command, struct install **out);

/** TCB that reports carry: the option's, or the profile's. */
struct psp_tcb platform_reported_tcb(const struct platform_options *o);

/** Power on, initialise, configure, launch. @trace may be NULL. False after one
 * line on stderr; platform_close() in any case. */
bool platform_open(struct platform *p, const struct platform_options *o,
                   const char *command, struct trace *trace);
void platform_close(struct platform *p);

#endif
