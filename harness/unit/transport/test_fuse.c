/* SPDX-License-Identifier: Apache-2.0 */
/* The FUSE transport on this machine: mounts, a device of its own, and the
 * client programs against a simulated machine. Skipped where nothing can be
 * mounted. */
#include "tst.h"

#include "fusedev.h"
#include "fusedev_impl.h"
#include "sim_devices.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TOY_ECHO     0xc0185a01u /* _IOWR: struct toy_echo, 24 bytes */
#define TOY_WRITABLE 0x5a02u
#define TOY_FAIL     0x5a03u /* -arg */
#define TOY_BLOCK    0x5a04u /* until toy_release() */
#define TOY_REQUEST  0x5a05u
#define TOY_MIDDLE   0xc0185a06u /* writes bytes 8..15 of the struct only */
#define TOY_OUT_ONLY 0x80185a07u /* _IOR: writes bytes 0..7 */

struct toy_echo {
    uint64_t data, size, done;
};

static struct {
    atomic_uint echoes, blocked, unknown;
    pthread_mutex_t lock;
    pthread_cond_t change;
    bool release;
} toy = {.lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER};

static int64_t toy_do_echo(struct umem *um, uint64_t arg)
{
    struct toy_echo e;
    uint8_t buf[65536];
    int err = umem_read(um, arg, &e, sizeof(e));

    if (err == 0 && e.size > sizeof(buf)) {
        err = -EINVAL;
    }
    if (err == 0) {
        err = umem_read(um, e.data, buf, (size_t)e.size);
    }
    if (err == 0) {
        err = umem_commit(um);
    }
    if (err != 0) {
        return err;
    }
    atomic_fetch_add(&toy.echoes, 1);
    for (uint64_t i = 0; i < e.size; i++) {
        buf[i]++;
    }
    err = umem_write(um, e.data, buf, (size_t)e.size);
    e.done = e.size;
    return err != 0 ? err : umem_write(um, arg, &e, sizeof(e));
}

static int64_t toy_do_block(void)
{
    pthread_mutex_lock(&toy.lock);
    atomic_fetch_add(&toy.blocked, 1);
    while (!toy.release) {
        pthread_cond_wait(&toy.change, &toy.lock);
    }
    atomic_fetch_sub(&toy.blocked, 1);
    pthread_mutex_unlock(&toy.lock);
    return 8;
}

static void toy_release(bool yes)
{
    pthread_mutex_lock(&toy.lock);
    toy.release = yes;
    pthread_cond_broadcast(&toy.change);
    pthread_mutex_unlock(&toy.lock);
}

static int64_t toy_ioctl(void *dev, bool writable, uint32_t request,
                         uint64_t arg, struct umem *um)
{
    static const uint8_t eight[8] = {9, 9, 9, 9, 9, 9, 9, 9};

    (void)dev;
    switch (request) {
    case TOY_ECHO:
        return toy_do_echo(um, arg);
    case TOY_WRITABLE:
        return writable;
    case TOY_FAIL:
        return -(int64_t)arg;
    case TOY_BLOCK:
        return toy_do_block();
    case TOY_MIDDLE:
        return umem_write(um, arg + 8, eight, 8);
    case TOY_OUT_ONLY:
        return umem_write(um, arg, eight, 8);
    case TOY_REQUEST:
        return atomic_load(&toy.unknown) >> 16;
    default:
        atomic_store(&toy.unknown, request);
        return -EDOM;
    }
}

static const struct chardev_ops TOY_OPS = {.ioctl = toy_ioctl};
static const struct fusedev_node TOYS[] = {
    {.name = "toy", .dev = {"toy", &TOY_OPS, NULL}, .mode = 0666},
    {.name = "private", .dev = {"toy", &TOY_OPS, NULL}, .mode = 0600},
};

/* --- a mount for each test --- */

struct mount {
    char *dir;
    char toy[256], private_toy[256];
    struct fusedev *fd;
    atomic_uint gone;
};

