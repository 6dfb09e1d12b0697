/* SPDX-License-Identifier: Apache-2.0 */
/* A fault plan from its JSON text. */
#include "fault_impl.h"
#include "spec_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(FAULT_ERROR_SIZE == SPEC_ERROR_SIZE, "one line, one size");

#define MEMBERS_MAX 6u

/* What a kind may say besides "when" and "do". */
static const struct kind_row {
    const char *name;
    const char *members[MEMBERS_MAX]; /* with the two; NULL ends */
    const char *required;
} KINDS[] = {
    [FAULT_FLIP] = {"flip", {"when", "do", "part", "offset", "bits"}, NULL},
    [FAULT_TRUNCATE] = {"truncate", {"when", "do", "part", "size"}, "size"},
    [FAULT_REPLAY] = {"replay", {"when", "do", "part", "back"}, NULL},
    [FAULT_SUBSTITUTE] = {"substitute", {"when", "do", "part", "from"}, NULL},
    [FAULT_SWAP_SEQNO] = {"swap-seqno", {"when", "do", "part", "seqno"}, NULL},
    [FAULT_ZERO_RESPONSE] = {"zero-response", {"when", "do"}, NULL},
    [FAULT_DROP] = {"drop", {"when", "do"}, NULL},
    [FAULT_REORDER] = {"reorder", {"when", "do"}, NULL},
    [FAULT_DELAY] = {"delay", {"when", "do", "ms"}, "ms"},
    [FAULT_BUSY] = {"busy", {"when", "do", "times"}, NULL},
    [FAULT_VMM_ERROR] = {"vmm-error", {"when", "do", "error"}, "error"},
    [FAULT_FIRMWARE_ERROR] = {"firmware-error",
                              {"when", "do", "status"},
                              "status"},
    [FAULT_CERTS_TOO_SMALL] = {"certs-too-small",
                               {"when", "do", "pages"},
                               NULL},
    [FAULT_GHCB_ERROR] = {"ghcb-error", {"when", "do", "code"}, "code"},
};
#define KIND_COUNT (sizeof(KINDS) / sizeof(KINDS[0]))

const char *fault_kind_name(enum fault_kind kind)
{
    return KINDS[kind].name;
}

/* Index of the member's text in @names; *out stays when it is absent. */
static int read_choice(const struct spec_object *o, const char *key,
                       const char *const *names, size_t count, size_t *out)
{
    const char *text = NULL;
    int err = spec_string(o, key, &text);

    if (err != 0 || text == NULL) {
        return err;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = i;
            return 0;
        }
    }
    return spec_fail(o, key, "%.40s is none of its values", text);
}

static int read_range(const struct spec_object *o, const char *key,
                      uint64_t min, uint64_t max, uint64_t *out)
{
    uint64_t v = *out;
    int err = spec_number(o, key, max, &v);

    if (err == 0 && spec_has(o, key) && v < min) {
        return spec_fail(o, key, "must be at least %llu",
                         (unsigned long long)min);
    }
    *out = v;
    return err;
}

static int read_guest(const struct spec_object *o, const char *key,
                      char out[64])
{
    const char *text = NULL;
    int err = spec_string(o, key, &text);

    if (err != 0 || text == NULL) {
        return err;
    }
    if (text[0] == '\0' || strlen(text) > 63) {
        return spec_fail(o, key, "must be a guest's name, 1 to 63 bytes");
    }
    memcpy(out, text, strlen(text));
    return 0;
}

/* "1", "0.25": billionths. 0 when it is no such number. */
static uint64_t parse_probability(const char *text)
{
    uint64_t unit = FAULT_CERTAIN;
    uint64_t v = 0;

    if ((text[0] != '0' && text[0] != '1') ||
        (text[1] != '\0' && (text[1] != '.' || text[2] == '\0'))) {
        return 0;
    }
    v = text[0] == '1' ? unit : 0;
    for (const char *p = text[1] == '\0' ? text + 1 : text + 2; *p != '\0';
         p++) {
        unit /= 10;
        if (*p < '0' || *p > '9' || unit == 0) {
            return 0;
        }
        v += unit * (uint64_t)(*p - '0');
    }
    return v <= FAULT_CERTAIN ? v : 0;
}

static int read_probability(const struct spec_object *o, uint64_t *out)
{
    const char *text = NULL;
    int err = spec_string(o, "probability", &text);

    if (err != 0 || text == NULL) {
        return err;
    }
    *out = parse_probability(text);
    return *out != 0 ? 0
                     : spec_fail(o, "probability",
                                 "must be a string like \"0.25\", above 0, at "
                                 "most 1, at most nine decimals");
}

static int read_exit(const struct spec_object *o, uint32_t *code)
{
    static const char *const names[] = {"any", "guest-request",
                                        "ext-guest-request"};
    static const uint32_t codes[] = {0, VM_EXIT_GUEST_REQUEST,
                                     VM_EXIT_EXT_GUEST_REQUEST};
    size_t i = 0;
    int err = read_choice(o, "exit", names, 3, &i);

    *code = codes[i];
    return err;
}

