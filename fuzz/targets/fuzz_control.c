/* SPDX-License-Identifier: Apache-2.0 */
/* Request lines of the control protocol, on a platform without a disk: guests
 * are launched, looked at and stopped. Every answer is one line of JSON that
 * says yes or no; no guest outlives its daemon. */
#include "fz.h"
#include "serve_conn.h"

#include <stdlib.h>
#include <string.h>

#define LINES_MAX  12u
#define GUESTS_MAX 4u

static struct install *install;
static struct machine *m;
static struct psp_chip chip;

static void power_on(void)
{
    const struct install_config own = {.use_dev_seed = true,
                                       .naming = PKI_SIMULATED};
    struct machine_config config = {.profile = psp_profile_by_name("milan"),
                                    .seed = PKI_DEV_SEED};
    char error[INSTALL_ERROR_SIZE];

    fz_check(install_open(&own, &install, error) == 0);
    install_chip(install, config.profile->generation, 0, &chip);
    config.chip = chip;
    fz_check(machine_create(&config, &m) == 0);
    fz_check(machine_platform_init(m) == SEV_SUCCESS);
}

static void check_answer(const char *line)
{
    size_t size = strlen(line);
    json_t *answer = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    const json_t *ok = json_object_get(answer, "ok");

    fz_check(size > 1 && strchr(line, '\n') == line + size - 1);
    fz_check(json_integer_value(json_object_get(answer, "v")) == 1);
    fz_check(json_is_boolean(ok));
    fz_check(json_object_get(answer, json_is_true(ok) ? "result" : "error") !=
             NULL);
    json_decref(answer);
}

static bool one_line(struct serve *s, const char *line, size_t size)
{
    struct serve_attached attached = {.guest = NULL};
    char *answer = NULL;
    enum serve_next next = serve_request(s, line, size, &answer, &attached);

    fz_check(answer != NULL);
    check_answer(answer);
    free(answer);
    if (attached.guest != NULL) {
        serve_guest_put(s->config.guests, attached.guest);
    }
    fz_check(serve_guests_count(s->config.guests) <= GUESTS_MAX);
    return next == NEXT_REQUEST || next == NEXT_ATTACH;
}

static void session(struct serve *s, const char *text, size_t size)
{
    for (unsigned int i = 0; i < LINES_MAX && size > 0; i++) {
        const char *end = memchr(text, '\n', size);
        size_t n = end == NULL ? size : (size_t)(end - text);
        char *line = malloc(n + 1);

        fz_check(line != NULL);
        memcpy(line, text, n);
        line[n] = '\0';
        if (!one_line(s, line, n)) {
            size = n;
        }
        free(line);
        n += n < size ? 1 : 0;
        text += n;
        size -= n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct serve s = {.wake = -1};

    if (m == NULL) {
        power_on();
    }
    s.config.platform = (struct serve_platform){
        .m = m, .install = install, .chip = chip, .max_guests = GUESTS_MAX};
    s.config.platform.reported_tcb = machine_profile(m)->tcb;
    fz_check(serve_guests_new(&s.config.platform, &s.config.guests) == 0);
    fz_check(fault_plan_new(&s.config.faults) == 0);
    s.config.trace = serve_trace_new();
    fz_check(s.config.trace != NULL);
    pthread_mutex_init(&s.lock, NULL);
    pthread_cond_init(&s.left, NULL);
    session(&s, (const char *)data, size);
    pthread_cond_destroy(&s.left);
    pthread_mutex_destroy(&s.lock);
    serve_trace_free(s.config.trace);
    serve_guests_free(s.config.guests);
    fault_plan_free(s.config.faults);
    return 0;
}
