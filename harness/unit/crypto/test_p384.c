/* SPDX-License-Identifier: Apache-2.0 */
/* P-384 against RFC 6979 A.2.6, abi/snp.md §11.4 and libcrypto. */
#include "crypto.h"
#include "tst.h"

#define D_RFC                                                                  \
    "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d8"         \
    "96d5724e4c70a825f872c9ea60d2edf5"

/* from_bytes() adds 1 after reducing, so feed d - 1. */
static void rfc_key(struct psp_p384_key *key)
{
    uint8_t d[48];

    tst_hex(D_RFC, d, sizeof(d));
    d[47]--;
    assert_int_equal(psp_p384_from_bytes(d, sizeof(d), key), PSP_OK);
    assert_hex_equal(key->d, D_RFC, 48);
}

static void p384__rfc6979_sample__signature_bytes(void **state)
{
    struct psp_p384_key key;
    struct psp_p384_sig sig;
    uint8_t h[48];

    (void)state;
    rfc_key(&key);
    assert_hex_equal(
        key.pub.x,
        "ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64"
        "def8f0ea9055866064a254515480bc13",
        48);
    psp_sha384("sample", 6, h);
    assert_int_equal(psp_p384_sign(&key, h, &sig), PSP_OK);
    assert_hex_equal(
        sig.r,
        "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c"
        "81a648152e44acf96e36dd1e80fabe46",
        48);
    assert_hex_equal(
        sig.s,
        "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94f"
        "a329c145786e679e7b82c71a38628ac8",
        48);
    assert_true(psp_p384_verify(&key.pub, h, &sig));
    sig.s[47] ^= 1;
    assert_false(psp_p384_verify(&key.pub, h, &sig));
}

static void p384__vcek_chain__sheet_values(void **state)
{
    static const uint8_t tcb[8] = {4, 0, 0, 0, 0, 0, 0x18, 0xdb};
    uint8_t secret[48], seed[48], wide[56];
    struct psp_p384_key key;

    (void)state;
    for (uint8_t i = 0; i < 48; i++) {
        secret[i] = i;
    }
    psp_kdf_sha384(secret, 48, "VCEK seed", tcb, 8, seed, 48);
    assert_hex_equal(
        seed,
        "bc5b4d405360bc54aed3458fd26223bba0cca07455e42c80cb24099cb170e394"
        "1f1addb0c4d5fa63473b2b46f715db01",
        48);
    psp_kdf_sha384(seed, 48, "VCEK signing key", NULL, 0, wide, sizeof(wide));
    assert_int_equal(psp_p384_from_bytes(wide, sizeof(wide), &key), PSP_OK);
    assert_hex_equal(
        key.d,
        "0eefdb120f2f9423c797cb7328651b2612a620bb9c166096e76cc99af12b98a6"
        "4dbbe9d04bf80783be47920c4bd3c14c",
        48);
    assert_hex_equal(
        key.pub.y,
        "5ec52ab0878b0dd3706a1f765c6c20569606d4d039e499cba71800a6647e09b4"
        "a848705abc295a46b1b565124b868052",
        48);
}

static void p384__point_off_curve__refused(void **state)
{
    struct psp_p384_key key;

    (void)state;
    rfc_key(&key);
    assert_true(psp_p384_on_curve(&key.pub));
    key.pub.y[0] ^= 1;
    assert_false(psp_p384_on_curve(&key.pub));
    memset(&key.pub, 0xff, sizeof(key.pub));
    assert_false(psp_p384_on_curve(&key.pub));
}

static void gcm__report_request__sheet_values(void **state)
{
    static const uint8_t aad[48] = {1, 1, 0x60, 0, 5, 1, 0x60, 0};
    static const uint8_t iv[12] = {1};
    uint8_t key[32], msg[0x60] = {0}, out[0x60], tag[16];

    (void)state;
    for (uint8_t i = 0; i < 64; i++) {
        msg[i] = i;
        key[i % 32] = (uint8_t)(i % 32);
    }
    psp_gcm_seal(key, iv, aad, sizeof(aad), msg, sizeof(msg), out, tag);
    assert_hex_equal(tag, "0f354f26b13f7433d3674d8eebcaf847", 16);
    assert_true(
        psp_gcm_open(key, iv, aad, sizeof(aad), out, sizeof(out), tag, out));
    assert_memory_equal(out, msg, sizeof(msg));
    tag[15] ^= 0x80;
    assert_false(
        psp_gcm_open(key, iv, aad, sizeof(aad), msg, sizeof(msg), tag, out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(p384__rfc6979_sample__signature_bytes),
        cmocka_unit_test(p384__vcek_chain__sheet_values),
        cmocka_unit_test(p384__point_off_curve__refused),
        cmocka_unit_test(gcm__report_request__sheet_values),
    };

    return cmocka_run_group_tests_name("crypto/p384", tests, NULL, NULL);
}
