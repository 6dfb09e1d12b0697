/* SPDX-License-Identifier: Apache-2.0 */
/* Launch: session, measurement, secret, attestation. Statuses in the sheet's
 * order, the known answers of abi/sev.md §11, and a guest owner in Python. */
#include "sev_host.h"

#include "sev_internal.h"

static void counting(uint8_t *out, uint8_t first, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        out[i] = (uint8_t)(first + i);
    }
}

static void small_key(uint8_t d, struct psp_p384_key *key)
{
    uint8_t less = (uint8_t)(d - 1);

    assert_int_equal(psp_p384_from_bytes(&less, 1, key), PSP_OK);
}

static void dh_cert(const struct psp_p384_key *key, uint8_t out[SEV_CERT_SIZE])
{
    struct sev_cert cert;

    sev_cert_init(&cert);
    cert.pubkey_usage = SEV_USAGE_PDH;
    cert.pubkey_algo = SEV_ALGO_ECDH_SHA256;
    sev_cert_set_ec(&cert, SEV_CURVE_P384, key->pub.x, key->pub.y);
    sev_cert_encode(&cert, out);
}

/* The end-to-end vector of §11.3: GODH d = 5, PDH d = 7, PEK d = 9. */
static const char VECTOR_SESSION[] =
    "000102030405060708090a0b0c0d0e0f"
    "ee6018a09c3112f0d78cb7afb725aee7f8bb2b88219947770ffceec6a95e79fb"
    "303132333435363738393a3b3c3d3e3f"
    "e8290a6751432687322445a132ddffd787c2449f0aa4d6c79078fa6d99f102c9"
    "18ae664352701bbdbf8ecfa2e0cb740bf8754f42df613bdffb55de31fa6b460c";

struct vector {
    struct sh *h;
    uint8_t session[SEV_SESSION_SIZE];
    uint8_t godh[SEV_CERT_SIZE];
};

static void vector_new(struct vector *v)
{
    struct psp_p384_key key;
    struct sh *h = sh_new_off("milan", 1);

    h->config.profile.build = 21; /* API 1.55 build 21 */
    sh_power_on(h);
    sh_up(h);
    small_key(5, &key);
    dh_cert(&key, v->godh);
    small_key(7, &h->sev.keys.pdh);
    small_key(9, &h->sev.keys.pek);
    tst_hex(VECTOR_SESSION, v->session, sizeof(v->session));
    v->h = h;
}

static enum sev_status start_with(struct sh *h, uint32_t policy,
                                  const uint8_t *godh, const uint8_t *session,
                                  uint32_t *handle)
{
    struct sev_cmd_start c = {.policy = policy,
                              .cert_paddr = SH_IN,
                              .cert_length = SEV_CERT_SIZE,
                              .session_paddr = SH_IN2,
                              .session_length = SEV_SESSION_SIZE};
    enum sev_status status;

    memcpy(h->memory + SH_IN, godh, SEV_CERT_SIZE);
    memcpy(h->memory + SH_IN2, session, SEV_SESSION_SIZE);
    status = SH_DO(h, SEV_CMD_LAUNCH_START, start, &c);
    if (handle != NULL) {
        *handle = c.handle;
    }
    return status;
}

/* The platform's next random bytes: 16 bytes @first.. as MNONCE or IV. */
static int fixed_entropy(void *host, void *buf, size_t size)
{
    (void)host;
    counting(buf, 0x40, size);
    return 0;
}

static void vector__launch_measure_secret__sheet_values(void **state)
{
    static const struct psp_host_ops *was;
    struct psp_host_ops fixed;
    struct sev_cmd_transport secret = {.hdr_paddr = SH_IN,
                                       .hdr_length = 0x34,
                                       .guest_paddr = SH_GUEST,
                                       .guest_length = 16,
                                       .trans_paddr = SH_IN2,
                                       .trans_length = 16};
    const struct sev_guest *g;
    struct vector v;
    uint8_t data[32], seen[16];
    uint32_t handle;

    (void)state;
    vector_new(&v);
    assert_int_equal(start_with(v.h, 1, v.godh, v.session, &handle),
                     SEV_SUCCESS);
    g = sev_guest_find(&v.h->sev, handle);
    assert_hex_equal(g->transport.ms, "076efb48fa20ddddf2075ea67dad3c63", 16);
    counting(data, 0x10, 16);
    assert_memory_equal(g->transport.tek, data, 16);
    counting(data, 0x20, 16);
    assert_memory_equal(g->transport.tik, data, 16);

    assert_int_equal(sh_activate(v.h, handle, SH_ASID), SEV_SUCCESS);
    counting(v.h->memory + SH_GUEST, 0, 32);
    assert_int_equal(sh_update(v.h, handle, SH_GUEST, 32), SEV_SUCCESS);
    fixed = v.h->ops;
    fixed.entropy = fixed_entropy;
    was = v.h->core.ops;
    v.h->core.ops = &fixed;
    sh_measure(v.h, handle);
    v.h->core.ops = was;
    assert_hex_equal(
        v.h->memory + SH_OUT,
        "804e2e6dbcd24603acd718892960b7d49780909caa9976fcd16f826365335c0a"
        "404142434445464748494a4b4c4d4e4f",
        48);
    assert_hex_equal(
        g->launch_digest,
        "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd", 32);

    tst_hex("00000000505152535455565758595a5b5c5d5e5f"
            "e59db5c25fdeb09c13b983209d6ecba821854c5eb1d195c7613f50b0613ff637",
            v.h->memory + SH_IN, 52);
    tst_hex("c18176a49c6e841bfc46da22bce8f254", v.h->memory + SH_IN2, 16);
    secret.handle = handle;
    assert_int_equal(SH_DO(v.h, SEV_CMD_LAUNCH_SECRET, transport, &secret),
                     SEV_SUCCESS);
    sh_guest_read(v.h, SH_ASID, SH_GUEST, seen, 16);
    assert_memory_equal(seen, "secret-injection", 16);
    sh_free(v.h);
}

