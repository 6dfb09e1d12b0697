/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_psp.h"

#include "tst.h"
#include "wire.h"

#include <errno.h>

#define BASE       0x10000000ull
#define PAGE       RMP_PAGE_SIZE
#define PAGE_COUNT 4096u /* 16 MiB */

enum fake_page { FAKE_FREE, FAKE_HOST, FAKE_FIRMWARE, FAKE_RECLAIM };

uint8_t fake_psp_byte(uint32_t command, unsigned int buffer, size_t i)
{
    return (uint8_t)(command * 7 + buffer * 61 + i * 3 + (i >> 8));
}

/* --- memory and RMP --- */

static bool inside(uint64_t spa, size_t size)
{
    return spa >= BASE && size <= PAGE_COUNT * PAGE &&
           spa - BASE <= PAGE_COUNT * PAGE - size;
}

static size_t page_of(uint64_t spa)
{
    return (size_t)((spa - BASE) / PAGE);
}

static size_t round_up_pow2(size_t n)
{
    size_t p = 1;

    while (p < n) {
        p *= 2;
    }
    return p;
}

static bool run_is_free(const struct fake_psp *f, size_t first, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (f->page[first + i] != FAKE_FREE) {
            return false;
        }
    }
    return true;
}

static uint64_t pages_alloc(void *host, size_t count)
{
    struct fake_psp *f = host;
    const size_t step = round_up_pow2(count);

    if (f->alloc_max != 0 && count > f->alloc_max) {
        return 0;
    }
    for (size_t first = 0; first + count <= PAGE_COUNT; first += step) {
        if (run_is_free(f, first, count)) {
            memset(f->page + first, FAKE_HOST, count);
            memset(f->memory + first * PAGE, 0, count * PAGE);
            f->pages_out += count;
            return BASE + first * PAGE;
        }
    }
    return 0;
}

static void pages_free(void *host, uint64_t spa, size_t count)
{
    struct fake_psp *f = host;

    for (size_t i = 0; i < count; i++) {
        size_t p = page_of(spa) + i;

        assert_int_equal(f->page[p], FAKE_HOST);
        f->page[p] = FAKE_FREE;
    }
    f->pages_out -= count;
}

static int mem_read(void *host, uint64_t spa, void *buf, size_t size)
{
    struct fake_psp *f = host;

    if (!inside(spa, size)) {
        return -EFAULT;
    }
    memcpy(buf, f->memory + (spa - BASE), size);
    return 0;
}

static int mem_write(void *host, uint64_t spa, const void *buf, size_t size)
{
    struct fake_psp *f = host;

    if (!inside(spa, size)) {
        return -EFAULT;
    }
    for (size_t p = page_of(spa); p <= page_of(spa + size - 1); p++) {
        if (f->page[p] != FAKE_HOST) {
            return -EFAULT;
        }
    }
    memcpy(f->memory + (spa - BASE), buf, size);
    return 0;
}

static enum rmp_result rmpupdate(void *host, uint64_t spa,
                                 const struct rmp_update *update)
{
    struct fake_psp *f = host;
    uint8_t *page = &f->page[page_of(spa)];

    if (*page == FAKE_FIRMWARE) {
        return RMP_FAIL_PERMISSION;
    }
    if (!update->assigned) {
        *page = FAKE_HOST;
        return RMP_OK;
    }
    assert_true(update->immutable);
    assert_int_equal(update->asid, 0);
    assert_int_equal(update->gpa, 0);
    if (f->rmpupdate_left == 0) {
        return RMP_FAIL_INPUT;
    }
    f->rmpupdate_left -= f->rmpupdate_left > 0 ? 1 : 0;
    *page = FAKE_FIRMWARE;
    return RMP_OK;
}

static bool snp_initialized(void *host)
{
    const struct fake_psp *f = host;

    return f->snp_up;
}

/* --- the commands --- */

struct call {
    struct fake_psp *f;
    uint32_t command;
    uint8_t *buf;
    size_t size;
};

static uint32_t le32(const uint8_t *p)
{
    struct psp_rd r = psp_rd(p, 4);

    return psp_rd_le32(&r);
}

