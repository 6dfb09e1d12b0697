/* SPDX-License-Identifier: Apache-2.0 */
/* MSG_REPORT_REQ: what the report says, field by field as an independent
 * decoder reads it; who signs; what is refused. abi/snp.md §7 */
#include "guest_message.h"
#include "snp_id.h"

#define RSP_SIZE 0x4c0u
#define REPORT   0x20u /* in the response */

static struct gm_request request(const struct gm *gm, uint8_t vmpck,
                                 uint32_t vmpl, uint8_t key_sel)
{
    struct snp_report_req req = {.vmpl = vmpl, .key_sel = key_sel};
    uint8_t payload[SNP_REPORT_REQ_SIZE];

    gm_fill(req.report_data, sizeof(req.report_data), 0xa0);
    snp_report_req_encode(&req, payload);
    return gm_request(gm, vmpck, SNP_MSG_REPORT_REQ, payload, sizeof(payload));
}

static uint32_t ask(struct gm *gm, uint32_t vmpl, uint8_t key_sel, uint8_t *rsp)
{
    struct gm_request req = request(gm, 0, vmpl, key_sel);

    return gm_answer(gm, &req, RSP_SIZE, rsp);
}

static void load_vlek(struct gm *gm)
{
    gm_fill(gm->snp.vlek_seed, sizeof(gm->snp.vlek_seed), 0x70);
    assert_int_equal(pki_vlek_from_seed(gm->snp.vlek_seed, &gm->snp.vlek),
                     PSP_OK);
    gm->snp.vlek_en = true;
}

static char *hex_of(const void *data, size_t n)
{
    const uint8_t *p = data;
    char *s = malloc(2 * n + 1);

    assert_non_null(s);
    for (size_t i = 0; i < n; i++) {
        snprintf(s + 2 * i, 3, "%02x", p[i]);
    }
    s[2 * n] = '\0';
    return s;
}

/* What the oracle says about the report in @rsp; free(). It must accept it. */
static char *oracle(const uint8_t *rsp, const struct psp_p384_key *signer)
{
    char *x = signer == NULL ? NULL : hex_of(signer->pub.x, 48);
    char *y = signer == NULL ? NULL : hex_of(signer->pub.y, 48);
    char *dir = tst_mkdtemp();
    char path[4096];
    const char *argv[] = {"/usr/bin/python3",
                          "harness/support/snp_oracle.py",
                          signer == NULL ? "unsigned" : "report",
                          path,
                          x,
                          y,
                          NULL};
    char *out;

    snprintf(path, sizeof(path), "%s/report", dir);
    tst_write_file(path, rsp + REPORT, RSP_SIZE - REPORT);
    if (tst_run(&out, argv) != 0) {
        fail_msg("%s", out);
    }
    free(x);
    free(y);
    tst_rmdir(dir);
    return out;
}

static void field(const char *text, const char *name, const char *value)
{
    char line[256];

    snprintf(line, sizeof(line), "\n%s=%s\n", name, value);
    if (strstr(text, line) == NULL &&
        strncmp(text, line + 1, strlen(line) - 1) != 0) {
        fail_msg("no %s=%s in\n%s", name, value, text);
    }
}

static void field_bytes(const char *text, const char *name, const void *p,
                        size_t n)
{
    char *hex = hex_of(p, n);

    field(text, name, hex);
    free(hex);
}

static void field_number(const char *text, const char *name, uint64_t v)
{
    char number[32];

    snprintf(number, sizeof(number), "%llu", (unsigned long long)v);
    field(text, name, number);
}

/* A guest that uses everything, on a platform whose every TCB differs. */
static void make_rich(struct gm *gm)
{
    struct snp_id_block id = {
        .version = 1, .guest_svn = 0x01020304, .policy = 0x3001f};
    struct snp_guest *g = gm->self;

    gm_fill(id.family_id, 16, 0xe0);
    gm_fill(id.image_id, 16, 0xd0);
    snp_id_block_encode(&id, g->id_block);
    g->id_block_en = true;
    g->author_key_en = true;
    g->policy = 0x3001f;
    gm_fill(g->id_key_digest, 48, 0x31);
    gm_fill(g->author_key_digest, 48, 0x32);
    gm_fill(g->report_id_ma, 32, 0x33);
    gm->snp.committed_tcb = gm->snp.current_tcb;
    gm->snp.current_tcb.b[7]++;
    g->launch_tcb.b[7]--;
    g->launch_mit_vector = 0x1f;
    gm->snp.current_version = (struct snp_version3){1, 56, 3};
}

