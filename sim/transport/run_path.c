/* SPDX-License-Identifier: Apache-2.0 */
#include "run_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as Linux */

struct walk {
    const struct run_table *table;
    const struct run_name *name;
    char path[PATH_MAX];
    bool slash; /* ended in "/" or "/." */
    bool dot;   /* ended in "/." */
};

/* Drop empty and "." components. ".." stays: only the file system knows. */
static void clean(struct walk *w)
{
    char *in = w->path;
    char *base = w->path + (*in == '/' ? 1 : 0);
    char *out = base;

    w->slash = false;
    w->dot = false;
    while (*in != '\0') {
        size_t n = strcspn(in, "/");
        bool more = in[n] == '/';
        bool dot = n == 1 && in[0] == '.';

        w->slash = more || dot;
        w->dot = dot || (n == 0 && w->dot);
        if (n > 0 && !dot) {
            if (out != base) {
                *out++ = '/';
            }
            memmove(out, in, n);
            out += n;
        }
        in += n + (more ? 1 : 0);
    }
    *out = '\0';
}

/* Names that mean the caller: to this process they mean itself. */
static const struct {
    const char *prefix, *below; /* below /proc/TID */
} own_names[] = {
    {"/proc/self/", "/"},
    {"/proc/thread-self/", "/"},
    {"/dev/fd/", "/fd/"},
};

/* The first @size bytes of the walk's path as this process can name them. */
static bool reachable(const struct walk *w, size_t size, char out[PATH_MAX])
{
    const char *p = w->path;
    int tid = (int)w->name->tid;
    int n = -1;

    for (size_t i = 0; i < sizeof(own_names) / sizeof(own_names[0]); i++) {
        size_t skip = strlen(own_names[i].prefix);

        if (size >= skip && strncmp(p, own_names[i].prefix, skip) == 0) {
            n = snprintf(out, PATH_MAX, "/proc/%d%s%.*s", tid,
                         own_names[i].below, (int)(size - skip), p + skip);
        }
    }
    if (n < 0 && *p == '/') {
        n = snprintf(out, PATH_MAX, "/proc/%d/root%.*s", tid, (int)size, p);
    } else if (n < 0 && w->name->dirfd == AT_FDCWD) {
        n = snprintf(out, PATH_MAX, "/proc/%d/cwd/%.*s", tid, (int)size, p);
    } else if (n < 0) {
        n = snprintf(out, PATH_MAX, "/proc/%d/fd/%d/%.*s", tid, w->name->dirfd,
                     (int)size, p);
    }
    return n > 0 && n < PATH_MAX;
}

/* Does the first @size bytes of the path lead to the object's directory? */
static bool same_directory(const struct walk *w, size_t size,
                           const struct run_object *o)
{
    char path[PATH_MAX];
    struct stat here, there;
    int n;

    if (size == o->dir_size && memcmp(w->path, o->path, size) == 0) {
        return true;
    }
    if (w->name->plain || !reachable(w, size, path) || stat(path, &here) != 0) {
        return false;
    }
    n = snprintf(path, sizeof(path), "/proc/%d/root%.*s", (int)w->name->tid,
                 (int)o->dir_size, o->path);
    return n > 0 && n < PATH_MAX && stat(path, &there) == 0 &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

static const struct run_object *object_at(const struct walk *w, size_t start,
                                          size_t size)
{
    for (size_t i = 0; i < w->table->count; i++) {
        const struct run_object *o = &w->table->objects[i];
        const char *base = o->path + o->dir_size;

        if (strlen(base) == size && memcmp(base, w->path + start, size) == 0 &&
            same_directory(w, start, o)) {
            return o;
        }
    }
    return NULL;
}

/* Look at each component. 1: the last one is an object; else as find. */
static int by_name(const struct walk *w, struct run_found *found)
{
    size_t start = w->path[0] == '/' ? 1 : 0;

    while (w->path[start] != '\0') {
        size_t size = strcspn(w->path + start, "/");
        const struct run_object *o = object_at(w, start, size);
        bool last = w->path[start + size] == '\0';

        if (o != NULL && last && (!w->dot || S_ISDIR(o->mode))) {
            *found = (struct run_found){.object = o, .slash = w->slash};
            return 1;
        }
        if (o != NULL && !S_ISDIR(o->mode)) {
            return -ENOTDIR;
        }
        start += size + (last ? 0 : 1);
    }
    return 0;
}

/* Replace the path by what the link at its end says. */
static bool follow_text(struct walk *w, const char *text, size_t size)
{
    const char *end = strrchr(w->path, '/');
    size_t keep = end == NULL ? 0 : (size_t)(end + 1 - w->path);
    bool slash = w->slash;

    if (text[0] == '/') {
        keep = 0;
    }
    if (size == 0 || keep + size + 1 >= PATH_MAX) {
        return false;
    }
    memcpy(w->path + keep, text, size);
    w->path[keep + size] = '\0';
    clean(w);
    w->slash = w->slash || slash;
    return true;
}

/* 1: the link leads to a file of ours; 0: go on with the new path; -1: end. */
static int by_link(struct walk *w, struct run_found *found)
{
    char path[PATH_MAX], text[PATH_MAX];
    struct stat st;
    enum run_access access;
    ssize_t n;

    if (!reachable(w, strlen(w->path), path)) {
        return -1;
    }
    n = readlink(path, text, sizeof(text) - 1);
    if (n <= 0) {
        return -1;
    }
    text[n] = '\0';
    if (strncmp(text, RUN_MEMFD_LINK, sizeof(RUN_MEMFD_LINK) - 1) == 0 &&
        stat(path, &st) == 0) {
        const struct run_object *o = run_table_by_file(w->table, &st, &access);

        *found = (struct run_found){o, w->slash, true, 0};
        return o != NULL ? 1 : -1;
    }
    return follow_text(w, text, (size_t)n) ? 0 : -1;
}

int run_path_find(const struct run_table *table, const struct run_name *name,
                  struct run_found *found)
{
    struct walk w = {.table = table, .name = name};
    int r;

    if (strlen(name->path) >= sizeof(w.path)) {
        return 0;
    }
    strcpy(w.path, name->path);
    clean(&w);
    for (int links = 0;; links++) {
        r = by_name(&w, found);
        if (r == 0 && name->follow && !name->plain && w.path[0] != '\0' &&
            links < LINKS_MAX) {
            r = by_link(&w, found);
            if (r == 0) {
                continue;
            }
            r = r > 0;
            links++;
        }
        if (r > 0) {
            found->links = links;
        }
        return r;
    }
}
