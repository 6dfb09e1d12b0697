/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and probing a node. The oracle for what Linux answers about a
 * character device that everybody may use is /dev/null, asked under the same
 * supervisor. */
#include "fake.h"

#include <linux/openat2.h>

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define ORACLE  "/dev/null"
#define O_LARGE 0x8000 /* O_LARGEFILE as the kernel sets it by itself */

static long raw(long r)
{
    return r < 0 ? -errno : r;
}

static long try_open(const char *path, int flags)
{
    int fd = open(path, flags, 0600);

    if (fd < 0) {
        return -errno;
    }
    flags = fcntl(fd, F_GETFL);
    close(fd);
    return flags;
}

static void open__each_access_mode__seen_by_device(void)
{
    EXPECT(ioctl(open_node(O_RDONLY), FAKE_WRITABLE) == 0);
    EXPECT(ioctl(open_node(O_WRONLY), FAKE_WRITABLE) == 1);
    EXPECT(ioctl(open_node(O_RDWR), FAKE_WRITABLE) == 1);
    EXPECT(ioctl(open_node(O_ACCMODE), FAKE_WRITABLE) == 0);
}

static void open__any_flags__as_a_real_device(void)
{
    static const int flags[] = {
        O_RDONLY,
        O_WRONLY,
        O_RDWR,
        O_ACCMODE,
        O_RDWR | O_CLOEXEC,
        O_RDWR | O_NONBLOCK,
        O_RDWR | O_APPEND,
        O_RDWR | O_TRUNC,
        O_RDONLY | O_TRUNC,
        O_RDWR | O_CREAT,
        O_RDWR | O_CREAT | O_EXCL,
        O_RDWR | O_EXCL,
        O_DIRECTORY,
        O_DIRECTORY | O_CREAT | O_EXCL,
        O_NOFOLLOW,
        O_RDWR | O_TMPFILE,
        O_RDONLY | O_TMPFILE,
        O_PATH,
        O_PATH | O_DIRECTORY,
        O_PATH | O_CREAT | O_EXCL,
        O_RDWR | O_SYNC,
        O_RDWR | O_DSYNC,
        O_RDWR | O_NOCTTY,
        O_RDWR | O_ASYNC,
        O_RDWR | O_NOATIME,
    };
    const long lookup = O_NOFOLLOW | O_PATH | O_LARGE;
    static const char *const tails[] = {"", "/", "/.", "/..", "/x", "/x/"};

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        for (size_t t = 0; t < sizeof(tails) / sizeof(tails[0]); t++) {
            char ours[64], theirs[64];
            long want, got;

            snprintf(ours, sizeof(ours), "%s%s", NODE, tails[t]);
            snprintf(theirs, sizeof(theirs), "%s%s", ORACLE, tails[t]);
            want = try_open(theirs, flags[i]);
            got = try_open(ours, flags[i]);
            /* F_GETFL of ours does not say how the name was looked up. */
            if (want >= 0 ? got < 0 || ((got ^ want) & ~lookup) != 0
                          : got != want) {
                fprintf(stderr, "%s flags %#x: %ld, not %ld\n", ours, flags[i],
                        got, want);
                _exit(1);
            }
        }
    }
}

static void open__o_direct__einval(void)
{
    EXPECT_ERRNO(open(NODE, O_RDWR | O_DIRECT), EINVAL);
}

