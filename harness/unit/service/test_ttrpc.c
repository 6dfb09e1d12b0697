/* SPDX-License-Identifier: Apache-2.0 */
/* Frames and envelopes against the bytes captured from Rust programs
 * (abi/aeb.md appendix A), addresses, and a live server against every row of
 * §3.2. */
#include "aeb_msg.h"
#include "ttrpc_addr.h"
#include "ttrpc_client.h"
#include "ttrpc_server.h"
#include "tst.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/vm_sockets.h> /* takes <sys/socket.h> before it */

#define SIZE_REQUEST                                                           \
    "0000002e 00000001 01 00 0a07 6165622e416562 121f "                        \
    "52657472696576654174746573746174696f6e45766964656e636553697a65 1a02 0801"
#define EVIDENCE_REQUEST                                                       \
    "0000002d 00000003 01 00 0a07 6165622e416562 121b "                        \
    "52657472696576654174746573746174696f6e45766964656e6365 1a05 0801 10bd32"

static size_t hex_size(const char *hex)
{
    size_t n = 0;

    for (; *hex != '\0'; hex++) {
        n += *hex != ' ';
    }
    return n / 2;
}

static uint8_t *from_hex(const char *hex, size_t *size)
{
    uint8_t *p;

    *size = hex_size(hex);
    p = malloc(*size + 1);
    assert_non_null(p);
    tst_hex(hex, p, *size);
    return p;
}

static void check_hex(uint8_t *got, size_t size, const char *hex)
{
    assert_int_equal(size, hex_size(hex));
    assert_hex_equal(got, hex, size);
    free(got);
}

/* ---- vectors ---- */

static void check_request(enum aeb_rpc rpc, uint32_t stream, uint32_t handle,
                          uint32_t size, const char *hex)
{
    struct aeb_request req = {.handle = handle, .size = size};
    struct ttrpc_request env = {.service = {(const uint8_t *)"aeb.Aeb", 7},
                                .method = {(const uint8_t *)aeb_rpc_name(rpc),
                                           strlen(aeb_rpc_name(rpc))}};
    uint8_t *payload, *frame;
    size_t n;

    assert_int_equal(aeb_request_encode(rpc, &req, &payload, &n), PSP_OK);
    env.payload = (struct ttrpc_bytes){payload, n};
    assert_int_equal(ttrpc_request_frame(stream, &env, &frame, &n), PSP_OK);
    free(payload);
    check_hex(frame, n, hex);
}

static void request_frames__as_rust_clients_send_them(void **state)
{
    (void)state;
    check_request(AEB_RPC_SIZE, 1, 1, 0, SIZE_REQUEST);
    check_request(AEB_RPC_EVIDENCE, 3, 1, 6461, EVIDENCE_REQUEST);
}

static void check_response(enum aeb_rpc rpc, const struct aeb_response *resp,
                           const char *hex)
{
    struct ttrpc_response env = {.code = TTRPC_OK};
    uint8_t *payload, *frame;
    size_t n;

    assert_int_equal(aeb_response_encode(rpc, resp, &payload, &n), PSP_OK);
    env.payload = (struct ttrpc_bytes){payload, n};
    assert_int_equal(ttrpc_response_frame(1, &env, &frame, &n), PSP_OK);
    free(payload);
    check_hex(frame, n, hex);
}

static void response_frames__as_captured(void **state)
{
    (void)state;
    check_response(AEB_RPC_SIZE, &(struct aeb_response){.size = 6460},
                   "00000007 00000001 02 00 0a00 1203 10bc32");
    check_response(AEB_RPC_SIZE, &(struct aeb_response){.size = 6461},
                   "00000007 00000001 02 00 0a00 1203 10bd32");
    check_response(AEB_RPC_SIZE, &(struct aeb_response){.error = 0x10},
                   "00000006 00000001 02 00 0a00 1202 0810");
}

static void check_big_response(uint32_t size, const char *head)
{
    static uint8_t json[14748];
    struct aeb_response resp = {.size = size, .evidence = {json, sizeof(json)}};
    struct ttrpc_response env = {.code = TTRPC_OK};
    uint8_t *payload, *frame;
    size_t n;

    memcpy(json, "{\"report", 8);
    assert_int_equal(aeb_response_encode(AEB_RPC_EVIDENCE, &resp, &payload, &n),
                     PSP_OK);
    env.payload = (struct ttrpc_bytes){payload, n};
    assert_int_equal(ttrpc_response_frame(1, &env, &frame, &n), PSP_OK);
    free(payload);
    assert_hex_equal(frame, head, hex_size(head));
    assert_int_equal(n, hex_size(head) - 8 + sizeof(json));
    free(frame);
}

static void evidence_response_frames__as_captured(void **state)
{
    (void)state;
    check_big_response(6460, "000039a7 00000001 02 00 0a00 12a273 10bc32 "
                             "1a9c73 7b227265706f7274");
    check_big_response(0, "000039a4 00000001 02 00 0a00 129f73 1a9c73 "
                          "7b227265706f7274");
}

static void check_status(int32_t code, const char *message, const char *hex)
{
    struct ttrpc_response env = {
        .code = code, .message = {(const uint8_t *)message, strlen(message)}};
    uint8_t *frame;
    size_t n;

    assert_int_equal(ttrpc_response_frame(1, &env, &frame, &n), PSP_OK);
    check_hex(frame, n, hex);
}

static void status_frames__as_captured(void **state)
{
    (void)state;
    check_status(3, "", "00000004 00000001 02 00 0a02 0803");
    check_status(4, "timeout",
                 "0000000d 00000001 02 00 0a0b 0804 1207 74696d656f7574");
    check_status(3, "/aeb.Aeb/Nope does not exist",
                 "00000022 00000001 02 00 0a20 0803 121c "
                 "2f6165622e4165622f4e6f706520646f6573206e6f74206578697374");
    check_status(2, "Others(\"device type is not supported\")",
                 "0000002c 00000001 02 00 0a2a 0802 1226 "
                 "4f7468657273282264657669636520747970652069"
                 "73206e6f7420737570706f727465642229");
}

/* ---- decoding ---- */

static enum psp_err decode(const char *hex, struct ttrpc_request *out)
{
    size_t n;
    uint8_t *p = from_hex(hex, &n);
    uint8_t *exact = tst_dup(p, n);
    enum psp_err err = ttrpc_request_decode(exact, n, out);

    free(p);
    free(exact);
    return err;
}

static void request_decode__service_with_nul__is_another_name(void **state)
{
    struct ttrpc_request req;

    (void)state;
    assert_int_equal(decode("0a09 6165622e416562 0078", &req), PSP_OK);
    assert_int_equal(req.service.size, 9);
    assert_false(ttrpc_bytes_are(req.service, "aeb.Aeb"));
    ttrpc_request_clear(&req);
}

static void request_decode__unknown_fields__skipped(void **state)
{
    struct ttrpc_request req;

    (void)state;
    assert_int_equal(decode("0a07 6165622e416562 9a06 01 ff 2005", &req),
                     PSP_OK);
    assert_int_equal(req.timeout_nano, 5);
    ttrpc_request_clear(&req);
}

