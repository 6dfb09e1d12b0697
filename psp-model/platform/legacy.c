/* SPDX-License-Identifier: Apache-2.0 */
#include "legacy.h"

#if LEGACY_HALF

#define ANY_STATE 0x7u

enum psp_err psp_legacy_init(struct psp_legacy *legacy, struct psp_core *core,
                             const struct psp_sev_config *config)
{
    return sev_init(&legacy->platform, core, config);
}

void psp_legacy_clear(struct psp_legacy *legacy)
{
    sev_clear(&legacy->platform);
}

static bool to_info(const struct sev_command *row,
                    struct psp_command_info *info)
{
    if (row == NULL) {
        return false;
    }
    *info = (struct psp_command_info){
        .id = row->id,
        .name = row->name,
        .buffer_size = row->buffer_size,
        .platform_states =
            row->platform_states == 0 ? ANY_STATE : row->platform_states,
        .guest_states = row->guest_states,
    };
    return true;
}

bool psp_legacy_info(uint32_t command, struct psp_command_info *info)
{
    return to_info(sev_command(command), info);
}

bool psp_legacy_info_at(size_t index, struct psp_command_info *info)
{
    return to_info(sev_command_at(index), info);
}

bool psp_legacy_begin(struct psp_legacy *legacy, uint32_t command, uint64_t spa,
                      struct psp_legacy_job *job, enum sev_status *status)
{
    return sev_begin(&legacy->platform, command, spa, &job->job, status);
}

void psp_legacy_job_run(struct psp_legacy_job *job)
{
    sev_job_run(&job->job);
}

enum sev_status psp_legacy_finish(struct psp_legacy *legacy,
                                  struct psp_legacy_job *job)
{
    return sev_finish(&legacy->platform, &job->job);
}

#else

enum psp_err psp_legacy_init(struct psp_legacy *legacy, struct psp_core *core,
                             const struct psp_sev_config *config)
{
    (void)core;
    (void)config;
    legacy->none = 0;
    return PSP_OK;
}

void psp_legacy_clear(struct psp_legacy *legacy)
{
    (void)legacy;
}

bool psp_legacy_info(uint32_t command, struct psp_command_info *info)
{
    (void)command;
    (void)info;
    return false;
}

bool psp_legacy_info_at(size_t index, struct psp_command_info *info)
{
    (void)index;
    (void)info;
    return false;
}

bool psp_legacy_begin(struct psp_legacy *legacy, uint32_t command, uint64_t spa,
                      struct psp_legacy_job *job, enum sev_status *status)
{
    (void)legacy;
    (void)command;
    (void)spa;
    (void)job;
    *status = SEV_INVALID_COMMAND;
    return false;
}

void psp_legacy_job_run(struct psp_legacy_job *job)
{
    (void)job;
}

enum sev_status psp_legacy_finish(struct psp_legacy *legacy,
                                  struct psp_legacy_job *job)
{
    (void)legacy;
    (void)job;
    return SEV_INVALID_COMMAND;
}

#endif
