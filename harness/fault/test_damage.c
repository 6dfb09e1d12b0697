/* SPDX-License-Identifier: Apache-2.0 */
/* Every file of the state, with each of its bytes changed in turn, cut at each
 * length, and with a byte too many: it is refused with one line that names the
 * file, or what is loaded is what was stored. The file is never touched. */
#include "install.h"
#include "nv_file.h"
#include "pki.h"
#include "state_store.h"
#include "tst.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

struct loaded {
    uint8_t *data; /* free() */
    size_t size;
};

/* One kind of file. */
struct file {
    const char *name;
    const char *path;                /* below the folder; %s: key folder */
    void (*make)(void);              /* the whole state */
    int (*load)(struct loaded *out); /* 0 or a negative errno */
    const char *about;               /* in every refusal */
};

static char *dir;
static char root[PATH_MAX];
static char error[STATE_ERROR_SIZE];
static struct state_store *store; /* open while its files are damaged */
static unsigned long total;

static void must(int rc, const char *what)
{
    if (rc != 0) {
        fail_msg("%s: %d: %s", what, rc, error);
    }
}

static int keep(struct loaded *out, const void *data, size_t size)
{
    out->data = tst_dup(data, size);
    out->size = size;
    return 0;
}

/* --- the daemon's --- */

static const uint8_t CHIP[PSP_CHIP_ID_SIZE] = {1, 2, 3};
static const char TEXT[] =
    "{\"order\": 1, \"guest\": {\"name\": \"web\", \"certs\": \"none\"}}";

static void make_store(void)
{
    uint8_t *nv = malloc(PSP_NV_SIZE);

    assert_non_null(nv);
    for (size_t i = 0; i < PSP_NV_SIZE; i++) {
        nv[i] = (uint8_t)(i * 7 + i / 251);
    }
    must(state_store_open(root, &store, error), "state");
    must(state_store_set_owner(store, CHIP, error), "owner");
    must(state_store_write(store, STATE_CONFIG, STATE_CONFIG_NAME, TEXT,
                           sizeof(TEXT), error),
         "config");
    must(
        state_store_write(store, STATE_GUEST, "web", TEXT, sizeof(TEXT), error),
        "guest");
    assert_int_equal(state_store_nv_store(store, nv), 0);
    free(nv);
}

static int load_config(struct loaded *out)
{
    return state_store_read(store, STATE_CONFIG, STATE_CONFIG_NAME, &out->data,
                            &out->size, error);
}

static int load_guest(struct loaded *out)
{
    return state_store_read(store, STATE_GUEST, "web", &out->data, &out->size,
                            error);
}

static int load_nv(struct loaded *out)
{
    static uint8_t nv[PSP_NV_SIZE];

    if (state_store_nv_load(store, nv) != 0) {
        (void)snprintf(error, sizeof(error), "%s", state_store_nv_error(store));
        return -EBADMSG;
    }
    return keep(out, nv, sizeof(nv));
}

/* --- of `swpsp run --nv` --- */

static void in_nv_file(int (*act)(struct nv_file *nv, struct loaded *out),
                       struct loaded *out, int *rc)
{
    const struct psp_chip chip = {.id = {1}};
    struct nv_file *nv = NULL;
    struct state_dir d;

    must(state_dir_open(root, STATE_DIR_PRIVATE, &d, error), root);
    *rc = nv_file_open(&d, "nv", &chip, &nv, error);
    if (*rc == 0) {
        *rc = act(nv, out);
    }
    nv_file_close(nv);
    state_dir_close(&d);
}

static int fill_nv(struct nv_file *nv, struct loaded *out)
{
    static uint8_t blob[PSP_NV_SIZE];

    (void)out;
    memset(blob, 0x3c, sizeof(blob));
    return nv_file_store(nv, blob);
}

static int read_nv(struct nv_file *nv, struct loaded *out)
{
    static uint8_t blob[PSP_NV_SIZE];

    assert_int_equal(nv_file_load(nv, blob), 0);
    return keep(out, blob, sizeof(blob));
}

static void make_nv_file(void)
{
    int rc;

    in_nv_file(fill_nv, NULL, &rc);
    must(rc, "nv");
}

static int load_nv_file(struct loaded *out)
{
    int rc;

    in_nv_file(read_nv, out, &rc);
    return rc;
}

/* --- the installation --- */

static int open_install(struct install **out)
{
    const struct install_config config = {.state_dir = root};

    return install_open(&config, out, error);
}

static void make_install(void)
{
    struct install *ins = NULL;

    must(open_install(&ins), "installation");
    install_close(ins);
}

static int load_seed(struct loaded *out)
{
    struct install *ins = NULL;
    int rc = open_install(&ins);

    if (rc == 0) {
        (void)keep(out, install_seed(ins), PSP_SEED_SIZE);
        install_close(ins);
    }
    return rc;
}

static void make_key(void)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    unsigned char *der = NULL;
    int size = i2d_PrivateKey(key, &der);
    const struct pki_key_store *keys;
    struct install *ins = NULL;

    assert_true(size > 0);
    must(open_install(&ins), "installation");
    keys = install_key_store(ins);
    assert_int_equal(keys->save(keys->ctx, "Naples-ARK", der, (size_t)size), 0);
    install_close(ins);
    OPENSSL_free(der);
    EVP_PKEY_free(key);
}

