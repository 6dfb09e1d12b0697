/* SPDX-License-Identifier: Apache-2.0 */
#include "aeb_cek.h"

#include "aeb_msg.h"
#include "monotonic.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SLOTS     4u
#define STEP_MS   100
#define RETRIES   3u
#define RETRY_MS  6000 /* when the server does not say */
#define LINE_SIZE 512u
#define PATH      "/cek/id/"
#define PATH_SIZE (sizeof(PATH) + 2 * AEB_CHIP_ID_SIZE)
/* Given up because nobody wanted it: no answer for those who came since. */
#define ABORTED 0xffffffffu

struct slot {
    bool full;
    uint8_t id[AEB_CHIP_ID_SIZE];
    uint8_t cert[SEV_CERT_SIZE];
};

/* One chip's certificate being got, by a thread. */
struct fetch {
    struct fetch *next;
    struct aeb_cek *cek;
    uint8_t id[AEB_CHIP_ID_SIZE];
    struct aeb_cek_wait *waiting;
    struct aeb_answer got;
};

struct aeb_cek {
    struct aeb_cek_config config;
    struct aeb_url url;
    pthread_mutex_t lock;
    pthread_cond_t idle; /* no fetch is left */
    bool closing;
    struct slot slots[SLOTS];
    size_t next; /* slot to reuse */
    struct fetch *fetches;
    int64_t hold;        /* the server wants to be left alone until then ... */
    uint32_t hold_error; /* ... and said so with this */
};

int aeb_cek_open(const struct aeb_cek_config *config, struct aeb_cek **out)
{
    struct aeb_cek *c = calloc(1, sizeof(*c));

    if (c == NULL) {
        return -ENOMEM;
    }
    c->config = *config;
    if (config->url != NULL) {
        c->url = *config->url;
        c->config.url = &c->url;
    }
    c->config.connect_ms = config->connect_ms > 0 ? config->connect_ms : 5000;
    c->config.request_ms = config->request_ms > 0 ? config->request_ms : 10000;
    c->config.total_ms = config->total_ms > 0 ? config->total_ms : 30000;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->idle, NULL);
    *out = c;
    return 0;
}

