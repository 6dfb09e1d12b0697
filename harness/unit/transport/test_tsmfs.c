/* SPDX-License-Identifier: Apache-2.0 */
/* configfs-tsm by real system calls on a mount of its own, with reports of a
 * simulated guest: abi/linux.md §5. Skipped where nothing can be mounted. */
#include "tst.h"
#include "tst_suite.h"

#include "inproc.h"
#include "sim_devices.h"
#include "tsmfs.h"
#include "wire.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define REPORT_SIZE    1184
#define GET_EXT_REPORT 0xc0205302u

/* One machine for all tests: what they change is their entries. */
static struct sim_devices devices;

struct fx {
    char *dir;
    struct tsm *tsm;
    struct tsm_provider provider;
    struct tsmfs *fs;
    char report[PATH_MAX / 2]; /* the report directory */
    atomic_uint gone;
};

static void count_gone(void *ctx)
{
    struct fx *fx = ctx;

    atomic_fetch_add(&fx->gone, 1);
}

static struct fx *fx_new(unsigned int above, bool service)
{
    static const char *const below[] = {"", "/report", "/tsm/report"};
    struct fx *fx = calloc(1, sizeof(*fx));
    struct tsmfs_config config = {.above = above, .gone = count_gone};
    char error[TSMFS_ERROR_SIZE] = "";
    int err;

    assert_non_null(fx);
    fx->dir = tst_mkdtemp();
    fx->tsm = tsm_new();
    assert_non_null(fx->tsm);
    fx->provider.dev = devices.guest_certs;
    fx->provider.service = service;
    tsm_register(fx->tsm, &fx->provider);
    snprintf(fx->report, sizeof(fx->report), "%.900s%s", fx->dir, below[above]);
    config.path = fx->dir;
    config.tsm = fx->tsm;
    config.ctx = fx;
    err = tsmfs_start(&config, &fx->fs, error);
    if (err != 0) {
        fail_msg("%s", error);
    }
    return fx;
}

static void fx_free(struct fx *fx)
{
    tsmfs_stop(fx->fs);
    tsm_free(fx->tsm);
    tst_rmdir(fx->dir); /* fails the test if something is left in it */
    free(fx);
}

static int setup(void **state)
{
    *state = fx_new(0, false);
    return 0;
}

static int setup_whole(void **state)
{
    *state = fx_new(2, false);
    return 0;
}

static int setup_service(void **state)
{
    *state = fx_new(1, true);
    return 0;
}

static int teardown(void **state)
{
    fx_free(*state);
    return 0;
}

/* --- paths; results are what the call returned, or -errno --- */

static const char *path_of(const struct fx *fx, const char *name)
{
    static _Thread_local char paths[4][PATH_MAX];
    static _Thread_local unsigned int turn;
    char *path = paths[turn++ % 4];

    snprintf(path, PATH_MAX, "%s/%s", fx->report, name);
    return path;
}

#define RESULT(call) ((call) == 0 ? 0 : -errno)

static int make(const struct fx *fx, const char *name)
{
    return RESULT(mkdir(path_of(fx, name), 0700));
}

static int drop(const struct fx *fx, const char *name)
{
    return RESULT(rmdir(path_of(fx, name)));
}

static int open_at(const struct fx *fx, const char *name, int flags)
{
    int fd = open(path_of(fx, name), flags | O_CLOEXEC, 0220);

    return fd < 0 ? -errno : fd;
}

static ssize_t put(const struct fx *fx, const char *name, const void *buf,
                   size_t size)
{
    /* As Go and Rust open what they write. */
    int fd = open_at(fx, name, O_WRONLY | O_CREAT | O_TRUNC);
    ssize_t n;

    if (fd < 0) {
        return fd;
    }
    n = write(fd, buf, size);
    n = n < 0 ? -errno : n;
    assert_int_equal(close(fd), 0);
    return n;
}

