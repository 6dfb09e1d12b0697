/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer.h"

#include "disk.h"
#include "tst.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS_MAX 64u
#define TRACE_OPTIONS                                                          \
    (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL)

/* What a call does to files, and which of its arguments say where. */
enum act { MAKES, WRITES, SYNCS, RENAMES, UNLINKS, CUTS, UNKNOWN };

#define HERE (-1) /* no folder argument: the working folder */

static const struct call {
    long nr;
    enum act act;
    int folder, path;       /* arguments; of WRITES and SYNCS: path is fd */
    int to_folder, to_path; /* RENAMES */
    int flags;              /* MAKES: the argument with O_CREAT, 0: none */
} CALLS[] = {
    {SYS_openat, MAKES, 0, 1, 0, 0, 2},
    {SYS_mkdirat, MAKES, 0, 1, 0, 0, 0},
    {SYS_write, WRITES, 0, 0, 0, 0, 0},
    {SYS_writev, WRITES, 0, 0, 0, 0, 0},
    {SYS_pwrite64, WRITES, 0, 0, 0, 0, 0},
    {SYS_ftruncate, WRITES, 0, 0, 0, 0, 0},
    {SYS_fsync, SYNCS, 0, 0, 0, 0, 0},
    {SYS_fdatasync, SYNCS, 0, 0, 0, 0, 0},
    {SYS_renameat, RENAMES, 0, 1, 2, 3, 0},
    {SYS_renameat2, RENAMES, 0, 1, 2, 3, 0},
    {SYS_unlinkat, UNLINKS, 0, 1, 0, 0, 0},
    {SYS_linkat, UNKNOWN, 2, 3, 0, 0, 0},
    {SYS_symlinkat, UNKNOWN, 1, 2, 0, 0, 0},
    {SYS_truncate, UNKNOWN, HERE, 0, 0, 0, 0},
#ifdef SYS_open
    {SYS_open, MAKES, HERE, 0, 0, 0, 1},
    {SYS_creat, UNKNOWN, HERE, 0, 0, 0, 0},
    {SYS_mkdir, MAKES, HERE, 0, 0, 0, 0},
    {SYS_rename, RENAMES, HERE, 0, HERE, 1, 0},
    {SYS_unlink, UNLINKS, HERE, 0, 0, 0, 0},
    {SYS_rmdir, UNKNOWN, HERE, 0, 0, 0, 0},
    {SYS_link, UNKNOWN, HERE, 1, 0, 0, 0},
    {SYS_symlink, UNKNOWN, HERE, 1, 0, 0, 0},
#endif
};

/* A thread that is within a call. */
struct within {
    pid_t tid;
    const struct call *call; /* NULL: none that matters */
    char path[PATH_MAX + 64];
    char to[PATH_MAX + 64];
    bool makes; /* the name is not there yet */
    bool truncates;
};

struct watch {
    struct tracer *t;
    struct within threads[THREADS_MAX];
    size_t count;
};

static void blame(struct tracer *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (t->fault[0] == '\0') {
        (void)vsnprintf(t->fault, sizeof(t->fault), format, args);
    }
    va_end(args);
}

static struct within *thread_of(struct watch *w, pid_t tid)
{
    for (size_t i = 0; i < w->count; i++) {
        if (w->threads[i].tid == tid) {
            return &w->threads[i];
        }
    }
    if (w->count == THREADS_MAX) {
        blame(w->t, "too many threads");
        return &w->threads[0];
    }
    w->threads[w->count] = (struct within){.tid = tid};
    return &w->threads[w->count++];
}

/* --- arguments --- */

static bool read_text(pid_t tid, uint64_t at, char out[PATH_MAX])
{
    size_t done = 0;

    while (done < PATH_MAX - 1) {
        size_t room = 4096 - (size_t)((at + done) % 4096);
        struct iovec local = {out + done, room}, remote;
        ssize_t n;

        local.iov_len = room < PATH_MAX - done ? room : PATH_MAX - done;
        remote = (struct iovec){(void *)(uintptr_t)(at + done), local.iov_len};
        n = process_vm_readv(tid, &local, 1, &remote, 1, 0);
        if (n <= 0) {
            return false;
        }
        if (memchr(out + done, '\0', (size_t)n) != NULL) {
            return true;
        }
        done += (size_t)n;
    }
    return false;
}

/* The path by which we reach what the program names. */
static bool reach(pid_t tid, const uint64_t args[6], int folder, int path,
                  char *out, size_t room)
{
    char name[PATH_MAX] = "";
    int dir = folder == HERE ? AT_FDCWD : (int)args[folder];
    int n;

    if (!read_text(tid, args[path], name)) {
        return false;
    }
    if (name[0] == '/') {
        n = snprintf(out, room, "%s", name);
    } else if (dir == AT_FDCWD) {
        n = snprintf(out, room, "/proc/%d/cwd/%s", (int)tid, name);
    } else {
        n = snprintf(out, room, "/proc/%d/fd/%d/%s", (int)tid, dir, name);
    }
    return n > 0 && (size_t)n < room;
}

static const struct call *call_of(uint64_t nr)
{
    for (size_t i = 0; i < sizeof(CALLS) / sizeof(CALLS[0]); i++) {
        if ((uint64_t)CALLS[i].nr == nr) {
            return &CALLS[i];
        }
    }
    return NULL;
}

