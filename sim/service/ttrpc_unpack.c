/* SPDX-License-Identifier: Apache-2.0 */
#include "ttrpc_unpack.h"

#include "wire.h"

#include <stdlib.h>

#define MAX_UNKNOWN 1024u
#define MAX_DEPTH   32u
#define SLACK       0x20000u /* structures of as many entries of one byte */

/* Wire types. */
enum {
    VARINT = 0,
    FIXED64 = 1,
    BYTES = 2,
    GROUP = 3,
    GROUP_END = 4,
    FIXED32 = 5
};

/* ---- memory ---- */

/* What one unpack may still allocate. */
struct budget {
    ProtobufCAllocator allocator; /* points at this structure */
    size_t left;
};

static void *take(void *ctx, size_t size)
{
    struct budget *b = ctx;
    void *p = size <= b->left ? malloc(size) : NULL;

    if (p != NULL) {
        b->left -= size;
    }
    return p;
}

static void give(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

static ProtobufCMessage *unpack(const ProtobufCMessageDescriptor *type,
                                struct ttrpc_bytes in)
{
    struct budget b = {.left = 2 * in.size + SLACK};

    b.allocator =
        (ProtobufCAllocator){.alloc = take, .free = give, .allocator_data = &b};
    return protobuf_c_message_unpack(type, &b.allocator, in.size, in.data);
}

/* ---- groups ---- */

static uint64_t get_varint(struct psp_rd *r)
{
    uint64_t v = 0;

    for (unsigned int shift = 0; shift < 64; shift += 7) {
        uint8_t b = psp_rd_u8(r);

        v |= (uint64_t)(b & 0x7fu) << shift;
        if (b < 0x80) {
            return v;
        }
    }
    r->bad = true;
    return 0;
}

/* Of any field but a group. */
static void skip_value(struct psp_rd *r, unsigned int wire)
{
    uint64_t n;

    switch (wire) {
    case VARINT:
        (void)get_varint(r);
        break;
    case FIXED64:
        psp_rd_skip(r, 8);
        break;
    case BYTES:
        n = get_varint(r);
        if (n > psp_rd_left(r)) {
            r->bad = true;
        } else {
            psp_rd_skip(r, (size_t)n);
        }
        break;
    case FIXED32:
        psp_rd_skip(r, 4);
        break;
    default:
        r->bad = true;
        break;
    }
}

/* To behind the end of the group @field, which has begun. */
static void skip_group(struct psp_rd *r, uint64_t field)
{
    uint64_t open[MAX_DEPTH] = {field};
    size_t depth = 1;

    while (depth > 0 && !r->bad) {
        uint64_t tag = get_varint(r);

        if (tag % 8 == GROUP && depth < MAX_DEPTH) {
            open[depth++] = tag / 8;
        } else if (tag % 8 == GROUP_END) {
            r->bad = r->bad || tag / 8 != open[--depth];
        } else {
            skip_value(r, tag % 8);
        }
    }
}

static bool is_known(const ProtobufCMessageDescriptor *type, uint64_t field)
{
    return field <= UINT32_MAX && protobuf_c_message_descriptor_get_field(
                                      type, (unsigned int)field) != NULL;
}

/* All other fields of @in. False: malformed, or a group in a known one's place,
 * which is another type than that. */
static bool put_fields(const ProtobufCMessageDescriptor *type,
                       struct ttrpc_bytes in, struct psp_wr *w)
{
    struct psp_rd r = psp_rd(in.data, in.size);

    while (!r.bad && psp_rd_left(&r) > 0) {
        size_t begin = r.pos;
        uint64_t tag = get_varint(&r);

        if (tag % 8 != GROUP) {
            skip_value(&r, tag % 8);
            psp_wr_bytes(w, in.data + begin, r.pos - begin);
        } else if (is_known(type, tag / 8)) {
            return false;
        } else {
            skip_group(&r, tag / 8);
        }
    }
    return !r.bad;
}

static ProtobufCMessage *
unpack_without_groups(const ProtobufCMessageDescriptor *type,
                      struct ttrpc_bytes in, size_t size)
{
    uint8_t *rest = malloc(size + 1);
    struct psp_wr w = psp_wr(rest, size);
    ProtobufCMessage *m = NULL;

    if (rest != NULL && put_fields(type, in, &w)) {
        m = unpack(type, (struct ttrpc_bytes){rest, size});
    }
    free(rest);
    return m;
}

ProtobufCMessage *ttrpc_unpack(const ProtobufCMessageDescriptor *type,
                               struct ttrpc_bytes in)
{
    struct psp_wr measured = psp_wr(NULL, 0);
    ProtobufCMessage *m =
        put_fields(type, in, &measured) && measured.pos < in.size
            ? unpack_without_groups(type, in, measured.pos)
            : unpack(type, in);

    if (m != NULL && m->n_unknown_fields > MAX_UNKNOWN) {
        protobuf_c_message_free_unpacked(m, NULL);
        m = NULL;
    }
    return m;
}
