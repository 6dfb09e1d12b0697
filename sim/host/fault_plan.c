/* SPDX-License-Identifier: Apache-2.0 */
/* A fault plan at work: which request is hit, and what becomes of it. */
#include "fault_impl.h"

#include "crypto.h"
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

#define PARTS    2u /* FAULT_REQUEST, FAULT_RESPONSE */
#define CHANNELS 8u /* drivers of one guest that are told apart */

/* One driver's request, from its arrival to its answer. */
struct channel {
    uint64_t request_gpa; /* 0: free */
    uint64_t number;      /* of the request in its guest */
    uint8_t header[HDR_SIZE];
    bool waiting;              /* the driver may send the same again */
    bool answered;             /* this exit, by the plan */
    const struct fault *fault; /* to be applied to the answer, or NULL */
    uint64_t busy_left;
};

/* The last messages as they were before anyone hurt them. */
struct history {
    uint8_t pages[FAULT_BACK_MAX][RMP_PAGE_SIZE];
    uint64_t count;
};

struct fault_guest {
    struct fault_plan *plan;
    struct fault_guest *next;
    struct vm *vm;
    struct fault_config config;
    uint64_t requests;
    uint64_t seen[FAULT_MAX]; /* requests that fit each fault */
    struct channel channels[CHANNELS];
    struct history history[PARTS];
    bool holds;
    uint8_t held[RMP_PAGE_SIZE]; /* a response for the next request */
};

void fault_plan_free(struct fault_plan *plan)
{
    if (plan != NULL) {
        pthread_mutex_destroy(&plan->lock);
        free(plan->faults);
        free(plan);
    }
}

int fault_guest_new(struct fault_plan *plan, struct vm *vm,
                    const struct fault_config *config, struct fault_guest **out)
{
    struct fault_guest *g = calloc(1, sizeof(*g));

    *out = g;
    if (g == NULL) {
        return -ENOMEM;
    }
    g->plan = plan;
    g->vm = vm;
    g->config = *config;
    pthread_mutex_lock(&plan->lock);
    g->next = plan->guests;
    plan->guests = g;
    pthread_mutex_unlock(&plan->lock);
    return 0;
}

void fault_guest_free(struct fault_guest *guest)
{
    struct fault_guest **link;

    if (guest == NULL) {
        return;
    }
    pthread_mutex_lock(&guest->plan->lock);
    link = &guest->plan->guests;
    while (*link != guest) {
        link = &(*link)->next;
    }
    *link = guest->next;
    pthread_mutex_unlock(&guest->plan->lock);
    free(guest);
}

__attribute__((format(printf, 3, 4))) static void
tell(const struct fault_guest *g, uint64_t number, const char *format, ...)
{
    char line[FAULT_LINE_SIZE];
    va_list args;
    int n;

    if (g->config.applied == NULL) {
        return;
    }
    n = snprintf(line, sizeof(line),
                 "request %llu of %s: ", (unsigned long long)number,
                 vm_name(g->vm));
    va_start(args, format);
    (void)vsnprintf(line + n, sizeof(line) - (size_t)n, format, args);
    va_end(args);
    g->config.applied(g->config.ctx, line);
}

/* --- chance: a function of seed, guest, fault and request, without state ---
 */

enum purpose { CHANCE_HIT, CHANCE_PLACE, CHANCE_BITS };

static uint64_t draw(const struct fault_guest *g, const struct fault *f,
                     uint64_t number, enum purpose purpose)
{
    uint8_t in[FAULT_SEED_MAX + 64 + 3 * 8];
    uint8_t digest[SHA256_SIZE];
    struct psp_wr w = psp_wr(in, sizeof(in));
    const char *name = vm_name(g->vm);
    struct psp_rd r = psp_rd(digest, sizeof(digest));

    psp_wr_bytes(&w, g->plan->seed, strlen(g->plan->seed));
    psp_wr_pad_to(&w, FAULT_SEED_MAX);
    psp_wr_bytes(&w, name, strlen(name));
    psp_wr_pad_to(&w, FAULT_SEED_MAX + 64);
    psp_wr_le64(&w, (uint64_t)(f - g->plan->faults));
    psp_wr_le64(&w, number);
    psp_wr_le64(&w, purpose);
    psp_sha256(in, sizeof(in), digest);
    return psp_rd_le64(&r);
}

