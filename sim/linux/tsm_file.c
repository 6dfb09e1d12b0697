/* SPDX-License-Identifier: Apache-2.0 */
/* Open attributes: what is read is a snapshot, what is written to a blob is
 * kept until it is closed. abi/linux.md §5.3 */
#include "tsm_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct tsm_file {
    struct tsm_entry *entry; /* a reference */
    enum tsm_attr attr;
    bool readable, writable;
    pthread_mutex_t lock; /* guards what follows; before entry->lock */
    bool filled;          /* the snapshot is there */
    bool reading;         /* a blob that has been read, */
    bool writing;         /* or written since the last commit */
    uint8_t *data;        /* snapshot, or what is to be committed */
    size_t size;
};

int tsm_open(struct tsm_entry *entry, enum tsm_attr attr, bool read, bool write,
             struct tsm_file **out)
{
    uint32_t mode = tsm_attr_mode(attr);
    struct tsm_file *file;
    bool dead;

    *out = NULL;
    pthread_mutex_lock(&entry->lock);
    dead = entry->dead;
    pthread_mutex_unlock(&entry->lock);
    if (dead || !tsm_entry_has(entry, attr)) {
        return -ENOENT;
    }
    if ((read && (mode & 0444) == 0) || (write && (mode & 0222) == 0)) {
        return -EACCES;
    }
    file = calloc(1, sizeof(*file));
    if (file == NULL) {
        return -ENOMEM;
    }
    pthread_mutex_init(&file->lock, NULL);
    tsm_get(entry);
    file->entry = entry;
    file->attr = attr;
    file->readable = read;
    file->writable = write;
    *out = file;
    return 0;
}

/* --- reading --- */

static int keep(struct tsm_file *file, const void *data, size_t size)
{
    file->data = malloc(size);
    if (file->data == NULL) {
        return -ENOMEM;
    }
    memcpy(file->data, data, size);
    file->size = size;
    file->filled = true;
    return 0;
}

/* An empty blob makes no snapshot: the next read looks again. */
static int fill_blob(struct tsm_file *file)
{
    const struct tsm_blob *blob;
    int err = tsm_blob(file->entry, file->attr, &blob);

    if (err != 0 || blob->size == 0) {
        return err;
    }
    return blob->size > TSM_BLOB_MAX ? -EFBIG
                                     : keep(file, blob->data, blob->size);
}

static int fill_text(struct tsm_file *file)
{
    char text[TSM_TEXT_MAX + 1];
    int n = tsm_show(file->entry, file->attr, text);

    return n < 0 ? n : keep(file, text, (size_t)n);
}

static int fill(struct tsm_file *file)
{
    struct tsm_entry *entry = file->entry;
    int err = -ENOENT;

    pthread_mutex_lock(&entry->lock);
    if (!entry->dead) {
        err = tsm_attr_is_blob(file->attr) ? fill_blob(file) : fill_text(file);
    }
    pthread_mutex_unlock(&entry->lock);
    return err;
}

static ssize_t read_locked(struct tsm_file *file, uint64_t offset, void *buf,
                           size_t size)
{
    int err = 0;

    if (file->writing) {
        return -ETXTBSY;
    }
    if (!file->readable) {
        return -EBADF;
    }
    file->reading = tsm_attr_is_blob(file->attr);
    if (!file->filled) {
        err = fill(file);
    }
    if (err != 0 || !file->filled || offset >= file->size) {
        return err;
    }
    if (size > file->size - offset) {
        size = file->size - (size_t)offset;
    }
    memcpy(buf, file->data + offset, size);
    return (ssize_t)size;
}

ssize_t tsm_read(struct tsm_file *file, uint64_t offset, void *buf, size_t size)
{
    ssize_t n;

    pthread_mutex_lock(&file->lock);
    n = read_locked(file, offset, buf, size);
    pthread_mutex_unlock(&file->lock);
    return n;
}

/* --- writing --- */

/* Room for @end bytes; what nobody has written is zero. */
static int grow(struct tsm_file *file, size_t end)
{
    uint8_t *data;

    if (end <= file->size) {
        return 0;
    }
    data = realloc(file->data, end);
    if (data == NULL) {
        return -ENOMEM;
    }
    memset(data + file->size, 0, end - file->size);
    file->data = data;
    file->size = end;
    return 0;
}

/* Even a write that is refused will be followed by a commit. */
static ssize_t write_blob(struct tsm_file *file, uint64_t offset,
                          const void *buf, size_t size)
{
    int err;

    file->writing = true;
    if (offset > TSM_INBLOB_MAX || size > TSM_INBLOB_MAX - offset) {
        return -EFBIG;
    }
    err = grow(file, (size_t)offset + size);
    if (err != 0) {
        return err;
    }
    if (size > 0) {
        memcpy(file->data + offset, buf, size);
    }
    return (ssize_t)size;
}

static ssize_t write_text(struct tsm_file *file, const void *buf, size_t size)
{
    struct tsm_entry *entry = file->entry;
    char text[TSM_TEXT_MAX + 1];
    int err = -ENOENT;

    size = size < TSM_TEXT_MAX ? size : TSM_TEXT_MAX;
    if (size > 0) {
        memcpy(text, buf, size);
    }
    text[size] = '\0';
    pthread_mutex_lock(&entry->lock);
    if (!entry->dead) {
        err = tsm_store(entry, file->attr, text);
    }
    pthread_mutex_unlock(&entry->lock);
    return err == 0 ? (ssize_t)size : err;
}

static ssize_t write_locked(struct tsm_file *file, uint64_t offset,
                            const void *buf, size_t size)
{
    if (file->reading) {
        return -ETXTBSY;
    }
    if (!file->writable) {
        return -EBADF;
    }
    return tsm_attr_is_blob(file->attr) ? write_blob(file, offset, buf, size)
                                        : write_text(file, buf, size);
}

ssize_t tsm_write(struct tsm_file *file, uint64_t offset, const void *buf,
                  size_t size)
{
    ssize_t n;

    pthread_mutex_lock(&file->lock);
    n = write_locked(file, offset, buf, size);
    pthread_mutex_unlock(&file->lock);
    return n;
}

void tsm_flush(struct tsm_file *file)
{
    struct tsm_entry *entry = file->entry;

    pthread_mutex_lock(&file->lock);
    if (file->writing) {
        file->writing = false;
        pthread_mutex_lock(&entry->lock);
        if (!entry->dead) {
            /* Linux loses this error as well. */
            (void)tsm_store_inblob(entry, file->data, file->size);
        }
        pthread_mutex_unlock(&entry->lock);
    }
    pthread_mutex_unlock(&file->lock);
}

void tsm_close(struct tsm_file *file)
{
    if (file == NULL) {
        return;
    }
    tsm_flush(file);
    tsm_put(file->entry);
    pthread_mutex_destroy(&file->lock);
    free(file->data);
    free(file);
}
