/* SPDX-License-Identifier: Apache-2.0 */
#include "sev_options.h"

#include <stdio.h>
#include <string.h>

void sev_options_init(struct sev_options *o)
{
    *o = (struct sev_options){.vm_handle = LEGACY_VM_HANDLE_KERNEL};
    ccp_config_default(&o->driver);
}

static bool complain(const char *command, const char *option, const char *arg,
                     const char *want)
{
    fprintf(stderr, "swpsp %s: --%s %s: %s\n", command, option, arg, want);
    return false;
}

/* "sev", "sev-guest", or both with a comma. */
static bool take_nodes(struct sev_options *o, const char *command,
                       const char *arg)
{
    const char *at = arg;

    o->node_sev = o->node_sev_guest = false;
    for (;;) {
        size_t n = strcspn(at, ",");
        bool *node = n == 3 && strncmp(at, "sev", n) == 0 ? &o->node_sev
                     : n == 9 && strncmp(at, "sev-guest", n) == 0
                         ? &o->node_sev_guest
                         : NULL;

        if (node == NULL || *node) {
            return complain(command, "nodes", arg,
                            "need sev, sev-guest or sev,sev-guest");
        }
        *node = true;
        if (at[n] == '\0') {
            return true;
        }
        at += n + 1;
    }
}

static bool take_era(struct sev_options *o, const char *command,
                     const char *arg)
{
    int era = ccp_era_by_name(arg);

    if (era < 0) {
        return complain(command, "sev-kernel", arg,
                        "no such era; 6.1, 6.10, 6.16, 6.12s");
    }
    o->driver.era = (enum ccp_era)era;
    return true;
}

static bool take_abi(struct sev_options *o, const char *command,
                     const char *arg)
{
    int abi = ccp_abi_by_name(arg);

    if (abi < 0) {
        return complain(command, "sev-abi", arg,
                        "no such ABI; mainline, aeb2022, amdese-rfc, "
                        "amdese-6.6, rfc2021a");
    }
    o->driver.abi = (enum ccp_abi)abi;
    return true;
}

static bool take_vm_handle(struct sev_options *o, const char *command,
                           const char *arg)
{
    int mode = legacy_vm_handle_mode_by_name(arg);

    if (mode < 0) {
        return complain(command, "vm-handle", arg,
                        "need off, kernel, own, other, enotty or enosys");
    }
    o->vm_handle = (enum legacy_vm_handle_mode)mode;
    o->vm_handle_set = true;
    return true;
}

static bool take_guest(struct sev_options *o, const char *command,
                       const char *arg)
{
    if (o->legacy_guest_count == LEGACY_GUEST_MAX) {
        return complain(command, "legacy-guest", arg, "too many guests");
    }
    o->legacy_guest[o->legacy_guest_count++] = arg;
    return true;
}

bool sev_options_take(struct sev_options *o, const char *command, int val,
                      const char *arg)
{
    switch (val) {
    case OPT_NODES:
        return take_nodes(o, command, arg);
    case OPT_SEV_KERNEL:
        return take_era(o, command, arg);
    case OPT_SEV_ABI:
        return take_abi(o, command, arg);
    case OPT_SEV_START_UNINIT:
        o->driver.start_uninit = true;
        return true;
    case OPT_SEV_AUTO_REPORT:
        o->driver.auto_report = true;
        return true;
    case OPT_SEV_INIT_EX:
        o->driver.init_ex_path = arg;
        return true;
    case OPT_NV:
        o->nv_path = arg;
        return true;
    case OPT_LEGACY_GUEST:
        return take_guest(o, command, arg);
    case OPT_LEGACY_INFO:
        o->legacy_info_path = arg;
        return true;
    case OPT_VM_HANDLE:
        return take_vm_handle(o, command, arg);
    default:
        return false;
    }
}

/* NULL, or what does not fit together. */
static const char *conflict(const struct sev_options *o,
                            const struct psp_profile *profile)
{
    if (o->node_sev_guest && !profile->has_snp) {
        return "this profile has no SNP, and so no node sev-guest";
    }
    if (o->driver.start_uninit && o->node_sev_guest) {
        return "--sev-start-uninit leaves no guest for the node sev-guest";
    }
    if (o->driver.start_uninit && o->legacy_guest_count > 0) {
        return "--sev-start-uninit cannot be combined with --legacy-guest";
    }
    if (o->legacy_info_path != NULL && o->legacy_guest_count == 0) {
        return "--legacy-info needs --legacy-guest";
    }
    if (o->driver.init_ex_path != NULL && o->nv_path != NULL) {
        return "--sev-init-ex and --nv are two places for one store";
    }
    return NULL;
}

bool sev_options_finish(struct sev_options *o, const char *command,
                        const struct psp_profile *profile)
{
    const char *why;

    if (!o->node_sev && !o->node_sev_guest) {
        o->node_sev = true;
        o->node_sev_guest = profile->has_snp && !o->driver.start_uninit;
    }
    why = conflict(o, profile);
    if (why != NULL) {
        fprintf(stderr, "swpsp %s: %s\n", command, why);
    }
    return why == NULL;
}
