/* SPDX-License-Identifier: Apache-2.0 */
/* Each check of the legacy relying party: evidence that is good but for one
 * thing is refused by the check that is there for it. Certificates are signed
 * here with libcrypto, not by the model. */
#include "mint.h"
#include "tst.h"

#include "sev_check.h"
#include "sev_verifier.h"
#include "wire.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>

#define KEY_FILE(name) "harness/unit/verifier/keys/" name ".pem"

static struct {
    EVP_PKEY *ark, *ask, *other, *small; /* RSA; small: 2048 bits */
    EVP_PKEY *cek, *oca, *pek, *pdh, *stranger;
} KEY;

struct sev_bench {
    struct sev_amd_cert ark, ask;
    EVP_PKEY *ark_key, *ask_key; /* that sign */
    struct sev_cert cek, oca, pek, pdh;
    EVP_PKEY *oca_key;
    struct sev_report report;
    EVP_PKEY *report_key; /* NULL: leave R and S */

    /* Made by build() */
    uint8_t ark_bytes[SEV_AMD_CERT_MAX_SIZE], ask_bytes[SEV_AMD_CERT_MAX_SIZE];
    uint8_t bundle[2 * SEV_AMD_CERT_MAX_SIZE + 8];
    uint8_t cek_bytes[SEV_CERT_SIZE], oca_bytes[SEV_CERT_SIZE],
        pek_bytes[SEV_CERT_SIZE], pdh_bytes[SEV_CERT_SIZE];
    uint8_t report_bytes[SEV_REPORT_SIZE];
    uint8_t pin_bytes[SEV_CERT_SIZE];
    uint8_t measure_bytes[SEV_MEASURE_BLOB_SIZE];

    struct sev_verify_input in;
    struct sev_verify_policy policy;
    uint8_t mnonce[SEV_MNONCE_SIZE];
    uint8_t digest[2][SEV_DIGEST_SIZE];
    uint32_t expected_policy;
    enum psp_generation product;
    struct sev_measure_key measure;
    struct sev_verify_result result;
};

/* ---- minting ---- */

static void number(EVP_PKEY *key, const char *param, uint8_t *out, int size)
{
    BIGNUM *n = NULL;

    assert_int_equal(EVP_PKEY_get_bn_param(key, param, &n), 1);
    assert_int_equal(BN_bn2binpad(n, out, size), size);
    BN_free(n);
}

static struct sev_rsa rsa_of(EVP_PKEY *key)
{
    struct sev_rsa rsa = {.size = (uint32_t)EVP_PKEY_get_size(key)};

    number(key, OSSL_PKEY_PARAM_RSA_N, rsa.n, (int)rsa.size);
    number(key, OSSL_PKEY_PARAM_RSA_E, rsa.e, (int)rsa.size);
    return rsa;
}

static void set_ec(struct sev_cert *cert, EVP_PKEY *key)
{
    uint8_t x[SEV_EC_SIZE];
    uint8_t y[SEV_EC_SIZE];

    number(key, OSSL_PKEY_PARAM_EC_PUB_X, x, SEV_EC_SIZE);
    number(key, OSSL_PKEY_PARAM_EC_PUB_Y, y, SEV_EC_SIZE);
    sev_cert_set_ec(cert, SEV_CURVE_P384, x, y);
}

static size_t sign(EVP_PKEY *key, const EVP_MD *md, int salt,
                   const uint8_t *msg, size_t size, uint8_t out[1024])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    size_t n = 1024;

    assert_int_equal(EVP_DigestSignInit(ctx, &pctx, md, NULL, key), 1);
    if (EVP_PKEY_is_a(key, "RSA")) {
        EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, salt);
    }
    assert_int_equal(EVP_DigestSign(ctx, out, &n, msg, size), 1);
    EVP_MD_CTX_free(ctx);
    return n;
}

static void ecdsa(EVP_PKEY *key, const EVP_MD *md, const uint8_t *msg,
                  size_t size, uint8_t r[SEV_EC_SIZE], uint8_t s[SEV_EC_SIZE])
{
    uint8_t der[1024];
    const unsigned char *p = der;
    size_t n = sign(key, md, 0, msg, size, der);
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)n);

    assert_non_null(sig);
    BN_bn2binpad(ECDSA_SIG_get0_r(sig), r, SEV_EC_SIZE);
    BN_bn2binpad(ECDSA_SIG_get0_s(sig), s, SEV_EC_SIZE);
    ECDSA_SIG_free(sig);
}

/* Fill the data of @slot as its algorithm says; the header is the caller's. */
static void sign_slot(struct sev_cert *cert, size_t slot, EVP_PKEY *key)
{
    struct sev_cert_slot *s = &cert->sig[slot];
    bool sha384 = (s->algo & 0x100) != 0;
    const EVP_MD *md = sha384 ? EVP_sha384() : EVP_sha256();
    uint8_t bytes[SEV_CERT_SIZE];
    uint8_t r[SEV_EC_SIZE], v[SEV_EC_SIZE];
    uint8_t sig[1024];

    sev_cert_encode(cert, bytes);
    if (EVP_PKEY_is_a(key, "RSA")) {
        size_t n =
            sign(key, md, sha384 ? 48 : 32, bytes, SEV_CERT_BODY_SIZE, sig);

        sev_cert_slot_set_rsa(s, sig, (uint32_t)n);
    } else {
        ecdsa(key, md, bytes, SEV_CERT_BODY_SIZE, r, v);
        sev_cert_slot_set_ecdsa(s, r, v);
    }
}

static void mint_part(struct sev_cert *cert, uint32_t usage, uint32_t algo,
                      EVP_PKEY *key)
{
    sev_cert_init(cert);
    cert->api_major = 1;
    cert->api_minor = 55;
    cert->pubkey_usage = usage;
    cert->pubkey_algo = algo;
    set_ec(cert, key);
}

static void mint_ca(struct sev_amd_cert *cert, uint32_t usage, EVP_PKEY *key)
{
    struct sev_rsa rsa = rsa_of(key);

    *cert = (struct sev_amd_cert){.version = 1, .key_usage = usage};
    tst_hex("94c38e4177d0479292a7ae671d083fb6", cert->certifying_id, 16);
    tst_hex(usage == SEV_USAGE_ARK ? "94c38e4177d0479292a7ae671d083fb6"
                                   : "73478c05cc174bfeb06e718fa75dc3c8",
            cert->key_id, 16);
    sev_amd_cert_set_rsa(cert, &rsa);
}

static void bench_init(struct sev_bench *b)
{
    memset(b, 0, sizeof(*b));
    mint_ca(&b->ark, SEV_USAGE_ARK, KEY.ark);
    mint_ca(&b->ask, SEV_USAGE_ASK, KEY.ask);
    b->ark_key = KEY.ark;
    b->ask_key = KEY.ask;
    mint_part(&b->cek, SEV_USAGE_CEK, SEV_ALGO_ECDSA_SHA256, KEY.cek);
    mint_part(&b->oca, SEV_USAGE_OCA, SEV_ALGO_ECDSA_SHA256, KEY.oca);
    mint_part(&b->pek, SEV_USAGE_PEK, SEV_ALGO_ECDSA_SHA256, KEY.pek);
    mint_part(&b->pdh, SEV_USAGE_PDH, SEV_ALGO_ECDH_SHA256, KEY.pdh);
    b->oca_key = KEY.oca;
    b->cek.sig[0].usage = SEV_USAGE_ASK;
    b->cek.sig[0].algo = SEV_ALGO_RSA_SHA384;
    b->oca.sig[0].usage = SEV_USAGE_OCA;
    b->oca.sig[0].algo = SEV_ALGO_ECDSA_SHA256;
    b->pek.sig[0] = b->oca.sig[0];
    b->pek.sig[1].usage = SEV_USAGE_CEK;
    b->pek.sig[1].algo = SEV_ALGO_ECDSA_SHA256;
    b->pdh.sig[0].usage = SEV_USAGE_PEK;
    b->pdh.sig[0].algo = SEV_ALGO_ECDSA_SHA256;
    for (size_t i = 0; i < SEV_DIGEST_SIZE; i++) {
        b->report.launch_digest[i] = (uint8_t)(0x80 + i);
        b->report.mnonce[i % 16] = (uint8_t)i;
    }
    b->report.policy = 0x00370105 & ~SEV_POLICY_RESERVED;
    b->report.sig_usage = SEV_USAGE_PEK;
    b->report.sig_algo = SEV_ALGO_ECDSA_SHA256;
    b->report_key = KEY.pek;
    b->policy.policy_mask = UINT32_MAX;
}

