/* SPDX-License-Identifier: Apache-2.0 */
/* What evidence costs above its parts. In turns: an evidence request to a
 * broker; the same bytes to and fro in an empty ttrpc call, that is the same
 * server with a method on the same pool that has its answer ready; the broker's
 * three commands on a device that is open; and the check of one report's
 * signature. Prints the medians, and the first by the second and third (without
 * and with the check). Runs where the broker does.
 *
 * usage: bench_aeb ADDRESS [HANDLE [DEVICE [TURNS]]]
 *
 * ADDRESS as for swpsp aeb-get; by vsock the empty service has the next port.
 */
#include "aeb_device.h"
#include "aeb_evidence.h"
#include "aeb_msg.h"
#include "measure.h"
#include "sev_key.h"
#include "ttrpc_addr.h"
#include "ttrpc_client.h"
#include "ttrpc_server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/vm_sockets.h> /* takes <sys/socket.h> before it */

#define TURNS       81
#define EACH        5
#define KINDS       4
#define CONNECT_MS  5000
#define WAIT_STEP   10000 /* us */
#define WAIT_STEPS  500
#define EMPTY_NAME  "swpsp-bench-aeb-empty"
#define TYPED_SIZE  6461u
#define BACKLOG     4
#define ERR_PRIVATE (AEB_ERROR_HOST + EINVAL)

struct bench {
    struct ttrpc_addr broker, empty;
    struct ttrpc_client to_broker, to_empty;
    uint8_t *request; /* payload of an evidence request */
    size_t request_size;
    uint8_t *answer; /* payload of the broker's first answer */
    size_t answer_size;
    int fd;
    struct aeb_device dev; /* commands on fd */
    enum aeb_report_number number;
    uint32_t handle;
    struct sev_report report; /* of the first answer, and who signed it */
    uint8_t report_bytes[SEV_REPORT_SIZE];
    EVP_PKEY *pek;
    pid_t child;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench_aeb: %s: %s\n", what, why);
    exit(1);
}

/* --- the empty service --- */

static void run_empty(void *ctx, const struct ttrpc_call *call,
                      struct ttrpc_reply *reply)
{
    const struct bench *b = ctx;

    (void)call;
    reply->payload = malloc(b->answer_size);
    if (reply->payload != NULL) {
        memcpy(reply->payload, b->answer, b->answer_size);
        reply->size = b->answer_size;
    }
}

/* In a process of its own, as the broker is. Does not return. */
static void serve_empty(struct bench *b)
{
    static const struct ttrpc_method method = {AEB_METHOD_EVIDENCE, true,
                                               run_empty, NULL};
    const struct ttrpc_server_config config = {.services = AEB_SERVICES,
                                               .service_count =
                                                   AEB_SERVICE_COUNT,
                                               .methods = &method,
                                               .method_count = 1,
                                               .ctx = b};
    struct ttrpc_server *server = NULL;
    struct ttrpc_addr addr = b->empty;
    int fd;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (addr.family == AF_VSOCK) {
        addr.cid = VMADDR_CID_ANY;
    }
    fd = ttrpc_addr_listen(&addr, BACKLOG);
    if (fd < 0) {
        die("empty service", strerror(-fd));
    }
    if (ttrpc_server_open(&config, &server) != 0 ||
        ttrpc_server_listen(server, fd, 0) != 0 ||
        ttrpc_server_run(server) != 0) {
        die("empty service", "failed");
    }
    exit(0);
}

static void start_empty(struct bench *b)
{
    int fd = -1;

    b->empty = b->broker;
    if (b->empty.family == AF_VSOCK) {
        b->empty.port++;
    } else {
        b->empty.abstract = true;
        b->empty.name_size =
            (size_t)snprintf(b->empty.name, sizeof(b->empty.name), "%s-%d",
                             EMPTY_NAME, (int)getpid());
    }
    b->child = fork();
    if (b->child < 0) {
        die("fork", strerror(errno));
    }
    if (b->child == 0) {
        serve_empty(b);
    }
    for (int i = 0; i < WAIT_STEPS && fd < 0; i++) {
        usleep(WAIT_STEP);
        fd = ttrpc_addr_connect(&b->empty, CONNECT_MS);
    }
    if (fd < 0) {
        die("empty service", strerror(-fd));
    }
    b->to_empty.fd = fd;
}

