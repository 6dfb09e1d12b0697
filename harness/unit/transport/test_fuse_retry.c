/* SPDX-License-Identifier: Apache-2.0 */
/* What a client gets when the kernel has to ask for its memory (CUSE), compared
 * with what it gets when the handler reaches the memory directly. Two machines
 * from the same seed do the same work on two copies of the memory. */
#include "test_fuse_kernel.h"

#include "null_guest.h"
#include "sim_devices.h"
#include "wire.h"

#define ARG    0x10008ull
#define REQ    0x20000ull
#define RESP   0x30004ull
#define CERTS  0x40001ull
#define BAD    0x50000ull
#define KERNEL 0xffff800000000000ull

#define GET_REPORT 0xc0205300u
#define GET_KEY    0xc0205301u
#define GET_EXT    0xc0205302u
#define SEV_ISSUE  0xc0105300u

#define FILL 0xa5

struct memory {
    uint8_t arg[32];
    uint8_t req[112];
    uint8_t resp[4096];
    uint8_t certs[0x5000];
};

struct side {
    struct sim_devices devices;
    struct memory memory;
    struct umem_array array;
};

static struct pair {
    struct side direct, asked;
    struct cuse_chains chains;
} * pair;

static void put(uint8_t *p, uint64_t v, size_t size)
{
    struct psp_wr w = psp_wr(p, size);

    for (size_t i = 0; i < size; i++) {
        psp_wr_u8(&w, (uint8_t)(v >> (8 * i)));
    }
}

static void map(struct side *s)
{
    struct memory *m = &s->memory;

    umem_array_init(&s->array);
    umem_array_map(&s->array, ARG, m->arg, sizeof(m->arg), false);
    umem_array_map(&s->array, REQ, m->req, sizeof(m->req), false);
    umem_array_map(&s->array, RESP, m->resp, sizeof(m->resp), false);
    umem_array_map(&s->array, CERTS, m->certs, sizeof(m->certs), false);
}

static int pair_new(void **state)
{
    (void)state;
    pair = calloc(1, sizeof(*pair));
    assert_non_null(pair);
    assert_int_equal(sim_devices_open(&pair->direct.devices, "milan"), 0);
    assert_int_equal(sim_devices_open(&pair->asked.devices, "milan"), 0);
    cuse_chains_init(&pair->chains);
    return 0;
}

static int pair_free(void **state)
{
    (void)state;
    cuse_chains_clear(&pair->chains);
    sim_devices_close(&pair->direct.devices);
    sim_devices_close(&pair->asked.devices);
    free(pair);
    return 0;
}

enum device { GUEST, GUEST_CERTS, SEV };

static const struct chardev *device_of(const struct side *s, enum device which)
{
    return which == GUEST         ? &s->devices.guest
           : which == GUEST_CERTS ? &s->devices.guest_certs
                                  : &s->devices.sev;
}

/* One shape of an ioctl. */
struct shape {
    const char *name;
    enum device device;
    uint32_t request;
    uint64_t arg;
    uint32_t head;       /* msg_version, or cmd */
    uint64_t first;      /* req_data, or data */
    uint64_t second;     /* resp_data */
    uint64_t words[3];   /* what the request starts with ... */
    unsigned int offset; /* ... at this offset */
    uint32_t word_sizes[3];
    unsigned int calls; /* of the server; abi/linux.md §8.3 */
    int64_t result;
    /* The kernel finds this range before the driver does: no data comes back
     * from either. */
    bool early_fault;
};

#define RAW(n, number, address, version, in, out, ...)                         \
    {                                                                          \
        .name = (n), .request = (number), .arg = (address), .head = (version), \
        .first = (in), .second = (out), __VA_ARGS__                            \
    }
#define REPORT(n, ...) RAW(n, GET_REPORT, ARG, 1, REQ, RESP, __VA_ARGS__)
#define KEY(n, ...)    RAW(n, GET_KEY, ARG, 1, REQ, RESP, __VA_ARGS__)
#define EXT(n, address, size, ...)                                             \
    RAW(n, GET_EXT, ARG, 1, REQ, RESP, .words = {(address), (size)},           \
        .offset = 96, .word_sizes = {8, 4}, __VA_ARGS__)
