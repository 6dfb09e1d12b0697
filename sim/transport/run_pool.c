/* SPDX-License-Identifier: Apache-2.0 */
#include "run_pool.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Measured best on two processors: with one, each call wakes a second thread
 * first; with more, each call wakes them all. */
#define DEFAULT_RECEIVERS 2u

union notif {
    struct seccomp_notif notif;
    uint8_t room[512];
};

static void *work(void *arg);

static int spawn(struct run_pool *pool)
{
    int err = pthread_create(&pool->threads[pool->count], NULL, work, pool);

    if (err == 0) {
        pool->count++;
        pool->receiving++;
    }
    return -err;
}

/* Before: this thread receives no longer. */
static void leave(struct run_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->receiving--;
    if (pool->receiving == 0 && !pool->stop) {
        /* A parked thread, or else a new one, takes the place. When neither
         * can be had, clients wait until this one is done. */
        pthread_cond_signal(&pool->more);
        if (pool->parked == 0 && pool->count < RUN_POOL_MAX) {
            (void)spawn(pool);
        }
    }
    pthread_mutex_unlock(&pool->lock);
}

/* False: the pool ends. */
static bool enter(struct run_pool *pool)
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

/* After a wait that brought nothing: is there anything left to wait for? */
static bool go_on(struct run_pool *pool, int err)
{
    struct pollfd p = {.fd = pool->server->listener};
    bool stop;

    pthread_mutex_lock(&pool->lock);
    stop = pool->stop;
    pthread_mutex_unlock(&pool->lock);
    /* ENOENT: the client was killed first, or nobody is left to notify. */
    return !stop && (err == EINTR || err == ENOENT) &&
           !(poll(&p, 1, 0) == 1 && (p.revents & POLLHUP) != 0);
}

static void *work(void *arg)
{
    struct run_pool *pool = arg;
    union notif n;
    bool go = true;

    /* spawn() has counted this thread as receiving. */
    while (go) {
        memset(&n, 0, sizeof(n)); /* as the kernel demands */
        if (ioctl(pool->server->listener, SECCOMP_IOCTL_NOTIF_RECV, &n) == 0) {
            leave(pool);
            run_serve(pool->server, &n.notif);
            go = enter(pool);
        } else {
            go = go_on(pool, errno);
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

int run_pool_start(struct run_pool *pool, struct run_server *server,
                   unsigned int receivers)
{
    int err;

    if (!notif_fits()) {
        return -ENOSYS;
    }
    *pool = (struct run_pool){
        .server = server,
        .receivers = receivers == 0 ? DEFAULT_RECEIVERS : receivers,
    };
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->more, NULL);
    pthread_mutex_lock(&pool->lock);
    do {
        err = spawn(pool);
    } while (err == 0 && pool->count < pool->receivers &&
             pool->count < RUN_POOL_MAX);
    err = pool->count > 0 ? 0 : err;
    pthread_mutex_unlock(&pool->lock);
    return err;
}

void run_pool_stop(struct run_pool *pool)
{
    const struct timespec tick = {.tv_nsec = 200000};

    pthread_mutex_lock(&pool->lock);
    pool->stop = true;
    pthread_cond_broadcast(&pool->more);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned int i = 0; i < pool->count; i++) {
        /* A signal that comes just before the wait is lost: send again. */
        while (pthread_tryjoin_np(pool->threads[i], NULL) != 0) {
            pthread_kill(pool->threads[i], SIGURG);
            nanosleep(&tick, NULL);
        }
    }
    pthread_cond_destroy(&pool->more);
    pthread_mutex_destroy(&pool->lock);
}
