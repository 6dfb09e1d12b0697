/* SPDX-License-Identifier: Apache-2.0 */
/* How the broker asks a key server: URLs, answers in every form that HTTP/1.1
 * gives them, TLS that trusts nobody without a reason, and servers that stall
 * or stop half way. RFC 9112; abi/aeb.md §1.4. */
#include "aeb_http.h"
#include "http_script.h"
#include "kds_http.h"
#include "kds_tls.h"
#include "tst.h"
#include "monotonic.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static void url__forms(void **state)
{
    static const struct {
        const char *text, *host, *port, *base; /* host NULL: refused */
        bool tls;
    } row[] = {
        {"http://h", "h", "80", "", false},
        {"http://h/", "h", "80", "", false},
        {"http://h:81/a/b/", "h", "81", "/a/b", false},
        {"http://[::1]:9", "::1", "9", "", false},
        {"https://h", "h", "443", "", true},
        {"https://h:8443/x", "h", "8443", "/x", true},
        {"https://[fe80::1]/x", "fe80::1", "443", "/x", true},
        {"http://h:65535", "h", "65535", "", false},
        {"http://h:65536", NULL, NULL, NULL, false},
        {"http://h:0", NULL, NULL, NULL, false},
        {"http://h:123456", NULL, NULL, NULL, false},
        {"HTTP://h", NULL, NULL, NULL, false},
        {"ftp://h", NULL, NULL, NULL, false},
        {"h", NULL, NULL, NULL, false},
        {"", NULL, NULL, NULL, false},
        {"http://", NULL, NULL, NULL, false},
        {"https:///x", NULL, NULL, NULL, false},
        {"http://h:", NULL, NULL, NULL, false},
        {"http://h:x", NULL, NULL, NULL, false},
        {"http://u@h", NULL, NULL, NULL, false},
        {"http://h/?q", NULL, NULL, NULL, false},
        {"http://h/#q", NULL, NULL, NULL, false},
        {"http://h/a b", NULL, NULL, NULL, false},
        {"http://h/\r\nX: y", NULL, NULL, NULL, false},
        {"http://h\x80", NULL, NULL, NULL, false},
        {"http://[::1", NULL, NULL, NULL, false},
        {"http://[::1]x", NULL, NULL, NULL, false},
        {"http://[]", NULL, NULL, NULL, false},
    };
    struct aeb_url url;

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        assert_int_equal(aeb_url_parse(row[i].text, &url), row[i].host != NULL);
        if (row[i].host != NULL) {
            assert_string_equal(url.host, row[i].host);
            assert_string_equal(url.port, row[i].port);
            assert_string_equal(url.base, row[i].base);
            assert_int_equal(url.tls, row[i].tls);
        }
    }
}

/* ---- answers ---- */

struct answer_row {
    const char *name, *text;
    int err; /* when nothing more comes */
    int status;
    const char *body;
};

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"

