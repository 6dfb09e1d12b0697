/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The proxy that the user's environment names, behind ours: which hosts are
 * reached through it, and how it is asked.
 */
#ifndef SERVICE_KDS_UPSTREAM_H
#define SERVICE_KDS_UPSTREAM_H

#include "aeb_http.h"

#include <stdbool.h>

#define KDS_UPSTREAM_TEXT 1024u

struct kds_upstream {
    bool used;                    /* false: all hosts are reached directly */
    struct aeb_url url;           /* no host: it cannot be reached */
    char auth[KDS_UPSTREAM_TEXT]; /* base64 of "user:password"; or empty */
    char no_proxy[16 * KDS_UPSTREAM_TEXT];
};

/**
 * @proxy     "http://[USER[:PASSWORD]@]HOST[:PORT]", as in https_proxy; the
 *            scheme may be missing. NULL or empty: none.
 * @no_proxy  As in no_proxy; NULL: none.
 *
 * False when there is a proxy that we cannot use: another scheme (TLS to the
 * proxy, SOCKS), malformed, or lists that are too long. Then hosts that would
 * be reached through it cannot be reached: what is meant to go through a proxy
 * never goes around it.
 */
bool kds_upstream_parse(const char *proxy, const char *no_proxy,
                        struct kds_upstream *out);

/**
 * Whether a list in the form of no_proxy names a host: "*"; a domain, which
 * stands for what is below it too ("amd.com", ".amd.com", "*.amd.com"); an
 * address; a network ("10.0.0.0/8"); each with ":PORT" or without. Separated by
 * commas or blanks, in any case.
 */
bool kds_no_proxy_names(const char *list, const char *host, const char *port);

/** Copy of a list without the entries that name @host at @port; free(). NULL:
 * out of memory. */
char *kds_no_proxy_without(const char *list, const char *host,
                           const char *port);

/** Whether this host is reached through the proxy: it is not when no_proxy
 * names it, nor when it is this machine's loopback. */
bool kds_upstream_serves(const struct kds_upstream *up, const char *host,
                         const char *port);

/** All of it, however long it takes within the descriptor's timeouts. */
bool kds_send_all(int fd, const char *data, size_t size);

/**
 * Ask the proxy at the other end of @fd for a tunnel. Blocks as long as the
 * descriptor's timeouts allow.
 * @status  What it said ("407 Proxy Authentication Required"), or a status that
 *          says that it said nothing.
 * True when the tunnel is open.
 */
bool kds_upstream_connect(const struct kds_upstream *up, int fd,
                          const char *host, const char *port, char status[64]);

#endif
