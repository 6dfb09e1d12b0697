/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon cannot do any more: each attempt is made in a process of its
 * own that has entered the sandbox. */
#include "tst.h"

#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Exit status of the child: 0 as expected; the errno otherwise. */
typedef bool (*attempt)(void);

static void in_sandbox(bool fuse, attempt what)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        if (sandbox_enter(fuse ? SANDBOX_FUSE : 0) != 0) {
            _exit(100);
        }
        _exit(what() ? 0 : errno == 0 ? 101 : errno);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static bool is_eperm(long result)
{
    return result == -1 && errno == EPERM;
}

static bool try_execve(void)
{
    char *const argv[] = {(char[]){"true"}, NULL};

    return is_eperm(execve("/bin/true", argv, argv + 1));
}

static bool try_execveat(void)
{
    char *const argv[] = {(char[]){"true"}, NULL};

    return is_eperm(
        syscall(SYS_execveat, AT_FDCWD, "/bin/true", argv, argv + 1, 0));
}

static bool try_fork(void)
{
    return is_eperm(syscall(SYS_fork)) && is_eperm(syscall(SYS_vfork));
}

static bool try_clone_process(void)
{
    return is_eperm(syscall(SYS_clone, 17 /* SIGCHLD */, 0, 0, 0, 0)) &&
           syscall(SYS_clone3, NULL, 0) == -1 && errno == ENOSYS;
}

static bool try_sockets(void)
{
    return is_eperm(socket(AF_INET, SOCK_STREAM, 0)) &&
           is_eperm(socket(AF_INET6, SOCK_DGRAM, 0)) &&
           is_eperm(socket(AF_NETLINK, SOCK_RAW, 0)) &&
           is_eperm(socket(AF_UNIX, SOCK_STREAM, 0)) &&
           is_eperm(syscall(SYS_connect, 0, NULL, 0));
}

static bool try_others(void)
{
    char byte;
    struct iovec iov = {&byte, 1};

    return is_eperm(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL)) &&
           is_eperm(process_vm_readv(getppid(), &iov, 1, &iov, 1, 0)) &&
           is_eperm(syscall(SYS_kill, getppid(), 0)) &&
           is_eperm(syscall(SYS_ioctl, 0, 0, 0));
}

static bool try_privileges(void)
{
    return is_eperm(syscall(SYS_setuid, 0)) &&
           is_eperm(mount("none", "/mnt", "tmpfs", 0, NULL)) &&
           is_eperm(unshare(CLONE_NEWUSER)) &&
           is_eperm(syscall(SYS_bpf, 0, NULL, 0)) &&
           is_eperm(prctl(PR_SET_SECCOMP, 2, NULL)) &&
           is_eperm(syscall(SYS_io_uring_setup, 1, NULL)) &&
           is_eperm(chmod("/tmp", 0777)) && is_eperm(chown("/tmp", 0, 0));
}

