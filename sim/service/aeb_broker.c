/* SPDX-License-Identifier: Apache-2.0 */
#include "aeb_broker.h"

#include "aeb_rate.h"
#include "aeb_selfcheck.h"
#include "monotonic.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#define JSON_ROOM 0x8000u /* 25962 at most */

struct aeb_broker {
    struct aeb_broker_config config;
    pthread_mutex_t lock;
    struct aeb_rate rate;
    struct aeb_self_check *check;
};

int aeb_broker_open(const struct aeb_broker_config *config,
                    struct aeb_broker **out)
{
    struct aeb_broker *b = calloc(1, sizeof(*b));

    if (b == NULL) {
        return -ENOMEM;
    }
    if (aeb_self_check_open(config->root, config->root_size,
                            config->check_reports, &b->check) != 0) {
        free(b);
        return -ENOMEM;
    }
    b->config = *config;
    pthread_mutex_init(&b->lock, NULL);
    *out = b;
    return 0;
}

void aeb_broker_close(struct aeb_broker *b)
{
    if (b != NULL) {
        pthread_mutex_destroy(&b->lock);
        aeb_self_check_close(b->check);
        free(b);
    }
}

/* ---- who may ask for what ---- */

static bool row_fits(const struct aeb_peer_row *row,
                     const struct ttrpc_peer *peer)
{
    switch (row->by) {
    case AEB_BY_CID:
        return peer->family == AF_VSOCK && peer->cid == row->key;
    case AEB_BY_LISTENER:
        return peer->listener == row->key;
    default:
        return peer->have_uid && peer->uid == row->key;
    }
}

/* An endpoint is one guest's, whoever comes; a uid may be that of all guests'
 * processes. */
static const struct aeb_peer_row *find_row(const struct aeb_broker_config *c,
                                           const struct ttrpc_peer *peer)
{
    static const int order[] = {AEB_BY_LISTENER, AEB_BY_CID, AEB_BY_UID};

    for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
        for (size_t i = 0; i < c->row_count; i++) {
            if ((int)c->rows[i].by == order[k] && row_fits(&c->rows[i], peer)) {
                return &c->rows[i];
            }
        }
    }
    return NULL;
}

/* What the row says of its guest now. */
static uint32_t find_guest(const struct aeb_broker *b,
                           const struct aeb_peer_row *row,
                           struct aeb_guest *out)
{
    int err;

    *out = (struct aeb_guest){.handle = row->handle};
    if (row->guest == NULL) {
        return 0;
    }
    err = aeb_registry_get(b->config.registry, row->guest, out);
    if (row->generation != 0 &&
        (err == -ENOENT || (err == 0 && out->generation != row->generation))) {
        return AEB_BROKER_HANDLE; /* it is another's, or nobody's */
    }
    return err == 0 ? 0 : AEB_BROKER_NO_PEER;
}

/* *handle becomes the one to ask the firmware for; *guest says whose it is. */
static uint32_t check_peer(const struct aeb_broker *b,
                           const struct ttrpc_peer *peer, uint32_t *handle,
                           struct aeb_guest *guest)
{
    const struct aeb_broker_config *c = &b->config;
    const struct aeb_peer_row *row;
    uint32_t err;

    if (c->policy == AEB_PEER_OPEN) {
        return 0;
    }
    row = find_row(c, peer);
    if (row == NULL) {
        return AEB_BROKER_NO_PEER;
    }
    err = find_guest(b, row, guest);
    if (err == 0 && *handle == 0 && c->policy == AEB_PEER_BIND) {
        *handle = guest->handle;
    }
    if (err == 0 && *handle != guest->handle) {
        err = AEB_BROKER_HANDLE;
    }
    return err;
}

static uint32_t check_rate(struct aeb_broker *b, const struct ttrpc_peer *peer)
{
    bool ok;

    pthread_mutex_lock(&b->lock);
    ok = aeb_rate_take(&b->rate, peer, b->config.rate,
                       monotonic_ms() / 1000 + 1);
    pthread_mutex_unlock(&b->lock);
    return ok ? 0 : AEB_BROKER_RATE;
}