static const struct answer_row ANSWERS[] = {
    {"length", OK_HEAD "Content-Length: 2\r\n\r\nab", 0, 200, "ab"},
    {"length_then_more", OK_HEAD "content-length:2 \r\n\r\nabc", 0, 200, "ab"},
    {"length_0", OK_HEAD "Content-Length: 0\r\n\r\n", 0, 200, ""},
    {"until_the_end", "HTTP/1.0 200\r\n\r\nabc", 0, 200, "abc"},
    {"same_length_twice",
     OK_HEAD "Content-Length: 2\r\nContent-Length: 2\r\n\r\nab", 0, 200, "ab"},
    {"status_204", "HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n", 0, 204, ""},
    {"interim_first",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: "
     "x\r\n\r\n" OK_HEAD "Content-Length: 1\r\n\r\nz",
     0, 200, "z"},
    {"chunks", CHUNKED "1\r\na\r\n00b\r\nbcdefghijkl\r\n0\r\n\r\n", 0, 200,
     "abcdefghijkl"},
    {"chunks_with_extension_and_trailer",
     CHUNKED "2;x=\"y\"\r\nab\r\n0;z\r\nX: y\r\nZ: \r\n\r\n", 0, 200, "ab"},
    {"chunks_none", CHUNKED "0\r\n\r\n", 0, 200, ""},
    {"error_has_no_body", "HTTP/1.1 404 Not\r\nContent-Length: 9\r\n\r\nab", 0,
     404, ""},
    {"huge_error", "HTTP/1.1 500 X\r\nContent-Length: 99999999\r\n\r\nab", 0,
     500, ""},
    {"cut_in_body", OK_HEAD "Content-Length: 3\r\n\r\nab", -EPROTO, 0, NULL},
    {"cut_in_head", OK_HEAD "Content-Len", -EPROTO, 0, NULL},
    {"cut_in_chunk", CHUNKED "5\r\nab", -EPROTO, 0, NULL},
    {"cut_before_last_chunk", CHUNKED "2\r\nab\r\n", -EPROTO, 0, NULL},
    {"cut_in_trailer", CHUNKED "0\r\nX: y\r\n", -EPROTO, 0, NULL},
    {"nothing", "", -EPROTO, 0, NULL},
    {"length_too_large", OK_HEAD "Content-Length: 99999999999999999999\r\n\r\n",
     -EMSGSIZE, 0, NULL},
    {"length_one_too_large", OK_HEAD "Content-Length: 16385\r\n\r\n", -EMSGSIZE,
     0, NULL},
    {"chunk_too_large", CHUNKED "ffffffffffffffffffff\r\n", -EMSGSIZE, 0, NULL},
    {"length_no_number", OK_HEAD "Content-Length: x\r\n\r\nab", -EPROTO, 0,
     NULL},
    {"length_signed", OK_HEAD "Content-Length: +2\r\n\r\nab", -EPROTO, 0, NULL},
    {"length_empty", OK_HEAD "Content-Length:\r\n\r\nab", -EPROTO, 0, NULL},
    {"two_lengths", OK_HEAD "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
     -EPROTO, 0, NULL},
    {"length_and_chunks",
     OK_HEAD "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     -EPROTO, 0, NULL},
    {"other_coding", OK_HEAD "Transfer-Encoding: gzip\r\n\r\nab", -EPROTO, 0,
     NULL},
    {"chunk_no_number", CHUNKED "x\r\n", -EPROTO, 0, NULL},
    {"chunk_no_size", CHUNKED "\r\n", -EPROTO, 0, NULL},
    {"chunk_longer_than_told", CHUNKED "1\r\nab\r\n0\r\n\r\n", -EPROTO, 0,
     NULL},
    {"no_colon", OK_HEAD "Content-Length 2\r\n\r\nab", -EPROTO, 0, NULL},
    {"space_before_colon", OK_HEAD "Content-Length : 2\r\n\r\nab", -EPROTO, 0,
     NULL},
    {"folded", OK_HEAD "X: y\r\n z\r\n\r\nab", -EPROTO, 0, NULL},
    {"bare_newline", "HTTP/1.1 200 OK\n\nab", -EPROTO, 0, NULL},
    {"status_no_number", "HTTP/1.1 2x0 OK\r\n\r\n", -EPROTO, 0, NULL},
    {"status_999", "HTTP/1.1 999 OK\r\n\r\n", -EPROTO, 0, NULL},
    {"status_four_digits", "HTTP/1.1 2000 OK\r\n\r\n", -EPROTO, 0, NULL},
    {"http_2", "HTTP/2 200 OK\r\n\r\n", -EPROTO, 0, NULL},
    {"ssh", "SSH-2.0\r\n\r\n", -EPROTO, 0, NULL},
};
#define ANSWER_COUNT (sizeof(ANSWERS) / sizeof(ANSWERS[0]))

static struct aeb_answer parsed;

static int parse(const char *text, size_t size, bool ended)
{
    uint8_t *exact = tst_dup(text, size);
    int err = aeb_answer_parse(exact, size, ended, &parsed);

    free(exact);
    return err;
}

static void answer_row(void **state)
{
    const struct answer_row *row = *state;
    size_t size = strlen(row->text);

    assert_int_equal(parse(row->text, size, true), row->err);
    if (row->err == 0) {
        assert_int_equal(parsed.status, row->status);
        assert_int_equal(parsed.size, strlen(row->body));
        assert_memory_equal(parsed.body, row->body, parsed.size);
    }
    /* However it is cut: more may come, and it never becomes another. */
    for (size_t n = 0; n < size; n++) {
        int err = parse(row->text, n, false);

        if (err == 0) {
            assert_int_equal(parsed.status, row->status);
            assert_int_equal(parsed.size, strlen(row->body));
        } else if (err != -EAGAIN) {
            assert_int_equal(err, row->err);
        }
    }
}

static void answer__head_without_end__refused(void **state)
{
    static char text[0x3000] = OK_HEAD "X: ";

    (void)state;
    memset(text + strlen(text), 'x', sizeof(text) - strlen(text) - 1);
    assert_int_equal(parse(text, sizeof(text) - 1, false), -EPROTO);
}

static void answer__body_of_16_kib__and_a_byte(void **state)
{
    static char text[0x5000] = OK_HEAD "\r\n";
    size_t head = strlen(text);

    (void)state;
    memset(text + head, 'x', AEB_HTTP_BODY_MAX + 1);
    assert_int_equal(parse(text, head + AEB_HTTP_BODY_MAX, true), 0);
    assert_int_equal(parsed.size, AEB_HTTP_BODY_MAX);
    assert_int_equal(parse(text, head + AEB_HTTP_BODY_MAX + 1, false),
                     -EMSGSIZE);
}

static void answer__retry_after_and_location(void **state)
{
    static const struct {
        const char *value;
        bool have;
        unsigned int seconds;
    } row[] = {
        {"10", true, 10},
        {"0", true, 0},
        {"99999999999", true, 3600},
        {"-1", false, 0},
        {"", false, 0},
        {"Fri, 31 Dec 1999 23:59:59 GMT", false, 0},
    };
    char text[256];

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        snprintf(text, sizeof(text),
                 "HTTP/1.1 429 Slow\r\nRetry-After: %s\r\n\r\n", row[i].value);
        assert_int_equal(parse(text, strlen(text), true), 0);
        assert_int_equal(parsed.have_retry, row[i].have);
        if (row[i].have) {
            assert_int_equal(parsed.retry_s, row[i].seconds);
        }
    }
    snprintf(text, sizeof(text), "%s",
             "HTTP/1.1 301 Go\r\nLocation: http://x/\x1b[2J\r\n\r\n");
    assert_int_equal(parse(text, strlen(text), true), 0);
    assert_string_equal(parsed.location, "http://x/");
}

