/* SPDX-License-Identifier: Apache-2.0 */
/* The broker's methods on a real platform: /dev/sev in this process, one legacy
 * guest, the key server's answers, and a host that fails in every way of
 * abi/aeb.md §6.3. What comes out is judged by the relying party. */
#include "aeb_broker.h"
#include "aeb_rate.h"
#include "aeb_selfcheck.h"
#include "aeb_verifier.h"
#include "control_script.h"
#include "inproc.h"
#include "kds_http.h"
#include "legacy_vm.h"
#include "sim_devices.h"
#include "tst.h"
#include "ttrpc_pool.h"

#include <errno.h>
#include <linux/psp-sev.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct sim_devices dev;
static struct legacy_vm_host *host;
static struct legacy_vm *guest;
static struct kds *kds;
static struct kds_answer root;

/* The next command @cmd does not reach the driver (0: all do). */
static struct {
    uint32_t cmd;
    int err;
    uint32_t fw;
    bool lie;   /* success, nothing written */
    bool spoil; /* real answer with a bit flipped in what it wrote */
    unsigned int calls;
} fault;

static int command(void *ctx, uint32_t cmd, void *data, uint32_t *fw)
{
    struct sev_issue_cmd envelope = {.cmd = cmd,
                                     .data = (uint64_t)(uintptr_t)data};
    int64_t result;

    (void)ctx;
    fault.calls++;
    if (fault.cmd == cmd && !fault.spoil) {
        *fw = fault.fw;
        return fault.lie ? 0 : fault.err;
    }
    result = inproc_ioctl(&dev.sev, true, (uint32_t)SEV_ISSUE_CMD, &envelope);
    *fw = envelope.error;
    if (fault.cmd == cmd && result == 0) {
        uint64_t at;

        memcpy(&at, (uint8_t *)data + (cmd == 5 ? 12 : 16), sizeof(at));
        ((uint8_t *)(uintptr_t)at)[cmd == 5 ? 0x20 : 0x10] ^= 1;
    }
    return result < 0 ? (int)result : 0;
}

static int setup(void **state)
{
    const struct kds_config config = {.seed = PKI_DEV_SEED, .chip_count = 3};
    struct legacy_vm_spec spec;
    enum sev_status status;

    (void)state;
    if (sim_devices_open(&dev, "milan") != 0 ||
        kds_open(&config, &kds) != PSP_OK ||
        legacy_vm_host_new(dev.m, &host) != 0 ||
        legacy_vm_spec_default(&spec) != 0) {
        return -1;
    }
    if (legacy_vm_launch(host, &spec, &guest, &status) != 0) {
        return -1;
    }
    legacy_vm_spec_clear(&spec);
    kds_answer(
        kds,
        &(struct kds_ask){.method = "GET",
                          .path = "/developer/eula/sev/ask_ark_milan.cert"},
        &root);
    return root.status == 200 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    kds_answer_clear(&root);
    legacy_vm_destroy(guest);
    legacy_vm_host_free(host);
    kds_close(kds);
    sim_devices_close(&dev);
    return 0;
}

static int no_fault(void **state)
{
    (void)state;
    memset(&fault, 0, sizeof(fault));
    return 0;
}

/* ---- one request ---- */

/* As the server does it: on a thread of the pool, parked in between. */
static void run_method(struct aeb_broker *b, enum aeb_rpc rpc,
                       const struct ttrpc_peer *peer,
                       struct ttrpc_bytes payload, struct ttrpc_reply *out)
{
    struct ttrpc_job *job = calloc(1, sizeof(*job));
    struct ttrpc_pool *pool = NULL;
    int fd = eventfd(0, EFD_CLOEXEC);
    uint64_t n;

    assert_int_equal(ttrpc_pool_open(1, fd, &pool), 0);
    assert_non_null(job);
    job->method = &AEB_METHODS[rpc];
    job->ctx = b;
    job->peer = *peer;
    job->payload = tst_dup(payload.data, payload.size);
    job->size = payload.size;
    job->deadline = INT64_MAX;
    assert_true(ttrpc_pool_put(pool, job));
    assert_int_equal(read(fd, &n, sizeof(n)), sizeof(n));
    job = ttrpc_pool_done(pool);
    assert_non_null(job);
    *out = job->reply;
    job->reply.payload = NULL;
    ttrpc_job_free(job);
    ttrpc_pool_close(pool);
    close(fd);
}

struct asked {
    struct ttrpc_reply reply;
    struct aeb_response resp;
    struct aeb_evidence ev;
    bool have_ev;
};

static struct aeb_broker_config usual(void)
{
    return (struct aeb_broker_config){
        .device = {command, NULL},
        .product = PSP_MILAN,
        .root = root.body,
        .root_size = root.size,
    };
}

static void ask_peer(const struct aeb_broker_config *config, enum aeb_rpc rpc,
                     const struct aeb_request *req,
                     const struct ttrpc_peer *peer, struct asked *out)
{
    const struct aeb_cek_config cek = {.local = kds};
    struct aeb_broker_config c = *config;
    struct aeb_broker *b = NULL;
    struct aeb_cek *own = NULL;
    char why[AEB_WHY_SIZE];
    uint8_t *payload;
    size_t n;

    memset(out, 0, sizeof(*out));
    if (c.cek == NULL) {
        assert_int_equal(aeb_cek_open(&cek, &own), 0);
        c.cek = own;
    }
    assert_int_equal(aeb_broker_open(&c, &b), 0);
    assert_int_equal(aeb_request_encode(rpc, req, &payload, &n), PSP_OK);
    run_method(b, rpc, peer, (struct ttrpc_bytes){payload, n}, &out->reply);
    free(payload);
    if (out->reply.code == TTRPC_OK) {
        assert_int_equal(
            aeb_response_decode(
                rpc, (struct ttrpc_bytes){out->reply.payload, out->reply.size},
                &out->resp),
            PSP_OK);
    }
    out->have_ev =
        out->resp.evidence.size > 0 &&
        aeb_evidence_decode(out->resp.evidence.data, out->resp.evidence.size,
                            &out->ev, why) == PSP_OK;
    aeb_broker_close(b);
    aeb_cek_close(own);
}

static void done(struct asked *a)
{
    aeb_response_clear(&a->resp);
    free(a->reply.payload);
}

static const struct ttrpc_peer SOMEBODY = {
    .family = AF_UNIX, .have_uid = true, .uid = 1000};

static void ask(const struct aeb_broker_config *config, enum aeb_rpc rpc,
                const struct aeb_request *req, struct asked *out)
{
    ask_peer(config, rpc, req, &SOMEBODY, out);
}

static uint32_t error_of(const struct aeb_broker_config *config,
                         enum aeb_rpc rpc, const struct aeb_request *req)
{
    struct asked a;
    uint32_t error;

    ask(config, rpc, req, &a);
    error = a.resp.error;
    assert_int_equal(a.reply.code, TTRPC_OK);
    if (error != 0) {
        assert_int_equal(a.resp.size, 0);
        assert_int_equal(a.resp.evidence.size, 0);
    }
    done(&a);
    return error;
}

