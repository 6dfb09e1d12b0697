/* SPDX-License-Identifier: Apache-2.0 */
#include "tst.h"

#include "id_block.h"
#include "launch_digest.h"
#include "spec.h"
#include "vm.h"
#include "vmsa.h"

#include "pki.h"
#include "wire.h"

#include <errno.h>

#define CMD_PLATFORM_STATUS 0x83u
#define CMD_GUEST_STATUS    0x92u
#define FIRST_PAGE          0x400000ull
#define SCAN_COUNT          400u
#define STATE_RUNNING       2

static struct machine *make(const char *name)
{
    struct machine_config config = {
        .profile = psp_profile_by_name(name),
        .seed = PKI_DEV_SEED,
    };
    struct machine *m = NULL;

    pki_chip_make(PKI_DEV_SEED, config.profile->generation, 0, &config.chip);
    assert_int_equal(machine_create(&config, &m), 0);
    assert_int_equal(machine_platform_init(m), SEV_SUCCESS);
    return m;
}

static int setup(void **state)
{
    *state = make("milan");
    return 0;
}

static int teardown(void **state)
{
    machine_destroy(*state);
    return 0;
}

static struct vm_spec default_spec(struct machine *m)
{
    struct vm_spec spec;

    assert_int_equal(vm_spec_default(&spec, machine_profile(m)), 0);
    return spec;
}

static struct vm *launch(struct machine *m, const struct vm_spec *spec)
{
    enum sev_status status = SEV_INVALID_COMMAND;
    struct vm *vm = NULL;

    assert_int_equal(vm_launch(m, spec, &vm, &status), 0);
    assert_int_equal(status, SEV_SUCCESS);
    return vm;
}

static struct vm *launch_default(struct machine *m)
{
    struct vm_spec spec = default_spec(m);
    struct vm *vm = launch(m, &spec);

    vm_spec_clear(&spec);
    return vm;
}

/* Physical page of a guest's page, from the RMP. */
static uint64_t find_spa(struct machine *m, uint32_t asid, uint64_t gpa)
{
    for (size_t i = 0; i < SCAN_COUNT; i++) {
        uint64_t spa = FIRST_PAGE + i * RMP_PAGE_SIZE;
        struct rmp_entry e = machine_rmp_get(m, spa);

        if (e.state == RMP_GUEST_VALID && e.asid == asid && e.gpa == gpa) {
            return spa;
        }
    }
    return 0;
}

static uint32_t status_word(struct machine *m, uint32_t command, uint64_t gctx,
                            size_t offset)
{
    uint64_t out = machine_page_alloc(m);
    uint8_t buf[16], word[4];
    struct psp_wr w = psp_wr(buf, sizeof(buf));
    struct psp_rd r = psp_rd(word, sizeof(word));

    assert_int_equal(machine_page_to_firmware(m, out), 0);
    if (command == CMD_GUEST_STATUS) {
        psp_wr_le64(&w, gctx);
    }
    psp_wr_le64(&w, out);
    assert_int_equal(machine_command(m, command, buf, w.pos), SEV_SUCCESS);
    assert_int_equal(machine_read(m, out + offset, word, 4), 0);
    assert_int_equal(machine_page_reclaim(m, out), 0);
    machine_page_free(m, out);
    return psp_rd_le32(&r);
}

static uint32_t guest_count(struct machine *m)
{
    return status_word(m, CMD_PLATFORM_STATUS, 0, 0xc);
}

/* What a launch that came to nothing must leave as it was. */
struct trail {
    size_t resident;
    size_t owned; /* pages that are not the hypervisor's */
    uint32_t guests;
};

static struct trail trail_of(struct machine *m)
{
    struct trail t = {0};

    t.guests = guest_count(m);
    t.resident = machine_resident_pages(m);
    for (size_t i = 0; i < SCAN_COUNT; i++) {
        t.owned += machine_rmp_get(m, FIRST_PAGE + i * RMP_PAGE_SIZE).state !=
                   RMP_HYPERVISOR;
    }
    return t;
}

static void assert_same_trail(struct machine *m, const struct trail *before)
{
    struct trail now = trail_of(m);

    assert_int_equal(now.guests, before->guests);
    assert_int_equal(now.resident, before->resident);
    assert_int_equal(now.owned, before->owned);
}