/* protobuf-c knows no groups; to Rust and Go they are unknown fields as any. */
static void request_decode__unknown_groups__skipped(void **state)
{
    static const char *const good[] = {
        "9b06 9c06 0a07 6165622e416562 2005",
        "0a07 6165622e416562 9b06 0805 9306 4d 01020304 0a01ff 9406 49 "
        "0102030405060708 9c06 2005",
        "0a07 6165622e416562 2005 9b06 9c06",
    };
    struct ttrpc_request req;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(decode(good[i], &req), PSP_OK);
        assert_true(ttrpc_bytes_are(req.service, "aeb.Aeb"));
        assert_int_equal(req.timeout_nano, 5);
        ttrpc_request_clear(&req);
    }
}

static void request_decode__groups_that_are_none__refused(void **state)
{
    static const char *const bad[] = {
        "9b06",                /* no end */
        "9b06 9406",           /* another's end */
        "9b06 9306 9c06 9406", /* crossed */
        "9c06",                /* an end alone */
        "0b 0c",               /* in the service's place */
        "9b06 0a05 6165 9c06", /* a value that is longer */
        "9b06 08ff",
        "9b06 0e 9c06", /* no wire type */
        "9b06 ffffffffffffffffffff01 9c06",
    };
    struct ttrpc_request req;
    char deep[200 + 1] = "";

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(decode(bad[i], &req), PSP_E_FORMAT);
        ttrpc_request_clear(&req);
    }
    memset(deep, '7', 200); /* 50 groups in each other: 73 ... 74 ... */
    for (size_t i = 0; i < 50; i++) {
        deep[2 * i + 1] = '3';
        deep[100 + 2 * i + 1] = '4';
    }
    assert_int_equal(decode(deep, &req), PSP_E_FORMAT);
    ttrpc_request_clear(&req);
}

static void decode_many(const char *hex, size_t count, enum psp_err want)
{
    size_t n = strlen(hex);
    char *text = malloc(n * count + 1);
    struct ttrpc_request req;

    for (size_t i = 0; i < count; i++) {
        memcpy(text + n * i, hex, n);
    }
    text[n * count] = '\0';
    assert_int_equal(decode(text, &req), want);
    ttrpc_request_clear(&req);
    free(text);
}

static void request_decode__a_thousand_of_anything__is_the_limit(void **state)
{
    (void)state;
    decode_many("9a0600", 1024, PSP_OK);
    decode_many("9a0600", 1025, PSP_E_FORMAT);
    decode_many("2a00", 1024, PSP_OK);
    decode_many("2a00", 1025, PSP_E_FORMAT);
    decode_many("2a06 0a016b 120176", 1024, PSP_OK);
    decode_many("2a00", 1000000, PSP_E_FORMAT);
}

static void request_decode__bad_bytes__refused(void **state)
{
    static const char *const bad[] = {
        "0801",           /* service as a number */
        "0a05 6165",      /* truncated */
        "ffffffff",       /* garbage */
        "0a02 c080",      /* overlong */
        "0a03 eda080",    /* surrogate */
        "1204 f4908080",  /* beyond Unicode */
        "2a04 0a02 ff41", /* metadata that is not UTF-8 */
    };
    struct ttrpc_request req;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(decode(bad[i], &req), PSP_E_FORMAT);
        ttrpc_request_clear(&req);
    }
}

static void check_handle(const char *hex, bool ok, uint32_t handle)
{
    struct aeb_request req;
    size_t n;
    uint8_t *p = from_hex(hex, &n);

    assert_int_equal(
        aeb_request_decode(AEB_RPC_SIZE, (struct ttrpc_bytes){p, n}, &req),
        ok ? PSP_OK : PSP_E_FORMAT);
    assert_int_equal(req.handle, handle);
    aeb_request_clear(&req);
    free(p);
}

static void size_request_decode__as_rust_does(void **state)
{
    (void)state;
    check_handle("", true, 0);
    check_handle("0801", true, 1);
    check_handle("0801 0805", true, 5);        /* the last wins */
    check_handle("0881 80 80 80 10", true, 1); /* 2^32 + 1 */
    check_handle("08ffffffff0f", true, 0xffffffff);
    check_handle("9b06 0805 9c06 0801", true, 1); /* an unknown group */
    check_handle("0b 0c", false, 0);              /* a known field's */
    check_handle("0a01 31", false, 0);            /* wire type */
    check_handle("08", false, 0);
}

static void response_decode__absent_status__success(void **state)
{
    static const uint8_t bytes[] = {0x12, 0x03, 0x10, 0xbd, 0x32};
    struct ttrpc_response resp;
    struct aeb_response size;

    (void)state;
    assert_int_equal(ttrpc_response_decode(bytes, sizeof(bytes), &resp),
                     PSP_OK);
    assert_int_equal(resp.code, 0);
    assert_int_equal(aeb_response_decode(AEB_RPC_SIZE, resp.payload, &size),
                     PSP_OK);
    assert_int_equal(size.size, 6461);
    aeb_response_clear(&size);
    ttrpc_response_clear(&resp);
}

static void extension_fields__round_trip(void **state)
{
    static const uint8_t mnonce[16] = {7};
    struct aeb_request in = {.handle = 3,
                             .have_mnonce = true,
                             .mnonce = {mnonce, 16},
                             .encoding = 1,
                             .features = 15};
    struct aeb_request out;
    uint8_t *p;
    size_t n;

    (void)state;
    assert_int_equal(aeb_request_encode(AEB_RPC_EVIDENCE, &in, &p, &n), PSP_OK);
    assert_hex_equal(p, "0803 820110 07", 6);
    assert_int_equal(
        aeb_request_decode(AEB_RPC_EVIDENCE, (struct ttrpc_bytes){p, n}, &out),
        PSP_OK);
    assert_true(out.have_mnonce);
    assert_int_equal(out.mnonce.size, 16);
    assert_memory_equal(out.mnonce.data, mnonce, 16);
    assert_int_equal(out.encoding, 1);
    aeb_request_clear(&out);
    free(p);
}

/* ---- reader ---- */

static void reader__every_split_of_two_frames__both_told(void **state)
{
    size_t a, b;
    uint8_t *one = from_hex(SIZE_REQUEST, &a);
    uint8_t *two = from_hex(EVIDENCE_REQUEST, &b);
    uint8_t both[256];

    (void)state;
    memcpy(both, one, a);
    memcpy(both + a, two, b);
    for (size_t step = 1; step <= a + b; step++) {
        struct ttrpc_reader r = {.head_have = 0};
        uint32_t seen = 0;

        for (size_t at = 0; at < a + b; at += step) {
            size_t n = step < a + b - at ? step : a + b - at;
            const uint8_t *p = both + at;

            while (n > 0) {
                if (ttrpc_reader_take(&r, &p, &n) == TTRPC_FRAME) {
                    assert_memory_equal(r.body, seen == 0 ? one + 10 : two + 10,
                                        r.header.length);
                    seen++;
                    ttrpc_reader_next(&r);
                }
            }
        }
        assert_int_equal(seen, 2);
        assert_false(ttrpc_reader_busy(&r));
        ttrpc_reader_clear(&r);
    }
    free(one);
    free(two);
}