static ssize_t put_text(const struct fx *fx, const char *name, const char *text)
{
    return put(fx, name, text, strlen(text));
}

static ssize_t get(const struct fx *fx, const char *name, void *buf,
                   size_t size)
{
    int fd = open_at(fx, name, O_RDONLY);
    ssize_t n;

    if (fd < 0) {
        return fd;
    }
    n = read(fd, buf, size);
    n = n < 0 ? -errno : n;
    close(fd);
    return n;
}

static void assert_text(const struct fx *fx, const char *name, const char *want)
{
    char text[128] = "";

    assert_int_equal(get(fx, name, text, sizeof(text) - 1), strlen(want));
    assert_string_equal(text, want);
}

static ssize_t read_out(const struct fx *fx, const char *name)
{
    char buf[65536];

    return get(fx, name, buf, sizeof(buf));
}

static const uint8_t INPUT[65] = "report data of a test, sixty-four bytes";

static void make_entry(const struct fx *fx, const char *name)
{
    assert_int_equal(make(fx, name), 0);
}

static void make_ready(const struct fx *fx)
{
    make_entry(fx, "e");
    assert_int_equal(put(fx, "e/inblob", INPUT, 64), 64);
}

/* --- what is there --- */

struct attr_case {
    const char *name;
    const char *file;
    mode_t mode;
    bool service;
};

static const struct attr_case ATTR_CASES[] = {
    {"inblob__stat_and_open__write_only", "inblob", 0200, false},
    {"outblob__stat_and_open__read_only", "outblob", 0444, false},
    {"auxblob__stat_and_open__read_only", "auxblob", 0444, false},
    {"manifestblob__stat_and_open__read_only", "manifestblob", 0444, true},
    {"provider__stat_and_open__read_only", "provider", 0444, false},
    {"generation__stat_and_open__read_only", "generation", 0444, false},
    {"privlevel__stat_and_open__write_only", "privlevel", 0200, false},
    {"privlevel_floor__stat_and_open__read_only", "privlevel_floor", 0444,
     false},
    {"service_provider__stat_and_open__write_only", "service_provider", 0200,
     true},
    {"service_guid__stat_and_open__write_only", "service_guid", 0200, true},
    {"service_manifest_version__stat_and_open__write_only",
     "service_manifest_version", 0200, true},
};

/* In an entry of a guest at VMPL 0 or not. Root may not either. */
static void test_attr(void **state)
{
    const struct attr_case *c = *state;

    for (int service = 0; service < 2; service++) {
        struct fx *fx = fx_new(0, service != 0);
        bool has = service != 0 || !c->service;
        char name[64];
        struct stat st;

        make_entry(fx, "e");
        snprintf(name, sizeof(name), "e/%s", c->file);
        assert_int_equal(RESULT(stat(path_of(fx, name), &st)),
                         has ? 0 : -ENOENT);
        if (has) {
            assert_int_equal(st.st_mode, S_IFREG | c->mode);
        }
        for (int way = O_RDONLY; way <= O_RDWR; way++) {
            bool fits = way == (c->mode == 0444 ? O_RDONLY : O_WRONLY);
            int fd = open_at(fx, name, way);

            assert_int_equal(fd < 0 ? fd : 0, !has   ? -ENOENT
                                              : fits ? 0
                                                     : -EACCES);
            if (fd >= 0) {
                close(fd);
            }
        }
        fx_free(fx);
    }
}

static unsigned int count_names(const struct fx *fx, const char *name)
{
    DIR *dir = opendir(path_of(fx, name));
    const struct dirent *entry;
    unsigned int count = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        count += entry->d_name[0] != '.';
    }
    closedir(dir);
    return count;
}

static void entry__listed__its_attributes(void **state)
{
    struct fx *fx = *state;
    struct stat st;

    assert_int_equal(count_names(fx, ""), 0);
    make_entry(fx, "e");
    assert_int_equal(count_names(fx, ""), 1);
    assert_int_equal(count_names(fx, "e"), 7);
    assert_int_equal(stat(path_of(fx, "e"), &st), 0);
    assert_int_equal(st.st_mode, S_IFDIR | 0755);
    assert_int_equal(drop(fx, "e"), 0);
    assert_int_equal(count_names(fx, ""), 0);
}