static void launch__default_on_each_snp_profile__running(void **state)
{
    const struct psp_profile *p;

    (void)state;
    for (size_t i = 0; (p = psp_profile_at(i)) != NULL; i++) {
        struct machine *m;
        struct vm *vm;

        if (!p->has_snp) {
            continue;
        }
        m = make(p->name);
        vm = launch_default(m);
        assert_int_equal(vm_asid(vm), 1);
        assert_int_equal(guest_count(m), 1);
        assert_int_equal(machine_rmp_get(m, vm_gctx(vm)).state, RMP_CONTEXT);
        assert_int_equal(status_word(m, CMD_GUEST_STATUS, vm_gctx(vm), 0xc) &
                             0xff,
                         STATE_RUNNING);
        vm_destroy(vm);
        machine_destroy(m);
    }
}

static void launch__platform_without_snp__refused(void **state)
{
    struct machine *m = make("rome");
    struct vm_spec spec = default_spec(m);
    enum sev_status status = SEV_SUCCESS;
    struct vm *vm = NULL;

    (void)state;
    assert_int_equal(vm_launch(m, &spec, &vm, &status), -EIO);
    assert_int_not_equal(status, SEV_SUCCESS);
    assert_null(vm);
    vm_spec_clear(&spec);
    machine_destroy(m);
}

static void launch__default__pages_as_the_guest_expects(void **state)
{
    struct machine *m = *state;
    struct vm_spec spec = default_spec(m);
    struct vm *vm = launch(m, &spec);
    uint8_t page[RMP_PAGE_SIZE];

    assert_string_equal(vm_name(vm), "guest");
    assert_int_equal(vm_vmpl(vm), 0);
    assert_ptr_equal(vm_machine(vm), m);
    assert_true(vm_secrets_gpa(vm) == VM_DEFAULT_SECRETS_GPA);
    for (size_t i = 0; i < spec.page_count; i++) {
        if (spec.pages[i].data != NULL) {
            assert_int_equal(vm_read(vm, spec.pages[i].gpa, page, sizeof(page)),
                             0);
            assert_memory_equal(page, spec.pages[i].data, sizeof(page));
        }
    }
    assert_int_equal(vm_read(vm, vm_secrets_gpa(vm), page, sizeof(page)), 0);
    assert_hex_equal(page, "03000000", 4);
    assert_hex_equal(page + 8, "110fa000", 4); /* Milan B1 */
    assert_false(psp_all_zero(page + 0x20, 0x20));
    assert_true(psp_all_zero(page + 0xa0, 0x60));
    vm_spec_clear(&spec);
    vm_destroy(vm);
}

static void
launch__guest_page__host_sees_ciphertext_and_cannot_write(void **state)
{
    struct machine *m = *state;
    struct vm_spec spec = default_spec(m);
    struct vm *vm = launch(m, &spec);
    uint64_t spa = find_spa(m, vm_asid(vm), spec.pages[0].gpa);
    uint8_t page[RMP_PAGE_SIZE];

    assert_true(spa != 0);
    assert_int_equal(machine_read(m, spa, page, sizeof(page)), 0);
    assert_memory_not_equal(page, spec.pages[0].data, 32);
    assert_int_equal(machine_write(m, spa, page, 1), -EFAULT);
    vm_spec_clear(&spec);
    vm_destroy(vm);
}

static void launch__memory_of_a_guest__within_budget(void **state)
{
    struct machine *m = *state;
    struct vm *first = launch_default(m);
    size_t before = machine_resident_pages(m);
    struct vm *second = launch_default(m);
    size_t own = 5; /* two firmware pages, secrets, CPUID, VMSA */

    assert_true(machine_resident_pages(m) - before - own <= 4);
    vm_destroy(first);
    vm_destroy(second);
}

static void destroy__after_launch__everything_given_back(void **state)
{
    struct machine *m = *state;
    struct trail before;
    struct vm *vm;

    vm_destroy(launch_default(m)); /* command pages exist from now on */
    before = trail_of(m);
    vm = launch_default(m);
    assert_true(vm_shared_alloc(vm, 3) != 0);
    vm_destroy(vm);
    assert_same_trail(m, &before);
    vm_destroy(NULL);
}

static void launch__many_guests_one_after_another__asids_recycled(void **state)
{
    struct machine *m = *state;
    uint32_t count = machine_profile(m)->min_sev_asid - 1;

    for (uint32_t i = 0; i < count; i++) {
        (void)machine_asid_alloc(m, MACHINE_ASID_ES);
    }
    machine_asid_free(m, 9);
    for (int i = 0; i < 3; i++) {
        struct vm *vm = launch_default(m);

        assert_int_equal(vm_asid(vm), 9);
        vm_destroy(vm);
    }
}

