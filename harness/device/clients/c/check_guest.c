/* SPDX-License-Identifier: Apache-2.0 */
/* usage: check_guest [--device PATH] [--certs] [--retry|--trapped]
 * Everything that a program can see of /dev/sev-guest, knowing nothing but the
 * kernel's header: bytes, errno, exitinfo2, and what is left alone. Prints
 * "ok N - what" or "not ok N - what" and "1..N"; exit status 0 or 1.
 * --certs: the host has certificates. --retry: the transport makes the kernel
 * copy memory (CUSE), which cannot report what happened before a bad address
 * and writes structs back that a driver would leave alone. --trapped: the file
 * is no device and only some ioctls reach us (seccomp).
 * With CHECK_IN_PROCESS, dev_open() and dev_ioctl() come from the including
 * program and what concerns files and processes is left out. */
#include <linux/sev-guest.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef CHECK_IN_PROCESS
static int dev_open(const char *path, int flags)
{
    return open(path, flags);
}

static int dev_ioctl(int fd, unsigned long number, void *arg)
{
    return ioctl(fd, number, arg);
}
#endif

#define REPORT_SIZE 1184u
#define OFF_REPORT  32u
#define OFF_DATA    0x50u /* REPORT_DATA in the report */
#define NOT_SENT    0xffull
#define TOO_SMALL   (1ull << 32)
#define OLD_INFO    0xa5a5a5a5a5a5a5a5ull
#define PAGE        4096u
#define CERTS_MAX   16384u
#define BAD         ((uint64_t)8) /* in the first page: never mapped */

static struct {
    const char *device;
    bool certs, retry, trapped;
    int fd;
    unsigned int count, failed;
} check = {.device = "/dev/sev-guest"};

static void result(bool good, const char *what)
{
    check.count++;
    check.failed += !good;
    printf("%sok %u - %s\n", good ? "" : "not ", check.count, what);
    fflush(stdout);
}

/* One request with all its memory. */
struct request {
    struct snp_guest_request_ioctl io;
    union {
        struct snp_report_req report;
        struct snp_derived_key_req key;
        struct snp_ext_report_req ext;
    } req;
    uint8_t resp[4000 + 64];
    uint8_t certs[CERTS_MAX + PAGE];
    int result, error;
};

static uint64_t addr(const void *p)
{
    return (uintptr_t)p;
}

static uint64_t info(const struct request *r)
{
    uint64_t v;

    memcpy(&v, (const uint8_t *)&r->io + 24, sizeof(v));
    return v;
}

static void prepare(struct request *r)
{
    memset(r, 0xa5, sizeof(*r));
    memset(&r->req, 0, sizeof(r->req));
    r->io.msg_version = 1;
    r->io.req_data = addr(&r->req);
    r->io.resp_data = addr(r->resp);
    for (unsigned int i = 0; i < 64; i++) {
        r->req.report.user_data[i] = (uint8_t)(i + 1);
    }
}

static void prepare_key(struct request *r)
{
    prepare(r);
    memset(&r->req, 0, sizeof(r->req));
}

static void call(struct request *r, unsigned long number)
{
    errno = 0;
    r->result = dev_ioctl(check.fd, number, &r->io);
    r->error = r->result == 0 ? 0 : errno;
}

static bool filled(const uint8_t *p, size_t size, uint8_t with)
{
    for (size_t i = 0; i < size; i++) {
        if (p[i] != with) {
            return false;
        }
    }
    return true;
}

