/* SPDX-License-Identifier: Apache-2.0 */
#include "tst.h"

#include "machine.h"

#include "pki.h"
#include "wire.h"

#include <errno.h>
#include <pthread.h>

#define CMD_PLATFORM_STATUS 0x83u
#define CMD_DF_FLUSH        0x84u
#define CMD_DECOMMISSION    0x90u
#define CMD_GCTX_CREATE     0x93u

static struct machine *make(const char *name, const uint8_t *seed,
                            struct machine_trace trace)
{
    struct machine_config config = {
        .profile = psp_profile_by_name(name),
        .seed = seed,
        .trace = trace,
    };
    struct machine *m = NULL;

    pki_chip_make(PKI_DEV_SEED, config.profile->generation, 0, &config.chip);
    assert_int_equal(machine_create(&config, &m), 0);
    return m;
}

static int setup(void **state)
{
    struct machine *m =
        make("milan", PKI_DEV_SEED, (struct machine_trace){NULL, NULL});

    assert_int_equal(machine_platform_init(m), SEV_SUCCESS);
    *state = m;
    return 0;
}

static int teardown(void **state)
{
    machine_destroy(*state);
    return 0;
}

static enum sev_status command64(struct machine *m, uint32_t id, uint64_t value)
{
    uint8_t buf[8];
    struct psp_wr w = psp_wr(buf, sizeof(buf));

    psp_wr_le64(&w, value);
    return machine_command(m, id, buf, sizeof(buf));
}

static void create__impossible_memory__einval(void **state)
{
    static const uint64_t sizes[] = {0x1000, (1ull << 30) + 1, 1ull << 49};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct machine_config config = {
            .profile = psp_profile_by_name("milan"),
            .memory_size = sizes[i],
        };
        struct machine *m = NULL;

        assert_int_equal(machine_create(&config, &m), -EINVAL);
        assert_null(m);
    }
}

static void platform_init__each_profile__success(void **state)
{
    const struct psp_profile *p;

    (void)state;
    for (size_t i = 0; (p = psp_profile_at(i)) != NULL; i++) {
        struct machine *m =
            make(p->name, PKI_DEV_SEED, (struct machine_trace){NULL, NULL});

        assert_int_equal(machine_platform_init(m), SEV_SUCCESS);
        assert_int_equal(machine_snp_initialized(m), p->has_snp);
        assert_string_equal(machine_profile(m)->name, p->name);
        machine_destroy(m);
    }
}

/* The command page is handed over and comes back while SNP is initialised. */
static void platform_init__legacy_half__init_with_es(void **state)
{
    const struct psp_profile *p;

    (void)state;
    for (size_t i = 0; (p = psp_profile_at(i)) != NULL; i++) {
        struct machine *m =
            make(p->name, PKI_DEV_SEED, (struct machine_trace){NULL, NULL});
        uint8_t status[12] = {0};
        size_t before;

        assert_int_equal(machine_platform_init(m), SEV_SUCCESS);
        before = machine_resident_pages(m);
        for (int n = 0; n < 3; n++) {
            assert_int_equal(machine_command(m, 0x04, status, sizeof(status)),
                             SEV_SUCCESS);
            assert_int_equal(status[0], p->api_major);
            assert_int_equal(status[1], p->api_minor);
            assert_int_equal(status[2], 1);        /* INIT */
            assert_int_equal(status[4] & 0x01, 1); /* ES */
            assert_int_equal(status[7], p->build);
        }
        assert_int_equal(machine_resident_pages(m), before);
        machine_destroy(m);
    }
}

static void platform_init__twice__invalid_platform_state(void **state)
{
    assert_int_equal(machine_platform_init(*state), SEV_INVALID_PLATFORM_STATE);
}

static void page__freed_and_taken_again__zeros(void **state)
{
    struct machine *m = *state;
    size_t before = machine_resident_pages(m);
    uint64_t spa = machine_page_alloc(m);
    uint8_t buf[RMP_PAGE_SIZE];

    memset(buf, 0xa5, sizeof(buf));
    assert_int_equal(machine_write(m, spa, buf, sizeof(buf)), 0);
    machine_page_free(m, spa);
    assert_int_equal(machine_resident_pages(m), before);
    assert_true(machine_page_alloc(m) == spa);
    assert_int_equal(machine_read(m, spa, buf, sizeof(buf)), 0);
    assert_true(psp_all_zero(buf, sizeof(buf)));
}

