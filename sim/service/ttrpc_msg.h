/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Frames and envelopes of ttrpc. Headers are big-endian, bodies protobuf.
 * Spec: abi/aeb.md §3.1, §3.2.
 */
#ifndef SERVICE_TTRPC_MSG_H
#define SERVICE_TTRPC_MSG_H

#include <psp/err.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TTRPC_HEADER_SIZE 10u
#define TTRPC_MAX_DATA    (4u << 20)  /* longer bodies are thrown away */
#define TTRPC_MAX_DISCARD (64u << 20) /* longer ones end the connection */

enum ttrpc_type { TTRPC_REQUEST = 1, TTRPC_RESPONSE = 2, TTRPC_DATA = 3 };

enum ttrpc_code {
    TTRPC_OK = 0,
    TTRPC_UNKNOWN = 2,
    TTRPC_INVALID_ARGUMENT = 3,
    TTRPC_DEADLINE_EXCEEDED = 4,
    TTRPC_PERMISSION_DENIED = 7,
    TTRPC_RESOURCE_EXHAUSTED = 8,
    TTRPC_UNIMPLEMENTED = 12,
    TTRPC_INTERNAL = 13,
    TTRPC_UNAVAILABLE = 14,
};

struct ttrpc_header {
    uint32_t length; /* of the data behind it */
    uint32_t stream;
    uint8_t type;
    uint8_t flags;
};

void ttrpc_header_encode(const struct ttrpc_header *h,
                         uint8_t out[TTRPC_HEADER_SIZE]);
void ttrpc_header_decode(const uint8_t in[TTRPC_HEADER_SIZE],
                         struct ttrpc_header *h);

/** Puts frames together from bytes that arrive in any fragments. Zeros start
 * it; ttrpc_reader_clear() ends it. Memory grows with what has arrived, never
 * with what a header promises. */
struct ttrpc_reader {
    uint8_t head[TTRPC_HEADER_SIZE];
    size_t head_have;
    struct ttrpc_header header;
    uint8_t *body; /* header.length bytes at TTRPC_FRAME */
    size_t body_have, body_room;
};

enum ttrpc_event {
    TTRPC_MORE,     /* all bytes taken; no frame is complete */
    TTRPC_FRAME,    /* header and body stand until ttrpc_reader_next() */
    TTRPC_OVERSIZE, /* a body of over TTRPC_MAX_DATA went by; header stands */
    TTRPC_FATAL,    /* over TTRPC_MAX_DISCARD: end the connection */
    TTRPC_NOMEM,
};

/** Take bytes from *@data, which moves on, until something is to be told. */
enum ttrpc_event ttrpc_reader_take(struct ttrpc_reader *r, const uint8_t **data,
                                   size_t *size);
/** Forget the frame that was told. */
void ttrpc_reader_next(struct ttrpc_reader *r);
void ttrpc_reader_clear(struct ttrpc_reader *r);
/** True in the middle of a frame. */
bool ttrpc_reader_busy(const struct ttrpc_reader *r);

struct ttrpc_bytes {
    const uint8_t *data;
    size_t size;
};
bool ttrpc_bytes_are(struct ttrpc_bytes b, const char *text);

struct ttrpc_request {
    struct ttrpc_bytes service, method, payload; /* point into impl */
    int64_t timeout_nano;
    void *impl; /* ttrpc_request_clear() */
};
/** PSP_E_FORMAT: no Request; strings that are not UTF-8; more unknown fields or
 * metadata than any peer sends. PSP_E_NOMEM. */
PSP_MUST_CHECK enum psp_err ttrpc_request_decode(const uint8_t *data,
                                                 size_t size,
                                                 struct ttrpc_request *out);
void ttrpc_request_clear(struct ttrpc_request *req);

struct ttrpc_response {
    int32_t code; /* 0 also when the status is absent */
    struct ttrpc_bytes message, payload;
    void *impl; /* ttrpc_response_clear() */
};
PSP_MUST_CHECK enum psp_err ttrpc_response_decode(const uint8_t *data,
                                                  size_t size,
                                                  struct ttrpc_response *out);
void ttrpc_response_clear(struct ttrpc_response *resp);

/** Whole frames. *@out: free(). PSP_E_NOMEM; PSP_E_PARAM: over 4 MiB. A
 * response of code 0 has an explicit empty status; others no payload. */
PSP_MUST_CHECK enum psp_err ttrpc_request_frame(uint32_t stream,
                                                const struct ttrpc_request *req,
                                                uint8_t **out, size_t *size);
PSP_MUST_CHECK enum psp_err
ttrpc_response_frame(uint32_t stream, const struct ttrpc_response *resp,
                     uint8_t **out, size_t *size);

/** Well-formed UTF-8 without surrogates or overlong forms. */
bool ttrpc_utf8_ok(const uint8_t *data, size_t size);

#endif
