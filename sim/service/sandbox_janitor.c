/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox_janitor.h"

#include "libseccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* One byte each: 'a' + what for ours, 'A' + what for gone. */
#define OURS 'a'
#define GONE 'A'

static bool confine(void)
{
    static const int calls[] = {
        SCMP_SYS(read), SCMP_SYS(unlink),     SCMP_SYS(umount2),
        SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(close),
    };
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int err = ctx == NULL ? -ENOMEM : 0;

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]) && err == 0; i++) {
        err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
    }
    if (err == 0) {
        err = seccomp_load(ctx);
    }
    seccomp_release(ctx);
    return err == 0;
}

static void clean(const bool ours[LEFTOVER_COUNT],
                  const char *const paths[LEFTOVER_COUNT])
{
    for (int i = 0; i < LEFTOVER_COUNT; i++) {
        if (!ours[i] || paths[i] == NULL) {
            continue;
        }
        if (i >= LEFTOVER_MOUNT) {
            (void)umount2(paths[i], MNT_DETACH | UMOUNT_NOFOLLOW);
        } else {
            (void)unlink(paths[i]);
        }
    }
}

static void janitor(int fd, const char *const paths[LEFTOVER_COUNT])
{
    bool ours[LEFTOVER_COUNT] = {false};
    sigset_t all;
    char byte;
    ssize_t n;

    (void)sigfillset(&all); /* it ends with the daemon, not before */
    (void)sigprocmask(SIG_BLOCK, &all, NULL);
    /* The state's lock, the log, the sockets: not to outlive the daemon here.
     */
    if ((fd > 0 && close_range(0, (unsigned int)fd - 1, 0) != 0) ||
        close_range((unsigned int)fd + 1, ~0u, 0) != 0 || !confine()) {
        _exit(1);
    }
    while ((n = read(fd, &byte, 1)) > 0 || (n < 0 && errno == EINTR)) {
        if (n > 0 && byte >= OURS && byte < OURS + LEFTOVER_COUNT) {
            ours[byte - OURS] = true;
        } else if (n > 0 && byte >= GONE && byte < GONE + LEFTOVER_COUNT) {
            ours[byte - GONE] = false;
        }
    }
    clean(ours, paths);
    _exit(0);
}

int sandbox_janitor_start(struct sandbox_janitor *j,
                          const char *const paths[LEFTOVER_COUNT])
{
    int fd[2];
    int err;

    if (pipe2(fd, O_CLOEXEC) != 0) {
        return -errno;
    }
    j->pid = fork();
    if (j->pid == 0) {
        (void)close(fd[1]);
        janitor(fd[0], paths);
    }
    err = j->pid < 0 ? -errno : 0;
    (void)close(fd[0]);
    j->pipe = fd[1];
    if (err != 0) {
        (void)close(fd[1]);
        j->pid = 0;
    }
    return err;
}

static void tell(const struct sandbox_janitor *j, int byte)
{
    char b = (char)byte;

    if (j->pid > 0 && write(j->pipe, &b, 1) != 1) {
        return; /* it is gone; nothing can be done */
    }
}

void sandbox_janitor_owns(const struct sandbox_janitor *j,
                          enum sandbox_leftover what)
{
    tell(j, OURS + (int)what);
}

void sandbox_janitor_gone(const struct sandbox_janitor *j,
                          enum sandbox_leftover what)
{
    tell(j, GONE + (int)what);
}

void sandbox_janitor_finish(struct sandbox_janitor *j)
{
    if (j->pid > 0) {
        (void)close(j->pipe);
        (void)waitpid(j->pid, NULL, 0);
        j->pid = 0;
    }
}
