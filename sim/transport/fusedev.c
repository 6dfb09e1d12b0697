/* SPDX-License-Identifier: Apache-2.0 */
#define FUSE_USE_VERSION 35
#include "fusedev.h"

#include "fusedev_impl.h"
#include "fusedev_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Nobody else changes anything. */
#define FOREVER 1e9
/* What an argument struct can hold: 14 bits of the request number. */
#define ARGUMENT_MAX 16384u

struct fusedev {
    struct fusedev_mount mount;
    struct fuse_session *se;
    struct fusedev_pool pool;
    bool pooled;
    pthread_mutex_t lock; /* of modes and owners */
    struct timespec born;
    bool file;
    uint32_t uid, gid; /* of the directory */
    uint32_t dir_mode;
    size_t count;
    struct fusedev_node nodes[];
};

/* --- inodes: 1 is the root; node i is i + 2, or the root itself --- */

static fuse_ino_t ino_of(const struct fusedev *fd, size_t i)
{
    return fd->file ? FUSE_ROOT_ID : FUSE_ROOT_ID + 1 + i;
}

static struct fusedev_node *node_of(struct fusedev *fd, fuse_ino_t ino)
{
    size_t i = (size_t)(ino - (fd->file ? 1 : 2));

    return i < fd->count ? &fd->nodes[i] : NULL;
}

static struct fusedev *fusedev_of(fuse_req_t req)
{
    return fuse_req_userdata(req);
}

static struct stat stat_of(struct fusedev *fd, fuse_ino_t ino)
{
    const struct fusedev_node *node = node_of(fd, ino);
    struct stat st = {
        .st_ino = ino,
        .st_nlink = node == NULL ? 2 : 1,
        .st_atim = fd->born,
        .st_mtim = fd->born,
        .st_ctim = fd->born,
    };

    pthread_mutex_lock(&fd->lock);
    st.st_mode = node == NULL ? S_IFDIR | fd->dir_mode : S_IFREG | node->mode;
    st.st_uid = node == NULL ? fd->uid : node->uid;
    st.st_gid = node == NULL ? fd->gid : node->gid;
    pthread_mutex_unlock(&fd->lock);
    return st;
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fusedev *fd = fusedev_of(req);

    (void)parent; /* there is one directory */
    for (size_t i = 0; i < fd->count && !fd->file; i++) {
        if (strcmp(fd->nodes[i].name, name) == 0) {
            struct fuse_entry_param e = {
                .ino = ino_of(fd, i),
                .attr = stat_of(fd, ino_of(fd, i)),
                .attr_timeout = FOREVER,
                .entry_timeout = FOREVER,
            };

            fuse_reply_entry(req, &e);
            return;
        }
    }
    fuse_reply_err(req, ENOENT);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino,
                       struct fuse_file_info *fi)
{
    struct stat st = stat_of(fusedev_of(req), ino);

    (void)fi;
    fuse_reply_attr(req, &st, FOREVER);
}

/* A device has no length and keeps none. The kernel has checked permissions. */
static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr,
                       int to_set, struct fuse_file_info *fi)
{
    struct fusedev *fd = fusedev_of(req);
    struct fusedev_node *node = node_of(fd, ino);
    uint32_t *mode = node == NULL ? &fd->dir_mode : &node->mode;
    uint32_t *uid = node == NULL ? &fd->uid : &node->uid;
    uint32_t *gid = node == NULL ? &fd->gid : &node->gid;

    pthread_mutex_lock(&fd->lock);
    if ((to_set & FUSE_SET_ATTR_MODE) != 0) {
        *mode = attr->st_mode & 07777;
    }
    if ((to_set & FUSE_SET_ATTR_UID) != 0) {
        *uid = attr->st_uid;
    }
    if ((to_set & FUSE_SET_ATTR_GID) != 0) {
        *gid = attr->st_gid;
    }
    pthread_mutex_unlock(&fd->lock);
    op_getattr(req, ino, fi);
}

static void add_entry(fuse_req_t req, char *buf, size_t size, size_t *used,
                      const char *name, fuse_ino_t ino, off_t next)
{
    const struct stat st = {
        .st_ino = ino,
        .st_mode = ino == FUSE_ROOT_ID ? S_IFDIR : S_IFREG,
    };
    size_t n =
        fuse_add_direntry(req, buf + *used, size - *used, name, &st, next);

    if (n <= size - *used) {
        *used += n;
    }
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                       struct fuse_file_info *fi)
{
    struct fusedev *fd = fusedev_of(req);
    char buf[4096];
    size_t used = 0;

    (void)ino;
    (void)fi;
    size = size < sizeof(buf) ? size : sizeof(buf);
    for (size_t at = (size_t)off; at < fd->count + 2; at++) {
        size_t before = used;
        bool dot = at < 2;

        add_entry(req, buf, size, &used,
                  dot ? (at == 0 ? "." : "..") : fd->nodes[at - 2].name,
                  dot ? FUSE_ROOT_ID : ino_of(fd, at - 2), (off_t)at + 1);
        if (used == before) {
            break; /* full: the kernel asks for the rest */
        }
    }
    fuse_reply_buf(req, buf, used);
}

/* --- an open device --- */

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    (void)ino;
    fi->fh = chardev_writable(fi->flags); /* ioctl cannot tell */
    fi->direct_io = 1;
    fi->nonseekable = 1;
    fi->noflush = 1; /* nothing to write back: a close needs no answer */
    fuse_reply_open(req, fi);
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                    struct fuse_file_info *fi)
{
    (void)ino;
    (void)size;
    (void)off;
    (void)fi;
    fuse_reply_err(req, EINVAL);
}

