/* SPDX-License-Identifier: Apache-2.0 */
/* Legacy SEV primitives against RFC 6979 A.2.6, SP 800-38A F.5 and the public
 * vectors of abi/sev.md §11. */
#include "sev_crypto.h"
#include "tst.h"

/* from_bytes() adds 1 after reducing, so feed d - 1. */
static void key_of(const char *hex, struct psp_p384_key *key)
{
    uint8_t d[48];

    tst_hex(hex, d, sizeof(d));
    d[47]--;
    assert_int_equal(psp_p384_from_bytes(d, sizeof(d), key), PSP_OK);
}

static void small_key(uint8_t d, struct psp_p384_key *key)
{
    uint8_t bytes = (uint8_t)(d - 1);

    assert_int_equal(psp_p384_from_bytes(&bytes, 1, key), PSP_OK);
}

static void sign_sha256__rfc6979_sample__signature_bytes(void **state)
{
    struct psp_p384_key key;
    struct psp_p384_sig sig;
    uint8_t h[32];

    (void)state;
    key_of("6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d8"
           "96d5724e4c70a825f872c9ea60d2edf5",
           &key);
    psp_sha256("sample", 6, h);
    assert_int_equal(psp_p384_sign_sha256(&key, h, &sig), PSP_OK);
    assert_hex_equal(
        sig.r,
        "21b13d1e013c7fa1392d03c5f99af8b30c570c6f98d4ea8e354b63a21d3daa33"
        "bde1e888e63355d92fa2b3c36d8fb2cd",
        48);
    assert_hex_equal(
        sig.s,
        "f3aa443fb107745bf4bd77cb3891674632068a10ca67e3d45db2266fa7d1feeb"
        "efdc63eccd1ac42ec0cb8668a4fa0ab0",
        48);
    assert_true(psp_p384_verify_sha256(&key.pub, h, &sig));
    h[0] ^= 1;
    assert_false(psp_p384_verify_sha256(&key.pub, h, &sig));
}

/* Made with nonce k = 11 by other code: abi/sev.md §11.3. */
static void verify_sha256__sheet_report_signature__accepted(void **state)
{
    struct psp_p384_key key;
    struct psp_p384_sig sig;
    uint8_t digest[32];

    (void)state;
    small_key(9, &key);
    tst_hex("3131e3cb0ff90434f11a082a6a9d1abe58799dda4701aa1021bb883f9986fa0e",
            digest, 32);
    tst_hex("099056e27da7b998da1eeec2904816c57fe935ed5837c37456c9fd14892d3f8c"
            "4749b66e3afb81d626356f3b55b4ddd8",
            sig.r, 48);
    tst_hex("f08d5e5c3843694e83eac3595ec69e44846640d4a6b8a04c868d8aa2121fa5f2"
            "06d36a3ea757407d855938aeb124f1ec",
            sig.s, 48);
    assert_true(psp_p384_verify_sha256(&key.pub, digest, &sig));
    memset(sig.r, 0, sizeof(sig.r));
    assert_false(psp_p384_verify_sha256(&key.pub, digest, &sig));
}

static void verify_sha256__s_of_n_or_more__refused(void **state)
{
    struct psp_p384_key key;
    struct psp_p384_sig sig;
    uint8_t digest[32] = {1};

    (void)state;
    small_key(9, &key);
    assert_int_equal(psp_p384_sign_sha256(&key, digest, &sig), PSP_OK);
    tst_hex("ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf"
            "581a0db248b0a77aecec196accc52973",
            sig.s, 48);
    assert_false(psp_p384_verify_sha256(&key.pub, digest, &sig));
}

static void ecdh__sheet_keys__same_z_from_both_sides(void **state)
{
    static const char want[] =
        "77c12dceca498ff99b9863d46535a5abc3675bf4f728f3ac55a0270e5859145d"
        "c998b7fd7b3813ca29e4ae10ae1410ea";
    struct psp_p384_key godh, pdh;
    uint8_t z[48];

    (void)state;
    small_key(5, &godh);
    small_key(7, &pdh);
    assert_int_equal(psp_p384_ecdh(&pdh, &godh.pub, z), PSP_OK);
    assert_hex_equal(z, want, 48);
    assert_int_equal(psp_p384_ecdh(&godh, &pdh.pub, z), PSP_OK);
    assert_hex_equal(z, want, 48);
}

