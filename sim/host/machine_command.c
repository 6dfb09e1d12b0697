/* SPDX-License-Identifier: Apache-2.0 */
/* The mailbox, and the order in which Linux brings the platform up. */
#include "fault_command.h"
#include "machine_impl.h"

#include "wire.h"

#include <errno.h>
#include <stdlib.h>

#define CMD_SEV_INIT        0x01u
#define CMD_SEV_DF_FLUSH    0x0au
#define CMD_SNP_INIT        0x81u
#define CMD_SNP_SHUTDOWN    0x82u
#define CMD_SNP_DF_FLUSH    0x84u
#define CMD_SNP_INIT_EX     0x85u
#define CMD_SNP_SHUTDOWN_EX 0x86u
/* Lower ids are legacy commands. */
#define CMD_SNP_FIRST 0x80u

struct machine_slot *machine_slot_take(struct machine *m)
{
    struct machine_slot *slot = m->slots;

    if (slot != NULL) {
        m->slots = slot->next;
        return slot;
    }
    slot = calloc(1, sizeof(*slot));
    if (slot == NULL) {
        return NULL;
    }
    slot->spa = machine_locked_pages_alloc(m, 1);
    slot->job = psp_job_new();
    if (slot->spa == 0 || slot->job == NULL) {
        psp_job_free(slot->job);
        if (slot->spa != 0) {
            page_map_give(
                &m->pages,
                (size_t)((slot->spa - MACHINE_FIRST_PAGE) / DRAM_PAGE_SIZE), 1);
        }
        free(slot);
        return NULL;
    }
    return slot;
}

void machine_slot_give(struct machine *m, struct machine_slot *slot)
{
    slot->next = m->slots;
    m->slots = slot;
}

void machine_slots_clear(struct machine *m)
{
    while (m->slots != NULL) {
        struct machine_slot *slot = m->slots;

        m->slots = slot->next;
        psp_job_free(slot->job);
        free(slot);
    }
}

bool machine_snp_initialized(struct machine *m)
{
    bool yes;

    pthread_mutex_lock(&m->lock);
    yes = m->snp_initialized;
    pthread_mutex_unlock(&m->lock);
    return yes;
}

static void note_outcome(struct machine *m, uint32_t command,
                         enum sev_status status)
{
    if (status != SEV_SUCCESS) {
        return;
    }
    if (command == CMD_SNP_INIT || command == CMD_SNP_INIT_EX) {
        m->snp_initialized = true;
    } else if (command == CMD_SNP_SHUTDOWN || command == CMD_SNP_SHUTDOWN_EX) {
        m->snp_initialized = false;
    }
}

/* Called and returns with the lock; lets go of it while a signature is made. */
static enum sev_status execute(struct machine *m, uint32_t command,
                               struct machine_slot *slot)
{
    enum sev_status status = SEV_SUCCESS;

    if (psp_begin(m->psp, command, slot->spa, slot->job, &status)) {
        pthread_mutex_unlock(&m->lock);
        psp_job_run(slot->job);
        pthread_mutex_lock(&m->lock);
        status = psp_finish(m->psp, slot->job);
    }
    return status;
}

/* A command page that the firmware writes must be the firmware's, and comes
 * back as Reclaim. abi/snp.md §1.2 */
static enum sev_status execute_legacy(struct machine *m, uint32_t command,
                                      struct machine_slot *slot)
{
    enum sev_status status;
    int err;

    if (machine_locked_to_firmware(m, slot->spa) != 0) {
        return SEV_HWERROR_PLATFORM;
    }
    status = execute(m, command, slot);
    pthread_mutex_unlock(&m->lock);
    err = machine_page_reclaim(m, slot->spa);
    pthread_mutex_lock(&m->lock);
    return err == 0 ? status : SEV_HWERROR_PLATFORM;
}