static struct aeb_request mine(void)
{
    return (struct aeb_request){.handle = legacy_vm_handle(guest),
                                .size = 6461};
}

/* ---- what it gives ---- */

static void size__typed_and_published_layout(void **state)
{
    struct aeb_broker_config c = usual();
    struct aeb_request req = mine();
    struct asked a;

    (void)state;
    ask(&c, AEB_RPC_SIZE, &req, &a);
    assert_int_equal(a.reply.size, 3);
    assert_hex_equal(a.reply.payload, "10bd32", 3);
    done(&a);
    c.untyped = true;
    ask(&c, AEB_RPC_SIZE, &req, &a);
    assert_int_equal(a.reply.size, 3);
    assert_hex_equal(a.reply.payload, "10bc32", 3);
    done(&a);
    assert_int_equal(fault.calls, 0); /* touches no device */
}

static void evidence__plain_request__accepted_by_the_relying_party(void **state)
{
    const struct aeb_verify_policy policy = {.sev.policy_mask = 0};
    struct aeb_broker_config c = usual();
    struct aeb_request req = mine();
    struct aeb_verify_result result;
    struct asked a;

    (void)state;
    req.size = 17;
    ask(&c, AEB_RPC_EVIDENCE, &req, &a);
    assert_int_equal(a.resp.error, 0);
    assert_true(a.have_ev);
    assert_int_equal(a.resp.size, 17); /* echoed */
    assert_int_equal(a.resp.features, 0);
    assert_int_equal(a.resp.mnonce.size, 0);
    assert_int_equal(a.ev.device, AEB_MILAN);
    aeb_verify(&a.ev, (struct verify_blob){root.body, root.size}, &policy,
               &result);
    assert_true(result.ok);
    done(&a);
}

static void self_check__other_certificates__judged_anew(void **state)
{
    struct aeb_broker_config c = usual();
    struct aeb_request req = mine();
    struct aeb_self_check *check = NULL;
    struct aeb_evidence bad;
    struct asked a;

    (void)state;
    ask(&c, AEB_RPC_EVIDENCE, &req, &a);
    assert_int_equal(aeb_self_check_open(root.body, root.size, true, &check),
                     0);
    assert_true(aeb_self_check(check, &a.ev));
    for (int i = 0; i < 4; i++) {
        bad = a.ev;
        (i == 0   ? bad.cek
         : i == 1 ? bad.pek
         : i == 2 ? bad.oca
                  : bad.report)[0x20] ^= 1;
        assert_false(aeb_self_check(check, &bad));
        assert_false(aeb_self_check(check, &bad));
        assert_true(aeb_self_check(check, &a.ev));
        assert_true(aeb_self_check(check, &a.ev));
    }
    aeb_self_check_close(check);
    done(&a);
}

static void evidence__published_layout__no_device_type(void **state)
{
    struct aeb_broker_config c = usual();
    struct aeb_request req = mine();
    struct asked a;

    (void)state;
    c.untyped = true;
    ask(&c, AEB_RPC_EVIDENCE, &req, &a);
    assert_true(a.have_ev);
    assert_false(a.ev.typed);
    done(&a);
}

static void evidence__extension__nonce_and_packed(void **state)
{
    static const uint8_t mnonce[16] = "sixteen bytes...";
    struct aeb_broker_config c = usual();
    struct aeb_request req = mine();
    struct asked a;

    (void)state;
    req.have_mnonce = true;
    req.mnonce = (struct ttrpc_bytes){mnonce, 16};
    req.encoding = AEB_ENCODING_PACKED;
    ask(&c, AEB_RPC_EVIDENCE, &req, &a);
    assert_int_equal(a.resp.error, 0);
    assert_int_equal(a.resp.evidence.size, 6461);
    assert_memory_equal(a.ev.report, mnonce, 16);
    assert_int_equal(a.resp.mnonce.size, 16);
    assert_memory_equal(a.resp.mnonce.data, mnonce, 16);
    assert_int_equal(a.resp.encoding, 1);
    assert_int_equal(a.resp.features, 1 | 2 | 8);
    done(&a);
}

static void evidence__two_requests__two_nonces(void **state)
{
    struct aeb_broker_config c = usual();
    struct aeb_request req = mine();
    struct asked a, b;

    (void)state;
    ask(&c, AEB_RPC_EVIDENCE, &req, &a);
    ask(&c, AEB_RPC_EVIDENCE, &req, &b);
    assert_true(a.have_ev && b.have_ev);
    assert_memory_not_equal(a.ev.report, b.ev.report, 16);
    done(&a);
    done(&b);
}

/* T10: a broker without the extension drops the nonce; the client sees it. */
static void evidence__stripping_broker__nonce_is_another(void **state)
{
    static const uint8_t mnonce[16] = {1};
    struct aeb_broker_config c = usual();
    struct aeb_request req = mine();
    struct asked a;

    (void)state;
    c.extension = AEB_EXT_NEVER;
    req.have_mnonce = true;
    req.mnonce = (struct ttrpc_bytes){mnonce, 16};
    ask(&c, AEB_RPC_EVIDENCE, &req, &a);
    assert_int_equal(a.resp.error, 0);
    assert_memory_not_equal(a.ev.report, mnonce, 16);
    assert_int_equal(a.resp.features, 0);
    done(&a);
}

static void failure__extension_known__has_text(void **state)
{
    struct aeb_broker_config c = usual();
    struct aeb_request req = mine();
    struct asked a;

    (void)state;
    req.handle = 77;
    req.features = 8;
    ask(&c, AEB_RPC_EVIDENCE, &req, &a);
    assert_int_equal(a.resp.error, 0x10);
    assert_true(a.resp.detail.size > 0);
    done(&a);
    req.features = 0;
    ask(&c, AEB_RPC_EVIDENCE, &req, &a);
    assert_int_equal(a.reply.size, 2);
    assert_hex_equal(a.reply.payload, "0810", 2);
    done(&a);
}

/* T15 */
static void evidence__negative_hypercall_results__invalid_guest(void **state)
{
    static const uint32_t handles[] = {0xffffffff, 0xfffffc18, 0xffffffe7, 0,
                                       999};
    struct aeb_broker_config c = usual();
    struct aeb_request req = mine();

    (void)state;
    for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]); i++) {
        req.handle = handles[i];
        assert_int_equal(error_of(&c, AEB_RPC_EVIDENCE, &req), 0x10);
    }
}

static void evidence__alias__served_as_the_other(void **state)
{
    struct aeb_broker_config c = usual();
    struct aeb_request req = mine();

    (void)state;
    c.alias[0].from = 0xffffffff;
    c.alias[0].to = req.handle;
    c.alias_count = 1;
    req.handle = 0xffffffff;
    assert_int_equal(error_of(&c, AEB_RPC_EVIDENCE, &req), 0);
}

