/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The table of SNP mailbox commands. Spec: abi/snp.md §1.1.
 */
#ifndef SNP_COMMANDS_H
#define SNP_COMMANDS_H

#include "request.h"

/** The first part of a command whose answer may need a signature. */
typedef bool snp_begin(struct snp_platform *snp, const uint8_t *buf,
                       struct snp_job *job, enum sev_status *status);

/** One row per command. States are not checked from here: firmware checks
 * reserved fields first, so each handler has that check where it belongs; the
 * tests hold the handlers to this table. */
struct snp_command {
    struct psp_command_info info;
    snp_handler *run; /* or */
    snp_begin *begin; /* then snp_request_run(), snp_request_finish() */
    uint32_t feature; /* exists with this bit of SNP_FEATURE_INFO; 0: always */
    bool hv_report;   /* exists in profiles with has_hv_report only */
};

/** Row of @id, or NULL. Static storage. */
const struct snp_command *snp_command(uint32_t id);
/** Row number @index in ascending order of id, or NULL past the last. */
const struct snp_command *snp_command_at(size_t index);
/** True if firmware of this profile knows the command. */
bool snp_command_exists(const struct snp_command *row,
                        const struct psp_profile *profile);

#endif
