/* SPDX-License-Identifier: Apache-2.0 */
#include "disk.h"

#include "tst.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#define NODES_MAX   512u
#define OPS_MAX     1024u
#define ENTRIES_MAX 64u
#define PENDING_MAX 10u
#define SEEN_MAX    65536u

struct bytes {
    uint8_t *data;
    size_t size;
};

struct node {
    dev_t dev;
    ino_t ino;
    bool folder;
    mode_t mode;
    struct bytes first; /* content when the recording began, or when made */
};

enum op_kind { OP_LINK, OP_UNLINK, OP_RENAME, OP_DATA, OP_SYNC };

struct op {
    enum op_kind kind;
    size_t node; /* DATA, SYNC; the folder of names */
    size_t file; /* LINK, RENAME */
    char name[NAME_MAX + 1];
    char old_name[NAME_MAX + 1];
    struct bytes data;
};

struct entry {
    size_t folder, file;
    char name[NAME_MAX + 1];
};

static struct {
    bool on;
    struct node nodes[NODES_MAX]; /* 0: the root */
    size_t node_count;
    struct op ops[OPS_MAX];
    size_t op_count;
    struct entry entries[ENTRIES_MAX]; /* when the recording began */
    size_t entry_count;
    uint64_t seen[SEEN_MAX];
    size_t seen_count;
    size_t fail_in; /* calls; 0: never */
    bool failed;
} disk;

int __real_openat(int dir, const char *path, int flags, ...);
ssize_t __real_write(int fd, const void *buf, size_t size);
ssize_t __real_pwrite(int fd, const void *buf, size_t size, off_t at);
int __real_ftruncate(int fd, off_t size);
int __real_fsync(int fd);
int __real_renameat(int from, const char *old, int to, const char *name);
int __real_unlinkat(int dir, const char *path, int flags);
int __real_mkdirat(int dir, const char *path, mode_t mode);
int __wrap_openat(int dir, const char *path, int flags, ...);
ssize_t __wrap_write(int fd, const void *buf, size_t size);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t size, off_t at);
int __wrap_ftruncate(int fd, off_t size);
int __wrap_fsync(int fd);
int __wrap_renameat(int from, const char *old, int to, const char *name);
int __wrap_unlinkat(int dir, const char *path, int flags);
int __wrap_mkdirat(int dir, const char *path, mode_t mode);

/* --- recording --- */

static struct bytes content_of(int dir, const char *path)
{
    int fd = __real_openat(dir, path, O_RDONLY | O_CLOEXEC);
    struct bytes b = {0};
    struct stat st;

    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    b.size = (size_t)st.st_size;
    b.data = malloc(b.size + 1);
    assert_non_null(b.data);
    assert_int_equal(read(fd, b.data, b.size), (ssize_t)b.size);
    assert_int_equal(close(fd), 0);
    return b;
}

static size_t add_node(const struct stat *st)
{
    struct node *n = &disk.nodes[disk.node_count];

    assert_true(disk.node_count < NODES_MAX);
    *n = (struct node){.dev = st->st_dev,
                       .ino = st->st_ino,
                       .folder = S_ISDIR(st->st_mode),
                       .mode = st->st_mode & 07777u};
    return disk.node_count++;
}

/* A call that changes @node is due: whether it is to fail. */
static bool fails(size_t node)
{
    if (!disk.on || node == SIZE_MAX || disk.fail_in == 0 ||
        --disk.fail_in > 0) {
        return false;
    }
    disk.failed = true;
    errno = EIO;
    return true;
}

/* The newest: a number may have been given to a second file. */
static size_t node_of(const struct stat *st)
{
    for (size_t i = disk.node_count; i-- > 0;) {
        if (disk.nodes[i].dev == st->st_dev &&
            disk.nodes[i].ino == st->st_ino) {
            return i;
        }
    }
    return SIZE_MAX;
}

static size_t node_at(int fd)
{
    struct stat st;

    return disk.on && fstat(fd, &st) == 0 ? node_of(&st) : SIZE_MAX;
}

/* The folder of a path, or SIZE_MAX when it is not ours; its last name. */
static size_t folder_of(int dir, const char *path, const char **name)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX] = ".";
    struct stat st;

    *name = slash == NULL ? path : slash + 1;
    if (slash != NULL) {
        (void)snprintf(folder, sizeof(folder), "%.*s",
                       slash == path ? 1 : (int)(slash - path), path);
    }
    return disk.on && fstatat(dir, folder, &st, 0) == 0 ? node_of(&st)
                                                        : SIZE_MAX;
}

