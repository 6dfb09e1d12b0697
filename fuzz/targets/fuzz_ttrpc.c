/* SPDX-License-Identifier: Apache-2.0 */
/* What a peer of the evidence broker sends: a stream of frames in fragments,
 * the envelopes in them, the messages in those. First byte: how to split. */
#include "aeb_answer.h"
#include "aeb_msg.h"
#include "aeb_url.h"
#include "fz.h"
#include "ttrpc_addr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What was decoded, encoded again, decodes to the same. */
static void request_again(const struct ttrpc_request *req)
{
    struct ttrpc_request again;
    uint8_t *frame = NULL;
    size_t size = 0;

    fz_check(ttrpc_utf8_ok(req->service.data, req->service.size));
    if (ttrpc_request_frame(1, req, &frame, &size) != PSP_OK) {
        return;
    }
    fz_check(ttrpc_request_decode(frame + TTRPC_HEADER_SIZE,
                                  size - TTRPC_HEADER_SIZE, &again) == PSP_OK);
    fz_check(again.timeout_nano == req->timeout_nano);
    fz_check(again.payload.size == req->payload.size);
    ttrpc_request_clear(&again);
    free(frame);
}

static void messages(struct ttrpc_bytes payload)
{
    for (int i = AEB_RPC_SIZE; i <= AEB_RPC_EVIDENCE; i++) {
        struct aeb_response resp;
        struct aeb_request req;

        if (aeb_request_decode((enum aeb_rpc)i, payload, &req) == PSP_OK) {
            fz_check(req.mnonce.size <= payload.size);
        }
        aeb_request_clear(&req);
        if (aeb_response_decode((enum aeb_rpc)i, payload, &resp) == PSP_OK) {
            fz_check(resp.evidence.size <= payload.size);
        }
        aeb_response_clear(&resp);
    }
}

/* An unknown group before it changes nothing. */
static void group_first(const uint8_t *data, size_t size, bool ok)
{
    static const uint8_t group[] = {0x9b, 0x06, 0x0a, 0x01, 'x', 0x9c, 0x06};
    uint8_t *both = malloc(sizeof(group) + size);
    struct ttrpc_request req;

    if (both == NULL) {
        return;
    }
    memcpy(both, group, sizeof(group));
    if (size > 0) {
        memcpy(both + sizeof(group), data, size);
    }
    fz_check((ttrpc_request_decode(both, sizeof(group) + size, &req) ==
              PSP_OK) == ok);
    ttrpc_request_clear(&req);
    free(both);
}

static void body(const uint8_t *data, size_t size)
{
    struct ttrpc_response resp;
    struct ttrpc_request req;
    bool ok = ttrpc_request_decode(data, size, &req) == PSP_OK;

    if (ok) {
        request_again(&req);
        messages(req.payload);
    }
    ttrpc_request_clear(&req);
    group_first(data, size, ok);
    if (ttrpc_response_decode(data, size, &resp) == PSP_OK) {
        messages(resp.payload);
    }
    ttrpc_response_clear(&resp);
}

static void stream(const uint8_t *data, size_t size, size_t step)
{
    struct ttrpc_reader r = {.head_have = 0};
    bool fatal = false;

    for (size_t at = 0; at < size && !fatal; at += step) {
        size_t n = step < size - at ? step : size - at;
        const uint8_t *p = data + at;

        while (n > 0 && !fatal) {
            enum ttrpc_event e = ttrpc_reader_take(&r, &p, &n);

            fz_check(r.body_room <= 2 * TTRPC_MAX_DATA);
            fatal = e == TTRPC_FATAL || e == TTRPC_NOMEM;
            fz_check(e != TTRPC_MORE || n == 0);
            if (e == TTRPC_FRAME) {
                body(r.body, r.header.length);
            }
            if (e == TTRPC_FRAME || e == TTRPC_OVERSIZE) {
                ttrpc_reader_next(&r);
            }
        }
    }
    ttrpc_reader_clear(&r);
}

static void texts(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    char why[TTRPC_ADDR_WHY];
    char printed[TTRPC_ADDR_TEXT];
    struct ttrpc_addr addr, again;
    struct aeb_url url;

    fz_check(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    if (ttrpc_addr_parse(text, &addr, why)) {
        ttrpc_addr_print(&addr, printed);
        fz_check(ttrpc_addr_parse(printed, &again, why));
        fz_check(again.family == addr.family && again.cid == addr.cid &&
                 again.port == addr.port && strcmp(again.name, addr.name) == 0);
    }
    (void)aeb_url_parse(text, &url);
    free(text);
}

/* Whatever comes later changes nothing about what was whole before. */
static void http_answer(const uint8_t *data, size_t size)
{
    struct aeb_answer part, all;
    int err = aeb_answer_parse(data, size / 2, false, &part);
    int err_all = aeb_answer_parse(data, size, true, &all);

    fz_check(err_all != -EAGAIN);
    if (err == 0) {
        fz_check(err_all == 0 && part.status == all.status &&
                 part.size == all.size &&
                 memcmp(part.body, all.body, part.size) == 0);
    } else if (err != -EAGAIN) {
        fz_check(err_all == err);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    stream(data + 1, size - 1, 1 + data[0]);
    body(data + 1, size - 1);
    texts(data + 1, size - 1);
    http_answer(data + 1, size - 1);
    return 0;
}
