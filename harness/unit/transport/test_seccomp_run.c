/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp_run() as a wrapper of commands: exit status, failures to start,
 * inheritance, what outlives the program, signals, the terminal. */
#include "fake.h"

#include <dirent.h>
#include <pty.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static void sleep_ms(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* --- exit status -------------------------------------------------------- */

static int run_words(const struct run_config *base, const char *const *words)
{
    char *argv[8] = {NULL};
    int status;
    size_t n = 0;

    for (; words[n] != NULL; n++) {
        argv[n] = tst_dup(words[n], strlen(words[n]) + 1);
    }
    status = fake_run(base, argv);
    while (n > 0) {
        free(argv[--n]);
    }
    return status;
}

static int run_shell(const struct run_config *base, const char *script)
{
    const char *const words[] = {"sh", "-c", script, NULL};

    return run_words(base, words);
}

static void exit_status__any__as_a_shell_says(void **state)
{
    (void)state;
    assert_int_equal(run_shell(NULL, "exit 0"), 0);
    assert_int_equal(run_shell(NULL, "exit 3"), 3);
    assert_int_equal(run_shell(NULL, "exit 255"), 255);
    assert_int_equal(run_shell(NULL, "kill -TERM $$"), 128 + SIGTERM);
    assert_int_equal(run_shell(NULL, "kill -KILL $$"), 128 + SIGKILL);
}

struct start_case {
    const char *name, *program;
    int err, status;
};

static struct start_case start_cases[] = {
    {"start__not_found_by_path__127", "/nowhere/swpsp", -ENOENT, 127},
    {"start__not_found_on_path__127", "swpsp-no-such-command", -ENOENT, 127},
    {"start__not_executable__126", "/etc/passwd", -EACCES, 126},
    {"start__directory__126", "/etc", -EACCES, 126},
    {"start__below_a_file__126", "/etc/passwd/x", -ENOTDIR, 126},
};

static void test_start(void **state)
{
    const struct start_case *c = *state;
    char *argv[] = {tst_dup(c->program, strlen(c->program) + 1), NULL};
    struct run_node node = fake_node(NODE, 0666);
    struct run_config config = {.nodes = &node, .node_count = 1, .argv = argv};
    char error[RUN_ERROR_SIZE];
    int status = -1;

    assert_int_equal(seccomp_run(&config, &status, error), c->err);
    assert_int_equal(status, c->status);
    assert_non_null(strstr(error, c->program));
    assert_null(strchr(error, '\n'));
    free(argv[0]);
}

static void start__script_without_interpreter__run_by_sh(void **state)
{
    char *dir = tst_mkdtemp();
    char path[4096];
    const char *words[] = {path, NULL};

    (void)state;
    snprintf(path, sizeof(path), "%s/script", dir);
    tst_write_file(path, "exit 9\n", 7);
    assert_int_equal(chmod(path, 0700), 0);
    assert_int_equal(run_words(NULL, words), 9);
    tst_rmdir(dir);
}

static void start__no_program__einval(void **state)
{
    char *argv[] = {NULL};
    struct run_config config = {.argv = argv};
    char error[RUN_ERROR_SIZE];
    int status = -1;

    (void)state;
    assert_int_equal(seccomp_run(&config, &status, error), -EINVAL);
    assert_int_equal(status, 125);
}

static void no_nodes__program__runs(void **state)
{
    struct run_config config = {0};
    char name[] = "true";
    char *argv[] = {name, NULL};
    char error[RUN_ERROR_SIZE];
    int status = -1;

    (void)state;
    config.argv = argv;
    assert_int_equal(seccomp_run(&config, &status, error), 0);
    assert_int_equal(status, 0);
}

static void note_pid(void *ctx, int pid)
{
    *(int *)ctx = pid;
}

static void started__callback__has_the_pid(void **state)
{
    int pid = 0;
    struct run_config config = {.started = note_pid, .ctx = &pid};

    (void)state;
    assert_int_equal(run_shell(&config, "exit 0"), 0);
    assert_true(pid > 1 && pid != getpid());
}

/* --- inheritance -------------------------------------------------------- */