static uint32_t check_generation(const struct aeb_broker *b)
{
    return b->config.any_product ||
                   aeb_device_of(b->config.product) != AEB_UNKNOWN
               ? 0
               : AEB_BROKER_GENERATION;
}

/* ---- evidence ---- */

/* An evidence request under way. */
struct work {
    struct aeb_broker *b;
    struct ttrpc_peer peer;
    struct ttrpc_job *job;
    struct aeb_request req; /* without extension if that is off */
    uint32_t handle;
    struct aeb_harm harm;
    struct aeb_guest guest; /* whose it is, when a registry says so */
    uint8_t mnonce[SEV_MNONCE_SIZE];
    struct aeb_cek_wait cek;
    struct aeb_evidence ev;
};

static uint32_t choose_mnonce(struct work *w)
{
    if (w->req.have_mnonce) {
        if (w->req.mnonce.size != SEV_MNONCE_SIZE) {
            return AEB_BROKER_MNONCE;
        }
        memcpy(w->mnonce, w->req.mnonce.data, SEV_MNONCE_SIZE);
        return 0;
    }
    return getrandom(w->mnonce, sizeof(w->mnonce), 0) ==
                   (ssize_t)sizeof(w->mnonce)
               ? 0
               : AEB_ERROR_HOST + EIO;
}

static uint32_t unalias(const struct aeb_broker *b, uint32_t handle)
{
    for (size_t i = 0; i < b->config.alias_count; i++) {
        if (handle == b->config.alias[i].from) {
            return b->config.alias[i].to;
        }
    }
    return handle;
}

/* abi/aeb.md §6.3: the first failure wins. */
static uint32_t check_request(struct work *w)
{
    uint32_t err = check_peer(w->b, &w->peer, &w->handle, &w->guest);

    if (err == 0) {
        err = check_rate(w->b, &w->peer);
    }
    if (err == 0) {
        err = choose_mnonce(w);
    }
    if (err == 0 && w->req.encoding > AEB_ENCODING_PACKED) {
        err = AEB_BROKER_ENCODING;
    }
    if (err == 0) {
        err = check_generation(w->b);
    }
    if (err == 0) {
        w->handle = aeb_fault_handle(&w->harm, unalias(w->b, w->handle));
    }
    return err;
}

static void wake_work(void *ctx)
{
    const struct work *w = ctx;

    ttrpc_unpark(w->job);
}

/* Up to the CEK, which may take its time: *parked then. */
static uint32_t ask_certs(struct work *w, const struct ttrpc_call *call,
                          bool *parked)
{
    const struct aeb_device *dev = &w->b->config.device;
    struct aeb_exported exported;
    uint32_t err = aeb_device_export(dev, &exported);

    if (err == 0) {
        err = aeb_device_id(dev, w->cek.id);
    }
    if (err != 0) {
        return err;
    }
    memcpy(w->ev.pek, exported.pek, SEV_CERT_SIZE);
    memcpy(w->ev.oca, exported.oca, SEV_CERT_SIZE);
    memcpy(w->cek.exported, exported.cek, SEV_CERT_SIZE);
    w->cek.cancelled = call->cancelled;
    w->cek.deadline = call->deadline;
    w->cek.wake = wake_work;
    w->cek.ctx = w;
    *parked = !aeb_cek_ask(w->b->config.cek, &w->cek);
    return *parked ? 0 : w->cek.error;
}

/* @again: the CEK is there, or will not come. */
static uint32_t ask_device(struct work *w, const struct ttrpc_call *call,
                           bool again, bool *parked)
{
    const struct aeb_broker_config *c = &w->b->config;
    uint32_t err = again ? w->cek.error : ask_certs(w, call, parked);

    if (err == 0 && !*parked) {
        err = aeb_device_report(&c->device, c->number, w->handle, w->mnonce,
                                w->ev.report);
    }
    return err;
}

