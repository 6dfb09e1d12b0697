/* SPDX-License-Identifier: Apache-2.0 */
/* The reverse map: store, RMPUPDATE, PSMASH, PVALIDATE. abi/snp.md §3 */
#include "core.h"
#include "tst_suite.h"

#define END  0x10000000ull
#define SPA  0x5000ull
#define SPA2 0x400000ull

static struct rmp *make(void)
{
    struct rmp *rmp = rmp_create(END, RMP_ASID_MAX);

    assert_non_null(rmp);
    return rmp;
}

static void put(struct rmp *rmp, uint64_t spa, enum rmp_state state,
                uint32_t asid, uint64_t gpa)
{
    const struct rmp_entry e = {
        .state = state, .asid = asid, .gpa = gpa, .vmpl = {1, 2, 3, 4}};

    assert_int_equal(rmp_set(rmp, spa, &e), PSP_OK);
}

/* -- the store --------------------------------------------------------------
 */

static void rmp__fresh__hypervisor_inside_default_outside(void **state)
{
    struct rmp *rmp = make();

    (void)state;
    assert_int_equal(rmp_get(rmp, 0).state, RMP_HYPERVISOR);
    assert_int_equal(rmp_get(rmp, END - 1).state, RMP_HYPERVISOR);
    assert_int_equal(rmp_get(rmp, END).state, RMP_DEFAULT);
    assert_int_equal(rmp_get(rmp, UINT64_MAX).state, RMP_DEFAULT);
    rmp_destroy(rmp);
    rmp_destroy(NULL);
}

static void rmp__set__comes_back_for_every_byte_of_the_page(void **state)
{
    struct rmp *rmp = make();
    const struct rmp_entry e = {.state = RMP_GUEST_VALID,
                                .size_2m = true,
                                .vmsa = true,
                                .asid = RMP_ASID_MAX,
                                .gpa = 0xfffffffff000,
                                .owner_gctx = 0x123000,
                                .vmpl = {9, 8, 7, 6}};
    struct rmp_entry got;

    (void)state;
    assert_int_equal(rmp_set(rmp, SPA, &e), PSP_OK);
    got = rmp_get(rmp, SPA + 0xfff);
    assert_int_equal(got.state, e.state);
    assert_true(got.size_2m && got.vmsa);
    assert_int_equal(got.asid, e.asid);
    assert_true(got.gpa == e.gpa && got.owner_gctx == e.owner_gctx);
    assert_memory_equal(got.vmpl, e.vmpl, 4);
    assert_int_equal(rmp_get(rmp, SPA + 0x1000).state, RMP_HYPERVISOR);
    assert_int_equal(rmp_get(rmp, SPA - 1).state, RMP_HYPERVISOR);
    rmp_destroy(rmp);
}

static void rmp__set_what_cannot_be__param(void **state)
{
    struct rmp *rmp = make();
    struct rmp_entry e = {.state = RMP_FIRMWARE};

    (void)state;
    assert_int_equal(rmp_set(rmp, END, &e), PSP_E_PARAM);
    e.asid = RMP_ASID_MAX + 1;
    assert_int_equal(rmp_set(rmp, SPA, &e), PSP_E_PARAM);
    rmp_destroy(rmp);
}

static void rmp__machine_with_more_asids__holds_exactly_those(void **state)
{
    struct rmp *rmp = rmp_create(END, 12000);
    const struct rmp_update last = {.assigned = true, .asid = 12000};
    const struct rmp_update beyond = {.assigned = true, .asid = 12001};
    struct rmp_entry e = {.state = RMP_GUEST_VALID, .asid = 12001};

    (void)state;
    assert_non_null(rmp);
    assert_int_equal(rmp_set(rmp, SPA, &e), PSP_E_PARAM);
    assert_int_equal(rmp_rmpupdate(rmp, SPA, &beyond), RMP_FAIL_INPUT);
    assert_int_equal(rmp_rmpupdate(rmp, SPA, &last), RMP_OK);
    assert_int_equal(rmp_get(rmp, SPA).asid, 12000);
    assert_int_equal(rmp_asid_page_count(rmp, 12000), 1);
    assert_int_equal(rmp_asid_page_count(rmp, 12001), 0);
    rmp_reset(rmp, true);
    assert_int_equal(rmp_asid_page_count(rmp, 12000), 0);
    rmp_destroy(rmp);
}

