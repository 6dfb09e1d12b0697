/* SPDX-License-Identifier: Apache-2.0 */
/**
 * An SNP platform for tests: sparse memory, host callbacks that count and fail
 * on demand, and a guest launched through the mailbox. Everything a test did
 * not ask for fails the test.
 */
#ifndef SNP_FIXTURE_H
#define SNP_FIXTURE_H

#include "psp_impl.h"
#include "snp_cmd.h"
#include "snp_launch.h"
#include "tst_suite.h"

#define FX_MEMORY_SIZE  0x4000000ull /* 64 MiB */
#define FX_RMP_SIZE     0x3c00000ull /* above: Default pages */
#define FX_DEFAULT_PAGE 0x3d00000ull /* one of them */
#define FX_COMMAND      0x1000ull    /* the command page */
#define FX_FIRST_PAGE   0x10000ull   /* handed out from here */
#define FX_FIRST_2M     0x1000000ull /* 2 MiB pages are from here */
#define FX_PAGES        (FX_MEMORY_SIZE / RMP_PAGE_SIZE)
#define FX_APIC_IDS     16u

#define FX_POLICY 0x30000ull /* SMT, and the bit that must be one */
#define FX_DEBUG  0xb0000ull /* the same with DEBUG */

struct snp_fx {
    struct psp *psp;
    struct psp_config config;
    struct psp_host_ops ops;
    uint8_t *page[FX_PAGES]; /* NULL: never written, reads as zero */
    uint64_t next_page;
    uint64_t next_2m;
    struct psp_drbg drbg;
    unsigned int calls;     /* of mem_read, mem_write and entropy */
    unsigned int fail_at;   /* number of the call that fails; 0: none */
    unsigned int fail_more; /* and that many calls right after it */
    bool wbinvd_owed;
    bool snp_disabled;
};

/** Power on profile @name, UNINIT. @adjust (may be NULL) edits the
 * configuration first. */
struct snp_fx *snp_fx_new(const char *name,
                          void (*adjust)(struct psp_config *config));
void snp_fx_free(struct snp_fx *fx);
/** Power on, SNP_INIT, SNP_DF_FLUSH. */
struct snp_fx *snp_fx_up(const char *name,
                         void (*adjust)(struct psp_config *config));

static inline struct psp_core *fx_core(struct snp_fx *fx)
{
    return &fx->psp->core;
}

static inline struct snp_platform *fx_snp(struct snp_fx *fx)
{
    return &fx->psp->snp;
}

/* -- memory and its reverse map ---------------------------------------------
 */

/** Raw memory, as DRAM has it. */
void fx_write(struct snp_fx *fx, uint64_t spa, const void *buf, size_t size);
void fx_read(struct snp_fx *fx, uint64_t spa, void *buf, size_t size);
void fx_fill(struct snp_fx *fx, uint64_t spa, uint8_t byte, size_t size);
/** A page nobody has; its state is Hypervisor. */
uint64_t fx_page(struct snp_fx *fx);
uint64_t fx_page_2m(struct snp_fx *fx);
enum rmp_state fx_state(struct snp_fx *fx, uint64_t spa);
/** RMPUPDATE that must succeed: Firmware, Pre-Guest. Return @spa. */
uint64_t fx_firmware(struct snp_fx *fx, uint64_t spa);
uint64_t fx_pre_guest(struct snp_fx *fx, uint64_t spa, uint32_t asid,
                      uint64_t gpa);
uint64_t fx_pre_guest_2m(struct snp_fx *fx, uint64_t spa, uint32_t asid,
                         uint64_t gpa);
/** RMPUPDATE that makes a page of any non-immutable state a Hypervisor page. */
void fx_unassign(struct snp_fx *fx, uint64_t spa);

/* -- commands
 * ------------------------------------------------------------------ */

/** Put @buf into the command page and execute. */
enum sev_status fx_command(struct snp_fx *fx, uint32_t command, const void *buf,
                           size_t size);
/** A command whose buffer is one u64. */
enum sev_status fx_command_u64(struct snp_fx *fx, uint32_t command,
                               uint64_t value);

/** Encode and execute: FX(fx, ACTIVATE, activate, .gctx_paddr = ...). */
#define FX(fx, ID, name, ...)                                                  \
    fx_##name((fx), SNP_CMD_##ID, &(struct snp_cmd_##name){__VA_ARGS__})

