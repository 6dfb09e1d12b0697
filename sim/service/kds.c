/* SPDX-License-Identifier: Apache-2.0 */
#include "kds.h"

#include "kds_cache.h"
#include "kds_route.h"
#include "pem.h"
#include "sev_pki.h"
#include "wire.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STICK_LIMIT 1024u
#define DAY_SECONDS 86400u

/* One generation: its chips and its CA, which one thread uses at a time. */
struct product {
    pthread_mutex_t lock;
    struct pki_ca *ca;      /* opened on first use */
    struct psp_chip *chips; /* one more than there are, see KDS_OTHER_CHIP */
};

struct kds {
    uint8_t seed[PSP_SEED_SIZE];
    enum pki_naming naming;
    struct pki_key_store store;
    bool has_store;
    uint32_t chip_count;
    char csp_id[PKI_CSP_ID_MAX + 1];
    char product_name[PKI_PRODUCT_NAME_SIZE]; /* "": none given */
    enum psp_generation product;              /* that it says */
    bool revoke_ask;
    void (*failed)(void *ctx, enum psp_err err);
    void *ctx;
    struct product products[PSP_GENERATION_COUNT];
    pthread_mutex_t cache_lock;
    struct kds_cache *cache;
};

enum psp_err kds_open(const struct kds_config *config, struct kds **out)
{
    const char *csp = config->csp_id != NULL ? config->csp_id : PKI_CSP_ID;
    size_t limit = config->cache_limit != 0 ? config->cache_limit : 4096;
    enum psp_generation product = PSP_GENERATION_COUNT;
    struct kds *kds;

    if (config->chip_count > KDS_CHIP_LIMIT || strlen(csp) > PKI_CSP_ID_MAX ||
        (config->product_name != NULL &&
         !pki_product_generation(config->product_name, &product))) {
        return PSP_E_PARAM;
    }
    kds = calloc(1, sizeof(*kds));
    if (kds == NULL) {
        return PSP_E_NOMEM;
    }
    memcpy(kds->seed, config->seed, PSP_SEED_SIZE);
    kds->naming = config->naming;
    kds->has_store = config->store != NULL;
    if (kds->has_store) {
        kds->store = *config->store;
    }
    kds->chip_count = config->chip_count;
    strcpy(kds->csp_id, csp);
    if (config->product_name != NULL) {
        strcpy(kds->product_name, config->product_name);
    }
    kds->product = product;
    kds->revoke_ask = config->revoke_ask;
    kds->failed = config->failed;
    kds->ctx = config->ctx;
    pthread_mutex_init(&kds->cache_lock, NULL);
    for (size_t g = 0; g < PSP_GENERATION_COUNT; g++) {
        pthread_mutex_init(&kds->products[g].lock, NULL);
    }
    kds->cache = kds_cache_new(limit);
    if (kds->cache == NULL) {
        kds_close(kds);
        return PSP_E_NOMEM;
    }
    *out = kds;
    return PSP_OK;
}

void kds_close(struct kds *kds)
{
    if (kds == NULL) {
        return;
    }
    for (size_t g = 0; g < PSP_GENERATION_COUNT; g++) {
        struct product *p = &kds->products[g];

        pki_ca_close(p->ca);
        if (p->chips != NULL) {
            psp_wipe(p->chips, (kds->chip_count + 1) * sizeof(*p->chips));
            free(p->chips);
        }
        pthread_mutex_destroy(&p->lock);
    }
    kds_cache_free(kds->cache);
    pthread_mutex_destroy(&kds->cache_lock);
    psp_wipe(kds->seed, sizeof(kds->seed));
    free(kds);
}

/* Called with the product's lock. */
static enum psp_err open_product(struct kds *kds, enum psp_generation g)
{
    struct product *p = &kds->products[g];
    enum psp_err err;

