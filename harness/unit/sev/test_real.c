/* SPDX-License-Identifier: Apache-2.0 */
/* Chains of real Naples and Rome machines up to AMD's roots, through the
 * firmware's own validation: accepted as they are, and refused when any byte
 * that a signature covers is changed. abi/sev.md §5.4, §5.5, §11.4 */
#include "sev_host.h"

#include "sev_internal.h"

#define AMD_MAX 3200u

struct chain {
    const char *product;
    uint8_t pdh[SEV_CERT_SIZE];
    uint8_t pek[SEV_CERT_SIZE];
    uint8_t oca[SEV_CERT_SIZE];
    uint8_t cek[SEV_CERT_SIZE];
    uint8_t amd[AMD_MAX]; /* ASK, ARK */
    size_t amd_size;
    struct psp_sev_config config; /* trusts the real ARK */
};

static bool get(const char *format, const char *product, const char *name,
                uint8_t *out, size_t *size)
{
    char path[100];
    const char *found;
    uint8_t *data;

    snprintf(path, sizeof(path), format, product, name);
    found = tst_shared(path);
    if (found == NULL) {
        return false;
    }
    data = tst_file(found, size);
    memcpy(out, data, *size);
    free(data);
    return true;
}

static void load(struct chain *c, const char *product)
{
    struct sev_amd_cert ark;
    size_t n, ask, used;

    memset(c, 0, sizeof(*c));
    c->product = product;
    if (!get("sev/%s/%s.cert", product, "pdh", c->pdh, &n) ||
        !get("sev/%s/%s.cert", product, "pek", c->pek, &n) ||
        !get("sev/%s/%s.cert", product, "oca", c->oca, &n) ||
        !get("sev/%s/%s.cert", product, "cek", c->cek, &n) ||
        !get("amd-ca/%s-%s.sevcert", product, "ask", c->amd, &ask) ||
        !get("amd-ca/%s-%s.sevcert", product, "ark", c->amd + ask, &n)) {
        skip();
    }
    c->amd_size = ask + n;
    assert_int_equal(sev_amd_cert_decode(c->amd + ask, n, &ark, &used), PSP_OK);
    c->config.root_count = 1;
    pki_sev_root_of(&ark, &c->config.roots[0]);
}

static struct sev_cert cert(const uint8_t *bytes)
{
    struct sev_cert c;

    assert_int_equal(sev_cert_decode(bytes, SEV_CERT_SIZE, &c), PSP_OK);
    return c;
}

static enum sev_status by(const uint8_t *subject, const uint8_t *signer)
{
    struct sev_cert s = cert(subject), k = cert(signer);

    return sev_cert_check(&s, &k);
}

static enum sev_status amd(const struct chain *c)
{
    struct sev_cert cek = cert(c->cek);

    return sev_amd_chain_check(&c->config, c->amd, c->amd_size, &cek);
}

static void test_accepted(void **state)
{
    struct chain c;

    load(&c, *state);
    assert_int_equal(by(c.oca, c.oca), SEV_SUCCESS);
    assert_int_equal(by(c.pek, c.oca), SEV_SUCCESS);
    assert_int_equal(by(c.pek, c.cek), SEV_SUCCESS);
    assert_int_equal(by(c.pdh, c.pek), SEV_SUCCESS);
    assert_int_equal(amd(&c), SEV_SUCCESS);
    /* And no other pair. */
    assert_int_equal(by(c.pek, c.pek), SEV_INVALID_CERTIFICATE);
    assert_int_equal(by(c.pdh, c.oca), SEV_INVALID_CERTIFICATE);
    assert_int_equal(by(c.pdh, c.cek), SEV_INVALID_CERTIFICATE);
    assert_int_equal(by(c.oca, c.pek), SEV_INVALID_CERTIFICATE);
    assert_int_equal(by(c.cek, c.oca), SEV_INVALID_CERTIFICATE);
}

/* Flip one bit in each signed byte: the status is the signature's. */
static void flip_body(uint8_t *subject, const uint8_t *signer)
{
    for (size_t i = 0; i < SEV_CERT_BODY_SIZE; i++) {
        uint8_t bit = (uint8_t)(1u << (i % 8));

        subject[i] ^= bit;
        assert_int_equal(by(subject, signer), SEV_BAD_SIGNATURE);
        subject[i] ^= bit;
    }
    assert_int_equal(by(subject, signer), SEV_SUCCESS);
}