/* The public MACs of §11.2, through the functions that make them. */
static void vector__sevctl_secret_packet__mac(void **state)
{
    struct sev_packet_header header = {.flags = 0};
    uint8_t cipher[64], measure[32], tik[16], mac[32], tek[16];

    (void)state;
    tst_hex("52a869b79ab9c13bb6a92b0561619cb3", tek, 16);
    tst_hex("c6d5a9956133050912b24bbe5c372686", tik, 16);
    tst_hex("ac5474ed4dd32c7d989ec523d92559ec", header.iv, 16);
    tst_hex("4cb780efad3b959427b4b8d1635fe2fac6ed75267eef9cf1a73e0fc7d873a412",
            measure, 32);
    tst_hex("d14ddee4f717bf4516f87e2d48114a39d0987ca135fa3dfc05cd9fb8ed7a9988"
            "b223eb16c7b20d7e7fa58188f9e862f5db2ca29c36be9557c20b00ffdb0e5c3c",
            cipher, 64);
    sev_packet_mac(SEV_MAC_SECRET, &header, 64, 64, cipher, 64, measure, tik,
                   mac);
    assert_hex_equal(
        mac, "bc152cde610e17f0aef557334a2d4fca42c22c4312e3b5b85a3d47b0aac857e5",
        32);
    psp_aes128_ctr(tek, header.iv, cipher, 64, cipher);
    assert_hex_equal(cipher, "42f5741edd71664d963eef4287ff173b", 16);
}

static void vector__sevctl_measurement__mac(void **state)
{
    struct psp_profile profile = *psp_profile_by_name("milan");
    uint8_t tik[16], mnonce[16], digest[32], mac[32];

    (void)state;
    profile.api_minor = 40;
    profile.build = 40;
    tst_hex("3569cf61a32a602b87185ac6e0f55913", tik, 16);
    tst_hex("c313fab511c216b1505b1b2ea9903c40", mnonce, 16);
    tst_hex("c64bd101fc9a4a2ce0a27c408d9200911f139a895469b04a40a6fa2890830d23",
            digest, 32);
    sev_launch_mac(&profile, 3, digest, mnonce, tik, mac);
    assert_hex_equal(
        mac, "96cc1bc56c48f60724c9ad7a250bdd16da5898d3b86fede29c03e9aac828048e",
        32);
}

/* §11.2: TEK, TIK, IV and nonce zero, and a Z of zeros. */
static void vector__session_of_zeros__wrap_and_macs(void **state)
{
    uint8_t zero[48] = {0}, ms[16], kek[16], kik[16], wrapped[32], mac[32];
    const struct psp_part tk = {wrapped, 32}, policy = {zero, 4};

    (void)state;
    psp_kdf_sha256_le(zero, 48, "sev-master-secret", zero, 16, ms, 16);
    psp_kdf_sha256_le(ms, 16, "sev-kek", NULL, 0, kek, 16);
    psp_kdf_sha256_le(ms, 16, "sev-kik", NULL, 0, kik, 16);
    psp_aes128_ctr(kek, zero, zero, 32, wrapped);
    assert_hex_equal(
        wrapped,
        "2137bc7f9bb8bd7c3e55a576a15d3454b3856b8ba27afadf46dcfee9f02c02c4", 32);
    psp_hmac_sha256(kik, 16, &tk, 1, mac);
    assert_hex_equal(
        mac, "3176c0752738bd9d5e86689534020f528c088f16238826b000b327dee6aeed7d",
        32);
    psp_hmac_sha256(zero, 16, &policy, 1, mac);
    assert_hex_equal(
        mac, "aa7855e13839dd767cd5da7c1ff5036540c9264b7a803029315e55375287b4af",
        32);
}

static void vector__send_update_packet__mac(void **state)
{
    struct sev_packet_header header = {.flags = 0};
    uint8_t cipher[16], tik[16], mac[32];

    (void)state;
    counting(tik, 0x20, 16);
    counting(header.iv, 0x50, 16);
    tst_hex("c18176a49c6e841bfc46da22bce8f254", cipher, 16);
    sev_packet_mac(SEV_MAC_DATA, &header, 16, 16, cipher, 16, NULL, tik, mac);
    assert_hex_equal(
        mac, "7abb5fb866657c4137272e51e502026b12ac132dff6fbb659cdba792ea504d74",
        32);
}

struct measure_vector {
    const char *name;
    uint8_t major, minor, build;
    uint32_t policy;
    const char *tik, *mnonce, *data_digest, *want;
};

static const struct measure_vector MEASURES[] = {
    {"sev-tool and virtee", 0, 18, 15, 0, "66320db73158a35a255d051758e95ed4",
     "4fbe0bedbad6c86ae8f68971d103e554",
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     "6faab2daae389bcd3405a05d6cafe33c0414f7bedd0bae19ba5f38b7fd1664ea"},
};

static uint8_t mnonce_fixed[16];
static int entropy_mnonce(void *host, void *buf, size_t size)
{
    (void)host;
    assert_int_equal(size, 16);
    memcpy(buf, mnonce_fixed, 16);
    return 0;
}

static void test_measure_vector(void **state)
{
    const struct measure_vector *m = *state;
    struct sh *h = sh_new_off("milan", 1);
    struct sev_guest *g;
    uint32_t handle;

    h->config.profile.api_major = m->major;
    h->config.profile.api_minor = m->minor;
    h->config.profile.build = m->build;
    sh_power_on(h);
    sh_up(h);
    handle = sh_launch(h, m->policy);
    g = sev_guest_find(&h->sev, handle);
    tst_hex(m->tik, g->transport.tik, 16);
    tst_hex(m->mnonce, mnonce_fixed, 16);
    h->ops.entropy = entropy_mnonce;
    sh_measure(h, handle);
    assert_hex_equal(h->memory + SH_OUT, m->want, 32);
    assert_hex_equal(h->memory + SH_OUT + 32, m->mnonce, 16);
    assert_hex_equal(g->launch_digest, m->data_digest, 32);
    sh_free(h);
}

