/* SPDX-License-Identifier: Apache-2.0 */
/* Legacy chains of genuine machines under AMD's roots, whole and damaged. */
#include "tst.h"

#include "sev_check.h"
#include "sev_verifier.h"

#define CHAIN_MAX (4u * SEV_CERT_SIZE + 2u * SEV_AMD_CERT_MAX_SIZE)

static const struct chain_case {
    const char *name; /* of the folder, and the CAs' prefix */
    enum psp_generation product;
} CHAINS[] = {{"naples", PSP_NAPLES}, {"rome", PSP_ROME}};

struct chain {
    struct sev_verify_input in;              /* explicit parts, ask and ark */
    uint8_t root[2 * SEV_AMD_CERT_MAX_SIZE]; /* ASK, ARK */
    size_t root_size;
};

static const uint8_t *load(const char *folder, const char *chip,
                           const char *name, size_t *size)
{
    char path[64];
    const char *full;

    snprintf(path, sizeof(path), "%s%s%s", folder, chip, name);
    full = tst_shared(path);
    return full != NULL ? tst_file(full, size) : NULL;
}

static bool blob(struct verify_blob *out, const char *folder, const char *chip,
                 const char *name)
{
    out->data = load(folder, chip, name, &out->size);
    return out->data != NULL;
}

/* False: the real data is not there. */
static bool load_chain(const char *chip, struct chain *c)
{
    memset(c, 0, sizeof(*c));
    if (!blob(&c->in.cek, "sev/", chip, "/cek.cert")) {
        return false;
    }
    assert_true(blob(&c->in.pek, "sev/", chip, "/pek.cert") &&
                blob(&c->in.oca, "sev/", chip, "/oca.cert") &&
                blob(&c->in.pdh, "sev/", chip, "/pdh.cert") &&
                blob(&c->in.ask, "amd-ca/", chip, "-ask.sevcert") &&
                blob(&c->in.ark, "amd-ca/", chip, "-ark.sevcert"));
    memcpy(c->root, c->in.ask.data, c->in.ask.size);
    memcpy(c->root + c->in.ask.size, c->in.ark.data, c->in.ark.size);
    c->root_size = c->in.ask.size + c->in.ark.size;
    c->in.trusted_ark = c->in.ark;
    return true;
}

static void drop(const struct verify_blob *b)
{
    free((void *)(uintptr_t)b->data);
}

static void unload(struct chain *c)
{
    drop(&c->in.cek);
    drop(&c->in.pek);
    drop(&c->in.oca);
    drop(&c->in.pdh);
    drop(&c->in.ask);
    drop(&c->in.ark);
}

static bool judge(const struct sev_verify_input *in,
                  struct sev_verify_result *result)
{
    const struct sev_verify_policy policy = {.policy_mask = UINT32_MAX};

    verify_sev(in, &policy, result);
    return result->ok;
}

static void expect_chain_accepted(const struct sev_verify_input *in,
                                  enum psp_generation product)
{
    struct sev_verify_result result;

    if (!judge(in, &result)) {
        for (enum sev_check c = 0; c < SEV_CHECK_COUNT; c++) {
            print_message("%s %s: %s\n",
                          verify_verdict_name(result.line[c].verdict),
                          sev_check_name(c), result.line[c].reason);
        }
        fail_msg("refused");
    }
    for (enum sev_check c = 0; c < SEV_CHECK_COUNT; c++) {
        bool asked = c != SEV_CHECK_PRODUCT && c <= SEV_CHECK_PDH_SIGNATURE;

        assert_int_equal(result.line[c].verdict,
                         asked ? VERIFY_PASS : VERIFY_SKIPPED);
    }
    assert_int_equal(result.product, product);
    assert_false(result.simulated);
}

static void real__explicit_files__accepted(void **state)
{
    const struct chain_case *k = *state;
    struct chain c;

    if (!load_chain(k->name, &c)) {
        skip();
        return;
    }
    expect_chain_accepted(&c.in, k->product);
    unload(&c);
}

/* Three certificates, four, and all six; the root from an ask_ark file, which
 * gives the ASK as well. */
