/* SPDX-License-Identifier: Apache-2.0 */
/* The RSA keys of an installation between runs. A key follows from the seed, so
 * two processes that make the same one at once write the same bytes; the lock
 * only spares the second the work. */
#include "install_impl.h"

#include "pem.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY_LABEL     "RSA PRIVATE KEY"
#define KEY_FILE_MAX  8192u
#define FOLDER_DIGITS 16 /* of the fingerprint */

static void file_name(const char *key, char out[NAME_MAX + 1])
{
    (void)snprintf(out, NAME_MAX + 1, "%s.pem", key);
}

static int open_keys(struct install *ins)
{
    char folder[64];

    if (ins->keys.fd >= 0) {
        return 0;
    }
    (void)snprintf(folder, sizeof(folder), "keys/%.*s", FOLDER_DIGITS,
                   ins->fingerprint);
    return state_dir_sub(&ins->dir, folder, STATE_DIR_PRIVATE, &ins->keys,
                         ins->key_error);
}

/* Whether @der is a key that may be used; says what is wrong when not. */
static int check_key(struct install *ins, const char *file, const uint8_t *der,
                     size_t size)
{
    struct psp_rsa_key *key = NULL;
    enum psp_err err = psp_rsa_from_der(der, size, &key);
    int rc = 0;

    if (err == PSP_E_NOMEM) {
        rc = state_error(ins->key_error, -ENOMEM, "out of memory");
    } else if (err != PSP_OK) {
        rc = state_error(ins->key_error, -EBADMSG,
                         "%s/%s: damaged: not an RSA key as swpsp writes it",
                         ins->keys.path, file);
    } else if (pki_is_amd_key(psp_rsa_public(key))) {
        rc = state_error(ins->key_error, -EPERM,
                         "%s/%s: this is a key of AMD; refused", ins->keys.path,
                         file);
    }
    psp_rsa_free(key);
    return rc;
}

static int decode_key(struct install *ins, const char *file,
                      const uint8_t *text, size_t text_size, uint8_t **der,
                      size_t *size)
{
    uint8_t *buf = malloc(text_size + 1);
    size_t n = 0;
    int rc;

    if (buf == NULL) {
        return state_error(ins->key_error, -ENOMEM, "out of memory");
    }
    if (pem_decode(KEY_LABEL, (const char *)text, text_size, buf, text_size,
                   &n) != PSP_OK) {
        n = 0;
    }
    rc = check_key(ins, file, buf, n);
    if (rc == 0) {
        *der = buf;
        *size = n;
        return 0;
    }
    psp_wipe(buf, text_size);
    free(buf);
    return rc;
}

static int read_key(struct install *ins, const char *file, uint8_t **der,
                    size_t *size)
{
    uint8_t *text = NULL;
    size_t text_size = 0;
    int rc = state_file_read(&ins->keys, file, STATE_FILE_PRIVATE, KEY_FILE_MAX,
                             &text, &text_size, ins->key_error);

    if (rc != 0) {
        return rc;
    }
    rc = decode_key(ins, file, text, text_size, der, size);
    psp_wipe(text, text_size);
    free(text);
    return rc;
}

static void unlock(struct install *ins)
{
    if (ins->key_lock >= 0) {
        (void)close(ins->key_lock);
        ins->key_lock = -1;
    }
}

/* 0; 1 when there is none, with the lock held until it is saved; or an error.
 */
static int load_locked(struct install *ins, const char *key, uint8_t **der,
                       size_t *size)
{
    char file[NAME_MAX + 1];
    int rc = open_keys(ins);

    if (rc != 0) {
        return rc;
    }
    file_name(key, file);
    rc = read_key(ins, file, der, size);
    if (rc != -ENOENT) {
        return rc;
    }
    if (ins->key_lock < 0) {
        rc = state_dir_lock(&ins->keys, ins->key_error);
        if (rc < 0) {
            return rc;
        }
        ins->key_lock = rc;
    }
    rc = read_key(ins, file, der, size); /* made while we waited? */
    if (rc == -ENOENT) {
        return 1;
    }
    unlock(ins);
    return rc;
}

static int store_load(void *ctx, const char *key, uint8_t **der, size_t *size)
{
    struct install *ins = ctx;
    int rc;

    (void)pthread_mutex_lock(&ins->key_mutex);
    rc = load_locked(ins, key, der, size);
    ins->key_code = rc;
    (void)pthread_mutex_unlock(&ins->key_mutex);
    return rc < 0 ? -1 : rc;
}

static int save_locked(struct install *ins, const char *key, const uint8_t *der,
                       size_t size)
{
    char file[NAME_MAX + 1];
    char text[KEY_FILE_MAX];
    size_t n = pem_encode(KEY_LABEL, der, size, text, sizeof(text));
    int rc = open_keys(ins);

    file_name(key, file);
    if (rc == 0 && n > sizeof(text)) {
        rc = state_error(ins->key_error, -EFBIG, "%s: key too large", file);
    }
    if (rc == 0) {
        rc = state_file_write(&ins->keys, file, STATE_FILE_PRIVATE, text, n,
                              ins->key_error);
    }
    psp_wipe(text, sizeof(text));
    return rc;
}

static int store_save(void *ctx, const char *key, const uint8_t *der,
                      size_t size)
{
    struct install *ins = ctx;
    int rc;

    (void)pthread_mutex_lock(&ins->key_mutex);
    rc = save_locked(ins, key, der, size);
    ins->key_code = rc;
    unlock(ins);
    (void)pthread_mutex_unlock(&ins->key_mutex);
    return rc == 0 ? 0 : -1;
}

static void store_progress(void *ctx, const char *key)
{
    struct install *ins = ctx;

    if (ins->progress != NULL) {
        ins->progress(ins->progress_ctx, key);
    }
}

void install_keys_init(struct install *ins)
{
    (void)pthread_mutex_init(&ins->key_mutex, NULL);
    ins->keys.fd = -1;
    ins->key_lock = -1;
    ins->store = (struct pki_key_store){.load = store_load,
                                        .save = store_save,
                                        .progress = store_progress,
                                        .ctx = ins};
}

void install_keys_close(struct install *ins)
{
    unlock(ins);
    state_dir_close(&ins->keys);
    (void)pthread_mutex_destroy(&ins->key_mutex);
}

int install_pki_error(struct install *ins, enum psp_err err, char *error)
{
    int rc;

    switch (err) {
    case PSP_OK:
        return 0;
    case PSP_E_HOST:
        (void)pthread_mutex_lock(&ins->key_mutex);
        rc = state_error(error, ins->key_code, "%s", ins->key_error);
        (void)pthread_mutex_unlock(&ins->key_mutex);
        return rc < 0 ? rc : -EIO;
    case PSP_E_NOMEM:
        return state_error(error, -ENOMEM, "out of memory");
    case PSP_E_PARAM:
        return state_error(error, -EINVAL,
                           "no such certificate: generation, TCB or CSP_ID "
                           "out of range");
    case PSP_E_FORMAT:
        return state_error(error, -EBADMSG,
                           "%s: a key has the wrong size: damaged",
                           ins->keys.path != NULL ? ins->keys.path : "keys");
    case PSP_E_VERIFY:
        return state_error(error, -EPERM, "a key of AMD; refused");
    case PSP_E_CRYPTO:
        break;
    }
    return state_error(error, -EIO, "%s", psp_err_text(err));
}
