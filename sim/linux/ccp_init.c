/* SPDX-License-Identifier: Apache-2.0 */
#include "ccp_dev.h"

#include "wire.h"

#include <errno.h>
#include <stdlib.h>

#define TMR_SIZE     0x100000u
#define TMR_SIZE_SNP 0x200000u
#define OPTION_ES    1u

#define SNP_MIN_MAJOR 1u
#define SNP_MIN_MINOR 51u

/* --- buffers that the firmware keeps while it is initialised --- */

void ccp_release_buffers(struct ccp_dev *dev)
{
    port_buf_free(&dev->port, &dev->tmr);
    port_buf_free(&dev->port, &dev->nv);
}

/* Without a TMR the platform comes up without SEV-ES. */
static void tmr_prepare(struct ccp_dev *dev)
{
    const size_t size = dev->snp_initialized ? TMR_SIZE_SNP : TMR_SIZE;

    if (dev->tmr.size != size) {
        port_buf_free(&dev->port, &dev->tmr);
        (void)port_buf_alloc(&dev->port, size, &dev->tmr);
    }
    if (port_buf_give(&dev->port, &dev->tmr) != 0) {
        port_buf_free(&dev->port, &dev->tmr);
    }
}

static int nv_prepare(struct ccp_dev *dev)
{
    int r = dev->nv.spa == 0 ? ccp_nv_load(dev) : 0;

    return r != 0 ? r : port_buf_give(&dev->port, &dev->nv);
}

/* --- legacy --- */

static int issue_init(struct ccp_dev *dev, uint32_t *error)
{
    uint8_t command[0x14];
    struct psp_wr w = psp_wr(command, sizeof(command));

    psp_wr_le32(&w, dev->tmr.spa != 0 ? OPTION_ES : 0);
    psp_wr_le32(&w, 0);
    psp_wr_le64(&w, dev->tmr.spa);
    psp_wr_le32(&w, dev->tmr.spa != 0 ? (uint32_t)dev->tmr.size : 0);
    return ccp_fw(dev, CCP_FW_INIT, command, sizeof(command), error);
}

static int issue_init_ex(struct ccp_dev *dev, uint32_t *error)
{
    uint8_t command[0x24];
    struct psp_wr w = psp_wr(command, sizeof(command));

    psp_wr_le32(&w, sizeof(command));
    psp_wr_le32(&w, dev->tmr.spa != 0 ? OPTION_ES : 0);
    psp_wr_le64(&w, dev->tmr.spa);
    psp_wr_le32(&w, dev->tmr.spa != 0 ? (uint32_t)dev->tmr.size : 0);
    psp_wr_le32(&w, 0);
    psp_wr_le64(&w, dev->nv.spa);
    psp_wr_le32(&w, CCP_NV_SIZE);
    return ccp_fw(dev, CCP_FW_INIT_EX, command, sizeof(command), error);
}

static int legacy_init(struct ccp_dev *dev, uint32_t *error)
{
    int (*issue)(struct ccp_dev *, uint32_t *) = issue_init;
    int r;

    tmr_prepare(dev);
    if (dev->init_ex_path != NULL) {
        issue = issue_init_ex;
        r = nv_prepare(dev);
        if (r != 0) {
            return r;
        }
    }
    r = issue(dev, error);
    if (r != 0 && *error == SEV_SECURE_DATA_INVALID) {
        r = issue(dev, error); /* the first one erased the store */
    }
    if (r != 0) {
        return r;
    }
    dev->state = CCP_INIT;
    /* Every core has just executed WBINVD. */
    return ccp_fw(dev, CCP_FW_DF_FLUSH, NULL, 0, error);
}

int ccp_platform_init(struct ccp_dev *dev, bool with_snp, uint32_t *error)
{
    int r = 0;

    if (dev->state == CCP_INIT) {
        return 0;
    }
    *error = CCP_NO_FW_CALL;
    if (with_snp) {
        r = ccp_snp_init(dev, error);
    }
    if (r != 0 && r != -ENODEV && r != -EOPNOTSUPP) {
        return r;
    }
    *error = CCP_NO_FW_CALL;
    r = legacy_init(dev, error);
    if (r != 0 && dev->state == CCP_UNINIT) {
        ccp_release_buffers(dev);
    }
    return r;
}