void aeb_cek_close(struct aeb_cek *c)
{
    if (c == NULL) {
        return;
    }
    pthread_mutex_lock(&c->lock);
    c->closing = true;
    while (c->fetches != NULL) {
        pthread_cond_wait(&c->idle, &c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    pthread_cond_destroy(&c->idle);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* ---- one request ---- */

static void tell(struct fetch *f, int64_t until, uint32_t error);

/* Locked. By somebody whose time is not over; the others are told. */
static bool wanted(struct fetch *f)
{
    const struct aeb_cek_wait *w;

    tell(f, monotonic_ms(), AEB_KDS_TIMEOUT);
    w = f->waiting;
    while (w != NULL && atomic_load(w->cancelled)) {
        w = w->next;
    }
    return w != NULL && !f->cek->closing;
}

static bool unwanted(void *ctx)
{
    struct fetch *f = ctx;
    bool yes;

    pthread_mutex_lock(&f->cek->lock);
    yes = !wanted(f);
    pthread_mutex_unlock(&f->cek->lock);
    return yes;
}

static void make_path(const uint8_t id[AEB_CHIP_ID_SIZE], char path[PATH_SIZE])
{
    memcpy(path, PATH, sizeof(PATH));
    for (size_t i = 0; i < AEB_CHIP_ID_SIZE; i++) {
        snprintf(path + sizeof(PATH) - 1 + 2 * i, 3, "%02X", id[i]);
    }
}

static void log_failure(const struct aeb_cek *c, const char *what,
                        const char *more)
{
    char line[LINE_SIZE];

    if (c->config.log != NULL) {
        snprintf(line, sizeof(line), "key server %s://%.100s:%s: %s%s",
                 c->url.tls ? "https" : "http", c->url.host, c->url.port, what,
                 more);
        c->config.log(c->config.log_ctx, line);
    }
}

/* What became of a request that had an HTTP answer. */
static uint32_t by_status(const struct aeb_cek *c, const struct aeb_answer *a)
{
    char what[64];

    if (a->status < 300) {
        return 0;
    }
    snprintf(what, sizeof(what), "status %d%s", a->status,
             a->status < 400 ? ", redirections are not followed: " : "");
    log_failure(c, what, a->status < 400 ? a->location : "");
    return AEB_ERROR_KDS + (uint32_t)a->status;
}

static uint32_t from_server(struct fetch *f, const char *path)
{
    const struct aeb_cek *c = f->cek;
    const struct aeb_http get = {
        .url = c->config.url,
        .trust = c->config.trust,
        .path = path,
        .connect_ms = c->config.connect_ms,
        .patience = {.until = monotonic_ms() + c->config.request_ms,
                     .give_up = unwanted,
                     .ctx = f},
    };
    char why[AEB_WHY_NET];
    int err = aeb_http_get(&get, &f->got, why);

    switch (err) {
    case 0:
        return by_status(c, &f->got);
    case -ECANCELED:
        return ABORTED;
    case -ETIMEDOUT:
    case -EMSGSIZE:
        log_failure(c, why, "");
        return err == -ETIMEDOUT ? AEB_KDS_TIMEOUT : AEB_KDS_BODY;
    default:
        log_failure(c, why, "");
        return AEB_KDS_TRANSPORT;
    }
}

static uint32_t from_here(struct fetch *f, const char *path)
{
    struct kds_answer answer;
    uint32_t error;

    kds_answer(f->cek->config.local,
               &(struct kds_ask){
                   .method = "GET", .path = path, .now = (uint64_t)time(NULL)},
               &answer);
    error = answer.status == 200 ? 0 : AEB_ERROR_KDS + answer.status;
    if (error == 0 && answer.size > AEB_HTTP_BODY_MAX) {
        error = AEB_KDS_BODY;
    }
    if (error == 0) {
        memcpy(f->got.body, answer.body, answer.size);
        f->got.size = answer.size;
    }
    kds_answer_clear(&answer);
    return error;
}

/* Is it this chip's? AMD's signature is for the self-check. */
static uint32_t judge(const uint8_t *body, size_t size,
                      const uint8_t exported[SEV_CERT_SIZE])
{
    struct sev_cert cert, own;

    if (sev_cert_decode(body, size, &cert) != PSP_OK ||
        sev_cert_decode(exported, SEV_CERT_SIZE, &own) != PSP_OK ||
        cert.version != SEV_CERT_VERSION ||
        cert.pubkey_usage != SEV_USAGE_CEK) {
        return AEB_KDS_BODY;
    }
    return cert.pubkey_algo == own.pubkey_algo &&
                   memcmp(cert.pubkey, own.pubkey, sizeof(cert.pubkey)) == 0
               ? 0
               : AEB_KDS_OTHER_KEY;
}

/* ---- answers; all locked ---- */

static struct slot *find(struct aeb_cek *c, const uint8_t *id)
{
    for (size_t i = 0; i < SLOTS; i++) {
        if (c->slots[i].full &&
            memcmp(c->slots[i].id, id, AEB_CHIP_ID_SIZE) == 0) {
            return &c->slots[i];
        }
    }
    return NULL;
}

static void keep(struct aeb_cek *c, const uint8_t *id, const uint8_t *cert)
{
    struct slot *s = find(c, id);

    s = s != NULL ? s : &c->slots[c->next++ % SLOTS];
    s->full = true;
    memcpy(s->id, id, AEB_CHIP_ID_SIZE);
    memcpy(s->cert, cert, SEV_CERT_SIZE);
}

static void answer(struct aeb_cek_wait *w, uint32_t error, const uint8_t *cert)
{
    w->error = error;
    if (error == 0 && cert != NULL) {
        memcpy(w->cert, cert, SEV_CERT_SIZE);
    }
    w->done = true;
}

/* Tell those whose time is over at @until: INT64_MAX is everybody. */
static void tell(struct fetch *f, int64_t until, uint32_t error)
{
    struct aeb_cek_wait **at = &f->waiting;

    while (*at != NULL) {
        struct aeb_cek_wait *w = *at;
        uint32_t own = error;

        if (until != INT64_MAX && w->deadline >= until) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        if (error == 0) {
            own = judge(f->got.body, f->got.size, w->exported);
        }
        if (own == 0) {
            keep(f->cek, f->id, f->got.body);
        }
        answer(w, own == ABORTED ? AEB_KDS_TIMEOUT : own, f->got.body);
        w->wake(w->ctx);
    }
}

/* ---- the thread ---- */

static uint32_t request(struct fetch *f)
{
    char path[PATH_SIZE];

    make_path(f->id, path);
    return f->cek->config.url != NULL ? from_server(f, path)
                                      : from_here(f, path);
}

/* Until the server wants to be asked again; false: nobody waits so long. */
static bool hold_on(struct fetch *f)
{
    struct aeb_cek *c = f->cek;
    bool on;

    pthread_mutex_lock(&c->lock);
    while ((on = wanted(f)) && monotonic_ms() < c->hold) {
        const struct timespec step = {.tv_nsec = STEP_MS * 1000000};

        pthread_mutex_unlock(&c->lock);
        nanosleep(&step, NULL);
        pthread_mutex_lock(&c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    return on;
}

static void set_hold(struct fetch *f, uint32_t error)
{
    const struct aeb_answer *a = &f->got;
    struct aeb_cek *c = f->cek;

    pthread_mutex_lock(&c->lock);
    c->hold = monotonic_ms() +
              (a->have_retry ? (int64_t)a->retry_s * 1000 : RETRY_MS);
    c->hold_error = error;
    tell(f, c->hold, error);
    pthread_mutex_unlock(&c->lock);
}

static uint32_t requests(struct fetch *f)
{
    uint32_t error = ABORTED;

    for (unsigned int i = 0; i <= RETRIES && hold_on(f); i++) {
        error = request(f);
        if (error != AEB_ERROR_KDS + 429 && error != AEB_ERROR_KDS + 503) {
            break;
        }
        set_hold(f, error);
    }
    return error;
}

static void *run(void *arg)
{
    struct fetch *f = arg;
    struct aeb_cek *c = f->cek;
    struct fetch **at = &c->fetches;
    uint32_t error;

    do {
        error = requests(f);
        pthread_mutex_lock(&c->lock);
        /* Who came when all others had gone wants it still. */
        if (error != ABORTED || !wanted(f)) {
            break;
        }
        pthread_mutex_unlock(&c->lock);
    } while (true);
    tell(f, INT64_MAX, error);
    while (*at != f) {
        at = &(*at)->next;
    }
    *at = f->next;
    pthread_cond_broadcast(&c->idle);
    pthread_mutex_unlock(&c->lock);
    free(f);
    return NULL;
}

/* Locked. 0 or an error. */
static uint32_t start(struct aeb_cek *c, struct aeb_cek_wait *w)
{
    struct fetch *f = calloc(1, sizeof(*f));
    sigset_t all, old;
    pthread_t thread;
    int err = f == NULL ? ENOMEM : 0;

    if (err == 0) {
        f->cek = c;
        memcpy(f->id, w->id, sizeof(f->id));
        f->waiting = w;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        err = pthread_create(&thread, NULL, run, f);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
    }
    if (err != 0) {
        free(f);
        return AEB_ERROR_HOST + (uint32_t)err;
    }
    pthread_detach(thread);
    f->next = c->fetches;
    c->fetches = f;
    return 0;
}

/* ---- from outside ---- */

static bool ask(struct aeb_cek *c, struct aeb_cek_wait *w)
{
    const struct slot *s = find(c, w->id);
    int64_t now = monotonic_ms();
    struct fetch *f = c->fetches;
    uint32_t error;

    if (s != NULL) {
        answer(w, judge(s->cert, SEV_CERT_SIZE, w->exported), s->cert);
        return true;
    }
    if (w->deadline > now + c->config.total_ms) {
        w->deadline = now + c->config.total_ms;
    }
    if (now < c->hold && w->deadline < c->hold) {
        answer(w, c->hold_error, NULL);
        return true;
    }
    while (f != NULL && memcmp(f->id, w->id, sizeof(f->id)) != 0) {
        f = f->next;
    }
    if (f != NULL) {
        w->next = f->waiting;
        f->waiting = w;
        return false;
    }
    error = start(c, w);
    if (error != 0) {
        answer(w, error, NULL);
    }
    return error != 0;
}

bool aeb_cek_ask(struct aeb_cek *c, struct aeb_cek_wait *w)
{
    bool done;

    pthread_mutex_lock(&c->lock);
    w->next = NULL;
    w->done = false;
    done = ask(c, w);
    pthread_mutex_unlock(&c->lock);
    return done;
}

void aeb_cek_forget(struct aeb_cek *c, struct aeb_cek_wait *w)
{
    pthread_mutex_lock(&c->lock);
    for (struct fetch *f = c->fetches; f != NULL; f = f->next) {
        struct aeb_cek_wait **at = &f->waiting;

        while (*at != NULL && *at != w) {
            at = &(*at)->next;
        }
        if (*at == w) {
            *at = w->next;
        }
    }
    pthread_mutex_unlock(&c->lock);
}