static void start__mended_step_by_step__statuses_in_order(void **state)
{
    static const uint32_t ids[] = {SEV_CMD_LAUNCH_START, SEV_CMD_RECEIVE_START};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct sev_cmd_start c = {.handle = 77,
                                  .policy = 1,
                                  .cert_paddr = SH_MEMORY,
                                  .cert_length = 0x823,
                                  .reserved = 9,
                                  .session_paddr = SH_MEMORY - 0x7f,
                                  .session_length = 0x7f};
        struct vector v;
        struct sh *h;
        uint8_t *cert, *session;

        vector_new(&v);
        h = v.h;
        cert = h->memory + SH_IN;
        session = h->memory + SH_IN2;
        h->core.sev_state = SEV_PLATFORM_UNINIT;
        SH_REFUSE(h, ids[i], start, &c, SEV_INVALID_PLATFORM_STATE);
        h->core.sev_state = SEV_PLATFORM_INIT;
        SH_REFUSE(h, ids[i], start, &c, SEV_INVALID_LENGTH);
        c.session_length = 0x81;
        SH_REFUSE(h, ids[i], start, &c, SEV_INVALID_LENGTH);
        c.session_length = 0x80;
        SH_REFUSE(h, ids[i], start, &c, SEV_INVALID_ADDRESS);
        c.session_paddr = SH_IN2;
        SH_REFUSE(h, ids[i], start, &c, SEV_INVALID_LENGTH);
        c.cert_length = 0x824;
        SH_REFUSE(h, ids[i], start, &c, SEV_INVALID_ADDRESS);
        c.cert_paddr = SH_IN;
        memcpy(cert, v.godh, SEV_CERT_SIZE);
        memcpy(session, v.session, SEV_SESSION_SIZE);
        session[0x40] ^= 1;
        session[0x60] ^= 1;
        cert[0] = 2; /* version */
        SH_REFUSE(h, ids[i], start, &c, SEV_INVALID_CERTIFICATE);
        cert[0] = 1;
        cert[8] = 2; /* usage PEK */
        SH_REFUSE(h, ids[i], start, &c, SEV_INVALID_CERTIFICATE);
        cert[8] = 3;
        cert[12] = 2; /* ECDSA */
        SH_REFUSE(h, ids[i], start, &c, SEV_INVALID_CERTIFICATE);
        cert[12] = 3;
        cert[13] = 1; /* ECDH_SHA384 */
        SH_REFUSE(h, ids[i], start, &c, SEV_INVALID_CERTIFICATE);
        cert[13] = 0;
        cert[16] = 1; /* P-256 */
        SH_REFUSE(h, ids[i], start, &c, SEV_INVALID_CERTIFICATE);
        cert[16] = 2;
        cert[20] ^= 1; /* off the curve */
        SH_REFUSE(h, ids[i], start, &c, SEV_INVALID_CERTIFICATE);
        cert[20] ^= 1;
        SH_REFUSE(h, ids[i], start, &c, SEV_BAD_MEASUREMENT);
        session[0x40] ^= 1;
        SH_REFUSE(h, ids[i], start, &c, SEV_BAD_MEASUREMENT);
        session[0x60] ^= 1;
        SH_REFUSE(h, ids[i], start, &c, SEV_INVALID_GUEST);
        c.handle = 0;
        assert_int_equal(SH_DO(h, ids[i], start, &c), SEV_SUCCESS);
        assert_int_equal(c.handle, 1);
        assert_int_equal(c.reserved, 9);
        assert_int_equal(sh_guest_state(h, 1),
                         i == 0 ? SEV_GUEST_LUPDATE : SEV_GUEST_RUPDATE);
        assert_int_equal(sh_status(h).state, 2);
        sh_free(h);
    }
}

/* Every byte of the session is under one of its checks. */
static void session__any_bit_flipped__refused(void **state)
{
    struct vector v;

    (void)state;
    vector_new(&v);
    for (size_t i = 0; i < SEV_SESSION_SIZE; i++) {
        struct sh_snapshot before;

        v.session[i] ^= (uint8_t)(1u << (i % 8));
        memcpy(v.h->memory + SH_IN, v.godh, SEV_CERT_SIZE);
        before = sh_snapshot(v.h);
        assert_int_equal(start_with(v.h, 1, v.godh, v.session, NULL),
                         SEV_BAD_MEASUREMENT);
        sh_unchanged(v.h, before);
        v.session[i] ^= (uint8_t)(1u << (i % 8));
    }
    assert_int_equal(start_with(v.h, 0, v.godh, v.session, NULL),
                     SEV_BAD_MEASUREMENT); /* another policy */
    assert_int_equal(start_with(v.h, 1, v.godh, v.session, NULL), SEV_SUCCESS);
    sh_free(v.h);
}

static void session__after_pdh_gen__useless(void **state)
{
    struct vector v;

    (void)state;
    vector_new(&v);
    assert_int_equal(sh_plain(v.h, SEV_CMD_PDH_GEN), SEV_SUCCESS);
    assert_int_equal(start_with(v.h, 1, v.godh, v.session, NULL),
                     SEV_BAD_MEASUREMENT);
    sh_free(v.h);
}

/* Signatures of a guest owner's certificate mean nothing. */
static void godh__any_signature__accepted(void **state)
{
    struct vector v;

    (void)state;
    vector_new(&v);
    memset(v.godh + 0x414, 0x5a, SEV_CERT_SIZE - 0x414);
    v.godh[4] = 0x77; /* API version */
    v.godh[6] = 0x77; /* reserved */
    assert_int_equal(start_with(v.h, 1, v.godh, v.session, NULL), SEV_SUCCESS);
    sh_free(v.h);
}

struct policy_case {
    const char *name;
    uint32_t policy;
    bool es; /* platform */
    enum sev_status status;
};

