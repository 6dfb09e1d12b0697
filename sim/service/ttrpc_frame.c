/* SPDX-License-Identifier: Apache-2.0 */
#include "ttrpc_msg.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 0x1000u

static void put_be32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(v >> (24 - 8 * i));
    }
}

static uint32_t get_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

void ttrpc_header_encode(const struct ttrpc_header *h,
                         uint8_t out[TTRPC_HEADER_SIZE])
{
    put_be32(out, h->length);
    put_be32(out + 4, h->stream);
    out[8] = h->type;
    out[9] = h->flags;
}

void ttrpc_header_decode(const uint8_t in[TTRPC_HEADER_SIZE],
                         struct ttrpc_header *h)
{
    h->length = get_be32(in);
    h->stream = get_be32(in + 4);
    h->type = in[8];
    h->flags = in[9];
}

static size_t take_bytes(uint8_t *to, size_t want, const uint8_t **data,
                         size_t *size)
{
    size_t n = want < *size ? want : *size;

    if (to != NULL && n > 0) {
        memcpy(to, *data, n);
    }
    *data += n;
    *size -= n;
    return n;
}

/* Room for @want more bytes of the body, at least doubling, for no more than
 * the header tells. */
static bool make_room(struct ttrpc_reader *r, size_t want)
{
    size_t need = r->body_have + want;
    size_t room = r->body_room > 0 ? 2 * r->body_room : FIRST_ROOM;
    uint8_t *body;

    if (need <= r->body_room) {
        return true;
    }
    room = room > r->header.length ? r->header.length : room;
    room = room < need ? need : room;
    body = realloc(r->body, room);
    if (body == NULL) {
        return false;
    }
    r->body = body;
    r->body_room = room;
    return true;
}

static enum ttrpc_event take_body(struct ttrpc_reader *r, const uint8_t **data,
                                  size_t *size)
{
    bool keep = r->header.length <= TTRPC_MAX_DATA;
    size_t want = r->header.length - r->body_have;

    if (r->header.length > TTRPC_MAX_DISCARD) {
        return TTRPC_FATAL;
    }
    want = want < *size ? want : *size;
    if (keep && want > 0 && !make_room(r, want)) {
        return TTRPC_NOMEM;
    }
    r->body_have += take_bytes(keep && want > 0 ? r->body + r->body_have : NULL,
                               want, data, size);
    if (r->body_have < r->header.length) {
        return TTRPC_MORE;
    }
    return keep ? TTRPC_FRAME : TTRPC_OVERSIZE;
}

enum ttrpc_event ttrpc_reader_take(struct ttrpc_reader *r, const uint8_t **data,
                                   size_t *size)
{
    if (r->head_have < TTRPC_HEADER_SIZE) {
        r->head_have +=
            take_bytes(r->head + r->head_have, TTRPC_HEADER_SIZE - r->head_have,
                       data, size);
        if (r->head_have < TTRPC_HEADER_SIZE) {
            return TTRPC_MORE;
        }
        ttrpc_header_decode(r->head, &r->header);
    }
    return take_body(r, data, size);
}

void ttrpc_reader_next(struct ttrpc_reader *r)
{
    /* A large body is not kept for the small ones that follow. */
    if (r->body_room > FIRST_ROOM) {
        free(r->body);
        r->body = NULL;
        r->body_room = 0;
    }
    r->head_have = 0;
    r->body_have = 0;
}

void ttrpc_reader_clear(struct ttrpc_reader *r)
{
    free(r->body);
    memset(r, 0, sizeof(*r));
}

bool ttrpc_reader_busy(const struct ttrpc_reader *r)
{
    return r->head_have > 0;
}
