/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_host.h"

#include "fault_command.h"
#include "fault_hypercall.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct fault_host {
    struct fault_plan *plan;
    struct machine *m;
    struct fault_config config;
    struct fault_commands *commands;
    struct fault_hypercalls *hypercalls;
    pthread_mutex_t lock; /* guards the slots while they are filled */
};

int fault_host_new(struct fault_plan *plan, struct machine *m,
                   const struct fault_config *config, struct fault_host **out)
{
    struct fault_host *h = calloc(1, sizeof(*h));

    *out = NULL;
    if (h == NULL) {
        return -ENOMEM;
    }
    h->plan = plan;
    h->m = m;
    h->config = *config;
    pthread_mutex_init(&h->lock, NULL);
    if (fault_commands_new(plan, m, config, &h->commands) != 0 ||
        fault_hypercalls_new(plan, m, config, &h->hypercalls) != 0) {
        fault_host_free(h);
        return -ENOMEM;
    }
    *out = h;
    return 0;
}

void fault_host_free(struct fault_host *host)
{
    if (host == NULL) {
        return;
    }
    machine_set_faults(host->m, NULL);
    fault_commands_free(host->commands);
    fault_hypercalls_free(host->hypercalls);
    pthread_mutex_destroy(&host->lock);
    free(host);
}

void fault_host_start(struct fault_host *host)
{
    machine_set_faults(host->m, host->commands);
}

void fault_host_legacy(struct fault_host *host, struct legacy_vm_host *legacy)
{
    legacy_vm_host_set_faults(legacy, host->hypercalls);
}

/* NULL: the plan leaves this guest alone, or there is no memory. */
static struct fault_guest *guest_of(struct fault_host *h,
                                    _Atomic(struct fault_guest *) *slot,
                                    struct vm *vm)
{
    struct fault_guest *guest = atomic_load(slot);

    if (guest != NULL || !fault_plan_has(h->plan, FAULT_AT_GUEST_REQUEST)) {
        return guest; /* no lock on the way of an honest host */
    }
    pthread_mutex_lock(&h->lock);
    guest = atomic_load(slot);
    if (guest == NULL &&
        fault_guest_new(h->plan, vm, &h->config, &guest) == 0) {
        atomic_store(slot, guest);
    }
    pthread_mutex_unlock(&h->lock);
    return guest;
}

bool fault_host_hook(struct fault_host *host,
                     _Atomic(struct fault_guest *) *slot, struct vm *vm,
                     struct vm_guest_request *req, bool after)
{
    struct fault_guest *guest = host == NULL ? NULL : guest_of(host, slot, vm);

    return guest != NULL && fault_guest_hook(guest, vm, req, after);
}

void fault_host_forget(_Atomic(struct fault_guest *) *slot)
{
    fault_guest_free(atomic_exchange(slot, NULL));
}
