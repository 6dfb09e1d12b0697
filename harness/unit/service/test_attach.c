/* SPDX-License-Identifier: Apache-2.0 */
/* A device at the other end of a socket answers as the device itself does, and
 * touches the client's memory no more than it does. */
#include "tst.h"

#include "control_client.h"
#include "serve_attach.h"
#include "umem_array.h"
#include "wire.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ARG   0x1000u
#define INNER 0x2000u
#define OUT   0x3000u

/* A driver with the shape of the real ones: an envelope with two pointers, an
 * inner struct, an output, and the envelope again whatever happens. */
struct driver {
    unsigned int executed;
    int64_t result;
};

static int64_t driver_ioctl(void *ctx, bool writable, uint32_t request,
                            uint64_t arg, struct umem *um)
{
    struct driver *d = ctx;
    uint8_t envelope[24] = {0}, inner[32] = {0};
    struct psp_rd r = psp_rd(envelope, sizeof(envelope));
    uint64_t in, out;
    int rc;

    if (request == 0xdead) {
        return -ENOTTY;
    }
    rc = umem_plan_write(um, arg, sizeof(envelope));
    if (rc == 0) {
        rc = umem_read(um, arg, envelope, sizeof(envelope));
    }
    if (rc != 0) {
        return rc;
    }
    in = psp_rd_le64(&r);
    out = psp_rd_le64(&r);
    rc = umem_plan_write(um, out, sizeof(inner));
    if (rc == 0) {
        rc = umem_read(um, in, inner, sizeof(inner));
    }
    if (rc != 0) {
        return rc;
    }
    rc = umem_commit(um);
    if (rc != 0) {
        return rc;
    }
    d->executed++;
    for (size_t i = 0; i < sizeof(inner); i++) {
        inner[i] = (uint8_t)(inner[i] + 1);
    }
    envelope[16] = writable ? 0xaa : 0xbb;
    rc = umem_write(um, out, inner, sizeof(inner));
    if (umem_write(um, arg, envelope, sizeof(envelope)) != 0) {
        rc = -EFAULT;
    }
    return rc != 0 ? rc : d->result;
}

static const struct chardev_ops DRIVER_OPS = {.ioctl = driver_ioctl};

/* --- a daemon of one device --- */

struct fixture {
    char *dir;
    char path[600];
    int listener;
    pthread_t thread;
    struct driver driver;
    struct control_device *dev;
};

static void serve_one(struct fixture *f, int fd)
{
    struct serve_attach a = {
        .dev = {"sev-guest", &DRIVER_OPS, &f->driver},
        .stall_ms = 2000,
    };
    static const char answer[] =
        "{\"v\":1,\"id\":1,\"ok\":true,\"result\":{}}\n";
    struct control_io io;
    char *line = NULL;

    control_io_init(&io, fd, NULL);
    if (control_read_line(&io, 2000, 2000, &line) > 0 &&
        control_write(fd, answer, sizeof(answer) - 1, 2000) == 0) {
        (void)serve_attach_run(&a, &io);
    }
    free(line);
    control_io_clear(&io);
    close(fd);
}

/* One connection after the other is enough here. */
static void *serve_all(void *arg)
{
    struct fixture *f = arg;
    int fd;

    while ((fd = accept(f->listener, NULL, NULL)) >= 0) {
        serve_one(f, fd);
    }
    return NULL;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    char error[CONTROL_ERROR_SIZE] = "";

    f->dir = tst_mkdtemp();
    snprintf(f->path, sizeof(f->path), "%s/s", f->dir);
    strcpy(addr.sun_path, f->path);
    f->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(f->listener, (struct sockaddr *)&addr, sizeof(addr)),
                     0);
    assert_int_equal(listen(f->listener, 8), 0);
    assert_int_equal(pthread_create(&f->thread, NULL, serve_all, f), 0);
    assert_int_equal(control_device_open(f->path, "web", &f->dev, error), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    control_device_close(f->dev);
    shutdown(f->listener, SHUT_RDWR);
    pthread_join(f->thread, NULL);
    close(f->listener);
    tst_rmdir(f->dir);
    free(f);
    return 0;
}

/* --- the same ioctl here and there --- */

struct memory {
    struct umem_array ua;
    uint8_t envelope[24], inner[32], out[32];
};

struct fault {
    const char *name;
    bool no_envelope, no_inner, no_out, readonly_envelope, readonly_out;
    bool writable;
    uint32_t request;
    uint64_t in, out;
    int64_t result;
};

