/* SPDX-License-Identifier: Apache-2.0 */
#define FUSE_USE_VERSION 35
#include "fusedev_pool.h"

#include <errno.h>
#include <fuse3/fuse_lowlevel.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define DEFAULT_RECEIVERS 2u

static void *work(void *arg);

static int spawn(struct fusedev_pool *pool)
{
    int err = pthread_create(&pool->threads[pool->count], NULL, work, pool);

    if (err == 0) {
        pool->count++;
        pool->receiving++;
    }
    return -err;
}

/* Before: this thread receives no longer. */
static void leave(struct fusedev_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->receiving--;
    if (pool->receiving == 0 && !pool->stop) {
        /* A parked thread, or else a new one, takes the place. When neither
         * can be had, clients wait until this one is done. */
        pthread_cond_signal(&pool->more);
        if (pool->parked == 0 && pool->count < FUSEDEV_POOL_MAX) {
            (void)spawn(pool);
        }
    }
    pthread_mutex_unlock(&pool->lock);
}

/* False: the pool ends. */
static bool enter(struct fusedev_pool *pool)
{
    bool go;

    pthread_mutex_lock(&pool->lock);
    while (pool->receiving >= pool->receivers && !pool->stop) {
        pool->parked++;
        pthread_cond_wait(&pool->more, &pool->lock);
        pool->parked--;
    }
    go = !pool->stop;
    if (go) {
        pool->receiving++;
    }
    pthread_mutex_unlock(&pool->lock);
    return go;
}

static void session_ended(struct fusedev_pool *pool)
{
    bool first;

    pthread_mutex_lock(&pool->lock);
    first = !pool->stop;
    pool->stop = true;
    pthread_cond_broadcast(&pool->more);
    pthread_mutex_unlock(&pool->lock);
    if (first && pool->gone != NULL) {
        pool->gone(pool->ctx);
    }
}

/* Everything but the signal that ends a wait belongs to other threads. */
static void mask_signals(void)
{
    sigset_t set;

    sigfillset(&set);
    sigdelset(&set, SIGURG);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
}

static void *work(void *arg)
{
    struct fusedev_pool *pool = arg;
    struct fuse_buf buf = {0};
    bool go = true;

    mask_signals();
    /* spawn() has counted this thread as receiving. */
    while (go) {
        int n = fuse_session_receive_buf(pool->se, &buf);

        leave(pool);
        if (n > 0) {
            fuse_session_process_buf(pool->se, &buf);
        } else if (n != -EINTR && n != -EAGAIN) {
            session_ended(pool);
        }
        go = enter(pool);
    }
    free(buf.mem);
    return NULL;
}

int fusedev_pool_start(struct fusedev_pool *pool, struct fuse_session *se,
                       unsigned int receivers, void (*gone)(void *ctx),
                       void *ctx)
{
    int err;

    *pool = (struct fusedev_pool){
        .se = se,
        .gone = gone,
        .ctx = ctx,
        .receivers = receivers == 0 ? DEFAULT_RECEIVERS : receivers,
    };
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->more, NULL);
    pthread_mutex_lock(&pool->lock);
    do {
        err = spawn(pool);
    } while (err == 0 && pool->count < pool->receivers &&
             pool->count < FUSEDEV_POOL_MAX);
    err = pool->count > 0 ? 0 : err;
    pthread_mutex_unlock(&pool->lock);
    return err;
}

static void nothing(int sig)
{
    (void)sig;
}

void fusedev_pool_stop(struct fusedev_pool *pool)
{
    /* The handler is the process's: one stop at a time may exchange it. */
    static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
    const struct timespec tick = {.tv_nsec = 200000};
    const struct sigaction wake = {.sa_handler = nothing};
    struct sigaction old;

    pthread_mutex_lock(&pool->lock);
    pool->stop = true;
    pthread_cond_broadcast(&pool->more);
    pthread_mutex_unlock(&pool->lock);
    fuse_session_exit(pool->se);
    pthread_mutex_lock(&one);
    sigaction(SIGURG, &wake, &old);
    for (unsigned int i = 0; i < pool->count; i++) {
        /* A signal that comes just before the wait is lost: send again. */
        while (pthread_tryjoin_np(pool->threads[i], NULL) != 0) {
            pthread_kill(pool->threads[i], SIGURG);
            nanosleep(&tick, NULL);
        }
    }
    sigaction(SIGURG, &old, NULL);
    pthread_mutex_unlock(&one);
    pthread_cond_destroy(&pool->more);
    pthread_mutex_destroy(&pool->lock);
}
