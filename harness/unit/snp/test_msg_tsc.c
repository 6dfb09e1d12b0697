/* SPDX-License-Identifier: Apache-2.0 */
/* MSG_TSC_INFO_REQ. abi/snp.md §6.7 */
#include "guest_message.h"

#define SIZE 0x80u

static uint32_t ask(struct gm *gm, const uint8_t payload[SIZE],
                    uint8_t rsp[SNP_MSG_MAX_PAYLOAD])
{
    struct gm_request req =
        gm_request(gm, 2, SNP_MSG_TSC_INFO_REQ, payload, SIZE);

    return gm_answer(gm, &req, SIZE, rsp);
}

static void tsc__no_desired_rate__scale_1(void **state)
{
    static const uint8_t payload[SIZE];
    struct gm *gm = gm_new("milan");
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    assert_int_equal(ask(gm, payload, rsp), SEV_SUCCESS);
    assert_hex_equal(rsp,
                     "0000000000000000"
                     "0000000001000000"
                     "0000000000000000"
                     "c8000000",
                     0x1c);
    assert_true(psp_all_zero(rsp + 0x1c, SIZE - 0x1c));
    gm_free(gm);
}

static void tsc__guest_values__scale_and_offset(void **state)
{
    static const uint8_t payload[SIZE];
    struct gm *gm = gm_new("milan");
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];
    struct snp_tsc_info_rsp out;

    (void)state;
    gm->self->desired_tsc_freq = 3000000; /* half as much again */
    gm->self->psp_tsc_offset = 0x1122334455667788;
    assert_int_equal(ask(gm, payload, rsp), SEV_SUCCESS);
    assert_int_equal(snp_tsc_info_rsp_decode(rsp, &out), PSP_OK);
    assert_true(out.guest_tsc_scale == 0x180000000);
    assert_true(out.guest_tsc_offset == 0x1122334455667788);
    gm_free(gm);
}

static void tsc__each_reserved_bit__invalid_param(void **state)
{
    struct gm *gm = gm_new("milan");
    uint8_t payload[SIZE] = {0}, rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    for (size_t bit = 0; bit < SIZE * 8; bit++) {
        payload[bit / 8] = (uint8_t)(1u << bit % 8);
        assert_int_equal(ask(gm, payload, rsp), SEV_INVALID_PARAM);
        assert_true(psp_all_zero(rsp + 4, SIZE - 4));
        payload[bit / 8] = 0;
    }
    gm_free(gm);
}

static void tsc__one_byte_short__refused_by_the_mailbox(void **state)
{
    static const uint8_t payload[SIZE];
    struct gm *gm = gm_new("milan");
    struct gm_request req =
        gm_request(gm, 0, SNP_MSG_TSC_INFO_REQ, payload, SIZE - 1);

    (void)state;
    assert_int_equal(gm_call(gm, &req), SEV_INVALID_PARAM);
    gm_free(gm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tsc__no_desired_rate__scale_1),
        cmocka_unit_test(tsc__guest_values__scale_and_offset),
        cmocka_unit_test(tsc__each_reserved_bit__invalid_param),
        cmocka_unit_test(tsc__one_byte_short__refused_by_the_mailbox),
    };

    return cmocka_run_group_tests_name("snp/msg_tsc", tests, NULL, NULL);
}