static const struct policy_case POLICIES[] = {
    {"zero", 0x00000000, true, SEV_SUCCESS},
    {"every flag", 0x0000003f, true, SEV_SUCCESS},
    {"bit 6", 0x00000040, true, SEV_POLICY_FAILURE},
    {"bit 7", 0x00000080, true, SEV_POLICY_FAILURE},
    {"bit 8", 0x00000100, true, SEV_POLICY_FAILURE},
    {"bit 9", 0x00000200, true, SEV_POLICY_FAILURE},
    {"bit 10", 0x00000400, true, SEV_POLICY_FAILURE},
    {"bit 11", 0x00000800, true, SEV_POLICY_FAILURE},
    {"bit 12", 0x00001000, true, SEV_POLICY_FAILURE},
    {"bit 13", 0x00002000, true, SEV_POLICY_FAILURE},
    {"bit 14", 0x00004000, true, SEV_POLICY_FAILURE},
    {"bit 15", 0x00008000, true, SEV_POLICY_FAILURE},
    {"same version", 0x37010000, true, SEV_SUCCESS},
    {"minor above", 0x38010000, true, SEV_POLICY_FAILURE},
    {"major above", 0x00020000, true, SEV_POLICY_FAILURE},
    {"major below, minor above", 0xff000000, true, SEV_SUCCESS},
    {"ES on a platform without", 0x00000004, false, SEV_UNSUPPORTED},
    {"ES and a reserved bit", 0x00000044, false, SEV_POLICY_FAILURE},
    {"no ES on a platform without", 0x00000001, false, SEV_SUCCESS},
};

static void test_policy(void **state)
{
    const struct policy_case *p = *state;
    struct sev_cmd_start c = {.policy = p->policy};
    struct sh *h = sh_new("milan", 1);

    sh_up(h);
    h->sev.es = p->es;
    if (p->status == SEV_SUCCESS) {
        assert_int_equal(SH_DO(h, SEV_CMD_LAUNCH_START, start, &c),
                         SEV_SUCCESS);
    } else {
        SH_REFUSE(h, SEV_CMD_LAUNCH_START, start, &c, p->status);
    }
    sh_free(h);
}

static void start__shares_the_key_of_a_guest__same_vek(void **state)
{
    struct sev_cmd_start c = {.policy = 0};
    struct sh *h = sh_new("milan", 1);
    uint32_t a, noks;

    (void)state;
    sh_up(h);
    a = sh_launch(h, 0);
    noks = sh_launch(h, SEV_POLICY_NOKS);
    c.handle = a;
    c.policy = 1;
    SH_REFUSE(h, SEV_CMD_LAUNCH_START, start, &c, SEV_POLICY_FAILURE);
    c.handle = noks;
    c.policy = SEV_POLICY_NOKS;
    SH_REFUSE(h, SEV_CMD_LAUNCH_START, start, &c, SEV_POLICY_FAILURE);
    c.handle = a;
    c.policy = 0;
    assert_int_equal(SH_DO(h, SEV_CMD_LAUNCH_START, start, &c), SEV_SUCCESS);
    assert_int_equal(c.handle, 3);
    assert_memory_equal(sev_guest_find(&h->sev, a)->vek,
                        sev_guest_find(&h->sev, 3)->vek, 32);
    assert_memory_not_equal(sev_guest_find(&h->sev, a)->vek,
                            sev_guest_find(&h->sev, noks)->vek, 32);
    sh_free(h);
}

static void update__mended_step_by_step__statuses_in_order(void **state)
{
    struct sev_cmd_range c = {
        .handle = 77, .reserved = 5, .paddr = SH_MEMORY + 8, .length = 0};
    struct sh *h = sh_new("milan", 1);
    uint32_t a, measured;

    (void)state;
    SH_REFUSE(h, SEV_CMD_LAUNCH_UPDATE_DATA, range, &c,
              SEV_INVALID_PLATFORM_STATE);
    sh_up(h);
    measured = sh_guest_in(h, SEV_GUEST_LSECRET, 0, 0);
    a = sh_launch(h, 0);
    SH_REFUSE(h, SEV_CMD_LAUNCH_UPDATE_DATA, range, &c, SEV_INVALID_GUEST);
    c.handle = measured;
    SH_REFUSE(h, SEV_CMD_LAUNCH_UPDATE_DATA, range, &c,
              SEV_INVALID_GUEST_STATE);
    c.handle = a;
    SH_REFUSE(h, SEV_CMD_LAUNCH_UPDATE_DATA, range, &c, SEV_INACTIVE);
    assert_int_equal(sh_activate(h, a, SH_ASID), SEV_SUCCESS);
    SH_REFUSE(h, SEV_CMD_LAUNCH_UPDATE_DATA, range, &c, SEV_INVALID_ADDRESS);
    c.paddr = SH_MEMORY - 0x10;
    SH_REFUSE(h, SEV_CMD_LAUNCH_UPDATE_DATA, range, &c, SEV_INVALID_LENGTH);
    c.length = 0x18;
    SH_REFUSE(h, SEV_CMD_LAUNCH_UPDATE_DATA, range, &c, SEV_INVALID_LENGTH);
    c.length = 0x20;
    SH_REFUSE(h, SEV_CMD_LAUNCH_UPDATE_DATA, range, &c, SEV_INVALID_ADDRESS);
    c.length = 0xfffffff0; /* far beyond the end */
    SH_REFUSE(h, SEV_CMD_LAUNCH_UPDATE_DATA, range, &c, SEV_INVALID_ADDRESS);
    c.length = 0x10;
    assert_int_equal(SH_DO(h, SEV_CMD_LAUNCH_UPDATE_DATA, range, &c),
                     SEV_SUCCESS);
    sh_free(h);
}

