/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and certificates of the platform: generation, export, ownership, what
 * survives which command. abi/sev.md §1.3, §4, §5. */
#include "sev_host.h"

#include "sev_internal.h"

#include <openssl/sha.h>

static void test_chain(void **state)
{
    struct sh *h = sh_new(*state, 1);
    char *dir = tst_mkdtemp();

    sh_up(h);
    sh_put_chain(h, dir);
    sh_oracle("chain", dir, NULL, NULL);
    tst_rmdir(dir);
    sh_free(h);
}

static void export__fresh_platform__fields_as_on_real_chips(void **state)
{
    struct sh *h = sh_new("milan", 1);
    struct sh_certs certs;
    struct sev_cert c;

    (void)state;
    sh_up(h);
    sh_export(h, &certs);
    assert_int_equal(sev_cert_decode(certs.pdh, SEV_CERT_SIZE, &c), PSP_OK);
    assert_int_equal(c.version, 1);
    assert_int_equal(c.api_major, 1);
    assert_int_equal(c.api_minor, 55);
    assert_int_equal(c.pubkey_usage, 0x1003);
    assert_int_equal(c.pubkey_algo, 0x3);
    assert_int_equal(c.sig[0].usage, 0x1002);
    assert_int_equal(c.sig[0].algo, 0x2);
    assert_int_equal(c.sig[1].usage, 0x1000);
    assert_int_equal(c.sig[1].algo, 0);
    assert_int_equal(sev_cert_decode(certs.pek, SEV_CERT_SIZE, &c), PSP_OK);
    assert_int_equal(c.api_minor, 55);
    assert_int_equal(c.pubkey_usage, 0x1002);
    assert_int_equal(c.sig[0].usage, 0x1001);
    assert_int_equal(c.sig[1].usage, 0x1004);
    assert_int_equal(sev_cert_decode(certs.oca, SEV_CERT_SIZE, &c), PSP_OK);
    assert_int_equal(c.api_minor, 55);
    assert_int_equal(c.pubkey_usage, 0x1001);
    assert_int_equal(c.sig[0].usage, 0x1001);
    assert_int_equal(c.sig[1].usage, 0x1000);
    assert_int_equal(sev_cert_decode(certs.cek, SEV_CERT_SIZE, &c), PSP_OK);
    assert_int_equal(c.api_major, 0);
    assert_int_equal(c.api_minor, 14);
    assert_int_equal(c.pubkey_usage, 0x1004);
    assert_int_equal(c.sig[0].usage, 0x1000);
    assert_true(psp_all_zero(c.sig[0].data, 512));
    sh_free(h);
}

static void refuse_export(struct sh *h, struct sev_cmd_certs c,
                          enum sev_status want)
{
    struct sev_cmd_certs sent = c;
    bool length = want == SEV_INVALID_LENGTH;
    struct sh_snapshot before = sh_snapshot(h);

    assert_int_equal(SH_DO(h, SEV_CMD_PDH_CERT_EXPORT, certs, &c), want);
    assert_int_equal(c.first_length, length ? 0x824 : sent.first_length);
    assert_int_equal(c.second_length, length ? 0x186c : sent.second_length);
    assert_int_equal(c.reserved, sent.reserved);
    assert_int_equal(c.first_paddr, sent.first_paddr);
    if (length) {
        h->changes--; /* the buffer itself */
    }
    sh_unchanged(h, before);
}

static void export__each_fault__its_status(void **state)
{
    struct sh *h = sh_new("milan", 1);
    struct sev_cmd_certs c = {.reserved = 0x12345678};

    (void)state;
    sh_up(h);
    refuse_export(h, c, SEV_INVALID_LENGTH);
    c.first_paddr = SH_MEMORY;
    c.first_length = 0x824;
    refuse_export(h, c, SEV_INVALID_LENGTH);
    c.second_length = 0x186b;
    refuse_export(h, c, SEV_INVALID_LENGTH);
    c.first_length = 0x823;
    c.second_length = 0x186c;
    refuse_export(h, c, SEV_INVALID_LENGTH);
    c.first_length = 0x824;
    refuse_export(h, c, SEV_INVALID_ADDRESS);
    c.first_paddr = SH_OUT;
    c.second_paddr = SH_MEMORY - 0x186b;
    refuse_export(h, c, SEV_INVALID_ADDRESS);
    c.second_paddr = SH_OUT2;
    c.first_length = 0x4000;
    c.second_length = 0x4000;
    assert_int_equal(SH_DO(h, SEV_CMD_PDH_CERT_EXPORT, certs, &c), SEV_SUCCESS);
    assert_int_equal(c.first_length, 0x824);
    assert_int_equal(c.second_length, 0x186c);
    assert_int_equal(c.reserved, 0x12345678);
    assert_int_equal(h->memory[SH_OUT + 0x824], SH_UNTOUCHED);
    assert_int_equal(h->memory[SH_OUT2 + 0x186c], SH_UNTOUCHED);
    sh_free(h);
}

