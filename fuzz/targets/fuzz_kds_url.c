/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the key server from anyone: three lines, method, URL up to its
 * '?', query; what is left is the body. Whatever is routed can be spelt in one
 * normal form that is routed the same way; whatever is refused gets a short
 * text that no client takes for a certificate. */
#include "fz.h"
#include "kds.h"
#include "kds_route.h"
#include "pki.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1790000000u

/* A line as an exact-size heap string. */
static char *take_line(const uint8_t **data, size_t *size)
{
    const uint8_t *end = *size == 0 ? NULL : memchr(*data, '\n', *size);
    size_t n = end == NULL ? *size : (size_t)(end - *data);
    char *line = malloc(n + 1);

    fz_check(line != NULL);
    memcpy(line, *data, n);
    line[n] = '\0';
    n += end != NULL;
    *data += n;
    *size -= n;
    return line;
}

static void check_tcb(const struct kds_request *q)
{
    fz_check(psp_tcb_reserved_clear(q->generation, &q->tcb));
    for (size_t i = 0; i < 7; i++) {
        fz_check(q->tcb.b[i] < 128);
    }
}

/* The request as its clients write it. */
static void normal_form(const struct kds_request *q, char *path, char *query)
{
    const char *product = psp_generation_name(q->generation);
    bool turin = psp_tcb_is_turin_layout(q->generation);
    const uint8_t *t = q->tcb.b;
    size_t id = turin ? 8 : 64;
    int n;

    if (q->kind == KDS_VCEK) {
        n = sprintf(path, "/vcek/v1/%s/", product);
        for (size_t i = 0; i < id; i++) {
            n += sprintf(path + n, "%02x", q->hwid[i]);
        }
    } else {
        sprintf(path, "/vlek/v1/%s/%s", product,
                q->kind == KDS_VLEK ? "cert" : "hash_sticks");
    }
    if (turin) {
        sprintf(query, "fmcSPL=%u&blSPL=%02u&teeSPL=%u&snpSPL=%02u&ucodeSPL=%u",
                t[0], t[1], t[2], t[3], t[7]);
    } else {
        sprintf(query, "ucodeSPL=%03u&blSPL=%u&teeSPL=%02u&snpSPL=%u", t[7],
                t[0], t[1], t[6]);
    }
}

static void check_routed(const char *method, const struct kds_request *q)
{
    struct kds_request again;
    char path[256], query[128];
    const char *why = NULL;

    if (q->kind != KDS_VCEK && q->kind != KDS_VLEK &&
        q->kind != KDS_HASH_STICKS) {
        return;
    }
    fz_check(q->generation >= PSP_MILAN && q->generation <= PSP_TURIN);
    check_tcb(q);
    normal_form(q, path, query);
    fz_check(kds_route(method, path, query, &again, &why) == 200);
    fz_check(again.kind == q->kind && again.generation == q->generation);
    fz_check(memcmp(again.hwid, q->hwid, sizeof(q->hwid)) == 0);
    fz_check(memcmp(&again.tcb, &q->tcb, sizeof(q->tcb)) == 0);
}

static void check_answer(struct kds *kds, const char *method, const char *path,
                         const char *query, const uint8_t *body, size_t size)
{
    struct kds_answer a;

    kds_answer(kds,
               &(struct kds_ask){.method = method,
                                 .path = path,
                                 .query = query,
                                 .body = body,
                                 .body_size = size,
                                 .now = NOW},
               &a);
    fz_check(a.status == 200 || a.status == 400 || a.status == 404 ||
             a.status == 405);
    fz_check(a.body != NULL && a.size > 0 && a.content_type != NULL);
    if (a.status != 200) {
        fz_check(a.size < 64 && a.body[0] != 0x30);
        fz_check(memmem(a.body, a.size, "BEGIN", 5) == NULL);
        fz_check((a.allow != NULL) == (a.status == 405));
    }
    kds_answer_clear(&a);
}

/* One for all inputs, for speed: what it answers does not depend on what it was
 * asked before. */
static struct kds *the_kds(void)
{
    static struct kds *kds;
    const struct kds_config config = {.seed = PKI_DEV_SEED, .chip_count = 1};

    if (kds == NULL) {
        fz_check(kds_open(&config, &kds) == PSP_OK);
    }
    return kds;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *method = take_line(&data, &size);
    char *path = take_line(&data, &size);
    char *query = take_line(&data, &size);
    struct kds_request q;
    const char *why = NULL;
    unsigned int status = kds_route(method, path, query, &q, &why);

    fz_check(status == 200 || status == 400 || status == 404 || status == 405);
    if (status == 200) {
        check_routed(method, &q);
    } else {
        fz_check(why != NULL && strlen(why) < 60);
    }
    check_answer(the_kds(), method, path, query, data, size);
    free(method);
    free(path);
    free(query);
    return 0;
}
