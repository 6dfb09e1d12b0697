/* SPDX-License-Identifier: Apache-2.0 */
#include "aeb_rate.h"

bool aeb_peer_same(const struct ttrpc_peer *a, const struct ttrpc_peer *b)
{
    return a->family == b->family && a->cid == b->cid &&
           a->have_uid == b->have_uid && a->uid == b->uid &&
           a->listener == b->listener;
}

/* The peer's place, or the one that has been quiet longest. */
static size_t place(const struct aeb_rate *r, const struct ttrpc_peer *peer)
{
    size_t oldest = 0;

    for (size_t i = 0; i < AEB_RATE_PEERS; i++) {
        if (r->seen[i].count > 0 && aeb_peer_same(&r->seen[i].peer, peer)) {
            return i;
        }
        if (r->seen[i].second < r->seen[oldest].second) {
            oldest = i;
        }
    }
    return oldest;
}

bool aeb_rate_take(struct aeb_rate *r, const struct ttrpc_peer *peer,
                   unsigned int limit, int64_t now)
{
    size_t i;

    if (limit == 0) {
        return true;
    }
    i = place(r, peer);
    if (!aeb_peer_same(&r->seen[i].peer, peer) || r->seen[i].second != now) {
        r->seen[i].peer = *peer;
        r->seen[i].second = now;
        r->seen[i].count = 0;
    }
    if (r->seen[i].count >= limit) {
        return false;
    }
    r->seen[i].count++;
    return true;
}