static void pages__many__adjoining_and_aligned(void **state)
{
    struct machine *m = *state;
    uint64_t a = machine_pages_alloc(m, 4);
    uint64_t b = machine_pages_alloc(m, 1024);

    assert_true(a != 0 && a % 0x4000 == 0);
    assert_true(b != 0 && b % 0x400000 == 0);
    assert_true(machine_pages_alloc(m, SIZE_MAX / 2) == 0);
}

static void write__page_of_the_firmware__fault_and_unchanged(void **state)
{
    struct machine *m = *state;
    uint64_t spa = machine_pages_alloc(m, 2);
    uint8_t one = 1;
    uint8_t buf[64] = {0};
    uint8_t got[64];

    assert_int_equal(machine_write(m, spa + 0x1000, &one, 1), 0);
    assert_int_equal(machine_page_to_firmware(m, spa + 0x1000), 0);
    assert_int_equal(machine_rmp_get(m, spa + 0x1000).state, RMP_FIRMWARE);
    assert_int_equal(machine_write(m, spa + 0x1000, buf, 1), -EFAULT);
    memset(buf, 0x77, sizeof(buf));
    assert_int_equal(machine_write(m, spa + 0x1000 - 32, buf, 64), -EFAULT);
    assert_int_equal(machine_read(m, spa + 0x1000 - 32, got, 64), 0);
    assert_true(psp_all_zero(got, 32)); /* no half was written */
    assert_int_equal(got[32], 1);
    assert_int_equal(machine_page_reclaim(m, spa + 0x1000), 0);
    assert_int_equal(machine_rmp_get(m, spa + 0x1000).state, RMP_HYPERVISOR);
    assert_int_equal(machine_write(m, spa + 0x1000, buf, 1), 0);
}

static void access__beyond_memory__fault(void **state)
{
    struct machine *m = *state;
    uint8_t b = 0;

    assert_int_equal(machine_read(m, 1ull << 40, &b, 1), -EFAULT);
    assert_int_equal(machine_write(m, 1ull << 40, &b, 1), -EFAULT);
    assert_int_equal(machine_write(m, UINT64_MAX, &b, 1), -EFAULT);
}

static void reclaim__context_page__only_after_decommission(void **state)
{
    struct machine *m = *state;
    uint64_t spa = machine_page_alloc(m);

    assert_int_equal(machine_page_to_firmware(m, spa), 0);
    assert_int_equal(command64(m, CMD_GCTX_CREATE, spa), SEV_SUCCESS);
    assert_int_equal(machine_page_reclaim(m, spa), -EFAULT);
    assert_int_equal(machine_rmp_get(m, spa).state, RMP_CONTEXT);
    assert_int_equal(command64(m, CMD_DECOMMISSION, spa), SEV_SUCCESS);
    assert_int_equal(machine_page_reclaim(m, spa), 0);
    assert_int_equal(machine_rmp_get(m, spa).state, RMP_HYPERVISOR);
}

static void reclaim__host_page__nothing_to_do(void **state)
{
    struct machine *m = *state;
    uint64_t spa = machine_page_alloc(m);

    assert_int_equal(machine_page_reclaim(m, spa), 0);
    assert_int_equal(machine_rmp_get(m, spa).state, RMP_HYPERVISOR);
}

static void free__protected_page__leaked_not_reused(void **state)
{
    struct machine *m = *state;
    uint64_t spa = machine_page_alloc(m);

    assert_int_equal(machine_page_to_firmware(m, spa), 0);
    machine_page_free(m, spa);
    assert_true(machine_page_alloc(m) != spa);
    assert_int_equal(machine_rmp_get(m, spa).state, RMP_FIRMWARE);
}

