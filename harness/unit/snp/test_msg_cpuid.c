/* SPDX-License-Identifier: Apache-2.0 */
/* MSG_CPUID_REQ. abi/snp.md §4.6, §6.7 */
#include "guest_message.h"
#include "snp_cpuid.h"

/* Leaves whose rule does not depend on a profile: the hypervisor's own are not
 * checked; one that no table lists must be all zero. */
#define LEAF_FREE     0x40000000u
#define LEAF_UNLISTED 0x0000abcdu

static size_t put_function(uint8_t *payload, uint32_t index, uint32_t leaf,
                           uint32_t value)
{
    const struct snp_cpuid_function fn = {
        .eax_in = leaf,
        .ecx_in = index,
        .xcr0_in = 7,
        .xss_in = 3,
        .eax = value,
        .ebx = value,
        .ecx = value,
        .edx = value,
    };

    snp_cpuid_function_encode(&fn, payload + 0x10 + index * 0x30u);
    payload[0] = (uint8_t)(index + 1);
    return 0x10 + (index + 1) * 0x30u;
}

static struct gm_request request(const struct gm *gm, const uint8_t *payload,
                                 size_t size)
{
    return gm_request(gm, 0, SNP_MSG_CPUID_REQ, payload, size);
}

static void cpuid__acceptable_table__echoed(void **state)
{
    struct gm *gm = gm_new("milan");
    uint8_t payload[SNP_MSG_MAX_PAYLOAD] = {0}, rsp[SNP_MSG_MAX_PAYLOAD];
    struct gm_request req;
    size_t size;

    (void)state;
    (void)put_function(payload, 0, LEAF_FREE, 0x12345678);
    size = put_function(payload, 1, LEAF_UNLISTED, 0);
    req = request(gm, payload, size);
    assert_int_equal(gm_answer(gm, &req, size, rsp), SEV_SUCCESS);
    assert_hex_equal(rsp, "00000000020000000000000000000000", 16);
    assert_memory_equal(rsp + 0x10, payload + 0x10, size - 0x10);
    gm_free(gm);
}

static void cpuid__claims_too_much__16h_and_corrected(void **state)
{
    struct gm *gm = gm_new("milan");
    uint8_t payload[SNP_MSG_MAX_PAYLOAD] = {0}, rsp[SNP_MSG_MAX_PAYLOAD];
    struct gm_request req;
    size_t size;

    (void)state;
    (void)put_function(payload, 0, LEAF_FREE, 0x12345678);
    size = put_function(payload, 1, LEAF_UNLISTED, 5);
    req = request(gm, payload, size);
    assert_int_equal(gm_answer(gm, &req, size, rsp), SEV_INVALID_PARAM);
    assert_hex_equal(rsp, "16000000020000000000000000000000", 16);
    assert_memory_equal(rsp + 0x10, payload + 0x10, 0x30 + 0x18);
    assert_true(psp_all_zero(rsp + 0x40 + 0x18, 0x18));
    gm_free(gm);
}

/* TSC_DEADLINE (1.ECX bit 24), which QEMU must clear. abi/snp.md §4.6 */
static void cpuid__tsc_deadline__cleared(void **state)
{
    struct gm *gm = gm_new("genoa");
    uint8_t payload[SNP_MSG_MAX_PAYLOAD] = {0}, rsp[SNP_MSG_MAX_PAYLOAD];
    struct snp_cpuid_function fn = {
        .eax_in = 1, .ebx = 0x0800, .ecx = 1u << 24};
    struct gm_request req;

    (void)state;
    payload[0] = 1;
    snp_cpuid_function_encode(&fn, payload + 0x10);
    req = request(gm, payload, 0x40);
    assert_int_equal(gm_answer(gm, &req, 0x40, rsp), SEV_INVALID_PARAM);
    assert_hex_equal(rsp + 0x10 + 0x20, "00000000", 4);
    assert_hex_equal(rsp + 0x10 + 0x1c, "00080000", 4);
    gm_free(gm);
}

static void cpuid__64_functions__answered(void **state)
{
    struct gm *gm = gm_new("milan");
    uint8_t payload[SNP_MSG_MAX_PAYLOAD] = {0}, rsp[SNP_MSG_MAX_PAYLOAD];
    struct gm_request req;
    size_t size = 0;

    (void)state;
    for (uint32_t i = 0; i < 64; i++) {
        size = put_function(payload, i, LEAF_FREE + i, i);
    }
    assert_int_equal(size, 0xc10);
    req = request(gm, payload, size);
    assert_int_equal(gm_answer(gm, &req, size, rsp), SEV_SUCCESS);
    assert_memory_equal(rsp + 0x10, payload + 0x10, size - 0x10);
    gm_free(gm);
}

struct refusal {
    const char *name;
    size_t offset; /* byte that is set ... */
    uint8_t value; /* ... to this */
    size_t size;   /* of the payload */
};

