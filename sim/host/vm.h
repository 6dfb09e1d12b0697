/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The hypervisor's side of a guest: launch, memory map, VM exits.
 */
#ifndef HOST_VM_H
#define HOST_VM_H

#include "machine.h"

struct vm;

/** How one launch page is made. */
struct vm_page {
    uint8_t type;          /* SNP page type 1..6. abi/snp.md §4.3 */
    uint64_t gpa;          /* page aligned */
    uint8_t vmpl_perms[3]; /* VMPL1..3 */
    bool imi;
    uint8_t *data; /* RMP_PAGE_SIZE bytes, or NULL: zeros. Owned. */
};

/** SNP page types. abi/snp.md §4.3 */
enum vm_page_type {
    VM_PAGE_NORMAL = 1,
    VM_PAGE_VMSA = 2,
    VM_PAGE_ZERO = 3,
    VM_PAGE_UNMEASURED = 4,
    VM_PAGE_SECRETS = 5,
    VM_PAGE_CPUID = 6,
};

/** Most launch pages of one guest (64 MiB), and most vCPUs. */
#define VM_MAX_PAGES 16384u
#define VM_MAX_VCPUS 512u

/** The host makes and signs an ID block for the measured pages. */
struct vm_identity {
    bool make;
    uint8_t family_id[16];
    uint8_t image_id[16];
    uint32_t guest_svn;
    /** P-384 private scalars, big-endian. Without id_key_en the ID key comes
     * from the machine's random source; without author_key_en no author. */
    bool id_key_en;
    uint8_t id_key[48];
    bool author_key_en;
    uint8_t author_key[48];
};

/** A guest to launch. Made by vm_spec_default() or vm_spec_parse(). */
struct vm_spec {
    char name[64];
    uint64_t policy;
    uint8_t gosvw[16];
    uint8_t host_data[32];
    bool id_block_en; /* id_block and id_auth are given */
    bool auth_key_en;
    bool vcek_dis;
    uint8_t id_block[0x60];
    uint8_t *id_auth;            /* 0x1000 bytes when id_block_en. Owned. */
    struct vm_identity identity; /* not together with id_block_en */
    uint32_t vmpl;         /* the VMPL that the guest's kernel runs at, 0..3 */
    uint32_t vcpu_count;   /* one VMSA page each, at the measured VMSA GPA */
    struct vm_page *pages; /* in launch order. Owned. */
    size_t page_count;
    /** What the hypervisor hands out on extended requests. */
    uint8_t *certs; /* GHCB certificate table, or NULL: none. Owned. */
    size_t certs_size;
    bool no_certs; /* the description says "none" in so many words */
};

/** A small guest: two firmware pages that end at 4 GiB, secrets page, CPUID
 * page that fits @profile, one VMSA; policy 0x30000. 0 or -ENOMEM. */
int vm_spec_default(struct vm_spec *spec, const struct psp_profile *profile);
void vm_spec_clear(struct vm_spec *spec);

/** Secrets page of every guest launched from a spec without its own. */
#define VM_DEFAULT_SECRETS_GPA 0x80d000ull
#define VM_DEFAULT_CPUID_GPA   0x80e000ull
#define VM_VMSA_GPA            0x0000fffffffff000ull
/** Shared memory starts here; launch pages other than VMSAs lie below. */
#define VM_SHARED_GPA 0x0000400000000000ull

/**
 * Launch: GCTX_CREATE, LAUNCH_START, ACTIVATE, LAUNCH_UPDATE for each page,
 * one VMSA per vCPU, LAUNCH_FINISH; as KVM and QEMU do.
 *
 * Returns 0; -EIO with *status set when the firmware refused; -EINVAL for pages
 * that are not aligned, overlap or lie in shared memory, or an identity next to
 * an ID block; -ENOMEM, -EBUSY (no ASID); -EFAULT (RMPUPDATE refused). On
 * failure everything is undone; -ETIMEDOUT or -EBUSY: no answer (machine.h).
 * *status is SEV_SUCCESS unless -EIO.
 */
int vm_launch(struct machine *m, const struct vm_spec *spec, struct vm **out,
              enum sev_status *status);
