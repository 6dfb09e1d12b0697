/* SPDX-License-Identifier: Apache-2.0 */
/* SEV_GET_REPORT of the 2022 patch. abi/linux.md §2.2. No write mode, no
 * platform state and no implicit INIT is asked for. */
#include "ccp_report.h"

#include "wire.h"

#include <errno.h>

#define NONCE_SIZE          16u
#define FW_ATTESTATION_SIZE 0x24u

struct report_args {
    uint8_t mnonce[NONCE_SIZE];
    uint64_t uaddr;
    uint32_t len;
    uint32_t handle;
};

static struct report_args decode(const struct ccp_call *c)
{
    struct psp_rd rd = psp_rd(c->inner, CCP_REPORT_ARGS_SIZE);
    struct report_args args;

    psp_rd_bytes(&rd, args.mnonce, sizeof(args.mnonce));
    args.uaddr = psp_rd_le64(&rd);
    args.len = psp_rd_le32(&rd);
    args.handle = psp_rd_le32(&rd);
    return args;
}

static int write_back(struct ccp_call *c, uint32_t len)
{
    struct psp_wr w = psp_wr(c->inner + NONCE_SIZE + 8, 4);

    psp_wr_le32(&w, len);
    return umem_write(c->um, c->data, c->inner, CCP_REPORT_ARGS_SIZE);
}

int ccp_report_arguments(struct ccp_call *c)
{
    const struct report_args args = decode(c);

    c->query = args.len == 0;
    if (args.len == 0 || args.uaddr == 0) {
        return 0;
    }
    if (args.len > CCP_BLOB_MAX) {
        return -EINVAL;
    }
    return umem_plan_write(c->um, args.uaddr, args.len);
}

bool ccp_report_meant(const struct ccp_call *c)
{
    const struct report_args args = decode(c);

    return args.handle != 0 && (args.len == 0 || args.uaddr != 0);
}

int ccp_report_execute(struct ccp_call *c)
{
    const struct report_args args = decode(c);
    const bool buffer = args.len != 0 && args.uaddr != 0;
    uint8_t command[FW_ATTESTATION_SIZE] = {0};
    struct psp_wr w = psp_wr(command, sizeof(command));
    struct psp_rd rd = psp_rd(command + FW_ATTESTATION_SIZE - 4, 4);
    uint32_t len;
    int copied;
    int r = port_buf_alloc(&c->dev->port, buffer ? args.len : 0, &c->out[0]);

    if (r != 0) {
        return r;
    }
    psp_wr_le32(&w, args.handle);
    psp_wr_le32(&w, 0);
    psp_wr_le64(&w, c->out[0].spa);
    if (buffer) {
        psp_wr_bytes(&w, args.mnonce, sizeof(args.mnonce));
    }
    psp_wr_pad_to(&w, FW_ATTESTATION_SIZE - 4);
    psp_wr_le32(&w, (uint32_t)c->out[0].size);
    r = ccp_fw_out(c, CCP_FW_ATTESTATION, command, sizeof(command));
    len = psp_rd_le32(&rd);
    if (c->query) {
        copied = write_back(c, len);
        return copied != 0 ? copied : r;
    }
    if (r != 0) {
        return r; /* the patch keeps the caller's length even when it is short
                   */
    }
    /* The caller's length, not the report's: the tail is zero here. */
    r = buffer ? ccp_user_copy_out(c, 0, args.uaddr, args.len) : 0;
    return r != 0 ? r : write_back(c, len);
}

static int report_prepare(struct ccp_call *c)
{
    int r = ccp_user_inner(c, CCP_REPORT_ARGS_SIZE, true, true);

    return r != 0 ? r : ccp_report_arguments(c);
}

const struct ccp_command CCP_CMD_GET_REPORT = {
    .name = "SEV_GET_REPORT",
    .prepare = report_prepare,
    .execute = ccp_report_execute,
};
