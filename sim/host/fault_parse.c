/* SPDX-License-Identifier: Apache-2.0 */
/* A fault plan from its JSON text. */
#include "fault_impl.h"
#include "spec_impl.h"
#include "vm.h"

#include <psp/psp.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(FAULT_ERROR_SIZE == SPEC_ERROR_SIZE, "one line, one size");

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

static int copy_text(const char *text, char **out)
{
    *out = strdup(text);
    return *out == NULL ? -ENOMEM : 0;
}

static bool is_command(const char *name)
{
    struct psp_command_info info;

    for (size_t i = 0; psp_command_at(i, &info); i++) {
        if (strcmp(info.name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_guest(const char *text)
{
    return text[0] != '\0' && strlen(text) < FAULT_KEY_SIZE;
}

static bool is_path(const char *text)
{
    return text[0] == '/' && strlen(text) < sizeof(((struct fault *)0)->from);
}

/* Answers of the key server that are signed but wrong. */
static bool is_twist(const char *text)
{
    return strcmp(text, "other-chip") == 0 || strcmp(text, "other-tcb") == 0 ||
           strcmp(text, "reversed") == 0;
}

static int bad_guest(const struct spec_object *o, const char *key)
{
    return spec_fail(o, key, "must be a guest's name, 1 to 63 bytes");
}

/* A filter with a list of values; "any" is none. */
static int read_by_choice(const struct spec_object *o, const char *key,
                          const char *const *values, char **out)
{
    const char *names[16] = {"any"};
    size_t count = 1, i = 0;
    int err;

    while (values[count - 1] != NULL) {
        names[count] = values[count - 1];
        count++;
    }
    err = read_choice(o, key, names, count, &i);
    return err != 0 || i == 0 ? err : copy_text(names[i], out);
}

static int read_by(const struct spec_object *o, enum fault_by by, char **out)
{
    const char *key = fault_by_name(by);
    const char *text = NULL;
    int err = spec_string(o, key, &text);

    if (err != 0 || text == NULL) {
        return err;
    }
    if (fault_by_values(by) != NULL) {
        return read_by_choice(o, key, fault_by_values(by), out);
    }
    if (by == FAULT_BY_GUEST && !is_guest(text)) {
        return bad_guest(o, key);
    }
    if (by == FAULT_BY_COMMAND && !is_command(text)) {
        return spec_fail(o, key, "%.40s is no command of the firmware", text);
    }
    if (by == FAULT_BY_PATH && !is_path(text)) {
        return spec_fail(o, key,
                         "must be the beginning of a path, \"/...\", "
                         "at most 255 bytes");
    }
    return copy_text(text, out);
}

/* Filters that are another place's get a better word than "unknown". */
static int check_filters(const struct spec_object *o, enum fault_place at)
{
    const char *known[FAULT_BY_COUNT + 5] = {"request", "every", "probability",
                                             "handle"};
    size_t count = 4;

    for (int by = 0; by < FAULT_BY_COUNT; by++) {
        const char *name = fault_by_name((enum fault_by)by);

        known[count++] = name;
        if (spec_has(o, name) && !fault_place_by(at, (enum fault_by)by)) {
            return spec_fail(o, name, "\"%s\" has no such filter",
                             fault_place_name(at));
        }
    }
    if (spec_has(o, "handle") && !fault_place_by_handle(at)) {
        return spec_fail(o, "handle", "\"%s\" has no such filter",
                         fault_place_name(at));
    }
    return spec_known(o, known);
}

static int read_when(const struct spec_object *o, enum fault_place at,
                     struct fault_when *w)
{
    int err = check_filters(o, at);

    if (err == 0) {
        err = read_range(o, "request", 1, UINT32_MAX, &w->request);
    }
    if (err == 0) {
        err = read_range(o, "every", 1, UINT32_MAX, &w->every);
    }
    if (err == 0) {
        err = read_probability(o, &w->probability);
    }
    for (int by = 0; err == 0 && by < FAULT_BY_COUNT; by++) {
        err = read_by(o, (enum fault_by)by, &w->by[by]);
    }
    w->by_handle = spec_has(o, "handle");
    return err != 0 ? err : spec_number(o, "handle", UINT32_MAX, &w->handle);
}

static int read_place_name(const struct spec_object *o, struct fault *f)
{
    const char *names[FAULT_PLACE_COUNT];
    size_t i = FAULT_AT_GUEST_REQUEST;
    int err;

    for (size_t p = 0; p < FAULT_PLACE_COUNT; p++) {
        names[p] = fault_place_name((enum fault_place)p);
    }
    err = read_choice(o, "at", names, FAULT_PLACE_COUNT, &i);
    f->at = (enum fault_place)i;
    return err;
}

/* Only the members of its row, and all that it needs. */
static int check_members(const struct spec_object *o,
                         const struct fault_row *row)
{
    const char *known[FAULT_MEMBER_COUNT + 4] = {"at", "when", "do"};
    size_t count = 3;
    int err;

    for (int m = 0; m < FAULT_MEMBER_COUNT; m++) {
        if ((row->members & 1u << m) != 0) {
            known[count++] = fault_member_name((enum fault_member)m);
        }
    }
    err = spec_known(o, known);
    for (int m = 0; err == 0 && m < FAULT_MEMBER_COUNT; m++) {
        const char *name = fault_member_name((enum fault_member)m);

        if ((row->required & 1u << m) != 0 && !spec_has(o, name)) {
            err = spec_fail(o, name, "is missing");
        }
    }
    return err;
}

static int read_kind(const struct spec_object *o, struct fault *f,
                     const struct fault_row **row)
{
    const char *names[FAULT_KIND_COUNT];
    size_t i = 0;
    int err;

    for (size_t k = 0; k < FAULT_KIND_COUNT; k++) {
        names[k] = fault_kind_name((enum fault_kind)k);
    }
    if (!spec_has(o, "do")) {
        return spec_fail(o, "do", "is missing");
    }
    err = read_choice(o, "do", names, FAULT_KIND_COUNT, &i);
    if (err != 0) {
        return err;
    }
    f->kind = (enum fault_kind)i;
    *row = fault_row_find(f->at, f->kind);
    if (*row == NULL) {
        return spec_fail(o, "do", "\"%s\" has no fault %s",
                         fault_place_name(f->at), names[i]);
    }
    return check_members(o, *row);
}

static int read_part(const struct spec_object *o, const struct fault_row *row,
                     struct fault *f)
{
    const char *names[FAULT_PART_COUNT];
    enum fault_part parts[FAULT_PART_COUNT];
    size_t count = 0, i = 0;
    int err;

    f->part = FAULT_RESPONSE;
    if (!spec_has(o, "part")) {
        return 0;
    }
    for (int p = 0; p < FAULT_PART_COUNT; p++) {
        if ((row->parts & 1u << p) != 0) {
            parts[count] = (enum fault_part)p;
            names[count++] = fault_part_name((enum fault_part)p);
        }
    }
    err = read_choice(o, "part", names, count, &i);
    f->part = parts[i];
    return err;
}

/* Where something is hurt. */
static int read_place(const struct spec_object *o, struct fault *f)
{
    const char *key = f->kind == FAULT_TRUNCATE ? "size" : "offset";
    int err =
        read_range(o, key, 0, fault_place_limit(f->at, f->part), &f->place);

    f->place_given = spec_has(o, key);
    f->bits_given = spec_has(o, "bits");
    f->seqno_given = spec_has(o, "seqno");
    if (err == 0) {
        err = read_range(o, "bits", 1, 0xff, &f->bits);
    }
    return err != 0 ? err : read_range(o, "seqno", 0, UINT64_MAX, &f->seqno);
}

struct error_name {
    const char *text;
    uint64_t value;
};

/* One of three names, or a number from 1 to @max. */
static int read_error_name(const struct spec_object *o,
                           const struct error_name names[3], uint64_t max,
                           uint64_t *out)
{
    const char *text = json_string_value(json_object_get(o->json, "error"));

    for (size_t i = 0; text != NULL && i < 3; i++) {
        if (strcmp(text, names[i].text) == 0) {
            *out = names[i].value;
            return 0;
        }
    }
    if (text != NULL && strncmp(text, "0x", 2) != 0) {
        return spec_fail(o, "error", "must be %s, %s, %s or a number",
                         names[0].text, names[1].text, names[2].text);
    }
    return read_range(o, "error", 1, max, out);
}

/* SW_EXITINFO2, or N of -N, what KVM answers to a hypercall. abi/linux.md §3 */
static int read_error(const struct spec_object *o, struct fault *f)
{
    static const struct error_name vmm[3] = {
        {"INVALID_LEN", VM_EXITINFO2_INVALID_LEN},
        {"BUSY", VM_EXITINFO2_BUSY},
        {"GENERIC", VM_EXITINFO2_GENERIC}};
    static const struct error_name kvm[3] = {
        {"EPERM", 1}, {"ENOTTY", 25}, {"ENOSYS", 1000}};
    bool hypercall = f->at == FAULT_AT_HYPERCALL;

    return read_error_name(o, hypercall ? kvm : vmm,
                           hypercall ? INT32_MAX : UINT64_MAX, &f->answer);
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

static bool is_number(const struct spec_object *o, const char *key)
{
    const json_t *v = json_object_get(o->json, key);
    const char *text = json_string_value(v);

    return json_is_integer(v) || (text != NULL && strncmp(text, "0x", 2) == 0);
}

/* A guest's name or handle, or another answer of the key server. */
static int read_from(const struct spec_object *o, struct fault *f)
{
    const char *text = NULL;
    int err;

    if (f->at == FAULT_AT_BROKER ||
        (is_number(o, "from") &&
         (f->at == FAULT_AT_SEV_COMMAND || f->at == FAULT_AT_HYPERCALL))) {
        f->handle_given = spec_has(o, "from");
        return spec_number(o, "from", UINT32_MAX, &f->handle);
    }
    err = spec_string(o, "from", &text);
    if (err != 0 || text == NULL) {
        return err;
    }
    if (f->at != FAULT_AT_KEY_SERVER && !is_guest(text)) {
        return bad_guest(o, "from");
    }
    if (f->at == FAULT_AT_KEY_SERVER && !is_path(text) && !is_twist(text)) {
        return spec_fail(o, "from",
                         "must be a path, \"/...\", at most 255 bytes, or "
                         "\"other-chip\", \"other-tcb\", \"reversed\"");
    }
    memcpy(f->from, text, strlen(text));
    return 0;
}

static int read_counts(const struct spec_object *o, const struct fault_row *row,
                       struct fault *f)
{
    uint64_t longest = f->at == FAULT_AT_GUEST_REQUEST ? 10000 : 60000;
    int err = read_range(o, "back", 1, FAULT_BACK_MAX, &f->back);

    if (err == 0) {
        err = read_range(o, "ms", 1, longest, &f->ms);
    }
    if (err == 0) {
        err = read_range(o, "times", 1, 1000, &f->times);
    }
    if (err == 0) {
        err = read_range(o, "pages", 1, 0xffff, &f->pages);
    }
    if (err == 0) {
        err = read_range(o, "code", row->code_min, row->code_max, &f->code);
    }
    f->retry_after_given = spec_has(o, "retry-after");
    return err != 0 ? err
                    : read_range(o, "retry-after", 0, 3600, &f->retry_after);
}

static int read_parameters(const struct spec_object *o,
                           const struct fault_row *row, struct fault *f)
{
    int err = read_part(o, row, f);

    f->back = (row->members & 1u << FAULT_HAS_BACK) != 0;
    f->times = (row->members & 1u << FAULT_HAS_TIMES) != 0;
    if (err == 0) {
        err = read_place(o, f);
    }
    if (err == 0) {
        err = read_counts(o, row, f);
    }
    if (err == 0 && spec_has(o, "error")) {
        err = read_error(o, f);
    }
    if (err == 0 && spec_has(o, "status")) {
        err = read_status(o, f);
    }
    return err != 0 ? err : read_from(o, f);
}

/* Certificates travel with extended requests. */
static int check_exit(const struct spec_object *o, struct fault_rule *rule)
{
    static const char extended[] = "ext-guest-request";
    char **by = &rule->when.by[FAULT_BY_EXIT];

    if (rule->fault.kind != FAULT_CERTS_TOO_SMALL &&
        rule->fault.part != FAULT_CERTS) {
        return 0;
    }
    if (json_object_get(json_object_get(o->json, "when"), "exit") == NULL) {
        return copy_text(extended, by);
    }
    return *by != NULL && strcmp(*by, extended) == 0
               ? 0
               : spec_fail(o, "when.exit",
                           "must be \"%s\": others have no certificates",
                           extended);
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

static int read_fault(const struct spec_object *o, struct fault_rule *rule)
{
    char path[48];
    struct spec_object when = {o->parser, path,
                               json_object_get(o->json, "when")};
    const struct fault_row *row = NULL;
    int err = read_place_name(o, &rule->fault);

    (void)snprintf(path, sizeof(path), "%.32swhen.", o->path);
    if (err == 0) {
        err = read_kind(o, &rule->fault, &row);
    }
    if (err == 0) {
        err = check_when(o, when.json);
    }
    if (err == 0) {
        err = read_when(&when, rule->fault.at, &rule->when);
    }
    if (err == 0) {
        err = read_parameters(o, row, &rule->fault);
    }
    return err != 0 ? err : check_exit(o, rule);
}

static int read_faults(const struct spec_object *o, struct fault_rules *rules)
{
    const json_t *array = json_object_get(o->json, "faults");
    char path[32];
    int err = 0;

    if (!json_is_array(array) || json_array_size(array) < 1 ||
        json_array_size(array) > FAULT_MAX) {
        return spec_fail(o, "faults", "must be an array of 1 to %u faults",
                         FAULT_MAX);
    }
    rules->count = json_array_size(array);
    rules->rules = calloc(rules->count, sizeof(*rules->rules));
    if (rules->rules == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; err == 0 && i < rules->count; i++) {
        const struct spec_object item = {o->parser, path,
                                         json_array_get(array, i)};

        (void)snprintf(path, sizeof(path), "faults[%zu]", i);
        if (!json_is_object(item.json)) {
            return spec_fail(&item, "", "must be an object");
        }
        (void)snprintf(path, sizeof(path), "faults[%zu].", i);
        err = read_fault(&item, &rules->rules[i]);
        rules->places |= 1u << rules->rules[i].fault.at;
    }
    return err;
}

static int read_seed(const struct spec_object *o, struct fault_rules *rules)
{
    const char *text = NULL;
    int err = spec_string(o, "seed", &text);

    if (err != 0 || text == NULL) {
        return err;
    }
    if (strlen(text) > FAULT_SEED_MAX) {
        return spec_fail(o, "seed", "must be at most %u bytes", FAULT_SEED_MAX);
    }
    memcpy(rules->seed, text, strlen(text));
    return 0;
}

static int read_plan(struct spec_object *top, const char *text, size_t size,
                     struct fault_rules *rules)
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
        err = read_seed(top, rules);
    }
    return err != 0 ? err : read_faults(top, rules);
}

int fault_rules_parse(const char *text, size_t size, struct fault_rules **out,
                      char *error)
{
    struct spec_parser parser = {.error = error};
    struct spec_object top = {&parser, "", NULL};
    struct fault_rules *rules = calloc(1, sizeof(*rules));
    int err = -ENOMEM;

    error[0] = '\0';
    if (rules != NULL) {
        err = read_plan(&top, text, size, rules);
    }
    json_decref(top.json);
    if (err != 0) {
        fault_rules_free(rules);
        rules = NULL;
    }
    if (err == -ENOMEM) {
        (void)snprintf(error, FAULT_ERROR_SIZE, "out of memory");
    }
    *out = rules;
    return err;
}

void fault_rules_clear(struct fault_rules *rules)
{
    for (size_t i = 0; i < rules->count && rules->rules != NULL; i++) {
        for (int by = 0; by < FAULT_BY_COUNT; by++) {
            free(rules->rules[i].when.by[by]);
        }
    }
    free(rules->rules);
    memset(rules, 0, sizeof(*rules));
}

void fault_rules_free(struct fault_rules *rules)
{
    if (rules != NULL) {
        fault_rules_clear(rules);
        free(rules);
    }
}