static void openat2__any_how__as_a_real_device(void)
{
    static const struct open_how hows[] = {
        {.flags = O_RDWR},
        {.flags = O_RDWR | O_CLOEXEC},
        {.flags = O_RDWR, .mode = 0600},
        {.flags = O_RDWR | O_CREAT, .mode = 0600},
        {.flags = O_RDWR | O_CREAT, .mode = 0100000},
        {.flags = 1ull << 40},
        {.flags = 1u << 30},
        {.flags = O_PATH},
        {.flags = O_PATH | O_RDWR},
        {.flags = O_RDWR, .resolve = RESOLVE_NO_SYMLINKS},
        {.flags = O_RDWR, .resolve = RESOLVE_NO_MAGICLINKS},
        {.flags = O_RDWR, .resolve = RESOLVE_BENEATH},
        {.flags = O_RDWR, .resolve = RESOLVE_NO_XDEV},
        {.flags = O_RDWR, .resolve = 1u << 20},
        {.flags = O_DIRECTORY},
    };

    for (size_t i = 0; i < sizeof(hows) / sizeof(hows[0]); i++) {
        long want = raw(
            syscall(SYS_openat2, AT_FDCWD, ORACLE, &hows[i], sizeof(hows[i])));
        long got = raw(
            syscall(SYS_openat2, AT_FDCWD, NODE, &hows[i], sizeof(hows[i])));

        if ((want >= 0) != (got >= 0) || (want < 0 && got != want)) {
            fprintf(stderr, "how %zu: %ld, not %ld\n", i, got, want);
            _exit(1);
        }
    }
}

static void openat2__sizes__as_linux(void)
{
    struct {
        struct open_how how;
        uint64_t tail[2];
    } big = {.how = {.flags = O_RDWR}};

    EXPECT(syscall(SYS_openat2, AT_FDCWD, NODE, &big, sizeof(big)) >= 0);
    big.tail[1] = 1;
    EXPECT_ERRNO(syscall(SYS_openat2, AT_FDCWD, NODE, &big, sizeof(big)),
                 E2BIG);
    EXPECT_ERRNO(syscall(SYS_openat2, AT_FDCWD, NODE, &big, 23), EINVAL);
    EXPECT_ERRNO(syscall(SYS_openat2, AT_FDCWD, NODE, NULL, 24), EFAULT);
}

static void open__every_system_call__works(void)
{
    struct open_how how = {.flags = O_RDWR};

    EXPECT(ioctl((int)syscall(SYS_openat, AT_FDCWD, NODE, O_RDWR),
                 FAKE_WRITABLE) == 1);
    EXPECT(ioctl((int)syscall(SYS_openat2, AT_FDCWD, NODE, &how, sizeof(how)),
                 FAKE_WRITABLE) == 1);
#ifdef SYS_open
    EXPECT(ioctl((int)syscall(SYS_open, NODE, O_RDONLY), FAKE_WRITABLE) == 0);
    EXPECT(ioctl((int)syscall(SYS_creat, NODE, 0600), FAKE_WRITABLE) == 1);
#endif
}

static void open__cloexec__as_asked(void)
{
    EXPECT(fcntl(open_node(O_RDWR | O_CLOEXEC), F_GETFD) == FD_CLOEXEC);
    EXPECT(fcntl(open_node(O_RDWR), F_GETFD) == 0);
}

static void open__descriptor__lowest_free(void)
{
    int lowest = dup(0);

    EXPECT(close(lowest) == 0);
    EXPECT(open_node(O_RDWR) == lowest);
    EXPECT(open_node(O_RDWR) == lowest + 1);
}

static void open__over_the_limit__emfile(void)
{
    struct rlimit limit = {.rlim_cur = 16, .rlim_max = 16};
    int last = -1;
    int fd;

    EXPECT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    while ((fd = open(NODE, O_RDWR)) >= 0) {
        last = fd;
    }
    EXPECT(errno == EMFILE && last == 15);
    EXPECT(close(last) == 0);
    EXPECT(open_node(O_RDWR) == last);
}

static void open__thousands_of_times__no_descriptor_left(void)
{
    for (int i = 0; i < 3000; i++) {
        EXPECT(close(open_node(O_RDWR | O_CLOEXEC)) == 0);
    }
}

static void open__path_only__ioctl_is_ebadf(void)
{
    EXPECT_ERRNO(ioctl(open_node(O_PATH), FAKE_NOP), EBADF);
}

