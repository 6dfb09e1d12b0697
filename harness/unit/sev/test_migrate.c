/* SPDX-License-Identifier: Apache-2.0 */
/* Sending and receiving guests: statuses in order, a migration between two
 * platforms, and one to a platform written in Python. abi/sev.md §1.6, §10 */
#include "sev_host.h"

#include "sev_internal.h"

/* What the sender is shown about a receiver: all of it in its memory. */
static void show(struct sh *sender, struct sh *receiver)
{
    uint8_t amd[PKI_ASK_ARK_MAX_SIZE];
    struct pki_ca *ca = sh_ca(receiver);
    struct sh_certs certs;
    size_t size;

    sh_export(receiver, &certs);
    assert_int_equal(pki_cek_cert(ca, &receiver->config.chip, certs.cek),
                     PSP_OK);
    assert_int_equal(pki_ask_ark(ca, amd, &size), PSP_OK);
    pki_ca_close(ca);
    memcpy(sender->memory + SH_IN, certs.pdh, SEV_CERT_SIZE);
    memcpy(sender->memory + SH_IN2, certs.pek, SEV_CHAIN_SIZE);
    memcpy(sender->memory + SH_IN3, amd, size);
}

static struct sev_cmd_send_start good_start(uint32_t handle)
{
    return (struct sev_cmd_send_start){.handle = handle,
                                       .policy = 0xeeeeeeee,
                                       .pdh_paddr = SH_IN,
                                       .pdh_length = SEV_CERT_SIZE,
                                       .plat_paddr = SH_IN2,
                                       .plat_length = SEV_CHAIN_SIZE,
                                       .amd_paddr = SH_IN3,
                                       .amd_length = 3200,
                                       .session_paddr = SH_OUT,
                                       .session_length = SEV_SESSION_SIZE};
}

/* A platform that trusts the simulated Milan root. */
static struct sh *trusting(uint8_t number)
{
    struct sh *h = sh_new_off("milan", number);
    struct pki_ca *ca = sh_ca(h);

    assert_int_equal(pki_sev_root(ca, &h->config.sev.roots[0]), PSP_OK);
    h->config.sev.root_count = 1;
    pki_ca_close(ca);
    sh_power_on(h);
    sh_up(h);
    return h;
}

static void send_start__mended_step_by_step__statuses_in_order(void **state)
{
    const uint32_t id = SEV_CMD_SEND_START;
    struct sev_cmd_send_start c = {.handle = 77,
                                   .pdh_paddr = SH_MEMORY,
                                   .plat_paddr = SH_MEMORY,
                                   .amd_paddr = SH_MEMORY,
                                   .session_paddr = SH_MEMORY,
                                   .session_length = 0x81};
    struct sh *h = trusting(1), *peer = trusting(2);
    uint32_t nosend, launching, guest;

    (void)state;
    sh_plain(h, SEV_CMD_SHUTDOWN);
    SH_REFUSE(h, id, send_start, &c, SEV_INVALID_PLATFORM_STATE);
    sh_up(h);
    nosend = sh_running(h, SEV_POLICY_NOSEND | SEV_POLICY_SEV, 0);
    launching = sh_launch(h, SEV_POLICY_SEV);
    guest = sh_running(h, SEV_POLICY_SEV | SEV_POLICY_DOMAIN, 0);
    show(h, peer);
    SH_REFUSE(h, id, send_start, &c, SEV_INVALID_GUEST);
    c.handle = launching;
    assert_int_equal(SH_DO(h, id, send_start, &c), SEV_INVALID_LENGTH);
    assert_int_equal(c.session_length, 0x80);
    c.session_length = 0;
    assert_int_equal(SH_DO(h, id, send_start, &c), SEV_INVALID_LENGTH);
    assert_int_equal(c.session_length, 0x80);
    SH_REFUSE(h, id, send_start, &c, SEV_INVALID_GUEST_STATE);
    c.handle = nosend;
    SH_REFUSE(h, id, send_start, &c, SEV_POLICY_FAILURE);
    c.handle = guest;
    c.pdh_length = SEV_CERT_SIZE;
    c.plat_length = SEV_CHAIN_SIZE - 1;
    c.amd_length = 3200;
    SH_REFUSE(h, id, send_start, &c, SEV_INVALID_LENGTH);
    c.plat_length = SEV_CHAIN_SIZE;
    c.pdh_length = SEV_CERT_SIZE + 1;
    SH_REFUSE(h, id, send_start, &c, SEV_INVALID_LENGTH);
    c.pdh_length = SEV_CERT_SIZE;
    c.amd_length = 3199;
    SH_REFUSE(h, id, send_start, &c, SEV_INVALID_LENGTH);
    c.amd_length = 1664;
    SH_REFUSE(h, id, send_start, &c, SEV_INVALID_ADDRESS);
    c.pdh_paddr = SH_IN;
    SH_REFUSE(h, id, send_start, &c, SEV_INVALID_ADDRESS);
    c.plat_paddr = SH_IN2;
    SH_REFUSE(h, id, send_start, &c, SEV_INVALID_ADDRESS);
    c.amd_paddr = SH_IN3;
    SH_REFUSE(h, id, send_start, &c, SEV_INVALID_ADDRESS);
    c.session_paddr = SH_OUT;
    SH_REFUSE(h, id, send_start, &c, SEV_INVALID_CERTIFICATE); /* cut off */
    c.amd_length = 3200;
    h->sev.config.root_count = 0;
    SH_REFUSE(h, id, send_start, &c, SEV_INVALID_CERTIFICATE);
    h->sev.config.root_count = 1;
    h->memory[SH_IN3 + 1600 + 100] ^= 1; /* ARK */
    SH_REFUSE(h, id, send_start, &c, SEV_BAD_SIGNATURE);
    h->memory[SH_IN3 + 1600 + 100] ^= 1;
    h->memory[SH_IN3 + 100] ^= 1; /* ASK */
    SH_REFUSE(h, id, send_start, &c, SEV_BAD_SIGNATURE);
    h->memory[SH_IN3 + 100] ^= 1;
    h->memory[SH_IN2 + 2 * SEV_CERT_SIZE + 0x20] ^= 1; /* CEK */
    SH_REFUSE(h, id, send_start, &c, SEV_BAD_SIGNATURE);
    h->memory[SH_IN2 + 2 * SEV_CERT_SIZE + 0x20] ^= 1;
    h->memory[SH_IN2 + 5] ^= 1; /* PEK */
    SH_REFUSE(h, id, send_start, &c, SEV_BAD_SIGNATURE);
    h->memory[SH_IN2 + 5] ^= 1;
    h->memory[SH_IN + 5] ^= 1; /* PDH */
    SH_REFUSE(h, id, send_start, &c, SEV_BAD_SIGNATURE);
    h->memory[SH_IN + 5] ^= 1;
    h->memory[SH_IN2 + SEV_CERT_SIZE + 5] ^= 1; /* OCA: DOMAIN */
    SH_REFUSE(h, id, send_start, &c, SEV_BAD_SIGNATURE);
    h->memory[SH_IN2 + SEV_CERT_SIZE + 5] ^= 1;
    SH_REFUSE(h, id, send_start, &c, SEV_POLICY_FAILURE); /* other owner */
    sev_guest_find(&h->sev, guest)->policy = SEV_POLICY_SEV | 0x38010000;
    SH_REFUSE(h, id, send_start, &c, SEV_POLICY_FAILURE); /* its API: 1.55 */
    sev_guest_find(&h->sev, guest)->policy = SEV_POLICY_SEV | 0x37010000;
    assert_int_equal(SH_DO(h, id, send_start, &c), SEV_SUCCESS);
    assert_int_equal(c.policy, SEV_POLICY_SEV | 0x37010000);
    assert_int_equal(sh_guest_state(h, guest), SEV_GUEST_SUPDATE);
    sh_free(h);
    sh_free(peer);
}

