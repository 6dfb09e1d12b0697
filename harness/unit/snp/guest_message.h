/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A firmware with guests made by hand, and the guest's end of its messages.
 * Contexts are filled in directly, so that a test chooses every field of them.
 * Each test program is one file, so this is a header of static functions.
 */
#ifndef GUEST_MESSAGE_H
#define GUEST_MESSAGE_H

#include "commands.h"
#include "snp_cmd.h"
#include "tst.h"
#include "wire.h"

#define GM_PAGES     16u
#define GM_SIZE      (GM_PAGES * RMP_PAGE_SIZE)
#define GM_SELF      0x1000ull /* context page of the sender */
#define GM_OTHER     0x2000ull /* context page of a second guest */
#define GM_REQUEST   0x4000ull
#define GM_RESPONSE  0x5000ull /* a Firmware page */
#define GM_UNTOUCHED 0xc3u     /* every byte of memory at first */

struct gm {
    struct psp_core core;
    struct snp_platform snp;
    struct psp_host_ops ops;
    struct snp_guest *self;
    struct snp_guest *other; /* NULL until gm_other() */
    struct snp_job *job;
    uint8_t *memory;
    unsigned int calls;         /* host callbacks so far */
    unsigned int fail_at;       /* number of the call that fails; 0: none */
    unsigned int request_reads; /* of the request page */
    uint8_t random;             /* next byte of entropy */
};

/** One request, every byte of which can be made wrong. */
struct gm_request {
    uint64_t gctx;
    uint64_t request;
    uint64_t response;
    struct snp_msg_header header;
    uint8_t payload[SNP_MSG_MAX_PAYLOAD];
    uint8_t key[32];
    uint8_t tag_flip; /* mixed into the first tag byte */
};

static inline bool gm_fails(struct gm *gm)
{
    return ++gm->calls == gm->fail_at;
}

static inline int gm_mem_read(void *host, uint64_t spa, void *buf, size_t size)
{
    struct gm *gm = host;

    if (gm_fails(gm) || spa > GM_SIZE || size > GM_SIZE - spa) {
        return -1;
    }
    gm->request_reads += spa / RMP_PAGE_SIZE == GM_REQUEST / RMP_PAGE_SIZE;
    memcpy(buf, gm->memory + spa, size);
    return 0;
}

static inline int gm_mem_write(void *host, uint64_t spa, const void *buf,
                               size_t size)
{
    struct gm *gm = host;

    if (gm_fails(gm) || spa > GM_SIZE || size > GM_SIZE - spa) {
        return -1;
    }
    memcpy(gm->memory + spa, buf, size);
    return 0;
}

static inline int gm_entropy(void *host, void *buf, size_t size)
{
    struct gm *gm = host;
    uint8_t *p = buf;

    if (gm_fails(gm)) {
        return -1;
    }
    for (size_t i = 0; i < size; i++) {
        p[i] = gm->random++;
    }
    return 0;
}

static inline void gm_rmp(struct gm *gm, uint64_t spa, enum rmp_state state,
                          bool size_2m)
{
    const struct rmp_entry e = {.state = state, .size_2m = size_2m};

    assert_int_equal(rmp_set(gm->core.rmp, spa & ~0xfffull, &e), PSP_OK);
}

static inline void gm_fill(uint8_t *p, size_t n, uint8_t first)
{
    for (size_t i = 0; i < n; i++) {
        p[i] = (uint8_t)(first + i);
    }
}

/** A guest without agent whose secret and public fields are all different and
 * depend on @first. VMPCK0 of @first 0 is the key of abi/snp.md §11.3. */
static inline struct snp_guest *gm_guest(struct gm *gm, uint64_t gctx,
                                         enum snp_guest_state state,
                                         uint8_t first)
{
    struct snp_guest *g = snp_guest_add(&gm->snp, gctx);

    assert_non_null(g);
    gm_rmp(gm, gctx, RMP_CONTEXT, false);
    g->state = state;
    gm->snp.started_guest_count += state != SNP_GUEST_INIT;
    g->policy = 0x30000;
    g->ma_gctx_paddr = UINT64_MAX;
    memset(g->report_id_ma, 0xff, sizeof(g->report_id_ma));
    for (uint8_t i = 0; i < SNP_VMPCK_COUNT; i++) {
        gm_fill(g->vmpck[i], 32, (uint8_t)(first + 0x20 * i));
    }
    gm_fill(g->ld, 48, (uint8_t)(first + 0x11));
    gm_fill(g->imd, 48, (uint8_t)(first + 0x12));
    gm_fill(g->vek, 32, (uint8_t)(first + 0x13));
    gm_fill(g->oek, 32, (uint8_t)(first + 0x14));
    gm_fill(g->vmrk, 32, (uint8_t)(first + 0x15));
    gm_fill(g->report_id, 32, (uint8_t)(first + 0x16));
    gm_fill(g->host_data, 32, (uint8_t)(first + 0x17));
    gm_fill(g->gosvw, 16, (uint8_t)(first + 0x18));
    g->oek_iv_count = first + 0x1900u;
    g->launch_tcb = gm->snp.committed_tcb;
    g->launch_mit_vector = gm->snp.current_mit_vector;
    return g;
}