/* --- the broker --- */

static void connect_broker(struct bench *b)
{
    int fd = -1;

    for (int i = 0; i < WAIT_STEPS && fd < 0; i++) {
        fd = ttrpc_addr_connect(&b->broker, CONNECT_MS);
        if (fd < 0) {
            usleep(WAIT_STEP);
        }
    }
    if (fd < 0) {
        die("broker", strerror(-fd));
    }
    b->to_broker.fd = fd;
}

static void call(struct bench *b, struct ttrpc_client *c,
                 struct ttrpc_response *resp)
{
    int err = ttrpc_client_call(
        c, AEB_SERVICES[0], AEB_METHOD_EVIDENCE,
        (struct ttrpc_bytes){b->request, b->request_size}, resp);

    if (err != 0) {
        die("call", strerror(-err));
    }
    if (resp->code != TTRPC_OK) {
        die("call", "refused");
    }
}

static void take_evidence(struct bench *b, const struct ttrpc_response *resp)
{
    struct aeb_response msg;
    struct aeb_evidence ev;
    char why[AEB_WHY_SIZE] = "";
    struct sev_cert pek;
    uint8_t x[SEV_EC_SIZE], y[SEV_EC_SIZE];
    uint32_t curve = 0;

    if (aeb_response_decode(AEB_RPC_EVIDENCE, resp->payload, &msg) != PSP_OK) {
        die("broker", "no evidence response");
    }
    if (msg.error != 0 || msg.evidence.size == 0) {
        die("broker", aeb_error_text(msg.error));
    }
    if (aeb_evidence_decode(msg.evidence.data, msg.evidence.size, &ev, why) !=
        PSP_OK) {
        die("evidence", why);
    }
    memcpy(b->report_bytes, ev.report, sizeof(b->report_bytes));
    if (sev_report_decode(ev.report, sizeof(ev.report), &b->report) != PSP_OK ||
        sev_cert_decode(ev.pek, sizeof(ev.pek), &pek) != PSP_OK ||
        !sev_cert_get_ec(&pek, &curve, x, y)) {
        die("evidence", "no report by a PEK");
    }
    b->pek = sev_key_ec(x, y);
    aeb_response_clear(&msg);
}

static void first_call(struct bench *b)
{
    const struct aeb_request req = {.handle = b->handle, .size = TYPED_SIZE};
    struct ttrpc_response resp;

    if (aeb_request_encode(AEB_RPC_EVIDENCE, &req, &b->request,
                           &b->request_size) != PSP_OK) {
        die("request", "out of memory");
    }
    call(b, &b->to_broker, &resp);
    take_evidence(b, &resp);
    b->answer_size = resp.payload.size;
    b->answer = malloc(b->answer_size);
    if (b->answer == NULL) {
        die("answer", "out of memory");
    }
    memcpy(b->answer, resp.payload.data, b->answer_size);
    ttrpc_response_clear(&resp);
}

/* --- the device --- */

static void three_commands(const struct bench *b)
{
    const struct aeb_device *dev = &b->dev;
    static const uint8_t mnonce[SEV_MNONCE_SIZE] = {1, 2, 3};
    uint8_t report[SEV_REPORT_SIZE];
    uint8_t id[AEB_CHIP_ID_SIZE];
    struct aeb_exported exported;
    uint32_t err = aeb_device_export(dev, &exported);

    if (err == 0) {
        err = aeb_device_id(dev, id);
    }
    if (err == 0) {
        err = aeb_device_report(dev, b->number, b->handle, mnonce, report);
    }
    if (err != 0) {
        die("device", aeb_error_text(err));
    }
}

