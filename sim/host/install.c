/* SPDX-License-Identifier: Apache-2.0 */
#include "install_impl.h"
#include "sev_pki.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define SEED_FILE    "seed"
#define MARK_FILE    "installation"
#define MARK_HEAD    "swpsp installation "
#define MARK_VERSION "1"
#define MARK_MAX     256u
#define SMALL_MAX    4096u /* no seed or mark is ever that large */

/* Hex of SHA-256 over a label and the seed: names the seed without telling. */
static void fingerprint(const uint8_t seed[PSP_SEED_SIZE],
                        char out[INSTALL_FINGERPRINT_SIZE])
{
    uint8_t data[16 + PSP_SEED_SIZE] = "swpsp seed";
    uint8_t digest[SHA256_SIZE];

    memcpy(data + 16, seed, PSP_SEED_SIZE);
    psp_sha256(data, sizeof(data), digest);
    psp_wipe(data, sizeof(data));
    for (size_t i = 0; i < sizeof(digest); i++) {
        (void)snprintf(out + 2 * i, 3, "%02x", digest[i]);
    }
}

static int mark_text(const struct install *ins, char out[MARK_MAX])
{
    return snprintf(out, MARK_MAX, MARK_HEAD MARK_VERSION "\nseed %s\n",
                    ins->fingerprint);
}

static void set_seed(struct install *ins, const uint8_t seed[PSP_SEED_SIZE])
{
    memcpy(ins->seed, seed, PSP_SEED_SIZE);
    fingerprint(ins->seed, ins->fingerprint);
}

/* True for the mark of an installation in another format. */
static bool other_version(const char *mark)
{
    const char *version = mark + strlen(MARK_HEAD);
    size_t n;

    if (strncmp(mark, MARK_HEAD, strlen(MARK_HEAD)) != 0) {
        return false;
    }
    n = strspn(version, "0123456789");
    return n > 0 && version[n] == '\n' &&
           strncmp(version, MARK_VERSION "\n", n + 1) != 0;
}

/* The mark must be ours and name this seed. */
static int check_mark(const struct install *ins, const char *mark,
                      size_t mark_size, char *error)
{
    char want[MARK_MAX];
    const char *path = ins->dir.path;

    (void)mark_text(ins, want);
    if (mark_size == strlen(want) && strcmp(mark, want) == 0) {
        return 0;
    }
    if (other_version(mark)) {
        return state_error(error, -EBADMSG,
                           "%s/" MARK_FILE ": made by another version of swpsp",
                           path);
    }
    return state_error(error, -EBADMSG,
                       "%s/" SEED_FILE " and %s/" MARK_FILE
                       " do not belong together: one of them is damaged",
                       path, path);
}

static int read_small(const struct install *ins, const char *name,
                      uint8_t **data, size_t *size, char *error)
{
    return state_file_read(&ins->dir, name, STATE_FILE_PRIVATE, SMALL_MAX, data,
                           size, error);
}

/* Read seed and mark. -ENOENT: there is no installation, or one whose making
 * was cut short (*have_seed tells). */
static int read_own(struct install *ins, bool *have_seed, char *error)
{
    uint8_t *seed = NULL, *mark = NULL;
    size_t seed_size = 0, mark_size = 0;
    int rc = read_small(ins, SEED_FILE, &seed, &seed_size, error);
    int mark_rc;

    *have_seed = rc == 0;
    if (rc != 0 && rc != -ENOENT) {
        return rc;
    }
    mark_rc = read_small(ins, MARK_FILE, &mark, &mark_size, error);
    if (mark_rc != 0) {
        rc = mark_rc;
    }
    if (*have_seed && seed_size != PSP_SEED_SIZE) {
        rc = state_error(error, -EBADMSG,
                         "%s/" SEED_FILE ": damaged: %zu bytes, not %u",
                         ins->dir.path, seed_size, PSP_SEED_SIZE);
    } else if (*have_seed) {
        set_seed(ins, seed);
        rc = mark_rc == 0 ? check_mark(ins, (char *)mark, mark_size, error)
                          : mark_rc;
    } else if (mark_rc == 0) {
        rc = state_error(error, -EBADMSG,
                         "%s/" SEED_FILE ": missing, though %s/" MARK_FILE
                         " names one",
                         ins->dir.path, ins->dir.path);
    }
    if (seed != NULL) {
        psp_wipe(seed, seed_size);
    }
    free(seed);
    free(mark);
    return rc;
}