static void csr__of_the_current_pek__its_body_alone(void **state)
{
    struct sev_cmd_blob c = {0, 0};
    struct sh *h = sh_new("milan", 1);
    const uint8_t *out = h->memory + SH_OUT;
    struct sh_certs certs;
    struct sev_cert csr;

    (void)state;
    sh_up(h);
    sh_export(h, &certs);
    memset(h->memory + SH_OUT, SH_UNTOUCHED, 0x1000);
    assert_int_equal(SH_DO(h, SEV_CMD_PEK_CSR, blob, &c), SEV_INVALID_LENGTH);
    assert_int_equal(c.length, 0x824);
    c.length = 0x823;
    assert_int_equal(SH_DO(h, SEV_CMD_PEK_CSR, blob, &c), SEV_INVALID_LENGTH);
    assert_int_equal(c.length, 0x824);
    c.paddr = SH_MEMORY - 0x823;
    assert_int_equal(SH_DO(h, SEV_CMD_PEK_CSR, blob, &c), SEV_INVALID_ADDRESS);
    c = (struct sev_cmd_blob){SH_OUT, 0x1000};
    assert_int_equal(SH_DO(h, SEV_CMD_PEK_CSR, blob, &c), SEV_SUCCESS);
    assert_int_equal(c.length, 0x824);
    assert_memory_equal(out, certs.pek, SEV_CERT_BODY_SIZE);
    assert_int_equal(out[0x824], SH_UNTOUCHED);
    assert_int_equal(sev_cert_decode(out, SEV_CERT_SIZE, &csr), PSP_OK);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(csr.sig[i].usage, 0x1000);
        assert_int_equal(csr.sig[i].algo, 0);
        assert_true(psp_all_zero(csr.sig[i].data, 512));
    }
    sh_free(h);
}

/* A PEK of d = 9 with API 1.55: abi/sev.md §11.3. */
static void csr__known_pek__sheet_digest(void **state)
{
    struct sev_cmd_blob c = {SH_OUT, 0x824};
    static const uint8_t less[] = {8};
    struct sh *h = sh_new("milan", 1);
    uint8_t digest[32];

    (void)state;
    sh_up(h);
    assert_int_equal(psp_p384_from_bytes(less, 1, &h->sev.keys.pek), PSP_OK);
    sev_cert_body(&h->sev, SEV_USAGE_PEK, &h->sev.keys.pek.pub,
                  &h->sev.keys.pek_cert);
    assert_int_equal(SH_DO(h, SEV_CMD_PEK_CSR, blob, &c), SEV_SUCCESS);
    SHA256(h->memory + SH_OUT, 0x824, digest);
    assert_hex_equal(
        digest,
        "525353d09a8c4fc629bda798a91f947ed31cca429160f3fd9d8b2287e479316e", 32);
    sh_free(h);
}

static void get_csr(struct sh *h, uint8_t csr[SEV_CERT_SIZE])
{
    struct sev_cmd_blob c = {SH_OUT, SEV_CERT_SIZE};

    assert_int_equal(SH_DO(h, SEV_CMD_PEK_CSR, blob, &c), SEV_SUCCESS);
    memcpy(csr, h->memory + SH_OUT, SEV_CERT_SIZE);
}

