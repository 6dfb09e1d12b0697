/* SPDX-License-Identifier: Apache-2.0 */
/** Blocking ttrpc client: one request at a time on a connected socket. */
#ifndef SERVICE_TTRPC_CLIENT_H
#define SERVICE_TTRPC_CLIENT_H

#include "ttrpc_msg.h"

struct ttrpc_client {
    int fd;          /* the caller's */
    uint32_t stream; /* of the last request; 0 at first */
    int timeout_ms;  /* for a whole call; also sent along. 0: none */
};

/** 0 with *@out (ttrpc_response_clear()), whatever its code; or a negative
 * errno: -ETIMEDOUT, -ECONNRESET (closed), -EPROTO (no answer to this),
 * -EMSGSIZE (a frame of over 4 MiB is announced). */
int ttrpc_client_call(struct ttrpc_client *c, const char *service,
                      const char *method, struct ttrpc_bytes payload,
                      struct ttrpc_response *out);

#endif