/* Well-signed AMD certificates that say something wrong: after the signature,
 * each is the certificate's fault. */
struct amd_fault {
    const char *name;
    enum pki_role role;
    void (*spoil)(struct sev_amd_cert *cert);
    enum sev_status status;
};

static void no_spoil(struct sev_amd_cert *cert)
{
    (void)cert;
}
static void version_2(struct sev_amd_cert *cert)
{
    cert->version = 2;
}
static void usage_swapped(struct sev_amd_cert *cert)
{
    cert->key_usage ^= SEV_USAGE_ASK;
}
static void other_signer_id(struct sev_amd_cert *cert)
{
    cert->certifying_id[15] ^= 1;
}
static void reserved_set(struct sev_amd_cert *cert)
{
    cert->reserved[3] = 1;
}

static const struct amd_fault AMD_FAULTS[] = {
    {"ask unspoilt", PKI_ASK, no_spoil, SEV_SUCCESS},
    {"ark unspoilt", PKI_ARK, no_spoil, SEV_SUCCESS},
    {"ask version 2", PKI_ASK, version_2, SEV_INVALID_CERTIFICATE},
    {"ask with usage ARK", PKI_ASK, usage_swapped, SEV_INVALID_CERTIFICATE},
    {"ask by another key id", PKI_ASK, other_signer_id,
     SEV_INVALID_CERTIFICATE},
    {"ask reserved bytes", PKI_ASK, reserved_set, SEV_SUCCESS},
    {"ark version 2", PKI_ARK, version_2, SEV_INVALID_CERTIFICATE},
    {"ark with usage ASK", PKI_ARK, usage_swapped, SEV_INVALID_CERTIFICATE},
    {"ark by another key id", PKI_ARK, other_signer_id,
     SEV_INVALID_CERTIFICATE},
    {"ark not the trusted one", PKI_ARK, reserved_set, SEV_INVALID_CERTIFICATE},
};

