/* SPDX-License-Identifier: Apache-2.0 */
/* Report entries without a file system: abi/linux.md §5.2 and §5.3 row by row,
 * on a device that a test scripts and on a real guest's. */
#include "guest_fixture.h"

#include "cert_table.h"
#include "tsm_impl.h"
#include "tst_suite.h"

#include <errno.h>
#include <pthread.h>

#define REPORT_SIZE 1184u

/* --- a device that answers as told --- */

struct fake {
    int64_t result;
    uint32_t status;
    uint32_t report_size;
    uint8_t certs[0x4000];
    size_t certs_size;
    /* what the last request said */
    unsigned int calls;
    uint32_t request;
    uint8_t envelope[32];
    uint8_t req[112];
};

static int64_t fake_ioctl(void *dev, bool writable, uint32_t request,
                          uint64_t arg, struct umem *um)
{
    struct fake *f = dev;
    uint8_t resp[4000] = {0};
    uint64_t certs;
    int err;

    (void)writable;
    f->calls++;
    f->request = request;
    err = umem_read(um, arg, f->envelope, sizeof(f->envelope));
    if (err == 0) {
        err = umem_read(um, get64(f->envelope + 8), f->req, sizeof(f->req));
    }
    assert_int_equal(err, 0);
    if (f->result != 0) {
        return f->result;
    }
    put32(resp, f->status);
    put32(resp + 4, f->report_size);
    memset(resp + 32, 0x40 + (int)f->calls, sizeof(resp) - 32);
    certs = get64(f->req + 96);
    assert_int_equal(umem_write(um, get64(f->envelope + 16), resp, 4000), 0);
    assert_int_equal(umem_write(um, certs, f->certs, f->certs_size), 0);
    return 0;
}

static const struct chardev_ops FAKE_OPS = {.ioctl = fake_ioctl};

struct fx {
    struct fake fake;
    struct tsm *tsm;
    struct tsm_provider provider;
    struct tsm_entry *entry; /* "e" */
};

static struct fx *fx_new(unsigned int privlevel_floor, bool service)
{
    struct fx *fx = calloc(1, sizeof(*fx));

    assert_non_null(fx);
    fx->fake.report_size = REPORT_SIZE;
    fx->provider.dev = (struct chardev){"sev-guest", &FAKE_OPS, &fx->fake};
    fx->provider.privlevel_floor = privlevel_floor;
    fx->provider.service = service;
    fx->tsm = tsm_new();
    assert_non_null(fx->tsm);
    tsm_register(fx->tsm, &fx->provider);
    assert_int_equal(tsm_mkdir(fx->tsm, "e", &fx->entry), 0);
    return fx;
}

static int setup(void **state)
{
    *state = fx_new(0, false);
    return 0;
}

static int setup_service(void **state)
{
    *state = fx_new(1, true);
    return 0;
}

static int teardown(void **state)
{
    struct fx *fx = *state;

    tsm_put(fx->entry);
    tsm_free(fx->tsm);
    free(fx);
    return 0;
}

/* open, one write, close; what the write said */
static ssize_t put(struct tsm_entry *entry, enum tsm_attr attr, const void *buf,
                   size_t size)
{
    struct tsm_file *f;
    ssize_t n = tsm_open(entry, attr, false, true, &f);

    if (n == 0) {
        n = tsm_write(f, 0, buf, size);
        tsm_close(f);
    }
    return n;
}

static ssize_t put_text(struct tsm_entry *entry, enum tsm_attr attr,
                        const char *text)
{
    return put(entry, attr, text, strlen(text));
}

static ssize_t get(struct tsm_entry *entry, enum tsm_attr attr, void *buf,
                   size_t size)
{
    struct tsm_file *f;
    ssize_t n = tsm_open(entry, attr, true, false, &f);

    if (n == 0) {
        n = tsm_read(f, 0, buf, size);
        tsm_close(f);
    }
    return n;
}

static void put_inblob(struct tsm_entry *entry, size_t size)
{
    static const uint8_t data[TSM_INBLOB_MAX] = {1, 2, 3};

    assert_int_equal(put(entry, TSM_INBLOB, data, size), size);
}

static void assert_text(struct tsm_entry *entry, enum tsm_attr attr,
                        const char *want)
{
    char text[128] = "";
    ssize_t n = get(entry, attr, text, sizeof(text) - 1);

    assert_int_equal(n, strlen(want));
    assert_string_equal(text, want);
}

static ssize_t read_out(struct tsm_entry *entry)
{
    static uint8_t buf[TSM_BLOB_MAX + 1];

    return get(entry, TSM_OUTBLOB, buf, sizeof(buf));
}

/* --- 5.2: which attributes there are and how they open --- */

struct attr_case {
    const char *name;
    enum tsm_attr attr;
    const char *file;
    uint32_t mode;
    bool blob, service;
};

#define ATTR(id, file, mode, blob, service)                                    \
    {                                                                          \
        "attribute__" file "__as_the_kernel_has_it", id, file, mode, blob,     \
            service                                                            \
    }