static uint32_t word(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static bool is_report(const struct request *r)
{
    return r->result == 0 && word(r->resp) == 0 &&
           word(r->resp + 4) == REPORT_SIZE && filled(r->resp + 8, 24, 0) &&
           memcmp(r->resp + OFF_REPORT + OFF_DATA, r->req.report.user_data,
                  64) == 0 &&
           !filled(r->resp + OFF_REPORT + 0x2a0, 48, 0) &&
           filled(r->resp + OFF_REPORT + REPORT_SIZE,
                  4000 - OFF_REPORT - REPORT_SIZE, 0) &&
           filled(r->resp + 4000, 64, 0xa5);
}

/* Refused: errno and exitinfo2, and nothing was delivered. */
static bool refused(const struct request *r, int error, uint64_t what)
{
    return r->result == -1 && r->error == error && info(r) == what &&
           filled(r->resp, sizeof(r->resp), 0xa5);
}

static bool still_works(void)
{
    struct request r;

    prepare(&r);
    call(&r, SNP_GET_REPORT);
    return is_report(&r);
}

/* --- SNP_GET_REPORT --- */

static void test_report(void)
{
    struct snp_guest_request_ioctl before;
    struct request r;

    prepare(&r);
    before = r.io;
    call(&r, SNP_GET_REPORT);
    result(is_report(&r), "a report carries the caller's data");
    result(memcmp(&before, &r.io, sizeof(before)) == 0,
           "success leaves the envelope alone");
    prepare(&r);
    r.req.report.vmpl = 4;
    call(&r, SNP_GET_REPORT);
    result(r.result == 0 && word(r.resp) == 0x16 && info(&r) == OLD_INFO,
           "a bad VMPL is a status in the response, not an errno");
}

/* --- SNP_GET_DERIVED_KEY --- */

static bool get_key(uint64_t fields, uint8_t key[32])
{
    struct request r;

    prepare_key(&r);
    r.req.key.guest_field_select = fields;
    call(&r, SNP_GET_DERIVED_KEY);
    memcpy(key, r.resp + 32, 32);
    return r.result == 0 && word(r.resp) == 0 && filled(r.resp + 4, 28, 0) &&
           !filled(key, 32, 0) && info(&r) == OLD_INFO &&
           filled(r.resp + 64, 4000, 0xa5);
}

static void test_key(void)
{
    uint8_t a[32], b[32], c[32];
    struct request r;

    result(get_key(0, a) && get_key(0, b) && memcmp(a, b, 32) == 0,
           "a key comes again");
    result(get_key(1, c) && memcmp(a, c, 32) != 0,
           "other fields give another key");
    prepare_key(&r);
    r.req.key.vmpl = 4;
    call(&r, SNP_GET_DERIVED_KEY);
    result(r.result == 0 && word(r.resp) == 0x16 && filled(r.resp + 32, 32, 0),
           "a key for a bad VMPL is refused in the response");
}

/* --- checks before anything is sent --- */

static void test_version(void)
{
    struct request r;

    prepare(&r);
    r.io.msg_version = 0;
    call(&r, SNP_GET_REPORT);
    result(refused(&r, EINVAL, OLD_INFO),
           "message version 0: EINVAL, unwritten");
    call(&r, _IOWR('S', 3, struct snp_guest_request_ioctl));
    result(refused(&r, EINVAL, OLD_INFO), "the version is looked at first");
}

static void test_unknown(void)
{
    struct request r;

    prepare(&r);
    call(&r, _IOWR('S', 3, struct snp_guest_request_ioctl));
    result(refused(&r, ENOTTY, NOT_SENT), "an unknown request: ENOTTY, 0xff");
    if (check.trapped) {
        return;
    }
    prepare(&r);
    call(&r, 0x5401); /* isatty(): no size in the number */
    result(refused(&r, ENOTTY, NOT_SENT), "a terminal's request: ENOTTY, 0xff");
}

static void test_null(void)
{
    struct request r;

    prepare(&r);
    r.io.req_data = 0;
    call(&r, SNP_GET_REPORT);
    result(refused(&r, EINVAL, NOT_SENT), "no request: EINVAL, 0xff");
    prepare(&r);
    r.io.resp_data = 0;
    call(&r, SNP_GET_DERIVED_KEY);
    result(refused(&r, EINVAL, NOT_SENT), "no response: EINVAL, 0xff");
}

static void test_bad_addresses(void)
{
    const uint64_t in_kernel = 0xffff800000000000ull;
    struct request r;

    prepare(&r);
    r.io.req_data = in_kernel;
    call(&r, SNP_GET_REPORT);
    result(refused(&r, EFAULT, NOT_SENT), "a kernel address: EFAULT, 0xff");
    prepare(&r);
    r.io.req_data = BAD;
    call(&r, SNP_GET_REPORT);
    result(refused(&r, EFAULT, check.retry ? OLD_INFO : NOT_SENT),
           "an unmapped request: EFAULT");
    prepare(&r);
    r.io.resp_data = BAD;
    call(&r, SNP_GET_REPORT);
    result(refused(&r, EFAULT, OLD_INFO), "an unmapped response: EFAULT");
    prepare(&r);
    r.io.resp_data = in_kernel;
    call(&r, SNP_GET_REPORT);
    result(refused(&r, EFAULT, OLD_INFO), "a response for the kernel: EFAULT");
    errno = 0;
    result(dev_ioctl(check.fd, SNP_GET_REPORT, (void *)(uintptr_t)BAD) == -1 &&
               errno == EFAULT,
           "an unmapped envelope: EFAULT");
    result(still_works(), "faults do not cost the key");
}

/* --- SNP_GET_EXT_REPORT --- */

static void ask_ext(struct request *r, uint64_t address, uint32_t size)
{
    prepare(r);
    r->req.ext.certs_address = address;
    r->req.ext.certs_len = size;
    call(r, SNP_GET_EXT_REPORT);
}

static bool untouched_certs(const struct request *r)
{
    return filled(r->certs, sizeof(r->certs), 0xa5);
}

static void test_ext_rules(void)
{
    static struct request r;

    ask_ext(&r, addr(r.certs), CERTS_MAX + PAGE);
    result(refused(&r, EINVAL, NOT_SENT), "more than four pages: EINVAL, 0xff");
    ask_ext(&r, addr(r.certs), PAGE + 1);
    result(refused(&r, EINVAL, NOT_SENT), "a broken page: EINVAL, 0xff");
    ask_ext(&r, 0x00007ffffffff000ull, PAGE);
    result(refused(&r, EFAULT, NOT_SENT), "past user space: EFAULT, 0xff");
    ask_ext(&r, BAD, CERTS_MAX);
    result(r.result == -1 && r.error == EFAULT && info(&r) == OLD_INFO,
           "unmapped room for certificates: EFAULT");
    result(still_works(), "that does not cost the key either");
}

static bool is_query(const struct request *r, uint32_t *need)
{
    *need = r->req.ext.certs_len;
    return refused(r, EIO, TOO_SMALL) && *need > 0 && *need % PAGE == 0 &&
           untouched_certs(r);
}

static void test_ext_certs(void)
{
    static struct request r;
    uint32_t need, again;

    ask_ext(&r, 0, 0);
    result(is_query(&r, &need), "no room: EIO, and how much is needed");
    ask_ext(&r, UINT64_MAX, 0);
    result(is_query(&r, &again) && again == need, "the same with an address");
    ask_ext(&r, 0, PAGE + 1);
    result(is_query(&r, &again) && again == need, "the same with a length");
    if (need > PAGE) {
        ask_ext(&r, addr(r.certs), need - PAGE);
        result(is_query(&r, &again) && again == need, "a page too few: EIO");
    }
    ask_ext(&r, addr(r.certs), need);
    result(is_report(&r) && info(&r) == OLD_INFO &&
               r.req.ext.certs_len == need && !filled(r.certs, 16, 0) &&
               filled(r.certs + need, sizeof(r.certs) - need, 0xa5),
           "enough room: certificates and report");
    ask_ext(&r, addr(r.certs) + 1, CERTS_MAX);
    result(is_report(&r) && r.req.ext.certs_len == CERTS_MAX &&
               r.certs[0] == 0xa5 && !filled(r.certs + 1, 16, 0) &&
               filled(r.certs + 1 + need, CERTS_MAX - need, 0) &&
               filled(r.certs + 1 + CERTS_MAX, PAGE - 1, 0xa5),
           "more room, unaligned: padded with zeros");
    result(still_works(), "the query does not cost the key");
}

static void test_ext_none(void)
{
    static struct request r;

    ask_ext(&r, 0, 0);
    result(is_report(&r) && r.req.ext.certs_len == 0,
           "a host without certificates: report, length 0");
    ask_ext(&r, addr(r.certs), PAGE);
    result(is_report(&r) && filled(r.certs, PAGE, 0) &&
               r.req.ext.certs_len == PAGE &&
               filled(r.certs + PAGE, CERTS_MAX, 0xa5),
           "its room is cleared");
}

/* --- several at once --- */

#define THREADS 4
#define EACH    8

static void *worker(void *arg)
{
    uintptr_t id = (uintptr_t)arg;
    struct request r;

    for (unsigned int i = 0; i < EACH; i++) {
        prepare(&r);
        r.req.report.user_data[0] = (uint8_t)(id * EACH + i);
        call(&r, SNP_GET_REPORT);
        if (!is_report(&r)) {
            return (void *)1;
        }
    }
    return NULL;
}

static void test_threads(void)
{
    pthread_t threads[THREADS];
    bool good = true;
    void *bad;

    for (uintptr_t i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, worker, (void *)i);
    }
    for (unsigned int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &bad);
        good = good && bad == NULL;
    }
    result(good, "threads on one file get their own reports");
}

