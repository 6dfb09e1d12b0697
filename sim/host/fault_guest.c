/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a guest request that is hit. */
#include "fault_guest.h"
#include "fault_impl.h"

#include "wire.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Message header. abi/snp.md §6.1 */
#define HDR_SIZE  0x60u
#define OFF_SEQNO 0x20u
#define OFF_SIZE  0x36u

#define CERT_MAX 0x4000u /* largest certificate buffer of a driver */
#define PARTS    2u      /* FAULT_REQUEST, FAULT_RESPONSE */
#define CHANNELS 8u      /* drivers of one guest that are told apart */

/* One driver's request, from its arrival to its answer. */
struct channel {
    uint64_t request_gpa; /* 0: free */
    uint64_t used;        /* larger: later */
    uint8_t header[HDR_SIZE];
    bool waiting;         /* the driver may send the same again */
    bool answered;        /* this exit, by the plan */
    bool pending;         /* @hit is to be applied to the answer */
    struct fault_hit hit; /* its number is always that of the request */
    uint64_t busy_left;
};

struct fault_guest {
    struct fault_plan *plan;
    struct fault_guest *next;
    struct vm *vm;
    struct fault_config config;
    struct fault_seq *seq;
    uint64_t requests;
    struct channel channels[CHANNELS];
    /* The last messages as they were before anyone hurt them. */
    struct fault_history history[PARTS];
    bool holds;
    uint8_t held[RMP_PAGE_SIZE]; /* a response for the next request */
};

int fault_guest_new(struct fault_plan *plan, struct vm *vm,
                    const struct fault_config *config, struct fault_guest **out)
{
    struct fault_guest *g = calloc(1, sizeof(*g));

    *out = NULL;
    if (g == NULL || fault_seq_new(plan, FAULT_AT_GUEST_REQUEST, vm_name(vm),
                                   &g->seq) != 0) {
        free(g);
        return -ENOMEM;
    }
    *out = g;
    g->plan = plan;
    g->vm = vm;
    g->config = *config;
    pthread_mutex_lock(&plan->guests_lock);
    g->next = plan->guests;
    plan->guests = g;
    pthread_mutex_unlock(&plan->guests_lock);
    return 0;
}

void fault_guest_free(struct fault_guest *guest)
{
    struct fault_guest **link;

    if (guest == NULL) {
        return;
    }
    pthread_mutex_lock(&guest->plan->guests_lock);
    link = &guest->plan->guests;
    while (*link != guest) {
        link = &(*link)->next;
    }
    *link = guest->next;
    pthread_mutex_unlock(&guest->plan->guests_lock);
    fault_seq_free(guest->seq);
    fault_history_clear(&guest->history[FAULT_REQUEST]);
    fault_history_clear(&guest->history[FAULT_RESPONSE]);
    free(guest);
}

__attribute__((format(printf, 3, 4))) static void
tell(const struct fault_guest *g, const struct fault_hit *hit,
     const char *format, ...)
{
    char line[FAULT_LINE_SIZE];
    va_list args;
    int n;

    if (g->config.applied == NULL) {
        return;
    }
    n = snprintf(line, sizeof(line),
                 "request %llu of %s: ", (unsigned long long)hit->number,
                 vm_name(g->vm));
    va_start(args, format);
    (void)vsnprintf(line + n, sizeof(line) - (size_t)n, format, args);
    va_end(args);
    g->config.applied(g->config.ctx, line);
}

/* --- what is done to a message --- */

static void remember(struct fault_guest *g, enum fault_part part,
                     const uint8_t *page)
{
    fault_history_add(&g->history[part], page, RMP_PAGE_SIZE);
}

/* Message @back ago (1: the last), or NULL. */
static const uint8_t *recall(const struct fault_guest *g, enum fault_part part,
                             uint64_t back)
{
    size_t size = 0;

    return fault_history_back(&g->history[part], back, &size);
}

/* A flip that is left to chance hits bytes that the tag covers. */
static void flip(const struct fault_guest *g, const struct fault_hit *hit,
                 uint8_t *page)
{
    const struct fault *f = &hit->fault;
    size_t size = (size_t)page[OFF_SIZE] | (size_t)page[OFF_SIZE + 1] << 8;
    uint8_t bits = fault_hit_bits(hit);
    size_t place = (size_t)f->place;

    if (size == 0 || size > RMP_PAGE_SIZE - HDR_SIZE) {
        size = RMP_PAGE_SIZE - HDR_SIZE;
    }
    if (!f->place_given) {
        place = HDR_SIZE + (size_t)(hit->place_chance % size);
    }
    page[place] ^= bits;
    tell(g, hit, "flip %s, byte 0x%zx, bits 0x%02x", fault_part_name(f->part),
         place, bits);
}

