/* SPDX-License-Identifier: Apache-2.0 */
/* The node itself: entry path (abi/linux.md §1.3, §1.9), names, probe, start-up
 * and the INIT_EX file (§1.6). */
#include "ccp_rows.h"
#include "umem_array.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEV_ISSUE_CMD 0xc0105300u

/* --- entry path --- */

struct node {
    struct fake_psp *f;
    struct ccp_dev *dev;
    struct chardev chardev;
    struct fake_user u;
};

static void open_node(struct node *n, const struct ccp_row *row, bool retry)
{
    n->f = row_psp(row);
    n->dev = row_probe(row, n->f);
    n->chardev = ccp_chardev(n->dev);
    row_map(&n->u, retry);
    fake_psp_clear_log(n->f);
}

static void close_node(struct node *n)
{
    fake_user_check(&n->u);
    fake_user_clear(&n->u);
    ccp_remove(n->dev);
    fake_psp_free(n->f);
}

static void put_envelope(struct node *n, uint64_t at, uint32_t cmd)
{
    uint8_t bytes[16];

    row_envelope(bytes, cmd, U, KEEP);
    fake_user_put(&n->u, at, bytes, 16);
}

struct entry {
    const char *name;
    uint32_t request;
    uint64_t arg;
    uint32_t cmd;
    enum ccp_fault fault;
    int result;
    uint32_t log[2];
};

static const struct entry ENTRIES[] = {
    {"entry__no_psp__enodev_before_anything",
     0,
     BAD,
     0,
     CCP_FAULT_NO_PSP,
     -ENODEV,
     {0}},
    {"entry__other_size__einval",
     0xc0205300u,
     ENVELOPE,
     1,
     CCP_FAULT_NONE,
     -EINVAL,
     {0}},
    {"entry__other_number__einval",
     0xc0105301u,
     ENVELOPE,
     1,
     CCP_FAULT_NONE,
     -EINVAL,
     {0}},
    {"entry__request_0__einval_and_nothing_read",
     0,
     BAD,
     1,
     CCP_FAULT_NONE,
     -EINVAL,
     {0}},
    {"entry__kvm_request__einval",
     0xc008aebau,
     ENVELOPE,
     1,
     CCP_FAULT_NONE,
     -EINVAL,
     {0}},
    {"entry__unmapped_envelope__efault",
     SEV_ISSUE_CMD,
     BAD,
     1,
     CCP_FAULT_NONE,
     -EFAULT,
     {0}},
    {"entry__null_envelope__efault",
     SEV_ISSUE_CMD,
     0,
     1,
     CCP_FAULT_NONE,
     -EFAULT,
     {0}},
    {"entry__kernel_envelope__efault",
     SEV_ISSUE_CMD,
     KERNEL,
     1,
     CCP_FAULT_NONE,
     -EFAULT,
     {0}},
    {"entry__wrapping_envelope__efault",
     SEV_ISSUE_CMD,
     UINT64_MAX - 7,
     1,
     CCP_FAULT_NONE,
     -EFAULT,
     {0}},
    {"entry__envelope_across_the_end__efault",
     SEV_ISSUE_CMD,
     ENVELOPE + 0x40 - 0x10 - 15,
     1,
     CCP_FAULT_NONE,
     -EFAULT,
     {0}},
    /* Unknown numbers are not written back: read-only memory tells. */
    {"entry__unknown_cmd_in_read_only_memory__einval",
     SEV_ISSUE_CMD,
     RO,
     13,
     CCP_FAULT_NONE,
     -EINVAL,
     {0}},
    {"entry__refused_cmd_in_read_only_memory__efault",
     SEV_ISSUE_CMD,
     RO,
     2,
     CCP_FAULT_NONE,
     -EFAULT,
     {F_PEK_GEN, 0}},
};

static void entry_test(const struct entry *e, bool retry)
{
    static const struct ccp_row row = {.era = CCP_ERA_S3};
    struct node n;

    open_node(&n, &row, retry);
    put_envelope(&n, ENVELOPE, e->cmd);
    put_envelope(&n, RO, e->cmd);
    ccp_set_fault(n.dev, e->fault);
    assert_int_equal(
        fake_user_ioctl(&n.u, &n.chardev, true, e->request, e->arg), e->result);
    fake_psp_expect(n.f, e->log);
    close_node(&n);
}

