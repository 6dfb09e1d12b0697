/* SPDX-License-Identifier: Apache-2.0 */
/* SEV and AMD certificates: the sheet's bytes (abi/sev.md §11.3), genuine
 * certificates, every boundary of sizes. Digests by libcrypto. */
#include "sev_amd_cert.h"
#include "tst.h"
#include "wire.h"

#include <openssl/sha.h>

/* 5 G and 9 G on P-384, computed by another library; big-endian. */
static const char X5[] =
    "11de24a2c251c777573cac5ea025e467f208e51dbff98fc54f6661cbe56583b0"
    "37882f4a1ca297e60abcdbc3836d84bc";
static const char Y5[] =
    "8fa696c77440f92d0f5837e90a00e7c5284b447754d5dee88c986533b6901aeb"
    "3177686d0ae8fb33184414abe6c1713a";
static const char X9[] =
    "8f0a39a4049bcb3ef1bf29b8b025b78f2216f7291e6fd3bac6cb1ee285fb6e21"
    "c388528bfee2b9535c55e4461079118b";
static const char Y9[] =
    "62c77e1438b601d6452c4a5322c3a9799a9b3d7ca3c400c6b7678854aed9b302"
    "9e743efedfd51b68262da4f9ac664af8";

static void sha256_hex(const void *data, size_t size, const char *want)
{
    uint8_t digest[32];

    SHA256(data, size, digest);
    assert_hex_equal(digest, want, strlen(want) / 2);
}

static void make(const char *xs, const char *ys, uint32_t usage, uint32_t algo,
                 struct sev_cert *cert)
{
    uint8_t x[48], y[48];

    tst_hex(xs, x, 48);
    tst_hex(ys, y, 48);
    sev_cert_init(cert);
    cert->pubkey_usage = usage;
    cert->pubkey_algo = algo;
    sev_cert_set_ec(cert, SEV_CURVE_P384, x, y);
}

static void sev_cert__guest_owner_key__sheet_digest(void **state)
{
    uint8_t bytes[SEV_CERT_SIZE];
    struct sev_cert cert;

    (void)state;
    make(X5, Y5, SEV_USAGE_PDH, SEV_ALGO_ECDH_SHA256, &cert);
    sev_cert_encode(&cert, bytes);
    assert_hex_equal(bytes + 0x14, "bc846d83c3dbbc0a", 8);
    sha256_hex(
        bytes, sizeof(bytes),
        "8e5f4bb5c5baf3153d98fb0fac0c71aadee179c002493146e30a6f4222e24354");
}

static void sev_cert__signing_request__sheet_digest(void **state)
{
    uint8_t bytes[SEV_CERT_SIZE];
    struct sev_cert cert;

    (void)state;
    make(X9, Y9, SEV_USAGE_PEK, SEV_ALGO_ECDSA_SHA256, &cert);
    cert.api_major = 1;
    cert.api_minor = 55;
    sev_cert_encode(&cert, bytes);
    sha256_hex(
        bytes, sizeof(bytes),
        "525353d09a8c4fc629bda798a91f947ed31cca429160f3fd9d8b2287e479316e");
}

static void sev_cert__any_bytes__survive(void **state)
{
    uint8_t in[SEV_CERT_SIZE], out[SEV_CERT_SIZE];
    struct sev_cert cert;
    uint8_t *copy;

    (void)state;
    for (size_t i = 0; i < sizeof(in); i++) {
        in[i] = (uint8_t)(i * 7 + i / 256);
    }
    copy = tst_dup(in, sizeof(in));
    assert_int_equal(sev_cert_decode(copy, sizeof(in), &cert), PSP_OK);
    free(copy);
    sev_cert_encode(&cert, out);
    assert_memory_equal(in, out, sizeof(in));
}

static void sev_cert__one_byte_short_or_long__format(void **state)
{
    uint8_t *bytes = calloc(1, SEV_CERT_SIZE + 1);
    struct sev_cert cert;

    (void)state;
    assert_int_equal(sev_cert_decode(bytes, SEV_CERT_SIZE - 1, &cert),
                     PSP_E_FORMAT);
    assert_int_equal(sev_cert_decode(bytes, SEV_CERT_SIZE + 1, &cert),
                     PSP_E_FORMAT);
    assert_int_equal(sev_cert_decode(bytes, 0, &cert), PSP_E_FORMAT);
    free(bytes);
}