static void pages__before_snp_init__nothing_to_hand_over(void **state)
{
    struct machine *m =
        make("milan", PKI_DEV_SEED, (struct machine_trace){NULL, NULL});
    uint64_t spa = machine_page_alloc(m);
    uint8_t b = 1;

    (void)state;
    assert_int_equal(machine_page_to_firmware(m, spa), 0);
    assert_int_equal(machine_write(m, spa, &b, 1), 0);
    machine_destroy(m);
}

static void rmp__guest_page__validated_by_its_guest_only(void **state)
{
    const struct rmp_update guest = {
        .assigned = true, .asid = 3, .gpa = 0x5000};
    struct machine *m = *state;
    uint64_t spa = machine_page_alloc(m);

    assert_int_equal(machine_rmpupdate(m, spa, &guest), RMP_OK);
    assert_int_not_equal(machine_pvalidate(m, spa, 4, 0x5000, true), RMP_OK);
    assert_int_not_equal(machine_pvalidate(m, spa, 3, 0x6000, true), RMP_OK);
    assert_int_equal(machine_pvalidate(m, spa, 3, 0x5000, true), RMP_OK);
    assert_int_equal(machine_rmp_get(m, spa).state, RMP_GUEST_VALID);
}

static void guest_memory__no_guest_on_the_asid__fault(void **state)
{
    const struct rmp_update guest = {
        .assigned = true, .asid = 3, .gpa = 0x5000};
    struct machine *m = *state;
    uint64_t spa = machine_page_alloc(m);
    uint8_t b = 0;

    assert_int_equal(machine_rmpupdate(m, spa, &guest), RMP_OK);
    assert_int_equal(machine_pvalidate(m, spa, 3, 0x5000, true), RMP_OK);
    assert_int_equal(machine_guest_read(m, 3, spa, 0x5000, &b, 1), -EFAULT);
    assert_int_equal(machine_guest_write(m, 3, spa, 0x5000, &b, 1), -EFAULT);
}

struct seen {
    uint32_t command;
    uint8_t buffer[64];
    size_t size;
    enum sev_status status;
    unsigned int count;
    unsigned int flushes;
};

static void note(void *ctx, uint32_t command, const uint8_t *buffer,
                 size_t size, enum sev_status status)
{
    struct seen *seen = ctx;

    seen->command = command;
    seen->size = size;
    if (size > 0) {
        memcpy(seen->buffer, buffer, size);
    }
    seen->status = status;
    seen->count++;
    seen->flushes += command == CMD_DF_FLUSH;
}

static void trace__each_command__buffer_and_status(void **state)
{
    struct seen seen = {0};
    struct machine *m =
        make("milan", PKI_DEV_SEED, (struct machine_trace){note, &seen});

    (void)state;
    assert_int_equal(command64(m, CMD_GCTX_CREATE, 0x1122334455667788),
                     SEV_INVALID_PARAM);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.command, CMD_GCTX_CREATE);
    assert_int_equal(seen.size, 8);
    assert_hex_equal(seen.buffer, "8877665544332211", 8);
    assert_int_equal(seen.status, SEV_INVALID_PARAM);
    machine_destroy(m);
}

static void command__unknown__invalid_command(void **state)
{
    assert_int_equal(machine_command(*state, 0x80, NULL, 0),
                     SEV_INVALID_COMMAND);
}

static void command__larger_than_a_page__refused(void **state)
{
    uint8_t buf[RMP_PAGE_SIZE + 1] = {0};

    assert_int_equal(
        machine_command(*state, CMD_PLATFORM_STATUS, buf, sizeof(buf)),
        SEV_INVALID_LENGTH);
}

static void command__many_times__no_more_memory(void **state)
{
    struct machine *m = *state;
    uint64_t spa = machine_page_alloc(m);
    size_t before;

    assert_int_equal(machine_page_to_firmware(m, spa), 0);
    assert_int_equal(command64(m, CMD_PLATFORM_STATUS, spa), SEV_SUCCESS);
    before = machine_resident_pages(m);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(command64(m, CMD_PLATFORM_STATUS, spa), SEV_SUCCESS);
    }
    assert_int_equal(machine_resident_pages(m), before);
}