static void test_entry(void **state)
{
    entry_test(*state, false);
    entry_test(*state, true);
}

/* An error that is found early still writes the envelope back. */
static void test_early_error_writes_envelope(void **state)
{
    static const struct ccp_row row = {.era = CCP_ERA_S3};
    struct node n;

    (void)state;
    open_node(&n, &row, false);
    put_envelope(&n, RO, 2);
    assert_int_equal(
        fake_user_ioctl(&n.u, &n.chardev, false, SEV_ISSUE_CMD, RO), -EFAULT);
    assert_int_equal(n.f->log_count, 0);
    close_node(&n);
}

static void test_unaligned_envelope(void **state)
{
    static const struct ccp_row row = {.era = CCP_ERA_S3};
    struct node n;
    uint8_t bytes[16];

    (void)state;
    open_node(&n, &row, false);
    put_envelope(&n, B0 + 3, 2);
    assert_int_equal(
        fake_user_ioctl(&n.u, &n.chardev, true, SEV_ISSUE_CMD, B0 + 3), 0);
    row_envelope(bytes, 2, U, 0);
    fake_user_expect(&n.u, B0 + 3, bytes, 16);
    close_node(&n);
}

/* Linux leaks what it cannot take back; the firmware's answer is lost too. */
static void test_page_not_given_back(void **state)
{
    static const struct ccp_row row = {.era = CCP_ERA_S3};
    struct node n;
    uint8_t bytes[16];

    (void)state;
    open_node(&n, &row, false);
    put_envelope(&n, ENVELOPE, 9);
    fake_psp_answer(n.f, 0x0c7, SEV_INVALID_PAGE_STATE, 1);
    assert_int_equal(
        fake_user_ioctl(&n.u, &n.chardev, true, SEV_ISSUE_CMD, ENVELOPE),
        -EFAULT);
    row_envelope(bytes, 9, U, 0);
    fake_user_expect(&n.u, ENVELOPE, bytes, 16);
    fake_user_check(&n.u);
    fake_user_clear(&n.u);
    ccp_remove(n.dev);
    assert_int_equal(n.f->pages_out, 1);
    fake_psp_drop(n.f);
}

/* How often a transport must ask, abi/linux.md §8.3. */
struct rounds {
    const char *name;
    uint32_t cmd;
    const char *fmt;
    uint64_t v[6];
    unsigned int runs;
    unsigned int in, out;
};

static const struct rounds ROUNDS[] = {
    {"rounds__no_struct__2", 2, NULL, {0}, 2, 1, 1},
    {"rounds__struct_out__3", 1, NULL, {0}, 3, 1, 2},
    {"rounds__struct_in__3", 11, NULL, {0}, 3, 2, 1},
    {"rounds__query__3", 3, "84", {0}, 3, 2, 2},
    {"rounds__request__4", 3, "84", {B0, 0x824}, 4, 2, 3},
    {"rounds__export__4", 5, "8484", {B0, 0x824, B1, 0x186c}, 4, 2, 4},
    {"rounds__import__4", 6, "8484", {B0, 0x824, B1, 0x824}, 4, 4, 1},
    {"rounds__vlek__4", 12, "411118", {16, 0, 0, 0, 0, B0}, 4, 3, 1},
};

static void test_rounds(void **state)
{
    static const struct ccp_row row = {.era = CCP_ERA_S3};
    const struct rounds *r = *state;
    struct node n;
    uint8_t bytes[64];

    open_node(&n, &row, true);
    put_envelope(&n, ENVELOPE, r->cmd);
    fake_user_put(&n.u, U, bytes, row_pack(r->fmt, r->v, bytes));
    (void)fake_user_ioctl(&n.u, &n.chardev, true, SEV_ISSUE_CMD, ENVELOPE);
    assert_int_equal(n.u.runs, r->runs);
    assert_int_equal(n.u.in_count, r->in);
    assert_int_equal(n.u.out_count, r->out);
    fake_user_clear(&n.u);
    ccp_remove(n.dev);
    fake_psp_free(n.f);
}