static EVP_PKEY *slot_key(const struct sev_bench *b, uint32_t usage)
{
    return usage == SEV_USAGE_ASK   ? b->ask_key
           : usage == SEV_USAGE_OCA ? b->oca_key
           : usage == SEV_USAGE_CEK ? KEY.cek
           : usage == SEV_USAGE_PEK ? KEY.pek
                                    : NULL;
}

static void build_part(const struct sev_bench *b, struct sev_cert *cert,
                       uint8_t bytes[SEV_CERT_SIZE], struct verify_blob *blob)
{
    for (size_t i = 0; i < 2; i++) {
        EVP_PKEY *key = slot_key(b, cert->sig[i].usage);

        if (key != NULL) {
            sign_slot(cert, i, key);
        }
    }
    sev_cert_encode(cert, bytes);
    *blob = (struct verify_blob){.data = bytes, .size = SEV_CERT_SIZE};
}

static void build_ca(const struct sev_bench *b, struct sev_amd_cert *cert,
                     uint8_t bytes[SEV_AMD_CERT_MAX_SIZE],
                     struct verify_blob *blob)
{
    bool sha384 = EVP_PKEY_get_size(b->ark_key) == 512;
    uint8_t sig[1024];

    (void)sev_amd_cert_encode(cert, bytes);
    sign(b->ark_key, sha384 ? EVP_sha384() : EVP_sha256(), sha384 ? 48 : 32,
         bytes, sev_amd_cert_body_size(cert), sig);
    sev_amd_cert_set_signature(cert, sig);
    *blob = (struct verify_blob){.data = bytes,
                                 .size = sev_amd_cert_encode(cert, bytes)};
}

static void build_report(struct sev_bench *b)
{
    uint8_t r[SEV_EC_SIZE], s[SEV_EC_SIZE];

    sev_report_encode(&b->report, b->report_bytes);
    if (b->report_key != NULL) {
        ecdsa(b->report_key, EVP_sha256(), b->report_bytes,
              SEV_REPORT_SIGNED_SIZE, r, s);
        sev_number_set(b->report.r, r);
        sev_number_set(b->report.s, s);
        sev_report_encode(&b->report, b->report_bytes);
    }
    b->in.report =
        (struct verify_blob){.data = b->report_bytes, .size = SEV_REPORT_SIZE};
}

static void build(struct sev_bench *b)
{
    build_ca(b, &b->ark, b->ark_bytes, &b->in.ark);
    build_ca(b, &b->ask, b->ask_bytes, &b->in.ask);
    build_part(b, &b->cek, b->cek_bytes, &b->in.cek);
    build_part(b, &b->oca, b->oca_bytes, &b->in.oca);
    build_part(b, &b->pek, b->pek_bytes, &b->in.pek);
    build_part(b, &b->pdh, b->pdh_bytes, &b->in.pdh);
    build_report(b);
    b->in.trusted_ark = b->in.ark;
}

/* ---- one case ---- */

typedef void change(struct sev_bench *b);
#define CHANGE(name) static void name(struct sev_bench *b)

struct verdict_case {
    const char *name;
    change *before; /* of what is signed; may be NULL */
    change *after;  /* of what was built; may be NULL */
    /* The checks that fail, -1 behind the last; none: accepted. */
    int fails[4];
    const char *reason; /* occurs in the first one's */
};

static bool expected_to_fail(const struct verdict_case *c, int check)
{
    for (size_t i = 0; i < 4 && c->fails[i] >= 0; i++) {
        if (c->fails[i] == check) {
            return true;
        }
    }
    return false;
}

/* Certificates judged before say of this report what they say with it. */
static void check_judged(const struct sev_bench *b)
{
    struct sev_judged *j = sev_judge_certs(&b->in);
    struct sev_verify_result result;

    memset(&result, 0xa5, sizeof(result));
    assert_non_null(j);
    for (int i = 0; i < 2; i++) {
        verify_sev_report(j, &b->in.report, &b->policy, &result);
    }
    for (int i = 0; i < SEV_CHECK_COUNT; i++) {
        assert_int_equal(result.line[i].verdict, b->result.line[i].verdict);
        assert_string_equal(result.line[i].reason, b->result.line[i].reason);
    }
    assert_int_equal(result.ok, b->result.ok);
    assert_int_equal(result.product, b->result.product);
    assert_int_equal(result.simulated, b->result.simulated);
    sev_judged_free(j);
}

static void test_verdict(void **state)
{
    const struct verdict_case *c = *state;
    struct sev_bench *b = calloc(1, sizeof(*b));

    bench_init(b);
    if (c->before != NULL) {
        c->before(b);
    }
    build(b);
    if (c->after != NULL) {
        c->after(b);
    }
    verify_sev(&b->in, &b->policy, &b->result);
    for (int i = 0; i < SEV_CHECK_COUNT; i++) {
        const struct verify_line *line = &b->result.line[i];

        if ((line->verdict == VERIFY_FAIL) != expected_to_fail(c, i)) {
            fail_msg("%s: %s (%s)", sev_check_name((enum sev_check)i),
                     verify_verdict_name(line->verdict), line->reason);
        }
        assert_int_equal(line->verdict == VERIFY_PASS, line->reason[0] == '\0');
    }
    assert_int_equal(b->result.ok, c->fails[0] < 0);
    if (c->reason != NULL &&
        strstr(b->result.line[c->fails[0]].reason, c->reason) == NULL) {
        fail_msg("reason is: %s", b->result.line[c->fails[0]].reason);
    }
    check_judged(b);
    free(b);
}

/* ---- changes: good ---- */

