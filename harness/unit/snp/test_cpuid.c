/* SPDX-License-Identifier: Apache-2.0 */
/* CPUID policy and the CPUID launch page. abi/snp.md §4.6 */
#include "snp_fixture.h"

#include "cpuid.h"
#include "wire.h"

#include <psp/cpuid.h>

#define ASID 3u

static const struct psp_profile *profile(const char *name)
{
    const struct psp_profile *p = psp_profile_by_name(name);

    assert_non_null(p);
    return p;
}

/* The platform's own answer; XSAVE sizes are those of XCR0_IN = 1. */
static struct snp_cpuid_function own(const struct psp_profile *p, uint32_t leaf,
                                     uint32_t subleaf)
{
    struct psp_cpuid v;

    (void)psp_cpuid_get(p, leaf, subleaf, &v);
    return (struct snp_cpuid_function){.eax_in = leaf,
                                       .ecx_in = subleaf,
                                       .xcr0_in = 1,
                                       .eax = v.eax,
                                       .ebx = v.ebx,
                                       .ecx = v.ecx,
                                       .edx = v.edx};
}

static uint32_t *reg(struct snp_cpuid_function *fn, char name)
{
    switch (name) {
    case 'a':
        return &fn->eax;
    case 'b':
        return &fn->ebx;
    case 'c':
        return &fn->ecx;
    default:
        return &fn->edx;
    }
}

static void cpuid__platforms_own_values__accepted(void **state)
{
    static const char *const names[] = {"milan-old", "milan", "genoa", "turin"};
    uint32_t leaf, subleaf;

    (void)state;
    for (size_t n = 0; n < 4; n++) {
        for (size_t i = 0; psp_cpuid_at(i, &leaf, &subleaf); i++) {
            struct snp_cpuid_function fn =
                own(profile(names[n]), leaf, subleaf);

            if (!snp_cpuid_enforce(profile(names[n]), &fn, 1)) {
                print_error("%s leaf %x.%x\n", names[n], leaf, subleaf);
                fail();
            }
        }
    }
}