static void entry__where_services_are__eleven_attributes(void **state)
{
    struct fx *fx = *state;

    make_entry(fx, "e");
    assert_int_equal(count_names(fx, "e"), 11);
    assert_int_equal(put_text(fx, "e/service_guid", "nonsense"), -EINVAL);
    assert_int_equal(put_text(fx, "e/service_provider", "svsm\n"), 5);
    assert_text(fx, "e/generation", "1\n");
}

static void tree__below_config__only_entries_come_and_go(void **state)
{
    struct fx *fx = *state;
    struct stat st;

    assert_int_equal(stat(path_of(fx, ""), &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_int_equal(count_names(fx, "../.."), 1);
    assert_int_equal(count_names(fx, ".."), 1);
    assert_int_equal(make(fx, "../other"), -EPERM);
    assert_int_equal(make(fx, "../../other"), -EPERM);
    assert_int_equal(make(fx, "../report"), -EEXIST);
    assert_int_equal(drop(fx, "../report"), -EPERM);
    assert_int_equal(drop(fx, "../../tsm"), -EPERM);
    make_ready(fx);
    assert_int_equal(read_out(fx, "e/outblob"), REPORT_SIZE);
}

static void tree__misuse__the_kernels_errno(void **state)
{
    struct fx *fx = *state;
    char name[258] = "";

    make_entry(fx, "e");
    assert_int_equal(make(fx, "e"), -EEXIST);
    assert_int_equal(make(fx, "e/sub"), -EPERM);
    assert_int_equal(drop(fx, "nothing"), -ENOENT);
    assert_int_equal(drop(fx, "e/inblob"), -ENOTDIR);
    assert_int_equal(RESULT(unlink(path_of(fx, "e/inblob"))), -EPERM);
    assert_int_equal(RESULT(unlink(path_of(fx, "e"))), -EISDIR);
    assert_int_equal(RESULT(rename(path_of(fx, "e"), path_of(fx, "f"))),
                     -EPERM);
    assert_int_equal(RESULT(symlink("e", path_of(fx, "l"))), -EPERM);
    assert_int_equal(RESULT(link(path_of(fx, "e/inblob"), path_of(fx, "e/l"))),
                     -EPERM);
    assert_int_equal(open_at(fx, "e/new", O_WRONLY | O_CREAT), -EACCES);
    assert_int_equal(open_at(fx, "new", O_WRONLY | O_CREAT), -EACCES);
    assert_int_equal(open_at(fx, "e/new", O_RDONLY), -ENOENT);
    memset(name, 'n', 256);
    assert_int_equal(make(fx, name), -ENAMETOOLONG);
    name[255] = '\0';
    assert_int_equal(make(fx, name), 0);
    assert_int_equal(drop(fx, name), 0);
}

/* --- reading and writing --- */

static void inblob__closed__committed_at_once(void **state)
{
    struct fx *fx = *state;
    char want[16];

    make_entry(fx, "e");
    for (int i = 1; i <= 100; i++) {
        assert_int_equal(put(fx, "e/inblob", INPUT, 64), 64);
        snprintf(want, sizeof(want), "%d\n", i);
        assert_text(fx, "e/generation", want);
    }
}

static void inblob__open_still__not_committed(void **state)
{
    struct fx *fx = *state;
    int fd;

    make_entry(fx, "e");
    fd = open_at(fx, "e/inblob", O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, INPUT, 32), 32);
    assert_int_equal(write(fd, INPUT + 32, 32), 32);
    assert_text(fx, "e/generation", "0\n");
    assert_int_equal(read_out(fx, "e/outblob"), -EINVAL);
    assert_int_equal(RESULT(fsync(fd)), -EINVAL);
    close(fd);
    assert_text(fx, "e/generation", "1\n");
    assert_int_equal(read_out(fx, "e/outblob"), REPORT_SIZE);
}

static void inblob__shell_redirection__one_commit(void **state)
{
    struct fx *fx = *state;
    char command[PATH_MAX * 2];

    make_entry(fx, "e");
    snprintf(command, sizeof(command),
             "printf %%064d 7 | cat > %s && cd %s && test $(cat generation) "
             "= 1 && test $(wc -c < outblob) = 1184 && test $(cat provider) = "
             "sev_guest",
             path_of(fx, "e/inblob"), path_of(fx, "e"));
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
}

static void inblob__too_long__efbig(void **state)
{
    struct fx *fx = *state;
    int fd;

    make_entry(fx, "e");
    assert_int_equal(put(fx, "e/inblob", INPUT, 65), -EFBIG);
    fd = open_at(fx, "e/inblob", O_WRONLY);
    assert_int_equal(write(fd, INPUT, 64), 64);
    assert_int_equal(RESULT(write(fd, INPUT, 1) < 0), -EFBIG);
    assert_int_equal(pwrite(fd, INPUT, 1, 63), 1);
    close(fd);
    assert_int_equal(read_out(fx, "e/outblob"), REPORT_SIZE);
}

static void inblob__appended__from_the_start(void **state)
{
    struct fx *fx = *state;
    struct stat st;

    make_ready(fx);
    for (int i = 0; i < 3; i++) {
        int fd = open_at(fx, "e/inblob", O_WRONLY | O_APPEND);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, INPUT, 64), 64);
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(st.st_size, 0);
        close(fd);
    }
    assert_text(fx, "e/generation", "4\n");
    assert_int_equal(read_out(fx, "e/outblob"), REPORT_SIZE);
}

