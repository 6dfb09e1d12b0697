/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Cursor helpers shared by the codecs of SNP command buffers; private to them.
 * Command buffers always have the right size, so @bad only ever means that
 * something reserved is set; fields behind it are read all the same.
 */
#ifndef WIRE_SNP_CMD_RD_H
#define WIRE_SNP_CMD_RD_H

#include "wire.h"

/** A command buffer being decoded. */
struct snp_cmd_rd {
    struct psp_rd r;
    bool reserved; /* something that must be zero is not */
};

static inline struct snp_cmd_rd snp_cmd_rd(const uint8_t *buf, size_t size)
{
    return (struct snp_cmd_rd){.r = psp_rd(buf, size)};
}

static inline void snp_cmd_rd_mbz(struct snp_cmd_rd *c, size_t n)
{
    const uint8_t *p = psp_rd_view(&c->r, n);

    if (p != NULL && !psp_all_zero(p, n)) {
        c->reserved = true;
    }
}

/** A word of flags of which only @known are defined. */
static inline uint32_t snp_cmd_rd_flags(struct snp_cmd_rd *c, uint32_t known)
{
    uint32_t flags = psp_rd_le32(&c->r);

    if ((flags & ~known) != 0) {
        c->reserved = true;
    }
    return flags;
}

/** An address whose low bits (@size - 1) must be zero. */
static inline uint64_t snp_cmd_rd_aligned(struct snp_cmd_rd *c, uint64_t size)
{
    uint64_t addr = psp_rd_le64(&c->r);

    if (addr % size != 0) {
        c->reserved = true;
    }
    return addr;
}

static inline uint64_t snp_cmd_rd_page(struct snp_cmd_rd *c)
{
    return snp_cmd_rd_aligned(c, 0x1000);
}

static inline bool snp_cmd_rd_ok(const struct snp_cmd_rd *c)
{
    return psp_rd_done(&c->r) && !c->reserved;
}

#endif