static uint64_t le64(const uint8_t *p)
{
    struct psp_rd r = psp_rd(p, 8);

    return psp_rd_le64(&r);
}

static void put32(uint8_t *p, uint32_t v)
{
    struct psp_wr w = psp_wr(p, 4);

    psp_wr_le32(&w, v);
}

static uint32_t page_state_ok(const struct call *c, uint64_t spa, size_t size)
{
    if (!inside(spa, size)) {
        return SEV_INVALID_ADDRESS;
    }
    for (size_t p = page_of(spa); p <= page_of(spa + size - 1); p++) {
        if (c->f->snp_up && c->f->page[p] != FAKE_FIRMWARE) {
            return SEV_INVALID_PAGE_STATE;
        }
    }
    return SEV_SUCCESS;
}

static uint32_t produce(const struct call *c, unsigned int buffer, uint64_t spa,
                        size_t size)
{
    uint32_t status = page_state_ok(c, spa, size);

    for (size_t i = 0; status == SEV_SUCCESS && i < size; i++) {
        c->f->memory[spa - BASE + i] = fake_psp_byte(c->command, buffer, i);
    }
    return status;
}

static void consume(const struct call *c, unsigned int buffer, uint64_t spa,
                    uint32_t size)
{
    assert_true(size <= sizeof(c->f->seen[0]));
    assert_true(inside(spa, size));
    memcpy(c->f->seen[buffer], c->f->memory + (spa - BASE), size);
    c->f->seen_size[buffer] = size;
}

static uint32_t do_init(struct call *c)
{
    const bool ex = c->command == 0x00d;
    const uint8_t *p = c->buf + (ex ? 4 : 0);
    const uint64_t tmr = ex ? le64(c->buf + 8) : le64(c->buf + 8);
    const uint32_t tmr_size = ex ? le32(c->buf + 0x10) : le32(c->buf + 0x10);
    const uint32_t want = c->f->snp_up ? 0x200000 : 0x100000;

    if (c->f->state != 0) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    c->f->es = (le32(p) & 1) != 0;
    if (c->f->es) {
        assert_int_equal(tmr_size, want);
        assert_int_equal(tmr % want, 0);
    }
    if (ex) {
        assert_int_equal(le32(c->buf), 0x24);
        consume(c, 0, le64(c->buf + 0x18), 0x4000);
        assert_int_equal(le32(c->buf + 0x20), 0x8000);
        if (produce(c, 0, le64(c->buf + 0x18), 0x8000) != SEV_SUCCESS) {
            return SEV_INVALID_PAGE_STATE;
        }
    }
    c->f->state = 1;
    return SEV_SUCCESS;
}

static uint32_t do_status(struct call *c)
{
    struct psp_wr w = psp_wr(c->buf, c->size);

    psp_wr_u8(&w, c->f->api_major);
    psp_wr_u8(&w, c->f->api_minor);
    psp_wr_u8(&w, c->f->state);
    psp_wr_u8(&w, c->f->external);
    psp_wr_u8(&w, c->f->es);
    psp_wr_le16(&w, 0);
    psp_wr_u8(&w, c->f->build);
    psp_wr_le32(&w, c->f->handle != 0);
    return SEV_SUCCESS;
}

static uint32_t do_csr(struct call *c)
{
    uint32_t status;

    if (c->f->state == 0) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    if (le32(c->buf + 8) < FAKE_PSP_CERT) {
        put32(c->buf + 8, FAKE_PSP_CERT);
        return SEV_INVALID_LENGTH;
    }
    status = produce(c, 0, le64(c->buf), FAKE_PSP_CERT);
    if (status == SEV_SUCCESS) {
        put32(c->buf + 8, FAKE_PSP_CERT);
    }
    return status;
}

