/* SPDX-License-Identifier: Apache-2.0 */
#include "run_answer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

/* On 64-bit machines the C library's struct stat is the kernel's. */
_Static_assert(sizeof(void *) == 8, "the supervisor is a 64-bit program");

#define STAT_FLAGS                                                             \
    ((uint32_t)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH |        \
                AT_STATX_SYNC_TYPE))
#define STATX_RESERVED 0x80000000u

static struct run_answer copied(const struct run_request *rq, uint64_t addr,
                                const void *data, size_t size)
{
    return run_value(run_copy_out(rq, addr, data, size));
}

struct run_answer run_stat(struct run_request *rq, const struct run_object *o)
{
    struct stat st;

    if ((rq->flags & ~STAT_FLAGS) != 0) {
        return run_value(-EINVAL);
    }
    run_object_stat(rq->server->table, o, &st);
    return copied(rq, run_arg(rq, 0), &st, sizeof(st));
}

static void put32(uint8_t *p, uint64_t v)
{
    uint32_t low = (uint32_t)v;

    memcpy(p, &low, sizeof(low));
}

static void put64(uint8_t *p, uint64_t v)
{
    memcpy(p, &v, sizeof(v));
}

static void put_time(uint8_t *p, const struct timespec *t)
{
    put32(p, (uint64_t)t->tv_sec);
    put32(p + 4, (uint64_t)t->tv_nsec);
}

struct run_answer run_stat64(struct run_request *rq, const struct run_object *o)
{
    uint8_t b[96] = {0}; /* i386: 64-bit members at multiples of four */
    struct stat st;

    if ((rq->flags & ~STAT_FLAGS) != 0) {
        return run_value(-EINVAL);
    }
    run_object_stat(rq->server->table, o, &st);
    put64(b, st.st_dev);
    put32(b + 12, st.st_ino);
    put32(b + 16, st.st_mode);
    put32(b + 20, st.st_nlink);
    put32(b + 24, st.st_uid);
    put32(b + 28, st.st_gid);
    put64(b + 32, st.st_rdev);
    put64(b + 44, (uint64_t)st.st_size);
    put32(b + 52, (uint64_t)st.st_blksize);
    put64(b + 56, (uint64_t)st.st_blocks);
    put_time(b + 64, &st.st_atim);
    put_time(b + 72, &st.st_mtim);
    put_time(b + 80, &st.st_ctim);
    put64(b + 88, st.st_ino);
    return copied(rq, run_arg(rq, 0), b, sizeof(b));
}

static struct statx_timestamp x_time(const struct timespec *t)
{
    return (struct statx_timestamp){
        .tv_sec = t->tv_sec,
        .tv_nsec = (uint32_t)t->tv_nsec,
    };
}

struct run_answer run_statx(struct run_request *rq, const struct run_object *o)
{
    uint32_t mask = (uint32_t)run_arg(rq, 0);
    struct stat st;
    struct statx x = {0};

    if ((rq->flags & ~STAT_FLAGS) != 0 ||
        (rq->flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE ||
        (mask & STATX_RESERVED) != 0) {
        return run_value(-EINVAL);
    }
    run_object_stat(rq->server->table, o, &st);
    x.stx_mask = STATX_BASIC_STATS;
    x.stx_blksize = (uint32_t)st.st_blksize;
    x.stx_nlink = (uint32_t)st.st_nlink;
    x.stx_uid = st.st_uid;
    x.stx_gid = st.st_gid;
    x.stx_mode = (uint16_t)st.st_mode;
    x.stx_ino = st.st_ino;
    x.stx_size = (uint64_t)st.st_size;
    x.stx_blocks = (uint64_t)st.st_blocks;
    x.stx_atime = x_time(&st.st_atim);
    x.stx_mtime = x_time(&st.st_mtim);
    x.stx_ctime = x_time(&st.st_ctim);
    x.stx_rdev_major = major(st.st_rdev);
    x.stx_rdev_minor = minor(st.st_rdev);
    x.stx_dev_major = major(st.st_dev);
    x.stx_dev_minor = minor(st.st_dev);
    return copied(rq, run_arg(rq, 1), &x, sizeof(x));
}