/* ---- over the network ---- */

static struct kds *kds;
static struct kds_tls tls;
static char *dir;
static char ca[256];

static int setup(void **state)
{
    const struct kds_config config = {.seed = PKI_DEV_SEED, .chip_count = 1};
    char error[KDS_TLS_ERROR_SIZE];

    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    dir = tst_mkdtemp();
    snprintf(ca, sizeof(ca), "%s/ca.pem", dir);
    if (kds_open(&config, &kds) != PSP_OK ||
        kds_tls_open(NULL, (uint64_t)time(NULL), &tls, error) != 0) {
        return -1;
    }
    tst_write_file(ca, tls.ca_cert, strlen(tls.ca_cert));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    kds_tls_clear(&tls);
    kds_close(kds);
    tst_rmdir(dir);
    return 0;
}

static const char ROOT[] = "/developer/eula/sev/ask_ark_milan.cert";
static char why[AEB_WHY_NET];

static int get(const char *scheme, const char *host, uint16_t port,
               struct aeb_trust *trust)
{
    struct aeb_http http = {.trust = trust,
                            .path = ROOT,
                            .connect_ms = 2000,
                            .patience.until = monotonic_ms() + 2000};
    struct aeb_url url;
    char text[128];

    snprintf(text, sizeof(text), "%s://%s:%u", scheme, host, port);
    assert_true(aeb_url_parse(text, &url));
    http.url = &url;
    why[0] = '\0';
    return aeb_http_get(&http, &parsed, why);
}

static struct kds_http *start(bool with_tls)
{
    const struct kds_http_config config = {
        .address = "0.0.0.0",
        .tls_cert = with_tls ? tls.cert : NULL,
        .tls_key = with_tls ? tls.key : NULL,
    };
    struct kds_http *http = NULL;

    assert_int_equal(kds_http_start(kds, &config, &http), 0);
    return http;
}

static void get__plain__by_address_and_name(void **state)
{
    struct kds_http *http = start(false);

    (void)state;
    assert_int_equal(get("http", "127.0.0.1", kds_http_port(http), NULL), 0);
    assert_int_equal(parsed.status, 200);
    assert_int_equal(parsed.size, 3200);
    assert_int_equal(get("http", "localhost", kds_http_port(http), NULL), 0);
    assert_int_equal(parsed.size, 3200);
    kds_http_stop(http);
}

