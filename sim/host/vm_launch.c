/* SPDX-License-Identifier: Apache-2.0 */
/* Launch, in the order of KVM and QEMU. Each step records what it took before
 * the firmware is asked, so that vm_destroy() undoes a launch at any point. */
#include "vm_impl.h"

#include "crypto.h"
#include "id_block.h"
#include "launch_digest.h"
#include "vmsa.h"
#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CMD_SNP_ACTIVATE      0x91u
#define CMD_SNP_GCTX_CREATE   0x93u
#define CMD_SNP_LAUNCH_START  0xa0u
#define CMD_SNP_LAUNCH_UPDATE 0xa1u
#define CMD_SNP_LAUNCH_FINISH 0xa2u

#define FINISH_ID_BLOCK_EN 0x1u
#define FINISH_AUTH_KEY_EN 0x2u
#define FINISH_VCEK_DIS    0x4u

struct launch {
    struct vm *vm;
    const struct vm_spec *spec;
    enum sev_status status; /* of the command that was refused */
};

static int command(struct launch *l, uint32_t id, uint8_t *buf, size_t size)
{
    enum sev_status status = machine_command(l->vm->m, id, buf, size);
    int err = machine_errno(status);

    if (status == SEV_SUCCESS || err != 0) {
        return err;
    }
    l->status = status;
    return -EIO;
}

static bool page_ok(const struct vm_page *page)
{
    return page->type >= VM_PAGE_NORMAL && page->type <= VM_PAGE_CPUID &&
           page->gpa % RMP_PAGE_SIZE == 0 &&
           (page->type == VM_PAGE_VMSA || page->gpa < VM_SHARED_GPA);
}

static int compare_gpa(const void *a, const void *b)
{
    const struct vm_mapping *x = a;
    const struct vm_mapping *y = b;

    return (x->gpa > y->gpa) - (x->gpa < y->gpa);
}

static uint64_t first_features(const struct vm_spec *spec)
{
    for (size_t i = 0; i < spec->page_count; i++) {
        if (spec->pages[i].type == VM_PAGE_VMSA) {
            return spec->pages[i].data == NULL
                       ? 0
                       : vmsa_features(spec->pages[i].data);
        }
    }
    return VMSA_SNP_ACTIVE;
}

/* The guest's address space, without memory behind it yet. */
static int lay_out(struct launch *l)
{
    struct vm *vm = l->vm;

    for (size_t i = 0; i < l->spec->page_count; i++) {
        const struct vm_page *page = &l->spec->pages[i];

        if (!page_ok(page)) {
            return -EINVAL;
        }
        if (page->type != VM_PAGE_VMSA) {
            vm->map[vm->map_count++].gpa = page->gpa;
        }
        if (page->type == VM_PAGE_SECRETS && vm->secrets_gpa == 0) {
            vm->secrets_gpa = page->gpa;
        }
    }
    qsort(vm->map, vm->map_count, sizeof(vm->map[0]), compare_gpa);
    for (size_t i = 1; i < vm->map_count; i++) {
        if (vm->map[i - 1].gpa == vm->map[i].gpa) {
            return -EINVAL;
        }
    }
    return 0;
}

static int create_context(struct launch *l)
{
    struct vm *vm = l->vm;
    uint8_t buf[8];
    struct psp_wr w = psp_wr(buf, sizeof(buf));
    int err;

    vm->gctx = machine_page_alloc(vm->m);
    if (vm->gctx == 0) {
        return -ENOMEM;
    }
    err = machine_page_to_firmware(vm->m, vm->gctx);
    if (err != 0) {
        return err;
    }
    psp_wr_le64(&w, vm->gctx);
    err = command(l, CMD_SNP_GCTX_CREATE, buf, sizeof(buf));
    vm->context = err == 0;
    if (err == 0) {
        machine_guest_is(vm->m, true, vm->gctx, vm->name);
    }
    return err;
}

static int start(struct launch *l)
{
    uint8_t buf[0x30];
    struct psp_wr w = psp_wr(buf, sizeof(buf));

    psp_wr_le64(&w, l->vm->gctx);
    psp_wr_le64(&w, l->spec->policy);
    psp_wr_le64(&w, 0); /* no migration agent */
    psp_wr_le32(&w, 0);
    psp_wr_le32(&w, 0); /* TSC frequency: the platform's */
    psp_wr_bytes(&w, l->spec->gosvw, sizeof(l->spec->gosvw));
    return command(l, CMD_SNP_LAUNCH_START, buf, sizeof(buf));
}

