/* SPDX-License-Identifier: Apache-2.0 */
/* Sub-commands without certificates: reset, status, key generation. */
#include "ccp_dev.h"

#include <errno.h>

#define STATUS_SIZE 12u

static int need_write_mode(struct ccp_call *c)
{
    return c->writable ? 0 : -EPERM;
}

/* --- 0 --- */

static int factory_reset(struct ccp_call *c)
{
    uint8_t status[STATUS_SIZE] = {0};
    int r = ccp_fw(c->dev, CCP_FW_PLATFORM_STATUS, status, sizeof(status),
                   &c->error);

    if (r == 0 && status[2] == CCP_WORKING) {
        r = -EBUSY;
    }
    if (r == 0 && status[2] == CCP_INIT) {
        r = ccp_platform_shutdown(c->dev, &c->error);
    }
    return r != 0 ? r
                  : ccp_fw(c->dev, CCP_FW_PLATFORM_RESET, NULL, 0, &c->error);
}

const struct ccp_command CCP_CMD_FACTORY_RESET = {
    .name = "SEV_FACTORY_RESET",
    .prepare = need_write_mode,
    .execute = factory_reset,
};

/* --- 1 --- */

static int status_prepare(struct ccp_call *c)
{
    return ccp_user_inner(c, STATUS_SIZE, false, true);
}

static int status_execute(struct ccp_call *c)
{
    uint8_t status[STATUS_SIZE] = {0};
    int r = ccp_fw(c->dev, CCP_FW_PLATFORM_STATUS, status, sizeof(status),
                   &c->error);

    return r != 0 ? r : umem_write(c->um, c->data, status, sizeof(status));
}

const struct ccp_command CCP_CMD_PLATFORM_STATUS = {
    .name = "SEV_PLATFORM_STATUS",
    .prepare = status_prepare,
    .execute = status_execute,
};

/* --- 2 and 4 --- */

static int generate(struct ccp_call *c, uint32_t command)
{
    int r = c->dev->state == CCP_UNINIT ? ccp_implicit_init(c) : 0;

    return r != 0 ? r : ccp_fw(c->dev, command, NULL, 0, &c->error);
}

static int pek_gen(struct ccp_call *c)
{
    return generate(c, CCP_FW_PEK_GEN);
}

const struct ccp_command CCP_CMD_PEK_GEN = {
    .name = "SEV_PEK_GEN",
    .prepare = need_write_mode,
    .execute = pek_gen,
};

static int pdh_gen(struct ccp_call *c)
{
    return generate(c, CCP_FW_PDH_GEN);
}

const struct ccp_command CCP_CMD_PDH_GEN = {
    .name = "SEV_PDH_GEN",
    .prepare = need_write_mode,
    .execute = pdh_gen,
};
