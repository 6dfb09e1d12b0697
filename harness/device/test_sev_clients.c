/* SPDX-License-Identifier: Apache-2.0 */
/* Programs built from the kernel's header alone use /dev/sev: firmware model,
 * driver and seccomp transport as they are under "swpsp run". */
#include "ccp.h"
#include "legacy_vm.h"
#include "seccomp.h"
#include "tst.h"

#include "machine.h"
#include "pki.h"

#include <errno.h>
#include <unistd.h>

#define OWNER "harness/support/sev_owner.py"

struct world {
    struct machine *m;
    struct ccp_dev *dev;
    char *dir;
};

static struct world world_new(enum ccp_abi abi)
{
    struct machine_config config = {
        .profile = psp_profile_by_name("milan"),
        .seed = PKI_DEV_SEED,
    };
    struct ccp_config ccp;
    struct world w = {0};

    pki_chip_make(PKI_DEV_SEED, PSP_MILAN, 0, &config.chip);
    assert_int_equal(machine_create(&config, &w.m), 0);
    ccp_config_default(&ccp);
    ccp.abi = abi;
    assert_int_equal(ccp_probe(w.m, &ccp, &w.dev), 0);
    assert_int_equal(ccp_start_status(w.dev), 0);
    w.dir = tst_mkdtemp();
    return w;
}

static void world_free(struct world *w)
{
    ccp_remove(w->dev);
    machine_destroy(w->m);
    tst_rmdir(w->dir);
}

/* A shell command with $C the client folder and $D the world's. Its output goes
 * to $D/out. Skips where the kernel has no user notification. */
static int run(const struct world *w, const char *command)
{
    const char *build = getenv("SWPSP_BUILD");
    struct run_node node = {
        .path = "/dev/sev", .dev = ccp_chardev(w->dev), .mode = 0600};
    char script[2048];
    char sh[] = "/bin/sh";
    char c[] = "-c";
    char *const argv[] = {sh, c, script, NULL};
    struct run_config config = {
        .nodes = &node, .node_count = 1, .argv = argv, .force = true};
    char error[RUN_ERROR_SIZE];
    int status = -1;
    int r;

    if (build == NULL) {
        build = "build/debug";
    }
    node.uid = (uint32_t)getuid();
    (void)snprintf(script, sizeof(script),
                   "C=%s/client D=%s; export C D; { %s; } >\"$D/out\" 2>&1",
                   build, w->dir, command);
    r = seccomp_run(&config, &status, error);
    if (r == -ENOSYS || r == -EBUSY) {
        skip();
    }
    if (r != 0) {
        fail_msg("%s", error);
    }
    return status;
}

static char *output(const struct world *w)
{
    char path[512];
    size_t size;
    uint8_t *bytes;
    char *text;

    (void)snprintf(path, sizeof(path), "%s/out", w->dir);
    bytes = tst_file(path, &size);
    text = malloc(size + 1);
    assert_non_null(text);
    memcpy(text, bytes, size);
    text[size] = '\0';
    free(bytes);
    return text;
}

static void must(const struct world *w, const char *command)
{
    if (run(w, command) != 0) {
        fail_msg("%s: %s", command, output(w));
    }
}

static void owner__csr_import_export_reset__walks(void **state)
{
    struct world w = world_new(CCP_ABI_MAINLINE);
    char *text;

    (void)state;
    must(&w, "O=" OWNER "; set -e\n"
             "$C/sev_owner status\n"
             "$C/sev_owner export $D/pdh $D/chain\n"
             "python3 $O check-chain $D/pdh $D/chain\n"
             "$C/sev_owner csr $D/csr\n"
             "python3 $O sign-csr $D $D/csr\n"
             "$C/sev_owner import $D/pek.cert $D/oca.cert\n"
             "$C/sev_owner status\n"
             "$C/sev_owner export $D/pdh2 $D/chain2\n"
             "python3 $O check-chain $D/pdh2 $D/chain2\n"
             "$C/sev_owner pdh-gen\n"
             "$C/sev_owner reset\n"
             "$C/sev_owner status\n"
             "$C/sev_owner pek-gen\n"
             "$C/sev_owner id $D/id; $C/sev_owner id2 $D/id2\n"
             "cmp $D/id $D/id2");
    text = output(&w);
    assert_string_equal(
        text, "api 1.55 build 29 state 1 owner self es yes guests 0\n"
              "api 1.55 build 29 state 1 owner external es yes guests 0\n"
              "api 1.55 build 29 state 0 owner self es no guests 0\n");
    free(text);
    world_free(&w);
}

