/* SPDX-License-Identifier: Apache-2.0 */
/* A legacy guest whose policy wants SEV platforms only moves between two
 * platforms of one installation: the sender follows the receiver's chain to the
 * root that the installation gave it. abi/sev.md SEND_START, step 7 */
#include "tst.h"

#include "install.h"
#include "legacy_vm.h"
#include "machine.h"
#include "pki.h"
#include "sev_cmd.h"
#include "sev_pki.h"
#include "sev_session.h"
#include "wire.h"

#define CHAIN_SIZE (3 * SEV_CERT_SIZE)

/* One platform, and a few pages of its host's memory. Without SNP, so that the
 * firmware may write to them. */
struct box {
    struct install *install;
    struct machine *m;
    struct psp_chip chip;
    uint64_t pages; /* see below */
    size_t amd_size;
};

enum { PDH, CHAIN, AMD = CHAIN + 2, SESSION = AMD + 2, PAGES };

static uint64_t at(const struct box *b, int page)
{
    return b->pages + (uint64_t)page * 0x1000;
}

static void box_open(struct box *b, const char *profile, uint32_t chip,
                     const char *seed_file, const char *state_dir, bool roots)
{
    struct install_config ic = {.use_dev_seed = seed_file == NULL,
                                .seed_file = seed_file,
                                .state_dir = state_dir};
    struct machine_config config = {.profile = psp_profile_by_name(profile)};
    enum psp_generation generation = config.profile->generation;
    char error[INSTALL_ERROR_SIZE] = "";

    memset(b, 0, sizeof(*b));
    if (install_open(&ic, &b->install, error) != 0) {
        fail_msg("%s", error);
    }
    install_chip(b->install, generation, chip, &b->chip);
    config.chip = b->chip;
    if (roots) {
        assert_int_equal(
            install_sev_root(b->install, generation, &config.sev, error), 0);
        assert_int_equal(config.sev.root_count, 1);
    }
    assert_int_equal(machine_create(&config, &b->m), 0);
    assert_int_equal(machine_platform_init(b->m), SEV_SUCCESS);
    b->pages = machine_pages_alloc(b->m, PAGES);
    assert_int_not_equal(b->pages, 0);
}

static void box_close(struct box *b)
{
    machine_destroy(b->m);
    install_close(b->install);
}

