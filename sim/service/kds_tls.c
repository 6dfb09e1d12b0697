/* SPDX-License-Identifier: Apache-2.0 */
#include "kds_tls.h"

#include "crypto.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DAY          86400
#define CA_DAYS      3650
#define CA_LEFT_DAYS 400
#define LEAF_DAYS    397
#define PEM_MAX      16384u
#define SERIAL_SIZE  16

const char *const KDS_TLS_NAMES[] = {
    "kdsintf.amd.com",
    "download.amd.com",
    "developer.amd.com",
    "localhost",
    NULL,
};

/* The CA while it is at work. */
struct ca {
    X509 *cert;
    EVP_PKEY *key;
};

static void ca_clear(struct ca *ca)
{
    X509_free(ca->cert);
    EVP_PKEY_free(ca->key);
}

static bool add_ext(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;
    bool ok;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    ok = ext != NULL && X509_add_ext(cert, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    return ok;
}

static bool set_serial(X509 *cert)
{
    unsigned char bytes[SERIAL_SIZE];
    BIGNUM *n = NULL;
    bool ok = RAND_bytes(bytes, sizeof(bytes)) == 1;

    bytes[0] = 0x53; /* positive, and S for simulated as in the ARKs */
    n = ok ? BN_bin2bn(bytes, sizeof(bytes), NULL) : NULL;
    ok =
        n != NULL && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)) != NULL;
    BN_free(n);
    return ok;
}

static bool set_name(X509 *cert, const char *cn)
{
    static const char org[] = "SEV simulator - not AMD";
    X509_NAME *name = X509_get_subject_name(cert);

    return X509_NAME_add_entry_by_NID(name, NID_organizationName, MBSTRING_ASC,
                                      (const unsigned char *)org, -1, -1,
                                      0) == 1 &&
           X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC,
                                      (const unsigned char *)cn, -1, -1,
                                      0) == 1;
}

/* Everything but names and extensions. A day back for clocks that differ. */
static X509 *new_cert(EVP_PKEY *key, uint64_t now, int days)
{
    X509 *cert = X509_new();
    time_t t = (time_t)now;

    if (cert != NULL && X509_set_version(cert, 2) == 1 && set_serial(cert) &&
        X509_time_adj_ex(X509_getm_notBefore(cert), -1, 0, &t) != NULL &&
        X509_time_adj_ex(X509_getm_notAfter(cert), days - 1, 0, &t) != NULL &&
        X509_set_pubkey(cert, key) == 1) {
        return cert;
    }
    X509_free(cert);
    return NULL;
}