static enum sev_status ask(struct machine *m, uint32_t command, void *buffer,
                           size_t size)
{
    struct machine_slot *slot;
    enum sev_status status = SEV_RESOURCE_LIMIT;

    pthread_mutex_lock(&m->lock);
    slot = machine_slot_take(m);
    if (slot == NULL || dram_write(m->dram, slot->spa, buffer, size) != 0) {
        goto out;
    }
    if (command < CMD_SNP_FIRST && size > 0 && m->snp_initialized) {
        status = execute_legacy(m, command, slot);
    } else {
        status = execute(m, command, slot);
    }
    note_outcome(m, command, status);
    if (m->trace.command != NULL) {
        pthread_mutex_unlock(&m->lock);
        m->trace.command(m->trace.ctx, command, buffer, size, status);
        pthread_mutex_lock(&m->lock);
    }
    (void)dram_read(m->dram, slot->spa, buffer, size);
out:
    if (slot != NULL) {
        machine_slot_give(m, slot);
    }
    pthread_mutex_unlock(&m->lock);
    return status;
}

enum sev_status machine_command(struct machine *m, uint32_t command,
                                void *buffer, size_t size)
{
    struct fault_transit t = {
        .command = command, .buffer = buffer, .size = size};

    if (size > DRAM_PAGE_SIZE) {
        return SEV_INVALID_LENGTH;
    }
    if (atomic_load(&m->dead)) {
        return MACHINE_DEAD;
    }
    if (!fault_command_before(m->faults, &t)) {
        t.status = ask(m, command, buffer, size);
        fault_command_after(m->faults, &t);
    }
    if (t.status == MACHINE_NO_ANSWER) {
        atomic_store(&m->dead, true);
    }
    return t.status;
}

int machine_errno(enum sev_status status)
{
    if (status == MACHINE_NO_ANSWER) {
        return -ETIMEDOUT;
    }
    return status == MACHINE_DEAD ? -EBUSY : 0;
}

bool machine_is_dead(const struct machine *m)
{
    return atomic_load(&m->dead);
}

void machine_set_faults(struct machine *m, struct fault_commands *faults)
{
    m->faults = faults;
}

static enum sev_status snp_bring_up(struct machine *m)
{
    uint8_t init[0x40] = {0x01}; /* INIT_RMP */
    enum sev_status status;

    status = machine_command(m, CMD_SNP_INIT_EX, init, sizeof(init));
    if (status == SEV_SUCCESS) {
        status = machine_command(m, CMD_SNP_DF_FLUSH, NULL, 0);
    }
    return status;
}

static enum sev_status hand_over_tmr(struct machine *m)
{
    for (uint64_t at = 0; at < MACHINE_TMR_SIZE; at += DRAM_PAGE_SIZE) {
        if (machine_page_to_firmware(m, MACHINE_TMR_SPA + at) != 0) {
            return SEV_HWERROR_PLATFORM;
        }
    }
    return SEV_SUCCESS;
}

/* With the ES flag and a trusted memory region, as Linux does. The region is
 * 2 MiB once SNP is up, 1 MiB otherwise. abi/sev.md §1.3 */
static enum sev_status legacy_bring_up(struct machine *m)
{
    uint8_t init[0x14] = {0};
    struct psp_wr w = psp_wr(init, sizeof(init));
    enum sev_status status = hand_over_tmr(m);

    if (status != SEV_SUCCESS) {
        return status;
    }
    psp_wr_le32(&w, 1);
    psp_wr_le32(&w, 0);
    psp_wr_le64(&w, MACHINE_TMR_SPA);
    psp_wr_le32(&w, machine_snp_initialized(m) ? MACHINE_TMR_SIZE
                                               : MACHINE_TMR_SIZE / 2);
    status = machine_command(m, CMD_SEV_INIT, init, sizeof(init));
    if (status == SEV_SUCCESS) {
        status = machine_command(m, CMD_SEV_DF_FLUSH, NULL, 0);
    }
    return status;
}

enum sev_status machine_platform_init(struct machine *m)
{
    enum sev_status status = SEV_SUCCESS;
    struct psp_command_info legacy_init;

    if (m->profile.has_snp) {
        status = snp_bring_up(m);
    }
    if (status == SEV_SUCCESS && psp_command_info(CMD_SEV_INIT, &legacy_init)) {
        status = legacy_bring_up(m);
    }
    return status;
}
