/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that are not this program: static C, Go, Rust, Python; and the other
 * tests of this folder as an ordinary user. The device answers like a sev-guest
 * with made-up contents, so that nothing but the transport is tested. */
#include "fake.h"

#define GET_REPORT      0xC0205300u
#define GET_DERIVED_KEY 0xC0205301u
#define GET_EXT_REPORT  0xC0205302u
#define REPORT_SIZE     1184u
#define CERTS_SIZE      8192u

struct guest_ioctl {
    uint8_t msg_version, pad[7];
    uint64_t req, resp, exitinfo2;
};

static void make_report(const uint8_t req[96], uint8_t report[REPORT_SIZE])
{
    for (size_t i = 0; i < REPORT_SIZE; i++) {
        report[i] = (uint8_t)(i * 7 + req[0]);
    }
    memcpy(report + 80, req, 64);
    report[48] = req[64]; /* vmpl */
}

static int64_t give_report(struct umem *um, const struct guest_ioctl *io,
                           const uint8_t req[96])
{
    uint8_t resp[4000] = {0};
    const uint32_t size = REPORT_SIZE;

    memcpy(resp + 4, &size, sizeof(size));
    if (req[64] > 3) {
        resp[0] = 0x16;
    }
    make_report(req, resp + 32);
    return umem_write(um, io->resp, resp, sizeof(resp));
}

static int64_t give_ext_report(struct umem *um, uint64_t arg,
                               struct guest_ioctl *io)
{
    uint8_t req[112];
    uint8_t certs[CERTS_SIZE];
    uint64_t address;
    uint32_t size;
    int err = umem_read(um, io->req, req, sizeof(req));

    if (err != 0 || (err = umem_commit(um)) != 0) {
        return err;
    }
    memcpy(&address, req + 96, 8);
    memcpy(&size, req + 104, 4);
    if (size < CERTS_SIZE) {
        size = CERTS_SIZE;
        memcpy(req + 104, &size, 4);
        io->exitinfo2 = 1ull << 32;
        (void)umem_write(um, io->req, req, sizeof(req));
        (void)umem_write(um, arg, io, sizeof(*io));
        return -EIO;
    }
    memset(certs, 0xce, sizeof(certs));
    err = umem_write(um, address, certs, sizeof(certs));
    return err != 0 ? err : give_report(um, io, req);
}

static int64_t give_key(struct umem *um, const struct guest_ioctl *io)
{
    uint8_t req[32];
    uint8_t resp[64] = {0};
    int err = umem_read(um, io->req, req, sizeof(req));

    if (err != 0 || (err = umem_commit(um)) != 0) {
        return err;
    }
    memcpy(resp + 32, req, 32);
    return umem_write(um, io->resp, resp, sizeof(resp));
}

static int64_t guest(void *dev, bool writable, uint32_t request, uint64_t arg,
                     struct umem *um)
{
    struct guest_ioctl io;
    uint8_t req[96];
    int err = umem_read(um, arg, &io, sizeof(io));

    (void)dev;
    (void)writable;
    if (err != 0) {
        return err;
    }
    if (io.msg_version == 0) {
        return -EINVAL;
    }
    switch (request) {
    case GET_REPORT:
        err = umem_read(um, io.req, req, sizeof(req));
        err = err == 0 ? umem_commit(um) : err;
        return err != 0 ? err : give_report(um, &io, req);
    case GET_DERIVED_KEY:
        return give_key(um, &io);
    case GET_EXT_REPORT:
        return give_ext_report(um, arg, &io);
    default:
        return -ENOTTY;
    }
}

static const struct chardev_ops guest_ops = {guest};

static int run_argv(const char *const *words)
{
    struct run_node node = {
        .path = NODE, .dev = {"fake", &guest_ops, NULL}, .mode = 0666};
    struct run_config config = {.nodes = &node, .node_count = 1};
    char *argv[24] = {NULL};
    size_t n = 0;
    int status;

    for (; words[n] != NULL; n++) {
        argv[n] = tst_dup(words[n], strlen(words[n]) + 1);
    }
    status = fake_run(&config, argv);
    while (n > 0) {
        free(argv[--n]);
    }
    return status;
}

/* Three levels above this program, or NULL when it was not built. */
static const char *built(const char *name)
{
    static char path[5000];
    char self[4096];

    snprintf(self, sizeof(self), "%s", self_path());
    for (int i = 0; i < 3; i++) {
        *strrchr(self, '/') = '\0';
    }
    snprintf(path, sizeof(path), "%s/%s", self, name);
    if (access(path, X_OK) == 0) {
        return path;
    }
    print_message("SKIP %s is not built (make check builds it)\n", path);
    return NULL;
}

static void check_file(const char *path, const void *want, size_t size)
{
    size_t have;
    uint8_t *got = tst_file(path, &have);

    assert_int_equal(have, size);
    assert_memory_equal(got, want, size);
    free(got);
}

static void check_outputs(const char *dir)
{
    uint8_t req[96] = {0xa1, 0xb2, 0xc3};
    uint8_t report[REPORT_SIZE], certs[CERTS_SIZE];
    uint8_t key[32] = {1};
    char path[4200];

    req[64] = 2;
    make_report(req, report);
    memset(certs, 0xce, sizeof(certs));
    key[8] = 0x3f;
    key[16] = 2;
    key[20] = 4;
    key[24] = 9;
    snprintf(path, sizeof(path), "%s/report", dir);
    check_file(path, report, sizeof(report));
    snprintf(path, sizeof(path), "%s/certs", dir);
    check_file(path, certs, sizeof(certs));
    snprintf(path, sizeof(path), "%s/key", dir);
    check_file(path, key, sizeof(key));
}

