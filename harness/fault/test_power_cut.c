/* SPDX-License-Identifier: Apache-2.0 */
/* The power goes at every write, fsync, rename, unlink and mkdir of every
 * command that changes what is kept (see disk.h). The state that is found is
 * the one before or the one after, never a third; and what has returned is
 * there. "Found" means loaded by the real loaders, and the platform and its
 * guests start from it. */
#include "disk.h"

#include "ccp.h"
#include "inproc.h"
#include "install.h"
#include "nv_file.h"
#include "owner.h"
#include "pki.h"
#include "serve_guests.h"
#include "state_store.h"
#include "tst.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/psp-sev.h>
#include <sys/ioctl.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_MAX 2048

/* One command: what it finds, what it does, and what a state looks like. */
struct command {
    const char *name;
    void (*prepare)(const char *root); /* NULL: an empty folder */
    void (*run)(const char *root);
    void (*look)(const char *root, char text[TEXT_MAX]);
    unsigned int calls_min; /* so that a test that sees nothing fails */
};

static char *dir;
static char error[STATE_ERROR_SIZE];
static unsigned long total_states, total_calls;

static void add(char text[TEXT_MAX], const char *label, const void *data,
                size_t size)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    size_t at = strlen(text);

    SHA256(data, size, digest);
    (void)snprintf(text + at, TEXT_MAX - at, "%s:%zu:%02x%02x%02x%02x ", label,
                   size, digest[0], digest[1], digest[2], digest[3]);
}

static void must(int rc, const char *what)
{
    if (rc != 0) {
        fail_msg("%s: %d: %s", what, rc, error);
    }
}

/* --- the platform of `swpsp serve` --- */

struct rig {
    struct state_store *store;
    struct install *install;
    struct machine *m;
    struct ccp_dev *ccp;
    struct serve_guests *guests;
};

static void open_store(struct rig *r, const char *root)
{
    const struct install_config config = {.use_dev_seed = true};
    struct psp_chip chip;

    memset(r, 0, sizeof(*r));
    must(install_open(&config, &r->install, error), "installation");
    install_chip(r->install, PSP_MILAN, 0, &chip);
    must(state_store_open(root, &r->store, error), "state");
    must(state_store_set_owner(r->store, chip.id, error), "owner");
}

static void power_on(struct rig *r)
{
    struct machine_config config = {
        .profile = psp_profile_by_name("milan"),
        .nv_load = state_store_nv_load,
        .nv_store = state_store_nv_store,
        .nv_ctx = r->store,
    };
    struct ccp_config driver;
    struct serve_platform platform = {
        .install = r->install,
        .reported_tcb = config.profile->tcb,
        .store = r->store,
    };

    install_chip(r->install, PSP_MILAN, 0, &config.chip);
    must(machine_create(&config, &r->m), "machine");
    ccp_config_default(&driver);
    must(ccp_probe(r->m, &driver, &r->ccp), "driver");
    assert_int_equal(ccp_start_status(r->ccp), 0);
    platform.m = r->m;
    platform.chip = config.chip;
    must(serve_guests_new(&platform, &r->guests), "guests");
    must(serve_guests_relaunch(r->guests, error), "relaunch");
}

static void open_rig(struct rig *r, const char *root)
{
    open_store(r, root);
    power_on(r);
}

static void close_rig(struct rig *r)
{
    serve_guests_free(r->guests);
    if (r->ccp != NULL) {
        ccp_remove(r->ccp);
    }
    if (r->m != NULL) {
        machine_destroy(r->m);
    }
    install_close(r->install);
    state_store_close(r->store);
}

static void add_file(struct rig *r, enum state_kind kind, const char *name,
                     char text[TEXT_MAX])
{
    uint8_t *payload = NULL;
    size_t size = 0;
    int rc = state_store_read(r->store, kind, name, &payload, &size, error);

    if (rc != -ENOENT) {
        must(rc, name);
        add(text, name, payload, size);
    }
    free(payload);
}