CHANGE(no_report)
{
    b->in.report = (struct verify_blob){0};
}
CHANGE(no_pdh)
{
    b->in.pdh = (struct verify_blob){0};
}
CHANGE(no_ark)
{
    b->in.ark = (struct verify_blob){0};
}
static void bundle(struct sev_bench *b, struct verify_blob *out)
{
    memcpy(b->bundle, b->ask_bytes, b->in.ask.size);
    memcpy(b->bundle + b->in.ask.size, b->ark_bytes, b->in.ark.size);
    *out = (struct verify_blob){.data = b->bundle,
                                .size = b->in.ask.size + b->in.ark.size};
}
CHANGE(bundle_for_all)
{
    struct verify_blob file;

    bundle(b, &file);
    b->in.ark = b->in.ask = b->in.trusted_ark = file;
}
CHANGE(bundle_trusted_only)
{
    bundle(b, &b->in.trusted_ark);
    b->in.ark = b->in.ask = (struct verify_blob){0};
}
/* As rats-tls and librats read it. */
static void fill(struct sev_bench *b, size_t size)
{
    bundle(b, &b->in.trusted_ark);
    memset(b->bundle + b->in.trusted_ark.size, 0,
           size - b->in.trusted_ark.size);
    b->in.trusted_ark.size = size;
}
CHANGE(bundle_filled)
{
    fill(b, 3200);
    b->in.ark = b->in.ask = b->in.trusted_ark;
}
CHANGE(bundle_filled_too_far)
{
    fill(b, 3201);
}
CHANGE(bundle_filled_with_more)
{
    fill(b, 3200);
    b->bundle[3199] = 1;
}
CHANGE(slots_swapped)
{
    struct sev_cert_slot first = b->pek.sig[0];

    b->pek.sig[0] = b->pek.sig[1];
    b->pek.sig[1] = first;
}
CHANGE(cek_signed_in_slot_2)
{
    b->cek.sig[1] = b->cek.sig[0];
    sev_cert_slot_clear(&b->cek.sig[0]);
}
CHANGE(naples_sizes)
{
    mint_ca(&b->ark, SEV_USAGE_ARK, KEY.small);
    mint_ca(&b->ask, SEV_USAGE_ASK, KEY.small);
    b->ark_key = b->ask_key = KEY.small;
    b->cek.sig[0].algo = SEV_ALGO_RSA_SHA256;
}
static void oca_rsa(struct sev_bench *b, EVP_PKEY *key, uint32_t algo)
{
    struct sev_rsa rsa = rsa_of(key);

    b->oca.pubkey_algo = algo;
    sev_cert_set_rsa(&b->oca, &rsa);
    b->oca_key = key;
    b->oca.sig[0].algo = b->pek.sig[0].algo = algo;
}
CHANGE(oca_rsa_2048)
{
    oca_rsa(b, KEY.small, SEV_ALGO_RSA_SHA256);
}
CHANGE(oca_rsa_4096)
{
    oca_rsa(b, KEY.other, SEV_ALGO_RSA_SHA384);
}
CHANGE(oca_ecdsa_sha384)
{
    b->oca.pubkey_algo = SEV_ALGO_ECDSA_SHA384;
    b->oca.sig[0].algo = b->pek.sig[0].algo = SEV_ALGO_ECDSA_SHA384;
}
/* As sevctl makes them: its memory behind the key, under the signature. */
CHANGE(oca_key_tail)
{
    memset(b->oca.pubkey + 148, 0xa5, SEV_CERT_KEY_SIZE - 148);
}
CHANGE(api_zero)
{
    b->oca.api_major = b->oca.api_minor = 0;
}
CHANGE(all_expected)
{
    memcpy(b->mnonce, b->report.mnonce, sizeof(b->mnonce));
    memcpy(b->digest[1], b->report.launch_digest, SEV_DIGEST_SIZE);
    b->expected_policy = b->report.policy;
    b->product = PSP_MILAN;
    b->policy.mnonce = b->mnonce;
    b->policy.launch_digest = b->digest;
    b->policy.launch_digest_count = 2;
    b->policy.policy = &b->expected_policy;
    b->policy.product = &b->product;
}
CHANGE(policy_masked)
{
    all_expected(b);
    b->expected_policy ^= SEV_POLICY_ES;
    b->policy.policy_mask = ~SEV_POLICY_ES;
}
static void pin(struct sev_bench *b, const struct sev_cert *cert,
                struct verify_blob *out)
{
    struct sev_cert bare = *cert;

    sev_cert_slot_clear(&bare.sig[0]);
    sev_cert_slot_clear(&bare.sig[1]);
    bare.api_minor = 3;
    sev_cert_encode(&bare, b->pin_bytes);
    *out = (struct verify_blob){.data = b->pin_bytes, .size = SEV_CERT_SIZE};
}
CHANGE(cek_pinned)
{
    pin(b, &b->cek, &b->policy.cek_pin);
}
CHANGE(pek_pinned)
{
    pin(b, &b->pek, &b->policy.pek_pin);
}
CHANGE(oca_pinned)
{
    pin(b, &b->oca, &b->policy.oca_pin);
}

/* ---- changes: CAs ---- */

CHANGE(no_root)
{
    b->in.trusted_ark = (struct verify_blob){0};
}
CHANGE(root_junk)
{
    b->in.trusted_ark.size--;
}
CHANGE(root_with_tail)
{
    bundle(b, &b->in.trusted_ark);
    b->in.trusted_ark.size += 1;
}
CHANGE(root_is_ask)
{
    b->in.trusted_ark = b->in.ask;
}
CHANGE(root_other_key)
{
    static uint8_t bytes[SEV_AMD_CERT_MAX_SIZE];
    struct sev_amd_cert root;

    mint_ca(&root, SEV_USAGE_ARK, KEY.other);
    b->ark_key = KEY.other;
    build_ca(b, &root, bytes, &b->in.trusted_ark);
}
CHANGE(ark_ask_swapped)
{
    struct verify_blob ark = b->in.ark;

    b->in.ark = b->in.ask;
    b->in.ask = ark;
}
CHANGE(ark_version)
{
    b->ark.version = 2;
}
CHANGE(ark_reserved)
{
    b->ark.reserved[15] = 1;
}
CHANGE(ark_even_exponent)
{
    b->ark.exponent[0] = 2;
}
CHANGE(ark_exponent_one)
{
    memset(b->ark.exponent, 0, sizeof(b->ark.exponent));
    b->ark.exponent[0] = 1;
}
CHANGE(ark_other_certifier)
{
    b->ark.certifying_id[0] ^= 1;
}
CHANGE(ark_signature)
{
    b->ark_bytes[b->in.ark.size - 1] ^= 1;
}
CHANGE(ark_not_self_signed)
{
    b->ark_key = KEY.other;
}
CHANGE(no_ask)
{
    b->in.ask = (struct verify_blob){0};
}
CHANGE(ask_short)
{
    b->in.ask.size--;
}
CHANGE(ask_usage)
{
    b->ask.key_usage = 0x12;
}
CHANGE(ask_other_certifier)
{
    b->ask.certifying_id[15] ^= 1;
}
CHANGE(ask_signed_by_other)
{
    b->ark_key = KEY.other;
    build_ca(b, &b->ask, b->ask_bytes, &b->in.ask);
}
CHANGE(ask_2048)
{
    mint_ca(&b->ask, SEV_USAGE_ASK, KEY.small);
    b->ask_key = KEY.small;
    b->cek.sig[0].algo = SEV_ALGO_RSA_SHA256;
}
CHANGE(product_other)
{
    all_expected(b);
    b->product = PSP_ROME;
}

/* ---- changes: certificates ---- */