/* One register of one leaf: what is claimed on Milan, and what comes back. */
static const struct rule_case {
    const char *name;
    uint32_t leaf;
    uint32_t subleaf;
    char reg;
    uint32_t claim;
    uint32_t accepted;
} RULES[] = {
    {"leaf_0__fewer_leaves__accepted", 0, 0, 'a', 0xd, 0xd},
    {"leaf_0__more_leaves__clamped", 0, 0, 'a', 0x11, 0x10},
    {"leaf_0__vendor__free", 0, 0, 'b', 0x12345678, 0x12345678},
    /* EPYC-v4 of QEMU, family 17h, is older than any SNP part. */
    {"leaf_1__older_family__accepted", 1, 0, 'a', 0x00800f12, 0x00800f12},
    {"leaf_1__newer_stepping__own", 1, 0, 'a', 0x00a00f12, 0x00a00f11},
    {"leaf_1__newer_model__own", 1, 0, 'a', 0x00a10f10, 0x00a00f11},
    {"leaf_1__newer_family__own", 1, 0, 'a', 0x00b00f00, 0x00a00f11},
    {"leaf_1__older_family_newer_model__accepted", 1, 0, 'a', 0x008f0fff,
     0x008f0fff},
    {"leaf_1__clflush__set_to_8", 1, 0, 'b', 0x00010400, 0x00010800},
    {"leaf_1__apic_id__free", 1, 0, 'b', 0xff3f0800, 0xff3f0800},
    {"leaf_1__tsc_deadline__cleared", 1, 0, 'c', 0x01000001, 0x00000001},
    {"leaf_1__hypervisor_bit__free", 1, 0, 'c', 0x80000000, 0x80000000},
    {"leaf_1__osxsave__free", 1, 0, 'c', 0x08000000, 0x08000000},
    {"leaf_1__edx_bit_10__cleared", 1, 0, 'd', 0x178bffff, 0x178bfbff},
    {"leaf_6__arat__accepted", 6, 0, 'a', 0x4, 0x4},
    {"leaf_6__turbo__cleared", 6, 0, 'a', 0x6, 0x4},
    {"leaf_6__ebx__zero", 6, 0, 'b', 1, 0},
    {"leaf_6__edx__zero", 6, 0, 'd', 0x80000000, 0},
    {"leaf_7__subleaf_count__clamped", 7, 0, 'a', 1, 0},
    {"leaf_7__tsc_adjust__cleared", 7, 0, 'b', 0x3, 0x1},
    {"leaf_7__avx512__cleared_on_milan", 7, 0, 'b', 0x00010021, 0x00000021},
    {"leaf_7__ospke__free", 7, 0, 'c', 0x10, 0x10},
    {"leaf_7__la57__cleared_on_milan", 7, 0, 'c', 0x10004, 0x4},
    {"leaf_7__spec_ctrl__cleared", 7, 0, 'd', 1u << 26, 0},
    {"leaf_7__stibp__cleared", 7, 0, 'd', 1u << 27, 0},
    {"leaf_7__flush_l1d__cleared", 7, 0, 'd', 1u << 28, 0},
    {"leaf_7__arch_capabilities__cleared", 7, 0, 'd', 1u << 29, 0},
    {"leaf_7__core_capability__cleared", 7, 0, 'd', 1u << 30, 0},
    {"leaf_7__ssbd__cleared", 7, 0, 'd', 1u << 31, 0},
    {"leaf_7_1__bf16__cleared_on_milan", 7, 1, 'a', 0x20, 0},
    {"leaf_7_1__edx__zero", 7, 1, 'd', 1, 0},
    {"leaf_7_2__unlisted__zero", 7, 2, 'd', 0x3f, 0},
    {"leaf_d_0__x87_and_sse__always", 0xd, 0, 'a', 0, 3},
    {"leaf_d_0__avx512__cleared_on_milan", 0xd, 0, 'a', 0x2e7, 0x207},
    {"leaf_d_0__size__of_xcr0", 0xd, 0, 'b', 0x988, 0x240},
    {"leaf_d_0__ecx__free", 0xd, 0, 'c', 0x2700, 0x2700},
    {"leaf_d_1__xsaves__accepted", 0xd, 1, 'a', 0xf, 0xf},
    {"leaf_d_1__bit_4__cleared", 0xd, 1, 'a', 0x1f, 0xf},
    {"leaf_d_1__size__of_xcr0_and_xss", 0xd, 1, 'b', 0x988, 0x240},
    {"leaf_d_1__xss_bit_8__cleared", 0xd, 1, 'c', 0x1900, 0x1800},
    {"leaf_d_2__size__strict", 0xd, 2, 'a', 0x140, 0x100},
    {"leaf_d_2__offset__strict", 0xd, 2, 'b', 0x200, 0x240},
    {"leaf_d_9__offset__strict", 0xd, 9, 'b', 0xa80, 0x980},
    {"leaf_d_5__no_avx512_on_milan__zero", 0xd, 5, 'a', 0x40, 0},
    {"leaf_14__unlisted__zero", 0x14, 0, 'a', 1, 0},
    {"leaf_ffff__unlisted__zero", 0xffff, 0, 'c', 5, 0},
    {"leaf_10000__out_of_range__free", 0x10000, 0, 'c', 5, 5},
    {"leaf_7fffffff__out_of_range__free", 0x7fffffff, 0, 'a', 5, 5},
    {"leaf_8000ffff__unlisted__zero", 0x8000ffff, 0, 'b', 5, 0},
    {"leaf_80010000__out_of_range__free", 0x80010000, 0, 'd', 5, 5},
    {"leaf_40000001__hypervisors__free", 0x40000001, 0, 'a', 0x4b564d4b,
     0x4b564d4b},
    {"leaf_80000000__more__clamped", 0x80000000, 0, 'a', 0x80000028,
     0x80000023},
    {"leaf_80000000__fewer__accepted", 0x80000000, 0, 'a', 0x8000001f,
     0x8000001f},
    {"leaf_80000001__newer__own", 0x80000001, 0, 'a', 0x00b00f21, 0x00a00f11},
    {"leaf_80000001__fma4__cleared", 0x80000001, 0, 'c', 0x10001, 0x1},
    {"leaf_80000001__ebx__free", 0x80000001, 0, 'b', 0xff, 0xff},
    {"leaf_80000002__name__free", 0x80000002, 0, 'd', 0x20202020, 0x20202020},
    {"leaf_80000007__eax__strict", 0x80000007, 0, 'a', 1, 0},
    {"leaf_80000007__invariant_tsc__accepted", 0x80000007, 0, 'd', 0x100,
     0x100},
    {"leaf_80000007__edx_bit_31__cleared", 0x80000007, 0, 'd', 0x80000100,
     0x100},
    {"leaf_80000008__fewer_bits__accepted", 0x80000008, 0, 'a', 0x00002f2f,
     0x00002f2f},
    {"leaf_80000008__guest_bits_of_kvm__accepted", 0x80000008, 0, 'a',
     0x00303030, 0x00303030},
    {"leaf_80000008__more_bits__per_byte", 0x80000008, 0, 'a', 0x0131393a,
     0x00303030},
    {"leaf_80000008__virt_ssbd__cleared", 0x80000008, 0, 'b', 0x02000001,
     0x00000001},
    {"leaf_80000008__edx__clamped", 0x80000008, 0, 'd', 0x00020000, 0x00010007},
    {"leaf_8000000a__svm__zero", 0x8000000a, 0, 'a', 1, 0},
    {"leaf_8000001d__topology__free", 0x8000001d, 4, 'a', 0x1234, 0x1234},
    {"leaf_8000001f__c_bit__strict", 0x8000001f, 0, 'b', 0x4172, 0x4173},
    {"leaf_8000001f__reduction__free", 0x8000001f, 0, 'b', 0x4073, 0x4073},
    {"leaf_8000001f__no_vmpls__accepted", 0x8000001f, 0, 'b', 0x0173, 0x0173},
    {"leaf_8000001f__five_vmpls__four", 0x8000001f, 0, 'b', 0x5173, 0x4173},
    {"leaf_8000001f__high_bits__strict", 0x8000001f, 0, 'b', 0x14173, 0x4173},
    {"leaf_80000021__automatic_ibrs__cleared_on_milan", 0x80000021, 0, 'a',
     0x104, 0x4},
    {"leaf_80000021__ecx__zero", 0x80000021, 0, 'c', 2, 0},
    {"leaf_80000022__unlisted__zero", 0x80000022, 0, 'a', 1, 0},
};

