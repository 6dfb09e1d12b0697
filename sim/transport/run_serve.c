/* SPDX-License-Identifier: Apache-2.0 */
#include "run_answer.h"
#include "run_cred.h"
#include "run_mem.h"
#include "run_path.h"

#include <linux/fiemap.h>
#include <linux/fs.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int run_copy_in(const struct run_request *rq, uint64_t addr, void *buf,
                size_t size)
{
    struct run_mem mem = {.tid = rq->tid};

    if (size == 0) {
        return 0;
    }
    return run_mem_read(&mem, addr, buf, size) == 0 ? 0 : -EFAULT;
}

int run_copy_out(const struct run_request *rq, uint64_t addr, const void *buf,
                 size_t size)
{
    struct run_umem rum;

    run_umem_init(&rum, rq->tid, rq->server->listener, rq->notif->id);
    return umem_write(&rum.um, addr, buf, size);
}

static void warn_untouchable(const struct run_request *rq)
{
    const struct run_config *config = rq->server->config;
    char line[160];

    if (config->warn == NULL || atomic_exchange(&rq->server->warned, true)) {
        return;
    }
    snprintf(line, sizeof(line),
             "process %d may not be traced by this one and sees the machine "
             "as it is (set-user-ID, another user's, or undumpable)",
             (int)rq->tid);
    config->warn(config->ctx, line);
}

/* 1: the call names a path; 0: it means its descriptor; negative: neither. */
static int load_path(struct run_request *rq)
{
    struct run_mem mem = {.tid = rq->tid};
    uint64_t addr =
        rq->notif->data.args[rq->call->path < 0 ? 0 : rq->call->path];
    bool may_be_empty = rq->call->op != RUN_OP_OPEN &&
                        rq->call->op != RUN_OP_READLINK &&
                        (rq->flags & AT_EMPTY_PATH) != 0;
    int err;

    if (rq->call->path < 0 || (may_be_empty && addr == 0)) {
        return 0;
    }
    err = run_mem_string(&mem, addr, rq->path, sizeof(rq->path));
    if (err == -EPERM) {
        warn_untouchable(rq);
    }
    if (err != 0) {
        return err;
    }
    if (rq->path[0] == '\0') {
        return may_be_empty ? 0 : -ENOENT;
    }
    return 1;
}

/* Requests that Linux answers before a character device's driver is asked. */
static bool answered_by_vfs(uint32_t request)
{
    static const uint32_t numbers[] = {
        FIGETBSZ,
        FIFREEZE,
        FITHAW,
        FS_IOC_FIEMAP,
        (uint32_t)FICLONE,
        (uint32_t)FICLONERANGE,
        FS_IOC_GETFLAGS,
        FS_IOC_SETFLAGS,
        FS_IOC_FSGETXATTR,
        FS_IOC_FSSETXATTR,
        (uint32_t)FIDEDUPERANGE,
    };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (numbers[i] == request) {
            return true;
        }
    }
    return false;
}

static struct run_answer answer_ioctl(struct run_request *rq)
{
    uint32_t request = (uint32_t)run_arg(rq, 0);
    const struct run_object *o;
    enum run_access access;
    struct run_umem rum;

    if (!atomic_load(&rq->server->opened) || answered_by_vfs(request)) {
        return run_native();
    }
    o = run_table_by_fd(rq->server->table, rq->tid, rq->dirfd, &access);
    if (o == NULL) {
        return run_native();
    }
    if (access == RUN_ACCESS_PATH) {
        return run_value(-EBADF);
    }
    run_umem_init(&rum, rq->tid, rq->server->listener, rq->notif->id);
    return run_value(o->dev->ops->ioctl(o->dev->dev, access == RUN_ACCESS_WRITE,
                                        request, run_arg(rq, 1), &rum.um));
}

