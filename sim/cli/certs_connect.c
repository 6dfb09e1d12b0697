/* SPDX-License-Identifier: Apache-2.0 */
#include "certs_connect.h"

#include "commands.h"
#include "control_cli.h"
#include "control_client.h"
#include "install.h"
#include "sev_cert.h"
#include "sev_export.h"
#include "state_file.h"

#include <openssl/evp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEM_HEAD "-----BEGIN CERTIFICATE-----\n"
#define PEM_TAIL "-----END CERTIFICATE-----\n"
#define PEM_LINE 64u

struct target {
    const char *socket;
    struct state_dir guest, pki, sev;
    char error[STATE_ERROR_SIZE];
    const json_t *certs;
    bool vlek;
};

/* Bytes of one of the answer's members; free(). */
static uint8_t *decode(const json_t *value, size_t *size)
{
    const char *text = json_string_value(value);
    size_t length = text == NULL ? 0 : strlen(text);
    uint8_t *out = length == 0 || length % 4 != 0 ? NULL : malloc(length);
    int n = out == NULL
                ? -1
                : EVP_DecodeBlock(out, (const uint8_t *)text, (int)length);

    if (n < 0) {
        free(out);
        return NULL;
    }
    *size = (size_t)n;
    for (size_t i = length; text[i - 1] == '=' && *size > 0; i--) {
        (*size)--;
    }
    return out;
}

/* The base64 text broken into PEM lines, appended to @out. */
static size_t append_pem(const char *text, char *out)
{
    size_t n = strlen(text);
    char *p = out;

    p = stpcpy(p, PEM_HEAD);
    for (size_t i = 0; i < n; i += PEM_LINE) {
        size_t part = n - i < PEM_LINE ? n - i : PEM_LINE;

        p = mempcpy(p, text + i, part);
        *p++ = '\n';
    }
    p = stpcpy(p, PEM_TAIL);
    return (size_t)(p - out);
}

static bool put(struct target *t, const struct state_dir *dir, const char *name,
                const void *data, size_t size)
{
    return state_file_write(dir, name, STATE_FILE_PUBLIC, data, size,
                            t->error) == 0;
}

static const char *text_of(const struct target *t, const char *key)
{
    return json_string_value(json_object_get(t->certs, key));
}

static char *pem_of(const char *a, const char *b, size_t *size)
{
    size_t room = 2 * (strlen(a) + strlen(b)) + 256;
    char *out = malloc(room);

    *size = 0;
    if (out != NULL) {
        *size = append_pem(a, out);
        *size += b[0] == '\0' ? 0 : append_pem(b, out + *size);
    }
    return out;
}

/* One certificate as NAME.der and NAME.pem. */
static bool put_cert(struct target *t, const struct state_dir *dir,
                     const char *key, const char *name)
{
    const char *text = text_of(t, key);
    char file[32];
    size_t der_size = 0, pem_size = 0;
    uint8_t *der = decode(json_object_get(t->certs, key), &der_size);
    char *pem = der == NULL ? NULL : pem_of(text, "", &pem_size);
    bool ok = pem != NULL;

    if (!ok) {
        (void)state_error(t->error, 0, "the daemon sent no %s", key);
    }
    (void)snprintf(file, sizeof(file), "%s.der", name);
    ok = ok && put(t, dir, file, der, der_size);
    (void)snprintf(file, sizeof(file), "%s.pem", name);
    ok = ok && put(t, dir, file, pem, pem_size);
    free(pem);
    free(der);
    return ok;
}

static bool put_chain(struct target *t)
{
    size_t size = 0;
    char *pem = pem_of(text_of(t, "ASK"), text_of(t, "ARK"), &size);
    bool ok =
        pem != NULL &&
        put(t, &t->pki, t->vlek ? "vlek_cert_chain.pem" : "cert_chain.pem", pem,
            size);

    free(pem);
    return ok;
}

static bool put_all(struct target *t, const json_t *answer)
{
    const char *middle = t->vlek ? "asvk" : "ask";
    size_t size = 0;
    uint8_t *table = decode(json_object_get(answer, "table"), &size);
    bool ok = table != NULL && put(t, &t->guest, "cert_table.bin", table, size);

    free(table);
    return ok &&
           put_cert(t, &t->guest, t->vlek ? "VLEK" : "VCEK",
                    t->vlek ? "vlek" : "vcek") &&
           put_cert(t, &t->guest, "ASK", middle) &&
           put_cert(t, &t->guest, "ARK", "ark") &&
           put_cert(t, &t->pki, "ASK", middle) &&
           put_cert(t, &t->pki, "ARK", "ark") && put_chain(t) &&
           install_export_tidy(&t->guest, t->vlek ? INSTALL_VLEK : INSTALL_VCEK,
                               t->error) == 0;
}