struct profile_row {
    const char *name;
    const char *version;
    const char *current_tcb;
    const char *committed_tcb;
    const char *launch_tcb;
    const char *cpuid;
    const char *platform_info;
    const char *committed_build;
    const char *committed_minor;
    size_t chip_id_size;
    const char *launch_mit;
    const char *current_mit;
};

/* Values of abi/snp.md §0.3. */
static const struct profile_row PROFILES[] = {
    {"milan-old", "2", "0300000000000874", "0300000000000873",
     "0300000000000872", "000000", "1", "4", "52", 64, "0", "0"},
    {"milan", "3", "04000000000018dc", "04000000000018db", "04000000000018da",
     "190101", "37", "29", "55", 64, "0", "0"},
    {"genoa", "3", "0a00000000001755", "0a00000000001754", "0a00000000001753",
     "191101", "37", "40", "55", 64, "0", "0"},
    {"turin", "5", "0101010400000052", "0101010400000051", "0101010400000050",
     "1a0201", "37", "65", "55", 8, "31", "63"},
};

#define PROFILE_COUNT (sizeof(PROFILES) / sizeof(PROFILES[0]))

static void check_platform_fields(const char *out,
                                  const struct profile_row *row)
{
    uint8_t chip_id[64] = {0};

    gm_fill(chip_id, row->chip_id_size, 0x40);
    field(out, "version", row->version);
    field(out, "current_tcb", row->current_tcb);
    field(out, "committed_tcb", row->committed_tcb);
    field(out, "reported_tcb", row->committed_tcb);
    field(out, "launch_tcb", row->launch_tcb);
    field(out, "cpuid", row->cpuid);
    field(out, "platform_info", row->platform_info);
    field(out, "current_build", "3");
    field(out, "current_minor", "56");
    field(out, "current_major", "1");
    field(out, "committed_build", row->committed_build);
    field(out, "committed_minor", row->committed_minor);
    field(out, "committed_major", "1");
    field_bytes(out, "chip_id", chip_id, 64);
    field(out, "launch_mit_vector", row->launch_mit);
    field(out, "current_mit_vector", row->current_mit);
}

static void check_guest_fields(const char *out, const struct snp_guest *g)
{
    uint8_t bytes[64];

    field_number(out, "guest_svn", 0x01020304);
    field_number(out, "policy", 0x3001f);
    gm_fill(bytes, 16, 0xe0);
    field_bytes(out, "family_id", bytes, 16);
    gm_fill(bytes, 16, 0xd0);
    field_bytes(out, "image_id", bytes, 16);
    field(out, "vmpl", "2");
    field(out, "signature_algo", "1");
    field(out, "key_info", "1");
    gm_fill(bytes, 64, 0xa0);
    field_bytes(out, "report_data", bytes, 64);
    field_bytes(out, "measurement", g->ld, 48);
    field_bytes(out, "host_data", g->host_data, 32);
    gm_fill(bytes, 48, 0x31);
    field_bytes(out, "id_key_digest", bytes, 48);
    gm_fill(bytes, 48, 0x32);
    field_bytes(out, "author_key_digest", bytes, 48);
    field_bytes(out, "report_id", g->report_id, 32);
    gm_fill(bytes, 32, 0x33);
    field_bytes(out, "report_id_ma", bytes, 32);
}

static void
report__every_field__as_an_independent_decoder_reads_it(void **state)
{
    const struct profile_row *row = *state;
    struct gm *gm = gm_new(row->name);
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];
    char *out;

    make_rich(gm);
    assert_int_equal(ask(gm, 2, SNP_KEY_SEL_AUTO, rsp), SEV_SUCCESS);
    assert_hex_equal(rsp, "00000000a0040000", 8);
    assert_true(psp_all_zero(rsp + 8, 0x18));
    out = oracle(rsp, &gm->snp.vcek);
    check_platform_fields(out, row);
    check_guest_fields(out, gm->self);
    free(out);
    gm_free(gm);
}

