/* SPDX-License-Identifier: Apache-2.0 */
#include "machine.h"
#include "port.h"

static enum sev_status command(void *host, uint32_t id, void *buffer,
                               size_t size)
{
    return machine_command(host, id, buffer, size);
}

static uint64_t pages_alloc(void *host, size_t count)
{
    return machine_pages_alloc(host, count);
}

static void pages_free(void *host, uint64_t spa, size_t count)
{
    machine_pages_free(host, spa, count);
}

static int mem_read(void *host, uint64_t spa, void *buf, size_t size)
{
    return machine_read(host, spa, buf, size);
}

static int mem_write(void *host, uint64_t spa, const void *buf, size_t size)
{
    return machine_write(host, spa, buf, size);
}

static enum rmp_result rmpupdate(void *host, uint64_t spa,
                                 const struct rmp_update *update)
{
    return machine_rmpupdate(host, spa, update);
}

static bool snp_initialized(void *host)
{
    return machine_snp_initialized(host);
}

struct port port_machine(struct machine *m)
{
    static const struct port_ops ops = {
        .command = command,
        .pages_alloc = pages_alloc,
        .pages_free = pages_free,
        .read = mem_read,
        .write = mem_write,
        .rmpupdate = rmpupdate,
        .snp_initialized = snp_initialized,
    };

    return (struct port){.ops = &ops, .host = m};
}