CHANGE(no_cek)
{
    b->in.cek = (struct verify_blob){0};
}
CHANGE(cek_short)
{
    b->in.cek.size--;
}
CHANGE(cek_unsigned)
{
    sev_cert_slot_clear(&b->cek.sig[0]);
}
CHANGE(cek_by_other)
{
    b->ask_key = KEY.other;
}
CHANGE(cek_wrong_hash)
{
    b->cek.sig[0].algo = SEV_ALGO_RSA_SHA256;
}
static void resign_cek(struct sev_bench *b, const EVP_MD *md, int salt)
{
    uint8_t sig[1024];

    sign(KEY.ask, md, salt, b->cek_bytes, SEV_CERT_BODY_SIZE, sig);
    sev_cert_slot_set_rsa(&b->cek.sig[0], sig, 512);
    sev_cert_encode(&b->cek, b->cek_bytes);
}
CHANGE(cek_salt_32)
{
    resign_cek(b, EVP_sha384(), 32);
}
CHANGE(cek_signed_with_sha256)
{
    resign_cek(b, EVP_sha256(), 32);
}
CHANGE(cek_slot_2_usage_0010)
{
    b->cek.sig[1].usage = 0x10;
}
CHANGE(cek_rsa_tail)
{
    naples_sizes(b);
}
CHANGE(cek_rsa_tail_after)
{
    b->cek_bytes[0x41c + 256] = 1;
}
CHANGE(no_oca)
{
    b->in.oca = (struct verify_blob){0};
}
CHANGE(oca_by_other)
{
    b->oca.sig[0].usage = SEV_USAGE_OCA;
    sign_slot(&b->oca, 0, KEY.stranger);
    sev_cert_encode(&b->oca, b->oca_bytes);
}
CHANGE(oca_another_owner)
{
    mint_part(&b->oca, SEV_USAGE_OCA, SEV_ALGO_ECDSA_SHA256, KEY.stranger);
    b->oca.sig[0].usage = SEV_USAGE_OCA;
    b->oca.sig[0].algo = SEV_ALGO_ECDSA_SHA256;
    sign_slot(&b->oca, 0, KEY.stranger);
    sev_cert_encode(&b->oca, b->oca_bytes);
}
CHANGE(oca_rsa_1024)
{
    struct sev_rsa rsa = rsa_of(KEY.small);

    rsa.size = 128;
    b->oca.pubkey_algo = SEV_ALGO_RSA_SHA256;
    memmove(rsa.e, rsa.e + 128, 128);
    sev_cert_set_rsa(&b->oca, &rsa);
    sev_cert_slot_clear(&b->oca.sig[0]);
}
CHANGE(oca_rsa_padding)
{
    oca_rsa_2048(b);
    b->oca.pubkey[0x204 + 256] = 1;
}
CHANGE(oca_rsa_bits)
{
    oca_rsa_2048(b);
    b->oca.pubkey[0] = 1;
}
CHANGE(no_pek)
{
    b->in.pek = (struct verify_blob){0};
}
CHANGE(pek_without_cek)
{
    sev_cert_slot_clear(&b->pek.sig[1]);
}
CHANGE(pek_without_oca)
{
    sev_cert_slot_clear(&b->pek.sig[0]);
}
CHANGE(pek_oca_twice)
{
    b->pek.sig[1] = b->pek.sig[0];
}
CHANGE(pek_by_other_cek)
{
    sign_slot(&b->pek, 1, KEY.stranger);
    sev_cert_encode(&b->pek, b->pek_bytes);
}
CHANGE(pek_by_other_oca)
{
    sign_slot(&b->pek, 0, KEY.stranger);
    sev_cert_encode(&b->pek, b->pek_bytes);
}
CHANGE(pek_version)
{
    b->pek.version = 2;
}
CHANGE(pek_reserved)
{
    b->pek.reserved = 0x100;
}
CHANGE(pek_usage)
{
    b->pek.pubkey_usage = SEV_USAGE_PDH;
}
CHANGE(pek_algo_ecdh)
{
    b->pek.pubkey_algo = SEV_ALGO_ECDH_SHA256;
}
CHANGE(pek_algo_unknown)
{
    b->pek.pubkey_algo = 4;
}
CHANGE(pek_p256)
{
    b->pek.pubkey[0] = SEV_CURVE_P256;
}
CHANGE(pek_curve_unknown)
{
    b->pek.pubkey[3] = 1;
}
CHANGE(pek_off_curve)
{
    b->pek.pubkey[4] ^= 1;
}
CHANGE(pek_zero_point)
{
    memset(b->pek.pubkey + 4, 0, 144);
}
CHANGE(pek_x_above_p)
{
    memset(b->pek.pubkey + 4, 0xff, 48);
}
CHANGE(pek_long_x)
{
    b->pek.pubkey[4 + 48] = 1;
}
CHANGE(pek_long_y)
{
    b->pek.pubkey[4 + 72 + 71] = 1;
}
CHANGE(pek_key_tail)
{
    b->pek.pubkey[SEV_CERT_KEY_SIZE - 1] = 1;
}
CHANGE(pek_signature_tail)
{
    b->pek_bytes[SEV_CERT_SIZE - 1] = 1;
}
CHANGE(pek_s_tail)
{
    b->pek_bytes[0x41c + 72 + 48] = 1;
}
CHANGE(pek_slot_algo_ecdh)
{
    b->pek_bytes[0x620] = 3;
}
CHANGE(pek_r_zero)
{
    memset(b->pek_bytes + 0x624, 0, 72);
}
CHANGE(pek_s_zero)
{
    memset(b->pek_bytes + 0x624 + 72, 0, 72);
}
CHANGE(pek_r_above_n)
{
    memset(b->pek_bytes + 0x624, 0xff, 48);
}
CHANGE(pek_usage_alone_empty)
{
    b->pek_bytes[0x61c] = 0x00; /* 0x1004 becomes 0x1000 */
}
CHANGE(pek_oca_parts_swapped)
{
    struct verify_blob pek = b->in.pek;

    b->in.pek = b->in.oca;
    b->in.oca = pek;
}
CHANGE(pdh_as_pek)
{
    b->in.pek = b->in.pdh;
    b->in.report = (struct verify_blob){0};
}
CHANGE(pdh_by_other)
{
    sign_slot(&b->pdh, 0, KEY.stranger);
    sev_cert_encode(&b->pdh, b->pdh_bytes);
}
CHANGE(pdh_unsigned)
{
    sev_cert_slot_clear(&b->pdh.sig[0]);
}
CHANGE(pdh_algo_ecdsa)
{
    b->pdh.pubkey_algo = SEV_ALGO_ECDSA_SHA256;
}
CHANGE(pdh_long)
{
    b->in.pdh.data = b->bundle; /* large enough */
    b->in.pdh.size = SEV_CERT_SIZE + 1;
}
CHANGE(pins_of_others)
{
    pin(b, &b->pdh, &b->policy.pek_pin);
    b->policy.cek_pin = b->in.ask;
    mint_part(&b->oca, SEV_USAGE_OCA, SEV_ALGO_ECDSA_SHA256, KEY.stranger);
    sev_cert_encode(&b->oca, b->bundle);
    b->policy.oca_pin =
        (struct verify_blob){.data = b->bundle, .size = SEV_CERT_SIZE};
}

/* ---- changes: report ---- */

CHANGE(report_short)
{
    b->in.report.size--;
}
CHANGE(report_nothing)
{
    b->in.report.size = 0;
}
CHANGE(report_zero)
{
    memset(b->report_bytes, 0, sizeof(b->report_bytes));
}
CHANGE(report_zero_expected)
{
    all_expected(b);
    report_zero(b);
}
CHANGE(report_reserved)
{
    b->report.reserved = 0x01000000;
}
CHANGE(report_policy_reserved)
{
    b->report.policy |= 0x8000;
}
CHANGE(report_r_tail)
{
    b->report_bytes[0x40 + 71] = 1;
}
CHANGE(report_s_tail)
{
    b->report_bytes[0x88 + 48] = 1;
}
CHANGE(report_usage)
{
    b->report.sig_usage = SEV_USAGE_CEK;
}
CHANGE(report_usage_empty)
{
    b->report.sig_usage = SEV_USAGE_NONE;
}
CHANGE(report_algo)
{
    b->report.sig_algo = SEV_ALGO_ECDSA_SHA384;
}
CHANGE(report_by_cek)
{
    b->report_key = KEY.cek;
}
CHANGE(report_by_pdh)
{
    b->report_key = KEY.pdh;
}
CHANGE(nonce_other)
{
    all_expected(b);
    b->mnonce[15] ^= 1;
}
CHANGE(digest_other)
{
    all_expected(b);
    b->policy.launch_digest_count = 1;
}
CHANGE(digest_received)
{
    memset(b->report.launch_digest, 0, SEV_DIGEST_SIZE);
    all_expected(b);
    b->digest[0][0] = b->digest[1][0] = 1;
}
CHANGE(policy_other)
{
    all_expected(b);
    b->expected_policy ^= SEV_POLICY_NODBG;
}
CHANGE(expected_without_report)
{
    all_expected(b);
    no_report(b);
}

/* ---- changes: measurement ---- */