static void launch__no_asid__ebusy(void **state)
{
    struct machine *m = *state;
    struct vm_spec spec = default_spec(m);
    enum sev_status status = SEV_INVALID_COMMAND;
    struct vm *vm = NULL;

    while (machine_asid_alloc(m, MACHINE_ASID_ES) != 0) {
    }
    assert_int_equal(vm_launch(m, &spec, &vm, &status), -EBUSY);
    assert_int_equal(status, SEV_SUCCESS);
    vm_spec_clear(&spec);
}

/* Refusals: one change to a good guest each. */
struct refusal {
    const char *name;
    void (*change)(struct vm_spec *spec, const struct psp_profile *profile);
    int err;
    enum sev_status status;
};

static void policy_without_bit_17(struct vm_spec *spec,
                                  const struct psp_profile *profile)
{
    (void)profile;
    spec->policy = 0x10000;
}

static void policy_of_newer_firmware(struct vm_spec *spec,
                                     const struct psp_profile *profile)
{
    (void)profile;
    spec->policy = 0x30200;
}

static void cpuid_with_tsc_deadline(struct vm_spec *spec,
                                    const struct psp_profile *profile)
{
    struct vm_page *cpuid = &spec->pages[spec->page_count - 1];

    (void)profile;
    assert_int_equal(cpuid->type, VM_PAGE_CPUID);
    cpuid->data[0x10 + 0x30 + 0x20 + 3] |= 0x01; /* leaf 1 ECX bit 24 */
}

static void own_identity(struct vm_spec *spec,
                         const struct psp_profile *profile)
{
    static const uint8_t id[16] = {7};
    uint8_t key[48], ld[48];
    struct id_block_input in = {
        .ld = ld,
        .policy = spec->policy,
        .family_id = id,
        .image_id = id,
        .id_key = key,
        .author_key = key,
    };

    memset(key, 0x11, sizeof(key));
    launch_digest_spec(spec, profile, ld);
    spec->id_auth = malloc(ID_AUTH_SIZE);
    spec->id_block_en = true;
    spec->auth_key_en = true;
    assert_non_null(spec->id_auth);
    assert_int_equal(id_block_make(&in, spec->id_block, spec->id_auth), 0);
}

static void other_measurement(struct vm_spec *spec,
                              const struct psp_profile *profile)
{
    own_identity(spec, profile);
    spec->pages[0].data[100] ^= 1;
}

static void other_policy(struct vm_spec *spec,
                         const struct psp_profile *profile)
{
    own_identity(spec, profile);
    spec->policy |= 0x80000;
}

static void other_id_algo(struct vm_spec *spec,
                          const struct psp_profile *profile)
{
    own_identity(spec, profile);
    spec->id_auth[0] = 2;
}

static void other_block_signature(struct vm_spec *spec,
                                  const struct psp_profile *profile)
{
    own_identity(spec, profile);
    spec->id_auth[0x40] ^= 1;
}

static void other_author_signature(struct vm_spec *spec,
                                   const struct psp_profile *profile)
{
    own_identity(spec, profile);
    spec->id_auth[0x680] ^= 1;
}

static void same_gpa_twice(struct vm_spec *spec,
                           const struct psp_profile *profile)
{
    (void)profile;
    spec->pages[1].gpa = spec->pages[0].gpa;
}

static void unaligned_gpa(struct vm_spec *spec,
                          const struct psp_profile *profile)
{
    (void)profile;
    spec->pages[1].gpa += 8;
}

static void gpa_in_shared_memory(struct vm_spec *spec,
                                 const struct psp_profile *profile)
{
    (void)profile;
    spec->pages[1].gpa = VM_SHARED_GPA;
}

static void page_type_7(struct vm_spec *spec, const struct psp_profile *profile)
{
    (void)profile;
    spec->pages[1].type = 7;
}

static void vmpl_4(struct vm_spec *spec, const struct psp_profile *profile)
{
    (void)profile;
    spec->vmpl = 4;
}

static void identity_twice(struct vm_spec *spec,
                           const struct psp_profile *profile)
{
    own_identity(spec, profile);
    spec->identity.make = true;
}

static void identity_key_zero(struct vm_spec *spec,
                              const struct psp_profile *profile)
{
    (void)profile;
    spec->identity.make = true;
    spec->identity.id_key_en = true;
}