static enum ttrpc_event feed(uint32_t length, size_t body)
{
    struct ttrpc_reader r = {.head_have = 0};
    struct ttrpc_header h = {.length = length, .stream = 1, .type = 1};
    uint8_t *data = calloc(1, 10 + body);
    const uint8_t *p = data;
    size_t n = 10 + body;
    enum ttrpc_event e;

    assert_non_null(data);
    ttrpc_header_encode(&h, data);
    e = ttrpc_reader_take(&r, &p, &n);
    ttrpc_reader_clear(&r);
    free(data);
    return e;
}

static void reader__limits(void **state)
{
    (void)state;
    assert_int_equal(feed(0, 0), TTRPC_FRAME);
    assert_int_equal(feed(1, 0), TTRPC_MORE);
    assert_int_equal(feed(4 << 20, 4 << 20), TTRPC_FRAME);
    assert_int_equal(feed((4 << 20) + 1, (4 << 20) + 1), TTRPC_OVERSIZE);
    assert_int_equal(feed((4 << 20) + 1, 4 << 20), TTRPC_MORE);
    assert_int_equal(feed((64 << 20) + 1, 0), TTRPC_FATAL);
}

/* ---- addresses ---- */

static void address__every_form(void **state)
{
    static const struct {
        const char *text, *printed; /* NULL: refused */
        bool ignored;
    } row[] = {
        {"vsock://-1:5577", "vsock://-1:5577", false},
        {"vsock://2:5577", "vsock://2:5577", false},
        {"vsock://4294967295:1", "vsock://-1:1", false},
        {"vsock:///tmp/aeb.sock:5577", "vsock://-1:5577", true},
        {"unix:///p:5577", "unix:///p:5577", false},
        {"unix://@n", "unix://@n", false},
        {"unix://rel", "unix://rel", false},
        {"vsock://2", NULL, false},
        {"vsock://2:", NULL, false},
        {"vsock://host:5577", NULL, false},
        {"vsock://:5577", NULL, false},
        {"vsock://-2:5577", NULL, false},
        {"vsock://4294967296:1", NULL, false},
        {"vsock://2:4294967296", NULL, false},
        {"VSOCK://2:5577", NULL, false},
        {"unix://", NULL, false},
        {"unix://@", NULL, false},
        {"tcp://1:2", NULL, false},
        {"", NULL, false},
    };
    char why[TTRPC_ADDR_WHY], text[TTRPC_ADDR_TEXT];
    struct ttrpc_addr a;

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        bool ok = ttrpc_addr_parse(row[i].text, &a, why);

        assert_int_equal(ok, row[i].printed != NULL);
        if (ok) {
            ttrpc_addr_print(&a, text);
            assert_string_equal(text, row[i].printed);
            assert_int_equal(a.cid_ignored, row[i].ignored);
        }
    }
}

static void address__name_of_108_bytes__refused(void **state)
{
    char text[8 + 108] = "unix://", why[TTRPC_ADDR_WHY];
    struct ttrpc_addr a;

    (void)state;
    memset(text + 7, 'x', 107);
    assert_true(ttrpc_addr_parse(text, &a, why));
    text[7 + 107] = 'x';
    assert_false(ttrpc_addr_parse(text, &a, why));
}

static void listen__path_left_behind__taken_over(void **state)
{
    char *dir = tst_mkdtemp();
    char text[256], why[TTRPC_ADDR_WHY];
    struct ttrpc_addr a;
    int fd;

    (void)state;
    snprintf(text, sizeof(text), "unix://%s/s", dir);
    assert_true(ttrpc_addr_parse(text, &a, why));
    fd = ttrpc_addr_listen(&a, 1);
    assert_true(fd >= 0);
    assert_int_equal(ttrpc_addr_listen(&a, 1), -EADDRINUSE);
    close(fd);
    fd = ttrpc_addr_listen(&a, 1);
    assert_true(fd >= 0);
    close(fd);
    tst_rmdir(dir);
}

static void connect__queue_is_full__waits_then_times_out(void **state)
{
    struct ttrpc_addr a;
    char text[64], why[TTRPC_ADDR_WHY];
    int fds[3];
    int fd;

    (void)state;
    snprintf(text, sizeof(text), "unix://@swpsp-test-full-%ld", (long)getpid());
    assert_true(ttrpc_addr_parse(text, &a, why));
    fd = ttrpc_addr_listen(&a, 1);
    assert_true(fd >= 0);
    for (size_t i = 0; i < 2; i++) {
        fds[i] = ttrpc_addr_connect(&a, 50);
        assert_true(fds[i] >= 0);
    }
    assert_int_equal(ttrpc_addr_connect(&a, 50), -ETIMEDOUT);
    close(accept(fd, NULL, NULL));
    fds[2] = ttrpc_addr_connect(&a, 50);
    assert_true(fds[2] >= 0);
    for (size_t i = 0; i < 3; i++) {
        close(fds[i]);
    }
    close(fd);
}

/* ---- live server ---- */

struct live {
    struct ttrpc_server *server;
    pthread_t thread;
    struct ttrpc_addr addr;
    pthread_mutex_t lock;
    pthread_cond_t go;
    bool open; /* Slow may return */
    int slow;  /* calls that arrived */
    struct ttrpc_job *parked[64];
    size_t parked_count, dropped;
    bool at_once;
};
static struct live live;

static void echo(void *ctx, const struct ttrpc_call *call,
                 struct ttrpc_reply *reply)
{
    (void)ctx;
    reply->payload = tst_dup(call->payload.data, call->payload.size);
    reply->size = call->payload.size;
}

static void slow(void *ctx, const struct ttrpc_call *call,
                 struct ttrpc_reply *reply)
{
    struct live *l = ctx;

    pthread_mutex_lock(&l->lock);
    l->slow++;
    pthread_cond_broadcast(&l->go);
    while (!l->open && !atomic_load(call->cancelled)) {
        struct timespec t;

        clock_gettime(CLOCK_REALTIME, &t);
        t.tv_nsec += 10000000;
        t.tv_sec += t.tv_nsec / 1000000000;
        t.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&l->go, &l->lock, &t);
    }
    pthread_mutex_unlock(&l->lock);
    echo(ctx, call, reply);
}

static void big(void *ctx, const struct ttrpc_call *call,
                struct ttrpc_reply *reply)
{
    (void)ctx;
    (void)call;
    reply->size = 200000;
    reply->payload = calloc(1, reply->size);
}

/* Waits for nobody's thread: park_take() has it. */
static void park(void *ctx, const struct ttrpc_call *call,
                 struct ttrpc_reply *reply)
{
    struct live *l = ctx;

    if (*call->kept != NULL) {
        *call->kept = NULL;
        echo(ctx, call, reply);
        return;
    }
    *call->kept = call->job;
    reply->parked = true;
    pthread_mutex_lock(&l->lock);
    l->parked[l->parked_count++] = call->job;
    if (l->at_once) {
        ttrpc_unpark(call->job); /* before it is parked */
    }
    pthread_cond_broadcast(&l->go);
    pthread_mutex_unlock(&l->lock);
}

static void park_drop(void *ctx, void *kept)
{
    struct live *l = ctx;

    (void)kept;
    pthread_mutex_lock(&l->lock);
    l->dropped++;
    pthread_mutex_unlock(&l->lock);
}

