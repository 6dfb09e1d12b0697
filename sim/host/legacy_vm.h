/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The hypervisor's side of legacy SEV and SEV-ES guests: launch as KVM and QEMU
 * do it, memory, and the hypercall that tells a guest its firmware handle.
 * Spec: abi/linux.md §3, §6; abi/sev.md §1.4, §1.5.
 */
#ifndef HOST_LEGACY_VM_H
#define HOST_LEGACY_VM_H

#include "machine.h"

#define LEGACY_VM_CERT_SIZE    0x824u
#define LEGACY_VM_SESSION_SIZE 0x80u
#define LEGACY_VM_HEADER_SIZE  0x34u
#define LEGACY_VM_MEASURE_SIZE 0x30u
#define LEGACY_VM_VMSA_SIZE    0x1000u

/** Guest policy bits. abi/sev.md §7.5 */
#define LEGACY_VM_POLICY_NODBG 0x01u
#define LEGACY_VM_POLICY_ES    0x04u

/** Guest memory. */
struct legacy_vm_region {
    uint64_t gpa; /* page aligned */
    size_t size;  /* bytes, > 0; a launched one: multiple of 16 */
    uint8_t
        *data; /* NULL: plain memory that is no part of the launch. Owned. */
};

/** A guest owner's packet for LAUNCH_SECRET. */
struct legacy_vm_secret {
    uint64_t gpa; /* in launched or plain memory, 16-byte aligned */
    uint8_t header[LEGACY_VM_HEADER_SIZE];
    uint8_t *payload; /* ciphertext. Owned. */
    size_t size;
};

/** A guest to launch. Made by legacy_vm_spec_default() or
 * legacy_vm_spec_parse(). */
struct legacy_vm_spec {
    char name[64];
    uint32_t policy;
    /** The guest owner's Diffie-Hellman certificate and session blob; without,
     * the transport keys are zero. */
    bool session;
    uint8_t dh_cert[LEGACY_VM_CERT_SIZE];
    uint8_t session_blob[LEGACY_VM_SESSION_SIZE];
    struct legacy_vm_region *regions; /* in launch order. Owned. */
    size_t region_count;
    uint8_t *vmsas; /* vmsa_count pages; SEV-ES only. Owned. */
    size_t vmsa_count;
    struct legacy_vm_secret
        *secrets; /* injected after the measurement. Owned. */
    size_t secret_count;
    /** Stop after the measurement and the secrets: the guest owner decides. */
    bool unfinished;
};

/** Policy 1 (no debugging), no session, one region of 64 KiB at 0xffff0000 with
 * reset code. 0 or -ENOMEM. */
int legacy_vm_spec_default(struct legacy_vm_spec *spec);
void legacy_vm_spec_clear(struct legacy_vm_spec *spec);

/** What the hypervisor answers to KVM_HC_VM_HANDLE. */
enum legacy_vm_handle_mode {
    LEGACY_VM_HANDLE_OFF,    /* a kernel without the patch (default) */
    LEGACY_VM_HANDLE_OWN,    /* the caller's own handle; -ENOTTY without SEV */
    LEGACY_VM_HANDLE_OTHER,  /* another live guest's; one that nobody has when
                              * the  caller is alone */
    LEGACY_VM_HANDLE_ENOTTY, /* -25 */
    LEGACY_VM_HANDLE_ENOSYS, /* -1000 */
    LEGACY_VM_HANDLE_KERNEL, /* as OWN, but user space (CPL > 0) gets -EPERM, as
                              * for every other hypercall */
};

/** All legacy guests of one machine. Every function below may be called from
 * any thread; one guest is used by one thread at a time. */
struct legacy_vm_host;

/** 0 or -ENOMEM. @m is borrowed until legacy_vm_host_free(). */
int legacy_vm_host_new(struct machine *m, struct legacy_vm_host **out);
/** Destroys the guests that are left. */
void legacy_vm_host_free(struct legacy_vm_host *host);
void legacy_vm_host_set_handle_mode(struct legacy_vm_host *host,
                                    enum legacy_vm_handle_mode mode);
