/* SPDX-License-Identifier: Apache-2.0 */
#include "aeb_selfcheck.h"

#include "sev_verifier.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* What can be judged without AMD's keys: certificates, then reports. */
static const enum sev_check BELOW[] = {
    SEV_CHECK_CEK_FORMAT,       SEV_CHECK_OCA_FORMAT,   SEV_CHECK_OCA_SIGNATURE,
    SEV_CHECK_PEK_FORMAT,       SEV_CHECK_PEK_BY_CEK,   SEV_CHECK_PEK_BY_OCA,
    SEV_CHECK_REPORT_FORMAT,    SEV_CHECK_REPORT_EMPTY, SEV_CHECK_REPORT_SIGNER,
    SEV_CHECK_REPORT_SIGNATURE,
};
#define BELOW_ALL   (sizeof(BELOW) / sizeof(BELOW[0]))
#define BELOW_CERTS (BELOW_ALL - 4)

/* Certificates of a platform, judged. */
struct chain {
    size_t users; /* under the lock */
    uint8_t cek[SEV_CERT_SIZE], pek[SEV_CERT_SIZE], oca[SEV_CERT_SIZE];
    struct sev_judged *judged;
    bool passed;
};

struct aeb_self_check {
    const uint8_t *root;
    size_t root_size;
    bool reports;
    pthread_mutex_t lock;
    struct chain *last; /* NULL at first */
};

int aeb_self_check_open(const uint8_t *root, size_t root_size, bool reports,
                        struct aeb_self_check **out)
{
    struct aeb_self_check *s = calloc(1, sizeof(*s));

    if (s == NULL) {
        return -ENOMEM;
    }
    s->root = root;
    s->root_size = root_size;
    s->reports = reports;
    pthread_mutex_init(&s->lock, NULL);
    *out = s;
    return 0;
}

static void chain_free(struct chain *c)
{
    if (c != NULL) {
        sev_judged_free(c->judged);
        free(c);
    }
}

void aeb_self_check_close(struct aeb_self_check *s)
{
    if (s != NULL) {
        chain_free(s->last);
        pthread_mutex_destroy(&s->lock);
        free(s);
    }
}

static bool judge(const struct aeb_self_check *s, const struct sev_judged *j,
                  const struct verify_blob *report, size_t below)
{
    const struct sev_verify_policy nothing = {.policy_mask = 0};
    struct sev_verify_result result;

    verify_sev_report(j, report, &nothing, &result);
    if (s->root != NULL) {
        return result.ok;
    }
    for (size_t i = 0; i < below; i++) {
        if (result.line[BELOW[i]].verdict != VERIFY_PASS) {
            return false;
        }
    }
    return true;
}

static struct chain *chain_new(const struct aeb_self_check *s,
                               const struct aeb_evidence *ev)
{
    struct chain *c = calloc(1, sizeof(*c));
    struct sev_verify_input in = {.trusted_ark = {s->root, s->root_size}};
    const struct verify_blob none = {NULL, 0};

    if (c == NULL) {
        return NULL;
    }
    memcpy(c->cek, ev->cek, sizeof(c->cek));
    memcpy(c->pek, ev->pek, sizeof(c->pek));
    memcpy(c->oca, ev->oca, sizeof(c->oca));
    in.cek = (struct verify_blob){c->cek, sizeof(c->cek)};
    in.pek = (struct verify_blob){c->pek, sizeof(c->pek)};
    in.oca = (struct verify_blob){c->oca, sizeof(c->oca)};
    c->judged = sev_judge_certs(&in);
    if (c->judged == NULL) {
        free(c);
        return NULL;
    }
    c->passed = judge(s, c->judged, &none, BELOW_CERTS);
    c->users = 1;
    return c;
}

static bool is_of(const struct chain *c, const struct aeb_evidence *ev)
{
    return c != NULL && memcmp(c->cek, ev->cek, sizeof(c->cek)) == 0 &&
           memcmp(c->pek, ev->pek, sizeof(c->pek)) == 0 &&
           memcmp(c->oca, ev->oca, sizeof(c->oca)) == 0;
}

static void put(struct aeb_self_check *s, struct chain *c)
{
    bool unused;

    pthread_mutex_lock(&s->lock);
    unused = --c->users == 0;
    pthread_mutex_unlock(&s->lock);
    if (unused) {
        chain_free(c);
    }
}

/* put() when done. NULL: out of memory. */
static struct chain *get(struct aeb_self_check *s,
                         const struct aeb_evidence *ev)
{
    struct chain *c = NULL, *old;

    pthread_mutex_lock(&s->lock);
    if (is_of(s->last, ev)) {
        c = s->last;
        c->users++;
    }
    pthread_mutex_unlock(&s->lock);
    if (c != NULL) {
        return c;
    }
    c = chain_new(s, ev);
    if (c != NULL) {
        pthread_mutex_lock(&s->lock);
        old = s->last;
        s->last = c;
        c->users++;
        pthread_mutex_unlock(&s->lock);
        if (old != NULL) {
            put(s, old);
        }
    }
    return c;
}

bool aeb_self_check(struct aeb_self_check *s, const struct aeb_evidence *ev)
{
    const struct verify_blob report = {ev->report, sizeof(ev->report)};
    struct chain *c = get(s, ev);
    bool ok;

    if (c == NULL) {
        return false;
    }
    ok = c->passed && (!s->reports || judge(s, c->judged, &report, BELOW_ALL));
    put(s, c);
    return ok;
}