static void report__no_id_block__its_fields_are_zero(void **state)
{
    struct gm *gm = gm_new("milan");
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    assert_int_equal(ask(gm, 0, SNP_KEY_SEL_AUTO, rsp), SEV_SUCCESS);
    assert_true(psp_all_zero(rsp + REPORT + 0x04, 4));    /* GUEST_SVN */
    assert_true(psp_all_zero(rsp + REPORT + 0x10, 0x20)); /* FAMILY, IMAGE */
    assert_true(psp_all_zero(rsp + REPORT + 0xe0, 0x60)); /* digests */
    assert_int_equal(rsp[REPORT + 0x48], 0);              /* KEY_INFO */
    assert_hex_equal(rsp + REPORT + 0x160, "ffffffffffffffff", 8);
    gm_free(gm);
}

static void report__vlek__signed_by_it(void **state)
{
    struct gm *gm = gm_new("milan");
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];
    char *out;

    (void)state;
    load_vlek(gm);
    gm->snp.mask_chip_id = true; /* as clouds do: abi/snp.md §7.5 */
    assert_int_equal(ask(gm, 0, SNP_KEY_SEL_AUTO, rsp), SEV_SUCCESS);
    out = oracle(rsp, &gm->snp.vlek);
    field(out, "key_info", "4");
    free(out);
    assert_true(psp_all_zero(rsp + REPORT + 0x1a0, 64));
    gm_free(gm);
}

static void report__mask_chip_key__unsigned(void **state)
{
    struct gm *gm = gm_new("milan");
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];
    char *out;

    (void)state;
    gm->snp.mask_chip_key = true;
    assert_int_equal(ask(gm, 0, SNP_KEY_SEL_VCEK, rsp), SEV_SUCCESS);
    out = oracle(rsp, NULL);
    field(out, "key_info", "30"); /* mask, signing key 7 */
    field(out, "signature_algo", "1");
    free(out);
    gm_free(gm);
}

static void report__other_reported_tcb__signed_by_its_vcek(void **state)
{
    struct gm *gm = gm_new("milan");
    struct psp_tcb tcb = gm->snp.reported_tcb;
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];
    struct psp_p384_key key;
    uint8_t seed[48];
    char *out;

    (void)state;
    tcb.b[7] -= 2;
    assert_int_equal(snp_set_reported(&gm->snp, &tcb), PSP_OK);
    assert_int_equal(ask(gm, 0, SNP_KEY_SEL_AUTO, rsp), SEV_SUCCESS);
    pki_vcek_seed(gm->core.chip.secret, &tcb, seed);
    assert_int_equal(pki_vcek_from_seed(seed, &key), PSP_OK);
    out = oracle(rsp, &key);
    field(out, "reported_tcb", "04000000000018d9");
    field(out, "current_tcb", "04000000000018db");
    free(out);
    gm_free(gm);
}

/* abi/snp.md §11.4: chip secret 00..2f and the Milan TCB give this VCEK. */
static void report__sheet_chip__signed_by_sheet_vcek(void **state)
{
    struct gm *gm = gm_new("milan");
    struct psp_p384_key key;
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    tst_hex("633c9cbd693e7ca7ec4b6b8e720b2ea2ee296431fcff5232f9e668210896ef43"
            "dc9f274e0c2546fa81649f377f62ab61",
            key.pub.x, 48);
    tst_hex("5ec52ab0878b0dd3706a1f765c6c20569606d4d039e499cba71800a6647e09b4"
            "a848705abc295a46b1b565124b868052",
            key.pub.y, 48);
    assert_int_equal(ask(gm, 0, SNP_KEY_SEL_AUTO, rsp), SEV_SUCCESS);
    free(oracle(rsp, &key));
    gm_free(gm);
}

static void report__vcek_not_derived_yet__derived(void **state)
{
    struct gm *gm = gm_new("milan");
    struct psp_p384_key key = gm->snp.vcek;
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    memset(&gm->snp.vcek, 0, sizeof(gm->snp.vcek));
    gm->snp.vcek_ready = false;
    assert_int_equal(ask(gm, 0, SNP_KEY_SEL_AUTO, rsp), SEV_SUCCESS);
    free(oracle(rsp, &key));
    gm_free(gm);
}

static void report__same_inputs__same_bytes(void **state)
{
    uint8_t rsp[2][SNP_MSG_MAX_PAYLOAD];

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct gm *gm = gm_new("turin");

        assert_int_equal(ask(gm, 0, SNP_KEY_SEL_AUTO, rsp[i]), SEV_SUCCESS);
        gm_free(gm);
    }
    assert_memory_equal(rsp[0], rsp[1], RSP_SIZE);
}