#ifndef CHECK_IN_PROCESS

static volatile int flip_stop;

static void *flip(void *arg)
{
    volatile __u64 *address = arg;
    const __u64 good = *address;

    while (!flip_stop) {
        *address = good + 0x100000000ull;
        *address = good;
    }
    return NULL;
}

/* Another thread moves the request about: whole or refused, never a mixture. */
static void test_racing(void)
{
    struct request r;
    pthread_t thread;
    bool good = true;

    prepare(&r);
    pthread_create(&thread, NULL, flip, &r.io.req_data);
    for (unsigned int i = 0; i < 40; i++) {
        memset(r.resp, 0xa5, sizeof(r.resp));
        call(&r, SNP_GET_REPORT);
        good = good && (is_report(&r) || (r.result == -1 && r.error == EFAULT));
    }
    flip_stop = 1;
    pthread_join(thread, NULL);
    result(good, "a request that changes meanwhile: report or EFAULT");
    result(still_works(), "and that does not cost the key");
}

static void test_killed(void)
{
    const struct timespec unit = {.tv_nsec = 300000};
    bool good = true;

    for (unsigned int i = 0; i < 20; i++) {
        pid_t pid = fork();
        int status;

        if (pid == 0) {
            struct request r;

            for (;;) {
                prepare(&r);
                call(&r, SNP_GET_REPORT);
            }
        }
        for (unsigned int t = 0; t < i; t++) {
            nanosleep(&unit, NULL);
        }
        kill(pid, SIGKILL);
        good = good && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status);
    }
    result(good && still_works(), "clients may die in the middle");
}