static void requests__undecodable__unknown(void **state)
{
    const struct ttrpc_bytes bad = {(const uint8_t *)"\x0a", 1};
    struct aeb_broker_config c = usual();
    struct aeb_broker *b;

    (void)state;
    assert_int_equal(aeb_broker_open(&c, &b), 0);
    for (size_t i = 0; i < AEB_METHOD_COUNT; i++) {
        struct ttrpc_reply reply = {.code = TTRPC_OK};

        run_method(b, (enum aeb_rpc)i, &SOMEBODY, bad, &reply);
        assert_int_equal(reply.code, TTRPC_UNKNOWN);
    }
    aeb_broker_close(b);
}

/* ---- rows of §6.3 ---- */

struct fault_row {
    const char *name;
    uint32_t cmd;
    int err;
    uint32_t fw;
    bool lie, spoil;
    uint32_t error;
};

static const struct fault_row FAULTS[] = {
    {"export__invalid_platform_state", 5, -EIO, 1, false, false, 1},
    {"export__invalid_guest_state", 5, -EIO, 2, false, false, 2},
    {"export__invalid_length", 5, -EIO, 4, false, false, 4},
    {"id__unsupported", 8, -EIO, 0x15, false, false, 0x15},
    {"report__hardware", 0x80000009, -EIO, 0x13, false, false, 0x13},
    {"report__resource_limit", 0x80000009, -EIO, 0x17, false, false, 0x17},
    {"export__no_device", 5, -ENOENT, 0, false, false, 0x10002},
    {"export__denied", 5, -EACCES, 0, false, false, 0x1000d},
    {"export__eio_without_status", 5, -EIO, 0, false, false, 0x10005},
    {"export__no_firmware_call", 5, -EIO, 0xffffffff, false, false, 0x10005},
    {"export__busy", 5, -EBUSY, 0xffffffff, false, false, 0x10010},
    {"id__gone", 8, -ENODEV, 0, false, false, 0x10013},
    {"report__timeout", 0x80000009, -ETIMEDOUT, 0, false, false, 0x1006e},
    {"export__success_with_status", 5, 0, 9, false, false, 9},
    {"report__nothing_written", 0x80000009, 0, 0, true, false, 0x30008},
    {"report__bit_flipped", 0x80000009, 0, 0, false, true, 0x30007},
    {"export__pek_bit_flipped", 5, 0, 0, false, true, 0x30007},
    {"id__of_nobody", 8, 0, 0, true, false, 0x20000 + 404},
};
#define FAULT_COUNT (sizeof(FAULTS) / sizeof(FAULTS[0]))

static void fault_row(void **state)
{
    const struct fault_row *row = *state;
    struct aeb_broker_config c = usual();
    struct aeb_request req = mine();
    uint32_t error;

    c.check_reports = true;
    memset(&fault, 0, sizeof(fault));
    fault.cmd = row->cmd;
    fault.err = row->err;
    fault.fw = row->fw;
    fault.lie = row->lie;
    fault.spoil = row->spoil;
    error = error_of(&c, AEB_RPC_EVIDENCE, &req);
    memset(&fault, 0, sizeof(fault));
    if (row->error >> 16 == 2) { /* which 4xx is the key server's matter */
        assert_int_equal(error & 0xffffff00, 0x20100);
    } else {
        assert_int_equal(error, row->error);
    }
}

/* The signature is the relying party's matter then; certificates are not. */
static void self_check__certificates__report_as_it_comes(void **state)
{
    struct aeb_broker_config c = usual();
    struct aeb_request req = mine();

    (void)state;
    for (int i = 0; i < 2; i++) {
        c.root = i == 0 ? root.body : NULL;
        fault.cmd = 0x80000009;
        fault.spoil = true;
        assert_int_equal(error_of(&c, AEB_RPC_EVIDENCE, &req), 0);
        fault.cmd = 5;
        assert_int_equal(error_of(&c, AEB_RPC_EVIDENCE, &req),
                         AEB_BROKER_SELF_CHECK);
    }
}

static void report__kernel_without_get_report__einval(void **state)
{
    struct aeb_broker_config c = usual();
    struct aeb_request req = mine();

    (void)state;
    c.number = AEB_NUMBER_PRIVATE;
    fault.cmd = 0x80000009;
    fault.err = -EINVAL;
    assert_int_equal(error_of(&c, AEB_RPC_EVIDENCE, &req), 0x10016);
}

/* T18: number 9 of a mainline driver succeeds, and is another command. */
static void report__number_9_of_mainline__driver_lied(void **state)
{
    struct aeb_broker_config c = usual();
    struct aeb_request req = mine();

    (void)state;
    c.number = AEB_NUMBER_9;
    assert_int_equal(error_of(&c, AEB_RPC_EVIDENCE, &req), AEB_BROKER_LIED);
    c.number = AEB_NUMBER_AUTO; /* falls back to it on EINVAL */
    fault.cmd = 0x80000009;
    fault.err = -EINVAL;
    assert_int_equal(error_of(&c, AEB_RPC_EVIDENCE, &req), AEB_BROKER_LIED);
}

static void generation__without_device_type__both_rpcs(void **state)
{
    struct aeb_broker_config c = usual();
    struct aeb_request req = mine();

    (void)state;
    c.product = PSP_GENOA;
    assert_int_equal(error_of(&c, AEB_RPC_SIZE, &req), 0x30001);
    assert_int_equal(error_of(&c, AEB_RPC_EVIDENCE, &req), 0x30001);
    assert_int_equal(fault.calls, 0);
    c.any_product = true;
    assert_int_equal(error_of(&c, AEB_RPC_SIZE, &req), 0);
}

static void mnonce__every_other_length__refused(void **state)
{
    static const uint8_t bytes[32];
    struct aeb_broker_config c = usual();
    struct aeb_request req = mine();

    (void)state;
    req.have_mnonce = true;
    for (size_t n = 0; n <= 32; n++) {
        req.mnonce = (struct ttrpc_bytes){bytes, n};
        assert_int_equal(error_of(&c, AEB_RPC_EVIDENCE, &req),
                         n == 16 ? 0 : 0x30004);
    }
}

static void encoding__unknown__refused(void **state)
{
    struct aeb_broker_config c = usual();
    struct aeb_request req = mine();

    (void)state;
    req.encoding = 2;
    assert_int_equal(error_of(&c, AEB_RPC_EVIDENCE, &req), 0x30005);
}

/* The first of everything that is wrong is told. */
static void order__peer_nonce_generation_device(void **state)
{
    static const struct aeb_peer_row rows[] = {
        {.by = AEB_BY_UID, .key = 1, .handle = 1}};
    struct aeb_broker_config c = usual();
    struct aeb_request req = mine();

    (void)state;
    req.have_mnonce = true;
    c.product = PSP_TURIN;
    c.policy = AEB_PEER_CHECK;
    c.rows = rows;
    c.row_count = 1;
    fault.cmd = 5;
    fault.err = -ENOENT;
    assert_int_equal(error_of(&c, AEB_RPC_EVIDENCE, &req), 0x30003);
    c.policy = AEB_PEER_OPEN;
    assert_int_equal(error_of(&c, AEB_RPC_EVIDENCE, &req), 0x30004);
    req.have_mnonce = false;
    assert_int_equal(error_of(&c, AEB_RPC_EVIDENCE, &req), 0x30001);
    c.product = PSP_MILAN;
    assert_int_equal(error_of(&c, AEB_RPC_EVIDENCE, &req), 0x10002);
}