static void text__5000_bytes__4095_are_taken(void **state)
{
    struct fx *fx = *state;
    char text[5000];

    memset(text, 'x', sizeof(text));
    make_entry(fx, "e");
    assert_int_equal(put(fx, "e/service_provider", text, sizeof(text)), 4095);
    assert_text(fx, "e/generation", "1\n");
}

static void outblob__read_in_pieces__one_snapshot(void **state)
{
    struct fx *fx = *state;
    uint8_t whole[REPORT_SIZE], pieces[REPORT_SIZE + 100];
    ssize_t n, used = 0;
    int fd;

    make_ready(fx);
    assert_int_equal(get(fx, "e/outblob", whole, sizeof(whole)), REPORT_SIZE);
    fd = open_at(fx, "e/outblob", O_RDONLY);
    assert_int_equal(read(fd, pieces, 100), 100);
    /* Another report is made for others meanwhile. */
    assert_int_equal(put(fx, "e/inblob", INPUT + 1, 64), 64);
    assert_int_equal(read_out(fx, "e/outblob"), REPORT_SIZE);
    for (used = 100; (n = read(fd, pieces + used, 100)) > 0; used += n) {
    }
    assert_int_equal(n, 0);
    assert_int_equal(used, REPORT_SIZE);
    assert_memory_equal(pieces, whole, REPORT_SIZE);
    assert_int_equal(lseek(fd, 1180, SEEK_SET), 1180);
    assert_int_equal(read(fd, pieces, 100), 4);
    close(fd);
}

struct write_case {
    const char *name;
    const char *file, *text;
    ssize_t result;
};

static const struct write_case WRITE_CASES[] = {
    {"privlevel__number__taken", "e/privlevel", "0x1\n", 4},
    {"privlevel__word__einval", "e/privlevel", "one", -EINVAL},
    {"privlevel__byte_1__einval", "e/privlevel", "\1", -EINVAL},
    {"privlevel__four__einval", "e/privlevel", "4", -EINVAL},
    {"privlevel__33_bit__erange", "e/privlevel", "4294967296", -ERANGE},
    {"outblob__written__eacces", "e/outblob", "x", -EACCES},
    {"provider__written__eacces", "e/provider", "x", -EACCES},
    {"new_name__written__eacces", "e/other", "x", -EACCES},
};