static const struct refusal REFUSALS[] = {
    {"launch__policy_without_bit_17__policy_failure", policy_without_bit_17,
     -EIO, SEV_POLICY_FAILURE},
    {"launch__policy_of_newer_firmware__policy_failure",
     policy_of_newer_firmware, -EIO, SEV_POLICY_FAILURE},
    {"launch__cpuid_the_firmware_refuses__invalid_param",
     cpuid_with_tsc_deadline, -EIO, SEV_INVALID_PARAM},
    {"launch__id_block_of_other_pages__bad_measurement", other_measurement,
     -EIO, SEV_BAD_MEASUREMENT},
    {"launch__id_block_of_other_policy__policy_failure", other_policy, -EIO,
     SEV_POLICY_FAILURE},
    {"launch__id_key_algorithm_2__invalid_param", other_id_algo, -EIO,
     SEV_INVALID_PARAM},
    {"launch__id_block_signature_flipped__bad_signature", other_block_signature,
     -EIO, SEV_BAD_SIGNATURE},
    {"launch__id_key_signature_flipped__bad_signature", other_author_signature,
     -EIO, SEV_BAD_SIGNATURE},
    {"launch__same_gpa_twice__einval", same_gpa_twice, -EINVAL, SEV_SUCCESS},
    {"launch__unaligned_gpa__einval", unaligned_gpa, -EINVAL, SEV_SUCCESS},
    {"launch__gpa_in_shared_memory__einval", gpa_in_shared_memory, -EINVAL,
     SEV_SUCCESS},
    {"launch__page_type_7__einval", page_type_7, -EINVAL, SEV_SUCCESS},
    {"launch__vmpl_4__einval", vmpl_4, -EINVAL, SEV_SUCCESS},
    {"launch__identity_twice__einval", identity_twice, -EINVAL, SEV_SUCCESS},
    {"launch__id_key_zero__einval", identity_key_zero, -EINVAL, SEV_SUCCESS},
};

#define REFUSAL_COUNT (sizeof(REFUSALS) / sizeof(REFUSALS[0]))

static void test_refusal(void **state)
{
    const struct refusal *c = *state;
    struct machine *m = make("milan");
    struct vm_spec spec;
    struct trail before;
    enum sev_status status = SEV_INVALID_COMMAND;
    struct vm *vm = NULL;

    vm_destroy(launch_default(m));
    before = trail_of(m);
    spec = default_spec(m);
    c->change(&spec, machine_profile(m));
    assert_int_equal(vm_launch(m, &spec, &vm, &status), c->err);
    assert_int_equal(status, c->status);
    assert_null(vm);
    assert_same_trail(m, &before);
    vm_spec_clear(&spec);
    vm_destroy(launch_default(m)); /* the machine is as good as before */
    machine_destroy(m);
}

static void launch__own_identity__accepted(void **state)
{
    struct machine *m = *state;
    struct vm_spec spec = default_spec(m);

    own_identity(&spec, machine_profile(m));
    vm_destroy(launch(m, &spec));
    vm_spec_clear(&spec);
}

static void launch__identity_made_by_the_host__accepted(void **state)
{
    struct machine *m = *state;
    struct vm_spec spec = default_spec(m);

    spec.identity.make = true;
    spec.identity.author_key_en = true;
    memset(spec.identity.author_key, 0x22, 48);
    vm_destroy(launch(m, &spec)); /* with a random ID key */
    spec.identity.id_key_en = true;
    memset(spec.identity.id_key, 0x33, 48);
    vm_destroy(launch(m, &spec));
    vm_spec_clear(&spec);
}

static void launch__every_page_type__accepted(void **state)
{
    static const char json[] =
        "{\"vcpus\": 2, \"guest_svn\": 3, \"pages\": ["
        "{\"type\": \"normal\", \"gpa\": 0, \"fill\": 1, \"count\": 3,"
        " \"vmpl_perms\": [15, 7, 1]},"
        "{\"type\": \"zero\", \"gpa\": \"0x10000\", \"count\": 2},"
        "{\"type\": \"unmeasured\", \"gpa\": \"0x20000\", \"hex\": \"aabb\"},"
        "{\"type\": \"secrets\", \"gpa\": \"0x30000\"},"
        "{\"type\": \"cpuid\", \"gpa\": \"0x31000\"},"
        "{\"type\": \"vmsa\"}]}";
    struct machine *m = *state;
    char error[SPEC_ERROR_SIZE];
    struct vm_spec spec;
    struct vm *vm;
    uint8_t bytes[4];

    assert_int_equal(vm_spec_parse(json, strlen(json), NULL, machine_profile(m),
                                   &spec, error),
                     0);
    vm = launch(m, &spec); /* its ID block holds our own launch digest */
    assert_true(vm_secrets_gpa(vm) == 0x30000);
    assert_int_equal(vm_read(vm, 0x2ffe, bytes, 2), 0);
    assert_hex_equal(bytes, "0101", 2);
    assert_int_equal(vm_read(vm, 0x11000, bytes, 4), 0);
    assert_hex_equal(bytes, "00000000", 4);
    assert_int_equal(vm_read(vm, 0x20000, bytes, 4), 0);
    assert_hex_equal(bytes, "aabb0000", 4);
    assert_int_equal(vm_read(vm, VM_VMSA_GPA, bytes, 4), -EFAULT);
    vm_spec_clear(&spec);
    vm_destroy(vm);
}

