/* SPDX-License-Identifier: Apache-2.0 */
/* Which events are hit. */
#include "fault_impl.h"

#include "crypto.h"
#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct fault_seq {
    struct fault_plan *plan;
    enum fault_place at;
    char key[FAULT_KEY_SIZE];
    uint64_t generation; /* of the rules that are counted below */
    uint64_t number;
    uint64_t seen[FAULT_MAX]; /* events that fit each fault */
};

static void put_in_force(struct fault_plan *plan, struct fault_rules *rules)
{
    struct fault_rules *old;

    pthread_mutex_lock(&plan->lock);
    old = plan->rules;
    plan->rules = rules;
    plan->generation++;
    atomic_store(&plan->places, rules->places);
    pthread_mutex_unlock(&plan->lock);
    fault_rules_free(old);
}

static int plan_of(struct fault_rules *rules, struct fault_plan **out)
{
    struct fault_plan *plan = rules == NULL ? NULL : calloc(1, sizeof(*plan));

    *out = plan;
    if (plan == NULL) {
        fault_rules_free(rules);
        return -ENOMEM;
    }
    pthread_mutex_init(&plan->lock, NULL);
    pthread_mutex_init(&plan->guests_lock, NULL);
    put_in_force(plan, rules);
    return 0;
}

int fault_plan_new(struct fault_plan **out)
{
    return plan_of(calloc(1, sizeof(struct fault_rules)), out);
}

int fault_plan_parse(const char *text, size_t size, struct fault_plan **out,
                     char *error)
{
    struct fault_rules *rules = NULL;
    int err = fault_rules_parse(text, size, &rules, error);

    *out = NULL;
    if (err == 0) {
        err = plan_of(rules, out);
        if (err != 0) {
            strcpy(error, "out of memory");
        }
    }
    return err;
}

void fault_plan_free(struct fault_plan *plan)
{
    if (plan != NULL) {
        pthread_mutex_destroy(&plan->guests_lock);
        pthread_mutex_destroy(&plan->lock);
        fault_rules_free(plan->rules);
        free(plan);
    }
}

int fault_plan_replace(struct fault_plan *plan, const char *text, size_t size,
                       char *error)
{
    struct fault_rules *rules = NULL;
    int err = fault_rules_parse(text, size, &rules, error);

    if (err == 0) {
        put_in_force(plan, rules);
    }
    return err;
}

void fault_plan_clear(struct fault_plan *plan)
{
    pthread_mutex_lock(&plan->lock);
    fault_rules_clear(plan->rules);
    plan->generation++;
    atomic_store(&plan->places, 0);
    pthread_mutex_unlock(&plan->lock);
}

bool fault_plan_has(const struct fault_plan *plan, enum fault_place place)
{
    return plan != NULL && (atomic_load(&plan->places) & 1u << place) != 0;
}

bool fault_plan_count(struct fault_plan *plan, size_t index,
                      struct fault_count *out)
{
    bool there;

    pthread_mutex_lock(&plan->lock);
    there = index < plan->rules->count;
    if (there) {
        const struct fault_rule *r = &plan->rules->rules[index];

        *out = (struct fault_count){.at = r->fault.at,
                                    .kind = r->fault.kind,
                                    .fits = r->fits,
                                    .hits = r->hits};
    }
    pthread_mutex_unlock(&plan->lock);
    return there;
}

int fault_seq_new(struct fault_plan *plan, enum fault_place at, const char *key,
                  struct fault_seq **out)
{
    struct fault_seq *seq = calloc(1, sizeof(*seq));

    *out = seq;
    if (seq == NULL) {
        return -ENOMEM;
    }
    seq->plan = plan;
    seq->at = at;
    memcpy(seq->key, key, strnlen(key, sizeof(seq->key) - 1));
    return 0;
}

void fault_seq_free(struct fault_seq *seq)
{
    free(seq);
}

/* --- chance: a function of its arguments, without state --- */

enum purpose { CHANCE_HIT, CHANCE_PLACE, CHANCE_BITS };

static uint64_t draw(const struct fault_seq *seq, size_t index, uint64_t number,
                     enum purpose purpose)
{
    uint8_t in[FAULT_SEED_MAX + FAULT_KEY_SIZE + 3 * 8];
    uint8_t digest[SHA256_SIZE];
    struct psp_wr w = psp_wr(in, sizeof(in));
    const char *seed = seq->plan->rules->seed;
    struct psp_rd r = psp_rd(digest, sizeof(digest));

    psp_wr_bytes(&w, seed, strlen(seed));
    psp_wr_pad_to(&w, FAULT_SEED_MAX);
    psp_wr_bytes(&w, seq->key, strlen(seq->key));
    psp_wr_pad_to(&w, FAULT_SEED_MAX + FAULT_KEY_SIZE);
    psp_wr_le64(&w, index);
    psp_wr_le64(&w, number);
    psp_wr_le64(&w, (uint64_t)purpose | (uint64_t)seq->at << 8);
    psp_sha256(in, sizeof(in), digest);
    return psp_rd_le64(&r);
}