static void update_vmsa__mended_step_by_step__statuses_in_order(void **state)
{
    const uint32_t id = SEV_CMD_LAUNCH_UPDATE_VMSA;
    struct sev_cmd_range c = {
        .handle = 77, .paddr = SH_MEMORY + 8, .length = 0xfff};
    struct sh *h = sh_new("milan", 1);
    uint32_t es, plain, measured;

    (void)state;
    SH_REFUSE(h, id, range, &c, SEV_INVALID_LENGTH); /* before the state */
    c.length = 0x1000;
    SH_REFUSE(h, id, range, &c, SEV_INVALID_PLATFORM_STATE);
    sh_up(h);
    plain = sh_launch(h, 0);
    es = sh_launch(h, SEV_POLICY_ES);
    measured = sh_guest_in(h, SEV_GUEST_LSECRET, 0, 0);
    SH_REFUSE(h, id, range, &c, SEV_INVALID_GUEST);
    c.handle = measured;
    SH_REFUSE(h, id, range, &c, SEV_INVALID_GUEST_STATE);
    c.handle = plain;
    SH_REFUSE(h, id, range, &c, SEV_UNSUPPORTED);
    c.handle = es;
    SH_REFUSE(h, id, range, &c, SEV_INACTIVE);
    assert_int_equal(sh_activate(h, es, SH_ASID_ES), SEV_SUCCESS);
    SH_REFUSE(h, id, range, &c, SEV_INVALID_ADDRESS);
    c.paddr = SH_MEMORY - 0x10;
    SH_REFUSE(h, id, range, &c, SEV_INVALID_ADDRESS);
    c.paddr = SH_GUEST;
    assert_int_equal(SH_DO(h, id, range, &c), SEV_SUCCESS);
    assert_int_equal(sev_guest_find(&h->sev, es)->vmsa_count, 1);
    sev_guest_find(&h->sev, es)->vmsa_count = SEV_VMSA_LIMIT;
    sev_guest_find(&h->sev, es)->vmsa_room = SEV_VMSA_LIMIT;
    assert_int_equal(SH_DO(h, id, range, &c), SEV_RESOURCE_LIMIT);
    sev_guest_find(&h->sev, es)->vmsa_count = 1;
    sev_guest_find(&h->sev, es)->vmsa_room = 8;
    sh_free(h);
}

static void update_vmsa__twenty_vcpus__all_known(void **state)
{
    struct sh *h = sh_new("milan", 1);
    const struct sev_guest *g;
    uint32_t a;

    (void)state;
    sh_up(h);
    a = sh_launch(h, SEV_POLICY_ES);
    g = sev_guest_find(&h->sev, a);
    assert_int_equal(sh_activate(h, a, SH_ASID_ES), SEV_SUCCESS);
    for (uint32_t i = 0; i < 20; i++) {
        struct sev_cmd_range c = {a, 0, SH_GUEST + i * 0x1000, 0x1000};

        assert_int_equal(SH_DO(h, SEV_CMD_LAUNCH_UPDATE_VMSA, range, &c),
                         SEV_SUCCESS);
        assert_int_equal(g->vmsa_count, i + 1);
    }
    for (uint32_t i = 0; i < 20; i++) {
        assert_non_null(sev_vmsa_find(g, SH_GUEST + i * 0x1000));
    }
    sh_free(h);
}

static void measure__mended_step_by_step__statuses_in_order(void **state)
{
    const uint32_t id = SEV_CMD_LAUNCH_MEASURE;
    struct sev_cmd_range c = {.handle = 77, .paddr = SH_MEMORY - 0x2f};
    struct sh *h = sh_new("milan", 1);
    uint32_t a;

    (void)state;
    SH_REFUSE(h, id, range, &c, SEV_INVALID_PLATFORM_STATE);
    sh_up(h);
    a = sh_launch(h, 0);
    SH_REFUSE(h, id, range, &c, SEV_INVALID_GUEST);
    c.handle = sh_guest_in(h, SEV_GUEST_RUNNING, 0, 0);
    SH_REFUSE(h, id, range, &c, SEV_INVALID_GUEST_STATE);
    c.handle = a;
    assert_int_equal(SH_DO(h, id, range, &c), SEV_INVALID_LENGTH);
    assert_int_equal(c.length, 0x30);
    c.length = 0x2f;
    assert_int_equal(SH_DO(h, id, range, &c), SEV_INVALID_LENGTH);
    assert_int_equal(c.length, 0x30);
    c.length = 0x31;
    SH_REFUSE(h, id, range, &c, SEV_INVALID_ADDRESS);
    c.paddr = SH_OUT;
    assert_int_equal(SH_DO(h, id, range, &c), SEV_SUCCESS);
    assert_int_equal(c.length, 0x31); /* the caller's value stays */
    assert_int_equal(h->memory[SH_OUT + 0x30], SH_UNTOUCHED);
    SH_REFUSE(h, id, range, &c, SEV_INVALID_GUEST_STATE);
    sh_free(h);
}

/* However the same bytes are cut, whatever their addresses. */
static void measure__same_bytes_cut_differently__same_digest(void **state)
{
    static const uint32_t cuts[][4] = {
        {0x40000, 0, 0, 0}, {0x10, 0x3fff0, 0, 0}, {0x1ff0, 0x20010, 0x1e000}};
    uint8_t *data = malloc(0x40000), first[32] = {0};

    (void)state;
    for (size_t i = 0; i < 0x40000; i++) {
        data[i] = (uint8_t)(i * 11 + (i >> 8));
    }
    for (size_t n = 0; n < 3; n++) {
        uint64_t at = SH_GUEST + 0x30 * n;
        struct sh *h = sh_new("milan", 1);
        uint32_t a, size = 0;
        uint8_t *seen = malloc(0x40000);

        sh_up(h);
        a = sh_launch(h, 0);
        assert_int_equal(sh_activate(h, a, SH_ASID), SEV_SUCCESS);
        memcpy(h->memory + at, data, 0x40000);
        for (size_t k = 0; k < 4 && cuts[n][k] != 0; k++) {
            assert_int_equal(sh_update(h, a, at + size, cuts[n][k]),
                             SEV_SUCCESS);
            size += cuts[n][k];
        }
        assert_int_equal(size, 0x40000);
        sh_measure(h, a);
        if (n == 0) {
            memcpy(first, sev_guest_find(&h->sev, a)->launch_digest, 32);
        }
        assert_memory_equal(sev_guest_find(&h->sev, a)->launch_digest, first,
                            32);
        for (size_t p = 0; p < 0x40000; p += 0x10) {
            assert_memory_not_equal(h->memory + at + p, data + p, 0x10);
        }
        for (size_t p = 0; p < 0x40000; p += 0x10) {
            sh_guest_read(h, SH_ASID, at + p, seen + p, 0x10);
        }
        assert_memory_equal(seen, data, 0x40000);
        free(seen);
        sh_free(h);
    }
    free(data);
}