static void report__platform_info__follows_the_platform(void **state)
{
    struct gm *gm = gm_new("genoa");
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    gm->snp.rapl_dis = true;
    gm->snp.ciphertext_hiding_en = true;
    assert_int_equal(ask(gm, 0, SNP_KEY_SEL_AUTO, rsp), SEV_SUCCESS);
    assert_hex_equal(rsp + REPORT + 0x40, "3d00000000000000", 8);
    gm_free(gm);
}

static void report__chip_id_size_of_a_wild_profile__bounded(void **state)
{
    struct gm *gm = gm_new("milan");
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    gm->core.profile.chip_id_size = 255;
    assert_int_equal(ask(gm, 0, SNP_KEY_SEL_AUTO, rsp), SEV_SUCCESS);
    assert_memory_equal(rsp + REPORT + 0x1a0, gm->core.chip.id, 64);
    gm_free(gm);
}

/* Which key: 0 VCEK, 1 VLEK, 7 none; 27h: refused. abi/snp.md §7.3, §7.5 */
#define REFUSED SEV_INVALID_KEY

struct key_row {
    uint8_t key_sel;
    bool vlek;
    bool vcek_dis;
    uint8_t open;   /* with MASK_CHIP_KEY 0 */
    uint8_t masked; /* with MASK_CHIP_KEY 1 */
};

static const struct key_row KEYS[] = {
    {0, false, false, 0, 7},
    {0, false, true, REFUSED, REFUSED},
    {0, true, false, 1, 1},
    {0, true, true, 1, 1},
    {1, false, false, 0, 7},
    {1, false, true, REFUSED, REFUSED},
    {1, true, false, 0, 7},
    {1, true, true, REFUSED, REFUSED},
    {2, false, false, REFUSED, REFUSED},
    {2, false, true, REFUSED, REFUSED},
    {2, true, false, 1, 1},
    {2, true, true, 1, 1},
    {3, false, false, REFUSED, REFUSED},
    {3, false, true, REFUSED, REFUSED},
    {3, true, false, REFUSED, REFUSED},
    {3, true, true, REFUSED, REFUSED},
};

#define KEY_COUNT (sizeof(KEYS) / sizeof(KEYS[0]))

static bool signed_by(const uint8_t *rsp, const struct psp_p384_key *key)
{
    struct psp_p384_sig sig;
    uint8_t digest[48];

    psp_sha384(rsp + REPORT, 0x2a0, digest);
    psp_reverse(sig.r, rsp + REPORT + 0x2a0, 48);
    psp_reverse(sig.s, rsp + REPORT + 0x2e8, 48);
    return psp_p384_verify(&key->pub, digest, &sig);
}

static void check_signer(struct gm *gm, const struct key_row *row, bool mask)
{
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];
    uint8_t want = mask ? row->masked : row->open;
    uint32_t status;

    gm->snp.mask_chip_key = mask;
    status = ask(gm, 0, row->key_sel, rsp);
    if (want == REFUSED) {
        assert_int_equal(status, SEV_INVALID_KEY);
        assert_true(psp_all_zero(rsp + 4, RSP_SIZE - 4));
        return;
    }
    assert_int_equal(status, SEV_SUCCESS);
    assert_int_equal(rsp[REPORT + 0x48], (want << 2 | (mask ? 2 : 0)));
    assert_int_equal(signed_by(rsp, &gm->snp.vcek), want == 0);
    assert_int_equal(signed_by(rsp, &gm->snp.vlek), want == 1);
    assert_int_equal(psp_all_zero(rsp + REPORT + 0x2a0, 0x200), want == 7);
}

static void report__key_sel__its_signer_or_27h(void **state)
{
    const struct key_row *row = *state;
    struct gm *gm = gm_new("milan");

    if (row->vlek) {
        load_vlek(gm);
    }
    gm->self->vcek_dis = row->vcek_dis;
    check_signer(gm, row, false);
    check_signer(gm, row, true);
    gm_free(gm);
}

