/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a mailbox command that is hit. */
#include "fault_command.h"
#include "machine_impl.h"

#include "crypto.h"
#include "sev_cmd.h"
#include "snp_cmd.h"
#include "snp_status.h"
#include "wire.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND_MAX  0x100u
#define RESPONSE_MAX 0x20000u

enum who { NOBODY, LEGACY, SNP };

/* Where a command names its guest, and where its answer goes. */
struct shape {
    uint32_t id;
    enum who who;
    uint8_t who_at;
    bool in_buffer; /* the answer is in the command buffer */
    struct out {
        uint8_t addr_at;
        uint8_t size_at; /* of 32 bits; 0: @size */
        uint32_t size;   /* 0 with size_at 0: no more */
    } out[2];
};

/* abi/sev.md §1.1, abi/snp.md §1. A start command names a guest in its answer
 * only. */
static const struct shape SHAPES[] = {
    {SEV_CMD_PLATFORM_STATUS, .in_buffer = true},
    {SEV_CMD_PEK_CSR, .out = {{0, 8, 0}}},
    {SEV_CMD_PDH_CERT_EXPORT, .out = {{0, 8, 0}, {0x10, 0x18, 0}}},
    {SEV_CMD_GET_ID, .out = {{0, 8, 0}}},
    {SEV_CMD_DECOMMISSION, .who = LEGACY},
    {SEV_CMD_ACTIVATE, .who = LEGACY},
    {SEV_CMD_DEACTIVATE, .who = LEGACY},
    {SEV_CMD_GUEST_STATUS, .who = LEGACY, .in_buffer = true},
    {SEV_CMD_COPY, .who = LEGACY},
    {SEV_CMD_ACTIVATE_EX, .who = LEGACY, .who_at = 4},
    {SEV_CMD_LAUNCH_START, .in_buffer = true},
    {SEV_CMD_LAUNCH_UPDATE_DATA, .who = LEGACY},
    {SEV_CMD_LAUNCH_UPDATE_VMSA, .who = LEGACY},
    {SEV_CMD_LAUNCH_MEASURE, .who = LEGACY, .out = {{8, 0x10, 0}}},
    {SEV_CMD_LAUNCH_SECRET, .who = LEGACY},
    {SEV_CMD_LAUNCH_FINISH, .who = LEGACY},
    {SEV_CMD_ATTESTATION, .who = LEGACY, .out = {{8, 0x20, 0}}},
    {SEV_CMD_SEND_START, .who = LEGACY, .out = {{0x38, 0x40, 0}}},
    {SEV_CMD_SEND_UPDATE_DATA, .who = LEGACY,
     .out = {{8, 0x10, 0}, {0x28, 0x30, 0}}},
    {SEV_CMD_SEND_UPDATE_VMSA, .who = LEGACY,
     .out = {{8, 0x10, 0}, {0x28, 0x30, 0}}},
    {SEV_CMD_SEND_FINISH, .who = LEGACY},
    {SEV_CMD_SEND_CANCEL, .who = LEGACY},
    {SEV_CMD_RECEIVE_START, .in_buffer = true},
    {SEV_CMD_RECEIVE_UPDATE_DATA, .who = LEGACY},
    {SEV_CMD_RECEIVE_UPDATE_VMSA, .who = LEGACY},
    {SEV_CMD_RECEIVE_FINISH, .who = LEGACY},
    {SEV_CMD_DBG_DECRYPT, .who = LEGACY, .out = {{0x10, 0x18, 0}}},
    {SEV_CMD_DBG_ENCRYPT, .who = LEGACY, .out = {{0x10, 0x18, 0}}},
    {SEV_CMD_SWAP_OUT, .who = LEGACY},
    {SEV_CMD_SWAP_IN, .who = LEGACY},
    {SNP_CMD_PLATFORM_STATUS, .out = {{0, 0, SNP_PLATFORM_STATUS_SIZE}}},
    {SNP_CMD_DECOMMISSION, .who = SNP},
    {SNP_CMD_ACTIVATE, .who = SNP},
    {SNP_CMD_GUEST_STATUS, .who = SNP, .out = {{8, 0, SNP_GUEST_STATUS_SIZE}}},
    {SNP_CMD_GCTX_CREATE, .who = SNP},
    {SNP_CMD_GUEST_REQUEST, .who = SNP, .out = {{0x10, 0, RMP_PAGE_SIZE}}},
    {SNP_CMD_ACTIVATE_EX, .who = SNP, .who_at = 8},
    {SNP_CMD_HV_REPORT_REQ, .who = SNP, .who_at = 8,
     .out = {{0x10, 0, RMP_PAGE_SIZE}}},
    {SNP_CMD_LAUNCH_START, .who = SNP},
    {SNP_CMD_LAUNCH_UPDATE, .who = SNP},
    {SNP_CMD_LAUNCH_FINISH, .who = SNP},
    {SNP_CMD_DBG_DECRYPT, .who = SNP, .out = {{0x10, 0, RMP_PAGE_SIZE}}},
    {SNP_CMD_DBG_ENCRYPT, .who = SNP, .out = {{0x10, 0, RMP_PAGE_SIZE}}},
    {SNP_CMD_PAGE_SWAP_OUT, .who = SNP},
    {SNP_CMD_PAGE_SWAP_IN, .who = SNP},
    {SNP_CMD_PAGE_MOVE, .who = SNP},
    {SNP_CMD_FEATURE_INFO, .out = {{8, 0, SNP_FEATURE_INFO_SIZE}}},
};