static struct run_answer answer_access(const struct run_request *rq,
                                       const struct run_object *o)
{
    int mode = (int)run_arg(rq, 0);
    bool real = (rq->flags & AT_EACCESS) == 0;

    if ((mode & ~7) != 0 ||
        (rq->flags &
         ~(uint32_t)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) {
        return run_value(-EINVAL);
    }
    return run_value(run_cred_allows(rq->tid, o, mode, real) ? 0 : -EACCES);
}

/* A link below /proc/PID/fd says the node's name, as for a real device. */
static struct run_answer answer_readlink(const struct run_request *rq,
                                         const struct run_found *f)
{
    size_t room = (size_t)(uint32_t)run_arg(rq, 1);
    size_t size = strlen(f->object->path);
    int err;

    if (f->links == 0 || (int)run_arg(rq, 1) <= 0) {
        return run_value(-EINVAL);
    }
    if (!f->by_fd || f->links > 1) {
        return run_native();
    }
    size = size < room ? size : room;
    err = run_copy_out(rq, run_arg(rq, 0), f->object->path, size);
    return run_value(err != 0 ? err : (int64_t)size);
}

static struct run_answer answer_object(struct run_request *rq,
                                       const struct run_found *f)
{
    switch (rq->call->op) {
    case RUN_OP_STAT:
        return run_stat(rq, f->object);
    case RUN_OP_STAT64:
        return run_stat64(rq, f->object);
    case RUN_OP_STATX:
        return run_statx(rq, f->object);
    case RUN_OP_ACCESS:
        return answer_access(rq, f->object);
    case RUN_OP_READLINK:
        return answer_readlink(rq, f);
    case RUN_OP_GETXATTR:
        return run_value(-ENODATA);
    case RUN_OP_LISTXATTR:
        return run_value(0);
    default:
        return run_native();
    }
}

static struct run_answer answer_path(struct run_request *rq)
{
    struct run_name name = {
        .tid = rq->tid,
        .dirfd = rq->dirfd,
        .path = rq->path,
        .follow = (rq->flags & AT_SYMLINK_NOFOLLOW) == 0,
    };
    struct run_found found;
    int r;

    if (rq->call->op == RUN_OP_READLINK) {
        /* No link to a node is ours to read but a descriptor's. */
        name.follow = strstr(rq->path, "fd/") != NULL;
    }
    r = run_path_find(rq->server->table, &name, &found);
    if (r > 0 && found.slash && !S_ISDIR(found.object->mode)) {
        r = -ENOTDIR;
    }
    if (r <= 0) {
        return r == 0 ? run_native() : run_value(r);
    }
    return answer_object(rq, &found);
}

static struct run_answer answer_fd(struct run_request *rq)
{
    struct run_found found = {0};
    enum run_access access;

    if (!atomic_load(&rq->server->opened) || rq->dirfd < 0) {
        return run_native();
    }
    found.object =
        run_table_by_fd(rq->server->table, rq->tid, rq->dirfd, &access);
    return found.object == NULL ? run_native() : answer_object(rq, &found);
}

static struct run_answer answer(struct run_request *rq)
{
    int how;

    if (rq->call->op == RUN_OP_IOCTL) {
        return answer_ioctl(rq);
    }
    if (rq->call->path < 0 && !atomic_load(&rq->server->opened)) {
        return run_native();
    }
    how = load_path(rq);
    if (how < 0) {
        return run_native(); /* the kernel finds the same fault */
    }
    if (how == 0) {
        return answer_fd(rq);
    }
    return rq->call->op == RUN_OP_OPEN || rq->call->op == RUN_OP_OPENAT2
               ? run_open(rq)
               : answer_path(rq);
}

static void send_value(const struct run_request *rq, const struct run_answer *a)
{
    struct seccomp_notif_resp resp = {.id = rq->notif->id};

    if (a->kind == RUN_NATIVE) {
        resp.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    } else if (a->value < 0) {
        resp.error = (int)a->value;
    } else {
        resp.val = a->value;
    }
    /* ENOENT: killed meanwhile, or interrupted before Linux 5.19. */
    (void)ioctl(rq->server->listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
}

static void send_fd(const struct run_request *rq, const struct run_answer *a)
{
    struct seccomp_notif_addfd add = {
        .id = rq->notif->id,
        .flags = SECCOMP_ADDFD_FLAG_SEND,
        .srcfd = (uint32_t)a->value,
        .newfd_flags = a->cloexec ? O_CLOEXEC : 0,
    };
    struct run_answer failed;

    if (ioctl(rq->server->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0) {
        failed = run_value(-errno); /* the program's own limit: EMFILE */
        send_value(rq, &failed);
    }
    close((int)a->value);
}

void run_serve(struct run_server *s, const struct seccomp_notif *n)
{
    const struct run_call *call = run_calls_find(&s->calls, &n->data);
    struct run_request rq;
    struct run_answer a = {.kind = RUN_NATIVE};

    rq.server = s;
    rq.notif = n;
    rq.call = call;
    rq.tid = (pid_t)n->pid;
    if (call != NULL) {
        rq.dirfd = call->fd < 0 ? AT_FDCWD : (int)n->data.args[call->fd];
        rq.flags = call->implied |
                   (call->flags < 0 ? 0 : (uint32_t)n->data.args[call->flags]);
        a = answer(&rq);
    }
    if (a.kind == RUN_FD) {
        send_fd(&rq, &a);
    } else {
        send_value(&rq, &a);
    }
}
