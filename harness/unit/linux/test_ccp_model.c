/* SPDX-License-Identifier: Apache-2.0 */
/* /dev/sev on the real firmware model. Certificates and reports are judged, and
 * imported ones made, by another implementation (sev_owner.py). */
#include "ccp.h"
#include "fake_user.h"
#include "legacy_vm.h"
#include "tst.h"

#include "machine.h"
#include "pki.h"
#include "wire.h"

#include <errno.h>

#define SEV_ISSUE_CMD 0xc0105300u
#define OWNER         "harness/support/sev_owner.py"
#define CERT          0x824u
#define CHAIN         0x186cu

#define ENVELOPE 0x10000ull
#define U        0x20000ull
#define B0       0x30000ull
#define B1       0x40000ull

struct world {
    struct machine *m;
    struct ccp_dev *dev;
    struct chardev chardev;
    struct fake_user u;
    uint32_t error;
    char *dir;
    bool writable;
    unsigned int erased; /* INIT_EX that answered SECURE_DATA_INVALID */
};

static void on_command(void *ctx, uint32_t command, const uint8_t *buffer,
                       size_t size, enum sev_status status)
{
    struct world *w = ctx;

    (void)buffer;
    (void)size;
    w->erased += command == 0x00d && status == SEV_SECURE_DATA_INVALID;
}

struct options {
    const char *profile;
    bool start_uninit;
    enum ccp_era era;
    bool retry;
    const char *init_ex_path;
};

static struct world *world_new(const struct options *o)
{
    struct machine_config config = {
        .profile = psp_profile_by_name(o->profile),
        .seed = PKI_DEV_SEED,
    };
    struct ccp_config ccp;
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    config.trace = (struct machine_trace){.command = on_command, .ctx = w};
    pki_chip_make(PKI_DEV_SEED, config.profile->generation, 0, &config.chip);
    assert_int_equal(machine_create(&config, &w->m), 0);
    ccp_config_default(&ccp);
    ccp.era = o->era;
    ccp.start_uninit = o->start_uninit;
    ccp.init_ex_path = o->init_ex_path;
    assert_int_equal(ccp_probe(w->m, &ccp, &w->dev), 0);
    assert_int_equal(ccp_start_status(w->dev), 0);
    w->chardev = ccp_chardev(w->dev);
    w->writable = true;
    w->dir = tst_mkdtemp();
    fake_user_init(&w->u, o->retry);
    fake_user_map(&w->u, ENVELOPE, 16, true, true);
    fake_user_map(&w->u, U, 64, true, true);
    fake_user_map(&w->u, B0, 0x4000, true, true);
    fake_user_map(&w->u, B1, 0x4000, true, true);
    return w;
}

static void world_free(struct world *w)
{
    fake_user_clear(&w->u);
    ccp_remove(w->dev);
    machine_destroy(w->m);
    tst_rmdir(w->dir);
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
    psp_wr_le32(&out, 0x5a5a5a5a);
    fake_user_put(&w->u, ENVELOPE, bytes, sizeof(bytes));
    fake_user_forget(&w->u);
    r = fake_user_ioctl(&w->u, &w->chardev, w->writable, SEV_ISSUE_CMD,
                        ENVELOPE);
    in = psp_rd(fake_user_at(&w->u, ENVELOPE + 12, 4), 4);
    w->error = psp_rd_le32(&in);
    return r;
}

/* An inner struct of up to two {u64, u32} pairs. */
static void put_ranges(struct world *w, uint64_t a, uint32_t a_len, uint64_t b,
                       uint32_t b_len)
{
    uint8_t bytes[24];
    struct psp_wr out = psp_wr(bytes, sizeof(bytes));

    psp_wr_le64(&out, a);
    psp_wr_le32(&out, a_len);
    psp_wr_le64(&out, b);
    psp_wr_le32(&out, b_len);
    fake_user_put(&w->u, U, bytes, sizeof(bytes));
}

static uint32_t u32_at(const struct world *w, uint64_t addr)
{
    struct psp_rd in = psp_rd(fake_user_at(&w->u, addr, 4), 4);

    return psp_rd_le32(&in);
}

static void assert_state(struct world *w, uint8_t state, uint32_t flags,
                         uint32_t guests)
{
    const struct psp_profile *p = machine_profile(w->m);
    const uint8_t *s;

    assert_int_equal(issue(w, CCP_PLATFORM_STATUS), 0);
    assert_int_equal(w->error, 0);
    s = fake_user_at(&w->u, U, 12);
    assert_int_equal(s[0], p->api_major);
    assert_int_equal(s[1], p->api_minor);
    assert_int_equal(s[2], state);
    assert_int_equal(u32_at(w, U + 3), flags);
    assert_int_equal(s[7], p->build);
    assert_int_equal(u32_at(w, U + 8), guests);
}

