/* SPDX-License-Identifier: Apache-2.0 */
#define FUSE_USE_VERSION 35
#include "cuse.h"

#include "cuse_retry.h"
#include "fusedev_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse3/cuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NAME_SIZE 64u
/* Of the kernel, to make the node. */
#define START_SECONDS 10
#define PREFIX        "swpsp-"

struct cuse {
    struct chardev dev;
    char name[NAME_SIZE]; /* of the node that the kernel makes */
    char node[NAME_SIZE + 8];
    char shadow[NAME_SIZE + 8]; /* path that it is mounted over, or "" */
    bool shadowing;
    int fd; /* /dev/cuse until the session has it */
    struct fuse_session *se;
    struct fusedev_pool pool;
    bool pooled;
    void (*gone)(void *ctx);
    void *ctx;
    pthread_mutex_t lock;
    pthread_cond_t change;
    bool ready, ended;
    struct cuse_file *files; /* that clients have open */
};

/* One open of the node; its address is the file handle. */
struct cuse_file {
    struct cuse_file *next, **link; /* link: what points here */
    bool writable;
    struct cuse_chains chains;
};

static struct cuse_file *file_of(const struct fuse_file_info *fi)
{
    return (struct cuse_file *)(uintptr_t)fi->fh;
}

static void op_init_done(void *userdata)
{
    struct cuse *cuse = userdata;

    pthread_mutex_lock(&cuse->lock);
    cuse->ready = true;
    pthread_cond_broadcast(&cuse->change);
    pthread_mutex_unlock(&cuse->lock);
}

static struct cuse_file *new_file(struct cuse *cuse, bool writable)
{
    struct cuse_file *file = calloc(1, sizeof(*file));

    if (file == NULL) {
        return NULL;
    }
    file->writable = writable;
    cuse_chains_init(&file->chains);
    pthread_mutex_lock(&cuse->lock);
    file->next = cuse->files;
    file->link = &cuse->files;
    if (file->next != NULL) {
        file->next->link = &file->next;
    }
    cuse->files = file;
    pthread_mutex_unlock(&cuse->lock);
    return file;
}

static void free_file(struct cuse *cuse, struct cuse_file *file)
{
    pthread_mutex_lock(&cuse->lock);
    *file->link = file->next;
    if (file->next != NULL) {
        file->next->link = file->link;
    }
    pthread_mutex_unlock(&cuse->lock);
    cuse_chains_clear(&file->chains);
    free(file);
}

static void op_open(fuse_req_t req, struct fuse_file_info *fi)
{
    struct cuse *cuse = fuse_req_userdata(req);
    struct cuse_file *file = new_file(cuse, chardev_writable(fi->flags));

    if (file == NULL) {
        fuse_reply_err(req, ENOMEM);
        return;
    }
    fi->fh = (uintptr_t)file;
    if (fuse_reply_open(req, fi) != 0) {
        /* Interrupted: the kernel knows of no file, there is no release. */
        free_file(cuse, file);
    }
}

static void op_release(fuse_req_t req, struct fuse_file_info *fi)
{
    free_file(fuse_req_userdata(req), file_of(fi));
    fuse_reply_err(req, 0);
}

static void op_read(fuse_req_t req, size_t size, off_t off,
                    struct fuse_file_info *fi)
{
    (void)size;
    (void)off;
    (void)fi;
    fuse_reply_err(req, EINVAL);
}

static void op_write(fuse_req_t req, const char *buf, size_t size, off_t off,
                     struct fuse_file_info *fi)
{
    (void)buf;
    op_read(req, size, off, fi);
}

/* Errors are results too: only so can data go back with them, and can they be
 * above 511. */
static void answer(fuse_req_t req, int result, const void *out, size_t size)
{
    fuse_reply_ioctl(req, result, out, size);
}

