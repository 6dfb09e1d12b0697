/* SPDX-License-Identifier: Apache-2.0 */
/**
 * ATTESTATION_REPORT of SEV-SNP. Spec: [56860 §7.3], abi/snp.md §7.2.
 */
#ifndef WIRE_SNP_REPORT_H
#define WIRE_SNP_REPORT_H

#include <psp/err.h>
#include <psp/profile.h>

#include <stddef.h>
#include <stdint.h>

#define SNP_REPORT_SIZE        0x4a0u
#define SNP_REPORT_SIGNED_SIZE 0x2a0u
#define SNP_SIGNATURE_SIZE     0x200u
#define SNP_SIG_COMPONENT_SIZE 72u /* R and S, little-endian, zero-extended */

#define SNP_KEY_INFO_AUTHOR_KEY_EN   0x1u
#define SNP_KEY_INFO_MASK_CHIP_KEY   0x2u
#define SNP_KEY_INFO_SIGNING_KEY(ki) (((ki) >> 2) & 7u)
#define SNP_SIGNING_KEY_VCEK         0u
#define SNP_SIGNING_KEY_VLEK         1u
#define SNP_SIGNING_KEY_NONE         7u

struct snp_version {
    uint8_t build;
    uint8_t minor;
    uint8_t major;
};

struct snp_report {
    uint32_t version;
    uint32_t guest_svn;
    uint64_t policy;
    uint8_t family_id[16];
    uint8_t image_id[16];
    uint32_t vmpl;
    uint32_t signature_algo;
    struct psp_tcb current_tcb;
    uint64_t platform_info;
    uint32_t key_info;
    uint8_t report_data[64];
    uint8_t measurement[48];
    uint8_t host_data[32];
    uint8_t id_key_digest[48];
    uint8_t author_key_digest[48];
    uint8_t report_id[32];
    uint8_t report_id_ma[32];
    struct psp_tcb reported_tcb;
    uint8_t cpuid_fam_id;
    uint8_t cpuid_mod_id;
    uint8_t cpuid_step;
    uint8_t chip_id[64];
    struct psp_tcb committed_tcb;
    struct snp_version current;
    struct snp_version committed;
    struct psp_tcb launch_tcb;
    uint64_t launch_mit_vector;
    uint64_t current_mit_vector;
    uint8_t r[SNP_SIG_COMPONENT_SIZE]; /* as in the report: little-endian */
    uint8_t s[SNP_SIG_COMPONENT_SIZE];
};

/** Encode @report into @out; fields that its version does not have are written
 * as zero whatever the structure holds. */
void snp_report_encode(const struct snp_report *report,
                       uint8_t out[SNP_REPORT_SIZE]);

/**
 * Decode exactly SNP_REPORT_SIZE bytes. Version must be 2..5 (later versions
 * are refused). Reserved bytes must be zero: the ranges of that version
 * (version 4 is laid out as 3), and the padding behind R and S. What is
 * signed but is no byte range (bits of POLICY, KEY_INFO, ...) is the
 * verifier's to judge, and so are the upper 24 bytes of R and S.
 *
 * @report  All zero unless PSP_OK.
 * @where   If not NULL: set on PSP_E_FORMAT to the offset of the first
 *          offending byte. Wrong version: 0. Wrong size: where the shorter
 *          one of the two ends.
 *
 * PSP_OK, PSP_E_FORMAT. decode(encode(x)) is x, and encode(decode(b)) is b.
 */
PSP_MUST_CHECK enum psp_err snp_report_decode(const uint8_t *buf, size_t size,
                                              struct snp_report *report,
                                              size_t *where);

/** Generation from the CPUID bytes of a version-3+ report; for version 2 from
 * CHIP_ID (bytes 8..63 zero and not masked: Turin). PSP_GENERATION_COUNT: it
 * cannot be told (version 2 of Milan or Genoa, or masked; CPUID of no known
 * product). abi/snp.md §7.7 */
enum psp_generation snp_report_generation(const struct snp_report *report);

#endif
