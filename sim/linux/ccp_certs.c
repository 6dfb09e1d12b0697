/* SPDX-License-Identifier: Apache-2.0 */
/* Sub-commands that move certificates: PEK_CSR, PDH_CERT_EXPORT,
 * PEK_CERT_IMPORT. */
#include "ccp_dev.h"

#include "wire.h"

#include <errno.h>

static uint32_t min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* --- 3 PEK_CSR --- */

static int csr_prepare(struct ccp_call *c)
{
    int r = c->writable ? ccp_user_sized(c) : -EPERM;

    if (r != 0 || c->query) {
        return r;
    }
    if (c->range[0].len > CCP_BLOB_MAX) {
        return -EFAULT; /* not EINVAL: what Linux answers here */
    }
    return umem_plan_write(c->um, c->range[0].addr,
                           min_u32(c->range[0].len, CCP_CERT_SIZE));
}

static int csr_execute(struct ccp_call *c)
{
    int r = ccp_sized_alloc(c);

    if (r == 0 && c->dev->state == CCP_UNINIT) {
        r = ccp_implicit_init(c);
    }
    return r != 0 ? r : ccp_sized_call(c, CCP_FW_PEK_CSR);
}

const struct ccp_command CCP_CMD_PEK_CSR = {
    .name = "SEV_PEK_CSR",
    .prepare = csr_prepare,
    .execute = csr_execute,
};

/* --- 5 PDH_CERT_EXPORT: u64 pdh, u32 length, u64 chain, u32 length --- */

#define EXPORT_SIZE    24u
#define FW_EXPORT_SIZE 0x1cu

static bool export_inits_first(const struct ccp_call *c)
{
    return c->dev->config.era <= CCP_ERA_S1 && c->dev->state != CCP_INIT;
}

static int export_arguments(struct ccp_call *c)
{
    struct psp_rd rd = psp_rd(c->inner, EXPORT_SIZE);
    struct ccp_range *pdh = &c->range[0];
    struct ccp_range *chain = &c->range[1];
    int r = ccp_user_inner(c, EXPORT_SIZE, true, true);

    if (r != 0) {
        return r;
    }
    pdh->addr = psp_rd_le64(&rd);
    pdh->len = psp_rd_le32(&rd);
    chain->addr = psp_rd_le64(&rd);
    chain->len = psp_rd_le32(&rd);
    c->query =
        pdh->addr == 0 || pdh->len == 0 || chain->addr == 0 || chain->len == 0;
    if (c->query) {
        return 0;
    }
    if (pdh->len > CCP_BLOB_MAX || chain->len > CCP_BLOB_MAX) {
        return -EFAULT;
    }
    /* The firmware's lengths, not the caller's: a transport fills planned
     * ranges in order, and a hole after the PDH would shift the chain. */
    r = umem_plan_write(c->um, pdh->addr, min_u32(pdh->len, CCP_CERT_SIZE));
    if (r == 0) {
        r = umem_plan_write(c->um, chain->addr,
                            min_u32(chain->len, CCP_CHAIN_SIZE));
    }
    return r;
}

static int export_prepare(struct ccp_call *c)
{
    int r;

    if (export_inits_first(c)) {
        if (!c->writable) {
            return -EPERM;
        }
        /* Linux initialises before it looks at the arguments: their errors
         * come afterwards. */
        r = export_arguments(c);
        c->late_error = r == UMEM_RETRY ? 0 : r;
        return r == UMEM_RETRY ? r : 0;
    }
    r = export_arguments(c);
    if (r == 0 && c->dev->state != CCP_INIT && !c->writable) {
        r = -EPERM;
    }
    return r;
}

static int export_ready(struct ccp_call *c)
{
    const uint32_t pdh = c->query ? 0 : c->range[0].len;
    const uint32_t chain = c->query ? 0 : c->range[1].len;
    int r = 0;

    if (export_inits_first(c)) {
        r = ccp_implicit_init(c);
    }
    if (r == 0) {
        r = c->late_error;
    }
    if (r == 0) {
        r = port_buf_alloc(&c->dev->port, pdh, &c->out[0]);
    }
    if (r == 0) {
        r = port_buf_alloc(&c->dev->port, chain, &c->out[1]);
    }
    if (r == 0 && c->dev->state != CCP_INIT) {
        r = ccp_implicit_init(c);
    }
    return r;
}

