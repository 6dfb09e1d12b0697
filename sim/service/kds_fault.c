/* SPDX-License-Identifier: Apache-2.0 */
#include "kds_fault.h"

#include "kds_hash.h"
#include "kds_route.h"
#include "monotonic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How long an answer waits for a later one to go first. */
#define REORDER_MS 10000u

void kds_fault_init(struct kds_fault_state *s, const struct kds_faults *faults)
{
    memset(s, 0, sizeof(*s));
    s->faults = *faults;
    pthread_mutex_init(&s->lock, NULL);
    monotonic_cond_init(&s->wake);
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
    fault_history_clear(&s->history);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
}

/* Until stopped, until @ms are over, or until more than @seen requests have
 * been answered. */
static void wait_for(struct kds_fault_state *s, unsigned int ms, uint64_t seen)
{
    struct timespec t = monotonic_after(ms);
    int err = 0;

    pthread_mutex_lock(&s->lock);
    while (err == 0 && !s->stopping && s->answered <= seen) {
        err = pthread_cond_timedwait(&s->wake, &s->lock, &t);
    }
    pthread_mutex_unlock(&s->lock);
}

void kds_fault_pause(struct kds_fault_state *s, unsigned int ms)
{
    wait_for(s, ms, UINT64_MAX);
}

