/* SPDX-License-Identifier: Apache-2.0 */
/* What the firmware takes from the heap and gives back: it survives each
 * allocation that fails, and it gives nothing back that is not wiped. This
 * program is its own heap. */
#include "snp_fixture.h"

#include "wire.h"

#define ASID 3u

/* Before each block; keeps the alignment that malloc() gives. */
struct header {
    _Alignas(16) size_t size;
};

static struct {
    unsigned int takes;
    unsigned int fail_at; /* number of the take that fails; 0: none */
    unsigned int out;     /* blocks not given back */
    unsigned int dirty;   /* blocks that came back with a byte set */
} HEAP;

void *core_heap_take(size_t size)
{
    struct header *h;

    if (++HEAP.takes == HEAP.fail_at) {
        return NULL;
    }
    h = calloc(1, sizeof(*h) + size);
    assert_non_null(h);
    h->size = size;
    HEAP.out++;
    return h + 1;
}

void core_heap_give(void *p)
{
    struct header *h = (struct header *)p - 1;

    if (!psp_all_zero(p, h->size)) {
        HEAP.dirty++;
    }
    HEAP.out--;
    free(h);
}

static int reset(void **state)
{
    (void)state;
    memset(&HEAP, 0, sizeof(HEAP));
    return 0;
}

/* -- secrets ----------------------------------------------------------------
 */

static void load_vlek(struct snp_fx *fx)
{
    static const uint8_t iv[GCM_IV_SIZE] = {1};
    uint8_t seed[48], stick[PKI_HASHSTICK_SIZE];

    memset(seed, 0x66, sizeof(seed));
    pki_vlek_wrap(fx_snp(fx)->vcek_seed, &fx_snp(fx)->reported_tcb, iv, seed,
                  stick);
    fx_write(fx, 0x6000, stick, sizeof(stick));
    assert_int_equal(
        FX(fx, VLEK_LOAD, vlek_load, .len = 0x10, .vlek_wrapped_paddr = 0x6000),
        SEV_SUCCESS);
}

/* Everything that can hold a key holds one: chip, VCEK, VLEK, contexts, ASIDs,
 * a prepared report. */
static void destroy__keys_everywhere__every_byte_wiped(void **state)
{
    struct snp_fx *fx = snp_fx_up("turin", NULL);
    struct psp_job *job = psp_job_new();
    uint64_t gctx = fx_guest_launch(fx, ASID, FX_POLICY);
    enum sev_status status;
    struct fx_try t = {.fx = fx};

    (void)state;
    (void)fx_launch_page(fx, gctx, SNP_PAGE_SECRETS, 0x1000, NULL);
    assert_int_equal(FX(fx, LAUNCH_FINISH, launch_finish, .gctx_paddr = gctx),
                     SEV_SUCCESS);
    for (uint32_t asid = 10; asid < 90; asid++) {
        (void)fx_guest_running(fx, asid, FX_POLICY);
    }
    load_vlek(fx);
    FX_SET(&t, HV_REPORT_REQ, HV_REPORT_REQ, hv_report_req, .len = 0x18,
           .gctx_paddr = gctx, .hv_report_paddr = fx_firmware(fx, fx_page(fx)));
    fx_write(fx, FX_COMMAND, t.buf, t.size);
    assert_true(psp_begin(fx->psp, t.command, FX_COMMAND, job, &status));
    psp_job_run(job);
    psp_job_free(job);
    snp_fx_free(fx);
    assert_int_equal(HEAP.dirty, 0);
    assert_int_equal(HEAP.out, 0);
}

static void guests__come_and_go__nothing_left(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    unsigned int before;

    (void)state;
    (void)fx_guest_init(fx); /* the table itself */
    before = HEAP.out;
    for (unsigned int i = 0; i < 40; i++) {
        uint64_t gctx = fx_guest_running(fx, ASID, FX_POLICY);

        assert_int_equal(FX(fx, DECOMMISSION, gctx, .gctx_paddr = gctx),
                         SEV_SUCCESS);
        assert_int_equal(fx_command(fx, SNP_CMD_DF_FLUSH, NULL, 0),
                         SEV_SUCCESS);
    }
    assert_int_equal(HEAP.out, before);
    assert_int_equal(HEAP.dirty, 0);
    snp_fx_free(fx);
}

/* -- allocations that fail --------------------------------------------------
 */

