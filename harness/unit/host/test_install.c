/* SPDX-License-Identifier: Apache-2.0 */
/* Installations: seed, keys, tables and exports on disk. */
#include "install.h"
#include "cert_table.h"
#include "tst.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>

static const struct psp_tcb MILAN_TCB = {{4, 0, 0, 0, 0, 0, 0x18, 0xdb}};
static const struct psp_tcb TURIN_TCB = {{1, 2, 3, 4, 0, 0, 0, 0x51}};

static char *dir; /* of the running test */

static int setup(void **state)
{
    (void)state;
    dir = tst_mkdtemp();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tst_rmdir(dir);
    return 0;
}

/* Path below the test's folder; four at a time. */
static const char *at(const char *name)
{
    static char path[4][PATH_MAX];
    static unsigned int next;
    char *p = path[next++ % 4];

    snprintf(p, PATH_MAX, "%s/%s", dir, name);
    return p;
}

static int open_at(const char *state_dir, struct install **ins, char *error)
{
    const struct install_config config = {.state_dir = state_dir};

    error[0] = '\0';
    return install_open(&config, ins, error);
}

static struct install *open_ok(const char *state_dir)
{
    struct install *ins = NULL;
    char error[INSTALL_ERROR_SIZE];
    int rc = open_at(state_dir, &ins, error);

    if (rc != 0) {
        fail_msg("install_open: %d: %s", rc, error);
    }
    return ins;
}

static struct install *open_dev(enum pki_naming naming)
{
    const struct install_config config = {
        .use_dev_seed = true, .state_dir = "/proc/nowhere", .naming = naming};
    struct install *ins = NULL;
    char error[INSTALL_ERROR_SIZE];

    assert_int_equal(install_open(&config, &ins, error), 0);
    return ins;
}

