/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A platform as the options describe it: installation, machine, host driver,
 * one SNP guest with its driver, legacy guests.
 */
#ifndef CLI_PLATFORM_H
#define CLI_PLATFORM_H

#include "fault_host.h"
#include "install.h"
#include "legacy_vm.h"
#include "nv_file.h"
#include "options.h"
#include "trace.h"
#include "vm.h"

#include <stdatomic.h>

struct platform {
    struct install *install;
    struct psp_chip chip;
    struct nv_file *nv; /* NULL: nothing survives */
    struct machine *m;
    struct ccp_dev *ccp;
    struct vm *vm;                   /* NULL without the node sev-guest */
    struct sev_guest_dev *sev_guest; /* likewise */
    atomic_bool paused;              /* extended guest requests: BUSY */
    struct fault_host *faults;       /* NULL: an honest host; ours */
    _Atomic(struct fault_guest *)
        vm_faults; /* what the plan knows of the guest */
    /** Who is told instead of the platform's own guest what the driver says to
     * all guests; as in struct ccp_config. NULL: nobody else. */
    void (*certs_changed)(void *ctx, const uint8_t *certs, size_t size);
    void (*requests_paused)(void *ctx, bool paused);
    void *hook_ctx;
    struct legacy_vm_host *legacy; /* NULL: no legacy guest */
    struct legacy_vm *legacy_guest[LEGACY_GUEST_MAX];
    size_t legacy_guest_count;
};

/** The installation alone, for commands that need no machine. False after one
 * line on stderr. */
bool platform_open_install(const struct platform_options *o,
                           const char *command, struct install **out);

/** TCB that reports carry: the option's, or the profile's. */
struct psp_tcb platform_reported_tcb(const struct platform_options *o);

/** The certificate table that the guest of @spec gets from its hypervisor: what
 * --certs says, else what the description says, else that of the platform.
 * @spec's table is replaced. False after one line on stderr. */
bool platform_guest_certs(struct install *ins, const struct psp_chip *chip,
                          const struct platform_options *o, const char *command,
                          struct vm_spec *spec);

/** Power on, initialise, configure, launch. @trace may be NULL. @p must stay
 * where it is. False after one line on stderr; platform_close() in any case. */
bool platform_open(struct platform *p, const struct platform_options *o,
                   const char *command, struct trace *trace);
void platform_close(struct platform *p);

/** A non-volatile store of the caller's, as in struct machine_config. */
struct platform_nv {
    int (*load)(void *ctx, uint8_t *blob);
    int (*store)(void *ctx, const uint8_t *blob);
    void *ctx;
};

/** As platform_open(), but on p->install, which the caller has opened (the rest
 * of @p is zero, or hooks), with the caller's store (NULL: nothing survives),
 * and without guests. */
bool platform_open_host(struct platform *p, const struct platform_options *o,
                        const char *command, struct trace *trace,
                        const struct platform_nv *nv);

#endif