    if (p->chips == NULL) {
        p->chips = calloc(kds->chip_count + 1, sizeof(*p->chips));
        if (p->chips == NULL) {
            return PSP_E_NOMEM;
        }
        for (uint32_t i = 0; i <= kds->chip_count; i++) {
            pki_chip_make(kds->seed, g, i, &p->chips[i]);
        }
    }
    if (p->ca != NULL) {
        return PSP_OK;
    }
    err = pki_ca_open(kds->seed, g, kds->naming,
                      kds->has_store ? &kds->store : NULL, &p->ca);
    return err == PSP_OK && g == kds->product
               ? pki_ca_set_product_name(p->ca, kds->product_name)
               : err;
}

static const struct psp_chip *find_chip(const struct kds *kds,
                                        const struct product *p,
                                        const uint8_t *id, enum kds_twist twist)
{
    for (uint32_t i = 0; i < kds->chip_count; i++) {
        if (memcmp(p->chips[i].id, id, PSP_CHIP_ID_SIZE) == 0) {
            return &p->chips[twist == KDS_OTHER_CHIP ? i + 1 : i];
        }
    }
    return NULL;
}

static void say(struct kds_answer *out, unsigned int status, const char *text)
{
    size_t size = strlen(text) + 1;

    out->status = status;
    out->content_type = "text/plain";
    out->disposition = NULL;
    out->body = malloc(size);
    out->size = 0;
    if (out->body != NULL) {
        memcpy(out->body, text, size - 1);
        out->body[size - 1] = '\n';
        out->size = size;
    }
}

/* abi/certs-kds.md §2.5 */
static const struct resource {
    const char *content_type;
    const char *disposition;
    bool keep; /* costs a signature, and equal requests get equal bytes */
} RESOURCES[] = {
    [KDS_CERT_CHAIN] = {"application/x-pem-file",
                        "attachment; filename=\"cert_chain\"", false},
    [KDS_VLEK_CERT_CHAIN] = {"application/x-pem-file",
                             "attachment; filename=\"cert_chain\"", false},
    [KDS_CRL] = {"application/pkix-crl", "attachment; filename=\"crl\"", true},
    [KDS_VCEK] = {"application/pkix-cert", "attachment; filename=\"vcek.crt\"",
                  true},
    [KDS_VLEK] = {"application/pkix-cert", "attachment; filename=\"vlek.crt\"",
                  true},
    [KDS_HASH_STICKS] = {"application/json", NULL, false},
    [KDS_CEK] = {"application/octet-stream", NULL, true},
    [KDS_ASK_ARK] = {"application/octet-stream", NULL, true},
};

/* Takes @body, from malloc(). */
static void give_own(struct kds_answer *out, enum kds_kind kind, uint8_t *body,
                     size_t size)
{
    out->body = body;
    out->size = size;
    out->status = 200;
    out->content_type = RESOURCES[kind].content_type;
    out->disposition = RESOURCES[kind].disposition;
}

static enum psp_err give(struct kds_answer *out, enum kds_kind kind,
                         const void *data, size_t size)
{
    uint8_t *body = malloc(size > 0 ? size : 1);

    if (body == NULL) {
        return PSP_E_NOMEM;
    }
    memcpy(body, data, size);
    give_own(out, kind, body, size);
    return PSP_OK;
}

/* Append one PEM block. */
static bool append_pem(char **text, size_t *size, const struct pki_cert *cert)
{
    size_t more = pem_encode("CERTIFICATE", cert->der, cert->size, NULL, 0);
    char *grown = realloc(*text, *size + more);

    if (grown == NULL) {
        return false;
    }
    *text = grown;
    (void)pem_encode("CERTIFICATE", cert->der, cert->size, grown + *size, more);
    *size += more;
    return true;
}