static void op_ioctl(fuse_req_t req, int request, void *arg,
                     struct fuse_file_info *fi, unsigned int flags,
                     const void *in, size_t in_size, size_t out_size)
{
    struct cuse_file *file = file_of(fi);
    const struct cuse_key key = {
        .tid = fuse_req_ctx(req)->pid,
        .request = (uint32_t)request, /* sign-extended on its way here */
        .arg = (uintptr_t)arg,
    };
    const struct cuse *cuse = fuse_req_userdata(req);
    struct cuse_call *call;
    int result;

    if ((flags & FUSE_IOCTL_COMPAT) != 0) {
        answer(req, -ENOTTY, NULL, 0);
        return;
    }
    call = out_size > CUSE_SIZE_MAX ? NULL : malloc(sizeof(*call) + out_size);
    if (call == NULL) {
        answer(req, -ENOMEM, NULL, 0);
        return;
    }
    if (cuse_call(call, &file->chains, &key, &cuse->dev, file->writable, in,
                  in_size, out_size, &result)) {
        answer(req, result, call->out, call->run.reply);
    } else {
        fuse_reply_ioctl_retry(req, call->run.plan.in, call->run.plan.in_count,
                               call->run.plan.out, call->run.plan.out_count);
    }
    explicit_bzero(call->out, out_size); /* perhaps a key */
    free(call);
}

static const struct cuse_lowlevel_ops OPS = {
    .init_done = op_init_done,
    .open = op_open,
    .read = op_read,
    .write = op_write,
    .release = op_release,
    .ioctl = op_ioctl,
};

/* --- start and stop --- */

static int fail(char *error, const char *what, const char *why, int err)
{
    snprintf(error, CUSE_ERROR_SIZE, "%.100s: %s", what, why);
    return err;
}

static int choose_names(struct cuse *cuse, const struct cuse_config *config,
                        char *error)
{
    const char *name = config->name != NULL ? config->name : config->dev.name;
    char path[NAME_SIZE + 8];
    struct stat st;

    if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL ||
        strlen(name) + sizeof(PREFIX) > NAME_SIZE) {
        return fail(error, name, "not the name of a device", -EINVAL);
    }
    snprintf(path, sizeof(path), "/dev/%s", name);
    if (stat(path, &st) != 0) {
        snprintf(cuse->name, sizeof(cuse->name), "%s", name);
    } else if (config->force && !S_ISDIR(st.st_mode)) {
        snprintf(cuse->name, sizeof(cuse->name), PREFIX "%s", name);
        memcpy(cuse->shadow, path, sizeof(path));
    } else {
        return fail(error, path, "exists, and not forced", -EEXIST);
    }
    snprintf(cuse->node, sizeof(cuse->node), "/dev/%s", cuse->name);
    return stat(cuse->node, &st) == 0
               ? fail(error, cuse->node, "exists", -EEXIST)
               : 0;
}

static int open_session(struct cuse *cuse, char *error)
{
    char info_name[NAME_SIZE + 8];
    const char *info_argv[] = {info_name};
    const struct cuse_info info = {
        .dev_info_argc = 1,
        .dev_info_argv = info_argv,
        .flags = CUSE_UNRESTRICTED_IOCTL,
    };
    char arg0[] = "swpsp";
    char *argv[] = {arg0, NULL};
    struct fuse_args args = FUSE_ARGS_INIT(1, argv);
    char name[32];

    cuse->fd = open("/dev/cuse", O_RDWR | O_CLOEXEC);
    if (cuse->fd < 0) {
        return fail(error, "/dev/cuse", strerror(errno), -errno);
    }
    snprintf(info_name, sizeof(info_name), "DEVNAME=%s", cuse->name);
    cuse->se = cuse_lowlevel_new(&args, &info, &OPS, cuse);
    fuse_opt_free_args(&args); /* libfuse may have copied them */
    if (cuse->se == NULL) {
        return fail(error, cuse->node, "out of memory", -ENOMEM);
    }
    /* libfuse takes a descriptor by its name. */
    snprintf(name, sizeof(name), "/dev/fd/%d", cuse->fd);
    if (fuse_session_mount(cuse->se, name) != 0) {
        return fail(error, cuse->node, "libfuse refused", -EIO);
    }
    cuse->fd = -1; /* the session closes it */
    return 0;
}