#define RAW_SEV(n, number, cmd, data, ...)                                     \
    RAW(n, number, ARG, cmd, data, 0, .device = SEV, __VA_ARGS__)
#define ISSUE(n, cmd, ...) RAW_SEV(n, SEV_ISSUE, cmd, REQ, __VA_ARGS__)

static const struct shape SHAPES[] = {
    REPORT("report", .calls = 3),
    REPORT("report: bad VMPL", .words = {4}, .offset = 64, .word_sizes = {4},
           .calls = 3),
    KEY("key", .calls = 3),
    KEY("key: bad VMPL", .words = {4}, .offset = 16, .word_sizes = {4},
        .calls = 3),
    EXT("extended: no certificates, none wanted", 0, 0, .calls = 4),
    EXT("extended: no certificates, room", CERTS, 4096, .calls = 4),
    EXT("extended: certificates, query", 0, 0, .device = GUEST_CERTS,
        .calls = 4, .result = -EIO),
    EXT("extended: certificates, a page too few", CERTS, 4096,
        .device = GUEST_CERTS, .calls = 4, .result = -EIO),
    EXT("extended: certificates", CERTS, 8192, .device = GUEST_CERTS,
        .calls = 4),
    EXT("extended: certificates, much room", CERTS, 16384,
        .device = GUEST_CERTS, .calls = 4),
    EXT("extended: too much room", CERTS, 20480, .calls = 3, .result = -EINVAL),
    EXT("extended: broken page", CERTS, 4097, .calls = 3, .result = -EINVAL),
    EXT("extended: room in the kernel", KERNEL, 4096, .calls = 3,
        .result = -EFAULT),
    EXT("extended: room unmapped", BAD, 4096, .calls = 4, .result = -EFAULT),
    RAW("version 0", GET_REPORT, ARG, 0, REQ, RESP, .calls = 2,
        .result = -EINVAL),
    RAW("unknown request", 0xc0205303u, ARG, 1, REQ, RESP, .calls = 3,
        .result = -ENOTTY),
    RAW("request without a size", 0x5401u, ARG, 1, REQ, RESP, .calls = 3,
        .result = -ENOTTY),
    RAW("no request", GET_REPORT, ARG, 1, 0, RESP, .calls = 3,
        .result = -EINVAL),
    RAW("no response", GET_REPORT, ARG, 1, REQ, 0, .calls = 3,
        .result = -EINVAL),
    RAW("request in the kernel", GET_REPORT, ARG, 1, KERNEL, RESP, .calls = 3,
        .result = -EFAULT),
    RAW("response in the kernel", GET_REPORT, ARG, 1, REQ, KERNEL, .calls = 3,
        .result = -EFAULT),
    RAW("request unmapped", GET_REPORT, ARG, 1, BAD, RESP, .calls = 2,
        .result = -EFAULT, .early_fault = true),
    RAW("response unmapped", GET_REPORT, ARG, 1, REQ, BAD, .calls = 3,
        .result = -EFAULT),
    RAW("key: response unmapped", GET_KEY, ARG, 1, REQ, BAD, .calls = 3,
        .result = -EFAULT),
    RAW("envelope unmapped", GET_REPORT, BAD, 1, REQ, RESP, .calls = 1,
        .result = -EFAULT, .early_fault = true),
    REPORT("report after all that", .calls = 3),

    ISSUE("sev: status", 1, .calls = 3),
    RAW_SEV("sev: status, null", SEV_ISSUE, 1, 0, .calls = 3,
            .result = -EFAULT),
    ISSUE("sev: number too large", 99, .calls = 2, .result = -EINVAL),
    RAW_SEV("sev: other request", 0xc0105301u, 1, REQ, .calls = 1,
            .result = -EINVAL),
    ISSUE("sev: PDH_GEN", 4, .calls = 2),
    ISSUE("sev: CSR, query", 3, .calls = 3, .result = -EIO),
    ISSUE("sev: CSR", 3, .words = {RESP, 4096}, .word_sizes = {8, 4},
          .calls = 4),
    ISSUE("sev: CSR, short", 3, .words = {RESP, 2083}, .word_sizes = {8, 4},
          .calls = 4, .result = -EIO),
    ISSUE("sev: CSR, too long", 3, .words = {RESP, 16385}, .word_sizes = {8, 4},
          .calls = 3, .result = -EFAULT),
    ISSUE("sev: PDH_CERT_EXPORT, query", 5, .calls = 3, .result = -EIO),
    ISSUE("sev: GET_ID2, query", 8, .calls = 3, .result = -EIO),
    ISSUE("sev: GET_ID2", 8, .words = {RESP, 64}, .word_sizes = {8, 4},
          .calls = 4),
    ISSUE("sev: SNP status", 9, .calls = 3),
};

