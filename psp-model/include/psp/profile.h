/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What one processor generation with one firmware build looks like.
 * Spec: abi/snp.md §0.3 (values from real reports), abi/certs-kds.md §1.11.
 */
#ifndef PSP_PROFILE_H
#define PSP_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PSP_CHIP_ID_SIZE 64u

/** TCB_VERSION as its 8 bytes in memory order. [56860 TCB_VERSION] */
#define PSP_TCB_SIZE 8u

struct psp_tcb {
    uint8_t b[PSP_TCB_SIZE];
};

enum psp_generation {
    PSP_NAPLES,
    PSP_ROME,
    PSP_MILAN,
    PSP_GENOA,
    PSP_TURIN,
    PSP_GENERATION_COUNT,
};

struct psp_profile {
    const char *name; /* "milan-old", "milan", ...; command-line spelling */
    enum psp_generation generation;
    bool has_snp;      /* false for Naples and Rome */
    uint8_t api_major; /* firmware's own API version, as in reports */
    uint8_t api_minor;
    uint8_t build;
    uint32_t report_version; /* 2, 3 or 5; 0 without SNP */
    uint8_t cpuid_family;    /* extended + base; 0x19, 0x1a */
    uint8_t cpuid_model;     /* extended << 4 | base */
    uint8_t cpuid_stepping;
    struct psp_tcb tcb;      /* current = committed at power-on */
    uint64_t platform_info;  /* PLATFORM_INFO of reports */
    uint64_t mit_vector;     /* CURRENT_MIT_VECTOR; 0 below version 5 */
    uint32_t feature_ecx;    /* SNP_FEATURE_INFO(0).ECX */
    uint8_t secrets_version; /* VERSION of the secrets page, 2 or 3 */
    uint8_t chip_id_size;    /* meaningful bytes of CHIP_ID: 64 or 8 */
    bool has_hv_report;      /* SNP_HV_REPORT_REQ exists */
    uint32_t asid_count;     /* ASIDs 1 .. asid_count, at most 0xffff */
    uint32_t min_sev_asid;   /* below: SEV-ES guests; from it on: SEV */
    uint32_t socket_count;
};

/** Profile called @name, or NULL. Static storage. */
const struct psp_profile *psp_profile_by_name(const char *name);

/** Profile number @index in a fixed order, or NULL past the last. */
const struct psp_profile *psp_profile_at(size_t index);

/** "Milan", "Genoa", ...: AMD's product spelling, as in certificates. */
const char *psp_generation_name(enum psp_generation generation);

/** True if the eight TCB bytes follow the Turin layout (FMC first).
 * Spec: abi/snp.md §7.7. */
bool psp_tcb_is_turin_layout(enum psp_generation generation);

/** True if no component of @a exceeds the same component of @b. Per component,
 * never numeric. [model, abi/snp.md §12 item 12] */
bool psp_tcb_le(const struct psp_tcb *a, const struct psp_tcb *b);

/** True if the bytes that are reserved for this generation are zero. */
bool psp_tcb_reserved_clear(enum psp_generation generation,
                            const struct psp_tcb *tcb);

#endif