/* abi/sev.md §11.2, the vector of sev-tool and virtee */
CHANGE(measured)
{
    static const uint8_t nothing[1];

    tst_hex("6faab2daae389bcd3405a05d6cafe33c0414f7bedd0bae19ba5f38b7fd1664ea"
            "4fbe0bedbad6c86ae8f68971d103e554",
            b->measure_bytes, SEV_MEASURE_BLOB_SIZE);
    b->in.measurement = (struct verify_blob){.data = b->measure_bytes,
                                             .size = SEV_MEASURE_BLOB_SIZE};
    tst_hex("66320db73158a35a255d051758e95ed4", b->measure.tik, 16);
    b->measure.api_minor = 18;
    b->measure.build = 15;
    b->policy.measure = &b->measure;
    b->policy.policy = &b->expected_policy;
    EVP_Digest(nothing, 0, b->digest[1], NULL, EVP_sha256(), NULL);
    b->policy.launch_digest = b->digest;
    b->policy.launch_digest_count = 2;
    no_report(b);
}
/* The vector of sevctl. */
CHANGE(measured_sevctl)
{
    measured(b);
    tst_hex("96cc1bc56c48f60724c9ad7a250bdd16da5898d3b86fede29c03e9aac828048e"
            "c313fab511c216b1505b1b2ea9903c40",
            b->measure_bytes, SEV_MEASURE_BLOB_SIZE);
    tst_hex("3569cf61a32a602b87185ac6e0f55913", b->measure.tik, 16);
    tst_hex("c64bd101fc9a4a2ce0a27c408d9200911f139a895469b04a40a6fa2890830d23",
            b->digest[0], SEV_DIGEST_SIZE);
    b->measure.api_major = 1;
    b->measure.api_minor = 40;
    b->measure.build = 40;
    b->expected_policy = 3;
}
CHANGE(measured_other_tik)
{
    measured(b);
    b->measure.tik[0] ^= 1;
}
CHANGE(measured_other_build)
{
    measured(b);
    b->measure.build++;
}
CHANGE(measured_old_api)
{
    measured(b);
    b->measure.api_minor = 16;
}
CHANGE(measured_other_policy)
{
    measured(b);
    b->expected_policy = 1;
}
CHANGE(measured_other_digest)
{
    measured(b);
    b->digest[1][31] ^= 1;
}
CHANGE(measured_other_nonce)
{
    measured(b);
    b->measure_bytes[47] ^= 1;
}
CHANGE(measured_short)
{
    measured(b);
    b->in.measurement.size--;
}
CHANGE(measured_no_tik)
{
    measured(b);
    b->policy.measure = NULL;
}
CHANGE(measured_no_policy)
{
    measured(b);
    b->policy.policy = NULL;
}
CHANGE(measured_no_digest)
{
    measured(b);
    b->policy.launch_digest_count = 0;
}
CHANGE(not_measured)
{
    measured(b);
    b->in.measurement = (struct verify_blob){0};
}

#define C(x) SEV_CHECK_##x
#define NONE                                                                   \
    {                                                                          \
        -1, 0, 0, 0                                                            \
    }
#define ONE(a)                                                                 \
    {                                                                          \
        C(a), -1, 0, 0                                                         \
    }
#define TWO(a, b)                                                              \
    {                                                                          \
        C(a), C(b), -1, 0                                                      \
    }
#define THREE(a, b, c)                                                         \
    {                                                                          \
        C(a), C(b), C(c), -1                                                   \
    }

