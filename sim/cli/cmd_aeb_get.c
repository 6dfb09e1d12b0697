/* SPDX-License-Identifier: Apache-2.0 */
/* The guest application: asks a broker for its own evidence. */
#include "aeb_evidence.h"
#include "aeb_msg.h"
#include "aeb_nonce.h"
#include "commands.h"
#include "control_client.h"
#include "parse.h"
#include "ttrpc_addr.h"
#include "ttrpc_client.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HANDLE_ENV  "SWPSP_VM_HANDLE"
#define MAX_TIMEOUT 3600000u
#define SHOWN_MAX   240u /* of a broker's text */

static const char HELP[] =
    "usage: swpsp aeb-get [OPTION...]\n\n"
    "Get attestation evidence from a broker, as an application in a guest "
    "does.\nExit status 0: evidence written, 1: refused, or not what was asked "
    "for, 2: no\nbroker.\n\n"
    "  --connect ADDRESS     default vsock://2:5577; unix://PATH, "
    "unix://@NAME\n"
    "  --handle N            this guest's; default $" HANDLE_ENV ", else 0:\n"
    "                        the broker knows by the peer\n"
    "  --vm NAME             ask the hypervisor: hypercall 13 of this guest of "
    "a\n"
    "                        running swpsp serve, from its user space\n"
    "  --cpl N               or from its kernel: 0\n"
    "  --socket PATH         that daemon's control socket\n"
    "  --mnonce HEX          nonce to find in the report; or bind it:\n"
    "  --launch-nonce HEX    32 bytes from the launch secret, or @FILE\n"
    "  --challenge HEX       32 bytes from the verifier\n"
    "  --spki HEX            SHA-256 of the session's public key\n"
    "  --out FILE            default: standard output\n"
    "  --format FORM         json (default), packed\n"
    "  --encoding FORM       what the broker shall send: json (default), "
    "packed\n"
    "  --plain               only what the published protocol has\n"
    "  --service NAME        default: aeb.Aeb, then aeb.AEB\n"
    "  --timeout MS          default 30000; 0: none\n";

enum {
    OPT_HELP = 1,
    OPT_CONNECT,
    OPT_HANDLE,
    OPT_VM,
    OPT_CPL,
    OPT_SOCKET,
    OPT_MNONCE,
    OPT_LAUNCH_NONCE,
    OPT_CHALLENGE,
    OPT_SPKI,
    OPT_OUT,
    OPT_FORMAT,
    OPT_ENCODING,
    OPT_PLAIN,
    OPT_SERVICE,
    OPT_TIMEOUT,
};

static const struct option OPTIONS[] = {
    {"help", no_argument, NULL, OPT_HELP},
    {"connect", required_argument, NULL, OPT_CONNECT},
    {"handle", required_argument, NULL, OPT_HANDLE},
    {"vm", required_argument, NULL, OPT_VM},
    {"cpl", required_argument, NULL, OPT_CPL},
    {"socket", required_argument, NULL, OPT_SOCKET},
    {"mnonce", required_argument, NULL, OPT_MNONCE},
    {"launch-nonce", required_argument, NULL, OPT_LAUNCH_NONCE},
    {"challenge", required_argument, NULL, OPT_CHALLENGE},
    {"spki", required_argument, NULL, OPT_SPKI},
    {"out", required_argument, NULL, OPT_OUT},
    {"format", required_argument, NULL, OPT_FORMAT},
    {"encoding", required_argument, NULL, OPT_ENCODING},
    {"plain", no_argument, NULL, OPT_PLAIN},
    {"service", required_argument, NULL, OPT_SERVICE},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {NULL, 0, NULL, 0},
};

struct session {
    bool help, plain, packed_out;
    const char *connect, *service, *out;
    const char *vm, *socket; /* vm NULL: the handle is known */
    unsigned int cpl;
    struct aeb_request req;
    uint8_t mnonce[SEV_MNONCE_SIZE];
    bool have_launch_nonce, have_challenge, have_spki;
    uint8_t launch_nonce[AEB_LAUNCH_NONCE_SIZE];
    uint8_t challenge[AEB_CHALLENGE_SIZE];
    uint8_t spki[AEB_SPKI_SIZE];
    struct ttrpc_client client;
};

