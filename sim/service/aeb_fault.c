/* SPDX-License-Identifier: Apache-2.0 */
#include "aeb_fault.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUESTS_MAX 16u /* that answers are remembered of */

/* Answers with evidence, the honest ones, of one handle. */
struct past {
    bool used;
    uint32_t handle;
    uint64_t last; /* when one was added */
    struct fault_history history;
};

struct aeb_faults {
    struct fault_plan *plan;
    struct fault_seq *seq;
    void (*applied)(void *ctx, const char *line);
    void *ctx;
    pthread_mutex_t lock; /* guards what follows */
    struct past past[GUESTS_MAX];
    uint64_t added;
};

int aeb_faults_new(struct fault_plan *plan,
                   void (*applied)(void *ctx, const char *line), void *ctx,
                   struct aeb_faults **out)
{
    struct aeb_faults *f = calloc(1, sizeof(*f));

    if (f == NULL || fault_seq_new(plan, FAULT_AT_BROKER, "", &f->seq) != 0) {
        free(f);
        return -ENOMEM;
    }
    f->plan = plan;
    f->applied = applied;
    f->ctx = ctx;
    pthread_mutex_init(&f->lock, NULL);
    *out = f;
    return 0;
}

void aeb_faults_free(struct aeb_faults *f)
{
    if (f == NULL) {
        return;
    }
    for (size_t i = 0; i < GUESTS_MAX; i++) {
        fault_history_clear(&f->past[i].history);
    }
    fault_seq_free(f->seq);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

__attribute__((format(printf, 3, 4))) static void
tell(struct aeb_faults *f, const struct aeb_harm *harm, const char *format, ...)
{
    char line[FAULT_LINE_SIZE];
    va_list args;
    int n;

    if (f->applied == NULL) {
        return;
    }
    n = snprintf(line, sizeof(line), "request %" PRIu64 " of the broker: %s",
                 harm->hit.number, fault_kind_name(harm->hit.fault.kind));
    va_start(args, format);
    (void)vsnprintf(line + n, sizeof(line) - (size_t)n, format, args);
    va_end(args);
    f->applied(f->ctx, line);
}

bool aeb_harm_is(const struct aeb_harm *harm, enum fault_kind kind)
{
    return harm->due && harm->hit.fault.kind == kind;
}

/* ---- requests ---- */

static void tell_at_once(struct aeb_faults *f, const struct aeb_harm *harm)
{
    const struct fault *fault = &harm->hit.fault;

    switch (fault->kind) {
    case FAULT_SUBSTITUTE:
        tell(f, harm, ", handle %" PRIu64, fault->handle);
        break;
    case FAULT_ERROR:
    case FAULT_STATUS:
        tell(f, harm, ", 0x%" PRIx64, fault->code);
        break;
    case FAULT_DELAY:
        tell(f, harm, ", %" PRIu64 " ms", fault->ms);
        break;
    case FAULT_STRIP:
    case FAULT_DROP:
    case FAULT_REORDER:
        tell(f, harm, "%s", "");
        break;
    default:
        break; /* once it is known whether there is evidence */
    }
}

void aeb_fault_event(struct aeb_faults *f, enum aeb_rpc rpc, uint32_t handle,
                     struct aeb_harm *harm)
{
    const struct fault_event event = {
        .is[FAULT_BY_METHOD] = rpc == AEB_RPC_SIZE ? "size" : "evidence",
        .has_handle = true,
        .handle = handle,
    };

    harm->due = f != NULL && fault_seq_event(f->seq, &event, &harm->hit);
    if (harm->due) {
        tell_at_once(f, harm);
    }
}

void aeb_fault_request(const struct aeb_harm *harm, struct aeb_request *req)
{
    if (aeb_harm_is(harm, FAULT_STRIP)) {
        aeb_request_strip(req);
    }
}

uint32_t aeb_fault_handle(const struct aeb_harm *harm, uint32_t handle)
{
    return aeb_harm_is(harm, FAULT_SUBSTITUTE)
               ? (uint32_t)harm->hit.fault.handle
               : handle;
}

/* ---- evidence ---- */

static void flip(struct aeb_faults *f, const struct aeb_harm *harm,
                 uint8_t *data, size_t size)
{
    if (size > 0 && fault_hit_flip(&harm->hit, data, size)) {
        tell(f, harm, " %s, byte 0x%" PRIx64 ", bits 0x%02x",
             fault_part_name(harm->hit.fault.part),
             fault_hit_place(&harm->hit, size), fault_hit_bits(&harm->hit));
    }
}

void aeb_fault_evidence(struct aeb_faults *f, const struct aeb_harm *harm,
                        struct aeb_evidence *ev)
{
    if (aeb_harm_is(harm, FAULT_ZERO_REPORT)) {
        memset(ev->report, 0, sizeof(ev->report));
        tell(f, harm, "%s", "");
    }
    if (!aeb_harm_is(harm, FAULT_FLIP)) {
        return;
    }
    switch (harm->hit.fault.part) {
    case FAULT_REPORT:
        flip(f, harm, ev->report, sizeof(ev->report));
        break;
    case FAULT_PEK:
        flip(f, harm, ev->pek, sizeof(ev->pek));
        break;
    case FAULT_OCA:
        flip(f, harm, ev->oca, sizeof(ev->oca));
        break;
    case FAULT_CEK:
        flip(f, harm, ev->cek, sizeof(ev->cek));
        break;
    default:
        break; /* aeb_fault_bytes() */
    }
}

void aeb_fault_bytes(struct aeb_faults *f, const struct aeb_harm *harm,
                     uint8_t *data, size_t *size)
{
    if (aeb_harm_is(harm, FAULT_TRUNCATE) && harm->hit.fault.place < *size) {
        *size = (size_t)harm->hit.fault.place;
        tell(f, harm, ", %zu bytes", *size);
    } else if (aeb_harm_is(harm, FAULT_FLIP) &&
               harm->hit.fault.part == FAULT_RESPONSE) {
        flip(f, harm, data, *size);
    }
}

/* ---- replays ---- */

/* Locked: the place of @handle, or the one that was used least lately. */
static struct past *past_of(struct aeb_faults *f, uint32_t handle)
{
    struct past *oldest = &f->past[0];

    for (size_t i = 0; i < GUESTS_MAX; i++) {
        struct past *p = &f->past[i];

        if (p->used && p->handle == handle) {
            return p;
        }
        if (p->last < oldest->last) {
            oldest = p;
        }
    }
    fault_history_clear(&oldest->history);
    oldest->used = true;
    oldest->handle = handle;
    return oldest;
}

/* A copy, or NULL: there is none yet. */
static uint8_t *copy_of(const struct past *p, uint64_t back, size_t *size)
{
    const uint8_t *old = fault_history_back(&p->history, back, size);
    uint8_t *copy = old == NULL ? NULL : malloc(*size + 1);

    if (copy != NULL) {
        memcpy(copy, old, *size);
    }
    return copy;
}

void aeb_fault_replay(struct aeb_faults *f, const struct aeb_harm *harm,
                      uint32_t handle, struct ttrpc_reply *reply)
{
    uint8_t *old = NULL;
    struct past *p;
    size_t size = 0;

    if (f == NULL || !fault_plan_has(f->plan, FAULT_AT_BROKER)) {
        return;
    }
    pthread_mutex_lock(&f->lock);
    p = past_of(f, handle);
    if (aeb_harm_is(harm, FAULT_REPLAY)) {
        old = copy_of(p, harm->hit.fault.back, &size);
    }
    fault_history_add(&p->history, reply->payload, reply->size);
    p->last = ++f->added;
    pthread_mutex_unlock(&f->lock);
    if (old != NULL) {
        free(reply->payload);
        reply->payload = old;
        reply->size = size;
    }
    if (aeb_harm_is(harm, FAULT_REPLAY)) {
        tell(f, harm, old != NULL ? ", %" PRIu64 " back" : ": none yet",
             harm->hit.fault.back);
    }
}

/* The published broker's words for anything. */
static void say_status(const struct aeb_harm *harm, struct ttrpc_reply *reply)
{
    free(reply->payload);
    reply->payload = NULL;
    reply->size = 0;
    reply->code = (enum ttrpc_code)harm->hit.fault.code;
    snprintf(reply->message, sizeof(reply->message),
             "Others(\"failed to retrieve attestation evidence\")");
}

void aeb_fault_delivery(const struct aeb_harm *harm, struct ttrpc_reply *reply)
{
    if (aeb_harm_is(harm, FAULT_STATUS)) {
        say_status(harm, reply);
    }
    reply->drop = aeb_harm_is(harm, FAULT_DROP);
    reply->hold = aeb_harm_is(harm, FAULT_REORDER);
    reply->later_ms =
        aeb_harm_is(harm, FAULT_DELAY) ? (unsigned int)harm->hit.fault.ms : 0;
}