static void late(void *ctx, const struct ttrpc_call *call,
                 struct ttrpc_reply *reply)
{
    echo(ctx, call, reply);
    reply->later_ms = 150;
}

static void held(void *ctx, const struct ttrpc_call *call,
                 struct ttrpc_reply *reply)
{
    echo(ctx, call, reply);
    reply->hold = true;
}

static void gone(void *ctx, const struct ttrpc_call *call,
                 struct ttrpc_reply *reply)
{
    echo(ctx, call, reply);
    reply->drop = true;
}

static void *serve(void *arg)
{
    struct live *l = arg;

    return (void *)(intptr_t)ttrpc_server_run(l->server);
}

static int live_open(size_t max_connections)
{
    static const char *const names[] = {"s.S"};
    static const struct ttrpc_method methods[] = {
        {"Echo", false, echo, NULL}, {"Slow", true, slow, NULL},
        {"Big", false, big, NULL},   {"Park", true, park, park_drop},
        {"Late", true, late, NULL},  {"Held", true, held, NULL},
        {"Gone", true, gone, NULL},  {"Pool", true, echo, NULL}};
    const struct ttrpc_server_config config = {
        .services = names,
        .service_count = 1,
        .methods = methods,
        .method_count = 8,
        .ctx = &live,
        .max_connections = max_connections,
        .max_input = 16u << 20,
        .idle_ms = 300,
        .drain_ms = 500,
    };
    char text[64], why[TTRPC_ADDR_WHY];

    memset(&live, 0, sizeof(live));
    pthread_mutex_init(&live.lock, NULL);
    pthread_cond_init(&live.go, NULL);
    snprintf(text, sizeof(text), "unix://@swpsp-test-ttrpc-%ld",
             (long)getpid());
    return !ttrpc_addr_parse(text, &live.addr, why) ||
           ttrpc_server_open(&config, &live.server) != 0 ||
           ttrpc_server_listen(live.server, ttrpc_addr_listen(&live.addr, 64),
                               0) != 0 ||
           pthread_create(&live.thread, NULL, serve, &live) != 0;
}

static int live_start(void **state)
{
    (void)state;
    return live_open(12);
}

static int live_start_default(void **state)
{
    (void)state;
    return live_open(0);
}

static void let_go(void)
{
    pthread_mutex_lock(&live.lock);
    live.open = true;
    pthread_cond_broadcast(&live.go);
    pthread_mutex_unlock(&live.lock);
}

static int live_stop(void **state)
{
    void *result = NULL;

    (void)state;
    let_go();
    ttrpc_server_stop(live.server);
    pthread_join(live.thread, &result);
    ttrpc_server_close(live.server);
    return result != NULL;
}

static int dial(void)
{
    int fd = ttrpc_addr_connect(&live.addr, 1000);

    assert_true(fd >= 0);
    return fd;
}

static void say(int fd, const void *data, size_t size)
{
    assert_int_equal(send(fd, data, size, MSG_NOSIGNAL), size);
}

static void say_frame(int fd, uint32_t stream, uint8_t type, uint8_t flags,
                      const void *body, size_t size)
{
    struct ttrpc_header h = {(uint32_t)size, stream, type, flags};
    uint8_t head[10];

    ttrpc_header_encode(&h, head);
    say(fd, head, sizeof(head));
    if (size > 0) {
        say(fd, body, size);
    }
}

static void ask(int fd, uint32_t stream, const char *service,
                const char *method, int64_t timeout)
{
    struct ttrpc_request req = {
        .service = {(const uint8_t *)service, strlen(service)},
        .method = {(const uint8_t *)method, strlen(method)},
        .payload = {(const uint8_t *)"hello", 5},
        .timeout_nano = timeout,
    };
    uint8_t *frame;
    size_t n;

    assert_int_equal(ttrpc_request_frame(stream, &req, &frame, &n), PSP_OK);
    say(fd, frame, n);
    free(frame);
}

/* 0: closed. Bounded, so that a test fails instead of hanging. */
static size_t hear(int fd, void *to, size_t size)
{
    size_t got = 0;

    while (got < size) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t n;

        assert_int_equal(poll(&p, 1, 5000), 1);
        n = recv(fd, (uint8_t *)to + got, size - got, 0);
        if (n <= 0) {
            return 0;
        }
        got += (size_t)n;
    }
    return got;
}

/* Hear one answer; its code. */
static int32_t hear_code(int fd, uint32_t stream, char *message)
{
    uint8_t head[10];
    struct ttrpc_header h;
    struct ttrpc_response resp;
    uint8_t *body;
    int32_t code;

    assert_int_equal(hear(fd, head, sizeof(head)), sizeof(head));
    ttrpc_header_decode(head, &h);
    assert_int_equal(h.type, 2);
    assert_int_equal(h.flags, 0);
    assert_int_equal(h.stream, stream);
    body = malloc(h.length + 1);
    assert_int_equal(hear(fd, body, h.length), h.length);
    assert_int_equal(ttrpc_response_decode(body, h.length, &resp), PSP_OK);
    code = resp.code;
    if (message != NULL) {
        snprintf(message, 256, "%.*s", (int)resp.message.size,
                 (const char *)resp.message.data);
    }
    ttrpc_response_clear(&resp);
    free(body);
    return code;
}

static void still_works(int fd, uint32_t stream)
{
    ask(fd, stream, "s.S", "Echo", 0);
    assert_int_equal(hear_code(fd, stream, NULL), 0);
}

static void row__stream_even_or_zero__invalid_argument(void **state)
{
    int fd = dial();
    char text[256];

    (void)state;
    ask(fd, 2, "s.S", "Echo", 0);
    assert_int_equal(hear_code(fd, 2, text), 3);
    assert_string_equal(text, "stream id must be odd");
    ask(fd, 0, "s.S", "Echo", 0);
    assert_int_equal(hear_code(fd, 0, NULL), 3);
    still_works(fd, 1);
    close(fd);
}

static void row__stream_not_above__invalid_argument(void **state)
{
    int fd = dial();

    (void)state;
    still_works(fd, 5);
    ask(fd, 3, "s.S", "Echo", 0);
    assert_int_equal(hear_code(fd, 3, NULL), 3);
    ask(fd, 5, "s.S", "Echo", 0);
    assert_int_equal(hear_code(fd, 5, NULL), 3);
    still_works(fd, 7);
    close(fd);
}

static void row__same_stream_while_active__invalid_argument(void **state)
{
    int fd = dial();

    (void)state;
    ask(fd, 1, "s.S", "Slow", 0);
    ask(fd, 1, "s.S", "Slow", 0);
    assert_int_equal(hear_code(fd, 1, NULL), 3);
    let_go();
    assert_int_equal(hear_code(fd, 1, NULL), 0);
    still_works(fd, 3);
    close(fd);
}

static void row__largest_stream__the_last_one(void **state)
{
    int fd = dial();

    (void)state;
    still_works(fd, 0xffffffff);
    ask(fd, 1, "s.S", "Echo", 0);
    assert_int_equal(hear_code(fd, 1, NULL), 3);
    close(fd);
}

static void row__response_and_unknown_types__ignored(void **state)
{
    int fd = dial();

    (void)state;
    say_frame(fd, 1, 2, 0, "xx", 2);
    say_frame(fd, 1, 0, 0, "", 0);
    say_frame(fd, 1, 99, 0, "yyy", 3);
    still_works(fd, 1);
    close(fd);
}

