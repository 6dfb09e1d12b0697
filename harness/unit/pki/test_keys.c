/* SPDX-License-Identifier: Apache-2.0 */
/* Chips, VCEK, VLEK and hashsticks: abi/snp.md §9.5 and §11.4. */
#include "pki.h"
#include "tst.h"

static const struct psp_tcb TCB = {{4, 0, 0, 0, 0, 0, 0x18, 0xdb}};

static void sheet_secret(uint8_t secret[48])
{
    for (uint8_t i = 0; i < 48; i++) {
        secret[i] = i;
    }
}

static void dev_seed__text__32_bytes(void **state)
{
    (void)state;
    assert_memory_equal(PKI_DEV_SEED, "swpsp public development seed\0\0", 32);
}

static void vcek__sheet_secret__sheet_seed_and_key(void **state)
{
    uint8_t secret[48], seed[48];
    struct psp_p384_key key;

    (void)state;
    sheet_secret(secret);
    pki_vcek_seed(secret, &TCB, seed);
    assert_hex_equal(
        seed,
        "bc5b4d405360bc54aed3458fd26223bba0cca07455e42c80cb24099cb170e394"
        "1f1addb0c4d5fa63473b2b46f715db01",
        48);
    assert_int_equal(pki_vcek_from_seed(seed, &key), PSP_OK);
    assert_hex_equal(
        key.d,
        "0eefdb120f2f9423c797cb7328651b2612a620bb9c166096e76cc99af12b98a6"
        "4dbbe9d04bf80783be47920c4bd3c14c",
        48);
    assert_hex_equal(
        key.pub.x,
        "633c9cbd693e7ca7ec4b6b8e720b2ea2ee296431fcff5232f9e668210896ef43"
        "dc9f274e0c2546fa81649f377f62ab61",
        48);
    assert_hex_equal(
        key.pub.y,
        "5ec52ab0878b0dd3706a1f765c6c20569606d4d039e499cba71800a6647e09b4"
        "a848705abc295a46b1b565124b868052",
        48);
}

static void vcek__other_tcb__other_seed(void **state)
{
    uint8_t secret[48], a[48], b[48];
    struct psp_tcb tcb;

    (void)state;
    sheet_secret(secret);
    pki_vcek_seed(secret, &TCB, a);
    for (size_t i = 0; i < 8; i++) {
        tcb = TCB;
        tcb.b[i] ^= 1;
        pki_vcek_seed(secret, &tcb, b);
        assert_memory_not_equal(a, b, 48);
    }
}

static void vlek__same_seed__another_key_than_the_vcek(void **state)
{
    uint8_t seed[48] = {7};
    struct psp_p384_key a, b;

    (void)state;
    assert_int_equal(pki_vcek_from_seed(seed, &a), PSP_OK);
    assert_int_equal(pki_vlek_from_seed(seed, &b), PSP_OK);
    assert_memory_not_equal(a.d, b.d, 48);
}

static void chip__each_generation__recognisable_id(void **state)
{
    (void)state;
    for (int g = PSP_NAPLES; g < PSP_GENERATION_COUNT; g++) {
        struct psp_chip chip;

        pki_chip_make(PKI_DEV_SEED, (enum psp_generation)g, 0, &chip);
        assert_memory_equal(chip.id, "SWPS", 4);
        if (g == PSP_TURIN) {
            uint8_t zero[56] = {0};

            assert_memory_equal(chip.id + 8, zero, 56);
        } else {
            assert_memory_equal(chip.id, "SWPSPSIM", 8);
            /* abi/certs-kds.md §5.11: not all of 8..63 may be zero */
            assert_true(chip.id[8] | chip.id[9] | chip.id[63]);
        }
    }
}

static void chip__seed_generation_index__each_matters(void **state)
{
    uint8_t seed[32] = {1};
    struct psp_chip c[6];

    (void)state;
    pki_chip_make(seed, PSP_MILAN, 0, &c[0]);
    pki_chip_make(seed, PSP_MILAN, 1, &c[1]);
    pki_chip_make(seed, PSP_GENOA, 0, &c[2]);
    pki_chip_make(PKI_DEV_SEED, PSP_MILAN, 0, &c[3]);
    pki_chip_make(seed, PSP_TURIN, 0, &c[4]);
    pki_chip_make(seed, PSP_TURIN, 1, &c[5]);
    for (size_t i = 0; i < 6; i++) {
        for (size_t j = i + 1; j < 6; j++) {
            assert_memory_not_equal(c[i].id, c[j].id, 64);
            assert_memory_not_equal(c[i].secret, c[j].secret, 48);
        }
    }
}

static void chip__same_inputs__same_chip(void **state)
{
    struct psp_chip a, b;

    (void)state;
    memset(&a, 0, sizeof(a));
    memset(&b, 0xff, sizeof(b));
    pki_chip_make(PKI_DEV_SEED, PSP_TURIN, 3, &a);
    pki_chip_make(PKI_DEV_SEED, PSP_TURIN, 3, &b);
    assert_memory_equal(&a, &b, sizeof(a));
}

static void vlek_seed__each_input__matters(void **state)
{
    uint8_t seed[32] = {1};
    uint8_t v[5][48];
    struct psp_tcb tcb = TCB;

    (void)state;
    tcb.b[7]++;
    pki_vlek_seed(seed, PSP_MILAN, PKI_CSP_ID, &TCB, v[0]);
    pki_vlek_seed(seed, PSP_GENOA, PKI_CSP_ID, &TCB, v[1]);
    pki_vlek_seed(seed, PSP_MILAN, "CN=other", &TCB, v[2]);
    pki_vlek_seed(seed, PSP_MILAN, PKI_CSP_ID, &tcb, v[3]);
    pki_vlek_seed(PKI_DEV_SEED, PSP_MILAN, PKI_CSP_ID, &TCB, v[4]);
    for (size_t i = 0; i < 5; i++) {
        for (size_t j = i + 1; j < 5; j++) {
            assert_memory_not_equal(v[i], v[j], 48);
        }
    }
}

