/* SPDX-License-Identifier: Apache-2.0 */
/* usage: check_killed DEVICE DELAY
 * DEVICE is served by `devd null DELAY`: SNP_GET_REPORT takes three calls of
 * the server, DELAY milliseconds each, and answers how many calls there were
 * and how many ioctls got through. Clients are killed in each of the calls,
 * alone and on a file that others have open too: those that were killed before
 * the last call must have had no effect, and nobody else may notice. Prints "ok
 * - what" or "not ok - what"; exit status 0 or 1. */
#include <linux/sev-guest.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CALLS   3
#define THREADS 6
#define TRIES   20 /* other work may come in between */

#define TOO_SOON 99u

static const char *device;
static unsigned int delay_ms;
static unsigned int failed;

struct numbers {
    uint64_t runs, done;
};

static void result(bool good, const char *what)
{
    failed += !good;
    printf("%sok - %s\n", good ? "" : "not ", what);
}

static bool ask(int fd, struct numbers *out)
{
    struct snp_report_resp resp = {0};
    struct snp_report_req req = {0};
    struct snp_guest_request_ioctl io = {
        .msg_version = 1,
        .req_data = (uint64_t)(uintptr_t)&req,
        .resp_data = (uint64_t)(uintptr_t)&resp,
    };

    if (ioctl(fd, SNP_GET_REPORT, &io) != 0) {
        perror("# ioctl");
        return false;
    }
    memcpy(out, resp.data, sizeof(*out));
    return true;
}

static void sleep_ms(unsigned int ms)
{
    const struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};

    nanosleep(&t, NULL);
}

/* A child of its own file, or of ours, that dies @ms after it has asked. */
static bool kill_after(int shared, unsigned int ms)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        int fd = shared >= 0 ? shared : open(device, O_RDONLY);
        struct numbers n;

        for (;;) {
            (void)ask(fd, &n);
        }
    }
    sleep_ms(ms);
    kill(pid, SIGKILL);
    return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status);
}

/* One client is killed in the middle of call @step, or where the machine's mood
 * has it. Returns the call, or 0 when something is wrong. */
static unsigned int kill_one(int fd, bool shared, unsigned int step)
{
    struct numbers before, after;
    uint64_t calls, done;

    if (!ask(fd, &before) ||
        !kill_after(shared ? fd : -1, step * delay_ms - delay_ms / 2) ||
        !ask(fd, &after)) {
        return 0;
    }
    calls = after.runs - before.runs - CALLS; /* without our own */
    done = after.done - before.done - 1;
    if (done != calls / CALLS) {
        printf("# %u calls, %u ioctls\n", (unsigned int)calls,
               (unsigned int)done);
        return 0;
    }
    return calls == 0 ? TOO_SOON : (unsigned int)(calls - 1) % CALLS + 1;
}

static void check_steps(int fd, bool shared)
{
    char what[96];

    for (unsigned int step = 1; step <= CALLS; step++) {
        unsigned int got = TOO_SOON;

        for (int i = 0; i < TRIES && got != step && got != 0; i++) {
            got = kill_one(fd, shared, step);
        }
        snprintf(what, sizeof(what), "killed in call %u of its %s file", step,
                 shared ? "shared" : "own");
        result(got == step, what);
    }
}

static int thread_fd;

static void *worker(void *arg)
{
    struct numbers n = {0};

    (void)arg;
    return ask(thread_fd, &n) && n.done > 0 ? NULL : &thread_fd;
}

/* They all wait in the server at once. */
static void check_threads(int fd)
{
    pthread_t thread[THREADS];
    struct timespec a, b;
    bool good = true;
    void *bad;
    long ms;

    thread_fd = fd;
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&thread[i], NULL, worker, NULL);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], &bad);
        good = good && bad == NULL;
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    ms = (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000;
    result(good, "threads wait in the server side by side");
    result(ms < (long)delay_ms * CALLS * THREADS, "and not for one another");
}

static void ignore(int sig)
{
    (void)sig;
}

static void check_signals(int fd)
{
    const struct sigaction act = {.sa_handler = ignore}; /* no SA_RESTART */
    const struct itimerval often = {{0, 7000}, {0, 7000}};
    const struct itimerval never = {{0, 0}, {0, 0}};
    struct numbers n;

    sigaction(SIGALRM, &act, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    result(ask(fd, &n) && ask(fd, &n), "signals interrupt nobody");
    setitimer(ITIMER_REAL, &never, NULL);
}

int main(int argc, char **argv)
{
    int fd;

    if (argc != 3) {
        fprintf(stderr, "usage: check_killed DEVICE DELAY\n");
        return 64;
    }
    device = argv[1];
    delay_ms = (unsigned int)strtoul(argv[2], NULL, 0);
    fd = open(device, O_RDONLY);
    if (fd < 0) {
        perror(device);
        return 1;
    }
    check_steps(fd, false);
    check_steps(fd, true);
    check_threads(fd);
    check_signals(fd);
    close(fd);
    return failed == 0 ? 0 : 1;
}