static void report__launched_guest__signed_by_the_pek(void **state)
{
    struct world w = world_new(CCP_ABI_AEB2022);
    struct legacy_vm_host *host;
    struct legacy_vm_spec spec;
    struct legacy_vm *vm;
    enum sev_status status;

    (void)state;
    assert_int_equal(legacy_vm_host_new(w.m, &host), 0);
    assert_int_equal(legacy_vm_spec_default(&spec), 0);
    assert_int_equal(legacy_vm_launch(host, &spec, &vm, &status), 0);
    must(&w, "set -e; $C/sev_report --handle 1 --mnonce "
             "00112233445566778899aabbccddeeff $D/report\n"
             "$C/sev_report --number 0x80000009 $D/report2\n"
             "$C/sev_owner export $D/pdh $D/chain\n"
             "python3 " OWNER " check-report $D/report $D/chain\n"
             "python3 " OWNER " check-report $D/report2 $D/chain\n"
             "od -An -tx1 -N16 $D/report | tr -d ' '");
    {
        char *text = output(&w);

        assert_string_equal(text, "00112233445566778899aabbccddeeff\n");
        free(text);
    }
    assert_int_equal(run(&w, "$C/sev_report --handle 0xffffffe7 $D/r"), 1);
    {
        char *text = output(&w);

        assert_string_equal(text,
                            "sev_report: errno 5, firmware 0x10, length 208\n");
        free(text);
    }
    legacy_vm_spec_clear(&spec);
    legacy_vm_host_free(host);
    world_free(&w);
}

/* abi/linux.md §1.3, §1.7, §1.9, §1.10, as a program sees them. */
static const char ANSWERS[] = "other_request -1 22 keep\n"
                              "unmapped_envelope -1 14 keep\n"
                              "null_envelope -1 14 keep\n"
                              "cmd_all_ones -1 22 keep\n"
                              "cmd_1000 -1 22 keep\n"
                              "read_only_envelope -1 14 keep\n"
                              "ro_factory_reset -1 1 keep\n"
                              "ro_pek_gen -1 1 keep\n"
                              "ro_pek_csr -1 1 keep\n"
                              "ro_pdh_gen -1 1 keep\n"
                              "ro_pek_cert_import -1 1 keep\n"
                              "ro_platform_status 0 0 0x0\n"
                              "ro_get_id2 0 0 0x0\n"
                              "ro_get_id2.length 64\n"
                              "io_factory_reset -1 1 keep\n"
                              "io_pek_gen -1 1 keep\n"
                              "io_pek_csr -1 1 keep\n"
                              "io_pdh_gen -1 1 keep\n"
                              "io_pek_cert_import -1 1 keep\n"
                              "io_platform_status 0 0 0x0\n"
                              "io_get_id2 0 0 0x0\n"
                              "io_get_id2.length 64\n"
                              "status_null -1 14 0x0\n"
                              "status_unmapped -1 14 0x0\n"
                              "status_read_only -1 14 0x0\n"
                              "csr_query -1 5 0x4\n"
                              "csr_query.length 2084\n"
                              "csr_address_only -1 5 0x4\n"
                              "csr_address_only.length 2084\n"
                              "csr_short -1 5 0x4\n"
                              "csr_short.length 2084\n"
                              "csr_too_long -1 14 keep\n"
                              "csr_too_long.length 16385\n"
                              "csr_unmapped -1 14 0x0\n"
                              "csr_unmapped.length 2084\n"
                              "csr_struct_unmapped -1 14 keep\n"
                              "export_query -1 5 0x4\n"
                              "export_query.lengths 2084 6252\n"
                              "export_pdh_short -1 5 0x4\n"
                              "export_pdh_short.lengths 2084 6252\n"
                              "export_chain_short -1 5 0x4\n"
                              "export_chain_short.lengths 2084 6252\n"
                              "export_too_long -1 14 keep\n"
                              "export_too_long.lengths 16385 6252\n"
                              "import_null_pek -1 22 keep\n"
                              "import_empty_oca -1 22 keep\n"
                              "import_too_long -1 22 keep\n"
                              "import_unmapped_pek -1 14 keep\n"
                              "import_short -1 5 0x4\n"
                              "id2_query -1 5 0x4\n"
                              "id2_query.length 64\n"
                              "id2_short -1 5 0x4\n"
                              "id2_short.length 64\n"
                              "id2_huge -1 12 keep\n"
                              "id2_huge.length 4294967295\n"
                              "id_unmapped -1 14 0x0\n";

static void errors__wrong_calls__as_linux_answers_them(void **state)
{
    struct world w = world_new(CCP_ABI_MAINLINE);
    char *text;

    (void)state;
    must(&w, "$C/sev_errors");
    text = output(&w);
    assert_string_equal(text, ANSWERS);
    free(text);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(owner__csr_import_export_reset__walks),
        cmocka_unit_test(report__launched_guest__signed_by_the_pek),
        cmocka_unit_test(errors__wrong_calls__as_linux_answers_them),
    };

    return cmocka_run_group_tests_name("sev_clients", tests, NULL, NULL);
}