static void test_amd_fault(void **state)
{
    const struct amd_fault *f = *state;
    struct sh *h = trusting(1), *peer = trusting(2);
    struct pki_ca *ca = sh_ca(h);
    uint8_t bytes[SEV_AMD_CERT_MAX_SIZE], sig[RSA_MAX_SIZE];
    struct sev_amd_cert cert;
    struct sev_cmd_send_start c;
    size_t size;

    c = good_start(sh_running(h, SEV_POLICY_SEV, 0));
    show(h, peer);
    assert_int_equal(pki_sev_amd_cert(ca, f->role, &cert), PSP_OK);
    f->spoil(&cert);
    (void)sev_amd_cert_encode(&cert, bytes);
    assert_int_equal(pki_ca_sign(ca, PKI_ARK, bytes,
                                 sev_amd_cert_body_size(&cert), sig, &size),
                     PSP_OK);
    sev_amd_cert_set_signature(&cert, sig);
    (void)sev_amd_cert_encode(&cert, h->memory + SH_IN3 +
                                         (f->role == PKI_ARK ? 1600 : 0));
    if (f->status == SEV_SUCCESS) {
        assert_int_equal(SH_DO(h, SEV_CMD_SEND_START, send_start, &c),
                         SEV_SUCCESS);
    } else {
        SH_REFUSE(h, SEV_CMD_SEND_START, send_start, &c, f->status);
    }
    pki_ca_close(ca);
    sh_free(h);
    sh_free(peer);
}

/* Without SEV and DOMAIN only the PDH certificate counts, by its body. */
static void send_start__plain_policy__pdh_by_its_body(void **state)
{
    struct sh *h = sh_new("milan", 1);
    struct sev_cmd_send_start c;
    uint8_t *pdh;

    (void)state;
    sh_up(h);
    c = good_start(sh_running(h, 0, 0));
    show(h, h);
    c.plat_length = c.amd_length = 0;
    c.plat_paddr = c.amd_paddr = UINT64_MAX;
    pdh = h->memory + SH_IN;
    c.pdh_length = 0x823;
    SH_REFUSE(h, SEV_CMD_SEND_START, send_start, &c, SEV_INVALID_LENGTH);
    c.pdh_length = 0x824;
    pdh[8] ^= 1;
    SH_REFUSE(h, SEV_CMD_SEND_START, send_start, &c, SEV_INVALID_CERTIFICATE);
    pdh[8] ^= 1;
    pdh[0x14] ^= 1;
    SH_REFUSE(h, SEV_CMD_SEND_START, send_start, &c, SEV_INVALID_CERTIFICATE);
    pdh[0x14] ^= 1;
    memset(pdh + SEV_CERT_BODY_SIZE, 0x5a, 0x400); /* signatures */
    assert_int_equal(SH_DO(h, SEV_CMD_SEND_START, send_start, &c), SEV_SUCCESS);
    sh_free(h);
}

static void own(struct sh *h, const struct psp_p384_key *key)
{
    struct sev_cmd_blob csr = {SH_OUT, SEV_CERT_SIZE};
    struct sev_cmd_certs import = {SH_IN, SEV_CERT_SIZE, 0, SH_IN2,
                                   SEV_CERT_SIZE};
    struct sev_cert oca, pek;

    assert_int_equal(SH_DO(h, SEV_CMD_PEK_CSR, blob, &csr), SEV_SUCCESS);
    assert_int_equal(sev_cert_decode(h->memory + SH_OUT, SEV_CERT_SIZE, &pek),
                     PSP_OK);
    sev_cert_init(&oca);
    oca.pubkey_usage = SEV_USAGE_OCA;
    oca.pubkey_algo = SEV_ALGO_ECDSA_SHA256;
    sev_cert_set_ec(&oca, SEV_CURVE_P384, key->pub.x, key->pub.y);
    assert_int_equal(sev_cert_sign(&oca, 0, SEV_USAGE_OCA, key), PSP_OK);
    assert_int_equal(sev_cert_sign(&pek, 0, SEV_USAGE_OCA, key), PSP_OK);
    sev_cert_encode(&pek, h->memory + SH_IN);
    sev_cert_encode(&oca, h->memory + SH_IN2);
    assert_int_equal(SH_DO(h, SEV_CMD_PEK_CERT_IMPORT, certs, &import),
                     SEV_SUCCESS);
}

/* Two platforms of one owner. */
static void send_start__domain_policy__same_owner_only(void **state)
{
    struct sh *h = sh_new("milan", 1), *peer = sh_new("rome", 2);
    static const uint8_t d[] = {9, 9};
    struct sev_cmd_send_start c;
    struct psp_p384_key key;

    (void)state;
    assert_int_equal(psp_p384_from_bytes(d, 2, &key), PSP_OK);
    sh_up(h);
    sh_up(peer);
    own(h, &key);
    c = good_start(sh_running(h, SEV_POLICY_DOMAIN, 0));
    c.amd_length = 0; /* not asked for */
    show(h, peer);
    SH_REFUSE(h, SEV_CMD_SEND_START, send_start, &c, SEV_POLICY_FAILURE);
    own(peer, &key);
    show(h, peer);
    c.plat_length--;
    SH_REFUSE(h, SEV_CMD_SEND_START, send_start, &c, SEV_INVALID_LENGTH);
    c.plat_length++;
    assert_int_equal(SH_DO(h, SEV_CMD_SEND_START, send_start, &c), SEV_SUCCESS);
    sh_free(h);
    sh_free(peer);
}

