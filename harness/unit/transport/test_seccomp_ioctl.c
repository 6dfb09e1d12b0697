/* SPDX-License-Identifier: Apache-2.0 */
/* ioctls through the supervisor: memory, errors, threads, processes, signals.
 */
#include "fake.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define THREADS 8
#define EACH    200

static int echo(int fd, void *data, uint64_t size)
{
    struct fake_echo e = {(uintptr_t)data, size, 0};
    int r = ioctl(fd, FAKE_ECHO, &e);

    EXPECT(r != 0 || e.result == size);
    return r;
}

static uint8_t *pages(size_t count)
{
    void *p = mmap(NULL, count * 4096, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    EXPECT(p != MAP_FAILED);
    return p;
}

static void memory__any_size__read_and_written(void)
{
    static const size_t sizes[] = {0, 1, 7, 4095, 4096, 4097, 65536};
    uint8_t *p = pages(20);
    int fd = open_node(O_RDWR);

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        memset(p, 0, 20 * 4096);
        memset(p + 100, 41, sizes[i]);
        EXPECT(echo(fd, p + 100, sizes[i]) == 0);
        for (size_t k = 0; k < 20 * 4096; k++) {
            EXPECT(p[k] == (k >= 100 && k < 100 + sizes[i] ? 42 : 0));
        }
    }
}

static void memory__cannot_be_read__efault(void)
{
    uint8_t *p = pages(3);
    int fd = open_node(O_RDWR);

    EXPECT(munmap(p + 4096, 4096) == 0);
    EXPECT(mprotect(p + 2 * 4096, 4096, PROT_NONE) == 0);
    EXPECT_ERRNO(ioctl(fd, FAKE_ECHO, NULL), EFAULT);
    EXPECT_ERRNO(ioctl(fd, FAKE_ECHO, p + 4096), EFAULT);
    EXPECT_ERRNO(ioctl(fd, FAKE_ECHO, p + 4096 - 8), EFAULT);
    EXPECT_ERRNO(ioctl(fd, FAKE_ECHO, 1ull << 63), EFAULT);
    EXPECT_ERRNO(ioctl(fd, FAKE_ECHO, ~0ull), EFAULT);
    EXPECT_ERRNO(ioctl(fd, FAKE_ECHO, 0x7ffffffff000ull - 8), EFAULT);
    EXPECT_ERRNO(echo(fd, NULL, 1), EFAULT);
    EXPECT_ERRNO(echo(fd, p + 4095, 2), EFAULT);
    EXPECT_ERRNO(echo(fd, p + 2 * 4096, 1), EFAULT);
    EXPECT(echo(fd, p, 4096) == 0);
    EXPECT(echo(fd, NULL, 0) == 0);
}

static void memory__cannot_be_written__efault_after_execution(void)
{
    struct fake_echo *e = (struct fake_echo *)pages(1);
    uint8_t *p = pages(1);
    int fd = open_node(O_RDWR);

    *e = (struct fake_echo){(uintptr_t)p, 4, 0};
    EXPECT(mprotect(e, 4096, PROT_READ) == 0);
    EXPECT_ERRNO(ioctl(fd, FAKE_ECHO, e), EFAULT);
    EXPECT(p[0] == 1 && p[3] == 1 && e->result == 0);
    EXPECT(mprotect(p, 4096, PROT_READ) == 0);
    EXPECT_ERRNO(echo(fd, p, 4), EFAULT);
    EXPECT(p[0] == 1);
}

static void result__any__passed(void)
{
    int fd = open_node(O_RDWR);

    EXPECT(ioctl(fd, FAKE_NOP) == 0);
    EXPECT(ioctl(fd, FAKE_SLOW, 0) == 7);
    EXPECT_ERRNO(ioctl(fd, FAKE_FAIL, 5), EIO);
    EXPECT_ERRNO(ioctl(fd, FAKE_FAIL, EFAULT), EFAULT);
    EXPECT_ERRNO(ioctl(fd, FAKE_FAIL, 524), 524);
    EXPECT_ERRNO(ioctl(fd, FAKE_FAIL, ENOSYS), ENOSYS);
}