/* The same for each byte of R and S in @slot, zero extension included. */
static void flip_signature(uint8_t *subject, const uint8_t *signer, size_t slot)
{
    uint8_t *sig = subject + SEV_CERT_BODY_SIZE + slot * 0x208 + 8;

    for (size_t i = 0; i < 2 * SEV_CERT_NUM_SIZE; i++) {
        sig[i] ^= 0x10;
        assert_int_equal(by(subject, signer), SEV_BAD_SIGNATURE);
        sig[i] ^= 0x10;
    }
}

static void test_pdh_bytes(void **state)
{
    struct chain c;

    load(&c, *state);
    flip_body(c.pdh, c.pek);
    flip_signature(c.pdh, c.pek, 0);
}

static void test_pek_bytes(void **state)
{
    struct chain c;

    load(&c, *state);
    flip_body(c.pek, c.oca);
    flip_body(c.pek, c.cek);
    flip_signature(c.pek, c.oca, 0);
    flip_signature(c.pek, c.cek, 1);
}

/* Its own signer: in the key, the signer is malformed; elsewhere, the signature
 * is wrong, or usage and algorithm fit nothing any more. */
static void test_oca_bytes(void **state)
{
    struct chain c;

    load(&c, *state);
    for (size_t i = 0; i < SEV_CERT_BODY_SIZE; i++) {
        enum sev_status got;

        c.oca[i] ^= 1;
        got = by(c.oca, c.oca);
        c.oca[i] ^= 1;
        if (i >= 0x10 && i < 0xa4) { /* curve and point */
            assert_int_equal(got, SEV_INVALID_CERTIFICATE);
        } else if (i >= 8 && i < 0x10) { /* usage, algorithm */
            assert_true(got == SEV_INVALID_CERTIFICATE ||
                        got == SEV_UNSUPPORTED);
        } else {
            assert_int_equal(got, SEV_BAD_SIGNATURE);
        }
    }
    flip_signature(c.oca, c.oca, 0);
}

static void test_slot_headers(void **state)
{
    struct chain c;

    load(&c, *state);
    c.pdh[0x414] = 0x04; /* SIG1_USAGE: another valid one */
    assert_int_equal(by(c.pdh, c.pek), SEV_INVALID_CERTIFICATE);
    c.pdh[0x414] = 0x00; /* 0x1000 alone */
    assert_int_equal(by(c.pdh, c.pek), SEV_BAD_SIGNATURE);
    c.pdh[0x414] = 0x02;
    c.pdh[0x418] = 0x01; /* SIG1_ALGO: RSA */
    assert_int_equal(by(c.pdh, c.pek), SEV_INVALID_CERTIFICATE);
    c.pdh[0x418] = 0x00;
    assert_int_equal(by(c.pdh, c.pek), SEV_BAD_SIGNATURE);
}

/* CEK: every signed byte and every byte of the RSA signature. */
static void test_cek_bytes(void **state)
{
    struct chain c;
    size_t rsa;

    load(&c, *state);
    rsa = (c.amd_size - 128) / 6;
    for (size_t i = 0; i < SEV_CERT_BODY_SIZE + 8 + rsa; i++) {
        enum sev_status want = SEV_BAD_SIGNATURE;

        if (i >= SEV_CERT_BODY_SIZE && i < SEV_CERT_BODY_SIZE + 8) {
            want = SEV_INVALID_CERTIFICATE; /* slot of nobody */
        }
        c.cek[i] ^= 0x04;
        assert_int_equal(amd(&c), want);
        c.cek[i] ^= 0x04;
    }
    assert_int_equal(amd(&c), SEV_SUCCESS);
}

/* ASK, ARK: every byte of both. Only the size fields, without which there is
 * nothing to verify, are a certificate's fault. */
static void test_amd_bytes(void **state)
{
    struct chain c;

    load(&c, *state);
    for (size_t i = 0; i < c.amd_size; i++) {
        size_t at = i % (c.amd_size / 2);
        bool size = at >= 0x38 && at < 0x40;

        c.amd[i] ^= 0x20;
        assert_int_equal(amd(&c),
                         size ? SEV_INVALID_CERTIFICATE : SEV_BAD_SIGNATURE);
        c.amd[i] ^= 0x20;
    }
    assert_int_equal(amd(&c), SEV_SUCCESS);
}

