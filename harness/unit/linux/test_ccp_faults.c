/* SPDX-License-Identifier: Apache-2.0 */
/* What a client of /dev/sev sees of each fault at the mailbox: errno, `error`,
 * bytes. Real firmware model, two legacy guests. abi/linux.md §1.8 */
#include "ccp.h"
#include "fake_user.h"
#include "fault_command.h"
#include "legacy_vm.h"
#include "tst.h"

#include "pki.h"
#include "sev_report.h"
#include "wire.h"

#include <errno.h>

#define SEV_ISSUE_CMD 0xc0105300u
#define CERT          0x824u
#define CHAIN         0x186cu
#define OLD_ERROR     0x5a5a5a5au
#define RECLAIM       0xc7u

#define ENVELOPE 0x10000ull
#define U        0x20000ull
#define B0       0x30000ull
#define B1       0x40000ull

#define LINES_MAX 4096

struct world {
    struct machine *m;
    struct ccp_dev *dev;
    struct chardev chardev;
    struct fake_user u;
    struct legacy_vm_host *host;
    struct legacy_vm *a, *b;
    struct fault_plan *plan;
    struct fault_commands *faults;
    uint32_t error;
    char lines[LINES_MAX]; /* the faults applied, each with a newline */
    unsigned int slept_ms, crashes, executed;
    uint32_t last; /* command that the firmware executed */
};

static void on_command(void *ctx, uint32_t command, const uint8_t *buffer,
                       size_t size, enum sev_status status)
{
    struct world *w = ctx;

    (void)buffer;
    (void)size;
    (void)status;
    if (command != RECLAIM) {
        w->executed++;
        w->last = command;
    }
}

static void applied(void *ctx, const char *line)
{
    struct world *w = ctx;
    size_t n = strlen(w->lines);

    assert_true(n + strlen(line) + 2 < sizeof(w->lines));
    (void)sprintf(w->lines + n, "%s\n", line);
}

static void sleep_ms(void *ctx, unsigned int ms)
{
    struct world *w = ctx;

    w->slept_ms += ms;
}

static void crash(void *ctx)
{
    struct world *w = ctx;

    w->crashes++;
}

static struct legacy_vm *launch(struct world *w, const char *name, uint8_t byte)
{
    struct legacy_vm_spec spec;
    struct legacy_vm *g = NULL;
    enum sev_status status;

    assert_int_equal(legacy_vm_spec_default(&spec), 0);
    (void)strcpy(spec.name, name);
    spec.regions[0].data[0] = byte;
    assert_int_equal(legacy_vm_launch(w->host, &spec, &g, &status), 0);
    legacy_vm_spec_clear(&spec);
    return g;
}

static struct world *world_new(const char *profile, const char *json)
{
    struct machine_config config = {
        .profile = psp_profile_by_name(profile),
        .seed = PKI_DEV_SEED,
    };
    const struct fault_config faults = {
        .applied = applied, .sleep_ms = sleep_ms, .crash = crash};
    struct fault_config own = faults;
    char error[FAULT_ERROR_SIZE];
    struct ccp_config ccp;
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    own.ctx = w;
    config.trace = (struct machine_trace){.command = on_command, .ctx = w};
    pki_chip_make(PKI_DEV_SEED, config.profile->generation, 0, &config.chip);
    assert_int_equal(machine_create(&config, &w->m), 0);
    ccp_config_default(&ccp);
    assert_int_equal(ccp_probe(w->m, &ccp, &w->dev), 0);
    assert_int_equal(legacy_vm_host_new(w->m, &w->host), 0);
    w->a = launch(w, "a", 1);
    w->b = launch(w, "b", 2);
    if (fault_plan_parse(json, strlen(json), &w->plan, error) != 0) {
        fail_msg("%s", error);
    }
    assert_int_equal(fault_commands_new(w->plan, w->m, &own, &w->faults), 0);
    machine_set_faults(w->m, w->faults);
    w->chardev = ccp_chardev(w->dev);
    fake_user_init(&w->u, false);
    fake_user_map(&w->u, ENVELOPE, 16, true, true);
    fake_user_map(&w->u, U, 64, true, true);
    fake_user_map(&w->u, B0, 0x4000, true, true);
    fake_user_map(&w->u, B1, 0x4000, true, true);
    w->executed = 0;
    return w;
}