static void real__chain_files__accepted(void **state)
{
    const struct chain_case *k = *state;
    uint8_t all[CHAIN_MAX];
    const uint8_t *three = all + SEV_CERT_SIZE;
    struct chain c;

    if (!load_chain(k->name, &c)) {
        skip();
        return;
    }
    memcpy(all, c.in.pdh.data, SEV_CERT_SIZE);
    memcpy(all + 1 * SEV_CERT_SIZE, c.in.pek.data, SEV_CERT_SIZE);
    memcpy(all + 2 * SEV_CERT_SIZE, c.in.oca.data, SEV_CERT_SIZE);
    memcpy(all + 3 * SEV_CERT_SIZE, c.in.cek.data, SEV_CERT_SIZE);
    memcpy(all + 4 * SEV_CERT_SIZE, c.root, c.root_size);
    for (size_t i = 0; i < 3; i++) {
        struct sev_verify_input in = {
            .trusted_ark = {.data = c.root, .size = c.root_size}};
        size_t size = (i == 0 ? 3 : 4) * (size_t)SEV_CERT_SIZE;

        size += i == 2 ? c.root_size : 0;
        assert_true(sev_split_chain(i == 0 ? three : all, size, &in));
        if (i == 0) {
            assert_null(in.pdh.data);
            in.pdh = c.in.pdh;
        }
        assert_int_equal(in.ask.data != NULL, i == 2);
        expect_chain_accepted(&in, k->product);
        assert_false(sev_split_chain(all, size - 1, &in));
        assert_false(sev_split_chain(all, size + 1, &in));
    }
    unload(&c);
}

/* Among all products' certificates the right ones are found. */
static void real__bundle_of_roots__accepted(void **state)
{
    static const char *const product[] = {"naples", "rome", "milan", "genoa",
                                          "turin"};
    const struct chain_case *k = *state;
    uint8_t *bundle = calloc(10, SEV_AMD_CERT_MAX_SIZE);
    struct verify_blob b = {.data = bundle};
    struct chain c;

    if (!load_chain(k->name, &c)) {
        free(bundle);
        skip();
        return;
    }
    for (size_t i = 0; i < 10; i++) {
        struct verify_blob one;

        assert_true(blob(&one, "amd-ca/", product[i / 2],
                         i % 2 == 0 ? "-ask.sevcert" : "-ark.sevcert"));
        memcpy(bundle + b.size, one.data, one.size);
        b.size += one.size;
        drop(&one);
    }
    drop(&c.in.ask);
    drop(&c.in.ark);
    c.in.ask = c.in.ark = (struct verify_blob){0};
    c.in.trusted_ark = b;
    expect_chain_accepted(&c.in, k->product);
    unload(&c);
    free(bundle);
}

static void real__other_products_root__ark_root(void **state)
{
    const struct chain_case *k = *state;
    struct sev_verify_result result;
    struct verify_blob other;
    struct chain c;

    if (!load_chain(k->name, &c)) {
        skip();
        return;
    }
    assert_true(blob(&other, "amd-ca/", "milan", "-ark.sevcert"));
    c.in.trusted_ark = other;
    assert_false(judge(&c.in, &result));
    for (enum sev_check i = 0; i < SEV_CHECK_COUNT; i++) {
        assert_int_equal(result.line[i].verdict == VERIFY_FAIL,
                         i == SEV_CHECK_ARK_ROOT);
    }
    drop(&other);
    unload(&c);
}

static void real__cas_of_every_product__signatures_hold(void **state)
{
    static const char *const product[] = {"naples", "rome", "milan", "genoa",
                                          "turin"};

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        struct sev_verify_input in = {.ask = {0}};
        struct sev_verify_result result;

        if (!blob(&in.ask, "amd-ca/", product[i], "-ask.sevcert")) {
            skip();
            return;
        }
        assert_true(blob(&in.ark, "amd-ca/", product[i], "-ark.sevcert"));
        in.trusted_ark = in.ark;
        assert_false(judge(&in, &result));
        for (enum sev_check c = 0; c <= SEV_CHECK_ASK_SIGNATURE; c++) {
            assert_int_equal(result.line[c].verdict, VERIFY_PASS);
        }
        assert_string_equal(psp_generation_name(result.product) + 1,
                            product[i] + 1);
        drop(&in.ask);
        drop(&in.ark);
    }
}

/* ---- damage: every byte, against the one signature that covers it ---- */