static struct sev_cmd_transport good_packet(uint32_t handle, uint64_t guest,
                                            uint32_t size)
{
    return (struct sev_cmd_transport){.handle = handle,
                                      .hdr_paddr = SH_OUT,
                                      .hdr_length = 0x34,
                                      .guest_paddr = guest,
                                      .guest_length = size,
                                      .trans_paddr = SH_OUT2,
                                      .trans_length = size};
}

static void send_update__mended_step_by_step__statuses_in_order(void **state)
{
    static const uint32_t ids[] = {SEV_CMD_SEND_UPDATE_DATA,
                                   SEV_CMD_SEND_UPDATE_VMSA};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        bool vmsa = i == 1;
        uint32_t policy = vmsa ? SEV_POLICY_ES : 0;
        uint32_t asid = vmsa ? SH_ASID_ES : SH_ASID;
        struct sev_cmd_transport c = {.handle = 77, .guest_length = 0x18};
        struct sh *h = sh_new("milan", 1);
        uint32_t a, other;

        SH_REFUSE(h, ids[i], transport, &c, SEV_INVALID_PLATFORM_STATE);
        sh_up(h);
        a = sh_guest_in(h, SEV_GUEST_SUPDATE, policy, 0);
        other = sh_guest_in(h, SEV_GUEST_RUNNING, policy, 0);
        /* Before the handle; both lengths come back. */
        assert_int_equal(SH_DO(h, ids[i], transport, &c), SEV_INVALID_LENGTH);
        assert_int_equal(c.hdr_length, 0x34);
        assert_int_equal(c.trans_length, 0x18);
        c.hdr_length = 0x33;
        c.guest_length = 0;
        assert_int_equal(SH_DO(h, ids[i], transport, &c), SEV_INVALID_LENGTH);
        assert_int_equal(c.hdr_length, 0x34);
        assert_int_equal(c.trans_length, 0x18);
        c.hdr_length = 0x40;
        SH_REFUSE(h, ids[i], transport, &c, SEV_INVALID_GUEST);
        c.handle = other;
        SH_REFUSE(h, ids[i], transport, &c, SEV_INVALID_GUEST_STATE);
        c.handle = a;
        if (vmsa) {
            sev_guest_find(&h->sev, a)->policy = 0;
            SH_REFUSE(h, ids[i], transport, &c, SEV_UNSUPPORTED);
            sev_guest_find(&h->sev, a)->policy = policy;
        }
        SH_REFUSE(h, ids[i], transport, &c, SEV_INACTIVE);
        assert_int_equal(sh_activate(h, a, asid), SEV_SUCCESS);
        c.guest_paddr = SH_GUEST + 8;
        c.guest_length = 0;
        SH_REFUSE(h, ids[i], transport, &c, SEV_INVALID_LENGTH);
        c.guest_length = 0x18;
        SH_REFUSE(h, ids[i], transport, &c, SEV_INVALID_LENGTH);
        c.guest_length = 0x4010;
        SH_REFUSE(h, ids[i], transport, &c, SEV_INVALID_LENGTH);
        c.guest_length = 0x1000;
        c.trans_length = 0xff0;
        assert_int_equal(SH_DO(h, ids[i], transport, &c), SEV_INVALID_LENGTH);
        assert_int_equal(c.trans_length, 0x1000);
        assert_int_equal(c.hdr_length, 0x40);
        SH_REFUSE(h, ids[i], transport, &c, SEV_INVALID_ADDRESS);
        c.guest_paddr = SH_MEMORY;
        c.hdr_paddr = SH_MEMORY;
        c.trans_paddr = SH_MEMORY;
        SH_REFUSE(h, ids[i], transport, &c, SEV_INVALID_ADDRESS);
        c.guest_paddr = SH_GUEST;
        SH_REFUSE(h, ids[i], transport, &c, SEV_INVALID_ADDRESS);
        c.hdr_paddr = SH_OUT;
        SH_REFUSE(h, ids[i], transport, &c, SEV_INVALID_ADDRESS);
        c.trans_paddr = SH_OUT2;
        c.trans_length = 0x2000;
        if (vmsa) {
            SH_REFUSE(h, ids[i], transport, &c, SEV_INVALID_PARAM);
            sh_free(h);
            continue;
        }
        memset(h->memory + SH_OUT2, SH_UNTOUCHED, 0x2000);
        assert_int_equal(SH_DO(h, ids[i], transport, &c), SEV_SUCCESS);
        assert_int_equal(c.hdr_length, 0x34);
        assert_int_equal(c.trans_length, 0x1000);
        assert_int_equal(h->memory[SH_OUT2 + 0x1000], SH_UNTOUCHED);
        sh_free(h);
    }
}

/* A link: sender, receiver, and a guest on its way. */
struct link {
    struct sh *from, *to;
    uint32_t sent, received;
    uint32_t from_asid, to_asid;
};