static void session_gone(void *ctx)
{
    struct cuse *cuse = ctx;
    bool was_ready;

    pthread_mutex_lock(&cuse->lock);
    was_ready = cuse->ready;
    cuse->ended = true;
    pthread_cond_broadcast(&cuse->change);
    pthread_mutex_unlock(&cuse->lock);
    if (was_ready && cuse->gone != NULL) {
        cuse->gone(cuse->ctx);
    }
}

/* The node appears while the kernel takes our answer to its first request. */
static int wait_ready(struct cuse *cuse, char *error)
{
    struct timespec end;
    int r = 0;

    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += START_SECONDS;
    pthread_mutex_lock(&cuse->lock);
    while (!cuse->ready && !cuse->ended && r == 0) {
        r = pthread_cond_clockwait(&cuse->change, &cuse->lock, CLOCK_MONOTONIC,
                                   &end);
    }
    r = cuse->ready && !cuse->ended ? 0 : cuse->ended ? -EIO : -ETIMEDOUT;
    pthread_mutex_unlock(&cuse->lock);
    return r == 0 ? 0
                  : fail(error, cuse->node, "the kernel did not make it", r);
}

static int set_up_node(struct cuse *cuse, const struct cuse_config *config,
                       char *error)
{
    struct stat st;

    if (stat(cuse->node, &st) != 0 || !S_ISCHR(st.st_mode)) {
        return fail(error, cuse->node, "the kernel did not make it", -EIO);
    }
    if (chown(cuse->node, config->uid, config->gid) != 0 ||
        chmod(cuse->node, config->mode & 07777) != 0) {
        return fail(error, cuse->node, strerror(errno), -errno);
    }
    if (cuse->shadow[0] != '\0') {
        if (mount(cuse->node, cuse->shadow, NULL, MS_BIND, NULL) != 0) {
            return fail(error, cuse->shadow, strerror(errno), -errno);
        }
        cuse->shadowing = true;
    }
    return 0;
}

static int bring_up(struct cuse *cuse, const struct cuse_config *config,
                    char *error)
{
    int err = choose_names(cuse, config, error);

    if (err == 0) {
        err = open_session(cuse, error);
    }
    if (err == 0) {
        err = fusedev_pool_start(&cuse->pool, cuse->se, config->thread_count,
                                 session_gone, cuse);
        cuse->pooled = err == 0;
        if (err != 0) {
            return fail(error, cuse->node, strerror(-err), err);
        }
    }
    if (err == 0) {
        err = wait_ready(cuse, error);
    }
    return err != 0 ? err : set_up_node(cuse, config, error);
}

int cuse_start(const struct cuse_config *config, struct cuse **out, char *error)
{
    struct cuse *cuse = calloc(1, sizeof(*cuse));
    int err;

    *out = NULL;
    if (cuse == NULL) {
        return fail(error, config->dev.name, "out of memory", -ENOMEM);
    }
    cuse->dev = config->dev;
    cuse->gone = config->gone;
    cuse->ctx = config->ctx;
    cuse->fd = -1;
    pthread_mutex_init(&cuse->lock, NULL);
    pthread_cond_init(&cuse->change, NULL);
    err = bring_up(cuse, config, error);
    if (err != 0) {
        cuse_stop(cuse);
        return err;
    }
    *out = cuse;
    return 0;
}

bool cuse_hides(const struct cuse *cuse)
{
    return cuse->shadowing;
}

void cuse_stop(struct cuse *cuse)
{
    if (cuse == NULL) {
        return;
    }
    if (cuse->shadowing) {
        umount2(cuse->shadow, MNT_DETACH);
    }
    if (cuse->pooled) {
        fusedev_pool_stop(&cuse->pool);
    }
    if (cuse->se != NULL) {
        fuse_session_destroy(cuse->se); /* closes: the kernel takes the node */
    }
    if (cuse->fd >= 0) {
        close(cuse->fd);
    }
    while (cuse->files != NULL) {
        free_file(cuse, cuse->files); /* no release comes any more */
    }
    pthread_cond_destroy(&cuse->change);
    pthread_mutex_destroy(&cuse->lock);
    free(cuse);
}
