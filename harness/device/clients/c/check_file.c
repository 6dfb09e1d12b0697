/* SPDX-License-Identifier: Apache-2.0 */
/* usage: check_file DEVICE
 * What a node, /dev/sev or /dev/sev-guest, is as a file: all that programs can
 * do with an open one besides its own ioctls. Leaves out where CUSE is known to
 * differ (lseek, epoll, reading nothing). Changes nothing. Prints "ok - what"
 * or "not ok - what"; exit status 0 or 1. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEV_ISSUE  0xC0105300u /* PLATFORM_STATUS works without write mode */
#define GET_REPORT 0xC0205300u
#define BAD        ((void *)8) /* in the first page: never mapped */

static const char *device;
static bool is_sev;
static unsigned int failed;

static void result(bool good, const char *what)
{
    failed += !good;
    printf("%sok - %s: %s\n", good ? "" : "not ", device, what);
}

/* The call failed so; cleared for the next. */
static bool is(long r, int error)
{
    bool good = error == 0 ? r >= 0 : r == -1 && errno == error;

    if (!good) {
        printf("# %ld, %s\n", r, strerror(errno));
    }
    errno = 0;
    return good;
}

/* Does the driver answer? */
static bool works(int fd)
{
    struct {
        uint32_t cmd;
        uint8_t data[8];
        uint8_t error[4];
    } issue = {.cmd = 1};
    static uint8_t resp[4000];
    uint8_t req[96] = {0}, status[12];
    uint64_t envelope[4] = {1, (uintptr_t)req, (uintptr_t)resp, 0};
    const void *to = status;

    memcpy(issue.data, &to, sizeof(to));
    return is(is_sev ? ioctl(fd, SEV_ISSUE, &issue)
                     : ioctl(fd, GET_REPORT, envelope),
              0);
}

static bool opens_as(int flags, int error)
{
    int fd = open(device, flags, 0600);
    bool good = is(fd, error);

    if (fd >= 0) {
        close(fd);
    }
    return good;
}

