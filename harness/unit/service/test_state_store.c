/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's state on disk: what is written is read, and nothing else is. */
#include "tst.h"

#include "crypto.h"
#include "state_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint8_t OWNER[PSP_CHIP_ID_SIZE] = {1, 2, 3};
static const uint8_t OTHER[PSP_CHIP_ID_SIZE] = {1, 2, 4};

struct fixture {
    char *dir;
    struct state_store *s;
    char error[STATE_ERROR_SIZE];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    f->dir = tst_mkdtemp();
    assert_int_equal(state_store_open(f->dir, &f->s, f->error), 0);
    assert_int_equal(state_store_set_owner(f->s, OWNER, f->error), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    state_store_close(f->s);
    tst_rmdir(f->dir);
    free(f);
    return 0;
}

static void reopen(struct fixture *f)
{
    state_store_close(f->s);
    assert_int_equal(state_store_open(f->dir, &f->s, f->error), 0);
}

/* --- the format --- */

static void test_header__layout(void **state)
{
    size_t size = 0;
    uint8_t *file = state_encode(STATE_NV, OWNER, "abc", 3, &size);
    uint8_t message[96 + 3], digest[SHA256_SIZE];

    (void)state;
    assert_int_equal(size, STATE_HEADER_SIZE + 3);
    assert_memory_equal(file, "SWPSPST\n", 8);
    assert_hex_equal(file + 8, "01000000 02000000 0300000000000000", 16);
    assert_memory_equal(file + 24, OWNER, 64);
    assert_hex_equal(file + 88, "0000000000000000", 8);
    memcpy(message, file, 96);
    memcpy(message + 96, "abc", 3);
    psp_sha256(message, sizeof(message), digest);
    assert_memory_equal(file + 96, digest, 32);
    assert_memory_equal(file + 128, "abc", 3);
    free(file);
}

static int decode(const uint8_t *file, size_t size, char *error)
{
    uint8_t *copy = tst_dup(file, size);
    uint8_t owner[PSP_CHIP_ID_SIZE];
    const uint8_t *payload = NULL;
    size_t n = 0;
    int rc =
        state_decode("FILE", STATE_NV, copy, size, owner, &payload, &n, error);

    free(copy);
    return rc;
}

/* Refused with one line that names the file and says that it is untouched. */
static void assert_refused(const uint8_t *file, size_t size)
{
    char error[STATE_ERROR_SIZE] = "";

    assert_int_equal(decode(file, size, error), -EBADMSG);
    assert_true(strncmp(error, "FILE ", 5) == 0);
    assert_non_null(strstr(error, "; it was left as it is"));
    assert_null(strchr(error, '\n'));
}

static void test_any_bit_flipped__refused(void **state)
{
    uint8_t payload[200];
    size_t size = 0;
    uint8_t *file;

    (void)state;
    memset(payload, 0x5a, sizeof(payload));
    file = state_encode(STATE_NV, OWNER, payload, sizeof(payload), &size);
    for (size_t i = 0; i < 8 * size; i++) {
        file[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_refused(file, size);
        file[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    assert_int_equal(decode(file, size, (char[STATE_ERROR_SIZE]){0}), 0);
    free(file);
}

static void test_nv_file__any_byte_flipped__refused(void **state)
{
    uint8_t *payload = calloc(1, PSP_NV_SIZE);
    size_t size = 0;
    uint8_t *file = state_encode(STATE_NV, OWNER, payload, PSP_NV_SIZE, &size);
    uint8_t owner[PSP_CHIP_ID_SIZE];
    const uint8_t *inner;
    size_t n;
    char error[STATE_ERROR_SIZE];

    (void)state;
    for (size_t i = 0; i < size; i++) {
        file[i] ^= (uint8_t)(1 + i % 255);
        assert_int_equal(state_decode("FILE", STATE_NV, file, size, owner,
                                      &inner, &n, error),
                         -EBADMSG);
        file[i] ^= (uint8_t)(1 + i % 255);
    }
    free(file);
    free(payload);
}

static void test_cut_at_any_length__refused(void **state)
{
    uint8_t *payload = calloc(1, PSP_NV_SIZE);
    size_t size = 0;
    uint8_t *file = state_encode(STATE_NV, OWNER, payload, PSP_NV_SIZE, &size);
    char error[STATE_ERROR_SIZE] = "";

    (void)state;
    for (size_t i = 0; i < size; i++) {
        uint8_t owner[PSP_CHIP_ID_SIZE];
        const uint8_t *inner;
        size_t n;

        assert_int_equal(
            state_decode("FILE", STATE_NV, file, i, owner, &inner, &n, error),
            -EBADMSG);
        assert_non_null(strstr(error, i < 8 ? "" : "is cut off"));
    }
    for (size_t i = 0; i < 130; i++) {
        assert_refused(file, i); /* exact-size copies */
    }
    free(file);
    free(payload);
}

static void test_bytes_too_many__refused(void **state)
{
    size_t size = 0;
    uint8_t *file = state_encode(STATE_NV, OWNER, "abc", 3, &size);
    uint8_t *more = calloc(1, size + 1);

    (void)state;
    memcpy(more, file, size);
    assert_refused(more, size + 1);
    free(more);
    free(file);
}

static void test_empty_payload__is_read(void **state)
{
    size_t size = 0;
    uint8_t *file = state_encode(STATE_NV, OWNER, NULL, 0, &size);

    (void)state;
    assert_int_equal(decode(file, size, (char[STATE_ERROR_SIZE]){0}), 0);
    free(file);
}

struct text_case {
    const char *name;
    size_t at;
    uint8_t value;
    const char *text;
};

static void test_fault__is_named(void **state)
{
    const struct text_case *c = *state;
    size_t size = 0;
    uint8_t *file = state_encode(STATE_NV, OWNER, "abc", 3, &size);
    char error[STATE_ERROR_SIZE] = "";

    file[c->at] = c->value;
    assert_int_equal(decode(file, size, error), -EBADMSG);
    assert_non_null(strstr(error, c->text));
    free(file);
}

static const struct text_case TEXTS[] = {
    {"magic", 0, 'X', "is not a state file of swpsp"},
    {"newer", 8, 2, "was written by a newer swpsp"},
    {"far newer", 11, 0x80, "was written by a newer swpsp"},
    {"format 0", 8, 0, "is of a format that this swpsp does not know"},
    {"size", 16, 4, "is cut off"},
    {"size less", 16, 2, "is damaged"},
    {"owner", 24, 9, "is damaged"},
    {"digest", 96, 0, "is damaged"},
    {"payload", 128, 'x', "is damaged"},
};

static void test_another_kind__is_named(void **state)
{
    size_t size = 0;
    uint8_t *file = state_encode(STATE_GUEST, OWNER, "abc", 3, &size);
    char error[STATE_ERROR_SIZE] = "";

    (void)state;
    assert_int_equal(decode(file, size, error), -EBADMSG);
    assert_non_null(strstr(error, "is another kind"));
    free(file);
}

/* --- the store --- */

static void test_what_is_written__is_read_by_the_next_process(void **state)
{
    struct fixture *f = *state;
    uint8_t *data = NULL;
    size_t size = 0;

    assert_int_equal(
        state_store_write(f->s, STATE_GUEST, "web", "hello", 5, f->error), 0);
    reopen(f);
    assert_int_equal(
        state_store_read(f->s, STATE_GUEST, "web", &data, &size, f->error), 0);
    assert_int_equal(size, 5);
    assert_string_equal((char *)data, "hello");
    free(data);
    assert_int_equal(state_store_set_owner(f->s, OWNER, f->error), 0);
}

static void test_removed__is_gone(void **state)
{
    struct fixture *f = *state;
    uint8_t *data = NULL;
    size_t size = 0;

    assert_int_equal(
        state_store_write(f->s, STATE_GUEST, "web", "x", 1, f->error), 0);
    assert_int_equal(state_store_remove(f->s, STATE_GUEST, "web", f->error), 0);
    assert_int_equal(
        state_store_read(f->s, STATE_GUEST, "web", &data, &size, f->error),
        -ENOENT);
    assert_int_equal(state_store_remove(f->s, STATE_GUEST, "web", f->error),
                     -ENOENT);
}

static void test_files_of_another_platform__are_refused(void **state)
{
    struct fixture *f = *state;
    uint8_t *data = NULL;
    size_t size = 0;

    assert_int_equal(
        state_store_write(f->s, STATE_CONFIG, "config", "x", 1, f->error), 0);
    /* the configuration is read before the owner is known */
    reopen(f);
    assert_int_equal(
        state_store_read(f->s, STATE_CONFIG, "config", &data, &size, f->error),
        0);
    free(data);
    assert_int_equal(state_store_set_owner(f->s, OTHER, f->error), -EBADMSG);
    assert_non_null(strstr(f->error, "another platform"));
    /* or afterwards */
    reopen(f);
    assert_int_equal(state_store_set_owner(f->s, OTHER, f->error), 0);
    assert_int_equal(
        state_store_read(f->s, STATE_CONFIG, "config", &data, &size, f->error),
        -EBADMSG);
    assert_non_null(strstr(f->error, "another platform"));
}

static void test_second_process__is_refused(void **state)
{
    struct fixture *f = *state;
    struct state_store *other = NULL;
    char text[64];

    assert_int_equal(state_store_open(f->dir, &other, f->error), -EBUSY);
    assert_null(other);
    snprintf(text, sizeof(text), "(process %d)", (int)getpid());
    assert_non_null(strstr(f->error, text));
}

static void test_lock__ends_with_its_process(void **state)
{
    struct fixture *f = *state;
    int status = 0;
    pid_t pid;

    state_store_close(f->s);
    f->s = NULL;
    pid = fork();
    if (pid == 0) {
        _exit(state_store_open(f->dir, &f->s, f->error) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(state_store_open(f->dir, &f->s, f->error), 0);
}

static void test_guests__are_listed_sorted(void **state)
{
    struct fixture *f = *state;
    char **names = NULL;
    size_t count = 0;

    assert_int_equal(state_store_guests(f->s, &names, &count, f->error), 0);
    assert_int_equal(count, 0);
    state_names_free(names, count);
    for (const char *p = "cab"; *p != '\0'; p++) {
        const char name[2] = {*p, '\0'};

        assert_int_equal(
            state_store_write(f->s, STATE_GUEST, name, "x", 1, f->error), 0);
    }
    assert_int_equal(state_store_guests(f->s, &names, &count, f->error), 0);
    assert_int_equal(count, 3);
    assert_string_equal(names[0], "a");
    assert_string_equal(names[2], "c");
    state_names_free(names, count);
}

static void test_nv__missing_is_1_and_a_wrong_size_fails(void **state)
{
    struct fixture *f = *state;
    uint8_t blob[PSP_NV_SIZE], back[PSP_NV_SIZE];

    assert_int_equal(state_store_nv_load(f->s, back), 1);
    assert_string_equal(state_store_nv_error(f->s), "");
    memset(blob, 0x77, sizeof(blob));
    assert_int_equal(state_store_nv_store(f->s, blob), 0);
    assert_int_equal(state_store_nv_load(f->s, back), 0);
    assert_memory_equal(back, blob, sizeof(blob));
    assert_int_equal(
        state_store_write(f->s, STATE_NV, STATE_NV_NAME, "x", 1, f->error), 0);
    assert_int_equal(state_store_nv_load(f->s, back), -1);
    assert_non_null(strstr(state_store_nv_error(f->s), "1 bytes"));
}

static void test_write_that_fails__is_told_and_can_be_repeated(void **state)
{
    struct fixture *f = *state;
    uint8_t *data = NULL;
    size_t size = 0;
    char path[600];

    assert_int_equal(
        state_store_write(f->s, STATE_GUEST, "web", "old", 3, f->error), 0);
    snprintf(path, sizeof(path), "%s/platform/guests/web", f->dir);
    /* a folder in the way of the rename */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_not_equal(
        state_store_write(f->s, STATE_GUEST, "web", "new", 3, f->error), 0);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(
        state_store_write(f->s, STATE_GUEST, "web", "new", 3, f->error), 0);
    assert_int_equal(
        state_store_read(f->s, STATE_GUEST, "web", &data, &size, f->error), 0);
    assert_string_equal((char *)data, "new");
    free(data);
}

static void test_names(void **state)
{
    char longest[STATE_NAME_MAX + 2];

    (void)state;
    memset(longest, 'a', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    assert_false(state_name_ok(longest));
    longest[STATE_NAME_MAX] = '\0';
    assert_true(state_name_ok(longest));
    assert_true(state_name_ok("Web-1_x"));
    for (const char *const *p =
             (const char *const[]){"", ".", "..", "a/b", "-a", "_a", "a.b",
                                   "a b", "\xc3\xa4", "a\n", NULL};
         *p != NULL; p++) {
        assert_false(state_name_ok(*p));
    }
}

int main(void)
{
    struct CMUnitTest tests[40] = {
        cmocka_unit_test(test_header__layout),
        cmocka_unit_test(test_any_bit_flipped__refused),
        cmocka_unit_test(test_nv_file__any_byte_flipped__refused),
        cmocka_unit_test(test_cut_at_any_length__refused),
        cmocka_unit_test(test_bytes_too_many__refused),
        cmocka_unit_test(test_empty_payload__is_read),
        cmocka_unit_test(test_another_kind__is_named),
        cmocka_unit_test(test_names),
#define WITH(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
        WITH(test_what_is_written__is_read_by_the_next_process),
        WITH(test_removed__is_gone),
        WITH(test_files_of_another_platform__are_refused),
        WITH(test_second_process__is_refused),
        WITH(test_lock__ends_with_its_process),
        WITH(test_guests__are_listed_sorted),
        WITH(test_nv__missing_is_1_and_a_wrong_size_fails),
        WITH(test_write_that_fails__is_told_and_can_be_repeated),
    };
    size_t n = 0;

    while (tests[n].name != NULL) {
        n++;
    }
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
        tests[n++] = (struct CMUnitTest){
            .name = TEXTS[i].name,
            .test_func = test_fault__is_named,
            .initial_state = (void *)(uintptr_t)&TEXTS[i],
        };
    }
    return _cmocka_run_group_tests("state_store", tests, n, NULL, NULL);
}