static void link_new(struct link *l, uint32_t policy)
{
    bool es = (policy & SEV_POLICY_ES) != 0;
    uint8_t session[SEV_SESSION_SIZE];
    struct sh_certs here, there;

    l->from = sh_new("milan", 1);
    l->to = sh_new("genoa", 2);
    l->from_asid = es ? 3 : 150;
    l->to_asid = es ? 9 : 700;
    sh_up(l->from);
    sh_up(l->to);
    sh_export(l->from, &there);
    sh_export(l->to, &here);
    l->sent = sh_launch(l->from, policy);
    assert_int_equal(sh_activate(l->from, l->sent, l->from_asid), SEV_SUCCESS);
    if (es) {
        struct sev_cmd_range c = {l->sent, 0, SH_GUEST2, 0x1000};

        memset(l->from->memory + SH_GUEST2, 0x76, 0x1000);
        assert_int_equal(SH_DO(l->from, SEV_CMD_LAUNCH_UPDATE_VMSA, range, &c),
                         SEV_SUCCESS);
    }
    sh_measure(l->from, l->sent);
    assert_int_equal(sh_handle(l->from, SEV_CMD_LAUNCH_FINISH, l->sent),
                     SEV_SUCCESS);
    sh_send_start(l->from, l->sent, here.pdh, session);
    assert_int_equal(
        sh_receive_start(l->to, policy, there.pdh, session, &l->received),
        SEV_SUCCESS);
    assert_int_equal(sh_activate(l->to, l->received, l->to_asid), SEV_SUCCESS);
}

static void link_free(struct link *l)
{
    sh_free(l->from);
    sh_free(l->to);
}

/* One packet from @from to the receiver's memory, not yet received. */
static void carry(struct link *l, uint32_t id, uint64_t from, uint32_t size)
{
    struct sev_cmd_transport c = good_packet(l->sent, from, size);

    assert_int_equal(SH_DO(l->from, id, transport, &c), SEV_SUCCESS);
    memcpy(l->to->memory + SH_OUT, l->from->memory + SH_OUT, 0x34);
    memcpy(l->to->memory + SH_OUT2, l->from->memory + SH_OUT2, size);
}

static void receive_update__mended_step_by_step__statuses_in_order(void **state)
{
    static const uint32_t ids[] = {SEV_CMD_RECEIVE_UPDATE_DATA,
                                   SEV_CMD_RECEIVE_UPDATE_VMSA};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        bool vmsa = i == 1;
        struct sev_cmd_transport c = {.handle = 77, .trans_length = 0x10};
        struct link l;
        struct sh *h;

        link_new(&l, vmsa ? SEV_POLICY_ES : 0);
        h = l.to;
        SH_REFUSE(h, ids[i], transport, &c, SEV_INVALID_GUEST);
        c.handle = sh_running(h, 0, 0);
        SH_REFUSE(h, ids[i], transport, &c, SEV_INVALID_GUEST_STATE);
        c.handle = l.received;
        if (vmsa) {
            sev_guest_find(&h->sev, c.handle)->policy = 0;
            SH_REFUSE(h, ids[i], transport, &c, SEV_UNSUPPORTED);
            sev_guest_find(&h->sev, c.handle)->policy = SEV_POLICY_ES;
        }
        assert_int_equal(sh_handle(h, SEV_CMD_DEACTIVATE, c.handle),
                         SEV_SUCCESS);
        SH_REFUSE(h, ids[i], transport, &c, SEV_INACTIVE);
        assert_int_equal(sh_activate(h, c.handle, l.to_asid), SEV_SUCCESS);
        c.guest_paddr = SH_GUEST + 8;
        SH_REFUSE(h, ids[i], transport, &c, SEV_INVALID_LENGTH);
        c.trans_length = 0;
        SH_REFUSE(h, ids[i], transport, &c, SEV_INVALID_LENGTH);
        c.trans_length = c.guest_length = 0x4010;
        SH_REFUSE(h, ids[i], transport, &c, SEV_INVALID_LENGTH);
        c.trans_length = c.guest_length = 0x1000;
        SH_REFUSE(h, ids[i], transport, &c, SEV_INVALID_LENGTH);
        c.hdr_length = 0x33;
        SH_REFUSE(h, ids[i], transport, &c, SEV_INVALID_LENGTH);
        c.hdr_length = 0x100;
        c.hdr_paddr = c.trans_paddr = SH_MEMORY;
        SH_REFUSE(h, ids[i], transport, &c, SEV_INVALID_ADDRESS);
        c.guest_paddr = SH_MEMORY;
        SH_REFUSE(h, ids[i], transport, &c, SEV_INVALID_ADDRESS);
        c.hdr_paddr = SH_OUT;
        SH_REFUSE(h, ids[i], transport, &c, SEV_INVALID_ADDRESS);
        c.guest_paddr = SH_GUEST;
        SH_REFUSE(h, ids[i], transport, &c, SEV_INVALID_ADDRESS);
        c.trans_paddr = SH_OUT2;
        carry(&l, vmsa ? SEV_CMD_SEND_UPDATE_VMSA : SEV_CMD_SEND_UPDATE_DATA,
              vmsa ? SH_GUEST2 : SH_GUEST, 0x1000);
        h->memory[SH_OUT] = 1; /* COMPRESSED: before the MAC */
        h->memory[SH_OUT + 0x20] ^= 1;
        SH_REFUSE(h, ids[i], transport, &c, SEV_UNSUPPORTED);
        h->memory[SH_OUT] = 0;
        SH_REFUSE(h, ids[i], transport, &c, SEV_BAD_MEASUREMENT);
        h->memory[SH_OUT + 0x20] ^= 1;
        assert_int_equal(SH_DO(h, ids[i], transport, &c), SEV_SUCCESS);
        link_free(&l);
    }
}