static int export_execute(struct ccp_call *c)
{
    uint8_t command[FW_EXPORT_SIZE];
    struct psp_wr w = psp_wr(command, sizeof(command));
    struct psp_rd rd = psp_rd(command, sizeof(command));
    uint32_t pdh_len;
    uint32_t chain_len;
    int r = export_ready(c);
    int copied;

    if (r != 0) {
        return r;
    }
    psp_wr_le64(&w, c->out[0].spa);
    psp_wr_le32(&w, (uint32_t)c->out[0].size);
    psp_wr_le32(&w, 0);
    psp_wr_le64(&w, c->out[1].spa);
    psp_wr_le32(&w, (uint32_t)c->out[1].size);
    r = ccp_fw_out(c, CCP_FW_PDH_CERT_EXPORT, command, sizeof(command));
    psp_rd_skip(&rd, 8);
    pdh_len = psp_rd_le32(&rd);
    psp_rd_skip(&rd, 12);
    chain_len = psp_rd_le32(&rd);
    w = psp_wr(c->inner, EXPORT_SIZE);
    psp_wr_le64(&w, c->range[0].addr);
    psp_wr_le32(&w, pdh_len);
    psp_wr_le64(&w, c->range[1].addr);
    psp_wr_le32(&w, chain_len);
    copied = umem_write(c->um, c->data, c->inner, EXPORT_SIZE);
    if (copied != 0 || r != 0) {
        return copied != 0 ? copied : r;
    }
    r = ccp_user_copy_out(c, 0, c->range[0].addr, pdh_len);
    return r != 0 ? r : ccp_user_copy_out(c, 1, c->range[1].addr, chain_len);
}

const struct ccp_command CCP_CMD_PDH_CERT_EXPORT = {
    .name = "SEV_PDH_CERT_EXPORT",
    .prepare = export_prepare,
    .execute = export_execute,
};

/* --- 6 PEK_CERT_IMPORT: u64 pek, u32 length, u64 oca, u32 length --- */

#define IMPORT_SIZE    24u
#define FW_IMPORT_SIZE 0x1cu

static int import_blob(struct ccp_call *c, unsigned int index)
{
    const struct ccp_range *range = &c->range[index];

    if (range->addr == 0 || range->len == 0 || range->len > CCP_BLOB_MAX) {
        return -EINVAL;
    }
    return ccp_user_blob(c, index, range->addr, range->len);
}

static int import_prepare(struct ccp_call *c)
{
    struct psp_rd rd = psp_rd(c->inner, IMPORT_SIZE);
    int pek;
    int oca;
    int r;

    if (!c->writable) {
        return -EPERM;
    }
    r = ccp_user_inner(c, IMPORT_SIZE, true, false);
    if (r != 0) {
        return r;
    }
    for (unsigned int i = 0; i < 2; i++) {
        c->range[i].addr = psp_rd_le64(&rd);
        c->range[i].len = psp_rd_le32(&rd);
    }
    pek = import_blob(c, 0);
    if (pek != 0 && pek != UMEM_RETRY) {
        return pek;
    }
    /* Asked for in the same run as the PEK, to save a retry. */
    oca = import_blob(c, 1);
    return pek != 0 ? pek : oca;
}

static int import_execute(struct ccp_call *c)
{
    uint8_t command[FW_IMPORT_SIZE];
    struct psp_wr w = psp_wr(command, sizeof(command));
    int r = 0;

    for (unsigned int i = 0; r == 0 && i < 2; i++) {
        r = ccp_blob_to_memory(c, i, c->range[i].len);
    }
    if (r == 0 && c->dev->state != CCP_INIT) {
        r = ccp_implicit_init(c);
    }
    if (r != 0) {
        return r;
    }
    psp_wr_le64(&w, c->out[0].spa);
    psp_wr_le32(&w, c->range[0].len);
    psp_wr_le32(&w, 0);
    psp_wr_le64(&w, c->out[1].spa);
    psp_wr_le32(&w, c->range[1].len);
    /* The firmware only reads these buffers: they stay with the host. */
    return ccp_fw(c->dev, CCP_FW_PEK_CERT_IMPORT, command, sizeof(command),
                  &c->error);
}

const struct ccp_command CCP_CMD_PEK_CERT_IMPORT = {
    .name = "SEV_PEK_CERT_IMPORT",
    .prepare = import_prepare,
    .execute = import_execute,
};
