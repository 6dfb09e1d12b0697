/* SPDX-License-Identifier: Apache-2.0 */
/* KVM_HC_VM_HANDLE of the 2022 patch. abi/linux.md §3 */
#include "fault_hypercall.h"
#include "legacy_vm_impl.h"

#include <string.h>

#define KVM_EPERM  1
#define KVM_ENOSYS 1000
#define NOT_SEV    25 /* ENOTTY */

static const char *const MODES[] = {
    [LEGACY_VM_HANDLE_OFF] = "off",       [LEGACY_VM_HANDLE_OWN] = "own",
    [LEGACY_VM_HANDLE_OTHER] = "other",   [LEGACY_VM_HANDLE_ENOTTY] = "enotty",
    [LEGACY_VM_HANDLE_ENOSYS] = "enosys", [LEGACY_VM_HANDLE_KERNEL] = "kernel",
};

#define MODE_COUNT (sizeof(MODES) / sizeof(MODES[0]))

const char *legacy_vm_handle_mode_name(enum legacy_vm_handle_mode mode)
{
    return (size_t)mode < MODE_COUNT ? MODES[mode] : "unknown";
}

int legacy_vm_handle_mode_by_name(const char *name)
{
    for (size_t i = 0; i < MODE_COUNT; i++) {
        if (strcmp(MODES[i], name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* Another live guest's handle; with no other guest, one that names nobody. */
static int64_t other_handle(const struct legacy_vm_host *host,
                            const struct legacy_vm *g)
{
    const struct legacy_vm *other = host->guests;

    while (other != NULL && other == g) {
        other = other->next;
    }
    if (other != NULL) {
        return other->handle;
    }
    return g == NULL ? 1 : (int64_t)g->handle + 1;
}

static int64_t vm_handle(const struct legacy_vm_host *host,
                         const struct legacy_vm *g)
{
    switch (host->mode) {
    case LEGACY_VM_HANDLE_OWN:
    case LEGACY_VM_HANDLE_KERNEL:
        return g == NULL ? -NOT_SEV : (int64_t)g->handle;
    case LEGACY_VM_HANDLE_OTHER:
        return other_handle(host, g);
    case LEGACY_VM_HANDLE_ENOTTY:
        return -NOT_SEV;
    case LEGACY_VM_HANDLE_OFF:
    case LEGACY_VM_HANDLE_ENOSYS:
        break;
    }
    return -KVM_ENOSYS;
}

static int64_t answer(const struct legacy_vm_host *host,
                      const struct legacy_vm *g, uint64_t number,
                      unsigned int cpl)
{
    const bool patched = host->mode != LEGACY_VM_HANDLE_OFF;
    const bool handle = number == LEGACY_VM_HC_VM_HANDLE && patched;
    const bool open = handle && host->mode != LEGACY_VM_HANDLE_KERNEL;

    if (cpl != 0 && !open) {
        return -KVM_EPERM;
    }
    return handle ? vm_handle(host, g) : -KVM_ENOSYS;
}

uint64_t legacy_vm_vmmcall(struct legacy_vm_host *host,
                           const struct legacy_vm *g,
                           const struct legacy_vm_hypercall *call)
{
    uint64_t number = call->long_mode ? call->rax : (uint32_t)call->rax;
    int64_t result;

    (void)pthread_mutex_lock(&host->lock);
    result = answer(host, g, number, call->cpl);
    (void)pthread_mutex_unlock(&host->lock);
    if (g != NULL && number == LEGACY_VM_HC_VM_HANDLE) {
        result = fault_hypercall(host->faults, g->name, result);
    }
    return call->long_mode ? (uint64_t)result : (uint32_t)result;
}
