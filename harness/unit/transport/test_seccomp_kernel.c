/* SPDX-License-Identifier: Apache-2.0 */
/* Older kernels and stricter containers, imitated by a filter of libseccomp's
 * under which the whole supervisor runs. */
#include "fake.h"

#include <libseccomp.h>
#include <linux/seccomp.h>

#include <sys/time.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#define NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)

struct limit {
    const char *test, *client;
    int err; /* of seccomp_run() */
    void (*impose)(scmp_filter_ctx ctx);
};

static void check(int err)
{
    if (err != 0) {
        fprintf(stderr, "libseccomp: %d\n", err);
        _exit(1);
    }
}

/* Docker without CAP_SYS_PTRACE, before version 19. */
static void no_process_vm(scmp_filter_ctx ctx)
{
    check(seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM),
                           SCMP_SYS(process_vm_readv), 0));
    check(seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM),
                           SCMP_SYS(process_vm_writev), 0));
    check(seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(kcmp), 0));
    check(
        seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(pidfd_getfd), 0));
}

static void no_sync_wake_up(scmp_filter_ctx ctx)
{
    check(seccomp_rule_add(
        ctx, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(ioctl), 1,
        SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, (uint32_t)NOTIF_SET_FLAGS)));
}

/* Linux 5.14 to 5.18. */
static void no_killable_wait(scmp_filter_ctx ctx)
{
    no_sync_wake_up(ctx);
    check(seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(seccomp), 1,
                           SCMP_A1(SCMP_CMP_MASKED_EQ,
                                   SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
                                   SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)));
}

static void no_memfd_noexec(scmp_filter_ctx ctx)
{
    check(seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(memfd_create),
                           1, SCMP_A1(SCMP_CMP_MASKED_EQ, 8, 8)));
}

/* Before 5.14; 0xFFFF0000: the size that the number encodes may differ. */
static void no_addfd(scmp_filter_ctx ctx)
{
    check(seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(ioctl), 1,
                           SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffff, 0x2103)));
}

static void no_listener(scmp_filter_ctx ctx)
{
    check(seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(seccomp), 1,
                           SCMP_A1(SCMP_CMP_MASKED_EQ,
                                   SECCOMP_FILTER_FLAG_NEW_LISTENER,
                                   SECCOMP_FILTER_FLAG_NEW_LISTENER)));
}

static void no_seccomp(scmp_filter_ctx ctx)
{
    check(seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(seccomp), 0));
}

static void forbidden(scmp_filter_ctx ctx)
{
    check(seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(seccomp), 0));
}

static int echo(int fd)
{
    uint8_t data[3] = {1, 2, 3};
    struct fake_echo e = {(uintptr_t)data, 3, 0};

    return ioctl(fd, FAKE_ECHO, &e) == 0 && data[2] == 4 && e.result == 3;
}

static void basics(void)
{
    struct stat st;
    int fd = open_node(O_RDWR);

    EXPECT(fstat(fd, &st) == 0 && S_ISCHR(st.st_mode));
    EXPECT(stat(NODE, &st) == 0 && S_ISCHR(st.st_mode));
    for (int i = 0; i < 50; i++) {
        EXPECT(echo(fd));
    }
    EXPECT_ERRNO(ioctl(fd, FAKE_ECHO, 8), EFAULT);
}

static void ignore(int sig)
{
    (void)sig;
}

/* Signals may repeat a call on such a kernel, but nothing gets stuck. */
static void interrupted(void)
{
    const struct itimerval timer = {{0, 20000}, {0, 20000}};
    const struct itimerval off = {{0, 0}, {0, 0}};
    struct sigaction act = {.sa_handler = ignore};
    int fd = open_node(O_RDWR);

    EXPECT(sigaction(SIGALRM, &act, NULL) == 0);
    EXPECT(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    EXPECT_ERRNO(ioctl(fd, FAKE_SLOW, 60), EINTR);
    EXPECT(setitimer(ITIMER_REAL, &off, NULL) == 0);
    basics();
}

static struct limit limits[] = {
    {"without_process_vm__mem_file_instead", "basics", 0, no_process_vm},
    {"without_sync_wake_up__works", "basics", 0, no_sync_wake_up},
    {"without_killable_wait__works", "interrupted", 0, no_killable_wait},
    {"without_noexec_memfd__works", "basics", 0, no_memfd_noexec},
    {"without_addfd__enosys", "basics", -ENOSYS, no_addfd},
    {"without_listener__enosys", "basics", -ENOSYS, no_listener},
    {"without_seccomp__enosys", "basics", -ENOSYS, no_seccomp},
    {"seccomp_forbidden__eperm", "basics", -EPERM, forbidden},
};

static void impose(const struct limit *l)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

    if (ctx == NULL) {
        _exit(1);
    }
    l->impose(ctx);
    check(seccomp_load(ctx));
    seccomp_release(ctx);
}

/* The limit cannot be taken back: in a process of its own. */
static void test_limit(void **state)
{
    const struct limit *l = *state;
    pid_t pid = fork();
    int status = -1;

    if (pid == 0) {
        char self[4096], mode[] = "client", name[32];
        char *argv[] = {self, mode, name, NULL};
        struct run_node node = fake_node(NODE, 0666);
        struct run_config config = {
            .nodes = &node, .node_count = 1, .argv = argv};
        char error[RUN_ERROR_SIZE];
        int code = -1;
        int err;

        snprintf(self, sizeof(self), "%s", self_path());
        snprintf(name, sizeof(name), "%s", l->client);
        impose(l);
        err = seccomp_run(&config, &code, error);
        if (err != l->err || code != (err == 0 ? 0 : 125) ||
            (err != 0) != (error[0] != '\0')) {
            fprintf(stderr, "%s: %d, status %d, \"%s\"\n", l->test, err, code,
                    error);
            _exit(1);
        }
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(int argc, char **argv)
{
    static const struct client clients[] = {{"basics", basics},
                                            {"interrupted", interrupted}};
    struct CMUnitTest tests[sizeof(limits) / sizeof(limits[0])] = {0};

    be_client(argc, argv, clients, 2);
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        tests[i] = (struct CMUnitTest){.name = limits[i].test,
                                       .test_func = test_limit,
                                       .initial_state = &limits[i]};
    }
    return cmocka_run_group_tests_name("seccomp_kernel", tests, NULL, NULL);
}