static void check_open(void)
{
    struct stat st;
    char path[32];
    int ro = open(device, O_RDONLY);
    int fd;

    result(stat(device, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev != 0 &&
               st.st_size == 0,
           "a character device");
    result(opens_as(O_RDWR | O_CREAT | O_EXCL, EEXIST), "O_EXCL: EEXIST");
    result(opens_as(O_RDONLY | O_DIRECTORY, ENOTDIR), "O_DIRECTORY: ENOTDIR");
    result(opens_as(O_RDWR | O_TRUNC | O_APPEND | O_CREAT | O_NOCTTY, 0),
           "O_TRUNC, O_APPEND, O_CREAT: ignored");
    result(opens_as(O_RDWR | O_DIRECT, EINVAL), "O_DIRECT: EINVAL");
    fd = open(device, O_PATH);
    result(is(ioctl(fd, SEV_ISSUE, BAD), EBADF), "ioctl on O_PATH: EBADF");
    close(fd);
    fd = open(device, O_ACCMODE);
    result(fd >= 0 && works(fd), "access mode 3, for ioctls alone");
    close(fd);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", ro);
    fd = open(path, O_RDWR);
    result(fd >= 0 && works(fd), "opened again by its descriptor");
    close(fd);
    close(ro);
}

static void check_data(int fd)
{
    int ro = open(device, O_RDONLY), wo = open(device, O_WRONLY);
    uint8_t buf[16] = {0};
    struct iovec iov = {buf, sizeof(buf)};

    result(is(read(fd, buf, sizeof(buf)), EINVAL) &&
               is(readv(fd, &iov, 1), EINVAL) &&
               is(pread(fd, buf, sizeof(buf), 4096), EINVAL),
           "read, readv, pread: EINVAL");
    result(is(write(fd, buf, sizeof(buf)), EINVAL) &&
               is(writev(fd, &iov, 1), EINVAL) &&
               is(pwrite(fd, buf, sizeof(buf), 4096), EINVAL),
           "write, writev, pwrite: EINVAL");
    result(is(write(ro, buf, sizeof(buf)), EBADF) &&
               is(read(wo, buf, sizeof(buf)), EBADF),
           "the other way than it was opened: EBADF");
    result(is(ftruncate(fd, 0), EINVAL) && is(fsync(fd), EINVAL) &&
               is(fallocate(fd, 0, 0, 1), ENODEV),
           "ftruncate, fsync, fallocate: refused");
    result(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED &&
               is(-1, ENODEV) &&
               mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED &&
               is(-1, ENODEV),
           "mmap: ENODEV");
    close(ro);
    close(wo);
}

static void check_ready(int fd)
{
    struct pollfd p = {.fd = fd,
                       .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP};
    struct timeval none = {0};
    fd_set r, w, e;

    FD_ZERO(&r);
    FD_SET(fd, &r);
    w = e = r;
    result(poll(&p, 1, -1) == 1 && p.revents == (POLLIN | POLLOUT),
           "poll: always ready");
    result(select(fd + 1, &r, &w, &e, &none) == 2 && FD_ISSET(fd, &r) &&
               FD_ISSET(fd, &w) && !FD_ISSET(fd, &e),
           "select: always ready");
}

/* What the kernel answers before it asks a driver. */
static void check_vfs_ioctls(int fd)
{
    int one = 1, zero = 0;
    int64_t size = 0;

    result(is(ioctl(fd, FIONBIO, &one), 0) &&
               (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 && works(fd),
           "FIONBIO, and it works without blocking");
    result(is(ioctl(fd, FIONBIO, &zero), 0) &&
               (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0,
           "FIONBIO back");
    result(is(ioctl(fd, FIOASYNC, &one), ENOTTY), "FIOASYNC: ENOTTY");
    result(is(ioctl(fd, FIOCLEX), 0) &&
               (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0 &&
               is(ioctl(fd, FIONCLEX), 0) && fcntl(fd, F_GETFD) == 0,
           "FIOCLEX, FIONCLEX");
    result(is(ioctl(fd, FIOQSIZE, &size), ENOTTY), "FIOQSIZE: ENOTTY");
    result(is(fcntl(fd, F_SETFL, O_DIRECT), EINVAL), "O_DIRECT later: EINVAL");
    result(is(flock(fd, LOCK_EX), 0) && is(flock(fd, LOCK_UN), 0), "flock");
}

/* Requests of others, with sizes and directions of all kinds. */
static const uint32_t FOREIGN[] = {
    0,          1,          0x5300,     0x5401,     0x5413,     0x541b,
    0x80005300, 0x40105300, 0x80105300, 0xc0105301, 0xc0105200, 0xc0085300,
    0xc0115300, 0xc0305300, 0xffff5300, 0xc0205303, 0xffffffff, 0x7fffffff,
};

static void check_foreign(int fd)
{
    bool bad = true, unread = true, kept = true;
    uint8_t buf[0x4000];

    for (size_t i = 0; i < sizeof(FOREIGN) / sizeof(FOREIGN[0]); i++) {
        uint8_t want[sizeof(buf)];

        memset(want, 0xa5, sizeof(want));
        memcpy(buf, want, sizeof(buf));
        if (is_sev) { /* nothing is read */
            unread &= is(ioctl(fd, FOREIGN[i], BAD), EINVAL);
            bad &= is(ioctl(fd, FOREIGN[i], buf), EINVAL);
        } else { /* the envelope is, and its exitinfo2 written */
            unread &= is(ioctl(fd, FOREIGN[i], BAD), EFAULT);
            bad &= is(ioctl(fd, FOREIGN[i], buf), ENOTTY);
            memset(want + 24, 0, 8);
            want[24] = 0xff;
        }
        kept &= memcmp(buf, want, sizeof(buf)) == 0;
    }
    result(bad, is_sev ? "requests of others: EINVAL"
                       : "requests of others: ENOTTY");
    result(unread, is_sev ? "before anything is read: EINVAL"
                          : "after the envelope was read: EFAULT");
    result(kept, "no byte more is written");
    result(isatty(fd) == 0 && (!is_sev || errno == EINVAL), "no terminal");
}

/* ioctl as a 32-bit program calls it. */
static int ioctl_32(int fd, uint32_t number, uint32_t arg)
{
    long r = 54;

    __asm__ volatile("int $0x80"
                     : "+a"(r)
                     : "b"((long)fd), "c"((long)number), "d"((long)arg)
                     : "memory", "r8", "r9", "r10", "r11");
    return (int)r;
}

static void check_32_bit(int fd)
{
    pid_t pid = fork();
    int status = -1;

    if (pid == 0) {
        bool good = ioctl_32(fd, SEV_ISSUE, 8) == -ENOTTY &&
                    ioctl_32(fd, GET_REPORT, 8) == -ENOTTY &&
                    ioctl_32(fd, 0, 0) == -ENOTTY;

        _exit(good ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status)) {
        printf("# no 32-bit system calls here\n");
        return;
    }
    result(status == 0, "a 32-bit caller: ENOTTY for any request");
}

/* A descriptor that somebody else has opened, and that outlives him. */
static void check_passed(void)
{
    char space[CMSG_SPACE(sizeof(int))] = {0};
    uint8_t byte = 0;
    struct iovec iov = {&byte, 1};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = space,
                       .msg_controllen = sizeof(space)};
    int pair[2], fd = -1, status = -1;
    struct cmsghdr *c;
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) {
        return;
    }
    pid = fork();
    if (pid == 0) {
        int own = open(device, O_RDONLY);

        c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &own, sizeof(own));
        _exit(works(own) && sendmsg(pair[1], &m, 0) == 1 ? 0 : 1);
    }
    close(pair[1]);
    if (recvmsg(pair[0], &m, 0) == 1 && CMSG_FIRSTHDR(&m) != NULL) {
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
    }
    waitpid(pid, &status, 0);
    result(status == 0 && fd >= 0 && works(fd),
           "passed on by a process that has gone");
    close(fd);
    close(pair[0]);
}

int main(int argc, char **argv)
{
    int fd;

    device = argc > 1 ? argv[1] : "/dev/sev";
    is_sev = strstr(device, "guest") == NULL;
    fd = open(device, O_RDWR);
    if (fd < 0) {
        perror(device);
        return 1;
    }
    check_open();
    check_data(fd);
    check_ready(fd);
    check_vfs_ioctls(fd);
    check_foreign(fd);
    check_32_bit(fd);
    check_passed();
    result(works(fd), "and it still works");
    close(fd);
    return failed == 0 ? 0 : 1;
}