/* The arrays that fuzzers and vectors use see the same discipline. */
static void test_umem_array(void **state)
{
    static const struct ccp_row row = {.era = CCP_ERA_S3};
    struct fake_psp *f = row_psp(&row);
    struct ccp_dev *dev = row_probe(&row, f);
    const struct chardev chardev = ccp_chardev(dev);
    const uint64_t v[] = {B0, 0x824, B1, 0x186c};

    (void)state;
    for (unsigned int retry = 0; retry < 2; retry++) {
        struct umem_array ua;
        uint8_t envelope[16];
        uint8_t inner[64];
        uint8_t pdh[0x824];
        uint8_t chain[0x186c];

        umem_array_init(&ua);
        ua.retry = retry == 1;
        row_envelope(envelope, 5, U, KEEP);
        (void)row_pack("8484", v, inner);
        umem_array_map(&ua, ENVELOPE, envelope, sizeof(envelope), false);
        umem_array_map(&ua, U, inner, 24, false);
        umem_array_map(&ua, B0, pdh, sizeof(pdh), false);
        umem_array_map(&ua, B1, chain, sizeof(chain), false);
        assert_int_equal(
            umem_array_ioctl(&ua, &chardev, true, SEV_ISSUE_CMD, ENVELOPE), 0);
        assert_false(ua.broke_plan);
        assert_int_equal(umem_array_bytes(&ua, UMEM_READ), 16 + 24);
        assert_int_equal(umem_array_bytes(&ua, UMEM_WRITE),
                         16 + 24 + 0x824 + 0x186c);
        assert_int_equal(chain[0x186b], fake_psp_byte(F_EXPORT, 1, 0x186b));
    }
    ccp_remove(dev);
    fake_psp_free(f);
}

/* --- names and table --- */

static void test_era_names(void **state)
{
    (void)state;
    for (int era = CCP_ERA_L; era <= CCP_ERA_S3; era++) {
        assert_int_equal(ccp_era_by_name(ccp_era_name((enum ccp_era)era)), era);
    }
    assert_int_equal(ccp_era_by_name("6.12.117"), CCP_ERA_S3);
    assert_int_equal(ccp_era_by_name("7.0"), CCP_ERA_S2);
    assert_int_equal(ccp_era_by_name("l"), CCP_ERA_L);
    assert_int_equal(ccp_era_by_name("s1"), CCP_ERA_S1);
    assert_int_equal(ccp_era_by_name("6.1 "), -1);
    assert_int_equal(ccp_era_by_name(""), -1);
    assert_string_equal(ccp_era_name((enum ccp_era)99), "unknown");
}

static void test_abi_names(void **state)
{
    (void)state;
    for (int abi = CCP_ABI_MAINLINE; abi <= CCP_ABI_RFC2021A; abi++) {
        assert_int_equal(ccp_abi_by_name(ccp_abi_name((enum ccp_abi)abi)), abi);
    }
    assert_int_equal(ccp_abi_by_name("Mainline"), -1);
}

struct listing {
    const char *name;
    enum ccp_era era;
    enum ccp_abi abi;
    const char *list;
};

