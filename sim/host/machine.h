/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A machine: sparse physical memory, one secure processor behind one mailbox
 * lock, and the physical pages the hypervisor hands out. The only caller of the
 * mailbox. Every function may be called from any thread.
 */
#ifndef HOST_MACHINE_H
#define HOST_MACHINE_H

#include <psp/drbg.h>
#include <psp/psp.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine;

/** Called after each mailbox command, without the lock; for --trace.
 * @buffer: the command buffer as the firmware read it (@size bytes). */
struct machine_trace {
    void (*command)(void *ctx, uint32_t command, const uint8_t *buffer,
                    size_t size, enum sev_status status);
    void *ctx;
};

struct machine_config {
    const struct psp_profile *profile; /* copied */
    struct psp_chip chip;              /* copied */
    uint64_t memory_size;              /* 0: 1 TiB (sparse) */
    struct psp_sev_config sev; /* copied; snp_enabled is the profile's */
    /** NULL: the operating system's random source. Otherwise every random
     * byte of the platform comes from this seed. */
    const uint8_t *seed;
    /** Non-volatile store, as in psp_host_ops; both may be NULL. */
    int (*nv_load)(void *ctx, uint8_t *blob);
    int (*nv_store)(void *ctx, const uint8_t *blob);
    void *nv_ctx;
    struct machine_trace trace;
};

/** Build and power on. Returns 0, -ENOMEM, -EINVAL (memory_size is no multiple
 * of 4 KiB, below 16 MiB or above 256 TiB; impossible profile). */
int machine_create(const struct machine_config *config, struct machine **out);
/** All VMs must be destroyed before. Wipes memory and secrets. */
void machine_destroy(struct machine *m);

const struct psp_profile *machine_profile(const struct machine *m);

/** Host initialisation as Linux does it: SNP_INIT_EX, SNP_DF_FLUSH when the
 * profile has SNP (then legacy INIT and DF_FLUSH when the model has them).
 * Returns the first status that is not SEV_SUCCESS. */
enum sev_status machine_platform_init(struct machine *m);

/**
 * One mailbox command. @buffer of @size bytes (at most a page) is copied into a
 * command page, the command is executed, the page is copied back into @buffer.
 * Takes the lock; a signature is computed outside it. A legacy command's page
 * is handed to the firmware and reclaimed while SNP is initialised, as Linux
 * does. Out of memory for a command page: SEV_RESOURCE_LIMIT.
 */
enum sev_status machine_command(struct machine *m, uint32_t command,
                                void *buffer, size_t size);

/** What machine_command() returns besides the firmware's 16 bits: nobody
 * answered in time, and, from then on, the processor is given up. Happens by a
 * fault plan only, and without the time Linux waits. abi/linux.md §1.8 */
#define MACHINE_NO_ANSWER ((enum sev_status)0x10000)
#define MACHINE_DEAD      ((enum sev_status)0x10001)
/** 0 for a status of the firmware, else -ETIMEDOUT, -EBUSY. */
int machine_errno(enum sev_status status);
/** Has it been given up? */
bool machine_is_dead(const struct machine *m);

/** A fault plan between the drivers and the mailbox (fault_command.h), or NULL.
 * Borrowed until it is replaced; no command may be under way meanwhile. */
struct fault_commands;
void machine_set_faults(struct machine *m, struct fault_commands *faults);

/** Who is who at the mailbox, for fault plans: a guest's legacy handle (@snp
 * false) or context page. @name of 63 bytes at most is copied; NULL: the guest
 * is gone. Out of memory: the guest has no name. */
void machine_guest_is(struct machine *m, bool snp, uint64_t id,
                      const char *name);
/** @name: 64 bytes. False: nobody. */
bool machine_guest_name(struct machine *m, bool snp, uint64_t id, char *name);
bool machine_guest_find(struct machine *m, bool snp, const char *name,
                        uint64_t *id);