/* A random walk against an array that needs no cleverness. */
static void rmp__random_walk__as_a_plain_array(void **state)
{
    enum { PAGES = 3000, STEPS = 60000 };
    static uint8_t state_of[PAGES];
    static uint16_t asid_of[PAGES];
    struct rmp *rmp = make();
    uint32_t x = 12345;

    (void)state;
    memset(state_of, RMP_HYPERVISOR, sizeof(state_of));
    memset(asid_of, 0, sizeof(asid_of));
    for (unsigned int step = 0; step < STEPS; step++) {
        uint64_t page;
        struct rmp_entry e = {.state = RMP_HYPERVISOR};

        x = x * 1664525 + 1013904223;
        page = (x >> 8) % PAGES;
        if ((x >> 28) > 6) {
            e.state = RMP_GUEST_VALID;
            e.asid = (x >> 24 & 7) + 1;
            e.gpa = page << 12;
        }
        /* 37: spread over the space, so that chains meet and wrap. */
        assert_int_equal(rmp_set(rmp, page * 37 % PAGES << 12, &e), PSP_OK);
        state_of[page * 37 % PAGES] = (uint8_t)e.state;
        asid_of[page * 37 % PAGES] = (uint16_t)e.asid;
    }
    for (uint32_t asid = 1; asid <= 8; asid++) {
        uint64_t count = 0;

        for (size_t i = 0; i < PAGES; i++) {
            count += asid_of[i] == asid ? 1 : 0;
        }
        assert_true(count > 0);
        assert_true(rmp_asid_page_count(rmp, asid) == count);
    }
    for (size_t i = 0; i < PAGES; i++) {
        assert_int_equal(rmp_get(rmp, i << 12).state, state_of[i]);
        assert_int_equal(rmp_get(rmp, i << 12).asid, asid_of[i]);
    }
    for (size_t i = 0; i < PAGES; i++) {
        const struct rmp_entry e = {.state = RMP_HYPERVISOR};

        assert_int_equal(rmp_set(rmp, i << 12, &e), PSP_OK);
    }
    for (uint32_t asid = 0; asid <= RMP_ASID_MAX + 1; asid++) {
        assert_true(rmp_asid_page_count(rmp, asid) == 0);
    }
    rmp_destroy(rmp);
}

static void rmp__reset__hv_fixed_stays_unless_all(void **state)
{
    struct rmp *rmp = make();

    (void)state;
    for (uint64_t i = 1; i < 200; i++) {
        put(rmp, i << 12, i % 3 == 0 ? RMP_HV_FIXED : RMP_GUEST_VALID,
            i % 3 == 0 ? 0 : 5, i << 12);
    }
    rmp_reset(rmp, false);
    for (uint64_t i = 1; i < 200; i++) {
        assert_int_equal(rmp_get(rmp, i << 12).state,
                         i % 3 == 0 ? RMP_HV_FIXED : RMP_HYPERVISOR);
    }
    assert_true(rmp_asid_page_count(rmp, 5) == 0);
    rmp_reset(rmp, true);
    assert_int_equal(rmp_get(rmp, 3 << 12).state, RMP_HYPERVISOR);
    rmp_destroy(rmp);
}

static void rmp__rebuild__ranges_merge_clip_and_survive_disorder(void **state)
{
    const struct rmp_range ranges[] = {
        {0x9000, 0x1000},      {0x3000, 0x2000}, {0x5000, 0x1000},
        {0x4000, 0x3000},      {0x8000, 0},      {END - 0x1000, 0x9000},
        {END, 0x1000},         {0x1000, 0x1000}, {0x9000, 0x1000},
        {0x20000, 1ull << 40},
    };
    struct rmp *rmp = make();

    (void)state;
    put(rmp, 0x7000, RMP_FIRMWARE, 0, 0);
    assert_int_equal(rmp_rebuild(rmp, ranges, 9), PSP_OK);
    for (uint64_t page = 0; page < 0x20; page++) {
        bool fixed = page == 1 || (page >= 3 && page <= 6) || page == 9;

        assert_int_equal(rmp_get(rmp, page << 12).state,
                         fixed ? RMP_HV_FIXED : RMP_HYPERVISOR);
    }
    assert_int_equal(rmp_get(rmp, END - 1).state, RMP_HV_FIXED);
    assert_int_equal(rmp_get(rmp, END).state, RMP_DEFAULT);
    assert_int_equal(rmp_rebuild(rmp, ranges + 9, 1), PSP_OK);
    assert_int_equal(rmp_get(rmp, 0x1000).state, RMP_HYPERVISOR);
    assert_int_equal(rmp_get(rmp, 0x20000).state, RMP_HV_FIXED);
    assert_int_equal(rmp_get(rmp, END - 1).state, RMP_HV_FIXED);
    assert_int_equal(rmp_rebuild(rmp, NULL, 0), PSP_OK);
    assert_int_equal(rmp_get(rmp, 0x20000).state, RMP_HYPERVISOR);
    rmp_destroy(rmp);
}