static void truncate_page(const struct fault_guest *g,
                          const struct fault_hit *hit, uint8_t *page)
{
    const struct fault *f = &hit->fault;
    memset(page + f->place, 0, RMP_PAGE_SIZE - (size_t)f->place);
    tell(g, hit, "truncate %s to %llu bytes", fault_part_name(f->part),
         (unsigned long long)f->place);
}

static void replay(const struct fault_guest *g, const struct fault_hit *hit,
                   uint8_t *page)
{
    const struct fault *f = &hit->fault;
    const uint8_t *old = recall(g, f->part, f->back);

    if (old == NULL) {
        tell(g, hit, "replay %s: there is none yet", fault_part_name(f->part));
        return;
    }
    memcpy(page, old, RMP_PAGE_SIZE);
    tell(g, hit, "replay %s, %llu back", fault_part_name(f->part),
         (unsigned long long)f->back);
}

/* The last message of the guest of that name, or NULL. */
static const uint8_t *foreign(const struct fault_guest *g,
                              const struct fault *f)
{
    for (const struct fault_guest *o = g->plan->guests; o != NULL;
         o = o->next) {
        if (o != g && strcmp(vm_name(o->vm), f->from) == 0) {
            return recall(o, f->part, 1);
        }
    }
    return NULL;
}

static void substitute(const struct fault_guest *g, const struct fault_hit *hit,
                       uint8_t *page)
{
    const struct fault *f = &hit->fault;
    const uint8_t *other = f->from[0] == '\0' ? NULL : foreign(g, f);

    if (other == NULL) {
        memset(page, 0, RMP_PAGE_SIZE);
    } else {
        memcpy(page, other, RMP_PAGE_SIZE);
    }
    tell(g, hit, "substitute %s by %s%s", fault_part_name(f->part),
         other == NULL ? "zeros" : "one of ", other == NULL ? "" : f->from);
}

static void swap_seqno(const struct fault_guest *g, const struct fault_hit *hit,
                       uint8_t *page)
{
    const struct fault *f = &hit->fault;
    struct psp_rd r = psp_rd(page + OFF_SEQNO, 8);
    struct psp_wr w = psp_wr(page + OFF_SEQNO, 8);
    uint64_t seqno = psp_rd_le64(&r);

    if (f->seqno_given) {
        seqno = f->seqno;
    } else if (f->part == FAULT_REQUEST) {
        seqno++;
    } else {
        seqno--;
    }
    psp_wr_le64(&w, seqno);
    tell(g, hit, "swap-seqno %s, 0x%llx", fault_part_name(f->part),
         (unsigned long long)seqno);
}

/* The response is kept for the next request; that of an earlier one, if there
 * is one, is given out now. */
static void reorder(struct fault_guest *g, const struct fault_hit *hit,
                    uint8_t *page)
{
    uint8_t response[RMP_PAGE_SIZE];

    memcpy(response, page, sizeof(response));
    if (g->holds) {
        memcpy(page, g->held, RMP_PAGE_SIZE);
    } else {
        memset(page, 0, RMP_PAGE_SIZE);
    }
    memcpy(g->held, response, sizeof(response));
    tell(g, hit, "reorder, %s instead",
         g->holds ? "the response held back" : "nothing");
    g->holds = true;
}

static void release(struct fault_guest *g, const struct fault_hit *hit,
                    uint8_t *page)
{
    memcpy(page, g->held, RMP_PAGE_SIZE);
    g->holds = false;
    tell(g, hit, "reorder, the response held back instead of its own");
}

static void hurt(struct fault_guest *g, const struct fault_hit *hit,
                 uint8_t *page)
{
    switch (hit->fault.kind) {
    case FAULT_FLIP:
        flip(g, hit, page);
        break;
    case FAULT_TRUNCATE:
        truncate_page(g, hit, page);
        break;
    case FAULT_REPLAY:
        replay(g, hit, page);
        break;
    case FAULT_SUBSTITUTE:
        substitute(g, hit, page);
        break;
    case FAULT_SWAP_SEQNO:
        swap_seqno(g, hit, page);
        break;
    case FAULT_ZERO_RESPONSE:
        memset(page, 0, RMP_PAGE_SIZE);
        tell(g, hit, "zero-response");
        break;
    case FAULT_REORDER:
        reorder(g, hit, page);
        break;
    default:
        break; /* applied when the request arrived */
    }
}