/** True after a successful SNP_INIT or SNP_INIT_EX, until the shutdown. */
bool machine_snp_initialized(struct machine *m);

/** Allocate one zeroed 4 KiB page of host memory (RMP: Hypervisor). Returns its
 * physical address, or 0 when memory is exhausted. */
uint64_t machine_page_alloc(struct machine *m);
/** Give a page back. The caller has reclaimed it (RMP: Hypervisor); a page that
 * the RMP still protects is leaked, as in Linux. */
void machine_page_free(struct machine *m, uint64_t spa);
/** The same for @count > 0 physically adjoining pages, aligned to their size
 * rounded up to a power of two (4 MiB at most), as a buddy allocator does. */
uint64_t machine_pages_alloc(struct machine *m, size_t count);
void machine_pages_free(struct machine *m, uint64_t spa, size_t count);

/** Hand a page to the firmware (RMPUPDATE to Firmware). Nothing to do, and 0,
 * while SNP is not initialised. 0 or -EFAULT (RMPUPDATE refused). */
int machine_page_to_firmware(struct machine *m, uint64_t spa);
/** Take a page of any owner back: SNP_PAGE_RECLAIM while it is immutable, then
 * RMPUPDATE to Hypervisor. 0 or -EFAULT (not possible: a Context page). */
int machine_page_reclaim(struct machine *m, uint64_t spa);

/** Physical memory as the host's software sees it: writes to pages that the RMP
 * protects fail with -EFAULT (an RMP fault); ranges may cross pages. 0, -EFAULT
 * or -ENOMEM; nothing is written on failure. */
int machine_read(struct machine *m, uint64_t spa, void *buf, size_t size);
int machine_write(struct machine *m, uint64_t spa, const void *buf,
                  size_t size);

/** RMPUPDATE and PVALIDATE under the machine's lock. */
enum rmp_result machine_rmpupdate(struct machine *m, uint64_t spa,
                                  const struct rmp_update *update);
enum rmp_result machine_pvalidate(struct machine *m, uint64_t spa,
                                  uint32_t asid, uint64_t gpa, bool validate);
struct rmp_entry machine_rmp_get(struct machine *m, uint64_t spa);

/** Memory through the key of the guest that is active on @asid; the RMP is
 * enforced (page must be Guest-Valid for this asid and gpa). One page at most.
 * 0 or -EFAULT. */
int machine_guest_read(struct machine *m, uint32_t asid, uint64_t spa,
                       uint64_t gpa, void *buf, size_t size);
int machine_guest_write(struct machine *m, uint32_t asid, uint64_t spa,
                        uint64_t gpa, const void *buf, size_t size);

/** The same for a legacy SEV guest, whose pages the RMP leaves with the host:
 * an assigned page is refused. */
int machine_sev_read(struct machine *m, uint32_t asid, uint64_t spa, void *buf,
                     size_t size);
int machine_sev_write(struct machine *m, uint32_t asid, uint64_t spa,
                      const void *buf, size_t size);

/** SEV-ES and SNP guests take ASIDs 1 .. min_sev_asid - 1, plain SEV guests
 * min_sev_asid .. asid_count. */
enum machine_asid_kind {
    MACHINE_ASID_ES,
    MACHINE_ASID_SEV,
    MACHINE_ASID_KINDS
};

/** The lowest free ASID of a kind, or 0. A returned ASID is flushed
 * (SNP_DF_FLUSH, or DF_FLUSH without SNP) by the next machine_asid_alloc()
 * that finds no other. */
uint32_t machine_asid_alloc(struct machine *m, enum machine_asid_kind kind);
void machine_asid_free(struct machine *m, uint32_t asid);

/** Pages of simulated DRAM that exist right now (for memory budgets). */
size_t machine_resident_pages(struct machine *m);

/** Random bytes from the platform's source (launch inputs of the host). 0 or
 * -EIO. */
int machine_random(struct machine *m, void *buf, size_t size);

#endif