static const char *path(const struct world *w, const char *name)
{
    static char text[8][512];
    static unsigned int n;
    char *out = text[n++ % 8];

    (void)snprintf(out, sizeof(text[0]), "%s/%s", w->dir, name);
    return out;
}

static void owner(const char *a, const char *b, const char *c)
{
    const char *const argv[] = {"/usr/bin/python3", OWNER, a, b, c, NULL};
    char *output = NULL;

    if (tst_run(&output, argv) != 0) {
        fail_msg("%s", output);
    }
    free(output);
}

static void save(const struct world *w, const char *name, uint64_t addr,
                 size_t size)
{
    tst_write_file(path(w, name), fake_user_at(&w->u, addr, size), size);
}

static void put_file(struct world *w, const char *name, uint64_t addr)
{
    size_t size;
    uint8_t *bytes = tst_file(path(w, name), &size);

    fake_user_put(&w->u, addr, bytes, size);
    free(bytes);
}

static void export_chain(struct world *w)
{
    put_ranges(w, B0, CERT, B1, CHAIN);
    assert_int_equal(issue(w, CCP_PDH_CERT_EXPORT), 0);
    assert_int_equal(u32_at(w, U + 8), CERT);
    assert_int_equal(u32_at(w, U + 20), CHAIN);
    save(w, "pdh.cert", B0, CERT);
    save(w, "chain", B1, CHAIN);
    owner("check-chain", path(w, "pdh.cert"), path(w, "chain"));
}

static void request_csr(struct world *w)
{
    put_ranges(w, B0, 0, 0, 0);
    assert_int_equal(issue(w, CCP_PEK_CSR), -EIO);
    assert_int_equal(w->error, SEV_INVALID_LENGTH);
    assert_int_equal(u32_at(w, U + 8), CERT);
    put_ranges(w, B0, CERT, 0, 0);
    assert_int_equal(issue(w, CCP_PEK_CSR), 0);
    save(w, "csr", B0, CERT);
    owner("sign-csr", w->dir, path(w, "csr"));
}

static int64_t import(struct world *w)
{
    put_file(w, "pek.cert", B0);
    put_file(w, "oca.cert", B1);
    put_ranges(w, B0, CERT, B1, CERT);
    return issue(w, CCP_PEK_CERT_IMPORT);
}

/* --- the walk of a platform owner --- */

static const struct options WALKS[] = {
    {"milan", false, CCP_ERA_S3, false, NULL},
    {"milan", false, CCP_ERA_S3, true, NULL},
    {"naples", false, CCP_ERA_L, false, NULL},
    {"turin", false, CCP_ERA_S2, true, NULL},
};

static void walk__csr_import_export_reset(void **state)
{
    const struct options *o = *state;
    struct world *w = world_new(o);
    uint8_t self_owned[CHAIN];
    uint8_t pdh[CERT];

    assert_state(w, 1, 0x100, 0);
    export_chain(w);
    memcpy(self_owned, fake_user_at(&w->u, B1, CHAIN), CHAIN);
    memcpy(pdh, fake_user_at(&w->u, B0, CERT), CERT);

    request_csr(w);
    assert_int_equal(import(w), 0);
    assert_int_equal(w->error, 0);
    assert_state(w, 1, 0x101, 0);
    export_chain(w);
    assert_memory_not_equal(fake_user_at(&w->u, B0, CERT), pdh, CERT);
    {
        size_t size;
        uint8_t *oca = tst_file(path(w, "oca.cert"), &size);

        assert_memory_equal(fake_user_at(&w->u, B1 + CERT, CERT), oca, CERT);
        free(oca);
    }

    assert_int_equal(import(w), -EIO);
    assert_int_equal(w->error, SEV_ALREADY_OWNED);

    assert_int_equal(issue(w, CCP_FACTORY_RESET), 0);
    assert_state(w, 0, 0, 0);
    export_chain(w);
    assert_memory_not_equal(fake_user_at(&w->u, B1, CHAIN), self_owned, CHAIN);
    if (o->era == CCP_ERA_L) {
        assert_state(w, 1, 0x100, 0); /* the implicit INIT stays */
    } else {
        assert_state(w, 0, 0, 0);
    }
    world_free(w);
}