static int activate(struct launch *l)
{
    uint8_t buf[0xc];
    struct psp_wr w = psp_wr(buf, sizeof(buf));

    psp_wr_le64(&w, l->vm->gctx);
    psp_wr_le32(&w, l->vm->asid);
    return command(l, CMD_SNP_ACTIVATE, buf, sizeof(buf));
}

static int update(struct launch *l, const struct vm_page *page, uint64_t spa)
{
    const struct rmp_update pre_guest = {
        .assigned = true,
        .immutable = true,
        .asid = l->vm->asid,
        .gpa = page->gpa,
    };
    uint8_t buf[0x20];
    struct psp_wr w = psp_wr(buf, sizeof(buf));

    if (machine_rmpupdate(l->vm->m, spa, &pre_guest) != RMP_OK) {
        return -EFAULT;
    }
    psp_wr_le64(&w, l->vm->gctx);
    psp_wr_le32(&w, (uint32_t)page->type << 1 | (uint32_t)page->imi << 4);
    psp_wr_le32(&w, 0);
    psp_wr_le64(&w, spa);
    psp_wr_u8(&w, 0);
    psp_wr_bytes(&w, page->vmpl_perms, sizeof(page->vmpl_perms));
    psp_wr_le32(&w, 0);
    return command(l, CMD_SNP_LAUNCH_UPDATE, buf, sizeof(buf));
}

/* Where the address of a page's memory is recorded. */
static uint64_t *backing(struct vm *vm, const struct vm_page *page)
{
    if (page->type == VM_PAGE_VMSA) {
        return &vm->vmsas[vm->vmsa_count++];
    }
    return &vm->map[vm_find(vm, page->gpa)].spa;
}

static int add_page(struct launch *l, const struct vm_page *page)
{
    struct machine *m = l->vm->m;
    uint64_t *spa = backing(l->vm, page);
    int err;

    *spa = machine_page_alloc(m);
    if (*spa == 0) {
        return -ENOMEM;
    }
    if (page->data != NULL) {
        err = machine_write(m, *spa, page->data, RMP_PAGE_SIZE);
        if (err != 0) {
            return err;
        }
    }
    return update(l, page, *spa);
}

static int add_pages(struct launch *l)
{
    uint8_t area[VMSA_SIZE];
    const struct vm_page vmsa = {
        .type = VM_PAGE_VMSA, .gpa = VM_VMSA_GPA, .data = area};
    int err = 0;

    for (size_t i = 0; err == 0 && i < l->spec->page_count; i++) {
        err = add_page(l, &l->spec->pages[i]);
    }
    vmsa_reset(area, VMSA_RESET_EIP, vmsa_fms(machine_profile(l->vm->m)),
               VMSA_SNP_ACTIVE);
    for (uint32_t i = 0; err == 0 && i < l->spec->vcpu_count; i++) {
        err = add_page(l, &vmsa);
    }
    return err;
}

static int sign_identity(struct launch *l, uint8_t block[ID_BLOCK_SIZE],
                         uint8_t auth[ID_AUTH_SIZE])
{
    const struct vm_identity *identity = &l->spec->identity;
    uint8_t ld[LAUNCH_DIGEST_SIZE];
    uint8_t id_key[ID_KEY_SIZE];
    struct id_block_input in = {
        .ld = ld,
        .policy = l->spec->policy,
        .family_id = identity->family_id,
        .image_id = identity->image_id,
        .guest_svn = identity->guest_svn,
        .id_key = id_key,
        .author_key = identity->author_key_en ? identity->author_key : NULL,
    };
    int err = 0;

    launch_digest_spec(l->spec, machine_profile(l->vm->m), ld);
    if (identity->id_key_en) {
        memcpy(id_key, identity->id_key, sizeof(id_key));
    } else {
        err = machine_random(l->vm->m, id_key, sizeof(id_key));
        id_key[0] &= 0x7f; /* below the curve's order */
        id_key[sizeof(id_key) - 1] |= 1;
    }
    if (err == 0) {
        err = id_block_make(&in, block, auth);
    }
    psp_wipe(id_key, sizeof(id_key));
    return err;
}

static uint64_t finish_flags(const struct vm_spec *spec)
{
    bool block = spec->id_block_en || spec->identity.make;
    bool author =
        spec->id_block_en ? spec->auth_key_en : spec->identity.author_key_en;

    return (block ? FINISH_ID_BLOCK_EN : 0) |
           (block && author ? FINISH_AUTH_KEY_EN : 0) |
           (spec->vcek_dis ? FINISH_VCEK_DIS : 0);
}