static void test_write(void **state)
{
    const struct write_case *c = *state;
    struct fx *fx = fx_new(0, false);

    make_entry(fx, "e");
    assert_int_equal(put_text(fx, c->file, c->text), c->result);
    assert_text(fx, "e/generation", c->result > 0 ? "1\n" : "0\n");
    fx_free(fx);
}

static void provider__gone__enxio(void **state)
{
    struct fx *fx = *state;

    make_ready(fx);
    assert_text(fx, "e/provider", "sev_guest\n");
    assert_text(fx, "e/privlevel_floor", "0\n");
    tsm_register(fx->tsm, NULL);
    assert_int_equal(make(fx, "f"), -ENXIO);
    assert_int_equal(read_out(fx, "e/provider"), -ENXIO);
    assert_int_equal(read_out(fx, "e/privlevel_floor"), -ENXIO);
    assert_int_equal(read_out(fx, "e/outblob"), -ENXIO);
    assert_int_equal(put_text(fx, "e/privlevel", "0"), -ENXIO);
}

static void rmdir__open_files__what_was_read_stays(void **state)
{
    struct fx *fx = *state;
    char buf[64];
    int read_fd, unread;

    make_ready(fx);
    read_fd = open_at(fx, "e/outblob", O_RDONLY);
    unread = open_at(fx, "e/provider", O_RDONLY);
    assert_int_equal(read(read_fd, buf, 64), 64);
    assert_int_equal(drop(fx, "e"), 0);
    assert_int_equal(read(read_fd, buf, 64), 64);
    assert_int_equal(RESULT(read(unread, buf, 64) < 0), -ENOENT);
    close(read_fd);
    close(unread);
    assert_int_equal(open_at(fx, "e/provider", O_RDONLY), -ENOENT);
    make_entry(fx, "e"); /* a new one */
    assert_text(fx, "e/generation", "0\n");
}

/* --- 5.4: clients --- */