static const struct attr_case ATTR_CASES[] = {
    ATTR(TSM_INBLOB, "inblob", 0200, true, false),
    ATTR(TSM_OUTBLOB, "outblob", 0444, true, false),
    ATTR(TSM_AUXBLOB, "auxblob", 0444, true, false),
    ATTR(TSM_MANIFESTBLOB, "manifestblob", 0444, true, true),
    ATTR(TSM_PROVIDER, "provider", 0444, false, false),
    ATTR(TSM_GENERATION, "generation", 0444, false, false),
    ATTR(TSM_PRIVLEVEL, "privlevel", 0200, false, false),
    ATTR(TSM_PRIVLEVEL_FLOOR, "privlevel_floor", 0444, false, false),
    ATTR(TSM_SERVICE_PROVIDER, "service_provider", 0200, false, true),
    ATTR(TSM_SERVICE_GUID, "service_guid", 0200, false, true),
    ATTR(TSM_SERVICE_MANIFEST_VERSION, "service_manifest_version", 0200, false,
         true),
};

static void test_attr(void **state)
{
    const struct attr_case *c = *state;

    assert_int_equal(tsm_attr_by_name(c->file), c->attr);
    assert_string_equal(tsm_attr_name(c->attr), c->file);
    assert_int_equal(tsm_attr_mode(c->attr), c->mode);
    assert_int_equal(tsm_attr_is_blob(c->attr), c->blob);
    for (unsigned int service = 0; service < 2; service++) {
        struct fx *fx = fx_new(0, service != 0);
        void *ended = fx;
        struct tsm_file *f;
        bool has = service != 0 || !c->service;

        assert_int_equal(tsm_entry_has(fx->entry, c->attr), has);
        for (unsigned int way = 1; way < 4; way++) {
            bool r = (way & 1) != 0, w = (way & 2) != 0;
            bool fits =
                (!r || (c->mode & 0444) != 0) && (!w || (c->mode & 0222) != 0);

            assert_int_equal(tsm_open(fx->entry, c->attr, r, w, &f),
                             !has   ? -ENOENT
                             : fits ? 0
                                    : -EACCES);
            tsm_close(f);
        }
        teardown(&ended);
    }
}

/* --- 5.3: privlevel --- */

struct number_case {
    const char *name;
    const char *text;
    unsigned int least; /* privlevel_floor */
    ssize_t result;     /* 0: taken whole */
    unsigned int value;
};

static const struct number_case NUMBER_CASES[] = {
    {"privlevel__zero__taken", "0", 0, 0, 0},
    {"privlevel__newline__taken", "3\n", 0, 0, 3},
    {"privlevel__hex__taken", "0x2", 0, 0, 2},
    {"privlevel__hex_capital__taken", "0X1\n", 0, 0, 1},
    {"privlevel__octal__taken", "02", 0, 0, 2},
    {"privlevel__plus__taken", "+1", 0, 0, 1},
    {"privlevel__at_floor__taken", "2", 2, 0, 2},
    {"privlevel__below_floor__einval", "1", 2, -EINVAL, 0},
    {"privlevel__four__einval", "4", 0, -EINVAL, 0},
    {"privlevel__largest_32_bit__einval", "4294967295", 0, -EINVAL, 0},
    {"privlevel__33_bit__erange", "4294967296", 0, -ERANGE, 0},
    {"privlevel__65_bit__erange", "18446744073709551616", 0, -ERANGE, 0},
    {"privlevel__33_bit_and_more__einval", "4294967296x", 0, -EINVAL, 0},
    {"privlevel__negative__einval", "-1", 0, -EINVAL, 0},
    {"privlevel__nothing__einval", "", 0, -EINVAL, 0},
    {"privlevel__newline_only__einval", "\n", 0, -EINVAL, 0},
    {"privlevel__two_newlines__einval", "1\n\n", 0, -EINVAL, 0},
    {"privlevel__space__einval", " 1", 0, -EINVAL, 0},
    {"privlevel__word__einval", "one", 0, -EINVAL, 0},
    {"privlevel__bare_0x__einval", "0x", 0, -EINVAL, 0},
    {"privlevel__bad_octal__einval", "08", 0, -EINVAL, 0},
    {"privlevel__binary_byte__einval", "\1", 0, -EINVAL, 0},
};

static void test_number(void **state)
{
    const struct number_case *c = *state;
    struct fx *fx = fx_new(c->least, false);
    void *ended = fx;
    ssize_t want = c->result == 0 ? (ssize_t)strlen(c->text) : c->result;

    assert_int_equal(put_text(fx->entry, TSM_PRIVLEVEL, c->text), want);
    assert_int_equal(fx->entry->desc.privlevel, c->value);
    assert_text(fx->entry, TSM_GENERATION, c->result == 0 ? "1\n" : "0\n");
    put_inblob(fx->entry, 64);
    assert_int_equal(read_out(fx->entry), REPORT_SIZE);
    assert_int_equal(get32(fx->fake.req + 64), c->value);
    teardown(&ended);
}

/* --- 5.3: what a report answers --- */

struct report_case {
    const char *name;
    int64_t result;
    uint32_t status;
    uint32_t report_size;
    ssize_t want;
};