static void test_rule(void **state)
{
    const struct rule_case *c = *state;
    struct snp_cpuid_function fn = own(profile("milan"), c->leaf, c->subleaf);
    struct snp_cpuid_function want;

    *reg(&fn, c->reg) = c->claim;
    want = fn;
    *reg(&want, c->reg) = c->accepted;
    assert_int_equal(snp_cpuid_enforce(profile("milan"), &fn, 1),
                     c->claim == c->accepted);
    assert_memory_equal(&fn, &want, sizeof(fn));
    assert_true(snp_cpuid_enforce(profile("milan"), &fn, 1));
}

static void xsave__sizes__follow_xcr0_and_xss(void **state)
{
    static const struct {
        uint64_t xcr0;
        uint64_t xss;
        uint32_t standard;
        uint32_t compacted;
    } rows[] = {
        {0x1, 0, 0x240, 0x240},     {0x3, 0, 0x240, 0x240},
        {0x7, 0, 0x340, 0x340},     {0x27, 0, 0x380, 0x380},
        {0x67, 0, 0x580, 0x580},    {0xe7, 0, 0x980, 0x980},
        {0x2e7, 0, 0x988, 0x988},   {0x207, 0, 0x988, 0x348},
        {0x7, 0x800, 0x340, 0x350}, {0x7, 0x1800, 0x340, 0x368},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct snp_cpuid_function fn[2] = {own(profile("genoa"), 0xd, 0),
                                           own(profile("genoa"), 0xd, 1)};

        fn[0].xcr0_in = fn[1].xcr0_in = rows[i].xcr0;
        fn[0].xss_in = fn[1].xss_in = rows[i].xss;
        fn[0].ebx = fn[1].ebx = 1;
        assert_false(snp_cpuid_enforce(profile("genoa"), fn, 2));
        assert_int_equal(fn[0].ebx, rows[i].standard);
        assert_int_equal(fn[1].ebx, rows[i].compacted);
    }
}

static void cpuid__ecx_in_of_plain_leaf__ignored(void **state)
{
    struct snp_cpuid_function fn = own(profile("milan"), 1, 0);

    (void)state;
    fn.ecx_in = 77;
    assert_true(snp_cpuid_enforce(profile("milan"), &fn, 1));
    fn.ecx = 0x01000000;
    assert_false(snp_cpuid_enforce(profile("milan"), &fn, 1));
}

/* -- the launch page --------------------------------------------------------
 */

static uint64_t put_table(struct snp_fx *fx,
                          const struct snp_cpuid_table *table)
{
    uint8_t page[RMP_PAGE_SIZE];
    uint64_t spa = fx_page(fx);

    memset(page, 0xb7, sizeof(page)); /* behind the table: anything */
    (void)snp_cpuid_table_encode(table, page);
    fx_write(fx, spa, page, sizeof(page));
    return fx_pre_guest(fx, spa, ASID, 0x80e000);
}

static enum sev_status update(struct snp_fx *fx, uint64_t gctx, uint64_t spa)
{
    return FX(fx, LAUNCH_UPDATE, launch_update, .gctx_paddr = gctx,
              .page_type = SNP_PAGE_CPUID, .page_paddr = spa);
}