static void fill(struct memory *m, const struct fault *c)
{
    struct psp_wr w = psp_wr(m->envelope, sizeof(m->envelope));

    memset(m, 0, sizeof(*m));
    umem_array_init(&m->ua);
    psp_wr_le64(&w, c->in);
    psp_wr_le64(&w, c->out);
    memset(m->inner, 0x41, sizeof(m->inner));
    if (!c->no_envelope) {
        umem_array_map(&m->ua, ARG, m->envelope, sizeof(m->envelope),
                       c->readonly_envelope);
    }
    if (!c->no_inner) {
        umem_array_map(&m->ua, INNER, m->inner, sizeof(m->inner), false);
    }
    if (!c->no_out) {
        umem_array_map(&m->ua, OUT, m->out, sizeof(m->out), c->readonly_out);
    }
}

static const struct fault CASES[] = {
    {"success", .in = INNER, .out = OUT, .writable = true},
    {"read_only_file", .in = INNER, .out = OUT},
    {"positive_result", .in = INNER, .out = OUT, .result = 7},
    {"errno", .in = INNER, .out = OUT, .result = -EIO},
    {"no_driver_errno_is_lost", .in = INNER, .out = OUT, .result = -ENOSPC},
    {"unknown_request", .request = 0xdead},
    {"envelope_unmapped", .no_envelope = true},
    {"inner_unmapped", .no_inner = true, .in = INNER, .out = OUT},
    {"inner_null", .in = 0, .out = OUT},
    {"inner_in_kernel", .in = 1ull << 63, .out = OUT},
    {"out_unmapped", .no_out = true, .in = INNER, .out = OUT},
    {"out_in_kernel", .in = INNER, .out = ~0ull},
    {"out_read_only", .readonly_out = true, .in = INNER, .out = OUT},
    {"envelope_read_only", .readonly_envelope = true, .in = INNER, .out = OUT},
    {"both_read_only", .readonly_envelope = true, .readonly_out = true,
     .in = INNER, .out = OUT},
    {"inner_is_envelope", .in = ARG - 8, .out = OUT},
};

static struct {
    const struct fault *c;
    struct fixture *f;
} current;

static int setup_case(void **state)
{
    current.c = *state;
    return setup(state);
}

static void test_ioctl__is_the_same_over_the_socket(void **state)
{
    struct fixture *f = *state;
    const struct fault *c = current.c;
    struct driver local_driver = {.result = c->result};
    const struct chardev local = {"x", &DRIVER_OPS, &local_driver};
    struct chardev remote = control_device_chardev(f->dev);
    uint32_t request = c->request == 0 ? 1 : c->request;
    struct memory here, there;

    f->driver.result = c->result;
    fill(&here, c);
    fill(&there, c);
    assert_int_equal(
        umem_array_ioctl(&there.ua, &remote, c->writable, request, ARG),
        umem_array_ioctl(&here.ua, &local, c->writable, request, ARG));
    assert_memory_equal(there.envelope, here.envelope, sizeof(here.envelope));
    assert_memory_equal(there.inner, here.inner, sizeof(here.inner));
    assert_memory_equal(there.out, here.out, sizeof(here.out));
    assert_int_equal(f->driver.executed, local_driver.executed);
    assert_int_equal(umem_array_count(&there.ua, UMEM_READ),
                     umem_array_count(&here.ua, UMEM_READ));
}

static void test_daemon_gone__enodev(void **state)
{
    struct fixture *f = *state;
    struct chardev dev = control_device_chardev(f->dev);
    struct memory m;

    assert_int_equal(unlink(f->path), 0);
    shutdown(f->listener, SHUT_RDWR);
    fill(&m, &CASES[0]);
    /* the connection that is there goes on */
    assert_int_equal(umem_array_ioctl(&m.ua, &dev, true, 1, ARG), 0);
    f->driver.result = -ENODEV; /* makes the client drop it */
    assert_int_equal(umem_array_ioctl(&m.ua, &dev, true, 1, ARG), -ENODEV);
    f->driver.result = 0;
    assert_int_equal(umem_array_ioctl(&m.ua, &dev, true, 1, ARG), -ENODEV);
    assert_int_equal(f->driver.executed, 2);
}

static int never(struct umem *um)
{
    (void)um;
    return -EINTR;
}

