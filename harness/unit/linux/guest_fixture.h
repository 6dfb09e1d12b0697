/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A guest with its driver, and a client's memory around one ioctl.
 */
#ifndef GUEST_FIXTURE_H
#define GUEST_FIXTURE_H

#include "tst.h"

#include "sev_guest.h"
#include "umem_array.h"

#include "pki.h"
#include "wire.h"

/* Where the client keeps its structures. The certificate buffer is not aligned:
 * it need not be. */
#define ARG_ADDR   0x10008ull
#define REQ_ADDR   0x20000ull
#define RESP_ADDR  0x30004ull
#define CERTS_ADDR 0x40001ull

#define ENVELOPE_SIZE 32u
#define RESP_ROOM     4096u /* more than any response */
#define CERTS_ROOM    0x5000u

#define FILL          0xa5 /* memory that nobody may touch keeps this */
#define OLD_EXITINFO2 0xa5a5a5a5a5a5a5a5ull

#define GET_REPORT 0xc0205300u
#define GET_KEY    0xc0205301u
#define GET_EXT    0xc0205302u

/** The client's memory. */
struct client {
    uint8_t envelope[ENVELOPE_SIZE];
    uint8_t req[112];
    uint8_t resp[RESP_ROOM];
    uint8_t certs[CERTS_ROOM];
};

#define SCRIPT_MAX 64

/** What the hypervisor does to requests, one entry for each exit; beyond the
 * script it relays. */
struct script {
    uint64_t answer[SCRIPT_MAX]; /* SW_EXITINFO2, or PASS */
    size_t count;
    size_t exits;
    uint32_t codes[SCRIPT_MAX]; /* exit codes that were seen */
    int ghcb_error;             /* of the first exit */
    /* Flip bits in the response after the exit. */
    size_t flip_offset;
    uint8_t flip_bits;
    bool drop_response; /* answer success, write nothing */
};

#define PASS UINT64_MAX

struct guest {
    struct machine *m;
    struct vm *vm;
    struct sev_guest_dev *dev;
    struct chardev node;
    struct umem_array ua;
    struct client client;
    struct script script;
    unsigned int slept_ms;
    unsigned int sleeps;
    uint32_t request;
    uint64_t arg;
};

static inline uint64_t get64(const void *p)
{
    struct psp_rd r = psp_rd(p, 8);

    return psp_rd_le64(&r);
}

static inline uint32_t get32(const void *p)
{
    struct psp_rd r = psp_rd(p, 4);

    return psp_rd_le32(&r);
}

static inline void put64(void *p, uint64_t v)
{
    struct psp_wr w = psp_wr(p, 8);

    psp_wr_le64(&w, v);
}

static inline void put32(void *p, uint32_t v)
{
    struct psp_wr w = psp_wr(p, 4);

    psp_wr_le32(&w, v);
}

static inline void guest_sleep(void *ctx, unsigned int ms)
{
    struct guest *g = ctx;

    g->slept_ms += ms;
    g->sleeps++;
}

static inline bool guest_hook(void *ctx, struct vm *vm,
                              struct vm_guest_request *req, bool after)
{
    struct script *s = ctx;
    uint64_t answer = PASS;
    uint8_t byte = 0;

    if (after) {
        if (s->flip_bits != 0) {
            assert_int_equal(vm_shared_read(vm,
                                            req->response_gpa + s->flip_offset,
                                            &byte, 1),
                             0);
            byte ^= s->flip_bits;
            assert_int_equal(vm_shared_write(vm,
                                             req->response_gpa + s->flip_offset,
                                             &byte, 1),
                             0);
        }
        return false;
    }
    if (s->exits < s->count) {
        answer = s->answer[s->exits];
    }
    if (s->exits < SCRIPT_MAX) {
        s->codes[s->exits] = req->exit_code;
    }
    if (s->exits == 0) {
        req->ghcb_error = s->ghcb_error;
    }
    s->exits++;
    if (s->drop_response) {
        answer = 0;
    }
    req->exitinfo2 = answer == PASS ? 0 : answer;
    return answer != PASS || req->ghcb_error != 0;
}

/** Prepare a good request of a kind. */
static inline void guest_prepare(struct guest *g, uint32_t request)
{
    struct client *c = &g->client;

    memset(c, FILL, sizeof(*c));
    g->request = request;
    g->arg = ARG_ADDR;
    c->envelope[0] = 1;
    put64(c->envelope + 8, REQ_ADDR);
    put64(c->envelope + 16, RESP_ADDR);
    memset(c->req, 0, sizeof(c->req));
    if (request != GET_KEY) {
        for (size_t i = 0; i < 64; i++) {
            c->req[i] = (uint8_t)i; /* REPORT_DATA */
        }
    }
}

