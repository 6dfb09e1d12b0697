/* SPDX-License-Identifier: Apache-2.0 */
/** What an HTTP/1.1 server said. Spec: RFC 9112. */
#ifndef SERVICE_AEB_ANSWER_H
#define SERVICE_AEB_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AEB_HTTP_HEAD_MAX 0x2000u
#define AEB_HTTP_BODY_MAX 0x4000u
/* Chunks of one byte have six more. */
#define AEB_HTTP_ANSWER_MAX (AEB_HTTP_HEAD_MAX + 8 * AEB_HTTP_BODY_MAX)

struct aeb_answer {
    int status;           /* 200 to 599 */
    bool have_retry;      /* Retry-After in seconds; a date is not taken */
    unsigned int retry_s; /* at most 3600 */
    char location[160];   /* of a redirection, as far as it is printable */
    size_t size;          /* 0 unless the status is 2xx: */
    uint8_t body[AEB_HTTP_BODY_MAX];
};

/**
 * An answer as far as it has come, interim ones (1xx) skipped; its body by
 * Content-Length, in chunks, or until the end.
 *
 * @ended  Nothing more will come.
 *
 * 0; -EAGAIN: not whole yet; -EPROTO: no answer, or one cut short; -EMSGSIZE:
 * the body is larger than AEB_HTTP_BODY_MAX.
 */
int aeb_answer_parse(const uint8_t *data, size_t size, bool ended,
                     struct aeb_answer *out);

#endif