static const struct report_case REPORT_CASES[] = {
    {"outblob__good_report__its_bytes", 0, 0, REPORT_SIZE, REPORT_SIZE},
    {"outblob__eio__eio", -EIO, 0, 0, -EIO},
    {"outblob__key_gone__enotty", -ENOTTY, 0, 0, -ENOTTY},
    {"outblob__bad_reply__ebadmsg", -EBADMSG, 0, 0, -EBADMSG},
    {"outblob__throttled__etimedout", -ETIMEDOUT, 0, 0, -ETIMEDOUT},
    {"outblob__ghcb_failure__eio", 2, 0, 0, -EIO},
    {"outblob__invalid_param__einval", 0, 0x16, REPORT_SIZE, -EINVAL},
    {"outblob__invalid_key__einval", 0, 0x27, REPORT_SIZE, -EINVAL},
    {"outblob__other_status__enxio", 0, 0x26, REPORT_SIZE, -ENXIO},
    {"outblob__status_1__enxio", 0, 1, REPORT_SIZE, -ENXIO},
    {"outblob__largest_report__its_bytes", 0, 0, 4064, 4064},
    {"outblob__too_large_report__enomem", 0, 0, 4065, -ENOMEM},
    {"outblob__huge_report__enomem", 0, 0, UINT32_MAX, -ENOMEM},
    {"outblob__empty_report__nothing", 0, 0, 0, 0},
};

static void test_report(void **state)
{
    const struct report_case *c = *state;
    struct fx *fx = fx_new(0, false);
    void *ended = fx;

    put_inblob(fx->entry, 64);
    fx->fake.result = c->result;
    fx->fake.status = c->status;
    fx->fake.report_size = c->report_size;
    assert_int_equal(read_out(fx->entry), c->want);
    /* A failed generation leaves nothing; the next read tries again. */
    fx->fake.result = 0;
    fx->fake.status = 0;
    fx->fake.report_size = REPORT_SIZE;
    assert_int_equal(read_out(fx->entry), c->want < 0 ? REPORT_SIZE : c->want);
    assert_int_equal(fx->fake.calls, c->want < 0 ? 2 : 1);
    teardown(&ended);
}

/* --- 5.3: inblob --- */

struct inblob_case {
    const char *name;
    size_t size;
    ssize_t written;
    ssize_t read;
    const char *generation;
};

static const struct inblob_case INBLOB_CASES[] = {
    {"inblob__whole__report", 64, 64, REPORT_SIZE, "1\n"},
    {"inblob__one_short__einval_at_read", 63, 63, -EINVAL, "1\n"},
    {"inblob__one_byte__einval_at_read", 1, 1, -EINVAL, "1\n"},
    {"inblob__one_long__efbig", 65, -EFBIG, -EINVAL, "1\n"},
};

static void test_inblob(void **state)
{
    const struct inblob_case *c = *state;
    struct fx *fx = fx_new(0, false);
    void *ended = fx;
    uint8_t data[65] = {9};

    assert_int_equal(put(fx->entry, TSM_INBLOB, data, c->size), c->written);
    assert_text(fx->entry, TSM_GENERATION, c->generation);
    assert_int_equal(read_out(fx->entry), c->read);
    assert_int_equal(fx->fake.calls, c->read > 0);
    teardown(&ended);
}

/* --- 5.3, one by one --- */

static void inblob__not_closed__not_committed(void **state)
{
    struct fx *fx = *state;
    uint8_t data[64] = {1};
    struct tsm_file *f;

    assert_int_equal(tsm_open(fx->entry, TSM_INBLOB, false, true, &f), 0);
    assert_int_equal(tsm_write(f, 0, data, 64), 64);
    assert_text(fx->entry, TSM_GENERATION, "0\n");
    assert_int_equal(read_out(fx->entry), -EINVAL);
    tsm_close(f);
    assert_text(fx->entry, TSM_GENERATION, "1\n");
    assert_int_equal(read_out(fx->entry), REPORT_SIZE);
}

static void inblob__written_in_pieces__one_commit(void **state)
{
    struct fx *fx = *state;
    uint8_t data[64];
    struct tsm_file *f;

    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t)i;
    }
    assert_int_equal(tsm_open(fx->entry, TSM_INBLOB, false, true, &f), 0);
    assert_int_equal(tsm_write(f, 32, data + 32, 32), 32);
    assert_int_equal(tsm_write(f, 0, data, 32), 32);
    assert_int_equal(tsm_write(f, 64, data, 1), -EFBIG);
    assert_int_equal(tsm_write(f, UINT64_MAX, data, 1), -EFBIG);
    tsm_close(f);
    assert_text(fx->entry, TSM_GENERATION, "1\n");
    assert_int_equal(read_out(fx->entry), REPORT_SIZE);
    assert_memory_equal(fx->fake.req, data, 64);
}

static void inblob__opened_and_closed__no_commit(void **state)
{
    struct fx *fx = *state;
    struct tsm_file *f;

    assert_int_equal(tsm_open(fx->entry, TSM_INBLOB, false, true, &f), 0);
    tsm_flush(f);
    tsm_close(f);
    assert_text(fx->entry, TSM_GENERATION, "0\n");
}

static void inblob__flushed_twice__one_commit(void **state)
{
    struct fx *fx = *state;
    uint8_t data[64] = {1};
    struct tsm_file *f;

    assert_int_equal(tsm_open(fx->entry, TSM_INBLOB, false, true, &f), 0);
    assert_int_equal(tsm_write(f, 0, data, 64), 64);
    tsm_flush(f);
    tsm_flush(f);
    tsm_close(f);
    assert_text(fx->entry, TSM_GENERATION, "1\n");
}