static void prepare(struct side *s, const struct shape *shape)
{
    struct memory *m = &s->memory;
    uint8_t *at = m->req + shape->offset;
    bool sev = shape->device == SEV;

    memset(m, FILL, sizeof(*m));
    memset(m->req, 0, sizeof(m->req));
    put(m->arg, shape->head, 4);
    put(m->arg + (sev ? 4 : 8), shape->first, 8);
    if (!sev) {
        put(m->arg + 16, shape->second, 8);
    }
    for (size_t i = 0; i < 3 && shape->word_sizes[i] != 0; i++) {
        put(at, shape->words[i], shape->word_sizes[i]);
        at += shape->word_sizes[i];
    }
    map(s);
}

static void shape__by_retries__as_directly(void **state)
{
    const struct shape *shape = *state;
    struct kernel k = {
        .memory = &pair->asked.array,
        .chains = &pair->chains,
        .tid = 7,
        .writable = true,
    };
    struct memory before;
    int64_t direct;
    int asked;

    prepare(&pair->direct, shape);
    prepare(&pair->asked, shape);
    before = pair->asked.memory;
    direct = umem_array_ioctl(&pair->direct.array,
                              device_of(&pair->direct, shape->device), true,
                              shape->request, shape->arg);
    asked = kernel_ioctl(&k, device_of(&pair->asked, shape->device),
                         shape->request, shape->arg);
    assert_int_equal(direct, shape->result);
    assert_int_equal(asked, shape->result);
    assert_false(pair->direct.array.broke_plan);
    assert_memory_equal(&pair->asked.memory,
                        shape->early_fault ? &before : &pair->direct.memory,
                        sizeof(before));
    assert_int_equal(k.calls, shape->calls);
    if (shape->early_fault) {
        cuse_chains_begin(&pair->chains, &(struct cuse_key){.tid = 7});
    }
    assert_int_equal(pair->chains.count, 0);
}

/* What the kernel was told in each call of an ioctl. */
struct plans {
    struct cuse_plan at[4];
    unsigned int calls;
};

static void note_plan(struct kernel *k, unsigned int calls)
{
    struct plans *p = k->ctx;

    assert_true(calls <= 4);
    p->at[calls - 1] = k->last;
    p->calls = calls;
}

/* Benchmarks subtract what it costs. */
static void null_guest__beside_a_report__same_ranges_in_each_call(void **state)
{
    struct null_guest null = {.delay_ms = 0};
    const struct chardev dev[2] = {pair->asked.devices.guest,
                                   null_guest_chardev(&null)};
    struct plans *plans = calloc(2, sizeof(*plans));
    size_t reply[2];

    (void)state;
    assert_non_null(plans);
    for (size_t i = 0; i < 2; i++) {
        struct kernel k = {.memory = &pair->asked.array,
                           .chains = &pair->chains,
                           .tid = 7,
                           .between = note_plan,
                           .ctx = &plans[i]};

        prepare(&pair->asked, &SHAPES[0]);
        assert_int_equal(kernel_ioctl(&k, &dev[i], GET_REPORT, ARG), 0);
        assert_int_equal(k.calls, 3);
        reply[i] = k.reply;
    }
    assert_memory_equal(&plans[0], &plans[1], sizeof(*plans));
    assert_int_equal(reply[0], reply[1]);
    assert_int_equal(pair->asked.memory.resp[0], 3); /* runs */
    assert_int_equal(pair->asked.memory.resp[8], 1);
    free(plans);
}

/* --- a device of their own --- */

/* Reads a struct of up to four ranges {address, size} (size 0: none), copies
 * the first to the second, each byte plus one, and counts what it did. */
