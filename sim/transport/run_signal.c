/* SPDX-License-Identifier: Apache-2.0 */
#include "run_signal.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const int forwarded[] = {SIGINT,  SIGTERM, SIGHUP,
                                SIGQUIT, SIGUSR1, SIGUSR2};
#define FORWARDED (sizeof(forwarded) / sizeof(forwarded[0]))

/* Those that the caller ignores (nohup) stay ignored. */
static void forward_set(sigset_t *set)
{
    struct sigaction now;

    sigemptyset(set);
    for (size_t i = 0; i < FORWARDED; i++) {
        if (sigaction(forwarded[i], NULL, &now) == 0 &&
            now.sa_handler != SIG_IGN) {
            sigaddset(set, forwarded[i]);
        }
    }
}

/* The helper: asked by one byte, it takes what has come to it and answers with
 * a mask. It ends with its socket, that is, with the supervisor. */
static _Noreturn void witness(int fd, const sigset_t *set)
{
    const struct timespec none = {0};
    uint8_t ask;

    prctl(PR_SET_NAME, "swpsp-signals");
    dup2(fd, 0);
    (void)syscall(SYS_close_range, 1u, ~0u, 0u);
    while (recv(0, &ask, 1, 0) == 1) {
        uint64_t seen = 0;
        int sig;

        while ((sig = sigtimedwait(set, NULL, &none)) > 0) {
            seen |= 1ull << sig;
        }
        if (send(0, &seen, sizeof(seen), MSG_NOSIGNAL) < 0) {
            break;
        }
    }
    _exit(0);
}

static bool sent_to_group(struct run_signals *s, int sig)
{
    const struct timespec settle = {.tv_nsec = 1000000};
    const uint64_t bit = 1ull << sig;
    uint64_t more = 0;
    uint8_t ask = 0;
    bool seen;

    /* kill() of a group reaches its members one after the other. */
    nanosleep(&settle, NULL);
    if (send(s->witness, &ask, 1, MSG_NOSIGNAL) == 1 &&
        recv(s->witness, &more, sizeof(more), 0) == sizeof(more)) {
        s->seen |= more;
    }
    seen = (s->seen & bit) != 0;
    s->seen &= ~bit;
    return seen;
}

static int start_witness(struct run_signals *s, const sigset_t *set)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        return -errno;
    }
    s->witness_pid = fork();
    if (s->witness_pid == 0) {
        close(pair[0]);
        witness(pair[1], set);
    }
    close(pair[1]);
    s->witness = pair[0];
    return s->witness_pid < 0 ? -errno : 0;
}

static void ignore(int sig)
{
    (void)sig;
}

int run_signals_start(struct run_signals *s)
{
    struct sigaction dfl = {.sa_handler = SIG_DFL};
    struct sigaction urg = {.sa_handler = ignore}; /* no SA_RESTART: it wakes */
    sigset_t set;
    int err = 0;

    *s = (struct run_signals){.fd = -1, .witness = -1, .witness_pid = -1};
    forward_set(&set);
    sigaction(SIGCHLD, &dfl, &s->old_chld);
    sigaction(SIGURG, &urg, &s->old_urg);
    pthread_sigmask(SIG_BLOCK, &set, &s->old_mask);
    err = start_witness(s, &set);
    sigaddset(&set, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (err == 0) {
        s->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        err = s->fd < 0 ? -errno : 0;
    }
    if (err != 0) {
        run_signals_stop(s);
    }
    return err;
}

void run_signals_in_child(const struct run_signals *s)
{
    sigaction(SIGCHLD, &s->old_chld, NULL);
    sigaction(SIGURG, &s->old_urg, NULL);
    pthread_sigmask(SIG_SETMASK, &s->old_mask, NULL);
}

static bool is_child(const char *pid)
{
    char path[64], line[256];
    const char *after;
    FILE *f;
    size_t n;
    int parent = 0;

    snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
    f = fopen(path, "re");
    if (f == NULL) {
        return false;
    }
    n = fread(line, 1, sizeof(line) - 1, f);
    fclose(f);
    line[n] = '\0';
    /* "pid (name) state ppid": the name may hold anything. */
    after = strrchr(line, ')');
    return after != NULL && sscanf(after + 1, " %*c %d", &parent) == 1 &&
           parent == getpid();
}

void run_signals_to_children(const struct run_signals *s, int sig, pid_t except)
{
    DIR *proc = opendir("/proc");
    struct dirent *e;

    while (proc != NULL && (e = readdir(proc)) != NULL) {
        pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);

        if (pid > 0 && pid != s->witness_pid && is_child(e->d_name) &&
            getpgid(pid) != except) {
            (void)kill(pid, sig);
        }
    }
    if (proc != NULL) {
        closedir(proc);
    }
}

static void forward(struct run_signals *s, int sig, pid_t program,
                    bool program_lives)
{
    pid_t have_it = sent_to_group(s, sig) ? getpgrp() : 0;

    if (!program_lives) {
        run_signals_to_children(s, sig, have_it);
    } else if (getpgid(program) != have_it) {
        (void)kill(program, sig);
    }
}

void run_signals_forward(struct run_signals *s, pid_t program,
                         bool program_lives)
{
    struct signalfd_siginfo info;

    while (read(s->fd, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo != SIGCHLD) {
            forward(s, (int)info.ssi_signo, program, program_lives);
        }
    }
}

void run_signals_stop(struct run_signals *s)
{
    struct signalfd_siginfo info;

    if (s->witness >= 0) {
        close(s->witness);
    }
    if (s->witness_pid > 0) {
        (void)waitpid(s->witness_pid, NULL, 0);
    }
    if (s->fd >= 0) {
        while (read(s->fd, &info, sizeof(info)) == sizeof(info)) {
        }
        close(s->fd);
    }
    sigaction(SIGCHLD, &s->old_chld, NULL);
    sigaction(SIGURG, &s->old_urg, NULL);
    pthread_sigmask(SIG_SETMASK, &s->old_mask, NULL);
}