static void secret__mended_step_by_step__statuses_in_order(void **state)
{
    const uint32_t id = SEV_CMD_LAUNCH_SECRET;
    struct sev_cmd_transport c = {.handle = 77,
                                  .reserved0 = 1,
                                  .hdr_paddr = SH_MEMORY,
                                  .hdr_length = 0x33,
                                  .guest_paddr = SH_GUEST + 8,
                                  .guest_length = 0,
                                  .trans_paddr = SH_MEMORY,
                                  .trans_length = 0};
    struct sh *h = sh_new("milan", 1);
    struct sev_packet_header header = {.flags = SEV_PACKET_COMPRESSED};
    uint8_t cipher[16] = {1};
    uint32_t a, running;
    struct sev_guest *g;

    (void)state;
    SH_REFUSE(h, id, transport, &c, SEV_INVALID_PLATFORM_STATE);
    sh_up(h);
    running = sh_running(h, 0, 0);
    a = sh_guest_in(h, SEV_GUEST_LSECRET, 0, 0);
    g = sev_guest_find(&h->sev, a);
    SH_REFUSE(h, id, transport, &c, SEV_INVALID_GUEST);
    c.handle = running;
    SH_REFUSE(h, id, transport, &c, SEV_INVALID_ADDRESS);
    c.guest_paddr = SH_MEMORY;
    SH_REFUSE(h, id, transport, &c, SEV_INVALID_LENGTH); /* header */
    c.hdr_length = 0x35;
    SH_REFUSE(h, id, transport, &c, SEV_INVALID_LENGTH);
    c.hdr_length = 0x34;
    SH_REFUSE(h, id, transport, &c, SEV_INVALID_LENGTH); /* zero */
    c.guest_length = c.trans_length = 8;
    SH_REFUSE(h, id, transport, &c, SEV_INVALID_LENGTH);
    c.guest_length = c.trans_length = 0x4010;
    SH_REFUSE(h, id, transport, &c, SEV_INVALID_LENGTH);
    c.guest_length = 0x20;
    c.trans_length = 0x10;
    SH_REFUSE(h, id, transport, &c, SEV_INVALID_LENGTH);
    c.guest_length = 0x10;
    SH_REFUSE(h, id, transport, &c, SEV_INVALID_GUEST_STATE);
    c.handle = a;
    SH_REFUSE(h, id, transport, &c, SEV_INACTIVE);
    assert_int_equal(sh_activate(h, a, SH_ASID), SEV_SUCCESS);
    SH_REFUSE(h, id, transport, &c, SEV_INVALID_ADDRESS);
    c.hdr_paddr = SH_IN;
    SH_REFUSE(h, id, transport, &c, SEV_INVALID_ADDRESS);
    c.guest_paddr = SH_GUEST;
    SH_REFUSE(h, id, transport, &c, SEV_INVALID_ADDRESS);
    c.trans_paddr = SH_IN2;
    memcpy(h->memory + SH_IN2, cipher, 16);
    sev_packet_header_encode(&header, h->memory + SH_IN);
    SH_REFUSE(h, id, transport, &c, SEV_BAD_MEASUREMENT);
    sev_packet_mac(SEV_MAC_SECRET, &header, 16, 16, cipher, 16, g->measure,
                   g->transport.tik, header.mac);
    sev_packet_header_encode(&header, h->memory + SH_IN);
    SH_REFUSE(h, id, transport, &c, SEV_UNSUPPORTED); /* after the MAC */
    header.flags = 0;
    sev_packet_mac(SEV_MAC_SECRET, &header, 16, 16, cipher, 16, NULL,
                   g->transport.tik, header.mac);
    sev_packet_header_encode(&header, h->memory + SH_IN);
    SH_REFUSE(h, id, transport, &c, SEV_BAD_MEASUREMENT); /* no MEASURE */
    sev_packet_mac(SEV_MAC_SECRET, &header, 16, 16, cipher, 16, g->measure,
                   g->transport.tik, header.mac);
    sev_packet_header_encode(&header, h->memory + SH_IN);
    assert_int_equal(SH_DO(h, id, transport, &c), SEV_SUCCESS);
    assert_int_equal(SH_DO(h, id, transport, &c), SEV_SUCCESS); /* again */
    sh_free(h);
}

static void finish__launch_keys__gone(void **state)
{
    struct sh *h = sh_new("milan", 1);
    const struct sev_guest *g;
    uint32_t a;

    (void)state;
    sh_up(h);
    a = sh_guest_in(h, SEV_GUEST_LSECRET, 0, 0);
    g = sev_guest_find(&h->sev, a);
    memset(&sev_guest_find(&h->sev, a)->transport, 1, sizeof(g->transport));
    assert_int_equal(sh_handle(h, SEV_CMD_LAUNCH_FINISH, a), SEV_SUCCESS);
    assert_true(psp_all_zero(&g->transport, sizeof(g->transport)));
    assert_true(psp_all_zero(&g->ld, sizeof(g->ld)));
    assert_false(psp_all_zero(g->launch_digest, 32));
    sh_free(h);
}

