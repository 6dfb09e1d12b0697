/* SPDX-License-Identifier: Apache-2.0 */
#include "serve_trace.h"
#include "monotonic.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct serve_trace {
    pthread_mutex_t lock;
    pthread_cond_t more;
    char *lines[SERVE_TRACE_LINES];
    uint64_t next; /* number of the line that comes next */
    bool ended;
    atomic_uint followers;
};

struct serve_trace *serve_trace_new(void)
{
    struct serve_trace *t = calloc(1, sizeof(*t));

    if (t == NULL) {
        return NULL;
    }
    (void)pthread_mutex_init(&t->lock, NULL);
    monotonic_cond_init(&t->more);
    return t;
}

void serve_trace_free(struct serve_trace *t)
{
    if (t == NULL) {
        return;
    }
    for (size_t i = 0; i < SERVE_TRACE_LINES; i++) {
        free(t->lines[i]);
    }
    (void)pthread_cond_destroy(&t->more);
    (void)pthread_mutex_destroy(&t->lock);
    free(t);
}

bool serve_trace_wanted(const struct serve_trace *t)
{
    return atomic_load(&t->followers) > 0;
}

void serve_trace_add(struct serve_trace *t, const char *line, size_t size)
{
    char *copy = strndup(line, size);
    char **slot;

    if (copy == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&t->lock);
    slot = &t->lines[t->next % SERVE_TRACE_LINES];
    free(*slot);
    *slot = copy;
    t->next++;
    (void)pthread_cond_broadcast(&t->more);
    (void)pthread_mutex_unlock(&t->lock);
}

uint64_t serve_trace_follow(struct serve_trace *t)
{
    uint64_t at;

    (void)pthread_mutex_lock(&t->lock);
    at = t->next;
    (void)atomic_fetch_add(&t->followers, 1);
    (void)pthread_mutex_unlock(&t->lock);
    return at;
}

void serve_trace_unfollow(struct serve_trace *t)
{
    (void)atomic_fetch_sub(&t->followers, 1);
}

void serve_trace_end(struct serve_trace *t)
{
    (void)pthread_mutex_lock(&t->lock);
    t->ended = true;
    (void)pthread_cond_broadcast(&t->more);
    (void)pthread_mutex_unlock(&t->lock);
}

static int take(struct serve_trace *t, uint64_t *at, char **line,
                uint64_t *lost)
{
    uint64_t oldest =
        t->next > SERVE_TRACE_LINES ? t->next - SERVE_TRACE_LINES : 0;

    *lost = *at < oldest ? oldest - *at : 0;
    *at += *lost;
    *line = strdup(t->lines[*at % SERVE_TRACE_LINES]);
    (*at)++;
    return *line == NULL ? -1 : 1;
}

int serve_trace_next(struct serve_trace *t, uint64_t *at, unsigned int ms,
                     char **line, uint64_t *lost)
{
    struct timespec until = monotonic_after(ms);
    int rc = 0;

    (void)pthread_mutex_lock(&t->lock);
    while (!t->ended && *at == t->next && rc != ETIMEDOUT) {
        rc = pthread_cond_timedwait(&t->more, &t->lock, &until);
    }
    if (*at < t->next) {
        rc = take(t, at, line, lost);
    } else {
        rc = t->ended ? -1 : 0;
    }
    (void)pthread_mutex_unlock(&t->lock);
    return rc;
}