static enum sev_status import(struct sh *h, const uint8_t *pek,
                              const uint8_t *oca)
{
    struct sev_cmd_certs c = {.first_paddr = SH_IN,
                              .first_length = SEV_CERT_SIZE,
                              .second_paddr = SH_IN2,
                              .second_length = SEV_CERT_SIZE};

    memcpy(h->memory + SH_IN, pek, SEV_CERT_SIZE);
    memcpy(h->memory + SH_IN2, oca, SEV_CERT_SIZE);
    return SH_DO(h, SEV_CMD_PEK_CERT_IMPORT, certs, &c);
}

/* Signing request out, signed elsewhere, imported, exported, verified
 * elsewhere. */
static void test_owner(void **state)
{
    uint8_t csr[SEV_CERT_SIZE], pek[SEV_CERT_SIZE], oca[SEV_CERT_SIZE];
    struct sh *h = sh_new("milan", 1);
    struct sh_certs before, after;
    char *dir = tst_mkdtemp();

    sh_up(h);
    sh_export(h, &before);
    get_csr(h, csr);
    sh_put(dir, "pek.csr", csr, sizeof(csr));
    sh_oracle("owner", dir, *state, NULL);
    sh_get(dir, "pek.cert", pek, sizeof(pek));
    sh_get(dir, "oca.cert", oca, sizeof(oca));
    assert_int_equal(sh_status(h).owner, 0);
    assert_int_equal(import(h, pek, oca), SEV_SUCCESS);
    assert_int_equal(sh_status(h).owner, 1);
    assert_int_equal(import(h, pek, oca), SEV_ALREADY_OWNED);
    sh_export(h, &after);
    assert_memory_equal(after.oca, oca, SEV_CERT_SIZE);
    assert_memory_equal(after.pek, pek, 0x61c); /* body and slot 1 */
    assert_memory_equal(after.pek + 0x61c, before.pek + 0x61c, 0x208);
    assert_memory_not_equal(after.pdh, before.pdh, SEV_CERT_BODY_SIZE);
    assert_true(psp_all_zero(&h->sev.keys.oca, sizeof(h->sev.keys.oca)));
    sh_put_chain(h, dir);
    sh_oracle("chain", dir, NULL, NULL);
    tst_rmdir(dir);
    sh_free(h);
}

/* An owner of our own, so that each certificate can be made wrong. */
struct owner {
    struct psp_p384_key key;
    struct sev_cert oca;
    struct sev_cert pek;
};

static void make_owner(struct sh *h, struct owner *o)
{
    static const uint8_t d[] = {0x77, 1, 2, 3};
    uint8_t csr[SEV_CERT_SIZE];

    get_csr(h, csr);
    assert_int_equal(sev_cert_decode(csr, sizeof(csr), &o->pek), PSP_OK);
    assert_int_equal(psp_p384_from_bytes(d, sizeof(d), &o->key), PSP_OK);
    sev_cert_init(&o->oca);
    o->oca.pubkey_usage = SEV_USAGE_OCA;
    o->oca.pubkey_algo = SEV_ALGO_ECDSA_SHA256;
    sev_cert_set_ec(&o->oca, SEV_CURVE_P384, o->key.pub.x, o->key.pub.y);
}

static void sign_owner(struct owner *o)
{
    uint32_t usage = o->oca.pubkey_usage;

    assert_int_equal(sev_cert_sign(&o->oca, 0, usage, &o->key), PSP_OK);
    assert_int_equal(sev_cert_sign(&o->pek, 0, usage, &o->key), PSP_OK);
}

static enum sev_status import_owner(struct sh *h, const struct owner *o)
{
    uint8_t pek[SEV_CERT_SIZE], oca[SEV_CERT_SIZE];

    sev_cert_encode(&o->pek, pek);
    sev_cert_encode(&o->oca, oca);
    return import(h, pek, oca);
}

struct refusal {
    const char *name;
    enum sev_status status;
    /* Before and after the owner signs. */
    void (*before)(struct owner *o);
    void (*after)(struct owner *o);
};

