/* SPDX-License-Identifier: Apache-2.0 */
/* Sub-commands of older AMD host kernels, never mainline. abi/linux.md §1.13 */
#include "ccp_dev.h"

#include "wire.h"

#include <errno.h>
#include <stdlib.h>

/* u64 config_address, u64 certs_address, u32 certs_len: packed in the last
 * series; the earlier ones had four more bytes that nobody used. */
#define EXT_SIZE   20u
#define PAGE_SIZE  0x1000u
#define ID_SIZE    8u
#define BLOB_CERTS 0u
#define BLOB_CONF  1u
#define CONFIG     0u
#define CERTS      1u

void ccp_drop_certs(struct ccp_dev *dev)
{
    const bool had = dev->certs != NULL;

    free(dev->certs);
    dev->certs = NULL;
    dev->certs_size = 0;
    if (had && dev->config.certs_changed != NULL) {
        dev->config.certs_changed(dev->config.ctx, NULL, 0);
    }
}

static int needs_snp_and_data(const struct ccp_call *c)
{
    return !c->dev->snp_initialized || c->data == 0 ? -EINVAL : 0;
}

static int ext_arguments(struct ccp_call *c, bool out)
{
    struct psp_rd rd = psp_rd(c->inner, EXT_SIZE);
    int r = ccp_user_inner(c, EXT_SIZE, true, out);

    c->range[CONFIG].addr = psp_rd_le64(&rd);
    c->range[CERTS].addr = psp_rd_le64(&rd);
    c->range[CERTS].len = psp_rd_le32(&rd);
    return r;
}

/* --- SNP_SET_EXT_CONFIG --- */

static int set_certs_prepare(struct ccp_call *c)
{
    const struct ccp_range *certs = &c->range[CERTS];

    if (certs->addr == 0) {
        return 0;
    }
    if (certs->len == 0 || certs->len % PAGE_SIZE != 0 ||
        certs->len > CCP_BLOB_MAX) {
        return -EINVAL;
    }
    return ccp_user_blob(c, BLOB_CERTS, certs->addr, certs->len);
}

static int set_config_prepare(struct ccp_call *c)
{
    return c->range[CONFIG].addr == 0
               ? 0
               : ccp_user_blob(c, BLOB_CONF, c->range[CONFIG].addr,
                               CCP_SNP_CONFIG_SIZE);
}

static int set_ext_prepare(struct ccp_call *c)
{
    int r = needs_snp_and_data(c);
    int certs;
    int conf;

    if (r == 0 && !c->writable) {
        r = -EPERM;
    }
    if (r == 0) {
        r = ext_arguments(c, false);
    }
    if (r != 0) {
        return r;
    }
    certs = set_certs_prepare(c);
    if (certs != 0 && certs != UMEM_RETRY) {
        return certs;
    }
    /* Asked for in the same run as the certificates, to save a retry. */
    conf = set_config_prepare(c);
    return certs != 0 ? certs : conf;
}

static void keep_certs(struct ccp_call *c)
{
    struct ccp_dev *dev = c->dev;

    free(dev->certs);
    dev->certs = c->blob[BLOB_CERTS];
    dev->certs_size = c->range[CERTS].len;
    c->blob[BLOB_CERTS] = NULL;
    if (dev->config.certs_changed != NULL) {
        dev->config.certs_changed(dev->config.ctx, dev->certs, dev->certs_size);
    }
}

static int set_ext_execute(struct ccp_call *c)
{
    struct ccp_dev *dev = c->dev;
    uint8_t command[CCP_SNP_CONFIG_SIZE];
    int r;

    if (c->blob[BLOB_CONF] != NULL) {
        memcpy(command, c->blob[BLOB_CONF], sizeof(command));
        r = ccp_fw(dev, CCP_FW_SNP_CONFIG, command, sizeof(command), &c->error);
        if (r != 0) {
            return r;
        }
        memcpy(dev->snp_config, c->blob[BLOB_CONF], sizeof(dev->snp_config));
    }
    if (c->blob[BLOB_CERTS] != NULL) {
        keep_certs(c);
    } else {
        ccp_drop_certs(dev);
    }
    return 0;
}