static void features__save_area_of_the_description__those(void **state)
{
    struct machine *m = *state;
    struct vm_spec spec = default_spec(m);
    struct vm_page page = {.type = VM_PAGE_VMSA, .gpa = VM_VMSA_GPA};
    struct vm *vm = launch_default(m);

    assert_true(vm_sev_features(vm) == VMSA_SNP_ACTIVE);
    vm_destroy(vm);
    page.data = calloc(1, RMP_PAGE_SIZE);
    spec.pages =
        realloc(spec.pages, (spec.page_count + 1) * sizeof(spec.pages[0]));
    assert_true(page.data != NULL && spec.pages != NULL);
    vmsa_reset(page.data, 0, 0, 0x221);
    spec.pages[spec.page_count++] = page;
    vm = launch(m, &spec);
    assert_true(vm_sev_features(vm) == 0x221);
    vm_destroy(vm);
    vm_spec_clear(&spec);
}

static void memory__private__written_and_read_back(void **state)
{
    struct vm *vm = launch_default(*state);
    const uint64_t gpa = 0xffffe123;
    uint8_t out[3];

    assert_int_equal(vm_write(vm, gpa, "abc", 3), 0);
    assert_int_equal(vm_read(vm, gpa, out, 3), 0);
    assert_memory_equal(out, "abc", 3);
    assert_int_equal(vm_write(vm, 0xffffeffe, "abc", 3), -EFAULT);
    assert_int_equal(vm_read(vm, 0xffffeffe, out, 3), -EFAULT);
    assert_int_equal(vm_read(vm, 0x1000, out, 1), -EFAULT);
    vm_destroy(vm);
}

static void memory__two_guests__keys_differ(void **state)
{
    struct machine *m = *state;
    struct vm *a = launch_default(m);
    struct vm *b = launch_default(m);
    uint8_t x[64], y[64];

    assert_int_not_equal(vm_asid(a), vm_asid(b));
    assert_int_equal(vm_read(a, vm_secrets_gpa(a) + 0x20, x, 64), 0);
    assert_int_equal(vm_read(b, vm_secrets_gpa(b) + 0x20, y, 64), 0);
    assert_memory_not_equal(x, y, 64);
    vm_destroy(a);
    assert_int_equal(vm_read(b, vm_secrets_gpa(b) + 0x20, x, 64), 0);
    assert_memory_equal(x, y, 64);
    vm_destroy(b);
}

static void memory__page_of_another_guest_or_address__fault(void **state)
{
    struct machine *m = *state;
    struct vm *a = launch_default(m);
    struct vm *b = launch_default(m);
    const uint64_t gpa = vm_secrets_gpa(a);
    uint64_t spa = find_spa(m, vm_asid(a), gpa);
    uint8_t byte = 0;

    assert_int_equal(machine_guest_read(m, vm_asid(a), spa, gpa, &byte, 1), 0);
    assert_int_equal(machine_guest_read(m, vm_asid(b), spa, gpa, &byte, 1),
                     -EFAULT);
    assert_int_equal(machine_guest_write(m, vm_asid(b), spa, gpa, &byte, 1),
                     -EFAULT);
    assert_int_equal(
        machine_guest_read(m, vm_asid(a), spa, gpa + 0x1000, &byte, 1),
        -EFAULT);
    vm_destroy(a);
    vm_destroy(b);
}

static void memory__page_taken_away_by_the_host__fault(void **state)
{
    static const struct rmp_update hypervisor = {.assigned = false};
    struct machine *m = *state;
    struct vm *vm = launch_default(m);
    uint64_t spa = find_spa(m, vm_asid(vm), vm_secrets_gpa(vm));
    uint8_t b;

    assert_int_equal(machine_rmpupdate(m, spa, &hypervisor), RMP_OK);
    assert_int_equal(vm_read(vm, vm_secrets_gpa(vm), &b, 1), -EFAULT);
    vm_destroy(vm);
}