static bool due(const struct fault_guest *g, const struct fault *f,
                uint64_t seen)
{
    const struct fault_when *w = &f->when;

    if (w->request != 0) {
        return seen == w->request;
    }
    if (w->every != 0) {
        return seen % w->every == 0;
    }
    return draw(g, f, seen, CHANCE_HIT) % FAULT_CERTAIN < w->probability;
}

static bool fits(const struct fault_guest *g, const struct fault_when *w,
                 uint32_t exit_code)
{
    return (w->exit_code == 0 || w->exit_code == exit_code) &&
           (w->guest[0] == '\0' || strcmp(w->guest, vm_name(g->vm)) == 0);
}

/* Count a new request; the first fault that is due, or NULL. */
static const struct fault *choose(struct fault_guest *g, uint32_t exit_code)
{
    const struct fault *hit = NULL;

    for (size_t i = 0; i < g->plan->count; i++) {
        const struct fault *f = &g->plan->faults[i];

        if (fits(g, &f->when, exit_code) && due(g, f, ++g->seen[i]) &&
            hit == NULL) {
            hit = f;
        }
    }
    return hit;
}

/* --- what is done to a message --- */

/* Message @back ago (1: the last), or NULL. */
static const uint8_t *recall(const struct history *h, uint64_t back)
{
    return h->count < back ? NULL
                           : h->pages[(h->count - back) % FAULT_BACK_MAX];
}

static void remember(struct history *h, const uint8_t *page)
{
    memcpy(h->pages[h->count % FAULT_BACK_MAX], page, RMP_PAGE_SIZE);
    h->count++;
}

static const char *part_name(enum fault_part part)
{
    static const char *const names[] = {"request", "response", "certs"};

    return names[part];
}

static uint8_t pick_bits(const struct fault_guest *g, const struct fault *f,
                         uint64_t number)
{
    if (f->bits_given) {
        return (uint8_t)f->bits;
    }
    return (uint8_t)(1u << draw(g, f, number, CHANCE_BITS) % 8);
}

/* A flip that is left to chance hits bytes that the tag covers. */
static void flip(const struct fault_guest *g, const struct fault *f,
                 uint64_t number, uint8_t *page)
{
    size_t size = (size_t)page[OFF_SIZE] | (size_t)page[OFF_SIZE + 1] << 8;
    uint8_t bits = pick_bits(g, f, number);
    size_t place = (size_t)f->place;

    if (size == 0 || size > RMP_PAGE_SIZE - HDR_SIZE) {
        size = RMP_PAGE_SIZE - HDR_SIZE;
    }
    if (!f->place_given) {
        place = HDR_SIZE + draw(g, f, number, CHANCE_PLACE) % size;
    }
    page[place] ^= bits;
    tell(g, number, "flip %s, byte 0x%zx, bits 0x%02x", part_name(f->part),
         place, bits);
}

static void truncate_page(const struct fault_guest *g, const struct fault *f,
                          uint64_t number, uint8_t *page)
{
    memset(page + f->place, 0, RMP_PAGE_SIZE - (size_t)f->place);
    tell(g, number, "truncate %s to %llu bytes", part_name(f->part),
         (unsigned long long)f->place);
}

static void replay(const struct fault_guest *g, const struct fault *f,
                   uint64_t number, uint8_t *page)
{
    const uint8_t *old = recall(&g->history[f->part], f->back);

    if (old == NULL) {
        tell(g, number, "replay %s: there is none yet", part_name(f->part));
        return;
    }
    memcpy(page, old, RMP_PAGE_SIZE);
    tell(g, number, "replay %s, %llu back", part_name(f->part),
         (unsigned long long)f->back);
}