static const struct listing LISTINGS[] = {
    {"commands__mainline_s3", CCP_ERA_S3, CCP_ABI_MAINLINE,
     "SNP_PLATFORM_STATUS=9 SNP_COMMIT=10 SNP_SET_CONFIG=11 SNP_VLEK_LOAD=12 "
     "SEV_GET_REPORT=2147483657 "},
    {"commands__mainline_l", CCP_ERA_L, CCP_ABI_MAINLINE,
     "SEV_GET_REPORT=2147483657 "},
    {"commands__aeb2022", CCP_ERA_L, CCP_ABI_AEB2022,
     "SEV_GET_REPORT=9 SNP_PLATFORM_STATUS=10 SEV_GET_REPORT=2147483657 "},
    {"commands__amdese_rfc", CCP_ERA_S1, CCP_ABI_AMDESE_RFC,
     "SNP_PLATFORM_STATUS=9 SNP_SET_EXT_CONFIG=10 SNP_GET_EXT_CONFIG=11 "
     "SEV_GET_REPORT=2147483657 "},
    {"commands__amdese_6_6", CCP_ERA_S1, CCP_ABI_AMDESE_6_6,
     "SNP_PLATFORM_STATUS=9 SNP_COMMIT=10 SNP_SET_CONFIG=11 "
     "SNP_SET_CONFIG_START=12 SNP_SET_CONFIG_END=13 "
     "SEV_GET_REPORT=2147483657 "},
    {"commands__rfc2021a", CCP_ERA_S1, CCP_ABI_RFC2021A,
     "SNP_PLATFORM_STATUS=256 SNP_SET_EXT_CONFIG=257 SNP_GET_EXT_CONFIG=258 "
     "SEV_GET_REPORT=2147483657 "},
};

static void test_listing(void **state)
{
    const struct listing *l = *state;
    struct ccp_config config;
    char text[1024] = "";
    const char *name;
    uint32_t number;
    const char common[] =
        "SEV_FACTORY_RESET=0 SEV_PLATFORM_STATUS=1 SEV_PEK_GEN=2 "
        "SEV_PEK_CSR=3 SEV_PDH_GEN=4 SEV_PDH_CERT_EXPORT=5 "
        "SEV_PEK_CERT_IMPORT=6 SEV_GET_ID=7 SEV_GET_ID2=8 ";

    ccp_config_default(&config);
    config.era = l->era;
    config.abi = l->abi;
    for (size_t i = 0; ccp_command_at(&config, i, &name, &number); i++) {
        size_t used = strlen(text);

        (void)snprintf(text + used, sizeof(text) - used, "%s=%u ", name,
                       number);
    }
    assert_memory_equal(text, common, strlen(common));
    assert_string_equal(text + strlen(common), l->list);
}

/* --- probe and start-up --- */

static int probe(struct fake_psp *f, const struct ccp_config *config,
                 struct ccp_dev **dev)
{
    struct psp_profile profile = *psp_profile_by_name("milan");

    profile.has_snp = f->has_snp;
    return ccp_probe_port(&f->port, &profile, config, dev);
}

static void test_probe_brings_up_everything(void **state)
{
    struct fake_psp *f = fake_psp_new();
    struct ccp_config config;
    struct ccp_dev *dev;

    (void)state;
    ccp_config_default(&config);
    assert_int_equal(probe(f, &config, &dev), 0);
    assert_int_equal(ccp_start_status(dev), 0);
    fake_psp_expect(f, (const uint32_t[]){F_STATUS, F_SNP_INIT, F_SNP_FLUSH,
                                          F_INIT, F_FLUSH, 0});
    assert_true(f->es);
    assert_string_equal(ccp_chardev(dev).name, "sev");
    ccp_remove(dev);
    fake_psp_free(f);
}

static void test_probe_without_snp(void **state)
{
    struct fake_psp *f = fake_psp_new();
    struct ccp_config config;
    struct ccp_dev *dev;

    (void)state;
    f->has_snp = false;
    ccp_config_default(&config);
    assert_int_equal(probe(f, &config, &dev), 0);
    fake_psp_expect(f, (const uint32_t[]){F_STATUS, F_INIT, F_FLUSH, 0});
    ccp_remove(dev);
    fake_psp_free(f);
}

static void test_probe_finds_platform_up(void **state)
{
    struct fake_psp *f = fake_psp_new();
    struct ccp_config config;
    struct ccp_dev *dev;

    (void)state;
    f->state = 2; /* guests were launched before */
    f->handle = 7;
    f->snp_up = true;
    ccp_config_default(&config);
    assert_int_equal(probe(f, &config, &dev), 0);
    fake_psp_expect(f, (const uint32_t[]){F_STATUS, 0});
    ccp_remove(dev);
    fake_psp_free(f);
}

