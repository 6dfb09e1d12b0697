/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates on disk, as verifiers want them: abi/certs-kds.md §5.5, §6.2,
 * §8.4. */
#include "install_impl.h"

#include "pem.h"
#include "sev_pki.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX_COUNT 48u
#define PATH_MAX_SIZE  320u /* the hwid alone has 128 digits */
#define DAY            86400u

struct out_file {
    char path[PATH_MAX_SIZE]; /* below the folder of the export */
    uint8_t *data;
    size_t size;
    bool added; /* by this call, and there was none before */
};

/* The files to write. The first failure is latched in @rc. */
struct export
{
    struct out_file files[FILE_MAX_COUNT];
    size_t count;
    int rc;
    char *error;
};

static void put(struct export *x, const void *data, size_t size,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

static void put(struct export *x, const void *data, size_t size,
                const char *format, ...)
{
    struct out_file *f = &x->files[x->count];
    va_list args;
    int n;

    if (x->rc != 0) {
        return;
    }
    va_start(args, format);
    n = vsnprintf(f->path, sizeof(f->path), format, args);
    va_end(args);
    f->data = malloc(size + 1);
    if (n < 0 || (size_t)n >= sizeof(f->path) || f->data == NULL ||
        x->count + 1 == FILE_MAX_COUNT) {
        free(f->data);
        f->data = NULL;
        x->rc = state_error(x->error, -ENOMEM, "out of memory");
        return;
    }
    if (size > 0) {
        memcpy(f->data, data, size);
    }
    f->size = size;
    x->count++;
}

/* The PEM of @count certificates, one after the other. */
static void put_pem(struct export *x, const struct pki_cert *const *certs,
                    size_t count, const char *path)
{
    char text[3 * 4096];
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        n += pem_encode("CERTIFICATE", certs[i]->der, certs[i]->size, text + n,
                        sizeof(text) - n);
        if (n > sizeof(text)) { /* twice what the largest chain needs */
            x->rc = state_error(x->error, -EFBIG, "%s: too large", path);
            return;
        }
    }
    put(x, text, n, "%s", path);
}

/* One certificate in both encodings. */
static void put_cert(struct export *x, const struct pki_cert *cert,
                     const char *folder, const char *name)
{
    char path[PATH_MAX_SIZE];

    put(x, cert->der, cert->size, "%s/%s.der", folder, name);
    (void)snprintf(path, sizeof(path), "%s/%s.pem", folder, name);
    put_pem(x, &cert, 1, path);
}

static void lower(const char *name, char out[16])
{
    size_t i = 0;

    for (; i < 15 && name[i] != '\0'; i++) {
        out[i] = (char)tolower((unsigned char)name[i]);
    }
    out[i] = '\0';
}

static void put_chains(struct export *x,
                       const struct pki_cert *const c[PKI_ROLE_COUNT],
                       const char *folder, const char *p)
{
    const struct pki_cert *const vcek[] = {c[PKI_ASK], c[PKI_ARK]};
    const struct pki_cert *const vlek[] = {c[PKI_ASVK], c[PKI_ARK]};
    const struct pki_cert *const all[] = {c[PKI_ASK], c[PKI_ARK], c[PKI_ASVK]};
    char path[PATH_MAX_SIZE];

    (void)snprintf(path, sizeof(path), "%s/cert_chain.pem", folder);
    put_pem(x, vcek, 2, path);
    (void)snprintf(path, sizeof(path), "%s/vlek_cert_chain.pem", folder);
    put_pem(x, vlek, 2, path);
    (void)snprintf(path, sizeof(path), "%s/%s_ask_ark_asvk.pem", folder, p);
    put_pem(x, all, 3, path);
}

static void put_cas(struct export *x, struct install *ins, struct pki_ca *ca,
                    const char *folder, const char *p)
{
    const struct pki_cert *c[PKI_ROLE_COUNT] = {NULL};
    char name[16];

    for (int role = PKI_ARK; role < PKI_ROLE_COUNT && x->rc == 0; role++) {
        x->rc = install_pki_error(
            ins, pki_ca_cert(ca, (enum pki_role)role, &c[role]), x->error);
        if (x->rc == 0) {
            lower(pki_role_name((enum pki_role)role), name);
            put_cert(x, c[role], folder, name);
        }
    }
    if (x->rc == 0) {
        put_chains(x, c, folder, p);
    }
}

static void put_crl(struct export *x, struct install *ins, struct pki_ca *ca,
                    const char *folder, uint64_t now)
{
    struct pki_cert crl = {NULL, 0};

    if (x->rc != 0) {
        return;
    }
    x->rc = install_pki_error(
        ins, pki_crl(ca, now, (uint32_t)(now / DAY), false, &crl), x->error);
    if (x->rc == 0) {
        put(x, crl.der, crl.size, "%s/crl.der", folder);
    }
    pki_cert_clear(&crl);
}

