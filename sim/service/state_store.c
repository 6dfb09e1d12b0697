/* SPDX-License-Identifier: Apache-2.0 */
#include "state_store.h"

#include "crypto.h"
#include "wire.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define LOCK_NAME "serve.lock"

struct state_store {
    struct state_dir dir;
    struct state_dir guests;
    int lock;
    bool owned;                      /* owner is set */
    bool seen;                       /* a file was read before that */
    uint8_t owner[PSP_CHIP_ID_SIZE]; /* or of the file that was seen */
    bool has_nv;
    char nv_error[STATE_ERROR_SIZE];
};

bool state_name_ok(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    size_t n = strlen(name);

    return n >= 1 && n <= STATE_NAME_MAX && strspn(name, letters) == n &&
           name[0] != '-' && name[0] != '_';
}

/* Another process's number, from the lock file; 0 when it does not say. */
static int holder_of(int fd)
{
    char text[16] = "";
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

    return n > 0 ? atoi(text) : 0;
}

static int take_lock(struct state_store *s, char *error)
{
    char text[16];
    int n;

    s->lock = openat(s->dir.fd, LOCK_NAME,
                     O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->lock < 0) {
        return state_error(error, -errno, "cannot open %s/" LOCK_NAME ": %s",
                           s->dir.path, strerror(errno));
    }
    if (flock(s->lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            return state_error(error, -EBUSY,
                               "%s is in use by another swpsp serve (process "
                               "%d)",
                               s->dir.path, holder_of(s->lock));
        }
        return state_error(error, -errno, "cannot lock %s/" LOCK_NAME ": %s",
                           s->dir.path, strerror(errno));
    }
    n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
    if (ftruncate(s->lock, 0) != 0 || pwrite(s->lock, text, (size_t)n, 0) < 0) {
        return state_error(error, -errno, "cannot write %s/" LOCK_NAME ": %s",
                           s->dir.path, strerror(errno));
    }
    return 0;
}

/* Temporary files of a process that was killed are swept by taking the folder's
 * lock. */
static int sweep(const struct state_dir *dir, char *error)
{
    int fd = state_dir_lock(dir, error);

    if (fd >= 0) {
        (void)close(fd);
    }
    return fd < 0 ? fd : 0;
}

int state_store_open(const char *dir, struct state_store **out, char *error)
{
    struct state_store *s = calloc(1, sizeof(*s));
    struct state_dir top = {.fd = -1};
    int rc;

    *out = NULL;
    if (s == NULL) {
        return state_error(error, -ENOMEM, "out of memory");
    }
    s->dir.fd = s->guests.fd = s->lock = -1;
    rc = state_dir_open(dir, STATE_DIR_PRIVATE, &top, error);
    if (rc == 0) {
        rc = state_dir_sub(&top, "platform", STATE_DIR_PRIVATE, &s->dir, error);
    }
    if (rc == 0) {
        rc = take_lock(s, error);
    }
    if (rc == 0) {
        rc = sweep(&s->dir, error);
    }
    if (rc == 0) {
        rc = state_dir_sub(&s->dir, "guests", STATE_DIR_PRIVATE, &s->guests,
                           error);
    }
    state_dir_close(&top);
    if (rc != 0) {
        state_store_close(s);
        return rc;
    }
    *out = s;
    return 0;
}

void state_store_close(struct state_store *s)
{
    if (s == NULL) {
        return;
    }
    state_dir_close(&s->guests);
    state_dir_close(&s->dir);
    if (s->lock >= 0) {
        (void)close(s->lock);
    }
    free(s);
}

static int foreign(const char *where, char *error)
{
    return state_error(error, -EBADMSG,
                       "%s belongs to another platform (other seed, "
                       "generation or --chip); it was left as it is",
                       where);
}

int state_store_set_owner(struct state_store *s,
                          const uint8_t chip_id[PSP_CHIP_ID_SIZE], char *error)
{
    if (s->seen && memcmp(s->owner, chip_id, PSP_CHIP_ID_SIZE) != 0) {
        return foreign(s->dir.path, error);
    }
    memcpy(s->owner, chip_id, PSP_CHIP_ID_SIZE);
    s->owned = true;
    return 0;
}

static const struct state_dir *dir_of(const struct state_store *s,
                                      enum state_kind kind)
{
    return kind == STATE_GUEST ? &s->guests : &s->dir;
}

static int check_owner(struct state_store *s, const char *where,
                       const uint8_t owner[PSP_CHIP_ID_SIZE], char *error)
{
    if (s->owned || s->seen) {
        return memcmp(s->owner, owner, PSP_CHIP_ID_SIZE) == 0
                   ? 0
                   : foreign(where, error);
    }
    memcpy(s->owner, owner, PSP_CHIP_ID_SIZE);
    s->seen = true;
    return 0;
}

int state_store_read(struct state_store *s, enum state_kind kind,
                     const char *name, uint8_t **payload, size_t *size,
                     char *error)
{
    const struct state_dir *dir = dir_of(s, kind);
    uint8_t owner[PSP_CHIP_ID_SIZE];
    const uint8_t *inner = NULL;
    char where[STATE_ERROR_SIZE / 2];
    uint8_t *file = NULL;
    size_t file_size = 0;
    int rc;

    rc = state_file_read(dir, name, STATE_FILE_PRIVATE,
                         STATE_HEADER_SIZE + STATE_PAYLOAD_MAX, &file,
                         &file_size, error);
    if (rc != 0) {
        return rc;
    }
    (void)snprintf(where, sizeof(where), "%.150s/%.80s", dir->path, name);
    rc = state_decode(where, kind, file, file_size, owner, &inner, size, error);
    if (rc == 0) {
        rc = check_owner(s, where, owner, error);
    }
    if (rc == 0) {
        memmove(file, inner, *size);
        file[*size] = 0;
        *payload = file;
        return 0;
    }
    psp_wipe(file, file_size);
    free(file);
    return rc;
}