static void asid__all_used__flush_then_returned_ones(void **state)
{
    struct seen seen = {0};
    struct machine *m =
        make("milan", PKI_DEV_SEED, (struct machine_trace){note, &seen});
    uint32_t count = machine_profile(m)->min_sev_asid - 1;

    (void)state;
    assert_int_equal(machine_platform_init(m), SEV_SUCCESS);
    seen.flushes = 0;
    for (uint32_t i = 1; i <= count; i++) {
        assert_int_equal(machine_asid_alloc(m, MACHINE_ASID_ES), i);
    }
    assert_int_equal(machine_asid_alloc(m, MACHINE_ASID_ES), 0);
    assert_int_equal(seen.flushes, 0); /* nothing to gain */
    machine_asid_free(m, 7);
    machine_asid_free(m, 5);
    assert_int_equal(machine_asid_alloc(m, MACHINE_ASID_ES), 5);
    assert_int_equal(seen.flushes, 1);
    assert_int_equal(machine_asid_alloc(m, MACHINE_ASID_ES), 7);
    assert_int_equal(machine_asid_alloc(m, MACHINE_ASID_ES), 0);
    assert_int_equal(seen.flushes, 1);
    machine_destroy(m);
}

static void asid__more_than_any_part_has__guests_on_all(void **state)
{
    struct psp_profile profile = *psp_profile_by_name("milan");
    struct machine_config config = {.profile = &profile, .seed = PKI_DEV_SEED};
    struct machine *m = NULL;

    (void)state;
    pki_chip_make(PKI_DEV_SEED, profile.generation, 0, &config.chip);
    profile.asid_count = RMP_ASID_LIMIT + 1;
    assert_int_equal(machine_create(&config, &m), -EINVAL);
    profile.asid_count = 12000;
    profile.min_sev_asid = 11999;
    assert_int_equal(machine_create(&config, &m), 0);
    for (uint32_t i = 1; i < 11999; i++) {
        assert_int_equal(machine_asid_alloc(m, MACHINE_ASID_ES), i);
    }
    assert_int_equal(machine_asid_alloc(m, MACHINE_ASID_ES), 0);
    assert_int_equal(machine_asid_alloc(m, MACHINE_ASID_SEV), 11999);
    assert_int_equal(machine_asid_alloc(m, MACHINE_ASID_SEV), 12000);
    assert_int_equal(machine_asid_alloc(m, MACHINE_ASID_SEV), 0);
    machine_destroy(m);
}

static void asid__flush_refused__tried_again(void **state)
{
    struct machine *m =
        make("milan", PKI_DEV_SEED, (struct machine_trace){NULL, NULL});
    uint32_t count = machine_profile(m)->min_sev_asid - 1;

    (void)state; /* the platform is down: DF_FLUSH is refused */
    for (uint32_t i = 1; i <= count; i++) {
        assert_int_equal(machine_asid_alloc(m, MACHINE_ASID_ES), i);
    }
    machine_asid_free(m, 9);
    machine_asid_free(m, 9);
    assert_int_equal(machine_asid_alloc(m, MACHINE_ASID_ES), 0);
    assert_int_equal(machine_platform_init(m), SEV_SUCCESS);
    assert_int_equal(machine_asid_alloc(m, MACHINE_ASID_ES), 9);
    assert_int_equal(machine_asid_alloc(m, MACHINE_ASID_ES), 0);
    machine_destroy(m);
}

static void asid__plain_sev__from_the_upper_part(void **state)
{
    struct machine *m = *state;
    const struct psp_profile *p = machine_profile(m);

    for (uint32_t i = p->min_sev_asid; i <= p->asid_count; i++) {
        assert_int_equal(machine_asid_alloc(m, MACHINE_ASID_SEV), i);
    }
    assert_int_equal(machine_asid_alloc(m, MACHINE_ASID_SEV), 0);
    assert_int_equal(machine_asid_alloc(m, MACHINE_ASID_ES), 1);
}