static void oca_version_2(struct owner *o)
{
    o->oca.version = 2;
}
static void oca_usage_pek(struct owner *o)
{
    o->oca.pubkey_usage = SEV_USAGE_PEK;
}
static void oca_usage_cek(struct owner *o)
{
    o->oca.pubkey_usage = SEV_USAGE_CEK;
}
static void oca_usage_unknown(struct owner *o)
{
    o->oca.pubkey_usage = 0x1005;
}
static void oca_usage_none(struct owner *o)
{
    o->oca.pubkey_usage = SEV_USAGE_NONE;
}
static void oca_algo_unknown(struct owner *o)
{
    o->oca.pubkey_algo = 4;
}
static void oca_curve_p256(struct owner *o)
{
    o->oca.pubkey[0] = 1;
}
static void oca_off_curve(struct owner *o)
{
    o->oca.pubkey[4] ^= 1;
}
static void oca_rsa_of_nothing(struct owner *o)
{
    o->oca.pubkey_algo = SEV_ALGO_RSA_SHA256;
}
static void oca_ecdh(struct owner *o)
{
    o->oca.pubkey_algo = SEV_ALGO_ECDH_SHA256;
    o->oca.sig[0].algo = SEV_ALGO_ECDH_SHA256;
}
static void oca_bad_signature(struct owner *o)
{
    o->oca.sig[0].data[3] ^= 1;
}
static void oca_zero_r(struct owner *o)
{
    memset(o->oca.sig[0].data, 0, 72);
}
static void oca_r_of_49_bytes(struct owner *o)
{
    o->oca.sig[0].data[48] = 1;
}
static void oca_s_is_n(struct owner *o)
{
    uint8_t n[48];

    tst_hex("ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf"
            "581a0db248b0a77aecec196accc52973",
            n, 48);
    sev_number_set(o->oca.sig[0].data + 72, n);
}
static void oca_no_signature(struct owner *o)
{
    sev_cert_slot_clear(&o->oca.sig[0]);
}
static void oca_usage_without_algo(struct owner *o)
{
    o->oca.sig[0].algo = 0;
}
static void oca_algo_without_usage(struct owner *o)
{
    o->oca.sig[0].usage = SEV_USAGE_NONE;
}
static void oca_slot_of_pek(struct owner *o)
{
    o->oca.sig[0].usage = SEV_USAGE_PEK;
}
static void oca_slot_of_rsa(struct owner *o)
{
    o->oca.sig[0].algo = SEV_ALGO_RSA_SHA256;
}
static void oca_tail_of_key(struct owner *o)
{
    o->oca.pubkey[1000] ^= 1;
}
static void pek_bad_signature(struct owner *o)
{
    o->pek.sig[0].data[100] ^= 1;
}
static void pek_no_signature(struct owner *o)
{
    sev_cert_slot_clear(&o->pek.sig[0]);
}
static void pek_half_empty(struct owner *o)
{
    o->pek.sig[0].algo = 0;
}
static void pek_half_empty_second(struct owner *o)
{
    o->pek.sig[0] = o->pek.sig[1];
    o->pek.sig[1].usage = SEV_USAGE_OCA;
}
static void pek_other_body(struct owner *o)
{
    o->pek.api_minor++;
}
static void pek_reserved(struct owner *o)
{
    o->pek.reserved = 1;
}
static void pek_no_free_slot(struct owner *o)
{
    o->pek.sig[1] = o->pek.sig[0];
}