static int read_when(const struct spec_object *o, struct fault_when *w)
{
    static const char *const known[] = {"request", "every", "probability",
                                        "exit",    "guest", NULL};
    int err = spec_known(o, known);

    if (err == 0) {
        err = read_range(o, "request", 1, UINT32_MAX, &w->request);
    }
    if (err == 0) {
        err = read_range(o, "every", 1, UINT32_MAX, &w->every);
    }
    if (err == 0) {
        err = read_probability(o, &w->probability);
    }
    if (err == 0) {
        err = read_exit(o, &w->exit_code);
    }
    return err != 0 ? err : read_guest(o, "guest", w->guest);
}

static int read_kind(const struct spec_object *o, struct fault *f)
{
    const char *names[KIND_COUNT];
    size_t i = 0;
    int err;

    for (size_t k = 0; k < KIND_COUNT; k++) {
        names[k] = KINDS[k].name;
    }
    if (!spec_has(o, "do")) {
        return spec_fail(o, "do", "is missing");
    }
    err = read_choice(o, "do", names, KIND_COUNT, &i);
    if (err == 0) {
        f->kind = (enum fault_kind)i;
        err = spec_known(o, KINDS[i].members);
    }
    if (err == 0 && KINDS[i].required != NULL &&
        !spec_has(o, KINDS[i].required)) {
        err = spec_fail(o, KINDS[i].required, "is missing");
    }
    return err;
}

static int read_part(const struct spec_object *o, struct fault *f)
{
    static const char *const names[] = {"request", "response", "certs"};
    size_t count = f->kind == FAULT_FLIP || f->kind == FAULT_TRUNCATE ? 3 : 2;
    size_t i = FAULT_RESPONSE;
    int err = read_choice(o, "part", names, count, &i);

    f->part = (enum fault_part)i;
    return err;
}

/* Where a message, or the certificates, are hurt. */
static int read_place(const struct spec_object *o, struct fault *f)
{
    const char *key = f->kind == FAULT_TRUNCATE ? "size" : "offset";
    uint64_t max =
        (f->part == FAULT_CERTS ? FAULT_CERT_MAX : RMP_PAGE_SIZE) - 1;
    int err = read_range(o, key, 0, max, &f->place);

    f->place_given = spec_has(o, key);
    f->bits_given = spec_has(o, "bits");
    f->seqno_given = spec_has(o, "seqno");
    if (err == 0) {
        err = read_range(o, "bits", 1, 0xff, &f->bits);
    }
    return err != 0 ? err : read_range(o, "seqno", 0, UINT64_MAX, &f->seqno);
}

static int read_vmm_error(const struct spec_object *o, struct fault *f)
{
    static const char *const names[] = {"INVALID_LEN", "BUSY", "GENERIC"};
    static const uint64_t values[] = {VM_EXITINFO2_INVALID_LEN,
                                      VM_EXITINFO2_BUSY, VM_EXITINFO2_GENERIC};
    const char *text = json_string_value(json_object_get(o->json, "error"));

    for (size_t i = 0; text != NULL && i < 3; i++) {
        if (strcmp(text, names[i]) == 0) {
            f->answer = values[i];
            return 0;
        }
    }
    if (text != NULL && strncmp(text, "0x", 2) != 0) {
        return spec_fail(o, "error", "must be %s, %s, %s or a number", names[0],
                         names[1], names[2]);
    }
    return read_range(o, "error", 1, UINT64_MAX, &f->answer);
}

static int read_status(const struct spec_object *o, struct fault *f)
{
    const char *text = json_string_value(json_object_get(o->json, "status"));

    if (text == NULL || strncmp(text, "0x", 2) == 0) {
        return read_range(o, "status", 1, 0xffff, &f->answer);
    }
    for (uint32_t s = 1; s <= SEV_INVALID_KEY; s++) {
        if (strcmp(text, sev_status_name(s)) == 0 &&
            strcmp(text, "UNKNOWN") != 0) {
            f->answer = s;
            return 0;
        }
    }
    return spec_fail(o, "status", "%.40s is no status of the firmware", text);
}

static int read_parameters(const struct spec_object *o, struct fault *f)
{
    int err = read_part(o, f);

    f->back = 1;
    f->times = 1;
    if (err == 0) {
        err = read_place(o, f);
    }
    if (err == 0) {
        err = read_range(o, "back", 1, FAULT_BACK_MAX, &f->back);
    }
    if (err == 0) {
        err = read_range(o, "ms", 1, 10000, &f->ms);
    }
    if (err == 0) {
        err = read_range(o, "times", 1, 1000, &f->times);
    }
    if (err == 0) {
        err = read_range(o, "pages", 1, 0xffff, &f->pages);
    }
    if (err == 0) {
        err = read_range(o, "code", 1, 5, &f->code);
    }
    if (err == 0 && f->kind == FAULT_VMM_ERROR) {
        err = read_vmm_error(o, f);
    }
    if (err == 0 && f->kind == FAULT_FIRMWARE_ERROR) {
        err = read_status(o, f);
    }
    return err != 0 ? err : read_guest(o, "from", f->from);
}