static void status_style__codes(void **state)
{
    struct aeb_broker_config c = usual();
    struct aeb_request req = mine();
    struct asked a;

    (void)state;
    c.status_style = true;
    c.product = PSP_GENOA;
    ask(&c, AEB_RPC_SIZE, &req, &a);
    assert_int_equal(a.reply.code, TTRPC_UNKNOWN);
    assert_string_equal(a.reply.message,
                        "Others(\"device type is not supported\")");
    assert_null(a.reply.payload);
    done(&a);
    c.product = PSP_MILAN;
    req.handle = 5;
    ask(&c, AEB_RPC_EVIDENCE, &req, &a);
    assert_int_equal(a.reply.code, TTRPC_UNKNOWN);
    done(&a);
    fault.cmd = 5;
    fault.err = -ENOENT;
    ask(&c, AEB_RPC_EVIDENCE, &req, &a);
    assert_int_equal(a.reply.code, TTRPC_UNAVAILABLE);
    done(&a);
}

/* ---- a broker with a fault plan ---- */

struct planned {
    struct fault_plan *plan;
    struct aeb_faults *faults;
    struct aeb_cek *cek;
    struct aeb_broker *b;
};
static char fault_text[512];

static void fault_line(void *ctx, const char *line)
{
    (void)ctx;
    snprintf(fault_text, sizeof(fault_text), "%s", line);
}

/* @members: of the one fault, of each request. */
static struct planned planned(const char *members)
{
    const struct aeb_cek_config cek = {.local = kds};
    struct aeb_broker_config c = usual();
    char error[FAULT_ERROR_SIZE];
    struct planned p;
    char text[256];

    snprintf(text, sizeof(text),
             "{\"faults\": [{\"at\": \"broker\", \"when\": {\"every\": 1}, "
             "%s}]}",
             members);
    assert_int_equal(fault_plan_parse(text, strlen(text), &p.plan, error), 0);
    assert_int_equal(aeb_faults_new(p.plan, fault_line, NULL, &p.faults), 0);
    assert_int_equal(aeb_cek_open(&cek, &p.cek), 0);
    c.cek = p.cek;
    c.faults = p.faults;
    assert_int_equal(aeb_broker_open(&c, &p.b), 0);
    fault_text[0] = '\0';
    return p;
}

static void planned_close(struct planned *p)
{
    aeb_broker_close(p->b);
    aeb_cek_close(p->cek);
    aeb_faults_free(p->faults);
    fault_plan_free(p->plan);
}

static void ask_planned(struct planned *p, enum aeb_rpc rpc,
                        const struct aeb_request *req, struct asked *out)
{
    char why[AEB_WHY_SIZE];
    uint8_t *payload;
    size_t n;

    memset(out, 0, sizeof(*out));
    assert_int_equal(aeb_request_encode(rpc, req, &payload, &n), PSP_OK);
    run_method(p->b, rpc, &SOMEBODY, (struct ttrpc_bytes){payload, n},
               &out->reply);
    free(payload);
    if (out->reply.code == TTRPC_OK) {
        assert_int_equal(
            aeb_response_decode(
                rpc, (struct ttrpc_bytes){out->reply.payload, out->reply.size},
                &out->resp),
            PSP_OK);
    }
    out->have_ev =
        aeb_evidence_decode(out->resp.evidence.data, out->resp.evidence.size,
                            &out->ev, why) == PSP_OK;
}

static void fault__parts_of_evidence(void **state)
{
    static const struct {
        const char *fault;
        size_t at, size; /* of packed evidence: what is not as it was */
    } row[] = {
        {"\"do\": \"flip\", \"part\": \"report\", \"offset\": 16", 16, 1},
        {"\"do\": \"flip\", \"part\": \"cek\", \"offset\": 8", 216, 1},
        {"\"do\": \"flip\", \"part\": \"pek\", \"offset\": 2083", 4375, 1},
        {"\"do\": \"flip\", \"part\": \"oca\", \"offset\": 0", 4376, 1},
        {"\"do\": \"flip\", \"offset\": 6460", 6460, 1},
        {"\"do\": \"zero-report\"", 0, 208},
    };
    static const uint8_t nonce[16] = {3};
    struct aeb_request req = mine();
    struct planned honest = planned("\"do\": \"strip\"");
    struct asked want;

    (void)state;
    planned_close(&honest);
    req.have_mnonce = true;
    req.mnonce = (struct ttrpc_bytes){nonce, 16};
    req.encoding = AEB_ENCODING_PACKED;
    honest = planned("\"do\": \"delay\", \"ms\": 1");
    ask_planned(&honest, AEB_RPC_EVIDENCE, &req, &want);
    assert_int_equal(want.resp.evidence.size, 6461);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct planned p = planned(row[i].fault);
        struct asked got;
        const uint8_t *a = want.resp.evidence.data, *b;

        ask_planned(&p, AEB_RPC_EVIDENCE, &req, &got);
        b = got.resp.evidence.data;
        assert_int_equal(got.resp.evidence.size, 6461);
        for (size_t k = 208; k < 6461; k++) { /* reports are signed anew */
            if (a[k] != b[k]) {
                assert_in_range(k, row[i].at, row[i].at + row[i].size - 1);
            }
        }
        assert_memory_not_equal(b + row[i].at, a + row[i].at, row[i].size);
        assert_true(fault_text[0] != '\0');
        done(&got);
        planned_close(&p);
    }
    done(&want);
    planned_close(&honest);
}

static void fault__instead_of_an_answer(void **state)
{
    struct aeb_request req = mine();
    struct asked a;
    struct planned p = planned("\"do\": \"error\", \"code\": 131073");

    (void)state;
    for (int rpc = 0; rpc < 2; rpc++) {
        ask_planned(&p, (enum aeb_rpc)rpc, &req, &a);
        assert_int_equal(a.resp.error, 0x20001);
        assert_int_equal(a.resp.evidence.size, 0);
        done(&a);
    }
    assert_int_equal(fault.calls, 0); /* nobody was asked */
    planned_close(&p);
    p = planned("\"do\": \"status\", \"code\": 14");
    ask_planned(&p, AEB_RPC_EVIDENCE, &req, &a);
    assert_int_equal(a.reply.code, 14);
    assert_null(a.reply.payload);
    done(&a);
    ask_planned(&p, AEB_RPC_SIZE, &req, &a);
    assert_int_equal(a.reply.code, 14);
    done(&a);
    assert_int_equal(fault.calls, 0);
    planned_close(&p);
}

