/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest description takes from files. */
#include "spec_impl.h"

#include "crypto.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCALAR_SIZE 48

static int open_file(const struct spec_object *o, const char *key,
                     const char *name, int *fd)
{
    const char *dir = o->parser->dir;
    char path[PATH_MAX];
    int n;

    if (dir == NULL) {
        return spec_fail(o, key, "files are not allowed here");
    }
    if (name[0] == '/') {
        n = snprintf(path, sizeof(path), "%s", name);
    } else {
        n = snprintf(path, sizeof(path), "%s/%s", dir, name);
    }
    if (n < 0 || (size_t)n >= sizeof(path)) {
        return spec_fail(o, key, "file name is too long");
    }
    /* O_NONBLOCK: a FIFO must not stop the program. */
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0) {
        return spec_fail(o, key, "cannot open %.120s: %s", path,
                         strerror(errno));
    }
    return 0;
}

static int read_all(int fd, uint8_t *buf, size_t size)
{
    while (size > 0) {
        ssize_t n = read(fd, buf, size);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return -1;
        }
        buf += n;
        size -= (size_t)n;
    }
    return 0;
}

static int load(const struct spec_object *o, const char *key, const char *name,
                int fd, uint8_t **out, size_t *size)
{
    struct stat st;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        return spec_fail(o, key, "%.120s is not a regular file", name);
    }
    if (st.st_size < 0 || (uint64_t)st.st_size > SPEC_MAX_FILE) {
        return spec_fail(o, key, "%.120s is larger than 64 MiB", name);
    }
    *size = (size_t)st.st_size;
    *out = malloc(*size + 1);
    if (*out == NULL) {
        return -ENOMEM;
    }
    if (read_all(fd, *out, *size) != 0) {
        free(*out);
        *out = NULL;
        return spec_fail(o, key, "cannot read %.120s", name);
    }
    return 0;
}

int spec_file(const struct spec_object *o, const char *key, const char *name,
              uint8_t **out, size_t *size)
{
    int fd = -1;
    int err = open_file(o, key, name, &fd);

    if (err == 0) {
        err = load(o, key, name, fd, out, size);
        (void)close(fd);
    }
    return err;
}

static int decode_base64(const struct spec_object *o, const char *text,
                         uint8_t **out, size_t *size)
{
    size_t length = strlen(text);
    int n = -1;

    *out = malloc(length + 4);
    if (*out == NULL) {
        return -ENOMEM;
    }
    if (length > 0 && length % 4 == 0 && length <= INT_MAX) {
        n = EVP_DecodeBlock(*out, (const uint8_t *)text, (int)length);
    }
    if (n < 0) {
        free(*out);
        *out = NULL;
        return spec_fail(o, "base64", "is not base64");
    }
    *size = (size_t)n;
    for (size_t i = length; i > 0 && text[i - 1] == '=' && *size > 0; i--) {
        (*size)--; /* EVP_DecodeBlock() counts padding as bytes */
    }
    return 0;
}

static int inline_bytes(const struct spec_object *o, const char *key,
                        json_t *json, uint8_t **out, size_t *size)
{
    static const char *const names[] = {"hex", "base64", NULL};
    char path[64];
    struct spec_object inner = {o->parser, path, json};
    const char *text = NULL;
    int err;

    (void)snprintf(path, sizeof(path), "%.32s%.24s.", o->path, key);
    err = spec_known(&inner, names);
    if (err == 0 && json_object_size(json) != 1) {
        err = spec_fail(o, key, "must have one of \"hex\", \"base64\"");
    }
    if (err == 0) {
        err = spec_hex_any(&inner, "hex", out, size);
    }
    if (err == 0) {
        err = spec_string(&inner, "base64", &text);
    }
    if (err == 0 && text != NULL) {
        err = decode_base64(&inner, text, out, size);
    }
    return err;
}

int spec_blob(const struct spec_object *o, const char *key, size_t want,
              uint8_t **out)
{
    json_t *value = json_object_get(o->json, key);
    size_t size = 0;
    int err;

    if (value == NULL) {
        return 0;
    }
    if (json_is_string(value)) {
        err = spec_file(o, key, json_string_value(value), out, &size);
    } else if (json_is_object(value)) {
        err = inline_bytes(o, key, value, out, &size);
    } else {
        err = spec_fail(o, key, "must be a file name or {\"hex\": \"...\"}");
    }
    if (err == 0 && size != want) {
        free(*out);
        *out = NULL;
        err = spec_fail(o, key, "must be %zu bytes, not %zu", want, size);
    }
    return err;
}

/* Instead of a question on the terminal. */
static int no_password(char *buf, int size, int rwflag, void *ctx)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    (void)ctx;
    return 0;
}

static bool scalar_of_pem(const uint8_t *pem, size_t size,
                          uint8_t scalar[SCALAR_SIZE])
{
    BIO *bio = BIO_new_mem_buf(pem, (int)size);
    EVP_PKEY *key = NULL;
    BIGNUM *d = NULL;
    char group[32] = "";
    bool ok = false;

    if (bio != NULL) {
        key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    }
    if (key != NULL && EVP_PKEY_is_a(key, "EC") &&
        EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
        strcmp(group, "secp384r1") == 0 &&
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &d) == 1) {
        ok = BN_bn2binpad(d, scalar, SCALAR_SIZE) == SCALAR_SIZE;
    }
    BN_clear_free(d);
    EVP_PKEY_free(key);
    BIO_free(bio);
    return ok;
}

/* {"pem": "..."}: the text itself. */
static int inline_pem(const struct spec_object *o, const char *key,
                      json_t *json, uint8_t **out, size_t *size)
{
    const char *text = json_string_value(json_object_get(json, "pem"));

    if (text == NULL || json_object_size(json) != 1) {
        return spec_fail(o, key, "must be a file name or {\"pem\": \"...\"}");
    }
    *size = strlen(text);
    *out = (uint8_t *)strdup(text);
    return *out == NULL ? -ENOMEM : 0;
}

int spec_key(const struct spec_object *o, const char *key, uint8_t scalar[48],
             bool *given)
{
    json_t *value = json_object_get(o->json, key);
    const char *name = "the text";
    uint8_t *pem = NULL;
    size_t size = 0;
    int err;

    if (value == NULL) {
        return 0;
    }
    if (json_is_object(value)) {
        err = inline_pem(o, key, value, &pem, &size);
    } else {
        err = spec_string(o, key, &name);
        if (err == 0) {
            err = spec_file(o, key, name, &pem, &size);
        }
    }
    if (err != 0) {
        return err;
    }
    *given = scalar_of_pem(pem, size, scalar);
    if (!*given) {
        err =
            spec_fail(o, key, "%.120s holds no P-384 private key in PEM", name);
    }
    psp_wipe(pem, size);
    free(pem);
    return err;
}