static const struct refusal REFUSALS[] = {
    {"oca version 2", SEV_INVALID_CERTIFICATE, oca_version_2, NULL},
    {"oca with usage PEK", SEV_INVALID_CERTIFICATE, oca_usage_pek, NULL},
    {"oca with usage CEK", SEV_INVALID_CERTIFICATE, oca_usage_cek, NULL},
    {"oca with unknown usage", SEV_INVALID_CERTIFICATE, oca_usage_unknown,
     NULL},
    {"oca with no usage", SEV_INVALID_CERTIFICATE, oca_usage_none, NULL},
    {"oca with unknown algo", SEV_INVALID_CERTIFICATE, oca_algo_unknown, NULL},
    {"oca on P-256", SEV_INVALID_CERTIFICATE, oca_curve_p256, NULL},
    {"oca off the curve", SEV_INVALID_CERTIFICATE, oca_off_curve, NULL},
    {"oca RSA without a modulus", SEV_INVALID_CERTIFICATE, oca_rsa_of_nothing,
     NULL},
    {"oca ECDH key that signs", SEV_UNSUPPORTED, NULL, oca_ecdh},
    {"oca bad signature", SEV_BAD_SIGNATURE, NULL, oca_bad_signature},
    {"oca R = 0", SEV_BAD_SIGNATURE, NULL, oca_zero_r},
    {"oca R too long", SEV_BAD_SIGNATURE, NULL, oca_r_of_49_bytes},
    {"oca S = n", SEV_BAD_SIGNATURE, NULL, oca_s_is_n},
    {"oca unsigned", SEV_INVALID_CERTIFICATE, NULL, oca_no_signature},
    {"oca slot usage alone", SEV_BAD_SIGNATURE, NULL, oca_usage_without_algo},
    {"oca slot algo alone", SEV_BAD_SIGNATURE, NULL, oca_algo_without_usage},
    {"oca slot of a PEK", SEV_INVALID_CERTIFICATE, NULL, oca_slot_of_pek},
    {"oca slot of an RSA key", SEV_INVALID_CERTIFICATE, NULL, oca_slot_of_rsa},
    {"oca key area changed", SEV_BAD_SIGNATURE, NULL, oca_tail_of_key},
    {"pek bad signature", SEV_BAD_SIGNATURE, NULL, pek_bad_signature},
    {"pek unsigned", SEV_INVALID_CERTIFICATE, NULL, pek_no_signature},
    {"pek slot 1 half empty", SEV_BAD_SIGNATURE, NULL, pek_half_empty},
    {"pek slot 2 half empty", SEV_BAD_SIGNATURE, NULL, pek_half_empty_second},
    {"pek other version", SEV_INVALID_CERTIFICATE, pek_other_body, NULL},
    {"pek reserved bytes", SEV_INVALID_CERTIFICATE, pek_reserved, NULL},
    {"pek without a free slot", SEV_INVALID_CERTIFICATE, NULL,
     pek_no_free_slot},
};

static void test_refusal(void **state)
{
    const struct refusal *r = *state;
    struct sh *h = sh_new("milan", 1);
    struct sh_snapshot before;
    struct owner o;

    sh_up(h);
    make_owner(h, &o);
    if (r->before != NULL) {
        r->before(&o);
    }
    sign_owner(&o);
    if (r->after != NULL) {
        r->after(&o);
    }
    before = sh_snapshot(h);
    assert_int_equal(import_owner(h, &o), r->status);
    sh_unchanged(h, before);
    sh_free(h);
}

static void import__shape_mended_step_by_step__statuses_in_order(void **state)
{
    struct sev_cmd_certs c = {SH_MEMORY, 0x823, 7, SH_MEMORY - 0x823, 0x824};
    struct sh *h = sh_new("milan", 1);
    struct sh_snapshot before;
    struct owner o;

    (void)state;
    sh_up(h);
    h->sev.keys.external = true;
    before = sh_snapshot(h);
    assert_int_equal(SH_DO(h, SEV_CMD_PEK_CERT_IMPORT, certs, &c),
                     SEV_ALREADY_OWNED);
    sh_unchanged(h, before);
    h->sev.keys.external = false;
    before = sh_snapshot(h);
    assert_int_equal(SH_DO(h, SEV_CMD_PEK_CERT_IMPORT, certs, &c),
                     SEV_INVALID_LENGTH);
    c.first_length = 0x824;
    c.second_length = 0x825;
    assert_int_equal(SH_DO(h, SEV_CMD_PEK_CERT_IMPORT, certs, &c),
                     SEV_INVALID_LENGTH);
    c.second_length = 0x824;
    assert_int_equal(SH_DO(h, SEV_CMD_PEK_CERT_IMPORT, certs, &c),
                     SEV_INVALID_ADDRESS);
    c.first_paddr = SH_IN;
    assert_int_equal(SH_DO(h, SEV_CMD_PEK_CERT_IMPORT, certs, &c),
                     SEV_INVALID_ADDRESS);
    sh_unchanged(h, before);
    /* OCA before PEK: both wrong, in different ways. */
    make_owner(h, &o);
    sign_owner(&o);
    oca_bad_signature(&o);
    pek_no_signature(&o);
    assert_int_equal(import_owner(h, &o), SEV_BAD_SIGNATURE);
    sh_free(h);
}