static void walk__stale_csr__invalid_certificate(void **state)
{
    struct world *w = world_new(&WALKS[0]);

    (void)state;
    request_csr(w);
    assert_int_equal(issue(w, CCP_PEK_GEN), 0);
    assert_int_equal(import(w), -EIO);
    assert_int_equal(w->error, SEV_INVALID_CERTIFICATE);
    assert_state(w, 1, 0x100, 0);
    world_free(w);
}

static void pdh_gen__new_pdh_same_pek(void **state)
{
    struct world *w = world_new(&WALKS[0]);
    uint8_t pdh[CERT];
    uint8_t chain[CHAIN];

    (void)state;
    export_chain(w);
    memcpy(pdh, fake_user_at(&w->u, B0, CERT), CERT);
    memcpy(chain, fake_user_at(&w->u, B1, CHAIN), CHAIN);
    assert_int_equal(issue(w, CCP_PDH_GEN), 0);
    export_chain(w);
    assert_memory_not_equal(fake_user_at(&w->u, B0, CERT), pdh, CERT);
    assert_memory_equal(fake_user_at(&w->u, B1, CHAIN), chain, CHAIN);
    world_free(w);
}

/* --- identity --- */

static void get_id__both_forms__the_chip_id(void **state)
{
    struct world *w = world_new(&WALKS[0]);
    struct psp_chip chip;

    (void)state;
    pki_chip_make(PKI_DEV_SEED, PSP_MILAN, 0, &chip);
    put_ranges(w, B0, 64, 0, 0);
    assert_int_equal(issue(w, CCP_GET_ID2), 0);
    assert_int_equal(u32_at(w, U + 8), 64);
    assert_memory_equal(fake_user_at(&w->u, B0, 64), chip.id, 64);
    assert_int_equal(issue(w, CCP_GET_ID), 0);
    assert_memory_equal(fake_user_at(&w->u, U, 64), chip.id, 64);
    put_ranges(w, 0, 0, 0, 0);
    assert_int_equal(issue(w, CCP_GET_ID2), -EIO);
    assert_int_equal(w->error, SEV_INVALID_LENGTH);
    assert_int_equal(u32_at(w, U + 8), 64);
    world_free(w);
}

static void get_id2__4_mib_buffer__works(void **state)
{
    struct world *w = world_new(&WALKS[0]);

    (void)state;
    put_ranges(w, B0, 0x400000, 0, 0);
    assert_int_equal(issue(w, CCP_GET_ID2), 0);
    assert_int_equal(u32_at(w, U + 8), 64);
    world_free(w);
}

/* --- reports --- */

static void put_report_request(struct world *w, uint32_t len, uint32_t handle)
{
    uint8_t bytes[32];
    struct psp_wr out = psp_wr(bytes, sizeof(bytes));

    for (uint8_t i = 0; i < 16; i++) {
        psp_wr_u8(&out, i);
    }
    psp_wr_le64(&out, B0);
    psp_wr_le32(&out, len);
    psp_wr_le32(&out, handle);
    fake_user_put(&w->u, U, bytes, sizeof(bytes));
}

static void get_report__launched_guest__signed_by_the_pek(void **state)
{
    struct world *w = world_new(*state);
    struct legacy_vm_host *host;
    struct legacy_vm_spec spec;
    struct legacy_vm *vm;
    enum sev_status status;
    uint8_t policy_and_nonce[4] = {1, 0, 0, 0};
    uint8_t nonce[16];

    export_chain(w);
    assert_int_equal(legacy_vm_host_new(w->m, &host), 0);
    assert_int_equal(legacy_vm_spec_default(&spec), 0);
    assert_int_equal(legacy_vm_launch(host, &spec, &vm, &status), 0);

    w->writable = false; /* the patch asks for no write access */
    put_report_request(w, 0, legacy_vm_handle(vm));
    assert_int_equal(issue(w, CCP_GET_REPORT_PRIVATE), -EIO);
    assert_int_equal(w->error, SEV_INVALID_LENGTH);
    assert_int_equal(u32_at(w, U + 24), 208);

    put_report_request(w, 208, legacy_vm_handle(vm));
    assert_int_equal(issue(w, CCP_GET_REPORT_PRIVATE), 0);
    for (uint8_t i = 0; i < 16; i++) {
        nonce[i] = i;
    }
    assert_memory_equal(fake_user_at(&w->u, B0, 16), nonce, 16);
    assert_memory_equal(fake_user_at(&w->u, B0 + 0x30, 4), policy_and_nonce, 4);
    save(w, "report", B0, 208);
    owner("check-report", path(w, "report"), path(w, "chain"));

    put_report_request(w, 208, 0xffffffe7); /* a hypercall that failed */
    assert_int_equal(issue(w, CCP_GET_REPORT_PRIVATE), -EIO);
    assert_int_equal(w->error, SEV_INVALID_GUEST);

    w->writable = true;
    assert_int_equal(issue(w, CCP_FACTORY_RESET), -EBUSY);
    assert_int_equal(w->error, 0);
    assert_state(w, 2, 0x100, 1);

    legacy_vm_destroy(vm);
    assert_state(w, 1, 0x100, 0);
    put_report_request(w, 208, 1);
    assert_int_equal(issue(w, CCP_GET_REPORT_PRIVATE), -EIO);
    assert_int_equal(w->error, SEV_INVALID_PLATFORM_STATE);
    legacy_vm_spec_clear(&spec);
    legacy_vm_host_free(host);
    world_free(w);
}

