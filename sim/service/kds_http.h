/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The key server on the network: HTTP/1.1 and HTTPS.
 *
 * Every answer has Content-Length and X-Simulated: 1, none is compressed. (What
 * is no HTTP request at all is answered by the HTTP library, with a 4xx status
 * and a page of its own, or hung up on when it has more than some 450
 * parameters.) A head must have one Host (HTTP/1.0: at most one), else 400, and
 * no transfer coding but chunked, else 501. Each connection has its own thread,
 * so that a slow client keeps nobody waiting; when connections run out, the
 * oldest that waits for a request is closed. At most 1 MiB of request body, 30
 * KiB of header and 30 seconds of silence are taken. TLS is 1.2 or later.
 * Escapes of unreserved characters in a URL are decoded, others match nothing.
 * Spec: abi/certs-kds.md §2 to §2.5, §2.8.
 */
#ifndef SERVICE_KDS_HTTP_H
#define SERVICE_KDS_HTTP_H

#include "kds_fault.h"

#include <stdbool.h>
#include <stdint.h>

struct kds_http_config {
    const char *address;  /* "127.0.0.1", "::1", ... NULL: 127.0.0.1 */
    uint16_t port;        /* 0: any free one */
    const char *tls_cert; /* PEM, with tls_key: serve HTTPS */
    const char *tls_key;
    /** CAs, PEM: VLEKs and hash sticks only for clients that prove to have a
     * certificate of theirs, 403 for others. Clients are asked for one with
     * HTTPS only. NULL: for everybody. */
    const char *client_ca;
    struct kds_faults faults;
    /** Told each request after its answer was made; @url is as the client sent
     * it and may hold any byte but 0. From several threads. May be NULL. */
    void (*log)(void *ctx, const char *method, const char *url,
                unsigned int status, size_t size);
    void *ctx;
};

struct kds_http;

/**
 * Start serving @kds (borrowed) on threads of its own; they block the signals
 * that the caller blocks. @config is copied, but not what it points to: TLS
 * material may go when this returns.
 * Returns 0; -EINVAL: no such address; -ENOMEM; or the errno of the socket. TLS
 * material that is refused is -EIO.
 */
int kds_http_start(struct kds *kds, const struct kds_http_config *config,
                   struct kds_http **out);
/** The port that is listened on. */
uint16_t kds_http_port(const struct kds_http *http);
/** Accept nobody any more, give running requests two seconds, stop. NULL is
 * fine. */
void kds_http_stop(struct kds_http *http);

#endif