/* Header and payload: every byte of both. */
static void packet__any_bit_flipped__refused(void **state)
{
    struct sev_cmd_transport c;
    struct link l;

    (void)state;
    link_new(&l, 0);
    c = good_packet(l.received, SH_GUEST, 0x80);
    memset(l.from->memory + SH_GUEST, 1, 0x80);
    carry(&l, SEV_CMD_SEND_UPDATE_DATA, SH_GUEST, 0x80);
    for (size_t i = 0; i < 0x34 + 0x80; i++) {
        uint8_t *byte =
            l.to->memory + (i < 0x34 ? SH_OUT + i : SH_OUT2 + i - 0x34);

        *byte ^= 2; /* not the COMPRESSED flag */
        SH_REFUSE(l.to, SEV_CMD_RECEIVE_UPDATE_DATA, transport, &c,
                  SEV_BAD_MEASUREMENT);
        *byte ^= 2;
    }
    c.guest_length = c.trans_length = 0x70; /* shortened */
    SH_REFUSE(l.to, SEV_CMD_RECEIVE_UPDATE_DATA, transport, &c,
              SEV_BAD_MEASUREMENT);
    link_free(&l);
}

/* A VMSA cannot come in as data, nor data as a VMSA. */
static void packet__of_the_other_kind__refused(void **state)
{
    struct sev_cmd_transport c;
    struct link l;

    (void)state;
    link_new(&l, SEV_POLICY_ES);
    c = good_packet(l.received, SH_GUEST, 0x1000);
    carry(&l, SEV_CMD_SEND_UPDATE_VMSA, SH_GUEST2, 0x1000);
    SH_REFUSE(l.to, SEV_CMD_RECEIVE_UPDATE_DATA, transport, &c,
              SEV_BAD_MEASUREMENT);
    carry(&l, SEV_CMD_SEND_UPDATE_DATA, SH_GUEST2, 0x1000);
    SH_REFUSE(l.to, SEV_CMD_RECEIVE_UPDATE_VMSA, transport, &c,
              SEV_BAD_MEASUREMENT);
    link_free(&l);
}

/* A running guest moves with its memory and its VMSA; it is whole at the other
 * end, and the two platforms' secrets differ. */
static void migration__running_guest__whole_on_the_other_side(void **state)
{
    const uint32_t size = 0x14000;
    uint8_t *text = malloc(size), *seen = malloc(size);
    uint8_t report[SEV_REPORT_SIZE], vmsa[0x1000];
    struct sev_cmd_attestation at = {.paddr = SH_OUT,
                                     .length = SEV_REPORT_SIZE};
    struct link l;

    (void)state;
    link_new(&l, SEV_POLICY_ES);
    for (uint32_t i = 0; i < size; i++) {
        text[i] = (uint8_t)(i * 13 + (i >> 9));
    }
    sh_guest_write(l.from, l.from_asid, SH_GUEST, text, size);
    for (uint32_t done = 0; done < size;) {
        uint32_t n = size - done < 0x4000 ? size - done : 0x4000;
        struct sev_cmd_transport c =
            good_packet(l.received, SH_GUEST + 0x10000 + done, n);

        carry(&l, SEV_CMD_SEND_UPDATE_DATA, SH_GUEST + done, n);
        assert_memory_not_equal(l.to->memory + SH_OUT2, text + done, n);
        assert_int_equal(
            SH_DO(l.to, SEV_CMD_RECEIVE_UPDATE_DATA, transport, &c),
            SEV_SUCCESS);
        done += n;
    }
    {
        struct sev_cmd_transport c = good_packet(l.received, SH_GUEST2, 0x1000);

        carry(&l, SEV_CMD_SEND_UPDATE_VMSA, SH_GUEST2, 0x1000);
        assert_int_equal(
            SH_DO(l.to, SEV_CMD_RECEIVE_UPDATE_VMSA, transport, &c),
            SEV_SUCCESS);
    }
    assert_int_equal(sh_handle(l.to, SEV_CMD_RECEIVE_FINISH, l.received),
                     SEV_SUCCESS);
    assert_int_equal(sh_handle(l.from, SEV_CMD_SEND_FINISH, l.sent),
                     SEV_SUCCESS);
    assert_int_equal(sh_guest_state(l.to, l.received), SEV_GUEST_RUNNING);
    assert_int_equal(sh_guest_state(l.from, l.sent), SEV_GUEST_SENT);
    sh_guest_read(l.to, l.to_asid, SH_GUEST + 0x10000, seen, size);
    assert_memory_equal(seen, text, size);
    sh_guest_read(l.to, l.to_asid, SH_GUEST2, vmsa, sizeof(vmsa));
    for (size_t i = 0; i < sizeof(vmsa); i++) {
        assert_int_equal(vmsa[i], 0x76);
    }
    assert_memory_not_equal(sev_guest_find(&l.from->sev, l.sent)->vek,
                            sev_guest_find(&l.to->sev, l.received)->vek, 32);
    assert_true(psp_all_zero(&sev_guest_find(&l.from->sev, l.sent)->transport,
                             sizeof(struct sev_transport)));
    assert_true(psp_all_zero(&sev_guest_find(&l.to->sev, l.received)->transport,
                             sizeof(struct sev_transport)));
    /* Its launch was measured elsewhere. */
    at.handle = l.received;
    assert_int_equal(SH_DO(l.to, SEV_CMD_ATTESTATION, attestation, &at),
                     SEV_SUCCESS);
    memcpy(report, l.to->memory + SH_OUT, sizeof(report));
    assert_true(psp_all_zero(report + 0x10, 32));
    at.handle = l.sent;
    at.length = SEV_REPORT_SIZE;
    assert_int_equal(SH_DO(l.from, SEV_CMD_ATTESTATION, attestation, &at),
                     SEV_SUCCESS);
    assert_false(psp_all_zero(l.from->memory + SH_OUT + 0x10, 32));
    /* And it may go on from there. */
    assert_int_equal(sh_handle(l.from, SEV_CMD_DEACTIVATE, l.sent),
                     SEV_SUCCESS);
    assert_int_equal(sh_handle(l.from, SEV_CMD_DECOMMISSION, l.sent),
                     SEV_SUCCESS);
    free(text);
    free(seen);
    link_free(&l);
}