static void test_read_only_memory(void)
{
    struct request *r = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct snp_guest_request_ioctl *io = mmap(
        NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int got;

    prepare(r);
    *io = r->io;
    mprotect(io, PAGE, PROT_READ);
    errno = 0;
    got = dev_ioctl(check.fd, SNP_GET_REPORT, io);
    result(check.retry ? got == -1 && errno == EFAULT : got == 0,
           "a read-only envelope that nothing has to be written to");
    errno = 0;
    got =
        dev_ioctl(check.fd, _IOWR('S', 3, struct snp_guest_request_ioctl), io);
    result(got == -1 && errno == EFAULT,
           "a read-only envelope with an error to write: EFAULT");
    munmap(io, PAGE);
    munmap(r, 8 * PAGE);
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

static void test_32_bit(void)
{
    pid_t pid = fork();
    int status = -1;

    if (pid == 0) {
        struct snp_guest_request_ioctl *io =
            mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

        io->msg_version = 1;
        _exit(ioctl_32(check.fd, (uint32_t)SNP_GET_REPORT,
                       (uint32_t)addr(io)) == -ENOTTY
                  ? 0
                  : 1);
    }
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status)) {
        printf("# no 32-bit system calls here\n");
        return;
    }
    result(WIFEXITED(status) && WEXITSTATUS(status) == 0,
           "a 32-bit caller: ENOTTY");
}

static void test_file_operations(void)
{
    struct pollfd p = {.fd = check.fd, .events = POLLIN | POLLOUT};
    uint8_t buf[8] = {0};
    int rw = dev_open(check.device, O_RDWR);
    struct request r;

    prepare(&r);
    r.result = dev_ioctl(rw, SNP_GET_REPORT, &r.io);
    result(is_report(&r), "open for writing works as well");
    result(poll(&p, 1, 0) == 1 && p.revents == (POLLIN | POLLOUT),
           "poll: ready");
    if (check.trapped) {
        close(rw);
        return;
    }
    errno = 0;
    result(read(check.fd, buf, sizeof(buf)) == -1 && errno == EINVAL,
           "read: EINVAL");
    errno = 0;
    result(write(rw, buf, sizeof(buf)) == -1 && errno == EINVAL,
           "write: EINVAL");
    errno = 0;
    result(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, check.fd, 0) == MAP_FAILED &&
               errno == ENODEV,
           "mmap: ENODEV");
    if (!check.retry) {
        errno = 0;
        result(lseek(check.fd, 1, SEEK_SET) == -1 && errno == ESPIPE,
               "lseek: ESPIPE");
    }
    close(rw);
}
#endif

static int run_checks(void)
{
    check.fd = dev_open(check.device, O_RDONLY | O_CLOEXEC);
    if (check.fd < 0) {
        perror(check.device);
        return 1;
    }
    test_report();
    test_key();
    test_version();
    test_unknown();
    test_null();
    test_bad_addresses();
    test_ext_rules();
    if (check.certs) {
        test_ext_certs();
    } else {
        test_ext_none();
    }
    test_threads();
#ifndef CHECK_IN_PROCESS
    test_racing();
    test_killed();
    test_read_only_memory();
    test_32_bit();
    test_file_operations();
#endif
    printf("1..%u\n", check.count);
    return check.failed == 0 ? 0 : 1;
}

#ifndef CHECK_IN_PROCESS
int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--device") == 0 && i + 1 < argc) {
            check.device = argv[++i];
        } else if (strcmp(argv[i], "--certs") == 0) {
            check.certs = true;
        } else if (strcmp(argv[i], "--retry") == 0) {
            check.retry = true;
        } else if (strcmp(argv[i], "--trapped") == 0) {
            check.trapped = true;
        } else {
            fprintf(stderr, "usage: check_guest [--device PATH] [--certs] "
                            "[--retry|--trapped]\n");
            return 64;
        }
    }
    return run_checks();
}
#endif