/* The bundle is two equal halves: ASK, ARK. */
static void put_legacy(struct export *x, struct install *ins, struct pki_ca *ca,
                       const struct install_export *what, const char *folder,
                       const char *p)
{
    uint8_t bundle[PKI_ASK_ARK_MAX_SIZE];
    uint8_t cek[SEV_CERT_SIZE];
    size_t size = 0;

    if (x->rc != 0) {
        return;
    }
    x->rc = install_pki_error(ins, pki_ask_ark(ca, bundle, &size), x->error);
    if (x->rc == 0) {
        x->rc = install_pki_error(ins, pki_cek_cert(ca, &what->chip, cek),
                                  x->error);
    }
    put(x, bundle, size, "%s/ask_ark_%s.cert", folder, p);
    put(x, bundle, size / 2, "sev/ask.cert");
    put(x, bundle + size / 2, size / 2, "sev/ark.cert");
    put(x, cek, sizeof(cek), "sev/cek.cert");
}

/* What SNP_VLEK_LOAD takes. The key is the chip's for this TCB and the content
 * follows from the TCB as well, so a nonce made of both never meets another
 * content. */
static void put_hashstick(struct export *x, const struct install *ins,
                          const struct install_export *what)
{
    uint8_t id[PSP_CHIP_ID_SIZE + PSP_TCB_SIZE];
    uint8_t vcek_seed[48], vlek_seed[48], digest[SHA256_SIZE];
    uint8_t stick[PKI_HASHSTICK_SIZE];

    memcpy(id, what->chip.id, PSP_CHIP_ID_SIZE);
    memcpy(id + PSP_CHIP_ID_SIZE, what->tcb.b, PSP_TCB_SIZE);
    psp_sha256(id, sizeof(id), digest);
    pki_vcek_seed(what->chip.secret, &what->tcb, vcek_seed);
    pki_vlek_seed(install_seed(ins), what->generation, install_csp_id(ins),
                  &what->tcb, vlek_seed);
    pki_vlek_wrap(vcek_seed, &what->tcb, digest, vlek_seed, stick);
    put(x, stick, sizeof(stick), "guest/hashstick.bin");
    psp_wipe(vcek_seed, sizeof(vcek_seed));
    psp_wipe(vlek_seed, sizeof(vlek_seed));
}

static void put_guest(struct export *x, struct install *ins,
                      const struct install_export *what)
{
    bool vlek = what->kind == INSTALL_VLEK;
    struct install_chain chain = {{NULL, 0}, NULL, NULL};
    uint8_t *table = NULL;
    size_t size = 0;

    if (x->rc != 0) {
        return;
    }
    x->rc = install_chain(ins, what->generation, what->kind, &what->chip,
                          &what->tcb, &chain, x->error);
    if (x->rc == 0) {
        x->rc =
            install_chain_table(&chain, what->kind, &table, &size, x->error);
    }
    if (x->rc == 0) {
        const struct pki_cert *leaf = &chain.leaf;

        put_cert(x, leaf, "guest", vlek ? "vlek" : "vcek");
        put_cert(x, chain.issuer, "guest", vlek ? "asvk" : "ask");
        put_cert(x, chain.ark, "guest", "ark");
        if (what->own_table) {
            put(x, what->table, what->table_size, "guest/cert_table.bin");
        } else {
            put(x, table, size, "guest/cert_table.bin");
        }
        put_pem(x, &leaf, 1, vlek ? "snpguest/vlek.pem" : "snpguest/vcek.pem");
        put_pem(x, &chain.issuer, 1,
                vlek ? "snpguest/asvk.pem" : "snpguest/ask.pem");
        put_pem(x, &chain.ark, 1, "snpguest/ark.pem");
    }
    if (x->rc == 0 && vlek) {
        put_hashstick(x, ins, what);
    }
    free(table);
    pki_cert_clear(&chain.leaf);
}

/* DIR/vcek/{hwid}/{spls}_vcek.der and, for any TCB, vcek.der. */
static void put_kds_store(struct export *x, struct install *ins,
                          struct pki_ca *ca, const struct install_export *what)
{
    bool turin = psp_tcb_is_turin_layout(what->generation);
    const uint8_t *t = what->tcb.b;
    size_t hwid_size = turin ? 8 : PSP_CHIP_ID_SIZE;
    struct pki_cert cert = {NULL, 0};
    char hwid[2 * PSP_CHIP_ID_SIZE + 1] = "";
    char spls[64];

    if (x->rc != 0) {
        return;
    }
    for (size_t i = 0; i < hwid_size; i++) {
        (void)snprintf(hwid + 2 * i, 3, "%02x", what->chip.id[i]);
    }
    if (turin) {
        (void)snprintf(spls, sizeof(spls),
                       "bl%02u_tee%02u_snp%02u_ucode%02u_fmc%02u", t[1], t[2],
                       t[3], t[7], t[0]);
    } else {
        (void)snprintf(spls, sizeof(spls), "bl%02u_tee%02u_snp%02u_ucode%02u",
                       t[0], t[1], t[6], t[7]);
    }
    x->rc = install_pki_error(
        ins, pki_vcek_cert(ca, &what->chip, &what->tcb, &cert), x->error);
    if (x->rc == 0) {
        put(x, cert.der, cert.size, "kds-store/vcek/%s/%s_vcek.der", hwid,
            spls);
        put(x, cert.der, cert.size, "kds-store/vcek/%s/vcek.der", hwid);
    }
    pki_cert_clear(&cert);
}

