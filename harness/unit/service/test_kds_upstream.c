/* SPDX-License-Identifier: Apache-2.0 */
/* The proxy behind ours: the forms of https_proxy and no_proxy, and the
 * question for a tunnel. */
#include "kds_upstream.h"
#include "tst.h"

#include <sys/socket.h>
#include <unistd.h>

static void none__nothing_set__direct(void **state)
{
    struct kds_upstream up;

    (void)state;
    assert_true(kds_upstream_parse(NULL, NULL, &up));
    assert_false(kds_upstream_serves(&up, "example.com", "443"));
    assert_true(kds_upstream_parse("", "x", &up));
    assert_false(up.used);
}

struct url_case {
    const char *text;
    const char *host;
    const char *port;
    const char *auth;
};

static const struct url_case URLS[] = {
    {"http://proxy:3128", "proxy", "3128", ""},
    {"http://proxy:3128/", "proxy", "3128", ""},
    {"HTTP://proxy/x?y", "proxy", "80", ""},
    {"proxy:8080", "proxy", "8080", ""},
    {"http://[::1]:3128", "::1", "3128", ""},
    {"http://user:word@proxy:1", "proxy", "1", "dXNlcjp3b3Jk"},
    {"user:word@proxy:1", "proxy", "1", "dXNlcjp3b3Jk"},
    {"http://user@proxy:1", "proxy", "1", "dXNlcjo="},
    {"http://u:p%40%2F@proxy:1", "proxy", "1", "dTpwQC8="},
    {"http://u:a@b@proxy:1", "proxy", "1", "dTphQGI="},
};

static void parse__every_form__host_port_and_credentials(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(URLS) / sizeof(URLS[0]); i++) {
        struct kds_upstream up;

        assert_true(kds_upstream_parse(URLS[i].text, NULL, &up));
        assert_true(up.used);
        assert_string_equal(up.url.host, URLS[i].host);
        assert_string_equal(up.url.port, URLS[i].port);
        assert_string_equal(up.auth, URLS[i].auth);
    }
}

static void
parse__other_schemes_and_nonsense__refused_and_not_gone_around(void **state)
{
    static const char *const bad[] = {"https://proxy:1",
                                      "socks5://proxy:1",
                                      "socks5h://u:p@proxy:1",
                                      "http://",
                                      "http://:80",
                                      "http://proxy:port",
                                      "http://proxy:123456",
                                      "http://[::1",
                                      "http://pro xy:1",
                                      "http://proxy\r\nX: y:1"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct kds_upstream up;

        assert_false(kds_upstream_parse(bad[i], "direct.org", &up));
        assert_true(kds_upstream_serves(&up, "example.com", "443"));
        assert_false(kds_upstream_serves(&up, "direct.org", "443"));
        assert_string_equal(up.url.host, "");
    }
}

struct list_case {
    const char *list;
    const char *host;
    const char *port;
    bool named;
};

static const struct list_case LISTS[] = {
    {"", "example.com", "443", false},
    {"*", "example.com", "443", true},
    {"example.com", "example.com", "443", true},
    {"EXAMPLE.com", "example.COM", "443", true},
    {"example.com", "www.example.com", "443", true},
    {"example.com", "badexample.com", "443", false},
    {"example.com", "example.com.evil", "443", false},
    {".example.com", "www.example.com", "443", true},
    {"*.example.com", "www.example.com", "443", true},
    {"*.example.com", "badexample.com", "443", false},
    {"a, b example.com\t,c", "example.com", "443", true},
    {"a,,b", "example.com", "443", false},
    {".", "example.com", "443", false},
    {"example.com:443", "example.com", "443", true},
    {"example.com:444", "example.com", "443", false},
    {"10.1.2.3", "10.1.2.3", "443", true},
    {"10.1.2.3:443", "10.1.2.3", "443", true},
    {"10.0.0.0/8", "10.1.2.3", "443", true},
    {"10.0.0.0/8", "11.1.2.3", "443", false},
    {"10.0.0.0/15", "10.1.2.3", "443", true},
    {"10.0.0.0/16", "10.1.2.3", "443", false},
    {"0.0.0.0/0", "10.1.2.3", "443", true},
    {"10.0.0.0/33", "10.0.0.0", "443", false},
    {"10.0.0.0/", "10.0.0.0", "443", false},
    {"10.0.0.0/8", "example.com", "443", false},
    {"fd00::/8", "fd12::1", "443", true},
    {"fd00::/8", "10.1.2.3", "443", false},
    {"::1", "::1", "443", true},
    {"[::1]:443", "::1", "443", true},
    {"[::1]:444", "::1", "443", false},
    {"[0:0::1]", "::1", "443", true},
};
#define LIST_COUNT (sizeof(LISTS) / sizeof(LISTS[0]))

static void test_list(void **state)
{
    const struct list_case *c = *state;

    assert_int_equal(kds_no_proxy_names(c->list, c->host, c->port), c->named);
}

