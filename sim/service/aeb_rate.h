/* SPDX-License-Identifier: Apache-2.0 */
/** So many requests a second and peer. One thread at a time. */
#ifndef SERVICE_AEB_RATE_H
#define SERVICE_AEB_RATE_H

#include "ttrpc_server.h"

#define AEB_RATE_PEERS 64u

struct aeb_rate {
    struct {
        struct ttrpc_peer peer;
        int64_t second;
        unsigned int count;
    } seen[AEB_RATE_PEERS];
};

bool aeb_peer_same(const struct ttrpc_peer *a, const struct ttrpc_peer *b);
/** Count one request at @now (seconds); false: one too many. */
bool aeb_rate_take(struct aeb_rate *r, const struct ttrpc_peer *peer,
                   unsigned int limit, int64_t now);

#endif