static const struct refusal REFUSALS[] = {
    {"count_65", 0x00, 65, 0xfa0},
    {"count_in_high_byte", 0x03, 1, 0xfa0},
    {"function_does_not_fit", 0x00, 2, 0x6f},
    {"no_function_fits", 0x00, 1, 0x10},
    {"reserved_04", 0x04, 1, 0x40},
    {"reserved_07", 0x07, 0x80, 0x40},
    {"reserved_08", 0x08, 1, 0x40},
    {"reserved_0f", 0x0f, 0x80, 0x40},
    {"function_reserved_28", 0x38, 1, 0x40},
    {"function_reserved_2f", 0x3f, 0x80, 0x40},
};

#define REFUSAL_COUNT (sizeof(REFUSALS) / sizeof(REFUSALS[0]))

static void cpuid__malformed_table__16h_with_count_0(void **state)
{
    const struct refusal *r = *state;
    struct gm *gm = gm_new("milan");
    uint8_t payload[SNP_MSG_MAX_PAYLOAD] = {0}, rsp[SNP_MSG_MAX_PAYLOAD];
    struct gm_request req;

    (void)put_function(payload, 0, LEAF_FREE, 1);
    payload[r->offset] = r->value;
    req = request(gm, payload, r->size);
    assert_int_equal(gm_answer(gm, &req, r->size, rsp), SEV_INVALID_PARAM);
    assert_true(psp_all_zero(rsp + 4, r->size - 4));
    gm_free(gm);
}

static void cpuid__empty_table__answered(void **state)
{
    static const uint8_t payload[0x10];
    struct gm *gm = gm_new("milan");
    struct gm_request req = request(gm, payload, sizeof(payload));
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    assert_int_equal(gm_answer(gm, &req, 0x10, rsp), SEV_SUCCESS);
    gm_free(gm);
}

static void cpuid__bytes_behind_the_table__not_looked_at(void **state)
{
    struct gm *gm = gm_new("milan");
    uint8_t payload[SNP_MSG_MAX_PAYLOAD], rsp[SNP_MSG_MAX_PAYLOAD];
    struct gm_request req;

    (void)state;
    memset(payload, 0xff, sizeof(payload));
    memset(payload, 0, 0x10);
    (void)put_function(payload, 0, LEAF_FREE, 1);
    req = request(gm, payload, sizeof(payload));
    assert_int_equal(gm_answer(gm, &req, sizeof(payload), rsp), SEV_SUCCESS);
    assert_true(psp_all_zero(rsp + 0x40, sizeof(payload) - 0x40));
    gm_free(gm);
}

static void cpuid__header_cut_short__refused_by_the_mailbox(void **state)
{
    static const uint8_t payload[0x0f];
    struct gm *gm = gm_new("milan");
    struct gm_request req = request(gm, payload, sizeof(payload));

    (void)state;
    assert_int_equal(gm_call(gm, &req), SEV_INVALID_PARAM);
    assert_int_equal(gm->self->msg_count[0], 0);
    gm_free(gm);
}

static void
cpuid__response_leaves_its_page__refused_by_the_mailbox(void **state)
{
    static const uint8_t payload[0x40];
    struct gm *gm = gm_new("milan");
    struct gm_request req = request(gm, payload, sizeof(payload));
    struct gm_snapshot *before;
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    req.response = GM_RESPONSE + 0x1000 - 0x60 - 0x40 + 1;
    gm_put(gm, &req);
    before = gm_snapshot(gm);
    assert_int_equal(gm_execute(gm, &req), SEV_INVALID_PARAM);
    gm_assert_unchanged(gm, before);
    req.response--;
    assert_int_equal(gm_answer(gm, &req, 0x40, rsp), SEV_SUCCESS);
    gm_free(gm);
}

static const struct CMUnitTest PLAIN[] = {
    cmocka_unit_test(cpuid__acceptable_table__echoed),
    cmocka_unit_test(cpuid__claims_too_much__16h_and_corrected),
    cmocka_unit_test(cpuid__tsc_deadline__cleared),
    cmocka_unit_test(cpuid__64_functions__answered),
    cmocka_unit_test(cpuid__empty_table__answered),
    cmocka_unit_test(cpuid__bytes_behind_the_table__not_looked_at),
    cmocka_unit_test(cpuid__header_cut_short__refused_by_the_mailbox),
    cmocka_unit_test(cpuid__response_leaves_its_page__refused_by_the_mailbox),
};

#define PLAIN_COUNT (sizeof(PLAIN) / sizeof(PLAIN[0]))

int main(void)
{
    static char names[REFUSAL_COUNT][64];
    static struct CMUnitTest tests[PLAIN_COUNT + REFUSAL_COUNT];

    memcpy(tests, PLAIN, sizeof(PLAIN));
    for (size_t i = 0; i < REFUSAL_COUNT; i++) {
        snprintf(names[i], sizeof(names[i]), "cpuid__%s__16h_with_count_0",
                 REFUSALS[i].name);
        tests[PLAIN_COUNT + i] = gm_row(
            names[i], cpuid__malformed_table__16h_with_count_0, &REFUSALS[i]);
    }
    return _cmocka_run_group_tests("snp/msg_cpuid", tests,
                                   PLAIN_COUNT + REFUSAL_COUNT, NULL, NULL);
}