static void sev_cert__coordinate_of_49_bytes__refused(void **state)
{
    uint8_t x[48], y[48];
    struct sev_cert cert;
    uint32_t curve;

    (void)state;
    make(X5, Y5, SEV_USAGE_PDH, SEV_ALGO_ECDH_SHA256, &cert);
    assert_true(sev_cert_get_ec(&cert, &curve, x, y));
    assert_int_equal(curve, SEV_CURVE_P384);
    assert_hex_equal(x, X5, 48);
    assert_hex_equal(y, Y5, 48);
    cert.pubkey[4 + 48] = 1;
    assert_false(sev_cert_get_ec(&cert, &curve, x, y));
    cert.pubkey[4 + 48] = 0;
    cert.pubkey[4 + 72 + 71] = 1;
    assert_false(sev_cert_get_ec(&cert, &curve, x, y));
}

/* The tail of the key area holds nothing and is not looked at; it is under the
 * signature. */
static void sev_cert__bytes_after_the_point__ignored(void **state)
{
    uint8_t x[48], y[48];
    struct sev_cert cert;
    uint32_t curve;

    (void)state;
    make(X5, Y5, SEV_USAGE_PDH, SEV_ALGO_ECDH_SHA256, &cert);
    cert.pubkey[4 + 144] = 1;
    assert_true(sev_cert_get_ec(&cert, &curve, x, y));
}

static void rsa_fill(struct sev_rsa *rsa, uint32_t size)
{
    memset(rsa, 0, sizeof(*rsa));
    rsa->size = size;
    for (uint32_t i = 0; i < size; i++) {
        rsa->n[i] = (uint8_t)(0x80 + i);
    }
    rsa->e[size - 1] = 1;
    rsa->e[size - 3] = 1;
}

static void sev_cert__rsa_key__round_trip(void **state)
{
    static const uint32_t sizes[] = {3, 256, 384, 512};
    struct sev_cert cert;
    struct sev_rsa in, out;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        rsa_fill(&in, sizes[i]);
        sev_cert_init(&cert);
        sev_cert_set_rsa(&cert, &in);
        assert_int_equal(cert.pubkey[4], 1);
        assert_int_equal(cert.pubkey[0x204], (uint8_t)(0x80 + sizes[i] - 1));
        assert_true(sev_cert_get_rsa(&cert, &out));
        assert_memory_equal(&in, &out, sizeof(in));
    }
}

static void sev_cert__rsa_size_out_of_range__refused(void **state)
{
    static const uint32_t bits[] = {0, 1, 2047, 4097, 4104, 0xffffffff};
    struct sev_cert cert;
    struct sev_rsa rsa;

    (void)state;
    for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
        struct psp_wr w = psp_wr(cert.pubkey, 4);

        sev_cert_init(&cert);
        psp_wr_le32(&w, bits[i]);
        assert_false(sev_cert_get_rsa(&cert, &rsa));
    }
}

static void sev_cert__rsa_bits_beyond_its_size__refused(void **state)
{
    struct sev_cert cert;
    struct sev_rsa rsa;

    (void)state;
    rsa_fill(&rsa, 256);
    sev_cert_init(&cert);
    sev_cert_set_rsa(&cert, &rsa);
    cert.pubkey[0x204 + 256] = 1;
    assert_false(sev_cert_get_rsa(&cert, &rsa));
    cert.pubkey[0x204 + 256] = 0;
    cert.pubkey[4 + 511] = 1;
    assert_false(sev_cert_get_rsa(&cert, &rsa));
}

static void sev_cert__signatures__round_trip(void **state)
{
    uint8_t r[48], s[48], r2[48], s2[48], rsa[512], rsa2[512];
    struct sev_cert_slot slot;

    (void)state;
    for (size_t i = 0; i < 512; i++) {
        rsa[i] = (uint8_t)(i * 3 + 1);
    }
    tst_hex(X5, r, 48);
    tst_hex(Y5, s, 48);
    sev_cert_slot_clear(&slot);
    assert_int_equal(slot.usage, 0x1000);
    sev_cert_slot_set_ecdsa(&slot, r, s);
    assert_int_equal(slot.data[0], r[47]);
    assert_int_equal(slot.data[72 + 47], s[0]);
    assert_true(psp_all_zero(slot.data + 144, 368));
    assert_true(sev_cert_slot_get_ecdsa(&slot, r2, s2));
    assert_memory_equal(r, r2, 48);
    assert_memory_equal(s, s2, 48);
    slot.data[72 + 48] = 1;
    assert_false(sev_cert_slot_get_ecdsa(&slot, r2, s2));
    sev_cert_slot_set_rsa(&slot, rsa, 256);
    assert_int_equal(slot.data[0], rsa[255]);
    assert_true(psp_all_zero(slot.data + 256, 256));
    sev_cert_slot_get_rsa(&slot, 256, rsa2);
    assert_memory_equal(rsa, rsa2, 256);
    sev_cert_slot_set_rsa(&slot, rsa, 512);
    sev_cert_slot_get_rsa(&slot, 512, rsa2);
    assert_memory_equal(rsa, rsa2, 512);
}

