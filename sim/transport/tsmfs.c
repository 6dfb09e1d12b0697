/* SPDX-License-Identifier: Apache-2.0 */
#define FUSE_USE_VERSION 35
#include "tsmfs.h"

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

/* Names change by this mount's own calls alone, and those the kernel sees. */
#define FOREVER    1e9
#define ABOVE_MAX  2u
#define READ_CHUNK 65536u /* more than any blob */
#define TEXT_SIZE  4096   /* what stat says of a text attribute */

/* An open attribute. */
struct handle {
    struct tsm_file *file;
    struct handle *prev, *next;
};

struct tsmfs {
    struct tsm *tsm;
    struct fusedev_mount mount;
    struct fuse_session *se;
    struct fusedev_pool pool;
    bool pooled;
    struct timespec born;
    unsigned int above;
    pthread_mutex_t lock; /* of what follows */
    struct tsmfs_owner dirs[ABOVE_MAX + 1];
    struct handle *handles; /* an end of the session brings no release */
};

/* --- inodes: 1 to 3 are the directories down to "report"; entry n has
 * 16 n, and its attributes what follows --- */

#define INO_PER_ENTRY 16u

static const char *const DIR_NAMES[ABOVE_MAX + 1] = {"config", "tsm", "report"};

static fuse_ino_t report_ino(const struct tsmfs *fs)
{
    return FUSE_ROOT_ID + fs->above;
}

static const char *dir_name(const struct tsmfs *fs, fuse_ino_t ino)
{
    return DIR_NAMES[ABOVE_MAX - fs->above + (ino - FUSE_ROOT_ID)];
}

static fuse_ino_t entry_ino(const struct tsm_entry *entry)
{
    return tsm_entry_id(entry) * INO_PER_ENTRY;
}

static bool is_fixed(fuse_ino_t ino)
{
    return ino < INO_PER_ENTRY;
}

/* -1: the directory itself. */
static int attr_of(fuse_ino_t ino)
{
    return (int)(ino % INO_PER_ENTRY) - 1;
}

static struct tsmfs *tsmfs_of(fuse_req_t req)
{
    return fuse_req_userdata(req);
}

static struct stat stat_fixed(struct tsmfs *fs, fuse_ino_t ino)
{
    struct stat st = {.st_ino = ino, .st_nlink = 2};
    const struct tsmfs_owner *o = &fs->dirs[ino - FUSE_ROOT_ID];

    pthread_mutex_lock(&fs->lock);
    st.st_mode = S_IFDIR | o->mode;
    st.st_uid = o->uid;
    st.st_gid = o->gid;
    pthread_mutex_unlock(&fs->lock);
    return st;
}

/* Of an entry or one of its attributes; a dead one is nobody's. */
static void stat_owner(struct tsmfs *fs, fuse_ino_t ino, struct stat *st)
{
    struct tsm_entry *entry = tsm_by_id(fs->tsm, ino / INO_PER_ENTRY);

    if (entry != NULL) {
        tsm_entry_owner(entry, &st->st_uid, &st->st_gid);
    }
    tsm_put(entry);
}

static struct stat stat_of(struct tsmfs *fs, fuse_ino_t ino)
{
    enum tsm_attr attr = (enum tsm_attr)attr_of(ino);
    struct stat st = {.st_ino = ino, .st_nlink = 1};

    if (is_fixed(ino)) {
        st = stat_fixed(fs, ino);
    } else if (attr_of(ino) < 0) {
        st.st_mode = S_IFDIR | 0755;
        st.st_nlink = 2;
        stat_owner(fs, ino, &st);
    } else {
        st.st_mode = S_IFREG | tsm_attr_mode(attr);
        st.st_size = tsm_attr_is_blob(attr) ? 0 : TEXT_SIZE;
        stat_owner(fs, ino, &st);
    }
    st.st_atim = st.st_mtim = st.st_ctim = fs->born;
    return st;
}