/* Descriptor 9 was left open on purpose; nothing of ours may be. */
static void only_inherited_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *e;

    EXPECT(fcntl(9, F_GETFD) == 0);
    EXPECT(dir != NULL);
    while ((e = readdir(dir)) != NULL) {
        char text[256] = {0};

        if (readlinkat(dirfd(dir), e->d_name, text, sizeof(text) - 1) > 0) {
            EXPECT(strstr(text, "seccomp") == NULL);
            EXPECT(strstr(text, "memfd:") == NULL);
            EXPECT(strstr(text, "signalfd") == NULL);
            EXPECT(strncmp(text, "socket:", 7) != 0 || atoi(e->d_name) < 3);
        }
    }
    EXPECT(closedir(dir) == 0);
}

static void descriptors__of_the_supervisor__not_inherited(void **state)
{
    int fd = open("/dev/null", O_RDONLY);

    (void)state;
    assert_int_equal(dup2(fd, 9), 9);
    assert_int_equal(run_client(NULL, "only_inherited_descriptors"), 0);
    close(fd);
    close(9);
}

static int open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    while (readdir(dir) != NULL) {
        count++;
    }
    closedir(dir);
    return count;
}

static void supervisor__afterwards__as_before(void **state)
{
    int before, subreaper = -1;
    sigset_t mask, now;

    (void)state;
    (void)run_shell(NULL, "exit 0");
    before = open_descriptors();
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
    for (int i = 0; i < 3; i++) {
        (void)run_shell(NULL, "exec 3<>" NODE);
    }
    assert_int_equal(open_descriptors(), before);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &now), 0);
    for (int sig = 1; sig < NSIG; sig++) {
        assert_int_equal(sigismember(&now, sig), sigismember(&mask, sig));
    }
    assert_int_equal(prctl(PR_GET_CHILD_SUBREAPER, &subreaper, 0, 0, 0), 0);
    assert_int_equal(subreaper, 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void signal_state__of_the_caller__inherited(void)
{
    struct sigaction act;
    sigset_t mask;

    EXPECT(sigaction(SIGHUP, NULL, &act) == 0 && act.sa_handler == SIG_IGN);
    EXPECT(sigaction(SIGCHLD, NULL, &act) == 0 && act.sa_handler == SIG_DFL);
    EXPECT(sigaction(SIGURG, NULL, &act) == 0 && act.sa_handler == SIG_DFL);
    EXPECT(sigprocmask(SIG_BLOCK, NULL, &mask) == 0);
    EXPECT(sigismember(&mask, SIGWINCH) == 1);
    EXPECT(sigismember(&mask, SIGTERM) == 0);
    EXPECT(sigismember(&mask, SIGCHLD) == 0);
}

static void signals__ignored_or_blocked__inherited(void **state)
{
    sigset_t winch, old;

    (void)state;
    sigemptyset(&winch);
    sigaddset(&winch, SIGWINCH);
    assert_int_equal(sigprocmask(SIG_BLOCK, &winch, &old), 0);
    signal(SIGHUP, SIG_IGN);
    assert_int_equal(run_client(NULL, "signal_state__of_the_caller__inherited"),
                     0);
    signal(SIGHUP, SIG_DFL);
    assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
}

/* --- a run inside a run -------------------------------------------------- */

static void nested(void)
{
    char name[] = "true";
    char *argv[] = {name, NULL};
    struct run_node node = fake_node("/dev/swpsp-inner", 0666);
    struct run_config config = {.nodes = &node, .node_count = 1, .argv = argv};
    char error[RUN_ERROR_SIZE];
    int status = -1;

    EXPECT(seccomp_run(&config, &status, error) == -EBUSY);
    EXPECT(status == 125 && strstr(error, "already") != NULL);
    EXPECT(ioctl(open_node(O_RDWR), FAKE_NOP) == 0);
}

static void run__inside_a_run__ebusy(void **state)
{
    (void)state;
    assert_int_equal(run_client(NULL, "nested"), 0);
}

/* --- what outlives the program ------------------------------------------- */

/* Leaves a daemon behind that goes on to use the node. */
static void outlived(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        EXPECT(setsid() > 0);
        if (fork() != 0) {
            _exit(0);
        }
        sleep_ms(150);
        EXPECT(ioctl(open_node(O_RDWR), FAKE_SLOW, 50) == 7);
        _exit(44);
    }
    expect_child(pid);
    _exit(5);
}