static mode_t mode_of(const char *path)
{
    struct stat st;

    if (lstat(path, &st) != 0) {
        fail_msg("%s: %s", path, strerror(errno));
    }
    return st.st_mode & 07777;
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static void assert_one_line(const char *error, const char *about)
{
    assert_true(strlen(error) > 0);
    assert_null(strchr(error, '\n'));
    if (strstr(error, about) == NULL) {
        fail_msg("no \"%s\" in: %s", about, error);
    }
}

/* Names in a folder, sorted, each followed by a blank. */
static void list(const char *path, char out[512])
{
    struct dirent **names = NULL;
    int n = scandir(path, &names, NULL, alphasort);

    out[0] = '\0';
    for (int i = 0; i < n; i++) {
        if (names[i]->d_name[0] != '.') {
            strcat(out, names[i]->d_name);
            strcat(out, " ");
        }
        free(names[i]);
    }
    free(names);
}

static void assert_list(const char *path, const char *want)
{
    char got[512];

    list(path, got);
    assert_string_equal(got, want);
}

/* --- the seed ---------------------------------------------------------- */

static void fresh__state_dir_given__seed_and_mark_private(void **state)
{
    mode_t old = umask(0);
    struct install *ins = open_ok(at("a/b/state"));
    uint8_t *seed;
    size_t n;

    (void)state;
    umask(old);
    assert_int_equal(mode_of(at("a/b/state")), 0700);
    assert_int_equal(mode_of(at("a/b/state/seed")), 0600);
    assert_int_equal(mode_of(at("a/b/state/installation")), 0600);
    assert_list(at("a/b/state"), "installation lock seed ");
    seed = tst_file(at("a/b/state/seed"), &n);
    assert_int_equal(n, 32);
    assert_memory_equal(seed, install_seed(ins), 32);
    assert_false(install_is_insecure(ins));
    assert_string_equal(install_csp_id(ins), PKI_CSP_ID);
    free(seed);
    install_close(ins);
}

static void reopen__same_folder__same_seed_and_nothing_written(void **state)
{
    struct install *a = open_ok(at("state"));
    struct install *b;
    struct stat before, after;

    (void)state;
    assert_int_equal(stat(at("state/seed"), &before), 0);
    b = open_ok(at("state"));
    assert_int_equal(stat(at("state/seed"), &after), 0);
    assert_memory_equal(install_seed(a), install_seed(b), 32);
    assert_int_equal(before.st_ino, after.st_ino);
    install_close(a);
    install_close(b);
}

static void fresh__two_folders__different_seeds(void **state)
{
    struct install *a = open_ok(at("a"));
    struct install *b = open_ok(at("b"));
    struct psp_chip x, y;

    (void)state;
    assert_memory_not_equal(install_seed(a), install_seed(b), 32);
    install_chip(a, PSP_MILAN, 0, &x);
    install_chip(b, PSP_MILAN, 0, &y);
    assert_memory_not_equal(x.id, y.id, 64);
    install_close(a);
    install_close(b);
}

static void default_folder__xdg_state_home__below_it(void **state)
{
    struct install *ins;

    (void)state;
    setenv("XDG_STATE_HOME", at("xdg"), 1);
    setenv("HOME", at("home"), 1);
    ins = open_ok(NULL);
    assert_true(exists(at("xdg/swpsp/seed")));
    assert_false(exists(at("home")));
    install_close(ins);
}

static void default_folder__xdg_relative__ignored(void **state)
{
    struct install *ins;

    (void)state;
    setenv("XDG_STATE_HOME", "relative", 1);
    setenv("HOME", at("home"), 1);
    ins = open_ok(NULL);
    assert_true(exists(at("home/.local/state/swpsp/seed")));
    assert_int_equal(mode_of(at("home/.local/state/swpsp")), 0700);
    install_close(ins);
}

static void default_folder__no_home__refused(void **state)
{
    struct install *ins = NULL;
    char error[INSTALL_ERROR_SIZE];

    (void)state;
    unsetenv("XDG_STATE_HOME");
    unsetenv("HOME");
    assert_int_equal(open_at(NULL, &ins, error), -EINVAL);
    assert_one_line(error, "HOME");
    assert_null(ins);
}

static void making_cut_short__seed_without_mark__finished(void **state)
{
    struct install *a = open_ok(at("state"));
    struct install *b;

    (void)state;
    assert_int_equal(unlink(at("state/installation")), 0);
    b = open_ok(at("state"));
    assert_memory_equal(install_seed(a), install_seed(b), 32);
    assert_true(exists(at("state/installation")));
    install_close(a);
    install_close(b);
}

/* One thing wrong with an installation. */
struct damage {
    const char *name;
    const char *how; /* shell command, run inside the folder */
    int code;
    const char *says;
};

static struct damage DAMAGES[] = {
    {"seed_one_byte_short", "truncate -s 31 seed", -EBADMSG, "31 bytes"},
    {"seed_empty", "truncate -s 0 seed", -EBADMSG, "0 bytes"},
    {"seed_one_byte_long", "echo >> seed", -EBADMSG, "33 bytes"},
    {"seed_huge", "truncate -s 1G seed", -EFBIG, "larger"},
    {"seed_changed", "head -c 32 /dev/zero > seed", -EBADMSG, "damaged"},
    {"seed_missing", "rm seed", -EBADMSG, "missing"},
    {"seed_is_folder", "rm seed; mkdir -m 0700 seed", -EINVAL, "regular"},
    {"seed_is_fifo", "rm seed; mkfifo -m 0600 seed", -EINVAL, "regular"},
    {"seed_is_link", "mv seed s; ln -s s seed", -ELOOP, "seed"},
    {"seed_group_readable", "chmod 0640 seed", -EPERM, "0640"},
    {"seed_world_readable", "chmod 0604 seed", -EPERM, "0604"},
    {"seed_world_writable", "chmod 0602 seed", -EPERM, "chmod 0600"},
    {"mark_world_readable", "chmod 0644 installation", -EPERM, "0644"},
    {"mark_cut", "truncate -s 20 installation", -EBADMSG, "damaged"},
    {"mark_empty", "truncate -s 0 installation", -EBADMSG, "damaged"},
    {"mark_longer", "echo >> installation", -EBADMSG, "damaged"},
    {"mark_with_nul", "printf '\\0x' >> installation", -EBADMSG, "damaged"},
    {"mark_digits_moved", "sed -i '2s/^seed ./seed /;2s/$/0/' installation",
     -EBADMSG, "damaged"},
    {"mark_newer", "sed -i 1s/1/2/ installation", -EBADMSG, "another version"},
    {"folder_world_writable", "chmod 0777 .", -EPERM, "0777"},
    {"folder_group_writable", "chmod 0770 .", -EPERM, "chmod 0700"},
};

/* All there is to see of the installation. */
static char *snapshot(void)
{
    char command[PATH_MAX + 128];
    const char *argv[] = {"sh", "-c", command, NULL};
    char *text = NULL;

    snprintf(command, sizeof(command),
             "cd %s/state && ls -lan --time-style=full-iso && "
             "sha256sum installation; test -f seed && "
             "head -c 100 seed | sha256sum",
             dir);
    (void)tst_run(&text, argv);
    return text;
}

static void test_damage(void **state)
{
    const struct damage *d = *state;
    char command[PATH_MAX + 512];
    const char *argv[] = {"sh", "-c", command, NULL};
    struct install *ins = open_ok(at("state"));
    char error[INSTALL_ERROR_SIZE];
    char *before, *after;

    install_close(ins);
    ins = NULL;
    snprintf(command, sizeof(command), "cd %s/state && { %s; }", dir, d->how);
    assert_int_equal(tst_run(NULL, argv), 0);
    before = snapshot();
    assert_int_equal(open_at(at("state"), &ins, error), d->code);
    assert_null(ins);
    assert_one_line(error, d->says);
    assert_one_line(error, dir);
    after = snapshot();
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void folder__readable_by_others__accepted(void **state)
{
    struct install *ins;

    (void)state;
    assert_int_equal(mkdir(at("state"), 0755), 0);
    ins = open_ok(at("state"));
    assert_int_equal(mode_of(at("state/seed")), 0600);
    install_close(ins);
}

static void folder__is_a_file__refused(void **state)
{
    struct install *ins = NULL;
    char error[INSTALL_ERROR_SIZE];

    (void)state;
    tst_write_file(at("file"), "x", 1);
    assert_int_equal(open_at(at("file"), &ins, error), -ENOTDIR);
    assert_one_line(error, at("file"));
    assert_int_equal(open_at(at("file/below"), &ins, error), -ENOTDIR);
    assert_int_equal(open_at("", &ins, error), -EINVAL);
}

/* A child without any right of its own. */
static void folder__of_another_user__refused(void **state)
{
    pid_t pid;
    int status = 0;

    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    assert_int_equal(chmod(dir, 0755), 0);
    assert_int_equal(mkdir(at("state"), 0755), 0);
    pid = fork();
    if (pid == 0) {
        struct install *ins = NULL;
        char error[INSTALL_ERROR_SIZE];

        if (seteuid(65534) != 0) {
            _exit(2);
        }
        _exit(open_at(at("state"), &ins, error) == -EPERM &&
                      strstr(error, "another user") != NULL
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* --- first starts at once ---------------------------------------------- */

#define RACERS 8

static void race__eight_first_starts__one_seed(void **state)
{
    int start[2], seeds[2];
    uint8_t got[RACERS][32];
    char go[RACERS] = {0};

    (void)state;
    assert_int_equal(pipe(start) | pipe(seeds), 0);
    for (size_t i = 0; i < RACERS; i++) {
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
            struct install *ins = NULL;
            char error[INSTALL_ERROR_SIZE];
            char c;

            if (read(start[0], &c, 1) != 1 ||
                open_at(at("state"), &ins, error) != 0 ||
                write(seeds[1], install_seed(ins), 32) != 32) {
                _exit(1);
            }
            install_close(ins);
            _exit(0);
        }
    }
    assert_int_equal(write(start[1], go, RACERS), RACERS);
    for (size_t i = 0; i < RACERS; i++) {
        int status = 0;

        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    for (size_t i = 0; i < RACERS; i++) {
        assert_int_equal(read(seeds[0], got[i], 32), 32);
        assert_memory_equal(got[i], got[0], 32);
    }
    assert_list(at("state"), "installation lock seed ");
    close(start[0]);
    close(start[1]);
    close(seeds[0]);
    close(seeds[1]);
}

static void count_progress(void *ctx, const char *key)
{
    unsigned int *n = ctx;

    assert_true(strcmp(key, "Naples-ARK") == 0 ||
                strncmp(key, "Milan-A", 7) == 0);
    (*n)++;
}

/* Naples: its keys are small and quickly made. */
static const struct psp_rsa_key *naples_ark(struct install *ins)
{
    const struct psp_rsa_key *key = NULL;
    struct pki_ca *ca = NULL;
    char error[INSTALL_ERROR_SIZE];

    assert_int_equal(install_ca(ins, PSP_NAPLES, &ca, error), 0);
    assert_int_equal(pki_ca_rsa(ca, PKI_ARK, &key), PSP_OK);
    return key;
}

static struct install *open_counting(const char *state_dir, unsigned int *n)
{
    const struct install_config config = {
        .state_dir = state_dir, .progress = count_progress, .ctx = n};
    struct install *ins = NULL;
    char error[INSTALL_ERROR_SIZE];

    assert_int_equal(install_open(&config, &ins, error), 0);
    return ins;
}

static void race__two_make_the_same_key__made_once(void **state)
{
    unsigned int made[2] = {0, 0};
    int report[2];

    (void)state;
    install_close(open_ok(at("state")));
    assert_int_equal(pipe(report), 0);
    for (size_t i = 0; i < 2; i++) {
        if (fork() == 0) {
            unsigned int n = 0;
            struct install *ins = open_counting(at("state"), &n);

            (void)naples_ark(ins);
            install_close(ins);
            _exit(write(report[1], &n, sizeof(n)) == sizeof(n) ? 0 : 1);
        }
    }
    for (size_t i = 0; i < 2; i++) {
        int status = 0;

        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
        assert_int_equal(read(report[0], &made[i], sizeof(made[i])),
                         sizeof(made[i]));
    }
    assert_int_equal(made[0] + made[1], 1);
    close(report[0]);
    close(report[1]);
}

/* --- seeds from elsewhere ----------------------------------------------- */

struct seed_case {
    const char *name;
    const char *text;
    size_t size;
    int code;
};

#define HEX64 "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F"

static struct seed_case SEED_CASES[] = {
    {"32_bytes",
     "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
     "\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f",
     32, 0},
    {"64_digits", HEX64, 64, 0},
    {"64_digits_and_newline", HEX64 "\n", 65, 0},
    {"empty", "", 0, -EBADMSG},
    {"31_bytes", HEX64, 31, -EBADMSG},
    {"33_bytes", HEX64, 33, -EBADMSG},
    {"63_digits", HEX64, 63, -EBADMSG},
    {"65_digits", HEX64 "0", 65, -EBADMSG},
    {"66_bytes", HEX64 "\n\n", 66, -EBADMSG},
    {"no_digit", "g" HEX64, 64, -EBADMSG},
};

static void test_seed_file(void **state)
{
    const struct seed_case *c = *state;
    char path[PATH_MAX];
    const struct install_config config = {.state_dir = at("state"),
                                          .seed_file = path};
    struct install *ins = NULL;
    char error[INSTALL_ERROR_SIZE];

    strcpy(path, at("given"));
    tst_write_file(path, c->text, c->size);
    assert_int_equal(install_open(&config, &ins, error), c->code);
    if (c->code != 0) {
        assert_null(ins);
        assert_one_line(error, path);
        assert_false(exists(at("state")));
        return;
    }
    for (uint8_t i = 0; i < 32; i++) {
        assert_int_equal(install_seed(ins)[i], i);
    }
    assert_false(exists(at("state/seed")));
    install_close(ins);
}

static void seed_file__missing__refused(void **state)
{
    const struct install_config config = {.state_dir = at("state"),
                                          .seed_file = "/nonexistent/seed"};
    struct install *ins = NULL;
    char error[INSTALL_ERROR_SIZE];

    (void)state;
    assert_int_equal(install_open(&config, &ins, error), -ENOENT);
    assert_one_line(error, "/nonexistent/seed");
}

static void seed_file__with_dev_seed__refused(void **state)
{
    const struct install_config config = {.use_dev_seed = true,
                                          .seed_file = "x"};
    struct install *ins = NULL;
    char error[INSTALL_ERROR_SIZE];

    (void)state;
    assert_int_equal(install_open(&config, &ins, error), -EINVAL);
    assert_one_line(error, "seed");
}

static void seed_file__two_in_one_folder__keys_apart(void **state)
{
    static const char *const names[] = {"one", "two"};
    uint8_t n[2][256];

    (void)state;
    for (uint8_t i = 0; i < 2; i++) {
        char path[PATH_MAX];
        const struct install_config config = {.state_dir = at("state"),
                                              .seed_file = path};
        struct install *ins = NULL;
        char error[INSTALL_ERROR_SIZE];
        uint8_t seed[32];

        memset(seed, i + 1, sizeof(seed));
        strcpy(path, at(names[i]));
        tst_write_file(path, seed, sizeof(seed));
        assert_int_equal(install_open(&config, &ins, error), 0);
        memcpy(n[i], psp_rsa_public(naples_ark(ins))->n, 256);
        install_close(ins);
    }
    assert_memory_not_equal(n[0], n[1], 256);
}

static void dev_seed__no_file_touched__insecure(void **state)
{
    struct install *ins = open_dev(PKI_LOOKALIKE);
    struct psp_chip chip;

    (void)state;
    assert_true(install_is_insecure(ins));
    assert_int_equal(install_naming(ins), PKI_LOOKALIKE);
    assert_memory_equal(install_seed(ins), PKI_DEV_SEED, 32);
    install_chip(ins, PSP_GENOA, 5, &chip);
    assert_memory_equal(chip.id, "SWPSPSIM", 8);
    (void)naples_ark(ins);
    install_close(ins);
}

static void product_name__of_no_product__refused(void **state)
{
    struct install_config config = {.use_dev_seed = true,
                                    .product_name = "Milan-B"};
    struct install *ins = NULL;
    char error[INSTALL_ERROR_SIZE];

    (void)state;
    assert_int_equal(install_open(&config, &ins, error), -EINVAL);
    assert_string_equal(error, "a product name is Milan, Genoa or Turin, "
                               "perhaps with a stepping: Milan-B1");
    config.product_name = "Genoa-B1";
    assert_int_equal(install_open(&config, &ins, error), 0);
    assert_string_equal(install_product_name(ins), "Genoa-B1");
    install_close(ins);
    config.product_name = NULL;
    assert_int_equal(install_open(&config, &ins, error), 0);
    assert_null(install_product_name(ins));
    install_close(ins);
}

static void csp_id__out_of_range__refused(void **state)
{
    char id[PKI_CSP_ID_MAX + 2];
    struct install_config config = {.use_dev_seed = true, .csp_id = id};
    struct install *ins = NULL;
    char error[INSTALL_ERROR_SIZE];

    (void)state;
    memset(id, 'x', sizeof(id));
    id[PKI_CSP_ID_MAX + 1] = '\0';
    assert_int_equal(install_open(&config, &ins, error), -EINVAL);
    id[PKI_CSP_ID_MAX] = '\0';
    assert_int_equal(install_open(&config, &ins, error), 0);
    assert_string_equal(install_csp_id(ins), id);
    install_close(ins);
    id[0] = '\0';
    assert_int_equal(install_open(&config, &ins, error), -EINVAL);
}

/* --- keys ----------------------------------------------------------------- */

/* Path of the only key file, below state/keys/FINGERPRINT. */
static void key_path(char out[PATH_MAX])
{
    char folder[512];

    list(at("state/keys"), folder);
    folder[strcspn(folder, " ")] = '\0';
    assert_int_equal(strlen(folder), 16);
    snprintf(out, PATH_MAX, "%s/state/keys/%s/Naples-ARK.pem", dir, folder);
}

static void key__first_use__made_once_and_private(void **state)
{
    unsigned int made = 0;
    struct install *ins = open_counting(at("state"), &made);
    char path[PATH_MAX];
    uint8_t n[256];

    (void)state;
    assert_false(exists(at("state/keys")));
    memcpy(n, psp_rsa_public(naples_ark(ins))->n, 256);
    install_close(ins);
    assert_int_equal(made, 1);
    key_path(path);
    assert_int_equal(mode_of(path), 0600);
    *strrchr(path, '/') = '\0';
    assert_int_equal(mode_of(path), 0700);
    assert_list(path, "Naples-ARK.pem lock ");

    ins = open_counting(at("state"), &made);
    assert_memory_equal(psp_rsa_public(naples_ark(ins))->n, n, 256);
    assert_int_equal(made, 1);
    install_close(ins);
}

static void key__file__openssl_reads_it(void **state)
{
    struct install *ins = open_ok(at("state"));
    char path[PATH_MAX];
    const char *argv[] = {"openssl", "rsa",    "-in", path,
                          "-check",  "-noout", NULL};
    char *text = NULL;

    (void)state;
    (void)naples_ark(ins);
    install_close(ins);
    key_path(path);
    assert_int_equal(tst_run(&text, argv), 0);
    assert_non_null(strstr(text, "RSA key ok"));
    free(text);
}

struct key_damage {
    const char *name;
    const char *how; /* $K is the file */
    int code;
};

static struct key_damage KEY_DAMAGES[] = {
    {"empty", "truncate -s 0 $K", -EBADMSG},
    {"last_byte_cut", "truncate -s -1 $K", -EBADMSG},
    {"half", "truncate -s 800 $K", -EBADMSG},
    {"longer", "echo >> $K", -EBADMSG},
    {"character_changed", "sed -i '5s/./-/' $K", -EBADMSG},
    {"letter_changed", "sed -i '5y/abcdef/bcdefa/' $K; chmod 600 $K", -EBADMSG},
    {"rubbish", "head -c 500 /dev/zero > $K", -EBADMSG},
    {"huge", "truncate -s 100000 $K", -EFBIG},
    {"world_readable", "chmod 0644 $K", -EPERM},
    {"group_writable", "chmod 0620 $K", -EPERM},
    {"folder_writable", "chmod 0777 $(dirname $K)", -EPERM},
    {"link", "mv $K $K.x; ln -s $K.x $K", -ELOOP},
    {"folder_instead", "rm $K; mkdir -m 700 $K", -EINVAL},
};

static void test_key_damage(void **state)
{
    const struct key_damage *d = *state;
    struct install *ins = open_ok(at("state"));
    char path[PATH_MAX], command[2 * PATH_MAX];
    const char *argv[] = {"sh", "-c", command, NULL};
    const struct psp_rsa_key *key = NULL;
    struct pki_ca *ca = NULL;
    char error[INSTALL_ERROR_SIZE] = "";
    enum psp_err err;
    struct stat before, after;

    (void)naples_ark(ins);
    install_close(ins);
    key_path(path);
    snprintf(command, sizeof(command), "K=%s; %s", path, d->how);
    assert_int_equal(tst_run(NULL, argv), 0);
    assert_int_equal(lstat(path, &before), 0);
    ins = open_ok(at("state"));
    assert_int_equal(install_ca(ins, PSP_NAPLES, &ca, error), 0);
    err = pki_ca_rsa(ca, PKI_ARK, &key);
    assert_int_equal(err, PSP_E_HOST);
    assert_int_equal(install_pki_error(ins, err, error), d->code);
    assert_one_line(error, "/keys/");
    assert_int_equal(lstat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(before.st_size, after.st_size);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    install_close(ins);
}

static void key__of_another_size__refused(void **state)
{
    struct install *ins = open_ok(at("state"));
    const struct psp_rsa_key *key = NULL;
    char path[PATH_MAX], rome[PATH_MAX];
    struct pki_ca *ca = NULL;
    char error[INSTALL_ERROR_SIZE] = "";
    enum psp_err err;

    (void)state;
    (void)naples_ark(ins);
    key_path(path);
    snprintf(rome, sizeof(rome), "%s", path);
    strcpy(strrchr(rome, '/'), "/Rome-ARK.pem");
    assert_int_equal(rename(path, rome), 0);
    assert_int_equal(install_ca(ins, PSP_ROME, &ca, error), 0);
    err = pki_ca_rsa(ca, PKI_ARK, &key);
    assert_int_equal(install_pki_error(ins, err, error), -EBADMSG);
    assert_one_line(error, "size");
    install_close(ins);
}

static void ca__no_such_generation__refused(void **state)
{
    struct install *ins = open_dev(PKI_SIMULATED);
    struct pki_ca *ca = NULL;
    char error[INSTALL_ERROR_SIZE];

    (void)state;
    assert_int_equal(install_ca(ins, PSP_GENERATION_COUNT, &ca, error),
                     -EINVAL);
    install_close(ins);
}

/* --- writing that fails --------------------------------------------------- */

/* In a child: every write past @limit bytes fails, as on a full disk. */
static int with_file_limit(rlim_t limit, int (*f)(void))
{
    pid_t pid;
    int status = 0;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        const struct rlimit r = {limit, limit};

        signal(SIGXFSZ, SIG_IGN);
        _exit(setrlimit(RLIMIT_FSIZE, &r) != 0 ? 99 : f());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int open_expect_failure(void)
{
    struct install *ins = NULL;
    char error[INSTALL_ERROR_SIZE];

    return open_at(at("state"), &ins, error) == -EFBIG &&
                   strstr(error, "cannot write") != NULL && ins == NULL
               ? 0
               : 1;
}

static void disk_full__first_start__nothing_half_written(void **state)
{
    struct install *ins;

    (void)state;
    assert_int_equal(with_file_limit(0, open_expect_failure), 0);
    assert_list(at("state"), "lock ");
    assert_int_equal(with_file_limit(31, open_expect_failure), 0);
    assert_list(at("state"), "lock ");
    /* the seed fits, the mark does not: the next start finishes it */
    assert_int_equal(with_file_limit(32, open_expect_failure), 0);
    assert_list(at("state"), "lock seed ");
    ins = open_ok(at("state"));
    install_close(ins);
}

static int key_expect_failure(void)
{
    struct install *ins = open_ok(at("state"));
    const struct psp_rsa_key *key = NULL;
    struct pki_ca *ca = NULL;
    char error[INSTALL_ERROR_SIZE];
    int rc = install_ca(ins, PSP_NAPLES, &ca, error);
    enum psp_err err = pki_ca_rsa(ca, PKI_ARK, &key);

    if (rc == 0) {
        rc = install_pki_error(ins, err, error);
    }
    install_close(ins);
    return err == PSP_E_HOST && rc == -EFBIG ? 0 : 1;
}

static void disk_full__key__nothing_half_written(void **state)
{
    char path[PATH_MAX];
    struct install *ins;

    (void)state;
    install_close(open_ok(at("state")));
    assert_int_equal(with_file_limit(1000, key_expect_failure), 0);
    key_path(path);
    *strrchr(path, '/') = '\0';
    assert_list(path, "lock ");
    ins = open_ok(at("state"));
    (void)naples_ark(ins);
    install_close(ins);
}

static int replace_expect_failure(void)
{
    struct state_dir d;
    char error[STATE_ERROR_SIZE];
    char data[100] = {0};

    return state_dir_open(dir, STATE_DIR_PRIVATE, &d, error) == 0 &&
                   state_file_write(&d, "file", STATE_FILE_PRIVATE, data,
                                    sizeof(data), error) == -EFBIG
               ? 0
               : 1;
}

static void disk_full__replacing__old_content_stays(void **state)
{
    uint8_t *data;
    size_t n;

    (void)state;
    tst_write_file(at("file"), "old", 3);
    assert_int_equal(with_file_limit(50, replace_expect_failure), 0);
    data = tst_file(at("file"), &n);
    assert_int_equal(n, 3);
    assert_memory_equal(data, "old", 3);
    assert_list(dir, "file ");
    free(data);
}

static void killed_while_writing__old_leftover__swept(void **state)
{
    const struct utimbuf old = {1000000000, 1000000000};
    struct state_dir d;
    char error[STATE_ERROR_SIZE];
    int lock;

    (void)state;
    tst_write_file(at("seed.tmp-0000aaaa"), "x", 1);
    tst_write_file(at("seed.tmp-0000bbbb"), "x", 1);
    assert_int_equal(utime(at("seed.tmp-0000aaaa"), &old), 0);
    assert_int_equal(state_dir_open(dir, STATE_DIR_PRIVATE, &d, error), 0);
    lock = state_dir_lock(&d, error);
    assert_true(lock >= 0);
    assert_list(dir, "lock seed.tmp-0000bbbb ");
    close(lock);
    state_dir_close(&d);
}

/* --- tables --------------------------------------------------------------- */

static void table__vcek__leaf_ask_ark(void **state)
{
    struct install *ins = open_dev(PKI_SIMULATED);
    struct cert_table_entry e[4];
    const struct pki_cert *ask = NULL;
    struct pki_ca *ca = NULL;
    char error[INSTALL_ERROR_SIZE];
    struct psp_chip chip;
    uint8_t *table = NULL;
    size_t size = 0, n = 0;

    (void)state;
    install_chip(ins, PSP_MILAN, 0, &chip);
    assert_int_equal(install_cert_table(ins, PSP_MILAN, INSTALL_VCEK, &chip,
                                        &MILAN_TCB, &table, &size, error),
                     0);
    assert_true(size < 2 * 4096);
    assert_int_equal(cert_table_decode(table, size, e, 4, &n), PSP_OK);
    assert_int_equal(n, 3);
    assert_memory_equal(e[0].guid, CERT_GUID_VCEK, 16);
    assert_memory_equal(e[1].guid, CERT_GUID_ASK, 16);
    assert_memory_equal(e[2].guid, CERT_GUID_ARK, 16);
    assert_int_equal(install_ca(ins, PSP_MILAN, &ca, error), 0);
    assert_int_equal(pki_ca_cert(ca, PKI_ASK, &ask), PSP_OK);
    assert_int_equal(e[1].size, ask->size);
    assert_memory_equal(e[1].data, ask->der, ask->size);
    free(table);
    install_close(ins);
}

static void table__vlek__asvk_in_the_ask_slot(void **state)
{
    struct install *ins = open_dev(PKI_SIMULATED);
    struct cert_table_entry e[4];
    const struct pki_cert *asvk = NULL;
    struct pki_ca *ca = NULL;
    char error[INSTALL_ERROR_SIZE];
    struct psp_chip chip;
    uint8_t *table = NULL;
    size_t size = 0, n = 0;

    (void)state;
    install_chip(ins, PSP_TURIN, 0, &chip);
    assert_int_equal(install_cert_table(ins, PSP_TURIN, INSTALL_VLEK, &chip,
                                        &TURIN_TCB, &table, &size, error),
                     0);
    assert_int_equal(cert_table_decode(table, size, e, 4, &n), PSP_OK);
    assert_int_equal(n, 3);
    assert_memory_equal(e[0].guid, CERT_GUID_VLEK, 16);
    assert_memory_equal(e[1].guid, CERT_GUID_ASK, 16);
    assert_int_equal(install_ca(ins, PSP_TURIN, &ca, error), 0);
    assert_int_equal(pki_ca_cert(ca, PKI_ASVK, &asvk), PSP_OK);
    assert_memory_equal(e[1].data, asvk->der, asvk->size);
    free(table);
    install_close(ins);
}

static void table__none__zero_length(void **state)
{
    struct install *ins = open_dev(PKI_SIMULATED);
    uint8_t *table = (uint8_t *)1;
    size_t size = 9;
    char error[INSTALL_ERROR_SIZE];

    (void)state;
    assert_int_equal(install_cert_table(ins, PSP_MILAN, INSTALL_NONE, NULL,
                                        NULL, &table, &size, error),
                     0);
    assert_null(table);
    assert_int_equal(size, 0);
    install_close(ins);
}

static void table__impossible__refused(void **state)
{
    struct install *ins = open_dev(PKI_SIMULATED);
    const struct psp_tcb bad = {{0x80}};
    struct psp_chip chip;
    uint8_t *table = NULL;
    size_t size = 0;
    char error[INSTALL_ERROR_SIZE];

    (void)state;
    install_chip(ins, PSP_MILAN, 0, &chip);
    assert_int_equal(install_cert_table(ins, PSP_MILAN, INSTALL_VCEK, &chip,
                                        &bad, &table, &size, error),
                     -EINVAL);
    assert_one_line(error, "TCB");
    assert_int_equal(install_cert_table(ins, PSP_ROME, INSTALL_VCEK, &chip,
                                        &MILAN_TCB, &table, &size, error),
                     -EINVAL);
    assert_null(table);
    install_close(ins);
}

/* --- export -----------------------------------------------------------------
 */

static struct install_export
what(const struct install *ins, enum psp_generation g, enum install_certs kind)
{
    struct install_export w = {.generation = g,
                               .tcb = g == PSP_TURIN ? TURIN_TCB : MILAN_TCB,
                               .kind = kind,
                               .now = 1795000000};

    install_chip(ins, g, 0, &w.chip);
    return w;
}

static void export_ok(struct install *ins, const char *path,
                      const struct install_export *w)
{
    char error[INSTALL_ERROR_SIZE];
    int rc = install_export(ins, path, w, error);

    if (rc != 0) {
        fail_msg("install_export: %d: %s", rc, error);
    }
}

static void assert_same_file(const char *a, const char *b)
{
    size_t n, m;
    uint8_t *x = tst_file(a, &n);
    uint8_t *y = tst_file(b, &m);

    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
    free(x);
    free(y);
}

static void openssl_verify(const char *ark, const char *ask, const char *leaf)
{
    const char *argv[] = {"openssl",    "verify", "-CAfile", ark,
                          "-untrusted", ask,      leaf,      NULL};
    char *text = NULL;

    if (tst_run(&text, argv) != 0) {
        fail_msg("%s", text);
    }
    free(text);
}

static void export__milan__every_layout(void **state)
{
    struct install *ins = open_dev(PKI_SIMULATED);
    struct install_export w = what(ins, PSP_MILAN, INSTALL_VCEK);
    char hwid[PATH_MAX] = "out/kds-store/vcek/";
    uint8_t *table = NULL, *file;
    size_t size = 0, n;
    char error[INSTALL_ERROR_SIZE];

    (void)state;
    export_ok(ins, at("out"), &w);
    assert_list(at("out"), "guest kds-store pki sev snpguest ");
    assert_list(at("out/sev"), "ark.cert ask.cert cek.cert ");
    assert_list(at("out/pki/Milan"),
                "ark.der ark.pem ask.der ask.pem ask_ark_milan.cert asvk.der "
                "asvk.pem cert_chain.pem crl.der milan_ask_ark_asvk.pem "
                "vlek_cert_chain.pem ");
    assert_list(at("out/guest"), "ark.der ark.pem ask.der ask.pem "
                                 "cert_table.bin vcek.der vcek.pem ");
    assert_list(at("out/snpguest"), "ark.pem ask.pem vcek.pem ");
    for (size_t i = 0; i < 64; i++) {
        snprintf(hwid + strlen(hwid), 3, "%02x", w.chip.id[i]);
    }
    assert_list(at(hwid), "bl04_tee00_snp24_ucode219_vcek.der vcek.der ");
    strcat(hwid, "/vcek.der");
    assert_same_file(at(hwid), at("out/guest/vcek.der"));
    assert_same_file(at("out/guest/ark.pem"), at("out/pki/Milan/ark.pem"));
    assert_same_file(at("out/guest/ark.pem"), at("out/snpguest/ark.pem"));
    assert_int_equal(mode_of(at("out/guest/vcek.pem")) & 0600, 0600);
    openssl_verify(at("out/snpguest/ark.pem"), at("out/snpguest/ask.pem"),
                   at("out/snpguest/vcek.pem"));
    assert_int_equal(install_cert_table(ins, PSP_MILAN, INSTALL_VCEK, &w.chip,
                                        &w.tcb, &table, &size, error),
                     0);
    file = tst_file(at("out/guest/cert_table.bin"), &n);
    assert_int_equal(n, size);
    assert_memory_equal(file, table, n);
    free(file);
    file = tst_file(at("out/pki/Milan/ask_ark_milan.cert"), &n);
    assert_int_equal(n, 3200);
    free(file);
    free(table);
    install_close(ins);
}

static void export__cert_chains__ask_before_ark(void **state)
{
    struct install *ins = open_dev(PKI_SIMULATED);
    struct install_export w = what(ins, PSP_GENOA, INSTALL_VCEK);
    char command[3 * PATH_MAX];
    const char *argv[] = {"sh", "-c", command, NULL};

    (void)state;
    export_ok(ins, at("out"), &w);
    snprintf(command, sizeof(command),
             "cd %s/out/pki/Genoa && cat ask.pem ark.pem | "
             "cmp - cert_chain.pem && cat asvk.pem ark.pem | "
             "cmp - vlek_cert_chain.pem && cat ask.pem ark.pem asvk.pem | "
             "cmp - genoa_ask_ark_asvk.pem && "
             "openssl x509 -in ask.pem -outform DER | cmp - ask.der && "
             "openssl crl -inform DER -in crl.der -CAfile ark.pem -noout",
             dir);
    assert_int_equal(tst_run(NULL, argv), 0);
    install_close(ins);
}

static void export__turin_vlek__short_hwid_and_vlek_files(void **state)
{
    struct install *ins = open_dev(PKI_SIMULATED);
    struct install_export w = what(ins, PSP_TURIN, INSTALL_VLEK);
    char hwid[128] = "out/kds-store/vcek/";

    (void)state;
    export_ok(ins, at("out"), &w);
    assert_list(at("out/guest"),
                "ark.der ark.pem asvk.der asvk.pem "
                "cert_table.bin hashstick.bin vlek.der vlek.pem ");
    assert_list(at("out/snpguest"), "ark.pem asvk.pem vlek.pem ");
    openssl_verify(at("out/guest/ark.pem"), at("out/guest/asvk.pem"),
                   at("out/guest/vlek.pem"));
    for (size_t i = 0; i < 8; i++) {
        snprintf(hwid + strlen(hwid), 3, "%02x", w.chip.id[i]);
    }
    assert_list(at(hwid), "bl02_tee03_snp04_ucode81_fmc01_vcek.der vcek.der ");
    install_close(ins);
}

/* snpguest verifies a VLEK whenever there is one. */
static void export__other_leaf_before__its_files_go(void **state)
{
    struct install *ins = open_dev(PKI_SIMULATED);
    struct install_export w = what(ins, PSP_MILAN, INSTALL_VLEK);

    (void)state;
    export_ok(ins, at("out"), &w);
    w.kind = INSTALL_VCEK;
    export_ok(ins, at("out"), &w);
    assert_list(at("out/guest"), "ark.der ark.pem ask.der ask.pem "
                                 "cert_table.bin vcek.der vcek.pem ");
    assert_list(at("out/snpguest"), "ark.pem ask.pem vcek.pem ");
    w.kind = INSTALL_VLEK;
    export_ok(ins, at("out"), &w);
    assert_list(at("out/guest"),
                "ark.der ark.pem asvk.der asvk.pem "
                "cert_table.bin hashstick.bin vlek.der vlek.pem ");
    assert_list(at("out/snpguest"), "ark.pem asvk.pem vlek.pem ");
    install_close(ins);
}

static void export__own_table__is_cert_table(void **state)
{
    struct install *ins = open_dev(PKI_SIMULATED);
    struct install_export w = what(ins, PSP_MILAN, INSTALL_VCEK);
    uint8_t *file;
    size_t n = 0;

    (void)state;
    w.own_table = true;
    w.table = (const uint8_t *)"abc";
    w.table_size = 3;
    export_ok(ins, at("out"), &w);
    file = tst_file(at("out/guest/cert_table.bin"), &n);
    assert_int_equal(n, 3);
    assert_memory_equal(file, "abc", 3);
    free(file);
    w.table = NULL;
    w.table_size = 0;
    export_ok(ins, at("out"), &w);
    free(tst_file(at("out/guest/cert_table.bin"), &n));
    assert_int_equal(n, 0);
    install_close(ins);
}

static void export__naples__legacy_files_only(void **state)
{
    const char *argv[] = {"sh", "-c", NULL, NULL};
    char command[2 * PATH_MAX];
    struct install *ins = open_dev(PKI_SIMULATED);
    struct install_export w = what(ins, PSP_NAPLES, INSTALL_VCEK);
    struct stat st;

    (void)state;
    export_ok(ins, at("out"), &w);
    assert_list(at("out"), "pki sev ");
    assert_list(at("out/sev"), "ark.cert ask.cert cek.cert ");
    assert_list(at("out/pki/Naples"), "ask_ark_naples.cert ");
    assert_int_equal(stat(at("out/pki/Naples/ask_ark_naples.cert"), &st), 0);
    assert_int_equal(st.st_size, 1664);
    snprintf(command, sizeof(command),
             "cd %s/out && cat sev/ask.cert sev/ark.cert | "
             "cmp - pki/Naples/ask_ark_naples.cert",
             dir);
    argv[2] = command;
    assert_int_equal(tst_run(NULL, argv), 0);
    assert_int_equal(stat(at("out/sev/cek.cert"), &st), 0);
    assert_int_equal(st.st_size, 2084);
    install_close(ins);
}

static void export__again__same_bytes(void **state)
{
    struct install *ins = open_dev(PKI_SIMULATED);
    struct install_export w = what(ins, PSP_MILAN, INSTALL_VCEK);
    char a[PATH_MAX], b[PATH_MAX];
    const char *argv[] = {"diff", "-r", a, b, NULL};

    (void)state;
    strcpy(a, at("a"));
    strcpy(b, at("b"));
    export_ok(ins, a, &w);
    export_ok(ins, b, &w);
    export_ok(ins, b, &w); /* over what is there */
    assert_int_equal(tst_run(NULL, argv), 0);
    install_close(ins);
}

static void export__one_file_cannot_be_written__others_removed(void **state)
{
    struct install *ins = open_dev(PKI_SIMULATED);
    struct install_export w = what(ins, PSP_MILAN, INSTALL_VCEK);
    char command[PATH_MAX];
    const char *argv[] = {"sh", "-c", command, NULL};
    char error[INSTALL_ERROR_SIZE];
    char *files = NULL;
    uint8_t *mine;
    size_t n;

    (void)state;
    assert_int_equal(mkdir(at("out"), 0755), 0);
    assert_int_equal(mkdir(at("out/guest"), 0755), 0);
    tst_write_file(at("out/guest/mine"), "m", 1);
    tst_write_file(at("out/pki"), "in the way", 10);
    assert_int_equal(install_export(ins, at("out"), &w, error), -ENOTDIR);
    assert_one_line(error, "pki");
    snprintf(command, sizeof(command), "cd %s/out && find . -type f | sort",
             dir);
    assert_int_equal(tst_run(&files, argv), 0);
    assert_string_equal(files, "./guest/mine\n./pki\n");
    mine = tst_file(at("out/pki"), &n);
    assert_int_equal(n, 10);
    free(mine);
    free(files);
    install_close(ins);
}

static void export__refused_request__nothing_made(void **state)
{
    struct install *ins = open_dev(PKI_SIMULATED);
    struct install_export w = what(ins, PSP_MILAN, INSTALL_VCEK);
    char error[INSTALL_ERROR_SIZE];

    (void)state;
    w.tcb.b[2] = 1;
    assert_int_equal(install_export(ins, at("out"), &w, error), -EINVAL);
    w = what(ins, PSP_MILAN, INSTALL_NONE);
    assert_int_equal(install_export(ins, at("out"), &w, error), -EINVAL);
    assert_false(exists(at("out")));
    install_close(ins);
}

/* The slow one: a private root from nothing to a verified chain. */
static void private_installation__milan__chain_verifies_and_stays(void **state)
{
    unsigned int made = 0;
    struct install *ins = open_counting(at("state"), &made);
    struct install_export w = what(ins, PSP_MILAN, INSTALL_VCEK);
    uint8_t *a = NULL, *b = NULL;
    size_t n = 0, m = 0;
    char error[INSTALL_ERROR_SIZE];

    (void)state;
    assert_int_equal(install_cert_table(ins, PSP_MILAN, INSTALL_VCEK, &w.chip,
                                        &w.tcb, &a, &n, error),
                     0);
    assert_int_equal(made, 2); /* no ASVK: nobody asked */
    install_close(ins);
    ins = open_counting(at("state"), &made);
    assert_int_equal(install_cert_table(ins, PSP_MILAN, INSTALL_VCEK, &w.chip,
                                        &w.tcb, &b, &m, error),
                     0);
    assert_int_equal(made, 2);
    assert_int_equal(n, m);
    assert_memory_equal(a, b, n);
    export_ok(ins, at("out"), &w);
    assert_int_equal(made, 3);
    openssl_verify(at("out/guest/ark.pem"), at("out/guest/ask.pem"),
                   at("out/guest/vcek.pem"));
    free(a);
    free(b);
    install_close(ins);
}

#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static size_t add_rows(struct CMUnitTest *tests, char (*names)[80])
{
    size_t n = 0;

    for (size_t i = 0; i < sizeof(DAMAGES) / sizeof(DAMAGES[0]); i++) {
        snprintf(names[n], 80, "open__%s__refused_and_untouched",
                 DAMAGES[i].name);
        tests[n] = (struct CMUnitTest){names[n], test_damage, setup, teardown,
                                       &DAMAGES[i]};
        n++;
    }
    for (size_t i = 0; i < sizeof(KEY_DAMAGES) / sizeof(KEY_DAMAGES[0]); i++) {
        snprintf(names[n], 80, "key__%s__refused_and_untouched",
                 KEY_DAMAGES[i].name);
        tests[n] = (struct CMUnitTest){names[n], test_key_damage, setup,
                                       teardown, &KEY_DAMAGES[i]};
        n++;
    }
    for (size_t i = 0; i < sizeof(SEED_CASES) / sizeof(SEED_CASES[0]); i++) {
        snprintf(names[n], 80, "seed_file__%s", SEED_CASES[i].name);
        tests[n] = (struct CMUnitTest){names[n], test_seed_file, setup,
                                       teardown, &SEED_CASES[i]};
        n++;
    }
    return n;
}

int main(void)
{
    static struct CMUnitTest tests[128] = {
        IN_DIR(fresh__state_dir_given__seed_and_mark_private),
        IN_DIR(reopen__same_folder__same_seed_and_nothing_written),
        IN_DIR(fresh__two_folders__different_seeds),
        IN_DIR(default_folder__xdg_state_home__below_it),
        IN_DIR(default_folder__xdg_relative__ignored),
        IN_DIR(default_folder__no_home__refused),
        IN_DIR(making_cut_short__seed_without_mark__finished),
        IN_DIR(folder__readable_by_others__accepted),
        IN_DIR(folder__is_a_file__refused),
        IN_DIR(folder__of_another_user__refused),
        IN_DIR(race__eight_first_starts__one_seed),
        IN_DIR(race__two_make_the_same_key__made_once),
        IN_DIR(seed_file__missing__refused),
        IN_DIR(seed_file__with_dev_seed__refused),
        IN_DIR(seed_file__two_in_one_folder__keys_apart),
        IN_DIR(dev_seed__no_file_touched__insecure),
        IN_DIR(csp_id__out_of_range__refused),
        IN_DIR(product_name__of_no_product__refused),
        IN_DIR(key__first_use__made_once_and_private),
        IN_DIR(key__file__openssl_reads_it),
        IN_DIR(key__of_another_size__refused),
        IN_DIR(ca__no_such_generation__refused),
        IN_DIR(disk_full__first_start__nothing_half_written),
        IN_DIR(disk_full__key__nothing_half_written),
        IN_DIR(disk_full__replacing__old_content_stays),
        IN_DIR(killed_while_writing__old_leftover__swept),
        IN_DIR(table__vcek__leaf_ask_ark),
        IN_DIR(table__vlek__asvk_in_the_ask_slot),
        IN_DIR(table__none__zero_length),
        IN_DIR(table__impossible__refused),
        IN_DIR(export__milan__every_layout),
        IN_DIR(export__cert_chains__ask_before_ark),
        IN_DIR(export__turin_vlek__short_hwid_and_vlek_files),
        IN_DIR(export__other_leaf_before__its_files_go),
        IN_DIR(export__own_table__is_cert_table),
        IN_DIR(export__naples__legacy_files_only),
        IN_DIR(export__again__same_bytes),
        IN_DIR(export__one_file_cannot_be_written__others_removed),
        IN_DIR(export__refused_request__nothing_made),
        IN_DIR(private_installation__milan__chain_verifies_and_stays),
    };
    static char names[64][80];
    size_t n = 0;

    while (tests[n].name != NULL) {
        n++;
    }
    n += add_rows(tests + n, names);
    return _cmocka_run_group_tests("install", tests, n, NULL, NULL);
}