static void count_gone(void *ctx)
{
    struct mount *m = ctx;

    atomic_fetch_add(&m->gone, 1);
}

static struct mount *mount_new(void)
{
    struct mount *m = calloc(1, sizeof(*m));
    struct fusedev_config config = {
        .nodes = TOYS, .node_count = 2, .gone = count_gone, .ctx = m};
    char error[FUSEDEV_ERROR_SIZE] = "";
    int err;

    assert_non_null(m);
    m->dir = tst_mkdtemp();
    config.path = m->dir;
    snprintf(m->toy, sizeof(m->toy), "%s/toy", m->dir);
    snprintf(m->private_toy, sizeof(m->private_toy), "%s/private", m->dir);
    toy_release(false);
    assert_int_equal(chmod(m->dir, 0755), 0);
    err = fusedev_start(&config, &m->fd, error);
    if (err == -EPERM || err == -ENOENT || err == -ENODEV || err == -EACCES) {
        print_message("SKIP fuse: %s\n", error);
        tst_rmdir(m->dir);
        free(m);
        skip();
    }
    assert_int_equal(err, 0);
    return m;
}

static void mount_free(struct mount *m)
{
    fusedev_stop(m->fd);
    tst_rmdir(m->dir); /* fails the test if something is left in it */
    free(m);
}

