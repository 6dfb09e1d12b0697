/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of the control protocol; CONTROL.md describes them. */
#include "serve_conn.h"
#include "serve_faults.h"

#include "crypto.h"
#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PROTOCOL 1
/* A guest of 64 MiB, page by page, has a tenth of this. */
#define VALUES_MAX 1000000u

struct request {
    struct serve *s;
    const json_t *args;
    json_t *result;
    char error[SERVE_ERROR_SIZE];
    enum serve_next next;
    struct serve_attached *attached;
};

static int bad(struct request *rq, const char *text)
{
    return state_error(rq->error, -EINVAL, "%s", text);
}

#define HEX_MAX 4096u

static json_t *hex(const uint8_t *data, size_t size)
{
    char text[2 * HEX_MAX + 1] = "";

    for (size_t i = 0; i < size && i < HEX_MAX; i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", data[i]);
    }
    return json_string(text);
}

static int op_status(struct request *rq)
{
    const struct serve_config *c = &rq->s->config;
    const struct psp_profile *profile = machine_profile(c->platform.m);
    struct timespec t;
    size_t conns;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    (void)pthread_mutex_lock(&rq->s->lock);
    conns = rq->s->conn_count;
    (void)pthread_mutex_unlock(&rq->s->lock);
    rq->result = json_pack(
        "{s:s, s:i, s:I, s:s, s:s, s:o, s:o, s:b, s:b, s:b, s:b, s:I, s:I, "
        "s:I, s:I, s:I}",
        "version", SWPSP_VERSION, "pid", (int)getpid(), "uptime",
        (json_int_t)t.tv_sec - rq->s->started_ms / 1000, "profile",
        profile->name, "product", psp_generation_name(profile->generation),
        "chip_id", hex(c->platform.chip.id, PSP_CHIP_ID_SIZE), "reported_tcb",
        hex(c->platform.reported_tcb.b, sizeof(c->platform.reported_tcb.b)),
        "snp", (int)machine_snp_initialized(c->platform.m), "vlek",
        (int)c->platform.vlek, "persistent", (int)(c->platform.store != NULL),
        "insecure_seed", (int)c->insecure, "guests",
        (json_int_t)serve_guests_count(c->guests), "max_guests",
        (json_int_t)serve_guests_max(c->guests), "asids",
        (json_int_t)profile->asid_count, "min_sev_asid",
        (json_int_t)profile->min_sev_asid, "connections", (json_int_t)conns);
    return rq->result == NULL ? -ENOMEM : 0;
}

static int op_launch(struct request *rq)
{
    const json_t *guest = json_object_get(rq->args, "guest");

    if (!json_is_object(guest)) {
        return bad(rq, "guest: must be an object");
    }
    return serve_guests_launch(rq->s->config.guests, guest, &rq->result,
                               rq->error);
}

/* An optional whole number of the request. */
static bool number_of(const struct request *rq, const char *name,
                      json_int_t min, json_int_t max, json_int_t *out)
{
    const json_t *n = json_object_get(rq->args, name);

    if (n != NULL) {
        *out = json_is_integer(n) ? json_integer_value(n) : min - 1;
    }
    return *out >= min && *out <= max;
}

static int op_list(struct request *rq)
{
    json_int_t limit = SERVE_LIST_MAX, from = 0;
    uint64_t after;

    if (!number_of(rq, "limit", 1, SERVE_LIST_MAX, &limit)) {
        return state_error(rq->error, -EINVAL, "limit: must be 1 to %u",
                           SERVE_LIST_MAX);
    }
    if (!number_of(rq, "after", 0, INT64_MAX, &from)) {
        return bad(rq, "after: must be the \"next\" of an earlier answer");
    }
    after = (uint64_t)from;
    rq->result = json_pack(
        "{s:o}", "guests",
        serve_guests_list(rq->s->config.guests, &after, (size_t)limit));
    if (rq->result != NULL && after != 0) {
        (void)json_object_set_new(rq->result, "next",
                                  json_integer((json_int_t)after));
    }
    return rq->result == NULL ? -ENOMEM : 0;
}

