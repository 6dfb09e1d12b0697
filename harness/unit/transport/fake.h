/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A device that needs nobody, and clients that are this test program itself,
 * started again as "PROGRAM client NAME" under seccomp_run(). A client checks
 * by itself with EXPECT and ends with status 0; the test looks at the status
 * and at the device's counters.
 */
#ifndef TRANSPORT_FAKE_H
#define TRANSPORT_FAKE_H

#include "seccomp.h"
#include "tst.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NODE        "/dev/swpsp-fake"
#define PRIVATE     "/dev/swpsp-private" /* 0600 */
#define DEEP        "/nowhere/at/all/node"
#define MINOR       117u
#define PROBE       "/sys/devices/platform/swpsp-probe" /* a directory */
#define CONTENTS    "/sys/swpsp-contents"               /* "Y\n" */
#define REGISTER    "/dev/swpsp-register" /* 8 bytes at REGISTER_AT */
#define REGISTER_AT 0xc0010131u

#define FAKE_NOP      0x5310u
#define FAKE_WRITABLE 0x5311u /* is the file writable? */
#define FAKE_ECHO     0x5312u /* adds 1 to each byte of a struct fake_echo's */
#define FAKE_SLOW     0x5313u /* arg milliseconds, then 7 */
#define FAKE_BLOCK    0x5314u /* until FAKE_RELEASE; 8 */
#define FAKE_RELEASE  0x5315u
#define FAKE_FAIL     0x5316u /* -arg */
#define FAKE_BLOCKED  0x5317u /* how many are in FAKE_BLOCK */
#define FAKE_REQUEST  0x5318u /* the last unknown request */

struct fake_echo {
    uint64_t data;
    uint64_t size;
    uint64_t result; /* written back */
};

struct fake {
    atomic_uint calls, echoes, slow, blocked, committed;
    atomic_uint unknown;
    pthread_mutex_t lock;
    pthread_cond_t released;
    bool release;
};

static struct fake fake = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .released = PTHREAD_COND_INITIALIZER,
};

static int64_t fake_do_echo(struct umem *um, uint64_t arg)
{
    struct fake_echo e;
    uint8_t buf[65536];
    int err = umem_read(um, arg, &e, sizeof(e));

    if (err == 0 && e.size <= sizeof(buf)) {
        err = umem_read(um, e.data, buf, (size_t)e.size);
    }
    if (err == 0) {
        err = umem_commit(um);
    }
    if (err != 0) {
        return err;
    }
    atomic_fetch_add(&fake.echoes, 1);
    for (uint64_t i = 0; i < e.size && i < sizeof(buf); i++) {
        buf[i]++;
    }
    err = umem_write(um, e.data, buf, (size_t)e.size);
    e.result = e.size;
    return err != 0 ? err : umem_write(um, arg, &e, sizeof(e));
}

static int64_t fake_do_block(struct umem *um)
{
    pthread_mutex_lock(&fake.lock);
    atomic_fetch_add(&fake.blocked, 1);
    while (!fake.release) {
        pthread_cond_wait(&fake.released, &fake.lock);
    }
    atomic_fetch_sub(&fake.blocked, 1);
    pthread_mutex_unlock(&fake.lock);
    if (umem_commit(um) == 0) {
        atomic_fetch_add(&fake.committed, 1);
    }
    return 8;
}

static void fake_release(bool yes)
{
    pthread_mutex_lock(&fake.lock);
    fake.release = yes;
    pthread_cond_broadcast(&fake.released);
    pthread_mutex_unlock(&fake.lock);
}

static int64_t fake_ioctl(void *dev, bool writable, uint32_t request,
                          uint64_t arg, struct umem *um)
{
    const struct timespec pause = {(time_t)(arg / 1000),
                                   (long)(arg % 1000) * 1000000};

    (void)dev;
    atomic_fetch_add(&fake.calls, 1);
    switch (request) {
    case FAKE_NOP:
        return 0;
    case FAKE_WRITABLE:
        return writable;
    case FAKE_ECHO:
        return fake_do_echo(um, arg);
    case FAKE_SLOW:
        atomic_fetch_add(&fake.slow, 1);
        nanosleep(&pause, NULL);
        return 7;
    case FAKE_BLOCK:
        return fake_do_block(um);
    case FAKE_RELEASE:
        fake_release(true);
        return 0;
    case FAKE_FAIL:
        return -(int64_t)arg;
    case FAKE_BLOCKED:
        return atomic_load(&fake.blocked);
    case FAKE_REQUEST:
        return atomic_load(&fake.unknown);
    default:
        atomic_store(&fake.unknown, request);
        return -EDOM; /* nothing else says so */
    }
}