static void row__data_without_stream__invalid_argument(void **state)
{
    int fd = dial();
    char text[256];

    (void)state;
    say_frame(fd, 9, 3, 4, "", 0);
    assert_int_equal(hear_code(fd, 9, text), 3);
    assert_string_equal(text, "Stream is no longer active");
    still_works(fd, 1);
    close(fd);
}

static void row__flags_on_request__ignored(void **state)
{
    static const uint8_t body[] = {0x0a, 3,   's', '.', 'S', 0x12,
                                   4,    'E', 'c', 'h', 'o'};
    int fd = dial();

    (void)state;
    say_frame(fd, 1, 1, 0xff, body, sizeof(body));
    assert_int_equal(hear_code(fd, 1, NULL), 0);
    close(fd);
}

static void row__over_4_mib__answered_and_goes_on(void **state)
{
    const size_t size = (4u << 20) + 1;
    uint8_t *body = calloc(1, size);
    int fd = dial();
    char text[256];

    (void)state;
    say_frame(fd, 1, 1, 0, body, size);
    assert_int_equal(hear_code(fd, 1, text), 3);
    assert_string_equal(text, "message length 4194305 exceed maximum message "
                              "size of 4194304");
    still_works(fd, 1);
    free(body);
    close(fd);
}

/* Read and parsed: the first field is the service, the rest one of nobody's. */
static void row__exactly_4_mib__parsed(void **state)
{
    const size_t size = 4u << 20;
    uint8_t *body = calloc(1, size);
    static const uint8_t names[] = {0x0a, 3,   's', '.', 'S', 0x12,
                                    4,    'E', 'c', 'h', 'o', 0x1a};
    size_t n = sizeof(names), left = size - sizeof(names) - 4;
    int fd = dial();
    char text[256];

    (void)state;
    memcpy(body, names, n); /* the payload: a length of four bytes */
    for (int i = 0; i < 4; i++) {
        body[n++] = (uint8_t)((left >> (7 * i)) & 0x7f) | (i < 3 ? 0x80 : 0);
    }
    say_frame(fd, 1, 1, 0, body, size);
    /* Its echo is more than may wait to be sent: the connection ends. */
    assert_int_equal(hear(fd, text, 1), 0);
    close(fd);
    fd = dial();
    body[6] = 'X'; /* no such field */
    say_frame(fd, 1, 1, 0, body, size);
    assert_int_equal(hear_code(fd, 1, text), 3);
    assert_string_equal(text, "");
    still_works(fd, 3);
    free(body);
    close(fd);
}

static void row__over_4_mib_of_no_request__ignored(void **state)
{
    const size_t size = (4u << 20) + 1;
    uint8_t *body = calloc(1, size);
    int fd = dial();

    (void)state;
    say_frame(fd, 1, 2, 0, body, size);
    say_frame(fd, 1, 77, 0, body, size);
    still_works(fd, 1);
    free(body);
    close(fd);
}

static void row__over_64_mib__closed(void **state)
{
    static const uint8_t head[10] = {4, 0, 0, 1, 0, 0, 0, 1, 1, 0};
    int fd = dial();
    uint8_t b;

    (void)state;
    say(fd, head, sizeof(head));
    assert_int_equal(hear(fd, &b, 1), 0);
    close(fd);
}

static void row__body_shorter_than_length__closed_after_silence(void **state)
{
    static const uint8_t head[10] = {0, 0, 0, 9, 0, 0, 0, 1, 1, 0};
    int fd = dial();
    uint8_t b;

    (void)state;
    say(fd, head, sizeof(head));
    assert_int_equal(hear(fd, &b, 1), 0);
    close(fd);
}

static void row__undecodable_request__invalid_without_text(void **state)
{
    int fd = dial();
    uint8_t answer[14];

    (void)state;
    say_frame(fd, 1, 1, 0, "\xff\xff\xff\xff", 4);
    assert_int_equal(hear(fd, answer, sizeof(answer)), sizeof(answer));
    assert_hex_equal(answer, "00000004 00000001 02 00 0a02 0803",
                     sizeof(answer));
    still_works(fd, 3);
    close(fd);
}

static void row__names_that_are_not_utf_8__invalid_argument(void **state)
{
    static const uint8_t service[] = {0x0a, 2, 0xff, 'x', 0x12, 1, 'm'};
    static const uint8_t method[] = {0x0a, 3, 's', '.', 'S', 0x12, 1, 0xc0};
    int fd = dial();

    (void)state;
    say_frame(fd, 1, 1, 0, service, sizeof(service));
    assert_int_equal(hear_code(fd, 1, NULL), 3);
    say_frame(fd, 3, 1, 0, method, sizeof(method));
    assert_int_equal(hear_code(fd, 3, NULL), 3);
    still_works(fd, 5);
    close(fd);
}

static void row__empty_request_and_unknown_names__text_of_05(void **state)
{
    static const struct {
        const char *service, *method, *text;
    } row[] = {
        {"", "", "// does not exist"},
        {"s.T", "Echo", "/s.T/Echo does not exist"},
        {"s.S", "echo", "/s.S/echo does not exist"},
        {"s", "S/Echo", "/s/S/Echo does not exist"},
        {"s.SX", "Echo", "/s.SX/Echo does not exist"},
    };
    int fd = dial();
    char text[256];

    (void)state;
    say_frame(fd, 1, 1, 0, "", 0);
    assert_int_equal(hear_code(fd, 1, text), 3);
    assert_string_equal(text, "// does not exist");
    for (uint32_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        ask(fd, 3 + 2 * i, row[i].service, row[i].method, 0);
        assert_int_equal(hear_code(fd, 3 + 2 * i, text), 3);
        assert_string_equal(text, row[i].text);
    }
    close(fd);
}

static void row__unknown_name_with_nul__told_to_the_byte(void **state)
{
    static const uint8_t body[] = "\x0a\x04s.S\0\x12\x03"
                                  "a\0b";
    uint8_t answer[40];
    int fd = dial();

    (void)state;
    say_frame(fd, 1, 1, 0, body, sizeof(body) - 1);
    assert_int_equal(hear(fd, answer, sizeof(answer)), sizeof(answer));
    assert_hex_equal(answer,
                     "0000001e 00000001 02 00 0a1c 0803 1218"
                     "2f 732e5300 2f 610062 20 646f6573206e6f74206578697374",
                     sizeof(answer));
    close(fd);
}

static void row__unknown_name_of_1000_bytes__told_to_the_byte(void **state)
{
    char name[1001], text[2048], want[2048];
    uint8_t head[10];
    int fd = dial();
    size_t n;

    (void)state;
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    n = (size_t)snprintf(want, sizeof(want), "/%s/Echo does not exist", name);
    ask(fd, 1, name, "Echo", 0);
    assert_int_equal(hear(fd, head, sizeof(head)), sizeof(head));
    assert_int_equal(head[2] << 8 | head[3], n + 8);
    assert_int_equal(hear(fd, text, n + 8), n + 8);
    assert_memory_equal(text + 8, want, n);
    close(fd);
}