/* The last message of the guest of that name, or NULL. */
static const uint8_t *foreign(const struct fault_guest *g,
                              const struct fault *f)
{
    for (const struct fault_guest *o = g->plan->guests; o != NULL;
         o = o->next) {
        if (o != g && strcmp(vm_name(o->vm), f->from) == 0) {
            return recall(&o->history[f->part], 1);
        }
    }
    return NULL;
}

static void substitute(const struct fault_guest *g, const struct fault *f,
                       uint64_t number, uint8_t *page)
{
    const uint8_t *other = f->from[0] == '\0' ? NULL : foreign(g, f);

    if (other == NULL) {
        memset(page, 0, RMP_PAGE_SIZE);
    } else {
        memcpy(page, other, RMP_PAGE_SIZE);
    }
    tell(g, number, "substitute %s by %s%s", part_name(f->part),
         other == NULL ? "zeros" : "one of ", other == NULL ? "" : f->from);
}

static void swap_seqno(const struct fault_guest *g, const struct fault *f,
                       uint64_t number, uint8_t *page)
{
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
    tell(g, number, "swap-seqno %s, 0x%llx", part_name(f->part),
         (unsigned long long)seqno);
}

/* The response is kept for the next request; that of an earlier one, if there
 * is one, is given out now. */
static void reorder(struct fault_guest *g, uint64_t number, uint8_t *page)
{
    uint8_t response[RMP_PAGE_SIZE];

    memcpy(response, page, sizeof(response));
    if (g->holds) {
        memcpy(page, g->held, RMP_PAGE_SIZE);
    } else {
        memset(page, 0, RMP_PAGE_SIZE);
    }
    memcpy(g->held, response, sizeof(response));
    tell(g, number, "reorder, %s instead",
         g->holds ? "the response held back" : "nothing");
    g->holds = true;
}

static void release(struct fault_guest *g, uint64_t number, uint8_t *page)
{
    memcpy(page, g->held, RMP_PAGE_SIZE);
    g->holds = false;
    tell(g, number, "reorder, the response held back instead of its own");
}

static void hurt(struct fault_guest *g, const struct fault *f, uint64_t number,
                 uint8_t *page)
{
    switch (f->kind) {
    case FAULT_FLIP:
        flip(g, f, number, page);
        break;
    case FAULT_TRUNCATE:
        truncate_page(g, f, number, page);
        break;
    case FAULT_REPLAY:
        replay(g, f, number, page);
        break;
    case FAULT_SUBSTITUTE:
        substitute(g, f, number, page);
        break;
    case FAULT_SWAP_SEQNO:
        swap_seqno(g, f, number, page);
        break;
    case FAULT_ZERO_RESPONSE:
        memset(page, 0, RMP_PAGE_SIZE);
        tell(g, number, "zero-response");
        break;
    case FAULT_REORDER:
        reorder(g, number, page);
        break;
    default:
        break; /* applied when the request arrived */
    }
}

static void flip_certs(const struct fault_guest *g, const struct fault *f,
                       uint64_t number, const struct vm_guest_request *req,
                       uint64_t size)
{
    uint64_t place =
        f->place_given ? f->place : draw(g, f, number, CHANCE_PLACE) % size;
    uint8_t bits = pick_bits(g, f, number);
    uint8_t byte = 0;

    if (place < size &&
        vm_shared_read(g->vm, req->data_gpa + place, &byte, 1) == 0) {
        byte ^= bits;
        (void)vm_shared_write(g->vm, req->data_gpa + place, &byte, 1);
        tell(g, number, "flip certs, byte 0x%llx, bits 0x%02x",
             (unsigned long long)place, bits);
    } else {
        tell(g, number, "flip certs: there is no byte 0x%llx",
             (unsigned long long)place);
    }
}