static void migration__receiver_has_new_pdh__refused(void **state)
{
    struct sh *from = sh_new("milan", 1), *to = sh_new("milan", 2);
    uint8_t session[SEV_SESSION_SIZE];
    struct sh_certs here, there;
    uint32_t handle;

    (void)state;
    sh_up(from);
    sh_up(to);
    sh_export(to, &here);
    sh_export(from, &there);
    sh_send_start(from, sh_running(from, 0, 0), here.pdh, session);
    assert_int_equal(sh_receive_start(to, 1, there.pdh, session, &handle),
                     SEV_BAD_MEASUREMENT); /* policy */
    assert_int_equal(sh_receive_start(from, 0, there.pdh, session, &handle),
                     SEV_BAD_MEASUREMENT); /* not for this platform */
    assert_int_equal(sh_plain(to, SEV_CMD_PDH_GEN), SEV_SUCCESS);
    assert_int_equal(sh_receive_start(to, 0, there.pdh, session, &handle),
                     SEV_BAD_MEASUREMENT);
    assert_int_equal(sh_status(to).state, 1);
    sh_free(from);
    sh_free(to);
}

static void send_cancel__guest_runs_again__and_can_be_sent_anew(void **state)
{
    uint8_t one[SEV_SESSION_SIZE], two[SEV_SESSION_SIZE];
    struct sh *h = sh_new("milan", 1);
    struct sh_certs certs;
    uint32_t a;

    (void)state;
    sh_up(h);
    sh_export(h, &certs);
    a = sh_running(h, 0, SH_ASID);
    sh_send_start(h, a, certs.pdh, one);
    assert_int_equal(sh_handle(h, SEV_CMD_SEND_CANCEL, a), SEV_SUCCESS);
    assert_int_equal(sh_guest_state(h, a), SEV_GUEST_RUNNING);
    assert_true(psp_all_zero(&sev_guest_find(&h->sev, a)->transport,
                             sizeof(struct sev_transport)));
    sh_send_start(h, a, certs.pdh, two);
    for (size_t i = 0; i < SEV_SESSION_SIZE; i += 16) {
        assert_memory_not_equal(one + i, two + i, 16); /* all new */
    }
    sh_free(h);
}

/* What the hardware would notice: a VMSA that is not as it was left. */
static void send_vmsa__tampered_or_elsewhere__invalid_param(void **state)
{
    struct sev_cmd_transport c;
    struct link l;

    (void)state;
    link_new(&l, SEV_POLICY_ES);
    c = good_packet(l.sent, SH_GUEST2, 0x1000);
    l.from->memory[SH_GUEST2 + 0x123] ^= 1;
    SH_REFUSE(l.from, SEV_CMD_SEND_UPDATE_VMSA, transport, &c,
              SEV_INVALID_PARAM);
    l.from->memory[SH_GUEST2 + 0x123] ^= 1;
    c.guest_length = c.trans_length = 0xff0;
    SH_REFUSE(l.from, SEV_CMD_SEND_UPDATE_VMSA, transport, &c,
              SEV_INVALID_PARAM);
    c = good_packet(l.sent, SH_GUEST2 + 0x1000, 0x1000);
    SH_REFUSE(l.from, SEV_CMD_SEND_UPDATE_VMSA, transport, &c,
              SEV_INVALID_PARAM);
    c = good_packet(l.sent, SH_GUEST2, 0x1000);
    assert_int_equal(SH_DO(l.from, SEV_CMD_SEND_UPDATE_VMSA, transport, &c),
                     SEV_SUCCESS);
    link_free(&l);
}

