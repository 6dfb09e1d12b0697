/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What both firmware halves stand on: host callbacks, the chip, the profile,
 * the reverse map and each other's platform state.
 */
#ifndef PSP_CORE_H
#define PSP_CORE_H

#include <psp/psp.h>

enum sev_platform_state {
    SEV_PLATFORM_UNINIT = 0,
    SEV_PLATFORM_INIT = 1,
    SEV_PLATFORM_WORKING = 2,
};

enum snp_platform_state { SNP_PLATFORM_UNINIT = 0, SNP_PLATFORM_INIT = 1 };

struct psp_core {
    const struct psp_host_ops *ops;
    void *host;
    struct psp_profile profile;
    struct psp_chip chip;
    uint64_t memory_size;
    struct rmp *rmp;
    enum sev_platform_state sev_state;
    enum snp_platform_state snp_state;
    /** Per ASID (index 0 unused): guest that runs on it. Shared by both
     * halves, since the memory controller has one key slot per ASID. */
    struct core_asid *asids;
};

enum core_asid_user { CORE_ASID_FREE, CORE_ASID_SEV, CORE_ASID_SNP };

struct core_asid {
    enum core_asid_user user;
    bool dirty;       /* needs DF_FLUSH before reuse */
    void *guest;      /* the half's own guest object, for its checks */
    uint8_t vek[32];  /* memory encryption key, AES-128-XTS (two halves) */
};

PSP_MUST_CHECK enum psp_err core_init(struct psp_core *core,
                                      const struct psp_config *config,
                                      const struct psp_host_ops *ops,
                                      void *host);
void core_clear(struct psp_core *core);

/** Physical memory. PSP_E_HOST if any byte is not backed, also when @spa +
 * @size wraps or passes the end of memory. */
PSP_MUST_CHECK enum psp_err core_read(const struct psp_core *core, uint64_t spa,
                                      void *buf, size_t size);
PSP_MUST_CHECK enum psp_err core_write(const struct psp_core *core,
                                       uint64_t spa, const void *buf,
                                       size_t size);
/** True if every byte of the range is inside system memory. */
bool core_range_ok(const struct psp_core *core, uint64_t spa, uint64_t size);

/** Random bytes from the host's entropy callback. PSP_E_HOST. */
PSP_MUST_CHECK enum psp_err core_random(const struct psp_core *core, void *buf,
                                        size_t size);

/** Bind @asid to a guest and its key; or free it and mark it dirty. */
void core_asid_bind(struct psp_core *core, uint32_t asid,
                    enum core_asid_user user, void *guest,
                    const uint8_t vek[32]);
void core_asid_unbind(struct psp_core *core, uint32_t asid);

/**
 * Encrypt or decrypt memory with a guest key as the memory controller does:
 * AES-128-XTS over 16-byte units, tweak = physical address of each 4 KiB page
 * (bytes 0..7 little-endian). @spa and @size are multiples of 16, the range may
 * span pages. @in and @out may be the same.
 */
PSP_MUST_CHECK enum psp_err core_mem_encrypt(const uint8_t vek[32],
                                             uint64_t spa, const uint8_t *in,
                                             uint8_t *out, size_t size);
PSP_MUST_CHECK enum psp_err core_mem_decrypt(const uint8_t vek[32],
                                             uint64_t spa, const uint8_t *in,
                                             uint8_t *out, size_t size);

/** Status that the firmware answers when the model itself failed:
 * PSP_E_NOMEM -> RESOURCE_LIMIT, everything else -> HWERROR_PLATFORM. */
enum sev_status core_status(enum psp_err err);

#endif