#define DOES(name, NAME)                                                       \
    static enum sev_status do_##name(struct box *b, uint32_t id,               \
                                     struct sev_cmd_##name *c)                 \
    {                                                                          \
        uint8_t buf[SEV_CMD_##NAME##_SIZE];                                    \
        enum sev_status status;                                                \
                                                                               \
        sev_cmd_##name##_encode(c, buf);                                       \
        status = machine_command(b->m, id, buf, sizeof(buf));                  \
        sev_cmd_##name##_decode(buf, c);                                       \
        return status;                                                         \
    }                                                                          \
    extern int test_install_root_unused

DOES(certs, CERTS);
DOES(handle, HANDLE);
DOES(send_start, SEND_START);
DOES(start, START);

/* What @to shows of itself, in @from's memory. */
static void show(struct box *from, struct box *to)
{
    uint8_t pdh[SEV_CERT_SIZE], chain[CHAIN_SIZE], amd[PKI_ASK_ARK_MAX_SIZE];
    enum psp_generation g = machine_profile(to->m)->generation;
    struct sev_cmd_certs c = {at(to, PDH), SEV_CERT_SIZE, 0, at(to, CHAIN),
                              CHAIN_SIZE};
    char error[INSTALL_ERROR_SIZE];
    struct pki_ca *ca = NULL;
    size_t size = 0;

    assert_int_equal(do_certs(to, SEV_CMD_PDH_CERT_EXPORT, &c), SEV_SUCCESS);
    assert_int_equal(machine_read(to->m, at(to, PDH), pdh, sizeof(pdh)), 0);
    assert_int_equal(machine_read(to->m, at(to, CHAIN), chain, sizeof(chain)),
                     0);
    assert_int_equal(install_ca(to->install, g, &ca, error), 0);
    assert_int_equal(pki_cek_cert(ca, &to->chip, chain + 2 * SEV_CERT_SIZE),
                     PSP_OK);
    assert_int_equal(pki_ask_ark(ca, amd, &size), PSP_OK);
    assert_int_equal(machine_write(from->m, at(from, PDH), pdh, sizeof(pdh)),
                     0);
    assert_int_equal(
        machine_write(from->m, at(from, CHAIN), chain, sizeof(chain)), 0);
    assert_int_equal(machine_write(from->m, at(from, AMD), amd, size), 0);
    from->amd_size = size;
}

static enum sev_status send_start(struct box *from, uint32_t handle)
{
    struct sev_cmd_send_start c = {.handle = handle,
                                   .pdh_paddr = at(from, PDH),
                                   .pdh_length = SEV_CERT_SIZE,
                                   .plat_paddr = at(from, CHAIN),
                                   .plat_length = CHAIN_SIZE,
                                   .amd_paddr = at(from, AMD),
                                   .amd_length = (uint32_t)from->amd_size,
                                   .session_paddr = at(from, SESSION),
                                   .session_length = SEV_SESSION_SIZE};

    return do_send_start(from, SEV_CMD_SEND_START, &c);
}

/* A guest for SEV platforms only. */
static struct legacy_vm *launch(struct box *b, struct legacy_vm_host **host)
{
    struct legacy_vm_spec spec;
    struct legacy_vm *g = NULL;
    enum sev_status status = SEV_SUCCESS;

    assert_int_equal(legacy_vm_host_new(b->m, host), 0);
    assert_int_equal(legacy_vm_spec_default(&spec), 0);
    spec.policy = SEV_POLICY_SEV;
    assert_int_equal(legacy_vm_launch(*host, &spec, &g, &status), 0);
    legacy_vm_spec_clear(&spec);
    return g;
}

static enum sev_status send_between(struct box *from, struct box *to)
{
    struct legacy_vm_host *host = NULL;
    struct legacy_vm *g = launch(from, &host);
    enum sev_status status;

    show(from, to);
    status = send_start(from, legacy_vm_handle(g));
    legacy_vm_destroy(g);
    legacy_vm_host_free(host);
    return status;
}

/* Bytes from one host to the other, as its network would. */
static void carry(struct box *from, struct box *to, int page, size_t size)
{
    uint8_t buf[0x1000];

    assert_int_equal(machine_read(from->m, at(from, page), buf, size), 0);
    assert_int_equal(machine_write(to->m, at(to, page), buf, size), 0);
}

static void export_pdh(struct box *b)
{
    struct sev_cmd_certs c = {at(b, PDH), SEV_CERT_SIZE, 0, at(b, CHAIN),
                              CHAIN_SIZE};

    assert_int_equal(do_certs(b, SEV_CMD_PDH_CERT_EXPORT, &c), SEV_SUCCESS);
}

static void receive_start(struct box *from, struct box *to, uint32_t *handle)
{
    struct sev_cmd_start c = {.policy = SEV_POLICY_SEV,
                              .cert_paddr = at(to, PDH),
                              .cert_length = SEV_CERT_SIZE,
                              .session_paddr = at(to, SESSION),
                              .session_length = SEV_SESSION_SIZE};

    export_pdh(from);
    carry(from, to, PDH, SEV_CERT_SIZE);
    carry(from, to, SESSION, SEV_SESSION_SIZE);
    assert_int_equal(do_start(to, SEV_CMD_RECEIVE_START, &c), SEV_SUCCESS);
    *handle = c.handle;
}

static void policy_sev__two_platforms_of_an_installation__guest_moves(void **s)
{
    struct legacy_vm_host *host = NULL;
    struct box a, b;
    struct legacy_vm *g;
    struct sev_cmd_handle h;
    uint32_t received = 0;

    (void)s;
    box_open(&a, "naples", 0, NULL, NULL, true);
    box_open(&b, "naples", 1, NULL, NULL, true);
    assert_memory_not_equal(a.chip.id, b.chip.id, sizeof(a.chip.id));
    g = launch(&a, &host);
    show(&a, &b);
    assert_int_equal(send_start(&a, legacy_vm_handle(g)), SEV_SUCCESS);
    receive_start(&a, &b, &received);
    h = (struct sev_cmd_handle){legacy_vm_handle(g)};
    assert_int_equal(do_handle(&a, SEV_CMD_SEND_FINISH, &h), SEV_SUCCESS);
    h.handle = received;
    assert_int_equal(do_handle(&b, SEV_CMD_DECOMMISSION, &h), SEV_SUCCESS);
    legacy_vm_destroy(g);
    legacy_vm_host_free(host);
    box_close(&a);
    box_close(&b);
}

static void policy_sev__no_root__refused(void **state)
{
    struct box a, b;

    (void)state;
    box_open(&a, "naples", 0, NULL, NULL, false);
    box_open(&b, "naples", 1, NULL, NULL, true);
    assert_int_equal(send_between(&a, &b), SEV_INVALID_CERTIFICATE);
    box_close(&a);
    box_close(&b);
}

static void policy_sev__platform_of_another_generation__refused(void **state)
{
    struct box a, b;

    (void)state;
    box_open(&a, "naples", 0, NULL, NULL, true);
    box_open(&b, "rome", 0, NULL, NULL, true);
    assert_int_equal(send_between(&a, &b), SEV_INVALID_CERTIFICATE);
    box_close(&a);
    box_close(&b);
}

/* The same product, whose root is named alike, but another installation's. */
static void policy_sev__platform_of_another_installation__refused(void **state)
{
    char *dir = tst_mkdtemp();
    char seed[512];
    struct box a, b;
    FILE *f;

    (void)state;
    snprintf(seed, sizeof(seed), "%s/seed", dir);
    f = fopen(seed, "w");
    assert_non_null(f);
    assert_int_equal(fwrite("another seed, another root, okay", 1, 32, f), 32);
    assert_int_equal(fclose(f), 0);
    box_open(&a, "naples", 0, NULL, NULL, true);
    box_open(&b, "naples", 0, seed, dir, true);
    assert_int_equal(send_between(&a, &b), SEV_INVALID_CERTIFICATE);
    box_close(&a);
    box_close(&b);
    tst_rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            policy_sev__two_platforms_of_an_installation__guest_moves),
        cmocka_unit_test(policy_sev__no_root__refused),
        cmocka_unit_test(policy_sev__platform_of_another_generation__refused),
        cmocka_unit_test(policy_sev__platform_of_another_installation__refused),
    };

    return cmocka_run_group_tests_name("install_root", tests, NULL, NULL);
}