static void rmp__range_page__refuses_rmpupdate(void **state)
{
    const struct rmp_range range = {SPA, 0x1000};
    struct rmp *rmp = make();

    (void)state;
    assert_int_equal(rmp_rebuild(rmp, &range, 1), PSP_OK);
    assert_int_equal(rmp_rmpupdate(rmp, SPA,
                                   &(struct rmp_update){.assigned = true,
                                                        .immutable = true}),
                     RMP_FAIL_PERMISSION);
    assert_true(rmp_host_may_write(rmp, SPA));
    rmp_destroy(rmp);
}

/* -- states -----------------------------------------------------------------
 */

static const struct state_case {
    const char *name;
    enum rmp_state state;
    const char *text;
    bool immutable;
    bool host_may_write;
} STATES[] = {
    {"state__default", RMP_DEFAULT, "Default", false, true},
    {"state__hypervisor", RMP_HYPERVISOR, "Hypervisor", false, true},
    {"state__hv_fixed", RMP_HV_FIXED, "HV-fixed", true, true},
    {"state__reclaim", RMP_RECLAIM, "Reclaim", false, false},
    {"state__firmware", RMP_FIRMWARE, "Firmware", true, false},
    {"state__context", RMP_CONTEXT, "Context", true, false},
    {"state__metadata", RMP_METADATA, "Metadata", true, false},
    {"state__pre_guest", RMP_PRE_GUEST, "Pre-Guest", true, false},
    {"state__pre_swap", RMP_PRE_SWAP, "Pre-Swap", true, false},
    {"state__guest_invalid", RMP_GUEST_INVALID, "Guest-Invalid", false, false},
    {"state__guest_valid", RMP_GUEST_VALID, "Guest-Valid", false, false},
};

/* Nothing RMPUPDATE offers moves an immutable page; everything else goes back
 * to Hypervisor. */
static void test_state(void **state)
{
    const struct state_case *c = *state;
    struct rmp *rmp = make();
    const struct rmp_update updates[] = {
        {.assigned = false},
        {.assigned = true, .immutable = true},
        {.assigned = true, .asid = 2, .gpa = 0x1000},
        {.assigned = true, .immutable = true, .asid = 2, .gpa = 0x1000},
    };
    uint64_t spa = c->state == RMP_DEFAULT ? END : SPA;

    assert_string_equal(rmp_state_name(c->state), c->text);
    assert_int_equal(rmp_immutable(c->state), c->immutable);
    for (size_t i = 0; i < 4; i++) {
        if (c->state != RMP_DEFAULT) {
            put(rmp, spa, c->state, 0, 0);
        }
        assert_int_equal(rmp_host_may_write(rmp, spa), c->host_may_write);
        assert_int_equal(rmp_rmpupdate(rmp, spa, &updates[i]),
                         c->state == RMP_DEFAULT ? RMP_FAIL_INPUT
                         : c->immutable          ? RMP_FAIL_PERMISSION
                                                 : RMP_OK);
        if (c->immutable) {
            assert_int_equal(rmp_get(rmp, spa).state, c->state);
        }
        if (!c->immutable && c->state != RMP_DEFAULT && i == 0) {
            assert_int_equal(rmp_get(rmp, spa).state, RMP_HYPERVISOR);
        }
        rmp_reset(rmp, true);
    }
    rmp_destroy(rmp);
}

/* -- RMPUPDATE --------------------------------------------------------------
 */

