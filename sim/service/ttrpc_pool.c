/* SPDX-License-Identifier: Apache-2.0 */
#include "ttrpc_pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_WAITING 1024u

struct ttrpc_pool {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct ttrpc_job *first, **last; /* waiting, oldest first */
    size_t waiting;
    struct ttrpc_job *done;
    struct ttrpc_job *parked;
    bool stop;
    int done_fd;
    size_t thread_count;
    pthread_t threads[];
};

void ttrpc_job_free(struct ttrpc_job *job)
{
    if (job != NULL) {
        if (job->kept != NULL) {
            job->method->drop(job->ctx, job->kept);
        }
        free(job->payload);
        free(job->reply.payload);
        free(job);
    }
}

static void enqueue(struct ttrpc_pool *p, struct ttrpc_job *job)
{
    job->next = NULL;
    *p->last = job;
    p->last = &job->next;
    p->waiting++;
}

static struct ttrpc_job *take(struct ttrpc_pool *p)
{
    struct ttrpc_job *job = p->first;

    p->first = job->next;
    if (p->first == NULL) {
        p->last = &p->first;
    }
    p->waiting--;
    return job;
}

static void park(struct ttrpc_pool *p, struct ttrpc_job *job)
{
    job->parked = true;
    job->prev = NULL;
    job->next = p->parked;
    if (job->next != NULL) {
        job->next->prev = job;
    }
    p->parked = job;
}

static void unlink_parked(struct ttrpc_pool *p, struct ttrpc_job *job)
{
    job->parked = false;
    if (job->next != NULL) {
        job->next->prev = job->prev;
    }
    if (job->prev != NULL) {
        job->prev->next = job->next;
    } else {
        p->parked = job->next;
    }
}

void ttrpc_unpark(struct ttrpc_job *job)
{
    struct ttrpc_pool *p = job->pool;

    pthread_mutex_lock(&p->lock);
    if (job->parked) {
        unlink_parked(p, job);
        enqueue(p, job);
    } else {
        job->woken = true;
    }
    pthread_mutex_unlock(&p->lock);
    pthread_cond_signal(&p->wake);
}

static void run(struct ttrpc_job *job)
{
    struct ttrpc_call call = {
        .peer = &job->peer,
        .payload = {.data = job->payload, .size = job->size},
        .cancelled = &job->cancelled,
        .deadline = job->deadline,
        .kept = &job->kept,
        .job = job,
    };

    job->reply.parked = false;
    if (!atomic_load(&job->cancelled)) {
        job->method->run(job->ctx, &call, &job->reply);
    }
}

/* Locked. It has run; false: not to the end. */
static bool is_done(struct ttrpc_pool *p, struct ttrpc_job *job)
{
    if (!job->reply.parked) {
        job->next = p->done;
        p->done = job;
        return true;
    }
    if (job->woken) {
        job->woken = false;
        enqueue(p, job);
    } else {
        park(p, job);
    }
    return false;
}

static void *work(void *arg)
{
    struct ttrpc_pool *p = arg;
    const uint64_t one = 1;

    pthread_mutex_lock(&p->lock);
    for (;;) {
        struct ttrpc_job *job;

        while (p->first == NULL && !p->stop) {
            pthread_cond_wait(&p->wake, &p->lock);
        }
        if (p->stop) {
            break;
        }
        job = take(p);
        pthread_mutex_unlock(&p->lock);
        run(job);
        pthread_mutex_lock(&p->lock);
        if (is_done(p, job)) {
            pthread_mutex_unlock(&p->lock);
            /* Cannot fail: the counter is far from its limit. */
            (void)!write(p->done_fd, &one, sizeof(one));
            pthread_mutex_lock(&p->lock);
        }
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* Signals are for the thread that runs the server. */
static int start(struct ttrpc_pool *p, size_t threads)
{
    sigset_t all, old;
    int err = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    while (err == 0 && p->thread_count < threads) {
        err = pthread_create(&p->threads[p->thread_count], NULL, work, p);
        p->thread_count += err == 0 ? 1 : 0;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return -err;
}

int ttrpc_pool_open(size_t threads, int done_fd, struct ttrpc_pool **out)
{
    struct ttrpc_pool *p =
        calloc(1, sizeof(*p) + threads * sizeof(p->threads[0]));
    int err;

    if (p == NULL) {
        return -ENOMEM;
    }
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    p->last = &p->first;
    p->done_fd = done_fd;
    err = start(p, threads);
    if (err != 0) {
        ttrpc_pool_close(p);
        return err;
    }
    *out = p;
    return 0;
}

bool ttrpc_pool_put(struct ttrpc_pool *p, struct ttrpc_job *job)
{
    bool room;

    pthread_mutex_lock(&p->lock);
    room = p->waiting < MAX_WAITING;
    if (room) {
        job->pool = p;
        enqueue(p, job);
    }
    pthread_mutex_unlock(&p->lock);
    if (room) {
        pthread_cond_signal(&p->wake); /* who wakes up wants the lock */
    }
    return room;
}

struct ttrpc_job *ttrpc_pool_done(struct ttrpc_pool *p)
{
    struct ttrpc_job *list;

    pthread_mutex_lock(&p->lock);
    list = p->done;
    p->done = NULL;
    pthread_mutex_unlock(&p->lock);
    return list;
}

/* What is left when no thread is. It can be unparked until it is dropped. */
static struct ttrpc_job *take_any(struct ttrpc_pool *p)
{
    struct ttrpc_job *job;

    pthread_mutex_lock(&p->lock);
    job = p->parked;
    if (job != NULL) {
        unlink_parked(p, job);
    } else if (p->first != NULL) {
        job = take(p);
    } else {
        job = p->done;
        p->done = job != NULL ? job->next : NULL;
    }
    pthread_mutex_unlock(&p->lock);
    return job;
}

void ttrpc_pool_close(struct ttrpc_pool *p)
{
    struct ttrpc_job *job;

    if (p == NULL) {
        return;
    }
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < p->thread_count; i++) {
        pthread_join(p->threads[i], NULL);
    }
    while ((job = take_any(p)) != NULL) {
        ttrpc_job_free(job);
    }
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