static struct op *add_op(enum op_kind kind, size_t node, const char *name)
{
    struct op *op = &disk.ops[disk.op_count];

    assert_true(disk.op_count < OPS_MAX);
    *op = (struct op){.kind = kind, .node = node};
    (void)snprintf(op->name, sizeof(op->name), "%s", name);
    disk.op_count++;
    return op;
}

static void note_made(size_t folder, int dir, const char *path,
                      const char *name)
{
    struct stat st;

    assert_int_equal(fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW), 0);
    add_op(OP_LINK, folder, name)->file = add_node(&st);
}

void disk_note_made(const char *path)
{
    const char *name;
    size_t folder = folder_of(AT_FDCWD, path, &name);

    if (folder != SIZE_MAX) {
        note_made(folder, AT_FDCWD, path, name);
    }
}

static size_t node_at_path(const char *path)
{
    struct stat st;

    return disk.on && stat(path, &st) == 0 ? node_of(&st) : SIZE_MAX;
}

void disk_note_data(const char *path)
{
    size_t node = node_at_path(path);

    if (node != SIZE_MAX) {
        add_op(OP_DATA, node, "")->data = content_of(AT_FDCWD, path);
    }
}

static void note_data(int fd)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    disk_note_data(path);
}

void disk_note_sync(const char *path)
{
    size_t node = node_at_path(path);

    if (node != SIZE_MAX) {
        (void)add_op(OP_SYNC, node, "");
    }
}

static void note_unlinked(size_t folder, const char *name)
{
    if (folder != SIZE_MAX) {
        (void)add_op(OP_UNLINK, folder, name);
    }
}

void disk_note_unlinked(const char *path)
{
    const char *name;
    size_t folder = folder_of(AT_FDCWD, path, &name);

    note_unlinked(folder, name);
}

static void note_renamed(size_t source, const char *old_name, int dir,
                         const char *path)
{
    const char *name;
    size_t folder = folder_of(dir, path, &name);
    struct stat st;
    struct op *op;

    if (folder == SIZE_MAX && source == SIZE_MAX) {
        return;
    }
    assert_int_equal(source, folder); /* nothing moves between folders */
    assert_int_equal(fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW), 0);
    op = add_op(OP_RENAME, folder, name);
    op->file = node_of(&st);
    (void)snprintf(op->old_name, sizeof(op->old_name), "%s", old_name);
}

void disk_note_renamed(const char *old, const char *path)
{
    const char *old_name;
    size_t source = folder_of(AT_FDCWD, old, &old_name);

    note_renamed(source, old_name, AT_FDCWD, path);
}

bool disk_covers(const char *path)
{
    const char *name;

    return folder_of(AT_FDCWD, path, &name) != SIZE_MAX;
}

int __wrap_openat(int dir, const char *path, int flags, ...)
{
    const char *name;
    size_t folder = folder_of(dir, path, &name);
    struct stat st;
    bool makes = (flags & O_CREAT) != 0 && folder != SIZE_MAX &&
                 fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) != 0;
    mode_t mode = 0;
    va_list args;
    int fd;

    va_start(args, flags);
    if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
        mode = va_arg(args, mode_t);
    }
    va_end(args);
    if (makes && fails(folder)) {
        return -1;
    }
    fd = __real_openat(dir, path, flags, mode);
    if (fd >= 0 && makes) {
        note_made(folder, dir, path, name);
    } else if (fd >= 0 && (flags & O_TRUNC) != 0) {
        note_data(fd);
    }
    return fd;
}

ssize_t __wrap_write(int fd, const void *buf, size_t size)
{
    ssize_t n = fails(node_at(fd)) ? -1 : __real_write(fd, buf, size);

    if (n > 0) {
        note_data(fd);
    }
    return n;
}

ssize_t __wrap_pwrite(int fd, const void *buf, size_t size, off_t at)
{
    ssize_t n = fails(node_at(fd)) ? -1 : __real_pwrite(fd, buf, size, at);

    if (n > 0) {
        note_data(fd);
    }
    return n;
}