static void test_probe_start_uninit(void **state)
{
    struct fake_psp *f = fake_psp_new();
    struct ccp_config config;
    struct ccp_dev *dev;

    (void)state;
    ccp_config_default(&config);
    config.start_uninit = true;
    assert_int_equal(probe(f, &config, &dev), 0);
    fake_psp_expect(f, (const uint32_t[]){F_STATUS, 0});
    assert_int_equal(f->state, 0);
    ccp_remove(dev);
    fake_psp_free(f);
}

static void test_probe_without_firmware(void **state)
{
    struct fake_psp *f = fake_psp_new();
    struct ccp_config config;
    struct ccp_dev *dev = NULL;

    (void)state;
    fake_psp_answer(f, F_STATUS, 0x13, 0);
    ccp_config_default(&config);
    assert_int_equal(probe(f, &config, &dev), -ENODEV);
    assert_null(dev);
    fake_psp_free(f);
}

static void test_probe_init_fails(void **state)
{
    struct fake_psp *f = fake_psp_new();
    struct ccp_config config;
    struct ccp_dev *dev;

    (void)state;
    fake_psp_answer(f, F_INIT, 0x13, 0);
    ccp_config_default(&config);
    assert_int_equal(probe(f, &config, &dev), 0);
    assert_int_equal(ccp_start_status(dev), 0x13);
    ccp_remove(dev);
    fake_psp_free(f);
}

static void test_probe_bad_config(void **state)
{
    struct fake_psp *f = fake_psp_new();
    struct ccp_config config;
    struct ccp_dev *dev = NULL;

    (void)state;
    ccp_config_default(&config);
    config.era = (enum ccp_era)4;
    assert_int_equal(probe(f, &config, &dev), -EINVAL);
    ccp_config_default(&config);
    config.abi = (enum ccp_abi)5;
    assert_int_equal(probe(f, &config, &dev), -EINVAL);
    ccp_config_default(&config);
    config.after_init = (enum ccp_after_init)3;
    assert_int_equal(probe(f, &config, &dev), -EINVAL);
    assert_int_equal(f->log_count, 0);
    fake_psp_free(f);
}

static void test_no_tmr_no_es(void **state)
{
    struct fake_psp *f = fake_psp_new();
    struct ccp_config config;
    struct ccp_dev *dev;

    (void)state;
    f->alloc_max = 16;
    ccp_config_default(&config);
    assert_int_equal(probe(f, &config, &dev), 0);
    assert_int_equal(f->state, 1);
    assert_false(f->es);
    ccp_remove(dev);
    fake_psp_free(f);
}

static void test_tmr_at_the_next_init(void **state)
{
    static const struct ccp_row row = {.era = CCP_ERA_L, .legacy = UNINIT};
    struct node n;

    (void)state;
    open_node(&n, &row, false);
    n.f->alloc_max = 16;
    put_envelope(&n, ENVELOPE, 2);
    assert_int_equal(
        fake_user_ioctl(&n.u, &n.chardev, true, SEV_ISSUE_CMD, ENVELOPE), 0);
    assert_false(n.f->es);
    put_envelope(&n, ENVELOPE, 0);
    assert_int_equal(
        fake_user_ioctl(&n.u, &n.chardev, true, SEV_ISSUE_CMD, ENVELOPE), 0);
    n.f->alloc_max = 0;
    put_envelope(&n, ENVELOPE, 2);
    assert_int_equal(
        fake_user_ioctl(&n.u, &n.chardev, true, SEV_ISSUE_CMD, ENVELOPE), 0);
    assert_true(n.f->es);
    fake_user_clear(&n.u);
    ccp_remove(n.dev);
    fake_psp_free(n.f);
}

/* --- INIT_EX --- */

struct nv_world {
    struct fake_psp *f;
    struct ccp_dev *dev;
    struct chardev chardev;
    struct fake_user u;
    char *dir;
    char path[256];
};