static void world_free(struct world *w)
{
    machine_set_faults(w->m, NULL);
    fake_user_clear(&w->u);
    legacy_vm_host_free(w->host);
    ccp_remove(w->dev);
    fault_commands_free(w->faults);
    fault_plan_free(w->plan);
    machine_destroy(w->m);
    free(w);
}

/* --- calls --- */

static int64_t issue(struct world *w, uint32_t cmd)
{
    uint8_t bytes[16];
    struct psp_wr out = psp_wr(bytes, sizeof(bytes));
    struct psp_rd in;
    int64_t r;

    psp_wr_le32(&out, cmd);
    psp_wr_le64(&out, U);
    psp_wr_le32(&out, OLD_ERROR);
    fake_user_put(&w->u, ENVELOPE, bytes, sizeof(bytes));
    fake_user_forget(&w->u);
    r = fake_user_ioctl(&w->u, &w->chardev, true, SEV_ISSUE_CMD, ENVELOPE);
    in = psp_rd(fake_user_at(&w->u, ENVELOPE + 12, 4), 4);
    w->error = psp_rd_le32(&in);
    return r;
}

static int64_t get_id(struct world *w, uint8_t id[64])
{
    uint8_t bytes[12];
    struct psp_wr out = psp_wr(bytes, sizeof(bytes));
    int64_t r;

    psp_wr_le64(&out, B0);
    psp_wr_le32(&out, 64);
    fake_user_put(&w->u, U, bytes, sizeof(bytes));
    r = issue(w, CCP_GET_ID2);
    memcpy(id, fake_user_at(&w->u, B0, 64), 64);
    return r;
}

/* PDH certificate and chain, one after the other. */
static int64_t export_certs(struct world *w, uint8_t certs[CERT + CHAIN])
{
    uint8_t bytes[24];
    struct psp_wr out = psp_wr(bytes, sizeof(bytes));
    int64_t r;

    psp_wr_le64(&out, B0);
    psp_wr_le32(&out, CERT);
    psp_wr_le64(&out, B1);
    psp_wr_le32(&out, CHAIN);
    fake_user_put(&w->u, U, bytes, sizeof(bytes));
    r = issue(w, CCP_PDH_CERT_EXPORT);
    memcpy(certs, fake_user_at(&w->u, B0, CERT), CERT);
    memcpy(certs + CERT, fake_user_at(&w->u, B1, CHAIN), CHAIN);
    return r;
}

/* Every report asks with another nonce. */
static int64_t get_report(struct world *w, uint32_t handle, uint8_t nonce,
                          struct sev_report *report)
{
    uint8_t bytes[32], mnonce[16];
    struct psp_wr out = psp_wr(bytes, sizeof(bytes));
    int64_t r;

    memset(mnonce, nonce, sizeof(mnonce));
    psp_wr_bytes(&out, mnonce, sizeof(mnonce));
    psp_wr_le64(&out, B0);
    psp_wr_le32(&out, 0xd0);
    psp_wr_le32(&out, handle);
    fake_user_put(&w->u, U, bytes, sizeof(bytes));
    r = issue(w, CCP_GET_REPORT_PRIVATE);
    if (r == 0) {
        r = sev_report_decode(fake_user_at(&w->u, B0, 0xd0), 0xd0, report);
    }
    return r;
}

#define AT(when, x)                                                            \
    "{\"faults\": [{\"at\": \"sev-command\", \"when\": {" when "}, \"do\": " x \
    "}]}"
#define FIRST(command, x) AT("\"request\": 1, \"command\": \"" command "\"", x)

/* --- status and time --- */

static void firmware_error__once__eio_with_the_status(void **state)
{
    struct world *w = world_new(
        "milan",
        FIRST("GET_ID", "\"firmware-error\", \"status\": \"RESOURCE_LIMIT\""));
    uint8_t id[64];

    (void)state;
    assert_int_equal(get_id(w, id), -EIO);
    assert_int_equal(w->error, SEV_RESOURCE_LIMIT);
    assert_int_not_equal(w->last, 0x0c);
    assert_int_equal(get_id(w, id), 0);
    assert_string_equal(w->lines,
                        "sev-command 1 GET_ID: firmware-error, status 0x17\n");
    world_free(w);
}