struct toy {
    unsigned int runs, done;
    size_t in_ranges, out_ranges; /* more of them, for limits */
    size_t range_size;
    bool hole; /* write the second of two planned ranges only */
};

#define TOY_FROM 0x100000ull
#define TOY_TO   0x200000ull

static int toy_extra(const struct toy *toy, struct umem *um)
{
    uint8_t buf[4096];
    int err = 0;

    for (size_t i = 0; i < toy->in_ranges && err == 0; i++) {
        err =
            umem_read(um, TOY_FROM + i * toy->range_size, buf, toy->range_size);
    }
    for (size_t i = 0; i < toy->out_ranges && err == 0; i++) {
        err =
            umem_plan_write(um, TOY_TO + i * toy->range_size, toy->range_size);
    }
    return err;
}

static int64_t toy_ioctl(void *dev, bool writable, uint32_t request,
                         uint64_t arg, struct umem *um)
{
    uint8_t head[16], bytes[8] = {0};
    struct toy *toy = dev;
    struct psp_rd r = psp_rd(head, sizeof(head));
    uint64_t from, to;
    int err;

    (void)request;
    toy->runs++;
    err = umem_read(um, arg, head, sizeof(head));
    if (err != 0) {
        return err;
    }
    from = psp_rd_le64(&r);
    to = psp_rd_le64(&r);
    err = umem_read(um, from, bytes, sizeof(bytes));
    if (err == 0) {
        err = umem_plan_write(um, to, sizeof(bytes));
    }
    if (err == 0) {
        err = toy_extra(toy, um);
    }
    if (err == 0) {
        err = umem_commit(um);
    }
    if (err != 0) {
        return err;
    }
    toy->done++;
    if (toy->hole) {
        return umem_write(um, TOY_TO, bytes, sizeof(bytes));
    }
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i]++;
    }
    err = umem_write(um, to, bytes, sizeof(bytes));
    return err != 0 ? err : writable;
}

static const struct chardev_ops TOY_OPS = {.ioctl = toy_ioctl};

struct toy_client {
    uint8_t head[16];
    uint8_t a[8], b[8], c[8];
    uint8_t *from, *to;
    struct umem_array array;
    struct toy toy;
    struct chardev dev;
    struct cuse_chains chains;
    struct kernel k;
};

#define TOY_ARG  0x1000ull
#define TOY_A    0x2000ull
#define TOY_B    0x3000ull
#define TOY_C    0x4000ull
#define TOY_ROOM (1u << 20)

static struct toy_client *toy_new(void)
{
    struct toy_client *t = calloc(1, sizeof(*t));

    assert_non_null(t);
    put(t->head, TOY_A, 8);
    put(t->head + 8, TOY_C, 8);
    memset(t->a, 1, sizeof(t->a));
    memset(t->b, 0x81, sizeof(t->b));
    t->from = calloc(1, TOY_ROOM);
    t->to = calloc(1, TOY_ROOM);
    umem_array_init(&t->array);
    umem_array_map(&t->array, TOY_ARG, t->head, sizeof(t->head), false);
    umem_array_map(&t->array, TOY_A, t->a, sizeof(t->a), false);
    umem_array_map(&t->array, TOY_B, t->b, sizeof(t->b), false);
    umem_array_map(&t->array, TOY_C, t->c, sizeof(t->c), false);
    umem_array_map(&t->array, TOY_FROM, t->from, TOY_ROOM, false);
    umem_array_map(&t->array, TOY_TO, t->to, TOY_ROOM, false);
    t->dev = (struct chardev){"toy", &TOY_OPS, &t->toy};
    cuse_chains_init(&t->chains);
    t->k = (struct kernel){
        .memory = &t->array, .chains = &t->chains, .tid = 3, .ctx = t};
    return t;
}

static void toy_free(struct toy_client *t)
{
    cuse_chains_clear(&t->chains);
    free(t->from);
    free(t->to);
    free(t);
}

static int toy_run(struct toy_client *t)
{
    return kernel_ioctl(&t->k, &t->dev, 0x5a00, TOY_ARG);
}