static bool complain(const char *what, const char *why)
{
    fprintf(stderr, "swpsp aeb-get: %s: %s\n", what, why);
    return false;
}

static bool take_bytes(const char *option, const char *arg, uint8_t *out,
                       size_t size, bool *have)
{
    char why[PARSE_WHY_SIZE];

    *have = parse_bytes(arg, out, size, why);
    return *have || complain(option, why);
}

static bool take_handle(struct session *s, const char *what, const char *arg)
{
    uint64_t n = 0;

    if (!parse_number(arg, UINT32_MAX, &n)) {
        return complain(what, "need a 32-bit number");
    }
    s->req.handle = (uint32_t)n;
    return true;
}

static bool take_cpl(struct session *s, const char *arg)
{
    uint64_t n = 0;

    if (!parse_number(arg, 3, &n)) {
        return complain("--cpl", "need 0 to 3");
    }
    s->cpl = (unsigned int)n;
    return true;
}

static bool take_form(const char *option, const char *arg, bool *packed)
{
    *packed = strcmp(arg, "packed") == 0;
    return *packed || strcmp(arg, "json") == 0 ||
           complain(option, "need json or packed");
}

static bool take_timeout(struct session *s, const char *arg)
{
    uint64_t n = 0;

    if (!parse_number(arg, MAX_TIMEOUT, &n)) {
        return complain("--timeout", "need milliseconds");
    }
    s->client.timeout_ms = (int)n;
    return true;
}

static bool take(struct session *s, int val, const char *arg)
{
    bool packed = false;

    switch (val) {
    case OPT_CONNECT:
        s->connect = arg;
        return true;
    case OPT_HANDLE:
        return take_handle(s, "--handle", arg);
    case OPT_VM:
        s->vm = arg;
        return true;
    case OPT_CPL:
        return take_cpl(s, arg);
    case OPT_SOCKET:
        s->socket = arg;
        return true;
    case OPT_MNONCE:
        return take_bytes("--mnonce", arg, s->mnonce, sizeof(s->mnonce),
                          &s->req.have_mnonce);
    case OPT_LAUNCH_NONCE:
        return take_bytes("--launch-nonce", arg, s->launch_nonce,
                          sizeof(s->launch_nonce), &s->have_launch_nonce);
    case OPT_CHALLENGE:
        return take_bytes("--challenge", arg, s->challenge,
                          sizeof(s->challenge), &s->have_challenge);
    case OPT_SPKI:
        return take_bytes("--spki", arg, s->spki, sizeof(s->spki),
                          &s->have_spki);
    case OPT_OUT:
        s->out = arg;
        return true;
    case OPT_FORMAT:
        return take_form("--format", arg, &s->packed_out);
    case OPT_ENCODING:
        if (!take_form("--encoding", arg, &packed)) {
            return false;
        }
        s->req.encoding = packed ? AEB_ENCODING_PACKED : AEB_ENCODING_JSON;
        return true;
    case OPT_PLAIN:
        s->plain = true;
        return true;
    case OPT_SERVICE:
        s->service = arg;
        return true;
    case OPT_TIMEOUT:
        return take_timeout(s, arg);
    default:
        s->help = true;
        return true;
    }
}

static bool finish(struct session *s)
{
    if (s->req.have_mnonce && s->have_launch_nonce) {
        return complain("--mnonce", "not together with --launch-nonce");
    }
    if ((s->have_challenge || s->have_spki) && !s->have_launch_nonce) {
        return complain("--challenge, --spki", "need --launch-nonce");
    }
    if (s->have_launch_nonce) {
        if (aeb_bound_mnonce(
                s->launch_nonce, s->have_challenge ? s->challenge : NULL,
                s->have_spki ? s->spki : NULL, s->mnonce) != PSP_OK) {
            return complain("--launch-nonce", "out of memory");
        }
        s->req.have_mnonce = true;
    }
    if (s->plain && (s->req.have_mnonce || s->req.encoding != 0)) {
        return complain("--plain", "not together with a nonce or an encoding");
    }
    s->req.mnonce = (struct ttrpc_bytes){s->mnonce, sizeof(s->mnonce)};
    s->req.features = s->plain ? 0
                               : AEB_FEATURE_MNONCE | AEB_FEATURE_PACKED |
                                     AEB_FEATURE_BOUND | AEB_FEATURE_INBAND;
    return true;
}