static void without__names_of_one_host__others_stay(void **state)
{
    char *left = kds_no_proxy_without("localhost, amd.com *,.kdsintf.amd.com,"
                                      "10.0.0.0/8,kdsintf.amd.com:80",
                                      "kdsintf.amd.com", "443");

    (void)state;
    assert_string_equal(left, "localhost,10.0.0.0/8,kdsintf.amd.com:80");
    free(left);
}

static void serves__loopback__never(void **state)
{
    struct kds_upstream up;

    (void)state;
    assert_true(kds_upstream_parse("http://proxy:1", "", &up));
    assert_true(kds_upstream_serves(&up, "example.com", "443"));
    assert_false(kds_upstream_serves(&up, "localhost", "443"));
    assert_false(kds_upstream_serves(&up, "127.0.0.2", "443"));
    assert_false(kds_upstream_serves(&up, "::1", "443"));
}

/* What was asked, and whether the answer opened a tunnel. */
static bool ask(const char *proxy, const char *host, const char *answer,
                char asked[1024], char status[64], int left[2])
{
    struct kds_upstream up;
    ssize_t n;
    bool ok;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, left), 0);
    assert_true(kds_upstream_parse(proxy, NULL, &up));
    assert_int_equal(write(left[1], answer, strlen(answer)),
                     (ssize_t)strlen(answer));
    assert_int_equal(shutdown(left[1], SHUT_WR), 0);
    ok = kds_upstream_connect(&up, left[0], host, "443", status);
    n = read(left[1], asked, 1023);
    asked[n < 0 ? 0 : n] = '\0';
    return ok;
}

static void connect__200__rest_is_left_for_the_tunnel(void **state)
{
    char asked[1024], status[64], rest[8];
    int fd[2];

    (void)state;
    assert_true(ask("http://u:p@x:1", "example.com",
                    "HTTP/1.1 200 Fine\r\nX: y\r\n\r\nHello", asked, status,
                    fd));
    assert_string_equal(asked, "CONNECT example.com:443 HTTP/1.1\r\n"
                               "Host: example.com:443\r\n"
                               "Proxy-Authorization: Basic dTpw\r\n\r\n");
    assert_int_equal(read(fd[0], rest, sizeof(rest)), 5);
    assert_memory_equal(rest, "Hello", 5);
    close(fd[0]);
    close(fd[1]);
}

static void connect__ipv6__in_brackets(void **state)
{
    char asked[1024], status[64];
    int fd[2];

    (void)state;
    assert_true(
        ask("x:1", "fd00::1", "HTTP/1.0 204 x\r\n\r\n", asked, status, fd));
    assert_memory_equal(asked, "CONNECT [fd00::1]:443 HTTP/1.1\r\n", 31);
    close(fd[0]);
    close(fd[1]);
}

static void connect__refusals_and_garbage__status(void **state)
{
    static const struct {
        const char *answer, *status;
    } cases[] = {
        {"HTTP/1.1 407 Who are you\r\n\r\n", "407 Who are you"},
        {"HTTP/1.1 403 No\r\nA: b\r\n\r\n", "403 No"},
        {"HTTP/1.1 200 cut off\r\n", "502 No answer from the proxy behind"},
        {"", "502 No answer from the proxy behind"},
        {"SSH-2.0-x\r\n\r\n", "502 No answer from the proxy behind"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char asked[1024], status[64];
        int fd[2];

        assert_false(ask("x:1", "a", cases[i].answer, asked, status, fd));
        assert_string_equal(status, cases[i].status);
        close(fd[0]);
        close(fd[1]);
    }
}

int main(void)
{
    struct CMUnitTest rows[LIST_COUNT] = {0};
    struct list_case copies[LIST_COUNT];
    char names[LIST_COUNT][128];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none__nothing_set__direct),
        cmocka_unit_test(parse__every_form__host_port_and_credentials),
        cmocka_unit_test(
            parse__other_schemes_and_nonsense__refused_and_not_gone_around),
        cmocka_unit_test(without__names_of_one_host__others_stay),
        cmocka_unit_test(serves__loopback__never),
        cmocka_unit_test(connect__200__rest_is_left_for_the_tunnel),
        cmocka_unit_test(connect__ipv6__in_brackets),
        cmocka_unit_test(connect__refusals_and_garbage__status),
    };
    int failed;

    memcpy(copies, LISTS, sizeof(LISTS));
    for (size_t i = 0; i < LIST_COUNT; i++) {
        snprintf(names[i], sizeof(names[i]), "no_proxy '%s': %s port %s",
                 copies[i].list, copies[i].host, copies[i].port);
        rows[i].name = names[i];
        rows[i].test_func = test_list;
        rows[i].initial_state = &copies[i];
    }
    failed = cmocka_run_group_tests_name("kds_upstream", tests, NULL, NULL);
    return failed + cmocka_run_group_tests_name("no_proxy", rows, NULL, NULL);
}