static void row__timeout_elapsed__deadline_exceeded(void **state)
{
    int fd = dial();
    uint8_t answer[23];

    (void)state;
    ask(fd, 1, "s.S", "Slow", 20000000);
    assert_int_equal(hear(fd, answer, sizeof(answer)), sizeof(answer));
    assert_hex_equal(answer,
                     "0000000d 00000001 02 00 0a0b 0804 1207 74696d656f7574",
                     sizeof(answer));
    still_works(fd, 3);
    close(fd);
}

/* An answer that is ready after it is none, however short it was; the second is
 * a slow method's. */
static void row__timeout_of_a_nanosecond__deadline_exceeded(void **state)
{
    int fd = dial();
    char text[256];

    (void)state;
    for (uint32_t i = 0; i < 20; i++) {
        ask(fd, 1 + 2 * i, "s.S", i % 2 == 0 ? "Echo" : "Pool", 1);
        assert_int_equal(hear_code(fd, 1 + 2 * i, text), 4);
        assert_string_equal(text, "timeout");
    }
    ask(fd, 41, "s.S", "Echo", INT64_MAX);
    assert_int_equal(hear_code(fd, 41, NULL), 0);
    ask(fd, 43, "s.S", "Pool", INT64_MAX);
    assert_int_equal(hear_code(fd, 43, NULL), 0);
    close(fd);
}

static void row__negative_timeout__none(void **state)
{
    int fd = dial();

    (void)state;
    let_go();
    ask(fd, 1, "s.S", "Slow", -1);
    assert_int_equal(hear_code(fd, 1, NULL), 0);
    close(fd);
}

static void row__several_in_flight__answered_out_of_order(void **state)
{
    int fd = dial();

    (void)state;
    ask(fd, 1, "s.S", "Slow", 0);
    still_works(fd, 3);
    let_go();
    assert_int_equal(hear_code(fd, 1, NULL), 0);
    close(fd);
}

static void row__more_than_16_in_flight__all_answered(void **state)
{
    int fd = dial();
    uint32_t sum = 0;

    (void)state;
    for (uint32_t i = 0; i < 40; i++) {
        ask(fd, 2 * i + 1, "s.S", "Slow", 0);
    }
    let_go();
    for (uint32_t i = 0; i < 40; i++) {
        uint8_t head[10];
        struct ttrpc_header h;
        uint8_t body[64];

        assert_int_equal(hear(fd, head, 10), 10);
        ttrpc_header_decode(head, &h);
        assert_int_equal(hear(fd, body, h.length), h.length);
        sum += h.stream;
    }
    assert_int_equal(sum, 40 * 40);
    close(fd);
}

static void row__half_closed_with_a_request__answered(void **state)
{
    int fd = dial();
    uint8_t b;

    (void)state;
    ask(fd, 1, "s.S", "Slow", 0);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    usleep(20000);
    let_go();
    assert_int_equal(hear_code(fd, 1, NULL), 0);
    assert_int_equal(hear(fd, &b, 1), 0);
    close(fd);
}

static void row__client_disconnects__others_served(void **state)
{
    int gone = dial();
    int fd = dial();

    (void)state;
    for (uint32_t i = 0; i < 8; i++) {
        ask(gone, 2 * i + 1, "s.S", "Slow", 0);
    }
    close(gone);
    still_works(fd, 1);
    ask(fd, 3, "s.S", "Slow", 0);
    let_go();
    assert_int_equal(hear_code(fd, 3, NULL), 0);
    close(fd);
}

/* Their threads are free again although nobody lets the methods return. */
static void row__client_disconnects__handlers_cancelled(void **state)
{
    int gone = dial();
    int fd = dial();

    (void)state;
    for (uint32_t i = 0; i < 16; i++) {
        ask(gone, 2 * i + 1, "s.S", "Slow", 0);
    }
    pthread_mutex_lock(&live.lock);
    while (live.slow < 4) { /* every thread has one */
        pthread_cond_wait(&live.go, &live.lock);
    }
    pthread_mutex_unlock(&live.lock);
    close(gone);
    ask(fd, 1, "s.S", "Pool", 0);
    assert_int_equal(hear_code(fd, 1, NULL), 0);
    assert_int_equal(live.slow, 4); /* those that waited were not begun */
    close(fd);
}

static void row__half_closed_before_a_request__closed(void **state)
{
    int fd = dial();
    uint8_t b;

    (void)state;
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_int_equal(hear(fd, &b, 1), 0);
    close(fd);
    fd = dial(); /* in the middle of one */
    say(fd, "\x00\x00", 2);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_int_equal(hear(fd, &b, 1), 0);
    close(fd);
}

/* Twelve connections of 4 MiB each that are never whole are too much. */
static void half_frames_of_many__bounded_together(void **state)
{
    const size_t size = 4u << 20;
    uint8_t *body = calloc(1, size);
    size_t cut = 0;
    int fds[11];
    int fd = dial();

    (void)state;
    for (size_t i = 0; i < 11; i++) {
        static const uint8_t head[10] = {0, 0x40, 0, 0, 0, 0, 0, 1, 1, 0};
        ssize_t n = 0;

        fds[i] = dial();
        say(fds[i], head, sizeof(head));
        for (size_t at = 0; at + 1 < size && n >= 0;
             at += n > 0 ? (size_t)n : 0) {
            n = send(fds[i], body + at, size - 1 - at, MSG_NOSIGNAL);
        }
        cut += n < 0;
    }
    assert_true(cut > 0);
    still_works(fd, 1);
    for (size_t i = 0; i < 11; i++) {
        close(fds[i]);
    }
    free(body);
    close(fd);
}

static void bytes_one_by_one__answered(void **state)
{
    struct ttrpc_request req = {.service = {(const uint8_t *)"s.S", 3},
                                .method = {(const uint8_t *)"Echo", 4}};
    int fd = dial();
    uint8_t *frame;
    size_t n;

    (void)state;
    assert_int_equal(ttrpc_request_frame(1, &req, &frame, &n), PSP_OK);
    for (size_t i = 0; i < n; i++) {
        say(fd, frame + i, 1);
        usleep(300);
    }
    assert_int_equal(hear_code(fd, 1, NULL), 0);
    free(frame);
    close(fd);
}

static void peer_that_never_reads__closed_others_served(void **state)
{
    int deaf = dial();
    int fd = dial();
    struct ttrpc_request req = {.service = {(const uint8_t *)"s.S", 3},
                                .method = {(const uint8_t *)"Big", 3}};

    (void)state;
    for (uint32_t i = 0; i < 200; i++) {
        uint8_t *frame;
        size_t n;
        ssize_t sent;

        assert_int_equal(ttrpc_request_frame(2 * i + 1, &req, &frame, &n),
                         PSP_OK);
        sent = send(deaf, frame, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        free(frame);
        if (sent < 0) {
            break;
        }
    }
    still_works(fd, 1);
    usleep(600000); /* twice the silence that is borne */
    still_works(fd, 3);
    assert_int_equal(send(deaf, "x", 1, MSG_NOSIGNAL), -1);
    close(deaf);
    close(fd);
}

static void silence_between_requests__costs_nothing(void **state)
{
    int fd = dial();

    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        still_works(fd, 4 * i + 1);
        usleep(400000); /* more than the silence that is borne in a frame */
        ask(fd, 4 * i + 3, "s.S", "Big", 0);
        assert_int_equal(hear_code(fd, 4 * i + 3, NULL), 0);
    }
    close(fd);
}