int state_store_write(struct state_store *s, enum state_kind kind,
                      const char *name, const void *payload, size_t size,
                      char *error)
{
    size_t file_size = 0;
    uint8_t *file = state_encode(kind, s->owner, payload, size, &file_size);
    int rc;

    if (file == NULL) {
        return state_error(error, -ENOMEM, "out of memory");
    }
    rc = state_file_write(dir_of(s, kind), name, STATE_FILE_PRIVATE, file,
                          file_size, error);
    psp_wipe(file, file_size);
    free(file);
    return rc;
}

/* Moved out of the way first, so that it can come back. */
int state_store_remove(struct state_store *s, enum state_kind kind,
                       const char *name, char *error)
{
    const struct state_dir *dir = dir_of(s, kind);
    char away[STATE_NAME_MAX + 16];
    int rc = 0;

    (void)snprintf(away, sizeof(away), "%.63s.tmp-removed", name);
    if (renameat(dir->fd, name, dir->fd, away) != 0) {
        return state_error(error, -errno, "cannot remove %s/%s: %s", dir->path,
                           name, strerror(errno));
    }
    if (fsync(dir->fd) != 0 && errno != EINVAL) {
        rc = state_error(error, -errno, "cannot remove %s/%s: %s", dir->path,
                         name, strerror(errno));
        (void)renameat(dir->fd, away, dir->fd, name);
    } else {
        (void)unlinkat(dir->fd, away, 0);
    }
    return rc;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Temporary files and locks of state_file.c. */
static bool is_ours(const char *name)
{
    return name[0] == '.' || strcmp(name, "lock") == 0 ||
           strstr(name, ".tmp-") != NULL;
}

static int add_name(char ***names, size_t *count, const char *name)
{
    char **more = realloc(*names, (*count + 1) * sizeof(**names));

    if (more == NULL) {
        return -ENOMEM;
    }
    *names = more;
    more[*count] = strdup(name);
    if (more[*count] == NULL) {
        return -ENOMEM;
    }
    (*count)++;
    return 0;
}

static int list_names(const struct state_store *s, DIR *list, char ***names,
                      size_t *count, char *error)
{
    const struct dirent *e;

    while ((e = readdir(list)) != NULL) {
        if (is_ours(e->d_name)) {
            continue;
        }
        if (!state_name_ok(e->d_name)) {
            return state_error(error, -EBADMSG,
                               "%s/%s is no guest's file; move it away",
                               s->guests.path, e->d_name);
        }
        if (add_name(names, count, e->d_name) != 0) {
            return state_error(error, -ENOMEM, "out of memory");
        }
    }
    return 0;
}

int state_store_guests(struct state_store *s, char ***names, size_t *count,
                       char *error)
{
    int fd = openat(s->guests.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    int rc;

    *names = NULL;
    *count = 0;
    if (list == NULL) {
        rc = state_error(error, -errno, "cannot list %s: %s", s->guests.path,
                         strerror(errno));
        if (fd >= 0) {
            (void)close(fd);
        }
        return rc;
    }
    rc = list_names(s, list, names, count, error);
    (void)closedir(list);
    if (rc != 0) {
        state_names_free(*names, *count);
        *names = NULL;
        *count = 0;
    } else if (*count > 1) {
        qsort(*names, *count, sizeof(**names), by_name);
    }
    return rc;
}

void state_names_free(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(names[i]);
    }
    free(names);
}

int state_store_nv_load(void *store, uint8_t *blob)
{
    struct state_store *s = store;
    uint8_t *payload = NULL;
    size_t size = 0;
    int rc = state_store_read(s, STATE_NV, STATE_NV_NAME, &payload, &size,
                              s->nv_error);

    if (rc == -ENOENT) {
        s->nv_error[0] = '\0';
        return 1;
    }
    if (rc == 0 && size != PSP_NV_SIZE) {
        rc = state_error(s->nv_error, -EBADMSG,
                         "%s/" STATE_NV_NAME " holds %zu bytes instead of %u",
                         s->dir.path, size, PSP_NV_SIZE);
    }
    if (rc == 0) {
        memcpy(blob, payload, PSP_NV_SIZE);
        s->has_nv = true;
    }
    if (payload != NULL) {
        psp_wipe(payload, size);
    }
    free(payload);
    return rc == 0 ? 0 : -1;
}

int state_store_nv_store(void *store, const uint8_t *blob)
{
    struct state_store *s = store;

    if (state_store_write(s, STATE_NV, STATE_NV_NAME, blob, PSP_NV_SIZE,
                          s->nv_error) != 0) {
        return -1;
    }
    s->has_nv = true;
    return 0;
}

bool state_store_has_nv(const struct state_store *s)
{
    return s->has_nv;
}

const char *state_store_nv_error(const struct state_store *s)
{
    return s->nv_error;
}