/* First 8 bytes of SHA-256 of file and of signed body: abi/sev.md §11.4. */
struct genuine {
    const char *name;
    const char *file;
    const char *body;
    uint32_t usage;
    uint8_t api_minor;
    uint32_t slot[2];
};
static const struct genuine GENUINE[] = {
    {"sev/naples/pdh.cert",
     "34b11563c32bd17b",
     "dbec0cf343b140dc",
     0x1003,
     16,
     {0x1002, 0x1000}},
    {"sev/naples/pek.cert",
     "31243368c2046fbf",
     "8d55d63b6792c6ed",
     0x1002,
     16,
     {0x1001, 0x1004}},
    {"sev/naples/oca.cert",
     "dfa8331592774030",
     "70bb8f3702b22e84",
     0x1001,
     16,
     {0x1001, 0x1000}},
    {"sev/naples/cek.cert",
     "cbecc40f5b7d7e98",
     "0f6570c3ddec6b39",
     0x1004,
     14,
     {0x13, 0x1000}},
    {"sev/rome/pdh.cert",
     "62147c9375cb6cee",
     "a19ef679477f2256",
     0x1003,
     22,
     {0x1002, 0x1000}},
    {"sev/rome/pek.cert",
     "fd5eb12d0175c91b",
     "a37b51038cbaec10",
     0x1002,
     22,
     {0x1001, 0x1004}},
    {"sev/rome/oca.cert",
     "fb72952d5c8640f0",
     "deae2d45b8d1456c",
     0x1001,
     22,
     {0x1001, 0x1000}},
    {"sev/rome/cek.cert",
     "bfac4879e3855bf7",
     "ce2cba2df8808d18",
     0x1004,
     14,
     {0x13, 0x1000}},
};
#define GENUINE_COUNT (sizeof(GENUINE) / sizeof(GENUINE[0]))

static void test_genuine(void **state)
{
    const struct genuine *g = *state;
    const char *path = tst_shared(g->name);
    uint8_t out[SEV_CERT_SIZE], x[48], y[48];
    struct sev_cert cert;
    uint32_t curve;
    uint8_t *in;
    size_t size;

    if (path == NULL) {
        skip();
    }
    in = tst_file(path, &size);
    assert_int_equal(sev_cert_decode(in, size, &cert), PSP_OK);
    sha256_hex(in, size, g->file);
    sha256_hex(in, SEV_CERT_BODY_SIZE, g->body);
    assert_int_equal(cert.version, 1);
    assert_int_equal(cert.pubkey_usage, g->usage);
    assert_int_equal(cert.api_major, 0);
    assert_int_equal(cert.api_minor, g->api_minor);
    assert_int_equal(cert.sig[0].usage, g->slot[0]);
    assert_int_equal(cert.sig[1].usage, g->slot[1]);
    assert_true(sev_cert_get_ec(&cert, &curve, x, y));
    assert_int_equal(curve, SEV_CURVE_P384);
    sev_cert_set_ec(&cert, curve, x, y);
    sev_cert_encode(&cert, out);
    assert_memory_equal(in, out, sizeof(out));
    free(in);
}

