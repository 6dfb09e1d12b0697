/* SPDX-License-Identifier: Apache-2.0 */
/* Fault plans: text from anyone. A plan that is accepted does the same to the
 * same events of every place each time, and touches nothing but the guest's own
 * pages and what a command answers. */
#include "fault_command.h"
#include "fault_guest.h"
#include "fault_hypercall.h"
#include "fz.h"
#include "raw_guest.h"

#include "crypto.h"
#include "wire.h"

#include <stdio.h>
#include <string.h>

#define REQUESTS   12u
#define CERT_PAGES 2u
#define PAGES      (2u + CERT_PAGES)

/* The guest's pages are written anew for each run; nothing else of it is used.
 */
static struct raw_guest guest;
static uint64_t pages_gpa;
static uint64_t answer_spa; /* two pages that commands answer to */

struct record {
    struct psp_sha256_stream all;
};

static void applied(void *ctx, const char *line)
{
    struct record *r = ctx;
    size_t size = strnlen(line, FAULT_LINE_SIZE);

    fz_check(size > 0 && size < FAULT_LINE_SIZE);
    psp_sha256_update(&r->all, line, size + 1);
}

static void sleep_ms(void *ctx, unsigned int ms)
{
    struct record *r = ctx;

    fz_check(ms >= 1 && ms <= 60000);
    psp_sha256_update(&r->all, &ms, sizeof(ms));
}

static void write_page(size_t page, uint8_t first, uint8_t fill)
{
    uint8_t data[0x1000];

    memset(data, fill, sizeof(data));
    data[0] = first;
    fz_check(vm_shared_write(guest.vm, pages_gpa + page * sizeof(data), data,
                             sizeof(data)) == 0);
}

/* One VM exit; the firmware's part is a page that says which it is. */
static void one_exit(struct fault_guest *faults, struct record *r,
                     unsigned int i)
{
    uint8_t data[PAGES * 0x1000];
    struct vm_guest_request req = {
        .exit_code =
            i % 3 == 1 ? VM_EXIT_EXT_GUEST_REQUEST : VM_EXIT_GUEST_REQUEST,
        .request_gpa = pages_gpa,
        .response_gpa = pages_gpa + 0x1000,
        .data_gpa = pages_gpa + 0x2000,
        .data_pages = i % 3 == 1 ? CERT_PAGES : 0,
    };

    /* Every fourth is the one before once more. */
    write_page(0, (uint8_t)(i - i / 4), 0x11);
    for (size_t page = 1; page < PAGES; page++) {
        write_page(page, 0, 0);
    }
    if (!fault_guest_hook(faults, guest.vm, &req, false)) {
        write_page(1, (uint8_t)i, 0x22);
    }
    (void)fault_guest_hook(faults, guest.vm, &req, true);
    fz_check(req.ghcb_error >= 0 && req.ghcb_error <= 5);
    fz_check(vm_shared_read(guest.vm, pages_gpa, data, sizeof(data)) == 0);
    psp_sha256_update(&r->all, data, sizeof(data));
    psp_sha256_update(&r->all, &req.exitinfo2, sizeof(req.exitinfo2));
    psp_sha256_update(&r->all, &req.data_pages, sizeof(req.data_pages));
}

static void crash(void *ctx)
{
    struct record *r = ctx;

    psp_sha256_update(&r->all, "crash", 5);
}

/* --- the mailbox --- */

static const struct command {
    uint32_t id;
    size_t size;
    uint8_t who_at, addr_at[2], size_at[2]; /* 0xff: has none */
} COMMANDS[] = {
    {0x00c, 0x0c, 0xff, {0, 0xff}, {8, 0xff}},       /* GET_ID */
    {0x036, 0x24, 0, {8, 0xff}, {0x20, 0xff}},       /* ATTESTATION */
    {0x008, 0x1c, 0xff, {0, 0x10}, {8, 0x18}},       /* PDH_CERT_EXPORT */
    {0x004, 0x0c, 0xff, {0xff, 0xff}, {0xff, 0xff}}, /* PLATFORM_STATUS */
    {0x094, 0x18, 0, {0x10, 0xff}, {0xff, 0xff}},    /* SNP_GUEST_REQUEST */
    {0x0c7, 0x08, 0xff, {0xff, 0xff}, {0xff, 0xff}}, /* SNP_PAGE_RECLAIM */
    {0x0fe, 0x00, 0xff, {0xff, 0xff}, {0xff, 0xff}}, /* nothing */
};
#define COMMAND_COUNT (sizeof(COMMANDS) / sizeof(COMMANDS[0]))

static void put32(uint8_t *buffer, uint8_t at, uint32_t v)
{
    struct psp_wr w = psp_wr(buffer + at, 4);

    if (at != 0xff) {
        psp_wr_le32(&w, v);
    }
}

