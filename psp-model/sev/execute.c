/* SPDX-License-Identifier: Apache-2.0 */
/* The way of one command: buffer in, the row's checks, buffer out.
 * Spec: abi/sev.md §1.2. */
#include "sev_internal.h"

static bool version_ok(const struct sev_platform *sev,
                       const struct sev_command *row)
{
    return sev_api_at_least(&sev->core->profile, (uint8_t)(row->min_api >> 8),
                            (uint8_t)row->min_api);
}

static enum sev_status platform_state(struct sev_call *call)
{
    const struct psp_core *core = call->sev->core;

    if ((call->row->platform_states >> core->sev_state & 1) != 0 ||
        (call->row->or_snp && core->snp_state == SNP_PLATFORM_INIT)) {
        return SEV_SUCCESS;
    }
    return SEV_INVALID_PLATFORM_STATE;
}

static enum sev_status handle(struct sev_call *call)
{
    uint8_t offset = call->row->handle_offset;
    struct psp_rd r;

    if (offset == SEV_NO_HANDLE) {
        return SEV_SUCCESS;
    }
    r = psp_rd(call->buf + offset, 4);
    call->guest = sev_guest_find(call->sev, psp_rd_le32(&r));
    return call->guest != NULL ? SEV_SUCCESS : SEV_INVALID_GUEST;
}

static enum sev_status guest_state(struct sev_call *call)
{
    if (call->guest == NULL ||
        (call->row->guest_states >> call->guest->state & 1) != 0) {
        return SEV_SUCCESS;
    }
    return SEV_INVALID_GUEST_STATE;
}

static enum sev_status checks_and_action(struct sev_call *call)
{
    sev_handler *const steps[] = {
        call->row->first,     platform_state, call->row->shape, handle,
        call->row->arguments, guest_state,    call->row->run,
    };
    enum sev_status status = SEV_SUCCESS;

    for (size_t i = 0;
         i < sizeof(steps) / sizeof(steps[0]) && status == SEV_SUCCESS; i++) {
        if (steps[i] != NULL) {
            status = steps[i](call);
        }
    }
    return status;
}

static enum sev_status read_buffer(const struct sev_platform *sev,
                                   const struct sev_command *row, uint64_t spa,
                                   uint8_t *buf)
{
    enum sev_status status;

    if (row->buffer_size == 0) {
        return SEV_SUCCESS;
    }
    status = sev_addr(sev, spa, row->buffer_size);
    if (status == SEV_SUCCESS && row->write_back != SEV_WRITE_NEVER) {
        status = sev_output(sev, spa, row->buffer_size);
    }
    if (status != SEV_SUCCESS) {
        return status;
    }
    return core_status(sev_read(sev, spa, buf, row->buffer_size));
}

/* While SNP is INIT the pages of a written buffer end as Reclaim.
 * abi/snp.md §1.2 */
static enum psp_err reclaim_buffer(const struct sev_platform *sev, uint64_t spa,
                                   uint64_t size)
{
    struct psp_core *core = sev->core;
    enum psp_err err = PSP_OK;

    if (core->snp_state != SNP_PLATFORM_INIT) {
        return PSP_OK;
    }
    spa = sev_spa(sev, spa);
    for (uint64_t page = spa - spa % RMP_PAGE_SIZE;
         err == PSP_OK && page < spa + size; page += RMP_PAGE_SIZE) {
        struct rmp_entry entry = rmp_get(core->rmp, page);

        if (entry.state == RMP_FIRMWARE) {
            entry.state = RMP_RECLAIM;
            err = rmp_set(core->rmp, page, &entry);
        }
    }
    return err;
}

static bool write_due(const struct sev_command *row, enum sev_status status)
{
    return (status == SEV_SUCCESS && row->write_back != SEV_WRITE_NEVER) ||
           (status == SEV_INVALID_LENGTH &&
            row->write_back == SEV_WRITE_LENGTH);
}

/* @sent: the buffer as it came; equal bytes need not be written again. */
static enum sev_status write_buffer(struct sev_call *call, uint64_t spa,
                                    const uint8_t *sent, enum sev_status status)
{
    const struct sev_command *row = call->row;
    enum psp_err err = PSP_OK;

    if (!write_due(row, status)) {
        return status;
    }
    if (memcmp(call->buf, sent, row->buffer_size) != 0) {
        err = sev_write(call->sev, spa, call->buf, row->buffer_size);
    }
    if (err == PSP_OK) {
        err = reclaim_buffer(call->sev, spa, row->buffer_size);
    }
    if (err != PSP_OK && status == SEV_SUCCESS && row->undo != NULL) {
        (void)row->undo(call);
    }
    return err != PSP_OK ? core_status(err) : status;
}

bool sev_begin(struct sev_platform *sev, uint32_t id, uint64_t spa,
               struct sev_job *job, enum sev_status *status)
{
    const struct sev_command *row = sev_command(id);
    uint8_t buf[SEV_CMD_MAX_SIZE] = {0}, sent[SEV_CMD_MAX_SIZE];
    struct sev_call call = {.sev = sev, .row = row, .buf = buf, .job = job};

    if (row == NULL || !version_ok(sev, row)) {
        *status = SEV_INVALID_COMMAND;
        return false;
    }
    *status = read_buffer(sev, row, spa, buf);
    if (*status != SEV_SUCCESS) {
        return false;
    }
    memcpy(sent, buf, sizeof(sent));
    *status = checks_and_action(&call);
    if (call.pending) {
        job->row = row;
        job->buffer_paddr = spa;
        memcpy(job->sent, sent, sizeof(sent));
        memcpy(job->buffer, buf, sizeof(buf));
        return true;
    }
    *status = write_buffer(&call, spa, sent, *status);
    return false;
}

enum sev_status sev_finish(struct sev_platform *sev, struct sev_job *job)
{
    struct sev_call call = {.sev = sev, .row = job->row, .buf = job->buffer};
    enum sev_status status = sev_attestation_finish(sev, job);

    if (status == SEV_SUCCESS) {
        status = sev_addr_output(sev, job->buffer_paddr, job->row->buffer_size);
    }
    if (status == SEV_SUCCESS) {
        status = write_buffer(&call, job->buffer_paddr, job->sent, status);
    }
    psp_wipe(job, sizeof(*job));
    return status;
}

enum sev_status sev_execute(struct sev_platform *sev, uint32_t id, uint64_t spa)
{
    enum sev_status status;
    struct sev_job job;

    if (sev_begin(sev, id, spa, &job, &status)) {
        sev_job_run(&job);
        status = sev_finish(sev, &job);
    }
    return status;
}