static void open__bad_pointers__as_linux(void)
{
    long page = sysconf(_SC_PAGESIZE);
    size_t size = sizeof(NODE);
    char *two = mmap(NULL, (size_t)page * 2, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char longest[5000];

    EXPECT(munmap(two + page, (size_t)page) == 0);
    memcpy(two + page - size, NODE, size);
    EXPECT(open(two + page - size, O_RDWR) >= 0);
    memcpy(two + page - size + 1, NODE, size - 1);
    EXPECT_ERRNO(open(two + page - size + 1, O_RDWR), EFAULT);
    EXPECT_ERRNO(syscall(SYS_openat, AT_FDCWD, NULL, O_RDWR), EFAULT);
    EXPECT_ERRNO(syscall(SYS_openat, AT_FDCWD, (void *)1, O_RDWR), EFAULT);
    memset(longest, '/', sizeof(longest));
    strcpy(longest + sizeof(longest) - 20, NODE);
    EXPECT_ERRNO(open(longest, O_RDWR), ENAMETOOLONG);
    EXPECT_ERRNO(open("", O_RDWR), ENOENT);
    EXPECT_ERRNO(syscall(SYS_newfstatat, AT_FDCWD, NODE, NULL, 0), EFAULT);
    EXPECT_ERRNO(syscall(SYS_statx, AT_FDCWD, NODE, 0, STATX_ALL, NULL),
                 EFAULT);
}

static void check_node(const struct stat *st)
{
    EXPECT(S_ISCHR(st->st_mode) && (st->st_mode & 07777) == 0666);
    EXPECT(major(st->st_rdev) == 10 && minor(st->st_rdev) == MINOR);
    EXPECT(st->st_nlink == 1 && st->st_size == 0 && st->st_uid == 0);
}

static void stat__every_system_call__character_device(void)
{
    struct stat st;
    struct statx x;

    EXPECT(syscall(SYS_newfstatat, AT_FDCWD, NODE, &st, 0) == 0);
    check_node(&st);
    EXPECT(syscall(SYS_newfstatat, AT_FDCWD, NODE, &st, AT_SYMLINK_NOFOLLOW) ==
           0);
    check_node(&st);
#ifdef SYS_stat
    EXPECT(syscall(SYS_stat, NODE, &st) == 0);
    check_node(&st);
    EXPECT(syscall(SYS_lstat, NODE, &st) == 0);
    check_node(&st);
#endif
    EXPECT(syscall(SYS_statx, AT_FDCWD, NODE, 0, STATX_ALL, &x) == 0);
    EXPECT(S_ISCHR(x.stx_mode) && x.stx_rdev_major == 10 &&
           x.stx_rdev_minor == MINOR);
    EXPECT((x.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
    EXPECT(x.stx_ino == st.st_ino &&
           makedev(x.stx_dev_major, x.stx_dev_minor) == st.st_dev);
}

static void fstat__every_system_call__same_as_stat(void)
{
    static const int flags[] = {O_RDONLY, O_WRONLY, O_RDWR, O_PATH};
    struct stat want, st;
    struct statx x;

    EXPECT(stat(NODE, &want) == 0);
    for (int i = 0; i < 4; i++) {
        int fd = dup(open_node(flags[i]));

        memset(&st, 0xff, sizeof(st));
        EXPECT(syscall(SYS_fstat, fd, &st) == 0);
        EXPECT(memcmp(&st, &want, sizeof(st)) == 0);
        memset(&st, 0xff, sizeof(st));
        EXPECT(syscall(SYS_newfstatat, fd, "", &st, AT_EMPTY_PATH) == 0);
        EXPECT(memcmp(&st, &want, sizeof(st)) == 0);
        EXPECT(syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_ALL, &x) == 0);
        EXPECT(S_ISCHR(x.stx_mode) && x.stx_ino == want.st_ino);
    }
    EXPECT(fstat(0, &st) == 0);
    EXPECT(st.st_ino != want.st_ino);
}

static void same(const char *what, int flags, int mode, const long got[2])
{
    if (got[0] != got[1]) {
        fprintf(stderr, "%s flags %#x mode %d: %ld, not %ld\n", what, flags,
                mode, got[1], got[0]);
        _exit(1);
    }
}

static void probes__flags_and_modes__as_a_real_device(void)
{
    static const int at_flags[] = {0,
                                   AT_SYMLINK_NOFOLLOW,
                                   AT_EMPTY_PATH,
                                   AT_EACCESS,
                                   AT_NO_AUTOMOUNT,
                                   1,
                                   0x6000,
                                   0x4000};
    static const char *const paths[2] = {ORACLE, NODE};
    struct stat st;
    struct statx x;
    long got[2];

    for (int f = 0; f < 8; f++) {
        int flags = at_flags[f];

        for (int mode = -1; mode < 9; mode++) {
            for (int p = 0; p < 2; p++) {
                got[p] = raw(
                    syscall(SYS_faccessat2, AT_FDCWD, paths[p], mode, flags));
            }
            same("faccessat2", flags, mode, got);
        }
        for (int p = 0; p < 2; p++) {
            got[p] =
                raw(syscall(SYS_newfstatat, AT_FDCWD, paths[p], &st, flags));
        }
        same("newfstatat", flags, 0, got);
        for (int p = 0; p < 2; p++) {
            got[p] = raw(syscall(SYS_statx, AT_FDCWD, paths[p], flags, 7, &x));
        }
        same("statx", flags, 0, got);
    }
    EXPECT_ERRNO(syscall(SYS_statx, AT_FDCWD, NODE, 0, 0x80000000u, &x),
                 EINVAL);
}

static void access_and_readlink__every_system_call__as_linux(void)
{
    struct stat st;
    char buf[16];

    for (int size = -1; size < 16; size += 8) {
        EXPECT_ERRNO(syscall(SYS_readlinkat, AT_FDCWD, NODE, buf, size),
                     EINVAL);
    }
#ifdef SYS_access
    EXPECT_ERRNO(syscall(SYS_readlink, NODE, buf, 16), EINVAL);
    EXPECT(syscall(SYS_access, NODE, R_OK | W_OK) == 0);
    EXPECT_ERRNO(syscall(SYS_access, NODE, X_OK), EACCES);
#endif
    EXPECT(syscall(SYS_faccessat, AT_FDCWD, NODE, F_OK) == 0);
    EXPECT_ERRNO(access(NODE "/", F_OK), ENOTDIR);
    EXPECT_ERRNO(stat(NODE "/x", &st), ENOTDIR);
}

static void xattr__of_a_node__none(void)
{
    char buf[16];

    EXPECT_ERRNO(getxattr(NODE, "user.x", buf, 16), ENODATA);
    EXPECT_ERRNO(lgetxattr(NODE, "user.x", buf, 16), ENODATA);
    EXPECT(listxattr(NODE, buf, 16) == 0);
    EXPECT(llistxattr(NODE, buf, 16) == 0);
}

static void neighbours__of_a_node__as_they_are(void)
{
    struct stat st;

    EXPECT_ERRNO(open("/dev/swpsp-fak", O_RDWR), ENOENT);
    EXPECT_ERRNO(open("/dev/swpsp-fake2", O_RDWR), ENOENT);
    EXPECT_ERRNO(open("/swpsp-fake", O_RDWR), ENOENT);
    EXPECT_ERRNO(stat("/tmp/swpsp-fake", &st), ENOENT);
    EXPECT(stat("/dev/null", &st) == 0 && major(st.st_rdev) == 1);
}

static void node__in_no_directory__opens(void)
{
    EXPECT(ioctl(open(DEEP, O_RDWR), FAKE_WRITABLE) == 1);
    EXPECT(ioctl(open("//nowhere/./at//all/node", O_RDWR), FAKE_WRITABLE) == 1);
    EXPECT_ERRNO(open("/nowhere/at/all", O_RDONLY), ENOENT);
}

static void reopen__through_proc__as_a_device(void)
{
    char path[64], text[64] = {0};
    int fd = open_node(O_RDONLY);
    int again;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    again = open(path, O_RDWR);
    EXPECT(again >= 0 && ioctl(again, FAKE_WRITABLE) == 1);
    EXPECT(ioctl(fd, FAKE_WRITABLE) == 0);
    EXPECT(readlink(path, text, sizeof(text)) == (ssize_t)strlen(NODE));
    EXPECT(strcmp(text, NODE) == 0);
    snprintf(path, sizeof(path), "/dev/fd/%d", fd);
    EXPECT(ioctl(open(path, O_WRONLY), FAKE_WRITABLE) == 1);
    snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getpid(), fd);
    EXPECT(ioctl(open(path, O_WRONLY), FAKE_WRITABLE) == 1);
}

static void forged__memfd_of_the_same_name__not_a_device(void)
{
    int fd = open_node(O_RDWR);
    const char *start = "swpsp-swpsp-fake:rw"; /* as run_table.c names it */
    int mine;

    mine = memfd_create(start, 0);
    EXPECT(mine >= 0 && mine != fd);
    EXPECT_ERRNO(ioctl(mine, FAKE_NOP), ENOTTY);
    EXPECT(ioctl(fd, FAKE_NOP) == 0);
}

static void private__mode_0600__for_its_owner(void)
{
    struct stat st;

    EXPECT(stat(PRIVATE, &st) == 0 && (st.st_mode & 07777) == 0600);
    if (geteuid() == 0) {
        EXPECT(ioctl(open(PRIVATE, O_RDWR), FAKE_WRITABLE) == 1);
        EXPECT(access(PRIVATE, R_OK | W_OK) == 0);
        EXPECT(setegid(65534) == 0 && seteuid(65534) == 0);
        EXPECT(access(PRIVATE, R_OK) == 0); /* by the real user */
        EXPECT_ERRNO(faccessat(AT_FDCWD, PRIVATE, R_OK, AT_EACCESS), EACCES);
    }
    EXPECT_ERRNO(open(PRIVATE, O_RDONLY), EACCES);
    EXPECT_ERRNO(open(PRIVATE, O_WRONLY), EACCES);
    EXPECT(open(PRIVATE, O_PATH) >= 0);
    EXPECT(access(PRIVATE, F_OK) == 0);
}

static void probe__directory__exists_only(void)
{
    struct stat st;

    EXPECT(stat(PROBE, &st) == 0 && S_ISDIR(st.st_mode));
    EXPECT(stat(PROBE "/", &st) == 0);
    EXPECT(access(PROBE, F_OK) == 0);
    EXPECT_ERRNO(open(PROBE, O_RDONLY), EACCES);
    EXPECT_ERRNO(open(PROBE, O_RDWR), EISDIR);
    EXPECT_ERRNO(open(PROBE "/x", O_RDONLY), ENOENT);
}

static void probe__contents__read_only(void)
{
    char buf[8] = {0};
    struct stat st;
    int fd;

    for (int i = 0; i < 2; i++) {
        fd = open(CONTENTS, O_RDONLY);
        EXPECT(fd >= 0 && read(fd, buf, sizeof(buf)) == 2);
        EXPECT(memcmp(buf, "Y\n", 2) == 0);
    }
    EXPECT(fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 2);
    EXPECT(stat(CONTENTS, &st) == 0 && st.st_size == 2);
    EXPECT((st.st_mode & 07777) == 0444);
    EXPECT_ERRNO(open(CONTENTS, O_RDWR), EACCES);
    EXPECT_ERRNO(ioctl(fd, FAKE_NOP), ENOTTY);
}

/* As a program that knows msr(4) reads a register. */
static void probe__device__read_where_its_contents_are(void)
{
    char buf[8] = {0};
    struct stat st;
    int fd;

    if (geteuid() != 0) { /* its mode is 0640, and it is root's */
        EXPECT_ERRNO(open(REGISTER, O_RDWR), EACCES);
        return;
    }
    fd = open(REGISTER, O_RDWR);
    EXPECT(fd >= 0);
    EXPECT(lseek(fd, REGISTER_AT, SEEK_SET) == REGISTER_AT);
    EXPECT(read(fd, buf, sizeof(buf)) == 8);
    EXPECT(memcmp(buf, "\1\2\3\4\5\6\7\10", 8) == 0);
    EXPECT(pread(fd, buf, sizeof(buf), REGISTER_AT - 8) == 8);
    EXPECT(memcmp(buf, "\0\0\0\0\0\0\0\0", 8) == 0);
    EXPECT(pread(fd, buf, sizeof(buf), REGISTER_AT + 8) == 0);
    EXPECT_ERRNO(pwrite(fd, buf, sizeof(buf), REGISTER_AT), EPERM);
    EXPECT_ERRNO(ioctl(fd, FAKE_NOP), ENOTTY);
    EXPECT(stat(REGISTER, &st) == 0 && S_ISCHR(st.st_mode));
    EXPECT((st.st_mode & 07777) == 0640 && st.st_rdev == makedev(202, 7));
    EXPECT(st.st_size == 0 && st.st_blocks == 0);
}

static struct client clients[] = {
#define C(name)                                                                \
    {                                                                          \
#name, name                                                            \
    }
    C(open__each_access_mode__seen_by_device),
    C(open__any_flags__as_a_real_device),
    C(open__o_direct__einval),
    C(openat2__any_how__as_a_real_device),
    C(openat2__sizes__as_linux),
    C(open__every_system_call__works),
    C(open__cloexec__as_asked),
    C(open__descriptor__lowest_free),
    C(open__over_the_limit__emfile),
    C(open__thousands_of_times__no_descriptor_left),
    C(open__path_only__ioctl_is_ebadf),
    C(open__bad_pointers__as_linux),
    C(stat__every_system_call__character_device),
    C(fstat__every_system_call__same_as_stat),
    C(probes__flags_and_modes__as_a_real_device),
    C(access_and_readlink__every_system_call__as_linux),
    C(xattr__of_a_node__none),
    C(neighbours__of_a_node__as_they_are),
    C(node__in_no_directory__opens),
    C(reopen__through_proc__as_a_device),
    C(forged__memfd_of_the_same_name__not_a_device),
    C(private__mode_0600__for_its_owner),
    C(probe__directory__exists_only),
    C(probe__contents__read_only),
    C(probe__device__read_where_its_contents_are),
#undef C
};
#define CLIENTS (sizeof(clients) / sizeof(clients[0]))

static int refused(const struct run_config *config, char *error)
{
    char *argv[] = {tst_dup("true", 5), NULL};
    struct run_config c = *config;
    int status = -1;
    int err;

    c.argv = argv;
    err = seccomp_run(&c, &status, error);
    assert_true(err == 0 || status == 125);
    assert_true(err == 0 || strchr(error, '\n') == NULL);
    free(argv[0]);
    return err;
}

static void existing_node__not_forced__refused(void **state)
{
    struct run_node node = fake_node(ORACLE, 0666);
    struct run_config config = {.nodes = &node, .node_count = 1};
    char error[RUN_ERROR_SIZE];

    (void)state;
    assert_int_equal(refused(&config, error), -EEXIST);
    assert_non_null(strstr(error, ORACLE));
}

static void existing_probe__not_forced__refused(void **state)
{
    struct run_probe probe = {.path = "/proc/version"};
    struct run_config config = {.probes = &probe, .probe_count = 1};
    char error[RUN_ERROR_SIZE];

    (void)state;
    assert_int_equal(refused(&config, error), -EEXIST);
}

static void paths__not_plain_or_twice__einval(void **state)
{
    static const char *const bad[] = {"dev/x",   "/",    "",        "/dev//x",
                                      "/dev/x/", "/./x", "/a/../x", "/x/..",
                                      "/x/.",    NULL};
    char error[RUN_ERROR_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct run_node node = fake_node(bad[i], 0666);
        struct run_config config = {.nodes = &node, .node_count = 1};

        assert_int_equal(refused(&config, error), -EINVAL);
    }
    {
        struct run_node twice[2] = {fake_node(NODE, 0666),
                                    fake_node(NODE, 0666)};
        struct run_config config = {.nodes = twice, .node_count = 2};

        assert_int_equal(refused(&config, error), -EINVAL);
    }
}

/* Not in the table of clients: it runs with a node over /dev/null. */
static void shadowed(void)
{
    EXPECT(ioctl(open(ORACLE, O_RDWR), FAKE_WRITABLE) == 1);
}

static void existing_node__forced__shadowed(void **state)
{
    struct run_node node = fake_node(ORACLE, 0666);
    struct run_config config = {.nodes = &node, .node_count = 1, .force = true};

    (void)state;
    assert_int_equal(run_client(&config, "shadowed"), 0);
}

static void probe__source__the_host_file(void **state)
{
    struct run_probe probes[] = {
        {.path = "/sys/swpsp-source", .source = "/proc/version"},
        {.path = "/sys/swpsp-dir", .directory = true, .source = "/proc/self"},
    };
    struct run_config config = {.probes = probes, .probe_count = 2};
    char sh[] = "sh", c[] = "-c";
    char script[] = "cmp /proc/version /sys/swpsp-source && "
                    "ls /sys/swpsp-dir | grep -q '^mountinfo$' && "
                    "test -d /sys/swpsp-dir && test ! -w /sys/swpsp-source";
    char *argv[] = {sh, c, script, NULL};

    (void)state;
    if (geteuid() == 0) {
        script[strlen(script) - strlen(" && test ! -w /sys/swpsp-source")] = 0;
    }
    assert_int_equal(fake_run(&config, argv), 0);
}

static void ls__of_a_node__no_complaint(void **state)
{
    char sh[] = "sh", c[] = "-c";
    char script[] =
        "out=$(ls -l " NODE " 2>&1) && "
        "case $out in 'crw-rw-rw- 1 root root 10, 117 '*) ;; "
        "*) echo \"$out\"; exit 1; esac && [ -c " NODE " ] && "
        "[ -w " NODE " ] && [ \"$(realpath " NODE ")\" = " NODE " ]";
    char *argv[] = {sh, c, script, NULL};

    (void)state;
    assert_int_equal(fake_run(NULL, argv), 0);
}

int main(int argc, char **argv)
{
    static struct client more[] = {{"shadowed", shadowed}};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(existing_node__not_forced__refused),
        cmocka_unit_test(existing_probe__not_forced__refused),
        cmocka_unit_test(paths__not_plain_or_twice__einval),
        cmocka_unit_test(existing_node__forced__shadowed),
        cmocka_unit_test(probe__source__the_host_file),
        cmocka_unit_test(ls__of_a_node__no_complaint),
    };
    struct CMUnitTest all[CLIENTS + sizeof(tests) / sizeof(tests[0])];

    be_client(argc, argv, clients, CLIENTS);
    be_client(argc, argv, more, 1);
    for (size_t i = 0; i < CLIENTS; i++) {
        all[i] = client_test(&clients[i]);
    }
    memcpy(all + CLIENTS, tests, sizeof(tests));
    return cmocka_run_group_tests_name("seccomp_open", all, NULL, NULL);
}