static uint32_t finish(struct work *w)
{
    const struct aeb_broker_config *c = &w->b->config;

    memcpy(w->ev.cek, w->cek.cert, SEV_CERT_SIZE);
    w->ev.typed = !c->untyped;
    w->ev.device = (uint8_t)aeb_device_of(c->product);
    if (!aeb_self_check(w->b->check, &w->ev)) {
        return AEB_BROKER_SELF_CHECK;
    }
    aeb_fault_evidence(c->faults, &w->harm, &w->ev);
    return 0;
}

/* The handle may have become another guest's since it was checked: the report
 * is theirs then, and not for this peer. */
static uint32_t check_again(const struct work *w)
{
    uint32_t handle = w->req.handle;
    struct aeb_guest now = {.generation = 0};

    if (w->guest.generation == 0) {
        return 0;
    }
    return check_peer(w->b, &w->peer, &handle, &now) == 0 &&
                   now.generation == w->guest.generation
               ? 0
               : AEB_BROKER_HANDLE;
}

/* From the beginning, or from where it was parked. */
static uint32_t gather(struct work *w, const struct ttrpc_call *call,
                       bool again, bool *parked)
{
    uint32_t err = again ? 0 : check_request(w);

    if (err == 0) {
        err = ask_device(w, call, again, parked);
    }
    if (err == 0 && !*parked) {
        err = check_again(w);
    }
    return err == 0 && !*parked ? finish(w) : err;
}

/* ---- answers ---- */

static uint32_t features(const struct aeb_broker *b)
{
    return AEB_FEATURE_MNONCE | AEB_FEATURE_PACKED |
           (b->config.policy == AEB_PEER_BIND ? AEB_FEATURE_BOUND : 0) |
           (b->config.status_style ? 0 : AEB_FEATURE_INBAND);
}

static bool extended(const struct aeb_broker *b, const struct aeb_request *req,
                     const struct aeb_harm *harm)
{
    if (aeb_harm_is(harm, FAULT_STRIP)) {
        return false;
    }
    return b->config.extension == AEB_EXT_ALWAYS ||
           (b->config.extension == AEB_EXT_ASKED &&
            (req->features != 0 || req->have_mnonce || req->encoding != 0));
}

static void undecodable(struct ttrpc_reply *reply)
{
    reply->code = TTRPC_UNKNOWN;
    snprintf(reply->message, sizeof(reply->message),
             "ttrpc err: the payload cannot be decoded");
}

static void out_of_memory(struct ttrpc_reply *reply)
{
    reply->code = TTRPC_RESOURCE_EXHAUSTED;
    snprintf(reply->message, sizeof(reply->message), "out of memory");
}

static enum ttrpc_code status_of(uint32_t error)
{
    switch (error) {
    case AEB_BROKER_HANDLE:
    case AEB_BROKER_NO_PEER:
        return TTRPC_PERMISSION_DENIED;
    case AEB_BROKER_RATE:
        return TTRPC_RESOURCE_EXHAUSTED;
    case AEB_KDS_TRANSPORT:
    case AEB_KDS_TIMEOUT:
    case AEB_ERROR_HOST + ENOENT:
    case AEB_ERROR_HOST + ENODEV:
        return TTRPC_UNAVAILABLE;
    default:
        return TTRPC_UNKNOWN;
    }
}

/* As the published broker words it. abi/aeb.md §6.1 */
static void fail_by_status(uint32_t error, struct ttrpc_reply *reply)
{
    reply->code = status_of(error);
    snprintf(reply->message, sizeof(reply->message), "Others(\"%s%s\")",
             error == AEB_BROKER_GENERATION
                 ? ""
                 : "failed to retrieve attestation evidence ",
             aeb_error_text(error));
}

