/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers of abi/snp.md §11.3, and what a driver must not accept. */
#include "tst.h"

#include "sev_guest_msg.h"

#include "crypto.h"
#include "wire.h"

static void fill_key(uint8_t key[32])
{
    for (int i = 0; i < 32; i++) {
        key[i] = (uint8_t)i;
    }
}

static void seal__report_request__known_answer(void **state)
{
    const struct guest_msg msg = {.type = 5, .version = 1, .seqno = 1};
    uint8_t key[32], payload[96] = {0}, out[192];

    (void)state;
    fill_key(key);
    for (int i = 0; i < 64; i++) {
        payload[i] = (uint8_t)i;
    }
    guest_msg_seal(key, &msg, payload, sizeof(payload), out);
    assert_hex_equal(out, "0f354f26b13f7433d3674d8eebcaf847", 16);
    assert_true(psp_all_zero(out + 16, 16));
    assert_hex_equal(out + 0x20, "0100000000000000 0000000000000000", 16);
    assert_hex_equal(out + 0x30, "0101600005016000", 8);
    assert_true(psp_all_zero(out + 0x38, 0x28));
    assert_hex_equal(
        out + 0x60,
        "e22d803ca0aaea00420d0fc830cc86c4dc70dd3d68bd7d05560647e5013b996f"
        "ccddd2ea048788e8f0f437f862242ea7c0e4fcb7d1456ca0bbb1da492b891678"
        "bcafa49213c0f2445044cd48be94fd5eb5f3e8b761e80896f353185b4abd740d",
        96);
}

static void seal__key_request__known_answer(void **state)
{
    const struct guest_msg msg = {.type = 3, .version = 1, .seqno = 5};
    uint8_t key[32], payload[32] = {0}, out[128];

    (void)state;
    fill_key(key);
    payload[8] = 0x3f;
    guest_msg_seal(key, &msg, payload, sizeof(payload), out);
    assert_hex_equal(out, "353c69b7a47e689985c5c89111f17385", 16);
    assert_hex_equal(
        out + 0x60,
        "e66badc133a753d98b8a5d04097e24b225f5cbbe1d147d782ea91513b5c8400c", 32);
}

static void seal__other_vmpck__in_the_header(void **state)
{
    const struct guest_msg msg = {
        .vmpck_id = 3, .type = 5, .version = 7, .seqno = 0xfedcba98};
    uint8_t key[32], payload[96] = {0}, out[192];

    (void)state;
    fill_key(key);
    guest_msg_seal(key, &msg, payload, sizeof(payload), out);
    assert_hex_equal(out + 0x20, "98badcfe00000000", 8);
    assert_int_equal(out[0x35], 7);
    assert_int_equal(out[0x3c], 3);
}

/* A response made by sealing it as the firmware would. */
struct answer {
    uint8_t key[32];
    struct guest_msg request;
    struct guest_msg response;
    uint8_t page[GUEST_MSG_SIZE];
};

static struct answer make_answer(size_t size)
{
    static uint8_t payload[GUEST_MSG_MAX];
    struct answer a = {
        .request = {.vmpck_id = 1, .type = 5, .version = 1, .seqno = 9},
        .response = {.vmpck_id = 1, .type = 6, .version = 1, .seqno = 10},
    };

    memset(payload, 0x5c, sizeof(payload));
    fill_key(a.key);
    guest_msg_seal(a.key, &a.response, payload, size, a.page);
    return a;
}

static void open__good_answer__payload_then_zeros(void **state)
{
    struct answer a = make_answer(100);
    uint8_t out[128];

    (void)state;
    memset(out, 0xff, sizeof(out));
    assert_true(guest_msg_open(a.key, &a.request, a.page, out, sizeof(out)));
    for (int i = 0; i < 100; i++) {
        assert_int_equal(out[i], 0x5c);
    }
    assert_true(psp_all_zero(out + 100, 28));
}

static void open__largest_payload__accepted(void **state)
{
    struct answer a = make_answer(GUEST_MSG_MAX);
    uint8_t out[GUEST_MSG_MAX];

    (void)state;
    assert_true(guest_msg_open(a.key, &a.request, a.page, out, sizeof(out)));
    assert_int_equal(out[GUEST_MSG_MAX - 1], 0x5c);
}

static void refuse(struct answer *a, size_t max)
{
    uint8_t out[GUEST_MSG_MAX];

    memset(out, 0xff, sizeof(out));
    assert_false(guest_msg_open(a->key, &a->request, a->page, out, max));
    assert_true(psp_all_zero(out, max));
}

static void open__larger_than_the_buffer__refused(void **state)
{
    struct answer a = make_answer(65);

    (void)state;
    refuse(&a, 64);
}

static void open__any_bit_of_the_header_changed__refused(void **state)
{
    (void)state;
    for (size_t byte = 0; byte < GUEST_MSG_HDR_SIZE; byte++) {
        /* The rest of AUTHTAG and the word after the number are not bound. */
        if ((byte >= 0x10 && byte < 0x20) || (byte >= 0x28 && byte < 0x30)) {
            continue;
        }
        for (unsigned int bit = 0; bit < 8; bit++) {
            struct answer a = make_answer(64);

            a.page[byte] ^= (uint8_t)(1u << bit);
            refuse(&a, 1024);
        }
    }
}

static void open__payload_changed__refused(void **state)
{
    struct answer a = make_answer(64);

    (void)state;
    a.page[GUEST_MSG_HDR_SIZE + 63] ^= 1;
    refuse(&a, 64);
}

static void open__other_key__refused(void **state)
{
    struct answer a = make_answer(64);

    (void)state;
    a.key[31] ^= 1;
    refuse(&a, 64);
}

static void open__own_request_sent_back__refused(void **state)
{
    struct answer a = make_answer(64);

    (void)state;
    guest_msg_seal(a.key, &a.request, a.page + 512, 64, a.page);
    refuse(&a, 64);
}

/* Authentic messages that answer something else. */
static void open__authentic_but_other_kind__refused(void **state)
{
    (void)state;
    for (int field = 0; field < 3; field++) {
        struct answer a = make_answer(64);

        a.response.type = field == 0 ? 4 : a.response.type;
        a.response.version = field == 1 ? 2 : a.response.version;
        a.response.seqno += field == 2 ? 2 : 0;
        guest_msg_seal(a.key, &a.response, a.page + 512, 64, a.page);
        refuse(&a, 64);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seal__report_request__known_answer),
        cmocka_unit_test(seal__key_request__known_answer),
        cmocka_unit_test(seal__other_vmpck__in_the_header),
        cmocka_unit_test(open__good_answer__payload_then_zeros),
        cmocka_unit_test(open__largest_payload__accepted),
        cmocka_unit_test(open__larger_than_the_buffer__refused),
        cmocka_unit_test(open__any_bit_of_the_header_changed__refused),
        cmocka_unit_test(open__payload_changed__refused),
        cmocka_unit_test(open__other_key__refused),
        cmocka_unit_test(open__own_request_sent_back__refused),
        cmocka_unit_test(open__authentic_but_other_kind__refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