static const struct verdict_case CASES[] = {
    {"sev__good__accepted", NULL, NULL, NONE, NULL},
    {"sev__no_report__chain_accepted", NULL, no_report, NONE, NULL},
    {"sev__no_pdh__accepted", NULL, no_pdh, NONE, NULL},
    {"sev__no_ark__trusted_one_taken", NULL, no_ark, NONE, NULL},
    {"sev__ask_ark_file_in_every_place__accepted", NULL, bundle_for_all, NONE,
     NULL},
    {"sev__ask_beside_the_root__taken", NULL, bundle_trusted_only, NONE, NULL},
    {"sev__signature_slots_swapped__accepted", slots_swapped, NULL, NONE, NULL},
    {"sev__cek_signed_in_slot_2__accepted", cek_signed_in_slot_2, NULL, NONE,
     NULL},
    {"sev__rsa_2048_sha256__accepted", naples_sizes, NULL, NONE, NULL},
    {"sev__rsa_2048_file_filled_to_3200__accepted", naples_sizes, bundle_filled,
     NONE, NULL},
    {"sev__filled_further__refused", naples_sizes, bundle_filled_too_far,
     ONE(ARK_ROOT), NULL},
    {"sev__filled_with_something__refused", naples_sizes,
     bundle_filled_with_more, ONE(ARK_ROOT), NULL},
    {"sev__oca_rsa_2048__accepted", oca_rsa_2048, NULL, NONE, NULL},
    {"sev__oca_rsa_4096__accepted", oca_rsa_4096, NULL, NONE, NULL},
    {"sev__oca_ecdsa_sha384__accepted", oca_ecdsa_sha384, NULL, NONE, NULL},
    {"sev__oca_of_sevctl_with_key_padding__accepted", oca_key_tail, NULL, NONE,
     NULL},
    {"sev__oca_without_api_version__accepted", api_zero, NULL, NONE, NULL},
    {"sev__everything_expected__accepted", all_expected, NULL, NONE, NULL},
    {"sev__policy_differs_outside_mask__accepted", policy_masked, NULL, NONE,
     NULL},
    {"sev__cek_pinned__accepted", cek_pinned, NULL, NONE, NULL},
    {"sev__pek_pinned__accepted", pek_pinned, NULL, NONE, NULL},
    {"sev__oca_pinned__accepted", oca_pinned, NULL, NONE, NULL},

    {"sev__no_root__refused", NULL, no_root, ONE(ARK_ROOT), "no root"},
    {"sev__root_cut__refused", NULL, root_junk, ONE(ARK_ROOT),
     "no certificate in AMD's format"},
    {"sev__root_with_tail__refused", NULL, root_with_tail, ONE(ARK_ROOT), NULL},
    {"sev__root_is_the_ask__refused", NULL, root_is_ask, ONE(ARK_ROOT),
     "has no ARK"},
    {"sev__root_of_same_name_other_key__refused", NULL, root_other_key,
     ONE(ARK_ROOT), "not the trusted one"},
    {"sev__ark_and_ask_swapped__refused", NULL, ark_ask_swapped,
     THREE(ARK_FORMAT, ARK_ROOT, ASK_FORMAT), "KEY_USAGE is 0x13 (ASK)"},
    {"sev__ark_version_2__refused", ark_version, NULL, ONE(ARK_FORMAT),
     "VERSION is 2"},
    {"sev__ark_reserved_byte__refused", ark_reserved, NULL, ONE(ARK_FORMAT),
     "reserved"},
    {"sev__ark_even_exponent__refused", ark_even_exponent, NULL,
     ONE(ARK_FORMAT), "no sound RSA key"},
    {"sev__ark_exponent_one__refused", ark_exponent_one, NULL, ONE(ARK_FORMAT),
     "no sound RSA key"},
    {"sev__ark_names_another_certifier__refused", ark_other_certifier, NULL,
     ONE(ARK_SIGNATURE), "CERTIFYING_ID"},
    {"sev__ark_signature_spoilt__refused", NULL, ark_signature,
     ONE(ARK_SIGNATURE), "not the ARK's"},
    {"sev__ark_not_self_signed__refused", ark_not_self_signed, NULL,
     TWO(ARK_SIGNATURE, ASK_SIGNATURE), "not the ARK's"},
    {"sev__no_ask__refused", NULL, no_ask, ONE(ASK_FORMAT), "was presented"},
    {"sev__ask_cut__refused", NULL, ask_short, ONE(ASK_FORMAT), NULL},
    {"sev__ask_usage__refused", ask_usage, NULL, ONE(ASK_FORMAT),
     "KEY_USAGE is 0x12"},
    {"sev__ask_names_another_certifier__refused", ask_other_certifier, NULL,
     ONE(ASK_SIGNATURE), "CERTIFYING_ID"},
    {"sev__ask_signed_by_other__refused", NULL, ask_signed_by_other,
     ONE(ASK_SIGNATURE), "not the ARK's"},
    {"sev__ask_of_other_size__refused", ask_2048, NULL, ONE(ASK_SIGNATURE),
     "2048 bits"},
    {"sev__other_product_expected__refused", product_other, NULL, ONE(PRODUCT),
     "for Milan, not for Rome"},

    {"sev__no_cek__refused", NULL, no_cek, ONE(CEK_FORMAT), "was presented"},
    {"sev__cek_cut__refused", NULL, cek_short, ONE(CEK_FORMAT), "2083 bytes"},
    {"sev__cek_as_exported__refused", cek_unsigned, NULL, ONE(CEK_SIGNATURE),
     "no signature slot names the ASK"},
    {"sev__cek_signed_by_other__refused", cek_by_other, NULL,
     ONE(CEK_SIGNATURE), "not the ASK's"},
    {"sev__cek_names_other_hash__refused", cek_wrong_hash, NULL,
     ONE(CEK_SIGNATURE), "algorithm is 0x1"},
    {"sev__cek_salt_of_32__refused", NULL, cek_salt_32, ONE(CEK_SIGNATURE),
     NULL},
    {"sev__cek_signed_with_sha256__refused", NULL, cek_signed_with_sha256,
     ONE(CEK_SIGNATURE), NULL},
    {"sev__cek_slot_2_usage_0x10__refused", cek_slot_2_usage_0010, NULL,
     ONE(CEK_FORMAT), "slot 2 names 0x10"},
    {"sev__bytes_behind_rsa_2048_signature__refused", cek_rsa_tail,
     cek_rsa_tail_after, ONE(CEK_SIGNATURE), "behind the signature"},

    {"sev__no_oca__refused", NULL, no_oca, ONE(OCA_FORMAT), "was presented"},
    {"sev__oca_not_self_signed__refused", NULL, oca_by_other,
     ONE(OCA_SIGNATURE), NULL},
    {"sev__oca_of_another_owner__refused", NULL, oca_another_owner,
     ONE(PEK_BY_OCA), NULL},
    {"sev__oca_rsa_1024__refused", oca_rsa_1024, NULL, ONE(OCA_FORMAT), NULL},
    {"sev__oca_rsa_padding__refused", oca_rsa_padding, NULL, ONE(OCA_FORMAT),
     "padding"},
    {"sev__oca_rsa_odd_bits__refused", oca_rsa_bits, NULL, ONE(OCA_FORMAT),
     "sizes"},

    {"sev__no_pek__refused", NULL, no_pek, ONE(PEK_FORMAT), "was presented"},
    {"sev__pek_without_cek_signature__refused", pek_without_cek, NULL,
     ONE(PEK_BY_CEK), "no signature slot names the CEK"},
    {"sev__pek_without_oca_signature__refused", pek_without_oca, NULL,
     ONE(PEK_BY_OCA), "no signature slot names the OCA"},
    {"sev__pek_signed_twice_by_oca__refused", pek_oca_twice, NULL,
     TWO(PEK_FORMAT, PEK_BY_CEK), "the same signer"},
    {"sev__pek_signed_by_another_chip__refused", NULL, pek_by_other_cek,
     ONE(PEK_BY_CEK), NULL},
    {"sev__pek_signed_by_another_owner__refused", NULL, pek_by_other_oca,
     ONE(PEK_BY_OCA), NULL},
    {"sev__pek_version_2__refused", pek_version, NULL, ONE(PEK_FORMAT),
     "VERSION is 2"},
    {"sev__pek_reserved_bytes__refused", pek_reserved, NULL, ONE(PEK_FORMAT),
     "reserved"},
    {"sev__pek_usage_pdh__refused", pek_usage, NULL, ONE(PEK_FORMAT),
     "PUBKEY_USAGE is 0x1003 (PDH)"},
    {"sev__pek_algo_ecdh__refused", pek_algo_ecdh, NULL, ONE(PEK_FORMAT),
     "PUBKEY_ALGO is 0x3"},
    {"sev__pek_algo_unknown__refused", pek_algo_unknown, NULL, ONE(PEK_FORMAT),
     "PUBKEY_ALGO is 0x4"},
    {"sev__pek_curve_p256__refused", pek_p256, NULL, ONE(PEK_FORMAT),
     "CURVE is 1"},
    {"sev__pek_curve_unknown__refused", pek_curve_unknown, NULL,
     ONE(PEK_FORMAT), "CURVE is 16777218"},
    {"sev__pek_off_curve__refused", pek_off_curve, NULL, ONE(PEK_FORMAT),
     "no point of P-384"},
    {"sev__pek_zero_point__refused", pek_zero_point, NULL, ONE(PEK_FORMAT),
     "no point of P-384"},
    {"sev__pek_x_above_p__refused", pek_x_above_p, NULL, ONE(PEK_FORMAT),
     "no point of P-384"},
    {"sev__pek_x_too_long__refused", pek_long_x, NULL, ONE(PEK_FORMAT),
     "coordinate"},
    {"sev__pek_y_too_long__refused", pek_long_y, NULL, ONE(PEK_FORMAT),
     "coordinate"},
    {"sev__pek_key_padding__refused", pek_key_tail, NULL, ONE(PEK_FORMAT),
     "behind the key"},
    {"sev__pek_signature_padding__refused", NULL, pek_signature_tail,
     ONE(PEK_FORMAT), "behind signature 2"},
    {"sev__pek_s_too_long__refused", NULL, pek_s_tail, ONE(PEK_BY_OCA), NULL},
    {"sev__pek_slot_algo_ecdh__refused", NULL, pek_slot_algo_ecdh,
     TWO(PEK_FORMAT, PEK_BY_CEK), "slot 2 has algorithm 0x3"},
    {"sev__pek_r_zero__refused", NULL, pek_r_zero, ONE(PEK_BY_CEK), NULL},
    {"sev__pek_s_zero__refused", NULL, pek_s_zero, ONE(PEK_BY_CEK), NULL},
    {"sev__pek_r_above_order__refused", NULL, pek_r_above_n, ONE(PEK_BY_CEK),
     NULL},
    {"sev__pek_slot_usage_emptied__refused", NULL, pek_usage_alone_empty,
     TWO(PEK_FORMAT, PEK_BY_CEK), "empty but not zero"},
    {"sev__pek_and_oca_swapped__refused", NULL, pek_oca_parts_swapped,
     THREE(OCA_FORMAT, PEK_FORMAT, PEK_BY_CEK), "PUBKEY_USAGE is 0x1002"},
    {"sev__pdh_in_place_of_pek__refused", NULL, pdh_as_pek,
     THREE(PEK_FORMAT, PEK_BY_CEK, PEK_BY_OCA), "PUBKEY_USAGE is 0x1003"},

    {"sev__pdh_signed_by_other__refused", NULL, pdh_by_other,
     ONE(PDH_SIGNATURE), NULL},
    {"sev__pdh_unsigned__refused", pdh_unsigned, NULL, ONE(PDH_SIGNATURE),
     NULL},
    {"sev__pdh_algo_ecdsa__refused", pdh_algo_ecdsa, NULL, ONE(PDH_FORMAT),
     "PUBKEY_ALGO is 0x2"},
    {"sev__pdh_too_long__refused", NULL, pdh_long, ONE(PDH_FORMAT),
     "2085 bytes"},
    {"sev__pins_of_others__refused", NULL, pins_of_others,
     THREE(CEK_PIN, PEK_PIN, OCA_PIN), "no CEK certificate"},

    {"sev__report_cut__refused", NULL, report_short, ONE(REPORT_FORMAT),
     "207 bytes"},
    {"sev__report_of_no_bytes__refused", NULL, report_nothing,
     ONE(REPORT_FORMAT), "0 bytes"},
    {"sev__report_of_zeros__named", NULL, report_zero, ONE(REPORT_EMPTY),
     "all 208 bytes are zero"},
    {"sev__report_of_zeros_and_expectations__named", NULL, report_zero_expected,
     ONE(REPORT_EMPTY), "all 208 bytes are zero"},
    {"sev__report_reserved__refused", report_reserved, NULL, ONE(REPORT_FORMAT),
     "0x3c"},
    {"sev__report_policy_reserved_bit__refused", report_policy_reserved, NULL,
     ONE(REPORT_FORMAT), "POLICY"},
    {"sev__report_r_too_long__refused", NULL, report_r_tail,
     TWO(REPORT_FORMAT, REPORT_SIGNATURE), "behind R or S"},
    {"sev__report_s_too_long__refused", NULL, report_s_tail,
     TWO(REPORT_FORMAT, REPORT_SIGNATURE), "behind R or S"},
    {"sev__report_sig_usage_cek__refused", report_usage, NULL,
     ONE(REPORT_SIGNER), "0x1004 (CEK)"},
    {"sev__report_sig_usage_empty__refused", report_usage_empty, NULL,
     ONE(REPORT_SIGNER), "0x1000"},
    {"sev__report_sig_algo_sha384__refused", report_algo, NULL,
     ONE(REPORT_SIGNER), "SIG_ALGO is 0x102"},
    {"sev__report_signed_by_cek__refused", report_by_cek, NULL,
     ONE(REPORT_SIGNATURE), "not the PEK's"},
    {"sev__report_signed_by_pdh__refused", report_by_pdh, NULL,
     ONE(REPORT_SIGNATURE), "not the PEK's"},
    {"sev__mnonce_other__refused", nonce_other, NULL, ONE(MNONCE), "MNONCE"},
    {"sev__launch_digest_other__refused", digest_other, NULL,
     ONE(LAUNCH_DIGEST), "none of those"},
    {"sev__launch_digest_of_received_guest__named", digest_received, NULL,
     ONE(LAUNCH_DIGEST), "received"},
    {"sev__policy_other__refused", policy_other, NULL, ONE(POLICY),
     "POLICY is 0x"},
    {"sev__expectations_without_report__refused", NULL, expected_without_report,
     THREE(MNONCE, LAUNCH_DIGEST, POLICY), "no report was presented"},

    {"sev__measurement_of_sev_tool__accepted", NULL, measured, NONE, NULL},
    {"sev__measurement_of_sevctl__accepted", NULL, measured_sevctl, NONE, NULL},
    {"sev__measurement_other_tik__refused", NULL, measured_other_tik,
     ONE(MEASUREMENT), "HMAC"},
    {"sev__measurement_other_build__refused", NULL, measured_other_build,
     ONE(MEASUREMENT), "HMAC"},
    {"sev__measurement_before_api_0_17__refused", NULL, measured_old_api,
     ONE(MEASUREMENT), "HMAC"},
    {"sev__measurement_other_policy__refused", NULL, measured_other_policy,
     ONE(MEASUREMENT), "HMAC"},
    {"sev__measurement_other_digest__refused", NULL, measured_other_digest,
     ONE(MEASUREMENT), "HMAC"},
    {"sev__measurement_other_nonce__refused", NULL, measured_other_nonce,
     ONE(MEASUREMENT), "HMAC"},
    {"sev__measurement_cut__refused", NULL, measured_short, ONE(MEASUREMENT),
     "47 bytes"},
    {"sev__measurement_without_tik__refused", NULL, measured_no_tik,
     ONE(MEASUREMENT), "without the TIK"},
    {"sev__measurement_without_policy__refused", NULL, measured_no_policy,
     ONE(MEASUREMENT), "without the guest policy"},
    {"sev__measurement_without_digest__refused", NULL, measured_no_digest,
     ONE(MEASUREMENT), "without a launch digest"},
    {"sev__measurement_missing__refused", NULL, not_measured,
     THREE(MEASUREMENT, LAUNCH_DIGEST, POLICY), "was presented"},
};