int ccp_platform_shutdown(struct ccp_dev *dev, uint32_t *error)
{
    int r = ccp_fw(dev, CCP_FW_SHUTDOWN, NULL, 0, error);

    if (r == 0) {
        dev->state = CCP_UNINIT;
    }
    return r;
}

/* --- SNP --- */

int ccp_snp_init(struct ccp_dev *dev, uint32_t *error)
{
    uint8_t command[0x40] = {0x01}; /* INIT_RMP; no HV-fixed ranges */
    int r;

    if (!dev->profile.has_snp) {
        return -ENODEV;
    }
    if (dev->snp_initialized) {
        return 0;
    }
    if (dev->api_major < SNP_MIN_MAJOR ||
        (dev->api_major == SNP_MIN_MAJOR && dev->api_minor < SNP_MIN_MINOR)) {
        return -EOPNOTSUPP;
    }
    r = ccp_fw(dev, CCP_FW_SNP_INIT_EX, command, sizeof(command), error);
    if (r == 0) {
        r = ccp_fw(dev, CCP_FW_SNP_DF_FLUSH, NULL, 0, error);
    }
    dev->snp_initialized = r == 0;
    return r;
}

static void snp_shutdown(struct ccp_dev *dev)
{
    uint8_t command[8] = {8, 0, 0, 0, 0x01}; /* LEN; IOMMU_SNP_SHUTDOWN */
    uint32_t error = 0;
    int r;

    if (!dev->snp_initialized) {
        return;
    }
    r = ccp_fw(dev, CCP_FW_SNP_SHUTDOWN_EX, command, sizeof(command), &error);
    if (r != 0 && error == SEV_DF_FLUSH_REQUIRED) {
        (void)ccp_fw(dev, CCP_FW_SNP_DF_FLUSH, NULL, 0, &error);
        r = ccp_fw(dev, CCP_FW_SNP_SHUTDOWN_EX, command, sizeof(command),
                   &error);
    }
    if (r == 0) {
        dev->snp_initialized = false;
        ccp_drop_certs(dev);
    }
}

/* --- implicit, around one command --- */

static bool shuts_down(const struct ccp_dev *dev)
{
    switch (dev->config.after_init) {
    case CCP_AFTER_INIT_STAY:
        return false;
    case CCP_AFTER_INIT_SHUTDOWN:
        return true;
    case CCP_AFTER_INIT_BY_ERA:
        break;
    }
    return dev->config.era >= CCP_ERA_S2;
}

/* Era S2 does not tell why; only a strict driver imitates that. */
static uint32_t init_error(const struct ccp_dev *dev, uint32_t error)
{
    return dev->config.strict && dev->config.era == CCP_ERA_S2
               ? SEV_INVALID_PLATFORM_STATE
               : error;
}

/* The firmware refuses a legacy INIT on a host whose CPUs run with SNP before
 * SNP itself is up. Kernels up to S1 know no better. */
static bool starts_snp(const struct ccp_dev *dev)
{
    return dev->config.era >= CCP_ERA_S2 || !dev->config.strict;
}

int ccp_implicit_init(struct ccp_call *c)
{
    struct ccp_dev *dev = c->dev;
    const bool snp_was_up = dev->snp_initialized;
    uint32_t error = c->error;
    int r;

    r = ccp_platform_init(dev, starts_snp(dev), &error);
    if (r != 0) {
        c->error = init_error(dev, error);
        return r;
    }
    c->error = error;
    c->undo_legacy = true;
    c->undo_snp = !snp_was_up && dev->snp_initialized;
    return 0;
}

int ccp_implicit_snp_init(struct ccp_call *c)
{
    struct ccp_dev *dev = c->dev;
    uint32_t error = CCP_NO_FW_CALL;
    int r;

    if (dev->snp_initialized) {
        return 0;
    }
    r = ccp_snp_init(dev, &error);
    if (r != 0) {
        c->error = init_error(dev, error);
        return r;
    }
    c->undo_snp = true;
    return 0;
}

void ccp_implicit_end(struct ccp_call *c)
{
    struct ccp_dev *dev = c->dev;
    uint32_t ignored = 0;

    if (!shuts_down(dev)) {
        return;
    }
    if (c->undo_legacy) {
        (void)ccp_platform_shutdown(dev, &ignored);
        ccp_release_buffers(dev);
    }
    if (c->undo_snp || (c->undo_legacy && dev->config.strict)) {
        snp_shutdown(dev);
    }
}