static void work__several_calls__done_once_in_the_last(void **state)
{
    struct toy_client *t = toy_new();
    static const uint8_t want[8] = {2, 2, 2, 2, 2, 2, 2, 2};

    (void)state;
    t->k.writable = true;
    assert_int_equal(toy_run(t), 1);
    assert_int_equal(t->toy.done, 1);
    assert_int_equal(t->toy.runs, t->k.calls);
    assert_true(t->k.calls > 2);
    assert_memory_equal(t->c, want, 8);
    assert_int_equal(t->chains.count, 0);
    t->k.writable = false;
    assert_int_equal(toy_run(t), 0);
    toy_free(t);
}

/* ctx: after which call to point the client's struct elsewhere. */
static unsigned int change_after;

static void change_address(struct kernel *k, unsigned int calls)
{
    struct toy_client *t = k->ctx;

    if (calls == change_after) {
        put(t->head, TOY_B, 8);
    }
}

static void change_target(struct kernel *k, unsigned int calls)
{
    struct toy_client *t = k->ctx;

    if (calls == change_after) {
        put(t->head + 8, TOY_A, 8);
    }
}

static void address__changed_between_calls__efault_and_nothing_done(void **s)
{
    (void)s;
    for (unsigned int i = 0; i < 2; i++) {
        struct toy_client *t = toy_new();

        t->k.between = i == 0 ? change_address : change_target;
        /* after call 2 the nested range was granted */
        change_after = i == 0 ? 2 : 3;
        assert_int_equal(toy_run(t), -EFAULT);
        assert_int_equal(t->toy.done, 0);
        assert_int_equal(t->c[0], 0);
        toy_free(t);
    }
}

static void address__changed_before_it_was_used__taken_as_it_is(void **state)
{
    struct toy_client *t = toy_new();

    (void)state;
    t->k.between = change_address;
    change_after = 1;
    assert_int_equal(toy_run(t), 0);
    assert_int_equal(t->c[0], 0x82);
    toy_free(t);
}

static void bytes__changed_between_calls__as_at_the_last(void **state)
{
    struct toy_client *t = toy_new();
    int result = 0;

    (void)state;
    kernel_begin(&t->k, 1, TOY_ARG);
    while (!kernel_call(&t->k, &t->dev, &result)) {
        memset(t->a, (int)(0x10 + t->k.calls), sizeof(t->a));
        assert_true(kernel_gather(&t->k));
    }
    kernel_end(&t->k);
    assert_int_equal(t->c[0], 0x10 + t->k.calls - 1 + 1);
    toy_free(t);
}

static void
client__dead_between_calls__forgotten_when_its_number_returns(void **state)
{
    struct toy_client *t = toy_new();
    int result;

    (void)state;
    kernel_begin(&t->k, 1, TOY_ARG);
    assert_false(kernel_call(&t->k, &t->dev, &result));
    assert_true(kernel_gather(&t->k));
    assert_false(kernel_call(&t->k, &t->dev, &result));
    kernel_end(&t->k);
    assert_int_equal(t->chains.count, 1);
    assert_int_equal(toy_run(t), 0);
    assert_int_equal(t->chains.count, 0);
    assert_int_equal(t->toy.done, 1);
    toy_free(t);
}

static void chains__of_very_many_dead_clients__bounded(void **state)
{
    struct toy_client *t = toy_new();
    int result;

    (void)state;
    for (pid_t tid = 1; tid <= (pid_t)CUSE_CHAINS_MAX + 50; tid++) {
        t->k.tid = tid;
        kernel_begin(&t->k, 1, TOY_ARG);
        assert_false(kernel_call(&t->k, &t->dev, &result));
    }
    assert_int_equal(t->chains.count, CUSE_CHAINS_MAX);
    toy_free(t);
}

static void chain__dropped_in_the_middle__starts_again(void **state)
{
    struct toy_client *t = toy_new();
    struct cuse_key key = {.tid = 3};
    int result = -1;

    (void)state;
    kernel_begin(&t->k, 1, TOY_ARG);
    assert_false(kernel_call(&t->k, &t->dev, &result));
    assert_true(kernel_gather(&t->k));
    cuse_chains_begin(&t->chains, &key); /* forgets it */
    while (!kernel_call(&t->k, &t->dev, &result)) {
        assert_true(kernel_gather(&t->k));
    }
    kernel_end(&t->k);
    assert_int_equal(result, 0);
    assert_int_equal(t->toy.done, 1);
    toy_free(t);
}

