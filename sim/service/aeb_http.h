/* SPDX-License-Identifier: Apache-2.0 */
/** A GET by HTTP/1.1, plain or with TLS, for small bodies. Redirections are
 * answers like others. */
#ifndef SERVICE_AEB_HTTP_H
#define SERVICE_AEB_HTTP_H

#include "aeb_answer.h"
#include "aeb_net.h"

struct aeb_http {
    const struct aeb_url *url;
    struct aeb_trust *trust; /* when the URL says TLS */
    const char *path;        /* behind the base; begins with a slash */
    int connect_ms;          /* to reach the server, handshake and all */
    struct aeb_patience patience;
};

/** 0; -ETIMEDOUT; -ECANCELED; -EMSGSIZE (the body is larger); other negative
 * errnos: not reached, not trusted, or no HTTP. @why: one line then
 * (AEB_WHY_NET bytes). */
int aeb_http_get(const struct aeb_http *get, struct aeb_answer *out, char *why);

#endif
