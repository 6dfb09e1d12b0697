/* SPDX-License-Identifier: Apache-2.0 */
/* The mailbox: find the command, read its buffer once, run it. */
#include "psp_impl.h"

#include "snp_cmd.h"

struct psp_job *psp_job_new(void)
{
    return core_alloc(sizeof(struct psp_job));
}

void psp_job_free(struct psp_job *job)
{
    core_free(job, sizeof(*job));
}

static enum sev_status read_buffer(const struct psp_core *core,
                                   const struct psp_command_info *info,
                                   uint64_t spa, uint8_t *buf)
{
    if (info->buffer_size == 0) {
        return SEV_SUCCESS;
    }
    if (!core_range_ok(core, spa, info->buffer_size)) {
        return SEV_INVALID_ADDRESS;
    }
    return core_status(core_read(core, spa, buf, info->buffer_size));
}

static bool snp_mailbox(struct psp *psp, const struct snp_command *row,
                        uint64_t spa, struct psp_job *job,
                        enum sev_status *status)
{
    uint8_t buf[SNP_CMD_MAX_SIZE];

    *status = SEV_INVALID_COMMAND;
    if (!snp_command_exists(row, &psp->core.profile)) {
        return false;
    }
    *status = read_buffer(&psp->core, &row->info, spa, buf);
    if (*status != SEV_SUCCESS) {
        return false;
    }
    if (row->begin != NULL) {
        return row->begin(&psp->snp, buf, &job->snp, status);
    }
    *status = row->run(&psp->snp, buf);
    return false;
}

bool psp_begin(struct psp *psp, uint32_t command, uint64_t spa,
               struct psp_job *job, enum sev_status *status)
{
    const struct snp_command *row = snp_command(command);

    job->owner = JOB_NONE;
    if (row == NULL) {
        if (sev_begin(&psp->sev, command, spa, &job->sev, status)) {
            job->owner = JOB_SEV;
            return true;
        }
        if (command == SEV_CMD_DOWNLOAD_FIRMWARE && *status == SEV_SUCCESS) {
            snp_version_follow(&psp->snp);
        }
        return false;
    }
    if (!snp_mailbox(psp, row, spa, job, status)) {
        return false;
    }
    job->owner = JOB_SNP;
    return true;
}

void psp_job_run(struct psp_job *job)
{
    if (job->owner == JOB_SNP) {
        snp_request_run(&job->snp);
    } else if (job->owner == JOB_SEV) {
        sev_job_run(&job->sev);
    }
}

enum sev_status psp_finish(struct psp *psp, struct psp_job *job)
{
    enum job_owner owner = job->owner;

    job->owner = JOB_NONE;
    switch (owner) {
    case JOB_SNP:
        return snp_request_finish(&psp->snp, &job->snp);
    case JOB_SEV:
        return sev_finish(&psp->sev, &job->sev);
    default:
        return SEV_INVALID_COMMAND;
    }
}

enum sev_status psp_execute(struct psp *psp, uint32_t command, uint64_t spa)
{
    struct psp_job *job = &psp->scratch;
    enum sev_status status;

    if (!psp_begin(psp, command, spa, job, &status)) {
        return status;
    }
    psp_job_run(job);
    return psp_finish(psp, job);
}
