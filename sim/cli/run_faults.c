/* SPDX-License-Identifier: Apache-2.0 */
#include "run_faults.h"

#include "fault_guest.h"
#include "plan_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct run_faults {
    struct fault_plan *plan;
    struct fault_guest *guest;
    struct trace *trace;
};

bool run_faults_load(const char *path, struct run_faults **out)
{
    struct run_faults *f = calloc(1, sizeof(*f));

    *out = f;
    if (f == NULL) {
        fprintf(stderr, "swpsp run: --faults: %s\n", strerror(ENOMEM));
        return false;
    }
    return plan_file_load("run", path, &f->plan);
}

struct fault_plan *run_faults_plan(const struct run_faults *f)
{
    return f == NULL ? NULL : f->plan;
}

static void applied(void *ctx, const char *line)
{
    struct run_faults *f = ctx;

    if (f->trace != NULL) {
        trace_line(f->trace, "fault", line);
    }
}

static void sleep_ms(void *ctx, unsigned int ms)
{
    struct timespec t = {
        .tv_sec = ms / 1000,
        .tv_nsec = (long)(ms % 1000) * 1000000,
    };

    (void)ctx;
    nanosleep(&t, NULL);
}

bool run_faults_start(struct run_faults *f, struct platform *p,
                      struct trace *trace)
{
    const struct fault_config config = {
        .applied = applied, .sleep_ms = sleep_ms, .ctx = f};

    f->trace = trace;
    if (fault_guest_new(f->plan, p->vm, &config, &f->guest) != 0) {
        fprintf(stderr, "swpsp run: --faults: %s\n", strerror(ENOMEM));
        return false;
    }
    p->faults = f->guest;
    return true;
}

void run_faults_free(struct run_faults *f)
{
    if (f != NULL) {
        fault_guest_free(f->guest);
        fault_plan_free(f->plan);
        free(f);
    }
}