static bool due(const struct fault_seq *seq, size_t index)
{
    const struct fault_when *w = &seq->plan->rules->rules[index].when;
    uint64_t seen = seq->seen[index];

    if (w->request != 0) {
        return seen == w->request;
    }
    if (w->every != 0) {
        return seen % w->every == 0;
    }
    return draw(seq, index, seen, CHANCE_HIT) % FAULT_CERTAIN < w->probability;
}

static bool by_fits(enum fault_by by, const char *want, const char *is)
{
    if (want == NULL) {
        return true;
    }
    if (is == NULL) {
        return false;
    }
    return by == FAULT_BY_PATH ? strncmp(is, want, strlen(want)) == 0
                               : strcmp(is, want) == 0;
}

static bool fits(const struct fault_rule *rule, const struct fault_seq *seq,
                 const struct fault_event *event)
{
    const struct fault_when *w = &rule->when;

    if (rule->fault.at != seq->at ||
        (event->quiet && w->by[FAULT_BY_COMMAND] == NULL) ||
        (w->by_handle && !(event->has_handle && event->handle == w->handle))) {
        return false;
    }
    for (int by = 0; by < FAULT_BY_COUNT; by++) {
        if (!by_fits((enum fault_by)by, w->by[by], event->is[by])) {
            return false;
        }
    }
    return true;
}

/* Every fault counts the event; the first one that is due gets it. */
static bool choose(struct fault_seq *seq, const struct fault_event *event,
                   size_t *index)
{
    struct fault_rules *rules = seq->plan->rules;
    bool hit = false;

    for (size_t i = 0; i < rules->count; i++) {
        struct fault_rule *rule = &rules->rules[i];

        if (!fits(rule, seq, event)) {
            continue;
        }
        seq->seen[i]++;
        rule->fits++;
        if (!hit && due(seq, i)) {
            rule->hits++;
            *index = i;
            hit = true;
        }
    }
    return hit;
}

bool fault_seq_event(struct fault_seq *seq, const struct fault_event *event,
                     struct fault_hit *hit)
{
    struct fault_plan *plan = seq->plan;
    size_t index = 0;
    bool found;

    pthread_mutex_lock(&plan->lock);
    if (seq->generation != plan->generation) {
        seq->generation = plan->generation;
        seq->number = 0;
        memset(seq->seen, 0, sizeof(seq->seen));
    }
    hit->number = ++seq->number;
    found = choose(seq, event, &index);
    if (found) {
        hit->fault = plan->rules->rules[index].fault;
        hit->place_chance = draw(seq, index, hit->number, CHANCE_PLACE);
        hit->bits_chance = draw(seq, index, hit->number, CHANCE_BITS);
    }
    pthread_mutex_unlock(&plan->lock);
    return found;
}

/* --- help for those who apply faults --- */

uint64_t fault_hit_place(const struct fault_hit *hit, uint64_t size)
{
    return hit->fault.place_given ? hit->fault.place : hit->place_chance % size;
}

uint8_t fault_hit_bits(const struct fault_hit *hit)
{
    return (uint8_t)(hit->fault.bits_given ? hit->fault.bits
                                           : 1u << hit->bits_chance % 8);
}

bool fault_hit_flip(const struct fault_hit *hit, uint8_t *data, size_t size)
{
    uint64_t place = size == 0 ? 0 : fault_hit_place(hit, size);

    if (place >= size) {
        return false;
    }
    data[place] ^= fault_hit_bits(hit);
    return true;
}

void fault_history_add(struct fault_history *h, const void *data, size_t size)
{
    size_t slot = h->count % FAULT_BACK_MAX;
    uint8_t *copy = h->data[slot];

    if (copy == NULL || h->size[slot] != size) {
        copy = malloc(size == 0 ? 1 : size);
        if (copy == NULL) {
            return;
        }
        if (h->data[slot] != NULL) {
            psp_wipe(h->data[slot], h->size[slot]);
            free(h->data[slot]);
        }
        h->data[slot] = copy;
        h->size[slot] = size;
    }
    memcpy(copy, data, size);
    h->count++;
}

const uint8_t *fault_history_back(const struct fault_history *h, uint64_t back,
                                  size_t *size)
{
    size_t slot;

    if (back == 0 || back > FAULT_BACK_MAX || h->count < back) {
        return NULL;
    }
    slot = (h->count - back) % FAULT_BACK_MAX;
    *size = h->size[slot];
    return h->data[slot];
}

void fault_history_clear(struct fault_history *h)
{
    for (size_t i = 0; i < FAULT_BACK_MAX; i++) {
        if (h->data[i] != NULL) {
            psp_wipe(h->data[i], h->size[i]);
            free(h->data[i]);
        }
    }
    memset(h, 0, sizeof(*h));
}