static void flip_certs(const struct fault_guest *g, const struct fault_hit *hit,
                       const struct vm_guest_request *req, uint64_t size)
{
    uint64_t place = fault_hit_place(hit, size);
    uint8_t bits = fault_hit_bits(hit);
    uint8_t byte = 0;

    if (place < size &&
        vm_shared_read(g->vm, req->data_gpa + place, &byte, 1) == 0) {
        byte ^= bits;
        (void)vm_shared_write(g->vm, req->data_gpa + place, &byte, 1);
        tell(g, hit, "flip certs, byte 0x%llx, bits 0x%02x",
             (unsigned long long)place, bits);
    } else {
        tell(g, hit, "flip certs: there is no byte 0x%llx",
             (unsigned long long)place);
    }
}

static void hurt_certs(const struct fault_guest *g, const struct fault_hit *hit,
                       const struct vm_guest_request *req)
{
    const struct fault *f = &hit->fault;
    static const uint8_t zeros[CERT_MAX];
    uint64_t size = req->data_pages < CERT_MAX / RMP_PAGE_SIZE
                        ? req->data_pages * RMP_PAGE_SIZE
                        : CERT_MAX;

    if (size == 0 || req->exit_code != VM_EXIT_EXT_GUEST_REQUEST) {
        tell(g, hit, "%s certs: none were asked for", fault_kind_name(f->kind));
    } else if (f->kind == FAULT_FLIP) {
        flip_certs(g, hit, req, size);
    } else if (f->place < size) {
        (void)vm_shared_write(g->vm, req->data_gpa + f->place, zeros,
                              (size_t)(size - f->place));
        tell(g, hit, "truncate certs to %llu bytes",
             (unsigned long long)f->place);
    }
}

/* --- around the relay --- */

static struct channel *find_channel(struct fault_guest *g, uint64_t gpa)
{
    for (size_t i = 0; i < CHANNELS; i++) {
        if (g->channels[i].request_gpa == gpa) {
            return &g->channels[i];
        }
    }
    return NULL;
}

/* That of the page, else a free one, else the one that was quiet longest. */
static struct channel *take_channel(struct fault_guest *g, uint64_t gpa)
{
    struct channel *c = find_channel(g, gpa);

    if (c != NULL) {
        return c;
    }
    c = &g->channels[0];
    for (size_t i = 1; i < CHANNELS; i++) {
        if (g->channels[i].used < c->used) {
            c = &g->channels[i];
        }
    }
    *c = (struct channel){.request_gpa = gpa};
    return c;
}

static void answer(struct fault_guest *g, struct channel *c,
                   struct vm_guest_request *req, uint64_t exitinfo2)
{
    const struct fault *f = &c->hit.fault;

    req->exitinfo2 = exitinfo2;
    c->answered = true;
    c->pending = false;
    tell(g, &c->hit, "%s, exitinfo2 0x%llx", fault_kind_name(f->kind),
         (unsigned long long)exitinfo2);
}

static void hurt_request(struct fault_guest *g, struct channel *c,
                         struct vm_guest_request *req, uint8_t *page)
{
    uint8_t original[RMP_PAGE_SIZE];

    memcpy(original, page, sizeof(original));
    hurt(g, &c->hit, page);
    (void)vm_shared_write(g->vm, req->request_gpa, page, RMP_PAGE_SIZE);
    remember(g, FAULT_REQUEST, original);
    c->pending = false;
}

/* A fault that strikes before the firmware sees the request. */
static void strike(struct fault_guest *g, struct channel *c,
                   struct vm_guest_request *req, uint8_t *page,
                   unsigned int *delay_ms)
{
    const struct fault *f = &c->hit.fault;

    switch (f->kind) {
    case FAULT_BUSY:
        c->busy_left = f->times - 1;
        answer(g, c, req, VM_EXITINFO2_BUSY);
        break;
    case FAULT_VMM_ERROR:
    case FAULT_FIRMWARE_ERROR:
        answer(g, c, req, f->answer);
        break;
    case FAULT_CERTS_TOO_SMALL:
        req->data_pages = f->pages != 0 ? f->pages : req->data_pages + 1;
        answer(g, c, req, VM_EXITINFO2_INVALID_LEN);
        break;
    case FAULT_DROP:
        answer(g, c, req, 0);
        break;
    case FAULT_GHCB_ERROR:
        req->ghcb_error = (int)f->code;
        c->answered = true;
        c->pending = false;
        tell(g, &c->hit, "ghcb-error, %d", req->ghcb_error);
        break;
    case FAULT_DELAY:
        *delay_ms = (unsigned int)f->ms;
        c->pending = false;
        tell(g, &c->hit, "delay, %u ms", *delay_ms);
        break;
    default:
        if (f->part == FAULT_REQUEST) {
            hurt_request(g, c, req, page);
            return;
        }
        break; /* waits for the response */
    }
    remember(g, FAULT_REQUEST, page);
}