static void get__tls__own_ca(void **state)
{
    struct kds_http *http = start(true);
    struct aeb_trust *trust = NULL;

    (void)state;
    assert_int_equal(aeb_trust_open(ca, &trust, why), 0);
    for (int i = 0; i < 2; i++) { /* one after the other */
        assert_int_equal(get("https", "127.0.0.1", kds_http_port(http), trust),
                         0);
        assert_int_equal(parsed.size, 3200);
    }
    assert_int_equal(get("https", "localhost", kds_http_port(http), trust), 0);
    assert_int_equal(parsed.size, 3200);
    aeb_trust_close(trust);
    kds_http_stop(http);
}

static void get__tls__system_store(void **state)
{
    struct kds_http *http = start(true);
    struct aeb_trust *trust = NULL;

    (void)state;
    unsetenv("SSL_CERT_FILE");
    assert_int_equal(aeb_trust_open(NULL, &trust, why), 0);
    assert_int_equal(get("https", "localhost", kds_http_port(http), trust),
                     -EKEYREJECTED);
    assert_non_null(strstr(why, "certificate"));
    aeb_trust_close(trust);
    setenv("SSL_CERT_FILE", ca, 1);
    assert_int_equal(aeb_trust_open(NULL, &trust, why), 0);
    assert_int_equal(get("https", "localhost", kds_http_port(http), trust), 0);
    aeb_trust_close(trust);
    unsetenv("SSL_CERT_FILE");
    kds_http_stop(http);
}

static void get__tls_name_is_another__rejected(void **state)
{
    struct kds_http *http = start(true);
    struct aeb_trust *trust = NULL;

    (void)state;
    assert_int_equal(aeb_trust_open(ca, &trust, why), 0);
    assert_int_equal(get("https", "127.0.0.2", kds_http_port(http), trust),
                     -EKEYREJECTED);
    assert_non_null(strstr(why, "mismatch"));
    aeb_trust_close(trust);
    kds_http_stop(http);
}

static void get__tls_ca_is_another__rejected(void **state)
{
    struct kds_http *http = start(true);
    struct aeb_trust *trust = NULL;
    struct kds_tls other;
    char path[256], error[KDS_TLS_ERROR_SIZE];

    (void)state;
    assert_int_equal(kds_tls_open(NULL, (uint64_t)time(NULL), &other, error),
                     0);
    snprintf(path, sizeof(path), "%s/other.pem", dir);
    tst_write_file(path, other.ca_cert, strlen(other.ca_cert));
    assert_int_equal(aeb_trust_open(path, &trust, why), 0);
    assert_int_equal(get("https", "127.0.0.1", kds_http_port(http), trust),
                     -EKEYREJECTED);
    aeb_trust_close(trust);
    kds_tls_clear(&other);
    kds_http_stop(http);
}

static void trust__file_is_none__told(void **state)
{
    struct aeb_trust *trust = NULL;
    char path[256];

    (void)state;
    snprintf(path, sizeof(path), "%s/none", dir);
    assert_true(aeb_trust_open(path, &trust, why) < 0);
    tst_write_file(path, "hello", 5);
    why[0] = '\0';
    assert_true(aeb_trust_open(path, &trust, why) < 0);
    assert_true(why[0] != '\0');
}

static void get__https_of_a_plain_server__no_fallback(void **state)
{
    struct kds_http *http = start(false);
    struct aeb_trust *trust = NULL;

    (void)state;
    assert_int_equal(aeb_trust_open(ca, &trust, why), 0);
    assert_int_equal(get("https", "127.0.0.1", kds_http_port(http), trust),
                     -EPROTO);
    aeb_trust_close(trust);
    kds_http_stop(http);
}

static void get__request_line_and_host(void **state)
{
    const struct http_step step = {.say = "HTTP/1.1 404 N\r\n\r\n"};
    struct http_script *s = http_script_start(&step, 1);
    char want[64];

    (void)state;
    assert_int_equal(get("http", "127.0.0.1", http_script_port(s), NULL), 0);
    assert_int_equal(parsed.status, 404);
    assert_memory_equal(http_script_heard(s), "GET /developer/", 15);
    snprintf(want, sizeof(want), "\r\nHost: 127.0.0.1:%u\r\n",
             http_script_port(s));
    assert_non_null(strstr(http_script_heard(s), want));
    http_script_stop(s);
}

