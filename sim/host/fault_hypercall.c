/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a guest's question for its handle. */
#include "fault_hypercall.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One guest's questions. */
struct asker {
    struct asker *next;
    char name[FAULT_KEY_SIZE];
    struct fault_seq *seq;
};

struct fault_hypercalls {
    struct machine *m;
    struct fault_plan *plan;
    struct fault_config config;
    pthread_mutex_t lock; /* guards what follows */
    struct asker *askers;
    /* Handles as the honest answers were, to whichever guest. */
    int64_t past[FAULT_BACK_MAX];
    uint64_t count;
};

int fault_hypercalls_new(struct fault_plan *plan, struct machine *m,
                         const struct fault_config *config,
                         struct fault_hypercalls **out)
{
    struct fault_hypercalls *f = calloc(1, sizeof(*f));

    *out = f;
    if (f == NULL) {
        return -ENOMEM;
    }
    f->m = m;
    f->plan = plan;
    f->config = *config;
    pthread_mutex_init(&f->lock, NULL);
    return 0;
}

void fault_hypercalls_free(struct fault_hypercalls *faults)
{
    if (faults == NULL) {
        return;
    }
    while (faults->askers != NULL) {
        struct asker *a = faults->askers;

        faults->askers = a->next;
        fault_seq_free(a->seq);
        free(a);
    }
    pthread_mutex_destroy(&faults->lock);
    free(faults);
}

__attribute__((format(printf, 4, 5))) static void
tell(const struct fault_hypercalls *f, const struct asker *a,
     const struct fault_hit *hit, const char *format, ...)
{
    char line[FAULT_LINE_SIZE];
    va_list args;
    int n;

    if (f->config.applied == NULL) {
        return;
    }
    n = snprintf(line, sizeof(line),
                 "hypercall %llu of %s: ", (unsigned long long)hit->number,
                 a->name);
    va_start(args, format);
    (void)vsnprintf(line + n, sizeof(line) - (size_t)n, format, args);
    va_end(args);
    f->config.applied(f->config.ctx, line);
}

/* NULL when out of memory. */
static struct asker *asker_of(struct fault_hypercalls *f, const char *name)
{
    struct asker *a = f->askers;

    while (a != NULL && strcmp(a->name, name) != 0) {
        a = a->next;
    }
    if (a != NULL) {
        return a;
    }
    a = calloc(1, sizeof(*a));
    if (a == NULL ||
        fault_seq_new(f->plan, FAULT_AT_HYPERCALL, name, &a->seq) != 0) {
        free(a);
        return NULL;
    }
    memcpy(a->name, name, strnlen(name, sizeof(a->name) - 1));
    a->next = f->askers;
    f->askers = a;
    return a;
}

static int64_t substitute(const struct fault_hypercalls *f,
                          const struct asker *a, const struct fault_hit *hit,
                          int64_t result)
{
    const struct fault *fault = &hit->fault;
    uint64_t other = fault->handle;

    if (fault->handle_given) {
        tell(f, a, hit, "substitute handle %llu", (unsigned long long)other);
    } else if (machine_guest_find(f->m, false, fault->from, &other)) {
        tell(f, a, hit, "substitute %s, handle %llu", fault->from,
             (unsigned long long)other);
    } else {
        tell(f, a, hit, "substitute: there is no such guest");
        return result;
    }
    return (int64_t)other;
}

static int64_t replay(const struct fault_hypercalls *f, const struct asker *a,
                      const struct fault_hit *hit, int64_t result)
{
    uint64_t back = hit->fault.back;

    if (back > f->count) {
        tell(f, a, hit, "replay: there is none yet");
        return result;
    }
    tell(f, a, hit, "replay, %llu back", (unsigned long long)back);
    return f->past[(f->count - back) % FAULT_BACK_MAX];
}

static int64_t apply(const struct fault_hypercalls *f, const struct asker *a,
                     const struct fault_hit *hit, int64_t result)
{
    switch (hit->fault.kind) {
    case FAULT_SUBSTITUTE:
        return substitute(f, a, hit, result);
    case FAULT_REPLAY:
        return replay(f, a, hit, result);
    default:
        tell(f, a, hit, "error, %lld", -(long long)hit->fault.answer);
        return -(int64_t)hit->fault.answer;
    }
}

int64_t fault_hypercall(struct fault_hypercalls *faults, const char *guest,
                        int64_t result)
{
    const struct fault_event event = {.is = {[FAULT_BY_GUEST] = guest}};
    int64_t honest = result;
    struct asker *a;
    struct fault_hit hit;

    if (faults == NULL || !fault_plan_has(faults->plan, FAULT_AT_HYPERCALL)) {
        return result;
    }
    pthread_mutex_lock(&faults->lock);
    a = asker_of(faults, guest);
    if (a != NULL && fault_seq_event(a->seq, &event, &hit)) {
        result = apply(faults, a, &hit, result);
    }
    if (honest > 0) {
        faults->past[faults->count++ % FAULT_BACK_MAX] = honest;
    }
    pthread_mutex_unlock(&faults->lock);
    return result;
}
