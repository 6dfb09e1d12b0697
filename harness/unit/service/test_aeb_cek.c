/* SPDX-License-Identifier: Apache-2.0 */
/* The broker and its key server: one request for all who wait, patience where
 * the server asks for it, nobody held up where it hangs. abi/aeb.md §1.4, T9,
 * T16; abi/certs-kds.md §2.4. */
#include "aeb_cek.h"
#include "aeb_msg.h"
#include "http_script.h"
#include "tst.h"
#include "monotonic.h"

#include <pthread.h>
#include <unistd.h>

#define WAIT_MAX 64

static struct kds *kds;
static struct psp_chip chip[2];
static uint8_t cert[2][SEV_CERT_SIZE]; /* theirs; what firmware exports too */
static char good[2][4096];             /* an answer with them */
static size_t good_size;
static char log_text[512];

static int setup(void **state)
{
    const struct kds_config config = {.seed = PKI_DEV_SEED, .chip_count = 2};
    char path[160];

    (void)state;
    if (kds_open(&config, &kds) != PSP_OK) {
        return -1;
    }
    for (uint32_t i = 0; i < 2; i++) {
        struct kds_answer a;

        pki_chip_make(PKI_DEV_SEED, PSP_MILAN, i, &chip[i]);
        strcpy(path, "/cek/id/");
        for (size_t k = 0; k < 64; k++) {
            snprintf(path + 8 + 2 * k, 3, "%02X", chip[i].id[k]);
        }
        kds_answer(kds, &(struct kds_ask){.method = "GET", .path = path}, &a);
        assert_int_equal(a.status, 200);
        assert_int_equal(a.size, SEV_CERT_SIZE);
        memcpy(cert[i], a.body, a.size);
        kds_answer_clear(&a);
        good_size = (size_t)snprintf(good[i], sizeof(good[i]), "%s",
                                     "HTTP/1.1 200 OK\r\nContent-Length: "
                                     "2084\r\n\r\n");
        memcpy(good[i] + good_size, cert[i], SEV_CERT_SIZE);
        good_size += SEV_CERT_SIZE;
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    kds_close(kds);
    return 0;
}

/* ---- one who waits ---- */

struct waiter {
    struct aeb_cek_wait w;
    atomic_bool cancelled;
    atomic_int woken;
};

static void wake(void *ctx)
{
    struct waiter *w = ctx;

    atomic_fetch_add(&w->woken, 1);
}

/* @ms: its deadline; 0: none */
static bool ask(struct aeb_cek *cek, struct waiter *w, int which, int ms)
{
    memset(w, 0, sizeof(*w));
    memcpy(w->w.id, chip[which].id, sizeof(w->w.id));
    memcpy(w->w.exported, cert[which], sizeof(w->w.exported));
    w->w.cancelled = &w->cancelled;
    w->w.deadline = ms > 0 ? monotonic_ms() + ms : INT64_MAX;
    w->w.wake = wake;
    w->w.ctx = w;
    return aeb_cek_ask(cek, &w->w);
}

static uint32_t await(struct waiter *w)
{
    for (int i = 0; i < 500 && atomic_load(&w->woken) == 0; i++) {
        usleep(10000);
    }
    assert_int_equal(atomic_load(&w->woken), 1);
    assert_true(w->w.done);
    return w->w.error;
}

static uint32_t get(struct aeb_cek *cek, int which)
{
    struct waiter w;

    return ask(cek, &w, which, 0) ? w.w.error : await(&w);
}

static void log_line(void *ctx, const char *line)
{
    (void)ctx;
    snprintf(log_text, sizeof(log_text), "%s", line);
}

static struct aeb_cek *open_with(const struct http_script *s, int request_ms,
                                 int total_ms)
{
    struct aeb_cek_config config = {
        .request_ms = request_ms, .total_ms = total_ms, .log = log_line};
    struct aeb_cek *cek = NULL;
    struct aeb_url url;
    char text[64];

    snprintf(text, sizeof(text), "http://127.0.0.1:%u", http_script_port(s));
    assert_true(aeb_url_parse(text, &url));
    config.url = &url;
    assert_int_equal(aeb_cek_open(&config, &cek), 0);
    log_text[0] = '\0';
    return cek;
}

static struct aeb_cek *open_to(const struct http_script *s)
{
    return open_with(s, 1000, 4000);
}

#define SAY(text)                                                              \
    {                                                                          \
        .say = (text)                                                          \
    }

/* ---- own keys ---- */

/* T9: a genuine certificate, but another chip's. */
static void other_chip__other_key__also_from_what_is_kept(void **state)
{
    const struct aeb_cek_config config = {.local = kds};
    struct aeb_cek *cek;
    struct waiter w;

    (void)state;
    assert_int_equal(aeb_cek_open(&config, &cek), 0);
    assert_int_equal(get(cek, 0), 0);
    memcpy(cert[0], cert[1], SEV_CERT_SIZE);
    assert_true(ask(cek, &w, 0, 0)); /* kept */
    assert_int_equal(w.w.error, AEB_KDS_OTHER_KEY);
    memcpy(cert[0], good[0] + good_size - SEV_CERT_SIZE, SEV_CERT_SIZE);
    memcpy(cert[1], cert[0], SEV_CERT_SIZE);
    assert_int_equal(get(cek, 1), AEB_KDS_OTHER_KEY);
    memcpy(cert[1], good[1] + good_size - SEV_CERT_SIZE, SEV_CERT_SIZE);
    assert_int_equal(get(cek, 1), 0); /* the refused one was not kept */
    assert_true(ask(cek, &w, 1, 0));
    assert_int_equal(w.w.error, 0);
    assert_memory_equal(w.w.cert, cert[1], SEV_CERT_SIZE);
    aeb_cek_close(cek);
}

/* ---- a key server ---- */

static void many_who_wait__one_request(void **state)
{
    const struct http_step step = {.say = good[0], .size = good_size};
    struct http_script *s = http_script_start(&step, 1);
    struct aeb_cek *cek = open_to(s);
    static struct waiter w[WAIT_MAX];
    bool at_once[WAIT_MAX];

    (void)state;
    for (int i = 0; i < WAIT_MAX; i++) {
        at_once[i] = ask(cek, &w[i], 0, 0);
    }
    for (int i = 0; i < WAIT_MAX; i++) {
        assert_int_equal(at_once[i] ? w[i].w.error : await(&w[i]), 0);
        assert_memory_equal(w[i].w.cert, cert[0], SEV_CERT_SIZE);
    }
    assert_int_equal(http_script_count(s), 1);
    assert_int_equal(get(cek, 0), 0);
    assert_int_equal(http_script_count(s), 1); /* kept */
    aeb_cek_close(cek);
    http_script_stop(s);
}

static void failure__told_to_all__not_kept(void **state)
{
    const struct http_step steps[] = {SAY("HTTP/1.1 404 No\r\n\r\n"),
                                      {.say = good[0], .size = good_size}};
    struct http_script *s = http_script_start(steps, 2);
    struct aeb_cek *cek = open_to(s);

    (void)state;
    assert_int_equal(get(cek, 0), AEB_ERROR_KDS + 404);
    assert_non_null(strstr(log_text, "status 404"));
    assert_int_equal(get(cek, 0), 0);
    aeb_cek_close(cek);
    http_script_stop(s);
}

static void redirect__refused_where_to_is_logged(void **state)
{
    const struct http_step step =
        SAY("HTTP/1.1 302 Go\r\nLocation: http://evil/\r\n\r\n");
    struct http_script *s = http_script_start(&step, 1);
    struct aeb_cek *cek = open_to(s);

    (void)state;
    assert_int_equal(get(cek, 0), AEB_ERROR_KDS + 302);
    assert_int_equal(http_script_count(s), 1);
    assert_non_null(strstr(log_text, "http://evil/"));
    assert_non_null(strstr(aeb_error_text(AEB_ERROR_KDS + 302), "redirects"));
    aeb_cek_close(cek);
    http_script_stop(s);
}

static void retry_after__fits__asked_again(void **state)
{
    static const char *const slow[] = {
        "HTTP/1.1 429 Slow\r\nRetry-After: 1\r\n\r\n",
        "HTTP/1.1 503 Busy\r\nRetry-After: 1\r\n\r\n"};

    (void)state;
    for (int i = 0; i < 2; i++) {
        const struct http_step steps[] = {SAY(slow[i]),
                                          {.say = good[0], .size = good_size}};
        struct http_script *s = http_script_start(steps, 2);
        struct aeb_cek *cek = open_to(s);
        int64_t begin = monotonic_ms();

        assert_int_equal(get(cek, 0), 0);
        assert_in_range(monotonic_ms() - begin, 1000, 3000);
        assert_int_equal(http_script_count(s), 2);
        aeb_cek_close(cek);
        http_script_stop(s);
    }
}

/* Those with time wait, those without are told; nobody asks before. */
static void retry_after__too_late_for_some__told_at_once(void **state)
{
    const struct http_step steps[] = {
        SAY("HTTP/1.1 429 Slow\r\nRetry-After: 2\r\n\r\n"),
        {.say = good[0], .size = good_size}};
    struct http_script *s = http_script_start(steps, 2);
    struct aeb_cek *cek = open_to(s);
    struct waiter quick, patient, late;
    int64_t begin = monotonic_ms();

    (void)state;
    assert_false(ask(cek, &patient, 0, 3500));
    assert_false(ask(cek, &quick, 0, 1000));
    assert_int_equal(await(&quick), AEB_ERROR_KDS + 429);
    assert_true(monotonic_ms() - begin < 900);
    assert_int_equal(atomic_load(&patient.woken), 0);
    assert_true(ask(cek, &late, 0, 500));
    assert_int_equal(late.w.error, AEB_ERROR_KDS + 429);
    assert_true(ask(cek, &late, 1, 500)); /* it is one server */
    assert_int_equal(late.w.error, AEB_ERROR_KDS + 429);
    assert_int_equal(http_script_count(s), 1);
    assert_int_equal(await(&patient), 0);
    assert_in_range(monotonic_ms() - begin, 2000, 3500);
    aeb_cek_close(cek);
    http_script_stop(s);
}

static void retry_after__longer_than_anybody_waits__told_at_once(void **state)
{
    static const char *const slow[] = {
        "HTTP/1.1 429 Slow\r\nRetry-After: 3600\r\n\r\n",
        "HTTP/1.1 503 Busy\r\n\r\n", /* 6 s, as the published broker */
        "HTTP/1.1 503 Busy\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 "
        "GMT\r\n\r\n"};

    (void)state;
    for (int i = 0; i < 3; i++) {
        const struct http_step step = SAY(slow[i]);
        struct http_script *s = http_script_start(&step, 1);
        struct aeb_cek *cek = open_to(s);
        int64_t begin = monotonic_ms();

        assert_int_equal(get(cek, 0), AEB_ERROR_KDS + (i == 0 ? 429 : 503));
        assert_int_equal(get(cek, 0), AEB_ERROR_KDS + (i == 0 ? 429 : 503));
        assert_true(monotonic_ms() - begin < 1500);
        assert_int_equal(http_script_count(s), 1);
        aeb_cek_close(cek);
        http_script_stop(s);
    }
}

static void retry_after_0_for_ever__four_requests(void **state)
{
    const struct http_step step =
        SAY("HTTP/1.1 429 Slow\r\nRetry-After: 0\r\n\r\n");
    struct http_script *s = http_script_start(&step, 1);
    struct aeb_cek *cek = open_to(s);

    (void)state;
    assert_int_equal(get(cek, 0), AEB_ERROR_KDS + 429);
    assert_int_equal(http_script_count(s), 4);
    aeb_cek_close(cek);
    http_script_stop(s);
}

/* T16 */
static void server_hangs__those_with_a_kept_one_served(void **state)
{
    const struct http_step steps[] = {{.say = good[1], .size = good_size},
                                      {.say = "", .hang = true}};
    struct http_script *s = http_script_start(steps, 2);
    struct aeb_cek *cek = open_to(s);
    struct waiter stuck, w;
    int64_t begin;

    (void)state;
    assert_int_equal(get(cek, 1), 0);
    begin = monotonic_ms();
    assert_false(ask(cek, &stuck, 0, 0));
    for (int i = 0; i < 100; i++) {
        assert_true(ask(cek, &w, 1, 0));
        assert_int_equal(w.w.error, 0);
    }
    assert_true(monotonic_ms() - begin < 500);
    assert_int_equal(await(&stuck), AEB_KDS_TIMEOUT);
    assert_in_range(monotonic_ms() - begin, 950, 2500);
    aeb_cek_close(cek);
    http_script_stop(s);
}

static void server_hangs__nobody_waits_longer_than_the_limit(void **state)
{
    const struct http_step step = {.say = "", .hang = true};
    struct http_script *s = http_script_start(&step, 1);
    struct aeb_cek *cek = open_with(s, 4000, 600);
    struct waiter first, second;
    int64_t begin = monotonic_ms();

    (void)state;
    assert_false(ask(cek, &first, 0, 0));
    usleep(300000);
    assert_false(ask(cek, &second, 0, 0));
    assert_int_equal(await(&first), AEB_KDS_TIMEOUT);
    assert_in_range(monotonic_ms() - begin, 600, 850);
    assert_int_equal(atomic_load(&second.woken), 0); /* has time left */
    assert_int_equal(await(&second), AEB_KDS_TIMEOUT);
    assert_in_range(monotonic_ms() - begin, 900, 1200);
    assert_int_equal(http_script_count(s), 1);
    aeb_cek_close(cek);
    http_script_stop(s);
}

static void nobody_wants_it_any_more__request_given_up(void **state)
{
    const struct http_step step = {.say = "", .hang = true};
    struct http_script *s = http_script_start(&step, 1);
    struct aeb_cek *cek = open_to(s);
    struct waiter a, b;
    int64_t begin = monotonic_ms();

    (void)state;
    assert_false(ask(cek, &a, 0, 0));
    assert_false(ask(cek, &b, 0, 0));
    atomic_store(&a.cancelled, true);
    usleep(250000);
    assert_int_equal(atomic_load(&a.woken), 0); /* b still wants it */
    atomic_store(&b.cancelled, true);
    assert_int_equal(await(&b), AEB_KDS_TIMEOUT);
    assert_true(monotonic_ms() - begin < 900);
    aeb_cek_close(cek);
    http_script_stop(s);
}

static void forgotten__never_woken(void **state)
{
    const struct http_step step = {.say = "", .hang = true};
    struct http_script *s = http_script_start(&step, 1);
    struct aeb_cek *cek = open_to(s);
    struct waiter a, b;

    (void)state;
    assert_false(ask(cek, &a, 0, 0));
    assert_false(ask(cek, &b, 0, 0));
    aeb_cek_forget(cek, &a.w);
    aeb_cek_close(cek); /* those who are left are told */
    assert_int_equal(atomic_load(&a.woken), 0);
    assert_int_equal(atomic_load(&b.woken), 1);
    assert_int_equal(b.w.error, AEB_KDS_TIMEOUT);
    http_script_stop(s);
}

/* Everybody at once from several threads; each is woken exactly once. */
static void *hammer(void *arg)
{
    struct aeb_cek *cek = arg;

    for (int i = 0; i < 200; i++) {
        struct waiter w;

        if (!ask(cek, &w, i % 2, 0)) {
            if (i % 3 == 0) {
                aeb_cek_forget(cek, &w.w);
                continue;
            }
            (void)await(&w);
        }
        assert_true(w.w.error == 0 || w.w.error == AEB_KDS_OTHER_KEY);
    }
    return NULL;
}

static void many_threads__each_answered(void **state)
{
    const struct http_step step = {.say = good[0], .size = good_size};
    struct http_script *s = http_script_start(&step, 1);
    struct aeb_cek *cek = open_to(s);
    pthread_t t[4];

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&t[i], NULL, hammer, cek), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(t[i], NULL);
    }
    aeb_cek_close(cek);
    http_script_stop(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_chip__other_key__also_from_what_is_kept),
        cmocka_unit_test(many_who_wait__one_request),
        cmocka_unit_test(failure__told_to_all__not_kept),
        cmocka_unit_test(redirect__refused_where_to_is_logged),
        cmocka_unit_test(retry_after__fits__asked_again),
        cmocka_unit_test(retry_after__too_late_for_some__told_at_once),
        cmocka_unit_test(retry_after__longer_than_anybody_waits__told_at_once),
        cmocka_unit_test(retry_after_0_for_ever__four_requests),
        cmocka_unit_test(server_hangs__those_with_a_kept_one_served),
        cmocka_unit_test(server_hangs__nobody_waits_longer_than_the_limit),
        cmocka_unit_test(nobody_wants_it_any_more__request_given_up),
        cmocka_unit_test(forgotten__never_woken),
        cmocka_unit_test(many_threads__each_answered),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