static const struct update_case {
    const char *name;
    struct rmp_update update;
    enum rmp_result result;
    enum rmp_state to;
} UPDATES[] = {
    {"rmpupdate__unassign", {.assigned = false}, RMP_OK, RMP_HYPERVISOR},
    {"rmpupdate__firmware",
     {.assigned = true, .immutable = true},
     RMP_OK,
     RMP_FIRMWARE},
    {"rmpupdate__reclaim", {.assigned = true}, RMP_OK, RMP_RECLAIM},
    {"rmpupdate__guest_invalid",
     {.assigned = true, .asid = 1, .gpa = 0x9000},
     RMP_OK,
     RMP_GUEST_INVALID},
    {"rmpupdate__pre_guest",
     {.assigned = true, .immutable = true, .asid = 1, .gpa = 0x9000},
     RMP_OK,
     RMP_PRE_GUEST},
    {"rmpupdate__highest_asid",
     {.assigned = true, .asid = RMP_ASID_MAX},
     RMP_OK,
     RMP_GUEST_INVALID},
    {"rmpupdate__asid_too_high__input",
     {.assigned = true, .asid = RMP_ASID_MAX + 1},
     RMP_FAIL_INPUT,
     RMP_HYPERVISOR},
    {"rmpupdate__gpa_unaligned__input",
     {.assigned = true, .asid = 1, .gpa = 0x9008},
     RMP_FAIL_INPUT,
     RMP_HYPERVISOR},
    {"rmpupdate__gpa_without_asid__input",
     {.assigned = true, .immutable = true, .gpa = 0x9000},
     RMP_FAIL_INPUT,
     RMP_HYPERVISOR},
    {"rmpupdate__immutable_unassigned__input",
     {.immutable = true},
     RMP_FAIL_INPUT,
     RMP_HYPERVISOR},
    {"rmpupdate__asid_unassigned__input",
     {.asid = 1},
     RMP_FAIL_INPUT,
     RMP_HYPERVISOR},
    {"rmpupdate__2m_at_4k_address__input",
     {.assigned = true, .immutable = true, .size_2m = true},
     RMP_FAIL_INPUT,
     RMP_HYPERVISOR},
};

static void test_update(void **state)
{
    const struct update_case *c = *state;
    struct rmp *rmp = make();

    assert_int_equal(rmp_rmpupdate(rmp, SPA, &c->update), c->result);
    assert_int_equal(rmp_get(rmp, SPA).state, c->to);
    assert_int_equal(rmp_get(rmp, SPA).asid,
                     c->result == RMP_OK ? c->update.asid : 0);
    rmp_destroy(rmp);
}

static void rmpupdate__unaligned_or_uncovered__input(void **state)
{
    struct rmp *rmp = make();
    const struct rmp_update firmware = {.assigned = true, .immutable = true};

    (void)state;
    assert_int_equal(rmp_rmpupdate(rmp, SPA + 8, &firmware), RMP_FAIL_INPUT);
    assert_int_equal(rmp_rmpupdate(rmp, END, &firmware), RMP_FAIL_INPUT);
    assert_int_equal(rmp_rmpupdate(rmp, UINT64_MAX - 0xfff, &firmware),
                     RMP_FAIL_INPUT);
    rmp_destroy(rmp);
}

static void rmpupdate__valid_page_made_immutable__pre_swap(void **state)
{
    struct rmp *rmp = make();
    struct rmp_update u = {
        .assigned = true, .immutable = true, .asid = 4, .gpa = 0x7000};
    struct rmp_entry e;

    (void)state;
    put(rmp, SPA, RMP_GUEST_VALID, 4, 0x7000);
    assert_int_equal(rmp_rmpupdate(rmp, SPA, &u), RMP_OK);
    e = rmp_get(rmp, SPA);
    assert_int_equal(e.state, RMP_PRE_SWAP);
    assert_int_equal(e.vmpl[2], 3); /* stays with its guest */
    put(rmp, SPA, RMP_GUEST_INVALID, 4, 0x7000);
    assert_int_equal(rmp_rmpupdate(rmp, SPA, &u), RMP_OK);
    assert_int_equal(rmp_get(rmp, SPA).state, RMP_PRE_GUEST);
    /* Another GPA is another page: not validated, permissions of VMPL0 only. */
    put(rmp, SPA, RMP_GUEST_VALID, 4, 0x7000);
    u.gpa = 0x8000;
    assert_int_equal(rmp_rmpupdate(rmp, SPA, &u), RMP_OK);
    e = rmp_get(rmp, SPA);
    assert_int_equal(e.state, RMP_PRE_GUEST);
    assert_int_equal(e.vmpl[0], RMP_PERM_ALL);
    assert_int_equal(e.vmpl[2], 0);
    rmp_destroy(rmp);
}

