/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A driver's way to the secure processor: the mailbox, physical memory for data
 * buffers, and the reverse map. The drivers of sim/linux and the hypervisor's
 * legacy guests are written against this small table, so that a test can put a
 * scripted firmware behind them.
 */
#ifndef HOST_PORT_H
#define HOST_PORT_H

#include <psp/rmp.h>
#include <psp/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine;

struct port_ops {
    /** One mailbox command; @buffer is copied in and, as far as the firmware
     * wrote it, back. As machine_command(). */
    enum sev_status (*command)(void *host, uint32_t command, void *buffer,
                               size_t size);
    /** @count contiguous zeroed pages whose address is a multiple of @count
     * rounded up to a power of two pages, as a buddy allocator gives them.
     * Physical address, or 0 when memory is exhausted. */
    uint64_t (*pages_alloc)(void *host, size_t count);
    void (*pages_free)(void *host, uint64_t spa, size_t count);
    /** Memory as the host's software sees it. 0 or -EFAULT. */
    int (*read)(void *host, uint64_t spa, void *buf, size_t size);
    int (*write)(void *host, uint64_t spa, const void *buf, size_t size);
    enum rmp_result (*rmpupdate)(void *host, uint64_t spa,
                                 const struct rmp_update *update);
    /** Is SNP initialised? Pages change hands only then. */
    bool (*snp_initialized)(void *host);
};

struct port {
    const struct port_ops *ops;
    void *host;
};

/** The real thing. @m is borrowed for as long as the port is used. */
struct port port_machine(struct machine *m);

/** Contiguous memory for one data buffer of a command. */
struct port_buf {
    uint64_t spa;  /* 0: none */
    size_t size;   /* bytes asked for */
    bool firmware; /* handed over, not yet reclaimed */
};

/** Allocate zeroed memory. 0 or -ENOMEM; a size of 0 allocates nothing. */
int port_buf_alloc(const struct port *port, size_t size, struct port_buf *buf);

/**
 * Hand a buffer to the firmware that will write it: each page becomes
 * Firmware. Does nothing while SNP is not initialised, for an empty buffer or
 * for one that the firmware has already. 0, or -EFAULT when the RMP refuses;
 * the pages that were changed are taken back then.
 */
int port_buf_give(const struct port *port, struct port_buf *buf);

/**
 * Take a buffer back: SNP_PAGE_RECLAIM, then RMPUPDATE to Hypervisor, for each
 * page. 0, or -EFAULT when a page stays with the firmware: the whole buffer is
 * then lost (never freed), as Linux leaks such pages.
 */
int port_buf_take(const struct port *port, struct port_buf *buf);

/** End a buffer; takes it back first when necessary. NULL-safe on empty. */
void port_buf_free(const struct port *port, struct port_buf *buf);

/** Take a single page back from the firmware. 0 or -EFAULT. */
int port_page_reclaim(const struct port *port, uint64_t spa);

#endif