static void hurt_certs(const struct fault_guest *g, const struct fault *f,
                       uint64_t number, const struct vm_guest_request *req)
{
    static const uint8_t zeros[FAULT_CERT_MAX];
    uint64_t size = req->data_pages < FAULT_CERT_MAX / RMP_PAGE_SIZE
                        ? req->data_pages * RMP_PAGE_SIZE
                        : FAULT_CERT_MAX;

    if (size == 0 || req->exit_code != VM_EXIT_EXT_GUEST_REQUEST) {
        tell(g, number, "%s certs: none were asked for",
             fault_kind_name(f->kind));
    } else if (f->kind == FAULT_FLIP) {
        flip_certs(g, f, number, req, size);
    } else if (f->place < size) {
        (void)vm_shared_write(g->vm, req->data_gpa + f->place, zeros,
                              (size_t)(size - f->place));
        tell(g, number, "truncate certs to %llu bytes",
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
        if (g->channels[i].number < c->number) {
            c = &g->channels[i];
        }
    }
    *c = (struct channel){.request_gpa = gpa};
    return c;
}

static void answer(struct fault_guest *g, struct channel *c,
                   struct vm_guest_request *req, uint64_t exitinfo2)
{
    const struct fault *f = c->fault;

    req->exitinfo2 = exitinfo2;
    c->answered = true;
    c->fault = NULL;
    tell(g, c->number, "%s, exitinfo2 0x%llx", fault_kind_name(f->kind),
         (unsigned long long)exitinfo2);
}

static void hurt_request(struct fault_guest *g, struct channel *c,
                         struct vm_guest_request *req, uint8_t *page)
{
    uint8_t original[RMP_PAGE_SIZE];

    memcpy(original, page, sizeof(original));
    hurt(g, c->fault, c->number, page);
    (void)vm_shared_write(g->vm, req->request_gpa, page, RMP_PAGE_SIZE);
    remember(&g->history[FAULT_REQUEST], original);
    c->fault = NULL;
}

/* A fault that strikes before the firmware sees the request. */
static void strike(struct fault_guest *g, struct channel *c,
                   struct vm_guest_request *req, uint8_t *page,
                   unsigned int *delay_ms)
{
    const struct fault *f = c->fault;

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
        c->fault = NULL;
        tell(g, c->number, "ghcb-error, %d", req->ghcb_error);
        break;
    case FAULT_DELAY:
        *delay_ms = (unsigned int)f->ms;
        c->fault = NULL;
        tell(g, c->number, "delay, %u ms", *delay_ms);
        break;
    default:
        if (f->part == FAULT_REQUEST) {
            hurt_request(g, c, req, page);
            return;
        }
        break; /* waits for the response */
    }
    remember(&g->history[FAULT_REQUEST], page);
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
    c->number = ++g->requests;
    c->busy_left = 0;
    c->fault = choose(g, req->exit_code);
    if (c->fault != NULL) {
        strike(g, c, req, page, delay_ms);
    } else {
        remember(&g->history[FAULT_REQUEST], page);
    }
    memcpy(c->header, page, HDR_SIZE);
    return c->answered;
}

/* The firmware's response is in the guest's page. */
static void respond(struct fault_guest *g, struct channel *c,
                    struct vm_guest_request *req)
{
    uint8_t response[RMP_PAGE_SIZE], page[RMP_PAGE_SIZE];
    const struct fault *f = c->fault;

    if (vm_shared_read(g->vm, req->response_gpa, response, sizeof(response)) !=
        0) {
        return;
    }
    memcpy(page, response, sizeof(page));
    if (f != NULL && f->part == FAULT_CERTS) {
        hurt_certs(g, f, c->number, req);
    } else if (f != NULL) {
        hurt(g, f, c->number, page);
    }
    if (g->holds && (f == NULL || f->kind != FAULT_REORDER)) {
        release(g, c->number, page);
    }
    remember(&g->history[FAULT_RESPONSE], response);
    (void)vm_shared_write(g->vm, req->response_gpa, page, sizeof(page));
    c->fault = NULL;
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
    pthread_mutex_lock(&g->plan->lock);
    if (after) {
        leave(g, req);
    } else {
        answered = arrive(g, req, &delay_ms);
    }
    pthread_mutex_unlock(&g->plan->lock);
    if (delay_ms > 0 && g->config.sleep_ms != NULL) {
        g->config.sleep_ms(g->config.ctx, delay_ms);
    }
    return answered;
}