static void delay__passes_afterwards(void **state)
{
    struct world *w =
        world_new("milan", FIRST("GET_ID", "\"delay\", \"ms\": 250"));
    uint8_t id[64];

    (void)state;
    assert_int_equal(get_id(w, id), 0);
    assert_int_equal(w->slept_ms, 250);
    assert_string_equal(w->lines, "sev-command 1 GET_ID: delay, 250 ms\n");
    world_free(w);
}

static void dead_for_everybody(struct world *w)
{
    struct legacy_vm_spec spec;
    struct legacy_vm *g = NULL;
    enum sev_status status;
    uint8_t certs[CERT + CHAIN];
    uint8_t id[64];

    assert_int_equal(w->error, 0);
    assert_int_equal(get_id(w, id), -EBUSY);
    assert_int_equal(w->error, OLD_ERROR);
    assert_int_equal(export_certs(w, certs), -EBUSY);
    assert_int_equal(w->error, OLD_ERROR);
    assert_int_equal(legacy_vm_spec_default(&spec), 0);
    assert_int_equal(legacy_vm_launch(w->host, &spec, &g, &status), -EBUSY);
    assert_int_equal(status, SEV_SUCCESS);
    legacy_vm_spec_clear(&spec);
}

static void drop__answer__etimedout_then_dead(void **state)
{
    struct world *w = world_new("milan", FIRST("GET_ID", "\"drop\""));
    uint8_t id[64];

    (void)state;
    assert_int_equal(get_id(w, id), -ETIMEDOUT);
    assert_int_equal(w->last, 0x0c);
    dead_for_everybody(w);
    assert_string_equal(w->lines, "sev-command 1 GET_ID: drop response\n");
    world_free(w);
}

static void drop__request__never_executed(void **state)
{
    struct world *w = world_new(
        "naples", FIRST("PEK_GEN", "\"drop\", \"part\": \"request\""));

    (void)state;
    assert_int_equal(issue(w, CCP_PEK_GEN), -ETIMEDOUT);
    assert_int_equal(w->executed, 0);
    dead_for_everybody(w);
    world_free(w);
}

static void drop__command_of_the_hypervisor__driver_finds_it_dead(void **state)
{
    struct world *w = world_new("milan", FIRST("GUEST_STATUS", "\"drop\""));
    struct legacy_vm_status s;
    enum sev_status status;
    uint8_t id[64];

    (void)state;
    assert_int_equal(legacy_vm_get_status(w->a, &s, &status), -ETIMEDOUT);
    assert_int_equal(get_id(w, id), -EBUSY);
    assert_int_equal(w->error, OLD_ERROR);
    world_free(w);
}

/* --- crash --- */

static void crash__answer__after_the_firmware(void **state)
{
    struct world *w = world_new("milan", FIRST("GET_ID", "\"crash\""));
    uint8_t id[64];

    (void)state;
    (void)get_id(w, id);
    assert_int_equal(w->crashes, 1);
    assert_int_equal(w->last, 0x0c);
    assert_string_equal(w->lines, "sev-command 1 GET_ID: crash, after the "
                                  "firmware has executed it\n");
    world_free(w);
}

static void crash__request__before_the_firmware(void **state)
{
    struct world *w =
        world_new("milan", FIRST("GET_ID", "\"crash\", \"part\": \"request\""));
    uint8_t id[64];

    (void)state;
    (void)get_id(w, id);
    assert_int_equal(w->crashes, 1);
    assert_string_equal(w->lines, "sev-command 1 GET_ID: crash, before the "
                                  "firmware has executed it\n");
    world_free(w);
}

/* --- answers --- */

static void flip__first_buffer__that_byte_only(void **state)
{
    struct world *w = world_new(
        "milan", AT("\"request\": 2, \"command\": \"PDH_CERT_EXPORT\"",
                    "\"flip\", \"offset\": 16, \"bits\": 3"));
    uint8_t honest[CERT + CHAIN], hurt[CERT + CHAIN];

    (void)state;
    assert_int_equal(export_certs(w, honest), 0);
    assert_int_equal(export_certs(w, hurt), 0);
    honest[16] ^= 3;
    assert_memory_equal(honest, hurt, sizeof(honest));
    assert_string_equal(w->lines, "sev-command 2 PDH_CERT_EXPORT: flip "
                                  "response, byte 0x10, bits 0x03\n");
    world_free(w);
}