/** SNP_DECOMMISSION, reclaim and free everything. NULL is fine. */
void vm_destroy(struct vm *vm);

struct machine *vm_machine(struct vm *vm);
const char *vm_name(const struct vm *vm);
uint32_t vm_asid(const struct vm *vm);
uint64_t vm_gctx(const struct vm *vm);
uint32_t vm_vmpl(const struct vm *vm);
uint64_t vm_secrets_gpa(const struct vm *vm); /* 0: no secrets page */
/** SEV_FEATURES in the save area of the first vCPU; those of a guest without
 * any are what vCPUs in reset state have. */
uint64_t vm_sev_features(const struct vm *vm);

/** Private guest memory as the guest sees it, within one page. 0 or -EFAULT. */
int vm_read(struct vm *vm, uint64_t gpa, void *buf, size_t size);
int vm_write(struct vm *vm, uint64_t gpa, const void *buf, size_t size);

/** Memory that guest and host share (unencrypted pages): allocate @count
 * contiguous guest pages. Returns the GPA, 0 when out of memory. */
uint64_t vm_shared_alloc(struct vm *vm, size_t count);
void vm_shared_free(struct vm *vm, uint64_t gpa, size_t count);
/** 0 or -EFAULT (not shared memory of this guest); may cross pages. */
int vm_shared_read(struct vm *vm, uint64_t gpa, void *buf, size_t size);
int vm_shared_write(struct vm *vm, uint64_t gpa, const void *buf, size_t size);

/** SVM exit codes of the GHCB protocol. */
#define VM_EXIT_GUEST_REQUEST     0x80000011u
#define VM_EXIT_EXT_GUEST_REQUEST 0x80000012u

/** SW_EXITINFO2 values above the firmware's status. abi/linux.md §4.5 */
#define VM_EXITINFO2_INVALID_LEN 0x0000000100000000ull
#define VM_EXITINFO2_BUSY        0x0000000200000000ull
#define VM_EXITINFO2_GENERIC     0x8000000000000000ull

/** What the guest puts into the GHCB, and gets back. */
struct vm_guest_request {
    uint32_t exit_code;    /* VM_EXIT_* */
    uint64_t request_gpa;  /* shared page */
    uint64_t response_gpa; /* shared page */
    uint64_t data_gpa;     /* RAX; extended requests only */
    uint64_t data_pages;   /* RBX in and out */
    uint64_t exitinfo2;    /* out: SW_EXITINFO2 */
    int ghcb_error;        /* out: 1..5, exit refused; 0 otherwise. A hook may
                            * set it and return true. */
};

/** What a GHCB protocol failure looks like in the guest. */
#define VM_GHCB_UNSUPPORTED 1
#define VM_GHCB_VMM_ERROR   2 /* malformed input */

/**
 * VM exit with a guest request: the hypervisor relays it to the mailbox.
 *
 * Returns 0 with exitinfo2 set; a positive number 1..5 for a GHCB protocol
 * failure: unknown exit code, pages that are not aligned or the same, data_gpa
 * not aligned (extended report requests); where the real guest stops running:
 * -EFAULT when the pages are no shared memory of this guest, -ETIMEDOUT or
 * -EBUSY when the processor does not answer. abi/linux.md §6.3.
 */
int vm_exit_guest_request(struct vm *vm, struct vm_guest_request *req);

/** Replace the certificate table (copied); NULL: none. 0 or -ENOMEM. */
int vm_set_certs(struct vm *vm, const uint8_t *certs, size_t size);

/**
 * Hook around the relay, for fault plans and tests; called without any lock,
 * twice for each exit: with @after false before the relay, where it may edit
 * the pages (by vm_shared_*) and returns true to answer @exitinfo2 (or
 * @ghcb_error) without asking the firmware; with @after true when the answer
 * stands, whoever gave it, where it may edit pages and answer; its result is
 * ignored then.
 */
typedef bool (*vm_request_hook)(void *ctx, struct vm *vm,
                                struct vm_guest_request *req, bool after);
void vm_set_request_hook(struct vm *vm, vm_request_hook hook, void *ctx);

#endif