/* Answers to one command as they were before anyone hurt them, and whose. */
struct past {
    struct fault_history history;
    uint64_t who[FAULT_BACK_MAX];
};

struct fault_commands {
    struct machine *m;
    struct fault_plan *plan;
    struct fault_config config;
    struct fault_seq *seq;
    struct fault_seq *reclaims; /* events of their own: they come with others */
    pthread_mutex_t lock;       /* guards @past */
    struct past *past[COMMAND_MAX];
};

int fault_commands_new(struct fault_plan *plan, struct machine *m,
                       const struct fault_config *config,
                       struct fault_commands **out)
{
    struct fault_commands *f = calloc(1, sizeof(*f));

    *out = NULL;
    if (f == NULL ||
        fault_seq_new(plan, FAULT_AT_SEV_COMMAND, "", &f->seq) != 0 ||
        fault_seq_new(plan, FAULT_AT_SEV_COMMAND, "", &f->reclaims) != 0) {
        fault_seq_free(f == NULL ? NULL : f->seq);
        free(f);
        return -ENOMEM;
    }
    f->m = m;
    f->plan = plan;
    f->config = *config;
    pthread_mutex_init(&f->lock, NULL);
    *out = f;
    return 0;
}

void fault_commands_free(struct fault_commands *faults)
{
    if (faults == NULL) {
        return;
    }
    for (size_t i = 0; i < COMMAND_MAX; i++) {
        if (faults->past[i] != NULL) {
            fault_history_clear(&faults->past[i]->history);
            free(faults->past[i]);
        }
    }
    fault_seq_free(faults->seq);
    fault_seq_free(faults->reclaims);
    pthread_mutex_destroy(&faults->lock);
    free(faults);
}

static const char *command_name(uint32_t command)
{
    struct psp_command_info info;

    return psp_command_info(command, &info) ? info.name : "unknown";
}

__attribute__((format(printf, 3, 4))) static void
tell(const struct fault_commands *f, const struct fault_transit *t,
     const char *format, ...)
{
    char line[FAULT_LINE_SIZE];
    va_list args;
    int n;

    if (f->config.applied == NULL) {
        return;
    }
    n = snprintf(line, sizeof(line),
                 "sev-command %llu %s: ", (unsigned long long)t->hit.number,
                 command_name(t->command));
    va_start(args, format);
    (void)vsnprintf(line + n, sizeof(line) - (size_t)n, format, args);
    va_end(args);
    f->config.applied(f->config.ctx, line);
}

/* --- whom a command is about --- */

static const struct shape *shape_of(uint32_t command)
{
    static const struct shape none;

    for (size_t i = 0; i < sizeof(SHAPES) / sizeof(SHAPES[0]); i++) {
        if (SHAPES[i].id == command) {
            return &SHAPES[i];
        }
    }
    return &none;
}

static size_t who_size(const struct shape *s)
{
    return s->who == LEGACY ? 4 : 8;
}

static bool has_who(const struct shape *s, const struct fault_transit *t)
{
    return s->who != NOBODY && s->who_at + who_size(s) <= t->size;
}

