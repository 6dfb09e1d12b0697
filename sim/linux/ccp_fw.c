/* SPDX-License-Identifier: Apache-2.0 */
#include "ccp_dev.h"

#include "machine.h"

#include <errno.h>

/* Linux saves the INIT_EX buffer after these commands. abi/linux.md §1.6 */
static int after_success(struct ccp_dev *dev, uint32_t command)
{
    switch (command) {
    case CCP_FW_PLATFORM_RESET:
        return ccp_nv_reset(dev);
    case CCP_FW_INIT_EX:
    case CCP_FW_PDH_GEN:
    case CCP_FW_PEK_CERT_IMPORT:
    case CCP_FW_PEK_GEN:
        return ccp_nv_save(dev);
    default:
        return 0;
    }
}

static int psp_alive(struct ccp_dev *dev, uint32_t *error)
{
    switch (dev->fault) {
    case CCP_FAULT_TIMEOUT:
        dev->fault = CCP_FAULT_DEAD;
        *error = 0;
        return -ETIMEDOUT;
    case CCP_FAULT_DEAD:
        return -EBUSY;
    default:
        return 0;
    }
}

/* The firmware's word, or none: the processor is dead from then on. */
static int take_answer(struct ccp_dev *dev, enum sev_status status,
                       uint32_t *error)
{
    int r = machine_errno(status);

    if (r == 0) {
        *error = (uint32_t)status & 0xffff;
        return *error == 0 ? 0 : -EIO;
    }
    dev->fault = CCP_FAULT_DEAD;
    if (r == -ETIMEDOUT) {
        *error = 0;
    }
    return r;
}

int ccp_fw(struct ccp_dev *dev, uint32_t command, void *buf, size_t size,
           uint32_t *error)
{
    int r = psp_alive(dev, error);

    if (r != 0) {
        return r;
    }
    r = take_answer(
        dev, dev->port.ops->command(dev->port.host, command, buf, size), error);
    return r == 0 ? after_success(dev, command) : r;
}

int ccp_fw_out(struct ccp_call *c, uint32_t command, void *buf, size_t size)
{
    struct ccp_dev *dev = c->dev;
    int r = psp_alive(dev, &c->error);

    for (unsigned int i = 0; r == 0 && i < 2; i++) {
        r = port_buf_give(&dev->port, &c->out[i]);
    }
    if (r != 0) {
        return r;
    }
    r = ccp_fw(dev, command, buf, size, &c->error);
    if (dev->fault == CCP_FAULT_DEAD) {
        return r; /* nobody takes the pages back: they are lost */
    }
    for (unsigned int i = 0; i < 2; i++) {
        if (port_buf_take(&dev->port, &c->out[i]) != 0) {
            r = -EFAULT;
        }
    }
    return r;
}
