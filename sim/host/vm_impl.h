/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the files of the hypervisor share.
 */
#ifndef HOST_VM_IMPL_H
#define HOST_VM_IMPL_H

#include "vm.h"

#include <pthread.h>

/** One private page. */
struct vm_mapping {
    uint64_t gpa;
    uint64_t spa;
};

struct vm {
    struct machine *m;
    char name[64];
    uint32_t asid;
    uint32_t vmpl;
    uint64_t gctx; /* 0: no page */
    bool context;  /* gctx is a Context page */
    uint64_t secrets_gpa;
    uint64_t sev_features;
    /* Fixed after launch. */
    struct vm_mapping *map; /* ascending by gpa */
    size_t map_count;
    uint64_t *vmsas; /* pages outside the guest's address space */
    size_t vmsa_count;

    pthread_mutex_t lock; /* guards what follows */
    uint64_t *shared;     /* spa of shared page n, 0: free */
    size_t shared_count;
    uint8_t *certs;
    size_t certs_size;
    vm_request_hook hook;
    void *hook_ctx;

    /* One request of a guest at a time, as KVM: the pages below carry it. */
    pthread_mutex_t request_lock;
    uint64_t request_spa;
    uint64_t response_spa; /* a Firmware page as long as the guest lives */
};

/** Index of the mapping of @gpa's page, or map_count. */
size_t vm_find(const struct vm *vm, uint64_t gpa);

/** vm_shared_write() for callers that hold the lock. */
int vm_locked_shared_write(struct vm *vm, uint64_t gpa, const void *buf,
                           size_t size);

/** Pages of the relay. 0, -ENOMEM, -EFAULT. */
int vm_request_prepare(struct vm *vm);

#endif