static void collect(struct export *x, struct install *ins,
                    const struct install_export *what)
{
    const char *product = psp_generation_name(what->generation);
    char folder[32], p[16];
    struct pki_ca *ca = NULL;

    x->rc = install_ca(ins, what->generation, &ca, x->error);
    if (x->rc != 0) {
        return;
    }
    lower(product, p);
    (void)snprintf(folder, sizeof(folder), "pki/%s", product);
    if (what->generation >= PSP_MILAN) {
        put_guest(x, ins, what);
        put_cas(x, ins, ca, folder, p);
        put_crl(x, ins, ca, folder, what->now);
        put_kds_store(x, ins, ca, what);
    }
    put_legacy(x, ins, ca, what, folder, p);
}

static int write_one(const struct state_dir *root, struct out_file *f,
                     char *error)
{
    char folder[PATH_MAX_SIZE];
    char *name;
    struct state_dir dir;
    bool there;
    int rc;

    strcpy(folder, f->path);
    name = strrchr(folder, '/');
    *name++ = '\0';
    rc = state_dir_sub(root, folder, STATE_DIR_PUBLIC, &dir, error);
    if (rc != 0) {
        return rc;
    }
    there = faccessat(dir.fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    rc = state_file_write(&dir, name, STATE_FILE_PUBLIC, f->data, f->size,
                          error);
    f->added = rc == 0 && !there;
    state_dir_close(&dir);
    return rc;
}

static int write_all(struct export *x, const char *path)
{
    struct state_dir root;
    int rc = state_dir_open(path, STATE_DIR_PUBLIC, &root, x->error);

    if (rc != 0) {
        return rc;
    }
    for (size_t i = 0; i < x->count && rc == 0; i++) {
        rc = write_one(&root, &x->files[i], x->error);
    }
    for (size_t i = 0; i < x->count && rc != 0; i++) {
        if (x->files[i].added) {
            (void)unlinkat(root.fd, x->files[i].path, 0);
        }
    }
    state_dir_close(&root);
    return rc;
}

int install_export_tidy(const struct state_dir *dir, enum install_certs kind,
                        char *error)
{
    static const struct {
        enum install_certs kind;
        const char *name;
    } files[] = {
        {INSTALL_VCEK, "vcek.der"},      {INSTALL_VCEK, "vcek.pem"},
        {INSTALL_VCEK, "ask.der"},       {INSTALL_VCEK, "ask.pem"},
        {INSTALL_VLEK, "vlek.der"},      {INSTALL_VLEK, "vlek.pem"},
        {INSTALL_VLEK, "asvk.der"},      {INSTALL_VLEK, "asvk.pem"},
        {INSTALL_VLEK, "hashstick.bin"},
    };

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        if (files[i].kind != kind && unlinkat(dir->fd, files[i].name, 0) != 0 &&
            errno != ENOENT) {
            return state_error(error, -errno, "cannot remove %s: %s",
                               files[i].name, strerror(errno));
        }
    }
    return 0;
}

static int tidy(const char *path, const struct install_export *what,
                char *error)
{
    static const char *const folders[] = {"guest", "snpguest"};
    struct state_dir root;
    int rc = state_dir_open(path, STATE_DIR_PUBLIC, &root, error);

    if (rc != 0) {
        return rc;
    }
    for (size_t i = 0; i < 2 && rc == 0; i++) {
        struct state_dir dir;

        rc = state_dir_sub(&root, folders[i], STATE_DIR_PUBLIC, &dir, error);
        if (rc == 0) {
            rc = install_export_tidy(&dir, what->kind, error);
            state_dir_close(&dir);
        }
    }
    state_dir_close(&root);
    return rc;
}

int install_export(struct install *ins, const char *path,
                   const struct install_export *what, char *error)
{
    struct export *x = calloc(1, sizeof(*x));
    int rc;

    if (x == NULL) {
        return state_error(error, -ENOMEM, "out of memory");
    }
    x->error = error;
    if (what->kind == INSTALL_NONE) {
        x->rc = state_error(error, -EINVAL, "nothing to export");
    } else {
        collect(x, ins, what);
    }
    if (x->rc == 0) {
        x->rc = write_all(x, path);
    }
    if (x->rc == 0 && what->generation >= PSP_MILAN) {
        x->rc = tidy(path, what, error);
    }
    for (size_t i = 0; i < x->count; i++) {
        free(x->files[i].data);
    }
    rc = x->rc;
    free(x);
    return rc;
}