static int load_key(struct loaded *out)
{
    struct install *ins = NULL;
    const struct pki_key_store *keys;
    int rc;

    must(open_install(&ins), "installation");
    keys = install_key_store(ins);
    rc = keys->load(keys->ctx, "Naples-ARK", &out->data, &out->size);
    if (rc != 0) {
        rc = install_pki_error(ins, PSP_E_HOST, error);
    }
    install_close(ins);
    return rc;
}

static const struct file FILES[] = {
    {"config", "platform/config", make_store, load_config, "platform/config"},
    {"guest", "platform/guests/web", make_store, load_guest, "guests/web"},
    {"nv", "platform/nv", make_store, load_nv, "platform/nv"},
    {"nv_file", "nv", make_nv_file, load_nv_file, "/nv"},
    {"seed", "seed", make_install, load_seed, "seed"},
    {"installation", "installation", make_install, load_seed, "installation"},
    {"rsa_key", NULL, make_key, load_key, "Naples-ARK.pem"},
};
#define FILE_COUNT (sizeof(FILES) / sizeof(FILES[0]))

/* --- the damage --- */

static void path_of(const struct file *f, char out[PATH_MAX])
{
    const char *argv[] = {"find", root, "-name", "*.pem", NULL};
    char *found = NULL;

    if (f->path != NULL) {
        assert_true(snprintf(out, PATH_MAX, "%s/%s", root, f->path) < PATH_MAX);
        return;
    }
    assert_int_equal(tst_run(&found, argv), 0);
    found[strcspn(found, "\n")] = '\0';
    (void)snprintf(out, PATH_MAX, "%s", found);
    free(found);
}

struct whole {
    const struct file *file;
    struct loaded good;
    uint8_t *bytes;
    size_t size;
    int fd;
};

/* The file holds @size bytes, @how at @at: refused, or the same. */
static void judge(const struct whole *w, const char *how, size_t at)
{
    struct loaded got = {0};
    int rc;

    total++;
    error[0] = '\0';
    rc = w->file->load(&got);
    if (rc == 0) {
        if (got.size != w->good.size ||
            memcmp(got.data, w->good.data, got.size) != 0) {
            fail_msg("%s %s at %zu: loaded as something else", w->file->name,
                     how, at);
        }
    } else if (error[0] == '\0' || strchr(error, '\n') != NULL ||
               strstr(error, w->file->about) == NULL) {
        fail_msg("%s %s at %zu: %d, and says: \"%s\"", w->file->name, how, at,
                 rc, error);
    }
    free(got.data);
}

static void change(const struct whole *w, size_t at, uint8_t mask,
                   const char *how)
{
    uint8_t byte = w->bytes[at] ^ mask;

    assert_int_equal(pwrite(w->fd, &byte, 1, (off_t)at), 1);
    judge(w, how, at);
    assert_int_equal(pread(w->fd, &byte, 1, (off_t)at), 1);
    assert_int_equal(byte, w->bytes[at] ^ mask);
    assert_int_equal(pwrite(w->fd, w->bytes + at, 1, (off_t)at), 1);
}

static void cut(const struct whole *w, size_t size)
{
    struct stat st;

    assert_int_equal(ftruncate(w->fd, (off_t)size), 0);
    judge(w, "cut", size);
    assert_int_equal(fstat(w->fd, &st), 0);
    assert_int_equal(st.st_size, size);
    assert_int_equal(st.st_nlink, 1);
}

static void test_file(void **state)
{
    struct whole w = {.file = *state};
    char path[PATH_MAX];

    w.file->make();
    path_of(w.file, path);
    must(w.file->load(&w.good), path);
    w.bytes = tst_file(path, &w.size);
    w.fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(w.fd >= 0);
    for (size_t i = 0; i < w.size; i++) {
        /* each bit has its turn; and the case of a letter */
        change(&w, i, (uint8_t)(1u << i % 8), "one bit");
        if (w.size < 8192) {
            change(&w, i, 0xff, "all bits");
            change(&w, i, 0x20, "case");
        }
    }
    assert_int_equal(pwrite(w.fd, "", 1, (off_t)w.size), 1);
    judge(&w, "longer", w.size);
    for (size_t i = w.size; i-- > 0;) {
        cut(&w, i);
    }
    (void)close(w.fd);
    free(w.bytes);
    free(w.good.data);
}

static int setup(void **state)
{
    (void)state;
    dir = tst_mkdtemp();
    (void)snprintf(root, sizeof(root), "%s", dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    state_store_close(store);
    store = NULL;
    tst_rmdir(dir);
    return 0;
}

static int say_total(void **state)
{
    (void)state;
    printf("damage: %zu files, %lu damaged states\n", FILE_COUNT, total);
    return 0;
}

int main(void)
{
    static struct CMUnitTest tests[FILE_COUNT];
    static char names[FILE_COUNT][80];

    for (size_t i = 0; i < FILE_COUNT; i++) {
        (void)snprintf(names[i], sizeof(names[i]),
                       "%s__damaged_at_every_byte__refused_or_the_same",
                       FILES[i].name);
        tests[i] = (struct CMUnitTest){names[i], test_file, setup, teardown,
                                       (void *)(uintptr_t)&FILES[i]};
    }
    return cmocka_run_group_tests(tests, NULL, say_total);
}