static void one_connection_too_many__told_and_closed(void **state)
{
    int fds[12];
    int extra;
    uint8_t b;

    (void)state;
    for (uint32_t i = 0; i < 12; i++) {
        fds[i] = dial();
        still_works(fds[i], 1);
    }
    extra = dial();
    ask(extra, 1, "s.S", "Echo", 0);
    assert_int_equal(hear_code(extra, 1, NULL), TTRPC_RESOURCE_EXHAUSTED);
    assert_int_equal(hear(extra, &b, 1), 0);
    close(extra);
    for (uint32_t i = 0; i < 12; i++) {
        still_works(fds[i], 3);
        close(fds[i]);
    }
}

static void default_limit__1000_connections__first_and_last_served(void **state)
{
    enum { COUNT = 1000 };
    struct rlimit r;
    int fds[COUNT];

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &r), 0);
    if (r.rlim_max < 2 * COUNT + 100) {
        skip();
    }
    r.rlim_cur = r.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &r), 0);
    for (size_t i = 0; i < COUNT; i++) {
        fds[i] = dial();
    }
    for (size_t i = 0; i < COUNT; i++) {
        still_works(fds[i], 1);
    }
    /* Woken out of order, in the middle of a frame, and gone. */
    say(fds[500], "\x00\x00", 2);
    close(fds[501]);
    still_works(fds[COUNT - 1], 3);
    still_works(fds[0], 3);
    for (size_t i = 0; i < COUNT; i++) {
        if (i != 501) {
            close(fds[i]);
        }
    }
}

static void many_connections_come_and_go__all_served(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 300; i++) {
        int fd = dial();

        if (i % 3 == 0) {
            say(fd, "\x00\x00", 2);
        } else {
            still_works(fd, 1);
        }
        close(fd);
    }
}

static void garbage__never_takes_another_connection_down(void **state)
{
    int fd = dial();
    uint32_t seed = 12345;

    (void)state;
    for (uint32_t i = 0; i < 200; i++) {
        uint8_t noise[200];
        int bad = dial();

        for (size_t k = 0; k < sizeof(noise); k++) {
            seed = seed * 1664525u + 1013904223u;
            noise[k] = (uint8_t)(seed >> 24);
        }
        noise[0] = 0;
        noise[1] = 0;
        noise[8] = (uint8_t)(i % 4);
        say(bad, noise, sizeof(noise));
        close(bad);
        still_works(fd, 2 * i + 1);
    }
    close(fd);
}

static void await_parked(size_t count)
{
    pthread_mutex_lock(&live.lock);
    while (live.parked_count < count) {
        pthread_cond_wait(&live.go, &live.lock);
    }
    pthread_mutex_unlock(&live.lock);
}

/* More of them than there are threads; others are served. */
static void parked__without_threads__answered_when_woken(void **state)
{
    int fd = dial();

    (void)state;
    for (uint32_t i = 0; i < 12; i++) {
        ask(fd, 2 * i + 1, "s.S", "Park", 0);
    }
    await_parked(12);
    let_go();
    ask(fd, 99, "s.S", "Slow", 0);
    assert_int_equal(hear_code(fd, 99, NULL), 0);
    for (uint32_t i = 0; i < 12; i++) {
        ttrpc_unpark(live.parked[i]);
    }
    for (uint32_t i = 0; i < 12; i++) {
        uint8_t frame[10 + 9];

        assert_int_equal(hear(fd, frame, sizeof(frame)), sizeof(frame));
        assert_memory_equal(frame + 10, "\x0a\x00\x12\x05hello", 9);
    }
    assert_int_equal(live.dropped, 0);
    close(fd);
}

static void parked__woken_before_it_is__answered(void **state)
{
    int fd = dial();

    (void)state;
    live.at_once = true;
    for (uint32_t i = 0; i < 50; i++) {
        ask(fd, 2 * i + 1, "s.S", "Park", 0);
        assert_int_equal(hear_code(fd, 2 * i + 1, NULL), 0);
    }
    close(fd);
}

static void parked__deadline__told_then_dropped(void **state)
{
    int fd = dial();

    (void)state;
    ask(fd, 1, "s.S", "Park", 50000000);
    assert_int_equal(hear_code(fd, 1, NULL), TTRPC_DEADLINE_EXCEEDED);
    await_parked(1);
    ttrpc_unpark(live.parked[0]);
    for (int i = 0; i < 200 && live.dropped == 0; i++) {
        still_works(fd, (uint32_t)(2 * i + 3));
    }
    assert_int_equal(live.dropped, 1);
    close(fd);
}

static void parked__server_ends__dropped(void **state)
{
    int fd = dial();

    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        ask(fd, 2 * i + 1, "s.S", "Park", 0);
    }
    await_parked(3);
    close(fd);
    assert_int_equal(live_stop(NULL), 0);
    assert_int_equal(live.dropped, 3);
}

/* ---- a server that means it no good ---- */

static void answer_later__others_first__deadline_kept(void **state)
{
    struct timespec a, b;
    int fd = dial();

    (void)state;
    clock_gettime(CLOCK_MONOTONIC, &a);
    ask(fd, 1, "s.S", "Late", 0);
    ask(fd, 3, "s.S", "Late", 20000000);
    ask(fd, 5, "s.S", "Pool", 0);
    assert_int_equal(hear_code(fd, 5, NULL), 0);
    assert_int_equal(hear_code(fd, 3, NULL), TTRPC_DEADLINE_EXCEEDED);
    assert_int_equal(hear_code(fd, 1, NULL), 0);
    clock_gettime(CLOCK_MONOTONIC, &b);
    assert_true((b.tv_sec - a.tv_sec) * 1000000000 + b.tv_nsec - a.tv_nsec >=
                150000000);
    close(fd);
}

static void answer_held__sent_after_the_next(void **state)
{
    int fd = dial();

    (void)state;
    ask(fd, 1, "s.S", "Held", 0);
    usleep(50000);
    ask(fd, 3, "s.S", "Pool", 0);
    assert_int_equal(hear_code(fd, 3, NULL), 0);
    assert_int_equal(hear_code(fd, 1, NULL), 0);
    ask(fd, 5, "s.S", "Held", 0); /* all of them held: pairs change places */
    usleep(50000);
    ask(fd, 7, "s.S", "Held", 0);
    assert_int_equal(hear_code(fd, 7, NULL), 0);
    assert_int_equal(hear_code(fd, 5, NULL), 0);
    ask(fd, 9, "s.S", "Held", 0); /* nothing will come */
    shutdown(fd, SHUT_WR);
    assert_int_equal(hear_code(fd, 9, NULL), 0);
    close(fd);
}

static void answer_dropped__closed_others_served(void **state)
{
    int fd = dial(), other = dial();
    uint8_t b;

    (void)state;
    ask(fd, 1, "s.S", "Held", 0);
    ask(fd, 3, "s.S", "Gone", 0);
    assert_int_equal(hear(fd, &b, 1), 0);
    still_works(other, 1);
    close(fd);
    close(other);
}

