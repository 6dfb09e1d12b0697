/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox.h"

#include "libseccomp.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool number_of(const char *text, unsigned long *out)
{
    char *end = NULL;

    if (text[0] < '0' || text[0] > '9') {
        return false;
    }
    errno = 0;
    *out = strtoul(text, &end, 10);
    return errno == 0 && *end == '\0' && *out < UINT32_MAX;
}

int sandbox_lookup(const char *user, const char *group, uid_t *uid, gid_t *gid,
                   char *error)
{
    unsigned long n = 0;
    const struct passwd *pw;
    const struct group *gr;

    if (user != NULL && number_of(user, &n)) {
        *uid = (uid_t)n;
        *gid = (gid_t)n;
    } else if (user != NULL) {
        pw = getpwnam(user);
        if (pw == NULL) {
            snprintf(error, SANDBOX_ERROR_SIZE, "no user '%.64s'", user);
            return -ENOENT;
        }
        *uid = pw->pw_uid;
        *gid = pw->pw_gid;
    }
    if (group != NULL && number_of(group, &n)) {
        *gid = (gid_t)n;
    } else if (group != NULL) {
        gr = getgrnam(group);
        if (gr == NULL) {
            snprintf(error, SANDBOX_ERROR_SIZE, "no group '%.64s'", group);
            return -ENOENT;
        }
        *gid = gr->gr_gid;
    }
    return 0;
}

int sandbox_act_as(uid_t uid, gid_t gid)
{
    return setegid(gid) == 0 && seteuid(uid) == 0 ? 0 : -errno;
}

int sandbox_act_as_root(void)
{
    return seteuid(0) == 0 && setegid(0) == 0 ? 0 : -errno;
}

int sandbox_drop(uid_t uid, gid_t gid)
{
    if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 ||
        setresuid(uid, uid, uid) != 0) {
        return -errno;
    }
    if (uid != 0 && (setuid(0) == 0 || seteuid(0) == 0)) {
        return -EPERM;
    }
    return 0;
}

#define CALL(name) SCMP_SYS(name)

/* Whatever its arguments are. */
static const int PLAIN[] = {
    /* descriptors and files */
    CALL(read),
    CALL(write),
    CALL(readv),
    CALL(writev),
    CALL(pread64),
    CALL(pwrite64),
    CALL(close),
    CALL(dup),
    CALL(fcntl),
    CALL(lseek),
    CALL(openat),
    CALL(open),
    CALL(fstat),
    CALL(newfstatat),
    CALL(stat),
    CALL(lstat),
    CALL(statx),
    CALL(access),
    CALL(faccessat),
    CALL(faccessat2),
    CALL(readlink),
    CALL(readlinkat),
    CALL(getdents64),
    CALL(mkdir),
    CALL(mkdirat),
    CALL(unlink),
    CALL(unlinkat),
    CALL(rename),
    CALL(renameat),
    CALL(renameat2),
    CALL(ftruncate),
    CALL(fsync),
    CALL(fdatasync),
    CALL(flock),
    CALL(umask),
    CALL(getcwd),
    /* sockets that are there */
    CALL(accept),
    CALL(accept4),
    CALL(recvfrom),
    CALL(recvmsg),
    CALL(sendto),
    CALL(sendmsg),
    CALL(shutdown),
    CALL(getsockopt),
    CALL(setsockopt),
    CALL(getsockname),
    CALL(getpeername),
    /* waiting and time */
    CALL(poll),
    CALL(ppoll),
    CALL(select),
    CALL(pselect6),
    CALL(eventfd2),
    CALL(signalfd4),
    CALL(clock_gettime),
    CALL(clock_getres),
    CALL(clock_nanosleep),
    CALL(nanosleep),
    CALL(gettimeofday),
    CALL(time),
    /* memory */
    CALL(brk),
    CALL(munmap),
    CALL(mremap),
    CALL(madvise),
    /* threads and the process itself */
    CALL(futex),
    CALL(set_robust_list),
    CALL(rseq),
    CALL(set_tid_address),
    CALL(sched_yield),
    CALL(sched_getaffinity),
    CALL(getpid),
    CALL(gettid),
    CALL(getppid),
    CALL(getuid),
    CALL(geteuid),
    CALL(getgid),
    CALL(getegid),
    CALL(getrlimit),
    CALL(getrusage),
    CALL(sysinfo),
    CALL(uname),
    CALL(getrandom),
    CALL(exit),
    CALL(exit_group),
    CALL(restart_syscall),
    CALL(rt_sigaction),
    CALL(rt_sigprocmask),
    CALL(rt_sigreturn),
    CALL(sigaltstack),
    CALL(tgkill),
    CALL(wait4),
    CALL(getcpu),
    CALL(membarrier),
};

/* A FUSE server's own. */
static const int FUSE[] = {
    CALL(process_vm_readv),
    CALL(process_vm_writev),
    CALL(splice),
    CALL(vmsplice),
    CALL(pipe2),
    CALL(umount2),
};

static int allow(scmp_filter_ctx ctx, const int *calls, size_t count)
{
    int err = 0;

    for (size_t i = 0; i < count && err == 0; i++) {
        err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
    }
    return err;
}

static int allow_some(scmp_filter_ctx ctx)
{
    int err;

    /* no memory that can be executed */
    err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(mmap), 1,
                           SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (err == 0) {
        err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(mprotect), 1,
                               SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    }
    /* threads, no processes; clone3()'s flags cannot be seen, and glibc takes
     * clone() when it is not there */
    if (err == 0) {
        err = seccomp_rule_add(
            ctx, SCMP_ACT_ALLOW, CALL(clone), 1,
            SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    }
    if (err == 0) {
        err = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), CALL(clone3), 0);
    }
    if (err == 0) {
        err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(prlimit64), 1,
                               SCMP_A2(SCMP_CMP_EQ, 0)); /* nothing is set */
    }
    if (err == 0) {
        err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(prctl), 1,
                               SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
    }
    return err;
}

/* LeakSanitizer makes a process that shares its memory, which stops all threads
 * by ptrace and looks through their stacks. */
static int allow_leak_check(scmp_filter_ctx ctx)
{
    static const int calls[] = {CALL(ptrace), CALL(prctl), CALL(getdents)};
    int err = allow(ctx, calls, sizeof(calls) / sizeof(calls[0]));

    return err != 0 ? err
                    : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(clone), 1,
                                       SCMP_A0(SCMP_CMP_MASKED_EQ,
                                               CLONE_VM | CLONE_UNTRACED,
                                               CLONE_VM | CLONE_UNTRACED));
}

int sandbox_enter(unsigned int needs)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int err;

    if (ctx == NULL) {
        return -ENOMEM;
    }
    err = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 1);
    if (err == 0) {
        err = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
    }
    if (err == 0) {
        err = allow(ctx, PLAIN, sizeof(PLAIN) / sizeof(PLAIN[0]));
    }
    if (err == 0 && (needs & SANDBOX_FUSE) != 0) {
        err = allow(ctx, FUSE, sizeof(FUSE) / sizeof(FUSE[0]));
    }
    if (err == 0) {
        err = allow_some(ctx);
    }
    if (err == 0 && (needs & SANDBOX_LEAK_CHECK) != 0) {
        err = allow_leak_check(ctx);
    }
    if (err == 0) {
        err = seccomp_load(ctx);
    }
    seccomp_release(ctx);
    return err;
}