int __wrap_ftruncate(int fd, off_t size)
{
    int rc = fails(node_at(fd)) ? -1 : __real_ftruncate(fd, size);

    if (rc == 0) {
        note_data(fd);
    }
    return rc;
}

int __wrap_fsync(int fd)
{
    size_t node = node_at(fd);
    int rc = fails(node) ? -1 : __real_fsync(fd);

    if (rc == 0 && node != SIZE_MAX) {
        (void)add_op(OP_SYNC, node, "");
    }
    return rc;
}

int __wrap_renameat(int from, const char *old, int to, const char *name)
{
    const char *old_base;
    size_t source = folder_of(from, old, &old_base);
    int rc = fails(source) ? -1 : __real_renameat(from, old, to, name);

    if (rc == 0) {
        note_renamed(source, old_base, to, name);
    }
    return rc;
}

int __wrap_unlinkat(int dir, const char *path, int flags)
{
    const char *name;
    size_t folder = folder_of(dir, path, &name);
    int rc = fails(folder) ? -1 : __real_unlinkat(dir, path, flags);

    if (rc == 0) {
        note_unlinked(folder, name);
    }
    return rc;
}

int __wrap_mkdirat(int dir, const char *path, mode_t mode)
{
    const char *name;
    size_t folder = folder_of(dir, path, &name);
    int rc = fails(folder) ? -1 : __real_mkdirat(dir, path, mode);

    if (rc == 0 && folder != SIZE_MAX) {
        note_made(folder, dir, path, name);
    }
    return rc;
}

static void take_stock(const char *path, size_t folder)
{
    DIR *list = opendir(path);
    const struct dirent *e;
    char inner[PATH_MAX];
    struct stat st;

    assert_non_null(list);
    while ((e = readdir(list)) != NULL) {
        struct entry *x = &disk.entries[disk.entry_count];

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
            continue;
        }
        assert_true(disk.entry_count < ENTRIES_MAX);
        assert_true(snprintf(inner, sizeof(inner), "%s/%s", path, e->d_name) <
                    PATH_MAX);
        assert_int_equal(lstat(inner, &st), 0);
        *x = (struct entry){.folder = folder, .file = add_node(&st)};
        (void)snprintf(x->name, sizeof(x->name), "%s", e->d_name);
        disk.entry_count++;
        if (S_ISDIR(st.st_mode)) {
            take_stock(inner, x->file);
        } else {
            disk.nodes[x->file].first = content_of(AT_FDCWD, inner);
        }
    }
    (void)closedir(list);
}

static void forget(void)
{
    for (size_t i = 0; i < disk.node_count; i++) {
        free(disk.nodes[i].first.data);
    }
    for (size_t i = 0; i < disk.op_count; i++) {
        free(disk.ops[i].data.data);
    }
    memset(&disk, 0, sizeof(disk));
}

void disk_record(const char *root)
{
    struct stat st;

    forget();
    assert_int_equal(lstat(root, &st), 0);
    (void)add_node(&st);
    take_stock(root, 0);
    disk.on = true;
}

size_t disk_calls(void)
{
    return disk.op_count;
}

void disk_stop(void)
{
    disk.on = false;
}

void disk_fail(size_t nth)
{
    disk.fail_in = nth;
    disk.failed = false;
}

bool disk_failed(void)
{
    return disk.failed;
}

/* --- building --- */

/* One way in which the power was cut. */
struct cut {
    size_t calls;   /* that were made */
    unsigned names; /* bit n: the n-th name that was not synced is as made */
    enum { LOST, WHOLE, HALF, ZEROS, GARBAGE, DATA_WAYS } data;
};

static bool synced_since(size_t node, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (disk.ops[i].kind == OP_SYNC && disk.ops[i].node == node) {
            return true;
        }
    }
    return false;
}

static bool is_name(const struct op *op)
{
    return op->kind == OP_LINK || op->kind == OP_UNLINK ||
           op->kind == OP_RENAME;
}

static unsigned pending_names(size_t calls)
{
    unsigned n = 0;

    for (size_t i = 0; i < calls; i++) {
        n += is_name(&disk.ops[i]) &&
             !synced_since(disk.ops[i].node, i + 1, calls);
    }
    assert_true(n <= PENDING_MAX);
    return n;
}

static bool has_unsynced_data(size_t calls)
{
    for (size_t i = 0; i < calls; i++) {
        if (disk.ops[i].kind == OP_DATA &&
            !synced_since(disk.ops[i].node, i + 1, calls)) {
            return true;
        }
    }
    return false;
}