static bool parse(struct session *s, int argc, char **argv)
{
    const char *env = getenv(HANDLE_ENV);
    int val;

    if (env != NULL && !take_handle(s, "$" HANDLE_ENV, env)) {
        return false;
    }
    while ((val = getopt_long(argc, argv, "h", OPTIONS, NULL)) != -1) {
        if (val == '?' || !take(s, val == 'h' ? OPT_HELP : val, optarg)) {
            return false;
        }
    }
    if (optind < argc) {
        return complain(argv[optind], "unexpected argument");
    }
    return s->help || finish(s);
}

/* ---- the hypervisor ---- */

/* What it answers is for the broker to judge; only its errors are not sent. */
static int ask_hypervisor(struct session *s)
{
    char error[CONTROL_ERROR_SIZE];
    struct control_client c;
    json_t *result = NULL;
    json_int_t rax;
    int err = control_connect(&c, s->socket, error);

    if (err != 0) {
        (void)complain("--vm", error);
        return EXIT_USAGE;
    }
    c.wait_ms = s->client.timeout_ms > 0 ? s->client.timeout_ms : -1;
    err = control_call(&c,
                       json_pack("{s:s, s:s, s:i}", "op", "guest.hypercall",
                                 "guest", s->vm, "cpl", (int)s->cpl),
                       &result, error);
    control_disconnect(&c);
    if (err != 0) {
        (void)complain("--vm", error);
        return EXIT_USAGE;
    }
    rax = json_integer_value(json_object_get(result, "rax"));
    json_decref(result);
    if (rax <= 0 || rax > UINT32_MAX) {
        fprintf(stderr, "swpsp aeb-get: hypercall 13 at CPL %u: %lld%s\n",
                s->cpl, (long long)rax,
                rax == -1 ? ", not for user space" : ", no handle");
        return EXIT_NEGATE;
    }
    s->req.handle = (uint32_t)rax;
    return EXIT_OK;
}

/* ---- the two calls ---- */

static bool wants_other_name(const struct ttrpc_response *resp,
                             const char *service)
{
    size_t n = strlen(service);

    if (resp->code != TTRPC_INVALID_ARGUMENT &&
        resp->code != TTRPC_UNIMPLEMENTED) {
        return false;
    }
    return memmem(resp->message.data, resp->message.size, service, n) != NULL;
}

/* In the broker's words, which shall be one line and move no cursor. */
static void show_status(enum aeb_rpc rpc, const struct ttrpc_response *resp)
{
    char text[SHOWN_MAX + 1];
    size_t n = 0;

    while (n < SHOWN_MAX && n < resp->message.size) {
        uint8_t c = resp->message.data[n];

        text[n++] = c >= 0x20 && c < 0x7f ? (char)c : '?';
    }
    text[n] = '\0';
    fprintf(stderr, "swpsp aeb-get: %s: status %d%s%s\n", aeb_rpc_name(rpc),
            resp->code, n > 0 ? ": " : "", text);
}

/* EXIT_OK with *resp, whose clearing is the caller's in any case. */
static int call(struct session *s, enum aeb_rpc rpc,
                struct ttrpc_response *resp)
{
    const char *service = s->service != NULL ? s->service : AEB_SERVICES[0];
    uint8_t *payload = NULL;
    size_t size = 0;
    int err;