/* Certificates travel with extended requests. */
static int check_exit(const struct spec_object *o, struct fault *f)
{
    const json_t *when = json_object_get(o->json, "when");

    if (f->kind != FAULT_CERTS_TOO_SMALL && f->part != FAULT_CERTS) {
        return 0;
    }
    if (json_object_get(when, "exit") != NULL &&
        f->when.exit_code != VM_EXIT_EXT_GUEST_REQUEST) {
        return spec_fail(o, "when.exit",
                         "must be \"ext-guest-request\": others have no "
                         "certificates");
    }
    f->when.exit_code = VM_EXIT_EXT_GUEST_REQUEST;
    return 0;
}

/* "when" is an object and says when. */
static int check_when(const struct spec_object *o, const json_t *when)
{
    static const char *const names[] = {"request", "every", "probability"};
    int given = 0;

    if (!json_is_object(when)) {
        return spec_fail(o, "when", "must be an object");
    }
    for (size_t i = 0; i < 3; i++) {
        given += json_object_get(when, names[i]) != NULL;
    }
    return given == 1 ? 0
                      : spec_fail(o, "when",
                                  "needs one of \"request\", \"every\", "
                                  "\"probability\"");
}

static int read_fault(const struct spec_object *o, struct fault *f)
{
    char path[48];
    struct spec_object when = {o->parser, path,
                               json_object_get(o->json, "when")};
    int err = read_kind(o, f);

    (void)snprintf(path, sizeof(path), "%.32swhen.", o->path);
    if (err == 0) {
        err = check_when(o, when.json);
    }
    if (err == 0) {
        err = read_when(&when, &f->when);
    }
    if (err == 0) {
        err = read_parameters(o, f);
    }
    return err != 0 ? err : check_exit(o, f);
}

static int read_faults(const struct spec_object *o, struct fault_plan *plan)
{
    const json_t *array = json_object_get(o->json, "faults");
    char path[32];
    int err = 0;

    if (!json_is_array(array) || json_array_size(array) < 1 ||
        json_array_size(array) > FAULT_MAX) {
        return spec_fail(o, "faults", "must be an array of 1 to %u faults",
                         FAULT_MAX);
    }
    plan->count = json_array_size(array);
    plan->faults = calloc(plan->count, sizeof(*plan->faults));
    if (plan->faults == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; err == 0 && i < plan->count; i++) {
        const struct spec_object item = {o->parser, path,
                                         json_array_get(array, i)};

        (void)snprintf(path, sizeof(path), "faults[%zu]", i);
        if (!json_is_object(item.json)) {
            return spec_fail(&item, "", "must be an object");
        }
        (void)snprintf(path, sizeof(path), "faults[%zu].", i);
        err = read_fault(&item, &plan->faults[i]);
    }
    return err;
}

static int read_seed(const struct spec_object *o, struct fault_plan *plan)
{
    const char *text = NULL;
    int err = spec_string(o, "seed", &text);

    if (err != 0 || text == NULL) {
        return err;
    }
    if (strlen(text) > FAULT_SEED_MAX) {
        return spec_fail(o, "seed", "must be at most %u bytes", FAULT_SEED_MAX);
    }
    memcpy(plan->seed, text, strlen(text));
    return 0;
}

static int read_plan(struct spec_object *top, const char *text, size_t size,
                     struct fault_plan *plan)
{
    static const char *const known[] = {"seed", "faults", NULL};
    json_error_t where;
    int err;

    top->json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
    if (top->json == NULL) {
        return spec_fail(top, "", "line %d, column %d: %s", where.line,
                         where.column, where.text);
    }
    if (!json_is_object(top->json)) {
        return spec_fail(top, "", "must be a JSON object");
    }
    err = spec_known(top, known);
    if (err == 0) {
        err = read_seed(top, plan);
    }
    return err != 0 ? err : read_faults(top, plan);
}

int fault_plan_parse(const char *text, size_t size, struct fault_plan **out,
                     char *error)
{
    struct spec_parser parser = {.error = error};
    struct spec_object top = {&parser, "", NULL};
    struct fault_plan *plan = calloc(1, sizeof(*plan));
    int err = -ENOMEM;

    error[0] = '\0';
    if (plan != NULL) {
        pthread_mutex_init(&plan->lock, NULL);
        err = read_plan(&top, text, size, plan);
    }
    json_decref(top.json);
    if (err != 0) {
        fault_plan_free(plan);
        plan = NULL;
    }
    if (err == -ENOMEM) {
        (void)snprintf(error, FAULT_ERROR_SIZE, "out of memory");
    }
    *out = plan;
    return err;
}
