/* SPDX-License-Identifier: Apache-2.0 */
/* The platform's store on disk: what comes back, what is refused. */
#include "nv_file.h"
#include "tst.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_SIZE (NV_FILE_HEADER_SIZE + PSP_NV_SIZE)

static char *dir;
static char complaint[STATE_ERROR_SIZE];
static char error[STATE_ERROR_SIZE];

static int setup(void **state)
{
    (void)state;
    dir = tst_mkdtemp();
    complaint[0] = error[0] = '\0';
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tst_rmdir(dir);
    return 0;
}

static const char *path(void)
{
    static char text[PATH_MAX];

    snprintf(text, sizeof(text), "%s/nv", dir);
    return text;
}

static void note(const char *line)
{
    snprintf(complaint, sizeof(complaint), "%s", line);
}

static struct psp_chip chip(uint8_t n)
{
    struct psp_chip c = {.id = {n}};

    return c;
}

static int open_for(uint8_t n, struct nv_file **nv)
{
    struct psp_chip c = chip(n);
    int rc = nv_file_open(NULL, path(), &c, nv, error);

    if (rc == 0) {
        nv_file_on_error(*nv, note);
    }
    return rc;
}

static struct nv_file *open_ok(void)
{
    struct nv_file *nv = NULL;

    if (open_for(1, &nv) != 0) {
        fail_msg("%s", error);
    }
    return nv;
}

static uint8_t *blob_of(uint8_t fill)
{
    uint8_t *blob = malloc(PSP_NV_SIZE);

    assert_non_null(blob);
    memset(blob, fill, PSP_NV_SIZE);
    return blob;
}

static int store(struct nv_file *nv, uint8_t fill)
{
    uint8_t *blob = blob_of(fill);
    int rc = nv_file_store(nv, blob);

    free(blob);
    return rc;
}

/* -1: nothing was ever stored. */
static int first_byte(struct nv_file *nv)
{
    uint8_t *blob = blob_of(0);
    int rc = nv_file_load(nv, blob);
    int byte = rc == 0 ? blob[0] : -1;

    if (rc == 0) {
        assert_memory_equal(blob, blob + 1, PSP_NV_SIZE - 1);
    }
    free(blob);
    return byte;
}

static void load__no_file__says_that_nothing_was_stored(void **state)
{
    struct nv_file *nv = open_ok();

    (void)state;
    assert_int_equal(first_byte(nv), -1);
    assert_int_equal(access(path(), F_OK), -1);
    nv_file_close(nv);
}

static void store__and_open_again__comes_back(void **state)
{
    struct nv_file *nv = open_ok();
    struct stat st;

    (void)state;
    assert_int_equal(store(nv, 7), 0);
    assert_int_equal(store(nv, 8), 0);
    assert_int_equal(first_byte(nv), 8);
    nv_file_close(nv);
    assert_int_equal(stat(path(), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_size, FILE_SIZE);
    nv = open_ok();
    assert_int_equal(first_byte(nv), 8);
    nv_file_close(nv);
}

static void store__file_changed_by_another__refused_and_left(void **state)
{
    struct nv_file *a = open_ok();
    struct nv_file *b = open_ok();

    (void)state;
    assert_int_equal(store(a, 1), 0);
    assert_int_not_equal(store(b, 2), 0);
    assert_non_null(strstr(complaint, "another process"));
    nv_file_close(a);
    nv_file_close(b);
    a = open_ok();
    assert_int_equal(first_byte(a), 1);
    nv_file_close(a);
}

static void store__file_removed_by_another__refused(void **state)
{
    struct nv_file *nv = open_ok();

    (void)state;
    assert_int_equal(store(nv, 1), 0);
    assert_int_equal(unlink(path()), 0);
    assert_int_not_equal(store(nv, 2), 0);
    assert_int_equal(first_byte(nv), 1);
    nv_file_close(nv);
}

static void store__folder_gone__refused_and_said(void **state)
{
    struct nv_file *nv = open_ok();

    (void)state;
    assert_int_equal(rmdir(dir), 0);
    assert_int_not_equal(store(nv, 1), 0);
    assert_string_not_equal(complaint, "");
    assert_int_equal(first_byte(nv), -1);
    assert_int_equal(mkdir(dir, 0700), 0);
    nv_file_close(nv);
}

struct damage {
    const char *name;
    size_t size;  /* cut to */
    size_t at;    /* byte changed ... */
    uint8_t with; /* ... by this, if it is not 0 */
    uint8_t chip;
    const char *why;
};

static const struct damage DAMAGES[] = {
    {"empty", 0, 0, 0, 1, "not a store"},
    {"magic", FILE_SIZE, 0, 1, 1, "not a store"},
    {"magic_alone", 8, 0, 0, 1, "wrong size"},
    {"newer_format", FILE_SIZE, 8, 3, 1, "newer version"},
    {"format_0", FILE_SIZE, 8, 1, 1, "never was"},
    {"length", FILE_SIZE, 12, 1, 1, "wrong size"},
    {"one_byte_short", FILE_SIZE - 1, 0, 0, 1, "wrong size"},
    {"one_byte_more", FILE_SIZE + 1, 0, 0, 1, "wrong size"},
    {"chip_digest", FILE_SIZE, 0x10, 1, 1, "damaged"},
    {"digest", FILE_SIZE, 0x30, 1, 1, "damaged"},
    {"first_byte_of_the_store", FILE_SIZE, 0x50, 1, 1, "damaged"},
    {"last_byte_of_the_store", FILE_SIZE, FILE_SIZE - 1, 1, 1, "damaged"},
    {"another_chip", FILE_SIZE, 0, 0, 2, "another chip"},
};

static void open__damaged__refused_and_left(void **state)
{
    const struct damage *d = *state;
    struct nv_file *nv = NULL;
    uint8_t *bytes, *after;
    size_t n, m;
    FILE *f;

    (void)setup(NULL);
    nv = open_ok();
    assert_int_equal(store(nv, 9), 0);
    nv_file_close(nv);
    bytes = tst_file(path(), &n);
    bytes = realloc(bytes, FILE_SIZE + 1);
    assert_non_null(bytes);
    bytes[FILE_SIZE] = 0;
    bytes[d->at] ^= d->with;
    f = fopen(path(), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, d->size, f), d->size);
    fclose(f);
    assert_int_equal(open_for(d->chip, &nv), -EBADMSG);
    assert_null(nv);
    assert_non_null(strstr(error, path()));
    if (strstr(error, d->why) == NULL) {
        fail_msg("%s", error);
    }
    after = tst_file(path(), &m);
    assert_int_equal(m, d->size);
    assert_memory_equal(after, bytes, m);
    free(after);
    free(bytes);
    (void)teardown(NULL);
}