static const char *name_of(struct request *rq)
{
    const char *name = json_string_value(json_object_get(rq->args, "guest"));

    if (name == NULL) {
        (void)bad(rq, "guest: must be a name");
    }
    return name;
}

static int op_show(struct request *rq)
{
    const char *name = name_of(rq);

    if (name == NULL) {
        return -EINVAL;
    }
    rq->result = serve_guests_show(rq->s->config.guests, name);
    return rq->result != NULL ? 0
                              : state_error(rq->error, -ENOENT,
                                            "there is no guest '%.80s'", name);
}

static void detach(void *ctx, const struct serve_guest *guest)
{
    serve_conn_shut(ctx, guest);
}

static int op_stop(struct request *rq)
{
    const char *name = name_of(rq);

    return name == NULL ? -EINVAL
                        : serve_guests_stop(rq->s->config.guests, name, detach,
                                            rq->s, rq->error);
}

static int op_hypercall(struct request *rq)
{
    const char *name = name_of(rq);
    json_int_t cpl = 3, number = LEGACY_VM_HC_VM_HANDLE;
    uint64_t rax = 0;
    int rc;

    if (name == NULL) {
        return -EINVAL;
    }
    if (!number_of(rq, "cpl", 0, 3, &cpl)) {
        return bad(rq, "cpl: must be 0 to 3");
    }
    if (!number_of(rq, "number", 0, UINT32_MAX, &number)) {
        return bad(rq, "number: must be 0 to 4294967295");
    }
    rc = serve_guest_hypercall(rq->s->config.guests, name, (unsigned int)cpl,
                               (uint64_t)number, &rax, rq->error);
    if (rc == 0) {
        rq->result = json_pack("{s:I}", "rax", (json_int_t)rax);
        rc = rq->result == NULL ? -ENOMEM : 0;
    }
    return rc;
}

static int op_faults_show(struct request *rq)
{
    rq->result = serve_faults_show(rq->s->config.faults);
    return rq->result == NULL ? -ENOMEM : 0;
}

static int op_faults_set(struct request *rq)
{
    const json_t *plan = json_object_get(rq->args, "plan");

    return json_is_object(plan)
               ? serve_faults_set(rq->s->config.faults, plan, rq->error)
               : bad(rq, "plan: must be an object");
}

static int op_faults_clear(struct request *rq)
{
    fault_plan_clear(rq->s->config.faults);
    return 0;
}

static int op_certs(struct request *rq)
{
    const struct psp_profile *profile =
        machine_profile(rq->s->config.platform.m);
    int rc = serve_guests_certs(rq->s->config.guests, &rq->result, rq->error);

    if (rc == 0) {
        (void)json_object_set_new(
            rq->result, "product",
            json_string(psp_generation_name(profile->generation)));
    }
    return rc;
}

static int op_attach(struct request *rq)
{
    struct serve_attached *a = rq->attached;
    const char *name = name_of(rq);
    int rc = 0;

    if (name == NULL) {
        return -EINVAL;
    }
    if (strcmp(name, SERVE_HOST_NAME) == 0) {
        a->dev = rq->s->config.sev;
        rc = a->dev.ops == NULL
                 ? state_error(rq->error, -ENODEV, "there is no /dev/sev")
                 : 0;
    } else {
        rc = serve_guest_get(rq->s->config.guests, name, &a->guest, &a->dev,
                             rq->error);
    }
    if (rc != 0) {
        return rc;
    }
    rq->result = json_pack(
        "{s:s, s:b}", "device", a->guest == NULL ? "sev" : "sev-guest", "snp",
        (int)machine_profile(rq->s->config.platform.m)->has_snp);
    rq->next = NEXT_ATTACH;
    return 0;
}

static int op_trace(struct request *rq)
{
    /* Before the answer: what the peer does next is in its trace. */
    rq->attached->trace_at = serve_trace_follow(rq->s->config.trace);
    rq->attached->follows = true;
    rq->next = NEXT_TRACE;
    return 0;
}

