/* SPDX-License-Identifier: Apache-2.0 */
#include "run_child.h"
#include "seccomp.h"

#include <linux/seccomp.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5) /* Linux 5.19 */
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS /* Linux 6.6 */
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS      SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

static int load_once(const struct sock_fprog *filter, unsigned long extra)
{
    int fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                          SECCOMP_FILTER_FLAG_NEW_LISTENER | extra, filter);

    return fd < 0 ? -errno : fd;
}

/* Older kernels refuse the newer flag with EINVAL: then without. */
static int load(const struct sock_fprog *filter)
{
    int fd = load_once(filter, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);

    return fd == -EINVAL ? load_once(filter, 0) : fd;
}

/* With CAP_SYS_ADMIN set-user-ID programs can go on working. */
static int install(const struct sock_fprog *filter)
{
    int fd = load(filter);

    if (fd == -EACCES) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
            return -errno;
        }
        fd = load(filter);
    }
    return fd;
}

union control {
    struct cmsghdr align;
    char buf[CMSG_SPACE(sizeof(int))];
};

/* One message: an errno, and when it is 0 the listener. */
static int send_listener(int sock, int err, int fd)
{
    union control control = {0};
    struct iovec iov = {&err, sizeof(err)};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    struct cmsghdr *c;

    if (err == 0) {
        msg.msg_control = control.buf;
        msg.msg_controllen = sizeof(control.buf);
        c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(fd));
        memcpy(CMSG_DATA(c), &fd, sizeof(fd));
    }
    return sendmsg(sock, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int receive_listener(int sock, int *fd)
{
    union control control = {0};
    int err = -EPIPE;
    struct iovec iov = {&err, sizeof(err)};
    struct msghdr msg = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = control.buf,
        .msg_controllen = sizeof(control.buf),
    };
    struct cmsghdr *c;

    if (TEMP_FAILURE_RETRY(recvmsg(sock, &msg, MSG_CMSG_CLOEXEC)) !=
        sizeof(err)) {
        return -EPIPE;
    }
    c = CMSG_FIRSTHDR(&msg);
    if (err == 0 && (c == NULL || c->cmsg_type != SCM_RIGHTS)) {
        return -EPIPE;
    }
    if (err == 0) {
        memcpy(fd, CMSG_DATA(c), sizeof(*fd));
    }
    return err;
}

static _Noreturn void child_main(int sock, pid_t parent,
                                 const struct sock_fprog *filter,
                                 const struct run_signals *signals,
                                 char *const *argv)
{
    int fd;
    int err = 0;

    run_signals_in_child(signals);
    /* Without its supervisor every open would fail. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(125);
    }
    fd = install(filter);
    if (send_listener(sock, fd < 0 ? fd : 0, fd) != 0 || fd < 0) {
        _exit(125);
    }
    close(fd);
    execvp(argv[0], argv);
    err = -errno;
    (void)send(sock, &err, sizeof(err), MSG_NOSIGNAL);
    _exit(125);
}

/* The kernel has what we use: ask with a request that it cannot know. */
static int check_kernel(int listener)
{
    struct seccomp_notif_addfd add = {
        .id = ~0ull,
        .flags = SECCOMP_ADDFD_FLAG_SEND,
        .srcfd = (uint32_t)listener,
    };
    uint64_t sync = SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP;

    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0 &&
        errno != ENOENT) {
        return -ENOSYS;
    }
    (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, sync); /* if it can */
    return 0;
}

static int explain(int err, char *error)
{
    switch (err) {
    case -EBUSY:
        snprintf(error, RUN_ERROR_SIZE,
                 "a supervisor is at work already (a run inside a run, or a "
                 "container that traps system calls)");
        return err;
    case -ENOSYS:
    case -EINVAL:
        snprintf(error, RUN_ERROR_SIZE,
                 "this kernel has no seccomp user notification as needed "
                 "(Linux 5.14 or later)");
        return -ENOSYS;
    default:
        snprintf(error, RUN_ERROR_SIZE, "cannot trap system calls: %s",
                 strerror(-err));
        return err;
    }
}

int run_child_start(struct run_child *child, const struct sock_fprog *filter,
                    const struct run_signals *signals, char *const *argv,
                    char *error)
{
    pid_t parent = getpid();
    int pair[2];
    int err;

    *child = (struct run_child){.pid = -1, .listener = -1, .report = -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        return explain(-errno, error);
    }
    child->pid = fork();
    if (child->pid == 0) {
        close(pair[0]);
        child_main(pair[1], parent, filter, signals, argv);
    }
    err = child->pid < 0 ? -errno : 0;
    close(pair[1]);
    if (err == 0) {
        err = receive_listener(pair[0], &child->listener);
    }
    if (err == 0) {
        err = check_kernel(child->listener);
    }
    if (err == 0) {
        child->report = pair[0];
        return 0;
    }
    close(pair[0]);
    if (child->listener >= 0) {
        close(child->listener);
    }
    if (child->pid > 0) {
        (void)kill(child->pid, SIGKILL);
        (void)waitpid(child->pid, NULL, 0);
    }
    return explain(err, error);
}

int run_child_started(struct run_child *child)
{
    int err = 0;

    /* Nothing comes, and the end, when exec has closed the child's end. */
    if (TEMP_FAILURE_RETRY(recv(child->report, &err, sizeof(err), 0)) !=
        sizeof(err)) {
        err = 0;
    }
    close(child->report);
    child->report = -1;
    if (err != 0) {
        (void)TEMP_FAILURE_RETRY(waitpid(child->pid, NULL, 0));
    }
    return err;
}