static const struct chardev_ops fake_ops = {fake_ioctl};

static inline struct run_node fake_node(const char *path, uint32_t mode)
{
    return (struct run_node){
        .path = path,
        .dev = {.name = "fake", .ops = &fake_ops},
        .mode = mode,
        .minor = MINOR,
    };
}

/** Run @argv with the standard nodes and probes; the test fails unless it could
 * be started. @base may be NULL. Returns the exit status. */
static inline int fake_run(const struct run_config *base, char *const *argv)
{
    const struct run_node nodes[] = {
        fake_node(NODE, 0666), fake_node(PRIVATE, 0600), fake_node(DEEP, 0666)};
    const struct run_probe probes[] = {
        {.path = PROBE, .directory = true},
        {.path = CONTENTS, .contents = "Y\n", .contents_size = 2},
        {.path = REGISTER,
         .contents = "\1\2\3\4\5\6\7\10",
         .contents_size = 8,
         .contents_at = REGISTER_AT,
         .device = makedev(202, 7),
         .mode = 0640},
    };
    struct run_config config = base != NULL ? *base : (struct run_config){0};
    char error[RUN_ERROR_SIZE];
    int status = -1;
    int err;

    if (config.nodes == NULL) {
        config.nodes = nodes;
        config.node_count = 3;
    }
    if (config.probes == NULL) {
        config.probes = probes;
        config.probe_count = 3;
    }
    config.argv = argv;
    fake_release(false);
    err = seccomp_run(&config, &status, error);
    if (err != 0) {
        fail_msg("seccomp_run: %d: %s", err, error);
    }
    return status;
}

struct client {
    const char *name; /* of the test as well */
    void (*run)(void);
};

/** In a client: complain and end with status 1. */
#define EXPECT(condition)                                                      \
    do {                                                                       \
        if (!(condition)) {                                                    \
            fprintf(stderr, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__,      \
                    #condition, errno);                                        \
            _exit(1);                                                          \
        }                                                                      \
    } while (0)
#define EXPECT_ERRNO(call, number)                                             \
    do {                                                                       \
        errno = 0;                                                             \
        EXPECT((call) == -1);                                                  \
        EXPECT(errno == (number));                                             \
    } while (0)

/** In a client: open the node, which must work. */
static inline int open_node(int flags)
{
    int fd = open(NODE, flags);

    EXPECT(fd >= 0);
    return fd;
}

/** In a client: wait for a child; its exit status must be 0. */
static inline void expect_child(pid_t pid)
{
    int status = -1;

    EXPECT(waitpid(pid, &status, 0) == pid);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static inline const char *self_path(void)
{
    static char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

    path[n > 0 ? n : 0] = '\0';
    return path;
}

/** Run one client of this program. */
static inline int run_client(const struct run_config *base, const char *name)
{
    char *argv[] = {tst_dup(self_path(), strlen(self_path()) + 1),
                    tst_dup("client", 7), tst_dup(name, strlen(name) + 1),
                    NULL};
    int status = fake_run(base, argv);

    for (int i = 0; i < 3; i++) {
        free(argv[i]);
    }
    return status;
}

/** The cmocka test of a client: it ends with 0. */
static inline void test_client(void **state)
{
    const struct client *c = *state;

    assert_int_equal(run_client(NULL, c->name), 0);
}

static inline struct CMUnitTest client_test(struct client *c)
{
    return (struct CMUnitTest){
        .name = c->name, .test_func = test_client, .initial_state = c};
}

/** For main(): run the client that argv asks for, if it asks for one, and end
 * at once: a leak checker could not work in some of them (chroot, limits). */
static inline void be_client(int argc, char **argv,
                             const struct client *clients, size_t count)
{
    for (size_t i = 0; i < count && argc >= 3; i++) {
        if (strcmp(argv[1], "client") == 0 &&
            strcmp(argv[2], clients[i].name) == 0) {
            clients[i].run();
            _exit(0);
        }
    }
}

#endif
