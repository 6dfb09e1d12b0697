/* SPDX-License-Identifier: Apache-2.0 */
#include "run_pool.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

union notif {
    struct seccomp_notif notif;
    uint8_t room[512];
};

/* After a wait that brought nothing: is there anything left to wait for? */
static bool go_on(struct run_pool *run, int err)
{
    struct pollfd p = {.fd = run->server->listener};

    /* ENOENT: the client was killed first, or nobody is left to notify. */
    return !pool_ends(&run->pool) && (err == EINTR || err == ENOENT) &&
           !(poll(&p, 1, 0) == 1 && (p.revents & POLLHUP) != 0);
}

static void *work(void *pool)
{
    struct run_pool *run = pool;
    union notif n;
    bool go = true;

    while (go) {
        memset(&n, 0, sizeof(n)); /* as the kernel demands */
        if (ioctl(run->server->listener, SECCOMP_IOCTL_NOTIF_RECV, &n) == 0) {
            pool_leave(&run->pool);
            run_serve(run->server, &n.notif);
            go = pool_enter(&run->pool);
        } else {
            go = go_on(run, errno);
        }
    }
    return NULL;
}

/* The running kernel's structure may be longer than the one known here. */
static bool notif_fits(void)
{
    struct seccomp_notif_sizes sizes = {0};

    return syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) == 0 &&
           sizes.seccomp_notif <= sizeof(union notif);
}

int run_pool_start(struct run_pool *run, struct run_server *server,
                   unsigned int receivers)
{
    if (!notif_fits()) {
        return -ENOSYS;
    }
    run->server = server;
    return pool_start(&run->pool, receivers, work);
}