/* A write makes the kernel think that the file has grown; it never does. */
static double timeout_of(fuse_ino_t ino)
{
    return is_fixed(ino) || attr_of(ino) < 0 ? FOREVER : 0;
}

static void reply_entry(fuse_req_t req, fuse_ino_t ino)
{
    struct fuse_entry_param e = {
        .ino = ino,
        .attr = stat_of(tsmfs_of(req), ino),
        .attr_timeout = timeout_of(ino),
        .entry_timeout = timeout_of(ino),
    };

    fuse_reply_entry(req, &e);
}

/* 0: there is none. */
static fuse_ino_t find_attr(struct tsmfs *fs, fuse_ino_t parent,
                            const char *name)
{
    struct tsm_entry *entry = tsm_by_id(fs->tsm, parent / INO_PER_ENTRY);
    int attr = tsm_attr_by_name(name);
    bool has =
        entry != NULL && attr >= 0 && tsm_entry_has(entry, (enum tsm_attr)attr);

    tsm_put(entry);
    return has ? parent + 1 + (fuse_ino_t)attr : 0;
}

static fuse_ino_t find(struct tsmfs *fs, fuse_ino_t parent, const char *name)
{
    struct tsm_entry *entry;
    fuse_ino_t ino;

    if (!is_fixed(parent)) {
        return find_attr(fs, parent, name);
    }
    if (parent != report_ino(fs)) {
        return strcmp(name, dir_name(fs, parent + 1)) == 0 ? parent + 1 : 0;
    }
    entry = tsm_lookup(fs->tsm, name);
    ino = entry == NULL ? 0 : entry_ino(entry);
    tsm_put(entry);
    return ino;
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    fuse_ino_t ino;

    if (strlen(name) > TSM_NAME_MAX) {
        fuse_reply_err(req, ENAMETOOLONG);
        return;
    }
    ino = find(tsmfs_of(req), parent, name);
    if (ino == 0) {
        fuse_reply_err(req, ENOENT);
    } else {
        reply_entry(req, ino);
    }
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino,
                       struct fuse_file_info *fi)
{
    struct stat st = stat_of(tsmfs_of(req), ino);

    (void)fi;
    fuse_reply_attr(req, &st, timeout_of(ino));
}

static void set_owner(struct tsmfs *fs, struct tsmfs_owner *o,
                      const struct stat *attr, int to_set)
{
    pthread_mutex_lock(&fs->lock);
    if ((to_set & FUSE_SET_ATTR_MODE) != 0) {
        o->mode = attr->st_mode & 07777;
    }
    if ((to_set & FUSE_SET_ATTR_UID) != 0) {
        o->uid = attr->st_uid;
    }
    if ((to_set & FUSE_SET_ATTR_GID) != 0) {
        o->gid = attr->st_gid;
    }
    pthread_mutex_unlock(&fs->lock);
}

/* Attributes have no length of their own: O_TRUNC is fine and means nothing.
 * Who may make entries can be changed; an entry is its maker's. */
static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr,
                       int to_set, struct fuse_file_info *fi)
{
    struct tsmfs *fs = tsmfs_of(req);
    const int rights =
        FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID;

    if ((to_set & rights) != 0 && !is_fixed(ino)) {
        fuse_reply_err(req, EPERM);
        return;
    }
    if ((to_set & rights) != 0) {
        set_owner(fs, &fs->dirs[ino - FUSE_ROOT_ID], attr, to_set);
    }
    op_getattr(req, ino, fi);
}

/* --- entries come and go --- */

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name,
                     mode_t mode)
{
    const struct fuse_ctx *by = fuse_req_ctx(req);
    struct tsmfs *fs = tsmfs_of(req);
    struct tsm_entry *entry;
    int err;

    (void)mode; /* as in configfs, always 0755 */
    if (parent != report_ino(fs)) {
        fuse_reply_err(req, EPERM);
        return;
    }
    err = tsm_mkdir_as(fs->tsm, name, by->uid, by->gid, &entry);
    if (err != 0) {
        fuse_reply_err(req, -err);
        return;
    }
    reply_entry(req, entry_ino(entry));
    tsm_put(entry);
}