static void blob__read_after_write_on_one_file__etxtbsy(void **state)
{
    struct fx *fx = *state;
    uint8_t data[64] = {1};
    struct tsm_file *f;

    assert_int_equal(tsm_open(fx->entry, TSM_INBLOB, false, true, &f), 0);
    assert_int_equal(tsm_read(f, 0, data, 64), -EBADF);
    assert_int_equal(tsm_write(f, 0, data, 64), 64);
    assert_int_equal(tsm_read(f, 0, data, 64), -ETXTBSY);
    tsm_close(f);
    assert_int_equal(tsm_open(fx->entry, TSM_OUTBLOB, true, false, &f), 0);
    assert_int_equal(tsm_write(f, 0, data, 64), -EBADF);
    assert_int_equal(tsm_read(f, 0, data, 64), 64);
    assert_int_equal(tsm_write(f, 0, data, 64), -ETXTBSY);
    tsm_close(f);
}

static void outblob__before_inblob__einval(void **state)
{
    struct fx *fx = *state;
    uint8_t buf[16];

    assert_int_equal(read_out(fx->entry), -EINVAL);
    assert_int_equal(get(fx->entry, TSM_AUXBLOB, buf, sizeof(buf)), -EINVAL);
    tsm_register(fx->tsm, NULL);
    assert_int_equal(read_out(fx->entry), -EINVAL);
    assert_int_equal(fx->fake.calls, 0);
}

static void outblob__open_file__one_snapshot(void **state)
{
    struct fx *fx = *state;
    uint8_t first[16], second[16], other[16];
    struct tsm_file *f;

    put_inblob(fx->entry, 64);
    assert_int_equal(tsm_open(fx->entry, TSM_OUTBLOB, true, false, &f), 0);
    assert_int_equal(tsm_read(f, 0, first, 16), 16);
    put_inblob(fx->entry, 64);
    assert_int_equal(get(fx->entry, TSM_OUTBLOB, other, 16), 16);
    assert_int_equal(tsm_read(f, 16, second, 16), 16);
    assert_memory_equal(first, second, 16);
    assert_memory_not_equal(first, other, 16);
    assert_int_equal(tsm_read(f, REPORT_SIZE - 1, second, 16), 1);
    assert_int_equal(tsm_read(f, REPORT_SIZE, second, 16), 0);
    assert_int_equal(tsm_read(f, UINT64_MAX, second, 16), 0);
    tsm_close(f);
    assert_int_equal(fx->fake.calls, 2);
}

static void outblob_and_auxblob__same_inputs__one_request(void **state)
{
    struct fx *fx = *state;
    uint8_t buf[64];

    put32(fx->fake.certs, 1); /* a GUID */
    put32(fx->fake.certs + 16, 48);
    put32(fx->fake.certs + 20, 5);
    fx->fake.certs_size = 64;
    put_inblob(fx->entry, 64);
    assert_int_equal(get(fx->entry, TSM_AUXBLOB, buf, sizeof(buf)), 53);
    assert_int_equal(read_out(fx->entry), REPORT_SIZE);
    assert_int_equal(get(fx->entry, TSM_AUXBLOB, buf, sizeof(buf)), 53);
    assert_int_equal(fx->fake.calls, 1);
    assert_int_equal(put_text(fx->entry, TSM_PRIVLEVEL, "0"), 1);
    assert_int_equal(read_out(fx->entry), REPORT_SIZE);
    assert_int_equal(fx->fake.calls, 2);
}

static void request__as_the_driver_makes_it(void **state)
{
    struct fx *fx = *state;

    put_inblob(fx->entry, 64);
    assert_int_equal(put_text(fx->entry, TSM_PRIVLEVEL, "2\n"), 2);
    assert_int_equal(read_out(fx->entry), REPORT_SIZE);
    assert_int_equal(fx->fake.request, GET_EXT);
    assert_int_equal(get64(fx->fake.envelope), 1);
    assert_int_equal(get64(fx->fake.envelope + 24), 0xff);
    assert_hex_equal(fx->fake.req, "010203 00", 4);
    assert_int_equal(get32(fx->fake.req + 64), 2);
    assert_true(psp_all_zero(fx->fake.req + 68, 28));
    assert_int_equal(get32(fx->fake.req + 104), 16384);
}

static void auxblob__no_certificates__empty(void **state)
{
    struct fx *fx = *state;
    struct tsm_file *f;
    uint8_t buf[16];

    put_inblob(fx->entry, 64);
    assert_int_equal(tsm_open(fx->entry, TSM_AUXBLOB, true, false, &f), 0);
    assert_int_equal(tsm_read(f, 0, buf, 16), 0);
    assert_int_equal(tsm_read(f, 0, buf, 16), 0);
    tsm_close(f);
}

static void auxblob__table_points_outside__cut_at_16384(void **state)
{
    static uint8_t buf[TSM_BLOB_MAX];
    struct fx *fx = *state;

    put32(fx->fake.certs, 1);
    put32(fx->fake.certs + 16, 0x3fff);
    put32(fx->fake.certs + 20, 2);
    fx->fake.certs_size = 48;
    put_inblob(fx->entry, 64);
    assert_int_equal(get(fx->entry, TSM_AUXBLOB, buf, sizeof(buf)), 0x4000);
}