static void open__readable_by_others__refused(void **state)
{
    struct nv_file *nv = open_ok();

    (void)state;
    assert_int_equal(store(nv, 1), 0);
    nv_file_close(nv);
    assert_int_equal(chmod(path(), 0644), 0);
    assert_int_equal(open_for(1, &nv), -EPERM);
}

static void open_in_a_folder__first_time__holds_the_lock(void **state)
{
    struct psp_chip c = chip(1);
    struct state_dir d;
    struct nv_file *nv = NULL;
    int lock;

    (void)state;
    assert_int_equal(state_dir_open(dir, STATE_DIR_PRIVATE, &d, error), 0);
    assert_int_equal(nv_file_open(&d, "nv", &c, &nv, error), 0);
    assert_int_equal(store(nv, 3), 0);
    nv_file_started(nv);
    lock = state_dir_lock(&d, error); /* would wait for ever */
    assert_true(lock >= 0);
    close(lock);
    assert_int_equal(store(nv, 4), 0);
    nv_file_close(nv);
    assert_int_equal(nv_file_open(&d, "nv", &c, &nv, error), 0);
    assert_int_equal(first_byte(nv), 4);
    lock = state_dir_lock(&d, error); /* no lock when the file is there */
    assert_true(lock >= 0);
    close(lock);
    nv_file_close(nv);
    state_dir_close(&d);
}

static void open__no_file_name__refused(void **state)
{
    struct psp_chip c = chip(1);
    struct nv_file *nv = NULL;
    char text[PATH_MAX];

    (void)state;
    snprintf(text, sizeof(text), "%s/", dir);
    assert_int_equal(nv_file_open(NULL, text, &c, &nv, error), -EINVAL);
    assert_null(nv);
}

static void mix__follows_the_store(void **state)
{
    static const uint8_t seed[32] = {1};
    struct nv_file *nv = open_ok();
    uint8_t a[32], b[32], c[32];

    (void)state;
    nv_file_mix(nv, seed, a);
    assert_memory_equal(a, seed, sizeof(seed));
    assert_int_equal(store(nv, 1), 0);
    nv_file_mix(nv, seed, a);
    assert_int_equal(store(nv, 2), 0);
    nv_file_mix(nv, seed, b);
    assert_int_equal(store(nv, 1), 0);
    nv_file_mix(nv, seed, c);
    assert_memory_not_equal(a, seed, sizeof(a));
    assert_memory_not_equal(a, b, sizeof(a));
    assert_memory_equal(a, c, sizeof(a));
    nv_file_close(nv);
}

#define TEST(f)      cmocka_unit_test_setup_teardown(f, setup, teardown)
#define DAMAGE_COUNT (sizeof(DAMAGES) / sizeof(DAMAGES[0]))

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(load__no_file__says_that_nothing_was_stored),
        TEST(store__and_open_again__comes_back),
        TEST(store__file_changed_by_another__refused_and_left),
        TEST(store__file_removed_by_another__refused),
        TEST(store__folder_gone__refused_and_said),
        TEST(open__readable_by_others__refused),
        TEST(open_in_a_folder__first_time__holds_the_lock),
        TEST(open__no_file_name__refused),
        TEST(mix__follows_the_store),
    };
    struct CMUnitTest rows[DAMAGE_COUNT];
    char names[DAMAGE_COUNT][64];
    int failed;

    for (size_t i = 0; i < DAMAGE_COUNT; i++) {
        snprintf(names[i], sizeof(names[i]), "open__%s__refused_and_left",
                 DAMAGES[i].name);
        rows[i] = (struct CMUnitTest){
            .name = names[i],
            .test_func = open__damaged__refused_and_left,
            .initial_state = (void *)(uintptr_t)&DAMAGES[i],
        };
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + cmocka_run_group_tests(rows, NULL, NULL);
}