static void cpuid_page__clean_full_table__guest_sees_all_of_it(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    uint64_t gctx = fx_guest_launch(fx, ASID, FX_POLICY), spa;
    struct snp_cpuid_table table = {.count = 64};
    uint8_t given[RMP_PAGE_SIZE], seen[RMP_PAGE_SIZE];

    (void)state;
    for (uint32_t i = 0; i < table.count; i++) {
        table.fn[i] = own(profile("milan"), i % 2 == 0 ? 1 : 0x80000001, 0);
    }
    spa = put_table(fx, &table);
    fx_read(fx, spa, given, sizeof(given));
    assert_int_equal(update(fx, gctx, spa), SEV_SUCCESS);
    assert_int_equal(psp_guest_mem_read(fx->psp, ASID, spa, seen, sizeof(seen)),
                     PSP_OK);
    assert_memory_equal(seen, given, sizeof(seen));
    snp_fx_free(fx);
}

static void cpuid_page__refused__corrected_plaintext_comes_back(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    uint64_t gctx = fx_guest_launch(fx, ASID, FX_POLICY), spa;
    struct snp_cpuid_table table = {.count = 2};
    uint8_t want[RMP_PAGE_SIZE], got[RMP_PAGE_SIZE];

    (void)state;
    table.fn[0] = own(profile("milan"), 7, 0);
    table.fn[1] = own(profile("milan"), 1, 0);
    table.fn[0].ebx |= 0x2; /* TSC_ADJUST */
    spa = put_table(fx, &table);
    fx_read(fx, spa, want, sizeof(want));
    assert_int_equal(want[0x10 + 0x1c] & 2, 2);
    want[0x10 + 0x1c] &= 0xfd;
    assert_int_equal(update(fx, gctx, spa), SEV_INVALID_PARAM);
    fx_read(fx, spa, got, sizeof(got));
    assert_memory_equal(got, want, sizeof(got));
    assert_int_equal(fx_state(fx, spa), RMP_PRE_GUEST);
    assert_true(psp_all_zero(fx_guest(fx, gctx)->ld, 48));
    /* The host may send what it got back. */
    assert_int_equal(update(fx, gctx, spa), SEV_SUCCESS);
    assert_int_equal(fx_state(fx, spa), RMP_GUEST_VALID);
    snp_fx_free(fx);
}

static const struct header_case {
    const char *name;
    size_t offset; /* byte that is set to @value */
    uint8_t value;
} HEADERS[] = {
    {"cpuid_page__count_65__unchanged", 0x00, 65},
    {"cpuid_page__count_high__unchanged", 0x03, 0x80},
    {"cpuid_page__reserved_04__unchanged", 0x04, 1},
    {"cpuid_page__reserved_08__unchanged", 0x08, 1},
    {"cpuid_page__reserved_0f__unchanged", 0x0f, 0x80},
    {"cpuid_page__function_reserved__unchanged", 0x10 + 0x2f, 1},
};

static void test_header(void **state)
{
    const struct header_case *c = *state;
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    uint64_t gctx = fx_guest_launch(fx, ASID, FX_POLICY), spa;
    struct snp_cpuid_table table = {.count = 1};
    struct fx_snapshot *before;

    table.fn[0] = own(profile("milan"), 7, 0);
    table.fn[0].ebx |= 0x2; /* would be corrected if anybody looked */
    spa = put_table(fx, &table);
    fx_write(fx, spa + c->offset, &c->value, 1);
    before = fx_snapshot(fx);
    assert_int_equal(update(fx, gctx, spa), SEV_INVALID_PARAM);
    fx_assert_same(fx, before);
    snp_fx_free(fx);
}

static void cpuid_page__write_of_correction_fails__hwerror(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    uint64_t gctx = fx_guest_launch(fx, ASID, FX_POLICY), spa;
    struct snp_cpuid_table table = {.count = 1};
    struct fx_snapshot *before;

    (void)state;
    table.fn[0] = own(profile("milan"), 7, 0);
    table.fn[0].ebx |= 0x2;
    spa = put_table(fx, &table);
    before = fx_snapshot(fx);
    fx->calls = 0;
    fx->fail_at = 3;
    assert_int_equal(update(fx, gctx, spa), SEV_HWERROR_PLATFORM);
    fx->fail_at = 0;
    fx_assert_same(fx, before);
    snp_fx_free(fx);
}

int main(void)
{
    const struct CMUnitTest plain[] = {
        cmocka_unit_test(cpuid__platforms_own_values__accepted),
        cmocka_unit_test(xsave__sizes__follow_xcr0_and_xss),
        cmocka_unit_test(cpuid__ecx_in_of_plain_leaf__ignored),
        cmocka_unit_test(cpuid_page__clean_full_table__guest_sees_all_of_it),
        cmocka_unit_test(cpuid_page__refused__corrected_plaintext_comes_back),
        cmocka_unit_test(cpuid_page__write_of_correction_fails__hwerror),
    };
    struct tst_suite suite = {0};

    TST_ADD(&suite, plain);
    TST_ADD_ROWS(&suite, RULES, test_rule);
    TST_ADD_ROWS(&suite, HEADERS, test_header);
    return tst_suite_run(&suite, "snp/cpuid");
}