static int op_write(struct request *rq)
{
    const char *name = name_of(rq);
    const char *text = json_string_value(json_object_get(rq->args, "hex"));
    size_t size = text == NULL ? 0 : strlen(text) / 2;
    uint8_t data[HEX_MAX], was[HEX_MAX];
    json_int_t gpa = -1;
    int rc;

    if (name == NULL) {
        return -EINVAL;
    }
    if (!number_of(rq, "gpa", 0, INT64_MAX, &gpa)) {
        return bad(rq, "gpa: must be a number");
    }
    if (size == 0 || size > HEX_MAX || strlen(text) != 2 * size ||
        !psp_hex_decode(text, data, size)) {
        return bad(rq, "hex: must be 1 to 4096 bytes");
    }
    rc = serve_guest_write(rq->s->config.guests, name, (uint64_t)gpa, data, was,
                           size, rq->error);
    if (rc == 0) {
        rq->result = json_pack("{s:o}", "was", hex(was, size));
        rc = rq->result == NULL ? -ENOMEM : 0;
    }
    psp_wipe(data, sizeof(data));
    psp_wipe(was, sizeof(was));
    return rc;
}

static int op_shutdown(struct request *rq)
{
    rq->next = NEXT_SHUTDOWN;
    return 0;
}

#define MEMBERS_MAX 3u

/* Only these members are known besides "v", "id" and "op". */
static const struct op {
    const char *name;
    int (*run)(struct request *rq);
    const char *members[MEMBERS_MAX];
} OPS[] = {
    {"status", op_status, {NULL}},
    {"guest.launch", op_launch, {"guest"}},
    {"guest.list", op_list, {"after", "limit"}},
    {"guest.show", op_show, {"guest"}},
    {"guest.stop", op_stop, {"guest"}},
    {"guest.hypercall", op_hypercall, {"guest", "cpl", "number"}},
    {"faults.show", op_faults_show, {NULL}},
    {"faults.set", op_faults_set, {"plan"}},
    {"faults.clear", op_faults_clear, {NULL}},
    {"guest.write", op_write, {"guest", "gpa", "hex"}},
    {"certs", op_certs, {NULL}},
    {"attach", op_attach, {"guest"}},
    {"trace", op_trace, {NULL}},
    {"shutdown", op_shutdown, {NULL}},
};

static bool is_member(const struct op *op, const char *key)
{
    bool known = strcmp(key, "v") == 0 || strcmp(key, "id") == 0 ||
                 strcmp(key, "op") == 0;

    for (size_t i = 0; i < MEMBERS_MAX; i++) {
        known |= op->members[i] != NULL && strcmp(key, op->members[i]) == 0;
    }
    return known;
}

static int known_members(struct request *rq, const struct op *op)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)rq->args, key, value)
    {
        if (!is_member(op, key)) {
            return state_error(rq->error, -EINVAL, "%.80s: no such member",
                               key);
        }
    }
    return 0;
}

static int dispatch(struct request *rq)
{
    const json_t *v = json_object_get(rq->args, "v");
    const json_t *id = json_object_get(rq->args, "id");
    const char *op = json_string_value(json_object_get(rq->args, "op"));

    if (!json_is_object(rq->args)) {
        return bad(rq, "a request is one JSON object on one line");
    }
    if (!json_is_integer(v) || json_integer_value(v) != PROTOCOL) {
        return state_error(rq->error, -EPROTONOSUPPORT,
                           "v: this daemon speaks version 1");
    }
    if (id != NULL && !json_is_integer(id) &&
        !(json_is_string(id) && json_string_length(id) <= 128)) {
        return bad(rq, "id: must be an integer or a string of at most 128 "
                       "bytes");
    }
    for (size_t i = 0; op != NULL && i < sizeof(OPS) / sizeof(OPS[0]); i++) {
        if (strcmp(op, OPS[i].name) == 0) {
            int rc = known_members(rq, &OPS[i]);

            return rc != 0 ? rc : OPS[i].run(rq);
        }
    }
    return bad(rq, op == NULL ? "op: must be a string"
                              : "op: no such "
                                "operation");
}