struct amd_genuine {
    const char *name;
    const char *key_id;
    const char *certifying_id;
    uint32_t bits;
    uint32_t usage;
};
#define NAPLES_ARK "1bb987c359494606b174945601c9ea5b"
#define ROME_ARK   "e6002122fb58419399d15fee7b131351"
#define MILAN_ARK  "94c38e4177d0479292a7ae671d083fb6"
#define GENOA_ARK  "9f9d4a8fe761456599f6946c4c010f3a"
#define TURIN_ARK  "d05c3a8bde484904b49552422ceb3942"
static const struct amd_genuine AMD[] = {
    {"amd-ca/naples-ark.sevcert", NAPLES_ARK, NAPLES_ARK, 2048, 0},
    {"amd-ca/naples-ask.sevcert", "e139970cfc464377ae61b289e2f9e96e",
     NAPLES_ARK, 2048, 0x13},
    {"amd-ca/rome-ark.sevcert", ROME_ARK, ROME_ARK, 4096, 0},
    {"amd-ca/rome-ask.sevcert", "c6cbcf145b3146f498e40ecb4ad4fded", ROME_ARK,
     4096, 0x13},
    {"amd-ca/milan-ark.sevcert", MILAN_ARK, MILAN_ARK, 4096, 0},
    {"amd-ca/milan-ask.sevcert", "73478c05cc174bfeb06e718fa75dc3c8", MILAN_ARK,
     4096, 0x13},
    {"amd-ca/genoa-ark.sevcert", GENOA_ARK, GENOA_ARK, 4096, 0},
    {"amd-ca/genoa-ask.sevcert", "acbb4ad21acc436fb3e932f812cd01b0", GENOA_ARK,
     4096, 0x13},
    {"amd-ca/turin-ark.sevcert", TURIN_ARK, TURIN_ARK, 4096, 0},
    {"amd-ca/turin-ask.sevcert", "15051693f7304d65a527b4a7f3f7cb77", TURIN_ARK,
     4096, 0x13},
};
#define AMD_COUNT (sizeof(AMD) / sizeof(AMD[0]))

static void test_amd_genuine(void **state)
{
    const struct amd_genuine *g = *state;
    const char *path = tst_shared(g->name);
    uint8_t out[SEV_AMD_CERT_MAX_SIZE], sig[512];
    struct sev_amd_cert cert, copy;
    struct sev_rsa rsa;
    size_t size, used;
    uint8_t *in;

    if (path == NULL) {
        skip();
    }
    in = tst_file(path, &size);
    assert_int_equal(sev_amd_cert_decode(in, size, &cert, &used), PSP_OK);
    assert_int_equal(used, size);
    assert_int_equal(size, g->bits == 2048 ? 832 : 1600);
    assert_hex_equal(cert.key_id, g->key_id, 16);
    assert_hex_equal(cert.certifying_id, g->certifying_id, 16);
    assert_int_equal(cert.key_usage, g->usage);
    assert_int_equal(sev_amd_cert_algo(&cert), g->bits == 2048 ? 0x001 : 0x101);
    assert_true(sev_amd_cert_get_rsa(&cert, &rsa));
    assert_int_equal(rsa.size, g->bits / 8);
    assert_hex_equal(rsa.e + rsa.size - 3, "010001", 3);
    sev_amd_cert_get_signature(&cert, sig);
    copy = cert;
    sev_amd_cert_set_rsa(&copy, &rsa);
    sev_amd_cert_set_signature(&copy, sig);
    assert_int_equal(sev_amd_cert_encode(&copy, out), size);
    assert_memory_equal(in, out, size);
    assert_int_equal(sev_amd_cert_body_size(&cert), size - g->bits / 8);
    free(in);
}

static size_t amd_bytes(uint32_t exponent_bits, uint32_t modulus_bits,
                        uint8_t *out)
{
    struct sev_amd_cert cert = {.version = 1,
                                .exponent_bits = exponent_bits,
                                .modulus_bits = modulus_bits};

    memset(cert.modulus, 0xaa, sizeof(cert.modulus));
    return sev_amd_cert_encode(&cert, out);
}

static void amd_cert__one_byte_short__format(void **state)
{
    uint8_t bytes[SEV_AMD_CERT_MAX_SIZE];
    struct sev_amd_cert cert;
    size_t size = amd_bytes(2048, 2048, bytes), used;

    (void)state;
    for (size_t n = 0; n <= size; n += n < 64 ? 1 : size - n > 1 ? 255 : 1) {
        uint8_t *copy = tst_dup(bytes, n);

        assert_int_equal(sev_amd_cert_decode(copy, n, &cert, &used),
                         n == size ? PSP_OK : PSP_E_FORMAT);
        free(copy);
    }
}

static void amd_cert__more_bytes_follow__left_alone(void **state)
{
    uint8_t bytes[SEV_AMD_CERT_MAX_SIZE + 8];
    struct sev_amd_cert cert;
    size_t size = amd_bytes(2048, 2048, bytes), used;

    (void)state;
    assert_int_equal(sev_amd_cert_decode(bytes, size + 8, &cert, &used),
                     PSP_OK);
    assert_int_equal(used, 832);
}

