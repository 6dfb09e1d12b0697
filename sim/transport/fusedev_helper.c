/* SPDX-License-Identifier: Apache-2.0 */
#include "fusedev_helper.h"

#include "fusedev.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM   "fusermount3"
#define OPTIONS   "default_permissions,fsname=swpsp,subtype=swpsp"
#define CHILD_FD  3 /* where it finds its end of the socket */
#define END_MS    5000
#define VARIABLES 4096u

extern char **environ;

/* The caller's environment and where the socket is. */
static bool make_environment(const char *envp[VARIABLES])
{
    size_t n = 0;

    envp[n++] = "_FUSE_COMMFD=3";
    for (char **e = environ; *e != NULL; e++) {
        if (n + 1 >= VARIABLES) {
            return false;
        }
        envp[n++] = *e;
    }
    envp[n] = NULL;
    return true;
}

static int prepare(posix_spawn_file_actions_t *files, posix_spawnattr_t *attr,
                   int life, int voice)
{
    sigset_t none, all;
    int err;

    sigemptyset(&none);
    sigfillset(&all);
    err = posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0);
    err = err != 0 ? err : posix_spawn_file_actions_adddup2(files, voice, 1);
    err = err != 0 ? err : posix_spawn_file_actions_adddup2(files, voice, 2);
    if (life >= 0) {
        err = err != 0
                  ? err
                  : posix_spawn_file_actions_adddup2(files, life, CHILD_FD);
    }
    err = err != 0 ? err : posix_spawnattr_setsigmask(attr, &none);
    err = err != 0 ? err : posix_spawnattr_setsigdefault(attr, &all);
    err = err != 0 ? err
                   : posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK |
                                                        POSIX_SPAWN_SETSIGDEF);
    return -err;
}

static int spawn(pid_t *pid, const char *const argv[], int life, int voice)
{
    const char *envp[VARIABLES];
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    int err = -ENOMEM;

    if (!make_environment(envp) || posix_spawn_file_actions_init(&files) != 0) {
        return -ENOMEM;
    }
    if (posix_spawnattr_init(&attr) == 0) {
        err = prepare(&files, &attr, life, voice);
        if (err == 0) {
            err = -posix_spawnp(pid, PROGRAM, &files, &attr,
                                (char *const *)(uintptr_t)argv,
                                (char *const *)(uintptr_t)envp);
        }
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&files);
    return err;
}

/* The connection's descriptor, or -EPERM when it ends without sending one. */
static int receive(int life)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    char byte;
    struct iovec iov = {&byte, 1};
    struct msghdr msg = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    const struct cmsghdr *c;
    ssize_t n;
    int fd;

    do {
        n = recvmsg(life, &msg, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    c = n <= 0 ? NULL : CMSG_FIRSTHDR(&msg);
    if (c == NULL || c->cmsg_type != SCM_RIGHTS ||
        c->cmsg_len != CMSG_LEN(sizeof(int))) {
        return -EPERM;
    }
    memcpy(&fd, CMSG_DATA(c), sizeof(fd));
    return fd;
}

/* Until it hangs up (true) or is silent for too long; the first line stays. */
static bool listen_to(int voice, char *line)
{
    struct pollfd p = {.fd = voice, .events = POLLIN};
    char buf[FUSEDEV_ERROR_SIZE];
    size_t used = 0;
    ssize_t n = 1;

    while (n > 0 && poll(&p, 1, END_MS) > 0) {
        n = read(voice, buf, sizeof(buf));
        for (ssize_t i = 0; i < n && used + 1 < FUSEDEV_ERROR_SIZE; i++) {
            line[used++] = buf[i];
        }
    }
    line[used] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return n == 0;
}

/* Run it to its end, but not longer than its voice. @comm: its end of a socket,
 * or -1. 0 when it could be started. */
static int run(const char *const argv[], int comm, char *why)
{
    int pipes[2];
    pid_t pid = 0;
    bool ended;
    int err;

    if (pipe2(pipes, O_CLOEXEC) != 0) {
        return -errno;
    }
    err = spawn(&pid, argv, comm, pipes[1]);
    close(pipes[1]);
    if (err == 0) {
        ended = listen_to(pipes[0], why);
        (void)waitpid(pid, NULL, ended ? 0 : WNOHANG);
    }
    close(pipes[0]);
    return err;
}

static int mount_with(const char *path, const char *options, char *why)
{
    const char *const argv[] = {PROGRAM, "-o", options, "--", path, NULL};
    int sock[2];
    int err, fd;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) != 0) {
        return -errno;
    }
    err = run(argv, sock[1], why);
    close(sock[1]);
    fd = err == 0 ? receive(sock[0]) : err;
    close(sock[0]);
    return fd;
}

