/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that guest and host share: page n lies at VM_SHARED_GPA + n pages. */
#include "vm_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* First page of @count free ones, or shared_count as far as they are free. */
static size_t find_free(const struct vm *vm, size_t count)
{
    size_t start = 0;

    for (size_t i = 0; i < vm->shared_count; i++) {
        if (vm->shared[i] != 0) {
            start = i + 1;
        } else if (i + 1 - start == count) {
            return start;
        }
    }
    return start;
}

static int grow(struct vm *vm, size_t count)
{
    uint64_t *shared;

    if (count <= vm->shared_count) {
        return 0;
    }
    shared = realloc(vm->shared, count * sizeof(*shared));
    if (shared == NULL) {
        return -ENOMEM;
    }
    memset(shared + vm->shared_count, 0,
           (count - vm->shared_count) * sizeof(*shared));
    vm->shared = shared;
    vm->shared_count = count;
    return 0;
}

static void release(struct vm *vm, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) {
        if (vm->shared[i] != 0) {
            machine_page_free(vm->m, vm->shared[i]);
            vm->shared[i] = 0;
        }
    }
}

static bool fill(struct vm *vm, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) {
        vm->shared[i] = machine_page_alloc(vm->m);
        if (vm->shared[i] == 0) {
            release(vm, first, count);
            return false;
        }
    }
    return true;
}

uint64_t vm_shared_alloc(struct vm *vm, size_t count)
{
    uint64_t gpa = 0;
    size_t first;

    if (count == 0 || count > VM_MAX_PAGES) {
        return 0;
    }
    pthread_mutex_lock(&vm->lock);
    first = find_free(vm, count);
    if (grow(vm, first + count) == 0 && fill(vm, first, count)) {
        gpa = VM_SHARED_GPA + first * RMP_PAGE_SIZE;
    }
    pthread_mutex_unlock(&vm->lock);
    return gpa;
}

/* True if [gpa, gpa + size) lies in the window of shared pages. */
static bool in_window(const struct vm *vm, uint64_t gpa, size_t size)
{
    uint64_t end = (uint64_t)vm->shared_count * RMP_PAGE_SIZE;

    return gpa >= VM_SHARED_GPA && size <= end &&
           gpa - VM_SHARED_GPA <= end - size;
}

void vm_shared_free(struct vm *vm, uint64_t gpa, size_t count)
{
    pthread_mutex_lock(&vm->lock);
    if (count <= VM_MAX_PAGES && in_window(vm, gpa, count * RMP_PAGE_SIZE)) {
        release(vm, (size_t)((gpa - VM_SHARED_GPA) / RMP_PAGE_SIZE), count);
    }
    pthread_mutex_unlock(&vm->lock);
}

static bool all_shared(const struct vm *vm, uint64_t gpa, size_t size)
{
    size_t first, last;

    if (!in_window(vm, gpa, size)) {
        return false;
    }
    first = (size_t)((gpa - VM_SHARED_GPA) / RMP_PAGE_SIZE);
    last = (size_t)((gpa - VM_SHARED_GPA + (size == 0 ? 0 : size - 1)) /
                    RMP_PAGE_SIZE);
    for (size_t i = first; i <= last; i++) {
        if (i >= vm->shared_count || vm->shared[i] == 0) {
            return false;
        }
    }
    return true;
}

/* Physical address of @gpa; *n is cut down to what lies in its page. */
static uint64_t chunk(const struct vm *vm, uint64_t gpa, size_t *n)
{
    size_t offset = (size_t)(gpa % RMP_PAGE_SIZE);

    if (*n > RMP_PAGE_SIZE - offset) {
        *n = RMP_PAGE_SIZE - offset;
    }
    return vm->shared[(gpa - VM_SHARED_GPA) / RMP_PAGE_SIZE] + offset;
}

int vm_shared_read(struct vm *vm, uint64_t gpa, void *buf, size_t size)
{
    uint8_t *p = buf;
    int err = 0;

    pthread_mutex_lock(&vm->lock);
    if (!all_shared(vm, gpa, size)) {
        err = -EFAULT;
    }
    for (size_t done = 0, n = 0; err == 0 && done < size; done += n) {
        n = size - done;
        err = machine_read(vm->m, chunk(vm, gpa + done, &n), p + done, n);
    }
    pthread_mutex_unlock(&vm->lock);
    return err;
}

int vm_locked_shared_write(struct vm *vm, uint64_t gpa, const void *buf,
                           size_t size)
{
    const uint8_t *p = buf;
    int err = 0;

    if (!all_shared(vm, gpa, size)) {
        return -EFAULT;
    }
    for (size_t done = 0, n = 0; err == 0 && done < size; done += n) {
        n = size - done;
        err = machine_write(vm->m, chunk(vm, gpa + done, &n), p + done, n);
    }
    return err;
}

int vm_shared_write(struct vm *vm, uint64_t gpa, const void *buf, size_t size)
{
    int err;

    pthread_mutex_lock(&vm->lock);
    err = vm_locked_shared_write(vm, gpa, buf, size);
    pthread_mutex_unlock(&vm->lock);
    return err;
}
