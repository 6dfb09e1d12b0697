/* SPDX-License-Identifier: Apache-2.0 */
/**
 * One row = one ioctl on /dev/sev: the world before, the call, and everything
 * that may be observed afterwards (result, `error`, every byte of user memory,
 * the commands that reached the firmware, the platform's states). Each row runs
 * twice: memory reached directly, and by retries.
 */
#ifndef CCP_ROWS_H
#define CCP_ROWS_H

#include "ccp.h"
#include "fake_psp.h"
#include "fake_user.h"
#include "tst.h"
#include "wire.h"

#include <errno.h>

/* User memory. Every range has pattern bytes around what the call uses. */
#define ENVELOPE 0x10010ull
#define U        0x20010ull /* the inner struct */
#define B0       0x30010ull
#define B1       0x40010ull
#define RO       0x50010ull /* readable only */
#define BAD      0x90000ull /* not mapped */
#define KERNEL   0xffff888000001000ull

#define KEEP  0x5a5a5a5au /* `error` as the caller left it */
#define NO_FW 0xffffffffu

/* Firmware commands, as they appear in the log. */
#define F_INIT         0x001u
#define F_SHUTDOWN     0x002u
#define F_RESET        0x003u
#define F_STATUS       0x004u
#define F_PEK_GEN      0x005u
#define F_CSR          0x006u
#define F_IMPORT       0x007u
#define F_EXPORT       0x008u
#define F_PDH_GEN      0x009u
#define F_FLUSH        0x00au
#define F_GET_ID       0x00cu
#define F_INIT_EX      0x00du
#define F_REPORT       0x036u
#define F_SNP_STATUS   0x083u
#define F_SNP_FLUSH    0x084u
#define F_SNP_INIT     0x085u
#define F_SNP_SHUTDOWN 0x086u
#define F_SNP_CONFIG   0x0c9u
#define F_SNP_COMMIT   0x0cbu
#define F_SNP_VLEK     0x0cdu

enum legacy { INIT, UNINIT, WORKING }; /* zero: the usual world */
enum snp { UP, DOWN, NONE };
enum after { SAME, NOW_INIT, NOW_UNINIT };

struct row_blob {
    uint64_t addr;
    unsigned int buffer;
    size_t size;  /* bytes that the firmware made */
    size_t zeros; /* and that many after them */
};

struct ccp_row {
    const char *name;
    /* The world before. */
    enum ccp_era era;
    enum ccp_abi abi;
    enum ccp_after_init after_init;
    bool strict, auto_report;
    enum legacy legacy;
    enum snp snp;
    uint8_t api_major, api_minor; /* 0.0: 1.55 */
    unsigned int sockets;         /* 0: one */
    struct fake_psp_answer force[2];
    enum ccp_fault fault;
    int rmpupdates; /* n: after n - 1 of them the RMP refuses; 0: never */
    size_t alloc_max;
    /* The call. */
    bool ro; /* file opened read-only */
    uint32_t cmd;
    uint64_t data;   /* 0: U, ~0: NULL, else as is */
    const char *fmt; /* inner struct: '8', '4' or '1' per field */
    uint64_t v[6];
    /* What is seen. */
    int result;
    uint32_t error;
    bool back;        /* the inner struct was written, with: */
    const char *ofmt; /* NULL: fmt */
    uint64_t o[6];
    struct row_blob blob[2];
    uint32_t log[8];
    enum after after;
    bool snp_after_set; /* else as before */
    bool snp_after;
    bool direct_only; /* a retrying kernel cannot do this; see the row */
};

struct row_run {
    const struct ccp_row *row;
    bool retry;
    char name[160];
};

static inline size_t row_pack(const char *fmt, const uint64_t *v, uint8_t *out)
{
    struct psp_wr w = psp_wr(out, 64);

    for (size_t i = 0; fmt != NULL && fmt[i] != '\0'; i++) {
        switch (fmt[i]) {
        case '8':
            psp_wr_le64(&w, v[i]);
            break;
        case '4':
            psp_wr_le32(&w, (uint32_t)v[i]);
            break;
        default:
            psp_wr_u8(&w, (uint8_t)v[i]);
            break;
        }
    }
    assert_true(w.pos <= w.size);
    return w.pos;
}

static inline void row_envelope(uint8_t out[16], uint32_t cmd, uint64_t data,
                                uint32_t error)
{
    struct psp_wr w = psp_wr(out, 16);

    psp_wr_le32(&w, cmd);
    psp_wr_le64(&w, data);
    psp_wr_le32(&w, error);
}

static inline void row_map(struct fake_user *u, bool retry)
{
    fake_user_init(u, retry);
    fake_user_map(u, ENVELOPE - 0x10, 0x40, true, true);
    fake_user_map(u, U - 0x10, 0x80, true, true);
    fake_user_map(u, B0 - 0x10, 0x4100, true, true);
    fake_user_map(u, B1 - 0x10, 0x4100, true, true);
    fake_user_map(u, RO - 0x10, 0x4100, true, false);
}

static inline struct fake_psp *row_psp(const struct ccp_row *row)
{
    struct fake_psp *f = fake_psp_new();

    if (row->api_major != 0 || row->api_minor != 0) {
        f->api_major = row->api_major;
        f->api_minor = row->api_minor;
    }
    f->sockets = row->sockets == 0 ? 1 : row->sockets;
    f->has_snp = row->snp != NONE;
    f->snp_up = row->snp == UP;
    f->state = row->legacy == UNINIT ? 0 : 1;
    f->es = f->state != 0;
    return f;
}

