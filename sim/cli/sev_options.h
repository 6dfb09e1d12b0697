/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The part of the platform options that is about /dev/sev: the driver, what is
 * kept over a power cycle, legacy guests, and which nodes there are.
 */
#ifndef CLI_SEV_OPTIONS_H
#define CLI_SEV_OPTIONS_H

#include "ccp.h"
#include "legacy_vm.h"

#define LEGACY_GUEST_MAX 64u

/** Values of struct option.val from here to SEV_OPTION_END are these. */
#define SEV_OPTION_FIRST 1500
enum {
    OPT_NODES = SEV_OPTION_FIRST,
    OPT_SEV_KERNEL,
    OPT_SEV_ABI,
    OPT_SEV_START_UNINIT,
    OPT_SEV_AUTO_REPORT,
    OPT_SEV_INIT_EX,
    OPT_NV,
    OPT_LEGACY_GUEST,
    OPT_LEGACY_INFO,
    OPT_VM_HANDLE,
    SEV_OPTION_END,
};

/** Rows of PLATFORM_OPTIONS. */
#define SEV_OPTION_ROWS                                                        \
    {"nodes", required_argument, NULL, OPT_NODES},                             \
        {"sev-kernel", required_argument, NULL, OPT_SEV_KERNEL},               \
        {"sev-abi", required_argument, NULL, OPT_SEV_ABI},                     \
        {"sev-start-uninit", no_argument, NULL, OPT_SEV_START_UNINIT},         \
        {"sev-auto-report", no_argument, NULL, OPT_SEV_AUTO_REPORT},           \
        {"sev-init-ex", required_argument, NULL, OPT_SEV_INIT_EX},             \
        {"nv", required_argument, NULL, OPT_NV},                               \
        {"legacy-guest", required_argument, NULL, OPT_LEGACY_GUEST},           \
        {"legacy-info", required_argument, NULL, OPT_LEGACY_INFO},             \
        {"vm-handle", required_argument, NULL, OPT_VM_HANDLE},

struct sev_options {
    struct ccp_config driver;      /* hooks are the platform's matter */
    bool node_sev, node_sev_guest; /* both false: what the platform has */
    const char *nv_path;           /* NULL: the installation's */
    const char *legacy_guest[LEGACY_GUEST_MAX];
    size_t legacy_guest_count;
    const char *legacy_info_path;
    enum legacy_vm_handle_mode vm_handle; /* default KERNEL */
    bool vm_handle_set;
};

void sev_options_init(struct sev_options *o);
/** As options_take(). */
bool sev_options_take(struct sev_options *o, const char *command, int val,
                      const char *arg);
/** Settles which nodes there are, and checks; false after one line. */
bool sev_options_finish(struct sev_options *o, const char *command,
                        const struct psp_profile *profile);

#endif