static enum psp_err answer_chain(struct product *p, enum kds_kind kind,
                                 bool reversed, struct kds_answer *out)
{
    enum pki_role issuer = kind == KDS_CERT_CHAIN ? PKI_ASK : PKI_ASVK;
    enum pki_role roles[2] = {reversed ? PKI_ARK : issuer,
                              reversed ? issuer : PKI_ARK};
    enum psp_err err = PSP_OK;
    char *text = NULL;
    size_t size = 0;

    for (size_t i = 0; i < 2 && err == PSP_OK; i++) {
        const struct pki_cert *cert = NULL;

        err = pki_ca_cert(p->ca, roles[i], &cert);
        if (err == PSP_OK && !append_pem(&text, &size, cert)) {
            err = PSP_E_NOMEM;
        }
    }
    if (err != PSP_OK) {
        free(text);
        return err;
    }
    give_own(out, kind, (uint8_t *)text, size);
    return PSP_OK;
}

/* Takes the certificate when @err allows. */
static enum psp_err give_cert(enum psp_err err, enum kds_kind kind,
                              struct pki_cert *cert, struct kds_answer *out)
{
    if (err == PSP_OK) {
        give_own(out, kind, cert->der, cert->size);
    } else {
        pki_cert_clear(cert);
    }
    return err;
}

static enum psp_err answer_crl(const struct kds *kds, struct product *p,
                               uint64_t now, struct kds_answer *out)
{
    struct pki_cert crl = {NULL, 0};
    uint32_t number = (uint32_t)(now / DAY_SECONDS);

    return give_cert(pki_crl(p->ca, now, number, kds->revoke_ask, &crl),
                     KDS_CRL, &crl, out);
}

static enum psp_err answer_vcek(const struct kds *kds, struct product *p,
                                const struct kds_request *q,
                                enum kds_twist twist, struct kds_answer *out)
{
    const struct psp_chip *chip = find_chip(kds, p, q->hwid, twist);
    struct pki_cert cert = {NULL, 0};

    if (chip == NULL) {
        say(out, 404, "hwID not found");
        return PSP_OK;
    }
    return give_cert(pki_vcek_cert(p->ca, chip, &q->tcb, &cert), KDS_VCEK,
                     &cert, out);
}

static enum psp_err answer_vlek(const struct kds *kds, struct product *p,
                                const struct kds_request *q,
                                struct kds_answer *out)
{
    struct pki_cert cert = {NULL, 0};

    return give_cert(pki_vlek_cert(p->ca, kds->csp_id, &q->tcb, &cert),
                     KDS_VLEK, &cert, out);
}

static enum psp_err answer_ask_ark(struct product *p, struct kds_answer *out)
{
    uint8_t buf[PKI_ASK_ARK_MAX_SIZE];
    size_t size = 0;
    enum psp_err err = pki_ask_ark(p->ca, buf, &size);

    return err == PSP_OK ? give(out, KDS_ASK_ARK, buf, size) : err;
}

/* Hex of a hash stick, or "not found". */
static json_t *one_stick(const struct kds *kds, struct product *p,
                         const struct kds_request *q, const char *hwid)
{
    char path[256];
    struct kds_request id;
    const char *why = NULL;
    uint8_t vcek_seed[48], vlek_seed[48], iv[GCM_IV_SIZE];
    uint8_t stick[PKI_HASHSTICK_SIZE];
    char hex[2 * PKI_HASHSTICK_SIZE + 1];
    const struct psp_chip *chip = NULL;

    snprintf(path, sizeof(path), "/vcek/v1/%s/%s",
             psp_generation_name(q->generation), hwid);
    if (strlen(hwid) <= 2 * PSP_CHIP_ID_SIZE &&
        kds_route("GET", path, NULL, &id, &why) == 200 && id.kind == KDS_VCEK) {
        chip = find_chip(kds, p, id.hwid, KDS_STRAIGHT);
    }
    if (chip == NULL) {
        return json_string("not found");
    }
    pki_vcek_seed(chip->secret, &q->tcb, vcek_seed);
    pki_vlek_seed(kds->seed, q->generation, kds->csp_id, &q->tcb, vlek_seed);
    /* One key wraps one VLEK only, so a number drawn from both is fresh. */
    psp_kdf_sha384(vcek_seed, sizeof(vcek_seed), "KDS hash stick IV", vlek_seed,
                   sizeof(vlek_seed), iv, sizeof(iv));
    pki_vlek_wrap(vcek_seed, &q->tcb, iv, vlek_seed, stick);
    for (size_t i = 0; i < sizeof(stick); i++) {
        snprintf(hex + 2 * i, 3, "%02x", stick[i]);
    }
    psp_wipe(vcek_seed, sizeof(vcek_seed));
    psp_wipe(vlek_seed, sizeof(vlek_seed));
    return json_string(hex);
}