static char *line_of(json_t *answer)
{
    char *text = answer == NULL ? NULL : json_dumps(answer, JSON_COMPACT);
    size_t size = text == NULL ? 0 : strlen(text);
    char *line = text == NULL ? NULL : malloc(size + 2);

    if (line != NULL) {
        memcpy(line, text, size);
        memcpy(line + size, "\n", 2);
    }
    free(text);
    json_decref(answer);
    return line;
}

static json_t *error_of(const char *code, const char *text)
{
    char line[SERVE_ERROR_SIZE];
    size_t n = 0;
    json_t *json;

    for (; n < sizeof(line) - 1 && text[n] != '\0'; n++) {
        line[n] = (unsigned char)text[n] < 0x20 ? '?' : text[n];
    }
    line[n] = '\0';
    json = json_string(line);
    if (json == NULL) { /* no UTF-8: a name that was cut */
        for (size_t i = 0; i < n; i++) {
            line[i] = (unsigned char)line[i] > 0x7e ? '?' : line[i];
        }
        json = json_string(line);
    }
    return json_pack("{s:s, s:o}", "code", code, "text", json);
}

char *serve_refusal(const char *code, const char *text)
{
    return line_of(json_pack("{s:i, s:n, s:b, s:o}", "v", PROTOCOL, "id", "ok",
                             0, "error", error_of(code, text)));
}

static char *answer_of(const struct request *rq, int rc)
{
    json_t *id = json_object_get(rq->args, "id");
    json_t *answer = json_pack("{s:i, s:b}", "v", PROTOCOL, "ok", rc == 0);

    if (answer == NULL) {
        return NULL;
    }
    (void)json_object_set_new(answer, "id",
                              json_is_integer(id) || json_is_string(id)
                                  ? json_incref(id)
                                  : json_null());
    if (rc == 0) {
        (void)json_object_set_new(answer, "result",
                                  rq->result != NULL ? json_incref(rq->result)
                                                     : json_object());
    } else {
        const char *code = strerrorname_np(-rc);

        (void)json_object_set_new(
            answer, "error",
            error_of(code == NULL ? "EIO" : code,
                     rq->error[0] != '\0' ? rq->error : strerror(-rc)));
    }
    return line_of(answer);
}

/* A parsed value takes fifty times the bytes of "[]," and more: bound their
 * number before any is made. */
static bool too_many_values(const char *line, size_t size)
{
    bool in_string = false;
    size_t n = 0;

    for (size_t i = 0; i < size; i++) {
        if (in_string && line[i] == '\\') {
            i++;
        } else if (line[i] == '"') {
            in_string = !in_string;
        } else if (!in_string && (line[i] == ',' || line[i] == '[' ||
                                  line[i] == '{' || line[i] == ':')) {
            n++;
        }
    }
    return n > VALUES_MAX;
}

static json_t *parse(const char *line, size_t size, struct request *rq)
{
    json_error_t where;
    json_t *args;

    if (too_many_values(line, size)) {
        (void)state_error(rq->error, 0, "too many values");
        return NULL;
    }
    args = json_loadb(line, size, JSON_REJECT_DUPLICATES, &where);
    if (args == NULL) {
        (void)state_error(rq->error, 0, "no JSON: %s", where.text);
    }
    return args;
}

enum serve_next serve_request(struct serve *s, const char *line, size_t size,
                              char **answer, struct serve_attached *attached)
{
    struct request rq = {
        .s = s,
        .next = NEXT_REQUEST,
        .attached = attached,
    };
    json_t *args = parse(line, size, &rq);
    int rc;

    rq.args = args;
    rc = args == NULL ? -EBADMSG : dispatch(&rq);
    *answer = answer_of(&rq, rc);
    json_decref(rq.result);
    json_decref(args);
    return *answer == NULL ? NEXT_CLOSE : rq.next;
}