/* --- SNP --- */

static void snp_status__after_probe__initialised(void **state)
{
    struct world *w = world_new(&WALKS[0]);
    const struct psp_profile *p = machine_profile(w->m);
    const uint8_t *s;

    (void)state;
    assert_int_equal(issue(w, CCP_SNP_PLATFORM_STATUS), 0);
    s = fake_user_at(&w->u, U, 32);
    assert_int_equal(s[0], p->api_major);
    assert_int_equal(s[1], p->api_minor);
    assert_int_equal(s[2], 1);
    assert_int_equal(s[3] & 1, 1);
    assert_memory_equal(s + 16, p->tcb.b, 8);
    assert_memory_equal(s + 24, p->tcb.b, 8);
    world_free(w);
}

static void snp_config__lower_then_default(void **state)
{
    struct world *w = world_new(&WALKS[0]);
    const struct psp_profile *p = machine_profile(w->m);
    uint8_t config[64] = {0};

    (void)state;
    memcpy(config, p->tcb.b, 8);
    config[6] = (uint8_t)(config[6] - 1); /* SNP SVN */
    config[8] = 1;                        /* MASK_CHIP_ID */
    fake_user_put(&w->u, U, config, sizeof(config));
    assert_int_equal(issue(w, CCP_SNP_SET_CONFIG), 0);
    assert_int_equal(issue(w, CCP_SNP_PLATFORM_STATUS), 0);
    assert_memory_equal(fake_user_at(&w->u, U + 24, 8), config, 8);
    assert_int_equal(u32_at(w, U + 8) & 3, 1);

    config[6] = (uint8_t)(config[6] + 2); /* above the committed one */
    fake_user_put(&w->u, U, config, sizeof(config));
    assert_int_equal(issue(w, CCP_SNP_SET_CONFIG), -EIO);
    assert_int_equal(w->error, SEV_INVALID_PARAM);

    assert_int_equal(issue(w, CCP_SNP_COMMIT), 0);
    assert_int_equal(issue(w, CCP_SNP_PLATFORM_STATUS), 0);
    assert_memory_equal(fake_user_at(&w->u, U + 24, 8), p->tcb.b, 8);
    world_free(w);
}

static void vlek_load__garbage__refused_by_firmware(void **state)
{
    struct world *w = world_new(&WALKS[0]);
    uint8_t args[16] = {16};
    struct psp_wr out = psp_wr(args + 8, 8);

    (void)state;
    psp_wr_le64(&out, B0);
    fake_user_put(&w->u, U, args, sizeof(args));
    assert_int_equal(issue(w, CCP_SNP_VLEK_LOAD), -EIO);
    assert_int_not_equal(w->error, 0);
    world_free(w);
}

/* --- starting from nothing --- */

static void uninit__pek_gen__as_the_era_says(void **state)
{
    const struct options *o = *state;
    struct world *w = world_new(o);

    assert_state(w, 0, 0, 0);
    assert_int_equal(issue(w, CCP_PEK_GEN), 0);
    assert_state(w, o->era <= CCP_ERA_S1, o->era <= CCP_ERA_S1 ? 0x100 : 0, 0);
    assert_int_equal(issue(w, CCP_PEK_GEN), 0);
    export_chain(w);
    world_free(w);
}

static const struct options UNINITS[] = {
    {"milan", true, CCP_ERA_L, false, NULL},
    {"milan", true, CCP_ERA_S1, false, NULL},
    {"milan", true, CCP_ERA_S2, false, NULL},
    {"milan", true, CCP_ERA_S3, true, NULL},
    {"rome", true, CCP_ERA_S3, false, NULL},
};