static void create__each_allocation_fails__nomem_and_no_leak(void **state)
{
    struct snp_fx *fx = snp_fx_new("milan", NULL);
    unsigned int failures = 0, before = HEAP.out;
    struct psp *psp;
    enum psp_err err;

    (void)state;
    do {
        HEAP.takes = 0;
        HEAP.fail_at = failures + 1;
        err = psp_create(&fx->config, &fx->ops, fx, &psp);
        HEAP.fail_at = 0;
        if (err != PSP_OK) {
            assert_int_equal(err, PSP_E_NOMEM);
            assert_null(psp);
            assert_int_equal(HEAP.out, before);
            failures++;
        }
    } while (err != PSP_OK);
    assert_true(failures >= 3); /* instance, reverse map, ASIDs */
    psp_destroy(psp);
    psp_destroy(NULL);
    snp_fx_free(fx);
    assert_int_equal(HEAP.dirty, 0);
}

/* Execute with the first, second, ... allocation failing. Returns how many
 * there are. */
static unsigned int sweep(struct fx_try *t, enum sev_status refused)
{
    for (unsigned int k = 1;; k++) {
        struct fx_snapshot *before = fx_snapshot(t->fx);
        enum sev_status status;

        HEAP.takes = 0;
        HEAP.fail_at = k;
        status = fx_execute(t);
        HEAP.fail_at = 0;
        if (status == SEV_SUCCESS) {
            fx_snapshot_free(before);
            return k - 1;
        }
        assert_int_equal(status, refused);
        fx_assert_same(t->fx, before);
    }
}

static void gctx_create__no_memory__resource_limit(void **state)
{
    struct fx_try t = {.fx = snp_fx_up("milan", NULL)};

    (void)state;
    FX_SET(&t, GCTX_CREATE, GCTX, gctx,
           .gctx_paddr = fx_firmware(t.fx, fx_page(t.fx)));
    assert_int_equal(sweep(&t, SEV_RESOURCE_LIMIT), 2); /* context, table */
    snp_fx_free(t.fx);
}

/* The 65th context makes the table grow. */
static void gctx_create__no_memory_to_grow__resource_limit(void **state)
{
    struct fx_try t = {.fx = snp_fx_up("milan", NULL)};

    (void)state;
    for (unsigned int i = 0; i < 64; i++) {
        (void)fx_guest_init(t.fx);
    }
    FX_SET(&t, GCTX_CREATE, GCTX, gctx,
           .gctx_paddr = fx_firmware(t.fx, fx_page(t.fx)));
    assert_int_equal(sweep(&t, SEV_RESOURCE_LIMIT), 2);
    assert_int_equal(fx_snp(t.fx)->guest_count, 65);
    snp_fx_free(t.fx);
}

static void init_ex__no_memory__rmp_failed(void **state)
{
    struct fx_try t = {.fx = snp_fx_new("milan", NULL)};
    uint8_t list[SNP_RANGE_LIST_SIZE];

    (void)state;
    snp_range_list_encode(&(struct snp_range){0x100000, 1}, 1, list);
    fx_write(t.fx, 0x20000, list, sizeof(list));
    FX_SET(&t, INIT_EX, INIT_EX, init_ex, .init_rmp = true,
           .list_paddr_en = true, .list_paddr = 0x20000);
    assert_int_equal(snp_keys_refresh(fx_snp(t.fx)), PSP_OK);
    assert_int_equal(sweep(&t, SEV_RMP_INITIALIZATION_FAILED), 1);
    snp_fx_free(t.fx);
}

static void launch_update_2m__no_memory__resource_limit(void **state)
{
    struct fx_try t = {.fx = snp_fx_up("milan", NULL)};

    (void)state;
    t.gctx = fx_guest_launch(t.fx, ASID, FX_POLICY);
    FX_SET(&t, LAUNCH_UPDATE, LAUNCH_UPDATE, launch_update,
           .gctx_paddr = t.gctx, .size_2m = true, .page_type = SNP_PAGE_ZERO,
           .page_paddr =
               fx_pre_guest_2m(t.fx, fx_page_2m(t.fx), ASID, 0x200000));
    assert_int_equal(sweep(&t, SEV_RESOURCE_LIMIT), 1);
    assert_int_equal(HEAP.dirty, 0);
    snp_fx_free(t.fx);
}

static uint64_t metadata(struct snp_fx *fx, uint64_t gctx)
{
    uint64_t spa = fx_firmware(fx, fx_page(fx));

    assert_int_equal(FX(fx, PAGE_MD_INIT, page_md_init, .gctx_paddr = gctx,
                        .page_paddr = spa),
                     SEV_SUCCESS);
    return spa;
}

