/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Where a ttrpc server listens. Spec: abi/aeb.md §5.
 */
#ifndef SERVICE_TTRPC_ADDR_H
#define SERVICE_TTRPC_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define TTRPC_ADDR_WHY  128u
#define TTRPC_ADDR_TEXT 160u

struct ttrpc_addr {
    int family; /* AF_VSOCK or AF_UNIX */
    uint32_t cid, port;
    bool cid_ignored; /* a path stood where the CID belongs */
    bool abstract;
    char name[108]; /* AF_UNIX; no NUL counted */
    size_t name_size;
};

/**
 * "vsock://CID:PORT" with a number, -1 (any), or a path that is ignored (any:
 * VMADDR_CID_ANY, a client takes the host); "unix://PATH"; "unix://@NAME"
 * (abstract, without the @). Schemes in lower case. False: @why says what is
 * wrong (TTRPC_ADDR_WHY bytes).
 */
bool ttrpc_addr_parse(const char *text, struct ttrpc_addr *out, char *why);

/** As ttrpc_addr_parse() takes it. @out: TTRPC_ADDR_TEXT bytes. */
void ttrpc_addr_print(const struct ttrpc_addr *addr, char *out);

/** Close-on-exec, non-blocking, no socket options. A path that nobody listens
 * on any more is taken over. Returns a descriptor or a negative errno. */
int ttrpc_addr_listen(const struct ttrpc_addr *addr, int backlog);

/** Connected, blocking. -ETIMEDOUT and other negative errnos. */
int ttrpc_addr_connect(const struct ttrpc_addr *addr, int timeout_ms);

#endif