static void ecdh__point_off_curve__refused(void **state)
{
    struct psp_p384_key key;
    struct psp_p384_pub peer;
    uint8_t z[48];

    (void)state;
    small_key(5, &key);
    peer = key.pub;
    peer.x[47] ^= 1;
    assert_int_equal(psp_p384_ecdh(&key, &peer, z), PSP_E_VERIFY);
    memset(&peer, 0, sizeof(peer));
    assert_int_equal(psp_p384_ecdh(&key, &peer, z), PSP_E_VERIFY);
}

static void aes128_ctr__sp800_38a__ciphertext(void **state)
{
    uint8_t key[16], iv[16], text[32], out[32];

    (void)state;
    tst_hex("2b7e151628aed2a6abf7158809cf4f3c", key, 16);
    tst_hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", iv, 16);
    tst_hex("6bc1bee22e409f96e93d7e117393172a"
            "ae2d8a571e03ac9c9eb76fac45af8e51",
            text, 32);
    psp_aes128_ctr(key, iv, text, 32, out);
    assert_hex_equal(out,
                     "874d6191b620e3261bef6864990db6ce"
                     "9806f66b7970fdff8617187bb9fffdff",
                     32);
    psp_aes128_ctr(key, iv, out, 32, out);
    assert_memory_equal(out, text, 32);
}

static void aes128_ctr__counter_at_its_end__wraps(void **state)
{
    uint8_t key[16] = {1}, iv[16], zero[32] = {0}, out[32], second[16];

    (void)state;
    memset(iv, 0xff, sizeof(iv));
    psp_aes128_ctr(key, iv, zero, 32, out);
    memset(iv, 0, sizeof(iv));
    psp_aes128_ctr(key, iv, zero, 16, second);
    assert_memory_equal(out + 16, second, 16);
}

static void kdf__public_vectors__ms_kek_kik(void **state)
{
    uint8_t z[16] = {0}, nonce[16] = {0}, ms[16], k[16];

    (void)state;
    psp_kdf_sha256_le(z, sizeof(z), "sev-master-secret", nonce, 16, ms, 16);
    assert_hex_equal(ms, "ab4d269fcc62bedb4511d56c386ce706", 16);
    psp_kdf_sha256_le(ms, 16, "sev-kek", NULL, 0, k, 16);
    assert_hex_equal(k, "b6abfbfb75ea1ea74ed8750b8afdb973", 16);
    psp_kdf_sha256_le(ms, 16, "sev-kik", NULL, 0, k, 16);
    assert_hex_equal(k, "53b524bf5669a363f365c864acba8572", 16);
}

/* More than one block, with the length in the PRF: not a prefix. */
static void kdf__longer_output__other_bytes(void **state)
{
    uint8_t root[16] = {7}, a[16], b[56];

    (void)state;
    psp_kdf_sha256_le(root, 16, "label", NULL, 0, a, sizeof(a));
    psp_kdf_sha256_le(root, 16, "label", NULL, 0, b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    assert_memory_not_equal(b, b + 24, 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sign_sha256__rfc6979_sample__signature_bytes),
        cmocka_unit_test(verify_sha256__sheet_report_signature__accepted),
        cmocka_unit_test(verify_sha256__s_of_n_or_more__refused),
        cmocka_unit_test(ecdh__sheet_keys__same_z_from_both_sides),
        cmocka_unit_test(ecdh__point_off_curve__refused),
        cmocka_unit_test(aes128_ctr__sp800_38a__ciphertext),
        cmocka_unit_test(aes128_ctr__counter_at_its_end__wraps),
        cmocka_unit_test(kdf__public_vectors__ms_kek_kik),
        cmocka_unit_test(kdf__longer_output__other_bytes),
    };

    return cmocka_run_group_tests_name("crypto/sev_crypto", tests, NULL, NULL);
}
