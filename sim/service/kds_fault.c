/* SPDX-License-Identifier: Apache-2.0 */
#include "kds_fault.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const NAMES[KDS_HOSTILE_COUNT] = {
    [KDS_HONEST] = "none",     [KDS_TRUNCATE] = "truncate",
    [KDS_FLIP] = "flip",       [KDS_DROP] = "drop",
    [KDS_HTML] = "html",       [KDS_HUGE] = "huge",
    [KDS_TRICKLE] = "trickle", [KDS_MISDIRECT] = "misdirect",
};

enum kds_hostile kds_hostile_by_name(const char *name)
{
    int i = 0;

    while (i < KDS_HOSTILE_COUNT && strcmp(name, NAMES[i]) != 0) {
        i++;
    }
    return (enum kds_hostile)i;
}

void kds_fault_init(struct kds_fault_state *s, const struct kds_faults *faults)
{
    pthread_condattr_t attr;

    memset(s, 0, sizeof(*s));
    s->faults = *faults;
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->wake, &attr);
    pthread_condattr_destroy(&attr);
}

void kds_fault_stop(struct kds_fault_state *s)
{
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_broadcast(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

void kds_fault_clear(struct kds_fault_state *s)
{
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
}

void kds_fault_pause(struct kds_fault_state *s, unsigned int ms)
{
    struct timespec t;
    int err = 0;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&s->lock);
    while (err == 0 && !s->stopping) {
        err = pthread_cond_timedwait(&s->wake, &s->lock, &t);
    }
    pthread_mutex_unlock(&s->lock);
}

static uint64_t hash_text(const char *text)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (; *text != '\0'; text++) {
        h = (h ^ (uint8_t)*text) * 0x100000001b3u;
    }
    return h;
}

unsigned int kds_fault_throttle(struct kds_fault_state *s, const char *url,
                                int64_t now_ms)
{
    uint64_t hash = hash_text(url);
    struct kds_bucket *b = &s->buckets[hash % KDS_BUCKET_COUNT];
    unsigned int wait = 0;

    if (s->faults.rate_seconds == 0) {
        return 0;
    }
    pthread_mutex_lock(&s->lock);
    if (b->hash == hash && b->next_ms > now_ms) {
        wait = (unsigned int)((b->next_ms - now_ms + 999) / 1000);
    } else {
        b->hash = hash;
        b->next_ms = now_ms + (int64_t)s->faults.rate_seconds * 1000;
    }
    pthread_mutex_unlock(&s->lock);
    return wait;
}

unsigned int kds_fault_status(struct kds_fault_state *s)
{
    const struct kds_faults *f = &s->faults;
    unsigned int n;

    pthread_mutex_lock(&s->lock);
    n = ++s->requests;
    pthread_mutex_unlock(&s->lock);
    return f->fail_every == 0 || n % f->fail_every == 0 ? f->fail_status : 0;
}

void kds_fault_spoil(const struct kds_fault_state *s, struct kds_answer *answer)
{
    static const char page[] =
        "<!DOCTYPE html><html><title>Welcome</title>"
        "<body>Accept our terms to use this network.</body></html>\n";

    if (answer->status != 200 || answer->size == 0) {
        return;
    }
    if (s->faults.hostile == KDS_FLIP) {
        answer->body[answer->size / 2] ^= 0x10;
    } else if (s->faults.hostile == KDS_HTML) {
        uint8_t *body = malloc(sizeof(page));

        if (body != NULL) {
            memcpy(body, page, sizeof(page));
            free(answer->body);
            answer->body = body;
            answer->size = sizeof(page) - 1;
            answer->content_type = "text/html";
            answer->disposition = NULL;
        }
    }
}