static void shared__write_over_pages__reads_back(void **state)
{
    struct vm *vm = launch_default(*state);
    uint64_t gpa = vm_shared_alloc(vm, 3);
    uint8_t in[5000], out[5000];

    assert_true(gpa >= VM_SHARED_GPA && gpa % RMP_PAGE_SIZE == 0);
    memset(in, 0x3c, sizeof(in));
    assert_int_equal(vm_shared_write(vm, gpa + 4000, in, sizeof(in)), 0);
    assert_int_equal(vm_shared_read(vm, gpa + 4000, out, sizeof(out)), 0);
    assert_memory_equal(in, out, sizeof(in));
    assert_int_equal(vm_shared_read(vm, gpa + 3999, out, 1), 0);
    assert_int_equal(out[0], 0);
    vm_destroy(vm);
}

static void shared__outside__fault(void **state)
{
    struct vm *vm = launch_default(*state);
    uint64_t gpa = vm_shared_alloc(vm, 2);
    uint8_t buf[16] = {0};

    assert_int_equal(vm_shared_read(vm, gpa + 0x1ff8, buf, 16), -EFAULT);
    assert_int_equal(vm_shared_write(vm, gpa - 8, buf, 16), -EFAULT);
    assert_int_equal(vm_shared_write(vm, vm_secrets_gpa(vm), buf, 1), -EFAULT);
    assert_int_equal(vm_shared_read(vm, UINT64_MAX - 3, buf, 16), -EFAULT);
    vm_shared_free(vm, gpa, 1);
    assert_int_equal(vm_shared_read(vm, gpa, buf, 1), -EFAULT);
    assert_int_equal(vm_shared_read(vm, gpa + 0x1000, buf, 1), 0);
    vm_destroy(vm);
}

static void shared__freed__taken_again_and_zero(void **state)
{
    struct vm *vm = launch_default(*state);
    uint64_t a = vm_shared_alloc(vm, 1);
    uint64_t b = vm_shared_alloc(vm, 1);
    uint8_t byte = 9;

    assert_int_equal(vm_shared_write(vm, a, &byte, 1), 0);
    vm_shared_free(vm, a, 1);
    assert_true(vm_shared_alloc(vm, 2) == b + RMP_PAGE_SIZE);
    assert_true(vm_shared_alloc(vm, 1) == a);
    assert_int_equal(vm_shared_read(vm, a, &byte, 1), 0);
    assert_int_equal(byte, 0);
    assert_true(vm_shared_alloc(vm, 0) == 0);
    assert_true(vm_shared_alloc(vm, SIZE_MAX) == 0);
    vm_destroy(vm);
}

/* Guest requests that never reach the message layer. */
struct exit_fixture {
    struct machine *m;
    struct vm *vm;
    struct vm_guest_request req;
};

static struct exit_fixture exits(struct machine *m, uint32_t exit_code)
{
    struct exit_fixture f = {.m = m, .vm = launch_default(m)};

    f.req.exit_code = exit_code;
    f.req.request_gpa = vm_shared_alloc(f.vm, 1);
    f.req.response_gpa = vm_shared_alloc(f.vm, 1);
    f.req.exitinfo2 = 0x1234;
    return f;
}

static void set_type(struct exit_fixture *f, uint8_t type)
{
    assert_int_equal(
        vm_shared_write(f->vm, f->req.request_gpa + 0x34, &type, 1), 0);
}

static void exit__unknown_code__unsupported(void **state)
{
    struct exit_fixture f = exits(*state, 0x80000013);

    assert_int_equal(vm_exit_guest_request(f.vm, &f.req), 1);
    vm_destroy(f.vm);
}

static void exit__pages_unaligned_or_equal__vmm_error(void **state)
{
    struct exit_fixture f = exits(*state, VM_EXIT_GUEST_REQUEST);
    struct vm_guest_request req = f.req;

    req.request_gpa += 8;
    assert_int_equal(vm_exit_guest_request(f.vm, &req), 2);
    req = f.req;
    req.response_gpa += 8;
    assert_int_equal(vm_exit_guest_request(f.vm, &req), 2);
    req = f.req;
    req.response_gpa = req.request_gpa;
    assert_int_equal(vm_exit_guest_request(f.vm, &req), 2);
    vm_destroy(f.vm);
}

static void exit__private_page__fault(void **state)
{
    struct exit_fixture f = exits(*state, VM_EXIT_GUEST_REQUEST);

    f.req.request_gpa = vm_secrets_gpa(f.vm);
    assert_int_equal(vm_exit_guest_request(f.vm, &f.req), -EFAULT);
    vm_destroy(f.vm);
}

static void exit__no_message__firmware_status(void **state)
{
    struct exit_fixture f = exits(*state, VM_EXIT_GUEST_REQUEST);

    assert_int_equal(vm_exit_guest_request(f.vm, &f.req), 0);
    assert_true(f.req.exitinfo2 == SEV_INVALID_PARAM);
    vm_destroy(f.vm);
}