static int make_seed(struct install *ins, char *error)
{
    uint8_t seed[PSP_SEED_SIZE];
    int rc;

    if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
        return state_error(error, -EIO, "no random numbers: %s",
                           strerror(errno));
    }
    rc = state_file_write(&ins->dir, SEED_FILE, STATE_FILE_PRIVATE, seed,
                          sizeof(seed), error);
    if (rc == 0) {
        set_seed(ins, seed);
    }
    psp_wipe(seed, sizeof(seed));
    return rc;
}

/* Under the lock: make what is missing, the mark last. */
static int make_own(struct install *ins, char *error)
{
    char mark[MARK_MAX];
    bool have_seed = false;
    int lock = state_dir_lock(&ins->dir, error);
    int rc;

    if (lock < 0) {
        return lock;
    }
    rc = read_own(ins, &have_seed, error); /* another process may have won */
    if (rc != -ENOENT) {
        goto out;
    }
    rc = have_seed ? 0 : make_seed(ins, error);
    if (rc == 0) {
        int n = mark_text(ins, mark);

        rc = state_file_write(&ins->dir, MARK_FILE, STATE_FILE_PRIVATE, mark,
                              (size_t)n, error);
    }
out:
    (void)close(lock);
    return rc;
}

static int own_seed(struct install *ins, char *error)
{
    bool have_seed = false;
    int rc = read_own(ins, &have_seed, error);

    return rc == -ENOENT ? make_own(ins, error) : rc;
}

/* 32 bytes as they are, or 64 digits and perhaps a line end. */
static bool parse_seed(const uint8_t *data, size_t size,
                       uint8_t seed[PSP_SEED_SIZE])
{
    if (size == PSP_SEED_SIZE) {
        memcpy(seed, data, PSP_SEED_SIZE);
        return true;
    }
    if (size != 2 * PSP_SEED_SIZE &&
        (size != 2 * PSP_SEED_SIZE + 1 || data[size - 1] != '\n')) {
        return false;
    }
    return psp_hex_decode((const char *)data, seed, PSP_SEED_SIZE);
}

static int given_seed(struct install *ins, const char *path, char *error)
{
    uint8_t data[2 * PSP_SEED_SIZE + 2]; /* one more shows what is too long */
    uint8_t seed[PSP_SEED_SIZE];
    FILE *f = fopen(path, "rbe");
    size_t n;
    int rc = 0;

    if (f == NULL) {
        return state_error(error, -errno, "cannot open %s: %s", path,
                           strerror(errno));
    }
    setbuf(f, NULL); /* no copy of the seed in a buffer */
    n = fread(data, 1, sizeof(data), f);
    if (ferror(f)) {
        rc = state_error(error, -EIO, "cannot read %s: %s", path,
                         strerror(errno));
    } else if (!parse_seed(data, n, seed)) {
        rc = state_error(error, -EBADMSG,
                         "%s: a seed is 32 bytes or 64 hex digits", path);
    } else {
        set_seed(ins, seed);
    }
    (void)fclose(f);
    psp_wipe(data, sizeof(data));
    psp_wipe(seed, sizeof(seed));
    return rc;
}

static int open_state_dir(struct install *ins, const char *given, char *error)
{
    const char *xdg = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    char *path = NULL;
    int n, rc;

    if (given != NULL) {
        n = asprintf(&path, "%s", given);
    } else if (xdg != NULL && xdg[0] == '/') { /* the XDG rule: else ignore */
        n = asprintf(&path, "%s/swpsp", xdg);
    } else if (home != NULL && home[0] == '/') {
        n = asprintf(&path, "%s/.local/state/swpsp", home);
    } else {
        return state_error(error, -EINVAL, "no state folder: HOME is not set");
    }
    if (n < 0) {
        return state_error(error, -ENOMEM, "out of memory");
    }
    rc = state_dir_open(path, STATE_DIR_PRIVATE, &ins->dir, error);
    free(path);
    return rc;
}

static int open_seed(struct install *ins, const struct install_config *config,
                     char *error)
{
    int rc;

    if (config->use_dev_seed) {
        if (config->seed_file != NULL) {
            return state_error(error, -EINVAL,
                               "a seed file and the development seed exclude "
                               "each other");
        }
        set_seed(ins, PKI_DEV_SEED);
        return 0;
    }
    if (config->seed_file != NULL) {
        rc = given_seed(ins, config->seed_file, error);
        return rc != 0 ? rc : open_state_dir(ins, config->state_dir, error);
    }
    rc = open_state_dir(ins, config->state_dir, error);
    return rc != 0 ? rc : own_seed(ins, error);
}

