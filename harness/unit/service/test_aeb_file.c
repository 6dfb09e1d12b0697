/* SPDX-License-Identifier: Apache-2.0 */
/* How long the broker holds /dev/sev: one opening for commands in a row, none
 * when nobody asks, and never long one that was taken away. ioctl(2) is this
 * file's, so that a device can vanish; open(2) and close(2) are Linux's. */
#include "aeb_file.h"
#include "sleep_ms.h"
#include "tst.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CMD      5u
#define PATIENCE 500 /* times 10 ms: for what takes AEB_FILE_MS */
#define THREADS  8

static struct {
    int err;            /* of each command */
    atomic_ulong dead;  /* file with nobody behind it */
    atomic_ulong inode; /* of the last command's file */
    atomic_uint calls;
    unsigned int sleep; /* ms, within a command */
} script;

static char *dir;
static char path[128];
static struct aeb_file *file;
static struct aeb_device dev;

int ioctl(int fd, unsigned long request, ...)
{
    struct stat st;
    int err = script.err;

    (void)request;
    atomic_fetch_add(&script.calls, 1);
    if (script.sleep != 0) {
        sleep_ms(NULL, script.sleep);
    }
    if (fstat(fd, &st) != 0) { /* EBADF: closed while it was in use */
        return -1;
    }
    atomic_store(&script.inode, st.st_ino);
    if (st.st_ino == atomic_load(&script.dead)) {
        err = ENOTCONN;
    }
    errno = err;
    return err == 0 ? 0 : -1;
}

static void place(void)
{
    char other[sizeof(path) + 4];

    snprintf(other, sizeof(other), "%s.new", path);
    tst_write_file(other, "", 0);
    assert_int_equal(rename(other, path), 0);
}

static ino_t placed(void)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_ino;
}

static int setup(void **state)
{
    (void)state;
    memset(&script, 0, sizeof(script));
    dir = tst_mkdtemp();
    snprintf(path, sizeof(path), "%s/sev", dir);
    place();
    if (aeb_file_new(path, &file) != 0) {
        return -1;
    }
    dev = aeb_file_device(file);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    aeb_file_free(file);
    tst_rmdir(dir);
    return 0;
}

static int command(void)
{
    uint32_t fw;

    return dev.command(dev.ctx, CMD, NULL, &fw);
}

/* Descriptors of this process that are of files in dir, whatever became of
 * them. */
static unsigned int openings(void)
{
    DIR *fds = opendir("/proc/self/fd");
    unsigned int n = 0;
    struct dirent *d;

    assert_non_null(fds);
    while ((d = readdir(fds)) != NULL) {
        char link[300];
        char text[256] = "";

        snprintf(link, sizeof(link), "/proc/self/fd/%s", d->d_name);
        if (readlink(link, text, sizeof(text) - 1) > 0) {
            n += strncmp(text, dir, strlen(dir)) == 0;
        }
    }
    closedir(fds);
    return n;
}

static void wait_for_no_opening(void)
{
    for (int i = 0; i < PATIENCE && openings() != 0; i++) {
        sleep_ms(NULL, 10);
    }
    assert_int_equal(openings(), 0);
}

static void command__first__opens_and_soon_closes(void **state)
{
    (void)state;
    assert_int_equal(openings(), 0);
    assert_int_equal(command(), 0);
    assert_int_equal(script.inode, placed());
    wait_for_no_opening();
    assert_int_equal(command(), 0);
    assert_int_equal(script.calls, 2);
    wait_for_no_opening();
}

static void command__many__at_most_one_opening(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(command(), 0);
        assert_in_range(openings(), 0, 1);
    }
    assert_int_equal(script.calls, 100);
}

static void free__with_an_opening__closed(void **state)
{
    (void)state;
    assert_int_equal(command(), 0);
    aeb_file_free(file);
    file = NULL;
    assert_int_equal(openings(), 0);
}

static void command__no_file__errno_of_open(void **state)
{
    (void)state;
    assert_int_equal(unlink(path), 0);
    assert_int_equal(command(), -ENOENT);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(command(), -EISDIR);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(script.calls, 0);
    place();
    assert_int_equal(command(), 0);
}