static void import__owner_signed_slot_2__cek_goes_to_slot_1(void **state)
{
    struct sh *h = sh_new("milan", 1);
    struct sh_certs certs;
    struct sev_cert pek;
    struct owner o;

    (void)state;
    sh_up(h);
    make_owner(h, &o);
    sign_owner(&o);
    o.pek.sig[1] = o.pek.sig[0];
    sev_cert_slot_clear(&o.pek.sig[0]);
    assert_int_equal(import_owner(h, &o), SEV_SUCCESS);
    sh_export(h, &certs);
    assert_int_equal(sev_cert_decode(certs.pek, SEV_CERT_SIZE, &pek), PSP_OK);
    assert_int_equal(pek.sig[0].usage, SEV_USAGE_CEK);
    assert_int_equal(pek.sig[1].usage, SEV_USAGE_OCA);
    sh_free(h);
}

static void import__request_older_than_the_pek__invalid(void **state)
{
    struct sh *h = sh_new("milan", 1);
    struct owner o;

    (void)state;
    sh_up(h);
    make_owner(h, &o);
    sign_owner(&o);
    assert_int_equal(sh_plain(h, SEV_CMD_PEK_GEN), SEV_SUCCESS);
    assert_int_equal(import_owner(h, &o), SEV_INVALID_CERTIFICATE);
    sh_free(h);
}

/* Which of PDH, PEK key, PEK certificate, OCA are the same afterwards, and who
 * owns the platform: the columns of abi/sev.md §4.4. */
struct survival {
    const char *name;
    bool external; /* before */
    void (*act)(struct sh *h);
    bool same_oca, same_pek_key, same_pek_cert, same_pdh;
    uint8_t owner; /* after */
};

static void act_restart(struct sh *h)
{
    assert_int_equal(sh_plain(h, SEV_CMD_SHUTDOWN), SEV_SUCCESS);
    sh_up(h);
}
static void act_reset(struct sh *h)
{
    assert_int_equal(sh_plain(h, SEV_CMD_SHUTDOWN), SEV_SUCCESS);
    assert_int_equal(sh_plain(h, SEV_CMD_PLATFORM_RESET), SEV_SUCCESS);
    sh_up(h);
}
static void act_pek_gen(struct sh *h)
{
    assert_int_equal(sh_plain(h, SEV_CMD_PEK_GEN), SEV_SUCCESS);
}
static void act_pdh_gen(struct sh *h)
{
    assert_int_equal(sh_plain(h, SEV_CMD_PDH_GEN), SEV_SUCCESS);
}
static void act_power_cycle(struct sh *h)
{
    sh_power_off(h);
    sh_power_on(h);
    sh_up(h);
}
static void act_import(struct sh *h)
{
    struct owner o;

    make_owner(h, &o);
    sign_owner(&o);
    assert_int_equal(import_owner(h, &o), SEV_SUCCESS);
}
/* The change must be in the store, not only in memory. */
static void act_pdh_gen_and_restart(struct sh *h)
{
    struct sh_certs new, stored;

    act_pdh_gen(h);
    sh_export(h, &new);
    act_power_cycle(h);
    sh_export(h, &stored);
    assert_memory_equal(&new, &stored, sizeof(new));
}
static void act_import_and_restart(struct sh *h)
{
    act_import(h);
    act_power_cycle(h);
}
static void act_pek_gen_and_restart(struct sh *h)
{
    act_pek_gen(h);
    act_power_cycle(h);
}
/* In WORKING too. */
static void act_pdh_gen_with_a_guest(struct sh *h)
{
    (void)sh_launch(h, 0);
    act_pdh_gen(h);
}

static const struct survival SURVIVALS[] = {
    {"restart, self-owned", false, act_restart, true, true, true, true, 0},
    {"restart, owned", true, act_restart, true, true, true, true, 1},
    {"reset, self-owned", false, act_reset, false, false, false, false, 0},
    {"reset, owned", true, act_reset, false, false, false, false, 0},
    {"PEK_GEN, self-owned", false, act_pek_gen, false, false, false, false, 0},
    {"PEK_GEN, owned", true, act_pek_gen, false, false, false, false, 0},
    {"PEK_GEN and restart", true, act_pek_gen_and_restart, false, false, false,
     false, 0},
    {"PDH_GEN, self-owned", false, act_pdh_gen, true, true, true, false, 0},
    {"PDH_GEN, owned", true, act_pdh_gen, true, true, true, false, 1},
    {"PDH_GEN with a guest", false, act_pdh_gen_with_a_guest, true, true, true,
     false, 0},
    {"PDH_GEN and restart", true, act_pdh_gen_and_restart, true, true, true,
     false, 1},
    {"import", false, act_import, false, true, false, false, 1},
    {"import and restart", false, act_import_and_restart, false, true, false,
     false, 1},
    {"power cycle", true, act_power_cycle, true, true, true, true, 1},
};