static void stop__request_under_way__answered_first(void **state)
{
    int fd = dial();
    uint8_t b;

    (void)state;
    ask(fd, 1, "s.S", "Slow", 0);
    still_works(fd, 3); /* so the first has arrived */
    ttrpc_server_stop(live.server);
    let_go();
    assert_int_equal(hear_code(fd, 1, NULL), 0);
    assert_int_equal(hear(fd, &b, 1), 0);
    close(fd);
}

static void client__server_closes__connection_reset(void **state)
{
    struct ttrpc_client c = {.timeout_ms = 1000};
    struct ttrpc_response resp;
    int pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    c.fd = pair[0];
    shutdown(pair[1], SHUT_WR);
    assert_int_equal(
        ttrpc_client_call(&c, "s", "m", (struct ttrpc_bytes){0}, &resp),
        -ECONNRESET);
    close(pair[0]);
    close(pair[1]);
}

static void client__request_as_answer__protocol_error(void **state)
{
    struct ttrpc_client c = {.timeout_ms = 1000};
    struct ttrpc_response resp;
    int pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    c.fd = pair[0];
    say_frame(pair[1], 1, 1, 0, "", 0);
    assert_int_equal(
        ttrpc_client_call(&c, "s", "m", (struct ttrpc_bytes){0}, &resp),
        -EPROTO);
    close(pair[0]);
    close(pair[1]);
}

static void client__no_answer__times_out(void **state)
{
    struct ttrpc_client c = {.timeout_ms = 30};
    struct ttrpc_response resp;

    (void)state;
    c.fd = dial();
    assert_int_equal(
        ttrpc_client_call(&c, "s.T", "Echo", (struct ttrpc_bytes){0}, &resp),
        0);
    ttrpc_response_clear(&resp);
    /* The server keeps the deadline as well: either may be first. */
    if (ttrpc_client_call(&c, "s.S", "Slow", (struct ttrpc_bytes){0}, &resp) ==
        0) {
        assert_int_equal(resp.code, TTRPC_DEADLINE_EXCEEDED);
    }
    ttrpc_response_clear(&resp);
    close(c.fd);
}

/* Where the kernel has it: the real thing. */
static void vsock_loopback__served_with_cid(void **state)
{
    struct ttrpc_addr any = {AF_VSOCK, VMADDR_CID_ANY, 0, false, false, "", 0};
    struct ttrpc_addr to = any;
    struct sockaddr_vm vm;
    socklen_t size = sizeof(vm);
    int fd = ttrpc_addr_listen(&any, 1);
    int client;

    (void)state;
    any.port = VMADDR_PORT_ANY;
    if (fd >= 0) {
        close(fd);
    }
    fd = ttrpc_addr_listen(&any, 1);
    if (fd < 0 || getsockname(fd, (struct sockaddr *)&vm, &size) != 0) {
        if (fd >= 0) {
            close(fd);
        }
        skip();
    }
    to.cid = VMADDR_CID_LOCAL;
    to.port = vm.svm_port;
    client = ttrpc_addr_connect(&to, 300);
    close(fd);
    if (client < 0) {
        skip();
    }
    close(client);
}

#define LIVE(f) cmocka_unit_test_setup_teardown(f, live_start, live_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_frames__as_rust_clients_send_them),
        cmocka_unit_test(response_frames__as_captured),
        cmocka_unit_test(evidence_response_frames__as_captured),
        cmocka_unit_test(status_frames__as_captured),
        cmocka_unit_test(request_decode__service_with_nul__is_another_name),
        cmocka_unit_test(request_decode__unknown_fields__skipped),
        cmocka_unit_test(request_decode__unknown_groups__skipped),
        cmocka_unit_test(request_decode__groups_that_are_none__refused),
        cmocka_unit_test(request_decode__a_thousand_of_anything__is_the_limit),
        cmocka_unit_test(request_decode__bad_bytes__refused),
        cmocka_unit_test(size_request_decode__as_rust_does),
        cmocka_unit_test(response_decode__absent_status__success),
        cmocka_unit_test(extension_fields__round_trip),
        cmocka_unit_test(reader__every_split_of_two_frames__both_told),
        cmocka_unit_test(reader__limits),
        cmocka_unit_test(address__every_form),
        cmocka_unit_test(address__name_of_108_bytes__refused),
        cmocka_unit_test(listen__path_left_behind__taken_over),
        cmocka_unit_test(connect__queue_is_full__waits_then_times_out),
        LIVE(row__stream_even_or_zero__invalid_argument),
        LIVE(row__stream_not_above__invalid_argument),
        LIVE(row__same_stream_while_active__invalid_argument),
        LIVE(row__largest_stream__the_last_one),
        LIVE(row__response_and_unknown_types__ignored),
        LIVE(row__data_without_stream__invalid_argument),
        LIVE(row__flags_on_request__ignored),
        LIVE(row__over_4_mib__answered_and_goes_on),
        LIVE(row__exactly_4_mib__parsed),
        LIVE(row__over_4_mib_of_no_request__ignored),
        LIVE(row__over_64_mib__closed),
        LIVE(row__body_shorter_than_length__closed_after_silence),
        LIVE(row__undecodable_request__invalid_without_text),
        LIVE(row__names_that_are_not_utf_8__invalid_argument),
        LIVE(row__empty_request_and_unknown_names__text_of_05),
        LIVE(row__unknown_name_with_nul__told_to_the_byte),
        LIVE(row__unknown_name_of_1000_bytes__told_to_the_byte),
        LIVE(row__timeout_elapsed__deadline_exceeded),
        LIVE(row__timeout_of_a_nanosecond__deadline_exceeded),
        LIVE(row__negative_timeout__none),
        LIVE(row__several_in_flight__answered_out_of_order),
        LIVE(row__more_than_16_in_flight__all_answered),
        LIVE(row__half_closed_with_a_request__answered),
        LIVE(row__client_disconnects__others_served),
        LIVE(row__client_disconnects__handlers_cancelled),
        LIVE(row__half_closed_before_a_request__closed),
        LIVE(half_frames_of_many__bounded_together),
        LIVE(bytes_one_by_one__answered),
        LIVE(peer_that_never_reads__closed_others_served),
        LIVE(silence_between_requests__costs_nothing),
        LIVE(one_connection_too_many__told_and_closed),
        cmocka_unit_test_setup_teardown(
            default_limit__1000_connections__first_and_last_served,
            live_start_default, live_stop),
        LIVE(many_connections_come_and_go__all_served),
        LIVE(garbage__never_takes_another_connection_down),
        LIVE(parked__without_threads__answered_when_woken),
        LIVE(parked__woken_before_it_is__answered),
        LIVE(parked__deadline__told_then_dropped),
        cmocka_unit_test_setup(parked__server_ends__dropped, live_start),
        LIVE(answer_later__others_first__deadline_kept),
        LIVE(answer_held__sent_after_the_next),
        LIVE(answer_dropped__closed_others_served),
        LIVE(stop__request_under_way__answered_first),
        cmocka_unit_test(client__server_closes__connection_reset),
        cmocka_unit_test(client__request_as_answer__protocol_error),
        LIVE(client__no_answer__times_out),
        cmocka_unit_test(vsock_loopback__served_with_cid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