/* go-configfs-tsm; "auxblob" first, each read followed by generation. */
static void client__go_configfs_tsm__its_sequence(void **state)
{
    static const char *const reads[] = {"e/auxblob", "e/outblob", "e/provider"};
    struct fx *fx = *state;
    int dir = open(fx->report, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(dir >= 0);
    assert_int_equal(mkdirat(dir, "e", 0700), 0);
    assert_text(fx, "e/generation", "0\n");
    assert_int_equal(put(fx, "e/inblob", INPUT, 64), 64);
    assert_int_equal(put_text(fx, "e/privlevel", "0"), 1);
    assert_text(fx, "e/generation", "2\n");
    for (size_t i = 0; i < 3; i++) {
        assert_true(read_out(fx, reads[i]) > 0);
        assert_text(fx, "e/generation", "2\n");
    }
    assert_int_equal(RESULT(unlinkat(dir, "e", 0)), -EISDIR);
    assert_int_equal(unlinkat(dir, "e", AT_REMOVEDIR), 0);
    close(dir);
}

static void client__coco_tsm_report__its_sequence(void **state)
{
    struct fx *fx = *state;
    struct statx stx;

    assert_int_equal(statx(AT_FDCWD, fx->report, 0, STATX_ALL, &stx), 0);
    assert_int_equal(make(fx, "tsm-a1b2c3"), 0);
    assert_text(fx, "tsm-a1b2c3/provider", "sev_guest\n");
    assert_int_equal(put(fx, "tsm-a1b2c3/inblob", INPUT, 64), 64);
    assert_int_equal(read_out(fx, "tsm-a1b2c3/outblob"), REPORT_SIZE);
    assert_text(fx, "tsm-a1b2c3/generation", "1\n");
    assert_int_equal(drop(fx, "tsm-a1b2c3"), 0);
}

static void put64(uint8_t *p, uint64_t v)
{
    struct psp_wr w = psp_wr(p, 8);

    psp_wr_le64(&w, v);
}

static void report__and_certificates__those_of_the_ioctl(void **state)
{
    struct fx *fx = *state;
    uint8_t envelope[32] = {1}, req[112] = {0}, resp[4000];
    uint8_t certs[0x4000], out[REPORT_SIZE], aux[0x4000];
    ssize_t size;

    memcpy(req, INPUT, 64);
    put64(req + 96, (uintptr_t)certs);
    put64(req + 104, sizeof(certs));
    put64(envelope + 8, (uintptr_t)req);
    put64(envelope + 16, (uintptr_t)resp);
    assert_int_equal(
        inproc_ioctl(&devices.guest_certs, true, GET_EXT_REPORT, envelope), 0);
    make_ready(fx);
    assert_int_equal(get(fx, "e/outblob", out, sizeof(out)), REPORT_SIZE);
    assert_memory_equal(out, resp + 32, REPORT_SIZE);
    size = get(fx, "e/auxblob", aux, sizeof(aux));
    assert_in_range(size, 1000, 8191);
    assert_memory_equal(aux, certs, (size_t)size);
    for (size_t i = (size_t)size; i < sizeof(certs); i++) {
        assert_int_equal(certs[i], 0);
    }
}

/* --- many --- */

static void entries__a_thousand__all_listed(void **state)
{
    struct fx *fx = *state;
    char name[32];

    for (unsigned int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "entry-number-%u", i);
        assert_int_equal(make(fx, name), 0);
    }
    assert_int_equal(count_names(fx, ""), 1000);
    assert_int_equal(drop(fx, "entry-number-500"), 0);
    assert_int_equal(count_names(fx, ""), 999);
    assert_text(fx, "entry-number-999/generation", "0\n");
}

#define THREADS 8
#define ROUNDS  10

struct worker {
    const struct fx *fx;
    unsigned int number;
    unsigned int good;
};

static void *work(void *arg)
{
    struct worker *w = arg;
    uint8_t in[64] = {0}, out[REPORT_SIZE];
    char dir[32], file[64];

    for (unsigned int i = 0; i < ROUNDS; i++) {
        bool good;

        in[0] = (uint8_t)w->number;
        in[1] = (uint8_t)i;
        snprintf(dir, sizeof(dir), "t%u-%u", w->number, i);
        good = make(w->fx, dir) == 0;
        snprintf(file, sizeof(file), "%s/inblob", dir);
        good = good && put(w->fx, file, in, 64) == 64;
        snprintf(file, sizeof(file), "%s/outblob", dir);
        good = good && get(w->fx, file, out, REPORT_SIZE) == REPORT_SIZE;
        w->good +=
            good && memcmp(out + 0x50, in, 64) == 0 && drop(w->fx, dir) == 0;
    }
    return NULL;
}

static void entries__from_many_threads__each_its_own_report(void **state)
{
    pthread_t threads[THREADS];
    struct worker workers[THREADS];

    for (unsigned int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.fx = *state, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]),
                         0);
    }
    for (unsigned int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(workers[i].good, ROUNDS);
    }
    assert_int_equal(count_names(*state, ""), 0);
}

/* --- the mount --- */