/* ---- more ---- */

/* Before API 0.17 the version is no part of the HMAC. */
static void sev__measurement_of_api_0_16__shorter(void **state)
{
    struct sev_bench *b = calloc(1, sizeof(*b));
    uint8_t msg[4 + 32 + 16] = {0};

    (void)state;
    bench_init(b);
    build(b);
    measured(b);
    b->measure.api_minor = 16;
    memcpy(msg + 4, b->digest[1], 32);
    memcpy(msg + 36, b->measure_bytes + 32, 16);
    assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL,
                              b->measure.tik, 16, msg, sizeof(msg),
                              b->measure_bytes, 32, NULL));
    verify_sev(&b->in, &b->policy, &b->result);
    assert_int_equal(b->result.line[SEV_CHECK_MEASUREMENT].verdict,
                     VERIFY_PASS);
    free(b);
}

static void known_point(uint8_t x[SEV_EC_SIZE], uint8_t y[SEV_EC_SIZE],
                        BN_ULONG d)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_secp384r1);
    EC_POINT *point = EC_POINT_new(group);
    BIGNUM *n = BN_new();
    BIGNUM *xn = BN_new();
    BIGNUM *yn = BN_new();

    BN_set_word(n, d);
    assert_int_equal(EC_POINT_mul(group, point, n, NULL, NULL, NULL), 1);
    assert_int_equal(
        EC_POINT_get_affine_coordinates(group, point, xn, yn, NULL), 1);
    BN_bn2binpad(xn, x, SEV_EC_SIZE);
    BN_bn2binpad(yn, y, SEV_EC_SIZE);
    BN_free(n);
    BN_free(xn);
    BN_free(yn);
    EC_POINT_free(point);
    EC_GROUP_free(group);
}

/* abi/sev.md §11.3: made by another library, PEK d = 9. */
static void sev__report_of_the_known_answer__signature_holds(void **state)
{
    struct sev_bench *b = calloc(1, sizeof(*b));
    uint8_t be[SEV_EC_SIZE], x[SEV_EC_SIZE], y[SEV_EC_SIZE];
    uint8_t hash[32];

    (void)state;
    bench_init(b);
    known_point(x, y, 9);
    sev_cert_set_ec(&b->pek, SEV_CURVE_P384, x, y);
    b->report_key = NULL;
    for (uint8_t i = 0; i < 16; i++) {
        b->report.mnonce[i] = i;
    }
    tst_hex("630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd",
            b->report.launch_digest, 32);
    b->report.policy = 1;
    tst_hex("099056e27da7b998da1eeec2904816c57fe935ed5837c37456c9fd14892d3f8c"
            "4749b66e3afb81d626356f3b55b4ddd8",
            be, sizeof(be));
    sev_number_set(b->report.r, be);
    tst_hex("f08d5e5c3843694e83eac3595ec69e44846640d4a6b8a04c868d8aa2121fa5f2"
            "06d36a3ea757407d855938aeb124f1ec",
            be, sizeof(be));
    sev_number_set(b->report.s, be);
    build(b);
    EVP_Digest(b->report_bytes, SEV_REPORT_SIZE, hash, NULL, EVP_sha256(),
               NULL);
    assert_hex_equal(
        hash,
        "0daa632271194d519639a04dcf465b53bfc2521550daa0dede8026c34aa7423d", 32);
    no_pdh(b);
    verify_sev(&b->in, &b->policy, &b->result);
    assert_true(b->result.ok);
    assert_int_equal(b->result.line[SEV_CHECK_REPORT_SIGNATURE].verdict,
                     VERIFY_PASS);
    free(b);
}

/* A report byte that the signature covers, or the signature, or the three words
 * between them: each change is refused. */
static void sev__any_report_byte_changed__refused(void **state)
{
    struct sev_bench *b = calloc(1, sizeof(*b));

    (void)state;
    bench_init(b);
    build(b);
    for (size_t i = 0; i < SEV_REPORT_SIZE; i++) {
        b->report_bytes[i] ^= (uint8_t)(1u << i % 8);
        verify_sev(&b->in, &b->policy, &b->result);
        assert_false(b->result.ok);
        if (i < SEV_REPORT_SIGNED_SIZE) {
            assert_int_equal(b->result.line[SEV_CHECK_REPORT_SIGNATURE].verdict,
                             VERIFY_FAIL);
        }
        b->report_bytes[i] ^= (uint8_t)(1u << i % 8);
    }
    verify_sev(&b->in, &b->policy, &b->result);
    assert_true(b->result.ok);
    free(b);
}

