/* SPDX-License-Identifier: Apache-2.0 */
/** A GET over plain HTTP/1.1, for small bodies. No TLS, no redirects, no
 * chunked answers. */
#ifndef SERVICE_AEB_HTTP_H
#define SERVICE_AEB_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AEB_HTTP_BODY_MAX 0x4000u

struct aeb_url {
    char host[256]; /* without brackets */
    char port[6];
    char base[256]; /* path, without a slash at its end */
};
/** "http://HOST[:PORT][/BASE]"; an IPv6 address in brackets. */
bool aeb_url_parse(const char *text, struct aeb_url *out);

struct aeb_http {
    const struct aeb_url *url;
    const char *path; /* behind the base; begins with a slash */
    int connect_ms, total_ms;
    bool (*give_up)(void *ctx); /* asked every 100 ms; may be NULL */
    void *ctx;
};

/** HTTP status with the body; -ETIMEDOUT; -ECANCELED; -EMSGSIZE (larger);
 * other negative errnos: not reached, or no HTTP. */
int aeb_http_get(const struct aeb_http *get, uint8_t body[AEB_HTTP_BODY_MAX],
                 size_t *size);

/** A whole answer, until the end of the connection. As aeb_http_get(). */
int aeb_http_parse(const uint8_t *data, size_t size, const uint8_t **body,
                   size_t *body_size);

#endif