static void one_command(struct fault_commands *faults, struct record *r,
                        unsigned int i)
{
    const struct command *c = &COMMANDS[i % COMMAND_COUNT];
    uint8_t buffer[0x40] = {0}, memory[0x2000];
    struct fault_transit t = {
        .command = c->id, .buffer = buffer, .size = c->size};

    put32(buffer, c->who_at, 1 + i % 2);
    for (unsigned int n = 0; n < 2; n++) {
        put32(buffer, c->addr_at[n], (uint32_t)answer_spa + n * 0x1000);
        put32(buffer, c->size_at[n], 0x40u << n);
    }
    memset(memory, (int)(i + 1), sizeof(memory));
    fz_check(machine_write(guest.m, answer_spa, memory, sizeof(memory)) == 0);
    if (!fault_command_before(faults, &t)) {
        t.status = i % 5 == 4 ? SEV_INVALID_PARAM : SEV_SUCCESS;
        fault_command_after(faults, &t);
    }
    fz_check(machine_read(guest.m, answer_spa, memory, sizeof(memory)) == 0);
    psp_sha256_update(&r->all, memory, sizeof(memory));
    psp_sha256_update(&r->all, buffer, sizeof(buffer));
    psp_sha256_update(&r->all, &t.status, sizeof(t.status));
}

/* --- places whose faults others apply --- */

static void one_elsewhere(struct fault_seq *seq, enum fault_place at,
                          struct record *r, unsigned int i)
{
    const struct fault_event event = {
        .is = {[FAULT_BY_METHOD] = i % 2 == 0 ? "size" : "evidence",
               [FAULT_BY_KIND] = i % 2 == 0 ? "vcek" : "cert-chain",
               [FAULT_BY_PATH] = "/vcek/v1/Milan/cert_chain"},
        .has_handle = true,
        .handle = i % 3,
    };
    struct fault_hit hit;
    uint8_t data[16] = {0};

    if (fault_seq_event(seq, &event, &hit)) {
        fz_check(hit.fault.at == at);
        fz_check(hit.fault.back <= FAULT_BACK_MAX);
        fz_check(strnlen(hit.fault.from, sizeof(hit.fault.from)) <
                 sizeof(hit.fault.from));
        (void)fault_hit_flip(&hit, data, sizeof(data));
        psp_sha256_update(&r->all, data, sizeof(data));
        psp_sha256_update(&r->all, hit.fault.from, strlen(hit.fault.from));
    }
    psp_sha256_update(&r->all, &hit.number, sizeof(hit.number));
}

static void elsewhere(struct fault_plan *plan, enum fault_place at,
                      struct record *r)
{
    struct fault_seq *seq = NULL;

    fz_check(fault_seq_new(plan, at, "", &seq) == 0);
    for (unsigned int i = 0; i < REQUESTS; i++) {
        one_elsewhere(seq, at, r, i);
    }
    fault_seq_free(seq);
}

static void host(struct fault_plan *plan, const struct fault_config *config,
                 struct record *r)
{
    struct fault_commands *commands = NULL;
    struct fault_hypercalls *calls = NULL;

    fz_check(fault_commands_new(plan, guest.m, config, &commands) == 0);
    fz_check(fault_hypercalls_new(plan, guest.m, config, &calls) == 0);
    for (unsigned int i = 0; i < 2 * REQUESTS; i++) {
        int64_t handle;

        one_command(commands, r, i);
        handle = fault_hypercall(calls, i % 2 == 0 ? "a" : "b", 1 + i % 2);
        psp_sha256_update(&r->all, &handle, sizeof(handle));
    }
    fault_hypercalls_free(calls);
    fault_commands_free(commands);
}

static void run(struct fault_plan *plan, uint8_t digest[SHA256_SIZE])
{
    struct fault_guest *faults = NULL;
    struct record r;
    const struct fault_config config = {
        .applied = applied, .sleep_ms = sleep_ms, .crash = crash, .ctx = &r};

    psp_sha256_init(&r.all);
    fz_check(fault_guest_new(plan, guest.vm, &config, &faults) == 0);
    for (unsigned int i = 0; i < REQUESTS; i++) {
        one_exit(faults, &r, i);
    }
    fault_guest_free(faults);
    host(plan, &config, &r);
    elsewhere(plan, FAULT_AT_BROKER, &r);
    elsewhere(plan, FAULT_AT_KEY_SERVER, &r);
    psp_sha256_peek(&r.all, digest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t first[SHA256_SIZE], second[SHA256_SIZE];
    char error[FAULT_ERROR_SIZE];
    struct fault_plan *plan = NULL;

    if (guest.vm == NULL) {
        raw_guest_open(&guest, "milan", NULL);
        pages_gpa = vm_shared_alloc(guest.vm, PAGES);
        fz_check(pages_gpa != 0);
        answer_spa = machine_pages_alloc(guest.m, 2);
        fz_check(answer_spa != 0);
        machine_guest_is(guest.m, false, 1, "a");
        machine_guest_is(guest.m, false, 2, "b");
    }
    memset(error, 'x', sizeof(error));
    if (fault_plan_parse((const char *)data, size, &plan, error) != 0) {
        size_t length = strnlen(error, sizeof(error));

        fz_check(plan == NULL);
        fz_check(length > 0 && length < sizeof(error));
        fz_check(strchr(error, '\n') == NULL);
        return 0;
    }
    run(plan, first);
    run(plan, second);
    fz_check(memcmp(first, second, sizeof(first)) == 0);
    fault_plan_free(plan);
    return 0;
}