static void asid__returned__not_reused_while_others_are_free(void **state)
{
    struct machine *m = *state;

    assert_int_equal(machine_asid_alloc(m, MACHINE_ASID_ES), 1);
    machine_asid_free(m, 1);
    assert_int_equal(machine_asid_alloc(m, MACHINE_ASID_ES), 2);
    machine_asid_free(m, 0); /* no ASID */
    machine_asid_free(m, 100000);
}

static void random__same_seed__same_bytes(void **state)
{
    static const struct machine_trace none;
    const uint8_t other[PSP_SEED_SIZE] = {1};
    struct machine *a = make("milan", PKI_DEV_SEED, none);
    struct machine *b = make("milan", PKI_DEV_SEED, none);
    struct machine *c = make("milan", other, none);
    struct machine *d = make("milan", NULL, none);
    uint8_t bytes[4][100];

    (void)state;
    assert_int_equal(machine_random(a, bytes[0], 100), 0);
    assert_int_equal(machine_random(b, bytes[1], 100), 0);
    assert_int_equal(machine_random(c, bytes[2], 100), 0);
    assert_int_equal(machine_random(d, bytes[3], 100), 0);
    assert_memory_equal(bytes[0], bytes[1], 100);
    assert_memory_not_equal(bytes[0], bytes[2], 100);
    assert_memory_not_equal(bytes[0], bytes[3], 100);
    machine_destroy(a);
    machine_destroy(b);
    machine_destroy(c);
    machine_destroy(d);
}

static void *hammer(void *machine)
{
    struct machine *m = machine;

    for (int i = 0; i < 500; i++) {
        uint64_t spa = machine_page_alloc(m);
        uint8_t in[16], out[16];

        memset(in, i, sizeof(in));
        if (machine_write(m, spa, in, sizeof(in)) != 0 ||
            machine_read(m, spa, out, sizeof(out)) != 0 ||
            memcmp(in, out, sizeof(in)) != 0 ||
            machine_page_to_firmware(m, spa) != 0 ||
            command64(m, CMD_PLATFORM_STATUS, spa) != SEV_SUCCESS ||
            machine_page_reclaim(m, spa) != 0) {
            return m;
        }
        machine_page_free(m, spa);
    }
    return NULL;
}

static void threads__pages_and_commands__each_its_own(void **state)
{
    struct machine *m = *state;
    pthread_t threads[2];
    void *result[2];

    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, m), 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], &result[i]);
        assert_null(result[i]);
    }
}

#define WITH_MACHINE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create__impossible_memory__einval),
        cmocka_unit_test(platform_init__each_profile__success),
        cmocka_unit_test(platform_init__legacy_half__init_with_es),
        WITH_MACHINE(platform_init__twice__invalid_platform_state),
        WITH_MACHINE(page__freed_and_taken_again__zeros),
        WITH_MACHINE(pages__many__adjoining_and_aligned),
        WITH_MACHINE(write__page_of_the_firmware__fault_and_unchanged),
        WITH_MACHINE(access__beyond_memory__fault),
        WITH_MACHINE(reclaim__context_page__only_after_decommission),
        WITH_MACHINE(reclaim__host_page__nothing_to_do),
        WITH_MACHINE(free__protected_page__leaked_not_reused),
        cmocka_unit_test(pages__before_snp_init__nothing_to_hand_over),
        WITH_MACHINE(rmp__guest_page__validated_by_its_guest_only),
        WITH_MACHINE(guest_memory__no_guest_on_the_asid__fault),
        cmocka_unit_test(trace__each_command__buffer_and_status),
        WITH_MACHINE(command__unknown__invalid_command),
        WITH_MACHINE(command__larger_than_a_page__refused),
        WITH_MACHINE(command__many_times__no_more_memory),
        cmocka_unit_test(asid__all_used__flush_then_returned_ones),
        cmocka_unit_test(asid__more_than_any_part_has__guests_on_all),
        cmocka_unit_test(asid__flush_refused__tried_again),
        WITH_MACHINE(asid__plain_sev__from_the_upper_part),
        WITH_MACHINE(asid__returned__not_reused_while_others_are_free),
        cmocka_unit_test(random__same_seed__same_bytes),
        WITH_MACHINE(threads__pages_and_commands__each_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
