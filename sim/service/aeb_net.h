/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A connection to a server, by TCP or by TLS 1.2 and later, with a deadline
 * that holds for name resolution and handshake too. A certificate must lead to
 * a trusted root and carry the host's name or address: nothing falls back.
 */
#ifndef SERVICE_AEB_NET_H
#define SERVICE_AEB_NET_H

#include "aeb_url.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define AEB_WHY_NET 160u

struct aeb_trust;
/** @ca_file  PEM; these and no others. NULL: the system's, where SSL_CERT_FILE
 * and SSL_CERT_DIR count as always. 0 or a negative errno, with one line in
 * @why (AEB_WHY_NET bytes). */
int aeb_trust_open(const char *ca_file, struct aeb_trust **out, char *why);
void aeb_trust_close(struct aeb_trust *trust); /* NULL is fine */

/** Until when, and who says that it is no longer wanted. */
struct aeb_patience {
    int64_t until;              /* CLOCK_MONOTONIC, ms */
    bool (*give_up)(void *ctx); /* asked every 100 ms; may be NULL */
    void *ctx;
};

struct aeb_net;
/* Each returns, besides: -ETIMEDOUT, -ECANCELED (given up), other negative
 * errnos with one line in @why. The caller's thread does not take SIGPIPE. */

/** @trust: for TLS; borrowed as long as the connection lives. 0. */
int aeb_net_open(const struct aeb_url *url, struct aeb_trust *trust,
                 const struct aeb_patience *p, struct aeb_net **out, char *why);
/** All of it: 0. */
int aeb_net_send(struct aeb_net *net, const struct aeb_patience *p,
                 const void *data, size_t size, char *why);
/** What is there, at least a byte; 0: the peer's end. */
ssize_t aeb_net_receive(struct aeb_net *net, const struct aeb_patience *p,
                        void *data, size_t size, char *why);
void aeb_net_close(struct aeb_net *net); /* NULL is fine */

#endif