static inline struct ccp_dev *row_probe(const struct ccp_row *row,
                                        struct fake_psp *f)
{
    struct psp_profile profile = *psp_profile_by_name("milan");
    struct ccp_config config;
    struct ccp_dev *dev = NULL;

    ccp_config_default(&config);
    config.era = row->era;
    config.abi = row->abi;
    config.after_init = row->after_init;
    config.strict = row->strict;
    config.auto_report = row->auto_report;
    config.start_uninit = true;
    profile.has_snp = f->has_snp;
    profile.socket_count = f->sockets;
    assert_int_equal(ccp_probe_port(&f->port, &profile, &config, &dev), 0);
    return dev;
}

/* What goes wrong in this row starts after the probe. */
static inline void row_trouble(const struct ccp_row *row, struct fake_psp *f,
                               struct ccp_dev *dev)
{
    fake_psp_clear_log(f);
    if (row->legacy == WORKING) {
        f->state = 2;
        f->handle = 7;
    }
    memcpy(f->answer, row->force, sizeof(row->force));
    f->rmpupdate_left = row->rmpupdates - 1;
    f->alloc_max = row->alloc_max;
    ccp_set_fault(dev, row->fault);
}

static inline void row_expect_blobs(const struct ccp_row *row,
                                    struct fake_user *u)
{
    for (unsigned int i = 0; i < 2; i++) {
        const struct row_blob *b = &row->blob[i];
        uint8_t *bytes = calloc(1, b->size + b->zeros + 1);
        uint32_t command = 0;

        for (unsigned int k = 0; k < 8 && row->log[k] != 0; k++) {
            const uint32_t id = row->log[k];

            if (id == F_CSR || id == F_EXPORT || id == F_GET_ID ||
                id == F_REPORT || id == F_SNP_STATUS) {
                command = id;
            }
        }
        for (size_t k = 0; k < b->size; k++) {
            bytes[k] = fake_psp_byte(command, b->buffer, k);
        }
        if (b->size + b->zeros > 0) {
            if (command == F_SNP_STATUS) {
                bytes[2] = row->snp == UP;
            }
            fake_user_expect(u, b->addr, bytes, b->size + b->zeros);
        }
        free(bytes);
    }
}

static inline void row_check_after(const struct ccp_row *row,
                                   const struct fake_psp *f)
{
    uint8_t state = row->legacy == UNINIT ? 0 : row->legacy == INIT ? 1 : 2;
    bool snp = row->snp == UP;

    if (row->after == NOW_INIT) {
        state = 1;
    } else if (row->after == NOW_UNINIT) {
        state = 0;
    }
    if (row->snp_after_set) {
        snp = row->snp_after;
    }
    assert_int_equal(f->state, state);
    assert_int_equal(f->snp_up, snp);
}

static inline void row_test(void **state)
{
    const struct row_run *run = *state;
    const struct ccp_row *row = run->row;
    const uint64_t data = row->data == 0            ? U
                          : row->data == UINT64_MAX ? 0
                                                    : row->data;
    struct fake_psp *f = row_psp(row);
    struct ccp_dev *dev = row_probe(row, f);
    const struct chardev chardev = ccp_chardev(dev);
    struct fake_user u;
    uint8_t bytes[64];
    size_t size;

    row_map(&u, run->retry);
    row_envelope(bytes, row->cmd, data, KEEP);
    fake_user_put(&u, ENVELOPE, bytes, 16);
    size = row_pack(row->fmt, row->v, bytes);
    if (data != BAD && data != 0 && data < KERNEL) {
        fake_user_put(&u, data, bytes, size);
    }
    row_trouble(row, f, dev);

    assert_int_equal(
        fake_user_ioctl(&u, &chardev, !row->ro, 0xc0105300u, ENVELOPE),
        row->result);

    row_envelope(bytes, row->cmd, data, row->error);
    fake_user_expect(&u, ENVELOPE, bytes, 16);
    if (row->back) {
        size =
            row_pack(row->ofmt != NULL ? row->ofmt : row->fmt, row->o, bytes);
        fake_user_expect(&u, data, bytes, size);
    }
    row_expect_blobs(row, &u);
    fake_user_check(&u);
    fake_psp_expect(f, row->log);
    row_check_after(row, f);
    fake_user_clear(&u);
    ccp_remove(dev);
    fake_psp_free(f);
}

/** One cmocka test per row and mode, after the @more tests given. */
static inline int rows_run(const char *group, const struct ccp_row *rows,
                           size_t row_count, const struct CMUnitTest *more,
                           size_t more_count)
{
    struct CMUnitTest *tests =
        calloc(more_count + 2 * row_count, sizeof(*tests));
    struct row_run *runs = calloc(2 * row_count, sizeof(*runs));
    size_t n = 0;
    size_t k = 0;
    int failed;

    for (; n < more_count; n++) {
        tests[n] = more[n];
    }
    for (size_t i = 0; i < 2 * row_count; i++) {
        const struct ccp_row *row = &rows[i / 2];
        struct row_run *run = &runs[k];

        if (row->direct_only && i % 2 == 1) {
            continue;
        }
        run->row = row;
        run->retry = i % 2 == 1;
        (void)snprintf(run->name, sizeof(run->name), "%s%s", row->name,
                       run->retry ? "__by_retry" : "");
        tests[n++] = (struct CMUnitTest){
            .name = run->name, .test_func = row_test, .initial_state = run};
        k++;
    }
    failed = _cmocka_run_group_tests(group, tests, n, NULL, NULL);
    free(runs);
    free(tests);
    return failed;
}

#endif