unsigned int kds_fault_throttle(struct kds_fault_state *s, const char *url,
                                int64_t now_ms)
{
    uint64_t hash = kds_hash(url, strlen(url));
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

/* Words of fault plans; NULL: nothing that they know. */
static const char *kind_of(const struct kds_ask *ask)
{
    static const char *const names[] = {
        [KDS_CERT_CHAIN] = "cert-chain",
        [KDS_VLEK_CERT_CHAIN] = "cert-chain",
        [KDS_CRL] = "crl",
        [KDS_VCEK] = "vcek",
        [KDS_VLEK] = "vlek",
        [KDS_HASH_STICKS] = NULL,
        [KDS_CEK] = "cek",
        [KDS_ASK_ARK] = "ask-ark",
    };
    struct kds_request q;
    const char *why = NULL;

    return kds_route(ask->method, ask->path, ask->query, &q, &why) == 200
               ? names[q.kind]
               : NULL;
}

void kds_fault_event(struct kds_fault_state *s, const struct kds_ask *ask,
                     struct kds_harm *harm)
{
    struct fault_event event = {.has_handle = false};
    char *path = NULL;

    harm->count = 0;
    pthread_mutex_lock(&s->lock);
    harm->seen = s->answered;
    pthread_mutex_unlock(&s->lock);
    if (s->faults.seqs[0] == NULL ||
        asprintf(&path, "%s%s%s", ask->path, ask->query == NULL ? "" : "?",
                 ask->query == NULL ? "" : ask->query) < 0) {
        return;
    }
    event.is[FAULT_BY_PATH] = path;
    event.is[FAULT_BY_KIND] = kind_of(ask);
    for (size_t i = 0; i < KDS_SEQ_MAX && s->faults.seqs[i] != NULL; i++) {
        if (fault_seq_event(s->faults.seqs[i], &event,
                            &harm->hits[harm->count])) {
            harm->count++;
        }
    }
    free(path);
}

const struct fault_hit *kds_harm_has(const struct kds_harm *harm,
                                     enum fault_kind kind)
{
    for (size_t i = 0; i < harm->count; i++) {
        if (harm->hits[i].fault.kind == kind) {
            return &harm->hits[i];
        }
    }
    return NULL;
}

/* --- instead of an answer --- */

/* An answer and its body in one piece, as histories keep. */
static void remember(struct kds_fault_state *s, const struct kds_answer *a)
{
    uint8_t *piece = malloc(sizeof(*a) + a->size);

    if (piece == NULL) {
        return;
    }
    memcpy(piece, a, sizeof(*a));
    if (a->size > 0) {
        memcpy(piece + sizeof(*a), a->body, a->size);
    }
    pthread_mutex_lock(&s->lock);
    fault_history_add(&s->history, piece, sizeof(*a) + a->size);
    pthread_mutex_unlock(&s->lock);
    free(piece);
}

static bool replay(struct kds_fault_state *s, uint64_t back,
                   struct kds_answer *out)
{
    const uint8_t *piece;
    size_t size = 0;

    memset(out, 0, sizeof(*out));
    pthread_mutex_lock(&s->lock);
    piece = fault_history_back(&s->history, back, &size);
    if (piece != NULL) {
        memcpy(out, piece, sizeof(*out));
        out->body = malloc(out->size + 1);
        if (out->body != NULL) {
            memcpy(out->body, piece + sizeof(*out), out->size);
        }
    }
    pthread_mutex_unlock(&s->lock);
    return out->body != NULL;
}

static void substitute(const struct fault *f, struct kds_ask *ask)
{
    static const struct {
        const char *name;
        enum kds_twist twist;
    } twists[] = {{"other-chip", KDS_OTHER_CHIP},
                  {"other-tcb", KDS_OTHER_TCB},
                  {"reversed", KDS_REVERSED}};

    for (size_t i = 0; i < sizeof(twists) / sizeof(twists[0]); i++) {
        if (strcmp(f->from, twists[i].name) == 0) {
            ask->twist = twists[i].twist;
            return;
        }
    }
    ask->method = "GET";
    ask->path = f->from;
    ask->query = NULL;
}

static void refuse(unsigned int status, struct kds_answer *out)
{
    static const char text[] = "failing on purpose\n";

    memset(out, 0, sizeof(*out));
    out->status = status;
    out->content_type = "text/plain";
    out->body = (uint8_t *)strdup(text);
    out->size = out->body == NULL ? 0 : sizeof(text) - 1;
}

/* "request 3: flip, byte 0x10, bits 0x80" */
static void say(const struct kds_fault_state *s, const struct fault_hit *hit,
                const char *more)
{
    char line[FAULT_LINE_SIZE];

    if (s->faults.applied != NULL) {
        snprintf(line, sizeof(line), "request %llu: %s%s",
                 (unsigned long long)hit->number,
                 fault_kind_name(hit->fault.kind), more);
        s->faults.applied(s->faults.ctx, line);
    }
}

bool kds_fault_before(struct kds_fault_state *s, const struct kds_harm *harm,
                      struct kds_ask *ask, char retry_after[16],
                      struct kds_answer *out)
{
    const struct fault_hit *hit = kds_harm_has(harm, FAULT_DELAY);
    char more[300];

    retry_after[0] = '\0';
    if (hit != NULL) {
        snprintf(more, sizeof(more), " %llu ms",
                 (unsigned long long)hit->fault.ms);
        say(s, hit, more);
        kds_fault_pause(s, (unsigned int)hit->fault.ms);
    }
    hit = kds_harm_has(harm, FAULT_STATUS);
    if (hit != NULL) {
        snprintf(more, sizeof(more), " %llu",
                 (unsigned long long)hit->fault.code);
        say(s, hit, more);
        refuse((unsigned int)hit->fault.code, out);
        if (hit->fault.retry_after_given) {
            snprintf(retry_after, 16, "%llu",
                     (unsigned long long)hit->fault.retry_after);
        }
        return true;
    }
    hit = kds_harm_has(harm, FAULT_REPLAY);
    if (hit != NULL && replay(s, hit->fault.back, out)) {
        say(s, hit, "");
        return true;
    }
    hit = kds_harm_has(harm, FAULT_SUBSTITUTE);
    if (hit != NULL) {
        snprintf(more, sizeof(more), " %s", hit->fault.from);
        say(s, hit, more);
        substitute(&hit->fault, ask);
    }
    return false;
}

/* --- to an answer --- */

static void flip(const struct kds_fault_state *s, const struct fault_hit *hit,
                 struct kds_answer *answer)
{
    char more[64];

    if (fault_hit_flip(hit, answer->body, answer->size)) {
        snprintf(more, sizeof(more), ", byte 0x%llx, bits 0x%02x",
                 (unsigned long long)fault_hit_place(hit, answer->size),
                 (unsigned int)fault_hit_bits(hit));
        say(s, hit, more);
    }
}

static void show_page(struct kds_answer *answer)
{
    static const char page[] =
        "<!DOCTYPE html><html><title>Welcome</title>"
        "<body>Accept our terms to use this network.</body></html>\n";
    uint8_t *body = (uint8_t *)strdup(page);

    if (body != NULL) {
        free(answer->body);
        answer->body = body;
        answer->size = sizeof(page) - 1;
        answer->content_type = "text/html";
        answer->disposition = NULL;
    }
}

static void spoil(const struct kds_fault_state *s, const struct kds_harm *harm,
                  struct kds_answer *answer)
{
    static const enum fault_kind wire[] = {FAULT_TRUNCATE, FAULT_HUGE,
                                           FAULT_TRICKLE};
    const struct fault_hit *hit = kds_harm_has(harm, FAULT_HTML);

    if (hit != NULL) {
        say(s, hit, "");
        show_page(answer);
    }
    hit = kds_harm_has(harm, FAULT_FLIP);
    if (hit != NULL) {
        flip(s, hit, answer);
    }
    for (size_t i = 0; i < sizeof(wire) / sizeof(wire[0]); i++) {
        hit = kds_harm_has(harm, wire[i]);
        if (hit != NULL) {
            say(s, hit, "");
        }
    }
}

void kds_fault_after(struct kds_fault_state *s, const struct kds_harm *harm,
                     bool honest, struct kds_answer *answer)
{
    const struct fault_hit *hit;

    if (honest && s->faults.seqs[0] != NULL) {
        remember(s, answer);
    }
    if (answer->status == 200 && answer->size > 0) {
        spoil(s, harm, answer);
    }
    hit = kds_harm_has(harm, FAULT_DROP);
    if (hit != NULL) {
        say(s, hit, "");
    }
    hit = kds_harm_has(harm, FAULT_REORDER);
    if (hit != NULL) {
        say(s, hit, "");
        wait_for(s, REORDER_MS, harm->seen);
    }
}

void kds_fault_done(struct kds_fault_state *s)
{
    pthread_mutex_lock(&s->lock);
    s->answered++;
    pthread_cond_broadcast(&s->wake);
    pthread_mutex_unlock(&s->lock);
}