static void uninit__snp_commands__s2_starts_snp_for_them(void **state)
{
    struct world *w = world_new(&UNINITS[2]);

    (void)state;
    assert_int_equal(issue(w, CCP_SNP_COMMIT), 0);
    assert_int_equal(issue(w, CCP_SNP_PLATFORM_STATUS), 0);
    assert_int_equal(*fake_user_at(&w->u, U + 2, 1), 0);
    assert_false(machine_snp_initialized(w->m));
    world_free(w);
}

static void uninit__shutdown_and_init_again__pages_come_back(void **state)
{
    struct world *w = world_new(&UNINITS[3]);
    size_t pages;

    (void)state;
    assert_int_equal(issue(w, CCP_PEK_GEN), 0);
    pages = machine_resident_pages(w->m);
    for (unsigned int i = 0; i < 3; i++) {
        assert_int_equal(issue(w, CCP_PDH_GEN), 0);
    }
    assert_int_equal(machine_resident_pages(w->m), pages);
    world_free(w);
}

/* A guest is launched after somebody has reset the platform: it comes up again,
 * and stays. */
static void guest_init__after_a_reset__initialised_again(void **state)
{
    struct world *w = world_new(&WALKS[0]);
    enum sev_status status;

    (void)state;
    assert_int_equal(issue(w, CCP_FACTORY_RESET), 0);
    assert_state(w, 0, 0, 0);
    assert_int_equal(ccp_guest_init(w->dev, &status), 0);
    assert_state(w, 1, 0x100, 0);
    assert_int_equal(issue(w, CCP_PEK_GEN), 0);
    assert_state(w, 1, 0x100, 0);
    assert_int_equal(ccp_guest_init(w->dev, &status), 0);
    world_free(w);
}

static void guest_init__host_without_kvm__left_alone(void **state)
{
    struct world *w = world_new(&UNINITS[3]);
    enum sev_status status;

    (void)state;
    assert_int_equal(ccp_guest_init(w->dev, &status), 0);
    assert_state(w, 0, 0, 0);
    world_free(w);
}

/* --- INIT_EX --- */

static void init_ex__second_machine__same_keys(void **state)
{
    char *dir = tst_mkdtemp();
    char nv[512];
    struct options o = {"milan", false, CCP_ERA_S3, false, nv};
    struct world *w;
    uint8_t chain[CHAIN];

    (void)state;
    (void)snprintf(nv, sizeof(nv), "%s/nv", dir);
    w = world_new(&o);
    assert_int_equal(issue(w, CCP_PEK_GEN), 0);
    export_chain(w);
    memcpy(chain, fake_user_at(&w->u, B1, CHAIN), CHAIN);
    world_free(w);

    w = world_new(&o);
    export_chain(w);
    assert_memory_equal(fake_user_at(&w->u, B1, CHAIN), chain, CHAIN);
    assert_int_equal(issue(w, CCP_FACTORY_RESET), 0);
    world_free(w);

    w = world_new(&o);
    export_chain(w);
    assert_memory_not_equal(fake_user_at(&w->u, B1, CHAIN), chain, CHAIN);
    world_free(w);
    tst_rmdir(dir);
}

static void init_ex__corrupted_file__erased_and_retried(void **state)
{
    char *dir = tst_mkdtemp();
    char nv[512];
    struct options o = {"milan", false, CCP_ERA_S3, false, nv};
    struct world *w;
    uint8_t *bytes;
    size_t size;

    (void)state;
    (void)snprintf(nv, sizeof(nv), "%s/nv", dir);
    w = world_new(&o);
    assert_int_equal(w->erased, 0);
    world_free(w);
    bytes = tst_file(nv, &size);
    assert_int_equal(size, 0x8000);
    bytes[100] ^= 1;
    tst_write_file(nv, bytes, size);
    free(bytes);

    w = world_new(&o);
    assert_int_equal(w->erased, 1);
    export_chain(w);
    assert_state(w, 1, 0x100, 0);
    world_free(w);
    tst_rmdir(dir);
}

/* An implicit INIT_EX gives its buffer back when it ends: the next reset finds
 * none, neither in the firmware nor in the driver. */