static void program__outlived__served_to_the_last(void **state)
{
    (void)state;
    atomic_store(&fake.slow, 0);
    assert_int_equal(run_client(NULL, "outlived"), 5);
    assert_int_equal(atomic_load(&fake.slow), 1);
}

static void program__ended__rest_killed_on_request(void **state)
{
    struct run_config config = {.end_with_program = true};
    double start = now_ms();

    (void)state;
    assert_int_equal(
        run_shell(&config,
                  "(sleep 30; sleep 30) & (setsid sleep 30 &) ; exit 6"),
        6);
    assert_true(now_ms() - start < 10000);
}

/* --- signals ------------------------------------------------------------- */

static volatile sig_atomic_t caught;

static void catch (int sig)
{
    (void)sig;
    caught++;
}

/* Says "r" when ready, waits, and exits with the number of signals caught. */
static void count_signals(void)
{
    struct sigaction act = {.sa_handler = catch};
    int marker = atoi(getenv("SWPSP_READY"));

    EXPECT(sigaction(SIGTERM, &act, NULL) == 0);
    EXPECT(sigaction(SIGINT, &act, NULL) == 0);
    EXPECT(sigaction(SIGUSR1, &act, NULL) == 0);
    if (getenv("SWPSP_NEW_GROUP") != NULL) {
        EXPECT(setpgid(0, 0) == 0);
    }
    EXPECT(write(marker, "r", 1) == 1);
    for (int i = 0; i < 300 && caught == 0; i++) {
        sleep_ms(10);
    }
    sleep_ms(100); /* for a second one */
    _exit(caught);
}

/* A supervisor in a process group of its own; returns when its program is
 * ready. */
static pid_t start_supervisor(const char *client, bool new_group)
{
    int ready[2];
    char byte, number[16];
    pid_t pid;

    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        /* A shell's background job ignores it. */
        signal(SIGINT, SIG_DFL);
        signal(SIGQUIT, SIG_DFL);
        snprintf(number, sizeof(number), "%d", ready[1]);
        setenv("SWPSP_READY", number, 1);
        if (new_group) {
            setenv("SWPSP_NEW_GROUP", "1", 1);
        }
        _exit(run_client(NULL, client));
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static int exit_of(pid_t pid)
{
    int status = -1;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256;
}

static void signal__to_the_supervisor__forwarded_once(void **state)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGUSR1};

    (void)state;
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        pid_t pid = start_supervisor("count_signals", false);

        assert_int_equal(kill(pid, signals[i]), 0);
        assert_int_equal(exit_of(pid), 1);
    }
}

static void signal__to_the_group__not_doubled(void **state)
{
    pid_t pid = start_supervisor("count_signals", false);

    (void)state;
    assert_int_equal(kill(-pid, SIGTERM), 0);
    assert_int_equal(exit_of(pid), 1);
}

static void signal__program_in_another_group__forwarded(void **state)
{
    pid_t pid = start_supervisor("count_signals", true);

    (void)state;
    assert_int_equal(kill(-pid, SIGTERM), 0);
    assert_int_equal(exit_of(pid), 1);
}

static void wait_to_be_killed(void)
{
    EXPECT(write(atoi(getenv("SWPSP_READY")), "r", 1) == 1);
    sleep_ms(20000);
    _exit(1);
}

static void signal__default_action__ends_the_program(void **state)
{
    pid_t pid = start_supervisor("wait_to_be_killed", false);

    (void)state;
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(exit_of(pid), 128 + SIGTERM);
}

/* The program ends; a daemon of it waits to be killed. */
static void leave_a_waiter(void)
{
    int marker = atoi(getenv("SWPSP_READY"));
    pid_t program = getpid();

    if (fork() == 0) {
        EXPECT(setsid() > 0);
        while (getppid() == program) {
            sleep_ms(5);
        }
        sleep_ms(50); /* until the supervisor has noticed */
        EXPECT(write(marker, "r", 1) == 1);
        sleep_ms(20000);
        _exit(1);
    }
    _exit(7);
}

static void signal__after_the_program__ends_what_is_left(void **state)
{
    pid_t pid = start_supervisor("leave_a_waiter", false);
    double start = now_ms();

    (void)state;
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(exit_of(pid), 7);
    assert_true(now_ms() - start < 10000);
}