/* Every file, then that everything starts from them. */
static void look_at_platform(const char *root, char text[TEXT_MAX])
{
    char **names = NULL;
    size_t count = 0;
    struct rig r;

    open_store(&r, root);
    add_file(&r, STATE_CONFIG, STATE_CONFIG_NAME, text);
    add_file(&r, STATE_NV, STATE_NV_NAME, text);
    must(state_store_guests(r.store, &names, &count, error), "guests");
    for (size_t i = 0; i < count; i++) {
        add_file(&r, STATE_GUEST, names[i], text);
    }
    power_on(&r);
    assert_int_equal(serve_guests_count(r.guests), count);
    for (size_t i = 0; i < count; i++) {
        json_t *shown = serve_guests_show(r.guests, names[i]);

        assert_string_equal(json_string_value(json_object_get(shown, "state")),
                            "running");
        json_decref(shown);
    }
    state_names_free(names, count);
    close_rig(&r);
}

static void write_config(const char *root, const char *config)
{
    struct rig r;

    open_store(&r, root);
    must(state_store_write(r.store, STATE_CONFIG, STATE_CONFIG_NAME, config,
                           strlen(config), error),
         "config");
    close_rig(&r);
}

static void configure_once(const char *root)
{
    write_config(root, "{\"profile\": \"milan\"}");
}

static void configure_again(const char *root)
{
    write_config(root, "{\"profile\": \"milan\", \"mask-chip-id\": true}");
}

static void start(const char *root)
{
    struct rig r;

    open_rig(&r, root);
    close_rig(&r);
}

static void issue_alone(const char *root, uint32_t number)
{
    struct chardev dev;
    struct rig r;

    open_rig(&r, root);
    dev = ccp_chardev(r.ccp);
    owner_issue(&dev, number, NULL);
    close_rig(&r);
}

static void reset(const char *root)
{
    issue_alone(root, CCP_FACTORY_RESET);
}

static void pek_gen(const char *root)
{
    issue_alone(root, CCP_PEK_GEN);
}

static void pdh_gen(const char *root)
{
    issue_alone(root, CCP_PDH_GEN);
}

static void import(const char *root)
{
    struct chardev dev;
    struct rig r;

    open_rig(&r, root);
    dev = ccp_chardev(r.ccp);
    owner_import(&dev, dir);
    close_rig(&r);
}

static void launch_in(struct rig *r, const char *name)
{
    json_t *request = json_pack("{s:s}", "name", name);
    json_t *shown = NULL;

    must(serve_guests_launch(r->guests, request, &shown, error), "launch");
    json_decref(shown);
    json_decref(request);
}

static void launch(const char *root)
{
    struct rig r;

    open_rig(&r, root);
    launch_in(&r, "web");
    close_rig(&r);
}

static void launch_two(const char *root)
{
    struct rig r;

    open_rig(&r, root);
    launch_in(&r, "db");
    launch_in(&r, "web");
    close_rig(&r);
}

static void no_detach(void *ctx, const struct serve_guest *guest)
{
    (void)ctx;
    (void)guest;
}

static void stop(const char *root)
{
    struct rig r;

    open_rig(&r, root);
    must(serve_guests_stop(r.guests, "web", no_detach, NULL, error), "stop");
    close_rig(&r);
}

/* --- the store of `swpsp run --nv` --- */

static void store_nv(const char *root, uint8_t fill)
{
    const struct psp_chip chip = {.id = {1}};
    uint8_t *blob = malloc(PSP_NV_SIZE);
    struct nv_file *nv = NULL;
    struct state_dir d;

    assert_non_null(blob);
    memset(blob, fill, PSP_NV_SIZE);
    must(state_dir_open(root, STATE_DIR_PRIVATE, &d, error), root);
    must(nv_file_open(&d, "nv", &chip, &nv, error), "nv");
    assert_int_equal(nv_file_store(nv, blob), 0);
    nv_file_close(nv);
    state_dir_close(&d);
    free(blob);
}