static void fault__delivery(void **state)
{
    struct aeb_request req = mine();
    struct asked a;
    struct planned p = planned("\"do\": \"drop\"");

    (void)state;
    ask_planned(&p, AEB_RPC_SIZE, &req, &a);
    assert_true(a.reply.drop);
    done(&a);
    planned_close(&p);
    p = planned("\"do\": \"delay\", \"ms\": 77");
    ask_planned(&p, AEB_RPC_EVIDENCE, &req, &a);
    assert_int_equal(a.reply.later_ms, 77);
    assert_true(a.have_ev);
    done(&a);
    planned_close(&p);
    p = planned("\"do\": \"reorder\"");
    ask_planned(&p, AEB_RPC_EVIDENCE, &req, &a);
    assert_true(a.reply.hold && !a.reply.drop && a.reply.later_ms == 0);
    done(&a);
    planned_close(&p);
}

static void fault__truncated_and_stripped(void **state)
{
    static const uint8_t nonce[16] = {3};
    struct aeb_request req = mine();
    struct asked a;
    struct planned p = planned("\"do\": \"truncate\", \"size\": 100");

    (void)state;
    req.have_mnonce = true;
    req.mnonce = (struct ttrpc_bytes){nonce, 16};
    req.encoding = AEB_ENCODING_PACKED;
    ask_planned(&p, AEB_RPC_EVIDENCE, &req, &a);
    assert_int_equal(a.resp.evidence.size, 100);
    done(&a);
    planned_close(&p);
    p = planned("\"do\": \"strip\"");
    ask_planned(&p, AEB_RPC_EVIDENCE, &req, &a);
    assert_true(a.have_ev && a.resp.evidence.data[0] == '{');
    assert_memory_not_equal(a.ev.report, nonce, 16);
    assert_int_equal(a.resp.features, 0);
    assert_int_equal(a.resp.mnonce.size, 0);
    done(&a);
    planned_close(&p);
}

/* T3: the client refuses. */
static void fault__replay__of_the_same_handle(void **state)
{
    static const uint8_t n1[16] = {1}, n2[16] = {2};
    struct aeb_request req = mine();
    struct planned p = planned("\"do\": \"replay\"");
    struct asked a;

    (void)state;
    req.have_mnonce = true;
    for (int i = 0; i < 3; i++) {
        req.mnonce = (struct ttrpc_bytes){i == 0 ? n1 : n2, 16};
        ask_planned(&p, AEB_RPC_EVIDENCE, &req, &a);
        assert_memory_equal(a.ev.report, i < 2 ? n1 : n2, 16);
        assert_memory_equal(a.resp.mnonce.data, i < 2 ? n1 : n2, 16);
        done(&a);
    }
    planned_close(&p);
}

static void fault__substitute__the_device_is_asked_for_another(void **state)
{
    struct aeb_request req = mine();
    struct planned p = planned("\"do\": \"substitute\", \"from\": 99");
    struct asked a;

    (void)state;
    ask_planned(&p, AEB_RPC_EVIDENCE, &req, &a);
    assert_int_equal(a.resp.error, 0x10);
    done(&a);
    planned_close(&p);
    p = planned("\"do\": \"substitute\", \"from\": 1");
    req.handle = 99;
    ask_planned(&p, AEB_RPC_EVIDENCE, &req, &a);
    assert_int_equal(a.resp.error, 0);
    assert_true(a.have_ev);
    done(&a);
    planned_close(&p);
}

/* ---- peers: T5, T17 ---- */

static void peer_policy__who_gets_what(void **state)
{
    const uint32_t own = legacy_vm_handle(guest);
    const struct aeb_peer_row rows[] = {
        {.by = AEB_BY_CID, .key = 42, .handle = own},
        {.by = AEB_BY_LISTENER, .key = 3, .handle = own},
        {.by = AEB_BY_UID, .key = 7, .handle = own}};
    const struct ttrpc_peer cid = {.family = AF_VSOCK, .cid = 42};
    const struct ttrpc_peer other_cid = {.family = AF_VSOCK, .cid = 43};
    const struct ttrpc_peer path = {.family = AF_UNIX, .listener = 3};
    const struct ttrpc_peer uid = {
        .family = AF_UNIX, .have_uid = true, .uid = 7};
    const struct {
        enum aeb_peer_policy policy;
        const struct ttrpc_peer *peer;
        uint32_t handle, error;
    } row[] = {
        {AEB_PEER_OPEN, &other_cid, own, 0},
        {AEB_PEER_CHECK, &cid, own, 0},
        {AEB_PEER_CHECK, &path, own, 0},
        {AEB_PEER_CHECK, &uid, own, 0},
        {AEB_PEER_CHECK, &cid, own + 1, 0x30002},
        {AEB_PEER_CHECK, &cid, 0, 0x30002},
        {AEB_PEER_CHECK, &other_cid, own, 0x30003},
        {AEB_PEER_BIND, &cid, 0, 0},
        {AEB_PEER_BIND, &path, 0, 0},
        {AEB_PEER_BIND, &path, own, 0},
        {AEB_PEER_BIND, &path, own + 1, 0x30002},
        {AEB_PEER_BIND, &other_cid, 0, 0x30003},
    };
    struct aeb_broker_config c = usual();

    (void)state;
    c.rows = rows;
    c.row_count = 3;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct aeb_request req = {.handle = row[i].handle, .features = 15};
        struct asked a;

        c.policy = row[i].policy;
        ask_peer(&c, AEB_RPC_EVIDENCE, &req, row[i].peer, &a);
        assert_int_equal(a.resp.error, row[i].error);
        assert_int_equal((a.resp.features & AEB_FEATURE_BOUND) != 0,
                         row[i].policy == AEB_PEER_BIND);
        done(&a);
        ask_peer(&c, AEB_RPC_SIZE, &req, row[i].peer, &a);
        assert_int_equal(a.resp.error, row[i].error);
        done(&a);
    }
}

/* Whatever the order of the rows: all guests may be processes of one user. */
static void peer_of_several_rows__endpoint_then_cid_then_uid(void **state)
{
    const uint32_t own = legacy_vm_handle(guest);
    const struct aeb_peer_row rows[] = {
        {.by = AEB_BY_UID, .key = 7, .handle = own + 1},
        {.by = AEB_BY_CID, .key = 42, .handle = own + 1},
        {.by = AEB_BY_LISTENER, .key = 3, .handle = own},
        {.by = AEB_BY_CID, .key = 43, .handle = own}};
    const struct ttrpc_peer peers[] = {
        {.family = AF_UNIX, .have_uid = true, .uid = 7, .listener = 3},
        {.family = AF_VSOCK, .cid = 42, .listener = 3},
        {.family = AF_VSOCK, .cid = 43, .listener = 4}};
    const struct aeb_request req = {.handle = own};
    struct aeb_broker_config c = usual();

    (void)state;
    c.rows = rows;
    c.row_count = 4;
    c.policy = AEB_PEER_CHECK;
    for (size_t i = 0; i < 3; i++) {
        struct asked a;

        ask_peer(&c, AEB_RPC_EVIDENCE, &req, &peers[i], &a);
        assert_int_equal(a.resp.error, 0);
        done(&a);
    }
}