static void init_ex__reset_after_an_implicit_init__file_erased(void **state)
{
    struct options o = *(const struct options *)*state;
    char *dir = tst_mkdtemp();
    char nv[512];
    struct world *w;
    uint8_t *bytes;
    size_t size;

    (void)snprintf(nv, sizeof(nv), "%s/nv", dir);
    o.init_ex_path = nv;
    w = world_new(&o);
    assert_int_equal(issue(w, CCP_FACTORY_RESET), 0);
    assert_int_equal(issue(w, CCP_PEK_GEN), 0);
    assert_int_equal(issue(w, CCP_FACTORY_RESET), 0);
    assert_int_equal(w->error, 0);
    world_free(w);
    bytes = tst_file(nv, &size);
    assert_int_equal(size, 0x8000);
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(bytes[i], 0xff);
    }
    free(bytes);
    tst_rmdir(dir);
}

static void probe__machine_already_up__taken_over(void **state)
{
    struct machine_config config = {.profile = psp_profile_by_name("genoa"),
                                    .seed = PKI_DEV_SEED};
    struct ccp_config ccp;
    struct ccp_dev *dev;
    struct machine *m;

    (void)state;
    pki_chip_make(PKI_DEV_SEED, PSP_GENOA, 0, &config.chip);
    assert_int_equal(machine_create(&config, &m), 0);
    assert_int_equal(machine_platform_init(m), SEV_SUCCESS);
    ccp_config_default(&ccp);
    assert_int_equal(ccp_probe(m, &ccp, &dev), 0);
    assert_int_equal(ccp_start_status(dev), 0);
    ccp_remove(dev);
    machine_destroy(m);
}

#define WITH(name, f, options)                                                 \
    {                                                                          \
        name, f, NULL, NULL, (void *)(uintptr_t) & (options)                   \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH("walk__csr_import_export_reset__milan",
             walk__csr_import_export_reset, WALKS[0]),
        WITH("walk__csr_import_export_reset__milan_by_retry",
             walk__csr_import_export_reset, WALKS[1]),
        WITH("walk__csr_import_export_reset__naples",
             walk__csr_import_export_reset, WALKS[2]),
        WITH("walk__csr_import_export_reset__turin_by_retry",
             walk__csr_import_export_reset, WALKS[3]),
        cmocka_unit_test(walk__stale_csr__invalid_certificate),
        cmocka_unit_test(pdh_gen__new_pdh_same_pek),
        cmocka_unit_test(get_id__both_forms__the_chip_id),
        cmocka_unit_test(get_id2__4_mib_buffer__works),
        WITH("get_report__launched_guest__signed_by_the_pek__milan",
             get_report__launched_guest__signed_by_the_pek, WALKS[0]),
        WITH("get_report__launched_guest__signed_by_the_pek__milan_by_retry",
             get_report__launched_guest__signed_by_the_pek, WALKS[1]),
        cmocka_unit_test(snp_status__after_probe__initialised),
        cmocka_unit_test(snp_config__lower_then_default),
        cmocka_unit_test(vlek_load__garbage__refused_by_firmware),
        WITH("uninit__pek_gen__l_stays", uninit__pek_gen__as_the_era_says,
             UNINITS[0]),
        WITH("uninit__pek_gen__s1_stays", uninit__pek_gen__as_the_era_says,
             UNINITS[1]),
        WITH("uninit__pek_gen__s2_goes_back", uninit__pek_gen__as_the_era_says,
             UNINITS[2]),
        WITH("uninit__pek_gen__s3_goes_back", uninit__pek_gen__as_the_era_says,
             UNINITS[3]),
        WITH("uninit__pek_gen__rome_s3_goes_back",
             uninit__pek_gen__as_the_era_says, UNINITS[4]),
        cmocka_unit_test(uninit__snp_commands__s2_starts_snp_for_them),
        cmocka_unit_test(uninit__shutdown_and_init_again__pages_come_back),
        cmocka_unit_test(guest_init__after_a_reset__initialised_again),
        cmocka_unit_test(guest_init__host_without_kvm__left_alone),
        cmocka_unit_test(init_ex__second_machine__same_keys),
        cmocka_unit_test(init_ex__corrupted_file__erased_and_retried),
        WITH("init_ex__reset_after_an_implicit_init__file_erased",
             init_ex__reset_after_an_implicit_init__file_erased, WALKS[0]),
        WITH("init_ex__reset_of_an_uninitialised_host__file_erased",
             init_ex__reset_after_an_implicit_init__file_erased, UNINITS[3]),
        cmocka_unit_test(probe__machine_already_up__taken_over),
    };

    return cmocka_run_group_tests_name("ccp_model", tests, NULL, NULL);
}
