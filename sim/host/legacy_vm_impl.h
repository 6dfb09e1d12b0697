/* SPDX-License-Identifier: Apache-2.0 */
/** What the files of legacy guests share. */
#ifndef HOST_LEGACY_VM_IMPL_H
#define HOST_LEGACY_VM_IMPL_H

#include "legacy_vm.h"
#include "port.h"

#include <pthread.h>

struct legacy_vm_host {
    struct machine *m;
    struct port port;
    pthread_mutex_t lock; /* guests and mode */
    struct legacy_vm *guests;
    enum legacy_vm_handle_mode mode;
    struct fault_hypercalls *faults; /* NULL: an honest hypervisor */
};

/** One region of guest memory, in physically adjoining pages. */
struct legacy_vm_map {
    uint64_t gpa;
    struct port_buf buf;
};

struct legacy_vm {
    struct legacy_vm_host *host;
    struct legacy_vm *next;
    char name[64];
    uint32_t handle; /* 0: no LAUNCH_START yet */
    uint32_t asid;   /* 0: none taken */
    bool active;
    struct legacy_vm_map *map;
    size_t map_count;
    struct port_buf *vmsas;
    size_t vmsa_count;
    uint8_t measurement[LEGACY_VM_MEASURE_SIZE];
};

/** Physical address of a range within one region, or 0. */
uint64_t legacy_vm_translate(const struct legacy_vm *g, uint64_t gpa,
                             size_t size);
/** A mailbox command. 0, -EIO with *status set, or -ETIMEDOUT, -EBUSY: no
 * answer (machine_errno()). */
int legacy_vm_command(struct legacy_vm *g, uint32_t id, void *buf, size_t size,
                      enum sev_status *status);
/** The same while the firmware owns @pages, which it writes; -EFAULT when a
 * page cannot change hands. */
int legacy_vm_command_on(struct legacy_vm *g, uint32_t id, void *buf,
                         size_t size, struct port_buf *pages,
                         enum sev_status *status);

#endif