static void blob__over_32_kib__efbig(void **state)
{
    struct fx *fx = *state;
    uint8_t buf[16];

    put_inblob(fx->entry, 64);
    assert_int_equal(read_out(fx->entry), REPORT_SIZE);
    fx->entry->outblob.size = TSM_BLOB_MAX + 1; /* no device gives this */
    assert_int_equal(get(fx->entry, TSM_OUTBLOB, buf, 16), -EFBIG);
    fx->entry->outblob.size = REPORT_SIZE;
}

static void generation__each_accepted_write__one_more(void **state)
{
    struct fx *fx = *state;

    assert_text(fx->entry, TSM_GENERATION, "0\n");
    put_inblob(fx->entry, 64);
    assert_text(fx->entry, TSM_GENERATION, "1\n");
    assert_int_equal(put_text(fx->entry, TSM_PRIVLEVEL, "0"), 1);
    assert_text(fx->entry, TSM_GENERATION, "2\n");
    assert_int_equal(put_text(fx->entry, TSM_PRIVLEVEL, "9"), -EINVAL);
    assert_int_equal(read_out(fx->entry), REPORT_SIZE);
    assert_text(fx->entry, TSM_GENERATION, "2\n");
}

static void generation__about_to_go_round__ebusy_until_read(void **state)
{
    struct fx *fx = *state;

    put_inblob(fx->entry, 64);
    assert_int_equal(read_out(fx->entry), REPORT_SIZE);
    fx->entry->write_generation = 0; /* one behind the last read */
    assert_int_equal(put_text(fx->entry, TSM_PRIVLEVEL, "1"), -EBUSY);
    put_inblob(fx->entry, 1); /* its error is lost */
    assert_text(fx->entry, TSM_GENERATION, "0\n");
    assert_int_equal(read_out(fx->entry), REPORT_SIZE); /* 64 bytes still */
    assert_int_equal(put_text(fx->entry, TSM_PRIVLEVEL, "1"), 1);
}

static void text__offset__of_no_account(void **state)
{
    struct fx *fx = *state;
    struct tsm_file *f;

    assert_int_equal(tsm_open(fx->entry, TSM_PRIVLEVEL, false, true, &f), 0);
    assert_int_equal(tsm_write(f, 100, "1\n", 2), 2);
    assert_int_equal(tsm_write(f, 0, "2\n", 2), 2);
    assert_text(fx->entry, TSM_GENERATION, "2\n"); /* at once */
    tsm_close(f);
    assert_int_equal(fx->entry->desc.privlevel, 2);
}

static void text__long_write__4095_bytes_are_one_store(void **state)
{
    struct fx *fx = *state;
    char text[5000];
    struct tsm_file *f;

    memset(text, 'x', sizeof(text));
    assert_int_equal(tsm_open(fx->entry, TSM_SERVICE_PROVIDER, false, true, &f),
                     0);
    assert_int_equal(tsm_write(f, 0, text, sizeof(text)), 4095);
    tsm_close(f);
    assert_int_equal(strlen(fx->entry->desc.service_provider), 4095);
    assert_text(fx->entry, TSM_GENERATION, "1\n");
}

static void provider__registered__its_name_and_floor(void **state)
{
    struct fx *fx = *state;

    assert_text(fx->entry, TSM_PROVIDER, "sev_guest\n");
    assert_text(fx->entry, TSM_PRIVLEVEL_FLOOR, "0\n");
    fx->provider.privlevel_floor = 3;
    tsm_register(fx->tsm, &fx->provider);
    assert_text(fx->entry, TSM_PRIVLEVEL_FLOOR, "3\n");
}

static void no_provider__everything_that_needs_one__enxio(void **state)
{
    struct fx *fx = *state;
    char buf[16];

    put_inblob(fx->entry, 64);
    tsm_register(fx->tsm, NULL);
    assert_int_equal(get(fx->entry, TSM_PROVIDER, buf, 16), -ENXIO);
    assert_int_equal(get(fx->entry, TSM_PRIVLEVEL_FLOOR, buf, 16), -ENXIO);
    assert_int_equal(put_text(fx->entry, TSM_PRIVLEVEL, "0"), -ENXIO);
    assert_int_equal(put_text(fx->entry, TSM_PRIVLEVEL, "x"), -EINVAL);
    assert_int_equal(read_out(fx->entry), -ENXIO);
    assert_int_equal(tsm_mkdir(fx->tsm, "f", NULL), -ENXIO);
    assert_int_equal(tsm_mkdir(fx->tsm, "e", NULL), -EEXIST);
    assert_text(fx->entry, TSM_GENERATION, "1\n");
    tsm_register(fx->tsm, &fx->provider);
    assert_int_equal(read_out(fx->entry), REPORT_SIZE);
}

static void cached_report__provider_gone__still_there(void **state)
{
    struct fx *fx = *state;

    put_inblob(fx->entry, 64);
    assert_int_equal(read_out(fx->entry), REPORT_SIZE);
    tsm_register(fx->tsm, NULL);
    assert_int_equal(read_out(fx->entry), REPORT_SIZE);
    assert_int_equal(fx->fake.calls, 1);
}

