/* SPDX-License-Identifier: Apache-2.0 */
/* What a legacy guest's user space hears when it asks for its handle and the
 * hypervisor lies. abi/aeb.md §8.1 T1, T2, T7, T15 */
#include "tst.h"

#include "fault_hypercall.h"
#include "legacy_vm.h"

#include "pki.h"

struct world {
    struct machine *m;
    struct legacy_vm_host *host;
    struct fault_plan *plan;
    struct fault_hypercalls *faults;
    char lines[2048];
};

static void applied(void *ctx, const char *line)
{
    struct world *w = ctx;
    size_t n = strlen(w->lines);

    assert_true(n + strlen(line) + 2 < sizeof(w->lines));
    (void)sprintf(w->lines + n, "%s\n", line);
}

static struct world *world_new(const char *json)
{
    struct machine_config config = {
        .profile = psp_profile_by_name("milan"),
        .seed = PKI_DEV_SEED,
    };
    struct world *w = calloc(1, sizeof(*w));
    const struct fault_config faults = {.applied = applied, .ctx = w};
    char error[FAULT_ERROR_SIZE];

    assert_non_null(w);
    pki_chip_make(PKI_DEV_SEED, config.profile->generation, 0, &config.chip);
    assert_int_equal(machine_create(&config, &w->m), 0);
    assert_int_equal(machine_platform_init(w->m), SEV_SUCCESS);
    assert_int_equal(legacy_vm_host_new(w->m, &w->host), 0);
    legacy_vm_host_set_handle_mode(w->host, LEGACY_VM_HANDLE_OWN);
    if (fault_plan_parse(json, strlen(json), &w->plan, error) != 0) {
        fail_msg("%s", error);
    }
    assert_int_equal(fault_hypercalls_new(w->plan, w->m, &faults, &w->faults),
                     0);
    legacy_vm_host_set_faults(w->host, w->faults);
    return w;
}

static void world_free(struct world *w)
{
    legacy_vm_host_free(w->host);
    fault_hypercalls_free(w->faults);
    fault_plan_free(w->plan);
    machine_destroy(w->m);
    free(w);
}

static struct legacy_vm *launch(struct world *w, const char *name)
{
    struct legacy_vm_spec spec;
    struct legacy_vm *g = NULL;
    enum sev_status status;

    assert_int_equal(legacy_vm_spec_default(&spec), 0);
    (void)strcpy(spec.name, name);
    assert_int_equal(legacy_vm_launch(w->host, &spec, &g, &status), 0);
    legacy_vm_spec_clear(&spec);
    return g;
}

static int64_t ask(struct world *w, const struct legacy_vm *g)
{
    const struct legacy_vm_hypercall call = {
        .rax = LEGACY_VM_HC_VM_HANDLE, .cpl = 3, .long_mode = true};

    return (int64_t)legacy_vm_vmmcall(w->host, g, &call);
}

#define PLAN(when, x)                                                          \
    "{\"faults\": [{\"at\": \"hypercall\", \"when\": {" when "}, \"do\": " x   \
    "}]}"

static void substitute__by_name__the_others_handle(void **state)
{
    struct world *w =
        world_new(PLAN("\"request\": 2", "\"substitute\", \"from\": \"b\""));
    const struct legacy_vm *a = launch(w, "a");

    (void)state;
    (void)launch(w, "b");
    assert_int_equal(ask(w, a), 1);
    assert_int_equal(ask(w, a), 2);
    assert_int_equal(ask(w, a), 1);
    assert_string_equal(w->lines, "hypercall 2 of a: substitute b, handle 2\n");
    world_free(w);
}

static void substitute__by_number__that_number(void **state)
{
    struct world *w = world_new(
        PLAN("\"every\": 1", "\"substitute\", \"from\": \"0xffffffff\""));
    const struct legacy_vm *a = launch(w, "a");

    (void)state;
    assert_int_equal(ask(w, a), 0xffffffff);
    world_free(w);
}