/* T7: while the broker was at work, the handle became another launch's. */
static void registry__handle_used_again_meanwhile__refused(void **state)
{
    static const char *const same[] = {CONTROL_SHOWN("a", "1", "5"),
                                       CONTROL_SHOWN("a", "1", "5")};
    static const char *const other[] = {CONTROL_SHOWN("a", "1", "5"),
                                        CONTROL_SHOWN("a", "1", "6")};
    static const char *const gone[] = {CONTROL_SHOWN("a", "1", "5")};
    const struct aeb_peer_row row = {
        .by = AEB_BY_UID, .key = SOMEBODY.uid, .guest = "a"};
    struct aeb_broker_config c = usual();
    struct aeb_request req = mine();
    char why[AEB_REGISTRY_ERROR];

    (void)state;
    assert_int_equal(req.handle, 1);
    c.policy = AEB_PEER_CHECK;
    c.rows = &row;
    c.row_count = 1;
    for (int i = 0; i < 3; i++) {
        const char *const *answers = i == 0 ? same : i == 1 ? other : gone;

        control_script_start(answers, i == 2 ? 1 : 2);
        assert_int_equal(
            aeb_registry_open(control_script_path(), &c.registry, why), 0);
        assert_int_equal(error_of(&c, AEB_RPC_EVIDENCE, &req),
                         i == 0 ? 0 : AEB_BROKER_HANDLE);
        aeb_registry_close(c.registry);
        control_script_stop();
    }
}

static void rate__one_too_many__only_that_peer(void **state)
{
    struct aeb_rate r;
    struct ttrpc_peer other = SOMEBODY;

    (void)state;
    memset(&r, 0, sizeof(r));
    other.uid++;
    assert_true(aeb_rate_take(&r, &SOMEBODY, 2, 10));
    assert_true(aeb_rate_take(&r, &SOMEBODY, 2, 10));
    assert_false(aeb_rate_take(&r, &SOMEBODY, 2, 10));
    assert_true(aeb_rate_take(&r, &other, 2, 10));
    assert_true(aeb_rate_take(&r, &SOMEBODY, 2, 11));
    assert_true(aeb_rate_take(&r, &SOMEBODY, 0, 11));
    for (uint32_t i = 0; i < 200; i++) { /* many peers: none is refused */
        other.uid = 100 + i;
        assert_true(aeb_rate_take(&r, &other, 1, 12 + i));
    }
}

/* ---- CEK from a key server: T9, T16 ---- */

/* A key server with one fault in its plan, or honest. */
struct key_server {
    struct kds_http *http;
    struct fault_plan *plan;
    struct fault_seq *seq;
};

/* @what: of every request, as in a plan: "\"do\": \"html\""; NULL: none. */
static struct key_server start_http(struct kds *k, const char *what,
                                    struct aeb_url *url)
{
    struct kds_http_config config = {.port = 0};
    struct key_server s = {NULL, NULL, NULL};
    struct kds_http *http = NULL;
    char error[FAULT_ERROR_SIZE];
    char text[256];

    if (what != NULL) {
        snprintf(text, sizeof(text),
                 "{\"faults\": [{\"at\": \"key-server\", \"when\": "
                 "{\"every\": 1}, %s}]}",
                 what);
        assert_int_equal(fault_plan_parse(text, strlen(text), &s.plan, error),
                         0);
        assert_int_equal(fault_seq_new(s.plan, FAULT_AT_KEY_SERVER, "", &s.seq),
                         0);
        config.faults.seqs[0] = s.seq;
    }
    assert_int_equal(kds_http_start(k, &config, &http), 0);
    snprintf(text, sizeof(text), "http://127.0.0.1:%u/", kds_http_port(http));
    assert_true(aeb_url_parse(text, url));
    s.http = http;
    return s;
}

static void stop_http(struct key_server *s)
{
    kds_http_stop(s->http);
    fault_seq_free(s->seq);
    fault_plan_free(s->plan);
}

static uint32_t by_http(struct kds *k, const char *what)
{
    struct aeb_broker_config c = usual();
    struct aeb_request req = mine();
    struct aeb_cek_config cek = {.connect_ms = 300, .request_ms = 400};
    struct aeb_url url;
    struct key_server http = start_http(k, what, &url);
    uint32_t error;

    cek.url = &url;
    assert_int_equal(aeb_cek_open(&cek, &c.cek), 0);
    error = error_of(&c, AEB_RPC_EVIDENCE, &req);
    aeb_cek_close(c.cek);
    stop_http(&http);
    return error;
}

static void cek__from_a_key_server(void **state)
{
    (void)state;
    assert_int_equal(by_http(kds, NULL), 0);
}

static void cek__key_server_fails__told_how(void **state)
{
    (void)state;
    assert_int_equal(by_http(kds, "\"do\": \"status\", \"code\": 503"),
                     0x20000 + 503);
    assert_int_equal(by_http(kds, "\"do\": \"status\", \"code\": 404"),
                     0x20000 + 404);
    assert_int_equal(by_http(kds, "\"do\": \"delay\", \"ms\": 2000"),
                     AEB_KDS_TIMEOUT);
}

static void cek__hostile_key_server__told_how(void **state)
{
    static const struct {
        const char *how;
        uint32_t error;
    } row[] = {
        {"\"do\": \"truncate\"", AEB_KDS_TRANSPORT},
        {"\"do\": \"flip\", \"offset\": 100", AEB_KDS_OTHER_KEY},
        {"\"do\": \"flip\", \"offset\": 1100", AEB_BROKER_SELF_CHECK},
        {"\"do\": \"drop\"", AEB_KDS_TRANSPORT},
        {"\"do\": \"html\"", AEB_KDS_BODY},
        {"\"do\": \"huge\"", AEB_KDS_BODY},
        {"\"do\": \"trickle\"", AEB_KDS_TIMEOUT},
        {"\"do\": \"substitute\", \"from\": \"other-chip\"",
         AEB_KDS_OTHER_KEY}, /* T9 */
        {"\"do\": \"substitute\", \"from\": \"/vcek/v1/Milan/crl\"",
         AEB_KDS_BODY},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        assert_int_equal(by_http(kds, row[i].how), row[i].error);
    }
}

static void cek__nobody_listens__transport(void **state)
{
    struct aeb_broker_config c = usual();
    struct aeb_request req = mine();
    struct aeb_cek_config cek = {.connect_ms = 300, .request_ms = 300};
    struct aeb_url url;

    (void)state;
    assert_true(aeb_url_parse("http://127.0.0.1:1", &url));
    cek.url = &url;
    assert_int_equal(aeb_cek_open(&cek, &c.cek), 0);
    assert_int_equal(error_of(&c, AEB_RPC_EVIDENCE, &req), AEB_KDS_TRANSPORT);
    aeb_cek_close(c.cek);
}