static void swap__no_memory__resource_limit(void **state)
{
    struct fx_try t = {.fx = snp_fx_up("milan", NULL)};
    uint64_t dst, md;

    (void)state;
    t.gctx = fx_guest_launch(t.fx, ASID, FX_POLICY);
    dst = fx_firmware(t.fx, fx_page(t.fx));
    md = metadata(t.fx, t.gctx);
    t.page = fx_pre_guest(t.fx, fx_page(t.fx), ASID, 0x1000);
    FX_SET(&t, PAGE_SWAP_OUT, PAGE_SWAP, page_swap, .gctx_paddr = t.gctx,
           .src_paddr = t.page, .dst_paddr = dst, .mdata_paddr = md);
    assert_int_equal(sweep(&t, SEV_RESOURCE_LIMIT), 2);
    FX_SET(&t, PAGE_SWAP_IN, PAGE_SWAP, page_swap, .gctx_paddr = t.gctx,
           .src_paddr = dst, .dst_paddr = t.page, .mdata_paddr = md);
    assert_int_equal(sweep(&t, SEV_RESOURCE_LIMIT), 2);
    FX_SET(&t, PAGE_MOVE, PAGE_MOVE, page_move, .gctx_paddr = t.gctx,
           .src_paddr = t.page,
           .dst_paddr = fx_pre_guest(t.fx, fx_page(t.fx), ASID, 0x2000));
    assert_int_equal(sweep(&t, SEV_RESOURCE_LIMIT), 1);
    assert_int_equal(HEAP.dirty, 0);
    snp_fx_free(t.fx);
}

static void rmpupdate__no_memory__nothing_changes(void **state)
{
    struct snp_fx *fx = snp_fx_up("milan", NULL);
    const struct rmp_update big = {
        .assigned = true, .size_2m = true, .asid = ASID, .gpa = 0x200000};
    struct fx_snapshot *before = fx_snapshot(fx);

    (void)state;
    HEAP.takes = 0;
    HEAP.fail_at = 1;
    assert_int_equal(rmp_rmpupdate(psp_rmp(fx->psp), 0x1000000, &big),
                     RMP_FAIL_MEMORY);
    HEAP.fail_at = 0;
    fx_assert_same(fx, before);
    assert_int_equal(rmp_rmpupdate(psp_rmp(fx->psp), 0x1000000, &big), RMP_OK);
    snp_fx_free(fx);
}

/* The path of every report: not one allocation. */
static void guest_request__steady_state__no_allocation(void **state)
{
    struct snp_fx *fx = snp_fx_up("turin", NULL);
    uint64_t gctx = fx_guest_running(fx, ASID, FX_POLICY);
    uint64_t page = fx_firmware(fx, fx_page(fx));

    (void)state;
    HEAP.takes = 0;
    assert_int_equal(FX(fx, GUEST_REQUEST, guest_request, .gctx_paddr = gctx,
                        .request_paddr = fx_page(fx), .response_paddr = page),
                     SEV_INVALID_PARAM);
    assert_int_equal(fx_command(fx, SNP_CMD_HV_REPORT_REQ,
                                (const uint8_t[]){0x18,
                                                  0,
                                                  0,
                                                  0,
                                                  0,
                                                  0,
                                                  0,
                                                  0,
                                                  (uint8_t)gctx,
                                                  (uint8_t)(gctx >> 8),
                                                  (uint8_t)(gctx >> 16),
                                                  0,
                                                  0,
                                                  0,
                                                  0,
                                                  0,
                                                  (uint8_t)page,
                                                  (uint8_t)(page >> 8),
                                                  (uint8_t)(page >> 16),
                                                  0,
                                                  0,
                                                  0,
                                                  0,
                                                  0},
                                0x18),
                     SEV_SUCCESS);
    assert_int_equal(HEAP.takes, 0);
    snp_fx_free(fx);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(destroy__keys_everywhere__every_byte_wiped),
        TEST(guests__come_and_go__nothing_left),
        TEST(create__each_allocation_fails__nomem_and_no_leak),
        TEST(gctx_create__no_memory__resource_limit),
        TEST(gctx_create__no_memory_to_grow__resource_limit),
        TEST(init_ex__no_memory__rmp_failed),
        TEST(launch_update_2m__no_memory__resource_limit),
        TEST(swap__no_memory__resource_limit),
        TEST(rmpupdate__no_memory__nothing_changes),
        TEST(guest_request__steady_state__no_allocation),
    };

    return cmocka_run_group_tests_name("platform/memory", tests, NULL, NULL);
}