struct tree {
    struct entry entries[ENTRIES_MAX];
    size_t count;
};

static void drop(struct tree *t, size_t folder, const char *name)
{
    for (size_t i = 0; i < t->count; i++) {
        if (t->entries[i].folder == folder &&
            strcmp(t->entries[i].name, name) == 0) {
            t->entries[i] = t->entries[--t->count];
            return;
        }
    }
}

static void put(struct tree *t, size_t folder, const char *name, size_t file)
{
    struct entry *x;

    drop(t, folder, name);
    assert_true(t->count < ENTRIES_MAX);
    x = &t->entries[t->count++];
    *x = (struct entry){.folder = folder, .file = file};
    (void)snprintf(x->name, sizeof(x->name), "%s", name);
}

static void names_after(const struct cut *cut, struct tree *t)
{
    unsigned pending = 0;

    memcpy(t->entries, disk.entries, sizeof(t->entries));
    t->count = disk.entry_count;
    for (size_t i = 0; i < cut->calls; i++) {
        const struct op *op = &disk.ops[i];

        if (!is_name(op) || (!synced_since(op->node, i + 1, cut->calls) &&
                             (cut->names >> pending++ & 1) == 0)) {
            continue;
        }
        if (op->kind == OP_UNLINK) {
            drop(t, op->node, op->name);
        } else {
            put(t, op->node, op->name, op->file);
        }
        if (op->kind == OP_RENAME) {
            drop(t, op->node, op->old_name);
        }
    }
}

/* What is left of @size bytes that were never synced; @out has room. */
static size_t damage(const struct cut *cut, uint8_t *out, size_t size)
{
    switch (cut->data) {
    case HALF:
        return size / 2;
    case ZEROS:
        memset(out, 0, size);
        return size;
    case GARBAGE:
        memset(out + size / 2, 0xa5, size - size / 2);
        return size;
    default:
        return size;
    }
}

/* free() ends it */
static struct bytes data_after(const struct cut *cut, size_t file)
{
    struct bytes b = disk.nodes[file].first;
    struct bytes out = {0};
    bool unsynced = false;

    for (size_t i = 0; i < cut->calls; i++) {
        const struct op *op = &disk.ops[i];

        if (op->kind == OP_DATA && op->node == file) {
            bool safe = synced_since(file, i + 1, cut->calls);

            if (safe || cut->data != LOST) {
                b = op->data;
                unsynced = !safe;
            }
        }
    }
    out.data = malloc(b.size + 1);
    assert_non_null(out.data);
    if (b.size > 0) {
        memcpy(out.data, b.data, b.size);
    }
    out.size = unsynced ? damage(cut, out.data, b.size) : b.size;
    return out;
}

static void mix(uint64_t *hash, const void *data, size_t size)
{
    const uint8_t *p = data;

    for (size_t i = 0; i < size; i++) {
        *hash = (*hash ^ p[i]) * 0x100000001b3u;
    }
}

/* Independent of the order of the entries. */
static uint64_t hash_of(const struct tree *t, const struct cut *cut,
                        size_t folder)
{
    uint64_t sum = 0x9e3779b97f4a7c15u;

    for (size_t i = 0; i < t->count; i++) {
        const struct entry *x = &t->entries[i];
        uint64_t h = 0xcbf29ce484222325u;

        if (x->folder != folder) {
            continue;
        }
        mix(&h, x->name, strlen(x->name) + 1);
        if (disk.nodes[x->file].folder) {
            uint64_t inner = hash_of(t, cut, x->file);

            mix(&h, &inner, sizeof(inner));
        } else {
            struct bytes b = data_after(cut, x->file);

            mix(&h, b.data, b.size);
            free(b.data);
        }
        sum += h;
    }
    return sum;
}

static void build(const struct tree *t, const struct cut *cut, size_t folder,
                  const char *path)
{
    char inner[PATH_MAX];

    assert_int_equal(mkdir(path, disk.nodes[folder].mode), 0);
    for (size_t i = 0; i < t->count; i++) {
        const struct entry *x = &t->entries[i];

        if (x->folder != folder) {
            continue;
        }
        assert_true(snprintf(inner, sizeof(inner), "%s/%s", path, x->name) <
                    PATH_MAX);
        if (disk.nodes[x->file].folder) {
            build(t, cut, x->file, inner);
        } else {
            struct bytes b = data_after(cut, x->file);

            tst_write_file(inner, b.data, b.size);
            assert_int_equal(chmod(inner, disk.nodes[x->file].mode), 0);
            free(b.data);
        }
    }
}