static uint32_t do_export(struct call *c)
{
    const uint32_t pdh = le32(c->buf + 8);
    const uint32_t chain = le32(c->buf + 0x18);
    uint32_t status = SEV_INVALID_LENGTH;

    if (c->f->state == 0) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    if (pdh >= FAKE_PSP_CERT && chain >= FAKE_PSP_CHAIN) {
        status = produce(c, 0, le64(c->buf), FAKE_PSP_CERT);
        if (status == SEV_SUCCESS) {
            status = produce(c, 1, le64(c->buf + 0x10), FAKE_PSP_CHAIN);
        }
        if (status != SEV_SUCCESS) {
            return status;
        }
    }
    put32(c->buf + 8, FAKE_PSP_CERT);
    put32(c->buf + 0x18, FAKE_PSP_CHAIN);
    return status;
}

static uint32_t do_import(struct call *c)
{
    if (c->f->state != 1) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    consume(c, 0, le64(c->buf), le32(c->buf + 8));
    consume(c, 1, le64(c->buf + 0x10), le32(c->buf + 0x18));
    c->f->external = true;
    return SEV_SUCCESS;
}

static uint32_t do_get_id(struct call *c)
{
    const uint32_t len = le32(c->buf + 8);
    const uint32_t size = c->f->sockets == 2 && len == 128 ? 128 : 64;
    uint32_t status;

    if (len < 64) {
        put32(c->buf + 8, 64);
        return SEV_INVALID_LENGTH;
    }
    status = produce(c, 0, le64(c->buf), size);
    if (status == SEV_SUCCESS) {
        put32(c->buf + 8, size);
    }
    return status;
}

static uint32_t do_attestation(struct call *c)
{
    uint32_t status;

    if (c->f->state != 2) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    if (le32(c->buf) != c->f->handle) {
        return SEV_INVALID_GUEST;
    }
    if (le32(c->buf + 0x20) < 0xd0) {
        put32(c->buf + 0x20, 0xd0);
        return SEV_INVALID_LENGTH;
    }
    status = produce(c, 0, le64(c->buf + 8), 0xd0);
    if (status == SEV_SUCCESS) {
        put32(c->buf + 0x20, 0xd0);
    }
    return status;
}

static uint32_t do_snp_status(struct call *c)
{
    uint32_t status;

    if (!c->f->has_snp) {
        return SEV_INVALID_COMMAND;
    }
    status = produce(c, 0, le64(c->buf), 32);
    if (status == SEV_SUCCESS) {
        c->f->memory[le64(c->buf) - BASE + 2] = c->f->snp_up;
    }
    return status;
}

static uint32_t do_snp_init(struct call *c)
{
    assert_int_equal(c->size, 0x40);
    if (!c->f->has_snp) {
        return SEV_INVALID_COMMAND;
    }
    if (c->f->snp_up || c->f->state != 0) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    c->f->snp_up = true;
    return SEV_SUCCESS;
}

static uint32_t do_snp_shutdown(struct call *c)
{
    assert_int_equal(le32(c->buf), 8);
    if (c->f->state != 0) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    if (c->f->asid_dirty) {
        return SEV_DF_FLUSH_REQUIRED;
    }
    for (size_t p = 0; p < PAGE_COUNT; p++) {
        assert_int_not_equal(c->f->page[p], FAKE_FIRMWARE);
    }
    c->f->snp_up = false;
    return SEV_SUCCESS;
}

static uint32_t do_reclaim(struct call *c)
{
    uint8_t *page = &c->f->page[page_of(le64(c->buf))];

    if (!c->f->snp_up) {
        return SEV_INVALID_PLATFORM_STATE;
    }
    assert_int_equal(*page, FAKE_FIRMWARE);
    *page = FAKE_RECLAIM;
    c->f->reclaim_count++;
    return SEV_SUCCESS;
}