static int open_toy(const struct mount *m, int flags)
{
    int fd = open(m->toy, flags | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

/* --- what stat and open say --- */

static void node__stat__regular_file_with_mode(void **state)
{
    struct mount *m = mount_new();
    struct stat st;

    (void)state;
    assert_int_equal(stat(m->toy, &st), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0666);
    assert_int_equal(st.st_size, 0);
    assert_int_equal(stat(m->private_toy, &st), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0600);
    assert_int_equal(stat(m->dir, &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    mount_free(m);
}

static void directory__listed__the_nodes(void **state)
{
    struct mount *m = mount_new();
    const char *const argv[] = {"ls", "-a", m->dir, NULL};
    char *text;

    (void)state;
    assert_int_equal(tst_run(&text, argv), 0);
    assert_string_equal(text, ".\n..\nprivate\ntoy\n");
    free(text);
    mount_free(m);
}

static void node__chmod__kept_and_enforced(void **state)
{
    struct mount *m = mount_new();
    struct stat st;

    (void)state;
    assert_int_equal(chmod(m->toy, 0640), 0);
    assert_int_equal(chown(m->toy, 12, 34), 0);
    assert_int_equal(stat(m->toy, &st), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0640);
    assert_int_equal(st.st_uid, 12);
    assert_int_equal(st.st_gid, 34);
    mount_free(m);
}

/* A child without privileges tries to open; its errno. */
static int open_as_nobody(const char *path)
{
    int status = -1;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        if (setgid(65534) != 0 || setuid(65534) != 0) {
            _exit(200);
        }
        _exit(open(path, O_RDONLY) >= 0 ? 0 : errno);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

static void node__opened_by_another_user__by_its_mode(void **state)
{
    struct mount *m;

    (void)state;
    if (getuid() != 0) {
        skip();
    }
    m = mount_new();
    assert_int_equal(open_as_nobody(m->toy), 0);
    assert_int_equal(open_as_nobody(m->private_toy), EACCES);
    mount_free(m);
}

static void node__opened_with_truncation__opens(void **state)
{
    struct mount *m = mount_new();
    int fd = open(m->toy, O_WRONLY | O_TRUNC);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    mount_free(m);
}

static void open__access_mode__reaches_the_device(void **state)
{
    static const struct {
        int flags, writable;
    } rows[] = {{O_RDONLY, 0}, {O_WRONLY, 1}, {O_RDWR, 1}, {O_ACCMODE, 0}};
    struct mount *m = mount_new();
    int fd[4];

    (void)state;
    for (int i = 0; i < 4; i++) {
        fd[i] = open_toy(m, rows[i].flags);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(ioctl(fd[i], TOY_WRITABLE), rows[i].writable);
        close(fd[i]);
    }
    mount_free(m);
}

static void file__other_operations__as_a_device(void **state)
{
    struct mount *m = mount_new();
    int fd = open_toy(m, O_RDWR);
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};
    char c = 0;

    (void)state;
    assert_int_equal(read(fd, &c, 1), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(write(fd, &c, 1), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), -1);
    assert_int_equal(errno, ESPIPE);
    assert_int_equal(poll(&p, 1, 0), 1);
    assert_int_equal(p.revents, POLLIN | POLLOUT);
    close(fd);
    mount_free(m);
}

/* --- ioctls --- */

static void ioctl__nested_memory__read_and_written(void **state)
{
    struct mount *m = mount_new();
    int fd = open_toy(m, O_RDONLY);
    uint8_t *data = malloc(65536);
    struct toy_echo e = {.data = (uintptr_t)data, .size = 65536};

    (void)state;
    assert_non_null(data);
    memset(data, 0x41, 65536);
    assert_int_equal(ioctl(fd, TOY_ECHO, &e), 0);
    assert_int_equal(data[0], 0x42);
    assert_int_equal(data[65535], 0x42);
    assert_int_equal(e.done, 65536);
    e.data = 8;
    assert_int_equal(ioctl(fd, TOY_ECHO, &e), -1);
    assert_int_equal(errno, EFAULT);
    free(data);
    close(fd);
    mount_free(m);
}

static void ioctl__errors__all_come_through(void **state)
{
    static const int errors[] = {1, 5, 14, 22, 25, 74, 110, 511, 512, 524};
    struct mount *m = mount_new();
    int fd = open_toy(m, O_RDONLY);

    (void)state;
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        errno = 0;
        assert_int_equal(ioctl(fd, TOY_FAIL, (long)errors[i]), -1);
        assert_int_equal(errno, errors[i]);
    }
    close(fd);
    mount_free(m);
}

static void ioctl__request_number__is_unsigned(void **state)
{
    struct mount *m = mount_new();
    int fd = open_toy(m, O_RDONLY);
    uint8_t arg[8] = {0};

    (void)state;
    assert_int_equal(ioctl(fd, 0x80085aee, arg), -1);
    assert_int_equal(errno, EDOM);
    assert_int_equal(ioctl(fd, TOY_REQUEST), 0x8008);
    close(fd);
    mount_free(m);
}

static void ioctl__part_of_the_struct_written__the_rest_is_kept(void **state)
{
    struct mount *m = mount_new();
    int fd = open_toy(m, O_RDONLY);
    uint64_t words[3] = {1, 2, 3};

    (void)state;
    assert_int_equal(ioctl(fd, TOY_MIDDLE, words), 0);
    assert_int_equal(words[0], 1);
    assert_true(words[1] == 0x0909090909090909ull);
    assert_int_equal(words[2], 3);
    words[1] = 2;
    assert_int_equal(ioctl(fd, TOY_OUT_ONLY, words), 0);
    assert_true(words[0] == 0x0909090909090909ull);
    assert_int_equal(words[1], 2);
    close(fd);
    mount_free(m);
}

/* --- the memory of one ioctl, without a mount --- */

static void umem__client_not_visible__envelope_only(void **state)
{
    uint8_t in[16] = {1, 2, 3}, out[16], buf[16];
    struct fusedev_umem fum;

    (void)state;
    fusedev_umem_init(&fum, 0, 0x1000, in, 16, out, 16);
    assert_int_equal(umem_read(&fum.um, 0x1000, buf, 16), 0);
    assert_memory_equal(buf, in, 16);
    assert_int_equal(umem_read(&fum.um, 0x1008, buf, 8), 0);
    assert_int_equal(umem_read(&fum.um, 0x1008, buf, 9), -EFAULT);
    assert_int_equal(umem_read(&fum.um, 0xfff, buf, 1), -EFAULT);
    assert_int_equal(umem_write(&fum.um, 0x1010, buf, 1), -EFAULT);
    assert_int_equal(fum.reply, 0);
    assert_int_equal(umem_write(&fum.um, 0x1004, buf, 4), 0);
    assert_int_equal(fum.reply, 8);
    assert_int_equal(out[0], 1);
}

static void umem__gap_in_the_reply__written_directly(void **state)
{
    uint8_t memory[16] = {0}, out[16];
    static const uint8_t five[4] = {5, 5, 5, 5};
    struct fusedev_umem fum;

    (void)state;
    fusedev_umem_init(&fum, getpid(), (uintptr_t)memory, NULL, 0, out, 16);
    assert_int_equal(
        umem_write(&fum.um, (uintptr_t)memory + 8, five, sizeof(five)), 0);
    assert_int_equal(fum.reply, 0);
    assert_int_equal(memory[8], 5);
    assert_int_equal(umem_write(&fum.um, (uintptr_t)memory, five, sizeof(five)),
                     0);
    assert_int_equal(fum.reply, 4);
    assert_int_equal(memory[0], 0);
}

/* --- several at once, and endings --- */

struct blocker {
    int fd;
    int result, error;
};

static void *block(void *arg)
{
    struct blocker *b = arg;

    b->result = ioctl(b->fd, TOY_BLOCK);
    b->error = errno;
    return NULL;
}

static void wait_blocked(unsigned int count)
{
    const struct timespec tick = {.tv_nsec = 1000000};

    for (int i = 0; i < 20000 && atomic_load(&toy.blocked) != count; i++) {
        nanosleep(&tick, NULL);
    }
    assert_int_equal(atomic_load(&toy.blocked), count);
}

#define BLOCKERS 8

static void ioctls__many_blocked__others_are_served(void **state)
{
    struct mount *m = mount_new();
    struct blocker b[BLOCKERS];
    pthread_t threads[BLOCKERS];
    int fd = open_toy(m, O_RDONLY);

    (void)state;
    for (int i = 0; i < BLOCKERS; i++) {
        b[i].fd = fd;
        pthread_create(&threads[i], NULL, block, &b[i]);
    }
    wait_blocked(BLOCKERS);
    assert_int_equal(ioctl(fd, TOY_WRITABLE), 0);
    toy_release(true);
    for (int i = 0; i < BLOCKERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(b[i].result, 8);
    }
    close(fd);
    mount_free(m);
}

static void client__killed_in_the_middle__others_go_on(void **state)
{
    struct mount *m = mount_new();
    int fd = open_toy(m, O_RDONLY);
    int status;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        ioctl(fd, TOY_BLOCK);
        _exit(0);
    }
    wait_blocked(1);
    kill(pid, SIGKILL);
    assert_int_equal(ioctl(fd, TOY_WRITABLE), 0);
    toy_release(true);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(ioctl(fd, TOY_WRITABLE), 0);
    close(fd);
    mount_free(m);
}

static void *stop(void *arg)
{
    struct mount *m = arg;

    fusedev_stop(m->fd);
    return NULL;
}

static void stop__ioctl_under_way__it_is_answered_first(void **state)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    struct mount *m = mount_new();
    struct blocker b = {.fd = open_toy(m, O_RDONLY)};
    pthread_t blocker, stopper;

    (void)state;
    pthread_create(&blocker, NULL, block, &b);
    wait_blocked(1);
    pthread_create(&stopper, NULL, stop, m);
    nanosleep(&pause, NULL);
    assert_int_equal(atomic_load(&toy.blocked), 1);
    toy_release(true);
    pthread_join(stopper, NULL);
    pthread_join(blocker, NULL);
    assert_int_equal(b.result, 8);
    /* The file is still open; its device is gone. */
    assert_int_equal(ioctl(b.fd, TOY_WRITABLE), -1);
    assert_true(errno == ENOTCONN || errno == ECONNABORTED);
    close(b.fd);
    assert_int_equal(atomic_load(&m->gone), 0);
    tst_rmdir(m->dir);
    free(m);
}

static void unmount__by_somebody_else__told_once(void **state)
{
    const struct timespec tick = {.tv_nsec = 1000000};
    struct mount *m = mount_new();

    (void)state;
    assert_int_equal(umount2(m->dir, 0), 0);
    for (int i = 0; i < 5000 && atomic_load(&m->gone) == 0; i++) {
        nanosleep(&tick, NULL);
    }
    assert_int_equal(atomic_load(&m->gone), 1);
    mount_free(m);
}

/* --- where it may be mounted --- */

struct place {
    char *dir;
    char path[256];
    struct fusedev_config config;
    struct fusedev *fd;
    char error[FUSEDEV_ERROR_SIZE];
};

static struct place *place_new(bool file)
{
    struct place *p = calloc(1, sizeof(*p));

    assert_non_null(p);
    mount_free(mount_new()); /* or skip */
    p->dir = tst_mkdtemp();
    snprintf(p->path, sizeof(p->path), "%s/node", p->dir);
    p->config = (struct fusedev_config){
        .path = file ? p->path : p->dir,
        .file = file,
        .nodes = TOYS,
        .node_count = 1,
    };
    return p;
}

static void place_free(struct place *p)
{
    tst_rmdir(p->dir);
    free(p);
}

static int place_start(struct place *p)
{
    return fusedev_start(&p->config, &p->fd, p->error);
}

static void expect_toy(const char *path)
{
    int fd = open(path, O_RDWR);

    assert_true(fd >= 0);
    assert_int_equal(ioctl(fd, TOY_WRITABLE), 1);
    close(fd);
}

static void file__absent__made_and_removed(void **state)
{
    struct place *p = place_new(true);

    (void)state;
    assert_int_equal(place_start(p), 0);
    expect_toy(p->path);
    fusedev_stop(p->fd);
    assert_int_equal(access(p->path, F_OK), -1);
    place_free(p);
}

static void file__empty__used_and_kept(void **state)
{
    struct place *p = place_new(true);

    (void)state;
    tst_write_file(p->path, "", 0);
    assert_int_equal(place_start(p), 0);
    expect_toy(p->path);
    fusedev_stop(p->fd);
    assert_int_equal(access(p->path, F_OK), 0);
    unlink(p->path);
    place_free(p);
}

static void file__with_contents__only_by_force(void **state)
{
    struct place *p = place_new(true);
    size_t size;
    uint8_t *text;

    (void)state;
    tst_write_file(p->path, "mine", 4);
    assert_int_equal(place_start(p), -EEXIST);
    assert_non_null(strstr(p->error, p->path));
    assert_null(p->fd);
    p->config.force = true;
    assert_int_equal(place_start(p), 0);
    expect_toy(p->path);
    fusedev_stop(p->fd);
    text = tst_file(p->path, &size);
    assert_int_equal(size, 4);
    assert_memory_equal(text, "mine", 4);
    free(text);
    unlink(p->path);
    place_free(p);
}

static void device__real__only_by_force(void **state)
{
    struct place *p = place_new(true);
    struct stat st;

    (void)state;
    if (mknod(p->path, S_IFCHR | 0600, makedev(1, 3)) != 0) {
        place_free(p);
        skip();
    }
    assert_int_equal(place_start(p), -EEXIST);
    p->config.force = true;
    assert_int_equal(place_start(p), 0);
    expect_toy(p->path);
    fusedev_stop(p->fd);
    assert_int_equal(stat(p->path, &st), 0);
    assert_true(S_ISCHR(st.st_mode));
    unlink(p->path);
    place_free(p);
}

static void directory__not_empty__only_by_force(void **state)
{
    struct place *p = place_new(false);

    (void)state;
    tst_write_file(p->path, "mine", 4);
    assert_int_equal(place_start(p), -EEXIST);
    p->config.force = true;
    assert_int_equal(place_start(p), 0);
    assert_int_equal(access(p->path, F_OK), -1);
    fusedev_stop(p->fd);
    assert_int_equal(access(p->path, F_OK), 0);
    unlink(p->path);
    place_free(p);
}

/* In a child: mount, and die without a word. */
static void mount_and_die(struct place *p)
{
    int status = -1;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        if (place_start(p) != 0) {
            _exit(1);
        }
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

/* A server in a child, until the other end of *until is closed. */
static pid_t start_apart(struct place *p, int *until)
{
    int ready[2], end[2];
    char byte = 0;
    pid_t pid;

    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    assert_int_equal(pipe2(end, O_CLOEXEC), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(end[1]);
        if (place_start(p) != 0 || write(ready[1], &byte, 1) != 1) {
            _exit(1);
        }
        (void)!read(end[0], &byte, 1);
        fusedev_stop(p->fd);
        _exit(0);
    }
    close(end[0]);
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    *until = end[1];
    return pid;
}

static bool ends_within_5_s(pid_t pid)
{
    const struct timespec tick = {.tv_nsec = 1000000};

    for (int i = 0; i < 5000; i++) {
        if (waitpid(pid, NULL, WNOHANG) == pid) {
            return true;
        }
        nanosleep(&tick, NULL);
    }
    return false;
}

/* Since when Linux heeds what is asked for here. */
static bool linux_is_5_16(void)
{
    struct utsname u;
    int major = 0, minor = 0;

    return uname(&u) == 0 && sscanf(u.release, "%d.%d", &major, &minor) == 2 &&
           (major > 5 || (major == 5 && minor >= 16));
}

static void close__server_hangs__waits_for_nobody(void **state)
{
    struct place *p;
    pid_t server, closer;
    int fd, until;
    bool ended;

    (void)state;
    if (!linux_is_5_16()) {
        skip();
    }
    p = place_new(true);
    server = start_apart(p, &until);
    fd = open(p->path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(kill(server, SIGSTOP), 0);
    closer = fork(); /* a close that waits cannot be killed */
    if (closer == 0) {
        close(fd);
        _exit(0);
    }
    ended = ends_within_5_s(closer);
    assert_int_equal(kill(server, SIGCONT), 0);
    assert_true(ended);
    close(fd);
    close(until);
    assert_true(ends_within_5_s(server));
    assert_int_equal(access(p->path, F_OK), -1);
    place_free(p);
}

static void directory__left_by_a_dead_server__taken_over(void **state)
{
    struct place *p = place_new(false);
    struct stat st;

    (void)state;
    mount_and_die(p);
    assert_int_equal(stat(p->dir, &st), -1);
    assert_int_equal(errno, ENOTCONN);
    assert_int_equal(place_start(p), 0);
    snprintf(p->path, sizeof(p->path), "%s/toy", p->dir);
    expect_toy(p->path);
    fusedev_stop(p->fd);
    place_free(p);
}

static void file__left_by_a_dead_server__taken_over(void **state)
{
    struct place *p = place_new(true);

    (void)state;
    mount_and_die(p);
    assert_int_equal(place_start(p), 0);
    expect_toy(p->path);
    fusedev_stop(p->fd);
    assert_int_equal(unlink(p->path), 0); /* the first server made it */
    place_free(p);
}

static void stop__after_another_took_the_place__leaves_it(void **state)
{
    const struct timespec tick = {.tv_nsec = 1000000};
    struct place *p = place_new(false);
    struct mount gone = {0};
    struct fusedev *first;

    (void)state;
    p->config.gone = count_gone;
    p->config.ctx = &gone;
    assert_int_equal(place_start(p), 0);
    first = p->fd;
    assert_int_equal(umount2(p->dir, 0), 0);
    for (int i = 0; i < 5000 && atomic_load(&gone.gone) == 0; i++) {
        nanosleep(&tick, NULL);
    }
    assert_int_equal(place_start(p), 0);
    fusedev_stop(first);
    snprintf(p->path, sizeof(p->path), "%s/toy", p->dir);
    expect_toy(p->path);
    fusedev_stop(p->fd);
    place_free(p);
}

static void place__wrong_kind__refused(void **state)
{
    struct place *p = place_new(false);

    (void)state;
    p->config.path = p->path;
    assert_int_equal(place_start(p), -ENOENT);
    tst_write_file(p->path, "", 0);
    assert_int_equal(place_start(p), -ENOTDIR);
    p->config.path = p->dir;
    p->config.file = true;
    assert_int_equal(place_start(p), -EISDIR);
    unlink(p->path);
    place_free(p);
}

static void nodes__bad_lists__refused(void **state)
{
    static const char *const names[] = {"", ".", "..", "a/b", NULL, "toy"};
    struct place *p = place_new(false);
    struct fusedev_node nodes[2] = {TOYS[0], TOYS[0]};

    (void)state;
    p->config.nodes = nodes;
    p->config.node_count = 2;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        nodes[1].name = names[i];
        assert_int_equal(place_start(p), -EINVAL);
    }
    p->config.node_count = 0;
    assert_int_equal(place_start(p), -EINVAL);
    p->config.node_count = 2;
    p->config.file = true;
    assert_int_equal(place_start(p), -EINVAL);
    place_free(p);
}

/* --- programs against a simulated machine --- */

static const char *folder(void)
{
    const char *build = getenv("SWPSP_BUILD");

    return build == NULL ? "build/debug" : build;
}

struct served {
    struct mount m;
    struct sim_devices devices;
};

static struct served *served_new(void)
{
    struct served *s = calloc(1, sizeof(*s));
    struct fusedev_config config = {.node_count = 3};
    char error[FUSEDEV_ERROR_SIZE];
    struct fusedev_node nodes[3] = {
        {.name = "sev-guest", .mode = 0666},
        {.name = "sev-guest-certs", .mode = 0600},
        {.name = "sev", .mode = 0600},
    };

    assert_non_null(s);
    mount_free(mount_new()); /* or skip */
    assert_int_equal(sim_devices_open(&s->devices, "milan"), 0);
    nodes[0].dev = s->devices.guest;
    nodes[1].dev = s->devices.guest_certs;
    nodes[2].dev = s->devices.sev;
    s->m.dir = tst_mkdtemp();
    config.nodes = nodes;
    config.path = s->m.dir;
    assert_int_equal(fusedev_start(&config, &s->m.fd, error), 0);
    return s;
}

static void served_free(struct served *s)
{
    fusedev_stop(s->m.fd);
    sim_devices_close(&s->devices);
    tst_rmdir(s->m.dir);
    free(s);
}

/* A shell command with $C the clients' folder and $D the mount. */
static void shell(const struct served *s, const char *command)
{
    char script[2048];
    const char *const argv[] = {"sh", "-c", script, NULL};
    char *text;

    snprintf(script, sizeof(script), "C=%s/client D=%s; %s", folder(), s->m.dir,
             command);
    if (tst_run(&text, argv) != 0) {
        fail_msg("%s:\n%s", command, text);
    }
    free(text);
}

static bool have(const char *client)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/client/%s", folder(), client);
    return access(path, X_OK) == 0;
}

static void checks__every_one__holds(void **state)
{
    struct served *s;

    (void)state;
    if (!have("check_guest")) {
        skip();
    }
    s = served_new();
    shell(s, "$C/check_guest --device $D/sev-guest");
    shell(s, "$C/check_guest --certs --device $D/sev-guest-certs");
    served_free(s);
}

/* The name of a client program; py: the one in Python. */
static void client__of_each_language__report_and_key(void **state)
{
    const char *client = *state;
    char command[1024], program[256];
    struct served *s;

    if (strcmp(client, "py") == 0) {
        snprintf(program, sizeof(program),
                 "/usr/bin/python3 harness/device/clients/py/report.py");
    } else if (have(client)) {
        snprintf(program, sizeof(program), "$C/%s", client);
    } else {
        skip();
        return;
    }
    s = served_new();
    snprintf(command, sizeof(command),
             "T=$(mktemp -d) && trap 'rm -r $T' EXIT && "
             "%s --device $D/sev-guest-certs --report-data 414243 --report "
             "$T/r --certs $T/c --key $T/k && test $(stat -c %%s $T/r) = 1184 "
             "&& test $(stat -c %%s $T/k) = 32 && test $(stat -c %%s $T/c) = "
             "8192 && head -c 83 $T/r | tail -c 3 | grep -q ABC",
             program);
    shell(s, command);
    served_free(s);
}

static void clients__several_at_once__all_get_theirs(void **state)
{
    struct served *s;

    (void)state;
    if (!have("report")) {
        skip();
    }
    s = served_new();
    shell(s,
          "T=$(mktemp -d) && trap 'rm -r $T' EXIT && "
          "for i in 1 2 3 4 5 6 7 8; do $C/report --device $D/sev-guest "
          "--report-data 0$i --report $T/$i & P=\"$P $!\"; done; "
          "for p in $P; do wait $p || exit 1; done; "
          "for i in 1 2 3 4 5 6 7 8; do "
          "test \"$(od -An -tx1 -j80 -N1 $T/$i)\" = \" 0$i\" || exit 1; done");
    served_free(s);
}

int main(void)
{
    static char c[] = "report", go[] = "report-go", rust[] = "report-rust",
                py[] = "py";
#define CLIENT(text, program)                                                  \
    {                                                                          \
        .name = "client in " text ": report, certificates and key",            \
        .test_func = client__of_each_language__report_and_key,                 \
        .initial_state = (program)                                             \
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(node__stat__regular_file_with_mode),
        cmocka_unit_test(directory__listed__the_nodes),
        cmocka_unit_test(node__chmod__kept_and_enforced),
        cmocka_unit_test(node__opened_by_another_user__by_its_mode),
        cmocka_unit_test(node__opened_with_truncation__opens),
        cmocka_unit_test(open__access_mode__reaches_the_device),
        cmocka_unit_test(file__other_operations__as_a_device),
        cmocka_unit_test(ioctl__nested_memory__read_and_written),
        cmocka_unit_test(ioctl__errors__all_come_through),
        cmocka_unit_test(ioctl__request_number__is_unsigned),
        cmocka_unit_test(ioctl__part_of_the_struct_written__the_rest_is_kept),
        cmocka_unit_test(umem__client_not_visible__envelope_only),
        cmocka_unit_test(umem__gap_in_the_reply__written_directly),
        cmocka_unit_test(ioctls__many_blocked__others_are_served),
        cmocka_unit_test(client__killed_in_the_middle__others_go_on),
        cmocka_unit_test(stop__ioctl_under_way__it_is_answered_first),
        cmocka_unit_test(unmount__by_somebody_else__told_once),
        cmocka_unit_test(file__absent__made_and_removed),
        cmocka_unit_test(file__empty__used_and_kept),
        cmocka_unit_test(file__with_contents__only_by_force),
        cmocka_unit_test(device__real__only_by_force),
        cmocka_unit_test(directory__not_empty__only_by_force),
        cmocka_unit_test(directory__left_by_a_dead_server__taken_over),
        cmocka_unit_test(file__left_by_a_dead_server__taken_over),
        cmocka_unit_test(stop__after_another_took_the_place__leaves_it),
        cmocka_unit_test(close__server_hangs__waits_for_nobody),
        cmocka_unit_test(place__wrong_kind__refused),
        cmocka_unit_test(nodes__bad_lists__refused),
        cmocka_unit_test(checks__every_one__holds),
        CLIENT("C", c),
        CLIENT("Go", go),
        CLIENT("Rust", rust),
        CLIENT("Python", py),
        cmocka_unit_test(clients__several_at_once__all_get_theirs),
    };

    return cmocka_run_group_tests_name("fuse", tests, NULL, NULL);
}
