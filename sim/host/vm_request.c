/* SPDX-License-Identifier: Apache-2.0 */
/* VM exits with guest requests: what KVM and its VMM do. abi/linux.md §6.3
 *
 * As in KVM, the guest's pages are never shown to the firmware: the request is
 * copied into a host page, and the answer out of a page that belongs to the
 * firmware for the guest's whole life. */
#include "vm_impl.h"

#include "wire.h"

#include <errno.h>
#include <string.h>

#define CMD_SNP_GUEST_REQUEST 0x94u

#define OFF_MSG_TYPE     0x34u
#define MSG_REPORT_REQ   5u
#define EMPTY_TABLE_SIZE 24u /* one all-zero entry */

int vm_request_prepare(struct vm *vm)
{
    vm->request_spa = machine_page_alloc(vm->m);
    vm->response_spa = machine_page_alloc(vm->m);
    if (vm->request_spa == 0 || vm->response_spa == 0) {
        return -ENOMEM;
    }
    return machine_page_to_firmware(vm->m, vm->response_spa);
}

static bool aligned(uint64_t gpa)
{
    return gpa % RMP_PAGE_SIZE == 0;
}

static int check_exit(const struct vm_guest_request *req)
{
    if (req->exit_code != VM_EXIT_GUEST_REQUEST &&
        req->exit_code != VM_EXIT_EXT_GUEST_REQUEST) {
        return VM_GHCB_UNSUPPORTED;
    }
    if (!aligned(req->request_gpa) || !aligned(req->response_gpa) ||
        req->request_gpa == req->response_gpa) {
        return VM_GHCB_VMM_ERROR;
    }
    return 0;
}

/* The certificates that stand now, into the guest's pages. 0 when the request
 * may go on, 1 when it was answered, or -EFAULT. */
static int copy_certs(struct vm *vm, struct vm_guest_request *req)
{
    static const uint8_t empty[EMPTY_TABLE_SIZE];
    uint64_t needed;
    int err = 0;

    pthread_mutex_lock(&vm->lock);
    needed = (vm->certs_size + RMP_PAGE_SIZE - 1) / RMP_PAGE_SIZE;
    if (req->data_pages < needed) {
        req->data_pages = needed;
        req->exitinfo2 = VM_EXITINFO2_INVALID_LEN;
        err = 1;
    } else if (needed > 0) {
        err = vm_locked_shared_write(vm, req->data_gpa, vm->certs,
                                     vm->certs_size);
    } else if (req->data_pages != 0) {
        err = vm_locked_shared_write(vm, req->data_gpa, empty, sizeof(empty));
    }
    pthread_mutex_unlock(&vm->lock);
    return err;
}

/* Certificates go with reports only; other messages pass as they are. */
static int extend(struct vm *vm, struct vm_guest_request *req)
{
    uint8_t type = 0;
    int err;

    err = vm_shared_read(vm, req->request_gpa + OFF_MSG_TYPE, &type, 1);
    if (err != 0 || type != MSG_REPORT_REQ) {
        return err;
    }
    if (!aligned(req->data_gpa)) {
        req->ghcb_error = VM_GHCB_VMM_ERROR;
        return 1;
    }
    return copy_certs(vm, req);
}

static enum sev_status ask_firmware(struct vm *vm)
{
    uint8_t buf[0x18];
    struct psp_wr w = psp_wr(buf, sizeof(buf));

    psp_wr_le64(&w, vm->gctx);
    psp_wr_le64(&w, vm->request_spa);
    psp_wr_le64(&w, vm->response_spa);
    return machine_command(vm->m, CMD_SNP_GUEST_REQUEST, buf, sizeof(buf));
}

/* The response page is copied whatever the status, as in KVM: after a refusal
 * the guest sees the previous answer once more. */
static int relay(struct vm *vm, struct vm_guest_request *req)
{
    uint8_t page[RMP_PAGE_SIZE];
    enum sev_status status;
    int err;

    pthread_mutex_lock(&vm->request_lock);
    err = vm_shared_read(vm, req->request_gpa, page, sizeof(page));
    if (err == 0) {
        err = machine_write(vm->m, vm->request_spa, page, sizeof(page));
    }
    if (err == 0) {
        status = ask_firmware(vm);
        req->exitinfo2 = status;
        err = machine_errno(status);
    }
    if (err == 0) {
        err = machine_read(vm->m, vm->response_spa, page, sizeof(page));
    }
    if (err == 0) {
        err = vm_shared_write(vm, req->response_gpa, page, sizeof(page));
    }
    pthread_mutex_unlock(&vm->request_lock);
    return err;
}

static int serve(struct vm *vm, struct vm_guest_request *req)
{
    int err = check_exit(req);

    if (err != 0) {
        req->ghcb_error = err;
        return 0;
    }
    if (req->exit_code == VM_EXIT_EXT_GUEST_REQUEST) {
        err = extend(vm, req);
    }
    if (err == 0) {
        err = relay(vm, req);
    }
    return err < 0 ? err : 0;
}

int vm_exit_guest_request(struct vm *vm, struct vm_guest_request *req)
{
    vm_request_hook hook;
    void *ctx;
    int err = 0;

    req->exitinfo2 = 0;
    req->ghcb_error = 0;
    pthread_mutex_lock(&vm->lock);
    hook = vm->hook;
    ctx = vm->hook_ctx;
    pthread_mutex_unlock(&vm->lock);
    if (hook == NULL || !hook(ctx, vm, req, false)) {
        err = serve(vm, req);
    }
    if (err == 0 && hook != NULL) {
        (void)hook(ctx, vm, req, true);
    }
    return err != 0 ? err : req->ghcb_error;
}