static void log_failure(const struct aeb_broker *b, enum aeb_rpc rpc,
                        const struct ttrpc_peer *peer, uint32_t handle,
                        uint32_t error)
{
    char who[48] = "a unix socket";
    char line[256];

    if (b->config.log == NULL) {
        return;
    }
    if (peer->family == AF_VSOCK) {
        snprintf(who, sizeof(who), "CID %" PRIu32, peer->cid);
    } else if (peer->have_uid) {
        snprintf(who, sizeof(who), "uid %u", (unsigned int)peer->uid);
    }
    snprintf(line, sizeof(line),
             "%s of %s, handle 0x%" PRIx32 ": 0x%" PRIx32 ", %s",
             aeb_rpc_name(rpc), who, handle, error, aeb_error_text(error));
    b->config.log(b->config.log_ctx, line);
}

static void encode(enum aeb_rpc rpc, const struct aeb_response *resp,
                   struct ttrpc_reply *reply)
{
    if (aeb_response_encode(rpc, resp, &reply->payload, &reply->size) !=
        PSP_OK) {
        out_of_memory(reply);
    }
}

/* @resp is filled in but for what every answer has. */
static void answer(struct aeb_broker *b, enum aeb_rpc rpc, bool ext,
                   struct aeb_response *resp, struct ttrpc_reply *reply)
{
    if (resp->error != 0 && b->config.status_style) {
        fail_by_status(resp->error, reply);
        return;
    }
    if (ext) {
        const char *text = aeb_error_text(resp->error);

        resp->features = features(b);
        if (resp->error != 0) {
            resp->detail =
                (struct ttrpc_bytes){(const uint8_t *)text, strlen(text)};
        }
    }
    encode(rpc, resp, reply);
}

/* An answer that a fault plan has written. */
static bool forged(enum aeb_rpc rpc, const struct aeb_harm *harm,
                   struct ttrpc_reply *reply)
{
    const struct aeb_response resp = {.error = (uint32_t)harm->hit.fault.code};

    if (aeb_harm_is(harm, FAULT_ERROR)) {
        encode(rpc, &resp, reply);
        return true;
    }
    return aeb_harm_is(harm, FAULT_STATUS);
}

static bool take_request(const struct aeb_broker *b, enum aeb_rpc rpc,
                         const struct ttrpc_call *call, struct aeb_request *req,
                         struct aeb_harm *harm, struct ttrpc_reply *reply)
{
    if (aeb_request_decode(rpc, call->payload, req) != PSP_OK) {
        undecodable(reply);
        return false;
    }
    if (b->config.extension == AEB_EXT_NEVER) {
        aeb_request_strip(req);
    }
    aeb_fault_event(b->config.faults, rpc, req->handle, harm);
    aeb_fault_request(harm, req);
    return true;
}

static uint32_t check_size(const struct aeb_broker *b,
                           const struct ttrpc_peer *peer, uint32_t handle)
{
    struct aeb_guest guest;
    uint32_t err = check_peer(b, peer, &handle, &guest);

    return err == 0 ? check_generation(b) : err;
}

static void give_size(struct aeb_broker *b, const struct ttrpc_call *call,
                      const struct aeb_request *req,
                      const struct aeb_harm *harm, struct ttrpc_reply *reply)
{
    struct aeb_response resp = {.error =
                                    check_size(b, call->peer, req->handle)};

    if (resp.error == 0) {
        resp.size = b->config.untyped ? AEB_PACKED_SIZE : AEB_PACKED_TYPED_SIZE;
    } else {
        log_failure(b, AEB_RPC_SIZE, call->peer, req->handle, resp.error);
    }
    answer(b, AEB_RPC_SIZE, extended(b, req, harm), &resp, reply);
}

static void run_size(void *ctx, const struct ttrpc_call *call,
                     struct ttrpc_reply *reply)
{
    struct aeb_broker *b = ctx;
    struct aeb_request req;
    struct aeb_harm harm = {.due = false};