/* Two clients whose numbers cannot be seen, with the same argument address on
 * one file, one call of each in turns. */
static void clients__of_another_pid_namespace__kept_apart(void **state)
{
    struct toy_client *x = toy_new();
    struct toy_client *y = toy_new();
    int rx = 1, ry = 1;
    bool done_x = false, done_y = false;

    (void)state;
    put(y->head, TOY_B, 8);
    x->k.tid = y->k.tid = 0;
    y->k.chains = x->k.chains;
    kernel_begin(&x->k, 1, TOY_ARG);
    kernel_begin(&y->k, 1, TOY_ARG);
    while (!done_x || !done_y) {
        if (!done_x) {
            done_x = kernel_call(&x->k, &x->dev, &rx);
            assert_true(done_x || kernel_gather(&x->k));
        }
        if (!done_y) {
            done_y = kernel_call(&y->k, &y->dev, &ry);
            assert_true(done_y || kernel_gather(&y->k));
        }
    }
    kernel_end(&x->k);
    kernel_end(&y->k);
    assert_int_equal(rx, 0);
    assert_int_equal(ry, 0);
    assert_int_equal(x->c[0], 2);
    assert_int_equal(y->c[0], 0x82);
    assert_int_equal(x->chains.count, 0);
    toy_free(x);
    toy_free(y);
}

static void threads__interleaved_on_one_file__kept_apart(void **state)
{
    struct toy_client *t[3];
    int result = 1;

    (void)state;
    for (int i = 0; i < 3; i++) {
        t[i] = toy_new();
        t[i]->k.tid = 100 + i;
        t[i]->k.chains = &t[0]->chains;
        memset(t[i]->a, 10 * i, 8);
        kernel_begin(&t[i]->k, 1, TOY_ARG);
    }
    for (int done = 0; done < 3;) {
        for (int i = 0; i < 3; i++) {
            if (kernel_call(&t[i]->k, &t[i]->dev, &result)) {
                assert_int_equal(result, 0);
                assert_int_equal(t[i]->c[0], 10 * i + 1);
                done++;
            } else {
                assert_true(kernel_gather(&t[i]->k));
            }
        }
    }
    for (int i = 2; i >= 0; i--) {
        kernel_end(&t[i]->k);
        toy_free(t[i]);
    }
}

/* --- limits --- */

struct limit {
    const char *name;
    size_t in_ranges, out_ranges, range_size;
    int result;
};

/* The struct and what it points to are two ranges of 16 + 8 bytes in, one of 8
 * bytes out. */
static const struct limit LIMITS[] = {
    {"limits: 256 ranges", 0, 253, 8, 0},
    {"limits: 257 ranges", 0, 254, 8, -ENOMEM},
    {"limits: 256 ranges of both kinds", 100, 153, 8, 0},
    {"limits: 257 ranges of both kinds", 101, 153, 8, -ENOMEM},
    {"limits: 128 KiB less a little out", 0, 31, 4096, 0},
    {"limits: 128 KiB and a little out", 0, 32, 4096, -ENOMEM},
    {"limits: 128 KiB less a little in", 31, 0, 4096, 0},
    {"limits: 128 KiB and a little in", 32, 0, 4096, -ENOMEM},
};

static void limits__row__kernel_is_never_asked_for_more(void **state)
{
    const struct limit *l = *state;
    struct toy_client *t = toy_new();
    struct toy *toy = &t->toy;
    int result = 1;

    toy->in_ranges = l->in_ranges;
    toy->out_ranges = l->out_ranges;
    toy->range_size = l->range_size;
    kernel_begin(&t->k, 1, TOY_ARG);
    while (!kernel_call(&t->k, &t->dev, &result)) {
        assert_true(kernel_gather(&t->k));
    }
    kernel_end(&t->k);
    assert_int_equal(result, l->result);
    assert_int_equal(toy->done, l->result == 0);
    toy_free(t);
}

