/* SPDX-License-Identifier: Apache-2.0 */
#include "ccp_dev.h"

#include "wire.h"

#include <errno.h>
#include <stdlib.h>

int ccp_user_inner(struct ccp_call *c, size_t size, bool in, bool out)
{
    int r = 0;

    if (out) {
        r = umem_plan_write(c->um, c->data, size);
    }
    if (r == 0 && in) {
        r = umem_read(c->um, c->data, c->inner, size);
    }
    return r;
}

int ccp_user_blob(struct ccp_call *c, unsigned int index, uint64_t addr,
                  uint32_t len)
{
    c->blob[index] = malloc(len);
    if (c->blob[index] == NULL) {
        return -ENOMEM;
    }
    return umem_read(c->um, addr, c->blob[index], len);
}

int ccp_user_copy_out(struct ccp_call *c, unsigned int index, uint64_t addr,
                      size_t size)
{
    const struct port *port = &c->dev->port;
    uint8_t *copy;
    int r;

    if (size > c->out[index].size) {
        size = c->out[index].size; /* a firmware that claims too much */
    }
    if (size == 0) {
        return 0;
    }
    copy = malloc(size);
    if (copy == NULL) {
        return -ENOMEM;
    }
    r = port->ops->read(port->host, c->out[index].spa, copy, size);
    if (r == 0) {
        r = umem_write(c->um, addr, copy, size);
    }
    free(copy);
    return r;
}

int ccp_blob_to_memory(struct ccp_call *c, unsigned int index, uint32_t len)
{
    const struct port *port = &c->dev->port;
    int r = port_buf_alloc(port, len, &c->out[index]);

    if (r == 0) {
        r = port->ops->write(port->host, c->out[index].spa, c->blob[index],
                             len);
    }
    return r;
}

/* --- commands whose inner struct and command buffer are one address and one
 * length --- */

#define SIZED_SIZE 12u

int ccp_user_sized(struct ccp_call *c)
{
    struct psp_rd rd = psp_rd(c->inner, SIZED_SIZE);
    int r = ccp_user_inner(c, SIZED_SIZE, true, true);

    c->range[0].addr = psp_rd_le64(&rd);
    c->range[0].len = psp_rd_le32(&rd);
    c->query = c->range[0].addr == 0 || c->range[0].len == 0;
    return r;
}

int ccp_sized_alloc(struct ccp_call *c)
{
    return port_buf_alloc(&c->dev->port, c->query ? 0 : c->range[0].len,
                          &c->out[0]);
}

int ccp_sized_call(struct ccp_call *c, uint32_t command)
{
    uint8_t buf[SIZED_SIZE];
    struct psp_wr w = psp_wr(buf, sizeof(buf));
    struct psp_rd rd = psp_rd(buf, sizeof(buf));
    uint32_t len;
    int r;
    int copied;

    psp_wr_le64(&w, c->out[0].spa);
    psp_wr_le32(&w, (uint32_t)c->out[0].size);
    r = ccp_fw_out(c, command, buf, sizeof(buf));
    psp_rd_skip(&rd, 8);
    len = psp_rd_le32(&rd);
    w = psp_wr(c->inner, SIZED_SIZE);
    psp_wr_le64(&w, c->range[0].addr);
    psp_wr_le32(&w, len);
    copied = umem_write(c->um, c->data, c->inner, SIZED_SIZE);
    if (copied != 0 || r != 0) {
        return copied != 0 ? copied : r;
    }
    return ccp_user_copy_out(c, 0, c->range[0].addr, len);
}