static void exit__extended_with_unaligned_data__vmm_error(void **state)
{
    struct exit_fixture f = exits(*state, VM_EXIT_EXT_GUEST_REQUEST);

    set_type(&f, 5);
    f.req.data_gpa = f.req.request_gpa + 1;
    assert_int_equal(vm_exit_guest_request(f.vm, &f.req), 2);
    set_type(&f, 3); /* only reports carry certificates */
    assert_int_equal(vm_exit_guest_request(f.vm, &f.req), 0);
    assert_true(f.req.exitinfo2 == SEV_INVALID_PARAM);
    vm_destroy(f.vm);
}

static void exit__certs_and_too_few_pages__invalid_len(void **state)
{
    struct exit_fixture f = exits(*state, VM_EXIT_EXT_GUEST_REQUEST);
    uint8_t certs[4097] = {0};

    set_type(&f, 5);
    assert_int_equal(vm_set_certs(f.vm, certs, sizeof(certs)), 0);
    for (uint64_t pages = 0; pages < 2; pages++) {
        f.req.data_pages = pages;
        assert_int_equal(vm_exit_guest_request(f.vm, &f.req), 0);
        assert_true(f.req.exitinfo2 == VM_EXITINFO2_INVALID_LEN);
        assert_int_equal(f.req.data_pages, 2);
    }
    assert_int_equal(vm_set_certs(f.vm, certs, 4096), 0);
    f.req.data_pages = 0;
    assert_int_equal(vm_exit_guest_request(f.vm, &f.req), 0);
    assert_int_equal(f.req.data_pages, 1);
    vm_destroy(f.vm);
}

static void exit__certs_and_enough_pages__copied_and_relayed(void **state)
{
    struct exit_fixture f = exits(*state, VM_EXIT_EXT_GUEST_REQUEST);
    uint8_t certs[5000], got[8192];

    set_type(&f, 5);
    memset(certs, 0x42, sizeof(certs));
    assert_int_equal(vm_set_certs(f.vm, certs, sizeof(certs)), 0);
    f.req.data_gpa = vm_shared_alloc(f.vm, 2);
    f.req.data_pages = 2;
    assert_int_equal(vm_exit_guest_request(f.vm, &f.req), 0);
    assert_true(f.req.exitinfo2 == SEV_INVALID_PARAM); /* no real message */
    assert_int_equal(vm_shared_read(f.vm, f.req.data_gpa, got, sizeof(got)), 0);
    assert_memory_equal(got, certs, sizeof(certs));
    assert_true(psp_all_zero(got + 5000, 8192 - 5000));
    vm_destroy(f.vm);
}

static void exit__no_certs__empty_table(void **state)
{
    struct exit_fixture f = exits(*state, VM_EXIT_EXT_GUEST_REQUEST);
    uint8_t got[32];

    set_type(&f, 5);
    assert_int_equal(vm_set_certs(f.vm, NULL, 0), 0);
    assert_int_equal(vm_exit_guest_request(f.vm, &f.req), 0);
    assert_true(f.req.exitinfo2 == SEV_INVALID_PARAM);
    f.req.data_gpa = vm_shared_alloc(f.vm, 1);
    f.req.data_pages = 1;
    memset(got, 0xff, sizeof(got));
    assert_int_equal(vm_shared_write(f.vm, f.req.data_gpa, got, sizeof(got)),
                     0);
    assert_int_equal(vm_exit_guest_request(f.vm, &f.req), 0);
    assert_int_equal(vm_shared_read(f.vm, f.req.data_gpa, got, sizeof(got)), 0);
    assert_true(psp_all_zero(got, 24));
    assert_int_equal(got[24], 0xff); /* one entry, no more */
    vm_destroy(f.vm);
}

static void exit__certs_outside_shared_memory__fault(void **state)
{
    struct exit_fixture f = exits(*state, VM_EXIT_EXT_GUEST_REQUEST);

    set_type(&f, 5);
    assert_int_equal(vm_set_certs(f.vm, (const uint8_t *)"x", 1), 0);
    f.req.data_gpa = 0x1000;
    f.req.data_pages = 1;
    assert_int_equal(vm_exit_guest_request(f.vm, &f.req), -EFAULT);
    vm_destroy(f.vm);
}

struct hook_log {
    unsigned int before, after;
    bool answer;
    uint64_t exitinfo2;
    int ghcb_error;
    uint64_t seen_after;
};