/* A hashstick for the chip of the sheet. */
static void make_stick(uint8_t vcek_seed[48], uint8_t vlek_seed[48],
                       uint8_t stick[PKI_HASHSTICK_SIZE])
{
    static const uint8_t iv[12] = {9, 8, 7};
    uint8_t secret[48];

    sheet_secret(secret);
    pki_vcek_seed(secret, &TCB, vcek_seed);
    memset(vlek_seed, 0x42, 48);
    pki_vlek_wrap(vcek_seed, &TCB, iv, vlek_seed, stick);
}

static void hashstick__wrapped__layout_of_the_sheet(void **state)
{
    uint8_t vcek[48], vlek[48], stick[PKI_HASHSTICK_SIZE];
    uint8_t key[32], plain[0x180], want[0x180] = {0};

    (void)state;
    make_stick(vcek, vlek, stick);
    assert_hex_equal(stick, "090807000000000000000000 00000000", 16);
    assert_hex_equal(stick + 0x190, "04000000000018db 0000000000000000", 16);
    /* The wrapping key is the sheet's; open with the primitive. */
    tst_hex("fc242804599dd0dbebe433337374dface21354c6edbfce5fca2ba7f55b0903a5",
            key, 32);
    memcpy(plain, stick + 0x10, sizeof(plain));
    assert_true(psp_gcm_open(key, stick, stick + 0x190, 16, plain,
                             sizeof(plain), stick + 0x1a0, plain));
    memset(want, 0x42, 48);
    assert_memory_equal(plain, want, sizeof(plain));
}

static void hashstick__unwrap__round_trip(void **state)
{
    uint8_t vcek[48], vlek[48], got[48], stick[PKI_HASHSTICK_SIZE];
    struct psp_tcb tcb;

    (void)state;
    make_stick(vcek, vlek, stick);
    assert_int_equal(pki_vlek_unwrap(vcek, stick, got), PSP_OK);
    assert_memory_equal(got, vlek, 48);
    assert_int_equal(pki_vlek_stick_tcb(stick, &tcb), PSP_OK);
    assert_memory_equal(tcb.b, TCB.b, 8);
}

static void hashstick__any_byte_changed__refused(void **state)
{
    uint8_t vcek[48], vlek[48], got[48], stick[PKI_HASHSTICK_SIZE];

    (void)state;
    for (size_t i = 0; i < PKI_HASHSTICK_SIZE; i++) {
        bool reserved = (i >= 0x0c && i < 0x10) || (i >= 0x198 && i < 0x1a0);
        uint8_t untouched[48];

        make_stick(vcek, vlek, stick);
        stick[i] ^= 0x80;
        memset(got, 0x33, sizeof(got));
        memset(untouched, 0x33, sizeof(untouched));
        assert_int_equal(pki_vlek_unwrap(vcek, stick, got),
                         reserved ? PSP_E_FORMAT : PSP_E_VERIFY);
        assert_memory_equal(got, untouched, 48);
    }
}

static void hashstick__other_chip__refused(void **state)
{
    uint8_t vcek[48], vlek[48], got[48], stick[PKI_HASHSTICK_SIZE];

    (void)state;
    make_stick(vcek, vlek, stick);
    vcek[0] ^= 1;
    assert_int_equal(pki_vlek_unwrap(vcek, stick, got), PSP_E_VERIFY);
}

static void hashstick__padding_not_zero__refused(void **state)
{
    uint8_t vcek[48], vlek[48], got[48], stick[PKI_HASHSTICK_SIZE];
    uint8_t key[32];

    (void)state;
    make_stick(vcek, vlek, stick);
    tst_hex("fc242804599dd0dbebe433337374dface21354c6edbfce5fca2ba7f55b0903a5",
            key, 32);
    assert_true(psp_gcm_open(key, stick, stick + 0x190, 16, stick + 0x10, 0x180,
                             stick + 0x1a0, stick + 0x10));
    stick[0x18f] = 1;
    psp_gcm_seal(key, stick, stick + 0x190, 16, stick + 0x10, 0x180,
                 stick + 0x10, stick + 0x1a0);
    assert_int_equal(pki_vlek_unwrap(vcek, stick, got), PSP_E_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dev_seed__text__32_bytes),
        cmocka_unit_test(vcek__sheet_secret__sheet_seed_and_key),
        cmocka_unit_test(vcek__other_tcb__other_seed),
        cmocka_unit_test(vlek__same_seed__another_key_than_the_vcek),
        cmocka_unit_test(chip__each_generation__recognisable_id),
        cmocka_unit_test(chip__seed_generation_index__each_matters),
        cmocka_unit_test(chip__same_inputs__same_chip),
        cmocka_unit_test(vlek_seed__each_input__matters),
        cmocka_unit_test(hashstick__wrapped__layout_of_the_sheet),
        cmocka_unit_test(hashstick__unwrap__round_trip),
        cmocka_unit_test(hashstick__any_byte_changed__refused),
        cmocka_unit_test(hashstick__other_chip__refused),
        cmocka_unit_test(hashstick__padding_not_zero__refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