static void attestation__mended_step_by_step__statuses_in_order(void **state)
{
    const uint32_t id = SEV_CMD_ATTESTATION;
    struct sev_cmd_attestation c = {
        .handle = 77, .reserved = 3, .paddr = SH_MEMORY - 0xcf, .length = 0};
    struct sh *h = sh_new("milan", 1);
    uint32_t updating, a;

    (void)state;
    SH_REFUSE(h, id, attestation, &c, SEV_INVALID_PLATFORM_STATE);
    sh_up(h);
    SH_REFUSE(h, id, attestation, &c, SEV_INVALID_PLATFORM_STATE);
    updating = sh_launch(h, 0);
    a = sh_guest_in(h, SEV_GUEST_LSECRET, 0, 0);
    SH_REFUSE(h, id, attestation, &c, SEV_INVALID_GUEST);
    c.handle = updating;
    SH_REFUSE(h, id, attestation, &c, SEV_INVALID_GUEST_STATE);
    c.handle = a;
    assert_int_equal(SH_DO(h, id, attestation, &c), SEV_INVALID_LENGTH);
    assert_int_equal(c.length, 0xd0);
    c.length = 0xcf;
    assert_int_equal(SH_DO(h, id, attestation, &c), SEV_INVALID_LENGTH);
    assert_int_equal(c.length, 0xd0);
    assert_int_equal(c.paddr, SH_MEMORY - 0xcf);
    c.length = 0x1000;
    SH_REFUSE(h, id, attestation, &c, SEV_INVALID_ADDRESS);
    c.paddr = SH_OUT;
    assert_int_equal(SH_DO(h, id, attestation, &c), SEV_SUCCESS);
    assert_int_equal(c.length, 0xd0);
    assert_int_equal(c.reserved, 3);
    assert_int_equal(h->memory[SH_OUT + 0xd0], SH_UNTOUCHED);
    sh_free(h);
}

static void attest(struct sh *h, uint32_t handle, uint8_t first,
                   uint8_t report[SEV_REPORT_SIZE])
{
    struct sev_cmd_attestation c = {
        .handle = handle, .paddr = SH_OUT, .length = SEV_REPORT_SIZE};

    counting(c.mnonce, first, 16);
    assert_int_equal(SH_DO(h, SEV_CMD_ATTESTATION, attestation, &c),
                     SEV_SUCCESS);
    memcpy(report, h->memory + SH_OUT, SEV_REPORT_SIZE);
}

/* Equal inputs, equal bytes; another nonce, another signature; nothing else in
 * the platform changes. */
static void attestation__repeated__reproducible(void **state)
{
    uint8_t a[SEV_REPORT_SIZE], b[SEV_REPORT_SIZE];
    struct sh *h = sh_new("milan", 1);
    uint32_t handle;

    (void)state;
    sh_up(h);
    handle = sh_running(h, 1, 0);
    attest(h, handle, 0, a);
    attest(h, handle, 0, b);
    assert_memory_equal(a, b, sizeof(a));
    attest(h, handle, 1, b);
    assert_memory_not_equal(a + 0x40, b + 0x40, 144);
    assert_memory_equal(a + 0x10, b + 0x10, 0x30);
    sh_free(h);
}

/* §11.3: body of the report; its digest is what gets signed. */
static void attestation__vector_inputs__sheet_digest(void **state)
{
    uint8_t report[SEV_REPORT_SIZE], digest[32];
    struct vector v;
    uint32_t handle;

    (void)state;
    vector_new(&v);
    assert_int_equal(start_with(v.h, 1, v.godh, v.session, &handle),
                     SEV_SUCCESS);
    assert_int_equal(sh_activate(v.h, handle, SH_ASID), SEV_SUCCESS);
    counting(v.h->memory + SH_GUEST, 0, 32);
    assert_int_equal(sh_update(v.h, handle, SH_GUEST, 32), SEV_SUCCESS);
    sh_measure(v.h, handle);
    attest(v.h, handle, 0, report);
    psp_sha256(report, 52, digest);
    assert_hex_equal(
        digest,
        "3131e3cb0ff90434f11a082a6a9d1abe58799dda4701aa1021bb883f9986fa0e", 32);
    sh_free(v.h);
}

/* The signature is made outside the mailbox's lock: other commands come in
 * between, and the report is about the state at its beginning. */
static void attestation__in_three_steps__same_report(void **state)
{
    struct sev_cmd_attestation c = {.paddr = SH_OUT, .length = 0x200};
    uint8_t whole[SEV_REPORT_SIZE];
    struct sh *h = sh_new("milan", 1);
    enum sev_status status;
    struct sev_job job;

    (void)state;
    sh_up(h);
    c.handle = sh_running(h, 1, 0);
    attest(h, c.handle, 0, whole);
    memset(h->memory + SH_OUT, 0, SEV_REPORT_SIZE);
    counting(c.mnonce, 0, 16);
    sev_cmd_attestation_encode(&c, h->memory + SH_CMD);
    assert_true(sev_begin(&h->sev, SEV_CMD_ATTESTATION, SH_CMD, &job, &status));
    assert_true(psp_all_zero(h->memory + SH_OUT, SEV_REPORT_SIZE));
    memset(h->memory + SH_CMD, 0xee, 0x100); /* read once */
    assert_int_equal(sev_execute(&h->sev, SEV_CMD_PDH_GEN, 0), SEV_SUCCESS);
    sev_job_run(&job);
    assert_int_equal(sev_finish(&h->sev, &job), SEV_SUCCESS);
    assert_memory_equal(h->memory + SH_OUT, whole, SEV_REPORT_SIZE);
    sev_cmd_attestation_decode(h->memory + SH_CMD, &c);
    assert_int_equal(c.length, 0xd0);
    assert_true(psp_all_zero(&job, sizeof(job)));
    sh_free(h);
}

