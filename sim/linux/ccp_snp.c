/* SPDX-License-Identifier: Apache-2.0 */
/* Sub-commands of SEV-SNP. The eras differ in what they do while SNP is not
 * initialised, and in when they look. abi/linux.md §1.7. */
#include "ccp_report.h"

#include "wire.h"

#include <errno.h>

#define SNP_STATUS_SIZE 32u

/* Kernels before S1 that had SNP at all were AMD's own; they behave as S1. */
static bool refuses_without_snp(const struct ccp_dev *dev)
{
    return dev->config.era <= CCP_ERA_S1 && !dev->snp_initialized;
}

static int implicit_snp(struct ccp_call *c)
{
    return c->dev->config.era == CCP_ERA_S2 ? ccp_implicit_snp_init(c) : 0;
}

/* --- 9 --- */

static int status_check(const struct ccp_call *c)
{
    return refuses_without_snp(c->dev) || c->data == 0 ? -EINVAL : 0;
}

static int status_prepare(struct ccp_call *c)
{
    int r = status_check(c);

    return r != 0 ? r : ccp_user_inner(c, SNP_STATUS_SIZE, false, true);
}

static int status_execute(struct ccp_call *c)
{
    uint8_t command[8];
    struct psp_wr w = psp_wr(command, sizeof(command));
    int r = port_buf_alloc(&c->dev->port, SNP_STATUS_SIZE, &c->out[0]);

    if (r != 0) {
        return r;
    }
    psp_wr_le64(&w, c->out[0].spa);
    r = ccp_fw_out(c, CCP_FW_SNP_PLATFORM_STATUS, command, sizeof(command));
    return r != 0 ? r : ccp_user_copy_out(c, 0, c->data, SNP_STATUS_SIZE);
}

const struct ccp_command CCP_CMD_SNP_PLATFORM_STATUS = {
    .name = "SNP_PLATFORM_STATUS",
    .prepare = status_prepare,
    .execute = status_execute,
};

/* --- 9, by guess --- */

static int guess_prepare(struct ccp_call *c)
{
    int r = c->data == 0 ? -EFAULT
                         : ccp_user_inner(c, CCP_REPORT_ARGS_SIZE, true, true);

    if (r == UMEM_RETRY) {
        return r;
    }
    c->as_status = r != 0 || !ccp_report_meant(c);
    return c->as_status ? status_check(c) : ccp_report_arguments(c);
}

static int guess_execute(struct ccp_call *c)
{
    return c->as_status ? status_execute(c) : ccp_report_execute(c);
}

const struct ccp_command CCP_CMD_SNP_STATUS_OR_REPORT = {
    .name = "SNP_PLATFORM_STATUS",
    .prepare = guess_prepare,
    .execute = guess_execute,
};

/* --- 10 --- */

static int commit_prepare(struct ccp_call *c)
{
    return refuses_without_snp(c->dev) ? -EINVAL : 0;
}

static int commit_execute(struct ccp_call *c)
{
    uint8_t command[4] = {sizeof(command)};
    int r = implicit_snp(c);

    return r != 0 ? r
                  : ccp_fw(c->dev, CCP_FW_SNP_COMMIT, command, sizeof(command),
                           &c->error);
}

const struct ccp_command CCP_CMD_SNP_COMMIT = {
    .name = "SNP_COMMIT",
    .prepare = commit_prepare,
    .execute = commit_execute,
};

/* --- 11 and 12: common checks, then copy in --- */

static int change_arguments(struct ccp_call *c, size_t size)
{
    if (refuses_without_snp(c->dev) || c->data == 0) {
        return -EINVAL;
    }
    if (!c->writable) {
        return -EPERM;
    }
    if (c->dev->config.era == CCP_ERA_S3 && !c->dev->snp_initialized) {
        return -ENODEV;
    }
    return ccp_user_inner(c, size, true, false);
}

static int config_prepare(struct ccp_call *c)
{
    return change_arguments(c, CCP_SNP_CONFIG_SIZE);
}

static int config_execute(struct ccp_call *c)
{
    int r = implicit_snp(c);

    return r != 0 ? r
                  : ccp_fw(c->dev, CCP_FW_SNP_CONFIG, c->inner,
                           CCP_SNP_CONFIG_SIZE, &c->error);
}

const struct ccp_command CCP_CMD_SNP_SET_CONFIG = {
    .name = "SNP_SET_CONFIG",
    .prepare = config_prepare,
    .execute = config_execute,
};

/* u32 len, u8 vlek_wrapped_version, 3 reserved, u64 address */
#define VLEK_ARGS_SIZE    16u
#define VLEK_WRAPPED_SIZE 432u

static int vlek_prepare(struct ccp_call *c)
{
    struct psp_rd rd = psp_rd(c->inner, VLEK_ARGS_SIZE);
    int r = change_arguments(c, VLEK_ARGS_SIZE);
    uint32_t len;
    uint8_t version;
    uint64_t addr;

    if (r != 0) {
        return r;
    }
    len = psp_rd_le32(&rd);
    version = psp_rd_u8(&rd);
    psp_rd_skip(&rd, 3); /* the firmware's to judge */
    addr = psp_rd_le64(&rd);
    if (len != VLEK_ARGS_SIZE || version != 0 || addr == 0) {
        return -EINVAL;
    }
    return ccp_user_blob(c, 0, addr, VLEK_WRAPPED_SIZE);
}

static int vlek_execute(struct ccp_call *c)
{
    struct psp_wr w = psp_wr(c->inner + 8, 8);
    int r = ccp_blob_to_memory(c, 0, VLEK_WRAPPED_SIZE);

    if (r == 0) {
        r = implicit_snp(c);
    }
    if (r != 0) {
        return r;
    }
    psp_wr_le64(&w, c->out[0].spa);
    return ccp_fw(c->dev, CCP_FW_SNP_VLEK_LOAD, c->inner, VLEK_ARGS_SIZE,
                  &c->error);
}

const struct ccp_command CCP_CMD_SNP_VLEK_LOAD = {
    .name = "SNP_VLEK_LOAD",
    .prepare = vlek_prepare,
    .execute = vlek_execute,
};