static void request__unknown__device_is_asked(void)
{
    static const uint32_t numbers[] = {0x53ff,     0xC0105300, 0x80045301,
                                       0x1234,     0xdeadbeef, 0,
                                       0xffffffff, 0xC0205303};
    int fd = open_node(O_RDONLY);

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        EXPECT_ERRNO(syscall(SYS_ioctl, fd, (unsigned long)numbers[i], 0),
                     EDOM);
        /* Results above INT32_MAX are cut by ioctl(3), not by us. */
        EXPECT((uint32_t)syscall(SYS_ioctl, fd, FAKE_REQUEST, 0) == numbers[i]);
    }
}

static void request__of_a_busy_type__enotty(void)
{
    static const uint32_t numbers[] = {0x5401, 0x8901, 0xC0106400, 0xAE00};
    int fd = open_node(O_RDONLY);

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        EXPECT_ERRNO(syscall(SYS_ioctl, fd, (unsigned long)numbers[i], 0),
                     ENOTTY);
    }
}

static void request__high_half__ignored(void)
{
    int fd = open_node(O_RDWR);

    EXPECT(syscall(SYS_ioctl, fd, 0xabcd00000000ull | FAKE_WRITABLE, 0) == 1);
    EXPECT(syscall(SYS_ioctl, 0xabcd00000000ull | (unsigned int)fd,
                   (unsigned long)FAKE_WRITABLE, 0) == 1);
}