static void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct tsmfs *fs = tsmfs_of(req);

    fuse_reply_err(req, parent == report_ino(fs) ? -tsm_rmdir(fs->tsm, name)
                                                 : EPERM);
}

static void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    (void)parent;
    (void)name;
    fuse_reply_err(req, EPERM);
}

static void op_create(fuse_req_t req, fuse_ino_t parent, const char *name,
                      mode_t mode, struct fuse_file_info *fi)
{
    (void)parent;
    (void)name;
    (void)mode;
    (void)fi;
    fuse_reply_err(req, EACCES);
}

static void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name,
                     mode_t mode, dev_t rdev)
{
    (void)mode;
    (void)rdev;
    op_unlink(req, parent, name);
}

static void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent,
                       const char *name)
{
    (void)target;
    op_unlink(req, parent, name);
}

static void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent,
                    const char *name)
{
    (void)ino;
    op_unlink(req, parent, name);
}

static void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
                      fuse_ino_t to, const char *to_name, unsigned int flags)
{
    (void)to;
    (void)to_name;
    (void)flags;
    op_unlink(req, parent, name);
}

/* --- listing: offset 0 is ".", 1 "..", then by number --- */

struct listing {
    fuse_req_t req;
    char *buf;
    size_t size, used;
};

static bool list(struct listing *l, const char *name, fuse_ino_t ino,
                 mode_t mode, off_t next)
{
    const struct stat st = {.st_ino = ino, .st_mode = mode};
    size_t n = fuse_add_direntry(l->req, l->buf + l->used, l->size - l->used,
                                 name, &st, next);

    if (n > l->size - l->used) {
        return false;
    }
    l->used += n;
    return true;
}

static void list_entries(struct listing *l, struct tsm *tsm, uint64_t after)
{
    struct tsm_entry *entry;
    bool room = true;

    while (room && (entry = tsm_next(tsm, after)) != NULL) {
        after = tsm_entry_id(entry);
        room = list(l, tsm_entry_name(entry), entry_ino(entry), S_IFDIR,
                    (off_t)after + 2);
        tsm_put(entry);
    }
}

static void list_attrs(struct listing *l, struct tsm *tsm, fuse_ino_t ino,
                       int from)
{
    struct tsm_entry *entry = tsm_by_id(tsm, ino / INO_PER_ENTRY);
    bool room = entry != NULL;

    for (int i = from; i < TSM_ATTR_COUNT && room; i++) {
        if (tsm_entry_has(entry, (enum tsm_attr)i)) {
            room = list(l, tsm_attr_name((enum tsm_attr)i),
                        ino + 1 + (fuse_ino_t)i, S_IFREG, i + 3);
        }
    }
    tsm_put(entry);
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                       struct fuse_file_info *fi)
{
    struct tsmfs *fs = tsmfs_of(req);
    char buf[8192];
    struct listing l = {req, buf, size < sizeof(buf) ? size : sizeof(buf), 0};

    (void)fi;
    if (off < 1) {
        list(&l, ".", ino, S_IFDIR, 1);
    }
    if (off < 2) {
        list(&l, "..", ino, S_IFDIR, 2);
        off = 2;
    }
    if (!is_fixed(ino)) {
        list_attrs(&l, fs->tsm, ino, (int)off - 2);
    } else if (ino == report_ino(fs)) {
        list_entries(&l, fs->tsm, (uint64_t)off - 2);
    } else if (off == 2) {
        list(&l, dir_name(fs, ino + 1), ino + 1, S_IFDIR, 3);
    }
    fuse_reply_buf(req, buf, l.used);
}