static struct umem_ops killed_ops;

static void test_client_killed_meanwhile__its_memory_is_left_alone(void **state)
{
    struct fixture *f = *state;
    struct chardev dev = control_device_chardev(f->dev);
    struct memory m;

    fill(&m, &CASES[0]);
    killed_ops = *m.ua.um.ops;
    killed_ops.commit = never;
    m.ua.um.ops = &killed_ops;
    assert_int_equal(dev.ops->ioctl(dev.dev, true, 1, ARG, &m.ua.um), -EINTR);
    assert_int_equal(umem_array_count(&m.ua, UMEM_WRITE), 0);
}

/* --- lines --- */

static void pair(int fd[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
}

static void test_lines__come_one_by_one(void **state)
{
    struct control_io io;
    char *line = NULL;
    int fd[2];

    (void)state;
    pair(fd);
    control_io_init(&io, fd[0], NULL);
    assert_int_equal(write(fd[1], "one\n\ntw", 7), 7);
    assert_int_equal(control_read_line(&io, 100, 100, &line), 3);
    assert_string_equal(line, "one");
    free(line);
    assert_int_equal(control_read_line(&io, 100, 100, &line), 0);
    free(line);
    assert_int_equal(control_read_line(&io, 20, 20, &line), -ETIMEDOUT);
    assert_int_equal(write(fd[1], "o\nrest", 6), 6);
    assert_int_equal(control_read_line(&io, 100, 100, &line), 3);
    assert_string_equal(line, "two");
    free(line);
    close(fd[1]);
    assert_int_equal(control_read_line(&io, 100, 100, &line), -ENODATA);
    control_io_clear(&io);
    close(fd[0]);
}

static void *pour(void *arg)
{
    static char junk[65536];
    int fd = *(int *)arg;

    memset(junk, 'x', sizeof(junk));
    while (send(fd, junk, sizeof(junk), MSG_NOSIGNAL) > 0) {
    }
    return NULL;
}

static void expect_line_error(atomic_size_t *budget, int64_t want)
{
    struct control_io io;
    pthread_t thread;
    char *line = NULL;
    int fd[2];

    pair(fd);
    control_io_init(&io, fd[0], budget);
    assert_int_equal(pthread_create(&thread, NULL, pour, &fd[1]), 0);
    assert_int_equal(control_read_line(&io, 5000, 5000, &line), want);
    control_io_clear(&io);
    close(fd[0]);
    pthread_join(thread, NULL);
    close(fd[1]);
}

static void test_line_without_end__is_refused(void **state)
{
    (void)state;
    expect_line_error(NULL, -EMSGSIZE);
}

static void test_budget__is_kept_and_given_back(void **state)
{
    atomic_size_t budget;

    (void)state;
    atomic_init(&budget, 1 << 20);
    expect_line_error(&budget, -ENOBUFS);
    assert_int_equal(atomic_load(&budget), 1 << 20);
}

static void test_reader_that_does_not_read__times_out(void **state)
{
    static char junk[4 << 20];
    int fd[2];

    (void)state;
    pair(fd);
    assert_int_equal(control_write(fd[0], junk, sizeof(junk), 50), -ETIMEDOUT);
    close(fd[1]);
    assert_int_equal(control_write(fd[0], junk, 1, 50), -EPIPE);
    close(fd[0]);
}

int main(void)
{
    enum { FIXED = 6, COUNT = sizeof(CASES) / sizeof(CASES[0]) };
    struct CMUnitTest tests[COUNT + FIXED] = {
        cmocka_unit_test_setup_teardown(test_daemon_gone__enodev, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            test_client_killed_meanwhile__its_memory_is_left_alone, setup,
            teardown),
        cmocka_unit_test(test_lines__come_one_by_one),
        cmocka_unit_test(test_line_without_end__is_refused),
        cmocka_unit_test(test_budget__is_kept_and_given_back),
        cmocka_unit_test(test_reader_that_does_not_read__times_out),
    };

    for (size_t i = 0; i < COUNT; i++) {
        tests[FIXED + i] = (struct CMUnitTest){
            .name = CASES[i].name,
            .test_func = test_ioctl__is_the_same_over_the_socket,
            .setup_func = setup_case,
            .teardown_func = teardown,
            .initial_state = (void *)(uintptr_t)&CASES[i],
        };
    }
    return cmocka_run_group_tests_name("attach", tests, NULL, NULL);
}
