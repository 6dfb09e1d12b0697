/* SPDX-License-Identifier: Apache-2.0 */
/* The certification authority of the stand-in's HTTPS. */
#include "kds_tls.h"
#include "tst.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define YEAR (365u * 86400u)

static char *dir;
static struct state_dir state_dir;
static char error[KDS_TLS_ERROR_SIZE];

static int setup(void **state)
{
    (void)state;
    dir = tst_mkdtemp();
    return state_dir_open(dir, STATE_DIR_PRIVATE, &state_dir, error);
}

static int teardown(void **state)
{
    (void)state;
    state_dir_close(&state_dir);
    tst_rmdir(dir);
    return 0;
}

static const char *at(const char *name)
{
    static char path[4][PATH_MAX];
    static unsigned int next;
    char *p = path[next++ % 4];

    snprintf(p, PATH_MAX, "%s/%s", dir, name);
    return p;
}

static void put(const char *name, const char *text)
{
    tst_write_file(at(name), text, strlen(text));
}

static struct kds_tls open_ok(const struct state_dir *d, uint64_t now)
{
    struct kds_tls tls;

    assert_int_equal(kds_tls_open(d, now, &tls, error), 0);
    return tls;
}

/* openssl verify of the server's certificate for a name. */
static int verify(const char *option, const char *name)
{
    const char *const argv[] = {"openssl",      "verify",   "-CAfile",
                                at("ca"),       "-purpose", "sslserver",
                                "-x509_strict", option,     name,
                                at("leaf"),     NULL};

    return tst_run(NULL, argv);
}

static void leaf__every_name__verifies(void **state)
{
    struct kds_tls tls = open_ok(NULL, (uint64_t)time(NULL));

    (void)state;
    put("ca", tls.ca_cert);
    put("leaf", tls.cert);
    for (size_t i = 0; KDS_TLS_NAMES[i] != NULL; i++) {
        assert_int_equal(verify("-verify_hostname", KDS_TLS_NAMES[i]), 0);
    }
    assert_int_equal(verify("-verify_ip", "127.0.0.1"), 0);
    assert_int_equal(verify("-verify_ip", "::1"), 0);
    assert_int_not_equal(verify("-verify_hostname", "www.amd.com"), 0);
    assert_int_not_equal(verify("-verify_hostname", "amd.com"), 0);
    kds_tls_clear(&tls);
}

static void ca__another_name__is_not_trusted_for_it(void **state)
{
    static const char script[] =
        "cd \"$1\" && umask 77 && "
        "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
        "-keyout k -subj /CN=example.com -out r 2>/dev/null && "
        "echo subjectAltName=DNS:example.com >e && "
        "openssl x509 -req -in r -CA tls-ca.pem -CAkey tls-ca-key.pem "
        "-CAcreateserial -extfile e -out leaf 2>/dev/null && "
        "! openssl verify -CAfile tls-ca.pem leaf";
    const char *const argv[] = {"sh", "-c", script, "sh", dir, NULL};
    struct kds_tls tls = open_ok(&state_dir, (uint64_t)time(NULL));
    char *output = NULL;

    (void)state;
    assert_int_equal(tst_run(&output, argv), 0);
    assert_non_null(strstr(output, "permitted subtree violation"));
    free(output);
    kds_tls_clear(&tls);
}

