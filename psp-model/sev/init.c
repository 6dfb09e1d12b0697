/* SPDX-License-Identifier: Apache-2.0 */
/* INIT, INIT_EX, SHUTDOWN, PLATFORM_RESET. Spec: abi/sev.md §1.3, §4.4. */
#include "sev_internal.h"

#include "pki.h"
#include "sev_pki.h"

#define TMR_SIZE     0x100000u
#define TMR_SIZE_SNP 0x200000u /* size and alignment once SNP is INIT */
#define NV_ALIGNMENT 0x1000u

/* Everything that SHUTDOWN forgets; nv_paddr stays, so that PLATFORM_RESET
 * erases the store that was in use. abi/sev.md §12.10 */
static void forget(struct sev_platform *sev)
{
    sev_guest_destroy_all(sev);
    psp_wipe(&sev->cek, sizeof(sev->cek));
    psp_wipe(&sev->keys, sizeof(sev->keys));
    sev->es = false;
    sev->tmr_paddr = 0;
    sev->tmr_size = 0;
    sev->core->sev_state = SEV_PLATFORM_UNINIT;
}

/* Checks 2 to 3b of INIT. */
static enum sev_status check_options(const struct sev_platform *sev,
                                     uint32_t options, uint32_t reserved)
{
    if (sev->config.smee_off) {
        return SEV_HWERROR_PLATFORM;
    }
    if ((options & ~SEV_OPTION_ES) != 0 || reserved != 0) {
        return SEV_INVALID_CONFIG;
    }
    if (sev->config.snp_enabled && sev->core->snp_state != SNP_PLATFORM_INIT) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    return SEV_SUCCESS;
}

/* Checks 4 and 5: the store, then the generation chain. */
static enum sev_status load_keys(struct sev_platform *sev)
{
    enum sev_status status = sev_store_load(sev, &sev->keys);
    enum psp_err err;
    bool made;

    if (status != SEV_SUCCESS) {
        return status;
    }
    err = pki_cek_derive(sev->core->chip.secret, &sev->cek);
    if (err == PSP_OK) {
        err = sev_keys_complete(sev, &sev->keys, &made);
    }
    if (err == PSP_OK && made) {
        err = sev_store_save(sev, &sev->keys);
    }
    return core_status(err);
}

/* Checks 6 to 8. */
static enum sev_status check_tmr(const struct sev_platform *sev, uint64_t paddr,
                                 uint32_t size)
{
    uint32_t want =
        sev->core->snp_state == SNP_PLATFORM_INIT ? TMR_SIZE_SNP : TMR_SIZE;

    if (paddr % want != 0) {
        return SEV_INVALID_ADDRESS;
    }
    if (size != want) {
        return SEV_INVALID_LENGTH;
    }
    return sev_addr_output(sev, paddr, size);
}

static void all_asids_dirty(struct psp_core *core)
{
    for (uint32_t asid = 1; asid <= core->profile.asid_count; asid++) {
        core_asid_at(core, asid)->dirty = true;
    }
}

/* From check 6 on. On failure nothing volatile stays. */
static enum sev_status finish_init(struct sev_platform *sev, bool es,
                                   uint64_t tmr_paddr, uint32_t tmr_size)
{
    enum sev_status status =
        es ? check_tmr(sev, tmr_paddr, tmr_size) : SEV_SUCCESS;

    if (status != SEV_SUCCESS) {
        forget(sev);
        return status;
    }
    sev->es = es;
    sev->tmr_paddr = es ? sev_spa(sev, tmr_paddr) : 0;
    sev->tmr_size = es ? tmr_size : 0;
    all_asids_dirty(sev->core);
    sev->core->sev_state = SEV_PLATFORM_INIT;
    return SEV_SUCCESS;
}

enum sev_status sev_run_init(struct sev_call *call)
{
    struct sev_platform *sev = call->sev;
    struct sev_cmd_init c;
    enum sev_status status;

    sev_cmd_init_decode(call->buf, &c);
    status = check_options(sev, c.options, c.reserved);
    if (status != SEV_SUCCESS) {
        return status;
    }
    sev->nv_paddr = 0;
    status = load_keys(sev);
    if (status != SEV_SUCCESS) {
        forget(sev);
        return status;
    }
    return finish_init(sev, (c.options & SEV_OPTION_ES) != 0, c.tmr_paddr,
                       c.tmr_length);
}

/* Checks a to d of INIT_EX. */
static enum sev_status check_nv(const struct sev_platform *sev,
                                const struct sev_cmd_init_ex *c)
{
    enum sev_status status;

    if (c->length != SEV_CMD_INIT_EX_SIZE) {
        return SEV_INVALID_LENGTH;
    }
    if (c->nv_paddr == 0) {
        return SEV_SUCCESS;
    }
    if (c->nv_paddr % NV_ALIGNMENT != 0) {
        return SEV_INVALID_ADDRESS;
    }
    status = sev_addr(sev, c->nv_paddr, c->nv_length);
    if (status != SEV_SUCCESS) {
        return status;
    }
    if (c->nv_length != PSP_NV_SIZE) {
        return SEV_INVALID_LENGTH;
    }
    return sev_output(sev, c->nv_paddr, PSP_NV_SIZE);
}

/* Check f. */
static enum sev_status check_disjoint(const struct sev_platform *sev,
                                      const struct sev_cmd_init_ex *c)
{
    uint64_t tmr = sev_spa(sev, c->tmr_paddr);
    uint64_t nv = sev_spa(sev, c->nv_paddr);
    enum sev_status status = sev_addr(sev, c->tmr_paddr, c->tmr_length);

    if (status != SEV_SUCCESS) {
        return status;
    }
    return tmr < nv + PSP_NV_SIZE && nv < tmr + c->tmr_length
               ? SEV_INVALID_ADDRESS
               : SEV_SUCCESS;
}

enum sev_status sev_run_init_ex(struct sev_call *call)
{
    struct sev_platform *sev = call->sev;
    struct sev_cmd_init_ex c;
    enum sev_status status;
    bool es;

    sev_cmd_init_ex_decode(call->buf, &c);
    es = (c.options & SEV_OPTION_ES) != 0;
    status = check_options(sev, c.options, c.reserved);
    if (status == SEV_SUCCESS) {
        status = check_nv(sev, &c);
    }
    if (status != SEV_SUCCESS) {
        return status;
    }
    sev->nv_paddr = c.nv_paddr;
    status = load_keys(sev);
    if (status == SEV_SUCCESS && es && c.nv_paddr != 0) {
        status = check_disjoint(sev, &c);
    }
    if (status != SEV_SUCCESS) {
        forget(sev);
        return status;
    }
    return finish_init(sev, es, c.tmr_paddr, c.tmr_length);
}

enum sev_status sev_run_shutdown(struct sev_call *call)
{
    if (call->sev->core->sev_state != SEV_PLATFORM_UNINIT) {
        forget(call->sev);
    }
    return SEV_SUCCESS;
}

enum sev_status sev_run_platform_reset(struct sev_call *call)
{
    struct sev_platform *sev = call->sev;

    /* The host may have taken the buffer back since SHUTDOWN. */
    if (sev->nv_paddr != 0 &&
        sev_addr_output(sev, sev->nv_paddr, PSP_NV_SIZE) != SEV_SUCCESS) {
        sev->nv_paddr = 0;
    }
    return core_status(sev_store_erase(sev));
}