static bool hook(void *ctx, struct vm *vm, struct vm_guest_request *req,
                 bool after)
{
    struct hook_log *log = ctx;

    (void)vm;
    log->before += !after;
    log->after += after;
    if (after) {
        log->seen_after = req->exitinfo2;
        return false;
    }
    if (log->answer) {
        req->exitinfo2 = log->exitinfo2;
        req->ghcb_error = log->ghcb_error;
    }
    return log->answer;
}

static void hook__answers__firmware_not_asked(void **state)
{
    struct exit_fixture f = exits(*state, VM_EXIT_GUEST_REQUEST);
    struct hook_log log = {.answer = true, .exitinfo2 = VM_EXITINFO2_BUSY};

    vm_set_request_hook(f.vm, hook, &log);
    assert_int_equal(vm_exit_guest_request(f.vm, &f.req), 0);
    assert_true(f.req.exitinfo2 == VM_EXITINFO2_BUSY);
    assert_true(log.before == 1 && log.after == 1);
    log.ghcb_error = 4;
    assert_int_equal(vm_exit_guest_request(f.vm, &f.req), 4);
    vm_destroy(f.vm);
}

static void hook__lets_pass__sees_the_answer(void **state)
{
    struct exit_fixture f = exits(*state, VM_EXIT_GUEST_REQUEST);
    struct hook_log log = {.exitinfo2 = 99};

    vm_set_request_hook(f.vm, hook, &log);
    assert_int_equal(vm_exit_guest_request(f.vm, &f.req), 0);
    assert_true(f.req.exitinfo2 == SEV_INVALID_PARAM);
    assert_true(log.seen_after == SEV_INVALID_PARAM);
    vm_set_request_hook(f.vm, NULL, NULL);
    assert_int_equal(vm_exit_guest_request(f.vm, &f.req), 0);
    assert_int_equal(log.before, 1);
    vm_destroy(f.vm);
}

#define WITH_MACHINE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static const struct CMUnitTest PLAIN[] = {
    cmocka_unit_test(launch__default_on_each_snp_profile__running),
    cmocka_unit_test(launch__platform_without_snp__refused),
    WITH_MACHINE(launch__default__pages_as_the_guest_expects),
    WITH_MACHINE(launch__guest_page__host_sees_ciphertext_and_cannot_write),
    WITH_MACHINE(launch__memory_of_a_guest__within_budget),
    WITH_MACHINE(destroy__after_launch__everything_given_back),
    WITH_MACHINE(launch__many_guests_one_after_another__asids_recycled),
    WITH_MACHINE(launch__no_asid__ebusy),
    WITH_MACHINE(launch__own_identity__accepted),
    WITH_MACHINE(launch__identity_made_by_the_host__accepted),
    WITH_MACHINE(launch__every_page_type__accepted),
    WITH_MACHINE(features__save_area_of_the_description__those),
    WITH_MACHINE(memory__private__written_and_read_back),
    WITH_MACHINE(memory__two_guests__keys_differ),
    WITH_MACHINE(memory__page_of_another_guest_or_address__fault),
    WITH_MACHINE(memory__page_taken_away_by_the_host__fault),
    WITH_MACHINE(shared__write_over_pages__reads_back),
    WITH_MACHINE(shared__outside__fault),
    WITH_MACHINE(shared__freed__taken_again_and_zero),
    WITH_MACHINE(exit__unknown_code__unsupported),
    WITH_MACHINE(exit__pages_unaligned_or_equal__vmm_error),
    WITH_MACHINE(exit__private_page__fault),
    WITH_MACHINE(exit__no_message__firmware_status),
    WITH_MACHINE(exit__extended_with_unaligned_data__vmm_error),
    WITH_MACHINE(exit__certs_and_too_few_pages__invalid_len),
    WITH_MACHINE(exit__certs_and_enough_pages__copied_and_relayed),
    WITH_MACHINE(exit__no_certs__empty_table),
    WITH_MACHINE(exit__certs_outside_shared_memory__fault),
    WITH_MACHINE(hook__answers__firmware_not_asked),
    WITH_MACHINE(hook__lets_pass__sees_the_answer),
};

#define PLAIN_COUNT (sizeof(PLAIN) / sizeof(PLAIN[0]))

int main(void)
{
    static struct CMUnitTest tests[PLAIN_COUNT + REFUSAL_COUNT];

    memcpy(tests, PLAIN, sizeof(PLAIN));
    for (size_t i = 0; i < REFUSAL_COUNT; i++) {
        const struct refusal *row = &REFUSALS[i];
        struct CMUnitTest *t = &tests[PLAIN_COUNT + i];

        t->name = row->name;
        t->test_func = test_refusal;
        memcpy(&t->initial_state, &row, sizeof(row)); /* not const there */
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