    memset(resp, 0, sizeof(*resp));
    if (aeb_request_encode(rpc, &s->req, &payload, &size) != PSP_OK) {
        (void)complain(aeb_rpc_name(rpc), "out of memory");
        return EXIT_USAGE;
    }
    err = ttrpc_client_call(&s->client, service, aeb_rpc_name(rpc),
                            (struct ttrpc_bytes){payload, size}, resp);
    if (err == 0 && s->service == NULL && wants_other_name(resp, service)) {
        ttrpc_response_clear(resp);
        s->service = AEB_SERVICES[1];
        err = ttrpc_client_call(&s->client, s->service, aeb_rpc_name(rpc),
                                (struct ttrpc_bytes){payload, size}, resp);
    }
    free(payload);
    if (err != 0) {
        (void)complain(aeb_rpc_name(rpc), strerror(-err));
        return EXIT_USAGE;
    }
    if (resp->code != TTRPC_OK) {
        show_status(rpc, resp);
        return EXIT_NEGATE;
    }
    return EXIT_OK;
}

/* True if the broker says that it did what it was asked for. */
static bool accepted(enum aeb_rpc rpc, const struct aeb_response *resp)
{
    if (resp->error == 0) {
        return true;
    }
    fprintf(stderr, "swpsp aeb-get: %s: error 0x%x: %s\n", aeb_rpc_name(rpc),
            resp->error, aeb_error_text(resp->error));
    return false;
}

/* Both layouts are fine; a broker of another kind is not. */
static bool take_size(struct session *s, const struct aeb_response *resp)
{
    if (!accepted(AEB_RPC_SIZE, resp)) {
        return false;
    }
    if (resp->size != AEB_PACKED_SIZE && resp->size != AEB_PACKED_TYPED_SIZE) {
        fprintf(stderr, "swpsp aeb-get: %s: %u bytes, need %u or %u\n",
                aeb_rpc_name(AEB_RPC_SIZE), resp->size, AEB_PACKED_SIZE,
                AEB_PACKED_TYPED_SIZE);
        return false;
    }
    s->req.size = resp->size;
    return true;
}

static int get_size(struct session *s)
{
    struct ttrpc_response resp;
    struct aeb_response size = {.error = 0};
    int status = call(s, AEB_RPC_SIZE, &resp);

    if (status == EXIT_OK) {
        status = EXIT_NEGATE;
        if (aeb_response_decode(AEB_RPC_SIZE, resp.payload, &size) != PSP_OK) {
            (void)complain(aeb_rpc_name(AEB_RPC_SIZE), "no such response");
        } else if (take_size(s, &size)) {
            status = EXIT_OK;
        }
        aeb_response_clear(&size);
    }
    ttrpc_response_clear(&resp);
    return status;
}

/* As the broker says that it is encoded; the published protocol has no way to
 * say it. */
static bool decode(const struct session *s, const struct aeb_response *resp,
                   struct aeb_evidence *ev)
{
    const struct ttrpc_bytes *in = &resp->evidence;
    char why[AEB_WHY_SIZE];
    enum psp_err err;

    if (s->plain || resp->encoding == AEB_ENCODING_JSON) {
        err = aeb_json_decode((const char *)in->data, in->size, ev, why);
    } else if (resp->encoding == AEB_ENCODING_PACKED) {
        err = aeb_packed_decode(in->data, in->size, ev);
        snprintf(why, sizeof(why), "packed, of %zu bytes", in->size);
    } else {
        err = PSP_E_FORMAT;
        snprintf(why, sizeof(why), "unknown encoding %u", resp->encoding);
    }
    return err == PSP_OK || complain("evidence", why);
}

/* Fails closed: nothing that was not asked for is handed on. */
static bool take_evidence(const struct session *s,
                          const struct aeb_response *resp,
                          struct aeb_evidence *ev)
{
    if (!accepted(AEB_RPC_EVIDENCE, resp)) {
        return false;
    }
    if (resp->evidence.size == 0) {
        return complain("evidence", "there is none");
    }
    if (!decode(s, resp, ev)) {
        return false;
    }
    if (ev->typed != (s->req.size == AEB_PACKED_TYPED_SIZE)) {
        return complain("evidence", ev->typed
                                        ? "of 6461 bytes, 6460 were announced"
                                        : "of 6460 bytes, 6461 were announced");
    }
    if (s->req.have_mnonce &&
        memcmp(ev->report, s->mnonce, sizeof(s->mnonce)) != 0) {
        return complain("evidence", "the report is not for the nonce that was "
                                    "asked for: an old one, or a broker that "
                                    "cannot do it");
    }
    return true;
}