static enum psp_err answer_sticks(const struct kds *kds, struct product *p,
                                  const struct kds_request *q,
                                  const uint8_t *body, size_t size,
                                  struct kds_answer *out)
{
    json_t *in =
        json_loadb((const char *)body, size, JSON_REJECT_DUPLICATES, NULL);
    json_t *ids = json_object_get(in, "hwids");
    json_t *results = json_array();
    json_t *answer = json_pack("{s:O}", "results", results);
    enum psp_err err = PSP_E_NOMEM;
    char *text = NULL;
    json_t *id;
    size_t i;

    if (!json_is_array(ids) || json_array_size(ids) > STICK_LIMIT) {
        say(out, 400, "bad request body");
        err = PSP_OK;
        goto out;
    }
    json_array_foreach(ids, i, id)
    {
        json_t *row = json_object();

        if (!json_is_string(id) ||
            json_object_set_new(row, json_string_value(id),
                                one_stick(kds, p, q, json_string_value(id))) !=
                0 ||
            json_array_append(results, row) != 0) {
            json_decref(row);
            say(out, 400, "bad request body");
            err = PSP_OK;
            goto out;
        }
        json_decref(row);
    }
    text = json_dumps(answer, JSON_COMPACT);
    if (text != NULL) {
        give_own(out, KDS_HASH_STICKS, (uint8_t *)text, strlen(text));
        err = PSP_OK;
    }
out:
    json_decref(answer);
    json_decref(results);
    json_decref(in);
    return err;
}

/* A CEK is asked for by id alone: look through all generations. */
static enum psp_err answer_cek(struct kds *kds, const struct kds_request *q,
                               enum kds_twist twist, struct kds_answer *out)
{
    for (size_t g = 0; g < PSP_GENERATION_COUNT; g++) {
        struct product *p = &kds->products[g];
        const struct psp_chip *chip = NULL;
        uint8_t cert[SEV_CERT_SIZE];
        enum psp_err err;

        pthread_mutex_lock(&p->lock);
        err = open_product(kds, (enum psp_generation)g);
        if (err == PSP_OK) {
            chip = find_chip(kds, p, q->hwid, twist);
        }
        if (chip != NULL) {
            err = pki_cek_cert(p->ca, chip, cert);
        }
        pthread_mutex_unlock(&p->lock);
        if (chip != NULL || err != PSP_OK) {
            return err == PSP_OK ? give(out, KDS_CEK, cert, sizeof(cert)) : err;
        }
    }
    say(out, 400, "unknown id");
    return PSP_OK;
}

static enum psp_err answer_product(struct kds *kds, const struct kds_request *q,
                                   const struct kds_ask *ask,
                                   struct kds_answer *out)
{
    struct product *p = &kds->products[q->generation];
    enum psp_err err;