/* The chain is the second buffer: it begins where the PDH ends. */
static void flip__second_buffer__that_byte_only(void **state)
{
    struct world *w = world_new(
        "milan", AT("\"request\": 2, \"command\": \"PDH_CERT_EXPORT\"",
                    "\"flip\", \"offset\": \"0x825\", \"bits\": 128"));
    uint8_t honest[CERT + CHAIN], hurt[CERT + CHAIN];

    (void)state;
    assert_int_equal(export_certs(w, honest), 0);
    assert_int_equal(export_certs(w, hurt), 0);
    honest[CERT + 1] ^= 0x80;
    assert_memory_equal(honest, hurt, sizeof(honest));
    world_free(w);
}

static void flip__past_the_answer__nothing(void **state)
{
    struct world *w = world_new(
        "milan", FIRST("GET_ID", "\"flip\", \"offset\": 64, \"bits\": 1"));
    uint8_t first[64], second[64];

    (void)state;
    assert_int_equal(get_id(w, first), 0);
    assert_int_equal(get_id(w, second), 0);
    assert_memory_equal(first, second, 64);
    assert_string_equal(
        w->lines,
        "sev-command 1 GET_ID: flip response: there is no such byte\n");
    world_free(w);
}

static void flip__answer_in_the_command_buffer__seen(void **state)
{
    struct world *w =
        world_new("naples", FIRST("PLATFORM_STATUS",
                                  "\"flip\", \"offset\": 2, \"bits\": 3"));

    (void)state;
    assert_int_equal(issue(w, CCP_PLATFORM_STATUS), 0);
    assert_int_equal(fake_user_at(&w->u, U, 12)[2], 2 ^ 3);
    world_free(w);
}

static void flip__refused_command__there_is_no_response(void **state)
{
    struct world *w = world_new("milan", FIRST("ATTESTATION", "\"flip\""));
    struct sev_report report;

    (void)state;
    assert_int_equal(get_report(w, 99, 1, &report), -EIO);
    assert_int_equal(w->error, SEV_INVALID_GUEST);
    assert_string_equal(
        w->lines, "sev-command 1 ATTESTATION: flip: there is no response\n");
    world_free(w);
}

static void flip__handle_in_the_request__invalid_guest(void **state)
{
    struct world *w = world_new(
        "milan", FIRST("ATTESTATION", "\"flip\", \"part\": \"request\", "
                                      "\"offset\": 1, \"bits\": 64"));
    struct sev_report report;

    (void)state;
    assert_int_equal(get_report(w, 1, 1, &report), -EIO);
    assert_int_equal(w->error, SEV_INVALID_GUEST);
    world_free(w);
}

static void zero_response__id_of_zeros(void **state)
{
    struct world *w = world_new("milan", FIRST("GET_ID", "\"zero-response\""));
    uint8_t id[64];

    (void)state;
    assert_int_equal(get_id(w, id), 0);
    assert_true(psp_all_zero(id, sizeof(id)));
    assert_string_equal(w->lines, "sev-command 1 GET_ID: zero-response\n");
    world_free(w);
}

static void zero_response__snp_status_page__zeros(void **state)
{
    struct world *w =
        world_new("milan", FIRST("SNP_PLATFORM_STATUS", "\"zero-response\""));

    (void)state;
    assert_int_equal(issue(w, CCP_SNP_PLATFORM_STATUS), 0);
    assert_true(psp_all_zero(fake_user_at(&w->u, U, 32), 32));
    assert_int_equal(issue(w, CCP_SNP_PLATFORM_STATUS), 0);
    assert_int_equal(fake_user_at(&w->u, U, 32)[2], 1);
    world_free(w);
}

static void truncate__in_the_second_buffer__zeros_from_there(void **state)
{
    struct world *w = world_new(
        "milan", AT("\"request\": 2, \"command\": \"PDH_CERT_EXPORT\"",
                    "\"truncate\", \"size\": 2090"));
    uint8_t honest[CERT + CHAIN], hurt[CERT + CHAIN];

    (void)state;
    assert_int_equal(export_certs(w, honest), 0);
    assert_int_equal(export_certs(w, hurt), 0);
    assert_memory_equal(honest, hurt, 2090);
    assert_true(psp_all_zero(hurt + 2090, sizeof(hurt) - 2090));
    world_free(w);
}