static void same(bool want, const uint8_t *a, const uint8_t *b, size_t size)
{
    assert_int_equal(memcmp(a, b, size) == 0, want);
}

static void test_survival(void **state)
{
    const struct survival *s = *state;
    struct sh *h = sh_new("milan", 1);
    struct sh_certs before, after;

    sh_up(h);
    if (s->external) {
        act_import(h);
    }
    sh_export(h, &before);
    s->act(h);
    sh_export(h, &after);
    same(s->same_oca, before.oca, after.oca, SEV_CERT_SIZE);
    same(s->same_pek_key, before.pek, after.pek, SEV_CERT_BODY_SIZE);
    same(s->same_pek_cert, before.pek, after.pek, SEV_CERT_SIZE);
    same(s->same_pdh, before.pdh, after.pdh, SEV_CERT_SIZE);
    same(true, before.cek, after.cek, SEV_CERT_SIZE);
    assert_int_equal(sh_status(h).owner, s->owner);
    sh_free(h);
}

static void cek__two_chips__two_keys(void **state)
{
    struct sh *a = sh_new("milan", 1), *b = sh_new("milan", 2);
    struct sh_certs ca, cb;

    (void)state;
    sh_up(a);
    sh_up(b);
    sh_export(a, &ca);
    sh_export(b, &cb);
    assert_memory_not_equal(ca.cek, cb.cek, SEV_CERT_SIZE);
    sh_free(a);
    sh_free(b);
}

static void keys__same_entropy__same_bytes(void **state)
{
    struct sh *a = sh_new("genoa", 3), *b = sh_new("genoa", 3);
    struct sh_certs ca, cb;

    (void)state;
    sh_up(a);
    sh_up(b);
    sh_export(a, &ca);
    sh_export(b, &cb);
    assert_memory_equal(&ca, &cb, sizeof(ca));
    sh_free(a);
    sh_free(b);
}

int main(void)
{
    static const char *const profiles[] = {"naples", "rome", "milan", "genoa",
                                           "turin"};
    static const char *const kinds[] = {"ec256", "ec384", "rsa256", "rsa384"};
    const struct CMUnitTest fixed[] = {
        cmocka_unit_test(export__fresh_platform__fields_as_on_real_chips),
        cmocka_unit_test(export__each_fault__its_status),
        cmocka_unit_test(csr__of_the_current_pek__its_body_alone),
        cmocka_unit_test(csr__known_pek__sheet_digest),
        cmocka_unit_test(import__shape_mended_step_by_step__statuses_in_order),
        cmocka_unit_test(import__owner_signed_slot_2__cek_goes_to_slot_1),
        cmocka_unit_test(import__request_older_than_the_pek__invalid),
        cmocka_unit_test(cek__two_chips__two_keys),
        cmocka_unit_test(keys__same_entropy__same_bytes),
    };
    struct CMUnitTest rows[128];
    size_t n = 0;
    int failed;

    for (size_t i = 0; i < 5; i++) {
        rows[n++] = sh_row(profiles[i], test_chain, profiles[i]);
    }
    for (size_t i = 0; i < 4; i++) {
        rows[n++] = sh_row(kinds[i], test_owner, kinds[i]);
    }
    for (size_t i = 0; i < sizeof(REFUSALS) / sizeof(REFUSALS[0]); i++) {
        rows[n++] = sh_row(REFUSALS[i].name, test_refusal, &REFUSALS[i]);
    }
    for (size_t i = 0; i < sizeof(SURVIVALS) / sizeof(SURVIVALS[0]); i++) {
        rows[n++] = sh_row(SURVIVALS[i].name, test_survival, &SURVIVALS[i]);
    }
    failed = cmocka_run_group_tests_name("sev/owner", fixed, NULL, NULL);
    failed += _cmocka_run_group_tests("sev/owner/rows", rows, n, NULL, NULL);
    return failed;
}