/** A fault plan for the hypercall (fault_hypercall.h), or NULL. Borrowed; no
 * hypercall may be under way. */
struct fault_hypercalls;
void legacy_vm_host_set_faults(struct legacy_vm_host *host,
                               struct fault_hypercalls *faults);
/** "off", "own", "other", "enotty", "enosys", "kernel", and back (-1: unknown).
 */
const char *legacy_vm_handle_mode_name(enum legacy_vm_handle_mode mode);
int legacy_vm_handle_mode_by_name(const char *name);

struct legacy_vm;

/**
 * Launch: LAUNCH_START, ACTIVATE, LAUNCH_UPDATE_DATA for each region,
 * LAUNCH_UPDATE_VMSA for each save area, LAUNCH_MEASURE, LAUNCH_SECRET for each
 * secret and, unless spec->unfinished, LAUNCH_FINISH. The platform must be
 * initialised, with SEV-ES for a policy that asks for it.
 *
 * Returns 0; -EIO with *status set when the firmware refused (everything is
 * undone); -EINVAL (regions overlap or are not aligned, a secret lies outside
 * of them, save areas without SEV-ES); -EBUSY (no ASID), -ENOMEM, -EFAULT;
 * -ETIMEDOUT, -EBUSY (machine_errno()).
 */
int legacy_vm_launch(struct legacy_vm_host *host,
                     const struct legacy_vm_spec *spec, struct legacy_vm **out,
                     enum sev_status *status);
/** DEACTIVATE, DECOMMISSION, free. NULL is fine. */
void legacy_vm_destroy(struct legacy_vm *g);

const char *legacy_vm_name(const struct legacy_vm *g);
uint32_t legacy_vm_handle(const struct legacy_vm *g);
uint32_t legacy_vm_asid(const struct legacy_vm *g);
/** MEASURE (32 bytes) and MNONCE (16), as LAUNCH_MEASURE gave them. */
const uint8_t *legacy_vm_measurement(const struct legacy_vm *g);

/** GUEST_STATUS, abi/sev.md §9.2. 0, or -EIO with *status set. */
struct legacy_vm_status {
    uint32_t policy;
    uint32_t asid;
    uint8_t state;
};
int legacy_vm_get_status(struct legacy_vm *g, struct legacy_vm_status *out,
                         enum sev_status *status);

/** LAUNCH_SECRET and LAUNCH_FINISH of an unfinished guest. 0; -EIO with *status
 * set; -EINVAL (not in the guest's memory, or across two regions), -ENOMEM,
 * -EFAULT. */
int legacy_vm_inject(struct legacy_vm *g, const struct legacy_vm_secret *secret,
                     enum sev_status *status);
int legacy_vm_finish(struct legacy_vm *g, enum sev_status *status);

/** Memory as the guest sees it through its key; may cross pages, not regions.
 * 0, or -EFAULT. */
int legacy_vm_read(struct legacy_vm *g, uint64_t gpa, void *buf, size_t size);
int legacy_vm_write(struct legacy_vm *g, uint64_t gpa, const void *buf,
                    size_t size);
/** The same memory as the host sees it: ciphertext. */
int legacy_vm_read_raw(struct legacy_vm *g, uint64_t gpa, void *buf,
                       size_t size);

#define LEGACY_VM_HC_VM_HANDLE 13u

/** A vCPU that executes VMMCALL. */
struct legacy_vm_hypercall {
    uint64_t rax;     /* number */
    unsigned int cpl; /* of the interrupted code, 0..3 */
    bool long_mode;   /* otherwise number and result have 32 bits */
};

/**
 * Answer a hypercall: the new RAX.
 *
 * @g  The calling guest; NULL: a guest without SEV.
 *
 * Only KVM_HC_VM_HANDLE is modelled: others are -KVM_ENOSYS, and from CPL > 0
 * -KVM_EPERM. abi/linux.md §3.
 */
uint64_t legacy_vm_vmmcall(struct legacy_vm_host *host,
                           const struct legacy_vm *g,
                           const struct legacy_vm_hypercall *call);

#endif