/* --- open attributes --- */

static struct handle *handle_of(const struct fuse_file_info *fi)
{
    return (struct handle *)(uintptr_t)fi->fh;
}

static struct tsm_file *file_of(const struct fuse_file_info *fi)
{
    return handle_of(fi)->file;
}

static void close_handle(struct tsmfs *fs, struct handle *h)
{
    pthread_mutex_lock(&fs->lock);
    *(h->prev == NULL ? &fs->handles : &h->prev->next) = h->next;
    if (h->next != NULL) {
        h->next->prev = h->prev;
    }
    pthread_mutex_unlock(&fs->lock);
    tsm_close(h->file);
    free(h);
}

static int open_file(struct tsmfs *fs, fuse_ino_t ino, int mode,
                     struct tsm_file **file)
{
    struct tsm_entry *entry = tsm_by_id(fs->tsm, ino / INO_PER_ENTRY);
    int err = entry == NULL
                  ? -ENOENT
                  : tsm_open(entry, (enum tsm_attr)attr_of(ino),
                             mode != O_WRONLY, mode != O_RDONLY, file);

    tsm_put(entry);
    return err;
}

static int open_handle(struct tsmfs *fs, fuse_ino_t ino, int mode,
                       struct handle **out)
{
    struct handle *h = calloc(1, sizeof(*h));
    int err = h == NULL ? -ENOMEM : open_file(fs, ino, mode, &h->file);

    if (err != 0) {
        free(h);
        return err;
    }
    pthread_mutex_lock(&fs->lock);
    h->next = fs->handles;
    if (h->next != NULL) {
        h->next->prev = h;
    }
    fs->handles = h;
    pthread_mutex_unlock(&fs->lock);
    *out = h;
    return 0;
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct tsmfs *fs = tsmfs_of(req);
    struct handle *h = NULL;
    int err = open_handle(fs, ino, fi->flags & O_ACCMODE, &h);

    if (err != 0) {
        fuse_reply_err(req, -err);
        return;
    }
    fi->fh = (uintptr_t)h;
    fi->direct_io = 1; /* no cache, and reads as short as the snapshot */
    if (fuse_reply_open(req, fi) != 0) {
        close_handle(fs, h); /* nobody waits for it */
    }
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                    struct fuse_file_info *fi)
{
    char buf[READ_CHUNK];
    ssize_t n = tsm_read(file_of(fi), (uint64_t)off, buf,
                         size < sizeof(buf) ? size : sizeof(buf));

    (void)ino;
    if (n < 0) {
        fuse_reply_err(req, (int)-n);
    } else {
        fuse_reply_buf(req, buf, (size_t)n);
    }
}

static void op_write(fuse_req_t req, fuse_ino_t ino, const char *buf,
                     size_t size, off_t off, struct fuse_file_info *fi)
{
    ssize_t n = tsm_write(file_of(fi), (uint64_t)off, buf, size);

    (void)ino;
    if (n < 0) {
        fuse_reply_err(req, (int)-n);
    } else {
        fuse_reply_write(req, (size_t)n);
    }
}

/* close() waits for this, and not for the release. */
static void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    (void)ino;
    tsm_flush(file_of(fi));
    fuse_reply_err(req, 0);
}

static void op_release(fuse_req_t req, fuse_ino_t ino,
                       struct fuse_file_info *fi)
{
    (void)ino;
    close_handle(tsmfs_of(req), handle_of(fi));
    fuse_reply_err(req, 0);
}

static void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync,
                     struct fuse_file_info *fi)
{
    (void)ino;
    (void)datasync;
    (void)fi;
    fuse_reply_err(req, EINVAL);
}