static uint32_t dispatch(struct call *c)
{
    switch (c->command) {
    case 0x001:
    case 0x00d:
        return do_init(c);
    case 0x002:
        c->f->state = 0;
        c->f->es = false;
        return SEV_SUCCESS;
    case 0x003:
        return c->f->state == 0 ? SEV_SUCCESS : SEV_INVALID_PLATFORM_STATE;
    case 0x004:
        return do_status(c);
    case 0x005:
        return c->f->state == 1 ? SEV_SUCCESS : SEV_INVALID_PLATFORM_STATE;
    case 0x006:
        return do_csr(c);
    case 0x007:
        return do_import(c);
    case 0x008:
        return do_export(c);
    case 0x009:
        return c->f->state != 0 ? SEV_SUCCESS : SEV_INVALID_PLATFORM_STATE;
    case 0x00a:
        return SEV_SUCCESS;
    case 0x00c:
        return do_get_id(c);
    case 0x036:
        return do_attestation(c);
    case 0x083:
        return do_snp_status(c);
    case 0x084:
        c->f->asid_dirty = false;
        return SEV_SUCCESS;
    case 0x085:
        return do_snp_init(c);
    case 0x086:
        return do_snp_shutdown(c);
    case 0x0c7:
        return do_reclaim(c);
    case 0x0c9:
    case 0x0cb:
        return SEV_SUCCESS;
    case 0x0cd:
        consume(c, 0, le64(c->buf + 8), 432);
        return SEV_SUCCESS;
    default:
        return SEV_INVALID_COMMAND;
    }
}

static bool forced(struct fake_psp *f, uint32_t command, uint32_t *status)
{
    for (size_t i = 0; i < 4; i++) {
        struct fake_psp_answer *a = &f->answer[i];

        if (a->command != command || command == 0) {
            continue;
        }
        if (a->skip > 0) {
            a->skip--;
            continue;
        }
        *status = a->status;
        if (a->count > 0 && --a->count == 0) {
            a->command = 0;
        }
        return true;
    }
    return false;
}

static enum sev_status command(void *host, uint32_t id, void *buffer,
                               size_t size)
{
    struct fake_psp *f = host;
    struct call c = {.f = f, .command = id, .buf = buffer, .size = size};
    uint32_t status;

    if (id != 0x0c7) {
        assert_true(f->log_count < FAKE_PSP_LOG);
        f->log[f->log_count++] = id;
        f->last_size = size;
        if (size > 0) {
            memcpy(f->last, buffer, size);
        }
    }
    if (!forced(f, id, &status)) {
        status = dispatch(&c);
    }
    return (enum sev_status)status;
}

/* --- life --- */

struct fake_psp *fake_psp_new(void)
{
    static const struct port_ops ops = {
        .command = command,
        .pages_alloc = pages_alloc,
        .pages_free = pages_free,
        .read = mem_read,
        .write = mem_write,
        .rmpupdate = rmpupdate,
        .snp_initialized = snp_initialized,
    };
    struct fake_psp *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->port = (struct port){.ops = &ops, .host = f};
    f->api_major = 1;
    f->api_minor = 55;
    f->build = 29;
    f->has_snp = true;
    f->sockets = 1;
    f->rmpupdate_left = -1;
    f->memory = calloc(PAGE_COUNT, PAGE);
    f->page = calloc(PAGE_COUNT, 1);
    assert_non_null(f->memory);
    assert_non_null(f->page);
    return f;
}

void fake_psp_drop(struct fake_psp *f)
{
    free(f->memory);
    free(f->page);
    free(f);
}

void fake_psp_free(struct fake_psp *f)
{
    assert_int_equal(f->pages_out, 0);
    fake_psp_drop(f);
}

void fake_psp_answer(struct fake_psp *f, uint32_t command_id, uint32_t status,
                     unsigned int count)
{
    for (size_t i = 0; i < 4; i++) {
        if (f->answer[i].command == 0) {
            f->answer[i] = (struct fake_psp_answer){
                .command = command_id, .status = status, .count = count};
            return;
        }
    }
    fail_msg("too many forced answers");
}

void fake_psp_clear_log(struct fake_psp *f)
{
    f->log_count = 0;
    f->reclaim_count = 0;
}

void fake_psp_expect(const struct fake_psp *f, const uint32_t *commands)
{
    unsigned int n = 0;

    while (commands[n] != 0) {
        if (n >= f->log_count || f->log[n] != commands[n]) {
            fail_msg("command %u: got 0x%03x of %u, expected 0x%03x", n,
                     n < f->log_count ? f->log[n] : 0, f->log_count,
                     commands[n]);
        }
        n++;
    }
    if (n != f->log_count) {
        fail_msg("unexpected command 0x%03x after %u", f->log[n], n);
    }
}