/* *@out: free(). */
static bool encode(const struct session *s, const struct aeb_evidence *ev,
                   char **out, size_t *size)
{
    uint8_t packed[AEB_PACKED_TYPED_SIZE];

    *size = s->packed_out ? aeb_packed_encode(ev, packed)
                          : aeb_json_encode(ev, NULL, 0);
    *out = malloc(*size);
    if (*out == NULL) {
        return complain("evidence", "out of memory");
    }
    if (s->packed_out) {
        memcpy(*out, packed, *size);
    } else {
        (void)aeb_json_encode(ev, *out, *size);
    }
    return true;
}

static bool write_file(const char *path, const char *data, size_t size)
{
    FILE *f = fopen(path, "we");
    bool ok = f != NULL && fwrite(data, 1, size, f) == size;

    if (f != NULL) {
        ok = fclose(f) == 0 && ok;
    }
    return ok || complain(path, strerror(errno));
}

static bool write_out(const struct session *s, const struct aeb_evidence *ev)
{
    char *data = NULL;
    size_t size = 0;
    bool ok = encode(s, ev, &data, &size);

    if (ok && s->out != NULL) {
        ok = write_file(s->out, data, size);
    } else if (ok) {
        ok = (fwrite(data, 1, size, stdout) == size && fflush(stdout) == 0) ||
             complain("stdout", strerror(errno));
    }
    free(data);
    return ok;
}

static int get_evidence(struct session *s)
{
    struct ttrpc_response resp;
    struct aeb_response msg = {.error = 0};
    struct aeb_evidence ev;
    int status = call(s, AEB_RPC_EVIDENCE, &resp);

    if (status == EXIT_OK) {
        status = EXIT_NEGATE;
        if (aeb_response_decode(AEB_RPC_EVIDENCE, resp.payload, &msg) !=
            PSP_OK) {
            (void)complain(aeb_rpc_name(AEB_RPC_EVIDENCE), "no such response");
        } else if (take_evidence(s, &msg, &ev)) {
            status = write_out(s, &ev) ? EXIT_OK : EXIT_USAGE;
        }
        aeb_response_clear(&msg);
    }
    ttrpc_response_clear(&resp);
    return status;
}

static int run(struct session *s)
{
    struct ttrpc_addr addr;
    char why[TTRPC_ADDR_WHY] = "";
    int status = s->vm != NULL ? ask_hypervisor(s) : EXIT_OK;

    if (status != EXIT_OK) {
        return status;
    }
    if (!ttrpc_addr_parse(s->connect, &addr, why)) {
        (void)complain(s->connect, why);
        return EXIT_USAGE;
    }
    s->client.fd = ttrpc_addr_connect(
        &addr, s->client.timeout_ms > 0 ? s->client.timeout_ms : -1);
    if (s->client.fd < 0) {
        (void)complain(s->connect, strerror(-s->client.fd));
        return EXIT_USAGE;
    }
    status = get_size(s);
    if (status == EXIT_OK) {
        status = get_evidence(s);
    }
    (void)close(s->client.fd);
    return status;
}

int cmd_aeb_get(int argc, char **argv)
{
    struct session s = {.connect = "vsock://2:5577",
                        .socket = control_default_socket(),
                        .cpl = 3,
                        .client.timeout_ms = 30000};
    int status = EXIT_USAGE;

    if (parse(&s, argc, argv)) {
        if (s.help) {
            fputs(HELP, stdout);
            status = EXIT_OK;
        } else {
            status = run(&s);
        }
    }
    explicit_bzero(&s, sizeof(s));
    return status;
}