static void enter(struct watch *w, struct within *in, uint64_t nr,
                  const uint64_t args[6])
{
    const struct call *c = call_of(nr);
    struct stat st;
    bool ok = true;

    in->call = c;
    if (c == NULL) {
        return;
    }
    if (c->act == WRITES || c->act == SYNCS) {
        (void)snprintf(in->path, sizeof(in->path), "/proc/%d/fd/%d",
                       (int)in->tid, (int)args[c->path]);
        return;
    }
    ok = reach(in->tid, args, c->folder, c->path, in->path, sizeof(in->path));
    if (ok && c->act == RENAMES) {
        ok = reach(in->tid, args, c->to_folder, c->to_path, in->to,
                   sizeof(in->to));
    }
    if (!ok) {
        in->call = NULL; /* the call will fail with EFAULT as well */
        return;
    }
    in->makes = lstat(in->path, &st) != 0 &&
                (c->flags == 0 || (args[c->flags] & O_CREAT) != 0);
    in->truncates = c->flags != 0 && (args[c->flags] & O_TRUNC) != 0;
    if (c->act == UNKNOWN && disk_covers(in->path)) {
        blame(w->t, "call %llu on %s is not recorded", (unsigned long long)nr,
              in->path);
    }
}

static void leave(struct watch *w, struct within *in, int64_t result)
{
    const struct call *c = in->call;

    in->call = NULL;
    if (c == NULL || result < 0) {
        return;
    }
    switch (c->act) {
    case MAKES:
        if (in->makes) {
            disk_note_made(in->path);
        } else if (in->truncates) {
            disk_note_data(in->path);
        }
        break;
    case WRITES:
        disk_note_data(in->path);
        break;
    case SYNCS:
        disk_note_sync(in->path);
        break;
    case RENAMES:
        disk_note_renamed(in->path, in->to);
        break;
    case UNLINKS:
        disk_note_unlinked(in->path);
        break;
    default:
        break;
    }
    atomic_store(&w->t->calls, disk_calls());
}

/* --- the loop --- */

static void take_call(struct watch *w, pid_t tid)
{
    struct __ptrace_syscall_info info;
    struct within *in = thread_of(w, tid);
    uint64_t args[6];

    if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) <= 0) {
        return; /* killed meanwhile */
    }
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
        for (size_t i = 0; i < 6; i++) {
            args[i] = info.entry.args[i];
        }
        enter(w, in, info.entry.nr, args);
    } else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
        leave(w, in, info.exit.rval);
    }
}

/* The signal that the thread is to get when it goes on. */
static int take_stop(struct watch *w, pid_t tid, int status)
{
    int sig = WSTOPSIG(status);

    if (sig == (SIGTRAP | 0x80)) {
        take_call(w, tid);
        return 0;
    }
    if (sig == SIGTRAP || sig == SIGSTOP) { /* an event, or a new thread */
        return 0;
    }
    return sig;
}

static pid_t start_program(const char *const argv[])
{
    pid_t pid = fork();

    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0) {
            (void)raise(SIGSTOP);
            (void)execv(argv[0], (char *const *)(uintptr_t)argv);
        }
        _exit(127);
    }
    return pid;
}

static void *trace(void *arg)
{
    struct tracer *t = arg;
    static struct watch w;
    pid_t pid = start_program(t->argv);
    int status = 0;
    pid_t tid;

    w = (struct watch){.t = t};
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) ||
        ptrace(PTRACE_SETOPTIONS, pid, NULL,
               (void *)(uintptr_t)TRACE_OPTIONS) != 0 ||
        ptrace(PTRACE_SYSCALL, pid, NULL, NULL) != 0) {
        blame(t, "cannot trace: %s", strerror(errno));
        if (pid > 0) {
            (void)kill(pid, SIGKILL);
            (void)waitpid(pid, NULL, 0);
        }
        pid = -1;
    }
    atomic_store(&t->pid, pid);
    while (pid > 0 && (tid = waitpid(-1, &status, __WALL | __WNOTHREAD)) > 0) {
        if (WIFSTOPPED(status)) {
            int sig = take_stop(&w, tid, status);

            (void)ptrace(PTRACE_SYSCALL, tid, NULL, (void *)(uintptr_t)sig);
        } else if (tid == pid) {
            t->status = status;
            break;
        }
    }
    return NULL;
}

bool tracer_allowed(void)
{
    int status = 1;
    pid_t pid = fork();

    if (pid == 0) {
        _exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 ? 0 : 1);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

void tracer_start(struct tracer *t, const char *const argv[])
{
    *t = (struct tracer){.argv = argv};
    assert_int_equal(pthread_create(&t->thread, NULL, trace, t), 0);
    while (atomic_load(&t->pid) == 0) {
        (void)usleep(1000);
    }
    if (atomic_load(&t->pid) < 0) {
        (void)tracer_join(t);
    }
}

int tracer_join(struct tracer *t)
{
    assert_int_equal(pthread_join(t->thread, NULL), 0);
    if (t->fault[0] != '\0') {
        fail_msg("%s", t->fault);
    }
    return t->status;
}