/* @lead: an interpreter, or NULL. */
static void run_report(const char *lead, const char *program)
{
    char *dir = tst_mkdtemp();
    char report[4200], certs[4200], key[4200];
    const char *const options[] = {
        "--device",   NODE,   "--report-data", "a1b2c3", "--vmpl",      "2",
        "--report",   report, "--certs",       certs,    "--key",       key,
        "--root-key", "1",    "--fields",      "0x3f",   "--guest-svn", "4",
        "--tcb",      "9",
    };
    const char *argv[24] = {lead};
    size_t n = lead != NULL ? 1 : 0;

    snprintf(report, sizeof(report), "%s/report", dir);
    snprintf(certs, sizeof(certs), "%s/certs", dir);
    snprintf(key, sizeof(key), "%s/key", dir);
    argv[n] = program;
    memcpy(argv + n + 1, options, sizeof(options));
    assert_int_equal(run_argv(argv), 0);
    check_outputs(dir);
    tst_rmdir(dir);
}

static void test_built(void **state)
{
    const char *program = built(*state);

    if (program == NULL) {
        skip();
    }
    run_report(NULL, program);
}

static void client__static_c__works(void **state)
{
    char *dir = tst_mkdtemp();
    char path[4200];
    const char *const argv[] = {
        "cc", "-static", "-o", path, "harness/device/clients/c/report.c", NULL};

    (void)state;
    snprintf(path, sizeof(path), "%s/static", dir);
    if (tst_run(NULL, argv) != 0) {
        print_message("SKIP no static C library\n");
        tst_rmdir(dir);
        skip();
    }
    run_report(NULL, path);
    tst_rmdir(dir);
}

static void client__python__works(void **state)
{
    (void)state;
    run_report("python3", "harness/device/clients/py/report.py");
}

static void client__go_from_many_threads__works(void **state)
{
    const char *program = built("client/report-go");
    const char *argv[] = {program, "-device", NODE,        "-parallel",
                          "50",    "-report", "/dev/null", NULL};

    (void)state;
    if (program == NULL) {
        skip();
    }
    assert_int_equal(run_argv(argv), 0);
}

struct refusal {
    const char *name, *option, *value;
    int status;
};

static struct refusal refusals[] = {
    {"client__no_such_node__1", "--device", "/dev/swpsp-none", 1},
    {"client__refused_by_the_device__1", "--msg-version", "0", 1},
    {"client__refused_by_the_firmware__2", "--vmpl", "4", 2},
};

static void test_refusal(void **state)
{
    static const char *const clients[] = {"client/report", "client/report-go",
                                          "client/report-rust"};
    const struct refusal *r = *state;

    for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
        const char *program = built(clients[i]);
        const char *argv[] = {program,   "--device", NODE,
                              r->option, r->value,   NULL};

        if (program == NULL) {
            skip();
        }
        assert_int_equal(run_argv(argv), r->status);
    }
}

/* Run another test program of this folder without privileges, from a place
 * that everybody can reach. */
static void test_as_ordinary_user(void **state)
{
    const char *program = built(*state);
    char *dir = tst_mkdtemp();
    char copy[4200], tmp[4300], *output = NULL;
    const char *const cp[] = {"cp", program, copy, NULL};
    const char *const argv[] = {"setpriv",
                                "--reuid=65534",
                                "--regid=65534",
                                "--clear-groups",
                                "env",
                                "-C",
                                dir,
                                tmp,
                                copy,
                                NULL};
    int status;

    if (program == NULL || geteuid() != 0) {
        tst_rmdir(dir);
        skip(); /* the tests themselves run as an ordinary user */
    }
    snprintf(copy, sizeof(copy), "%s/program", dir);
    snprintf(tmp, sizeof(tmp), "TMPDIR=%s", dir);
    assert_int_equal(chmod(dir, 01777), 0);
    assert_int_equal(tst_run(NULL, cp), 0);
    assert_int_equal(chmod(copy, 0755), 0);
    status = tst_run(&output, argv);
    if (status != 0) {
        print_error("%s", output);
    }
    free(output);
    assert_int_equal(status, 0);
    tst_rmdir(dir);
}

int main(void)
{
    static char c[] = "client/report", go[] = "client/report-go",
                rust[] = "client/report-rust";
    static char open_tests[] = "test/transport/test_seccomp_open",
                path_tests[] = "test/transport/test_seccomp_path",
                ioctl_tests[] = "test/transport/test_seccomp_ioctl",
                run_tests[] = "test/transport/test_seccomp_run";
    const struct CMUnitTest tests[] = {
        {"client__dynamic_c__works", test_built, NULL, NULL, c},
        {"client__go__works", test_built, NULL, NULL, go},
        {"client__rust__works", test_built, NULL, NULL, rust},
        cmocka_unit_test(client__static_c__works),
        cmocka_unit_test(client__python__works),
        cmocka_unit_test(client__go_from_many_threads__works),
        {refusals[0].name, test_refusal, NULL, NULL, &refusals[0]},
        {refusals[1].name, test_refusal, NULL, NULL, &refusals[1]},
        {refusals[2].name, test_refusal, NULL, NULL, &refusals[2]},
        {"ordinary_user__open_tests__pass", test_as_ordinary_user, NULL, NULL,
         open_tests},
        {"ordinary_user__path_tests__pass", test_as_ordinary_user, NULL, NULL,
         path_tests},
        {"ordinary_user__ioctl_tests__pass", test_as_ordinary_user, NULL, NULL,
         ioctl_tests},
        {"ordinary_user__run_tests__pass", test_as_ordinary_user, NULL, NULL,
         run_tests},
    };

    return cmocka_run_group_tests_name("seccomp_clients", tests, NULL, NULL);
}