static inline void gm_chip(struct psp_chip *chip)
{
    gm_fill(chip->id, sizeof(chip->id), 0x40);
    gm_fill(chip->secret, sizeof(chip->secret), 0);
}

/** A platform of that profile, INIT, with one RUNNING guest. Its chip secret is
 * that of abi/snp.md §11.4. */
static inline struct gm *gm_new(const char *profile)
{
    struct gm *gm = calloc(1, sizeof(*gm));
    struct psp_config config = {.memory_size = GM_SIZE};

    assert_non_null(gm);
    config.profile = *psp_profile_by_name(profile);
    gm_chip(&config.chip);
    gm->ops = (struct psp_host_ops){.mem_read = gm_mem_read,
                                    .mem_write = gm_mem_write,
                                    .entropy = gm_entropy};
    gm->memory = malloc(GM_SIZE);
    gm->job = malloc(sizeof(*gm->job));
    assert_true(gm->memory != NULL && gm->job != NULL);
    memset(gm->memory, GM_UNTOUCHED, GM_SIZE);
    assert_int_equal(core_init(&gm->core, &config, &gm->ops, gm), PSP_OK);
    assert_int_equal(snp_init(&gm->snp, &gm->core), PSP_OK);
    gm->core.snp_state = SNP_PLATFORM_INIT;
    assert_int_equal(snp_keys_refresh(&gm->snp), PSP_OK);
    gm->self = gm_guest(gm, GM_SELF, SNP_GUEST_RUNNING, 0);
    gm_rmp(gm, GM_RESPONSE, RMP_FIRMWARE, false);
    return gm;
}

static inline void gm_free(struct gm *gm)
{
    snp_clear(&gm->snp);
    core_clear(&gm->core);
    free(gm->memory);
    free(gm->job);
    free(gm);
}

static inline struct snp_guest *gm_other(struct gm *gm,
                                         enum snp_guest_state state)
{
    gm->other = gm_guest(gm, GM_OTHER, state, 0x80);
    return gm->other;
}

/** @agent becomes the migration agent of @guest. */
static inline void gm_set_agent(struct snp_guest *guest,
                                const struct snp_guest *agent)
{
    guest->ma_gctx_paddr = agent->gctx_paddr;
    memcpy(guest->report_id_ma, agent->report_id, sizeof(agent->report_id));
}

/** A well-formed request with the sequence number that is due. */
static inline struct gm_request gm_request(const struct gm *gm, uint8_t vmpck,
                                           enum snp_msg_type type,
                                           const void *payload, size_t size)
{
    struct gm_request req = {
        .gctx = GM_SELF,
        .request = GM_REQUEST,
        .response = GM_RESPONSE,
        .header = {.seqno = gm->self->msg_count[vmpck] + 1,
                   .algo = SNP_MSG_ALGO_GCM,
                   .hdr_version = SNP_MSG_HDR_VERSION,
                   .hdr_size = SNP_MSG_HEADER_SIZE,
                   .type = (uint8_t)type,
                   .version = 1,
                   .size = (uint16_t)size,
                   .vmpck = vmpck},
    };

    memcpy(req.payload, payload, size);
    memcpy(req.key, gm->self->vmpck[vmpck], sizeof(req.key));
    return req;
}

/** Seal the request and put it into memory. What leaves its page is cut off. */
static inline void gm_put(struct gm *gm, const struct gm_request *req)
{
    uint8_t page[2 * RMP_PAGE_SIZE] = {0};
    uint8_t iv[SNP_MSG_IV_SIZE];
    size_t size = req->header.size < SNP_MSG_MAX_PAYLOAD ? req->header.size
                                                         : SNP_MSG_MAX_PAYLOAD;
    size_t room = RMP_PAGE_SIZE - req->request % RMP_PAGE_SIZE;

    if (req->request >= GM_SIZE) {
        return;
    }
    snp_msg_header_encode(&req->header, page);
    snp_msg_iv(req->header.seqno, iv);
    psp_gcm_seal(req->key, iv, page + SNP_MSG_AAD_OFFSET, SNP_MSG_AAD_SIZE,
                 req->payload, size, page + SNP_MSG_HEADER_SIZE, page);
    page[0] ^= req->tag_flip;
    memset(gm->memory + req->request, 0, room);
    memcpy(gm->memory + req->request, page,
           SNP_MSG_HEADER_SIZE + size < room ? SNP_MSG_HEADER_SIZE + size
                                             : room);
}

static inline void gm_command(const struct gm_request *req,
                              uint8_t buf[SNP_CMD_GUEST_REQUEST_SIZE])
{
    const struct snp_cmd_guest_request cmd = {
        .gctx_paddr = req->gctx,
        .request_paddr = req->request,
        .response_paddr = req->response,
    };

    snp_cmd_guest_request_encode(&cmd, buf);
}