const struct ccp_command CCP_CMD_SNP_SET_EXT_CONFIG = {
    .name = "SNP_SET_EXT_CONFIG",
    .prepare = set_ext_prepare,
    .execute = set_ext_execute,
};

/* --- SNP_GET_EXT_CONFIG --- */

static bool wants_certs(const struct ccp_call *c)
{
    return c->range[CERTS].addr != 0 && c->dev->certs != NULL;
}

static bool certs_fit(const struct ccp_call *c)
{
    return c->range[CERTS].len >= c->dev->certs_size;
}

static int get_ext_prepare(struct ccp_call *c)
{
    int r = needs_snp_and_data(c);

    if (r == 0) {
        r = ext_arguments(c, true);
    }
    if (r == 0 && c->range[CONFIG].addr != 0) {
        r = umem_plan_write(c->um, c->range[CONFIG].addr, CCP_SNP_CONFIG_SIZE);
    }
    if (r == 0 && wants_certs(c) && certs_fit(c)) {
        r = umem_plan_write(c->um, c->range[CERTS].addr, c->dev->certs_size);
    }
    return r;
}

static int get_ext_execute(struct ccp_call *c)
{
    struct ccp_dev *dev = c->dev;
    struct psp_wr w = psp_wr(c->inner + 16, 4);
    int answer = 0;
    int r = 0;

    if (c->range[CONFIG].addr != 0) {
        r = umem_write(c->um, c->range[CONFIG].addr, dev->snp_config,
                       sizeof(dev->snp_config));
    }
    if (r == 0 && wants_certs(c) && !certs_fit(c)) {
        psp_wr_le32(&w, (uint32_t)dev->certs_size);
        answer = -ENOSR; /* EIO in the last series; no client looks */
    } else if (r == 0 && wants_certs(c)) {
        r = umem_write(c->um, c->range[CERTS].addr, dev->certs,
                       dev->certs_size);
    }
    if (r == 0) {
        r = umem_write(c->um, c->data, c->inner, EXT_SIZE);
    }
    return r != 0 ? r : answer;
}

const struct ccp_command CCP_CMD_SNP_GET_EXT_CONFIG = {
    .name = "SNP_GET_EXT_CONFIG",
    .prepare = get_ext_prepare,
    .execute = get_ext_execute,
};

/* --- SNP_SET_CONFIG_START and _END: u64 transaction id out --- */

static int transaction_prepare(struct ccp_call *c)
{
    int r = needs_snp_and_data(c);

    if (r == 0 && !c->writable) {
        r = -EPERM;
    }
    return r != 0 ? r : ccp_user_inner(c, ID_SIZE, false, true);
}

static int transaction(struct ccp_call *c, bool start)
{
    struct ccp_dev *dev = c->dev;
    uint8_t id[ID_SIZE];
    struct psp_wr w = psp_wr(id, sizeof(id));

    dev->transaction += start ? 1 : 0;
    if (dev->config.requests_paused != NULL) {
        dev->config.requests_paused(dev->config.ctx, start);
    }
    psp_wr_le64(&w, dev->transaction);
    return umem_write(c->um, c->data, id, sizeof(id));
}

static int start_execute(struct ccp_call *c)
{
    return transaction(c, true);
}

const struct ccp_command CCP_CMD_SNP_SET_CONFIG_START = {
    .name = "SNP_SET_CONFIG_START",
    .prepare = transaction_prepare,
    .execute = start_execute,
};

static int end_execute(struct ccp_call *c)
{
    return transaction(c, false);
}

const struct ccp_command CCP_CMD_SNP_SET_CONFIG_END = {
    .name = "SNP_SET_CONFIG_END",
    .prepare = transaction_prepare,
    .execute = end_execute,
};
