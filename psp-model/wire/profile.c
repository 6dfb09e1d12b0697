/* SPDX-License-Identifier: Apache-2.0 */
#include <psp/profile.h>

#include <string.h>

/* Values of abi/snp.md §0.3 (real reports). Naples and Rome have no SNP; their
 * versions are those of public kernel logs: Naples builds below 19 have a
 * GET_ID bug that tools work around, Rome has ATTESTATION from 0.23 on.
 * min_sev_asid as such logs show it. */
static const struct psp_profile PROFILES[] = {
    {
        .name = "naples",
        .generation = PSP_NAPLES,
        .api_minor = 17,
        .build = 22,
        .cpuid_family = 0x17,
        .cpuid_model = 0x01,
        .cpuid_stepping = 0x02,
        .chip_id_size = 64,
        .asid_count = 15,
        .min_sev_asid = 5,
        .socket_count = 1,
    },
    {
        .name = "rome",
        .generation = PSP_ROME,
        .api_minor = 24,
        .build = 14,
        .cpuid_family = 0x17,
        .cpuid_model = 0x31,
        .cpuid_stepping = 0x00,
        .chip_id_size = 64,
        .asid_count = 509,
        .min_sev_asid = 100,
        .socket_count = 1,
    },
    {
        .name = "milan-old",
        .generation = PSP_MILAN,
        .has_snp = true,
        .api_major = 1,
        .api_minor = 52,
        .build = 4,
        .report_version = 2,
        .cpuid_family = 0x19,
        .cpuid_model = 0x01,
        .cpuid_stepping = 0x01,
        .tcb = {{0x03, 0, 0, 0, 0, 0, 0x08, 0x73}},
        .platform_info = 0x01,
        .feature_ecx = 0x03,
        .secrets_version = 2,
        .chip_id_size = 64,
        .asid_count = 509,
        .min_sev_asid = 100,
        .socket_count = 1,
    },
    {
        .name = "milan",
        .generation = PSP_MILAN,
        .has_snp = true,
        .api_major = 1,
        .api_minor = 55,
        .build = 29,
        .report_version = 3,
        .cpuid_family = 0x19,
        .cpuid_model = 0x01,
        .cpuid_stepping = 0x01,
        .tcb = {{0x04, 0, 0, 0, 0, 0, 0x18, 0xdb}},
        .platform_info = 0x25,
        .feature_ecx = 0x03,
        .secrets_version = 3,
        .chip_id_size = 64,
        .asid_count = 509,
        .min_sev_asid = 100,
        .socket_count = 1,
    },
    {
        .name = "genoa",
        .generation = PSP_GENOA,
        .has_snp = true,
        .api_major = 1,
        .api_minor = 55,
        .build = 40,
        .report_version = 3,
        .cpuid_family = 0x19,
        .cpuid_model = 0x11,
        .cpuid_stepping = 0x01,
        .tcb = {{0x0a, 0, 0, 0, 0, 0, 0x17, 0x54}},
        .platform_info = 0x25,
        .feature_ecx = 0x03,
        .secrets_version = 3,
        .chip_id_size = 64,
        .asid_count = 1006,
        .min_sev_asid = 100,
        .socket_count = 1,
    },
    {
        .name = "turin",
        .generation = PSP_TURIN,
        .has_snp = true,
        .api_major = 1,
        .api_minor = 55,
        .build = 65,
        .report_version = 5,
        .cpuid_family = 0x1a,
        .cpuid_model = 0x02,
        .cpuid_stepping = 0x01,
        .tcb = {{0x01, 0x01, 0x01, 0x04, 0, 0, 0, 0x51}},
        .platform_info = 0x25,
        .mit_vector = 0x3f,
        .feature_ecx = 0x03,
        .secrets_version = 3,
        .chip_id_size = 8,
        .has_hv_report = true,
        .asid_count = 1006,
        .min_sev_asid = 100,
        .socket_count = 1,
    },
};

#define PROFILE_COUNT (sizeof(PROFILES) / sizeof(PROFILES[0]))

const struct psp_profile *psp_profile_at(size_t index)
{
    return index < PROFILE_COUNT ? &PROFILES[index] : NULL;
}

const struct psp_profile *psp_profile_by_name(const char *name)
{
    for (size_t i = 0; i < PROFILE_COUNT; i++) {
        if (strcmp(PROFILES[i].name, name) == 0) {
            return &PROFILES[i];
        }
    }
    return NULL;
}

const char *psp_generation_name(enum psp_generation generation)
{
    static const char *const name[PSP_GENERATION_COUNT] = {
        "Naples", "Rome", "Milan", "Genoa", "Turin",
    };

    return (unsigned int)generation < PSP_GENERATION_COUNT ? name[generation]
                                                           : "unknown";
}

bool psp_tcb_is_turin_layout(enum psp_generation generation)
{
    return generation == PSP_TURIN;
}

bool psp_tcb_le(const struct psp_tcb *a, const struct psp_tcb *b)
{
    for (size_t i = 0; i < PSP_TCB_SIZE; i++) {
        if (a->b[i] > b->b[i]) {
            return false;
        }
    }
    return true;
}

bool psp_tcb_reserved_clear(enum psp_generation generation,
                            const struct psp_tcb *tcb)
{
    size_t first = psp_tcb_is_turin_layout(generation) ? 4 : 2;
    size_t last = psp_tcb_is_turin_layout(generation) ? 6 : 5;

    for (size_t i = first; i <= last; i++) {
        if (tcb->b[i] != 0) {
            return false;
        }
    }
    return true;
}
