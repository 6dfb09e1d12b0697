/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What both firmware halves stand on: host callbacks, the chip, the profile,
 * the reverse map, memory encryption and each other's platform state.
 */
#ifndef PSP_CORE_H
#define PSP_CORE_H

#include <psp/psp.h>

#define CORE_VEK_SIZE 32u

/** Memory of the model: zeroed; NULL when there is none. */
void *core_alloc(size_t size);
/** Wipes the @size bytes that core_alloc() gave, then frees. NULL: nothing. */
void core_free(void *p, size_t size);

/** Where that memory comes from and goes to: the only heap of psp-model outside
 * crypto and pki. A test program may define both itself, to fail, or to look at
 * what is given back. */
void *core_heap_take(size_t size);
void core_heap_give(void *p);

enum sev_platform_state {
    SEV_PLATFORM_UNINIT = 0,
    SEV_PLATFORM_INIT = 1,
    SEV_PLATFORM_WORKING = 2,
};

enum snp_platform_state { SNP_PLATFORM_UNINIT = 0, SNP_PLATFORM_INIT = 1 };

enum core_asid_user { CORE_ASID_FREE, CORE_ASID_SEV, CORE_ASID_SNP };

struct core_asid {
    enum core_asid_user user;
    bool dirty;  /* needs DF_FLUSH before reuse */
    void *guest; /* the half's own guest object, for its checks */
    uint8_t vek[CORE_VEK_SIZE]; /* memory encryption key, AES-128-XTS */
};

struct psp_core {
    const struct psp_host_ops *ops;
    void *host;
    struct psp_profile profile;
    struct psp_chip chip;
    uint64_t memory_size;
    uint64_t rmp_size;
    uint32_t apic_id_count;
    struct rmp *rmp;
    /** Each half writes its own; both read. */
    enum sev_platform_state sev_state;
    enum snp_platform_state snp_state;
    /** asids[1] .. asids[profile.asid_count]; asids[0] is unused. Shared by
     * both halves: the memory controller has one key slot per ASID. */
    struct core_asid *asids;
};

/** @core becomes a powered-on chip, or all zero. PSP_E_NOMEM, PSP_E_PARAM as
 * psp_create(). */
PSP_MUST_CHECK enum psp_err core_init(struct psp_core *core,
                                      const struct psp_config *config,
                                      const struct psp_host_ops *ops,
                                      void *host);
/** Frees and wipes; harmless on a zeroed @core. */
void core_clear(struct psp_core *core);

/** Physical memory. PSP_E_HOST if the range is not inside system memory or the
 * callback fails; nothing was written then. */
PSP_MUST_CHECK enum psp_err core_read(const struct psp_core *core, uint64_t spa,
                                      void *buf, size_t size);
PSP_MUST_CHECK enum psp_err core_write(const struct psp_core *core,
                                       uint64_t spa, const void *buf,
                                       size_t size);
/** True if every byte of the range is inside system memory, also if @spa +
 * @size would wrap. This is what INVALID_ADDRESS means; a callback that fails
 * on such a range is HWERROR_PLATFORM. */
bool core_range_ok(const struct psp_core *core, uint64_t spa, uint64_t size);

/** True if @spa .. @spa + @size - 1 lies within one 4 KiB page. */
bool core_within_page(uint64_t spa, uint64_t size);

/**
 * May the firmware write this range as an output? While SNP is INIT all its
 * pages must be Firmware or Default; before, always. abi/snp.md §3.3
 */
bool core_output_ok(const struct psp_core *core, uint64_t spa, uint64_t size);

/** Random bytes from the host's entropy callback. PSP_E_HOST. */
PSP_MUST_CHECK enum psp_err core_random(const struct psp_core *core, void *buf,
                                        size_t size);

/** The slot of @asid, or NULL for 0 and for more than the chip has. */
struct core_asid *core_asid_at(const struct psp_core *core, uint32_t asid);
/** Bind @asid (which exists) to a guest and its key; or free it, wipe its key
 * and mark it dirty. */
void core_asid_bind(struct psp_core *core, uint32_t asid,
                    enum core_asid_user user, void *guest,
                    const uint8_t vek[CORE_VEK_SIZE]);
void core_asid_unbind(struct psp_core *core, uint32_t asid);

/**
 * Encrypt or decrypt memory with a guest key as the memory controller does:
 * AES-128-XTS over 16-byte units, tweak = physical address of each 4 KiB page
 * (bytes 0..7 little-endian). @spa and @size are multiples of 16, the range may
 * span pages. @in and @out may be the same. PSP_E_NOMEM, PSP_E_CRYPTO; @out is
 * then undefined.
 */
PSP_MUST_CHECK enum psp_err core_mem_encrypt(const uint8_t vek[CORE_VEK_SIZE],
                                             uint64_t spa, const uint8_t *in,
                                             uint8_t *out, size_t size);
PSP_MUST_CHECK enum psp_err core_mem_decrypt(const uint8_t vek[CORE_VEK_SIZE],
                                             uint64_t spa, const uint8_t *in,
                                             uint8_t *out, size_t size);

/** psp_guest_mem_read() and psp_guest_mem_write(). Only the part of the page
 * up to the end of the range is read and decrypted. */
PSP_MUST_CHECK enum psp_err core_guest_read(const struct psp_core *core,
                                            uint32_t asid, uint64_t spa,
                                            void *buf, size_t size);
PSP_MUST_CHECK enum psp_err core_guest_write(const struct psp_core *core,
                                             uint32_t asid, uint64_t spa,
                                             const void *buf, size_t size);

/** A firmware update: one firmware, so both halves show the new version from
 * now on (core->profile). */
void core_set_version(struct psp_core *core, uint8_t major, uint8_t minor,
                      uint8_t build);

/** Status that the firmware answers when the model itself failed:
 * PSP_OK -> SUCCESS, PSP_E_NOMEM -> RESOURCE_LIMIT, everything else ->
 * HWERROR_PLATFORM. */
enum sev_status core_status(enum psp_err err);

#endif