/* --- the one that stays --- */

/* Waits for the end of the process that has the mount. auto_unmount would do,
 * but needs allow_other. */
static _Noreturn void watch(const char *path, int life, int voice)
{
    char *argv[] = {(char[]){PROGRAM}, (char[]){"-u"}, (char[]){"-z"},
                    (char[]){"--"},    NULL,           NULL};
    sigset_t all;
    char byte;

    (void)setsid();
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_BLOCK, &all, NULL);
    prctl(PR_SET_NAME, "swpsp-unmount");
    if (dup2(life, 3) != 3 || dup2(voice, 4) != 4 ||
        close_range(5, ~0u, 0) != 0) {
        _exit(1);
    }
    for (int fd = 0; fd < 3; fd++) {
        (void)dup2(4, fd);
    }
    while (read(3, &byte, 1) < 0 && errno == EINTR) {
    }
    if (fusedev_is_dead(path)) {
        argv[4] = (char *)(uintptr_t)path;
        execvp(PROGRAM, argv);
    }
    _exit(0);
}

/* No child of this process: whoever reaps all of its children need not know. */
static int start_watch(struct fusedev_helper *h, const char *path)
{
    int life[2], voice[2];
    int err = 0;
    pid_t pid;

    if (pipe2(life, O_CLOEXEC) != 0) {
        return -errno;
    }
    if (pipe2(voice, O_CLOEXEC) != 0) {
        err = -errno;
        close(life[0]);
        close(life[1]);
        return err;
    }
    pid = fork();
    if (pid == 0) {
        pid = fork();
        if (pid == 0) {
            int l = fcntl(life[0], F_DUPFD_CLOEXEC, 5);
            int v = fcntl(voice[1], F_DUPFD_CLOEXEC, 5);

            watch(path, l, v);
        }
        _exit(pid < 0);
    }
    err = pid < 0 ? -errno : 0;
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    close(life[0]);
    close(voice[1]);
    *h = (struct fusedev_helper){true, life[1], voice[0]};
    return err;
}

int fusedev_helper_mount(struct fusedev_helper *h, const char *path, char *why)
{
    int err, fd = mount_with(path, OPTIONS ",allow_other", why);

    *h = (struct fusedev_helper){false, -1, -1};
    if (fd == -EPERM) {
        fd = mount_with(path, OPTIONS, why);
    }
    if (fd < 0) {
        return fd;
    }
    err = start_watch(h, path);
    if (err != 0) {
        close(fd);
        (void)fusedev_helper_clean(path);
        snprintf(why, FUSEDEV_ERROR_SIZE, PROGRAM ": %s", strerror(-err));
        return err;
    }
    return fd;
}

void fusedev_helper_end(struct fusedev_helper *h)
{
    char ignored[FUSEDEV_ERROR_SIZE];

    if (h->watched) {
        close(h->life);
        (void)listen_to(h->voice, ignored);
        close(h->voice);
        h->watched = false;
    }
}

int fusedev_helper_clean(const char *path)
{
    const char *const argv[] = {PROGRAM, "-u", "-z", "--", path, NULL};
    char ignored[FUSEDEV_ERROR_SIZE];

    return run(argv, -1, ignored);
}
