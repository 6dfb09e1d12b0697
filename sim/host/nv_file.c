/* SPDX-License-Identifier: Apache-2.0 */
#include "nv_file.h"

#include "crypto.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <stdbool.h>
#include <unistd.h>

#define FORMAT     1u
#define FILE_SIZE  (NV_FILE_HEADER_SIZE + PSP_NV_SIZE)
#define OFF_CHIP   0x10u
#define OFF_DIGEST 0x30u

static const char MAGIC[8] = {'S', 'W', 'P', 'S', 'P', 'N', 'V', 'F'};

struct nv_file {
    struct state_dir dir;
    char *name;
    uint8_t chip[SHA256_SIZE];
    bool shared;             /* in an installation: writers take its lock */
    int lock;                /* held, or -1 */
    bool stored;             /* there is a file */
    uint8_t file[FILE_SIZE]; /* as we last read or wrote it */
    void (*complain)(const char *line);
};

static void digest_of(const uint8_t *file, uint8_t out[SHA256_SIZE])
{
    struct psp_sha256_stream s;

    psp_sha256_init(&s);
    psp_sha256_update(&s, file, OFF_DIGEST);
    psp_sha256_update(&s, file + NV_FILE_HEADER_SIZE, PSP_NV_SIZE);
    psp_sha256_peek(&s, out);
}

static void encode(struct nv_file *nv, const uint8_t *blob, uint8_t *file)
{
    struct psp_wr w = psp_wr(file, NV_FILE_HEADER_SIZE);

    psp_wr_bytes(&w, MAGIC, sizeof(MAGIC));
    psp_wr_le32(&w, FORMAT);
    psp_wr_le32(&w, PSP_NV_SIZE);
    psp_wr_bytes(&w, nv->chip, sizeof(nv->chip));
    memcpy(file + NV_FILE_HEADER_SIZE, blob, PSP_NV_SIZE);
    digest_of(file, file + OFF_DIGEST);
}

static int refuse(const struct nv_file *nv, char *error, const char *why)
{
    return state_error(error, -EBADMSG, "%s/%s: %s", nv->dir.path, nv->name,
                       why);
}

static int check(const struct nv_file *nv, const uint8_t *data, size_t size,
                 char *error)
{
    struct psp_rd r = psp_rd(data, size);
    uint8_t digest[SHA256_SIZE];
    uint32_t format, length;

    if (size < sizeof(MAGIC) || memcmp(data, MAGIC, sizeof(MAGIC)) != 0) {
        return refuse(nv, error, "not a store of swpsp");
    }
    psp_rd_skip(&r, sizeof(MAGIC));
    format = psp_rd_le32(&r);
    length = psp_rd_le32(&r);
    if (size >= OFF_CHIP && format != FORMAT) {
        return refuse(nv, error,
                      format > FORMAT ? "made by a newer version of swpsp"
                                      : "of a format that never was");
    }
    if (size != FILE_SIZE || length != PSP_NV_SIZE) {
        return refuse(nv, error, "damaged: wrong size");
    }
    digest_of(data, digest);
    if (memcmp(digest, data + OFF_DIGEST, sizeof(digest)) != 0) {
        return refuse(nv, error, "damaged");
    }
    if (memcmp(nv->chip, data + OFF_CHIP, sizeof(nv->chip)) != 0) {
        return refuse(nv, error, "the store of another chip");
    }
    return 0;
}

/* 0, or 1: there is no file. */
static int read_file(const struct nv_file *nv, uint8_t **data, size_t *size,
                     char *error)
{
    int rc = state_file_read(&nv->dir, nv->name, STATE_FILE_PRIVATE,
                             2 * FILE_SIZE, data, size, error);

    return rc == -ENOENT ? 1 : rc;
}

static int load(struct nv_file *nv, char *error)
{
    uint8_t *data = NULL;
    size_t size = 0;
    int rc = read_file(nv, &data, &size, error);

    if (rc == 0) {
        rc = check(nv, data, size, error);
    }
    if (rc == 0) {
        memcpy(nv->file, data, sizeof(nv->file));
        nv->stored = true;
    }
    free(data);
    return rc == 1 ? 0 : rc;
}

static int open_path(struct nv_file *nv, const char *path, char *error)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL   ? strdup(".")
                   : slash == path ? strdup("/")
                                   : strndup(path, (size_t)(slash - path));
    int rc = folder == NULL
                 ? state_error(error, -ENOMEM, "out of memory")
                 : state_dir_open(folder, STATE_DIR_PUBLIC, &nv->dir, error);

    nv->name = strdup(slash == NULL ? path : slash + 1);
    if (rc == 0 && (nv->name == NULL || nv->name[0] == '\0')) {
        rc = state_error(error, -EINVAL, "%s: not a file name", path);
    }
    free(folder);
    return rc;
}

