/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp.h"
#include "run_child.h"
#include "run_pool.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_SETUP    125
#define EXIT_CANNOT   126
#define EXIT_NOTFOUND 127

struct run {
    const struct run_config *config;
    struct run_table table;
    struct run_server server;
    struct run_pool pool;
    struct run_signals signals;
    struct run_child child;
    int was_subreaper;
    bool ended; /* the program itself */
    int status; /* its wait status */
};

static int shell_status(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The program, and orphans that came to us. */
static void reap(struct run *run)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == run->child.pid) {
            run->ended = true;
            run->status = status;
        }
    }
}

/* Until nobody is left who could notify. */
static void supervise(struct run *run)
{
    struct pollfd p[2] = {
        {.fd = run->signals.fd, .events = POLLIN},
        {.fd = run->child.listener}, /* hang-up is always told */
    };

    for (;;) {
        bool kill_rest;

        reap(run);
        kill_rest = run->ended && run->config->end_with_program;
        if (kill_rest) {
            run_signals_to_children(&run->signals, SIGKILL, 0);
        }
        /* Orphans come to us one generation at a time. */
        if (poll(p, 2, kill_rest ? 10 : -1) < 0 && errno != EINTR) {
            break;
        }
        if ((p[0].revents & POLLIN) != 0) {
            run_signals_forward(&run->signals, run->child.pid, !run->ended);
        }
        if ((p[1].revents & POLLHUP) != 0) {
            break;
        }
    }
    if (!run->ended && waitpid(run->child.pid, &run->status, 0) > 0) {
        run->ended = true;
    }
    reap(run);
}

static bool on_path(const char *name)
{
    const char *dir = getenv("PATH");
    char path[PATH_MAX];

    while (dir != NULL && *dir != '\0') {
        size_t n = strcspn(dir, ":");

        snprintf(path, sizeof(path), "%.*s/%s", (int)n, dir, name);
        if (access(path, F_OK) == 0) {
            return true;
        }
        dir += n + (dir[n] == ':' ? 1 : 0);
    }
    return false;
}

static int exec_failed(const struct run *run, int err, int *exit_status,
                       char *error)
{
    const char *name = run->config->argv[0];
    bool searched = strchr(name, '/') == NULL;

    /* execvp() says EACCES when it may not look into one of the folders. */
    if (err == -EACCES && searched && !on_path(name)) {
        err = -ENOENT;
    }
    *exit_status = err == -ENOENT ? EXIT_NOTFOUND : EXIT_CANNOT;
    snprintf(error, RUN_ERROR_SIZE, "%.150s: %s", name,
             err == -ENOENT && searched ? "command not found" : strerror(-err));
    return err;
}

static int serve_child(struct run *run, int *exit_status, char *error)
{
    int err;

    run->server.listener = run->child.listener;
    err = run_pool_start(&run->pool, &run->server, run->config->worker_count);
    if (err != 0) {
        (void)kill(run->child.pid, SIGKILL);
        (void)waitpid(run->child.pid, NULL, 0);
        close(run->child.report);
        snprintf(error, RUN_ERROR_SIZE, "cannot start a thread: %s",
                 strerror(-err));
        return err;
    }
    err = run_child_started(&run->child);
    if (err != 0) {
        err = exec_failed(run, err, exit_status, error);
    } else {
        if (run->config->started != NULL) {
            run->config->started(run->config->ctx, (int)run->child.pid);
        }
        supervise(run);
        *exit_status = shell_status(run->status);
    }
    pool_stop(&run->pool.pool);
    return err;
}

static int start_and_serve(struct run *run, int *exit_status, char *error)
{
    struct sock_filter code[RUN_FILTER_MAX];
    struct sock_fprog filter = {.filter = code};
    int err;

    run_calls_init(&run->server.calls);
    filter.len = run_filter_build(&run->server.calls, code);
    err = run_child_start(&run->child, &filter, &run->signals,
                          run->config->argv, error);
    if (err == 0) {
        err = serve_child(run, exit_status, error);
        close(run->child.listener);
    }
    return err;
}

/* Orphans stay our descendants: else Yama forbids us their memory. */
static int with_signals(struct run *run, int *exit_status, char *error)
{
    int err = run_signals_start(&run->signals);

    if (err != 0) {
        snprintf(error, RUN_ERROR_SIZE, "cannot start the signal helper: %s",
                 strerror(-err));
        return err;
    }
    (void)prctl(PR_GET_CHILD_SUBREAPER, &run->was_subreaper, 0, 0, 0);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    err = start_and_serve(run, exit_status, error);
    (void)prctl(PR_SET_CHILD_SUBREAPER, run->was_subreaper, 0, 0, 0);
    run_signals_stop(&run->signals);
    return err;
}

int seccomp_run(const struct run_config *config, int *exit_status, char *error)
{
    struct run run = {.config = config};
    int err;

    *exit_status = EXIT_SETUP;
    error[0] = '\0';
    if (config->argv == NULL || config->argv[0] == NULL) {
        snprintf(error, RUN_ERROR_SIZE, "no program given");
        return -EINVAL;
    }
    err = run_table_init(&run.table, config, error);
    if (err != 0) {
        return err;
    }
    run.server.config = config;
    run.server.table = &run.table;
    err = with_signals(&run, exit_status, error);
    run_table_free(&run.table);
    return err;
}