static struct sev_part part_of(const struct verify_blob *b, enum sev_role role)
{
    struct sev_part p = {.blob = b};
    char why[SEV_WHY_SIZE];

    assert_int_equal(sev_cert_decode(b->data, b->size, &p.cert), PSP_OK);
    assert_true(sev_part_check(&p.cert, role, &p.key, &p.rsa_size, why));
    return p;
}

static bool format_ok(const struct sev_cert *cert, enum sev_role role)
{
    EVP_PKEY *key = NULL;
    uint32_t rsa_size = 0;
    char why[SEV_WHY_SIZE];
    bool ok = sev_part_check(cert, role, &key, &rsa_size, why);

    EVP_PKEY_free(key);
    return ok;
}

/* Signed bytes must break the signature by themselves; in the slot of this
 * signer format or signature must say no; other bytes are others' matter. */
static void every_byte(const struct verify_blob *b, enum sev_role role,
                       const struct sev_signer *signer)
{
    uint8_t bytes[SEV_CERT_SIZE];
    struct sev_cert cert;
    char why[SEV_WHY_SIZE];

    memcpy(bytes, b->data, sizeof(bytes));
    assert_int_equal(sev_cert_decode(bytes, sizeof(bytes), &cert), PSP_OK);
    assert_true(sev_signed_by(bytes, &cert, signer, why));
    for (size_t i = 0; i < SEV_CERT_SIZE; i++) {
        size_t slot = i < SEV_CERT_BODY_SIZE                           ? 2
                      : i < SEV_CERT_BODY_SIZE + 8 + SEV_CERT_SIG_SIZE ? 0
                                                                       : 1;
        bool mine = slot < 2 && cert.sig[slot].usage == signer->usage;
        struct sev_cert spoilt;

        if (slot < 2 && !mine && cert.sig[slot].usage != SEV_USAGE_NONE) {
            continue;
        }
        bytes[i] ^= (uint8_t)(1u << i % 8);
        assert_int_equal(sev_cert_decode(bytes, sizeof(bytes), &spoilt),
                         PSP_OK);
        if (slot == 2 ? sev_signed_by(bytes, &spoilt, signer, why)
                      : format_ok(&spoilt, role) &&
                            sev_signed_by(bytes, &spoilt, signer, why)) {
            fail_msg("byte 0x%zx of the %s may change", i, sev_role_name(role));
        }
        bytes[i] = b->data[i];
    }
}

static void every_ca_byte(const struct verify_blob *b, uint32_t usage,
                          const struct sev_signer *signer)
{
    uint8_t *bytes = tst_dup(b->data, b->size);
    char why[SEV_WHY_SIZE];

    for (size_t i = 0; i < b->size; i++) {
        struct sev_amd_cert cert;
        EVP_PKEY *key = NULL;
        size_t used = 0;

        bytes[i] ^= (uint8_t)(1u << i % 8);
        if (sev_amd_cert_decode(bytes, b->size, &cert, &used) == PSP_OK &&
            sev_ca_signed_by(bytes, &cert, signer, why) && used == b->size &&
            sev_ca_check(&cert, usage, &key, why)) {
            fail_msg("byte 0x%zx of the %s may change", i,
                     sev_usage_name(usage));
        }
        EVP_PKEY_free(key);
        bytes[i] = b->data[i];
    }
    free(bytes);
}

static struct sev_ca ca_of(const struct verify_blob *b)
{
    struct sev_ca ca = {.data = b->data, .size = b->size, .usable = true};
    size_t used = 0;
    char why[SEV_WHY_SIZE];

    assert_int_equal(sev_amd_cert_decode(b->data, b->size, &ca.cert, &used),
                     PSP_OK);
    assert_int_equal(used, b->size);
    assert_true(sev_ca_check(&ca.cert, ca.cert.key_usage, &ca.key, why));
    return ca;
}

static void real__any_byte_of_ark_or_ask_changed__refused(void **state)
{
    const struct chain_case *k = *state;
    struct sev_signer signer;
    struct sev_ca ark;
    struct chain c;

    if (!load_chain(k->name, &c)) {
        skip();
        return;
    }
    ark = ca_of(&c.in.ark);
    signer = sev_signer_ca(&ark);
    every_ca_byte(&c.in.ark, SEV_USAGE_ARK, &signer);
    every_ca_byte(&c.in.ask, SEV_USAGE_ASK, &signer);
    EVP_PKEY_free(ark.key);
    unload(&c);
}