static void sev__any_measurement_byte_changed__refused(void **state)
{
    struct sev_bench *b = calloc(1, sizeof(*b));

    (void)state;
    bench_init(b);
    build(b);
    measured(b);
    for (size_t i = 0; i < SEV_MEASURE_BLOB_SIZE; i++) {
        b->measure_bytes[i] ^= (uint8_t)(1u << i % 8);
        verify_sev(&b->in, &b->policy, &b->result);
        assert_int_equal(b->result.line[SEV_CHECK_MEASUREMENT].verdict,
                         VERIFY_FAIL);
        assert_false(b->result.ok);
        b->measure_bytes[i] ^= (uint8_t)(1u << i % 8);
    }
    free(b);
}

static void sev__nothing_presented__verdicts(void **state)
{
    const struct sev_verify_input in = {.ark = {0}};
    const struct sev_verify_policy policy = {.policy_mask = UINT32_MAX};
    struct sev_verify_result result;

    (void)state;
    verify_sev(&in, &policy, &result);
    assert_false(result.ok);
    assert_int_equal(result.product, PSP_GENERATION_COUNT);
    assert_int_equal(result.line[SEV_CHECK_ARK_ROOT].verdict, VERIFY_FAIL);
    assert_int_equal(result.line[SEV_CHECK_PEK_FORMAT].verdict, VERIFY_FAIL);
    assert_int_equal(result.line[SEV_CHECK_REPORT_FORMAT].verdict,
                     VERIFY_SKIPPED);
}

static void sev__key_id_of_the_simulator__told(void **state)
{
    struct sev_bench *b = calloc(1, sizeof(*b));

    (void)state;
    bench_init(b);
    memcpy(b->ark.key_id + 8, "SIMULATE", 8);
    memcpy(b->ark.certifying_id, b->ark.key_id, 16);
    memcpy(b->ask.certifying_id, b->ark.key_id, 16);
    build(b);
    verify_sev(&b->in, &b->policy, &b->result);
    assert_true(b->result.ok);
    assert_true(b->result.simulated);
    assert_int_equal(b->result.product, PSP_MILAN);
    free(b);
}

static void sev__evidence_of_rats_tls__split(void **state)
{
    struct sev_bench *b = calloc(1, sizeof(*b));
    uint8_t *all = calloc(1, SEV_EVIDENCE_SIZE + 1);
    struct sev_verify_input in = {.ark = {0}};
    enum psp_generation product;

    (void)state;
    bench_init(b);
    build(b);
    memcpy(all, b->report_bytes, SEV_REPORT_SIZE);
    memcpy(all + SEV_REPORT_SIZE, b->cek_bytes, SEV_CERT_SIZE);
    memcpy(all + SEV_REPORT_SIZE + SEV_CERT_SIZE, b->pek_bytes, SEV_CERT_SIZE);
    memcpy(all + SEV_REPORT_SIZE + 2 * SEV_CERT_SIZE, b->oca_bytes,
           SEV_CERT_SIZE);
    all[SEV_EVIDENCE_SIZE] = 2;
    assert_true(sev_split_evidence(all, SEV_EVIDENCE_SIZE + 1, &in, &product));
    assert_int_equal(product, PSP_MILAN);
    bundle(b, &in.trusted_ark);
    b->policy.product = &product;
    verify_sev(&in, &b->policy, &b->result);
    assert_true(b->result.ok);
    assert_int_equal(b->result.line[SEV_CHECK_REPORT_SIGNATURE].verdict,
                     VERIFY_PASS);
    all[SEV_EVIDENCE_SIZE] = 3;
    assert_true(sev_split_evidence(all, SEV_EVIDENCE_SIZE + 1, &in, &product));
    assert_int_equal(product, PSP_GENERATION_COUNT);
    assert_true(sev_split_evidence(all, SEV_EVIDENCE_SIZE, &in, &product));
    assert_int_equal(product, PSP_GENERATION_COUNT);
    assert_false(sev_split_evidence(all, SEV_EVIDENCE_SIZE - 1, &in, &product));
    free(all);
    free(b);
}

static uint32_t next(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

/* Any bytes of any size in any place: verdicts, and never acceptance. */
static void sev__junk__never_accepted(void **state)
{
    struct sev_bench *b = calloc(1, sizeof(*b));
    uint32_t seed = 0x5e5e5e;

    (void)state;
    bench_init(b);
    build(b);
    measured(b);
    for (size_t round = 0; round < 300; round++) {
        struct sev_verify_input in = b->in;
        struct verify_blob *slot[] = {&in.ark,    &in.ask,        &in.cek,
                                      &in.oca,    &in.pek,        &in.pdh,
                                      &in.report, &in.measurement};
        struct verify_blob *v = slot[next(&seed) % 8];
        size_t size = next(&seed) % 3 == 0 ? next(&seed) % 4000 : v->size;
        uint8_t *bytes = calloc(1, size + 1);
        uint8_t *exact;

        if (v->data != NULL && next(&seed) % 4 != 0) {
            memcpy(bytes, v->data, v->size < size ? v->size : size);
        }
        for (uint32_t k = 1 + next(&seed) % 8; k > 0 && size > 0; k--) {
            size_t at = next(&seed) % 2 == 0 ? next(&seed) % size
                                             : next(&seed) % 64 % size;

            bytes[at] ^= (uint8_t)(1 + next(&seed) % 255);
        }
        if (size == v->size && v->data != NULL &&
            memcmp(bytes, v->data, size) == 0) {
            free(bytes); /* two changes have undone each other */
            continue;
        }
        exact = tst_dup(bytes, size);
        *v = (struct verify_blob){.data = exact, .size = size};
        verify_sev(&in, &b->policy, &b->result);
        assert_false(b->result.ok);
        free(exact);
        free(bytes);
    }
    free(b);
}

static int setup(void **state)
{
    (void)state;
    KEY.ark = mint_key_file(KEY_FILE("ark"));
    KEY.ask = mint_key_file(KEY_FILE("ask"));
    KEY.other = mint_key_file(KEY_FILE("other"));
    KEY.small = mint_key_file(KEY_FILE("small"));
    KEY.cek = mint_ec_key("P-384");
    KEY.oca = mint_ec_key("P-384");
    KEY.pek = mint_ec_key("P-384");
    KEY.pdh = mint_ec_key("P-384");
    KEY.stranger = mint_ec_key("P-384");
    return 0;
}

static int teardown(void **state)
{
    EVP_PKEY *all[] = {KEY.ark, KEY.ask, KEY.other, KEY.small,   KEY.cek,
                       KEY.oca, KEY.pek, KEY.pdh,   KEY.stranger};

    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        EVP_PKEY_free(all[i]);
    }
    return 0;
}

#define CASE_COUNT (sizeof(CASES) / sizeof(CASES[0]))

int main(void)
{
    static const struct CMUnitTest more[] = {
        cmocka_unit_test(sev__measurement_of_api_0_16__shorter),
        cmocka_unit_test(sev__report_of_the_known_answer__signature_holds),
        cmocka_unit_test(sev__any_report_byte_changed__refused),
        cmocka_unit_test(sev__any_measurement_byte_changed__refused),
        cmocka_unit_test(sev__nothing_presented__verdicts),
        cmocka_unit_test(sev__key_id_of_the_simulator__told),
        cmocka_unit_test(sev__evidence_of_rats_tls__split),
        cmocka_unit_test(sev__junk__never_accepted),
    };
    struct CMUnitTest tests[CASE_COUNT + sizeof(more) / sizeof(more[0])];

    for (size_t i = 0; i < CASE_COUNT; i++) {
        tests[i] = (struct CMUnitTest){CASES[i].name, test_verdict, NULL, NULL,
                                       (void *)(uintptr_t)&CASES[i]};
    }
    memcpy(tests + CASE_COUNT, more, sizeof(more));
    return cmocka_run_group_tests_name("test_sev_verify", tests, setup,
                                       teardown);
}
