/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The secure processor: one instance, one mailbox.
 *
 * The model is pure: it has no file, socket, thread, clock or global. What it
 * needs from outside comes through struct psp_host_ops. Two instances never
 * meet. One instance is used by one thread at a time, except psp_job_run(),
 * which touches only its job.
 */
#ifndef PSP_PSP_H
#define PSP_PSP_H

#include <psp/err.h>
#include <psp/profile.h>
#include <psp/rmp.h>
#include <psp/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PSP_CHIP_SECRET_SIZE 48u
#define PSP_NV_SIZE          0x8000u

/**
 * What the platform around the secure processor provides. Every callback
 * returns 0 on success; anything else means failure and changes nothing.
 */
struct psp_host_ops {
    /** Copy @size bytes of system memory at physical address @spa. Fails if
     * any byte is not backed by memory. Never blocked by the RMP. */
    int (*mem_read)(void *host, uint64_t spa, void *buf, size_t size);
    int (*mem_write)(void *host, uint64_t spa, const void *buf, size_t size);
    /** Fill @buf from the platform's random source. */
    int (*entropy)(void *host, void *buf, size_t size);
    /** Non-volatile store of exactly PSP_NV_SIZE bytes. nv_load returns 1 when
     * nothing was ever stored. Both may be NULL: nothing survives then. */
    int (*nv_load)(void *host, uint8_t *blob);
    int (*nv_store)(void *host, const uint8_t *blob);
    /** Seconds since the epoch. May be NULL: time stands at 0. */
    uint64_t (*now)(void *host);
    /** True while a core still owes a WBINVD. May be NULL: never. */
    bool (*wbinvd_owed)(void *host);
    /** True if SNP and memory encryption are enabled on all cores with sane RMP
     * bounds and VM_HSAVE_PA clear; else SNP_INIT answers INVALID_CONFIG. May
     * be NULL: always. */
    bool (*snp_enabled)(void *host);
};

/** What the factory fused into the chip; made by pki_chip_make(). */
struct psp_chip {
    uint8_t id[PSP_CHIP_ID_SIZE];         /* GET_ID, CHIP_ID */
    uint8_t secret[PSP_CHIP_SECRET_SIZE]; /* root of VCEK and wrapping keys */
};

/** An AMD root key that SEND_START accepts at the end of a chain. */
struct psp_sev_root {
    uint8_t key_id[16];
    uint8_t digest[48]; /* SHA-384 of the ARK certificate up to its MODULUS */
};

#define PSP_SEV_ROOT_COUNT 8u

/** Choices of the legacy half; all zero is the default. */
struct psp_sev_config {
    bool smee_off;    /* memory encryption off: INIT answers HWERROR_PLATFORM */
    bool snp_enabled; /* SNP on in the CPUs: INIT wants SNP_INIT before it */
    uint32_t root_count; /* trusted ARKs; 0: POLICY.SEV can never be met */
    struct psp_sev_root roots[PSP_SEV_ROOT_COUNT];
};

struct psp_config {
    struct psp_profile profile; /* copied; may differ from the named ones */
    struct psp_chip chip;       /* copied; the caller wipes its own */
    uint64_t memory_size;       /* system memory ends here */
    /** The RMP covers [0, rmp_size); pages above are Default pages. 0 or more
     * than memory_size: all of it. */
    uint64_t rmp_size;
    /** APIC IDs 0 .. n-1 exist, spread evenly over the sockets. 0: 256. */
    uint32_t apic_id_count;
    struct psp_sev_config sev; /* legacy half */
};

struct psp;

/**
 * Power on a processor: both firmware halves UNINIT, everything committed.
 *
 * @config  Borrowed for the call.
 * @ops     Borrowed until psp_destroy(); mem_read, mem_write and entropy are
 *          mandatory.
 * @host    Handed to every callback.
 * @out     The instance; psp_destroy() ends it and wipes its secrets.
 *
 * Returns PSP_OK, PSP_E_NOMEM, PSP_E_PARAM (missing callback, impossible
 * profile), PSP_E_CRYPTO.
 */
PSP_MUST_CHECK enum psp_err psp_create(const struct psp_config *config,
                                       const struct psp_host_ops *ops,
                                       void *host, struct psp **out);
void psp_destroy(struct psp *psp);

/**
 * Execute one mailbox command: read the command buffer at @spa, check, act,
 * write outputs to system memory. Equal to psp_begin(), psp_job_run(),
 * psp_finish().
 *
 * @command  Command identifier, for example 0x81 (SNP_INIT).
 * @spa      Physical address of the command buffer; ignored by commands
 *           without one.
 *
 * Returns the firmware's status. A failing callback or library answers
 * SEV_HWERROR_PLATFORM and changes nothing.
 */
enum sev_status psp_execute(struct psp *psp, uint32_t command, uint64_t spa);

/** The long, state-free part of a command (a signature). Caller-allocated,
 * about 10 KiB; holds secrets between psp_begin() and psp_finish(). */
struct psp_job;
struct psp_job *psp_job_new(void);
void psp_job_free(struct psp_job *job);

/**
 * As psp_execute(), but a command with a long computation stops before it.
 * Returns true when @job must go through psp_job_run() and psp_finish();
 * false when the command is complete and *status holds the answer.
 * Between begin and finish the caller may execute other commands on @psp.
 */
bool psp_begin(struct psp *psp, uint32_t command, uint64_t spa,
               struct psp_job *job, enum sev_status *status);
/** Compute. Touches only @job; may run on any thread without a lock. */
void psp_job_run(struct psp_job *job);
/** Write the outputs and return the status; wipes the job. */
enum sev_status psp_finish(struct psp *psp, struct psp_job *job);

/** The reverse map, for the host's RMPUPDATE and the guest's PVALIDATE. */
struct rmp *psp_rmp(struct psp *psp);

/**
 * The memory controller: what a guest that runs under @asid sees.
 * Reads or writes @size bytes within one 4 KiB page at @spa through the key of
 * the guest (SNP or legacy) that is active on @asid.
 *
 * Returns PSP_OK, PSP_E_PARAM (no active guest on @asid, crosses a page),
 * PSP_E_HOST (memory not backed), PSP_E_CRYPTO. Knows no RMP: the caller
 * (machine) enforces page ownership.
 */
PSP_MUST_CHECK enum psp_err psp_guest_mem_read(struct psp *psp, uint32_t asid,
                                               uint64_t spa, void *buf,
                                               size_t size);
PSP_MUST_CHECK enum psp_err psp_guest_mem_write(struct psp *psp, uint32_t asid,
                                                uint64_t spa, const void *buf,
                                                size_t size);

/** One row of the command table, for traces, documents and tests. The states
 * are those of the half that the command belongs to. */
struct psp_command_info {
    uint32_t id;
    const char *name;        /* "SNP_GUEST_REQUEST"; static storage */
    uint32_t buffer_size;    /* bytes of the command buffer, 0 for none */
    uint8_t platform_states; /* bit n: legal in platform state n */
    uint8_t guest_states;    /* bit n: legal in guest state n; 0: no guest */
};

/** Row of @command. False: there is none. */
bool psp_command_info(uint32_t command, struct psp_command_info *info);
/** Row number @index in ascending order of id. False: past the last. */
bool psp_command_at(size_t index, struct psp_command_info *info);

#endif