/* VMPL of the request against the VMPCK it came with. */
static void report__vmpl_and_vmpck__only_as_privileged_as_the_key(void **state)
{
    static const uint32_t vmpl[] = {0, 1,   2,          3,         4,
                                    5, 255, 0x80000000, 0xffffffff};
    struct gm *gm = gm_new("milan");
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    gm->snp.mask_chip_key = true; /* no signature: quicker */
    for (uint8_t vmpck = 0; vmpck < SNP_VMPCK_COUNT; vmpck++) {
        for (size_t i = 0; i < sizeof(vmpl) / sizeof(vmpl[0]); i++) {
            struct gm_request req = request(gm, vmpck, vmpl[i], 0);
            bool ok = vmpl[i] >= vmpck && vmpl[i] < 4;

            assert_int_equal(gm_answer(gm, &req, RSP_SIZE, rsp),
                             ok ? SEV_SUCCESS : SEV_INVALID_PARAM);
            if (ok) {
                assert_int_equal(rsp[REPORT + 0x30], vmpl[i]);
            } else {
                assert_true(psp_all_zero(rsp + 4, RSP_SIZE - 4));
            }
        }
    }
    gm_free(gm);
}

static void report__each_reserved_bit__invalid_param(void **state)
{
    struct gm *gm = gm_new("milan");
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    for (size_t bit = 0x44 * 8 + 2; bit < 0x60 * 8; bit++) {
        struct gm_request req = request(gm, 0, 0, 0);

        req.payload[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(gm_answer(gm, &req, RSP_SIZE, rsp), SEV_INVALID_PARAM);
        assert_true(psp_all_zero(rsp + 4, RSP_SIZE - 4));
    }
    gm_free(gm);
}

static void report__reserved_bit_and_bad_key__invalid_param_first(void **state)
{
    struct gm *gm = gm_new("milan");
    struct gm_request req = request(gm, 0, 0, SNP_KEY_SEL_RESERVED);
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    req.payload[0x5f] = 0x80;
    assert_int_equal(gm_answer(gm, &req, RSP_SIZE, rsp), SEV_INVALID_PARAM);
    gm_free(gm);
}

static void report__bad_key_and_bad_vmpl__invalid_key_first(void **state)
{
    struct gm *gm = gm_new("milan");
    struct gm_request req = request(gm, 1, 0, SNP_KEY_SEL_VLEK);
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    assert_int_equal(gm_answer(gm, &req, RSP_SIZE, rsp), SEV_INVALID_KEY);
    gm_free(gm);
}

static const struct CMUnitTest PLAIN[] = {
    cmocka_unit_test(report__no_id_block__its_fields_are_zero),
    cmocka_unit_test(report__vlek__signed_by_it),
    cmocka_unit_test(report__mask_chip_key__unsigned),
    cmocka_unit_test(report__other_reported_tcb__signed_by_its_vcek),
    cmocka_unit_test(report__sheet_chip__signed_by_sheet_vcek),
    cmocka_unit_test(report__vcek_not_derived_yet__derived),
    cmocka_unit_test(report__same_inputs__same_bytes),
    cmocka_unit_test(report__platform_info__follows_the_platform),
    cmocka_unit_test(report__chip_id_size_of_a_wild_profile__bounded),
    cmocka_unit_test(report__vmpl_and_vmpck__only_as_privileged_as_the_key),
    cmocka_unit_test(report__each_reserved_bit__invalid_param),
    cmocka_unit_test(report__reserved_bit_and_bad_key__invalid_param_first),
    cmocka_unit_test(report__bad_key_and_bad_vmpl__invalid_key_first),
};

#define PLAIN_COUNT (sizeof(PLAIN) / sizeof(PLAIN[0]))

int main(void)
{
    static char names[PROFILE_COUNT + KEY_COUNT][96];
    static struct CMUnitTest tests[PLAIN_COUNT + PROFILE_COUNT + KEY_COUNT];
    size_t n = PLAIN_COUNT;
    char(*name)[96] = names;

    memcpy(tests, PLAIN, sizeof(PLAIN));
    for (size_t i = 0; i < PROFILE_COUNT; i++) {
        snprintf(*name, sizeof(*name), "report__%s__every_field",
                 PROFILES[i].name);
        tests[n++] = gm_row(
            *name++, report__every_field__as_an_independent_decoder_reads_it,
            &PROFILES[i]);
    }
    for (size_t i = 0; i < KEY_COUNT; i++) {
        snprintf(*name, sizeof(*name), "report__key_sel_%u%s%s__its_signer",
                 KEYS[i].key_sel, KEYS[i].vlek ? "_vlek" : "",
                 KEYS[i].vcek_dis ? "_vcek_dis" : "");
        tests[n++] =
            gm_row(*name++, report__key_sel__its_signer_or_27h, &KEYS[i]);
    }
    return _cmocka_run_group_tests("snp/report", tests, n, NULL, NULL);
}