static void mkdir__used_name__eexist(void **state)
{
    struct fx *fx = *state;

    assert_int_equal(tsm_mkdir(fx->tsm, "e", NULL), -EEXIST);
    assert_int_equal(tsm_rmdir(fx->tsm, "e"), 0);
    assert_int_equal(tsm_rmdir(fx->tsm, "e"), -ENOENT);
    assert_null(tsm_lookup(fx->tsm, "e"));
    assert_int_equal(tsm_mkdir(fx->tsm, "e", NULL), 0);
}

static void mkdir__name_of_256__enametoolong(void **state)
{
    struct fx *fx = *state;
    char name[257] = "";

    memset(name, 'n', 256);
    assert_int_equal(tsm_mkdir(fx->tsm, name, NULL), -ENAMETOOLONG);
    name[255] = '\0';
    assert_int_equal(tsm_mkdir(fx->tsm, name, NULL), 0);
}

static void rmdir__open_files__unread_is_gone_and_read_stays(void **state)
{
    struct fx *fx = *state;
    struct tsm_file *read, *unread, *text, *in, *priv;
    uint8_t buf[64] = {0};

    put_inblob(fx->entry, 64);
    assert_int_equal(tsm_open(fx->entry, TSM_OUTBLOB, true, false, &read), 0);
    assert_int_equal(tsm_open(fx->entry, TSM_OUTBLOB, true, false, &unread), 0);
    assert_int_equal(tsm_open(fx->entry, TSM_PROVIDER, true, false, &text), 0);
    assert_int_equal(tsm_open(fx->entry, TSM_INBLOB, false, true, &in), 0);
    assert_int_equal(tsm_open(fx->entry, TSM_PRIVLEVEL, false, true, &priv), 0);
    assert_int_equal(tsm_read(read, 0, buf, 64), 64);
    assert_int_equal(tsm_write(in, 0, buf, 64), 64);
    assert_int_equal(tsm_rmdir(fx->tsm, "e"), 0);
    assert_int_equal(tsm_read(read, 0, buf, 64), 64);
    assert_int_equal(tsm_read(unread, 0, buf, 64), -ENOENT);
    assert_int_equal(tsm_read(text, 0, buf, 64), -ENOENT);
    assert_int_equal(tsm_write(priv, 0, "1", 1), -ENOENT);
    tsm_close(in);
    assert_int_equal(fx->entry->write_generation, 1);
    tsm_close(read);
    tsm_close(unread);
    tsm_close(text);
    tsm_close(priv);
    assert_int_equal(tsm_open(fx->entry, TSM_PROVIDER, true, false, &text),
                     -ENOENT);
}

static void entries__listed_in_order__until_removed(void **state)
{
    struct fx *fx = *state;
    char name[16];
    uint64_t id = 0;
    unsigned int seen = 0;
    struct tsm_entry *entry;

    for (unsigned int i = 0; i < 3000; i++) {
        snprintf(name, sizeof(name), "n%u", i);
        assert_int_equal(tsm_mkdir(fx->tsm, name, NULL), 0);
    }
    for (unsigned int i = 0; i < 3000; i += 2) {
        snprintf(name, sizeof(name), "n%u", i);
        assert_int_equal(tsm_rmdir(fx->tsm, name), 0);
    }
    assert_int_equal(tsm_rmdir(fx->tsm, "e"), 0);
    while ((entry = tsm_next(fx->tsm, id)) != NULL) {
        struct tsm_entry *again;

        snprintf(name, sizeof(name), "n%u", 2 * seen + 1);
        assert_string_equal(tsm_entry_name(entry), name);
        assert_true(tsm_entry_id(entry) > id);
        id = tsm_entry_id(entry);
        again = tsm_by_id(fx->tsm, id);
        assert_ptr_equal(again, entry);
        tsm_put(again);
        again = tsm_lookup(fx->tsm, name);
        assert_ptr_equal(again, entry);
        tsm_put(again);
        tsm_put(entry);
        seen++;
    }
    assert_int_equal(seen, 1500);
}

/* --- where the guest's kernel is not at VMPL 0 --- */

static void service_provider__not_svsm__einval_at_read(void **state)
{
    struct fx *fx = *state;

    put_inblob(fx->entry, 64);
    assert_int_equal(put_text(fx->entry, TSM_SERVICE_PROVIDER, "other\n"), 6);
    assert_string_equal(fx->entry->desc.service_provider, "other");
    assert_text(fx->entry, TSM_GENERATION, "2\n");
    assert_int_equal(read_out(fx->entry), -EINVAL);
    assert_int_equal(put_text(fx->entry, TSM_SERVICE_PROVIDER, "svsm\n\n"), 6);
    assert_string_equal(fx->entry->desc.service_provider, "svsm\n");
    assert_int_equal(read_out(fx->entry), -EINVAL);
}