static inline struct machine *guest_machine(const char *profile,
                                            const uint8_t *seed)
{
    struct machine_config config = {
        .profile = psp_profile_by_name(profile),
        .seed = seed,
    };
    struct machine *m = NULL;

    pki_chip_make(PKI_DEV_SEED, config.profile->generation, 0, &config.chip);
    assert_int_equal(machine_create(&config, &m), 0);
    assert_int_equal(machine_platform_init(m), SEV_SUCCESS);
    return m;
}

static inline struct guest *guest_launch(struct machine *m,
                                         const struct vm_spec *spec,
                                         enum sev_guest_era era,
                                         uint32_t request)
{
    struct guest *g = calloc(1, sizeof(*g));
    struct sev_guest_config config = {.era = era, .vmpck_id = -1};
    enum sev_status status;

    assert_non_null(g);
    g->m = m;
    assert_int_equal(vm_launch(m, spec, &g->vm, &status), 0);
    vm_set_request_hook(g->vm, guest_hook, &g->script);
    config.sleep_ms = guest_sleep;
    config.sleep_ctx = g;
    assert_int_equal(sev_guest_probe(g->vm, &config, &g->dev), 0);
    g->node = sev_guest_chardev(g->dev);
    umem_array_init(&g->ua);
    umem_array_map(&g->ua, ARG_ADDR, g->client.envelope, ENVELOPE_SIZE, false);
    umem_array_map(&g->ua, REQ_ADDR, g->client.req, sizeof(g->client.req),
                   false);
    umem_array_map(&g->ua, RESP_ADDR, g->client.resp, RESP_ROOM, false);
    umem_array_map(&g->ua, CERTS_ADDR, g->client.certs, CERTS_ROOM, false);
    guest_prepare(g, request);
    return g;
}

/** A guest from the development seed with an era's driver, all client memory
 * filled with FILL, and a good request prepared. */
static inline struct guest *guest_new(enum sev_guest_era era, uint32_t request)
{
    struct machine *m = guest_machine("milan", PKI_DEV_SEED);
    struct vm_spec spec;
    struct guest *g;

    assert_int_equal(vm_spec_default(&spec, machine_profile(m)), 0);
    g = guest_launch(m, &spec, era, request);
    vm_spec_clear(&spec);
    return g;
}

/** Ends the driver and the guest, not the machine. */
static inline void guest_end(struct guest *g)
{
    sev_guest_remove(g->dev);
    vm_destroy(g->vm);
    free(g);
}

static inline void guest_free(struct guest *g)
{
    struct machine *m = g->m;

    guest_end(g);
    machine_destroy(m);
}

static inline int64_t guest_ioctl(struct guest *g)
{
    return umem_array_ioctl(&g->ua, &g->node, false, g->request, g->arg);
}

/** Certificates of @size bytes, each 0x42, at the hypervisor. */
static inline void guest_set_certs(struct guest *g, size_t size)
{
    uint8_t *certs = malloc(size);

    assert_non_null(certs);
    memset(certs, 0x42, size);
    assert_int_equal(vm_set_certs(g->vm, certs, size), 0);
    free(certs);
}

/** Room that an extended request offers. */
static inline void guest_offer(struct guest *g, uint64_t address, uint32_t size)
{
    put64(g->client.req + 96, address);
    put32(g->client.req + 104, size);
}

/** Counter of a VMPCK in the secrets page. */
static inline uint32_t guest_counter(struct guest *g, unsigned int vmpck)
{
    uint8_t le[4];

    assert_int_equal(
        vm_read(g->vm, vm_secrets_gpa(g->vm) + 0xa0 + 4 * vmpck, le, 4), 0);
    return get32(le);
}

static inline void guest_set_counter(struct guest *g, unsigned int vmpck,
                                     uint32_t counter)
{
    uint8_t le[4];

    put32(le, counter);
    assert_int_equal(
        vm_write(g->vm, vm_secrets_gpa(g->vm) + 0xa0 + 4 * vmpck, le, 4), 0);
}

/** True if that VMPCK is all zero. */
static inline bool guest_key_gone(struct guest *g, unsigned int vmpck)
{
    uint8_t key[32];

    assert_int_equal(
        vm_read(g->vm, vm_secrets_gpa(g->vm) + 0x20 + 32 * vmpck, key, 32), 0);
    return psp_all_zero(key, sizeof(key));
}

static inline void guest_wipe_key(struct guest *g, unsigned int vmpck)
{
    static const uint8_t zeros[32];

    assert_int_equal(
        vm_write(g->vm, vm_secrets_gpa(g->vm) + 0x20 + 32 * vmpck, zeros, 32),
        0);
}

#endif