static void store_nv_once(const char *root)
{
    store_nv(root, 1);
}

static void store_nv_again(const char *root)
{
    store_nv(root, 2);
}

static void look_at_nv(const char *root, char text[TEXT_MAX])
{
    const struct psp_chip chip = {.id = {1}};
    uint8_t *blob = malloc(PSP_NV_SIZE);
    struct nv_file *nv = NULL;
    struct state_dir d;
    int rc;

    assert_non_null(blob);
    must(state_dir_open(root, STATE_DIR_PRIVATE, &d, error), root);
    must(nv_file_open(&d, "nv", &chip, &nv, error), "nv");
    rc = nv_file_load(nv, blob);
    assert_true(rc == 0 || rc == 1);
    if (rc == 0) {
        add(text, "nv", blob, PSP_NV_SIZE);
    }
    nv_file_close(nv);
    state_dir_close(&d);
    free(blob);
}

/* --- the installation --- */

static struct install *open_install(const char *root)
{
    const struct install_config config = {.state_dir = root};
    struct install *ins = NULL;

    must(install_open(&config, &ins, error), "installation");
    return ins;
}

static void make_install(const char *root)
{
    install_close(open_install(root));
}

/* A seed that is there must be the one that is used from then on. */
static void look_at_install(const char *root, char text[TEXT_MAX])
{
    char path[PATH_MAX];
    struct install *ins;
    bool have_seed;

    (void)snprintf(path, sizeof(path), "%s/seed", root);
    have_seed = access(path, F_OK) == 0;
    ins = open_install(root);
    if (have_seed) {
        add(text, "seed", install_seed(ins), PSP_SEED_SIZE);
    }
    install_close(ins);
}

static uint8_t *key_der;
static size_t key_size;

static void save_key(const char *root)
{
    struct install *ins = open_install(root);
    const struct pki_key_store *store = install_key_store(ins);

    assert_int_equal(store->save(store->ctx, "Milan-ARK", key_der, key_size),
                     0);
    install_close(ins);
}

static void look_at_key(const char *root, char text[TEXT_MAX])
{
    struct install *ins = open_install(root);
    const struct pki_key_store *store = install_key_store(ins);
    uint8_t *der = NULL;
    size_t size = 0;
    int rc = store->load(store->ctx, "Milan-ARK", &der, &size);

    if (rc < 0) {
        must(install_pki_error(ins, PSP_E_HOST, error), "key");
    }
    if (rc == 0) {
        add(text, "key", der, size);
    }
    free(der);
    install_close(ins);
}

static const struct command COMMANDS[] = {
    {"serve_first_configuration", NULL, configure_once, look_at_platform, 8},
    {"serve_other_configuration", configure_once, configure_again,
     look_at_platform, 5},
    {"serve_first_init", configure_once, start, look_at_platform, 5},
    {"sev_factory_reset", start, reset, look_at_platform, 5},
    {"sev_pek_gen", start, pek_gen, look_at_platform, 5},
    {"sev_pdh_gen", start, pdh_gen, look_at_platform, 5},
    {"sev_pek_cert_import", start, import, look_at_platform, 5},
    {"guest_launch", start, launch, look_at_platform, 5},
    {"guest_stop", launch_two, stop, look_at_platform, 2},
    {"nv_file_first", NULL, store_nv_once, look_at_nv, 5},
    {"nv_file_again", store_nv_once, store_nv_again, look_at_nv, 5},
    {"installation", NULL, make_install, look_at_install, 10},
    {"rsa_key", make_install, save_key, look_at_key, 7},
};
#define COMMAND_COUNT (sizeof(COMMANDS) / sizeof(COMMANDS[0]))

/* --- the loop --- */