/** The command from begin to finish on what is in memory. */
static inline enum sev_status gm_execute(struct gm *gm,
                                         const struct gm_request *req)
{
    uint8_t buf[SNP_CMD_GUEST_REQUEST_SIZE];
    enum sev_status status;

    gm_command(req, buf);
    memset(gm->job, 0x5a, sizeof(*gm->job)); /* needs no initialisation */
    if (!snp_guest_request_begin(&gm->snp, buf, gm->job, &status)) {
        return status;
    }
    snp_request_run(gm->job);
    return snp_request_finish(&gm->snp, gm->job);
}

static inline enum sev_status gm_call(struct gm *gm,
                                      const struct gm_request *req)
{
    gm_put(gm, req);
    return gm_execute(gm, req);
}

/** Open the response to @req as a guest does, and check its header. Returns the
 * payload's size; @rsp holds SNP_MSG_MAX_PAYLOAD bytes. */
static inline size_t gm_open(struct gm *gm, const struct gm_request *req,
                             uint8_t *rsp)
{
    const uint8_t *msg = gm->memory + req->response;
    struct snp_msg_header h;
    uint8_t iv[SNP_MSG_IV_SIZE];

    snp_msg_header_decode(msg, &h);
    assert_true(h.seqno == req->header.seqno + 1);
    assert_int_equal(h.algo, 1);
    assert_int_equal(h.hdr_version, 1);
    assert_int_equal(h.hdr_size, 0x60);
    assert_int_equal(h.type, req->header.type + 1);
    assert_int_equal(h.version, req->header.version);
    assert_int_equal(h.vmpck, req->header.vmpck);
    assert_true(psp_all_zero(msg + 0x10, 0x10));
    assert_true(psp_all_zero(msg + 0x28, 8));
    assert_true(psp_all_zero(msg + 0x38, 4));
    assert_true(psp_all_zero(msg + 0x3d, 0x23));
    assert_in_range(h.size, 4, SNP_MSG_MAX_PAYLOAD);
    snp_msg_iv(h.seqno, iv);
    assert_true(psp_gcm_open(req->key, iv, msg + SNP_MSG_AAD_OFFSET,
                             SNP_MSG_AAD_SIZE, msg + SNP_MSG_HEADER_SIZE,
                             h.size, h.tag, rsp));
    return h.size;
}

/** Send a request that the mailbox accepts; the response's payload in @rsp
 * (SNP_MSG_MAX_PAYLOAD bytes). The counter moves by two. Returns STATUS. */
static inline uint32_t gm_answer(struct gm *gm, const struct gm_request *req,
                                 size_t rsp_size, uint8_t *rsp)
{
    assert_int_equal(gm_call(gm, req), SEV_SUCCESS);
    assert_int_equal(gm_open(gm, req, rsp), rsp_size);
    return snp_msg_get_status(rsp);
}

/** Everything that a refused command must leave alone. */
struct gm_snapshot {
    struct snp_platform snp;
    struct snp_guest self;
    struct snp_guest other;
    enum rmp_state rmp[GM_PAGES];
    uint8_t memory[GM_SIZE];
};

static inline struct gm_snapshot *gm_snapshot(const struct gm *gm)
{
    struct gm_snapshot *s = calloc(1, sizeof(*s));

    assert_non_null(s);
    memcpy(&s->snp, &gm->snp, sizeof(s->snp));
    memcpy(&s->self, gm->self, sizeof(s->self));
    if (gm->other != NULL) {
        memcpy(&s->other, gm->other, sizeof(s->other));
    }
    for (uint64_t i = 0; i < GM_PAGES; i++) {
        s->rmp[i] = rmp_get(gm->core.rmp, i * RMP_PAGE_SIZE).state;
    }
    memcpy(s->memory, gm->memory, GM_SIZE);
    return s;
}

/** Fails the test unless nothing has changed since; ends the snapshot. */
static inline void gm_assert_unchanged(const struct gm *gm,
                                       struct gm_snapshot *s)
{
    struct gm_snapshot *now = gm_snapshot(gm);

    assert_memory_equal(&now->snp, &s->snp, sizeof(s->snp));
    assert_memory_equal(&now->self, &s->self, sizeof(s->self));
    assert_memory_equal(&now->other, &s->other, sizeof(s->other));
    assert_memory_equal(now->rmp, s->rmp, sizeof(s->rmp));
    assert_memory_equal(now->memory, s->memory, GM_SIZE);
    free(now);
    free(s);
}

/** The array of tests with one more row; name and state come from the row. */
static inline struct CMUnitTest gm_row(const char *name, CMUnitTestFunction fn,
                                       const void *row)
{
    union {
        const void *in;
        void *out;
    } state = {.in = row};

    return (struct CMUnitTest){
        .name = name, .test_func = fn, .initial_state = state.out};
}

#endif