/* COPY carries the VMSA's place along. */
static void send_vmsa__after_copy__from_its_new_place(void **state)
{
    struct sev_cmd_copy copy = {0, 0x2000, SH_GUEST2 - 0x1000,
                                SH_GUEST2 + 0x10000};
    struct sev_cmd_transport c;
    struct link l;

    (void)state;
    link_new(&l, SEV_POLICY_ES);
    copy.handle = l.sent;
    assert_int_equal(SH_DO(l.from, SEV_CMD_COPY, copy, &copy), SEV_SUCCESS);
    c = good_packet(l.sent, SH_GUEST2, 0x1000);
    SH_REFUSE(l.from, SEV_CMD_SEND_UPDATE_VMSA, transport, &c,
              SEV_INVALID_PARAM);
    c = good_packet(l.sent, SH_GUEST2 + 0x11000, 0x1000);
    assert_int_equal(SH_DO(l.from, SEV_CMD_SEND_UPDATE_VMSA, transport, &c),
                     SEV_SUCCESS);
    link_free(&l);
}

/* The receiver is another program: it opens session and packets by itself. */
static void migration__receiver_in_python__same_plaintext(void **state)
{
    uint8_t pdh[SEV_CERT_SIZE], session[SEV_SESSION_SIZE], seen[0x1000];
    struct sh *h = sh_new("milan", 1);
    char *dir = tst_mkdtemp();
    struct sh_certs certs;
    uint32_t a;

    (void)state;
    sh_up(h);
    sh_export(h, &certs);
    sh_put(dir, "pdh.cert", certs.pdh, SEV_CERT_SIZE);
    sh_oracle("receiver", dir, NULL, NULL);
    sh_get(dir, "own.cert", pdh, sizeof(pdh));
    a = sh_launch(h, SEV_POLICY_ES);
    assert_int_equal(sh_activate(h, a, SH_ASID_ES), SEV_SUCCESS);
    {
        struct sev_cmd_range c = {a, 0, SH_GUEST2, 0x1000};

        assert_int_equal(SH_DO(h, SEV_CMD_LAUNCH_UPDATE_VMSA, range, &c),
                         SEV_SUCCESS);
    }
    sh_measure(h, a);
    assert_int_equal(sh_handle(h, SEV_CMD_LAUNCH_FINISH, a), SEV_SUCCESS);
    sh_send_start(h, a, pdh, session);
    sh_put(dir, "session", session, sizeof(session));
    for (unsigned int n = 0; n < 3; n++) {
        uint32_t id =
            n < 2 ? SEV_CMD_SEND_UPDATE_DATA : SEV_CMD_SEND_UPDATE_VMSA;
        uint64_t at = n < 2 ? SH_GUEST + n * 0x1000 : SH_GUEST2;
        struct sev_cmd_transport c = good_packet(a, at, 0x1000);
        uint8_t kind = n < 2 ? 2 : 3;
        char name[32];

        assert_int_equal(SH_DO(h, id, transport, &c), SEV_SUCCESS);
        snprintf(name, sizeof(name), "header.%u", n);
        sh_put(dir, name, h->memory + SH_OUT, 0x34);
        snprintf(name, sizeof(name), "payload.%u", n);
        sh_put(dir, name, h->memory + SH_OUT2, 0x1000);
        snprintf(name, sizeof(name), "kind.%u", n);
        sh_put(dir, name, &kind, 1);
    }
    sh_oracle("open", dir, "4", NULL);
    for (unsigned int n = 0; n < 2; n++) {
        uint8_t plain[0x1000];
        char name[32];

        snprintf(name, sizeof(name), "plain.%u", n);
        sh_get(dir, name, plain, sizeof(plain));
        sh_guest_read(h, SH_ASID_ES, SH_GUEST + n * 0x1000, seen, 0x1000);
        assert_memory_equal(plain, seen, 0x1000);
    }
    tst_rmdir(dir);
    sh_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(send_start__mended_step_by_step__statuses_in_order),
        cmocka_unit_test(send_start__plain_policy__pdh_by_its_body),
        cmocka_unit_test(send_start__domain_policy__same_owner_only),
        cmocka_unit_test(send_update__mended_step_by_step__statuses_in_order),
        cmocka_unit_test(
            receive_update__mended_step_by_step__statuses_in_order),
        cmocka_unit_test(packet__any_bit_flipped__refused),
        cmocka_unit_test(packet__of_the_other_kind__refused),
        cmocka_unit_test(migration__running_guest__whole_on_the_other_side),
        cmocka_unit_test(migration__receiver_has_new_pdh__refused),
        cmocka_unit_test(send_cancel__guest_runs_again__and_can_be_sent_anew),
        cmocka_unit_test(send_vmsa__tampered_or_elsewhere__invalid_param),
        cmocka_unit_test(send_vmsa__after_copy__from_its_new_place),
        cmocka_unit_test(migration__receiver_in_python__same_plaintext),
    };

    struct CMUnitTest rows[sizeof(AMD_FAULTS) / sizeof(AMD_FAULTS[0])];
    int failed;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rows[i] = sh_row(AMD_FAULTS[i].name, test_amd_fault, &AMD_FAULTS[i]);
    }
    failed = cmocka_run_group_tests_name("sev/migrate", tests, NULL, NULL);
    failed += cmocka_run_group_tests_name("sev/amd chain", rows, NULL, NULL);
    return failed;
}