static bool is_new(uint64_t hash)
{
    for (size_t i = 0; i < disk.seen_count; i++) {
        if (disk.seen[i] == hash) {
            return false;
        }
    }
    assert_true(disk.seen_count < SEEN_MAX);
    disk.seen[disk.seen_count++] = hash;
    return true;
}

static int remove_one(const char *path, const struct stat *st, int kind,
                      struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static int remove_tree(const char *path)
{
    return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void try_cut(const char *path, const struct cut *cut,
                    enum disk_moment when, disk_check check, void *ctx)
{
    static struct tree t;
    uint64_t hash;

    names_after(cut, &t);
    hash = hash_of(&t, cut, 0) ^ (when == DISK_WITHIN ? 0 : (uint64_t)when);
    if (is_new(hash)) {
        build(&t, cut, 0, path);
        check(ctx, path, when);
        assert_int_equal(remove_tree(path), 0);
    }
}

/* Calls @each with every cut after the first @calls calls. */
static void each_way(size_t calls,
                     void (*each)(const struct cut *cut, void *ctx), void *ctx)
{
    unsigned ways = 1u << pending_names(calls);
    unsigned data_ways = has_unsynced_data(calls) ? DATA_WAYS : 1;

    for (unsigned i = 0; i < ways * data_ways; i++) {
        const struct cut cut = {calls, i / data_ways, i % data_ways};

        each(&cut, ctx);
    }
}

struct checking {
    const char *path;
    disk_check check;
    void *ctx;
};

static void check_one(const struct cut *cut, void *ctx)
{
    const struct checking *c = ctx;

    try_cut(c->path, cut,
            cut->calls == disk.op_count ? DISK_AFTER : DISK_WITHIN, c->check,
            c->ctx);
}

size_t disk_each(const char *path, disk_check check, void *ctx)
{
    const struct cut none = {0};
    const struct cut all = {disk.op_count, ~0u, WHOLE};
    struct checking c = {path, check, ctx};

    disk.on = false;
    disk.seen_count = 0;
    try_cut(path, &none, DISK_BEFORE, check, ctx);
    try_cut(path, &all, DISK_FINISHED, check, ctx);
    for (size_t calls = 0; calls <= disk.op_count; calls++) {
        each_way(calls, check_one, &c);
    }
    return disk.seen_count;
}

/* --- many commands --- */

#define FOUND_MAX 4096u
#define LINE_ROOM 512u

struct looking {
    const char *path;
    disk_look look;
    disk_judge judge;
    void *ctx;
    char (*lines)[LINE_ROOM]; /* what disk.seen[n] amounts to */
};

/* Where @hash is in the list, or its end. */
static size_t seen_at(uint64_t hash)
{
    size_t i = 0;

    while (i < disk.seen_count && disk.seen[i] != hash) {
        i++;
    }
    return i;
}

static void look_at_one(const struct cut *cut, void *ctx)
{
    const struct looking *l = ctx;
    static struct tree t;
    size_t at;

    names_after(cut, &t);
    at = seen_at(hash_of(&t, cut, 0));
    if (at == disk.seen_count) {
        assert_true(at < FOUND_MAX);
        disk.seen[disk.seen_count++] = hash_of(&t, cut, 0);
        build(&t, cut, 0, l->path);
        l->look(l->ctx, l->path, l->lines[at], LINE_ROOM);
        assert_int_equal(remove_tree(l->path), 0);
    }
    l->judge(l->ctx, cut->calls, l->lines[at]);
}

size_t disk_each_cut(const char *path, disk_look look, disk_judge judge,
                     void *ctx)
{
    struct looking l = {path, look, judge, ctx, calloc(FOUND_MAX, LINE_ROOM)};

    assert_non_null(l.lines);
    disk.on = false;
    disk.seen_count = 0;
    for (size_t calls = 0; calls <= disk.op_count; calls++) {
        each_way(calls, look_at_one, &l);
    }
    free(l.lines);
    return disk.seen_count;
}