static void rmpupdate__valid_page_again__validation_lost(void **state)
{
    struct rmp *rmp = make();

    (void)state;
    put(rmp, SPA, RMP_GUEST_VALID, 4, 0x7000);
    assert_int_equal(
        rmp_rmpupdate(
            rmp, SPA,
            &(struct rmp_update){.assigned = true, .asid = 4, .gpa = 0x7000}),
        RMP_OK);
    assert_int_equal(rmp_get(rmp, SPA).state, RMP_GUEST_INVALID);
    rmp_destroy(rmp);
}

static void rmpupdate__2m__512_pages_at_once(void **state)
{
    struct rmp *rmp = make();
    struct rmp_update u = {
        .assigned = true, .size_2m = true, .asid = 6, .gpa = 0x600000};

    (void)state;
    assert_int_equal(rmp_rmpupdate(rmp, SPA2, &u), RMP_OK);
    for (uint64_t i = 0; i < 512; i++) {
        struct rmp_entry e = rmp_get(rmp, SPA2 + (i << 12));

        assert_true(e.size_2m);
        assert_true(e.gpa == 0x600000 + (i << 12));
    }
    assert_true(rmp_asid_page_count(rmp, 6) == 512);
    u.gpa = 0x601000;
    assert_int_equal(rmp_rmpupdate(rmp, SPA2, &u), RMP_FAIL_INPUT);
    assert_int_equal(
        rmp_rmpupdate(rmp, SPA2, &(struct rmp_update){.size_2m = true}),
        RMP_OK);
    assert_true(rmp_asid_page_count(rmp, 6) == 0);
    assert_int_equal(rmp_get(rmp, SPA2).state, RMP_HYPERVISOR);
    rmp_destroy(rmp);
}

static void rmpupdate__sizes_mixed__overlap(void **state)
{
    struct rmp *rmp = make();
    const struct rmp_update big = {
        .assigned = true, .size_2m = true, .asid = 6, .gpa = 0x600000};
    const struct rmp_update small = {
        .assigned = true, .asid = 6, .gpa = 0x600000};

    (void)state;
    assert_int_equal(rmp_rmpupdate(rmp, SPA2, &big), RMP_OK);
    assert_int_equal(rmp_rmpupdate(rmp, SPA2 + 0x3000, &small),
                     RMP_FAIL_OVERLAP);
    assert_int_equal(rmp_psmash(rmp, SPA2), RMP_OK);
    assert_int_equal(rmp_rmpupdate(rmp, SPA2 + 0x3000, &small), RMP_OK);
    assert_int_equal(rmp_rmpupdate(rmp, SPA2, &big), RMP_FAIL_OVERLAP);
    /* One immutable page among them weighs more. */
    put(rmp, SPA2 + 0x1ff000, RMP_FIRMWARE, 0, 0);
    assert_int_equal(rmp_rmpupdate(rmp, SPA2, &big), RMP_FAIL_PERMISSION);
    rmp_destroy(rmp);
}

static void psmash__wrong_page__refused(void **state)
{
    struct rmp *rmp = make();
    const struct rmp_update pre = {.assigned = true,
                                   .immutable = true,
                                   .size_2m = true,
                                   .asid = 6,
                                   .gpa = 0x600000};

    (void)state;
    assert_int_equal(rmp_psmash(rmp, SPA2), RMP_FAIL_INPUT);
    assert_int_equal(rmp_rmpupdate(rmp, SPA2, &pre), RMP_OK);
    assert_int_equal(rmp_psmash(rmp, SPA2 + 0x1000), RMP_FAIL_INPUT);
    assert_int_equal(rmp_psmash(rmp, SPA2), RMP_FAIL_PERMISSION);
    assert_true(rmp_get(rmp, SPA2).size_2m);
    rmp_destroy(rmp);
}

/* -- PVALIDATE --------------------------------------------------------------
 */

