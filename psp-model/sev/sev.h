/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The legacy half of the firmware: SEV and SEV-ES. State, the table of its
 * commands, and the mailbox entry that platform/ calls for their identifiers.
 * Spec: [55766], abi/sev.md.
 */
#ifndef SEV_H
#define SEV_H

#include "core.h"

#include "sev_cert.h"
#include "sev_cmd.h"
#include "sev_crypto.h"
#include "sev_report.h"
#include "sev_session.h"

/** Guests at one time, and the largest handle. abi/sev.md §1.2 item 6 */
#define SEV_GUEST_LIMIT 1024u
/** VMSA pages of one guest. */
#define SEV_VMSA_LIMIT 4096u

/** Values as in GUEST_STATUS. abi/sev.md §3.2 */
enum sev_guest_state {
    SEV_GUEST_UNINIT = 0, /* no such guest */
    SEV_GUEST_LUPDATE = 1,
    SEV_GUEST_LSECRET = 2,
    SEV_GUEST_RUNNING = 3,
    SEV_GUEST_SUPDATE = 4,
    SEV_GUEST_RUPDATE = 5,
    SEV_GUEST_SENT = 6,
};

/** An encrypted VM save area that firmware made. */
struct sev_vmsa {
    uint64_t spa;
    uint8_t digest[SHA256_SIZE]; /* of its plaintext: the integrity check */
};

/** Keys that protect one launch or one migration; all zero otherwise. */
struct sev_transport {
    uint8_t nonce[SEV_NONCE_SIZE];
    uint8_t ms[SEV_TK_SIZE]; /* master secret */
    uint8_t tek[SEV_TK_SIZE];
    uint8_t tik[SEV_TK_SIZE];
};

/** Guest context, field names of abi/sev.md §3.3. */
struct sev_guest {
    uint32_t handle;
    enum sev_guest_state state;
    uint32_t policy;
    uint32_t asid; /* 0: not bound */
    bool ran;      /* reached RUNNING at least once */
    uint8_t vek[32];
    struct sev_transport transport;
    struct psp_sha256_stream ld;            /* running; LUPDATE only */
    uint8_t launch_digest[SEV_DIGEST_SIZE]; /* zero for a received guest */
    uint8_t measure[SEV_MAC_SIZE];
    uint8_t oek[GCM_KEY_SIZE]; /* SWAP_* */
    uint64_t oek_count;
    struct sev_vmsa *vmsa; /* owned */
    size_t vmsa_count;
    size_t vmsa_room;
};

/** What the persistent store holds. abi/sev.md §4.4 */
struct sev_keys {
    bool external; /* the OCA certificate was imported: no private key */
    bool has_oca;
    bool has_pek;
    bool has_pdh;
    struct psp_p384_key oca;
    struct psp_p384_key pek;
    struct psp_p384_key pdh;
    struct sev_cert oca_cert;
    struct sev_cert pek_cert;
    struct sev_cert pdh_cert;
};

struct sev_platform {
    struct psp_core *core; /* sev_state is the platform state */
    struct psp_sev_config config;
    struct psp_p384_key cek;
    struct sev_keys keys;
    bool es; /* CONFIG.ES */
    uint64_t tmr_paddr;
    uint32_t tmr_size;
    uint64_t nv_paddr; /* of the last INIT_EX; 0: built-in store */
    uint8_t *nv;       /* built-in store when the host offers none */
    uint32_t guest_count;
    uint64_t used[SEV_GUEST_LIMIT / 64];       /* bit handle - 1 */
    struct sev_guest *guests[SEV_GUEST_LIMIT]; /* handle - 1 */
};

/**
 * Power-on state: UNINIT, nothing loaded.
 *
 * @core    Borrowed until sev_clear().
 * @config  Copied; NULL: defaults.
 *
 * Returns PSP_OK, PSP_E_NOMEM.
 */
PSP_MUST_CHECK enum psp_err sev_init(struct sev_platform *sev,
                                     struct psp_core *core,
                                     const struct psp_sev_config *config);
/** Free all guests and wipe. */
void sev_clear(struct sev_platform *sev);

/** When the command buffer is written back. Otherwise it stays untouched. */
enum sev_write_back {
    SEV_WRITE_NEVER,
    SEV_WRITE_SUCCESS,
    SEV_WRITE_LENGTH, /* on SUCCESS and on INVALID_LENGTH */
};

struct sev_call;
typedef enum sev_status sev_handler(struct sev_call *call);

#define SEV_NO_HANDLE 0xffu

/** One row per command; abi/sev.md §1.1. The steps of a command are the members
 * `first` to `run`, in this order; HANDLE is looked up between `shape` and
 * `arguments`. A step that does not answer SUCCESS ends the command. */
struct sev_command {
    uint16_t id;
    const char *name;
    uint8_t buffer_size;
    uint8_t handle_offset; /* of HANDLE in the buffer, or SEV_NO_HANDLE */
    enum sev_write_back write_back;
    uint16_t min_api; /* major << 8 | minor; older firmware lacks the command */
    sev_handler *first;      /* before the platform state */
    uint8_t platform_states; /* bit n: legal in platform state n */
    bool or_snp;             /* legal as well while SNP is INIT */
    sev_handler *shape;      /* between platform state and handle */
    sev_handler *arguments;  /* between handle and guest state */
    uint8_t guest_states;    /* bit n: legal in guest state n; 0: no guest */
    sev_handler *run;        /* everything else */
    sev_handler *undo;       /* takes back `run` when the write-back fails */
};

/** Row of @id, or NULL. Static storage. */
const struct sev_command *sev_command(uint32_t id);
/** Row number @index in ascending order of id, or NULL past the last. */
const struct sev_command *sev_command_at(size_t index);

/** Result of a long computation, and what it needs. No pointer into the
 * platform. */
struct sev_job {
    const struct sev_command *row;
    uint64_t buffer_paddr;
    uint64_t report_paddr;
    struct psp_p384_key key;
    struct sev_report report;
    uint8_t sent[SEV_CMD_MAX_SIZE];   /* command buffer as it came */
    uint8_t buffer[SEV_CMD_MAX_SIZE]; /* and as it goes back */
    enum psp_err err;
};

/**
 * Execute mailbox command @id whose command buffer is at @spa: read it once,
 * check, act, write it back where the table says so.
 *
 * Returns INVALID_COMMAND for an identifier that is not in the table or that
 * this firmware version lacks, INVALID_ADDRESS for an unreadable buffer,
 * INVALID_PAGE_STATE when SNP is INIT and a buffer that may be written is
 * neither Firmware nor Default, else the command's own status.
 * HWERROR_PLATFORM (RESOURCE_LIMIT for memory) when the model itself failed.
 */
enum sev_status sev_execute(struct sev_platform *sev, uint32_t id,
                            uint64_t spa);

/** The same in three steps, so that ATTESTATION's signature can be made
 * outside a lock. Returns true when sev_job_run() and sev_finish() must follow;
 * false when *status is the answer. */
bool sev_begin(struct sev_platform *sev, uint32_t id, uint64_t spa,
               struct sev_job *job, enum sev_status *status);
/** Sign. Touches only @job. */
void sev_job_run(struct sev_job *job);
/** Write report and buffer; wipes @job. */
enum sev_status sev_finish(struct sev_platform *sev, struct sev_job *job);

/** Guest named @handle, or NULL. */
struct sev_guest *sev_guest_find(const struct sev_platform *sev,
                                 uint32_t handle);

#endif