    if (!take_request(b, AEB_RPC_SIZE, call, &req, &harm, reply)) {
        return;
    }
    if (!forged(AEB_RPC_SIZE, &harm, reply)) {
        give_size(b, call, &req, &harm, reply);
    }
    aeb_fault_delivery(&harm, reply);
    aeb_request_clear(&req);
}

static void give_evidence(struct work *w, bool ext, struct ttrpc_reply *reply)
{
    uint8_t *buf = malloc(JSON_ROOM);
    struct aeb_response resp = {.size = w->req.size, .evidence.data = buf};

    if (buf == NULL) {
        out_of_memory(reply);
        return;
    }
    resp.evidence.size = w->req.encoding == AEB_ENCODING_PACKED
                             ? aeb_packed_encode(&w->ev, buf)
                             : aeb_json_encode(&w->ev, (char *)buf, JSON_ROOM);
    aeb_fault_bytes(w->b->config.faults, &w->harm, buf, &resp.evidence.size);
    if (ext) {
        resp.mnonce = (struct ttrpc_bytes){w->mnonce, sizeof(w->mnonce)};
        resp.encoding = w->req.encoding;
    }
    answer(w->b, AEB_RPC_EVIDENCE, ext, &resp, reply);
    free(buf);
    aeb_fault_replay(w->b->config.faults, &w->harm, w->req.handle, reply);
}

static void drop_work(void *ctx, void *kept)
{
    struct aeb_broker *b = ctx;
    struct work *w = kept;

    aeb_cek_forget(b->config.cek, &w->cek);
    aeb_request_clear(&w->req);
    free(w);
}

static struct work *new_work(struct aeb_broker *b,
                             const struct ttrpc_call *call,
                             struct ttrpc_reply *reply)
{
    struct work *w = calloc(1, sizeof(*w));

    if (w == NULL) {
        out_of_memory(reply);
    } else if (!take_request(b, AEB_RPC_EVIDENCE, call, &w->req, &w->harm,
                             reply)) {
        free(w);
        w = NULL;
    } else {
        w->b = b;
        w->peer = *call->peer;
        w->job = call->job;
        w->handle = w->req.handle;
    }
    return w;
}

/* False: it is parked. */
static bool answer_evidence(struct work *w, const struct ttrpc_call *call,
                            bool again, struct ttrpc_reply *reply)
{
    struct aeb_response resp = {.error = 0};
    bool ext = extended(w->b, &w->req, &w->harm);

    if (!again && forged(AEB_RPC_EVIDENCE, &w->harm, reply)) {
        return true;
    }
    resp.error = gather(w, call, again, &reply->parked);
    if (reply->parked) {
        return false;
    }
    if (resp.error == 0) {
        give_evidence(w, ext, reply);
    } else {
        log_failure(w->b, AEB_RPC_EVIDENCE, call->peer, w->req.handle,
                    resp.error);
        answer(w->b, AEB_RPC_EVIDENCE, ext, &resp, reply);
    }
    return true;
}

static void run_evidence(void *ctx, const struct ttrpc_call *call,
                         struct ttrpc_reply *reply)
{
    struct work *w = *call->kept;
    bool again = w != NULL;

    if (!again) {
        w = new_work(ctx, call, reply);
        if (w == NULL) {
            return;
        }
        *call->kept = w; /* before anybody can wake it */
    }
    if (answer_evidence(w, call, again, reply)) {
        aeb_fault_delivery(&w->harm, reply);
        *call->kept = NULL;
        drop_work(ctx, w);
    }
}

const struct ttrpc_method AEB_METHODS[AEB_METHOD_COUNT] = {
    {AEB_METHOD_SIZE, false, run_size, NULL},
    {AEB_METHOD_EVIDENCE, true, run_evidence, drop_work},
};
const struct ttrpc_method AEB_SLOW_METHODS[AEB_METHOD_COUNT] = {
    {AEB_METHOD_SIZE, true, run_size, NULL},
    {AEB_METHOD_EVIDENCE, true, run_evidence, drop_work},
};