static void pvalidate__own_page__valid_and_back(void **state)
{
    struct rmp *rmp = make();

    (void)state;
    put(rmp, SPA, RMP_GUEST_INVALID, 4, 0x7000);
    assert_int_equal(rmp_pvalidate(rmp, SPA, 4, 0x7000, true), RMP_OK);
    assert_int_equal(rmp_get(rmp, SPA).state, RMP_GUEST_VALID);
    assert_int_equal(rmp_pvalidate(rmp, SPA, 4, 0x7000, true), RMP_OK);
    assert_int_equal(rmp_pvalidate(rmp, SPA, 4, 0x7000, false), RMP_OK);
    assert_int_equal(rmp_get(rmp, SPA).state, RMP_GUEST_INVALID);
    rmp_destroy(rmp);
}

static void pvalidate__not_its_page__permission(void **state)
{
    static const enum rmp_state others[] = {
        RMP_HYPERVISOR, RMP_HV_FIXED, RMP_RECLAIM,   RMP_FIRMWARE,
        RMP_CONTEXT,    RMP_METADATA, RMP_PRE_GUEST, RMP_PRE_SWAP};
    struct rmp *rmp = make();

    (void)state;
    put(rmp, SPA, RMP_GUEST_INVALID, 4, 0x7000);
    assert_int_equal(rmp_pvalidate(rmp, SPA, 5, 0x7000, true),
                     RMP_FAIL_PERMISSION);
    assert_int_equal(rmp_pvalidate(rmp, SPA, 4, 0x8000, true),
                     RMP_FAIL_PERMISSION);
    assert_int_equal(rmp_pvalidate(rmp, END, 4, 0x7000, true),
                     RMP_FAIL_PERMISSION);
    assert_int_equal(rmp_pvalidate(rmp, SPA + 1, 4, 0x7000, true),
                     RMP_FAIL_INPUT);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        put(rmp, SPA, others[i], others[i] >= RMP_PRE_GUEST ? 4 : 0, 0x7000);
        assert_int_equal(rmp_pvalidate(rmp, SPA, 4, 0x7000, true),
                         RMP_FAIL_PERMISSION);
    }
    rmp_destroy(rmp);
}

static void pvalidate__2m__whole_page_by_its_head(void **state)
{
    struct rmp *rmp = make();

    (void)state;
    assert_int_equal(rmp_rmpupdate(rmp, SPA2,
                                   &(struct rmp_update){.assigned = true,
                                                        .size_2m = true,
                                                        .asid = 4,
                                                        .gpa = 0x600000}),
                     RMP_OK);
    assert_int_equal(rmp_pvalidate(rmp, SPA2 + 0x1000, 4, 0x601000, true),
                     RMP_FAIL_OVERLAP);
    assert_int_equal(rmp_pvalidate(rmp, SPA2, 4, 0x600000, true), RMP_OK);
    assert_int_equal(rmp_get(rmp, SPA2 + 0x1ff000).state, RMP_GUEST_VALID);
    rmp_destroy(rmp);
}

int main(void)
{
    const struct CMUnitTest plain[] = {
        cmocka_unit_test(rmp__fresh__hypervisor_inside_default_outside),
        cmocka_unit_test(rmp__set__comes_back_for_every_byte_of_the_page),
        cmocka_unit_test(rmp__set_what_cannot_be__param),
        cmocka_unit_test(rmp__machine_with_more_asids__holds_exactly_those),
        cmocka_unit_test(rmp__random_walk__as_a_plain_array),
        cmocka_unit_test(rmp__reset__hv_fixed_stays_unless_all),
        cmocka_unit_test(rmp__rebuild__ranges_merge_clip_and_survive_disorder),
        cmocka_unit_test(rmp__range_page__refuses_rmpupdate),
        cmocka_unit_test(rmpupdate__unaligned_or_uncovered__input),
        cmocka_unit_test(rmpupdate__valid_page_made_immutable__pre_swap),
        cmocka_unit_test(rmpupdate__valid_page_again__validation_lost),
        cmocka_unit_test(rmpupdate__2m__512_pages_at_once),
        cmocka_unit_test(rmpupdate__sizes_mixed__overlap),
        cmocka_unit_test(psmash__wrong_page__refused),
        cmocka_unit_test(pvalidate__own_page__valid_and_back),
        cmocka_unit_test(pvalidate__not_its_page__permission),
        cmocka_unit_test(pvalidate__2m__whole_page_by_its_head),
    };
    struct tst_suite suite = {0};

    TST_ADD(&suite, plain);
    TST_ADD_ROWS(&suite, STATES, test_state);
    TST_ADD_ROWS(&suite, UPDATES, test_update);
    return tst_suite_run(&suite, "core/rmp");
}
