/* SPDX-License-Identifier: Apache-2.0 */
#define FUSE_USE_VERSION 35
#include "fusedev_pool.h"

#include <errno.h>
#include <fuse3/fuse_lowlevel.h>
#include <signal.h>
#include <stdlib.h>

/* Everything but the signal that ends a wait belongs to other threads. */
static void mask_signals(void)
{
    sigset_t set;

    sigfillset(&set);
    sigdelset(&set, SIGURG);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
}

static void *work(void *pool)
{
    struct fusedev_pool *fuse = pool;
    struct fuse_buf buf = {0};
    bool go = true;

    mask_signals();
    while (go) {
        int n = fuse_session_receive_buf(fuse->se, &buf);

        pool_leave(&fuse->pool);
        if (n > 0) {
            fuse_session_process_buf(fuse->se, &buf);
        } else if (n != -EINTR && n != -EAGAIN && pool_end(&fuse->pool) &&
                   fuse->gone != NULL) {
            fuse->gone(fuse->ctx);
        }
        go = pool_enter(&fuse->pool);
    }
    free(buf.mem);
    return NULL;
}

int fusedev_pool_start(struct fusedev_pool *fuse, struct fuse_session *se,
                       unsigned int receivers, void (*gone)(void *ctx),
                       void *ctx)
{
    fuse->se = se;
    fuse->gone = gone;
    fuse->ctx = ctx;
    return pool_start(&fuse->pool, receivers, work);
}

static void nothing(int sig)
{
    (void)sig;
}

void fusedev_pool_stop(struct fusedev_pool *fuse)
{
    /* The handler is the process's: one stop at a time may exchange it. */
    static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
    const struct sigaction wake = {.sa_handler = nothing};
    struct sigaction old;

    (void)pool_end(&fuse->pool); /* so that nobody calls gone() */
    fuse_session_exit(fuse->se);
    pthread_mutex_lock(&one);
    sigaction(SIGURG, &wake, &old);
    pool_stop(&fuse->pool);
    sigaction(SIGURG, &old, NULL);
    pthread_mutex_unlock(&one);
}
