/* SPDX-License-Identifier: Apache-2.0 */
/* Fault plans: text from anyone. A plan that is accepted does the same to the
 * same requests every time, and touches nothing but the guest's own pages. */
#include "fault_guest.h"
#include "fz.h"
#include "raw_guest.h"

#include "crypto.h"

#include <stdio.h>
#include <string.h>

#define REQUESTS   12u
#define CERT_PAGES 2u
#define PAGES      (2u + CERT_PAGES)

/* The guest's pages are written anew for each run; nothing else of it is used.
 */
static struct raw_guest guest;
static uint64_t pages_gpa;

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

    fz_check(ms >= 1 && ms <= 10000);
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

static void run(struct fault_plan *plan, uint8_t digest[SHA256_SIZE])
{
    struct fault_guest *faults = NULL;
    struct record r;
    const struct fault_config config = {
        .applied = applied, .sleep_ms = sleep_ms, .ctx = &r};

    psp_sha256_init(&r.all);
    fz_check(fault_guest_new(plan, guest.vm, &config, &faults) == 0);
    for (unsigned int i = 0; i < REQUESTS; i++) {
        one_exit(faults, &r, i);
    }
    fault_guest_free(faults);
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