static void nv_open(struct nv_world *w, const char *path)
{
    struct ccp_config config;

    w->f = fake_psp_new();
    w->f->has_snp = true;
    ccp_config_default(&config);
    config.init_ex_path = path;
    assert_int_equal(probe(w->f, &config, &w->dev), 0);
    w->chardev = ccp_chardev(w->dev);
    row_map(&w->u, false);
    w->dir = NULL;
}

static void nv_open_in_dir(struct nv_world *w, const void *content, size_t size)
{
    char *dir = tst_mkdtemp();

    (void)snprintf(w->path, sizeof(w->path), "%s/nv", dir);
    if (content != NULL) {
        tst_write_file(w->path, content, size);
    }
    nv_open(w, w->path);
    w->dir = dir;
}

static void nv_close(struct nv_world *w)
{
    fake_user_clear(&w->u);
    ccp_remove(w->dev);
    fake_psp_free(w->f);
    if (w->dir != NULL) {
        tst_rmdir(w->dir);
    }
}

static int64_t nv_issue(struct nv_world *w, uint32_t cmd, const char *fmt,
                        const uint64_t *v)
{
    uint8_t bytes[64];

    row_envelope(bytes, cmd, U, KEEP);
    fake_user_put(&w->u, ENVELOPE, bytes, 16);
    fake_user_put(&w->u, U, bytes, row_pack(fmt, v, bytes));
    return fake_user_ioctl(&w->u, &w->chardev, true, SEV_ISSUE_CMD, ENVELOPE);
}

static void assert_nv_file(const char *path)
{
    size_t size = 0;
    uint8_t *blob = tst_file(path, &size);
    struct stat st;

    assert_int_equal(size, 0x8000);
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(blob[i], fake_psp_byte(F_INIT_EX, 0, i));
    }
    assert_int_equal(stat(path, &st), 0);
    free(blob);
}