static int open_in(struct nv_file *nv, const struct state_dir *dir,
                   const char *name, char *error)
{
    nv->name = strdup(name);
    nv->dir.fd = fcntl(dir->fd, F_DUPFD_CLOEXEC, 0);
    nv->dir.path = strdup(dir->path);
    if (nv->name == NULL || nv->dir.path == NULL || nv->dir.fd < 0) {
        return state_error(error, -ENOMEM, "out of memory");
    }
    nv->shared = true;
    return 0;
}

static int take_lock(struct nv_file *nv, char *error)
{
    if (nv->lock < 0) {
        nv->lock = state_dir_lock(&nv->dir, error);
    }
    return nv->lock < 0 ? nv->lock : 0;
}

/* Who finds no file makes it, and others wait until it is there. */
static int first_load(struct nv_file *nv, char *error)
{
    int rc = load(nv, error);

    if (rc == 0 && !nv->stored && nv->shared) {
        rc = take_lock(nv, error);
        if (rc == 0) {
            rc = load(nv, error);
        }
    }
    return rc;
}

int nv_file_open(const struct state_dir *dir, const char *name,
                 const struct psp_chip *chip, struct nv_file **out, char *error)
{
    struct nv_file *nv = calloc(1, sizeof(*nv));
    int rc;

    *out = NULL;
    if (nv == NULL) {
        return state_error(error, -ENOMEM, "out of memory");
    }
    nv->lock = -1;
    nv->dir.fd = -1;
    psp_sha256(chip->id, sizeof(chip->id), nv->chip);
    rc = dir == NULL ? open_path(nv, name, error)
                     : open_in(nv, dir, name, error);
    if (rc == 0) {
        rc = first_load(nv, error);
    }
    if (rc != 0) {
        nv_file_close(nv);
        return rc;
    }
    *out = nv;
    return 0;
}

void nv_file_started(struct nv_file *nv)
{
    if (nv->lock >= 0) {
        (void)close(nv->lock);
        nv->lock = -1;
    }
}

void nv_file_close(struct nv_file *nv)
{
    if (nv != NULL) {
        nv_file_started(nv);
        if (nv->dir.fd >= 0) {
            (void)close(nv->dir.fd);
        }
        free(nv->dir.path);
        free(nv->name);
        free(nv);
    }
}

int nv_file_load(void *ctx, uint8_t *blob)
{
    const struct nv_file *nv = ctx;

    if (!nv->stored) {
        return 1;
    }
    memcpy(blob, nv->file + NV_FILE_HEADER_SIZE, PSP_NV_SIZE);
    return 0;
}

/* Nobody else has written since. */
static int unchanged(const struct nv_file *nv, char *error)
{
    uint8_t *data = NULL;
    size_t size = 0;
    int rc = read_file(nv, &data, &size, error);
    bool same = rc == 1 ? !nv->stored
                        : rc == 0 && nv->stored && size == FILE_SIZE &&
                              memcmp(data, nv->file, FILE_SIZE) == 0;

    free(data);
    if (rc >= 0 && !same) {
        rc = state_error(error, -ESTALE,
                         "%s/%s: another process has changed it meanwhile",
                         nv->dir.path, nv->name);
    }
    return rc < 0 ? rc : 0;
}

static int store(struct nv_file *nv, const uint8_t *file, char *error)
{
    bool starting = nv->lock >= 0;
    int rc = nv->shared ? take_lock(nv, error) : 0;

    if (rc == 0) {
        rc = unchanged(nv, error);
    }
    if (rc == 0) {
        rc = state_file_write(&nv->dir, nv->name, STATE_FILE_PRIVATE, file,
                              FILE_SIZE, error);
    }
    if (!starting) {
        nv_file_started(nv);
    }
    return rc;
}

int nv_file_store(void *ctx, const uint8_t *blob)
{
    struct nv_file *nv = ctx;
    char error[STATE_ERROR_SIZE] = "";
    uint8_t *file = malloc(FILE_SIZE);
    int rc = -1;

    if (file == NULL) {
        return -1;
    }
    encode(nv, blob, file);
    if (store(nv, file, error) == 0) {
        memcpy(nv->file, file, FILE_SIZE);
        nv->stored = true;
        rc = 0;
    } else if (nv->complain != NULL) {
        nv->complain(error);
    }
    free(file);
    return rc;
}

void nv_file_mix(const struct nv_file *nv, const uint8_t seed[32],
                 uint8_t out[32])
{
    const struct psp_part part = {nv->file + OFF_DIGEST, SHA256_SIZE};

    if (nv->stored) {
        psp_hmac_sha256(seed, 32, &part, 1, out);
    } else {
        memcpy(out, seed, 32);
    }
}

void nv_file_on_error(struct nv_file *nv, void (*complain)(const char *line))
{
    nv->complain = complain;
}
