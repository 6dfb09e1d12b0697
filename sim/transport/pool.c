/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#include <signal.h>
#include <time.h>

/* Measured best on two processors: with one, each call wakes a second thread
 * first; with more, each call wakes them all. */
#define DEFAULT_RECEIVERS 2u

static int spawn(struct pool *pool)
{
    int err =
        pthread_create(&pool->threads[pool->count], NULL, pool->work, pool);

    if (err == 0) {
        pool->count++;
        pool->receiving++;
    }
    return -err;
}

int pool_start(struct pool *pool, unsigned int receivers,
               void *(*work)(void *pool))
{
    int err;

    *pool = (struct pool){
        .work = work,
        .receivers = receivers == 0 ? DEFAULT_RECEIVERS : receivers,
    };
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->more, NULL);
    pthread_mutex_lock(&pool->lock);
    do {
        err = spawn(pool);
    } while (err == 0 && pool->count < pool->receivers &&
             pool->count < POOL_MAX);
    err = pool->count > 0 ? 0 : err;
    pthread_mutex_unlock(&pool->lock);
    return err;
}

void pool_leave(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->receiving--;
    if (pool->receiving == 0 && !pool->stop) {
        /* A parked thread, or else a new one, takes the place. When neither
         * can be had, clients wait until this one is done. */
        pthread_cond_signal(&pool->more);
        if (pool->parked == 0 && pool->count < POOL_MAX) {
            (void)spawn(pool);
        }
    }
    pthread_mutex_unlock(&pool->lock);
}

bool pool_enter(struct pool *pool)
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

bool pool_end(struct pool *pool)
{
    bool first;

    pthread_mutex_lock(&pool->lock);
    first = !pool->stop;
    pool->stop = true;
    pthread_cond_broadcast(&pool->more);
    pthread_mutex_unlock(&pool->lock);
    return first;
}

bool pool_ends(struct pool *pool)
{
    bool ends;

    pthread_mutex_lock(&pool->lock);
    ends = pool->stop;
    pthread_mutex_unlock(&pool->lock);
    return ends;
}

void pool_stop(struct pool *pool)
{
    const struct timespec tick = {.tv_nsec = 200000};

    (void)pool_end(pool);
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