/* The number that works, so that none is tried in vain while time is taken. */
static void choose_number(struct bench *b)
{
    static const uint8_t mnonce[SEV_MNONCE_SIZE] = {0};
    uint8_t report[SEV_REPORT_SIZE];

    b->number = AEB_NUMBER_PRIVATE;
    if (aeb_device_report(&b->dev, b->number, b->handle, mnonce, report) ==
        ERR_PRIVATE) {
        b->number = AEB_NUMBER_9;
    }
}

static void check_report(const struct bench *b)
{
    uint8_t r[SEV_EC_SIZE], s[SEV_EC_SIZE];

    if (!sev_number_get(b->report.r, r) || !sev_number_get(b->report.s, s) ||
        !sev_key_verify_ecdsa(b->pek, SEV_ALGO_ECDSA_SHA256, b->report_bytes,
                              SEV_REPORT_SIGNED_SIZE, r, s)) {
        die("report", "the signature is not the PEK's");
    }
}

/* --- turns --- */

static void once(struct bench *b, int kind)
{
    struct ttrpc_response resp;

    switch (kind) {
    case 0:
        call(b, &b->to_broker, &resp);
        ttrpc_response_clear(&resp);
        break;
    case 1:
        call(b, &b->to_empty, &resp);
        ttrpc_response_clear(&resp);
        break;
    case 2:
        three_commands(b);
        break;
    default:
        check_report(b);
        break;
    }
}

static void measure(struct bench *b, size_t turns)
{
    static double us[KINDS][TURNS], ratio[TURNS], checked[TURNS];

    for (size_t turn = 0; turn < turns; turn++) {
        for (int kind = 0; kind < KINDS; kind++) {
            double start = measure_now_us();

            for (int i = 0; i < EACH; i++) {
                once(b, kind);
            }
            us[kind][turn] = (measure_now_us() - start) / EACH;
        }
        double parts = us[1][turn] + us[2][turn];

        ratio[turn] = us[0][turn] / parts;
        checked[turn] = us[0][turn] / (parts + us[3][turn]);
    }
    printf("aeb_evidence_us %.1f\naeb_empty_call_us %.1f\n",
           measure_median(us[0], turns), measure_median(us[1], turns));
    printf("aeb_ioctls_us %.1f\naeb_verify_us %.1f\n",
           measure_median(us[2], turns), measure_median(us[3], turns));
    printf("aeb_ratio %.3f\naeb_checked_ratio %.3f\n",
           measure_median(ratio, turns), measure_median(checked, turns));
}

int main(int argc, char **argv)
{
    struct bench b = {.handle = 1};
    const char *path = argc > 3 ? argv[3] : "/dev/sev";
    size_t turns = argc > 4 ? strtoul(argv[4], NULL, 0) : TURNS;
    char why[TTRPC_ADDR_WHY] = "";

    if (argc < 2 || argc > 5 || turns == 0 || turns > TURNS) {
        fprintf(stderr, "usage: bench_aeb ADDRESS [HANDLE [DEVICE [TURNS]]]\n");
        return 2;
    }
    if (!ttrpc_addr_parse(argv[1], &b.broker, why)) {
        die(argv[1], why);
    }
    if (argc > 2) {
        b.handle = (uint32_t)strtoul(argv[2], NULL, 0);
    }
    b.fd = open(path, O_RDWR | O_CLOEXEC);
    if (b.fd < 0) {
        die(path, strerror(errno));
    }
    b.dev = aeb_device_fd(&b.fd);
    choose_number(&b);
    connect_broker(&b);
    first_call(&b);
    start_empty(&b);
    measure(&b, turns);
    kill(b.child, SIGKILL);
    (void)waitpid(b.child, NULL, 0);
    (void)close(b.fd);
    EVP_PKEY_free(b.pek);
    free(b.request);
    free(b.answer);
    return 0;
}