static void test_untrusted_root(void **state)
{
    struct chain c;

    load(&c, *state);
    c.config.roots[0].digest[47] ^= 1;
    assert_int_equal(amd(&c), SEV_INVALID_CERTIFICATE);
    c.config.roots[0].digest[47] ^= 1;
    c.config.roots[0].key_id[0] ^= 1;
    assert_int_equal(amd(&c), SEV_INVALID_CERTIFICATE);
    c.config.roots[0].key_id[0] ^= 1;
    c.config.roots[1] = c.config.roots[0];
    memset(&c.config.roots[0], 0, sizeof(c.config.roots[0]));
    assert_int_equal(amd(&c), SEV_INVALID_CERTIFICATE);
    c.config.root_count = 2;
    assert_int_equal(amd(&c), SEV_SUCCESS);
    c.config.root_count = 0;
    assert_int_equal(amd(&c), SEV_INVALID_CERTIFICATE);
}

static void amd_chain__one_of_each_size__bad_signature(void **state)
{
    struct chain n, r;

    (void)state;
    load(&n, "naples");
    load(&r, "rome");
    memcpy(n.amd + 832, r.amd + 1600, 1600); /* ASK 2048, ARK 4096 */
    n.amd_size = 2432;
    n.config.roots[0] = r.config.roots[0];
    assert_int_equal(amd(&n), SEV_BAD_SIGNATURE);
}

/* A guest that may only be sent to AMD's machines is sent to a real one. */
static void test_send_start(void **state)
{
    struct sev_cmd_send_start c = {.pdh_paddr = SH_IN,
                                   .pdh_length = SEV_CERT_SIZE,
                                   .plat_paddr = SH_IN2,
                                   .plat_length = 3 * SEV_CERT_SIZE,
                                   .amd_paddr = SH_IN3,
                                   .session_paddr = SH_OUT,
                                   .session_length = SEV_SESSION_SIZE};
    struct chain real;
    struct sh *h;

    load(&real, *state); /* skips */
    h = sh_new_off("milan", 1);
    h->config.sev = real.config;
    sh_power_on(h);
    sh_up(h);
    c.handle = sh_running(h, SEV_POLICY_SEV, 0);
    c.amd_length = (uint32_t)real.amd_size;
    memcpy(h->memory + SH_IN, real.pdh, SEV_CERT_SIZE);
    memcpy(h->memory + SH_IN2, real.pek, 3 * SEV_CERT_SIZE);
    memcpy(h->memory + SH_IN3, real.amd, real.amd_size);
    h->memory[SH_IN2 + 0x20] ^= 1; /* PEK */
    SH_REFUSE(h, SEV_CMD_SEND_START, send_start, &c, SEV_BAD_SIGNATURE);
    h->memory[SH_IN2 + 0x20] ^= 1;
    h->memory[SH_IN + 0x413] ^= 1; /* PDH */
    SH_REFUSE(h, SEV_CMD_SEND_START, send_start, &c, SEV_BAD_SIGNATURE);
    h->memory[SH_IN + 0x413] ^= 1;
    assert_int_equal(SH_DO(h, SEV_CMD_SEND_START, send_start, &c), SEV_SUCCESS);
    assert_int_equal(c.policy, SEV_POLICY_SEV);
    sh_free(h);
}

int main(void)
{
    static const char *const products[] = {"naples", "rome"};
    static const struct {
        const char *name;
        CMUnitTestFunction f;
    } tests[] = {
        {"chain accepted", test_accepted},
        {"pdh, each byte", test_pdh_bytes},
        {"pek, each byte", test_pek_bytes},
        {"oca, each byte", test_oca_bytes},
        {"slot headers", test_slot_headers},
        {"cek, each byte", test_cek_bytes},
        {"ask and ark, each byte", test_amd_bytes},
        {"untrusted root", test_untrusted_root},
        {"send start", test_send_start},
    };
    const struct CMUnitTest fixed[] = {
        cmocka_unit_test(amd_chain__one_of_each_size__bad_signature),
    };
    static char names[2][16][64];
    struct CMUnitTest rows[32];
    size_t n = 0;
    int failed;

    for (size_t p = 0; p < 2; p++) {
        for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
            snprintf(names[p][i], sizeof(names[p][i]), "%s: %s", products[p],
                     tests[i].name);
            rows[n++] = sh_row(names[p][i], tests[i].f, products[p]);
        }
    }
    failed = cmocka_run_group_tests_name("sev/real", fixed, NULL, NULL);
    failed += _cmocka_run_group_tests("sev/real/rows", rows, n, NULL, NULL);
    return failed;
}