static void replay__export_after_pdh_gen__the_old_pdh(void **state)
{
    struct world *w = world_new(
        "milan",
        AT("\"request\": 2, \"command\": \"PDH_CERT_EXPORT\"", "\"replay\""));
    uint8_t old[CERT + CHAIN], replayed[CERT + CHAIN], now[CERT + CHAIN];

    (void)state;
    assert_int_equal(export_certs(w, old), 0);
    assert_int_equal(issue(w, CCP_PDH_GEN), 0);
    assert_int_equal(export_certs(w, replayed), 0);
    assert_memory_equal(old, replayed, sizeof(old));
    assert_int_equal(export_certs(w, now), 0);
    assert_memory_not_equal(old, now, CERT);
    world_free(w);
}

static void replay__none_yet__passes(void **state)
{
    struct world *w = world_new("milan", FIRST("GET_ID", "\"replay\""));
    uint8_t first[64], second[64];

    (void)state;
    assert_int_equal(get_id(w, first), 0);
    assert_int_equal(get_id(w, second), 0);
    assert_memory_equal(first, second, 64);
    assert_string_equal(
        w->lines, "sev-command 1 GET_ID: replay response: there is none yet\n");
    world_free(w);
}

/* --- another guest --- */

static void assert_about(const struct sev_report *report,
                         const struct sev_report *whom, bool same)
{
    assert_int_equal(
        memcmp(report->launch_digest, whom->launch_digest, 32) == 0, same);
}

static void reports_of_both(struct world *w, struct sev_report *a,
                            struct sev_report *b)
{
    assert_int_equal(get_report(w, legacy_vm_handle(w->a), 1, a), 0);
    assert_int_equal(get_report(w, legacy_vm_handle(w->b), 2, b), 0);
    assert_about(a, b, false);
}

static void substituted_request(const char *json, const char *line)
{
    struct world *w = world_new("milan", json);
    struct sev_report a, b, r;

    reports_of_both(w, &a, &b);
    assert_int_equal(get_report(w, legacy_vm_handle(w->a), 3, &r), 0);
    assert_about(&r, &b, true);
    assert_int_equal(r.mnonce[0], 3); /* fresh, and about another guest */
    assert_string_equal(w->lines, line);
    world_free(w);
}

#define THIRD_REPORT "\"request\": 3, \"command\": \"ATTESTATION\""

static void substitute__request_by_name__fresh_report_of_the_other(void **state)
{
    (void)state;
    substituted_request(
        AT(THIRD_REPORT,
           "\"substitute\", \"part\": \"request\", \"from\": \"b\""),
        "sev-command 3 ATTESTATION: substitute request, b\n");
}

static void substitute__request_by_handle__the_same(void **state)
{
    (void)state;
    substituted_request(
        AT(THIRD_REPORT, "\"substitute\", \"part\": \"request\", \"from\": 2"),
        "sev-command 3 ATTESTATION: substitute request, handle 2\n");
}

static void substitute__response__old_report_of_the_other(void **state)
{
    struct world *w =
        world_new("milan", AT(THIRD_REPORT, "\"substitute\", \"from\": \"b\""));
    struct sev_report a, b, r;

    (void)state;
    reports_of_both(w, &a, &b);
    assert_int_equal(get_report(w, legacy_vm_handle(w->a), 3, &r), 0);
    assert_about(&r, &b, true);
    assert_int_equal(r.mnonce[0], 2);
    world_free(w);
}

static void substitute__nobody_of_that_name__request_passes(void **state)
{
    struct world *w = world_new(
        "milan",
        AT(THIRD_REPORT,
           "\"substitute\", \"part\": \"request\", \"from\": \"nobody\""));
    struct sev_report a, b, r;

    (void)state;
    reports_of_both(w, &a, &b);
    assert_int_equal(get_report(w, legacy_vm_handle(w->a), 3, &r), 0);
    assert_about(&r, &a, true);
    assert_string_equal(
        w->lines,
        "sev-command 3 ATTESTATION: substitute request: there is no such "
        "guest\n");
    world_free(w);
}

static void substitute__guest_is_gone__no_such_guest(void **state)
{
    struct world *w = world_new(
        "milan", FIRST("ATTESTATION", "\"substitute\", \"part\": \"request\", "
                                      "\"from\": \"b\""));
    struct sev_report r;

    (void)state;
    legacy_vm_destroy(w->b);
    assert_int_equal(get_report(w, legacy_vm_handle(w->a), 3, &r), 0);
    assert_non_null(strstr(w->lines, "there is no such guest"));
    world_free(w);
}

/* --- filters --- */