/* A guest owner that is not ours: session, measurement, secret, report. */
static void test_owner(void **state)
{
    const char *profile = *state;
    struct sev_cmd_transport secret = {.hdr_paddr = SH_IN,
                                       .hdr_length = 0x34,
                                       .guest_paddr = SH_GUEST2,
                                       .guest_length = 0x40,
                                       .trans_paddr = SH_IN2,
                                       .trans_length = 0x40};
    bool es = strcmp(profile, "genoa") == 0;
    bool old = strcmp(profile, "naples 0.16") == 0;
    const char *policy = es ? "0x00010005" : "0x00000001";
    struct sh *h = sh_new_off(old ? "naples" : profile, 1);
    uint8_t godh[SEV_CERT_SIZE], session[SEV_SESSION_SIZE];
    uint32_t asid = es ? 3 : h->config.profile.asid_count;
    uint8_t report[SEV_REPORT_SIZE], payload[0x40], seen[0x40];
    char *dir = tst_mkdtemp();
    struct sh_certs certs;
    char version[16];
    uint32_t handle;

    if (old) {
        h->config.profile.api_minor = 16;
    }
    sh_power_on(h);
    sh_up(h);
    sh_export(h, &certs);
    sh_put(dir, "pdh.cert", certs.pdh, SEV_CERT_SIZE);
    sh_put(dir, "pek.cert", certs.pek, SEV_CERT_SIZE);
    sh_oracle("launch", dir, policy, NULL);
    sh_get(dir, "godh.cert", godh, sizeof(godh));
    sh_get(dir, "session", session, sizeof(session));
    assert_int_equal(start_with(h, (uint32_t)strtoul(policy, NULL, 0), godh,
                                session, &handle),
                     SEV_SUCCESS);
    assert_int_equal(sh_activate(h, handle, asid), SEV_SUCCESS);
    for (size_t i = 0; i < 0x5000; i++) {
        h->memory[SH_GUEST + i] = (uint8_t)(i * 5 + (i >> 8));
    }
    sh_put(dir, "plain", h->memory + SH_GUEST, es ? 0x4000 : 0x3000);
    assert_int_equal(sh_update(h, handle, SH_GUEST, 0x3000), SEV_SUCCESS);
    if (es) {
        struct sev_cmd_range c = {handle, 0, SH_GUEST + 0x3000, 0x1000};

        assert_int_equal(SH_DO(h, SEV_CMD_LAUNCH_UPDATE_VMSA, range, &c),
                         SEV_SUCCESS);
    }
    sh_measure(h, handle);
    sh_put(dir, "measure", h->memory + SH_OUT, 48);
    snprintf(version, sizeof(version), "%u.%u.%u", h->config.profile.api_major,
             h->config.profile.api_minor, h->config.profile.build);
    sh_oracle("measure", dir, old ? "-" : version, policy);
    for (size_t i = 0; i < sizeof(payload); i++) {
        payload[i] = (uint8_t)(0xf0 ^ i);
    }
    sh_put(dir, "secret", payload, sizeof(payload));
    sh_oracle("secret", dir, old ? "old" : NULL, NULL);
    sh_get(dir, "header", h->memory + SH_IN, 0x34);
    sh_get(dir, "payload", h->memory + SH_IN2, 0x40);
    secret.handle = handle;
    h->memory[SH_IN2] ^= 1;
    SH_REFUSE(h, SEV_CMD_LAUNCH_SECRET, transport, &secret,
              SEV_BAD_MEASUREMENT);
    h->memory[SH_IN2] ^= 1;
    assert_int_equal(SH_DO(h, SEV_CMD_LAUNCH_SECRET, transport, &secret),
                     SEV_SUCCESS);
    sh_guest_read(h, asid, SH_GUEST2, seen, sizeof(seen));
    assert_memory_equal(seen, payload, sizeof(seen));
    assert_int_equal(sh_handle(h, SEV_CMD_LAUNCH_FINISH, handle), SEV_SUCCESS);
    if (sev_command(SEV_CMD_ATTESTATION)->min_api <=
        (h->config.profile.api_major << 8 | h->config.profile.api_minor)) {
        attest(h, handle, 0x30, report);
        sh_put(dir, "report", report, sizeof(report));
        sh_oracle("report", dir, "303132333435363738393a3b3c3d3e3f", policy);
    }
    tst_rmdir(dir);
    sh_free(h);
}

int main(void)
{
    static const char *const profiles[] = {"naples 0.16", "naples", "rome",
                                           "milan",       "genoa",  "turin"};
    const struct CMUnitTest fixed[] = {
        cmocka_unit_test(vector__launch_measure_secret__sheet_values),
        cmocka_unit_test(vector__sevctl_secret_packet__mac),
        cmocka_unit_test(vector__sevctl_measurement__mac),
        cmocka_unit_test(vector__session_of_zeros__wrap_and_macs),
        cmocka_unit_test(vector__send_update_packet__mac),
        cmocka_unit_test(start__mended_step_by_step__statuses_in_order),
        cmocka_unit_test(session__any_bit_flipped__refused),
        cmocka_unit_test(session__after_pdh_gen__useless),
        cmocka_unit_test(godh__any_signature__accepted),
        cmocka_unit_test(start__shares_the_key_of_a_guest__same_vek),
        cmocka_unit_test(update__mended_step_by_step__statuses_in_order),
        cmocka_unit_test(update_vmsa__mended_step_by_step__statuses_in_order),
        cmocka_unit_test(update_vmsa__twenty_vcpus__all_known),
        cmocka_unit_test(measure__mended_step_by_step__statuses_in_order),
        cmocka_unit_test(measure__same_bytes_cut_differently__same_digest),
        cmocka_unit_test(secret__mended_step_by_step__statuses_in_order),
        cmocka_unit_test(finish__launch_keys__gone),
        cmocka_unit_test(attestation__mended_step_by_step__statuses_in_order),
        cmocka_unit_test(attestation__repeated__reproducible),
        cmocka_unit_test(attestation__vector_inputs__sheet_digest),
        cmocka_unit_test(attestation__in_three_steps__same_report),
    };
    struct CMUnitTest rows[64];
    size_t n = 0;
    int failed;

    for (size_t i = 0; i < sizeof(POLICIES) / sizeof(POLICIES[0]); i++) {
        rows[n++] = sh_row(POLICIES[i].name, test_policy, &POLICIES[i]);
    }
    for (size_t i = 0; i < sizeof(MEASURES) / sizeof(MEASURES[0]); i++) {
        rows[n++] = sh_row(MEASURES[i].name, test_measure_vector, &MEASURES[i]);
    }
    for (size_t i = 0; i < 6; i++) {
        rows[n++] = sh_row(profiles[i], test_owner, profiles[i]);
    }
    failed = cmocka_run_group_tests_name("sev/launch", fixed, NULL, NULL);
    failed += _cmocka_run_group_tests("sev/launch/rows", rows, n, NULL, NULL);
    return failed;
}