/* One binary certificate, perhaps a copy for the caller. */
static bool put_binary(struct target *t, const json_t *sev, const char *key,
                       const char *name, uint8_t *copy, size_t copy_size)
{
    size_t size = 0;
    uint8_t *data = decode(json_object_get(sev, key), &size);
    bool ok = data != NULL && (copy == NULL || size == copy_size);

    if (!ok) {
        (void)state_error(t->error, 0, "the daemon sent no %s", key);
    } else if (copy != NULL) {
        memcpy(copy, data, size);
    }
    ok = ok && put(t, &t->sev, name, data, size);
    free(data);
    return ok;
}

/* The daemon may serve no /dev/sev: then there is no more than that. */
static bool put_sev(struct target *t, const json_t *sev)
{
    struct control_device *device = NULL;
    char refused[CONTROL_ERROR_SIZE] = "";
    uint8_t cek[SEV_CERT_SIZE];
    struct chardev dev;
    bool ok;

    if (!put_binary(t, sev, "CEK", "cek.cert", cek, sizeof(cek)) ||
        !put_binary(t, sev, "ASK", "ask.cert", NULL, 0) ||
        !put_binary(t, sev, "ARK", "ark.cert", NULL, 0)) {
        return false;
    }
    if (control_device_open(t->socket, "host", &device, refused) != 0) {
        fprintf(stderr,
                "swpsp certs: sev/ without pdh.cert, pek.cert and "
                "oca.cert: %s\n",
                refused);
        return true;
    }
    dev = control_device_chardev(device);
    ok = sev_export(&dev, cek, &t->sev, t->error) == 0;
    control_device_close(device);
    return ok;
}

static bool write_below(const char *dir, const json_t *answer, struct target *t)
{
    const char *product = json_string_value(json_object_get(answer, "product"));
    struct state_dir top = {.fd = -1};
    char name[64];
    bool ok;

    /* The daemon is trusted with names no more than with anything else. */
    if (product == NULL || strlen(product) > 32 ||
        strpbrk(product, "/.") != NULL) {
        (void)state_error(t->error, 0, "the daemon's answer is none");
        return false;
    }
    (void)snprintf(name, sizeof(name), "pki/%s", product);
    ok = state_dir_open(dir, STATE_DIR_PUBLIC, &top, t->error) == 0 &&
         state_dir_sub(&top, "sev", STATE_DIR_PUBLIC, &t->sev, t->error) == 0;
    if (ok && t->certs != NULL) {
        ok = state_dir_sub(&top, "guest", STATE_DIR_PUBLIC, &t->guest,
                           t->error) == 0 &&
             state_dir_sub(&top, name, STATE_DIR_PUBLIC, &t->pki, t->error) ==
                 0 &&
             put_all(t, answer);
    }
    ok = ok && put_sev(t, json_object_get(answer, "sev"));
    state_dir_close(&t->sev);
    state_dir_close(&t->pki);
    state_dir_close(&t->guest);
    state_dir_close(&top);
    return ok;
}

int certs_connect_export(const char *socket, const char *dir)
{
    const struct control_options o = {.socket = socket};
    struct target t = {.socket =
                           socket != NULL ? socket : control_default_socket(),
                       .guest = {.fd = -1},
                       .pki = {.fd = -1},
                       .sev = {.fd = -1}};
    json_t *answer =
        control_ask(&o, "certs", json_pack("{s:s}", "op", "certs"));
    bool ok;

    if (answer == NULL) {
        return EXIT_USAGE;
    }
    t.certs = json_object_get(answer, "certs");
    t.vlek = json_object_get(t.certs, "VLEK") != NULL;
    ok = write_below(dir, answer, &t);
    if (!ok) {
        fprintf(stderr, "swpsp certs: %s\n",
                t.error[0] == '\0' ? "the daemon's answer is none" : t.error);
    }
    json_decref(answer);
    return ok ? EXIT_OK : EXIT_USAGE;
}
