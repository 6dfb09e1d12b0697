/* SPDX-License-Identifier: Apache-2.0 */
#include "aeb_cek.h"

#include "aeb_msg.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SLOTS   4u
#define STEP_NS 100000000
#define PATH    "/cek/id/"
/* Given up because nobody wanted it: no answer for those who came since. */
#define ABORTED 0xffffffffu

struct slot {
    bool full;
    uint8_t id[AEB_CHIP_ID_SIZE];
    uint8_t cert[SEV_CERT_SIZE];
};

struct aeb_cek {
    struct aeb_cek_config config;
    struct aeb_url url;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct slot slots[SLOTS];
    size_t next; /* slot to reuse */
    bool fetching;
    uint8_t fetching_id[AEB_CHIP_ID_SIZE];
    size_t waiting;
    uint64_t turn;  /* fetches so far */
    uint32_t error; /* of the last */
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
    c->config.total_ms = config->total_ms > 0 ? config->total_ms : 10000;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, NULL);
    *out = c;
    return 0;
}

void aeb_cek_close(struct aeb_cek *c)
{
    if (c != NULL) {
        pthread_cond_destroy(&c->changed);
        pthread_mutex_destroy(&c->lock);
        free(c);
    }
}

/* ---- one request ---- */

struct fetch {
    struct aeb_cek *cek;
    const atomic_bool *cancelled;
};

static bool unwanted(void *ctx)
{
    struct fetch *f = ctx;
    bool others;

    if (!atomic_load(f->cancelled)) {
        return false;
    }
    pthread_mutex_lock(&f->cek->lock);
    others = f->cek->waiting > 0;
    pthread_mutex_unlock(&f->cek->lock);
    return !others;
}

static void make_path(const uint8_t id[AEB_CHIP_ID_SIZE],
                      char path[sizeof(PATH) + 2 * AEB_CHIP_ID_SIZE])
{
    memcpy(path, PATH, sizeof(PATH));
    for (size_t i = 0; i < AEB_CHIP_ID_SIZE; i++) {
        snprintf(path + sizeof(PATH) - 1 + 2 * i, 3, "%02X", id[i]);
    }
}

static uint32_t from_server(struct fetch *f, const char *path, uint8_t *body,
                            size_t *size)
{
    const struct aeb_http get = {
        .url = f->cek->config.url,
        .path = path,
        .connect_ms = f->cek->config.connect_ms,
        .total_ms = f->cek->config.total_ms,
        .give_up = unwanted,
        .ctx = f,
    };
    int status = aeb_http_get(&get, body, size);

    if (status >= 200 && status < 300) {
        return 0;
    }
    switch (status) {
    case -ETIMEDOUT:
        return AEB_KDS_TIMEOUT;
    case -ECANCELED:
        return ABORTED;
    case -EMSGSIZE:
        return AEB_KDS_BODY;
    default:
        return status > 0 ? AEB_ERROR_KDS + (uint32_t)status
                          : AEB_KDS_TRANSPORT;
    }
}

static uint32_t from_here(struct aeb_cek *c, const char *path, uint8_t *body,
                          size_t *size)
{
    struct kds_answer answer;
    uint32_t error;

    kds_answer(c->config.local, "GET", path, NULL, NULL, 0,
               (uint64_t)time(NULL), &answer);
    error = answer.status == 200 ? 0 : AEB_ERROR_KDS + answer.status;
    if (error == 0 && answer.size > AEB_HTTP_BODY_MAX) {
        error = AEB_KDS_BODY;
    }
    if (error == 0) {
        memcpy(body, answer.body, answer.size);
        *size = answer.size;
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

static uint32_t fetch(struct fetch *f, const uint8_t id[AEB_CHIP_ID_SIZE],
                      const uint8_t exported[SEV_CERT_SIZE],
                      uint8_t out[SEV_CERT_SIZE])
{
    char path[sizeof(PATH) + 2 * AEB_CHIP_ID_SIZE];
    uint8_t body[AEB_HTTP_BODY_MAX];
    size_t size = 0;
    uint32_t error;

    make_path(id, path);
    error = f->cek->config.url != NULL ? from_server(f, path, body, &size)
                                       : from_here(f->cek, path, body, &size);
    if (error == 0) {
        error = judge(body, size, exported);
    }
    if (error == 0) {
        memcpy(out, body, SEV_CERT_SIZE);
    }
    return error;
}

/* ---- one request for all ---- */

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

static void wait_a_little(struct aeb_cek *c)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += STEP_NS;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    c->waiting++;
    pthread_cond_timedwait(&c->changed, &c->lock, &t);
    c->waiting--;
}

/* Locked on entry and on return. */
static uint32_t fetch_alone(struct aeb_cek *c, const uint8_t *id,
                            const uint8_t *exported,
                            const atomic_bool *cancelled, uint8_t *out)
{
    struct fetch f = {.cek = c, .cancelled = cancelled};
    uint32_t error;

    c->fetching = true;
    memcpy(c->fetching_id, id, AEB_CHIP_ID_SIZE);
    pthread_mutex_unlock(&c->lock);
    error = fetch(&f, id, exported, out);
    pthread_mutex_lock(&c->lock);
    c->fetching = false;
    c->turn++;
    c->error = error;
    if (error == 0) {
        struct slot *s = &c->slots[c->next++ % SLOTS];

        s->full = true;
        memcpy(s->id, id, AEB_CHIP_ID_SIZE);
        memcpy(s->cert, out, SEV_CERT_SIZE);
    }
    pthread_cond_broadcast(&c->changed);
    return error;
}

/* True if the last request was begun for @id while we waited, and failed. */
static bool failed_meanwhile(const struct aeb_cek *c, uint64_t since,
                             const uint8_t *id)
{
    return c->turn > since && c->error != 0 && c->error != ABORTED &&
           memcmp(c->fetching_id, id, AEB_CHIP_ID_SIZE) == 0;
}

uint32_t aeb_cek_get(struct aeb_cek *c, const uint8_t id[AEB_CHIP_ID_SIZE],
                     const uint8_t exported[SEV_CERT_SIZE],
                     const atomic_bool *cancelled, uint8_t out[SEV_CERT_SIZE])
{
    const struct slot *s;
    uint32_t error = 0;
    uint64_t since;

    pthread_mutex_lock(&c->lock);
    since = c->turn;
    while ((s = find(c, id)) == NULL && c->fetching &&
           !atomic_load(cancelled) && !failed_meanwhile(c, since, id)) {
        wait_a_little(c);
    }
    if (s != NULL) {
        memcpy(out, s->cert, SEV_CERT_SIZE);
        error = judge(out, SEV_CERT_SIZE, exported);
    } else if (atomic_load(cancelled)) {
        error = AEB_KDS_TIMEOUT;
    } else if (failed_meanwhile(c, since, id)) {
        error = c->error;
    } else {
        error = fetch_alone(c, id, exported, cancelled, out);
    }
    pthread_mutex_unlock(&c->lock);
    return error == ABORTED ? AEB_KDS_TIMEOUT : error;
}