static void op_write(fuse_req_t req, fuse_ino_t ino, const char *buf,
                     size_t size, off_t off, struct fuse_file_info *fi)
{
    (void)buf;
    op_read(req, ino, size, off, fi);
}

static void op_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int request,
                     void *arg, struct fuse_file_info *fi, unsigned int flags,
                     const void *in, size_t in_size, size_t out_size)
{
    struct fusedev_node *node = node_of(fusedev_of(req), ino);
    uint8_t out[ARGUMENT_MAX];
    struct fusedev_umem fum;
    int64_t result;

    if (node == NULL || (flags & FUSE_IOCTL_COMPAT) != 0 ||
        out_size > sizeof(out)) {
        fuse_reply_err(req, ENOTTY);
        return;
    }
    fusedev_umem_init(&fum, fuse_req_ctx(req)->pid, (uintptr_t)arg, in, in_size,
                      out, out_size);
    result = node->dev.ops->ioctl(node->dev.dev, fi->fh != 0, request, fum.arg,
                                  &fum.um);
    /* Errors are results too: only so can data go back with them, and can they
     * be above 511. */
    fuse_reply_ioctl(req, result == UMEM_RETRY ? -EIO : (int)result, out,
                     fum.reply);
}

static const struct fuse_lowlevel_ops OPS = {
    .lookup = op_lookup,
    .getattr = op_getattr,
    .setattr = op_setattr,
    .readdir = op_readdir,
    .open = op_open,
    .read = op_read,
    .write = op_write,
    .ioctl = op_ioctl,
};

/* --- start and stop --- */

static bool is_plain(const char *name)
{
    return name != NULL && name[0] != '\0' && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0 && strchr(name, '/') == NULL &&
           strlen(name) <= 255;
}

static int check_nodes(const struct fusedev_config *config, char *error)
{
    bool good = config->node_count > 0 &&
                (!config->file || config->node_count == 1) &&
                config->path != NULL;

    for (size_t i = 0; i < config->node_count && good && !config->file; i++) {
        good = is_plain(config->nodes[i].name);
        for (size_t j = 0; j < i && good; j++) {
            good = strcmp(config->nodes[i].name, config->nodes[j].name) != 0;
        }
    }
    if (!good) {
        snprintf(error, FUSEDEV_ERROR_SIZE, "a bad list of devices");
    }
    return good ? 0 : -EINVAL;
}

static struct fusedev *new_fusedev(const struct fusedev_config *config)
{
    const size_t size = config->node_count * sizeof(config->nodes[0]);
    struct fusedev *fd = calloc(1, sizeof(*fd) + size);

    if (fd == NULL) {
        return NULL;
    }
    pthread_mutex_init(&fd->lock, NULL);
    clock_gettime(CLOCK_REALTIME, &fd->born);
    fd->file = config->file;
    fd->uid = (uint32_t)geteuid();
    fd->gid = (uint32_t)getegid();
    fd->dir_mode = 0755;
    fd->count = config->node_count;
    memcpy(fd->nodes, config->nodes, size);
    for (size_t i = 0; i < fd->count; i++) {
        fd->nodes[i].mode &= 07777;
    }
    fd->mount.fd = -1;
    return fd;
}

/* libfuse takes a descriptor by its name. */
static int adopt(struct fusedev *fd)
{
    char arg0[] = "swpsp";
    char *argv[] = {arg0, NULL};
    struct fuse_args args = FUSE_ARGS_INIT(1, argv);
    char name[32];

    fd->se = fuse_session_new(&args, &OPS, sizeof(OPS), fd);
    fuse_opt_free_args(&args); /* libfuse may have copied them */
    if (fd->se == NULL) {
        return -ENOMEM;
    }
    snprintf(name, sizeof(name), "/dev/fd/%d", fd->mount.fd);
    if (fuse_session_mount(fd->se, name) != 0) {
        return -EIO;
    }
    fd->mount.fd = -1; /* the session closes it */
    return 0;
}

int fusedev_start(const struct fusedev_config *config, struct fusedev **out,
                  char *error)
{
    struct fusedev *fd;
    int err = check_nodes(config, error);

    *out = NULL;
    if (err != 0) {
        return err;
    }
    fd = new_fusedev(config);
    if (fd == NULL) {
        snprintf(error, FUSEDEV_ERROR_SIZE, "out of memory");
        return -ENOMEM;
    }
    err = fusedev_mount(&fd->mount, config, FUSEDEV_BY_EITHER, error);
    if (err == 0) {
        err = adopt(fd);
        if (err == 0) {
            err = fusedev_pool_start(&fd->pool, fd->se, config->thread_count,
                                     config->gone, config->ctx);
            fd->pooled = err == 0;
        }
        if (err != 0) {
            snprintf(error, FUSEDEV_ERROR_SIZE, "FUSE: %s", strerror(-err));
        }
    }
    if (err != 0) {
        fusedev_stop(fd);
        return err;
    }
    *out = fd;
    return 0;
}

void fusedev_stop(struct fusedev *fd)
{
    if (fd == NULL) {
        return;
    }
    if (fd->pooled && fuse_session_exited(fd->se)) {
        fusedev_mount_ended(&fd->mount);
    }
    fusedev_unmount(&fd->mount);
    if (fd->pooled) {
        fusedev_pool_stop(&fd->pool);
    }
    if (fd->se != NULL) {
        fuse_session_destroy(fd->se);
    }
    fusedev_mount_close(&fd->mount);
    pthread_mutex_destroy(&fd->lock);
    free(fd);
}