static void plan__not_filled_in_order__efault_and_no_shifted_bytes(void **state)
{
    struct toy_client *t = toy_new();

    (void)state;
    t->toy.out_ranges = 1;
    t->toy.range_size = 8;
    t->toy.hole = true;
    assert_int_equal(toy_run(t), -EFAULT);
    assert_int_equal(t->k.reply, 0);
    assert_int_equal(t->c[0], 0);
    toy_free(t);
}

/* --- answers --- */

static int64_t wide_ioctl(void *dev, bool writable, uint32_t request,
                          uint64_t arg, struct umem *um)
{
    (void)writable;
    (void)arg;
    (void)um;
    *(uint32_t *)dev = request;
    return -524;
}

static const struct chardev_ops WIDE_OPS = {.ioctl = wide_ioctl};

static void answer__errno_above_511_and_high_request__as_they_are(void **state)
{
    struct toy_client *t = toy_new();
    uint32_t seen = 0;
    const struct chardev dev = {"wide", &WIDE_OPS, &seen};

    (void)state;
    assert_int_equal(kernel_ioctl(&t->k, &dev, 0xc0105300u, 0), -524);
    assert_int_equal(seen, 0xc0105300u);
    toy_free(t);
}

static int64_t stuck_ioctl(void *dev, bool writable, uint32_t request,
                           uint64_t arg, struct umem *um)
{
    (void)dev;
    (void)writable;
    (void)request;
    (void)arg;
    (void)um;
    return UMEM_RETRY;
}

static const struct chardev_ops STUCK_OPS = {.ioctl = stuck_ioctl};

static void answer__retry_without_a_question__eio(void **state)
{
    const struct chardev dev = {"stuck", &STUCK_OPS, NULL};
    struct toy_client *t = toy_new();

    (void)state;
    assert_int_equal(kernel_ioctl(&t->k, &dev, 0, 0), -EIO);
    toy_free(t);
}

#define ROWS(array) (sizeof(array) / sizeof((array)[0]))

int main(void)
{
    static struct CMUnitTest tests[ROWS(SHAPES) + ROWS(LIMITS) + 16];
    const struct CMUnitTest plain[] = {
        cmocka_unit_test(null_guest__beside_a_report__same_ranges_in_each_call),
        cmocka_unit_test(work__several_calls__done_once_in_the_last),
        cmocka_unit_test(
            address__changed_between_calls__efault_and_nothing_done),
        cmocka_unit_test(address__changed_before_it_was_used__taken_as_it_is),
        cmocka_unit_test(bytes__changed_between_calls__as_at_the_last),
        cmocka_unit_test(
            client__dead_between_calls__forgotten_when_its_number_returns),
        cmocka_unit_test(chains__of_very_many_dead_clients__bounded),
        cmocka_unit_test(chain__dropped_in_the_middle__starts_again),
        cmocka_unit_test(clients__of_another_pid_namespace__kept_apart),
        cmocka_unit_test(threads__interleaved_on_one_file__kept_apart),
        cmocka_unit_test(
            plan__not_filled_in_order__efault_and_no_shifted_bytes),
        cmocka_unit_test(answer__errno_above_511_and_high_request__as_they_are),
        cmocka_unit_test(answer__retry_without_a_question__eio),
    };
    size_t n = 0;

    for (size_t i = 0; i < ROWS(SHAPES); i++) {
        tests[n++] = (struct CMUnitTest){
            .name = SHAPES[i].name,
            .test_func = shape__by_retries__as_directly,
            .initial_state = tst_dup(&SHAPES[i], sizeof(SHAPES[i])),
        };
    }
    for (size_t i = 0; i < ROWS(LIMITS); i++) {
        tests[n++] = (struct CMUnitTest){
            .name = LIMITS[i].name,
            .test_func = limits__row__kernel_is_never_asked_for_more,
            .initial_state = tst_dup(&LIMITS[i], sizeof(LIMITS[i])),
        };
    }
    for (size_t i = 0; i < ROWS(plain); i++) {
        tests[n++] = plain[i];
    }
    n = (size_t)_cmocka_run_group_tests("fuse_retry", tests, n, pair_new,
                                        pair_free);
    for (size_t i = 0; i < ROWS(tests); i++) {
        free(tests[i].initial_state);
    }
    return (int)n;
}
