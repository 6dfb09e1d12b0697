/* SPDX-License-Identifier: Apache-2.0 */
/** Where a key server is. */
#ifndef SERVICE_AEB_URL_H
#define SERVICE_AEB_URL_H

#include <stdbool.h>

struct aeb_url {
    bool tls;
    char host[256]; /* without brackets */
    char port[6];   /* 80, or 443 with TLS, when the text has none */
    char base[256]; /* path, without a slash at its end */
};

/** "http://HOST[:PORT][/BASE]", "https://...": an IPv6 address in brackets. No
 * user, query or fragment. */
bool aeb_url_parse(const char *text, struct aeb_url *out);

#endif