static void request__of_the_file_layer__answered_by_it(void)
{
    int fd = open_node(O_RDWR);
    int one = 1;

    EXPECT(ioctl(fd, 0x5451) == 0); /* FIOCLEX */
    EXPECT(fcntl(fd, F_GETFD) == FD_CLOEXEC);
    EXPECT(ioctl(fd, 0x5421, &one) == 0); /* FIONBIO */
    EXPECT((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    EXPECT(ioctl(fd, 2, &one) == 0 && one == 4096); /* FIGETBSZ */
    EXPECT(!isatty(fd));
}

static void ioctl__other_files__as_they_are(void)
{
    int fd = open("/dev/null", O_RDWR);
    int node = open_node(O_RDWR);

    EXPECT(node > fd);
    EXPECT_ERRNO(ioctl(fd, FAKE_NOP), ENOTTY);
    EXPECT_ERRNO(ioctl(-1, FAKE_NOP), EBADF);
    EXPECT_ERRNO(ioctl(999, FAKE_NOP), EBADF);
    EXPECT(close(node) == 0);
    EXPECT_ERRNO(ioctl(node, FAKE_NOP), EBADF);
}

static void other_operations__on_a_node__harmless(void)
{
    int fd = open_node(O_RDWR);
    char b = 1;

    EXPECT_ERRNO(write(fd, &b, 1), EPERM);
    EXPECT(read(fd, &b, 1) == 0);
    EXPECT_ERRNO(ftruncate(fd, 4096), EPERM);
    EXPECT(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
    EXPECT(fchmod(fd, 0) == 0);
    EXPECT(ioctl(open_node(O_RDWR), FAKE_WRITABLE) == 1);
}

static void *hammer(void *arg)
{
    int fd = arg == NULL ? open_node(O_RDWR | O_CLOEXEC) : *(int *)arg;
    uint8_t data[64];

    for (int i = 0; i < EACH; i++) {
        memset(data, i, sizeof(data));
        EXPECT(echo(fd, data, sizeof(data)) == 0);
        EXPECT(data[0] == (uint8_t)(i + 1) && data[63] == (uint8_t)(i + 1));
    }
    return NULL;
}

static void threads__hammering__all_right(void)
{
    pthread_t t[THREADS];
    int fd = open_node(O_RDWR);

    for (int i = 0; i < THREADS; i++) {
        EXPECT(pthread_create(&t[i], NULL, hammer, i % 2 ? &fd : NULL) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        EXPECT(pthread_join(t[i], NULL) == 0);
    }
}

static void processes__hammering__all_right(void)
{
    pid_t pid[THREADS];
    int fd = open_node(O_RDWR);

    for (int i = 0; i < THREADS; i++) {
        pid[i] = fork();
        if (pid[i] == 0) {
            hammer(i % 2 ? &fd : NULL);
            _exit(0);
        }
    }
    for (int i = 0; i < THREADS; i++) {
        expect_child(pid[i]);
    }
}

static void duplicate__any_way__same_device(void)
{
    int fd = open_node(O_WRONLY);

    EXPECT(ioctl(dup(fd), FAKE_WRITABLE) == 1);
    EXPECT(dup2(fd, 77) == 77 && ioctl(77, FAKE_WRITABLE) == 1);
    EXPECT(ioctl(fcntl(fd, F_DUPFD_CLOEXEC, 100), FAKE_WRITABLE) == 1);
    EXPECT(close(fd) == 0);
    EXPECT(ioctl(77, FAKE_WRITABLE) == 1);
}

static void inherit__fork_and_exec__same_device(void)
{
    int fd = open_node(O_RDONLY);
    int closed = open_node(O_RDONLY | O_CLOEXEC);
    char number[2][16];
    pid_t pid;

    snprintf(number[0], sizeof(number[0]), "%d", fd);
    snprintf(number[1], sizeof(number[1]), "%d", closed);
    pid = fork();
    if (pid == 0) {
        EXPECT(ioctl(fd, FAKE_WRITABLE) == 0);
        EXPECT(setenv("SWPSP_OPEN", number[0], 1) == 0);
        EXPECT(setenv("SWPSP_CLOSED", number[1], 1) == 0);
        execl("/proc/self/exe", "test", "client", "inherited", (char *)NULL);
        _exit(1);
    }
    expect_child(pid);
}

static void inherited(void)
{
    EXPECT(ioctl(atoi(getenv("SWPSP_OPEN")), FAKE_WRITABLE) == 0);
    EXPECT_ERRNO(ioctl(atoi(getenv("SWPSP_CLOSED")), FAKE_NOP), EBADF);
}

static void vfork__child_opens__works(void)
{
    pid_t pid = vfork();

    if (pid == 0) {
        int fd = open(NODE, O_RDWR);

        _exit(fd >= 0 && ioctl(fd, FAKE_NOP) == 0 ? 0 : 1);
    }
    expect_child(pid);
}

static void send_fd(int sock, int fd)
{
    char byte = 0, control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec iov = {&byte, 1};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control,
                         .msg_controllen = sizeof(control)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof(fd));
    EXPECT(sendmsg(sock, &msg, 0) == 1);
}

static void passed__over_a_socket__same_device(void)
{
    char byte, control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec iov = {&byte, 1};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control,
                         .msg_controllen = sizeof(control)};
    int pair[2];
    pid_t pid;
    int fd;

    EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    pid = fork();
    if (pid == 0) {
        send_fd(pair[1], open_node(O_WRONLY));
        _exit(0);
    }
    EXPECT(recvmsg(pair[0], &msg, 0) == 1);
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
    EXPECT(ioctl(fd, FAKE_WRITABLE) == 1);
    expect_child(pid);
}

static volatile sig_atomic_t caught;

static void catch (int sig)
{
    (void)sig;
    caught++;
}

static void on_signal(int sig, int flags)
{
    struct sigaction act = {.sa_handler = catch, .sa_flags = flags};

    EXPECT(sigaction(sig, &act, NULL) == 0);
}

static void slow_with_alarm(int flags)
{
    const struct itimerval timer = {{0, 3000}, {0, 3000}};
    const struct itimerval off = {{0, 0}, {0, 0}};
    int fd = open_node(O_RDWR);

    on_signal(SIGALRM, flags);
    EXPECT(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    EXPECT(ioctl(fd, FAKE_SLOW, 50) == 7);
    EXPECT(setitimer(ITIMER_REAL, &off, NULL) == 0);
    EXPECT(caught >= 1);
}

static void signals__during_a_slow_ioctl__not_interrupted(void)
{
    slow_with_alarm(0);
}

static void signals__with_sa_restart__not_repeated(void)
{
    slow_with_alarm(SA_RESTART);
}

static void wait_for_blocked(int fd, int count)
{
    const struct timespec tick = {.tv_nsec = 1000000};

    while (ioctl(fd, FAKE_BLOCKED) != count) {
        nanosleep(&tick, NULL);
    }
}

static void killed__in_the_middle__others_go_on(void)
{
    int fd = open_node(O_RDWR);
    uint8_t data[8] = {0};
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        ioctl(fd, FAKE_BLOCK);
        _exit(0);
    }
    wait_for_blocked(fd, 1);
    EXPECT(kill(pid, SIGKILL) == 0);
    EXPECT(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
    EXPECT(echo(fd, data, sizeof(data)) == 0 && data[0] == 1);
    EXPECT(ioctl(fd, FAKE_RELEASE) == 0);
    wait_for_blocked(fd, 0);
    EXPECT(echo(fd, data, sizeof(data)) == 0 && data[0] == 2);
}

static void blocked__many__others_go_on(void)
{
    int fd = open_node(O_RDWR);
    pid_t pid[20];

    for (int i = 0; i < 20; i++) {
        pid[i] = fork();
        if (pid[i] == 0) {
            _exit(ioctl(fd, FAKE_BLOCK) == 8 ? 0 : 1);
        }
    }
    wait_for_blocked(fd, 20);
    EXPECT(close(open_node(O_RDWR)) == 0);
    EXPECT(ioctl(fd, FAKE_RELEASE) == 0);
    for (int i = 0; i < 20; i++) {
        expect_child(pid[i]);
    }
    for (int i = 0; i < 500; i++) {
        EXPECT(ioctl(fd, FAKE_NOP) == 0);
    }
}

static void undumpable__client__sees_the_machine_as_it_is(void)
{
    int fd = open_node(O_RDWR);

    if (geteuid() == 0) {
        return; /* root's supervisor may trace everything */
    }
    EXPECT(prctl(PR_SET_DUMPABLE, 0) == 0);
    EXPECT_ERRNO(open(NODE, O_RDWR), ENOENT);
    EXPECT_ERRNO(ioctl(fd, FAKE_NOP), ENOTTY);
    EXPECT(open("/dev/null", O_RDWR) >= 0);
}

#if defined(__x86_64__)
/* The system call gate of 32-bit programs, from a 64-bit one. */
static long call32(long nr, long a, long b, long c, long d)
{
    long r;

    __asm__ volatile("int $0x80"
                     : "=a"(r)
                     : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d)
                     : "memory", "r8", "r9", "r10", "r11");
    return (int)r;
}

static void *low_page(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

    EXPECT(p != MAP_FAILED);
    return p;
}

static void caller_32_bit__open_and_ioctl__enotty(void)
{
    char *low = low_page();
    long path = (long)(uintptr_t)strcpy(low, NODE);
    long st = path + 1024;
    uint32_t mode;
    long fd;

    if (call32(20, 0, 0, 0, 0) < 0) {
        return; /* a kernel without 32-bit programs */
    }
    fd = call32(5, path, O_RDWR, 0, 0); /* open */
    EXPECT(fd >= 0);
    EXPECT(call32(54, fd, FAKE_NOP, 0, 0) == -ENOTTY); /* ioctl */
    EXPECT(ioctl((int)fd, FAKE_WRITABLE) == 1);
    EXPECT(call32(295, AT_FDCWD, path, O_RDONLY, 0) >= 0); /* openat */
    EXPECT(call32(33, path, R_OK, 0, 0) == 0);             /* access */
    EXPECT(call32(195, path, st, 0, 0) == 0);              /* stat64 */
    memcpy(&mode, low + 1024 + 16, sizeof(mode));
    EXPECT(S_ISCHR(mode) && (mode & 07777) == 0666);
    memset(low + 1024, 0, 96);
    EXPECT(call32(197, fd, st, 0, 0) == 0); /* fstat64 */
    memcpy(&mode, low + 1024 + 16, sizeof(mode));
    EXPECT(S_ISCHR(mode));
}

/* What the kernel itself writes for a file of which all is known. */
static void caller_32_bit__stat64__laid_out_as_linux(void)
{
    char *low = low_page();
    long st = (long)(uintptr_t)low + 1024;
    uint8_t ours[96];
    struct stat want;
    uint64_t rdev, ino;
    uint32_t ino32;

    if (call32(20, 0, 0, 0, 0) < 0) {
        return;
    }
    EXPECT(stat(NODE, &want) == 0);
    strcpy(low, "/dev/null");
    EXPECT(call32(195, (long)(uintptr_t)low, st, 0, 0) == 0);
    memcpy(&rdev, low + 1024 + 32, 8);
    EXPECT(rdev == 0x103); /* the offset is the kernel's */
    strcpy(low, NODE);
    memset(low + 1024, 0xff, 96);
    EXPECT(call32(195, (long)(uintptr_t)low, st, 0, 0) == 0);
    memcpy(ours, low + 1024, sizeof(ours));
    memcpy(&rdev, ours + 32, 8);
    memcpy(&ino, ours + 88, 8);
    memcpy(&ino32, ours + 12, 4);
    EXPECT(rdev == want.st_rdev && ino == want.st_ino && ino32 == want.st_ino);
}
#endif

static struct client clients[] = {
#define C(name)                                                                \
    {                                                                          \
#name, name                                                            \
    }
    C(memory__any_size__read_and_written),
    C(memory__cannot_be_read__efault),
    C(memory__cannot_be_written__efault_after_execution),
    C(result__any__passed),
    C(request__unknown__device_is_asked),
    C(request__of_a_busy_type__enotty),
    C(request__high_half__ignored),
    C(request__of_the_file_layer__answered_by_it),
    C(ioctl__other_files__as_they_are),
    C(other_operations__on_a_node__harmless),
    C(threads__hammering__all_right),
    C(processes__hammering__all_right),
    C(duplicate__any_way__same_device),
    C(inherit__fork_and_exec__same_device),
    C(vfork__child_opens__works),
    C(passed__over_a_socket__same_device),
    C(signals__during_a_slow_ioctl__not_interrupted),
    C(signals__with_sa_restart__not_repeated),
    C(killed__in_the_middle__others_go_on),
    C(blocked__many__others_go_on),
    C(undumpable__client__sees_the_machine_as_it_is),
#if defined(__x86_64__)
    C(caller_32_bit__open_and_ioctl__enotty),
    C(caller_32_bit__stat64__laid_out_as_linux),
#endif
#undef C
};
#define CLIENTS (sizeof(clients) / sizeof(clients[0]))

/* What the clients cannot see: how often the device was really asked. */
static void test_counted(void **state)
{
    const struct client *c = *state;

    atomic_store(&fake.slow, 0);
    atomic_store(&fake.echoes, 0);
    atomic_store(&fake.committed, 0);
    test_client(state);
    if (strncmp(c->name, "signals__", 9) == 0) {
        assert_int_equal(atomic_load(&fake.slow), 1);
    } else if (strstr(c->name, "__hammering__") != NULL) {
        assert_int_equal(atomic_load(&fake.echoes), THREADS * EACH);
    } else if (strncmp(c->name, "killed__", 8) == 0) {
        assert_int_equal(atomic_load(&fake.committed), 0);
    }
}

int main(int argc, char **argv)
{
    static struct client more[] = {{"inherited", inherited}};
    struct CMUnitTest all[CLIENTS];

    be_client(argc, argv, clients, CLIENTS);
    be_client(argc, argv, more, 1);
    for (size_t i = 0; i < CLIENTS; i++) {
        all[i] = client_test(&clients[i]);
        all[i].test_func = test_counted;
    }
    return cmocka_run_group_tests_name("seccomp_ioctl", all, NULL, NULL);
}
