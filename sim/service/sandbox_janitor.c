/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox_janitor.h"

#include "fusedev.h"
#include "libseccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* One byte each: i for ours, GONE + i for gone. */
#define GONE 128
_Static_assert(LEFTOVERS_MAX <= GONE, "i fits");

static bool confine(void)
{
    static const int calls[] = {
        SCMP_SYS(read),   SCMP_SYS(unlink),     SCMP_SYS(umount2),
        SCMP_SYS(exit),   SCMP_SYS(exit_group), SCMP_SYS(close),
        SCMP_SYS(statfs),
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

static void clean(const bool ours[LEFTOVERS_MAX],
                  const struct sandbox_leftover *all, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!ours[i]) {
            continue;
        }
        if (all[i].kind == LEFTOVER_FILE) {
            (void)unlink(all[i].path);
        } else if (all[i].kind == LEFTOVER_MOUNT ||
                   fusedev_is_dead(all[i].path)) {
            (void)umount2(all[i].path, MNT_DETACH | UMOUNT_NOFOLLOW);
        }
    }
}

static _Noreturn void janitor(int fd, const struct sandbox_leftover *all,
                              size_t count)
{
    bool ours[LEFTOVERS_MAX] = {false};
    sigset_t set;
    uint8_t byte;
    ssize_t n;

    (void)sigfillset(&set); /* it ends with the daemon, not before */
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    /* The state's lock, the log, the sockets: not to outlive the daemon here.
     */
    if ((fd > 0 && close_range(0, (unsigned int)fd - 1, 0) != 0) ||
        close_range((unsigned int)fd + 1, ~0u, 0) != 0 || !confine()) {
        _exit(1);
    }
    while ((n = read(fd, &byte, 1)) > 0 || (n < 0 && errno == EINTR)) {
        if (n > 0 && byte % GONE < count) {
            ours[byte % GONE] = byte < GONE;
        }
    }
    clean(ours, all, count);
    _exit(0);
}

int sandbox_janitor_start(struct sandbox_janitor *j,
                          const struct sandbox_leftover *all, size_t count)
{
    int fd[2];
    int err;

    if (count > LEFTOVERS_MAX) {
        return -E2BIG;
    }
    if (pipe2(fd, O_CLOEXEC) != 0) {
        return -errno;
    }
    j->pid = fork();
    if (j->pid == 0) {
        (void)close(fd[1]);
        janitor(fd[0], all, count);
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

static void tell(const struct sandbox_janitor *j, size_t what)
{
    uint8_t byte = (uint8_t)what;

    if (j->pid > 0 && write(j->pipe, &byte, 1) != 1) {
        return; /* it is gone; nothing can be done */
    }
}

void sandbox_janitor_owns(const struct sandbox_janitor *j, size_t i)
{
    tell(j, i);
}

void sandbox_janitor_gone(const struct sandbox_janitor *j, size_t i)
{
    tell(j, GONE + i);
}

void sandbox_janitor_finish(struct sandbox_janitor *j)
{
    if (j->pid > 0) {
        (void)close(j->pipe);
        (void)waitpid(j->pid, NULL, 0);
        j->pid = 0;
    }
}