/* Asked without a pause, so that only the opening's age ends it. */
static void command__replaced__noticed_while_busy(void **state)
{
    (void)state;
    assert_int_equal(command(), 0);
    place();
    for (int i = 0; i < PATIENCE && script.inode != placed(); i++) {
        assert_int_equal(command(), 0);
        sleep_ms(NULL, 10);
    }
    assert_int_equal(script.inode, placed());
}

static void command__removed__noticed_while_busy(void **state)
{
    int err = 0;

    (void)state;
    assert_int_equal(command(), 0);
    assert_int_equal(unlink(path), 0);
    for (int i = 0; i < PATIENCE && err == 0; i++) {
        err = command();
        sleep_ms(NULL, 10);
    }
    assert_int_equal(err, -ENOENT);
}

/* Once used, then dead: 0 and opened anew or what open says. If the time of the
 * opening was over before, again. */
static void die_after_use(int (*next)(void), int err)
{
    for (int i = 0; i < PATIENCE && script.calls != 2; i++) {
        script.dead = 0;
        place();
        assert_int_equal(command(), 0);
        script.dead = placed();
        assert_int_equal(next(), 0);
        script.calls = 0;
        assert_int_equal(command(), err);
        if (err != 0) {
            script.calls++; /* there is nothing that could be asked */
        }
    }
    assert_int_equal(script.calls, 2);
}

static int replace(void)
{
    place();
    return 0;
}

static int take_away(void)
{
    return unlink(path);
}

static void command__nobody_behind_it__opened_anew_at_once(void **state)
{
    (void)state;
    die_after_use(replace, 0);
    assert_int_equal(script.inode, placed());
}

static void command__nobody_behind_it_and_gone__errno_of_open(void **state)
{
    (void)state;
    die_after_use(take_away, -ENOENT);
}

static void command__fresh_and_nobody_behind_it__told(void **state)
{
    (void)state;
    script.dead = placed();
    assert_int_equal(command(), -ENOTCONN);
    assert_int_equal(script.calls, 1);
    assert_int_equal(openings(), 0);
    assert_int_equal(command(), -ENOTCONN);
    assert_int_equal(script.calls, 2);
    script.dead = 0;
    assert_int_equal(command(), 0);
}

/* What a driver says is its answer. */
static void command__other_errors__not_repeated(void **state)
{
    static const int errors[] = {ENODEV,       EIO,       EBUSY, EINVAL,
                                 ECONNABORTED, ETIMEDOUT, ENXIO};

    (void)state;
    assert_int_equal(command(), 0);
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        script.calls = 0;
        script.err = errors[i];
        assert_int_equal(command(), -errors[i]);
        assert_int_equal(script.calls, 1);
    }
}

static void command__outlives_the_opening__not_closed_under_it(void **state)
{
    (void)state;
    script.sleep = 3 * AEB_FILE_MS;
    assert_int_equal(command(), 0);
    wait_for_no_opening();
}

static void *ask_often(void *ctx)
{
    atomic_int *failed = ctx;

    for (int i = 0; i < 300; i++) {
        atomic_fetch_add(failed, command() != 0);
        sleep_ms(NULL, 1);
    }
    return NULL;
}

static void command__from_many_threads__none_fails(void **state)
{
    pthread_t thread[THREADS];
    atomic_int failed = 0;

    (void)state;
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, ask_often, &failed),
                         0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
    }
    assert_int_equal(failed, 0);
    assert_int_equal(script.calls, THREADS * 300);
    wait_for_no_opening();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(command__first__opens_and_soon_closes),
        TEST(command__many__at_most_one_opening),
        TEST(free__with_an_opening__closed),
        TEST(command__no_file__errno_of_open),
        TEST(command__replaced__noticed_while_busy),
        TEST(command__removed__noticed_while_busy),
        TEST(command__nobody_behind_it__opened_anew_at_once),
        TEST(command__nobody_behind_it_and_gone__errno_of_open),
        TEST(command__fresh_and_nobody_behind_it__told),
        TEST(command__other_errors__not_repeated),
        TEST(command__outlives_the_opening__not_closed_under_it),
        TEST(command__from_many_threads__none_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