/* T16: the key server dies after the first answer. */
static void cek__kept__served_without_the_server(void **state)
{
    struct aeb_broker_config c = usual();
    struct aeb_request req = mine();
    struct aeb_cek_config cek = {.connect_ms = 300, .request_ms = 300};
    struct aeb_url url;
    struct key_server http = start_http(kds, NULL, &url);

    (void)state;
    cek.url = &url;
    assert_int_equal(aeb_cek_open(&cek, &c.cek), 0);
    assert_int_equal(error_of(&c, AEB_RPC_EVIDENCE, &req), 0);
    stop_http(&http);
    assert_int_equal(error_of(&c, AEB_RPC_EVIDENCE, &req), 0);
    aeb_cek_close(c.cek);
}

/* ---- the relying party, V1 to V10 ---- */

struct judged {
    const char *name;
    enum aeb_check fails; /* COUNT: none */
    void (*change)(struct aeb_evidence *ev, struct aeb_verify_policy *p);
};

static const uint8_t OTHER_DIGEST[1][SEV_DIGEST_SIZE] = {{9}};
static const uint32_t WITH_DEBUG = 0;
static const uint8_t NONCE_X[32] = {1};
static uint8_t other_cert[SEV_CERT_SIZE];

static void flip_cek(struct aeb_evidence *ev, struct aeb_verify_policy *p)
{
    (void)p;
    ev->cek[0x500] ^= 1;
}
static void flip_oca(struct aeb_evidence *ev, struct aeb_verify_policy *p)
{
    (void)p;
    ev->oca[0x420] ^= 1;
}
static void flip_oca_pin(struct aeb_evidence *ev, struct aeb_verify_policy *p)
{
    (void)ev;
    p->sev.oca_pin = (struct verify_blob){other_cert, SEV_CERT_SIZE};
}
static void pin_pek(struct aeb_evidence *ev, struct aeb_verify_policy *p)
{
    (void)ev;
    p->sev.pek_pin = (struct verify_blob){other_cert, SEV_CERT_SIZE};
}
static void digest(struct aeb_evidence *ev, struct aeb_verify_policy *p)
{
    (void)ev;
    p->sev.launch_digest = OTHER_DIGEST;
    p->sev.launch_digest_count = 1;
}
static void guest_policy(struct aeb_evidence *ev, struct aeb_verify_policy *p)
{
    (void)ev;
    p->sev.policy = &WITH_DEBUG;
    p->sev.policy_mask = 1;
}
static void mnonce(struct aeb_evidence *ev, struct aeb_verify_policy *p)
{
    (void)ev;
    p->launch_nonce = NONCE_X;
}
static const char *used(void *ctx)
{
    (void)ctx;
    return "it was answered before";
}
static void challenge(struct aeb_evidence *ev, struct aeb_verify_policy *p)
{
    (void)ev;
    p->challenge_bad = used;
}
static void sig_usage(struct aeb_evidence *ev, struct aeb_verify_policy *p)
{
    (void)p;
    ev->report[0x34] ^= 1;
}
static void sig_algo(struct aeb_evidence *ev, struct aeb_verify_policy *p)
{
    (void)p;
    ev->report[0x38] ^= 3;
}
static void device(struct aeb_evidence *ev, struct aeb_verify_policy *p)
{
    (void)p;
    ev->device = AEB_ROME;
}
static void device_unknown(struct aeb_evidence *ev, struct aeb_verify_policy *p)
{
    (void)p;
    ev->device = AEB_UNKNOWN;
}
static void tail(struct aeb_evidence *ev, struct aeb_verify_policy *p)
{
    (void)p;
    ev->report[0x40 + 71] = 1;
}
static void reserved(struct aeb_evidence *ev, struct aeb_verify_policy *p)
{
    (void)p;
    ev->report[0x3f] = 0x80;
}
static void cek_version(struct aeb_evidence *ev, struct aeb_verify_policy *p)
{
    (void)p;
    ev->cek[0] = 2;
}
static void pek_usage(struct aeb_evidence *ev, struct aeb_verify_policy *p)
{
    (void)p;
    ev->pek[8] ^= 1;
}
static void oca_slot(struct aeb_evidence *ev, struct aeb_verify_policy *p)
{
    (void)p;
    ev->oca[SEV_CERT_SIZE - 1] = 1; /* behind the empty second slot */
}
static void pin_chip(struct aeb_evidence *ev, struct aeb_verify_policy *p)
{
    memcpy(other_cert, ev->pek, sizeof(other_cert));
    p->sev.cek_pin = (struct verify_blob){other_cert, SEV_CERT_SIZE};
}
static void plain_mnonce(struct aeb_evidence *ev, struct aeb_verify_policy *p)
{
    (void)ev;
    p->sev.mnonce = NONCE_X;
}
static void known_all(struct aeb_evidence *ev, struct aeb_verify_policy *p)
{
    static uint8_t digests[2][SEV_DIGEST_SIZE];
    static uint32_t policy;

    memcpy(digests[1], ev->report + 0x10, SEV_DIGEST_SIZE); /* the second */
    policy = (uint32_t)ev->report[0x30] | 0x8000;           /* masked away */
    p->sev.launch_digest = (const uint8_t(*)[SEV_DIGEST_SIZE])digests;
    p->sev.launch_digest_count = 2;
    p->sev.policy = &policy;
    p->sev.policy_mask = 0xff;
    p->sev.mnonce = ev->report;
    p->sev.oca_pin = (struct verify_blob){ev->oca, SEV_CERT_SIZE};
    p->sev.pek_pin = (struct verify_blob){ev->pek, SEV_CERT_SIZE};
    p->sev.cek_pin = (struct verify_blob){ev->cek, SEV_CERT_SIZE};
}
static void zero(struct aeb_evidence *ev, struct aeb_verify_policy *p)
{
    guest_policy(ev, p);
    digest(ev, p);
    plain_mnonce(ev, p);
    memset(ev->report, 0, sizeof(ev->report));
}
static void signature(struct aeb_evidence *ev, struct aeb_verify_policy *p)
{
    (void)p;
    ev->report[0x12] ^= 1;
}
static void nothing(struct aeb_evidence *ev, struct aeb_verify_policy *p)
{
    (void)ev;
    (void)p;
}
static void slots(struct aeb_evidence *ev, struct aeb_verify_policy *p)
{
    uint8_t slot[0x208];

    (void)p; /* either order is fine */
    memcpy(slot, ev->pek + 0x414, sizeof(slot));
    memcpy(ev->pek + 0x414, ev->pek + 0x61c, sizeof(slot));
    memcpy(ev->pek + 0x61c, slot, sizeof(slot));
}