static void test_init_ex_creates_file(void **state)
{
    struct nv_world w;
    struct stat st;

    (void)state;
    nv_open_in_dir(&w, NULL, 0);
    fake_psp_expect(w.f, (const uint32_t[]){F_STATUS, F_SNP_INIT, F_SNP_FLUSH,
                                            F_INIT_EX, F_FLUSH, 0});
    /* Nothing was stored: the factory state. */
    for (size_t i = 0; i < 0x4000; i++) {
        assert_int_equal(w.f->seen[0][i], 0xff);
    }
    assert_nv_file(w.path);
    assert_int_equal(stat(w.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    nv_close(&w);
}

static void test_init_ex_short_file(void **state)
{
    struct nv_world w;

    (void)state;
    nv_open_in_dir(&w, "short", 5);
    assert_memory_equal(w.f->seen[0], "short\xff\xff", 7);
    assert_nv_file(w.path);
    nv_close(&w);
}

static void test_init_ex_read_error(void **state)
{
    struct nv_world w;

    (void)state;
    nv_open(&w, "/"); /* a directory cannot be read */
    assert_int_equal(ccp_start_status(w.dev), 0xffffffff);
    assert_int_equal(w.f->state, 0);
    nv_close(&w);
}

struct nv_save {
    const char *name;
    uint32_t cmd;
    const char *fmt;
    uint64_t v[4];
    bool saves;
};

static const struct nv_save SAVES[] = {
    {"init_ex__after_factory_reset__saved", 0, NULL, {0}, true},
    {"init_ex__after_status__not_saved", 1, NULL, {0}, false},
    {"init_ex__after_pek_gen__saved", 2, NULL, {0}, true},
    {"init_ex__after_csr__not_saved", 3, "84", {B0, 0x824}, false},
    {"init_ex__after_pdh_gen__saved", 4, NULL, {0}, true},
    {"init_ex__after_export__not_saved",
     5,
     "8484",
     {B0, 0x824, B1, 0x186c},
     false},
    {"init_ex__after_import__saved", 6, "8484", {B0, 0x824, B1, 0x824}, true},
};

static void test_nv_save(void **state)
{
    const struct nv_save *s = *state;
    struct nv_world w;

    nv_open_in_dir(&w, NULL, 0);
    assert_int_equal(unlink(w.path), 0);
    assert_int_equal(nv_issue(&w, s->cmd, s->fmt, s->v), 0);
    if (s->saves) {
        assert_nv_file(w.path);
    } else {
        assert_int_not_equal(access(w.path, F_OK), 0);
    }
    nv_close(&w);
}

static void test_nv_refused_command_not_saved(void **state)
{
    struct nv_world w;

    (void)state;
    nv_open_in_dir(&w, NULL, 0);
    assert_int_equal(unlink(w.path), 0);
    fake_psp_answer(w.f, F_PEK_GEN, 0x13, 1);
    assert_int_equal(nv_issue(&w, 2, NULL, NULL), -EIO);
    assert_int_not_equal(access(w.path, F_OK), 0);
    nv_close(&w);
}

static void test_nv_short_write(void **state)
{
    struct nv_world w;
    struct psp_rd r;

    (void)state;
    if (access("/dev/full", W_OK) != 0) {
        skip();
    }
    nv_open_in_dir(&w, NULL, 0);
    assert_int_equal(unlink(w.path), 0);
    assert_int_equal(symlink("/dev/full", w.path), 0);
    assert_int_equal(nv_issue(&w, 4, NULL, NULL), -EIO);
    r = psp_rd(fake_user_at(&w.u, ENVELOPE + 12, 4), 4);
    assert_int_equal(psp_rd_le32(&r), 0);
    nv_close(&w);
}

/* The pages stay with the firmware between INIT_EX and the shutdown, and the
 * file is not read again for a second INIT_EX. */
static void test_nv_buffer_survives_reset(void **state)
{
    struct nv_world w;

    (void)state;
    nv_open_in_dir(&w, NULL, 0);
    assert_int_equal(nv_issue(&w, 0, NULL, NULL), 0);
    tst_write_file(w.path, "other", 5);
    fake_psp_clear_log(w.f);
    assert_int_equal(nv_issue(&w, 4, NULL, NULL), 0);
    fake_psp_expect(
        w.f, (const uint32_t[]){F_INIT_EX, F_FLUSH, F_PDH_GEN, F_SHUTDOWN, 0});
    assert_int_equal(w.f->seen[0][0], fake_psp_byte(F_INIT_EX, 0, 0));
    nv_close(&w);
}

/* --- one lock --- */

static void *hammer(void *arg)
{
    const struct chardev *chardev = arg;
    intptr_t wrong = 0;

    for (unsigned int i = 0; i < 200; i++) {
        struct umem_array ua;
        uint8_t envelope[16];

        umem_array_init(&ua);
        row_envelope(envelope, 2, 0, KEEP);
        umem_array_map(&ua, ENVELOPE, envelope, sizeof(envelope), false);
        wrong +=
            umem_array_ioctl(&ua, chardev, true, SEV_ISSUE_CMD, ENVELOPE) != 0;
        (void)usleep(0);
    }
    return (void *)wrong;
}

static enum sev_status no_log_command(void *host, uint32_t id, void *buf,
                                      size_t size)
{
    struct fake_psp *f = host;
    const enum sev_status status = f->port.ops->command(host, id, buf, size);

    f->log_count = 0;
    return status;
}

static void test_two_threads(void **state)
{
    static const struct ccp_row row = {.era = CCP_ERA_S3, .legacy = UNINIT};
    struct fake_psp *f = row_psp(&row);
    struct port_ops ops = *f->port.ops;
    struct port port = {.ops = &ops, .host = f};
    struct ccp_config config;
    struct ccp_dev *dev;
    struct chardev chardev;
    pthread_t thread[2];
    void *wrong;

    (void)state;
    ops.command = no_log_command;
    ccp_config_default(&config);
    config.start_uninit = true;
    config.era = CCP_ERA_S2;
    f->has_snp = false;
    f->snp_up = false;
    assert_int_equal(
        ccp_probe_port(&port, psp_profile_by_name("rome"), &config, &dev), 0);
    chardev = ccp_chardev(dev);
    for (unsigned int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, hammer, &chardev), 0);
    }
    for (unsigned int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(thread[i], &wrong), 0);
        assert_null(wrong);
    }
    assert_int_equal(f->state, 0);
    ccp_remove(dev);
    fake_psp_free(f);
}

