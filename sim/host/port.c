/* SPDX-License-Identifier: Apache-2.0 */
#include "port.h"

#include <errno.h>

#define CMD_SNP_PAGE_RECLAIM 0x0c7u

static size_t page_count(size_t size)
{
    return (size + RMP_PAGE_SIZE - 1) / RMP_PAGE_SIZE;
}

int port_buf_alloc(const struct port *port, size_t size, struct port_buf *buf)
{
    *buf = (struct port_buf){.size = size};
    if (size == 0) {
        return 0;
    }
    buf->spa = port->ops->pages_alloc(port->host, page_count(size));
    if (buf->spa == 0) {
        buf->size = 0;
        return -ENOMEM;
    }
    return 0;
}

static int page_give(const struct port *port, uint64_t spa)
{
    const struct rmp_update firmware = {.assigned = true, .immutable = true};

    return port->ops->rmpupdate(port->host, spa, &firmware) == RMP_OK ? 0
                                                                      : -EFAULT;
}

int port_page_reclaim(const struct port *port, uint64_t spa)
{
    const struct rmp_update hypervisor = {.assigned = false};
    uint8_t command[8];

    for (unsigned int i = 0; i < sizeof(command); i++) {
        command[i] = (uint8_t)(spa >> (8 * i)); /* bit 0 clear: 4 KiB page */
    }
    if (port->ops->command(port->host, CMD_SNP_PAGE_RECLAIM, command,
                           sizeof(command)) != SEV_SUCCESS ||
        port->ops->rmpupdate(port->host, spa, &hypervisor) != RMP_OK) {
        return -EFAULT;
    }
    return 0;
}

static int reclaim(const struct port *port, struct port_buf *buf, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (port_page_reclaim(port, buf->spa + i * RMP_PAGE_SIZE) != 0) {
            buf->spa = 0; /* lost: nobody may use these pages again */
            return -EFAULT;
        }
    }
    return 0;
}

int port_buf_give(const struct port *port, struct port_buf *buf)
{
    if (buf->spa == 0 || buf->firmware ||
        !port->ops->snp_initialized(port->host)) {
        return 0;
    }
    for (size_t i = 0; i < page_count(buf->size); i++) {
        if (page_give(port, buf->spa + i * RMP_PAGE_SIZE) != 0) {
            (void)reclaim(port, buf, i);
            return -EFAULT;
        }
    }
    buf->firmware = true;
    return 0;
}

int port_buf_take(const struct port *port, struct port_buf *buf)
{
    if (!buf->firmware) {
        return 0;
    }
    buf->firmware = false;
    return reclaim(port, buf, page_count(buf->size));
}

void port_buf_free(const struct port *port, struct port_buf *buf)
{
    if (port_buf_take(port, buf) == 0 && buf->spa != 0) {
        port->ops->pages_free(port->host, buf->spa, page_count(buf->size));
    }
    *buf = (struct port_buf){0};
}
