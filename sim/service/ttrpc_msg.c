/* SPDX-License-Identifier: Apache-2.0 */
#include "ttrpc_msg.h"

#include "ttrpc_unpack.h"

#include "ttrpc.pb-c.h"

#include <stdlib.h>
#include <string.h>

#define MAX_METADATA 1024u

bool ttrpc_bytes_are(struct ttrpc_bytes b, const char *text)
{
    return b.size == strlen(text) &&
           (b.size == 0 || memcmp(b.data, text, b.size) == 0);
}

/* Length of the sequence at @p, of @left bytes; 0: malformed. */
static size_t utf8_sequence(const uint8_t *p, size_t left)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = p[0] < 0x80             ? 1
               : (p[0] & 0xe0) == 0xc0 ? 2
               : (p[0] & 0xf0) == 0xe0 ? 3
               : (p[0] & 0xf8) == 0xf0 ? 4
                                       : 0;
    uint32_t c = n == 1 ? p[0] : p[0] & (0x7fu >> n);

    if (n == 0 || n > left) {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
        c = c << 6 | (p[i] & 0x3fu);
    }
    return c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0 : n;
}

bool ttrpc_utf8_ok(const uint8_t *data, size_t size)
{
    while (size > 0) {
        size_t n = utf8_sequence(data, size);

        if (n == 0) {
            return false;
        }
        data += n;
        size -= n;
    }
    return true;
}

static struct ttrpc_bytes view(ProtobufCBinaryData b)
{
    return (struct ttrpc_bytes){.data = b.data, .size = b.len};
}

static ProtobufCBinaryData binary(struct ttrpc_bytes b)
{
    /* Only packed, never written to. */
    return (ProtobufCBinaryData){.len = b.size,
                                 .data = (uint8_t *)(uintptr_t)b.data};
}

static bool text_ok(ProtobufCBinaryData b)
{
    return ttrpc_utf8_ok(b.data, b.len);
}

static bool request_ok(const Swpsp__Ttrpc__Request *m)
{
    if (m->n_metadata > MAX_METADATA || !text_ok(m->service) ||
        !text_ok(m->method)) {
        return false;
    }
    for (size_t i = 0; i < m->n_metadata; i++) {
        if (!text_ok(m->metadata[i]->key) || !text_ok(m->metadata[i]->value)) {
            return false;
        }
    }
    return true;
}

enum psp_err ttrpc_request_decode(const uint8_t *data, size_t size,
                                  struct ttrpc_request *out)
{
    Swpsp__Ttrpc__Request *m = (void *)ttrpc_unpack(
        &swpsp__ttrpc__request__descriptor, (struct ttrpc_bytes){data, size});

    memset(out, 0, sizeof(*out));
    if (m == NULL) {
        return PSP_E_FORMAT;
    }
    if (!request_ok(m)) {
        swpsp__ttrpc__request__free_unpacked(m, NULL);
        return PSP_E_FORMAT;
    }
    out->service = view(m->service);
    out->method = view(m->method);
    out->payload = view(m->payload);
    out->timeout_nano = m->timeout_nano;
    out->impl = m;
    return PSP_OK;
}

void ttrpc_request_clear(struct ttrpc_request *req)
{
    if (req->impl != NULL) {
        swpsp__ttrpc__request__free_unpacked(req->impl, NULL);
    }
    memset(req, 0, sizeof(*req));
}

enum psp_err ttrpc_response_decode(const uint8_t *data, size_t size,
                                   struct ttrpc_response *out)
{
    Swpsp__Ttrpc__Response *m = (void *)ttrpc_unpack(
        &swpsp__ttrpc__response__descriptor, (struct ttrpc_bytes){data, size});

    memset(out, 0, sizeof(*out));
    if (m == NULL) {
        return PSP_E_FORMAT;
    }
    if (m->status != NULL) {
        out->code = m->status->code;
        out->message = view(m->status->message);
    }
    out->payload = view(m->payload);
    out->impl = m;
    return PSP_OK;
}

void ttrpc_response_clear(struct ttrpc_response *resp)
{
    if (resp->impl != NULL) {
        swpsp__ttrpc__response__free_unpacked(resp->impl, NULL);
    }
    memset(resp, 0, sizeof(*resp));
}

static enum psp_err frame(uint32_t stream, enum ttrpc_type type,
                          const ProtobufCMessage *m, uint8_t **out,
                          size_t *size)
{
    size_t n = protobuf_c_message_get_packed_size(m);
    struct ttrpc_header h = {.stream = stream, .type = (uint8_t)type};

    if (n > TTRPC_MAX_DATA) {
        return PSP_E_PARAM;
    }
    *out = malloc(TTRPC_HEADER_SIZE + n);
    if (*out == NULL) {
        return PSP_E_NOMEM;
    }
    h.length = (uint32_t)n;
    ttrpc_header_encode(&h, *out);
    (void)protobuf_c_message_pack(m, *out + TTRPC_HEADER_SIZE);
    *size = TTRPC_HEADER_SIZE + n;
    return PSP_OK;
}

enum psp_err ttrpc_request_frame(uint32_t stream,
                                 const struct ttrpc_request *req, uint8_t **out,
                                 size_t *size)
{
    Swpsp__Ttrpc__Request m = SWPSP__TTRPC__REQUEST__INIT;

    m.service = binary(req->service);
    m.method = binary(req->method);
    m.payload = binary(req->payload);
    m.timeout_nano = req->timeout_nano;
    return frame(stream, TTRPC_REQUEST, &m.base, out, size);
}

enum psp_err ttrpc_response_frame(uint32_t stream,
                                  const struct ttrpc_response *resp,
                                  uint8_t **out, size_t *size)
{
    Swpsp__Ttrpc__Response m = SWPSP__TTRPC__RESPONSE__INIT;
    Swpsp__Ttrpc__Status status = SWPSP__TTRPC__STATUS__INIT;

    status.code = resp->code;
    status.message = binary(resp->message);
    m.status = &status;
    if (resp->code == TTRPC_OK) {
        m.payload = binary(resp->payload);
    }
    return frame(stream, TTRPC_RESPONSE, &m.base, out, size);
}