/* "permitted;DNS:...,permitted;IP:..." */
static void constraints(char *out, size_t size)
{
    size_t n = 0;

    for (const char *const *name = KDS_TLS_NAMES; *name != NULL; name++) {
        n += (size_t)snprintf(out + n, size - n, "permitted;DNS:%s,", *name);
    }
    snprintf(out + n, size - n,
             "permitted;IP:127.0.0.1/255.255.255.255,permitted;IP:::1/"
             "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

static int make_ca(uint64_t now, struct ca *ca)
{
    char names[512] = "critical,";

    constraints(names + strlen(names), sizeof(names) - strlen(names));
    ca->key = EVP_EC_gen("P-256");
    ca->cert = ca->key == NULL ? NULL : new_cert(ca->key, now, CA_DAYS);
    if (ca->cert == NULL ||
        !set_name(ca->cert, "swpsp key server TLS CA (SIMULATED)") ||
        X509_set_issuer_name(ca->cert, X509_get_subject_name(ca->cert)) != 1 ||
        !add_ext(ca->cert, ca->cert, NID_basic_constraints,
                 "critical,CA:TRUE,pathlen:0") ||
        !add_ext(ca->cert, ca->cert, NID_key_usage,
                 "critical,keyCertSign,cRLSign") ||
        !add_ext(ca->cert, ca->cert, NID_name_constraints, names) ||
        !add_ext(ca->cert, ca->cert, NID_subject_key_identifier, "hash") ||
        X509_sign(ca->cert, ca->key, EVP_sha256()) == 0) {
        return -EIO;
    }
    return 0;
}

static void alt_names(char *out, size_t size)
{
    size_t n = 0;

    for (const char *const *name = KDS_TLS_NAMES; *name != NULL; name++) {
        n += (size_t)snprintf(out + n, size - n, "DNS:%s,", *name);
    }
    snprintf(out + n, size - n, "IP:127.0.0.1,IP:::1");
}

/* @names: of a server; NULL: for a client. */
static X509 *issue(const struct ca *ca, EVP_PKEY *key, uint64_t now,
                   const char *cn, const char *names)
{
    X509 *cert = new_cert(key, now, LEAF_DAYS);

    if (cert != NULL && set_name(cert, cn) &&
        X509_set_issuer_name(cert, X509_get_subject_name(ca->cert)) == 1 &&
        add_ext(cert, ca->cert, NID_basic_constraints, "critical,CA:FALSE") &&
        add_ext(cert, ca->cert, NID_key_usage, "critical,digitalSignature") &&
        add_ext(cert, ca->cert, NID_ext_key_usage,
                names != NULL ? "serverAuth" : "clientAuth") &&
        (names == NULL ||
         add_ext(cert, ca->cert, NID_subject_alt_name, names)) &&
        add_ext(cert, ca->cert, NID_subject_key_identifier, "hash") &&
        add_ext(cert, ca->cert, NID_authority_key_identifier, "keyid:always") &&
        X509_sign(cert, ca->key, EVP_sha256()) != 0) {
        return cert;
    }
    X509_free(cert);
    return NULL;
}

static void wipe_text(char *text)
{
    if (text != NULL) {
        psp_wipe(text, strlen(text));
    }
    free(text);
}

/* Text of either; free() ends it. */
static char *to_pem(X509 *cert, const EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    char *data = NULL;
    char *text = NULL;
    long size;

    if (bio != NULL &&
        (cert != NULL ? PEM_write_bio_X509(bio, cert)
                      : PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0,
                                                      NULL, NULL)) == 1) {
        size = BIO_get_mem_data(bio, &data);
        text = strndup(data, (size_t)size);
    }
    BIO_free(bio);
    return text;
}

static int no_passphrase(char *buf, int size, int writing, void *ctx)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)ctx;
    return -1;
}

static int damaged(const struct state_dir *dir, const char *name, char *error)
{
    return state_error(error, -EBADMSG,
                       "%s/%s: damaged; remove " KDS_TLS_CA_FILE
                       " and " KDS_TLS_KEY_FILE " to have new ones",
                       dir->path, name);
}

static int parse_ca(const struct state_dir *dir, const uint8_t *cert,
                    size_t cert_size, const uint8_t *key, size_t key_size,
                    struct ca *ca, char *error)
{
    BIO *in = BIO_new_mem_buf(cert, (int)cert_size);
    BIO *key_in = BIO_new_mem_buf(key, (int)key_size);
    int err = 0;

    if (in == NULL || key_in == NULL) {
        err = state_error(error, -ENOMEM, "out of memory");
        goto out;
    }
    ca->cert = PEM_read_bio_X509(in, NULL, no_passphrase, NULL);
    ca->key = PEM_read_bio_PrivateKey(key_in, NULL, no_passphrase, NULL);
    if (ca->cert == NULL) {
        err = damaged(dir, KDS_TLS_CA_FILE, error);
    } else if (ca->key == NULL ||
               X509_check_private_key(ca->cert, ca->key) != 1) {
        err = damaged(dir, KDS_TLS_KEY_FILE, error);
    }
out:
    BIO_free(in);
    BIO_free(key_in);
    return err;
}

/* -ENOENT: there is none, or only half of one. */
static int load_ca(const struct state_dir *dir, struct ca *ca, char *error)
{
    uint8_t *cert = NULL, *key = NULL;
    size_t cert_size = 0, key_size = 0;
    int err = state_file_read(dir, KDS_TLS_KEY_FILE, STATE_FILE_PRIVATE,
                              PEM_MAX, &key, &key_size, error);

    if (err == 0) {
        err = state_file_read(dir, KDS_TLS_CA_FILE, STATE_FILE_PUBLIC, PEM_MAX,
                              &cert, &cert_size, error);
    }
    if (err == 0) {
        err = parse_ca(dir, cert, cert_size, key, key_size, ca, error);
    }
    if (key != NULL) {
        psp_wipe(key, key_size);
    }
    free(key);
    free(cert);
    return err;
}

static bool lasts(const struct ca *ca, uint64_t now)
{
    time_t until = (time_t)now + (time_t)CA_LEFT_DAYS * DAY;

    return X509_cmp_time(X509_get0_notAfter(ca->cert), &until) > 0;
}