/* Handle or context page. */
static uint64_t get_who(const struct shape *s, const struct fault_transit *t)
{
    struct psp_rd r = psp_rd(t->buffer + s->who_at, who_size(s));

    return s->who == LEGACY ? psp_rd_le32(&r) : psp_rd_le64(&r);
}

static void put_who(const struct shape *s, struct fault_transit *t,
                    uint64_t who)
{
    struct psp_wr w = psp_wr(t->buffer + s->who_at, who_size(s));

    if (s->who == LEGACY) {
        psp_wr_le32(&w, (uint32_t)who);
    } else {
        psp_wr_le64(&w, who);
    }
}

static bool is_due(struct fault_commands *f, struct fault_transit *t)
{
    const struct shape *s = shape_of(t->command);
    struct fault_event event = {
        .is = {[FAULT_BY_COMMAND] = command_name(t->command)},
        .quiet = t->command == SNP_CMD_PAGE_RECLAIM};
    char name[FAULT_KEY_SIZE];

    if (has_who(s, t)) {
        uint64_t who = get_who(s, t);

        event.has_handle = s->who == LEGACY;
        event.handle = who;
        if (machine_guest_name(f->m, s->who == SNP, who, name)) {
            event.is[FAULT_BY_GUEST] = name;
        }
    }
    return fault_seq_event(event.quiet ? f->reclaims : f->seq, &event, &t->hit);
}

/* The guest that the plan names instead. */
static bool find_other(const struct fault_commands *f,
                       const struct fault *fault, const struct shape *s,
                       uint64_t *who)
{
    if (fault->handle_given) {
        *who = fault->handle;
        return s->who == LEGACY;
    }
    return machine_guest_find(f->m, s->who == SNP, fault->from, who);
}

/* --- the answer --- */

struct response {
    struct span {
        uint64_t spa;
        size_t size;
    } span[2];
    size_t count;
    uint8_t *bytes; /* all spans, or the command buffer */
    size_t size;
};

static void add_span(struct response *r, const struct fault_transit *t,
                     const struct out *out)
{
    struct psp_rd addr = psp_rd(t->buffer + out->addr_at, 8);
    struct span *span = &r->span[r->count];

    if ((size_t)out->addr_at + 8 > t->size ||
        (size_t)out->size_at + 4 > t->size) {
        return;
    }
    span->spa = psp_rd_le64(&addr);
    span->size = out->size;
    if (out->size_at != 0) {
        struct psp_rd size = psp_rd(t->buffer + out->size_at, 4);

        span->size = psp_rd_le32(&size);
    }
    if (span->spa != 0 && span->size > 0 &&
        span->size <= RESPONSE_MAX - r->size) {
        r->size += span->size;
        r->count++;
    }
}

/* Memory as it is, whoever owns the page. */
static int move_spans(const struct fault_commands *f, const struct response *r,
                      bool store)
{
    uint8_t *at = r->bytes;
    int err = 0;

    pthread_mutex_lock(&f->m->lock);
    for (size_t i = 0; i < r->count && err == 0; i++) {
        err = store
                  ? dram_write(f->m->dram, r->span[i].spa, at, r->span[i].size)
                  : dram_read(f->m->dram, r->span[i].spa, at, r->span[i].size);
        at += r->span[i].size;
    }
    pthread_mutex_unlock(&f->m->lock);
    return err;
}

/* False: the command has no answer but its status. */
static bool load_response(const struct fault_commands *f,
                          const struct fault_transit *t, struct response *r)
{
    const struct shape *s = shape_of(t->command);

    *r = (struct response){.count = 0};
    for (size_t i = 0; i < 2 && (s->out[i].size_at | s->out[i].size) != 0;
         i++) {
        add_span(r, t, &s->out[i]);
    }
    if (s->in_buffer) {
        r->size = t->size;
    }
    if (t->status != SEV_SUCCESS || r->size == 0) {
        return false;
    }
    r->bytes = malloc(r->size);
    if (r->bytes == NULL) {
        return false;
    }
    if (s->in_buffer) {
        memcpy(r->bytes, t->buffer, r->size);
        return true;
    }
    return move_spans(f, r, false) == 0;
}