static void amd_cert__size_fields_out_of_range__format(void **state)
{
    static const uint32_t bits[] = {0, 7, 2047, 4097, 4104, 0x80000000};
    struct sev_amd_cert cert;
    uint8_t *bytes = calloc(1, SEV_AMD_CERT_MAX_SIZE);
    size_t used;

    (void)state;
    for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
        struct psp_wr w = psp_wr(bytes + 0x38, 8);

        psp_wr_le32(&w, bits[i]);
        psp_wr_le32(&w, 2048);
        assert_int_equal(
            sev_amd_cert_decode(bytes, SEV_AMD_CERT_MAX_SIZE, &cert, &used),
            PSP_E_FORMAT);
        w = psp_wr(bytes + 0x38, 8);
        psp_wr_le32(&w, 2048);
        psp_wr_le32(&w, bits[i]);
        assert_int_equal(
            sev_amd_cert_decode(bytes, SEV_AMD_CERT_MAX_SIZE, &cert, &used),
            PSP_E_FORMAT);
    }
    free(bytes);
}

static void amd_cert__exponent_longer_than_modulus__no_key(void **state)
{
    struct sev_amd_cert cert = {.exponent_bits = 4096, .modulus_bits = 2048};
    struct sev_rsa rsa;

    (void)state;
    assert_true(sev_amd_cert_get_rsa(&cert, &rsa));
    cert.exponent[256] = 1;
    assert_false(sev_amd_cert_get_rsa(&cert, &rsa));
}

static void usage_name__each_value__its_word(void **state)
{
    (void)state;
    assert_string_equal(sev_usage_name(0), "ARK");
    assert_string_equal(sev_usage_name(0x13), "ASK");
    assert_string_equal(sev_usage_name(0x1000), "none");
    assert_string_equal(sev_usage_name(0x1001), "OCA");
    assert_string_equal(sev_usage_name(0x1002), "PEK");
    assert_string_equal(sev_usage_name(0x1003), "PDH");
    assert_string_equal(sev_usage_name(0x1004), "CEK");
    assert_string_equal(sev_usage_name(0x1005), "unknown");
}

/* A row's own copy of its pointer: cmocka wants it writable. */
static struct CMUnitTest row(const char *name, CMUnitTestFunction f,
                             const void *data)
{
    union {
        const void *in;
        void *out;
    } p = {.in = data};

    return (struct CMUnitTest){name, f, NULL, NULL, p.out};
}

int main(void)
{
    const struct CMUnitTest fixed[] = {
        cmocka_unit_test(sev_cert__guest_owner_key__sheet_digest),
        cmocka_unit_test(sev_cert__signing_request__sheet_digest),
        cmocka_unit_test(sev_cert__any_bytes__survive),
        cmocka_unit_test(sev_cert__one_byte_short_or_long__format),
        cmocka_unit_test(sev_cert__coordinate_of_49_bytes__refused),
        cmocka_unit_test(sev_cert__bytes_after_the_point__ignored),
        cmocka_unit_test(sev_cert__rsa_key__round_trip),
        cmocka_unit_test(sev_cert__rsa_size_out_of_range__refused),
        cmocka_unit_test(sev_cert__rsa_bits_beyond_its_size__refused),
        cmocka_unit_test(sev_cert__signatures__round_trip),
        cmocka_unit_test(amd_cert__one_byte_short__format),
        cmocka_unit_test(amd_cert__more_bytes_follow__left_alone),
        cmocka_unit_test(amd_cert__size_fields_out_of_range__format),
        cmocka_unit_test(amd_cert__exponent_longer_than_modulus__no_key),
        cmocka_unit_test(usage_name__each_value__its_word),
    };
    struct CMUnitTest genuine[GENUINE_COUNT + AMD_COUNT];
    int failed;

    for (size_t i = 0; i < GENUINE_COUNT; i++) {
        genuine[i] = row(GENUINE[i].name, test_genuine, &GENUINE[i]);
    }
    for (size_t i = 0; i < AMD_COUNT; i++) {
        genuine[GENUINE_COUNT + i] =
            row(AMD[i].name, test_amd_genuine, &AMD[i]);
    }
    failed = cmocka_run_group_tests_name("wire/sev_cert", fixed, NULL, NULL);
    failed +=
        cmocka_run_group_tests_name("wire/sev_cert/real", genuine, NULL, NULL);
    return failed;
}