static void ca__second_opening__is_the_same(void **state)
{
    struct kds_tls a = open_ok(&state_dir, (uint64_t)time(NULL));
    struct kds_tls b = open_ok(&state_dir, (uint64_t)time(NULL) + YEAR);
    struct stat st;

    (void)state;
    assert_string_equal(a.ca_cert, b.ca_cert);
    assert_string_not_equal(a.cert, b.cert);
    assert_string_not_equal(a.key, b.key);
    assert_int_equal(stat(at(KDS_TLS_KEY_FILE), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(at(KDS_TLS_CA_FILE), &st), 0);
    put("ca", a.ca_cert);
    put("leaf", a.cert);
    assert_int_equal(verify("-verify_hostname", "localhost"), 0);
    kds_tls_clear(&a);
    kds_tls_clear(&b);
}

static void ca__close_to_its_end__is_replaced(void **state)
{
    uint64_t now = (uint64_t)time(NULL);
    struct kds_tls a = open_ok(&state_dir, now - 9 * YEAR);
    struct kds_tls b = open_ok(&state_dir, now);

    (void)state;
    assert_string_not_equal(a.ca_cert, b.ca_cert);
    put("ca", b.ca_cert);
    put("leaf", b.cert);
    assert_int_equal(verify("-verify_hostname", "localhost"), 0);
    kds_tls_clear(&a);
    kds_tls_clear(&b);
}

static void ca__without_a_folder__is_another_each_time(void **state)
{
    struct kds_tls a = open_ok(NULL, (uint64_t)time(NULL));
    struct kds_tls b = open_ok(NULL, (uint64_t)time(NULL));

    (void)state;
    assert_string_not_equal(a.ca_cert, b.ca_cert);
    kds_tls_clear(&a);
    kds_tls_clear(&b);
    assert_null(a.key);
}

static void refused(int code, const char *file)
{
    struct kds_tls tls;

    assert_int_equal(
        kds_tls_open(&state_dir, (uint64_t)time(NULL), &tls, error), code);
    assert_non_null(strstr(error, file));
    assert_null(tls.key);
}

static void ca__damaged_files__refused_and_left(void **state)
{
    struct kds_tls tls = open_ok(&state_dir, (uint64_t)time(NULL));
    struct kds_tls other = open_ok(NULL, (uint64_t)time(NULL));
    size_t size = 0;
    uint8_t *text;

    (void)state;
    put(KDS_TLS_CA_FILE, "no certificate\n");
    refused(-EBADMSG, KDS_TLS_CA_FILE);
    text = tst_file(at(KDS_TLS_CA_FILE), &size);
    assert_memory_equal(text, "no certificate\n", size);
    free(text);
    put(KDS_TLS_CA_FILE, other.ca_cert); /* of another key */
    refused(-EBADMSG, KDS_TLS_KEY_FILE);
    put(KDS_TLS_CA_FILE, tls.ca_cert);
    put(KDS_TLS_KEY_FILE, "");
    refused(-EBADMSG, KDS_TLS_KEY_FILE);
    kds_tls_clear(&tls);
    kds_tls_clear(&other);
}

static void ca__key_open_to_others__refused(void **state)
{
    struct kds_tls tls = open_ok(&state_dir, (uint64_t)time(NULL));

    (void)state;
    assert_int_equal(chmod(at(KDS_TLS_KEY_FILE), 0644), 0);
    refused(-EPERM, KDS_TLS_KEY_FILE);
    kds_tls_clear(&tls);
}

static void ca__half_of_it_missing__made_anew(void **state)
{
    struct kds_tls a = open_ok(&state_dir, (uint64_t)time(NULL));
    struct kds_tls b;

    (void)state;
    assert_int_equal(unlink(at(KDS_TLS_CA_FILE)), 0);
    b = open_ok(&state_dir, (uint64_t)time(NULL));
    assert_string_not_equal(a.ca_cert, b.ca_cert);
    kds_tls_clear(&a);
    a = open_ok(&state_dir, (uint64_t)time(NULL));
    assert_string_equal(a.ca_cert, b.ca_cert);
    kds_tls_clear(&a);
    kds_tls_clear(&b);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(leaf__every_name__verifies),
        TEST(ca__another_name__is_not_trusted_for_it),
        TEST(ca__second_opening__is_the_same),
        TEST(ca__close_to_its_end__is_replaced),
        TEST(ca__without_a_folder__is_another_each_time),
        TEST(ca__damaged_files__refused_and_left),
        TEST(ca__key_open_to_others__refused),
        TEST(ca__half_of_it_missing__made_anew),
    };

    return cmocka_run_group_tests_name("kds_tls", tests, NULL, NULL);
}
