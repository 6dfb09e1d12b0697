/* SPDX-License-Identifier: Apache-2.0 */
#include "faults.h"
#include "sleep_ms.h"

#include <stddef.h>
#include <unistd.h>

static void applied(void *trace, const char *line)
{
    if (trace != NULL) {
        trace_line(trace, "fault", line);
    }
}

/* As if the power had failed: nothing is written, closed or removed. */
static void crash(void *trace)
{
    static const char why[] = "swpsp: crash, as the fault plan says\n";

    (void)trace;
    (void)!write(STDERR_FILENO, why, sizeof(why) - 1);
    _exit(EXIT_CRASHED);
}

int faults_host_new(struct fault_plan *plan, struct machine *m,
                    struct trace *trace, struct fault_host **out)
{
    const struct fault_config config = {
        .applied = applied, .sleep_ms = sleep_ms, .crash = crash, .ctx = trace};

    return fault_host_new(plan, m, &config, out);
}