struct judge {
    const struct command *command;
    char before[TEXT_MAX];
    char after[TEXT_MAX];
};

static void judge_state(void *ctx, const char *path, enum disk_moment when)
{
    struct judge *j = ctx;
    char found[TEXT_MAX] = "";

    j->command->look(path, found);
    if (when == DISK_BEFORE) {
        strcpy(j->before, found);
    } else if (when == DISK_FINISHED) {
        strcpy(j->after, found);
    } else if (when == DISK_AFTER) {
        assert_string_equal(found, j->after);
    } else if (strcmp(found, j->before) != 0 && strcmp(found, j->after) != 0) {
        fail_msg("a third state: %s\nbefore: %s\nafter: %s", found, j->before,
                 j->after);
    }
}

static void test_command(void **state)
{
    const struct command *command = *state;
    struct judge j = {.command = command};
    char root[PATH_MAX], built[PATH_MAX];
    size_t states;

    (void)snprintf(root, sizeof(root), "%s/live", dir);
    (void)snprintf(built, sizeof(built), "%s/built", dir);
    assert_int_equal(mkdir(root, 0700), 0);
    if (command->prepare != NULL) {
        command->prepare(root);
    }
    disk_record(root);
    command->run(root);
    disk_stop();
    assert_in_range(disk_calls(), command->calls_min, 1000);
    states = disk_each(built, judge_state, &j);
    assert_string_not_equal(j.before, j.after);
    total_calls += disk_calls();
    total_states += states;
    printf("%s: %zu calls, %zu states\n", command->name, disk_calls(), states);
}

/* --- a disk that fails --- */

struct failing {
    const char *name;
    void (*prepare)(const char *root);
    int (*act)(struct rig *r); /* 0: done */
    bool replaces; /* only the folder's sync failed: it may be the new one */
};

static int try_config(struct rig *r)
{
    return state_store_write(r->store, STATE_CONFIG, STATE_CONFIG_NAME, "{}", 2,
                             error);
}

static int try_launch(struct rig *r)
{
    json_t *request = json_pack("{s:s}", "name", "web");
    size_t count = serve_guests_count(r->guests);
    json_t *shown = NULL;
    int rc = serve_guests_launch(r->guests, request, &shown, error);

    assert_int_equal(serve_guests_count(r->guests), count + (rc == 0));
    json_decref(shown);
    json_decref(request);
    return rc;
}

static int try_stop(struct rig *r)
{
    size_t count = serve_guests_count(r->guests);
    int rc = serve_guests_stop(r->guests, "web", no_detach, NULL, error);

    assert_int_equal(serve_guests_count(r->guests), count - (rc == 0));
    return rc;
}

static int try_pdh_gen(struct rig *r)
{
    struct sev_issue_cmd io = {.cmd = CCP_PDH_GEN};
    struct chardev dev = ccp_chardev(r->ccp);

    return (int)inproc_ioctl(&dev, true, (uint32_t)SEV_ISSUE_CMD, &io);
}

static const struct failing FAILING[] = {
    {"configuration", launch, try_config, true},
    {"guest_launch", start, try_launch, false},
    {"guest_stop", launch_two, try_stop, false},
    {"sev_pdh_gen", start, try_pdh_gen, true},
};
#define FAILING_COUNT (sizeof(FAILING) / sizeof(FAILING[0]))

/* True while there was a call to fail. */
static bool fail_nth(const struct failing *f, const char *root, size_t nth)
{
    char before[TEXT_MAX] = "", after[TEXT_MAX] = "";
    bool failed;
    struct rig r;
    int rc;

    assert_int_equal(mkdir(root, 0700), 0);
    f->prepare(root);
    look_at_platform(root, before);
    open_rig(&r, root);
    disk_record(root);
    disk_fail(nth);
    rc = f->act(&r);
    failed = disk_failed();
    disk_stop();
    close_rig(&r);
    look_at_platform(root, after);
    if (rc == 0) {
        assert_string_not_equal(before, after);
    } else if (!f->replaces) {
        assert_string_equal(before, after);
    }
    assert_true(rc == 0 || failed);
    return failed;
}

