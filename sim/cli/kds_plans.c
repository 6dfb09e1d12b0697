/* SPDX-License-Identifier: Apache-2.0 */
#include "kds_plans.h"

#include "parse.h"
#include "plan_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_MS 60000u

static bool complain(const char *option, const char *arg, const char *want)
{
    fprintf(stderr, "swpsp kds: --%s%s%s: %s\n", option, arg[0] ? " " : "", arg,
            want);
    return false;
}

/* Takes the plan unless it is shared. */
static bool add(struct kds_plans *p, struct fault_plan *plan, bool shared)
{
    struct fault_seq *seq = NULL;

    if (p->count == KDS_SEQ_MAX) {
        if (!shared) {
            fault_plan_free(plan);
        }
        return complain("faults", "",
                        "no more than four of --faults, --slow, --fail and "
                        "--hostile");
    }
    if (fault_seq_new(plan, FAULT_AT_KEY_SERVER, "", &seq) != 0) {
        if (!shared) {
            fault_plan_free(plan);
        }
        return complain("faults", "", "out of memory");
    }
    p->plans[p->count] = plan;
    p->seqs[p->count] = seq;
    p->shared |= shared ? (size_t)1 << p->count : 0;
    p->count++;
    return true;
}

bool kds_plans_file(struct kds_plans *p, const char *path)
{
    struct fault_plan *plan = NULL;

    return plan_file_load("kds", path, &plan) && add(p, plan, false);
}

bool kds_plans_share(struct kds_plans *p, struct fault_plan *plan)
{
    return plan == NULL || add(p, plan, true);
}

/* @faults: texts that begin inside "when", NULL-terminated. */
static bool add_text(struct kds_plans *p, const char *const *faults)
{
    struct fault_plan *plan = NULL;
    char error[FAULT_ERROR_SIZE] = "";
    char text[1024] = "{\"faults\": [";
    size_t n = strlen(text);

    for (size_t i = 0; faults[i] != NULL; i++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n,
                              "%s{\"at\": \"key-server\", \"when\": {%s",
                              i == 0 ? "" : ", ", faults[i]);
    }
    n += (size_t)snprintf(text + n, sizeof(text) - n, "]}");
    if (fault_plan_parse(text, n, &plan, error) != 0) {
        return complain("faults", text, error);
    }
    return add(p, plan, false);
}

static bool add_one(struct kds_plans *p, unsigned int every, const char *what)
{
    char text[256];

    snprintf(text, sizeof(text), "\"every\": %u}, %s}", every, what);
    return add_text(p, (const char *const[]){text, NULL});
}

bool kds_plans_slow(struct kds_plans *p, const char *ms)
{
    char what[64];
    uint64_t n = 0;

    if (!parse_number(ms, MAX_MS, &n)) {
        return complain("slow", ms, "need a number from 0 to 60000");
    }
    snprintf(what, sizeof(what), "\"do\": \"delay\", \"ms\": %u",
             (unsigned int)n);
    return n == 0 || add_one(p, 1, what);
}

bool kds_plans_fail(struct kds_plans *p, const char *arg)
{
    const char *slash = strchr(arg, '/');
    char status[8] = "", what[64];
    uint64_t code = 0;
    uint64_t every = 1;
    size_t n = slash == NULL ? strlen(arg) : (size_t)(slash - arg);

    memcpy(status, arg, n < sizeof(status) ? n : 0);
    if (!parse_number(status, 599, &code) || code < 400 ||
        (slash != NULL &&
         (!parse_number(slash + 1, 1000000, &every) || every == 0))) {
        return complain("fail", arg,
                        "need a status from 400 to 599, and perhaps /N with N "
                        "from 1");
    }
    snprintf(what, sizeof(what), "\"do\": \"status\", \"code\": %u",
             (unsigned int)code);
    return add_one(p, (unsigned int)every, what);
}

bool kds_plans_hostile(struct kds_plans *p, const char *how)
{
    static const char *const plain[] = {"truncate", "flip",    "drop",  "html",
                                        "huge",     "trickle", "replay"};
    static const char *const misdirect[] = {
        "\"every\": 1, \"kind\": \"vcek\"}, \"do\": \"substitute\", \"from\": "
        "\"other-tcb\"}",
        "\"every\": 1, \"kind\": \"vlek\"}, \"do\": \"substitute\", \"from\": "
        "\"other-tcb\"}",
        "\"every\": 1, \"kind\": \"cert-chain\"}, \"do\": \"substitute\", "
        "\"from\": \"reversed\"}",
        NULL};
    char what[64];

    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        if (strcmp(how, plain[i]) == 0) {
            snprintf(what, sizeof(what), "\"do\": \"%s\"", how);
            return add_one(p, 1, what);
        }
    }
    if (strcmp(how, "other-chip") == 0) {
        return add_one(p, 1,
                       "\"do\": \"substitute\", \"from\": \"other-chip\"");
    }
    return strcmp(how, "misdirect") == 0
               ? add_text(p, misdirect)
               : complain("hostile", how,
                          "no such way; truncate, flip, drop, html, huge, "
                          "trickle, replay, other-chip, misdirect");
}

void kds_plans_use(const struct kds_plans *p, struct kds_faults *faults)
{
    memcpy(faults->seqs, p->seqs, sizeof(faults->seqs));
}

void kds_plans_clear(struct kds_plans *p)
{
    for (size_t i = 0; i < p->count; i++) {
        fault_seq_free(p->seqs[i]);
        if ((p->shared & (size_t)1 << i) == 0) {
            fault_plan_free(p->plans[i]);
        }
    }
    memset(p, 0, sizeof(*p));
}