static int finish_command(struct launch *l, uint64_t block, uint64_t auth)
{
    uint8_t buf[0x40];
    struct psp_wr w = psp_wr(buf, sizeof(buf));

    psp_wr_le64(&w, l->vm->gctx);
    psp_wr_le64(&w, block);
    psp_wr_le64(&w, auth);
    psp_wr_le64(&w, finish_flags(l->spec));
    psp_wr_bytes(&w, l->spec->host_data, sizeof(l->spec->host_data));
    return command(l, CMD_SNP_LAUNCH_FINISH, buf, sizeof(buf));
}

/* The ID block and its authentication page lie in two host pages for the time
 * of the command. */
static int finish_with_block(struct launch *l)
{
    struct machine *m = l->vm->m;
    const struct vm_spec *spec = l->spec;
    uint64_t pages = machine_pages_alloc(m, 2);
    uint8_t block[ID_BLOCK_SIZE] = {0};
    uint8_t *auth = calloc(1, ID_AUTH_SIZE);
    int err = 0;

    if (pages == 0 || auth == NULL) {
        err = -ENOMEM;
        goto out;
    }
    if (spec->id_block_en) {
        memcpy(block, spec->id_block, sizeof(block));
        memcpy(auth, spec->id_auth, ID_AUTH_SIZE);
    } else {
        err = sign_identity(l, block, auth);
    }
    if (err == 0) {
        err = machine_write(m, pages, block, sizeof(block));
    }
    if (err == 0) {
        err = machine_write(m, pages + RMP_PAGE_SIZE, auth, ID_AUTH_SIZE);
    }
    if (err == 0) {
        err = finish_command(l, pages, pages + RMP_PAGE_SIZE);
    }
out:
    free(auth);
    if (pages != 0) {
        machine_pages_free(m, pages, 2);
    }
    return err;
}

static int finish(struct launch *l)
{
    if (l->spec->id_block_en || l->spec->identity.make) {
        return finish_with_block(l);
    }
    return finish_command(l, 0, 0);
}

static struct vm *vm_new(struct machine *m, const struct vm_spec *spec)
{
    struct vm *vm = calloc(1, sizeof(*vm));

    if (vm == NULL) {
        return NULL;
    }
    pthread_mutex_init(&vm->lock, NULL);
    pthread_mutex_init(&vm->request_lock, NULL);
    vm->m = m;
    vm->vmpl = spec->vmpl;
    vm->sev_features = first_features(spec);
    memcpy(vm->name, spec->name, sizeof(vm->name));
    vm->name[sizeof(vm->name) - 1] = '\0';
    vm->map = calloc(spec->page_count + 1, sizeof(vm->map[0]));
    vm->vmsas =
        calloc(spec->page_count + spec->vcpu_count + 1, sizeof(vm->vmsas[0]));
    if (vm->map == NULL || vm->vmsas == NULL ||
        vm_set_certs(vm, spec->certs, spec->certs_size) != 0) {
        vm_destroy(vm);
        return NULL;
    }
    return vm;
}

static int take_asid(struct launch *l)
{
    l->vm->asid = machine_asid_alloc(l->vm->m, MACHINE_ASID_ES);
    return l->vm->asid == 0 ? -EBUSY : 0;
}

static int launch(struct launch *l)
{
    static int (*const steps[])(struct launch * l) = {
        lay_out, take_asid, create_context, start, activate, add_pages, finish,
    };
    int err = 0;

    for (size_t i = 0; err == 0 && i < sizeof(steps) / sizeof(steps[0]); i++) {
        err = steps[i](l);
    }
    return err == 0 ? vm_request_prepare(l->vm) : err;
}

static bool spec_ok(const struct vm_spec *spec)
{
    return spec->page_count <= VM_MAX_PAGES &&
           spec->vcpu_count <= VM_MAX_VCPUS && spec->vmpl <= 3 &&
           !(spec->id_block_en && spec->identity.make) &&
           !(spec->id_block_en && spec->id_auth == NULL);
}

int vm_launch(struct machine *m, const struct vm_spec *spec, struct vm **out,
              enum sev_status *status)
{
    struct launch l = {.spec = spec, .status = SEV_SUCCESS};
    int err;

    *out = NULL;
    *status = SEV_SUCCESS;
    if (!spec_ok(spec)) {
        return -EINVAL;
    }
    l.vm = vm_new(m, spec);
    if (l.vm == NULL) {
        return -ENOMEM;
    }
    err = launch(&l);
    if (err != 0) {
        vm_destroy(l.vm);
        *status = l.status;
        return err;
    }
    *out = l.vm;
    return 0;
}
