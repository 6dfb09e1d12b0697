/* SPDX-License-Identifier: Apache-2.0 */
/* A guest's memory map, its end, and what others may ask about it. */
#include "vm_impl.h"

#include "crypto.h"
#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CMD_SNP_DECOMMISSION 0x90u

struct machine *vm_machine(struct vm *vm)
{
    return vm->m;
}

const char *vm_name(const struct vm *vm)
{
    return vm->name;
}

uint32_t vm_asid(const struct vm *vm)
{
    return vm->asid;
}

uint64_t vm_gctx(const struct vm *vm)
{
    return vm->gctx;
}

uint32_t vm_vmpl(const struct vm *vm)
{
    return vm->vmpl;
}

uint64_t vm_secrets_gpa(const struct vm *vm)
{
    return vm->secrets_gpa;
}

uint64_t vm_sev_features(const struct vm *vm)
{
    return vm->sev_features;
}

static void release_page(struct machine *m, uint64_t spa)
{
    if (spa != 0) {
        (void)machine_page_reclaim(m, spa); /* fails: the page is leaked */
        machine_page_free(m, spa);
    }
}

static void decommission(struct vm *vm)
{
    uint8_t buf[8];
    struct psp_wr w = psp_wr(buf, sizeof(buf));

    psp_wr_le64(&w, vm->gctx);
    (void)machine_command(vm->m, CMD_SNP_DECOMMISSION, buf, sizeof(buf));
    machine_guest_is(vm->m, true, vm->gctx, NULL);
    vm->context = false;
}

void vm_destroy(struct vm *vm)
{
    if (vm == NULL) {
        return;
    }
    if (vm->context) {
        decommission(vm);
    }
    for (size_t i = 0; i < vm->map_count; i++) {
        release_page(vm->m, vm->map[i].spa);
    }
    for (size_t i = 0; i < vm->vmsa_count; i++) {
        release_page(vm->m, vm->vmsas[i]);
    }
    for (size_t i = 0; i < vm->shared_count; i++) {
        release_page(vm->m, vm->shared[i]);
    }
    release_page(vm->m, vm->request_spa);
    release_page(vm->m, vm->response_spa);
    release_page(vm->m, vm->gctx);
    machine_asid_free(vm->m, vm->asid);
    pthread_mutex_destroy(&vm->lock);
    pthread_mutex_destroy(&vm->request_lock);
    free(vm->map);
    free(vm->vmsas);
    free(vm->shared);
    free(vm->certs);
    free(vm);
}

size_t vm_find(const struct vm *vm, uint64_t gpa)
{
    uint64_t page = gpa - gpa % RMP_PAGE_SIZE;
    size_t low = 0;
    size_t high = vm->map_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (vm->map[middle].gpa == page) {
            return middle;
        }
        if (vm->map[middle].gpa < page) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return vm->map_count;
}

/* Physical address of a private range that lies in one page, or 0. */
static uint64_t private_spa(const struct vm *vm, uint64_t gpa, size_t size)
{
    size_t offset = (size_t)(gpa % RMP_PAGE_SIZE);
    size_t i = vm_find(vm, gpa);

    if (i == vm->map_count || size > RMP_PAGE_SIZE - offset) {
        return 0;
    }
    return vm->map[i].spa + offset;
}

int vm_read(struct vm *vm, uint64_t gpa, void *buf, size_t size)
{
    uint64_t spa = private_spa(vm, gpa, size);

    if (spa == 0) {
        return -EFAULT;
    }
    return machine_guest_read(vm->m, vm->asid, spa, gpa, buf, size);
}

int vm_write(struct vm *vm, uint64_t gpa, const void *buf, size_t size)
{
    uint64_t spa = private_spa(vm, gpa, size);

    if (spa == 0) {
        return -EFAULT;
    }
    return machine_guest_write(vm->m, vm->asid, spa, gpa, buf, size);
}

int vm_set_certs(struct vm *vm, const uint8_t *certs, size_t size)
{
    uint8_t *copy = NULL;
    uint8_t *old;

    if (certs != NULL && size > 0) {
        copy = malloc(size);
        if (copy == NULL) {
            return -ENOMEM;
        }
        memcpy(copy, certs, size);
    }
    pthread_mutex_lock(&vm->lock);
    old = vm->certs;
    vm->certs = copy;
    vm->certs_size = copy == NULL ? 0 : size;
    pthread_mutex_unlock(&vm->lock);
    free(old);
    return 0;
}

void vm_set_request_hook(struct vm *vm, vm_request_hook hook, void *ctx)
{
    pthread_mutex_lock(&vm->lock);
    vm->hook = hook;
    vm->hook_ctx = ctx;
    pthread_mutex_unlock(&vm->lock);
}