static void service_guid__text__taken_or_einval(void **state)
{
    struct fx *fx = *state;
    const char *guid = "63da758d-e664-4564-adc5-f4b93be8accd\n";

    assert_int_equal(put_text(fx->entry, TSM_SERVICE_GUID, guid), 37);
    assert_hex_equal(fx->entry->desc.service_guid,
                     "63da758de6644564adc5f4b93be8accd", 16);
    assert_int_equal(put_text(fx->entry, TSM_SERVICE_GUID, "63da758d"),
                     -EINVAL);
    assert_int_equal(put_text(fx->entry, TSM_SERVICE_GUID,
                              "63da758d-e664-4564-adc5-f4b93be8accg"),
                     -EINVAL);
    assert_text(fx->entry, TSM_GENERATION, "1\n");
}

static void service_manifest_version__number__taken_or_refused(void **state)
{
    struct fx *fx = *state;

    assert_int_equal(
        put_text(fx->entry, TSM_SERVICE_MANIFEST_VERSION, "0x10\n"), 5);
    assert_int_equal(fx->entry->desc.service_manifest_version, 16);
    assert_int_equal(put_text(fx->entry, TSM_SERVICE_MANIFEST_VERSION, "017"),
                     3);
    assert_int_equal(fx->entry->desc.service_manifest_version, 15);
    assert_int_equal(put_text(fx->entry, TSM_SERVICE_MANIFEST_VERSION, "18"),
                     2);
    assert_int_equal(put_text(fx->entry, TSM_SERVICE_MANIFEST_VERSION, "018"),
                     -EINVAL);
    assert_int_equal(fx->entry->desc.service_manifest_version, 18);
    assert_int_equal(put_text(fx->entry, TSM_SERVICE_MANIFEST_VERSION, "-1"),
                     -EINVAL);
    assert_int_equal(
        put_text(fx->entry, TSM_SERVICE_MANIFEST_VERSION, "4294967296"),
        -ERANGE);
    assert_text(fx->entry, TSM_GENERATION, "3\n");
}

static void manifestblob__no_service__empty(void **state)
{
    struct fx *fx = *state;
    uint8_t buf[16];

    assert_int_equal(get(fx->entry, TSM_MANIFESTBLOB, buf, 16), -EINVAL);
    put_inblob(fx->entry, 64);
    assert_int_equal(get(fx->entry, TSM_MANIFESTBLOB, buf, 16), 0);
}

/* --- on a real guest --- */

struct real {
    struct guest *g;
    struct tsm *tsm;
};

static int setup_real(void **state)
{
    struct real *r = calloc(1, sizeof(*r));
    struct tsm_provider provider = {.name = NULL};

    assert_non_null(r);
    r->g = guest_new(SEV_GUEST_6_13, GET_REPORT);
    provider.dev = r->g->node;
    r->tsm = tsm_new();
    assert_non_null(r->tsm);
    tsm_register(r->tsm, &provider);
    *state = r;
    return 0;
}

static int teardown_real(void **state)
{
    struct real *r = *state;

    tsm_free(r->tsm);
    guest_free(r->g);
    free(r);
    return 0;
}

static struct tsm_entry *real_entry(struct real *r, const char *name)
{
    struct tsm_entry *entry;

    assert_int_equal(tsm_mkdir(r->tsm, name, &entry), 0);
    assert_int_equal(put(entry, TSM_INBLOB, r->g->client.req, 64), 64);
    return entry;
}

static void report__same_guest_and_data__as_by_ioctl(void **state)
{
    struct real *r = *state;
    struct tsm_entry *entry = real_entry(r, "e");
    uint8_t report[REPORT_SIZE + 1];
    const uint8_t *other = r->g->client.resp + 32;

    assert_int_equal(get(entry, TSM_OUTBLOB, report, sizeof(report)),
                     REPORT_SIZE);
    assert_int_equal(guest_ioctl(r->g), 0);
    assert_int_equal(get32(r->g->client.resp), 0);
    /* The signature too: it depends on the contents alone. */
    assert_memory_equal(report, other, REPORT_SIZE);
    assert_memory_equal(report + 0x50, r->g->client.req, 64);
    tsm_put(entry);
}

static void auxblob__real_table__cut_at_its_last_certificate(void **state)
{
    static uint8_t want[0x800], got[TSM_BLOB_MAX];
    struct real *r = *state;
    uint8_t der[1000];
    struct cert_table_entry row = {.data = der, .size = sizeof(der)};
    struct tsm_entry *entry = real_entry(r, "e");
    size_t size;

    memset(der, 0x31, sizeof(der));
    memcpy(row.guid, CERT_GUID_VCEK, 16);
    size = cert_table_encode(&row, 1, want, sizeof(want));
    assert_int_equal(vm_set_certs(r->g->vm, want, sizeof(want)), 0);
    assert_int_equal(get(entry, TSM_AUXBLOB, got, sizeof(got)), size);
    assert_memory_equal(got, want, size);
    tsm_put(entry);
}

static void report__certificates_over_16_kib__eio(void **state)
{
    struct real *r = *state;
    struct tsm_entry *entry = real_entry(r, "e");

    guest_set_certs(r->g, 0x4001);
    assert_int_equal(read_out(entry), -EIO);
    assert_int_equal(vm_set_certs(r->g->vm, NULL, 0), 0);
    assert_int_equal(read_out(entry), REPORT_SIZE); /* the key lives on */
    tsm_put(entry);
}

