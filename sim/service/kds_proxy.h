/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A CONNECT proxy on loopback for programs that dial https://kdsintf.amd.com:
 * AMD's names lead to the stand-in, every other host to itself: directly, or
 * through the proxy that the environment had before. It sees no plaintext. Like
 * everything on loopback, every user of this machine can use it while it runs.
 * Spec: abi/certs-kds.md §5.0 T4.
 */
#ifndef SERVICE_KDS_PROXY_H
#define SERVICE_KDS_PROXY_H

#include "kds_upstream.h"

#include <stdint.h>

struct kds_proxy;

/** Listen on a free port of 127.0.0.1; nothing is answered yet, and no thread
 * runs. @up is copied. 0 or a negative errno. */
int kds_proxy_open(const struct kds_upstream *up, struct kds_proxy **out);
uint16_t kds_proxy_port(const struct kds_proxy *proxy);
/** Serve on threads of its own; @standin is the port of the HTTPS stand-in on
 * 127.0.0.1. 0 or a negative errno. */
int kds_proxy_start(struct kds_proxy *proxy, uint16_t standin);
/** Cut all tunnels and end. NULL is fine. */
void kds_proxy_stop(struct kds_proxy *proxy);

#endif