static void hits(const char *when, const char *digits)
{
    char json[256], got[8] = "";
    struct world *w;
    struct sev_report r;

    (void)snprintf(json, sizeof(json),
                   AT("%s", "\"firmware-error\", \"status\": 1"), when);
    w = world_new("milan", json);
    for (uint32_t i = 0; i < 4; i++) {
        if (get_report(w, 1 + i % 3, 0, &r) != 0 && w->error == 1) {
            (void)sprintf(got + strlen(got), "%u", i + 1);
        }
    }
    assert_string_equal(got, digits);
    world_free(w);
}

static void filter__guest__its_handle_only(void **state)
{
    (void)state;
    hits("\"every\": 1, \"command\": \"ATTESTATION\", \"guest\": \"b\"", "2");
}

static void filter__handle__that_handle_only(void **state)
{
    (void)state;
    hits("\"every\": 1, \"command\": \"ATTESTATION\", \"handle\": 1", "14");
}

static void filter__handle_of_nobody__counts_too(void **state)
{
    (void)state;
    hits("\"every\": 1, \"command\": \"ATTESTATION\", \"handle\": 3", "3");
}

static void filter__another_command__never(void **state)
{
    (void)state;
    hits("\"every\": 1, \"command\": \"GET_ID\"", "");
}

/* SNP_PAGE_RECLAIM comes with every answer in memory of its own. */
static void reclaim__named__the_page_is_lost(void **state)
{
    struct world *w =
        world_new("milan", FIRST("SNP_PAGE_RECLAIM",
                                 "\"firmware-error\", \"status\": 22"));
    uint8_t id[64];

    (void)state;
    assert_int_equal(get_id(w, id), -EFAULT);
    assert_int_equal(get_id(w, id), 0);
    assert_string_equal(
        w->lines,
        "sev-command 1 SNP_PAGE_RECLAIM: firmware-error, status 0x16\n");
    world_free(w);
}

static void clear__hits_no_more(void **state)
{
    struct world *w = world_new(
        "milan", AT("\"every\": 1", "\"firmware-error\", \"status\": 1"));
    uint8_t id[64];

    (void)state;
    assert_int_equal(get_id(w, id), -EIO);
    fault_plan_clear(w->plan);
    assert_int_equal(get_id(w, id), 0);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(firmware_error__once__eio_with_the_status),
        cmocka_unit_test(delay__passes_afterwards),
        cmocka_unit_test(drop__answer__etimedout_then_dead),
        cmocka_unit_test(drop__request__never_executed),
        cmocka_unit_test(drop__command_of_the_hypervisor__driver_finds_it_dead),
        cmocka_unit_test(crash__answer__after_the_firmware),
        cmocka_unit_test(crash__request__before_the_firmware),
        cmocka_unit_test(flip__first_buffer__that_byte_only),
        cmocka_unit_test(flip__second_buffer__that_byte_only),
        cmocka_unit_test(flip__past_the_answer__nothing),
        cmocka_unit_test(flip__answer_in_the_command_buffer__seen),
        cmocka_unit_test(flip__refused_command__there_is_no_response),
        cmocka_unit_test(flip__handle_in_the_request__invalid_guest),
        cmocka_unit_test(zero_response__id_of_zeros),
        cmocka_unit_test(zero_response__snp_status_page__zeros),
        cmocka_unit_test(truncate__in_the_second_buffer__zeros_from_there),
        cmocka_unit_test(replay__export_after_pdh_gen__the_old_pdh),
        cmocka_unit_test(replay__none_yet__passes),
        cmocka_unit_test(
            substitute__request_by_name__fresh_report_of_the_other),
        cmocka_unit_test(substitute__request_by_handle__the_same),
        cmocka_unit_test(substitute__response__old_report_of_the_other),
        cmocka_unit_test(substitute__nobody_of_that_name__request_passes),
        cmocka_unit_test(substitute__guest_is_gone__no_such_guest),
        cmocka_unit_test(filter__guest__its_handle_only),
        cmocka_unit_test(filter__handle__that_handle_only),
        cmocka_unit_test(filter__handle_of_nobody__counts_too),
        cmocka_unit_test(filter__another_command__never),
        cmocka_unit_test(reclaim__named__the_page_is_lost),
        cmocka_unit_test(clear__hits_no_more),
    };

    return cmocka_run_group_tests_name("ccp_faults", tests, NULL, NULL);
}