static void real__any_byte_of_cek_changed__refused(void **state)
{
    const struct chain_case *k = *state;
    struct sev_signer signer;
    struct sev_ca ask;
    struct chain c;

    if (!load_chain(k->name, &c)) {
        skip();
        return;
    }
    ask = ca_of(&c.in.ask);
    signer = sev_signer_ca(&ask);
    every_byte(&c.in.cek, SEV_ROLE_CEK, &signer);
    EVP_PKEY_free(ask.key);
    unload(&c);
}

static void by_part(const struct chain_case *k, enum sev_role role,
                    enum sev_role by)
{
    const struct verify_blob *blob_of[SEV_ROLE_COUNT];
    struct sev_signer signer;
    struct sev_part part;
    struct chain c;

    if (!load_chain(k->name, &c)) {
        skip();
        return;
    }
    blob_of[SEV_ROLE_CEK] = &c.in.cek;
    blob_of[SEV_ROLE_OCA] = &c.in.oca;
    blob_of[SEV_ROLE_PEK] = &c.in.pek;
    blob_of[SEV_ROLE_PDH] = &c.in.pdh;
    part = part_of(blob_of[by], by);
    signer = sev_signer_part(&part);
    every_byte(blob_of[role], role, &signer);
    EVP_PKEY_free(part.key);
    unload(&c);
}

static void real__any_byte_of_oca_changed__refused(void **state)
{
    by_part(*state, SEV_ROLE_OCA, SEV_ROLE_OCA);
}
static void real__any_byte_of_pek_changed__refused_under_cek(void **state)
{
    by_part(*state, SEV_ROLE_PEK, SEV_ROLE_CEK);
}
static void real__any_byte_of_pek_changed__refused_under_oca(void **state)
{
    by_part(*state, SEV_ROLE_PEK, SEV_ROLE_OCA);
}
static void real__any_byte_of_pdh_changed__refused(void **state)
{
    by_part(*state, SEV_ROLE_PDH, SEV_ROLE_PEK);
}

/* The whole verifier says no as well, wherever the damage is. */
static void real__spoilt_anywhere__rejected(void **state)
{
    const struct chain_case *k = *state;
    struct sev_verify_result result;
    struct chain c;

    if (!load_chain(k->name, &c)) {
        skip();
        return;
    }
    for (size_t i = 0; i < 5 * (size_t)SEV_CERT_SIZE; i += 61) {
        struct verify_blob *slot[] = {&c.in.cek, &c.in.oca, &c.in.pek,
                                      &c.in.pdh, &c.in.ask};
        struct verify_blob *b = slot[i / SEV_CERT_SIZE];
        size_t at = i % SEV_CERT_SIZE;
        struct verify_blob good = *b;
        uint8_t *bad = tst_dup(b->data, b->size);

        bad[at < b->size ? at : 0] ^= 0x10;
        b->data = bad;
        assert_false(judge(&c.in, &result));
        *b = good;
        free(bad);
    }
    assert_true(judge(&c.in, &result));
    unload(&c);
}

#define CHAIN_TESTS(name)                                                      \
    {#name " naples", name, NULL, NULL, (void *)(uintptr_t)&CHAINS[0]},        \
    {                                                                          \
#name " rome", name, NULL, NULL, (void *)(uintptr_t)&CHAINS[1]         \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHAIN_TESTS(real__explicit_files__accepted),
        CHAIN_TESTS(real__chain_files__accepted),
        CHAIN_TESTS(real__bundle_of_roots__accepted),
        CHAIN_TESTS(real__other_products_root__ark_root),
        cmocka_unit_test(real__cas_of_every_product__signatures_hold),
        CHAIN_TESTS(real__any_byte_of_ark_or_ask_changed__refused),
        CHAIN_TESTS(real__any_byte_of_cek_changed__refused),
        CHAIN_TESTS(real__any_byte_of_oca_changed__refused),
        CHAIN_TESTS(real__any_byte_of_pek_changed__refused_under_cek),
        CHAIN_TESTS(real__any_byte_of_pek_changed__refused_under_oca),
        CHAIN_TESTS(real__any_byte_of_pdh_changed__refused),
        CHAIN_TESTS(real__spoilt_anywhere__rejected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