static void store_response(const struct fault_commands *f,
                           struct fault_transit *t, const struct response *r)
{
    if (r->count == 0) {
        memcpy(t->buffer, r->bytes, r->size);
    } else {
        (void)move_spans(f, r, true);
    }
}

static void remember(struct fault_commands *f, const struct fault_transit *t,
                     const struct response *r)
{
    const struct shape *s = shape_of(t->command);
    struct past *p = f->past[t->command % COMMAND_MAX];
    uint64_t count;

    if (p == NULL) {
        p = calloc(1, sizeof(*p));
        f->past[t->command % COMMAND_MAX] = p;
    }
    if (p != NULL) {
        count = p->history.count;
        fault_history_add(&p->history, r->bytes, r->size);
        if (p->history.count != count) {
            p->who[count % FAULT_BACK_MAX] = has_who(s, t) ? get_who(s, t) : 0;
        }
    }
}

/* As much of an older answer as fits; zeros behind it. */
static void overwrite(struct response *r, const uint8_t *old, size_t size)
{
    size_t n = size < r->size ? size : r->size;

    memset(r->bytes, 0, r->size);
    if (old != NULL) {
        memcpy(r->bytes, old, n);
    }
}

static void replay(const struct fault_commands *f,
                   const struct fault_transit *t, struct response *r)
{
    const struct past *p = f->past[t->command % COMMAND_MAX];
    uint64_t back = t->hit.fault.back;
    size_t size = 0;
    const uint8_t *old =
        p == NULL ? NULL : fault_history_back(&p->history, back, &size);

    if (old == NULL) {
        tell(f, t, "replay response: there is none yet");
        return;
    }
    overwrite(r, old, size);
    tell(f, t, "replay response, %llu back", (unsigned long long)back);
}

/* The last answer to the same command about another guest. */
static const uint8_t *foreign(const struct fault_commands *f,
                              const struct fault_transit *t, size_t *size)
{
    const struct past *p = f->past[t->command % COMMAND_MAX];
    uint64_t who = 0;

    if (p == NULL ||
        !find_other(f, &t->hit.fault, shape_of(t->command), &who)) {
        return NULL;
    }
    for (uint64_t back = 1; back <= FAULT_BACK_MAX && back <= p->history.count;
         back++) {
        if (p->who[(p->history.count - back) % FAULT_BACK_MAX] == who) {
            return fault_history_back(&p->history, back, size);
        }
    }
    return NULL;
}

static void tell_other(const struct fault_commands *f,
                       const struct fault_transit *t, const char *what)
{
    const struct fault *fault = &t->hit.fault;

    if (fault->handle_given) {
        tell(f, t, "%s handle %llu", what, (unsigned long long)fault->handle);
    } else {
        tell(f, t, "%s %s", what, fault->from);
    }
}

static void substitute(const struct fault_commands *f,
                       const struct fault_transit *t, struct response *r)
{
    size_t size = 0;
    const uint8_t *other = foreign(f, t, &size);

    overwrite(r, other, size);
    if (other == NULL) {
        tell(f, t, "substitute response by zeros");
    } else {
        tell_other(f, t, "substitute response by one of");
    }
}

static void flip(const struct fault_commands *f, const struct fault_transit *t,
                 uint8_t *bytes, size_t size)
{
    const char *part = fault_part_name(t->hit.fault.part);

    if (fault_hit_flip(&t->hit, bytes, size)) {
        tell(f, t, "flip %s, byte 0x%llx, bits 0x%02x", part,
             (unsigned long long)fault_hit_place(&t->hit, size),
             fault_hit_bits(&t->hit));
    } else {
        tell(f, t, "flip %s: there is no such byte", part);
    }
}

static void truncate_response(const struct fault_commands *f,
                              const struct fault_transit *t, struct response *r)
{
    uint64_t size = t->hit.fault.place;

    if (size < r->size) {
        memset(r->bytes + size, 0, r->size - (size_t)size);
    }
    tell(f, t, "truncate response to %llu bytes", (unsigned long long)size);
}