static bool try_executable_memory(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool refused = p == MAP_FAILED && errno == EPERM;

    p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return refused && p != MAP_FAILED &&
           is_eperm(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static void *nothing(void *arg)
{
    return arg;
}

static bool do_work(void)
{
    char path[] = "/tmp/swpsp-sandbox-XXXXXX";
    pthread_t thread;
    int fd = mkstemp(path);
    bool ok = fd >= 0 && write(fd, "x", 1) == 1 && fsync(fd) == 0 &&
              unlink(path) == 0 && close(fd) == 0;

    return ok && pthread_create(&thread, NULL, nothing, NULL) == 0 &&
           pthread_join(thread, NULL) == 0;
}

static bool has_no_new_privs(void)
{
    char line[128];
    bool found = false;
    FILE *f = fopen("/proc/self/status", "r");

    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        found |= strcmp(line, "NoNewPrivs:\t1\n") == 0;
    }
    return found;
}

static bool reads_memory(void)
{
    char from = 'a', to = 'b';
    struct iovec here = {&to, 1}, there = {&from, 1};

    return process_vm_readv(getpid(), &here, 1, &there, 1, 0) == 1 &&
           to == 'a' && try_execve() && try_sockets();
}

static int waiting;

static void *try_later(void *arg)
{
    bool *refused = arg;

    while (__atomic_load_n(&waiting, __ATOMIC_ACQUIRE) == 0) {
        sched_yield();
    }
    *refused = is_eperm(socket(AF_INET, SOCK_STREAM, 0));
    return NULL;
}

static void test_threads_that_run_already__are_in_it(void **state)
{
    int status = 0;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        bool refused = false;
        pthread_t thread;

        if (pthread_create(&thread, NULL, try_later, &refused) != 0 ||
            sandbox_enter(0) != 0) {
            _exit(100);
        }
        __atomic_store_n(&waiting, 1, __ATOMIC_RELEASE);
        (void)pthread_join(thread, NULL);
        _exit(refused ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void test_drop__is_for_good(void **state)
{
    int status = 0;
    pid_t pid;

    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    pid = fork();
    if (pid == 0) {
        bool ok = sandbox_act_as(65534, 65534) == 0 && geteuid() == 65534 &&
                  sandbox_act_as_root() == 0 && geteuid() == 0 &&
                  sandbox_drop(65534, 65534) == 0 && getuid() == 65534 &&
                  getgid() == 65534 && setuid(0) != 0 && seteuid(0) != 0 &&
                  setgid(0) != 0;

        _exit(ok ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void test_lookup(void **state)
{
    char error[SANDBOX_ERROR_SIZE] = "";
    uid_t uid = 7;
    gid_t gid = 8;

    (void)state;
    assert_int_equal(sandbox_lookup(NULL, NULL, &uid, &gid, error), 0);
    assert_int_equal(uid, 7);
    assert_int_equal(gid, 8);
    assert_int_equal(sandbox_lookup("1234", NULL, &uid, &gid, error), 0);
    assert_int_equal(uid, 1234);
    assert_int_equal(gid, 1234);
    assert_int_equal(sandbox_lookup("root", "4321", &uid, &gid, error), 0);
    assert_int_equal(uid, 0);
    assert_int_equal(gid, 4321);
    assert_int_equal(sandbox_lookup("no-such", NULL, &uid, &gid, error),
                     -ENOENT);
    assert_string_equal(error, "no user 'no-such'");
    assert_int_equal(sandbox_lookup(NULL, "4294967295", &uid, &gid, error),
                     -ENOENT);
}

struct row {
    const char *name;
    attempt what;
    bool fuse;
};

static const struct row ROWS[] = {
    {"execve__refused", try_execve, false},
    {"execveat__refused", try_execveat, false},
    {"fork__refused", try_fork, false},
    {"clone_of_a_process__refused", try_clone_process, false},
    {"new_sockets__refused", try_sockets, false},
    {"other_processes__out_of_reach", try_others, false},
    {"privileges__refused", try_privileges, false},
    {"executable_memory__refused", try_executable_memory, false},
    {"files_and_threads__work", do_work, false},
    {"no_new_privs__set", has_no_new_privs, false},
    {"fuse__reads_memory_and_runs_nothing", reads_memory, true},
};

static void test_row(void **state)
{
    const struct row *row = *state;

    in_sandbox(row->fuse, row->what);
}

int main(void)
{
    struct CMUnitTest tests[sizeof(ROWS) / sizeof(ROWS[0]) + 3] = {
        cmocka_unit_test(test_threads_that_run_already__are_in_it),
        cmocka_unit_test(test_drop__is_for_good),
        cmocka_unit_test(test_lookup),
    };

    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        tests[3 + i] = (struct CMUnitTest){
            .name = ROWS[i].name,
            .test_func = test_row,
            .initial_state = (void *)(uintptr_t)&ROWS[i],
        };
    }
    return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