static int set_csp_id(struct install *ins, const char *csp_id, char *error)
{
    const char *id = csp_id != NULL ? csp_id : PKI_CSP_ID;

    if (id[0] == '\0' || strlen(id) > PKI_CSP_ID_MAX) {
        return state_error(error, -EINVAL, "a CSP_ID has 1 to %u characters",
                           PKI_CSP_ID_MAX);
    }
    strcpy(ins->csp_id, id);
    return 0;
}

static int set_product_name(struct install *ins, const char *name, char *error)
{
    if (name == NULL) {
        return 0;
    }
    if (!pki_product_generation(name, &ins->product)) {
        return state_error(error, -EINVAL,
                           "a product name is Milan, Genoa or Turin, perhaps "
                           "with a stepping: Milan-B1");
    }
    strcpy(ins->product_name, name);
    return 0;
}

int install_open(const struct install_config *config, struct install **out,
                 char *error)
{
    struct install *ins = calloc(1, sizeof(*ins));
    int rc;

    if (ins == NULL) {
        return state_error(error, -ENOMEM, "out of memory");
    }
    ins->dir.fd = -1;
    install_keys_init(ins);
    ins->naming = config->naming;
    ins->progress = config->progress;
    ins->progress_ctx = config->ctx;
    rc = set_csp_id(ins, config->csp_id, error);
    if (rc == 0) {
        rc = set_product_name(ins, config->product_name, error);
    }
    if (rc == 0) {
        rc = open_seed(ins, config, error);
    }
    if (rc != 0) {
        install_close(ins);
        return rc;
    }
    *out = ins;
    return 0;
}

void install_close(struct install *ins)
{
    if (ins == NULL) {
        return;
    }
    for (size_t i = 0; i < PSP_GENERATION_COUNT; i++) {
        pki_ca_close(ins->ca[i]);
    }
    install_keys_close(ins);
    state_dir_close(&ins->dir);
    psp_wipe(ins, sizeof(*ins));
    free(ins);
}

const uint8_t *install_seed(const struct install *ins)
{
    return ins->seed;
}

void install_machine_seed(const struct install *ins,
                          const struct psp_chip *chip,
                          uint8_t out[PSP_SEED_SIZE])
{
    const struct psp_part id = {chip->id, sizeof(chip->id)};

    psp_hmac_sha256(ins->seed, PSP_SEED_SIZE, &id, 1, out);
}

bool install_is_insecure(const struct install *ins)
{
    return psp_ct_equal(ins->seed, PKI_DEV_SEED, PSP_SEED_SIZE);
}

const struct state_dir *install_dir(const struct install *ins)
{
    return ins->dir.fd < 0 ? NULL : &ins->dir;
}

const struct pki_key_store *install_key_store(const struct install *ins)
{
    return &ins->store;
}

const char *install_csp_id(const struct install *ins)
{
    return ins->csp_id;
}

const char *install_product_name(const struct install *ins)
{
    return ins->product_name[0] == '\0' ? NULL : ins->product_name;
}

enum pki_naming install_naming(const struct install *ins)
{
    return ins->naming;
}

void install_chip(const struct install *ins, enum psp_generation generation,
                  uint32_t index, struct psp_chip *chip)
{
    pki_chip_make(ins->seed, generation, index, chip);
}

int install_sev_root(struct install *ins, enum psp_generation generation,
                     struct psp_sev_config *config, char *error)
{
    struct pki_ca *ca = NULL;
    int rc = install_ca(ins, generation, &ca, error);

    config->root_count = 0;
    if (rc == 0) {
        rc = install_pki_error(ins, pki_sev_root(ca, &config->roots[0]), error);
    }
    if (rc == 0) {
        config->root_count = 1;
    }
    return rc;
}

int install_ca(struct install *ins, enum psp_generation generation,
               struct pki_ca **out, char *error)
{
    enum psp_err err;

    if ((unsigned int)generation >= PSP_GENERATION_COUNT) {
        return state_error(error, -EINVAL, "no such processor generation");
    }
    if (ins->ca[generation] == NULL) {
        err = pki_ca_open(ins->seed, generation, ins->naming, &ins->store,
                          &ins->ca[generation]);
        if (err == PSP_OK && ins->product_name[0] != '\0' &&
            ins->product == generation) {
            err =
                pki_ca_set_product_name(ins->ca[generation], ins->product_name);
        }
        if (err != PSP_OK) {
            return install_pki_error(ins, err, error);
        }
    }
    *out = ins->ca[generation];
    return 0;
}
