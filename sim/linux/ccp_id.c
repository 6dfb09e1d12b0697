/* SPDX-License-Identifier: Apache-2.0 */
/* SEV_GET_ID and SEV_GET_ID2. */
#include "ccp_dev.h"

#include "wire.h"

#include <errno.h>

#define ID_MIN_MINOR    16u /* API 0.16 */
#define GET_ID_SOCKETS  2u
#define FW_GET_ID_SIZE  12u
#define GET_ID_BUF_SIZE (GET_ID_SOCKETS * CCP_ID_SIZE)

static bool has_get_id(const struct ccp_dev *dev)
{
    return dev->api_major > 0 || dev->api_minor >= ID_MIN_MINOR;
}

/* One ID per socket, and never more than two sockets. */
static uint32_t id_size(const struct ccp_dev *dev)
{
    return dev->profile.socket_count > 1 ? GET_ID_BUF_SIZE : CCP_ID_SIZE;
}

/* --- 7 --- */

static int get_id_prepare(struct ccp_call *c)
{
    if (!has_get_id(c->dev)) {
        return -CCP_ENOTSUPP;
    }
    return ccp_user_inner(c, id_size(c->dev), false, true);
}

static int get_id_execute(struct ccp_call *c)
{
    uint8_t command[FW_GET_ID_SIZE];
    struct psp_wr w = psp_wr(command, sizeof(command));
    struct psp_rd rd = psp_rd(command, sizeof(command));
    int r = port_buf_alloc(&c->dev->port, GET_ID_BUF_SIZE, &c->out[0]);

    if (r != 0) {
        return r;
    }
    psp_wr_le64(&w, c->out[0].spa);
    psp_wr_le32(&w, GET_ID_BUF_SIZE);
    r = ccp_fw_out(c, CCP_FW_GET_ID, command, sizeof(command));
    psp_rd_skip(&rd, 8);
    return r != 0 ? r : ccp_user_copy_out(c, 0, c->data, psp_rd_le32(&rd));
}

const struct ccp_command CCP_CMD_GET_ID = {
    .name = "SEV_GET_ID",
    .prepare = get_id_prepare,
    .execute = get_id_execute,
};

/* --- 8 --- */

static int get_id2_prepare(struct ccp_call *c)
{
    const uint32_t max = id_size(c->dev);
    int r = has_get_id(c->dev) ? ccp_user_sized(c) : -CCP_ENOTSUPP;

    if (r != 0 || c->query) {
        return r;
    }
    if (c->range[0].len > CCP_KMALLOC_MAX) {
        return -ENOMEM;
    }
    return umem_plan_write(c->um, c->range[0].addr,
                           c->range[0].len < max ? c->range[0].len : max);
}

static int get_id2_execute(struct ccp_call *c)
{
    int r = ccp_sized_alloc(c);

    return r != 0 ? r : ccp_sized_call(c, CCP_FW_GET_ID);
}

const struct ccp_command CCP_CMD_GET_ID2 = {
    .name = "SEV_GET_ID2",
    .prepare = get_id2_prepare,
    .execute = get_id2_execute,
};