static void hurt(const struct fault_commands *f, const struct fault_transit *t,
                 struct response *r)
{
    switch (t->hit.fault.kind) {
    case FAULT_FLIP:
        flip(f, t, r->bytes, r->size);
        break;
    case FAULT_TRUNCATE:
        truncate_response(f, t, r);
        break;
    case FAULT_REPLAY:
        replay(f, t, r);
        break;
    case FAULT_SUBSTITUTE:
        substitute(f, t, r);
        break;
    case FAULT_ZERO_RESPONSE:
        memset(r->bytes, 0, r->size);
        tell(f, t, "zero-response");
        break;
    default:
        break; /* is about the command, not its answer */
    }
}

static void lose(const struct fault_commands *f, struct fault_transit *t)
{
    t->status = MACHINE_NO_ANSWER;
    tell(f, t, "drop %s", fault_part_name(t->hit.fault.part));
}

static void crash(const struct fault_commands *f, const struct fault_transit *t)
{
    tell(f, t, "crash, %s the firmware has executed it",
         t->hit.fault.part == FAULT_REQUEST ? "before" : "after");
    if (f->config.crash != NULL) {
        f->config.crash(f->config.ctx);
    }
}

/* --- around the firmware --- */

static void hurt_request(const struct fault_commands *f,
                         struct fault_transit *t)
{
    const struct shape *s = shape_of(t->command);
    uint64_t who = 0;

    if (t->hit.fault.kind == FAULT_FLIP) {
        flip(f, t, t->buffer, t->size);
    } else if (has_who(s, t) && find_other(f, &t->hit.fault, s, &who)) {
        put_who(s, t, who);
        tell_other(f, t, "substitute request,");
    } else {
        tell(f, t, "substitute request: there is no such guest");
    }
}

bool fault_command_before(struct fault_commands *faults,
                          struct fault_transit *transit)
{
    const struct fault *fault = &transit->hit.fault;

    if (faults == NULL || !fault_plan_has(faults->plan, FAULT_AT_SEV_COMMAND)) {
        return false;
    }
    transit->counted = true;
    transit->pending = is_due(faults, transit);
    if (!transit->pending) {
        return false;
    }
    if (fault->kind == FAULT_DELAY) {
        transit->pending = false;
        tell(faults, transit, "delay, %u ms", (unsigned int)fault->ms);
        if (faults->config.sleep_ms != NULL) {
            faults->config.sleep_ms(faults->config.ctx,
                                    (unsigned int)fault->ms);
        }
        return false;
    }
    if (fault->kind == FAULT_FIRMWARE_ERROR) {
        transit->pending = false;
        transit->status = (enum sev_status)fault->answer;
        tell(faults, transit, "firmware-error, status 0x%x",
             (unsigned int)transit->status);
        return true;
    }
    if (fault->part != FAULT_REQUEST) {
        return false; /* waits for the answer */
    }
    transit->pending = false;
    if (fault->kind == FAULT_DROP) {
        lose(faults, transit);
        return true;
    }
    if (fault->kind == FAULT_CRASH) {
        crash(faults, transit);
    } else {
        hurt_request(faults, transit);
    }
    return false;
}

/* The answer, hurt if that is due, and kept as it was. */
static void pass_on(struct fault_commands *f, struct fault_transit *t,
                    struct response *r)
{
    struct response original = *r;

    original.bytes = malloc(r->size);
    if (original.bytes != NULL) {
        memcpy(original.bytes, r->bytes, r->size);
    }
    pthread_mutex_lock(&f->lock);
    if (t->pending) {
        hurt(f, t, r);
        store_response(f, t, r);
    }
    if (original.bytes != NULL) {
        remember(f, t, &original);
        psp_wipe(original.bytes, original.size);
    }
    pthread_mutex_unlock(&f->lock);
    free(original.bytes);
}

void fault_command_after(struct fault_commands *faults,
                         struct fault_transit *transit)
{
    struct response r;

    if (!transit->counted) {
        return;
    }
    if (transit->pending && transit->hit.fault.kind == FAULT_CRASH) {
        crash(faults, transit);
        return;
    }
    if (transit->pending && transit->hit.fault.kind == FAULT_DROP) {
        lose(faults, transit);
        return;
    }
    if (load_response(faults, transit, &r)) {
        pass_on(faults, transit, &r);
    } else if (transit->pending) {
        tell(faults, transit, "%s: there is no response",
             fault_kind_name(transit->hit.fault.kind));
    }
    if (r.bytes != NULL) {
        psp_wipe(r.bytes, r.size);
        free(r.bytes);
    }
}