static void supervisor__killed__program_dies(void **state)
{
    double start = now_ms();
    int ready[2];
    char byte;
    pid_t pid;
    int status;

    (void)state;
    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        char number[16];

        close(ready[0]);
        snprintf(number, sizeof(number), "%d", ready[1]);
        setenv("SWPSP_READY", number, 1);
        _exit(run_client(NULL, "wait_to_be_killed"));
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    /* The end of the pipe comes when the last holder is gone. */
    assert_int_equal(read(ready[0], &byte, 1), 0);
    assert_true(now_ms() - start < 10000);
    close(ready[0]);
}

static void terminal__ctrl_c__seen_once(void **state)
{
    int master, ready[2];
    char byte, number[16];
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(ready), 0);
    pid = forkpty(&master, NULL, NULL, NULL);
    assert_true(pid >= 0);
    if (pid == 0) {
        snprintf(number, sizeof(number), "%d", ready[1]);
        setenv("SWPSP_READY", number, 1);
        _exit(run_client(NULL, "count_signals"));
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(write(master, "\003", 1), 1);
    assert_int_equal(exit_of(pid), 1);
    close(ready[0]);
    close(master);
}

static void in_terminal(void)
{
    char line[16] = {0};

    EXPECT(isatty(0) && isatty(1));
    EXPECT(tcgetpgrp(0) == getpgrp());
    EXPECT(write(atoi(getenv("SWPSP_READY")), "r", 1) == 1);
    EXPECT(read(0, line, sizeof(line)) == 3 && memcmp(line, "ok\n", 3) == 0);
}

static void terminal__of_the_caller__usable(void **state)
{
    int master, ready[2];
    char byte, number[16];
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(ready), 0);
    pid = forkpty(&master, NULL, NULL, NULL);
    assert_true(pid >= 0);
    if (pid == 0) {
        snprintf(number, sizeof(number), "%d", ready[1]);
        setenv("SWPSP_READY", number, 1);
        _exit(run_client(NULL, "in_terminal"));
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(write(master, "ok\n", 3), 3);
    assert_int_equal(exit_of(pid), 0);
    close(ready[0]);
    close(master);
}

static struct client clients[] = {
#define C(name)                                                                \
    {                                                                          \
#name, name                                                            \
    }
    C(only_inherited_descriptors),
    C(signal_state__of_the_caller__inherited),
    C(nested),
    C(outlived),
    C(count_signals),
    C(wait_to_be_killed),
    C(leave_a_waiter),
    C(in_terminal),
#undef C
};

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_status__any__as_a_shell_says),
        {start_cases[0].name, test_start, NULL, NULL, &start_cases[0]},
        {start_cases[1].name, test_start, NULL, NULL, &start_cases[1]},
        {start_cases[2].name, test_start, NULL, NULL, &start_cases[2]},
        {start_cases[3].name, test_start, NULL, NULL, &start_cases[3]},
        {start_cases[4].name, test_start, NULL, NULL, &start_cases[4]},
        cmocka_unit_test(start__script_without_interpreter__run_by_sh),
        cmocka_unit_test(start__no_program__einval),
        cmocka_unit_test(no_nodes__program__runs),
        cmocka_unit_test(started__callback__has_the_pid),
        cmocka_unit_test(descriptors__of_the_supervisor__not_inherited),
        cmocka_unit_test(supervisor__afterwards__as_before),
        cmocka_unit_test(signals__ignored_or_blocked__inherited),
        cmocka_unit_test(run__inside_a_run__ebusy),
        cmocka_unit_test(program__outlived__served_to_the_last),
        cmocka_unit_test(program__ended__rest_killed_on_request),
        cmocka_unit_test(signal__to_the_supervisor__forwarded_once),
        cmocka_unit_test(signal__to_the_group__not_doubled),
        cmocka_unit_test(signal__program_in_another_group__forwarded),
        cmocka_unit_test(signal__default_action__ends_the_program),
        cmocka_unit_test(signal__after_the_program__ends_what_is_left),
        cmocka_unit_test(supervisor__killed__program_dies),
        cmocka_unit_test(terminal__ctrl_c__seen_once),
        cmocka_unit_test(terminal__of_the_caller__usable),
    };

    be_client(argc, argv, clients, sizeof(clients) / sizeof(clients[0]));
    return cmocka_run_group_tests_name("seccomp_run", tests, NULL, NULL);
}