static void start__bad_place__refused(void **state)
{
    struct fx *fx = *state;
    char *dir = tst_mkdtemp();
    char file[PATH_MAX], error[TSMFS_ERROR_SIZE] = "";
    struct tsmfs_config config = {.path = dir, .tsm = fx->tsm, .above = 3};
    struct tsmfs *fs;

    assert_int_equal(tsmfs_start(&config, &fs, error), -EINVAL);
    config.above = 0;
    snprintf(file, sizeof(file), "%s/file", dir);
    tst_write_file(file, "x", 1);
    assert_int_equal(tsmfs_start(&config, &fs, error), -EEXIST);
    assert_null(fs);
    assert_non_null(strstr(error, "not empty"));
    config.path = file;
    assert_int_equal(tsmfs_start(&config, &fs, error), -ENOTDIR);
    config.path = "/nonexistent";
    assert_int_equal(tsmfs_start(&config, &fs, error), -ENOENT);
    config.path = dir;
    config.force = true;
    assert_int_equal(tsmfs_start(&config, &fs, error), 0);
    assert_int_equal(access(file, F_OK), -1);
    tsmfs_stop(fs);
    assert_int_equal(access(file, F_OK), 0);
    assert_int_equal(unlink(file), 0);
    tst_rmdir(dir);
}

static void mount__taken_away__told(void **state)
{
    struct fx *fx = *state;

    assert_int_equal(umount2(fx->dir, 0), 0);
    for (int i = 0; i < 500 && atomic_load(&fx->gone) == 0; i++) {
        usleep(10000);
    }
    assert_int_equal(atomic_load(&fx->gone), 1);
}

static void stop__files_open__they_fail(void **state)
{
    struct fx *fx = fx_new(0, false);
    char buf[16];
    int fd;

    (void)state;
    make_entry(fx, "e");
    fd = open_at(fx, "e/provider", O_RDONLY);
    fx_free(fx);
    assert_int_equal(read(fd, buf, sizeof(buf)), -1);
    assert_true(errno == ENOTCONN || errno == ECONNABORTED);
    close(fd);
}

#define ON(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* Whether this user of this machine can mount at all. */
static bool can_mount(void)
{
    char *dir = tst_mkdtemp();
    struct tsmfs_config config = {.path = dir, .tsm = tsm_new()};
    char error[TSMFS_ERROR_SIZE] = "";
    struct tsmfs *fs = NULL;
    int err = tsmfs_start(&config, &fs, error);

    tsmfs_stop(fs);
    tsm_free(config.tsm);
    tst_rmdir(dir);
    if (err == -EPERM || err == -ENOENT || err == -ENODEV || err == -EACCES) {
        printf("SKIP tsmfs: %s\n", error);
        return false;
    }
    return true;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(entry__listed__its_attributes),
        cmocka_unit_test_setup_teardown(
            entry__where_services_are__eleven_attributes, setup_service,
            teardown),
        cmocka_unit_test_setup_teardown(
            tree__below_config__only_entries_come_and_go, setup_whole,
            teardown),
        ON(tree__misuse__the_kernels_errno),
        ON(inblob__closed__committed_at_once),
        ON(inblob__open_still__not_committed),
        ON(inblob__shell_redirection__one_commit),
        ON(inblob__too_long__efbig),
        ON(inblob__appended__from_the_start),
        cmocka_unit_test_setup_teardown(text__5000_bytes__4095_are_taken,
                                        setup_service, teardown),
        ON(outblob__read_in_pieces__one_snapshot),
        ON(provider__gone__enxio),
        ON(rmdir__open_files__what_was_read_stays),
        ON(client__go_configfs_tsm__its_sequence),
        ON(client__coco_tsm_report__its_sequence),
        ON(report__and_certificates__those_of_the_ioctl),
        ON(entries__a_thousand__all_listed),
        ON(entries__from_many_threads__each_its_own_report),
        ON(start__bad_place__refused),
        ON(mount__taken_away__told),
        cmocka_unit_test(stop__files_open__they_fail),
    };
    struct tst_suite suite = {.tests = NULL};
    int failed;

    if (!can_mount()) {
        return 77;
    }
    assert_int_equal(sim_devices_open(&devices, "milan"), 0);
    TST_ADD(&suite, tests);
    TST_ADD_ROWS(&suite, ATTR_CASES, test_attr);
    TST_ADD_ROWS(&suite, WRITE_CASES, test_write);
    failed = tst_suite_run(&suite, "tsmfs");
    sim_devices_close(&devices);
    return failed;
}