static void report__key_wiped__enotty(void **state)
{
    struct real *r = *state;
    struct tsm_entry *entry = real_entry(r, "e");

    guest_wipe_key(r->g, 0);
    assert_int_equal(read_out(entry), -ENOTTY);
    tsm_put(entry);
}

static void report__reply_changed__ebadmsg(void **state)
{
    struct real *r = *state;
    struct tsm_entry *entry = real_entry(r, "e");

    r->g->script.flip_offset = 0x60;
    r->g->script.flip_bits = 1;
    assert_int_equal(read_out(entry), -EBADMSG);
    tsm_put(entry);
}

static void report__privlevel__is_the_reports_vmpl(void **state)
{
    struct real *r = *state;
    struct tsm_entry *entry = real_entry(r, "e");
    uint8_t report[REPORT_SIZE];

    assert_int_equal(put_text(entry, TSM_PRIVLEVEL, "3"), 1);
    assert_int_equal(get(entry, TSM_OUTBLOB, report, sizeof(report)),
                     REPORT_SIZE);
    assert_int_equal(get32(report + 0x30), 3);
    tsm_put(entry);
}

#define THREADS 8u
#define ROUNDS  12u

struct worker {
    struct real *r;
    unsigned int number;
    unsigned int good;
};

static void *work(void *arg)
{
    struct worker *w = arg;
    uint8_t in[64] = {0}, report[REPORT_SIZE];
    struct tsm_entry *entry;
    char name[32], text[8] = "";

    for (unsigned int i = 0; i < ROUNDS; i++) {
        in[0] = (uint8_t)w->number;
        in[1] = (uint8_t)i;
        snprintf(name, sizeof(name), "w%u-%u", w->number, i);
        if (tsm_mkdir(w->r->tsm, name, &entry) == 0) {
            w->good +=
                put(entry, TSM_INBLOB, in, 64) == 64 &&
                get(entry, TSM_OUTBLOB, report, REPORT_SIZE) == REPORT_SIZE &&
                memcmp(report + 0x50, in, 64) == 0 &&
                get(entry, TSM_GENERATION, text, 8) == 2 &&
                strcmp(text, "1\n") == 0 && tsm_rmdir(w->r->tsm, name) == 0;
            tsm_put(entry);
        }
    }
    return NULL;
}

static void entries__many_threads__each_its_own_report(void **state)
{
    pthread_t threads[THREADS];
    struct worker workers[THREADS];

    for (unsigned int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.r = *state, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]),
                         0);
    }
    for (unsigned int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(workers[i].good, ROUNDS);
    }
    assert_null(tsm_next(((struct real *)*state)->tsm, 0));
}

#define ON(test)  cmocka_unit_test_setup_teardown(test, setup, teardown)
#define AT1(test) cmocka_unit_test_setup_teardown(test, setup_service, teardown)
#define REAL(test)                                                             \
    cmocka_unit_test_setup_teardown(test, setup_real, teardown_real)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(inblob__not_closed__not_committed),
        ON(inblob__written_in_pieces__one_commit),
        ON(inblob__opened_and_closed__no_commit),
        ON(inblob__flushed_twice__one_commit),
        ON(blob__read_after_write_on_one_file__etxtbsy),
        ON(outblob__before_inblob__einval),
        ON(outblob__open_file__one_snapshot),
        ON(outblob_and_auxblob__same_inputs__one_request),
        ON(request__as_the_driver_makes_it),
        ON(auxblob__no_certificates__empty),
        ON(auxblob__table_points_outside__cut_at_16384),
        ON(blob__over_32_kib__efbig),
        ON(generation__each_accepted_write__one_more),
        ON(generation__about_to_go_round__ebusy_until_read),
        ON(text__offset__of_no_account),
        AT1(text__long_write__4095_bytes_are_one_store),
        ON(provider__registered__its_name_and_floor),
        ON(no_provider__everything_that_needs_one__enxio),
        ON(cached_report__provider_gone__still_there),
        ON(mkdir__used_name__eexist),
        ON(mkdir__name_of_256__enametoolong),
        ON(rmdir__open_files__unread_is_gone_and_read_stays),
        ON(entries__listed_in_order__until_removed),
        AT1(service_provider__not_svsm__einval_at_read),
        AT1(service_guid__text__taken_or_einval),
        AT1(service_manifest_version__number__taken_or_refused),
        AT1(manifestblob__no_service__empty),
        REAL(report__same_guest_and_data__as_by_ioctl),
        REAL(auxblob__real_table__cut_at_its_last_certificate),
        REAL(report__certificates_over_16_kib__eio),
        REAL(report__key_wiped__enotty),
        REAL(report__reply_changed__ebadmsg),
        REAL(report__privlevel__is_the_reports_vmpl),
        REAL(entries__many_threads__each_its_own_report),
    };
    struct tst_suite suite = {.tests = NULL};

    TST_ADD(&suite, tests);
    TST_ADD_ROWS(&suite, ATTR_CASES, test_attr);
    TST_ADD_ROWS(&suite, NUMBER_CASES, test_number);
    TST_ADD_ROWS(&suite, REPORT_CASES, test_report);
    TST_ADD_ROWS(&suite, INBLOB_CASES, test_inblob);
    return tst_suite_run(&suite, "tsm");
}