#define FX_DECLARE(name)                                                       \
    enum sev_status fx_##name(struct snp_fx *fx, uint32_t command,             \
                              const struct snp_cmd_##name *cmd)
FX_DECLARE(init_ex);
FX_DECLARE(shutdown_ex);
FX_DECLARE(status);
FX_DECLARE(feature_info);
FX_DECLARE(config);
FX_DECLARE(commit);
FX_DECLARE(vlek_load);
FX_DECLARE(download_firmware_ex);
FX_DECLARE(verify_mitigation);
FX_DECLARE(gctx);
FX_DECLARE(activate);
FX_DECLARE(activate_ex);
FX_DECLARE(guest_status);
FX_DECLARE(guest_request);
FX_DECLARE(launch_start);
FX_DECLARE(launch_update);
FX_DECLARE(launch_finish);
FX_DECLARE(dbg);
FX_DECLARE(page_swap);
FX_DECLARE(page_move);
FX_DECLARE(page_md_init);
FX_DECLARE(page_set_state);
FX_DECLARE(page_reclaim);
FX_DECLARE(page_unsmash);

/* -- guests
 * -------------------------------------------------------------------- */

/** Each brings a new guest as far as its name says, and returns its context
 * page. Launched and running guests are active on @asid. */
uint64_t fx_guest_init(struct snp_fx *fx);
uint64_t fx_guest_launch(struct snp_fx *fx, uint32_t asid, uint64_t policy);
uint64_t fx_guest_running(struct snp_fx *fx, uint32_t asid, uint64_t policy);
struct snp_guest *fx_guest(struct snp_fx *fx, uint64_t gctx);
/** SNP_LAUNCH_UPDATE of a new page at @gpa; SUCCESS is asserted. @data: a page,
 * or NULL for zeros. Returns the physical page. */
uint64_t fx_launch_page(struct snp_fx *fx, uint64_t gctx,
                        enum snp_page_type type, uint64_t gpa,
                        const uint8_t *data);

/* -- what must not change
 * ----------------------------------------------------------- */

struct fx_snapshot;
/** Memory, reverse map, ASIDs, platform and all contexts. */
struct fx_snapshot *fx_snapshot(struct snp_fx *fx);
void fx_snapshot_free(struct fx_snapshot *snapshot);
/** Fails the test unless everything is as it was, and frees the snapshot. The
 * command page is left out. */
#define fx_assert_same(fx, snapshot)                                           \
    fx_compare((fx), (snapshot), __FILE__, __LINE__)
void fx_compare(struct snp_fx *fx, struct fx_snapshot *snapshot,
                const char *file, int line);

/** Run @act with the first, second, ... callback failing until it succeeds;
 * each failure must be HWERROR_PLATFORM and leave no trace. Returns how many
 * failures there were. */
unsigned int fx_sweep(struct snp_fx *fx,
                      enum sev_status (*act)(struct snp_fx *fx, void *ctx),
                      void *ctx);

/* -- refusals
 * ---------------------------------------------------------------------------
 */

/** A command that would succeed, until a case breaks it. */
struct fx_try {
    struct snp_fx *fx;
    uint64_t gctx;
    uint64_t page;  /* whatever the command works on */
    uint64_t other; /* a second one */
    uint32_t command;
    size_t size;
    uint8_t buf[SNP_CMD_MAX_SIZE];
};

void fx_put32(struct fx_try *t, size_t offset, uint32_t value);
void fx_put64(struct fx_try *t, size_t offset, uint64_t value);
/** Fill in the command: FX_SET(t, ACTIVATE, activate, .gctx_paddr = ...). */
#define FX_SET(t, ID, NAME, name, ...)                                         \
    do {                                                                       \
        const struct snp_cmd_##name cmd_ = {__VA_ARGS__};                      \
        (t)->command = SNP_CMD_##ID;                                           \
        (t)->size = SNP_CMD_##NAME##_SIZE;                                     \
        snp_cmd_##name##_encode(&cmd_, (t)->buf);                              \
    } while (0)
enum sev_status fx_execute(struct fx_try *t);

/** @break_it: NULL for the unbroken command. */
struct fx_case {
    const char *name;
    void (*prepare)(struct fx_try *t);
    void (*break_it)(struct fx_try *t);
    enum sev_status status;
};
/** Test of one struct fx_case: the status is right, and unless it is SUCCESS
 * nothing has changed. */
void fx_test_case(void **state);

#endif