static const struct judged JUDGED[] = {
    {"accepted", AEB_CHECK_COUNT, nothing},
    {"pek_slots_swapped__accepted", AEB_CHECK_COUNT, slots},
    {"V1_cek_signature", AEB_CHECK_CHAIN, flip_cek},
    {"V1_oca_signature", AEB_CHECK_CHAIN, flip_oca},
    {"V1_oca_pin", AEB_CHECK_CHAIN, flip_oca_pin},
    {"V2_pek_of_another_platform", AEB_CHECK_PLATFORM, pin_pek},
    {"everything_as_expected__accepted", AEB_CHECK_COUNT, known_all},
    {"V2_another_chip", AEB_CHECK_PLATFORM, pin_chip},
    {"V5_plain_mnonce", AEB_CHECK_MNONCE, plain_mnonce},
    {"V7_reserved", AEB_CHECK_SIGNER, reserved},
    {"V9_cek_version", AEB_CHECK_FORMAT, cek_version},
    {"V9_pek_usage", AEB_CHECK_FORMAT, pek_usage},
    {"V9_oca_slot", AEB_CHECK_FORMAT, oca_slot},
    {"V3_digest", AEB_CHECK_DIGEST, digest},
    {"V4_policy", AEB_CHECK_POLICY, guest_policy},
    {"V5_mnonce", AEB_CHECK_MNONCE, mnonce},
    {"V6_challenge", AEB_CHECK_CHALLENGE, challenge},
    {"V7_sig_usage", AEB_CHECK_SIGNER, sig_usage},
    {"V7_sig_algo", AEB_CHECK_SIGNER, sig_algo},
    {"V8_device", AEB_CHECK_DEVICE, device},
    {"V8_device_unknown", AEB_CHECK_DEVICE, device_unknown},
    {"V9_tail_of_r", AEB_CHECK_FORMAT, tail},
    {"V10_zeros", AEB_CHECK_EMPTY, zero},
    {"report_signature", AEB_CHECK_SIGNATURE, signature},
};
#define JUDGED_COUNT (sizeof(JUDGED) / sizeof(JUDGED[0]))

/* What is signed fails by its signature as well, for the signature counts. */
static bool may_fail_too(const struct judged *row, enum aeb_check i)
{
    return (row->change == tail && i == AEB_CHECK_SIGNATURE) ||
           (i == AEB_CHECK_CHAIN &&
            (row->change == cek_version || row->change == pek_usage ||
             row->change == oca_slot));
}

static void judged_row(void **state)
{
    const struct judged *row = *state;
    struct aeb_verify_policy policy = {.sev.policy_mask = UINT32_MAX};
    struct aeb_broker_config c = usual();
    struct aeb_request req = mine();
    struct aeb_verify_result result;
    struct asked a;

    ask(&c, AEB_RPC_EVIDENCE, &req, &a);
    assert_true(a.have_ev);
    memcpy(other_cert, a.ev.cek, sizeof(other_cert));
    row->change(&a.ev, &policy);
    aeb_verify(&a.ev, (struct verify_blob){root.body, root.size}, &policy,
               &result);
    done(&a);
    assert_int_equal(result.ok, row->fails == AEB_CHECK_COUNT);
    for (enum aeb_check i = 0; i < AEB_CHECK_COUNT; i++) {
        if (i == row->fails) {
            assert_int_equal(result.line[i].verdict, VERIFY_FAIL);
            assert_true(result.line[i].reason[0] != '\0');
        } else if (!may_fail_too(row, i)) {
            assert_int_not_equal(result.line[i].verdict, VERIFY_FAIL);
        }
    }
}

static void chain__another_root__rejected(void **state)
{
    const struct aeb_verify_policy policy = {.sev.policy_mask = 0};
    struct aeb_broker_config c = usual();
    struct aeb_request req = mine();
    struct aeb_verify_result result;
    struct kds_answer rome;
    struct asked a;

    (void)state;
    kds_answer(
        kds,
        &(struct kds_ask){.method = "GET",
                          .path = "/developer/eula/sev/ask_ark_rome.cert"},
        &rome);
    ask(&c, AEB_RPC_EVIDENCE, &req, &a);
    aeb_verify(&a.ev, (struct verify_blob){rome.body, rome.size}, &policy,
               &result);
    assert_false(result.ok);
    assert_int_equal(result.line[AEB_CHECK_CHAIN].verdict, VERIFY_FAIL);
    done(&a);
    kds_answer_clear(&rome);
}

#define CLEAN(f) cmocka_unit_test_setup(f, no_fault)

int main(void)
{
    static const struct CMUnitTest fixed[] = {
        CLEAN(size__typed_and_published_layout),
        CLEAN(evidence__plain_request__accepted_by_the_relying_party),
        CLEAN(self_check__other_certificates__judged_anew),
        CLEAN(evidence__published_layout__no_device_type),
        CLEAN(evidence__extension__nonce_and_packed),
        CLEAN(evidence__two_requests__two_nonces),
        CLEAN(evidence__stripping_broker__nonce_is_another),
        CLEAN(failure__extension_known__has_text),
        CLEAN(evidence__negative_hypercall_results__invalid_guest),
        CLEAN(evidence__alias__served_as_the_other),
        CLEAN(requests__undecodable__unknown),
        CLEAN(self_check__certificates__report_as_it_comes),
        CLEAN(report__kernel_without_get_report__einval),
        CLEAN(report__number_9_of_mainline__driver_lied),
        CLEAN(generation__without_device_type__both_rpcs),
        CLEAN(mnonce__every_other_length__refused),
        CLEAN(encoding__unknown__refused),
        CLEAN(order__peer_nonce_generation_device),
        CLEAN(status_style__codes),
        CLEAN(fault__parts_of_evidence),
        CLEAN(fault__instead_of_an_answer),
        CLEAN(fault__delivery),
        CLEAN(fault__truncated_and_stripped),
        CLEAN(fault__replay__of_the_same_handle),
        CLEAN(fault__substitute__the_device_is_asked_for_another),
        CLEAN(peer_policy__who_gets_what),
        CLEAN(peer_of_several_rows__endpoint_then_cid_then_uid),
        CLEAN(registry__handle_used_again_meanwhile__refused),
        CLEAN(rate__one_too_many__only_that_peer),
        CLEAN(cek__from_a_key_server),
        CLEAN(cek__key_server_fails__told_how),
        CLEAN(cek__hostile_key_server__told_how),
        CLEAN(cek__nobody_listens__transport),
        CLEAN(cek__kept__served_without_the_server),
        CLEAN(chain__another_root__rejected),
    };
    static struct CMUnitTest rows[FAULT_COUNT + JUDGED_COUNT];
    int failed;

    for (size_t i = 0; i < FAULT_COUNT; i++) {
        rows[i] =
            (struct CMUnitTest){.name = FAULTS[i].name,
                                .test_func = fault_row,
                                .initial_state = (void *)(uintptr_t)&FAULTS[i]};
    }
    for (size_t i = 0; i < JUDGED_COUNT; i++) {
        rows[FAULT_COUNT + i] =
            (struct CMUnitTest){.name = JUDGED[i].name,
                                .test_func = judged_row,
                                .initial_state = (void *)(uintptr_t)&JUDGED[i]};
    }
    failed = cmocka_run_group_tests_name("broker", fixed, setup, teardown);
    return cmocka_run_group_tests_name("rows", rows, setup, teardown) + failed;
}
