/* SPDX-License-Identifier: Apache-2.0 */
#include "run_answer.h"
#include "run_cred.h"
#include "run_path.h"

#include <linux/openat2.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define TMPFILE    ((uint32_t)(O_TMPFILE & ~O_DIRECTORY))
#define LARGEFILE  0x8000u /* 0 in user space's headers on 64 bits */
#define PATH_FLAGS ((uint32_t)(O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC))
#define VALID_FLAGS                                                            \
    ((uint32_t)(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | \
                O_NONBLOCK | O_SYNC | O_ASYNC | O_DIRECT | O_DIRECTORY |       \
                O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | O_TMPFILE) |     \
     LARGEFILE)
/* What stays with an open file and F_GETFL shows. */
#define STATUS_FLAGS                                                           \
    ((uint32_t)(O_ACCMODE | O_APPEND | O_NONBLOCK | O_SYNC | O_ASYNC |         \
                O_NOATIME) |                                                   \
     LARGEFILE)

static int wanted(uint32_t flags)
{
    static const int by_mode[] = {R_OK, W_OK, R_OK | W_OK, R_OK | W_OK};
    int want = by_mode[flags & O_ACCMODE];

    return (flags & O_TRUNC) != 0 ? want | W_OK : want;
}

/* Refusals that depend on the flags alone. */
static int check_flags(uint32_t flags)
{
    if ((flags & O_PATH) != 0) {
        return 0; /* which makes Linux forget the others */
    }
    if ((flags & O_CREAT) != 0 && (flags & O_DIRECTORY) != 0) {
        return -EINVAL;
    }
    if ((flags & TMPFILE) != 0 &&
        ((flags & O_DIRECTORY) == 0 || (wanted(flags) & W_OK) == 0)) {
        return -EINVAL;
    }
    return 0;
}

/* Linux's order of refusals for a name that exists. */
static int check_open(const struct run_request *rq, const struct run_found *f,
                      uint32_t flags)
{
    bool dir = S_ISDIR(f->object->mode);

    if ((flags & O_CREAT) != 0 && f->slash) {
        return -EISDIR;
    }
    if ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0) {
        return -EEXIST;
    }
    if (dir && ((flags & O_CREAT) != 0 || (wanted(flags) & W_OK) != 0)) {
        return -EISDIR;
    }
    if (!dir && (f->slash || (flags & O_DIRECTORY) != 0)) {
        return -ENOTDIR;
    }
    if (!run_cred_allows(rq->tid, f->object, wanted(flags), false)) {
        return -EACCES;
    }
    if ((flags & O_NOATIME) != 0 && !run_cred_owns(rq->tid, f->object)) {
        return -EPERM;
    }
    return (flags & O_DIRECT) != 0 && f->object->dev != NULL ? -EINVAL : 0;
}

static int open_probe(const struct run_object *o, uint32_t flags)
{
    int fd;

    if ((wanted(flags) & W_OK) != 0 && o->device == 0) {
        return -EACCES; /* root may, on Linux; probes cannot be written */
    }
    if (o->source == NULL) {
        return S_ISDIR(o->mode) ? -EACCES
                                : run_object_open(o, RUN_ACCESS_READ,
                                                  (int)(flags & STATUS_FLAGS));
    }
    fd = open(o->source, (int)(flags & STATUS_FLAGS) | O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* The kernel cannot install an O_PATH descriptor for us: an ordinary one takes
 * its place, and its inode tells that ioctls on it are to fail. */
static int open_path_only(const struct run_found *f, uint32_t flags)
{
    const struct run_object *o = f->object;

    if (!S_ISDIR(o->mode) && (f->slash || (flags & O_DIRECTORY) != 0)) {
        return -ENOTDIR;
    }
    return o->dev != NULL ? run_object_open(o, RUN_ACCESS_PATH, O_RDONLY)
                          : open_probe(o, O_RDONLY);
}

static int open_object(const struct run_request *rq, const struct run_found *f,
                       uint32_t flags)
{
    int err;

    if ((flags & O_PATH) != 0) {
        return open_path_only(f, flags);
    }
    err = check_open(rq, f, flags);
    if (err != 0) {
        return err;
    }
    if (f->object->dev == NULL) {
        return open_probe(f->object, flags);
    }
    return run_object_open(f->object,
                           chardev_writable((int)flags) ? RUN_ACCESS_WRITE
                                                        : RUN_ACCESS_READ,
                           (int)(flags & STATUS_FLAGS));
}

/* openat2 checks what the others ignore. Reads struct open_how of any size. */
static int load_how(struct run_request *rq, struct open_how *how)
{
    uint64_t addr = run_arg(rq, 0);
    uint64_t size = run_arg(rq, 1);
    uint8_t tail[256];

    if (size < sizeof(*how)) {
        return -EINVAL;
    }
    if (size > sizeof(*how) + sizeof(tail)) {
        return -E2BIG;
    }
    if (run_copy_in(rq, addr, how, sizeof(*how)) != 0 ||
        run_copy_in(rq, addr + sizeof(*how), tail, size - sizeof(*how)) != 0) {
        return -EFAULT;
    }
    for (uint64_t i = 0; i < size - sizeof(*how); i++) {
        if (tail[i] != 0) {
            return -E2BIG;
        }
    }
    return 0;
}

static int check_how(const struct open_how *how)
{
    uint32_t flags = (uint32_t)how->flags;

    if ((how->flags & ~(uint64_t)VALID_FLAGS) != 0 ||
        (how->mode & ~07777ull) != 0 ||
        (how->mode != 0 && (flags & (O_CREAT | TMPFILE)) == 0) ||
        ((flags & O_PATH) != 0 && (flags & ~PATH_FLAGS) != 0)) {
        return -EINVAL;
    }
    return 0;
}

static bool can_resolve(const struct open_how *how)
{
    return (how->resolve &
            ~(uint64_t)(RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
                        RESOLVE_CACHED)) == 0;
}

struct run_answer run_open(struct run_request *rq)
{
    bool two = rq->call->op == RUN_OP_OPENAT2;
    struct open_how how = {.flags = rq->flags};
    struct run_name name = {
        .tid = rq->tid, .dirfd = rq->dirfd, .path = rq->path};
    struct run_found found;
    uint32_t flags;
    int r, fd;

    if (two && (load_how(rq, &how) != 0 || !can_resolve(&how))) {
        return run_native(); /* refused by the kernel, or not for us */
    }
    flags = (uint32_t)how.flags;
    name.plain = how.resolve != 0;
    name.follow = (flags & O_NOFOLLOW) == 0 &&
                  (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
    r = run_path_find(rq->server->table, &name, &found);
    if (r == 0) {
        return run_native();
    }
    fd = two ? check_how(&how) : 0;
    fd = fd == 0 ? check_flags(flags) : fd;
    if (fd == 0) {
        fd = r < 0 ? r : open_object(rq, &found, flags);
    }
    if (fd < 0) {
        return run_value(fd);
    }
    if (found.object->dev != NULL) {
        atomic_store(&rq->server->opened, true);
    }
    return (struct run_answer){RUN_FD, fd, (flags & O_CLOEXEC) != 0};
}