    pthread_mutex_lock(&p->lock);
    err = open_product(kds, q->generation);
    if (err == PSP_OK) {
        switch (q->kind) {
        case KDS_CERT_CHAIN:
        case KDS_VLEK_CERT_CHAIN:
            err = answer_chain(p, q->kind, ask->twist == KDS_REVERSED, out);
            break;
        case KDS_CRL:
            err = answer_crl(kds, p, ask->now, out);
            break;
        case KDS_VCEK:
            err = answer_vcek(kds, p, q, ask->twist, out);
            break;
        case KDS_VLEK:
            err = answer_vlek(kds, p, q, out);
            break;
        case KDS_HASH_STICKS:
            err = answer_sticks(kds, p, q, ask->body, ask->body_size, out);
            break;
        case KDS_ASK_ARK:
            err = answer_ask_ark(p, out);
            break;
        case KDS_CEK:
            break; /* has no product */
        }
    }
    pthread_mutex_unlock(&p->lock);
    return err;
}

/* A CRL is one of its day. */
static void cache_key(const struct kds_request *q, const struct kds_ask *ask,
                      uint8_t key[KDS_CACHE_KEY_SIZE])
{
    struct psp_wr w = psp_wr(key, KDS_CACHE_KEY_SIZE);

    psp_wr_u8(&w, (uint8_t)q->kind);
    psp_wr_u8(&w, (uint8_t)q->generation);
    psp_wr_bytes(&w, q->hwid, sizeof(q->hwid));
    psp_wr_bytes(&w, q->tcb.b, sizeof(q->tcb.b));
    psp_wr_le32(&w,
                q->kind == KDS_CRL ? (uint32_t)(ask->now / DAY_SECONDS) : 0);
    psp_wr_u8(&w, (uint8_t)ask->twist);
    psp_wr_pad_to(&w, KDS_CACHE_KEY_SIZE);
}

static bool from_cache(struct kds *kds, enum kds_kind kind, const uint8_t *key,
                       struct kds_answer *out)
{
    uint8_t *body;
    size_t size = 0;

    pthread_mutex_lock(&kds->cache_lock);
    body = kds_cache_get(kds->cache, key, &size);
    pthread_mutex_unlock(&kds->cache_lock);
    if (body == NULL) {
        return false;
    }
    give_own(out, kind, body, size);
    return true;
}

/* 200 and 4xx answers alike; the caller has looked into the cache. */
static enum psp_err make_answer(struct kds *kds, const struct kds_request *q,
                                const struct kds_ask *ask,
                                struct kds_answer *out)
{
    return q->kind == KDS_CEK ? answer_cek(kds, q, ask->twist, out)
                              : answer_product(kds, q, ask, out);
}

void kds_answer(struct kds *kds, const struct kds_ask *ask,
                struct kds_answer *out)
{
    uint8_t key[KDS_CACHE_KEY_SIZE];
    struct kds_request q;
    const char *why = "";
    unsigned int status =
        kds_route(ask->method, ask->path, ask->query, &q, &why);
    enum psp_err err;

    memset(out, 0, sizeof(*out));
    if (status != 200) {
        say(out, status, why);
        if (status == 405) {
            out->allow = q.kind == KDS_HASH_STICKS ? "POST" : "GET, HEAD";
        }
        return;
    }
    if (ask->twist == KDS_OTHER_TCB) {
        q.tcb.b[7] ^= 1; /* microcode, in both layouts */
    }
    cache_key(&q, ask, key);
    if (RESOURCES[q.kind].keep && from_cache(kds, q.kind, key, out)) {
        return;
    }
    err = make_answer(kds, &q, ask, out);
    if (err != PSP_OK) {
        say(out, 500, psp_err_text(err));
        if (kds->failed != NULL) {
            kds->failed(kds->ctx, err);
        }
    } else if (RESOURCES[q.kind].keep && out->status == 200) {
        pthread_mutex_lock(&kds->cache_lock);
        kds_cache_put(kds->cache, key, out->body, out->size);
        pthread_mutex_unlock(&kds->cache_lock);
    }
}

void kds_answer_clear(struct kds_answer *answer)
{
    free(answer->body);
    memset(answer, 0, sizeof(*answer));
}