static void test_failing(void **state)
{
    const struct failing *f = *state;
    char root[PATH_MAX];
    size_t nth = 0;
    bool more = true;

    while (more) {
        (void)snprintf(root, sizeof(root), "%s/%zu", dir, ++nth);
        more = fail_nth(f, root, nth);
    }
    assert_in_range(nth, 3, 100);
    printf("%s: %zu calls failed in turn\n", f->name, nth - 1);
}

/* --- that the disk itself can tell --- */

static unsigned int third;

static void count_third(void *ctx, const char *path, enum disk_moment when)
{
    char file[PATH_MAX];
    uint8_t *data;
    size_t size;

    (void)ctx;
    (void)snprintf(file, sizeof(file), "%s/f", path);
    data = tst_file(file, &size);
    third += when != DISK_BEFORE &&
             (size != 3 ||
              (memcmp(data, "old", 3) != 0 && memcmp(data, "new", 3) != 0));
    free(data);
}

static void rename__without_fsync__shows_a_third_state(void **state)
{
    char file[PATH_MAX];
    int at, fd;

    (void)state;
    (void)snprintf(file, sizeof(file), "%s/f", dir);
    tst_write_file(file, "old", 3);
    disk_record(dir);
    at = open(dir, O_RDONLY | O_DIRECTORY);
    fd = openat(at, "t", O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_int_equal(write(fd, "new", 3), 3);
    assert_int_equal(renameat(at, "t", at, "f"), 0);
    assert_int_equal(fsync(at), 0);
    (void)close(fd);
    (void)close(at);
    disk_stop();
    (void)snprintf(file, sizeof(file), "%s.built", dir);
    third = 0;
    (void)disk_each(file, count_third, NULL);
    assert_true(third > 0);
}

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

static int make_key(void **state)
{
    EVP_PKEY *key = EVP_RSA_gen(4096);
    unsigned char *der = NULL;
    int size = key == NULL ? -1 : i2d_PrivateKey(key, &der);

    (void)state;
    EVP_PKEY_free(key);
    if (size <= 0) {
        return -1;
    }
    key_der = tst_dup(der, (size_t)size);
    key_size = (size_t)size;
    OPENSSL_free(der);
    return 0;
}

static int say_totals(void **state)
{
    (void)state;
    free(key_der);
    printf("power cuts: %zu commands, %lu calls, %lu different states\n",
           COMMAND_COUNT, total_calls, total_states);
    return 0;
}

int main(void)
{
    static struct CMUnitTest tests[COMMAND_COUNT + FAILING_COUNT + 1];
    static char names[COMMAND_COUNT + FAILING_COUNT][80];
    size_t last = COMMAND_COUNT + FAILING_COUNT;

    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        (void)snprintf(names[i], sizeof(names[i]),
                       "%s__power_cut_at_every_call__old_or_new",
                       COMMANDS[i].name);
        tests[i] = (struct CMUnitTest){names[i], test_command, setup, teardown,
                                       (void *)(uintptr_t)&COMMANDS[i]};
    }
    for (size_t i = 0; i < FAILING_COUNT; i++) {
        char *name = names[COMMAND_COUNT + i];

        (void)snprintf(name, sizeof(names[0]),
                       "%s__every_call_fails_in_turn__refused_or_done",
                       FAILING[i].name);
        tests[COMMAND_COUNT + i] =
            (struct CMUnitTest){name, test_failing, setup, teardown,
                                (void *)(uintptr_t)&FAILING[i]};
    }
    tests[last] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(
        rename__without_fsync__shows_a_third_state, setup, teardown);
    return cmocka_run_group_tests(tests, make_key, say_totals);
}