/* --- */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Tables become tests: the rows start with their name. */
static size_t add(struct CMUnitTest *tests, size_t n, CMUnitTestFunction f,
                  const void *rows, size_t count, size_t size)
{
    for (size_t i = 0; i < count; i++) {
        const char *row = (const char *)rows + i * size;

        tests[n++] =
            (struct CMUnitTest){.name = *(const char *const *)(const void *)row,
                                .test_func = f,
                                .initial_state = (void *)(uintptr_t)row};
    }
    return n;
}

int main(void)
{
    static const struct CMUnitTest plain[] = {
        {"entry__early_error_in_read_only_memory__efault",
         test_early_error_writes_envelope, NULL, NULL, NULL},
        {"entry__unaligned_envelope__works", test_unaligned_envelope, NULL,
         NULL, NULL},
        {"snp_status__page_not_reclaimed__efault_and_leaked",
         test_page_not_given_back, NULL, NULL, NULL},
        {"umem_array__export__keeps_the_plan", test_umem_array, NULL, NULL,
         NULL},
        {"era_names__parse_what_is_printed", test_era_names, NULL, NULL, NULL},
        {"abi_names__parse_what_is_printed", test_abi_names, NULL, NULL, NULL},
        {"probe__uninit_with_snp__everything_up",
         test_probe_brings_up_everything, NULL, NULL, NULL},
        {"probe__uninit_without_snp__legacy_up", test_probe_without_snp, NULL,
         NULL, NULL},
        {"probe__guests_running__left_alone", test_probe_finds_platform_up,
         NULL, NULL, NULL},
        {"probe__start_uninit__left_alone", test_probe_start_uninit, NULL, NULL,
         NULL},
        {"probe__status_fails__enodev", test_probe_without_firmware, NULL, NULL,
         NULL},
        {"probe__init_fails__node_and_status", test_probe_init_fails, NULL,
         NULL, NULL},
        {"probe__enum_out_of_range__einval", test_probe_bad_config, NULL, NULL,
         NULL},
        {"probe__no_memory_for_tmr__without_es", test_no_tmr_no_es, NULL, NULL,
         NULL},
        {"implicit_init__memory_for_tmr_again__with_es",
         test_tmr_at_the_next_init, NULL, NULL, NULL},
        {"init_ex__no_file__created_0600", test_init_ex_creates_file, NULL,
         NULL, NULL},
        {"init_ex__short_file__rest_is_factory_state", test_init_ex_short_file,
         NULL, NULL, NULL},
        {"init_ex__unreadable_file__no_firmware_call", test_init_ex_read_error,
         NULL, NULL, NULL},
        {"init_ex__refused_command__not_saved",
         test_nv_refused_command_not_saved, NULL, NULL, NULL},
        {"init_ex__short_write__eio_with_error_0", test_nv_short_write, NULL,
         NULL, NULL},
        {"init_ex__after_factory_reset__buffer_kept",
         test_nv_buffer_survives_reset, NULL, NULL, NULL},
        {"two_threads__implicit_init_and_shutdown__never_meet",
         test_two_threads, NULL, NULL, NULL},
    };
    struct CMUnitTest tests[COUNT(plain) + COUNT(ENTRIES) + COUNT(ROUNDS) +
                            COUNT(LISTINGS) + COUNT(SAVES)];
    size_t n = 0;

    n = add(tests, n, test_entry, ENTRIES, COUNT(ENTRIES), sizeof(*ENTRIES));
    n = add(tests, n, test_rounds, ROUNDS, COUNT(ROUNDS), sizeof(*ROUNDS));
    n = add(tests, n, test_listing, LISTINGS, COUNT(LISTINGS),
            sizeof(*LISTINGS));
    n = add(tests, n, test_nv_save, SAVES, COUNT(SAVES), sizeof(*SAVES));
    memcpy(tests + n, plain, sizeof(plain));
    return _cmocka_run_group_tests("ccp", tests, COUNT(tests), NULL, NULL);
}