/* An answer is whole when its length says so, whether or not the server hangs
 * up. */
static void get__server_keeps_the_connection__answer_taken(void **state)
{
    const struct http_step step = {
        .say = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", .hang = true};
    struct http_script *s = http_script_start(&step, 1);

    (void)state;
    assert_int_equal(get("http", "127.0.0.1", http_script_port(s), NULL), 0);
    assert_int_equal(parsed.size, 2);
    http_script_stop(s);
}

static bool never(void *ctx)
{
    int64_t *until = ctx;

    return monotonic_ms() >= *until;
}

/* TLS handshakes, heads and bodies that never end. */
static void get__server_stalls__deadline_and_giving_up(void **state)
{
    static const struct {
        const char *scheme;
        struct http_step step;
    } row[] = {
        {"https", {.say = "", .hang = true, .deaf = true}},
        {"http", {.say = "", .hang = true, .deaf = true}},
        {"http", {.say = "HTTP/1.1 2", .hang = true}},
        {"http",
         {.say = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na",
          .hang = true}},
    };
    struct aeb_trust *trust = NULL;

    (void)state;
    assert_int_equal(aeb_trust_open(ca, &trust, why), 0);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct http_script *s = http_script_start(&row[i].step, 1);
        int64_t begin = monotonic_ms(), soon = begin + 200;
        struct aeb_http http = {.trust = trust, .path = "/", .connect_ms = 300};
        struct aeb_url url;
        char text[64];

        snprintf(text, sizeof(text), "%s://127.0.0.1:%u", row[i].scheme,
                 http_script_port(s));
        assert_true(aeb_url_parse(text, &url));
        http.url = &url;
        http.patience.until = begin + 300;
        assert_int_equal(aeb_http_get(&http, &parsed, why), -ETIMEDOUT);
        assert_in_range(monotonic_ms() - begin, 290, 1500);
        http_script_stop(s);
        s = http_script_start(&row[i].step, 1);
        snprintf(url.port, sizeof(url.port), "%u", http_script_port(s));
        soon = monotonic_ms() + 150;
        http.connect_ms = 5000;
        http.patience = (struct aeb_patience){soon + 5000, never, &soon};
        assert_int_equal(aeb_http_get(&http, &parsed, why), -ECANCELED);
        assert_in_range(monotonic_ms() - soon, 0, 1500);
        http_script_stop(s);
    }
    aeb_trust_close(trust);
}

static void get__nobody_listens__told(void **state)
{
    (void)state;
    assert_int_equal(get("http", "127.0.0.1", 1, NULL), -ECONNREFUSED);
    assert_non_null(strstr(why, "refused"));
}

int main(void)
{
    static const struct CMUnitTest fixed[] = {
        cmocka_unit_test(url__forms),
        cmocka_unit_test(answer__head_without_end__refused),
        cmocka_unit_test(answer__body_of_16_kib__and_a_byte),
        cmocka_unit_test(answer__retry_after_and_location),
        cmocka_unit_test(get__plain__by_address_and_name),
        cmocka_unit_test(get__tls__own_ca),
        cmocka_unit_test(get__tls__system_store),
        cmocka_unit_test(get__tls_name_is_another__rejected),
        cmocka_unit_test(get__tls_ca_is_another__rejected),
        cmocka_unit_test(trust__file_is_none__told),
        cmocka_unit_test(get__https_of_a_plain_server__no_fallback),
        cmocka_unit_test(get__request_line_and_host),
        cmocka_unit_test(get__server_keeps_the_connection__answer_taken),
        cmocka_unit_test(get__server_stalls__deadline_and_giving_up),
        cmocka_unit_test(get__nobody_listens__told),
    };
    static struct CMUnitTest rows[ANSWER_COUNT];
    int failed;

    for (size_t i = 0; i < ANSWER_COUNT; i++) {
        rows[i] = (struct CMUnitTest){.name = ANSWERS[i].name,
                                      .test_func = answer_row,
                                      .initial_state =
                                          (void *)(uintptr_t)&ANSWERS[i]};
    }
    failed = cmocka_run_group_tests_name("http", fixed, setup, teardown);
    return cmocka_run_group_tests_name("answers", rows, NULL, NULL) + failed;
}