static void substitute__nobody_of_that_name__honest(void **state)
{
    struct world *w =
        world_new(PLAN("\"every\": 1", "\"substitute\", \"from\": \"b\""));
    const struct legacy_vm *a = launch(w, "a");

    (void)state;
    assert_int_equal(ask(w, a), 1);
    assert_string_equal(
        w->lines, "hypercall 1 of a: substitute: there is no such guest\n");
    world_free(w);
}

static void error__names_and_numbers__negative(void **state)
{
    struct world *w = world_new("{\"faults\": ["
                                "{\"at\": \"hypercall\", \"when\": "
                                "{\"request\": 1}, \"do\": \"error\", "
                                "\"error\": \"EPERM\"},"
                                "{\"at\": \"hypercall\", \"when\": "
                                "{\"request\": 2}, \"do\": \"error\", "
                                "\"error\": \"ENOTTY\"},"
                                "{\"at\": \"hypercall\", \"when\": "
                                "{\"request\": 3}, \"do\": \"error\", "
                                "\"error\": \"ENOSYS\"},"
                                "{\"at\": \"hypercall\", \"when\": "
                                "{\"request\": 4}, \"do\": \"error\", "
                                "\"error\": 95}]}");
    const struct legacy_vm *a = launch(w, "a");

    (void)state;
    assert_int_equal(ask(w, a), -1);
    assert_int_equal(ask(w, a), -25);
    assert_int_equal(ask(w, a), -1000);
    assert_int_equal(ask(w, a), -95);
    assert_int_equal(ask(w, a), 1);
    world_free(w);
}

/* The handle of a guest that is long gone. */
static void replay__after_the_guest_ended__its_old_handle(void **state)
{
    struct world *w =
        world_new(PLAN("\"request\": 1, \"guest\": \"b\"", "\"replay\""));
    struct legacy_vm *a = launch(w, "a");
    const struct legacy_vm *b = launch(w, "b");

    (void)state;
    assert_int_equal(ask(w, a), 1);
    legacy_vm_destroy(a);
    assert_int_equal(ask(w, b), 1);
    assert_int_equal(ask(w, b), 2);
    assert_string_equal(w->lines, "hypercall 1 of b: replay, 1 back\n");
    world_free(w);
}

static void replay__none_yet__honest(void **state)
{
    struct world *w = world_new(PLAN("\"request\": 1", "\"replay\""));
    const struct legacy_vm *a = launch(w, "a");

    (void)state;
    assert_int_equal(ask(w, a), 1);
    assert_string_equal(w->lines,
                        "hypercall 1 of a: replay: there is none yet\n");
    world_free(w);
}

static void guest__another__not_hit(void **state)
{
    struct world *w = world_new(PLAN("\"every\": 1, \"guest\": \"b\"",
                                     "\"error\", \"error\": \"ENOTTY\""));
    const struct legacy_vm *a = launch(w, "a");
    const struct legacy_vm *b = launch(w, "b");

    (void)state;
    assert_int_equal(ask(w, a), 1);
    assert_int_equal(ask(w, b), -25);
    world_free(w);
}

static void other_hypercalls__no_events(void **state)
{
    const struct legacy_vm_hypercall other = {.rax = 12, .long_mode = true};
    struct world *w =
        world_new(PLAN("\"every\": 1", "\"error\", \"error\": \"ENOTTY\""));
    const struct legacy_vm *a = launch(w, "a");

    (void)state;
    assert_int_equal((int64_t)legacy_vm_vmmcall(w->host, a, &other), -1000);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(substitute__by_name__the_others_handle),
        cmocka_unit_test(substitute__by_number__that_number),
        cmocka_unit_test(substitute__nobody_of_that_name__honest),
        cmocka_unit_test(error__names_and_numbers__negative),
        cmocka_unit_test(replay__after_the_guest_ended__its_old_handle),
        cmocka_unit_test(replay__none_yet__honest),
        cmocka_unit_test(guest__another__not_hit),
        cmocka_unit_test(other_hypercalls__no_events),
    };

    return cmocka_run_group_tests_name("fault_hypercall", tests, NULL, NULL);
}