static const struct fuse_lowlevel_ops OPS = {
    .lookup = op_lookup,
    .getattr = op_getattr,
    .setattr = op_setattr,
    .mkdir = op_mkdir,
    .rmdir = op_rmdir,
    .unlink = op_unlink,
    .create = op_create,
    .mknod = op_mknod,
    .symlink = op_symlink,
    .link = op_link,
    .rename = op_rename,
    .readdir = op_readdir,
    .open = op_open,
    .read = op_read,
    .write = op_write,
    .flush = op_flush,
    .release = op_release,
    .fsync = op_fsync,
};

/* --- start and stop --- */

static struct tsmfs *new_tsmfs(const struct tsmfs_config *config)
{
    struct tsmfs *fs = calloc(1, sizeof(*fs));

    if (fs == NULL) {
        return NULL;
    }
    pthread_mutex_init(&fs->lock, NULL);
    clock_gettime(CLOCK_REALTIME, &fs->born);
    fs->tsm = config->tsm;
    fs->above = config->above;
    for (size_t i = 0; i <= ABOVE_MAX; i++) {
        fs->dirs[i] = (struct tsmfs_owner){0755, (uint32_t)geteuid(),
                                           (uint32_t)getegid()};
    }
    if (config->owner != NULL) {
        fs->dirs[config->above] = *config->owner;
    }
    fs->mount.fd = -1;
    return fs;
}

/* libfuse takes a descriptor by its name. */
static int adopt(struct tsmfs *fs)
{
    char arg0[] = "swpsp";
    char *argv[] = {arg0, NULL};
    struct fuse_args args = FUSE_ARGS_INIT(1, argv);
    char name[32];

    fs->se = fuse_session_new(&args, &OPS, sizeof(OPS), fs);
    fuse_opt_free_args(&args);
    if (fs->se == NULL) {
        return -ENOMEM;
    }
    snprintf(name, sizeof(name), "/dev/fd/%d", fs->mount.fd);
    if (fuse_session_mount(fs->se, name) != 0) {
        return -EIO;
    }
    fs->mount.fd = -1; /* the session closes it */
    return 0;
}

static int start(struct tsmfs *fs, const struct tsmfs_config *config,
                 char *error)
{
    const struct fusedev_config place = {
        .path = config->path,
        .force = config->force,
    };
    int err = fusedev_mount(&fs->mount, &place, FUSEDEV_BY_EITHER, error);

    if (err != 0) {
        return err;
    }
    err = adopt(fs);
    if (err == 0) {
        err =
            fusedev_pool_start(&fs->pool, fs->se, 0, config->gone, config->ctx);
        fs->pooled = err == 0;
    }
    if (err != 0) {
        snprintf(error, TSMFS_ERROR_SIZE, "FUSE: %s", strerror(-err));
    }
    return err;
}

int tsmfs_start(const struct tsmfs_config *config, struct tsmfs **out,
                char *error)
{
    struct tsmfs *fs = NULL;
    int err = config->above > ABOVE_MAX ? -EINVAL : 0;

    *out = NULL;
    if (err == 0) {
        fs = new_tsmfs(config);
        err = fs == NULL ? -ENOMEM : 0;
    }
    if (err != 0) {
        snprintf(error, TSMFS_ERROR_SIZE, "%s", strerror(-err));
        return err;
    }
    err = start(fs, config, error);
    if (err != 0) {
        tsmfs_stop(fs);
        return err;
    }
    *out = fs;
    return 0;
}

void tsmfs_stop(struct tsmfs *fs)
{
    if (fs == NULL) {
        return;
    }
    if (fs->pooled && fuse_session_exited(fs->se)) {
        fusedev_mount_ended(&fs->mount);
    }
    fusedev_unmount(&fs->mount);
    if (fs->pooled) {
        fusedev_pool_stop(&fs->pool);
    }
    if (fs->se != NULL) {
        fuse_session_destroy(fs->se);
    }
    fusedev_mount_close(&fs->mount);
    while (fs->handles != NULL) {
        close_handle(fs, fs->handles);
    }
    pthread_mutex_destroy(&fs->lock);
    free(fs);
}