static bool is_due(struct fault_guest *g, uint32_t exit_code,
                   struct fault_hit *hit)
{
    const struct fault_event event = {
        .is = {[FAULT_BY_EXIT] = exit_code == VM_EXIT_GUEST_REQUEST
                                     ? "guest-request"
                                     : "ext-guest-request",
               [FAULT_BY_GUEST] = vm_name(g->vm)}};

    return fault_seq_event(g->seq, &event, hit);
}

static bool arrive(struct fault_guest *g, struct vm_guest_request *req,
                   unsigned int *delay_ms)
{
    uint8_t page[RMP_PAGE_SIZE];
    struct channel *c;

    if ((req->exit_code != VM_EXIT_GUEST_REQUEST &&
         req->exit_code != VM_EXIT_EXT_GUEST_REQUEST) ||
        vm_shared_read(g->vm, req->request_gpa, page, sizeof(page)) != 0) {
        return false;
    }
    c = take_channel(g, req->request_gpa);
    c->answered = false;
    if (c->waiting && memcmp(c->header, page, HDR_SIZE) == 0) {
        if (c->busy_left > 0) {
            c->busy_left--;
            c->answered = true;
            req->exitinfo2 = VM_EXITINFO2_BUSY;
        }
        return c->answered;
    }
    c->used = ++g->requests;
    c->busy_left = 0;
    c->pending = is_due(g, req->exit_code, &c->hit);
    if (c->pending) {
        strike(g, c, req, page, delay_ms);
    } else {
        remember(g, FAULT_REQUEST, page);
    }
    memcpy(c->header, page, HDR_SIZE);
    return c->answered;
}

/* The firmware's response is in the guest's page. */
static void respond(struct fault_guest *g, struct channel *c,
                    struct vm_guest_request *req)
{
    uint8_t response[RMP_PAGE_SIZE], page[RMP_PAGE_SIZE];
    const struct fault *f = &c->hit.fault;

    if (vm_shared_read(g->vm, req->response_gpa, response, sizeof(response)) !=
        0) {
        return;
    }
    memcpy(page, response, sizeof(page));
    if (c->pending && f->part == FAULT_CERTS) {
        hurt_certs(g, &c->hit, req);
    } else if (c->pending) {
        hurt(g, &c->hit, page);
    }
    if (g->holds && !(c->pending && f->kind == FAULT_REORDER)) {
        release(g, &c->hit, page);
    }
    remember(g, FAULT_RESPONSE, response);
    (void)vm_shared_write(g->vm, req->response_gpa, page, sizeof(page));
    c->pending = false;
}

static void leave(struct fault_guest *g, struct vm_guest_request *req)
{
    struct channel *c = find_channel(g, req->request_gpa);

    if (c == NULL) {
        return;
    }
    c->waiting =
        req->ghcb_error == 0 && (req->exitinfo2 == VM_EXITINFO2_BUSY ||
                                 req->exitinfo2 == VM_EXITINFO2_INVALID_LEN);
    if (!c->answered && req->exitinfo2 == 0 && req->ghcb_error == 0) {
        respond(g, c, req);
    }
}

bool fault_guest_hook(void *guest, struct vm *vm, struct vm_guest_request *req,
                      bool after)
{
    struct fault_guest *g = guest;
    unsigned int delay_ms = 0;
    bool answered = false;

    (void)vm;
    pthread_mutex_lock(&g->plan->guests_lock);
    if (after) {
        leave(g, req);
    } else {
        answered = arrive(g, req, &delay_ms);
    }
    pthread_mutex_unlock(&g->plan->guests_lock);
    if (delay_ms > 0 && g->config.sleep_ms != NULL) {
        g->config.sleep_ms(g->config.ctx, delay_ms);
    }
    return answered;
}
