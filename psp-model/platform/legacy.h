/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The seam to the legacy half (psp-model/sev): everything platform/ asks of it.
 */
#ifndef PLATFORM_LEGACY_H
#define PLATFORM_LEGACY_H

#include "core.h"

/** 1 when psp-model/sev links; until then its commands do not exist. */
#define LEGACY_HALF 1

#if LEGACY_HALF

#include "sev.h"

struct psp_legacy {
    struct sev_platform platform;
};
struct psp_legacy_job {
    struct sev_job job;
};

#else

struct psp_legacy {
    char none;
};
struct psp_legacy_job {
    char none;
};

#endif

PSP_MUST_CHECK enum psp_err
psp_legacy_init(struct psp_legacy *legacy, struct psp_core *core,
                const struct psp_sev_config *config);
void psp_legacy_clear(struct psp_legacy *legacy);

/** Row of the table, by identifier or by ascending index. False: none. */
bool psp_legacy_info(uint32_t command, struct psp_command_info *info);
bool psp_legacy_info_at(size_t index, struct psp_command_info *info);

/** As psp_begin(), psp_job_run(), psp_finish(). */
bool psp_legacy_begin(struct psp_legacy *legacy, uint32_t command, uint64_t spa,
                      struct psp_legacy_job *job, enum sev_status *status);
void psp_legacy_job_run(struct psp_legacy_job *job);
enum sev_status psp_legacy_finish(struct psp_legacy *legacy,
                                  struct psp_legacy_job *job);

#endif