/* The key first: a certificate without its key is never there. */
static int save_ca(const struct state_dir *dir, const struct ca *ca,
                   char *error)
{
    char *key = to_pem(NULL, ca->key);
    char *cert = to_pem(ca->cert, NULL);
    int err;

    if (key == NULL || cert == NULL) {
        err = state_error(error, -EIO, "cannot write the TLS CA");
    } else {
        /* An old certificate must not meet the new key. */
        (void)unlinkat(dir->fd, KDS_TLS_CA_FILE, 0);
        err = state_file_write(dir, KDS_TLS_KEY_FILE, STATE_FILE_PRIVATE, key,
                               strlen(key), error);
    }
    if (err == 0) {
        err = state_file_write(dir, KDS_TLS_CA_FILE, STATE_FILE_PUBLIC, cert,
                               strlen(cert), error);
    }
    wipe_text(key);
    free(cert);
    return err;
}

static int open_ca(const struct state_dir *dir, uint64_t now, struct ca *ca,
                   char *error)
{
    int lock = state_dir_lock(dir, error);
    int err;

    if (lock < 0) {
        return lock;
    }
    err = load_ca(dir, ca, error);
    if (err == -ENOENT || (err == 0 && !lasts(ca, now))) {
        ca_clear(ca);
        *ca = (struct ca){NULL, NULL};
        err = make_ca(now, ca);
        err = err == 0 ? save_ca(dir, ca, error)
                       : state_error(error, err, "cannot make the TLS CA");
    }
    (void)close(lock);
    return err;
}

static bool issue_server(const struct ca *ca, uint64_t now, struct kds_tls *out)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    char names[256];
    X509 *cert;

    alt_names(names, sizeof(names));
    cert = key == NULL ? NULL : issue(ca, key, now, KDS_TLS_NAMES[0], names);
    if (cert != NULL) {
        out->cert = to_pem(cert, NULL);
        out->key = to_pem(NULL, key);
    }
    X509_free(cert);
    EVP_PKEY_free(key);
    return out->cert != NULL && out->key != NULL;
}

static bool issue_client(const struct ca *ca, uint64_t now, struct kds_tls *out)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = key == NULL ? NULL
                             : issue(ca, key, now,
                                     "swpsp VLEK client (SIMULATED)", NULL);
    char *cert_text = cert == NULL ? NULL : to_pem(cert, NULL);
    char *key_text = cert == NULL ? NULL : to_pem(NULL, key);

    if (cert_text != NULL && key_text != NULL &&
        asprintf(&out->client, "%s%s", cert_text, key_text) < 0) {
        out->client = NULL;
    }
    wipe_text(key_text);
    free(cert_text);
    X509_free(cert);
    EVP_PKEY_free(key);
    return out->client != NULL;
}

int kds_tls_open(const struct state_dir *dir, uint64_t now, struct kds_tls *out,
                 char *error)
{
    struct ca ca = {NULL, NULL};
    int err;

    memset(out, 0, sizeof(*out));
    if (dir != NULL) {
        err = open_ca(dir, now, &ca, error);
    } else if ((err = make_ca(now, &ca)) != 0) {
        (void)state_error(error, err, "cannot make the TLS CA");
    }
    if (err != 0) {
        goto out;
    }
    out->ca_cert = to_pem(ca.cert, NULL);
    if (out->ca_cert == NULL || !issue_server(&ca, now, out) ||
        !issue_client(&ca, now, out)) {
        kds_tls_clear(out);
        err = state_error(error, -EIO, "cannot issue the TLS certificate");
    }
out:
    ca_clear(&ca);
    return err;
}

bool kds_tls_are_certs(const uint8_t *text, size_t size)
{
    BIO *in = BIO_new_mem_buf(text, (int)size);
    size_t n = 0;
    X509 *cert;
    bool ended;

    ERR_clear_error();
    while (in != NULL &&
           (cert = PEM_read_bio_X509(in, NULL, no_passphrase, NULL)) != NULL) {
        X509_free(cert);
        n++;
    }
    BIO_free(in);
    /* The end of the text is the only thing that may stop it. */
    ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    return n > 0 && ended;
}

void kds_tls_clear(struct kds_tls *tls)
{
    free(tls->ca_cert);
    free(tls->cert);
    wipe_text(tls->key);
    wipe_text(tls->client);
    memset(tls, 0, sizeof(*tls));
}
