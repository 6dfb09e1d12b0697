/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Bounded little-endian cursors: the only way bytes from outside become
 * structures and structures become bytes.
 *
 * The reader latches the first short read or set reserved byte in @bad, so a
 * decoder checks once, at its end, with psp_rd_done(). The writer counts on
 * past the end of its buffer, so the same code measures and writes.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct psp_rd {
    const uint8_t *buf;
    size_t size;
    size_t pos;
    bool bad;
};

static inline struct psp_rd psp_rd(const void *buf, size_t size)
{
    return (struct psp_rd){.buf = buf, .size = size};
}

static inline size_t psp_rd_left(const struct psp_rd *r)
{
    return r->bad ? 0 : r->size - r->pos;
}

/** Copy @n bytes to @out; zeros when short. */
static inline void psp_rd_bytes(struct psp_rd *r, void *out, size_t n)
{
    if (r->bad || n > r->size - r->pos) {
        r->bad = true;
        memset(out, 0, n);
        return;
    }
    if (n > 0) {
        memcpy(out, r->buf + r->pos, n);
    }
    r->pos += n;
}

/** Borrow @n bytes in place; NULL when short. */
static inline const uint8_t *psp_rd_view(struct psp_rd *r, size_t n)
{
    const uint8_t *p;

    if (r->bad || n > r->size - r->pos) {
        r->bad = true;
        return NULL;
    }
    p = r->buf + r->pos;
    r->pos += n;
    return p;
}

static inline void psp_rd_skip(struct psp_rd *r, size_t n)
{
    (void)psp_rd_view(r, n);
}

/** Demand @n zero bytes ("must be zero"). */
static inline void psp_rd_mbz(struct psp_rd *r, size_t n)
{
    const uint8_t *p = psp_rd_view(r, n);

    for (size_t i = 0; p != NULL && i < n; i++) {
        if (p[i] != 0) {
            r->bad = true;
        }
    }
}

static inline uint8_t psp_rd_u8(struct psp_rd *r)
{
    uint8_t b = 0;

    psp_rd_bytes(r, &b, 1);
    return b;
}

static inline uint16_t psp_rd_le16(struct psp_rd *r)
{
    uint8_t b[2] = {0};

    psp_rd_bytes(r, b, sizeof(b));
    return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t psp_rd_le32(struct psp_rd *r)
{
    uint8_t b[4] = {0};

    psp_rd_bytes(r, b, sizeof(b));
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
           (uint32_t)b[3] << 24;
}

static inline uint64_t psp_rd_le64(struct psp_rd *r)
{
    uint64_t lo = psp_rd_le32(r);

    return lo | (uint64_t)psp_rd_le32(r) << 32;
}

/** True if nothing went wrong and no byte is left over. */
static inline bool psp_rd_done(const struct psp_rd *r)
{
    return !r->bad && r->pos == r->size;
}

struct psp_wr {
    uint8_t *buf; /* may be NULL with size 0: measure only */
    size_t size;
    size_t pos; /* bytes wanted so far; beyond size when too small */
};

static inline struct psp_wr psp_wr(void *buf, size_t size)
{
    return (struct psp_wr){.buf = buf, .size = size};
}

static inline void psp_wr_bytes(struct psp_wr *w, const void *in, size_t n)
{
    if (n > 0 && w->pos <= w->size && n <= w->size - w->pos) {
        memcpy(w->buf + w->pos, in, n);
    }
    w->pos += n;
}

static inline void psp_wr_zero(struct psp_wr *w, size_t n)
{
    if (n > 0 && w->pos <= w->size && n <= w->size - w->pos) {
        memset(w->buf + w->pos, 0, n);
    }
    w->pos += n;
}

static inline void psp_wr_u8(struct psp_wr *w, uint8_t v)
{
    psp_wr_bytes(w, &v, 1);
}

static inline void psp_wr_le16(struct psp_wr *w, uint16_t v)
{
    const uint8_t b[2] = {(uint8_t)v, (uint8_t)(v >> 8)};

    psp_wr_bytes(w, b, sizeof(b));
}

static inline void psp_wr_le32(struct psp_wr *w, uint32_t v)
{
    const uint8_t b[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16),
                          (uint8_t)(v >> 24)};

    psp_wr_bytes(w, b, sizeof(b));
}

static inline void psp_wr_le64(struct psp_wr *w, uint64_t v)
{
    psp_wr_le32(w, (uint32_t)v);
    psp_wr_le32(w, (uint32_t)(v >> 32));
}

/** Zeros up to offset @pos (already past it: nothing). */
static inline void psp_wr_pad_to(struct psp_wr *w, size_t pos)
{
    if (pos > w->pos) {
        psp_wr_zero(w, pos - w->pos);
    }
}

/** True if everything fitted and the buffer is exactly full. */
static inline bool psp_wr_full(const struct psp_wr *w)
{
    return w->pos == w->size;
}

/** Reverse @n bytes from @in to @out: between little- and big-endian numbers.
 * The ranges must not overlap. */
static inline void psp_reverse(uint8_t *out, const uint8_t *in, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = in[n - 1 - i];
    }
}

/** Value of a hexadecimal digit of either case, or -1. */
static inline int psp_hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/** Decode exactly 2 * @size digits; false at the first other character, so text
 * that ends in NUL is never read past its end. */
static inline bool psp_hex_decode(const char *text, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        int hi = psp_hex_digit(text[2 * i]);
        int lo = hi < 0 ? -1 : psp_hex_digit(text[2 * i + 1]);

        if (lo < 0) {
            return false;
        }
        out[i] = (uint8_t)(hi << 4 | lo);
    }
    return true;
}

/** True if all @n bytes are zero. Not constant time. */
static inline bool psp_all_zero(const void *buf, size_t n)
{
    const uint8_t *p = buf;

    for (size_t i = 0; i < n; i++) {
        if (p[i] != 0) {
            return false;
        }
    }
    return true;
}

#endif
