/* SPDX-License-Identifier: Apache-2.0 */
/* Power on and off; what the host may reach besides the mailbox. */
#include "psp_impl.h"

enum psp_err psp_create(const struct psp_config *config,
                        const struct psp_host_ops *ops, void *host,
                        struct psp **out)
{
    struct psp *psp = core_alloc(sizeof(*psp));
    enum psp_err err;

    *out = NULL;
    if (psp == NULL) {
        return PSP_E_NOMEM;
    }
    err = core_init(&psp->core, config, ops, host);
    if (err != PSP_OK) {
        core_free(psp, sizeof(*psp));
        return err;
    }
    err = snp_init(&psp->snp, &psp->core);
    if (err == PSP_OK) {
        err = sev_init(&psp->sev, &psp->core, &config->sev);
        if (err == PSP_OK) {
            *out = psp;
            return PSP_OK;
        }
        snp_clear(&psp->snp);
    }
    core_clear(&psp->core);
    core_free(psp, sizeof(*psp));
    return err;
}

void psp_destroy(struct psp *psp)
{
    if (psp == NULL) {
        return;
    }
    sev_clear(&psp->sev);
    snp_clear(&psp->snp);
    core_clear(&psp->core);
    core_free(psp, sizeof(*psp));
}

struct rmp *psp_rmp(struct psp *psp)
{
    return psp->core.rmp;
}

enum psp_err psp_guest_mem_read(struct psp *psp, uint32_t asid, uint64_t spa,
                                void *buf, size_t size)
{
    return core_guest_read(&psp->core, asid, spa, buf, size);
}

enum psp_err psp_guest_mem_write(struct psp *psp, uint32_t asid, uint64_t spa,
                                 const void *buf, size_t size)
{
    return core_guest_write(&psp->core, asid, spa, buf, size);
}
